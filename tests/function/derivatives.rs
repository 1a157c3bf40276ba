//! Are the derivatives of a `Function` those of the tape, bit for bit, by whatever it evaluates
//! them with? Several outputs, Jacobians, products along directions, Hessians; at ordinary points
//! and where slopes are infinite; with comparisons; without allocating.

use crate::common::Random;
use allocation_counter::measure;
use chainrule::{Error, Function, Op, Real, Tape, Var, Workspace};

const INPUTS: usize = 7;

fn bits(numbers: &[f64]) -> Vec<u64> {
    let canonical = |x: &f64| {
        if x.is_nan() {
            u64::MAX
        } else {
            (x + 0.0).to_bits()
        }
    };
    numbers.iter().map(canonical).collect()
}

/// A program of random operations; the last nodes are its outputs.
fn record<'t>(seed: u64, x: &[Var<'t>], outputs: usize) -> Vec<Var<'t>> {
    let mut random = Random(seed);
    let mut nodes = x.to_vec();
    for _ in 0..10 + random.below(40) {
        let op = Op::ALL[random.below(Op::ALL.len())];
        let operand = |random: &mut Random| match random.below(6) {
            0 => Var::from(random.between(-2.0, 2.0)),
            _ => nodes[random.below(nodes.len())],
        };
        let mut operands: Vec<Var<'_>> = (0..op.samples().len())
            .map(|_| operand(&mut random))
            .collect();
        operands[0] = nodes[random.below(nodes.len())];
        let own = match op {
            Op::LinearCombination => (0..=operands.len()).map(|i| 0.7 - i as f64).collect(),
            _ => Vec::new(),
        };
        nodes.push(match op.arity() {
            Some(1) => Var::unary(op, operands[0]),
            Some(2) => Var::binary(op, operands[0], operands[1]),
            _ => Var::nary(op, &[&operands], &[&own]),
        });
        if random.below(3) == 0 {
            // Long sums, which are merged.
            let sum = nodes
                .iter()
                .rev()
                .take(6)
                .fold(Var::from(0.0), |s, x| s + *x * 0.5);
            nodes.push(sum);
        }
    }
    let all = nodes.len();
    (0..outputs)
        .map(|i| match i {
            5 => Var::from(1.25),
            6 => nodes[0],
            _ => nodes[all - 1 - i % 9],
        })
        .collect()
}

fn point(random: &mut Random) -> Vec<f64> {
    let one = |random: &mut Random| match random.below(8) {
        0 => 0.0,
        1 => 1.0,
        _ => random.between(-1.5, 2.0),
    };
    (0..INPUTS).map(|_| one(random)).collect()
}

/// A function of several outputs, as recorded at a point.
fn function(seed: u64, outputs: usize) -> Function {
    let tape = Tape::new();
    let x = tape.vars(&[0.4; INPUTS]);
    tape.function_with_outputs(&x, &record(seed, &x, outputs))
}

/// The same without merged sums.
fn as_recorded(seed: u64, outputs: usize) -> Function {
    let tape = Tape::new();
    let x = tape.vars(&[0.4; INPUTS]);
    let y = record(seed, &x, outputs);
    let freeze = y
        .iter()
        .fold(tape.freeze(&x), |freeze, &y| freeze.output(y));
    freeze.as_recorded().function()
}

#[test]
fn values_jacobian_and_pullback_have_the_bits_of_the_tape() {
    let mut workspace = Workspace::new();
    for seed in 0..300 {
        let outputs = [1, 2, 3, 8, 9, 15][seed as usize % 6];
        let f = function(seed, outputs);
        let mut random = Random(900 + seed);
        for _ in 0..4 {
            let at = point(&mut random);
            let tape = Tape::new();
            let x = tape.vars(&at);
            let y = record(seed, &x, outputs);
            let expected: Vec<f64> = y.iter().map(|y| y.value()).collect();
            let rows = y
                .iter()
                .map(|y| y.backward().wrt_all(&x))
                .collect::<Vec<_>>()
                .concat();

            let (mut values, mut jacobian) = (vec![0.0; outputs], vec![0.0; outputs * INPUTS]);
            f.values_into(&at, &mut values, &mut workspace).unwrap();
            assert_eq!(bits(&values), bits(&expected), "{seed} {at:?}: {f}");
            values.fill(7.0);
            f.values_and_jacobian_into(&at, &mut values, &mut jacobian, &mut workspace)
                .unwrap();
            assert_eq!(bits(&values), bits(&expected), "{seed} {at:?}: {f}");
            assert_eq!(bits(&jacobian), bits(&rows), "{seed} {at:?}: {f}");
            assert_eq!(bits(&f.jacobian(&at).unwrap().concat()), bits(&rows));

            let u: Vec<f64> = (0..outputs)
                .map(|i| [0.0, 1.0, -0.5][(i + 1) % 3])
                .collect();
            let seeds: Vec<_> = y.iter().copied().zip(u.iter().copied()).collect();
            let pulled = tape.backward_with(&seeds, Vec::new()).wrt_all(&x);
            let mut product = vec![0.0; INPUTS];
            f.vjp_into(&at, &u, &mut values, &mut product, &mut workspace)
                .unwrap();
            assert_eq!(bits(&product), bits(&pulled), "{seed} {at:?}: {f}");
            assert_eq!(bits(&values), bits(&expected));
        }
    }
}

