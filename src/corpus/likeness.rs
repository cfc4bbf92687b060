//! Texts that are nearly the same: their words, by stems, whatever their order, are nine tenths shared.
//!
//! No stop word is left out: "who" and "when" are all that tells two questions apart.

use std::collections::HashMap;

use crate::text::fold;
use crate::text::language::Language;
use crate::text::sparse::stem;

/// Shared words over all words of two texts, at which they are nearly the same.
const NEARLY: f64 = 0.9;

/// The pairs of texts that are nearly the same, the first of each before the second. Texts without a word
/// are like no other.
pub(super) fn pairs<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<(usize, usize)> {
    let mut numbers = Numbers::default();
    let sets: Vec<Vec<usize>> = texts.map(|text| numbers.of(text)).collect();
    let sets = rarest_first(sets);

    // Two sets that share that much share one of the rarest words of each: only those are looked up.
    let mut by_word: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut out = Vec::new();
    for (second, set) in sets.iter().enumerate() {
        let mut met = Vec::new();
        for word in &set[..set.len().min(set.len() - least_shared(set.len()) + 1)] {
            let before = by_word.entry(*word).or_default();
            met.extend_from_slice(before);
            before.push(second);
        }
        met.sort_unstable();
        met.dedup();
        let like = met.into_iter().filter(|first| nearly(&sets[*first], set));
        out.extend(like.map(|first| (first, second)));
    }
    out
}

/// How many words another set must share with one of this size.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a text has few words"
)]
fn least_shared(words: usize) -> usize {
    (words as f64 * NEARLY).ceil() as usize
}

/// Words numbered again from the rarest, and each set in that order.
fn rarest_first(mut sets: Vec<Vec<usize>>) -> Vec<Vec<usize>> {
    let mut counts: HashMap<usize, usize> = HashMap::new();
    for word in sets.iter().flatten() {
        *counts.entry(*word).or_default() += 1;
    }
    let mut order: Vec<(usize, usize)> = counts.into_iter().map(|(w, n)| (n, w)).collect();
    order.sort_unstable();
    let rank: HashMap<usize, usize> = order
        .into_iter()
        .enumerate()
        .map(|(r, (_, w))| (w, r))
        .collect();
    for set in &mut sets {
        for word in set.iter_mut() {
            *word = rank[word];
        }
        set.sort_unstable();
    }
    sets
}

/// Both are in the same order.
#[expect(clippy::cast_precision_loss, reason = "a text has few words")]
fn nearly(a: &[usize], b: &[usize]) -> bool {
    let (mut i, mut j, mut shared) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        match a[i].cmp(&b[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                (i, j, shared) = (i + 1, j + 1, shared + 1);
            }
        }
    }
    shared as f64 >= NEARLY * (a.len() + b.len() - shared) as f64
}

/// A number for each stem; a word is stemmed once.
#[derive(Default)]
struct Numbers {
    of_word: HashMap<String, usize>,
    of_stem: HashMap<String, usize>,
}

impl Numbers {
    /// The distinct stems of a text, as numbers.
    fn of(&mut self, text: &str) -> Vec<usize> {
        let folded = fold::fold(text);
        let words = folded
            .split(|c: char| !c.is_alphanumeric())
            .filter(|w| !w.is_empty());
        let mut set: Vec<usize> = words.map(|word| self.number(word)).collect();
        set.sort_unstable();
        set.dedup();
        set
    }

    fn number(&mut self, word: &str) -> usize {
        if let Some(known) = self.of_word.get(word) {
            return *known;
        }
        let next = self.of_stem.len();
        let number = *self.of_stem.entry(stem(word, Language::Fr)).or_insert(next);
        self.of_word.insert(word.to_owned(), number);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_forms_and_another_order_are_nearly_the_same_another_question_is_not() {
        let texts = [
            "Quels sont les montants des aides ?",
            "Quel est le montant de l’aide, et qui la verse ?",
            "Les montants des aides, quels sont-ils ?",
            "Montant des aides : quels sont les ?",
            "Qui paie le Datathon ?",
            "Quand paie le Datathon ?",
            "",
            "",
        ];
        assert_eq!(pairs(texts.into_iter()), [(0, 3)]);
    }
}
