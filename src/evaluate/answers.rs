//! Golden conversations put to the whole assistant, through the way in that visitors use.
//!
//! A suite is a TOML file of conversations: who asks, the turns, what the answer must and must not
//! say, what it must cite. Cases are written from a person's need, before tuning, and read without Rust.

use anyhow::Context;
use serde::Deserialize;
use serde_json::Value;

use crate::answer::Answer;
use crate::app::App;
use crate::corpus::Corpus;
use crate::text::fold::fold;

/// A file of conversations.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// The conversations.
    pub conversation: Vec<Case>,
}

/// One conversation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Id, unique among all suites.
    pub id: String,
    /// Who asks.
    pub who: String,
    /// The turns.
    pub turn: Vec<Expected>,
}

/// One turn: the question, and what is expected of its answer. What is absent is not judged.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// What the person types.
    pub ask: String,
    /// Any of these intents.
    pub intent: Option<Vec<String>>,
    /// Whether the request is left unfulfilled.
    pub abstained: Option<bool>,
    /// Of each list, one alternative at least is said.
    #[serde(default)]
    pub says: Vec<Vec<String>>,
    /// None of these is said.
    #[serde(default)]
    pub never: Vec<String>,
    /// Each is part of a citation's locator or title.
    #[serde(default)]
    pub cites: Vec<String>,
    /// One of these records, by identifier or title, is among the first five.
    #[serde(default)]
    pub datasets: Vec<String>,
    /// No dataset is shown.
    pub no_datasets: Option<bool>,
    /// The answer is a question back.
    pub clarifies: Option<bool>,
    /// Language of the answer.
    pub language: Option<String>,
    /// The verdict.
    pub verdict: Option<String>,
    /// The programme that the verdict is on.
    pub programme: Option<String>,
    /// No verdict is given.
    pub no_verdict: Option<bool>,
    /// Facts known after the turn, with their values in the shape of the contract.
    #[serde(default)]
    pub facts: toml::Table,
    /// Facts not known.
    #[serde(default)]
    pub unknown: Vec<String>,
    /// Facts that the verdict misses.
    #[serde(default)]
    pub missing: Vec<String>,
    /// Facts that it does not.
    #[serde(default)]
    pub not_missing: Vec<String>,
    /// The amount of the aid, in euros.
    pub aid_eur: Option<f64>,
}

/// How one turn went.
#[derive(Debug)]
pub struct Row {
    /// `<conversation>` or `<conversation>#<turn>`.
    pub id: String,
    /// What was not as expected; empty when all was.
    pub misses: Vec<String>,
    /// The answer given, in Markdown.
    pub answer: String,
}

/// Puts each conversation to the assistant, a row a turn, in order.
///
/// # Errors
/// When a question gets no answer at all.
pub async fn run(app: &App, suite: &Suite) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for case in &suite.conversation {
        let mut conversation = None;
        for (i, turn) in case.turn.iter().enumerate() {
            let reply = app
                .converse(conversation, &turn.ask)
                .await
                .with_context(|| format!("{} n’a pas eu de réponse", case.id))?;
            conversation = Some(reply.conversation);
            let answer = &reply.answered.answer;
            rows.push(Row {
                id: if case.turn.len() > 1 {
                    format!("{}#{}", case.id, i + 1)
                } else {
                    case.id.clone()
                },
                misses: [judge(&app.corpus, turn, answer), rules(turn, answer)].concat(),
                answer: answer.markdown(),
            });
        }
        if let Some(id) = conversation {
            app.conversations.forget(id).await;
        }
    }
    Ok(rows)
}

