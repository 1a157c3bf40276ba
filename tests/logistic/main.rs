//! Logistic regression: the model, its derivation, and the examples, by their parts and
//! run as programs.

#[path = "../common/mod.rs"]
mod common;

mod command;
mod csv_files;
mod derivation;
mod derivation_page;
mod example;
mod fit_units;
#[cfg(unix)]
mod interrupt;
mod model;
mod no_fit;
mod program;
mod published;

// The parts of the example call one another by these paths.
use example::{by_hand, data, failure, fit, units};
