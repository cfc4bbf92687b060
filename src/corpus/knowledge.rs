//! The smaller kinds of knowledge: topics, messages, cues, weights, and how people ask.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use super::fault::{Faults, Lines};
use super::passage::PassageId;
use crate::text::fold::{Phrase, fold};
use crate::text::language::Language;
use crate::text::sparse::Terms;

/// An aspect under which programmes answer the same question: `topics.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// Its name in French, with its article: "le montant de l’aide".
    pub fr: String,
    /// Its name in English.
    pub en: String,
    /// The intent of a question about it, when it is not a plain question on a programme.
    #[serde(default)]
    pub intent: Option<String>,
    /// The aspect as which it is asked: the prizes of a contest answer "combien ?" too.
    #[serde(default)]
    pub akin: Option<String>,
    /// The kinds of figure that it tells without one: "gratuit" tells an amount.
    #[serde(default)]
    pub settles: Vec<Wanted>,
    /// Whether programmes answer it differently, so that an unnamed one is asked back.
    #[serde(default)]
    pub differs: bool,
}

/// What we say, by key: `messages.toml`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Messages(HashMap<String, Message>);

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    fr: String,
    en: String,
}

impl Messages {
    /// The keys that the code relies on; the checker asks for each.
    pub const KEYS: [&str; 38] = [
        "told_costs",
        "untold_amount",
        "untold_rate",
        "untold_day",
        "untold_count",
        "not_in_sources",
        "no_dataset",
        "nearest_datasets",
        "datasets_intro",
        "datasets_also",
        "clarify_programme",
        "quoted_in_french",
        "adopted",
        "ask_contact",
        "overloaded",
        "preparing",
        "too_long",
        "empty",
        "example_record",
        "not_indicated",
        "why_words",
        "why_theme",
        "disclosure",
        "goodbye_expired",
        "error",
        "examples_note",
        "record_line",
        "record_has",
        "record_lacks",
        "field_licence",
        "field_producer",
        "field_modified",
        "field_frequency",
        "field_formats",
        "field_columns",
        "field_rows",
        "field_territory",
        "field_address",
    ];

    /// The message in one language, with `{name}` replaced by each value given.
    #[must_use]
    pub fn say(&self, key: &str, language: Language, values: &[(&str, &str)]) -> String {
        let mut text = self
            .0
            .get(key)
            .map_or(key, |m| language.pick(&m.fr, &m.en))
            .to_owned();
        for (name, value) in values {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        text
    }

    pub(super) fn missing(&self) -> impl Iterator<Item = &'static str> {
        Self::KEYS.into_iter().filter(|k| !self.0.contains_key(*k))
    }

    /// Keys with their words in both languages.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&str, [&str; 2])> {
        self.0
            .iter()
            .map(|(key, m)| (key.as_str(), [m.fr.as_str(), m.en.as_str()]))
    }
}

/// Words that tell what is being asked for: `cues.toml`. Each is a phrase of whole words.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cues {
    /// The question is about data, a file, a map, a list of things in a place.
    pub data: Vec<Phrase>,
    /// A dataset or a file format is asked for in so many words.
    pub data_strong: Vec<Phrase>,
    /// Words that ask without saying about what.
    pub vague: Vec<Phrase>,
    /// A greeting before the question itself.
    pub greetings: Vec<Phrase>,
    /// The question is about the rules and money of programmes.
    pub programme: Vec<Phrase>,
    /// A person asks whether they may have it.
    pub eligibility: Vec<Phrase>,
    /// A person wants to file, or to be helped to file.
    pub application: Vec<Phrase>,
    /// A person asks how to do something with data.
    pub how_to: Vec<Phrase>,
    /// Stems that carry no subject in a request for data.
    #[serde(deserialize_with = "stems")]
    pub generic: HashSet<String>,
    /// Places outside the territory: the catalogue has nothing there.
    pub outside: Vec<Phrase>,
    /// The kind of figure that is asked for in so many words.
    pub wanted: Vec<WantedCue>,
    /// Words by which a question leans on the one before: "et", "ils", "dedans".
    pub leaning: Vec<Phrase>,
    /// Attributes of a dataset record, by field of the record.
    pub attributes: HashMap<String, Vec<Phrase>>,
}

