//! Listening: connections are taken, limited, and let go in order.
//!
//! axum's own server sets no limit at all on a connection; this loop sets those of [`Line`], a
//! number of connections, and an end. Beyond that number the next one is answered 503 at once.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use super::headers::SECURITY;
use super::line::{IDLE_TIME, Line, Phase};
use super::routes;
use crate::app::App;

/// When it stops, how long requests in progress may still take.
const LAST_REQUESTS: Duration = Duration::from_secs(10);
/// When it stops, after how long open streams get their last event.
const LAST_EVENTS: Duration = Duration::from_secs(8);
/// Connections that are being told there is no seat.
const TURNED_AWAY_AT_ONCE: usize = 64;
/// The longest head of a request, in bytes.
const MAX_HEAD: usize = 32 * 1024;

/// Takes the address.
///
/// # Errors
/// One line in French that says what to do.
pub async fn bind(addr: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(addr).await.map_err(|e| match e.kind() {
        io::ErrorKind::AddrInUse => anyhow!(
            "l’adresse {addr} est déjà prise par un autre programme ; arrêtez-le, ou donnez une autre adresse avec --addr"
        ),
        io::ErrorKind::PermissionDenied => anyhow!(
            "l’adresse {addr} n’est pas permise à ce compte ; donnez un port au-dessus de 1023 avec --addr"
        ),
        io::ErrorKind::AddrNotAvailable => {
            anyhow!("l’adresse {addr} n’est pas une adresse de cette machine ; donnez-en une autre avec --addr")
        }
        _ => anyhow!("l’adresse {addr} ne peut pas être prise ({e}) ; donnez-en une autre avec --addr"),
    })
}

/// Listens on the configured address and serves until `shutdown` resolves.
///
/// # Errors
/// As [`bind`] and [`serve_on`].
pub async fn serve(app: Arc<App>, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
    let listener = bind(app.config.addr).await?;
    serve_on(listener, app, shutdown).await
}

/// Serves on a listener until `shutdown` resolves, then lets requests in progress finish.
///
/// # Errors
/// When the listener has no address.
pub async fn serve_on(
    listener: TcpListener,
    app: Arc<App>,
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let addr = listener
        .local_addr()
        .context("l’adresse d’écoute est inconnue")?;
    let seats = Arc::new(Semaphore::new(app.config.connections));
    let turned_away = Arc::new(Semaphore::new(TURNED_AWAY_AT_ONCE));
    let closing = CancellationToken::new();
    let last_call = CancellationToken::new();
    let router = routes(app, last_call.clone());
    let connections = TaskTracker::new();
    tracing::info!(%addr, "listening on {addr}");

    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let stream = tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(e) => {
                    rest_after(&e).await;
                    continue;
                }
            },
        };
        if let Ok(seat) = Arc::clone(&seats).try_acquire_owned() {
            connections.spawn(converse(stream, seat, router.clone(), closing.clone()));
        } else if let Ok(seat) = Arc::clone(&turned_away).try_acquire_owned() {
            connections.spawn(turn_away(stream, seat));
        }
    }

    drop(listener);
    closing.cancel();
    connections.close();
    let finished = async {
        tokio::select! {
            () = connections.wait() => return,
            () = tokio::time::sleep(LAST_EVENTS) => last_call.cancel(),
        }
        connections.wait().await;
    };
    if tokio::time::timeout(LAST_REQUESTS, finished).await.is_err() {
        let left = connections.len();
        tracing::warn!(
            connections = left,
            "stopped with {left} connections still open"
        );
    }
    Ok(())
}

/// One connection, from its first byte to its last.
async fn converse(
    stream: TcpStream,
    _seat: OwnedSemaphorePermit,
    router: Router,
    closing: CancellationToken,
) {
    let _ = stream.set_nodelay(true);
    let phase = Phase::opened();
    let line = Line::new(stream, phase.clone());
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        phase.answering();
        let answering = Answering(phase.clone());
        let router = router.clone();
        async move {
            let Ok(response) = router.oneshot(request.map(Body::new)).await;
            Ok::<_, std::convert::Infallible>(watched(response, answering))
        }
    });
    // hyper's one timer also runs while a connection is idle: it has the longer limit, `Line` the others.
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_TIME)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(line), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closing.cancelled() => {
            connection.as_mut().graceful_shutdown();
            match tokio::time::timeout(LAST_REQUESTS, connection).await {
                Ok(ended) => ended,
                Err(_) => return,
            }
        }
    };
    if let Err(e) = ended {
        tracing::debug!(error = %e, "a connection ended early: {e}");
    }
}

/// As long as it lives, the request is being answered.
struct Answering(Phase);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.answered();
    }
}

/// A response whose end is noticed.
fn watched(response: Response<Body>, answering: Answering) -> Response<Body> {
    response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _alive = &answering;
            frame
        }))
    })
}

/// Says that there is no seat, in the time of a breath.
async fn turn_away(mut stream: TcpStream, _seat: OwnedSemaphorePermit) {
    const BODY: &str = "<!doctype html>\n<html lang=\"fr\"><head><meta charset=\"utf-8\"><title>Trop de visiteurs à la fois</title>\
        <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\"></head>\
        <body><main><h1>Trop de visiteurs à la fois</h1><p>Le service n’a plus de place pour le moment. Attendez quelques secondes, \
        puis rechargez cette page&nbsp;; ce que vous aviez envoyé n’a pas été lu.</p><p><a href=\"/\">Revenir à l’accueil</a></p></main>\
        </body></html>\n";
    let headers: String = SECURITY
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let response = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\n\
         retry-after: 2\r\ncache-control: no-store\r\nconnection: close\r\n{headers}\r\n{BODY}",
        BODY.len()
    );
    let said = async {
        stream.write_all(response.as_bytes()).await?;
        stream.shutdown().await?;
        // Closing with unread bytes would reset the connection before the answer is read.
        let mut rest = [0; 4096];
        while stream.read(&mut rest).await? > 0 {}
        io::Result::Ok(())
    };
    let _ = tokio::time::timeout(Duration::from_secs(1), said).await;
}

/// After an error of `accept`: most concern one connection; when descriptors are missing, wait for some.
async fn rest_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    ) {
        tracing::error!(error = %error, "connections cannot be taken: {error}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
