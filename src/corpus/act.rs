//! The act's text, handed in by whoever has it: cut into the sections of its outline, and into sentences.
//!
//! The text is not kept in the repository. Line ends and runs of spaces are lost: a quotation or a
//! sentence is sought among words one space apart.

use std::collections::HashMap;
use std::ops::Range;

use sha2::{Digest, Sha256};

use super::fault::Faults;
use super::hex;
use super::source::Source;
use crate::text::sentence;

/// The act's text, its sections found.
#[derive(Debug)]
pub struct ActText {
    text: String,
    sections: HashMap<String, Range<usize>>,
    /// The sentences and list items, in order; a heading in capitals, or what has no two words (a page
    /// number, a label), is none.
    sentences: Vec<Range<usize>>,
}

impl ActText {
    /// Reads the text and finds each section of the outline in it; what differs is a fault.
    pub(super) fn read(act: &Source, bytes: &[u8], faults: &mut Faults) -> Option<Self> {
        let digest = hex(&Sha256::digest(bytes));
        if act.text_sha256.as_deref() != Some(digest.as_str()) {
            faults.add(
                &act.file,
                None,
                format!("le texte donné a pour empreinte {digest}, ce n’est pas celle du plan"),
            );
        }
        let Ok(raw) = std::str::from_utf8(bytes) else {
            faults.add(&act.file, None, "le texte donné n’est pas en UTF-8");
            return None;
        };
        let text = spaced(raw);
        let sections = sections(act, &text, faults);
        let mut starts: Vec<usize> = sections.values().map(|s| s.start).collect();
        starts.sort_unstable();
        let sentences = sentences(raw, &text)
            .into_iter()
            .flat_map(|sentence| cut(sentence, &starts))
            .collect();
        Some(Self {
            text,
            sections,
            sentences,
        })
    }

    /// The whole text, words one space apart.
    pub(super) fn whole(&self) -> &str {
        &self.text
    }

    /// Where a section stands in it.
    pub(super) fn section(&self, id: &str) -> Option<Range<usize>> {
        self.sections.get(id).cloned()
    }

    /// The sentences that begin in a section.
    pub(super) fn sentences_of(&self, id: &str) -> &[Range<usize>] {
        let Some(section) = self.sections.get(id) else {
            return &[];
        };
        let from = self.sentences.partition_point(|s| s.start < section.start);
        let to = self.sentences.partition_point(|s| s.start < section.end);
        &self.sentences[from..to]
    }
}

/// Line ends and runs of spaces as one plain space.
pub(super) fn spaced(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// Each section opens with the words that the outline gives, one after the other.
fn sections(act: &Source, text: &str, faults: &mut Faults) -> HashMap<String, Range<usize>> {
    let mut spans: HashMap<String, Range<usize>> = HashMap::new();
    let mut from = 0;
    let mut open: Option<&String> = None;
    for section in &act.sections {
        let id = section.id.get_ref();
        let words = spaced(section.opens_with.as_deref().unwrap_or_default());
        let Some(found) = text[from..].find(&words) else {
            faults.add(
                &act.file,
                Some(section.line),
                format!("le début de la section « {id} » n’est pas dans le texte, à sa place"),
            );
            continue;
        };
        let start = from + found;
        if let Some(previous) = open.and_then(|id| spans.get_mut(id)) {
            previous.end = start;
        }
        spans.insert(id.clone(), start..text.len());
        open = Some(id);
        from = start + words.len();
    }
    spans
}

/// The sentences and list items of the text as laid out, as spans of the text without its layout.
fn sentences(raw: &str, text: &str) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut from = 0;
    for block in blocks(raw) {
        for sentence in sentence::split(&spaced(&block)) {
            // Blocks and sentences are cut at spaces only: the next one stands one space further.
            let to = from + sentence.len();
            debug_assert_eq!(text.get(from..to), Some(sentence));
            let heading = !sentence.contains(char::is_lowercase);
            if !heading && sentence.split(' ').filter(|w| is_word(w)).count() > 1 {
                out.push(from..to);
            }
            from = to + 1;
        }
    }
    out
}

/// A sentence in which a section opens is two.
fn cut(sentence: Range<usize>, starts: &[usize]) -> Vec<Range<usize>> {
    let from = starts.partition_point(|s| *s <= sentence.start);
    match starts.get(from).filter(|start| **start < sentence.end) {
        Some(start) => vec![sentence.start..*start - 1, *start..sentence.end],
        None => vec![sentence],
    }
}

fn is_word(token: &str) -> bool {
    token.chars().filter(|c| c.is_alphabetic()).count() > 1
}

/// Paragraphs and list items: a block ends before a blank line or a bullet, unless what follows goes on
/// in the middle of a sentence, as it does after the foot of a page.
fn blocks(raw: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut blank = false;
    for line in raw.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() {
            blank = true;
            continue;
        }
        let goes_on = trimmed.starts_with(char::is_lowercase) && !trimmed.starts_with("o ");
        if (blank && !goes_on) || opens_item(trimmed) {
            out.push(String::new());
        }
        blank = false;
        if let Some(block) = out.last_mut() {
            block.push(' ');
            block.push_str(trimmed);
        }
    }
    out
}

/// A bullet (those of the act include two signs of a private font) or the mark of a work.
fn opens_item(line: &str) -> bool {
    line.starts_with("- ") || line.starts_with("o ") || line.starts_with(['#', '\u{f0b7}', '•'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_and_list_items_are_found_whatever_the_layout() {
        let raw = "UN TITRE\n\nSous-titre du texte\n\nUne  phrase sur\ndeux lignes. Une autre :\n- un élément,\n- un second\n\n7\n\n\
                   qui va au-delà de la page.\n";
        let text = spaced(raw);
        let found: Vec<&str> = sentences(raw, &text)
            .into_iter()
            .map(|s| &text[s])
            .collect();
        assert_eq!(
            found,
            [
                "Sous-titre du texte",
                "Une phrase sur deux lignes.",
                "Une autre :",
                "- un élément,",
                "- un second",
                "7 qui va au-delà de la page."
            ]
        );
    }
}
