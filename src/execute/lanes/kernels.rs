//! What a step does to a block of rows: plain loops of constant length that compile
//! to vector instructions, each in a function of its own for each kind of vector.
//!
//! The loops read the table with numbers that have no branches (`Lane`, and `math`
//! as its rows see it here). A loop over a call that cannot be inlined, such as
//! `erf`, goes number by number.

use super::block::{BLOCK, Block, LANES, Total};
use super::lane::{Lane, product, sum};
use super::modifier::Before;
use super::vectors::Vectors;
use crate::math::lanes as math; // what the rows of the table call `math` here
use crate::math::{is_reduced, plain};
use crate::ops::rules::*; // what the partials of the table are made of
use crate::ops::{ABSENT, Op, Real, table};
use std::ops::Range;

/// The rows that a kernel goes over, and with which vectors.
#[derive(Clone, Copy)]
pub(crate) struct Span<V> {
    pub(crate) vectors: V,
    pub(crate) rows: usize,
}

impl<V: Vectors> Span<V> {
    /// Runs `task` compiled for the vectors. For full blocks it is a function of its own,
    /// whose loops have a length that the compiler knows.
    #[inline(always)]
    fn compiled<R>(self, task: impl FnOnce(Count) -> R) -> R {
        match self.rows {
            BLOCK => self.vectors.compiled(
                #[inline(always)]
                move || task(Count(BLOCK)),
            ),
            rows => self.vectors.compiled(
                #[inline(always)]
                move || task(Count(rows)),
            ),
        }
    }
}

/// How many rows a kernel goes over.
#[derive(Clone, Copy)]
struct Count(usize);

impl Count {
    /// How many parts hold all rows. The last one may not be full; what is in it beyond
    /// the last row is computed and not read.
    #[inline(always)]
    fn parts(self) -> usize {
        self.0.div_ceil(LANES).min(BLOCK / LANES)
    }

    /// How many rows those have.
    #[inline(always)]
    fn padded(self) -> usize {
        self.parts() * LANES
    }

    /// How many parts are full, and the rows that are left.
    #[inline(always)]
    fn full(self) -> (usize, Range<usize>) {
        let full = (self.0 / LANES).min(BLOCK / LANES);
        (full, full * LANES..self.0.min(BLOCK))
    }
}

type T = Lane; // the number type of the rows of the table here
table! { loops }

#[inline(always)]
fn each_one(rows: Count, x: &Block, out: &mut Block, f: impl Fn(f64) -> f64) {
    for i in 0..rows.padded() {
        out[i] = f(x[i]);
    }
}

/// The same after what is done to each number before.
#[inline(always)]
fn each_after(rows: Count, before: Before, x: &Block, out: &mut Block, f: impl Fn(f64) -> f64) {
    if before.is_nothing() {
        each_one(rows, x, out, f);
    } else {
        each_one(
            rows,
            x,
            out,
            #[inline(always)]
            |x| f(before.of(x)),
        );
    }
}

#[inline(always)]
fn each_two(rows: Count, a: &Block, b: &Block, out: &mut Block, f: impl Fn(f64, f64) -> f64) {
    for i in 0..rows.padded() {
        out[i] = f(a[i], b[i]);
    }
}

/// A step at its turn in a reverse sweep: its adjoint and its values.
#[derive(Clone, Copy)]
pub(crate) struct Sender<'a> {
    pub(crate) adjoint: &'a Block,
    pub(crate) y: &'a Block,
}

impl Sender<'_> {
    #[inline(always)]
    fn one<const BRANCH: bool>(
        self,
        rows: Count,
        before: Before,
        x: &Block,
        out: &mut Block,
        partial: impl Fn(Lane, Lane) -> Lane,
    ) {
        let Self { adjoint, y } = self;
        if before.is_nothing() {
            for i in 0..rows.padded() {
                out[i] = share::<BRANCH, _>(adjoint[i], partial(Lane(x[i]), Lane(y[i])));
            }
        } else {
            for i in 0..rows.padded() {
                let partial = partial(Lane(before.of(x[i])), Lane(y[i]));
                let of_operation = share::<BRANCH, _>(adjoint[i], partial);
                out[i] = share::<false, _>(of_operation, Lane(before.sign));
            }
        }
    }

    #[inline(always)]
    fn two<const BRANCH: bool>(
        self,
        rows: Count,
        a: &Block,
        b: &Block,
        out: &mut Block,
        partial: impl Fn(Lane, Lane, Lane) -> Lane,
    ) {
        let Self { adjoint, y } = self;
        for i in 0..rows.padded() {
            let partial = partial(Lane(a[i]), Lane(b[i]), Lane(y[i]));
            out[i] = share::<BRANCH, _>(adjoint[i], partial);
        }
    }
}

/// adjoint × partial, and nothing where a branch was not taken.
#[inline(always)]
pub(crate) fn share<const BRANCH: bool, T: Real>(adjoint: f64, partial: T) -> f64 {
    let share = T::share(T::from(adjoint), partial).value();
    if BRANCH && partial.is_zero() {
        ABSENT
    } else {
        share
    }
}

