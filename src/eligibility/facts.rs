//! Facts at the door: JSON becomes values that can be trusted, or every fault is named at once.
//!
//! Nothing is dropped in silence and nothing is mended: a fact that is unknown, impossible or in
//! contradiction with another is refused by name, with what was expected.

use std::fmt;

use jiff::ToSpan;
use jiff::civil::Date;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Number, Value, json};

use super::money::Cents;
use crate::corpus::{
    Activity, Commune, CostKind, Day, Fact, FactList, Found, OrganisationKind, Public, Territory,
};
use crate::text::language::Language;

/// Lines of a budget, at most.
const LINES: usize = 200;
/// Characters of a label, at most.
const LABEL: usize = 300;

/// What a person said of their organisation and project. All of it may be missing.
#[derive(Clone, Default, PartialEq)]
pub struct Facts {
    /// Kind of organisation.
    pub organisation_kind: Option<OrganisationKind>,
    /// Code of the department, as told.
    pub department_code: Option<String>,
    /// The commune.
    pub commune: Option<Place>,
    /// SIRET: fourteen digits whose check digits are right.
    pub siret: Option<String>,
    /// Whom the SIRET belongs to, when it is a commune or an inter-municipal body of Normandy.
    pub public_body: Option<PublicBody>,
    /// Inhabitants of the territory.
    pub population: Option<u32>,
    /// Full-time equivalents.
    pub headcount_fte: Option<f64>,
    /// What a company does.
    pub activity: Option<Activity>,
    /// When it was created.
    pub created_on: Option<Span>,
    /// The day of the application.
    pub application_date: Option<Date>,
    /// Whether one of the main uses of the project rests on an AI technology.
    pub project_uses_ai: Option<bool>,
    /// Structures of Normandy in the project, the applicant included.
    pub normandy_structure_count: Option<u32>,
    /// Months of the proof of concept.
    pub duration_months: Option<f64>,
    /// Expenses, without VAT.
    pub budget: Option<Vec<Line>>,
    /// People in the team.
    pub team_size: Option<u32>,
    /// De minimis aid received over three rolling years.
    pub de_minimis_received: Option<Cents>,
}

/// A person's facts are never printed: only which are known.
impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = Fact::ALL.into_iter().filter(|fact| self.knows(*fact));
        f.debug_list().entries(known.map(Fact::id)).finish()
    }
}

/// A commune, found.
#[derive(Clone, PartialEq)]
pub struct Place {
    /// As the person said it: a name or a code.
    pub said: String,
    /// INSEE code, when one commune only is meant.
    pub code: Option<String>,
    /// Its name.
    pub name: String,
    /// Its department, when one only is meant.
    pub department: Option<String>,
    /// Another commune of France bears the name.
    pub homonym: bool,
    /// What is known of it in Normandy.
    pub norman: Option<NormanPlace>,
}

/// What is known of a commune of Normandy.
#[derive(Clone, PartialEq)]
pub struct NormanPlace {
    /// Municipal population.
    pub population: u32,
    /// Name and municipal population of its inter-municipal body.
    pub group: Option<(String, u32)>,
}

/// A public body of Normandy.
#[derive(Clone, PartialEq)]
pub struct PublicBody {
    /// Its name.
    pub name: String,
    /// `local_authority` or `local_authority_group`.
    pub kind: OrganisationKind,
    /// Municipal population.
    pub population: u32,
    /// Its department, when it lies in one only.
    pub department: Option<String>,
}

/// A date known to the day, to the month or to the year.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first day it may be.
    pub first: Date,
    /// The last day it may be.
    pub last: Date,
    /// How it was written.
    pub known_to: Precision,
}

/// How precisely a date is known.
#[derive(Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Precision {
    Day,
    Month,
    Year,
}

/// One expense.
#[derive(Clone, PartialEq, Serialize)]
pub struct Line {
    /// Its nature.
    pub kind: CostKind,
    /// What it is, in the person's words.
    pub label: String,
    /// Euros without VAT.
    #[serde(rename = "amount_eur")]
    pub amount: Cents,
}

/// A fact that was refused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct FactFault {
    /// The key, as it was given.
    pub fact: String,
    /// What was expected.
    pub expected: String,
}

