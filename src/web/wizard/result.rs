//! The page of a result: each condition with the words behind it, what is missing, what would change it,
//! the aid, and what makes it accountable. It can be printed, and its address gives it again.

use askama::Template;
use axum::response::Response;

use super::Visit;
use super::answers::{Answers, Step, question_of};
use super::field::{capitalised, label};
use super::question::Suggested;
use super::words::{Quoted, Said, outcome};
use crate::corpus::{Day, Fact, OrganisationKind, euros};
use crate::eligibility::{Facts, Judged, OtherDoor, Outcome, Status, Verdict};
use crate::text::language::Language;
use crate::web::filter::Way;
use crate::web::page::{Frame, Tab};
use crate::web::prose::typeset;

/// A result.
#[derive(Template)]
#[template(path = "wizard/result.html")]
struct ResultPage<'a> {
    frame: Frame,
    programme: &'a str,
    id: &'a str,
    page: String,
    back: String,
    strangers: &'a [String],
    title: &'static str,
    /// The outcome, as a word and as a class.
    tag: (&'static str, &'static str),
    summary: String,
    criteria: Vec<Shown>,
    /// Questions still open, where they are asked, and where answers lead.
    open: Vec<(Way, Vec<(String, &'static str)>)>,
    suggestions: Vec<Suggested>,
    changes: Vec<(String, &'static str)>,
    doors: Vec<Door>,
    aid: Aid,
    de_minimis: Option<Minimis>,
    /// Where a person adds up the de minimis aid they received.
    de_minimis_help: Option<String>,
    /// Where a person assesses their own project.
    grid: Option<String>,
    to_check: Vec<(String, Quoted)>,
    contact: String,
    said: Vec<Said>,
    all: String,
    indication: String,
    notice: String,
    as_of: String,
    as_of_change: String,
    rules: String,
    engine: &'static str,
    lasting: String,
}

/// A condition.
struct Shown {
    name: String,
    status: (&'static str, &'static str),
    explanation: String,
    source: Quoted,
    /// Where it is answered, when it is not yet.
    ask: Option<String>,
}

/// Another door.
struct Door {
    name: String,
    /// The answer there, for one of our programmes.
    outcome: Option<&'static str>,
    href: Option<String>,
    source: Option<Quoted>,
}

/// What would be given.
struct Aid {
    explanation: String,
    amount: Option<String>,
    lines: Vec<Line>,
    counted: Option<String>,
    source: Quoted,
    /// Where the budget is asked for, when the amount depends on it.
    ask: Option<String>,
}

/// An expense.
struct Line {
    name: String,
    amount: String,
    eligible: bool,
    reason: Option<String>,
}

/// De minimis aid declared.
struct Minimis {
    explanation: String,
    source: Quoted,
    warning: Quoted,
}

impl Visit<'_> {
    /// The result.
    pub(super) fn result(&self, facts: &Facts, verdict: &Verdict) -> Response {
        let html = |text: &str| self.site.links.html(text);
        let failed = verdict
            .criteria
            .iter()
            .filter(|c| c.status == Status::Failed);
        let (title, tag) = match (verdict.verdict, failed.count()) {
            (Outcome::Eligible, _) => (
                "Les conditions écrites sont remplies",
                ("Éligible, d’après vos réponses", "met"),
            ),
            (Outcome::NotEligible, 1) => (
                "Une condition n’est pas remplie",
                ("Non éligible, d’après vos réponses", "failed"),
            ),
            (Outcome::NotEligible, _) => (
                "Plusieurs conditions ne sont pas remplies",
                ("Non éligible, d’après vos réponses", "failed"),
            ),
            (Outcome::Undetermined, _) => (
                "On ne peut pas encore répondre",
                ("Indéterminé\u{a0}: il manque des réponses", "unknown"),
            ),
        };
        let lasting = Answers::of(&self.rules.programme, &dated(facts, verdict).document());
        let page = ResultPage {
            frame: Frame::new(
                self.site,
                format!("{title} — {}", self.rules.name),
                Tab::Aids,
            ),
            programme: &self.rules.name,
            id: &self.rules.programme,
            page: self.answers.page(),
            back: match self.answers.step {
                Step::Result => self.answers.href(),
                _ => self.back(),
            },
            strangers: &self.answers.strangers,
            title,
            tag,
            summary: html(&verdict.summary),
            criteria: verdict.criteria.iter().map(|c| self.shown(c)).collect(),
            open: self.leads(verdict),
            suggestions: self.suggestions(verdict, |_| true),
            changes: verdict
                .changes
                .iter()
                .map(|c| (html(&c.explanation), outcome(c.leads_to)))
                .collect(),
            doors: verdict.other_doors.iter().map(|d| self.door(d)).collect(),
            aid: self.aid(verdict),
            de_minimis: verdict.de_minimis.as_ref().map(|d| Minimis {
                explanation: html(&d.explanation),
                source: self.quoted(&d.source),
                warning: self.quoted(&d.warning),
            }),
            de_minimis_help: self
                .counts_de_minimis(facts)
                .then(|| self.answers.on("aides-de-minimis")),
            grid: self
                .rules
                .grid
                .as_ref()
                .map(|_| self.answers.on("auto-evaluation")),
            to_check: verdict
                .to_check
                .iter()
                .map(|q| (html(&q.question), self.quoted(&q.source)))
                .collect(),
            contact: html(&verdict.contact),
            said: self.said(Some(facts)),
            all: self.answers.at(Step::All),
            indication: html(&verdict.indication),
            notice: html(&verdict.notice),
            as_of: Day(verdict.as_of).spelled(Language::Fr),
            as_of_change: self.answers.at(Step::Question(Fact::ApplicationDate)),
            rules: verdict.record.rules.clone(),
            engine: verdict.record.engine,
            lasting: lasting.at(Step::Result),
        };
        self.site.private_html(&page)
    }

    fn shown(&self, criterion: &Judged) -> Shown {
        let question = question_of(criterion.fact);
        Shown {
            name: label(&self.site.app.corpus, criterion.fact),
            status: match criterion.status {
                Status::Met => ("Remplie", "met"),
                Status::Failed => ("Non remplie", "failed"),
                Status::Unknown => ("À préciser", "unknown"),
                Status::NotApplicable => ("Sans objet", "aside"),
            },
            explanation: self.site.links.html(&criterion.explanation),
            source: self.quoted(&criterion.source),
            ask: (criterion.status == Status::Unknown)
                .then(|| self.answers.at(Step::Question(question))),
        }
    }

    fn leads(&self, verdict: &Verdict) -> Vec<(Way, Vec<(String, &'static str)>)> {
        let lead = |lead: &crate::eligibility::Lead| {
            let way = Way {
                label: typeset(&lead.question),
                href: self.answers.at(Step::Question(question_of(lead.fact))),
            };
            let answers = lead.answers.iter();
            let answers = answers.map(|a| (capitalised(&a.answer), outcome(a.leads_to)));
            (way, answers.collect())
        };
        verdict.leads.iter().map(lead).collect()
    }

    fn door(&self, door: &OtherDoor) -> Door {
        match door {
            OtherDoor::Programme {
                id, name, verdict, ..
            } => Door {
                name: name.clone(),
                outcome: Some(outcome(*verdict)),
                href: Some(self.answers.to(id).href()),
                source: None,
            },
            OtherDoor::Group { name } => Door {
                name: typeset(name),
                outcome: None,
                href: None,
                source: None,
            },
            OtherDoor::Elsewhere { name, source } => Door {
                name: typeset(name),
                outcome: None,
                href: None,
                source: Some(self.quoted(source)),
            },
        }
    }

    fn aid(&self, verdict: &Verdict) -> Aid {
        let aid = &verdict.aid;
        let said = |cents: crate::eligibility::Cents| euros(cents.0, Language::Fr);
        let facts = &self.site.app.corpus.facts;
        let line = |line: &crate::eligibility::AidLine| {
            let kind = super::answers::written(&serde_json::json!(line.line.kind));
            Line {
                name: capitalised(facts.value(Fact::Budget, &kind, Language::Fr)),
                amount: said(line.line.amount),
                eligible: line.eligible,
                reason: line.reason.as_deref().map(typeset),
            }
        };
        let depends = aid.kind == "grant" && aid.amount_eur.is_none();
        Aid {
            explanation: self.site.links.html(&aid.explanation),
            amount: aid.amount_eur.map(said),
            counted: aid.eligible_costs_eur.map(said),
            lines: aid.lines.iter().map(line).collect(),
            source: self.quoted(&aid.source),
            ask: depends.then(|| self.answers.at(Step::Question(Fact::Budget))),
        }
    }

    /// Whether de minimis aid may bear on who asks.
    fn counts_de_minimis(&self, facts: &Facts) -> bool {
        let company = facts
            .organisation_kind
            .is_none_or(|kind| kind == OrganisationKind::Company);
        self.rules.de_minimis.is_some() && company
    }
}

/// The same facts on the day they were judged for: their address gives the same result on another day.
fn dated(facts: &Facts, verdict: &Verdict) -> Facts {
    Facts {
        application_date: Some(verdict.as_of),
        ..facts.clone()
    }
}
