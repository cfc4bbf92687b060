//! The coverage of the act as people read it: a row a section, then the totals.

use crate::corpus::{Coverage, SectionCoverage, Sentences, State};

/// Prints it; `sentences` adds what nothing covers, word for word.
pub fn print(coverage: &Coverage, sentences: bool) {
    for section in &coverage.sections {
        row(section);
        if let Some(read) = section.sentences.as_ref().filter(|_| sentences) {
            for untold in &read.untold {
                println!("      ✗ {untold}");
            }
        }
    }
    let t = &coverage.totals;
    println!(
        "\n{} sections : {} couvertes, {} laissées de côté avec leur raison, {} ni l’un ni l’autre.",
        t.sections, t.covered, t.left_out, t.uncovered
    );
    if let Some(s) = &t.sentences {
        println!(
            "{} phrases : {} citées, {} dites en nos mots, {} laissées de côté avec leur raison, {} dont rien ne parle.",
            s.total, s.quoted, s.told, s.left_out, s.untold
        );
    }
    println!();
}

fn row(section: &SectionCoverage) {
    let state = match section.state {
        State::Covered => "couverte",
        State::LeftOut => "laissée de côté",
        State::Uncovered => "NON COUVERTE",
    };
    println!(
        "{:<30} {state}{}",
        section.section,
        section.sentences.as_ref().map_or_else(String::new, read)
    );
    println!("      {}", section.locator);
    if !section.passages.is_empty() {
        println!(
            "      {} passages : {}",
            section.passages.len(),
            section.passages.join(", ")
        );
    }
    if let Some(reason) = &section.reason {
        println!("      laissé de côté : {reason}");
    }
}

fn read(s: &Sentences) -> String {
    format!(
        " — {} % de {} phrases : {} citées, {} dites, {} laissées de côté, {} sans rien",
        s.percent(),
        s.total,
        s.quoted,
        s.told,
        s.left_out,
        s.untold.len()
    )
}
