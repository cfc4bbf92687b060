//! What people tell of themselves: facts, from the words of a conversation.
//!
//! Ordinary words are taken at their ordinary meaning, and each fact keeps the words it came from, to be
//! shown back and corrected. What is vague where a bound matters, or impossible, is no fact: it is asked
//! again. Which words mean what is data (`corpus/telling.toml`); nothing here decides who may have what.

mod counts;
mod message;
mod places;
mod who;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::corpus::{Corpus, Fact, Telling, Territory};
use crate::eligibility::{Facts, Refused};
use crate::text::fold::Phrase;
use crate::text::language::Language;
use message::Message;

/// A fact that was told.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// Which.
    pub fact: Fact,
    /// Its value, in the shape of the contract.
    pub value: Value,
    /// The words it came from.
    pub words: String,
}

/// A person's words are never printed.
impl std::fmt::Debug for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.fact.id())
    }
}

/// Why words did not become a fact.
#[derive(Clone, PartialEq)]
pub(super) enum Doubt {
    /// Not exact, where a bound is near.
    Vague { fact: Fact, words: String },
    /// Impossible, or in contradiction with what was said: what was expected.
    Refused {
        fact: Fact,
        words: String,
        expected: String,
    },
    /// An amount with VAT, where the amount without is asked for.
    WithTax { words: String },
}

impl Doubt {
    /// The fact it bears on.
    pub(super) fn fact(&self) -> Fact {
        match self {
            Self::Vague { fact, .. } | Self::Refused { fact, .. } => *fact,
            Self::WithTax { .. } => Fact::Budget,
        }
    }
}

/// What the conversation is at when a message comes.
pub(super) struct Situation<'a> {
    /// The programme it is about.
    pub(super) programme: Option<&'a str>,
    /// The fact that was asked for last.
    pub(super) asked: Option<Fact>,
    /// What was told before.
    pub(super) before: &'a [Told],
    /// The day.
    pub(super) today: Date,
    /// The language of the answer.
    pub(super) language: Language,
}

/// What was heard in a message.
#[derive(Clone, Default)]
pub struct Heard {
    /// What is new.
    pub(super) told: Vec<Told>,
    /// All that is known now, the new included.
    pub(super) known: Vec<Told>,
    /// What was not taken.
    pub(super) doubts: Vec<Doubt>,
    /// The person does not know what was asked.
    pub(super) unsure: bool,
    /// Someone speaks of themselves.
    pub(super) oneself: bool,
    /// The kind of organisation was said of oneself.
    pub(super) introduced: bool,
    /// A verdict is asked for.
    pub(super) asks_verdict: bool,
    /// Whether something may be done is asked for.
    pub(super) asks_may: bool,
    /// How much is asked for.
    pub(super) asks_amount: bool,
    /// What would turn the answer is asked.
    pub(super) asks_change: bool,
    /// Something else is asked.
    pub(super) asks_other: bool,
}

/// A person's words are never printed.
impl std::fmt::Debug for Heard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.known.iter().map(|t| t.fact.id()))
            .finish()
    }
}

