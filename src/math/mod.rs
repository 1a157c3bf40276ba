//! The elementary functions on `f64`: the same bits for every caller.
//!
//! `exp`, `exp_m1`, `ln`, `ln_1p`, `sin`, `cos`, `tanh`, `sigmoid`, `softplus`
//! and `log_sigmoid` are kernels of our own: straight-line code of additions,
//! multiplications, selections and integer operations on the bits, so that a
//! loop over them vectorises, and no fused multiply-add, so that they give the
//! same bits on every platform and at every vector width. The coefficients are
//! Chebyshev fits made with 60 digits for the intervals of reduction used here.
//! The rest comes from `libm`, whose results do not depend on the platform as
//! those of `std` do. Derivatives are not here: see `ops`.
//!
//! Worst error in ulp found by `tests/golden/worst.py` over 2·10⁷ arguments each,
//! random and at edges, against 100-bit arithmetic; and the method:
//!
//! | kernel | ulp | method |
//! |---|---|---|
//! | `exp` | 0.74 | Cody–Waite reduction by k·ln 2, polynomial of degree 12 |
//! | `exp_m1` | 1.12 | the same, and an exact two-sum with 1 − 2⁻ᵏ |
//! | `ln`, `ln_1p` | 0.70, 0.70 | x = 2ᵏ·m, odd series in s = f/(2+f), f = m − 1 |
//! | `sin`, `cos` | 1.03, 1.07 | Cody–Waite reduction by k·π/2 in three parts; beyond 2²⁰ `libm`'s |
//! | `tanh` | 1.61 | t/(t+2) or 1−2/(t+2) with t = exp_m1(2x), roundings mended |
//! | `sech` | 2.10 (3·10⁵ arguments) | 2e/(1+e²) for e = e^{−\|x\|} |
//! | `sigmoid` | 1.13 | one quotient of e^{−\|x\|}, roundings mended |
//! | `softplus`, `log_sigmoid` | 1.58, 1.56 | max(x, 0) + ln_1p(e^{−\|x\|}) |

pub(crate) mod lanes;
pub(crate) mod plain;

pub(crate) use libm::{
    acos, asin, asinh, atan, atan2, atanh, cbrt, cosh, erf, exp2, hypot, log2, log10, pow, sinh,
    tan,
};
use std::f64::consts::{FRAC_2_PI, LN_2, LOG2_E};

/// 1.5·2⁵²: adding it rounds to a whole number, which then stands in the low
/// bits.
const ROUND: f64 = 6755399441055744.0;
/// ln 2 in two parts; the first has 33 bits, so that k·`LN_2_HIGH` is exact.
const LN_2_HIGH: f64 = 0.6931471804855391;
const LN_2_LOW: f64 = 7.440617110012397e-11;
/// π/2 in three parts, the first two of 33 bits.
const PI_2_HIGH: f64 = 1.5707963267341256;
const PI_2_MIDDLE: f64 = 6.077100506303966e-11;
const PI_2_LOW: f64 = 2.0222662487959506e-21;

/// Where the reduction of `sin` and `cos` ends: k·π/2 must be exact.
const MOST_REDUCED: f64 = 1048576.0;

/// (eʳ − 1 − r)/r² for |r| ≤ ½ ln 2.
const EXP: [f64; 11] = [
    0.5,
    0.1666666666666667,
    0.04166666666666667,
    0.008333333333326084,
    0.0013888888888883711,
    0.0001984126987500228,
    2.480158732567746e-5,
    2.755725517000089e-6,
    2.755727347871858e-7,
    2.5105312729622103e-8,
    2.09147553258932e-9,
];

/// (ln((1+s)/(1−s)) − 2s)/s³ as a polynomial in s², for (1+s)/(1−s) between
/// √½ and √2.
const LN: [f64; 8] = [
    0.6666666666666666,
    0.4000000000000088,
    0.2857142857080285,
    0.22222222391887064,
    0.18181795621632782,
    0.15386240708969665,
    0.13268746195596595,
    0.13086907887965027,
];

/// (sin r − r)/r³ as a polynomial in r², for |r| ≤ π/4.
const SIN: [f64; 6] = [
    -0.16666666666666666,
    0.008333333333330946,
    -0.0001984126983675497,
    2.755731610068303e-6,
    -2.5051131455427946e-8,
    1.591810123027412e-10,
];

/// (cos r − 1 + r²/2)/r⁴ as a polynomial in r², for |r| ≤ π/4.
const COS: [f64; 6] = [
    0.041666666666666664,
    -0.0013888888888887395,
    2.4801587298763433e-5,
    -2.7557317270560326e-7,
    2.0876146024689747e-9,
    -1.1382614868556325e-11,
];

