//! Records and sweeps the same on a tape that has recorded it before, and on a new one.

use crate::common::Random;
use chainrule::{Tape, Var};

/// Compares all adjoints, and the values afterwards.
#[track_caller]
pub fn assert_same(again: &mut Tape, record: impl for<'t> Fn(&'t Tape) -> Var<'t>) {
    let new = Tape::new();
    again.clear();
    let (a, b) = (record(again), record(&new));
    assert_eq!(a.id(), b.id());
    assert_same_bits(&a.backward().into_buffer(), &b.backward().into_buffer());
    let values = |tape: &Tape| -> Vec<f64> { tape.nodes().map(|node| node.value).collect() };
    assert_same_bits(&values(again), &values(&new));
}

#[track_caller]
pub fn assert_same_bits(a: &[f64], b: &[f64]) {
    let one = |x: &f64| if x.is_nan() { f64::NAN } else { *x }.to_bits();
    let bits = |all: &[f64]| -> Vec<u64> { all.iter().map(one).collect() };
    assert_eq!(bits(a), bits(b));
}

/// Numbers at which contributions are −0, 0·∞ or cancel, among ordinary ones.
pub fn number(random: &mut Random) -> f64 {
    const ODD: [f64; 8] = [0.0, -0.0, 1.0, -1.0, 1e-310, 1e300, f64::INFINITY, f64::NAN];
    match random.below(8) {
        0 => ODD[random.below(8)],
        _ => random.between(-2.0, 2.0),
    }
}
