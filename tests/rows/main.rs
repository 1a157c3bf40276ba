//! Functions over rows of data: bits, order of sums, derivatives, threads, errors.

#[path = "../common/mod.rs"]
mod common;

mod each_row;
mod parameters_first;
#[cfg(feature = "parallel")]
mod threads;
mod ways_back;
