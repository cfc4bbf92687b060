//! A statement: one answerable point, in our own words, resting on one section of a source.
//!
//! Programmes hold statements with typed values beside them; pages hold the same in front matter.

use serde::{Deserialize, Serialize};

use crate::text::language::Language;

/// The same prose in both languages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Prose {
    /// French.
    pub fr: String,
    /// English; empty where the corpus has French only.
    pub en: String,
}

impl Prose {
    /// The prose in one language; French where English is missing.
    #[must_use]
    pub fn in_language(&self, language: Language) -> &str {
        if language == Language::En && !self.en.is_empty() {
            &self.en
        } else {
            &self.fr
        }
    }
}

/// A literal quotation and the section it stands in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quote {
    /// Section of the source.
    pub section: String,
    /// The words, letter for letter.
    pub quote: String,
}

/// What every statement has, whatever its kind.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Id in its file, and the line it stands on.
    pub id: String,
    /// Line in the file, from 1.
    pub line: usize,
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
    /// A few literal lines to look at.
    pub example: Option<String>,
    /// Source other than the file's.
    pub source: Option<String>,
    /// Section of the source on which it rests.
    pub section: String,
    /// Literal quotations, the main one first.
    pub quotes: Vec<Quote>,
    /// Passages that must be said together with it.
    pub with: Vec<String>,
    /// Passages worth showing after it.
    pub see: Vec<String>,
    /// The source does not say: the statement says so.
    pub silent: bool,
    /// The source says it in part, and leaves a question to ask.
    pub partial: bool,
}

/// Declares a kind of statement: the common keys, and its typed values.
macro_rules! statement {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident : $kind:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            id: toml::Spanned<String>,
            title: String,
            topic: String,
            text: String,
            #[serde(default)]
            en: String,
            #[serde(default)]
            items: Vec<String>,
            #[serde(default)]
            items_en: Vec<String>,
            #[serde(default)]
            source: Option<String>,
            section: String,
            #[serde(default)]
            quote: Option<String>,
            #[serde(default)]
            quotes: Vec<$crate::corpus::statement::Quote>,
            #[serde(default)]
            with: Vec<String>,
            #[serde(default)]
            see: Vec<String>,
            #[serde(default)]
            silent: bool,
            #[serde(default)]
            partial: bool,
            $($(#[$field_doc])* #[serde(default)] pub $field: Option<$kind>,)*
        }

        impl $name {
            /// Its id in its file.
            #[must_use]
            pub fn id(&self) -> &str {
                self.id.get_ref()
            }

            /// The common part, with the line on which it stands in its file.
            fn common(&self, lines: &$crate::corpus::fault::Lines) -> $crate::corpus::statement::Statement {
                let main = self.quote.iter().map(|quote| $crate::corpus::statement::Quote {
                    section: self.section.clone(),
                    quote: quote.clone(),
                });
                $crate::corpus::statement::Statement {
                    id: self.id.get_ref().clone(),
                    line: lines.at(self.id.span().start),
                    title: self.title.clone(),
                    topic: self.topic.clone(),
                    prose: $crate::corpus::statement::Prose { fr: self.text.clone(), en: self.en.clone() },
                    items: self.items.clone(),
                    items_en: self.items_en.clone(),
                    example: None,
                    source: self.source.clone(),
                    section: self.section.clone(),
                    quotes: main.chain(self.quotes.iter().cloned()).collect(),
                    with: self.with.clone(),
                    see: self.see.clone(),
                    silent: self.silent,
                    partial: self.partial,
                }
            }
        }
    };
}
pub(super) use statement;

/// A calendar day of the corpus, written as a TOML date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Day(pub jiff::civil::Date);

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wrong = || serde::de::Error::custom("une date AAAA-MM-JJ est attendue");
        let value = toml::value::Datetime::deserialize(deserializer)?;
        let date = value.date.ok_or_else(wrong)?;
        jiff::civil::Date::new(
            i16::try_from(date.year).map_err(|_| wrong())?,
            i8::try_from(date.month).map_err(|_| wrong())?,
            i8::try_from(date.day).map_err(|_| wrong())?,
        )
        .map(Self)
        .map_err(|_| wrong())
    }
}

impl Day {
    /// The day as people write it: "1er mars 2026", "1 March 2026".
    #[must_use]
    pub fn spelled(self, language: Language) -> String {
        const FR: [&str; 12] = [
            "janvier",
            "février",
            "mars",
            "avril",
            "mai",
            "juin",
            "juillet",
            "août",
            "septembre",
            "octobre",
            "novembre",
            "décembre",
        ];
        const EN: [&str; 12] = [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ];
        let month = usize::from(self.0.month().unsigned_abs()) - 1;
        match (language, self.0.day()) {
            (Language::Fr, 1) => format!("1er {} {}", FR[month], self.0.year()),
            (Language::Fr, day) => format!("{day} {} {}", FR[month], self.0.year()),
            (Language::En, day) => format!("{day} {} {}", EN[month], self.0.year()),
        }
    }
}
