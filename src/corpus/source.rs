//! Sources and their outlines: where a locator resolves.

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::Named;
use super::fault::Lines;
use super::statement::Day;
use crate::text::language::Language;

/// What kind of thing a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// The founding text, adopted by the Région.
    Act,
    /// A European regulation that the act cites or that replaced it.
    Regulation,
    /// A public portal or site.
    Portal,
    /// This assistant's own description of itself.
    Assistant,
    /// What was learned by trying, on real public files.
    Guide,
}

/// A source: `corpus/sources/<id>.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Id, the file's name.
    pub id: String,
    /// What kind of thing it is.
    pub kind: SourceKind,
    /// Title as cited, in French.
    pub title: String,
    /// Title as cited, in English.
    pub title_en: String,
    /// Who issued it.
    pub issuer: String,
    /// When it was adopted, for an act or a regulation.
    #[serde(default)]
    pub adopted: Option<Day>,
    /// Where it can be read, when an address is known.
    #[serde(default)]
    pub url: Option<String>,
    /// SHA-256 of the whole text that quotations are compared with, in hexadecimal.
    #[serde(default)]
    pub text_sha256: Option<String>,
    /// The sections, in the order of the text.
    #[serde(rename = "section")]
    pub sections: Vec<OutlineSection>,
    /// What no passage tells, and why.
    #[serde(default)]
    pub left_out: Vec<LeftOut>,
    #[serde(skip)]
    pub(super) file: String,
}

/// What of a section no passage tells, and why.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// The section.
    pub section: Spanned<String>,
    /// Literal words of the sentence left out; without them, whatever of the section no passage tells.
    #[serde(default)]
    pub words: Option<String>,
    /// Why, in French.
    pub why: String,
    #[serde(skip)]
    pub(super) line: usize,
}

/// One section of a source's outline.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutlineSection {
    /// Id, which statements name.
    pub id: Spanned<String>,
    /// What a citation shows, in French: "annexe 3, Bénéficiaires de l'aide".
    pub locator: String,
    /// The same in English.
    pub locator_en: String,
    /// The literal words with which the section opens, for a source whose text can be compared.
    #[serde(default)]
    pub opens_with: Option<String>,
    /// An address of its own, for a portal.
    #[serde(default)]
    pub url: Option<String>,
    #[serde(skip)]
    pub(super) line: usize,
}

impl Source {
    /// The section with this id.
    #[must_use]
    pub fn section(&self, id: &str) -> Option<&OutlineSection> {
        self.sections.iter().find(|s| s.id.get_ref() == id)
    }

    /// The title in one language.
    #[must_use]
    pub fn title_in(&self, language: Language) -> &str {
        language.pick(&self.title, &self.title_en)
    }
}

impl Named for Source {
    fn file_stem(&self) -> &str {
        &self.id
    }

    fn locate(&mut self, file: &str, text: &str) {
        file.clone_into(&mut self.file);
        let lines = Lines::of(text);
        for section in &mut self.sections {
            section.line = lines.at(section.id.span().start);
        }
        for left_out in &mut self.left_out {
            left_out.line = lines.at(left_out.section.span().start);
        }
    }
}
