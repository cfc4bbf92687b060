//! Passages: the citable points, compiled from programmes and pages.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::fault::Faults;
use super::knowledge::Wanted;
use super::page::Page;
use super::programme::Programme;
use super::source::Source;
use super::statement::{Prose, Statement};
use crate::text::figures::{Figure, figures};
use crate::text::language::Language;

/// The id of a passage: `<programme or page>/<statement>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PassageId(String);

impl PassageId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PassageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for PassageId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// What kind of content a passage belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// One of the programmes.
    Programme,
    /// A page about the roadmap or an actor.
    Page,
    /// A guide: how to do something with data.
    Guide,
    /// The assistant about itself, greetings included.
    Assistant,
    /// A neighbouring subject that is not ours, with who may know.
    Elsewhere,
}

/// A literal quotation, resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Quotation {
    /// Section id.
    pub section: String,
    /// Locator in French.
    pub locator: String,
    /// Locator in English.
    pub locator_en: String,
    /// The words.
    pub words: String,
}

/// One answerable, citable point.
#[derive(Debug, Clone)]
pub struct Passage {
    /// Id.
    pub id: PassageId,
    /// Kind of content.
    pub kind: Kind,
    /// The programme or page it belongs to.
    pub owner: String,
    /// The name of the programme or the title of the page, in both languages.
    pub owner_name: Prose,
    /// Heading, in French.
    pub title: String,
    /// Aspect: an id of `topics.toml`.
    pub topic: String,
    /// The prose.
    pub prose: Prose,
    /// A list after the prose, in French.
    pub items: Vec<String>,
    /// The same list in English.
    pub items_en: Vec<String>,
    /// A few literal lines to look at: of a file, a formula, a command.
    pub example: Option<String>,
    /// The source it rests on.
    pub source: String,
    /// The section of that source on which it rests.
    pub section: String,
    /// Locator in that source, in French.
    pub locator: String,
    /// Locator in English.
    pub locator_en: String,
    /// Where it can be read, when an address is known.
    pub url: Option<String>,
    /// Literal quotations, the main one first.
    pub quotations: Vec<Quotation>,
    /// Passages that must be said together with it.
    pub with: Vec<String>,
    /// Passages worth showing after it.
    pub see: Vec<String>,
    /// The source does not say: the passage says so.
    pub silent: bool,
    /// The source says it in part, and leaves a question to ask.
    pub partial: bool,
    /// The figures that a sentence citing this passage may hold.
    pub figures: Vec<Figure>,
    /// The figures that it tells: those of its French prose and list.
    pub(super) told: Vec<Figure>,
    /// Those of its English prose and list.
    pub(super) told_in_english: Vec<Figure>,
    /// Those of its quotations.
    pub(super) quoted: Vec<Figure>,
    pub(super) file: String,
    pub(super) line: usize,
}

impl Passage {
    /// What is embedded and matched: the heading path, then the French prose and list.
    #[must_use]
    pub fn indexed_text(&self) -> String {
        let mut text = format!("{} — {}. {}", self.owner_name.fr, self.title, self.prose.fr);
        for item in &self.items {
            text.push_str(" ; ");
            text.push_str(item);
        }
        text
    }

    /// The list in one language; French where English is missing.
    #[must_use]
    pub fn items_in(&self, language: Language) -> &[String] {
        if language == Language::En && !self.items_en.is_empty() {
            &self.items_en
        } else {
            &self.items
        }
    }

    /// The locator in one language.
    #[must_use]
    pub fn locator_in(&self, language: Language) -> &str {
        language.pick(&self.locator, &self.locator_en)
    }

    /// Whether it tells a figure of the kind wanted.
    #[must_use]
    pub fn tells(&self, wanted: Wanted) -> bool {
        let year = |n: i64| (1_990_000..2_100_000).contains(&n) && n % 1000 == 0;
        self.told.iter().any(|figure| match (wanted, figure) {
            (Wanted::Amount, Figure::Euros(_))
            | (Wanted::Rate, Figure::Percent(_))
            | (Wanted::Day, Figure::Date { .. }) => true,
            (Wanted::Count, Figure::Number(n)) => !year(*n),
            (Wanted::Day, Figure::Number(n)) => year(*n),
            _ => false,
        })
    }

