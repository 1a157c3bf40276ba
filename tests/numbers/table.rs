//! Is every row of the table right? One walk over `Op::ALL`: values, partials,
//! second derivatives, constant operands, arity, printing.

use crate::common::{Random, apply, difference, expected};
use chainrule::{Dual, Function, Op, Real, Tape, Var};
use std::collections::HashSet;
use std::panic::catch_unwind;

/// A point in the domain of an operation.
fn point(random: &mut Random, op: Op) -> Vec<f64> {
    let between = |(low, high): &(f64, f64), unit: f64| low + (high - low) * unit;
    op.samples()
        .iter()
        .map(|interval| between(interval, random.unit()))
        .collect()
}

const POINTS: usize = 60;

/// Calls `claim` for each row at many points.
fn walk(claim: impl Fn(Op, &[f64])) {
    let mut random = Random(7);
    for &op in Op::ALL {
        for _ in 0..POINTS {
            claim(op, &point(&mut random, op));
        }
    }
}

fn gradient(op: Op, x: &[f64]) -> Vec<f64> {
    let tape = Tape::new();
    let inputs = tape.vars(x);
    apply(op, &inputs).backward().wrt_all(&inputs)
}

/// The inputs as dual numbers, of which number `i` moves.
fn moved<T: Real>(x: &[f64], i: usize, tangent: impl Fn(f64) -> (T, T)) -> Vec<Dual<T>> {
    let dual = |(j, &x): (usize, &f64)| {
        if i == j {
            Dual::new(tangent(x).0, tangent(x).1)
        } else {
            Dual::from(x)
        }
    };
    x.iter().enumerate().map(dual).collect()
}

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    a == b || (a - b).abs() <= tolerance * a.abs().max(b.abs()).max(1.0)
}

#[test]
fn the_helper_rejects_what_is_not_close() {
    assert!(close(1.0, 1.0 + 1e-13, 1e-12) && close(0.0, 0.0, 0.0));
    assert!(!close(1.0, 1.0 + 1e-11, 1e-12) && !close(1.0, -1.0, 1e-12));
    assert!(!close(1.0, f64::NAN, 1.0) && !close(f64::NAN, f64::NAN, 1.0));
    assert!(!close(-1e9, 1.0, 1e-3) && !close(1.0, -1e9, 1e-3));
}

#[test]
fn every_row_is_walked() {
    assert!(Op::ALL.len() >= 50);
    assert!(!Op::ALL.contains(&Op::Input));
    for &op in Op::ALL {
        assert!(!op.samples().is_empty(), "{op} has no samples");
        assert!(
            op.arity().is_none_or(|arity| arity == op.samples().len()),
            "{op}"
        );
    }
}

#[test]
fn values_have_the_same_bits_on_every_number_type_and_when_replayed() {
    walk(|op, x| {
        let value = apply(op, x);
        let duals: Vec<Dual<f64>> = x.iter().map(|&x| Dual::from(x)).collect();
        let tape = Tape::new();
        let inputs = tape.vars(&vec![1.25; x.len()]);
        let output = apply(op, &inputs);
        for (&input, &x) in inputs.iter().zip(x) {
            tape.set(input, x);
        }
        tape.forward();
        let other = Tape::new();
        let recorded = apply(op, &other.vars(x)).value();
        for found in [apply(op, &duals).value(), output.value(), recorded] {
            assert_eq!(found.to_bits(), value.to_bits(), "{op}{x:?}");
        }
        assert!(value.is_finite(), "{op}{x:?}: sampled outside its domain");
    });
}

#[test]
fn partials_in_reverse_are_those_of_forward_mode() {
    walk(|op, x| {
        for (i, &reverse) in gradient(op, x).iter().enumerate() {
            let forward = apply(op, &moved(x, i, |x| (x, 1.0))).tangent();
            assert!(
                close(reverse, forward, 1e-15),
                "{op}{x:?}, {i}: {reverse} {forward}"
            );
        }
    });
}

#[test]
fn a_partial_of_the_node_is_the_adjoint_of_its_operand() {
    walk(|op, x| {
        let tape = Tape::new();
        let inputs = tape.vars(x);
        let output = apply(op, &inputs);
        for (&input, &adjoint) in inputs.iter().zip(&gradient(op, x)) {
            assert!(close(output.partial(input), adjoint, 0.0), "{op}{x:?}");
        }
    });
}

