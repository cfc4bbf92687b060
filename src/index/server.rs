//! A Qdrant server, over gRPC.
//!
//! ```text
//! assistant                             alias: the passages of the generation in service
//! assistant-0007-<digest>-passages      marked as ours, with its manifest, in its metadata
//! assistant-0007-<digest>-phrasings     marked as ours
//! assistant-0007-<digest>-records       marked as ours
//! ```
//! One alias moves in one step, three would not: it names the generation, as `current` does in a
//! folder. Collections are then asked for by their own names, so that a process goes on with its
//! generation while another is put in service. The one before is kept for such processes.
//!
//! Nothing without our mark is written to, replaced or removed. Every call has a limit of time, and
//! blocks the thread that makes it.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::qdrant_client::config::QdrantConfig;
use ::qdrant_client::qdrant::point_id::PointIdOptions;
use ::qdrant_client::qdrant::vectors_config::Config as Channels;
use ::qdrant_client::qdrant::{
    CollectionInfo, CollectionStatus, CountPointsBuilder, CreateAlias, CreateCollectionBuilder,
    Datatype, Distance, HnswConfigDiffBuilder, Modifier, NamedVectors, PointId, PointStruct, Query,
    QueryBatchPointsBuilder, QueryPointsBuilder, ScoredPoint, SearchParamsBuilder,
    SparseVectorParamsBuilder, SparseVectorsConfigBuilder, UpdateCollectionBuilder,
    UpsertPointsBuilder, Vector, VectorInput, VectorParamsBuilder, VectorsConfigBuilder,
};
use ::qdrant_client::{Payload, Qdrant, QdrantError};
use futures::future::try_join_all;
use tokio::runtime::Runtime;

use super::generation::{Manifest, Opened, fill, is_whole};
use super::graph::BEAM;
use super::{By, Collection, Graphs, Hit, Index, IndexError, Point, Search, Store};
use crate::config::QdrantServer;

/// To connect.
const CONNECT: Duration = Duration::from_secs(2);
/// For what a question waits for, and for all that only reads.
const READ: Duration = Duration::from_secs(2);
/// To create, insert or remove.
const WRITE: Duration = Duration::from_secs(60);
/// For the server to merge what was inserted.
const SETTLE: Duration = Duration::from_secs(300);

const BATCH: usize = 250;

/// The key of our mark in a collection's metadata; its value is the generation.
const MARK: &str = "datanormandie-assistant";
/// The key of the manifest, as JSON, in the metadata of a generation's passages. Written last.
const MANIFEST: &str = "manifest";

/// Opens the generation in service, as [`super::open_current`].
pub(super) fn open_current(
    server: &QdrantServer,
    corpus: &str,
    model_digest: &str,
) -> Result<Opened, IndexError> {
    let connection = Arc::new(Connection::open(server)?);
    let Some(name) = connection.current()? else {
        return Ok(Opened::Missing(
            "aucun index n’a encore été construit sur le serveur".to_owned(),
        ));
    };
    let generation = Generation { connection, name };
    let Some(manifest) = generation.manifest()? else {
        return Ok(Opened::Damaged(format!(
            "la génération {} n’a pas de manifeste lisible",
            generation.name
        )));
    };
    if let Some(other) = manifest.differs(corpus, model_digest) {
        return Ok(other);
    }
    if let Some(why) = generation.fault_of_shape(manifest.centres.dimensions())? {
        return Ok(Opened::Damaged(why));
    }
    let index = Index {
        store: Store::Server(generation),
        centres: manifest.centres.clone(),
        graphs: manifest.graphs,
    };
    match is_whole(&index, &manifest) {
        Ok(()) => Ok(Opened::UpToDate(Box::new(index))),
        Err(e) => match e.downcast::<IndexError>() {
            Ok(away) => Err(away),
            Err(e) => Ok(Opened::Damaged(format!("{e:#}"))),
        },
    }
}

