//! Compose: from evidence to a draft, without a language model.
//!
//! The prose is the corpus': typed statements written to answer, and fixed messages around them.
//! What is decided here is which of them answer this question, in which order, and what is said
//! when none does. Nothing is written that is not in the corpus, a record, or a message.

use std::collections::HashSet;

use super::reply::{Action, Intent, Link};
use super::retrieve::{Evidence, Found};
use super::route::{Route, route};
use super::understand::Understood;
use crate::corpus::{Corpus, Fact, Kind, Passage, Programme, Record, Wanted};
use crate::text::language::Language;
use crate::text::sparse::{Terms, is_stop_word, stem};
use crate::text::{fold, sentence};

/// The text of an answer stays under this, lists of data aside.
const MAX_WORDS: usize = 150;
/// Records named in the text; more may be shown beside it.
const RECORDS_IN_TEXT: usize = 5;
/// Records shown.
const RECORDS_SHOWN: usize = 10;
/// How far down a second passage is looked for.
const SECOND_DEPTH: usize = 6;

/// What a sentence rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Support {
    /// A passage, by position.
    Passage(usize),
    /// A record, by position.
    Record(usize),
}

/// A sentence before verification. Without support it is ours: an introduction, a refusal.
#[derive(Debug, Clone)]
pub(super) struct DraftSentence {
    pub link: Option<Link>,
    pub text: String,
    pub supports: Vec<Support>,
    /// Written by the rules of a programme, whose figures the checker compares with the act.
    pub vouched: bool,
}

/// A block before verification.
#[derive(Debug, Clone)]
pub(super) struct DraftBlock {
    pub list: bool,
    pub sentences: Vec<DraftSentence>,
}

/// An answer before verification.
#[derive(Debug)]
pub(super) struct Draft {
    pub intent: Intent,
    pub abstained: bool,
    pub clarifies: bool,
    pub blocks: Vec<DraftBlock>,
    /// Records to show and why each fits.
    pub records: Vec<(usize, String)>,
    pub actions: Vec<Action>,
    /// The aspect it is about.
    pub topic: Option<String>,
    /// The fact that it asks for.
    pub asking: Option<Fact>,
}

impl Draft {
    pub(super) fn new(intent: Intent) -> Self {
        Self {
            intent,
            abstained: false,
            clarifies: false,
            blocks: Vec::new(),
            records: Vec::new(),
            actions: Vec::new(),
            topic: None,
            asking: None,
        }
    }

    pub(super) fn paragraph(&mut self, sentences: Vec<DraftSentence>) {
        self.block(false, sentences);
    }

    pub(super) fn list(&mut self, sentences: Vec<DraftSentence>) {
        self.block(true, sentences);
    }

    fn block(&mut self, list: bool, sentences: Vec<DraftSentence>) {
        if !sentences.is_empty() {
            self.blocks.push(DraftBlock { list, sentences });
        }
    }

    fn words(&self) -> usize {
        self.blocks
            .iter()
            .flat_map(|b| &b.sentences)
            .map(|s| s.text.split_whitespace().count())
            .sum()
    }
}

/// Writes the answer that the evidence allows.
pub(super) fn compose(corpus: &Corpus, understood: &Understood, evidence: &Evidence) -> Draft {
    let composer = Composer {
        corpus,
        understood,
        evidence,
        language: understood.language,
    };
    match route(corpus, understood, evidence) {
        Route::Record(at) => composer.about_record(at),
        Route::AskBack(programmes) => composer.ask_back(&programmes),
        Route::Passages => composer.passages(),
        Route::Records => composer.records(),
        Route::NoSuchData => composer.no_such_data(),
        Route::NotOurs => composer.not_ours(),
    }
}

struct Composer<'a> {
    corpus: &'a Corpus,
    understood: &'a Understood,
    evidence: &'a Evidence,
    language: Language,
}

