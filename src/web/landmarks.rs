//! Pages of prose: the landmarks (roadmap, actors), the guides, and how the assistant works.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::Site;
use super::error::Problem;
use super::input::Segment;
use super::page::{Frame, Tab};
use super::statement::StatementView;
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
    parent: Option<(&'static str, &'static str)>,
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
            let mut shown = ProsePage::of(site, &[page], frame, &page.title);
            shown.parent = Some((shelf.base, shelf.title));
            shown.tried = &page.tried;
            shown.not_tried = &page.not_tried;
            site.html(&shown)
        }
        None => site.refuse_page(&Problem::UnknownLandmark),
    }
}

/// `GET /comment-ca-marche`: the assistant about itself. Courtesies come last: only citations lead to them.
pub(super) async fn how_it_works(site: State<Site>) -> Response {
    let pages: Vec<&Page> = site
        .app
        .corpus
        .pages
        .iter()
        .filter(|p| p.kind == Kind::Assistant)
        .collect();
    let mut shown = ProsePage::of(
        &site,
        &pages,
        Frame::new(&site, "Comment ça marche", Tab::HowItWorks),
        "Comment ça marche, et où sont ses limites",
    );
    shown.statements.sort_by_key(StatementView::is_courtesy);
    site.html(&shown)
}

impl<'a> ProsePage<'a> {
    fn of(site: &'a Site, pages: &[&Page], frame: Frame, title: &'a str) -> Self {
        let passages = pages.iter().flat_map(|p| &p.passages);
        let source = pages
            .first()
            .and_then(|p| site.app.corpus.source(&p.source))
            .map(|s| s.title.clone());
        Self {
            frame,
            title,
            parent: None,
            source: source.unwrap_or_default(),
            statements: passages
                .filter_map(|id| StatementView::of(site, id))
                .collect(),
            tried: &[],
            not_tried: &[],
        }
    }
}
