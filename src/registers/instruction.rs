//! `Instruction`: one operation on registers, forward or reverse, and its dispatch.
//!
//! The code is threaded: each handler calls that of the next instruction, which is a tail call in
//! an optimised build. A processor predicts many indirect jumps, one in each handler, better than
//! the only one of an interpreter's loop, and there is no jump back (`docs/benchmarks.md`).

use super::Register;
use crate::math::plain;
use crate::ops::{ABSENT, Op, Real, table};

/// Reads some registers and writes one.
///
/// Forward, `to` becomes what `op` gives for `a` and `b`, or for a product that is added to a
/// sum, `sum` + `a`·`b`; for two products, `a`·`b` + `y`·`from`.
///
/// Reverse, as an adjoint instruction, it makes the contribution of the adjoint in `from`, of the
/// result `y` of `op`, to one operand. The operand's adjoint will be in `to`: the contribution and
/// those before it, in `sum`. Or it makes contributions of one adjoint to an operand each of two
/// products, whose other factors are `b` and `y`, and writes them to `sum` and `to`.
#[derive(Clone, Copy)]
pub(crate) struct Instruction<R, const N: usize> {
    handler: Handler<R, N>,
    pub(crate) op: Op,
    pub(crate) flags: u8,
    pub(crate) a: R,
    pub(crate) b: R,
    pub(crate) y: R,
    pub(crate) from: R,
    pub(crate) sum: R,
    pub(crate) to: R,
}

/// Executes the first of some instructions, given the result of the one before it, and dispatches
/// those after it. Returns the last result. Arguments and result fit into the processor's registers
/// on every platform; otherwise no call becomes a tail call.
type Handler<R, const N: usize> = fn(&[Instruction<R, N>], &mut [f64; N], f64) -> f64;

/// The most instructions that call one another. Where calls are no tail calls, the stack must
/// suffice.
const CHAIN: usize = 64;

// An operand that is the result of the step before is read from a processor's register, where it
// is some cycles earlier than in memory.
pub(crate) const FIRST_IS_LAST: u8 = 1;
pub(crate) const SECOND_IS_LAST: u8 = 2;
/// Of a product that is added to a sum.
pub(crate) const SUM: u8 = 4;
pub(crate) const SUM_IS_LAST: u8 = SUM | 1;
pub(crate) const SUM_FIRST_IS_LAST: u8 = SUM | 2;
pub(crate) const SUM_SECOND_IS_LAST: u8 = SUM | 3;
/// Of two products that are added: to one another, and this to a sum, or each to a sum.
pub(crate) const PAIR: u8 = 8;
pub(crate) const PAIR_BEFORE_SUM: u8 = PAIR | 2;
pub(crate) const SUM_AND_PAIR: u8 = PAIR | SUM;

/// The same for the adjoint of an adjoint instruction.
pub(crate) const FROM_LAST: u8 = 1;
/// The contribution is added to earlier ones.
pub(crate) const ADD: u8 = 2;
/// The contribution is one to the second operand.
pub(crate) const SECOND: u8 = 4;
/// The contribution is one to both operands, which are the same node.
pub(crate) const BOTH: u8 = 8;
/// There are two contributions, to one operand each of two products.
pub(crate) const TWO: u8 = 12;

// Some operations on one operand may be applied to b + a or b − a, for a constant `b`. (The
// flags of sums and of second operands, which they do not have, may be the same.)
pub(crate) const MINUS: u8 = 4;
pub(crate) const PLUS: u8 = 8;

/// Whether there are instructions of an operation on a shifted operand.
pub(crate) const fn takes_shifted(op: Op) -> bool {
    op.takes_shifted()
}

/// Whether an operation has instructions that make two contributions: to both operands, if they are
/// the same node, or to one operand each of two operations.
pub(crate) const fn takes_both(op: Op) -> bool {
    matches!(op, Op::Mul)
}

/// Whether an instruction makes two contributions to two nodes.
const fn contributes_twice(op: Op, flags: u8) -> bool {
    takes_both(op) && flags & TWO == TWO
}

/// How many combinations of an operation and flags there are.
const KINDS: usize = (Op::ALL.len() + 1) << 4;

const fn kind(op: Op, flags: u8) -> usize {
    (op as usize) << 4 | flags as usize
}

impl<R: Register, const N: usize> Instruction<R, N> {
    /// An instruction of a forward sweep.
    pub(crate) fn step(op: Op, flags: u8, [a, b, sum]: [R; 3], to: R) -> Self {
        let handler = Self::STEPS[kind(op, flags)];
        Self::new(handler, op, flags, [a, b, to], [to, sum, to]) // `y` and `from` are not read
    }

    /// A step of two products, whose factors these are, that are added as `flags` say.
    pub(crate) fn pair(flags: u8, [a, b]: [R; 2], [c, d]: [R; 2], sum: R, to: R) -> Self {
        let handler = Self::STEPS[kind(Op::Mul, flags)];
        Self::new(handler, Op::Mul, flags, [a, b, c], [d, sum, to])
    }

