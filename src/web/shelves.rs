//! The catalogue by theme, producer, format and licence: read once, so that a request only counts.

use std::collections::BTreeMap;

use super::filter::{self, Choice, Facet};
use super::input::Fields;
use crate::corpus::{Corpus, Record};
use crate::text::fold::fold;

/// By what records are sorted into shelves, in the order of the form.
pub(super) const SHELVES: [Shelf; 4] = [
    Shelf {
        name: "theme",
        label: "Thème",
        any: "Tous les thèmes",
        of: themes,
    },
    Shelf {
        name: "producer",
        label: "Producteur",
        any: "Tous les producteurs",
        of: producers,
    },
    Shelf {
        name: "format",
        label: "Format",
        any: "Tous les formats",
        of: formats,
    },
    Shelf {
        name: "licence",
        label: "Licence",
        any: "Toutes les licences",
        of: licences,
    },
];

/// One way to sort records.
pub(super) struct Shelf {
    /// Its name in the address.
    pub(super) name: &'static str,
    /// Its label.
    pub(super) label: &'static str,
    any: &'static str,
    of: fn(&Record) -> Vec<String>,
}

/// The formats that sources name within longer wordings: "exports ODS (csv, json…)".
const FORMATS: [(&str, &str); 15] = [
    ("arcgis", "ArcGIS"),
    ("csv", "CSV"),
    ("gbfs", "GBFS"),
    ("geojson", "GeoJSON"),
    ("gtfs", "GTFS"),
    ("gtfs-rt", "GTFS-RT"),
    ("json", "JSON"),
    ("netex", "NeTEx"),
    ("parquet", "Parquet"),
    ("shp", "SHP"),
    ("siri", "SIRI"),
    ("wfs", "WFS"),
    ("wms", "WMS"),
    ("xlsx", "XLSX"),
    ("xml", "XML"),
];

/// A theme without its second level.
fn themes(record: &Record) -> Vec<String> {
    record
        .first_theme()
        .map(str::to_owned)
        .into_iter()
        .collect()
}

fn producers(record: &Record) -> Vec<String> {
    record.producer.iter().cloned().collect()
}

fn licences(record: &Record) -> Vec<String> {
    record.licence.iter().cloned().collect()
}

/// The formats named; the source's own wording where it names none that we know.
fn formats(record: &Record) -> Vec<String> {
    let mut out = Vec::new();
    for wording in &record.formats {
        let folded = fold(wording);
        let words: Vec<&str> = folded
            .split(|c: char| !c.is_alphanumeric() && c != '-')
            .collect();
        let known = FORMATS.iter().filter(|(word, _)| words.contains(word));
        let before = out.len();
        out.extend(known.map(|(_, label)| (*label).to_owned()));
        if out.len() == before {
            out.push(wording.clone());
        }
    }
    out
}

/// Every record on its shelves.
#[derive(Debug)]
pub(super) struct Shelves([Sorted; SHELVES.len()]);

#[derive(Debug)]
struct Sorted {
    /// Key and label, in the order of the form: by label, and last what is not indicated.
    choices: Vec<(String, String)>,
    /// The choices under which each record stands.
    under: Vec<Vec<usize>>,
}

/// The choices made, one at most for each way to sort.
pub(super) type Chosen = [Option<usize>; SHELVES.len()];

impl Shelves {
    /// Sorts the records of a corpus.
    pub(super) fn of(corpus: &Corpus, not_indicated: &str) -> Self {
        Self(SHELVES.map(|shelf| Sorted::by(shelf.of, &corpus.records, not_indicated)))
    }

    /// What an address asks; what it asks in vain is told in `aside`.
    pub(super) fn chosen(&self, fields: &Fields, aside: &mut Vec<String>) -> Chosen {
        std::array::from_fn(|i| {
            let keys = self.0[i].choices.iter().map(|(key, _)| key.as_str());
            filter::chosen(fields, SHELVES[i].name, SHELVES[i].label, keys, aside)
        })
    }

    /// Whether a record stands under all the choices made, but for the one left out.
    pub(super) fn holds(&self, chosen: &Chosen, record: usize, but: Option<usize>) -> bool {
        self.0
            .iter()
            .zip(chosen)
            .enumerate()
            .all(|(i, (sorted, choice))| {
                but == Some(i) || choice.is_none_or(|choice| sorted.under[record].contains(&choice))
            })
    }

    /// The key and the label of a choice.
    pub(super) fn choice(&self, shelf: usize, choice: usize) -> (&str, &str) {
        let (key, label) = &self.0[shelf].choices[choice];
        (key, label)
    }

    /// The form's fields: each choice with the number of records among `found` that it would leave.
    pub(super) fn facets(&self, chosen: &Chosen, found: &[usize]) -> Vec<Facet> {
        let facet = |(i, sorted): (usize, &Sorted)| {
            let mut counts = vec![0; sorted.choices.len()];
            for record in found.iter().filter(|r| self.holds(chosen, **r, Some(i))) {
                for choice in &sorted.under[*record] {
                    counts[*choice] += 1;
                }
            }
            let choices = sorted.choices.iter().zip(counts).enumerate();
            Facet {
                name: SHELVES[i].name,
                label: SHELVES[i].label,
                any: SHELVES[i].any,
                choices: choices
                    .map(|(at, ((key, label), count))| Choice {
                        key: key.clone(),
                        label: label.clone(),
                        count,
                        chosen: chosen[i] == Some(at),
                    })
                    .filter(|choice| choice.count > 0 || choice.chosen)
                    .collect(),
            }
        };
        self.0.iter().enumerate().map(facet).collect()
    }
}

impl Sorted {
    fn by(of: fn(&Record) -> Vec<String>, records: &[Record], not_indicated: &str) -> Self {
        let labels = |record: &Record| {
            let labels = of(record);
            if labels.is_empty() {
                vec![not_indicated.to_owned()]
            } else {
                labels
            }
        };
        // What has the same key is one choice, under the label met first.
        let mut known: BTreeMap<String, String> = BTreeMap::new();
        for label in records.iter().flat_map(labels) {
            known.entry(filter::key(&label)).or_insert(label);
        }
        let mut choices: Vec<(String, String)> = known.into_iter().collect();
        choices.sort_by_cached_key(|(_, label)| (label == not_indicated, fold(label)));
        let at = |label: String| {
            let key = filter::key(&label);
            choices.iter().position(|(k, _)| *k == key)
        };
        let under = records.iter().map(|record| {
            let mut under: Vec<usize> = labels(record).into_iter().filter_map(at).collect();
            under.sort_unstable();
            under.dedup();
            under
        });
        let under = under.collect();
        Self { choices, under }
    }
}
