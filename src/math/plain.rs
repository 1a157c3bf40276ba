//! Some kernels away from the edges of their domains, where nothing is to be kept within
//! bounds or selected and one step scales: the same bits, 2 to 3 ns earlier.

use super::{
    LN_2_LOW, ROUND, exp_sum, exp_sum_with_rest, lanes, ln_parts, power_of_2, sigmoid_of, split,
};

/// Whether x is away from the edges of `exp` and what is made of it.
#[inline(always)]
pub(crate) fn is_for_exp(x: f64) -> bool {
    x.abs() < 700.0
}

/// Whether x is away from the edges of `ln`: positive, finite and not subnormal, which is
/// one comparison of its bits.
#[inline(always)]
pub(crate) fn is_for_ln(x: f64) -> bool {
    const LEAST: u64 = f64::MIN_POSITIVE.to_bits();
    x.to_bits().wrapping_sub(LEAST) < f64::INFINITY.to_bits() - LEAST
}

/// eˣ
#[inline(always)]
pub(crate) fn exp(x: f64) -> f64 {
    let (k, sum) = exp_sum(x);
    sum * power_of_2(k + ROUND)
}

/// ln x
#[inline(always)]
pub(crate) fn ln(x: f64) -> f64 {
    let (k, m) = split(x);
    ln_parts(k, m - 1.0, k * LN_2_LOW)
}

/// 1/(1+e^{−x})
#[inline(always)]
pub(crate) fn sigmoid(x: f64) -> f64 {
    let (k, sum, rest) = exp_sum_with_rest(-x.abs());
    let factor = power_of_2(k + ROUND);
    sigmoid_of(x, sum * factor, rest * factor)
}

/// ln(1+e^x): 1 + e^{−|x|} is away from the edges of `ln`.
#[inline(always)]
pub(crate) fn softplus(x: f64) -> f64 {
    (if x < 0.0 { 0.0 } else { x }) + lanes::ln_1p_inside(exp(-x.abs()))
}
