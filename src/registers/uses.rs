//! `Uses`: which numbers a partial depends on, read off the table.
//!
//! A reverse sweep reads the value of an operand or a result only where a partial depends on it.
//! The registers of other values can be written again.

use crate::ops::{Op, Real, table};
use std::fmt;

/// A set of numbers, one bit for each.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(crate) struct Uses(u8);

impl Uses {
    pub(crate) const FIRST: Self = Self(1);
    const SECOND: Self = Self(2);
    const RESULT: Self = Self(4);

    /// What the partial of a unary operation depends on.
    pub(crate) fn of_one(op: Op) -> Self {
        op.partial_1(Self::FIRST, Self::RESULT)
    }

    /// What the two partials of a binary operation depend on.
    pub(crate) fn of_two(op: Op) -> [Self; 2] {
        let (a, b, y) = (Self::FIRST, Self::SECOND, Self::RESULT);
        [op.partial_first(a, b, y), op.partial_second(a, b, y)]
    }

    /// The partial of a unary or binary operation by one operand, given the operands that are
    /// constants. `None` if it depends on the point, or
    /// may be outside of its domain there.
    #[inline]
    pub(crate) fn known_partial(op: Op, known: [Option<f64>; 2], second: bool) -> Option<f64> {
        if op.is_branch() {
            return None; // zero would mean no contribution
        }
        let [a, b] = known;
        let uses = match op.arity() {
            Some(1) => Self::of_one(op),
            _ => Self::of_two(op)[usize::from(second)],
        };
        let varies =
            uses.result() || uses.operand(0) && a.is_none() || uses.operand(1) && b.is_none();
        if varies {
            return None;
        }
        // `Uses` describes partials inside the domain. An unknown operand may lie outside, so NaN,
        // which is outside of every domain, stands for it: a partial with a domain is then NaN.
        const UNKNOWN: f64 = f64::NAN;
        let (a, b) = (a.unwrap_or(UNKNOWN), b.unwrap_or(UNKNOWN));
        let partial = match (op.arity(), second) {
            (Some(1), _) => op.partial_1(a, UNKNOWN),
            (_, false) => op.partial_first(a, b, UNKNOWN),
            (_, true) => op.partial_second(a, b, UNKNOWN),
        };
        (!partial.is_nan()).then_some(partial)
    }

    pub(crate) fn operand(self, i: usize) -> bool {
        self.0 & [Self::FIRST, Self::SECOND][i].0 != 0
    }

    pub(crate) fn result(self) -> bool {
        self.0 & Self::RESULT.0 != 0
    }
}

impl Real for Uses {
    /// A number inside every domain. Outside a partial is NaN, which depends on nothing.
    fn value(self) -> f64 {
        0.5
    }

    fn unary(_: Op, x: Self) -> Self {
        x
    }

    fn binary(_: Op, a: Self, b: Self) -> Self {
        Self(a.0 | b.0)
    }

    fn nary(_: Op, operands: &[&[Self]], _: &[&[f64]]) -> Self {
        let all = operands.iter().copied().flatten();
        Self(all.fold(0, |all, x| all | x.0))
    }
}

impl From<f64> for Uses {
    fn from(_: f64) -> Self {
        Self(0)
    }
}

impl fmt::Display for Uses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

table! { operators [] Uses, }

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERS: [f64; 9] = [
        0.0,
        -0.0,
        0.25,
        -3.0,
        1e300,
        -1e-310,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
    ];

    fn bits(x: f64) -> u64 {
        if x.is_nan() { f64::NAN } else { x }.to_bits()
    }

    /// Also outside of a domain, which `Uses` does not describe.
    #[test]
    fn numbers_that_a_partial_does_not_depend_on_change_no_bit_of_it() {
        for &op in Op::ALL {
            for [a, b, y] in triples() {
                let partials: &[(Uses, f64)] = &match op.arity() {
                    Some(1) => vec![(Uses::of_one(op), op.partial_1(a, y))],
                    Some(2) => {
                        let [first, second] = Uses::of_two(op);
                        let partial = op.partial_first(a, b, y);
                        vec![(first, partial), (second, op.partial_second(a, b, y))]
                    }
                    _ => vec![],
                };
                for (i, &(uses, partial)) in partials.iter().enumerate() {
                    // 0.5 stands for all others.
                    let given = |used: bool, x: f64| if used { x } else { 0.5 };
                    let [a, b] = [given(uses.operand(0), a), given(uses.operand(1), b)];
                    let y = given(uses.result(), y);
                    let again = match (op.arity(), i) {
                        (Some(1), _) => op.partial_1(a, y),
                        (_, 0) => op.partial_first(a, b, y),
                        _ => op.partial_second(a, b, y),
                    };
                    assert_eq!(
                        bits(again),
                        bits(partial),
                        "{op:?}, operand {i}: {a} {b} {y}"
                    );
                }
            }
        }
    }

    fn triples() -> impl Iterator<Item = [f64; 3]> {
        let pairs = NUMBERS.iter().flat_map(|&a| NUMBERS.map(|b| (a, b)));
        pairs.flat_map(|(a, b)| NUMBERS.map(|y| [a, b, y]))
    }
}
