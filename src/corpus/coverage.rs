//! How much of the act the corpus tells: each section of its outline and, given the text, each sentence.
//!
//! A section is covered by the passages that rest on it or quote it, or left out with the reason that the
//! outline gives. That says little of a long section, so the sentences are looked at one by one: quoted,
//! told in our own words (most of its words, by their stems, stand in one passage), left out, or untold.

use std::cell::LazyCell;
use std::collections::HashSet;
use std::ops::Range;

use serde::Serialize;

use super::Corpus;
use super::act::{ActText, spaced};
use super::passage::Passage;
use super::source::Source;
use crate::text::language::Language;
use crate::text::sparse::Terms;

/// A sentence is quoted when this share of its words stands in quotations.
const QUOTED: f32 = 0.8;
/// And told when this share of its stems stands in one passage.
const TOLD: f32 = 0.6;

/// The coverage of the act.
#[derive(Debug, Serialize)]
pub struct Coverage {
    /// The act's id.
    pub source: String,
    /// Its sections, in order.
    pub sections: Vec<SectionCoverage>,
    /// How many there are of each kind.
    pub totals: Totals,
}

/// What covers one section.
#[derive(Debug, Serialize)]
pub struct SectionCoverage {
    /// Its id.
    pub section: String,
    /// What a citation shows.
    pub locator: String,
    /// Covered, left out, or neither.
    pub state: State,
    /// The passages that rest on it or quote it.
    pub passages: Vec<String>,
    /// Why it, or what no passage tells of it, is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Its sentences, when the text was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sentences: Option<Sentences>,
}

/// The state of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// At least one passage rests on it or quotes it.
    Covered,
    /// None does, and the outline says why.
    LeftOut,
    /// None does, and nothing says why.
    Uncovered,
}

/// The sentences of a section, or of all.
#[derive(Debug, Default, Serialize)]
pub struct Sentences {
    /// All.
    pub total: usize,
    /// Quoted for the most part.
    pub quoted: usize,
    /// Told in our own words.
    pub told: usize,
    /// Left out, with a reason in the outline.
    pub left_out: usize,
    /// The others, as they stand in the act.
    pub untold: Vec<String>,
}

/// Totals of the report.
#[derive(Debug, Default, Serialize)]
pub struct Totals {
    /// Sections of the outline.
    pub sections: usize,
    /// Sections covered.
    pub covered: usize,
    /// Sections left out.
    pub left_out: usize,
    /// Sections neither covered nor left out.
    pub uncovered: usize,
    /// Sentences, when the text was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sentences: Option<SentenceTotals>,
}

/// How many sentences there are of each kind.
#[derive(Debug, Default, Serialize)]
pub struct SentenceTotals {
    /// All.
    pub total: usize,
    /// Quoted for the most part.
    pub quoted: usize,
    /// Told in our own words.
    pub told: usize,
    /// Left out, with a reason.
    pub left_out: usize,
    /// None of these.
    pub untold: usize,
}

impl Sentences {
    /// The share that is quoted, told or left out, in per cent, rounded down.
    #[must_use]
    pub fn percent(&self) -> usize {
        (self.total - self.untold.len()) * 100 / self.total.max(1)
    }
}

impl Coverage {
    /// Whether nothing is neither covered nor left out: no section and, given the text, no sentence.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let untold = self.totals.sentences.as_ref().map_or(0, |s| s.untold);
        self.totals.uncovered == 0 && untold == 0
    }
}

/// The coverage of the act by the corpus, sentence by sentence when its text is given.
#[must_use]
pub fn coverage(corpus: &Corpus, text: Option<&ActText>) -> Option<Coverage> {
    let act = corpus.act()?;
    let sections: Vec<SectionCoverage> = act
        .sections
        .iter()
        .map(|s| covered(corpus, act, s.id.get_ref(), &s.locator, text))
        .collect();
    let count = |state| sections.iter().filter(|s| s.state == state).count();
    let totals = Totals {
        sections: sections.len(),
        covered: count(State::Covered),
        left_out: count(State::LeftOut),
        uncovered: count(State::Uncovered),
        sentences: text.map(|_| {
            let mut all = SentenceTotals::default();
            for s in sections.iter().filter_map(|s| s.sentences.as_ref()) {
                all.total += s.total;
                all.quoted += s.quoted;
                all.told += s.told;
                all.left_out += s.left_out;
                all.untold += s.untold.len();
            }
            all
        }),
    };
    Some(Coverage {
        source: act.id.clone(),
        sections,
        totals,
    })
}

