//! `Body`: what is done in each iteration of a loop, as data.

use super::taken::Taken;
use crate::execute::lanes::block::Slot;
use crate::execute::lanes::lane_program::Plan;

/// A turn, and what it takes.
#[derive(Clone)]
pub(crate) struct Body {
    pub(crate) plan: Plan,
    /// The nodes that all turns take.
    pub(crate) shared: Vec<u32>,
    /// The nodes that each takes for itself.
    pub(crate) each: Vec<Taken>,
    /// Whether those lie apart.
    pub(crate) apart: bool,
    /// The numbers of each constant that is not the same in all turns, in blocks of turns.
    pub(crate) constants: Vec<Vec<Slot>>,
}
