//! Numbers and dates as people write them, in digits and in words, French and English.
//!
//! They are read in folded text, token by token: whoever reads knows which tokens a number took.

use std::collections::HashMap;
use std::sync::LazyLock;

const MONTHS: [(&str, u8); 36] = [
    ("janvier", 1),
    ("fevrier", 2),
    ("mars", 3),
    ("avril", 4),
    ("mai", 5),
    ("juin", 6),
    ("juillet", 7),
    ("aout", 8),
    ("septembre", 9),
    ("octobre", 10),
    ("novembre", 11),
    ("decembre", 12),
    ("january", 1),
    ("february", 2),
    ("march", 3),
    ("april", 4),
    ("may", 5),
    ("june", 6),
    ("july", 7),
    ("august", 8),
    ("september", 9),
    ("october", 10),
    ("november", 11),
    ("december", 12),
    ("jan", 1),
    ("fev", 2),
    ("feb", 2),
    ("apr", 4),
    ("jul", 7),
    ("aug", 8),
    ("sept", 9),
    ("sep", 9),
    ("oct", 10),
    ("nov", 11),
    ("dec", 12),
    ("juil", 7),
];

/// Numbers written as words. "un" and "one" are left out: they are articles and pronouns first.
const WORDS: [(&str, i64); 46] = [
    ("deux", 2),
    ("trois", 3),
    ("quatre", 4),
    ("cinq", 5),
    ("six", 6),
    ("sept", 7),
    ("huit", 8),
    ("neuf", 9),
    ("dix", 10),
    ("onze", 11),
    ("douze", 12),
    ("treize", 13),
    ("quatorze", 14),
    ("quinze", 15),
    ("seize", 16),
    ("vingt", 20),
    ("trente", 30),
    ("quarante", 40),
    ("cinquante", 50),
    ("soixante", 60),
    ("cent", 100),
    ("mille", 1000),
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("ten", 10),
    ("eleven", 11),
    ("twelve", 12),
    ("thirteen", 13),
    ("fourteen", 14),
    ("fifteen", 15),
    ("sixteen", 16),
    ("twenty", 20),
    ("thirty", 30),
    ("forty", 40),
    ("fifty", 50),
    ("sixty", 60),
    ("hundred", 100),
    ("thousand", 1000),
    ("twice", 2),
    ("double", 2),
    ("triple", 3),
];

/// A run of letters, a run of digits, or one sign of a folded text.
#[derive(Debug, Clone)]
pub struct Token<'a> {
    /// Its characters, folded.
    pub text: &'a str,
    /// Nothing, not even a space, stands between it and the one before.
    pub glued: bool,
    /// The byte of the folded text at which it begins.
    pub at: usize,
}

impl Token<'_> {
    /// Whether it is a run of digits.
    #[must_use]
    pub fn digits(&self) -> bool {
        self.text.as_bytes()[0].is_ascii_digit()
    }
}

/// The tokens of a folded text, in order; spaces are none.
#[must_use]
pub fn tokens(text: &str) -> Vec<Token<'_>> {
    let class = |c: char| {
        if c.is_ascii_digit() {
            0
        } else if c.is_alphabetic() {
            1
        } else {
            2
        }
    };
    let mut out: Vec<Token<'_>> = Vec::new();
    let mut end_of_last = usize::MAX;
    let mut chars = text.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        if c == ' ' {
            continue;
        }
        let mut end = start + c.len_utf8();
        if class(c) < 2 {
            while let Some((at, n)) = chars.next_if(|(_, n)| class(*n) == class(c)) {
                end = at + n.len_utf8();
            }
        }
        out.push(Token {
            text: &text[start..end],
            glued: end_of_last == start,
            at: start,
        });
        end_of_last = end;
    }
    out
}

/// The number of a month named in full or shortened, folded.
#[must_use]
pub fn month(word: &str) -> Option<u8> {
    static BY_NAME: LazyLock<HashMap<&str, u8>> = LazyLock::new(|| MONTHS.into_iter().collect());
    BY_NAME.get(word).copied()
}