/// Four coefficients from the i-th on, or those there are: cᵢ + cᵢ₊₁·x + cᵢ₊₂·x² + cᵢ₊₃·x³.
/// The sum of all terms is put together where it is needed, so that few operations wait for
/// one another.
#[inline(always)]
fn four<const N: usize>(c: &[f64; N], i: usize, x: f64, x2: f64) -> f64 {
    let two = |i: usize| if i + 1 < N { c[i] + c[i + 1] * x } else { c[i] };
    let low = two(i);
    if i + 2 < N {
        low + two(i + 2) * x2
    } else {
        low
    }
}

/// Keeps x within bounds; a NaN stays one.
#[inline(always)]
fn clamp(x: f64, low: f64, high: f64) -> f64 {
    let x = if x > high { high } else { x };
    if x < low { low } else { x }
}

/// 2ᵏ for a `k` that was rounded by `ROUND` and is that of a normal number.
#[inline(always)]
fn power_of_2(rounded: f64) -> f64 {
    f64::from_bits(rounded.to_bits().wrapping_add(1023) << 52)
}

/// eˣ = 2ᵏ·(1 + high + (tail − low)) for |x| < 1100: returns k, high (the
/// reduced argument), low, and tail as two numbers.
#[inline(always)]
fn exp_parts(x: f64) -> (f64, f64, f64, [f64; 2]) {
    let k = (x * LOG2_E + ROUND) - ROUND;
    let high = x - k * LN_2_HIGH;
    let low = k * LN_2_LOW;
    let r = high - low;
    let r2 = r * r;
    let r4 = r2 * r2;
    let last = (r4 * r2) * four(&EXP, 4, r, r2) + (r4 * r4 * r2) * four(&EXP, 8, r, r2);
    (k, high, low, [r2 * four(&EXP, 0, r, r2), last])
}

/// x·2ᵏ in two exact steps and one that rounds, for results of any size.
#[inline(always)]
fn scale(x: f64, k: f64) -> f64 {
    let half = k * 0.5 + ROUND;
    let rest = (k - (half - ROUND)) + ROUND;
    x * power_of_2(half) * power_of_2(rest)
}

/// eˣ
#[inline]
pub(crate) fn exp(x: f64) -> f64 {
    if plain::is_for_exp(x) {
        plain::exp(x)
    } else {
        rarely(lanes::exp, x)
    }
}

/// eˣ = 2ᵏ·sum for |x| < 1100.
#[inline(always)]
fn exp_sum(x: f64) -> (f64, f64) {
    let (k, high, low, tail) = exp_parts(x);
    let one = 1.0 + high;
    let lost = high - (one - 1.0);
    (k, one + (((lost - low) + tail[0]) + tail[1]))
}

/// eˣ for x ≤ 0, and what rounding it to one number lost.
#[inline(always)]
fn exp_with_rest(x: f64) -> (f64, f64) {
    let (k, sum, rest) = exp_sum_with_rest(clamp(x, -746.0, 0.0));
    (scale(sum, k), scale(rest, k))
}

/// eˣ = 2ᵏ·(sum + rest) for |x| < 1100.
#[inline(always)]
fn exp_sum_with_rest(x: f64) -> (f64, f64, f64) {
    let (k, high, low, tail) = exp_parts(x);
    let one = 1.0 + high;
    let small = (((high - (one - 1.0)) - low) + tail[0]) + tail[1];
    let sum = one + small;
    (k, sum, small - (sum - one))
}

/// eˣ − 1, and what rounding it to one number lost.
#[inline(always)]
fn exp_m1_with_rest(x: f64) -> (f64, f64) {
    let (k, high, low, tail) = exp_parts(clamp(x, -40.0, 710.0));
    let inverse = power_of_2(clamp(-k, -60.0, 60.0) + ROUND);
    let (result, rest) = exp_m1_sum(inverse, high, low, tail);
    (scale(result, k), scale(rest, k))
}

/// The same for 0 ≤ x ≤ 50, where nothing is to be kept within bounds and one step
/// scales: the same bits, 12 operations fewer.
#[inline(always)]
fn exp_m1_up_to_50(x: f64) -> (f64, f64) {
    let (k, high, low, tail) = exp_parts(x);
    let (result, rest) = exp_m1_sum(power_of_2(ROUND - k), high, low, tail);
    let factor = power_of_2(k + ROUND);
    (result * factor, rest * factor)
}