    /// An adjoint instruction. With `BRANCHES` it tells absent adjoints from computed zeros.
    pub(crate) fn adjoint_step<const BRANCHES: bool>(
        op: Op,
        flags: u8,
        operation: [R; 3],
        adjoints: [R; 3],
    ) -> Self {
        let handler = match BRANCHES {
            true => Self::ADJOINT_STEPS_WITH_BRANCHES[kind(op, flags)],
            false => Self::ADJOINT_STEPS[kind(op, flags)],
        };
        Self::new(handler, op, flags, operation, adjoints)
    }

    /// Whether an adjoint instruction contributes to the adjoint in a register.
    pub(crate) fn contributes_to(&self, register: R) -> bool {
        let first = contributes_twice(self.op, self.flags).then_some(self.sum);
        self.to == register || first == Some(register)
    }

    #[inline(always)]
    fn new(
        handler: Handler<R, N>,
        op: Op,
        flags: u8,
        [a, b, y]: [R; 3],
        [from, sum, to]: [R; 3],
    ) -> Self {
        Self {
            handler,
            op,
            flags,
            a,
            b,
            y,
            from,
            sum,
            to,
        }
    }

    /// Executes instructions in order.
    #[inline(always)]
    pub(crate) fn act_all(mut these: &[Self], numbers: &mut [f64; N]) {
        let mut last = 0.0;
        while let [first, after @ ..] = these {
            last = (first.handler)(these, numbers, last);
            these = &after[after.len() % CHAIN..];
        }
    }

    /// Writes the result of this instruction, and dispatches those after it.
    #[inline(always)]
    fn dispatch(&self, after: &[Self], numbers: &mut [f64; N], result: f64) -> f64 {
        numbers[self.to.into()] = result;
        match after {
            [next, ..] if !after.len().is_multiple_of(CHAIN) => {
                (next.handler)(after, numbers, result)
            }
            _ => result,
        }
    }
}

/// The number in a register.
#[inline(always)]
pub(crate) fn of<R: Register, const N: usize>(numbers: &[f64; N], register: R) -> f64 {
    numbers[register.into()]
}

/// The handler of a step.
fn step<R: Register, const N: usize, const OP: u8, const FLAGS: u8>(
    these: &[Instruction<R, N>],
    numbers: &mut [f64; N],
    last: f64,
) -> f64 {
    let [this, after @ ..] = these else {
        return last;
    };
    let op = const { Op::numbered(OP as usize) };
    if is_rare(op, this.first::<FLAGS>(op, last, numbers)) {
        return rare_step::<R, N, OP, FLAGS>(these, numbers, last);
    }
    let result = this.result::<FLAGS>(op, last, numbers);
    this.dispatch(after, numbers, result)
}

/// The same for arguments outside of the fast path. A function that makes a call before its end
/// saves registers, however rare the call is, so this is a function of its own.
#[cold]
#[inline(never)]
fn rare_step<R: Register, const N: usize, const OP: u8, const FLAGS: u8>(
    these: &[Instruction<R, N>],
    numbers: &mut [f64; N],
    last: f64,
) -> f64 {
    let [this, after @ ..] = these else {
        return last;
    };
    let op = const { Op::numbered(OP as usize) };
    let result = this.result::<FLAGS>(op, last, numbers);
    this.dispatch(after, numbers, result)
}

#[inline(always)]
fn is_rare(op: Op, x: f64) -> bool {
    match op {
        Op::Exp | Op::Sigmoid | Op::Softplus => !plain::is_for_exp(x),
        Op::Ln => !plain::is_for_ln(x),
        _ => false,
    }
}

/// The handler of an adjoint instruction.
fn adjoint_step<
    R: Register,
    const N: usize,
    const BRANCHES: bool,
    const OP: u8,
    const FLAGS: u8,
>(
    these: &[Instruction<R, N>],
    numbers: &mut [f64; N],
    last: f64,
) -> f64 {
    let [this, after @ ..] = these else {
        return last;
    };
    let op = const { Op::numbered(OP as usize) };
    let total = if contributes_twice(op, FLAGS) {
        // One written before the other is computed: W2 as a `Function` 40.1 → 39.4 ns.
        let adjoint = this.adjoint::<FLAGS>(last, numbers);
        let first = this.factor_contribution::<BRANCHES>(op, adjoint, this.b, numbers);
        numbers[this.sum.into()] = first;
        this.factor_contribution::<BRANCHES>(op, adjoint, this.y, numbers)
    } else {
        this.total::<BRANCHES, FLAGS>(op, last, numbers)
    };
    this.dispatch(after, numbers, total)
}

/// The handler of n-ary operations, which have no instructions.
fn none<R: Register, const N: usize>(_: &[Instruction<R, N>], _: &mut [f64; N], _: f64) -> f64 {
    unreachable!("an operation on any number of operands among instructions")
}

impl<R: Register, const N: usize> Instruction<R, N> {
    /// The first operand of a step.
    #[inline(always)]
    fn first<const FLAGS: u8>(&self, op: Op, last: f64, numbers: &[f64; N]) -> f64 {
        if takes_shifted(op) {
            let a = match FLAGS & FIRST_IS_LAST {
                0 => of(numbers, self.a),
                _ => last,
            };
            return self.shifted::<FLAGS>(a, numbers);
        }
        match FLAGS {
            FIRST_IS_LAST | SUM_FIRST_IS_LAST => last,
            _ => of(numbers, self.a),
        }
    }

