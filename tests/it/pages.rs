//! The pages for people: what a public service owes, lists that can be narrowed, refusals, and that
//! every page is well made and every link of ours leads somewhere.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use assistant::app::App;
use assistant::config::{Config, Publisher};
use assistant::corpus::{Corpus, OrganisationKind, Rules};
use assistant::web;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};

use crate::harness::{Got, app, assistant, block_on, config, get, home, outcome, post, send};

const FORM: &str = "application/x-www-form-urlencoded";

/// A site that needs no index: its pages are served while the assistant gets ready.
struct Unready {
    router: Router,
    app: Arc<App>,
    _data: tempfile::TempDir,
}

fn unready(change: impl FnOnce(&mut Config)) -> Unready {
    let data = tempfile::tempdir().expect("a temporary folder");
    let mut settings = config(data.path());
    change(&mut settings);
    let app = App::open(settings).expect("the corpus is sound");
    Unready {
        router: web::router(Arc::clone(&app)),
        app,
        _data: data,
    }
}

/// A start tag: its name, and its attributes as they stand.
pub struct Tag<'a> {
    pub name: &'a str,
    attributes: &'a str,
}

impl Tag<'_> {
    pub fn attribute(&self, name: &str) -> Option<String> {
        let marked = format!(" {name}=\"");
        let text = format!(" {}", self.attributes);
        let from = text.find(&marked)? + marked.len();
        let value = text[from..].split('"').next()?;
        Some(value.replace("&amp;", "&").replace("&#38;", "&"))
    }

    /// Whether it has an attribute without a value.
    pub fn flag(&self, name: &str) -> bool {
        self.attributes.split([' ', '\n']).any(|word| word == name)
    }
}

/// The start tags of a page, in order; panics where tags are not balanced.
pub fn tags<'a>(page: &'a str, what: &str) -> Vec<Tag<'a>> {
    const VOID: [&str; 6] = ["meta", "link", "img", "input", "br", "hr"];
    let mut open = Vec::new();
    let mut found = Vec::new();
    for piece in page.split('<').skip(1) {
        let (tag, _) = piece
            .split_once('>')
            .unwrap_or_else(|| panic!("{what}: <{piece}"));
        if tag.starts_with('!') {
            continue;
        }
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{what}: </{name}> closes another");
            continue;
        }
        let (name, attributes) = tag.split_once([' ', '\n']).unwrap_or((tag, ""));
        if !VOID.contains(&name) {
            open.push(name);
        }
        found.push(Tag { name, attributes });
    }
    assert!(open.is_empty(), "{what}: {open:?} are left open");
    found
}

/// What every page must have to be read by anyone.
pub fn is_well_made(page: &str, what: &str) {
    assert!(page.starts_with("<!doctype html>"), "{what}");
    let tags = tags(page, what);
    let count = |name: &str| tags.iter().filter(|t| t.name == name).count();
    for (name, times) in [
        ("html", 1),
        ("title", 1),
        ("h1", 1),
        ("main", 1),
        ("header", 1),
        ("footer", 1),
    ] {
        assert_eq!(count(name), times, "{what}: {name}");
    }
    let html = tags.iter().find(|t| t.name == "html").expect("counted");
    assert_eq!(html.attribute("lang").as_deref(), Some("fr"), "{what}");
    let ids: Vec<String> = tags.iter().filter_map(|t| t.attribute("id")).collect();
    let unique: BTreeSet<&String> = ids.iter().collect();
    assert_eq!(ids.len(), unique.len(), "{what}: an id stands twice");

    let first_link = tags.iter().find(|t| t.name == "a").expect("a link");
    let skip = first_link.attribute("href").expect("an address");
    assert!(
        unique.contains(&skip[1..].to_owned()),
        "{what}: {skip} skips nowhere"
    );

    let labelled: Vec<String> = tags
        .iter()
        .filter(|t| t.name == "label")
        .filter_map(|t| t.attribute("for"))
        .collect();
    for field in tags
        .iter()
        .filter(|t| matches!(t.name, "input" | "select" | "textarea" | "progress"))
    {
        if field.attribute("type").as_deref() == Some("hidden") {
            continue;
        }
        let id = field
            .attribute("id")
            .unwrap_or_else(|| panic!("{what}: a {} has no id", field.name));
        assert!(labelled.contains(&id), "{what}: {id} has no label");
    }
    for nav in tags.iter().filter(|t| t.name == "nav") {
        assert!(
            nav.attribute("aria-label").is_some() || nav.attribute("aria-labelledby").is_some(),
            "{what}: a nav has no name"
        );
    }
    let mut level = 1;
    for heading in tags
        .iter()
        .filter(|t| matches!(t.name, "h1" | "h2" | "h3" | "h4"))
    {
        let this = usize::from(heading.name.as_bytes()[1] - b'0');
        assert!(this <= level + 1, "{what}: {} after h{level}", heading.name);
        level = this;
    }
    for forbidden in [" style=", "<style", " onclick=", "javascript:"] {
        assert!(!page.contains(forbidden), "{what}: {forbidden}");
    }
}

