//! Evaluation: the product, called on files of questions through the way in that visitors use.
//!
//! [`answers`] puts golden conversations to the whole assistant; [`retrieval`] asks, of phrasings
//! that are never indexed, at which rank the right passage or record comes.

pub mod answers;
pub mod retrieval;

use std::path::Path;

use anyhow::{Context, anyhow};
use serde::de::DeserializeOwned;

/// Reads one TOML file of cases.
///
/// # Errors
/// One line in French naming the file, the line and what is wrong.
pub fn read<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("{} ne peut pas être lu", path.display()))?;
    toml::from_str(&text).map_err(|e| {
        let why = e.message().lines().next().unwrap_or_default().to_owned();
        let line = e
            .span()
            .map(|s| text[..s.start].matches('\n').count() + 1)
            .unwrap_or_default();
        anyhow!("{}:{line} : {why}", path.display())
    })
}