    /// The operand of a unary operation, after the shift.
    #[inline(always)]
    fn shifted<const FLAGS: u8>(&self, a: f64, numbers: &[f64; N]) -> f64 {
        match FLAGS & (PLUS | MINUS) {
            0 => a,
            PLUS => Op::Add.value_2(of(numbers, self.b), a),
            _ => Op::Sub.value_2(of(numbers, self.b), a),
        }
    }

    /// The result of a step, whose operands are where `FLAGS` say. The negation of a sum with a
    /// product is one step.
    #[inline(always)]
    fn result<const FLAGS: u8>(&self, op: Op, last: f64, numbers: &[f64; N]) -> f64 {
        let a = self.first::<FLAGS>(op, last, numbers);
        if takes_shifted(op) {
            return op.value_1(a);
        }
        if FLAGS & PAIR != 0 {
            return self.sum_with_pair::<FLAGS>(last, numbers);
        }
        let b = match FLAGS {
            SECOND_IS_LAST | SUM_SECOND_IS_LAST => last,
            _ => of(numbers, self.b),
        };
        if FLAGS & SUM != 0 {
            let sum = match FLAGS {
                SUM_IS_LAST => last,
                _ => of(numbers, self.sum),
            };
            let sum = Op::Add.value_2(sum, Op::Mul.value_2(a, b));
            return if op == Op::Neg { op.value_1(sum) } else { sum };
        }
        match op.arity() {
            Some(1) => op.value_1(a),
            _ => op.value_2(a, b),
        }
    }

    /// Two products and perhaps a sum, added in the order that `FLAGS` say.
    #[inline(always)]
    fn sum_with_pair<const FLAGS: u8>(&self, last: f64, numbers: &[f64; N]) -> f64 {
        let product = |a, b| Op::Mul.value_2(of(numbers, a), of(numbers, b));
        let add = |a, b| Op::Add.value_2(a, b);
        let (first, second) = (product(self.a, self.b), product(self.y, self.from));
        match FLAGS {
            PAIR => add(first, second),
            PAIR_BEFORE_SUM => add(add(first, second), of(numbers, self.sum)),
            SUM_AND_PAIR => add(add(of(numbers, self.sum), first), second),
            _ => add(add(last, first), second),
        }
    }

    /// The adjoint of an adjoint instruction's result.
    #[inline(always)]
    fn adjoint<const FLAGS: u8>(&self, last: f64, numbers: &[f64; N]) -> f64 {
        match FLAGS & FROM_LAST {
            0 => of(numbers, self.from),
            _ => last,
        }
    }

    /// The contribution to a factor of a product, given the other factor.
    #[inline(always)]
    fn factor_contribution<const BRANCHES: bool>(
        &self,
        op: Op,
        adjoint: f64,
        other: R,
        numbers: &[f64; N],
    ) -> f64 {
        let other = of(numbers, other);
        share::<BRANCHES>(false, adjoint, op.partial_first(other, other, other))
    }

    /// The contribution, and with `ADD` those before it.
    #[inline(always)]
    fn total<const BRANCHES: bool, const FLAGS: u8>(
        &self,
        op: Op,
        last: f64,
        numbers: &[f64; N],
    ) -> f64 {
        let (a, b, y) = (
            of(numbers, self.a),
            of(numbers, self.b),
            of(numbers, self.y),
        );
        let partial = match (op.arity(), FLAGS & SECOND) {
            (Some(1), _) if takes_shifted(op) => op.partial_1(self.shifted::<FLAGS>(a, numbers), y),
            (Some(1), _) => op.partial_1(a, y),
            (_, 0) => op.partial_first(a, b, y),
            _ => op.partial_second(a, b, y),
        };
        let adjoint = self.adjoint::<FLAGS>(last, numbers);
        let mut contribution = share::<BRANCHES>(op.is_branch(), adjoint, partial);
        if takes_shifted(op) && FLAGS & MINUS != 0 {
            contribution = share::<BRANCHES>(false, contribution, Op::Sub.partial_second(b, a, y));
        }
        let total = match FLAGS & ADD {
            0 => contribution,
            _ => of(numbers, self.sum) + contribution,
        };
        if takes_both(op) && FLAGS & BOTH != 0 {
            return total + share::<BRANCHES>(false, adjoint, op.partial_second(a, b, y));
        }
        total
    }
}

/// One contribution. A branch contributes nothing to an operand by which its partial is zero.
/// Without branches no adjoint is absent, and −0 is a computed one.
#[inline(always)]
pub(crate) fn share<const BRANCHES: bool>(branch: bool, adjoint: f64, partial: f64) -> f64 {
    match (BRANCHES, branch && partial == 0.0) {
        (_, true) => ABSENT,
        (true, _) => f64::share(adjoint, partial),
        (false, _) => adjoint * partial,
    }
}

table! { instructions }
