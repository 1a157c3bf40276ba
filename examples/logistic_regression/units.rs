//! The units in which the fit sees the columns, and the way back to those of the
//! file. In them no square and no sum of a column overflows, whatever it measures,
//! and a column far from zero, such as a date, is counted from one of its values.
//! Both are exact, but for numbers 10³⁰⁸ times smaller than others of their column.

use crate::data::Data;

/// x = origin + 2^exponent · x′, with x′ the number that the fit sees.
#[derive(Clone, Copy, Debug)]
pub struct Unit {
    origin: f64,
    exponent: i32,
}

impl Unit {
    /// The unit in which no number of the column is beyond ±1, and the penalty on
    /// the coefficient is not, either.
    fn of(column: &[f64], l2: f64) -> Self {
        let low = column.iter().copied().fold(f64::INFINITY, f64::min);
        let high = column.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // Differences of numbers within a factor of two have no rounding.
        let is_far = low >= 0.5 * high && low > 0.0 || high <= 0.5 * low && high < 0.0;
        let origin = if is_far { column[0] } else { 0.0 };
        let spread = (high - origin).abs().max((low - origin).abs());
        let of_spread = exponent(spread);
        let of_penalty = exponent(l2).map(|exponent| (exponent + 1).div_euclid(2));
        Self {
            origin,
            exponent: of_spread.max(of_penalty).unwrap_or(0),
        }
    }

    /// A number in this unit.
    fn inward(self, x: f64) -> f64 {
        libm::scalbn(x - self.origin, -self.exponent)
    }

    /// Where 0 of the file is, if that is a number; otherwise its power of ten.
    pub fn zero(self) -> Result<f64, i32> {
        let zero = self.inward(0.0);
        if zero.is_finite() {
            return Ok(zero);
        }
        Err(self.power_of_ten(self.origin))
    }

    /// What the numbers of the file are rounded by.
    pub fn rounding(self) -> f64 {
        f64::EPSILON * self.inward(0.0).abs()
    }

    /// The penalty on the coefficient: l2·w² = l2·4^−exponent·w′².
    pub fn penalty(self, l2: f64) -> f64 {
        libm::scalbn(l2, -2 * self.exponent)
    }

    /// A coefficient, or its error, in the unit of the file, where it has a number
    /// of as many digits there; otherwise its power of ten.
    pub fn outward(self, w: f64) -> Result<f64, i32> {
        let outward = libm::scalbn(w, -self.exponent);
        let lost = (libm::scalbn(outward, self.exponent) - w).abs();
        if lost <= 1e-9 * w.abs() {
            return Ok(outward);
        }
        Err(self.power_of_ten(w))
    }

    /// That of x/2^exponent, rounded.
    fn power_of_ten(self, x: f64) -> i32 {
        let power = x.abs().log10() - f64::from(self.exponent) * std::f64::consts::LOG10_2;
        power.round() as i32
    }
}

/// The number is below 2 to this power, and not below half of it.
fn exponent(x: f64) -> Option<i32> {
    (x != 0.0).then(|| libm::frexp(x).1)
}

/// The same data in the units of the fit, where it lies, and the unit of each
/// column.
pub fn inward(mut data: Data, l2: f64) -> (Data, Vec<Unit>) {
    let mut units = Vec::with_capacity(data.features.len());
    for column in &mut data.features {
        let unit = Unit::of(column, l2);
        column.iter_mut().for_each(|x| *x = unit.inward(*x));
        units.push(unit);
    }
    (data, units)
}
