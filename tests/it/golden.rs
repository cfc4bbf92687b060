//! The golden conversations, all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use assistant::evaluate::{self, answers};

use crate::harness::{app, block_on, home};

/// A reason, and the turns that do not go as expected for it.
#[derive(serde::Deserialize)]
struct Known {
    reason: String,
    turns: Vec<String>,
}

pub fn suites(folder: &Path) -> Vec<PathBuf> {
    let mut suites: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder can be read")
        .map(|e| e.expect("an entry").path())
        .filter(|p| {
            p.extension().is_some_and(|x| x == "toml") && !p.ends_with("known_failures.toml")
        })
        .collect();
    suites.sort();
    suites
}

#[test]
fn golden_conversations_go_as_expected() {
    let folder = home().join("tests/conversations");
    let known = std::fs::read_to_string(folder.join("known_failures.toml"))
        .expect("the list of known failures");
    let known: BTreeMap<String, Known> =
        toml::from_str(&known).expect("the list of known failures is well formed");
    assert!(known.values().all(|k| !k.reason.is_empty()));
    let known: BTreeSet<String> = known.into_values().flat_map(|k| k.turns).collect();

    let app = app();
    let (mut turns, mut missed, mut report) = (0, BTreeSet::new(), Vec::new());
    for path in suites(&folder) {
        let suite: answers::Suite = evaluate::read(&path).expect("a suite can be read");
        for row in block_on(answers::run(&app, &suite)).expect("every question gets an answer") {
            turns += 1;
            if !row.misses.is_empty() {
                if !known.contains(&row.id) {
                    let answer = row.answer.replace('\n', "\n    ");
                    report.push(format!(
                        "{} : {}\n    {answer}",
                        row.id,
                        row.misses.join(" ; ")
                    ));
                }
                missed.insert(row.id);
            }
        }
    }
    assert!(
        turns - missed.len() >= 600,
        "only {} of {turns} turns go well",
        turns - missed.len()
    );
    assert!(
        report.is_empty(),
        "{} turns:\n{}",
        report.len(),
        report.join("\n")
    );
    let mended: Vec<_> = known.difference(&missed).collect();
    assert!(
        mended.is_empty(),
        "these go well now and must leave known_failures.toml: {mended:?}"
    );
}
