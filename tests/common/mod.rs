//! What tests of all areas share: random numbers, an operation applied to a slice of
//! numbers, and a small stack.
#![allow(dead_code, unused_imports, reason = "each area takes what it needs")]

mod apply;
pub mod expected;
mod random;

pub use apply::{apply, apply_with, constants};
pub use random::{Random, cases};

use std::thread;

/// Runs a task where what recurses soon overflows.
#[track_caller]
pub fn on_a_small_stack(task: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().stack_size(256 * 1024).spawn(task);
    thread.unwrap().join().unwrap();
}
