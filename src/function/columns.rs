//! Columns of data, as they lie with the caller, and the rows that they make; and those of
//! a loop's turns, which are stored in blocks or put together elsewhere.

use super::Function;
use super::ahead::{Ahead, ahead};
use super::blocks::Slot;
use super::kernels::{BLOCK, Block, LANES};
use super::rows::Rows;
use super::run::length;
use crate::error::Error;

/// A column of data where it lies: its numbers follow one another, or are some way
/// apart, as in data that lies row by row. For [`Function::rows_from`]. It copies nothing.
#[derive(Clone, Copy, Debug)]
pub struct Column<'d> {
    pub(super) numbers: &'d [f64],
    pub(super) stride: usize,
}

impl<'d> Column<'d> {
    /// Every `stride`-th number of a slice, beginning with the first: as many rows as
    /// there are such numbers. A stride of 0 is an error where rows are made of it.
    pub fn strided(numbers: &'d [f64], stride: usize) -> Self {
        Self { numbers, stride }
    }

    /// How many rows it has a number for.
    fn rows(&self) -> usize {
        self.numbers.len().div_ceil(self.stride)
    }
}

/// The numbers of the slice, one after another.
impl<'d> From<&'d [f64]> for Column<'d> {
    fn from(numbers: &'d [f64]) -> Self {
        Self::strided(numbers, 1)
    }
}

impl Function {
    /// This function over rows of data: a slice for each column, in the order of
    /// the inputs that are columns, with a value in each row.
    ///
    /// # Errors
    /// If there are not as many slices as columns, or not all of one length.
    pub fn rows<'d>(&self, columns: &[&'d [f64]]) -> Result<Rows<'_, 'd>, Error> {
        let columns = columns.iter().map(|&column| column.into()).collect();
        self.over(columns)
    }

    /// The same for data that lies row by row: each row is `width` numbers long
    /// and begins with the columns in their order.
    ///
    /// # Errors
    /// If `width` is less than there are columns, or the length of the data is no
    /// multiple of it.
    pub fn rows_of<'d>(&self, data: &'d [f64], width: usize) -> Result<Rows<'_, 'd>, Error> {
        let columns = self.columns();
        self.expect_columns(width.min(columns))?;
        length("numbers in the last row", data.len() % width, 0)?;
        let column = |c: usize| Column::strided(data.get(c..).unwrap_or(&[]), width);
        self.over((0..columns).map(column).collect())
    }

    /// The same for columns each of which lies in its own way.
    ///
    /// ```
    /// use chainrule::{Column, Function};
    ///
    /// let f = Function::record(|r| {
    ///     let w = r.inputs(&[0.0, 0.0]);
    ///     let (x1, x2, y) = (r.column("x1", 0.0), r.column("x2", 0.0), r.column("y", 0.0));
    ///     (w[0] * x1 + w[1] * x2 - y).square()
    /// });
    /// let x = [1.0, 2.0, 3.0, 4.0]; // two rows of two
    /// let y = [3.0, 7.0];
    /// let [x1, x2] = [0, 1].map(|c| Column::strided(&x[c..], 2));
    /// let rows = f.rows_from(&[x1, x2, y[..].into()])?;
    /// assert_eq!(rows.value(&[1.0, 1.0])?, 0.0);
    /// # Ok::<(), chainrule::Error>(())
    /// ```
    ///
    /// # Errors
    /// If there are not as many as the function has columns, if not all have equally
    /// many rows, or if a stride is 0.
    pub fn rows_from<'d>(&self, columns: &[Column<'d>]) -> Result<Rows<'_, 'd>, Error> {
        self.over(columns.to_vec())
    }

    fn over<'d>(&self, columns: Vec<Column<'d>>) -> Result<Rows<'_, 'd>, Error> {
        self.expect_columns(columns.len())?;
        for column in &columns {
            length("numbers from row to row", column.stride.min(1), 1)?;
            length("rows in a column", column.rows(), columns[0].rows())?;
        }
        Ok(Rows::new(self, Columns::new(columns)))
    }

    fn expect_columns(&self, found: usize) -> Result<(), Error> {
        if self.columns() == 0 {
            return Err(Error::NoColumns);
        }
        length("columns", found, self.columns())
    }
}

