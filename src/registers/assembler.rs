//! `Assembler`: gives registers to numbers, and makes the instructions of a way back.
//!
//! What is known beforehand is done here: an adjoint that does not depend on the point, as
//! that of a term of a sum, becomes a constant; a share that is the adjoint itself, as a sum
//! sends it, needs no instruction; the first share is written, and later ones are added.
//!
//! The bits are those of the sweeps, but where no branch asks which adjoints are absent, a
//! zero may have another sign than there, until +0 is added to it.

use super::instruction::{ADD, BOTH, FROM_LAST, Instruction, SECOND, TWO, takes_both};
use super::{Register, Uses};
use crate::graph::NodeId;
use crate::ops::{ABSENT, Op, Real};
use smallvec::SmallVec;

/// Among so many constants a known one is looked for.
const LOOK_BACK: usize = 32;

/// Registers are written from the first one on; constants are put into the last ones, the
/// first of them into the very last.
#[derive(Clone)]
pub(crate) struct Assembler<R, const N: usize> {
    pub(crate) instructions: Vec<Instruction<R, N>>,
    pub(crate) constants: Vec<f64>,
    /// Where the adjoint of each node is, if a share was sent to it.
    pub(crate) adjoints: Vec<Option<R>>,
    /// Whether some operation picks one of its operands, so that adjoints may be absent.
    pub(crate) branches: bool,
    /// How many nodes have their adjoint in each register that is taken or written.
    holds: Vec<u32>,
    /// Where those instructions begin that go on to one another up to here.
    begin: usize,
    /// Registers of adjoints that nobody needs any more.
    free: SmallVec<[R; 32]>,
}

/// An operation on one or two operands, and the registers of its numbers. It is handed on by
/// reference: bytes just written one by one and read as one word keep a processor waiting.
pub(crate) struct Operation<R> {
    pub(crate) op: Op,
    /// The flag of an operand `a` that is shifted by `b`, or 0.
    pub(crate) shifted: u8,
    pub(crate) a: R,
    pub(crate) b: R,
    pub(crate) y: R,
    pub(crate) adjoint: R,
}

impl<R: Register, const N: usize> Assembler<R, N> {
    /// With memory for so many nodes.
    pub(crate) fn with_room(nodes: usize) -> Self {
        Self {
            instructions: Vec::with_capacity(2 * nodes),
            constants: Vec::with_capacity(LOOK_BACK),
            adjoints: Vec::with_capacity(nodes),
            branches: false,
            holds: Vec::with_capacity(2 * nodes),
            begin: 0,
            free: SmallVec::new(),
        }
    }

    /// Begins with so many nodes, and so many registers taken.
    pub(crate) fn start(&mut self, nodes: usize, taken: usize) {
        self.instructions.clear();
        self.constants.clear();
        self.adjoints.clear();
        self.adjoints.resize(nodes, None);
        self.branches = false;
        self.holds.clear();
        self.holds.resize(taken, 0);
        self.begin = 0;
        self.free.clear();
    }

    /// Does what the instructions say.
    #[inline(always)]
    pub(crate) fn act_all(&self, registers: &mut [f64; N]) {
        Instruction::act_all(&self.instructions, registers);
    }

    /// What makes of a computed zero the one of a sweep, when it is added: where nobody asks which
    /// adjoints are absent it may still be −0.
    #[inline(always)]
    pub(crate) fn zero(&self) -> f64 {
        if self.branches { ABSENT } else { 0.0 }
    }

    /// How many registers there are so far, those of constants included.
    pub(crate) fn count(&self) -> usize {
        self.holds.len() + self.constants.len()
    }

    /// A register to be written.
    pub(crate) fn register(&mut self) -> Option<R> {
        if let Some(register) = self.free.pop() {
            return Some(register);
        }
        if self.count() >= N {
            return None;
        }
        self.holds.push(0);
        R::try_from(self.holds.len() - 1).ok()
    }

    /// The register of a constant, perhaps one that has it already.
    pub(crate) fn constant(&mut self, value: f64) -> Option<R> {
        let is_it = |known: &f64| known.to_bits() == value.to_bits();
        let known = self.constants.iter().rev().take(LOOK_BACK).position(is_it);
        let place = match known {
            Some(back) => self.constants.len() - 1 - back,
            // Not one more than fit, whose place would be below 0.
            None if self.count() >= N => return None,
            None => {
                self.constants.push(value);
                self.constants.len() - 1
            }
        };
        R::try_from(N - 1 - place).ok()
    }

    /// The constant that is in a register.
    fn known(&self, register: R) -> Option<f64> {
        let place = N - 1 - register.into();
        self.constants.get(place).copied()
    }

    /// The instruction so many before the next one, if it goes on to the next one.
    pub(crate) fn before(&self, count: usize) -> Option<&Instruction<R, N>> {
        let these = &self.instructions[self.begin..];
        these.get(these.len().checked_sub(count)?)
    }

