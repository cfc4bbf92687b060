//! Figures as values: what verification compares, whatever their spelling.
//!
//! "12 500 €", "12 500,00 euros", "€12,500" and "12.5 K€" are one amount; "1er mars 2026",
//! "March 1, 2026" and "2026-03-01" are one date; "six (6)" is twice the number 6. Addresses
//! (e-mail, web, telephone) are figures too: none may be invented.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::fold::fold;

/// One figure found in a text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Figure {
    /// A bare number, in thousandths.
    Number(i64),
    /// A percentage, in thousandths of a per cent.
    Percent(i64),
    /// An amount of money, in thousandths of a euro.
    Euros(i64),
    /// A date; the day, or the year, may be missing (0).
    Date {
        /// Year, or 0.
        year: u16,
        /// Month, 1 to 12.
        month: u8,
        /// Day of the month, or 0.
        day: u8,
    },
    /// A telephone number: its ten digits.
    Phone(String),
    /// An e-mail address, lower case.
    Email(String),
    /// A web address, lower case, without scheme, `www.` or closing slash.
    Web(String),
}

impl Figure {
    /// Whether this figure, said in a sentence, is supported by one found in the evidence.
    ///
    /// A bare number may stand for an amount or a percentage of the same value, a month for a day
    /// in it, a site for a page of it; never the reverse.
    #[must_use]
    pub fn supported_by(&self, evidence: &Self) -> bool {
        match (self, evidence) {
            (Self::Number(a), Self::Number(b) | Self::Euros(b) | Self::Percent(b)) => a == b,
            (Self::Number(n), Self::Date { year, day, .. }) => {
                *n == i64::from(*year) * 1000 || (*day > 0 && *n == i64::from(*day) * 1000)
            }
            (
                Self::Date { year, month, day },
                Self::Date {
                    year: evidence_year,
                    month: evidence_month,
                    day: evidence_day,
                },
            ) => {
                month == evidence_month
                    && (*year == 0 || year == evidence_year)
                    && (*day == 0 || day == evidence_day)
            }
            (Self::Web(a), Self::Web(b)) => {
                a == b
                    || b.strip_prefix(a.as_str())
                        .is_some_and(|rest| rest.starts_with('/'))
            }
            _ => self == evidence,
        }
    }
}

/// The figures of `said` that no figure of `evidence` supports, in order.
#[must_use]
pub fn unsupported(said: &[Figure], evidence: &[Figure]) -> Vec<Figure> {
    said.iter()
        .filter(|f| !evidence.iter().any(|e| f.supported_by(e)))
        .cloned()
        .collect()
}

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

/// The figures of a text, in order of appearance, repetitions kept.
#[must_use]
pub fn figures(text: &str) -> Vec<Figure> {
    let folded = fold(text);
    let mut found = Vec::new();
    let rest = addresses(&folded, &mut found);
    let tokens = tokens(&rest);
    let mut i = 0;
    while i < tokens.len() {
        i += date(&tokens[i..], &mut found)
            .or_else(|| phone(&tokens[i..], &mut found))
            .or_else(|| quantity(&tokens[i..], &mut found))
            .unwrap_or(1);
    }
    found
}

/// Takes e-mail and web addresses out of a folded text; what remains is read for numbers.
fn addresses(folded: &str, found: &mut Vec<Figure>) -> String {
    let mut rest = String::with_capacity(folded.len());
    for word in folded.split(' ') {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
        let figure = if bare.contains('@') {
            Some(Figure::Email(bare))
        } else if word.contains("://") || bare.starts_with("www.") || is_host(&bare) {
            let bare = bare.split_once("://").map_or(bare.as_str(), |(_, b)| b);
            Some(Figure::Web(
                bare.strip_prefix("www.")
                    .unwrap_or(bare)
                    .trim_end_matches('/')
                    .to_owned(),
            ))
        } else {
            None
        };
        match figure {
            Some(f) => found.push(f),
            None => rest.push_str(word),
        }
        rest.push(' ');
    }
    rest
}

fn is_host(word: &str) -> bool {
    let host = word.split('/').next().unwrap_or_default();
    host.rsplit_once('.').is_some_and(|(name, tld)| {
        matches!(tld, "fr" | "eu" | "com" | "org" | "net" | "io" | "info")
            && name.chars().any(char::is_alphabetic)
            && name
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'))
    })
}

/// A run of letters, a run of digits, or one sign; `glued` when nothing stands before it.
#[derive(Debug, Clone)]
struct Token<'a> {
    text: &'a str,
    glued: bool,
}

impl Token<'_> {
    fn digits(&self) -> bool {
        self.text.as_bytes()[0].is_ascii_digit()
    }
}

fn tokens(text: &str) -> Vec<Token<'_>> {
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
        });
        end_of_last = end;
    }
    out
}

