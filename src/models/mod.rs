//! Models built on the engine as any user would build them: through the public
//! API alone.

mod components;
pub mod derivation;
pub mod logistic;
mod loss;
