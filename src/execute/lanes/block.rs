//! A block of rows: numbers that are evaluated together, and how they are stored.

/// Rows evaluated together, a multiple of `LANES`: as many as let 30 columns and some values
/// stay in a nearest cache of 32 KiB for the most part. Fewer, and what is done once a block
/// takes longer; 128, and columns are in each other's way (`docs/benchmarks.md`).
pub(crate) const BLOCK: usize = 112;
/// Sums over rows that are kept apart: as many as the widest vector has numbers.
pub(crate) const LANES: usize = 8;

pub(crate) type Block = [f64; BLOCK];
pub(crate) type Total = [f64; LANES];

/// Aligned as the widest vectors are: one that lies across two lines of the cache takes
/// two reads (`docs/benchmarks.md`).
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(crate) struct Slot(pub(crate) Block);

impl Default for Slot {
    fn default() -> Self {
        Self([0.0; BLOCK])
    }
}

/// Copies every `stride`-th number, as many as there is room for.
pub(crate) fn take_every(stride: usize, from: &[f64], to: &mut [f64]) {
    match stride {
        1 => to.copy_from_slice(&from[..to.len()]),
        _ => {
            let from = from.iter().step_by(stride);
            to.iter_mut().zip(from).for_each(|(to, &x)| *to = x);
        }
    }
}

/// Repeats the last of `count` numbers of a block to where kernels read.
pub(crate) fn pad(block: &mut Block, count: usize) {
    let last = block[count - 1];
    block[count..count.next_multiple_of(LANES)].fill(last);
}
