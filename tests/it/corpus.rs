//! The corpus: sound as it stands, and every fault said at once, with file and line.

use std::fs;

use assistant::corpus::{Corpus, compare_with_act};

use crate::harness::{assistant, home, home_to_break, outcome};

#[test]
fn the_corpus_is_sound() {
    let corpus = Corpus::read(&home()).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(corpus.programmes.len(), 3);
    assert_eq!(corpus.records.len(), 216);
    assert!(
        corpus
            .records
            .iter()
            .all(|r| r.example && !r.seen_at.is_empty())
    );
}

#[test]
fn the_traps_of_the_founding_text_are_kept_exact() {
    let corpus = Corpus::read(&home()).unwrap_or_else(|faults| panic!("{faults}"));
    let says = |id: &str, words: &str| {
        let passage = corpus.passage(id).unwrap_or_else(|| panic!("{id} exists"));
        assert!(
            passage.evidence().contains(words),
            "{id} should say {words}"
        );
    };
    says("datathon-normandie/enveloppe", "5000€ par édition");
    says(
        "diagnostic-data-ia/budget-total",
        "montant affecté total de 50 000€ TTC",
    );
    says(
        "booster-ia/condition-partenariat",
        "Les dépenses éligibles du projet faisant intervenir au moins deux structures normandes",
    );
    says("diagnostic-data-ia/de-minimis", "1407/2013");
    assert!(
        corpus
            .passage("diagnostic-data-ia/de-minimis")
            .is_some_and(|p| p.with.iter().any(|w| w.contains("avertissement")))
    );
    assert!(
        corpus
            .programme("diagnostic-data-ia")
            .is_some_and(|p| p.portal.is_none()),
        "the act names no filing address"
    );
}

#[test]
fn every_fault_is_said_at_once_with_file_and_line() {
    let home = home_to_break();
    let corpus = home.path().join("corpus");
    let edit = |file: &str, from: &str, to: &str| {
        let path = corpus.join(file);
        let text = fs::read_to_string(&path).expect("the file can be read");
        assert!(text.contains(from), "{file} holds {from}");
        fs::write(&path, text.replacen(from, to, 1)).expect("the file can be written");
    };
    edit(
        "programmes/booster-ia.toml",
        "cap\"\nvalue_eur = 12500",
        "cap\"\nvalue_eur = 12600",
    );
    edit(
        "programmes/datathon-normandie.toml",
        "topic = \"team\"",
        "topic = \"equipe\"\ncouleur = \"rouge\"",
    );
    edit(
        "roadmap/datalab-normandie.md",
        "section = \"a2-datalab\"",
        "section = \"a9-datalab\"",
    );
    edit(
        "messages.toml",
        "la plateforme nationale des données ouvertes",
        "data.gouv.fr",
    );
    fs::write(
        corpus.join("questions/zz.toml"),
        "[[passage]]\nid = \"booster-ia/nulle-part\"\nask = [\"?\"]\n",
    )
    .expect("written");
    fs::write(corpus.join("catalogue/zz.jsonl"), b"{\"id\": \"a\xff\"}\n").expect("written");

    let output = assistant()
        .args(["corpus", "check", "--home"])
        .arg(home.path())
        .output()
        .expect("it runs");
    let (out, err, code) = outcome(&output);
    assert_eq!(code, Some(1), "{out}{err}");
    for expected in [
        "corpus/programmes/booster-ia.toml:",
        "12600 €",
        "corpus/programmes/datathon-normandie.toml:",
        "couleur",
        "corpus/roadmap/datalab-normandie.md:",
        "a9-datalab",
        "corpus/messages.toml: le message « no_dataset » affirme",
        "corpus/questions/zz.toml:2: le passage « booster-ia/nulle-part » n’existe pas",
        "corpus/catalogue/zz.jsonl: le fichier n’est pas en UTF-8",
    ] {
        assert!(out.contains(expected), "{expected} is not in:\n{out}");
    }
    assert_eq!(err.lines().count(), 1, "one line on stderr: {err}");
}

#[test]
fn a_quotation_that_the_act_does_not_hold_is_found_out() {
    let corpus = Corpus::read(&home()).unwrap_or_else(|faults| panic!("{faults}"));
    let faults = compare_with_act(&corpus, b"AP D 25-12-5 et rien d'autre")
        .expect_err("this is not the act")
        .to_string();
    assert!(faults.contains("empreinte"), "{faults}");
    assert!(
        faults.contains("n’est pas dans le texte, à sa place"),
        "{faults}"
    );
}
