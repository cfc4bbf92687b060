//! The checker: a list of small functions, each one rule about the corpus. All run, all faults show.

use std::collections::{HashMap, HashSet};

use super::fault::Faults;
use super::knowledge::Phrasing;
use super::page::Page;
use super::passage::{Kind, Passage};
use super::programme::Programme;
use super::source::SourceKind;
use super::{Corpus, Messages, likeness, sentences};
use crate::text::figures::{Figure, figures, unsupported};
use crate::text::fold::fold;

/// Every rule; writing a new one is writing a function and adding its name here.
const RULES: [fn(&Corpus, &mut Faults); 15] = [
    sources_are_well_formed,
    what_is_left_out_says_why,
    passages_have_their_own_id,
    topics_exist,
    links_lead_somewhere,
    every_entry_is_led_to,
    prose_is_whole,
    figures_stand_in_the_quotation,
    english_says_the_same_figures,
    typed_values_stand_in_their_sentence,
    passages_differ,
    each_phrasing_answers_one_passage,
    needs_are_of_one_theme,
    guides_were_tried,
    messages_state_no_figure,
];

pub(super) fn all(corpus: &Corpus, faults: &mut Faults) {
    for rule in RULES {
        rule(corpus, faults);
    }
    sentences::check(corpus, faults);
    if !faults.lost("facts") {
        corpus.facts.check(faults);
    }
    corpus.telling.check(&corpus.programmes, faults);
    if !faults.lost("eligibility") {
        corpus.framing.check(faults);
    }
    let missing = corpus
        .messages
        .missing()
        .filter(|_| !faults.lost("messages"));
    for key in missing.collect::<Vec<_>>() {
        faults.add(
            "messages.toml",
            None,
            format!(
                "le message « {key} » manque ({} sont attendus)",
                Messages::KEYS.len()
            ),
        );
    }
}

/// A message rests on nothing: an answer would drop it for the figure or address it states.
fn messages_state_no_figure(corpus: &Corpus, faults: &mut Faults) {
    for (key, texts) in corpus.messages.texts() {
        for figure in texts.into_iter().flat_map(figures) {
            faults.add(
                "messages.toml",
                None,
                format!(
                    "le message « {key} » affirme {} : ce qui affirme est un passage, avec sa source",
                    spelled(&figure)
                ),
            );
        }
    }
}

fn at(passage: &Passage, faults: &mut Faults, message: impl std::fmt::Display) {
    faults.add(
        &passage.file,
        Some(passage.line),
        format!("{} : {message}", passage.id),
    );
}

fn sources_are_well_formed(corpus: &Corpus, faults: &mut Faults) {
    if !faults.any_lost()
        && corpus
            .sources
            .iter()
            .filter(|s| s.kind == SourceKind::Act)
            .count()
            != 1
    {
        faults.add(
            "sources",
            None,
            "il faut une source de genre « act », et une seule",
        );
    }
    for source in &corpus.sources {
        let mut seen = HashSet::new();
        for section in &source.sections {
            let id = section.id.get_ref();
            if !seen.insert(id) {
                faults.add(
                    &source.file,
                    Some(section.line),
                    format!("la section « {id} » est déclarée deux fois"),
                );
            }
            if source.text_sha256.is_some() && section.opens_with.is_none() {
                faults.add(
                    &source.file,
                    Some(section.line),
                    format!("la section « {id} » n’a pas d’« opens_with »"),
                );
            }
        }
        if source.kind == SourceKind::Act && source.adopted.is_none() {
            faults.add(
                &source.file,
                None,
                "la date d’adoption (« adopted ») manque",
            );
        }
    }
}

fn what_is_left_out_says_why(corpus: &Corpus, faults: &mut Faults) {
    for source in &corpus.sources {
        for left_out in &source.left_out {
            let id = left_out.section.get_ref();
            let mut fault = |message| faults.add(&source.file, Some(left_out.line), message);
            if source.section(id).is_none() {
                fault(format!(
                    "la section « {id} », laissée de côté, n’est pas dans le plan"
                ));
            }
            if fold(&left_out.why).is_empty() {
                fault(format!(
                    "il n’est pas dit pourquoi « {id} » est laissée de côté"
                ));
            }
        }
    }
}

