//! Comparisons of handles: by value, and kept by the tape.
//!
//! A recording stands for what the recording program does only as long as its
//! comparisons come out the same. So each is kept as a guard, which a
//! [`Function`](crate::Function) checks at each evaluation. An equal one is kept
//! once, where it was first made.

use crate::graph::{Comparison, Guard, NodeId, Operand};
use crate::tape::Tape;
use crate::tape::Var;
use std::cmp::Ordering;
use std::panic::Location;
use std::ptr;

impl Var<'_> {
    /// Answers a comparison; each tape that it concerns keeps it, a node of
    /// another tape as a constant.
    #[track_caller]
    fn compare_with(self, other: Self, test: Comparison) -> bool {
        let (a, b) = (self.value(), other.value());
        let held = test.holds(a, b);
        let caller = Location::caller();
        let keep = |tape: &Tape| {
            let operand = |x: Self| match x.place() {
                Some((own, id)) if ptr::eq(own, tape) => Operand::Node(NodeId(id)),
                _ => Operand::Constant(x.value()),
            };
            let (first, second) = (operand(self), operand(other));
            tape.recording.borrow_mut().keep_guard(Guard {
                a: first,
                b: second,
                test,
                held,
                recorded: (a, b),
                caller,
            });
        };
        if let Some(tape) = self.tape() {
            keep(tape);
        }
        if let Some(tape) = other.tape()
            && self.tape().map(ptr::from_ref) != Some(ptr::from_ref(tape))
        {
            keep(tape);
        }
        held
    }
}

/// By value. The tape keeps the comparison and its outcome, for a
/// [`Function`](crate::Function) to check; compare `value()`s for one that is not kept.
/// One that is made again with the same outcome takes no more memory. With another outcome,
/// after [`set`](crate::Tape::set) and [`forward`](crate::Tape::forward), both are kept: no
/// point has such a recording, and each evaluation of a function is an error.
impl PartialEq for Var<'_> {
    #[inline]
    #[track_caller]
    fn eq(&self, other: &Self) -> bool {
        self.compare_with(*other, Comparison::Equal)
    }
}

/// By value, and kept as for `==`.
impl PartialOrd for Var<'_> {
    #[inline]
    #[track_caller]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let order = self.value().partial_cmp(&other.value());
        self.compare_with(*other, Comparison::Order(order));
        order
    }

    #[inline]
    #[track_caller]
    fn lt(&self, other: &Self) -> bool {
        self.compare_with(*other, Comparison::Less)
    }

    #[inline]
    #[track_caller]
    fn le(&self, other: &Self) -> bool {
        self.compare_with(*other, Comparison::LessOrEqual)
    }

    #[inline]
    #[track_caller]
    fn gt(&self, other: &Self) -> bool {
        self.compare_with(*other, Comparison::Greater)
    }

    #[inline]
    #[track_caller]
    fn ge(&self, other: &Self) -> bool {
        self.compare_with(*other, Comparison::GreaterOrEqual)
    }
}

/// By value, and kept as for two nodes.
impl PartialEq<f64> for Var<'_> {
    #[inline]
    #[track_caller]
    fn eq(&self, other: &f64) -> bool {
        *self == Var::constant(*other)
    }
}

/// By value, and kept as for two nodes.
impl PartialOrd<f64> for Var<'_> {
    #[inline]
    #[track_caller]
    fn partial_cmp(&self, other: &f64) -> Option<Ordering> {
        self.partial_cmp(&Var::constant(*other))
    }

    #[inline]
    #[track_caller]
    fn lt(&self, other: &f64) -> bool {
        *self < Var::constant(*other)
    }

    #[inline]
    #[track_caller]
    fn le(&self, other: &f64) -> bool {
        *self <= Var::constant(*other)
    }

    #[inline]
    #[track_caller]
    fn gt(&self, other: &f64) -> bool {
        *self > Var::constant(*other)
    }

    #[inline]
    #[track_caller]
    fn ge(&self, other: &f64) -> bool {
        *self >= Var::constant(*other)
    }
}