/// Whether the operation picks something else within the steps of `difference`.
fn near_a_kink(op: Op, x: &[f64]) -> bool {
    let against = x.get(1).copied().unwrap_or(0.0);
    op.is_branch() && (x[0] - against).abs() < 5e-3
}

#[test]
fn partials_are_those_of_finite_differences() {
    walk(|op, x| {
        if near_a_kink(op, x) {
            return;
        }
        for (i, &reverse) in gradient(op, x).iter().enumerate() {
            let along = |at: f64| {
                let mut x = x.to_vec();
                x[i] = at;
                apply(op, &x)
            };
            let expected = difference(along, x[i]);
            assert!(
                close(reverse, expected, 1e-7),
                "{op}{x:?}, {i}: {reverse} {expected}"
            );
        }
    });
}

#[test]
fn second_derivatives_as_a_graph_are_those_of_nested_dual_numbers() {
    walk(|op, x| {
        let tape = Tape::new();
        let inputs = tape.vars(x);
        let first = apply(op, &inputs).gradient_graph(&inputs);
        for (i, first) in first.iter().enumerate() {
            for (j, &graph) in first.backward().wrt_all(&inputs).iter().enumerate() {
                let dual = |(k, &x): (usize, &f64)| {
                    let value = if k == i {
                        Dual::new(x, 1.0)
                    } else {
                        Dual::from(x)
                    };
                    let one = Dual::from(1.0);
                    if k == j {
                        Dual::new(value, one)
                    } else {
                        two_levels(value)
                    }
                };
                let nested: Vec<Dual<Dual<f64>>> = x.iter().enumerate().map(dual).collect();
                let expected = apply(op, &nested).tangent().tangent();
                let scale = x
                    .iter()
                    .fold(1.0, |a: f64, b| a.max(b.abs()))
                    .max(expected.abs());
                let near = (graph - expected).abs() <= 1e-12 * scale;
                assert!(near, "{op}{x:?}, {i}, {j}: {graph} {expected}");
            }
        }
    });
}

/// A number that does not move in the outer direction.
fn two_levels(value: Dual<f64>) -> Dual<Dual<f64>> {
    Dual::new(value, Dual::from(-0.0))
}

#[test]
fn a_constant_operand_is_no_node_and_changes_nothing_else() {
    walk(|op, x| {
        if x.len() < 2 {
            return;
        }
        let (value, gradient) = (apply(op, x), gradient(op, x));
        for variable in 0..x.len() {
            let tape = Tape::new();
            let input = tape.var(x[variable]);
            let mut operands: Vec<Var<'_>> = x.iter().map(|&x| Var::from(x)).collect();
            operands[variable] = input;
            let output = apply(op, &operands);
            assert_eq!(tape.len(), 2, "{op} records constants");
            assert_eq!(output.value().to_bits(), value.to_bits(), "{op}{x:?}");
            let found = output.backward().wrt(input);
            assert!(
                close(found, gradient[variable], 0.0),
                "{op}{x:?}, {variable}"
            );
            tape.set(input, 0.5);
            tape.set(input, x[variable]);
            tape.forward();
            assert_eq!(
                output.value().to_bits(),
                value.to_bits(),
                "{op}{x:?} replayed"
            );
        }
    });
}

#[test]
fn an_operation_on_constants_alone_is_a_constant() {
    walk(|op, x| {
        let operands: Vec<Var<'_>> = x.iter().map(|&x| Var::from(x)).collect();
        let output = apply(op, &operands);
        assert!(output.tape().is_none(), "{op}");
        assert_eq!(
            output.value().to_bits(),
            apply(op, x).to_bits(),
            "{op}{x:?}"
        );
    });
}

#[test]
fn a_gradient_graph_replayed_elsewhere_follows_the_branches_there() {
    let mut random = Random(11);
    for &op in Op::ALL {
        for _ in 0..POINTS {
            let (from, to) = (point(&mut random, op), point(&mut random, op));
            let tape = Tape::new();
            let inputs = tape.vars(&from);
            let graph = apply(op, &inputs).gradient_graph(&inputs);
            for (&input, &x) in inputs.iter().zip(&to) {
                tape.set(input, x);
            }
            tape.forward();
            for (found, expected) in graph.iter().zip(gradient(op, &to)) {
                let found = found.value();
                assert!(
                    close(found, expected, 1e-14),
                    "{op}{from:?} {to:?}: {found} {expected}"
                );
            }
        }
    }
}

