//! The rules of a programme: what its file says under `[[rules]]`, `[aid]`, `[[to_check]]`…, resolved.
//!
//! A rule rests on a statement, whose quotation it carries. Applying rules to facts is the business of
//! `eligibility`.

mod compile;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::statement::{Day, Prose};
use crate::text::language::Language;

pub(super) use compile::{
    AidEntry, DeMinimisEntry, DoorEntry, GridEntry, RuleEntry, ToCheckEntry, compile,
};
pub use compile::{Covered, Sentence};

/// What a condition is about. The order is that of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Criterion {
    /// The programme is open on the day.
    Opening,
    /// Established in Normandy.
    Location,
    /// The kind of organisation.
    Beneficiary,
    /// Inhabitants of the territory.
    Population,
    /// Full-time equivalents.
    Headcount,
    /// Years of existence.
    Age,
    /// Production, service, other.
    Activity,
    /// Norman structures in the project.
    Partnership,
    /// The project rests on an AI technology.
    Ai,
    /// Months of the proof of concept.
    Duration,
    /// People in the team.
    Team,
}

/// The closed list of facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "`corpus/facts.toml` says what each is")]
pub enum Fact {
    OrganisationKind,
    DepartmentCode,
    Commune,
    Siret,
    Population,
    HeadcountFte,
    Activity,
    CreatedOn,
    ApplicationDate,
    ProjectUsesAi,
    NormandyStructureCount,
    DurationMonths,
    Budget,
    TeamSize,
    DeMinimisReceivedEur,
}

impl Fact {
    /// All of them, in the order of the contract.
    pub const ALL: [Self; 15] = [
        Self::OrganisationKind,
        Self::DepartmentCode,
        Self::Commune,
        Self::Siret,
        Self::Population,
        Self::HeadcountFte,
        Self::Activity,
        Self::CreatedOn,
        Self::ApplicationDate,
        Self::ProjectUsesAi,
        Self::NormandyStructureCount,
        Self::DurationMonths,
        Self::Budget,
        Self::TeamSize,
        Self::DeMinimisReceivedEur,
    ];

    /// Its name outside: `headcount_fte`.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::OrganisationKind => "organisation_kind",
            Self::DepartmentCode => "department_code",
            Self::Commune => "commune",
            Self::Siret => "siret",
            Self::Population => "population",
            Self::HeadcountFte => "headcount_fte",
            Self::Activity => "activity",
            Self::CreatedOn => "created_on",
            Self::ApplicationDate => "application_date",
            Self::ProjectUsesAi => "project_uses_ai",
            Self::NormandyStructureCount => "normandy_structure_count",
            Self::DurationMonths => "duration_months",
            Self::Budget => "budget",
            Self::TeamSize => "team_size",
            Self::DeMinimisReceivedEur => "de_minimis_received_eur",
        }
    }
}

impl Criterion {
    /// The fact that it reads.
    #[must_use]
    pub fn fact(self) -> Fact {
        match self {
            Self::Opening => Fact::ApplicationDate,
            Self::Location => Fact::DepartmentCode,
            Self::Beneficiary => Fact::OrganisationKind,
            Self::Population => Fact::Population,
            Self::Headcount => Fact::HeadcountFte,
            Self::Age => Fact::CreatedOn,
            Self::Activity => Fact::Activity,
            Self::Partnership => Fact::NormandyStructureCount,
            Self::Ai => Fact::ProjectUsesAi,
            Self::Duration => Fact::DurationMonths,
            Self::Team => Fact::TeamSize,
        }
    }
}

/// Kinds of organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "`corpus/facts.toml` names each")]
pub enum OrganisationKind {
    Company,
    Association,
    LocalAuthority,
    LocalAuthorityGroup,
    PublicEstablishment,
    PrivateEstablishment,
    HealthEstablishment,
    Individual,
}

impl OrganisationKind {
    /// All of them, in the order of the contract.
    pub const ALL: [Self; 8] = [
        Self::Company,
        Self::Association,
        Self::LocalAuthority,
        Self::LocalAuthorityGroup,
        Self::PublicEstablishment,
        Self::PrivateEstablishment,
        Self::HealthEstablishment,
        Self::Individual,
    ];
}

/// What a company does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "`corpus/facts.toml` names each")]
pub enum Activity {
    Production,
    Service,
    Other,
}

