//! What is still open: which facts can change the answer, in which order to ask, where each answer leads.
//!
//! Each condition reads one fact, and conditions differ by kind of organisation only. So the future is
//! told exactly by two things for each kind that is still possible: whether it is refused already, and
//! which conditions it still needs. No guess is made on how likely an answer is.

use jiff::civil::Date;

use super::assess::{applies, test};
use super::facts::Facts;
use super::logic::Truth;
use crate::corpus::{Fact, OrganisationKind, Rules, Test};

/// One kind of organisation that the person may be.
#[derive(Debug, Clone, Copy)]
struct Future {
    kind: OrganisationKind,
    /// A condition fails whatever else is said.
    refused: bool,
    /// The conditions not settled yet, by position.
    needs: u32,
}

/// The kinds that are still possible.
#[derive(Debug, Clone)]
pub(super) struct Outlook(Vec<Future>);

/// A question whose answer may change the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Open {
    /// Which kind of organisation.
    Kind,
    /// The fact of the condition at this position.
    Rule(usize),
}

impl Outlook {
    pub(super) fn of(rules: &Rules, facts: &Facts, day: Date) -> Self {
        let kinds = match facts.organisation_kind {
            Some(kind) => vec![kind],
            None => OrganisationKind::ALL.to_vec(),
        };
        let future = |kind: OrganisationKind| {
            let mut future = Future {
                kind,
                refused: false,
                needs: 0,
            };
            for (i, rule) in rules.rules.iter().enumerate() {
                let truth = match &rule.test {
                    Test::Kinds(list) => list.contains(&kind).into(),
                    _ => applies(rule, Some(kind)).not().or(test(rule, facts, day)),
                };
                match truth {
                    Truth::True => {}
                    Truth::False => future.refused = true,
                    Truth::Unknown => future.needs |= 1 << i,
                }
            }
            future
        };
        Self(kinds.into_iter().map(future).collect())
    }

    /// What is known for certain, whatever is said next.
    pub(super) fn verdict(&self) -> Truth {
        if self.0.iter().all(|f| f.refused) {
            Truth::False
        } else if self.0.iter().all(|f| !f.refused && f.needs == 0) {
            Truth::True
        } else {
            Truth::Unknown
        }
    }

    /// The questions of which some answer changes the verdict, all else being as it may be.
    fn open(&self) -> Vec<Open> {
        let possible = || self.0.iter().filter(|f| !f.refused);
        // With just what `a` needs, `a` is eligible; `b` is not if it needs more, or is refused.
        let kind_matters =
            possible().any(|a| self.0.iter().any(|b| b.refused || b.needs & !a.needs != 0));
        let needed = possible().fold(0, |all, f| all | f.needs);
        let rules = (0..32).filter(|i| needed & (1 << i) != 0).map(Open::Rule);
        kind_matters
            .then_some(Open::Kind)
            .into_iter()
            .chain(rules)
            .collect()
    }

    /// The outlook after an answer that meets the condition, or that does not.
    pub(super) fn after_rule(&self, at: usize, met: bool) -> Self {
        let mut futures = self.0.clone();
        for future in futures.iter_mut().filter(|f| f.needs & (1 << at) != 0) {
            future.needs &= !(1 << at);
            future.refused |= !met;
        }
        Self(futures)
    }

    /// The outlook once the kind is known.
    pub(super) fn after_kind(&self, kind: OrganisationKind) -> Self {
        Self(self.0.iter().copied().filter(|f| f.kind == kind).collect())
    }

    /// The outlooks that the answers to a question lead to.
    fn after(&self, open: Open) -> Vec<Self> {
        match open {
            Open::Kind => self.0.iter().map(|f| self.after_kind(f.kind)).collect(),
            Open::Rule(at) => vec![self.after_rule(at, true), self.after_rule(at, false)],
        }
    }

    /// The questions to ask, most decisive first: the one after which fewest remain, on average over its
    /// answers; the order of the rules between equals.
    pub(super) fn questions(&self) -> Vec<Open> {
        let mut ranked: Vec<(f64, Open)> = self
            .open()
            .into_iter()
            .map(|open| (self.remaining(open), open))
            .collect();
        ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
        ranked.into_iter().map(|(_, open)| open).collect()
    }

    #[expect(clippy::cast_precision_loss, reason = "at most some dozens of each")]
    fn remaining(&self, open: Open) -> f64 {
        let answers = self.after(open);
        let left: usize = answers.iter().map(|a| a.open().len()).sum();
        left as f64 / answers.len().max(1) as f64
    }
}

/// The fact that a question asks for.
pub(super) fn fact(rules: &Rules, open: Open) -> Fact {
    match open {
        Open::Kind => Fact::OrganisationKind,
        Open::Rule(at) => rules.rules[at].criterion.fact(),
    }
}

/// What is wrong with rules as such: that nobody could qualify, or that everybody would.
pub(crate) fn faults_of(rules: &Rules) -> Vec<&'static str> {
    let opening = rules.rules.iter().find_map(|r| match r.test {
        Test::From(day) => Some(day),
        _ => None,
    });
    let Some(day) = opening else {
        return vec!["aucune règle ne dit à partir de quand le dispositif est ouvert"];
    };
    let outlook = Outlook::of(rules, &Facts::default(), day);
    let mut faults = Vec::new();
    if outlook.verdict() == Truth::False {
        faults.push("personne ne pourrait être éligible : les règles se contredisent");
    }
    if outlook.verdict() == Truth::True {
        faults.push("tout le monde serait éligible : aucune règle n’écarte personne");
    }
    faults
}
