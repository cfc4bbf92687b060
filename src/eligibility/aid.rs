//! What a programme would give: computed to the cent where the costs are known.

use serde::Serialize;

use super::facts::Line;
use super::money::Cents;
use super::verdict::{Case, Cited, Outcome};
use crate::corpus::{Aid, CostKind, Fact, Gives, OrganisationKind, euros};

/// What would be given.
#[derive(Clone, Serialize)]
pub struct AidGiven {
    /// `grant`, `service` or `prize`.
    pub kind: &'static str,
    /// The amount, when the costs are known.
    pub amount_eur: Option<Cents>,
    /// The costs that count, when they are known.
    pub eligible_costs_eur: Option<Cents>,
    /// What is said of it.
    pub explanation: String,
    /// Each expense, and whether it counts.
    pub lines: Vec<AidLine>,
    /// Where it comes from.
    pub source: Cited,
}

/// One expense of the budget, judged.
#[derive(Clone, Serialize)]
pub struct AidLine {
    /// As it was given.
    #[serde(flatten)]
    pub line: Line,
    /// Whether it counts.
    pub eligible: bool,
    /// Why not.
    pub reason: Option<String>,
    /// The words that say so.
    pub source: Option<Cited>,
}

pub(super) fn given(aid: &Aid, case: &Case<'_>, outcome: Outcome) -> AidGiven {
    let language = case.language;
    let said = |cents: i64| euros(cents, language);
    let mut given = AidGiven {
        kind: "service",
        amount_eur: None,
        eligible_costs_eur: None,
        explanation: String::new(),
        lines: Vec::new(),
        source: Cited::of(&aid.source, language),
    };
    match &aid.gives {
        Gives::Service { days } => {
            let days = days.to_string();
            given.explanation = aid.known.say(language, &[("days", &days)]);
        }
        Gives::Prize { teams, pool_cents } => {
            given.kind = "prize";
            let values = [
                ("teams", &*teams.to_string()),
                ("pool", &*said(*pool_cents)),
            ];
            given.explanation = aid.known.say(language, &values);
        }
        Gives::Grant {
            rate_percent,
            cap_cents,
            costs,
        } => {
            given.kind = "grant";
            // An empty budget says nothing of the costs.
            let budget = case.facts.budget.as_deref().filter(|b| !b.is_empty());
            let lines = budget.unwrap_or_default().iter();
            given.lines = lines.map(|line| judged(line, aid, costs, case)).collect();
            let counted: Cents = given
                .lines
                .iter()
                .filter(|l| l.eligible)
                .map(|l| l.line.amount)
                .sum();
            let due = counted.percent(*rate_percent);
            let amount = due.min(Cents(*cap_cents));
            let wording = match (budget, &aid.unknown, &aid.capped) {
                (None, Some(unknown), _) => unknown,
                (Some(_), _, Some(capped)) if due > amount => capped,
                _ => &aid.known,
            };
            given.explanation = wording.say(
                language,
                &[
                    ("rate", &rate_percent.to_string()),
                    ("cap", &said(*cap_cents)),
                    ("costs", &said(counted.0)),
                    ("amount", &said(amount.0)),
                ],
            );
            given.amount_eur = budget.map(|_| amount);
            given.eligible_costs_eur = budget.map(|_| counted);
        }
    }
    let for_company = case.facts.organisation_kind == Some(OrganisationKind::Company);
    let refused = outcome == Outcome::NotEligible;
    for more in [
        aid.company.as_ref().filter(|_| for_company),
        aid.if_not.as_ref().filter(|_| refused),
    ]
    .into_iter()
    .flatten()
    {
        given.explanation.push(' ');
        given.explanation.push_str(more.in_language(language));
    }
    given
}

/// Whether an expense counts, and the words that say so.
fn judged(
    line: &Line,
    aid: &Aid,
    costs: &[(CostKind, bool, crate::corpus::RuleSource)],
    case: &Case<'_>,
) -> AidLine {
    let said = costs.iter().find(|(kind, ..)| *kind == line.kind);
    let eligible = said.is_some_and(|(_, eligible, _)| *eligible);
    let reason = match said {
        Some((_, true, _)) => None,
        Some((_, false, source)) => {
            let kind = serde_json::json!(line.kind);
            let name = case
                .corpus
                .facts
                .value(
                    Fact::Budget,
                    kind.as_str().unwrap_or_default(),
                    case.language,
                )
                .to_owned();
            let quote = source.quotes.first().map_or("", String::as_str);
            Some(format!("{name}\u{a0}: «\u{a0}{quote}\u{a0}»"))
        }
        None => aid
            .left_out
            .as_ref()
            .map(|r| r.in_language(case.language).to_owned()),
    };
    AidLine {
        line: line.clone(),
        eligible,
        reason,
        source: said.map(|(_, _, source)| Cited::of(source, case.language)),
    }
}
