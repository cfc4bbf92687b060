//! Answers and sources in words, as the pages of the wizard show them.

use serde_json::json;

use super::Visit;
use super::answers::{Step, fact_of};
use super::field::{capitalised, label};
use crate::corpus::{Day, Fact, euros};
use crate::eligibility::{Cents, Cited, Facts, Outcome, Precision, Span};
use crate::text::language::Language;
use crate::web::prose::typeset;

/// An answer given, or a question left aside.
pub(super) struct Said {
    pub(super) label: String,
    /// `None` when the question was left aside.
    pub(super) value: Option<String>,
    /// The programme's conditions do not read it.
    pub(super) unused: bool,
    pub(super) href: String,
}

/// What the text says, as a page shows it.
pub(super) struct Quoted {
    pub(super) quotes: Vec<String>,
    pub(super) locator: String,
    /// The page of this site on which the passage stands, and its title.
    pub(super) page: Option<(String, String)>,
    /// Its address outside, when that is all there is.
    pub(super) url: Option<String>,
}

impl Visit<'_> {
    /// All that was answered so far. Without facts, as it was typed.
    pub(super) fn said(&self, facts: Option<&Facts>) -> Vec<Said> {
        let corpus = &self.site.app.corpus;
        let said = |question: Fact| {
            let given = self.answers.given().filter(|(name, _)| {
                fact_of(name).map(super::answers::question_of) == Some(question)
            });
            let value = match facts {
                _ if self.answers.skips(question) => None,
                Some(facts) => Some(self.words(question, facts)),
                None => {
                    let typed: Vec<&str> = given.map(|(_, value)| value).collect();
                    Some(typed.join(" ; "))
                }
            };
            let name = match question {
                Fact::DepartmentCode => Fact::Commune,
                other => other,
            };
            Said {
                label: label(corpus, name),
                value,
                unused: !self.reads(question),
                href: self.answers.at(Step::Question(question)),
            }
        };
        self.answers.questions().into_iter().map(said).collect()
    }

    /// Whether the programme reads what a question asks for: in a condition, for the amount, or to be set beside
    /// a ceiling.
    fn reads(&self, question: Fact) -> bool {
        match question {
            Fact::DeMinimisReceivedEur => self.rules.de_minimis.is_some(),
            // It tells the kind, the place and the population of a public body.
            Fact::Siret => self.asks(Fact::OrganisationKind),
            other => self.asks(other),
        }
    }

    pub(super) fn words(&self, question: Fact, facts: &Facts) -> String {
        match question {
            Fact::DepartmentCode => {
                let place = facts.commune.as_ref().map(|place| {
                    let department = place.department.as_deref();
                    department.map_or_else(
                        || place.name.clone(),
                        |code| format!("{} ({code})", place.name),
                    )
                });
                let told = facts.department_code.as_deref();
                let told = told.map(|code| self.department(code));
                let both: Vec<String> = place.into_iter().chain(told).collect();
                both.join(", ")
            }
            Fact::Siret => facts.siret.clone().unwrap_or_default(),
            Fact::CreatedOn => facts.created_on.map(spelled).unwrap_or_default(),
            Fact::ApplicationDate => facts
                .application_date
                .map(|day| Day(day).spelled(Language::Fr))
                .unwrap_or_default(),
            Fact::ProjectUsesAi => match facts.project_uses_ai {
                Some(true) => "Oui".to_owned(),
                _ => "Non".to_owned(),
            },
            Fact::Budget => {
                let total: Cents = facts.budget.iter().flatten().map(|l| l.amount).sum();
                format!("{} HT en tout", euros(total.0, Language::Fr))
            }
            Fact::DeMinimisReceivedEur => facts
                .de_minimis_received
                .map(|c| euros(c.0, Language::Fr))
                .unwrap_or_default(),
            other => self.value(other, &facts.document()[other.id()]),
        }
    }

    /// A value of a listed or a counted fact.
    pub(super) fn value(&self, fact: Fact, value: &serde_json::Value) -> String {
        let facts = &self.site.app.corpus.facts;
        match (value.as_f64(), value.as_str(), facts.get(fact)) {
            (Some(number), _, Some(entry)) => typeset(&entry.measured(number, Language::Fr)),
            (_, Some(code), _) if fact == Fact::DepartmentCode => self.department(code),
            (_, Some(id), _) => capitalised(facts.value(fact, id, Language::Fr)),
            _ => json!(value).to_string(),
        }
    }

    fn department(&self, code: &str) -> String {
        let known = self.territory.department(code);
        known.map_or_else(|| code.to_owned(), |d| format!("{} ({code})", d.name))
    }

    /// What a source says, and where it can be read.
    pub(super) fn quoted(&self, source: &Cited) -> Quoted {
        let corpus = &self.site.app.corpus;
        let passage = corpus.passage(&source.id);
        let page = passage.map(|p| (corpus.page_of(p), typeset(&p.title)));
        let page = page.filter(|(address, _)| !address.is_empty());
        let quotes = [&source.quote].into_iter().chain(&source.more_quotes);
        Quoted {
            quotes: quotes.filter(|q| !q.is_empty()).cloned().collect(),
            locator: source.locator.clone(),
            url: source.url.clone().filter(|_| page.is_none()),
            page,
        }
    }
}

/// A date as precise as it is known.
fn spelled(span: Span) -> String {
    let day = Day(span.first).spelled(Language::Fr);
    match span.known_to {
        Precision::Day => day,
        Precision::Month => day
            .split_once(' ')
            .map_or(day.clone(), |(_, m)| m.to_owned()),
        Precision::Year => span.first.year().to_string(),
    }
}

/// What comes of the conditions, in a few words that do not rest on a colour.
pub(super) fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Eligible => "toutes les conditions écrites sont remplies",
        Outcome::NotEligible => "une condition au moins n’est pas remplie",
        Outcome::Undetermined => "il manque des réponses",
    }
}
