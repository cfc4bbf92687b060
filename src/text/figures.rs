//! Figures as values: what verification compares, whatever their spelling.
//!
//! "12 500 €", "12 500,00 euros", "€12,500" and "12.5 K€" are one amount; "1er mars 2026",
//! "March 1, 2026" and "2026-03-01" are one date; "six (6)" is twice the number 6. Addresses
//! (e-mail, web, telephone) are figures too: none may be invented.

use super::fold::fold;
use super::numbers::{Token, date, number, spelled, tokens};

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

/// The figures of a text, in order of appearance, repetitions kept.
#[must_use]
pub fn figures(text: &str) -> Vec<Figure> {
    let folded = fold(text);
    let mut found = Vec::new();
    let rest = addresses(&folded, &mut found);
    let tokens = tokens(&rest);
    let mut i = 0;
    while i < tokens.len() {
        i += dated(&tokens[i..], &mut found)
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

/// A date, in one of the spellings of [`date`].
fn dated(t: &[Token<'_>], found: &mut Vec<Figure>) -> Option<usize> {
    let ((year, month, day), used) = date(t)?;
    found.push(Figure::Date { year, month, day });
    Some(used)
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
            if matches!(t[0].text, "moitie" | "half") {
                found.push(Figure::Percent(50_000));
                return None;
            }
            let (value, used) = spelled(t)?;
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
