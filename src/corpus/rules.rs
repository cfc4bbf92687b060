//! The rules of a programme: what its file says under `[[rules]]`, `[aid]`, `[[to_check]]`…, resolved.
//!
//! A rule rests on a statement, whose quotation it carries. Applying rules to facts is the business of
//! `eligibility`.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use toml::Spanned;

use super::fault::Faults;
use super::passage::Passage;
use super::programme::Programme;
use super::statement::{Day, Prose};
use super::{Corpus, hex};
use crate::text::figures::{Figure, figures};
use crate::text::language::Language;

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

/// A rule as its file writes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleEntry {
    pub criterion: Spanned<Criterion>,
    statement: String,
    kinds: Option<Vec<OrganisationKind>>,
    from: Option<Day>,
    one_of: Option<Vec<String>>,
    anyone: Option<bool>,
    pub min: Option<f64>,
    pub max: Option<f64>,
    years: Option<i16>,
    equals: Option<bool>,
    met: Pair,
    failed: Pair,
    unknown: Pair,
    yes: Pair,
    no: Pair,
    change: Option<Pair>,
    change_below: Option<Pair>,
}

impl RuleEntry {
    /// All its wordings, in both languages.
    pub(super) fn wordings(&self) -> Vec<&str> {
        let always = [&self.met, &self.failed, &self.unknown, &self.yes, &self.no];
        let changes = self.change.iter().chain(&self.change_below);
        always
            .into_iter()
            .chain(changes)
            .flat_map(Pair::both)
            .collect()
    }
}

