//! The grid by which applications are judged, for people to assess their own project:
//! `/aides/{programme}/auto-evaluation`.
//!
//! The criteria, their points and the floor are the corpus'; the marks are the visitor's own and stand in the
//! address (`note.critere-qualite=14`). The page adds up; it gives no mark, and enters no verdict.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use super::Visit;
use super::words::Quoted;
use crate::corpus::{Grid, number};
use crate::eligibility::{Cents, Cited};
use crate::text::language::Language;
use crate::web::Site;
use crate::web::error::Problem;
use crate::web::filter::Way;
use crate::web::input::Fields;
use crate::web::page::{Frame, Tab};
use crate::web::prose::typeset;
use crate::web::typed;

/// What a criterion's name begins with in an address.
const NOTE: &str = "note.";

/// The page.
#[derive(Template)]
#[template(path = "wizard/grid.html")]
struct GridPage<'a> {
    frame: Frame,
    programme: &'a str,
    page: String,
    back: String,
    strangers: &'a [String],
    wrong: Vec<Way>,
    carried: Vec<(&'a str, &'a str)>,
    notes: Vec<Note>,
    sum: Option<Sum>,
    floor: String,
    source: Quoted,
    floor_source: Quoted,
}

/// A criterion and the mark given.
struct Note {
    name: String,
    id: String,
    words: String,
    points: u32,
    typed: String,
    /// In hundredths of a point; `None` when it is not given, or wrong.
    given: Option<i64>,
    wrong: Option<String>,
}

/// What the marks come to.
struct Sum {
    title: String,
    explanation: String,
}

pub(super) fn page(site: &Site, id: &str, query: Option<&str>) -> Result<Response, Problem> {
    let fields = Fields::query(query)?;
    let mut visit = Visit::of(site, id, &fields)?;
    let grid = visit.rules.grid.as_ref().ok_or(Problem::UnknownPage)?;
    let notes = notes(grid, &fields);
    let known = |name: &str| notes.iter().any(|n| n.name == name);
    visit.answers.strangers.retain(|name| !known(name));
    let wrong: Vec<Way> = notes
        .iter()
        .filter_map(|note| {
            Some(Way {
                label: note.wrong.clone()?,
                href: format!("#{}", note.id),
            })
        })
        .collect();
    let refused = !wrong.is_empty();
    let floor = site.app.corpus.passage(&grid.floor_source.id);
    let faulty = if refused { "Erreur\u{a0}: " } else { "" };
    let mut response = site.private_html(&GridPage {
        frame: Frame::new(
            site,
            format!(
                "{faulty}Apprécier vous-même votre projet — {}",
                visit.rules.name
            ),
            Tab::Aids,
        ),
        programme: &visit.rules.name,
        page: visit.answers.page_of("auto-evaluation"),
        back: if visit.answers.are_empty() {
            format!("/aides/{id}")
        } else {
            visit.answers.href()
        },
        strangers: &visit.answers.strangers,
        carried: visit.answers.pairs(),
        sum: if refused { None } else { sum(grid, &notes) },
        notes,
        floor: floor.map_or_else(String::new, |p| site.links.html(&p.prose.fr)),
        source: visit.quoted(&Cited::of(&grid.source, Language::Fr)),
        floor_source: visit.quoted(&Cited::of(&grid.floor_source, Language::Fr)),
        wrong,
    });
    if refused {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

fn notes(grid: &Grid, fields: &Fields) -> Vec<Note> {
    let note = |criterion: &crate::corpus::GridCriterion| {
        let name = format!("{NOTE}{}", criterion.id);
        let values: Vec<&str> = fields
            .pairs()
            .filter(|(n, value)| *n == name && !value.trim().is_empty())
            .map(|(_, value)| value.trim())
            .collect();
        let most = i64::from(criterion.points) * 100;
        // Hundredths are exact here as cents are.
        let given = match values[..] {
            [value] => typed::number(value)
                .and_then(|n| Cents::of_decimal(&n))
                .map(|c| c.0)
                .filter(|n| (0..=most).contains(n)),
            _ => None,
        };
        let words = criterion.source.quotes.first().map_or("", String::as_str);
        let refused = !values.is_empty() && given.is_none();
        Note {
            id: name.replace('.', "-"),
            name,
            words: typeset(words),
            points: criterion.points,
            typed: values.first().copied().unwrap_or_default().to_owned(),
            given,
            wrong: refused.then(|| {
                format!(
                    "Indiquez une seule note, de 0 à {}, écrite comme «\u{a0}12\u{a0}» ou «\u{a0}7,5\u{a0}».",
                    criterion.points
                )
            }),
        }
    };
    grid.criteria.iter().map(note).collect()
}

/// What the marks come to, and what the text says of that: unknown while those that miss may still change it.
fn sum(grid: &Grid, notes: &[Note]) -> Option<Sum> {
    let given: Vec<i64> = notes.iter().filter_map(|n| n.given).collect();
    if given.is_empty() {
        return None;
    }
    let total: i64 = given.iter().sum();
    let open: i64 = notes
        .iter()
        .filter(|n| n.given.is_none())
        .map(|n| i64::from(n.points) * 100)
        .sum();
    let floor = i64::from(grid.floor) * 100;
    let missing = notes.len() - given.len();
    let judged = if total >= floor {
        "atteint le seuil du texte"
    } else if total + open < floor {
        "est sous le seuil du texte"
    } else {
        "ne dit pas encore si le seuil du texte serait atteint"
    };
    let state = match missing {
        0 => String::new(),
        1 => " Une note manque.".to_owned(),
        n => format!(" {n} notes manquent."),
    };
    Some(Sum {
        title: format!("Votre total\u{a0}: {} sur {}", points(total), grid.out_of),
        explanation: format!(
            "Ce total {judged} ({} sur {}).{state} C’est votre propre appréciation, pas une note de la Région, qui juge aussi un projet au regard des autres.",
            grid.floor, grid.out_of
        ),
    })
}

/// Hundredths as points: "62,5".
#[expect(
    clippy::cast_precision_loss,
    reason = "at most some thousands of hundredths"
)]
fn points(hundredths: i64) -> String {
    number(hundredths as f64 / 100.0, Language::Fr)
}
