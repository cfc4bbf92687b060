//! Words and figures, without any knowledge of the subject.
//!
//! Everything here is a pure function of its input: no corpus, no model, no clock. What a person
//! types is cleaned once at the door (`door`), compared folded (`fold`), turned into the sparse
//! vectors of the index (`sparse`), and its figures are read as values (`figures`, `numbers`).

pub mod door;
pub mod figures;
pub mod fold;
pub mod language;
pub mod numbers;
pub mod sentence;
pub mod sparse;
