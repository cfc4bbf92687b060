//! The aids: a list that can be narrowed, and a page each with every point and the official words beside it.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;

use super::Site;
use super::error::Problem;
use super::filter::{self, Choice, Facet, Way, address};
use super::input::{Fields, Segment};
use super::page::{Frame, Tab};
use super::statement::{Part, StatementView};
use super::wizard;
use crate::corpus::{Corpus, OrganisationKind, Programme, ProgrammeKind, Rules};
use crate::text::language::Language;

/// Who may ask: the value in an address, the kind of organisation as the corpus names it, and as people do.
const ORGANISATIONS: [(&str, OrganisationKind, &str); 8] = [
    ("entreprise", OrganisationKind::Company, "entreprise"),
    ("association", OrganisationKind::Association, "association"),
    (
        "collectivite",
        OrganisationKind::LocalAuthority,
        "commune ou autre collectivité",
    ),
    (
        "groupement",
        OrganisationKind::LocalAuthorityGroup,
        "groupement de collectivités",
    ),
    (
        "etablissement-public",
        OrganisationKind::PublicEstablishment,
        "établissement public",
    ),
    (
        "etablissement-prive",
        OrganisationKind::PrivateEstablishment,
        "établissement privé",
    ),
    (
        "etablissement-de-sante",
        OrganisationKind::HealthEstablishment,
        "établissement de santé",
    ),
    ("particulier", OrganisationKind::Individual, "particulier"),
];

/// The forms that help takes: the value in an address, and the form.
const FORMS: [(&str, ProgrammeKind); 3] = [
    ("accompagnement", ProgrammeKind::Service),
    ("subvention", ProgrammeKind::Grant),
    ("concours", ProgrammeKind::Contest),
];

/// The list of aids.
#[derive(Template)]
#[template(path = "programmes.html")]
struct ListPage<'a> {
    frame: Frame,
    facets: Vec<Facet>,
    narrowed: bool,
    /// The list is that of someone: a kind of organisation was chosen.
    for_someone: bool,
    aside: Vec<String>,
    counted: String,
    programmes: Vec<Shown<'a>>,
    /// What an empty list may be widened to.
    widen: Vec<Way>,
}

struct Shown<'a> {
    programme: &'a Programme,
    kind: &'static str,
    open_to: String,
    from: String,
}

/// `GET /aides?pour=&forme=`.
pub(super) async fn list(site: State<Site>, RawQuery(query): RawQuery) -> Response {
    let fields = match Fields::query(query.as_deref()) {
        Ok(fields) => fields,
        Err(problem) => return site.refuse_page(&problem),
    };
    let mut aside = Vec::new();
    let keys = ORGANISATIONS.iter().map(|(key, _, _)| *key);
    let who = filter::chosen(&fields, "pour", "Pour qui", keys, &mut aside);
    let keys = FORMS.iter().map(|(key, _)| *key);
    let form = filter::chosen(&fields, "forme", "Forme de l’aide", keys, &mut aside);

    let corpus = &site.app.corpus;
    let all = &corpus.programmes;
    let shown = |who: Option<usize>, form: Option<usize>| {
        let fit = move |p: &&Programme| {
            who.is_none_or(|who| admits(corpus, p, ORGANISATIONS[who].1))
                && form.is_none_or(|form| p.kind == FORMS[form].1)
        };
        all.iter().filter(fit)
    };
    let facets = vec![
        Facet {
            name: "pour",
            label: "Pour qui",
            any: "Tout le monde",
            choices: ORGANISATIONS
                .iter()
                .enumerate()
                .map(|(at, (key, _, label))| Choice {
                    key: (*key).to_owned(),
                    label: capitalised(label),
                    count: shown(Some(at), form).count(),
                    chosen: who == Some(at),
                })
                .collect(),
        },
        Facet {
            name: "forme",
            label: "Forme de l’aide",
            any: "Toutes les formes",
            choices: FORMS
                .iter()
                .enumerate()
                .map(|(at, (key, kind))| Choice {
                    key: (*key).to_owned(),
                    label: named(*kind).to_owned(),
                    count: shown(who, Some(at)).count(),
                    chosen: form == Some(at),
                })
                .collect(),
        },
    ];
    let programmes: Vec<Shown> = shown(who, form).map(|p| Shown::of(corpus, p)).collect();
    let counted = match programmes.len() {
        0 => "Aucun dispositif".to_owned(),
        n => {
            let noun = if n == 1 { "dispositif" } else { "dispositifs" };
            let of = if n == all.len() {
                String::new()
            } else {
                format!(" sur {}", all.len())
            };
            format!("{n} {noun}{of}")
        }
    };
    let widen = match (who, form) {
        (Some(who), Some(form)) => vec![
            Way {
                label: format!(
                    "sous toutes les formes, pour un demandeur du type «\u{a0}{}\u{a0}» ({})",
                    ORGANISATIONS[who].2,
                    shown(Some(who), None).count()
                ),
                href: address("/aides", &[("pour", ORGANISATIONS[who].0)]),
            },
            Way {
                label: format!(
                    "pour tout le monde, sous la forme «\u{a0}{}\u{a0}» ({})",
                    named(FORMS[form].1).to_lowercase(),
                    shown(None, Some(form)).count()
                ),
                href: address("/aides", &[("forme", FORMS[form].0)]),
            },
            everything(),
        ],
        _ => vec![everything()],
    };
    site.html(&ListPage {
        frame: Frame::new(
            &site,
            format!("Aides et dispositifs\u{a0}: {counted}"),
            Tab::Aids,
        ),
        facets,
        narrowed: who.is_some() || form.is_some(),
        for_someone: who.is_some(),
        aside,
        counted,
        programmes,
        widen,
    })
}

