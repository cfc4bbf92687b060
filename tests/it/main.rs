//! Stories, told through the public parts of the assistant, on the real corpus and a real index.
//!
//! The index is built once for the run, in `target/it-data`; its embeddings are cached there, so
//! that a second run embeds only what changed.

mod commands;
mod corpus;
mod crash;
mod eligibility;
mod encoder;
mod golden;
mod harness;
mod index;
mod pages;
mod server;
mod slow;
mod store;
mod told;
mod web;
mod wizard;
