//! What a step does to a block of rows: plain loops of constant length, over
//! numbers that read the table without branches (`Lane`).

use super::blocks::{BLOCK, Block, LANES, Total, View};
use super::lane::Lane;
use super::plan::To;
use crate::math;
use crate::ops::{ABSENT, Op, OpTask, Real, is_absent};

/// Writes, adds, or adds up a block of shares.
#[inline(always)]
pub(super) fn deliver(
    to: To,
    adjoints: &mut [Block],
    totals: &mut [Total],
    share: impl Fn(usize) -> f64,
) {
    match to {
        To::Nobody => {}
        To::First(adjoint) => {
            let adjoint = &mut adjoints[adjoint as usize];
            for i in 0..BLOCK {
                adjoint[i] = share(i);
            }
        }
        To::Add(adjoint) => {
            let adjoint = &mut adjoints[adjoint as usize];
            for i in 0..BLOCK {
                adjoint[i] += share(i);
            }
        }
        To::Total(total) => {
            let total = &mut totals[total as usize];
            let mut sum = *total;
            for i in 0..BLOCK / LANES {
                for (lane, sum) in sum.iter_mut().enumerate() {
                    *sum += share(i * LANES + lane);
                }
            }
            *total = sum;
        }
    }
}

/// sum += a·b, as `Add` and `Mul` say.
#[inline(always)]
pub(super) fn add_product(a: View<'_>, b: View<'_>, sum: &mut Block) {
    #[inline(always)]
    fn add(sum: &mut Block, a: impl Fn(usize) -> f64, b: impl Fn(usize) -> f64) {
        for i in 0..BLOCK {
            let product = Lane::binary(Op::Mul, Lane(a(i)), Lane(b(i)));
            sum[i] = Lane::binary(Op::Add, Lane(sum[i]), product).0;
        }
    }
    match (a, b) {
        (View::Each(a), View::Each(b)) => add(sum, |i| a[i], |i| b[i]),
        (View::Each(a), View::All(b)) => add(sum, |i| a[i], |_| b),
        (View::All(a), View::Each(b)) => add(sum, |_| a, |i| b[i]),
        (View::All(a), View::All(b)) => add(sum, |_| a, |_| b),
    }
}

/// A step at its turn in a reverse sweep.
pub(super) struct Sender<'a> {
    pub(super) adjoint: &'a Block,
    /// The step's values.
    pub(super) y: &'a Block,
    pub(super) adjoints: &'a mut [Block],
    pub(super) totals: &'a mut [Total],
}

/// adjoint × partial, and nothing where a branch was not taken.
#[inline(always)]
fn share<const OP: usize, T: Real>(adjoint: f64, partial: T) -> f64 {
    let share = T::share(T::from(adjoint), partial).value();
    if Op::numbered(OP).is_branch() && partial.is_zero() {
        ABSENT
    } else {
        share
    }
}

impl Sender<'_> {
    #[inline(always)]
    pub(super) fn send(&mut self, to: To, share: impl Fn(f64, f64, usize) -> f64) {
        if to != To::Nobody {
            let mut shares = [0.0; BLOCK];
            for i in 0..BLOCK {
                shares[i] = share(self.adjoint[i], self.y[i], i);
            }
            deliver(to, self.adjoints, self.totals, |i| shares[i]);
        }
    }

    /// The share of a factor, of which `other` is the other: as `Mul` says, `Add`
    /// passing the adjoint on as it is.
    #[inline(always)]
    pub(super) fn send_product(&mut self, to: To, other: View<'_>) {
        let adjoint = self.adjoint;
        let partial = |other: f64| Op::Mul.partial_first(Lane(1.0), Lane(other), Lane(other));
        let share = |i: usize, other: f64| Lane::share(Lane(adjoint[i]), partial(other)).0;
        match other {
            View::Each(other) => {
                deliver(to, self.adjoints, self.totals, |i| share(i, other[i]));
            }
            View::All(other) => {
                deliver(to, self.adjoints, self.totals, |i| share(i, other));
            }
        }
    }
}

/// Whether the vector kernels cover all numbers of a block.
#[inline(always)]
fn covered<const OP: usize>(x: &Block) -> bool {
    let op = Op::numbered(OP);
    !(op == Op::Sin || op == Op::Cos) || x.iter().all(|&x| math::is_reduced(x))
}

pub(super) struct Result1<'a> {
    pub(super) x: View<'a>,
    pub(super) out: &'a mut Block,
}

impl OpTask for Result1<'_> {
    #[inline(always)]
    fn run<const OP: usize>(self) {
        let op = Op::numbered(OP);
        let View::Each(x) = self.x else { return };
        if covered::<OP>(x) {
            for i in 0..BLOCK {
                self.out[i] = Lane::unary(op, Lane(x[i])).0;
            }
        } else {
            for i in 0..BLOCK {
                self.out[i] = op.value_1(x[i]);
            }
        }
    }
}

