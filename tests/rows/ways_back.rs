//! Is a Jacobian over rows the sum of the Jacobians in each row, whether each output has a
//! way back of its own or several that are multiples of one node by data share one?

use crate::common::Random;
use chainrule::{Function, Tape, Var};

const ROWS: usize = 203;

fn many(random: &mut Random, count: usize) -> Vec<f64> {
    (0..count).map(|_| random.between(-1.0, 1.0)).collect()
}

/// The function of two parameters and two columns whose outputs `record` gives.
fn function(record: impl for<'t> Fn([Var<'t>; 4]) -> Vec<Var<'t>>) -> Function {
    let tape = Tape::new();
    let [a, b] = tape.var_array([0.3, -0.4]);
    let (x, y) = (tape.column(0.5), tape.column(0.25));
    let outputs = record([a, b, x, y]);
    tape.function_with_outputs(&[a, b, x, y], &outputs)
}

/// Compares with what the function gives at each row by itself.
#[track_caller]
fn assert_sum_of_rows(f: &Function, columns: [&[f64]; 2]) {
    let parameters = [0.7, -1.3];
    let found = f.rows(&columns).unwrap().jacobian(&parameters).unwrap();
    let mut expected = vec![[0.0; 2]; f.outputs()];
    for (&x, &y) in columns[0].iter().zip(columns[1]) {
        let at_row = f.jacobian(&[parameters[0], parameters[1], x, y]).unwrap();
        for (sum, row) in expected.iter_mut().zip(at_row) {
            sum.iter_mut().zip(row).for_each(|(sum, d)| *sum += d);
        }
    }
    assert_eq!(found.len(), expected.len());
    for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
        for (a, b) in found.iter().zip(expected) {
            let close = (a - b).abs() <= 1e-12 * (1.0 + b.abs());
            assert!(close || (a.is_nan() && b.is_nan()), "{i}: {a} is not {b}");
        }
    }
}

#[test]
fn outputs_that_are_multiples_by_data_have_their_own_derivatives() {
    let random = &mut Random(1);
    let (x, y) = (many(random, ROWS), many(random, ROWS));
    let f = function(|[a, b, x, y]| {
        let d = (a * x + b * y).tanh() * a;
        // By a column on either side, by what data alone makes, by 1, twice, by a parameter,
        // and what has nothing to do with it.
        let by_data = y.square() + x;
        let (other, e, data) = ((b * y).exp(), (a + y).cos(), x * y);
        let multiples = [d * x, y * d, d * by_data, d, d, d * x, other * x];
        let others = [
            d * b,
            d * e,
            e * other,
            other,
            a * b,
            data,
            data * x,
            data * e,
        ];
        [&multiples[..], &others].concat()
    });
    assert_sum_of_rows(&f, [&x, &y]);
    assert_sum_of_rows(&f, [&x[..1], &y[..1]]);
    assert_sum_of_rows(&f, [&x[..97], &y[..97]]);
}

#[test]
fn a_parameter_stands_on_either_side_of_a_product_and_has_a_constant_factor_or_none() {
    let random = &mut Random(5);
    let (x, y) = (many(random, ROWS), many(random, ROWS));
    let f = function(|[a, b, x, y]| {
        let data = x * y;
        vec![
            (x * a + y * 3.0 + data * b).tanh(),
            (a * x + b * y).tanh(),
            (x * a + y * b).tanh(),
            (x * a + b * y + b).tanh(),
            Var::linear_combination(&[2.0, 3.0, 1.0], &[a, x, b], 0.5).tanh(),
            Var::dot(&[a, x, b], &[Var::from(-2.0), a, y]).tanh(),
        ]
    });
    assert_sum_of_rows(&f, [&x, &y]);
}

#[test]
fn adjoints_of_many_nodes_are_added_to_by_each_node_that_all_are_weighted_in() {
    let random = &mut Random(6);
    let (x, y) = (many(random, ROWS), many(random, ROWS));
    for hidden in 3..10 {
        let f = function(|[a, b, x, y]| {
            let unit = |i: usize| (a * x + b * y + 0.3 * i as f64).tanh();
            let units: Vec<_> = (0..hidden).map(unit).collect();
            // Recorded before the sums, whose nodes then lie together and become one.
            let weight = |k: usize, i: usize| a * (0.1 * (i + 1) as f64) - b * (0.2 * k as f64);
            let of_output = |k| (0..hidden).map(|i| weight(k, i)).collect::<Vec<_>>();
            let weights: Vec<Vec<_>> = (0..3).map(of_output).collect();
            let outputs = weights.iter().map(|weights| {
                let products = weights.iter().zip(&units).map(|(w, h)| *w * *h);
                let sum = products.reduce(|sum, product| sum + product);
                sum.expect("units").square()
            });
            vec![outputs.sum()]
        });
        assert_sum_of_rows(&f, [&x, &y]);
    }
}

