//! A dataset record: one line of `corpus/catalogue/*.jsonl`.
//!
//! Records come from outside (later: harvested). Their text is data, shown and matched, never obeyed.

use std::collections::HashSet;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::Faults;
use crate::text::language::Language;
use crate::text::sparse::Terms;

/// Metadata of one dataset. `None` and an empty list mean that nothing is indicated.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Id: lower-case letters, digits and hyphens.
    pub id: String,
    /// A record kept as an example: seen somewhere public, not harvested.
    #[serde(default)]
    pub example: bool,
    /// The record's own title, unaltered.
    pub title: String,
    /// Description.
    pub description: String,
    /// Who produces the data.
    pub producer: Option<String>,
    /// Theme, sometimes with a second level after a slash.
    pub theme: Option<String>,
    /// Licence.
    pub licence: Option<String>,
    /// Formats, as the source words them.
    #[serde(default)]
    pub formats: Vec<String>,
    /// How often it is updated.
    pub frequency: Option<String>,
    /// The territory covered.
    pub territory: Option<String>,
    /// Day, or month, of the last known change (ISO 8601).
    pub modified: Option<String>,
    /// The page where a person reads about it.
    pub landing_page: Option<String>,
    /// The address where a machine reads it.
    pub api_url: Option<String>,
    /// The identifier at its source.
    pub identifier: Option<String>,
    /// Names of columns, where known.
    #[serde(default)]
    pub columns: Vec<String>,
    /// Number of rows, where known.
    pub rows: Option<u64>,
    /// The platform that carries it.
    pub platform: Option<String>,
    /// Where the record was seen.
    pub seen_at: String,
    /// `seen`: its own page was; `indirect`: listed by an inventory.
    pub confidence: String,
    /// Remarks.
    pub notes: Option<String>,
    #[serde(skip)]
    stems: OnceLock<HashSet<String>>,
}

impl Record {
    /// Its theme without the second level.
    #[must_use]
    pub fn first_theme(&self) -> Option<&str> {
        let theme = self.theme.as_deref()?;
        theme.split('/').next().map(str::trim)
    }

    /// The text that is embedded and matched: title, description, producer, theme, territory.
    #[must_use]
    pub fn indexed_text(&self) -> String {
        let mut text = format!("{}. {}", self.title, self.description);
        for part in [&self.producer, &self.theme, &self.territory]
            .into_iter()
            .flatten()
        {
            text.push(' ');
            text.push_str(part);
        }
        text
    }

    /// The stems of that text, found the first time they are asked for.
    pub fn stems(&self) -> &HashSet<String> {
        let stems = || Terms::Stems.of(&self.indexed_text(), Language::Fr);
        self.stems.get_or_init(|| stems().into_iter().collect())
    }

    /// The page, or failing that the interface, where the data can be had.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        self.landing_page.as_deref().or(self.api_url.as_deref())
    }

    /// Everything the record says, for the verification of sentences about it.
    #[must_use]
    pub fn evidence(&self) -> String {
        let optional = [
            &self.producer,
            &self.theme,
            &self.licence,
            &self.frequency,
            &self.territory,
            &self.modified,
            &self.landing_page,
            &self.api_url,
            &self.identifier,
            &self.platform,
            &self.notes,
        ];
        let mut text = format!(
            "{} {} {} {}",
            self.title,
            self.description,
            self.seen_at,
            self.formats.join(", ")
        );
        for part in optional.into_iter().flatten() {
            text.push_str(" ; ");
            text.push_str(part);
        }
        if let Some(rows) = self.rows {
            text.push_str(&format!(" ; {rows}"));
        }
        text.push_str(&format!(
            " ; {} ; {}",
            self.columns.len(),
            self.columns.join(", ")
        ));
        text
    }
}

/// Reads one file of records, a JSON object a line, sorted by id.
pub(super) fn read(file: &str, text: &str, faults: &mut Faults) -> Vec<Record> {
    let mut out: Vec<Record> = Vec::new();
    for (i, line) in text.lines().enumerate() {
        let at = Some(i + 1);
        match serde_json::from_str::<Record>(line) {
            Ok(record) => {
                if !record
                    .id
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                {
                    faults.add(
                        file,
                        at,
                        format!(
                            "l’identifiant « {} » doit être en minuscules, chiffres et tirets",
                            record.id
                        ),
                    );
                }
                match out.last().map(|last| last.id.cmp(&record.id)) {
                    Some(std::cmp::Ordering::Equal) => {
                        faults.add(
                            file,
                            at,
                            format!("l’identifiant « {} » est déjà pris", record.id),
                        );
                    }
                    Some(std::cmp::Ordering::Greater) => {
                        faults.add(
                            file,
                            at,
                            format!(
                                "« {} » n’est pas à sa place : les fiches sont triées",
                                record.id
                            ),
                        );
                    }
                    _ => {}
                }
                for address in [&record.landing_page, &record.api_url]
                    .into_iter()
                    .flatten()
                {
                    if !address.starts_with("https://") && !address.starts_with("http://") {
                        faults.add(
                            file,
                            at,
                            format!("« {address} » n’est pas une adresse http(s)"),
                        );
                    }
                }
                out.push(record);
            }
            Err(e) => faults.add(file, at, format!("JSON : {e}")),
        }
    }
    out
}
