//! The conditions of an aid, one question at a time, and the result: `/aides/{programme}/eligibilite`.
//!
//! All answers live in the address ([`answers`]), so that each page can be gone back to, kept or sent, and
//! nothing is kept here. What is asked next, and what comes of it, is told by [`eligibility::verdict`]; this
//! module turns addresses into facts and verdicts into pages.

mod answers;
mod de_minimis;
mod fault;
mod field;
mod grid;
mod question;
mod result;
mod words;

use axum::extract::{RawQuery, State};
use axum::http::header::{CACHE_CONTROL, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::Value;

use super::Site;
use super::error::Problem;
use super::input::{Fields, Segment};
use crate::corpus::{Fact, Gives, Rules, Territory};
use crate::eligibility::{self, Case, Facts, Outcome, Refused, Verdict};
use crate::text::language::Language;
use answers::{Answers, Asked, Step, question_of};
use fault::Wrong;

/// A visit: the programme, what was answered, what places are looked up in.
struct Visit<'a> {
    site: &'a Site,
    rules: &'a Rules,
    territory: &'a Territory,
    answers: Answers,
}

/// `GET /aides/{id}/eligibilite`.
pub(super) async fn show(
    site: State<Site>,
    Segment(id): Segment,
    RawQuery(query): RawQuery,
) -> Response {
    let page = page(&site, &id, query.as_deref());
    unlisted(site.page_or_refusal(page))
}

fn page(site: &Site, id: &str, query: Option<&str>) -> Result<Response, Problem> {
    let visit = Visit::of(site, id, &Fields::query(query)?)?;
    let facts = match visit.facts()? {
        Ok(facts) => facts,
        Err(wrong) => return Ok(visit.to_mend(&wrong)),
    };
    // A form was sent: its answers take their place in the address, and what comes next is shown there.
    match visit.answers.asked {
        Some(Asked::One(_)) => return Ok(see_other(&visit.answers.href())),
        Some(Asked::Several) => return Ok(see_other(&visit.answers.at(Step::Result))),
        None => {}
    }
    let verdict = visit.verdict(&facts);
    let asked = match visit.answers.step {
        Step::All => return Ok(visit.all_questions()),
        Step::Question(question) => Some(question),
        Step::Result => None,
        Step::Next => visit.open(&verdict).first().copied(),
    };
    Ok(match asked {
        Some(question) => visit.question(question, &facts, &verdict),
        None => visit.result(&facts, &verdict),
    })
}

/// Where the page of an aid leads when its address holds answers.
pub(super) fn deep_link(id: &str, query: Option<&str>) -> Option<Response> {
    let fields = Fields::query(query).ok()?;
    let answers = Answers::read(id, &fields);
    let query = query.filter(|_| !answers.are_empty())?;
    Some(unlisted(see_other(&format!("{}?{query}", answers.page()))))
}

/// `GET /aides/{id}/aides-de-minimis`.
pub(super) async fn de_minimis(
    site: State<Site>,
    Segment(id): Segment,
    RawQuery(query): RawQuery,
) -> Response {
    let page = de_minimis::page(&site, &id, query.as_deref());
    unlisted(site.page_or_refusal(page))
}

/// `GET /aides/{id}/auto-evaluation`.
pub(super) async fn grid(
    site: State<Site>,
    Segment(id): Segment,
    RawQuery(query): RawQuery,
) -> Response {
    let page = grid::page(&site, &id, query.as_deref());
    unlisted(site.page_or_refusal(page))
}

/// The addresses of all the questions, and of the result, with these facts: a JSON object of the contract.
pub(super) fn addresses(programme: &str, facts: &Value) -> (String, String) {
    let answers = Answers::of(programme, facts);
    (answers.at(Step::All), answers.at(Step::Result))
}

impl<'a> Visit<'a> {
    fn of(site: &'a Site, id: &str, fields: &Fields) -> Result<Self, Problem> {
        let corpus = &site.app.corpus;
        Ok(Self {
            site,
            rules: corpus.rules_of(id).ok_or(Problem::UnknownProgramme)?,
            territory: site.territory()?,
            answers: Answers::read(id, fields),
        })
    }
}

impl Visit<'_> {
    /// The facts, or all that is wrong in the answers.
    fn facts(&self) -> Result<Result<Facts, Vec<Wrong>>, Problem> {
        let corpus = &self.site.app.corpus;
        let document = self.answers.document();
        let mut wrong = Vec::new();
        if let Some(Asked::One(question)) = self.answers.asked
            && !self.answers.answers(question)
            && !self.answers.skips(question)
        {
            wrong.push(Wrong::unanswered(question));
        }
        match Facts::read(
            &document,
            &corpus.facts,
            self.territory,
            self.site.app.today(),
        ) {
            Ok(facts) if wrong.is_empty() => return Ok(Ok(facts)),
            Ok(_) => {}
            Err(Refused::Faults(faults)) => wrong.extend(
                faults
                    .iter()
                    .map(|f| Wrong::of(f, corpus, self.territory, &self.answers)),
            ),
            Err(other) => return Err(other.into()),
        }
        Ok(Err(wrong))
    }

    fn verdict(&self, facts: &Facts) -> Verdict {
        let case = Case {
            corpus: &self.site.app.corpus,
            facts,
            today: self.site.app.today(),
            language: Language::Fr,
        };
        eligibility::verdict(self.rules, case)
    }

    /// The questions still to ask, most decisive first. The budget decides nothing: it is asked last, of those who
    /// may have the aid, to tell how much it would be.
    fn open(&self, verdict: &Verdict) -> Vec<Fact> {
        let mut open: Vec<Fact> = verdict.missing.iter().map(|f| question_of(*f)).collect();
        let grant = matches!(self.rules.aid.gives, Gives::Grant { .. });
        if grant && verdict.verdict != Outcome::NotEligible && !self.answers.answers(Fact::Budget) {
            open.push(Fact::Budget);
        }
        open.retain(|question| !self.answers.skips(*question));
        // Someone who left a condition aside is not asked how much they would get.
        if verdict.verdict == Outcome::Undetermined && open == [Fact::Budget] {
            open.clear();
        }
        open
    }
}

fn see_other(address: &str) -> Response {
    let mut response = Redirect::to(address).into_response();
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What someone said is in the address: no search engine is to keep it, nor to follow what it leads to.
fn unlisted(mut response: Response) -> Response {
    response.headers_mut().insert(
        HeaderName::from_static("x-robots-tag"),
        HeaderValue::from_static("noindex, nofollow"),
    );
    response
}
