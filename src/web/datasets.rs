//! Dataset records: a list that can be searched and narrowed, and a page each that says what is not indicated.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;

use super::Site;
use super::error::{Problem, thousands};
use super::filter::{Facet, Way, address};
use super::input::{Fields, Segment};
use super::page::{Frame, Tab};
use super::prose::spelled_date;
use super::shelves::{Chosen, SHELVES};
use crate::app::Refusal;
use crate::corpus::Record;
use crate::text::door::{Question, Unusable};
use crate::text::fold::{fold, words};
use crate::text::language::Language;
use crate::text::sparse::is_stop_word;

/// Records on one page of the list.
const ON_A_PAGE: usize = 25;

/// The list of records, or those found.
#[derive(Template)]
#[template(path = "datasets.html")]
struct ListPage<'a> {
    frame: Frame,
    query: String,
    problem: Option<String>,
    facets: Vec<Facet>,
    /// Words or a choice narrow the list.
    narrowed: bool,
    /// What the address asks in vain.
    aside: Vec<String>,
    counted: String,
    records: Vec<&'a Record>,
    found: usize,
    /// What an empty list may be widened to.
    widen: Vec<Way>,
    number: usize,
    pages: usize,
    previous: Option<String>,
    next: Option<String>,
    not_indicated: String,
}

/// `GET /jeux-de-donnees?q=&theme=&producer=&format=&licence=&page=`.
pub(super) async fn list(site: State<Site>, RawQuery(query): RawQuery) -> Response {
    let listed = async {
        let fields = Fields::query(query.as_deref())?;
        let query = fields.get("q").trim();
        let mut aside = Vec::new();
        let chosen = site.shelves.chosen(&fields, &mut aside);
        let (near, problem) = match site.find_records(query).await {
            Ok(near) => (near, None),
            Err(problem @ (Problem::TooLong { .. } | Problem::Overloaded)) => {
                (Vec::new(), Some(problem))
            }
            Err(problem) => return Err(problem),
        };
        let near: Vec<usize> = near.iter().map(|f| f.at).collect();
        let narrowed = Narrowed {
            site: &site,
            query,
            chosen,
        };
        let found: Vec<usize> = narrowed.of(&near, None).collect();
        let pages = found.len().div_ceil(ON_A_PAGE).max(1);
        let number = page_number(&fields, pages, &mut aside);
        let counted = counted(found.len(), site.app.corpus.records.len());
        let title = match (number, pages) {
            (_, 1) => format!("Jeux de données\u{a0}: {counted}"),
            _ => format!("Jeux de données\u{a0}: {counted}, page {number} sur {pages}"),
        };
        let records = found.iter().skip((number - 1) * ON_A_PAGE).take(ON_A_PAGE);
        let messages = &site.app.corpus.messages;
        let page = ListPage {
            frame: Frame::new(&site, title, Tab::Records),
            problem: problem.as_ref().map(|p| p.detail(messages)),
            facets: site.shelves.facets(&chosen, &near),
            narrowed: !query.is_empty() || chosen.iter().any(Option::is_some),
            aside,
            counted,
            records: records.map(|at| &site.app.corpus.records[*at]).collect(),
            found: found.len(),
            widen: if found.is_empty() {
                narrowed.ways_to_widen(&near)
            } else {
                Vec::new()
            },
            number,
            pages,
            previous: (number > 1).then(|| narrowed.address(number - 1)),
            next: (number < pages).then(|| narrowed.address(number + 1)),
            not_indicated: messages.say("not_indicated", Language::Fr, &[]),
            query: query.to_owned(),
        };
        let response = site.private_html(&page);
        Ok(match problem {
            Some(problem) => super::error::with_headers(&problem, response),
            None => response,
        })
    };
    site.page_or_refusal(listed.await)
}

/// The page asked for; what is not a page of this list is told, and the nearest one shown.
fn page_number(fields: &Fields, pages: usize, aside: &mut Vec<String>) -> usize {
    let asked = fields.get("page").trim();
    let number = if asked.is_empty() {
        Ok(1)
    } else {
        asked.parse()
    };
    match number {
        Ok(number) if (1..=pages).contains(&number) => number,
        Ok(number) if number > pages => {
            aside.push(format!(
                "Cette liste n’a pas de page {number} : voici la dernière."
            ));
            pages
        }
        _ => {
            aside.push(
                "L’adresse demande une page qui n’existe pas : voici la première.".to_owned(),
            );
            1
        }
    }
}