/// As [`super::generation::publish`]; generations older than the previous one are then removed.
pub(super) fn publish(
    server: &QdrantServer,
    manifest: Manifest,
    dimensions: usize,
    points: &[Vec<Point>; 3],
    written: &mut dyn FnMut(usize),
) -> anyhow::Result<Index> {
    let connection = Arc::new(Connection::open(server)?);
    let previous = connection.current()?;
    let manifest = Manifest {
        store: format!("qdrant {}", connection.version()?),
        ..manifest
    };
    let generation = Generation::create(connection, &manifest, dimensions)?;
    let name = generation.name.clone();
    let connection = Arc::clone(&generation.connection);
    match build(generation, &manifest, points, written) {
        Ok(index) => {
            connection.remove_old(&name, previous.as_deref());
            Ok(index)
        }
        Err(e) => {
            connection.remove(&name);
            Err(e)
        }
    }
}

fn build(
    generation: Generation,
    manifest: &Manifest,
    points: &[Vec<Point>; 3],
    written: &mut dyn FnMut(usize),
) -> anyhow::Result<Index> {
    let index = Index {
        store: Store::Server(generation),
        centres: manifest.centres.clone(),
        graphs: manifest.graphs,
    };
    fill(&index, points, BATCH, written)?;
    is_whole(&index, manifest)?;
    if let Store::Server(generation) = &index.store {
        generation.put_in_service(manifest)?;
    }
    Ok(index)
}

/// The version of the server, once it has let us in.
///
/// # Errors
/// [`IndexError::Server`].
pub fn version(server: &QdrantServer) -> Result<String, IndexError> {
    let connection = Connection::open(server)?;
    // The version is told to anyone; the aliases only to who has the key.
    connection.current()?;
    connection.version()
}

/// Three collections of the server.
#[derive(Debug)]
pub(super) struct Generation {
    connection: Arc<Connection>,
    name: String,
}

impl Generation {
    /// New, empty collections under the next free name.
    fn create(
        connection: Arc<Connection>,
        manifest: &Manifest,
        dimensions: usize,
    ) -> Result<Self, IndexError> {
        let numbers = connection.collections()?;
        let number = numbers
            .iter()
            .filter_map(|name| Some(connection.generation_of(name)?.0))
            .max()
            .map_or(1, |last| last + 1);
        let digest = &manifest.corpus[..manifest.corpus.len().min(12)];
        let name = format!("{}-{number:04}-{digest}", connection.prefix);
        let generation = Self { connection, name };
        for collection in Collection::ALL {
            generation.create_collection(collection, dimensions, manifest.graphs)?;
        }
        Ok(generation)
    }

    fn create_collection(
        &self,
        collection: Collection,
        dimensions: usize,
        graphs: Graphs,
    ) -> Result<(), IndexError> {
        let mut dense = VectorsConfigBuilder::default();
        for meaning in collection.meanings() {
            let params = VectorParamsBuilder::new(dimensions as u64, Distance::Cosine)
                .datatype(Datatype::Float16);
            dense.add_named_vector_params(meaning.channel(), params);
        }
        let mut lexical = SparseVectorsConfigBuilder::default();
        for terms in collection.terms() {
            let params = SparseVectorParamsBuilder::default().modifier(Modifier::Idf);
            lexical.add_named_vector_params(terms.channel(), params);
        }
        let graph = HnswConfigDiffBuilder::default();
        let graph = if graphs.has(collection) {
            graph
        } else {
            graph.m(0)
        };
        let request = CreateCollectionBuilder::new(self.collection(collection))
            .vectors_config(dense)
            .sparse_vectors_config(lexical)
            .hnsw_config(graph)
            // Document frequencies are counted by shard.
            .shard_number(1)
            .metadata(HashMap::from([(MARK.to_owned(), self.name.clone().into())]));
        self.connection
            .call(WRITE, self.connection.client.create_collection(request))
            .map(|_| ())
    }

    /// The name of one of its collections.
    fn collection(&self, collection: Collection) -> String {
        format!("{}-{}", self.name, collection.name())
    }

