//! A function of few numbers, as instructions on 256 registers: inputs, constants, values
//! and adjoints. A register's number is a byte, so an instruction is a few bytes, and
//! nothing is asked before one is read or written (`docs/benchmarks.md`).
//!
//! Which adjoints are reached, and which share is the first, is known when the instructions
//! are made (`assemble.rs`); the bits are those of the sweeps. A sign of zero may be another
//! one on the way, where no branch asks which adjoints are absent, but not in a gradient.

use crate::ops::{ABSENT, Op, Real, table};
use crate::program::Comparison;
use smallvec::SmallVec;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many registers there are.
pub(super) const REGISTERS: usize = 256;

/// Their numbers.
type Numbers = [f64; REGISTERS];

/// Registers in a workspace, for one function after another.
#[derive(Clone, Debug)]
pub(super) struct RegisterFile {
    numbers: Numbers,
    /// The function whose constants they hold, which need not be copied again.
    holder: u64,
}

impl Default for RegisterFile {
    fn default() -> Self {
        let numbers = [0.0; REGISTERS];
        Self { numbers, holder: 0 }
    }
}

/// The number of a register.
pub(super) type Register = u8;

/// `y` becomes what an operation gives for `a` and `b`, or for a product that is added to a
/// sum, `sum` + `a`·`b`. If an operation takes any number of operands, `a` is its place among
/// `Registers::many`.
#[derive(Clone, Copy)]
#[repr(align(8))] // a loop over them counts with one number instead of two
pub(super) struct Step {
    /// See [`kind`].
    pub(super) kind: u16,
    pub(super) y: Register,
    pub(super) a: Register,
    pub(super) b: Register,
    pub(super) sum: Register,
}

/// A step sends a share of its adjoint, which is in `from`, to one operand, whose adjoint
/// will be in `to`.
#[derive(Clone, Copy)]
pub(super) struct Send {
    /// See [`kind`].
    pub(super) kind: u16,
    pub(super) y: Register,
    pub(super) a: Register,
    pub(super) b: Register,
    pub(super) from: Register,
    /// The shares that the operand has received before.
    pub(super) sum: Register,
    pub(super) to: Register,
}

/// What an instruction does in one number, so that one jump finds it: the operation, and
/// some flags. For an operation on any number of operands there are none. It begins at 0,
/// with the operation after the leaf.
pub(super) const fn kind(op: Op, flags: u16) -> u16 {
    (op as u16 - 1) << 3 | flags
}

/// A kind as a pattern: a `match` of patterns becomes one jump, one of comparisons not always.
struct Kind<const OP: u16, const FLAGS: u16>;

impl<const OP: u16, const FLAGS: u16> Kind<OP, FLAGS> {
    const NUMBER: u16 = (OP - 1) << 3 | FLAGS;
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
pub(super) struct Many {
    pub(super) operands: Vec<Register>,
    pub(super) constants: Vec<f64>,
    /// For each operand whose adjoint is asked for the shares before, and where their sum goes.
    pub(super) to: Vec<Option<(Option<Register>, Register)>>,
}

/// A comparison that was made while recording.
#[derive(Clone, Copy)]
pub(super) struct RegisterGuard {
    pub(super) a: Register,
    pub(super) b: Register,
    pub(super) test: Comparison,
    pub(super) held: bool,
}

/// A function of few numbers. The first registers are its inputs, the last ones constants,
/// and the others what instructions write.
#[derive(Clone, Default)]
pub(super) struct Registers {
    /// No other function has it, but copies of this one.
    id: u64,
    /// How many registers it takes.
    pub(super) count: usize,
    pub(super) constants: Vec<f64>,
    pub(super) steps: Vec<Step>,
    pub(super) sends: Vec<Send>,
    pub(super) many: Vec<Many>,
    pub(super) guards: Vec<RegisterGuard>,
    /// Whether some operation picks one of its operands, so that adjoints may be absent.
    pub(super) branches: bool,
    pub(super) output: Register,
    pub(super) gradient: Vec<Register>,
}

fn of(numbers: &Numbers, register: Register) -> f64 {
    numbers[usize::from(register)]
}

impl Registers {
    /// Those of a function of so many nodes, with none of its instructions.
    pub(super) fn with_room(nodes: usize, inputs: usize) -> Self {
        static LAST_ID: AtomicU64 = AtomicU64::new(0);
        Self {
            id: LAST_ID.fetch_add(1, Ordering::Relaxed) + 1,
            steps: Vec::with_capacity(nodes),
            sends: Vec::with_capacity(nodes),
            gradient: Vec::with_capacity(inputs),
            ..Self::default()
        }
    }

