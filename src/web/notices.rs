//! The pages that a public service owes: accessibility, personal data, legal notice.
//!
//! Their prose stands in their templates. What differs from one installation to the next is taken from
//! the settings, retention included, so that no page can promise what the service does not do; what the
//! settings do not give is shown as not given.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::Site;
use super::error::thousands;
use super::page::{Frame, Tab};
use super::prose::operator_html;
use crate::config::Publisher;
use crate::conversation::MAX_TURNS;
use crate::corpus::{Source, SourceKind};
use crate::embed::REMEMBERED_QUESTIONS;

/// When the declaration of accessibility was drawn up. To be done again with each audit, after three
/// years, and within eighteen months of a new RGAA.
const DECLARED_ON: &str = "25 novembre 2026";

/// What the declaration of accessibility says of the site, also said in the footer of every page. It
/// stays so until an audit has been made.
pub(super) const CONFORMITY: &str = "non conforme";

/// `GET /accessibilite`: the declaration of accessibility.
#[derive(Template)]
#[template(path = "accessibility.html")]
struct Accessibility<'a> {
    frame: Frame,
    publisher: &'a Publisher,
    conformity: &'static str,
    declared_on: &'static str,
}

pub(super) async fn accessibility(site: State<Site>) -> Response {
    site.html(&Accessibility {
        frame: Frame::new(&site, "Déclaration d’accessibilité", Tab::None),
        publisher: &site.app.config.publisher,
        conformity: CONFORMITY,
        declared_on: DECLARED_ON,
    })
}

/// `GET /donnees-personnelles`: what is kept, how long, why, and what one may ask.
#[derive(Template)]
#[template(path = "privacy.html")]
struct Privacy<'a> {
    frame: Frame,
    publisher: &'a Publisher,
    /// Turns kept of one conversation.
    turns: usize,
    /// Questions whose vector stays in memory.
    remembered: String,
}

pub(super) async fn privacy(site: State<Site>) -> Response {
    site.html(&Privacy {
        frame: Frame::new(&site, "Données personnelles", Tab::None),
        publisher: &site.app.config.publisher,
        turns: MAX_TURNS,
        remembered: thousands(REMEMBERED_QUESTIONS.get()),
    })
}

/// `GET /mentions-legales`: who publishes, who hosts, under what licences, from what sources.
#[derive(Template)]
#[template(path = "legal.html")]
struct Legal<'a> {
    frame: Frame,
    publisher: &'a Publisher,
    version: &'static str,
    /// The texts that answers cite.
    sources: Vec<&'a Source>,
    records: String,
    /// The folder of the encoder, which holds its licence.
    encoder: &'a str,
}

pub(super) async fn legal(site: State<Site>) -> Response {
    let corpus = &site.app.corpus;
    let texts = |source: &&Source| matches!(source.kind, SourceKind::Act | SourceKind::Regulation);
    site.html(&Legal {
        frame: Frame::new(&site, "Mentions légales", Tab::None),
        publisher: &site.app.config.publisher,
        version: env!("CARGO_PKG_VERSION"),
        sources: corpus.sources.iter().filter(texts).collect(),
        records: thousands(corpus.records.len()),
        encoder: &site.app.config.model,
    })
}

/// A value of the settings as a page shows it.
fn given(value: &Option<String>) -> String {
    match value {
        Some(text) => operator_html(text),
        None => {
            "<span class=\"missing\">non renseigné par l’exploitant du service</span>".to_owned()
        }
    }
}
