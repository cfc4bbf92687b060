//! Settings: one plain struct, and the only place that reads the environment.
//!
//! A setting is looked for on the command line, then in the environment, then in the file given by
//! `--config` (TOML, the same keys in lower case without the prefix), then its default applies.
//!
//! | key | environment | default | meaning |
//! | --- | --- | --- | --- |
//! | `home` | `ASSISTANT_HOME` | see [`Config::home`] | folder that holds `corpus/` and `models/` |
//! | `data_dir` | `ASSISTANT_DATA_DIR` | `data` | folder for index, caches and database |
//! | `addr` | `ASSISTANT_ADDR` | `127.0.0.1:8080` | address to listen on |
//! | `model` | `ASSISTANT_MODEL` | `multilingual-e5-small-fr-en` | folder of the encoder under `models/` |
//! | `questions_at_once` | `ASSISTANT_QUESTIONS_AT_ONCE` | one for each processor, 2 at least | questions taken at the same time; the next is refused |
//! | `connections` | `ASSISTANT_CONNECTIONS` | 1024 | open connections |
//! | `conversation_minutes` | `ASSISTANT_CONVERSATION_MINUTES` | 60 | a conversation is forgotten after this long without a question |
//! | `conversations` | `ASSISTANT_CONVERSATIONS` | 10000 | conversations held in memory at most |
//! | `database_mib` | `ASSISTANT_DATABASE_MIB` | 1024 | MiB that the database takes at most |
//! | `qdrant_url` | `QDRANT_URL` | none | gRPC address of a Qdrant server that holds the index; without it the index is embedded |
//! | `qdrant_api_key` | `QDRANT_API_KEY` | none | the key that server asks for |
//! | `qdrant_prefix` | `QDRANT_PREFIX` | `assistant` | what the names of our collections there begin with |
//! | `publisher.…` | `ASSISTANT_PUBLISHER_…` | none | who answers for the service: see [`Publisher`] |

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::Date;

use anyhow::{Context, anyhow, ensure};
use serde::Deserialize;

/// The settings of one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Folder that holds `corpus/` and `models/`. By default the current folder if it has them,
    /// else the folder the program was built from.
    pub home: PathBuf,
    /// Folder for index, caches and database; one process at a time.
    pub data_dir: PathBuf,
    /// Address to listen on.
    pub addr: SocketAddr,
    /// Folder of the encoder under `models/`.
    pub model: String,
    /// Questions taken at the same time.
    pub questions_at_once: usize,
    /// Open connections.
    pub connections: usize,
    /// A conversation is forgotten after this long without a question.
    pub conversation_ttl: Duration,
    /// The day taken as today by the rules of aids, for tests and rehearsals; the calendar's when it is not set.
    pub today: Option<Date>,
    /// Conversations held in memory at most.
    pub conversations: usize,
    /// MiB that the database takes at most.
    pub database_mib: u64,
    /// The Qdrant server that holds the index; embedded in this process when there is none.
    pub qdrant: Option<QdrantServer>,
    /// Who answers for the service.
    pub publisher: Publisher,
}

/// Who answers for the service, as the law has a public service say it on its pages: table
/// `[publisher]` of the file, variables `ASSISTANT_PUBLISHER_…`. What is not given is shown as not given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Publisher {
    /// The body that publishes the service, and answers for the personal data.
    pub name: Option<String>,
    /// Its postal address.
    pub address: Option<String>,
    /// How to reach it: e-mail, telephone, or the address of a form.
    pub contact: Option<String>,
    /// The director of publication.
    pub director: Option<String>,
    /// The company or body that hosts the service.
    pub host: Option<String>,
    /// The postal address and the telephone of the host.
    pub host_address: Option<String>,
    /// How to reach the data protection officer.
    pub dpo: Option<String>,
    /// How to report that something is not accessible.
    pub accessibility: Option<String>,
    /// The public address of the service.
    pub url: Option<String>,
    /// Where its source code can be had.
    pub source_code: Option<String>,
}

/// A field of [`Publisher`]: its key in the file, what it is in French, and its value.
pub type PublisherField<'a> = (&'static str, &'static str, &'a Option<String>);

