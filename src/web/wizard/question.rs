//! The pages that ask: one question, all of them, or those whose answers are to be mended.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use super::Visit;
use super::answers::{Answers, Step, question_of};
use super::fault::Wrong;
use super::field::{Asking, Field};
use super::words::{Quoted, Said};
use crate::corpus::{Criterion, Fact, Gives, Test};
use crate::eligibility::{Facts, Verdict};
use crate::web::filter::Way;
use crate::web::page::{Frame, Tab};

/// A page with a form.
#[derive(Template)]
#[template(path = "wizard/question.html")]
struct QuestionPage<'a> {
    frame: Frame,
    programme: &'a str,
    page: String,
    back: String,
    strangers: &'a [String],
    /// Faults, each with the field it stands at.
    wrong: Vec<Way>,
    /// The title, when several questions are asked.
    title: Option<&'static str>,
    lead: Option<&'static str>,
    fields: Vec<Field>,
    /// The answers that the form carries on.
    carried: Vec<(&'a str, &'a str)>,
    /// What the form says it asked.
    asked: &'static str,
    /// The question may be left aside.
    skips: bool,
    /// What public files know of the place.
    suggestions: Vec<Suggested>,
    /// What is asked for, and the words of the text behind it.
    why: Option<(String, Quoted)>,
    /// The answer given, when it leaves the condition open.
    vague: Option<String>,
    /// Questions still open after this one, at most.
    left: usize,
    said: Vec<Said>,
    all: Option<String>,
    result: Option<String>,
    /// Where de minimis aid is added up, when it is asked for.
    de_minimis: Option<String>,
}

/// A value to be confirmed, and the address that takes it.
pub(super) struct Suggested {
    pub(super) explanation: String,
    pub(super) way: Way,
}

