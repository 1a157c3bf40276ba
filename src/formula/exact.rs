//! Coefficients: exact fractions, so that simplification never rounds.

/// Numerators and denominators stay below this, where `f64` is exact.
const MOST: i128 = 1 << 53;

/// A fraction in lowest terms, its denominator positive. Every operation is
/// exact or gives `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Fraction {
    pub(super) above: i64,
    pub(super) below: i64,
}

impl Fraction {
    pub(super) const ZERO: Self = Self { above: 0, below: 1 };
    pub(super) const ONE: Self = Self { above: 1, below: 1 };
    pub(super) const MINUS_ONE: Self = Self {
        above: -1,
        below: 1,
    };

    pub(super) fn whole(n: i64) -> Self {
        Self { above: n, below: 1 }
    }

    pub(super) fn new(above: i128, below: i128) -> Option<Self> {
        if below == 0 {
            return None;
        }
        let divisor = gcd(above, below) * below.signum();
        let (above, below) = (above / divisor, below / divisor);
        (above.abs() <= MOST && below <= MOST).then_some(Self {
            above: above as i64,
            below: below as i64,
        })
    }

    /// A number that a person would calculate with: a whole one below 2³¹, or
    /// one with at most 10 binary places; and 1/3, 1/7 and their like, which no one
    /// writes as decimals: they come of a division by 3. Others, such as 0.1, are
    /// not the fractions that they look like, and stay what they are.
    pub(super) fn of(value: f64) -> Option<Self> {
        let scaled = value * 1024.0;
        if scaled.fract() == 0.0 && value.abs() < 2_147_483_648.0 {
            return Self::new(scaled as i128, 1024);
        }
        let below = (1.0 / value).round();
        let is_part = (3.0..1e6).contains(&below.abs()) && 1.0 / below == value;
        (is_part && !is_decimal(below as i64)).then(|| Self::new(1, below as i128))?
    }

    pub(super) fn value(self) -> f64 {
        self.above as f64 / self.below as f64
    }

    /// Whether `value` is this fraction exactly.
    pub(super) fn is_binary(self) -> bool {
        self.below <= 1024 && (self.below as u64).is_power_of_two()
    }

    pub(super) fn is_whole(self) -> bool {
        self.below == 1
    }

    pub(super) fn is_one(self) -> bool {
        self == Self::ONE
    }

    pub(super) fn negated(self) -> Self {
        Self {
            above: -self.above,
            ..self
        }
    }

    pub(super) fn plus(self, other: Self) -> Option<Self> {
        let [a, b] = [self, other].map(|x| i128::from(x.above));
        let [p, q] = [self, other].map(|x| i128::from(x.below));
        Self::new(a * q + b * p, p * q)
    }

    pub(super) fn times(self, other: Self) -> Option<Self> {
        let [a, b] = [self, other].map(|x| i128::from(x.above));
        let [p, q] = [self, other].map(|x| i128::from(x.below));
        Self::new(a * b, p * q)
    }

    pub(super) fn inverse(self) -> Option<Self> {
        Self::new(i128::from(self.below), i128::from(self.above))
    }

    pub(super) fn power(self, exponent: i32) -> Option<Self> {
        let base = if exponent < 0 { self.inverse()? } else { self };
        if base.is_one() {
            return Some(base);
        }
        if exponent.unsigned_abs() > 64 && base.above.abs() > 1 {
            return None;
        }
        let mut power = Self::ONE;
        for _ in 0..exponent.unsigned_abs() % 128 {
            power = power.times(base)?;
        }
        Some(power)
    }
}

/// Whether 1/n is written in few decimals.
fn is_decimal(mut n: i64) -> bool {
    for divisor in [2, 5] {
        while n % divisor == 0 {
            n /= divisor;
        }
    }
    n.abs() == 1
}

pub(super) fn gcd(a: i128, b: i128) -> i128 {
    let (mut a, mut b) = (a.abs(), b.abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}
