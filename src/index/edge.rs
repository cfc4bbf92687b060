//! Qdrant embedded: `qdrant-edge` 0.7.2, one shard a collection.
//!
//! Its traps are met here: points, checked before they come (a faulty batch would be half
//! applied), are only inserted (updates can tear), flushed once by the single writer (a flush beside a
//! writer panics), and its log is never relied upon.

use std::path::{Path, PathBuf};
use std::thread;

use qdrant_edge::external::serde_json::json;
use qdrant_edge::{
    CountRequest, Distance, EdgeConfig, EdgeShard, EdgeSparseVectorParams, EdgeVectorParams,
    HnswIndexConfig, Modifier, NamedQuery, PointId, PointInsertOperations, PointOperations,
    PointStruct, PointStructPersisted, QueryEnum, QueryRequest, ScoringQuery, SearchParams,
    SparseVector, UpdateOperation, Vector, VectorInternal, VectorStorageDatatype, Vectors,
    WalOptions, WithPayloadInterface, WithVector,
};

use super::folder::InUse;
use super::graph::BEAM;
use super::{By, Collection, Graphs, Hit, IndexError, Point, Search};
use crate::text::sparse::Sparse;

const BATCH: usize = 250;
/// Merge after this many insertions: posting lists of an open segment slow down quadratically.
const MERGE_EVERY: usize = 2_500;

/// The shards, in the order of [`Collection::ALL`].
#[derive(Debug)]
pub struct Shards {
    shards: [EdgeShard; 3],
    /// Let go after the shards: they write to their folder when they close.
    _folder: Option<InUse>,
}

impl Shards {
    /// New, empty shards in a folder that exists and holds none.
    pub(super) fn create(dir: &Path, dimensions: usize) -> Result<Self, IndexError> {
        let open = |collection: Collection| {
            let path = folder(dir, collection);
            std::fs::create_dir_all(&path).map_err(failed)?;
            EdgeShard::new(&path, config(collection, dimensions)).map_err(failed)
        };
        Ok(Self {
            shards: [
                open(Collection::Passages)?,
                open(Collection::Phrasings)?,
                open(Collection::Records)?,
            ],
            _folder: None,
        })
    }

    /// The shards of a published folder.
    pub(super) fn load(dir: &Path, folder: InUse) -> Result<Self, IndexError> {
        let open = |collection: Collection| {
            EdgeShard::load(&self::folder(dir, collection), None).map_err(failed)
        };
        Ok(Self {
            shards: [
                open(Collection::Passages)?,
                open(Collection::Phrasings)?,
                open(Collection::Records)?,
            ],
            _folder: Some(folder),
        })
    }

    /// Removes the logs of sealed, closed shards: nothing reads them, and they are mapped whole into memory.
    pub(super) fn forget_logs(dir: &Path) -> Result<(), IndexError> {
        for collection in Collection::ALL {
            std::fs::remove_dir_all(folder(dir, collection).join("wal")).map_err(failed)?;
        }
        Ok(())
    }

    fn shard(&self, collection: Collection) -> &EdgeShard {
        match collection {
            Collection::Passages => &self.shards[0],
            Collection::Phrasings => &self.shards[1],
            Collection::Records => &self.shards[2],
        }
    }

