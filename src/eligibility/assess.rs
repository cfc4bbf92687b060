//! Each condition against the facts, and all of them together.

use jiff::ToSpan;
use jiff::civil::Date;
use serde::Serialize;

use super::facts::{Facts, Span};
use super::logic::Truth;
use crate::corpus::{Criterion, OrganisationKind, Rule, Rules, Test};

/// What comes of one condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the contract's words")]
pub enum Status {
    Met,
    Failed,
    Unknown,
    NotApplicable,
}

/// What the value of a condition's fact says, whoever asks.
pub(super) fn test(rule: &Rule, facts: &Facts, day: Date) -> Truth {
    match &rule.test {
        Test::From(first) => (day >= *first).into(),
        Test::Departments(list) => location(list, facts),
        Test::Anyone => Truth::True,
        Test::Kinds(list) => known(facts.organisation_kind, |k| list.contains(&k)),
        Test::Activities(list) => known(facts.activity, |a| list.contains(&a)),
        Test::Years(years) => known_or(facts.created_on, |created| age(created, *years, day)),
        Test::Is(wanted) => known(facts.project_uses_ai, |is| is == *wanted),
        Test::Range { min, max } => known(number(rule.criterion, facts), |value| {
            min.is_none_or(|min| value >= min) && max.is_none_or(|max| value <= max)
        }),
    }
}

/// The number that a criterion of bounds reads.
pub(super) fn number(criterion: Criterion, facts: &Facts) -> Option<f64> {
    match criterion {
        Criterion::Population => facts.population.map(f64::from),
        Criterion::Headcount => facts.headcount_fte,
        Criterion::Partnership => facts.normandy_structure_count.map(f64::from),
        Criterion::Duration => facts.duration_months,
        Criterion::Team => facts.team_size.map(f64::from),
        _ => None,
    }
}

/// A commune whose department is not known was found, several times, outside Normandy only.
fn location(list: &[String], facts: &Facts) -> Truth {
    match (facts.department(), &facts.commune) {
        (Some(code), _) => list.iter().any(|d| d == code).into(),
        (None, Some(_)) => Truth::False,
        (None, None) => Truth::Unknown,
    }
}

/// Unknown only when the bound falls inside the span.
fn age(created: Span, years: i16, day: Date) -> Truth {
    let (first, last) = created.plus_years(years);
    if last <= day {
        Truth::True
    } else if first > day {
        Truth::False
    } else {
        Truth::Unknown
    }
}

/// The last day on which a creation gives so many years on `day`.
pub(super) fn latest_creation(years: i16, day: Date) -> Date {
    let anniversary = day.saturating_sub(years.years());
    // The day before 1 March of a leap year reaches its years on a 28 February too.
    let next = anniversary.tomorrow().unwrap_or(anniversary);
    if next.saturating_add(years.years()) <= day {
        next
    } else {
        anniversary
    }
}

fn known<T>(value: Option<T>, holds: impl FnOnce(T) -> bool) -> Truth {
    known_or(value, |v| holds(v).into())
}

fn known_or<T>(value: Option<T>, holds: impl FnOnce(T) -> Truth) -> Truth {
    value.map_or(Truth::Unknown, holds)
}

/// Whether a condition bears on this kind of organisation.
pub(super) fn applies(rule: &Rule, kind: Option<OrganisationKind>) -> Truth {
    match (&rule.kinds, kind) {
        (None, _) => Truth::True,
        (Some(kinds), Some(kind)) => kinds.contains(&kind).into(),
        (Some(_), None) => Truth::Unknown,
    }
}

/// The status of one condition: it bears on someone else, or it holds, or not.
pub(super) fn status(rule: &Rule, facts: &Facts, day: Date) -> Status {
    let applies = applies(rule, facts.organisation_kind);
    if applies == Truth::False {
        return Status::NotApplicable;
    }
    match applies.not().or(test(rule, facts, day)) {
        Truth::True => Status::Met,
        Truth::False => Status::Failed,
        Truth::Unknown => Status::Unknown,
    }
}

/// All the conditions together.
pub(super) fn all(rules: &Rules, facts: &Facts, day: Date) -> Truth {
    let each = rules
        .rules
        .iter()
        .map(|rule| match status(rule, facts, day) {
            Status::Met | Status::NotApplicable => Truth::True,
            Status::Failed => Truth::False,
            Status::Unknown => Truth::Unknown,
        });
    each.fold(Truth::True, Truth::and)
}
