//! The pullbacks of a lap: of some turns of a loop together.
//!
//! What they read is copied to registers before each lap, what they send is copied from there
//! after it. Shares add up in the order of a sweep, because all that a lap adds to is in
//! registers with what was added before.

use super::outside::{Moving, Outside, Taken};
use super::runs::{Run, collect, copy, push, read, write};
use super::turns::Turns;
use super::uses;
use crate::graph::{Graph, NodeId, Record};
use crate::ops::{ABSENT, is_absent};
use crate::registers::{Assembler, FEW, Operation};
use std::hint::black_box;

#[derive(Clone)]
pub(super) struct Lap {
    pub(super) outside: Outside,
    /// Nodes of the lap that operations after the loop take.
    pub(super) taken: Vec<u16>,
    assembler: Assembler<u8, FEW>,
    registers: [f64; FEW],
    /// Which nodes outside are of the lap before and sent nothing.
    unsent: Vec<bool>,
    /// The register of the value of each node outside, if it is read.
    values: Vec<Option<u8>>,
    /// Values of the lap that are read, and their registers.
    own: Vec<(u16, u8)>,
    /// Values of nodes outside that are the same in all laps, and of others.
    once: Vec<Run>,
    each: Vec<Run>,
    /// Adjoints of nodes that are the same in all laps: read before them, written after them.
    sums: Vec<Run>,
    /// Adjoints that have received shares when the turn of a lap comes.
    receives: Vec<Run>,
    /// Adjoints of nodes outside to which a lap sends.
    sends: Vec<Run>,
    /// In which registers the adjoints of a lap are.
    adjoints: Vec<u8>,
    /// Nodes of a lap that no adjoint reaches.
    unreached: Vec<u16>,
}

impl Lap {
    /// With all the memory that it will take if it has so many nodes.
    pub(super) fn with_room(nodes: usize) -> Self {
        Self {
            outside: Outside::with_room(),
            taken: Vec::with_capacity(nodes),
            assembler: Assembler::with_room(nodes + FEW),
            registers: [0.0; FEW],
            unsent: Vec::with_capacity(FEW),
            values: Vec::with_capacity(FEW),
            own: Vec::with_capacity(FEW),
            once: Vec::with_capacity(FEW),
            each: Vec::with_capacity(FEW),
            sums: Vec::with_capacity(FEW),
            receives: Vec::with_capacity(FEW),
            sends: Vec::with_capacity(FEW),
            adjoints: Vec::with_capacity(nodes),
            unreached: Vec::with_capacity(nodes),
        }
    }

    pub(super) fn room(&self) -> usize {
        self.adjoints.capacity()
    }

    /// Makes the pullbacks for what was noted outside, given the adjoints of all laps and of the
    /// turns after them; nothing, if they do not fit, or do not reach the same nodes.
    pub(super) fn make(&mut self, records: &[Record], adjoints: &[f64]) -> Option<()> {
        let branches = records.iter().any(|record| record.op().is_branch());
        self.unsent.clear();
        for &to in &self.outside.nodes {
            let is_unsent = self
                .outside
                .received_by(to)
                .is_some_and(|node| is_absent(adjoints[node]));
            self.unsent.push(is_unsent && !branches);
        }
        self.assemble(records, branches)?;
        while self.finds_unsent()? {
            self.assemble(records, branches)?;
        }
        self.is_reached(adjoints).then_some(())
    }

    /// Whether something is sent nothing that the lap before would receive. Then it must be
    /// assembled again without that; nothing, if adjoints may be absent that are expected.
    fn finds_unsent(&mut self) -> Option<bool> {
        let mut found = false;
        for (number, &to) in self.outside.nodes.iter().enumerate() {
            let is_sent = self.assembler.adjoints[number].is_some();
            if self.outside.received_by(to).is_some() && !is_sent && !self.unsent[number] {
                self.unsent[number] = true;
                found = true;
            }
        }
        (!found || !self.assembler.branches).then_some(found)
    }