/// Natures of expense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "`corpus/facts.toml` names each")]
pub enum CostKind {
    Personnel,
    PermanentPublicStaff,
    IntellectualServices,
    Services,
    Licences,
    Consumables,
    Equipment,
    Other,
}

/// The same words in both languages: `[French, English]` in the files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(from = "[String; 2]")]
pub struct Pair {
    fr: String,
    en: String,
}

impl From<[String; 2]> for Pair {
    fn from([fr, en]: [String; 2]) -> Self {
        Self { fr, en }
    }
}

impl Pair {
    /// The words in one language.
    #[must_use]
    pub fn in_language(&self, language: Language) -> &str {
        language.pick(&self.fr, &self.en)
    }

    /// The words with each `{name}` replaced by its value.
    #[must_use]
    pub fn say(&self, language: Language, values: &[(&str, &str)]) -> String {
        fill(self.in_language(language), values)
    }

    /// French, then English.
    pub(super) fn both(&self) -> [&str; 2] {
        [&self.fr, &self.en]
    }
}

/// A wording with each `{name}` replaced by its value.
pub(crate) fn fill(wording: &str, values: &[(&str, &str)]) -> String {
    let mut text = wording.to_owned();
    for (name, value) in values {
        text = text.replace(&format!("{{{name}}}"), value);
    }
    text
}

/// What a rule says, by what comes of it.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Wordings {
    /// The condition is met.
    pub met: Pair,
    /// It is not.
    pub failed: Pair,
    /// It cannot be told yet.
    pub unknown: Pair,
    /// The answers that meet it.
    pub yes: Pair,
    /// The answers that do not.
    pub no: Pair,
    /// What would turn a failure, where the real world allows it.
    pub change: Option<Pair>,
    /// The same, only for a value under the least.
    pub change_below: Option<Pair>,
}

/// What a rule tests. Bounds are included.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// On or after this day.
    From(Date),
    /// In one of these departments.
    Departments(Vec<String>),
    /// One of these kinds of organisation.
    Kinds(Vec<OrganisationKind>),
    /// Anyone at all.
    Anyone,
    /// One of these activities.
    Activities(Vec<Activity>),
    /// A number between bounds.
    Range {
        /// Least.
        min: Option<f64>,
        /// Greatest.
        max: Option<f64>,
    },
    /// At least as many years, to the day.
    Years(i16),
    /// This truth value.
    Is(bool),
}

/// Where a rule or a question comes from.
#[derive(Debug, Clone, Serialize)]
pub struct Source {
    /// The passage.
    pub id: String,
    /// Where the words stand.
    pub locator: Prose,
    /// The literal words, the main ones first; empty where the source is only named.
    pub quotes: Vec<String>,
    /// Where the source can be read, when an address is known.
    pub url: Option<String>,
}

/// One condition.
#[derive(Debug, Clone, Serialize)]
pub struct Rule {
    /// What it is about.
    pub criterion: Criterion,
    /// Kinds of organisation it bears on; everyone when `None`.
    pub kinds: Option<Vec<OrganisationKind>>,
    /// What it tests.
    pub test: Test,
    /// What it says.
    pub says: Wordings,
    /// Where it comes from.
    pub source: Source,
    /// SHA-256 of each sentence of the text that it encodes.
    pub sentences: Vec<String>,
}

/// What the programme gives.
#[derive(Debug, Clone, Serialize)]
pub struct Aid {
    /// Its kind and its figures.
    pub gives: Gives,
    /// Where it comes from.
    pub source: Source,
    /// What is said of it.
    pub known: Pair,
    /// The same when the cap applies.
    pub capped: Option<Pair>,
    /// The same when the costs are not known.
    pub unknown: Option<Pair>,
    /// Added for a company.
    pub company: Option<Pair>,
    /// Why an expense that the text does not list is left out.
    pub left_out: Option<Pair>,
    /// Added when a condition is not met.
    pub if_not: Option<Pair>,
}

