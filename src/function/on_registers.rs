//! A function as instructions on registers: inputs, constants, values and adjoints.
//! `assemble.rs` makes them; the bits are those of the sweeps.

use super::freeze::Ends;
use crate::ops::{ABSENT, Op, Real};
use crate::program::Comparison;
use crate::recording::Recording;
use crate::registers::{FEW, Instruction, MORE, Register, of, share};
use smallvec::SmallVec;
use std::sync::atomic::{AtomicU64, Ordering};

/// Registers in a workspace, for one function after another.
#[derive(Clone, Debug)]
pub(super) struct RegisterFile<const N: usize> {
    pub(super) numbers: Box<[f64; N]>,
    /// The function whose constants they hold, which need not be copied again. 0 is none.
    pub(super) holder: u64,
}

impl<const N: usize> Default for RegisterFile<N> {
    fn default() -> Self {
        // By way of a `Vec`, so that it is never on the stack.
        let numbers = vec![0.0; N].into_boxed_slice();
        let numbers = numbers.try_into().expect("as many as asked for");
        Self { numbers, holder: 0 }
    }
}

/// An operation on any number of operands. It stands between instructions.
#[derive(Clone)]
pub(super) struct Many<R> {
    /// How many instructions come before it.
    pub(super) at: usize,
    pub(super) op: Op,
    pub(super) operands: Vec<R>,
    pub(super) constants: Vec<f64>,
    pub(super) y: R,
    pub(super) pullback: Option<ManyPullback<R>>,
}

/// What such an operation sends back to its operands.
#[derive(Clone)]
pub(super) struct ManyPullback<R> {
    /// How many instructions come before that.
    pub(super) at: usize,
    pub(super) adjoint: R,
    /// For each operand whose adjoint is asked for the shares before, and where their sum goes.
    pub(super) to: Vec<Option<(Option<R>, R)>>,
}

/// A comparison that was made while recording.
#[derive(Clone, Copy)]
pub(super) struct RegisterGuard<R> {
    pub(super) a: R,
    pub(super) b: R,
    pub(super) test: Comparison,
    pub(super) held: bool,
}

/// A function on `N` registers. The first ones are its inputs, the last ones constants, and
/// the others what instructions write.
#[derive(Clone, Default)]
pub(super) struct Registers<R, const N: usize> {
    /// No other function has it, but copies of this one.
    id: u64,
    /// How many registers it takes.
    pub(super) count: usize,
    pub(super) constants: Vec<f64>,
    pub(super) instructions: Vec<Instruction<R, N>>,
    /// How many of them make the value; the others make the gradient.
    pub(super) forward: usize,
    pub(super) many: Vec<Many<R>>,
    /// Whether some operation picks one of its operands, so that adjoints may be absent.
    pub(super) branches: bool,
    pub(super) guards: Vec<RegisterGuard<R>>,
    pub(super) output: R,
    pub(super) gradient: Vec<R>,
}

/// A function on as few registers as suffice.
#[derive(Clone)]
pub(super) enum OnRegisters {
    Few(Registers<u8, FEW>),
    More(Registers<u16, MORE>),
}

impl OnRegisters {
    /// Value and gradient of the only output; nothing, if they take more registers than there
    /// are.
    pub(super) fn new(recording: &Recording, ends: &Ends) -> Option<Self> {
        let more = || Registers::new(recording, ends).map(Self::More);
        Registers::new(recording, ends).map(Self::Few).or_else(more)
    }

    /// How many registers it takes.
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Few(registers) => registers.count,
            Self::More(registers) => registers.count,
        }
    }

    /// How many instructions value and gradient take.
    pub(super) fn instructions(&self) -> usize {
        match self {
            Self::Few(registers) => registers.instructions.len(),
            Self::More(registers) => registers.instructions.len(),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Few(registers) => registers.bytes(),
            Self::More(registers) => registers.bytes(),
        }
    }

    /// Bytes of the registers in a workspace.
    pub(super) fn workspace_bytes(&self) -> usize {
        let registers = match self {
            Self::Few(_) => FEW,
            Self::More(_) => MORE,
        };
        registers * size_of::<f64>()
    }
}

impl<R: Register, const N: usize> Registers<R, N> {
    /// Those of another function of so many inputs, with none of its instructions.
    pub(super) fn with_room(inputs: usize) -> Self {
        static LAST_ID: AtomicU64 = AtomicU64::new(0);
        Self {
            id: LAST_ID.fetch_add(1, Ordering::Relaxed) + 1,
            gradient: Vec::with_capacity(inputs),
            ..Self::default()
        }
    }

