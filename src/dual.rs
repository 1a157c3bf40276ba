//! `Dual<T>`: forward mode as one more number type.
//!
//! A dual number carries a value and a tangent, the derivative of the value in
//! one chosen direction. It reads the same rows as the reverse sweep, so there
//! is no rule here. `Dual<Dual<f64>>` nests; a sweep over `Dual` gives
//! Hessian–vector products.

use crate::ops::{ABSENT, Op, Real, flatten, table};
use std::cmp::Ordering;
use std::fmt;

/// A value and its tangent.
///
/// ```
/// use chainrule::{Dual, Real};
/// let x = Dual::new(0.5, 1.0); // x, and dx/dx
/// assert_eq!(x.sin().tangent(), Real::cos(0.5));
///
/// let second = Dual::new(Dual::new(2.0, 1.0), Dual::from(1.0));
/// assert_eq!(second.powi(3).tangent().tangent(), 12.0); // (x³)″ = 6x
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Dual<T> {
    value: T,
    tangent: T,
}

impl<T: Real> Dual<T> {
    /// A value that moves with the given tangent. What does not move is
    /// `Dual::from(value)`: there 0·∞ cannot arise.
    #[inline]
    pub fn new(value: T, tangent: T) -> Self {
        Self { value, tangent }
    }

    /// The value.
    #[inline]
    pub fn primal(self) -> T {
        self.value
    }

    /// The derivative of the value in the chosen direction; 0 for a constant.
    #[inline]
    pub fn tangent(self) -> T {
        if self.tangent.is_absent() {
            T::from(0.0)
        } else {
            self.tangent
        }
    }

    table! { methods [pub fn] }
}

impl<T: Real> Real for Dual<T> {
    #[inline]
    fn value(self) -> f64 {
        self.value.value()
    }

    #[inline]
    #[track_caller]
    fn unary(op: Op, x: Self) -> Self {
        let value = T::unary(op, x.value);
        let mut tangent = T::from(ABSENT);
        add_share(&mut tangent, op, x.tangent, || op.partial_1(x.value, value));
        Self { value, tangent }
    }

    #[inline]
    #[track_caller]
    fn binary(op: Op, a: Self, b: Self) -> Self {
        let value = T::binary(op, a.value, b.value);
        let mut tangent = T::from(ABSENT);
        add_share(&mut tangent, op, a.tangent, || {
            op.partial_first(a.value, b.value, value)
        });
        add_share(&mut tangent, op, b.tangent, || {
            op.partial_second(a.value, b.value, value)
        });
        Self { value, tangent }
    }

    #[track_caller]
    fn nary(op: Op, operands: &[&[Self]], constants: &[&[f64]]) -> Self {
        let x = flatten(operands);
        Self::nary_of(op, x.len(), |i| x[i], &flatten(constants))
    }

    #[track_caller]
    fn nary_of(op: Op, n: usize, operand: impl Fn(usize) -> Self, constants: &[f64]) -> Self {
        let x = |i: usize| operand(i).value;
        let value = T::nary_of(op, n, x, constants);
        let mut tangent = T::from(ABSENT);
        op.partials_n(n, x, constants, value, |i, partial| {
            add_share(&mut tangent, op, operand(i).tangent, || partial);
        });
        Self { value, tangent }
    }

    #[inline]
    fn is_absent(self) -> bool {
        self.value.is_absent() && self.tangent.is_absent()
    }

    #[inline]
    fn is_zero(self) -> bool {
        self.value.is_zero() && self.tangent.is_zero()
    }

    const RECORDS: bool = T::RECORDS;

    #[inline]
    fn within_domain(partial: Self, value: Self) -> Self {
        let tangent = match partial.tangent.is_absent() {
            true => partial.tangent,
            false => T::within_domain(partial.tangent, value.value),
        };
        Self {
            value: T::within_domain(partial.value, value.value),
            tangent,
        }
    }

    #[inline]
    fn is_constant(self) -> bool {
        self.value.is_constant() && self.tangent.is_absent()
    }

    /// The product rule, an absent tangent staying absent.
    #[inline]
    fn share(adjoint: Self, partial: Self) -> Self {
        Self {
            value: T::share(adjoint.value, partial.value),
            tangent: T::share(adjoint.tangent, partial.value)
                .plus(T::share(partial.tangent, adjoint.value)),
        }
    }

    /// The same, where the partial's tangent is that of what was picked.
    #[inline]
    fn share_of_branch(adjoint: Self, partial: Self) -> Self {
        Self {
            value: T::share_of_branch(adjoint.value, partial.value),
            tangent: T::share_of_branch(adjoint.tangent, partial.value)
                .plus(T::share(partial.tangent, adjoint.value)),
        }
    }

    #[inline]
    fn plus(self, share: Self) -> Self {
        Self {
            value: self.value.plus(share.value),
            tangent: self.tangent.plus(share.tangent),
        }
    }
}

/// Adds tangent × partial to a sum, unless the operand does not move or, in an
/// operation that picks, is not picked.
#[inline]
fn add_share<T: Real>(sum: &mut T, op: Op, tangent: T, partial: impl FnOnce() -> T) {
    if !tangent.is_absent() {
        let partial = partial();
        *sum = sum.plus(match op.is_branch() {
            true => T::share_of_branch(tangent, partial),
            false => T::share(tangent, partial),
        });
    }
}

impl<T: Real> From<f64> for Dual<T> {
    #[inline]
    fn from(value: f64) -> Self {
        Self {
            value: T::from(value),
            tangent: T::from(ABSENT),
        }
    }
}

impl<T: Real> From<&f64> for Dual<T> {
    #[inline]
    fn from(value: &f64) -> Self {
        Self::from(*value)
    }
}

impl<T: Real> From<&Dual<T>> for Dual<T> {
    #[inline]
    fn from(dual: &Dual<T>) -> Self {
        *dual
    }
}

/// By value; the tangents do not count.
impl<T: Real> PartialEq for Dual<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// By value; the tangents do not count.
impl<T: Real> PartialOrd for Dual<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.value.partial_cmp(&other.value)
    }
}

/// `value + tangent·ε`
impl<T: Real> fmt::Display for Dual<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.value, f)?;
        f.write_str(" + ")?;
        fmt::Display::fmt(&self.tangent(), f)?;
        f.write_str("·ε")
    }
}

table! { operators [T: Real,] Dual<T>, }
