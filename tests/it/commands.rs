//! The command line, as a person runs it: results on stdout, one clear line when something is wrong.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use crate::harness::{assistant, copy, data_with_embeddings, fed, home, outcome};

fn with_data(data: &Path) -> Command {
    let mut command = assistant();
    command.arg("--data-dir").arg(data);
    command
}

#[test]
fn a_conversation_on_the_command_line_is_one_json_object_a_turn() {
    let data = data_with_embeddings();
    let output = with_data(data.path())
        .args([
            "ask",
            "--json",
            "Quel est le plafond de Booster IA ?",
            "et pour le Datathon ?",
        ])
        .output()
        .expect("it runs");
    let (out, err, code) = outcome(&output);
    assert_eq!(code, Some(0), "{err}");
    let turns: Vec<serde_json::Value> = out
        .lines()
        .map(|l| serde_json::from_str(l).expect("JSON"))
        .collect();
    assert_eq!(turns.len(), 2);
    assert_eq!(turns[0]["turn"], 1);
    assert_eq!(turns[0]["language"], "fr");
    assert_eq!(turns[0]["generator"], "composer");
    assert!(
        turns[0]["answer"]
            .as_str()
            .is_some_and(|a| a.contains("12\u{a0}500")),
        "{}",
        turns[0]["answer"]
    );
    let citation = &turns[0]["citations"][0];
    assert!(
        citation["locator"]
            .as_str()
            .is_some_and(|l| l.starts_with("annexe 4")),
        "{citation}"
    );
    assert_eq!(citation["literal"], true);
    assert!(
        turns[1]["citations"][0]["locator"]
            .as_str()
            .is_some_and(|l| l.starts_with("annexe 5")),
        "{}",
        turns[1]
    );
    for key in [
        "understand",
        "embed",
        "retrieve",
        "compose",
        "verify",
        "total",
    ] {
        assert!(turns[0]["timings_ms"][key].is_number(), "{key}");
    }
}

#[test]
fn each_line_of_standard_input_is_a_turn_and_a_bad_one_is_said_without_losing_the_others() {
    let data = data_with_embeddings();
    let (out, err, code) = fed(
        with_data(data.path()).args(["ask", "--json"]),
        b"Bonjour\n\xff\xfe\n  \nQu'est-ce que le DataLab ?\n",
    );
    assert_eq!(code, Some(2), "{err}");
    assert_eq!(out.lines().count(), 2, "{out}");
    assert!(
        err.contains("la ligne 2 n’est pas en UTF-8") && err.contains("la question est vide"),
        "{err}"
    );
}

#[test]
fn search_prints_the_best_first() {
    let data = data_with_embeddings();
    let output = with_data(data.path())
        .args(["search", "--json", "--limit", "3", "prix du datathon"])
        .output()
        .expect("it runs");
    let (out, err, code) = outcome(&output);
    assert_eq!(code, Some(0), "{err}");
    let found: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    let results = found["results"].as_array().expect("a list");
    assert_eq!(results.len(), 3);
    assert_eq!(results[0]["rank"], 1);
    assert!(
        results[0]["id"]
            .as_str()
            .is_some_and(|id| id.starts_with("datathon-normandie/")),
        "{found}"
    );
}

#[test]
fn bad_usage_and_bad_input_are_one_line_and_exit_2() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let long = "é".repeat(100_000);
    let cases: [(&[&str], &str); 9] = [
        (&["chante"], "la commande « chante » n’existe pas"),
        (&[], "une commande manque"),
        (&["search"], "il manque"),
        (&["search", "--limit", "0", "x"], "un nombre de 1 à 100"),
        (&["serve", "--addr", "partout"], "ne convient pas"),
        (
            &[
                "--home",
                "/nulle/part/x",
                "--config",
                "/nulle/part.toml",
                "corpus",
                "check",
            ],
            "/nulle/part.toml",
        ),
        (&["eval", "answers", "/nulle/part.toml"], "/nulle/part.toml"),
        (
            &["corpus", "check", "--source", "/nulle/part.txt"],
            "/nulle/part.txt",
        ),
        (&["ask", "--couleur", &long[..20]], "n’existe pas"),
    ];
    for (args, expected) in cases {
        let (out, err, code) =
            outcome(&with_data(data.path()).args(args).output().expect("it runs"));
        assert_eq!(code, Some(2), "{args:?}: {out}{err}");
        assert!(err.contains(expected), "{args:?}: {err}");
        assert_eq!(err.trim_end().lines().count(), 1, "{args:?}: {err}");
    }
}

