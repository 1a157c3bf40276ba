//! Are gradients of gradients right? Against closed forms, by all the ways there
//! are: graphs of graphs, Hessians, Hessian–vector products, nested duals.

use chainrule::{Real, Tape, Var, grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp};

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    a == b || (a - b).abs() <= tolerance * a.abs().max(b.abs()).max(1.0)
}

/// f and its first `orders` derivatives at x, each recorded from the one before.
fn derivatives(f: impl for<'t> Fn(Var<'t>) -> Var<'t>, x: f64, orders: usize) -> Vec<f64> {
    let tape = Tape::new();
    let x = tape.var(x);
    let mut last = f(x);
    let mut values = vec![last.value()];
    for _ in 0..orders {
        last = last.gradient_graph(&[x])[0];
        values.push(last.value());
    }
    values
}

#[test]
fn every_derivative_of_exp_is_exp() {
    for x in [-2.0, 0.0, 1.3_f64] {
        for value in derivatives(|x| x.exp(), x, 8) {
            assert!(close(value, x.exp(), 1e-15));
        }
    }
}

#[test]
fn the_derivatives_of_sin_go_round() {
    for x in [-2.0, 0.1, 1.3_f64] {
        let cycle = [x.sin(), x.cos(), -x.sin(), -x.cos()];
        for (order, value) in derivatives(|x| x.sin(), x, 9).into_iter().enumerate() {
            assert!(
                close(value, cycle[order % 4], 1e-15),
                "order {order}: {value}"
            );
        }
    }
}

#[test]
fn the_derivatives_of_a_power_fall_and_end_in_zero() {
    for x in [-2.0, 0.5, 3.0_f64] {
        for n in 1..=6 {
            let mut factor = 1.0;
            for (order, value) in derivatives(|x| x.powi(n), x, 8).into_iter().enumerate() {
                let left = n - i32::try_from(order).unwrap();
                let expected = if left < 0 { 0.0 } else { factor * x.powi(left) };
                assert!(
                    close(value, expected, 1e-13),
                    "x^{n}, order {order}: {value} {expected}"
                );
                factor *= f64::from(left);
            }
        }
    }
}

#[test]
fn the_derivatives_of_a_power_at_zero_end_in_zero_too() {
    assert_eq!(
        derivatives(|x| x.powi(3), 0.0, 5),
        [0.0, 0.0, 0.0, 6.0, 0.0, 0.0]
    );
}

fn rosenbrock<T: Real>(x: &[T]) -> T {
    let term = |p: &[T]| (p[1] - p[0].square()).square() * 100.0 + (-p[0] + 1.0).square();
    x.windows(2).map(term).sum()
}

fn rosenbrock_hessian(x: &[f64]) -> Vec<Vec<f64>> {
    let n = x.len();
    let mut h = vec![vec![0.0; n]; n];
    for i in 0..n - 1 {
        h[i][i] += 1200.0 * x[i] * x[i] - 400.0 * x[i + 1] + 2.0;
        h[i + 1][i + 1] += 200.0;
        h[i][i + 1] -= 400.0 * x[i];
        h[i + 1][i] -= 400.0 * x[i];
    }
    h
}

fn assert_matrix(found: &[Vec<f64>], expected: &[Vec<f64>], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found.len(), expected.len());
        for (a, b) in found.iter().zip(expected) {
            assert!(close(*a, *b, tolerance), "{found:?} {expected:?}");
        }
    }
}

const POINT: [f64; 5] = [-1.2, 1.0, 0.3, -0.7, 2.0];

#[test]
fn the_hessian_of_rosenbrock_is_the_closed_form() {
    assert_matrix(
        &hessian(|x| rosenbrock(x), &POINT),
        &rosenbrock_hessian(&POINT),
        1e-14,
    );
}

#[test]
fn a_graph_of_the_gradient_has_the_hessian_as_its_gradients() {
    let tape = Tape::new();
    let x = tape.vars(&POINT);
    let gradient = rosenbrock(&x).gradient_graph(&x);
    let rows: Vec<Vec<f64>> = gradient.iter().map(|g| g.backward().wrt_all(&x)).collect();
    assert_matrix(&rows, &rosenbrock_hessian(&POINT), 1e-14);
}

