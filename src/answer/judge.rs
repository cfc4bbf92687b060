//! Judge: the rules of the programmes, told in a conversation.
//!
//! Nothing is decided here: the verdict is that of `eligibility`, the same for the page, the console and the
//! API. What is decided is which of it answers now, in a few sentences, and what to ask next.

use serde_json::Value;

use super::compose::{Draft, DraftSentence, Support};
use super::reply::{Action, FactShown, Intent};
use super::told::{self, Doubt, Told};
use super::understand::{Rulings, Understood};
use crate::corpus::{Corpus, Fact, Programme, Territory, Test, euros, number};
use crate::eligibility::{
    Case, Cents, Cited, Facts, Judged, OtherDoor, Outcome, Span, Status, Verdict, verdict,
};
use crate::text::figures::figures;
use crate::text::fold::fold;
use crate::text::language::Language;

/// Questions for the Région said in the text; all of them stand beside it.
const TO_CHECK: usize = 2;

/// Facts whose value says nothing without their name.
const NAMED: [Fact; 6] = [
    Fact::CreatedOn,
    Fact::ApplicationDate,
    Fact::ProjectUsesAi,
    Fact::Budget,
    Fact::DeMinimisReceivedEur,
    Fact::Siret,
];

/// Verdicts on what was told.
#[derive(Debug, Default)]
pub(super) struct Ruling {
    /// On the programme that is spoken of.
    pub(super) one: Option<Verdict>,
    /// On each programme, when none is spoken of.
    each: Vec<Verdict>,
    /// What is known, for people.
    pub(super) facts: Vec<FactShown>,
    /// The fact to ask for next.
    pub(super) next: Option<Fact>,
}

/// Judges what is known of the person by the rules of the programmes spoken of.
pub(super) fn judge(corpus: &Corpus, territory: &Territory, understood: &Understood) -> Ruling {
    let heard = &understood.heard;
    let language = understood.language;
    let Ok(facts) = told::read(corpus, territory, &heard.known, understood.today) else {
        return Ruling::default();
    };
    let case = Case {
        corpus,
        facts: &facts,
        today: understood.today,
        language,
    };
    let mut ruling = Ruling {
        facts: shown(corpus, territory, &heard.known, &facts, language),
        ..Ruling::default()
    };
    match understood.rulings {
        Rulings::None => {}
        Rulings::Each => ruling.each = corpus.rules.iter().map(|r| verdict(r, case)).collect(),
        Rulings::Beside | Rulings::Told => {
            let rules = understood
                .programme
                .as_deref()
                .and_then(|p| corpus.rules_of(p));
            ruling.one = rules.map(|r| verdict(r, case));
            ruling.next = ruling.one.as_ref().and_then(|v| {
                let doubted = heard
                    .doubts
                    .iter()
                    .map(Doubt::fact)
                    .find(|f| v.missing.contains(f));
                let open = v
                    .missing
                    .iter()
                    .copied()
                    .find(|f| !understood.declined.contains(f));
                doubted.or(open)
            });
        }
    }
    ruling
}

/// The answer that verdicts give, when they are what was asked for.
pub(super) fn compose(corpus: &Corpus, understood: &Understood, ruling: &Ruling) -> Option<Draft> {
    let teller = Teller {
        corpus,
        understood,
        ruling,
        language: understood.language,
    };
    match (understood.rulings, &ruling.one) {
        (Rulings::Told, Some(verdict)) => Some(teller.tell(verdict)),
        (Rulings::Each, _) if !ruling.each.is_empty() => Some(teller.each()),
        _ => None,
    }
}

struct Teller<'a> {
    corpus: &'a Corpus,
    understood: &'a Understood,
    ruling: &'a Ruling,
    language: Language,
}

