//! How the operands of a scalar product lie: perhaps first the start, a number that the products
//! are added to; then the first factors; then the second ones, in the same order.

use std::ops::Range;

/// Where what is among the operands of a scalar product. An odd number of them has a start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DotOperands {
    pub(crate) has_start: bool,
    /// How many products there are. So far behind each first factor lies the second one.
    pub(crate) products: usize,
}

impl DotOperands {
    /// Among so many operands.
    #[inline(always)]
    pub(crate) const fn among(operands: usize) -> Self {
        Self {
            has_start: operands % 2 == 1,
            products: operands / 2,
        }
    }

    /// The positions of the first factors.
    #[inline(always)]
    pub(crate) const fn first(self) -> Range<usize> {
        let start = self.has_start as usize;
        start..start + self.products
    }

    /// The positions of the second factors.
    #[inline(always)]
    pub(crate) const fn second(self) -> Range<usize> {
        let start = self.first().end;
        start..start + self.products
    }

    /// The operands as they have to lie; of a start there is one or none.
    pub(crate) fn joined<T: Clone>(start: &[T], first: &[T], second: &[T]) -> Vec<T> {
        debug_assert!(start.len() < 2 && first.len() == second.len());
        [start, first, second].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::DotOperands;

    #[test]
    fn operands_are_found_where_they_are_put() {
        let (start, first, second) = ([0], [1, 2, 3], [4, 5, 6]);
        for start in [&start[..], &[]] {
            let all = DotOperands::joined(start, &first, &second);
            let factors = DotOperands::among(all.len());
            assert_eq!(factors.has_start, !start.is_empty());
            assert_eq!(all[..factors.first().start], *start);
            assert_eq!(all[factors.first()], first);
            assert_eq!(all[factors.second()], second);
            assert_eq!(factors.second().end, all.len());
            assert_eq!(factors.products, first.len());
        }
    }
}
