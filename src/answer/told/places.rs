//! Where people are: communes, departments, inter-municipal bodies, SIRET.

use std::ops::Range;

use serde_json::json;

use super::{Doubt, Hearing};
use crate::corpus::{Body, Fact, Found, OrganisationKind, Public};
use crate::eligibility::siret;
use crate::text::fold::Phrase;
use crate::text::sparse::is_stop_word;

/// Words of the longest name of a place.
const LONGEST: usize = 8;

/// Inhabitants of a town that everybody in Normandy knows by its name alone.
const WELL_KNOWN: u32 = 8_000;

/// A place named in the message.
struct Placed {
    /// As it is to be looked up.
    name: String,
    words: Range<usize>,
    /// It lies in Normandy, or one of those of the name does.
    norman: bool,
}

/// What leads to the name of a place.
#[derive(Default)]
struct Lead {
    /// A place was asked for.
    asked: bool,
    /// It has a capital letter.
    capital: bool,
    /// "à".
    at: bool,
    /// "la mairie de".
    of: bool,
    /// "mairie".
    body: bool,
    /// "basée à".
    settled: bool,
    /// "au Havre": the article that the preposition holds.
    article: Option<&'static str>,
}

impl Lead {
    fn leads(&self) -> bool {
        self.at || self.of || self.body || self.asked || self.article.is_some()
    }

    fn any(&self) -> bool {
        self.leads() || self.capital
    }

    fn sure(&self) -> bool {
        self.asked || self.of || self.body || self.settled
    }
}

impl<'a> Hearing<'a> {
    pub(super) fn places(&mut self) {
        self.siret();
        let body = self.named_body();
        if let Some((body, words)) = &body {
            self.public(Public::Body(body), words);
        }
        self.department();
        if body.is_none() {
            self.commune();
        }
    }

    /// Fourteen digits, however they are spaced.
    fn siret(&mut self) {
        let message = self.message;
        let digits = |i: usize| {
            message
                .words
                .get(i)
                .map(|w| w.text.as_str())
                .filter(|t| t.bytes().all(|b| b.is_ascii_digit()))
        };
        let mut at = 0;
        while at < message.words.len() {
            let mut run = String::new();
            let mut end = at;
            while let Some(more) = digits(end) {
                run.push_str(more);
                end += 1;
            }
            let words = at..end;
            if run.len() > 9 {
                self.read.push(words.clone());
            }
            let named = message.words[message.before(at, 4)]
                .iter()
                .any(|w| w.text == "siret");
            if siret(&run).is_some() {
                self.tell(Fact::Siret, run.clone(), words.clone());
                let holder = run.get(..9).and_then(|s| self.territory.by_siren(s));
                if let Some(holder) = holder {
                    self.public(holder, &words);
                }
            } else if run.len() == 14 || (named && run.len() > 9) {
                self.doubts.push(Doubt::Refused {
                    fact: Fact::Siret,
                    words: message.typed(words.clone()).to_owned(),
                    expected: self.expected(Fact::Siret),
                });
            }
            at = end.max(at + 1);
        }
    }

    /// A public body of Normandy is named: what it is, where, and of how many inhabitants.
    fn public(&mut self, public: Public<'_>, words: &Range<usize>) {
        let (kind, department, population) = match public {
            Public::Commune(commune) => (
                OrganisationKind::LocalAuthority,
                Some(&commune.department),
                commune.norman.as_ref().map_or(0, |n| n.population),
            ),
            Public::Body(body) => (
                OrganisationKind::LocalAuthorityGroup,
                body.departments.first(),
                body.population,
            ),
        };
        self.tell(Fact::OrganisationKind, json!(kind), words.clone());
        if let Some(code) = department {
            self.tell(Fact::DepartmentCode, code.to_string(), words.clone());
        }
        self.tell_of_place(Fact::Population, population, words.clone());
    }

    pub(super) fn expected(&self, fact: Fact) -> String {
        let entry = self.corpus.facts.get(fact);
        entry.map_or_else(String::new, |e| e.expected(self.situation.language))
    }

    /// The longest name of a body, begun by what such bodies are called or by a capital letter.
    fn named_body(&self) -> Option<(&'a Body, Range<usize>)> {
        let message = self.message;
        let group = self.telling.called(OrganisationKind::LocalAuthorityGroup);
        for at in 0..message.words.len() {
            let begins = message.says_at(group, at)
                || matches!(
                    message.words[at].text.as_str(),
                    "cc" | "ca" | "cu" | "communaute"
                )
                || message.capital(at);
            if !begins || self.is_partner(at) {
                continue;
            }
            let longest = (at + LONGEST + 2).min(message.clause(at).end);
            for end in (at + 1..=longest).rev() {
                // What is also the name of a town is the town, unless it is called a body.
                let town = !message.says_at(group, at)
                    && !matches!(
                        self.territory.commune(message.typed(at..end), None),
                        Found::Unknown
                    );
                if !town && let Some(body) = self.territory.body(message.typed(at..end)) {
                    return Some((body, at..end));
                }
            }
        }
        None
    }

