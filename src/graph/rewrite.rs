//! The one copier: nodes of a recording are copied to another one, where their operands are
//! what a map says. An operation on constants alone becomes a constant.

use super::{NodeId, Operand, Record, RecordForm, Recording};
use crate::ops::Real;
use smallvec::SmallVec;
use std::panic::Location;

/// What a node has become in another recording: a node, or a constant. Two words, which travel in registers; an
/// `Operand`, made of parts and copied whole, waits until these are stored.
#[derive(Clone, Copy)]
pub(crate) struct Gone {
    /// The node's number, or `CONSTANT`.
    id: u64,
    constant: f64,
}

const CONSTANT: u64 = u64::MAX;

impl Gone {
    /// Nothing: nobody asks for it.
    pub(crate) const NOWHERE: Self = Self {
        id: CONSTANT,
        constant: f64::NAN,
    };

    fn to_node(id: u64) -> Self {
        Self {
            id,
            ..Self::NOWHERE
        }
    }

    fn node(self) -> Option<u64> {
        (self.id != CONSTANT).then_some(self.id)
    }

    pub(crate) fn operand(self) -> Operand {
        match self.node() {
            Some(id) => Operand::Node(NodeId(id as u32)),
            None => Operand::Constant(self.constant),
        }
    }
}

impl From<Operand> for Gone {
    fn from(operand: Operand) -> Self {
        match operand {
            Operand::Node(id) => Self::to_node(id.0.into()),
            Operand::Constant(constant) => Self {
                constant,
                ..Self::NOWHERE
            },
        }
    }
}

/// Copies a node whose operands are now where `moved` says. If they are all
/// constants, and it is no input, so is the result.
pub(crate) fn copy(
    to: &mut Recording,
    from: &Recording,
    index: usize,
    is_input: bool,
    moved: &[Gone],
) -> Gone {
    let copied = match copy_at_once(to, from, index, is_input, moved) {
        Some(id) => Gone::to_node(id),
        None => copy_by_operands(to, from, index, is_input, moved).into(),
    };
    carry_name(from, index, to, copied);
    copied
}

/// Copies an input, or an operation on one or two operands whose nodes are still nodes, with
/// its value, if there is room. Returns its number.
#[inline]
fn copy_at_once(
    to: &mut Recording,
    from: &Recording,
    index: usize,
    is_input: bool,
    moved: &[Gone],
) -> Option<u64> {
    let (program, value) = (from.program(), from.value(index as u32));
    let record = program.records[index];
    let (op, form) = (record.op(), record.form());
    let place = |id: usize| moved[id].node();
    match (op.arity(), form) {
        (Some(0), _) if is_input => to.put(record, value),
        (Some(1), _) => to.put(Record::new(op, form, place(record.a())?, 0), value),
        (Some(2), RecordForm::Nodes) => {
            let (a, b) = (place(record.a())?, place(record.b())?);
            to.put(Record::new(op, form, a, b), value)
        }
        (Some(2), _) => {
            let constant = program.constants[record.b()];
            to.put_with(op, form, place(record.a())?, constant, value)
        }
        _ => None,
    }
}

fn copy_by_operands(
    to: &mut Recording,
    from: &Recording,
    index: usize,
    is_input: bool,
    moved: &[Gone],
) -> Operand {
    let (program, value) = (from.program(), from.value(index as u32));
    let record = program.records[index];
    let mut operands = SmallVec::<[Operand; 4]>::new();
    program.for_each_operand(record, |operand| operands.push(gone_to(operand, moved)));
    let (op, caller) = (record.op(), Location::caller());
    let own = match op.arity() {
        None => program.own_constants(record),
        Some(_) => &[],
    };
    if !is_input && operands.iter().all(|operand| operand.node().is_none()) {
        let numbers: SmallVec<[f64; 4]> = operands.iter().filter_map(Operand::constant).collect();
        return Operand::Constant(match (op.arity(), &numbers[..]) {
            (None, _) => f64::nary(op, &[&numbers], &[own]),
            (_, &[x]) => op.value_1(x),
            (_, &[a, b]) => op.value_2(a, b),
            _ => value,
        });
    }
    if operands.is_empty() {
        match to.push_slowly(record, value, caller) {
            Some(id) => Operand::Node(NodeId(id as u32)),
            None => to.full().stop(),
        }
    } else {
        to.push_operation(op, &operands, &[own], caller)
    }
}

pub(crate) fn carry_name(from: &Recording, index: usize, to: &mut Recording, node: Gone) {
    if let (Some(name), Some(id)) = (from.names.of(index as u32), node.node()) {
        to.names.set(id as u32, name.clone());
    }
}

/// What an operand has become.
pub(crate) fn gone_to(operand: Operand, moved: &[Gone]) -> Operand {
    match operand {
        Operand::Node(id) => moved[id.index()].operand(),
        constant @ Operand::Constant(_) => constant,
    }
}
