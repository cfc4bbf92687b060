//! One point of the corpus as a page shows it: our words, and beside them the words of the source.

use askama::Template;
use serde_json::json;

use super::Site;
use super::filter;
use super::prose::{Links, typeset};
use crate::corpus::{Corpus, Passage, SourceKind};

/// A named part of a page, as `parts.html` shows it.
pub(super) struct Part<'a> {
    pub(super) id: String,
    pub(super) title: &'a str,
    pub(super) statements: Vec<StatementView<'a>>,
}

impl<'a> Part<'a> {
    pub(super) fn new(title: &'a str, statements: Vec<StatementView<'a>>) -> Self {
        Self {
            id: format!("partie-{}", filter::key(title)),
            title,
            statements,
        }
    }
}

/// A point, with an anchor that citations open.
#[derive(Template)]
#[template(path = "statement.html")]
pub(super) struct StatementView<'a> {
    pub(super) anchor: &'a str,
    pub(super) passage: &'a Passage,
    source: &'a str,
    official: bool,
    /// The assistant speaks of itself, or of what it tried: there is nothing to set beside its words.
    own: bool,
    see: Vec<(String, &'a str)>,
    links: &'a Links,
}

impl<'a> StatementView<'a> {
    /// The point with this id.
    pub(super) fn of(site: &'a Site, id: &str) -> Option<Self> {
        let corpus: &'a Corpus = &site.app.corpus;
        let passage = corpus.passage(id)?;
        let source = corpus.source(&passage.source)?;
        let see = passage.see.iter().filter_map(|id| corpus.passage(id));
        Some(Self {
            anchor: anchor(passage),
            passage,
            source: &source.title,
            own: matches!(source.kind, SourceKind::Assistant | SourceKind::Guide),
            official: matches!(source.kind, SourceKind::Act | SourceKind::Regulation),
            see: see
                .map(|p| (corpus.page_of(p), p.title.as_str()))
                .filter(|(page, _)| !page.is_empty())
                .collect(),
            links: &site.links,
        })
    }

    /// Whether it only answers a greeting.
    pub(super) fn is_courtesy(&self) -> bool {
        matches!(
            self.passage.topic.as_str(),
            "greeting" | "thanks" | "goodbye"
        )
    }

    pub(super) fn title(&self) -> String {
        typeset(&self.passage.title)
    }

    fn prose(&self) -> String {
        self.links.html(&self.passage.prose.fr)
    }

    fn item(&self, item: &str) -> String {
        self.links.html(item)
    }
}

/// The last part of a passage's id: its anchor on its page.
pub(super) fn anchor(passage: &Passage) -> &str {
    passage.id.as_str().rsplit('/').next().unwrap_or_default()
}

/// A point as the API gives it.
pub(super) fn document(corpus: &Corpus, passage: &Passage) -> serde_json::Value {
    let source = corpus.source(&passage.source);
    json!({
        "id": passage.id,
        "title": passage.title,
        "topic": passage.topic,
        "text": passage.prose.fr,
        "text_en": Some(&passage.prose.en).filter(|t| !t.is_empty()),
        "items": passage.items,
        "items_en": passage.items_en,
        "example": passage.example,
        "quote": passage.quotations.first().map(|q| &q.words),
        "quotations": passage.quotations.iter()
            .map(|q| json!({ "locator": q.locator, "quote": q.words })).collect::<Vec<_>>(),
        "locator": passage.locator,
        "source": { "id": passage.source, "title": source.map(|s| &s.title), "url": passage.url },
        "url": corpus.page_of(passage),
        "see": passage.see,
        "silent": passage.silent,
    })
}
