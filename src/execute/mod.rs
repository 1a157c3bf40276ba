//! What is run: programs on registers, in the lanes of vectors, and loops of them. An executor runs
//! instructions and knows no derivative; `compile` makes them.

pub(crate) mod driver;
pub(crate) mod lanes;
pub(crate) mod scalar;
