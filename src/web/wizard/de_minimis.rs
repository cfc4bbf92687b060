//! De minimis aid, added up: `/aides/{programme}/aides-de-minimis`.
//!
//! Dated lines stand in the address (`date=…&montant=…&libelle=…`, again and again) beside the answers of the
//! wizard, which are carried on. The total of the rolling years is set beside the ceiling; nothing is decided.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Date;
use serde_json::json;

use super::Visit;
use super::answers::{Step, written};
use super::words::Quoted;
use crate::corpus::{Day, DeMinimis, Fact, euros};
use crate::eligibility::{Cents, Cited, DatedAid, Precision, Span, rolling_total};
use crate::text::language::Language;
use crate::web::Site;
use crate::web::error::Problem;
use crate::web::filter::Way;
use crate::web::input::Fields;
use crate::web::page::{Frame, Tab};
use crate::web::typed;

const KEYS: [&str; 3] = ["date", "montant", "libelle"];
/// Empty lines to fill in, at the end.
const EMPTY: usize = 3;
/// Lines, at most.
const MOST: usize = 100;

/// The page.
#[derive(Template)]
#[template(path = "wizard/de_minimis.html")]
struct DeMinimisPage<'a> {
    frame: Frame,
    programme: &'a str,
    page: String,
    back: String,
    strangers: &'a [String],
    wrong: Vec<Way>,
    carried: Vec<(&'a str, &'a str)>,
    rows: Vec<Row>,
    years: i16,
    until: String,
    until_change: String,
    /// What was added up, when nothing is wrong and something was given.
    sum: Option<Sum>,
    source: Quoted,
    warning: Quoted,
}

/// A line as it was typed.
#[derive(Default)]
struct Row {
    date: Option<String>,
    amount: Option<String>,
    label: Option<String>,
    wrong_date: Option<String>,
    wrong_amount: Option<String>,
}

struct Sum {
    lines: Vec<Line>,
    total: String,
    explanation: String,
    /// The wizard, with the total.
    onward: String,
}

struct Line {
    date: String,
    label: String,
    amount: String,
    counted: &'static str,
}

