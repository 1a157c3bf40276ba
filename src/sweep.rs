//! The heart: `forward` and `reverse`, two loops over one table.
//!
//! Both are generic over [`Real`]. `reverse` over `f64` gives adjoints; over `Dual`,
//! Hessian–vector products; over `Var` it records the gradient as a graph. What is compiled gives
//! the same bits.

use crate::graph::{GraphView, Operand, Record, RecordForm, code, is_of};
use crate::ops::rules::*; // what the partials of the table are made of
use crate::ops::{ABSENT, Op, Real, table};
use std::ops::Range;

/// Evaluates every operation in order. The values of the leaves are given.
pub(crate) fn forward<T: Real>(program: GraphView<'_>, values: &mut [T]) {
    // The value of the node before, which most operations take: out of a register
    // it is there some cycles earlier than out of memory.
    let Some(&(mut last)) = values.first() else {
        return;
    };
    let len = values.len();
    let records = &program.records[..len];
    let program = GraphView { records, ..program };
    let mut index = 0;
    while index < len {
        let kind = records[index].code();
        if is_of(kind, Op::Mul) {
            let product = match kind {
                PRODUCT => result(PRODUCT, program, index, values, last),
                SCALED => result(SCALED, program, index, values, last),
                _ => result(SCALED_BY_LEFT, program, index, values, last),
            };
            let next = index + 1;
            if next < len && records[next] == Record::sum_of_two_before(next) {
                values[index] = product;
                last = T::binary(Op::Add, last, product);
                index = next;
            } else {
                last = product;
            }
        } else {
            last = result(kind, program, index, values, last);
        }
        values[index] = last;
        index += 1;
    }
}

// Sums of products are products and sums in turn. A sweep goes to such a pair by a branch
// of its own, which knows the product, takes both at once, and keeps what they share in
// registers: W1 0.77, replayed 0.60 of the time (`docs/benchmarks.md`).

const SUM: u8 = code(Op::Add, RecordForm::Nodes);
const PRODUCT: u8 = code(Op::Mul, RecordForm::Nodes);
const SCALED: u8 = code(Op::Mul, RecordForm::NodeConstant);
const SCALED_BY_LEFT: u8 = code(Op::Mul, RecordForm::ConstantNode);

table! { result }
table! { edges }

/// Who is told of the edges from a node to its operands.
pub(crate) trait Edges<T> {
    /// The operand's position and the partial with respect to it. In a branch,
    /// a partial of zero means that the operand was not taken.
    fn edge(&mut self, operand: usize, partial: T, branch: bool);

    /// Before and after edges that come by `one_of_many`.
    #[inline(always)]
    fn many(&mut self, _begin: bool) {}

    /// The same as `edge`, for one of many operands.
    #[inline(always)]
    fn one_of_many(&mut self, operand: usize, partial: T, branch: bool) {
        self.edge(operand, partial, branch);
    }

    /// The same for operands that follow one another, given by their place among them.
    #[inline(always)]
    fn one_of_range(&mut self, operands: Range<usize>, branch: bool) -> impl FnMut(usize, T) {
        move |i, partial| self.edge(operands.start + i, partial, branch)
    }
}

impl<T, F: FnMut(usize, T, bool)> Edges<T> for F {
    fn edge(&mut self, operand: usize, partial: T, branch: bool) {
        self(operand, partial, branch);
    }
}

/// Sends every adjoint back to the operands, each share being adjoint ×
/// partial. `adjoints` holds the seeds, and what is absent elsewhere.
// In line it would have fewer registers than by itself: W1 evaluated again 220 → 295 ns a row.
#[inline(never)]
pub(crate) fn reverse<T: Real>(program: GraphView<'_>, values: &[T], adjoints: &mut [T]) {
    reverse_from_last::<T, true>(program, values, adjoints, 0);
}

/// The same down to the node `until`, which is not the first.
#[inline(never)]
pub(crate) fn reverse_to(
    program: GraphView<'_>,
    values: &[f64],
    adjoints: &mut [f64],
    until: usize,
) {
    reverse_from_last::<f64, false>(program, values, adjoints, until);
}