/// Reads a message.
pub(super) fn hear(
    corpus: &Corpus,
    territory: &Territory,
    text: &str,
    situation: &Situation<'_>,
) -> Heard {
    let telling = &corpus.telling;
    let names = corpus.programmes.iter().flat_map(|p| &p.aliases);
    let message = Message::read(text, telling, names);
    let mut hearing = Hearing {
        corpus,
        telling,
        territory,
        message: &message,
        situation,
        told: Vec::new(),
        doubts: Vec::new(),
        partners: 0..0,
        read: Vec::new(),
        introduced: false,
    };
    hearing.partners();
    hearing.places();
    hearing.who();
    hearing.counts();
    hearing.short_answers();
    let introduced = hearing.introduced;
    let mut told = hearing.told;
    // Told in so many words, a population is not that of the place which is named.
    let counted = told
        .iter()
        .any(|t| t.told.fact == Fact::Population && !t.of_place);
    told.retain(|t| !(counted && t.of_place && t.told.fact == Fact::Population));
    let mut doubts = hearing.doubts;
    told.sort_by_key(|t| t.at);
    let mut new: Vec<Told> = Vec::new();
    for found in told {
        // The last word is the right one: "12, non, 9".
        new.retain(|t| t.fact != found.told.fact);
        new.push(found.told);
    }
    doubts.retain(|d| !new.iter().any(|t| t.fact == d.fact()));
    let asks = |phrases: &[Phrase]| message.says(phrases);
    let mut heard = Heard {
        unsure: asks(&telling.answers.unsure),
        oneself: asks(&telling.oneself),
        introduced,
        asks_verdict: asks(&telling.verdict),
        asks_may: asks(&telling.may),
        asks_amount: asks(&telling.amount),
        asks_change: asks(&telling.change),
        asks_other: asks(&telling.other_question)
            && !asks(&telling.suppose)
            && is_question(text, &message, telling),
        doubts,
        ..Heard::default()
    };
    heard.accept(corpus, territory, situation, new);
    heard
}

impl Heard {
    /// Whether this message tells a fact.
    pub(super) fn tells(&self, fact: Fact) -> bool {
        self.told.iter().any(|t| t.fact == fact)
    }

    /// Leaves what this message tells: it is about something else.
    pub(super) fn forget(&mut self, before: &[Told]) {
        self.told.clear();
        self.doubts.clear();
        self.known = before.to_vec();
    }

    /// Takes what the door of facts takes, together with what is known; the rest is a doubt.
    fn accept(
        &mut self,
        corpus: &Corpus,
        territory: &Territory,
        situation: &Situation<'_>,
        mut new: Vec<Told>,
    ) {
        loop {
            let mut known: Vec<Told> = situation.before.to_vec();
            // A place told anew replaces the place told before, whole.
            if new
                .iter()
                .any(|t| matches!(t.fact, Fact::Commune | Fact::DepartmentCode))
            {
                known.retain(|t| {
                    !matches!(t.fact, Fact::Commune | Fact::DepartmentCode)
                        || new
                            .iter()
                            .any(|n| n.fact != t.fact && refines(n.fact, t.fact))
                });
            }
            for told in &new {
                known.retain(|t| t.fact != told.fact);
                known.push(told.clone());
            }
            let refused = match read(corpus, territory, &known, situation.today) {
                Ok(_) => {
                    self.told = new;
                    self.known = known;
                    return;
                }
                Err(Refused::Faults(faults)) => faults,
                Err(_) => Vec::new(),
            };
            let count = new.len();
            for fault in refused {
                let key = fault.fact.split(['[', '.']).next().unwrap_or_default();
                let Some(at) = new.iter().position(|t| t.fact.id() == key) else {
                    continue;
                };
                let told = new.remove(at);
                // A commune and a department that contradict each other: neither is taken.
                if told.fact == Fact::Commune {
                    new.retain(|t| t.fact != Fact::DepartmentCode);
                }
                let expected = match (situation.language, corpus.facts.get(told.fact)) {
                    (Language::En, Some(entry)) => entry.expected(Language::En),
                    _ => fault.expected,
                };
                self.doubts.push(Doubt::Refused {
                    fact: told.fact,
                    words: told.words,
                    expected,
                });
            }
            if new.len() == count {
                // What is known already contradicts itself with it: nothing new is taken.
                for told in new.drain(..) {
                    self.doubts.push(Doubt::Refused {
                        fact: told.fact,
                        words: told.words,
                        expected: String::new(),
                    });
                }
                self.known = situation.before.to_vec();
                return;
            }
        }
    }
}

/// A question mark, or a word that asks at the beginning.
fn is_question(text: &str, message: &Message<'_>, telling: &Telling) -> bool {
    text.contains('?')
        || (0..message.words.len().min(2))
            .any(|at| message.at(&telling.other_question, at).is_some())
}

