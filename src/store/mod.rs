//! The store: conversations on disk, for as long as they may be continued. The only owner of SQL.
//!
//! One thread holds the one connection (`writer`). Turns are handed to it through a bounded channel
//! and written behind the answer, grouped; nothing an answer does waits for the disk, and a turn that
//! the disk cannot take is only in memory. Reading back and erasing go through the same channel, so
//! they see what was handed over before them. What may be continued, and by whom, is not decided here.
//!
//! Times on disk are those of the clock on the wall: they must outlive the process.

mod file;
mod rows;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc as blocking};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::answer::{Context, Trace};
use crate::conversation::{Conversation, Turn};

pub use file::inspect;

/// Turns that wait to be written, at most; the next is not written.
const WAITING: usize = 1024;
/// How long a person waits for the disk, to go on with a conversation or to have it erased.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long the last turns may take to be written when the service stops.
const LAST_WRITES: Duration = Duration::from_secs(5);

/// The file of the database, in a data folder.
#[must_use]
pub fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("assistant.db")
}

/// The conversations on disk.
#[derive(Debug)]
pub struct Store {
    inbox: mpsc::Sender<Request>,
    health: Arc<Health>,
    closing: CancellationToken,
    /// Disconnected once the thread has ended.
    ended: Mutex<blocking::Receiver<()>>,
}

/// Whether turns reach the disk.
#[derive(Debug, Default)]
struct Health {
    /// The last write failed, or the thread is gone.
    troubled: AtomicBool,
    /// Turns that did not reach the disk and were not told of yet.
    unwritten: AtomicU64,
}

/// A turn to keep, with what the next one starts from.
#[derive(Debug)]
pub struct Kept {
    /// Its conversation.
    pub conversation: Uuid,
    /// Its number in the conversation, from 1.
    pub number: usize,
    /// When it was answered.
    pub at: Timestamp,
    /// The question and its answer.
    pub turn: Arc<Turn>,
    /// What the next turn starts from.
    pub context: Context,
    /// How the answer came about.
    pub trace: Trace,
}

/// What the thread is asked.
#[derive(Debug)]
enum Request {
    /// To write a turn, soon.
    Keep(Box<Kept>),
    /// To read a conversation back.
    Recall(Uuid, oneshot::Sender<Option<Conversation>>),
    /// To erase a conversation; true once nothing of it is on disk.
    Erase(Uuid, oneshot::Sender<bool>),
}

impl Store {
    /// Opens the database, made if it is missing, and erases what is older than `ttl`. It takes
    /// `max_mib` MiB of disk at most; beyond, turns are in memory only until older ones expire.
    ///
    /// # Errors
    /// One line in French that says what to do: the file is of a newer version, is not a database of
    /// ours, is damaged, or cannot be written. The file is then as it was.
    pub fn open(path: &Path, ttl: Duration, max_mib: u64) -> anyhow::Result<Self> {
        let (inbox, requests) = mpsc::channel(WAITING);
        let health = Arc::new(Health::default());
        let closing = CancellationToken::new();
        let (opened, opening) = blocking::channel();
        let (alive, ended) = blocking::channel::<()>();

        let path = path.to_owned();
        let life = (Arc::clone(&health), closing.clone());
        let work = move || {
            let _alive = alive;
            // A runtime of its own: those of the service come and go, and wait for nothing here.
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build();
            let runtime = match runtime {
                Ok(runtime) => runtime,
                Err(e) => return drop(opened.send(Err(e.into()))),
            };
            runtime.block_on(async {
                match file::open(&path, max_mib).await {
                    Ok(connection) => {
                        let _ = opened.send(Ok(()));
                        writer::run(connection, (path, max_mib), ttl, requests, life).await;
                    }
                    Err(e) => drop(opened.send(Err(e))),
                }
            });
        };
        std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(work)
            .context("le fil de la base n’a pas pu démarrer")?;
        opening
            .recv()
            .map_err(|_| anyhow!("la base n’a pas pu être ouverte"))??;
        Ok(Self {
            inbox,
            health,
            closing,
            ended: Mutex::new(ended),
        })
    }

    /// Hands over a turn to be written soon. Never waits: beyond a number that waits already, or when
    /// the disk is in trouble, the turn is in memory only.
    pub fn keep(&self, kept: Kept) {
        match self.inbox.try_send(Request::Keep(Box::new(kept))) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                if self.health.lose(1) == 0 {
                    tracing::warn!(
                        waiting = WAITING,
                        "the disk is slow: {WAITING} turns wait already, some are in memory only"
                    );
                }
            }
            // The service stops, or the thread is gone; `is_sound` tells.
            Err(TrySendError::Closed(_)) => {
                self.health.lose(1);
            }
        }
    }

    /// The conversation as it was last written; `None` when it is unknown, expired, or the disk is
    /// too slow to say.
    pub async fn recall(&self, id: Uuid) -> Option<Conversation> {
        let (reply, recalled) = oneshot::channel();
        self.ask(Request::Recall(id, reply), recalled)
            .await
            .flatten()
    }

    /// Erases a conversation, what waits to be written included. True once no byte of it is on disk;
    /// false when that is still to come, which it will as soon as the disk allows.
    pub async fn erase(&self, id: Uuid) -> bool {
        let (reply, erased) = oneshot::channel();
        self.ask(Request::Erase(id, reply), erased)
            .await
            .unwrap_or(false)
    }

    async fn ask<T>(&self, request: Request, reply: oneshot::Receiver<T>) -> Option<T> {
        let asked = async {
            self.inbox.send(request).await.ok()?;
            reply.await.ok()
        };
        tokio::time::timeout(PATIENCE, asked).await.ok().flatten()
    }

    /// Whether turns reach the disk; false while they are in memory only.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        !self.inbox.is_closed() && !self.health.troubled.load(Ordering::Relaxed)
    }

    /// Writes what waits and closes the file, in a bounded time. Blocking. Turns that come later are
    /// not written.
    pub fn close(&self) {
        self.closing.cancel();
        let waited = self.ended.lock().recv_timeout(LAST_WRITES);
        if waited == Err(blocking::RecvTimeoutError::Timeout) {
            tracing::error!(
                limit_s = LAST_WRITES.as_secs(),
                "the last turns could not be written in time"
            );
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.close();
    }
}

impl Health {
    /// Counts turns that do not reach the disk; how many there were before.
    fn lose(&self, turns: usize) -> u64 {
        self.unwritten.fetch_add(turns as u64, Ordering::Relaxed)
    }
}
