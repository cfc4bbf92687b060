//! Pages of prose: the landmarks (roadmap, actors), the guides, and how the assistant works.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::Site;
use super::error::{Problem, thousands};
use super::input::Segment;
use super::page::{Frame, Tab};
use super::statement::{Part, StatementView};
use crate::corpus::{Kind, Page};

/// A shelf of pages: where it stands, and how it presents itself.
struct Shelf {
    kind: Kind,
    base: &'static str,
    title: &'static str,
    lead: &'static str,
    tab: Tab,
}

const LANDMARKS: Shelf = Shelf {
    kind: Kind::Page,
    base: "/reperes",
    title: "Repères",
    lead: "La feuille de route de la donnée et de l’intelligence artificielle, et les acteurs qui la portent en Normandie.",
    tab: Tab::Landmarks,
};

const GUIDES: Shelf = Shelf {
    kind: Kind::Guide,
    base: "/guides",
    title: "Guides",
    lead: "Trouver un jeu de données, l’ouvrir, le croiser, en faire une carte ou un graphique, citer sa source : pas à pas, pour qui n’a jamais ouvert un fichier de données.",
    tab: Tab::Guides,
};

/// `GET /reperes`.
pub(super) async fn landmarks(site: State<Site>) -> Response {
    list(&site, &LANDMARKS)
}

/// `GET /reperes/{id}`.
pub(super) async fn landmark(site: State<Site>, Segment(id): Segment) -> Response {
    show(&site, &LANDMARKS, &id)
}

/// `GET /guides`.
pub(super) async fn guides(site: State<Site>) -> Response {
    list(&site, &GUIDES)
}

/// `GET /guides/{id}`.
pub(super) async fn guide(site: State<Site>, Segment(id): Segment) -> Response {
    show(&site, &GUIDES, &id)
}

/// The list of the pages of a shelf.
#[derive(Template)]
#[template(path = "landmarks.html")]
struct ListPage<'a> {
    frame: Frame,
    lead: &'static str,
    base: &'static str,
    pages: Vec<PageShown<'a>>,
}

struct PageShown<'a> {
    page: &'a Page,
    first: String,
    points: usize,
}

fn list(site: &Site, shelf: &Shelf) -> Response {
    let corpus = &site.app.corpus;
    let pages = corpus
        .pages
        .iter()
        .filter(|p| p.kind == shelf.kind)
        .map(|page| PageShown {
            page,
            first: page
                .passages
                .first()
                .and_then(|id| corpus.passage(id))
                .map(|p| p.prose.fr.clone())
                .unwrap_or_default(),
            points: page.passages.len(),
        });
    site.html(&ListPage {
        frame: Frame::new(site, shelf.title, shelf.tab),
        lead: shelf.lead,
        base: shelf.base,
        pages: pages.collect(),
    })
}

/// A page of prose.
#[derive(Template)]
#[template(path = "landmark.html")]
struct ProsePage<'a> {
    frame: Frame,
    title: &'a str,
    /// The list it stands in: address and name.
    parent: (&'static str, &'static str),
    source: String,
    statements: Vec<StatementView<'a>>,
    tried: &'a [String],
    not_tried: &'a [String],
}

fn show(site: &Site, shelf: &Shelf, id: &str) -> Response {
    let mut pages = site.app.corpus.pages.iter();
    match pages.find(|p| p.id == id && p.kind == shelf.kind) {
        Some(page) => {
            let frame = Frame::new(site, page.title.clone(), shelf.tab);
            let source = site.app.corpus.source(&page.source);
            let statements = page.passages.iter();
            site.html(&ProsePage {
                frame,
                title: &page.title,
                parent: (shelf.base, shelf.title),
                source: source.map(|s| s.title.clone()).unwrap_or_default(),
                statements: statements
                    .filter_map(|id| StatementView::of(site, id))
                    .collect(),
                tried: &page.tried,
                not_tried: &page.not_tried,
            })
        }
        None => site.refuse_page(&Problem::UnknownLandmark),
    }
}

/// How the assistant works: first in short, from what runs, then in its own words, part by part.
#[derive(Template)]
#[template(path = "how.html")]
struct HowPage<'a> {
    frame: Frame,
    /// Counted, as the corpus stands.
    points: String,
    guides: usize,
    records: String,
    source: String,
    parts: Vec<Part<'a>>,
}

/// The parts of the page, with the aspects they take; the last takes all that is left, courtesies at
/// its end, for only citations lead to them.
const PARTS: [(&str, &[&str]); 6] = [
    ("Ce qu’il fait", &["about", "capabilities"]),
    ("Ce qu’il sait", &["sources"]),
    (
        "Comment il répond",
        &["how_it_works", "language", "licence"],
    ),
    ("Ses limites, et qui décide", &["limits_of_assistant"]),
    ("Vos questions et vos données", &["privacy"]),
    ("Parler à une personne, et le reste", &[]),
];

/// `GET /comment-ca-marche`: the assistant about itself.
pub(super) async fn how_it_works(site: State<Site>) -> Response {
    let corpus = &site.app.corpus;
    let pages = corpus.pages.iter().filter(|p| p.kind == Kind::Assistant);
    let mut left: Vec<StatementView> = pages
        .flat_map(|p| &p.passages)
        .filter_map(|id| StatementView::of(&site, id))
        .collect();
    left.sort_by_key(StatementView::is_courtesy);
    let parts = PARTS.iter().map(|(title, topics)| {
        let taken = |view: &StatementView| {
            topics.is_empty() || topics.contains(&view.passage.topic.as_str())
        };
        let (taken, others) = std::mem::take(&mut left).into_iter().partition(taken);
        left = others;
        Part::new(title, taken)
    });
    let parts = parts.filter(|part| !part.statements.is_empty()).collect();
    site.html(&HowPage {
        frame: Frame::new(&site, "Comment ça marche", Tab::HowItWorks),
        points: thousands(corpus.passages.len()),
        guides: corpus
            .pages
            .iter()
            .filter(|p| p.kind == Kind::Guide)
            .count(),
        records: thousands(corpus.records.len()),
        source: corpus.act().map(|a| a.title.clone()).unwrap_or_default(),
        parts,
    })
}
