//! The long-lived parts, opened once, and the one way in for pages, API, console and tests.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{Semaphore, watch};
use uuid::Uuid;

use crate::answer::{self, Answered, Evidence, Found, Knowledge, Stop};
use crate::config::Config;
use crate::conversation::{Conversation, Conversations, Turn};
use crate::corpus::{self, Corpus};
use crate::embed::Embedder;
use crate::index::{self, Index, IndexError, Opened, Place, Progress};
use crate::store::{self, Store};
use crate::text::door::{Question, Unusable};

/// How often the vector server is looked at while nobody asks.
const LOOK: Duration = Duration::from_secs(10);
/// How long to wait before a lost vector server is tried again: the first time, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

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
    /// The encoder, opened once, however often the index is.
    embedder: Mutex<Option<Embedder>>,
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
    /// Not as long as the vector server is as it is: the reason, in French. It is tried again.
    Away(String),
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
    /// The vector server cannot be used now: the reason, in French, for whoever keeps the service.
    #[error("{0}")]
    Away(String),
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
            embedder: Mutex::new(None),
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
        let readiness = match &result {
            Ok(_) => Readiness::Ready,
            Err(e) if IndexError::of_the_server(e) => Readiness::Away(format!("{e:#}")),
            Err(_) if self.answers_from_an_earlier_corpus() => return result.map(|_| ()),
            Err(e) => Readiness::Failed(format!("{e:#}")),
        };
        *self.knowledge.write() = result.as_ref().ok().cloned();
        self.readiness.send_replace(readiness);
        result.map(|_| ())
    }

    /// Answers from the generation in service when it was made from an earlier corpus that the data
    /// folder keeps: the next one is minutes away. Nothing is said when that cannot be.
    fn go_on(&self, embedder: &Embedder, digest: &str) {
        let model = &embedder.model().digest;
        let Some(corpus) = corpus::kept(&self.config.data_dir, digest) else {
            return;
        };
        if let Ok(Opened::UpToDate(index)) =
            index::open_current(Place::of(&self.config), digest, model)
        {
            tracing::info!("answering from the earlier corpus while the next index is built");
            *self.knowledge.write() = Some(Arc::new(Knowledge {
                corpus: Arc::new(corpus),
                index: *index,
                embedder: embedder.clone(),
            }));
            self.readiness.send_replace(Readiness::Ready);
        }
    }

    /// Whether answers still come from the corpus before the one that pages show.
    #[must_use]
    pub fn answers_from_an_earlier_corpus(&self) -> bool {
        let knowledge = self.knowledge.read();
        knowledge.as_ref().is_some_and(|k| self.is_earlier(k))
    }

    fn is_earlier(&self, knowledge: &Knowledge) -> bool {
        knowledge.corpus.digest != self.corpus.digest
    }

    /// Prepares, and again each time the vector server was lost, as long as the service runs.
    pub async fn stay_ready(self: Arc<Self>) {
        let mut pause = PAUSES.0;
        let mut said = None;
        loop {
            let preparing = Arc::clone(&self);
            let prepared = tokio::task::spawn_blocking(move || preparing.prepare(false)).await;
            match (prepared, self.readiness()) {
                (Ok(Ok(())), _) => {
                    (pause, said) = (PAUSES.0, None);
                    self.until_lost().await;
                }
                (Ok(Err(_)), Readiness::Away(why)) => {
                    // Said once, not at each attempt.
                    if said.as_ref() != Some(&why) {
                        tracing::error!(reason = %why, "the vector server cannot be used, trying again: {why}");
                        said = Some(why);
                    }
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSES.1);
                }
                (Ok(Err(e)), Readiness::Ready) => {
                    tracing::error!(error = %format!("{e:#}"), "the next index was not built, answers come from the earlier corpus: {e:#}");
                    return;
                }
                (Ok(Err(e)), _) => {
                    tracing::error!(error = %format!("{e:#}"), "the assistant cannot answer: {e:#}");
                    return;
                }
                (Err(e), _) => {
                    tracing::error!(error = %e, "the preparation was interrupted: {e}");
                    return;
                }
            }
        }
    }

    /// Returns when the vector server is lost: a question found out, or a look at it.
    async fn until_lost(self: &Arc<Self>) {
        let mut readiness = self.watch();
        let lost = readiness.wait_for(|r| matches!(r, Readiness::Away(_)));
        let look = async {
            loop {
                tokio::time::sleep(LOOK).await;
                let Some(knowledge) = self.knowledge.read().clone() else {
                    return;
                };
                let looked = tokio::task::spawn_blocking(move || knowledge.index.check()).await;
                if let Ok(Err(e)) = looked {
                    self.lose(&e);
                    return;
                }
            }
        };
        tokio::select! {
            _ = lost => {}
            () = look => {}
        }
    }

    /// No question is taken until the vector server is there again: each would wait in vain.
    fn lose(&self, error: &IndexError) {
        tracing::error!(error = %error, "the vector server was lost: {error}");
        self.readiness
            .send_replace(Readiness::Away(error.to_string()));
    }

    fn embedder(&self) -> anyhow::Result<Embedder> {
        let mut kept = self.embedder.lock();
        match &*kept {
            Some(embedder) => Ok(embedder.clone()),
            None => Ok(kept
                .insert(Embedder::open(&self.config.model_dir())?)
                .clone()),
        }
    }

    fn knowledge_now(&self, rebuild: bool) -> anyhow::Result<Arc<Knowledge>> {
        let started = Instant::now();
        let embedder = self.embedder()?;
        let place = Place::of(&self.config);
        let opened = if rebuild {
            Opened::Missing("une reconstruction est demandée".to_owned())
        } else {
            index::open_current(place, &self.corpus.digest, &embedder.model().digest)?
        };
        // Before a generation that needs it is in service.
        if let Err(e) = corpus::keep(&self.corpus, &self.config.home, &self.config.data_dir) {
            tracing::warn!(error = %e, "no copy of the corpus: a start with another one will have to wait for its index");
        }
        let why = match opened {
            Opened::UpToDate(index) => return Ok(self.known(*index, embedder, started)),
            Opened::Earlier(digest) => {
                self.go_on(&embedder, &digest);
                "le corpus a changé".to_owned()
            }
            Opened::Missing(why) | Opened::Damaged(why) => why,
        };
        tracing::info!(reason = %why, "building the index: {why}");
        let data = &self.config.data_dir;
        let index = index::ingest(&self.corpus, &embedder, data, place, &mut |progress| {
            if !self.answers_from_an_earlier_corpus() {
                self.readiness
                    .send_replace(Readiness::Preparing(Some(progress)));
            }
        })
        .context("l’index n’a pas pu être construit")?;
        Ok(self.known(index, embedder, started))
    }

    /// What answering needs, all of it of one corpus.
    fn known(&self, index: Index, embedder: Embedder, started: Instant) -> Arc<Knowledge> {
        if let Err(e) = corpus::forget_others(&self.corpus, &self.config.data_dir) {
            tracing::warn!(error = %e, "could not remove copies of earlier corpora");
        }
        // Read now, so that the first who says where they are does not wait for it.
        if let Err(faults) = self.corpus.territory() {
            tracing::error!(error = %faults, "the places of the corpus do not read: {faults}");
        }
        let duration_ms = started.elapsed().as_millis();
        tracing::info!(
            duration_ms,
            passages = self.corpus.passages.len(),
            records = self.corpus.records.len(),
            "ready after {duration_ms} ms"
        );
        Arc::new(Knowledge {
            corpus: Arc::clone(&self.corpus),
            index,
            embedder,
        })
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

        let answered = answer::answer(
            &knowledge,
            earlier.context.clone(),
            question.clone(),
            self.today(),
        )
        .await
        .map_err(|stop| self.refusal(stop))?;
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
        let found = answer::search(&knowledge, question)
            .await
            .map_err(|stop| self.refusal(stop))?;
        // Asked of what was searched: the next index may have come in service meanwhile.
        Ok(if self.is_earlier(&knowledge) {
            moved(found, &knowledge.corpus, &self.corpus)
        } else {
            found
        })
    }

    /// The day on which an application without a date is made.
    #[must_use]
    pub fn today(&self) -> Date {
        self.config.today.unwrap_or_else(today)
    }

    fn knowledge(&self) -> Result<Arc<Knowledge>, Refusal> {
        match self.readiness() {
            Readiness::Ready => self.knowledge.read().clone().ok_or(Refusal::Preparing),
            Readiness::Preparing(_) => Err(Refusal::Preparing),
            Readiness::Away(why) => Err(Refusal::Away(why)),
            Readiness::Failed(_) => Err(Refusal::Failed),
        }
    }

    fn refusal(&self, stop: Stop) -> Refusal {
        match stop {
            Stop::Overloaded => Refusal::Overloaded,
            Stop::Index(error @ IndexError::Server(_)) => {
                self.lose(&error);
                Refusal::Away(error.to_string())
            }
            other => {
                tracing::error!(error = %other, "a question could not be answered: {other}");
                Refusal::Failed
            }
        }
    }
}

/// The day it is in metropolitan France: aids open and close by its calendar.
#[must_use]
pub fn today() -> Date {
    let paris = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap_or(TimeZone::UTC);
    paris.to_datetime(Timestamp::now()).date()
}

/// Evidence from one corpus by its positions in another, without what is not in it any more.
fn moved(evidence: Evidence, from: &Corpus, to: &Corpus) -> Evidence {
    let records = to.records.iter().enumerate();
    let records: HashMap<&str, usize> = records.map(|(at, r)| (r.id.as_str(), at)).collect();
    let moved = |found: Vec<Found>, place: &dyn Fn(usize) -> Option<usize>| {
        let found = found.into_iter();
        found
            .filter_map(|f| {
                Some(Found {
                    at: place(f.at)?,
                    ..f
                })
            })
            .collect()
    };
    Evidence {
        passages: moved(evidence.passages, &|at| {
            to.position(from.passages[at].id.as_str())
        }),
        records: moved(evidence.records, &|at| {
            records.get(from.records[at].id.as_str()).copied()
        }),
        ..evidence
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
