//! Texts to vectors: a tokenizer and a BERT encoder, both read from a folder of `models/`.
//!
//! One plain thread owns the model; what it must do comes to it through a queue where questions
//! pass before ingest (`queue.rs`), and candle spreads each product over the cores. A question
//! costs one short run or, asked before, none. Tokens, tensors and prefixes stop here: whoever
//! calls gives plain text and gets plain numbers.
//!
//! It deliberately does not choose what to embed, compare vectors, or download a model.

mod bert;
mod cache;
mod model;
mod ops;
mod queue;

use std::cmp::Reverse;
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use anyhow::{Context, anyhow};
use candle_core::utils::with_threadpool;
use lru::LruCache;
use parking_lot::Mutex;
use tokenizers::Tokenizer;
use tokio::sync::oneshot;
use tracing::{error, info};

pub use cache::{Cache, Key};
pub use model::{FolderError, ModelCard, list};
pub use queue::MAX_WAITING_QUESTIONS;

use bert::Bert;
use model::{Folder, Prefixes};
use queue::{Batch, Question, Queue, Vector, Work};

/// How many questions keep their vector in memory, so that the same words cost nothing the next
/// time. The page on personal data says so.
pub const REMEMBERED_QUESTIONS: NonZeroUsize = NonZeroUsize::new(1024).expect("1024 is not zero");

/// Tokens of one batch of an ingest: a question waits for one batch at most. As many as the longest
/// text has, since that one cannot be split; with nothing padded, 1,024 were no faster.
const BATCH_TOKENS: usize = 512;

/// A text longer than this is cut before it is split into tokens: 512 tokens are some 2,500 bytes
/// of prose, and nobody should keep the tokenizer busy with a megabyte.
const MAX_BYTES: usize = 16 * 1024;

/// What a text is to the encoder: each role has its own prefix in `model.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// A question, or a phrasing of one.
    Query,
    /// What may answer it: a passage, a dataset record.
    Passage,
}

/// A text to embed, without prefix.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    /// What it is.
    pub role: Role,
    /// Its words; what does not fit the model's `max_tokens` is not read.
    pub text: &'a str,
}

/// Why a text has no vector.
#[derive(thiserror::Error, Debug)]
pub enum EmbedError {
    /// [`MAX_WAITING_QUESTIONS`] others wait already: say so to the visitor, and when to come back.
    #[error("trop de questions attendent déjà l'encodeur")]
    Overloaded,
    /// The encoder has stopped, as the program is leaving or its thread failed.
    #[error("l'encodeur est arrêté")]
    Closed,
    /// The model failed on this text.
    #[error("l'encodeur a échoué : {0}")]
    Model(String),
}

/// The encoder. Cheap to clone; its thread ends with the last clone.
#[derive(Clone)]
pub struct Embedder {
    inner: Arc<Inner>,
}

struct Inner {
    card: ModelCard,
    words: Words,
    queue: Arc<Queue>,
    remembered: Arc<Remembered>,
    thread: Option<JoinHandle<()>>,
}

/// Keys, never words: what people ask is not kept.
type Remembered = Mutex<LruCache<Key, Vector>>;

impl Embedder {
    /// Reads the model of a folder, verifies its files, and starts its thread. Takes some hundreds
    /// of milliseconds.
    ///
    /// # Errors
    /// When the folder cannot be used: one line in French that names the file and the remedy.
    pub fn open(dir: &Path) -> anyhow::Result<Embedder> {
        let started = Instant::now();
        let Folder {
            manifest,
            card,
            weights,
            tokenizer,
        } = Folder::read(dir)?;
        let queue = Arc::new(Queue::default());
        let remembered = Arc::new(Mutex::new(LruCache::new(REMEMBERED_QUESTIONS)));
        let (ready, loaded) = mpsc::channel();
        let encoder = Encoder {
            queue: Arc::clone(&queue),
            remembered: Arc::clone(&remembered),
        };
        let config = bert::Config::from(&manifest);
        let thread = thread::Builder::new()
            .name("encoder".to_owned())
            .spawn(move || {
                let bert = Bert::load(config, &weights);
                drop(weights);
                match bert {
                    Ok(bert) => {
                        // Nobody listens if the tokenizer was refused meanwhile; the queue is then
                        // closed at once.
                        let _ = ready.send(Ok(()));
                        encoder.run(&bert);
                    }
                    Err(error) => drop(ready.send(Err(error))),
                }
            })?;
        // From here on, `Inner` ends the thread, whatever fails below.
        let words = Words::read(
            &tokenizer,
            &manifest.prefixes,
            manifest.vocab_size,
            manifest.max_tokens,
        );
        let unusable = |path: &str| {
            format!(
                "{} ne convient pas à ce programme",
                dir.join(path).display()
            )
        };
        let inner = Inner {
            card,
            words: words
                .with_context(|| unusable(&manifest.files.tokenizer.path))
                .inspect_err(|_| queue.close())?,
            queue,
            remembered,
            thread: Some(thread),
        };
        loaded
            .recv()
            .context("l'encodeur s'est arrêté au chargement")?
            .with_context(|| unusable(&manifest.files.weights.path))?;
        let duration_ms = started.elapsed().as_millis() as u64;
        let name = &inner.card.name;
        info!(model.name = %name, duration_ms, "loaded model {name} in {duration_ms} ms");
        Ok(Embedder {
            inner: Arc::new(inner),
        })
    }

