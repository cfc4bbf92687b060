//! The verdict, whole: each condition explained, what is missing, what would change the answer, the aid,
//! and what makes it accountable.

use std::fmt;

use jiff::civil::Date;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::aid::{AidGiven, given};
use super::assess::{Status, all, applies, latest_creation, number, status, test};
use super::facts::Facts;
use super::logic::Truth;
use super::minimis::{Declared, declared};
use super::outlook::{Open, Outlook, fact};
use crate::corpus::{
    Corpus, Criterion, Day, Fact, OrganisationKind, Rule, RuleSource, Rules, Test, ToCheck,
    number as spelled,
};
use crate::text::language::Language;

/// What comes of all the conditions together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every written condition is met. The Région still selects.
    Eligible,
    /// One is not.
    NotEligible,
    /// It cannot be told yet.
    Undetermined,
}

impl From<Truth> for Outcome {
    fn from(truth: Truth) -> Self {
        match truth {
            Truth::True => Self::Eligible,
            Truth::False => Self::NotEligible,
            Truth::Unknown => Self::Undetermined,
        }
    }
}

/// What a verdict is made from.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// Where the wordings are.
    pub corpus: &'a Corpus,
    /// What was said.
    pub facts: &'a Facts,
    /// The day on which an application without a date is made.
    pub today: Date,
    /// The language of the explanations.
    pub language: Language,
}

/// A verdict, in the shape of the contract.
#[derive(Clone, Serialize)]
pub struct Verdict {
    /// The programme.
    pub programme: String,
    /// The answer.
    pub verdict: Outcome,
    /// The day it holds for.
    pub as_of: Date,
    /// The answer in a sentence or two.
    pub summary: String,
    /// Each condition.
    pub criteria: Vec<Judged>,
    /// Facts that could still change the answer, most decisive first.
    pub missing: Vec<Fact>,
    /// Where the answers to each of them lead, in the same order.
    pub leads: Vec<Lead>,
    /// What only a person at the Région can settle.
    pub to_check: Vec<Question>,
    /// What would be given.
    pub aid: AidGiven,
    /// The smallest sets of facts that would turn a "no", where the real world allows it.
    pub changes: Vec<Change>,
    /// Other doors to knock at after a "no".
    pub other_doors: Vec<OtherDoor>,
    /// Values that a public file knows, to be confirmed: they never enter the verdict.
    pub suggestions: Vec<Suggestion>,
    /// De minimis aid, when some was declared.
    pub de_minimis: Option<Declared>,
    /// That it is an indication, and that the Région decides.
    pub indication: String,
    /// The mention that article L. 311-3-1 of the CRPA asks for.
    pub notice: String,
    /// Whom to ask.
    pub contact: String,
    /// All that is needed to compute it again.
    pub record: Record,
}

/// It holds what a person said: only what came of it is printed.
impl fmt::Debug for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {:?} as of {}",
            self.programme, self.verdict, self.as_of
        )
    }
}

/// One condition, judged.
#[derive(Clone, Serialize)]
pub struct Judged {
    /// Which.
    pub id: Criterion,
    /// What came of it.
    pub status: Status,
    /// Why, with the person's own value beside the rule.
    pub explanation: String,
    /// The fact that it reads.
    pub fact: Fact,
    /// The words of the text behind it.
    pub source: Cited,
    /// SHA-256 of each sentence of the text that the rule encodes.
    pub sentences_sha256: Vec<String>,
}

/// A source, cited.
#[derive(Clone, Serialize)]
pub struct Cited {
    /// The passage.
    pub id: String,
    /// Where its words stand.
    pub locator: String,
    /// The main words; empty where the source is named only.
    pub quote: String,
    /// The other words.
    pub more_quotes: Vec<String>,
    /// Where the source can be read.
    pub url: Option<String>,
}

impl Cited {
    /// The source of a rule, in one language.
    #[must_use]
    pub fn of(source: &RuleSource, language: Language) -> Self {
        Self {
            id: source.id.clone(),
            locator: source.locator.in_language(language).to_owned(),
            quote: source.quotes.first().cloned().unwrap_or_default(),
            more_quotes: source.quotes.iter().skip(1).cloned().collect(),
            url: source.url.clone(),
        }
    }
}

