//! What is wrong with an answer, said beside its field.

use super::answers::{Answers, fact_of};
use crate::corpus::{Commune, Corpus, Fact, Found, Territory};
use crate::eligibility::FactFault;
use crate::text::language::Language;
use crate::web::filter::Way;
use crate::web::prose::typeset;

/// A faulty answer.
pub(super) struct Wrong {
    /// The name of its field; that of the budget for all its lines.
    pub(super) name: String,
    /// Its place among the lines of the budget.
    pub(super) line: Option<usize>,
    /// What to do.
    pub(super) message: String,
    /// Communes that it may mean: name, and code.
    meant: Vec<(String, String)>,
}

impl Wrong {
    /// A question that was sent without an answer.
    pub(super) fn unanswered(question: Fact) -> Self {
        let name = match question {
            Fact::DepartmentCode => Fact::Commune,
            other => other,
        };
        let message = match question {
            Fact::DepartmentCode => {
                "Indiquez une commune ou un département, ou choisissez « Je ne sais pas »."
            }
            _ => "Répondez à la question, ou choisissez « Je ne sais pas ».",
        };
        Self {
            name: name.id().to_owned(),
            line: None,
            message: typeset(message),
            meant: Vec::new(),
        }
    }

    /// A fact that was refused.
    pub(super) fn of(
        fault: &FactFault,
        corpus: &Corpus,
        territory: &Territory,
        answers: &Answers,
    ) -> Self {
        let line = fault.fact.strip_prefix("budget[");
        let line = line.and_then(|rest| rest.split(']').next()?.parse().ok());
        let fact = if line.is_some() {
            Some(Fact::Budget)
        } else {
            fact_of(&fault.fact)
        };
        let entry = fact.and_then(|fact| corpus.facts.get(fact));
        let as_listed = entry.is_some_and(|e| e.expected(Language::Fr) == fault.expected);
        let mut meant = Vec::new();
        let message = match (fact, entry) {
            (Some(Fact::Budget), _) if fault.fact.ends_with(".kind") => {
                "Cette nature de dépense n’est pas connue : portez ce montant sur une autre ligne, puis videz celle-ci."
                    .to_owned()
            }
            (Some(Fact::Commune), Some(entry)) => {
                let said = answers.get(Fact::Commune.id());
                let department = Some(answers.get(Fact::DepartmentCode.id()));
                let department = department.filter(|d| !d.is_empty());
                let (message, communes) = place(territory, said, department);
                meant = communes;
                message.unwrap_or_else(|| {
                    if as_listed {
                        entry.refused(Language::Fr)
                    } else {
                        framed(&fault.expected)
                    }
                })
            }
            (Some(_), Some(entry)) if as_listed => entry.refused(Language::Fr),
            _ => framed(&fault.expected),
        };
        Self {
            name: fact.map_or(fault.fact.clone(), |f| f.id().to_owned()),
            line,
            message: typeset(&message),
            meant,
        }
    }

    /// Links to the same answers with what it may have meant.
    pub(super) fn choices(&self, answers: &Answers) -> Vec<Way> {
        let others = answers.without(&[Fact::DepartmentCode]);
        let meant = self.meant.iter().map(|(label, code)| Way {
            label: label.clone(),
            href: others.with(Fact::Commune, code).href(),
        });
        meant.collect()
    }
}

fn framed(expected: &str) -> String {
    format!("Il faut ici {expected}.")
}

/// Why a commune was not taken, and those that may be meant.
fn place(
    territory: &Territory,
    said: &str,
    department: Option<&str>,
) -> (Option<String>, Vec<(String, String)>) {
    let named = |communes: Vec<&Commune>| {
        let label = |c: &&Commune| (format!("{} ({})", c.name, c.code), c.code.to_string());
        communes.iter().take(12).map(label).collect()
    };
    match territory.commune(said, department) {
        Found::Several(communes) => (
            Some("Plusieurs communes portent ce nom : choisissez la vôtre.".to_owned()),
            named(communes),
        ),
        Found::NotThere(communes) => (
            Some(format!(
                "Cette commune n’est pas dans le département choisi ({}) : corrigez l’un ou l’autre.",
                department.unwrap_or_default()
            )),
            named(communes),
        ),
        Found::Unknown => {
            let communes = territory.by_postcode(said);
            if communes.is_empty() {
                (None, Vec::new())
            } else {
                (
                    Some("C’est un code postal : choisissez la commune.".to_owned()),
                    named(communes),
                )
            }
        }
        Found::One { .. } | Found::Away(_) => (None, Vec::new()),
    }
}
