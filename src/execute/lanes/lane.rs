//! `Lane`: a number of one row among the many of a block.
//!
//! It reads the table as `f64` does and gives the same bits, by ways without
//! branches, so that a plain loop over a block compiles to vector instructions.

use crate::math::lanes as math; // what the rows of the table call `math` here
use crate::ops::{Op, Real, flatten, table};
use std::fmt;

table! { values }

#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(crate) struct Lane(pub(crate) f64);

impl Real for Lane {
    #[inline(always)]
    fn value(self) -> f64 {
        self.0
    }

    #[inline(always)]
    fn unary(op: Op, Lane(x): Self) -> Self {
        Self(value_1(op, x))
    }

    #[inline(always)]
    fn binary(op: Op, a: Self, b: Self) -> Self {
        Self(value_2(op, a.0, b.0))
    }

    #[inline(always)]
    fn nary(op: Op, operands: &[&[Self]], constants: &[&[f64]]) -> Self {
        let x = match operands {
            [x] => x,
            _ => &flatten(operands)[..],
        };
        Self(op.value_n(x.len(), |i| x[i].0, &flatten(constants)))
    }

    /// As for `f64`, with a selection in place of branches.
    #[inline(always)]
    fn share(adjoint: Self, partial: Self) -> Self {
        Self(math::contribution(adjoint.0, partial.0))
    }

    #[inline(always)]
    fn share_of_reached(adjoint: Self, partial: Self) -> Self {
        Self(f64::share_of_reached(adjoint.0, partial.0))
    }

    #[inline(always)]
    fn plus(self, share: Self) -> Self {
        Self(self.0 + share.0)
    }
}

impl From<f64> for Lane {
    #[inline(always)]
    fn from(value: f64) -> Self {
        Self(value)
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

table! { operators [] Lane, }

/// What the table says a sum is.
#[inline(always)]
pub(crate) fn sum(a: f64, b: f64) -> f64 {
    Lane::binary(Op::Add, Lane(a), Lane(b)).0
}

#[inline(always)]
pub(crate) fn product(a: f64, b: f64) -> f64 {
    Lane::binary(Op::Mul, Lane(a), Lane(b)).0
}
