//! The corpus of the generation in service, kept beside it.
//!
//! ```text
//! data/corpus/<digest>/corpus/   the files as they were read
//! ```
//! A generation names the positions of passages and records in the corpus it was made from. Started
//! again with another corpus, the assistant answers from the last generation and from this copy until the
//! next one is built.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Corpus;

/// Copies the files of `corpus`, read from `home`, into the data folder; complete or not at all.
///
/// # Errors
/// When a file cannot be read or written.
pub fn keep(corpus: &Corpus, home: &Path, data: &Path) -> io::Result<()> {
    let place = place(data, &corpus.digest);
    if place.exists() {
        return Ok(());
    }
    let beside = place.with_extension("new");
    if beside.exists() {
        fs::remove_dir_all(&beside)?;
    }
    copy(&home.join("corpus"), &beside.join("corpus"))?;
    fs::rename(beside, place)
}

/// The corpus with this digest, if the data folder keeps it and this version of the program reads it.
#[must_use]
pub fn kept(data: &Path, digest: &str) -> Option<Corpus> {
    let corpus = Corpus::read(&place(data, digest)).ok()?;
    // Files that changed while they were copied, or since.
    (corpus.digest == digest).then_some(corpus)
}

/// Removes all copies but that of `corpus`.
///
/// # Errors
/// When one cannot be removed.
pub fn forget_others(corpus: &Corpus, data: &Path) -> io::Result<()> {
    let kept = place(data, &corpus.digest);
    for entry in fs::read_dir(data.join("corpus"))? {
        let path = entry?.path();
        if path != kept {
            fs::remove_dir_all(path)?;
        }
    }
    Ok(())
}

fn place(data: &Path, digest: &str) -> PathBuf {
    data.join("corpus").join(&digest[..digest.len().min(16)])
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
