//! A function as instructions on registers: inputs, constants, values and adjoints. There
//! are 256 of them, or 65,536 where these do not suffice, so that a register's number is a
//! byte or two, an instruction is short, and nothing is asked before one is read or written
//! (`docs/benchmarks.md`).
//!
//! Which adjoints are reached, and which share is the first, is known when the instructions
//! are made (`assemble.rs`); the bits are those of the sweeps. A sign of zero may be another
//! one on the way, where no branch asks which adjoints are absent, but not in a gradient.

use super::freeze::Ends;
use crate::ops::{ABSENT, Op, Real, table};
use crate::program::Comparison;
use crate::recording::Recording;
use smallvec::SmallVec;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many registers most functions have that are evaluated again and again.
pub(super) const FEW: usize = 1 << 8;
/// How many the others have.
pub(super) const MORE: usize = 1 << 16;

/// The number of a register.
pub(super) trait Register:
    Copy + Debug + Default + PartialEq + TryFrom<usize> + Into<usize>
{
}

impl Register for u8 {}
impl Register for u16 {}

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

/// `y` becomes what an operation gives for `a` and `b`, or for a product that is added to a
/// sum, `sum` + `a`·`b`. If an operation takes any number of operands, `a` is its place among
/// `Registers::many`.
#[derive(Clone, Copy)]
#[repr(align(8))] // a loop over them counts with one number instead of two
pub(super) struct Step<R> {
    /// See [`kind`].
    pub(super) kind: u16,
    pub(super) y: R,
    pub(super) a: R,
    pub(super) b: R,
    pub(super) sum: R,
}

/// A step sends a share of its adjoint, which is in `from`, back to one operand, whose adjoint
/// will be in `to`.
#[derive(Clone, Copy)]
#[repr(align(8))]
pub(super) struct Pullback<R> {
    /// See [`kind`].
    pub(super) kind: u16,
    pub(super) y: R,
    pub(super) a: R,
    pub(super) b: R,
    pub(super) from: R,
    /// The shares that the operand has received before.
    pub(super) sum: R,
    pub(super) to: R,
}

/// What an instruction does in one number, so that one jump finds it: the operation, and
/// some flags, which say nothing of one on any number of operands. It begins at 0,
/// with the operation after the leaf.
pub(super) const fn kind(op: Op, flags: u16) -> u16 {
    number(op as u16, flags)
}

const fn number(op: u16, flags: u16) -> u16 {
    (op - 1) << 3 | flags
}

/// A kind as a pattern: a `match` of patterns becomes one jump, one of comparisons not always.
struct Kind<const OP: u16, const FLAGS: u16>;

impl<const OP: u16, const FLAGS: u16> Kind<OP, FLAGS> {
    const NUMBER: u16 = number(OP, FLAGS);
}

fn op(kind: u16) -> Op {
    Op::numbered(usize::from(kind >> 3) + 1)
}

// An operand that is the result of the step before is taken out of a processor's register:
// it is there some cycles earlier than out of memory.
pub(super) const FIRST_IS_LAST: u16 = 1;
pub(super) const SECOND_IS_LAST: u16 = 2;
/// Of a product that is added to a sum.
pub(super) const SUM: u16 = 4;
pub(super) const SUM_IS_LAST: u16 = SUM | 1;
pub(super) const SUM_FIRST_IS_LAST: u16 = SUM | 2;
pub(super) const SUM_SECOND_IS_LAST: u16 = SUM | 3;

/// So is the adjoint, if it is what was written before.
pub(super) const FROM_LAST: u16 = 1;
/// Other shares have come before.
pub(super) const ADD: u16 = 2;
/// It goes to the second operand.
pub(super) const SECOND: u16 = 4;

/// What is applied to any number of operands.
#[derive(Clone)]
pub(super) struct Many<R> {
    pub(super) operands: Vec<R>,
    pub(super) constants: Vec<f64>,
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
    pub(super) steps: Vec<Step<R>>,
    pub(super) pullbacks: Vec<Pullback<R>>,
    pub(super) many: Vec<Many<R>>,
    pub(super) guards: Vec<RegisterGuard<R>>,
    /// Whether some operation picks one of its operands, so that adjoints may be absent.
    pub(super) branches: bool,
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
            Self::Few(registers) => registers.steps.len() + registers.pullbacks.len(),
            Self::More(registers) => registers.steps.len() + registers.pullbacks.len(),
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

#[inline(always)]
fn of<R: Register, const N: usize>(numbers: &[f64; N], register: R) -> f64 {
    numbers[register.into()]
}

impl<R: Register, const N: usize> Registers<R, N> {
    /// Those of a function of so many nodes, with none of its instructions.
    pub(super) fn with_room(nodes: usize, inputs: usize) -> Self {
        static LAST_ID: AtomicU64 = AtomicU64::new(0);
        Self {
            id: LAST_ID.fetch_add(1, Ordering::Relaxed) + 1,
            steps: Vec::with_capacity(nodes),
            pullbacks: Vec::with_capacity(nodes),
            gradient: Vec::with_capacity(inputs),
            ..Self::default()
        }
    }

    /// Bytes of the instructions and of what they take.
    pub(super) fn bytes(&self) -> usize {
        let many = |many: &Many<R>| {
            size_of_val(&many.operands[..])
                + size_of_val(&many.constants[..])
                + size_of_val(&many.to[..])
        };
        size_of_val(&self.constants[..])
            + size_of_val(&self.steps[..])
            + size_of_val(&self.pullbacks[..])
            + size_of_val(&self.guards[..])
            + size_of_val(&self.gradient[..])
            + self.many.iter().map(many).sum::<usize>()
    }

