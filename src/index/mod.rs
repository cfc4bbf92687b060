//! Passages, phrasings and records as vectors, in Qdrant.
//!
//! Three collections, each with its own document frequencies: passages (dense, stems, character
//! grams), phrasings (dense with and without names, stems) and records (dense, stems). A search returns raw scores; summing and judging
//! them is the business of `answer::retrieve`. An index is never changed in place: `generation`
//! builds a new one aside, checks it and switches. Qdrant's types do not leave this module.

mod centre;
mod edge;
mod generation;
mod ingest;

use std::path::Path;
use std::sync::Arc;

use crate::text::sparse::{Sparse, Terms};

pub use centre::Centres;
pub use generation::{Manifest, Opened, open_current};
pub use ingest::{Progress, Stage, ingest};

/// What is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Collection {
    /// The citable points of the corpus.
    Passages,
    /// How people ask for them.
    Phrasings,
    /// The catalogue.
    Records,
}

impl Collection {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Passages, Self::Phrasings, Self::Records];

    /// Its name in the vector store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Passages => "passages",
            Self::Phrasings => "phrasings",
            Self::Records => "records",
        }
    }

    /// The dense channels it has.
    #[must_use]
    pub fn meanings(self) -> &'static [Meaning] {
        match self {
            Self::Phrasings => &[Meaning::Whole, Meaning::Bare],
            Self::Passages | Self::Records => &[Meaning::Whole],
        }
    }

    /// The lexical channels it has.
    #[must_use]
    pub fn terms(self) -> &'static [Terms] {
        match self {
            Self::Passages => &[Terms::Stems, Terms::Grams],
            Self::Phrasings | Self::Records => &[Terms::Stems],
        }
    }
}

/// What of a text is embedded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// All of it.
    Whole,
    /// All but the names of programmes and pages, which would make all questions on one alike.
    Bare,
}

/// One point to insert.
#[derive(Debug, Clone)]
pub struct Point {
    /// Its position in the corpus' own list, which is its number in the store.
    pub number: usize,
    /// The id of the passage or record, kept as payload for whoever inspects the store.
    pub id: String,
    /// Unit vectors from the encoder, one for each of the collection's channels, in their order.
    pub dense: Vec<Arc<[f32]>>,
    /// One sparse vector for each of the collection's channels, in their order.
    pub sparse: Vec<Sparse>,
}

/// One point found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// Its number.
    pub number: usize,
    /// The raw score of the channel: cosine, or BM25.
    pub score: f32,
}

/// Why the index could not answer.
#[derive(Debug, thiserror::Error)]
#[error("the vector store failed: {0}")]
pub struct IndexError(String);

/// A published generation, open for search.
#[derive(Debug)]
pub struct Index {
    store: Store,
    centres: Centres,
}

/// Where the vectors are. The second variant, a Qdrant server, takes the same calls.
#[derive(Debug)]
enum Store {
    /// Embedded, in this process: one shard a collection.
    Edge(edge::Shards),
}

impl Index {
    /// The points nearest in meaning: cosine of the centred vectors, best first.
    ///
    /// # Errors
    /// [`IndexError`] when the store fails or the vector is not finite.
    pub fn nearest(
        &self,
        collection: Collection,
        meaning: Meaning,
        question: &[f32],
        limit: usize,
    ) -> Result<Vec<Hit>, IndexError> {
        let question = self.centres.question(meaning, question);
        match &self.store {
            Store::Edge(shards) => shards.nearest(collection, meaning, &question, limit),
        }
    }

    /// The points that share terms: BM25, best first.
    ///
    /// # Errors
    /// [`IndexError`] when the store fails or the collection lacks the channel.
    pub fn matching(
        &self,
        collection: Collection,
        terms: Terms,
        query: &Sparse,
        limit: usize,
    ) -> Result<Vec<Hit>, IndexError> {
        if query.indices.is_empty() {
            return Ok(Vec::new());
        }
        match &self.store {
            Store::Edge(shards) => shards.matching(collection, terms, query, limit),
        }
    }

    /// How many points a collection holds.
    ///
    /// # Errors
    /// [`IndexError`] when the store fails.
    pub fn count(&self, collection: Collection) -> Result<usize, IndexError> {
        match &self.store {
            Store::Edge(shards) => shards.count(collection),
        }
    }

    fn create(dir: &Path, dimensions: usize, centres: Centres) -> Result<Self, IndexError> {
        Ok(Self {
            store: Store::Edge(edge::Shards::create(dir, dimensions)?),
            centres,
        })
    }

    fn load(dir: &Path, centres: Centres) -> Result<Self, IndexError> {
        Ok(Self {
            store: Store::Edge(edge::Shards::load(dir)?),
            centres,
        })
    }

    /// Inserts points whose vectors come from the encoder as they are.
    fn insert(&self, collection: Collection, points: &[Point]) -> Result<(), IndexError> {
        let centred = points.iter().map(|point| {
            let dense = collection.meanings().iter().zip(&point.dense);
            let dense = dense
                .map(|(meaning, vector)| self.centres.document(collection, *meaning, vector))
                .collect();
            Point {
                number: point.number,
                id: point.id.clone(),
                dense,
                sparse: point.sparse.clone(),
            }
        });
        let centred: Vec<Point> = centred.collect();
        match &self.store {
            Store::Edge(shards) => shards.insert(collection, &centred),
        }
    }

    /// Removes what a sealed index, closed, no longer needs.
    fn forget_logs(dir: &Path) -> Result<(), IndexError> {
        edge::Shards::forget_logs(dir)
    }

    fn seal(&self) -> Result<(), IndexError> {
        match &self.store {
            Store::Edge(shards) => shards.seal(),
        }
    }
}
