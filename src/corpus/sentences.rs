//! Rules that cannot drift from the prose: each sentence of the act that holds a condition, and the rule beside it.
//!
//! A figure of an encoded sentence is a figure of a rule that encodes it, and the other way round. Every
//! sentence of the sections that hold conditions is encoded or left to a person. Somebody could qualify, and
//! not everybody.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use super::check::{day, spelled};
use super::fault::Faults;
use super::programme::Programme;
use super::rules::{Gives, Rules, Sentence, Test};
use super::territory::Territory;
use super::{Corpus, Fact, OrganisationKind, hex};
use crate::eligibility::faults_of;
use crate::text::figures::{Figure, figures};

/// How the aid is called among what encodes a sentence.
const AID: &str = "aid";

pub(super) fn check(corpus: &Corpus, faults: &mut Faults) {
    for programme in &corpus.programmes {
        sections_are_those_of_the_act(corpus, programme, faults);
        digests_are_those_of_the_words(programme, faults);
        covered_sections_are_whole(programme, faults);
        let Some(rules) = corpus.rules_of(&programme.id) else {
            continue;
        };
        each_sentence_has_its_rule(programme, rules, faults);
        quotations_stand_in_the_sentences(programme, rules, faults);
        the_opening_is_one_day(programme, rules, faults);
        wordings_say_no_figure(programme, faults);
        if !faults.lost("facts") {
            values_are_possible(corpus, programme, rules, faults);
        }
        for fault in faults_of(rules) {
            faults.add(&programme.file, None, fault);
        }
    }
}

/// The departments that rules name exist. Kept apart: the territory is read when a place is first asked for.
pub(super) fn check_places(corpus: &Corpus, territory: &Territory, faults: &mut Faults) {
    for programme in &corpus.programmes {
        let rules = corpus.rules_of(&programme.id).into_iter();
        for rule in rules.flat_map(|r| &r.rules) {
            let Test::Departments(list) = &rule.test else {
                continue;
            };
            for code in list.iter().filter(|d| territory.department(d).is_none()) {
                faults.add(
                    &programme.file,
                    None,
                    format!("le département « {code} » n’existe pas"),
                );
            }
        }
    }
}

/// The day from which the programme can be had is said twice: for its page, and by its rule.
fn the_opening_is_one_day(programme: &Programme, rules: &Rules, faults: &mut Faults) {
    let opens = |rule: &super::Rule| matches!(rule.test, Test::From(day) if day == programme.in_force_from.0);
    if !rules.rules.iter().any(opens) {
        faults.add(
            &programme.file,
            None,
            "« in_force_from » et la règle « opening » ne disent pas le même jour",
        );
    }
}

fn at(programme: &Programme, sentence: &Sentence, faults: &mut Faults, message: &str) {
    let line = programme.lines.at(sentence.section.span().start);
    let opening: String = sentence.words.chars().take(60).collect();
    faults.add(
        &programme.file,
        Some(line),
        format!("« {opening}… » : {message}"),
    );
}

fn sections_are_those_of_the_act(corpus: &Corpus, programme: &Programme, faults: &mut Faults) {
    let Some(act) = corpus.act() else { return };
    let named = programme.sentences.iter().map(|s| &s.section);
    for section in named.chain(programme.covered.iter().map(|c| &c.section)) {
        if act.section(section.get_ref()).is_none() {
            faults.add(
                &programme.file,
                Some(programme.lines.at(section.span().start)),
                format!(
                    "la section « {} » n’est pas dans le plan de l’acte",
                    section.get_ref()
                ),
            );
        }
    }
}

fn digests_are_those_of_the_words(programme: &Programme, faults: &mut Faults) {
    for sentence in &programme.sentences {
        if digest(&sentence.words) != sentence.sha256 {
            at(
                programme,
                sentence,
                faults,
                "l’empreinte n’est pas celle des mots ; relisez la règle, puis mettez l’empreinte à jour",
            );
        }
    }
}

fn covered_sections_are_whole(programme: &Programme, faults: &mut Faults) {
    for covered in &programme.covered {
        let section = covered.section.get_ref();
        let words: Vec<&str> = programme
            .sentences
            .iter()
            .filter(|s| s.section.get_ref() == section)
            .map(|s| s.words.as_str())
            .collect();
        if digest(&words.join(" ")) != covered.sha256 {
            let line = programme.lines.at(covered.section.span().start);
            faults.add(
                &programme.file,
                Some(line),
                format!(
                    "il manque une phrase de la section « {section} », ou l’une d’elles a changé"
                ),
            );
        }
    }
}

fn each_sentence_has_its_rule(programme: &Programme, rules: &Rules, faults: &mut Faults) {
    let mut values: HashMap<String, Vec<Figure>> = HashMap::new();
    for rule in &rules.rules {
        values.insert(name_of(rule.criterion), figures_of(&rule.test));
    }
    values.insert(AID.to_owned(), figures_of_aid(&rules.aid.gives));
    let mut written: HashMap<&str, Vec<Figure>> = HashMap::new();
    for sentence in &programme.sentences {
        if sentence.encoded.is_empty() == sentence.for_a_human.is_none() {
            at(
                programme,
                sentence,
                faults,
                "une phrase est encodée par une règle (« encoded ») ou laissée à une personne (« for_a_human »)",
            );
        }
        let said = figures(&sentence.words);
        let mut known: Vec<Figure> = sentence
            .beside
            .iter()
            .map(|n| Figure::Number(i64::from(*n) * 1000))
            .collect();
        for name in &sentence.encoded {
            match values.get(name) {
                Some(of_rule) => known.extend(of_rule.iter().cloned()),
                None => at(
                    programme,
                    sentence,
                    faults,
                    &format!("aucune règle ne s’appelle « {name} »"),
                ),
            }
            written
                .entry(name)
                .or_default()
                .extend(said.iter().cloned());
        }
        for figure in said
            .iter()
            .filter(|f| !sentence.encoded.is_empty() && !same(f, &known))
        {
            at(
                programme,
                sentence,
                faults,
                &format!("{} n’est dans aucune règle qui l’encode", spelled(figure)),
            );
        }
    }
    for (name, of_rule) in &values {
        let in_text = written.get(name.as_str());
        let Some(in_text) = in_text else {
            faults.add(
                &programme.file,
                None,
                format!("la règle « {name} » n’encode aucune phrase"),
            );
            continue;
        };
        for figure in of_rule.iter().filter(|f| !same(f, in_text)) {
            let message = format!(
                "la règle « {name} » : {} n’est dans aucune phrase qu’elle encode",
                spelled(figure)
            );
            faults.add(&programme.file, None, message);
        }
    }
}

