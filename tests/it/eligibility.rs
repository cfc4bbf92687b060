//! Am I eligible? Tables of every boundary, an oracle of another hand on every combination, and the ways in.
//!
//! The oracle shares nothing with the engine: it is plain functions of plain values, written from the founding
//! text, and it knows the unknown by trying every completion.
#![expect(
    clippy::print_stderr,
    reason = "durations are told to whoever runs with --nocapture"
)]

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use assistant::app::App;
use assistant::corpus::{Corpus, Found, Public};
use assistant::eligibility::{Case, Facts, Refused, verdict};
use assistant::text::language::Language;
use assistant::web;
use jiff::civil::date;
use serde_json::{Value, json};

use crate::harness::{assistant, block_on, config, fed, home, home_to_break, post};

const PROGRAMMES: [&str; 3] = ["diagnostic-data-ia", "booster-ia", "datathon-normandie"];
const KINDS: [&str; 8] = [
    "company",
    "association",
    "local_authority",
    "local_authority_group",
    "public_establishment",
    "private_establishment",
    "health_establishment",
    "individual",
];

fn corpus() -> &'static Corpus {
    static CORPUS: OnceLock<Corpus> = OnceLock::new();
    CORPUS.get_or_init(|| Corpus::read(&home()).unwrap_or_else(|faults| panic!("{faults}")))
}

fn read(facts: &Value) -> Result<Facts, Refused> {
    let territory = corpus().territory().unwrap_or_else(|f| panic!("{f}"));
    Facts::read(
        &facts.to_string(),
        &corpus().facts,
        territory,
        date(2026, 11, 24),
    )
}

fn judge_in(programme: &str, facts: &Value, language: Language) -> Value {
    let read = read(facts).unwrap_or_else(|why| panic!("{why:?}: {facts}"));
    let rules = corpus().rules_of(programme).expect("a programme");
    let case = Case {
        corpus: corpus(),
        facts: &read,
        today: date(2026, 11, 24),
        language,
    };
    json!(verdict(rules, case))
}

fn judge(programme: &str, facts: &Value) -> Value {
    judge_in(programme, facts, Language::Fr)
}

/// The facts with one more, or another.
fn with(facts: &Value, key: &str, value: impl Into<Value>) -> Value {
    let mut facts = facts.clone();
    facts[key] = value.into();
    facts
}

fn criterion<'a>(verdict: &'a Value, id: &str) -> &'a Value {
    let criteria = verdict["criteria"].as_array().expect("criteria");
    let found = criteria.iter().find(|c| c["id"] == id);
    found.unwrap_or_else(|| panic!("{id} is not in {verdict}"))
}

fn faults(facts: &Value) -> Vec<(String, String)> {
    match read(facts) {
        Err(Refused::Faults(faults)) => faults.into_iter().map(|f| (f.fact, f.expected)).collect(),
        Err(other) => panic!("{other:?}: {facts}"),
        Ok(_) => Vec::new(),
    }
}

fn a_company() -> Value {
    json!({"organisation_kind": "company", "department_code": "14", "headcount_fte": 45, "activity": "service",
        "created_on": "2012-05-01", "application_date": "2026-11-24"})
}

fn a_town() -> Value {
    json!({"organisation_kind": "local_authority", "department_code": "27", "population": 25290,
        "application_date": "2026-11-24"})
}

fn a_project() -> Value {
    json!({"organisation_kind": "association", "department_code": "61", "normandy_structure_count": 2,
        "project_uses_ai": true, "duration_months": 6, "application_date": "2026-11-24"})
}