    /// Whether it was that one which wrote a register.
    pub(crate) fn wrote(&self, count: usize, register: R) -> bool {
        self.before(count)
            .is_some_and(|before| before.to == register)
    }

    /// What comes next begins anew.
    pub(crate) fn begin(&mut self) -> usize {
        self.begin = self.instructions.len();
        self.begin
    }

    /// A node's adjoint is now in this register, too.
    fn hold(&mut self, id: NodeId, register: R) {
        self.adjoints[id.index()] = Some(register);
        if self.known(register).is_none() {
            self.holds[register.into()] += 1;
        }
    }

    /// The register in which the adjoint of a node is before the first instruction, with the
    /// shares that it has received before.
    pub(crate) fn receive_before(&mut self, id: NodeId) -> Option<R> {
        let register = self.register()?;
        self.hold(id, register);
        Some(register)
    }

    /// A register that nothing reads any more is to be written again.
    pub(crate) fn give_back(&mut self, register: R) {
        self.free.push(register);
    }

    /// Begins with no adjoints, for another reverse sweep.
    pub(crate) fn forget_adjoints(&mut self) {
        for id in 0..self.adjoints.len() {
            if let Some(register) = self.adjoints[id].take() {
                self.release(register);
            }
        }
    }

    /// One node less has its adjoint in this register.
    pub(crate) fn release(&mut self, register: R) {
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
    pub(crate) fn receive_known(&mut self, id: NodeId, share: f64) -> Option<bool> {
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
    pub(crate) fn receive(&mut self, id: NodeId) -> Option<(Option<R>, R)> {
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

    /// Sends an adjoint back to those operands that are nodes.
    pub(crate) fn send_back(
        &mut self,
        operation: &Operation<R>,
        nodes: [Option<u32>; 2],
    ) -> Option<()> {
        if takes_both(operation.op)
            && nodes[0] == nodes[1]
            && let Some(id) = nodes[0]
        {
            return self.send(operation, BOTH, NodeId(id));
        }
        let mut sends = [(nodes[0], 0), (nodes[1], SECOND)];
        // The later node last, whose turn is sooner.
        sends.sort_by_key(|&(id, _)| id);
        for (id, operand) in sends {
            if let Some(id) = id {
                self.send(operation, operand, NodeId(id))?;
            }
        }
        Some(())
    }

    fn send(&mut self, operation: &Operation<R>, operands: u8, id: NodeId) -> Option<()> {
        let Operation {
            op,
            shifted,
            a,
            b,
            y,
            adjoint,
        } = *operation;
        let partial = match operands {
            BOTH => None,
            _ => self.known_partial(operation, operands == SECOND),
        };
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
        let flag = |flag, is_set| if is_set { flag } else { 0 };
        let flags = flag(FROM_LAST, self.wrote(1, adjoint))
            | flag(ADD, before.is_some())
            | operands
            | shifted;
        if takes_both(op)
            && flags & (ADD | BOTH) == 0
            && let Some(other) = self.sent_from(adjoint)
        {
            let (first, last) = (
                other_factor(&other),
                if flags & SECOND == 0 { b } else { a },
            );
            self.instructions.pop();
            let flags = TWO | other.flags & FROM_LAST;
            self.pullback(op, flags, [first, first, last], [adjoint, other.to, to]);
            return Some(());
        }
        self.pullback(op, flags, [a, b, y], [adjoint, before.unwrap_or(to), to]);
        Some(())
    }

    /// The instruction before, if it sends a first share of this adjoint to one factor.
    fn sent_from(&self, adjoint: R) -> Option<Instruction<R, N>> {
        let before = self.before(1)?;
        let is_one = takes_both(before.op) && before.flags & (ADD | BOTH) == 0;
        (is_one && before.from == adjoint).then_some(*before)
    }

    fn pullback(&mut self, op: Op, flags: u8, operation: [R; 3], adjoints: [R; 3]) {
        let pullback = match self.branches {
            true => Instruction::pullback::<true>(op, flags, operation, adjoints),
            false => Instruction::pullback::<false>(op, flags, operation, adjoints),
        };
        self.instructions.push(pullback);
    }

    /// The partial with respect to one of the operands, if it is the same at every point.
    fn known_partial(&self, operation: &Operation<R>, second: bool) -> Option<f64> {
        let Operation { op, a, b, .. } = *operation;
        Uses::known_partial(op, [self.known(a), self.known(b)], second)
    }
}

/// The factor by which such an instruction multiplies.
fn other_factor<R: Register, const N: usize>(contribution: &Instruction<R, N>) -> R {
    match contribution.flags & SECOND {
        0 => contribution.b,
        _ => contribution.a,
    }
}
