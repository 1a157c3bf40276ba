//! The elementary functions on `f64`.
//!
//! Every executor calls these and nothing else, so a value has the same bits
//! in every number type. They come from `libm`, whose results do not depend
//! on the platform as those of `std` do. What is written here are the forms
//! that no library has and that must not cancel or overflow: `sigmoid`,
//! `softplus`, `logit` and their kin. Derivatives are not here: see `ops`.

pub(crate) use libm::{
    acos, acosh, asin, asinh, atan, atan2, atanh, cbrt, cos, cosh, erf, exp, exp2, expm1 as exp_m1,
    hypot, log as ln, log1p as ln_1p, log2, log10, pow, sin, sinh, sqrt, tan, tanh,
};
use std::f64::consts::LN_2;

/// 1/(1+e^{−x}); each sign has the form that does not lose digits.
#[inline]
pub(crate) fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + exp(-x))
    } else {
        let e = exp(x);
        e / (1.0 + e)
    }
}

/// ln(1+e^x) as max(x, 0) + ln_1p(e^{−|x|}), finite for every finite x.
#[inline]
pub(crate) fn softplus(x: f64) -> f64 {
    maximum(x, 0.0) + ln_1p(exp(-x.abs()))
}

/// ln σ(x) = −softplus(−x).
#[inline]
pub(crate) fn log_sigmoid(x: f64) -> f64 {
    -softplus(-x)
}

/// ln(p/(1−p)). Between ¼ and 1 the quotient is close to 1 and its logarithm
/// is taken as ln_1p((2p−1)/(1−p)), where 2p−1 is exact.
#[inline]
pub(crate) fn logit(p: f64) -> f64 {
    if p < 0.25 {
        ln(p) - ln_1p(-p)
    } else {
        ln_1p((2.0 * p - 1.0) / (1.0 - p))
    }
}

/// ln(e^a+e^b) as max + ln_1p(e^{−|a−b|}).
#[inline]
pub(crate) fn log_add_exp(a: f64, b: f64) -> f64 {
    if a == b {
        return a + LN_2; // also where a − b = ∞ − ∞
    }
    maximum(a, b) + ln_1p(exp(-(a - b).abs()))
}

/// x·ln y, and 0 wherever x is 0 and y is a number.
#[inline]
pub(crate) fn x_ln_y(x: f64, y: f64) -> f64 {
    if x == 0.0 && y >= 0.0 { 0.0 } else { x * ln(y) }
}

/// The larger; NaN if either is NaN; +0 above −0.
#[inline]
pub(crate) fn maximum(a: f64, b: f64) -> f64 {
    if a > b || (a == b && b.is_sign_negative()) || a.is_nan() {
        a
    } else {
        b
    }
}

/// The smaller; NaN if either is NaN; −0 below +0.
#[inline]
pub(crate) fn minimum(a: f64, b: f64) -> f64 {
    if a < b || (a == b && a.is_sign_negative()) || a.is_nan() {
        a
    } else {
        b
    }
}

/// −1, 0 or 1 as a is less than, equal to or greater than b; NaN if unordered.
#[inline]
pub(crate) fn compare(a: f64, b: f64) -> f64 {
    match a.partial_cmp(&b) {
        Some(order) => f64::from(order as i8),
        None => f64::NAN,
    }
}

/// ln Σ e^{xᵢ} over `n` operands, shifted by the largest; −∞ for none.
#[inline]
pub(crate) fn log_sum_exp(n: usize, x: impl Fn(usize) -> f64) -> f64 {
    let Some(top) = (0..n).reduce(|i, j| if x(j) > x(i) || x(j).is_nan() { j } else { i }) else {
        return f64::NEG_INFINITY;
    };
    let shift = x(top);
    if !shift.is_finite() {
        return shift; // −∞ everywhere, a +∞, or a NaN
    }
    let rest: f64 = (0..n)
        .filter(|&i| i != top)
        .map(|i| exp(x(i) - shift))
        .sum();
    shift + ln_1p(rest)
}
