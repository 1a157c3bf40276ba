//! `Real`: the number types an expression can run on.
//!
//! A number type says how it applies an operation of the table to one, two or
//! many operands; every named method follows from its row. That is all a type
//! needs in order to run every expression, and the sweeps.
//!
//! An adjoint or tangent that nothing has reached is *absent*, written −0: the
//! one number that changes nothing when added. A zero that was computed is +0.
//! So an absent one is skipped, and a computed zero times ∞ is the honest NaN.

use super::{Op, table};
use smallvec::SmallVec;
use std::fmt::{Debug, Display};
use std::iter::{Product, Sum};
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// A number that an expression can run on: `f64`, [`Dual`](crate::Dual),
/// [`Var`](crate::Var).
///
/// Write a function once, over any `Real`, and call it with each:
///
/// ```
/// use chainrule::{Dual, Real, Tape};
///
/// fn f<T: Real>(x: T, y: T) -> T {
///     (x * y + 1.0).ln() * 0.5
/// }
///
/// let tape = Tape::new();
/// let (x, y) = (tape.var(2.0), tape.var(3.0));
/// assert_eq!(f(2.0, 3.0), f(x, y).value());
/// assert_eq!(f(Dual::new(2.0, 1.0), Dual::from(3.0)).tangent(), f(x, y).backward().wrt(x));
/// ```
///
/// A constant on the left of an operator is written `T::from(1.0) - x`. For an
/// `f64` receiver Rust prefers the inherent method of the same name
/// (`2.0_f64.exp()` is the standard library's); generic code gets the crate's.
/// `iter.sum::<T>()` works for every `Real`; the n-ary node from a slice is
/// `Real::sum(&xs)`.
///
/// To make another number type a `Real`, implement [`value`](Real::value),
/// [`unary`](Real::unary), [`binary`](Real::binary) and [`nary`](Real::nary).
pub trait Real:
    Copy
    + Debug
    + Display
    + PartialOrd
    + From<f64>
    + Neg<Output = Self>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Add<f64, Output = Self>
    + Sub<f64, Output = Self>
    + Mul<f64, Output = Self>
    + Div<f64, Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
    + AddAssign<f64>
    + SubAssign<f64>
    + MulAssign<f64>
    + DivAssign<f64>
    + Sum
    + Product
{
    /// The number itself, without what else the type carries.
    fn value(self) -> f64;

    /// Applies an operation to one operand.
    ///
    /// # Panics
    /// If the operation does not take one operand.
    #[track_caller]
    fn unary(op: Op, x: Self) -> Self;

    /// Applies an operation to two operands.
    ///
    /// # Panics
    /// If the operation does not take two operands.
    #[track_caller]
    fn binary(op: Op, a: Self, b: Self) -> Self;

    /// Applies an operation to any number of operands, given as slices that
    /// follow one another, and constants, likewise.
    ///
    /// # Panics
    /// If the operation does not take operands in this form.
    #[track_caller]
    fn nary(op: Op, operands: &[&[Self]], constants: &[&[f64]]) -> Self;

    /// Applies an operation to `n` operands, given by their positions.
    ///
    /// # Panics
    /// If the operation does not take operands in this form.
    #[track_caller]
    fn nary_of(op: Op, n: usize, operand: impl Fn(usize) -> Self, constants: &[f64]) -> Self {
        let operands: SmallVec<[Self; 8]> = (0..n).map(operand).collect();
        Self::nary(op, &[&operands], &[constants])
    }

    /// Whether this, as an adjoint or tangent, is absent: nothing has reached
    /// it. −0 is the mark.
    fn is_absent(self) -> bool {
        is_absent(self.value())
    }

    /// Whether this is 0 and stays 0, wherever it is evaluated again.
    fn is_zero(self) -> bool {
        self.value() == 0.0
    }

    /// Whether operations are recorded, to be evaluated at other points: whether these are inside
    /// a domain is not known yet.
    const RECORDS: bool = false;

    /// A partial as it is recorded: NaN where the `value` of its operation will be NaN.
    fn within_domain(partial: Self, value: Self) -> Self {
        let _ = value;
        partial
    }

    /// Whether this is known to stay what it is, wherever it is evaluated again: a constant
    /// that a recording takes.
    fn is_constant(self) -> bool {
        false
    }

    /// adjoint × partial, as one share of a sum. Absent if the adjoint is; a
    /// zero product is +0, and so never looks absent.
    fn share(adjoint: Self, partial: Self) -> Self {
        if adjoint.is_absent() {
            return adjoint;
        }
        let product = adjoint * partial;
        if product.is_absent() {
            return rare(Self::from(0.0));
        }
        product
    }

    /// The same from an operation that picks: to an operand that it did not pick, for which
    /// the partial is 0, nothing goes.
    fn share_of_branch(adjoint: Self, partial: Self) -> Self {
        if partial.is_zero() {
            return Self::from(ABSENT);
        }
        Self::share(adjoint, partial)
    }

    /// The same for an adjoint that is not absent. A zero product is +0 here, too.
    fn share_of_reached(adjoint: Self, partial: Self) -> Self {
        Self::share(adjoint, partial)
    }

    /// A sum with one more share.
    fn plus(self, share: Self) -> Self {
        if self.is_absent() {
            share
        } else {
            self + share
        }
    }

    table! { methods [fn] }
}

/// The mark of an absent adjoint or tangent.
pub(crate) const ABSENT: f64 = -0.0;

#[inline]
pub(crate) fn is_absent(x: f64) -> bool {
    x == 0.0 && x.is_sign_negative()
}

/// Says that the way by here is rare, so that the other one is straight.
#[cold]
fn rare<T>(x: T) -> T {
    x
}

impl Real for f64 {
    #[inline]
    fn value(self) -> f64 {
        self
    }

    #[inline(always)]
    fn unary(op: Op, x: f64) -> f64 {
        op.value_1(x)
    }

    #[inline(always)]
    fn binary(op: Op, a: f64, b: f64) -> f64 {
        op.value_2(a, b)
    }

    fn nary(op: Op, operands: &[&[f64]], constants: &[&[f64]]) -> f64 {
        let (x, c) = (flatten(operands), flatten(constants));
        Self::nary_of(op, x.len(), |i| x[i], &c)
    }

    #[inline(always)]
    fn nary_of(op: Op, n: usize, operand: impl Fn(usize) -> f64, constants: &[f64]) -> f64 {
        if !op.takes(n, constants.len()) {
            op.wrong_arity(n);
        }
        op.value_n(n, operand, constants)
    }

    /// Adding +0 makes −0 a +0 and changes nothing else: in a loop over many this is
    /// sooner done than asked.
    #[inline(always)]
    fn share_of_reached(adjoint: f64, partial: f64) -> f64 {
        adjoint * partial + 0.0
    }

    #[inline]
    fn plus(self, share: f64) -> f64 {
        self + share // −0 is the identity of addition
    }
}

/// Slices that follow one another, as one.
pub(crate) fn flatten<T: Copy>(parts: &[&[T]]) -> SmallVec<[T; 8]> {
    parts.iter().flat_map(|part| part.iter().copied()).collect()
}
