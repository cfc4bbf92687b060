//! Verify: the last stage, and the only one that makes an [`Answer`].
//!
//! A sentence is shown when its markers resolve and its figures — numbers, amounts, dates,
//! addresses, compared as values — stand in what it cites or in the person's own words. One that
//! fails is dropped and recorded. The rule holds for whoever wrote the draft; what the rules of a
//! programme say is vouched for by the corpus' checker, which compares their figures with the act.

use std::collections::HashMap;

use super::compose::{Draft, DraftSentence, Support};
use super::reply::{Answer, Block, Citation, DatasetShown, Sentence, Timings};
use super::trace::{Dropped, Trace};
use super::understand::Understood;
use crate::corpus::{Corpus, Passage, Record};
use crate::text::figures::{Figure, figures, unsupported};
use crate::text::language::Language;

pub(super) fn verify(
    corpus: &Corpus,
    understood: &Understood,
    draft: Draft,
    trace: &mut Trace,
) -> Answer {
    let mut markers = Markers::default();
    let said = figures(understood.said.as_str());
    let mut blocks = Vec::new();
    for block in &draft.blocks {
        let mut sentences = Vec::new();
        for sentence in &block.sentences {
            match check(corpus, sentence, &said) {
                Ok(()) => sentences.push(Sentence {
                    link: sentence.link.clone(),
                    text: sentence.text.clone(),
                    markers: sentence
                        .supports
                        .iter()
                        .map(|s| markers.number(*s))
                        .collect(),
                }),
                Err(reason) => {
                    tracing::warn!(reason = %reason, "a sentence was dropped: {reason}");
                    trace.dropped.push(Dropped {
                        sentence: sentence.text.clone(),
                        reason,
                    });
                }
            }
        }
        if !sentences.is_empty() {
            blocks.push(Block {
                list: block.list,
                sentences,
            });
        }
    }
    let all_dropped = blocks.is_empty();
    if all_dropped {
        let text = corpus
            .messages
            .say("not_in_sources", understood.language, &[]);
        blocks.push(Block {
            list: false,
            sentences: vec![Sentence {
                link: None,
                text,
                markers: Vec::new(),
            }],
        });
    }
    let abstained = draft.abstained || all_dropped;
    // A record that is shown is also cited, whether or not the text names it.
    for (at, _) in draft.records.iter().filter(|_| !abstained) {
        markers.number(Support::Record(*at));
    }
    let citations = markers
        .in_order()
        .map(|(marker, s)| citation(corpus, understood.language, marker, s))
        .collect();
    let datasets = if abstained {
        Vec::new()
    } else {
        shown(corpus, understood.language, &draft.records)
    };
    Answer {
        language: understood.language,
        intent: draft.intent,
        blocks,
        citations,
        abstained,
        clarifies: draft.clarifies,
        datasets,
        actions: draft.actions,
        topic: draft.topic,
        eligibility: None,
        known: serde_json::json!({}),
        facts: Vec::new(),
        timings: Timings::default(),
    }
}

/// The reason for which a sentence may not be shown.
fn check(corpus: &Corpus, sentence: &DraftSentence, said: &[Figure]) -> Result<(), String> {
    if sentence.vouched {
        return Ok(());
    }
    let mut evidence = said.to_vec();
    for support in &sentence.supports {
        match support {
            Support::Passage(at) => {
                let passage = corpus
                    .passages
                    .get(*at)
                    .ok_or("a marker leads to no passage")?;
                evidence.extend(passage.figures.iter().cloned());
                if let Some(source) = corpus.source(&passage.source) {
                    evidence.extend(figures(&format!("{} {}", source.title, source.title_en)));
                }
            }
            Support::Record(at) => {
                let record = corpus
                    .records
                    .get(*at)
                    .ok_or("a marker leads to no record")?;
                evidence.extend(figures(&record.evidence()));
            }
        }
    }
    match unsupported(&figures(&sentence.text), &evidence).first() {
        Some(figure) => Err(format!("{figure:?} does not stand in what is cited")),
        None => Ok(()),
    }
}

/// Supports in the order of their first use; the number of each is its place.
#[derive(Default)]
struct Markers(HashMap<Support, usize>);

impl Markers {
    fn number(&mut self, support: Support) -> usize {
        let next = self.0.len() + 1;
        *self.0.entry(support).or_insert(next)
    }

    fn in_order(self) -> impl Iterator<Item = (usize, Support)> {
        let mut all: Vec<(usize, Support)> = self.0.into_iter().map(|(s, n)| (n, s)).collect();
        all.sort_by_key(|(n, _)| *n);
        all.into_iter()
    }
}

fn citation(corpus: &Corpus, language: Language, marker: usize, support: Support) -> Citation {
    match support {
        Support::Passage(at) => cite_passage(corpus, &corpus.passages[at], language, marker),
        Support::Record(at) => cite_record(corpus, &corpus.records[at], language, marker),
    }
}

fn cite_passage(corpus: &Corpus, passage: &Passage, language: Language, marker: usize) -> Citation {
    let literal = passage
        .quotations
        .iter()
        .map(|q| q.words.as_str())
        .collect::<Vec<_>>()
        .join(" […] ");
    let title = corpus
        .source(&passage.source)
        .map(|s| s.title_in(language).to_owned())
        .unwrap_or_default();
    Citation {
        marker,
        id: passage.id.to_string(),
        title,
        locator: passage.locator_in(language).to_owned(),
        url: Some(corpus.page_of(passage)).filter(|u| !u.is_empty()),
        literal: !literal.is_empty(),
        quote: if literal.is_empty() {
            passage.prose.in_language(language).to_owned()
        } else {
            literal
        },
    }
}

fn cite_record(corpus: &Corpus, record: &Record, language: Language, marker: usize) -> Citation {
    Citation {
        marker,
        id: record.id.clone(),
        title: record.title.clone(),
        locator: corpus
            .messages
            .say("example_record", language, &[("seen_at", &record.seen_at)]),
        url: Some(format!("/jeux-de-donnees/{}", record.id)),
        quote: record.description.clone(),
        literal: false,
    }
}

fn shown(corpus: &Corpus, language: Language, records: &[(usize, String)]) -> Vec<DatasetShown> {
    let missing = corpus.messages.say("not_indicated", language, &[]);
    let or_missing = |value: &Option<String>| value.clone().unwrap_or_else(|| missing.clone());
    let shown = records.iter().map(|(at, why)| {
        let record = &corpus.records[*at];
        DatasetShown {
            id: record.id.clone(),
            title: record.title.clone(),
            url: record.address().map(str::to_owned),
            producer: or_missing(&record.producer),
            licence: or_missing(&record.licence),
            modified: or_missing(&record.modified),
            why: why.clone(),
            page: format!("/jeux-de-donnees/{}", record.id),
        }
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_numbered_in_the_order_of_use() {
        let mut markers = Markers::default();
        let used = [
            Support::Passage(7),
            Support::Record(7),
            Support::Passage(7),
            Support::Passage(1),
        ];
        assert_eq!(used.map(|s| markers.number(s)), [1, 2, 1, 3]);
        assert_eq!(
            markers.in_order().map(|(n, _)| n).collect::<Vec<_>>(),
            [1, 2, 3]
        );
    }
}