fn small(token: &Token<'_>, len: std::ops::RangeInclusive<usize>) -> Option<u16> {
    (token.digits() && len.contains(&token.text.len()))
        .then(|| token.text.parse().ok())
        .flatten()
}

/// `1er mars 2026`, `15 decembre`, `mars 2026`, `march 1, 2026`, `2026-03-01`, `15/12/2025`.
///
/// The date, a missing year or day as 0, and how many tokens it takes; it begins with the first token.
#[must_use]
pub fn date(t: &[Token<'_>]) -> Option<((u16, u8, u8), usize)> {
    let day_of = |n: u16| u8::try_from(n).ok().filter(|d| (1..=31).contains(d));
    let year_of = |n: u16| (1900..=2100).contains(&n).then_some(n);
    let at = |i: usize| t.get(i);
    let sign = |i: usize, s: &str| at(i).is_some_and(|x| x.glued && x.text == s);
    let dated = |year, month, day, used| Some(((year, month, day), used));

    if let Some(first) = small(t.first()?, 4..=4).and_then(year_of)
        && sign(1, "-")
        && sign(3, "-")
        && let (Some(m), Some(d)) = (
            at(2).and_then(|x| small(x, 2..=2)),
            at(4).and_then(|x| small(x, 2..=2)),
        )
        && (1..=12).contains(&m)
    {
        return dated(first, u8::try_from(m).ok()?, day_of(d)?, 5);
    }
    if let Some(d) = small(t.first()?, 1..=2).and_then(day_of) {
        if sign(1, "/")
            && sign(3, "/")
            && let (Some(m), Some(y)) = (
                at(2).and_then(|x| small(x, 1..=2)),
                at(4).and_then(|x| small(x, 4..=4)),
            )
            && (1..=12).contains(&m)
        {
            return dated(year_of(y)?, u8::try_from(m).ok()?, d, 5);
        }
        let mut i = 1;
        if at(i).is_some_and(|x| x.glued && matches!(x.text, "er" | "st" | "nd" | "rd" | "th")) {
            i += 1;
        }
        if at(i).is_some_and(|x| x.text == "of") {
            i += 1;
        }
        if let Some(m) = at(i).and_then(|x| month(x.text)) {
            let comma = usize::from(at(i + 1).is_some_and(|x| x.text == ","));
            return match at(i + 1 + comma)
                .and_then(|x| small(x, 4..=4))
                .and_then(year_of)
            {
                Some(y) => dated(y, m, d, i + 2 + comma),
                None => dated(0, m, d, i + 1),
            };
        }
    }
    let m = month(t[0].text)?;
    if let Some(y) = at(1).and_then(|x| small(x, 4..=4)).and_then(year_of) {
        return dated(y, m, 0, 2);
    }
    let d = at(1).and_then(|x| small(x, 1..=2)).and_then(day_of)?;
    let comma = usize::from(at(2).is_some_and(|x| x.text == ","));
    match at(2 + comma)
        .and_then(|x| small(x, 4..=4))
        .and_then(year_of)
    {
        Some(y) => dated(y, m, d, 3 + comma),
        None => dated(0, m, d, 2),
    }
}

/// Digits with thousands (`12 500`, `12,500`) and decimals (`9.5`, `1,25`); the value in thousandths.
///
/// And how many tokens it takes; the first is a run of digits.
#[must_use]
pub fn number(t: &[Token<'_>]) -> Option<(i64, usize)> {
    let group = |i: usize| t.get(i).filter(|x| x.digits() && x.text.len() == 3);
    let mut digits = t[0].text.to_owned();
    let mut used = 1;
    if digits.len() <= 3 && !digits.starts_with('0') {
        loop {
            if let Some(g) = group(used).filter(|g| !g.glued) {
                digits.push_str(g.text);
                used += 1;
            } else if t.get(used).is_some_and(|x| x.glued && x.text == ",")
                && let Some(g) = group(used + 1).filter(|g| g.glued)
            {
                digits.push_str(g.text);
                used += 2;
            } else {
                break;
            }
        }
    }
    let mut value = digits
        .parse::<i64>()
        .ok()
        .filter(|n| *n < 1_000_000_000_000)?
        * 1000;
    if t.get(used)
        .is_some_and(|x| x.glued && matches!(x.text, "," | "."))
        && let Some(decimals) = t
            .get(used + 1)
            .filter(|x| x.glued && x.digits() && x.text.len() <= 3)
    {
        value += format!("{:0<3}", decimals.text).parse::<i64>().ok()?;
        used += 2;
    }
    Some((value, used))
}

/// A number in words, "trente-cinq" and "five hundred and ten" as much as "six": in units, and the tokens used.
#[must_use]
pub fn spelled(t: &[Token<'_>]) -> Option<(i64, usize)> {
    let (mut value, mut used) = hundreds(t)?;
    if value < 1000
        && let Some(skip) = scale(&t[used..], &["mille", "thousand"])
    {
        value *= 1000;
        used += skip;
    }
    if value >= 1000
        && let Some((rest, more)) = remainder(&t[used..], hundreds, 1000)
    {
        value += rest;
        used += more;
    }
    Some((value, used))
}

fn hundreds(t: &[Token<'_>]) -> Option<(i64, usize)> {
    let (mut value, mut used) = tens(t)?;
    if value < 100
        && let Some(skip) = scale(&t[used..], &["cent", "cents", "hundred"])
    {
        value *= 100;
        used += skip;
    }
    if (100..1000).contains(&value)
        && let Some((rest, more)) = remainder(&t[used..], tens, 100)
    {
        value += rest;
        used += more;
    }
    Some((value, used))
}

/// What multiplies the number before it: the tokens it takes.
fn scale(t: &[Token<'_>], names: &[&str]) -> Option<usize> {
    let dash = usize::from(t.first().is_some_and(|x| x.glued && x.text == "-"));
    t.get(dash)
        .filter(|x| names.contains(&x.text))
        .map(|_| dash + 1)
}

/// What is added to a hundred or a thousand: less than it, right after it.
fn remainder(
    t: &[Token<'_>],
    read: fn(&[Token<'_>]) -> Option<(i64, usize)>,
    limit: i64,
) -> Option<(i64, usize)> {
    let linked = |x: &Token<'_>| x.text == "and" || (x.glued && x.text == "-");
    let link = usize::from(t.first().is_some_and(linked));
    let (value, used) = read(t.get(link..)?)?;
    (value < limit).then_some((value, link + used))
}

/// A word of [`WORDS`], or tens and what is joined to them: "vingt et un", "quatre-vingt-dix", "sixty-two".
fn tens(t: &[Token<'_>]) -> Option<(i64, usize)> {
    let mut value = word(t.first()?.text)?;
    let mut used = 1;
    let dash = |i: usize| t.get(i).is_some_and(|x| x.glued && x.text == "-");
    if t[0].text == "quatre"
        && dash(1)
        && t.get(2)
            .is_some_and(|x| matches!(x.text, "vingt" | "vingts"))
    {
        value = 80;
        used = 3;
    }
    if (10..100).contains(&value) && value % 10 == 0 {
        let joined = t.get(used + 1).map_or("", |x| x.text);
        let one = matches!(joined, "un" | "une" | "one");
        let linked = t.get(used).is_some_and(|x| x.text == "et") && (one || joined == "onze");
        let unit = match (dash(used) || linked, one) {
            (true, true) => Some((1, 1)),
            (true, false) => tens(&t[used + 1..]),
            (false, _) => None,
        };
        // "soixante-dix", "quatre-vingt-dix-neuf", "dix-sept": the part joined is less than twenty.
        if let Some((unit, more)) = unit.filter(|(u, _)| *u < 20) {
            value += unit;
            used += 1 + more;
        }
    }
    Some((value, used))
}

fn word(text: &str) -> Option<i64> {
    static BY_NAME: LazyLock<HashMap<&str, i64>> = LazyLock::new(|| WORDS.into_iter().collect());
    BY_NAME.get(text).copied()
}
