//! The workloads W1 to W5: each as a recording and as a hand-written loop.
//!
//! The recording is ordinary operators on `Var`; the loop computes value and
//! gradient with `std` mathematics and no tape. `check` compares the two before
//! anything is timed. Data comes from a generator of our own, always the same.

pub mod by_hand;
mod chain;
pub mod logistic;
mod network;
pub mod rosenbrock;

use chainrule::{Tape, Var};
use std::hint::black_box;
use std::time::Instant;

type Record = Box<dyn for<'t> Fn(&'t Tape) -> Var<'t>>;
type ByHand = Box<dyn FnMut(&mut [f64]) -> f64>;

/// One workload.
pub struct Workload {
    pub name: &'static str,
    /// What one unit is, and how many there are.
    pub unit: &'static str,
    pub units: usize,
    /// How many inputs there are: the first nodes of the recording.
    pub inputs: usize,
    /// Records the inputs and then the computation; returns the output.
    pub record: Record,
    /// Writes the gradient and returns the value.
    pub by_hand: ByHand,
}

/// All workloads; small ones where only their working is tested.
pub fn all(small: bool) -> Vec<Workload> {
    let shrink = |n: usize| if small { n / 100 } else { n };
    vec![
        logistic::scalar("W1", shrink(1_000)),
        logistic::one_node("W1 one node", shrink(1_000)),
        logistic::scalar("W1L", shrink(100_000)),
        logistic::one_row("W2"),
        chain::chain("W3", shrink(1_000_000)),
        rosenbrock::rosenbrock("W4", shrink(100_000)),
        network::network("W5", if small { 2 } else { 100 }),
    ]
}

/// A linear congruential generator; numbers in [−1, 1).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    pub fn many(&mut self, count: usize) -> Vec<f64> {
        (0..count).map(|_| self.next()).collect()
    }
}

/// Panics unless the engine's gradient is the hand-written one to 9 digits.
pub fn check(workload: &mut Workload) {
    let tape = Tape::new();
    let output = (workload.record)(&tape);
    let engine = output.backward().into_buffer();
    let mut by_hand = vec![0.0; workload.inputs];
    let value = (workload.by_hand)(&mut by_hand);
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1e-3);
    assert!(
        close(output.value(), value),
        "{}: {output} {value}",
        workload.name
    );
    for (i, (&a, &b)) in engine.iter().zip(&by_hand).enumerate() {
        assert!(close(a, b), "{}, input {i}: {a} {b}", workload.name);
    }
}

/// Medians, in nanoseconds, of running each in turn.
pub fn alternate<const N: usize>(mut runs: [&mut dyn FnMut(); N]) -> [f64; N] {
    let once = |run: &mut dyn FnMut()| {
        let start = Instant::now();
        run();
        start.elapsed().as_nanos() as f64
    };
    let longest = runs.iter_mut().map(|run| once(*run)).fold(0.0, f64::max);
    // Enough for a clock that ticks in tens of nanoseconds, and two seconds in all
    let batch = (20_000.0 / longest.max(1.0)).ceil() as usize;
    let rounds = (7e8 / (longest * batch as f64 * N as f64)).clamp(5.0, 301.0) as usize;
    let mut times = [const { Vec::new() }; N];
    for _ in 0..rounds {
        for (run, times) in runs.iter_mut().zip(&mut times) {
            let time = once(&mut || (0..batch).for_each(|_| run()));
            times.push(time / batch as f64);
        }
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    })
}

/// Keeps the compiler from computing a workload once and for all.
pub fn hide<T: ?Sized>(data: &T) -> &T {
    black_box(data)
}
