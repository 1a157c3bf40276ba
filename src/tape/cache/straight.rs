//! `StraightLine`: the adjoint program of a small recording, one instruction after another without
//! a loop. Values stay where they are recorded, and the room behind them holds the adjoints.

use super::{MOST_NODES, uses};
use crate::graph::{GraphView, NodeId, Place, Record};
use crate::ops::ABSENT;
use crate::registers::{Assembler, FEW, Operation, of};

#[derive(Clone)]
pub(super) struct StraightLine {
    assembler: Assembler<u8, FEW>,
    /// Constants of the tape that the instructions read, and their registers.
    constants: Vec<(u32, u8)>,
    /// The register of each node's adjoint.
    adjoints: Vec<u8>,
    /// Nodes that no adjoint reaches.
    unreached: Vec<u8>,
}

impl StraightLine {
    /// With all the memory that it will take.
    pub(super) fn with_room() -> Self {
        Self {
            assembler: Assembler::with_room(MOST_NODES),
            constants: Vec::with_capacity(MOST_NODES),
            adjoints: Vec::with_capacity(MOST_NODES),
            unreached: Vec::with_capacity(MOST_NODES),
        }
    }

    /// Assembles the adjoint program. `None` if it takes too many registers, or if an operation
    /// is n-ary.
    #[cold]
    #[inline(never)]
    pub(super) fn assemble(&mut self, records: &[Record], output: u32) -> Option<()> {
        let nodes = records.len();
        self.constants.clear();
        self.adjoints.clear();
        self.unreached.clear();
        // The registers of nodes after the output are taken, too: their values must survive.
        self.assembler.start(nodes, nodes);
        self.assembler.branches = records.iter().any(|record| record.op().is_branch());
        self.assembler.receive_known(NodeId(output), 1.0)?;
        for index in (0..=output as usize).rev() {
            match self.assembler.adjoints[index] {
                Some(adjoint) => {
                    self.contribute(records[index], index, adjoint)?;
                    self.adjoints.push(adjoint);
                }
                None => {
                    self.unreached.push(index as u8);
                    self.adjoints.push(0);
                }
            }
        }
        self.adjoints.reverse();
        Some(())
    }

    /// Makes the adjoint instructions of a node.
    fn contribute(&mut self, record: Record, index: usize, adjoint: u8) -> Option<()> {
        let (op, uses) = (record.op(), uses(record));
        op.arity()?;
        let (mut nodes, mut registers) = ([None; 2], [0; 2]);
        for (operand, place) in record.places().into_iter().enumerate() {
            (nodes[operand], registers[operand]) = match place {
                None => continue,
                Some(Place::Node(at)) => (Some(at as u32), at as u8),
                Some(Place::Constant(at)) => (None, self.constant(at, uses.operands[operand])?),
            };
        }
        let operation = Operation {
            op,
            shifted: 0,
            a: registers[0],
            b: registers[1],
            y: index as u8,
            adjoint,
        };
        self.assembler.send_back(&operation, nodes)
    }

    /// The register of a constant operand; any register if the constant is not read.
    fn constant(&mut self, at: usize, is_read: bool) -> Option<u8> {
        if !is_read {
            return Some(0);
        }
        let register = self.assembler.register()?;
        self.constants.push((at as u32, register));
        Some(register)
    }

    /// Runs the adjoint program, and writes all adjoints.
    #[inline(always)]
    pub(super) fn sweep(
        &self,
        program: GraphView<'_>,
        registers: &mut [f64; FEW],
        adjoints: &mut Vec<f64>,
    ) {
        let assembler = &self.assembler;
        for &(from, to) in &self.constants {
            registers[usize::from(to)] = program.constants[from as usize];
        }
        for (place, &constant) in assembler.constants.iter().enumerate() {
            registers[FEW - 1 - place] = constant;
        }
        assembler.act_all(registers);
        let zero = assembler.zero();
        adjoints.clear();
        adjoints.extend(self.adjoints.iter().map(|&at| of(registers, at) + zero));
        for &node in &self.unreached {
            adjoints[usize::from(node)] = ABSENT;
        }
    }

    #[cfg(test)]
    pub(super) fn is_assembled(&self) -> bool {
        !self.adjoints.is_empty()
    }
}