    /// Bytes of the instructions and of what they take.
    pub(super) fn bytes(&self) -> usize {
        let many = |many: &Many<R>| {
            size_of_val(&many.operands[..])
                + size_of_val(&many.constants[..])
                + many
                    .pullback
                    .as_ref()
                    .map_or(0, |pullback| size_of_val(&pullback.to[..]))
        };
        size_of_val(&self.constants[..])
            + size_of_val(&self.instructions[..])
            + size_of_val(&self.guards[..])
            + size_of_val(&self.gradient[..])
            + self.many.iter().map(many).sum::<usize>()
    }

    /// The value at `x`, and the gradient if it is asked for; nothing, if one of them is not as
    /// long as there are inputs, or a comparison comes out the other way than recorded.
    #[inline(always)] // into what saves registers of its own
    pub(super) fn run(
        &self,
        x: &[f64],
        gradient: Option<&mut [f64]>,
        numbers: &mut [f64; N],
        holder: &mut u64,
    ) -> Option<f64> {
        let (inputs, length) = (self.gradient.len(), gradient.as_ref().map(|g| g.len()));
        if x.len() != inputs || length.is_some_and(|length| length != inputs) {
            return None;
        }
        if *holder != self.id {
            numbers[N - self.constants.len()..].copy_from_slice(&self.constants);
            *holder = self.id;
        }
        numbers[..x.len()].copy_from_slice(x);
        match gradient {
            Some(gradient) => {
                if self.is_straight() {
                    Instruction::act_all(&self.instructions, numbers);
                } else {
                    self.evaluate(numbers)?;
                    self.pull_back(numbers);
                }
                for (to, &register) in gradient.iter_mut().zip(&self.gradient) {
                    *to = of(numbers, register) + 0.0;
                }
            }
            None => self.evaluate(numbers)?,
        }
        Some(of(numbers, self.output))
    }

    /// Whether there is nothing to do between the instructions.
    fn is_straight(&self) -> bool {
        self.many.is_empty() && self.guards.is_empty()
    }

    fn evaluate(&self, numbers: &mut [f64; N]) -> Option<()> {
        let mut done = 0;
        for many in &self.many {
            Instruction::act_all(&self.instructions[done..many.at], numbers);
            many.evaluate(numbers);
            done = many.at;
        }
        Instruction::act_all(&self.instructions[done..self.forward], numbers);
        self.guards_hold(numbers).then_some(())
    }

    fn pull_back(&self, numbers: &mut [f64; N]) {
        let mut done = self.forward;
        for many in self.many.iter().rev() {
            if let Some(pullback) = &many.pullback {
                Instruction::act_all(&self.instructions[done..pullback.at], numbers);
                match self.branches {
                    true => many.pull_back::<N, true>(pullback, numbers),
                    false => many.pull_back::<N, false>(pullback, numbers),
                }
                done = pullback.at;
            }
        }
        Instruction::act_all(&self.instructions[done..], numbers);
    }

    fn guards_hold(&self, numbers: &[f64; N]) -> bool {
        let holds =
            |g: &RegisterGuard<R>| g.test.holds(of(numbers, g.a), of(numbers, g.b)) == g.held;
        self.guards.iter().all(holds)
    }
}

impl<R: Register> Many<R> {
    fn operands<const N: usize>(&self, numbers: &[f64; N]) -> SmallVec<[f64; 8]> {
        let each = |&register: &R| of(numbers, register);
        self.operands.iter().map(each).collect()
    }

    #[inline(never)]
    fn evaluate<const N: usize>(&self, numbers: &mut [f64; N]) {
        let x = self.operands(numbers);
        let value = self.op.value_n(x.len(), |i| x[i], &self.constants[..]);
        numbers[self.y.into()] = value;
    }

    #[inline(never)]
    fn pull_back<const N: usize, const BRANCHES: bool>(
        &self,
        pullback: &ManyPullback<R>,
        numbers: &mut [f64; N],
    ) {
        let x = self.operands(numbers);
        let (y, adjoint) = (of(numbers, self.y), of(numbers, pullback.adjoint));
        let branch = self.op.is_branch();
        self.op.partials_n(
            x.len(),
            |i| x[i],
            &self.constants,
            y,
            |i, partial| {
                if let Some((before, to)) = pullback.to[i] {
                    let share = share::<BRANCHES>(branch, adjoint, partial);
                    let before = before.map_or(ABSENT, |before| of(numbers, before));
                    numbers[to.into()] = before.plus(share);
                }
            },
        );
    }
}
