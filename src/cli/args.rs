//! Arguments: their doc comments are the manual.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "help goes to a terminal"
)]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::{ContextKind, ErrorKind};
use clap::{ArgAction, Parser, Subcommand};

/// L’assistant de DataNormandie : données ouvertes normandes et dispositifs data/IA de la Région, chaque phrase sourcée.
#[derive(Debug, Parser)]
#[command(name = "assistant", version, disable_help_subcommand = true)]
pub struct Args {
    /// Dossier qui contient corpus/ et models/ (par défaut : ici, sinon celui de la compilation)
    #[arg(long, global = true, value_name = "DOSSIER")]
    pub home: Option<PathBuf>,
    /// Dossier de l’index, des caches et de la base (par défaut : data/)
    #[arg(long, global = true, value_name = "DOSSIER")]
    pub data_dir: Option<PathBuf>,
    /// Fichier de configuration (TOML)
    #[arg(long, global = true, value_name = "FICHIER")]
    pub config: Option<PathBuf>,
    /// Journal plus détaillé sur la sortie d’erreur (-vv : encore plus)
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Ce qu’il faut faire
    #[command(subcommand)]
    pub command: Command,
}

/// Les commandes.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Ouvre le service web ; construit ou rafraîchit l’index de lui-même
    Serve {
        /// Adresse d’écoute (par défaut : 127.0.0.1:8080)
        #[arg(long, value_name = "ADRESSE:PORT")]
        addr: Option<SocketAddr>,
    },
    /// Construit l’index à partir du corpus ; seul ce qui a changé est recalculé
    Ingest {
        /// Reconstruit l’index même s’il est à jour
        #[arg(long)]
        rebuild: bool,
    },
    /// Pose des questions, une conversation : chaque argument est un tour, sinon chaque ligne de l’entrée
    Ask {
        /// Un objet JSON par réponse
        #[arg(long)]
        json: bool,
        /// Les questions
        questions: Vec<String>,
    },
    /// Cherche des passages et des fiches, les meilleurs d’abord
    Search {
        /// Un objet JSON
        #[arg(long)]
        json: bool,
        /// Nombre de résultats (1 à 100)
        #[arg(long, default_value_t = 10, value_parser = limit, value_name = "NOMBRE")]
        limit: usize,
        /// Ce qui est cherché
        #[arg(required = true)]
        query: Vec<String>,
    },
    /// Dit si l’on remplit les conditions d’un dispositif, et pourquoi
    Eligibility {
        /// Identifiant du dispositif : diagnostic-data-ia, booster-ia, datathon-normandie
        #[arg(value_name = "DISPOSITIF")]
        programme: String,
        /// Fichier JSON des renseignements, ou « - » pour l’entrée standard
        #[arg(long, value_name = "FICHIER")]
        facts: PathBuf,
        /// Un objet JSON
        #[arg(long)]
        json: bool,
        /// Explications en anglais
        #[arg(long)]
        english: bool,
    },
    /// Mesure la qualité
    Eval {
        /// Ce qui est mesuré
        #[command(subcommand)]
        what: EvalCommand,
    },
    /// Le corpus
    Corpus {
        /// Ce qu’il faut en faire
        #[command(subcommand)]
        what: CorpusCommand,
    },
    /// Les encodeurs
    Models {
        /// Ce qu’il faut en faire
        #[command(subcommand)]
        what: ModelsCommand,
    },
    /// Vérifie l’installation et dit comment réparer ce qui ne va pas
    Doctor,
}

/// Ce que `eval` mesure.
#[derive(Debug, Subcommand)]
pub enum EvalCommand {
    /// Conversations de référence (TOML) : une ligne par tour, échec s’il en manque une
    Answers {
        /// Un objet JSON par tour, avec la réponse
        #[arg(long)]
        json: bool,
        /// Les fichiers
        #[arg(required = true)]
        suites: Vec<PathBuf>,
    },
    /// Rang du bon passage et de la bonne fiche, pour des formulations jamais indexées
    Retrieval {
        /// Un objet JSON : les mesures, par fichier et ensemble
        #[arg(long)]
        json: bool,
        /// Montre aussi chaque formulation dont le passage ou la fiche ne vient pas en premier
        #[arg(long)]
        misses: bool,
        /// Dossier des formulations (TOML)
        #[arg(long, default_value = "tests/held_out", value_name = "DOSSIER")]
        held_out: PathBuf,
    },
}

/// Ce que fait `corpus`.
#[derive(Debug, Subcommand)]
pub enum CorpusCommand {
    /// Montre toutes les fautes du corpus, avec fichier et ligne
    Check {
        /// Dit aussi ce que le corpus couvre de l’acte, section par section et, avec son texte, phrase par phrase
        #[arg(long)]
        coverage: bool,
        /// Un objet JSON
        #[arg(long)]
        json: bool,
        /// Texte de l’acte, pour comparer les citations lettre pour lettre
        #[arg(long, value_name = "FICHIER")]
        source: Option<PathBuf>,
    },
}

/// Ce que fait `models`.
#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// Les encodeurs trouvés, vérifiés
    List {
        /// Un objet JSON par encodeur
        #[arg(long)]
        json: bool,
    },
}

fn limit(value: &str) -> Result<usize, String> {
    value
        .parse()
        .ok()
        .filter(|n| (1..=100).contains(n))
        .ok_or_else(|| "un nombre de 1 à 100 est attendu".to_owned())
}

/// Says in one line what is wrong with the arguments; help and version are printed whole.
pub fn explain(error: &clap::Error) -> ExitCode {
    let of = |kind| error.get(kind).map(ToString::to_string).unwrap_or_default();
    let why = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            print!("{error}");
            return ExitCode::SUCCESS;
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            "une commande manque".to_owned()
        }
        ErrorKind::InvalidSubcommand => format!(
            "la commande « {} » n’existe pas",
            of(ContextKind::InvalidSubcommand)
        ),
        ErrorKind::UnknownArgument => format!(
            "l’option « {} » n’existe pas ici",
            of(ContextKind::InvalidArg)
        ),
        ErrorKind::MissingRequiredArgument => format!("il manque {}", of(ContextKind::InvalidArg)),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let reason = std::error::Error::source(error)
                .map(|e| format!(" ({e})"))
                .unwrap_or_default();
            format!(
                "la valeur « {} » ne convient pas pour {}{reason}",
                of(ContextKind::InvalidValue),
                of(ContextKind::InvalidArg)
            )
        }
        ErrorKind::InvalidUtf8 => "un argument n’est pas en UTF-8".to_owned(),
        _ => "les arguments ne sont pas compris".to_owned(),
    };
    eprintln!("erreur : {why} ; voyez « assistant --help »");
    ExitCode::from(2)
}
