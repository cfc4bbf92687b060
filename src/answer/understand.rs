//! Understand: the language, the subject named, what kind of thing is asked for, and the question
//! made to stand alone in its conversation.
//!
//! No scores here: which passage answers is for `retrieve` to find. Words that tell are data
//! (`corpus/cues.toml`, aliases of programmes and pages).

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::reply::{Answer, Intent};
use super::told::{self, Heard, Situation, Told};
use crate::corpus::{Corpus, Fact, Territory, Wanted};
use crate::text::door::Question;
use crate::text::fold::{Phrase, without, words};
use crate::text::language::{self, Language};
use crate::text::sparse::is_stop_word;

/// What a conversation remembers from one turn to the next.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Context {
    /// The programme or page the last answer was about.
    focus: Option<String>,
    /// The last question that stood alone, for "et pour le Datathon ?".
    last_question: Option<Question>,
    /// The same with what it leant on, names included, for "et de quelle date ?".
    last_whole: Option<String>,
    /// The aspect the last answer was about.
    topic: Option<String>,
    /// The passages the last answer told.
    told: Vec<String>,
    /// The last answer asked which programme was meant.
    asked_back: bool,
    /// What the person told of themselves, in the order in which it was told.
    facts: Vec<Told>,
    /// The fact that the last verdict asked for.
    asking: Option<Fact>,
    /// Facts that the person could not tell.
    declined: Vec<Fact>,
    /// The last answer was a verdict.
    judged: bool,
    /// The programme of the last verdict.
    ruled: Option<String>,
    /// The language of the last verdict: "45" has none.
    language: Option<Language>,
}

impl Context {
    /// The context of the next turn.
    #[must_use]
    pub(super) fn after(
        mut self,
        corpus: &Corpus,
        understood: &Understood,
        answer: &Answer,
        asking: Option<Fact>,
    ) -> Self {
        self.facts.clone_from(&understood.heard.known);
        self.declined.clone_from(&understood.declined);
        if matches!(understood.rulings, Rulings::Told | Rulings::Each) {
            self.judged = true;
            self.ruled = understood.programme.clone().or(self.ruled);
            self.asking = asking;
            self.language = Some(understood.language);
            self.asked_back = understood.rulings == Rulings::Each;
            self.focus = understood.programme.clone().or(self.focus);
            self.topic = answer.topic.clone();
            self.told = answer.citations.iter().map(|c| c.id.clone()).collect();
            return self;
        }
        self.asked_back = answer.clarifies;
        // "Merci" is no subject.
        let aside = matches!(answer.intent, Intent::AboutAssistant | Intent::OutOfScope);
        if answer.intent == Intent::Chitchat || (aside && answer.abstained) {
            return self;
        }
        self.judged = false;
        let cited = answer.citations.iter().find_map(|c| corpus.passage(&c.id));
        if let Some(owner) = understood.named.first().or(cited.map(|p| &p.owner)) {
            self.focus = Some(owner.clone());
        }
        self.topic = answer.topic.clone();
        self.told = answer.citations.iter().map(|c| c.id.clone()).collect();
        self.last_question = Question::parse(&understood.subject).ok();
        self.last_whole = Some(
            understood
                .with_last
                .as_ref()
                .unwrap_or(&understood.standalone)
                .clone(),
        );
        self
    }
}

/// What the rules of programmes are asked for by a message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Rulings {
    /// Nothing: no programme is spoken of, or no fact was told.
    #[default]
    None,
    /// A verdict, beside an answer that is found otherwise.
    Beside,
    /// A verdict, which is the answer.
    Told,
    /// The verdict of each programme: none is spoken of.
    Each,
}

