//! Makes instructions on registers of a recording, if it has few numbers.

use super::fused::Fused;
use super::interface::Ends;
use super::passes::uses;
use crate::execute::lanes::modifier::Before;
use crate::execute::scalar::on_registers::{
    Many, ManyPullback, OnRegisters, RegisterGuard, Registers, ReverseSweep,
};
use crate::graph::Recording;
use crate::graph::{NodeId, Operand, Record};
use crate::ops::Op;
use crate::registers::{
    Assembler, FIRST_IS_LAST, Instruction, MINUS, Operation, PAIR, PAIR_BEFORE_SUM, PLUS, Register,
    SECOND_IS_LAST, SUM, SUM_FIRST_IS_LAST, SUM_IS_LAST, SUM_SECOND_IS_LAST, takes_shifted,
};

/// The flag for an operand that is turned and shifted so.
fn shifted(before: Before) -> u8 {
    if before.sign < 0.0 { MINUS } else { PLUS }
}

struct ScalarAssembly<'r, R, const N: usize> {
    recording: &'r Recording,
    assembler: Assembler<R, N>,
    made: Registers<R, N>,
    /// Where the value of each node is.
    values: Vec<R>,
    fused: Fused,
    /// How often the value of each node will still be read; nothing if all are kept.
    left: Vec<u32>,
}

/// Sweeps from more outputs are not made before they are asked for.
const MOST_SWEEPS: usize = 8;

impl OnRegisters {
    /// What is worth it: the gradients of so many outputs, or values alone.
    pub(crate) fn of(recording: &Recording, ends: &Ends) -> Option<Self> {
        let outputs = ends.outputs.len();
        let with_sweeps = (1..=MOST_SWEEPS).contains(&outputs);
        let found = with_sweeps.then(|| Self::new(recording, ends, true));
        match found.flatten() {
            None if outputs != 1 => Self::new(recording, ends, false),
            found => found,
        }
    }

    /// The values of all outputs and, `with_sweeps`, the gradient of each; nothing, if they take
    /// more registers than there are.
    fn new(recording: &Recording, ends: &Ends, with_sweeps: bool) -> Option<Self> {
        let few = Registers::new(recording, ends, with_sweeps).map(Self::Few);
        few.or_else(|| Registers::new(recording, ends, with_sweeps).map(Self::More))
    }
}

impl<R: Register, const N: usize> Registers<R, N> {
    /// The instructions for the values of all outputs and, `with_sweeps`, for the gradient of
    /// each, unless they take more registers than there are. The registers of values that are no
    /// longer needed are written again if there are no sweeps.
    pub(crate) fn new(recording: &Recording, ends: &Ends, with_sweeps: bool) -> Option<Self> {
        let columns = || recording.program().records.iter().any(|r| r.is_column());
        if with_sweeps && recording.len() > N || ends.inputs.len() > N || columns() {
            return None;
        }
        let nodes = recording.len();
        let mut assembler = Assembler::with_room(nodes);
        assembler.start(nodes, ends.inputs.len());
        let mut maker = ScalarAssembly {
            recording,
            assembler,
            made: Self::with_room(ends.inputs.len()),
            values: vec![R::default(); nodes],
            fused: Fused::default(),
            left: Vec::new(),
        };
        maker.forward(ends, with_sweeps)?;
        maker.made.forward = maker.assembler.instructions.len();
        if with_sweeps {
            for &output in &ends.outputs {
                maker.backward(output, ends)?;
            }
        }
        let (assembler, mut made) = (maker.assembler, maker.made);
        made.count = assembler.count();
        made.branches = assembler.branches;
        made.instructions = assembler.instructions;
        made.constants = assembler.constants;
        made.constants.reverse();
        Some(made)
    }
}

