//! What lies before or after a loop, as a recording of its own: its nodes, and as leaves
//! those that it takes from elsewhere. The sweeps go over it alone.

use crate::graph::Recording;
use crate::graph::{NodeId, Operand, Record};
use crate::ops::Op;
use crate::registers::Uses;
use crate::sweep::{forward, reverse};
use indexmap::{IndexMap, IndexSet};
use std::ops::Range;
use std::panic::Location;

/// Nodes by themselves, and what they take from elsewhere.
#[derive(Clone)]
pub(crate) struct Piece {
    recording: Recording,
    /// Which node each of its own stands for; first its leaves.
    nodes: Vec<u32>,
    leaves: usize,
}

/// Memory for the values and adjoints of a piece, whichever it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct PieceScratch {
    values: Vec<f64>,
    adjoints: Vec<f64>,
}

impl Piece {
    /// The nodes of a recording that are in these two ranges and are no leaves. `number`
    /// gives the number that a node is to have.
    pub(crate) fn new(
        from: &Recording,
        nodes: &[Range<usize>; 2],
        number: impl Fn(u32) -> u32,
    ) -> Self {
        let program = from.program();
        let operations = || {
            let all = nodes.iter().cloned().flatten();
            let records = all.map(|index| (index, program.records[index]));
            records.filter(|(_, record)| record.op() != Op::Input)
        };
        let own: IndexSet<u32> = operations().map(|(index, _)| index as u32).collect();
        let mut places: IndexMap<u32, Operand> = IndexMap::new();
        let mut recording = Recording::default();
        for (_, record) in operations() {
            program.for_each_operand(record, |operand| {
                let leaf = operand.node().filter(|id| !own.contains(id));
                if let Some(id) = leaf {
                    places.entry(id).or_insert_with(|| {
                        let at = recording.push_slowly(Record::INPUT, 0.0, Location::caller());
                        Operand::Node(NodeId(at.expect("fewer than there were") as u32))
                    });
                }
            });
        }
        let leaves = places.len();
        for (index, record) in operations() {
            let mut operands = Vec::new();
            program.for_each_operand(record, |operand| {
                operands.push(match operand {
                    Operand::Node(id) => places[&id.0],
                    constant @ Operand::Constant(_) => constant,
                });
            });
            let own = match record.op().arity() {
                None => program.own_constants(record),
                Some(_) => &[],
            };
            let node = recording.push_operation(record.op(), &operands, &[own], Location::caller());
            places.insert(index as u32, node);
        }
        Self {
            recording,
            nodes: places.into_keys().map(number).collect(),
            leaves,
        }
    }

    /// Bytes of its recording.
    pub(crate) fn bytes(&self) -> usize {
        self.recording.bytes() + size_of_val(&self.nodes[..])
    }

    /// Whether no leaf's adjoint is made of the value of one of them, read off the table.
    pub(crate) fn is_linear(&self, output: u32, of: u32) -> bool {
        let place = |node| self.nodes.iter().position(|&own| own == node);
        let (Some(output), Some(of)) = (place(output), place(of)) else {
            return true; // the output is the sum itself
        };
        let mut values = vec![Uses::from(0.0); self.nodes.len()];
        let mut adjoints = values.clone();
        values[of] = Uses::FIRST;
        forward(self.recording.program(), &mut values);
        adjoints[output] = Uses::from(1.0);
        reverse(self.recording.program(), &values, &mut adjoints);
        let mut leaves = adjoints[..self.leaves].iter();
        leaves.all(|adjoint| !adjoint.operand(0))
    }

    /// Evaluates the nodes among the `values` of all.
    pub(crate) fn forward(&self, values: &mut [f64], scratch: &mut PieceScratch) {
        let own = &mut scratch.values;
        self.load(values, own);
        forward(self.recording.program(), own);
        for (&node, &value) in self.nodes.iter().zip(&*own).skip(self.leaves) {
            values[node as usize] = value;
        }
    }

    /// Sweeps back from the nodes, whose adjoints are among those of all.
    pub(crate) fn reverse(&self, values: &[f64], adjoints: &mut [f64], scratch: &mut PieceScratch) {
        let own = &mut scratch.adjoints;
        self.load(values, &mut scratch.values);
        self.load(adjoints, own);
        reverse(self.recording.program(), &scratch.values, own);
        for (&node, &adjoint) in self.nodes.iter().zip(&*own).take(self.leaves) {
            adjoints[node as usize] = adjoint;
        }
    }

    fn load(&self, all: &[f64], own: &mut Vec<f64>) {
        own.clear();
        own.extend(self.nodes.iter().map(|&node| all[node as usize]));
    }
}
