//! `Repeated`: how a tape is swept on which the same operations are recorded again and again.
//!
//! A program that records a small graph for each row of data, or in each step of an
//! optimisation, mostly records the same operations with other numbers. When they have been
//! the same often enough, their pullbacks are made once, as for a `Function`, and a sweep goes
//! through these, as long as the recording sees that nothing differs. The values stay where
//! they are recorded, and the room behind them serves for adjoints. The bits are those of
//! `reverse`.

use crate::ops::ABSENT;
use crate::program::{Form, NodeId, Program, Record};
use crate::recording::Recording;
use crate::registers::{Assembler, FEW, Instruction, Sender, Uses, of};

/// Larger graphs are swept as they are: two registers a node is what most need.
pub(crate) const MOST_NODES: usize = FEW / 2;

/// So often the same must have been swept before its pullbacks are made, which takes as long
/// as they save in as many sweeps.
const OFTEN: u32 = 16;

/// Where operations are others than before, more and more sweeps pass before they are looked
/// at again, but no more than these; so little time is lost where no two are the same.
const LONGEST_PAUSE: u32 = 1 << 10;

#[derive(Clone)]
pub(crate) struct Repeated {
    /// How many nodes the tape had when it was last looked at, if pullbacks may be made of
    /// them, and from which it was swept.
    len: Option<usize>,
    output: u32,
    /// How often they have been swept from there.
    sweeps: u32,
    /// How many sweeps pass before the next one is looked at.
    waiting: u32,
    pause: u32,
    assembler: Assembler<u8, FEW>,
    /// The constants of the tape that pullbacks read, and in which registers.
    constants: Vec<(u32, u8)>,
    /// In which registers the adjoints are.
    adjoints: Vec<u8>,
    /// Nodes that no adjoint reaches.
    unreached: Vec<u8>,
}

impl Repeated {
    /// With all the memory that it will take.
    pub(crate) fn new() -> Self {
        Self {
            len: None,
            output: 0,
            sweeps: 0,
            waiting: 0,
            pause: 0,
            assembler: Assembler::with_room(MOST_NODES),
            constants: Vec::with_capacity(MOST_NODES),
            adjoints: Vec::with_capacity(MOST_NODES),
            unreached: Vec::with_capacity(MOST_NODES),
        }
    }

    /// The adjoints of all nodes up to `output`, if pullbacks of the same operations have been
    /// made.
    pub(crate) fn sweep(
        &mut self,
        recording: &mut Recording,
        output: u32,
        adjoints: &mut Vec<f64>,
    ) -> Option<()> {
        if self.waiting > 0 {
            self.waiting -= 1;
            return None;
        }
        let differs = recording.differs;
        let (program, registers) = recording.program_and_registers()?;
        let len = Some(program.records.len());
        if differs || len != self.len || output != self.output {
            self.turn_to(len, output);
            recording.differs = false;
            return None;
        }
        self.sweeps = self.sweeps.saturating_add(1);
        if self.sweeps <= OFTEN {
            if self.sweeps == OFTEN && self.make(program.records).is_none() {
                self.turn_to(None, 0); // nor will it be made the next time
            }
            return None;
        }
        self.pull_back(program, registers, adjoints);
        Some(())
    }

    /// Looks at other operations, the first time at once.
    #[cold]
    #[inline(never)]
    fn turn_to(&mut self, len: Option<usize>, output: u32) {
        if self.sweeps > LONGEST_PAUSE {
            self.pause = 0;
        }
        self.waiting = self.pause;
        self.pause = (2 * self.pause + 1).min(LONGEST_PAUSE);
        self.sweeps = 0;
        self.output = output;
        self.len = len.filter(|&len| len <= MOST_NODES);
    }