    /// "dans l'Orne", "le 76", "département 14", "(27)".
    fn department(&mut self) {
        let message = self.message;
        let words = &message.words;
        let asked = self.asked(Fact::DepartmentCode) || self.asked(Fact::Commune);
        for at in 0..words.len() {
            if self.is_partner(at) {
                continue;
            }
            let before = message.before(at, 3);
            let previous = before
                .clone()
                .next_back()
                .map_or("", |i| words[i].text.as_str());
            let code = words[at].text.to_uppercase();
            let is_code = (2..=3).contains(&code.len()) && code.as_bytes()[0].is_ascii_digit();
            if is_code {
                let ends = words.get(at + 1).is_none_or(|w| {
                    w.parted
                        || w.clause != words[at].clause
                        || matches!(w.text.as_str(), "et" | "and" | "depuis")
                });
                let alone = words[at].parted && ends && message.bracketed(at);
                let led = !message
                    .all(&self.telling.places.department, before)
                    .is_empty();
                let answers = asked && ends && words.len() <= 4;
                if (alone || answers || (led && ends)) && self.territory.department(&code).is_some()
                {
                    self.tell(Fact::DepartmentCode, code, at..at + 1);
                }
                continue;
            }
            for end in (at + 1..=(at + 4).min(words.len())).rev() {
                let name: Vec<&str> = words[at..end].iter().map(|w| w.text.as_str()).collect();
                let Some(code) = self.territory.department_named(&name.join(" ")) else {
                    continue;
                };
                let article = matches!(
                    previous,
                    "l" | "la" | "le" | "du" | "les" | "de" | "en" | "in" | "dans"
                );
                if article || asked || message.capital(at) || end > at + 1 {
                    let code = code.to_owned();
                    self.tell(Fact::DepartmentCode, code, at..end);
                    break;
                }
            }
        }
    }

    /// The commune of who speaks; for a town hall, its population too.
    fn commune(&mut self) {
        let message = self.message;
        let mut best: Option<Placed> = None;
        for at in 0..message.words.len() {
            if self.is_partner(at) || best.as_ref().is_some_and(|b| b.words.contains(&at)) {
                continue;
            }
            if let Some(placed) = self.place_at(at) {
                // The last place of Normandy, or the only one.
                if placed.norman || best.is_none() {
                    best = Some(placed);
                }
            }
        }
        let Some(placed) = best else { return };
        let town = self.telling.called(OrganisationKind::LocalAuthority);
        let before = message.before(placed.words.start, 5);
        let beside = !message
            .all(&self.telling.places.beside, before.clone())
            .is_empty();
        let of_a_town = !beside
            && (!message.all(town, before).is_empty()
                || (self.value(Fact::OrganisationKind)
                    == Some(&json!(OrganisationKind::LocalAuthority))
                    && !self.heard(Fact::OrganisationKind)));
        let population = match self.territory.commune(&placed.name, None) {
            Found::One { commune, .. } => commune.norman.as_ref().map(|n| n.population),
            _ => None,
        };
        if let Some(population) = population.filter(|_| of_a_town) {
            self.tell_of_place(Fact::Population, population, placed.words.clone());
        }
        self.tell(Fact::Commune, placed.name, placed.words);
    }

    /// Whether these words hold the name of a place of Normandy; `None` when they hold no place.
    pub(super) fn place_in(&self, words: Range<usize>) -> Option<bool> {
        for at in words {
            if self.message.says_at(&self.telling.places.outside, at) {
                return Some(false);
            }
            if let Some(placed) = self.place_at(at) {
                return Some(placed.norman);
            }
        }
        None
    }

