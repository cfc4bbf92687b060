//! What the stories share: one real assistant, and folders of their own for those that break things.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use assistant::app::App;
use assistant::config::Config;

/// The repository.
pub fn home() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The settings of a test: the repository's corpus and model, a data folder, any port.
pub fn config(data_dir: &Path) -> Config {
    Config {
        home: home(),
        data_dir: data_dir.to_owned(),
        addr: SocketAddr::from(([127, 0, 0, 1], 0)),
        model: "multilingual-e5-small-fr-en".to_owned(),
        questions_at_once: 32,
        connections: 64,
        conversation_ttl: Duration::from_secs(600),
        conversations: 100,
        qdrant: None,
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

/// Runs async code of a story.
pub fn block_on<T>(story: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime can be made")
        .block_on(story)
}
