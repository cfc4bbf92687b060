//! `assistant doctor`: each part checked, and how to mend what is wrong. Changes nothing.
#![expect(clippy::print_stdout, reason = "its report is its result")]

use std::fs::File;
use std::net::TcpListener;
use std::process::ExitCode;

use crate::config::Config;
use crate::corpus::Corpus;
use crate::embed;
use crate::index::{self, Opened, Place, open_current};
use crate::store;
use crate::web;

/// A check: a name, and what was found.
type Check = (&'static str, Result<String, String>);

/// Runs every check; exit 1 when one fails. What is only to be noted fails nothing.
pub fn run(config: &Config) -> ExitCode {
    let corpus = Corpus::read(&config.home);
    let model = embed::list(&config.home.join("models"));
    let card = model.into_iter().flatten().find(|m| m.name == config.model);
    let mut checks: Vec<Check> = vec![
        ("corpus", match &corpus {
            Ok(c) => Ok(format!("{} passages, {} fiches", c.passages.len(), c.records.len())),
            Err(faults) => Err(format!("{} faute(s) ; voyez « assistant corpus check »", faults.iter().count())),
        }),
        ("modèle", match &card {
            Some(card) => Ok(format!("{}, fichiers vérifiés", card.name)),
            None => Err(format!("« {} » manque ou est abîmé ; voyez « assistant models list »", config.model)),
        }),
        ("dossier de données", writable(config)),
        ("base de données", database(config)),
        ("index", match (&corpus, &card) {
            (Ok(corpus), Some(card)) => index(config, corpus, &card.digest),
            _ => Err("ne peut pas être vérifié sans corpus ni modèle".to_owned()),
        }),
        ("adresse", match TcpListener::bind(config.addr) {
            Ok(_) => Ok(format!("{} est libre", config.addr)),
            Err(e) => Err(format!("{} ne peut pas être prise ({e}) ; donnez-en une autre avec serve --addr", config.addr)),
        }),
        ("htmx", Ok(match web::htmx_version() {
            Some(version) => format!("version {version}"),
            None => "absent : les pages marchent en formulaires simples ; compilez avec npm pour l’avoir".to_owned(),
        })),
    ];
    if let Some(server) = &config.qdrant {
        let found = index::server_version(server);
        let found = found.map(|version| format!("{} répond (version {version})", server.url));
        checks.insert(3, ("serveur Qdrant", found.map_err(|e| e.to_string())));
    }
    let mut failed = false;
    for (name, found) in checks {
        match found {
            Ok(what) => println!("ok      {name} : {what}"),
            Err(why) => {
                failed = true;
                println!("À REVOIR {name} : {why}");
            }
        }
    }
    match not_given(config) {
        None => println!("ok      mentions dues au public : toutes renseignées"),
        Some(what) => println!("À NOTER mentions dues au public : {what}"),
    }
    if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// What the pages owe and the settings do not give: the service runs, and its pages say so.
fn not_given(config: &Config) -> Option<String> {
    let owed = config.publisher.owed();
    let missing: Vec<String> = owed
        .iter()
        .filter(|(_, _, value)| value.is_none())
        .map(|(key, name, _)| format!("{name} ({key})"))
        .collect();
    (!missing.is_empty()).then(|| {
        format!(
            "les pages dues au public diront « non renseigné » pour : {} ; remplissez la table [publisher] de la configuration",
            missing.join(", ")
        )
    })
}

fn writable(config: &Config) -> Result<String, String> {
    let dir = &config.data_dir;
    let probe = dir.join("doctor.tmp");
    std::fs::create_dir_all(dir)
        .and_then(|()| std::fs::write(&probe, [0_u8; 4096]))
        .and_then(|()| std::fs::remove_file(&probe))
        .map_err(|e| format!("{} n’est pas utilisable en écriture ({e}) ; changez ses droits ou donnez --data-dir", dir.display()))?;
    Ok(format!("{} est utilisable", dir.display()))
}

/// A running service holds index and database; opening them a second time would be in its way.
fn held(config: &Config) -> bool {
    File::open(config.data_dir.join("lock")).is_ok_and(|f| f.try_lock().is_err())
}

const HELD: &str = "en service dans un autre processus";

fn database(config: &Config) -> Result<String, String> {
    if held(config) {
        return Ok(HELD.to_owned());
    }
    store::inspect(&store::path(&config.data_dir))
}

fn index(config: &Config, corpus: &Corpus, model_digest: &str) -> Result<String, String> {
    if held(config) && config.qdrant.is_none() {
        return Ok(HELD.to_owned());
    }
    match open_current(Place::of(config), &corpus.digest, model_digest) {
        Ok(Opened::UpToDate(_)) => Ok("à jour".to_owned()),
        Ok(Opened::Earlier(_)) => Ok(
            "d’un corpus antérieur : le suivant sera construit au prochain démarrage, qui répond déjà avec celui-ci".to_owned(),
        ),
        Ok(Opened::Missing(why)) => Ok(format!("{why} : il sera construit au prochain démarrage")),
        Ok(Opened::Damaged(why)) => Err(format!(
            "abîmé ({why}) ; il sera reconstruit au prochain démarrage, ou par « assistant ingest »"
        )),
        Err(e) => Err(e.to_string()),
    }
}
