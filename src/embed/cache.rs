//! Vectors already computed, on disk, so that an ingest encodes only what changed.
//!
//! One append-only file per model, of fixed-size records: key (32 bytes), vector (f32,
//! little-endian), CRC-32 of both (4 bytes, little-endian). It never holds a text. It is not
//! precious: what is damaged is dropped, and made again. It is read into memory whole, so open it
//! for the time of an ingest only.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use sha2::{Digest, Sha256};
use tracing::{info, warn};

use super::model::ModelCard;
use super::{Role, Text};

/// What stands for a text and its role: SHA-256 of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key([u8; KEY]);

const KEY: usize = 32;
const CRC: usize = 4;

impl Key {
    /// The key of a text, without the prefix of its role.
    pub fn of(role: Role, text: &str) -> Key {
        let role: &[u8] = match role {
            Role::Query => b"query\0",
            Role::Passage => b"passage\0",
        };
        Key(Sha256::new()
            .chain_update(role)
            .chain_update(text)
            .finalize()
            .into())
    }
}

impl Text<'_> {
    /// The key of this text in the cache.
    pub fn key(&self) -> Key {
        Key::of(self.role, self.text)
    }
}

/// The vectors of one model; the file is locked until this is dropped.
#[derive(Debug)]
pub struct Cache {
    path: PathBuf,
    file: File,
    dimensions: usize,
    vectors: HashMap<Key, Arc<[f32]>>,
    /// Held, never read: another process that ingests waits for it. Apart, as `retain` replaces the
    /// data file.
    _lock: File,
}

impl Cache {
    /// Opens, or makes, `embeddings-<first 16 hex of the digest>.bin` in `dir`, and reads it.
    /// Records that are damaged are dropped from the file, with a warning. Waits while another
    /// process has it open.
    ///
    /// # Errors
    /// When the folder or the file cannot be made, read or written: one line in French, with the
    /// path.
    pub fn open(dir: &Path, model: &ModelCard) -> anyhow::Result<Cache> {
        let path = file_of(dir, model);
        fs::create_dir_all(dir)
            .with_context(|| format!("dossier {} impossible à créer", dir.display()))?;
        let lock = lock(&path.with_extension("lock"))?;
        let file = append_to(&path)?;
        let bytes = fs::read(&path).with_context(|| format!("{} illisible", path.display()))?;

        let size = KEY + 4 * model.dimensions + CRC;
        let records = bytes.chunks(size);
        let (total, mut vectors) = (records.len(), HashMap::with_capacity(records.len()));
        let mut good = 0;
        for (key, vector) in records.filter_map(|record| decode(record, size)) {
            good += 1;
            vectors.insert(key, vector);
        }
        let mut cache = Cache {
            path,
            file,
            dimensions: model.dimensions,
            vectors,
            _lock: lock,
        };
        if good < total {
            let (path, dropped) = (cache.path.display(), total - good);
            warn!(
                cache.path = %path, records.kept = good, records.dropped = dropped,
                "dropped {dropped} damaged records of the embedding cache"
            );
            cache.rewrite()?;
        }
        Ok(cache)
    }

    /// The vector of a text, if it was computed before.
    pub fn get(&self, key: &Key) -> Option<Arc<[f32]>> {
        self.vectors.get(key).cloned()
    }

    /// How many texts are known.
    pub fn len(&self) -> usize {
        self.vectors.len()
    }

    /// Whether no text is known.
    pub fn is_empty(&self) -> bool {
        self.vectors.is_empty()
    }

    /// Adds vectors, in one write; after it, an interrupted ingest finds them again.
    ///
    /// # Errors
    /// When the file cannot be written: one line in French, with the path.
    ///
    /// # Panics
    /// When a vector has not the dimensions of the model.
    pub fn append(&mut self, new: &[(Key, Arc<[f32]>)]) -> anyhow::Result<()> {
        let mut bytes = Vec::with_capacity(new.len() * (KEY + 4 * self.dimensions + CRC));
        for (key, vector) in new {
            assert_eq!(
                vector.len(),
                self.dimensions,
                "a vector of another model is added to the cache"
            );
            encode(key, vector, &mut bytes);
        }
        self.file
            .write_all(&bytes)
            .with_context(|| format!("écriture impossible dans {}", self.path.display()))?;
        self.vectors
            .extend(new.iter().map(|(key, vector)| (*key, Arc::clone(vector))));
        Ok(())
    }

    /// Keeps only the vectors of these texts, once an ingest has succeeded; the file is replaced at
    /// once or not at all.
    ///
    /// # Errors
    /// When the new file cannot be written: one line in French, with the path.
    pub fn retain(&mut self, used: &HashSet<Key>) -> anyhow::Result<()> {
        let before = self.vectors.len();
        self.vectors.retain(|key, _| used.contains(key));
        if self.vectors.len() == before {
            return Ok(());
        }
        let (kept, dropped) = (self.vectors.len(), before - self.vectors.len());
        info!(
            records.kept = kept,
            records.dropped = dropped,
            "dropped {dropped} unused records of the embedding cache"
        );
        self.rewrite()
    }

