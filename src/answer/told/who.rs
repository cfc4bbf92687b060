//! Who speaks: kind of organisation, activity, partners, and whether the project rests on AI.

use std::ops::Range;

use serde_json::{Value, json};

use super::Hearing;
use super::message::Word;
use crate::corpus::{Activity, Fact, OrganisationKind};

/// Words looked at before the name of an organisation for who says that they are it.
const INTRODUCED: usize = 4;
/// Words looked at after a partner for where it is.
const WHERE: usize = 5;

/// A kind of organisation, where it stands.
struct Named {
    kind: OrganisationKind,
    /// Its place in the list: the most telling first.
    rank: usize,
    words: Range<usize>,
    /// Someone says that they are it.
    introduced: bool,
}

impl Hearing<'_> {
    pub(super) fn who(&mut self) {
        self.kind();
        self.activity();
        self.ai();
    }

    fn kind(&mut self) {
        let message = self.message;
        let telling = self.telling;
        let all = 0..message.words.len();
        let mut named: Vec<Named> = Vec::new();
        for (rank, kind) in telling.kinds.iter().enumerate() {
            for words in message.all(&kind.said, all.clone()) {
                let within = |n: &Named| n.words.start < words.end && words.start < n.words.end;
                let code = message.words.get(words.end).is_some_and(Word::is_a_code);
                if code
                    || message.words[words.start].name
                    || named.iter().any(within)
                    || self.denied(words.start)
                    || self.is_partner(words.start)
                {
                    continue;
                }
                let before = message.before(words.start, INTRODUCED);
                named.push(Named {
                    kind: kind.kind,
                    rank,
                    introduced: !message.all(&telling.oneself, before).is_empty(),
                    words,
                });
            }
        }
        let best = named
            .into_iter()
            .min_by_key(|n| (!n.introduced, n.rank, n.words.start));
        if let Some(best) = best {
            self.introduced = best.introduced;
            self.tell(Fact::OrganisationKind, json!(best.kind), best.words);
        }
    }

    fn denied(&self, at: usize) -> bool {
        let before = self.message.before(at, 2);
        !self.message.all(&self.telling.doubt.not, before).is_empty()
    }

    /// "avec l'université", "avec une mairie et un lycée": a partner, not the one who speaks.
    pub(super) fn is_partner(&self, at: usize) -> bool {
        let message = self.message;
        // "avec 45 salariés à Caen" names no partner.
        let with = |range: Range<usize>| {
            let lead = range.rev().find(|at| self.is_with(*at));
            lead.is_some_and(|lead| {
                !message
                    .numbers
                    .iter()
                    .any(|n| (lead..at).contains(&n.words.start))
            })
        };
        let and = message.words[message.before(at, 3)]
            .iter()
            .any(|w| matches!(w.text.as_str(), "et" | "and" | "plus"));
        let plus = message
            .before(at, 2)
            .any(|i| message.words[i].text == "plus");
        self.partners.contains(&at)
            || plus
            || with(message.before(at, 4))
            || (and && with(message.before(at, 14)))
    }

    fn is_with(&self, at: usize) -> bool {
        self.message.says_at(&self.telling.partner.with, at)
    }

    fn is_company(&self) -> bool {
        self.value(Fact::OrganisationKind) == Some(&json!(OrganisationKind::Company))
    }

    /// What a company does; "services" beside an amount is an expense, not an activity.
    fn activity(&mut self) {
        let message = self.message;
        if !(self.is_company() || self.asked(Fact::Activity)) {
            return;
        }
        let amounts = message.numbers.iter().any(|n| n.euros);
        let mut found: Vec<(Activity, Range<usize>)> = Vec::new();
        let mut neither: Vec<Range<usize>> = Vec::new();
        for (activity, said) in self.telling.activity.each() {
            for words in message.all(said, 0..message.words.len()) {
                let ni = message
                    .before(words.start, 4)
                    .any(|i| message.words[i].text == "ni");
                let expense = amounts && activity == Activity::Service;
                if ni {
                    neither.push(words);
                } else if !expense
                    && !message.words[words.start].name
                    && !self.denied(words.start)
                    && !self.is_partner(words.start)
                {
                    found.push((activity, words));
                }
            }
        }
        // "ni production ni service" is something else.
        if let ([first, .., last], true) = (neither.as_slice(), found.is_empty()) {
            let words = first.start.min(last.start)..first.end.max(last.end);
            self.tell(Fact::Activity, json!(Activity::Other), words);
            return;
        }
        let first = found.iter().min_by_key(|(_, w)| w.start).cloned();
        let other = found.iter().find(|(a, _)| *a == Activity::Other).cloned();
        if let Some((activity, words)) = other.or(first) {
            self.tell(Fact::Activity, json!(activity), words);
        }
    }

    /// A project that rests on AI is spoken of; names such as "Booster IA" say nothing.
    fn ai(&mut self) {
        let message = self.message;
        let words = &self.telling.ai;
        let all = 0..message.words.len();
        if let Some(no) = message.all(&words.no, all.clone()).into_iter().next() {
            self.tell(Fact::ProjectUsesAi, false, no);
            return;
        }
        let said = |r: &Range<usize>| {
            let data = r.start > 0 && message.words[r.start - 1].text == "data";
            !message.words[r.start].name && !data && !self.denied(r.start)
        };
        let concerned = self.reads(Fact::ProjectUsesAi);
        let sure = message
            .all(&words.sure, all.clone())
            .into_iter()
            .find(|r| concerned && said(r));
        let project = message.says(&words.project) || self.asked(Fact::ProjectUsesAi);
        let named = message
            .all(&words.yes, all)
            .into_iter()
            .find(|r| project && said(r));
        if let Some(named) = sure.or(named) {
            self.tell(Fact::ProjectUsesAi, true, named);
        }
    }

    /// Structures of Normandy in the project, the speaker included: each named partner counts.
    pub(super) fn partners(&mut self) {
        let message = self.message;
        let telling = self.telling;
        let words = &message.words;
        let asked = self.asked(Fact::NormandyStructureCount);
        if self.reads(Fact::TeamSize)
            && let Some(alone) = message
                .all(&telling.partner.no_team, 0..words.len())
                .into_iter()
                .next()
        {
            self.tell(Fact::TeamSize, 1, alone);
            return;
        }
        if let Some(alone) = message
            .all(&telling.partner.alone, 0..words.len())
            .into_iter()
            .next()
        {
            if asked || self.reads(Fact::NormandyStructureCount) {
                self.tell(Fact::NormandyStructureCount, 1, alone);
            } else if self.reads(Fact::TeamSize) {
                self.tell(Fact::TeamSize, 1, alone);
            }
            return;
        }
        if !(asked || self.reads(Fact::NormandyStructureCount)) {
            return;
        }
        let known = self
            .value(Fact::NormandyStructureCount)
            .and_then(Value::as_u64);
        let more = message
            .all(&telling.partner.more, 0..words.len())
            .into_iter()
            .next();
        let with = (0..words.len()).find(|i| {
            self.is_with(*i) || (asked && matches!(words[*i].text.as_str(), "et" | "and" | "plus"))
        });
        let partner = (0..words.len()).find(|i| {
            words[*i].text.starts_with("partenaire") || words[*i].text.starts_with("partner")
        });
        let start = match (with, more.clone().filter(|_| known.is_some())) {
            (Some(with), _) => with,
            (None, Some(more)) => more.start,
            (None, None) if asked => 0,
            (None, None) => match partner {
                Some(partner) => partner,
                None => return,
            },
        };
        let clause = message.clause(start);
        let (mut count, mut away) = (0, 0);
        let mut span: Option<Range<usize>> = None;
        let mut at = start;
        let mut last: Option<usize> = None;
        while at < clause.end {
            let by_name = message.at(&telling.partner.norman, at);
            let Some(named) = by_name
                .clone()
                .or_else(|| message.at(&telling.partner.kinds, at))
            else {
                at += 1;
                continue;
            };
            let tail = named.end..(named.end + WHERE).min(clause.end);
            let place = self.place_in(tail.clone());
            let norman = by_name.is_some()
                || !message
                    .all(&telling.partner.norman_word, tail.clone())
                    .is_empty()
                || place == Some(true);
            let number = message.numbers.iter().any(|n| n.words.end == named.start);
            // "un labo de l'université de Caen" is one partner.
            let same = last.take().is_some_and(|end: usize| {
                (end..named.start).all(|i| {
                    matches!(
                        words[i].text.as_str(),
                        "de" | "du" | "d" | "l" | "la" | "le" | "of" | "the" | "a"
                    )
                })
            });
            last = Some(named.end);
            if same && count > 0 {
                at = named.end;
                continue;
            }
            if norman && !number {
                count += 1;
            } else if place == Some(false) {
                away += 1;
            }
            if !number && (norman || place == Some(false)) {
                let begin = span.as_ref().map_or(start.min(named.start), |s| s.start);
                span = Some(begin..named.end);
                self.partners = begin..tail.end;
            }
            at = named.end;
        }
        let Some(span) = span.filter(|_| count > 0 || away > 0) else {
            return;
        };
        // With nothing added, who speaks is alone of Normandy.
        let before = if with.is_none() && more.is_some() {
            known
        } else {
            None
        };
        let total = before.unwrap_or(1) + count;
        self.tell(Fact::NormandyStructureCount, total, span);
    }
}
