//! Does the example's fit find the same in any unit of the columns, and with a
//! penalty what the formulas say?

use crate::data::Data;
use crate::example::{hours, one_feature, row_by_row, times};
use crate::failure::Failure;
use crate::fit;
use chainrule::models::logistic::hand;

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
fn a_constant_beyond_the_numbers_of_f64_is_an_error_and_never_nan() {
    let y = [0.0, 1.0, 1.0, 0.0, 1.0];
    let near = fit::fit(one_feature(&[1e150; 5], &y), 1e-30, |_| {}).unwrap();
    assert!((near.parameters[1] - 1.5_f64.ln()).abs() < 1e-12);
    let error = near.standard_errors[1] / 1e165;
    assert!((error - 1.0).abs() < 1e-12, "{near:?}");
    let failure = fit::fit(one_feature(&[1e300; 5], &y), 1e-30, |_| {}).unwrap_err();
    let said = "its part in the standard error of the constant is about 1e315 in this unit, beyond \
                the range of f64: give the column in another unit";
    assert_eq!(failure.to_string(), said);
}

/// Rows with 1 are labelled 1, so that the penalty alone holds the coefficients, and
/// of two equal columns it alone tells the shares. The Hessian is 10⁻¹⁰ there.
#[test]
fn a_weak_penalty_is_enough_and_the_rounding_of_the_steps_no_matter() {
    let x = [0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0];
    let data = || Data {
        features: vec![x.to_vec(), x.to_vec()],
        labels: vec![1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0],
    };
    let fit = fit::fit(data(), 1e-10, |_| {}).unwrap();
    let rest = rest(&data(), &fit, 1e-10);
    assert!(rest < 1e-14, "{rest}");
    let [first, second, _] = fit.parameters[..] else {
        panic!("{fit:?}");
    };
    assert!((first / second - 1.0).abs() < 1e-3, "{fit:?}");
    // 3·e^−z = 10⁻¹⁰·w, with z = w + w + b.
    let z = first + second + fit.parameters[2];
    assert!((3e10 * (-z).exp() / first - 1.0).abs() < 1e-3, "{fit:?}");
}

#[test]
fn a_penalty_too_small_for_a_number_is_said_to_be_too_small() {
    let x = [1e300, 2e300, 3e300, 4e300];
    let data = Data {
        features: vec![x.to_vec(), x.to_vec()],
        labels: vec![0.0, 1.0, 0.0, 1.0],
    };
    let failure = fit::fit(data, 1.0, |_| {}).unwrap_err();
    let same = Failure::Dependent {
        feature: 1,
        penalised: true,
    };
    assert_eq!(failure, same);
}
