//! What can go wrong for a visitor, said in two voices: a readable page, or RFC 9457 problem+json.
//!
//! The cause is logged where it happened; what is said here is what the visitor can do about it.

use askama::Template;
use axum::Json;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::Site;
use super::page::{Frame, Tab};
use crate::app::Refusal;
use crate::corpus::Messages;
use crate::eligibility::{FactFault, Refused};
use crate::index::{Progress, Stage};
use crate::text::door::{MAX_CHARS, Unusable};
use crate::text::language::Language;

/// Everything that can go wrong for a visitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// The message is empty once cleaned.
    Empty,
    /// The message is too long.
    TooLong {
        /// How many characters came.
        chars: usize,
    },
    /// The body has too many bytes.
    TooLarge {
        /// How many are taken.
        limit: usize,
    },
    /// The body did not arrive in time.
    TooSlow,
    /// The body stopped before its end.
    Interrupted,
    /// Bytes that are not UTF-8.
    NotText,
    /// The body is not JSON.
    NotJson {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// The body is JSON of another shape.
    WrongShape {
        /// The shape expected, in words.
        expected: &'static str,
    },
    /// The body is of another type.
    UnsupportedMedia {
        /// The type expected.
        expected: &'static str,
    },
    /// A parameter has an impossible value.
    WrongParameter {
        /// Its name.
        name: &'static str,
        /// What it may be.
        expected: String,
    },
    /// Facts about a person's case that are unknown, impossible or contradictory: all of them.
    WrongFacts(Vec<FactFault>),
    /// No such address.
    UnknownPage,
    /// No programme has this id.
    UnknownProgramme,
    /// No dataset record has this id.
    UnknownRecord,
    /// No landmark or guide has this id.
    UnknownLandmark,
    /// The address exists, the method does not.
    WrongMethod,
    /// Too many questions at once.
    Overloaded,
    /// The index is being built.
    Preparing(Option<Progress>),
    /// The vector server cannot be used now.
    Away,
    /// The index cannot be built; waiting does not help.
    Unavailable,
    /// A part failed.
    Broken,
    /// A conversation is forgotten, and not erased from the disk yet.
    NotErased,
    /// The service is stopping.
    Closing,
}