    /// The value at `x`, and the gradient if it is asked for; nothing, if a comparison comes
    /// out the other way than recorded.
    pub(super) fn run(
        &self,
        x: &[f64],
        gradient: Option<&mut [f64]>,
        numbers: &mut [f64; N],
        holder: &mut u64,
    ) -> Option<f64> {
        if *holder != self.id {
            numbers[N - self.constants.len()..].copy_from_slice(&self.constants);
            *holder = self.id;
        }
        numbers[..x.len()].copy_from_slice(x);
        self.evaluate(numbers);
        if !self.guards_hold(numbers) {
            return None;
        }
        let value = of(numbers, self.output);
        if let Some(gradient) = gradient {
            match self.branches {
                true => self.pull_back::<true>(numbers),
                false => self.pull_back::<false>(numbers),
            }
            for (to, &register) in gradient.iter_mut().zip(&self.gradient) {
                *to = of(numbers, register) + 0.0;
            }
        }
        Some(value)
    }

    fn evaluate(&self, numbers: &mut [f64; N]) {
        let mut last = 0.0;
        for step in &self.steps {
            let many = |numbers: &[f64; N]| self.many[step.a.into()].value(step.kind, numbers);
            last = result_of(step, last, numbers, many);
            numbers[step.y.into()] = last;
        }
    }

    fn guards_hold(&self, numbers: &[f64; N]) -> bool {
        let holds =
            |g: &RegisterGuard<R>| g.test.holds(of(numbers, g.a), of(numbers, g.b)) == g.held;
        self.guards.iter().all(holds)
    }

    /// Sends all shares. If there are `BRANCHES`, absent adjoints are told from computed
    /// zeros.
    fn pull_back<const BRANCHES: bool>(&self, numbers: &mut [f64; N]) {
        let mut last = 0.0;
        for pullback in &self.pullbacks {
            let many = |numbers: &mut [f64; N]| {
                self.many[pullback.a.into()].pull_back::<N, BRANCHES>(pullback, numbers);
                of(numbers, pullback.to)
            };
            last = total_of::<_, _, BRANCHES>(pullback, last, numbers, many);
            numbers[pullback.to.into()] = last;
        }
    }
}

impl<R: Register> Many<R> {
    fn operands<const N: usize>(&self, numbers: &[f64; N]) -> SmallVec<[f64; 8]> {
        let each = |&register: &R| of(numbers, register);
        self.operands.iter().map(each).collect()
    }

    #[inline(never)]
    fn value<const N: usize>(&self, kind: u16, numbers: &[f64; N]) -> f64 {
        let op = op(kind);
        let x = self.operands(numbers);
        op.value_n(x.len(), |i| x[i], &self.constants[..])
    }

    #[inline(never)]
    fn pull_back<const N: usize, const BRANCHES: bool>(
        &self,
        pullback: &Pullback<R>,
        numbers: &mut [f64; N],
    ) {
        let op = op(pullback.kind);
        let (x, y, adjoint) = (
            self.operands(numbers),
            of(numbers, pullback.y),
            of(numbers, pullback.from),
        );
        let branch = op.is_branch();
        op.partials_n(
            x.len(),
            |i| x[i],
            &self.constants,
            y,
            |i, partial| {
                let Some((sum, to)) = self.to[i] else {
                    return;
                };
                let share = share::<BRANCHES>(branch, adjoint, partial);
                let sum = sum.map_or(ABSENT, |sum| of(numbers, sum));
                numbers[to.into()] = sum.plus(share);
            },
        );
    }
}

/// One share. A branch sends nothing where it has a partial of zero.
#[inline(always)]
fn share<const BRANCHES: bool>(branch: bool, adjoint: f64, partial: f64) -> f64 {
    match (BRANCHES, branch && partial == 0.0) {
        (_, true) => ABSENT,
        (true, _) => f64::share(adjoint, partial),
        (false, _) => adjoint * partial,
    }
}

/// What a step gives, whose operands are where `FLAGS` say.
#[inline(always)]
fn result<R: Register, const N: usize, const FLAGS: u16>(
    op: Op,
    step: &Step<R>,
    last: f64,
    numbers: &[f64; N],
) -> f64 {
    let of = |register, is_last| if is_last { last } else { of(numbers, register) };
    let a = of(step.a, matches!(FLAGS, FIRST_IS_LAST | SUM_FIRST_IS_LAST));
    if let Some(1) = op.arity() {
        return op.value_1(a);
    }
    let b = of(step.b, matches!(FLAGS, SECOND_IS_LAST | SUM_SECOND_IS_LAST));
    match FLAGS & SUM {
        0 => op.value_2(a, b),
        _ => Op::Add.value_2(of(step.sum, FLAGS == SUM_IS_LAST), op.value_2(a, b)),
    }
}

/// A share with those before.
#[inline(always)]
fn total<R: Register, const N: usize, const BRANCHES: bool, const FLAGS: u16>(
    op: Op,
    pullback: &Pullback<R>,
    last: f64,
    numbers: &[f64; N],
) -> f64 {
    let (a, b, y) = (
        of(numbers, pullback.a),
        of(numbers, pullback.b),
        of(numbers, pullback.y),
    );
    let partial = match (op.arity(), FLAGS & SECOND) {
        (Some(1), _) => op.partial_1(a, y),
        (_, 0) => op.partial_first(a, b, y),
        _ => op.partial_second(a, b, y),
    };
    let adjoint = match FLAGS & FROM_LAST {
        0 => of(numbers, pullback.from),
        _ => last,
    };
    let share = share::<BRANCHES>(op.is_branch(), adjoint, partial);
    match FLAGS & ADD {
        0 => share,
        _ => of(numbers, pullback.sum) + share,
    }
}

table! { instructions }
