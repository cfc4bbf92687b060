//! What the stories share: one real assistant, and folders of their own for those that break things.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use assistant::app::App;
use assistant::config::{Config, Publisher};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, Response, StatusCode};
use serde_json::Value;
use tower::ServiceExt;

/// The repository.
pub fn home() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The settings of a test: the repository's corpus and model, a data folder, any port.
pub fn config(data_dir: &Path) -> Config {
    Config {
        today: Some(jiff::civil::date(2026, 11, 25)),
        home: home(),
        data_dir: data_dir.to_owned(),
        addr: SocketAddr::from(([127, 0, 0, 1], 0)),
        model: "multilingual-e5-small-fr-en".to_owned(),
        questions_at_once: 32,
        connections: 64,
        conversation_ttl: Duration::from_secs(600),
        conversations: 100,
        database_mib: 64,
        qdrant: None,
        publisher: Publisher::default(),
    }
}

/// The assistant of the run, ready to answer.
pub fn app() -> Arc<App> {
    static APP: OnceLock<Arc<App>> = OnceLock::new();
    Arc::clone(APP.get_or_init(|| {
        let app = App::open(config(&shared_data()))
            .expect("the corpus is sound and target/it-data is free");
        app.prepare(false).expect("the index can be built");
        app
    }))
}

fn shared_data() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("it-data")
}

/// A data folder of its own that has all embeddings already, and no index.
pub fn data_with_embeddings() -> tempfile::TempDir {
    app();
    let dir = tempfile::tempdir().expect("a temporary folder");
    copy(&shared_data().join("cache"), &dir.path().join("cache"));
    dir
}

/// A data folder of its own with an index that is up to date: its assistant is ready at once.
pub fn data_with_index() -> tempfile::TempDir {
    let dir = data_with_embeddings();
    copy(&shared_data().join("index"), &dir.path().join("index"));
    dir
}

/// Copies a folder and all it holds.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder can be made");
    for entry in std::fs::read_dir(from).expect("the folder can be read") {
        let entry = entry.expect("an entry can be read");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a file can be copied");
        }
    }
}

/// A home of its own: a copy of the corpus, to be broken, and the repository's models.
pub fn home_to_break() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    copy(&home().join("corpus"), &dir.path().join("corpus"));
    std::os::unix::fs::symlink(home().join("models"), dir.path().join("models"))
        .expect("a link can be made");
    dir
}

/// The program, as a person runs it, without their environment.
pub fn assistant() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assistant"));
    command.env_clear().current_dir(home()).stdin(Stdio::null());
    command
}

/// What a command printed on stdout, and on stderr, and its status.
pub fn outcome(output: &Output) -> (String, String, Option<i32>) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("output is UTF-8");
    (
        text(&output.stdout),
        text(&output.stderr),
        output.status.code(),
    )
}

/// Runs a command with this on its standard input, to its end.
pub fn fed(command: &mut Command, input: &[u8]) -> (String, String, Option<i32>) {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    child
        .stdin
        .take()
        .expect("a pipe")
        .write_all(input)
        .expect("it reads");
    outcome(&child.wait_with_output().expect("it ends"))
}

/// Runs async code of a story.
pub fn block_on<T>(story: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime can be made")
        .block_on(story)
}

/// What came back.
pub struct Got {
    pub status: StatusCode,
    pub headers: axum::http::HeaderMap,
    pub body: String,
}

impl Got {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default()
    }
}

pub async fn send(router: &Router, request: Request<Body>) -> Got {
    let response: Response<Body> = router
        .clone()
        .oneshot(request)
        .await
        .expect("the router answers");
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, 8 << 20).await.expect("the body ends");
    let body = String::from_utf8(bytes.to_vec()).expect("the body is UTF-8");
    Got {
        status: parts.status,
        headers: parts.headers,
        body,
    }
}

pub async fn get(router: &Router, path: &str) -> Got {
    send(
        router,
        Request::get(path).body(Body::empty()).expect("a request"),
    )
    .await
}

pub async fn post(
    router: &Router,
    path: &str,
    kind: &str,
    accept: &str,
    body: impl Into<Body>,
) -> Got {
    let request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header("content-type", kind)
        .header("accept", accept)
        .body(body.into())
        .expect("a request");
    send(router, request).await
}

pub async fn chat(router: &Router, body: &Value) -> Got {
    post(
        router,
        "/api/v1/chat",
        "application/json",
        "application/json",
        body.to_string(),
    )
    .await
}