/// Whether the kernels cover all numbers of a block.
pub(crate) fn covered<V: Copy>(span: Span<V>, op: Op, before: Before, x: &Block) -> bool {
    let all = || x[..span.rows].iter().all(|&x| is_reduced(before.of(x)));
    !(op == Op::Sin || op == Op::Cos) || all()
}

/// What `value_one` does, by shorter ways that some operations have away from edges.
/// Returns whether all numbers are there: W1 10.6 → 10.3 ns a row (`docs/benchmarks.md`).
pub(crate) fn value_plain<V: Vectors>(
    span: Span<V>,
    op: Op,
    before: Before,
    x: &Block,
    out: &mut Block,
) -> bool {
    match op {
        Op::Exp => each_plain(span, before, x, out, plain::is_for_exp, plain::exp),
        Op::Ln => each_plain(span, before, x, out, plain::is_for_ln, plain::ln),
        Op::Sigmoid => each_plain(span, before, x, out, plain::is_for_exp, plain::sigmoid),
        _ => false,
    }
}

#[inline(always)]
fn each_plain<V: Vectors>(
    span: Span<V>,
    before: Before,
    x: &Block,
    out: &mut Block,
    is_plain: impl Fn(f64) -> bool,
    f: impl Fn(f64) -> f64,
) -> bool {
    span.compiled(
        #[inline(always)]
        move |rows| {
            // Without an early end, as in `all_reached`.
            let numbers = x[..rows.padded()].iter();
            let all = numbers.fold(true, |all, &x| all & is_plain(before.of(x)));
            if all {
                each_after(rows, before, x, out, f);
            }
            all
        },
    )
}

/// What `value_one` does, for numbers that the kernels do not cover.
#[cold]
pub(crate) fn value_uncovered<V: Copy>(
    span: Span<V>,
    op: Op,
    before: Before,
    x: &Block,
    out: &mut Block,
) {
    each_after(Count(span.rows), before, x, out, |x| op.value_1(x));
}

/// What `share_one` does, for numbers that the kernels do not cover.
#[cold]
pub(crate) fn share_uncovered<V: Copy>(
    span: Span<V>,
    op: Op,
    before: Before,
    sender: Sender<'_>,
    x: &Block,
    out: &mut Block,
) {
    for i in 0..span.rows {
        let partial = op.partial_1(before.of(x[i]), sender.y[i]);
        let of_operation = share::<false, f64>(sender.adjoint[i], partial);
        out[i] = share::<false, f64>(of_operation, before.sign);
    }
}

/// Whether every row has an adjoint.
pub(crate) fn all_reached<V: Vectors>(span: Span<V>, adjoint: &Block) -> bool {
    span.compiled(
        #[inline(always)]
        move |rows| {
            // Without an early end, which would keep it from being done many at a time.
            let absent = |&adjoint: &f64| adjoint.to_bits() == ABSENT.to_bits();
            !adjoint[..rows.padded()]
                .iter()
                .fold(false, |any, adjoint| any | absent(adjoint))
        },
    )
}

/// A block in parts as wide as the widest vector. What is computed on a part at a
/// time stays in registers, whatever the compiler knows of who points where.
#[inline(always)]
fn parts(block: &Block) -> &[Total; BLOCK / LANES] {
    block.as_chunks().0.try_into().expect("a whole block")
}

#[inline(always)]
fn parts_mut(block: &mut Block) -> &mut [Total; BLOCK / LANES] {
    block.as_chunks_mut().0.try_into().expect("a whole block")
}

/// One number after another of two parts.
#[inline(always)]
fn zip(a: Total, b: Total, f: impl Fn(f64, f64) -> f64) -> Total {
    let mut out = [0.0; LANES];
    for i in 0..LANES {
        out[i] = f(a[i], b[i]);
    }
    out
}

/// The same number in each row: in stores as wide as the loads that come after, which
/// would wait for several narrower ones.
pub(crate) fn fill<V: Vectors>(span: Span<V>, number: f64, out: &mut Block) {
    span.compiled(
        #[inline(always)]
        move |rows| {
            for out in &mut parts_mut(out)[..rows.parts()] {
                *out = [number; LANES];
            }
        },
    );
}

/// to += shares
pub(crate) fn add<V: Vectors>(span: Span<V>, shares: &Block, to: &mut Block) {
    span.compiled(
        #[inline(always)]
        move |rows| {
            let (to, shares) = (parts_mut(to), parts(shares));
            for k in 0..rows.parts() {
                to[k] = zip(to[k], shares[k], sum);
            }
        },
    );
}

/// total += shares
pub(crate) fn add_up<V: Vectors>(span: Span<V>, shares: &Block, total: &mut Total) {
    span.compiled(
        #[inline(always)]
        move |rows| {
            let (full, rest) = rows.full();
            for part in &parts(shares)[..full] {
                *total = zip(*total, *part, sum);
            }
            for row in rest {
                total[row % LANES] = sum(total[row % LANES], shares[row]);
            }
        },
    );
}

/// to += number
pub(crate) fn add_number<V: Vectors>(span: Span<V>, number: f64, to: &mut Block) {
    span.compiled(
        #[inline(always)]
        move |rows| {
            for to in &mut parts_mut(to)[..rows.parts()] {
                *to = zip(*to, [number; LANES], sum);
            }
        },
    );
}