    pub(super) fn insert(
        &self,
        collection: Collection,
        points: &[Point],
    ) -> Result<(), IndexError> {
        let points = points.iter().map(|point| {
            let dense = collection.meanings().iter().zip(&point.dense);
            let dense = dense.map(|(m, v)| (m.channel(), Vector::new_dense(v.to_vec())));
            let lexical = collection.terms().iter().zip(&point.sparse);
            let lexical = lexical.map(|(t, v)| {
                let vector = Vector::new_sparse(v.indices.clone(), v.values.clone());
                (t.channel(), vector)
            });
            let vectors: Vec<(&str, Vector)> = dense.chain(lexical).collect();
            PointStruct::new(
                point.number as u64,
                NamedVectors::from(vectors),
                Payload::from([("id", point.id.clone().into())]),
            )
        });
        let request = UpsertPointsBuilder::new(
            self.collection(collection),
            points.collect::<Vec<PointStruct>>(),
        )
        .wait(true);
        self.connection
            .call(WRITE, self.connection.client.upsert_points(request))
            .map(|_| ())
    }

    /// Waits until the server has merged what was inserted.
    pub(super) fn settle(&self) -> Result<(), IndexError> {
        let started = Instant::now();
        for collection in Collection::ALL {
            loop {
                let info = self.info(collection)?;
                if info.status == CollectionStatus::Green as i32 {
                    break;
                }
                if started.elapsed() > SETTLE {
                    return Err(IndexError::Server(format!(
                        "le serveur Qdrant {} n’a pas fini de ranger la collection {}",
                        self.connection.url,
                        self.collection(collection)
                    )));
                }
                std::thread::sleep(Duration::from_millis(200));
            }
        }
        Ok(())
    }

    /// Writes the manifest, reads it again, and moves the alias.
    fn put_in_service(&self, manifest: &Manifest) -> anyhow::Result<()> {
        let text = serde_json::to_string(manifest)?;
        let passages = self.collection(Collection::Passages);
        let client = &self.connection.client;
        let request = UpdateCollectionBuilder::new(&passages)
            .metadata(HashMap::from([(MANIFEST.to_owned(), text.into())]));
        self.connection
            .call(WRITE, client.update_collection(request))?;
        if self.manifest()?.as_ref() != Some(manifest) {
            return Err(IndexError::Server(format!(
                "le serveur Qdrant {} ne garde pas les métadonnées des collections ; il faut la version 1.16 ou une plus récente",
                self.connection.url
            ))
            .into());
        }
        let alias = CreateAlias {
            collection_name: passages,
            alias_name: self.connection.prefix.clone(),
        };
        self.connection.call(WRITE, client.create_alias(alias))?;
        Ok(())
    }

    fn manifest(&self) -> Result<Option<Manifest>, IndexError> {
        let info = self.info(Collection::Passages)?;
        let manifest = metadata(&info, MANIFEST);
        Ok(manifest.and_then(|text| serde_json::from_str(text).ok()))
    }

    /// What is missing, in French; a collection that is there under one of our names without being
    /// ours is an error.
    fn fault_of_shape(&self, dimensions: usize) -> Result<Option<String>, IndexError> {
        let present = self.connection.collections()?;
        for collection in Collection::ALL {
            let name = self.collection(collection);
            if !present.contains(&name) {
                return Ok(Some(format!("la collection {name} manque")));
            }
            let info = self.info(collection)?;
            if !marked(&info, &self.name) || !has_channels(&info, collection, dimensions) {
                return Err(self.connection.foreign(&name));
            }
        }
        Ok(None)
    }

    fn info(&self, collection: Collection) -> Result<CollectionInfo, IndexError> {
        self.connection.info(&self.collection(collection))
    }

