//! The corpus: sound as it stands, and every fault said at once, with file and line.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use assistant::corpus::{Corpus, State, coverage, hex};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::harness::{assistant, home, home_to_break, outcome};

/// What `assistant corpus check` says of the corpus of a home.
fn check(home: &Path, more: &[&str]) -> (String, String, Option<i32>) {
    let mut command = assistant();
    command.args(["corpus", "check", "--home"]).arg(home);
    outcome(&command.args(more).output().expect("it runs"))
}

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
    let edit = |file: &str, from: &str, to: &str| edit(&corpus, file, from, to);
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

    let (out, err, code) = check(home.path(), &[]);
    assert_eq!(code, Some(1), "{out}{err}");
    for expected in [
        "corpus/programmes/booster-ia.toml:",
        "booster-ia/plafond : le montant 12600 €, valeur typée,",
        "la règle « aid » : le montant 12600 € n’est dans aucune phrase qu’elle encode",
        "le montant 12500 € n’est dans aucune règle qui l’encode",
        "corpus/programmes/datathon-normandie.toml:",
        "couleur",
        "corpus/roadmap/datalab-normandie.md:",
        "a9-datalab",
        "corpus/messages.toml: le message « no_dataset » affirme",
        "corpus/questions/zz.toml:2: le passage « booster-ia/nulle-part » n’existe pas",
        "corpus/catalogue/zz.jsonl:1: le fichier n’est pas en UTF-8",
        "la clé « couleur » n’est pas connue (attendues ici : id, title",
    ] {
        assert!(out.contains(expected), "{expected} is not in:\n{out}");
    }
    assert_eq!(
        out.lines().count(),
        8,
        "what a lost file held is not missed too:\n{out}"
    );
    assert_eq!(err.lines().count(), 1, "one line on stderr: {err}");
}

#[test]
fn each_slip_of_an_editor_has_its_line() {
    let home = home_to_break();
    let corpus = home.path().join("corpus");
    let edit = |file: &str, from: &str, to: &str| edit(&corpus, file, from, to);
    let line = |file: &str, words: &str| {
        let text = fs::read_to_string(corpus.join(file)).expect("the file can be read");
        let at = text.lines().position(|l| l.contains(words));
        at.unwrap_or_else(|| panic!("{file} holds {words}")) + 1
    };
    edit(
        "programmes/booster-ia.toml",
        "id = \"avance\"",
        "id = \"paiement\"",
    );
    edit(
        "roadmap/sigles.md",
        "## Que veut dire LLM ? {#llm}\nLLM est l’abréviation de Large Language Model, en français « grand modèle de \
         langage » (traduction qui n’est pas dans le texte). La feuille de route emploie ce sigle pour une solution \
         que DataNormandie pourrait introduire afin d’accompagner chaque utilisateur. Elle n’explique pas comment \
         fonctionne un tel modèle.",
        "## Que veut dire LLM ? {#llm}",
    );
    edit(
        "roadmap/sigles.md",
        "see = [\"sigles/rte\", ",
        "see = [\"sigles/grtgaz\", ",
    );
    edit(
        "guides/lambert-93-et-wgs-84.md",
        "\nsee = [\"cartographier/que-faut-il\"]",
        "",
    );
    edit(
        "questions/sigles.toml",
        "\"que veut dire LLM ?\"",
        "\"RTE, quel sens ?\"",
    );
    edit(
        "questions/sigles.toml",
        "\"who is GRTgaz?\"",
        "\"RTE quels sens\"",
    );
    edit(
        "roadmap/deliberation.md",
        "Elle n’en rappelle pas le contenu.",
        "Elle n’en rappelle pas le contenu, voté pour trente-cinq mille euros.",
    );

    let (out, err, code) = check(home.path(), &[]);
    assert_eq!(code, Some(1), "{out}{err}");
    let sigles = "roadmap/sigles.md";
    for expected in [
        "booster-ia/paiement : cet identifiant est déjà pris (corpus/programmes/booster-ia.toml:"
            .to_owned(),
        format!(
            "corpus/{sigles}:{}: sigles/llm : le texte français est vide",
            line(sigles, "id = \"llm\"")
        ),
        format!(
            "corpus/{sigles}:{}: sigles/grtgaz : le passage renvoie à lui-même",
            line(sigles, "id = \"grtgaz\"")
        ),
        "corpus/guides/cartographier.md:1: aucun autre".to_owned(),
        "le montant 35000 € n’est pas dans la citation".to_owned(),
        format!(
            "corpus/questions/sigles.toml:{}: « RTE, quel sens ? » est presque « RTE quels sens », qui mène à « sigles/grtgaz »",
            line("questions/sigles.toml", "RTE, quel sens ?")
        ),
    ] {
        assert!(out.contains(&expected), "{expected} is not in:\n{out}");
    }
}

