//! What every page shares: the frame around it, and how it becomes a response.

use std::time::Duration;

use askama::Template;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, HeaderValue};
use axum::response::{Html, IntoResponse, Response};

use super::assets::{MARK, STYLE};
use super::error::thousands;
use super::notices::CONFORMITY;
use super::{Site, assets};
use crate::text::language::Language;

/// The entry of the main menu under which a page stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    Question,
    Aids,
    Records,
    Guides,
    Landmarks,
    HowItWorks,
    None,
}

/// The frame around every page: title, menu, footer.
#[derive(Debug)]
pub(super) struct Frame {
    /// The page's title, without the site's name.
    pub(super) title: String,
    /// Where it stands in the menu.
    pub(super) tab: Tab,
    /// The founding text, as cited.
    pub(super) act: String,
    /// The day it was adopted, spelled.
    pub(super) adopted: String,
    /// How long a conversation is kept after its last question, spelled.
    pub(super) kept_for: String,
    /// Token that htmx asks of the elements it may act on; a page with one loads the scripts.
    pub(super) nonce: Option<String>,
}

impl Frame {
    /// The frame of a page.
    pub(super) fn new(site: &Site, title: impl Into<String>, tab: Tab) -> Self {
        let act = site.app.corpus.act();
        Self {
            title: title.into(),
            tab,
            act: act.map(|a| a.title.clone()).unwrap_or_default(),
            adopted: act
                .and_then(|a| a.adopted)
                .map(|d| d.spelled(Language::Fr))
                .unwrap_or_default(),
            kept_for: minutes(site.app.config.conversation_ttl),
            nonce: None,
        }
    }

    /// The same frame, with htmx if the build has it.
    pub(super) fn with_scripts(mut self) -> Self {
        self.nonce = assets::htmx_version().map(|_| uuid::Uuid::new_v4().simple().to_string());
        self
    }

    pub(super) fn is(&self, tab: Tab) -> bool {
        self.tab == tab
    }

    /// The state told by the declaration of accessibility.
    pub(super) fn conformity(&self) -> &'static str {
        CONFORMITY
    }

    pub(super) fn style(&self) -> &'static str {
        STYLE.path()
    }

    pub(super) fn mark(&self) -> &'static str {
        MARK.path()
    }

    pub(super) fn scripts(&self) -> [&'static str; 2] {
        [assets::HTMX.path(), assets::CHAT.path()]
    }
}

/// A time in minutes, never less than one, as French writes it: "1 minute", "1 440 minutes".
fn minutes(time: Duration) -> String {
    let minutes = usize::try_from(time.as_secs().div_ceil(60))
        .unwrap_or(usize::MAX)
        .max(1);
    let noun = if minutes == 1 { "minute" } else { "minutes" };
    format!("{}\u{a0}{noun}", thousands(minutes))
}

impl Site {
    /// A page as a response. Pages change with the corpus only: a cache may keep them for a while.
    pub(super) fn html(&self, page: &impl Template) -> Response {
        match page.render() {
            Ok(html) => {
                let mut response = Html(html).into_response();
                response.headers_mut().insert(
                    CACHE_CONTROL,
                    HeaderValue::from_static("public, max-age=300"),
                );
                response
            }
            Err(error) => {
                tracing::error!(error = %error, "a page could not be written: {error}");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }

    /// The same for a page that holds what a person said: no cache keeps it.
    pub(super) fn private_html(&self, page: &impl Template) -> Response {
        let mut response = self.html(page);
        response
            .headers_mut()
            .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}