/// A question, understood.
#[derive(Debug, Clone)]
pub struct Understood {
    /// Language of the answer.
    pub language: Language,
    /// What the person typed.
    pub said: Question,
    /// The question that stands alone: what is embedded and matched.
    pub standalone: String,
    /// The same without the names of programmes and pages.
    pub subject: String,
    /// Programmes and pages named, in the order of the corpus.
    pub named: Vec<String>,
    /// The programme or page the conversation is about, when none is named.
    pub focus: Option<String>,
    /// The aspect that the last answer was about, when the question only names another programme.
    pub topic: Option<String>,
    /// What is left when vague words, small words and names are gone: nothing that one programme could claim.
    pub vague: bool,
    /// Data is asked for.
    pub asks_data: bool,
    /// A dataset or a file format is asked for in so many words.
    pub asks_dataset: bool,
    /// Rules or money are asked about.
    pub asks_programme: bool,
    /// The person asks whether they may have it.
    pub asks_eligibility: bool,
    /// The person wants to file.
    pub asks_application: bool,
    /// The person asks how to do something with data.
    pub asks_how_to: bool,
    /// A place outside the territory is named.
    pub outside: bool,
    /// The kind of figure that is asked for in so many words.
    pub wanted: Option<Wanted>,
    /// The question before and this one, when this one leans on it.
    pub with_last: Option<String>,
    /// The passages that the last answer told: what leans on it rarely asks for them again.
    pub told: Vec<String>,
    /// The fields of a dataset record that are asked about.
    pub attributes: Vec<String>,
    /// What the person tells of themselves.
    pub heard: Heard,
    /// The programme whose rules are spoken of.
    pub programme: Option<String>,
    /// What its rules are asked for.
    pub rulings: Rulings,
    /// Facts that the person could not tell.
    pub declined: Vec<Fact>,
    /// The day, for the rules.
    pub today: Date,
}

pub(super) fn understand(
    corpus: &Corpus,
    territory: &Territory,
    context: &Context,
    question: &Question,
    today: Date,
) -> Understood {
    let besides = without(question.as_str(), &corpus.cues.greetings);
    // A greeting alone is answered as one.
    let said = if words(&besides).iter().any(|w| !is_stop_word(w)) {
        besides.as_str()
    } else {
        question.as_str()
    };
    let asked = words(said);
    let named = named(corpus, &asked);
    let bare = corpus.without_names(said);

    // "Booster IA", "et pour le Datathon ?": the last question, about another programme.
    let follows = !named.is_empty() && is_only_a_name(&bare);
    let subject = match &context.last_question {
        Some(last) if follows => last.as_str().to_owned(),
        _ if follows => String::new(),
        _ => bare,
    };
    let standalone = if follows && !subject.is_empty() {
        format!("{} : {subject}", names(corpus, &named).join(", "))
    } else {
        said.to_owned()
    };

    let asked = words(&standalone);
    let any = |cues: &[Phrase]| cues.iter().any(|c| c.stands_in(&asked));
    let cues = &corpus.cues;
    let mut attributes: Vec<String> = cues
        .attributes
        .iter()
        .filter(|(_, words)| any(words))
        .map(|(field, _)| field.clone())
        .collect();
    attributes.sort();
    let language = if context.asked_back && follows {
        context
            .last_question
            .as_ref()
            .map_or_else(|| language::of(said), |q| language::of(q.as_str()))
    } else {
        language::of(said)
    };
    let programme = programme(corpus, context, &named, &asked);
    let language = match context.language {
        Some(last) if context.judged && asked.len() <= 3 => last,
        _ => language,
    };
    let situation = Situation {
        programme: programme.as_deref(),
        asked: context.asking,
        before: &context.facts,
        today,
        language,
    };
    let mut heard = told::hear(corpus, territory, question.as_str(), &situation);
    let asks_data = any(&cues.data) || any(&cues.data_strong);
    let only = only_fit(corpus, &asked).is_some();
    let says_little = asked.len() <= 8 && (only || named.len() == 1);
    let rulings = rulings(
        corpus,
        context,
        programme.as_deref(),
        &Asking {
            heard: &heard,
            names_only: follows || says_little,
            searches: (asks_data || any(&cues.how_to)) && named.is_empty() && !only,
            on_programmes: any(&cues.programme),
            question: question.as_str().contains('?'),
        },
    );
    if rulings == Rulings::None {
        heard.forget(&context.facts);
    }
    let mut declined = context.declined.clone();
    declined.extend(
        context
            .asking
            .filter(|_| heard.unsure && heard.told.is_empty()),
    );
    declined.retain(|f| !heard.known.iter().any(|t| t.fact == *f));
    Understood {
        language,
        heard,
        programme,
        rulings,
        declined,
        today,
        said: question.clone(),
        topic: context.topic.clone().filter(|_| follows),
        focus: if named.is_empty() {
            context.focus.clone()
        } else {
            None
        },
        vague: is_vague(corpus, &subject),
        asks_data,
        asks_dataset: any(&cues.data_strong),
        asks_programme: any(&cues.programme),
        asks_eligibility: any(&cues.eligibility),
        asks_application: any(&cues.application),
        asks_how_to: any(&cues.how_to),
        outside: any(&cues.outside),
        told: context.told.clone(),
        wanted: cues.wanted.iter().find(|w| any(&w.said)).map(|w| w.kind),
        with_last: context
            .last_whole
            .as_ref()
            .filter(|_| named.is_empty() && leans(corpus, &asked))
            .map(|last| format!("{} {standalone}", last_words(last))),
        attributes,
        subject,
        standalone,
        named,
    }
}