impl<'a> Composer<'a> {
    fn ask_back(&self, passages: &[usize]) -> Draft {
        let mut draft = Draft::new(Intent::ProgrammeQuestion);
        draft.clarifies = true;
        draft.topic = Some(self.corpus.passages[passages[0]].topic.clone());
        let topic = self
            .corpus
            .topics
            .get(&self.corpus.passages[passages[0]].topic);
        let topic = topic
            .map(|t| self.language.pick(&t.fr, &t.en))
            .unwrap_or_default();
        draft.paragraph(vec![self.say("clarify_programme", &[("topic", topic)])]);
        let mut programmes: Vec<&Programme> = passages
            .iter()
            .filter_map(|at| self.corpus.programme(&self.corpus.passages[*at].owner))
            .collect();
        programmes.sort_by(|a, b| a.id.cmp(&b.id));
        draft.list(programmes.iter().map(|p| self.tagline(p)).collect());
        draft.actions = programmes
            .iter()
            .map(|p| self.action("choose_programme", p))
            .collect();
        draft
    }

    /// "Booster IA : une subvention de …", resting on the passage that presents the programme.
    fn tagline(&self, programme: &Programme) -> DraftSentence {
        let presented = programme
            .sections()
            .first()
            .and_then(|s| s.passages.first());
        let supports = presented
            .and_then(|id| self.corpus.position(id))
            .map(Support::Passage);
        let text = format!(
            "{} : {}",
            programme.name,
            programme.tagline_in(self.language)
        );
        DraftSentence {
            link: None,
            text,
            supports: supports.into_iter().collect(),
            vouched: false,
        }
    }

    fn passages(&self) -> Draft {
        let lead = self.evidence.passages[0];
        let passage = &self.corpus.passages[lead.at];
        let mut draft = Draft::new(self.intent(passage));
        draft.topic = Some(passage.topic.clone());
        draft.abstained =
            passage.silent || (passage.kind == Kind::Elsewhere && passage.topic != "emergency");

        let companions = self.companions(passage);
        if let Some(wanted) = self.untold(&companions, lead) {
            draft.abstained = true;
            draft.paragraph(vec![self.say(wanted.untold(), &[])]);
        }
        self.tell(&mut draft, lead.at);
        for companion in companions {
            self.tell(&mut draft, companion);
        }
        if passage.kind == Kind::Assistant || passage.kind == Kind::Elsewhere {
            return draft;
        }
        if let Some(second) = self.second(lead, &draft) {
            self.tell(&mut draft, second);
        }
        let programme = self.corpus.programme(&passage.owner);
        if (draft.abstained || passage.partial)
            && let Some(sentence) = programme.and_then(|p| self.contact(p))
        {
            draft.paragraph(vec![sentence]);
        }
        if self.understood.asks_data && self.evidence.record_answers && programme.is_none() {
            self.list_records(&mut draft, "datasets_also", 3);
        }
        if let Some(sentence) = self.adopted(lead.at) {
            draft.paragraph(vec![sentence]);
        }
        draft.actions = programme
            .iter()
            .map(|p| self.action("open_programme", p))
            .collect();
        draft
    }

    /// The kind of figure asked for, when nothing that is about to be said tells one.
    fn untold(&self, companions: &[usize], lead: Found) -> Option<Wanted> {
        let near = |f: &&Found| f.score >= lead.score - self.corpus.weights.second_margin;
        let nearby = self.evidence.passages.iter().take(SECOND_DEPTH);
        let told = |wanted: Wanted| {
            companions
                .iter()
                .copied()
                .chain(nearby.take_while(near).map(|f| f.at))
                .any(|at| self.corpus.settles(&self.corpus.passages[at], wanted))
        };
        let ours = matches!(
            self.corpus.passages[lead.at].kind,
            Kind::Programme | Kind::Page
        );
        self.understood.wanted.filter(|w| ours && !told(*w))
    }

