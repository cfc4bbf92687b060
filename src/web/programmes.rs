//! The aids: a list, and a page each with every point and the official words beside it.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::Site;
use super::error::Problem;
use super::input::Segment;
use super::page::{Frame, Tab};
use super::statement::StatementView;
use crate::corpus::{Programme, ProgrammeKind};
use crate::text::fold::words;
use crate::text::language::Language;

/// The list of aids.
#[derive(Template)]
#[template(path = "programmes.html")]
struct ListPage<'a> {
    frame: Frame,
    programmes: Vec<Shown<'a>>,
}

struct Shown<'a> {
    programme: &'a Programme,
    kind: &'static str,
    from: String,
}

/// `GET /aides`.
pub(super) async fn list(site: State<Site>) -> Response {
    let programmes = site.app.corpus.programmes.iter().map(Shown::of).collect();
    site.html(&ListPage {
        frame: Frame::new(&site, "Aides et dispositifs", Tab::Aids),
        programmes,
    })
}

/// An aid.
#[derive(Template)]
#[template(path = "programme.html")]
struct ProgrammePage<'a> {
    frame: Frame,
    shown: Shown<'a>,
    source: String,
    portal: Option<String>,
    sections: Vec<SectionShown<'a>>,
}

/// A named part of a page.
pub(super) struct SectionShown<'a> {
    pub(super) id: String,
    pub(super) title: &'a str,
    pub(super) statements: Vec<StatementView<'a>>,
}

/// `GET /aides/{id}`.
pub(super) async fn show(site: State<Site>, Segment(id): Segment) -> Response {
    let Some(programme) = site.app.corpus.programme(&id) else {
        return site.refuse_page(&Problem::UnknownProgramme);
    };
    let sections = programme.sections().iter().map(|section| SectionShown {
        id: format!("partie-{}", words(section.title).join("-")),
        title: section.title,
        statements: section
            .passages
            .iter()
            .filter_map(|id| StatementView::of(&site, id))
            .collect(),
    });
    let page = ProgrammePage {
        frame: Frame::new(&site, programme.name.clone(), Tab::Aids),
        source: site
            .app
            .corpus
            .source(&programme.source)
            .map(|s| s.title.clone())
            .unwrap_or_default(),
        portal: programme.portal.as_deref().map(|p| site.links.html(p)),
        sections: sections.collect(),
        shown: Shown::of(programme),
    };
    site.html(&page)
}

impl<'a> Shown<'a> {
    fn of(programme: &'a Programme) -> Self {
        let kind = match programme.kind {
            ProgrammeKind::Service => "Accompagnement",
            ProgrammeKind::Grant => "Subvention",
            ProgrammeKind::Contest => "Concours",
        };
        Self {
            programme,
            kind,
            from: programme.in_force_from.spelled(Language::Fr),
        }
    }
}
