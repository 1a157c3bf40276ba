//! Are dual numbers numbers: nested, compared, absent tangents apart from zeros?

#![allow(clippy::op_ref, reason = "operators on references are what is tested")]

use chainrule::Dual;

type Nested = Dual<Dual<f64>>;

/// Moves in both directions, with the value 1 for each.
fn moving(x: f64) -> Nested {
    Dual::new(Dual::new(x, 1.0), Dual::from(1.0))
}

fn second(y: Nested) -> f64 {
    y.tangent().tangent()
}

#[test]
fn nested_duals_give_second_derivatives() {
    assert_eq!(second(moving(3.0).powi(3)), 18.0);
    assert_eq!(second(moving(2.0).relu().square()), 2.0);
    assert_eq!(second(moving(-2.0).abs().powi(3)), 12.0);
    assert_eq!(second(moving(2.0).max(1.0).square()), 2.0);
    assert_eq!(
        second(moving(2.0).select_lt(5.0, moving(2.0).square(), 1.0)),
        2.0
    );
}

#[test]
fn a_nested_constant_does_not_move_through_an_infinite_slope() {
    let zero = Nested::from(0.0);
    assert_eq!(second(zero.sqrt() * moving(2.0).square()), 0.0);
    assert_eq!(second(moving(2.0).square() + zero.ln().exp()), 2.0);
}

#[test]
fn a_branch_not_taken_is_absent_at_both_levels() {
    let x = moving(0.0);
    assert_eq!(second(x.ln().max(2.0) + x.square()), 2.0);
    assert_eq!(second(x.select_lt(0.5, x.square(), x.sqrt())), 2.0);
}

#[test]
fn a_computed_zero_times_infinity_is_nan_at_the_second_level_too() {
    let x = moving(0.0);
    assert!(second(x.sqrt() * x.sqrt()).is_nan());
}

#[test]
fn duals_compare_by_value() {
    let (one, two) = (Dual::new(1.0, 5.0), Dual::new(2.0, 0.0));
    assert!(one < two);
    assert!(two > one);
    assert_ne!(one, two);
    assert_eq!(one, Dual::new(1.0, 7.0));
    assert_eq!(
        one.partial_cmp(&Dual::from(1.0)),
        Some(std::cmp::Ordering::Equal)
    );
    let nan = Dual::new(f64::NAN, 1.0);
    assert_ne!(nan, nan);
    assert!(nan.partial_cmp(&one).is_none());
}

#[test]
fn operators_take_numbers_on_either_side() {
    let x = Dual::new(3.0, 1.0);
    for (y, value, tangent) in [
        (x + 1.0, 4.0, 1.0),
        (1.0 - x, -2.0, -1.0),
        (x * &2.0, 6.0, 2.0),
        (&2.0 * x, 6.0, 2.0),
        (6.0 / x, 2.0, -2.0 / 3.0),
        (-&x, -3.0, -1.0),
        (&x - &x, 0.0, 0.0),
    ] {
        assert_eq!((y.primal(), y.tangent()), (value, tangent));
    }
    let mut y = x;
    y *= x;
    y -= 1.0;
    assert_eq!((y.primal(), y.tangent()), (8.0, 6.0));
    let sum: Dual<f64> = [x, x * 2.0].into_iter().sum();
    let product: Dual<f64> = [x, x].iter().product();
    assert_eq!((sum.tangent(), product.tangent()), (3.0, 6.0));
    assert_eq!(
        Dual::<f64>::from(2.0).tangent().to_bits(),
        0,
        "a constant has the tangent +0"
    );
}