#[test]
fn every_boundary_falls_on_its_side() {
    let diagnostic = "diagnostic-data-ia";
    let booster = "booster-ia";
    let datathon = "datathon-normandie";
    let team = json!({"team_size": 5, "application_date": "2026-11-24"});
    let table: Vec<(&str, Value, &str, Value, &str, &str)> = vec![
        (
            diagnostic,
            a_company(),
            "headcount_fte",
            json!(9),
            "headcount",
            "failed",
        ),
        (
            diagnostic,
            a_company(),
            "headcount_fte",
            json!(9.99),
            "headcount",
            "failed",
        ),
        (
            diagnostic,
            a_company(),
            "headcount_fte",
            json!(10),
            "headcount",
            "met",
        ),
        (
            diagnostic,
            a_company(),
            "headcount_fte",
            json!(250),
            "headcount",
            "met",
        ),
        (
            diagnostic,
            a_company(),
            "headcount_fte",
            json!(250.5),
            "headcount",
            "failed",
        ),
        (
            diagnostic,
            a_company(),
            "headcount_fte",
            json!(251),
            "headcount",
            "failed",
        ),
        (
            diagnostic,
            a_town(),
            "population",
            json!(9999),
            "population",
            "failed",
        ),
        (
            diagnostic,
            a_town(),
            "population",
            json!(10_000),
            "population",
            "met",
        ),
        (
            diagnostic,
            a_town(),
            "population",
            json!(100_000),
            "population",
            "met",
        ),
        (
            diagnostic,
            a_town(),
            "population",
            json!(100_001),
            "population",
            "failed",
        ),
        (
            diagnostic,
            a_company(),
            "created_on",
            json!("2021-11-24"),
            "age",
            "met",
        ),
        (
            diagnostic,
            a_company(),
            "created_on",
            json!("2021-11-25"),
            "age",
            "failed",
        ),
        (
            diagnostic,
            a_company(),
            "created_on",
            json!("2021-10"),
            "age",
            "met",
        ),
        (
            diagnostic,
            a_company(),
            "created_on",
            json!("2021-11"),
            "age",
            "unknown",
        ),
        (
            diagnostic,
            a_company(),
            "created_on",
            json!("2021-12"),
            "age",
            "failed",
        ),
        (
            diagnostic,
            a_company(),
            "created_on",
            json!("2020"),
            "age",
            "met",
        ),
        (
            diagnostic,
            a_company(),
            "created_on",
            json!("2021"),
            "age",
            "unknown",
        ),
        (
            diagnostic,
            a_company(),
            "created_on",
            json!("2022"),
            "age",
            "failed",
        ),
        (
            diagnostic,
            a_company(),
            "application_date",
            json!("2026-02-28"),
            "opening",
            "failed",
        ),
        (
            diagnostic,
            a_company(),
            "application_date",
            json!("2026-03-01"),
            "opening",
            "met",
        ),
        (
            diagnostic,
            a_company(),
            "activity",
            json!("other"),
            "activity",
            "failed",
        ),
        (
            diagnostic,
            a_company(),
            "activity",
            json!("production"),
            "activity",
            "met",
        ),
        (
            diagnostic,
            a_company(),
            "department_code",
            json!("35"),
            "location",
            "failed",
        ),
        (
            booster,
            a_project(),
            "application_date",
            json!("2025-12-31"),
            "opening",
            "failed",
        ),
        (
            booster,
            a_project(),
            "application_date",
            json!("2026-01-01"),
            "opening",
            "met",
        ),
        (
            booster,
            a_project(),
            "duration_months",
            json!(6),
            "duration",
            "met",
        ),
        (
            booster,
            a_project(),
            "duration_months",
            json!(6.01),
            "duration",
            "failed",
        ),
        (
            booster,
            a_project(),
            "duration_months",
            json!(7),
            "duration",
            "failed",
        ),
        (
            booster,
            a_project(),
            "normandy_structure_count",
            json!(1),
            "partnership",
            "failed",
        ),
        (
            booster,
            a_project(),
            "normandy_structure_count",
            json!(2),
            "partnership",
            "met",
        ),
        (
            booster,
            a_project(),
            "project_uses_ai",
            json!(false),
            "ai",
            "failed",
        ),
        (datathon, team.clone(), "team_size", json!(5), "team", "met"),
        (
            datathon,
            team.clone(),
            "team_size",
            json!(6),
            "team",
            "failed",
        ),
        (datathon, team.clone(), "team_size", json!(1), "team", "met"),
        (
            datathon,
            team.clone(),
            "application_date",
            json!("2025-12-31"),
            "opening",
            "failed",
        ),
        (
            datathon,
            team,
            "application_date",
            json!("2026-01-01"),
            "opening",
            "met",
        ),
    ];
    for (programme, facts, fact, value, id, expected) in table {
        let facts = with(&facts, fact, value.clone());
        let got = judge(programme, &facts);
        assert_eq!(
            criterion(&got, id)["status"],
            expected,
            "{programme} {fact} = {value}: {got}"
        );
        let whole = match expected {
            "met" => "eligible",
            "failed" => "not_eligible",
            _ => "undetermined",
        };
        assert_eq!(got["verdict"], whole, "{programme} {fact} = {value}");
    }
    // A company of 29 February has its five years on the last day of February.
    let leap = with(&a_company(), "created_on", "2024-02-29");
    for (day, status) in [("2029-02-27", "failed"), ("2029-02-28", "met")] {
        let got = judge(diagnostic, &with(&leap, "application_date", day));
        assert_eq!(criterion(&got, "age")["status"], status, "{day}");
    }
}

#[test]
fn every_kind_of_organisation_in_every_programme() {
    for kind in KINDS {
        let all = json!({"organisation_kind": kind, "department_code": "76", "population": 20_000, "headcount_fte": 20,
            "activity": "production", "created_on": "2000", "normandy_structure_count": 3, "project_uses_ai": true,
            "duration_months": 3, "team_size": 4});
        let diagnostic = [
            "company",
            "local_authority",
            "local_authority_group",
            "health_establishment",
        ]
        .contains(&kind);
        for (programme, admitted) in [
            ("diagnostic-data-ia", diagnostic),
            ("booster-ia", kind != "individual"),
            ("datathon-normandie", true),
        ] {
            let got = judge(programme, &all);
            let expected = if admitted { "eligible" } else { "not_eligible" };
            assert_eq!(got["verdict"], expected, "{kind} {programme}");
            let status = if admitted { "met" } else { "failed" };
            assert_eq!(
                criterion(&got, "beneficiary")["status"],
                status,
                "{kind} {programme}"
            );
        }
    }
    // A health establishment has no condition of size.
    let hospital = json!({"organisation_kind": "health_establishment", "department_code": "50"});
    let got = judge("diagnostic-data-ia", &hospital);
    assert_eq!(got["verdict"], "eligible");
    for id in ["population", "headcount", "age", "activity"] {
        assert_eq!(criterion(&got, id)["status"], "not_applicable");
    }
}

// ---------------------------------------------------------------- the oracle

