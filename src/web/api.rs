//! JSON for machines, in the shapes of the contract. Errors are problem+json.

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::Request;
use axum::http::header::{CACHE_CONTROL, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Site;
use super::error::Problem;
use super::input::{self, Fields, Segment};
use super::statement;
use super::stream::Asked;
use crate::corpus::Programme;
use crate::eligibility::{self, Case, Facts};
use crate::text::language::Language;

/// Results of a search when no limit is given, and at most.
const SEARCH_LIMITS: (usize, usize) = (10, 100);
/// The same for datasets found.
const DATASET_LIMITS: (usize, usize) = (20, 1_000);

/// What `POST /api/v1/chat` takes, in words.
const MESSAGE_SHAPE: &str =
    "un objet avec « message », un texte, et au besoin « conversation_id », un texte";

/// What `POST /api/v1/chat` takes.
#[derive(Debug, Deserialize)]
struct Message {
    #[serde(default)]
    conversation_id: Option<String>,
    message: String,
}

/// `POST /api/v1/chat`: the answer as one object, or as events when the client takes an event stream.
pub(super) async fn chat(site: State<Site>, request: Request<Body>) -> Response {
    let streams = input::accepts(request.headers(), "text/event-stream");
    let answered = async {
        let Message {
            conversation_id,
            message,
        } = input::json(request, MESSAGE_SHAPE).await?;
        // What is no id is an unknown conversation: the answer says that it begins a new one.
        let conversation = conversation_id.map(|id| id.parse::<Uuid>().unwrap_or_default());
        let reply = match site.ask(conversation, message).await {
            Asked::OnItsWay(answering) if streams => {
                return Ok(site.0.clone().stream_json(answering));
            }
            Asked::OnItsWay(answering) => answering.await?,
            Asked::Done(result) => {
                let reply = (*result)?;
                if streams {
                    return Ok(site
                        .0
                        .clone()
                        .stream_json(Box::pin(std::future::ready(Ok(reply)))));
                }
                reply
            }
        };
        Ok(fresh(site.reply_document(&reply)))
    };
    site.json_or_refusal(answered.await)
}

/// `GET /api/v1/search?q=&limit=`: passages and records, best first.
pub(super) async fn search(site: State<Site>, RawQuery(query): RawQuery) -> Response {
    let found = async {
        let fields = Fields::query(query.as_deref())?;
        let limit = fields.number("limit", SEARCH_LIMITS.0, SEARCH_LIMITS.1)?;
        let asked = fields.get("q");
        let evidence = site.find(asked).await?;
        Ok(fresh(
            json!({ "query": asked, "results": evidence.results(&site.app.corpus, limit) }),
        ))
    };
    site.json_or_refusal(found.await)
}

/// `GET /api/v1/datasets?q=&limit=`: the records found, best first; without a query, all in order.
pub(super) async fn datasets(site: State<Site>, RawQuery(query): RawQuery) -> Response {
    let found = async {
        let fields = Fields::query(query.as_deref())?;
        let asked = fields.get("q");
        let default = if asked.is_empty() {
            DATASET_LIMITS.1
        } else {
            DATASET_LIMITS.0
        };
        let limit = fields.number("limit", default, DATASET_LIMITS.1)?;
        let found = site.find_records(asked).await?;
        let result = |(i, f): (usize, &super::datasets::RecordFound)| {
            let record = &site.app.corpus.records[f.at];
            json!({
                "rank": i + 1, "id": record.id, "title": record.title, "producer": record.producer,
                "url": record.address(), "score": f.score, "page": format!("/jeux-de-donnees/{}", record.id),
                "example": record.example,
            })
        };
        let results: Vec<Value> = found.iter().take(limit).enumerate().map(result).collect();
        Ok(fresh(
            json!({ "query": asked, "total": found.len(), "results": results }),
        ))
    };
    site.json_or_refusal(found.await)
}

/// `GET /api/v1/datasets/{id}`: one record, every field.
pub(super) async fn dataset(site: State<Site>, Segment(id): Segment) -> Response {
    let record = site.app.corpus.record(&id).ok_or(Problem::UnknownRecord);
    site.json_or_refusal(record.map(|record| {
        let mut document = serde_json::to_value(record).unwrap_or_else(|_| json!({}));
        document["url"] = record.address().into();
        document["page"] = format!("/jeux-de-donnees/{}", record.id).into();
        kept(document)
    }))
}

/// `GET /api/v1/programmes`.
pub(super) async fn programmes(site: State<Site>) -> Response {
    let results: Vec<Value> = site.app.corpus.programmes.iter().map(presented).collect();
    kept(json!({ "results": results }))
}

/// `GET /api/v1/programmes/{id}`: every part, every point, with its source.
pub(super) async fn programme(site: State<Site>, Segment(id): Segment) -> Response {
    let corpus = &site.app.corpus;
    let programme = corpus.programme(&id).ok_or(Problem::UnknownProgramme);
    site.json_or_refusal(programme.map(|programme| {
        let sections = programme.sections().iter().map(|section| {
            let statements = section.passages.iter().filter_map(|id| corpus.passage(id));
            json!({
                "title": section.title,
                "title_en": section.title_en,
                "statements": statements.map(|p| statement::document(corpus, p)).collect::<Vec<_>>(),
            })
        });
        let mut document = presented(programme);
        let source = corpus.source(&programme.source);
        document["source"] = json!({ "id": programme.source, "title": source.map(|s| &s.title), "adopted": source.and_then(|s| s.adopted) });
        document["sections"] = sections.collect();
        kept(document)
    }))
}

/// `POST /api/v1/programmes/{id}/eligibility`: the body is the facts, the answer is the verdict. Explanations are
/// in French, or in English with `?language=en`.
pub(super) async fn eligibility(
    site: State<Site>,
    Segment(id): Segment,
    RawQuery(query): RawQuery,
    request: Request<Body>,
) -> Response {
    let judged = async {
        let corpus = &site.app.corpus;
        let rules = corpus.rules_of(&id).ok_or(Problem::UnknownProgramme)?;
        let language = match Fields::query(query.as_deref())?.get("language") {
            "" | "fr" => Language::Fr,
            "en" => Language::En,
            _ => {
                return Err(Problem::WrongParameter {
                    name: "language",
                    expected: "fr ou en".to_owned(),
                });
            }
        };
        let text = input::json_text(request).await?;
        let today = site.app.today();
        let facts = Facts::read(&text, &corpus.facts, site.territory()?, today)?;
        let case = Case {
            corpus,
            facts: &facts,
            today,
            language,
        };
        Ok(fresh(json!(eligibility::verdict(rules, case))))
    };
    site.json_or_refusal(judged.await)
}

fn presented(programme: &Programme) -> Value {
    json!({
        "id": programme.id,
        "name": programme.name,
        "kind": programme.kind,
        "tagline": programme.tagline,
        "tagline_en": programme.tagline_en,
        "in_force_from": programme.in_force_from,
        "portal": programme.portal,
        "url": format!("/aides/{}", programme.id),
    })
}

/// A document that holds what a person said or depends on when it is asked.
#[expect(
    clippy::needless_pass_by_value,
    reason = "a literal reads better given whole"
)]
fn fresh(document: Value) -> Response {
    with_cache(&document, "no-store")
}

/// A document that changes with the corpus only.
#[expect(
    clippy::needless_pass_by_value,
    reason = "a literal reads better given whole"
)]
fn kept(document: Value) -> Response {
    with_cache(&document, "public, max-age=300")
}

fn with_cache(document: &Value, cache: &'static str) -> Response {
    let mut response = Json(document).into_response();
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}