impl Publisher {
    /// The fields that the law wants told, in the order of the file.
    #[must_use]
    pub fn owed(&self) -> [PublisherField<'_>; 8] {
        [
            ("name", "éditeur", &self.name),
            ("address", "adresse de l’éditeur", &self.address),
            ("contact", "contact de l’éditeur", &self.contact),
            ("director", "directeur de la publication", &self.director),
            ("host", "hébergeur", &self.host),
            ("host_address", "adresse de l’hébergeur", &self.host_address),
            ("dpo", "délégué à la protection des données", &self.dpo),
            (
                "accessibility",
                "contact pour l’accessibilité",
                &self.accessibility,
            ),
        ]
    }

    /// The variables win over the file; a value of spaces counts as absent.
    fn resolve(file: Self, env: impl Fn(&str) -> Option<String>) -> Self {
        let given = |key: &str, value: Option<String>| {
            env(&format!("ASSISTANT_PUBLISHER_{key}"))
                .or(value)
                .map(|v| v.trim().to_owned())
                .filter(|v| !v.is_empty())
        };
        Self {
            name: given("NAME", file.name),
            address: given("ADDRESS", file.address),
            contact: given("CONTACT", file.contact),
            director: given("DIRECTOR", file.director),
            host: given("HOST", file.host),
            host_address: given("HOST_ADDRESS", file.host_address),
            dpo: given("DPO", file.dpo),
            accessibility: given("ACCESSIBILITY", file.accessibility),
            url: given("URL", file.url),
            source_code: given("SOURCE_CODE", file.source_code),
        }
    }
}

/// A Qdrant server, as the settings name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QdrantServer {
    /// Its gRPC address, `http://…` or `https://…`, without user or password.
    pub url: String,
    /// The key it asks for.
    pub api_key: Option<Secret>,
    /// What the names of our collections begin with: lower-case letters, digits, `-` and `_`.
    pub prefix: String,
}

/// What must never be shown: `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The secret itself, for the one who has to be told.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(secret: String) -> Self {
        Self(secret)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// What the command line may set.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `--home`.
    pub home: Option<PathBuf>,
    /// `--data-dir`.
    pub data_dir: Option<PathBuf>,
    /// `--config`.
    pub file: Option<PathBuf>,
    /// `--addr`.
    pub addr: Option<SocketAddr>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    home: Option<PathBuf>,
    data_dir: Option<PathBuf>,
    addr: Option<SocketAddr>,
    model: Option<String>,
    questions_at_once: Option<usize>,
    connections: Option<usize>,
    conversation_minutes: Option<u64>,
    conversations: Option<usize>,
    database_mib: Option<u64>,
    today: Option<Date>,
    qdrant_url: Option<String>,
    qdrant_api_key: Option<Secret>,
    qdrant_prefix: Option<String>,
    #[serde(default)]
    publisher: Publisher,
}

impl Config {
    /// Reads the settings of this process.
    ///
    /// # Errors
    /// One line in French, when the file or a variable cannot be understood.
    pub fn load(overrides: Overrides) -> anyhow::Result<Self> {
        Self::resolve(overrides, |key| {
            std::env::var(key).ok().filter(|v| !v.is_empty())
        })
    }

