//! Generations in a folder: built in a fresh one, put in service by an atomic rename.
//!
//! ```text
//! data/index/current            the name of the generation in service
//! data/index/g-<digest>-<n>/    passages/ phrasings/ records/ manifest.json
//! ```
//! A generation is read only by the process that holds the data folder's lock, so the folders that
//! `current` does not name can be removed, once nobody reads them there: until then their manifest is
//! locked ([`InUse`]).

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};

use super::edge::Shards;
use super::generation::{Manifest, Opened, fill, is_whole};
use super::{Collection, Index, Point, Store};

/// Opens the generation in service, if it was made from `corpus` (digest) with `model_digest`.
pub(super) fn open_current(data: &Path, corpus: &str, model_digest: &str) -> Opened {
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
    if let Some(other) = manifest.differs(corpus, model_digest) {
        return other;
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
    let index = Index {
        store: Store::Edge(Box::new(Shards::load(dir, InUse::take(dir)?)?)),
        centres: manifest.centres.clone(),
        graphs: manifest.graphs,
    };
    is_whole(&index, manifest)?;
    Ok(index)
}

/// As [`super::generation::publish`]; the folders of other generations are then removed.
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
    // What interrupted ingests left would fill the disk.
    let in_service = fs::read_to_string(root.join("current")).unwrap_or_default();
    remove_others(&root, in_service.trim());
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
    let index = Index {
        store: Store::Edge(Box::new(Shards::create(dir, dimensions)?)),
        centres: manifest.centres.clone(),
        graphs: manifest.graphs,
    };
    // In batches as large as what the shards merge at once.
    fill(&index, points, 2_500, written)?;
    drop(index);
    Shards::forget_logs(dir)?;
    replace(
        &dir.join("manifest.json"),
        &serde_json::to_vec_pretty(manifest)?,
    )
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
        if name.starts_with("g-") && name != keep && !InUse::is_taken(&entry.path()) {
            remove(&entry.path());
        }
    }
}

fn remove(dir: &Path) {
    if let Err(e) = fs::remove_dir_all(dir) {
        let name = dir.file_name().unwrap_or_default().to_string_lossy();
        tracing::warn!(generation = %name, error = %e, "could not remove old generation {name}");
    }
}

/// A generation's folder as long as its shards are open. Closing, they write there once more, and end the
/// process if they cannot: whoever replaces a generation leaves its folder to the last reader.
#[derive(Debug)]
pub(super) struct InUse {
    dir: PathBuf,
    _manifest: fs::File,
}

impl InUse {
    fn take(dir: &Path) -> anyhow::Result<Self> {
        let manifest = fs::File::open(dir.join("manifest.json"))?;
        manifest.lock_shared()?;
        Ok(Self {
            dir: dir.to_owned(),
            _manifest: manifest,
        })
    }

    fn is_taken(dir: &Path) -> bool {
        let manifest = fs::File::open(dir.join("manifest.json"));
        manifest.is_ok_and(|m| matches!(m.try_lock(), Err(fs::TryLockError::WouldBlock)))
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        let Some(root) = self.dir.parent() else {
            return;
        };
        let in_service = fs::read_to_string(root.join("current"));
        let ours = self.dir.file_name().unwrap_or_default();
        if in_service.is_ok_and(|name| name.trim() != ours) {
            remove(&self.dir);
        }
    }
}
