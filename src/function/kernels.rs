//! What a step does to a block of rows: plain loops of constant length that compile
//! to vector instructions, each in a function of its own for each kind of vector.
//!
//! The loops read the table with numbers that have no branches (`Lane`, and `math`
//! as its rows see it here). A loop over a call that cannot be inlined, such as
//! `erf`, goes number by number.

use super::lane::Lane;
use super::vectors::Vectors;
use crate::math::is_reduced;
use crate::math::lanes as math; // what the rows of the table call `math` here
use crate::ops::rules::{FRAC_2_SQRT_PI, LN_2, LOG2_E, LOG10_E};
use crate::ops::{ABSENT, Op, Real, table};

/// Rows evaluated together. 64 numbers are 8 vectors of the widest kind: 16 blocks
/// lie in the nearest cache beside the data.
pub(super) const BLOCK: usize = 64;
/// Sums over rows that are kept apart: as many as the widest vector has numbers.
pub(super) const LANES: usize = 8;

pub(super) type Block = [f64; BLOCK];
pub(super) type Total = [f64; LANES];

type T = Lane; // the number type of the rows of the table here
table! { loops }

#[inline(always)]
fn each_one(x: &Block, out: &mut Block, f: impl Fn(f64) -> f64) {
    for i in 0..BLOCK {
        out[i] = f(x[i]);
    }
}

#[inline(always)]
fn each_two(a: &Block, b: &Block, out: &mut Block, f: impl Fn(f64, f64) -> f64) {
    for i in 0..BLOCK {
        out[i] = f(a[i], b[i]);
    }
}

/// A step at its turn in a reverse sweep: its adjoint and its values.
#[derive(Clone, Copy)]
pub(super) struct Sender<'a> {
    pub(super) adjoint: &'a Block,
    pub(super) y: &'a Block,
}

impl Sender<'_> {
    #[inline(always)]
    fn one<const BRANCH: bool>(
        self,
        x: &Block,
        out: &mut Block,
        partial: impl Fn(Lane, Lane) -> Lane,
    ) {
        let Self { adjoint, y } = self;
        for i in 0..BLOCK {
            out[i] = share::<BRANCH, _>(adjoint[i], partial(Lane(x[i]), Lane(y[i])));
        }
    }

    #[inline(always)]
    fn two<const BRANCH: bool>(
        self,
        a: &Block,
        b: &Block,
        out: &mut Block,
        partial: impl Fn(Lane, Lane, Lane) -> Lane,
    ) {
        let Self { adjoint, y } = self;
        for i in 0..BLOCK {
            let partial = partial(Lane(a[i]), Lane(b[i]), Lane(y[i]));
            out[i] = share::<BRANCH, _>(adjoint[i], partial);
        }
    }
}

/// adjoint × partial, and nothing where a branch was not taken.
#[inline(always)]
pub(super) fn share<const BRANCH: bool, T: Real>(adjoint: f64, partial: T) -> f64 {
    let share = T::share(T::from(adjoint), partial).value();
    if BRANCH && partial.is_zero() {
        ABSENT
    } else {
        share
    }
}

/// Whether the kernels cover all numbers of a block.
pub(super) fn covered(op: Op, x: &Block) -> bool {
    !(op == Op::Sin || op == Op::Cos) || x.iter().all(|&x| is_reduced(x))
}

/// What `value_one` does, for numbers that the kernels do not cover.
#[cold]
pub(super) fn value_uncovered(op: Op, x: &Block, out: &mut Block) {
    each_one(x, out, |x| op.value_1(x));
}

/// What `share_one` does, for numbers that the kernels do not cover.
#[cold]
pub(super) fn share_uncovered(op: Op, sender: Sender<'_>, x: &Block, out: &mut Block) {
    for i in 0..BLOCK {
        out[i] = share::<false, f64>(sender.adjoint[i], op.partial_1(x[i], sender.y[i]));
    }
}

