//! A function held to the tape that it was made from, bit for bit, at ordinary points and at
//! odd ones.

use crate::common::Random;
use chainrule::{Function, Tape, Var, Workspace};

pub fn many(random: &mut Random, count: usize) -> Vec<f64> {
    (0..count).map(|_| random.between(-2.0, 2.0)).collect()
}

fn bits(x: f64) -> u64 {
    if x.is_nan() {
        f64::NAN.to_bits()
    } else {
        x.to_bits()
    }
}

/// Value and gradient of the tape, replayed at a point.
fn replayed(tape: &Tape, x: &[Var<'_>], output: Var<'_>, point: &[f64]) -> Vec<u64> {
    for (&x, &value) in x.iter().zip(point) {
        tape.set(x, value);
    }
    tape.forward();
    let adjoints = output.backward();
    let gradient = x.iter().map(|&x| bits(adjoints.wrt(x)));
    [bits(output.value())].into_iter().chain(gradient).collect()
}

/// Value and gradient of a function at a point, the same with a workspace and without.
fn evaluated(f: &Function, point: &[f64], workspace: &mut Workspace) -> Vec<u64> {
    let all = |value: f64, gradient: &[f64]| -> Vec<u64> {
        let gradient = gradient.iter().map(|&x| bits(x));
        [bits(value)].into_iter().chain(gradient).collect()
    };
    let mut gradient = vec![7.0; f.inputs()];
    let value = f
        .value_and_gradient_into(point, &mut gradient, workspace)
        .unwrap();
    let found = all(value, &gradient);
    let (value, gradient) = f.value_and_gradient(point).unwrap();
    assert_eq!(found, all(value, &gradient));
    assert_eq!(bits(f.value(point).unwrap()), bits(value));
    assert_eq!(bits(f.value_with(point, workspace).unwrap()), bits(value));
    found
}

/// Numbers at which shares are −0, 0·∞ or cancel, among ordinary ones.
fn point(random: &mut Random, len: usize, odd: bool) -> Vec<f64> {
    const ODD: [f64; 8] = [0.0, -0.0, 1.0, -1.0, 1e-310, 1e300, f64::INFINITY, f64::NAN];
    let number = |random: &mut Random| match odd && random.below(6) == 0 {
        true => ODD[random.below(8)],
        false => random.between(-2.0, 2.0),
    };
    (0..len).map(|_| number(random)).collect()
}

/// Compares at some points, and returns the function.
#[track_caller]
pub fn compared(tape: &Tape, x: &[Var<'_>], output: Var<'_>, seed: u64) -> Function {
    let f = tape.function(x, output);
    let (mut random, mut workspace) = (Random(seed), Workspace::new());
    for i in 0..8 {
        let point = point(&mut random, x.len(), i >= 4);
        let (found, expected) = (
            evaluated(&f, &point, &mut workspace),
            replayed(tape, x, output, &point),
        );
        assert_eq!(found, expected, "{point:?} of {f:?}");
    }
    f
}

/// The same, and returns how many turns were found.
#[track_caller]
pub fn assert_bits(tape: &Tape, x: &[Var<'_>], output: Var<'_>, seed: u64) -> usize {
    compared(tape, x, output, seed).stats().turns
}

/// A sum over data of which each turn is made by `term`, and its inputs.
pub fn sum_of<'t>(
    tape: &'t Tape,
    turns: usize,
    term: impl Fn(&[Var<'t>], f64) -> Var<'t>,
) -> (Vec<Var<'t>>, Var<'t>) {
    let random = &mut Random(11);
    let p = tape.vars(&many(random, 3));
    let terms = (0..turns).map(|_| term(&p, random.between(-2.0, 2.0)));
    let sum = terms.reduce(|sum, term| sum + term).unwrap();
    (p, sum)
}
