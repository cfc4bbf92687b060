//! Asking a question and telling the answer as events: HTML for the page, JSON for the API.
//!
//! A first event leaves at once; verified sentences follow, never raw tokens. The work is a future
//! held by the stream: a client that leaves drops it.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::time::Duration;

use askama::Template;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, HeaderName};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::future::FutureExt as _;
use futures::stream::{self, StreamExt as _};
use serde_json::json;
use uuid::Uuid;

use super::Site;
use super::error::Problem;
use super::turn::{Opened, Shown};
use crate::answer::Evidence;
use crate::app::{Readiness, Reply};
use crate::text::door::Question;

/// How long an answer may take in all.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// An answer on its way.
type Answering = Pin<Box<dyn Future<Output = Result<Reply, Problem>> + Send>>;

/// What a question has become after one look.
pub(super) enum Asked {
    /// Answered, or refused at once: overload and unusable messages are told before any stream begins.
    Done(Box<Result<Reply, Problem>>),
    /// On its way.
    OnItsWay(Answering),
}

impl Site {
    /// Asks a question, and looks once whether it is refused at once.
    pub(super) async fn ask(&self, conversation: Option<Uuid>, message: String) -> Asked {
        let app = self.app.clone();
        let closing = self.closing.clone();
        let work = async move {
            app.converse(conversation, &message)
                .await
                .map_err(Problem::from)
        };
        let watched = async move {
            tokio::select! {
                done = tokio::time::timeout(ANSWER_TIME, AssertUnwindSafe(work).catch_unwind()) => match done {
                    Ok(Ok(result)) => result,
                    Ok(Err(_)) => {
                        tracing::error!("answering panicked");
                        Err(Problem::Broken)
                    }
                    Err(_) => {
                        tracing::error!(limit_s = ANSWER_TIME.as_secs(), "an answer took too long");
                        Err(Problem::Overloaded)
                    }
                },
                () = closing.cancelled() => Err(Problem::Closing),
            }
        };
        let mut answering: Answering = Box::pin(watched);
        match futures::poll!(&mut answering) {
            std::task::Poll::Ready(result) => Asked::Done(Box::new(self.with_progress(result))),
            std::task::Poll::Pending => Asked::OnItsWay(answering),
        }
    }

    /// Asks a question and waits for the answer.
    ///
    /// # Errors
    /// [`Problem`].
    pub(super) async fn answer(
        &self,
        conversation: Option<Uuid>,
        message: String,
    ) -> Result<Reply, Problem> {
        match self.ask(conversation, message).await {
            Asked::Done(result) => *result,
            Asked::OnItsWay(answering) => answering.await,
        }
    }

    /// The best passages and records for a query.
    ///
    /// # Errors
    /// [`Problem`].
    pub(super) async fn find(&self, query: &str) -> Result<Evidence, Problem> {
        let found = self.app.search(query).await.map_err(Problem::from);
        self.with_progress(found)
    }

    /// A refusal because of preparation says how far that is.
    fn with_progress<T>(&self, result: Result<T, Problem>) -> Result<T, Problem> {
        result.map_err(|problem| match (problem, self.app.readiness()) {
            (Problem::Preparing(_), Readiness::Preparing(progress)) => Problem::Preparing(progress),
            (Problem::Broken, Readiness::Failed(_)) => Problem::Unavailable,
            (other, _) => other,
        })
    }

    /// The message that says a conversation was not found, and begins anew.
    pub(super) fn restarted(&self, reply: &Reply) -> Option<String> {
        let language = reply.answered.answer.language;
        reply.restarted.then(|| {
            self.app
                .corpus
                .messages
                .say("goodbye_expired", language, &[])
        })
    }

    /// An answer as the API gives it.
    pub(super) fn reply_document(&self, reply: &Reply) -> serde_json::Value {
        let mut document = reply.answered.answer.document();
        document["turn"] = reply.turn.into();
        document["conversation_id"] = reply.conversation.to_string().into();
        document["restarted"] = reply.restarted.into();
        if let Some(notice) = self.restarted(reply) {
            document["notice"] = notice.into();
        }
        document
    }