impl Teller<'_> {
    fn tell(&self, verdict: &Verdict) -> Draft {
        let mut draft = Draft::new(Intent::Eligibility);
        draft.paragraph(self.heard());
        match verdict.verdict {
            Outcome::Eligible => self.eligible(&mut draft, verdict),
            Outcome::NotEligible => self.not_eligible(&mut draft, verdict),
            Outcome::Undetermined => self.undetermined(&mut draft, verdict),
        }
        draft.actions = self.actions(verdict);
        draft
    }

    /// What was understood of this message, in the person's own words, and what was not.
    fn heard(&self) -> Vec<DraftSentence> {
        let heard = &self.understood.heard;
        let new = self
            .ruling
            .facts
            .iter()
            .filter(|f| heard.told.iter().any(|t| t.fact.id() == f.fact));
        let mut understood: Vec<String> = new
            .map(|f| {
                let values = [
                    ("label", &*f.label),
                    ("value", &*f.value),
                    ("words", &*f.words),
                ];
                // The population of a place that was named.
                let official = f.fact == Fact::Population.id() && figures(&f.words).is_empty();
                // "45 ETP (« 45 salariés »)" needs no name, "en 2012" does; "45 ETP (« 45 ETP »)" says it twice.
                let named = NAMED.iter().any(|fact| fact.id() == f.fact);
                let key = match (official, named, fold(&f.value) == fold(&f.words)) {
                    (true, ..) => "chat_fact_official",
                    (_, true, true) => "chat_fact_same",
                    (_, true, false) => "chat_fact",
                    (_, false, true) => return f.value.clone(),
                    (_, false, false) => "chat_fact_plain",
                };
                self.frame(key, &values)
            })
            .collect();
        understood.dedup();
        let mut sentences = Vec::new();
        if !understood.is_empty() {
            let facts = understood.join(self.language.pick(" ; ", "; "));
            sentences.push(self.say("chat_understood", &[("facts", &facts)]));
        }
        sentences.extend(heard.doubts.iter().map(|d| self.doubt(d)));
        sentences
    }

    fn doubt(&self, doubt: &Doubt) -> DraftSentence {
        match doubt {
            Doubt::Vague { fact, words } => {
                let bounds = self.bounds(*fact);
                self.say("chat_vague", &[("words", words), ("bounds", &bounds)])
            }
            Doubt::Refused {
                fact,
                words,
                expected,
            } => {
                let label = self.corpus.facts.label(*fact, self.language);
                let key = if expected.is_empty() {
                    "chat_contradiction"
                } else {
                    "chat_refused"
                };
                self.say(
                    key,
                    &[("words", words), ("label", label), ("expected", expected)],
                )
            }
            Doubt::WithTax { words } => self.say("chat_with_tax", &[("words", words)]),
        }
    }

    /// The bounds that the rules spoken of set on a fact.
    fn bounds(&self, fact: Fact) -> String {
        let spoken = self.understood.programme.as_deref();
        let rules = self
            .corpus
            .rules
            .iter()
            .filter(|r| spoken.is_none_or(|p| p == r.programme));
        let bounds = rules.flat_map(|r| r.bounds(fact));
        let named: Vec<String> = bounds.map(|b| number(b, self.language)).collect();
        named.join(self.language.pick(" et ", " and "))
    }

    fn eligible(&self, draft: &mut Draft, verdict: &Verdict) {
        draft.paragraph(vec![self.summary(verdict)]);
        let bounded = verdict
            .criteria
            .iter()
            .filter(|c| c.status == Status::Met && self.is_bounded(verdict, c));
        draft.list(
            bounded
                .map(|c| self.cited(&c.explanation, &c.source))
                .collect(),
        );
        self.aid(draft, verdict);
        if self.understood.heard.asks_change {
            draft.paragraph(vec![self.say("chat_nothing_to_change", &[])]);
        }
        let checks: Vec<DraftSentence> = verdict
            .to_check
            .iter()
            .take(TO_CHECK)
            .map(|q| self.cited(&q.question, &q.source))
            .collect();
        if !checks.is_empty() {
            draft.paragraph(vec![self.say("chat_to_check", &[])]);
            draft.list(checks);
        }
        draft.paragraph(vec![self.vouched(&verdict.contact)]);
    }

    fn not_eligible(&self, draft: &mut Draft, verdict: &Verdict) {
        draft.paragraph(vec![self.summary(verdict)]);
        let failed = verdict
            .criteria
            .iter()
            .filter(|c| c.status == Status::Failed);
        draft.list(
            failed
                .map(|c| self.cited(&c.explanation, &c.source))
                .collect(),
        );
        if verdict.aid.amount_eur.is_some() {
            self.aid(draft, verdict);
        }
        if verdict.changes.is_empty() {
            draft.paragraph(vec![self.say("chat_no_change", &[])]);
        } else {
            draft.paragraph(vec![self.say("chat_changes", &[])]);
            draft.list(
                verdict
                    .changes
                    .iter()
                    .map(|c| self.vouched(&c.explanation))
                    .collect(),
            );
        }
        self.doors(draft, verdict);
        draft.paragraph(vec![
            self.vouched(&format!("{} {}", verdict.indication, verdict.contact)),
        ]);
    }

    /// What would be given, and the expenses that do not count.
    fn aid(&self, draft: &mut Draft, verdict: &Verdict) {
        let aid = &verdict.aid;
        let mut sentences = vec![self.cited(&aid.explanation, &aid.source)];
        for line in aid.lines.iter().filter(|l| !l.eligible) {
            let amount = euros(line.line.amount.0, self.language);
            let reason = line.reason.as_deref().unwrap_or_default();
            let text = self.frame(
                "chat_left_out",
                &[
                    ("amount", &amount),
                    ("label", &line.line.label),
                    ("reason", reason),
                ],
            );
            sentences.push(match &line.source {
                Some(source) => self.cited(&text, source),
                None => self.vouched(&text),
            });
        }
        draft.paragraph(sentences);
    }

    /// Whether a condition sets bounds: those are told with the person's own value.
    fn is_bounded(&self, verdict: &Verdict, judged: &Judged) -> bool {
        let rules = self.corpus.rules_of(&verdict.programme);
        let rule = rules.and_then(|r| r.rules.iter().find(|r| r.criterion == judged.id));
        rule.is_some_and(|r| matches!(r.test, Test::Range { .. } | Test::Years(_)))
    }

    /// The other programmes, with what is known of them, then those that the text names, in one sentence.
    fn doors(&self, draft: &mut Draft, verdict: &Verdict) {
        let mut doors = Vec::new();
        let (mut names, mut supports) = (Vec::new(), Vec::new());
        for door in &verdict.other_doors {
            match door {
                OtherDoor::Programme {
                    id, name, verdict, ..
                } => {
                    let key = match verdict {
                        Outcome::Eligible => "chat_door_eligible",
                        Outcome::Undetermined => "chat_door_undetermined",
                        Outcome::NotEligible => continue,
                    };
                    let mut sentence = self.say(key, &[("name", name)]);
                    let programme = self.corpus.programme(id);
                    sentence
                        .supports
                        .extend(programme.and_then(|p| self.presents(p)));
                    doors.push(sentence);
                }
                OtherDoor::Group { name } => doors.push(self.vouched(name)),
                OtherDoor::Elsewhere { name, source } => {
                    names.push(name.as_str());
                    supports.extend(self.support(source).filter(|s| !supports.contains(s)));
                }
            }
        }
        if !names.is_empty() {
            let mut sentence = self.say("chat_elsewhere", &[("names", &names.join(", "))]);
            sentence.supports = supports;
            doors.push(sentence);
        }
        if !doors.is_empty() {
            draft.paragraph(vec![self.say("chat_other_doors", &[])]);
            draft.list(doors);
        }
    }

    fn presents(&self, programme: &Programme) -> Option<Support> {
        let first = programme
            .sections()
            .first()
            .and_then(|s| s.passages.first())?;
        self.corpus.position(first).map(Support::Passage)
    }

    fn undetermined(&self, draft: &mut Draft, verdict: &Verdict) {
        let met = verdict
            .criteria
            .iter()
            .filter(|c| c.status == Status::Met)
            .count();
        let mut first = Vec::new();
        if met > 0 {
            first.push(self.say("chat_so_far", &[("programme", self.name(verdict))]));
        }
        if self.understood.heard.asks_change || self.ruling.next.is_none() {
            first.push(self.summary(verdict));
        }
        draft.paragraph(first);
        let ahead = self
            .ahead(verdict)
            .filter(|c| Some(c.fact) != self.ruling.next);
        draft.paragraph(
            ahead
                .map(|c| self.cited(&c.explanation, &c.source))
                .collect(),
        );
        if verdict.aid.amount_eur.is_some() {
            self.aid(draft, verdict);
        }
        let Some(next) = self.ruling.next else {
            draft.paragraph(vec![
                self.say("chat_unsure", &[("contact", &verdict.contact)]),
            ]);
            return;
        };
        let mut asking = Vec::new();
        let unknown = verdict
            .criteria
            .iter()
            .filter(|c| c.fact == next && c.status == Status::Unknown);
        asking.extend(unknown.map(|c| self.cited(&c.explanation, &c.source)));
        let suggested = verdict.suggestions.iter().filter(|s| s.fact == next);
        asking.extend(suggested.map(|s| self.vouched(&s.explanation)));
        let lead = verdict.leads.iter().find(|l| l.fact == next);
        asking.extend(lead.map(|l| self.vouched(&l.question)));
        draft.paragraph(asking);
        if let Some(lead) = lead.filter(|_| self.understood.heard.asks_change) {
            let answers = lead.answers.iter().map(|answer| {
                let key = match answer.leads_to {
                    Outcome::Eligible => "chat_leads_eligible",
                    Outcome::NotEligible => "chat_leads_not_eligible",
                    Outcome::Undetermined => "chat_leads_on",
                };
                self.say(key, &[("answer", &answer.answer)])
            });
            draft.list(answers.collect());
        }
        draft.clarifies = true;
        draft.asking = Some(next);
    }

    /// Conditions on what is known already, that bear on some kinds of organisation only: "8 ETP", before the
    /// kind is known.
    fn ahead<'b>(&self, verdict: &'b Verdict) -> impl Iterator<Item = &'b Judged> + use<'b> {
        let known: Vec<Fact> = self.understood.heard.known.iter().map(|t| t.fact).collect();
        let unknown = verdict
            .criteria
            .iter()
            .filter(|c| c.status == Status::Unknown);
        unknown.filter(move |c| known.contains(&c.fact))
    }

    /// Each programme in a line: which may be had, as far as is known.
    fn each(&self) -> Draft {
        let mut draft = Draft::new(Intent::Eligibility);
        draft.clarifies = true;
        draft.paragraph(self.heard());
        draft.paragraph(vec![self.say("chat_each", &[])]);
        let lines = self.ruling.each.iter().map(|verdict| {
            let key = match verdict.verdict {
                Outcome::Eligible => "chat_each_eligible",
                Outcome::NotEligible => "chat_each_not_eligible",
                Outcome::Undetermined => "chat_each_undetermined",
            };
            let failed = verdict.criteria.iter().find(|c| c.status == Status::Failed);
            let ahead = self.ahead(verdict).next();
            let why = failed
                .or(ahead)
                .map_or(&*verdict.summary, |c| &*c.explanation);
            let programme = self.name(verdict);
            let mut line = self.say(key, &[("programme", programme), ("why", why)]);
            let source = failed.or(ahead).map_or(&verdict.aid.source, |c| &c.source);
            line.supports.extend(self.support(source));
            line
        });
        draft.list(lines.collect());
        draft.actions = self
            .ruling
            .each
            .iter()
            .flat_map(|v| self.corpus.programme(&v.programme))
            .map(|p| action("choose_programme", p, &p.name))
            .collect();
        draft
    }

    fn name<'b>(&'b self, verdict: &'b Verdict) -> &'b str {
        let programme = self.corpus.programme(&verdict.programme);
        programme.map_or(&verdict.programme, |p| &p.name)
    }

    /// Quick answers to what is asked, then the page where all the conditions stand.
    fn actions(&self, verdict: &Verdict) -> Vec<Action> {
        let Some(programme) = self.corpus.programme(&verdict.programme) else {
            return Vec::new();
        };
        let lead = verdict
            .leads
            .iter()
            .find(|l| Some(l.fact) == self.ruling.next);
        let entry = lead.and_then(|l| self.corpus.facts.get(l.fact));
        let mut actions: Vec<Action> = match (lead.map(|l| l.fact), entry) {
            (Some(Fact::OrganisationKind | Fact::Activity), Some(entry)) => entry
                .values
                .iter()
                .map(|v| action("answer", programme, v.label.in_language(self.language)))
                .collect(),
            (Some(Fact::ProjectUsesAi), _) => ["Oui", "Non"]
                .iter()
                .zip(["Yes", "No"])
                .map(|(fr, en)| action("answer", programme, self.language.pick(fr, en)))
                .collect(),
            _ => Vec::new(),
        };
        actions.push(action("open_programme", programme, &programme.name));
        actions
    }

    fn summary(&self, verdict: &Verdict) -> DraftSentence {
        self.vouched(&verdict.summary)
    }

    fn support(&self, source: &Cited) -> Option<Support> {
        self.corpus.position(&source.id).map(Support::Passage)
    }

    fn cited(&self, text: &str, source: &Cited) -> DraftSentence {
        let mut sentence = self.vouched(text);
        sentence.supports.extend(self.support(source));
        sentence
    }

    fn frame(&self, key: &str, values: &[(&str, &str)]) -> String {
        self.corpus.framing.say(key, self.language, values)
    }

    fn say(&self, key: &str, values: &[(&str, &str)]) -> DraftSentence {
        self.vouched(&self.frame(key, values))
    }

    /// A sentence of the rules: its figures are theirs, which the checker compares with the act, or the person's.
    fn vouched(&self, text: &str) -> DraftSentence {
        DraftSentence {
            link: None,
            text: text.to_owned(),
            supports: Vec::new(),
            vouched: true,
        }
    }
}

