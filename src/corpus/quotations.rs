//! Comparing quotations with the act, letter for letter.
//!
//! The act's text is not kept in the repository: whoever has it hands it in. Line ends and runs of
//! spaces apart, each quotation must stand in the section it is said to stand in.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::fault::Faults;
use super::programme::Programme;
use super::{Corpus, hex};

/// Compares the outline and every quotation of the act with its text.
///
/// # Errors
/// Every difference, as faults.
pub fn compare_with_act(corpus: &Corpus, text: &[u8]) -> Result<usize, Faults> {
    let mut faults = Faults::default();
    let compared = compare(corpus, text, &mut faults);
    if faults.is_empty() {
        Ok(compared)
    } else {
        Err(faults.sorted())
    }
}

fn compare(corpus: &Corpus, bytes: &[u8], faults: &mut Faults) -> usize {
    let Some(act) = corpus.act() else { return 0 };
    let digest = hex(&Sha256::digest(bytes));
    if act.text_sha256.as_deref() != Some(digest.as_str()) {
        faults.add(
            &act.file,
            None,
            format!("le texte donné a pour empreinte {digest}, ce n’est pas celle du plan"),
        );
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        faults.add(&act.file, None, "le texte donné n’est pas en UTF-8");
        return 0;
    };
    let text = spaced(text);

    let mut spans: HashMap<&str, (usize, usize)> = HashMap::new();
    let mut from = 0;
    let mut open: Option<&str> = None;
    for section in &act.sections {
        let words = spaced(section.opens_with.as_deref().unwrap_or_default());
        let Some(found) = text[from..].find(&words) else {
            let id = section.id.get_ref();
            faults.add(
                &act.file,
                Some(section.line),
                format!("le début de la section « {id} » n’est pas dans le texte, à sa place"),
            );
            continue;
        };
        let start = from + found;
        if let Some(previous) = open.and_then(|id| spans.get_mut(id)) {
            previous.1 = start;
        }
        spans.insert(section.id.get_ref(), (start, text.len()));
        open = Some(section.id.get_ref());
        from = start + words.len();
    }

    let mut compared = 0;
    for passage in corpus.passages.iter().filter(|p| p.source == act.id) {
        for quotation in &passage.quotations {
            compared += 1;
            let words = spaced(&quotation.words);
            let Some((start, end)) = spans.get(quotation.section.as_str()) else {
                continue;
            };
            if !text[*start..*end].contains(&words) {
                let elsewhere = if text.contains(&words) {
                    "elle est ailleurs dans l’acte"
                } else {
                    "elle n’est pas dans l’acte"
                };
                faults.add(
                    &passage.file,
                    Some(passage.line),
                    format!(
                        "{} : la citation « {} » n’est pas dans la section « {} » ({elsewhere})",
                        passage.id, quotation.words, quotation.section
                    ),
                );
            }
        }
    }
    for programme in &corpus.programmes {
        compared += programme.sentences.len();
        sentences_are_those_of_the_act(programme, &text, &spans, faults);
    }
    compared
}

/// Each sentence listed with the rules stands in its section, and the sections said to be covered hold no other word.
fn sentences_are_those_of_the_act(
    programme: &Programme,
    text: &str,
    spans: &HashMap<&str, (usize, usize)>,
    faults: &mut Faults,
) {
    let mut read: HashMap<&str, usize> = HashMap::new();
    let covered = |section: &str| {
        programme
            .covered
            .iter()
            .any(|c| c.section.get_ref() == section)
    };
    let left_out = |between: &str| between.chars().any(char::is_alphanumeric);
    for sentence in &programme.sentences {
        let section = sentence.section.get_ref().as_str();
        let line = Some(super::fault::line_of(
            &programme.text,
            sentence.section.span().start,
        ));
        let Some((start, end)) = spans.get(section) else {
            faults.add(
                &programme.file,
                line,
                format!("la section « {section} » n’existe pas dans l’acte"),
            );
            continue;
        };
        let from = read.get(section).copied().unwrap_or(*start);
        let Some(found) = text[from..*end].find(&sentence.words) else {
            faults.add(
                &programme.file,
                line,
                format!(
                    "« {} » n’est pas, à sa place, dans la section « {section} » de l’acte",
                    sentence.words
                ),
            );
            continue;
        };
        if covered(section) && left_out(&text[from..from + found]) {
            let words = text[from..from + found].trim();
            faults.add(&programme.file, line, format!("la section « {section} » dit avant cette phrase : « {words} », qui n’est ni encodé ni laissé à une personne"));
        }
        read.insert(section, from + found + sentence.words.len());
    }
    for section in &programme.covered {
        let id = section.section.get_ref().as_str();
        if let (Some(read), Some((_, end))) = (read.get(id), spans.get(id))
            && left_out(&text[*read..*end])
        {
            let line = super::fault::line_of(&programme.text, section.section.span().start);
            let words = text[*read..*end].trim();
            faults.add(&programme.file, Some(line), format!("la section « {id} » finit par « {words} », qui n’est ni encodé ni laissé à une personne"));
        }
    }
}

/// Line ends and runs of spaces as one plain space.
fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
