//! French or English? Everything else is answered in French.
//!
//! A question is a handful of words, too few for statistics on letters: the small words of each
//! language decide, then accents. A tie is French.

use serde::{Deserialize, Serialize};

use super::fold;

/// The two languages answers are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// French, the default.
    #[default]
    Fr,
    /// English.
    En,
}

impl Language {
    /// The BCP 47 code, as in `<html lang>`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Fr => "fr",
            Self::En => "en",
        }
    }

    /// `fr` or `en`, by language.
    #[must_use]
    pub fn pick<'a>(self, fr: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Fr => fr,
            Self::En => en,
        }
    }
}

/// Words that only one of the two languages uses (folded). Words of both ("on", "a", "data",
/// "open", "question", "en", "me") are left out.
const ENGLISH: &str = "the of and to is are was were be been what which who whom whose when where why how \
    does do did can could should would will may must have has had i we you they he she it my our your their \
    this that these those there here with without from for by at into about any some not no yes much many long \
    get give show tell find need want know apply applying eligible company companies business town council \
    hospital deadline amount grant funding money dataset datasets please hello hi thanks thank if or but also \
    than then its an whats im id ive dont doesnt cant is it isnt does anyone someone whether still only up";
const FRENCH: &str = "le la les un une des du de et est sont etait suis es sommes etes ont ai as avez avons \
    que qui quoi quel quelle quels quelles quand ou comment pourquoi combien je tu il elle nous vous ils elles \
    mon ma mes notre nos votre vos leur leurs ce cet cette ces c l d j n s qu y dans sur avec sans pour par au \
    aux chez pas ne oui non peut peux pouvez puis veux voulez faut doit dois avoir etre fait faire entreprise \
    commune mairie association hopital aide aides montant delai dossier donnees jeu jeux svp bonjour salut merci \
    si mais plus moins tout tous toute toutes kel kels koi ki kan cb combien stp ca cest jai ya va vos quelqu \
    eligible demande trouver cherche besoin montre donne explique dis moi";

/// The language a text is written in.
#[must_use]
pub fn of(text: &str) -> Language {
    let words = fold::words(text);
    let count = |list: &str| {
        words
            .iter()
            .filter(|w| list.split_ascii_whitespace().any(|x| x == w.as_str()))
            .count()
    };
    let french_letters = text
        .chars()
        .filter(|c| "éèêëàâçùûîïôœÉÈÀÇ".contains(*c))
        .count();
    if count(ENGLISH) > count(FRENCH) + french_letters.min(2) {
        Language::En
    } else {
        Language::Fr
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_words_decide_and_a_tie_is_french() {
        for english in [
            "How much is the Booster IA grant?",
            "Is an association eligible?",
            "bike parking data in Rouen please",
            "what can you do",
            "When does the Diagnostic open?",
        ] {
            assert_eq!(of(english), Language::En, "{english}");
        }
        for french in [
            "C'est combien ?",
            "booster ia montant",
            "Datathon",
            "Quel est le budget total du Diagnostic Data/IA ?",
            "ki peu demander le booster",
            "你好",
        ] {
            assert_eq!(of(french), Language::Fr, "{french}");
        }
    }
}