    fn intent(&self, passage: &Passage) -> Intent {
        match passage.kind {
            Kind::Assistant
                if matches!(passage.topic.as_str(), "greeting" | "thanks" | "goodbye") =>
            {
                Intent::Chitchat
            }
            Kind::Assistant => Intent::AboutAssistant,
            Kind::Elsewhere => Intent::OutOfScope,
            Kind::Guide => Intent::HowTo,
            Kind::Programme | Kind::Page => {
                let aspect = self
                    .corpus
                    .topics
                    .get(&passage.topic)
                    .and_then(|t| t.intent.as_deref());
                match aspect {
                    Some("eligibility") if self.understood.asks_eligibility => Intent::Eligibility,
                    Some("application") if self.understood.asks_application => Intent::Application,
                    Some("how_to") if self.understood.asks_how_to => Intent::HowTo,
                    _ => Intent::ProgrammeQuestion,
                }
            }
        }
    }

    /// Says a passage: its prose, then its list.
    fn tell(&self, draft: &mut Draft, at: usize) {
        let passage = &self.corpus.passages[at];
        let supports = vec![Support::Passage(at)];
        let prose = passage.prose.in_language(self.language);
        let cited = |text: &str| DraftSentence {
            link: None,
            text: text.to_owned(),
            supports: supports.clone(),
            vouched: false,
        };
        let mut sentences: Vec<DraftSentence> =
            sentence::split(prose).into_iter().map(cited).collect();
        if self.language == Language::En && passage.prose.en.is_empty() {
            sentences.insert(0, self.say("quoted_in_french", &[]));
        }
        // Sentences of one passage share its marker: once at the end of each paragraph would be too
        // little to see what each rests on, so each keeps it.
        draft.paragraph(sentences);
        draft.list(
            passage
                .items_in(self.language)
                .iter()
                .map(|i| cited(i))
                .collect(),
        );
    }

    /// What must be said together with a passage.
    fn companions(&self, passage: &Passage) -> Vec<usize> {
        passage
            .with
            .iter()
            .filter_map(|id| self.corpus.position(id))
            .collect()
    }

    /// A further passage that is about as near, of the same programme or page, and says something else.
    fn second(&self, lead: Found, draft: &Draft) -> Option<usize> {
        let first = &self.corpus.passages[lead.at];
        let said: HashSet<String> = self.stems(&first.prose.fr).into_iter().collect();
        self.evidence
            .passages
            .iter()
            .skip(1)
            .take(SECOND_DEPTH)
            .find_map(|found| {
                let passage = &self.corpus.passages[found.at];
                let near = found.score >= lead.score - self.corpus.weights.second_margin;
                let akin =
                    passage.owner == first.owner && !first.with.contains(&passage.id.to_string());
                let stems = self.stems(&passage.prose.fr);
                let repeated = stems.iter().filter(|s| said.contains(*s)).count();
                let new = repeated * 10 < stems.len() * 7;
                let length = passage
                    .prose
                    .in_language(self.language)
                    .split_whitespace()
                    .count()
                    + passage
                        .items_in(self.language)
                        .iter()
                        .map(|i| i.split_whitespace().count())
                        .sum::<usize>();
                (near && akin && new && !passage.silent && draft.words() + length <= MAX_WORDS)
                    .then_some(found.at)
            })
    }

    fn contact(&self, programme: &Programme) -> Option<DraftSentence> {
        let contact = programme.contacts.first()?;
        let at = self
            .corpus
            .position(&format!("{}/{}", programme.id, contact.id()))?;
        let names = contact
            .names
            .clone()
            .unwrap_or_default()
            .join(self.language.pick(" ou ", " or "));
        let who = if names.is_empty() {
            contact.service.clone().unwrap_or_default()
        } else {
            names
        };
        let how: Vec<String> = contact
            .emails
            .clone()
            .unwrap_or_default()
            .into_iter()
            .chain(contact.phone.clone())
            .collect();
        let contact = if how.is_empty() {
            who
        } else {
            format!("{who} ({})", how.join(", "))
        };
        let mut sentence = self.say("ask_contact", &[("contact", &contact)]);
        sentence.supports.push(Support::Passage(at));
        Some(sentence)
    }

