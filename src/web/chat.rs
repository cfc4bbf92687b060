//! The chat page. Without JavaScript a question posts the page and gets it back with the answer;
//! with it, the same address streams the answer into the page.

use std::time::Instant;

use askama::Template;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::Request;
use axum::http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use axum::response::{IntoResponse, Redirect, Response};
use uuid::Uuid;

use super::Site;
use super::error::{self, Problem, thousands};
use super::input::{self, Fields};
use super::page::{Frame, Tab};
use super::stream::{ASKING, Asked, FORGETTING, conversation_field};
use super::turn::{Shown, Whole};
use crate::app::Readiness;
use crate::conversation::Turn;
use crate::index::Stage;
use crate::text::language::Language;

/// What one may ask first.
const SUGGESTIONS: [&str; 3] = [
    "Qui peut demander Booster IA ?",
    "Quand a lieu le Datathon Normandie ?",
    "Où trouver des données sur la qualité de l’air ?",
];

/// Where a page with a new answer opens, as its form asks.
const LAST_ANSWER: &str = "derniere-reponse";

/// The chat page.
#[derive(Template)]
#[template(path = "chat.html")]
struct ChatPage {
    frame: Frame,
    /// Said before anything is typed: a machine answers, from what, and who decides.
    disclosure: String,
    /// What it knows, counted.
    knows: String,
    /// Shown on an empty page.
    suggestions: &'static [&'static str],
    /// The turns so far, written.
    turns: Vec<String>,
    /// The hidden field of the conversation, in the form that asks and in the one that forgets.
    conversation: String,
    forgotten: String,
    begun: bool,
    /// The id of the last turn.
    last: String,
    /// What stands in the field.
    typed: String,
    /// What was wrong with the last message.
    problem: Option<String>,
    /// How far the preparation is, when questions cannot be answered yet.
    waiting: Option<Waiting>,
    /// Neither now nor later.
    unavailable: Option<String>,
}

impl ChatPage {
    /// Whether there is a field to type in: a page that renews itself would lose what is typed.
    fn is_open(&self) -> bool {
        self.unavailable.is_none() && !self.waiting.as_ref().is_some_and(|w| w.refreshes)
    }
}

/// How far the preparation is.
struct Waiting {
    text: String,
    stage: &'static str,
    done: usize,
    total: usize,
    figures: String,
    /// The page asks for itself again.
    refreshes: bool,
}

/// What was typed, and in which conversation.
struct Typed {
    message: String,
    conversation: Option<Uuid>,
    /// The field's own text, when a button was pressed instead.
    kept: String,
}

/// `GET /`: an empty chat. `?message=` fills the field, and asks nothing.
pub(super) async fn show(site: State<Site>, RawQuery(query): RawQuery) -> Response {
    let fields = Fields::parse(query.unwrap_or_default().as_bytes());
    let mut page = site.chat_page();
    page.typed = fields.get("message").chars().take(4_000).collect();
    let still = fields.get("attente") == "fixe";
    match site.app.readiness() {
        Readiness::Ready => site.private_html(&page),
        Readiness::Preparing(progress) => {
            page.waiting = Some(site.waiting(progress, !still));
            let mut response =
                error::with_headers(&Problem::Preparing(progress), site.private_html(&page));
            if !still {
                // A header rather than a `meta`: it works without JavaScript, and a reader can turn it off.
                let header = (
                    HeaderName::from_static("refresh"),
                    HeaderValue::from_static("3"),
                );
                response.headers_mut().insert(header.0, header.1);
                response
                    .headers_mut()
                    .insert(RETRY_AFTER, HeaderValue::from_static("3"));
            }
            response
        }
        Readiness::Away(_) => site.unavailable(page, &Problem::Away),
        Readiness::Failed(_) => site.unavailable(page, &Problem::Unavailable),
    }
}

/// `POST /`: a message of a conversation. An event stream when the client takes one, else the whole page.
pub(super) async fn ask(site: State<Site>, request: Request<Body>) -> Response {
    let streams = input::accepts(request.headers(), "text/event-stream");
    let typed = match input::form(request).await {
        Ok(fields) => Typed::read(&fields),
        Err(problem) if streams => return site.refuse_fragment(&problem),
        Err(problem) => return site.refuse_page(&problem),
    };
    match typed {
        Err((problem, _)) if streams => site.refuse_fragment(&problem),
        Err((problem, typed)) => site.refuse_message(&typed, &problem).await,
        Ok(typed) if streams => match site.ask(typed.conversation, typed.message.clone()).await {
            Asked::OnItsWay(answering) => site.0.stream_html(&typed.message, answering),
            Asked::Done(result) => match *result {
                Ok(reply) => site
                    .0
                    .stream_html(&typed.message, Box::pin(std::future::ready(Ok(reply)))),
                Err(problem) => site.refuse_fragment(&problem),
            },
        },
        Ok(typed) => match site.answer(typed.conversation, typed.message.clone()).await {
            Ok(reply) => {
                let notice = site.restarted(&reply);
                let mut page = site.chat_page();
                page.typed = typed.kept;
                site.fill(&mut page, Some(reply.conversation), notice, LAST_ANSWER)
                    .await;
                site.private_html(&page)
            }
            Err(problem) => site.refuse_message(&typed, &problem).await,
        },
    }
}

