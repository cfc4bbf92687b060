//! Faults of the corpus: gathered, sorted, shown together.

use std::collections::HashSet;
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
pub struct Faults {
    list: Vec<Fault>,
    /// Names, without folder and extension, of the files that gave nothing: what they would have held is
    /// not said to be missing too.
    lost: HashSet<String>,
}

impl Faults {
    /// No fault at all?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The faults, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.list.iter()
    }

    pub(super) fn add(&mut self, file: &str, line: Option<usize>, message: impl Into<String>) {
        self.list.push(Fault {
            file: file.to_owned(),
            line,
            message: message.into(),
        });
    }

    /// Remembers that a file gave nothing.
    pub(super) fn lose(&mut self, file: &str) {
        let name = file.rsplit('/').next().unwrap_or(file);
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        self.lost.insert(stem.to_owned());
    }

    /// Whether the file that would hold this (a source, or the owner of a passage) gave nothing.
    pub(super) fn lost(&self, id: &str) -> bool {
        self.lost.contains(id.split('/').next().unwrap_or(id))
    }

    /// Whether any file gave nothing.
    pub(super) fn any_lost(&self) -> bool {
        !self.lost.is_empty()
    }

    /// A fault of TOML syntax or shape; `first_line` is the number of lines before the text in its file.
    pub(super) fn add_toml(
        &mut self,
        file: &str,
        text: &str,
        first_line: usize,
        error: &toml::de::Error,
    ) {
        let line = error
            .span()
            .map(|s| first_line + Lines::of(text).at(s.start));
        let message = error.message().lines().next().unwrap_or_default();
        self.add(file, line, in_french(message));
        self.lose(file);
    }

    pub(super) fn sorted(mut self) -> Self {
        self.list.sort();
        self.list.dedup();
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
        for (i, fault) in self.list.iter().enumerate() {
            write!(f, "{}{fault}", if i > 0 { "\n" } else { "" })?;
        }
        Ok(())
    }
}

/// What the TOML reader says; what an editor of the corpus meets most is said in French.
fn in_french(message: &str) -> String {
    let expected = |rest: &str| {
        rest.split_once("expected ")
            .map_or_else(String::new, |(_, list)| {
                format!(
                    " (attendues ici : {})",
                    list.trim_start_matches("one of ").replace('`', "")
                )
            })
    };
    if let Some(rest) = message.strip_prefix("unknown field `") {
        let key = rest.split('`').next().unwrap_or_default();
        format!("la clé « {key} » n’est pas connue{}", expected(rest))
    } else if let Some(rest) = message.strip_prefix("missing field `") {
        format!("la clé « {} » manque", rest.trim_end_matches('`'))
    } else if let Some(rest) = message.strip_prefix("unknown variant `") {
        let value = rest.split('`').next().unwrap_or_default();
        format!("la valeur « {value} » n’est pas connue{}", expected(rest))
    } else {
        format!("TOML : {message}")
    }
}

/// The lines of a text, to find where in it something stands.
#[derive(Debug, Clone, Default)]
pub(super) struct Lines(Vec<usize>);

impl Lines {
    /// Finds the line ends once.
    pub(super) fn of(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, b)| *b == b'\n');
        Self(ends.map(|(at, _)| at).collect())
    }

    /// The line, from 1, of a byte offset.
    pub(super) fn at(&self, offset: usize) -> usize {
        self.0.partition_point(|end| *end < offset) + 1
    }
}