/// What of an answer is not as expected.
fn judge(corpus: &Corpus, expected: &Expected, answer: &Answer) -> Vec<String> {
    let mut misses = Vec::new();
    let said = fold(&answer.markdown());
    let mut expect = |ok: bool, miss: String| {
        if !ok {
            misses.push(miss);
        }
    };
    if let Some(intents) = &expected.intent {
        let intent = serde_json::to_value(answer.intent)
            .ok()
            .and_then(|v| v.as_str().map(str::to_owned))
            .unwrap_or_default();
        expect(intents.contains(&intent), format!("intent {intent}"));
    }
    if let Some(abstained) = expected.abstained {
        expect(
            answer.abstained == abstained,
            format!("abstained {}", answer.abstained),
        );
    }
    if let Some(clarifies) = expected.clarifies {
        expect(
            answer.clarifies == clarifies,
            format!("clarifies {}", answer.clarifies),
        );
    }
    if let Some(language) = &expected.language {
        expect(
            answer.language.code() == language,
            format!("language {}", answer.language.code()),
        );
    }
    for alternatives in &expected.says {
        expect(
            alternatives.iter().any(|a| said.contains(&fold(a))),
            format!("does not say {}", alternatives.join(" | ")),
        );
    }
    for words in &expected.never {
        expect(!said.contains(&fold(words)), format!("says {words}"));
    }
    for place in &expected.cites {
        let place = fold(place);
        let cited = answer
            .citations
            .iter()
            .any(|c| fold(&c.locator).contains(&place) || fold(&c.title).contains(&place));
        expect(cited, format!("does not cite {place}"));
    }
    if !expected.datasets.is_empty() {
        let named = |id: &str, wanted: &str| {
            corpus.record(id).is_some_and(|r| {
                r.title == wanted || r.id == wanted || r.identifier.as_deref() == Some(wanted)
            })
        };
        let found = answer
            .datasets
            .iter()
            .take(5)
            .any(|d| expected.datasets.iter().any(|w| named(&d.id, w)));
        let shown: Vec<&str> = answer
            .datasets
            .iter()
            .take(5)
            .map(|d| d.title.as_str())
            .collect();
        expect(found, format!("datasets {}", shown.join(" ; ")));
    }
    if let Some(none) = expected.no_datasets {
        expect(
            answer.datasets.is_empty() == none,
            format!("{} datasets", answer.datasets.len()),
        );
    }
    for citation in &answer.citations {
        let known = corpus.passage(&citation.id).is_some() || corpus.record(&citation.id).is_some();
        expect(known, format!("cites {} which does not exist", citation.id));
    }
    misses
}

/// What of a verdict, and of the facts it was made from, is not as expected.
fn rules(expected: &Expected, answer: &Answer) -> Vec<String> {
    let mut misses = Vec::new();
    let mut expect = |ok: bool, miss: String| {
        if !ok {
            misses.push(miss);
        }
    };
    let none = Value::Null;
    let verdict = answer.eligibility.as_ref().unwrap_or(&none);
    let told = |wanted: &Option<String>, key: &str| {
        let value = verdict[key].as_str().unwrap_or("none");
        (
            wanted.as_deref().is_none_or(|w| w == value),
            format!("{key} {value}"),
        )
    };
    for (wanted, key) in [
        (&expected.verdict, "verdict"),
        (&expected.programme, "programme"),
    ] {
        let (ok, miss) = told(wanted, key);
        expect(ok, miss);
    }
    if let Some(no) = expected.no_verdict {
        expect(
            answer.eligibility.is_none() == no,
            format!("eligibility {}", verdict["verdict"]),
        );
    }
    for (fact, value) in &expected.facts {
        let known = &answer.known[fact];
        let same = match (
            known.as_f64(),
            value.as_float().or(value
                .as_integer()
                .and_then(|n| i32::try_from(n).ok())
                .map(f64::from)),
        ) {
            (Some(a), Some(b)) => (a - b).abs() < 1e-9,
            _ => serde_json::to_value(value).is_ok_and(|v| v == *known),
        };
        expect(same, format!("{fact} {known}"));
    }
    for fact in &expected.unknown {
        expect(
            answer.known[fact].is_null(),
            format!("{fact} {}", answer.known[fact]),
        );
    }
    let misses_fact = |fact: &String| {
        verdict["missing"]
            .as_array()
            .is_some_and(|m| m.iter().any(|f| f == fact))
    };
    for fact in &expected.missing {
        expect(misses_fact(fact), format!("{fact} is not missing"));
    }
    for fact in &expected.not_missing {
        expect(!misses_fact(fact), format!("{fact} is missing"));
    }
    if let Some(aid) = expected.aid_eur {
        let given = &verdict["aid"]["amount_eur"];
        expect(
            given.as_f64().is_some_and(|g| (g - aid).abs() < 0.001),
            format!("aid {given}"),
        );
    }
    misses
}
