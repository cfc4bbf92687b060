//! Numbers and dates as people type them in a field: "12 000", "9,5", "1 234,56 €", "12/03/2019", "mars 2019".
//!
//! Only their spelling changes here, to the one that facts are read in. What could be read in two ways is
//! not read at all: whether a value is possible is for [`crate::eligibility::Facts`] to say.

use crate::text::fold::fold;

/// Units that may follow a number.
const UNITS: [&str; 16] = [
    "euro",
    "euros",
    "eur",
    "ht",
    "habitant",
    "habitants",
    "hab",
    "etp",
    "mois",
    "personne",
    "personnes",
    "participant",
    "participants",
    "structure",
    "structures",
    "points",
];

/// Digits of a number, at most: beyond, no value of ours is possible.
const DIGITS: usize = 18;

const MONTHS: [&str; 12] = [
    "janvier",
    "fevrier",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "aout",
    "septembre",
    "octobre",
    "novembre",
    "decembre",
];

/// A number as JSON writes it; `None` when it is none, or could be two: "12.500" may be twelve and a half.
pub(super) fn number(text: &str) -> Option<String> {
    let text = fold(text);
    let end = text.rfind(|c: char| c.is_ascii_digit())? + 1;
    let units = text[end..].replace('€', " ");
    if !units.split(' ').all(|u| u.is_empty() || UNITS.contains(&u)) {
        return None;
    }
    let text = text[..end].trim_start();
    let (sign, text) = text
        .strip_prefix('-')
        .map_or(("", text), |rest| ("-", rest));
    let (whole, decimals) = parted(text)?;
    let whole = ungrouped(&whole)?;
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if !digits(decimals) || whole.len() + decimals.len() > DIGITS {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    Some(if decimals.is_empty() {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{decimals}")
    })
}

/// The whole part, groups set apart by spaces, and the decimals.
fn parted(text: &str) -> Option<(String, &str)> {
    let marks = |c: char| text.matches(c).count();
    let last = text.rfind([',', '.']);
    let Some(last) = last else {
        return Some((text.to_owned(), ""));
    };
    let (whole, decimals) = (&text[..last], &text[last + 1..]);
    match (marks(','), marks('.')) {
        // One mark before three figures, and nothing that tells what it is for.
        (1, 0) | (0, 1) => {
            let group =
                decimals.len() == 3 && (1..=3).contains(&whole.len()) && !whole.starts_with('0');
            (!group && !decimals.is_empty()).then(|| (whole.to_owned(), decimals))
        }
        (_, 0) | (0, _) => Some((text.replace([',', '.'], " "), "")),
        (1, _) | (_, 1) if !decimals.is_empty() => Some((whole.replace([',', '.'], " "), decimals)),
        _ => None,
    }
}

/// Digits whose groups, if any, are of three.
fn ungrouped(text: &str) -> Option<String> {
    let mut groups = text.split(' ');
    let first = groups.next()?;
    let alone = !text.contains(' ');
    let sound = |group: &str| group.bytes().all(|b| b.is_ascii_digit());
    let mut out = first.to_owned();
    if !sound(first) || first.is_empty() || (!alone && first.len() > 3) {
        return None;
    }
    for group in groups {
        if group.len() != 3 || !sound(group) {
            return None;
        }
        out.push_str(group);
    }
    Some(out)
}

/// A date to the day, the month or the year, as ISO 8601 writes it; whether it exists is not looked at.
pub(super) fn date(text: &str) -> Option<String> {
    let text = fold(text);
    let parts: Vec<&str> = text
        .split([' ', '/', '-', '.'])
        .filter(|p| !p.is_empty() && !["le", "en", "depuis"].contains(p))
        .collect();
    let year =
        |p: &str| (p.len() == 4 && p.bytes().all(|b| b.is_ascii_digit())).then(|| p.to_owned());
    let small = |p: &str| {
        let digits = matches!(p.len(), 1 | 2) && p.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| format!("{p:0>2}"))
    };
    let month = |p: &str| {
        let named = MONTHS.iter().position(|m| *m == p);
        named
            .map(|at| format!("{:02}", at + 1))
            .or_else(|| small(p))
    };
    match parts[..] {
        [y] => year(y),
        [m, y] if year(y).is_some() => Some(format!("{}-{}", year(y)?, month(m)?)),
        [y, m] => Some(format!("{}-{}", year(y)?, small(m)?)),
        [d, m, y] if year(y).is_some() => {
            let day = small(d.strip_suffix("er").unwrap_or(d))?;
            Some(format!("{}-{}-{day}", year(y)?, month(m)?))
        }
        [y, m, d] => Some(format!("{}-{}-{}", year(y)?, small(m)?, small(d)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_french_writes_them() {
        for (text, read) in [
            ("45", Some("45")),
            (" 9,5 ", Some("9.5")),
            ("9.5 ETP", Some("9.5")),
            ("12 000", Some("12000")),
            ("12\u{a0}000\u{202f}habitants", Some("12000")),
            ("1 234,56 €", Some("1234.56")),
            ("1.234,56 €", Some("1234.56")),
            ("1,234.56", Some("1234.56")),
            ("1.234.567", Some("1234567")),
            ("20 000 € HT", Some("20000")),
            ("20000€", Some("20000")),
            ("0,125", Some("0.125")),
            ("007", Some("7")),
            ("0", Some("0")),
            ("-3", Some("-3")),
            ("1 000,000", Some("1000.000")),
            ("1000000000000", Some("1000000000000")),
            // Twelve thousand, or twelve?
            ("12.000", None),
            ("12,000", None),
            ("12k", None),
            ("1 2", None),
            ("12 00", None),
            ("1234 567", None),
            ("9,", None),
            (",5", None),
            ("1,2,3.4.5", None),
            ("une dizaine", None),
            ("10 à 20", None),
            ("1e308", None),
            ("", None),
            ("€", None),
        ] {
            assert_eq!(number(text).as_deref(), read, "{text}");
        }
        assert_eq!(number(&"9".repeat(400)), None);
    }

    #[test]
    fn dates_as_french_writes_them() {
        for (text, read) in [
            ("12/03/2019", Some("2019-03-12")),
            ("1/3/2019", Some("2019-03-01")),
            ("12.03.2019", Some("2019-03-12")),
            ("12-03-2019", Some("2019-03-12")),
            ("le 1er mars 2019", Some("2019-03-01")),
            ("12 Août 2019", Some("2019-08-12")),
            ("mars 2019", Some("2019-03")),
            ("en février 2019", Some("2019-02")),
            ("03/2019", Some("2019-03")),
            ("2019", Some("2019")),
            ("2019-03", Some("2019-03")),
            ("2019-03-12", Some("2019-03-12")),
            // It is written as a date, and exists no more than that.
            ("31/02/2019", Some("2019-02-31")),
            ("12/03/19", None),
            ("mars", None),
            ("12 mars", None),
            ("l’an dernier", None),
            ("123/03/2019", None),
            ("", None),
        ] {
            assert_eq!(date(text).as_deref(), read, "{text}");
        }
    }
}
