//! Does every operation do what `docs/kinks.md` says at kinks, at the ends of
//! its domain, for NaN and for infinities? The document is the test's data.

use crate::common::{apply, expected};
use chainrule::{Dual, Function, Op, Real, Tape, Var};

const DOCUMENT: &str = include_str!("../../docs/kinks.md");

struct Row {
    op: Op,
    operands: Vec<f64>,
    value: f64,
    slopes: Vec<f64>,
}

fn numbers(cell: &str) -> Vec<f64> {
    let number = |text: &str| match text.trim().replace('∞', "inf").parse::<f64>() {
        Ok(number) => number,
        Err(_) => panic!("{text:?} is no number"),
    };
    cell.split(',').map(number).collect()
}

fn rows() -> Vec<Row> {
    let table = DOCUMENT
        .lines()
        .skip_while(|line| !line.starts_with("|---"))
        .skip(1);
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let op = Op::ALL.iter().find(|op| op.name() == cells[0]);
        Row {
            op: *op.unwrap_or_else(|| panic!("no operation is named {}", cells[0])),
            operands: numbers(cells[1]),
            value: numbers(cells[2])[0],
            slopes: numbers(cells[3]),
        }
    };
    table
        .take_while(|line| line.starts_with('|'))
        .map(row)
        .collect()
}

/// The same number, the sign of a zero aside; any NaN is NaN.
fn same(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}

#[test]
fn the_document_has_rows() {
    assert!(rows().len() > 90);
    assert!(
        rows()
            .iter()
            .all(|row| row.slopes.len() == row.operands.len())
    );
}

#[test]
fn values_are_as_documented_to_the_sign_of_zero() {
    for Row {
        op,
        operands,
        value,
        ..
    } in rows()
    {
        let found = apply(op, &operands);
        let signs = found.is_nan() || found.is_sign_negative() == value.is_sign_negative();
        assert!(
            same(found, value) && signs,
            "{op}{operands:?}: {found} for {value}"
        );
    }
}

#[test]
fn slopes_are_as_documented_in_reverse() {
    for Row {
        op,
        operands,
        slopes,
        ..
    } in rows()
    {
        let tape = Tape::new();
        let inputs = tape.vars(&operands);
        let found = apply(op, &inputs).backward().wrt_all(&inputs);
        let agree = found.iter().zip(&slopes).all(|(a, b)| same(*a, *b));
        assert!(agree, "{op}{operands:?}: {found:?} for {slopes:?}");
    }
}

#[test]
fn slopes_are_as_documented_in_forward_mode() {
    for Row {
        op,
        operands,
        slopes,
        ..
    } in rows()
    {
        for (i, &slope) in slopes.iter().enumerate() {
            let dual = |(j, &x): (usize, &f64)| {
                if i == j {
                    Dual::new(x, 1.0)
                } else {
                    Dual::from(x)
                }
            };
            let moved: Vec<_> = operands.iter().enumerate().map(dual).collect();
            let found = apply(op, &moved).tangent();
            assert!(
                same(found, slope),
                "{op}{operands:?}, {i}: {found} for {slope}"
            );
        }
    }
}

#[test]
fn a_branch_not_taken_sends_nothing_even_with_an_infinite_slope() {
    let tape = Tape::new();
    let x = tape.var(0.0);
    let picked = [
        x.select_lt(0.5, 3.0, x.ln()),
        (x.ln()).max(2.0),
        x.sqrt().min(-1.0),
        (x.sqrt() - 1.0).relu(),
    ];
    for output in picked {
        assert_eq!(output.backward().wrt(x), 0.0);
    }
}

/// Functions of x that at 0 do not pick what has an infinite slope there, and their slopes.
fn not_picked<T: Real>(x: T) -> [(T, f64); 8] {
    [
        (T::from(1.0).max(x.ln()), 0.0),
        (x.sqrt().min(-1.0) * 2.0, 0.0),
        ((x.sqrt() - 1.0).relu().sin() + x * 3.0, 3.0),
        (x.select_lt(0.5, x * 2.0, x.ln()), 2.0),
        (
            (x.sqrt() + x.sqrt() + x.ln()).min(x * 5.0).max(0.0).exp(),
            0.0,
        ),
        (x.select_eq(1.0, x.ln(), x.cos()) + 1.0, 0.0),
        ((x.sqrt() + x.ln()).max(1.0).max(x), 0.0),
        (
            T::max(x.sqrt() - 1.0, (x.cbrt() - 1.0).exp())
                .square()
                .relu()
                .min(7.0),
            f64::INFINITY,
        ),
    ]
}

