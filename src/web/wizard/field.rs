//! A question as a form asks it: the field, the value kept, and what is wrong with it.

use super::answers::{Answers, Shape, fact_of, shape, written};
use super::fault::Wrong;
use crate::corpus::{Corpus, Department, Fact, FactEntry, Rules, Territory, Test};
use crate::text::language::Language;
use crate::web::filter::Way;
use crate::web::prose::typeset;
use askama::Template;
use serde_json::json;

/// A field, or several under one legend.
#[derive(Template)]
#[template(path = "wizard/field.html")]
pub(super) struct Field {
    name: String,
    id: String,
    pub(super) label: String,
    /// The label is the title of the page.
    heading: bool,
    hint: Option<String>,
    fault: Option<String>,
    /// What the faulty value may have meant.
    choices: Vec<Way>,
    input: Input,
}

enum Input {
    Text {
        value: String,
        /// `decimal` or `numeric` for keyboards of telephones.
        mode: Option<&'static str>,
    },
    Radios(Vec<Choice>),
    Select(Vec<(String, Vec<Choice>)>),
    Several(Vec<Field>),
}

struct Choice {
    value: String,
    label: String,
    hint: Option<String>,
    chosen: bool,
}

/// What fields are made from.
pub(super) struct Asking<'a> {
    pub(super) corpus: &'a Corpus,
    pub(super) rules: &'a Rules,
    pub(super) territory: &'a Territory,
    pub(super) answers: &'a Answers,
    pub(super) wrong: &'a [Wrong],
}

impl Field {
    fn describes(&self) -> Option<String> {
        let hint = self.hint.as_ref().map(|_| format!("{}-aide", self.id));
        let fault = self.fault.as_ref().map(|_| format!("{}-erreur", self.id));
        let both: Vec<String> = hint.into_iter().chain(fault).collect();
        (!both.is_empty()).then(|| both.join(" "))
    }
}

