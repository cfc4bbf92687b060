//! The path of a question, by stage: `cargo bench --bench answering`.
//!
//! A real server on a loopback port answers the golden questions, one after the other, over one
//! kept-alive connection; each conversation of one turn. `http` is what the client waits besides the
//! stages: the request read, the answer written, threads woken. Reported in one JSON line: each stage,
//! all but the encoder (the target is p50 ≤ 5 ms, p99 ≤ 20 ms), all with the encoder, the same
//! questions asked again (no encoder then), start-up with an index that is up to date, and memory.

#![allow(
    missing_docs,
    clippy::print_stdout,
    reason = "a measurement prints its result"
)]

mod shared;

use std::collections::BTreeMap;
use std::io::BufReader;
use std::net::TcpStream;
use std::time::Instant;

use assistant::app::App;
use assistant::web;
use serde_json::json;

const STAGES: [&str; 5] = ["understand", "embed", "retrieve", "compose", "verify"];

fn main() {
    if shared::only_tested() {
        return;
    }
    println!("{}", shared::machine());
    let config = || shared::config(shared::home(), shared::kept_folder());
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
    let idle = shared::memory_mib("self");

    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let listener = runtime
        .block_on(web::bind(app.config.addr))
        .expect("a free port");
    let addr = listener.local_addr().expect("an address");
    runtime.spawn(web::serve_on(listener, app, std::future::pending::<()>()));

    let mut connection = BufReader::new(TcpStream::connect(addr).expect("the server listens"));
    let mut times: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let questions = shared::questions();
    for question in &questions {
        let asked = Instant::now();
        let answer = shared::post(&mut connection, question);
        let total = asked.elapsed().as_secs_f64() * 1000.0;
        let stages = STAGES.map(|s| answer["timings_ms"][s].as_f64().expect("a duration"));
        for (stage, ms) in STAGES.into_iter().zip(stages) {
            times.entry(stage).or_default().push(ms);
        }
        let http = total - stages.iter().sum::<f64>();
        times.entry("http").or_default().push(http);
        times.entry("all").or_default().push(total);
        times
            .entry("all_but_encoder")
            .or_default()
            .push(total - stages[1]);
    }
    // The encoder remembers the last thousand questions.
    for question in &questions {
        let asked = Instant::now();
        shared::post(&mut connection, question);
        let total = asked.elapsed().as_secs_f64() * 1000.0;
        times.entry("all_asked_again").or_default().push(total);
    }
    let times: BTreeMap<&str, _> = times.iter().map(|(k, v)| (*k, shared::spread(v))).collect();
    println!(
        "{}",
        json!({
            "questions": questions.len(),
            "ms": times,
            "prepare_s": first_s,
            "ready_s": ready_s,
            "memory_mib": { "ready": idle, "after": shared::memory_mib("self") },
        })
    );
}