    fn resolve(overrides: Overrides, env: impl Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        let file = match &overrides.file {
            Some(path) => read(path)?,
            None => File::default(),
        };
        let home = overrides
            .home
            .or(var(&env, "HOME")?)
            .or(file.home)
            .map_or_else(default_home, Ok)?;
        Ok(Self {
            home,
            data_dir: overrides
                .data_dir
                .or(var(&env, "DATA_DIR")?)
                .or(file.data_dir)
                .unwrap_or_else(|| "data".into()),
            addr: match overrides.addr.or(var(&env, "ADDR")?).or(file.addr) {
                Some(addr) => addr,
                None => SocketAddr::from(([127, 0, 0, 1], 8080)),
            },
            model: var(&env, "MODEL")?
                .or(file.model)
                .unwrap_or_else(|| "multilingual-e5-small-fr-en".to_owned()),
            questions_at_once: var(&env, "QUESTIONS_AT_ONCE")?
                .or(file.questions_at_once)
                .unwrap_or_else(questions_at_once)
                .max(1),
            connections: var(&env, "CONNECTIONS")?
                .or(file.connections)
                .unwrap_or(1024)
                .max(1),
            conversation_ttl: Duration::from_secs(
                60 * var(&env, "CONVERSATION_MINUTES")?
                    .or(file.conversation_minutes)
                    .unwrap_or(60)
                    .max(1),
            ),
            conversations: var(&env, "CONVERSATIONS")?
                .or(file.conversations)
                .unwrap_or(10_000)
                .max(1),
            database_mib: var(&env, "DATABASE_MIB")?
                .or(file.database_mib)
                .unwrap_or(1024)
                // SQLite counts pages in 32 bits.
                .clamp(1, 1024 * 1024),
            qdrant: qdrant(
                env("QDRANT_URL").or(file.qdrant_url),
                env("QDRANT_API_KEY").map(Secret).or(file.qdrant_api_key),
                env("QDRANT_PREFIX").or(file.qdrant_prefix),
            )?,
            today: var(&env, "TODAY")?.or(file.today),
            publisher: Publisher::resolve(file.publisher, &env),
        })
    }

    /// The folder of the encoder.
    #[must_use]
    pub fn model_dir(&self) -> PathBuf {
        self.home.join("models").join(&self.model)
    }
}

/// The default number of questions taken at the same time: one for each processor, two at least.
///
/// The encoder spreads each batch of questions over all processors: each further seat makes those taken
/// wait longer, and who is answered must not wait twice as long as if they were alone
/// (`docs/benchmarks.md`).
#[must_use]
pub fn questions_at_once() -> usize {
    std::thread::available_parallelism()
        .map_or(2, usize::from)
        .max(2)
}

/// The server, when an address names one.
fn qdrant(
    url: Option<String>,
    api_key: Option<Secret>,
    prefix: Option<String>,
) -> anyhow::Result<Option<QdrantServer>> {
    let Some(url) = url else {
        return Ok(None);
    };
    let host = url
        .strip_prefix("http://")
        .or_else(|| url.strip_prefix("https://"))
        .unwrap_or_default();
    // Said without the value: an address may hold a password.
    ensure!(
        !host.is_empty() && host.chars().all(|c| c.is_ascii_graphic() && c != '@'),
        "QDRANT_URL (qdrant_url) doit être une adresse comme http://127.0.0.1:6334, sans nom ni mot de passe"
    );
    ensure!(
        api_key
            .as_ref()
            .is_none_or(|key| key.0.chars().all(|c| c.is_ascii_graphic())),
        "QDRANT_API_KEY (qdrant_api_key) contient un caractère qu’une clé ne peut pas avoir"
    );
    let prefix = prefix.unwrap_or_else(|| "assistant".to_owned());
    ensure!(
        (1..=40).contains(&prefix.len())
            && prefix
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_')),
        "QDRANT_PREFIX (qdrant_prefix) doit avoir de 1 à 40 lettres minuscules, chiffres, « - » ou « _ » : « {prefix} »"
    );
    Ok(Some(QdrantServer {
        url,
        api_key,
        prefix,
    }))
}

fn read(path: &Path) -> anyhow::Result<File> {
    let text = std::fs::read_to_string(path).with_context(|| {
        format!(
            "le fichier de configuration {} ne peut pas être lu",
            path.display()
        )
    })?;
    toml::from_str(&text).map_err(|e| {
        let why = e.message().lines().next().unwrap_or_default().to_owned();
        anyhow!(
            "le fichier de configuration {} est mal formé : {why}",
            path.display()
        )
    })
}

fn var<T: std::str::FromStr>(
    env: impl Fn(&str) -> Option<String>,
    key: &str,
) -> anyhow::Result<Option<T>> {
    let key = format!("ASSISTANT_{key}");
    env(&key)
        .map(|value| {
            value.parse().map_err(|_| {
                anyhow!("la variable {key} a une valeur que je ne comprends pas : « {value} »")
            })
        })
        .transpose()
}