pub fn links(page: &str, what: &str) -> Vec<String> {
    let tags = tags(page, what);
    let address = |t: &Tag| match t.name {
        "a" | "link" => t.attribute("href"),
        "script" | "img" => t.attribute("src"),
        "form" => t
            .attribute("action")
            .filter(|_| t.attribute("method").as_deref() == Some("get")),
        _ => None,
    };
    tags.iter().filter_map(address).collect()
}

#[test]
fn every_page_of_ours_is_well_made_and_every_link_leads_to_one_and_to_its_place() {
    block_on(async {
        let router = web::router(app());
        let mut waiting = VecDeque::from(["/".to_owned()]);
        let mut seen = BTreeSet::from(["/".to_owned()]);
        let mut ids: Vec<(String, BTreeSet<String>)> = Vec::new();
        let mut anchors: Vec<(String, String, String)> = Vec::new();
        while let Some(path) = waiting.pop_front() {
            let got = get(&router, &path).await;
            assert_eq!(got.status, StatusCode::OK, "{path}");
            if !got.header("content-type").starts_with("text/html") {
                continue;
            }
            is_well_made(&got.body, &path);
            let here = tags(&got.body, &path)
                .iter()
                .filter_map(|t| t.attribute("id"))
                .collect();
            ids.push((path.clone(), here));
            for link in links(&got.body, &path) {
                let (target, anchor) = link.split_once('#').unwrap_or((&link, ""));
                let target = if target.is_empty() {
                    path.as_str()
                } else {
                    target
                };
                if !target.starts_with('/') {
                    assert!(
                        target.starts_with("https://")
                            || target.starts_with("http://")
                            || target.starts_with("mailto:"),
                        "{path}: {link}"
                    );
                    continue;
                }
                if !anchor.is_empty() {
                    anchors.push((path.clone(), target.to_owned(), anchor.to_owned()));
                }
                if seen.insert(target.to_owned()) {
                    waiting.push_back(target.to_owned());
                }
            }
        }
        for owed in [
            "/accessibilite",
            "/donnees-personnelles",
            "/mentions-legales",
            "/comment-ca-marche",
            "/guides",
        ] {
            assert!(seen.contains(owed), "no link leads to {owed}");
        }
        assert!(seen.len() > 250, "only {} addresses", seen.len());
        for (from, target, anchor) in anchors {
            let there = ids
                .iter()
                .find(|(path, _)| *path == target)
                .map(|(_, ids)| ids);
            assert!(
                there.is_some_and(|ids| ids.contains(&anchor)),
                "{from}: {target}#{anchor}"
            );
        }
    });
}

#[test]
fn what_the_operator_does_not_give_is_said_not_to_be_given() {
    block_on(async {
        let site = unready(|_| {});
        for (path, times) in [
            ("/mentions-legales", 6),
            ("/donnees-personnelles", 3),
            ("/accessibilite", 2),
        ] {
            let page = get(&site.router, path).await;
            assert_eq!(page.status, StatusCode::OK, "{path}");
            is_well_made(&page.body, path);
            let said = page.body.matches("non renseigné par l’exploitant").count();
            assert_eq!(said, times, "{path}");
        }
    });
}

