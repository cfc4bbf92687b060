//! Faults of the corpus: gathered, sorted, shown together.

use std::fmt;

use serde::Serialize;

/// One fault, in French, for whoever edits the corpus.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fault {
    /// The file, relative to `corpus/`.
    pub file: String,
    /// The line, from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong and, where it is not plain, what would be right.
    pub message: String,
}

/// All the faults found in one reading.
#[derive(Debug, Default, thiserror::Error)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// No fault at all?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The faults, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }

    pub(super) fn add(&mut self, file: &str, line: Option<usize>, message: impl Into<String>) {
        self.0.push(Fault {
            file: file.to_owned(),
            line,
            message: message.into(),
        });
    }

    /// A fault of TOML syntax or shape; `first_line` is the number of lines before the text in its file.
    pub(super) fn add_toml(
        &mut self,
        file: &str,
        text: &str,
        first_line: usize,
        error: &toml::de::Error,
    ) {
        let line = error.span().map(|s| first_line + line_of(text, s.start));
        let message = error
            .message()
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned();
        self.add(file, line, format!("TOML : {message}"));
    }

    pub(super) fn sorted(mut self) -> Self {
        self.0.sort();
        self.0.dedup();
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "corpus/{}:{line}: {}", self.file, self.message),
            None => write!(f, "corpus/{}: {}", self.file, self.message),
        }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.0.iter().enumerate() {
            write!(f, "{}{fault}", if i > 0 { "\n" } else { "" })?;
        }
        Ok(())
    }
}

/// The line, from 1, of a byte offset.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())]
        .iter()
        .filter(|b| **b == b'\n')
        .count()
        + 1
}
