//! Does the engine derive the gradient of logistic regression that a person
//! derives? Number by number, over a grid, in all three forms of the graph.

use chainrule::models::logistic::{
    Component, Data, Form, Parameters, derivation, hand, mean_loss, row, total_loss,
};
use chainrule::{Error, Op, Tape};

const LABELS: [f64; 2] = [0.0, 1.0];

fn close(component: &Component, tolerance: f64) -> bool {
    let size = component.hand.abs().max(component.engine.abs()).max(1.0);
    component.difference() <= tolerance * size
}

fn components_agree(form: Form, scores: &[f64], tolerance: impl Fn(f64) -> f64) {
    for &z in scores {
        for x1 in [-3.0, 0.0, 0.7] {
            for y in LABELS {
                // z = w1·x1 + w2·x2 + b, with b making up for the rest
                let (w, x) = ([0.4, -1.1], [x1, 2.0]);
                let b = z - w[0] * x[0] - w[1] * x[1];
                let derivation = derivation(&x, &w, b, y, form).unwrap();
                for component in &derivation.components {
                    let close = close(component, tolerance(z));
                    assert!(close, "{form:?} at z = {z}, y = {y}: {component:?}");
                }
            }
        }
    }
}

fn scores(most: i32, step: f64) -> Vec<f64> {
    (-most..=most).map(|i| f64::from(i) * step).collect()
}

#[test]
fn each_component_is_the_hand_derived_one_to_12_digits() {
    for form in [Form::Sigmoid, Form::SpelledOut] {
        components_agree(form, &scores(40, 0.2), |_| 1e-12);
    }
}

#[test]
fn farther_out_they_agree_within_what_rounding_1_minus_a_allows() {
    for form in [Form::Sigmoid, Form::SpelledOut] {
        let smallest = |z: f64| (-z.abs()).exp();
        components_agree(form, &scores(36, 1.0), |z| 8.0 * f64::EPSILON / smallest(z));
    }
}

#[test]
fn the_stable_form_agrees_up_to_scores_of_700() {
    components_agree(Form::Stable, &scores(70, 10.0), |_| 1e-12);
    components_agree(Form::Stable, &scores(99, 0.1), |_| 1e-12);
}

#[test]
fn the_components_come_in_the_order_of_the_article() {
    let found = derivation(&[1.5, -2.0], &[0.4, -0.3], 0.1, 1.0, Form::SpelledOut).unwrap();
    let what: Vec<&str> = found.components.iter().map(|c| c.what.trim()).collect();
    let expected = [
        "dL/da", "da/dz", "da/dg", "dg/dz", "dL/dz", "dz/dw1", "dz/dw2", "dz/db", "dL/dw1",
        "dL/dw2", "dL/db",
    ];
    assert_eq!(what, expected);
    let numbers: String = found.components.iter().map(|c| c.number).collect();
    assert_eq!(numbers, "12223445");
}

#[test]
fn a_wrong_hand_formula_would_be_seen() {
    let mut found = derivation(&[1.5], &[0.4], 0.1, 1.0, Form::Sigmoid).unwrap();
    found.components[0].hand *= 1.0 + 1e-9;
    assert!(!close(&found.components[0], 1e-12));
    found.components[2].hand *= -1.0;
    assert!(!close(&found.components[2], 1e-12));
}

#[test]
fn the_table_fits_80_columns() {
    for form in [Form::Sigmoid, Form::SpelledOut, Form::Stable] {
        for b in [0.1, 500.0, -1e5] {
            let table = derivation(&[1.5, -2e7], &[0.4, 0.0], b, 0.0, form)
                .unwrap()
                .to_string();
            assert!(
                table.lines().all(|line| line.chars().count() <= 80),
                "{table}"
            );
        }
    }
}

#[test]
fn numbers_that_are_equal_differ_by_0_infinite_ones_too() {
    let table = derivation(&[1.5], &[0.4], 0.1, 1.0, Form::Sigmoid).unwrap();
    let table = table.to_string();
    let line = "5  dz/db         1.00000000   1                      1.00000000            0\n";
    assert!(table.contains(line), "{table}");
    let found = derivation(&[1.5], &[0.4], 38.0, 0.0, Form::Sigmoid).unwrap();
    let first = &found.components[0];
    assert_eq!((first.engine, first.hand), (f64::INFINITY, f64::INFINITY));
    assert_eq!(first.difference(), 0.0);
    assert_eq!(found.components[2].difference(), f64::INFINITY);
}

#[test]
fn a_difference_that_is_not_finite_is_explained() {
    let rounded_to_1 = "at z = 38.60000000 a is rounded to 1, and ln(1 − a) is −∞.";
    let in_form_stable =
        "The loss written as softplus(z) − y·z is finite there, with its gradient.";
    let cases: [(f64, f64, f64, &[&str]); 6] = [
        (1.5, 38.0, 0.0, &[rounded_to_1, in_form_stable]),
        (1.5, 38.0, 1.0, &[rounded_to_1, in_form_stable]),
        (
            1.5,
            -760.0,
            1.0,
            &["a is rounded to 0, and ln a is −∞.", in_form_stable],
        ),
        (
            1.5,
            -720.0,
            0.0,
            &["a is 3.702966e-313, and 1/a is beyond f64."],
        ),
        (1e308, 10.0, 1.0, &["z = w·x + b is inf"]),
        (1.5, 0.1, f64::NAN, &["L is NaN."]),
    ];
    for (x, b, y, expected) in cases {
        let w = if x > 1e300 { 10.0 } else { 0.4 };
        let table = derivation(&[x], &[w], b, y, Form::Sigmoid).unwrap();
        let table = table.to_string();
        for expected in expected {
            assert!(table.contains(expected), "{x} {b} {y}: {table}");
        }
        let fits = |line: &str| line.chars().count() <= 80;
        assert!(table.lines().all(fits), "{table}");
        assert_eq!(table.matches("NaN, inf: ").count(), 1, "{table}");
    }
    let stable = derivation(&[1.5], &[0.4], 38.0, 0.0, Form::Stable).unwrap();
    assert!(!stable.to_string().contains("inf"), "{stable}");
}

