//! Does the example's fit refuse what has no fit, say why, and refuse nothing else?

use crate::common::Random;
use crate::data::Data;
use crate::example::one_feature;
use crate::failure::Failure;
use crate::fit;

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
fn a_gap_of_few_digits_beside_the_boundary_is_seen() {
    let x = [1.0, 2.0, 3.0, 3.0 - 1e-10, 4.0, 5.0];
    let data = one_feature(&x, &[0.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
    // 2·e^−w is as much as w·10⁻¹⁰/2 there, at its least.
    let fit = fit::fit(data, 0.0, |_| {}).unwrap();
    let slope = 0.5e-10 - 2.0 * (-fit.parameters[0]).exp();
    assert!(slope.abs() < 1e-4 * 0.5e-10, "{fit:?}");
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

/// A sixth row far out, beside which the plane seems to go through all others. They
/// are not separated, and so there is a fit, out of reach.
#[test]
fn rows_near_the_plane_only_beside_one_far_away_are_not_on_it() {
    let y = |last| [0.0, 1.0, 0.0, 1.0, last];
    for far in [1e30, 1e60, 1e300] {
        for last in [0.0, 1.0] {
            let data = one_feature(&[1.0, 2.0, 3.0, 4.0, far], &y(last));
            let failure = fit::fit(data, 0.0, |_| {}).unwrap_err();
            let separable = matches!(failure, Failure::Separable { .. });
            assert!(!separable, "{far} {last}: {failure}");
        }
    }
}

#[test]
fn a_row_far_away_on_its_side_changes_nothing() {
    let (x, y) = ([1.0, 2.0, 3.0, 4.0], [0.0, 1.0, 0.0, 1.0]);
    let without = fit::fit(one_feature(&x, &y), 0.0, |_| {}).unwrap();
    for far in [1e3, 1e6, 1e9, 1e12, 1e15] {
        let data = one_feature(&[1.0, 2.0, 3.0, 4.0, far], &[0.0, 1.0, 0.0, 1.0, 1.0]);
        let fit = fit::fit(data, 0.0, |_| {}).unwrap();
        let change = fit.parameters[0] / without.parameters[0] - 1.0;
        assert!(change.abs() < 1e-9, "{far}: {fit:?}");
    }
}

#[test]
fn rows_on_the_boundary_of_a_plane_between_two_features_are_seen() {
    let data = Data {
        features: vec![
            vec![1e9, 2e9, 3e9, 3e9, 5e9, 6e9, 4e9, 4e9],
            vec![1.0, 2.0, 3.0, 3.0, 4.0, 5.0, 4.0, 4.0],
        ],
        labels: vec![0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 1.0],
    };
    let failure = fit::fit(data, 0.0, |_| {}).unwrap_err();
    let on_plane = Failure::Separable {
        rows_on_plane: true,
    };
    assert_eq!(failure, on_plane);
}

/// Some rows of whole numbers from 0 to 5, many of them equal.
fn few_rows(random: &mut Random) -> (Vec<f64>, Vec<f64>) {
    let rows = 4 + (7.0 * random.unit()) as usize;
    let x = (0..rows).map(|_| (6.0 * random.unit()).floor()).collect();
    let y = (0..rows).map(|_| (2.0 * random.unit()).floor()).collect();
    (x, y)
}

#[test]
fn one_feature_has_a_fit_where_its_two_labels_overlap() {
    let mut random = Random(4);
    let mut seen = [0; 3];
    for round in 0..1000 {
        let (x, y) = few_rows(&mut random);
        let ends = |label: f64| {
            let pairs = x.iter().zip(&y).filter(|(_, y)| **y == label);
            let of_label = pairs.map(|(x, _)| *x);
            let low = of_label.clone().fold(f64::INFINITY, f64::min);
            (low, of_label.fold(f64::NEG_INFINITY, f64::max))
        };
        let ((low_0, high_0), (low_1, high_1)) = (ends(0.0), ends(1.0));
        if x.iter().all(|other| *other == x[0]) || low_0.is_infinite() || low_1.is_infinite() {
            continue;
        }
        let gap = (low_1 - high_0).max(low_0 - high_1);
        let (scale, far) = ([1e-200, 1.0, 1e200][round % 3], [0.0, 1e3][round % 2]);
        let x: Vec<f64> = x.iter().map(|x| (x + far) * scale).collect();
        let found = fit::fit(one_feature(&x, &y), 0.0, |_| {});
        let (kind, as_expected) = match &found {
            Ok(_) => (0, gap < 0.0),
            Err(Failure::Separable { rows_on_plane }) if *rows_on_plane => (1, gap == 0.0),
            Err(Failure::Separable { .. }) => (2, gap > 0.0),
            Err(_) => (0, false),
        };
        assert!(as_expected, "{x:?} {y:?}: {found:?}");
        seen[kind] += 1;
    }
    assert!(seen.iter().all(|kind| *kind > 20), "{seen:?}");
}
