//! Tapes on which the same operations are recorded repeatedly: adjoints, bits and memory.

#[path = "../common/mod.rs"]
mod common;

mod again;
mod changes;
mod graphs;
mod loops;
mod memory;