#[test]
fn a_branch_not_taken_sends_nothing_where_the_gradient_is_recorded() {
    for i in 0..8 {
        let tape = Tape::new();
        let x = tape.var(0.0);
        let (y, slope) = not_picked(x)[i];
        let graph = y.gradient_graph(&[x])[0];
        assert_eq!(graph.value(), slope, "{i}");
        assert_eq!(
            graph.value().to_bits(),
            y.backward().wrt(x).to_bits(),
            "{i}"
        );
        if slope.is_finite() {
            let (second, third) = (graph.gradient_graph(&[x])[0], graph.backward().wrt(x));
            assert_eq!(second.value(), third, "{i}");
            assert!(third.is_finite(), "{i}: {third}");
            assert_eq!(y.hessian(&[x]), [[third]], "{i}");
        }
        // Elsewhere the other one is picked: the graph finds out.
        for at in [0.0, 0.7, 9.0] {
            tape.set(x, at);
            tape.forward();
            assert_eq!(
                graph.value().to_bits(),
                y.backward().wrt(x).to_bits(),
                "{i} at {at}"
            );
        }
    }
}

#[test]
fn a_branch_not_taken_sends_nothing_in_forward_mode_that_is_recorded() {
    for i in 0..8 {
        let tape = Tape::new();
        let x = tape.var(0.0);
        let (y, slope) = not_picked(Dual::new(x, Var::from(1.0)))[i];
        assert_eq!(y.tangent().value(), slope, "{i}");
        let nested = Dual::new(Dual::new(0.0, 1.0), Dual::from(1.0));
        let (y, _) = not_picked(nested)[i];
        assert_eq!(y.primal().tangent(), slope, "{i}");
        assert!(
            !y.tangent().tangent().is_nan() || slope.is_infinite(),
            "{i}"
        );
    }
}

#[test]
fn a_branch_not_taken_sends_nothing_in_functions_and_over_rows() {
    for i in 0..7 {
        let f = Function::record(|r| {
            let (x, c) = (r.input("x", 0.4), r.column("c", 1.0));
            not_picked(x * c)[i].0
        });
        let slope = not_picked(0.0)[i].1;
        assert_eq!(f.gradient(&[0.0, 1.0]).unwrap()[0], slope, "{i}");
        let rows = f.rows(&[&[1.0, 2.0, 1.0]]).unwrap();
        assert_eq!(rows.gradient(&[0.0]).unwrap(), [4.0 * slope], "{i}");
        let (by_rows, hessian) = (
            rows.hessian(&[0.0]).unwrap(),
            f.hessian(&[0.0, 1.0]).unwrap(),
        );
        assert_eq!(by_rows[0][0], 6.0 * hessian[0][0], "{i}");
        assert!(hessian[0][0].is_finite(), "{i}");
    }
}

#[test]
fn a_zero_that_was_computed_times_infinity_is_nan_in_a_recorded_gradient_too() {
    // The adjoint of the product is a zero, and its way is taken.
    let tape = Tape::new();
    let x = tape.var(0.0);
    let y = (x.sqrt() * x).max(-1.0);
    assert!(y.backward().wrt(x).is_nan());
    assert!(y.gradient_graph(&[x])[0].value().is_nan());
}

/// Whether it is written down that an operation picks one of its operands, or none.
fn picks(op: Op) -> bool {
    expected::of(op, "picks").is_some()
}

#[test]
fn branches_are_these() {
    for &op in Op::ALL {
        assert_eq!(op.is_branch(), picks(op), "{op}");
    }
}

