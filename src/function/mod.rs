//! `Function`: a tape frozen for repetition.
//!
//! It owns what it needs of the recording, is immutable and shared between
//! threads, and evaluates through `&self`: at a point by the same two sweeps as a
//! tape (`run.rs`) or by instructions on registers (`on_registers.rs`), over rows of data many
//! at a time (`rows.rs`), and so the turns of a loop that the recording program ran
//! (`rolled.rs`).

mod ahead;
mod assemble;
mod back;
mod block;
mod blocks;
mod body;
mod column;
mod columns;
mod derivatives;
mod derived;
mod freeze;
mod frozen;
mod fused;
mod interface;
mod kernels;
mod lane;
mod lane_program;
mod modifier;
mod on_registers;
mod over_data;
mod passes;
mod piece;
mod plan;
mod reroll;
mod rolled;
mod route;
mod row_by_row;
mod rows;
mod run;
mod shares;
mod stats;
mod taken;
#[cfg(feature = "parallel")]
mod threads;
mod vectors;
mod workspace;

pub use column::Column;
pub use freeze::Freeze;
pub use frozen::{Function, Pass, Recorder};
pub use rows::Rows;
pub use stats::Stats;
pub use workspace::Workspace;
