//! Cutting prose into sentences, for verification and streaming.
//!
//! Made for our own corpus and for generated French or English: abbreviations that end in a full
//! stop inside a sentence ("n°", "M.", "art.") and figures ("1.5") do not end one.

/// Abbreviations whose full stop does not end a sentence, folded, without it.
const ABBREVIATIONS: [&str; 14] = [
    "m", "mm", "mme", "dr", "art", "cf", "ex", "etc", "p", "no", "st", "env", "max", "min",
];

/// The sentences of a text, in order, each trimmed and with its closing sign.
#[must_use]
pub fn split(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let end = at + c.len_utf8();
        let closes = match c {
            '\n' => true,
            '.' | '?' | '!' | '…' => {
                let mut rest = text[end..].chars();
                let spaced = rest.next().is_none_or(char::is_whitespace);
                let next = rest.find(|n| !n.is_whitespace() && !"«»\"“”(".contains(*n));
                spaced
                    && next.is_none_or(|n| n.is_uppercase() || n.is_numeric())
                    && !(c == '.' && abbreviated(&text[start..at]))
            }
            _ => false,
        };
        if closes {
            // A closing quotation mark belongs to the sentence it closes.
            let mut cut = end;
            let tail = &text[end..];
            let trimmed = tail.trim_start_matches([' ', '\u{a0}', '\u{202f}']);
            if let Some(after) = trimmed.strip_prefix(['»', '”']) {
                cut = text.len() - after.len();
                while chars.next_if(|(i, _)| *i < cut).is_some() {}
            }
            push(&mut out, &text[start..cut]);
            start = cut;
        }
    }
    push(&mut out, &text[start..]);
    out
}

fn push<'a>(out: &mut Vec<&'a str>, sentence: &'a str) {
    let sentence = sentence.trim();
    if !sentence.is_empty() {
        out.push(sentence);
    }
}

fn abbreviated(before: &str) -> bool {
    let word = before
        .rsplit(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or_default();
    ABBREVIATIONS.contains(&super::fold::fold(word).as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_stops_inside_a_sentence_do_not_cut_it() {
        assert_eq!(
            split("Voir l’art. 3 du texte. « Deux vagues. » Le taux est de 1.5. Et après ? Oui…"),
            [
                "Voir l’art. 3 du texte.",
                "« Deux vagues. »",
                "Le taux est de 1.5.",
                "Et après ?",
                "Oui…"
            ]
        );
        assert_eq!(
            split("www.datanormandie.fr est en ligne"),
            ["www.datanormandie.fr est en ligne"]
        );
    }
}
