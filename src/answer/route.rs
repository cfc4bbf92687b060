//! Route: what kind of answer the evidence allows, before a word of it is written.
//!
//! Margins and floors are data (`corpus/weights.toml`), cues and aspects too; what stands here is
//! the order in which they are looked at.

use std::collections::HashSet;

use super::retrieve::{Evidence, Found};
use super::understand::Understood;
use crate::corpus::{Corpus, Kind, Passage};
use crate::text::language::Language;
use crate::text::sparse::Terms;

/// The kinds of answer. Positions are those of the corpus' lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    /// The fields of one record that the question names.
    Record(usize),
    /// Programmes would answer differently, and none is named: these passages, one a programme.
    AskBack(Vec<usize>),
    /// The best passages.
    Passages,
    /// The best records.
    Records,
    /// Data is asked for, and the catalogue has none.
    NoSuchData,
    /// Neither passage nor record is near enough.
    NotOurs,
}

/// The kind of answer that the evidence allows.
pub(super) fn route(corpus: &Corpus, understood: &Understood, evidence: &Evidence) -> Route {
    let router = Router {
        corpus,
        understood,
        evidence,
    };
    router.route()
}

struct Router<'a> {
    corpus: &'a Corpus,
    understood: &'a Understood,
    evidence: &'a Evidence,
}

impl<'a> Router<'a> {
    fn route(&self) -> Route {
        let Evidence {
            passage_answers,
            record_answers,
            record_lead,
            ..
        } = *self.evidence;
        if let Some(at) = self.named_record() {
            return Route::Record(at);
        }
        if self.understood.vague {
            let programmes = self.programmes_that_differ();
            if programmes.len() > 1 {
                return Route::AskBack(programmes);
            }
        }
        let best = self.best();
        let elsewhere = best.is_some_and(|p| p.kind == Kind::Elsewhere && p.topic != "emergency");
        let asks_dataset = self.understood.asks_dataset && self.understood.named.is_empty();
        let data = self.understood.asks_data && self.understood.named.is_empty();
        if data && self.understood.outside && (elsewhere || record_lead > 0.0) {
            return Route::NoSuchData;
        }
        if !passage_answers && !record_answers {
            let weights = &self.corpus.weights;
            let near = |f: &Found| f.score >= weights.records.floor - weights.data_doubt;
            return if asks_dataset || (data && self.evidence.records.first().is_some_and(near)) {
                Route::NoSuchData
            } else {
                Route::NotOurs
            };
        }
        if record_answers && (record_lead > 0.0 || !passage_answers) {
            return Route::Records;
        }
        if data && elsewhere && (asks_dataset || record_lead > -self.corpus.weights.data_doubt) {
            return Route::NoSuchData;
        }
        // A dataset asked for in so many words is not a question on a programme that nobody named.
        if asks_dataset && best.is_some_and(|p| p.kind == Kind::Programme) {
            return Route::NoSuchData;
        }
        match self.programmes_that_differ() {
            programmes if programmes.len() > 1 => Route::AskBack(programmes),
            _ => Route::Passages,
        }
    }

    fn best(&self) -> Option<&'a Passage> {
        self.evidence
            .passages
            .first()
            .map(|f| &self.corpus.passages[f.at])
    }

    /// The record whose title the question holds, when a field of a record is asked about.
    fn named_record(&self) -> Option<usize> {
        self.understood
            .attributes
            .iter()
            .find(|field| *field != "figure")?;
        if self
            .understood
            .named
            .iter()
            .any(|n| self.corpus.programme(n).is_some())
        {
            return None;
        }
        let asked: HashSet<String> = Terms::Stems
            .of(&self.understood.standalone, Language::Fr)
            .into_iter()
            .collect();
        let best = self.evidence.records.iter().take(10).map(|f| {
            let title = Terms::Stems.of(&self.corpus.records[f.at].title, Language::Fr);
            let held = title.iter().filter(|t| asked.contains(*t)).count();
            (f.at, title.len(), held)
        });
        best.filter(|(_, len, held)| *held >= 2 && held * 4 >= len * 3)
            .max_by_key(|(_, _, held)| *held)
            .map(|b| b.0)
    }

    /// Programmes that would answer differently, when none is meant: those with a passage on the
    /// aspect asked about, near enough. Whether one may apply always depends on the programme.
    fn programmes_that_differ(&self) -> Vec<usize> {
        let Understood {
            vague,
            asks_eligibility,
            ..
        } = *self.understood;
        if !self.understood.named.is_empty() || self.understood.focus.is_some() {
            return Vec::new();
        }
        let weights = &self.corpus.weights;
        let margin = if vague {
            weights.ask_back_short_margin
        } else {
            weights.ask_back_margin
        };
        let Some(best) = self.evidence.passages.first() else {
            return Vec::new();
        };
        let passage = |f: &Found| &self.corpus.passages[f.at];
        let differs = |f: &Found| {
            passage(f).kind == Kind::Programme
                && self
                    .corpus
                    .topics
                    .get(&passage(f).topic)
                    .is_some_and(|t| t.differs)
        };
        // A vague question is nearest to this or that by chance: the first programme in sight tells the aspect.
        let near = self
            .evidence
            .passages
            .iter()
            .take_while(|f| f.score >= best.score - margin);
        let lead = if vague {
            near.clone().find(|f| differs(f))
        } else {
            Some(best).filter(|f| differs(f))
        };
        let Some(lead) = lead else { return Vec::new() };
        let aspect = |f: &Found| {
            self.corpus
                .topics
                .get(&passage(f).topic)
                .and_then(|t| t.intent.as_deref())
        };
        // The prizes of a contest answer "combien ?" as the amount of a grant does.
        let akin = |f: &Found| {
            let topic = self.corpus.topics.get(&passage(f).topic);
            topic
                .and_then(|t| t.akin.as_deref())
                .unwrap_or(passage(f).topic.as_str())
        };
        let eligibility = asks_eligibility && aspect(lead) == Some("eligibility");
        let mut seen = HashSet::new();
        let on_aspect = |f: &&Found| {
            let same = akin(f) == akin(lead) || (eligibility && aspect(f) == Some("eligibility"));
            passage(f).kind == Kind::Programme && same
        };
        let all = vague || eligibility;
        let candidates = self
            .evidence
            .passages
            .iter()
            .take_while(|f| all || f.score >= best.score - margin);
        candidates
            .filter(on_aspect)
            .filter(|f| seen.insert(&passage(f).owner))
            .map(|f| f.at)
            .collect()
    }
}