fn covered(
    corpus: &Corpus,
    act: &Source,
    id: &str,
    locator: &str,
    text: Option<&ActText>,
) -> SectionCoverage {
    let touches = |p: &&Passage| {
        p.source == act.id && (p.section == id || p.quotations.iter().any(|q| q.section == id))
    };
    let passages: Vec<&Passage> = corpus.passages.iter().filter(touches).collect();
    let mut left_out = act.left_out.iter().filter(|l| l.section.get_ref() == id);
    let reason = left_out.clone().find(|l| l.words.is_none());
    let state = match (&passages[..], reason) {
        ([_, ..], _) => State::Covered,
        ([], Some(_)) => State::LeftOut,
        ([], None) => State::Uncovered,
    };
    let sentences = text.map(|text| {
        let words: Vec<String> = left_out
            .by_ref()
            .filter_map(|l| l.words.as_deref())
            .map(spaced)
            .collect();
        read(text, id, &passages, &words, reason.is_some())
    });
    SectionCoverage {
        section: id.to_owned(),
        locator: locator.to_owned(),
        state,
        passages: passages.iter().map(|p| p.id.to_string()).collect(),
        reason: reason.map(|l| l.why.clone()),
        sentences,
    }
}

fn read(
    text: &ActText,
    section: &str,
    passages: &[&Passage],
    left_out: &[String],
    rest_left_out: bool,
) -> Sentences {
    let quoted = quoted_spans(text, section, passages);
    // Most sentences are quoted: the stems are seldom wanted.
    let told = LazyCell::new(|| -> Vec<HashSet<String>> {
        passages.iter().map(|p| stems(&p.evidence())).collect()
    });
    let mut out = Sentences::default();
    for span in text.sentences_of(section) {
        let sentence = &text.whole()[span.clone()];
        out.total += 1;
        if share_quoted(text, span, &quoted) >= QUOTED {
            out.quoted += 1;
        } else if share_told(sentence, &told) >= TOLD {
            out.told += 1;
        } else if rest_left_out || left_out.iter().any(|words| sentence.contains(words)) {
            out.left_out += 1;
        } else {
            out.untold.push(sentence.to_owned());
        }
    }
    out
}

/// Where the quotations of a section stand in the text.
fn quoted_spans(text: &ActText, section: &str, passages: &[&Passage]) -> Vec<Range<usize>> {
    let Some(within) = text.section(section) else {
        return Vec::new();
    };
    let here = &text.whole()[within.clone()];
    let mut spans: Vec<Range<usize>> = passages
        .iter()
        .flat_map(|p| &p.quotations)
        .filter(|q| q.section == section)
        .map(|q| spaced(&q.words))
        .flat_map(|words| {
            let starts: Vec<usize> = here
                .match_indices(&words)
                .map(|(at, _)| within.start + at)
                .collect();
            starts.into_iter().map(move |at| at..at + words.len())
        })
        .collect();
    spans.sort_by_key(|s| s.start);
    spans
}

/// The share of a sentence's words that stand in quotations.
#[expect(clippy::cast_precision_loss, reason = "a sentence has few words")]
fn share_quoted(text: &ActText, span: &Range<usize>, quoted: &[Range<usize>]) -> f32 {
    let (mut words, mut within, mut at) = (0, 0, span.start);
    for word in text.whole()[span.clone()].split(' ') {
        let end = at + word.trim_end_matches(|c: char| !c.is_alphanumeric()).len();
        if end > at {
            words += 1;
            within += usize::from(quoted.iter().any(|q| q.start <= at && end <= q.end));
        }
        at += word.len() + 1;
    }
    within as f32 / words.max(1) as f32
}

/// The greatest share of a sentence's stems that stand in one passage.
#[expect(clippy::cast_precision_loss, reason = "a sentence has few words")]
fn share_told(sentence: &str, passages: &[HashSet<String>]) -> f32 {
    let said = stems(sentence);
    let most = passages.iter().map(|p| said.intersection(p).count()).max();
    most.unwrap_or(0) as f32 / said.len().max(1) as f32
}

fn stems(text: &str) -> HashSet<String> {
    Terms::Stems.of(text, Language::Fr).into_iter().collect()
}