pub(super) fn page(site: &Site, id: &str, query: Option<&str>) -> Result<Response, Problem> {
    let fields = Fields::query(query)?;
    let mut visit = Visit::of(site, id, &fields)?;
    let rule = visit.rules.de_minimis.as_ref();
    let rule = rule.ok_or(Problem::UnknownPage)?;
    visit
        .answers
        .strangers
        .retain(|s| !KEYS.contains(&s.as_str()));
    let facts = match visit.facts()? {
        Ok(facts) => facts,
        Err(wrong) => return Ok(visit.to_mend(&wrong)),
    };
    let day = facts
        .application_date
        .unwrap_or_else(|| visit.site.app.today());
    let mut rows = rows(&fields)?;
    let lines = visit.read(&mut rows);
    let wrong = faults(&rows);
    let sum = match &lines {
        Some(lines) if !lines.is_empty() => Some(visit.sum(rule, lines, &rows, day)),
        _ => None,
    };
    rows.extend(std::iter::repeat_with(Row::default).take(EMPTY));
    let faulty = if wrong.is_empty() {
        ""
    } else {
        "Erreur\u{a0}: "
    };
    let mut response = site.private_html(&DeMinimisPage {
        frame: Frame::new(
            site,
            format!(
                "{faulty}Additionner vos aides de minimis — {}",
                visit.rules.name
            ),
            Tab::Aids,
        ),
        programme: &visit.rules.name,
        page: visit.answers.page_of("aides-de-minimis"),
        back: visit.answers.at(Step::Result),
        strangers: &visit.answers.strangers,
        carried: visit.answers.pairs(),
        years: rule.years,
        until: Day(day).spelled(Language::Fr),
        until_change: visit.answers.at(Step::Question(Fact::ApplicationDate)),
        sum,
        source: visit.quoted(&Cited::of(&rule.source, Language::Fr)),
        warning: visit.quoted(&Cited::of(&rule.warning, Language::Fr)),
        rows,
        wrong,
    });
    if lines.is_none() {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

/// The lines of the address; a key that comes again begins another one.
fn rows(fields: &Fields) -> Result<Vec<Row>, Problem> {
    let mut rows = Vec::new();
    let mut row = Row::default();
    for (name, value) in fields.pairs() {
        let slot = |row: &mut Row| match name {
            "date" => Some(row.date.is_some()),
            "montant" => Some(row.amount.is_some()),
            "libelle" => Some(row.label.is_some()),
            _ => None,
        };
        let Some(taken) = slot(&mut row) else {
            continue;
        };
        if taken {
            rows.push(std::mem::take(&mut row));
        }
        let value = Some(value.trim().to_owned());
        match name {
            "date" => row.date = value,
            "montant" => row.amount = value,
            _ => row.label = value,
        }
    }
    rows.push(row);
    let blank = |text: &Option<String>| text.as_ref().is_none_or(String::is_empty);
    rows.retain(|r: &Row| !(blank(&r.date) && blank(&r.amount) && blank(&r.label)));
    if rows.len() > MOST {
        return Err(Problem::WrongParameter {
            name: "montant",
            expected: format!("donné {MOST} fois au plus"),
        });
    }
    Ok(rows)
}

/// The faults of the lines, with the field each stands at.
fn faults(rows: &[Row]) -> Vec<Way> {
    let of_row = |(at, row): (usize, &Row)| {
        let at = at + 1;
        let fault = |name: &str, message: &Option<String>| {
            message.as_ref().map(|message| Way {
                label: format!("Aide {at}\u{a0}: {message}"),
                href: format!("#{name}-{at}"),
            })
        };
        [
            fault("date", &row.wrong_date),
            fault("montant", &row.wrong_amount),
        ]
    };
    rows.iter().enumerate().flat_map(of_row).flatten().collect()
}

impl Visit<'_> {
    /// The lines as values, or what is wrong said in each.
    fn read(&self, rows: &mut [Row]) -> Option<Vec<DatedAid>> {
        let entry = self.site.app.corpus.facts.get(Fact::DeMinimisReceivedEur);
        let refused = entry.map_or_else(String::new, |e| e.refused(Language::Fr));
        let most = entry.map_or(0.0, |e| e.max);
        let mut lines = Vec::new();
        for row in rows.iter_mut() {
            let date = row.date.as_deref().and_then(typed::date);
            let date = date.and_then(|d| Span::parse(&d));
            let date = date.filter(|span| span.known_to == Precision::Day);
            let amount = row.amount.as_deref().and_then(typed::number);
            let amount = amount.filter(|n| n.parse().is_ok_and(|n: f64| (0.0..=most).contains(&n)));
            let amount = amount.and_then(|n| Cents::of_decimal(&n));
            if date.is_none() {
                row.wrong_date = Some(
                    "indiquez le jour où elle a été accordée, écrit comme «\u{a0}12/03/2025\u{a0}»."
                        .to_owned(),
                );
            }
            if amount.is_none() {
                row.wrong_amount = Some(crate::web::prose::typeset(&refused));
            }
            if let (Some(date), Some(amount)) = (date, amount) {
                lines.push(DatedAid {
                    granted_on: date.first,
                    amount,
                });
            }
        }
        (lines.len() == rows.len()).then_some(lines)
    }

    fn sum(&self, rule: &DeMinimis, lines: &[DatedAid], rows: &[Row], day: Date) -> Sum {
        let total = rolling_total(lines, rule.years, day);
        let answers = self
            .answers
            .with(Fact::DeMinimisReceivedEur, &written(&json!(total)));
        let declared = Visit { answers, ..*self };
        let verdict = declared.facts().ok().and_then(Result::ok);
        let verdict = verdict.map(|facts| declared.verdict(&facts));
        let explanation = verdict.and_then(|v| v.de_minimis);
        let said = |cents: Cents| euros(cents.0, Language::Fr);
        let line = |(aid, row): (&DatedAid, &Row)| Line {
            date: Day(aid.granted_on).spelled(Language::Fr),
            label: row.label.clone().unwrap_or_default(),
            amount: said(aid.amount),
            counted: if aid.counts(rule.years, day) {
                "Oui"
            } else if aid.granted_on > day {
                "Non, elle est postérieure à la demande"
            } else {
                "Non, elle est trop ancienne"
            },
        };
        Sum {
            lines: lines.iter().zip(rows).map(line).collect(),
            total: said(total),
            explanation: explanation
                .map(|d| self.site.links.html(&d.explanation))
                .unwrap_or_default(),
            onward: declared.answers.at(Step::Result),
        }
    }
}

impl Row {
    fn text(value: &Option<String>) -> &str {
        value.as_deref().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_comes_again_begins_another_line_and_blank_lines_are_none() {
        let fields = Fields::parse(
            b"date=a&montant=1&libelle=x&date=&montant=&libelle=&date=b&date=c&montant=3&commune=Caen",
        );
        let rows = rows(&fields).expect("few lines");
        let read: Vec<(&str, &str)> = rows
            .iter()
            .map(|r| (Row::text(&r.date), Row::text(&r.amount)))
            .collect();
        assert_eq!(read, [("a", "1"), ("b", ""), ("c", "3")]);
        let many = "montant=1&".repeat(101);
        assert!(super::rows(&Fields::parse(many.as_bytes())).is_err());
    }
}