/// `POST /oublier`: the conversation is forgotten at once, and erased from the disk.
pub(super) async fn forget(site: State<Site>, request: Request<Body>) -> Response {
    match input::form(request).await {
        Ok(fields) => {
            let erased = match fields.get("conversation").parse() {
                Ok(id) => site.app.conversations.forget(id).await,
                Err(_) => true,
            };
            if erased {
                Redirect::to("/").into_response()
            } else {
                site.refuse_page(&Problem::NotErased)
            }
        }
        Err(problem) => site.refuse_page(&problem),
    }
}

impl Typed {
    /// Reads the form; what is not text comes back with what could be read.
    fn read(fields: &Fields) -> Result<Self, (Problem, Self)> {
        let (message, choice) = (fields.get("message"), fields.get("choice"));
        let typed = Self {
            message: if choice.is_empty() { message } else { choice }.to_owned(),
            // What is no id is an unknown conversation: the nil id is never given out.
            conversation: Some(fields.get("conversation"))
                .filter(|c| !c.is_empty())
                .map(|c| c.parse().unwrap_or_default()),
            kept: if choice.is_empty() {
                String::new()
            } else {
                message.to_owned()
            },
        };
        if fields.damaged() {
            Err((Problem::NotText, typed))
        } else {
            Ok(typed)
        }
    }
}

impl Site {
    fn chat_page(&self) -> ChatPage {
        let corpus = &self.app.corpus;
        let frame = Frame::new(self, "Poser une question", Tab::Question).with_scripts();
        let knows = format!(
            "Ce qu’elle connaît : le texte adopté le {}, et {} fiches d’exemple de jeux de données. Elle ignore ce qui a été décidé depuis.",
            frame.adopted,
            thousands(corpus.records.len())
        );
        ChatPage {
            frame,
            disclosure: corpus.messages.say("disclosure", Language::Fr, &[]),
            knows,
            suggestions: &SUGGESTIONS,
            turns: Vec::new(),
            conversation: conversation_field(ASKING, None),
            forgotten: conversation_field(FORGETTING, None),
            begun: false,
            last: LAST_ANSWER.to_owned(),
            typed: String::new(),
            problem: None,
            waiting: None,
            unavailable: None,
        }
    }

    /// Puts the conversation so far into the page; the notice stands in its first turn.
    async fn fill(
        &self,
        page: &mut ChatPage,
        conversation: Option<Uuid>,
        mut notice: Option<String>,
        last: &str,
    ) {
        let Some(id) = conversation else { return };
        let turns = self
            .app
            .conversations
            .find(id, Instant::now())
            .await
            .unwrap_or_default()
            .turns;
        if turns.is_empty() {
            return;
        }
        page.conversation = conversation_field(ASKING, Some(id));
        page.forgotten = conversation_field(FORGETTING, Some(id));
        page.begun = true;
        page.frame.title = "Votre conversation".to_owned();
        page.turns = turns
            .iter()
            .enumerate()
            .map(|(i, turn)| {
                let numbered = format!("t{}", i + 1);
                let id = if i + 1 == turns.len() {
                    last
                } else {
                    &numbered
                };
                self.turn_html(id, turn, notice.take())
            })
            .collect();
        page.last = last.to_owned();
    }

    fn turn_html(&self, id: &str, turn: &Turn, notice: Option<String>) -> String {
        let shown = Shown {
            id,
            answer: &turn.answer,
            links: &self.links,
        };
        Whole {
            question: turn.question.as_str(),
            notice,
            shown,
        }
        .render()
        .unwrap_or_default()
    }

    /// The page again, with what was typed still in the field and the reason beside it.
    async fn refuse_message(&self, typed: &Typed, problem: &Problem) -> Response {
        let mut page = self.chat_page();
        // No turn has the id that the form's address names: the page opens at the field.
        self.fill(&mut page, typed.conversation, None, "dernier-tour")
            .await;
        page.frame.title = format!("{} — Poser une question", problem.title());
        page.typed = if typed.kept.is_empty() {
            typed.message.clone()
        } else {
            typed.kept.clone()
        };
        page.problem = Some(problem.detail(&self.app.corpus.messages));
        if let Problem::Preparing(progress) = problem {
            page.waiting = Some(self.waiting(*progress, false));
        }
        error::with_headers(problem, self.private_html(&page))
    }

    /// The page of a service that takes no question, and why.
    fn unavailable(&self, mut page: ChatPage, problem: &Problem) -> Response {
        page.unavailable = Some(problem.detail(&self.app.corpus.messages));
        error::with_headers(problem, self.private_html(&page))
    }

    fn waiting(&self, progress: Option<crate::index::Progress>, refreshes: bool) -> Waiting {
        let text = self.app.corpus.messages.say("preparing", Language::Fr, &[]);
        let (stage, done, total) = match progress {
            None => ("Lecture du modèle et de l’index", 0, 0),
            Some(p) => {
                let stage = match p.stage {
                    Stage::Embedding => "Lecture des passages (étape 1 sur 2)",
                    Stage::Indexing => "Construction de l’index (étape 2 sur 2)",
                };
                (stage, p.done, p.total)
            }
        };
        let figures = if total == 0 {
            String::new()
        } else {
            format!("{} sur {}", thousands(done), thousands(total))
        };
        Waiting {
            text,
            stage,
            done,
            total,
            figures,
            refreshes,
        }
    }
}
