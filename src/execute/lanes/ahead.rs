//! What is asked of memory before it is read: the lines of the next block of rows, a few at
//! each step of the present one, so that computing and memory take their time together
//! (`docs/benchmarks.md`). It changes no number. Only on x86-64 something is asked for.

use super::block::BLOCK;
use super::column::Column;

/// Whether there is an instruction that asks, and a safe way to say so.
const CAN_ASK: bool = cfg!(target_arch = "x86_64");
/// More numbers than these are not in the caches that a core has for itself: 1 MiB.
const NEAR: usize = 1 << 17;
/// How many numbers a line of the cache has.
const LINE: usize = 8;
/// How many lines are asked for in a row.
const LINES: usize = BLOCK / LINE;
/// From the last number of a block's first line to that of its last one.
const SPAN: usize = BLOCK - LINE + 1;

/// Some lines of a column, in any block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ahead<'d> {
    column: Column<'d>,
    /// Its first row.
    row: usize,
    /// How many rows on the next line is.
    step: usize,
}

impl Ahead<'_> {
    /// Asks for those of a block; there need be no such block.
    #[inline]
    pub(crate) fn ask(self, block: usize) {
        let Self { column, row, step } = self;
        let first = block * BLOCK + row;
        if column.stride > 1 {
            for i in 0..LINES {
                let at = (first + i * step).wrapping_mul(column.stride);
                if let Some(number) = column.numbers.get(at) {
                    ask_for(number);
                }
            }
        } else {
            // Of a length that the compiler knows: 1.5 ns a row of W1.
            let lines = column.numbers.get(first..).and_then(<[f64]>::first_chunk);
            if let Some::<&[f64; SPAN]>(lines) = lines {
                (0..LINES).for_each(|i| ask_for(&lines[i * LINE]));
            }
        }
    }
}

/// Asks for the line that a number is in, to come into the second cache. In the nearest one
/// it would take the place of the present block, which is read again on the way back.
#[inline(always)]
fn ask_for(number: &f64) {
    #[cfg(target_arch = "x86_64")]
    safe_arch::prefetch_t1(number);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = number;
}

/// The lines that hold a block of all columns: of columns that lie in the same lines, as
/// those do that lie row by row, the first one's. Nothing if all `rows` are near.
pub(crate) fn ahead<'d>(rows: usize, columns: &[Column<'d>]) -> Vec<Ahead<'d>> {
    let mut ahead = Vec::new();
    if !CAN_ASK || rows.saturating_mul(columns.len()) <= NEAR {
        return ahead;
    }
    let mut last: Option<Column<'d>> = None;
    for &column in columns {
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
