//! Words by which people tell facts of themselves: `telling.toml`. Each is a phrase of whole words.

use std::collections::HashMap;

use serde::Deserialize;

use super::fault::Faults;
use super::programme::Programme;
use super::rules::{Activity, CostKind, OrganisationKind};
use crate::text::fold::Phrase;

/// All of them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telling {
    /// Someone speaks of themselves, or of those they speak for.
    pub oneself: Vec<Phrase>,
    /// After these, a bare number counts the people that speak.
    pub we_are: Vec<Phrase>,
    /// Only a verdict answers.
    pub verdict: Vec<Phrase>,
    /// Whether something may be done is asked.
    pub may: Vec<Phrase>,
    /// How much is asked.
    pub amount: Vec<Phrase>,
    /// What would turn the answer is asked.
    pub change: Vec<Phrase>,
    /// Something is supposed.
    pub suppose: Vec<Phrase>,
    /// Something else is asked.
    pub other_question: Vec<Phrase>,
    /// By programme, what no other one is about.
    pub fits: HashMap<String, Vec<Phrase>>,
    /// What numbers count.
    pub units: Units,
    /// What makes a number less than exact, or takes it back.
    pub doubt: Doubtful,
    /// Numbers given as nouns: "dizaine".
    pub nouns: HashMap<String, f64>,
    /// What stands around a number and says what it is of.
    pub about: About,
    /// What amounts are spent on, most telling first.
    pub costs: Vec<CostWords>,
    /// What organisations call themselves, most telling first.
    pub kinds: Vec<KindWords>,
    /// What a company does.
    pub activity: ActivityWords,
    /// That a project rests on AI, or not.
    pub ai: AiWords,
    /// Partners.
    pub partner: PartnerWords,
    /// Short answers.
    pub answers: Answers,
    /// What leads to the name of a place.
    pub places: PlaceWords,
}

/// What numbers count.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Units {
    pub fte: Vec<Phrase>,
    pub staff: Vec<Phrase>,
    pub people: Vec<Phrase>,
    pub inhabitants: Vec<Phrase>,
    pub days: Vec<Phrase>,
    pub weeks: Vec<Phrase>,
    pub months: Vec<Phrase>,
    pub years: Vec<Phrase>,
    pub structures: Vec<Phrase>,
    pub organisations: Vec<Phrase>,
    pub partners: Vec<Phrase>,
}

/// What makes a number less than exact, or takes it back.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Doubtful {
    /// "environ".
    pub about: Vec<Phrase>,
    /// "plus de": the number is the least it may be.
    pub above: Vec<Phrase>,
    /// "moins de": the number is the most it may be.
    pub below: Vec<Phrase>,
    /// "entre": the number is one of two.
    pub between: Vec<Phrase>,
    /// "pas".
    pub not: Vec<Phrase>,
}

/// What stands around a number, or in its clause.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    pub creation: Vec<Phrase>,
    pub filing: Vec<Phrase>,
    pub duration: Vec<Phrase>,
    pub team: Vec<Phrase>,
    pub costs: Vec<Phrase>,
    pub not_costs: Vec<Phrase>,
    pub minimis: Vec<Phrase>,
    pub with_tax: Vec<Phrase>,
    pub eligible_costs: Vec<Phrase>,
}

/// What an amount is spent on.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostWords {
    pub kind: CostKind,
    pub said: Vec<Phrase>,
}

/// What a kind of organisation is called.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindWords {
    pub kind: OrganisationKind,
    pub said: Vec<Phrase>,
}

/// What a company does.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivityWords {
    pub production: Vec<Phrase>,
    pub service: Vec<Phrase>,
    pub other: Vec<Phrase>,
}

impl ActivityWords {
    /// Each activity with its words.
    #[must_use]
    pub fn each(&self) -> [(Activity, &[Phrase]); 3] {
        [
            (Activity::Other, &self.other),
            (Activity::Production, &self.production),
            (Activity::Service, &self.service),
        ]
    }
}

/// That a project rests on AI, or not.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AiWords {
    /// Names of AI and its uses.
    pub yes: Vec<Phrase>,
    /// A project is spoken of.
    pub project: Vec<Phrase>,
    /// Names of AI that need no project beside them.
    pub sure: Vec<Phrase>,
    /// It does not rest on AI.
    pub no: Vec<Phrase>,
}

/// Partners.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartnerWords {
    /// What leads to one.
    pub with: Vec<Phrase>,
    /// What adds one to those that are known.
    pub more: Vec<Phrase>,
    /// Those of Normandy, by their names.
    pub norman: Vec<Phrase>,
    /// What partners are.
    pub kinds: Vec<Phrase>,
    /// There is none.
    pub alone: Vec<Phrase>,
    /// There is no team.
    pub no_team: Vec<Phrase>,
    /// They are of Normandy.
    pub norman_word: Vec<Phrase>,
}

/// Short answers.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    pub yes: Vec<Phrase>,
    pub no: Vec<Phrase>,
    pub unsure: Vec<Phrase>,
}

/// What leads to the name of a place.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceWords {
    /// "à".
    pub at: Vec<Phrase>,
    /// "près de": not there, but not far.
    pub beside: Vec<Phrase>,
    /// "de", after what is of a place.
    pub of: Vec<Phrase>,
    /// What is of a place.
    pub bodies: Vec<Phrase>,
    /// "basée", before "à".
    pub settled: Vec<Phrase>,
    /// What is not of Normandy, without a name of a place.
    pub outside: Vec<Phrase>,
    /// What leads to a department.
    pub department: Vec<Phrase>,
}

impl Telling {
    /// What organisations of a kind call themselves.
    #[must_use]
    pub fn called(&self, kind: OrganisationKind) -> &[Phrase] {
        let words = self.kinds.iter().find(|k| k.kind == kind);
        words.map_or(&[], |k| &k.said)
    }

    pub(super) fn check(&self, programmes: &[Programme], faults: &mut Faults) {
        for id in self.fits.keys() {
            if !programmes.iter().any(|p| p.id == *id) && !faults.lost(id) {
                faults.add(
                    "telling.toml",
                    None,
                    format!("« fits » nomme un dispositif qui n’existe pas : « {id} »"),
                );
            }
        }
    }
}