/// Kind and figures of an aid.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Gives {
    /// Experts' days.
    Service {
        /// At most.
        days: u32,
    },
    /// Money.
    Grant {
        /// Per cent of eligible costs.
        rate_percent: u32,
        /// At most, in cents.
        cap_cents: i64,
        /// Natures that count, and those expressly left out, with the passage that says so.
        costs: Vec<(CostKind, bool, Source)>,
    },
    /// Prizes.
    Prize {
        /// Teams that win, at most.
        teams: u32,
        /// For all of them together, in cents.
        pool_cents: i64,
    },
}

/// What is known of de minimis aid.
#[derive(Debug, Clone, Serialize)]
pub struct DeMinimis {
    /// What the text cites.
    pub source: Source,
    /// What replaced it.
    pub warning: Source,
    /// The present ceiling, in cents.
    pub ceiling_cents: i64,
    /// Over so many rolling years.
    pub years: i16,
    /// Since this day.
    pub from: Day,
}

/// The grid by which applications are judged: for people to assess their own project, never for a mark of ours.
#[derive(Debug, Clone, Serialize)]
pub struct Grid {
    /// The criteria, each with its points.
    pub criteria: Vec<GridCriterion>,
    /// Under so many points, an application is refused.
    pub floor: u32,
    /// Points in all.
    pub out_of: u32,
    /// Where the grid stands.
    pub source: Source,
    /// Where the floor does.
    pub floor_source: Source,
}

/// A criterion of the grid.
#[derive(Debug, Clone, Serialize)]
pub struct GridCriterion {
    /// Its id among the programme's statements.
    pub id: String,
    /// Its points.
    pub points: u32,
    /// The words of the text.
    pub source: Source,
}

/// A question that only a person at the Région can settle.
#[derive(Debug, Clone, Serialize)]
pub struct ToCheck {
    /// The question.
    pub question: Pair,
    /// For these kinds of organisation; everyone when `None`.
    pub kinds: Option<Vec<OrganisationKind>>,
    /// Only when this fact is given.
    pub given: Option<Fact>,
    /// Only when the value of this criterion is within so many per cent of a bound.
    pub near: Option<(Criterion, u32)>,
    /// Only when the value of this criterion is a bound.
    pub at_bound: Option<Criterion>,
    /// Where it comes from.
    pub source: Source,
}

/// Another door to knock at, named by the text.
#[derive(Debug, Clone, Serialize)]
pub struct Door {
    /// Its name.
    pub name: Pair,
    /// Where the text names it.
    pub source: Source,
}

/// The rules of a programme.
#[derive(Debug, Clone, Serialize)]
pub struct Rules {
    /// The programme.
    pub programme: String,
    /// Its name.
    pub name: String,
    /// Digest of all that follows: the version of the rules.
    pub version: String,
    /// The conditions, in order.
    pub rules: Vec<Rule>,
    /// What the programme gives.
    pub aid: Aid,
    /// De minimis aid, where the text speaks of it.
    pub de_minimis: Option<DeMinimis>,
    /// The grid by which applications are judged, where the text gives one.
    pub grid: Option<Grid>,
    /// What only a person can settle.
    pub to_check: Vec<ToCheck>,
    /// Other doors.
    pub doors: Vec<Door>,
    /// Whom to ask.
    pub contact: Prose,
    /// The same in short, as the annex prints it.
    pub contact_short: String,
}

impl Rules {
    /// Whether a rule reads this fact.
    #[must_use]
    pub fn reads(&self, fact: Fact) -> bool {
        self.rules.iter().any(|r| r.criterion.fact() == fact)
    }

    /// The bounds that rules set on a fact.
    pub fn bounds(&self, fact: Fact) -> impl Iterator<Item = f64> {
        let of_fact = self
            .rules
            .iter()
            .filter(move |r| r.criterion.fact() == fact);
        of_fact.flat_map(|r| match r.test {
            Test::Range { min, max } => [min, max].into_iter().flatten().collect(),
            _ => Vec::new(),
        })
    }

    /// The rule of a criterion.
    #[must_use]
    pub fn rule(&self, criterion: Criterion) -> Option<&Rule> {
        self.rules.iter().find(|r| r.criterion == criterion)
    }

    /// The kinds of organisation that may ask for it; `None` when it is open to anyone.
    #[must_use]
    pub fn open_to(&self) -> Option<&[OrganisationKind]> {
        match &self.rule(Criterion::Beneficiary)?.test {
            Test::Kinds(kinds) => Some(kinds),
            _ => None,
        }
    }
}
