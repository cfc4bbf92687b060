//! Retrieve: search every channel, sum raw scores, keep or reject.
//!
//! Raw scores scaled by constants are summed, never ranks nor scores standardised per question: a
//! sum keeps its meaning from one question to the next, and tells what is not ours. Weights and
//! floors are data (`corpus/weights.toml`).

use std::collections::HashMap;

use serde::Serialize;

use super::trace::Trace;
use super::understand::Understood;
use super::{Knowledge, Stop};
use crate::corpus::{Channels, Corpus, Kind};
use crate::index::{Collection, Hit, Index};
use crate::text::sparse::{self, Terms};

/// How many points a channel returns. More than the passages there are, so that sums are exact.
const DEPTH: usize = 1_000;
/// How many phrasings a channel returns: several may lead to one passage.
const PHRASINGS: usize = 400;
/// How many candidates the trace keeps.
const TRACED: usize = 20;

/// A passage or record with its score.
#[derive(Debug, Clone, Serialize)]
pub struct Candidate {
    /// Id of the passage or record.
    pub id: String,
    /// Sum of the weighted channels, bonuses included.
    pub score: f32,
    /// Above the floor of its kind.
    pub kept: bool,
}

/// A position in the corpus' list, and the sum of the channels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// Position.
    pub at: usize,
    /// Score.
    pub score: f32,
}

/// What was found, best first; whether it is enough is told by the margins.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// Passages.
    pub passages: Vec<Found>,
    /// Records.
    pub records: Vec<Found>,
    /// By how much the best passage is above the floor; negative when nothing answers.
    pub passage_margin: f32,
    /// By how much the best record is above the floor.
    pub record_margin: f32,
}

pub(super) fn retrieve(
    knowledge: &Knowledge,
    understood: &Understood,
    dense: &[f32],
    trace: &mut Trace,
) -> Result<Evidence, Stop> {
    let Knowledge { corpus, index, .. } = knowledge;
    let weights = &corpus.weights;

    let mut passages = passages(corpus, index, understood, dense)?;
    let mut records = records(corpus, index, understood, dense)?;
    for found in &mut passages {
        let passage = &corpus.passages[found.at];
        if understood.named.contains(&passage.owner) {
            found.score += weights.named;
        } else if understood.named.is_empty() && understood.focus.as_ref() == Some(&passage.owner) {
            found.score += weights.in_focus;
        }
        if understood.topic.as_ref() == Some(&passage.topic) && understood.named.contains(&passage.owner) {
            found.score += weights.same_topic;
        }
        if understood.asks_programme && matches!(passage.kind, Kind::Programme | Kind::Page) {
            found.score += weights.programme_cue;
        }
    }
    for found in &mut records {
        found.score += if understood.asks_data { weights.data_cue } else { 0.0 };
    }
    for list in [&mut passages, &mut records] {
        list.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.at.cmp(&b.at)));
    }

    let margin = |list: &[Found], channels: &Channels| list.first().map_or(-1.0, |f| f.score - channels.floor);
    let evidence = Evidence {
        passage_margin: margin(&passages, &weights.passages),
        record_margin: margin(&records, &weights.records),
        passages,
        records,
    };
    trace.passages = candidates(&evidence.passages, weights.passages.floor, |at| corpus.passages[at].id.to_string());
    trace.records = candidates(&evidence.records, weights.records.floor, |at| corpus.records[at].id.clone());
    Ok(evidence)
}

fn candidates(found: &[Found], floor: f32, id: impl Fn(usize) -> String) -> Vec<Candidate> {
    let candidate = |f: &Found| Candidate { id: id(f.at), score: f.score, kept: f.score >= floor };
    found.iter().take(TRACED).map(candidate).collect()
}

fn passages(corpus: &Corpus, index: &Index, understood: &Understood, dense: &[f32]) -> Result<Vec<Found>, Stop> {
    let w = &corpus.weights.passages;
    let stems = sparse::query(Terms::Stems, &understood.standalone, understood.language);
    let grams = sparse::query(Terms::Grams, &understood.standalone, understood.language);
    let mut sum = Sum::default();
    sum.add(w.dense, &index.nearest(Collection::Passages, dense, DEPTH)?);
    sum.add(w.stems / w.stems_scale, &index.matching(Collection::Passages, Terms::Stems, &stems, DEPTH)?);
    sum.add(w.grams / w.grams_scale, &index.matching(Collection::Passages, Terms::Grams, &grams, DEPTH)?);
    let best = |hits: Vec<Hit>| best_by_passage(corpus, &hits);
    sum.add_or_least(w.phrasing_dense, &best(index.nearest(Collection::Phrasings, dense, PHRASINGS)?));
    sum.add(
        w.phrasing_stems / w.stems_scale,
        &best(index.matching(Collection::Phrasings, Terms::Stems, &stems, PHRASINGS)?),
    );
    Ok(sum.found())
}

