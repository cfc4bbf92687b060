//! The thread that holds the connection: it gathers turns, writes them, and erases what must go.
//!
//! When the disk fails (full, gone, locked), that is logged once; turns wait and are tried again, up
//! to a number and until they expire. When it works again, that is logged too, with what was lost.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Health, Kept, Request, WAITING, file, rows};

/// The shortest time between two transactions that write turns: what a crash may lose.
const GATHERING: Duration = Duration::from_millis(200);
/// After a failure, when the disk is tried again.
const TRYING_AGAIN: Duration = Duration::from_secs(1);
/// The longest time between two looks for what has expired.
const LOOKING: Duration = Duration::from_secs(60);

struct Writer {
    connection: SqliteConnection,
    /// A write failed: the connection is not used again. SQLite may have ended the transaction on its
    /// own, which sqlx does not know, and what a failed fsync left behind is not to be trusted.
    spent: bool,
    path: PathBuf,
    max_mib: u64,
    ttl: Duration,
    health: Arc<Health>,
    /// Turns to write, oldest first.
    waiting: Vec<Kept>,
    /// Conversations to erase that the disk would not let go yet.
    owed: HashSet<Uuid>,
    /// Something was erased, and the log still holds it.
    in_log: bool,
    /// When to write what waits.
    due: Instant,
}

/// Serves requests until it is closed or nobody is left to ask; then writes what waits.
pub(super) async fn run(
    connection: SqliteConnection,
    (path, max_mib): (PathBuf, u64),
    ttl: Duration,
    mut inbox: mpsc::Receiver<Request>,
    (health, closing): (Arc<Health>, CancellationToken),
) {
    let mut writer = Writer {
        connection,
        spent: false,
        path,
        max_mib,
        ttl,
        health,
        waiting: Vec::new(),
        owed: HashSet::new(),
        // The last process may have been killed between an erasure and the end of it.
        in_log: true,
        due: Instant::now(),
    };
    let mut look = interval((ttl / 4).clamp(Duration::from_millis(100), LOOKING));
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut requests = Vec::new();
    loop {
        let due = writer.due;
        tokio::select! {
            biased;
            () = closing.cancelled() => break,
            _ = look.tick() => writer.look().await,
            () = sleep_until(due), if writer.has_work() => writer.work().await,
            taken = inbox.recv_many(&mut requests, WAITING) => {
                if taken == 0 {
                    break;
                }
                writer.take(requests.drain(..)).await;
            }
        }
    }
    inbox.close();
    while let Ok(request) = inbox.try_recv() {
        writer.take([request]).await;
    }
    writer.end().await;
}

impl Writer {
    async fn take(&mut self, requests: impl IntoIterator<Item = Request>) {
        let mut erasures = Vec::new();
        for request in requests {
            match request {
                Request::Keep(kept) => self.gather(*kept),
                Request::Recall(id, reply) => {
                    if self.waiting.iter().any(|k| k.conversation == id) {
                        self.write().await;
                    }
                    let oldest = self.oldest();
                    let found = match self.renew().await {
                        Ok(()) => rows::recall(&mut self.connection, id, oldest).await,
                        Err(e) => Err(e),
                    };
                    let found = match found {
                        Ok(found) => found,
                        Err(e) => {
                            // A disk in trouble was told of already, once.
                            if !self.health.troubled.load(Ordering::Relaxed) {
                                tracing::warn!(error = %e, "a conversation could not be read back: {e}");
                            }
                            None
                        }
                    };
                    let _ = reply.send(found);
                }
                Request::Erase(id, reply) => {
                    self.waiting.retain(|k| k.conversation != id);
                    erasures.push((id, reply));
                }
            }
        }
        if !erasures.is_empty() {
            self.erase(erasures).await;
        }
    }

    /// Adds a turn to those that wait. After a quiet time it is written at once.
    fn gather(&mut self, kept: Kept) {
        if self.waiting.len() < WAITING {
            self.waiting.push(kept);
        } else {
            self.health.lose(1);
        }
    }

    fn has_work(&self) -> bool {
        !self.waiting.is_empty() || !self.owed.is_empty() || self.in_log
    }

    async fn work(&mut self) {
        if !self.owed.is_empty() || self.in_log {
            self.settle().await;
        }
        if !self.waiting.is_empty() {
            self.write().await;
        }
    }