impl fmt::Display for FactFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "« {} », attendu : {}", self.fact, self.expected)
    }
}

/// Why facts were refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// Not JSON: line and column.
    NotJson(usize, usize),
    /// JSON, but not an object.
    NotAnObject,
    /// Every fault, in the order of the keys.
    Faults(Vec<FactFault>),
}

impl Facts {
    /// Reads a JSON object. `today` is the day on which an application without a date is made.
    ///
    /// # Errors
    /// [`Refused`]: all that is wrong, at once.
    pub fn read(
        text: &str,
        list: &FactList,
        territory: &Territory,
        today: Date,
    ) -> Result<Self, Refused> {
        let pairs: Pairs = serde_json::from_str(text).map_err(|e| {
            if e.is_data() {
                Refused::NotAnObject
            } else {
                Refused::NotJson(e.line(), e.column())
            }
        })?;
        let mut reader = Reader {
            list,
            territory,
            faults: Vec::new(),
        };
        let facts = reader.object(pairs.0, today);
        if reader.faults.is_empty() {
            Ok(facts)
        } else {
            Err(Refused::Faults(reader.faults))
        }
    }

    /// Whether something was said of this fact.
    #[must_use]
    pub fn knows(&self, fact: Fact) -> bool {
        match fact {
            Fact::OrganisationKind => self.organisation_kind.is_some(),
            Fact::DepartmentCode => self.department_code.is_some(),
            Fact::Commune => self.commune.is_some(),
            Fact::Siret => self.siret.is_some(),
            Fact::Population => self.population.is_some(),
            Fact::HeadcountFte => self.headcount_fte.is_some(),
            Fact::Activity => self.activity.is_some(),
            Fact::CreatedOn => self.created_on.is_some(),
            Fact::ApplicationDate => self.application_date.is_some(),
            Fact::ProjectUsesAi => self.project_uses_ai.is_some(),
            Fact::NormandyStructureCount => self.normandy_structure_count.is_some(),
            Fact::DurationMonths => self.duration_months.is_some(),
            Fact::Budget => self.budget.is_some(),
            Fact::TeamSize => self.team_size.is_some(),
            Fact::DeMinimisReceivedEur => self.de_minimis_received.is_some(),
        }
    }

    /// The department, told or that of the commune.
    #[must_use]
    pub fn department(&self) -> Option<&str> {
        let of_commune = self.commune.as_ref().and_then(|c| c.department.as_deref());
        self.department_code.as_deref().or(of_commune)
    }

    /// The facts as JSON: what [`Facts::read`] reads again to the same value.
    #[must_use]
    pub fn document(&self) -> Value {
        let mut object = serde_json::Map::new();
        let mut put = |fact: Fact, value: Option<Value>| {
            if let Some(value) = value {
                object.insert(fact.id().to_owned(), value);
            }
        };
        put(
            Fact::OrganisationKind,
            self.organisation_kind.map(|k| json!(k)),
        );
        put(
            Fact::DepartmentCode,
            self.department_code.as_ref().map(|d| json!(d)),
        );
        let commune = |c: &Place| json!(c.said);
        put(Fact::Commune, self.commune.as_ref().map(commune));
        put(Fact::Siret, self.siret.as_ref().map(|s| json!(s)));
        put(Fact::Population, self.population.map(|p| json!(p)));
        put(Fact::HeadcountFte, self.headcount_fte.map(|h| json!(h)));
        put(Fact::Activity, self.activity.map(|a| json!(a)));
        put(Fact::CreatedOn, self.created_on.map(|s| json!(s.written())));
        put(
            Fact::ApplicationDate,
            self.application_date.map(|d| json!(d)),
        );
        put(Fact::ProjectUsesAi, self.project_uses_ai.map(|b| json!(b)));
        put(
            Fact::NormandyStructureCount,
            self.normandy_structure_count.map(|n| json!(n)),
        );
        put(Fact::DurationMonths, self.duration_months.map(|m| json!(m)));
        put(Fact::Budget, self.budget.as_ref().map(|b| json!(b)));
        put(Fact::TeamSize, self.team_size.map(|n| json!(n)));
        put(
            Fact::DeMinimisReceivedEur,
            self.de_minimis_received.map(|c| json!(c)),
        );
        Value::Object(object)
    }
}

