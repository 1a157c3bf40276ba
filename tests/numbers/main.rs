//! Operations on numbers: values, derivatives and bits, at ordinary points and odd ones.

#[path = "../common/mod.rs"]
mod common;

mod accuracy;
mod bits;
mod dual;
mod kinks;
mod special_points;
mod table;