    /// The longest name of a commune that begins here, when something leads to it.
    fn place_at(&self, at: usize) -> Option<Placed> {
        let message = self.message;
        let words = &message.words;
        if words[at].is_a_code() {
            return self.coded(at);
        }
        if words[at].name || message.numbers.iter().any(|n| n.words.contains(&at)) {
            return None;
        }
        let lead = self.lead(at);
        let limit = (at + LONGEST).min(message.clause(at).end);
        for end in (at + 1..=limit).rev() {
            if (at + 1..end).any(|i| words[i].parted) {
                continue;
            }
            let typed = message.typed(at..end);
            let article = lead.article.map(|article| format!("{article}{typed}"));
            let bare = lead.article.is_none() || lead.of || lead.capital;
            let common = end == at + 1
                && (is_stop_word(&words[at].text) || (words[at].text.len() < 3 && !lead.capital));
            if common {
                continue;
            }
            for name in article.into_iter().chain(bare.then(|| typed.to_owned())) {
                let (norman, known) = match self.territory.commune(&name, None) {
                    Found::One { commune, .. } => {
                        let population = commune.norman.as_ref().map(|n| n.population);
                        (population.is_some(), population >= Some(WELL_KNOWN))
                    }
                    Found::Several(all) => (all.iter().any(|c| c.norman.is_some()), false),
                    Found::Away(_) => (false, false),
                    Found::NotThere(_) | Found::Unknown => continue,
                };
                // "boite 2009 cherbourg": a town that everybody knows needs nothing to lead to it.
                let by_itself = known && words[at].text.len() >= 5;
                if !(lead.any() || by_itself) {
                    continue;
                }
                // At the beginning of a message every word has a capital: a sign must part the name from the rest.
                let first =
                    (at > 0 || known) || lead.asked || words.get(end).is_none_or(|w| w.parted);
                let well_known = self
                    .corpus
                    .cues
                    .outside
                    .iter()
                    .any(|p| message.says_at(std::slice::from_ref(p), at));
                // The names of all France hold many common words: without a capital, more must lead to them.
                if first
                    && (norman || lead.sure() || (lead.leads() && (lead.capital || well_known)))
                {
                    return Some(Placed {
                        name,
                        words: at..end,
                        norman,
                    });
                }
            }
        }
        None
    }

    /// What leads to the name of a place that would begin at this word.
    fn lead(&self, at: usize) -> Lead {
        let message = self.message;
        let places = &self.telling.places;
        let asked = (self.asked(Fact::DepartmentCode) || self.asked(Fact::Commune))
            && message.words.len() <= 6;
        let capital =
            message.capital(at) || (at == 0 && message.typed(0..1).starts_with(char::is_uppercase));
        let parted = message.words[at].parted || message.before(at, 1).is_empty();
        let word = |phrases: &[Phrase], back: usize| {
            at >= back
                && phrases
                    .iter()
                    .any(|p| p.words() == [message.words[at - back].text.clone()])
        };
        let mut lead = Lead {
            asked,
            capital,
            ..Lead::default()
        };
        if parted {
            return lead;
        }
        lead.at = message
            .all(&places.at, message.before(at, 3))
            .iter()
            .any(|r| r.end == at);
        lead.of = word(&places.of, 1) && (word(&places.bodies, 2) || word(&places.bodies, 3));
        lead.body = word(&places.bodies, 1);
        lead.settled = lead.at && (word(&places.bodies, 2) || word(&places.settled, 2));
        lead.article = match message.words[at - 1].text.as_str() {
            "au" | "du" => Some("le "),
            "aux" | "des" => Some("les "),
            _ => None,
        };
        lead
    }

    /// An INSEE code, or the postcode of one commune.
    fn coded(&self, at: usize) -> Option<Placed> {
        let message = self.message;
        let number = message.numbers.iter().find(|n| n.words.contains(&at))?;
        let unit = message.words.get(number.words.end).filter(|w| !w.parted);
        let counts = unit.is_some_and(|w| {
            let units = &self.telling.units;
            [&units.inhabitants, &units.staff, &units.people, &units.fte]
                .iter()
                .any(|u| u.iter().any(|p| p.words() == [w.text.clone()]))
        });
        if number.euros || counts || !number.plain {
            return None;
        }
        let code = message.words[at].text.clone();
        let by_code = self.territory.by_code(&code);
        let by_postcode = self.territory.by_postcode(&code);
        let commune = by_code.or(match by_postcode.as_slice() {
            [only] => Some(*only),
            _ => None,
        });
        let led = message.before(at, 4).any(|i| {
            matches!(
                message.words[i].text.as_str(),
                "code" | "insee" | "postal" | "commune" | "a" | "cp" | "de"
            )
        });
        match commune {
            Some(commune)
                if led
                    || self.asked(Fact::DepartmentCode)
                    || self.asked(Fact::Commune)
                    || message.words.len() <= 6 =>
            {
                Some(Placed {
                    name: commune.code.to_string(),
                    words: at..at + 1,
                    norman: commune.norman.is_some(),
                })
            }
            // Said to be a code, and it is none: it is told so at the door.
            None if message.before(at, 2).any(|i| {
                matches!(message.words[i].text.as_str(), "insee" | "commune" | "code")
            }) =>
            {
                Some(Placed {
                    name: code,
                    words: at..at + 1,
                    norman: false,
                })
            }
            _ => None,
        }
    }
}
