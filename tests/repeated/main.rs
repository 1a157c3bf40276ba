//! Tapes on which the same is recorded again and again: adjoints, bits and memory.

#[path = "../common/mod.rs"]
mod common;

mod again;
mod changes;
mod graphs;
mod loops;
mod memory;