/// to += aⱼ·xⱼ for j = 0, 1 …, where aⱼ is the same in all rows; or `to` is `begin` and these.
pub(crate) fn add_multiples<V: Vectors, const N: usize>(
    span: Span<V>,
    begin: Option<f64>,
    a: &[f64; N],
    x: &[&Block; N],
    to: &mut Block,
) {
    span.compiled(
        #[inline(always)]
        move |rows| {
            let x = x.map(parts);
            for (k, to) in parts_mut(to)[..rows.parts()].iter_mut().enumerate() {
                let mut next = begin.map_or(*to, |begin| [begin; LANES]);
                for j in 0..N {
                    next = zip(next, x[j][k], |next, x| sum(next, product(a[j], x)));
                }
                *to = next;
            }
        },
    );
}

/// to += aⱼ·bⱼ for j = 0, 1 …; or `to` is `begin` and these.
pub(crate) fn add_products<V: Vectors, const N: usize>(
    span: Span<V>,
    begin: Option<f64>,
    [a, b]: [&[&Block; N]; 2],
    to: &mut Block,
) {
    span.compiled(
        #[inline(always)]
        move |rows| {
            let (a, b) = (a.map(parts), b.map(parts));
            for (k, to) in parts_mut(to)[..rows.parts()].iter_mut().enumerate() {
                let mut next = begin.map_or(*to, |begin| [begin; LANES]);
                for j in 0..N {
                    next = zip(next, zip(a[j][k], b[j][k], product), sum);
                }
                *to = next;
            }
        },
    );
}

/// The partial of a product by a factor of which `other` is the other.
#[inline(always)]
fn partial_of_factor(other: f64) -> f64 {
    Op::Mul.partial_first(Lane(1.0), Lane(other), Lane(other)).0
}

/// What goes back to a factor, of which `other` is the other.
#[inline(always)]
fn factor_share(adjoint: f64, other: f64) -> f64 {
    Lane::share(Lane(adjoint), Lane(partial_of_factor(other))).0
}

/// The same where there is an adjoint. (A selection in what goes part by part is not
/// compiled to vectors.)
#[inline(always)]
fn factor_share_of_reached(adjoint: f64, other: f64) -> f64 {
    Lane::share_of_reached(Lane(adjoint), Lane(partial_of_factor(other))).0
}

/// What goes back to a factor in each row, of which the other is a number in each.
pub(crate) fn factor_shares<V: Vectors>(
    span: Span<V>,
    adjoint: &Block,
    other: &Block,
    out: &mut Block,
) {
    span.compiled(
        #[inline(always)]
        move |rows| each_two(rows, adjoint, other, out, factor_share),
    );
}

/// The same where the other factor is one number.
pub(crate) fn factor_shares_of<V: Vectors>(
    span: Span<V>,
    adjoint: &Block,
    other: f64,
    out: &mut Block,
) {
    span.compiled(
        #[inline(always)]
        move |rows| {
            each_one(
                rows,
                adjoint,
                out,
                #[inline(always)]
                |adjoint| factor_share(adjoint, other),
            );
        },
    );
}

/// Adds `factor_shares_of` N numbers to what has been sent before, where every row has
/// an adjoint.
pub(crate) fn add_factor_shares_of<V: Vectors, const N: usize>(
    span: Span<V>,
    adjoint: &Block,
    other: &[f64; N],
    to: [&mut Block; N],
) {
    span.compiled(
        #[inline(always)]
        move |rows| {
            let (adjoint, to) = (parts(adjoint), to.map(parts_mut));
            for (k, adjoint) in adjoint[..rows.parts()].iter().enumerate() {
                for j in 0..N {
                    let shares = zip(*adjoint, [other[j]; LANES], factor_share_of_reached);
                    to[j][k] = zip(to[j][k], shares, sum);
                }
            }
        },
    );
}

/// Adds `factor_shares` up to N totals at once, where every row has an adjoint.
///
/// There the selection of `factor_share` can wait: a sum of products is −0 only if
/// all of them are, and becomes +0 at the end as each of them would have.
pub(crate) fn add_up_products<V: Vectors, const N: usize>(
    span: Span<V>,
    adjoint: &Block,
    other: &[&Block; N],
    totals: &mut [Total; N],
) {
    span.compiled(
        #[inline(always)]
        move |rows| {
            let (mut sums, (full, rest)) = (*totals, rows.full());
            let share = |adjoint: f64, other| adjoint * partial_of_factor(other);
            for k in 0..full {
                for j in 0..N {
                    let (adjoint, other) = (parts(adjoint)[k], parts(other[j])[k]);
                    sums[j] = zip(sums[j], zip(adjoint, other, share), sum);
                }
            }
            for row in rest {
                for j in 0..N {
                    let total = &mut sums[j][row % LANES];
                    *total = sum(*total, share(adjoint[row], other[j][row]));
                }
            }
            *totals = sums.map(|sums| sums.map(|sum| sum + 0.0));
        },
    );
}
