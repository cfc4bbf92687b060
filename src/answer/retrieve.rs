//! Retrieve: search every channel, sum raw scores, keep or reject.
//!
//! Raw scores scaled by constants are summed, never ranks nor scores standardised per question: a
//! sum keeps its meaning from one question to the next, and tells what is not ours. Weights and
//! floors are data (`corpus/weights.toml`).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::Serialize;

use super::trace::Trace;
use super::understand::Understood;
use super::{Knowledge, Stop};
use crate::corpus::{Corpus, Kind, Theme, Weights};
use crate::index::{By, Collection, Hit, Index, IndexError, Meaning, Search};
use crate::text::fold::words;
use crate::text::language::Language;
use crate::text::sparse::{self, Terms};

/// How many points a channel returns. More than the passages there are, so that sums are exact.
const DEPTH: usize = 1_000;
/// How many phrasings a channel returns: enough for three of each passage that could matter.
const PHRASINGS: usize = 850;
/// Raw scores that differ by less are the same.
const TIE: f32 = 1e-4;
/// How many of a passage's phrasings count.
const PHRASINGS_COUNTED: usize = 3;
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

/// A question as vectors.
#[derive(Debug, Clone)]
pub(super) struct Vectors {
    /// All of it.
    pub whole: Arc<[f32]>,
    /// What it says besides the names of programmes and pages, when it has any.
    pub bare: Option<Arc<[f32]>>,
    /// The question before and this one, when this one leans on it.
    pub with_last: Option<Arc<[f32]>>,
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
    /// The best passage is above the floor of its kind.
    pub passage_answers: bool,
    /// The best record is above the floor.
    pub record_answers: bool,
    /// By how much the best record is ahead of the best passage; negative when it is behind.
    pub record_lead: f32,
}

pub(super) fn retrieve(
    knowledge: &Knowledge,
    understood: &Understood,
    vectors: &Vectors,
    trace: &mut Trace,
) -> Result<Evidence, Stop> {
    let Knowledge { corpus, index, .. } = knowledge;
    let weights = &corpus.weights;

    let asked = Asked {
        text: &understood.standalone,
        subject: &understood.subject,
        language: understood.language,
        whole: &vectors.whole,
        bare: vectors.bare.as_ref(),
    };
    let alone = search(index, &asked)?;
    let mut passages = passages(corpus, &asked, &alone);
    let mut records = records(corpus, &asked, &alone);
    if let (Some(text), Some(whole)) = (&understood.with_last, &vectors.with_last) {
        let asked = Asked {
            text,
            subject: text,
            whole,
            bare: None,
            ..asked
        };
        let helped = search(index, &asked)?;
        passages = best_of(passages, self::passages(corpus, &asked, &helped), weights);
        records = best_of(records, self::records(corpus, &asked, &helped), weights);
        let told = |at: usize| {
            let id = corpus.passages[at].id.as_str();
            understood.told.iter().any(|t| t == id)
        };
        for found in passages.iter_mut().filter(|f| told(f.at)) {
            found.score -= weights.told;
        }
    }
    for found in &mut passages {
        let passage = &corpus.passages[found.at];
        found.score -= if passage.silent { weights.silent } else { 0.0 };
        if understood.named.contains(&passage.owner) {
            found.score += weights.named;
        } else if understood.named.is_empty() && understood.focus.as_ref() == Some(&passage.owner) {
            // "et le montant ?" says nothing of what it is about: the conversation does.
            found.score += if understood.vague {
                weights.named
            } else {
                weights.in_focus
            };
        }
        if understood.topic.as_ref() == Some(&passage.topic)
            && understood.named.contains(&passage.owner)
        {
            found.score += weights.same_topic;
        }
        // Aid asked for in another region is not ours; whether someone from there may have ours is.
        if understood.outside
            && passage.kind == Kind::Elsewhere
            && understood.named.is_empty()
            && !understood.asks_eligibility
        {
            found.score += weights.outside;
        }
        if understood
            .wanted
            .is_some_and(|wanted| passage.tells(wanted))
        {
            found.score += weights.wanted;
        }
        // Data is asked for, not how to handle it.
        if passage.kind == Kind::Guide && understood.asks_data && !understood.asks_how_to {
            found.score -= weights.data_not_guide;
        }
        if understood.asks_programme && matches!(passage.kind, Kind::Programme | Kind::Page) {
            found.score += weights.programme_cue;
        }
    }
    for found in &mut records {
        found.score += match (understood.asks_dataset, understood.asks_data) {
            (true, _) => weights.data_cue_strong,
            (_, true) => weights.data_cue,
            _ => 0.0,
        };
    }
    for list in [&mut passages, &mut records] {
        list.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.at.cmp(&b.at)));
    }

    let floor = |found: &Found| match corpus.passages[found.at].kind {
        Kind::Programme | Kind::Page => weights.passages.floor,
        Kind::Guide => weights.passages.floor_guide,
        Kind::Assistant | Kind::Elsewhere => weights.passages.floor_beside,
    };
    let uncovered = if covered(corpus, understood, &records) {
        0.0
    } else {
        weights.uncovered
    };
    let evidence = Evidence {
        passage_answers: passages.first().is_some_and(|f| f.score >= floor(f)),
        record_answers: records
            .first()
            .is_some_and(|f| f.score - uncovered >= weights.records.floor),
        record_lead: match (records.first(), passages.first()) {
            (Some(record), Some(passage)) => {
                record.score - uncovered - passage.score - weights.data_over_text
            }
            (record, _) => {
                if record.is_some() {
                    1.0
                } else {
                    -1.0
                }
            }
        },
        passages,
        records,
    };
    trace.passages = candidates(&evidence.passages, floor, |at| {
        corpus.passages[at].id.to_string()
    });
    trace.records = candidates(
        &evidence.records,
        |_| weights.records.floor,
        |at| corpus.records[at].id.clone(),
    );
    Ok(evidence)
}

