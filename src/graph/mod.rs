//! What is recorded: a graph of operations, without the values or with them.
//!
//! A sweep reads one structure (`Graph`) with the values of any number type. `Recording` owns the
//! columns that it is made of, and has the only ways to add to them.
//!
//! ```text
//! record      one node: operation, form, operands
//! Graph       all records, the operands of n-ary ones, the constants: what a sweep reads
//! Recording   these columns with values, names and guards: what a tape and a function own
//! ```

mod guards;
mod names;
mod record;
mod recording;
pub(crate) mod rewrite;

pub(crate) use guards::{Comparison, Guard};
pub(crate) use names::{Names, escaped, visible};
pub(crate) use record::{CONSTANT, MOST, Place, Record, RecordForm, code, is_of};
pub use record::{NodeId, Operand};
pub(crate) use recording::{Given, Mark, Mixed, Recording, SHORTEST_RANGE};

use crate::ops::Real;
use std::ops::Range;

/// The structure of a tape, without its values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GraphView<'p> {
    pub(crate) records: &'p [Record],
    pub(crate) operands: &'p [u32],
    pub(crate) constants: &'p [f64],
}

/// The operands of an n-ary record, and its own constants.
#[derive(Clone, Copy)]
pub(crate) struct Nary<'p> {
    words: &'p [u32],
    pool: &'p [f64],
    pub(crate) constants: &'p [f64],
}

impl Nary<'_> {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.words.len()
    }

    #[inline]
    pub(crate) fn operand(&self, i: usize) -> Operand {
        let word = self.words[i];
        if word & CONSTANT == 0 {
            Operand::Node(NodeId(word))
        } else {
            Operand::Constant(self.pool[(word & !CONSTANT) as usize])
        }
    }

    /// Operand `i`, where all are nodes.
    #[inline(always)]
    pub(crate) fn node(&self, i: usize) -> usize {
        self.words[i] as usize
    }

    /// Operand `i`, where the nodes have these values.
    #[inline]
    pub(crate) fn value<T: Real>(&self, i: usize, values: &[T]) -> T {
        match self.operand(i) {
            Operand::Node(id) => values[id.index()],
            Operand::Constant(value) => T::from(value),
        }
    }
}

impl<'p> GraphView<'p> {
    /// Of a record whose operands are listed.
    #[inline(always)]
    pub(crate) fn nary(self, record: Record) -> Nary<'p> {
        let start = record.a() + 2;
        Nary {
            words: &self.operands[start..start + record.b()],
            pool: self.constants,
            constants: self.own_constants(record),
        }
    }

    /// The operands of a record that are a range.
    #[inline(always)]
    pub(crate) fn range(self, record: Record) -> Range<usize> {
        let first = self.operands[record.a() + 2] as usize;
        first..first + record.b()
    }

    /// The constants that an operation on any number of operands has of its own.
    #[inline(always)]
    pub(crate) fn own_constants(self, record: Record) -> &'p [f64] {
        let words = &self.operands[record.a()..record.a() + 2];
        let (from, count) = (words[0] as usize, words[1] as usize);
        &self.constants[from..from + count]
    }

    /// The operands of an operation on one or two.
    #[inline(always)]
    pub(crate) fn one_or_two(&self, record: Record) -> (Operand, Option<Operand>) {
        let node = |index: usize| Operand::Node(NodeId(index as u32));
        let constant = || Operand::Constant(self.constants[record.b()]);
        let a = node(record.a());
        match (record.op().arity(), record.form()) {
            (Some(1), _) => (a, None),
            (_, RecordForm::Nodes) => (a, Some(node(record.b()))),
            (_, RecordForm::NodeConstant) => (a, Some(constant())),
            (_, RecordForm::ConstantNode) => (constant(), Some(a)),
            (_, RecordForm::Range) => unreachable!("a range where one or two operands are taken"),
        }
    }

    /// Calls `each` with operand after operand.
    #[inline]
    pub(crate) fn for_each_operand(&self, record: Record, mut each: impl FnMut(Operand)) {
        let node = |index: usize| Operand::Node(NodeId(index as u32));
        match (record.op().arity(), record.form()) {
            (Some(0), _) => {}
            (Some(1), _) => each(node(record.a())),
            (Some(_), form) => {
                let second = match form {
                    RecordForm::Nodes | RecordForm::Range => node(record.b()),
                    _ => Operand::Constant(self.constants[record.b()]),
                };
                let (first, last) = match form {
                    RecordForm::ConstantNode => (second, node(record.a())),
                    _ => (node(record.a()), second),
                };
                each(first);
                each(last);
            }
            (None, RecordForm::Range) => self.range(record).for_each(|index| each(node(index))),
            (None, _) => {
                let nary = self.nary(record);
                (0..nary.len()).for_each(|i| each(nary.operand(i)));
            }
        }
    }
}
