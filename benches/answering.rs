//! The whole service over HTTP: `cargo bench --bench answering`.
//!
//! A real server on a loopback port answers the golden questions, one after the other, over one
//! kept-alive connection. Reported in one JSON line: the time of a question less the encoder's own
//! (the target is p50 ≤ 5 ms, p99 ≤ 20 ms), the encoder's, start-up with an index that is up to
//! date, and the resident memory then.

#![allow(
    missing_docs,
    clippy::print_stdout,
    reason = "a measurement prints its result"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use assistant::app::App;
use assistant::config::{Config, Publisher};
use assistant::evaluate::{self, answers::Suite};
use assistant::web;

fn main() {
    // `cargo test --benches` builds this and runs it with `--test`: nothing to measure then.
    if std::env::args().any(|a| a == "--test") {
        return;
    }
    let home = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let data_dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-data");
    let config = || Config {
        home: home.clone(),
        data_dir: data_dir.clone(),
        addr: SocketAddr::from(([127, 0, 0, 1], 0)),
        model: "multilingual-e5-small-fr-en".to_owned(),
        questions_at_once: 32,
        connections: 64,
        conversation_ttl: Duration::from_secs(600),
        conversations: 1_000,
        database_mib: 64,
        qdrant: None,
        publisher: Publisher::default(),
    };
    // The first time the index is built; what is measured is a start with it there.
    let first = App::open(config()).expect("the corpus is sound and the folder free");
    let started = Instant::now();
    first.prepare(false).expect("the index can be built");
    let first_s = started.elapsed().as_secs_f64();
    drop(first);

    let started = Instant::now();
    let app = App::open(config()).expect("the folder is free again");
    app.prepare(false).expect("it gets ready");
    let ready_s = started.elapsed().as_secs_f64();

    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let listener = runtime
        .block_on(web::bind(app.config.addr))
        .expect("a free port");
    let addr = listener.local_addr().expect("an address");
    runtime.spawn(web::serve_on(listener, app, std::future::pending::<()>()));

    let (mut rest, mut embed) = (Vec::new(), Vec::new());
    let mut connection = BufReader::new(TcpStream::connect(addr).expect("the server listens"));
    for question in questions(&home) {
        let body = serde_json::json!({ "message": question }).to_string();
        let asked = Instant::now();
        let answer = post(&mut connection, &body);
        let total_ms = asked.elapsed().as_secs_f64() * 1000.0;
        let encoder_ms = answer["timings_ms"]["embed"].as_f64().expect("a duration");
        rest.push(total_ms - encoder_ms);
        embed.push(encoder_ms);
    }
    let percentile = |times: &mut Vec<f64>, p: usize| {
        times.sort_by(f64::total_cmp);
        (times[(times.len() - 1) * p / 100] * 100.0).round() / 100.0
    };
    println!(
        "{}",
        serde_json::json!({
            "questions": rest.len(),
            "all_but_encoder_ms": { "p50": percentile(&mut rest, 50), "p99": percentile(&mut rest, 99) },
            "encoder_ms": { "p50": percentile(&mut embed, 50), "p99": percentile(&mut embed, 99) },
            "prepare_s": first_s,
            "ready_s": ready_s,
            "rss_mib": rss_mib(),
        })
    );
}

/// The golden questions: written from people's needs, none repeated.
fn questions(home: &Path) -> Vec<String> {
    let folder =
        std::fs::read_dir(home.join("tests/conversations")).expect("the golden conversations");
    let mut paths: Vec<PathBuf> = folder.flatten().map(|e| e.path()).collect();
    paths.sort();
    let suites = paths.iter().filter_map(|p| evaluate::read(p).ok());
    suites
        .flat_map(|s: Suite| s.conversation)
        .flat_map(|c| c.turn)
        .map(|t| t.ask)
        .collect()
}

fn post(connection: &mut BufReader<TcpStream>, body: &str) -> serde_json::Value {
    let request = format!(
        "POST /api/v1/chat HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    connection
        .get_mut()
        .write_all(request.as_bytes())
        .expect("sent");
    let mut length = 0;
    loop {
        let mut line = String::new();
        connection.read_line(&mut line).expect("a header");
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
    }
    let mut answer = vec![0; length];
    connection.read_exact(&mut answer).expect("a body");
    serde_json::from_slice(&answer).expect("JSON")
}

fn rss_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find_map(|l| l.strip_prefix("VmRSS:"))
        .unwrap_or_default();
    let kib: f64 = line
        .split_whitespace()
        .next()
        .and_then(|n| n.parse().ok())
        .unwrap_or_default();
    (kib / 1024.0).round()
}