#[test]
fn a_second_process_on_the_same_data_folder_is_refused_clearly() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let lock = std::fs::File::create(data.path().join("lock")).expect("a lock file");
    lock.try_lock().expect("nobody holds it");
    let (_, err, code) = outcome(
        &with_data(data.path())
            .args(["ask", "Bonjour"])
            .output()
            .expect("it runs"),
    );
    assert_eq!(code, Some(1));
    assert!(
        err.contains("déjà utilisé par un autre assistant") && err.contains("--data-dir"),
        "{err}"
    );
    assert_eq!(err.trim_end().lines().count(), 1, "{err}");
}

#[test]
fn a_port_in_use_is_said_clearly() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = taken.local_addr().expect("an address").to_string();
    let data = tempfile::tempdir().expect("a temporary folder");
    let (_, err, code) = outcome(
        &with_data(data.path())
            .args(["serve", "--addr", &addr])
            .output()
            .expect("it runs"),
    );
    assert_eq!(code, Some(1));
    assert!(err.contains(&addr) && err.contains("--addr"), "{err}");
    assert_eq!(err.trim_end().lines().count(), 1, "{err}");
}

#[test]
fn a_model_file_cut_short_is_said_clearly() {
    let broken = tempfile::tempdir().expect("a temporary folder");
    copy(&home().join("models"), &broken.path().join("models"));
    std::os::unix::fs::symlink(home().join("corpus"), broken.path().join("corpus"))
        .expect("a link");
    let weights = broken
        .path()
        .join("models/multilingual-e5-small-fr-en/weights.gguf");
    let file = std::fs::File::options()
        .write(true)
        .open(&weights)
        .expect("the weights");
    file.set_len(1_000_000).expect("cut");
    let data = tempfile::tempdir().expect("a temporary folder");
    for command in [&["ask", "Bonjour"][..], &["models", "list"]] {
        let output = with_data(data.path())
            .arg("--home")
            .arg(broken.path())
            .args(command)
            .output()
            .expect("it runs");
        let (out, err, code) = outcome(&output);
        assert_eq!(code, Some(1), "{out}{err}");
        assert!(format!("{out}{err}").contains("weights.gguf"), "{out}{err}");
        assert_eq!(err.trim_end().lines().count(), 1, "{err}");
    }
}

#[test]
fn the_model_shipped_is_whole() {
    let (out, err, code) = outcome(
        &assistant()
            .args(["models", "list"])
            .output()
            .expect("it runs"),
    );
    assert_eq!(code, Some(0), "{err}");
    assert!(
        out.contains("multilingual-e5-small-fr-en") && out.contains("384"),
        "{out}"
    );
}

#[test]
fn doctor_says_what_it_checked() {
    let data = data_with_embeddings();
    let output = with_data(data.path())
        .args(["doctor"])
        .env("ASSISTANT_ADDR", "127.0.0.1:0")
        .output()
        .expect("it runs");
    let (out, err, code) = outcome(&output);
    assert_eq!(code, Some(0), "{out}{err}");
    for part in [
        "corpus",
        "modèle",
        "dossier de données",
        "index",
        "adresse",
        "htmx",
    ] {
        assert!(out.contains(part), "{part} is not in {out}");
    }
}