fn passages_have_their_own_id(corpus: &Corpus, faults: &mut Faults) {
    let mut seen: HashMap<&str, &Passage> = HashMap::new();
    for passage in &corpus.passages {
        if let Some(first) = seen.get(passage.id.as_str()) {
            at(
                passage,
                faults,
                format!(
                    "cet identifiant est déjà pris (corpus/{}:{})",
                    first.file, first.line
                ),
            );
        }
        seen.entry(passage.id.as_str()).or_insert(passage);
        if !passage
            .id
            .as_str()
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-/".contains(&b))
        {
            at(
                passage,
                faults,
                "un identifiant s’écrit en minuscules, chiffres et tirets",
            );
        }
    }
}

fn topics_exist(corpus: &Corpus, faults: &mut Faults) {
    if faults.lost("topics") {
        return;
    }
    for passage in &corpus.passages {
        if !corpus.topics.contains_key(&passage.topic) {
            at(
                passage,
                faults,
                format!("l’aspect « {} » n’est pas dans topics.toml", passage.topic),
            );
        }
    }
}

fn links_lead_somewhere(corpus: &Corpus, faults: &mut Faults) {
    for passage in &corpus.passages {
        let mut seen = HashSet::new();
        for target in passage.with.iter().chain(&passage.see) {
            if target == passage.id.as_str() {
                at(passage, faults, "le passage renvoie à lui-même");
            } else if corpus.passage(target).is_none() && !faults.lost(target) {
                at(
                    passage,
                    faults,
                    format!("le passage « {target} » auquel il renvoie n’existe pas"),
                );
            } else if !seen.insert(target) {
                at(
                    passage,
                    faults,
                    format!("il renvoie deux fois à « {target} »"),
                );
            }
        }
    }
}

/// A reader comes to each programme, page and guide from another one.
fn every_entry_is_led_to(corpus: &Corpus, faults: &mut Faults) {
    if faults.any_lost() {
        return;
    }
    let owner = |id: &str| id.split('/').next().unwrap_or_default().to_owned();
    let led_to: HashSet<String> = corpus
        .passages
        .iter()
        .flat_map(|p| p.with.iter().chain(&p.see).map(move |to| (p, owner(to))))
        .filter(|(from, to)| from.owner != *to)
        .map(|(_, to)| to)
        .collect();
    let shown = |p: &&Page| matches!(p.kind, Kind::Page | Kind::Guide);
    let programmes = corpus.programmes.iter().map(|p| (&p.id, &p.file));
    let pages = corpus.pages.iter().filter(shown).map(|p| (&p.id, &p.file));
    for (id, file) in programmes.chain(pages) {
        if !led_to.contains(id) {
            faults.add(
                file,
                Some(1),
                format!("aucun autre dispositif, page ou guide ne renvoie (« see ») à « {id} »"),
            );
        }
    }
}

fn prose_is_whole(corpus: &Corpus, faults: &mut Faults) {
    for passage in &corpus.passages {
        if fold(&passage.title).is_empty() {
            at(passage, faults, "le titre est vide");
        }
        for (language, text) in [
            ("français", passage.prose.fr.trim_end()),
            ("anglais", passage.prose.en.trim_end()),
        ] {
            if text.is_empty() {
                at(passage, faults, format!("le texte {language} est vide"));
            } else if !text.ends_with(['.', '?', '!', '…', '»', ':']) {
                at(
                    passage,
                    faults,
                    format!("le texte {language} doit finir par un point"),
                );
            }
        }
        if passage.items.len() != passage.items_en.len() {
            at(
                passage,
                faults,
                "les deux listes n’ont pas le même nombre d’éléments",
            );
        }
        let items = passage.items.iter().chain(&passage.items_en);
        if items.clone().any(|item| fold(item).is_empty()) {
            at(passage, faults, "un élément de liste est vide");
        }
        for quotation in &passage.quotations {
            if fold(&quotation.words).is_empty() {
                at(passage, faults, "une citation est vide");
            }
        }
    }
}

