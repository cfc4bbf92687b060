//! Landmarks: the roadmap, DataNormandie and the actors around it; and how the assistant works.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::Site;
use super::error::Problem;
use super::input::Segment;
use super::page::{Frame, Tab};
use super::statement::StatementView;
use crate::corpus::{Kind, Page};

/// The list of landmarks.
#[derive(Template)]
#[template(path = "landmarks.html")]
struct ListPage<'a> {
    frame: Frame,
    pages: Vec<PageShown<'a>>,
}

struct PageShown<'a> {
    page: &'a Page,
    first: String,
    points: usize,
}

/// `GET /reperes`.
pub(super) async fn list(site: State<Site>) -> Response {
    let corpus = &site.app.corpus;
    let pages = corpus
        .pages
        .iter()
        .filter(|p| p.kind == Kind::Page)
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
        frame: Frame::new(&site, "Repères", Tab::Landmarks),
        pages: pages.collect(),
    })
}

/// A page of prose.
#[derive(Template)]
#[template(path = "landmark.html")]
struct LandmarkPage<'a> {
    frame: Frame,
    title: &'a str,
    source: String,
    statements: Vec<StatementView<'a>>,
    about_us: bool,
}

/// `GET /reperes/{id}`.
pub(super) async fn show(site: State<Site>, Segment(id): Segment) -> Response {
    let mut pages = site.app.corpus.pages.iter();
    match pages.find(|p| p.id == id && p.kind == Kind::Page) {
        Some(page) => {
            let shown = LandmarkPage::of(
                &site,
                &[page],
                Frame::new(&site, page.title.clone(), Tab::Landmarks),
                &page.title,
            );
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
    let mut shown = LandmarkPage::of(
        &site,
        &pages,
        Frame::new(&site, "Comment ça marche", Tab::HowItWorks),
        "Comment ça marche, et où sont ses limites",
    );
    shown.about_us = true;
    shown.statements.sort_by_key(StatementView::is_courtesy);
    site.html(&shown)
}

impl<'a> LandmarkPage<'a> {
    fn of(site: &'a Site, pages: &[&Page], frame: Frame, title: &'a str) -> Self {
        let passages = pages.iter().flat_map(|p| &p.passages);
        let source = pages
            .first()
            .and_then(|p| site.app.corpus.source(&p.source))
            .map(|s| s.title.clone());
        Self {
            frame,
            title,
            source: source.unwrap_or_default(),
            statements: passages
                .filter_map(|id| StatementView::of(site, id))
                .collect(),
            about_us: false,
        }
    }
}
