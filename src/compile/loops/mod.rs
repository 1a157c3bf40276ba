//! Finds the loop in a recording, and makes a program of its body.

pub(crate) mod body;
pub(crate) mod construct;
pub(crate) mod reroll;