/// A missing fact, how it is asked for, and where its answers lead.
#[derive(Clone, Serialize)]
pub struct Lead {
    /// The fact.
    pub fact: Fact,
    /// The question.
    pub question: String,
    /// Its answers.
    pub answers: Vec<Answer>,
}

/// One answer and where it leads.
#[derive(Clone, Serialize)]
pub struct Answer {
    /// In words.
    pub answer: String,
    /// The value, where there is one.
    pub value: Option<String>,
    /// The answer then, all else being as it is.
    pub leads_to: Outcome,
}

/// What only a person can settle.
#[derive(Clone, Serialize)]
pub struct Question {
    /// The question.
    pub question: String,
    /// Where it comes from.
    pub source: Cited,
    /// Whom to ask.
    pub contact: String,
}

/// What would turn a "no".
#[derive(Clone, Serialize)]
pub struct Change {
    /// The conditions that it turns.
    pub criteria: Vec<Criterion>,
    /// The facts as they would be.
    pub facts: Map<String, Value>,
    /// In words.
    pub explanation: String,
    /// The answer then.
    pub leads_to: Outcome,
}

/// Another door.
#[derive(Clone, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OtherDoor {
    /// Another programme, judged on the same facts.
    Programme {
        /// Its id.
        id: String,
        /// Its name.
        name: String,
        /// The answer there.
        verdict: Outcome,
        /// Its page.
        url: String,
    },
    /// The inter-municipal body of the commune.
    Group {
        /// Its name and population.
        name: String,
    },
    /// One that the text names, without conditions of ours.
    Elsewhere {
        /// Its name.
        name: String,
        /// Where the text names it.
        source: Cited,
    },
}

impl OtherDoor {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Programme { name, .. } | Self::Group { name } | Self::Elsewhere { name, .. } => {
                name
            }
        }
    }
}

/// A value to be confirmed.
#[derive(Clone, Serialize)]
pub struct Suggestion {
    /// The fact.
    pub fact: Fact,
    /// Its value.
    pub value: Value,
    /// Where it comes from, in words.
    pub explanation: String,
}

/// What a verdict was computed from.
#[derive(Clone, Serialize)]
pub struct Record {
    /// The programme.
    pub programme: String,
    /// The version of its rules.
    pub rules: String,
    /// The version of the program.
    pub engine: &'static str,
    /// The day.
    pub as_of: Date,
    /// The facts, the day of the application among them.
    pub facts: Value,
}

/// Judges a case by the rules of a programme.
#[must_use]
pub fn verdict(rules: &Rules, case: Case<'_>) -> Verdict {
    let day = case.facts.application_date.unwrap_or(case.today);
    let judging = Judging { rules, case, day };
    let outcome = judging.outcome();
    let outlook = Outlook::of(rules, case.facts, day);
    let questions = if outcome == Outcome::Undetermined {
        outlook.questions()
    } else {
        Vec::new()
    };
    let missing: Vec<Fact> = questions.iter().map(|q| fact(rules, *q)).collect();
    let refused = outcome == Outcome::NotEligible;
    Verdict {
        programme: rules.programme.clone(),
        verdict: outcome,
        as_of: day,
        summary: judging.summary(outcome, &missing),
        criteria: rules.rules.iter().map(|r| judging.judged(r)).collect(),
        leads: questions
            .iter()
            .map(|q| judging.lead(&outlook, *q))
            .collect(),
        missing,
        to_check: judging.to_check(),
        aid: given(&rules.aid, &case, outcome),
        changes: if refused {
            judging.changes().into_iter().collect()
        } else {
            Vec::new()
        },
        other_doors: if refused {
            judging.other_doors()
        } else {
            Vec::new()
        },
        suggestions: judging.suggestions(),
        de_minimis: declared(rules, &case),
        indication: judging.frame("indication", &[]),
        notice: judging.frame("notice", &[]),
        contact: rules.contact.in_language(case.language).to_owned(),
        record: judging.record(),
    }
}

