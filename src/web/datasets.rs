//! Dataset records: a list that can be searched, and a page each that says what is not indicated.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;

use super::Site;
use super::error::{Problem, thousands};
use super::input::{Fields, Segment};
use super::page::{Frame, Tab};
use super::prose::spelled_date;
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
    records: Vec<&'a Record>,
    found: usize,
    total: usize,
    number: usize,
    pages: usize,
    not_indicated: String,
}

/// `GET /jeux-de-donnees?q=&page=`.
pub(super) async fn list(site: State<Site>, RawQuery(query): RawQuery) -> Response {
    let listed = async {
        let fields = Fields::query(query.as_deref())?;
        let number = fields.number("page", 1, 10_000)?;
        let (found, problem) = match site.find_records(fields.get("q")).await {
            Ok(found) => (found, None),
            Err(problem @ (Problem::TooLong { .. } | Problem::Overloaded)) => {
                (Vec::new(), Some(problem))
            }
            Err(problem) => return Err(problem),
        };
        let corpus = &site.app.corpus;
        let pages = found.len().div_ceil(ON_A_PAGE).max(1);
        if number > pages {
            return Err(Problem::UnknownPage);
        }
        let records = found.iter().skip((number - 1) * ON_A_PAGE).take(ON_A_PAGE);
        let page = ListPage {
            frame: Frame::new(&site, "Jeux de données", Tab::Records),
            query: fields.get("q").trim().to_owned(),
            problem: problem.as_ref().map(|p| p.detail(&corpus.messages)),
            records: records.map(|f| &corpus.records[f.at]).collect(),
            found: found.len(),
            total: corpus.records.len(),
            number,
            pages,
            not_indicated: corpus.messages.say("not_indicated", Language::Fr, &[]),
        };
        let response = site.private_html(&page);
        Ok(match problem {
            Some(problem) => super::error::with_headers(&problem, response),
            None => response,
        })
    };
    site.page_or_refusal(listed.await)
}

impl ListPage<'_> {
    fn counted(&self) -> String {
        let noun = |n: usize| {
            if n == 1 {
                "fiche d’exemple"
            } else {
                "fiches d’exemple"
            }
        };
        match (self.query.is_empty(), self.found) {
            (true, n) => format!("{} {}, par ordre d’identifiant.", thousands(n), noun(n)),
            (false, 0) => {
                "Aucune fiche ne correspond. Essayez d’autres mots, ou un thème plus large."
                    .to_owned()
            }
            (false, n) => format!(
                "{} {} sur {}, la plus proche d’abord.",
                thousands(n),
                noun(n),
                thousands(self.total)
            ),
        }
    }

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