#[test]
fn a_hessian_vector_product_is_that_of_the_hessian() {
    for v in [
        [1.0, 0.0, 0.0, 0.0, 0.0],
        [0.3, -2.0, 0.0, 1.0, 5.0],
        [0.0; 5],
    ] {
        let expected: Vec<f64> = rosenbrock_hessian(&POINT)
            .iter()
            .map(|row| row.iter().zip(&v).map(|(h, v)| h * v).sum())
            .collect();
        for (a, b) in hvp(|x| rosenbrock(x), &POINT, &v).iter().zip(&expected) {
            assert!(close(*a, *b, 1e-12), "{a} {b}");
        }
    }
}

#[test]
fn hvp_gives_the_gradient_too() {
    let tape = Tape::new();
    let x = tape.vars(&POINT);
    let output = rosenbrock(&x);
    let (gradient, _) = output.hvp(&x, &[1.0; 5]);
    assert_eq!(gradient, output.backward().wrt_all(&x));
}

#[test]
fn a_gradient_graph_records_no_factor_of_one() {
    let tape = Tape::new();
    let x = tape.vars(&[1.0, 2.0]);
    let gradient = (x[0] + x[1]).gradient_graph(&x);
    assert_eq!(
        (tape.len(), gradient[0].value(), gradient[1].value()),
        (3, 1.0, 1.0)
    );
    (x[0] * x[1]).gradient_graph(&x);
    assert_eq!(tape.len(), 4, "the partials are the operands themselves");
    (x[0].sin() + x[1]).gradient_graph(&x);
    assert_eq!(tape.len(), 7, "sin, +, cos");
}

#[test]
fn a_gradient_graph_outside_the_domain_is_nan() {
    for (x, nan) in [(-0.5, true), (0.5, false), (2.0, false)] {
        let tape = Tape::new();
        let x = tape.var(x);
        let y = x.ln();
        assert_eq!(y.gradient_graph(&[x])[0].value().is_nan(), nan);
        assert_eq!(Real::value(y).is_nan(), nan);
    }
}

#[test]
fn an_input_that_does_not_matter_has_positive_zeros() {
    let tape = Tape::new();
    let x = tape.vars(&[1.0, 2.0]);
    let (gradient, product) = x[0].square().hvp(&x, &[1.0, 1.0]);
    assert_eq!((gradient[1].to_bits(), product[1].to_bits()), (0, 0));
}

#[test]
fn the_hessian_of_the_logistic_loss_is_xt_d_x() {
    let rows = [
        [1.0, 0.5, -2.0],
        [0.3, 4.0, 1.0],
        [-1.5, 2.5, 0.2],
        [2.0, -1.0, 1.0],
    ];
    let labels = [1.0, 0.0, 1.0, 0.0];
    let w = [0.3, -0.8, 0.5];
    let found = hessian(
        |w| {
            let loss = |(x, y): (&[f64; 3], &f64)| {
                let z = Var::linear_combination(x, w, 0.0);
                z.softplus() - z * *y
            };
            rows.iter().zip(&labels).map(loss).sum()
        },
        &w,
    );
    let mut expected = vec![vec![0.0; 3]; 3];
    for x in rows {
        let z: f64 = x.iter().zip(&w).map(|(x, w)| x * w).sum();
        let a = 1.0 / (1.0 + (-z).exp());
        for i in 0..3 {
            for j in 0..3 {
                expected[i][j] += x[i] * a * (1.0 - a) * x[j];
            }
        }
    }
    assert_matrix(&found, &expected, 1e-14);
}

