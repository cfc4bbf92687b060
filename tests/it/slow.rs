//! Clients that send one byte a second, or never read, are let go in bounded time, and nobody else
//! notices them.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use assistant::app::App;
use assistant::web;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::harness::{block_on, config, data_with_index};

/// The longest of the limits (an idle connection, 15 s), and time for a slow machine.
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn slow_clients_are_let_go_and_nobody_else_waits_for_them() {
    let data = data_with_index();
    let mut settings = config(data.path());
    // One seat for each of them, and one for everybody else.
    settings.connections = 5;
    let app = App::open(settings).expect("the folder is free");
    app.prepare(false).expect("it gets ready");
    block_on(async {
        let listener = web::bind(app.config.addr).await.expect("a free port");
        let addr = listener.local_addr().expect("an address");
        let served = tokio::spawn(web::serve_on(listener, app, std::future::pending::<()>()));

        let slow = tokio::spawn(async move {
            tokio::join!(
                slow_head(addr),
                slow_body(addr),
                never_reads_pages(addr),
                never_reads_an_event_stream(addr),
            )
        });
        // The one visitor is served all the while.
        let mut visits = 0;
        while !slow.is_finished() {
            let asked = Instant::now();
            let (status, _) = get(addr, "/health/live").await;
            assert_eq!(status, "200");
            assert!(asked.elapsed() < Duration::from_secs(3), "others wait");
            visits += 1;
            sleep(Duration::from_millis(250)).await;
        }
        slow.await.expect("each slow client was let go");
        assert!(visits > 10);

        // Their seats are free again: five connections at once are taken.
        let all = futures::future::join_all((0..5).map(|_| get(addr, "/health/live"))).await;
        assert!(all.iter().all(|(status, _)| status == "200"), "{all:?}");
        served.abort();
    });
}

/// The head of a request, one byte a second.
async fn slow_head(addr: SocketAddr) {
    let mut stream = connect(addr).await;
    let started = Instant::now();
    for byte in b"GET / HTTP/1.1\r\nhost: localhost\r\nx-slow: aaaaaaaaaaaa" {
        if send_slowly(&mut stream, *byte).await.is_some() {
            break;
        }
    }
    assert!(
        started.elapsed() < PATIENCE,
        "after {:?}",
        started.elapsed()
    );
}

/// The body of a question, one byte a second.
async fn slow_body(addr: SocketAddr) {
    let mut stream = connect(addr).await;
    let head = "POST /api/v1/chat HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 60\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("sent");
    let started = Instant::now();
    let mut said = None;
    while said.is_none() && started.elapsed() < PATIENCE {
        said = send_slowly(&mut stream, b'{').await;
    }
    let said = said.expect("it is let go");
    assert!(said.starts_with("HTTP/1.1 408"), "{said}");
}

/// Asks for pages without end, and reads none.
async fn never_reads_pages(addr: SocketAddr) {
    let mut stream = connect(addr).await;
    let started = Instant::now();
    let asking = async {
        loop {
            let asked = stream.write_all(b"GET /aides HTTP/1.1\r\nhost: localhost\r\n\r\n");
            if asked.await.is_err() {
                return;
            }
        }
    };
    timeout(PATIENCE, asking).await.expect("it is let go");
    assert!(started.elapsed() < PATIENCE);
}

/// Asks a question, and does not read the events of its answer.
async fn never_reads_an_event_stream(addr: SocketAddr) {
    let mut stream = connect(addr).await;
    let body = json!({ "message": "Quel est le plafond de Booster IA ?" }).to_string();
    let request = format!(
        "POST /api/v1/chat HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\naccept: text/event-stream\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    sleep(PATIENCE - Duration::from_secs(5)).await;
    // What was sent before lies in the buffers; then there is an end.
    let mut all = Vec::new();
    let ended = timeout(Duration::from_secs(2), stream.read_to_end(&mut all)).await;
    ended.expect("it was let go").ok();
    let said = String::from_utf8_lossy(&all);
    assert!(said.contains("event: done"), "{said}");
}

/// Sends a byte, and waits a second for what is said to it: nothing as long as the connection is open.
async fn send_slowly(stream: &mut TcpStream, byte: u8) -> Option<String> {
    if stream.write_all(&[byte]).await.is_err() {
        return Some(String::new());
    }
    let mut said = vec![0; 4096];
    match timeout(Duration::from_secs(1), stream.read(&mut said)).await {
        Err(_) => None,
        Ok(Err(_)) => Some(String::new()),
        Ok(Ok(length)) => Some(String::from_utf8_lossy(&said[..length]).into_owned()),
    }
}

async fn get(addr: SocketAddr, path: &str) -> (String, String) {
    let mut stream = connect(addr).await;
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut said = String::new();
    stream.read_to_string(&mut said).await.expect("an answer");
    (said.get(9..12).unwrap_or_default().to_owned(), said)
}

async fn connect(addr: SocketAddr) -> TcpStream {
    TcpStream::connect(addr).await.expect("it listens")
}
