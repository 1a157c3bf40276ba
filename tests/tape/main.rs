//! Tapes, handles and sweeps: recordings, adjoints, higher orders, errors, checks, sizes.

#[path = "../common/mod.rs"]
mod common;

mod check;
mod errors;
mod handles;
mod higher_order;
mod oracle;
mod size;
