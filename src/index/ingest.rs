//! Ingest: corpus → embeddings → a published generation. Only what changed is embedded again.

use std::collections::HashSet;
use std::path::Path;

use anyhow::Context;

use super::generation::{Manifest, publish};
use super::{Collection, Index, Place, Point};
use crate::corpus::Corpus;
use crate::embed::{Cache, Embedder, Role, Text};
use crate::text::language::{self, Language};
use crate::text::sparse;

/// How far an ingest is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// Texts, or points, done.
    pub done: usize,
    /// Of how many.
    pub total: usize,
}

/// The stages of an ingest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Texts become vectors.
    Embedding,
    /// Vectors become an index.
    Indexing,
}

/// Builds and publishes the index of a corpus; `data` keeps the cache of embeddings. Blocking, for
/// minutes the first time.
///
/// # Errors
/// When the encoder, the disk or the vector store fails; the generation in service stays.
pub fn ingest(
    corpus: &Corpus,
    embedder: &Embedder,
    data: &Path,
    place: Place<'_>,
    report: &mut dyn FnMut(Progress),
) -> anyhow::Result<Index> {
    let items = items(corpus);
    let total = items.iter().map(Vec::len).sum();
    let texts: Vec<Text<'_>> = items
        .iter()
        .flatten()
        .flat_map(|i| i.texts.iter().map(|text| Text { role: i.role, text }))
        .collect();

    let mut cache = Cache::open(&data.join("cache"), embedder.model())
        .context("le cache des vecteurs ne peut pas être ouvert")?;
    let vectors = embedder.embed_all(&texts, &mut cache, &mut |done, total| {
        report(Progress {
            stage: Stage::Embedding,
            done,
            total,
        });
    })?;

    let mut vectors = vectors.into_iter();
    let mut points: [Vec<Point>; 3] = Default::default();
    for (collection, (items, points)) in Collection::ALL
        .into_iter()
        .zip(items.iter().zip(&mut points))
    {
        for (number, item) in items.iter().enumerate() {
            let dense = vectors.by_ref().take(item.texts.len()).collect();
            let parts: Vec<(&str, Language)> =
                item.parts.iter().map(|(t, l)| (t.as_str(), *l)).collect();
            let sparse = collection
                .terms()
                .iter()
                .map(|t| sparse::document(*t, &parts))
                .collect();
            points.push(Point {
                number,
                id: item.id.clone(),
                dense,
                sparse,
            });
        }
    }

    let model = embedder.model();
    let manifest = Manifest::new(
        &corpus.digest,
        &model.name,
        &model.digest,
        model.dimensions,
        &points,
        corpus.phrasings.len(),
    );
    let index = publish(place, manifest, model.dimensions, &points, &mut |done| {
        report(Progress {
            stage: Stage::Indexing,
            done,
            total,
        });
    })?;

    let used: HashSet<_> = texts.iter().map(Text::key).collect();
    if let Err(e) = cache.retain(&used) {
        tracing::warn!(error = %e, "could not compact the embedding cache");
    }
    Ok(index)
}

/// One thing to index: what is embedded, a text for each dense channel, and what its words are counted from.
struct Item {
    id: String,
    role: Role,
    texts: Vec<String>,
    parts: Vec<(String, Language)>,
}

/// In the order of [`Collection::ALL`].
fn items(corpus: &Corpus) -> [Vec<Item>; 3] {
    let passages = corpus.passages.iter().map(|p| {
        let text = p.indexed_text();
        let parts = vec![
            (text.clone(), Language::Fr),
            (p.prose.en.clone(), Language::En),
        ];
        Item {
            id: p.id.to_string(),
            role: Role::Passage,
            texts: vec![text],
            parts,
        }
    });
    let phrasings = corpus.phrasings.iter().map(|phrasing| {
        let ask = &phrasing.text;
        Item {
            id: corpus.passages[phrasing.passage].id.to_string(),
            role: Role::Query,
            texts: vec![ask.clone(), corpus.without_names(ask)],
            parts: vec![(corpus.without_names(ask), language::of(ask))],
        }
    });
    // Needs come after the phrasings, in the same collection: a question is compared with both at once.
    let needs = corpus.themes.needs().map(|(theme, need)| Item {
        id: corpus.themes.all()[theme].name.clone(),
        role: Role::Query,
        texts: vec![need.to_owned(), need.to_owned()],
        parts: vec![(need.to_owned(), language::of(need))],
    });
    let records = corpus.records.iter().map(|r| {
        let text = r.indexed_text();
        Item {
            id: r.id.clone(),
            role: Role::Passage,
            parts: vec![(text.clone(), Language::Fr)],
            texts: vec![text],
        }
    });
    [
        passages.collect(),
        phrasings.chain(needs).collect(),
        records.collect(),
    ]
}