fn panic_text(run: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let panic = catch_unwind(run).unwrap_err();
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[test]
fn sums_begin_with_the_zero_that_changes_no_term() {
    let negative_zero = (-0.0_f64).to_bits();
    for op in [Op::Sum, Op::Dot] {
        assert_eq!(f64::nary(op, &[], &[]).to_bits(), negative_zero, "{op}");
    }
    let tape = Tape::new();
    let x = tape.vars(&[-0.0, 1.0]);
    assert_eq!(Var::sum(&x[..1]).value().to_bits(), negative_zero);
    assert_eq!(Var::dot(&x[..1], &x[1..]).value().to_bits(), negative_zero);
}

#[test]
fn an_operation_on_a_list_takes_as_many_constants_of_its_own_as_it_says() {
    for &op in Op::ALL {
        for (n, c) in (0..6).flat_map(|n| (0..8).map(move |c| (n, c))) {
            let [x, own] = [vec![0.5; n], vec![2.0; c]];
            let taken = catch_unwind(|| f64::nary(op, &[&x], &[&own])).is_ok();
            assert_eq!(taken, op.own_constants(n) == Some(c), "{op} {n} {c}");
        }
        assert_eq!(
            op.arity().is_some(),
            (0..6).all(|n| op.own_constants(n).is_none())
        );
    }
}

#[test]
fn the_wrong_number_of_operands_is_refused() {
    for &op in Op::ALL {
        let name = op.name();
        let refused = |n: usize| {
            let plural = if n == 1 { "" } else { "s" };
            format!("the operation {name} cannot take {n} operand{plural}")
        };
        if op.arity() != Some(1) {
            assert_eq!(
                panic_text(|| {
                    _ = f64::unary(op, 1.0);
                }),
                refused(1)
            );
        }
        if op.arity() != Some(2) {
            assert_eq!(
                panic_text(|| {
                    _ = f64::binary(op, 1.0, 2.0);
                }),
                refused(2)
            );
        }
        if op.arity().is_some() {
            assert_eq!(
                panic_text(|| _ = f64::nary(op, &[&[1.0; 3]], &[])),
                refused(3)
            );
        }
    }
    for op in [Op::SelectLt, Op::LinearCombination] {
        let text = panic_text(move || _ = f64::nary(op, &[&[1.0; 3]], &[]));
        assert_eq!(text, format!("the operation {op} cannot take 3 operands"));
    }
}

#[test]
fn what_is_expected_of_an_operation_is_of_one_that_there_is() {
    for name in expected::names() {
        assert!(Op::ALL.iter().any(|op| op.name() == name), "{name}");
    }
}

#[test]
fn every_name_is_the_only_one_of_its_kind_and_every_operand_is_printed() {
    let names: HashSet<&str> = Op::ALL.iter().map(|op| op.name()).collect();
    assert_eq!(names.len(), Op::ALL.len());
    for &op in Op::ALL {
        let operands: Vec<String> = (0..op.samples().len())
            .map(|i| format!("operand{i}"))
            .collect();
        let printed = op.print(&operands);
        assert!(
            operands.iter().all(|operand| printed.contains(operand)),
            "{op}: {printed}"
        );
        assert!(!printed.contains('{'), "{op}: {printed}");
        let too_many = vec!["x"; operands.len() + 1];
        if op.arity().is_some() {
            assert!(catch_unwind(|| op.print(&too_many)).is_err(), "{op}");
        }
    }
}

#[test]
fn the_first_of_an_odd_number_of_factors_is_what_products_are_added_to() {
    let tape = Tape::new();
    let x = tape.vars(&[0.3, -1.5, 2.0, 0.7, 1.1]);
    let dot = Var::nary(Op::Dot, &[&x], &[]);
    let sum = x[0] + x[1] * x[3] + x[2] * x[4];
    assert_eq!(dot.value().to_bits(), sum.value().to_bits());
    assert_eq!(dot.backward().wrt_all(&x), sum.backward().wrt_all(&x));
    assert_eq!(dot.formula().to_string(), sum.formula().to_string());
    assert_eq!(Var::nary(Op::Dot, &[&x[..1]], &[]).value(), 0.3);
    let f = Function::record(|r| {
        let (w, h) = (r.inputs(&[1.0; 3]), r.inputs(&[1.0; 3]));
        w.iter()
            .zip(&h)
            .fold(r.input("b", 1.0), |z, (w, h)| z + *w * *h)
            .tanh()
    });
    let line = f.to_string().lines().nth(7).map(str::to_owned);
    assert_eq!(line.as_deref(), Some("v7 = dot(b, v0, v1, v2, v3, v4, v5)"));
}