fn publisher() -> Publisher {
    let given = |text: &str| Some(text.to_owned());
    Publisher {
        name: given("Collectivité d’essai"),
        address: given("1 place <du> Marché\n14000 Caen"),
        contact: given("contact@exemple.fr"),
        director: given("La présidente de la collectivité"),
        host: given("Hébergeur d’essai"),
        host_address: given("2 quai des Machines, 76000 Rouen, 02 00 00 00 00"),
        dpo: given("dpo@exemple.fr"),
        accessibility: given("https://exemple.fr/accessibilite"),
        url: given("https://assistant.exemple.fr"),
        source_code: given("https://exemple.fr/code"),
    }
}

#[test]
fn what_the_operator_gives_stands_on_the_pages_that_owe_it() {
    block_on(async {
        let site = unready(|settings| settings.publisher = publisher());
        let cases: [(&str, &[&str]); 3] = [
            (
                "/mentions-legales",
                &[
                    "Collectivité d’essai",
                    "1 place &lt;du&gt; Marché<br>14000 Caen",
                    "href=\"mailto:contact@exemple.fr\"",
                    "La présidente de la collectivité",
                    "Hébergeur d’essai",
                    "02 00 00 00 00",
                    "href=\"https://assistant.exemple.fr\"",
                    "href=\"https://exemple.fr/code\"",
                    "EUPL",
                    "AP D 25-12-5",
                ],
            ),
            (
                "/donnees-personnelles",
                &[
                    "Collectivité d’essai",
                    "Hébergeur d’essai",
                    "href=\"mailto:dpo@exemple.fr\"",
                    "CNIL",
                ],
            ),
            (
                "/accessibilite",
                &[
                    "Collectivité d’essai",
                    "href=\"https://exemple.fr/accessibilite\"",
                    "Défenseur des droits",
                    "non conforme",
                    "aucun audit",
                ],
            ),
        ];
        for (path, all) in cases {
            let page = get(&site.router, path).await.body;
            is_well_made(&page, path);
            assert!(!page.contains("non renseigné"), "{path}");
            for words in all {
                assert!(page.contains(words), "{words} is not on {path}");
            }
        }
    });
}

#[test]
fn the_time_that_conversations_are_kept_is_that_of_the_settings_everywhere() {
    block_on(async {
        for (minutes, told) in [
            (7, "7\u{a0}minutes"),
            (1, "1\u{a0}minute "),
            (1440, "1\u{202f}440\u{a0}minutes"),
        ] {
            let site =
                unready(|settings| settings.conversation_ttl = Duration::from_secs(60 * minutes));
            for path in ["/donnees-personnelles", "/comment-ca-marche", "/aides"] {
                let page = get(&site.router, path).await.body;
                assert!(page.contains(told), "{path} does not say {told}");
                assert!(
                    !page.contains("60\u{a0}minutes") && !page.contains("mémoire vive"),
                    "{path}"
                );
            }
        }
    });
}

#[test]
fn the_page_on_how_it_works_says_what_it_knows_who_decides_and_leads_to_what_is_owed() {
    block_on(async {
        let site = unready(|_| {});
        let page = get(&site.router, "/comment-ca-marche").await.body;
        let records = site.app.corpus.records.len().to_string();
        for words in [
            "Ce qu’il sait",
            "Comment il répond",
            "Ses limites",
            "Qui décide",
            "Votre conversation",
            "sur le disque",
            &records,
        ] {
            assert!(page.contains(words), "{words}");
        }
        let main = page
            .split("<main")
            .nth(1)
            .and_then(|rest| rest.split("</main>").next())
            .expect("a main part");
        for path in [
            "/accessibilite",
            "/donnees-personnelles",
            "/mentions-legales",
        ] {
            assert!(main.contains(&format!("href=\"{path}\"")), "{path}");
        }
        // Every point of the assistant about itself is there: citations lead to them.
        for passage in site
            .app
            .corpus
            .passages
            .iter()
            .filter(|p| p.owner == "assistant")
        {
            let anchor = passage.id.as_str().rsplit('/').next().expect("an id");
            assert!(main.contains(&format!("id=\"{anchor}\"")), "{anchor}");
        }
    });
}