    /// Bytes of the instructions and of what they take.
    pub(super) fn bytes(&self) -> usize {
        let many = |many: &Many| {
            many.operands.len() + size_of_val(&many.constants[..]) + size_of_val(&many.to[..])
        };
        size_of_val(&self.constants[..])
            + size_of_val(&self.steps[..])
            + size_of_val(&self.sends[..])
            + size_of_val(&self.guards[..])
            + self.gradient.len()
            + self.many.iter().map(many).sum::<usize>()
    }

    /// The value at `x`, and the gradient if it is asked for; nothing, if a comparison comes
    /// out the other way than recorded.
    pub(super) fn run(
        &self,
        x: &[f64],
        gradient: Option<&mut [f64]>,
        file: &mut RegisterFile,
    ) -> Option<f64> {
        let numbers = &mut file.numbers;
        if file.holder != self.id {
            numbers[REGISTERS - self.constants.len()..].copy_from_slice(&self.constants);
            file.holder = self.id;
        }
        numbers[..x.len()].copy_from_slice(x);
        self.evaluate(numbers);
        if !self.guards_hold(numbers) {
            return None;
        }
        let value = of(numbers, self.output);
        if let Some(gradient) = gradient {
            match self.branches {
                true => self.send::<true>(numbers),
                false => self.send::<false>(numbers),
            }
            for (to, &register) in gradient.iter_mut().zip(&self.gradient) {
                *to = of(numbers, register) + 0.0;
            }
        }
        Some(value)
    }

    fn evaluate(&self, numbers: &mut Numbers) {
        let mut last = 0.0;
        for step in &self.steps {
            let many = |numbers: &Numbers| self.many[usize::from(step.a)].value(step.kind, numbers);
            last = result_of(step, last, numbers, many);
            numbers[usize::from(step.y)] = last;
        }
    }

    fn guards_hold(&self, numbers: &Numbers) -> bool {
        let holds = |g: &RegisterGuard| g.test.holds(of(numbers, g.a), of(numbers, g.b)) == g.held;
        self.guards.iter().all(holds)
    }

    /// Sends all shares. If there are `BRANCHES`, absent adjoints are told from computed
    /// zeros.
    fn send<const BRANCHES: bool>(&self, numbers: &mut Numbers) {
        let mut last = 0.0;
        for send in &self.sends {
            let many = |numbers: &mut Numbers| {
                self.many[usize::from(send.a)].send::<BRANCHES>(send, numbers);
                of(numbers, send.to)
            };
            last = total_of::<BRANCHES>(send, last, numbers, many);
            numbers[usize::from(send.to)] = last;
        }
    }
}

impl Many {
    fn operands(&self, numbers: &Numbers) -> SmallVec<[f64; 8]> {
        let each = |&register: &Register| of(numbers, register);
        self.operands.iter().map(each).collect()
    }

    #[inline(never)]
    fn value(&self, kind: u16, numbers: &Numbers) -> f64 {
        let op = op(kind);
        let x = self.operands(numbers);
        op.value_n(x.len(), |i| x[i], &self.constants[..])
    }

    #[inline(never)]
    fn send<const BRANCHES: bool>(&self, send: &Send, numbers: &mut Numbers) {
        let op = op(send.kind);
        let (x, y, adjoint) = (
            self.operands(numbers),
            of(numbers, send.y),
            of(numbers, send.from),
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
                numbers[usize::from(to)] = sum.plus(share);
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
fn result<const FLAGS: u16>(op: Op, step: &Step, last: f64, numbers: &Numbers) -> f64 {
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
fn total<const BRANCHES: bool, const FLAGS: u16>(
    op: Op,
    send: &Send,
    last: f64,
    numbers: &Numbers,
) -> f64 {
    let (a, b, y) = (
        of(numbers, send.a),
        of(numbers, send.b),
        of(numbers, send.y),
    );
    let partial = match (op.arity(), FLAGS & SECOND) {
        (Some(1), _) => op.partial_1(a, y),
        (_, 0) => op.partial_first(a, b, y),
        _ => op.partial_second(a, b, y),
    };
    let adjoint = match FLAGS & FROM_LAST {
        0 => of(numbers, send.from),
        _ => last,
    };
    let share = share::<BRANCHES>(op.is_branch(), adjoint, partial);
    match FLAGS & ADD {
        0 => share,
        _ => of(numbers, send.sum) + share,
    }
}

table! { instructions }