#[test]
fn the_hessian_of_log_sum_exp_is_that_of_softmax() {
    let x = [0.5, -1.0, 2.0];
    let found = hessian(|x| Var::log_sum_exp(x), &x);
    let total: f64 = x.iter().map(|x| x.exp()).sum();
    let p: Vec<f64> = x.iter().map(|x| x.exp() / total).collect();
    let entry = |i: usize, j: usize| {
        if i == j {
            p[i] - p[i] * p[j]
        } else {
            -p[i] * p[j]
        }
    };
    let expected: Vec<Vec<f64>> = (0..3)
        .map(|i| (0..3).map(|j| entry(i, j)).collect())
        .collect();
    assert_matrix(&found, &expected, 1e-14);
}

#[test]
fn products_differentiate_twice_where_factors_are_zero() {
    let found = hessian(|x| Var::product(x), &[0.0, 3.0, 0.0]);
    assert_eq!(found, [[0.0, 0.0, 3.0], [0.0, 0.0, 0.0], [3.0, 0.0, 0.0]]);
}

#[test]
fn third_mixed_derivatives_do_not_depend_on_the_order() {
    let tape = Tape::new();
    let x = tape.vars(&[0.7, -0.4, 1.3]);
    let f = (x[0] * x[1]).sin() * (x[2] * x[0]).exp() / (x[1].square() + 1.0);
    let along = |order: [usize; 3]| {
        order
            .iter()
            .fold(f, |f, &i| f.gradient_graph(&[x[i]])[0])
            .value()
    };
    for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        assert!(close(along(order), along([0, 1, 2]), 1e-13), "{order:?}");
    }
}

fn curve<'t>(x: &[Var<'t>]) -> Vec<Var<'t>> {
    vec![x[0] * x[1].sin(), x[0].exp() / x[1], Var::from(7.0), x[1]]
}

#[test]
fn the_jacobian_is_the_closed_form_with_constant_outputs_flat() {
    let (x, y) = (0.6_f64, 1.7_f64);
    let expected = [
        vec![y.sin(), x * y.cos()],
        vec![x.exp() / y, -x.exp() / (y * y)],
        vec![0.0, 0.0],
        vec![0.0, 1.0],
    ];
    assert_matrix(&jacobian(curve, &[x, y]), &expected, 1e-15);
}

#[test]
fn a_pushforward_and_a_pullback_agree() {
    let (x, v, u) = ([0.6, 1.7], [0.3, -2.0], [1.0, 0.5, 3.0, -1.0]);
    let (y, pushed) = jvp(curve, &x, &v);
    let (same, pulled) = vjp(curve, &x, &u);
    assert_eq!(y, same);
    let forward: f64 = u.iter().zip(&pushed).map(|(u, t)| u * t).sum();
    let reverse: f64 = pulled.iter().zip(&v).map(|(p, v)| p * v).sum();
    assert!(close(forward, reverse, 1e-14), "{forward} {reverse}");
}

#[test]
fn closures_of_one_number_agree_with_each_other() {
    let (value, gradient) = value_and_grad(|x| rosenbrock(x), &POINT);
    assert_eq!(value, rosenbrock(&POINT));
    assert_eq!(gradient, grad(|x| rosenbrock(x), &POINT));
    assert_eq!(grad(|_| Var::from(2.0), &[1.0, 2.0]), [0.0, 0.0]);
    assert_eq!(hessian(|_| Var::from(2.0), &[1.0]), [[0.0]]);
}

#[test]
fn a_direction_that_does_not_move_an_input_sends_nothing_through_its_infinite_slope() {
    let (_, tangent) = jvp(|x| vec![x[0] * 2.0 + x[1].sqrt()], &[1.0, 0.0], &[1.0, 0.0]);
    assert_eq!(tangent, [2.0]);
}

#[test]
fn a_gradient_graph_records_nothing_for_factors_of_one() {
    let tape = Tape::new();
    let (x, y) = (tape.var(2.0), tape.var(3.0));
    let sum = x + y;
    let len = tape.len();
    let gradient = sum.gradient_graph(&[x, y]);
    assert_eq!(tape.len(), len);
    assert_eq!((gradient[0].value(), gradient[1].value()), (1.0, 1.0));
    let product = (x * y).gradient_graph(&[x])[0];
    assert_eq!(product.id(), y.id());
}
