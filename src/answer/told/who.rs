//! Who speaks: kind of organisation, activity, partners, and whether the project rests on AI.

use std::ops::Range;

use serde_json::{Value, json};

use super::Hearing;
use crate::corpus::{Activity, Fact, OrganisationKind};

/// Words looked at before the name of an organisation.
const INTRODUCED: usize = 6;

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
        self.partners();
    }

    fn kind(&mut self) {
        let message = self.message;
        let telling = self.telling;
        let all = 0..message.words.len();
        let mut named: Vec<Named> = Vec::new();
        for (rank, kind) in telling.kinds.iter().enumerate() {
            for words in message.all(&kind.said, all.clone()) {
                let within = |n: &Named| n.words.start < words.end && words.start < n.words.end;
                if message.words[words.start].name
                    || named.iter().any(within)
                    || self.denied(words.start)
                    || self.is_partner(words.start)
                {
                    continue;
                }
                let before = message.before(words.start, INTRODUCED);
                let introduced = !message.all(&telling.oneself, before).is_empty();
                named.push(Named {
                    kind: kind.kind,
                    rank,
                    words,
                    introduced,
                });
            }
        }
        let best = named
            .into_iter()
            .min_by_key(|n| (!n.introduced, n.rank, n.words.start));
        if let Some(best) = best {
            self.tell(Fact::OrganisationKind, json!(best.kind), best.words);
        }
    }

    fn denied(&self, at: usize) -> bool {
        let before = self.message.before(at, 2);
        !self.message.all(&self.telling.doubt.not, before).is_empty()
    }

    /// "avec l'université", "avec une mairie et un lycée": a partner, not the one who speaks.
    fn is_partner(&self, at: usize) -> bool {
        let message = self.message;
        let near = message.before(at, 4);
        let with = |range: Range<usize>| {
            range
                .clone()
                .any(|i| matches!(message.words[i].text.as_str(), "avec" | "with"))
        };
        let and = message
            .before(at, 3)
            .any(|i| matches!(message.words[i].text.as_str(), "et" | "and" | "plus"));
        with(near) || (and && with(message.before(at, 14)))
    }

    fn is_company(&self) -> bool {
        self.value(Fact::OrganisationKind) == Some(&json!(OrganisationKind::Company))
    }

    /// What a company does; an amount of "services" is an expense, not an activity.
    fn activity(&mut self) {
        let message = self.message;
        if !(self.is_company() || self.asked(Fact::Activity))
            || message.numbers.iter().any(|n| n.euros)
        {
            return;
        }
        let all = 0..message.words.len();
        let each = self.telling.activity.each();
        let mut found: Vec<(Activity, Range<usize>)> = Vec::new();
        for (activity, said) in each {
            for words in message.all(said, all.clone()) {
                if !message.words[words.start].name
                    && !self.denied(words.start)
                    && !self.is_partner(words.start)
                {
                    found.push((activity, words));
                }
            }
        }
        // "une entreprise de services" says more than "un service de livraison", later.
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
        let project = message.says(&words.project) || self.asked(Fact::ProjectUsesAi);
        let named = message.all(&words.yes, all).into_iter().find(|r| {
            let data = r.start > 0 && message.words[r.start - 1].text == "data";
            !message.words[r.start].name && !data && !self.denied(r.start)
        });
        if let Some(named) = named.filter(|_| project) {
            self.tell(Fact::ProjectUsesAi, true, named);
        }
    }

    /// Structures of Normandy in the project, the speaker included: each named partner counts.
    fn partners(&mut self) {
        let message = self.message;
        let telling = self.telling;
        let all = 0..message.words.len();
        let concerned =
            self.asked(Fact::NormandyStructureCount) || self.reads(Fact::NormandyStructureCount);
        if !concerned {
            return;
        }
        if let Some(alone) = message
            .all(&telling.partner.alone, all.clone())
            .into_iter()
            .next()
        {
            self.tell(Fact::NormandyStructureCount, 1, alone);
            return;
        }
        let leads: Vec<usize> = all
            .clone()
            .filter(|i| {
                let text = message.words[*i].text.as_str();
                matches!(text, "avec" | "with")
                    || (matches!(text, "et" | "and" | "plus")
                        && self.asked(Fact::NormandyStructureCount))
            })
            .collect();
        let mut from = all.start;
        let (mut count, mut away) = (0, 0);
        let mut span: Option<Range<usize>> = None;
        let start = match leads.first() {
            Some(first) => *first,
            None if self.asked(Fact::NormandyStructureCount) => 0,
            None => return,
        };
        let clause = message.clause(start);
        while from < clause.end {
            if from < start {
                from = start;
            }
            let by_name = message.at(&telling.partner.norman, from);
            let by_kind = message.at(&telling.partner.kinds, from);
            let Some(words) = by_name.clone().or(by_kind) else {
                from += 1;
                continue;
            };
            let tail = words.end..(words.end + 5).min(clause.end);
            let place = self.place_in(tail.clone());
            let norman = by_name.is_some()
                || !message.all(&telling.partner.norman_word, tail).is_empty()
                || place == Some(true);
            if norman {
                count += 1;
            } else if place == Some(false) {
                away += 1;
            }
            if norman || place == Some(false) {
                let begin = span.as_ref().map_or(start.min(words.start), |s| s.start);
                span = Some(begin..words.end);
            }
            from = words.end;
        }
        if let Some(span) = span.filter(|_| count > 0 || away > 0) {
            self.tell(Fact::NormandyStructureCount, Value::from(1 + count), span);
        }
    }
}
