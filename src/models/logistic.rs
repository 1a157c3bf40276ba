//! Logistic regression, and the derivation of its gradient.
//!
//! The graph of one row is z = w·x + b, a = σ(z), L = −(y ln a + (1−y) ln(1−a)),
//! in three [`Form`]s. The engine is told no derivative of it. The formulas that
//! a person derives by hand are in [`hand`], used only to be compared with.

pub use super::components::{Component, Derivation, derivation};
pub use super::loss::*;