/// A value as a test gives it, and whether it is good; the bad and the good ones stand for what is not told.
type Column = (&'static str, Vec<(Value, Option<bool>)>);

fn told(good: &[Value], bad: &[Value], unsure: &[Value]) -> Vec<(Value, Option<bool>)> {
    let mut column = vec![(Value::Null, None)];
    column.extend(good.iter().map(|v| (v.clone(), Some(true))));
    column.extend(bad.iter().map(|v| (v.clone(), Some(false))));
    column.extend(unsure.iter().map(|v| (v.clone(), None)));
    column
}

/// What a programme asks of each kind, as indices of its columns; `None`: the kind is not admitted.
struct Oracle {
    programme: &'static str,
    columns: Vec<Column>,
    needs: fn(&str) -> Option<Vec<usize>>,
    days: [(&'static str, bool); 2],
}

fn oracles() -> Vec<Oracle> {
    let places = || {
        (
            "department_code",
            told(&[json!("14"), json!("76")], &[json!("75")], &[]),
        )
    };
    vec![
        Oracle {
            programme: "diagnostic-data-ia",
            columns: vec![
                places(),
                (
                    "population",
                    told(
                        &[json!(10_000), json!(100_000)],
                        &[json!(9_999), json!(100_001)],
                        &[],
                    ),
                ),
                (
                    "headcount_fte",
                    told(&[json!(10), json!(250)], &[json!(9), json!(251)], &[]),
                ),
                (
                    "activity",
                    told(
                        &[json!("production"), json!("service")],
                        &[json!("other")],
                        &[],
                    ),
                ),
                (
                    "created_on",
                    told(
                        &[json!("2020-02-28")],
                        &[json!("2021-03-02")],
                        &[json!("2021")],
                    ),
                ),
            ],
            needs: |kind| match kind {
                "company" => Some(vec![0, 2, 3, 4]),
                "local_authority" | "local_authority_group" => Some(vec![0, 1]),
                "health_establishment" => Some(vec![0]),
                _ => None,
            },
            days: [("2026-02-28", false), ("2026-03-01", true)],
        },
        Oracle {
            programme: "booster-ia",
            columns: vec![
                places(),
                (
                    "normandy_structure_count",
                    told(&[json!(2), json!(3)], &[json!(1), json!(0)], &[]),
                ),
                (
                    "project_uses_ai",
                    told(&[json!(true)], &[json!(false)], &[]),
                ),
                (
                    "duration_months",
                    told(&[json!(6), json!(0.5)], &[json!(6.5), json!(7)], &[]),
                ),
            ],
            needs: |kind| (kind != "individual").then(|| vec![0, 1, 2, 3]),
            days: [("2025-12-31", false), ("2026-01-01", true)],
        },
        Oracle {
            programme: "datathon-normandie",
            columns: vec![
                ("team_size", told(&[json!(1), json!(5)], &[json!(6)], &[])),
                places(),
            ],
            needs: |_| Some(vec![0]),
            days: [("2025-12-31", false), ("2026-01-01", true)],
        },
    ]
}

impl Oracle {
    fn qualifies(&self, kind: &str, good: &[bool]) -> bool {
        (self.needs)(kind).is_some_and(|needs| needs.iter().all(|i| good[*i]))
    }

    /// Tries every completion of what is not told: the verdict, and the facts that can flip it.
    fn answer(
        &self,
        kind: Option<&str>,
        good: &[Option<bool>],
        open: bool,
    ) -> (&'static str, Vec<&'static str>) {
        if !open {
            return ("not_eligible", Vec::new());
        }
        let kinds: Vec<&str> = kind.map_or_else(|| KINDS.to_vec(), |k| vec![k]);
        let unknown: Vec<usize> = (0..good.len()).filter(|i| good[*i].is_none()).collect();
        let (mut yes, mut no) = (false, false);
        let mut flips = vec![false; good.len() + 1];
        for completion in 0..1_u32 << unknown.len() {
            let mut values: Vec<bool> = good.iter().map(|g| g.unwrap_or(false)).collect();
            for (bit, i) in unknown.iter().enumerate() {
                values[*i] = completion & (1 << bit) != 0;
            }
            let by_kind: Vec<bool> = kinds.iter().map(|k| self.qualifies(k, &values)).collect();
            yes |= by_kind.contains(&true);
            no |= by_kind.contains(&false);
            flips[good.len()] |= by_kind.contains(&true) && by_kind.contains(&false);
            for i in &unknown {
                let mut other = values.clone();
                other[*i] = !other[*i];
                flips[*i] |= kinds
                    .iter()
                    .any(|k| self.qualifies(k, &values) != self.qualifies(k, &other));
            }
        }
        let mut missing: Vec<&'static str> = Vec::new();
        if flips[good.len()] {
            missing.push("organisation_kind");
        }
        missing.extend(
            (0..good.len())
                .filter(|i| flips[*i])
                .map(|i| self.columns[i].0),
        );
        match (yes, no) {
            (true, false) => ("eligible", missing),
            (false, true) => ("not_eligible", missing),
            _ => ("undetermined", missing),
        }
    }
}

/// Every combination of values of the columns, one index each.
fn combinations(sizes: &[usize]) -> Vec<Vec<usize>> {
    sizes.iter().fold(vec![Vec::new()], |all, size| {
        all.iter()
            .flat_map(|start| {
                (0..*size).map(move |next| {
                    let mut longer = start.clone();
                    longer.push(next);
                    longer
                })
            })
            .collect()
    })
}

#[test]
fn an_oracle_of_another_hand_agrees_on_every_combination() {
    let mut judged = 0;
    let mut spent = Duration::ZERO;
    let mut slowest = Duration::ZERO;
    for oracle in oracles() {
        let rules = corpus().rules_of(oracle.programme).expect("a programme");
        let sizes: Vec<usize> = oracle
            .columns
            .iter()
            .map(|(_, values)| values.len())
            .collect();
        for picked in combinations(&sizes) {
            for (day, open) in oracle.days {
                for kind in KINDS.map(Some).into_iter().chain([None]) {
                    let mut facts = json!({"application_date": day});
                    if let Some(kind) = kind {
                        facts["organisation_kind"] = json!(kind);
                    }
                    let mut good = Vec::new();
                    for ((name, values), at) in oracle.columns.iter().zip(&picked) {
                        let (value, is_good) = &values[*at];
                        good.push(*is_good);
                        if !value.is_null() {
                            facts[*name] = value.clone();
                        }
                    }
                    let read = read(&facts).unwrap_or_else(|why| panic!("{why:?}"));
                    let case = Case {
                        corpus: corpus(),
                        facts: &read,
                        today: date(2026, 11, 24),
                        language: Language::Fr,
                    };
                    let started = Instant::now();
                    let got = verdict(rules, case);
                    let took = started.elapsed();
                    spent += took;
                    slowest = slowest.max(took);
                    judged += 1;
                    let (expected, mut missing) = oracle.answer(kind, &good, open);
                    let outcome = json!(got.verdict);
                    assert_eq!(outcome, expected, "{}: {facts}", oracle.programme);
                    let mut names: Vec<&str> = got.missing.iter().map(|f| f.id()).collect();
                    if expected != "undetermined" {
                        missing.clear();
                    }
                    names.sort_unstable();
                    missing.sort_unstable();
                    assert_eq!(names, missing, "{}: {facts}", oracle.programme);

                    // What is said to turn a "no" does turn it.
                    for change in &got.changes {
                        let mut changed = facts.clone();
                        for (key, value) in &change.facts {
                            changed[key] = value.clone();
                        }
                        let then = judge(oracle.programme, &changed);
                        assert_eq!(then["verdict"], json!(change.leads_to), "{changed}");
                        assert_ne!(then["verdict"], "not_eligible", "{changed}");
                    }
                    // An answer leads where it is said to lead.
                    for lead in &got.leads {
                        for answer in lead.answers.iter().filter(|a| a.value.is_some()) {
                            let then = with(&facts, lead.fact.id(), answer.value.clone());
                            assert_eq!(
                                judge(oracle.programme, &then)["verdict"],
                                json!(answer.leads_to),
                                "{then}"
                            );
                        }
                    }
                    // Computed again from its record, it is the same, word for word.
                    let record = json!(got.record);
                    assert_eq!(
                        judge(oracle.programme, &record["facts"]),
                        json!(got),
                        "{facts}"
                    );
                }
            }
        }
    }
    let mean = spent / judged;
    eprintln!("{judged} verdicts: mean {mean:?}, slowest {slowest:?}");
    assert!(mean < Duration::from_millis(1), "a verdict takes {mean:?}");
}

#[test]
fn the_question_that_decides_most_comes_first() {
    let nothing = judge("diagnostic-data-ia", &json!({}));
    assert_eq!(nothing["verdict"], "undetermined");
    assert_eq!(nothing["missing"][0], "organisation_kind");
    assert!(
        !nothing["missing"]
            .as_array()
            .expect("a list")
            .contains(&json!("commune"))
    );
    assert_eq!(nothing["leads"][0]["fact"], "organisation_kind");
    // Nine people: as a company it is no, so what only a company is asked changes nothing any more.
    let nine = judge("diagnostic-data-ia", &json!({"headcount_fte": 9}));
    let missing = nine["missing"].as_array().expect("a list");
    for asked in ["organisation_kind", "department_code", "population"] {
        assert!(missing.contains(&json!(asked)), "{missing:?}");
    }
    for vain in ["headcount_fte", "activity", "created_on"] {
        assert!(!missing.contains(&json!(vain)), "{missing:?}");
    }
    // A commune stands for its department.
    let here = judge(
        "booster-ia",
        &json!({"organisation_kind": "company", "commune": "Caen"}),
    );
    assert_eq!(criterion(&here, "location")["status"], "met");
    assert!(
        !here["missing"]
            .as_array()
            .expect("a list")
            .contains(&json!("department_code"))
    );
}

#[test]
fn what_would_change_a_no_is_possible_and_said() {
    let alone = judge(
        "booster-ia",
        &with(&a_project(), "normandy_structure_count", 1),
    );
    assert_eq!(
        alone["changes"][0]["facts"],
        json!({"normandy_structure_count": 2})
    );
    assert_eq!(alone["changes"][0]["leads_to"], "eligible");
    let partnership = criterion(&alone, "partnership")["explanation"]
        .as_str()
        .expect("text")
        .to_owned();
    for quoted in [
        "de manière collaborative ou partenariale",
        "Les dépenses éligibles du projet faisant intervenir au moins deux structures normandes",
    ] {
        assert!(partnership.contains(quoted), "{partnership}");
    }
    let young = judge(
        "diagnostic-data-ia",
        &with(&a_company(), "created_on", "2023-03-15"),
    );
    assert_eq!(
        young["changes"][0]["facts"],
        json!({"application_date": "2028-03-15"})
    );
    let early = judge(
        "diagnostic-data-ia",
        &with(&a_company(), "application_date", "2026-02-01"),
    );
    assert_eq!(
        early["changes"][0]["facts"],
        json!({"application_date": "2026-03-01"})
    );
    assert!(
        criterion(&early, "opening")["explanation"]
            .as_str()
            .is_some_and(|e| e.contains("1er mars 2026"))
    );
    // Two things to change make one set.
    let both = with(
        &with(&a_project(), "duration_months", 9),
        "project_uses_ai",
        false,
    );
    let both = judge("booster-ia", &both);
    assert_eq!(
        both["changes"][0]["facts"],
        json!({"duration_months": 6.0, "project_uses_ai": true})
    );
    // Some things cannot be changed; other doors are named, without conditions of ours.
    let abroad = judge(
        "diagnostic-data-ia",
        &with(&a_company(), "department_code", "35"),
    );
    assert_eq!(abroad["changes"], json!([]));
    let large = judge(
        "diagnostic-data-ia",
        &with(&a_company(), "headcount_fte", 900),
    );
    assert_eq!(large["changes"], json!([]));
    let association = judge(
        "diagnostic-data-ia",
        &json!({"organisation_kind": "association", "department_code": "14"}),
    );
    assert_eq!(association["changes"], json!([]));
    let doors = association["other_doors"].to_string();
    for door in [
        "booster-ia",
        "datathon-normandie",
        "Impulsion Conseil",
        "Banque des territoires",
        "Bpifrance",
        "experts",
    ] {
        assert!(doors.contains(door), "{door}: {doors}");
    }
    // A small town belongs to a body that is not small.
    let town =
        json!({"organisation_kind": "local_authority", "commune": "Honfleur", "population": 6500});
    let doors = judge("diagnostic-data-ia", &town)["other_doors"].to_string();
    assert!(
        doors.contains("CC du Pays de Honfleur-Beuzeville"),
        "{doors}"
    );
}

#[test]
fn a_grant_is_exact_to_the_cent() {
    let budget =
        |lines: Value| judge("booster-ia", &with(&a_project(), "budget", lines))["aid"].clone();
    for (cost, amount) in [
        (json!(24_999.98), json!(12_499.99)),
        (json!(25_000), json!(12_500.0)),
        (json!(25_000.01), json!(12_500.0)),
        (json!(0.01), json!(0.01)),
        (json!(20_000), json!(10_000.0)),
        (json!(0), json!(0.0)),
    ] {
        let aid = budget(json!([{"kind": "services", "label": "étude", "amount_eur": cost}]));
        assert_eq!(aid["amount_eur"], amount, "{cost}");
        assert_eq!(aid["kind"], "grant");
    }
    let cents: Vec<Value> = (0..10)
        .map(|_| json!({"kind": "licences", "amount_eur": 0.1}))
        .collect();
    assert_eq!(budget(json!(cents))["eligible_costs_eur"], 1.0);
    let mixed = budget(json!([
        {"kind": "personnel", "label": "stagiaire", "amount_eur": 4_000},
        {"kind": "permanent_public_staff", "label": "agent", "amount_eur": 8_000},
        {"kind": "intellectual_services", "label": "conseil", "amount_eur": 3_000},
        {"kind": "consumables", "label": "", "amount_eur": 500},
        {"kind": "equipment", "label": "serveur", "amount_eur": 9_000},
        {"kind": "other", "label": "divers", "amount_eur": 1_000},
    ]));
    assert_eq!(mixed["eligible_costs_eur"], 7_500.0);
    assert_eq!(mixed["amount_eur"], 3_750.0);
    let counted: Vec<bool> = mixed["lines"]
        .as_array()
        .expect("lines")
        .iter()
        .map(|l| l["eligible"] == true)
        .collect();
    assert_eq!(counted, [true, false, true, true, false, false]);
    for at in [1, 4, 5] {
        assert!(mixed["lines"][at]["reason"].is_string(), "{mixed}");
    }
    let unknown = judge("booster-ia", &a_project())["aid"].clone();
    assert_eq!(
        (&unknown["amount_eur"], &unknown["eligible_costs_eur"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(
        judge("diagnostic-data-ia", &a_company())["aid"]["kind"],
        "service"
    );
    let prize = judge("datathon-normandie", &json!({"team_size": 3}))["aid"].clone();
    assert_eq!(prize["kind"], "prize");
    assert!(
        prize["explanation"]
            .as_str()
            .is_some_and(|e| e.contains("5\u{a0}000\u{a0}€")),
        "{prize}"
    );
}

#[test]
fn all_that_is_wrong_is_named_at_once_with_what_was_expected() {
    let wrong = json!({"organisation_kind": "startup", "department_code": "99", "siret": "20005340300017",
        "population": -1, "headcount_fte": 1e9, "activity": 3, "created_on": "2023-02-29",
        "application_date": "2026-13-01", "project_uses_ai": "oui", "normandy_structure_count": 1.5,
        "duration_months": -3, "team_size": 0, "de_minimis_received_eur": 1e308, "couleur": "bleu",
        "budget": [{"kind": "services", "amount_eur": 1e308}, {"kind": "voyage", "amount_eur": -1}, 7,
            {"kind": "other", "amount_eur": 1.005, "devise": "USD"}], "commune": "99999"});
    let named: Vec<String> = faults(&wrong).into_iter().map(|(fact, _)| fact).collect();
    for fact in [
        "organisation_kind",
        "department_code",
        "siret",
        "population",
        "headcount_fte",
        "activity",
        "created_on",
        "application_date",
        "project_uses_ai",
        "normandy_structure_count",
        "duration_months",
        "team_size",
        "de_minimis_received_eur",
        "couleur",
        "commune",
        "budget[0].amount_eur",
        "budget[1].kind",
        "budget[1].amount_eur",
        "budget[2]",
        "budget[3].amount_eur",
        "budget[3].devise",
    ] {
        assert!(
            named.iter().any(|n| n == fact),
            "{fact} is not in {named:?}"
        );
    }
    assert!(
        faults(&wrong)
            .iter()
            .all(|(_, expected)| !expected.is_empty())
    );

    // Each alone is refused too, and contradictions are.
    for (facts, fact, says) in [
        (
            json!({"commune": "Alençon", "department_code": "14"}),
            "commune",
            "Alençon (61",
        ),
        (
            json!({"commune": "14000"}),
            "commune",
            "Caen (14, code 14118)",
        ),
        (
            json!({"commune": "Nulle-Part-sur-Rien"}),
            "commune",
            "Insee",
        ),
        (json!({"commune": "La Trinité"}), "commune", "plusieurs"),
        (json!({"commune": ""}), "commune", "Insee"),
        (
            json!({"siret": "21270681600015", "department_code": "14"}),
            "siret",
            "Vernon",
        ),
        (json!({"created_on": "2027"}), "created_on", "demande"),
        (
            json!({"organisation_kind": "Company"}),
            "organisation_kind",
            "local_authority_group",
        ),
        (
            json!({"department_code": 14}),
            "department_code",
            "guillemets",
        ),
        (
            json!({"application_date": "2026-03"}),
            "application_date",
            "AAAA-MM-JJ",
        ),
    ] {
        let got = faults(&facts);
        assert!(
            got.len() == 1 && got[0].0 == fact && got[0].1.contains(says),
            "{facts}: {got:?}"
        );
    }
    let twice = "{\"team_size\": 3, \"team_size\": 9}";
    let territory = corpus().territory().unwrap_or_else(|f| panic!("{f}"));
    assert!(
        matches!(Facts::read(twice, &corpus().facts, territory, date(2026, 1, 1)), Err(Refused::Faults(f)) if f.len() == 1)
    );
    assert!(matches!(
        Facts::read("[1]", &corpus().facts, territory, date(2026, 1, 1)),
        Err(Refused::NotAnObject)
    ));
    assert!(matches!(
        Facts::read("{", &corpus().facts, territory, date(2026, 1, 1)),
        Err(Refused::NotJson(1, _))
    ));
    // What is not known may be told as null.
    assert!(faults(&json!({"team_size": null, "commune": null})).is_empty());
}

#[test]
fn places_are_found_by_the_names_people_use() {
    let started = Instant::now();
    let territory = assistant::corpus::Territory::read(&home()).unwrap_or_else(|f| panic!("{f}"));
    eprintln!("territory read in {:?}", started.elapsed());
    let one = |said: &str, department: Option<&str>| match territory.commune(said, department) {
        Found::One { commune, elsewhere } => (commune.code.to_string(), elsewhere),
        other => panic!("{said}: {other:?}"),
    };
    for (said, code, elsewhere) in [
        ("14118", "14118", false),
        ("Caen", "14118", false),
        ("caen", "14118", false),
        ("CHERBOURG", "50129", false),
        ("Cherbourg-Octeville", "50129", false),
        ("Tourlaville", "50129", false),
        ("50602", "50129", false),
        ("Vire", "14762", true),
        ("vire normandie", "14762", false),
        ("Le Havre", "76351", false),
        ("le havre", "76351", false),
        ("Havre", "76351", false),
        ("St Lo", "50502", false),
        ("Saint-Lô", "50502", false),
        ("Évreux", "27229", false),
        ("evreux", "27229", false),
        ("Vernon", "27681", true),
        ("Port-en-Bessin", "14515", false),
        ("Elbeuf", "76231", false),
        ("Rennes", "35238", false),
        ("75056", "75056", false),
        ("Annecy-le-Vieux", "74010", false),
    ] {
        assert_eq!(one(said, None), (code.to_owned(), elsewhere), "{said}");
    }
    assert_eq!(one("Vernon", Some("86")).0, "86284");
    assert_eq!(one("Conteville", Some("27")).0, "27169");
    assert!(matches!(territory.commune("La Trinité", None), Found::Several(c) if c.len() > 1));
    assert!(matches!(
        territory.commune("Saint-Denis", None),
        Found::Away(_) | Found::One { .. }
    ));
    assert!(matches!(territory.commune("99999", None), Found::Unknown));
    assert!(matches!(
        territory.commune("Rouen", Some("14")),
        Found::NotThere(_)
    ));
    for (said, siren) in [
        ("CC du Pays de Honfleur-Beuzeville", "200066827"),
        (
            "communauté de communes du pays de honfleur beuzeville",
            "200066827",
        ),
        ("Métropole Rouen Normandie", "200023414"),
        ("MRN", "200023414"),
        ("Caen la mer", "200065597"),
        ("Communauté urbaine Caen la Mer", "200065597"),
        ("communauté d’agglomération du Cotentin", "200067205"),
    ] {
        assert_eq!(
            territory.body(said).map(|b| &*b.siren),
            Some(siren),
            "{said}"
        );
    }
    assert!(
        matches!(territory.by_siren("212706816"), Some(Public::Commune(c)) if &*c.name == "Vernon")
    );

    // Not in Normandy is a clear "no", not an error; a name that is also elsewhere is said to be.
    for place in ["Rennes", "75056", "Saint-Denis"] {
        let got = judge(
            "booster-ia",
            &json!({"organisation_kind": "company", "commune": place}),
        );
        assert_eq!(criterion(&got, "location")["status"], "failed", "{place}");
    }
    let vernon = judge("booster-ia", &json!({"commune": "Vernon"}));
    let said = criterion(&vernon, "location")["explanation"]
        .as_str()
        .expect("text");
    assert!(
        said.contains("Vernon (27)") && said.contains("Une autre commune de France"),
        "{said}"
    );
}

#[test]
fn what_only_a_person_can_settle_is_listed_and_decides_nothing() {
    let listed = |facts: &Value| judge("diagnostic-data-ia", facts)["to_check"].to_string();
    for population in [9_500, 10_000, 10_500, 95_000, 104_999] {
        assert!(
            listed(&with(&a_town(), "population", population)).contains("à moins de 5 %"),
            "{population}"
        );
    }
    for population in [9_499, 10_501, 50_000, 94_999, 105_001] {
        assert!(
            !listed(&with(&a_town(), "population", population)).contains("à moins de 5 %"),
            "{population}"
        );
    }
    // The population of the commune itself counts for this, and is suggested; it never enters the verdict.
    let near = judge(
        "diagnostic-data-ia",
        &json!({"organisation_kind": "local_authority", "commune": "Bayeux"}),
    );
    assert_eq!(near["verdict"], "undetermined");
    assert_eq!(near["missing"], json!(["population"]));
    assert_eq!(near["suggestions"][0]["fact"], "population");
    let company = judge("diagnostic-data-ia", &a_company());
    assert_eq!(company["verdict"], "eligible");
    let questions = company["to_check"].as_array().expect("a list");
    assert!(questions.len() >= 4);
    for question in questions {
        assert!(
            question["contact"]
                .as_str()
                .is_some_and(|c| c.contains("Nawal.bouin@normandie.fr")),
            "{question}"
        );
        assert!(question["source"]["locator"].is_string());
    }
    let siret = judge("diagnostic-data-ia", &json!({"siret": "21270681600015"}));
    let suggested: Vec<&str> = siret["suggestions"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|s| s["fact"].as_str())
        .collect();
    assert_eq!(
        suggested,
        ["organisation_kind", "department_code", "population"]
    );
}

#[test]
fn a_verdict_is_accountable() {
    for programme in PROGRAMMES {
        for language in [Language::Fr, Language::En] {
            for facts in [
                json!({}),
                a_company(),
                with(&a_company(), "department_code", "35"),
            ] {
                let got = judge_in(programme, &facts, language);
                assert!(
                    got["notice"]
                        .as_str()
                        .is_some_and(|n| n.contains("L. 311-3-1") && n.contains("CADA"))
                );
                assert!(
                    got["indication"]
                        .as_str()
                        .is_some_and(|n| n.contains("Région Normandie"))
                );
                assert!(
                    got["contact"].as_str().is_some_and(|c| c.contains("02 3")),
                    "{got}"
                );
                assert_eq!(got["record"]["rules"].as_str().map(str::len), Some(16));
                assert_eq!(got["record"]["as_of"], got["as_of"]);
                for criterion in got["criteria"].as_array().expect("criteria") {
                    let explanation = criterion["explanation"].as_str().expect("text");
                    assert!(
                        !explanation.contains('{') && !explanation.is_empty(),
                        "{criterion}"
                    );
                    assert!(
                        criterion["source"]["quote"]
                            .as_str()
                            .is_some_and(|q| !q.is_empty()),
                        "{criterion}"
                    );
                    assert!(
                        criterion["sentences_sha256"]
                            .as_array()
                            .is_some_and(|s| !s.is_empty()),
                        "{criterion}"
                    );
                }
                assert!(
                    !got.to_string().contains("{min}") && !got.to_string().contains("{value}"),
                    "{got}"
                );
            }
        }
    }
    let declared = with(&a_company(), "de_minimis_received_eur", 120_000.5);
    let minimis = judge("diagnostic-data-ia", &declared)["de_minimis"].clone();
    assert_eq!(minimis["remaining_eur"], 179_999.5);
    assert!(
        minimis["explanation"]
            .as_str()
            .is_some_and(|e| e.contains("1407/2013") && e.contains("a été remplacé")),
        "{minimis}"
    );
    assert_eq!(
        judge("diagnostic-data-ia", &a_company())["de_minimis"],
        Value::Null
    );
}

#[test]
fn rules_cannot_drift_from_the_prose() {
    corpus().check_places().unwrap_or_else(|f| panic!("{f}"));
    let drift = |file: &str, from: &str, to: &str, says: &str| {
        let home = home_to_break();
        let path = home.path().join("corpus/programmes").join(file);
        let text = std::fs::read_to_string(&path).expect("the file can be read");
        assert!(text.contains(from), "{file} holds {from}");
        std::fs::write(&path, text.replacen(from, to, 1)).expect("the file can be written");
        let faults = match Corpus::read(home.path()) {
            Err(faults) => faults.to_string(),
            Ok(_) => panic!("{from} became {to} unseen"),
        };
        assert!(faults.contains(says), "{says} is not in:\n{faults}");
    };
    let diagnostic = "diagnostic-data-ia.toml";
    drift(
        diagnostic,
        "\nmin = 10\nmax = 250",
        "\nmin = 11\nmax = 250",
        "le nombre 10 n’est dans aucune règle",
    );
    drift(
        diagnostic,
        "\nmin = 10\nmax = 250",
        "\nmin = 11\nmax = 250",
        "le nombre 11 n’est dans aucune phrase",
    );
    drift(
        diagnostic,
        "\nmin = 10\nmax = 250",
        "\nmin = 250\nmax = 10",
        "personne ne serait éligible",
    );
    drift(
        diagnostic,
        "\nyears = 5\n",
        "\nyears = 3\n",
        "le nombre 3 n’est dans aucune phrase",
    );
    drift(
        diagnostic,
        "\nfrom = 2026-03-01",
        "\nfrom = 2026-04-01",
        "2026-04-01",
    );
    drift(
        diagnostic,
        "in_force_from = 2026-03-01",
        "in_force_from = 2026-04-01",
        "ne disent pas le même jour",
    );
    drift(
        diagnostic,
        "words = \"Des établissements de santé.\"",
        "words = \"Des établissements de soins.\"",
        "l’empreinte n’est pas celle des mots",
    );
    drift(
        diagnostic,
        "[[sentences]]\nsection = \"a3-beneficiaires\"\nwords = \"Des établissements de santé.\"\nsha256 = ",
        "[[sentences]]\nsection = \"a3-objectifs\"\nwords = \"Des établissements de santé.\"\nsha256 = ",
        "il manque une phrase de la section « a3-beneficiaires »",
    );
    drift(
        "datathon-normandie.toml",
        "for_a_human = \"Membre référent : à vérifier par une personne.\"\n",
        "",
        "laissée à une personne",
    );
    drift(
        "datathon-normandie.toml",
        "criterion = \"team\"\nstatement = \"taille-equipe\"\nmax = 5",
        "criterion = \"team\"\nstatement = \"taille-equipe\"\nmax = 100000",
        "elle n’écarte personne",
    );
    drift(
        "booster-ia.toml",
        "\nequals = true",
        "\nequals = true\nmin = 1",
        "une seule",
    );
    drift(
        "booster-ia.toml",
        "statement = \"condition-ia\"",
        "statement = \"condition-xx\"",
        "qui n’existe pas",
    );
    drift(
        "booster-ia.toml",
        "yes = [\"{max} mois ou moins\"",
        "yes = [\"6 mois ou moins\"",
        "les bornes viennent de la règle",
    );
}

// ---------------------------------------------------------------- the ways in

#[test]
fn on_the_command_line_facts_come_from_a_file_or_the_standard_input() {
    let run = |arguments: &[&str], input: &str| {
        fed(
            assistant().arg("eligibility").args(arguments),
            input.as_bytes(),
        )
    };
    let (out, err, code) = run(
        &["booster-ia", "--facts", "-", "--json"],
        &a_project().to_string(),
    );
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(out.lines().count(), 1);
    let got: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(
        (&got["programme"], &got["verdict"]),
        (&json!("booster-ia"), &json!("eligible"))
    );
    for key in ["as_of", "criteria", "missing", "to_check", "aid"] {
        assert!(!got[key].is_null(), "{key}");
    }
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("facts.json");
    std::fs::write(&file, a_town().to_string()).expect("written");
    let path = file.to_str().expect("UTF-8");
    let (out, err, code) = run(&["diagnostic-data-ia", "--facts", path], "");
    assert_eq!(code, Some(0), "{err}");
    assert!(
        out.contains("10\u{a0}000")
            && out.contains("25\u{a0}290\u{a0}habitants")
            && out.contains("L. 311-3-1"),
        "{out}"
    );
    let (out, _, code) = run(&["diagnostic-data-ia", "--facts", path, "--english"], "");
    assert!(
        code == Some(0) && out.contains("25,290\u{a0}inhabitants"),
        "{out}"
    );
    for (arguments, input, says) in [
        (
            ["booster-ia", "--facts", "-"],
            "{\"couleur\": 1, \"duration_months\": -3}",
            "couleur",
        ),
        (
            ["booster-ia", "--facts", "-"],
            "{\"couleur\": 1, \"duration_months\": -3}",
            "duration_months",
        ),
        (["booster-ia", "--facts", "-"], "pas du JSON", "ligne 1"),
        (["booster-ia", "--facts", "-"], "[]", "objet JSON"),
        (["booster-xx", "--facts", "-"], "{}", "datathon-normandie"),
        (
            ["booster-ia", "--facts", "/nulle/part.json"],
            "",
            "/nulle/part.json",
        ),
    ] {
        let (out, err, code) = run(&arguments, input);
        assert_eq!(code, Some(2), "{arguments:?} {input}: {out}{err}");
        assert!(
            err.contains(says) && err.lines().count() == 1 && out.is_empty(),
            "{err}"
        );
    }
}

#[test]
fn over_http_the_body_is_the_facts_and_needs_neither_model_nor_index() {
    let data = tempfile::tempdir().expect("a folder");
    // Opened, never prepared: no encoder is loaded, no index built.
    let app = App::open(config(data.path())).expect("it opens");
    let router = web::router(app);
    block_on(async {
        let ask = async |id: &str, body: String| {
            let path = format!("/api/v1/programmes/{id}");
            post(&router, &path, "application/json", "application/json", body).await
        };
        let got = ask("booster-ia/eligibility", a_project().to_string()).await;
        assert_eq!(
            (got.status.as_u16(), got.json()["verdict"].clone()),
            (200, json!("eligible")),
            "{}",
            got.body
        );
        assert_eq!(got.header("cache-control"), "no-store");
        let english = ask(
            "booster-ia/eligibility?language=en",
            a_project().to_string(),
        )
        .await;
        assert!(
            english.json()["summary"]
                .as_str()
                .is_some_and(|s| s.starts_with("From what you say"))
        );
        for (id, body, status, code) in [
            (
                "booster-xx/eligibility",
                json!({}).to_string(),
                404,
                "unknown-programme",
            ),
            ("booster-ia/eligibility", "{".to_owned(), 400, "not-json"),
            (
                "booster-ia/eligibility",
                "[]".to_owned(),
                422,
                "wrong-shape",
            ),
            (
                "booster-ia/eligibility",
                json!({"a": 1, "team_size": -2}).to_string(),
                422,
                "wrong-facts",
            ),
            (
                "booster-ia/eligibility?language=de",
                json!({}).to_string(),
                422,
                "wrong-parameter",
            ),
        ] {
            let got = ask(id, body).await;
            assert_eq!(got.status.as_u16(), status, "{id}: {}", got.body);
            assert_eq!(got.header("content-type"), "application/problem+json");
            assert!(
                got.json()["type"]
                    .as_str()
                    .is_some_and(|t| t.ends_with(code)),
                "{}",
                got.body
            );
        }
        let faulty = ask(
            "booster-ia/eligibility",
            json!({"a": 1, "team_size": -2}).to_string(),
        )
        .await
        .json();
        let named: Vec<&str> = faulty["faults"]
            .as_array()
            .expect("faults")
            .iter()
            .filter_map(|f| f["fact"].as_str())
            .collect();
        assert_eq!(named, ["a", "team_size"]);

        // The territory is read by the first request above.
        let mut times = Vec::new();
        for i in 0..500 {
            let body = with(&a_company(), "headcount_fte", i).to_string();
            let started = Instant::now();
            let got = ask("diagnostic-data-ia/eligibility", body).await;
            times.push(started.elapsed());
            assert_eq!(got.status.as_u16(), 200);
        }
        times.sort();
        eprintln!(
            "POST eligibility: p50 {:?}, p99 {:?}",
            times[250], times[495]
        );
    });
}