fn month(word: &str) -> Option<u8> {
    static BY_NAME: LazyLock<HashMap<&str, u8>> = LazyLock::new(|| MONTHS.into_iter().collect());
    BY_NAME.get(word).copied()
}

fn small(token: &Token<'_>, len: std::ops::RangeInclusive<usize>) -> Option<u16> {
    (token.digits() && len.contains(&token.text.len()))
        .then(|| token.text.parse().ok())
        .flatten()
}

/// `1er mars 2026`, `15 decembre`, `mars 2026`, `march 1, 2026`, `2026-03-01`, `15/12/2025`.
fn date(t: &[Token<'_>], found: &mut Vec<Figure>) -> Option<usize> {
    let day_of = |n: u16| u8::try_from(n).ok().filter(|d| (1..=31).contains(d));
    let year_of = |n: u16| (1900..=2100).contains(&n).then_some(n);
    let at = |i: usize| t.get(i);
    let sign = |i: usize, s: &str| at(i).is_some_and(|x| x.glued && x.text == s);
    let mut push = |year, month, day, used| {
        found.push(Figure::Date { year, month, day });
        Some(used)
    };

    if let Some(first) = small(&t[0], 4..=4).and_then(year_of)
        && sign(1, "-")
        && sign(3, "-")
        && let (Some(m), Some(d)) = (
            at(2).and_then(|x| small(x, 2..=2)),
            at(4).and_then(|x| small(x, 2..=2)),
        )
        && (1..=12).contains(&m)
    {
        return push(first, u8::try_from(m).ok()?, day_of(d)?, 5);
    }
    if let Some(d) = small(&t[0], 1..=2).and_then(day_of) {
        if sign(1, "/")
            && sign(3, "/")
            && let (Some(m), Some(y)) = (
                at(2).and_then(|x| small(x, 1..=2)),
                at(4).and_then(|x| small(x, 4..=4)),
            )
            && (1..=12).contains(&m)
        {
            return push(year_of(y)?, u8::try_from(m).ok()?, d, 5);
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
                Some(y) => push(y, m, d, i + 2 + comma),
                None => push(0, m, d, i + 1),
            };
        }
    }
    let m = month(t[0].text)?;
    if let Some(y) = at(1).and_then(|x| small(x, 4..=4)).and_then(year_of) {
        return push(y, m, 0, 2);
    }
    let d = at(1).and_then(|x| small(x, 1..=2)).and_then(day_of)?;
    let comma = usize::from(at(2).is_some_and(|x| x.text == ","));
    match at(2 + comma)
        .and_then(|x| small(x, 4..=4))
        .and_then(year_of)
    {
        Some(y) => push(y, m, d, 3 + comma),
        None => push(0, m, d, 2),
    }
}