impl Span {
    /// A date written to the day, the month or the year; `None` when there is no such date.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = |part: &str, length: usize| {
            (part.len() == length && part.bytes().all(|b| b.is_ascii_digit()))
                .then(|| part.parse::<i16>().ok())
                .flatten()
        };
        let small = |part: &str| digits(part, 2).and_then(|n| i8::try_from(n).ok());
        let mut parts = text.split('-');
        let year = digits(parts.next()?, 4)?;
        let (first, last, known_to) = match (parts.next(), parts.next(), parts.next()) {
            (None, ..) => (
                Date::new(year, 1, 1).ok()?,
                Date::new(year, 12, 31).ok()?,
                Precision::Year,
            ),
            (Some(month), None, _) => {
                let first = Date::new(year, small(month)?, 1).ok()?;
                (first, first.last_of_month(), Precision::Month)
            }
            (Some(month), Some(day), None) => {
                let day = Date::new(year, small(month)?, small(day)?).ok()?;
                (day, day, Precision::Day)
            }
            _ => return None,
        };
        Some(Self {
            first,
            last,
            known_to,
        })
    }

    /// The date as it was written.
    #[must_use]
    pub fn written(self) -> String {
        match self.known_to {
            Precision::Day => self.first.to_string(),
            Precision::Month => format!("{:04}-{:02}", self.first.year(), self.first.month()),
            Precision::Year => format!("{:04}", self.first.year()),
        }
    }

    /// The date as precise as it is known, with its preposition: "le 12 mars 2019", "en mars 2019", "en 2019".
    #[must_use]
    pub fn spelled(self, language: Language) -> String {
        let day = Day(self.first).spelled(language);
        let (_, month_and_year) = day.split_once(' ').unwrap_or(("", &day));
        let year = self.first.year();
        match (self.known_to, language) {
            (Precision::Day, Language::Fr) => format!("le {day}"),
            (Precision::Day, Language::En) => format!("on {day}"),
            (Precision::Month, Language::Fr) => format!("en {month_and_year}"),
            (Precision::Month, Language::En) => format!("in {month_and_year}"),
            (Precision::Year, Language::Fr) => format!("en {year}"),
            (Precision::Year, Language::En) => format!("in {year}"),
        }
    }

    /// The span in which so many years are reached: a 29 February counts to the last day of February.
    #[must_use]
    pub fn plus_years(self, years: i16) -> (Date, Date) {
        let later = |day: Date| day.saturating_add(years.years());
        (later(self.first), later(self.last))
    }
}

/// The keys and values of a JSON object, repeated ones included.
struct Pairs(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Pairs;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Keys)
    }
}

struct Reader<'a> {
    list: &'a FactList,
    territory: &'a Territory,
    faults: Vec<FactFault>,
}

