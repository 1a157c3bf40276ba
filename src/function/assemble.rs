//! Makes instructions on registers of a recording, if it has few numbers.
//!
//! What is known beforehand is done here: an adjoint that does not depend on the point, as
//! that of a term of a sum, becomes a constant; a share that is the adjoint itself, as a sum
//! sends it, needs no instruction; the first share is written, and later ones are added.

use super::freeze::Ends;
use super::instruction::{
    ADD, FIRST_IS_LAST, FROM_LAST, Instruction, SECOND, SECOND_IS_LAST, SUM, SUM_FIRST_IS_LAST,
    SUM_IS_LAST, SUM_SECOND_IS_LAST,
};
use super::passes::uses;
use super::registers::{Many, ManyPullback, Register, RegisterGuard, Registers};
use super::uses::Uses;
use crate::ops::{Op, Real};
use crate::program::{NodeId, Operand, Record};
use crate::recording::Recording;
use smallvec::SmallVec;

/// Registers are written from the first one on; constants are put into the last ones, the
/// first of them into the very last.
struct Assembler<'r, R, const N: usize> {
    recording: &'r Recording,
    made: Registers<R, N>,
    /// Where the value of each node is.
    values: Vec<R>,
    /// Where its adjoint is, if a share was sent to it.
    adjoints: Vec<Option<R>>,
    /// How many nodes have their adjoint in each register that is an input's or written.
    holds: Vec<u32>,
    /// Where those instructions begin that go on to one another up to here.
    begin: usize,
    /// Registers of adjoints that nobody needs any more.
    free: SmallVec<[R; 32]>,
}

/// An operation on one or two operands, and the registers of its numbers. It is handed on by
/// reference: bytes just written one by one and read as one word keep a processor waiting.
struct Sender<R> {
    op: Op,
    a: R,
    b: R,
    y: R,
    adjoint: R,
}

impl<R: Register, const N: usize> Registers<R, N> {
    /// The instructions for value and gradient of the only output, unless they take more
    /// registers than there are.
    pub(super) fn new(recording: &Recording, ends: &Ends) -> Option<Self> {
        let columns = || recording.program().records.iter().any(|r| r.is_column());
        if recording.len() > N || ends.outputs.len() != 1 || columns() {
            return None;
        }
        let mut holds = Vec::with_capacity(2 * recording.len());
        holds.resize(ends.inputs.len(), 0);
        let mut assembler = Assembler {
            recording,
            made: Self::with_room(recording.len(), ends.inputs.len()),
            values: vec![R::default(); recording.len()],
            adjoints: vec![None; recording.len()],
            holds,
            begin: 0,
            free: SmallVec::new(),
        };
        assembler.forward(ends)?;
        assembler.made.forward = assembler.made.instructions.len();
        assembler.backward(ends)?;
        let mut made = assembler.made;
        made.count = assembler.holds.len() + made.constants.len();
        made.constants.reverse();
        Some(made)
    }
}

