//! What freezing does to a recording besides dropping what is not needed.
//!
//! `merge_sums` makes one node of a₁·b₁ + a₂·b₂ + … as a recording program writes
//! it, term after term: a linear combination where one factor of each term is a
//! constant, else a scalar product. It changes no bit: both add from left to
//! right as the program did, beginning with the first term, or with −0, which changes
//! no term; and each share that an adjoint sends is the one that the product sent. For that the
//! shares must also arrive in the same order, so a sum is merged only if its
//! nodes lie together, nothing else uses them, and no operand stands in it twice.
//!
//! `drop_ones` drops a·1 and a/1, as data often leaves them: y·ln a for a label of 1.
//! Nothing else may use a, so that its adjoint is the one share that it had.
//!
//! `share_equal` changes bits of gradients, and is there for who asks for it.

use super::interface::Ends;
use crate::graph::rewrite::{Gone, carry_name, copy, gone_to};
use crate::graph::{GraphView, NodeId, Operand, Record, RecordForm};
use crate::graph::{Recording, SHORTEST_RANGE};
use crate::ops::{DotOperands, Op};
use indexmap::IndexMap;
use indexmap::map::Entry;
use smallvec::SmallVec;
use std::panic::Location;

/// Below this many terms a sum is left as it is.
const WORTHWHILE: u32 = 3;

/// A sum of products that ends at some node, or a product that may become a term.
/// Its terms are read off the nodes that it is made of, which lie together.
#[derive(Clone, Copy, Default)]
struct Terms {
    /// The first of these nodes.
    start: u32,
    /// 0 where there is no such sum.
    count: u32,
}

fn node(index: usize) -> Operand {
    Operand::Node(NodeId(index as u32))
}

/// Whether each node depends on a column; nothing if there are none.
pub(crate) fn varying(recording: &Recording, ends: &Ends) -> Vec<bool> {
    let program = recording.program();
    let is_column = |&id: &u32| program.records[id as usize].is_column();
    if !ends.inputs.iter().any(is_column) {
        return Vec::new();
    }
    let mut varying: Vec<bool> = Vec::with_capacity(program.records.len());
    for &record in program.records {
        let mut any = record.is_column();
        program.for_each_operand(record, |operand| {
            any |= operand.node().is_some_and(|id| varying[id as usize]);
        });
        varying.push(any);
    }
    varying
}

/// How often each node is used: by nodes, by guards, by outputs, or by a name.
pub(crate) fn uses(recording: &Recording, ends: &Ends) -> Vec<u32> {
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
    for guard in recording.guards() {
        count(guard.a);
        count(guard.b);
    }
    ends.asked_for().for_each(&mut count);
    for (_, id) in recording.names.iter() {
        uses[id as usize] += 1;
    }
    uses
}

/// For each node the sum that it is, or the product that may become a term.
fn sums(recording: &Recording, ends: &Ends, uses: &[u32]) -> Vec<Terms> {
    let varying = varying(recording, ends);
    let mut sums: Vec<Terms> = Vec::with_capacity(recording.len());
    for (index, &record) in recording.program().records.iter().enumerate() {
        let sum = match (record.op(), record.form()) {
            (Op::Mul, _) => Terms {
                start: index as u32,
                count: 1,
            },
            (Op::Add, RecordForm::Nodes) => {
                let (a, b) = (record.a(), record.b());
                // What is evaluated once is no part of what is evaluated in each row.
                let alike = |at| varying.is_empty() || varying[at] == varying[index];
                let own = [a, b].map(|at| uses[at] == 1 && alike(at));
                sum(&mut sums, own, index, a, b)
            }
            _ => Terms::default(),
        };
        sums.push(sum);
    }
    sums
}

/// The sum of the nodes `a` and `b`, which is the node `end`. Takes the terms of those that are
/// its `own`, which nothing else uses.
fn sum(sums: &mut [Terms], own: [bool; 2], end: usize, a: usize, b: usize) -> Terms {
    let right_is_product = b + 1 == end && own[1] && sums[b].count == 1;
    let start = if right_is_product { b } else { end };
    let left_is_sum = a + 1 == start && own[0] && sums[a].count > 0;
    if !left_is_sum && !right_is_product {
        return Terms::default();
    }
    if right_is_product {
        sums[b] = Terms::default();
    }
    let mut terms = Terms {
        start: start as u32,
        count: 2,
    };
    if left_is_sum {
        let left = std::mem::take(&mut sums[a]);
        terms.start = left.start;
        terms.count += left.count - 1;
    }
    terms
}