/// How many records, out of how many.
fn counted(found: usize, total: usize) -> String {
    let noun = |n: usize| {
        if n < 2 {
            "fiche d’exemple"
        } else {
            "fiches d’exemple"
        }
    };
    match found {
        0 => "Aucune fiche".to_owned(),
        n if n == total => format!("{} {}", thousands(n), noun(n)),
        n => format!("{} {} sur {}", thousands(n), noun(n), thousands(total)),
    }
}

/// What the list is narrowed by: words, and a choice for each shelf.
struct Narrowed<'a> {
    site: &'a Site,
    query: &'a str,
    chosen: Chosen,
}

impl Narrowed<'_> {
    /// The records that stand under the choices, but for the one left out.
    fn of(&self, records: &[usize], but: Option<usize>) -> impl Iterator<Item = usize> {
        let records = records.iter().copied();
        records.filter(move |record| self.site.shelves.holds(&self.chosen, *record, but))
    }

    /// The address of a page of the list.
    fn address(&self, page: usize) -> String {
        let page = page.to_string();
        self.without(None, self.query, &page)
    }

    fn without(&self, but: Option<usize>, query: &str, page: &str) -> String {
        let mut pairs = vec![("q", query)];
        for (i, choice) in self.chosen.iter().enumerate() {
            if let Some(choice) = choice.filter(|_| but != Some(i)) {
                pairs.push((SHELVES[i].name, self.site.shelves.choice(i, choice).0));
            }
        }
        pairs.push(("page", page));
        address("/jeux-de-donnees", &pairs)
    }

    /// Each criterion that can be let go to find something, then the whole list, then a person's way: asking.
    fn ways_to_widen(&self, near: &[usize]) -> Vec<Way> {
        let mut ways = Vec::new();
        for (i, choice) in self.chosen.iter().enumerate() {
            let Some(choice) = *choice else { continue };
            let left = self.of(near, Some(i)).count();
            if left > 0 {
                let (_, label) = self.site.shelves.choice(i, choice);
                let shelf = SHELVES[i].label.to_lowercase();
                ways.push(Way {
                    label: format!(
                        "sans le choix «\u{a0}{shelf} : {label}\u{a0}» ({})",
                        thousands(left)
                    ),
                    href: self.without(Some(i), self.query, ""),
                });
            }
        }
        if !self.query.is_empty() {
            let all: Vec<usize> = (0..self.site.app.corpus.records.len()).collect();
            let left = self.of(&all, None).count();
            if left > 0 && self.chosen.iter().any(Option::is_some) {
                ways.push(Way {
                    label: format!("sans les mots cherchés ({})", thousands(left)),
                    href: self.without(None, "", ""),
                });
            }
            ways.push(Way {
                label:
                    "avec d’autres mots, plus courants ou moins nombreux, dans le champ ci-dessus"
                        .to_owned(),
                href: "#q".to_owned(),
            });
            let question: String = self.query.chars().take(200).collect();
            ways.push(Way {
                label: "poser la question à l’assistant".to_owned(),
                href: address("/", &[("message", &question)]),
            });
        }
        ways.push(Way {
            label: "voir toutes les fiches".to_owned(),
            href: "/jeux-de-donnees".to_owned(),
        });
        ways
    }
}

impl ListPage<'_> {
    fn is_or(&self, value: &Option<String>) -> String {
        value.as_deref().unwrap_or(&self.not_indicated).to_owned()
    }

    fn date_or(&self, value: &Option<String>) -> String {
        value
            .as_deref()
            .map_or_else(|| self.not_indicated.clone(), spelled_date)
    }
}

/// A record.
#[derive(Template)]
#[template(path = "dataset.html")]
struct RecordPage<'a> {
    frame: Frame,
    record: &'a Record,
    warning: String,
    fields: Vec<FieldShown>,
    not_indicated: String,
}

/// A field of a record; nothing when it is not indicated.
struct FieldShown {
    name: &'static str,
    value: Option<String>,
    link: bool,
}