impl<R: Register, const N: usize> Assembler<'_, R, N> {
    /// A register to be written.
    fn register(&mut self) -> Option<R> {
        if let Some(register) = self.free.pop() {
            return Some(register);
        }
        let register = R::try_from(self.holds.len()).ok()?;
        self.holds.push(0);
        self.fits().then_some(register)
    }

    fn fits(&self) -> bool {
        self.holds.len() + self.made.constants.len() <= N
    }

    /// The register of a constant, perhaps one that has it already.
    fn constant(&mut self, value: f64) -> Option<R> {
        const LOOK_BACK: usize = 32;
        let constants = &mut self.made.constants;
        let is_it = |known: &f64| known.to_bits() == value.to_bits();
        let known = constants.iter().rev().take(LOOK_BACK).position(is_it);
        let place = match known {
            Some(back) => constants.len() - 1 - back,
            None => {
                constants.push(value);
                constants.len() - 1
            }
        };
        let register = R::try_from(N - 1 - place).ok()?;
        self.fits().then_some(register)
    }

    /// The constant that is in a register.
    fn known(&self, register: R) -> Option<f64> {
        let place = N - 1 - register.into();
        self.made.constants.get(place).copied()
    }

    fn operand(&mut self, operand: Operand) -> Option<R> {
        match operand {
            Operand::Node(id) => Some(self.values[id.index()]),
            Operand::Constant(value) => self.constant(value),
        }
    }

    /// The instruction so many before the next one, if it goes on to the next one.
    fn before(&self, count: usize) -> Option<&Instruction<R, N>> {
        let these = &self.made.instructions[self.begin..];
        these.get(these.len().checked_sub(count)?)
    }

    /// What comes next begins anew.
    fn begin(&mut self) -> usize {
        self.begin = self.made.instructions.len();
        self.begin
    }

    /// One more step. Returns the register of its result.
    fn step(&mut self, op: Op, a: R, b: R) -> Option<R> {
        let y = self.register()?;
        let last = self.before(1).map(|last| last.to);
        let flags = match last {
            _ if Some(a) == last => FIRST_IS_LAST,
            _ if Some(b) == last => SECOND_IS_LAST,
            _ => 0,
        };
        let step = Instruction::step(op, flags, [a, b, a], y);
        self.made.instructions.push(step);
        Some(y)
    }

    /// Makes one step of the last one, whose result nothing else uses, and what is applied to
    /// it, if it is a product that is added to a sum, or the negation of that.
    fn step_with_last(&mut self, op: Op, a: R, b: R) -> Option<R> {
        let last = self.before(1)?;
        let is_before = |register| self.before(2).is_some_and(|before| before.to == register);
        let (flags, sum) = match (op, last.op, last.flags & SUM) {
            (Op::Add, Op::Mul, 0) => {
                let sum = if a == last.to { b } else { a };
                let flags = match last {
                    _ if is_before(sum) => SUM_IS_LAST,
                    _ if is_before(last.a) => SUM_FIRST_IS_LAST,
                    _ if is_before(last.b) => SUM_SECOND_IS_LAST,
                    _ => SUM,
                };
                (flags, sum)
            }
            (Op::Neg, Op::Mul, SUM) => (last.flags, last.sum),
            _ => return None,
        };
        let op = if op == Op::Add { Op::Mul } else { op };
        let step = Instruction::step(op, flags, [last.a, last.b, sum], last.to);
        *self.made.instructions.last_mut()? = step;
        Some(step.to)
    }

    fn forward(&mut self, ends: &Ends) -> Option<()> {
        let (program, uses) = (self.recording.program(), uses(self.recording, ends));
        for (position, &input) in ends.inputs.iter().enumerate() {
            self.values[input as usize] = R::try_from(position).ok()?;
        }
        for (index, &record) in program.records.iter().enumerate() {
            if record.op() != Op::Input {
                let used_once = uses[index - 1] == 1; // a leaf is the first node
                self.values[index] = self.operation(index, record, used_once)?;
            }
        }
        for guard in &self.recording.guards {
            let (a, b) = (self.operand(guard.a)?, self.operand(guard.b)?);
            let (test, held) = (guard.test, guard.held);
            self.made.guards.push(RegisterGuard { a, b, test, held });
        }
        self.made.output = self.operand(ends.outputs[0])?;
        for &term in &ends.once {
            let (op, a, b) = (Op::Add, self.made.output, self.operand(term)?);
            self.made.output = self.step(op, a, b)?;
        }
        Some(())
    }

    /// The step or steps of an operation. Returns the register of its result. `used_once` says
    /// whether the node before it is.
    fn operation(&mut self, index: usize, record: Record, used_once: bool) -> Option<R> {
        let op = record.op();
        self.made.branches |= op.is_branch();
        if op.arity().is_none() {
            return self.many(record);
        }
        let (a, b) = self.recording.program().one_or_two(record);
        let a = self.operand(a)?;
        let b = b.map_or(Some(a), |b| self.operand(b))?;
        if used_once {
            let before = self.values[index - 1];
            let is_last = self.before(1).is_some_and(|last| last.to == before);
            if is_last
                && [a, b].contains(&before)
                && let Some(y) = self.step_with_last(op, a, b)
            {
                return Some(y);
            }
        }
        self.step(op, a, b)
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
        let y = self.register()?;
        let many = Many {
            at: self.begin(),
            op: record.op(),
            operands,
            constants: self.recording.program().own_constants(record).to_vec(),
            y,
            pullback: None,
        };
        self.made.many.push(many);
        Some(y)
    }

    fn backward(&mut self, ends: &Ends) -> Option<()> {
        self.begin();
        let mut many = self.made.many.len();
        for end in ends.outputs.iter().chain(&ends.once) {
            if let &Operand::Node(id) = end {
                self.receive_known(id, 1.0)?;
            }
        }
        let program = self.recording.program();
        for (index, &record) in program.records.iter().enumerate().rev() {
            let op = record.op();
            many -= usize::from(op.arity().is_none());
            let Some(adjoint) = self.adjoints[index] else {
                continue;
            };
            match op.arity() {
                Some(0) => continue,
                Some(_) => self.send_to_operands(index, record, adjoint)?,
                None => self.send_to_many(many, record, adjoint)?,
            }
            self.release(adjoint);
        }
        for &input in &ends.inputs {
            let register = match self.adjoints[input as usize] {
                Some(register) => register,
                None => self.constant(0.0)?,
            };
            self.made.gradient.push(register);
        }
        Some(())
    }

    /// A node's adjoint is now in this register, too.
    fn hold(&mut self, id: NodeId, register: R) {
        self.adjoints[id.index()] = Some(register);
        if self.known(register).is_none() {
            self.holds[register.into()] += 1;
        }
    }

    /// One node less has its adjoint in this register.
    fn release(&mut self, register: R) {
        if self.known(register).is_some() {
            return;
        }
        let holds = &mut self.holds[register.into()];
        *holds -= 1;
        if *holds == 0 {
            self.free.push(register);
        }
    }

    /// A node receives a share that does not depend on the point. If it has received others
    /// that do, nothing is done and `false` returned.
    fn receive_known(&mut self, id: NodeId, share: f64) -> Option<bool> {
        let before = self.adjoints[id.index()].map(|register| self.known(register));
        let sum = match before {
            Some(None) => return Some(false),
            Some(Some(before)) => before.plus(share),
            None => share,
        };
        let register = self.constant(sum)?;
        self.hold(id, register);
        Some(true)
    }

    /// The shares that a node has received before, and where they go with one more.
    fn receive(&mut self, id: NodeId) -> Option<(Option<R>, R)> {
        let before = self.adjoints[id.index()];
        if let Some(before) = before
            && self.known(before).is_none()
        {
            if self.holds[before.into()] == 1 {
                return Some((Some(before), before));
            }
            self.release(before);
        }
        let to = self.register()?;
        self.hold(id, to);
        Some((before, to))
    }

    fn send_to_operands(&mut self, index: usize, record: Record, adjoint: R) -> Option<()> {
        let (op, (first, second)) = (record.op(), self.recording.program().one_or_two(record));
        let a = self.operand(first)?;
        let b = second.map_or(Some(a), |b| self.operand(b))?;
        let y = self.values[index];
        let sender = Sender {
            op,
            a,
            b,
            y,
            adjoint,
        };
        let node = |operand: Option<Operand>| operand.and_then(|operand| operand.node());
        let mut sends = [(node(Some(first)), false), (node(second), true)];
        // The later node last, whose turn is sooner.
        sends.sort_by_key(|&(id, _)| id);
        for (id, second) in sends {
            if let Some(id) = id {
                self.send(&sender, second, NodeId(id))?;
            }
        }
        Some(())
    }

    fn pullback(&mut self, op: Op, flags: u8, operation: [R; 3], adjoints: [R; 3]) {
        let pullback = match self.made.branches {
            true => Instruction::pullback::<true>(op, flags, operation, adjoints),
            false => Instruction::pullback::<false>(op, flags, operation, adjoints),
        };
        self.made.instructions.push(pullback);
    }

    fn send(&mut self, sender: &Sender<R>, second: bool, id: NodeId) -> Option<()> {
        let Sender {
            op,
            a,
            b,
            y,
            adjoint,
        } = *sender;
        let partial = self.known_partial(sender, second);
        if let (Some(adjoint), Some(partial)) = (self.known(adjoint), partial)
            && self.receive_known(id, f64::share(adjoint, partial))?
        {
            return Some(());
        }
        if partial == Some(1.0) && self.adjoints[id.index()].is_none() {
            self.hold(id, adjoint);
            return Some(());
        }
        let (before, to) = self.receive(id)?;
        let last = self.before(1).map(|last| last.to);
        let flag = |flag, is_set| if is_set { flag } else { 0 };
        let flags = flag(FROM_LAST, last == Some(adjoint))
            | flag(ADD, before.is_some())
            | flag(SECOND, second);
        self.pullback(op, flags, [a, b, y], [adjoint, before.unwrap_or(to), to]);
        Some(())
    }

    /// The partial with respect to one of the operands, if it is the same at every point.
    fn known_partial(&self, sender: &Sender<R>, second: bool) -> Option<f64> {
        let Sender { op, a, b, .. } = *sender;
        if op.is_branch() {
            return None; // a partial of zero lets nothing pass
        }
        let (a, b) = (self.known(a), self.known(b));
        let uses = match op.arity() {
            Some(1) => Uses::of_one(op),
            _ => Uses::of_two(op)[usize::from(second)],
        };
        let varies =
            uses.result() || uses.operand(0) && a.is_none() || uses.operand(1) && b.is_none();
        if varies {
            return None;
        }
        // `Uses` sees what a partial is made of inside the domain. Whether a number that is
        // not known is inside, NaN tells, which is outside of every domain.
        const UNKNOWN: f64 = f64::NAN;
        let (a, b) = (a.unwrap_or(UNKNOWN), b.unwrap_or(UNKNOWN));
        let partial = match (op.arity(), second) {
            (Some(1), _) => op.partial_1(a, UNKNOWN),
            (_, false) => op.partial_first(a, b, UNKNOWN),
            (_, true) => op.partial_second(a, b, UNKNOWN),
        };
        (!partial.is_nan()).then_some(partial)
    }

    fn send_to_many(&mut self, many: usize, record: Record, adjoint: R) -> Option<()> {
        let at = self.begin();
        let mut operands = Vec::new();
        let program = self.recording.program();
        program.for_each_operand(record, |operand| operands.push(operand.node()));
        let mut to = vec![None; operands.len()];
        for (to, id) in to.iter_mut().zip(operands) {
            if let Some(id) = id {
                *to = Some(self.receive(NodeId(id))?);
            }
        }
        self.made.many[many].pullback = Some(ManyPullback { at, adjoint, to });
        Some(())
    }
}
