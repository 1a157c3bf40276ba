//! Functions: bits of the tape that they were made from, however they are evaluated.

#[path = "../common/mod.rs"]
mod common;

mod derivatives;
mod frozen;
mod fused;
mod guards;
mod loops;
mod loops_found;
mod ranges;
mod registers;
mod replay;
mod rounding;
mod sums_of_products;
