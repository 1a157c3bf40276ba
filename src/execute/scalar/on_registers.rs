//! A function as instructions on registers: inputs, constants, values and adjoints.
//! `assemble.rs` makes them; the bits are those of the sweeps.

use crate::graph::Comparison;
use crate::ops::{ABSENT, Op, Real};
use crate::registers::{FEW, Instruction, MORE, Register, of, share};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

/// Registers in a workspace, for one function after another.
#[derive(Clone, Debug)]
pub(crate) struct RegisterFile<const N: usize> {
    pub(crate) numbers: Box<[f64; N]>,
    /// The function whose constants they hold, which need not be copied again. 0 is none.
    pub(crate) holder: u64,
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
pub(crate) struct Many<R> {
    /// How many instructions come before it.
    pub(crate) at: usize,
    pub(crate) op: Op,
    pub(crate) operands: Vec<R>,
    pub(crate) constants: Vec<f64>,
    pub(crate) y: R,
}

/// What such an operation sends back to its operands.
#[derive(Clone)]
pub(crate) struct ManyPullback<R> {
    /// How many instructions come before that.
    pub(crate) at: usize,
    /// Which of the operations on any number of operands it is.
    pub(crate) many: usize,
    pub(crate) adjoint: R,
    /// For each operand whose adjoint is asked for the shares before, and where their sum goes.
    pub(crate) to: Vec<Option<(Option<R>, R)>>,
}

/// A reverse sweep from one output.
#[derive(Clone)]
pub(crate) struct ReverseSweep<R> {
    /// How many instructions there are up to its end.
    pub(crate) end: usize,
    pub(crate) many: Vec<ManyPullback<R>>,
    /// Where the derivative by each input then is.
    pub(crate) gradient: Vec<R>,
}

/// A comparison that was made while recording.
#[derive(Clone, Copy)]
pub(crate) struct RegisterGuard<R> {
    pub(crate) a: R,
    pub(crate) b: R,
    pub(crate) test: Comparison,
    pub(crate) held: bool,
}

/// A function on `N` registers. The first ones are its inputs, the last ones constants, and
/// the others what instructions write.
#[derive(Clone, Default)]
pub(crate) struct Registers<R, const N: usize> {
    /// No other function has it, but copies of this one.
    id: u64,
    /// How many registers it takes.
    pub(crate) count: usize,
    pub(crate) constants: Vec<f64>,
    pub(crate) inputs: usize,
    pub(crate) instructions: Vec<Instruction<R, N>>,
    /// How many of them make the values; the others make derivatives.
    pub(crate) forward: usize,
    pub(crate) many: Vec<Many<R>>,
    /// Whether some operation picks one of its operands, so that adjoints may be absent.
    pub(crate) branches: bool,
    pub(crate) guards: Vec<RegisterGuard<R>>,
    pub(crate) outputs: Vec<R>,
    /// One from each output, or none if only values are asked for.
    pub(crate) sweeps: Vec<ReverseSweep<R>>,
}

/// A function on as few registers as suffice.
#[derive(Clone)]
pub(crate) enum OnRegisters {
    Few(Registers<u8, FEW>),
    More(Registers<u16, MORE>),
}

impl OnRegisters {
    /// How many registers it takes.
    pub(crate) fn count(&self) -> usize {
        match self {
            Self::Few(registers) => registers.count,
            Self::More(registers) => registers.count,
        }
    }

    /// How many instructions value and gradient take.
    pub(crate) fn instructions(&self) -> usize {
        match self {
            Self::Few(registers) => registers.instructions.len(),
            Self::More(registers) => registers.instructions.len(),
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Few(registers) => registers.bytes(),
            Self::More(registers) => registers.bytes(),
        }
    }

    /// Bytes of the registers in a workspace.
    pub(crate) fn workspace_bytes(&self) -> usize {
        let registers = match self {
            Self::Few(_) => FEW,
            Self::More(_) => MORE,
        };
        registers * size_of::<f64>()
    }
}

impl<R: Register, const N: usize> Registers<R, N> {
    /// Those of another function of so many inputs, with none of its instructions.
    pub(crate) fn with_room(inputs: usize) -> Self {
        static LAST_ID: AtomicU64 = AtomicU64::new(0);
        Self {
            id: LAST_ID.fetch_add(1, Ordering::Relaxed) + 1,
            inputs,
            ..Self::default()
        }
    }

    /// Bytes of the instructions and of what they take.
    pub(crate) fn bytes(&self) -> usize {
        let many =
            |many: &Many<R>| size_of_val(&many.operands[..]) + size_of_val(&many.constants[..]);
        let sweep = |sweep: &ReverseSweep<R>| {
            let to = sweep.many.iter().map(|many| size_of_val(&many.to[..]));
            size_of_val(&sweep.gradient[..]) + to.sum::<usize>()
        };
        size_of_val(&self.constants[..])
            + size_of_val(&self.instructions[..])
            + size_of_val(&self.guards[..])
            + self.many.iter().map(many).sum::<usize>()
            + self.sweeps.iter().map(sweep).sum::<usize>()
    }

