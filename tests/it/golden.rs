//! The golden conversations, all of them.

use assistant::evaluate;

use crate::harness::{app, block_on, home};

#[test]
fn golden_conversations_go_as_expected() {
    let app = app();
    let mut suites: Vec<_> = std::fs::read_dir(home().join("tests/conversations"))
        .expect("the folder can be read")
        .map(|e| e.expect("an entry").path())
        .filter(|p| p.extension().is_some_and(|x| x == "toml"))
        .collect();
    suites.sort();
    let (mut turns, mut misses) = (0, Vec::new());
    for path in suites {
        let suite = evaluate::read(&path).expect("a suite can be read");
        for row in block_on(evaluate::run(&app, &suite)).expect("every question gets an answer") {
            turns += 1;
            if !row.misses.is_empty() {
                misses.push(format!("{} : {}\n    {}", row.id, row.misses.join(" ; "), row.answer.replace('\n', "\n    ")));
            }
        }
    }
    assert!(turns >= 60, "only {turns} turns");
    assert!(misses.is_empty(), "{} of {turns} turns:\n{}", misses.len(), misses.join("\n"));
}