/// (eˣ − 1)/2ᵏ as (1 − 2⁻ᵏ) + high + (tail − low), the first sum exact in two parts; and
/// what rounding it to one number lost.
#[inline(always)]
fn exp_m1_sum(inverse: f64, high: f64, low: f64, tail: [f64; 2]) -> (f64, f64) {
    let (sum, error) = two_sum(1.0 - inverse, high);
    let small = ((error - low) + tail[0]) + tail[1];
    let result = sum + small;
    (result, small - (result - sum))
}

/// a + b, and what rounding the sum lost.
#[inline(always)]
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let part = sum - a;
    (sum, (a - (sum - part)) + (b - part))
}

/// eˣ − 1
#[inline]
pub(crate) fn exp_m1(x: f64) -> f64 {
    lanes::exp_m1(x)
}

/// The exponent and the significand of a positive number, the latter between
/// √½ and √2.
#[inline(always)]
fn split(x: f64) -> (f64, f64) {
    const SQRT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    const BIAS: u64 = 1 << 11;
    // A multiple of 2⁵² is added so that the shifted number is not negative.
    let shifted = x.to_bits().wrapping_sub(SQRT_HALF).wrapping_add(BIAS << 52) >> 52;
    let k = f64::from_bits(0x4330_0000_0000_0000 | shifted) - (4503599627370496.0 + BIAS as f64);
    let m = f64::from_bits(x.to_bits().wrapping_sub(shifted.wrapping_sub(BIAS) << 52));
    (k, m)
}

/// k·ln 2 + ln(1 + f), as the largest part and the sum of what is left: f − f²/2 and
/// k·ln 2 are added exactly. `low` is what k·ln 2 has beyond `LN_2_HIGH`, and what else
/// is small.
#[inline(always)]
fn ln_parts(k: f64, f: f64, low: f64) -> f64 {
    let s = f / (2.0 + f);
    let half = 0.5 * f * f;
    let near = f - half;
    let whole = k * LN_2_HIGH;
    let sum = whole + near;
    let lost = ((f - near) - half) + (near - (sum - whole));
    let left = low + lost;
    let z = s * s;
    let z2 = z * z;
    let tail = (s * z) * four(&LN, 0, z, z2) + (s * z * (z2 * z2)) * four(&LN, 4, z, z2);
    sum + ((s * half + left) + tail)
}

/// ln x
#[inline]
pub(crate) fn ln(x: f64) -> f64 {
    if plain::is_for_ln(x) {
        plain::ln(x)
    } else {
        rarely(lanes::ln, x)
    }
}

/// Keeps what is rare out of the straight way.
#[cold]
#[inline(never)]
fn rarely(f: impl Fn(f64) -> f64, x: f64) -> f64 {
    f(x)
}

/// ln x where the kernel has no value: below 0, at 0, ∞ and NaN. The kernel's,
/// which comes last, waits for one selection alone.
#[inline(always)]
fn ln_edges(x: f64, kernel: f64) -> f64 {
    let edge = if x < 0.0 { f64::NAN } else { x };
    let edge = if x == 0.0 { f64::NEG_INFINITY } else { edge };
    if x > 0.0 && x < f64::INFINITY {
        kernel
    } else {
        edge
    }
}

/// ln(1 + x)
#[inline]
pub(crate) fn ln_1p(x: f64) -> f64 {
    lanes::ln_1p(x)
}

/// The quadrant of x, in the low bits, and what remains of x, in two parts.
#[inline(always)]
fn reduce(x: f64) -> (u64, f64, f64) {
    let rounded = x * FRAC_2_PI + ROUND;
    let k = rounded - ROUND;
    let first = x - k * PI_2_HIGH;
    let middle = k * PI_2_MIDDLE;
    let (r, lost) = two_sum(first, -middle);
    let (r, low) = two_sum(r, lost - k * PI_2_LOW);
    (rounded.to_bits(), r, low)
}

/// The sine of the reduced argument moved on by `quadrant` quarter turns.
#[inline(always)]
fn sin_of_quadrant(quadrant: u64, r: f64, low: f64) -> f64 {
    let z = r * r;
    let z2 = z * z;
    let tail = (r * z) * (four(&SIN, 0, z, z2) + (z2 * z2) * four(&SIN, 4, z, z2));
    let sin = r + (low + tail);
    let half = 0.5 * z;
    let one = 1.0 - half;
    let tail = z2 * (four(&COS, 0, z, z2) + (z2 * z2) * four(&COS, 4, z, z2));
    // (1 − one) − half is what the subtraction lost
    let cos = one + (((1.0 - one) - half) + (tail - r * low));
    let result = if quadrant & 1 == 0 { sin } else { cos };
    f64::from_bits(result.to_bits() ^ (quadrant & 2) << 62)
}

/// sin x
#[inline]
pub(crate) fn sin(x: f64) -> f64 {
    if is_reduced(x) {
        lanes::sin(x)
    } else {
        libm::sin(x)
    }
}