impl Problem {
    /// The stable name of the problem.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong { .. } => "too-long",
            Self::TooLarge { .. } => "too-large",
            Self::TooSlow => "too-slow",
            Self::Interrupted => "interrupted",
            Self::NotText => "not-utf-8",
            Self::NotJson { .. } => "not-json",
            Self::WrongShape { .. } => "wrong-shape",
            Self::UnsupportedMedia { .. } => "unsupported-media-type",
            Self::WrongParameter { .. } => "wrong-parameter",
            Self::WrongFacts(_) => "wrong-facts",
            Self::UnknownPage => "unknown-address",
            Self::UnknownProgramme => "unknown-programme",
            Self::UnknownRecord => "unknown-dataset",
            Self::UnknownLandmark => "unknown-page",
            Self::WrongMethod => "wrong-method",
            Self::Overloaded => "overloaded",
            Self::Preparing(_) => "preparing",
            Self::Away => "away",
            Self::Unavailable => "unavailable",
            Self::Broken => "broken",
            Self::NotErased => "not-erased-yet",
            Self::Closing => "closing",
        }
    }

    /// The HTTP status.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Empty
            | Self::TooLong { .. }
            | Self::WrongShape { .. }
            | Self::WrongFacts(_)
            | Self::WrongParameter { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Interrupted | Self::NotText | Self::NotJson { .. } => StatusCode::BAD_REQUEST,
            Self::UnsupportedMedia { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::UnknownPage
            | Self::UnknownProgramme
            | Self::UnknownRecord
            | Self::UnknownLandmark => StatusCode::NOT_FOUND,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::Overloaded
            | Self::Preparing(_)
            | Self::Away
            | Self::Unavailable
            | Self::NotErased
            | Self::Closing => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What happened, in a few words.
    pub(super) fn title(&self) -> &'static str {
        match self {
            Self::Empty => "Message vide",
            Self::TooLong { .. } => "Message trop long",
            Self::TooLarge { .. } => "Envoi trop volumineux",
            Self::TooSlow => "Envoi trop lent",
            Self::Interrupted => "Envoi interrompu",
            Self::NotText => "Texte illisible",
            Self::NotJson { .. } => "JSON mal formé",
            Self::WrongShape { .. } => "JSON d’une autre forme",
            Self::UnsupportedMedia { .. } => "Format non pris en charge",
            Self::WrongParameter { .. } => "Paramètre refusé",
            Self::WrongFacts(_) => "Renseignements refusés",
            Self::UnknownPage => "Cette adresse n’existe pas",
            Self::UnknownProgramme => "Cette aide n’est pas connue ici",
            Self::UnknownRecord => "Ce jeu de données n’est pas connu ici",
            Self::UnknownLandmark => "Cette page n’est pas connue ici",
            Self::WrongMethod => "Cette adresse ne s’utilise pas ainsi",
            Self::Overloaded => "Trop de questions à la fois",
            Self::Preparing(_) => "L’assistant se prépare",
            Self::Away => "L’assistant ne peut pas répondre pour le moment",
            Self::Unavailable => "L’assistant ne peut pas répondre",
            Self::Broken => "Une erreur est survenue",
            Self::NotErased => "L’effacement n’est pas terminé",
            Self::Closing => "Le service s’arrête",
        }
    }

    /// What to do, in a sentence or two.
    pub(super) fn detail(&self, messages: &Messages) -> String {
        let say = |key, values: &[(&str, &str)]| messages.say(key, Language::Fr, values);
        match self {
            Self::Empty => say("empty", &[]),
            Self::TooLong { chars } => {
                let said = say("too_long", &[("max", &thousands(MAX_CHARS))]);
                format!("{said} Il en compte {}.", thousands(*chars))
            }
            Self::TooLarge { limit } => format!(
                "L’envoi dépasse {} Kio, la taille acceptée. Revenez en arrière et raccourcissez votre message : {} caractères \
                suffisent à une question.",
                thousands(limit / 1024),
                thousands(MAX_CHARS)
            ),
            Self::TooSlow => "Le contenu n’est pas arrivé à temps. Renvoyez-le, si possible depuis un autre réseau.".to_owned(),
            Self::Interrupted => "Le contenu s’est interrompu avant la fin. Renvoyez-le.".to_owned(),
            Self::NotText => "Le contenu n’est pas du texte en UTF-8. Retapez-le ou changez l’encodage.".to_owned(),
            Self::NotJson { line, column } => {
                format!("Le corps n’est pas du JSON : ligne {line}, colonne {column}.")
            }
            Self::WrongShape { expected } => format!("Le JSON doit être {expected}."),
            Self::UnsupportedMedia { expected } => format!("Envoyez le contenu avec l’en-tête « Content-Type: {expected} »."),
            Self::WrongParameter { name, expected } => format!("Le paramètre « {name} » doit être {expected}."),
            Self::WrongFacts(faults) => {
                let each: Vec<String> = faults.iter().map(ToString::to_string).collect();
                each.join(" — ")
            }
            Self::UnknownPage => "Elle est peut-être incomplète ou mal recopiée, ou ce qu’elle montrait a changé de place. Vérifiez-la, ou \
                partez d’une des pages ci-dessous."
                .to_owned(),
            Self::UnknownProgramme => "Aucune des aides décrites par l’assistant ne porte cet identifiant.".to_owned(),
            Self::UnknownRecord => "Aucune fiche du catalogue ne porte cet identifiant.".to_owned(),
            Self::UnknownLandmark => "Aucun repère ni aucun guide ne porte cet identifiant.".to_owned(),
            Self::WrongMethod => "L’adresse existe, mais pas pour cette sorte de demande : certaines pages se lisent seulement, d’autres \
                adresses ne reçoivent que l’envoi d’un formulaire. Revenez à la page précédente et recommencez de là."
                .to_owned(),
            Self::Overloaded => say("overloaded", &[]),
            Self::Preparing(_) => say("preparing", &[]),
            Self::Away => "La base où l’assistant cherche ses réponses ne répond pas pour le moment. Reposez votre question dans \
                une minute ; les pages des aides et des jeux de données restent consultables."
                .to_owned(),
            Self::Unavailable => "L’assistant n’a pas pu préparer ses réponses ; attendre ne suffira pas. Les pages des \
                aides et des jeux de données restent consultables."
                .to_owned(),
            Self::Broken => say("error", &[]),
            Self::NotErased => "Votre conversation est oubliée : plus personne ne peut la lire ici. Le disque n’a pas encore pu \
                l’effacer ; ce sera fait dès qu’il le permettra, sans rien à faire de votre part."
                .to_owned(),
            Self::Closing => "Le service s’arrête pour une mise à jour. Reposez votre question dans une minute.".to_owned(),
        }
    }

    /// Where to go from there: a label and an address.
    fn ways_on(&self) -> &'static [(&'static str, &'static str)] {
        const QUESTION: (&str, &str) = ("Poser une question", "/");
        const AIDS: (&str, &str) = ("Voir les aides", "/aides");
        const RECORDS: (&str, &str) = ("Chercher un jeu de données", "/jeux-de-donnees");
        const GUIDES: (&str, &str) = ("Voir les guides", "/guides");
        const LANDMARKS: (&str, &str) = ("Voir les repères", "/reperes");
        match self {
            Self::UnknownProgramme => &[AIDS, QUESTION],
            Self::UnknownRecord => &[RECORDS, QUESTION],
            Self::UnknownLandmark => &[GUIDES, LANDMARKS, QUESTION],
            Self::Away | Self::Unavailable | Self::Preparing(_) => &[AIDS, RECORDS, LANDMARKS],
            _ => &[QUESTION, AIDS, RECORDS],
        }
    }

    /// When to come back, in seconds.
    pub(super) fn retry_after(&self) -> Option<&'static str> {
        match self {
            Self::Overloaded => Some("2"),
            Self::Preparing(_) => Some("5"),
            Self::Away => Some("30"),
            Self::Closing => Some("60"),
            _ => None,
        }
    }

    /// The members of a problem+json document.
    pub(super) fn document(&self, messages: &Messages) -> serde_json::Value {
        let mut document = json!({
            "type": format!("urn:datanormandie-assistant:problem:{}", self.code()),
            "title": self.title(),
            "status": self.status().as_u16(),
            "detail": self.detail(messages),
        });
        if let Self::Preparing(Some(progress)) = self {
            let stage = match progress.stage {
                Stage::Embedding => "embedding",
                Stage::Indexing => "indexing",
            };
            document["progress"] =
                json!({ "stage": stage, "done": progress.done, "total": progress.total });
        }
        if let Self::WrongFacts(faults) = self {
            document["faults"] = json!(faults);
        }
        document
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unusable(Unusable::Empty) => Self::Empty,
            Refusal::Unusable(Unusable::TooLong { chars }) => Self::TooLong { chars },
            Refusal::Preparing => Self::Preparing(None),
            Refusal::Away(_) => Self::Away,
            Refusal::Overloaded => Self::Overloaded,
            Refusal::Failed => Self::Broken,
        }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NotJson(line, column) => Self::NotJson { line, column },
            Refused::NotAnObject => Self::WrongShape {
                expected: "un objet qui donne des faits",
            },
            Refused::Faults(faults) => Self::WrongFacts(faults),
        }
    }
}