/// Whether every row has an adjoint.
pub(super) fn all_reached<V: Vectors>(vectors: V, adjoint: &Block) -> bool {
    vectors.compiled(
        #[inline(always)]
        || {
            // Without an early end, which would keep it from being done many at a time.
            let absent = |&adjoint: &f64| adjoint.to_bits() == ABSENT.to_bits();
            !adjoint
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

#[inline(always)]
pub(super) fn sum(a: f64, b: f64) -> f64 {
    Lane::binary(Op::Add, Lane(a), Lane(b)).0
}

#[inline(always)]
pub(super) fn product(a: f64, b: f64) -> f64 {
    Lane::binary(Op::Mul, Lane(a), Lane(b)).0
}

/// to += shares
pub(super) fn add<V: Vectors>(vectors: V, shares: &Block, to: &mut Block) {
    vectors.compiled(
        #[inline(always)]
        || {
            for (to, share) in parts_mut(to).iter_mut().zip(parts(shares)) {
                *to = zip(*to, *share, sum);
            }
        },
    );
}

/// total += shares
pub(super) fn add_up<V: Vectors>(vectors: V, shares: &Block, total: &mut Total) {
    vectors.compiled(
        #[inline(always)]
        || {
            let parts = parts(shares).iter();
            *total = parts.fold(*total, |total, part| zip(total, *part, sum));
        },
    );
}

/// to += number
pub(super) fn add_number<V: Vectors>(vectors: V, number: f64, to: &mut Block) {
    vectors.compiled(
        #[inline(always)]
        move || {
            for to in parts_mut(to) {
                *to = zip(*to, [number; LANES], sum);
            }
        },
    );
}

/// to += aⱼ·xⱼ for j = 0, 1 …, where aⱼ is the same in all rows.
pub(super) fn add_multiples<V: Vectors, const N: usize>(
    vectors: V,
    a: &[f64; N],
    x: [&Block; N],
    to: &mut Block,
) {
    vectors.compiled(
        #[inline(always)]
        move || {
            let x = x.map(parts);
            for (k, to) in parts_mut(to).iter_mut().enumerate() {
                let mut next = *to;
                for j in 0..N {
                    next = zip(next, x[j][k], |next, x| sum(next, product(a[j], x)));
                }
                *to = next;
            }
        },
    );
}

/// to += a·b
pub(super) fn add_products<V: Vectors>(vectors: V, a: &Block, b: &Block, to: &mut Block) {
    vectors.compiled(
        #[inline(always)]
        || {
            let (a, b) = (parts(a), parts(b));
            for (k, to) in parts_mut(to).iter_mut().enumerate() {
                *to = zip(*to, zip(a[k], b[k], product), sum);
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

/// The same where there is an adjoint: adding +0 makes −0 a +0. (A selection in
/// what goes part by part is not compiled to vectors.)
#[inline(always)]
fn factor_share_of_reached(adjoint: f64, other: f64) -> f64 {
    sum(product(adjoint, partial_of_factor(other)), 0.0)
}

/// What goes back to a factor in each row, of which the other is a number in each.
pub(super) fn factor_shares<V: Vectors>(
    vectors: V,
    adjoint: &Block,
    other: &Block,
    out: &mut Block,
) {
    vectors.compiled(
        #[inline(always)]
        || each_two(adjoint, other, out, factor_share),
    );
}

/// The same where the other factor is one number.
pub(super) fn factor_shares_of<V: Vectors>(
    vectors: V,
    adjoint: &Block,
    other: f64,
    out: &mut Block,
) {
    vectors.compiled(
        #[inline(always)]
        move || {
            each_one(
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
pub(super) fn add_factor_shares_of<V: Vectors, const N: usize>(
    vectors: V,
    adjoint: &Block,
    other: &[f64; N],
    to: [&mut Block; N],
) {
    vectors.compiled(
        #[inline(always)]
        move || {
            let (adjoint, to) = (parts(adjoint), to.map(parts_mut));
            for (k, adjoint) in adjoint.iter().enumerate() {
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
pub(super) fn add_up_products<V: Vectors, const N: usize>(
    vectors: V,
    adjoint: &Block,
    other: [&Block; N],
    totals: &mut [Total; N],
) {
    vectors.compiled(
        #[inline(always)]
        move || {
            let mut sums = *totals;
            let (adjoint, other) = (parts(adjoint), other.map(parts));
            for k in 0..BLOCK / LANES {
                for j in 0..N {
                    let share = |adjoint: f64, other| adjoint * partial_of_factor(other);
                    sums[j] = zip(sums[j], zip(adjoint[k], other[j][k], share), sum);
                }
            }
            *totals = sums.map(|sums| sums.map(|sum| sum + 0.0));
        },
    );
}