#[test]
fn the_article_s_form_fails_far_out_and_the_stable_form_does_not() {
    let tape = Tape::new();
    let parameters = Parameters::record(&tape, &[1.0], 0.0).unwrap();
    let article = row(&parameters, &[40.0], 0.0, Form::Sigmoid).unwrap().loss;
    let stable = row(&parameters, &[40.0], 0.0, Form::Stable).unwrap().loss;
    assert!(!article.value().is_finite());
    assert_eq!(stable.value(), 40.0);
    assert_eq!(stable.backward().wrt(parameters.w[0]), 40.0);
}

fn data() -> Data {
    let x = vec![0.5, 1.0, -2.0, 0.25, 3.0, -1.5, 0.0, 4.0];
    Data::new(2, x, vec![1.0, 0.0, 1.0, 0.0]).unwrap()
}

#[test]
fn all_forms_of_the_mean_loss_have_the_hand_derived_gradient() {
    let (w, b, l2) = ([0.3, -0.7], 0.2, 0.05);
    for form in [Form::Sigmoid, Form::SpelledOut, Form::Stable] {
        let tape = Tape::new();
        let parameters = Parameters::record(&tape, &w, b).unwrap();
        let loss = mean_loss(&parameters, &data(), form, l2).unwrap();
        let gradient = loss.backward().wrt_all(&parameters.all());
        let by_hand = hand::total_gradient(&[w[0], w[1], b], &data());
        for i in 0..3 {
            let penalty = if i < 2 { l2 * w[i] } else { 0.0 };
            let expected = by_hand[i] / 4.0 + penalty;
            assert!(
                (gradient[i] - expected).abs() < 1e-15,
                "{form:?}, parameter {i}"
            );
        }
    }
}

#[test]
fn the_three_forms_are_three_graphs() {
    let ops = |form| {
        let tape = Tape::new();
        let parameters = Parameters::record(&tape, &[1.0], 0.0).unwrap();
        total_loss(&parameters, &data_of_one_feature(), form).unwrap();
        tape.nodes().map(|node| node.op).collect::<Vec<Op>>()
    };
    assert!(ops(Form::Sigmoid).contains(&Op::Sigmoid));
    assert!(!ops(Form::SpelledOut).contains(&Op::Sigmoid));
    assert!(ops(Form::SpelledOut).contains(&Op::Recip));
    assert!(ops(Form::Stable).contains(&Op::Softplus));
}

fn data_of_one_feature() -> Data {
    Data::new(1, vec![1.0, 2.0], vec![0.0, 1.0]).unwrap()
}

#[test]
fn parameters_are_named_and_can_be_set() {
    let tape = Tape::new();
    let parameters = Parameters::record(&tape, &[1.0, 2.0], 3.0).unwrap();
    assert_eq!(tape.lookup("w2").unwrap().value(), 2.0);
    assert_eq!(tape.lookup("b").unwrap().value(), 3.0);
    parameters.set(&[4.0, 5.0, 6.0]).unwrap();
    assert_eq!(parameters.w[1].value(), 5.0);
    let wrong = Error::WrongLength {
        what: "parameters",
        found: 2,
        expected: 3,
    };
    assert_eq!(parameters.set(&[0.0, 0.0]), Err(wrong));
    assert_eq!(parameters.b.value(), 6.0);
    let taken = Error::DuplicateName {
        name: "w1".to_owned(),
        holder: 0,
    };
    assert_eq!(Parameters::record(&tape, &[1.0], 0.0).unwrap_err(), taken);
    assert_eq!(tape.len(), 3, "an error records nothing");
}

#[test]
fn bad_data_is_refused_with_its_place() {
    assert_eq!(Data::new(1, vec![], vec![]), Err(Error::NoRows));
    // Twice as many are no number of features that there is.
    for features in [usize::MAX, 1 << (usize::BITS - 1)] {
        assert!(Data::new(features, vec![], vec![0.0, 1.0]).is_err());
    }
    let short = Error::WrongLength {
        what: "features in all rows",
        found: 3,
        expected: 4,
    };
    assert_eq!(Data::new(2, vec![0.0; 3], vec![0.0, 1.0]), Err(short));
    let label = Error::BadLabel { row: 1, value: 2.0 };
    assert_eq!(Data::new(1, vec![0.0; 2], vec![0.0, 2.0]), Err(label));
    assert!(matches!(
        Data::new(1, vec![0.0], vec![f64::NAN]),
        Err(Error::BadLabel { row: 0, value }) if value.is_nan()
    ));
    let infinite = Error::NotFinite {
        what: "feature",
        row: 1,
        column: 0,
        value: f64::NEG_INFINITY,
    };
    let x = vec![0.0, 1.0, f64::NEG_INFINITY, 2.0];
    assert_eq!(Data::new(2, x, vec![0.0, 1.0]), Err(infinite));
}
