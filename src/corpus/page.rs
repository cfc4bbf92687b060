//! A page of prose: Markdown with front matter, a passage under each heading.
//!
//! The front matter (TOML between `+++` lines) carries what a machine needs of each passage; the
//! body carries the French text under `## Title {#id}`. Nothing but headings and paragraphs is read.

use serde::Deserialize;
use toml::Spanned;

use super::fault::{Faults, Lines};
use super::passage::Kind;
use super::statement::{Prose, Quote, Statement};
use crate::text::fold::Phrase;

/// A page: `corpus/roadmap/<id>.md` and the like.
#[derive(Debug, Clone)]
pub struct Page {
    /// Id, the file's name.
    pub id: String,
    /// Title in French.
    pub title: String,
    /// Title in English.
    pub title_en: String,
    /// How people name what it is about.
    pub aliases: Vec<Phrase>,
    /// Source of its passages, unless they name another.
    pub source: String,
    /// What kind of content it is.
    pub kind: Kind,
    /// What was tried before it was written: the file, where it comes from, what was seen.
    pub tried: Vec<String>,
    /// What could not be tried.
    pub not_tried: Vec<String>,
    /// The ids of its passages, in order.
    pub passages: Vec<String>,
    pub(super) file: String,
    pub(super) statements: Vec<Statement>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FrontMatter {
    id: String,
    title: String,
    title_en: String,
    #[serde(default)]
    aliases: Vec<Phrase>,
    source: String,
    #[serde(default)]
    tried: Vec<String>,
    #[serde(default)]
    not_tried: Vec<String>,
    passage: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: Spanned<String>,
    topic: String,
    section: String,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    quote: Option<String>,
    #[serde(default)]
    quotes: Vec<Quote>,
    #[serde(default)]
    en: String,
    #[serde(default)]
    items: Vec<String>,
    #[serde(default)]
    items_en: Vec<String>,
    #[serde(default)]
    example: Option<String>,
    #[serde(default)]
    with: Vec<String>,
    #[serde(default)]
    see: Vec<String>,
    #[serde(default)]
    silent: bool,
    #[serde(default)]
    partial: bool,
}

/// Reads one page; `None` when its front matter cannot be read.
pub(super) fn read(file: &str, text: &str, kind: Kind, faults: &mut Faults) -> Option<Page> {
    let Some((front, body)) = text
        .strip_prefix("+++\n")
        .and_then(|rest| rest.split_once("\n+++\n"))
    else {
        faults.add(
            file,
            Some(1),
            "l’en-tête doit être du TOML entre deux lignes « +++ »",
        );
        faults.lose(file);
        return None;
    };
    let matter: FrontMatter = match toml::from_str(front) {
        Ok(m) => m,
        Err(e) => {
            faults.add_toml(file, front, 1, &e);
            return None;
        }
    };
    if !file.ends_with(&format!("/{}.md", matter.id)) {
        faults.add(
            file,
            Some(2),
            format!(
                "l’identifiant « {} » ne porte pas le nom du fichier",
                matter.id
            ),
        );
    }
    let lines = Lines::of(front);
    let first_line = text[..text.len() - body.len()].lines().count() + 1;
    let mut sections = headings(body, first_line);
    let mut statements = Vec::new();
    for entry in matter.passage {
        let line = 1 + lines.at(entry.id.span().start);
        let id = entry.id.into_inner();
        let Some(at) = sections.iter().position(|s| s.id == id) else {
            faults.add(
                file,
                Some(line),
                format!("aucun titre « {{#{id}}} » dans le texte"),
            );
            continue;
        };
        let section = sections.remove(at);
        let main = entry.quote.map(|quote| Quote {
            section: entry.section.clone(),
            quote,
        });
        statements.push(Statement {
            id,
            line,
            title: section.title,
            topic: entry.topic,
            prose: Prose {
                fr: section.text,
                en: entry.en,
            },
            items: entry.items,
            items_en: entry.items_en,
            example: entry.example,
            source: entry.source,
            section: entry.section,
            quotes: main.into_iter().chain(entry.quotes).collect(),
            with: entry.with,
            see: entry.see,
            silent: entry.silent,
            partial: entry.partial,
        });
    }
    for orphan in sections {
        faults.add(
            file,
            Some(orphan.line),
            format!(
                "le titre « {} » n’a pas d’entrée [[passage]] « {} »",
                orphan.title, orphan.id
            ),
        );
    }
    Some(Page {
        passages: statements
            .iter()
            .map(|s| format!("{}/{}", matter.id, s.id))
            .collect(),
        id: matter.id,
        title: matter.title,
        title_en: matter.title_en,
        aliases: matter.aliases,
        source: matter.source,
        tried: matter.tried,
        not_tried: matter.not_tried,
        kind,
        file: file.to_owned(),
        statements,
    })
}

struct Heading {
    id: String,
    title: String,
    text: String,
    line: usize,
}

/// The `## Title {#id}` headings of a body, each with its paragraphs joined.
fn headings(body: &str, first_line: usize) -> Vec<Heading> {
    let mut out: Vec<Heading> = Vec::new();
    for (at, line) in body.lines().map(str::trim).enumerate() {
        if let Some(heading) = line.strip_prefix("## ") {
            let (title, id) = heading
                .strip_suffix('}')
                .and_then(|h| h.split_once("{#"))
                .unwrap_or((heading, heading));
            out.push(Heading {
                id: id.trim().to_owned(),
                title: title.trim().to_owned(),
                text: String::new(),
                line: first_line + at,
            });
        } else if let Some(current) = out.last_mut()
            && !line.is_empty()
        {
            if !current.text.is_empty() {
                current.text.push(' ');
            }
            current.text.push_str(line);
        }
    }
    out
}
