//! What tests of all areas share: random numbers, an operation applied to a slice of
//! numbers, differences, and a small stack.
#![allow(dead_code, unused_imports, reason = "each area takes what it needs")]

mod apply;
pub mod expected;
mod random;

pub use apply::{apply, apply_with, constants};
pub use random::{Random, cases};

use std::thread;

/// Central differences, extrapolated from steps h, h/2 and h/4.
pub fn difference(f: impl Fn(f64) -> f64, x: f64) -> f64 {
    let central = |h: f64| (f(x + h) - f(x - h)) / ((x + h) - (x - h));
    let h = 2e-3;
    let (d1, d2, d3) = (central(h), central(h / 2.0), central(h / 4.0));
    let (e1, e2) = (d2 + (d2 - d1) / 3.0, d3 + (d3 - d2) / 3.0);
    e2 + (e2 - e1) / 15.0
}

/// Runs a task where what recurses soon overflows.
#[track_caller]
pub fn on_a_small_stack(task: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().stack_size(256 * 1024).spawn(task);
    thread.unwrap().join().unwrap();
}
