//! `assistant eligibility`: facts in, a verdict out. Needs neither model nor index.

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use anyhow::anyhow;

use super::Failure;
use crate::app::today;
use crate::config::Config;
use crate::corpus::Corpus;
use crate::eligibility::{Case, Facts, OtherDoor, Refused, Status, Verdict, verdict};
use crate::text::language::Language;

/// Facts longer than this are refused unread.
const MOST_BYTES: u64 = 1024 * 1024;

pub(super) fn run(
    config: &Config,
    programme: &str,
    facts: &Path,
    json: bool,
    english: bool,
) -> Result<ExitCode, Failure> {
    let corpus = Corpus::read(&config.home)
        .map_err(|faults| Failure::Work(anyhow!("le corpus a des fautes :\n{faults}")))?;
    let rules = corpus.rules_of(programme).ok_or_else(|| {
        let known: Vec<&str> = corpus.programmes.iter().map(|p| p.id.as_str()).collect();
        Failure::Input(format!(
            "le dispositif « {programme} » n’existe pas ; donnez l’un de ceux-ci : {}",
            known.join(", ")
        ))
    })?;
    let text = read(facts)?;
    let territory = corpus
        .territory()
        .map_err(|faults| Failure::Work(anyhow!("le territoire ne se lit pas :\n{faults}")))?;
    let today = config.today.unwrap_or_else(today);
    let facts = Facts::read(&text, &corpus.facts, territory, today).map_err(|why| refused(&why))?;
    let verdict = verdict(
        rules,
        Case {
            corpus: &corpus,
            facts: &facts,
            today,
            language: if english { Language::En } else { Language::Fr },
        },
    );
    if json {
        println!("{}", serde_json::json!(verdict));
    } else {
        print!("{}", shown(&verdict));
    }
    Ok(ExitCode::SUCCESS)
}

fn read(path: &Path) -> Result<String, Failure> {
    let shown = path.display();
    let unreadable = |e: std::io::Error| {
        Failure::Input(format!(
            "les renseignements {shown} ne peuvent pas être lus ({e})"
        ))
    };
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        let mut input = std::io::stdin().lock().take(MOST_BYTES + 1);
        input.read_to_end(&mut bytes).map_err(unreadable)?;
    } else {
        let file = std::fs::File::open(path).map_err(unreadable)?;
        let mut input = file.take(MOST_BYTES + 1);
        input.read_to_end(&mut bytes).map_err(unreadable)?;
    }
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Failure::Input(format!(
            "les renseignements {shown} dépassent {} Kio",
            MOST_BYTES / 1024
        )));
    }
    String::from_utf8(bytes)
        .map_err(|_| Failure::Input(format!("les renseignements {shown} ne sont pas en UTF-8")))
}

/// One line, whatever the number of faults.
fn refused(why: &Refused) -> Failure {
    Failure::Input(match why {
        Refused::NotJson(line, column) => format!(
            "les renseignements ne sont pas du JSON : ligne {line}, colonne {column}"
        ),
        Refused::NotAnObject => {
            "les renseignements doivent être un objet JSON, comme {\"organisation_kind\": \"company\"}".to_owned()
        }
        Refused::Faults(faults) => {
            let each: Vec<String> = faults.iter().map(ToString::to_string).collect();
            format!("renseignements refusés : {}", each.join(" — "))
        }
    })
}

/// The verdict for someone who reads it on a terminal.
fn shown(verdict: &Verdict) -> String {
    let mut text = format!("{}\n\n", verdict.summary);
    for criterion in &verdict.criteria {
        let mark = match criterion.status {
            Status::Met => "oui ",
            Status::Failed => "NON ",
            Status::Unknown => " ?  ",
            Status::NotApplicable => " –  ",
        };
        text += &format!("{mark} {}\n", criterion.explanation);
        text += &format!(
            "     {} : « {} »\n",
            criterion.source.locator, criterion.source.quote
        );
    }
    let mut list = |title: &str, lines: Vec<&str>| {
        if !lines.is_empty() {
            text += &format!("\n{title}\n");
            for line in lines {
                text += &format!("  - {line}\n");
            }
        }
    };
    list("Aide", vec![&verdict.aid.explanation]);
    list(
        "À préciser",
        verdict.leads.iter().map(|l| &*l.question).collect(),
    );
    list(
        "Ce qui changerait la réponse",
        verdict.changes.iter().map(|c| &*c.explanation).collect(),
    );
    list(
        "Autres portes",
        verdict.other_doors.iter().map(OtherDoor::name).collect(),
    );
    list(
        "À confirmer",
        verdict
            .suggestions
            .iter()
            .map(|s| &*s.explanation)
            .collect(),
    );
    list(
        "À vérifier auprès de la Région",
        verdict.to_check.iter().map(|q| &*q.question).collect(),
    );
    text += &format!(
        "\n{}\n{}\n{}\n",
        verdict.contact, verdict.indication, verdict.notice
    );
    text
}