fn action(kind: &str, programme: &Programme, label: &str) -> Action {
    Action {
        kind: kind.to_owned(),
        programme: programme.id.clone(),
        label: label.to_owned(),
        url: format!("/aides/{}", programme.id),
    }
}

/// What is known, with the words that each fact came from.
fn shown(
    corpus: &Corpus,
    territory: &Territory,
    known: &[Told],
    facts: &Facts,
    language: Language,
) -> Vec<FactShown> {
    let list = &corpus.facts;
    let department = |code: &str| territory.department(code).map(|d| d.name.as_str());
    let one = |told: &Told| {
        let text = told.value.as_str().unwrap_or_default();
        let value = match told.fact {
            Fact::OrganisationKind | Fact::Activity => {
                list.value(told.fact, text, language).to_owned()
            }
            Fact::Commune => {
                let place = facts.commune.as_ref();
                place.map_or_else(
                    || text.to_owned(),
                    |p| match p.department.as_deref().and_then(department) {
                        Some(department) => format!("{} ({department})", p.name),
                        None => p.name.clone(),
                    },
                )
            }
            Fact::CreatedOn | Fact::ApplicationDate => {
                Span::parse(text).map_or_else(|| text.to_owned(), |s| s.spelled(language))
            }
            Fact::DepartmentCode => match department(text) {
                Some(name) => format!("{name} ({text})"),
                None => text.to_owned(),
            },
            Fact::ProjectUsesAi => match told.value.as_bool() {
                Some(true) => language.pick("oui", "yes").to_owned(),
                _ => language.pick("non", "no").to_owned(),
            },
            Fact::Budget => {
                let lines = facts.budget.as_deref().unwrap_or_default();
                let total: Cents = lines.iter().map(|l| l.amount).sum();
                euros(total.0, language)
            }
            Fact::DeMinimisReceivedEur => facts
                .de_minimis_received
                .map_or_else(String::new, |c| euros(c.0, language)),
            _ => match (told.value.as_f64(), list.get(told.fact)) {
                (Some(value), Some(entry)) => entry.measured(value, language),
                _ => value_text(&told.value),
            },
        };
        FactShown {
            fact: told.fact.id().to_owned(),
            label: list.label(told.fact, language).to_owned(),
            value,
            words: told.words.clone(),
        }
    };
    known.iter().map(one).collect()
}

fn value_text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
