//! `Strip`: the adjoint program of some iterations of a loop, unrolled together.
//!
//! Before each strip the numbers that its instructions read are copied to registers, after it
//! the adjoints are copied back. Contributions accumulate in the order of a node-by-node sweep:
//! a register starts with the contributions that its adjoint has received before.

use super::copies::{CopyRun, copy, gather, push, read, write};
use super::iterations::Iterations;
use super::live_in::{Affine, LiveIns, StripOperand};
use super::uses;
use crate::graph::{GraphView, NodeId, Record};
use crate::ops::{ABSENT, is_absent};
use crate::registers::{Assembler, FEW, Operation};
use std::hint::black_box;

#[derive(Clone)]
pub(super) struct Strip {
    pub(super) live_ins: LiveIns,
    /// Nodes of the strip that operations after the loop read, by their offset.
    pub(super) live_outs: Vec<u16>,
    assembler: Assembler<u8, FEW>,
    registers: [f64; FEW],
    /// For each live-in, whether it is a node of the strip before to which nothing contributes.
    unreached_live_ins: Vec<bool>,
    /// For each live-in, the register of its value, if an instruction reads that.
    live_in_values: Vec<Option<u8>>,
    /// Nodes of the strip whose values instructions read, and their registers.
    own_values: Vec<(u16, u8)>,
    /// Values of uniform live-ins, copied once, and of the others, copied for each strip.
    uniform: Vec<CopyRun>,
    varying: Vec<CopyRun>,
    /// Adjoints of uniform live-ins: read before all strips, written after them.
    uniform_adjoints: Vec<CopyRun>,
    /// Adjoints that have received contributions before the reverse sweep comes to a strip.
    incoming: Vec<CopyRun>,
    /// Adjoints of live-ins to which a strip contributes.
    outgoing: Vec<CopyRun>,
    /// The register of the adjoint of each node of the strip.
    adjoints: Vec<u8>,
    /// Nodes of the strip that no adjoint reaches.
    unreached: Vec<u16>,
}

impl Strip {
    /// With all the memory that a strip of so many nodes will take.
    pub(super) fn with_room(nodes: usize) -> Self {
        Self {
            live_ins: LiveIns::with_room(),
            live_outs: Vec::with_capacity(nodes),
            assembler: Assembler::with_room(nodes + FEW),
            registers: [0.0; FEW],
            unreached_live_ins: Vec::with_capacity(FEW),
            live_in_values: Vec::with_capacity(FEW),
            own_values: Vec::with_capacity(FEW),
            uniform: Vec::with_capacity(FEW),
            varying: Vec::with_capacity(FEW),
            uniform_adjoints: Vec::with_capacity(FEW),
            incoming: Vec::with_capacity(FEW),
            outgoing: Vec::with_capacity(FEW),
            adjoints: Vec::with_capacity(nodes),
            unreached: Vec::with_capacity(nodes),
        }
    }

    pub(super) fn room(&self) -> usize {
        self.adjoints.capacity()
    }

    /// Assembles the adjoint program for the live-ins found, given the adjoints of all strips and
    /// of the iterations after them. `None` if it does not fit into the registers, or if not all
    /// strips reach the same nodes.
    pub(super) fn assemble(&mut self, records: &[Record], adjoints: &[f64]) -> Option<()> {
        let branches = records.iter().any(|record| record.op().is_branch());
        self.unreached_live_ins.clear();
        for &place in &self.live_ins.nodes {
            let is_unreached = self
                .live_ins
                .carried(place)
                .is_some_and(|node| is_absent(adjoints[node]));
            self.unreached_live_ins.push(is_unreached && !branches);
        }
        self.assemble_once(records, branches)?;
        while self.finds_unreached()? {
            self.assemble_once(records, branches)?;
        }
        self.reaches_the_same(adjoints).then_some(())
    }

    /// Marks carried live-ins to which nothing contributes, though the strip before expects it.
    /// If there are any, the program must be assembled again. `None` if adjoints may be absent
    /// that are expected.
    fn finds_unreached(&mut self) -> Option<bool> {
        let mut found = false;
        for (index, &place) in self.live_ins.nodes.iter().enumerate() {
            let is_reached = self.assembler.adjoints[index].is_some();
            let is_carried = self.live_ins.carried(place).is_some();
            if is_carried && !is_reached && !self.unreached_live_ins[index] {
                self.unreached_live_ins[index] = true;
                found = true;
            }
        }
        (!found || !self.assembler.branches).then_some(found)
    }