/// cos x
#[inline]
pub(crate) fn cos(x: f64) -> f64 {
    if is_reduced(x) {
        lanes::cos(x)
    } else {
        libm::cos(x)
    }
}

/// Whether the sine and cosine kernels reduce x.
#[inline(always)]
pub(crate) fn is_reduced(x: f64) -> bool {
    x.abs() <= MOST_REDUCED || x.is_nan()
}

/// tanh x
#[inline]
pub(crate) fn tanh(x: f64) -> f64 {
    lanes::tanh(x)
}

/// 1/cosh x = 2e/(1+e²) for e = e^{−|x|}
#[inline]
pub(crate) fn sech(x: f64) -> f64 {
    sech_of(exp(-x.abs()))
}

#[inline(always)]
fn sech_of(e: f64) -> f64 {
    2.0 * e / (1.0 + e * e)
}

/// 1/(1+e^{−x})
#[inline]
pub(crate) fn sigmoid(x: f64) -> f64 {
    if plain::is_for_exp(x) {
        plain::sigmoid(x)
    } else {
        rarely(lanes::sigmoid, x)
    }
}

/// The same from e^{−|x|}, which is the sum of `e` and `rest`.
#[inline(always)]
fn sigmoid_of(x: f64, e: f64, rest: f64) -> f64 {
    let below = x < 0.0;
    let sum = 1.0 + e;
    let quotient = (if below { e } else { 1.0 }) / sum;
    // What e and the sum have lost in rounding, to first order
    let lost = (e - (sum - 1.0)) + rest;
    let inverse = if below { 1.0 - quotient } else { quotient };
    quotient + ((if below { rest } else { 0.0 }) - quotient * lost) * inverse
}

/// ln(1+e^x), finite for every finite x
#[inline]
pub(crate) fn softplus(x: f64) -> f64 {
    if plain::is_for_exp(x) {
        plain::softplus(x)
    } else {
        rarely(lanes::softplus, x)
    }
}

/// ln σ(x)
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

/// ln(e^a+e^b) as max + ln_1p(e^{−|a−b|})
#[inline]
pub(crate) fn log_add_exp(a: f64, b: f64) -> f64 {
    if a == b {
        return a + LN_2; // also where a − b = ∞ − ∞
    }
    maximum(a, b) + ln_1p(exp(-(a - b).abs()))
}

/// The inverse of cosh on [1, ∞). Far below, `libm`'s takes the logarithm of what rounding left.
#[inline]
pub(crate) fn acosh(x: f64) -> f64 {
    if x < 1.0 { f64::NAN } else { libm::acosh(x) }
}

/// √x, as the processor rounds it: correctly
#[inline(always)]
pub(crate) fn sqrt(x: f64) -> f64 {
    x.sqrt()
}

/// x·ln y, and 0 wherever x is 0 and y is not negative
#[inline]
pub(crate) fn x_ln_y(x: f64, y: f64) -> f64 {
    if x == 0.0 && y >= 0.0 { 0.0 } else { x * ln(y) }
}

/// adjoint × partial: absent, −0, if the adjoint is; adding +0 makes any other −0 a +0 and
/// changes nothing else.
#[inline(always)]
pub(crate) fn contribution(adjoint: f64, partial: f64) -> f64 {
    let product = adjoint * partial + 0.0;
    if adjoint.to_bits() == (-0.0_f64).to_bits() {
        adjoint
    } else {
        product
    }
}

/// The larger; NaN if either is NaN; +0 above −0
#[inline]
pub(crate) fn maximum(a: f64, b: f64) -> f64 {
    if a > b || (a == b && b.is_sign_negative()) || a.is_nan() {
        a
    } else {
        b
    }
}

/// The smaller; NaN if either is NaN; −0 below +0
#[inline]
pub(crate) fn minimum(a: f64, b: f64) -> f64 {
    if a < b || (a == b && a.is_sign_negative()) || a.is_nan() {
        a
    } else {
        b
    }
}

/// −1, 0 or 1 as a is less than, equal to or greater than b; NaN if unordered
#[inline]
pub(crate) fn compare(a: f64, b: f64) -> f64 {
    match a.partial_cmp(&b) {
        Some(order) => f64::from(order as i8),
        None => f64::NAN,
    }
}

/// ln Σ e^{xᵢ} over `n` operands, shifted by the largest; −∞ for none
#[inline]
pub(crate) fn log_sum_exp(n: usize, x: impl Fn(usize) -> f64) -> f64 {
    let larger = |i, j| if x(j) > x(i) || x(j).is_nan() { j } else { i };
    let Some(top) = (0..n).reduce(larger) else {
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
