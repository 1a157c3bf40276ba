//! How long something takes, for the benches that draw curves.

use std::time::Instant;

/// The median of nanoseconds over some rounds, of so many runs each that the clock's
/// own steps do not matter.
pub fn median(mut run: impl FnMut()) -> f64 {
    let mut round = |runs: usize| {
        let start = Instant::now();
        (0..runs).for_each(|_| run());
        start.elapsed().as_nanos() as f64 / runs as f64
    };
    let first = round(1);
    let runs = (20_000.0 / first).ceil() as usize;
    let rounds = (2e8 / (first * runs as f64)).clamp(3.0, 101.0) as usize;
    let mut times: Vec<f64> = (0..rounds).map(|_| round(runs)).collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
