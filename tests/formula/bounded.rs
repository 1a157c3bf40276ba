//! A number with a bound on the rounding error it may have gathered, as one more
//! number type: what a comparison of two formulas may be held to.

use chainrule::{Op, Real};
use std::cmp::Ordering;
use std::fmt;
use std::iter::{Product, Sum};
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// A value, and how far the exact one may be from it.
#[derive(Clone, Copy, Debug)]
pub struct Bounded {
    pub value: f64,
    pub error: f64,
}

/// The relative error of one operation: the kernels promise 4 ulp.
const STEP: f64 = 4.0 * f64::EPSILON;

impl Bounded {
    /// The result of an operation on operands that may each be off: how far the
    /// result moves with each of them, and what it adds itself. A jump within the
    /// errors makes the bound infinite, and so does an overflow.
    fn of(op: Op, x: &[Bounded], f: impl Fn(&[f64]) -> f64) -> Self {
        let mut at: Vec<f64> = x.iter().map(|x| x.value).collect();
        let value = f(&at);
        let finite = value.is_finite() && at.iter().all(|x| x.is_finite());
        let chooses = matches!(op, Op::SelectLt | Op::SelectLe | Op::SelectEq);
        let within = |x: &[Bounded]| (x[0].value - x[1].value).abs() <= x[0].error + x[1].error;
        let exact = |x: &[Bounded]| x[0].error + x[1].error == 0.0;
        if !finite || chooses && within(x) && !exact(x) {
            // What overflowed once can be anything afterwards, and so can a choice
            // that hangs on an error.
            let error = f64::INFINITY;
            return Self { value, error };
        }
        let mut error = STEP * value.abs() + f64::MIN_POSITIVE;
        if x.len() > 2 {
            error += STEP * at.iter().map(|x| x.abs()).sum::<f64>() * x.len() as f64;
        }
        for (i, x) in x.iter().enumerate() {
            let mut moved: f64 = 0.0;
            for end in [x.value - x.error, x.value + x.error] {
                at[i] = end;
                moved = moved.max((f(&at) - value).abs());
            }
            at[i] = x.value;
            // Large errors do not move a result in proportion.
            let proportion = x.error <= 1e-3 * x.value.abs() || x.error <= 1e-9;
            let decided = !op.is_branch() || moved <= 4.0 * x.error;
            let counts = moved.is_finite() && proportion && decided;
            error += if counts { 1.5 * moved } else { f64::INFINITY };
        }
        Self { value, error }
    }
}

impl From<f64> for Bounded {
    fn from(value: f64) -> Self {
        Self { value, error: 0.0 }
    }
}

impl PartialEq for Bounded {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl PartialOrd for Bounded {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.value.partial_cmp(&other.value)
    }
}

impl fmt::Display for Bounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ± {:e}", self.value, self.error)
    }
}

impl Real for Bounded {
    fn value(self) -> f64 {
        self.value
    }

    fn unary(op: Op, x: Self) -> Self {
        Self::of(op, &[x], |x| f64::unary(op, x[0]))
    }

    fn binary(op: Op, a: Self, b: Self) -> Self {
        Self::of(op, &[a, b], |x| f64::binary(op, x[0], x[1]))
    }

    fn nary(op: Op, operands: &[&[Self]], constants: &[&[f64]]) -> Self {
        Self::of(op, &operands.concat(), |x| f64::nary(op, &[x], constants))
    }
}

impl Neg for Bounded {
    type Output = Self;
    fn neg(self) -> Self {
        Self::unary(Op::Neg, self)
    }
}

macro_rules! operators {
    ($($Trait:ident $method:ident $Assign:ident $assign:ident;)*) => { $(
        impl<R: Into<Bounded>> $Trait<R> for Bounded {
            type Output = Bounded;
            fn $method(self, right: R) -> Bounded {
                Bounded::binary(Op::$Trait, self, right.into())
            }
        }
        impl<R: Into<Bounded>> $Assign<R> for Bounded {
            fn $assign(&mut self, right: R) {
                *self = Bounded::binary(Op::$Trait, *self, right.into());
            }
        }
    )* };
}
operators! {
    Add add AddAssign add_assign;
    Sub sub SubAssign sub_assign;
    Mul mul MulAssign mul_assign;
    Div div DivAssign div_assign;
}

impl Sum for Bounded {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        Real::sum(&all.collect::<Vec<_>>())
    }
}

impl Product for Bounded {
    fn product<I: Iterator<Item = Self>>(all: I) -> Self {
        Real::product(&all.collect::<Vec<_>>())
    }
}