    /// Finds the figures of each part once: what it tells, in both languages, quotes, and all it holds.
    fn read_figures(&mut self) {
        let of =
            |prose: &str, items: &[String]| figures(&format!("{prose} ; {}", items.join(" ; ")));
        self.told = of(&self.prose.fr, &self.items);
        self.told_in_english = of(&self.prose.en, &self.items_en);
        self.quoted = self
            .quotations
            .iter()
            .flat_map(|q| figures(&q.words))
            .collect();
        let mut all = figures(&format!("{} ; {}", self.owner_name.fr, self.title));
        all.extend(
            self.example
                .iter()
                .chain(&self.url)
                .flat_map(|part| figures(part)),
        );
        for part in [&self.told, &self.told_in_english, &self.quoted] {
            all.extend_from_slice(part);
        }
        self.figures = all;
    }

    /// Everything the passage says, as evidence: prose, lists, quotations.
    #[must_use]
    pub fn evidence(&self) -> String {
        let mut text = format!(
            "{} {} {} {}",
            self.owner_name.fr, self.title, self.prose.fr, self.prose.en
        );
        let quoted = self.quotations.iter().map(|q| &q.words);
        for part in self
            .items
            .iter()
            .chain(&self.items_en)
            .chain(quoted)
            .chain(&self.example)
            .chain(&self.url)
        {
            text.push_str(" ; ");
            text.push_str(part);
        }
        text
    }
}

/// All passages: programmes first, then pages, in file order.
pub(super) fn compile(
    programmes: &[Programme],
    pages: &[Page],
    sources: &[Source],
    faults: &mut Faults,
) -> Vec<Passage> {
    let mut out = Vec::new();
    for programme in programmes {
        let name = Prose {
            fr: programme.name.clone(),
            en: programme.name.clone(),
        };
        let owner = Owner {
            id: &programme.id,
            name,
            kind: Kind::Programme,
            source: &programme.source,
            file: &programme.file,
        };
        for statement in programme.sections().iter().flat_map(|s| &s.statements) {
            out.push(owner.passage(statement, sources, faults));
        }
    }
    for page in pages {
        let name = Prose {
            fr: page.title.clone(),
            en: page.title_en.clone(),
        };
        let owner = Owner {
            id: &page.id,
            name,
            kind: page.kind,
            source: &page.source,
            file: &page.file,
        };
        for statement in &page.statements {
            out.push(owner.passage(statement, sources, faults));
        }
    }
    out
}

/// The programme or page that passages are compiled for.
struct Owner<'a> {
    id: &'a str,
    name: Prose,
    kind: Kind,
    source: &'a str,
    file: &'a str,
}

impl Owner<'_> {
    /// The passage; a source or a section that does not resolve is a fault, and the passage stands all the
    /// same, so that whatever leads to it is not said to be wrong too.
    fn passage(&self, statement: &Statement, sources: &[Source], faults: &mut Faults) -> Passage {
        let source_id = statement.source.as_deref().unwrap_or(self.source);
        let source = sources.iter().find(|s| s.id == source_id);
        if source.is_none() && !faults.lost(source_id) {
            faults.add(
                self.file,
                Some(statement.line),
                format!("la source « {source_id} » n’existe pas"),
            );
        }
        let mut resolve = |id: &str| {
            let section = source?.section(id);
            if section.is_none() {
                let message =
                    format!("la section « {id} » n’existe pas dans la source « {source_id} »");
                faults.add(self.file, Some(statement.line), message);
            }
            section.map(|s| (s.locator.clone(), s.locator_en.clone(), s.url.clone()))
        };
        let (locator, locator_en, section_url) = resolve(&statement.section).unwrap_or_default();
        let quotations = statement.quotes.iter().map(|q| {
            let (locator, locator_en, _) = resolve(&q.section).unwrap_or_default();
            Quotation {
                section: q.section.clone(),
                locator,
                locator_en,
                words: q.quote.clone(),
            }
        });
        let quotations = quotations.collect();
        let mut passage = Passage {
            id: PassageId(format!("{}/{}", self.id, statement.id)),
            kind: self.kind,
            owner: self.id.to_owned(),
            owner_name: self.name.clone(),
            title: statement.title.clone(),
            topic: statement.topic.clone(),
            prose: statement.prose.clone(),
            items: statement.items.clone(),
            items_en: statement.items_en.clone(),
            example: statement.example.clone(),
            source: source_id.to_owned(),
            section: statement.section.clone(),
            locator,
            locator_en,
            url: section_url.or_else(|| source.and_then(|s| s.url.clone())),
            quotations,
            with: statement.with.clone(),
            see: statement.see.clone(),
            silent: statement.silent,
            partial: statement.partial,
            figures: Vec::new(),
            told: Vec::new(),
            told_in_english: Vec::new(),
            quoted: Vec::new(),
            file: self.file.to_owned(),
            line: statement.line,
        };
        passage.read_figures();
        passage
    }
}
