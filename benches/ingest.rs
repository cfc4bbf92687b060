//! The ingest of the whole corpus: `cargo bench --bench ingest`.
//!
//! The program itself, run as a person runs it, on a copy of the corpus: from nothing, with nothing
//! changed, then after one sentence has changed. The targets are 4 minutes and 5 s. The time of the
//! processor is told too: on a machine that does other things, it says more than the clock.

#![allow(
    missing_docs,
    clippy::print_stdout,
    reason = "a measurement prints its result"
)]

mod shared;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::{Value, json};

fn main() {
    if shared::only_tested() {
        return;
    }
    println!("{}", shared::machine());
    let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let data = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    copy(&shared::home().join("corpus"), &home.path().join("corpus"));
    std::os::unix::fs::symlink(shared::home().join("models"), home.path().join("models"))
        .expect("a link");

    // `changed` alone: with the embeddings of an earlier run, for a quick look.
    if std::env::args().any(|a| a == "changed") {
        copy(
            &shared::kept_folder().join("cache"),
            &data.path().join("cache"),
        );
    }
    println!(
        "{}",
        json!({ "from_nothing": ingest(home.path(), data.path()) })
    );
    println!(
        "{}",
        json!({ "nothing_changed": ingest(home.path(), data.path()) })
    );
    for (n, word) in ["simple", "utile", "important"].into_iter().enumerate() {
        change_one_sentence(home.path(), word);
        println!(
            "{}",
            json!({ "one_sentence_changed": ingest(home.path(), data.path()), "time": n + 1 })
        );
    }
}

fn ingest(home: &Path, data: &Path) -> Value {
    let before = processor_s();
    let started = Instant::now();
    let status = Command::new(env!("CARGO_BIN_EXE_assistant"))
        .arg("--home")
        .arg(home)
        .arg("--data-dir")
        .arg(data)
        .arg("ingest")
        .stdout(Stdio::null())
        .status()
        .expect("it runs");
    assert!(status.success());
    json!({
        "s": (started.elapsed().as_secs_f64() * 100.0).round() / 100.0,
        "processor_s": ((processor_s() - before) * 100.0).round() / 100.0,
    })
}

/// What ended children have taken of the processors.
fn processor_s() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    // Fields 16 and 17, `cutime` and `cstime`, in hundredths of a second on Linux.
    let ticks = fields.split_whitespace().skip(13).take(2);
    ticks.filter_map(|t| t.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Puts a word before the first sentence of a programme, or replaces the one put there.
fn change_one_sentence(home: &Path, word: &str) {
    let path = home.join("corpus/programmes/booster-ia.toml");
    let text = fs::read_to_string(&path).expect("a programme");
    let at = text.find("\ntext = \"").expect("a sentence") + "\ntext = \"".len();
    let (before, after) = text.split_at(at);
    fs::write(path, format!("{before}Rappel {word} : {after}")).expect("written");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
}