/// Whether the best records speak of what the request is about: at least half of its words that
/// carry a subject stand in one of them. A request of everyday words may share none and still be
/// near in meaning; it then needs a better score.
fn covered(corpus: &Corpus, understood: &Understood, records: &[Found]) -> bool {
    if understood.language == Language::En {
        return true;
    }
    let subject: HashSet<String> = Terms::Stems
        .of(&understood.subject, Language::Fr)
        .into_iter()
        .filter(|s| !corpus.cues.generic.contains(s))
        .collect();
    if subject.is_empty() {
        return true;
    }
    records.iter().take(5).any(|found| {
        let held = corpus.records[found.at].stems();
        subject.iter().filter(|s| held.contains(*s)).count() * 2 >= subject.len()
    })
}

fn candidates(
    found: &[Found],
    floor: impl Fn(&Found) -> f32,
    id: impl Fn(usize) -> String,
) -> Vec<Candidate> {
    let candidate = |f: &Found| Candidate {
        id: id(f.at),
        score: f.score,
        kept: f.score >= floor(f),
    };
    found.iter().take(TRACED).map(candidate).collect()
}

/// What is searched for: words and vectors.
#[derive(Clone, Copy)]
struct Asked<'a> {
    text: &'a str,
    /// The text without names of programmes and pages.
    subject: &'a str,
    language: Language,
    whole: &'a Arc<[f32]>,
    /// The subject, where it differs from the text.
    bare: Option<&'a Arc<[f32]>>,
}

/// Each position at the better of two scores: found by the question alone, or with the help of the one before.
fn best_of(alone: Vec<Found>, helped: Vec<Found>, weights: &Weights) -> Vec<Found> {
    let mut best: HashMap<usize, f32> = alone.into_iter().map(|f| (f.at, f.score)).collect();
    for found in helped {
        let score = best.entry(found.at).or_insert(f32::MIN);
        *score = score.max(found.score - weights.leaning);
    }
    best.into_iter()
        .map(|(at, score)| Found { at, score })
        .collect()
}

