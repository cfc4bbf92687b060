//! The service under load: `cargo bench --bench load [-- SEATS …]`.
//!
//! The real program, a process of its own on loopback, with the default number of seats or each of
//! those given. By turns, so that all see the same machine: one visitor asks 60 questions, one after the
//! other; then 500 connections, all open, ask once at the same moment. Each must get its answer, or a 503
//! with Retry-After; of those admitted, p99 ≤ 2 × the one visitor's. Last, 500 visitors come back when
//! told until they have their answer. Questions are all different: each needs the encoder.

#![allow(
    missing_docs,
    clippy::print_stdout,
    reason = "a measurement prints its result"
)]

mod shared;

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Barrier;

const VISITORS: usize = 500;
const TURNS: usize = 8;
const ALONE: usize = 60;

fn main() {
    if shared::only_tested() {
        return;
    }
    println!("{}", shared::machine());
    let given: Vec<usize> = std::env::args().filter_map(|a| a.parse().ok()).collect();
    let seats = if given.is_empty() {
        vec![assistant::config::questions_at_once()]
    } else {
        given
    };
    // The clients take little; one thread leaves the other processor to the program.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    for seats in seats {
        let measured = runtime.block_on(measure(seats));
        println!("{measured}");
    }
}

async fn measure(seats: usize) -> Value {
    let data = shared::kept_folder();
    let (mut child, addr) = start(&data, seats);
    ready(addr).await;
    let questions = Questions::new();
    for _ in 0..20 {
        ask(connect(addr).await, &questions.next()).await;
    }

    let (mut alone, mut admitted, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    let (mut without, mut burst_s) = (0, 0.0);
    for _ in 0..TURNS {
        for _ in 0..ALONE {
            let got = ask(connect(addr).await, &questions.next()).await;
            assert_eq!(got.status, 200, "one visitor is never refused");
            alone.push(got.ms);
        }
        let started = Instant::now();
        for got in burst(addr, &questions).await {
            match (got.status, got.retry_after) {
                (200, _) => admitted.push(got.ms),
                (503, Some(_)) => refused.push(got.ms),
                _ => without += 1,
            }
        }
        burst_s += started.elapsed().as_secs_f64();
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let ratio = shared::percentile(&admitted, 99) / shared::percentile(&alone, 99);

    let came = Instant::now();
    let (asked, waits) = come_back(addr, &questions).await;
    let all_s = came.elapsed().as_secs_f64();
    let memory = shared::memory_mib(&child.id().to_string());
    child.kill().expect("it can be stopped");
    child.wait().expect("it has stopped");
    json!({
        "seats": seats,
        "one_visitor_ms": shared::spread(&alone),
        "of_500_at_once": {
            "admitted": admitted.len(), "refused": refused.len(), "neither": without, "bursts": TURNS,
            "refused_share": share(refused.len(), refused.len() + admitted.len()),
            "admitted_ms": shared::spread(&admitted), "refused_ms": shared::spread(&refused),
            "admitted_p99_to_one_visitor_p99": (ratio * 100.0).round() / 100.0,
            "responses_per_s": (f64::from(u32::try_from(VISITORS * TURNS).unwrap_or(u32::MAX)) / burst_s).round(),
        },
        "coming_back_until_answered": {
            "all_500_s": all_s.round(), "answers_per_s": (500.0 / all_s * 10.0).round() / 10.0,
            "requests": asked, "wait_s": { "p50": shared::percentile(&waits, 50), "p99": shared::percentile(&waits, 99) },
        },
        "memory_mib": memory,
    })
}

fn share(part: usize, all: usize) -> f64 {
    (part as f64 / all as f64 * 1000.0).round() / 1000.0
}

/// All connections open, then one question on each, at the same moment.
async fn burst(addr: SocketAddr, questions: &Arc<Questions>) -> Vec<Got> {
    let ready = Arc::new(Barrier::new(VISITORS));
    let visitors = (0..VISITORS).map(|_| {
        let (ready, question) = (Arc::clone(&ready), questions.next());
        tokio::spawn(async move {
            let stream = connect(addr).await;
            ready.wait().await;
            ask(stream, &question).await
        })
    });
    let visitors: Vec<_> = visitors.collect();
    let mut got = Vec::new();
    for visitor in visitors {
        got.push(visitor.await.expect("a visitor"));
    }
    got
}

/// Each comes back after the time told, until it has its answer: how many requests, and each one's wait.
async fn come_back(addr: SocketAddr, questions: &Arc<Questions>) -> (usize, Vec<f64>) {
    let visitors = (0..VISITORS).map(|n| {
        let question = questions.next();
        tokio::spawn(async move {
            let came = Instant::now();
            let mut asked = 0;
            loop {
                asked += 1;
                let got = ask(connect(addr).await, &question).await;
                if got.status == 200 {
                    return (asked, came.elapsed().as_secs_f64());
                }
                // As people are: not all at the same instant.
                let jitter = u64::try_from((n * 37 + asked * 101) % 1_000).unwrap_or_default();
                let told = Duration::from_secs(got.retry_after.unwrap_or(1));
                tokio::time::sleep(told + Duration::from_millis(jitter)).await;
            }
        })
    });
    let visitors: Vec<_> = visitors.collect();
    let (mut asked, mut waits) = (0, Vec::new());
    for visitor in visitors {
        let (times, wait) = visitor.await.expect("a visitor");
        asked += times;
        waits.push(wait);
    }
    (asked, waits)
}

/// A response.
struct Got {
    status: u16,
    retry_after: Option<u64>,
    /// From the question's first byte to the response's last.
    ms: f64,
}

async fn connect(addr: SocketAddr) -> TcpStream {
    TcpStream::connect(addr).await.expect("it listens")
}

async fn ask(mut stream: TcpStream, question: &str) -> Got {
    let body = json!({ "message": question }).to_string();
    let request = format!(
        "POST /api/v1/chat HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let asked = Instant::now();
    let mut response = Vec::new();
    let read = async {
        stream.write_all(request.as_bytes()).await?;
        stream.read_to_end(&mut response).await
    };
    let whole = read.await.is_ok();
    let ms = asked.elapsed().as_secs_f64() * 1000.0;
    let text = String::from_utf8_lossy(&response);
    let head = text.split_once("\r\n\r\n").map_or("", |(head, _)| head);
    let status = head.get(9..12).and_then(|s| s.parse().ok());
    let retry_after = head.lines().find_map(|line| {
        let line = line.to_ascii_lowercase();
        line.strip_prefix("retry-after: ")?.parse().ok()
    });
    Got {
        status: status.filter(|_| whole).unwrap_or(0),
        retry_after,
        ms,
    }
}

/// Golden questions, each made new by a number.
struct Questions {
    golden: Vec<String>,
    next: AtomicUsize,
}

impl Questions {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            golden: shared::questions(),
            next: AtomicUsize::new(0),
        })
    }

    fn next(&self) -> String {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        // A prime step: each part of a measurement sees all kinds of questions.
        let golden = &self.golden[n * 101 % self.golden.len()];
        format!("{golden} ({n})")
    }
}

fn start(data: &Path, seats: usize) -> (Child, SocketAddr) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("an address");
    drop(listener);
    let child = Command::new(env!("CARGO_BIN_EXE_assistant"))
        .arg("--data-dir")
        .arg(data)
        .args(["serve", "--addr", &addr.to_string()])
        .env("ASSISTANT_HOME", shared::home())
        .env("ASSISTANT_QUESTIONS_AT_ONCE", seats.to_string())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    (child, addr)
}

/// Until the index is there, built if it must be.
async fn ready(addr: SocketAddr) {
    let deadline = Instant::now() + Duration::from_secs(600);
    loop {
        if let Ok(mut stream) = TcpStream::connect(addr).await {
            let mut response = String::new();
            let request =
                b"GET /health/ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
            let read = async {
                stream.write_all(request).await?;
                stream.read_to_string(&mut response).await
            };
            if read.await.is_ok() && response.starts_with("HTTP/1.1 200") {
                return;
            }
        }
        assert!(Instant::now() < deadline, "it never got ready");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