    /// Whether each strip reaches the nodes that the program reaches, and the iterations after
    /// the strips reach no others. With branches the nodes reached depend on the point, and the
    /// program itself tells absent adjoints from zeros.
    fn reaches_the_same(&self, adjoints: &[f64]) -> bool {
        let Iterations { period, count, .. } = self.live_ins.strips;
        let own = &self.assembler.adjoints[self.live_ins.nodes.len()..];
        let (strips, after) = adjoints.split_at(count * period);
        let is_same = |(&adjoint, own): (&f64, &Option<u8>)| own.is_some() != is_absent(adjoint);
        let mut strips = strips.iter().zip(own.iter().cycle());
        let mut after = after.iter().zip(own.iter().cycle());
        self.assembler.branches
            || strips.all(is_same)
                && after.all(|(&adjoint, own)| own.is_some() || is_absent(adjoint))
    }

    fn assemble_once(&mut self, records: &[Record], branches: bool) -> Option<()> {
        let live_ins = self.live_ins.nodes.len();
        let Iterations { period, .. } = self.live_ins.strips;
        self.clear();
        // To the assembler the live-ins are the first nodes, and those of the strip follow.
        let constants = self.live_ins.constants.len();
        u8::try_from(constants).ok()?;
        self.assembler.start(live_ins + period, constants);
        self.assembler.branches = branches;
        self.assign_live_in_values(records)?;
        self.assign_incoming()?;
        for node in (0..period).rev() {
            match self.assembler.adjoints[live_ins + node] {
                Some(adjoint) => {
                    self.contribute(records, node, adjoint)?;
                    self.adjoints.push(adjoint);
                }
                None => {
                    self.unreached.push(node as u16);
                    self.adjoints.push(0);
                }
            }
        }
        self.adjoints.reverse();
        self.collect_outgoing();
        // No adjoint is known when a strip begins, so the assembler has made no constants.
        Some(())
    }

    fn clear(&mut self) {
        for runs in [
            &mut self.uniform,
            &mut self.varying,
            &mut self.uniform_adjoints,
            &mut self.incoming,
            &mut self.outgoing,
        ] {
            runs.clear();
        }
        self.own_values.clear();
        self.adjoints.clear();
        self.unreached.clear();
    }

    /// Assigns registers to the values of live-ins that instructions read.
    fn assign_live_in_values(&mut self, records: &[Record]) -> Option<()> {
        self.live_in_values.clear();
        self.live_in_values.resize(self.live_ins.nodes.len(), None);
        let Iterations { first, period, .. } = self.live_ins.strips;
        for node in 0..period {
            let record = records[first + node];
            let uses = uses(record);
            for operand in 0..record.op().arity()? {
                if uses.operands[operand]
                    && let StripOperand::LiveIn(index) =
                        self.live_ins.operand(records, node, operand)
                {
                    self.live_in_values[index] = Some(0);
                }
            }
        }
        for (value, &place) in self.live_in_values.iter_mut().zip(&self.live_ins.nodes) {
            if value.is_some() {
                let register = self.assembler.register()?;
                *value = Some(register);
                let runs = if place.stride == 0 {
                    &mut self.uniform
                } else {
                    &mut self.varying
                };
                push(runs, place, register);
            }
        }
        Some(())
    }

    /// Assigns registers to adjoints that have received contributions before the strip.
    fn assign_incoming(&mut self) -> Option<()> {
        for index in 0..self.live_ins.nodes.len() {
            let place = self.live_ins.nodes[index];
            let Some(node) = self.live_ins.carried(place) else {
                self.assembler.incoming(NodeId(index as u32))?;
                continue;
            };
            if !self.unreached_live_ins[index] {
                // What this strip contributes to the strip before is incoming there.
                self.assign_own_incoming(node)?;
                if self.live_outs.contains(&(node as u16)) {
                    let register = self.assembler.incoming(NodeId(index as u32))?;
                    push(&mut self.incoming, place, register);
                }
            }
        }
        (0..self.live_outs.len())
            .try_for_each(|i| self.assign_own_incoming(self.live_outs[i].into()))
    }