/// What each channel returned, best first.
struct Channels {
    passages: [Vec<Hit>; 3],
    phrasings: [Vec<Hit>; 2],
    records: [Vec<Hit>; 2],
}

/// Asks every channel at once: a server is then asked once.
fn search(index: &Index, asked: &Asked) -> Result<Channels, IndexError> {
    let terms = |terms: Terms, text: &str| {
        let query = sparse::query(terms, text, asked.language);
        By::Terms(terms, query)
    };
    let stems = terms(Terms::Stems, asked.text);
    let grams = terms(Terms::Grams, asked.text);
    let subject = terms(Terms::Stems, asked.subject);
    let whole = By::Meaning(Meaning::Whole, Arc::clone(asked.whole));
    // A name makes all questions on one programme alike: what a question says besides is then compared
    // with what phrasings say besides. Which programme is meant is told by `named`.
    let phrasing = match asked.bare {
        Some(bare) => By::Meaning(Meaning::Bare, Arc::clone(bare)),
        None => whole.clone(),
    };
    let of = |collection, by, limit| Search {
        collection,
        by,
        limit,
    };
    let [
        dense,
        stems,
        grams,
        phrasing_dense,
        phrasing_stems,
        record_dense,
        record_stems,
    ] = index.search([
        of(Collection::Passages, whole.clone(), DEPTH),
        of(Collection::Passages, stems.clone(), DEPTH),
        of(Collection::Passages, grams, DEPTH),
        of(Collection::Phrasings, phrasing, PHRASINGS),
        of(Collection::Phrasings, subject, PHRASINGS),
        of(Collection::Records, whole, DEPTH),
        of(Collection::Records, stems, DEPTH),
    ])?;
    Ok(Channels {
        passages: [dense, stems, grams],
        phrasings: [phrasing_dense, phrasing_stems],
        records: [record_dense, record_stems],
    })
}

fn passages(corpus: &Corpus, asked: &Asked, channels: &Channels) -> Vec<Found> {
    let w = &corpus.weights.passages;
    let [dense, stems, grams] = &channels.passages;
    let [phrasing_dense, phrasing_stems] = &channels.phrasings;
    let mut sum = Sum::default();
    sum.add(w.dense, dense);
    sum.add(w.stems / w.stems_scale, stems);
    sum.add(w.grams / w.grams_scale, grams);
    sum.add(w.phrasing_dense, &by_passage(corpus, phrasing_dense));
    if asked.bare.is_some() {
        sum.add(w.phrasing_topic, &by_topic(corpus, phrasing_dense));
    }
    sum.add(
        w.phrasing_stems / w.stems_scale,
        &by_passage(corpus, phrasing_stems),
    );
    sum.found()
}

fn records(corpus: &Corpus, asked: &Asked, channels: &Channels) -> Vec<Found> {
    let w = &corpus.weights.records;
    let [dense, stems] = &channels.records;
    let [need_dense, need_stems] = &channels.phrasings;
    let mut sum = Sum::default();
    sum.add(w.dense, dense);
    sum.add(w.stems / w.stems_scale, stems);
    // The theme tells which records are meant, and nothing on whether data is meant: the best score stays as it was.
    let best = sum.best();
    sum.add(w.theme_dense, &by_theme(corpus, need_dense));
    sum.add(w.theme_stems / w.stems_scale, &by_theme(corpus, need_stems));
    let said = words(asked.text);
    let named = |theme: &Theme| theme.words.iter().any(|w| w.stands_in(&said));
    let named: Vec<bool> = corpus.themes.all().iter().map(named).collect();
    let of_named = (0..corpus.records.len()).filter_map(|number| {
        let named = corpus.themes_of(number).iter().any(|theme| named[*theme]);
        named.then_some(Hit { number, score: 1.0 })
    });
    sum.add(w.theme_word, &of_named.collect::<Vec<_>>());
    let gained = sum.best() - best;
    let mut found = sum.found();
    for record in &mut found {
        record.score -= gained;
    }
    found
}