/// The programme whose rules are spoken of: the one that is named, the only one that the message fits, or the
/// one that the conversation is about.
fn programme(
    corpus: &Corpus,
    context: &Context,
    named: &[String],
    asked: &[String],
) -> Option<String> {
    let mut programmes = named.iter().filter(|n| corpus.rules_of(n).is_some());
    match (programmes.next(), programmes.next()) {
        (Some(only), None) => return Some(only.clone()),
        (Some(_), Some(_)) => return None,
        (None, _) => {}
    }
    let focus = context
        .focus
        .clone()
        .filter(|f| corpus.rules_of(f).is_some());
    let focus = focus.or(context.ruled.clone().filter(|_| context.asking.is_some()));
    let only = only_fit(corpus, asked);
    if context.asking.is_some() && !context.asked_back {
        focus.or(only)
    } else {
        only.or(focus)
    }
}

/// The only programme that words fit, without its name.
fn only_fit(corpus: &Corpus, asked: &[String]) -> Option<String> {
    let fits = &corpus.telling.fits;
    let mut fits = fits
        .iter()
        .filter(|(_, said)| said.iter().any(|p| p.stands_in(asked)));
    match (fits.next(), fits.next()) {
        (Some((id, _)), None) => Some(id.clone()),
        _ => None,
    }
}

/// What the rules are asked for: a verdict answers who tells facts or asks for one; who asks for something else
/// gets that, with the verdict beside it.
fn rulings(
    corpus: &Corpus,
    context: &Context,
    programme: Option<&str>,
    message: &Asking<'_>,
) -> Rulings {
    let heard = message.heard;
    let something = !heard.told.is_empty() || !heard.doubts.is_empty();
    let amount = heard.asks_amount && heard.tells(Fact::Budget);
    let asks = heard.asks_verdict || heard.asks_may || heard.asks_change || amount;
    let asks_else = heard.asks_other && !asks;
    // How many they are is told by people who ask for themselves; what they are, by many.
    let counted = [Fact::HeadcountFte, Fact::Population]
        .into_iter()
        .any(|f| heard.tells(f));
    let Some(programme) = programme else {
        let may = heard.asks_may && message.on_programmes;
        let of_oneself = counted || heard.introduced;
        let each =
            (heard.asks_verdict || may || (heard.introduced && counted && !heard.asks_other))
                && of_oneself;
        return if each && !message.searches {
            Rulings::Each
        } else {
            Rulings::None
        };
    };
    let answers = context.asking.is_some();
    if message.searches && !answers && !heard.oneself {
        return Rulings::None;
    }
    let rules = corpus.rules_of(programme);
    let bears = |fact: Fact| {
        let read = if fact == Fact::Commune {
            Fact::DepartmentCode
        } else {
            fact
        };
        rules.is_some_and(|r| r.reads(read))
    };
    let bearing = heard.known.iter().any(|t| bears(t.fact));
    // "Un hôpital peut-il demander Booster IA ?", "est-ce une aide de minimis pour mon entreprise ?": questions
    // on the text, beside which the verdict stands.
    let slight = |t: &Told| {
        matches!(
            t.fact,
            Fact::OrganisationKind | Fact::Activity | Fact::ProjectUsesAi
        )
    };
    let in_general = !answers
        && !heard.told.is_empty()
        && heard.told.iter().all(slight)
        && message.question
        && !((heard.asks_verdict || heard.asks_may) && heard.oneself);
    let only_costs = heard.told.iter().all(|t| t.fact == Fact::Budget)
        && !amount
        && !answers
        && heard.asks_other;
    let goes_on = context.judged && (message.names_only || heard.asks_change || heard.unsure);
    let asks_for_oneself = heard.asks_change || (heard.asks_verdict && heard.oneself);
    let told =
        (something && !in_general && !only_costs) || goes_on || (asks_for_oneself && bearing);
    if told && !asks_else {
        Rulings::Told
    } else if bearing {
        Rulings::Beside
    } else {
        Rulings::None
    }
}

