//! A programme of aid: `corpus/programmes/<id>.toml`, complete, typed, each point sourced.

use serde::{Deserialize, Serialize};

use super::Named;
use super::fault::Lines;
use super::rules::{
    AidEntry, CostKind, Covered, DeMinimisEntry, DoorEntry, GridEntry, RuleEntry, Sentence,
    ToCheckEntry,
};
use super::statement::{Day, Statement, statement};
use crate::text::fold::Phrase;
use crate::text::language::Language;

/// What a programme gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ProgrammeKind {
    /// Experts' days paid by the Région.
    Service,
    /// Money towards a project.
    Grant,
    /// A contest with prizes.
    Contest,
}

statement! {
    /// A point with no typed value: presentation, condition, payment, commitment, document, legal frame, FAQ.
    Point {}
}
statement! {
    /// An amount of money, or a rate.
    Amount {
        /// What the amount is: `rate`, `cap`, `total_budget`, `prize_pool`, `advance`, …
        role: String,
        /// Euros.
        value_eur: f64,
        /// `HT` or `TTC`, when the act says.
        tax: String,
        /// Per cent.
        rate_percent: f64,
    }
}
statement! {
    /// A moment of the calendar.
    Moment {
        /// The day, when the act gives one.
        date: Day,
    }
}
statement! {
    /// A step of the procedure.
    Step {
        /// Its rank, from 1.
        order: u32,
        /// Who acts.
        actor: String,
    }
}
statement! {
    /// Whom to ask.
    Contact {
        /// Names as printed in the act.
        names: Vec<String>,
        /// E-mail addresses as printed in the act.
        emails: Vec<String>,
        /// Telephone as printed in the act.
        phone: String,
        /// Service.
        service: String,
    }
}
statement! {
    /// A criterion by which applications are judged.
    Criterion {
        /// Points, out of 100 in all, when the act gives them.
        points: u32,
    }
}
statement! {
    /// An indicator by which the programme is followed.
    Indicator {
        /// `réalisation`, `résultat` or `contexte`.
        level: String,
    }
}
statement! {
    /// A kind of cost, eligible or not.
    Cost {
        /// Whether it counts.
        eligible: bool,
        /// Its kind: `personnel`, `services`, `licences`, …
        cost: CostKind,
    }
}

/// A programme.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Programme {
    /// Id, the file's name and the last part of its page's address.
    pub id: String,
    /// Name, the same in both languages.
    pub name: String,
    /// How people name it.
    pub aliases: Vec<Phrase>,
    /// What it gives.
    pub kind: ProgrammeKind,
    /// Source of its statements, unless they name another.
    pub source: String,
    /// One sentence, in French.
    pub tagline: String,
    /// The same in English.
    pub tagline_en: String,
    /// The day from which it can be had.
    pub in_force_from: Day,
    /// Where applications are filed, when the act names an address.
    #[serde(default)]
    pub portal: Option<String>,
    /// What it is, for whom, why.
    pub overview: Vec<Point>,
    /// Conditions.
    pub conditions: Vec<Point>,
    /// Amounts and rates.
    pub amounts: Vec<Amount>,
    /// Calendar.
    pub calendar: Vec<Moment>,
    /// Procedure.
    pub steps: Vec<Step>,
    /// Costs that count and costs that do not.
    #[serde(default)]
    pub costs: Vec<Cost>,
    /// Payment.
    pub payment: Vec<Point>,
    /// Commitments of the beneficiary.
    pub commitments: Vec<Point>,
    /// Confidentiality and intellectual property.
    #[serde(default)]
    pub confidentiality: Vec<Point>,
    /// Documents asked for or handed over.
    pub documents: Vec<Point>,
    /// Criteria of judgement.
    #[serde(default)]
    pub criteria: Vec<Criterion>,
    /// Indicators.
    pub indicators: Vec<Indicator>,
    /// Legal frame.
    pub legal: Vec<Point>,
    /// Contacts.
    pub contacts: Vec<Contact>,
    /// What people ask across all that, and what the act does not say.
    pub faq: Vec<Point>,
    /// The conditions as the program tests them.
    pub(super) rules: Vec<RuleEntry>,
    /// What is given, computed.
    pub(super) aid: AidEntry,
    /// De minimis aid.
    #[serde(default)]
    pub(super) de_minimis: Option<DeMinimisEntry>,
    /// The grid by which applications are judged.
    #[serde(default)]
    pub(super) grid: Option<GridEntry>,
    /// What only a person can settle.
    #[serde(default)]
    pub(super) to_check: Vec<ToCheckEntry>,
    /// Other doors that the act names.
    #[serde(default)]
    pub(super) doors: Vec<DoorEntry>,
    /// Sentences of the act that hold conditions, or could.
    pub sentences: Vec<Sentence>,
    /// Sections of which every sentence is listed.
    pub covered: Vec<Covered>,
    #[serde(skip)]
    pub(super) file: String,
    #[serde(skip)]
    pub(super) lines: Lines,
    #[serde(skip)]
    sections: Vec<Section>,
}

/// A named part of a programme, as its page shows it.
#[derive(Debug, Clone)]
pub struct Section {
    /// Heading in French.
    pub title: &'static str,
    /// Heading in English.
    pub title_en: &'static str,
    /// The statements, in the order of the file.
    pub(super) statements: Vec<Statement>,
    /// The ids of its passages, in the same order.
    pub passages: Vec<String>,
}

impl Programme {
    /// Its parts in the order people read them, empty ones left out.
    #[must_use]
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// The sentence that presents it.
    #[must_use]
    pub fn tagline_in(&self, language: Language) -> &str {
        language.pick(&self.tagline, &self.tagline_en)
    }

    fn sectioned(&self, lines: &Lines) -> Vec<Section> {
        macro_rules! section {
            ($list:expr, $fr:literal, $en:literal) => {{
                let statements: Vec<Statement> = $list.iter().map(|s| s.common(lines)).collect();
                let passages = statements
                    .iter()
                    .map(|s| format!("{}/{}", self.id, s.id))
                    .collect();
                Section {
                    title: $fr,
                    title_en: $en,
                    statements,
                    passages,
                }
            }};
        }
        let sections = vec![
            section!(self.overview, "En bref", "In short"),
            section!(self.conditions, "Conditions", "Conditions"),
            section!(self.amounts, "Montants", "Amounts"),
            section!(self.costs, "Dépenses", "Costs"),
            section!(self.calendar, "Calendrier", "Calendar"),
            section!(self.steps, "Démarche", "Procedure"),
            section!(self.documents, "Documents", "Documents"),
            section!(
                self.criteria,
                "Critères d’appréciation",
                "Criteria of judgement"
            ),
            section!(self.payment, "Paiement et prise en charge", "Payment"),
            section!(self.commitments, "Engagements", "Commitments"),
            section!(
                self.confidentiality,
                "Confidentialité et propriété intellectuelle",
                "Confidentiality and intellectual property"
            ),
            section!(
                self.indicators,
                "Indicateurs de suivi",
                "Monitoring indicators"
            ),
            section!(self.legal, "Cadre juridique", "Legal frame"),
            section!(self.faq, "Questions fréquentes", "Frequent questions"),
            section!(self.contacts, "Contacts", "Contacts"),
        ];
        sections
            .into_iter()
            .filter(|s| !s.statements.is_empty())
            .collect()
    }
}

impl Named for Programme {
    fn file_stem(&self) -> &str {
        &self.id
    }

    fn locate(&mut self, file: &str, text: &str) {
        file.clone_into(&mut self.file);
        self.lines = Lines::of(text);
        self.sections = self.sectioned(&self.lines);
    }
}