    /// "D’après la délibération …, adoptée le …", for a passage that rests on the act.
    fn adopted(&self, at: usize) -> Option<DraftSentence> {
        let source = self.corpus.source(&self.corpus.passages[at].source)?;
        let date = source.adopted?.spelled(self.language);
        let mut sentence = self.say(
            "adopted",
            &[("title", source.title_in(self.language)), ("date", &date)],
        );
        sentence.supports.push(Support::Passage(at));
        Some(sentence)
    }

    fn records(&self) -> Draft {
        let asks_figure = self.understood.attributes.iter().any(|a| a == "figure");
        let mut draft = Draft::new(if asks_figure {
            Intent::DataQuery
        } else {
            Intent::DatasetSearch
        });
        let lead = self.evidence.passages.first().filter(|_| {
            let near = self.evidence.record_lead <= self.corpus.weights.second_margin;
            self.evidence.passage_answers && near
        });
        if let Some(lead) = lead
            && matches!(
                self.corpus.passages[lead.at].kind,
                Kind::Page | Kind::Programme
            )
        {
            let passage = &self.corpus.passages[lead.at];
            if let Some(first) = sentence::split(passage.prose.in_language(self.language)).first() {
                let supports = vec![Support::Passage(lead.at)];
                draft.paragraph(vec![DraftSentence {
                    link: None,
                    text: (*first).to_owned(),
                    supports,
                    vouched: false,
                }]);
            }
        }
        let intro = if draft.blocks.is_empty() {
            "datasets_intro"
        } else {
            "datasets_also"
        };
        self.list_records(&mut draft, intro, RECORDS_IN_TEXT);
        draft
    }

    fn list_records(&self, draft: &mut Draft, intro: &str, in_text: usize) {
        let shown = self.records_worth_showing();
        draft.paragraph(vec![self.say(intro, &[])]);
        draft.list(
            shown
                .iter()
                .take(in_text)
                .map(|(at, why)| self.record_line(*at, why))
                .collect(),
        );
        draft.paragraph(vec![self.say("examples_note", &[])]);
        draft.records = shown;
    }

    /// The records near enough to the best, each with why it fits.
    fn records_worth_showing(&self) -> Vec<(usize, String)> {
        let Some(best) = self.evidence.records.first() else {
            return Vec::new();
        };
        let floor =
            (best.score - self.corpus.weights.record_margin).max(self.corpus.weights.records.floor);
        self.evidence
            .records
            .iter()
            .take_while(|f| f.score >= floor)
            .take(RECORDS_SHOWN)
            .map(|f| (f.at, self.why(&self.corpus.records[f.at])))
            .collect()
    }

    /// The words of the question that the record holds, or else the theme it is near by.
    fn why(&self, record: &Record) -> String {
        let held = record.stems();
        let mut seen = HashSet::new();
        let said = self.understood.said.as_str();
        let shared: Vec<String> = said
            .split(|c: char| !c.is_alphanumeric() && c != '-')
            .filter(|w| {
                let folded = fold::fold(w);
                let stem = stem(&folded, Language::Fr);
                folded.len() > 2
                    && !is_stop_word(&folded)
                    && held.contains(&stem)
                    && seen.insert(stem)
            })
            .map(|w| format!("« {w} »"))
            .collect();
        if !shared.is_empty() {
            return self.message("why_words", &[("words", &shared.join(", "))]);
        }
        let theme = record.theme.as_deref().unwrap_or(&record.title);
        self.message("why_theme", &[("theme", theme)])
    }

    fn record_line(&self, at: usize, why: &str) -> DraftSentence {
        let record = &self.corpus.records[at];
        let missing = self.message("not_indicated", &[]);
        let or_missing = |value: &Option<String>| value.clone().unwrap_or_else(|| missing.clone());
        let text = self.message(
            "record_line",
            &[
                ("producer", &or_missing(&record.producer)),
                ("modified", &or_missing(&record.modified)),
                ("licence", &or_missing(&record.licence)),
                ("why", why),
            ],
        );
        DraftSentence {
            link: Some(link(record)),
            text,
            supports: vec![Support::Record(at)],
            vouched: false,
        }
    }

