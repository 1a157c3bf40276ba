//! `Workspace`: memory for evaluations.

use super::blocks::Scratch;
use super::on_registers::RegisterFile;
use super::piece::PieceScratch;
use crate::registers::{FEW, MORE};

/// Memory for the evaluation of a [`Function`](crate::Function), to be used again and again, by
/// one function or several. It allocates when first used and never after.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    pub(super) values: Vec<f64>,
    pub(super) adjoints: Vec<f64>,
    /// One for each thread.
    pub(super) scratches: Vec<Scratch>,
    /// Sums over rows.
    pub(super) sums: Vec<f64>,
    /// What chunks of rows add to the sums.
    pub(super) parts: Vec<f64>,
    pub(super) turning: Turning,
    /// The inputs of a function that was made from another one, and its outputs.
    pub(super) point: Vec<f64>,
    pub(super) results: Vec<f64>,
    pub(super) few: Option<RegisterFile<FEW>>,
    pub(super) more: Option<RegisterFile<MORE>>,
    /// Whether it is used once and then dropped.
    pub(super) is_for_once: bool,
}

impl Workspace {
    /// An empty workspace. Allocates nothing.
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn for_once() -> Self {
        Self {
            is_for_once: true,
            ..Self::default()
        }
    }
}

/// Memory for the evaluation of a loop.
#[derive(Clone, Debug, Default)]
pub(super) struct Turning {
    /// The term of each turn.
    pub(super) terms: Vec<f64>,
    /// The numbers that all turns take.
    pub(super) shared: Vec<f64>,
    pub(super) piece: PieceScratch,
}
