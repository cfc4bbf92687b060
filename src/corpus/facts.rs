//! The closed list of facts, for people: `facts.toml`. And what a verdict says around: `eligibility.toml`.

use std::collections::HashMap;

use serde::Deserialize;

use super::fault::Faults;
use super::rules::{Fact, Pair};
use crate::text::language::Language;

/// What people are told and asked about each fact.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactList {
    facts: Vec<FactEntry>,
}

/// One fact.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactEntry {
    /// Which.
    pub id: Fact,
    /// Its name, with its article.
    pub label: Pair,
    /// How it is asked for.
    pub question: Pair,
    /// What is expected, for whoever gave something else.
    expected: Pair,
    /// What helps to answer, under the question of a form.
    pub hint: Pair,
    /// What a form says beside a value that is not taken.
    refused: Pair,
    /// Singular and plural, in French then in English.
    #[serde(default)]
    unit: Option<[String; 4]>,
    /// The least that is possible at all.
    #[serde(default)]
    pub min: f64,
    /// The most that is possible at all.
    #[serde(default)]
    pub max: f64,
    /// The values it may take, when they are listed.
    #[serde(default)]
    pub values: Vec<FactValue>,
}

/// One value that a fact may take.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactValue {
    /// Its name outside.
    pub id: String,
    /// Its name for people.
    pub label: Pair,
    /// Examples, for whoever chooses in a list.
    #[serde(default)]
    pub hint: Option<Pair>,
}

impl FactList {
    /// What is said of a fact; the checker makes sure that it is there.
    #[must_use]
    pub fn get(&self, fact: Fact) -> Option<&FactEntry> {
        self.facts.iter().find(|f| f.id == fact)
    }

    /// Its name in one language.
    #[must_use]
    pub fn label(&self, fact: Fact, language: Language) -> &str {
        self.get(fact)
            .map_or(fact.id(), |f| f.label.in_language(language))
    }

    /// The name of one of its values in one language.
    #[must_use]
    pub fn value<'a>(&'a self, fact: Fact, value: &'a str, language: Language) -> &'a str {
        let entry = self
            .get(fact)
            .and_then(|f| f.values.iter().find(|v| v.id == value));
        entry.map_or(value, |v| v.label.in_language(language))
    }

    pub(super) fn check(&self, faults: &mut Faults) {
        for fact in Fact::ALL {
            if self.facts.iter().filter(|f| f.id == fact).count() != 1 {
                faults.add(
                    "facts.toml",
                    None,
                    format!("le fait « {} » doit y être, une fois", fact.id()),
                );
            }
        }
    }
}

impl FactEntry {
    /// What is expected, with its values and bounds.
    #[must_use]
    pub fn expected(&self, language: Language) -> String {
        self.bounded(&self.expected, language)
    }

    /// The same for whoever fills in a form.
    #[must_use]
    pub fn refused(&self, language: Language) -> String {
        self.bounded(&self.refused, language)
    }

    fn bounded(&self, wording: &Pair, language: Language) -> String {
        let values: Vec<&str> = self.values.iter().map(|v| v.id.as_str()).collect();
        wording.say(
            language,
            &[
                ("values", &values.join(", ")),
                ("min", &number(self.min, language)),
                ("max", &number(self.max, language)),
            ],
        )
    }

    /// A value with its unit: "12 000 habitants".
    #[must_use]
    pub fn measured(&self, value: f64, language: Language) -> String {
        let figure = number(value, language);
        let Some([one, many, one_en, many_en]) = &self.unit else {
            return figure;
        };
        // French counts under two in the singular, English only one.
        let unit = match language {
            Language::Fr if value < 2.0 => one,
            Language::Fr => many,
            Language::En if (value - 1.0).abs() < f64::EPSILON => one_en,
            Language::En => many_en,
        };
        format!("{figure}\u{a0}{unit}")
    }
}

/// A number as people write it: "12 000,5", "12,000.5".
#[must_use]
pub fn number(value: f64, language: Language) -> String {
    let plain = value.to_string();
    let (whole, decimals) = plain.split_once('.').unwrap_or((&plain, ""));
    let (separator, mark) = match language {
        Language::Fr => ('\u{a0}', ','),
        Language::En => (',', '.'),
    };
    let mut out = grouped(whole, separator);
    if !decimals.is_empty() {
        out.push(mark);
        out.push_str(decimals);
    }
    out
}

/// Digits by threes.
fn grouped(digits: &str, separator: char) -> String {
    let mut out = String::with_capacity(digits.len() + 4);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) && !out.ends_with('-') {
            out.push(separator);
        }
        out.push(digit);
    }
    out
}

/// An amount as people write it: "12 499,99 €", "€12,499.99"; cents only when there are some.
#[must_use]
pub fn euros(cents: i64, language: Language) -> String {
    let (whole, rest) = (cents / 100, cents % 100);
    match language {
        Language::Fr if rest == 0 => format!("{}\u{a0}€", grouped(&whole.to_string(), '\u{a0}')),
        Language::Fr => format!("{},{rest:02}\u{a0}€", grouped(&whole.to_string(), '\u{a0}')),
        Language::En if rest == 0 => format!("€{}", grouped(&whole.to_string(), ',')),
        Language::En => format!("€{}.{rest:02}", grouped(&whole.to_string(), ',')),
    }
}

/// What a verdict says around the rules' own wordings.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Framing(HashMap<String, Said>);

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    fr: String,
    en: String,
}

impl Framing {
    /// The keys that the code relies on; the checker asks for each.
    const KEYS: [&str; 45] = [
        "eligible",
        "eligible_contest",
        "not_eligible",
        "not_eligible_several",
        "undetermined",
        "indication",
        "notice",
        "not_applicable",
        "only_for",
        "place",
        "place_unsure",
        "department",
        "homonym",
        "suggest_population",
        "suggest_kind",
        "door_group",
        "de_minimis",
        "de_minimis_over",
        "chat_understood",
        "chat_fact",
        "chat_fact_same",
        "chat_vague",
        "chat_refused",
        "chat_contradiction",
        "chat_with_tax",
        "chat_so_far",
        "chat_to_check",
        "chat_changes",
        "chat_no_change",
        "chat_nothing_to_change",
        "chat_other_doors",
        "chat_door_eligible",
        "chat_door_undetermined",
        "chat_unsure",
        "chat_each",
        "chat_each_eligible",
        "chat_each_not_eligible",
        "chat_each_undetermined",
        "chat_left_out",
        "chat_leads_eligible",
        "chat_leads_not_eligible",
        "chat_leads_on",
        "chat_fact_plain",
        "chat_elsewhere",
        "chat_fact_official",
    ];

    /// A wording in one language, with each `{name}` replaced by its value.
    #[must_use]
    pub fn say(&self, key: &str, language: Language, values: &[(&str, &str)]) -> String {
        let wording = self.0.get(key).map_or(key, |s| language.pick(&s.fr, &s.en));
        super::rules::fill(wording, values)
    }

    pub(super) fn check(&self, faults: &mut Faults) {
        for key in Self::KEYS.into_iter().filter(|k| !self.0.contains_key(*k)) {
            faults.add(
                "eligibility.toml",
                None,
                format!("la formule « {key} » manque"),
            );
        }
    }
}
