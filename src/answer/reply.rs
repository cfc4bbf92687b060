//! The shape of an answer, as `contracts.md` and the API give it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::text::language::Language;

/// What the person wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// About a programme, the roadmap or an actor.
    ProgrammeQuestion,
    /// May I have it?
    Eligibility,
    /// I want to file.
    Application,
    /// Find data.
    DatasetSearch,
    /// About one dataset.
    DatasetQuestion,
    /// A figure from data.
    DataQuery,
    /// How to do something with data.
    HowTo,
    /// Greetings and the like.
    Chitchat,
    /// About the assistant.
    AboutAssistant,
    /// Not ours.
    OutOfScope,
}

/// One sentence of an answer, with the numbers of the citations it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sentence {
    /// A link that opens the sentence: a dataset's title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// The words, plain text.
    pub text: String,
    /// Numbers of citations.
    pub markers: Vec<usize>,
}

/// A link made by the program, never from content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// What is shown.
    pub label: String,
    /// A path of this site.
    pub href: String,
}

/// A paragraph, or a list with one sentence an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// A list rather than a paragraph.
    pub list: bool,
    /// Its sentences.
    pub sentences: Vec<Sentence>,
}

/// What a marker opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Citation {
    /// The number in the text, from 1.
    pub marker: usize,
    /// Id of the passage or record.
    pub id: String,
    /// Title of the source, or of the dataset.
    pub title: String,
    /// Where in the source.
    pub locator: String,
    /// The page of this site where it stands.
    pub url: Option<String>,
    /// The words of the source; our own words on it when `literal` is false.
    pub quote: String,
    /// Whether `quote` is the source's words, letter for letter.
    pub literal: bool,
}

/// A dataset shown beside an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DatasetShown {
    /// Id of the record.
    pub id: String,
    /// Its own title, unaltered.
    pub title: String,
    /// Where the data can be had.
    pub url: Option<String>,
    /// Who produces it, or "non indiqué".
    pub producer: String,
    /// Its licence, or "non indiqué".
    pub licence: String,
    /// When it last changed, or "non indiqué".
    pub modified: String,
    /// Why it was chosen.
    pub why: String,
    /// The page of this site that shows the record.
    pub page: String,
}

/// Something the person may do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// `open_programme`, `choose_programme`, or `answer`: one of the answers to what is asked.
    pub kind: String,
    /// The programme concerned.
    pub programme: String,
    /// What to show.
    pub label: String,
    /// Where it leads.
    pub url: String,
}

/// Something that was understood of the person, as they may check it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactShown {
    /// Its name outside: `headcount_fte`.
    pub fact: String,
    /// Its name for people.
    pub label: String,
    /// Its value for people.
    pub value: String,
    /// The words it came from.
    pub words: String,
}

/// Milliseconds by stage; `embed` includes waiting for the encoder.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "one field a stage, named after it")]
pub struct Timings {
    pub understand: f64,
    pub embed: f64,
    pub retrieve: f64,
    pub compose: f64,
    pub verify: f64,
    pub total: f64,
}

/// An answer whose every sentence has been verified. Serialized, it is as the store keeps it; what
/// machines get is its [`Answer::document`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Language of the answer.
    pub language: Language,
    /// What the person wanted.
    pub intent: Intent,
    /// The text, in blocks.
    pub blocks: Vec<Block>,
    /// What the markers open.
    pub citations: Vec<Citation>,
    /// The request itself is not fulfilled.
    pub abstained: bool,
    /// A question back.
    pub clarifies: bool,
    /// Datasets, best first, at most ten.
    pub datasets: Vec<DatasetShown>,
    /// What may be done next.
    pub actions: Vec<Action>,
    /// The verdict, in the shape of the contract, when a programme is spoken of and a fact bears on it.
    #[serde(default)]
    pub eligibility: Option<Value>,
    /// The facts that were told so far, as a JSON object in the shape of the contract.
    #[serde(default)]
    pub known: Value,
    /// The same for people.
    #[serde(default)]
    pub facts: Vec<FactShown>,
    /// The aspect it is about, for the next turn; not part of the answer.
    pub topic: Option<String>,
    /// Durations.
    pub timings: Timings,
}

impl Answer {
    /// The answer as the contract gives it to machines.
    #[must_use]
    pub fn document(&self) -> Value {
        json!({
            "language": self.language,
            "intent": self.intent,
            "answer": self.markdown(),
            "citations": self.citations,
            "abstained": self.abstained,
            "clarifies": self.clarifies,
            "eligibility": self.eligibility,
            "datasets": self.datasets,
            "facts": self.known,
            "understood": self.facts,
            "actions": self.actions,
            "generator": "composer",
            "timings_ms": self.timings,
        })
    }

    /// The text in Markdown, with `[1]` markers.
    #[must_use]
    pub fn markdown(&self) -> String {
        let blocks = self.blocks.iter().map(|block| {
            let sentences = block.sentences.iter().map(Sentence::markdown);
            if block.list {
                sentences
                    .map(|s| format!("- {s}"))
                    .collect::<Vec<_>>()
                    .join("\n")
            } else {
                sentences.collect::<Vec<_>>().join(" ")
            }
        });
        blocks.collect::<Vec<_>>().join("\n\n")
    }
}

impl Sentence {
    /// The sentence in Markdown; signs that Markdown would read are escaped.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        if let Some(link) = &self.link {
            out.push_str(&format!("[{}]({}) ", escaped(&link.label), link.href));
        }
        out.push_str(&escaped(&self.text));
        for marker in &self.markers {
            out.push_str(&format!(" [{marker}]"));
        }
        out
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '[' | ']' | '<' | '>' | '*' | '`' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