/// A department told after a commune narrows it down, and the other way round only when asked for.
fn refines(new: Fact, old: Fact) -> bool {
    new == Fact::DepartmentCode && old == Fact::Commune
}

/// The facts as the rules read them.
pub(super) fn read(
    corpus: &Corpus,
    territory: &Territory,
    known: &[Told],
    today: Date,
) -> Result<Facts, Refused> {
    Facts::read(
        &document(known).to_string(),
        &corpus.facts,
        territory,
        today,
    )
}

/// The facts as JSON.
pub(super) fn document(known: &[Told]) -> Value {
    let mut object = Map::new();
    for told in known {
        object.insert(told.fact.id().to_owned(), told.value.clone());
    }
    Value::Object(object)
}

/// A fact found at a word of the message.
struct FoundFact {
    at: usize,
    /// It comes with the name of a place.
    of_place: bool,
    told: Told,
}

struct Hearing<'a> {
    corpus: &'a Corpus,
    telling: &'a Telling,
    territory: &'a Territory,
    message: &'a Message<'a>,
    situation: &'a Situation<'a>,
    told: Vec<FoundFact>,
    doubts: Vec<Doubt>,
    /// The words that name partners: what stands there is not said of who speaks.
    partners: std::ops::Range<usize>,
    /// Words that are read as a number already: a SIRET.
    read: Vec<std::ops::Range<usize>>,
    /// The kind of organisation was said of oneself.
    introduced: bool,
}

impl Hearing<'_> {
    fn tell(&mut self, fact: Fact, value: impl Into<Value>, words: std::ops::Range<usize>) {
        self.told.push(FoundFact {
            at: words.start,
            of_place: false,
            told: Told {
                fact,
                value: value.into(),
                words: self.message.typed(words).to_owned(),
            },
        });
    }

    /// A fact that the name of a place brings.
    fn tell_of_place(
        &mut self,
        fact: Fact,
        value: impl Into<Value>,
        words: std::ops::Range<usize>,
    ) {
        self.tell(fact, value, words);
        if let Some(last) = self.told.last_mut() {
            last.of_place = true;
        }
    }

    fn heard(&self, fact: Fact) -> bool {
        self.told.iter().any(|t| t.told.fact == fact)
    }

    /// The last value of a fact, told now or before.
    fn value(&self, fact: Fact) -> Option<&Value> {
        let now = self.told.iter().rev().map(|t| &t.told);
        let before = self.situation.before.iter().rev();
        now.chain(before).find(|t| t.fact == fact).map(|t| &t.value)
    }

    fn asked(&self, fact: Fact) -> bool {
        self.situation.asked == Some(fact)
    }

    /// Whether the rules of the programme that is spoken of read this fact.
    fn reads(&self, fact: Fact) -> bool {
        let rules = self
            .situation
            .programme
            .and_then(|p| self.corpus.rules_of(p));
        rules.is_some_and(|r| r.reads(fact))
    }

    /// "oui", "non" to a question that takes them.
    fn short_answers(&mut self) {
        let message = self.message;
        let few = message.words.len() <= 6;
        let answers = &self.telling.answers;
        let said = |phrases: &[Phrase]| message.at(phrases, 0);
        let (yes, no) = (said(&answers.yes), said(&answers.no));
        match self.situation.asked {
            Some(Fact::ProjectUsesAi) if !self.heard(Fact::ProjectUsesAi) => match (yes, no) {
                (Some(words), _) => self.tell(Fact::ProjectUsesAi, true, words),
                (None, Some(words)) => self.tell(Fact::ProjectUsesAi, false, words),
                _ => {}
            },
            Some(Fact::NormandyStructureCount)
                if few && !self.heard(Fact::NormandyStructureCount) =>
            {
                if let Some(words) = no {
                    self.tell(Fact::NormandyStructureCount, 1, words);
                }
            }
            _ => {}
        }
    }
}
