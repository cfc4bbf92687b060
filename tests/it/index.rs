//! The index: rebuilt when it must be, never half-written, never lost.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use assistant::app::{App, Readiness};

use crate::harness::{assistant, block_on, config, data_with_embeddings, outcome};

fn current(data: &Path) -> String {
    fs::read_to_string(data.join("index/current")).expect("an index is published")
}

fn generations(data: &Path) -> usize {
    let entries: Vec<fs::DirEntry> = fs::read_dir(data.join("index"))
        .map(|e| e.flatten().collect())
        .unwrap_or_default();
    entries
        .iter()
        .filter(|e| e.file_name().to_string_lossy().starts_with("g-"))
        .count()
}

/// Opens a data folder, answers one question, and lets go of it.
fn answers(data: &Path) -> Duration {
    let started = Instant::now();
    let app = App::open(config(data)).expect("the folder is free");
    app.prepare(false).expect("it gets ready");
    let ready = started.elapsed();
    assert_eq!(app.readiness(), Readiness::Ready);
    let reply =
        block_on(app.converse(None, "Quel est le plafond de Booster IA ?")).expect("an answer");
    assert!(reply.answered.answer.markdown().contains("12\u{a0}500"));
    ready
}

#[test]
fn an_index_that_is_up_to_date_is_not_built_again() {
    let data = data_with_embeddings();
    answers(data.path());
    let first = current(data.path());
    answers(data.path());
    assert_eq!(current(data.path()), first);
    assert_eq!(generations(data.path()), 1);
}

#[test]
fn an_ingest_killed_at_work_leaves_the_previous_index_in_service() {
    let data = data_with_embeddings();
    answers(data.path());
    let first = current(data.path());
    for _ in 0..3 {
        let mut child = assistant()
            .args(["ingest", "--rebuild", "--data-dir"])
            .arg(data.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let deadline = Instant::now() + Duration::from_secs(60);
        while generations(data.path()) < 2 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(2));
        }
        child.kill().expect("it can be killed");
        child.wait().expect("it has ended");
        assert_eq!(
            current(data.path()),
            first,
            "the kill came too late to prove anything"
        );
        answers(data.path());
    }
    let (_, err, code) = outcome(
        &assistant()
            .args(["ingest", "--rebuild", "--data-dir"])
            .arg(data.path())
            .output()
            .expect("it runs"),
    );
    assert_eq!(code, Some(0), "{err}");
    assert_ne!(current(data.path()), first);
    assert_eq!(
        generations(data.path()),
        1,
        "what the killed ones left is gone"
    );
    answers(data.path());
}

#[test]
fn a_damaged_or_foreign_index_is_built_again() {
    let damages: [fn(&Path); 5] = [
        |dir| fs::write(dir.join("manifest.json"), "ceci n’est pas un manifeste").expect("written"),
        |dir| fs::remove_dir_all(dir.join("records")).expect("removed"),
        |dir| fs::remove_file(dir.join("manifest.json")).expect("removed"),
        |dir| {
            fs::write(dir.parent().expect("a parent").join("current"), "../../etc")
                .expect("written");
        },
        |dir| {
            let manifest = fs::read_to_string(dir.join("manifest.json")).expect("read");
            fs::write(
                dir.join("manifest.json"),
                manifest.replacen("\"corpus\": \"", "\"corpus\": \"0", 1),
            )
            .expect("written");
        },
    ];
    let data = data_with_embeddings();
    for damage in damages {
        answers(data.path());
        let name = current(data.path());
        damage(&data.path().join("index").join(name));
        answers(data.path());
    }
}

#[test]
fn an_embedding_cache_cut_short_loses_only_its_end() {
    let data = data_with_embeddings();
    let cache = fs::read_dir(data.path().join("cache"))
        .expect("the cache exists")
        .flatten()
        .map(|e| e.path())
        .find(|p| p.extension().is_some_and(|x| x == "bin"))
        .expect("a cache file");
    let len = fs::metadata(&cache).expect("metadata").len();
    let file = fs::File::options()
        .write(true)
        .open(&cache)
        .expect("the cache");
    file.set_len(len - 10 * 1_000).expect("cut");
    answers(data.path());
    assert!(
        fs::metadata(&cache).expect("metadata").len() >= len - 2_000,
        "what was lost was made again"
    );
}
