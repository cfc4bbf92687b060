//! The door: what a person typed becomes a `Question` once; after that the type is the proof that
//! it is not empty, not too long, and free of control and invisible characters.
//!
//! It does not judge the content: refusing, masking or answering is the business of `answer`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest question taken, in characters after cleaning.
pub const MAX_CHARS: usize = 2_000;

/// A cleaned question: 1 to [`MAX_CHARS`] characters, at least one of them a letter, digit or sign.
///
/// `Debug` does not print the words: a person's words are never logged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Question(String);

/// Why a text was not taken as a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Nothing is left once spaces, control and invisible characters are gone.
    #[error("the question is empty")]
    Empty,
    /// More than [`MAX_CHARS`] characters.
    #[error("the question has {chars} characters, {MAX_CHARS} at most are taken")]
    TooLong {
        /// How many characters came.
        chars: usize,
    },
}

impl Question {
    /// Cleans and checks what a person typed.
    ///
    /// # Errors
    /// [`Unusable`], when nothing is left or too much came.
    pub fn parse(raw: &str) -> Result<Self, Unusable> {
        let mut text = String::with_capacity(raw.len().min(MAX_CHARS * 4));
        let mut chars = 0;
        let mut space = true;
        for c in raw.chars().map(|c| if c.is_whitespace() { ' ' } else { c }) {
            if is_invisible(c) || (c == ' ' && space) {
                continue;
            }
            space = c == ' ';
            chars += 1;
            if chars <= MAX_CHARS + 1 {
                text.push(c);
            }
        }
        if text.ends_with(' ') {
            text.pop();
            chars -= 1;
        }
        if chars == 0 {
            return Err(Unusable::Empty);
        }
        if chars > MAX_CHARS {
            return Err(Unusable::TooLong { chars });
        }
        Ok(Self(text))
    }

    /// The cleaned words.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Question {
    type Error = Unusable;

    fn try_from(raw: String) -> Result<Self, Unusable> {
        Self::parse(&raw)
    }
}

impl From<Question> for String {
    fn from(question: Question) -> Self {
        question.0
    }
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Question({} chars)", self.0.chars().count())
    }
}

/// Control characters, and those that show nothing or turn the direction of text: soft hyphens,
/// zero-width and bidirectional marks, variation selectors, tag characters, the BOM.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_characters_are_dropped_and_spaces_run_together() {
        let q = Question::parse(" Quel\u{200b} est \n le\u{a0}\u{202e}montant\u{0} ?\u{e0041} ")
            .expect("usable");
        assert_eq!(q.as_str(), "Quel est le montant ?");
    }

    #[test]
    fn nothing_or_too_much_is_said_so() {
        assert_eq!(Question::parse(" \u{200b}\t\u{0}"), Err(Unusable::Empty));
        let long = "é".repeat(100_000);
        assert_eq!(
            Question::parse(&long),
            Err(Unusable::TooLong { chars: 100_000 })
        );
        assert!(Question::parse(&"é".repeat(MAX_CHARS)).is_ok());
    }

    #[test]
    fn debug_never_prints_the_words() {
        let q = Question::parse("mon adresse").expect("usable");
        assert_eq!(format!("{q:?}"), "Question(11 chars)");
    }
}
