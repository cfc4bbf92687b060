//! Lists that can be narrowed: choices in the address, sent by plain `GET` forms.
//!
//! An address may hold anything: what is not a choice is left aside, and the page says so.

use std::fmt::Write as _;

use super::input::Fields;
use crate::text::fold::words;

/// One thing by which a list is narrowed, as its form shows it.
#[derive(Debug)]
pub(super) struct Facet {
    /// Its name in the address.
    pub(super) name: &'static str,
    /// Its label.
    pub(super) label: &'static str,
    /// The choice that narrows nothing.
    pub(super) any: &'static str,
    /// The others.
    pub(super) choices: Vec<Choice>,
}

/// One choice of a facet.
#[derive(Debug)]
pub(super) struct Choice {
    /// Its value in the address.
    pub(super) key: String,
    /// What people read.
    pub(super) label: String,
    /// What it would leave, all other choices as they are.
    pub(super) count: usize,
    /// Whether it is made.
    pub(super) chosen: bool,
}

/// A link that leads on: from a list that is empty, or to another of its pages.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) label: String,
    pub(super) href: String,
}

/// What the address asks of a facet: the position of a key among `keys`; what is no key is told in `aside`.
pub(super) fn chosen<'a>(
    fields: &Fields,
    name: &str,
    label: &str,
    mut keys: impl Iterator<Item = &'a str>,
    aside: &mut Vec<String>,
) -> Option<usize> {
    let asked = fields.get(name).trim();
    if asked.is_empty() {
        return None;
    }
    let at = keys.position(|key| key == asked);
    if at.is_none() {
        aside.push(format!(
            "L’adresse de cette page demande un choix inconnu pour «\u{a0}{label}\u{a0}» : il n’en est pas tenu compte."
        ));
    }
    at
}

/// A label as a value of an address: "Métropole Rouen Normandie" is `metropole-rouen-normandie`.
pub(super) fn key(label: &str) -> String {
    words(label).join("-")
}

/// An address with its query; empty values are left out.
pub(super) fn address(path: &str, query: &[(&str, &str)]) -> String {
    let mut out = path.to_owned();
    for (name, value) in query.iter().filter(|(_, value)| !value.is_empty()) {
        out.push(if out.len() == path.len() { '?' } else { '&' });
        out.push_str(name);
        out.push('=');
        for byte in value.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    out.push(char::from(byte));
                }
                b' ' => out.push('+'),
                // Writing to a string does not fail.
                other => drop(write!(out, "%{other:02X}")),
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_encoded_and_leaves_out_what_is_empty() {
        assert_eq!(address("/x", &[("q", ""), ("page", "")]), "/x");
        assert_eq!(
            address("/x", &[("q", "vélo & eau"), ("theme", ""), ("page", "2")]),
            "/x?q=v%C3%A9lo+%26+eau&page=2"
        );
    }

    #[test]
    fn what_is_no_choice_is_left_aside_and_told() {
        let fields = Fields::parse(b"a=deux&b=%3Cscript%3E");
        let mut aside = Vec::new();
        let keys = || ["un", "deux"].into_iter();
        assert_eq!(chosen(&fields, "a", "A", keys(), &mut aside), Some(1));
        assert_eq!(chosen(&fields, "c", "C", keys(), &mut aside), None);
        assert!(aside.is_empty());
        assert_eq!(chosen(&fields, "b", "B", keys(), &mut aside), None);
        assert_eq!(aside.len(), 1);
        assert!(!aside[0].contains("script"));
    }
}