#[test]
fn every_section_of_the_act_is_covered() {
    let corpus = Corpus::read(&home()).unwrap_or_else(|faults| panic!("{faults}"));
    let coverage = coverage(&corpus, None).expect("there is an act");
    for section in &coverage.sections {
        assert_eq!(section.state, State::Covered, "{}", section.section);
    }
    assert!(coverage.is_whole());
}

#[test]
fn a_section_that_no_passage_covers_is_shown_until_it_is_left_out_with_a_reason() {
    let home = home_to_break();
    let plan = home.path().join("corpus/sources/ap-d-25-12-5.toml");
    let add = |more: &str| {
        let text = fs::read_to_string(&plan).expect("the outline can be read");
        fs::write(&plan, format!("{text}\n{more}\n")).expect("the outline can be written");
    };
    add(
        "[[section]]\nid = \"a6-nouvelle\"\nlocator = \"annexe 6\"\nlocator_en = \"annex 6\"\nopens_with = \"Annexe 6\"",
    );
    let (out, err, code) = check(home.path(), &["--coverage"]);
    assert_eq!(code, Some(1), "{out}{err}");
    assert!(
        out.contains("a6-nouvelle                    NON COUVERTE"),
        "{out}"
    );
    assert!(out.contains("45 sections : 44 couvertes"), "{out}");

    add("[[left_out]]\nsection = \"a6-nouvelle\"\nwhy = \"Elle ne concerne que le papier.\"");
    let (out, err, code) = check(home.path(), &["--coverage", "--json"]);
    assert_eq!(code, Some(0), "{out}{err}");
    let report: Value = serde_json::from_str(&out).expect("one JSON document");
    let last = &report["coverage"]["sections"][44];
    assert_eq!(last["state"], "left_out");
    assert_eq!(last["reason"], "Elle ne concerne que le papier.");
    assert_eq!(report["coverage"]["totals"]["covered"], 44);
}

#[test]
fn a_sentence_that_nothing_tells_and_a_quotation_off_by_a_letter_are_found_in_the_act() {
    let home = home_to_break();
    let act = home.path().join("act.txt");
    let text = act_of_our_quotations();
    give(home.path(), &act, &text);
    let check_beside = |more: &[&str]| {
        let source = ["--source", act.to_str().expect("a path in UTF-8")];
        check(home.path(), &[&source, more].concat())
    };
    let (out, err, code) = check_beside(&["--coverage", "-v"]);
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.contains(", 0 dont rien ne parle."), "{out}");

    let untold = "Chaque kangourou recevra gratuitement un parapluie violet.";
    give(home.path(), &act, &format!("{text}\n\n{untold}\n"));
    let (out, err, code) = check_beside(&["--coverage", "-v"]);
    assert_eq!(code, Some(1), "{out}{err}");
    assert!(out.contains(&format!("✗ {untold}")), "{out}");
    assert!(out.contains(", 1 dont rien ne parle."), "{out}");

    give(home.path(), &act, &text);
    edit(
        &home.path().join("corpus"),
        "programmes/booster-ia.toml",
        "La preuve de concept devra être réalisée, au maximum, en six (6) mois.",
        "La preuve de concept devra être réalisée, au maximun, en six (6) mois.",
    );
    let (out, err, code) = check_beside(&[]);
    assert_eq!(code, Some(1), "{out}{err}");
    let fault = out.lines().next().unwrap_or_default();
    assert!(
        fault.starts_with("corpus/programmes/booster-ia.toml:"),
        "{out}"
    );
    assert!(
        fault.contains("au maximun, en six (6) mois")
            && fault.contains("l’acte dit au plus près « "),
        "{out}"
    );
    assert!(fault.contains("au maximum, en six (6) mois"), "{out}");
}

#[test]
fn a_condition_of_the_act_that_no_rule_encodes_is_found() {
    let broken = home_to_break();
    let act = broken.path().join("act.txt");
    let text = act_of_our_quotations();
    let check = |text: &str| {
        give(broken.path(), &act, text);
        let output = assistant()
            .args(["corpus", "check", "--home"])
            .arg(broken.path())
            .arg("--source")
            .arg(&act)
            .output()
            .expect("it runs");
        outcome(&output)
    };
    let changed = |from: &str, to: &str| {
        assert!(text.contains(from), "the act says {from}");
        check(&text.replacen(from, to, 1))
    };
    let corpus = Corpus::read(&home()).unwrap_or_else(|faults| panic!("{faults}"));
    let (out, err, code) = check(&text);
    assert_eq!(code, Some(0), "{out}{err}");
    let compared = format!("et {} phrases de conditions", corpus.sentences_of_the_act());
    assert!(out.contains(&compared), "{out}");

    let more = "Les kangourous sont exclus.";
    let (out, err, code) = changed(
        "\n- Les associations",
        &format!("\n- {more}\n- Les associations"),
    );
    assert_eq!(code, Some(1), "{out}{err}");
    let said = format!("la section « a4-beneficiaires » dit avant cette phrase : « - {more} - »");
    assert!(out.contains(&said), "{out}");

    let programme = corpus.programme("booster-ia").expect("a programme");
    let last = programme
        .sentences
        .iter()
        .rfind(|s| s.section.get_ref() == "a4-beneficiaires")
        .expect("a sentence");
    let (out, err, code) = changed(&last.words, &format!("{} {more}", last.words));
    assert_eq!(code, Some(1), "{out}{err}");
    let said = format!("la section « a4-beneficiaires » finit par « {more} »");
    assert!(out.contains(&said), "{out}");

    let (out, err, code) = changed(&last.words, more);
    assert_eq!(code, Some(1), "{out}{err}");
    let said = format!("« {} » n’est pas, à sa place, dans la section", last.words);
    assert!(out.contains(&said), "{out}");
}