/// What the needs of a record's theme score together, less the mean of all themes.
#[expect(clippy::cast_precision_loss, reason = "some dozens of themes")]
fn by_theme(corpus: &Corpus, hits: &[Hit]) -> Vec<Hit> {
    let themes: Vec<usize> = corpus.themes.needs().map(|(theme, _)| theme).collect();
    let first = corpus.phrasings.len();
    // Needs come after the phrasings that passages answer.
    let scores = best_by(hits, |number| {
        themes.get(number.checked_sub(first)?).copied()
    });
    let count = corpus.themes.all().len().max(1) as f32;
    let least = hits.last().map_or(0.0, |h| h.score);
    let mean = scores.values().map(|s| s - least).sum::<f32>() / count;
    let scored = (0..corpus.records.len()).filter_map(|number| {
        let of = |theme: &usize| scores.get(theme).map_or(0.0, |s| s - least);
        let best = corpus
            .themes_of(number)
            .iter()
            .map(of)
            .max_by(f32::total_cmp)?;
        let score = best - mean;
        Some(Hit { number, score })
    });
    scored.collect()
}

/// What a passage's phrasings score together: the mean of its [`PHRASINGS_COUNTED`] best, one that
/// was not returned counting as the least that was. The single best is too often a coincidence of words.
fn by_passage(corpus: &Corpus, hits: &[Hit]) -> Vec<Hit> {
    best_by(hits, |phrasing| {
        Some(corpus.phrasings.get(phrasing)?.passage)
    })
    .into_iter()
    .map(|(number, score)| Hit { number, score })
    .collect()
}

/// What the phrasings of a passage's aspect score together, whatever programme they are about: how one asks
/// for the contact of one programme is how one asks for the contact of another.
fn by_topic(corpus: &Corpus, hits: &[Hit]) -> Vec<Hit> {
    let topic = |at: usize| corpus.passages[at].topic.as_str();
    let scores = best_by(hits, |phrasing| {
        Some(topic(corpus.phrasings.get(phrasing)?.passage))
    });
    let least = hits.last().map_or(0.0, |h| h.score);
    (0..corpus.passages.len())
        .map(|number| Hit {
            number,
            score: scores.get(topic(number)).copied().unwrap_or(least),
        })
        .collect()
}

/// The mean of the best hits of each key; what has no key is of another kind.
fn best_by<K: Eq + std::hash::Hash>(
    hits: &[Hit],
    key: impl Fn(usize) -> Option<K>,
) -> HashMap<K, f32> {
    let least = hits.last().map_or(0.0, |h| h.score);
    // Where there were more than asked for, chance tells which of those that score as the last came.
    let chance = if hits.len() < PHRASINGS {
        f32::NEG_INFINITY
    } else {
        least + TIE
    };
    let mut scores: HashMap<K, (usize, f32)> = HashMap::new();
    for hit in hits.iter().filter(|h| h.score > chance) {
        let Some(key) = key(hit.number) else { continue };
        let (count, sum) = scores.entry(key).or_default();
        if *count < PHRASINGS_COUNTED {
            *count += 1;
            *sum += hit.score;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "three at most")]
    let mean = |(count, sum): (usize, f32)| {
        (sum + least * (PHRASINGS_COUNTED - count) as f32) / PHRASINGS_COUNTED as f32
    };
    scores
        .into_iter()
        .map(|(k, best)| (k, mean(best)))
        .collect()
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

    fn best(&self) -> f32 {
        self.0.values().copied().fold(f32::MIN, f32::max)
    }

    fn found(self) -> Vec<Found> {
        self.0
            .into_iter()
            .map(|(at, score)| Found { at, score })
            .collect()
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
