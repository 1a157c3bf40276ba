//! What is done to an operand by the step that takes it.

use super::lane::{product, sum};

/// What is done to the operand of a step before its operation: sign·x + shift.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Before {
    /// 1 or −1, so that it rounds nothing.
    pub(crate) sign: f64,
    pub(crate) shift: f64,
}

impl Before {
    /// Adding −0 changes no number.
    pub(crate) const NOTHING: Self = Self {
        sign: 1.0,
        shift: -0.0,
    };

    #[inline(always)]
    pub(crate) fn is_nothing(self) -> bool {
        self.sign == 1.0 && self.shift.to_bits() == Self::NOTHING.shift.to_bits()
    }

    #[inline(always)]
    pub(crate) fn of(self, x: f64) -> f64 {
        sum(product(self.sign, x), self.shift)
    }
}
