//! The checker: a list of small functions, each one rule about the corpus. All run, all faults show.

use std::collections::{HashMap, HashSet};

use super::fault::Faults;
use super::passage::{Kind, Passage};
use super::programme::Programme;
use super::source::SourceKind;
use super::{Corpus, Messages};
use crate::text::figures::{Figure, figures, unsupported};
use crate::text::fold::fold;

/// Every rule; writing a new one is writing a function and adding its name here.
const RULES: [fn(&Corpus, &mut Faults); 11] = [
    sources_are_well_formed,
    passages_have_their_own_id,
    topics_exist,
    links_lead_somewhere,
    prose_is_whole,
    figures_stand_in_the_quotation,
    english_says_the_same_figures,
    typed_values_stand_in_their_sentence,
    each_phrasing_answers_one_passage,
    guides_were_tried,
    messages_state_no_figure,
];

pub(super) fn all(corpus: &Corpus, faults: &mut Faults) {
    for rule in RULES {
        rule(corpus, faults);
    }
    for key in corpus.messages.missing() {
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
    if corpus
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

fn passages_have_their_own_id(corpus: &Corpus, faults: &mut Faults) {
    let mut seen = HashSet::new();
    for passage in &corpus.passages {
        if !seen.insert(passage.id.as_str()) {
            at(passage, faults, "cet identifiant est déjà pris");
        }
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
        for target in passage.with.iter().chain(&passage.see) {
            if corpus.passage(target).is_none() {
                at(
                    passage,
                    faults,
                    format!("le passage « {target} » auquel il renvoie n’existe pas"),
                );
            }
        }
    }
}

fn prose_is_whole(corpus: &Corpus, faults: &mut Faults) {
    for passage in &corpus.passages {
        for (language, text) in [
            ("français", &passage.prose.fr),
            ("anglais", &passage.prose.en),
        ] {
            let open =
                !text.is_empty() && !text.trim_end().ends_with(['.', '?', '!', '…', '»', ':']);
            if open || (text.is_empty() && language == "français") {
                at(
                    passage,
                    faults,
                    format!("le texte {language} doit finir par un point"),
                );
            }
        }
        if !passage.items_en.is_empty() && passage.items.len() != passage.items_en.len() {
            at(
                passage,
                faults,
                "les deux listes n’ont pas le même nombre d’éléments",
            );
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
        let mut quoted: Vec<Figure> = passage
            .quotations
            .iter()
            .flat_map(|q| figures(&q.words))
            .collect();
        quoted.extend(figures(&act.title));
        quoted.extend(figures(&passage.owner_name.fr));
        quoted.extend(
            passage
                .with
                .iter()
                .filter_map(|w| corpus.passage(w))
                .flat_map(|p| p.figures.clone()),
        );
        let said: Vec<Figure> = figures(&format!(
            "{} {}",
            passage.prose.fr,
            passage.items.join(" ; ")
        ));
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
        let french = figures(&format!(
            "{} {}",
            passage.prose.fr,
            passage.items.join(" ; ")
        ));
        let quoted = passage.quotations.iter().flat_map(|q| figures(&q.words));
        let allowed: Vec<Figure> = french.into_iter().chain(quoted).collect();
        let english = figures(&format!(
            "{} {}",
            passage.prose.en,
            passage.items_en.join(" ; ")
        ));
        for figure in unsupported(&english, &allowed) {
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
                        "la valeur typée {} n’est pas dans le texte",
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
    for c in &programme.conditions {
        for bound in [c.min, c.max].into_iter().flatten() {
            out.push((c.id().to_owned(), Figure::Number(thousandths(bound))));
        }
        out.extend(c.from.map(|d| (c.id().to_owned(), day(d.0))));
    }
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

fn day(date: jiff::civil::Date) -> Figure {
    Figure::Date {
        year: date.year().unsigned_abs(),
        month: date.month().unsigned_abs(),
        day: date.day().unsigned_abs(),
    }
}

fn each_phrasing_answers_one_passage(corpus: &Corpus, faults: &mut Faults) {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for (ask, passage) in &corpus.phrasings {
        if let Some(other) = seen.insert(fold(ask), *passage) {
            let (a, b) = (&corpus.passages[other].id, &corpus.passages[*passage].id);
            faults.add(
                "questions",
                None,
                format!("« {ask} » est donnée deux fois (« {a} » et « {b} »)"),
            );
        }
    }
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

fn spelled(figure: &Figure) -> String {
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
