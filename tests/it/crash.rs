//! The program is killed at any instant, while it answers and while the next index is built: once there
//! is an index, it is back within two seconds, whole, and answers while the next one is built.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{assistant, data_with_embeddings, home_to_break};

/// How long the program may take to be back.
const BACK: Duration = Duration::from_secs(2);

#[test]
fn killed_again_and_again_it_comes_back_at_once_and_whole() {
    restarts(6, 1, |was| assert!(was < BACK * 4, "back after {was:?}"));
}

/// The whole number, with the figure itself: `cargo test --release --test it -- --ignored hundred --nocapture`.
#[test]
#[ignore = "takes minutes, and its two seconds need a machine with nothing else to do"]
fn a_hundred_kills() {
    restarts(100, 7, |was| assert!(was < BACK, "back after {was:?}"));
}

/// Starts and kills the program so many times, with a corpus that changes from time to time, so that
/// most of its lives are spent building the next index.
fn restarts(times: u64, seed: u64, judge: impl Fn(Duration)) {
    let home = home_to_break();
    let data = data_with_embeddings();
    let addr = free_address();
    let start = || start(home.path(), data.path(), addr);

    // The first index: until it is there, nothing is promised.
    let mut child = start();
    ready(addr, data.path(), Duration::from_secs(300));
    kill(&mut child);

    let mut random = seed;
    let (mut waits, mut answered, mut published) = (Vec::new(), 0, 0);
    let mut generation = in_service(data.path());
    for n in 0..times {
        // An index takes some lives to build: the embeddings made in one are there for the next.
        if n % 3 == 0 {
            change(home.path(), n);
        }
        let started = Instant::now();
        let mut child = start();
        ready(addr, data.path(), Duration::from_secs(60));
        waits.push(started.elapsed());

        let load = Load::start(addr);
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        thread::sleep(Duration::from_millis(200 + (random >> 33) % 2_500));
        kill(&mut child);
        answered += load.stop();

        let now = in_service(data.path());
        published += usize::from(now != generation);
        generation = now;
        let generations = data.path().join("index");
        let left = fs::read_dir(generations).expect("the indexes").count();
        assert!(
            left <= 4,
            "{left} things in the folder: what was interrupted piles up"
        );
    }
    waits.sort();
    #[expect(clippy::print_stdout, reason = "a measurement, shown with --nocapture")]
    {
        println!(
            "{}",
            json!({
                "kills": times, "answers_under_load": answered, "generations_published": published,
                "back_ms": { "p50": waits[waits.len() / 2].as_millis(), "max": waits[waits.len() - 1].as_millis() },
            })
        );
    }
    assert!(answered > 0, "the load was none");
    waits.into_iter().for_each(judge);

    // Left alone, it ends with the corpus as it is now.
    let mut child = start();
    let deadline = Instant::now() + Duration::from_secs(120);
    while ready(addr, data.path(), Duration::from_secs(60))["corpus"] != "current" {
        assert!(Instant::now() < deadline, "the next index never came");
        thread::sleep(Duration::from_millis(100));
    }
    answers(addr).expect("an answer");
    kill(&mut child);
}

/// Questions from four visitors, until it is stopped; every answer is looked at.
struct Load {
    over: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    visitors: Vec<JoinHandle<()>>,
}

impl Load {
    fn start(addr: SocketAddr) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let answered = Arc::new(AtomicUsize::new(0));
        let visitor = || {
            let (over, answered) = (Arc::clone(&over), Arc::clone(&answered));
            thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    if answers(addr).is_some() {
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        };
        let visitors = (0..4).map(|_| visitor()).collect();
        Self {
            over,
            answered,
            visitors,
        }
    }

    fn stop(self) -> usize {
        self.over.store(true, Ordering::Relaxed);
        for visitor in self.visitors {
            visitor.join().expect("every answer that came was right");
        }
        self.answered.load(Ordering::Relaxed)
    }
}

fn start(home: &Path, data: &Path, addr: SocketAddr) -> Child {
    let mut command = assistant();
    command
        .args(["serve", "--addr", &addr.to_string(), "--home"])
        .arg(home)
        .arg("--data-dir")
        .arg(data)
        .stdout(Stdio::null())
        .stderr(fs::File::create(data.join("stderr")).expect("a file"));
    command.spawn().expect("it starts")
}

fn kill(child: &mut Child) {
    // SIGKILL: nothing is written on the way out.
    child.kill().expect("it can be killed");
    child.wait().expect("it has ended");
}

/// Changes one sentence, so that another index is due.
fn change(home: &Path, n: u64) {
    let path = home.join("corpus/programmes/booster-ia.toml");
    let text = fs::read_to_string(&path).expect("a programme");
    let changed = match text.split_once("Rappel ") {
        None => text.replacen("\ntext = \"", "\ntext = \"Rappel  : ", 1),
        Some((before, after)) => {
            let (_, rest) = after.split_once(" : ").expect("what was put there before");
            format!("{before}Rappel {} : {rest}", word(n))
        }
    };
    fs::write(path, changed).expect("written");
}

/// A word for a number: a figure would have to be quoted.
fn word(n: u64) -> String {
    let letters = n
        .to_string()
        .bytes()
        .map(|d| char::from(b'a' + (d - b'0')))
        .collect::<String>();
    format!("m{letters}")
}

/// What its last life said on stderr.
fn said(data: &Path) -> String {
    fs::read_to_string(data.join("stderr")).unwrap_or_default()
}

fn in_service(data: &Path) -> String {
    fs::read_to_string(data.join("index/current")).expect("an index is in service")
}

/// What `/health/ready` says once it says yes.
fn ready(addr: SocketAddr, data: &Path, patience: Duration) -> Value {
    let deadline = Instant::now() + patience;
    loop {
        if let Some((200, body)) = request(addr, "GET /health/ready HTTP/1.1\r\n", "") {
            return serde_json::from_str(&body).expect("JSON");
        }
        assert!(Instant::now() < deadline, "it is not back: {}", said(data));
        thread::sleep(Duration::from_millis(5));
    }
}

/// Asks what every generation knows; nothing when the program is gone or has no seat.
fn answers(addr: SocketAddr) -> Option<()> {
    let body = json!({ "message": "Quel est le plafond de Booster IA ?" }).to_string();
    let head = format!(
        "POST /api/v1/chat HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: {}\r\n",
        body.len()
    );
    match request(addr, &head, &body)? {
        (200, answer) => {
            let answer: Value = serde_json::from_str(&answer).expect("JSON");
            let said = answer["answer"].as_str().unwrap_or_default();
            assert!(said.contains("12\u{a0}500"), "{said}");
            Some(())
        }
        (503, _) => None,
        (status, body) => panic!("{status}: {body}"),
    }
}

/// A whole response, or nothing.
fn request(addr: SocketAddr, head: &str, body: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(addr).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .ok()?;
    write!(
        stream,
        "{head}host: localhost\r\nconnection: close\r\n\r\n{body}"
    )
    .ok()?;
    let mut response = Vec::new();
    stream.read_to_end(&mut response).ok()?;
    let response = String::from_utf8(response).ok()?;
    let (head, body) = response.split_once("\r\n\r\n")?;
    let status = head.get(9..12)?.parse().ok()?;
    let length = head.lines().find_map(|l| {
        l.to_ascii_lowercase()
            .strip_prefix("content-length: ")?
            .parse::<usize>()
            .ok()
    });
    // Cut short by the kill.
    (length == Some(body.len())).then(|| (status, body.to_owned()))
}

/// An address that nobody listens on.
fn free_address() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address")
}