#[test]
fn tangents_and_second_derivatives_have_the_bits_of_the_tape() {
    let mut workspace = Workspace::new();
    let (mut finite, mut not) = (0, 0);
    for seed in 0..300 {
        let (f, several) = (as_recorded(seed, 1), as_recorded(seed, 3));
        let merged = function(seed, 1);
        let mut random = Random(500 + seed);
        for _ in 0..4 {
            let (at, mut v) = (point(&mut random), point(&mut random));
            v[3] = 0.0;
            let tape = Tape::new();
            let x = tape.vars(&at);
            let y = record(seed, &x, 1)[0];
            let (gradient, product) = y.hvp(&x, &v);
            let (mut found, mut of) = (vec![0.0; INPUTS], vec![0.0; INPUTS]);
            f.hvp_into(&at, &v, &mut found, &mut of, &mut workspace)
                .unwrap();
            assert_eq!(bits(&found), bits(&gradient), "{seed} {at:?}: {f}");
            assert_eq!(bits(&of), bits(&product), "{seed} {at:?} {v:?}: {f}");
            let all_finite = product.iter().all(|x| x.is_finite());
            *if all_finite { &mut finite } else { &mut not } += 1;

            let mut hessian = vec![0.0; INPUTS * INPUTS];
            f.hessian_into(&at, &mut hessian, &mut workspace).unwrap();
            let expected = y.hessian(&x).concat();
            assert_eq!(bits(&hessian), bits(&expected), "{seed} {at:?}: {f}");
            // Where a sum was made one node its terms' tangents are added in another order.
            let other = merged.hessian(&at).unwrap().concat();
            let size = expected.iter().fold(1.0, |a: f64, b| a.max(b.abs()));
            for (a, b) in expected.iter().zip(&other) {
                let near = (a - b).abs() <= 1e-9 * size || !a.is_finite() || !size.is_finite();
                assert!(near, "{seed} {at:?}: {expected:?} {other:?} {f}");
            }

            let along = |x: &[Var<'_>]| {
                record(seed, x, 3)
                    .iter()
                    .map(|y| y.value())
                    .collect::<Vec<_>>()
            };
            let (values, tangents) = chainrule::jvp(|x| record(seed, x, 3), &at, &v);
            let (mut of_values, mut pushed) = (vec![0.0; 3], vec![0.0; 3]);
            several
                .jvp_into(&at, &v, &mut of_values, &mut pushed, &mut workspace)
                .unwrap();
            assert_eq!(bits(&of_values), bits(&values));
            assert_eq!(bits(&of_values), bits(&along(&x)));
            assert_eq!(
                bits(&pushed),
                bits(&tangents),
                "{seed} {at:?} {v:?}: {several}"
            );
        }
    }
    assert!(finite > 300 && not > 300, "{finite} {not}");
}

#[test]
fn a_component_of_0_sends_nothing_through_an_infinite_slope() {
    let f = Function::record(|r| {
        let x = r.inputs(&[1.0; 8]);
        x[0].square() * x[2] + x[1].sqrt() + x[3] * x[4] * x[5] + x[6].sin() * x[7]
    });
    let mut at = [1.0; 8];
    at[1] = 0.0;
    let mut v = [0.0; 8];
    v[0] = 1.0;
    assert_eq!(f.jvp(&at, &v).unwrap().1, [2.0]);
    let (gradient, product) = f.hvp(&at, &v).unwrap();
    assert_eq!(
        (gradient[1], product[1], product[2]),
        (f64::INFINITY, 0.0, 2.0)
    );
    let hessian = f.hessian(&at).unwrap();
    assert_eq!(
        (hessian[0][0], hessian[0][1], hessian[0][2]),
        (2.0, 0.0, 2.0)
    );
    assert_eq!(hessian[1][1], f64::NEG_INFINITY);
}

/// A function that compares, and the error of an evaluation elsewhere.
fn compares() -> (Function, Error) {
    let f = Function::record(|r| {
        let x = r.inputs(&[1.0; 8]);
        let p = x[0] * x[1];
        let y = if p < 2.0 { p.exp() } else { p };
        y + x.iter().copied().product::<Var<'_>>()
    });
    let error = f.value(&[3.0; 8]).unwrap_err();
    (f, error)
}

#[test]
fn a_comparison_that_comes_out_the_other_way_is_the_same_error_everywhere_and_writes_nothing() {
    let (f, expected) = compares();
    let workspace = &mut Workspace::new();
    let (mut one, mut some, mut many) = ([7.0], [7.0; 8], [7.0; 64]);
    let mut other = [7.0; 8];
    let at = [3.0; 8];
    for found in [
        f.values_into(&at, &mut one, workspace),
        f.jacobian_into(&at, &mut some, workspace),
        f.values_and_jacobian_into(&at, &mut one, &mut some, workspace),
        f.vjp_into(&at, &[1.0], &mut one, &mut some, workspace),
        f.hvp_into(&at, &at, &mut some, &mut other, workspace),
        f.hessian_into(&at, &mut many, workspace),
    ] {
        assert_eq!(found, Err(expected.clone()));
    }
    let mut tangent = [7.0];
    assert_eq!(
        f.jvp_into(&at, &at, &mut one, &mut tangent, workspace),
        Err(expected)
    );
    assert_eq!(
        (one, some, other, many, tangent),
        ([7.0], [7.0; 8], [7.0; 8], [7.0; 64], [7.0])
    );
    assert!(f.hessian_into(&[1.0; 8], &mut many, workspace).is_ok());
}

