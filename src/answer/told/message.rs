//! A message as words and numbers that know where they stand in it.

use std::collections::HashMap;
use std::ops::Range;

use crate::corpus::Telling;
use crate::text::fold::{Folded, Phrase};
use crate::text::numbers::{self, Token, date, number, spelled};

/// Words looked at before a number for what makes it less than exact.
const BEFORE: usize = 3;

/// A message, read.
pub(super) struct Message<'a> {
    original: &'a str,
    folded: Folded,
    pub(super) words: Vec<Word>,
    pub(super) numbers: Vec<Number>,
}

/// A run of letters or of digits.
pub(super) struct Word {
    pub(super) text: String,
    /// Bytes of the folded text.
    span: Range<usize>,
    /// Words of one clause have the same number; commas do not end one.
    pub(super) clause: usize,
    /// It is part of the name of a programme or page.
    pub(super) name: bool,
    /// A sign stands between it and the word before.
    pub(super) parted: bool,
}

impl Word {
    /// Five digits: the code of a commune, or a postcode.
    pub(super) fn is_a_code(&self) -> bool {
        self.text.len() == 5 && self.text.bytes().all(|b| b.is_ascii_digit())
    }
}

/// How exact a number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exactness {
    Exact,
    /// "environ", "une quinzaine".
    About,
    /// "plus de": the least it may be.
    Above,
    /// "moins de": the most it may be.
    Below,
    /// One of two: "entre 9 et 12", "9 ou 10".
    Between,
}

/// A number or a date.
#[derive(Debug)]
pub(super) struct Number {
    pub(super) value: f64,
    /// Year, month, day; 0 where it is not told.
    pub(super) date: Option<(u16, u8, u8)>,
    /// The words it takes.
    pub(super) words: Range<usize>,
    pub(super) exactness: Exactness,
    /// Followed, or preceded, by the sign or the name of the euro.
    pub(super) euros: bool,
    /// Written in digits, without any separator.
    pub(super) plain: bool,
    /// "pas 12": taken back.
    pub(super) denied: bool,
}

