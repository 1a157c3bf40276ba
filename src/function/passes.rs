//! What freezing does to a recording besides dropping what is not needed.
//!
//! `merge_linear_forms` makes one node of w₁·c₁ + w₂·c₂ + … as a recording
//! program writes it, term after term. It changes no bit: the linear combination
//! adds from left to right as the program did, beginning with −0, which changes
//! no term; and each share that its adjoint sends is the one that the product sent.
//! For that the shares must also arrive in the same order, so a form is merged
//! only if its nodes lie together, nothing else uses them, and no two terms have
//! one operand.

use crate::ops::{Op, Real};
use crate::program::{Form, NodeId, Operand};
use crate::recording::Recording;
use smallvec::SmallVec;
use std::panic::Location;

/// Below this many terms a form is left as it is.
const WORTHWHILE: usize = 3;

/// A sum of weighted nodes that ends at some node.
#[derive(Clone, Default)]
struct LinearForm {
    weights: Vec<f64>,
    nodes: Vec<u32>,
    /// The first of the nodes that it is made of, which lie together.
    start: usize,
}

/// How often each node is used: by nodes, by guards, by outputs, or by a name.
fn uses(recording: &Recording, outputs: &[Operand]) -> Vec<u32> {
    let program = recording.program();
    let mut uses = vec![0; recording.len()];
    let mut count = |operand: Operand| {
        if let Operand::Node(id) = operand {
            uses[id.index()] += 1;
        }
    };
    for &record in program.records {
        program.for_each_operand(record, &mut count);
    }
    for guard in &recording.guards {
        count(guard.a);
        count(guard.b);
    }
    outputs.iter().copied().for_each(&mut count);
    for (_, id) in recording.names.iter() {
        uses[id as usize] += 1;
    }
    uses
}

/// For each node the linear form that it is, if it is one of more than a node.
fn linear_forms(recording: &Recording, uses: &[u32]) -> Vec<Option<LinearForm>> {
    let program = recording.program();
    let mut forms: Vec<Option<LinearForm>> = Vec::with_capacity(recording.len());
    for (index, &record) in program.records.iter().enumerate() {
        let (a, b) = (record.a(), record.b());
        let form = match (record.op(), record.form()) {
            (Op::Mul, Form::NodeConstant | Form::ConstantNode) => Some(LinearForm {
                weights: vec![program.constants[b]],
                nodes: vec![a as u32],
                start: index,
            }),
            (Op::Add, Form::Nodes) => sum(&mut forms, uses, index, a, b),
            _ => None,
        };
        forms.push(form);
    }
    forms
}

/// The form of the node at `end`, the sum of the nodes `a` and `b`. Takes their
/// forms: nothing else uses them.
fn sum(
    forms: &mut [Option<LinearForm>],
    uses: &[u32],
    end: usize,
    a: usize,
    b: usize,
) -> Option<LinearForm> {
    let single = |form: &LinearForm| form.nodes.len() == 1;
    let right_is_product = b + 1 == end && uses[b] == 1 && forms[b].as_ref().is_some_and(single);
    let start = if right_is_product { b } else { end };
    let left_is_form = a + 1 == start && uses[a] == 1 && forms[a].is_some();
    if !left_is_form && !right_is_product {
        return None;
    }
    let mut form = if left_is_form {
        forms[a].take()?
    } else {
        LinearForm {
            weights: vec![1.0],
            nodes: vec![a as u32],
            start,
        }
    };
    if right_is_product {
        let product = forms[b].take()?;
        form.weights.extend(product.weights);
        form.nodes.extend(product.nodes);
    } else {
        form.weights.push(1.0);
        form.nodes.push(b as u32);
    }
    Some(form)
}

fn has_no_operand_twice(form: &LinearForm) -> bool {
    let mut nodes = form.nodes.clone();
    nodes.sort_unstable();
    nodes.windows(2).all(|pair| pair[0] != pair[1])
}

/// Copies the recording with each linear form of some length as one node.
/// Returns where each node has gone; what is inside a form has gone nowhere.
pub(super) fn merge_linear_forms(
    from: &Recording,
    outputs: &[Operand],
    is_input: &[bool],
) -> (Recording, Vec<Operand>) {
    let uses = uses(from, outputs);
    let forms = linear_forms(from, &uses);
    let merged = |form: &&LinearForm| form.nodes.len() >= WORTHWHILE && has_no_operand_twice(form);
    let mut inside = vec![false; from.len()];
    for (index, form) in forms.iter().enumerate() {
        if let Some(form) = form.as_ref().filter(merged) {
            inside[form.start..index].fill(true);
        }
    }
    let mut to = Recording::default();
    let mut moved: Vec<Operand> = Vec::with_capacity(from.len());
    for (index, form) in forms.iter().enumerate() {
        moved.push(match form.as_ref().filter(merged) {
            _ if inside[index] => Operand::Constant(f64::NAN), // nobody asks for it
            Some(form) => combine(&mut to, form, &moved),
            None => copy(&mut to, from, index, is_input[index], &moved),
        });
    }
    (to, moved)
}

/// Copies a node whose operands are now where `moved` says. If they are all
/// constants, and it is no input, so is the result.
pub(super) fn copy(
    to: &mut Recording,
    from: &Recording,
    index: usize,
    is_input: bool,
    moved: &[Operand],
) -> Operand {
    let (program, value) = (from.program(), from.value(index as u32));
    let record = program.records[index];
    let mut operands = SmallVec::<[Operand; 4]>::new();
    program.for_each_operand(record, |operand| operands.push(gone_to(operand, moved)));
    let (op, caller) = (record.op(), Location::caller());
    let own = match op.arity() {
        None => program.nary(record).constants,
        Some(_) => &[],
    };
    let numbers: SmallVec<[f64; 4]> = operands.iter().filter_map(Operand::constant).collect();
    if numbers.len() == operands.len() && !is_input {
        return Operand::Constant(match (op.arity(), &numbers[..]) {
            (None, _) => f64::nary(op, &[&numbers], &[own]),
            (_, &[x]) => op.value_1(x),
            (_, &[a, b]) => op.value_2(a, b),
            _ => value,
        });
    }
    let copy = if operands.is_empty() {
        match to.push_slowly(record, value, caller) {
            Some(id) => Operand::Node(NodeId(id)),
            None => to.full().stop(),
        }
    } else {
        to.push_operation(op, &operands, &[own], caller)
    };
    if let (Some(name), Some(id)) = (from.names.of(index as u32), copy.node()) {
        to.names.set(id, name.clone());
    }
    copy
}

/// Where an operand has gone.
pub(super) fn gone_to(operand: Operand, moved: &[Operand]) -> Operand {
    match operand {
        Operand::Node(id) => moved[id.index()],
        constant @ Operand::Constant(_) => constant,
    }
}

fn combine(to: &mut Recording, form: &LinearForm, moved: &[Operand]) -> Operand {
    let operands = form.nodes.iter().map(|&node| moved[node as usize]);
    to.push_operation(
        Op::LinearCombination,
        &operands.collect::<Vec<_>>(),
        &[&form.weights, &[-0.0]],
        Location::caller(),
    )
}
