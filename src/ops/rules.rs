//! What the partials of some rows are made of: constants, and the partials of
//! n-ary operations that take more than a line. These are functions of their
//! own, not inlined, so that the sweep keeps what it holds in registers.

pub(crate) use super::dot::DotOperands;
use super::{Op, Real};
use smallvec::{SmallVec, smallvec};
pub(crate) use std::f64::consts::{FRAC_2_SQRT_PI, LN_2, LOG2_E, LOG10_E};

/// As many as there are operands; few of them allocate nothing.
pub(crate) type Partials<T> = SmallVec<[T; 16]>;

/// The partials of a product, from the products of what stands before and
/// after each factor: linear in their number and right where a factor is 0.
#[inline(never)]
pub(crate) fn products_of_others<T: Real>(n: usize, x: impl Fn(usize) -> T) -> Partials<T> {
    let times = |product: Option<T>, factor| Some(product.map_or(factor, |p| p * factor));
    let mut after: Partials<Option<T>> = smallvec![None; n];
    for i in (1..n).rev() {
        after[i - 1] = times(after[i], x(i));
    }
    let mut before: Option<T> = None;
    let mut others = Partials::with_capacity(n);
    for (i, &after) in after.iter().enumerate() {
        let product = after.map_or(before, |after| times(before, after));
        others.push(product.unwrap_or(T::from(1.0)));
        before = times(before, x(i));
    }
    others
}

/// `partial`, which is 0 at x = y = 0, though its formula is 0·∞ or 0/0 there (and at x = 0 if y
/// is NaN). √x stands for it at that point: 0, too, and with the slope +∞ in x that `partial`
/// has. A constant 0 would be a second derivative of 0, which is wrong.
#[inline(always)]
pub(crate) fn zero_at_origin<T: Real>(x: T, y: T, partial: T) -> T {
    if x.is_constant() && x.value() != 0.0 {
        return partial;
    }
    let where_x_is_0 = T::from(0.0).select_lt(y.abs(), partial, x.sqrt());
    x.select_eq(0.0, where_x_is_0, partial)
}

/// Whether x is a whole number, or infinite: an exponent of which every base has a power.
#[inline(always)]
pub(crate) fn is_whole(x: f64) -> bool {
    const ALL_WHOLE: f64 = 4503599627370496.0; // from 2⁵² on
    let size = x.abs();
    size >= ALL_WHOLE || (size + ALL_WHOLE) - ALL_WHOLE == size
}

/// The partials of a selection: none for what is compared.
#[inline(always)]
pub(crate) fn picked<T: Real>(then: T, otherwise: T) -> [T; 4] {
    [T::from(0.0), T::from(0.0), then, otherwise]
}

/// The partials of y = log_sum_exp: e^{xᵢ−y}, normalised once more because y
/// itself is rounded.
#[inline(never)]
pub(crate) fn softmax<T: Real>(n: usize, x: impl Fn(usize) -> T, y: T) -> Partials<T> {
    let mut weights: Partials<T> = (0..n).map(|i| (x(i) - y).exp()).collect();
    let total = T::nary(Op::Sum, &[&weights], &[]);
    for weight in &mut weights {
        *weight /= total;
    }
    weights
}