/// A figure stands among others, as a value.
fn same(figure: &Figure, among: &[Figure]) -> bool {
    let among = || among.iter();
    among().any(|other| figure.supported_by(other) || other.supported_by(figure))
}

/// The words that a rule quotes are those of sentences that it encodes.
fn quotations_stand_in_the_sentences(programme: &Programme, rules: &Rules, faults: &mut Faults) {
    for rule in &rules.rules {
        let name = name_of(rule.criterion);
        let encoded = programme
            .sentences
            .iter()
            .filter(|s| s.encoded.contains(&name));
        let text: Vec<&str> = encoded.map(|s| s.words.as_str()).collect();
        let text = letters(&text.join(" "));
        let main = rule.source.quotes.first().map_or("", String::as_str);
        if !text.contains(&letters(main)) {
            faults.add(
                &programme.file,
                None,
                format!("la règle « {name} » cite « {main} », qui n’est pas dans les phrases qu’elle encode"),
            );
        }
    }
}

/// Letters and digits only: lists are quoted with their dashes, and listed without.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Bounds are written once, in the rule; wordings take them from there.
fn wordings_say_no_figure(programme: &Programme, faults: &mut Faults) {
    for (line, wording) in programme.rules.iter().flat_map(|rule| {
        let line = programme.lines.at(rule.criterion.span().start);
        rule.wordings().into_iter().map(move |w| (line, w))
    }) {
        if !figures(wording).is_empty() {
            faults.add(
                &programme.file,
                Some(line),
                format!("« {wording} » écrit un chiffre ; les bornes viennent de la règle"),
            );
        }
    }
}

/// Each condition can be met by a value that the fact may have, and be missed by another.
fn values_are_possible(corpus: &Corpus, programme: &Programme, rules: &Rules, faults: &mut Faults) {
    for rule in &rules.rules {
        let entry = corpus.facts.get(rule.criterion.fact());
        let (least, most) = entry.map_or((0.0, 0.0), |e| (e.min, e.max));
        let (met, missed) = match &rule.test {
            Test::Range { min, max } => {
                let (low, high) = (min.unwrap_or(least), max.unwrap_or(most));
                (
                    low <= high && low <= most && high >= least,
                    low > least || high < most,
                )
            }
            Test::Years(years) => (*years < 1000, *years > 0),
            Test::Kinds(list) => (
                !list.is_empty(),
                distinct(list) < OrganisationKind::ALL.len(),
            ),
            Test::Departments(list) => (!list.is_empty(), true),
            Test::Activities(list) => (
                !list.is_empty(),
                distinct(list) < values(corpus, Fact::Activity),
            ),
            Test::From(_) | Test::Anyone | Test::Is(_) => (true, true),
        };
        let name = name_of(rule.criterion);
        if !met {
            faults.add(&programme.file, None, format!("la règle « {name} » : aucune valeur possible ne la remplit, personne ne serait éligible"));
        }
        if !missed {
            faults.add(
                &programme.file,
                None,
                format!(
                    "la règle « {name} » : toute valeur possible la remplit, elle n’écarte personne"
                ),
            );
        }
    }
}

fn distinct<T: Eq + std::hash::Hash>(list: &[T]) -> usize {
    list.iter().collect::<HashSet<_>>().len()
}

fn values(corpus: &Corpus, fact: Fact) -> usize {
    corpus.facts.get(fact).map_or(0, |f| f.values.len())
}

fn name_of(criterion: super::Criterion) -> String {
    let name = serde_json::to_value(criterion).ok();
    name.and_then(|n| n.as_str().map(str::to_owned))
        .unwrap_or_default()
}

fn figures_of(test: &Test) -> Vec<Figure> {
    match test {
        Test::From(date) => vec![day(*date)],
        Test::Range { min, max } => [*min, *max].into_iter().flatten().map(number).collect(),
        Test::Years(years) => vec![number(f64::from(*years))],
        _ => Vec::new(),
    }
}

fn figures_of_aid(gives: &Gives) -> Vec<Figure> {
    match gives {
        Gives::Service { days } => vec![number(f64::from(*days))],
        Gives::Grant {
            rate_percent,
            cap_cents,
            ..
        } => vec![
            Figure::Percent(i64::from(*rate_percent) * 1000),
            Figure::Euros(cap_cents * 10),
        ],
        Gives::Prize { teams, pool_cents } => {
            vec![number(f64::from(*teams)), Figure::Euros(pool_cents * 10)]
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "bounds of the corpus are far under 2^53 thousandths"
)]
fn number(value: f64) -> Figure {
    Figure::Number((value * 1000.0).round() as i64)
}

fn digest(words: &str) -> String {
    hex(&Sha256::digest(words))
}