struct Judging<'a> {
    rules: &'a Rules,
    case: Case<'a>,
    day: Date,
}

impl<'a> Judging<'a> {
    fn outcome(&self) -> Outcome {
        all(self.rules, self.case.facts, self.day).into()
    }

    fn frame(&self, key: &str, values: &[(&str, &str)]) -> String {
        let framing = &self.case.corpus.framing;
        framing.say(key, self.case.language, values)
    }

    fn label(&self, fact: Fact) -> &'a str {
        self.case.corpus.facts.label(fact, self.case.language)
    }

    fn summary(&self, outcome: Outcome, missing: &[Fact]) -> String {
        let failed: Vec<&str> = self
            .rules
            .rules
            .iter()
            .filter(|r| status(r, self.case.facts, self.day) == Status::Failed)
            .map(|r| self.label(r.criterion.fact()))
            .collect();
        let missing: Vec<&str> = missing.iter().map(|f| self.label(*f)).collect();
        let contest = matches!(self.rules.aid.gives, crate::corpus::Gives::Prize { .. });
        let key = match outcome {
            Outcome::Eligible if contest => "eligible_contest",
            Outcome::Eligible => "eligible",
            Outcome::NotEligible if failed.len() > 1 => "not_eligible_several",
            Outcome::NotEligible => "not_eligible",
            Outcome::Undetermined => "undetermined",
        };
        let values = [
            ("programme", self.rules.name.as_str()),
            ("failed", &failed.join(", ")),
            ("missing", &missing.join(", ")),
        ];
        self.frame(key, &values)
    }

    fn judged(&self, rule: &Rule) -> Judged {
        let status = status(rule, self.case.facts, self.day);
        let wording = match status {
            Status::Met => &rule.says.met,
            Status::Failed => &rule.says.failed,
            Status::Unknown => match test(rule, self.case.facts, self.day) {
                // It fails, but may bear on someone else.
                Truth::False => &rule.says.failed,
                _ => &rule.says.unknown,
            },
            Status::NotApplicable => &rule.says.unknown,
        };
        let mut explanation = self.say(rule, wording.in_language(self.case.language));
        let kinds = self.kinds(rule.kinds.as_deref().unwrap_or_default());
        if status == Status::NotApplicable {
            explanation = self.frame("not_applicable", &[("kinds", &kinds)]);
        } else if applies(rule, self.case.facts.organisation_kind) == Truth::Unknown {
            explanation = self.frame("only_for", &[("text", &explanation), ("kinds", &kinds)]);
        }
        let homonym = self.case.facts.commune.as_ref().is_some_and(|c| c.homonym);
        if rule.criterion == Criterion::Location && homonym {
            explanation = self.frame("homonym", &[("text", &explanation)]);
        }
        Judged {
            id: rule.criterion,
            status,
            explanation,
            fact: rule.criterion.fact(),
            source: Cited::of(&rule.source, self.case.language),
            sentences_sha256: rule.sentences.clone(),
        }
    }

    /// A wording of a rule, with the rule's own values and the person's.
    fn say(&self, rule: &Rule, wording: &str) -> String {
        let language = self.case.language;
        let day = |date: Date| Day(date).spelled(language);
        let mut values: Vec<(&str, String)> = vec![
            ("value", self.value(rule.criterion)),
            ("as_of", day(self.day)),
        ];
        match &rule.test {
            Test::From(first) => values.push(("from", day(*first))),
            Test::Departments(list) => values.push(("list", list.join(", "))),
            Test::Kinds(list) => values.push(("list", self.kinds(list))),
            Test::Activities(list) => {
                let names = list.iter().map(|a| self.listed(Fact::Activity, &json!(a)));
                values.push(("list", names.collect::<Vec<_>>().join(", ")));
            }
            Test::Range { min, max } => {
                values.extend(min.map(|n| ("min", spelled(n, language))));
                values.extend(max.map(|n| ("max", spelled(n, language))));
            }
            Test::Years(years) => {
                values.push(("years", years.to_string()));
                values.push(("latest", day(latest_creation(*years, self.day))));
                let created = self.case.facts.created_on;
                values.extend(created.map(|c| ("reached", day(c.plus_years(*years).1))));
            }
            Test::Anyone | Test::Is(_) => {}
        }
        let quotes = ["quote", "second_quote"]
            .into_iter()
            .zip(&rule.source.quotes);
        values.extend(quotes.map(|(name, quote)| (name, quote.clone())));
        let mut text = wording.to_owned();
        for (name, value) in values {
            text = text.replace(&format!("{{{name}}}"), &value);
        }
        text
    }

    fn listed(&self, fact: Fact, value: &Value) -> String {
        let id = value.as_str().unwrap_or_default();
        let facts = &self.case.corpus.facts;
        facts.value(fact, id, self.case.language).to_owned()
    }

    fn kinds(&self, kinds: &[OrganisationKind]) -> String {
        let names = kinds
            .iter()
            .map(|k| self.listed(Fact::OrganisationKind, &json!(k)));
        names.collect::<Vec<_>>().join(", ")
    }

    /// The person's value, in words.
    fn value(&self, criterion: Criterion) -> String {
        let facts = self.case.facts;
        let language = self.case.language;
        match criterion {
            Criterion::Opening => Day(self.day).spelled(language),
            Criterion::Location => self.place(),
            Criterion::Beneficiary => facts
                .organisation_kind
                .map_or_else(String::new, |k| self.kinds(&[k])),
            Criterion::Activity => facts
                .activity
                .map_or_else(String::new, |a| self.listed(Fact::Activity, &json!(a))),
            Criterion::Age => facts
                .created_on
                .map_or_else(String::new, |c| c.spelled(language)),
            Criterion::Ai => String::new(),
            Criterion::Population
            | Criterion::Headcount
            | Criterion::Partnership
            | Criterion::Duration
            | Criterion::Team => {
                let entry = self.case.corpus.facts.get(criterion.fact());
                let measured = number(criterion, facts).zip(entry);
                measured.map_or_else(String::new, |(n, entry)| entry.measured(n, language))
            }
        }
    }

    fn place(&self) -> String {
        let department = self.case.facts.department();
        match (&self.case.facts.commune, department) {
            (Some(place), Some(code)) => {
                self.frame("place", &[("commune", &place.name), ("department", code)])
            }
            (Some(place), None) => self.frame("place_unsure", &[("commune", &place.name)]),
            (None, Some(code)) => self.frame("department", &[("department", code)]),
            (None, None) => String::new(),
        }
    }

    fn lead(&self, outlook: &Outlook, open: Open) -> Lead {
        let language = self.case.language;
        let answers = match open {
            Open::Kind => OrganisationKind::ALL
                .into_iter()
                .map(|kind| Answer {
                    answer: self.kinds(&[kind]),
                    value: json!(kind).as_str().map(str::to_owned),
                    leads_to: outlook.after_kind(kind).verdict().into(),
                })
                .collect(),
            Open::Rule(at) => {
                let rule = &self.rules.rules[at];
                [(&rule.says.yes, true), (&rule.says.no, false)]
                    .into_iter()
                    .map(|(wording, met)| Answer {
                        answer: self.say(rule, wording.in_language(language)),
                        value: None,
                        leads_to: outlook.after_rule(at, met).verdict().into(),
                    })
                    .collect()
            }
        };
        let fact = fact(self.rules, open);
        let entry = self.case.corpus.facts.get(fact);
        let question = entry.map_or(fact.id(), |e| e.question.in_language(language));
        Lead {
            fact,
            question: question.to_owned(),
            answers,
        }
    }

    fn to_check(&self) -> Vec<Question> {
        let asked = self.rules.to_check.iter().filter(|c| self.arises(c));
        asked
            .map(|check| {
                let percent = check.near.map_or(0, |(_, percent)| percent).to_string();
                let value = check
                    .near
                    .and_then(|(criterion, _)| self.counted(criterion))
                    .and_then(|n| {
                        let entry = self.case.corpus.facts.get(Fact::Population)?;
                        Some(entry.measured(n, self.case.language))
                    })
                    .unwrap_or_default();
                let values = [("percent", percent.as_str()), ("value", &value)];
                Question {
                    question: check.question.say(self.case.language, &values),
                    source: Cited::of(&check.source, self.case.language),
                    contact: self.rules.contact_short.clone(),
                }
            })
            .collect()
    }

    /// Whether a question arises in this case.
    fn arises(&self, check: &ToCheck) -> bool {
        let facts = self.case.facts;
        let for_kind = check
            .kinds
            .as_ref()
            .is_none_or(|kinds| facts.organisation_kind.is_some_and(|k| kinds.contains(&k)));
        let bounds = |criterion: Criterion| {
            let rule = self.rules.rule(criterion);
            match rule.map(|r| &r.test) {
                Some(Test::Range { min, max }) => [*min, *max],
                _ => [None, None],
            }
        };
        let near = check.near.is_none_or(|(criterion, percent)| {
            self.counted(criterion).is_some_and(|value| {
                let close =
                    |bound: f64| (value - bound).abs() * 100.0 <= bound * f64::from(percent);
                bounds(criterion).into_iter().flatten().any(close)
            })
        });
        let at_bound = check.at_bound.is_none_or(|criterion| {
            let value = number(criterion, facts);
            value.is_some() && bounds(criterion).contains(&value)
        });
        for_kind && near && at_bound && check.given.is_none_or(|f| facts.knows(f))
    }

    /// The value told, or for a population what the commune counts.
    fn counted(&self, criterion: Criterion) -> Option<f64> {
        let facts = self.case.facts;
        let of_place = || {
            let of_commune = facts.commune.as_ref()?.norman.as_ref()?.population;
            let of_body = facts.public_body.as_ref().map(|b| b.population);
            (criterion == Criterion::Population).then(|| f64::from(of_body.unwrap_or(of_commune)))
        };
        number(criterion, facts).or_else(of_place)
    }

    /// All that failed must turn: one set, or none when the real world does not allow one of them.
    fn changes(&self) -> Option<Change> {
        let mut facts = self.case.facts.clone();
        let mut day = self.day;
        let mut changed = Vec::new();
        let mut criteria = Vec::new();
        let mut words = Vec::new();
        for rule in &self.rules.rules {
            if status(rule, self.case.facts, self.day) != Status::Failed {
                continue;
            }
            let value = number(rule.criterion, &facts);
            let wording = match &rule.test {
                Test::Range { min, .. } if value < *min => rule
                    .says
                    .change
                    .as_ref()
                    .or(rule.says.change_below.as_ref()),
                _ => rule.says.change.as_ref(),
            }?;
            match (&rule.test, rule.criterion) {
                (Test::From(first), _) => day = day.max(*first),
                (Test::Years(years), _) => day = day.max(facts.created_on?.plus_years(*years).1),
                (Test::Is(wanted), _) => facts.project_uses_ai = Some(*wanted),
                (Test::Range { min, max }, criterion) => {
                    let nearest = if value < *min { *min } else { *max }?;
                    set(&mut facts, criterion, nearest);
                }
                _ => return None,
            }
            changed.push(rule.criterion.fact());
            criteria.push(rule.criterion);
            words.push(self.say(rule, wording.in_language(self.case.language)));
        }
        if day != self.day {
            facts.application_date = Some(day);
            changed.push(Fact::ApplicationDate);
        }
        let document = facts.document();
        let kept = |fact: &Fact| {
            !(matches!(fact, Fact::CreatedOn) || *fact == Fact::ApplicationDate && day == self.day)
        };
        let facts_then: Map<String, Value> = changed
            .iter()
            .filter(|f| kept(f))
            .filter_map(|f| Some((f.id().to_owned(), document.get(f.id())?.clone())))
            .collect();
        let leads_to = all(self.rules, &facts, day).into();
        (leads_to != Outcome::NotEligible).then(|| Change {
            criteria,
            facts: facts_then,
            explanation: words.join(" "),
            leads_to,
        })
    }

    fn other_doors(&self) -> Vec<OtherDoor> {
        let language = self.case.language;
        let others = self.case.corpus.rules.iter();
        let programmes = others
            .filter(|r| r.programme != self.rules.programme)
            .map(|rules| OtherDoor::Programme {
                id: rules.programme.clone(),
                name: rules.name.clone(),
                verdict: all(rules, self.case.facts, self.day).into(),
                url: format!("/aides/{}", rules.programme),
            });
        let elsewhere = self.rules.doors.iter().map(|door| OtherDoor::Elsewhere {
            name: door.name.in_language(language).to_owned(),
            source: Cited::of(&door.source, language),
        });
        programmes
            .chain(self.group_of_commune())
            .chain(elsewhere)
            .collect()
    }

    /// A commune that is too small may belong to a body that is not.
    fn group_of_commune(&self) -> Option<OtherDoor> {
        let rule = self.rules.rule(Criterion::Population)?;
        let failed = status(rule, self.case.facts, self.day) == Status::Failed;
        let commune = self.case.facts.commune.as_ref().filter(|_| failed)?;
        let (name, population) = commune.norman.as_ref()?.group.as_ref()?;
        let group = Facts {
            organisation_kind: Some(OrganisationKind::LocalAuthorityGroup),
            population: Some(*population),
            ..Facts::default()
        };
        let entry = self.case.corpus.facts.get(Fact::Population)?;
        let said = entry.measured(f64::from(*population), self.case.language);
        let values = [
            ("name", name.as_str()),
            ("commune", &commune.name),
            ("population", &said),
        ];
        (test(rule, &group, self.day) == Truth::True).then(|| OtherDoor::Group {
            name: self.frame("door_group", &values),
        })
    }

    /// What a public file knows of the place, for facts that this programme reads and that are missing.
    fn suggestions(&self) -> Vec<Suggestion> {
        let facts = self.case.facts;
        let mut out = Vec::new();
        let mut suggest = |fact: Fact, value: Value, explanation: String| {
            let read = self.rules.reads(fact);
            if read && !facts.knows(fact) {
                out.push(Suggestion {
                    fact,
                    value,
                    explanation,
                });
            }
        };
        let counted = |name: &str, population: u32| {
            let entry = self.case.corpus.facts.get(Fact::Population);
            let said = entry.map_or_else(String::new, |e| {
                e.measured(f64::from(population), self.case.language)
            });
            self.frame(
                "suggest_population",
                &[("name", name), ("population", &said)],
            )
        };
        if let Some(body) = &facts.public_body {
            let whose = || self.frame("suggest_kind", &[("name", &body.name)]);
            suggest(Fact::OrganisationKind, json!(body.kind), whose());
            if let Some(department) = body.department.as_ref().filter(|_| facts.commune.is_none()) {
                suggest(Fact::DepartmentCode, json!(department), whose());
            }
            suggest(
                Fact::Population,
                json!(body.population),
                counted(&body.name, body.population),
            );
        } else if let Some(place) = &facts.commune
            && let Some(norman) = &place.norman
            && facts
                .organisation_kind
                .is_none_or(|k| k == OrganisationKind::LocalAuthority)
        {
            suggest(
                Fact::Population,
                json!(norman.population),
                counted(&place.name, norman.population),
            );
        }
        out
    }

    fn record(&self) -> Record {
        let mut facts = self.case.facts.clone();
        facts.application_date = Some(self.day);
        Record {
            programme: self.rules.programme.clone(),
            rules: self.rules.version.clone(),
            engine: env!("CARGO_PKG_VERSION"),
            as_of: self.day,
            facts: facts.document(),
        }
    }
}

/// Gives the fact of a criterion of bounds a value of the corpus.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bounds of counts in the corpus are whole and far under 2^32"
)]
fn set(facts: &mut Facts, criterion: Criterion, value: f64) {
    match criterion {
        Criterion::Population => facts.population = Some(value as u32),
        Criterion::Headcount => facts.headcount_fte = Some(value),
        Criterion::Partnership => facts.normandy_structure_count = Some(value as u32),
        Criterion::Duration => facts.duration_months = Some(value),
        Criterion::Team => facts.team_size = Some(value as u32),
        _ => {}
    }
}
