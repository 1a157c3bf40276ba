//! Models built on the engine as any user would build them: through the public
//! API alone.

pub mod derivation;
pub mod logistic;
