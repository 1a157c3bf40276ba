//! Nodes that have no step of their own over rows: what each step costs beside its
//! arithmetic is as much as a few operations, so some are done together with the one that
//! uses them (`docs/benchmarks.md`).
//!
//! A step may be applied to ±x + a constant, as in e^{−x} and ln(1 − x), and the sum of two
//! products is one step. Their shares reach the operands sooner than those of steps of their
//! own would; so operands are only those that receive two shares at most, in whatever order.

use super::freeze::Ends;
use super::kernels::{product, sum};
use crate::ops::Op;
use crate::program::{Form, NodeId, Operand, Program, Record};
use crate::recording::Recording;

/// What is done to the operand of a step before its operation: sign·x + shift.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Before {
    /// 1 or −1, so that it rounds nothing.
    pub(super) sign: f64,
    shift: f64,
}

impl Before {
    /// Adding −0 changes no number.
    pub(super) const NOTHING: Self = Self {
        sign: 1.0,
        shift: -0.0,
    };

    #[inline(always)]
    pub(super) fn is_nothing(self) -> bool {
        self.sign == 1.0 && self.shift.to_bits() == Self::NOTHING.shift.to_bits()
    }

    #[inline(always)]
    pub(super) fn of(self, x: f64) -> f64 {
        sum(product(self.sign, x), self.shift)
    }

    /// A record that can be done before another operation, and its operand.
    fn in_record(program: Program<'_>, record: Record) -> Option<(usize, Self)> {
        let constant = || program.constants[record.b()];
        let (sign, shift) = match (record.op(), record.form()) {
            (Op::Neg, _) => (-1.0, Self::NOTHING.shift),
            (Op::Add, Form::NodeConstant | Form::ConstantNode) => (1.0, constant()),
            (Op::Sub, Form::NodeConstant) => (1.0, -constant()),
            (Op::Sub, Form::ConstantNode) => (-1.0, constant()),
            _ => return None,
        };
        Some((record.a(), Self { sign, shift }))
    }
}

/// What becomes of the nodes that depend on the row.
pub(super) struct Fused {
    first: usize,
    nodes: Vec<Node>,
}

#[derive(Clone, Copy)]
enum Node {
    /// It has a step of its own.
    Own,
    /// It is done before the operation of the one that uses it; its operand.
    Before(u32, Before),
    /// A product, done with the sum that uses it.
    Product,
    /// The sum of two such products.
    Sum,
}

/// Who uses a node.
#[derive(Clone, Copy, Default)]
struct Use {
    count: u32,
    last: u32,
}

impl Fused {
    /// Looks at the nodes from `first` on; no share may be moved that `is_wanted` of a column.
    pub(super) fn new(
        recording: &Recording,
        first: usize,
        ends: &Ends,
        is_wanted: impl Fn(u32) -> bool,
    ) -> Self {
        let program = recording.program();
        let uses = uses(recording, first, ends);
        let once = |id: usize| uses[id - first].count == 1;
        let is_movable = |id: usize| {
            let record = program.records[id];
            id >= first
                && match record.op() {
                    Op::Input => !is_wanted(id as u32),
                    _ => uses[id - first].count <= 2,
                }
        };
        let mut nodes = vec![Node::Own; recording.len() - first];
        for index in first..recording.len() {
            let record = program.records[index];
            if record.op() == Op::Add && record.form() == Form::Nodes {
                let terms = [record.a(), record.b()];
                let is_product = |&id: &usize| {
                    let record = program.records[id];
                    (id >= first && once(id))
                        && (record.op() == Op::Mul && record.form() == Form::Nodes)
                        && is_movable(record.a())
                        && is_movable(record.b())
                };
                if terms.iter().all(is_product) {
                    terms
                        .iter()
                        .for_each(|&id| nodes[id - first] = Node::Product);
                    nodes[index - first] = Node::Sum;
                }
            } else if let Some((operand, before)) = Before::in_record(program, record)
                && once(index)
                && is_movable(operand)
                && matches!(nodes[operand - first], Node::Own | Node::Sum)
                && let Some(user) = program.records.get(uses[index - first].last as usize)
                && user.op().arity() == Some(1)
            {
                nodes[index - first] = Node::Before(operand as u32, before);
            }
        }
        Self { first, nodes }
    }

    fn node(&self, index: usize) -> Node {
        let at = index.checked_sub(self.first);
        at.map_or(Node::Own, |at| self.nodes[at])
    }

    /// Whether a node has a step of its own.
    pub(super) fn has_step(&self, index: usize) -> bool {
        matches!(self.node(index), Node::Own | Node::Sum)
    }

    /// Whether a node is the sum of two products that have no steps.
    pub(super) fn is_sum_of_products(&self, index: usize) -> bool {
        matches!(self.node(index), Node::Sum)
    }

    /// The operand of a step, and what is done to it before.
    pub(super) fn operand(&self, operand: Operand) -> (Operand, Before) {
        match operand {
            Operand::Node(id) => match self.node(id.index()) {
                Node::Before(of, before) => (Operand::Node(NodeId(of)), before),
                _ => (operand, Before::NOTHING),
            },
            Operand::Constant(_) => (operand, Before::NOTHING),
        }
    }
}

/// Who uses each node from `first` on: others of them, and whoever reads it at the end.
fn uses(recording: &Recording, first: usize, ends: &Ends) -> Vec<Use> {
    let program = recording.program();
    let mut uses = vec![Use::default(); recording.len() - first];
    let mut count = |operand: &Operand, by: usize| {
        let at = operand
            .node()
            .and_then(|id| (id as usize).checked_sub(first));
        if let Some(at) = at {
            uses[at].count += 1;
            uses[at].last = by as u32;
        }
    };
    for index in first..recording.len() {
        program.for_each_operand(program.records[index], |operand| count(&operand, index));
    }
    let guards = recording.guards.iter();
    let guarded = guards.flat_map(|guard| [guard.a, guard.b]);
    let read = [&ends.outputs, &ends.once, &ends.retained].into_iter();
    let read = read.flatten().copied().chain(guarded);
    // By none of the nodes.
    read.for_each(|operand| count(&operand, recording.len()));
    uses
}
