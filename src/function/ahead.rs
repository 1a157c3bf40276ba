//! What is asked of memory before it is read: the lines of the next block of rows, a few at
//! each step of the present one, so that computing and memory take their time together
//! (`docs/benchmarks.md`). It changes no number.

use super::columns::Column;
use super::kernels::BLOCK;
use prefetch_index::prefetch_index;

/// More numbers than these are not in the caches that a core has for itself: 1 MiB.
const NEAR: usize = 1 << 17;
/// How many numbers a line of the cache has.
const LINE: usize = 8;
/// How many lines are asked for in a row.
const LINES: usize = BLOCK / LINE;
/// Of more columns than these, of which a block takes 112 KiB, the sums over them wait little
/// for memory by themselves: with 1,000 columns asking takes a fifth longer.
const WIDE: usize = 128;

/// Some lines of a column, in any block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ahead<'d> {
    column: Column<'d>,
    /// Its first row.
    row: usize,
    /// How many rows on the next line is.
    step: usize,
}

impl Ahead<'_> {
    /// Asks for those of a block; there need be no such block.
    pub(super) fn ask(self, block: usize) {
        let first = block * BLOCK + self.row;
        for i in 0..LINES {
            let row = first + i * self.step;
            prefetch_index(self.column.numbers, row.wrapping_mul(self.column.stride));
        }
    }
}

/// The lines that hold a block of all columns: of columns that lie in the same lines, as
/// those do that lie row by row, the first one's. Nothing if all `rows` are near: then
/// asking would take 0.9 ns a row of W1, where W1L gains 3.
pub(super) fn ahead<'d>(rows: usize, columns: &[Column<'d>]) -> Vec<Ahead<'d>> {
    let mut ahead = Vec::new();
    if rows.saturating_mul(columns.len()) <= NEAR {
        return ahead;
    }
    let mut last: Option<Column<'d>> = None;
    for &column in columns {
        if column.stride == 1 && columns.len() > WIDE {
            continue;
        }
        let start = |column: Column<'d>| column.numbers.as_ptr().addr();
        let near = |last: Column<'d>| {
            let bytes = start(column).wrapping_sub(start(last));
            last.stride == column.stride && bytes < LINE * size_of::<f64>()
        };
        if column.stride > 1 && last.is_some_and(near) {
            continue;
        }
        last = Some(column);
        // The last row of each line, as the first line is that of the block before, too.
        let step = (LINE / column.stride).max(1);
        let parts = (step - 1..BLOCK).step_by(LINES * step);
        ahead.extend(parts.map(|row| Ahead { column, row, step }));
    }
    ahead
}
