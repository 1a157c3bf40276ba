//! `Assembler`: allocates registers, and makes the adjoint instructions of a reverse sweep.
//!
//! It folds constants and copies: an adjoint that does not depend on the point, as that of a term
//! of a sum, becomes a constant; a contribution by a partial of 1, as that of a sum, needs no
//! instruction; the first contribution to an adjoint is written, later ones are added.
//!
//! The bits are those of the sweeps, except the sign of zeros where no branch asks which adjoints
//! are absent. Adding +0 at the end restores it.

use super::instruction::{ADD, BOTH, FROM_LAST, Instruction, SECOND, TWO, takes_both};
use super::{Register, Uses};
use crate::graph::NodeId;
use crate::ops::{ABSENT, Op, Real};
use smallvec::SmallVec;

/// The number of recent constants among which an equal one is searched.
const LOOK_BACK: usize = 32;

/// Registers are allocated from the first one on, those of constants from the last one down.
#[derive(Clone)]
pub(crate) struct Assembler<R, const N: usize> {
    pub(crate) instructions: Vec<Instruction<R, N>>,
    pub(crate) constants: Vec<f64>,
    /// The register of each node's adjoint, if anything contributed to it.
    pub(crate) adjoints: Vec<Option<R>>,
    /// Whether some operation picks one of its operands, so that adjoints may be absent.
    pub(crate) branches: bool,
    /// Reference counts: how many nodes have their adjoint in each register.
    holds: Vec<u32>,
    /// The first instruction of the present chain of dispatches.
    begin: usize,
    /// Registers that can be written again.
    free: SmallVec<[R; 32]>,
}

/// An operation on one or two operands, and the registers of its numbers. It is passed by
/// reference: a read of one word after writes of single bytes stalls a processor.
pub(crate) struct Operation<R> {
    pub(crate) op: Op,
    /// The flag of an operand `a` that is shifted by `b`; 0 without a shift.
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

    /// Begins anew with so many nodes, and so many registers allocated.
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

    /// Executes the instructions.
    #[inline(always)]
    pub(crate) fn act_all(&self, registers: &mut [f64; N]) {
        Instruction::act_all(&self.instructions, registers);
    }

    /// The number that restores the sign of a computed zero when it is added: without branches it
    /// may be −0 where that of a sweep is +0.
    #[inline(always)]
    pub(crate) fn zero(&self) -> f64 {
        if self.branches { ABSENT } else { 0.0 }
    }

    /// The number of registers allocated, those of constants included.
    pub(crate) fn count(&self) -> usize {
        self.holds.len() + self.constants.len()
    }

    /// Allocates a register. `None` if there is none.
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

    /// The register of a constant, which may be shared with an equal one. `None` if there is none.
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

    /// The constant in a register, if there is one.
    fn known(&self, register: R) -> Option<f64> {
        let place = N - 1 - register.into();
        self.constants.get(place).copied()
    }

    /// The instruction so many places before the next one, if it is in the same chain.
    pub(crate) fn before(&self, count: usize) -> Option<&Instruction<R, N>> {
        let these = &self.instructions[self.begin..];
        these.get(these.len().checked_sub(count)?)
    }

    /// Whether that instruction wrote a register.
    pub(crate) fn wrote(&self, count: usize, register: R) -> bool {
        self.before(count)
            .is_some_and(|before| before.to == register)
    }

    /// Begins a new chain of dispatches.
    pub(crate) fn begin(&mut self) -> usize {
        self.begin = self.instructions.len();
        self.begin
    }

    /// Sets the register of a node's adjoint.
    fn hold(&mut self, id: NodeId, register: R) {
        self.adjoints[id.index()] = Some(register);
        if self.known(register).is_none() {
            self.holds[register.into()] += 1;
        }
    }

    /// Allocates the register of an adjoint that holds earlier contributions before the first
    /// instruction.
    pub(crate) fn incoming(&mut self, id: NodeId) -> Option<R> {
        let register = self.register()?;
        self.hold(id, register);
        Some(register)
    }

    /// Frees a register that nothing reads any more.
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

    /// Drops one reference to a register, and frees it with the last one.
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

    /// Accumulates a contribution that does not depend on the point. `false`, and nothing done, if
    /// earlier ones do.
    pub(crate) fn receive_known(&mut self, id: NodeId, contribution: f64) -> Option<bool> {
        let before = self.adjoints[id.index()].map(|register| self.known(register));
        let sum = match before {
            Some(None) => return Some(false),
            Some(Some(before)) => before.plus(contribution),
            None => contribution,
        };
        let register = self.constant(sum)?;
        self.hold(id, register);
        Some(true)
    }

    /// The registers of a node's adjoint before and after one more contribution.
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

    /// Makes the contributions of an operation's adjoint to those operands that are nodes.
    pub(crate) fn send_back(
        &mut self,
        operation: &Operation<R>,
        nodes: [Option<u32>; 2],
    ) -> Option<()> {
        if takes_both(operation.op)
            && nodes[0] == nodes[1]
            && let Some(id) = nodes[0]
        {
            return self.contribute(operation, BOTH, NodeId(id));
        }
        let mut contributions = [(nodes[0], 0), (nodes[1], SECOND)];
        // The later node last: the sweep comes to it sooner, and may read its adjoint at once.
        contributions.sort_by_key(|&(id, _)| id);
        for (id, operand) in contributions {
            if let Some(id) = id {
                self.contribute(operation, operand, NodeId(id))?;
            }
        }
        Some(())
    }

    fn contribute(&mut self, operation: &Operation<R>, operands: u8, id: NodeId) -> Option<()> {
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
            && let Some(other) = self.first_factor(adjoint)
        {
            let (first, last) = (
                other_factor(&other),
                if flags & SECOND == 0 { b } else { a },
            );
            self.instructions.pop();
            let flags = TWO | other.flags & FROM_LAST;
            self.push(op, flags, [first, first, last], [adjoint, other.to, to]);
            return Some(());
        }
        self.push(op, flags, [a, b, y], [adjoint, before.unwrap_or(to), to]);
        Some(())
    }

    /// The instruction before, if it makes the first contribution to a factor from this adjoint.
    fn first_factor(&self, adjoint: R) -> Option<Instruction<R, N>> {
        let before = self.before(1)?;
        let is_one = takes_both(before.op) && before.flags & (ADD | BOTH) == 0;
        (is_one && before.from == adjoint).then_some(*before)
    }

    fn push(&mut self, op: Op, flags: u8, operation: [R; 3], adjoints: [R; 3]) {
        let instruction = match self.branches {
            true => Instruction::adjoint_step::<true>(op, flags, operation, adjoints),
            false => Instruction::adjoint_step::<false>(op, flags, operation, adjoints),
        };
        self.instructions.push(instruction);
    }

    /// The partial by one of the operands, if it is the same at every point.
    fn known_partial(&self, operation: &Operation<R>, second: bool) -> Option<f64> {
        let Operation { op, a, b, .. } = *operation;
        Uses::known_partial(op, [self.known(a), self.known(b)], second)
    }
}

/// The factor by which an adjoint instruction of a product multiplies.
fn other_factor<R: Register, const N: usize>(contribution: &Instruction<R, N>) -> R {
    match contribution.flags & SECOND {
        0 => contribution.b,
        _ => contribution.a,
    }
}
