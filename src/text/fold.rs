//! Folding: the form in which two spellings of the same words are equal.
//!
//! Accents, case, ligatures, kinds of apostrophe and of space are lost on purpose; nothing folded
//! is ever shown to anyone.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Lower case, without accents or ligatures, apostrophes and all spaces as one plain space.
///
/// `"L’Œuvre  d'Évreux"` becomes `"l oeuvre d evreux"`.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut space = true;
    for c in text.nfkd().filter(|c| !is_combining_mark(*c)) {
        let spaced = c.is_whitespace() || matches!(c, '\'' | '’' | '‘' | 'ʼ' | '`' | '´');
        if spaced {
            if !space {
                out.push(' ');
            }
            space = true;
            continue;
        }
        space = false;
        match c {
            'œ' | 'Œ' => out.push_str("oe"),
            'æ' | 'Æ' => out.push_str("ae"),
            'ß' => out.push_str("ss"),
            '‐' | '‑' | '–' | '—' | '−' => out.push('-'),
            _ => out.extend(c.to_lowercase()),
        }
    }
    if out.ends_with(' ') {
        out.pop();
    }
    out
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

/// Whether `phrase` (any spelling) stands in `words` (folded) as whole consecutive words; the
/// number of words it took, so that callers can prefer the longest.
#[must_use]
pub fn mentions(words: &[String], phrase: &str) -> Option<usize> {
    let wanted = self::words(phrase);
    (!wanted.is_empty() && words.windows(wanted.len()).any(|w| w == wanted.as_slice()))
        .then_some(wanted.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_the_same_words_are_equal() {
        assert_eq!(fold("L’Œuvre  d'Évreux "), "l oeuvre d evreux");
        assert_eq!(fold("12\u{202f}500\u{a0}€"), "12 500 €");
        assert_eq!(words("Où est l'IA, déjà ?"), ["ou", "est", "l", "ia", "deja"]);
    }

    #[test]
    fn a_phrase_is_found_only_as_whole_words() {
        let asked = words("Le booster-IA, c'est quoi ?");
        assert_eq!(mentions(&asked, "Booster IA"), Some(2));
        assert_eq!(mentions(&asked, "boost"), None);
    }
}