impl Terms {
    /// The terms of the sum that ends at the node `end`, each as two factors. A term
    /// by itself has the factor 1.
    fn factors(self, program: GraphView<'_>, end: usize) -> Vec<(Operand, Operand)> {
        const ONE: Operand = Operand::Constant(1.0);
        let product = |at: usize| {
            let record = program.records[at];
            let second = match record.form() {
                RecordForm::Nodes => node(record.b()),
                _ => Operand::Constant(program.constants[record.b()]),
            };
            (node(record.a()), second)
        };
        let mut factors = Vec::with_capacity(self.count as usize);
        let (start, mut at) = (self.start as usize, end);
        while program.records[at].op() == Op::Add {
            let (a, b) = (program.records[at].a(), program.records[at].b());
            factors.push(if b >= start {
                product(b)
            } else {
                (node(b), ONE)
            });
            at = a;
            if a < start {
                factors.push((node(a), ONE));
                break;
            }
        }
        if at >= start {
            factors.push(product(at));
        }
        factors.reverse();
        factors
    }

    fn is_worthwhile(self, program: GraphView<'_>, end: usize) -> bool {
        if self.count < WORTHWHILE {
            return false;
        }
        let factors = self.factors(program, end);
        let operands = factors.iter().flat_map(|&(a, b)| [a, b]);
        let mut nodes: Vec<u32> = operands.filter_map(|operand| operand.node()).collect();
        nodes.sort_unstable();
        nodes.windows(2).all(|pair| pair[0] != pair[1])
    }

    /// Records the sum that ends at `end` as one node, its operands being where
    /// `moved` says.
    fn record(
        self,
        program: GraphView<'_>,
        end: usize,
        to: &mut Recording,
        moved: &[Gone],
    ) -> Operand {
        let caller = Location::caller();
        let factors = self.factors(program, end);
        let first = factors.iter().map(|&(a, _)| gone_to(a, moved));
        let second = factors.iter().map(|&(_, b)| gone_to(b, moved));
        let weights: Option<Vec<f64>> = second.clone().map(|b| b.constant()).collect();
        if let Some(weights) = weights {
            let operands: Vec<_> = first.collect();
            return to.push_operation(
                Op::LinearCombination,
                &operands,
                &[&weights, &[-0.0]],
                caller,
            );
        }
        // The first term by itself is what the others are added to: without its factor of
        // 1, all operands are nodes.
        let (first, second): (Vec<_>, Vec<_>) = first.zip(second).unzip();
        let start = usize::from(factors[0].1 == Operand::Constant(1.0));
        let operands = DotOperands::joined(&first[..start], &first[start..], &second[start..]);
        to.push_operation(Op::Dot, &operands, &[], caller)
    }
}

/// Copies the recording with each sum of some length as one node. Returns where
/// each node has gone; what is inside a sum has gone nowhere. `None` if there is no
/// such sum.
pub(crate) fn merge_sums(from: &Recording, ends: &Ends) -> Option<(Recording, Vec<Gone>)> {
    let (program, uses) = (from.program(), uses(from, ends));
    let mut sums = sums(from, ends, &uses);
    let mut inside = vec![false; from.len()];
    let mut any = false;
    for (index, sum) in sums.iter_mut().enumerate() {
        if sum.is_worthwhile(program, index) {
            inside[sum.start as usize..index].fill(true);
            any = true;
        } else {
            *sum = Terms::default();
        }
    }
    if !any {
        return None;
    }
    let mut to = Recording::with_room(inside.iter().filter(|inside| !**inside).count());
    let mut moved = vec![Gone::NOWHERE; from.len()];
    let is_input = ends.inputs_among(from.len());
    for input in inputs_by_use(program, &sums, &is_input) {
        moved[input] = copy(&mut to, from, input, true, &moved);
    }
    for (index, sum) in sums.iter().enumerate() {
        if inside[index] || is_input[index] {
            continue;
        }
        moved[index] = if sum.count > 0 {
            let node = sum.record(program, index, &mut to, &moved).into();
            carry_name(from, index, &mut to, node);
            node
        } else {
            copy(&mut to, from, index, false, &moved)
        };
    }
    Some((to, moved))
}