impl<'a> Message<'a> {
    pub(super) fn read<'n>(
        original: &'a str,
        telling: &Telling,
        names: impl Iterator<Item = &'n Phrase>,
    ) -> Self {
        let folded = Folded::of(original);
        let text = folded.text.clone();
        let tokens = numbers::tokens(&text);
        let mut words = Vec::new();
        // For each token, the word it is or comes before.
        let mut places = Vec::with_capacity(tokens.len() + 1);
        let (mut clause, mut parted) = (0, false);
        for (i, token) in tokens.iter().enumerate() {
            places.push(words.len());
            if token.text.chars().all(char::is_alphanumeric) {
                words.push(Word {
                    text: token.text.to_owned(),
                    span: token.at..token.at + token.text.len(),
                    clause,
                    name: false,
                    parted,
                });
                parted = false;
            } else {
                let inside = token.glued && tokens.get(i + 1).is_some_and(|t| t.glued);
                if matches!(token.text, ";" | "!" | "?" | "…" | ":")
                    || (token.text == "." && !inside)
                {
                    clause += 1;
                }
                parted |= !inside;
            }
        }
        places.push(words.len());
        let mut message = Self {
            original,
            folded,
            words,
            numbers: Vec::new(),
        };
        for name in names {
            for at in message.all(std::slice::from_ref(name), 0..message.words.len()) {
                for word in &mut message.words[at] {
                    word.name = true;
                }
            }
        }
        message.numbers = read_numbers(&tokens, &places, &telling.nouns);
        for i in 0..message.numbers.len() {
            message.qualify(i, telling);
        }
        message
    }

    /// What the person typed, for these words.
    pub(super) fn typed(&self, words: Range<usize>) -> &'a str {
        match (
            self.words.get(words.start),
            self.words.get(words.end.saturating_sub(1)),
        ) {
            (Some(first), Some(last)) if words.start < words.end => {
                self.original[self.folded.original(first.span.start..last.span.end)].trim()
            }
            _ => "",
        }
    }

    /// Whether a word begins with a capital letter, and is not the first one.
    pub(super) fn capital(&self, at: usize) -> bool {
        at > 0 && self.typed(at..at + 1).starts_with(char::is_uppercase)
    }

    /// Whether the phrase stands at this word, within `range`.
    fn is_at(&self, phrase: &Phrase, at: usize, range: &Range<usize>) -> bool {
        let wanted = phrase.words();
        !wanted.is_empty()
            && at + wanted.len() <= range.end
            && wanted
                .iter()
                .zip(&self.words[at..])
                .all(|(a, b)| *a == b.text)
    }

    /// The longest of the phrases that stands at this word.
    pub(super) fn at(&self, phrases: &[Phrase], at: usize) -> Option<Range<usize>> {
        let all = 0..self.words.len();
        let here = phrases.iter().filter(|p| self.is_at(p, at, &all));
        here.map(|p| at..at + p.words().len())
            .max_by_key(Range::len)
    }

    /// Whether one of the phrases stands at this word.
    pub(super) fn says_at(&self, phrases: &[Phrase], at: usize) -> bool {
        self.at(phrases, at).is_some()
    }

    /// Whether a word stands alone in brackets: "(76)".
    pub(super) fn bracketed(&self, at: usize) -> bool {
        let span = &self.words[at].span;
        self.folded.text[..span.start].ends_with('(')
            && self.folded.text[span.end..].starts_with(')')
    }

    /// Where phrases stand, in order; of those that begin at one word, the longest.
    pub(super) fn all(&self, phrases: &[Phrase], range: Range<usize>) -> Vec<Range<usize>> {
        let found = range.clone().filter_map(|at| {
            let here = phrases.iter().filter(|p| self.is_at(p, at, &range));
            here.map(|p| at..at + p.words().len())
                .max_by_key(Range::len)
        });
        found.collect()
    }

    /// Whether one of the phrases stands in the message.
    pub(super) fn says(&self, phrases: &[Phrase]) -> bool {
        !self.all(phrases, 0..self.words.len()).is_empty()
    }

    /// The words of the clause of this word.
    pub(super) fn clause(&self, at: usize) -> Range<usize> {
        let Some(clause) = self
            .words
            .get(at.min(self.words.len().saturating_sub(1)))
            .map(|w| w.clause)
        else {
            return 0..0;
        };
        let start = self.words.partition_point(|w| w.clause < clause);
        start..self.words.partition_point(|w| w.clause <= clause)
    }

    /// The words of its clause before this one, at most so many.
    pub(super) fn before(&self, at: usize, many: usize) -> Range<usize> {
        self.clause(at).start.max(at.saturating_sub(many))..at
    }

    /// What stands around a number: "pas", "environ", "plus de".
    fn qualify(&mut self, i: usize, telling: &Telling) {
        let number = &self.numbers[i];
        let (start, end) = (number.words.start, number.words.end);
        let before = self.before(start, BEFORE);
        let ends_here = |phrases: &[Phrase]| {
            let found = self.all(phrases, before.clone());
            found.iter().any(|r| r.end == start)
        };
        let denied = ends_here(&telling.doubt.not);
        let about_after = (end..(end + 3).min(self.words.len()))
            .filter(|at| self.words[*at].clause == self.words[start].clause)
            .any(|at| {
                self.words[at].text == "environ" || self.words[at].text == "approximativement"
            });
        // "9 ou 10", "de 9 à 12": two numbers for one thing.
        let joins = |at: usize| {
            self.words
                .get(at)
                .is_some_and(|w| matches!(w.text.as_str(), "ou" | "or" | "a" | "to"))
        };
        let other = |at: usize| {
            self.numbers
                .iter()
                .any(|n| n.date.is_none() && n.words.contains(&at))
        };
        let two =
            (joins(end) && other(end + 1)) || (start >= 2 && joins(start - 1) && other(start - 2));
        let within = !self
            .all(&telling.doubt.between, self.before(start, BEFORE + 2))
            .is_empty();
        let exactness = if two || within {
            Exactness::Between
        } else if ends_here(&telling.doubt.above) {
            Exactness::Above
        } else if ends_here(&telling.doubt.below) {
            Exactness::Below
        } else if about_after || ends_here(&telling.doubt.about) {
            Exactness::About
        } else {
            number.exactness
        };
        let number = &mut self.numbers[i];
        number.exactness = exactness;
        number.denied = denied;
    }
}

fn read_numbers(
    tokens: &[Token<'_>],
    places: &[usize],
    nouns: &HashMap<String, f64>,
) -> Vec<Number> {
    let mut found: Vec<Number> = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        match one(&tokens[i..], nouns) {
            Some((mut read, used)) => {
                let sign = i > 0 && tokens[i - 1].text == "-" && tokens[i].glued;
                if sign && !tokens[i - 1].glued && read.date.is_none() {
                    read.value = -read.value;
                }
                read.euros |= i > 0 && tokens[i - 1].text == "€" && tokens[i].glued;
                read.words = places[i]..places[i + used].max(places[i] + 1);
                let share = tokens.get(i + used).is_some_and(|t| t.text == "%");
                if !share {
                    found.push(read);
                }
                i += used;
            }
            None => i += 1,
        }
    }
    found
}