fn everything() -> Way {
    Way {
        label: "voir tous les dispositifs".to_owned(),
        href: "/aides".to_owned(),
    }
}

/// The kinds of organisation that may ask; `None` when anyone may.
fn open_to<'a>(corpus: &'a Corpus, programme: &Programme) -> Option<&'a [OrganisationKind]> {
    corpus.rules_of(&programme.id).and_then(Rules::open_to)
}

/// Whether a kind of organisation may ask: one list of kinds excludes the others, no list excludes no one.
fn admits(corpus: &Corpus, programme: &Programme, kind: OrganisationKind) -> bool {
    open_to(corpus, programme).is_none_or(|kinds| kinds.contains(&kind))
}

/// What help takes the form of.
fn named(kind: ProgrammeKind) -> &'static str {
    match kind {
        ProgrammeKind::Service => "Accompagnement",
        ProgrammeKind::Grant => "Subvention",
        ProgrammeKind::Contest => "Concours",
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
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
    /// The text gives a grid by which people may assess their own project.
    grid: bool,
    parts: Vec<Part<'a>>,
}

/// `GET /aides/{id}`. An address that holds answers leads to what comes of them.
pub(super) async fn show(
    site: State<Site>,
    Segment(id): Segment,
    RawQuery(query): RawQuery,
) -> Response {
    let Some(programme) = site.app.corpus.programme(&id) else {
        return site.refuse_page(&Problem::UnknownProgramme);
    };
    if let Some(response) = wizard::deep_link(&id, query.as_deref()) {
        return response;
    }
    let parts = programme.sections().iter().map(|section| {
        let statements = section.passages.iter();
        let statements = statements.filter_map(|id| StatementView::of(&site, id));
        Part::new(section.title, statements.collect())
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
        grid: site
            .app
            .corpus
            .rules_of(&id)
            .is_some_and(|r| r.grid.is_some()),
        parts: parts.collect(),
        shown: Shown::of(&site.app.corpus, programme),
    };
    site.html(&page)
}

impl<'a> Shown<'a> {
    fn of(corpus: &Corpus, programme: &'a Programme) -> Self {
        let open_to = match open_to(corpus, programme) {
            None => "toute personne".to_owned(),
            Some(kinds) => {
                let known = ORGANISATIONS.iter().filter(|(_, id, _)| kinds.contains(id));
                known
                    .map(|(_, _, label)| *label)
                    .collect::<Vec<_>>()
                    .join(", ")
            }
        };
        Self {
            programme,
            kind: named(programme.kind),
            open_to,
            from: programme.in_force_from.spelled(Language::Fr),
        }
    }
}
