//! `Workspace`: memory for evaluations.

use super::piece::PieceScratch;
use crate::execute::lanes::blocks::Scratch;
use crate::execute::scalar::on_registers::RegisterFile;
use crate::registers::{FEW, MORE};

/// Memory for the evaluation of a [`Function`](crate::Function), to be used again and again, by
/// one function or several. It allocates when first used and never after.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    pub(crate) values: Vec<f64>,
    pub(crate) adjoints: Vec<f64>,
    /// One for each thread.
    pub(crate) scratches: Vec<Scratch>,
    /// Sums over rows.
    pub(crate) sums: Vec<f64>,
    /// What chunks of rows add to the sums.
    pub(crate) parts: Vec<f64>,
    pub(crate) turning: Turning,
    /// The inputs of a function that was made from another one, and its outputs.
    pub(crate) point: Vec<f64>,
    pub(crate) results: Vec<f64>,
    /// A direction, and the gradient beside it.
    pub(crate) direction: Vec<f64>,
    pub(crate) few: Option<RegisterFile<FEW>>,
    pub(crate) more: Option<RegisterFile<MORE>>,
    /// Whether it is used once and then dropped.
    pub(crate) is_for_once: bool,
}

impl Workspace {
    /// An empty workspace. Allocates nothing.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn for_once() -> Self {
        Self {
            is_for_once: true,
            ..Self::default()
        }
    }
}

/// Memory for the evaluation of a loop.
#[derive(Clone, Debug, Default)]
pub(crate) struct Turning {
    /// The term of each turn.
    pub(crate) terms: Vec<f64>,
    /// The numbers that all turns take.
    pub(crate) shared: Vec<f64>,
    pub(crate) piece: PieceScratch,
}
