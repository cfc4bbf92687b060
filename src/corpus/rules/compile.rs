//! From what the file of a programme says to its rules: each name resolved, each fault told.

use serde::Deserialize;
use sha2::{Digest, Sha256};
use toml::Spanned;

use super::*;
use crate::corpus::fault::Faults;
use crate::corpus::passage::Passage;
use crate::corpus::programme::Programme;
use crate::corpus::statement::{Day, Prose};
use crate::corpus::{Corpus, hex};
use crate::text::figures::{Figure, figures};

/// A rule as its file writes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::corpus) struct RuleEntry {
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
    pub(in crate::corpus) fn wordings(&self) -> Vec<&str> {
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
pub(in crate::corpus) struct AidEntry {
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
pub(in crate::corpus) struct DeMinimisEntry {
    statement: String,
    warning: String,
    ceiling_eur: u32,
    years: i16,
    from: Day,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::corpus) struct GridEntry {
    statement: String,
    criteria: Vec<String>,
    floor_statement: String,
    floor: u32,
    out_of: u32,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::corpus) struct ToCheckEntry {
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
pub(in crate::corpus) struct DoorEntry {
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
pub(in crate::corpus) fn compile(corpus: &Corpus, faults: &mut Faults) -> Vec<Rules> {
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
