//! Passages, phrasings and records as vectors, in Qdrant.
//!
//! Three collections, each with its own document frequencies: passages (dense, stems, character
//! grams), phrasings (dense with and without names, stems) and records (dense, stems). A search returns raw scores; summing and judging
//! them is the business of `answer::retrieve`. An index is never changed in place: a new generation
//! is built aside, checked, and switched to, in a folder (`folder`, `edge`) or on a Qdrant server
//! (`server`). Qdrant's types do not leave this module.

mod centre;
mod edge;
mod folder;
mod generation;
mod graph;
mod ingest;
mod server;

use std::path::Path;
use std::sync::Arc;

use crate::config::{Config, QdrantServer};
use crate::text::sparse::{Sparse, Terms};

pub use centre::Centres;
pub use generation::{Manifest, Opened, open_current, publish};
pub use graph::Graphs;
pub use ingest::{Progress, Stage, ingest};
pub use server::version as server_version;

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

impl Meaning {
    /// The name of its channel.
    fn channel(self) -> &'static str {
        match self {
            Self::Whole => "dense",
            Self::Bare => "bare",
        }
    }
}

impl Terms {
    /// The name of its channel.
    fn channel(self) -> &'static str {
        match self {
            Self::Stems => "stems",
            Self::Grams => "grams",
        }
    }
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

/// One channel to search.
#[derive(Debug, Clone)]
pub struct Search {
    /// Where.
    pub collection: Collection,
    /// By what.
    pub by: By,
    /// How many points at most.
    pub limit: usize,
}

/// What points are compared with.
#[derive(Debug, Clone)]
pub enum By {
    /// A unit vector from the encoder: cosine, once both are centred.
    Meaning(Meaning, Arc<[f32]>),
    /// Terms: BM25 over those that are shared.
    Terms(Terms, Sparse),
}

impl By {
    fn channel(&self) -> &'static str {
        match self {
            Self::Meaning(meaning, _) => meaning.channel(),
            Self::Terms(terms, _) => terms.channel(),
        }
    }

    fn is_finite(&self) -> bool {
        match self {
            Self::Meaning(_, vector) => vector.iter().all(|x| x.is_finite()),
            Self::Terms(_, sparse) => sparse.values.iter().all(|x| x.is_finite()),
        }
    }
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
pub enum IndexError {
    /// The embedded store failed, or a value cannot be a vector.
    #[error("the vector store failed: {0}")]
    Failed(String),
    /// The server is away, does not let us in, or holds what is not ours: in French, for whoever
    /// keeps the service. It may be otherwise later.
    #[error("{0}")]
    Server(String),
}

impl IndexError {
    /// What of an error is the server's doing, if anything.
    #[must_use]
    pub fn of_the_server(error: &anyhow::Error) -> bool {
        error
            .chain()
            .any(|cause| matches!(cause.downcast_ref(), Some(Self::Server(_))))
    }
}

/// Where generations are.
#[derive(Debug, Clone, Copy)]
pub enum Place<'a> {
    /// In a data folder.
    Folder(&'a Path),
    /// On a server.
    Server(&'a QdrantServer),
}

impl<'a> Place<'a> {
    /// Where the settings put them.
    #[must_use]
    pub fn of(config: &'a Config) -> Self {
        match &config.qdrant {
            Some(server) => Self::Server(server),
            None => Self::Folder(&config.data_dir),
        }
    }
}

/// A published generation, open for search.
#[derive(Debug)]
pub struct Index {
    store: Store,
    centres: Centres,
    graphs: Graphs,
}

/// Where the vectors are.
#[derive(Debug)]
enum Store {
    /// Embedded, in this process: one shard a collection.
    Edge(Box<edge::Shards>),
    /// On a Qdrant server: one collection a collection. Blocking calls, like the other's.
    Server(server::Generation),
}

impl Index {
    /// The points of each search, best first, with the raw scores of its channel.
    ///
    /// # Errors
    /// [`IndexError`] when the store fails, a collection lacks the channel or a vector is not finite.
    pub fn search<const N: usize>(
        &self,
        searches: [Search; N],
    ) -> Result<[Vec<Hit>; N], IndexError> {
        let mut found = [const { Vec::new() }; N];
        let mut asked = Vec::new();
        for (mut search, hits) in searches.into_iter().zip(&mut found) {
            if !search.by.is_finite() {
                return Err(IndexError::Failed("a query is not finite".to_owned()));
            }
            match &mut search.by {
                By::Meaning(meaning, vector) => *vector = self.centres.question(*meaning, vector),
                // No term, nothing shared.
                By::Terms(_, sparse) if sparse.indices.is_empty() => continue,
                By::Terms(..) => {}
            }
            asked.push((search, hits));
        }
        let (searches, places): (Vec<Search>, Vec<&mut Vec<Hit>>) = asked.into_iter().unzip();
        let answers = match &self.store {
            Store::Edge(shards) => shards.search(&searches, self.graphs)?,
            Store::Server(generation) => generation.search(&searches, self.graphs)?,
        };
        for (place, hits) in places.into_iter().zip(answers) {
            *place = hits;
        }
        Ok(found)
    }

    /// How many points a collection holds.
    ///
    /// # Errors
    /// [`IndexError`] when the store fails.
    pub fn count(&self, collection: Collection) -> Result<usize, IndexError> {
        match &self.store {
            Store::Edge(shards) => shards.count(collection),
            Store::Server(generation) => generation.count(collection),
        }
    }

    /// Whether the store is still there; one in this process always is.
    ///
    /// # Errors
    /// [`IndexError::Server`] when it is not.
    pub fn check(&self) -> Result<(), IndexError> {
        match &self.store {
            Store::Edge(_) => Ok(()),
            Store::Server(generation) => generation.check(),
        }
    }

    /// Inserts points whose vectors come from the encoder as they are.
    fn insert(&self, collection: Collection, points: &[Point]) -> Result<(), IndexError> {
        let centred = points.iter().map(|point| {
            let dense = collection.meanings().iter().zip(&point.dense);
            let dense = dense
                .map(|(meaning, vector)| self.centres.document(collection, *meaning, vector))
                .collect();
            let point = Point {
                number: point.number,
                id: point.id.clone(),
                dense,
                sparse: point.sparse.clone(),
            };
            well_formed(collection, &point).map(|()| point)
        });
        let centred = centred.collect::<Result<Vec<Point>, _>>()?;
        match &self.store {
            Store::Edge(shards) => shards.insert(collection, &centred),
            Store::Server(generation) => generation.insert(collection, &centred),
        }
    }

    fn seal(&self) -> Result<(), IndexError> {
        match &self.store {
            Store::Edge(shards) => shards.seal(self.graphs),
            Store::Server(generation) => generation.settle(),
        }
    }
}

/// A point has every channel of its collection, in finite numbers: a store takes anything, and a
/// point that is not a number then comes first everywhere.
fn well_formed(collection: Collection, point: &Point) -> Result<(), IndexError> {
    let finite = point.dense.iter().all(|v| v.iter().all(|x| x.is_finite()))
        && point
            .sparse
            .iter()
            .all(|v| v.values.iter().all(|x| x.is_finite()));
    let whole = point.dense.len() == collection.meanings().len()
        && point.sparse.len() == collection.terms().len();
    if finite && whole {
        Ok(())
    } else {
        Err(IndexError::Failed(format!(
            "point {} is not well formed",
            point.id
        )))
    }
}
