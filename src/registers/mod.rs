//! A fixed number of registers, what is done with them, and how a way back is assembled.
//!
//! There are 256 of them, or 65,536 where these do not suffice, so that a register's number
//! is a byte or two, an instruction is short, and nothing is asked before one is read or
//! written (`docs/benchmarks.md`). A `Function` is evaluated on them, and a tape that records
//! the same again and again is swept on them.

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

/// How many registers most functions have that are evaluated again and again.
pub(crate) const FEW: usize = 1 << 8;
/// How many the others have.
pub(crate) const MORE: usize = 1 << 16;

/// The number of a register.
pub(crate) trait Register:
    Copy + Debug + Default + PartialEq + TryFrom<usize> + Into<usize> + 'static
{
}

impl Register for u8 {}
impl Register for u16 {}
