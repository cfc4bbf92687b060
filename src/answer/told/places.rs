//! Where people are: communes, departments, inter-municipal bodies, SIRET.

use std::ops::Range;

use serde_json::json;

use super::{Doubt, Hearing};
use crate::corpus::{Body, Fact, Found, OrganisationKind};
use crate::eligibility::siret;

/// Words of the longest name of a place.
const LONGEST: usize = 8;

/// A place named in the message.
struct Placed {
    /// As it is to be looked up.
    name: String,
    words: Range<usize>,
    /// It lies in Normandy, or one of those of the name does.
    norman: bool,
}

impl Hearing<'_> {
    pub(super) fn places(&mut self) {
        self.siret();
        let body = self.body();
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
            let named = message.words[message.before(at, 4)]
                .iter()
                .any(|w| w.text == "siret");
            if siret(&run).is_some() {
                self.tell(Fact::Siret, run.clone(), words.clone());
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

    pub(super) fn expected(&self, fact: Fact) -> String {
        let entry = self.corpus.facts.get(fact);
        entry.map_or_else(String::new, |e| e.expected(self.situation.language))
    }

    /// An inter-municipal body of Normandy, by its name: the kind, the place and the population of who speaks.
    fn body(&mut self) -> Option<()> {
        let (body, words) = self.named_body()?;
        let (population, department) = (
            body.population,
            body.departments.first().map(ToString::to_string),
        );
        self.tell(
            Fact::OrganisationKind,
            json!(OrganisationKind::LocalAuthorityGroup),
            words.clone(),
        );
        if let Some(code) = department {
            self.tell(Fact::DepartmentCode, code, words.clone());
        }
        self.tell(Fact::Population, population, words);
        Some(())
    }

    /// The longest name of a body, begun by what such bodies are called or by a capital letter.
    fn named_body(&self) -> Option<(&Body, Range<usize>)> {
        let message = self.message;
        let group = self
            .telling
            .kinds
            .iter()
            .find(|k| k.kind == OrganisationKind::LocalAuthorityGroup)?;
        for at in 0..message.words.len() {
            let begins = message.at(&group.said, at).is_some()
                || matches!(
                    message.words[at].text.as_str(),
                    "cc" | "ca" | "cu" | "communaute" | "metropole" | "agglo"
                )
                || message.capital(at);
            if !begins || self.with_before(at) {
                continue;
            }
            let longest = (at + LONGEST + 2).min(message.clause(at).end);
            for end in (at + 1..=longest).rev() {
                // A single word is a town, unless it is an acronym that nothing else bears.
                let alone = end == at + 1
                    && !matches!(
                        self.territory.commune(message.typed(at..end), None),
                        Found::Unknown
                    );
                if !alone && let Some(body) = self.territory.body(message.typed(at..end)) {
                    return Some((body, at..end));
                }
            }
        }
        None
    }

    fn with_before(&self, at: usize) -> bool {
        self.message
            .before(at, 4)
            .any(|i| matches!(self.message.words[i].text.as_str(), "avec" | "with"))
    }

    /// "dans l'Orne", "le 76", "département 14".
    fn department(&mut self) {
        let message = self.message;
        for at in 0..message.words.len() {
            let text = message.words[at].text.as_str();
            let before = message.before(at, 3);
            let led = !message
                .all(&self.telling.places.department, before.clone())
                .is_empty();
            let code = text.to_uppercase();
            let is_code = (text.len() == 2 || text.len() == 3)
                && text.bytes().next().is_some_and(|b| b.is_ascii_digit())
                && message
                    .numbers
                    .iter()
                    .all(|n| n.date.is_none() || !n.words.contains(&at));
            if is_code && self.territory.department(&code).is_some() {
                let last = message.words.get(at + 1).is_none_or(|w| {
                    w.parted
                        || w.clause != message.words[at].clause
                        || matches!(w.text.as_str(), "et" | "and" | "depuis")
                });
                let strictly = before.clone().next_back().is_some_and(|i| {
                    matches!(
                        message.words[i].text.as_str(),
                        "le" | "departement" | "dept" | "dpt" | "department"
                    )
                });
                let answers = (self.asked(Fact::DepartmentCode) || self.asked(Fact::Commune))
                    && message.words.len() <= 4;
                if answers
                    || (strictly
                        && last
                        && (led
                            || message.words[before.start..before.end].iter().any(|w| {
                                matches!(
                                    w.text.as_str(),
                                    "departement" | "dept" | "dpt" | "department"
                                )
                            })))
                {
                    self.tell(Fact::DepartmentCode, code, at..at + 1);
                }
                continue;
            }
            let name = |words: Range<usize>| {
                message.words[words]
                    .iter()
                    .map(|w| w.text.as_str())
                    .collect::<Vec<_>>()
                    .join(" ")
            };
            for end in (at + 1..=(at + 4).min(message.words.len())).rev() {
                let Some(code) = self.territory.department_named(&name(at..end)) else {
                    continue;
                };
                let asked = self.asked(Fact::DepartmentCode) || self.asked(Fact::Commune);
                let article = before.clone().next_back().is_some_and(|i| {
                    matches!(
                        message.words[i].text.as_str(),
                        "l" | "la" | "le" | "du" | "les" | "de" | "en" | "in" | "dans"
                    )
                });
                if (article || asked || message.capital(at)) && !self.with_before(at) {
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
            if self.with_before(at) || best.as_ref().is_some_and(|b| b.words.contains(&at)) {
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
        let kind = self
            .telling
            .kinds
            .iter()
            .find(|k| k.kind == OrganisationKind::LocalAuthority);
        let before = message.before(placed.words.start, 5);
        let of_a_town = kind.is_some_and(|k| !message.all(&k.said, before).is_empty())
            || (self.value(Fact::OrganisationKind)
                == Some(&json!(OrganisationKind::LocalAuthority))
                && !self.heard(Fact::OrganisationKind));
        let population = match self.territory.commune(&placed.name, None) {
            Found::One { commune, .. } => commune.norman.as_ref().map(|n| n.population),
            _ => None,
        };
        if let Some(population) = population.filter(|_| of_a_town) {
            self.tell(Fact::Population, population, placed.words.clone());
        }
        self.tell(Fact::Commune, placed.name, placed.words);
    }

    /// Whether these words hold the name of a place of Normandy; `None` when they hold no place.
    pub(super) fn place_in(&self, words: Range<usize>) -> Option<bool> {
        const OUTSIDE: [&str; 10] = [
            "parisien",
            "parisienne",
            "parisiens",
            "bretonne",
            "breton",
            "lyonnaise",
            "lyonnais",
            "lilloise",
            "nantaise",
            "etrangere",
        ];
        for at in words {
            if OUTSIDE.contains(&self.message.words[at].text.as_str()) {
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
        if message.words[at].name {
            return None;
        }
        let asked = (self.asked(Fact::DepartmentCode) || self.asked(Fact::Commune))
            && message.words.len() <= 6;
        let previous = at.checked_sub(1).map(|i| message.words[i].text.as_str());
        let places = &self.telling.places;
        let word = |phrases: &[crate::text::fold::Phrase], i: usize| {
            phrases
                .iter()
                .any(|p| p.words() == [message.words[i].text.clone()])
        };
        let led_at = at > 0
            && message
                .all(&places.at, message.before(at, 3))
                .iter()
                .any(|r| r.end == at)
            && !message.words[at].parted;
        let led_of = at > 0
            && !message.words[at].parted
            && word(&places.of, at - 1)
            && at > 1
            && (0..2).any(|k| at >= 2 + k && word(&places.bodies, at - 2 - k));
        let body_before = at > 0 && !message.words[at].parted && word(&places.bodies, at - 1);
        let contracted = match previous {
            Some("au" | "du") => Some("le "),
            Some("aux" | "des") => Some("les "),
            _ => None,
        };
        let capital = message.capital(at);
        let code = message.words[at].text.len() == 5
            && message.words[at].text.bytes().all(|b| b.is_ascii_digit());
        if code {
            return self.coded(at);
        }
        if !(led_at || led_of || body_before || contracted.is_some() || capital || asked) {
            return None;
        }
        // A country-wide list holds many common words: without a capital, something must lead to the name.
        let sure_of_lower = asked
            || led_of
            || body_before
            || (led_at
                && at > 1
                && (word(&places.bodies, at - 2)
                    || message.words[at - 2].text.starts_with("base")
                    || message.words[at - 2].text.starts_with("situe")
                    || message.words[at - 2].text.starts_with("implante")
                    || message.words[at - 2].text.starts_with("install")));
        let limit = (at + LONGEST).min(message.clause(at).end);
        for end in (at + 1..=limit).rev() {
            if (at + 1..end).any(|i| message.words[i].parted) {
                continue;
            }
            let typed = message.typed(at..end);
            let with_article = contracted.map(|article| format!("{article}{typed}"));
            let tries = with_article
                .into_iter()
                .chain((contracted.is_none() || led_of || capital).then(|| typed.to_owned()));
            for name in tries {
                let found = self.territory.commune(&name, None);
                let norman = match &found {
                    Found::One { commune, .. } => commune.norman.is_some(),
                    Found::Several(all) => all.iter().any(|c| c.norman.is_some()),
                    Found::Away(_) => false,
                    Found::NotThere(_) | Found::Unknown => continue,
                };
                let long = message.words[at].text.len() >= 3 || end > at + 1 || capital;
                let common =
                    end == at + 1 && crate::text::sparse::is_stop_word(&message.words[at].text);
                let led = led_at || led_of || body_before || asked || contracted.is_some();
                let allowed = if norman {
                    led || capital
                } else {
                    capital && led || sure_of_lower
                };
                if long && !common && allowed {
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
                    || message.words.len() <= 4 =>
            {
                Some(Placed {
                    name: commune.code.to_string(),
                    words: at..at + 1,
                    norman: commune.norman.is_some(),
                })
            }
            // Said to be a code, and it is none: it is told so at the door.
            None if message
                .before(at, 4)
                .any(|i| message.words[i].text == "insee") =>
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