/// The ids of the records that a list shows, all its pages followed by their links.
async fn listed(router: &Router, first: &str) -> Vec<String> {
    let mut ids = Vec::new();
    let mut next = Some(first.to_owned());
    while let Some(path) = next {
        let got = get(router, &path).await;
        assert_eq!(got.status, StatusCode::OK, "{path}");
        is_well_made(&got.body, &path);
        let tags = tags(&got.body, &path);
        let links = || tags.iter().filter(|t| t.name == "a");
        ids.extend(links().filter_map(|t| {
            let href = t.attribute("href")?;
            href.strip_prefix("/jeux-de-donnees/").map(str::to_owned)
        }));
        next = links()
            .find(|t| t.attribute("rel").as_deref() == Some("next"))
            .and_then(|t| t.attribute("href"));
    }
    ids
}

#[test]
fn data_are_narrowed_by_theme_producer_format_and_licence_alone_and_together() {
    block_on(async {
        let site = unready(|_| {});
        let all = |fit: &dyn Fn(&assistant::corpus::Record) -> bool| -> Vec<String> {
            let records = site.app.corpus.records.iter().filter(|r| fit(r));
            records.map(|r| r.id.clone()).collect()
        };
        let theme = |r: &assistant::corpus::Record| {
            r.theme
                .as_deref()
                .is_some_and(|t| t == "Mobilité" || t.starts_with("Mobilité /"))
        };
        let rouen = |r: &assistant::corpus::Record| {
            r.producer.as_deref() == Some("Métropole Rouen Normandie")
        };
        let gtfs = |r: &assistant::corpus::Record| r.formats.iter().any(|f| f == "GTFS");
        let cases: [(&str, Vec<String>); 7] = [
            ("", all(&|_| true)),
            ("?theme=mobilite", all(&theme)),
            ("?producer=metropole-rouen-normandie", all(&rouen)),
            ("?format=gtfs", all(&gtfs)),
            (
                "?licence=odbl",
                all(&|r| r.licence.as_deref() == Some("ODbL")),
            ),
            ("?licence=non-indique", all(&|r| r.licence.is_none())),
            (
                "?theme=mobilite&producer=metropole-rouen-normandie&format=&licence=",
                all(&|r| theme(r) && rouen(r)),
            ),
        ];
        for (query, expected) in cases {
            assert!(!expected.is_empty(), "{query} proves nothing");
            let path = format!("/jeux-de-donnees{query}");
            assert_eq!(listed(&site.router, &path).await, expected, "{query}");
            let page = get(&site.router, &path).await.body;
            let counted = format!("<h2 id=\"resultats\">{} fiche", expected.len());
            assert!(page.contains(&counted), "{query}: {counted}");
            assert!(
                page.contains(&format!(
                    "<title>Jeux de données\u{a0}: {} fiche",
                    expected.len()
                )),
                "{query}"
            );
        }
        // The words and the choices stay in the form.
        let page = get(&site.router, "/jeux-de-donnees?q=v%C3%A9lo&theme=mobilite")
            .await
            .body;
        assert!(
            page.contains("value=\"vélo\"")
                && page.contains("<option value=\"mobilite\" selected>"),
            "{page}"
        );
    });
}

