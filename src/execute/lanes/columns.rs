//! Columns of data, as they lie with the caller, and the rows that they make; and those of
//! a loop's turns, which are stored in blocks or put together elsewhere.

use super::ahead::{Ahead, ahead};
use super::block::{BLOCK, Block, Slot, pad, take_every};
use super::column::Column;

/// All columns of one function.
#[derive(Clone, Debug)]
pub(crate) struct Columns<'d> {
    columns: Vec<Column<'d>>,
    pub(crate) rows: usize,
    /// The whole blocks of each column that can be read where they lie.
    blocks: Vec<&'d [Block]>,
    /// The blocks of further columns, and after how many of those that are put together
    /// elsewhere they come.
    stored: (usize, &'d [Vec<Slot>]),
    /// Whether all whole blocks can.
    in_place: bool,
    /// What is asked for of the next block before it is read.
    pub(crate) ahead: Vec<Ahead<'d>>,
}

impl<'d> Columns<'d> {
    pub(crate) fn new(columns: Vec<Column<'d>>) -> Self {
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
    pub(crate) fn stored(rows: usize, elsewhere: usize, stored: &'d [Vec<Slot>]) -> Self {
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
    pub(crate) fn ask(&self, block: usize, turn: usize, turns: usize) {
        let each = self.ahead.len().div_ceil(turns);
        let parts = self.ahead.iter().skip(turn * each).take(each);
        parts.for_each(|part| part.ask(block));
    }

    /// A block of a column, if it can be read where it lies.
    #[inline(always)]
    pub(crate) fn block(&self, column: usize, block: usize) -> Option<&'d Block> {
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
    pub(crate) fn to_gather(&self, rows: usize) -> bool {
        (!self.in_place || rows < BLOCK) && !self.columns.is_empty()
    }

    /// Copies the `count` rows of a block together for each column that cannot be read
    /// where it lies; the last one is repeated to where kernels read.
    pub(crate) fn gather(&self, block: usize, count: usize, gathered: &mut Vec<Slot>) {
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
