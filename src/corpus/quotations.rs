//! Comparing quotations with the act, letter for letter.
//!
//! Line ends and runs of spaces apart, each quotation must stand in the section it is said to stand
//! in. Where it does not, the nearest words of the act are shown beside it.

use std::collections::HashMap;
use std::ops::Range;

use super::act::{ActText, spaced};
use super::fault::Faults;
use super::programme::Programme;
use super::source::Source;
use super::{Corpus, Passage, Quotation};
use crate::text::fold::fold;

/// Words of the act less like the quotation than this are not shown as what was meant.
const NEAR: f32 = 0.6;

/// Compares every quotation of the act, and what its outline leaves out, with its text.
pub(super) fn compare(corpus: &Corpus, act: &Source, text: &ActText, faults: &mut Faults) {
    for passage in corpus.passages.iter().filter(|p| p.source == act.id) {
        for quotation in &passage.quotations {
            if let Some(why) = differs(text, quotation) {
                faults.add(
                    &passage.file,
                    Some(passage.line),
                    differing(passage, quotation, &why),
                );
            }
        }
    }
    for left_out in &act.left_out {
        let (Some(words), Some(span)) = (&left_out.words, text.section(left_out.section.get_ref()))
        else {
            continue;
        };
        if !text.whole()[span].contains(&spaced(words)) {
            faults.add(
                &act.file,
                Some(left_out.line),
                format!(
                    "« {words} », laissé de côté, n’est pas dans la section « {} »",
                    left_out.section.get_ref()
                ),
            );
        }
    }
    for programme in &corpus.programmes {
        sentences_are_those_of_the_act(programme, text, faults);
    }
}

/// Each sentence listed with the rules stands in its section, in the order of the list, and the sections said to
/// be covered hold no other word.
fn sentences_are_those_of_the_act(programme: &Programme, text: &ActText, faults: &mut Faults) {
    let mut rest: HashMap<&str, Range<usize>> = HashMap::new();
    let left_out = |between: &Range<usize>| {
        let words = text.whole()[between.clone()].trim();
        words.contains(char::is_alphanumeric).then_some(words)
    };
    for sentence in &programme.sentences {
        let section = sentence.section.get_ref().as_str();
        let mut fault = |message| {
            let line = programme.lines.at(sentence.section.span().start);
            faults.add(&programme.file, Some(line), message);
        };
        // Of a section that the text lacks, the outline says so already.
        let Some(unread) = rest.get(section).cloned().or_else(|| text.section(section)) else {
            continue;
        };
        let Some(found) = text.whole()[unread.clone()].find(&sentence.words) else {
            fault(format!(
                "« {} » n’est pas, à sa place, dans la section « {section} » de l’acte",
                sentence.words
            ));
            continue;
        };
        let found = unread.start + found;
        let covered = programme
            .covered
            .iter()
            .any(|c| c.section == sentence.section);
        if covered && let Some(words) = left_out(&(unread.start..found)) {
            fault(format!(
                "la section « {section} » dit avant cette phrase : « {words} », qui n’est ni encodé ni laissé à une personne"
            ));
        }
        rest.insert(section, found + sentence.words.len()..unread.end);
    }
    for covered in &programme.covered {
        let section = covered.section.get_ref().as_str();
        if let Some(words) = rest.get(section).and_then(left_out) {
            faults.add(
                &programme.file,
                Some(programme.lines.at(covered.section.span().start)),
                format!(
                    "la section « {section} » finit par « {words} », qui n’est ni encodé ni laissé à une personne"
                ),
            );
        }
    }
}

fn differing(passage: &Passage, quotation: &Quotation, why: &str) -> String {
    format!(
        "{} : la citation « {} » n’est pas dans la section « {} » ({why})",
        passage.id, quotation.words, quotation.section
    )
}

/// What keeps a quotation from standing in its section; `None` when it does.
fn differs(text: &ActText, quotation: &Quotation) -> Option<String> {
    let span = text.section(&quotation.section)?;
    let words = spaced(&quotation.words);
    if text.whole()[span.clone()].contains(&words) {
        return None;
    }
    if text.whole().contains(&words) {
        return Some("elle est ailleurs dans l’acte".to_owned());
    }
    let near = nearest(&text.whole()[span], &words).or_else(|| nearest(text.whole(), &words));
    Some(match near {
        Some(near) if fold(near) == fold(&words) => {
            format!("à la graphie près, l’acte dit « {near} »")
        }
        Some(near) => format!("l’acte dit au plus près « {near} »"),
        None => "elle n’est pas dans l’acte".to_owned(),
    })
}

/// The run of about as many words that is the most like these, by their letters three by three.
fn nearest<'a>(text: &'a str, words: &str) -> Option<&'a str> {
    let wanted = trigrams(words);
    let spans: Vec<Range<usize>> = word_spans(text);
    let length = words.split(' ').count();
    let mut best: Option<(f32, &str)> = None;
    for length in length.saturating_sub(1).max(1)..=length + 1 {
        for run in spans.windows(length) {
            let here = &text[run[0].start..run[length - 1].end];
            let like = likeness(&wanted, here);
            if best.is_none_or(|(most, _)| like > most) {
                best = Some((like, here));
            }
        }
    }
    best.filter(|(like, _)| *like >= NEAR).map(|(_, here)| here)
}

fn word_spans(text: &str) -> Vec<Range<usize>> {
    let mut from = 0;
    text.split(' ')
        .map(|word| {
            let span = from..from + word.len();
            from = span.end + 1;
            span
        })
        .collect()
}

type Trigrams = HashMap<[char; 3], i32>;

fn trigrams(text: &str) -> Trigrams {
    let chars: Vec<char> = fold(text).chars().collect();
    let mut out = Trigrams::new();
    for w in chars.windows(3) {
        *out.entry([w[0], w[1], w[2]]).or_default() += 1;
    }
    out
}

/// Twice what two texts share over what they have: 1 for the same letters.
#[expect(clippy::cast_precision_loss, reason = "a quotation has few letters")]
fn likeness(wanted: &Trigrams, text: &str) -> f32 {
    let here = trigrams(text);
    let shared: i32 = here
        .iter()
        .map(|(k, n)| (*n).min(wanted.get(k).copied().unwrap_or(0)))
        .sum();
    let all: i32 = here.values().sum::<i32>() + wanted.values().sum::<i32>();
    2.0 * shared as f32 / all.max(1) as f32
}