    pub(super) fn insert(
        &self,
        collection: Collection,
        points: &[Point],
    ) -> Result<(), IndexError> {
        let shard = self.shard(collection);
        for (i, batch) in points.chunks(BATCH).enumerate() {
            let list = batch
                .iter()
                .map(|p| persisted(collection, p))
                .collect::<Result<Vec<_>, _>>()?;
            shard
                .update(UpdateOperation::PointOperation(
                    PointOperations::UpsertPoints(PointInsertOperations::PointsList(list)),
                ))
                .map_err(failed)?;
            if ((i + 1) * BATCH).is_multiple_of(MERGE_EVERY) {
                shard.optimize().map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Merges and writes everything to disk; called once, by the only writer, before publication.
    pub(super) fn seal(&self, graphs: Graphs) -> Result<(), IndexError> {
        for collection in Collection::ALL {
            let shard = self.shard(collection);
            // Once, when all points are there: each merge before would build its own.
            if graphs.has(collection) {
                for meaning in collection.meanings() {
                    let graph = HnswIndexConfig::default();
                    shard
                        .set_vector_hnsw_config(meaning.channel(), graph)
                        .map_err(failed)?;
                }
            }
            shard.optimize().map_err(failed)?;
            shard.flush();
        }
        Ok(())
    }

    /// Vectors of phrasings are the most by far: they are searched beside all the rest.
    pub(super) fn search(
        &self,
        searches: &[Search],
        graphs: Graphs,
    ) -> Result<Vec<Vec<Hit>>, IndexError> {
        let takes_long = |search: &Search| {
            search.collection == Collection::Phrasings && matches!(search.by, By::Meaning(..))
        };
        let (long, short): (Vec<_>, Vec<_>) = searches
            .iter()
            .enumerate()
            .partition(|(_, search)| takes_long(search));
        let each = |searches: Vec<(usize, &Search)>| {
            let queries = searches.into_iter();
            let found = queries.map(|(place, search)| Ok((place, self.query(search, graphs)?)));
            found.collect::<Result<Vec<_>, IndexError>>()
        };
        let (long, short) = thread::scope(|scope| {
            let beside = scope.spawn(|| each(long));
            let here = each(short);
            let ended = |_| Err(IndexError::Failed("a search did not end".to_owned()));
            (beside.join().unwrap_or_else(ended), here)
        });
        let mut found = vec![Vec::new(); searches.len()];
        for (place, hits) in long?.into_iter().chain(short?) {
            found[place] = hits;
        }
        Ok(found)
    }

    fn query(&self, search: &Search, graphs: Graphs) -> Result<Vec<Hit>, IndexError> {
        let channel = search.by.channel();
        let exact = graphs.must_be_exact(search);
        let limit = graphs.limit(search);
        let vector = match &search.by {
            By::Meaning(_, vector) => vector.to_vec().into(),
            By::Terms(_, terms) => VectorInternal::Sparse(sparse(terms.clone())),
        };
        let request = QueryRequest {
            prefetches: Vec::new(),
            query: Some(ScoringQuery::Vector(QueryEnum::Nearest(NamedQuery::new(
                vector, channel,
            )))),
            filter: None,
            score_threshold: None,
            limit,
            offset: 0,
            params: Some(SearchParams {
                exact,
                hnsw_ef: Some(BEAM),
                ..SearchParams::default()
            }),
            with_vector: WithVector::Bool(false),
            with_payload: WithPayloadInterface::Bool(false),
        };
        let found = self
            .shard(search.collection)
            .query(request)
            .map_err(failed)?;
        Ok(found
            .into_iter()
            .filter_map(|p| match p.id {
                PointId::NumId(n) => Some(Hit {
                    number: usize::try_from(n).ok()?,
                    score: p.score,
                }),
                PointId::Uuid(_) => None,
            })
            .collect())
    }

    pub(super) fn count(&self, collection: Collection) -> Result<usize, IndexError> {
        self.shard(collection)
            .count(CountRequest {
                filter: None,
                exact: true,
            })
            .map_err(failed)
    }
}

fn folder(dir: &Path, collection: Collection) -> PathBuf {
    dir.join(collection.name())
}

fn config(collection: Collection, dimensions: usize) -> EdgeConfig {
    // Mapped and read page by page: stored "in memory", each channel takes 32 MiB however few its points.
    let mut builder = EdgeConfig::builder();
    // A graph, where there is one, is built once all points are there.
    let no_graph = HnswIndexConfig {
        m: 0,
        ..HnswIndexConfig::default()
    };
    for meaning in collection.meanings() {
        let params = EdgeVectorParams::builder(dimensions, Distance::Cosine)
            .on_disk(true)
            // Half the memory to read; a cosine changes by less than what counts as a tie.
            .datatype(VectorStorageDatatype::Float16)
            .hnsw_config(no_graph)
            .build();
        builder = builder.vector(meaning.channel(), params);
    }
    for terms in collection.terms() {
        let params = EdgeSparseVectorParams::builder()
            .modifier(Modifier::Idf)
            .full_scan_threshold(200)
            .on_disk(true)
            .build();
        builder = builder.sparse_vector(terms.channel(), params);
    }
    // The log is written but never read back; the default reserves 32 MiB a shard for it.
    builder
        .wal_options(WalOptions {
            segment_capacity: 4 << 20,
            ..WalOptions::default()
        })
        .build()
}

fn sparse(vector: Sparse) -> SparseVector {
    SparseVector {
        indices: vector.indices,
        values: vector.values,
    }
}

fn persisted(collection: Collection, point: &Point) -> Result<PointStructPersisted, IndexError> {
    let dense = collection.meanings().iter().zip(&point.dense);
    let dense = dense.map(|(m, v)| (m.channel().to_owned(), Vector::new_dense(v.to_vec())));
    let lexical = collection.terms().iter().zip(&point.sparse);
    let lexical = lexical.map(|(t, v)| (t.channel().to_owned(), Vector::from(sparse(v.clone()))));
    let vectors: Vec<(String, Vector)> = dense.chain(lexical).collect();
    let number = PointId::NumId(u64::try_from(point.number).map_err(failed)?);
    Ok(PointStruct::new(
        number,
        Vectors::new_named(vectors),
        json!({ "id": point.id }),
    )
    .into())
}

fn failed(error: impl std::fmt::Display) -> IndexError {
    IndexError::Failed(error.to_string())
}
