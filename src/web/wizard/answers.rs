//! What an address says: the answers given so far, in order, and what the visitor wants to see.
//!
//! ```text
//! /aides/booster-ia/eligibilite?organisation_kind=company&commune=Vernon&passer=duration_months
//! ```
//! The keys are those of the facts; `budget.services=20000` is a line of the budget. `passer` names a question
//! left unanswered, `etape` what to show, `demande` what a form that was sent had asked.

use serde_json::{Value, json};

use crate::corpus::Fact;
use crate::web::filter;
use crate::web::input::Fields;
use crate::web::typed;

/// The answers of an address.
#[derive(Clone)]
pub(super) struct Answers {
    programme: String,
    entries: Vec<Entry>,
    /// What a form had asked, when one was sent.
    pub(super) asked: Option<Asked>,
    /// What is to be shown.
    pub(super) step: Step,
    /// Names in the address that mean nothing here.
    pub(super) strangers: Vec<String>,
}

/// One answer, or one question left aside.
#[derive(Clone, PartialEq, Eq)]
enum Entry {
    /// Name and value as they were given: the name is that of a fact, or `budget.` and a kind of cost.
    Given(String, String),
    Skipped(Fact),
}

/// What a form that was sent had asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    One(Fact),
    /// All the questions, or those to mend: some may stay without an answer.
    Several,
}

/// What is to be shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The next question, or the result when there is none.
    Next,
    All,
    Result,
    Question(Fact),
}

/// How a fact is written in an address.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    Number,
    Date,
    Truth,
}

pub(super) fn shape(fact: Fact) -> Shape {
    match fact {
        Fact::OrganisationKind
        | Fact::DepartmentCode
        | Fact::Commune
        | Fact::Siret
        | Fact::Activity => Shape::Text,
        Fact::CreatedOn | Fact::ApplicationDate => Shape::Date,
        Fact::ProjectUsesAi => Shape::Truth,
        Fact::Population
        | Fact::HeadcountFte
        | Fact::NormandyStructureCount
        | Fact::DurationMonths
        | Fact::Budget
        | Fact::TeamSize
        | Fact::DeMinimisReceivedEur => Shape::Number,
    }
}

/// The fact whose question asks for this one too: a commune says the department.
pub(super) fn question_of(fact: Fact) -> Fact {
    match fact {
        Fact::Commune => Fact::DepartmentCode,
        other => other,
    }
}

/// The fact that a name of an address is about.
pub(super) fn fact_of(name: &str) -> Option<Fact> {
    let id = name.split('.').next().unwrap_or_default();
    let fact = Fact::ALL.into_iter().find(|f| f.id() == id)?;
    (name == id || fact == Fact::Budget).then_some(fact)
}

impl Answers {
    /// Reads the fields of an address; empty ones say nothing.
    pub(super) fn read(programme: &str, fields: &Fields) -> Self {
        let mut answers = Self {
            programme: programme.to_owned(),
            entries: Vec::new(),
            asked: None,
            step: Step::Next,
            strangers: Vec::new(),
        };
        for (name, value) in fields.pairs() {
            let value = value.trim();
            match (name, fact_of(value).map(question_of)) {
                _ if value.is_empty() => {}
                ("passer", Some(fact)) => {
                    let skipped = Entry::Skipped(fact);
                    if !answers.entries.contains(&skipped) {
                        answers.entries.push(skipped);
                    }
                }
                ("demande", Some(fact)) => answers.asked = Some(Asked::One(fact)),
                ("demande", None) if value == "tout" => answers.asked = Some(Asked::Several),
                ("etape", Some(fact)) => answers.step = Step::Question(fact),
                ("etape", None) if value == "tout" => answers.step = Step::All,
                ("etape", None) if value == "resultat" => answers.step = Step::Result,
                _ if fact_of(name).is_some() => {
                    let given = Entry::Given(name.to_owned(), value.to_owned());
                    answers.entries.push(given);
                }
                _ if !answers.strangers.iter().any(|s| s == name) => {
                    answers.strangers.push(name.to_owned());
                }
                _ => {}
            }
        }
        // "Je ne sais pas" was chosen on a form whose field held something: the choice comes last, and wins.
        if let Some(Asked::One(fact)) = answers.asked
            && answers.skips(fact)
        {
            answers.entries.retain(|e| match e {
                Entry::Given(..) => e.question() != fact,
                Entry::Skipped(_) => true,
            });
        }
        let answered: Vec<Fact> = answers
            .given()
            .map(|(name, _)| name_question(name))
            .collect();
        answers
            .entries
            .retain(|e| !matches!(e, Entry::Skipped(fact) if answered.contains(fact)));
        answers
    }

