//! The comparisons that a recording program has made, each of them once, in the order in which
//! they were first made: the recording stands for the program only where they come out the same.

use super::record::Operand;
use indexmap::IndexSet;
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::panic::Location;

/// A question that a recording program asked of two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    /// Whether their order is this one.
    Order(Option<Ordering>),
}

impl Comparison {
    #[inline]
    pub(crate) fn holds(self, a: f64, b: f64) -> bool {
        match self {
            Self::Less => a < b,
            Self::LessOrEqual => a <= b,
            Self::Greater => a > b,
            Self::GreaterOrEqual => a >= b,
            Self::Equal => a == b,
            Self::Order(order) => a.partial_cmp(&b) == order,
        }
    }

    /// As it is written between two operands.
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "≤",
            Self::Greater => ">",
            Self::GreaterOrEqual => "≥",
            Self::Equal => "=",
            Self::Order(Some(Ordering::Less)) => "ordered as <",
            Self::Order(Some(Ordering::Equal)) => "ordered as =",
            Self::Order(Some(Ordering::Greater)) => "ordered as >",
            Self::Order(None) => "unordered with",
        }
    }
}

/// A comparison that the recording program made, and its outcome: the recording
/// stands for what that program does only where the outcome is the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guard {
    pub(crate) a: Operand,
    pub(crate) b: Operand,
    pub(crate) test: Comparison,
    pub(crate) held: bool,
    /// The operands when it was made.
    pub(crate) recorded: (f64, f64),
    pub(crate) caller: &'static Location<'static>,
}

pub(super) type Guards = IndexSet<Guard>;

/// The memory that they fill: each with its hash and its place.
pub(super) fn bytes(guards: &Guards) -> usize {
    guards.len() * (size_of::<Guard>() + 2 * size_of::<usize>())
}

/// Of an operand; a constant that is NaN is equal to itself.
fn bits(operand: Operand) -> (bool, u64) {
    match operand {
        Operand::Node(id) => (true, id.0.into()),
        Operand::Constant(value) => (false, value.to_bits()),
    }
}

/// Guards are equal if they compare the same with the same outcome, wherever that was done.
impl PartialEq for Guard {
    fn eq(&self, other: &Self) -> bool {
        (bits(self.a), bits(self.b)) == (bits(other.a), bits(other.b))
            && (self.test, self.held) == (other.test, other.held)
    }
}

impl Eq for Guard {}

impl Hash for Guard {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (bits(self.a).1, bits(self.b).1).hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Comparison, NodeId};
    use std::panic::Location;

    /// Of 6 · 6 · 2 · 2 comparisons, each met again and again.
    #[test]
    fn those_are_kept_that_no_earlier_one_is_equal_to() {
        let operand = |number: u64| match number % 6 {
            node @ 0..3 => Operand::Node(NodeId(node as u32)),
            3 => Operand::Constant(f64::NAN),
            4 => Operand::Constant(-0.0),
            _ => Operand::Constant(0.0), // as a node, 0
        };
        let caller = Location::caller();
        let (mut guards, mut number) = (Guards::default(), 1_u64);
        for _ in 0..20 {
            guards.clear();
            let mut expected: Vec<Guard> = Vec::new();
            for _ in 0..1_000 {
                number = number.wrapping_mul(6_364_136_223_846_793_005) + 1;
                let bits = number >> 33;
                let guard = Guard {
                    a: operand(bits),
                    b: operand(bits / 6),
                    test: [Comparison::Less, Comparison::Equal][bits as usize / 36 % 2],
                    held: bits / 72 % 2 == 0,
                    recorded: (0.0, bits as f64),
                    caller,
                };
                guards.insert(guard);
                if !expected.contains(&guard) {
                    expected.push(guard);
                }
                assert_eq!(guards.len(), expected.len());
            }
            assert!(expected.len() > 138, "{}", expected.len());
            let first = |guard: &Guard| guard.recorded.1;
            assert!(guards.iter().map(first).eq(expected.iter().map(first)));
        }
    }
}
