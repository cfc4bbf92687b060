//! Generations: an index is built aside, checked, then switched to in one step, wherever it is kept.
//!
//! A crash at any instant leaves the previous one in service. `folder` and `server` know how a
//! generation is named, kept and put in service; what makes one good is here.

use anyhow::bail;
use serde::{Deserialize, Serialize};

use super::{
    By, Centres, Collection, Graphs, Index, IndexError, Meaning, Place, Point, Search, folder,
    server,
};

/// The shape of generations; a change of channels or of term weights makes older ones stale.
const FORMAT: u32 = 5;

/// What a generation was made from, and what it must hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the layout and of the channels.
    pub format: u32,
    /// The vector store and its version.
    pub store: String,
    /// Digest of the indexed corpus.
    pub corpus: String,
    /// Name of the model.
    pub model: String,
    /// Digest of the model.
    pub model_digest: String,
    /// Points in each collection, in the order of [`Collection::ALL`].
    pub points: [usize; 3],
    /// What was taken off the vectors.
    pub centres: Centres,
    /// Which collections are searched through a graph.
    pub graphs: Graphs,
}

impl Manifest {
    /// The manifest of these points (in the order of [`Collection::ALL`]), whose vectors have so many
    /// `dimensions`; the first `questions` of the phrasings are what people ask of passages.
    #[must_use]
    pub fn new(
        corpus: &str,
        model: &str,
        model_digest: &str,
        dimensions: usize,
        points: &[Vec<Point>; 3],
        questions: usize,
    ) -> Self {
        let [passages, phrasings, records] = points;
        let counts = [passages.len(), phrasings.len(), records.len()];
        Self {
            format: FORMAT,
            store: "qdrant-edge 0.7.2".to_owned(),
            corpus: corpus.to_owned(),
            model: model.to_owned(),
            model_digest: model_digest.to_owned(),
            points: counts,
            centres: Centres::of(points, questions, dimensions),
            graphs: Graphs::of(counts),
        }
    }

    /// Why its generation is not the one of `corpus` (digest) and model, if it is not.
    pub(super) fn differs(&self, corpus: &str, model_digest: &str) -> Option<Opened> {
        if self.format != FORMAT || self.model_digest != model_digest {
            Some(Opened::Missing(
                "le modèle ou le format a changé".to_owned(),
            ))
        } else if self.corpus != corpus {
            Some(Opened::Earlier(self.corpus.clone()))
        } else {
            None
        }
    }
}

/// What stands where generations are.
#[derive(Debug)]
pub enum Opened {
    /// A sound generation made from this corpus and model.
    UpToDate(Box<Index>),
    /// One made with this model from another corpus, whose digest this is.
    Earlier(String),
    /// None, or one that is of no use: the reason, in French.
    Missing(String),
    /// One that cannot be read: the reason, in French.
    Damaged(String),
}

/// Opens the generation in service, if it was made from `corpus` (digest) with `model_digest`.
///
/// # Errors
/// [`IndexError::Server`]: a server that does not answer, or holds what is not ours.
pub fn open_current(
    place: Place<'_>,
    corpus: &str,
    model_digest: &str,
) -> Result<Opened, IndexError> {
    match place {
        Place::Folder(data) => Ok(folder::open_current(data, corpus, model_digest)),
        Place::Server(server) => server::open_current(server, corpus, model_digest),
    }
}

/// Builds a generation from `points` (in the order of [`Collection::ALL`]), checks it, puts it in
/// service and opens it; those that nobody needs any more are then removed.
///
/// # Errors
/// When a point is refused, the store fails, or a check finds that the generation does not answer.
pub fn publish(
    place: Place<'_>,
    manifest: Manifest,
    dimensions: usize,
    points: &[Vec<Point>; 3],
    written: &mut dyn FnMut(usize),
) -> anyhow::Result<Index> {
    match place {
        Place::Folder(data) => folder::publish(data, &manifest, dimensions, points, written),
        Place::Server(server) => server::publish(server, manifest, dimensions, points, written),
    }
}

/// Inserts all points, in batches, and asks for some of them.
pub(super) fn fill(
    index: &Index,
    points: &[Vec<Point>; 3],
    batch: usize,
    written: &mut dyn FnMut(usize),
) -> anyhow::Result<()> {
    let mut done = 0;
    for (collection, points) in Collection::ALL.into_iter().zip(points) {
        for batch in points.chunks(batch) {
            index.insert(collection, batch)?;
            done += batch.len();
            written(done);
        }
    }
    index.seal()?;
    answers(index, points)
}

/// A generation answers when some of its own phrasings are found first by their own vectors, and
/// every collection answers them.
fn answers(index: &Index, points: &[Vec<Point>; 3]) -> anyhow::Result<()> {
    for (collection, points) in Collection::ALL.into_iter().zip(points) {
        for point in points.iter().step_by(points.len().div_ceil(5).max(1)) {
            let [best] = index.search([Search {
                collection,
                by: By::Meaning(Meaning::Whole, point.dense[0].clone()),
                limit: 1,
            }])?;
            let found = match collection {
                Collection::Phrasings => best.first().is_some_and(|h| h.score > 0.999),
                Collection::Passages | Collection::Records => {
                    best.first().is_some_and(|h| h.score.is_finite())
                }
            };
            if !found {
                bail!(
                    "la collection {} ne retrouve pas {}",
                    collection.name(),
                    point.id
                );
            }
        }
    }
    Ok(())
}

/// Every collection holds as many points as its manifest says.
pub(super) fn is_whole(index: &Index, manifest: &Manifest) -> anyhow::Result<()> {
    for (collection, expected) in Collection::ALL.into_iter().zip(manifest.points) {
        let count = index.count(collection)?;
        anyhow::ensure!(
            count == expected,
            "la collection {} a {count} points au lieu de {expected}",
            collection.name()
        );
    }
    Ok(())
}