/// A figure said about the act stands in the words of the act quoted beside it.
fn figures_stand_in_the_quotation(corpus: &Corpus, faults: &mut Faults) {
    let Some(act) = corpus.act() else { return };
    for passage in corpus.passages.iter().filter(|p| p.source == act.id) {
        let mut quoted = passage.quoted.clone();
        quoted.extend(figures(&act.title));
        quoted.extend(figures(&passage.owner_name.fr));
        quoted.extend(
            passage
                .with
                .iter()
                .filter_map(|w| corpus.passage(w))
                .flat_map(|p| p.figures.clone()),
        );
        // A number in a title is most often part of a name: "S3", "les deux volets".
        let mut said = figures(&passage.title);
        said.retain(|f| !matches!(f, Figure::Number(_)));
        said.extend_from_slice(&passage.told);
        for figure in unsupported(&said, &quoted) {
            at(
                passage,
                faults,
                format!("{} n’est pas dans la citation", spelled(&figure)),
            );
        }
    }
}

fn english_says_the_same_figures(corpus: &Corpus, faults: &mut Faults) {
    for passage in &corpus.passages {
        let allowed = [&passage.told[..], &passage.quoted[..]].concat();
        for figure in unsupported(&passage.told_in_english, &allowed) {
            at(
                passage,
                faults,
                format!("{} n’est que dans le texte anglais", spelled(&figure)),
            );
        }
    }
}

fn typed_values_stand_in_their_sentence(corpus: &Corpus, faults: &mut Faults) {
    for programme in &corpus.programmes {
        for (id, figure) in typed_values(programme) {
            let Some(passage) = corpus.passage(&format!("{}/{id}", programme.id)) else {
                continue;
            };
            if !passage.figures.iter().any(|f| figure.supported_by(f)) {
                at(
                    passage,
                    faults,
                    format!(
                        "{}, valeur typée, n’est pas dans le texte",
                        spelled(&figure)
                    ),
                );
            }
        }
    }
}

fn typed_values(programme: &Programme) -> Vec<(String, Figure)> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "amounts of the corpus are far under 2^53 thousandths"
    )]
    let thousandths = |x: f64| (x * 1000.0).round() as i64;
    let mut out = Vec::new();
    for a in &programme.amounts {
        out.extend(
            a.value_eur
                .map(|v| (a.id().to_owned(), Figure::Euros(thousandths(v)))),
        );
        out.extend(
            a.rate_percent
                .map(|v| (a.id().to_owned(), Figure::Percent(thousandths(v)))),
        );
    }
    for m in &programme.calendar {
        out.extend(m.date.map(|d| (m.id().to_owned(), day(d.0))));
    }
    for c in &programme.criteria {
        out.extend(
            c.points
                .map(|p| (c.id().to_owned(), Figure::Number(i64::from(p) * 1000))),
        );
    }
    out
}

pub(super) fn day(date: jiff::civil::Date) -> Figure {
    Figure::Date {
        year: date.year().unsigned_abs(),
        month: date.month().unsigned_abs(),
        day: date.day().unsigned_abs(),
    }
}

/// Two passages that say nearly the same are one, unless each says it of its own programme.
fn passages_differ(corpus: &Corpus, faults: &mut Faults) {
    let texts: Vec<String> = corpus
        .passages
        .iter()
        .map(|p| format!("{} {}", p.prose.fr, p.items.join(" ; ")))
        .collect();
    for (first, second) in likeness::pairs(texts.iter().map(String::as_str)) {
        let (first, second) = (&corpus.passages[first], &corpus.passages[second]);
        let both_programmes = [first, second].iter().all(|p| p.kind == Kind::Programme);
        if both_programmes && first.owner != second.owner {
            continue;
        }
        at(
            second,
            faults,
            format!("il dit presque la même chose que « {} »", first.id),
        );
    }
}