pub(super) struct Share1<'a> {
    pub(super) x: View<'a>,
    pub(super) to: To,
    pub(super) sender: Sender<'a>,
}

impl OpTask for Share1<'_> {
    #[inline(always)]
    fn run<const OP: usize>(mut self) {
        let op = Op::numbered(OP);
        let View::Each(x) = self.x else { return };
        if covered::<OP>(x) {
            self.sender.send(self.to, |adjoint, y, i| {
                share::<OP, _>(adjoint, op.partial_1(Lane(x[i]), Lane(y)))
            });
        } else {
            self.sender.send(self.to, |adjoint, y, i| {
                share::<OP, _>(adjoint, op.partial_1(x[i], y))
            });
        }
    }
}

pub(super) struct Result2<'a> {
    pub(super) a: View<'a>,
    pub(super) b: View<'a>,
    pub(super) out: &'a mut Block,
}

impl OpTask for Result2<'_> {
    #[inline(always)]
    fn run<const OP: usize>(self) {
        let op = Op::numbered(OP);
        let result = |a: f64, b: f64| Lane::binary(op, Lane(a), Lane(b)).0;
        match (self.a, self.b) {
            (View::Each(a), View::Each(b)) => {
                for i in 0..BLOCK {
                    self.out[i] = result(a[i], b[i]);
                }
            }
            (View::Each(a), View::All(b)) => {
                for i in 0..BLOCK {
                    self.out[i] = result(a[i], b);
                }
            }
            (View::All(a), b) => {
                for i in 0..BLOCK {
                    self.out[i] = result(a, b.at(i));
                }
            }
        }
    }
}

pub(super) struct Share2<'a> {
    pub(super) a: View<'a>,
    pub(super) b: View<'a>,
    pub(super) to: [To; 2],
    pub(super) sender: Sender<'a>,
}

impl Share2<'_> {
    #[inline(always)]
    fn both<const OP: usize>(self, a: impl Fn(usize) -> f64, b: impl Fn(usize) -> f64) {
        let (op, [to_a, to_b], mut sender) = (Op::numbered(OP), self.to, self.sender);
        sender.send(to_a, |adjoint, y, i| {
            share::<OP, _>(adjoint, op.partial_first(Lane(a(i)), Lane(b(i)), Lane(y)))
        });
        sender.send(to_b, |adjoint, y, i| {
            share::<OP, _>(adjoint, op.partial_second(Lane(a(i)), Lane(b(i)), Lane(y)))
        });
    }
}

impl OpTask for Share2<'_> {
    #[inline(always)]
    fn run<const OP: usize>(self) {
        match (self.a, self.b) {
            (View::Each(a), View::Each(b)) => self.both::<OP>(|i| a[i], |i| b[i]),
            (View::Each(a), View::All(b)) => self.both::<OP>(|i| a[i], |_| b),
            (View::All(a), b) => self.both::<OP>(|_| a, |i| b.at(i)),
        }
    }
}

pub(super) struct ResultN<'a> {
    pub(super) x: &'a [View<'a>],
    pub(super) out: &'a mut Block,
}

impl OpTask for ResultN<'_> {
    #[inline(always)]
    fn run<const OP: usize>(self) {
        let (op, x) = (Op::numbered(OP), self.x);
        for i in 0..BLOCK {
            self.out[i] = op.value_n(x.len(), |j| x[j].at(i), &[]);
        }
    }
}

pub(super) struct ShareN<'a> {
    pub(super) x: &'a [View<'a>],
    pub(super) to: &'a [To],
    pub(super) sender: Sender<'a>,
}

impl OpTask for ShareN<'_> {
    #[inline(always)]
    fn run<const OP: usize>(self) {
        let (op, x, to) = (Op::numbered(OP), self.x, self.to);
        let Sender {
            adjoint,
            y,
            adjoints,
            totals,
        } = self.sender;
        for &to in to {
            if let To::First(adjoint) = to {
                adjoints[adjoint as usize] = [ABSENT; BLOCK];
            }
        }
        for i in (0..BLOCK).filter(|&i| !is_absent(adjoint[i])) {
            op.partials_n(
                x.len(),
                |j| x[j].at(i),
                &[],
                y[i],
                |j, partial: f64| {
                    let share = share::<OP, _>(adjoint[i], partial);
                    match to[j] {
                        To::Nobody => {}
                        To::First(to) | To::Add(to) => adjoints[to as usize][i] += share,
                        To::Total(to) => totals[to as usize][i % LANES] += share,
                    }
                },
            );
        }
    }
}
