//! Does the example's fit find what others have published, and refuse what has
//! no fit?

#[path = "../examples/logistic_regression/by_hand.rs"]
mod by_hand;
#[path = "../examples/logistic_regression/data.rs"]
#[allow(dead_code, reason = "the program uses the rest")]
mod data;
#[path = "../examples/logistic_regression/fit.rs"]
#[allow(dead_code, reason = "the program uses the rest")]
mod fit;
#[path = "../examples/logistic_regression/units.rs"]
mod units;

use chainrule::Tape;
use chainrule::models::logistic::{self, Form, Parameters, hand, penalty, total_loss};
use data::Data;
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

/// The numbers row by row, as the model of the library has them.
fn row_by_row(data: &Data) -> logistic::Data {
    let row = |i: usize| data.features.iter().map(move |column| column[i]);
    let x = (0..data.len()).flat_map(row).collect();
    logistic::Data::new(data.features.len(), x, data.labels.clone()).unwrap()
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

fn one_feature(x: &[f64], y: &[f64]) -> Data {
    Data {
        features: vec![x.to_vec()],
        labels: y.to_vec(),
    }
}

#[test]
fn separable_data_has_no_fit_but_a_penalised_one() {
    let data = || one_feature(&[1.0, 2.0, 3.0, 4.0], &[0.0, 0.0, 1.0, 1.0]);
    let failure = fit::fit(data(), 0.0, |_| {}).unwrap_err();
    assert_eq!(
        failure,
        Failure::Separable {
            rows_on_plane: false
        }
    );
    assert!(fit::fit(data(), 1.0, |_| {}).is_ok());
}

#[test]
fn data_separable_but_for_the_boundary_has_no_fit() {
    let data = one_feature(
        &[1.0, 2.0, 3.0, 3.0, 4.0, 5.0],
        &[0.0, 0.0, 0.0, 1.0, 1.0, 1.0],
    );
    let failure = fit::fit(data, 0.0, |_| {}).unwrap_err();
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
    assert!(fit::fit(data, 0.0, |_| {}).is_ok());
}

#[test]
fn a_dependent_column_is_named() {
    let data = Data {
        features: vec![vec![1.0, 2.0, 3.0, 4.0], vec![5.0; 4]],
        labels: vec![0.0, 1.0, 0.0, 1.0],
    };
    let failure = fit::fit(data, 0.0, |_| {}).unwrap_err();
    assert_eq!(
        failure,
        Failure::Dependent {
            feature: 1,
            penalised: false
        }
    );
}

/// Columns of many rows, the last one a combination of the two before it and a
/// constant but for a distance from it in the last hundred rows.
fn nearly_dependent(distance: f64) -> Data {
    let column = |step: f64| (0..5_000).map(move |i| (f64::from(i) * step).sin());
    let (a, b): (Vec<f64>, Vec<f64>) = (column(0.7).collect(), column(1.3).collect());
    let mut c: Vec<f64> = a.iter().zip(&b).map(|(a, b)| 1e6 * (a - b + 1.0)).collect();
    let noise = column(5.1).skip(4_900);
    c[4_900..]
        .iter_mut()
        .zip(noise)
        .for_each(|(c, s)| *c += distance * 1e6 * s);
    Data {
        features: vec![a, b, c],
        labels: column(2.9).map(|s| f64::from(s > 0.0)).collect(),
    }
}

#[test]
fn a_dependent_column_is_found_among_many_rows_and_a_free_one_is_left() {
    let failure = fit::fit(nearly_dependent(0.0), 0.0, |_| {}).unwrap_err();
    assert_eq!(
        failure,
        Failure::Dependent {
            feature: 2,
            penalised: false
        }
    );
    assert!(fit::fit(nearly_dependent(1e-6), 0.0, |_| {}).is_ok());
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

/// 2^`power`, exactly.
fn times(column: &[f64], power: i32) -> Vec<f64> {
    column.iter().map(|&x| libm::scalbn(x, power)).collect()
}

fn hours() -> Data {
    data::embedded("hours").unwrap().data
}

#[test]
fn coefficients_follow_the_unit_of_their_column_in_each_bit() {
    let reference = fit::fit(hours(), 0.0, |_| {}).unwrap();
    let back = |all: &[f64], power| [libm::scalbn(all[0], power), all[1]];
    for power in [-1015, -1000, -530, -60, 1, 60, 530, 1000, 1019] {
        let mut data = hours();
        data.features[0] = times(&data.features[0], power);
        let fit = fit::fit(data, 0.0, |_| {}).unwrap();
        assert_eq!(back(&fit.parameters, power), *reference.parameters);
        assert_eq!(
            back(&fit.standard_errors, power),
            *reference.standard_errors
        );
        assert_eq!(fit.log_likelihood, reference.log_likelihood, "2^{power}");
    }
}

#[test]
fn a_penalty_follows_the_unit_too() {
    let reference = fit::fit(hours(), 0.75, |_| {}).unwrap();
    for power in [-510, -60, 1, 60, 510] {
        let mut data = hours();
        data.features[0] = times(&data.features[0], power);
        let fit = fit::fit(data, libm::scalbn(0.75, 2 * power), |_| {}).unwrap();
        assert_eq!(
            libm::scalbn(fit.parameters[0], power),
            reference.parameters[0]
        );
        assert_eq!(fit.parameters[1], reference.parameters[1], "2^{power}");
    }
}

#[test]
fn a_column_far_from_zero_keeps_its_digits() {
    let reference = fit::fit(hours(), 0.0, |_| {}).unwrap();
    let close = |a: f64, b: f64| (a - b).abs() < 1e-9 * b.abs();
    for far in [1e3, 1e9, 1e14, -1e14] {
        let mut data = hours();
        data.features[0].iter_mut().for_each(|x| *x += far);
        let fit = fit::fit(data, 0.0, |_| {}).unwrap();
        let (w, error) = (fit.parameters[0], fit.standard_errors[0]);
        assert!(close(w, reference.parameters[0]), "{far}: {w}");
        assert!(close(error, reference.standard_errors[0]), "{far}: {error}");
        let b = reference.parameters[1] - far * w;
        assert!(close(fit.parameters[1], b), "{far}: {fit:?}");
        // That of b is that of w, times how far 0 is away, where this is far.
        let error = far.abs() * error;
        assert!(
            (fit.standard_errors[1] - error).abs() < 4e3 / far.abs() * error,
            "{far}: {fit:?}"
        );
    }
}

#[test]
fn columns_whose_sum_overflows_are_fitted() {
    let x = [-1.1, -0.5, 1.2, 1.7, -1.5, 1.6];
    let y = [0.0, 1.0, 0.0, 1.0, 0.0, 1.0];
    let reference = fit::fit(one_feature(&x, &y), 0.0, |_| {}).unwrap();
    let fit = fit::fit(one_feature(&x.map(|x| x * 1e308), &y), 0.0, |_| {}).unwrap();
    let ratio = fit.parameters[0] * 1e308 / reference.parameters[0];
    assert!((ratio - 1.0).abs() < 1e-12, "{fit:?}");
    assert!(fit.log_likelihood < -1.0);
}

#[test]
fn a_coefficient_beyond_the_numbers_of_f64_is_an_error() {
    let x = [5e-324, 1e-323, 1.5e-323, 2e-323];
    let failure = fit::fit(one_feature(&x, &[0.0, 1.0, 0.0, 1.0]), 0.0, |_| {}).unwrap_err();
    let said = "its coefficient is about 1e323 in this unit, beyond the range of f64: give the \
                column in another unit";
    assert_eq!(failure.to_string(), said);
    assert_eq!(failure.feature(), Some(0));
}

/// The gradient of the penalised loss at what was found, by the formulas.
fn rest(data: &Data, fit: &fit::Fit, l2: f64) -> f64 {
    let mut gradient = hand::total_gradient(&fit.parameters, &row_by_row(data));
    for (slot, w) in gradient
        .iter_mut()
        .zip(&fit.parameters[..data.features.len()])
    {
        *slot += l2 * w;
    }
    gradient.iter().fold(0.0, |most, g| g.abs().max(most))
}

#[test]
fn with_a_penalty_more_columns_than_rows_are_fitted() {
    let wide = || Data {
        features: vec![
            vec![1.0, 2.0, 2.0],
            vec![1.0, 1.0, 5.0],
            vec![2.0; 3],
            vec![0.0; 3],
        ],
        labels: vec![1.0, 0.0, 1.0],
    };
    let failure = fit::fit(wide(), 0.0, |_| {}).unwrap_err();
    let few = Failure::TooFewRows {
        rows: 3,
        parameters: 5,
    };
    assert_eq!(failure, few);
    for l2 in [1e-6, 1.0, 1e6] {
        let fit = fit::fit(wide(), l2, |_| {}).unwrap();
        let rest = rest(&wide(), &fit, l2);
        assert!(rest < 1e-9, "{l2}: {rest}");
        assert_eq!(fit.parameters[2..4], [0.0; 2], "constants");
    }
}

#[test]
fn equal_columns_share_what_a_penalty_leaves() {
    let mut data = hours();
    data.features.push(data.features[0].clone());
    let both = fit::fit(data, 2.0, |_| {}).unwrap().parameters;
    let one = fit::fit(hours(), 1.0, |_| {}).unwrap().parameters;
    for w in &both[..2] {
        assert!((w - one[0] / 2.0).abs() < 1e-9, "{both:?} {one:?}");
    }
}

/// w = Σ (y − ȳ)·x / l2, where x is so small that no score depends on it.
#[test]
fn a_penalty_far_above_a_column_leaves_what_the_formula_says() {
    let mut data = hours();
    data.features[0] = times(&data.features[0], -530);
    let pairs = data.features[0].iter().zip(&data.labels);
    let expected = pairs.map(|(x, y)| (y - 0.5) * x).sum::<f64>() / 4.0;
    let fit = fit::fit(data, 4.0, |_| {}).unwrap();
    assert!(
        (fit.parameters[0] / expected - 1.0).abs() < 1e-12,
        "{fit:?}"
    );
    assert_eq!(fit.standard_errors[0], 0.5);
}

#[test]
fn a_penalty_far_below_a_column_changes_nothing_and_holds_nothing() {
    let far = |data: &Data| times(&data.features[0], 530);
    let mut data = hours();
    data.features[0] = far(&data);
    let free = fit::fit(hours(), 0.0, |_| {}).unwrap();
    let fit = fit::fit(data, 1.0, |_| {}).unwrap();
    assert_eq!(fit.log_likelihood, free.log_likelihood);

    let mut data = one_feature(&[1.0, 2.0, 3.0, 4.0], &[0.0, 0.0, 1.0, 1.0]);
    data.features[0] = far(&data);
    let failure = fit::fit(data, 1.0, |_| {}).unwrap_err();
    assert_eq!(failure, Failure::WeakPenalty);

    let mut data = hours();
    data.features[0] = far(&data);
    data.features.push(data.features[0].clone());
    let failure = fit::fit(data, 1.0, |_| {}).unwrap_err();
    let same = Failure::Dependent {
        feature: 1,
        penalised: true,
    };
    assert_eq!(failure, same);
}

#[test]
fn a_column_that_differs_by_rounding_alone_is_constant() {
    let y = [0.0, 1.0, 1.0, 0.0, 1.0];
    let x = [0.3, 0.1 + 0.2, 0.3, 0.1 + 0.2, 0.3];
    let constant = Failure::Dependent {
        feature: 0,
        penalised: false,
    };
    let failure = fit::fit(one_feature(&x, &y), 0.0, |_| {}).unwrap_err();
    assert_eq!(failure, constant);
    let whole = [1.0, 2.0, 3.0, 4.0, 5.0].map(|x| 1e15 + x);
    assert!(fit::fit(one_feature(&whole, &y), 0.0, |_| {}).is_ok());
    // With a penalty its coefficient is 0, wherever it lies.
    let fit = fit::fit(one_feature(&[1e300; 5], &y), 1.0, |_| {}).unwrap();
    assert_eq!(fit.parameters[0], 0.0);
    assert!((fit.parameters[1] - 1.5_f64.ln()).abs() < 1e-12);
    assert_eq!(fit.standard_errors[1], 1e300);
}

#[test]
fn a_share_too_small_for_the_hessian_is_told_from_none() {
    let failure = fit::fit(nearly_dependent(3e-9), 0.0, |_| {}).unwrap_err();
    assert_eq!(failure, Failure::NearlyDependent { feature: 2 });
}
