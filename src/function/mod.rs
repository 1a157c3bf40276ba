//! `Function`: a tape frozen for repetition.
//!
//! It owns what it needs of the recording, is immutable and shared between
//! threads, and evaluates through `&self`: at a point by the same two sweeps as a
//! tape (`run.rs`) or by instructions on registers (`on_registers.rs`), over rows of data many
//! at a time (`rows.rs`), and so the turns of a loop that the recording program ran
//! (`rolled.rs`).

mod derivatives;
mod derived;
mod freeze;
mod frozen;
mod over_data;
mod row_by_row;
mod rows;
mod run;
mod stats;
#[cfg(feature = "parallel")]
mod threads;

pub use crate::execute::driver::workspace::Workspace;
pub use crate::execute::lanes::column::Column;
pub use freeze::Freeze;
pub use frozen::{Function, Pass, Recorder};
pub use rows::Rows;
pub use stats::Stats;