/// `GET /jeux-de-donnees/{id}`.
pub(super) async fn show(site: State<Site>, Segment(id): Segment) -> Response {
    let Some(record) = site.app.corpus.record(&id) else {
        return site.refuse_page(&Problem::UnknownRecord);
    };
    let say =
        |key, values: &[(&str, &str)]| site.app.corpus.messages.say(key, Language::Fr, values);
    let page = RecordPage {
        frame: Frame::new(&site, record.title.clone(), Tab::Records),
        record,
        warning: say("example_record", &[("seen_at", &record.seen_at)]),
        fields: fields(record),
        not_indicated: say("not_indicated", &[]),
    };
    site.html(&page)
}

fn fields(record: &Record) -> Vec<FieldShown> {
    let text = |name, value: &Option<String>| FieldShown {
        name,
        value: value.clone(),
        link: false,
    };
    let link = |name, value: &Option<String>| FieldShown {
        name,
        value: value.clone(),
        link: true,
    };
    let list = |name, values: &[String], between| FieldShown {
        name,
        value: Some(values.join(between)).filter(|v| !v.is_empty()),
        link: false,
    };
    let confidence = match record.confidence.as_str() {
        "seen" => "vue sur sa propre page",
        "indirect" => "citée par un inventaire, non vérifiée sur sa page",
        other => other,
    };
    vec![
        text("Producteur", &record.producer),
        text("Territoire", &record.territory),
        text("Thème", &record.theme),
        text("Licence", &record.licence),
        list("Formats", &record.formats, ", "),
        FieldShown {
            name: "Dernière mise à jour connue",
            value: record.modified.as_deref().map(spelled_date),
            link: false,
        },
        text("Fréquence de mise à jour", &record.frequency),
        FieldShown {
            name: "Nombre de lignes",
            value: record
                .rows
                .map(|n| usize::try_from(n).map_or_else(|_| n.to_string(), thousands)),
            link: false,
        },
        list("Colonnes", &record.columns, ", "),
        link("Page du jeu de données", &record.landing_page),
        link("Adresse pour les programmes (API)", &record.api_url),
        text("Identifiant à la source", &record.identifier),
        text("Plateforme", &record.platform),
        FieldShown {
            name: "Où la fiche a été relevée",
            value: Some(record.seen_at.clone()),
            link: false,
        },
        FieldShown {
            name: "Fiabilité du relevé",
            value: Some(confidence.to_owned()),
            link: false,
        },
        text("Remarques", &record.notes),
    ]
}

/// A record found: its position, and by how much its score is above the floor, when there is one.
#[derive(Debug, Clone, Copy)]
pub(super) struct RecordFound {
    pub(super) at: usize,
    pub(super) score: Option<f32>,
}

impl Site {
    /// The records that a query finds, best first; all of them, in order, for an empty query.
    ///
    /// A record is found when it is near enough in meaning, or holds all the words. While the index is
    /// being built, only words are looked at.
    ///
    /// # Errors
    /// [`Problem::TooLong`], [`Problem::Overloaded`], [`Problem::Broken`].
    pub(super) async fn find_records(&self, query: &str) -> Result<Vec<RecordFound>, Problem> {
        let corpus = &self.app.corpus;
        let question = match Question::parse(query) {
            Ok(question) => question,
            Err(Unusable::Empty) => {
                return Ok((0..corpus.records.len())
                    .map(|at| RecordFound { at, score: None })
                    .collect());
            }
            Err(Unusable::TooLong { chars }) => return Err(Problem::TooLong { chars }),
        };
        let asked: Vec<String> = words(question.as_str())
            .into_iter()
            .filter(|w| !is_stop_word(w))
            .collect();
        let holds = |record: &Record| {
            let text = fold(&record.indexed_text());
            !asked.is_empty()
                && asked
                    .iter()
                    .all(|word| text.contains(word.trim_end_matches('s')))
        };
        let evidence = match self.app.search(question.as_str()).await {
            Ok(evidence) => evidence,
            // Without an index, words are still compared.
            Err(Refusal::Preparing | Refusal::Away(_) | Refusal::Failed) => {
                let held = corpus.records.iter().enumerate().filter(|(_, r)| holds(r));
                return Ok(held
                    .map(|(at, _)| RecordFound { at, score: None })
                    .collect());
            }
            Err(other) => return Err(other.into()),
        };
        let floor = corpus.weights.records.floor;
        let near = evidence
            .records
            .iter()
            .filter(|f| f.score >= floor || holds(&corpus.records[f.at]));
        Ok(near
            .map(|f| RecordFound {
                at: f.at,
                score: Some(f.score - floor),
            })
            .collect())
    }
}