/// All inputs, in the order in which long sums first use them: b + w₁·x₁ + … then has a
/// range of operands, wherever b was recorded.
fn inputs_by_use(program: GraphView<'_>, sums: &[Terms], is_input: &[bool]) -> Vec<usize> {
    let mut left = is_input.to_vec();
    let count = is_input.iter().filter(|is_input| **is_input).count();
    let mut inputs = Vec::with_capacity(count);
    let is_long = |sum: &Terms| sum.count as usize >= SHORTEST_RANGE;
    for (end, sum) in sums.iter().enumerate().filter(|(_, sum)| is_long(sum)) {
        if inputs.len() == count {
            break;
        }
        let (first, second): (Vec<_>, Vec<_>) = sum.factors(program, end).into_iter().unzip();
        for id in first.iter().chain(&second).filter_map(Operand::node) {
            if std::mem::take(&mut left[id as usize]) {
                inputs.push(id as usize);
            }
        }
    }
    inputs.extend((0..left.len()).filter(|&index| left[index]));
    inputs
}

/// Copies the recording without products with 1 and quotients by 1 of what nothing
/// else uses. Returns where each node has gone, or `None` if there are none.
pub(crate) fn drop_ones(from: &Recording, ends: &Ends) -> Option<(Recording, Vec<Gone>)> {
    let program = from.program();
    let is_one = |record: &Record| match (record.op(), record.form()) {
        (Op::Mul, RecordForm::NodeConstant | RecordForm::ConstantNode)
        | (Op::Div, RecordForm::NodeConstant) => program.constants[record.b()] == 1.0,
        _ => false,
    };
    if !program.records.iter().any(is_one) {
        return None;
    }
    let (uses, is_input) = (uses(from, ends), ends.inputs_among(from.len()));
    let mut to = Recording::with_room(from.len());
    let mut moved: Vec<Gone> = Vec::with_capacity(from.len());
    for (index, record) in program.records.iter().enumerate() {
        moved.push(if is_one(record) && uses[record.a()] == 1 {
            carry_name(from, index, &mut to, moved[record.a()]);
            moved[record.a()]
        } else {
            copy(&mut to, from, index, is_input[index], &moved)
        });
    }
    Some((to, moved))
}

/// What a node is: its operation, its operands, and its own constants. Constants are
/// equal if their bits are.
type Key = (Op, SmallVec<[Result<NodeId, u64>; 4]>, SmallVec<[u64; 4]>);

/// Copies the recording with one node in place of equal ones. Inputs and what is retained
/// stay by themselves, and no second name is lost. Returns where each node has gone, or
/// `None` if all are different.
pub(crate) fn share_equal(from: &Recording, ends: &Ends) -> Option<(Recording, Vec<Gone>)> {
    let (program, is_input) = (from.program(), ends.inputs_among(from.len()));
    let mut by_itself = is_input.clone();
    for id in ends.retained.iter().filter_map(Operand::node) {
        by_itself[id as usize] = true;
    }
    let mut seen: IndexMap<Key, Gone> = IndexMap::new();
    let mut to = Recording::with_room(from.len());
    let mut moved: Vec<Gone> = Vec::with_capacity(from.len());
    for (index, &record) in program.records.iter().enumerate() {
        let mut copied = || copy(&mut to, from, index, is_input[index], &moved);
        let node = if by_itself[index] || record.op() == Op::Input {
            copied()
        } else {
            match seen.entry(key(program, record, &moved)) {
                Entry::Occupied(equal) if from.names.of(index as u32).is_none() => *equal.get(),
                Entry::Occupied(_) => copied(),
                Entry::Vacant(vacant) => *vacant.insert(copied()),
            }
        };
        moved.push(node);
    }
    (to.len() < from.len()).then_some((to, moved))
}

fn key(program: GraphView<'_>, record: Record, moved: &[Gone]) -> Key {
    let mut operands = SmallVec::new();
    program.for_each_operand(record, |operand| {
        operands.push(match gone_to(operand, moved) {
            Operand::Node(id) => Ok(id),
            Operand::Constant(value) => Err(value.to_bits()),
        });
    });
    let own = match record.op().arity() {
        None => program.own_constants(record),
        Some(_) => &[],
    };
    let own = own.iter().map(|constant| constant.to_bits()).collect();
    (record.op(), operands, own)
}