    /// The answer as events of JSON: `status`, `sources`, `delta`, `card`, then `done`; or `error`.
    pub(super) fn stream_json(self, answering: Answering) -> Response {
        let site = self.clone();
        let events = answering.map(move |result| {
            stream::iter(match result {
                Ok(reply) => site.json_events(&reply),
                Err(problem) => vec![json_event(
                    "error",
                    &problem.document(&site.app.corpus.messages),
                )],
            })
        });
        let first = json_event(
            "status",
            &json!({ "status": "working", "text": "Recherche dans les sources…" }),
        );
        stream_of(stream::iter([first]).chain(events.into_stream().flatten()))
    }

    fn json_events(&self, reply: &Reply) -> Vec<Event> {
        let answer = &reply.answered.answer;
        let mut events = vec![json_event(
            "sources",
            &json!({ "citations": answer.citations }),
        )];
        for (i, block) in answer.blocks.iter().enumerate() {
            events.extend(block.sentences.iter().map(|sentence| {
                json_event(
                    "delta",
                    &json!({
                        "block": i, "list": block.list, "text": sentence.text, "markers": sentence.markers,
                        "link": sentence.link, "markdown": sentence.markdown(),
                    }),
                )
            }));
        }
        events.extend(answer.eligibility.iter().map(|verdict| {
            json_event(
                "card",
                &json!({ "card": "verdict", "verdict": verdict, "understood": answer.facts }),
            )
        }));
        events.extend(
            answer
                .datasets
                .iter()
                .map(|d| json_event("card", &json!({ "card": "dataset", "dataset": d }))),
        );
        events.extend(
            answer
                .actions
                .iter()
                .map(|a| json_event("card", &json!({ "card": "action", "action": a }))),
        );
        events.push(json_event("done", &self.reply_document(reply)));
        events
    }

    /// The answer as fragments of the chat page, each told where it goes. The events `accepted` and
    /// `finished` carry nothing: `chat.js` listens to them.
    pub(super) fn stream_html(self, question: &str, answering: Answering) -> Response {
        let id = format!("t-{}", &Uuid::new_v4().simple().to_string()[..8]);
        // What is shown is the cleaned question, as the conversation keeps it.
        let cleaned = Question::parse(question)
            .map(|q| q.as_str().to_owned())
            .unwrap_or_default();
        let opened = render(&Opened {
            id: &id,
            question: &cleaned,
        });
        let first = [
            html_event(&[
                fragment(
                    "#tours",
                    &format!("beforeend show:top showTarget:#{id}"),
                    &opened,
                ),
                fragment("#erreur", "innerHTML", ""),
                fragment("#annonce", "textContent", "Réponse en cours."),
            ]),
            signal("accepted"),
        ];
        let site = self.clone();
        let rest = answering.map(move |result| {
            stream::iter(match result {
                Ok(reply) => site.html_events(&id, &reply),
                Err(problem) => vec![html_event(&[
                    fragment(
                        &format!("#{id}-attente"),
                        "outerHTML",
                        &site.said_problem(&problem),
                    ),
                    fragment("#annonce", "textContent", "Pas de réponse."),
                ])],
            })
        });
        stream_of(
            stream::iter(first)
                .chain(rest.into_stream().flatten())
                .chain(stream::iter([signal("finished")])),
        )
    }

