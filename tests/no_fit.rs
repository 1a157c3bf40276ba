//! Does the example's fit refuse what has no fit, say why, and refuse nothing else?

mod logistic_example;

use data::Data;
use failure::Failure;
use logistic_example::{by_hand, data, failure, fit, one_feature, units};

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