#[test]
fn a_text_that_is_not_the_act_is_found_out() {
    let faults = Corpus::read_beside(&home(), Some(b"AP D 25-12-5 et rien d'autre"))
        .expect_err("this is not the act")
        .to_string();
    assert!(faults.contains("empreinte"), "{faults}");
    assert!(
        faults.contains("n’est pas dans le texte, à sa place"),
        "{faults}"
    );
}

/// A text with the sections of the act, each made of what the corpus holds of it: the act itself is not kept here.
/// A section of which every sentence is listed beside rules is made of these sentences, another of its quotations too.
fn act_of_our_quotations() -> String {
    let corpus = Corpus::read(&home()).unwrap_or_else(|faults| panic!("{faults}"));
    let act = corpus.act().expect("there is an act");
    let mut text = String::new();
    for section in &act.sections {
        let opening = section.opens_with.as_deref().unwrap_or_default();
        let sentences = corpus.programmes.iter().flat_map(|p| &p.sentences);
        let sentences: Vec<&str> = sentences
            .filter(|s| s.section == section.id)
            .map(|s| s.words.as_str())
            .collect();
        let quotations = corpus.passages.iter().filter(|p| p.source == act.id);
        let quotations: Vec<&str> = quotations
            .flat_map(|p| &p.quotations)
            .filter(|q| q.section == *section.id.get_ref())
            .map(|q| q.words.as_str())
            .collect();
        let covered = corpus.programmes.iter().flat_map(|p| &p.covered);
        if covered.clone().any(|c| c.section == section.id) {
            for (at, sentence) in sentences.iter().enumerate() {
                let before = at.checked_sub(1).map_or("", |before| sentences[before]);
                let bullet = bullet(before, sentence, &quotations);
                writeln!(text, "\n{bullet}{sentence}").expect("a text takes it");
            }
            continue;
        }
        writeln!(text, "\n{opening}\n").expect("a text takes it");
        for words in quotations.iter().chain(&sentences) {
            writeln!(text, "{words}\n").expect("a text takes it");
        }
        for left_out in act.left_out.iter().filter(|l| l.section == section.id) {
            writeln!(text, "{}\n", left_out.words.as_deref().unwrap_or_default())
                .expect("a text takes it");
        }
    }
    text
}

/// What stands in the act before a sentence: quotations of a list hold its bullets.
fn bullet(before: &str, sentence: &str, quotations: &[&str]) -> &'static str {
    let last = before.rsplit(' ').next().unwrap_or_default();
    let first = sentence.split(' ').next().unwrap_or_default();
    let quoted = |bullet: &&str| {
        let here = format!("{last} {bullet}{first}");
        quotations.iter().any(|q| q.contains(&here))
    };
    ["- ", "\u{f0b7} "].into_iter().find(quoted).unwrap_or("")
}

/// Makes a text the act of this home.
fn give(home: &Path, act: &Path, text: &str) {
    fs::write(act, text).expect("the text can be written");
    let plan = home.join("corpus/sources/ap-d-25-12-5.toml");
    let outline = fs::read_to_string(&plan).expect("the outline can be read");
    let digest = hex(&Sha256::digest(text.as_bytes()));
    let lines = outline.lines().map(|line| match line.split_once(" = ") {
        Some(("text_sha256", _)) => format!("text_sha256 = \"{digest}\"\n"),
        _ => format!("{line}\n"),
    });
    fs::write(&plan, lines.collect::<String>()).expect("the outline can be written");
}

fn edit(corpus: &Path, file: &str, from: &str, to: &str) {
    let path = corpus.join(file);
    let text = fs::read_to_string(&path).expect("the file can be read");
    assert!(text.contains(from), "{file} holds {from}");
    fs::write(&path, text.replacen(from, to, 1)).expect("the file can be written");
}
