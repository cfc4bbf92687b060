//! The assistant that people of Normandy use to find public data and public help.
//!
//! The map, in the order things happen:
//!
//! - [`config`] reads the settings, [`corpus`] what we know, [`app`] opens the long-lived parts once;
//! - [`web`] and [`cli`] are the ways in; both call [`app::App`];
//! - [`answer`] is the path of a question: understand, retrieve, compose, verify;
//! - [`embed`] (candle) turns texts into vectors, [`index`] (Qdrant) finds the nearest, [`text`] knows
//!   words and figures;
//! - [`eligibility`] applies the rules of programmes to facts: pure, and the same for every way in;
//! - [`conversation`] remembers a dialogue for a while, [`store`] (SQLite) beyond a restart;
//! - [`evaluate`] puts golden conversations to the whole.
//!
//! `ARCHITECTURE.md` has the glossary and the reasons.

pub mod answer;
pub mod app;
pub mod cli;
pub mod config;
pub mod conversation;
pub mod corpus;
pub mod eligibility;
pub mod embed;
pub mod evaluate;
pub mod index;
pub mod store;
pub mod telemetry;
pub mod text;
pub mod web;