#[test]
fn wrong_lengths_are_errors_that_write_nothing() {
    let f = function(1, 3);
    let workspace = &mut Workspace::new();
    let (at, mut three, mut seven) = ([0.5; INPUTS], [9.0; 3], [9.0; INPUTS]);
    let mut all = [9.0; 3 * INPUTS];
    for found in [
        f.values_into(&at, &mut three[..2], workspace),
        f.values_into(&at[1..], &mut three, workspace),
        f.jacobian_into(&at, &mut all[1..], workspace),
        f.values_and_jacobian_into(&at, &mut three[1..], &mut all, workspace),
        f.vjp_into(&at, &[1.0; 2], &mut three, &mut seven, workspace),
        f.vjp_into(&at, &[1.0; 3], &mut three, &mut seven[1..], workspace),
        f.jvp_into(&at, &at[1..], &mut three, &mut [0.0; 3], workspace),
        f.jvp_into(&at, &at, &mut three, &mut [0.0; 2], workspace),
        f.hvp_into(&at, &at, &mut seven, &mut [0.0; INPUTS], workspace),
        f.hessian_into(&at, &mut [0.0; INPUTS * INPUTS], workspace),
    ] {
        assert!(matches!(found, Err(Error::WrongLength { .. })), "{found:?}");
    }
    assert_eq!((three, seven), ([9.0; 3], [9.0; INPUTS]));
}

#[test]
fn with_a_workspace_no_derivative_allocates_after_the_first_time() {
    let smooth = |outputs: usize| {
        let tape = Tape::new();
        let x = tape.vars(&[0.4; INPUTS]);
        let waves: Vec<Var<'_>> = (0..12)
            .map(|i| (x[i % INPUTS] * x[(i + 1) % INPUTS]).sin() + Var::log_sum_exp(&x[i % 3..]))
            .collect();
        tape.function_with_outputs(&x, &waves[..outputs])
    };
    let (one, few, many) = (smooth(1), smooth(3), smooth(12));
    let small = Function::record(|r| {
        let x = r.inputs(&[0.4; 3]);
        (x[0] * x[1]).sin() * x[2].exp()
    });
    let workspace = &mut Workspace::new();
    let (at, v) = ([0.6; INPUTS], [1.0; INPUTS]);
    let (mut a, mut b) = (vec![0.0; 12], vec![0.0; 12]);
    let (mut seven, mut all) = (vec![0.0; INPUTS], vec![0.0; 12 * INPUTS]);
    let mut evaluate = || {
        for (f, outputs) in [(&few, 3), (&many, 12)] {
            let all = &mut all[..outputs * INPUTS];
            f.values_into(&at, &mut a[..outputs], workspace).unwrap();
            f.values_and_jacobian_into(&at, &mut a[..outputs], all, workspace)
                .unwrap();
            f.jacobian_into(&at, all, workspace).unwrap();
            let u = &[1.0; 12][..outputs];
            f.vjp_into(&at, u, &mut a[..outputs], &mut seven, workspace)
                .unwrap();
            f.jvp_into(&at, &v, &mut a[..outputs], &mut b[..outputs], workspace)
                .unwrap();
        }
        one.hvp_into(&at, &v, &mut seven, &mut b[..INPUTS], workspace)
            .unwrap();
        one.hessian_into(&at, &mut all[..INPUTS * INPUTS], workspace)
            .unwrap();
        small
            .hessian_into(&at[..3], &mut all[..9], workspace)
            .unwrap();
    };
    evaluate();
    assert_eq!(measure(evaluate).count_total, 0);
}

#[test]
fn a_large_function_is_differentiated_as_a_small_one() {
    fn chain<'t>(x: &[Var<'t>], len: usize) -> Var<'t> {
        (0..len).fold(x[0], |y, _| (y * x[1]).sin() + x[0])
    }
    let (at, v) = ([0.3, 0.7], [1.0, -0.5]);
    for len in [100, 120_000] {
        let f = Function::record(|r| chain(&r.inputs(&at), len));
        let tape = Tape::new();
        let x = tape.vars(&at);
        let expected = chain(&x, len).hvp(&x, &v);
        let (gradient, product) = f.hvp(&at, &v).unwrap();
        assert_eq!(bits(&gradient), bits(&expected.0), "{len}");
        assert_eq!(bits(&product), bits(&expected.1), "{len}");
        let tangent = f.jvp(&at, &v).unwrap().1[0];
        assert!((tangent - (gradient[0] - 0.5 * gradient[1])).abs() < 1e-12);
    }
}