#[test]
fn an_operand_that_is_not_picked_gets_nothing_even_from_an_infinite_adjoint() {
    let mut seen = 0;
    for Row {
        op,
        operands,
        slopes,
        ..
    } in rows().into_iter().filter(|row| picks(row.op))
    {
        let tape = Tape::new();
        let inputs = tape.vars(&operands);
        let output = apply(op, &inputs);
        let grad = tape.backward_with(&[(output, f64::INFINITY)], Vec::new());
        for (&input, &slope) in inputs.iter().zip(&slopes) {
            let expected = if slope == 0.0 {
                0.0
            } else {
                slope * f64::INFINITY
            };
            assert!(
                same(grad.wrt(input), expected),
                "{op}{operands:?}: {}",
                grad.wrt(input)
            );
            seen += usize::from(slope == 0.0);
        }
    }
    assert!(seen > 15);
}

#[test]
fn what_the_output_does_not_use_does_not_spoil_it() {
    let tape = Tape::new();
    let x = tape.var(0.0);
    let _unused = x.ln() * x.sqrt();
    let output = x * 3.0;
    assert_eq!(output.backward().wrt(x), 3.0);
}

#[test]
fn a_computed_zero_times_infinity_is_nan_in_both_modes_and_with_either_sign() {
    fn f<T: Real>(x: T) -> T {
        x.sqrt() * x.sqrt()
    }
    let tape = Tape::new();
    let x = tape.var(0.0);
    assert!(f(x).backward().wrt(x).is_nan());
    assert!((-f(x)).backward().wrt(x).is_nan());
    assert!(f(Dual::new(0.0, 1.0)).tangent().is_nan());
    assert!((-f(Dual::new(0.0, 1.0))).tangent().is_nan());
}

/// A point inside the domain of an operation that has one, and one outside.
fn inside_and_outside(op: Op) -> Option<(Vec<f64>, Vec<f64>)> {
    op.arity()?;
    let inside: Vec<f64> = op
        .samples()
        .iter()
        .map(|(low, high)| 0.5 * (low + high))
        .collect();
    let outside = match op {
        Op::XLnY => vec![1.5, -2.0],
        Op::Pow => vec![-2.0, 1e-17],
        Op::Acosh => vec![-3.0],
        _ => vec![-4.0; inside.len()],
    };
    let is_outside = f64::is_nan(apply(op, &outside));
    is_outside.then_some((inside, outside))
}

#[test]
fn a_recorded_gradient_is_nan_outside_a_domain_and_a_number_inside_wherever_it_was_recorded() {
    let mut seen = 0;
    for &op in Op::ALL {
        let Some((inside, outside)) = inside_and_outside(op) else {
            continue;
        };
        seen += 1;
        for (recorded, evaluated) in [(&inside, &outside), (&outside, &inside)] {
            let tape = Tape::new();
            let x = tape.vars(recorded);
            let first = apply(op, &x).gradient_graph(&x);
            let second = first[0].gradient_graph(&x);
            for (x, &at) in x.iter().zip(evaluated) {
                tape.set(*x, at);
            }
            tape.forward();
            for (i, derivative) in first.iter().chain(&second).enumerate() {
                let is_nan = derivative.value().is_nan();
                // x·ln y is linear in x.
                let flat = op == Op::XLnY && i == x.len();
                assert!(
                    is_nan == (evaluated == &outside) || flat,
                    "{op}{evaluated:?}, {i}"
                );
            }
            let f = tape.function(&x, apply(op, &x));
            for found in [
                f.hessian(evaluated).unwrap(),
                rows_hessian(op, recorded, evaluated),
            ] {
                let nan = found.concat().iter().any(|x| x.is_nan());
                assert_eq!(nan, evaluated == &outside, "{op}{evaluated:?}: {found:?}");
            }
        }
    }
    assert!(seen >= 12, "{seen}");
}

/// The Hessian over one row of the operation, whose operands are p·c for a column c of 1.
fn rows_hessian(op: Op, recorded: &[f64], evaluated: &[f64]) -> Vec<Vec<f64>> {
    let tape = Tape::new();
    let (p, c) = (tape.vars(recorded), tape.column(1.0));
    let x: Vec<Var<'_>> = p.iter().map(|p| *p * c).collect();
    let f = tape.function(&[&p[..], &[c]].concat(), apply(op, &x));
    let column = [1.0];
    f.rows(&[&column]).unwrap().hessian(evaluated).unwrap()
}
