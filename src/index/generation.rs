//! Generations: an index is built in a fresh folder, checked, then switched by an atomic rename.
//!
//! ```text
//! data/index/current            the name of the generation in service
//! data/index/g-<digest>-<n>/    passages/ phrasings/ records/ manifest.json
//! ```
//! A crash at any instant leaves the previous generation in service. A generation is read only by
//! the process that holds the data folder's lock, so the folders it does not name can be removed.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use serde::{Deserialize, Serialize};

use super::{Centres, Collection, Index, Meaning, Point};

/// The shape of generations; a change of channels or of term weights makes older ones stale.
const FORMAT: u32 = 3;

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
}

impl Manifest {
    pub(super) fn new(
        corpus: &str,
        model: &str,
        model_digest: &str,
        points: [usize; 3],
        centres: Centres,
    ) -> Self {
        Self {
            format: FORMAT,
            store: "qdrant-edge 0.7.2".to_owned(),
            corpus: corpus.to_owned(),
            model: model.to_owned(),
            model_digest: model_digest.to_owned(),
            points,
            centres,
        }
    }
}

/// What stands in a data folder.
#[derive(Debug)]
pub enum Opened {
    /// A sound generation made from this corpus and model.
    UpToDate(Box<Index>),
    /// None, or one made from something else: the reason, in French.
    Missing(String),
    /// One that cannot be read: the reason, in French.
    Damaged(String),
}

/// Opens the generation in service, if it was made from `corpus` (digest) with `model_digest`.
#[must_use]
pub fn open_current(data: &Path, corpus: &str, model_digest: &str) -> Opened {
    let root = data.join("index");
    let Ok(name) = fs::read_to_string(root.join("current")) else {
        return Opened::Missing("aucun index n’a encore été construit".to_owned());
    };
    let name = name.trim();
    if name.is_empty() || name.contains(['/', '\\']) || name.starts_with('.') {
        return Opened::Damaged("le fichier index/current ne nomme pas une génération".to_owned());
    }
    let dir = root.join(name);
    let manifest = match read_manifest(&dir) {
        Ok(manifest) => manifest,
        Err(e) => return Opened::Damaged(format!("{e:#}")),
    };
    if manifest.format != FORMAT
        || manifest.corpus != corpus
        || manifest.model_digest != model_digest
    {
        return Opened::Missing("le corpus ou le modèle a changé".to_owned());
    }
    match load(&dir, &manifest) {
        Ok(index) => Opened::UpToDate(Box::new(index)),
        Err(e) => Opened::Damaged(format!("{e:#}")),
    }
}

fn read_manifest(dir: &Path) -> anyhow::Result<Manifest> {
    let path = dir.join("manifest.json");
    let text = fs::read_to_string(&path)
        .with_context(|| format!("{} ne peut pas être lu", path.display()))?;
    serde_json::from_str(&text)
        .with_context(|| format!("{} n’est pas un manifeste", path.display()))
}

fn load(dir: &Path, manifest: &Manifest) -> anyhow::Result<Index> {
    // Opening a shard creates what is missing: a folder that lacks one is refused first.
    for collection in Collection::ALL {
        let shard = dir.join(collection.name());
        ensure!(
            shard.join("segments").is_dir(),
            "{} manque",
            shard.display()
        );
    }
    let index = Index::load(dir, manifest.centres.clone())?;
    for (collection, expected) in Collection::ALL.into_iter().zip(manifest.points) {
        let count = index.count(collection)?;
        ensure!(
            count == expected,
            "la collection {} a {count} points au lieu de {expected}",
            collection.name()
        );
    }
    Ok(index)
}

/// Builds a generation from `points` (in the order of [`Collection::ALL`]), checks it, publishes it
/// and opens it; the folders of other generations are then removed.
///
/// # Errors
/// When a point is refused, the disk fails, or a check finds that the generation does not answer.
pub(super) fn publish(
    data: &Path,
    manifest: &Manifest,
    dimensions: usize,
    points: &[Vec<Point>; 3],
    written: &mut dyn FnMut(usize),
) -> anyhow::Result<Index> {
    let root = data.join("index");
    fs::create_dir_all(&root)
        .with_context(|| format!("{} ne peut pas être créé", root.display()))?;
    let dir = fresh(&root, &manifest.corpus)?;
    let built = build(&dir, manifest, dimensions, points, written);
    if let Err(e) = built {
        let _ = fs::remove_dir_all(&dir);
        return Err(e);
    }
    let index = load(&dir, manifest)?;
    let name = dir
        .file_name()
        .context("a generation has a name")?
        .to_string_lossy()
        .into_owned();
    replace(&root.join("current"), name.as_bytes())?;
    remove_others(&root, &name);
    Ok(index)
}

fn build(
    dir: &Path,
    manifest: &Manifest,
    dimensions: usize,
    points: &[Vec<Point>; 3],
    written: &mut dyn FnMut(usize),
) -> anyhow::Result<()> {
    let index = Index::create(dir, dimensions, manifest.centres.clone())?;
    let mut done = 0;
    for (collection, points) in Collection::ALL.into_iter().zip(points) {
        for batch in points.chunks(2_500) {
            index.insert(collection, batch)?;
            done += batch.len();
            written(done);
        }
    }
    index.seal()?;
    answers(&index, points)?;
    drop(index);
    Index::forget_logs(dir)?;
    replace(
        &dir.join("manifest.json"),
        &serde_json::to_vec_pretty(manifest)?,
    )
}

/// A generation answers when some of its own phrasings are found first by their own vectors, and
/// every collection answers them.
fn answers(index: &Index, points: &[Vec<Point>; 3]) -> anyhow::Result<()> {
    for (collection, points) in Collection::ALL.into_iter().zip(points) {
        for point in points.iter().step_by(points.len().div_ceil(5).max(1)) {
            let best = index.nearest(collection, Meaning::Whole, &point.dense[0], 1)?;
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

fn fresh(root: &Path, corpus: &str) -> anyhow::Result<PathBuf> {
    for n in 1..10_000 {
        let dir = root.join(format!("g-{}-{n}", &corpus[..corpus.len().min(12)]));
        match fs::create_dir(&dir) {
            Ok(()) => return Ok(dir),
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => {
                return Err(e).with_context(|| format!("{} ne peut pas être créé", dir.display()));
            }
        }
    }
    bail!("{} est plein d’anciennes générations", root.display())
}

/// Writes a file whole or not at all.
fn replace(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let beside = path.with_extension("new");
    let write = || -> std::io::Result<()> {
        let mut file = fs::File::create(&beside)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        fs::File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    write().with_context(|| format!("{} ne peut pas être écrit", path.display()))
}

fn remove_others(root: &Path, keep: &str) {
    let Ok(entries) = fs::read_dir(root) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("g-")
            && name != keep
            && let Err(e) = fs::remove_dir_all(entry.path())
        {
            tracing::warn!(generation = %name, error = %e, "could not remove old generation {name}");
        }
    }
}