/// All columns of one function.
#[derive(Clone, Debug)]
pub(super) struct Columns<'d> {
    columns: Vec<Column<'d>>,
    pub(super) rows: usize,
    /// The whole blocks of each column that can be read where they lie.
    blocks: Vec<&'d [Block]>,
    /// The blocks of further columns, and after how many of those that are put together
    /// elsewhere they come.
    stored: (usize, &'d [Vec<Slot>]),
    /// Whether all whole blocks can.
    in_place: bool,
    /// What is asked for of the next block before it is read.
    pub(super) ahead: Vec<Ahead<'d>>,
}

impl<'d> Columns<'d> {
    fn new(columns: Vec<Column<'d>>) -> Self {
        let whole = |column: &Column<'d>| match column.stride {
            1 => column.numbers.as_chunks().0,
            _ => &[],
        };
        let rows = columns[0].rows();
        Self {
            rows,
            ahead: ahead(rows, &columns),
            blocks: columns.iter().map(whole).collect(),
            stored: (0, &[]),
            in_place: columns.iter().all(|column| column.stride == 1),
            columns,
        }
    }

    /// So many rows of some columns whose blocks are put together elsewhere, and of stored
    /// ones after them.
    pub(super) fn stored(rows: usize, elsewhere: usize, stored: &'d [Vec<Slot>]) -> Self {
        Self {
            rows,
            ahead: Vec::new(),
            blocks: Vec::new(),
            stored: (elsewhere, stored),
            in_place: true,
            columns: Vec::new(),
        }
    }

    /// Asks for the part of a block that has its turn among `turns`.
    pub(super) fn ask(&self, block: usize, turn: usize, turns: usize) {
        let each = self.ahead.len().div_ceil(turns);
        let parts = self.ahead.iter().skip(turn * each).take(each);
        parts.for_each(|part| part.ask(block));
    }

    /// A block of a column, if it can be read where it lies.
    #[inline(always)]
    pub(super) fn block(&self, column: usize, block: usize) -> Option<&'d Block> {
        match self.blocks.get(column) {
            Some(blocks) => blocks.get(block),
            None => {
                let (before, stored) = self.stored;
                let blocks = stored.get(column.checked_sub(before)?)?;
                blocks.get(block).map(|slot| &slot.0)
            }
        }
    }

    /// Whether some column of a block of so many rows cannot be read where it lies.
    #[inline(always)]
    pub(super) fn to_gather(&self, rows: usize) -> bool {
        (!self.in_place || rows < BLOCK) && !self.columns.is_empty()
    }

    /// Copies the `count` rows of a block together for each column that cannot be read
    /// where it lies; the last one is repeated to where kernels read.
    pub(super) fn gather(&self, block: usize, count: usize, gathered: &mut Vec<Slot>) {
        gathered.resize_with(self.columns.len(), Slot::default);
        let all = gathered.iter_mut().zip(&self.columns).enumerate();
        for (c, (to, column)) in all {
            if self.block(c, block).is_some() {
                continue;
            }
            let rows = &column.numbers[block * BLOCK * column.stride..];
            take_every(column.stride, rows, &mut to.0[..count]);
            pad(&mut to.0, count);
        }
    }
}

/// Copies every `stride`-th number, as many as there is room for.
pub(super) fn take_every(stride: usize, from: &[f64], to: &mut [f64]) {
    match stride {
        1 => to.copy_from_slice(&from[..to.len()]),
        _ => {
            let from = from.iter().step_by(stride);
            to.iter_mut().zip(from).for_each(|(to, &x)| *to = x);
        }
    }
}

/// Repeats the last of `count` numbers of a block to where kernels read.
pub(super) fn pad(block: &mut Block, count: usize) {
    let last = block[count - 1];
    block[count..count.next_multiple_of(LANES)].fill(last);
}
