//! The verdict beside an answer: each condition, what was understood, and the way to the form that shows it whole.

use askama::Template;
use serde::Deserialize;

use super::prose::Links;
use super::wizard;
use crate::answer::{Answer, FactShown};
use crate::text::language::Language;

/// The card of a verdict.
#[derive(Template)]
#[template(path = "turn/verdict.html")]
pub(super) struct Card<'a> {
    id: String,
    lang: &'static str,
    language: Language,
    links: &'a Links,
    name: &'a str,
    verdict: Verdict,
    facts: &'a [FactShown],
    /// The form with what was told, and its result.
    form: String,
    result: String,
}

/// What of a verdict the card shows; it is stored as the contract gives it.
#[derive(Deserialize)]
struct Verdict {
    programme: String,
    verdict: String,
    criteria: Vec<Criterion>,
    indication: String,
    notice: String,
    record: Record,
}

#[derive(Deserialize)]
struct Criterion {
    status: String,
    explanation: String,
    source: Source,
}

#[derive(Deserialize)]
struct Source {
    locator: String,
    quote: String,
    more_quotes: Vec<String>,
}

#[derive(Deserialize)]
struct Record {
    rules: String,
    as_of: String,
}

impl<'a> Card<'a> {
    /// The card of an answer that has a verdict.
    pub(super) fn of(id: &str, answer: &'a Answer, links: &'a Links) -> Option<Self> {
        let verdict = Verdict::deserialize(answer.eligibility.as_ref()?).ok()?;
        let action = answer
            .actions
            .iter()
            .find(|a| a.programme == verdict.programme && a.kind == "open_programme");
        let (form, result) = wizard::addresses(&verdict.programme, &answer.known);
        Some(Self {
            id: format!("{id}-verdict"),
            lang: answer.language.code(),
            language: answer.language,
            links,
            name: action.map_or("", |a| a.label.as_str()),
            facts: &answer.facts,
            form,
            result,
            verdict,
        })
    }

    fn pick(&self, fr: &'static str, en: &'static str) -> &'static str {
        self.language.pick(fr, en)
    }

    fn outcome(&self) -> (&'static str, &'static str) {
        match self.verdict.verdict.as_str() {
            "eligible" => ("met", self.pick("Conditions remplies", "Conditions met")),
            "not_eligible" => (
                "failed",
                self.pick("Conditions non remplies", "Conditions not met"),
            ),
            _ => ("unknown", self.pick("À préciser", "To be completed")),
        }
    }

    fn status(&self, criterion: &Criterion) -> (&'static str, &'static str) {
        match criterion.status.as_str() {
            "met" => ("met", self.pick("Remplie", "Met")),
            "failed" => ("failed", self.pick("Non remplie", "Not met")),
            "not_applicable" => ("aside", self.pick("Sans objet", "Not applicable")),
            _ => ("unknown", self.pick("À préciser", "To be completed")),
        }
    }

    /// All the conditions are in sight once the answer is known.
    fn is_decided(&self) -> bool {
        self.verdict.verdict != "undetermined"
    }
}