    fn rewrite(&mut self) -> anyhow::Result<()> {
        let aside = self.path.with_extension("tmp");
        let mut known: Vec<_> = self.vectors.iter().collect();
        known.sort_by_key(|(key, _)| **key);
        let write = || -> std::io::Result<()> {
            let mut out = BufWriter::new(File::create(&aside)?);
            let mut record = Vec::new();
            for (key, vector) in known {
                record.clear();
                encode(key, vector, &mut record);
                out.write_all(&record)?;
            }
            out.into_inner()
                .map_err(|error| error.into_error())?
                .sync_all()?;
            fs::rename(&aside, &self.path)
        };
        write().with_context(|| format!("écriture impossible de {}", self.path.display()))?;
        self.file = append_to(&self.path)?;
        Ok(())
    }
}

fn file_of(dir: &Path, model: &ModelCard) -> PathBuf {
    dir.join(format!("embeddings-{}.bin", &model.digest[..16]))
}

fn append_to(path: &Path) -> anyhow::Result<File> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.with_context(|| format!("{} impossible à ouvrir en écriture", path.display()))
}

fn lock(path: &Path) -> anyhow::Result<File> {
    let file = append_to(path)?;
    let locked = match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            info!(cache.lock = %path.display(), "waiting for another ingest to leave the cache");
            file.lock()
        }
        Err(TryLockError::Error(error)) => Err(error),
        Ok(()) => Ok(()),
    };
    locked.with_context(|| format!("{} impossible à verrouiller", path.display()))?;
    Ok(file)
}

fn encode(key: &Key, vector: &[f32], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&key.0);
    out.extend(vector.iter().flat_map(|value| value.to_le_bytes()));
    let crc = crc32fast::hash(&out[start..]);
    out.extend_from_slice(&crc.to_le_bytes());
}

fn decode(record: &[u8], size: usize) -> Option<(Key, Arc<[f32]>)> {
    let (content, crc) = record
        .split_last_chunk::<CRC>()
        .filter(|_| record.len() == size)?;
    if crc32fast::hash(content) != u32::from_le_bytes(*crc) {
        return None;
    }
    let (key, vector) = content.split_first_chunk::<KEY>()?;
    let (values, _) = vector.as_chunks::<4>();
    Some((
        Key(*key),
        values
            .iter()
            .map(|value| f32::from_le_bytes(*value))
            .collect(),
    ))
}

#[cfg(test)]
mod tests {
    use super::super::model::hex;
    use super::*;

    const RECORD: u64 = 32 + 3 * 4 + 4;

    fn model() -> ModelCard {
        ModelCard {
            name: "small".to_owned(),
            digest: hex(&Sha256::digest("small")),
            dimensions: 3,
            max_tokens: 512,
            languages: Vec::new(),
            licence: "MIT".to_owned(),
            origin: Default::default(),
            bytes: 0,
        }
    }

    fn key(name: &str) -> Key {
        Key::of(Role::Passage, name)
    }

    fn filled(dir: &Path, names: &[&str]) -> Cache {
        let mut cache = Cache::open(dir, &model()).expect("the cache opens");
        for (at, name) in names.iter().enumerate() {
            cache
                .append(&[(key(name), Arc::from([at as f32, 0.5, -1.0]))])
                .expect("the cache takes a vector");
        }
        cache
    }

    #[test]
    fn what_was_added_is_found_again() {
        let dir = tempfile::tempdir().expect("a temporary folder can be made");
        drop(filled(dir.path(), &["a", "b"]));
        let cache = Cache::open(dir.path(), &model()).expect("the cache opens");
        assert_eq!(cache.get(&key("b")).as_deref(), Some(&[1.0, 0.5, -1.0][..]));
        assert_eq!(
            cache.get(&Key::of(Role::Query, "b")),
            None,
            "another role is another text"
        );
        assert_eq!(cache.len(), 2);
    }

    #[test]
    fn a_torn_tail_and_a_damaged_record_are_dropped_and_the_rest_is_kept() {
        let dir = tempfile::tempdir().expect("a temporary folder can be made");
        drop(filled(dir.path(), &["a", "b", "c", "d"]));
        let path = file_of(dir.path(), &model());
        let mut bytes = fs::read(&path).expect("the cache can be read");
        bytes[RECORD as usize + 40] ^= 1;
        bytes.truncate(3 * RECORD as usize + 10);
        fs::write(&path, bytes).expect("the cache can be written");

        let mut cache = Cache::open(dir.path(), &model()).expect("the cache opens");
        assert!(cache.get(&key("a")).is_some() && cache.get(&key("c")).is_some());
        assert!(cache.get(&key("b")).is_none() && cache.get(&key("d")).is_none());
        assert_eq!(
            fs::metadata(&path).expect("the cache is there").len(),
            2 * RECORD
        );

        cache
            .append(&[(key("d"), Arc::from([9.0; 3]))])
            .expect("the cache takes a vector");
        drop(cache);
        assert_eq!(
            Cache::open(dir.path(), &model())
                .expect("the cache opens")
                .len(),
            3
        );
    }

    #[test]
    fn retain_forgets_what_is_no_longer_used() {
        let dir = tempfile::tempdir().expect("a temporary folder can be made");
        let mut cache = filled(dir.path(), &["a", "b", "c"]);
        cache
            .retain(&HashSet::from([key("a"), key("c")]))
            .expect("the cache can be rewritten");
        cache
            .append(&[(key("e"), Arc::from([9.0; 3]))])
            .expect("the cache takes a vector");
        drop(cache);
        let cache = Cache::open(dir.path(), &model()).expect("the cache opens");
        assert!(cache.get(&key("b")).is_none() && cache.get(&key("e")).is_some());
        assert_eq!(
            fs::metadata(file_of(dir.path(), &model()))
                .expect("the cache is there")
                .len(),
            3 * RECORD
        );
    }
}
