//! `CopyRun`: numbers that are contiguous both in memory and in registers, copied together.
//!
//! Copies run through memory from its end, as a reverse sweep does. Strips from the last to the
//! first, each copied from its beginning, defeat the hardware prefetcher (W4 34 → 20 ns a term,
//! `docs/benchmarks.md`).

use super::live_in::Affine;
use crate::registers::{FEW, of};
use std::ops::Range;

/// A contiguous range of memory, which moves with the strip, and a range of registers.
#[derive(Clone, Copy)]
pub(super) struct CopyRun {
    from: Affine,
    register: u8,
    len: u8,
}

impl CopyRun {
    fn memory(&self, strip: usize) -> Range<usize> {
        let first = self.from.at(strip);
        first..first + usize::from(self.len)
    }

    fn registers(&self) -> Range<usize> {
        let first = usize::from(self.register);
        first..first + usize::from(self.len)
    }
}

/// Appends one number, to the last run if it is contiguous with it.
pub(super) fn push(runs: &mut Vec<CopyRun>, from: Affine, register: u8) {
    if let Some(last) = runs.last_mut()
        && from.stride == last.from.stride
        && from.base as usize == last.memory(0).end
        && usize::from(register) == last.registers().end
        && last.len < u8::MAX
    {
        last.len += 1;
        return;
    }
    let len = 1;
    runs.push(CopyRun {
        from,
        register,
        len,
    });
}

/// Copies from memory to registers, and adds a zero to each number.
#[inline(always)]
pub(super) fn read(
    runs: &[CopyRun],
    from: &[f64],
    strip: usize,
    registers: &mut [f64; FEW],
    zero: f64,
) {
    for run in runs {
        copy(
            &mut registers[run.registers()],
            &from[run.memory(strip)],
            zero,
        );
    }
}

/// Copies from registers to memory, and adds a zero to each number.
#[inline(always)]
pub(super) fn write(
    runs: &[CopyRun],
    registers: &[f64; FEW],
    strip: usize,
    to: &mut [f64],
    zero: f64,
) {
    for run in runs {
        copy(
            &mut to[run.memory(strip)],
            &registers[run.registers()],
            zero,
        );
    }
}

/// Copies numbers, the last ones first, and adds a zero to each.
#[inline(always)]
pub(super) fn copy(to: &mut [f64], from: &[f64], zero: f64) {
    let (to, last_to) = to.as_chunks_mut::<8>();
    let (from, last_from) = from.as_chunks::<8>();
    for (to, &from) in last_to.iter_mut().zip(last_from) {
        *to = from + zero;
    }
    for (to, from) in to.iter_mut().zip(from).rev() {
        *to = from.map(|x| x + zero);
    }
}

/// Gathers numbers from any registers into contiguous memory, as `copy`.
#[inline(always)]
pub(super) fn gather(to: &mut [f64], from: &[u8], registers: &[f64; FEW], zero: f64) {
    let (to, last_to) = to.as_chunks_mut::<8>();
    let (from, last_from) = from.as_chunks::<8>();
    for (to, &from) in last_to.iter_mut().zip(last_from) {
        *to = of(registers, from) + zero;
    }
    for (to, from) in to.iter_mut().zip(from).rev() {
        *to = from.map(|at| of(registers, at) + zero);
    }
}