#[test]
fn an_output_that_is_a_multiple_by_data_has_the_gradient_of_each_row_by_itself() {
    let random = &mut Random(4);
    let (x, y) = (many(random, ROWS), many(random, ROWS));
    let f = function(|[a, b, x, y]| vec![(a * x + b * y).tanh() * x]);
    let gradients = f.rows(&[&x, &y]).unwrap().row_gradients(&[0.7, -1.3]);
    let each = x.iter().zip(&y).flat_map(|(&x, &y)| {
        let gradient = f.gradient(&[0.7, -1.3, x, y]).unwrap();
        [gradient[0], gradient[1]]
    });
    assert_eq!(gradients.unwrap(), each.collect::<Vec<_>>());
}

#[test]
fn an_output_of_parameters_alone_counts_in_every_row_each_time_it_is_given() {
    let f = function(|[a, b, ..]| vec![a * b, a * b, b, b]);
    let rows = f.rows(&[&[1.0, 2.0, 3.0], &[0.0; 3]]).unwrap();
    let jacobian = rows.jacobian(&[2.0, 5.0]).unwrap();
    assert_eq!(jacobian, [[15.0, 6.0], [15.0, 6.0], [0.0, 3.0], [0.0, 3.0]]);
}

#[test]
fn a_product_of_two_multiples_begins_with_the_outer_one() {
    let random = &mut Random(2);
    let (x, y) = (many(random, ROWS), many(random, ROWS));
    let f = function(|[a, b, x, y]| {
        let inner = (a * b + x).sin();
        let outer = inner * x;
        vec![outer * y, inner * y, outer, outer * x, inner]
    });
    assert_sum_of_rows(&f, [&x, &y]);
}

#[test]
fn rows_that_nothing_reaches_and_zeros_stay_as_they_are_in_a_row_by_itself() {
    let x = [0.0, -0.0, 2.0, -3.0, 0.0, 1.0, f64::NAN];
    let y = [1.0, 0.0, -1.0, 2.0, -0.0, 0.0, 1.0];
    let f = function(|[a, b, x, y]| {
        // Not taken where x is not positive, with an infinite slope beside.
        let d = (a.sqrt() * x).relu() + (y * b).abs();
        vec![d * x, d * y, d]
    });
    for i in 0..x.len() {
        assert_sum_of_rows(&f, [&x[i..=i], &y[i..=i]]);
    }
    assert_sum_of_rows(&f, [&x[..6], &y[..6]]);
    assert_sum_of_rows(&f, [&x, &y]);
}

#[test]
fn the_hessian_is_symmetric_to_the_last_digits_and_the_same_on_all_threads() {
    let random = &mut Random(3);
    let f = Function::record(|r| {
        let w = r.inputs(&[0.1; 9]);
        let x: Vec<_> = (0..8).map(|i| r.column(&format!("x{i}"), 0.5)).collect();
        let z = w.iter().zip(&x).fold(w[8], |z, (w, x)| z + w * x);
        z.softplus()
    });
    let columns: Vec<Vec<f64>> = (0..8).map(|_| many(random, 7_001)).collect();
    let slices: Vec<&[f64]> = columns.iter().map(|column| &column[..]).collect();
    let (rows, parameters) = (f.rows(&slices).unwrap().mean(), many(random, 9));
    let hessian = rows.hessian(&parameters).unwrap();
    for (i, row) in hessian.iter().enumerate() {
        for (j, &a) in row.iter().enumerate() {
            let b = hessian[j][i];
            let close = (a - b).abs() <= 1e-15 * (1.0 + a.abs());
            assert!(close, "{i} {j}: {a} {b}");
        }
    }
    assert_eq!(rows.parallel().hessian(&parameters).unwrap(), hessian);
}
