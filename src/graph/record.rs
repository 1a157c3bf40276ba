//! What a node is: its operation and its operands in eight bytes (a test pins it). With its value
//! a node has 16, and 8 more where an operand is a constant.

use crate::ops::Op;
use std::fmt;

/// The most nodes any tape records, and constants, and operands of n-ary
/// operations: a record has 28 bits for each operand.
pub(crate) const MOST: usize = 1 << 28;

/// Marks a word of `Graph::operands` as the position of a constant.
pub(crate) const CONSTANT: u32 = 1 << 31;

/// The position of a node on its tape, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) u32);

impl NodeId {
    /// The position as an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// What an operation was applied to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operand {
    /// Another node of the tape.
    Node(NodeId),
    /// A number that no tape knows.
    Constant(f64),
}

impl Operand {
    pub(crate) fn node(&self) -> Option<u32> {
        match self {
            Self::Node(id) => Some(id.0),
            Self::Constant(_) => None,
        }
    }

    pub(crate) fn constant(&self) -> Option<f64> {
        match self {
            Self::Node(_) => None,
            Self::Constant(value) => Some(*value),
        }
    }
}

/// Where an operand of an operation on one or two is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Among the nodes.
    Node(usize),
    /// Among the constants.
    Constant(usize),
}

/// What the two fields of a record are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordForm {
    /// As many nodes as the operation takes. If it takes any number: `b` nodes
    /// in `Graph::operands` from `a + 2` on; the two words before them say
    /// where in `Graph::constants` the operation's own constants start, and
    /// how many they are.
    Nodes = 0,
    /// The node `a`, then the constant `b`. If the operation takes any number:
    /// as above, but some operands are constants.
    NodeConstant = 1,
    /// The constant `b`, then the node `a`.
    ConstantNode = 2,
    /// For operations that take any number: `b` nodes one after another, of which the
    /// first is in `Graph::operands` at `a + 2`, after the same two words. Of a row of
    /// inputs nothing is copied, and a sweep's loop over them compiles to vectors.
    Range = 3,
}

/// One operation as it is stored: from the lowest bit 2 for the form, 6 for the
/// operation, 28 for `a`, 28 for `b`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record(u64);

impl Record {
    pub(crate) const INPUT: Self = Self::new(Op::Input, RecordForm::Nodes, 0, 0);

    #[inline(always)]
    pub(crate) const fn new(op: Op, form: RecordForm, a: u64, b: u64) -> Self {
        Self(b << 36 | a << 8 | code(op, form) as u64)
    }

    /// An input that has a value in each row of data.
    pub(crate) const COLUMN: Self = Self::new(Op::Input, RecordForm::Nodes, 0, 1);

    /// The sum of the two nodes before the node `at`, the nearest one second; for the
    /// first two nodes no record.
    #[inline(always)]
    pub(crate) const fn sum_of_two_before(at: usize) -> Self {
        // Both operands move with the node, and so by one product.
        const STEP: u64 = Record::new(Op::Input, RecordForm::Nodes, 1, 1).0;
        const SECOND: u64 = Record::new(Op::Add, RecordForm::Nodes, 0, 1).0;
        Self(SECOND.wrapping_add((at as u64).wrapping_sub(2).wrapping_mul(STEP)))
    }

    /// Whether it is of the same operation in the same form as two others, and each operand is as
    /// far from that of `one` as that is from that of `two`.
    #[inline(always)]
    pub(crate) fn is_in_line(self, one: Self, two: Self) -> bool {
        let same = (self.0 ^ one.0 | one.0 ^ two.0) as u8 == 0;
        same && self.0.wrapping_sub(one.0) == one.0.wrapping_sub(two.0)
    }

    pub(crate) fn is_column(self) -> bool {
        self == Self::COLUMN
    }

    #[inline(always)]
    pub(crate) fn code(self) -> u8 {
        self.0 as u8
    }

    #[inline(always)]
    pub(crate) fn op(self) -> Op {
        Op::numbered(self.0 as usize >> 2 & 63)
    }

    #[inline(always)]
    pub(crate) fn form(self) -> RecordForm {
        match self.0 & 3 {
            0 => RecordForm::Nodes,
            1 => RecordForm::NodeConstant,
            2 => RecordForm::ConstantNode,
            _ => RecordForm::Range,
        }
    }

    #[inline(always)]
    pub(crate) fn a(self) -> usize {
        (self.0 >> 8) as usize & (MOST - 1)
    }

    #[inline(always)]
    pub(crate) fn b(self) -> usize {
        (self.0 >> 36) as usize
    }

    /// Where the operands are, in order; of an operation on any number, none.
    #[inline(always)]
    pub(crate) fn places(self) -> [Option<Place>; 2] {
        let node = Some(Place::Node(self.a()));
        let constant = Some(Place::Constant(self.b()));
        match (self.op().arity(), self.form()) {
            (None | Some(0), _) => [None, None],
            (Some(1), _) => [node, None],
            (_, RecordForm::NodeConstant) => [node, constant],
            (_, RecordForm::ConstantNode) => [constant, node],
            (_, RecordForm::Nodes | RecordForm::Range) => [node, Some(Place::Node(self.b()))],
        }
    }
}

/// Operation and form in one number, so that a sweep finds both by one jump.
#[inline(always)]
pub(crate) const fn code(op: Op, form: RecordForm) -> u8 {
    (op as u8) << 2 | form as u8
}

/// Whether this is the code of an operation, in whatever form.
#[inline(always)]
pub(crate) const fn is_of(code: u8, op: Op) -> bool {
    code >> 2 == op as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_of_two_before_has_the_record_of_that_sum() {
        for at in [2, 3, 1000, MOST as u64] {
            let sum = Record::new(Op::Add, RecordForm::Nodes, at - 2, at - 1);
            assert_eq!(Record::sum_of_two_before(at as usize), sum);
        }
        for at in [0, 1] {
            let none = Record::sum_of_two_before(at);
            assert!(none.a() >= at && none.b() >= MOST - 2, "{none:?}");
        }
    }
}