/// Five groups of two digits, the first beginning with 0; or ten digits in a row.
fn phone(t: &[Token<'_>], found: &mut Vec<Figure>) -> Option<usize> {
    if !t[0].text.starts_with('0') {
        return None;
    }
    if t[0].text.len() == 10 {
        found.push(Figure::Phone(t[0].text.to_owned()));
        return Some(1);
    }
    let mut digits = String::new();
    let mut used = 0;
    while digits.len() < 10 {
        let token = t.get(used)?;
        match token.text {
            "." | "-" if used > 0 => {}
            text if text.len() == 2 && token.digits() => digits.push_str(text),
            _ => return None,
        }
        used += 1;
    }
    found.push(Figure::Phone(digits));
    Some(used)
}

/// A number, with the unit that stands before (`€5`) or after it (`5 %`, `5 K€`, `5 euros`).
fn quantity(t: &[Token<'_>], found: &mut Vec<Figure>) -> Option<usize> {
    let euro_first = t[0].text == "€";
    let first = usize::from(euro_first);
    let (mut value, mut used) = match t.get(first) {
        Some(token) if token.digits() && (!euro_first || token.glued) => number(&t[first..])?,
        Some(_) if !euro_first => {
            let (value, used) = spelled(t, found)?;
            (value * 1000, used)
        }
        _ => return None,
    };
    used += first;
    let mut euros = euro_first;
    if let Some(unit) = t.get(used) {
        match unit.text {
            "%" => {
                found.push(Figure::Percent(value));
                return Some(used + 1);
            }
            "pour" | "per" if t.get(used + 1).is_some_and(|x| matches!(x.text, "cent")) => {
                found.push(Figure::Percent(value));
                return Some(used + 2);
            }
            "percent" => {
                found.push(Figure::Percent(value));
                return Some(used + 1);
            }
            "€" | "euros" | "euro" | "eur" => {
                euros = true;
                used += 1;
            }
            "k" | "m" if t.get(used + 1).is_some_and(|x| x.text == "€") => {
                value *= if unit.text == "k" { 1_000 } else { 1_000_000 };
                euros = true;
                used += 2;
            }
            "k" if euro_first && unit.glued => {
                value *= 1_000;
                used += 1;
            }
            "millions" | "million" => {
                value *= 1_000_000;
                used += 1;
                while t
                    .get(used)
                    .is_some_and(|x| matches!(x.text, "d" | "de" | "of"))
                {
                    used += 1;
                }
                if t.get(used)
                    .is_some_and(|x| matches!(x.text, "€" | "euros" | "euro"))
                {
                    euros = true;
                    used += 1;
                }
            }
            _ => {}
        }
    }
    found.push(if euros {
        Figure::Euros(value)
    } else {
        Figure::Number(value)
    });
    Some(used)
}

/// Digits with thousands (`12 500`, `12,500`) and decimals (`9.5`, `1,25`); the value in thousandths.
fn number(t: &[Token<'_>]) -> Option<(i64, usize)> {
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
fn spelled(t: &[Token<'_>], found: &mut Vec<Figure>) -> Option<(i64, usize)> {
    if matches!(t[0].text, "moitie" | "half") {
        found.push(Figure::Percent(50_000));
        return None;
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn date(year: u16, month: u8, day: u8) -> Figure {
        Figure::Date { year, month, day }
    }

    #[test]
    fn an_amount_is_the_same_in_every_spelling() {
        for spelling in [
            "12 500 €",
            "12\u{202f}500\u{a0}€ HT",
            "€12,500",
            "12500 euros",
            "12,5 K€",
            "12 500,00 €",
        ] {
            assert_eq!(figures(spelling), [Figure::Euros(12_500_000)], "{spelling}");
        }
        assert_eq!(figures("597K€"), [Figure::Euros(597_000_000)]);
        assert_eq!(
            figures("de 10 000 à 100 000 habitants"),
            [Figure::Number(10_000_000), Figure::Number(100_000_000)]
        );
    }

    #[test]
    fn a_date_is_the_same_in_every_spelling() {
        for spelling in [
            "1er mars 2026",
            "1 March 2026",
            "March 1, 2026",
            "2026-03-01",
            "01/03/2026",
            "1st of March 2026",
        ] {
            assert_eq!(figures(spelling), [date(2026, 3, 1)], "{spelling}");
        }
        assert_eq!(figures("en mars 2026"), [date(2026, 3, 0)]);
        assert_eq!(figures("le 15 décembre"), [date(0, 12, 15)]);
    }

    #[test]
    fn numbers_in_words_percentages_and_addresses_are_read() {
        assert_eq!(
            figures("six (6) mois, 50 %"),
            [
                Figure::Number(6000),
                Figure::Number(6000),
                Figure::Percent(50_000)
            ]
        );
        for (spelling, value) in [
            ("trente-cinq projets", 35),
            ("vingt et un jours", 21),
            ("quatre-vingt-dix-neuf", 99),
            ("soixante-douze mois", 72),
            ("cinq cents personnes", 500),
            ("deux cent cinquante ETP", 250),
            ("dix mille habitants", 10_000),
            ("twenty-five words", 25),
            ("three hundred and ten players", 310),
            ("mille deux cents", 1200),
        ] {
            assert_eq!(
                figures(spelling),
                [Figure::Number(value * 1000)],
                "{spelling}"
            );
        }
        assert_eq!(figures("cinq mille euros"), [Figure::Euros(5_000_000)]);
        assert_eq!(
            figures("entre deux et cinq équipes, dix ou vingt"),
            [2, 5, 10, 20].map(|n| Figure::Number(n * 1000))
        );
        assert_eq!(figures("la moitié"), [Figure::Percent(50_000)]);
        assert_eq!(figures("9,5 ETP"), [Figure::Number(9_500)]);
        assert_eq!(
            figures("Tél. 02 32 76 42 37"),
            [Figure::Phone("0232764237".into())]
        );
        assert_eq!(
            figures("Nawal.bouin@normandie.fr, https://subventions.normandie.fr/."),
            [
                Figure::Email("nawal.bouin@normandie.fr".into()),
                Figure::Web("subventions.normandie.fr".into())
            ]
        );
    }

    #[test]
    fn an_altered_figure_is_unsupported() {
        let evidence = figures("plafonnée à 12 500 € HT, à compter du 1er mars 2026, 50%");
        let check = |said: &str| unsupported(&figures(said), &evidence).is_empty();
        assert!(check("€12,500 from March 2026, that is 50 %"));
        assert!(!check("12 600 €"));
        assert!(!check("2 mars 2026"));
        assert!(!check("50 €"));
        assert!(!check("www.exemple.fr"));
    }
}
