//! A register machine: its instructions, and the assembly of a reverse sweep.
//!
//! It has 256 registers, or 65,536 where these do not suffice. So the number of a register is one
//! byte or two, an instruction is short, and no access needs a bounds check (`docs/benchmarks.md`).
//! A `Function` is evaluated on it, and so is the reverse sweep of a recording in the cache.

mod assembler;
mod instruction;
mod uses;

pub(crate) use assembler::{Assembler, Operation};
pub(crate) use instruction::{
    FIRST_IS_LAST, Instruction, MINUS, PAIR, PAIR_BEFORE_SUM, PLUS, SECOND_IS_LAST, SUM,
    SUM_FIRST_IS_LAST, SUM_IS_LAST, SUM_SECOND_IS_LAST, of, share, takes_shifted,
};
pub(crate) use uses::Uses;

use std::fmt::Debug;

/// The number of registers that suffices for most functions.
pub(crate) const FEW: usize = 1 << 8;
/// The number of registers for the others.
pub(crate) const MORE: usize = 1 << 16;

/// The number of a register.
pub(crate) trait Register:
    Copy + Debug + Default + PartialEq + TryFrom<usize> + Into<usize> + 'static
{
}

impl Register for u8 {}
impl Register for u16 {}
