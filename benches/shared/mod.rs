//! What the measurements share: settings, questions, percentiles, a client of a few lines.

#![allow(
    dead_code,
    reason = "each measurement is a program of its own and uses some of this"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use assistant::config::{Config, Publisher};
use assistant::evaluate::{self, answers::Suite};

/// `cargo test --benches` builds the measurements and runs them with `--test`: nothing to measure then.
pub fn only_tested() -> bool {
    std::env::args().any(|a| a == "--test")
}

/// The repository.
pub fn home() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A folder that is kept between runs, for what takes long to make.
pub fn kept_folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-data")
}

/// The defaults of the program, on any port of loopback.
pub fn config(home: PathBuf, data_dir: PathBuf) -> Config {
    Config {
        today: Some(jiff::civil::date(2026, 11, 25)),
        home,
        data_dir,
        addr: SocketAddr::from(([127, 0, 0, 1], 0)),
        model: "multilingual-e5-small-fr-en".to_owned(),
        questions_at_once: assistant::config::questions_at_once(),
        connections: 1024,
        conversation_ttl: Duration::from_secs(600),
        conversations: 1_000,
        database_mib: 64,
        qdrant: None,
        publisher: Publisher::default(),
    }
}

/// The golden questions: written from people's needs, none repeated.
pub fn questions() -> Vec<String> {
    let folder =
        std::fs::read_dir(home().join("tests/conversations")).expect("the golden conversations");
    let mut paths: Vec<PathBuf> = folder.flatten().map(|e| e.path()).collect();
    paths.sort();
    let suites = paths.iter().filter_map(|p| evaluate::read(p).ok());
    suites
        .flat_map(|s: Suite| s.conversation)
        .flat_map(|c| c.turn)
        .map(|t| t.ask)
        .collect()
}

/// The value that `p` per cent of the times do not exceed, to the hundredth.
pub fn percentile(times: &[f64], p: usize) -> f64 {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    match times.len() {
        0 => f64::NAN,
        n => (times[(n - 1) * p / 100] * 100.0).round() / 100.0,
    }
}

/// Middle and tail of durations in milliseconds.
pub fn spread(times: &[f64]) -> serde_json::Value {
    serde_json::json!({ "p50": percentile(times, 50), "p99": percentile(times, 99) })
}

/// The resident memory of a process, in MiB: all of it, and what of it is not a mapped file.
pub fn memory_mib(process: &str) -> serde_json::Value {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let of = |key: &str| {
        let line = status.lines().find_map(|l| l.strip_prefix(key));
        let kib = line.and_then(|l| l.split_whitespace().next()?.parse::<f64>().ok());
        (kib.unwrap_or_default() / 1024.0).round()
    };
    serde_json::json!({ "resident": of("VmRSS:"), "of_which_not_files": of("RssAnon:") })
}

/// Asks the API, on a connection that is kept.
pub fn post(connection: &mut BufReader<TcpStream>, question: &str) -> serde_json::Value {
    let body = serde_json::json!({ "message": question }).to_string();
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

/// The load of the machine, and what the machine is: figures mean little without.
pub fn machine() -> serde_json::Value {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu
        .lines()
        .find_map(|l| l.strip_prefix("model name")?.split_once(':'));
    serde_json::json!({
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "cpu": model.map_or("", |(_, name)| name.trim()),
        "load_1min": read("/proc/loadavg").split(' ').next().unwrap_or_default(),
    })
}
