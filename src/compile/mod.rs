//! From a recording to what is run.
//!
//! ```text
//! recording ─ passes ─► recording ─┬─ loops ──► the loop's body, before it and after it
//!                                  ├─ assemble ► instructions on registers, with reverse sweeps
//!                                  └─ plan ───► steps in lanes ─ route ─► reverse schedules
//! ```
//!
//! `interface.rs` says which nodes a function is used by, `passes.rs` rewrites recordings,
//! `fused.rs` finds what is done together with the operation that uses it.

pub(crate) mod assemble;
pub(crate) mod fused;
pub(crate) mod interface;
pub(crate) mod loops;
pub(crate) mod passes;
pub(crate) mod plan;
pub(crate) mod route;