fn default_home() -> anyhow::Result<PathBuf> {
    let has_all = |dir: &Path| dir.join("corpus").is_dir() && dir.join("models").is_dir();
    let current = std::env::current_dir().context("le dossier courant n’existe plus")?;
    let built_from = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    [current, built_from].into_iter().find(|d| has_all(d)).ok_or_else(|| {
        anyhow!("les dossiers corpus/ et models/ ne sont pas ici ; dites où ils sont avec --home DOSSIER")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_wins_over_the_environment_over_the_file_over_defaults() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("a.toml");
        std::fs::write(
            &path,
            "home = \"/from-file\"\ndata_dir = \"/d\"\nconversations = 5\n",
        )
        .expect("written");
        let env = |key: &str| match key {
            "ASSISTANT_ADDR" => Some("127.0.0.1:9000".to_owned()),
            "ASSISTANT_DATA_DIR" => Some("/from-env".to_owned()),
            _ => None,
        };
        let overrides = Overrides {
            file: Some(path),
            addr: Some(SocketAddr::from(([127, 0, 0, 1], 7000))),
            ..Overrides::default()
        };
        let config = Config::resolve(overrides, env).expect("resolved");
        assert_eq!(config.addr.port(), 7000);
        assert_eq!(config.data_dir, PathBuf::from("/from-env"));
        assert_eq!(config.home, PathBuf::from("/from-file"));
        assert_eq!(config.conversations, 5);
        assert!(config.questions_at_once >= 2);
    }

    #[test]
    fn who_publishes_is_read_from_the_table_and_a_variable_wins() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("a.toml");
        let table = "home = \"/\"\n[publisher]\nname = \"Du fichier\"\nhost = \"Un hébergeur\"\ndpo = \"  \"\n";
        std::fs::write(&path, table).expect("written");
        let overrides = || Overrides {
            file: Some(path.clone()),
            ..Overrides::default()
        };
        let env =
            |key: &str| (key == "ASSISTANT_PUBLISHER_NAME").then(|| "De la variable ".to_owned());
        let publisher = Config::resolve(overrides(), env)
            .expect("resolved")
            .publisher;
        assert_eq!(publisher.name.as_deref(), Some("De la variable"));
        assert_eq!(publisher.host.as_deref(), Some("Un hébergeur"));
        assert_eq!(publisher.dpo, None);

        std::fs::write(&path, "[publisher]\nnom = \"x\"\n").expect("written");
        let error = Config::resolve(overrides(), |_| None).expect_err("refused");
        assert!(error.to_string().contains("nom"), "{error}");
    }

    #[test]
    fn what_cannot_be_understood_is_said_in_one_line() {
        let env = |key: &str| (key == "ASSISTANT_CONNECTIONS").then(|| "beaucoup".to_owned());
        let error = Config::resolve(
            Overrides {
                home: Some("/".into()),
                ..Overrides::default()
            },
            env,
        )
        .expect_err("refused");
        assert!(
            error.to_string().contains("ASSISTANT_CONNECTIONS"),
            "{error}"
        );
    }

    #[test]
    fn the_key_of_the_server_is_shown_nowhere() {
        let env = |url: &'static str, key: &'static str| {
            move |name: &str| match name {
                "QDRANT_URL" => Some(url.to_owned()),
                "QDRANT_API_KEY" => Some(key.to_owned()),
                _ => None,
            }
        };
        let home = || Overrides {
            home: Some("/".into()),
            ..Overrides::default()
        };
        let config =
            Config::resolve(home(), env("http://qdrant:6334", "s3cret")).expect("resolved");
        let server = config.qdrant.clone().expect("a server");
        assert_eq!(server.api_key.expect("a key").reveal(), "s3cret");
        assert!(!format!("{config:?}").contains("s3cret"));
        for (url, key) in [
            ("http://moi:s3cret@qdrant:6334", "k"),
            ("http://qdrant:6334", "s3cret\n"),
            ("qdrant:6334/s3cret", "k"),
        ] {
            let error = Config::resolve(home(), env(url, key)).expect_err("refused");
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
    }
}