    /// What the model is.
    pub fn model(&self) -> &ModelCard {
        &self.inner.card
    }

    /// The ids the encoder is given for a text, prefix, `<s>` and `</s>` included, cut at
    /// `max_tokens`.
    ///
    /// # Errors
    /// [`EmbedError::Model`] when the tokenizer fails.
    pub fn tokens(&self, text: &Text<'_>) -> Result<Vec<u32>, EmbedError> {
        self.inner.words.tokens(text)
    }

    /// The vector of a question: as many f32 as the model has dimensions, of length 1. Ten to
    /// forty milliseconds on a free machine, none if the question was asked before; leaving early
    /// (dropping the future) cancels it.
    ///
    /// # Errors
    /// [`EmbedError::Overloaded`] at once, when [`MAX_WAITING_QUESTIONS`] wait already; the others
    /// when the encoder cannot serve.
    pub async fn question(&self, text: &str) -> Result<Vector, EmbedError> {
        let text = Text {
            role: Role::Query,
            text,
        };
        let key = text.key();
        if let Some(vector) = self.inner.remembered.lock().get(&key) {
            return Ok(Arc::clone(vector));
        }
        let tokens = self.inner.words.tokens(&text)?;
        let (reply, answer) = oneshot::channel();
        self.inner.queue.ask(Question { key, tokens, reply })?;
        answer.await.map_err(|_| EmbedError::Closed)?
    }

    /// The vectors of many texts, in their order; blocks until all are there, so call it on a
    /// thread of its own.
    ///
    /// Known texts come from the cache. The others are sorted by length, encoded by batches of
    /// about the same size, and each batch is added to the cache: an ingest that is interrupted
    /// goes on from there. Questions pass before each batch. `progress` is told how many texts are
    /// done, and how many there are.
    ///
    /// # Errors
    /// When the cache cannot be written, or the encoder fails or is closed: one line in French.
    pub fn embed_all(
        &self,
        texts: &[Text<'_>],
        cache: &mut Cache,
        progress: &mut dyn FnMut(usize, usize),
    ) -> anyhow::Result<Vec<Vector>> {
        let keys: Vec<Key> = texts.iter().map(Text::key).collect();
        let mut missing: HashMap<Key, &Text<'_>> = HashMap::new();
        missing.extend(
            keys.iter()
                .zip(texts)
                .filter(|(key, _)| cache.get(key).is_none())
                .map(|(key, text)| (*key, text)),
        );
        let mut copies: HashMap<Key, usize> = HashMap::new();
        keys.iter()
            .for_each(|key| *copies.entry(*key).or_default() += 1);

        let mut done = keys.iter().filter(|key| !missing.contains_key(key)).count();
        progress(done, texts.len());
        let sequences = missing
            .iter()
            .map(|(key, text)| Ok((*key, self.tokens(text)?)));
        for batch in batches(sequences.collect::<Result<_, EmbedError>>()?) {
            let (keys, sequences): (Vec<Key>, Vec<Vec<u32>>) = batch.into_iter().unzip();
            let vectors = self.encode(sequences)?;
            done += keys.iter().map(|key| copies[key]).sum::<usize>();
            cache.append(&keys.into_iter().zip(vectors).collect::<Vec<_>>())?;
            progress(done, texts.len());
        }
        let vector = |key| {
            cache
                .get(key)
                .ok_or_else(|| anyhow!("un texte n'a pas reçu de vecteur"))
        };
        keys.iter().map(vector).collect()
    }

    fn encode(&self, sequences: Vec<Vec<u32>>) -> Result<Vec<Vector>, EmbedError> {
        let (reply, answer) = mpsc::channel();
        self.inner.queue.submit(Batch { sequences, reply })?;
        answer.recv().map_err(|_| EmbedError::Closed)?
    }
}

impl std::fmt::Debug for Embedder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Embedder")
            .field("model", &self.inner.card.name)
            .finish_non_exhaustive()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.queue.close();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was already reported, and everyone who waited was told.
            let _ = thread.join();
        }
    }
}

/// What the thread of the model does.
struct Encoder {
    queue: Arc<Queue>,
    remembered: Arc<Remembered>,
}

impl Encoder {
    fn run(&self, bert: &Bert) {
        while let Some(work) = self.queue.next() {
            match work {
                Work::Questions(questions) => self.answer(bert, questions),
                Work::Passages(batch) => {
                    // Nobody listens if the ingest was stopped.
                    let _ = batch.reply.send(embed(bert, &batch.sequences));
                }
            }
        }
    }