/// What a programme gives, as its file writes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AidEntry {
    kind: AidKind,
    statement: String,
    rate: Option<String>,
    cap: Option<String>,
    pool: Option<String>,
    /// The count that goes with the kind: days of a service, winning teams of a contest.
    number: Option<u32>,
    known: Pair,
    capped: Option<Pair>,
    unknown: Option<Pair>,
    company: Option<Pair>,
    left_out: Option<Pair>,
    if_not: Option<Pair>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum AidKind {
    Service,
    Grant,
    Prize,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeMinimisEntry {
    statement: String,
    warning: String,
    ceiling_eur: u32,
    years: i16,
    from: Day,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GridEntry {
    statement: String,
    criteria: Vec<String>,
    floor_statement: String,
    floor: u32,
    out_of: u32,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ToCheckEntry {
    question: Pair,
    statement: String,
    kinds: Option<Vec<OrganisationKind>>,
    given: Option<Fact>,
    near: Option<Criterion>,
    percent: Option<u32>,
    at_bound: Option<Criterion>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DoorEntry {
    name: Pair,
    statement: String,
}

/// A sentence of the act that holds a condition, or that could.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sentence {
    /// Section of the act.
    pub section: Spanned<String>,
    /// The words, letter for letter.
    pub words: String,
    /// SHA-256 of the words.
    pub sha256: String,
    /// The rules that encode it, by criterion, or `aid`.
    #[serde(default)]
    pub encoded: Vec<String>,
    /// Why no rule does.
    #[serde(default)]
    pub for_a_human: Option<String>,
    /// Figures in it that are no bound.
    #[serde(default)]
    pub beside: Vec<u32>,
}

/// A section of the act of which every sentence is listed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Covered {
    /// The section.
    pub section: Spanned<String>,
    /// SHA-256 of its sentences, joined by a space.
    pub sha256: String,
}

/// The rules of every programme; a programme whose rules do not resolve has none, and a fault.
pub(super) fn compile(corpus: &Corpus, faults: &mut Faults) -> Vec<Rules> {
    corpus
        .programmes
        .iter()
        .filter_map(|programme| {
            Compiler {
                corpus,
                programme,
                faults,
            }
            .rules()
        })
        .collect()
}

struct Compiler<'a> {
    corpus: &'a Corpus,
    programme: &'a Programme,
    faults: &'a mut Faults,
}

impl Compiler<'_> {
    fn fault(&mut self, line: Option<usize>, message: impl Into<String>) {
        self.faults.add(&self.programme.file, line, message);
    }

    fn passage(&mut self, statement: &str) -> Option<&Passage> {
        let id = if statement.contains('/') {
            statement.to_owned()
        } else {
            format!("{}/{statement}", self.programme.id)
        };
        if self.corpus.passage(&id).is_none() && !self.faults.lost(&id) {
            self.fault(
                None,
                format!("une règle repose sur « {id} », qui n’existe pas"),
            );
        }
        self.corpus.passage(&id)
    }

    fn source(&mut self, statement: &str) -> Option<Source> {
        let passage = self.passage(statement)?;
        let main = passage.quotations.first();
        Some(Source {
            id: passage.id.as_str().to_owned(),
            locator: Prose {
                fr: main.map_or(&passage.locator, |q| &q.locator).clone(),
                en: main.map_or(&passage.locator_en, |q| &q.locator_en).clone(),
            },
            quotes: passage.quotations.iter().map(|q| q.words.clone()).collect(),
            url: passage.url.clone(),
        })
    }

    fn rules(&mut self) -> Option<Rules> {
        let programme = self.programme;
        let rules: Option<Vec<Rule>> = programme.rules.iter().map(|r| self.rule(r)).collect();
        let aid = self.aid(&programme.aid);
        let de_minimis = match &programme.de_minimis {
            Some(entry) => Some(self.de_minimis(entry)?),
            None => None,
        };
        let grid = match &programme.grid {
            Some(entry) => Some(self.grid(entry)?),
            None => None,
        };
        let to_check: Option<Vec<ToCheck>> = programme
            .to_check
            .iter()
            .map(|c| {
                Some(ToCheck {
                    question: c.question.clone(),
                    kinds: c.kinds.clone(),
                    given: c.given,
                    near: c.near.zip(c.percent),
                    at_bound: c.at_bound,
                    source: self.source(&c.statement)?,
                })
            })
            .collect();
        let doors: Option<Vec<Door>> = programme
            .doors
            .iter()
            .map(|d| {
                Some(Door {
                    name: d.name.clone(),
                    source: self.source(&d.statement)?,
                })
            })
            .collect();
        let Some(contact) = programme.contacts.first() else {
            self.fault(None, "un contact est attendu");
            return None;
        };
        let contact_short: Vec<&str> = contact
            .names
            .iter()
            .flatten()
            .chain(contact.emails.iter().flatten())
            .map(String::as_str)
            .chain(contact.service.as_deref())
            .chain(contact.phone.as_deref())
            .collect();
        let contact_short = contact_short.join(", ");
        let contact = self.passage(contact.id())?.prose.clone();
        let mut compiled = Rules {
            programme: programme.id.clone(),
            name: programme.name.clone(),
            version: String::new(),
            rules: rules?,
            aid: aid?,
            de_minimis,
            grid,
            to_check: to_check?,
            doors: doors?,
            contact,
            contact_short,
        };
        let text = serde_json::to_vec(&compiled).unwrap_or_default();
        compiled.version = hex(&Sha256::digest(text))[..16].to_owned();
        Some(compiled)
    }

    fn rule(&mut self, entry: &RuleEntry) -> Option<Rule> {
        let criterion = *entry.criterion.get_ref();
        let line = self.programme.lines.at(entry.criterion.span().start);
        let test = match test_of(criterion, entry) {
            Ok(test) => test,
            Err(why) => {
                self.fault(Some(line), why);
                return None;
            }
        };
        let id = serde_json::to_value(criterion).ok()?;
        let encodes = |s: &&Sentence| s.encoded.iter().any(|c| id == **c);
        let sentences = self.programme.sentences.iter().filter(encodes);
        Some(Rule {
            criterion,
            kinds: entry.kinds.clone(),
            test,
            says: Wordings {
                met: entry.met.clone(),
                failed: entry.failed.clone(),
                unknown: entry.unknown.clone(),
                yes: entry.yes.clone(),
                no: entry.no.clone(),
                change: entry.change.clone(),
                change_below: entry.change_below.clone(),
            },
            sentences: sentences.map(|s| s.sha256.clone()).collect(),
            source: self.source(&entry.statement)?,
        })
    }

    fn aid(&mut self, entry: &AidEntry) -> Option<Aid> {
        let programme = self.programme;
        let amount = |id: &Option<String>| {
            let id = id.as_deref()?;
            programme.amounts.iter().find(|a| a.id() == id)
        };
        let gives = match entry.kind {
            AidKind::Service => entry.number.map(|days| Gives::Service { days }),
            AidKind::Grant => {
                let costs: Option<Vec<(CostKind, bool, Source)>> = programme
                    .costs
                    .iter()
                    .filter_map(|c| Some((c.cost?, c.eligible?, c.id())))
                    .map(|(kind, counts, id)| Some((kind, counts, self.source(id)?)))
                    .collect();
                let rate = amount(&entry.rate).and_then(|a| whole(a.rate_percent?));
                let cap = amount(&entry.cap).and_then(|a| cents(a.value_eur?));
                rate.zip(cap)
                    .zip(costs)
                    .map(|((rate_percent, cap_cents), costs)| Gives::Grant {
                        rate_percent,
                        cap_cents,
                        costs,
                    })
            }
            AidKind::Prize => entry
                .number
                .zip(amount(&entry.pool).and_then(|a| cents(a.value_eur?)))
                .map(|(teams, pool_cents)| Gives::Prize { teams, pool_cents }),
        };
        let Some(gives) = gives else {
            self.fault(
                None,
                "[aid] ne dit pas ses chiffres : « number » pour une prestation ou des prix, « rate » et « cap » pour une subvention, « pool » pour des prix",
            );
            return None;
        };
        Some(Aid {
            gives,
            source: self.source(&entry.statement)?,
            known: entry.known.clone(),
            capped: entry.capped.clone(),
            unknown: entry.unknown.clone(),
            company: entry.company.clone(),
            left_out: entry.left_out.clone(),
            if_not: entry.if_not.clone(),
        })
    }

    /// Each criterion has its points, in its own words and in those of the whole grid, and they add up.
    fn grid(&mut self, entry: &GridEntry) -> Option<Grid> {
        let programme = self.programme;
        let source = self.source(&entry.statement)?;
        let floor_source = self.source(&entry.floor_statement)?;
        let mut criteria = Vec::new();
        for id in &entry.criteria {
            let points = programme.criteria.iter().find(|c| c.id() == id);
            let Some(points) = points.and_then(|c| c.points) else {
                self.fault(None, format!("[grid] : « {id} » n’est pas un critère noté"));
                return None;
            };
            let source_of = self.source(id)?;
            let words = source_of.quotes.first().map_or("", String::as_str);
            if !source.quotes.iter().any(|q| q.contains(words)) {
                self.fault(
                    None,
                    format!("[grid] : la citation de « {id} » n’est pas dans celle de la grille"),
                );
            }
            if !stand_in(&source_of.quotes, &[points]) {
                self.fault(
                    None,
                    format!(
                        "[grid] : les {points} points de « {id} » ne sont pas dans sa citation"
                    ),
                );
            }
            criteria.push(GridCriterion {
                id: id.clone(),
                points,
                source: source_of,
            });
        }
        let total: u32 = criteria.iter().map(|c| c.points).sum();
        if total != entry.out_of {
            let out_of = entry.out_of;
            self.fault(
                None,
                format!("[grid] : les critères valent {total} points en tout, et non {out_of}"),
            );
        }
        if !stand_in(&floor_source.quotes, &[entry.floor, entry.out_of]) {
            self.fault(
                None,
                "[grid] : le seuil n’est pas dans la citation de son point",
            );
        }
        Some(Grid {
            criteria,
            floor: entry.floor,
            out_of: entry.out_of,
            source,
            floor_source,
        })
    }

    fn de_minimis(&mut self, entry: &DeMinimisEntry) -> Option<DeMinimis> {
        Some(DeMinimis {
            source: self.source(&entry.statement)?,
            warning: self.source(&entry.warning)?,
            ceiling_cents: i64::from(entry.ceiling_eur) * 100,
            years: entry.years,
            from: entry.from,
        })
    }
}

