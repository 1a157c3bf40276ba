//! Do the checks find what they are for: the first non-finite number of a
//! computation, and a gradient that is wrong?

use chainrule::{Error, NonFinite, Real, Tape, Var, check_gradient};

fn not_finite(error: &Error) -> (NonFinite, usize, Option<&str>) {
    match error {
        Error::NotFiniteNode {
            what,
            index,
            location,
            ..
        } => (*what, *index, location.as_deref()),
        other => panic!("{other}"),
    }
}

#[test]
fn a_finite_computation_passes() {
    let tape = Tape::new();
    let x = tape.var(2.0);
    let y = x.ln() * x;
    assert_eq!(tape.check_finite(), Ok(()));
    assert_eq!(y.backward().check_finite(), Ok(()));
}

#[test]
fn the_first_value_that_is_not_finite_is_named_with_its_operands_and_line() {
    let tape = Tape::with_locations();
    let x = tape.var(0.5).named("x");
    let shifted = x - 1.0;
    let line = line!() + 1;
    let bad = shifted.ln().named("bad");
    let _consequence = bad + 1.0;
    let error = tape.check_finite().unwrap_err();
    let (what, index, location) = not_finite(&error);
    assert_eq!((what, index), (NonFinite::Value, 2));
    let here = format!("{}:{line}:", file!());
    assert!(location.unwrap().starts_with(&here), "{error}");
    let expected = "the value of node 2 (bad = NaN) is NaN; operands: node 1 (sub = -0.5); \
                    recorded at ";
    assert!(error.to_string().starts_with(expected), "{error}");
}

#[test]
fn lines_are_kept_for_inputs_operators_and_methods() {
    let tape = Tape::with_locations();
    let first = line!() + 1;
    let x = tape.var(1.0);
    let mut y = x.exp();
    y += x;
    let z = 2.0 / y;
    let s = Var::sum(&[x, y, z]);
    let t = s.max(x);
    let lines: Vec<u32> = tape
        .nodes()
        .map(|node| tape.location(node.id).unwrap().line())
        .collect();
    assert_eq!(
        lines[..5],
        [first, first + 1, first + 2, first + 3, first + 4]
    );
    assert_eq!(tape.location(t.id().unwrap()).unwrap().file(), file!());
}

#[test]
fn a_plain_tape_keeps_no_lines_and_a_cleared_one_starts_over() {
    let tape = Tape::new();
    let x = tape.var(f64::INFINITY);
    assert_eq!(tape.location(x.id().unwrap()), None);
    assert_eq!(
        not_finite(&tape.check_finite().unwrap_err()),
        (NonFinite::Value, 0, None)
    );
    let mut tape = Tape::with_locations();
    tape.var(1.0);
    tape.clear();
    let line = line!() + 1;
    let x = tape.var(1.0);
    assert_eq!(tape.location(x.id().unwrap()).unwrap().line(), line);
}

#[test]
fn a_partial_that_is_not_finite_is_found_on_the_way_back() {
    let tape = Tape::new();
    let x = tape.var(0.0).named("x");
    let y = x.sqrt() * 3.0;
    assert_eq!(tape.check_finite(), Ok(()));
    let error = y.backward().check_finite().unwrap_err();
    assert_eq!(not_finite(&error), (NonFinite::Partial, 1, None));
    let expected = "a partial of node 1 (sqrt = 0) is inf; operands: node 0 (x = 0)";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn an_adjoint_that_overflows_is_found_on_the_way_back() {
    let tape = Tape::new();
    let x = tape.var(1e-200);
    let big = x * 1e200;
    let y = big * 1e300 * 1e-200;
    let z = y * 1e200;
    let error = z.backward().check_finite().unwrap_err();
    let (what, ..) = not_finite(&error);
    assert_eq!(what, NonFinite::Adjoint);
}

#[test]
fn what_the_output_does_not_depend_on_is_not_looked_at_on_the_way_back() {
    let tape = Tape::new();
    let x = tape.var(0.0);
    let _unused = x.ln();
    let y = x + 1.0;
    assert_eq!(y.backward().check_finite(), Ok(()));
    assert!(tape.check_finite().is_err());
}

fn smooth<T: Real>(x: &[T]) -> T {
    let terms = x
        .windows(2)
        .map(|p| (p[0] * p[1]).sin() * (p[1] - p[0]).exp());
    terms.sum::<T>() / (x[0].square() + 1.0) + x[1].tanh().softplus()
}

#[test]
fn right_gradients_pass_at_many_points_and_sizes() {
    for i in 0..200 {
        let t = f64::from(i) * 0.37;
        let x = [t.sin(), 2.0 * t.cos(), (1.7 * t).sin() * 0.01];
        check_gradient(|x| smooth(x), &x).unwrap();
    }
    for size in [1e-150, 1e-8, 1.0, 1e8, 1e150] {
        check_gradient(|x| x[0] * x[1] / (x[0] + x[1]), &[size, 3.0 * size]).unwrap();
        check_gradient(|x| x[0].ln(), &[size]).unwrap();
    }
}

#[test]
fn badly_conditioned_but_right_gradients_pass() {
    // Terms of 1e8 that cancel to 1
    check_gradient(|x| (x[0] + 1e8).square() - x[0] * 2e8 - 1e16, &[1.0]).unwrap();
    // Near the edge of the domain the differences must shrink
    check_gradient(|x| x[0].sqrt() + (-x[0] + 1.0).ln(), &[1.0 - 1e-6]).unwrap();
}

/// e^x whose derivative is wrong by one part in `parts`: what lies outside the
/// graph is not differentiated.
fn wrong<'t>(x: Var<'t>, parts: f64) -> Var<'t> {
    let right = x.exp();
    let stolen = x.value().exp() / parts;
    right - right / parts + stolen
}

