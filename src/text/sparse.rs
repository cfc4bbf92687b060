//! Sparse vectors: the words of a text as weights, for the lexical channels of the index.
//!
//! A document's weight for a term is the BM25 term-frequency part; a query's is 1; the inverse
//! document frequency is the index's own (`Modifier::Idf`). The product is BM25:
//! `ln((N − df + ½)/(df + ½) + 1) · tf·(k₁+1) / (tf + k₁·(1 − b + b·len/avg))` (Robertson and Zaragoza 2009).

use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;

use rust_stemmers::{Algorithm, Stemmer};

use super::fold;
use super::language::Language;

const K1: f32 = 1.2;
const B: f32 = 0.75;

/// Words too common to mean anything, folded; those of both languages, for all texts.
const STOP_WORDS: &str = "a ai as au aux avec c ce ces cet cette comme d dans de des du elle elles en es est et eu \
    il ils j je l la le les leur leurs lui m ma mais me mes moi mon n ne nos notre nous on ont ou par pas pour qu que \
    qui s sa sans se ses si son sont sur t ta te tes toi ton tu un une vos votre vous y etre avoir fait faire \
    quel quelle quels quelles quoi dont donc cela ca the of and to is are be in it its an at by for from with \
    this that these those what which who does do did can i we you they my our your their there has have had \
    how when where will would should was were been est-ce plus svp bonjour";

/// A sparse vector: parallel lists of distinct term numbers and finite weights.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sparse {
    /// Term numbers: CRC-32 of the term. Distinct, ascending.
    pub indices: Vec<u32>,
    /// One weight a term.
    pub values: Vec<f32>,
}

/// How a text is cut into terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Terms {
    /// Snowball stems of folded words, stop words left out.
    Stems,
    /// Character 4-grams inside words (with the word's ends marked): typing mistakes keep most of them.
    Grams,
}

impl Terms {
    /// The average number of terms of a document, a constant so that weights do not depend on the
    /// rest of the corpus (measured on the corpus, rounded).
    fn average_len(self) -> f32 {
        match self {
            Self::Stems => 40.0,
            Self::Grams => 230.0,
        }
    }

    /// The terms of a text, in order, with repetitions.
    #[must_use]
    pub fn of(self, text: &str, language: Language) -> Vec<String> {
        let words = fold::words(text);
        let kept = words.iter().filter(|w| !is_stop_word(w));
        match self {
            Self::Stems => kept.map(|w| stem(w, language)).collect(),
            Self::Grams => kept.flat_map(|w| grams(w)).collect(),
        }
    }
}

/// A document's vector. `texts` are parts in possibly different languages, counted together.
#[must_use]
pub fn document(terms: Terms, texts: &[(&str, Language)]) -> Sparse {
    let mut counts: BTreeMap<u32, f32> = BTreeMap::new();
    let mut len = 0.0;
    for (text, language) in texts {
        for term in terms.of(text, *language) {
            *counts.entry(number(&term)).or_default() += 1.0;
            len += 1.0;
        }
    }
    let norm = K1 * (1.0 - B + B * len / terms.average_len());
    let weigh = |tf: f32| tf * (K1 + 1.0) / (tf + norm);
    Sparse {
        indices: counts.keys().copied().collect(),
        values: counts.values().map(|tf| weigh(*tf)).collect(),
    }
}

/// A query's vector: 1 for each distinct term.
#[must_use]
pub fn query(terms: Terms, text: &str, language: Language) -> Sparse {
    let mut indices: Vec<u32> = terms.of(text, language).iter().map(|t| number(t)).collect();
    indices.sort_unstable();
    indices.dedup();
    Sparse {
        values: vec![1.0; indices.len()],
        indices,
    }
}

/// The stem of a folded word. Figures and very short words are their own stem.
#[must_use]
pub fn stem(word: &str, language: Language) -> String {
    if word.len() <= 3 || word.bytes().any(|b| b.is_ascii_digit()) {
        return word.to_owned();
    }
    let algorithm = match language {
        Language::Fr => Algorithm::French,
        Language::En => Algorithm::English,
    };
    Stemmer::create(algorithm).stem(word).into_owned()
}

/// Whether a folded word is too common to mean anything.
#[must_use]
pub fn is_stop_word(word: &str) -> bool {
    static SET: LazyLock<HashSet<&str>> =
        LazyLock::new(|| STOP_WORDS.split_ascii_whitespace().collect());
    SET.contains(word)
}

fn grams(word: &str) -> Vec<String> {
    let marked: Vec<char> = format!("_{word}_").chars().collect();
    if marked.len() <= 4 {
        return vec![marked.into_iter().collect()];
    }
    marked.windows(4).map(|w| w.iter().collect()).collect()
}

fn number(term: &str) -> u32 {
    crc32fast::hash(term.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_word_in_other_forms_is_the_same_term() {
        let a = query(Terms::Stems, "Les données ouvertes", Language::Fr);
        let b = query(Terms::Stems, "donnée ouverte", Language::Fr);
        assert_eq!(a, b);
        assert_eq!(a.indices.len(), 2);
    }

    #[test]
    fn a_typing_mistake_keeps_most_grams() {
        let right = query(Terms::Grams, "diagnostic", Language::Fr);
        let wrong = query(Terms::Grams, "diagnotic", Language::Fr);
        let shared = wrong
            .indices
            .iter()
            .filter(|i| right.indices.contains(i))
            .count();
        assert!(
            shared * 2 >= wrong.indices.len(),
            "{shared} of {}",
            wrong.indices.len()
        );
    }

    #[test]
    fn weights_are_finite_and_an_empty_text_has_none() {
        assert_eq!(
            document(Terms::Stems, &[("", Language::Fr)]),
            Sparse::default()
        );
        let d = document(Terms::Stems, &[("vélo vélo route", Language::Fr)]);
        assert!(d.values.iter().all(|v| v.is_finite() && *v > 0.0));
        assert_eq!(d.indices.len(), 2);
    }
}
