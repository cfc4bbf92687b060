//! The long-lived parts, opened once, and the one way in for pages, API, console and tests.

use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, bail};
use parking_lot::RwLock;
use tokio::sync::{Semaphore, watch};
use uuid::Uuid;

use crate::answer::{self, Answered, Evidence, Knowledge, Stop};
use crate::config::Config;
use crate::conversation::{Conversation, Conversations, Turn};
use crate::corpus::Corpus;
use crate::embed::Embedder;
use crate::index::{self, Opened, Progress};
use crate::store::{self, Store};
use crate::text::door::{Question, Unusable};

/// The service, whatever way it is reached.
#[derive(Debug)]
pub struct App {
    /// Settings.
    pub config: Config,
    /// Everything known; pages and API read it even while the index is being built.
    pub corpus: Arc<Corpus>,
    /// Who said what, for a while.
    pub conversations: Conversations,
    /// Corpus, index and encoder, once they are ready.
    knowledge: RwLock<Option<Arc<Knowledge>>>,
    /// How far that is.
    readiness: watch::Sender<Readiness>,
    /// One permit a question in progress.
    seats: Semaphore,
    /// Held as long as the process uses the data folder; let go last.
    _lock: File,
}

/// Whether questions can be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// Not yet; how far the index is, once that is known.
    Preparing(Option<Progress>),
    /// Yes.
    Ready,
    /// No, and not by waiting: the reason, in French.
    Failed(String),
}

/// Why a message got no answer.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It is empty, or too long.
    #[error(transparent)]
    Unusable(#[from] Unusable),
    /// The index is being built.
    #[error("the index is being built")]
    Preparing,
    /// Too many questions at once.
    #[error("too many questions at once")]
    Overloaded,
    /// A part failed; the cause is logged here once.
    #[error("a part of the service failed")]
    Failed,
}

/// One turn of a conversation, answered.
#[derive(Debug)]
pub struct Reply {
    /// The conversation, to be given with the next message.
    pub conversation: Uuid,
    /// The id given was unknown or expired: this is a new conversation.
    pub restarted: bool,
    /// The number of the turn in the conversation, from 1.
    pub turn: usize,
    /// The answer and how it came about.
    pub answered: Answered,
}

impl App {
    /// Reads the corpus, takes the data folder and opens its database. The index and the encoder come with [`App::prepare`].
    ///
    /// # Errors
    /// One clear message in French: faults of the corpus, the data folder already in use, or a
    /// database that is not to be touched.
    pub fn open(config: Config) -> anyhow::Result<Arc<Self>> {
        let corpus = Corpus::read(&config.home)
            .map_err(|faults| anyhow::anyhow!("le corpus a des fautes :\n{faults}"))?;
        let lock = take(&config)?;
        let store = Store::open(
            &store::path(&config.data_dir),
            config.conversation_ttl,
            config.database_mib,
        )?;
        Ok(Arc::new(Self {
            corpus: Arc::new(corpus),
            conversations: Conversations::new(config.conversations, config.conversation_ttl, store),
            knowledge: RwLock::new(None),
            readiness: watch::Sender::new(Readiness::Preparing(None)),
            seats: Semaphore::new(config.questions_at_once),
            _lock: lock,
            config,
        }))
    }

    /// Loads the encoder and the index, building the index when corpus or model changed, or when
    /// `rebuild` asks for it. Blocking: for its own thread. Progress is told through [`App::watch`].
    ///
    /// # Errors
    /// The reason, in French; also told through [`App::watch`].
    pub fn prepare(&self, rebuild: bool) -> anyhow::Result<()> {
        let result = self.knowledge_now(rebuild);
        match &result {
            Ok(_) => self.readiness.send_replace(Readiness::Ready),
            Err(e) => self
                .readiness
                .send_replace(Readiness::Failed(format!("{e:#}"))),
        };
        *self.knowledge.write() = result.as_ref().ok().cloned();
        result.map(|_| ())
    }

