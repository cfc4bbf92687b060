//! Conversations: what was said so far, in memory only, forgotten after a while.
//!
//! Nothing here is written to disk or to a log.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use lru::LruCache;
use parking_lot::Mutex;
use uuid::Uuid;

use crate::answer::{Answer, Context};

/// Turns kept for the page; older ones are dropped, the context stays.
const MAX_TURNS: usize = 30;

/// One question and its answer.
#[derive(Debug, Clone)]
pub struct Turn {
    /// What the person typed, cleaned.
    pub question: String,
    /// What they got.
    pub answer: Answer,
}

/// The conversations of a process.
#[derive(Debug)]
pub struct Conversations {
    live: Mutex<LruCache<Uuid, Conversation>>,
    ttl: Duration,
}

#[derive(Debug)]
struct Conversation {
    context: Context,
    turns: Vec<Turn>,
    /// Turns so far, those dropped included.
    count: usize,
    last_used: Instant,
}

impl Conversations {
    /// Remembers at most `capacity` conversations, each for `ttl` after its last question.
    #[must_use]
    pub fn new(capacity: usize, ttl: Duration) -> Self {
        let capacity = NonZeroUsize::new(capacity).unwrap_or(NonZeroUsize::MIN);
        Self {
            live: Mutex::new(LruCache::new(capacity)),
            ttl,
        }
    }

    /// The context of a conversation; `None` when it is unknown or expired.
    #[must_use]
    pub fn context(&self, id: Uuid, now: Instant) -> Option<Context> {
        self.with(id, now, |c| c.context.clone())
    }

    /// The turns of a conversation, oldest first; `None` when it is unknown or expired.
    #[must_use]
    pub fn turns(&self, id: Uuid, now: Instant) -> Option<Vec<Turn>> {
        self.with(id, now, |c| c.turns.clone())
    }

    /// Adds a turn, to a new conversation if there is none with this id; the number of the turn, from 1.
    pub fn add(&self, id: Uuid, turn: Turn, context: Context, now: Instant) -> usize {
        let mut live = self.live.lock();
        self.forget_expired(&mut live, now);
        let conversation = live.get_or_insert_mut(id, || Conversation {
            context: Context::default(),
            turns: Vec::new(),
            count: 0,
            last_used: now,
        });
        conversation.context = context;
        conversation.last_used = now;
        conversation.count += 1;
        conversation.turns.push(turn);
        if conversation.turns.len() > MAX_TURNS {
            conversation.turns.remove(0);
        }
        conversation.count
    }

    /// Forgets a conversation at once.
    pub fn forget(&self, id: Uuid) {
        self.live.lock().pop(&id);
    }

    fn with<T>(&self, id: Uuid, now: Instant, read: impl FnOnce(&Conversation) -> T) -> Option<T> {
        let mut live = self.live.lock();
        self.forget_expired(&mut live, now);
        live.get(&id).map(read)
    }

    /// The least recently used come first, so the walk stops at the first that is alive.
    fn forget_expired(&self, live: &mut LruCache<Uuid, Conversation>, now: Instant) {
        while live
            .peek_lru()
            .is_some_and(|(_, c)| now.saturating_duration_since(c.last_used) >= self.ttl)
        {
            live.pop_lru();
        }
    }
}
