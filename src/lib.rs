//! A public, sourced assistant for Normandy's open data and data/AI programmes.

pub mod embed;
