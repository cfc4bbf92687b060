//! De minimis aid: adding up, comparing, warning. Nothing is decided here.

use jiff::ToSpan;
use jiff::civil::Date;
use serde::Serialize;

use super::money::Cents;
use super::verdict::{Case, Cited};
use crate::corpus::{Day, Rules, euros};

/// An aid that was declared, on the day it was granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatedAid {
    /// The day.
    pub granted_on: Date,
    /// The amount.
    pub amount: Cents,
}

impl DatedAid {
    /// Whether it falls in so many rolling years that end on `day`: granted that many years ago to the day, it is out
    /// of them; on the next day, in.
    #[must_use]
    pub fn counts(&self, years: i16, day: Date) -> bool {
        self.granted_on > day.saturating_sub(years.years()) && self.granted_on <= day
    }
}

/// The total of what was granted over so many rolling years that end on `day`: the value of
/// `de_minimis_received_eur`.
#[must_use]
pub fn rolling_total(lines: &[DatedAid], years: i16, day: Date) -> Cents {
    let counted = lines.iter().filter(|line| line.counts(years, day));
    counted.map(|line| line.amount).sum()
}

/// What was declared, beside the present ceiling.
#[derive(Clone, Serialize)]
pub struct Declared {
    /// What was declared.
    pub received_eur: Cents,
    /// The present ceiling.
    pub ceiling_eur: Cents,
    /// What is left under it.
    pub remaining_eur: Cents,
    /// Since when the ceiling is that.
    pub ceiling_in_force_from: Day,
    /// All of it in words.
    pub explanation: String,
    /// What the text cites.
    pub source: Cited,
    /// What replaced it.
    pub warning: Cited,
}

/// `None` when nothing was declared, or when the text does not speak of it.
pub(super) fn declared(rules: &Rules, case: &Case<'_>) -> Option<Declared> {
    let rule = rules.de_minimis.as_ref()?;
    let received = case.facts.de_minimis_received?;
    let remaining = Cents((rule.ceiling_cents - received.0).max(0));
    let key = if remaining.0 == 0 {
        "de_minimis_over"
    } else {
        "de_minimis"
    };
    let said = |cents: Cents| euros(cents.0, case.language);
    let explanation = case.corpus.framing.say(
        key,
        case.language,
        &[
            (
                "quote",
                rule.source.quotes.first().map_or("", String::as_str),
            ),
            ("received", &said(received)),
            ("ceiling", &said(Cents(rule.ceiling_cents))),
            ("remaining", &said(remaining)),
            ("years", &rule.years.to_string()),
        ],
    );
    Some(Declared {
        received_eur: received,
        ceiling_eur: Cents(rule.ceiling_cents),
        remaining_eur: remaining,
        ceiling_in_force_from: rule.from,
        explanation,
        source: Cited::of(&rule.source, case.language),
        warning: Cited::of(&rule.warning, case.language),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_rolling_years_to_the_day() {
        let date = |text: &str| text.parse::<Date>().expect("a date");
        let aid = |day: &str, cents: i64| DatedAid {
            granted_on: date(day),
            amount: Cents(cents),
        };
        let lines = [
            aid("2023-11-24", 1),
            aid("2023-11-25", 10),
            aid("2026-11-24", 100),
            aid("2026-11-25", 1000),
        ];
        assert_eq!(rolling_total(&lines, 3, date("2026-11-24")), Cents(110));
        assert_eq!(rolling_total(&lines, 3, date("2026-11-23")), Cents(11));
        assert_eq!(rolling_total(&[], 3, date("2026-11-24")), Cents(0));
    }
}