#[test]
fn each_choice_of_the_form_leaves_as_many_records_as_it_says() {
    block_on(async {
        let site = unready(|_| {});
        for first in [
            "/jeux-de-donnees?",
            "/jeux-de-donnees?producer=region-normandie&",
        ] {
            let page = get(&site.router, first).await.body;
            for (name, rest) in ["theme", "format", "licence"].iter().filter_map(|name| {
                let from = page.find(&format!("<select id=\"filtre-{name}\""))?;
                Some((*name, page[from..].split("</select>").next()?.to_owned()))
            }) {
                let choices: Vec<(&str, usize)> = rest
                    .split("<option value=\"")
                    .filter_map(|option| {
                        let (key, rest) = option.split_once('"')?;
                        let count = rest.split(['(', ')']).rev().nth(1)?.parse().ok()?;
                        Some((key, count))
                    })
                    .collect();
                assert!(choices.len() > 1, "{name}: {rest}");
                for (key, count) in choices.into_iter().step_by(4) {
                    let path = format!("{first}{name}={key}");
                    assert_eq!(listed(&site.router, &path).await.len(), count, "{path}");
                }
            }
        }
    });
}

#[test]
fn what_an_address_asks_in_vain_is_told_and_left_aside() {
    block_on(async {
        let site = unready(|_| {});
        for query in [
            "theme=licorne",
            "producer=%3Cscript%3Ealert(1)",
            "format=%00",
            "licence=..%2F..",
            "page=0",
            "page=-1",
            "page=abc",
            "page=99999999999999999999999",
            "page=9999",
        ] {
            let got = get(&site.router, &format!("/jeux-de-donnees?{query}")).await;
            assert_eq!(got.status, StatusCode::OK, "{query}");
            is_well_made(&got.body, query);
            assert!(got.body.contains("class=\"notice\""), "{query} is not told");
            assert!(!got.body.contains("<script>alert"), "{query}");
            assert!(got.body.contains("class=\"card\""), "{query} shows nothing");
        }
        for query in ["pour=licorne", "forme=%3Cb%3E"] {
            let got = get(&site.router, &format!("/aides?{query}")).await;
            assert_eq!(got.status, StatusCode::OK, "{query}");
            assert!(
                got.body.contains("class=\"notice\"") && got.body.contains("/aides/booster-ia"),
                "{query}"
            );
        }
        // What no list knows is left alone, in silence: other sites add their own to addresses.
        let got = get(&site.router, "/jeux-de-donnees?utm_source=x").await;
        assert!(!got.body.contains("class=\"notice\""));
        for path in ["/jeux-de-donnees?q=%FF", "/aides?pour=%FF"] {
            assert_eq!(
                get(&site.router, path).await.status,
                StatusCode::BAD_REQUEST,
                "{path}"
            );
        }
    });
}

#[test]
fn an_empty_list_says_what_to_let_go_and_each_way_leads_to_something() {
    block_on(async {
        let site = unready(|_| {});
        for path in [
            "/jeux-de-donnees?q=licorne&theme=mobilite",
            "/jeux-de-donnees?theme=mobilite&licence=licence-ouverte-open-licence-2-0&producer=region-normandie&format=shp",
            "/aides?pour=particulier&forme=subvention",
        ] {
            let page = get(&site.router, path).await.body;
            is_well_made(&page, path);
            assert!(page.contains("Pour élargir"), "{path} is not empty");
            let ways = page
                .split("Pour élargir")
                .nth(1)
                .and_then(|rest| rest.split("</ul>").next())
                .expect("a list");
            let mut led = 0;
            for href in ways
                .split("href=\"")
                .skip(1)
                .filter_map(|rest| rest.split('"').next())
            {
                let href = href.replace("&#38;", "&").replace("&amp;", "&");
                if href.starts_with("/jeux-de-donnees") || href.starts_with("/aides") {
                    let there = get(&site.router, &href).await;
                    assert!(
                        there.body.contains("class=\"card\""),
                        "{path}: {href} is empty too"
                    );
                    led += 1;
                }
            }
            assert!(led > 0, "{path}");
        }
    });
}