/// The same question, or nearly, leads to one passage, and is written once.
fn each_phrasing_answers_one_passage(corpus: &Corpus, faults: &mut Faults) {
    let mut seen: HashMap<String, &Phrasing> = HashMap::new();
    for phrasing in &corpus.phrasings {
        let words = fold(&phrasing.text);
        if let Some(first) = seen.get(&words) {
            twice(corpus, first, phrasing, "est donnée deux fois", faults);
        } else {
            seen.insert(words, phrasing);
        }
    }
    for (first, second) in likeness::pairs(corpus.phrasings.iter().map(|p| p.text.as_str())) {
        let (first, second) = (&corpus.phrasings[first], &corpus.phrasings[second]);
        if first.passage != second.passage && fold(&first.text) != fold(&second.text) {
            let why = format!("est presque « {} »", first.text);
            twice(corpus, first, second, &why, faults);
        }
    }
}

/// The themes are those of the catalogue, and a need is of one of them; nor is it how one asks for a passage.
fn needs_are_of_one_theme(corpus: &Corpus, faults: &mut Faults) {
    if faults.any_lost() {
        return;
    }
    const FILE: &str = "themes.toml";
    for theme in corpus.themes.all() {
        let mut known = corpus.records.iter().filter_map(|r| r.theme.as_deref());
        if !known.any(|t| theme.is(t)) {
            faults.add(
                FILE,
                None,
                format!("aucune fiche n’a le thème « {} »", theme.name),
            );
        }
    }
    for record in &corpus.records {
        let theme = record.theme.as_deref().unwrap_or_default();
        if !theme.is_empty() && corpus.themes.of(theme).next().is_none() {
            faults.add(
                FILE,
                None,
                format!("le thème « {theme} » d’une fiche n’y est pas"),
            );
        }
    }
    let mut seen: HashMap<String, &str> = HashMap::new();
    for phrasing in &corpus.phrasings {
        seen.insert(
            fold(&phrasing.text),
            corpus.passages[phrasing.passage].id.as_str(),
        );
    }
    for (at, need) in corpus.themes.needs() {
        if let Some(other) = seen.insert(fold(need), &corpus.themes.all()[at].name) {
            faults.add(
                FILE,
                None,
                format!("« {need} » est aussi une formulation de « {other} »"),
            );
        }
    }
}

fn twice(corpus: &Corpus, first: &Phrasing, second: &Phrasing, why: &str, faults: &mut Faults) {
    faults.add(
        &second.file,
        Some(second.line),
        format!(
            "« {} » {why}, qui mène à « {} » (corpus/{}:{})",
            second.text, corpus.passages[first.passage].id, first.file, first.line
        ),
    );
}

/// A guide says on what it was tried, or what of it could not be.
fn guides_were_tried(corpus: &Corpus, faults: &mut Faults) {
    for guide in corpus.pages.iter().filter(|p| p.kind == Kind::Guide) {
        if guide.tried.is_empty() && guide.not_tried.is_empty() {
            faults.add(
                &guide.file,
                Some(1),
                "un guide dit ce qui a été essayé (« tried ») ou ne l’a pas été (« not_tried »)",
            );
        }
    }
}

pub(super) fn spelled(figure: &Figure) -> String {
    let decimal = |n: &i64| {
        if n % 1000 == 0 {
            (n / 1000).to_string()
        } else {
            format!("{}.{:03}", n / 1000, n % 1000)
        }
    };
    match figure {
        Figure::Number(n) => format!("le nombre {}", decimal(n)),
        Figure::Percent(n) => format!("le taux {} %", decimal(n)),
        Figure::Euros(n) => format!("le montant {} €", decimal(n)),
        Figure::Date { year, month, day } => format!("la date {year:04}-{month:02}-{day:02}"),
        Figure::Phone(text) | Figure::Email(text) | Figure::Web(text) => format!("« {text} »"),
    }
}
