//! Folding: the form in which two spellings of the same words are equal.
//!
//! Accents, case, ligatures, kinds of apostrophe and of space are lost on purpose; nothing folded
//! is ever shown to anyone.

use serde::Deserialize;
use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// Lower case, without accents or ligatures, apostrophes and all spaces as one plain space.
///
/// `"L’Œuvre  d'Évreux"` becomes `"l oeuvre d evreux"`.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        // Nearly all characters are ASCII, and decomposing is what costs.
        if c.is_ascii() {
            push_folded(c, &mut out);
        } else {
            decompose_compatible(c, |part| push_folded(part, &mut out));
        }
    }
    if out.ends_with(' ') {
        out.pop();
    }
    out
}

/// A folded text that knows where each of its bytes comes from.
#[derive(Debug)]
pub struct Folded {
    /// The folded text.
    pub text: String,
    /// For each byte of it, the byte of the original at which its character begins.
    from: Vec<usize>,
    /// Bytes of the original.
    length: usize,
}

impl Folded {
    /// Folds a text as [`fold`] does.
    #[must_use]
    pub fn of(original: &str) -> Self {
        let mut text = String::with_capacity(original.len());
        let mut from = Vec::with_capacity(original.len());
        for (at, c) in original.char_indices() {
            decompose_compatible(c, |part| push_folded(part, &mut text));
            from.resize(text.len(), at);
        }
        if text.ends_with(' ') {
            text.pop();
            from.pop();
        }
        Self {
            text,
            from,
            length: original.len(),
        }
    }

    /// The bytes of the original that a range of the folded text comes from: whole characters.
    #[must_use]
    pub fn original(&self, range: std::ops::Range<usize>) -> std::ops::Range<usize> {
        let end = |at: usize| self.from.get(at).copied().unwrap_or(self.length);
        let start = end(range.start);
        // The next character that folds to something else ends the range.
        let mut after = range.end;
        while after < self.from.len()
            && range.end > 0
            && self.from[after] == self.from[range.end - 1]
        {
            after += 1;
        }
        start..end(after).max(start)
    }
}

/// Adds a decomposed character; marks are dropped, so their order does not matter.
fn push_folded(c: char, out: &mut String) {
    match c {
        'a'..='z' | '0'..='9' => out.push(c),
        'A'..='Z' => out.push(c.to_ascii_lowercase()),
        '\'' | '’' | '‘' | 'ʼ' | '`' | '´' => push_space(out),
        'œ' | 'Œ' => out.push_str("oe"),
        'æ' | 'Æ' => out.push_str("ae"),
        'ß' => out.push_str("ss"),
        '‐' | '‑' | '–' | '—' | '−' => out.push('-'),
        _ if c.is_whitespace() => push_space(out),
        _ if c.is_ascii() => out.push(c),
        _ if is_combining_mark(c) => {}
        _ => out.extend(c.to_lowercase()),
    }
}

fn push_space(out: &mut String) {
    if !out.is_empty() && !out.ends_with(' ') {
        out.push(' ');
    }
}

/// The words of a text, folded: runs of letters and digits, in order.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    fold(text)
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .map(str::to_owned)
        .collect()
}

/// One or more whole words in a row, in any spelling.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(from = "String")]
pub struct Phrase(Vec<String>);

impl From<String> for Phrase {
    fn from(text: String) -> Self {
        Self(words(&text))
    }
}

impl Phrase {
    /// Its words, folded.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.0
    }

    /// Whether it stands in `words` (folded).
    #[must_use]
    pub fn stands_in(&self, words: &[String]) -> bool {
        !self.0.is_empty() && words.windows(self.0.len()).any(|w| w == self.0)
    }
}

/// A text without the phrases given, nor the small words that lead to them ("avec le", "for the");
/// spelling and accents of the rest are kept.
#[must_use]
pub fn without(text: &str, phrases: &[Phrase]) -> String {
    const LEADING: [&str; 20] = [
        "avec", "pour", "de", "du", "des", "d", "au", "aux", "a", "le", "la", "les", "l", "un",
        "une", "the", "for", "of", "from", "with",
    ];
    let spans = spans(text);
    let mut kept = vec![true; spans.len()];
    for phrase in phrases.iter().map(Phrase::words).filter(|p| !p.is_empty()) {
        for start in 0..spans.len().saturating_sub(phrase.len() - 1) {
            let here = &spans[start..start + phrase.len()];
            if here
                .iter()
                .zip(phrase)
                .all(|((word, _), wanted)| word == wanted)
            {
                kept[start..start + phrase.len()].fill(false);
                let leading = spans[..start]
                    .iter()
                    .rev()
                    .take_while(|(w, _)| LEADING.contains(&w.as_str()))
                    .count();
                kept[start - leading..start].fill(false);
            }
        }
    }
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for ((_, span), kept) in spans.iter().zip(kept) {
        if !kept {
            out.push_str(&text[from..span.start]);
            from = span.end;
        }
    }
    out.push_str(&text[from..]);
    out.split_whitespace()
        .filter(|w| w.chars().any(char::is_alphanumeric) || w.len() == 1)
        .collect::<Vec<_>>()
        .join(" ")
}

/// The words of a text, folded, with the bytes each takes.
fn spans(text: &str) -> Vec<(String, std::ops::Range<usize>)> {
    let mut out = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (c.is_alphanumeric() || is_combining_mark(c), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                out.extend(words(&text[from..at]).into_iter().map(|w| (w, from..at)));
                start = None;
            }
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_the_same_words_are_equal() {
        assert_eq!(fold("L’Œuvre  d'Évreux "), "l oeuvre d evreux");
        assert_eq!(fold("12\u{202f}500\u{a0}€"), "12 500 €");
        assert_eq!(
            words("Où est l'IA, déjà ?"),
            ["ou", "est", "l", "ia", "deja"]
        );
    }

    #[test]
    fn a_folded_text_knows_the_words_it_comes_from() {
        let said = "  L’Œuvre d’Évreux, 12\u{202f}500 €";
        let folded = Folded::of(said);
        assert_eq!(folded.text, fold(said));
        let original = |part: &str| {
            let at = folded.text.find(part).expect("it is there");
            &said[folded.original(at..at + part.len())]
        };
        assert_eq!(original("oeuvre"), "Œuvre");
        assert_eq!(original("evreux"), "Évreux");
        assert_eq!(original("12 500 €"), "12\u{202f}500 €");
    }

    #[test]
    fn a_phrase_is_taken_out_with_the_words_that_lead_to_it() {
        let phrase = |text: &str| Phrase::from(text.to_owned());
        let names = [phrase("Booster IA"), phrase("le Datathon")];
        assert_eq!(
            without("Quel est le montant de l’aide Booster-IA, déjà ?", &names),
            "Quel est le montant de l’aide déjà ?"
        );
        assert_eq!(
            without("Qui gagne avec le datathon ?", &[phrase("datathon")]),
            "Qui gagne ?"
        );
        assert_eq!(without("Été à Caen", &names), "Été à Caen");
    }

    #[test]
    fn a_phrase_is_found_only_as_whole_words() {
        let asked = words("Le booster-IA, c'est quoi ?");
        let stands = |text: &str| Phrase::from(text.to_owned()).stands_in(&asked);
        assert!(stands("Booster IA"));
        assert!(!stands("boost"));
        assert!(!stands(" "));
    }
}