    /// Whether each lap reaches the same nodes as the pullbacks do, and of the turns after them
    /// none sends what no lap would. What branches reach depends on the point, and so they tell
    /// absent adjoints from zeros.
    fn is_reached(&self, adjoints: &[f64]) -> bool {
        let Turns { period, count, .. } = self.outside.laps;
        let own = &self.assembler.adjoints[self.outside.nodes.len()..];
        let (laps, after) = adjoints.split_at(count * period);
        let is_same = |(&adjoint, own): (&f64, &Option<u8>)| own.is_some() != is_absent(adjoint);
        let mut laps = laps.iter().zip(own.iter().cycle());
        let mut after = after.iter().zip(own.iter().cycle());
        self.assembler.branches
            || laps.all(is_same) && after.all(|(&adjoint, own)| own.is_some() || is_absent(adjoint))
    }

    fn assemble(&mut self, records: &[Record], branches: bool) -> Option<()> {
        let outside = self.outside.nodes.len();
        let Turns { period, .. } = self.outside.laps;
        for list in [&mut self.once, &mut self.each, &mut self.sums] {
            list.clear();
        }
        self.receives.clear();
        self.sends.clear();
        self.own.clear();
        self.adjoints.clear();
        self.unreached.clear();
        // The nodes outside are numbered before those of the lap.
        let constants = self.outside.constants.len();
        u8::try_from(constants).ok()?;
        self.assembler.start(outside + period, constants);
        self.assembler.branches = branches;
        self.read_values(records)?;
        self.receive()?;
        for node in (0..period).rev() {
            match self.assembler.adjoints[outside + node] {
                Some(adjoint) => {
                    self.send_back(records, node, adjoint)?;
                    self.adjoints.push(adjoint);
                }
                None => {
                    self.unreached.push(node as u16);
                    self.adjoints.push(0);
                }
            }
        }
        self.adjoints.reverse();
        self.send();
        // Where a lap begins no adjoint is known, so there are no constants to put into registers.
        Some(())
    }

    /// Gives registers to the values of nodes outside that pullbacks read.
    fn read_values(&mut self, records: &[Record]) -> Option<()> {
        self.values.clear();
        self.values.resize(self.outside.nodes.len(), None);
        let Turns { first, period, .. } = self.outside.laps;
        for node in 0..period {
            let record = records[first + node];
            let uses = uses(record);
            for operand in 0..record.op().arity()? {
                if uses.operands[operand]
                    && let Taken::Outside(number) = self.outside.taken(records, node, operand)
                {
                    self.values[number] = Some(0);
                }
            }
        }
        for (value, &from) in self.values.iter_mut().zip(&self.outside.nodes) {
            if value.is_some() {
                let register = self.assembler.register()?;
                *value = Some(register);
                let runs = if from.step == 0 {
                    &mut self.once
                } else {
                    &mut self.each
                };
                push(runs, from, register);
            }
        }
        Some(())
    }

    /// Gives registers to the adjoints that have received shares before the turn of a lap.
    fn receive(&mut self) -> Option<()> {
        for number in 0..self.outside.nodes.len() {
            let from = self.outside.nodes[number];
            let Some(node) = self.outside.received_by(from) else {
                self.assembler.receive_before(NodeId(number as u32))?;
                continue;
            };
            if !self.unsent[number] {
                // What is sent to the lap before, that lap receives.
                self.receive_own(node)?;
                if self.taken.contains(&(node as u16)) {
                    let register = self.assembler.receive_before(NodeId(number as u32))?;
                    push(&mut self.receives, from, register);
                }
            }
        }
        (0..self.taken.len()).try_for_each(|i| self.receive_own(self.taken[i].into()))
    }

    /// The same for one node of the lap.
    fn receive_own(&mut self, node: usize) -> Option<()> {
        let Turns { first, period, .. } = self.outside.laps;
        let id = self.outside.nodes.len() + node;
        if self.assembler.adjoints[id].is_none() {
            let register = self.assembler.receive_before(NodeId(id as u32))?;
            let (step, at) = (period as u32, (first + node) as u32);
            push(&mut self.receives, Moving { step, at }, register);
        }
        Some(())
    }