/// A kind of figure, and how it is asked for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedCue {
    /// The kind.
    pub kind: Wanted,
    /// The phrases.
    pub said: Vec<Phrase>,
}

/// A kind of figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wanted {
    /// Money.
    Amount,
    /// A percentage.
    Rate,
    /// A date or a year.
    Day,
    /// How many.
    Count,
}

impl Wanted {
    /// The message that says that the text does not tell it.
    #[must_use]
    pub fn untold(self) -> &'static str {
        match self {
            Self::Amount => "untold_amount",
            Self::Rate => "untold_rate",
            Self::Day => "untold_day",
            Self::Count => "untold_count",
        }
    }
}

fn stems<'de, D: serde::Deserializer<'de>>(words: D) -> Result<HashSet<String>, D::Error> {
    let words = Vec::<String>::deserialize(words)?;
    Ok(words
        .iter()
        .flat_map(|w| Terms::Stems.of(w, Language::Fr))
        .collect())
}

/// Weights and thresholds of retrieval: `weights.toml`. Each figure there says how it was chosen.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// Programmes, pages, the assistant, what is not ours.
    pub passages: Channels,
    /// The catalogue.
    pub records: Channels,
    /// Added to the catalogue's score when the question speaks of data, and taken off when it does not.
    pub data_cue: f32,
    /// Added instead when a dataset or a file format is asked for in so many words.
    pub data_cue_strong: f32,
    /// Added to the passages' score when the question speaks of rules and money.
    pub programme_cue: f32,
    /// Taken off guides when data is asked for and not how to handle it.
    pub data_not_guide: f32,
    /// Added to what is not ours when a place outside the territory is named.
    pub outside: f32,
    /// Taken off passages that only say that the source does not say.
    pub silent: f32,
    /// Added to passages of a programme or page that the question names.
    pub named: f32,
    /// Added to passages of the programme the conversation is about, when none is named.
    pub in_focus: f32,
    /// Added to passages that tell a figure of the kind asked for.
    pub wanted: f32,
    /// Taken off what a question finds with the help of the one before.
    pub leaning: f32,
    /// Taken off what the last answer told, for a question that leans on it.
    pub told: f32,
    /// Added to passages on the aspect of the last answer, when the question only names another programme.
    pub same_topic: f32,
    /// Two programmes whose best passages are this near would both answer.
    pub ask_back_margin: f32,
    /// The same for a question of one or two words, which no programme can claim.
    pub ask_back_short_margin: f32,
    /// By how much the best record must be ahead of the best passage for the answer to be data.
    pub data_over_text: f32,
    /// A request for data that the best record misses by less than this, and that only a subject
    /// which is not ours would answer, is data that the catalogue lacks.
    pub data_doubt: f32,
    /// Taken off the catalogue's score when most words of the request stand in none of the best records.
    pub uncovered: f32,
    /// A further passage is said when it is this near to the best.
    pub second_margin: f32,
    /// Records this near to the best are shown.
    pub record_margin: f32,
}