/// To the first node, if `ALL` are meant: then nobody asks which is the last one, which takes a
/// tenth of the time of W1 (`docs/benchmarks.md`).
#[inline(always)]
fn reverse_from_last<T: Real, const ALL: bool>(
    program: GraphView<'_>,
    values: &[T],
    adjoints: &mut [T],
    until: usize,
) {
    let len = adjoints.len();
    let (records, values) = (&program.records[..len], &values[..len]);
    let program = GraphView { records, ..program };
    let Some(&adjoint) = adjoints.last() else {
        return;
    };
    // The first node is a leaf: it has no edges. Below 0 `before` wraps to what is not
    // below `last`: one comparison for the end and for what lies in the slices.
    let last = len - 1;
    let (before, next) = (last.wrapping_sub(1), adjoint);
    let mut back = Backward {
        adjoints,
        adjoint,
        before,
        next,
    };
    while back.before < last && (ALL || back.before + 1 >= until) {
        let (before, at) = (back.before, back.before + 1);
        back.next = back.adjoints[before];
        if back.adjoint.is_absent() {
            back.turn_to(before);
            continue;
        }
        let kind = records[at].code();
        if kind == SUM
            && records[at] == Record::sum_of_two_before(at)
            && before > 0
            && (ALL || before >= until)
        {
            match records[before].code() {
                PRODUCT => {
                    back.sum_and_product(PRODUCT, program, values, before);
                    continue;
                }
                SCALED => {
                    back.sum_and_product(SCALED, program, values, before);
                    continue;
                }
                SCALED_BY_LEFT => {
                    back.sum_and_product(SCALED_BY_LEFT, program, values, before);
                    continue;
                }
                _ => {}
            }
        }
        for_each_edge(kind, program, at, values, &mut back);
        back.adjoints[before] = back.next;
        back.turn_to(before);
    }
}

/// The reverse sweep at one node.
struct Backward<'a, T> {
    adjoints: &'a mut [T],
    adjoint: T,
    /// The position of the node before.
    before: usize,
    /// Its adjoint, still to be stored. Most nodes are operands of the one after
    /// them; kept out of memory, a share is there some cycles earlier, which is
    /// half of the time of a chain (`docs/benchmarks.md`).
    next: T,
}

impl<T: Real> Backward<'_, T> {
    /// Now it is the turn of the node `at`, whose adjoint is `next`.
    #[inline(always)]
    fn turn_to(&mut self, at: usize) {
        self.adjoint = self.next;
        self.before = at.wrapping_sub(1);
    }

    /// A sum of the two nodes before it, and the second of them, a `product`, which is at
    /// `at`. What a sum has sent is not absent, so nobody asks.
    #[inline(always)]
    fn sum_and_product(&mut self, product: u8, program: GraphView<'_>, values: &[T], at: usize) {
        let (a, b, y) = (values[at - 1], values[at], values[at + 1]);
        let first = T::share(self.adjoint, Op::Add.partial_first(a, b, y));
        let second = T::share(self.adjoint, Op::Add.partial_second(a, b, y));
        let sum = self.adjoints[at - 1].plus(first);
        self.adjoint = self.next.plus(second);
        self.adjoints[at] = self.adjoint;
        (self.before, self.next) = (at - 1, sum);
        for_each_edge(product, program, at, values, self);
        self.adjoints[at - 1] = self.next;
        self.turn_to(at - 1);
    }
}

impl<T: Real> Edges<T> for Backward<'_, T> {
    #[inline(always)]
    fn edge(&mut self, operand: usize, partial: T, branch: bool) {
        let share = match branch {
            true => T::share_of_branch(self.adjoint, partial),
            false => T::share(self.adjoint, partial),
        };
        if operand == self.before {
            self.next = self.next.plus(share);
        } else {
            self.adjoints[operand] = self.adjoints[operand].plus(share);
        }
    }

    /// Among many, few operands are the node before: for them it is cheaper to
    /// put its adjoint into memory than to compare.
    #[inline(always)]
    fn many(&mut self, begin: bool) {
        if begin {
            self.adjoints[self.before] = self.next;
        } else {
            self.next = self.adjoints[self.before];
        }
    }

    #[inline(always)]
    fn one_of_many(&mut self, operand: usize, partial: T, branch: bool) {
        let share = match branch {
            true => T::share_of_branch(self.adjoint, partial),
            false => T::share_of_reached(self.adjoint, partial),
        };
        self.adjoints[operand] = self.adjoints[operand].plus(share);
    }

    #[inline(always)]
    fn one_of_range(&mut self, operands: Range<usize>, branch: bool) -> impl FnMut(usize, T) {
        let (adjoint, to) = (self.adjoint, &mut self.adjoints[operands]);
        #[inline(always)]
        move |i, partial| {
            to[i] = to[i].plus(match branch {
                true => T::share_of_branch(adjoint, partial),
                false => T::share_of_reached(adjoint, partial),
            });
        }
    }
}

/// A seed or direction: one that is zero moves nothing.
pub(crate) fn seed(value: f64) -> f64 {
    if value == 0.0 { ABSENT } else { value }
}