    fn html_events(&self, id: &str, reply: &Reply) -> Vec<Event> {
        let answer = &reply.answered.answer;
        let shown = Shown {
            id,
            answer,
            links: &self.links,
        };
        let body = format!("#{id}-reponse");
        let notice = self
            .restarted(reply)
            .map(|text| format!("<p class=\"notice\">{}</p>", self.links.html(&text)));
        let known = |field: &str| {
            let field_html = conversation_field(field, Some(reply.conversation));
            fragment(&format!("#{field}"), "outerHTML", &field_html)
        };
        let mut events = vec![html_event(&[
            fragment(
                &format!("#{id}-attente"),
                "outerHTML",
                notice.as_deref().unwrap_or("<!---->"),
            ),
            fragment(
                &format!("#{id}-sources"),
                "innerHTML",
                &render(&shown.sources()),
            ),
            known(ASKING),
            known(FORGETTING),
        ])];
        for (i, block) in answer.blocks.iter().enumerate() {
            for (j, sentence) in block.sentences.iter().enumerate() {
                let said = shown.said(sentence, i, j);
                events.push(html_event(&[if j == 0 {
                    fragment(
                        &body,
                        "beforeend",
                        &render(&shown.block(i, block, vec![said])),
                    )
                } else if block.list {
                    let item = format!("<li>{}</li>", render(&said));
                    fragment(&format!("#{}", shown.block_id(i)), "beforeend", &item)
                } else {
                    fragment(
                        &format!("#{}", shown.block_id(i)),
                        "beforeend",
                        &format!(" {}", render(&said)),
                    )
                }]));
            }
        }
        events.push(html_event(&[
            fragment(
                "#vers-reponse",
                "outerHTML",
                &format!("<a id=\"vers-reponse\" class=\"unseen\" href=\"#{id}\">Lire la dernière réponse</a>"),
            ),
            fragment(
                &format!("#{id}-suite"),
                "innerHTML",
                &render(&shown.after()),
            ),
            fragment("#annonce", "innerHTML", &shown.ready()),
        ]));
        events
    }

    /// A problem as a paragraph of the chat page.
    pub(super) fn said_problem(&self, problem: &Problem) -> String {
        format!(
            "<p class=\"problem\">{}</p>",
            self.links.html(&problem.detail(&self.app.corpus.messages))
        )
    }

    /// A problem as fragments of the chat page, when no stream has begun.
    pub(super) fn refuse_fragment(&self, problem: &Problem) -> Response {
        let fragments = fragment("#erreur", "innerHTML", &self.said_problem(problem));
        super::error::with_headers(problem, axum::response::Html(fragments).into_response())
    }
}

/// The id of the hidden field of the conversation, in the form that asks.
pub(super) const ASKING: &str = "conversation";
/// The same, in the form that forgets.
pub(super) const FORGETTING: &str = "conversation-a-oublier";

/// A hidden field that carries the conversation.
pub(super) fn conversation_field(field: &str, id: Option<Uuid>) -> String {
    let value = id.map(|id| id.to_string()).unwrap_or_default();
    format!("<input type=\"hidden\" id=\"{field}\" name=\"conversation\" value=\"{value}\">")
}

/// A fragment that htmx puts at `target`.
fn fragment(target: &str, swap: &str, html: &str) -> String {
    format!("<hx-partial hx-target=\"{target}\" hx-swap=\"{swap}\">{html}</hx-partial>")
}

fn html_event(fragments: &[String]) -> Event {
    Event::default().data(fragments.concat())
}

fn signal(name: &str) -> Event {
    Event::default().event(name).data("1")
}

fn json_event(name: &str, value: &serde_json::Value) -> Event {
    Event::default().event(name).data(value.to_string())
}

fn render(part: &impl Template) -> String {
    part.render().unwrap_or_else(|error| {
        tracing::error!(error = %error, "a part of a page could not be written: {error}");
        String::new()
    })
}

fn stream_of(events: impl futures::Stream<Item = Event> + Send + 'static) -> Response {
    let kept_alive = KeepAlive::new().interval(Duration::from_secs(5));
    let mut response = Sse::new(events.map(Ok::<_, Infallible>))
        .keep_alive(kept_alive)
        .into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // A proxy in between must not gather the events.
    headers.insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    response
}