    /// The value of the only output at `x`, and the gradient if it is asked for; nothing, if one
    /// of them is not as long as there are inputs, or a comparison comes out the other way than
    /// recorded.
    #[inline(always)] // into what saves registers of its own
    pub(crate) fn run(
        &self,
        x: &[f64],
        gradient: Option<&mut [f64]>,
        numbers: &mut [f64; N],
        holder: &mut u64,
    ) -> Option<f64> {
        let length = gradient.as_ref().map(|g| g.len());
        if x.len() != self.inputs || length.is_some_and(|length| length != self.inputs) {
            return None;
        }
        let &[output] = &self.outputs[..] else {
            return None;
        };
        self.load(x, numbers, holder);
        match (gradient, &self.sweeps[..]) {
            (Some(gradient), [sweep]) => {
                if self.is_straight() {
                    Instruction::act_all(&self.instructions, numbers);
                } else {
                    self.evaluate(numbers)?;
                    self.pull_back(self.forward, sweep, numbers);
                }
                sweep.read(numbers, gradient);
            }
            (Some(_), _) => return None,
            (None, _) => self.evaluate(numbers)?,
        }
        Some(of(numbers, output))
    }

    /// Writes the values of all outputs and, if it is asked for, the Jacobian, row by row;
    /// nothing, if a length is wrong, a comparison comes out the other way than recorded, or
    /// there are no sweeps.
    pub(crate) fn run_all(
        &self,
        x: &[f64],
        values: &mut [f64],
        jacobian: Option<&mut [f64]>,
        numbers: &mut [f64; N],
        holder: &mut u64,
    ) -> Option<()> {
        if x.len() != self.inputs || values.len() != self.outputs.len() {
            return None;
        }
        if let Some(jacobian) = &jacobian
            && (jacobian.len() != self.inputs * values.len() || self.sweeps.len() != values.len())
        {
            return None;
        }
        self.load(x, numbers, holder);
        self.evaluate(numbers)?;
        for (to, &register) in values.iter_mut().zip(&self.outputs) {
            *to = of(numbers, register);
        }
        let Some(jacobian) = jacobian.filter(|_| self.inputs > 0) else {
            return Some(());
        };
        let mut done = self.forward;
        for (sweep, row) in self
            .sweeps
            .iter()
            .zip(jacobian.chunks_exact_mut(self.inputs))
        {
            self.pull_back(done, sweep, numbers);
            sweep.read(numbers, row);
            done = sweep.end;
        }
        Some(())
    }

    #[inline(always)]
    fn load(&self, x: &[f64], numbers: &mut [f64; N], holder: &mut u64) {
        if *holder != self.id {
            numbers[N - self.constants.len()..].copy_from_slice(&self.constants);
            *holder = self.id;
        }
        numbers[..x.len()].copy_from_slice(x);
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

    /// A reverse sweep whose instructions begin at `done`.
    fn pull_back(&self, mut done: usize, sweep: &ReverseSweep<R>, numbers: &mut [f64; N]) {
        for pullback in &sweep.many {
            Instruction::act_all(&self.instructions[done..pullback.at], numbers);
            let many = &self.many[pullback.many];
            match self.branches {
                true => many.pull_back::<N, true>(pullback, numbers),
                false => many.pull_back::<N, false>(pullback, numbers),
            }
            done = pullback.at;
        }
        Instruction::act_all(&self.instructions[done..sweep.end], numbers);
    }

    fn guards_hold(&self, numbers: &[f64; N]) -> bool {
        let holds =
            |g: &RegisterGuard<R>| g.test.holds(of(numbers, g.a), of(numbers, g.b)) == g.held;
        self.guards.iter().all(holds)
    }
}

impl<R: Register> ReverseSweep<R> {
    #[inline(always)]
    fn read<const N: usize>(&self, numbers: &[f64; N], gradient: &mut [f64]) {
        for (to, &register) in gradient.iter_mut().zip(&self.gradient) {
            *to = of(numbers, register) + 0.0;
        }
    }
}

impl<R: Register> Many<R> {
    #[inline(never)]
    fn evaluate<const N: usize>(&self, numbers: &mut [f64; N]) {
        let x = |i: usize| of(numbers, self.operands[i]);
        let value = self.op.value_n(self.operands.len(), x, &self.constants[..]);
        numbers[self.y.into()] = value;
    }

    #[inline(never)]
    fn pull_back<const N: usize, const BRANCHES: bool>(
        &self,
        pullback: &ManyPullback<R>,
        numbers: &mut [f64; N],
    ) {
        let (y, adjoint) = (of(numbers, self.y), of(numbers, pullback.adjoint));
        let branch = self.op.is_branch();
        // Adjoints are written where no operand is read.
        let numbers = Cell::from_mut(&mut numbers[..]).as_slice_of_cells();
        self.op.partials_n(
            self.operands.len(),
            |i| numbers[self.operands[i].into()].get(),
            &self.constants,
            y,
            |i, partial| {
                if let Some((before, to)) = pullback.to[i] {
                    let share = share::<BRANCHES>(branch, adjoint, partial);
                    let before = before.map_or(ABSENT, |before| numbers[before.into()].get());
                    numbers[to.into()].set(before.plus(share));
                }
            },
        );
    }
}
