//! The kernels as loops over many numbers need them: straight-line code without
//! branches. Where one number alone has a shorter way, it is in `mod.rs` or `plain.rs`, and gives
//! the same bits.

// What has no form of its own here is that of `mod.rs`: what is defined here goes before it.
pub(crate) use super::*;

/// eˣ
#[inline(always)]
pub(crate) fn exp(x: f64) -> f64 {
    let (k, sum) = exp_sum(clamp(x, -746.0, 710.0));
    scale(sum, k)
}

/// ln x
#[inline(always)]
pub(crate) fn ln(x: f64) -> f64 {
    let tiny = x < f64::MIN_POSITIVE;
    let (k, m) = split(if tiny { x * 18014398509481984.0 } else { x });
    let k = if tiny { k - 54.0 } else { k };
    let result = ln_parts(k, m - 1.0, k * LN_2_LOW);
    ln_edges(x, result)
}

/// eˣ − 1
#[inline(always)]
pub(crate) fn exp_m1(x: f64) -> f64 {
    let (result, _) = exp_m1_with_rest(x);
    if x == 0.0 { x } else { result }
}

/// ln(1 + x)
#[inline(always)]
pub(crate) fn ln_1p(x: f64) -> f64 {
    let result = ln_edges(1.0 + x, ln_1p_inside(x));
    if x == 0.0 { x } else { result }
}

/// The same where 1 + x is away from the edges of `ln`, and x is not 0.
#[inline(always)]
pub(super) fn ln_1p_inside(x: f64) -> f64 {
    let u = 1.0 + x;
    let (k, m) = split(u);
    // What rounding 1 + x has lost, relative to it
    let lost = if x < 1.0 {
        x - (u - 1.0)
    } else {
        1.0 - (u - x)
    };
    let near = k == 0.0;
    let (f, correction) = if near { (x, 0.0) } else { (m - 1.0, lost / u) };
    ln_parts(k, f, k * LN_2_LOW + correction)
}

/// tanh x
#[inline(always)]
pub(crate) fn tanh(x: f64) -> f64 {
    let size = x.abs();
    let (t, rest) = exp_m1_up_to_50(clamp(2.0 * size, 0.0, 50.0));
    let small = size < 0.5;
    let sum = t + 2.0;
    let quotient = (if small { t } else { 2.0 }) / sum;
    let other = 1.0 - quotient;
    // What t and the sum lost in rounding, to first order: 1/(t+2) is ½(1 − t/(t+2))
    let lost = t - (sum - 2.0);
    let result = if small {
        quotient + 0.5 * other * (rest * other - quotient * lost)
    } else {
        other + 0.5 * quotient * (quotient * (rest + lost))
    };
    result.copysign(x)
}

/// 1/cosh x = 2e/(1+e²) for e = e^{−|x|}
#[inline(always)]
pub(crate) fn sech(x: f64) -> f64 {
    sech_of(exp(-x.abs()))
}

/// 1/(1+e^{−x})
#[inline(always)]
pub(crate) fn sigmoid(x: f64) -> f64 {
    let (e, rest) = exp_with_rest(-x.abs());
    sigmoid_of(x, e, rest)
}

/// ln(1+e^x), finite for every finite x
#[inline(always)]
pub(crate) fn softplus(x: f64) -> f64 {
    (if x < 0.0 { 0.0 } else { x }) + ln_1p(exp(-x.abs()))
}

/// ln σ(x)
#[inline(always)]
pub(crate) fn log_sigmoid(x: f64) -> f64 {
    -softplus(-x)
}

/// sin x where `is_reduced`
#[inline(always)]
pub(crate) fn sin(x: f64) -> f64 {
    let (quadrant, r, low) = reduce(x);
    let result = sin_of_quadrant(quadrant, r, low);
    if x == 0.0 { x } else { result }
}

/// cos x where `is_reduced`
#[inline(always)]
pub(crate) fn cos(x: f64) -> f64 {
    let (quadrant, r, low) = reduce(x);
    sin_of_quadrant(quadrant.wrapping_add(1), r, low)
}

/// ln(p/(1−p)), by both of the ways that one number takes one of
#[inline(always)]
pub(crate) fn logit(p: f64) -> f64 {
    let low = ln(p) - ln_1p(-p);
    let high = ln_1p((2.0 * p - 1.0) / (1.0 - p));
    if p < 0.25 { low } else { high }
}

/// ln(e^a+e^b)
#[inline(always)]
pub(crate) fn log_add_exp(a: f64, b: f64) -> f64 {
    let apart = maximum(a, b) + ln_1p(exp(-(a - b).abs()));
    if a == b { a + LN_2 } else { apart }
}

/// x·ln y, and 0 wherever x is 0 and y is not negative
#[inline(always)]
pub(crate) fn x_ln_y(x: f64, y: f64) -> f64 {
    let product = x * ln(y);
    if (x == 0.0) & (y >= 0.0) {
        0.0
    } else {
        product
    }
}

/// −1, 0 or 1 as a is less than, equal to or greater than b; NaN if unordered
#[inline(always)]
pub(crate) fn compare(a: f64, b: f64) -> f64 {
    let order = if a < b { -1.0 } else { 1.0 };
    let order = if a == b { 0.0 } else { order };
    if a.is_nan() | b.is_nan() {
        f64::NAN
    } else {
        order
    }
}