impl<R: Register, const N: usize> ScalarAssembly<'_, R, N> {
    fn operand(&mut self, operand: Operand) -> Option<R> {
        match operand {
            Operand::Node(id) => Some(self.values[id.index()]),
            Operand::Constant(value) => self.assembler.constant(value),
        }
    }

    /// The operand of an operation, and what is done to it by the same instruction.
    #[inline]
    fn unshifted(&self, op: Op, operand: Operand) -> (Operand, Option<Before>) {
        match takes_shifted(op) {
            true => self.fused.operand(self.recording.program(), operand),
            false => (operand, None),
        }
    }

    /// One more step, on a shifted operand if the flags say so. Returns the register of its
    /// result.
    fn step(&mut self, op: Op, shifted: u8, a: R, b: R) -> Option<R> {
        let y = self.assembler.register()?;
        let is_last = if self.assembler.wrote(1, a) {
            FIRST_IS_LAST
        } else if self.assembler.wrote(1, b) {
            SECOND_IS_LAST
        } else {
            0
        };
        let step = Instruction::step(op, shifted | is_last, [a, b, a], y);
        self.assembler.instructions.push(step);
        Some(y)
    }

    /// Makes one step of the last one, whose result nothing else uses, and what is applied to
    /// it, if it is a product that is added to a sum, or the negation of that. If nothing else
    /// uses any operand, `all_once`, the last two may be in that step.
    fn step_with_last(&mut self, op: Op, a: R, b: R, all_once: bool) -> Option<R> {
        let last = *self.assembler.before(1)?;
        let is_before = |register| self.assembler.wrote(2, register);
        let sum = if a == last.to { b } else { a };
        let (flags, sum) = match (op, last.op, last.flags & (SUM | PAIR)) {
            (Op::Add, Op::Mul, 0) => {
                if all_once
                    && is_before(sum)
                    && let Some((flags, first)) = self.may_pair()
                {
                    let (these, those) = ([first.a, first.b], [last.a, last.b]);
                    let step = Instruction::pair(flags, these, those, first.sum, last.to);
                    self.assembler.instructions.pop();
                    *self.assembler.instructions.last_mut()? = step;
                    return Some(step.to);
                }
                let flags = match last {
                    _ if is_before(sum) => SUM_IS_LAST,
                    _ if is_before(last.a) => SUM_FIRST_IS_LAST,
                    _ if is_before(last.b) => SUM_SECOND_IS_LAST,
                    _ => SUM,
                };
                (flags, sum)
            }
            (Op::Neg, Op::Mul, SUM) => (last.flags, last.sum),
            (Op::Add, Op::Mul, PAIR) if last.flags == PAIR => {
                let factors = ([last.a, last.b], [last.y, last.from]);
                let step = Instruction::pair(PAIR_BEFORE_SUM, factors.0, factors.1, sum, last.to);
                *self.assembler.instructions.last_mut()? = step;
                return Some(step.to);
            }
            _ => return None,
        };
        let op = if op == Op::Add { Op::Mul } else { op };
        let step = Instruction::step(op, flags, [last.a, last.b, sum], last.to);
        *self.assembler.instructions.last_mut()? = step;
        Some(step.to)
    }

    /// The instruction before the last one, if it is a product or adds one to a sum, so that
    /// another one can be added to that by the same; and the flags then.
    fn may_pair(&self) -> Option<(u8, Instruction<R, N>)> {
        let first = *self.assembler.before(2)?;
        let may = first.op == Op::Mul && matches!(first.flags, 0 | SUM | SUM_IS_LAST);
        may.then_some((PAIR | first.flags, first))
    }

    fn forward(&mut self, ends: &Ends, keep_all: bool) -> Option<()> {
        let (program, uses) = (self.recording.program(), uses(self.recording, ends));
        if !keep_all {
            self.left.clone_from(&uses);
        }
        self.fused = Fused::at_a_point(self.recording, &uses);
        for (position, &input) in ends.inputs.iter().enumerate() {
            self.values[input as usize] = R::try_from(position).ok()?;
        }
        for (index, &record) in program.records.iter().enumerate() {
            if record.op() != Op::Input && self.fused.has_step(index) {
                self.values[index] = self.operation(index, record, &uses)?;
                if !self.left.is_empty() {
                    self.forget_operands(record, self.values[index]);
                }
            }
        }
        for guard in self.recording.guards() {
            let (a, b) = (self.operand(guard.a)?, self.operand(guard.b)?);
            let (test, held) = (guard.test, guard.held);
            self.made.guards.push(RegisterGuard { a, b, test, held });
        }
        for &output in &ends.outputs {
            let mut output = self.operand(output)?;
            for &term in &ends.once {
                let term = self.operand(term)?;
                output = self.step(Op::Add, 0, output, term)?;
            }
            self.made.outputs.push(output);
        }
        Some(())
    }

    /// Gives back the registers of those operands that nothing reads after this record, but for
    /// that of its `result`, which an operand had that was made in the same step.
    fn forget_operands(&mut self, record: Record, result: R) {
        let program = self.recording.program();
        program.for_each_operand(record, |operand| {
            let (read, _) = match record.op().arity() {
                Some(1) => self.unshifted(record.op(), operand),
                _ => (operand, None),
            };
            if let Operand::Node(id) = read {
                let (left, register) = (&mut self.left[id.index()], self.values[id.index()]);
                *left -= 1;
                if *left == 0 && register != result {
                    self.assembler.give_back(register);
                }
            }
        });
    }

    /// The step or steps of an operation. Returns the register of its result. `uses` says how
    /// often each node is used.
    fn operation(&mut self, index: usize, record: Record, uses: &[u32]) -> Option<R> {
        let op = record.op();
        self.assembler.branches |= op.is_branch();
        if op.arity().is_none() {
            return self.many(record);
        }
        let program = self.recording.program();
        let (first, second) = program.one_or_two(record);
        let (first, shift) = self.unshifted(op, first);
        let a = self.operand(first)?;
        if let Some(shift) = shift {
            let b = self.assembler.constant(shift.shift)?;
            return self.step(op, shifted(shift), a, b);
        }
        let b = second.map_or(Some(a), |second| self.operand(second))?;
        // A leaf is the first node.
        if uses[index - 1] == 1 {
            let before = self.values[index - 1];
            let is_last = self.assembler.wrote(1, before);
            let once = |operand: Operand| operand.node().is_none_or(|id| uses[id as usize] == 1);
            let all_once = once(first) && second.is_none_or(once);
            if is_last
                && [a, b].contains(&before)
                && let Some(y) = self.step_with_last(op, a, b, all_once)
            {
                return Some(y);
            }
        }
        self.step(op, 0, a, b)
    }

    /// Where the operands of a record are.
    fn operands(&mut self, record: Record) -> Option<Vec<R>> {
        let mut registers = Vec::new();
        let mut fits = true;
        let program = self.recording.program();
        program.for_each_operand(record, |operand| match self.operand(operand) {
            Some(register) => registers.push(register),
            None => fits = false,
        });
        fits.then_some(registers)
    }

    /// An operation on any number of operands. Returns the register of its result.
    fn many(&mut self, record: Record) -> Option<R> {
        let operands = self.operands(record)?;
        let y = self.assembler.register()?;
        let many = Many {
            at: self.assembler.begin(),
            op: record.op(),
            operands,
            constants: self.recording.program().own_constants(record).to_vec(),
            y,
        };
        self.made.many.push(many);
        Some(y)
    }

    /// The reverse sweep from an output.
    fn backward(&mut self, output: Operand, ends: &Ends) -> Option<()> {
        self.assembler.begin();
        self.assembler.forget_adjoints();
        let mut many = self.made.many.len();
        let mut pullbacks = Vec::new();
        for end in [&output].into_iter().chain(&ends.once) {
            if let &Operand::Node(id) = end {
                self.assembler.receive_known(id, 1.0)?;
            }
        }
        let program = self.recording.program();
        for (index, &record) in program.records.iter().enumerate().rev() {
            let op = record.op();
            many -= usize::from(op.arity().is_none());
            let Some(adjoint) = self.assembler.adjoints[index] else {
                continue;
            };
            match op.arity() {
                Some(0) => continue,
                Some(_) => self.send_to_operands(index, record, adjoint)?,
                None => pullbacks.push(self.send_to_many(many, record, adjoint)?),
            }
            self.assembler.adjoints[index] = None;
            self.assembler.release(adjoint);
        }
        let mut gradient = Vec::with_capacity(ends.inputs.len());
        for &input in &ends.inputs {
            gradient.push(match self.assembler.adjoints[input as usize] {
                Some(register) => register,
                None => self.assembler.constant(0.0)?,
            });
        }
        self.made.sweeps.push(ReverseSweep {
            end: self.assembler.instructions.len(),
            many: pullbacks,
            gradient,
        });
        Some(())
    }

    fn send_to_operands(&mut self, index: usize, record: Record, adjoint: R) -> Option<()> {
        let program = self.recording.program();
        let (op, (first, second)) = (record.op(), program.one_or_two(record));
        let (first, shift) = self.unshifted(op, first);
        let a = self.operand(first)?;
        let b = match (shift, second) {
            (Some(shift), _) => self.assembler.constant(shift.shift)?,
            (_, Some(b)) => self.operand(b)?,
            _ => a,
        };
        let y = self.values[index];
        let operation = Operation {
            op,
            shifted: shift.map_or(0, shifted),
            a,
            b,
            y,
            adjoint,
        };
        let nodes = [first.node(), second.and_then(|second| second.node())];
        self.assembler.send_back(&operation, nodes)
    }

    fn send_to_many(&mut self, many: usize, record: Record, adjoint: R) -> Option<ManyPullback<R>> {
        let at = self.assembler.begin();
        let mut operands = Vec::new();
        let program = self.recording.program();
        program.for_each_operand(record, |operand| operands.push(operand.node()));
        let mut to = vec![None; operands.len()];
        for (to, id) in to.iter_mut().zip(operands) {
            if let Some(id) = id {
                *to = Some(self.assembler.receive(NodeId(id))?);
            }
        }
        Some(ManyPullback {
            at,
            many,
            adjoint,
            to,
        })
    }
}