impl Reader<'_> {
    fn object(&mut self, pairs: Vec<(String, Value)>, today: Date) -> Facts {
        let mut facts = Facts::default();
        let mut commune = None;
        let mut seen: Vec<Fact> = Vec::new();
        for (key, value) in pairs {
            let Some(fact) = Fact::ALL.into_iter().find(|f| f.id() == key) else {
                let known: Vec<&str> = Fact::ALL.into_iter().map(Fact::id).collect();
                self.fault(&key, format!("l’un des faits {}", known.join(", ")));
                continue;
            };
            if seen.contains(&fact) {
                self.fault(&key, "une seule valeur ; il y en a deux".to_owned());
                continue;
            }
            seen.push(fact);
            // JSON's null says what a missing key says.
            if value.is_null() {
                continue;
            }
            match fact {
                Fact::OrganisationKind => facts.organisation_kind = self.listed(fact, &value),
                Fact::Activity => facts.activity = self.listed(fact, &value),
                Fact::DepartmentCode => facts.department_code = self.department(&value),
                Fact::Commune => commune = self.text(fact, &value),
                Fact::Siret => facts.siret = self.siret(&value),
                Fact::Population => facts.population = self.count(fact, &value),
                Fact::NormandyStructureCount => {
                    facts.normandy_structure_count = self.count(fact, &value);
                }
                Fact::TeamSize => facts.team_size = self.count(fact, &value),
                Fact::HeadcountFte => facts.headcount_fte = self.decimal(fact, &value),
                Fact::DurationMonths => facts.duration_months = self.decimal(fact, &value),
                Fact::CreatedOn => facts.created_on = self.date(fact, &value),
                Fact::ApplicationDate => {
                    let day = self.date(fact, &value);
                    facts.application_date = day.map(|span| span.first);
                }
                Fact::ProjectUsesAi => {
                    facts.project_uses_ai = value.as_bool();
                    if facts.project_uses_ai.is_none() {
                        self.unexpected(fact);
                    }
                }
                Fact::Budget => facts.budget = self.budget(&value),
                Fact::DeMinimisReceivedEur => {
                    facts.de_minimis_received = self.amount(fact, &value);
                    if facts.de_minimis_received.is_none() {
                        self.unexpected(fact);
                    }
                }
            }
        }
        if let Some(said) = commune {
            facts.commune = self.place(&said, facts.department_code.as_deref());
        }
        self.public_body(&mut facts);
        let day = facts.application_date.unwrap_or(today);
        if facts.created_on.is_some_and(|c| c.first > day) {
            self.fault(
                Fact::CreatedOn.id(),
                format!(
                    "une date qui ne suit pas celle de la demande, le {}",
                    Day(day).spelled(Language::Fr)
                ),
            );
        }
        facts
    }

    fn fault(&mut self, key: &str, expected: String) {
        self.faults.push(FactFault {
            fact: key.to_owned(),
            expected,
        });
    }

    fn expected(&self, fact: Fact) -> String {
        let entry = self.list.get(fact);
        entry.map_or_else(String::new, |f| f.expected(Language::Fr))
    }

    fn unexpected(&mut self, fact: Fact) {
        let expected = self.expected(fact);
        self.fault(fact.id(), expected);
    }

    fn bounds(&self, fact: Fact) -> (f64, f64) {
        self.list.get(fact).map_or((0.0, 0.0), |f| (f.min, f.max))
    }

    fn listed<T: DeserializeOwned>(&mut self, fact: Fact, value: &Value) -> Option<T> {
        let read = T::deserialize(value).ok();
        if read.is_none() {
            self.unexpected(fact);
        }
        read
    }

    fn text(&mut self, fact: Fact, value: &Value) -> Option<String> {
        let text = value.as_str().map(str::trim).filter(|t| !t.is_empty());
        if text.is_none() {
            self.unexpected(fact);
        }
        text.map(str::to_owned)
    }

    fn decimal(&mut self, fact: Fact, value: &Value) -> Option<f64> {
        let (min, max) = self.bounds(fact);
        let read = value.as_f64().filter(|n| (min..=max).contains(n));
        if read.is_none() {
            self.unexpected(fact);
        }
        read
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole, not negative, and bounded by facts.toml, which the checker holds under 2^32"
    )]
    fn count(&mut self, fact: Fact, value: &Value) -> Option<u32> {
        let (min, max) = self.bounds(fact);
        let whole = |n: &f64| (min..=max).contains(n) && n.fract() == 0.0;
        let read = value.as_f64().filter(whole);
        if read.is_none() {
            self.unexpected(fact);
        }
        read.map(|n| n as u32)
    }

    fn date(&mut self, fact: Fact, value: &Value) -> Option<Span> {
        let (min, max) = self.bounds(fact);
        let read = value.as_str().and_then(Span::parse).filter(|span| {
            let to_the_day = fact != Fact::ApplicationDate || span.known_to == Precision::Day;
            to_the_day && (min..=max).contains(&f64::from(span.first.year()))
        });
        if read.is_none() {
            self.unexpected(fact);
        }
        read
    }

    fn amount(&self, fact: Fact, value: &Value) -> Option<Cents> {
        let (min, max) = self.bounds(fact);
        let number: &Number = value.as_number()?;
        let in_range = number.as_f64().is_some_and(|n| (min..=max).contains(&n));
        Cents::of_decimal(&number.to_string()).filter(|_| in_range)
    }

    fn budget(&mut self, value: &Value) -> Option<Vec<Line>> {
        let fact = Fact::Budget;
        let Some(lines) = value.as_array().filter(|l| l.len() <= LINES) else {
            self.unexpected(fact);
            return None;
        };
        let mut read = Vec::new();
        for (i, line) in lines.iter().enumerate() {
            let at = |key: &str| format!("budget[{i}].{key}");
            let Some(object) = line.as_object() else {
                let expected = self.expected(fact);
                self.fault(&format!("budget[{i}]"), expected);
                continue;
            };
            for key in object.keys() {
                if !["kind", "label", "amount_eur"].contains(&key.as_str()) {
                    self.fault(
                        &at(key),
                        "clé inconnue ; une ligne a « kind », « label » et « amount_eur »"
                            .to_owned(),
                    );
                }
            }
            let kind = object
                .get("kind")
                .and_then(|k| CostKind::deserialize(k).ok());
            let amount = object.get("amount_eur").and_then(|a| self.amount(fact, a));
            let label = match object.get("label") {
                None | Some(Value::Null) => Some(String::new()),
                Some(label) => label
                    .as_str()
                    .filter(|l| l.chars().count() <= LABEL)
                    .map(str::to_owned),
            };
            let expected = self.expected(fact);
            let wrong = [
                ("kind", kind.is_none()),
                ("label", label.is_none()),
                ("amount_eur", amount.is_none()),
            ];
            for (key, _) in wrong.into_iter().filter(|(_, wrong)| *wrong) {
                let text = match key {
                    "label" => format!("un texte de {LABEL} caractères au plus"),
                    _ => expected.clone(),
                };
                self.fault(&at(key), text);
            }
            if let (Some(kind), Some(label), Some(amount)) = (kind, label, amount) {
                read.push(Line {
                    kind,
                    label,
                    amount,
                });
            }
        }
        Some(read)
    }

    fn department(&mut self, value: &Value) -> Option<String> {
        let code = value.as_str().map(|c| c.trim().to_uppercase());
        let known = code.filter(|c| self.territory.department(c).is_some());
        if known.is_none() {
            self.unexpected(Fact::DepartmentCode);
        }
        known
    }

    fn siret(&mut self, value: &Value) -> Option<String> {
        let digits = value.as_str().and_then(siret);
        if digits.is_none() {
            self.unexpected(Fact::Siret);
        }
        digits
    }

    fn place(&mut self, said: &str, department: Option<&str>) -> Option<Place> {
        let territory = self.territory;
        let named = |communes: &[&Commune]| {
            let names = communes.iter().take(8);
            let names = names.map(|c| format!("{} ({}, code {})", c.name, c.department, c.code));
            names.collect::<Vec<_>>().join(" ; ")
        };
        match territory.commune(said, department) {
            Found::One { commune, elsewhere } => Some(place(territory, said, commune, elsewhere)),
            Found::Away(communes) => Some(Place {
                said: said.to_owned(),
                code: None,
                name: communes.first().map_or(said, |c| &c.name).to_owned(),
                department: None,
                homonym: false,
                norman: None,
            }),
            Found::Several(communes) => {
                let expected = format!(
                    "le code Insee d’une commune ; plusieurs portent ce nom : {}",
                    named(&communes)
                );
                self.fault(Fact::Commune.id(), expected);
                None
            }
            Found::NotThere(communes) => {
                let told = department.unwrap_or_default();
                let expected = format!(
                    "une commune du département {told}, celui de « department_code » ; celle-ci est : {}",
                    named(&communes)
                );
                self.fault(Fact::Commune.id(), expected);
                None
            }
            Found::Unknown => {
                let of_postcode = territory.by_postcode(said);
                let expected = self.expected(Fact::Commune);
                let hint = if of_postcode.is_empty() {
                    String::new()
                } else {
                    format!(
                        " ; c’est un code postal, celui de : {}",
                        named(&of_postcode)
                    )
                };
                self.fault(Fact::Commune.id(), format!("{expected}{hint}"));
                None
            }
        }
    }

    /// A SIRET of a public body of Normandy says where it is, which must not contradict the department told.
    fn public_body(&mut self, facts: &mut Facts) {
        let siren = facts.siret.as_deref().and_then(|s| s.get(..9));
        let Some(public) = siren.and_then(|s| self.territory.by_siren(s)) else {
            return;
        };
        let (body, departments) = match public {
            Public::Commune(commune) => (
                PublicBody {
                    name: commune.name.to_string(),
                    kind: OrganisationKind::LocalAuthority,
                    population: commune.norman.as_ref().map_or(0, |n| n.population),
                    department: Some(commune.department.to_string()),
                },
                vec![commune.department.to_string()],
            ),
            Public::Body(body) => {
                let departments: Vec<String> =
                    body.departments.iter().map(ToString::to_string).collect();
                let only = (departments.len() == 1).then(|| departments[0].clone());
                (
                    PublicBody {
                        name: body.name.to_string(),
                        kind: OrganisationKind::LocalAuthorityGroup,
                        population: body.population,
                        department: only,
                    },
                    departments,
                )
            }
        };
        let told = facts.department();
        // A body that reaches over the border of Normandy may well be told of its other department.
        let contradicted = body.kind == OrganisationKind::LocalAuthority
            && told.is_some_and(|d| !departments.iter().any(|other| other == d));
        if contradicted {
            let expected = format!(
                "un SIRET du lieu donné ; celui-ci est celui de {}, dans le département {}",
                body.name,
                departments.join(", ")
            );
            self.fault(Fact::Siret.id(), expected);
            return;
        }
        facts.public_body = Some(body);
    }
}

