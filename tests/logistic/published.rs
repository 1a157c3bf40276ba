//! Does the example's fit find what others have published?

use crate::data::{self, Data};
use crate::example::row_by_row;
use crate::{by_hand, fit};
use chainrule::Tape;
use chainrule::models::logistic::{Form, Parameters, hand, penalty, total_loss};

/// The published fits with more digits, by Newton's method with 40 digits, the
/// constant first; then the log-likelihood.
const FITS: [(&str, &[f64], f64); 3] = [
    (
        "challenger",
        &[15.042901647702, -0.2321627442186],
        -10.157596343933,
    ),
    (
        "iris",
        &[
            -42.637803813022,
            -2.4652201951867,
            -6.6808870140785,
            9.4293851539266,
            18.286136887851,
        ],
        -5.9492733956794,
    ),
    (
        "hours",
        &[-4.0777134310876, 1.5046454283733],
        -8.0298784643447,
    ),
];

fn constant_first(parameters: &[f64]) -> Vec<f64> {
    let (constant, weights) = parameters.split_last().unwrap();
    [&[*constant], weights].concat()
}

#[test]
fn the_fits_are_the_published_ones() {
    for (name, coefficients, log_likelihood) in FITS {
        let table = data::embedded(name).unwrap();
        let fit = fit::fit(table.data, 0.0, |_| {}).unwrap();
        for (found, expected) in constant_first(&fit.parameters).iter().zip(coefficients) {
            assert!(
                (found - expected).abs() < 1e-9 * expected.abs(),
                "{name}: {found} for {expected}"
            );
        }
        assert!(
            (fit.log_likelihood - log_likelihood).abs() < 1e-11,
            "{name}"
        );
        let published = table.published.unwrap();
        for (found, expected) in published.coefficients.iter().zip(coefficients) {
            assert!(
                (found - expected).abs() < 0.5001e-4,
                "{name}: printed {found}"
            );
        }
        assert!(
            (published.log_likelihood - log_likelihood).abs() < 0.5001e-4,
            "{name}"
        );
    }
}

#[test]
fn the_loss_over_rows_is_that_of_one_tape_with_all_rows() {
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-13 * (1.0 + b.abs());
    for (name, coefficients, _) in FITS {
        let data = data::embedded(name).unwrap().data;
        let mut at = coefficients.to_vec();
        at.rotate_left(1);
        let (w, b) = at.split_at(data.features.len());
        let tape = Tape::new();
        let parameters = Parameters::record(&tape, w, b[0]).unwrap();
        let all = row_by_row(&data);
        let likelihood = total_loss(&parameters, &all, Form::Stable).unwrap();
        let whole = likelihood + penalty(&parameters, 0.7);

        let f = fit::loss(&vec![0.7; data.features.len()]).unwrap();
        let rows = f.rows(&data.columns()).unwrap();
        let (value, gradient) = rows.value_and_gradient(&at).unwrap();
        assert!(close(value, whole.value()), "{name}: {value}");
        let expected = whole.backward().wrt_all(&parameters.all());
        let pairs = gradient.iter().zip(&expected);
        assert!(pairs.clone().all(|(a, b)| (a - b).abs() < 1e-11), "{name}");
        let hessian = rows.hessian(&at).unwrap().concat();
        let expected = whole.hessian(&parameters.all()).concat();
        let mut pairs = hessian.iter().zip(&expected);
        assert!(pairs.all(|(a, b)| close(*a, *b)), "{name}: {hessian:?}");
    }
}

#[test]
fn the_loop_written_by_hand_has_the_formulas_of_the_library() {
    for (name, coefficients, log_likelihood) in FITS {
        let data = data::embedded(name).unwrap().data;
        let mut at = coefficients.to_vec();
        at.rotate_left(1);
        let mut gradient = vec![f64::NAN; at.len()];
        let value = by_hand::value_and_gradient(&data, &at, &mut gradient);
        assert!((value + log_likelihood).abs() < 1e-11, "{name}: {value}");
        at.fill(0.01);
        by_hand::value_and_gradient(&data, &at, &mut gradient);
        let expected = hand::total_gradient(&at, &row_by_row(&data));
        for (a, b) in gradient.iter().zip(&expected) {
            assert!((a - b).abs() < 1e-12 * (1.0 + b.abs()), "{name}: {a} {b}");
        }
    }
}

#[test]
fn the_gradient_at_zero_is_the_exact_one() {
    let expected: [(&str, &[f64]); 3] = [
        ("challenger", &[4.5, 354.0]),
        ("iris", &[0.0, -16.3, -5.1, -32.3, -17.5]),
        ("hours", &[0.0, -10.125]),
    ];
    for (name, expected) in expected {
        let data = row_by_row(&data::embedded(name).unwrap().data);
        for form in [Form::Sigmoid, Form::SpelledOut, Form::Stable] {
            let tape = Tape::new();
            let parameters = Parameters::record(&tape, &vec![0.0; data.features()], 0.0).unwrap();
            let loss = total_loss(&parameters, &data, form).unwrap();
            let gradient = constant_first(&loss.backward().wrt_all(&parameters.all()));
            assert_eq!(gradient.len(), expected.len());
            for (found, expected) in gradient.iter().zip(expected) {
                assert!(
                    (found - expected).abs() < 1e-12,
                    "{name}, {form:?}: {found}"
                );
            }
        }
    }
}

#[test]
fn the_engine_and_the_hand_agree_at_every_iteration() {
    for (name, ..) in FITS {
        let mut largest = 0.0_f64;
        let mut iterations = 0;
        let data = data::embedded(name).unwrap().data;
        fit::fit(data, 0.0, |step| {
            largest = largest.max(step.difference);
            iterations += 1;
        })
        .unwrap();
        assert!(iterations > 5 && largest < 1e-12, "{name}: {largest}");
    }
}

/// Also with 40 digits.
#[test]
fn the_standard_errors_are_the_exact_ones() {
    let expected: [(&str, &[f64]); 3] = [
        ("challenger", &[7.378636385, 0.1082365216]),
        (
            "iris",
            &[25.70766083, 2.394301019, 4.479564567, 4.7372077, 9.74261214],
        ),
        ("hours", &[1.760994314, 0.6287208459]),
    ];
    for (name, expected) in expected {
        let data = data::embedded(name).unwrap().data;
        let errors = constant_first(&fit::fit(data, 0.0, |_| {}).unwrap().standard_errors);
        for (found, expected) in errors.iter().zip(expected) {
            assert!(
                (found - expected).abs() < 1e-8 * expected,
                "{name}: {found} for {expected}"
            );
        }
    }
}

#[test]
fn without_features_the_constant_is_the_log_odds() {
    let data = Data {
        features: Vec::new(),
        labels: vec![1.0, 0.0, 0.0, 0.0],
    };
    let fit = fit::fit(data, 0.0, |_| {}).unwrap();
    assert!((fit.parameters[0] + 3.0_f64.ln()).abs() < 1e-15);
}