#[test]
fn aids_are_narrowed_by_who_asks_and_by_form() {
    block_on(async {
        let site = unready(|_| {});
        let (diagnostic, booster, datathon) =
            ("diagnostic-data-ia", "booster-ia", "datathon-normandie");
        let cases: [(&str, &[&str]); 7] = [
            ("", &[booster, datathon, diagnostic]),
            ("?pour=entreprise", &[booster, datathon, diagnostic]),
            ("?pour=association", &[booster, datathon]),
            ("?pour=particulier", &[datathon]),
            ("?forme=subvention", &[booster]),
            (
                "?pour=etablissement-de-sante&forme=accompagnement",
                &[diagnostic],
            ),
            ("?pour=association&forme=accompagnement", &[]),
        ];
        for (query, expected) in cases {
            let path = format!("/aides{query}");
            let page = get(&site.router, &path).await.body;
            is_well_made(&page, &path);
            for id in [diagnostic, booster, datathon] {
                let shown = page.contains(&format!("href=\"/aides/{id}\""));
                assert_eq!(shown, expected.contains(&id), "{query}: {id}");
            }
            let counted = match expected.len() {
                0 => "Aucun dispositif".to_owned(),
                n => format!("{n} dispositif"),
            };
            assert!(
                page.contains(&format!("<h2 id=\"resultats\">{counted}")),
                "{query}"
            );
        }
        // Each kind of organisation that a condition names has a choice and a name.
        let corpus = Corpus::read(&home()).expect("the corpus is sound");
        let page = get(&site.router, "/aides").await.body;
        for programme in &corpus.programmes {
            let named = corpus
                .rules_of(&programme.id)
                .and_then(Rules::open_to)
                .map_or(1, <[OrganisationKind]>::len);
            let open_to = page
                .split(&format!("href=\"/aides/{}\"", programme.id))
                .nth(1)
                .and_then(|rest| rest.split("<dt>Ouvert à</dt><dd>").nth(1))
                .and_then(|rest| rest.split("</dd>").next())
                .expect("it says whom it is open to");
            assert_eq!(
                open_to.split(", ").count(),
                named,
                "{}: {open_to}",
                programme.id
            );
        }
    });
}

/// A refusal on a page: what happened, and ways on.
fn is_humane(got: &Got, status: u16, what: &str) {
    assert_eq!(got.status.as_u16(), status, "{what}");
    assert!(
        got.header("content-type").starts_with("text/html"),
        "{what}"
    );
    assert_eq!(got.header("cache-control"), "no-store", "{what}");
    is_well_made(&got.body, what);
    let main = got
        .body
        .split("<main")
        .nth(1)
        .and_then(|rest| rest.split("</main>").next())
        .expect("a main part");
    assert!(main.contains("href=\"/"), "{what}: no way on");
}

#[test]
fn refusals_are_readable_pages_with_ways_on_and_problems_for_machines() {
    block_on(async {
        let site = unready(|_| {});
        let router = &site.router;
        for path in [
            "/nulle-part",
            "/aides/licorne",
            "/jeux-de-donnees/licorne",
            "/guides/licorne",
            "/reperes/licorne",
            "/dossiers/x",
        ] {
            is_humane(&get(router, path).await, 404, path);
        }
        let wrong = get(router, "/oublier").await;
        is_humane(&wrong, 405, "GET /oublier");
        assert_eq!(wrong.header("allow"), "POST");
        is_humane(
            &post(router, "/aides", FORM, "text/html", "a=b").await,
            405,
            "POST /aides",
        );
        is_humane(
            &post(router, "/", FORM, "text/html", "x".repeat(1_100_000)).await,
            413,
            "a large form",
        );
        is_humane(
            &post(router, "/", "text/plain", "text/html", "x").await,
            415,
            "not a form",
        );

        let empty = post(router, "/", FORM, "text/html", "message=+").await;
        is_humane(&empty, 422, "an empty message");
        let long = format!("message={}", "mot+".repeat(1_000));
        let long = post(router, "/", FORM, "text/html", long).await;
        is_humane(&long, 422, "a long message");
        assert!(
            long.body.contains("role=\"alert\"") && long.body.contains("mot mot"),
            "what was typed is lost"
        );

        let waiting = get(router, "/").await;
        is_humane(&waiting, 503, "getting ready");
        assert!(!waiting.header("retry-after").is_empty());
        let asked = post(router, "/", FORM, "text/html", "message=Bonjour").await;
        is_humane(&asked, 503, "a question meanwhile");
        assert!(asked.body.contains("Bonjour"), "what was typed is lost");

        let delete = Request::delete("/api/v1/programmes")
            .body(Body::empty())
            .expect("a request");
        for (got, status) in [
            (get(router, "/api/v1/licorne").await, 404),
            (send(router, delete).await, 405),
            (
                post(
                    router,
                    "/api/v1/chat",
                    "application/json",
                    "application/json",
                    "{}",
                )
                .await,
                422,
            ),
            (
                post(
                    router,
                    "/api/v1/chat",
                    "application/json",
                    "application/json",
                    "x".repeat(100_000),
                )
                .await,
                413,
            ),
            (get(router, "/api/v1/search?q=x").await, 503),
        ] {
            assert_eq!(got.status.as_u16(), status, "{}", got.body);
            assert_eq!(
                got.header("content-type"),
                "application/problem+json",
                "{status}"
            );
            assert_eq!(got.json()["status"], status);
        }
    });
}