#[test]
fn a_wrong_rule_is_rejected_even_if_wrong_by_a_millionth() {
    for parts in [1.0, 100.0, 1e6] {
        let error = check_gradient(|x| wrong(x[0], parts) + x[1], &[0.3, 0.5]).unwrap_err();
        let Error::WrongGradient {
            input,
            reverse,
            forward,
            difference,
            step,
            ..
        } = error
        else {
            panic!("{error}")
        };
        assert_eq!(input, 0);
        assert_eq!(reverse, forward);
        assert!((difference - 0.3_f64.exp()).abs() < 1e-9, "{difference}");
        assert!(step > 0.0);
    }
}

#[test]
fn the_report_names_the_worst_input_and_its_numbers() {
    let error = check_gradient(|x| x[0].sin() + x[1] * x[1].value(), &[0.3, 3.0]).unwrap_err();
    let text = error.to_string();
    let start = "the gradient is wrong at input 1: 3e0 by the reverse sweep, 3e0 by forward mode";
    assert!(text.starts_with(start), "{text}");
    let check = check_gradient(|x| x[0].sin(), &[0.3]).unwrap();
    assert!((check.reverse - check.difference).abs() <= check.tolerance);
    assert!(check.tolerance < 1e-8 && check.step > 0.0, "{check:?}");
}

#[test]
fn constants_and_unused_inputs_pass_with_zero() {
    let check = check_gradient(|x| x[0] * 0.0 + 1.0, &[2.0, 5.0]).unwrap();
    assert_eq!((check.reverse, check.forward), (0.0, 0.0));
    check_gradient(|_| Var::from(3.0), &[2.0]).unwrap();
    check_gradient(|_| Var::from(3.0), &[]).unwrap();
}

/// A node that is not taken, or not reached, may have any value; so may one whose adjoint is 0.
#[test]
fn what_has_no_influence_may_be_nan_or_infinite() {
    let right = |f: for<'t> fn(&[Var<'t>]) -> Var<'t>, at: f64| {
        let check = check_gradient(f, &[at]).unwrap_or_else(|error| panic!("{error}"));
        assert!(check.tolerance.is_finite(), "{check:?}");
    };
    right(|x| x[0].select_lt(0.0, (-x[0]).ln(), x[0].sin()), 1.0);
    right(|x| x[0].select_lt(0.0, x[0].sin(), x[0].ln() / 0.0), -1.0);
    right(|x| [(-x[0]).ln() * f64::INFINITY, x[0].exp()][1], 1.0);
    right(|x| (x[0] + 1e308 + 1e308).atan(), 1.0); // π/2, of ∞
    right(|x| (x[0] + 1e308 + 1e308).tanh() * x[0], 1.0);
}

/// What has no number there has no derivative: that is told, and the search for one ends.
#[test]
fn a_function_without_numbers_around_a_point_is_no_endless_search() {
    for at in [0.0, -0.0, f64::NAN, f64::INFINITY, -1.0, 5e-324] {
        let error = check_gradient(|x| (x[0] - x[0].abs() - 1.0).ln(), &[at]).unwrap_err();
        assert!(matches!(error, Error::WrongGradient { .. }));
    }
    assert!(check_gradient(|x| x[0].ln(), &[0.0]).is_err());
}
