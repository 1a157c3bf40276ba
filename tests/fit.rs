//! Does the example's fit find what others have published, and refuse what has
//! no fit?

#[path = "../examples/logistic_regression/data.rs"]
#[allow(dead_code, reason = "the program uses the rest")]
mod data;
#[path = "../examples/logistic_regression/fit.rs"]
#[allow(dead_code, reason = "the program uses the rest")]
mod fit;

use chainrule::Tape;
use chainrule::models::logistic::{Data, Form, Parameters, total_loss};
use fit::Failure;

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
        let fit = fit::fit(&table.data, 0.0, |_| {}).unwrap();
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
fn the_gradient_at_zero_is_the_exact_one() {
    let expected: [(&str, &[f64]); 3] = [
        ("challenger", &[4.5, 354.0]),
        ("iris", &[0.0, -16.3, -5.1, -32.3, -17.5]),
        ("hours", &[0.0, -10.125]),
    ];
    for (name, expected) in expected {
        let data = data::embedded(name).unwrap().data;
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
        fit::fit(&data, 0.0, |step| {
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
        let errors = constant_first(&fit::fit(&data, 0.0, |_| {}).unwrap().standard_errors);
        for (found, expected) in errors.iter().zip(expected) {
            assert!(
                (found - expected).abs() < 1e-8 * expected,
                "{name}: {found} for {expected}"
            );
        }
    }
}

fn one_feature(x: &[f64], y: &[f64]) -> Data {
    Data::new(1, x.to_vec(), y.to_vec()).unwrap()
}

#[test]
fn separable_data_has_no_fit_but_a_penalised_one() {
    let data = one_feature(&[1.0, 2.0, 3.0, 4.0], &[0.0, 0.0, 1.0, 1.0]);
    let failure = fit::fit(&data, 0.0, |_| {}).unwrap_err();
    assert_eq!(
        failure,
        Failure::Separable {
            rows_on_plane: false
        }
    );
    assert!(fit::fit(&data, 1.0, |_| {}).is_ok());
}

#[test]
fn data_separable_but_for_the_boundary_has_no_fit() {
    let data = one_feature(
        &[1.0, 2.0, 3.0, 3.0, 4.0, 5.0],
        &[0.0, 0.0, 0.0, 1.0, 1.0, 1.0],
    );
    let failure = fit::fit(&data, 0.0, |_| {}).unwrap_err();
    assert_eq!(
        failure,
        Failure::Separable {
            rows_on_plane: true
        }
    );
}

#[test]
fn nearly_separable_data_has_a_fit() {
    let data = one_feature(
        &[1.0, 2.0, 3.0, 2.999, 4.0, 5.0],
        &[0.0, 0.0, 0.0, 1.0, 1.0, 1.0],
    );
    assert!(fit::fit(&data, 0.0, |_| {}).is_ok());
}

#[test]
fn a_dependent_column_is_named() {
    let x = vec![1.0, 5.0, 2.0, 5.0, 3.0, 5.0, 4.0, 5.0];
    let data = Data::new(2, x, vec![0.0, 1.0, 0.0, 1.0]).unwrap();
    assert_eq!(
        fit::fit(&data, 0.0, |_| {}).unwrap_err(),
        Failure::Dependent { feature: 1 }
    );
}