#[test]
fn an_assistant_that_cannot_answer_says_so_without_the_cause_and_the_rest_goes_on() {
    block_on(async {
        let site = unready(|settings| settings.model = "absent".to_owned());
        let preparing = Arc::clone(&site.app);
        let prepared = tokio::task::spawn_blocking(move || preparing.prepare(false)).await;
        assert!(prepared.expect("no panic").is_err());
        is_humane(&get(&site.router, "/").await, 503, "it cannot answer");
        let failed = post(&site.router, "/", FORM, "text/html", "message=Bonjour").await;
        is_humane(&failed, 503, "a question");
        for secret in ["absent", "models/", "gguf"] {
            assert!(!failed.body.contains(secret), "{secret}");
        }
        assert!(failed.body.contains("Bonjour"), "what was typed is lost");
        for path in [
            "/aides/booster-ia",
            "/jeux-de-donnees?q=v%C3%A9lo",
            "/accessibilite",
        ] {
            assert_eq!(
                get(&site.router, path).await.status,
                StatusCode::OK,
                "{path}"
            );
        }
    });
}

#[test]
fn doctor_notes_what_the_pages_owe_and_fails_nothing() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let doctor = |given: &[(&str, &str)]| {
        let mut command = assistant();
        command
            .arg("--data-dir")
            .arg(data.path())
            .arg("doctor")
            .env("ASSISTANT_ADDR", "127.0.0.1:0");
        let run = command.envs(given.iter().copied()).output();
        outcome(&run.expect("it runs"))
    };
    let (out, err, code) = doctor(&[]);
    assert_eq!(code, Some(0), "{out}{err}");
    let note = out
        .lines()
        .find(|l| l.starts_with("À NOTER"))
        .expect("a note");
    for key in [
        "name",
        "address",
        "contact",
        "director",
        "host",
        "host_address",
        "dpo",
        "accessibility",
    ] {
        assert!(note.contains(&format!("({key})")), "{key}: {note}");
    }
    let (out, _, _) = doctor(&[("ASSISTANT_PUBLISHER_NAME", "Collectivité d’essai")]);
    assert!(out.contains("À NOTER") && !out.contains("(name)"), "{out}");
    let all = [
        "NAME",
        "ADDRESS",
        "CONTACT",
        "DIRECTOR",
        "HOST",
        "HOST_ADDRESS",
        "DPO",
        "ACCESSIBILITY",
    ];
    let all: Vec<String> = all
        .iter()
        .map(|key| format!("ASSISTANT_PUBLISHER_{key}"))
        .collect();
    let all: Vec<(&str, &str)> = all.iter().map(|key| (key.as_str(), "donné")).collect();
    let (out, _, code) = doctor(&all);
    assert_eq!(code, Some(0), "{out}");
    assert!(!out.contains("À NOTER"), "{out}");
}
