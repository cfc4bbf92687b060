//! One turn of a conversation, as HTML: the question, the answer sentence by sentence, its sources,
//! the records and the actions beside it. A page shows it whole, a stream shows it part by part;
//! both use the same templates.

use askama::Template;

use super::prose::{Links, spelled_date};
use super::verdict::Card;
use crate::answer::{Action, Answer, Block, Citation, DatasetShown, Sentence};
use crate::text::language::Language;

/// A turn to show. `id` is unique in the page: every anchor of the turn begins with it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown<'a> {
    pub(super) id: &'a str,
    pub(super) answer: &'a Answer,
    pub(super) links: &'a Links,
}

/// A whole turn.
#[derive(Template)]
#[template(path = "turn/whole.html")]
pub(super) struct Whole<'a> {
    pub(super) question: &'a str,
    pub(super) notice: Option<String>,
    pub(super) shown: Shown<'a>,
}

/// A turn whose answer is awaited.
#[derive(Template)]
#[template(path = "turn/opened.html")]
pub(super) struct Opened<'a> {
    pub(super) id: &'a str,
    pub(super) question: &'a str,
}

/// One sentence, with its markers.
#[derive(Template)]
#[template(path = "turn/sentence.html")]
pub(super) struct Said<'a> {
    shown: Shown<'a>,
    sentence: &'a Sentence,
    /// Its place in the answer, for the ids of its markers.
    place: String,
}

/// A paragraph or a list, up to `sentences`.
#[derive(Template)]
#[template(path = "turn/block.html")]
pub(super) struct BlockSaid<'a> {
    pub(super) id: String,
    pub(super) lang: &'static str,
    pub(super) list: bool,
    pub(super) records: bool,
    pub(super) sentences: Vec<Said<'a>>,
}

/// What the markers open.
#[derive(Template)]
#[template(path = "turn/sources.html")]
pub(super) struct Sources<'a> {
    shown: Shown<'a>,
    /// Those that a marker of the text opens.
    marked: Vec<&'a Citation>,
    /// Those of records shown beside the text only.
    others: Vec<&'a Citation>,
}

/// What comes after the text: the verdict of the rules, records, and what may be done next.
#[derive(Template)]
#[template(path = "turn/after.html")]
pub(super) struct After<'a> {
    shown: Shown<'a>,
    verdict: Option<Card<'a>>,
    more: Vec<&'a DatasetShown>,
    choices: Vec<&'a Action>,
    links: Vec<&'a Action>,
}

impl<'a> Shown<'a> {
    /// The blocks of the answer.
    pub(super) fn blocks(self) -> Vec<BlockSaid<'a>> {
        let block = |(i, block): (usize, &'a Block)| {
            let sentences = block
                .sentences
                .iter()
                .enumerate()
                .map(|(j, s)| self.said(s, i, j))
                .collect();
            self.block(i, block, sentences)
        };
        self.answer.blocks.iter().enumerate().map(block).collect()
    }

    /// A block that begins with some of its sentences.
    pub(super) fn block(self, at: usize, block: &Block, sentences: Vec<Said<'a>>) -> BlockSaid<'a> {
        let records = block.list && block.sentences.iter().all(|s| s.link.is_some());
        BlockSaid {
            id: self.block_id(at),
            lang: self.answer.language.code(),
            list: block.list,
            records,
            sentences,
        }
    }

    /// The id of a block.
    pub(super) fn block_id(self, at: usize) -> String {
        format!("{}-b{at}", self.id)
    }

    /// One sentence of a block.
    pub(super) fn said(self, sentence: &'a Sentence, block: usize, at: usize) -> Said<'a> {
        Said {
            shown: self,
            sentence,
            place: format!("{block}-{at}"),
        }
    }

    /// Its sources.
    pub(super) fn sources(self) -> Sources<'a> {
        let said = |marker| {
            let mut sentences = self.answer.blocks.iter().flat_map(|b| &b.sentences);
            sentences.any(|s| s.markers.contains(marker))
        };
        let (marked, others) = self.answer.citations.iter().partition(|c| said(&c.marker));
        Sources {
            shown: self,
            marked,
            others,
        }
    }

    /// What comes after its text.
    pub(super) fn after(self) -> After<'a> {
        let named = |d: &DatasetShown| {
            let mut sentences = self.answer.blocks.iter().flat_map(|b| &b.sentences);
            sentences.any(|s| s.link.as_ref().is_some_and(|l| l.href == d.page))
        };
        let (choices, links) = self
            .answer
            .actions
            .iter()
            .partition(|a| matches!(a.kind.as_str(), "choose_programme" | "answer"));
        After {
            shown: self,
            verdict: Card::of(self.id, self.answer, self.links),
            more: self.answer.datasets.iter().filter(|d| !named(d)).collect(),
            choices,
            links,
        }
    }

    /// Whether a citation is of a dataset record.
    fn is_record(self, citation: &Citation) -> bool {
        citation
            .url
            .as_deref()
            .is_some_and(|url| url.starts_with("/jeux-de-donnees/"))
    }

    /// The page of a citation, and the words of its link.
    fn page_of(self, citation: &Citation) -> Option<(&str, &'static str)> {
        let label = if self.is_record(citation) {
            self.pick("Voir la fiche", "See the record")
        } else {
            self.pick("Lire dans son contexte", "Read in context")
        };
        Some((citation.url.as_deref()?, label))
    }

    /// The title of a marker's source.
    fn title_of(self, marker: &usize) -> &'a str {
        self.answer
            .citations
            .iter()
            .find(|c| c.marker == *marker)
            .map_or("", |c| c.title.as_str())
    }

    fn pick(self, fr: &'static str, en: &'static str) -> &'static str {
        self.answer.language.pick(fr, en)
    }

    fn lang(self) -> &'static str {
        self.answer.language.code()
    }

    /// "3 sources", "1 source", nothing.
    pub(super) fn sources_counted(self) -> String {
        match self.answer.citations.len() {
            0 => String::new(),
            1 => "1 source".to_owned(),
            n => format!("{n} sources"),
        }
    }

    /// What a screen reader is told when the answer is there, as HTML.
    pub(super) fn ready(self) -> String {
        let sources = self.sources_counted();
        match (self.answer.language, sources.is_empty()) {
            (Language::Fr, true) => "Réponse prête, sans source.".to_owned(),
            (Language::Fr, false) => format!("Réponse prête, {sources}."),
            (Language::En, true) => "<span lang=\"en\">Answer ready, no source.</span>".to_owned(),
            (Language::En, false) => format!("<span lang=\"en\">Answer ready, {sources}.</span>"),
        }
    }
}