impl Asking<'_> {
    /// The field of a question.
    pub(super) fn field(&self, question: Fact, heading: bool) -> Option<Field> {
        let entry = self.corpus.facts.get(question)?;
        let input = match question {
            // A commune says the department, and more: it is asked first.
            Fact::DepartmentCode => {
                let commune = self.corpus.facts.get(Fact::Commune)?;
                let fields = vec![
                    self.alone(commune, label(self.corpus, Fact::Commune), false),
                    self.alone(entry, label(self.corpus, Fact::DepartmentCode), false),
                ];
                return Some(Field {
                    name: "lieu".to_owned(),
                    id: "lieu".to_owned(),
                    label: asked(commune),
                    heading,
                    hint: None,
                    fault: None,
                    choices: Vec::new(),
                    input: Input::Several(fields),
                });
            }
            Fact::Budget => Input::Several(self.lines(entry)),
            _ => return Some(self.alone(entry, asked(entry), heading)),
        };
        let wrong = self
            .wrong
            .iter()
            .find(|w| w.name == question.id() && w.line.is_none());
        Some(Field {
            name: question.id().to_owned(),
            id: question.id().to_owned(),
            label: asked(entry),
            heading,
            hint: Some(typeset(entry.hint.in_language(Language::Fr))),
            fault: wrong.map(|w| w.message.clone()),
            choices: Vec::new(),
            input,
        })
    }

    /// The field of one fact.
    fn alone(&self, entry: &FactEntry, label: String, heading: bool) -> Field {
        let fact = entry.id;
        let value = self.answers.get(fact.id());
        let input = match (fact, shape(fact)) {
            (Fact::DepartmentCode, _) => Input::Select(self.departments(value)),
            (_, Shape::Truth) => Input::Radios(
                [("oui", "Oui", "true"), ("non", "Non", "false")]
                    .into_iter()
                    .map(|(key, label, also)| Choice {
                        value: key.to_owned(),
                        label: label.to_owned(),
                        hint: None,
                        chosen: value == key || value == also,
                    })
                    .collect(),
            ),
            _ if !entry.values.is_empty() => Input::Radios(
                entry
                    .values
                    .iter()
                    .map(|v| Choice {
                        value: v.id.clone(),
                        label: capitalised(v.label.in_language(Language::Fr)),
                        hint: v
                            .hint
                            .as_ref()
                            .map(|h| typeset(h.in_language(Language::Fr))),
                        chosen: v.id == value,
                    })
                    .collect(),
            ),
            (fact, shape) => Input::Text {
                value: value.to_owned(),
                mode: match (fact, shape) {
                    (Fact::Siret, _) => Some("numeric"),
                    (_, Shape::Number) => Some("decimal"),
                    _ => None,
                },
            },
        };
        let wrong = self.wrong.iter().find(|w| w.name == fact.id());
        Field {
            name: fact.id().to_owned(),
            id: fact.id().to_owned(),
            label,
            heading,
            hint: Some(self.hint(entry, heading)),
            fault: wrong.map(|w| w.message.clone()),
            choices: wrong.map_or_else(Vec::new, |w| w.choices(self.answers)),
            input,
        }
    }

    /// What helps to answer; among other questions, also whom it is for.
    fn hint(&self, entry: &FactEntry, alone: bool) -> String {
        let hint = typeset(entry.hint.in_language(Language::Fr));
        let rule = self
            .rules
            .rules
            .iter()
            .find(|r| r.criterion.fact() == entry.id);
        match rule.and_then(|r| r.kinds.as_ref()).filter(|_| !alone) {
            Some(kinds) => {
                let facts = &self.corpus.facts;
                let named = kinds.iter().map(|kind| {
                    let id = written(&json!(kind));
                    facts
                        .value(Fact::OrganisationKind, &id, Language::Fr)
                        .to_owned()
                });
                let named: Vec<String> = named.collect();
                format!("Seulement pour {}. {hint}", named.join(" ou "))
            }
            None => hint,
        }
    }

    /// Normandy's departments first: those that the programme's own rule names.
    fn departments(&self, value: &str) -> Vec<(String, Vec<Choice>)> {
        let named = self.rules.rules.iter().find_map(|r| match &r.test {
            Test::Departments(list) => Some(list),
            _ => None,
        });
        let ours = |code: &str| named.is_some_and(|list| list.iter().any(|c| c == code));
        let choice = |d: &Department| Choice {
            value: d.code.clone(),
            label: format!("{} ({})", d.name, d.code),
            hint: None,
            chosen: d.code.eq_ignore_ascii_case(value),
        };
        let all = self.territory.departments();
        let (here, elsewhere): (Vec<_>, Vec<_>) = all.iter().partition(|d| ours(&d.code));
        let group = |name: &str, list: Vec<&Department>| {
            (name.to_owned(), list.into_iter().map(choice).collect())
        };
        [
            group("Normandie", here),
            group("Autres départements", elsewhere),
        ]
        .into_iter()
        .filter(|(_, list): &(String, Vec<Choice>)| !list.is_empty())
        .collect()
    }

    /// A field for each kind of cost; more where the address gives several amounts of a kind, or a kind unknown.
    fn lines(&self, entry: &FactEntry) -> Vec<Field> {
        let field = |row: Row<'_>| {
            let wrong = self
                .wrong
                .iter()
                .find(|w| w.line.is_some() && w.line == row.at);
            Field {
                name: row.name,
                id: row.id,
                label: row.label,
                heading: false,
                hint: None,
                fault: wrong.map(|w| w.message.clone()),
                choices: Vec::new(),
                input: Input::Text {
                    value: row.value.to_owned(),
                    mode: Some("decimal"),
                },
            }
        };
        self.rows(entry).into_iter().map(field).collect()
    }

    fn rows(&self, entry: &FactEntry) -> Vec<Row<'_>> {
        let given: Vec<(&str, &str)> = self.answers.lines().collect();
        let mut rows = Vec::new();
        let known = entry.values.iter().map(|v| v.id.as_str());
        for kind in known.clone() {
            let of_kind: Vec<usize> = (0..given.len()).filter(|at| given[*at].0 == kind).collect();
            let at = of_kind.iter().copied().map(Some);
            let empty = of_kind.is_empty().then_some(None);
            for (time, at) in at.chain(empty).enumerate() {
                let again = if time == 0 {
                    String::new()
                } else {
                    format!("-{}", time + 1)
                };
                rows.push(Row {
                    name: format!("budget.{kind}"),
                    id: format!("budget-{kind}{again}"),
                    label: capitalised(self.corpus.facts.value(Fact::Budget, kind, Language::Fr)),
                    value: at.map_or("", |at| given[at].1),
                    at,
                });
            }
        }
        for (at, (kind, value)) in given.iter().enumerate() {
            if !known.clone().any(|k| k == *kind) {
                rows.push(Row {
                    name: format!("budget.{kind}"),
                    id: format!("budget-inconnu-{}", at + 1),
                    label: format!("«\u{a0}{kind}\u{a0}»"),
                    value,
                    at: Some(at),
                });
            }
        }
        rows
    }

    /// The identifier of the field of a faulty value.
    pub(super) fn place(&self, wrong: &Wrong) -> String {
        let budget = self.corpus.facts.get(Fact::Budget);
        let rows = budget.map_or_else(Vec::new, |entry| self.rows(entry));
        let row = match fact_of(&wrong.name) {
            Some(Fact::Budget) => rows
                .into_iter()
                .find(|row| wrong.line.is_none() || row.at == wrong.line),
            _ => None,
        };
        row.map_or_else(|| wrong.name.clone(), |row| row.id)
    }
}

/// A line of the budget: its place among those given, if it was given.
struct Row<'a> {
    name: String,
    id: String,
    label: String,
    value: &'a str,
    at: Option<usize>,
}

/// A question as people read it.
pub(super) fn asked(entry: &FactEntry) -> String {
    typeset(entry.question.in_language(Language::Fr))
}

/// The name of a fact at the head of a line: "L’effectif".
pub(super) fn label(corpus: &Corpus, fact: Fact) -> String {
    capitalised(corpus.facts.label(fact, Language::Fr))
}

/// With a capital.
pub(super) fn capitalised(text: &str) -> String {
    let text = typeset(text);
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}
