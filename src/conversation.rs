//! Conversations: what was said so far, forgotten after a while.
//!
//! A live conversation is read from memory. Each turn is also handed to the store, behind the answer;
//! a conversation that memory does not have, after a restart or because of many others, is read back
//! from there. Nothing here is written to a log.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use lru::LruCache;
use parking_lot::Mutex;
use uuid::Uuid;

use crate::answer::{Answer, Context, Trace};
use crate::store::{Kept, Store};
use crate::text::door::Question;

/// Turns kept for the page; older ones are dropped, the context stays.
pub const MAX_TURNS: usize = 30;
/// Conversations just forgotten that are known as such: more than there can be answers on their way.
const FORGOTTEN: NonZeroUsize = NonZeroUsize::new(4096).expect("4096 is not zero");

/// One question and its answer. `Debug` does not print the words.
#[derive(Clone)]
pub struct Turn {
    /// What the person typed, cleaned.
    pub question: Question,
    /// What they got.
    pub answer: Answer,
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Turn({:?})", self.question)
    }
}

/// A conversation so far.
#[derive(Debug, Clone, Default)]
pub struct Conversation {
    /// What the next turn starts from.
    pub context: Context,
    /// The last turns, oldest first, [`MAX_TURNS`] at most.
    pub turns: Vec<Arc<Turn>>,
    /// Turns so far, those dropped included.
    pub count: usize,
}

/// The conversations of a service.
#[derive(Debug)]
pub struct Conversations {
    memory: Mutex<Memory>,
    ttl: Duration,
    store: Store,
}

#[derive(Debug)]
struct Memory {
    /// In the order of their last question, so that the oldest are the first to go.
    live: LruCache<Uuid, Live>,
    /// What an answer on its way must not bring back.
    forgotten: LruCache<Uuid, ()>,
}

#[derive(Debug)]
struct Live {
    conversation: Conversation,
    last_used: Instant,
}

impl Conversations {
    /// Remembers at most `capacity` conversations in memory, each for `ttl` after its last question.
    #[must_use]
    pub fn new(capacity: usize, ttl: Duration, store: Store) -> Self {
        let capacity = NonZeroUsize::new(capacity).unwrap_or(NonZeroUsize::MIN);
        let memory = Memory {
            live: LruCache::new(capacity),
            forgotten: LruCache::new(FORGOTTEN),
        };
        Self {
            memory: Mutex::new(memory),
            ttl,
            store,
        }
    }

    /// A conversation so far; `None` when it is unknown, expired or forgotten.
    pub async fn find(&self, id: Uuid, now: Instant) -> Option<Conversation> {
        {
            let mut memory = self.memory.lock();
            memory.forget_expired(now, self.ttl);
            // Looking is no use: `peek` leaves the order as it is.
            if let Some(live) = memory.live.peek(&id) {
                return Some(live.conversation.clone());
            }
            // The nil id is never given out.
            if id.is_nil() || memory.forgotten.contains(&id) {
                return None;
            }
        }
        self.store.recall(id).await
    }

    /// Adds a turn to a conversation that was found as `earlier`, or is new; the number of the turn,
    /// from 1. A conversation forgotten meanwhile stays so.
    pub fn add(
        &self,
        id: Uuid,
        earlier: Conversation,
        turn: Turn,
        context: Context,
        trace: Trace,
        now: Instant,
    ) -> usize {
        let turn = Arc::new(turn);
        let mut memory = self.memory.lock();
        memory.forget_expired(now, self.ttl);
        if memory.forgotten.contains(&id) {
            return earlier.count + 1;
        }
        let live = memory.live.get_or_insert_mut(id, || Live {
            conversation: earlier,
            last_used: now,
        });
        live.last_used = now;
        let conversation = &mut live.conversation;
        conversation.context = context.clone();
        conversation.count += 1;
        conversation.turns.push(Arc::clone(&turn));
        if conversation.turns.len() > MAX_TURNS {
            conversation.turns.remove(0);
        }
        let number = conversation.count;
        // Handed over before another thread can forget the conversation, so that it is erased with it.
        self.store.keep(Kept {
            conversation: id,
            number,
            at: Timestamp::now(),
            turn,
            context,
            trace,
        });
        number
    }

    /// Forgets a conversation at once, in memory and on disk. False when its erasure from the disk is
    /// still to come.
    pub async fn forget(&self, id: Uuid) -> bool {
        {
            let mut memory = self.memory.lock();
            memory.live.pop(&id);
            memory.forgotten.put(id, ());
        }
        self.store.erase(id).await
    }

    /// Whether turns reach the disk, and so outlive a restart.
    #[must_use]
    pub fn outlive_a_restart(&self) -> bool {
        self.store.is_sound()
    }

    /// Writes what waits and closes the store, in a bounded time. Blocking.
    pub fn close(&self) {
        self.store.close();
    }
}

impl Memory {
    /// The least recently used come first, so the walk stops at the first that is alive.
    fn forget_expired(&mut self, now: Instant, ttl: Duration) {
        while self
            .live
            .peek_lru()
            .is_some_and(|(_, c)| now.saturating_duration_since(c.last_used) >= ttl)
        {
            self.live.pop_lru();
        }
    }
}