    /// One request a collection, all at once: a question costs the time of the slowest.
    pub(super) fn search(
        &self,
        searches: &[Search],
        graphs: Graphs,
    ) -> Result<Vec<Vec<Hit>>, IndexError> {
        let mut found = vec![Vec::new(); searches.len()];
        let mut batches = Vec::new();
        for collection in Collection::ALL {
            let asked = searches.iter().enumerate();
            let (places, queries): (Vec<usize>, Vec<_>) = asked
                .filter(|(_, s)| s.collection == collection)
                .map(|(place, s)| (place, self.query(s, graphs)))
                .unzip();
            if !queries.is_empty() {
                let request = QueryBatchPointsBuilder::new(self.collection(collection), queries)
                    .timeout(READ.as_secs());
                batches.push((places, self.connection.client.query_batch(request)));
            }
        }
        let (places, requests): (Vec<_>, Vec<_>) = batches.into_iter().unzip();
        let answers = self.connection.call(READ, try_join_all(requests))?;
        for (places, answer) in places.into_iter().zip(answers) {
            if places.len() != answer.result.len() {
                return Err(self.connection.garbled());
            }
            for (place, batch) in places.into_iter().zip(answer.result) {
                found[place] = batch.result.iter().filter_map(hit).collect();
            }
        }
        Ok(found)
    }

    fn query(&self, search: &Search, graphs: Graphs) -> ::qdrant_client::qdrant::QueryPoints {
        let vector = match &search.by {
            By::Meaning(_, vector) => VectorInput::new_dense(vector.to_vec()),
            By::Terms(_, terms) => {
                VectorInput::new_sparse(terms.indices.clone(), terms.values.clone())
            }
        };
        QueryPointsBuilder::new(self.collection(search.collection))
            .query(Query::new_nearest(vector))
            .using(search.by.channel())
            .limit(graphs.limit(search) as u64)
            .params(
                SearchParamsBuilder::default()
                    .exact(graphs.must_be_exact(search))
                    .hnsw_ef(BEAM as u64),
            )
            .with_payload(false)
            .with_vectors(false)
            .build()
    }

    pub(super) fn count(&self, collection: Collection) -> Result<usize, IndexError> {
        let request = CountPointsBuilder::new(self.collection(collection)).exact(true);
        let answer = self
            .connection
            .call(READ, self.connection.client.count(request))?;
        let count = answer
            .result
            .ok_or_else(|| self.connection.garbled())?
            .count;
        usize::try_from(count).map_err(|_| self.connection.garbled())
    }

    /// Whether the server is there, and this generation on it.
    pub(super) fn check(&self) -> Result<(), IndexError> {
        self.info(Collection::Passages).map(|_| ())
    }
}

/// A way to the server, and the thread that its sockets live on.
struct Connection {
    client: Qdrant,
    /// There until it is dropped.
    runtime: Option<Runtime>,
    url: String,
    has_key: bool,
    prefix: String,
}

impl Connection {
    /// Makes ready to call; nothing is sent yet.
    fn open(server: &QdrantServer) -> Result<Self, IndexError> {
        let mut config = QdrantConfig::from_url(&server.url);
        // Its check of versions prints on stdout.
        config.check_compatibility = false;
        config.connect_timeout = CONNECT;
        config.timeout = WRITE;
        config.api_key = server.api_key.as_ref().map(|key| key.reveal().to_owned());
        config.pool_size = 1;
        let failed = |why: String| {
            let url = &server.url;
            IndexError::Server(format!(
                "le serveur Qdrant {url} ne peut pas être appelé ({why})"
            ))
        };
        Ok(Self {
            client: Qdrant::new(config).map_err(|e| failed(e.to_string()))?,
            runtime: Some(
                tokio::runtime::Builder::new_multi_thread()
                    .worker_threads(1)
                    .thread_name("qdrant")
                    .enable_all()
                    .build()
                    .map_err(|e| failed(e.to_string()))?,
            ),
            url: server.url.clone(),
            has_key: server.api_key.is_some(),
            prefix: server.prefix.clone(),
        })
    }

