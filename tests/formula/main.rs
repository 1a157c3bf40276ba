//! Formulas: how they print, what they simplify to, how they are explained.

#[path = "../common/mod.rs"]
mod common;

mod bounded;
mod explain;
mod identities;
mod notation;
mod parentheses;
mod simplify;
mod textbook;