    /// The same for one node of the strip.
    fn assign_own_incoming(&mut self, node: usize) -> Option<()> {
        let Iterations { first, period, .. } = self.live_ins.strips;
        let id = self.live_ins.nodes.len() + node;
        if self.assembler.adjoints[id].is_none() {
            let register = self.assembler.incoming(NodeId(id as u32))?;
            let (stride, base) = (period as u32, (first + node) as u32);
            push(&mut self.incoming, Affine { stride, base }, register);
        }
        Some(())
    }

    /// Makes the adjoint instructions of a node of the strip.
    fn contribute(&mut self, records: &[Record], node: usize, adjoint: u8) -> Option<()> {
        let record = records[self.live_ins.strips.first + node];
        let (op, uses) = (record.op(), uses(record));
        let (mut nodes, mut registers) = ([None; 2], [0; 2]);
        for operand in 0..op.arity()? {
            let is_read = uses.operands[operand];
            let of = self.live_ins.operand(records, node, operand);
            (nodes[operand], registers[operand]) = match of {
                StripOperand::Constant(offset) => (None, offset as u8),
                StripOperand::Own(node) => {
                    let id = self.live_ins.nodes.len() + node;
                    (Some(id as u32), self.own_value(node, is_read)?)
                }
                StripOperand::LiveIn(index) => {
                    (Some(index as u32), self.live_in_values[index].unwrap_or(0))
                }
            };
        }
        let operation = Operation {
            op,
            shifted: 0,
            a: registers[0],
            b: registers[1],
            y: self.own_value(node, uses.result)?,
            adjoint,
        };
        self.assembler.send_back(&operation, nodes)
    }

    /// The register of the value of a node of the strip; any register if the value is not read.
    /// Values are copied before the first instruction, so no earlier instruction may write the
    /// register. None does, because strips release no registers.
    fn own_value(&mut self, node: usize, is_read: bool) -> Option<u8> {
        if !is_read {
            return Some(0);
        }
        let known = self
            .own_values
            .iter()
            .find(|(known, _)| usize::from(*known) == node);
        if let Some(&(_, register)) = known {
            return Some(register);
        }
        let register = self.assembler.register()?;
        self.own_values.push((node as u16, register));
        Some(register)
    }

    /// Lists the adjoints of live-ins to which the strip contributes. A live-in from before the
    /// loop has an incoming adjoint, too.
    fn collect_outgoing(&mut self) {
        let instructions = &self.assembler.instructions;
        for (index, &place) in self.live_ins.nodes.iter().enumerate() {
            let Some(register) = self.assembler.adjoints[index] else {
                continue;
            };
            if self.live_ins.carried(place).is_some() {
                push(&mut self.outgoing, place, register);
            } else if instructions
                .iter()
                .any(|this| this.contributes_to(register))
            {
                if place.stride == 0 {
                    push(&mut self.uniform_adjoints, place, register);
                } else {
                    push(&mut self.incoming, place, register);
                    push(&mut self.outgoing, place, register);
                }
            }
        }
    }

    /// The reverse sweep over all strips.
    pub(super) fn sweep(&mut self, program: GraphView<'_>, values: &[f64], adjoints: &mut [f64]) {
        let Iterations {
            first,
            period,
            count,
        } = self.live_ins.strips;
        let (constants, registers) = (self.live_ins.constants.clone(), &mut self.registers);
        let zero = self.assembler.zero();
        // Adding −0 changes no number. The compiler must not know it: it would make the copy a
        // call of `memmove`, which is slow for few numbers and runs from the beginning.
        let nothing = black_box(ABSENT);
        read(&self.uniform, values, 0, registers, nothing);
        read(&self.uniform_adjoints, adjoints, 0, registers, nothing);
        for strip in (0..count).rev() {
            let start = first + strip * period;
            let own = &values[start..][..period];
            for &(node, register) in &self.own_values {
                registers[usize::from(register)] = own[usize::from(node)];
            }
            let constant = constants.start + strip * constants.len();
            let strip_constants = &program.constants[constant..][..constants.len()];
            copy(&mut registers[..constants.len()], strip_constants, nothing);
            read(&self.varying, values, strip, registers, nothing);
            read(&self.incoming, adjoints, strip, registers, nothing);
            self.assembler.act_all(registers);
            write(&self.outgoing, registers, strip, adjoints, zero);
            let own = &mut adjoints[start..][..period];
            gather(own, &self.adjoints, registers, zero);
            for &node in &self.unreached {
                own[usize::from(node)] = ABSENT;
            }
        }
        write(&self.uniform_adjoints, registers, 0, adjoints, zero);
    }
}