    fn call<T>(
        &self,
        limit: Duration,
        call: impl Future<Output = Result<T, QdrantError>>,
    ) -> Result<T, IndexError> {
        let runtime = self.runtime.as_ref().expect("it is there until the drop");
        // Limits of the client's own apply to each of its attempts; this one to the whole.
        match runtime.block_on(async { tokio::time::timeout(limit, call).await }) {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(e)) => Err(self.fault(&e)),
            Err(_) => Err(IndexError::Server(format!(
                "le serveur Qdrant {} n’a pas répondu en {} s",
                self.url,
                limit.as_secs()
            ))),
        }
    }

    /// What an error means for whoever keeps the service.
    fn fault(&self, error: &QdrantError) -> IndexError {
        // Numbers of gRPC's own, https://grpc.io/docs/guides/status-codes.
        const NOT_FOUND: i32 = 5;
        const PERMISSION_DENIED: i32 = 7;
        const UNAUTHENTICATED: i32 = 16;
        let (code, message) = match error {
            QdrantError::ResponseError { status }
            | QdrantError::ResourceExhaustedError { status, .. } => {
                (i32::from(status.code()), status.message())
            }
            _ => (0, ""),
        };
        tracing::debug!(code, error = %message, "the vector server refused a call");
        let url = &self.url;
        IndexError::Server(match code {
            UNAUTHENTICATED | PERMISSION_DENIED if !self.has_key => {
                format!("le serveur Qdrant {url} demande une clé ; donnez-la dans QDRANT_API_KEY")
            }
            UNAUTHENTICATED => {
                format!("le serveur Qdrant {url} refuse la clé ; corrigez QDRANT_API_KEY")
            }
            PERMISSION_DENIED => format!(
                "le serveur Qdrant {url} ne permet pas cela à cette clé ; donnez dans QDRANT_API_KEY une clé qui peut écrire"
            ),
            NOT_FOUND => {
                format!("une collection de l’index n’est plus sur le serveur Qdrant {url}")
            }
            _ if message.starts_with("Failed to connect") => format!(
                "le serveur Qdrant {url} est injoignable ; vérifiez qu’il est lancé et que QDRANT_URL est son adresse"
            ),
            // What a server of another kind, or its HTTP port, answers.
            _ if ["h2 protocol", "transport error", "http2 error", "frame"]
                .iter()
                .any(|sign| message.contains(sign)) =>
            {
                format!(
                    "ce qui répond à {url} n’est pas un serveur Qdrant, ou s’est interrompu ; QDRANT_URL est l’adresse de son port gRPC (6334 d’ordinaire)"
                )
            }
            _ => format!("le serveur Qdrant {url} a répondu par une erreur (code gRPC {code})"),
        })
    }

    fn foreign(&self, name: &str) -> IndexError {
        IndexError::Server(format!(
            "« {name} », sur le serveur Qdrant {}, n’est pas de cet assistant et reste tel quel ; donnez un autre QDRANT_PREFIX",
            self.url
        ))
    }

    fn garbled(&self) -> IndexError {
        IndexError::Server(format!(
            "le serveur Qdrant {} a donné une réponse incomplète",
            self.url
        ))
    }

    fn version(&self) -> Result<String, IndexError> {
        let reply = self.call(READ, self.client.health_check())?;
        Ok(reply.version)
    }

    fn info(&self, name: &str) -> Result<CollectionInfo, IndexError> {
        let answer = self.call(READ, self.client.collection_info(name))?;
        answer.result.ok_or_else(|| self.garbled())
    }

    fn collections(&self) -> Result<Vec<String>, IndexError> {
        let answer = self.call(READ, self.client.list_collections())?;
        Ok(answer.collections.into_iter().map(|c| c.name).collect())
    }

    /// The name of the generation in service, which is ours.
    fn current(&self) -> Result<Option<String>, IndexError> {
        let aliases = self.call(READ, self.client.list_aliases())?.aliases;
        let Some(alias) = aliases.into_iter().find(|a| a.alias_name == self.prefix) else {
            // An alias cannot have a collection's name.
            return if self.collections()?.contains(&self.prefix) {
                Err(self.foreign(&self.prefix))
            } else {
                Ok(None)
            };
        };
        let Some((_, name)) = self.generation_of(&alias.collection_name) else {
            return Err(self.foreign(&self.prefix));
        };
        if marked(&self.info(&alias.collection_name)?, name) {
            Ok(Some(name.to_owned()))
        } else {
            Err(self.foreign(&alias.collection_name))
        }
    }

    /// The number and the name of the generation that a collection belongs to, by its name.
    fn generation_of<'a>(&self, collection: &'a str) -> Option<(u64, &'a str)> {
        let (name, kind) = collection.rsplit_once('-')?;
        if !Collection::ALL.iter().any(|c| c.name() == kind) {
            return None;
        }
        let (number, digest) = name
            .strip_prefix(&self.prefix)?
            .strip_prefix('-')?
            .split_once('-')?;
        (digest.bytes().all(|b| b.is_ascii_hexdigit())).then_some((number.parse().ok()?, name))
    }

    /// Removes generations older than `new` that are not the previous one.
    fn remove_old(&self, new: &str, previous: Option<&str>) {
        let passages = format!("{new}-{}", Collection::Passages.name());
        let newest = self.generation_of(&passages).map_or(0, |(n, _)| n);
        let mut old: Vec<String> = self
            .collections()
            .unwrap_or_default()
            .iter()
            .filter_map(|name| self.generation_of(name))
            .filter(|(number, name)| *number < newest && Some(*name) != previous)
            .map(|(_, name)| name.to_owned())
            .collect();
        old.sort();
        old.dedup();
        for name in old {
            self.remove(&name);
        }
    }

    /// Removes the collections of a generation that bear our mark.
    fn remove(&self, generation: &str) {
        for collection in Collection::ALL {
            let name = format!("{generation}-{}", collection.name());
            // Absent, or away: nothing to remove, or not now.
            let Ok(info) = self.info(&name) else { continue };
            if !marked(&info, generation) {
                continue;
            }
            if let Err(e) = self.call(WRITE, self.client.delete_collection(&name)) {
                tracing::warn!(collection = %name, error = %e, "could not remove collection {name}");
            }
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("url", &self.url)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // It may be dropped by a task, where a runtime that waits for its threads panics.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn metadata<'a>(info: &'a CollectionInfo, key: &str) -> Option<&'a str> {
    let value = info.config.as_ref()?.metadata.get(key)?;
    value.as_str().map(String::as_str)
}

fn marked(info: &CollectionInfo, generation: &str) -> bool {
    metadata(info, MARK) == Some(generation)
}

/// Whether a collection has the channels it must have, and vectors of the model's size.
fn has_channels(info: &CollectionInfo, collection: Collection, dimensions: usize) -> bool {
    let params = info.config.as_ref().and_then(|c| c.params.as_ref());
    let Some(params) = params else { return false };
    let dense = params
        .vectors_config
        .as_ref()
        .and_then(|v| v.config.as_ref());
    let Some(Channels::ParamsMap(dense)) = dense else {
        return false;
    };
    let lexical = params.sparse_vectors_config.as_ref();
    collection.meanings().iter().all(|meaning| {
        dense
            .map
            .get(meaning.channel())
            .is_some_and(|v| v.size == dimensions as u64 && v.distance == Distance::Cosine as i32)
    }) && collection.terms().iter().all(|terms| {
        lexical
            .and_then(|l| l.map.get(terms.channel()))
            .is_some_and(|v| v.modifier == Some(Modifier::Idf as i32))
    })
}

fn hit(point: &ScoredPoint) -> Option<Hit> {
    let Some(PointId {
        point_id_options: Some(PointIdOptions::Num(number)),
    }) = &point.id
    else {
        return None;
    };
    Some(Hit {
        number: usize::try_from(*number).ok()?,
        score: point.score,
    })
}