/// The page of a problem.
#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    frame: Frame,
    title: &'static str,
    status: u16,
    detail: String,
    /// When to come back, in seconds.
    retry_after: Option<&'static str>,
    ways_on: &'static [(&'static str, &'static str)],
}

impl Site {
    /// A problem as a page.
    pub(super) fn refuse_page(&self, problem: &Problem) -> Response {
        let page = ErrorPage {
            frame: Frame::new(self, problem.title(), Tab::None),
            title: problem.title(),
            status: problem.status().as_u16(),
            detail: problem.detail(&self.app.corpus.messages),
            retry_after: problem.retry_after(),
            ways_on: problem.ways_on(),
        };
        with_headers(problem, self.html(&page))
    }

    /// A problem as problem+json.
    pub(super) fn refuse_json(&self, problem: &Problem) -> Response {
        let mut response = Json(problem.document(&self.app.corpus.messages)).into_response();
        response.headers_mut().insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        with_headers(problem, response)
    }

    /// A page, or the page of the problem that stood in its way.
    pub(super) fn page_or_refusal(&self, result: Result<Response, Problem>) -> Response {
        result.unwrap_or_else(|problem| self.refuse_page(&problem))
    }

    /// A JSON answer, or the problem that stood in its way.
    pub(super) fn json_or_refusal(&self, result: Result<Response, Problem>) -> Response {
        result.unwrap_or_else(|problem| self.refuse_json(&problem))
    }
}

/// Gives a response the status and the headers of a problem.
pub(super) fn with_headers(problem: &Problem, mut response: Response) -> Response {
    *response.status_mut() = problem.status();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(seconds) = problem.retry_after() {
        headers.insert(RETRY_AFTER, HeaderValue::from_static(seconds));
    }
    response
}

/// A number as French writes it: "100 000".
pub(super) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_in_french() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(2_000), "2\u{202f}000");
        assert_eq!(thousands(1_234_567), "1\u{202f}234\u{202f}567");
    }
}