    async fn write(&mut self) {
        if let Err(e) = self.renew().await {
            return self.fails(&e);
        }
        match rows::write(&mut self.connection, &self.waiting).await {
            Ok(()) => {
                self.waiting.clear();
                self.works();
            }
            Err(e) => self.fails(&e),
        }
    }

    /// Erases conversations now, and says of each whether nothing is left of it.
    async fn erase(&mut self, erasures: Vec<(Uuid, oneshot::Sender<bool>)>) {
        if let Err(e) = self.renew().await {
            self.fails(&e);
        }
        for (id, _) in &erasures {
            // Anyone can ask to erase any id: only what is there is owed.
            if rows::holds(&mut self.connection, *id).await.unwrap_or(true) {
                self.owed.insert(*id);
            }
        }
        self.settle().await;
        for (id, reply) in erasures {
            let _ = reply.send(!self.owed.contains(&id) && !self.in_log);
        }
    }

    /// Erases what is owed.
    async fn settle(&mut self) {
        if let Err(e) = self.renew().await {
            return self.fails(&e);
        }
        if !self.owed.is_empty() {
            let ids: Vec<Uuid> = self.owed.iter().copied().collect();
            match rows::erase(&mut self.connection, &ids).await {
                Ok(_) => {
                    self.owed.clear();
                    self.in_log = true;
                }
                Err(e) => return self.fails(&e),
            }
        }
        self.empty_log().await;
    }

    async fn empty_log(&mut self) {
        if self.in_log {
            match rows::empty_log(&mut self.connection).await {
                Ok(true) => self.in_log = false,
                // Another program is reading: a backup, or someone who looks.
                Ok(false) => self.due = Instant::now() + TRYING_AGAIN,
                Err(e) => self.fails(&e),
            }
        }
    }

    /// Looks for what has expired, on disk and among what waits.
    async fn look(&mut self) {
        let (oldest, before) = (self.oldest(), self.waiting.len());
        self.waiting.retain(|k| k.at > oldest);
        self.health.lose(before - self.waiting.len());
        if let Err(e) = self.renew().await {
            return self.fails(&e);
        }
        match rows::expire(&mut self.connection, Timestamp::now(), self.ttl).await {
            Ok(0) => {}
            Ok(expired) => {
                self.in_log = true;
                tracing::debug!(
                    conversations = expired,
                    "{expired} conversations expired and were erased"
                );
            }
            Err(e) => return self.fails(&e),
        }
        self.settle().await;
        if !self.has_work() {
            // Nothing is left that the disk refused.
            self.works();
        }
        if !self.health.troubled.load(Ordering::Relaxed) {
            self.tell_losses();
        }
    }

    /// The disk does as it is told.
    fn works(&mut self) {
        self.due = Instant::now() + GATHERING;
        if self.health.troubled.swap(false, Ordering::Relaxed) {
            tracing::warn!("conversations are written to disk again");
            self.tell_losses();
        }
    }

    /// It does not: that is said once, and tried again.
    fn fails(&mut self, error: &sqlx::Error) {
        self.spent = true;
        self.due = Instant::now() + TRYING_AGAIN;
        if !self.health.troubled.swap(true, Ordering::Relaxed) {
            tracing::error!(
                error = %error,
                "conversations cannot be written to disk and are in memory only: {error}"
            );
        }
    }

    fn tell_losses(&self) {
        let unwritten = self.health.unwritten.swap(0, Ordering::Relaxed);
        if unwritten > 0 {
            tracing::warn!(unwritten, "{unwritten} turns were in memory only");
        }
    }

    /// A fresh connection, if a write failed on the last one.
    async fn renew(&mut self) -> sqlx::Result<()> {
        if self.spent {
            self.connection = file::connect(&self.path, self.max_mib).await?;
            self.spent = false;
        }
        Ok(())
    }

    fn oldest(&self) -> Timestamp {
        rows::oldest(Timestamp::now(), self.ttl)
    }

    /// Writes what waits, and closes the file.
    async fn end(mut self) {
        self.work().await;
        let unwritten = self.waiting.len();
        if unwritten > 0 {
            tracing::error!(unwritten, "{unwritten} turns could not be written");
        }
        if let Err(e) = self.connection.close().await {
            tracing::error!(error = %e, "the database could not be closed: {e}");
        }
    }
}