impl Visit<'_> {
    /// One question.
    pub(super) fn question(&self, question: Fact, facts: &Facts, verdict: &Verdict) -> Response {
        let others = self.answers.without(&[question]);
        let judged = verdict
            .criteria
            .iter()
            .find(|c| question_of(c.fact) == question);
        let open = self.open(verdict);
        let page = QuestionPage {
            back: match self.answers.step {
                // What led here was a link to change an answer.
                Step::Question(_) => self.answers.href(),
                _ => self.back(),
            },
            suggestions: self.suggestions(verdict, |fact| question_of(fact) == question),
            why: judged.map(|c| (self.site.links.html(&c.explanation), self.quoted(&c.source))),
            vague: (open.contains(&question) && self.answers.answers(question))
                .then(|| self.words(question, facts)),
            left: open.iter().filter(|q| **q != question).count(),
            said: self.said(Some(facts)),
            ..self.form(&[question], &[], &others, None)
        };
        self.site.private_html(&page)
    }

    /// All the questions of the programme.
    pub(super) fn all_questions(&self) -> Response {
        let questions = self.questions();
        let others = self.answers.without(&questions);
        let page = QuestionPage {
            back: self.answers.href(),
            lead: Some(
                "Répondez à ce que vous savez\u{a0}: ce qui reste vide sera dit dans le résultat.",
            ),
            ..self.form(&questions, &[], &others, Some("Toutes les questions"))
        };
        self.site.private_html(&page)
    }

    /// The questions whose answers cannot be taken, with what is wrong beside each.
    pub(super) fn to_mend(&self, wrong: &[Wrong]) -> Response {
        let mut questions = if self.answers.asked == Some(super::Asked::Several)
            || self.answers.step == Step::All
        {
            self.questions()
        } else {
            Vec::new()
        };
        for wrong in wrong {
            let question = super::answers::fact_of(&wrong.name).map(question_of);
            if let Some(question) = question.filter(|q| !questions.contains(q)) {
                questions.push(question);
            }
        }
        let others = self.answers.without(&questions);
        let title = (questions.len() > 1).then_some("Réponses à corriger");
        let page = QuestionPage {
            back: self.back(),
            said: self.said(None),
            ..self.form(&questions, wrong, &others, title)
        };
        let mut response = self.site.private_html(&page);
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
        response
    }

    fn form<'v>(
        &'v self,
        questions: &[Fact],
        wrong: &[Wrong],
        others: &'v Answers,
        title: Option<&'static str>,
    ) -> QuestionPage<'v> {
        let asking = Asking {
            corpus: &self.site.app.corpus,
            rules: self.rules,
            territory: self.territory,
            answers: &self.answers,
            wrong,
        };
        let fields: Vec<Field> = questions
            .iter()
            .filter_map(|q| asking.field(*q, title.is_none()))
            .collect();
        let heading = title.map_or_else(
            || fields.first().map_or(String::new(), |f| f.label.clone()),
            str::to_owned,
        );
        let faulty = if wrong.is_empty() {
            ""
        } else {
            "Erreur\u{a0}: "
        };
        let alone = match questions {
            [question] => Some(*question),
            _ => None,
        };
        QuestionPage {
            frame: Frame::new(
                self.site,
                format!("{faulty}{heading} — {}", self.rules.name),
                Tab::Aids,
            ),
            programme: &self.rules.name,
            page: self.answers.page(),
            back: String::new(),
            strangers: &self.answers.strangers,
            wrong: wrong
                .iter()
                .map(|w| Way {
                    label: w.message.clone(),
                    href: format!("#{}", asking.place(w)),
                })
                .collect(),
            title,
            lead: None,
            fields,
            carried: others.pairs(),
            asked: alone.map_or("tout", Fact::id),
            skips: alone.is_some(),
            suggestions: Vec::new(),
            why: None,
            vague: None,
            left: 0,
            said: Vec::new(),
            de_minimis: questions
                .contains(&Fact::DeMinimisReceivedEur)
                .then(|| self.answers.on("aides-de-minimis")),
            all: alone.map(|_| others.at(Step::All)),
            result: alone
                .filter(|_| !others.are_empty())
                .map(|_| others.at(Step::Result)),
        }
    }

    /// The address before the last answer; the page of the aid before the first.
    pub(super) fn back(&self) -> String {
        let before = self.answers.before();
        before.map_or_else(
            || format!("/aides/{}#eligibilite", self.rules.programme),
            |answers| answers.href(),
        )
    }

    /// Values that a public file knows, for facts of a kind.
    pub(super) fn suggestions(
        &self,
        verdict: &Verdict,
        wanted: impl Fn(Fact) -> bool,
    ) -> Vec<Suggested> {
        let wanted = verdict.suggestions.iter().filter(|s| wanted(s.fact));
        wanted
            .map(|s| Suggested {
                explanation: self.site.links.html(&s.explanation),
                way: Way {
                    label: format!(
                        "Prendre cette valeur\u{a0}: {}",
                        self.value(s.fact, &s.value)
                    ),
                    href: self
                        .answers
                        .with(s.fact, &super::answers::written(&s.value))
                        .href(),
                },
            })
            .collect()
    }

    /// Whether one of the programme's questions asks for this fact.
    pub(super) fn asks(&self, fact: Fact) -> bool {
        self.questions().contains(&fact)
    }

    /// The questions of the programme: who and where first, the day of the application last.
    fn questions(&self) -> Vec<Fact> {
        let rules = self.rules.rules.iter();
        let read = rules.filter(|r| r.test != Test::Anyone);
        let mut questions: Vec<Fact> = read
            .map(|r| question_of(r.criterion.fact()))
            .filter(|q| *q != Fact::ApplicationDate)
            .collect();
        questions.sort_by_key(|q| *q != Fact::OrganisationKind);
        if self.rules.rule(Criterion::Population).is_some() {
            questions.push(Fact::Siret);
        }
        if matches!(self.rules.aid.gives, Gives::Grant { .. }) {
            questions.push(Fact::Budget);
        }
        if self.rules.de_minimis.is_some() {
            questions.push(Fact::DeMinimisReceivedEur);
        }
        questions.push(Fact::ApplicationDate);
        questions
    }
}