    /// The answers that facts would be, for the address that gives a result again.
    ///
    /// `facts` is the JSON object of the contract.
    pub(super) fn of(programme: &str, facts: &Value) -> Self {
        let given = |name: String, value: &Value| Entry::Given(name, written(value));
        let mut entries = Vec::new();
        for (name, value) in facts.as_object().into_iter().flatten() {
            match value.as_array() {
                Some(lines) => entries.extend(lines.iter().map(|line| {
                    given(
                        format!("{name}.{}", written(&line["kind"])),
                        &line["amount_eur"],
                    )
                })),
                None => entries.push(given(name.clone(), value)),
            }
        }
        Self {
            programme: programme.to_owned(),
            entries,
            asked: None,
            step: Step::Next,
            strangers: Vec::new(),
        }
    }

    /// Whether nothing was said.
    pub(super) fn are_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Names and values, as given.
    pub(super) fn given(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter().filter_map(|e| match e {
            Entry::Given(name, value) => Some((name.as_str(), value.as_str())),
            Entry::Skipped(_) => None,
        })
    }

    /// The first value with this name; empty when there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        self.given()
            .find(|(n, _)| *n == name)
            .map_or("", |(_, v)| v)
    }

    /// Whether a question has an answer, sound or not.
    pub(super) fn answers(&self, question: Fact) -> bool {
        self.given()
            .any(|(name, _)| name_question(name) == question)
    }

    /// Whether a question was left aside.
    pub(super) fn skips(&self, question: Fact) -> bool {
        self.entries.contains(&Entry::Skipped(question))
    }

    /// The questions answered or left aside, in order, each once.
    pub(super) fn questions(&self) -> Vec<Fact> {
        let mut out = Vec::new();
        for question in self.entries.iter().map(Entry::question) {
            if !out.contains(&question) {
                out.push(question);
            }
        }
        out
    }

    /// The facts as JSON, spelled as [`Facts::read`] reads them; what cannot be spelled so stays as it was typed,
    /// for it to be refused there.
    pub(super) fn document(&self) -> String {
        let mut members: Vec<String> = Vec::new();
        let mut lines: Vec<String> = Vec::new();
        for (name, value) in self.given() {
            match (name.strip_prefix("budget."), fact_of(name)) {
                (Some(kind), _) => lines.push(format!(
                    "{{\"kind\":{},\"label\":\"\",\"amount_eur\":{}}}",
                    json!(kind),
                    spelled(Shape::Number, value)
                )),
                (None, Some(fact)) => {
                    let value = match fact {
                        Fact::Budget => json!(value).to_string(),
                        other => spelled(shape(other), value),
                    };
                    members.push(format!("{}:{value}", json!(name)));
                }
                (None, None) => {}
            }
        }
        if !lines.is_empty() {
            members.push(format!("\"budget\":[{}]", lines.join(",")));
        }
        format!("{{{}}}", members.join(","))
    }

    /// The lines of the budget: kind of cost and amount, as given.
    pub(super) fn lines(&self) -> impl Iterator<Item = (&str, &str)> {
        self.given()
            .filter_map(|(name, value)| Some((name.strip_prefix("budget.")?, value)))
    }

    /// Without what was said of these questions.
    pub(super) fn without(&self, questions: &[Fact]) -> Self {
        let mut answers = self.clone();
        answers
            .entries
            .retain(|e| !questions.contains(&e.question()));
        answers
    }

    /// Without the last question answered or left aside: the address before.
    pub(super) fn before(&self) -> Option<Self> {
        let mut answers = self.clone();
        let last = answers.entries.last()?.question();
        while answers.entries.last().is_some_and(|e| e.question() == last) {
            answers.entries.pop();
        }
        Some(answers)
    }

    /// With one more answer, or another.
    pub(super) fn with(&self, fact: Fact, value: &str) -> Self {
        let mut answers = self.clone();
        let of_fact = |e: &Entry| match e {
            Entry::Given(name, _) => fact_of(name) == Some(fact),
            Entry::Skipped(skipped) => *skipped == question_of(fact),
        };
        answers.entries.retain(|e| !of_fact(e));
        answers
            .entries
            .push(Entry::Given(fact.id().to_owned(), value.to_owned()));
        answers
    }

    /// The same answers, given to another programme.
    pub(super) fn to(&self, programme: &str) -> Self {
        Self {
            programme: programme.to_owned(),
            entries: self.entries.clone(),
            asked: None,
            step: Step::Next,
            strangers: Vec::new(),
        }
    }

    /// The names and values of the address, but for what is to be shown.
    pub(super) fn pairs(&self) -> Vec<(&str, &str)> {
        let pairs = self.entries.iter().map(|e| match e {
            Entry::Given(name, value) => (name.as_str(), value.as_str()),
            Entry::Skipped(fact) => ("passer", fact.id()),
        });
        pairs.collect()
    }

    /// The address of these answers.
    pub(super) fn href(&self) -> String {
        self.at(Step::Next)
    }

    /// The address of these answers, to show something.
    pub(super) fn at(&self, step: Step) -> String {
        let step = match step {
            Step::Next => None,
            Step::All => Some("tout"),
            Step::Result => Some("resultat"),
            Step::Question(fact) => Some(fact.id()),
        };
        let mut pairs = self.pairs();
        pairs.extend(step.map(|step| ("etape", step)));
        filter::address(&self.page(), &pairs)
    }

    /// The address without answers.
    pub(super) fn page(&self) -> String {
        self.page_of("eligibilite")
    }

    /// The address of another page of the programme.
    pub(super) fn page_of(&self, name: &str) -> String {
        format!("/aides/{}/{name}", self.programme)
    }

    /// The same, with these answers.
    pub(super) fn on(&self, name: &str) -> String {
        filter::address(&self.page_of(name), &self.pairs())
    }
}

impl Entry {
    fn question(&self) -> Fact {
        match self {
            Self::Given(name, _) => name_question(name),
            Self::Skipped(fact) => *fact,
        }
    }
}

/// Only names of facts are kept.
fn name_question(name: &str) -> Fact {
    fact_of(name).map_or(Fact::Budget, question_of)
}

/// A JSON value as an address writes it. Three decimals alone would read as a group of thousands.
pub(super) fn written(value: &Value) -> String {
    let Some(text) = value.as_str() else {
        let number = value.to_string();
        let decimals = number.split_once('.').map_or("", |(_, decimals)| decimals);
        return match decimals.len() {
            3 => number + "0",
            _ => number,
        };
    };
    text.to_owned()
}

/// A value as JSON.
fn spelled(shape: Shape, value: &str) -> String {
    let typed = || json!(value).to_string();
    match shape {
        Shape::Text => typed(),
        Shape::Number => typed::number(value).unwrap_or_else(typed),
        Shape::Date => typed::date(value).map_or_else(typed, |date| json!(date).to_string()),
        Shape::Truth => match value {
            "oui" | "true" => "true".to_owned(),
            "non" | "false" => "false".to_owned(),
            _ => typed(),
        },
    }
}
