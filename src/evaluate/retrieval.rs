//! Retrieval on held-out phrasings: questions written from the need and never indexed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::answer::Found;
use crate::app::App;

/// A file of held-out phrasings.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldOut {
    /// Questions that a passage answers.
    #[serde(default)]
    passage: Vec<AskedOfPassage>,
    /// Needs that one of these records meets.
    #[serde(default)]
    record: Vec<AskedOfRecords>,
    /// Data that the catalogue lacks.
    #[serde(default)]
    nothing: Vec<AskedInVain>,
    /// Needs that some record of a theme meets.
    #[serde(default)]
    theme: Vec<AskedOfTheme>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedOfTheme {
    name: String,
    ask: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedOfPassage {
    id: String,
    ask: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedOfRecords {
    ids: Vec<String>,
    ask: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedInVain {
    ask: Vec<String>,
}

/// One phrasing and the rank of what it should find.
#[derive(Debug, Serialize)]
pub struct Ranked {
    /// The phrasing.
    pub ask: String,
    /// The file it stands in, without extension.
    pub suite: String,
    /// The passage or record that should come first (the first of several that would do).
    pub wanted: String,
    /// The passage or record that did.
    pub found: String,
    /// Rank of what was wanted, from 1; absent when it is not found at all.
    pub rank: Option<usize>,
    /// Score of the best.
    pub score: f32,
}

/// How a set of phrasings fares.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Score {
    /// How many phrasings.
    pub asked: usize,
    /// Share found first.
    #[serde(rename = "recall@1")]
    pub recall_1: f64,
    /// Share found among the first three.
    #[serde(rename = "recall@3")]
    pub recall_3: f64,
    /// Share found among the first five.
    #[serde(rename = "recall@5")]
    pub recall_5: f64,
    /// Mean of 1/rank, over the first ten.
    #[serde(rename = "mrr@10")]
    pub mrr_10: f64,
}

/// The held-out files of a folder, by name.
///
/// # Errors
/// The folder cannot be read.
pub fn suites(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("{} ne peut pas être lu", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|e| Some(e.ok()?.path()))
        .filter(|p| p.extension().is_some_and(|x| x == "toml"))
        .collect();
    paths.sort();
    Ok(paths)
}

/// Asks each phrasing of a file, in order.
///
/// # Errors
/// A question gets no answer at all, or a passage or record does not exist.
pub async fn run(app: &App, path: &Path) -> anyhow::Result<Vec<Ranked>> {
    let held_out: HeldOut = super::read(path)?;
    let suite = path
        .file_stem()
        .map(|s| s.to_string_lossy().into_owned())
        .unwrap_or_default();
    let corpus = &app.corpus;
    let passage_id = |at: usize| corpus.passages[at].id.to_string();
    let record_id = |at: usize| corpus.records[at].id.clone();
    let mut rows = Vec::new();
    for asked in &held_out.passage {
        corpus.passage(&asked.id).with_context(|| {
            format!(
                "{} : le passage « {} » n’existe pas",
                path.display(),
                asked.id
            )
        })?;
        for ask in &asked.ask {
            let evidence = app.search(ask).await?;
            let wanted = std::slice::from_ref(&asked.id);
            rows.push(ranked(&suite, ask, wanted, &evidence.passages, passage_id));
        }
    }
    for asked in &held_out.record {
        for ask in &asked.ask {
            let evidence = app.search(ask).await?;
            rows.push(ranked(
                &suite,
                ask,
                &asked.ids,
                &evidence.records,
                record_id,
            ));
        }
    }
    for asked in &held_out.theme {
        let theme = |at: usize| {
            corpus.records[at]
                .first_theme()
                .unwrap_or_default()
                .to_owned()
        };
        for ask in &asked.ask {
            let evidence = app.search(ask).await?;
            let wanted = std::slice::from_ref(&asked.name);
            rows.push(ranked(&suite, ask, wanted, &evidence.records, theme));
        }
    }
    for ask in held_out.nothing.iter().flat_map(|n| &n.ask) {
        let evidence = app.search(ask).await?;
        rows.push(ranked(&suite, ask, &[], &evidence.records, record_id));
    }
    Ok(rows)
}

fn ranked(
    suite: &str,
    ask: &str,
    wanted: &[String],
    found: &[Found],
    id: impl Fn(usize) -> String,
) -> Ranked {
    Ranked {
        ask: ask.to_owned(),
        suite: suite.to_owned(),
        wanted: wanted.first().cloned().unwrap_or_default(),
        found: found.first().map(|f| id(f.at)).unwrap_or_default(),
        rank: found
            .iter()
            .position(|f| wanted.contains(&id(f.at)))
            .map(|p| p + 1),
        score: found.first().map_or(0.0, |f| f.score),
    }
}

/// How phrasings fare, by file, and all together under "tout".
#[must_use]
pub fn scores(rows: &[Ranked]) -> BTreeMap<String, Score> {
    let mut by_suite: BTreeMap<String, Vec<Option<usize>>> = BTreeMap::new();
    for row in rows.iter().filter(|r| !r.wanted.is_empty()) {
        for suite in [row.suite.as_str(), "tout"] {
            by_suite.entry(suite.to_owned()).or_default().push(row.rank);
        }
    }
    by_suite
        .into_iter()
        .map(|(suite, ranks)| (suite, score(&ranks)))
        .collect()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of questions, far under 2^52"
)]
fn score(ranks: &[Option<usize>]) -> Score {
    let asked = ranks.len();
    let within =
        |k: usize| ranks.iter().filter(|r| r.is_some_and(|r| r <= k)).count() as f64 / asked as f64;
    let reciprocal = |rank: &usize| {
        if *rank <= 10 { 1.0 / *rank as f64 } else { 0.0 }
    };
    Score {
        asked,
        recall_1: within(1),
        recall_3: within(3),
        recall_5: within(5),
        mrr_10: ranks.iter().flatten().map(reciprocal).sum::<f64>() / asked as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_become_shares_and_what_should_find_nothing_is_not_counted() {
        let row = |suite: &str, wanted: &str, rank| Ranked {
            ask: String::new(),
            suite: suite.to_owned(),
            wanted: wanted.to_owned(),
            found: String::new(),
            rank,
            score: 0.0,
        };
        let rows = [
            row("a", "x", Some(1)),
            row("a", "y", Some(4)),
            row("b", "z", None),
            row("b", "", None),
        ];
        let scores = scores(&rows);
        assert_eq!(scores["a"].asked, 2);
        assert!((scores["a"].recall_1 - 0.5).abs() < 1e-9);
        assert!((scores["a"].recall_5 - 1.0).abs() < 1e-9);
        assert!((scores["a"].mrr_10 - 0.625).abs() < 1e-9);
        assert_eq!(scores["tout"].asked, 3);
    }
}