/// What a message asks, for [`rulings`].
struct Asking<'a> {
    heard: &'a Heard,
    /// It says little more than the name of a programme.
    names_only: bool,
    /// Data is asked for, or how to do something with it, and nothing is named.
    searches: bool,
    /// Aids are spoken of.
    on_programmes: bool,
    /// It has a question mark.
    question: bool,
}

/// A question that says little by itself, or points at what was said.
fn leans(corpus: &Corpus, asked: &[String]) -> bool {
    let subject = asked.iter().filter(|w| !is_stop_word(w)).count();
    let points = |words: &[String]| corpus.cues.leaning.iter().any(|p| p.stands_in(words));
    subject <= 3 || (subject <= 6 && points(asked)) || points(&asked[..asked.len().min(1)])
}

/// The end of what was said before: enough to tell what it was about.
fn last_words(text: &str) -> String {
    const KEPT: usize = 30;
    let words: Vec<&str> = text.split_whitespace().collect();
    words[words.len().saturating_sub(KEPT)..].join(" ")
}

/// Ids of the programmes and pages named, programmes first.
fn named(corpus: &Corpus, asked: &[String]) -> Vec<String> {
    let hit = |aliases: &[Phrase]| aliases.iter().any(|a| a.stands_in(asked));
    let programmes = corpus
        .programmes
        .iter()
        .filter(|p| hit(&p.aliases))
        .map(|p| p.id.clone());
    let pages = corpus
        .pages
        .iter()
        .filter(|p| hit(&p.aliases))
        .map(|p| p.id.clone());
    programmes.chain(pages).collect()
}

/// Display names of programmes and pages.
fn names<'a>(corpus: &'a Corpus, ids: &[String]) -> Vec<&'a str> {
    let programme = |id: &String| corpus.programme(id).map(|p| p.name.as_str());
    let page = |id: &String| {
        corpus
            .pages
            .iter()
            .find(|p| &p.id == id)
            .map(|p| p.title.as_str())
    };
    ids.iter()
        .filter_map(|id| programme(id).or_else(|| page(id)))
        .collect()
}

/// At most one word carries a subject: "c’est combien ?", "qui peut en bénéficier ?".
fn is_vague(corpus: &Corpus, subject: &str) -> bool {
    let vague: Vec<&String> = corpus.cues.vague.iter().flat_map(Phrase::words).collect();
    words(subject)
        .iter()
        .filter(|w| !is_stop_word(w) && !vague.contains(w))
        .count()
        <= 1
}

/// Nothing is left but small words: "et pour le", "what about".
fn is_only_a_name(bare: &str) -> bool {
    const SMALL: [&str; 14] = [
        "et", "about", "oui", "yes", "sinon", "aussi", "too", "alors", "parle", "pense", "mean",
        "plutot", "rather", "veux",
    ];
    words(bare)
        .iter()
        .all(|w| SMALL.contains(&w.as_str()) || is_stop_word(w))
}