fn records(corpus: &Corpus, index: &Index, understood: &Understood, dense: &[f32]) -> Result<Vec<Found>, Stop> {
    let w = &corpus.weights.records;
    let stems = sparse::query(Terms::Stems, &understood.standalone, understood.language);
    let mut sum = Sum::default();
    sum.add(w.dense, &index.nearest(Collection::Records, dense, DEPTH)?);
    sum.add(w.stems / w.stems_scale, &index.matching(Collection::Records, Terms::Stems, &stems, DEPTH)?);
    Ok(sum.found())
}

/// A phrasing counts for the passage it leads to; the best single one counts.
fn best_by_passage(corpus: &Corpus, hits: &[Hit]) -> Vec<Hit> {
    let mut best: HashMap<usize, f32> = HashMap::new();
    for hit in hits {
        let passage = corpus.phrasings[hit.number].1;
        let score = best.entry(passage).or_insert(hit.score);
        *score = score.max(hit.score);
    }
    best.into_iter().map(|(number, score)| Hit { number, score }).collect()
}

/// Sums of weighted channels by position.
#[derive(Default)]
struct Sum(HashMap<usize, f32>);

impl Sum {
    fn add(&mut self, weight: f32, hits: &[Hit]) {
        for hit in hits {
            *self.0.entry(hit.number).or_default() += weight * hit.score;
        }
    }

    /// As `add`; positions that the channel did not return get the least score it returned, since
    /// a cosine that was not computed is not zero.
    fn add_or_least(&mut self, weight: f32, hits: &[Hit]) {
        let least = hits.iter().map(|h| h.score).fold(f32::INFINITY, f32::min);
        if !least.is_finite() {
            return;
        }
        for score in self.0.values_mut() {
            *score += weight * least;
        }
        for hit in hits {
            *self.0.entry(hit.number).or_insert(weight * least) += weight * (hit.score - least);
        }
    }

    fn found(self) -> Vec<Found> {
        self.0.into_iter().map(|(at, score)| Found { at, score }).collect()
    }
}

/// A passage or record as a search shows it.
#[derive(Debug, Clone, Serialize)]
pub struct SearchResult {
    /// Rank, from 1.
    pub rank: usize,
    /// Id of the passage or record.
    pub id: String,
    /// By how much it is above the floor of its kind (negative: under it).
    pub score: f32,
    /// Title.
    pub title: String,
    /// Where in its source.
    pub locator: String,
    /// What it says.
    pub text: String,
}

impl Evidence {
    /// Passages and records in one list, best first. Their raw scores do not compare; what they
    /// exceed the floor of their kind by does.
    #[must_use]
    pub fn results(&self, corpus: &Corpus, limit: usize) -> Vec<SearchResult> {
        let passages = self.passages.iter().take(limit).map(|f| {
            let passage = &corpus.passages[f.at];
            SearchResult {
                rank: 0,
                id: passage.id.to_string(),
                score: f.score - corpus.weights.passages.floor,
                title: format!("{} — {}", passage.owner_name.fr, passage.title),
                locator: passage.locator.clone(),
                text: passage.prose.fr.clone(),
            }
        });
        let records = self.records.iter().take(limit).map(|f| {
            let record = &corpus.records[f.at];
            SearchResult {
                rank: 0,
                id: record.id.clone(),
                score: f.score - corpus.weights.records.floor,
                title: record.title.clone(),
                locator: "catalogue, fiche d’exemple".to_owned(),
                text: record.description.clone(),
            }
        });
        let mut all: Vec<SearchResult> = passages.chain(records).collect();
        all.sort_by(|a, b| b.score.total_cmp(&a.score));
        all.truncate(limit);
        for (i, result) in all.iter_mut().enumerate() {
            result.rank = i + 1;
        }
        all
    }
}
