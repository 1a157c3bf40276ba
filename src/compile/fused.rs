//! Nodes that are done together with the one that uses them: a step costs, beside its
//! arithmetic, as much as a few operations (`docs/benchmarks.md`).
//!
//! Over rows and on registers a step may be applied to ±x + a constant, as in e^{−x} and
//! ln(1 − x); over rows the sum of two products is one step. Their shares reach the operands
//! sooner than those of steps of their own would; so operands are only those that receive two
//! shares at most, in whatever order.

use super::interface::Ends;
use super::passes::uses;
use crate::execute::lanes::modifier::Before;
use crate::graph::Recording;
use crate::graph::{GraphView, NodeId, Operand, Record, RecordForm};
use crate::ops::Op;
use crate::registers::takes_shifted;

/// A record that can be done before another operation, and its operand.
fn modifier(program: GraphView<'_>, record: Record) -> Option<(usize, Before)> {
    let constant = || program.constants[record.b()];
    let (sign, shift) = match (record.op(), record.form()) {
        (Op::Neg, _) => (-1.0, Before::NOTHING.shift),
        (Op::Add, RecordForm::NodeConstant | RecordForm::ConstantNode) => (1.0, constant()),
        (Op::Sub, RecordForm::NodeConstant) => (1.0, -constant()),
        (Op::Sub, RecordForm::ConstantNode) => (-1.0, constant()),
        _ => return None,
    };
    Some((record.a(), Before { sign, shift }))
}

/// What becomes of the nodes from `first` on.
#[derive(Default)]
pub(crate) struct Fused {
    first: usize,
    nodes: Vec<Fusion>,
}

#[derive(Clone, Copy)]
enum Fusion {
    /// It has a step of its own.
    Own,
    /// It is done before the operation of the one that uses it.
    Before,
    /// A product, done with the sum that uses it.
    Product,
    /// The sum of two such products.
    Sum,
}

impl Fused {
    /// Over rows, whose nodes are those from `first` on. No share may be moved that goes to a
    /// wanted column: there shares of other rows may be added to it.
    pub(crate) fn over_rows(
        recording: &Recording,
        first: usize,
        ends: &Ends,
        is_wanted: impl Fn(u32) -> bool,
    ) -> Self {
        let mut fused = Self::of(recording, first);
        if fused.nodes.is_empty() {
            return fused; // nothing depends on a row
        }
        let (program, uses) = (recording.program(), uses(recording, ends));
        let is_movable = |id: usize| {
            id >= first
                && match program.records[id].op() {
                    Op::Input => !is_wanted(id as u32),
                    _ => uses[id] <= 2,
                }
        };
        let is_product = |&id: &usize| {
            let record = program.records[id];
            (id >= first && uses[id] == 1)
                && (record.op() == Op::Mul && record.form() == RecordForm::Nodes)
                && is_movable(record.a())
                && is_movable(record.b())
        };
        for index in first..recording.len() {
            let record = program.records[index];
            if record.op() == Op::Add && record.form() == RecordForm::Nodes {
                let terms = [record.a(), record.b()];
                if terms.iter().all(is_product) {
                    terms
                        .iter()
                        .for_each(|id| fused.nodes[id - first] = Fusion::Product);
                    fused.nodes[index - first] = Fusion::Sum;
                }
            } else if record.op().arity() == Some(1) {
                fused.take_operand(program, record, &uses, is_movable);
            }
        }
        fused
    }

    /// At one point: for operations whose instructions take an operand so.
    pub(crate) fn at_a_point(recording: &Recording, uses: &[u32]) -> Self {
        let mut fused = Self::of(recording, 0);
        for &record in recording.program().records {
            if takes_shifted(record.op()) {
                fused.take_operand(recording.program(), record, uses, |id| uses[id] <= 2);
            }
        }
        fused
    }

    fn of(recording: &Recording, first: usize) -> Self {
        let nodes = vec![Fusion::Own; recording.len() - first];
        Self { first, nodes }
    }

    /// Does the operand of a record together with it, if nothing else uses that.
    fn take_operand(
        &mut self,
        program: GraphView<'_>,
        record: Record,
        uses: &[u32],
        is_movable: impl Fn(usize) -> bool,
    ) {
        let id = record.a();
        let Some(at) = id.checked_sub(self.first) else {
            return;
        };
        if uses[id] == 1
            && let Fusion::Own = self.nodes[at]
            && let Some((of, _)) = modifier(program, program.records[id])
            && is_movable(of)
            && self.has_step(of)
        {
            self.nodes[at] = Fusion::Before;
        }
    }

    fn node(&self, index: usize) -> Fusion {
        let at = index.checked_sub(self.first);
        at.map_or(Fusion::Own, |at| self.nodes[at])
    }

    /// Whether a node has a step of its own.
    pub(crate) fn has_step(&self, index: usize) -> bool {
        matches!(self.node(index), Fusion::Own | Fusion::Sum)
    }

    /// Whether a node is the sum of two products that have no steps.
    pub(crate) fn is_sum_of_products(&self, index: usize) -> bool {
        matches!(self.node(index), Fusion::Sum)
    }

    /// The operand of a step, and what is done to it before.
    #[inline]
    pub(crate) fn operand(
        &self,
        program: GraphView<'_>,
        operand: Operand,
    ) -> (Operand, Option<Before>) {
        if let Some(id) = operand.node()
            && let Fusion::Before = self.node(id as usize)
            && let Some((of, before)) = modifier(program, program.records[id as usize])
        {
            return (Operand::Node(NodeId(of as u32)), Some(before));
        }
        (operand, None)
    }
}