    fn send_back(&mut self, records: &[Record], node: usize, adjoint: u8) -> Option<()> {
        let record = records[self.outside.laps.first + node];
        let (op, uses) = (record.op(), uses(record));
        let (mut nodes, mut registers) = ([None; 2], [0; 2]);
        for operand in 0..op.arity()? {
            let is_read = uses.operands[operand];
            (nodes[operand], registers[operand]) = match self.outside.taken(records, node, operand)
            {
                Taken::Constant(place) => (None, place as u8),
                Taken::Own(node) => {
                    let id = self.outside.nodes.len() + node;
                    (Some(id as u32), self.own(node, is_read)?)
                }
                Taken::Outside(number) => (Some(number as u32), self.values[number].unwrap_or(0)),
            };
        }
        let operation = Operation {
            op,
            shifted: 0,
            a: registers[0],
            b: registers[1],
            y: self.own(node, uses.result)?,
            adjoint,
        };
        self.assembler.send_back(&operation, nodes)
    }

    /// The register of the value of a node of the lap; any, if it is not read. It is written
    /// before all instructions, and so must be none that an instruction before this one writes:
    /// there is none, because no register is released here.
    fn own(&mut self, node: usize, is_read: bool) -> Option<u8> {
        if !is_read {
            return Some(0);
        }
        let known = self
            .own
            .iter()
            .find(|(known, _)| usize::from(*known) == node);
        if let Some(&(_, register)) = known {
            return Some(register);
        }
        let register = self.assembler.register()?;
        self.own.push((node as u16, register));
        Some(register)
    }

    /// Notes where the adjoints go that were sent out of the lap. Those of nodes before the loop
    /// are those of what was sent before, if something was.
    fn send(&mut self) {
        let instructions = &self.assembler.instructions;
        for (number, &to) in self.outside.nodes.iter().enumerate() {
            let Some(register) = self.assembler.adjoints[number] else {
                continue;
            };
            if self.outside.received_by(to).is_some() {
                push(&mut self.sends, to, register);
            } else if instructions.iter().any(|this| this.sends_to(register)) {
                if to.step == 0 {
                    push(&mut self.sums, to, register);
                } else {
                    push(&mut self.receives, to, register);
                    push(&mut self.sends, to, register);
                }
            }
        }
    }

    /// Goes back through all laps.
    pub(super) fn pull_back(&mut self, program: Graph<'_>, values: &[f64], adjoints: &mut [f64]) {
        let Turns {
            first,
            period,
            count,
        } = self.outside.laps;
        let (constants, registers) = (self.outside.constants.clone(), &mut self.registers);
        let zero = self.assembler.zero();
        // Changes no number, but the compiler must not know it: it would call the system to copy,
        // which is slow for few, and copies from the beginning.
        let nothing = black_box(ABSENT);
        read(&self.once, values, 0, registers, nothing);
        read(&self.sums, adjoints, 0, registers, nothing);
        for lap in (0..count).rev() {
            let start = first + lap * period;
            let own = &values[start..][..period];
            for &(node, register) in &self.own {
                registers[usize::from(register)] = own[usize::from(node)];
            }
            let constant = constants.start + lap * constants.len();
            let lap_constants = &program.constants[constant..][..constants.len()];
            copy(&mut registers[..constants.len()], lap_constants, nothing);
            read(&self.each, values, lap, registers, nothing);
            read(&self.receives, adjoints, lap, registers, nothing);
            self.assembler.act_all(registers);
            write(&self.sends, registers, lap, adjoints, zero);
            let own = &mut adjoints[start..][..period];
            collect(own, &self.adjoints, registers, zero);
            for &node in &self.unreached {
                own[usize::from(node)] = ABSENT;
            }
        }
        write(&self.sums, registers, 0, adjoints, zero);
    }
}
