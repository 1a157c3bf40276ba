//! `Column`: one column of data where it lies with the caller.

/// A column of data where it lies: its numbers follow one another, or are some way
/// apart, as in data that lies row by row. For [`Function::rows_from`](crate::Function::rows_from). It copies nothing.
#[derive(Clone, Copy, Debug)]
pub struct Column<'d> {
    pub(crate) numbers: &'d [f64],
    pub(crate) stride: usize,
}

impl<'d> Column<'d> {
    /// Every `stride`-th number of a slice, beginning with the first: as many rows as
    /// there are such numbers. A stride of 0 is an error where rows are made of it.
    pub fn strided(numbers: &'d [f64], stride: usize) -> Self {
        Self { numbers, stride }
    }

    /// How many rows it has a number for.
    pub(crate) fn rows(&self) -> usize {
        self.numbers.len().div_ceil(self.stride)
    }
}

/// The numbers of the slice, one after another.
impl<'d> From<&'d [f64]> for Column<'d> {
    fn from(numbers: &'d [f64]) -> Self {
        Self::strided(numbers, 1)
    }
}