    /// The fields asked about of one record.
    fn about_record(&self, at: usize) -> Draft {
        let record = &self.corpus.records[at];
        let cited = |mut sentence: DraftSentence| {
            sentence.supports.push(Support::Record(at));
            sentence
        };
        let fields = self.understood.attributes.iter().filter(|f| *f != "figure");
        let mut sentences: Vec<DraftSentence> = fields
            .map(|field| {
                let label = self.message(&format!("field_{field}"), &[]);
                match field_of(record, field) {
                    Some(value) => self.say(
                        "record_has",
                        &[
                            ("title", &record.title),
                            ("field", &label),
                            ("value", &value),
                        ],
                    ),
                    None => self.say(
                        "record_lacks",
                        &[("title", &record.title), ("field", &label)],
                    ),
                }
            })
            .map(cited)
            .collect();
        sentences.push(cited(ours(record.description.clone())));
        let mut draft = Draft::new(Intent::DatasetQuestion);
        draft.paragraph(sentences);
        draft.paragraph(vec![cited(
            self.say("example_record", &[("seen_at", &record.seen_at)]),
        )]);
        draft.records = vec![(at, self.why(record))];
        draft
    }

    fn no_such_data(&self) -> Draft {
        let mut draft = Draft::new(Intent::DatasetSearch);
        draft.abstained = true;
        draft.paragraph(vec![
            self.say("no_dataset", &[]),
            self.say("nearest_datasets", &[]),
        ]);
        draft.list(
            self.evidence
                .records
                .iter()
                .take(3)
                .map(|f| self.record_line(f.at, &self.why(&self.corpus.records[f.at])))
                .collect(),
        );
        draft
    }

    fn not_ours(&self) -> Draft {
        let mut draft = Draft::new(Intent::OutOfScope);
        draft.abstained = true;
        draft.paragraph(vec![self.say("not_in_sources", &[])]);
        let named = self
            .understood
            .named
            .iter()
            .find_map(|id| self.corpus.programme(id));
        if let Some(programme) = named {
            draft.intent = Intent::ProgrammeQuestion;
            draft.paragraph(self.contact(programme).into_iter().collect());
            draft.actions = vec![self.action("open_programme", programme)];
        }
        draft
    }

    fn action(&self, kind: &str, programme: &Programme) -> Action {
        Action {
            kind: kind.to_owned(),
            programme: programme.id.clone(),
            label: programme.name.clone(),
            url: format!("/aides/{}", programme.id),
        }
    }

    fn stems(&self, text: &str) -> Vec<String> {
        Terms::Stems.of(text, Language::Fr)
    }

    fn message(&self, key: &str, values: &[(&str, &str)]) -> String {
        self.corpus.messages.say(key, self.language, values)
    }

    fn say(&self, key: &str, values: &[(&str, &str)]) -> DraftSentence {
        ours(self.message(key, values))
    }
}

fn ours(text: String) -> DraftSentence {
    DraftSentence {
        link: None,
        text,
        supports: Vec::new(),
        vouched: false,
    }
}

/// A field of a record as text, by the name that `cues.toml` gives it.
fn field_of(record: &Record, field: &str) -> Option<String> {
    match field {
        "licence" => record.licence.clone(),
        "producer" => record.producer.clone(),
        "modified" => record.modified.clone(),
        "frequency" => record.frequency.clone(),
        "territory" => record.territory.clone(),
        "formats" => Some(record.formats.join(", ")).filter(|f| !f.is_empty()),
        "columns" => Some(record.columns.join(", ")).filter(|c| !c.is_empty()),
        "rows" => record.rows.map(|r| r.to_string()),
        _ => record.address().map(str::to_owned),
    }
}

/// The page of this site that shows a record.
fn link(record: &Record) -> Link {
    Link {
        label: record.title.clone(),
        href: format!("/jeux-de-donnees/{}", record.id),
    }
}