    fn answer(&self, bert: &Bert, questions: Vec<Question>) {
        // Two visitors may have asked the same thing while it waited.
        let mut new: Vec<Question> = Vec::with_capacity(questions.len());
        for question in questions {
            match self.remembered.lock().get(&question.key) {
                Some(vector) => drop(question.reply.send(Ok(Arc::clone(vector)))),
                None => new.push(question),
            }
        }
        let sequences: Vec<Vec<u32>> = new
            .iter_mut()
            .map(|question| std::mem::take(&mut question.tokens))
            .collect();
        match embed(bert, &sequences) {
            Ok(vectors) => {
                for (question, vector) in new.into_iter().zip(vectors) {
                    self.remembered
                        .lock()
                        .put(question.key, Arc::clone(&vector));
                    // Nobody listens if the visitor left meanwhile; the vector is remembered all
                    // the same.
                    let _ = question.reply.send(Ok(vector));
                }
            }
            Err(cause) => {
                for question in new {
                    let _ = question
                        .reply
                        .send(Err(EmbedError::Model(cause.to_string())));
                }
            }
        }
    }
}

/// However the thread ends, nobody waits for it in vain.
impl Drop for Encoder {
    fn drop(&mut self) {
        self.queue.close();
    }
}

fn embed(bert: &Bert, sequences: &[Vec<u32>]) -> Result<Vec<Vector>, EmbedError> {
    if sequences.is_empty() {
        return Ok(Vec::new());
    }
    // Within candle's pool, so that no product has to be carried there from a thread outside.
    match with_threadpool(|| bert.embed(sequences)) {
        Ok(vectors) => Ok(vectors.into_iter().map(Vector::from).collect()),
        Err(cause) => {
            error!(
                batch.sequences = sequences.len(),
                "the encoder failed: {cause}"
            );
            Err(EmbedError::Model(cause.to_string()))
        }
    }
}

/// A text as the model reads it.
type Sequence = (Key, Vec<u32>);

/// Batches of at most [`BATCH_TOKENS`], or of one longer text; the longest texts first, so that
/// what needs most memory fails first.
fn batches(mut sequences: Vec<Sequence>) -> Vec<Vec<Sequence>> {
    sequences.sort_by_key(|(key, tokens)| (Reverse(tokens.len()), *key));
    let mut batches: Vec<Vec<Sequence>> = Vec::new();
    let mut room = 0;
    for sequence in sequences {
        let length = sequence.1.len();
        match batches.last_mut() {
            Some(batch) if length <= room => {
                room -= length;
                batch.push(sequence);
            }
            _ => {
                room = BATCH_TOKENS.saturating_sub(length);
                batches.push(vec![sequence]);
            }
        }
    }
    batches
}

/// The tokenizer, with what `model.toml` says of it.
struct Words {
    tokenizer: Tokenizer,
    prefixes: Prefixes,
    max_tokens: usize,
}

impl Words {
    fn read(
        json: &[u8],
        prefixes: &Prefixes,
        vocabulary: usize,
        max_tokens: usize,
    ) -> anyhow::Result<Words> {
        let tokenizer = Tokenizer::from_bytes(json).map_err(|cause| anyhow!("{cause}"))?;
        let found = tokenizer.get_vocab_size(true);
        anyhow::ensure!(
            found == vocabulary,
            "{found} entrées au lieu de {vocabulary}"
        );
        Ok(Words {
            tokenizer,
            prefixes: prefixes.clone(),
            max_tokens,
        })
    }

    fn tokens(&self, text: &Text<'_>) -> Result<Vec<u32>, EmbedError> {
        let read = &text.text[..text.text.floor_char_boundary(MAX_BYTES)];
        let prefixed = [self.prefixes.of(text.role), read].concat();
        let encoding = self
            .tokenizer
            .encode_fast(prefixed, true)
            .map_err(|cause| EmbedError::Model(cause.to_string()))?;
        Ok(cut(encoding.get_ids(), self.max_tokens))
    }
}

/// The first `max` ids, the last of which stays the mark that ends the text.
fn cut(ids: &[u32], max: usize) -> Vec<u32> {
    match ids {
        [start @ .., end] if ids.len() > max => {
            start[..max - 1].iter().chain([end]).copied().collect()
        }
        _ => ids.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_fill_their_budget_and_forget_no_text() {
        let lengths = [
            9,
            BATCH_TOKENS / 2,
            3,
            BATCH_TOKENS + 1,
            BATCH_TOKENS / 2,
            7,
        ];
        let sequences = lengths.iter().enumerate();
        let sequences = sequences
            .map(|(at, length)| (Key::of(Role::Passage, &at.to_string()), vec![7; *length]));
        let batches = batches(sequences.collect());
        let lengths = |batch: &Vec<Sequence>| batch.iter().map(|text| text.1.len()).collect();
        let lengths: Vec<Vec<usize>> = batches.iter().map(lengths).collect();
        let half = BATCH_TOKENS / 2;
        assert_eq!(
            lengths,
            [vec![BATCH_TOKENS + 1], vec![half, half], vec![9, 7, 3]]
        );
    }

    #[test]
    fn a_cut_text_still_ends() {
        assert_eq!(cut(&[0, 5, 6, 7, 2], 4), [0, 5, 6, 2]);
        assert_eq!(cut(&[0, 5, 6, 7, 2], 5), [0, 5, 6, 7, 2]);
        assert_eq!(cut(&[0, 2], 5), [0, 2]);
    }
}
