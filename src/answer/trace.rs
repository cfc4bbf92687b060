//! What happened to one question, for the console, the evaluator and the curious.
//!
//! A trace never leaves the process with a person's words in it: it names passages, scores,
//! durations, and the sentences of ours that were dropped.

use std::time::Instant;

use serde::{Serialize, Serializer};

use super::reply::Timings;
use super::retrieve::Candidate;

/// The stages of the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Language, subject, route.
    Understand,
    /// Waiting for the encoder included.
    Embed,
    /// Search, fusion, judgement.
    Retrieve,
    /// Writing.
    Compose,
    /// Checking each sentence.
    Verify,
}

/// A sentence that was written and not shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dropped {
    /// The sentence.
    pub sentence: String,
    /// Why.
    pub reason: String,
}

/// The record of one question's path.
#[derive(Debug, Clone)]
pub struct Trace {
    started: Instant,
    last: Instant,
    millis: [f64; 5],
    /// Best passages, kept and rejected, best first.
    pub passages: Vec<Candidate>,
    /// Best records, kept and rejected, best first.
    pub records: Vec<Candidate>,
    /// Sentences not shown.
    pub dropped: Vec<Dropped>,
}

impl Trace {
    pub(super) fn start() -> Self {
        let now = Instant::now();
        Self {
            started: now,
            last: now,
            millis: [0.0; 5],
            passages: Vec::new(),
            records: Vec::new(),
            dropped: Vec::new(),
        }
    }

    /// Notes that a stage has just ended.
    pub(super) fn done(&mut self, stage: Stage) {
        let now = Instant::now();
        self.millis[stage as usize] += (now - self.last).as_secs_f64() * 1000.0;
        self.last = now;
    }

    /// Durations so far, in milliseconds.
    #[must_use]
    pub fn timings(&self) -> Timings {
        let [understand, embed, retrieve, compose, verify] = self.millis;
        let total = (self.last - self.started).as_secs_f64() * 1000.0;
        Timings {
            understand,
            embed,
            retrieve,
            compose,
            verify,
            total,
        }
    }
}

impl Serialize for Trace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shape<'a> {
            timings_ms: Timings,
            passages: &'a [Candidate],
            records: &'a [Candidate],
            dropped: &'a [Dropped],
        }
        Shape {
            timings_ms: self.timings(),
            passages: &self.passages,
            records: &self.records,
            dropped: &self.dropped,
        }
        .serialize(serializer)
    }
}