/// Whether these numbers stand in the words.
fn stand_in(words: &[String], numbers: &[u32]) -> bool {
    let figures: Vec<Figure> = words.iter().flat_map(|w| figures(w)).collect();
    let there = |n: &u32| figures.contains(&Figure::Number(i64::from(*n) * 1000));
    numbers.iter().all(there)
}

/// The test of a rule: the one key that its criterion reads, and no other.
fn test_of(criterion: Criterion, e: &RuleEntry) -> Result<Test, String> {
    let keys = [
        e.from.is_some(),
        e.one_of.is_some(),
        e.anyone.is_some(),
        e.min.is_some() || e.max.is_some(),
        e.years.is_some(),
        e.equals.is_some(),
    ];
    if keys.iter().filter(|k| **k).count() != 1 {
        return Err(format!(
            "la règle « {criterion:?} » doit avoir une condition, et une seule"
        ));
    }
    let wrong = || format!("la règle « {criterion:?} » n’a pas la condition que ce critère lit");
    let known = |values: &[String]| -> Result<serde_json::Value, String> {
        serde_json::to_value(values).map_err(|_| wrong())
    };
    match (criterion, e) {
        (Criterion::Opening, RuleEntry { from: Some(d), .. }) => Ok(Test::From(d.0)),
        (
            Criterion::Location,
            RuleEntry {
                one_of: Some(v), ..
            },
        ) => Ok(Test::Departments(v.clone())),
        (
            Criterion::Beneficiary,
            RuleEntry {
                one_of: Some(v), ..
            },
        ) => {
            let kinds = serde_json::from_value(known(v)?);
            kinds
                .map(Test::Kinds)
                .map_err(|e| format!("« one_of » : {e}"))
        }
        (
            Criterion::Beneficiary,
            RuleEntry {
                anyone: Some(true), ..
            },
        ) => Ok(Test::Anyone),
        (
            Criterion::Activity,
            RuleEntry {
                one_of: Some(v), ..
            },
        ) => {
            let activities = serde_json::from_value(known(v)?);
            activities
                .map(Test::Activities)
                .map_err(|e| format!("« one_of » : {e}"))
        }
        (Criterion::Age, RuleEntry { years: Some(y), .. }) => Ok(Test::Years(*y)),
        (
            Criterion::Ai,
            RuleEntry {
                equals: Some(b), ..
            },
        ) => Ok(Test::Is(*b)),
        (
            Criterion::Population
            | Criterion::Headcount
            | Criterion::Partnership
            | Criterion::Duration
            | Criterion::Team,
            RuleEntry { min, max, .. },
        ) if keys[3] => Ok(Test::Range {
            min: *min,
            max: *max,
        }),
        _ => Err(wrong()),
    }
}

/// A whole number of the corpus.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bounds are checked first"
)]
fn whole(value: f64) -> Option<u32> {
    ((0.0..=1e6).contains(&value) && value.fract() == 0.0).then_some(value as u32)
}

/// An amount of the corpus, in cents.
#[expect(clippy::cast_possible_truncation, reason = "bounds are checked first")]
fn cents(value: f64) -> Option<i64> {
    (0.0..=1e12)
        .contains(&value)
        .then(|| (value * 100.0).round() as i64)
}