    /// Makes the pullbacks; nothing, if they take too many registers or one of the operations
    /// takes any number of operands.
    #[cold]
    #[inline(never)]
    fn make(&mut self, records: &[Record]) -> Option<()> {
        let nodes = records.len();
        self.constants.clear();
        self.adjoints.clear();
        self.unreached.clear();
        // Also what was recorded after the output keeps its value.
        self.assembler.start(nodes, nodes);
        self.assembler.branches = records.iter().any(|record| record.op().is_branch());
        self.assembler.receive_known(NodeId(self.output), 1.0)?;
        for index in (0..=self.output as usize).rev() {
            match self.assembler.adjoints[index] {
                Some(adjoint) => {
                    self.send_back(records[index], index, adjoint)?;
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

    fn send_back(&mut self, record: Record, index: usize, adjoint: u8) -> Option<()> {
        let (op, first) = (record.op(), record.a() as u32);
        let (nodes, [a, b]) = match (op.arity()?, record.form()) {
            (0, _) => return Some(()),
            (1, _) => ([Some(first), None], [first as u8; 2]),
            (_, Form::NodeConstant) => {
                let constant = self.constant(record, Uses::of_two(op)[0].operand(1))?;
                ([Some(first), None], [first as u8, constant])
            }
            (_, Form::ConstantNode) => {
                let constant = self.constant(record, Uses::of_two(op)[1].operand(0))?;
                ([None, Some(first)], [constant, first as u8])
            }
            _ => {
                let second = record.b() as u32;
                ([Some(first), Some(second)], [first as u8, second as u8])
            }
        };
        let y = index as u8;
        let sender = Sender {
            op,
            shifted: 0,
            a,
            b,
            y,
            adjoint,
        };
        self.assembler.send_back(&sender, nodes)
    }

    /// The register of a constant operand; any, if it is not read.
    fn constant(&mut self, record: Record, is_read: bool) -> Option<u8> {
        if !is_read {
            return Some(0);
        }
        let register = self.assembler.register()?;
        self.constants.push((record.b() as u32, register));
        Some(register)
    }

    #[inline(always)]
    fn pull_back(&self, program: Program<'_>, registers: &mut [f64; FEW], adjoints: &mut Vec<f64>) {
        let assembler = &self.assembler;
        for &(from, to) in &self.constants {
            registers[usize::from(to)] = program.constants[from as usize];
        }
        for (place, &constant) in assembler.constants.iter().enumerate() {
            registers[FEW - 1 - place] = constant;
        }
        Instruction::act_all(&assembler.instructions, registers);
        // Where nobody asks which adjoints are absent, computed zeros may still be −0.
        let zero = if assembler.branches { ABSENT } else { 0.0 };
        adjoints.clear();
        adjoints.extend(self.adjoints.iter().map(|&at| of(registers, at) + zero));
        for &node in &self.unreached {
            adjoints[usize::from(node)] = ABSENT;
        }
    }
}

#[cfg(test)]
impl Repeated {
    /// How often in a row the same was swept, after the first time.
    pub(crate) fn sweeps(&self) -> u32 {
        self.sweeps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::Op;

    /// Records a chain of so many products and a sine, and sweeps it.
    fn is_swept(repeated: &mut Repeated, recording: &mut Recording, products: u64) -> bool {
        recording.clear();
        recording.put(Record::INPUT, 0.5);
        for x in 0..products {
            recording.put(Record::new(Op::Mul, Form::Nodes, x, x), 0.25);
        }
        let sine = Record::new(Op::Sin, Form::Nodes, products, 0);
        recording.put(sine, 0.125);
        let (last, mut adjoints) = (recording.len() - 1, Vec::new());
        let swept = repeated.sweep(recording, last as u32, &mut adjoints);
        swept.is_some()
    }

    fn new() -> (Repeated, Recording) {
        (Repeated::new(), Recording::with_room(FEW))
    }

    /// How many of some sweeps are by pullbacks.
    fn swept(both: &mut (Repeated, Recording), sweeps: usize, products: u64) -> usize {
        let (repeated, recording) = both;
        let each = (0..sweeps).map(|_| is_swept(repeated, recording, products));
        each.map(usize::from).sum()
    }

    #[test]
    fn the_same_is_swept_by_pullbacks_from_the_18th_time_on() {
        let both = &mut new();
        assert_eq!(swept(both, 16, 3), 0);
        assert!(both.0.adjoints.is_empty(), "made too soon");
        assert_eq!(swept(both, 1, 3), 0);
        assert_eq!(swept(both, 100, 3), 100);
    }

    #[test]
    fn others_are_looked_at_less_and_less_often() {
        let both = &mut new();
        for (products, waits) in (0..12).zip([0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 1023, 1024]) {
            assert_eq!(swept(both, 1 + waits, products), 0);
            assert_eq!(both.0.waiting, 0);
        }
        assert_eq!(swept(both, 17 + 1024, 20), 0);
        assert_eq!(swept(both, 1100, 20), 1100);
        // What has been of use is looked for at once.
        assert_eq!(swept(both, 17, 3), 0);
        assert_eq!(swept(both, 1, 3), 1);
    }

    #[test]
    fn what_takes_too_many_registers_is_not_swept_so() {
        // Each value and each adjoint takes one, and the adjoint 1.
        let longest = MOST_NODES as u64 - 2;
        assert_eq!(swept(&mut new(), 18, longest), 1);
        assert_eq!(swept(&mut new(), 10_000, longest + 1), 0);
        let sum = Record::new(Op::Sum, Form::Nodes, 0, 0);
        let (mut repeated, mut recording) = new();
        for _ in 0..100 {
            recording.clear();
            recording.put(sum, 0.0);
            assert!(repeated.sweep(&mut recording, 0, &mut Vec::new()).is_none());
        }
    }

    /// Each node that differs is seen, wherever it is and whatever else is the same; also where
    /// the room of a recording was given up in between, as it is when values are changed.
    #[test]
    fn what_differs_is_not_swept_by_the_pullbacks_of_others() {
        let both = &mut new();
        for products in [3, 4, 3] {
            assert_eq!(swept(both, 100, products), 100 - 17);
            both.0.pause = 0;
        }
        let recording = &mut both.1;
        let record = |recording: &mut Recording, changed: Option<u64>| {
            recording.clear();
            recording.differs = false;
            for id in 0..5 {
                let op = if Some(id) == changed {
                    Op::Cos
                } else {
                    Op::Mul
                };
                recording.put(Record::new(op, Form::Nodes, 0, 0), 0.5);
            }
            recording.differs
        };
        for changed in 0..5 {
            record(recording, None);
            assert!(!record(recording, None));
            assert!(record(recording, Some(changed)), "node {changed}");
        }
        record(recording, None);
        recording.changed();
        assert!(recording.differs, "its room was given up");
    }

    #[test]
    fn nothing_is_swept_so_without_room_for_registers() {
        let repeated = &mut Repeated::new();
        let mut recording = Recording::with_room(FEW - 1);
        assert!((0..100).all(|_| !is_swept(repeated, &mut recording, 3)));
        let mut recording = Recording::with_room(FEW);
        assert!((0..17).all(|_| !is_swept(repeated, &mut recording, 3)));
        assert!(is_swept(repeated, &mut recording, 3));
        let mut clone = (repeated.clone(), recording.clone());
        assert!(is_swept(&mut clone.0, &mut clone.1, 3));
    }
}
