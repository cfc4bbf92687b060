//! What numbers and dates count: people, inhabitants, months, years, structures, euros.

use std::ops::Range;

use serde_json::{Value, json};

use super::message::{Exactness, Number};
use super::{Doubt, Hearing};
use crate::corpus::{CostKind, Fact, Gives};
use crate::text::fold::Phrase;
use crate::text::numbers;

/// What the word after a number says it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Fte,
    Staff,
    People,
    Inhabitants,
    Days,
    Weeks,
    Months,
    Years,
    Structures,
    /// "entreprises": structures of a project, when it is of a project that one speaks.
    Organisations,
    Partners,
}

impl Hearing<'_> {
    pub(super) fn counts(&mut self) {
        let message = self.message;
        let mut costs = Vec::new();
        for number in &message.numbers {
            let of_a_name = message
                .words
                .get(number.words.start)
                .is_some_and(|w| w.name);
            let text = format!("{:02}", number.value);
            let of_a_place = self.told.iter().any(|t| match t.told.fact {
                Fact::DepartmentCode if number.plain && t.told.value == text.as_str() => true,
                Fact::Siret | Fact::Commune | Fact::DepartmentCode => number.words.contains(&t.at),
                _ => false,
            });
            let of_a_siret = self.read.iter().any(|r| r.contains(&number.words.start));
            if number.denied || of_a_name || of_a_place || of_a_siret {
                continue;
            }
            if number.date.is_some() {
                self.date(number);
            } else if number.euros || self.is_amount(number) {
                costs.push(number);
            } else {
                self.count(number);
            }
        }
        self.costs(&costs);
        self.rest_of_a_date();
    }

    /// "8 000 € de prestations et 2 000 de licences", "les prestations, c'est 9 000": an amount without its sign,
    /// where expenses are spoken of.
    fn is_amount(&self, number: &Number) -> bool {
        let spoken =
            self.message.numbers.iter().any(|n| n.euros) || self.value(Fact::Budget).is_some();
        if !spoken || number.value < 100.0 || self.unit(number).is_some() {
            return false;
        }
        let clause = self.message.clause(number.words.start);
        let after = number.words.end..(number.words.end + 3).min(clause.end);
        self.cost_kind(after).is_some()
            || self
                .cost_kind(self.message.before(number.words.start, 4))
                .is_some()
    }

    /// Five digits that are the code of a commune, when a place was told.
    fn is_a_code(&self, number: &Number) -> bool {
        let placed = self.heard(Fact::Commune) || self.heard(Fact::DepartmentCode);
        let code = format!("{:05}", number.value);
        placed && number.plain && code.len() == 5 && self.territory.by_code(&code).is_some()
    }

    /// The unit after a number, and the words of both.
    fn unit(&self, number: &Number) -> Option<(Unit, Range<usize>)> {
        let units = &self.telling.units;
        let lists: [(Unit, &[Phrase]); 11] = [
            (Unit::Fte, &units.fte),
            (Unit::Partners, &units.partners),
            (Unit::Structures, &units.structures),
            (Unit::Organisations, &units.organisations),
            (Unit::Staff, &units.staff),
            (Unit::People, &units.people),
            (Unit::Inhabitants, &units.inhabitants),
            (Unit::Days, &units.days),
            (Unit::Weeks, &units.weeks),
            (Unit::Months, &units.months),
            (Unit::Years, &units.years),
        ];
        let end = number.words.end;
        let clause = self.message.clause(number.words.start);
        for at in end..(end + 3).min(clause.end) {
            if self.message.words[at].parted && at > end {
                break;
            }
            for (unit, said) in lists {
                if let Some(words) = self.message.at(said, at) {
                    return Some((unit, number.words.start..words.end));
                }
            }
            // "une quinzaine de salariés", "30 bons collaborateurs"
            let filler = matches!(
                self.message.words[at].text.as_str(),
                "de" | "d" | "of" | "petits" | "vrais" | "bons" | "autres" | "other"
            );
            if !filler {
                break;
            }
        }
        None
    }

    fn near(&self, phrases: &[Phrase], number: &Number, before: usize, after: usize) -> bool {
        let clause = self.message.clause(number.words.start);
        let start = number.words.start.saturating_sub(before).max(clause.start);
        let end = (number.words.end + after).min(clause.end);
        !self.message.all(phrases, start..end).is_empty()
    }

    fn count(&mut self, number: &Number) {
        let about = &self.telling.about;
        match self.unit(number) {
            Some((Unit::Fte, words)) => self.measure(Fact::HeadcountFte, number, words),
            Some((Unit::Staff, words)) => {
                let team = self.reads(Fact::TeamSize) && self.in_a_team(number);
                let fact = if team {
                    Fact::TeamSize
                } else {
                    Fact::HeadcountFte
                };
                self.measure(fact, number, words);
            }
            Some((Unit::People, words)) => {
                let fact = self.people(number);
                self.measure(fact, number, words);
            }
            Some((Unit::Inhabitants, words)) => self.measure(Fact::Population, number, words),
            Some((unit @ (Unit::Days | Unit::Weeks | Unit::Months | Unit::Years), words)) => {
                self.time(unit, number, words);
            }
            Some((unit @ (Unit::Structures | Unit::Organisations | Unit::Partners), words)) => {
                self.structures(unit, number, words);
            }
            None => {
                let words = number.words.clone();
                let year = number.plain && (1000.0..=2200.0).contains(&number.value);
                let led = self.near(&about.creation, number, 12, 3) || self.asked(Fact::CreatedOn);
                let past = number.value <= f64::from(self.situation.today.year());
                let alone = self.reads(Fact::CreatedOn) && past && number.value > 1800.0;
                if year && (led || alone) {
                    self.tell(Fact::CreatedOn, format!("{:04}", number.value), words);
                } else if self.is_a_code(number) {
                    // "c'était 14366, Lisieux": the place is told beside it.
                } else if let Some(fact) = self.bare(number) {
                    self.measure(fact, number, words);
                }
            }
        }
    }

    /// What people are counted for: a team, where the programme asks for one.
    fn people(&self, number: &Number) -> Fact {
        let team = self.asked(Fact::TeamSize)
            || (self.reads(Fact::TeamSize) && !self.reads(Fact::HeadcountFte))
            || (self.in_a_team(number) && !self.reads(Fact::HeadcountFte));
        if team {
            Fact::TeamSize
        } else {
            Fact::HeadcountFte
        }
    }

    fn in_a_team(&self, number: &Number) -> bool {
        self.near(&self.telling.about.team, number, 4, 4)
    }

    fn we_are(&self, number: &Number) -> bool {
        let before = self.message.before(number.words.start, 4);
        self.message
            .all(&self.telling.we_are, before)
            .iter()
            .any(|r| r.end + 1 >= number.words.start)
    }

    /// What a number without a unit is of: what was asked, or who speaks, or what was last counted.
    fn bare(&self, number: &Number) -> Option<Fact> {
        const COUNTED: [Fact; 5] = [
            Fact::HeadcountFte,
            Fact::Population,
            Fact::NormandyStructureCount,
            Fact::DurationMonths,
            Fact::TeamSize,
        ];
        let message = self.message;
        if let Some(asked) = self.situation.asked.filter(|f| COUNTED.contains(f))
            && message.words.len() <= 12
        {
            return Some(asked);
        }
        let population = message
            .before(number.words.start, 3)
            .any(|i| message.words[i].text == "population");
        if population {
            return Some(Fact::Population);
        }
        let team = message
            .before(number.words.start, 2)
            .any(|i| matches!(message.words[i].text.as_str(), "equipe" | "team"));
        let contest = self.reads(Fact::TeamSize);
        if team && contest {
            return Some(Fact::TeamSize);
        }
        let last = self
            .situation
            .before
            .iter()
            .rev()
            .map(|t| t.fact)
            .find(|f| COUNTED.contains(f));
        if self.we_are(number) {
            return Some(if contest {
                Fact::TeamSize
            } else {
                last.unwrap_or(Fact::HeadcountFte)
            });
        }
        last.filter(|_| message.words.len() <= 10)
    }

    /// A number for a fact, when it is exact or no bound is near.
    fn measure(&mut self, fact: Fact, number: &Number, words: Range<usize>) {
        let value = number.value;
        let rules = &self.corpus.rules;
        let between = |low: f64, high: f64| {
            let mut bounds = rules.iter().flat_map(|r| r.bounds(fact));
            bounds.any(|b| (low..=high).contains(&b))
        };
        let vague = match number.exactness {
            Exactness::Exact => false,
            Exactness::About => between(value * 0.8, value * 1.25),
            Exactness::Above => between(value, f64::INFINITY),
            Exactness::Below => between(0.0, value),
            Exactness::Between => true,
        };
        if vague {
            let words = self.message.typed(self.widened(words)).to_owned();
            self.doubts.push(Doubt::Vague { fact, words });
        } else {
            self.tell(fact, numeric(value), words);
        }
    }

    /// With the words before that make a number vague.
    fn widened(&self, words: Range<usize>) -> Range<usize> {
        let doubt = &self.telling.doubt;
        let before = self.message.before(words.start, 3);
        let lists = [&doubt.about, &doubt.above, &doubt.below];
        let starts = lists
            .iter()
            .flat_map(|l| self.message.all(l, before.clone()))
            .filter(|r| r.end == words.start);
        let start = starts.map(|r| r.start).min().unwrap_or(words.start);
        let article = start > 0 && self.message.words[start - 1].text == "une";
        start - usize::from(article)..words.end
    }

    /// "deux structures normandes", "avec trois partenaires": the speaker is one of the first, and not of the second.
    fn structures(&mut self, unit: Unit, number: &Number, words: Range<usize>) {
        let message = self.message;
        let asked = self.asked(Fact::NormandyStructureCount);
        if !(asked || self.reads(Fact::NormandyStructureCount)) {
            return;
        }
        let with = message.words[message.before(number.words.start, 3)]
            .iter()
            .any(|w| matches!(w.text.as_str(), "avec" | "with" | "et" | "and"));
        let tail = words.end..(words.end + 5).min(message.clause(words.start).end);
        let place = self.place_in(tail.clone());
        let norman = place == Some(true)
            || !message
                .all(&self.telling.partner.norman_word, tail)
                .is_empty();
        let counts = match unit {
            Unit::Organisations => asked || norman,
            _ => place != Some(false),
        };
        if !counts {
            return;
        }
        // "un projet avec deux structures normandes" counts all of them, "avec deux partenaires" not the speaker.
        let others = match unit {
            Unit::Structures => false,
            Unit::Partners => with || !self.we_are(number),
            _ => with,
        };
        let value = number.value + if others { 1.0 } else { 0.0 };
        if number.exactness == Exactness::Exact {
            self.partners = words.clone();
            self.tell(Fact::NormandyStructureCount, numeric(value), words);
        } else {
            self.measure(Fact::NormandyStructureCount, number, words);
        }
    }

    /// A length of time: the age of an organisation, or the length of a project.
    fn time(&mut self, unit: Unit, number: &Number, words: Range<usize>) {
        let about = &self.telling.about;
        let ago = self
            .message
            .before(number.words.start, 3)
            .any(|i| matches!(self.message.words[i].text.as_str(), "depuis" | "since"))
            || self.near(&about.creation, number, 5, 4);
        let has = self.message.before(number.words.start, 2).any(|i| {
            matches!(
                self.message.words[i].text.as_str(),
                "a" | "ont" | "avons" | "has" | "is"
            )
        });
        let age = self.asked(Fact::CreatedOn)
            || (unit == Unit::Years && (ago || has))
            || (unit == Unit::Months && ago && !self.asked(Fact::DurationMonths));
        if age {
            let today = self.situation.today;
            #[expect(clippy::cast_possible_truncation, reason = "bounded just below")]
            let count = number.value.clamp(0.0, 2000.0).trunc() as i16;
            match unit {
                Unit::Years if number.value >= 0.0 => {
                    let year = today.year().saturating_sub(count);
                    self.tell(Fact::CreatedOn, format!("{year:04}"), words);
                }
                Unit::Months if number.value >= 0.0 => {
                    let day = today.saturating_sub(jiff::Span::new().months(i32::from(count)));
                    self.tell(
                        Fact::CreatedOn,
                        format!("{:04}-{:02}", day.year(), day.month()),
                        words,
                    );
                }
                _ => {}
            }
            return;
        }
        // A project that is judged on its length is what the months are of.
        let concerned = self.asked(Fact::DurationMonths)
            || (self.reads(Fact::DurationMonths)
                && (unit == Unit::Months || self.near(&about.duration, number, 8, 6)));
        if concerned {
            let months = match unit {
                Unit::Days => number.value * 12.0 / 365.25,
                Unit::Weeks => number.value * 84.0 / 365.25,
                Unit::Years => number.value * 12.0,
                _ => number.value,
            };
            let months = (months * 100.0).round() / 100.0;
            let number = Number {
                value: months,
                date: None,
                words: number.words.clone(),
                ..*number
            };
            self.measure(Fact::DurationMonths, &number, words);
        }
    }

    /// The day of a creation, or of an application.
    fn date(&mut self, number: &Number) {
        let Some((year, month, day)) = number.date else {
            return;
        };
        let about = &self.telling.about;
        let before = self.message.before(number.words.start, 12);
        let last = |phrases: &[Phrase]| {
            self.message
                .all(phrases, before.clone())
                .last()
                .map(|r| r.start)
        };
        let (creation, filing) = (last(&about.creation), last(&about.filing));
        let creation_after = self.near(&about.creation, number, 0, 4);
        let is_filing = filing > creation && !self.asked(Fact::CreatedOn);
        if is_filing && year > 0 && day > 0 {
            self.tell(
                Fact::ApplicationDate,
                written(year, month, day),
                number.words.clone(),
            );
        } else if (creation.is_some() || creation_after || self.asked(Fact::CreatedOn))
            && !is_filing
            && let Some(text) = self.completed(year, month, day)
        {
            self.tell(Fact::CreatedOn, text, number.words.clone());
        }
    }

    /// A day or a month without its year completes what was told before.
    fn completed(&self, year: u16, month: u8, day: u8) -> Option<String> {
        if year > 0 {
            return Some(written(year, month, day));
        }
        let year = self
            .value(Fact::CreatedOn)?
            .as_str()?
            .get(..4)?
            .parse()
            .ok()?;
        Some(written(year, month, day))
    }

    /// "en octobre", "le 30": the month or the day of a creation told before less precisely.
    fn rest_of_a_date(&mut self) {
        if !self.asked(Fact::CreatedOn) || self.heard(Fact::CreatedOn) {
            return;
        }
        let Some(before) = self
            .value(Fact::CreatedOn)
            .and_then(Value::as_str)
            .map(str::to_owned)
        else {
            return;
        };
        let message = self.message;
        if let Some(at) =
            (0..message.words.len()).find(|i| numbers::month(&message.words[*i].text).is_some())
        {
            let month = numbers::month(&message.words[at].text).unwrap_or(1);
            if let Some(text) = self.completed(0, month, 0) {
                self.tell(Fact::CreatedOn, text, at..at + 1);
            }
        } else if before.len() == 7
            && let Some(number) = message
                .numbers
                .iter()
                .find(|n| (1.0..=31.0).contains(&n.value))
        {
            self.tell(
                Fact::CreatedOn,
                format!("{before}-{:02}", number.value),
                number.words.clone(),
            );
        }
    }

    /// Expenses, by what they are spent on; and aid already received.
    fn costs(&mut self, amounts: &[&Number]) {
        let about = &self.telling.about;
        let message = self.message;
        let mut lines: Vec<(Value, Range<usize>)> = Vec::new();
        for (i, number) in amounts.iter().enumerate() {
            let clause = message.clause(number.words.start);
            if !message.all(&about.minimis, clause.clone()).is_empty()
                || self.asked(Fact::DeMinimisReceivedEur)
            {
                self.tell(
                    Fact::DeMinimisReceivedEur,
                    numeric(number.value),
                    number.words.clone(),
                );
                continue;
            }
            let concerned = self.asked(Fact::Budget)
                || self
                    .situation
                    .programme
                    .is_some_and(|p| self.gives_a_grant(p));
            let costs = !message.all(&about.costs, 0..message.words.len()).is_empty()
                || !message
                    .all(&about.eligible_costs, clause.clone())
                    .is_empty();
            if !concerned
                || !(costs || self.asked(Fact::Budget))
                || self.near(&about.not_costs, number, 5, 4)
            {
                continue;
            }
            if self.near(&about.with_tax, number, 0, 4) {
                let words = message.typed(number.words.clone()).to_owned();
                self.doubts.push(Doubt::WithTax { words });
                continue;
            }
            // What follows the amount says what it is, up to the next amount; else what precedes it.
            let next = amounts
                .get(i + 1)
                .map_or(clause.end, |n| n.words.start.min(clause.end));
            let previous = i
                .checked_sub(1)
                .map_or(clause.start, |p| amounts[p].words.end.max(clause.start));
            let after = self.cost_kind(number.words.end..next);
            let (kind, label) = match after.or_else(|| self.cost_kind(previous..number.words.start))
            {
                Some((kind, words)) => (kind, message.typed(words).to_owned()),
                None => (
                    CostKind::Services,
                    self.corpus
                        .messages
                        .say("told_costs", self.situation.language, &[]),
                ),
            };
            lines.push((
                json!({ "kind": kind, "label": label, "amount_eur": numeric(number.value) }),
                number.words.clone(),
            ));
        }
        let (Some(first), Some(last)) = (lines.first(), lines.last()) else {
            return;
        };
        let span = first.1.start..last.1.end;
        let new: Vec<Value> = lines.iter().map(|(line, _)| line.clone()).collect();
        // A line of another kind than those told now stays as it was.
        let kept = match self.value(Fact::Budget) {
            Some(Value::Array(old)) if !self.asked(Fact::Budget) => old
                .iter()
                .filter(|o| !new.iter().any(|n| n["kind"] == o["kind"]))
                .cloned()
                .collect(),
            _ => Vec::new(),
        };
        let all: Vec<Value> = kept.into_iter().chain(new).collect();
        self.tell(Fact::Budget, all, span);
    }

    fn gives_a_grant(&self, programme: &str) -> bool {
        let rules = self.corpus.rules_of(programme);
        rules.is_some_and(|r| matches!(r.aid.gives, Gives::Grant { .. }))
    }

    /// What an amount is spent on, and the words that say so: the nearest, the most telling first.
    fn cost_kind(&self, range: Range<usize>) -> Option<(CostKind, Range<usize>)> {
        let found = self.telling.costs.iter().flat_map(|c| {
            let all = self.message.all(&c.said, range.clone());
            all.into_iter().map(|words| (c.kind, words))
        });
        found.max_by_key(|(_, words)| (words.len(), usize::MAX - words.start))
    }
}

/// A number as JSON: whole where it is.
#[expect(clippy::cast_possible_truncation, reason = "whole and far under 2^53")]
fn numeric(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        json!(value as i64)
    } else {
        json!(value)
    }
}

/// A date as the contract writes it, as precise as it is known.
fn written(year: u16, month: u8, day: u8) -> String {
    if day > 0 {
        format!("{year:04}-{month:02}-{day:02}")
    } else {
        format!("{year:04}-{month:02}")
    }
}
