//! What waits for the encoder: questions first, passages when no question waits.
//!
//! The questions that wait are bounded, and one too many is refused at once. It knows nothing of
//! tensors, and does not bound the batches of passages: each caller of `embed_all` has only one
//! here at a time.

use std::collections::VecDeque;
use std::sync::{Arc, mpsc};

use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

use super::{EmbedError, Key};

/// At most this many questions wait for the encoder; the next one is told
/// [`EmbedError::Overloaded`].
pub const MAX_WAITING_QUESTIONS: usize = 64;

/// Questions that wait are encoded together up to this many tokens: the weights are then read once
/// for several, and each takes a third less time.
const QUESTION_BATCH_TOKENS: usize = 128;

/// One vector, shared by whoever asked for it.
pub(super) type Vector = Arc<[f32]>;

/// A question and where to send its vector. A closed `reply` means that nobody waits for it any
/// more.
pub(super) struct Question {
    pub(super) key: Key,
    pub(super) tokens: Vec<u32>,
    pub(super) reply: oneshot::Sender<Result<Vector, EmbedError>>,
}

/// A batch of an ingest, made by its caller to fit the token budget.
pub(super) struct Batch {
    pub(super) sequences: Vec<Vec<u32>>,
    pub(super) reply: mpsc::Sender<Result<Vec<Vector>, EmbedError>>,
}

/// What the encoder does next.
pub(super) enum Work {
    /// Never empty.
    Questions(Vec<Question>),
    Passages(Batch),
}

#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    questions: VecDeque<Question>,
    passages: VecDeque<Batch>,
    closed: bool,
}

impl Queue {
    pub(super) fn ask(&self, question: Question) -> Result<(), EmbedError> {
        let mut waiting = self.waiting.lock();
        if waiting.closed {
            return Err(EmbedError::Closed);
        }
        if waiting.questions.len() >= MAX_WAITING_QUESTIONS {
            waiting
                .questions
                .retain(|question| !question.reply.is_closed());
        }
        if waiting.questions.len() >= MAX_WAITING_QUESTIONS {
            return Err(EmbedError::Overloaded);
        }
        waiting.questions.push_back(question);
        self.changed.notify_one();
        Ok(())
    }

    pub(super) fn submit(&self, batch: Batch) -> Result<(), EmbedError> {
        let mut waiting = self.waiting.lock();
        if waiting.closed {
            return Err(EmbedError::Closed);
        }
        waiting.passages.push_back(batch);
        self.changed.notify_one();
        Ok(())
    }

    /// Waits for work; `None` once the queue is closed.
    pub(super) fn next(&self) -> Option<Work> {
        let mut waiting = self.waiting.lock();
        loop {
            if waiting.closed {
                return None;
            }
            let questions = waiting.take_questions();
            if !questions.is_empty() {
                return Some(Work::Questions(questions));
            }
            if let Some(batch) = waiting.passages.pop_front() {
                return Some(Work::Passages(batch));
            }
            self.changed.wait(&mut waiting);
        }
    }

    /// No work is taken or given any more; whoever waits is told [`EmbedError::Closed`], by the
    /// loss of its reply.
    pub(super) fn close(&self) {
        let mut waiting = self.waiting.lock();
        *waiting = Waiting {
            closed: true,
            ..Waiting::default()
        };
        self.changed.notify_all();
    }
}

impl Waiting {
    /// The oldest questions that fit one batch; at least one, if anyone still waits for one.
    fn take_questions(&mut self) -> Vec<Question> {
        let mut taken: Vec<Question> = Vec::new();
        let mut tokens = 0;
        while let Some(question) = self.questions.front() {
            let abandoned = question.reply.is_closed();
            if !abandoned
                && !taken.is_empty()
                && tokens + question.tokens.len() > QUESTION_BATCH_TOKENS
            {
                break;
            }
            let question = self
                .questions
                .pop_front()
                .expect("a question was just seen at the front");
            if !abandoned {
                tokens += question.tokens.len();
                taken.push(question);
            }
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::super::Role;
    use super::*;

    type Reply = oneshot::Receiver<Result<Vector, EmbedError>>;

    fn question(name: &str, length: usize) -> (Question, Reply) {
        let (reply, answer) = oneshot::channel();
        (
            Question {
                key: Key::of(Role::Query, name),
                tokens: vec![7; length],
                reply,
            },
            answer,
        )
    }

    fn batch() -> Batch {
        Batch {
            sequences: vec![vec![7; 9]],
            reply: mpsc::channel().0,
        }
    }

    fn lengths(work: Option<Work>) -> Vec<usize> {
        match work {
            Some(Work::Questions(questions)) => questions
                .iter()
                .map(|question| question.tokens.len())
                .collect(),
            Some(Work::Passages(batch)) => batch.sequences.iter().map(Vec::len).collect(),
            None => Vec::new(),
        }
    }

    #[test]
    fn questions_pass_before_passages_and_share_a_batch_within_the_budget() {
        let queue = Queue::default();
        queue.submit(batch()).expect("the queue is open");
        let mut replies = Vec::new();
        for length in [100, 20, 300, 5] {
            let (asked, reply) = question("q", length);
            queue.ask(asked).expect("there is room");
            replies.push(reply);
        }
        assert_eq!(lengths(queue.next()), [100, 20]);
        assert_eq!(lengths(queue.next()), [300], "a long question goes alone");
        assert_eq!(lengths(queue.next()), [5]);
        assert_eq!(lengths(queue.next()), [9]);
    }

    #[test]
    fn the_sixty_fifth_question_is_refused_until_someone_leaves() {
        let queue = Queue::default();
        let mut replies: Vec<Reply> = (0..MAX_WAITING_QUESTIONS)
            .map(|_| {
                let (asked, reply) = question("q", 10);
                queue.ask(asked).expect("there is room");
                reply
            })
            .collect();
        let (asked, _reply) = question("one too many", 10);
        assert!(matches!(queue.ask(asked), Err(EmbedError::Overloaded)));
        replies.remove(0);
        let (asked, _reply) = question("welcome", 11);
        queue.ask(asked).expect("a place was left");
    }

    #[test]
    fn a_question_nobody_waits_for_is_skipped() {
        let queue = Queue::default();
        let (left, reply) = question("left", 10);
        queue.ask(left).expect("there is room");
        drop(reply);
        let (stayed, _reply) = question("stayed", 20);
        queue.ask(stayed).expect("there is room");
        assert_eq!(lengths(queue.next()), [20]);
    }

    #[test]
    fn closing_tells_everyone() {
        let queue = Queue::default();
        let (asked, mut reply) = question("q", 10);
        queue.ask(asked).expect("there is room");
        queue.close();
        assert!(reply.try_recv().is_err(), "the reply is lost");
        assert!(queue.next().is_none());
        assert!(matches!(queue.submit(batch()), Err(EmbedError::Closed)));
        assert!(matches!(
            queue.ask(question("late", 1).0),
            Err(EmbedError::Closed)
        ));
    }
}