/// The channels of one kind of content. A raw score is the sum of `weight × raw score of the channel`,
/// lexical scores first divided by a constant, so that scores of different questions compare.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channels {
    /// Cosine of question and text.
    pub dense: f32,
    /// BM25 on stems, over `stems_scale`.
    pub stems: f32,
    /// BM25 on character n-grams, over `grams_scale`.
    #[serde(default)]
    pub grams: f32,
    /// Cosine of question and best phrasing.
    #[serde(default)]
    pub phrasing_dense: f32,
    /// Cosine of question and best phrasings of the same aspect, of any programme.
    #[serde(default)]
    pub phrasing_topic: f32,
    /// BM25 on stems of the best phrasing, over `stems_scale`.
    #[serde(default)]
    pub phrasing_stems: f32,
    /// Cosine of question and best needs of the theme, less the mean of all themes.
    #[serde(default)]
    pub theme_dense: f32,
    /// BM25 on stems of the same, over `stems_scale`.
    #[serde(default)]
    pub theme_stems: f32,
    /// A thing of the theme is named.
    #[serde(default)]
    pub theme_word: f32,
    /// A large BM25 score on stems.
    pub stems_scale: f32,
    /// A large BM25 score on n-grams.
    #[serde(default)]
    pub grams_scale: f32,
    /// Under this raw score nothing of this kind answers.
    pub floor: f32,
    /// The floor of guides: they speak of data in general, as do requests for data we lack.
    #[serde(default)]
    pub floor_guide: f32,
    /// The floor of greetings and of what is not ours: short questions, scored lower.
    #[serde(default)]
    pub floor_beside: f32,
}

/// What people ask of the catalogue, by theme: `themes.toml`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Themes {
    theme: Vec<Theme>,
}

/// A theme of the catalogue, and how people say that they need what it holds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Theme {
    /// Its name: the part of a record's theme before the slash.
    pub name: String,
    /// Needs in everyday words.
    ask: Vec<String>,
    /// What the things of this theme, and of no other, are called.
    pub words: Vec<Phrase>,
}

impl Themes {
    /// The themes, in the order of the file.
    #[must_use]
    pub fn all(&self) -> &[Theme] {
        &self.theme
    }

    /// Every need, with the position of its theme.
    pub fn needs(&self) -> impl Iterator<Item = (usize, &str)> {
        let themes = self.theme.iter().enumerate();
        themes.flat_map(|(at, theme)| theme.ask.iter().map(move |ask| (at, ask.as_str())))
    }

    /// The positions of the themes that a record's theme names: "Voirie / mobilité" names two.
    pub fn of(&self, theme: &str) -> impl Iterator<Item = usize> {
        let themes = self.theme.iter().enumerate();
        themes.filter_map(move |(at, t)| t.is(theme).then_some(at))
    }
}

impl Theme {
    /// Whether a part of a record's theme is this one.
    #[must_use]
    pub fn is(&self, theme: &str) -> bool {
        let name = fold(&self.name);
        theme.split('/').any(|part| fold(part.trim()) == name)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bank {
    passage: Vec<Asked>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    id: Spanned<String>,
    ask: Vec<Spanned<String>>,
}

/// One way in which people ask for a passage.
#[derive(Debug, Clone)]
pub struct Phrasing {
    /// The words.
    pub text: String,
    /// The position of the passage that answers.
    pub passage: usize,
    pub(super) file: Arc<str>,
    pub(super) line: usize,
}

/// Reads one file of the question bank.
pub(super) fn phrasings(
    file: &str,
    text: &str,
    by_id: &HashMap<PassageId, usize>,
    out: &mut Vec<Phrasing>,
    faults: &mut Faults,
) {
    let bank: Bank = match toml::from_str(text) {
        Ok(bank) => bank,
        Err(e) => return faults.add_toml(file, text, 0, &e),
    };
    let lines = Lines::of(text);
    let name: Arc<str> = file.into();
    for asked in bank.passage {
        let line = lines.at(asked.id.span().start);
        let id = asked.id.into_inner();
        let Some(passage) = by_id.get(id.as_str()).copied() else {
            if !faults.lost(&id) {
                faults.add(
                    file,
                    Some(line),
                    format!("le passage « {id} » n’existe pas"),
                );
            }
            continue;
        };
        for ask in asked.ask {
            let line = lines.at(ask.span().start);
            let text = ask.into_inner();
            if !text.chars().any(|c| !c.is_whitespace()) {
                faults.add(
                    file,
                    Some(line),
                    format!("une formulation de « {id} » est vide"),
                );
            }
            out.push(Phrasing {
                text,
                passage,
                file: Arc::clone(&name),
                line,
            });
        }
    }
}