/// The number or date that begins with the first token, and the tokens it takes.
#[expect(
    clippy::cast_precision_loss,
    reason = "under 2^53 thousandths, or far beyond what is possible"
)]
fn one(t: &[Token<'_>], nouns: &HashMap<String, f64>) -> Option<(Number, usize)> {
    let made = |value: f64, date| Number {
        value,
        date,
        words: 0..0,
        exactness: Exactness::Exact,
        euros: false,
        plain: false,
        denied: false,
    };
    if let Some((day, used)) = date(t) {
        return Some((made(0.0, Some(day)), used));
    }
    let first = t.first()?;
    if let Some(value) = nouns.get(first.text.trim_end_matches('s')) {
        return Some((
            Number {
                exactness: Exactness::About,
                ..made(*value, None)
            },
            1,
        ));
    }
    let (mut value, mut used) = if first.digits() {
        let (thousandths, used) = number(t)?;
        (thousandths as f64 / 1000.0, used)
    } else {
        let (units, used) = spelled(t)?;
        (units as f64, used)
    };
    let plain = first.digits() && used == 1;
    let scale = t.get(used).and_then(|x| match x.text {
        "k" | "mille" | "milliers" | "thousand" => Some(1e3),
        "million" | "millions" => Some(1e6),
        "m" if t.get(used + 1).is_some_and(|x| x.text == "€") => Some(1e6),
        "milliard" | "milliards" | "billion" | "billions" => Some(1e9),
        _ => None,
    });
    if let Some(scale) = scale {
        value *= scale;
        used += 1;
    }
    let mut read = Number {
        plain,
        ..made(value, None)
    };
    let mut unit = used;
    while t
        .get(unit)
        .is_some_and(|x| matches!(x.text, "d" | "de" | "of"))
    {
        unit += 1;
    }
    if t.get(unit)
        .is_some_and(|x| matches!(x.text, "€" | "euros" | "euro" | "eur"))
    {
        read.euros = true;
        used = unit + 1;
    }
    Some((read, used))
}

#[cfg(test)]
mod tests {
    use std::iter::empty;

    use super::*;

    fn telling() -> Telling {
        let text =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/telling.toml"));
        toml::from_str(&text.expect("it is there")).expect("it reads")
    }

    #[test]
    fn numbers_are_read_with_what_qualifies_them() {
        use Exactness::{About, Above, Between, Exact};
        let telling = telling();
        let read = |text: &str| {
            let message = Message::read(text, &telling, empty());
            let number = message.numbers.first();
            number.map(|n| (n.value, n.exactness, n.euros, n.denied))
        };
        for (text, expected) in [
            ("12k habitants", (12_000.0, Exact, false, false)),
            ("12 000 habitants", (12_000.0, Exact, false, false)),
            ("nous sommes trois", (3.0, Exact, false, false)),
            ("9,5 ETP", (9.5, Exact, false, false)),
            ("une quinzaine de salariés", (15.0, About, false, false)),
            ("environ 250 salariés", (250.0, About, false, false)),
            ("plus de 300 salariés", (300.0, Above, false, false)),
            ("pas 12 mais 9", (12.0, Exact, false, true)),
            ("20 000 € de prestations", (20_000.0, Exact, true, false)),
            ("24 999,98 euros", (24_999.98, Exact, true, false)),
            ("15 k€", (15_000.0, Exact, true, false)),
            ("-3 mois", (-3.0, Exact, false, false)),
            ("10 milliards de salariés", (10e9, Exact, false, false)),
            ("9 ou 10 salariés", (9.0, Between, false, false)),
        ] {
            assert_eq!(read(text), Some(expected), "{text}");
        }
        assert_eq!(read("50 % du projet"), None);
        let message = Message::read(
            "Notre PME, créée en mars 2019, a 45 salariés.",
            &telling,
            empty(),
        );
        assert_eq!(message.numbers[0].date, Some((2019, 3, 0)));
        let words = message.numbers[1].words.start..message.numbers[1].words.end + 1;
        assert_eq!(message.typed(words), "45 salariés");
    }
}