    fn knowledge_now(&self, rebuild: bool) -> anyhow::Result<Arc<Knowledge>> {
        let started = Instant::now();
        let embedder = Embedder::open(&self.config.model_dir())?;
        let opened = if rebuild {
            Opened::Missing("une reconstruction est demandée".to_owned())
        } else {
            index::open_current(
                &self.config.data_dir,
                &self.corpus.digest,
                &embedder.model().digest,
            )
        };
        let index = match opened {
            Opened::UpToDate(index) => *index,
            Opened::Missing(why) | Opened::Damaged(why) => {
                tracing::info!(reason = %why, "building the index: {why}");
                index::ingest(
                    &self.corpus,
                    &embedder,
                    &self.config.data_dir,
                    &mut |progress| {
                        self.readiness
                            .send_replace(Readiness::Preparing(Some(progress)));
                    },
                )
                .context("l’index n’a pas pu être construit")?
            }
        };
        let duration_ms = started.elapsed().as_millis();
        tracing::info!(
            duration_ms,
            passages = self.corpus.passages.len(),
            records = self.corpus.records.len(),
            "ready after {duration_ms} ms"
        );
        Ok(Arc::new(Knowledge {
            corpus: Arc::clone(&self.corpus),
            index,
            embedder,
        }))
    }

    /// Whether questions can be answered now.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        self.readiness.borrow().clone()
    }

    /// The readiness as it changes.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Readiness> {
        self.readiness.subscribe()
    }

    /// Takes a message of a conversation and answers it.
    ///
    /// # Errors
    /// [`Refusal`]; the conversation is then as it was.
    pub async fn converse(
        &self,
        conversation: Option<Uuid>,
        message: &str,
    ) -> Result<Reply, Refusal> {
        let question = Question::parse(message)?;
        let knowledge = self.knowledge()?;
        let _seat = self.seats.try_acquire().map_err(|_| Refusal::Overloaded)?;

        let known = match conversation {
            Some(id) => self.conversations.find(id, Instant::now()).await,
            None => None,
        };
        let restarted = conversation.is_some() && known.is_none();
        let (id, earlier) = match (conversation, known) {
            (Some(id), Some(earlier)) => (id, earlier),
            _ => (Uuid::new_v4(), Conversation::default()),
        };

        let answered = answer::answer(&knowledge, earlier.context.clone(), question.clone())
            .await
            .map_err(refusal)?;
        let turn = Turn {
            question,
            answer: answered.answer.clone(),
        };
        let turn = self.conversations.add(
            id,
            earlier,
            turn,
            answered.context.clone(),
            answered.trace.clone(),
            Instant::now(),
        );
        Ok(Reply {
            conversation: id,
            restarted,
            turn,
            answered,
        })
    }

    /// The best passages and records for a query.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn search(&self, query: &str) -> Result<Evidence, Refusal> {
        let question = Question::parse(query)?;
        let knowledge = self.knowledge()?;
        let _seat = self.seats.try_acquire().map_err(|_| Refusal::Overloaded)?;
        answer::search(&knowledge, question).await.map_err(refusal)
    }

    fn knowledge(&self) -> Result<Arc<Knowledge>, Refusal> {
        self.knowledge.read().clone().ok_or(match self.readiness() {
            Readiness::Failed(_) => Refusal::Failed,
            _ => Refusal::Preparing,
        })
    }
}

fn refusal(stop: Stop) -> Refusal {
    match stop {
        Stop::Overloaded => Refusal::Overloaded,
        other => {
            tracing::error!(error = %other, "a question could not be answered: {other}");
            Refusal::Failed
        }
    }
}

/// Takes the data folder for this process, until it ends.
fn take(config: &Config) -> anyhow::Result<File> {
    let dir = &config.data_dir;
    std::fs::create_dir_all(dir)
        .with_context(|| format!("le dossier {} ne peut pas être créé", dir.display()))?;
    let path = dir.join("lock");
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .with_context(|| format!("{} ne peut pas être ouvert en écriture", path.display()))?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0)?;
            write!(file, "{}", std::process::id())?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            file.read_to_string(&mut pid)?;
            bail!(
                "le dossier {} est déjà utilisé par un autre assistant (processus {}) ; arrêtez-le, ou donnez un autre dossier avec --data-dir",
                dir.display(),
                pid.trim()
            )
        }
        Err(TryLockError::Error(e)) => {
            Err(e).with_context(|| format!("{} ne peut pas être verrouillé", path.display()))
        }
    }
}