fn place(territory: &Territory, said: &str, commune: &Commune, homonym: bool) -> Place {
    let norman = commune.norman.as_ref().map(|n| NormanPlace {
        population: n.population,
        group: match territory.by_siren(&n.body) {
            Some(Public::Body(body)) => Some((body.name.to_string(), body.population)),
            _ => None,
        },
    });
    Place {
        said: said.to_owned(),
        code: Some(commune.code.to_string()),
        name: commune.name.to_string(),
        department: Some(commune.department.to_string()),
        homonym,
        norman,
    }
}

/// The fourteen digits of a SIRET, spaces left out, when its check digits are right.
///
/// The key is Luhn's, for the SIREN and for the whole. The establishments of La Poste have one of their own:
/// their digits add up to a multiple of five.
#[must_use]
pub fn siret(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if digits.len() != 14 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let of_la_poste = digits.starts_with("356000000")
        && digits
            .bytes()
            .map(|b| u32::from(b - b'0'))
            .sum::<u32>()
            .is_multiple_of(5);
    let zeros = digits.bytes().all(|b| b == b'0');
    let sound = luhn(&digits[..9]) && (luhn(&digits) || of_la_poste) && !zeros;
    sound.then_some(digits)
}

fn luhn(digits: &str) -> bool {
    let doubled = |(i, b): (usize, u8)| {
        let digit = u32::from(b - b'0');
        match i % 2 {
            0 => digit,
            _ if digit > 4 => digit * 2 - 9,
            _ => digit * 2,
        }
    };
    let sum: u32 = digits.bytes().rev().enumerate().map(doubled).sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_of_a_siret() {
        for (text, right) in [
            ("20005340300016", true), // Région Normandie
            ("200 053 403 00016", true),
            ("20005340300017", false),
            ("2000534030001", false),
            ("35600000000048", true), // La Poste, head office: Luhn's key
            ("35600000049837", true), // an establishment of La Poste: digits add up to 45
            ("35600000049838", false),
            ("00000000000000", false),
            ("2000534030001x", false),
        ] {
            assert_eq!(siret(text).is_some(), right, "{text}");
        }
    }

    #[test]
    fn dates_are_spans_and_exist() {
        let read =
            |text: &str| Span::parse(text).map(|s| (s.first.to_string(), s.last.to_string()));
        let span = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        assert_eq!(read("2021"), span("2021-01-01", "2021-12-31"));
        assert_eq!(read("2024-02"), span("2024-02-01", "2024-02-29"));
        assert_eq!(read("2024-02-29"), span("2024-02-29", "2024-02-29"));
        for wrong in [
            "2023-02-29",
            "2021-13",
            "21",
            "2021-1",
            "2021-1-1",
            "2021-01-01-01",
            "",
            "-2021",
            "+021",
            "2021-00-01",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        let leap = Span::parse("2020-02-29").map(|s| s.plus_years(5).0.to_string());
        assert_eq!(leap.as_deref(), Some("2025-02-28"));
    }
}
