//! `Run`: numbers that lie together in memory and in registers, and how they are copied.
//!
//! Memory is gone through from its end, as in a sweep: lap after lap from the last one, but each
//! from its beginning, is a pattern that no processor foresees (W4 34 → 20 ns a term,
//! `docs/benchmarks.md`).

use super::outside::Moving;
use crate::registers::{FEW, of};
use std::ops::Range;

/// Numbers that lie together, in memory and in registers.
#[derive(Clone, Copy)]
pub(super) struct Run {
    from: Moving,
    register: u8,
    len: u8,
}

impl Run {
    fn places(&self, lap: usize) -> Range<usize> {
        let first = self.from.place(lap);
        first..first + usize::from(self.len)
    }

    fn registers(&self) -> Range<usize> {
        let first = usize::from(self.register);
        first..first + usize::from(self.len)
    }
}

/// Puts one more number to others.
pub(super) fn push(runs: &mut Vec<Run>, from: Moving, register: u8) {
    if let Some(last) = runs.last_mut()
        && from.step == last.from.step
        && from.at as usize == last.places(0).end
        && usize::from(register) == last.registers().end
        && last.len < u8::MAX
    {
        last.len += 1;
        return;
    }
    let len = 1;
    runs.push(Run {
        from,
        register,
        len,
    });
}

/// Copies what a lap reads to registers, and adds a zero to each.
#[inline(always)]
pub(super) fn read(runs: &[Run], from: &[f64], lap: usize, registers: &mut [f64; FEW], zero: f64) {
    for run in runs {
        copy(
            &mut registers[run.registers()],
            &from[run.places(lap)],
            zero,
        );
    }
}

/// The same back from registers.
#[inline(always)]
pub(super) fn write(runs: &[Run], registers: &[f64; FEW], lap: usize, to: &mut [f64], zero: f64) {
    for run in runs {
        copy(&mut to[run.places(lap)], &registers[run.registers()], zero);
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

/// The same from registers that lie anywhere.
#[inline(always)]
pub(super) fn collect(to: &mut [f64], from: &[u8], registers: &[f64; FEW], zero: f64) {
    let (to, last_to) = to.as_chunks_mut::<8>();
    let (from, last_from) = from.as_chunks::<8>();
    for (to, &from) in last_to.iter_mut().zip(last_from) {
        *to = of(registers, from) + zero;
    }
    for (to, from) in to.iter_mut().zip(from).rev() {
        *to = from.map(|at| of(registers, at) + zero);
    }
}
