//! What simplification knows of functions, one identity a line, and what it must
//! not take for one.

use chainrule::{Op, Real, Tape, Var};

#[test]
fn each_identity_is_used() {
    let tape = Tape::new();
    let [x, y, n] = ["x", "y", "n"].map(|name| tape.var(0.7).named(name));
    let zero = x - x;
    let cases = [
        ((-x).sin(), "−sin(x)"),
        ((-x).tan(), "−tan(x)"),
        ((-x).asin(), "−asin(x)"),
        ((-x).atan(), "−atan(x)"),
        ((-x).sinh(), "−sinh(x)"),
        ((-x).tanh(), "−tanh(x)"),
        ((-x).asinh(), "−asinh(x)"),
        ((-x).atanh(), "−atanh(x)"),
        ((-x).cbrt(), "−∛x"),
        ((-x).erf(), "−erf(x)"),
        ((-x).cos(), "cos(x)"),
        ((-x).cosh(), "cosh(x)"),
        ((-x).sech(), "sech(x)"),
        ((-x).abs(), "|x|"),
        ((-2.0 * x).abs(), "|2·x|"),
        ((y - x).sin() + (x - y).sin(), "0"),
        ((y - x).cos() - (x - y).cos(), "0"),
        ((-x).sigmoid(), "1 − σ(x)"),
        ((x - y).sigmoid() + (y - x).sigmoid(), "1"),
        (zero.sin(), "0"),
        (zero.cos(), "1"),
        (zero.abs(), "0"),
        (zero.exp(), "1"),
        (x.sqrt().square(), "x"),
        (x.sqrt().powi(5), "x²·√x"),
        (x / x.sqrt(), "x/√x"),
        (x.cbrt().powi(3), "x"),
        (x.cbrt().powi(2), "(∛x)²"),
        (x.abs().square(), "x²"),
        (x.abs().powi(3), "x²·|x|"),
        (x.hypot(y).square(), "x² + y²"),
        (x.ln().exp(), "x"),
        ((2.0 * x.ln() - y.ln()).exp(), "x²/y"),
        (x.exp().ln(), "x"),
        (x.exp().square().ln(), "2·x"),
        (x.exp().recip().ln(), "−x"),
        (x.exp() / y.exp(), "e^(x − y)"),
        (x.exp() * (-x).exp(), "1"),
        ((2.0 * x).exp() / x.exp(), "e^x"),
        (Var::log_sum_exp(&[x, y]).exp(), "e^x + e^y"),
        (x.log_add_exp(y).exp(), "e^x + e^y"),
        (x.exp_m1(), "e^x − 1"),
        (x.exp_m1().ln_1p(), "x"),
        (x.ln_1p(), "ln(x + 1)"),
        ((x / x).ln(), "0"),
        (x.x_ln_y(y), "x·ln(y)"),
        (x.one_minus_square(), "1 − x²"),
        ((x / x).pow(n), "1"),
        (x.powf(0.5), "√x"),
        (x.powi(0), "1"),
        (x.powi(-2), "1/x²"),
        (x.powi(70), "x⁷⁰"),
        ((x + y).powi(2), "(x + y)²"),
        (x * 2.0 * y / (2.0 * y), "x"),
        ((x + y) / (2.0 * x + 2.0 * y), "0.5"),
        ((x - y) / (y - x), "−1"),
        (x * (y + 1.0) - x * y, "x"),
        (x / 3.0 * 3.0, "x"),
        ((zero + 2.0).max(1.0 + zero) * x, "2·x"),
        ((zero - 2.0).relu() + x, "x"),
        ((zero - 2.0).compare(1.0) * x, "−x"),
    ];
    for (node, expected) in cases {
        let formula = node.formula();
        assert_eq!(formula.simplify().to_string(), expected, "{formula}");
    }
}

#[test]
fn choices_are_decided_or_dropped_only_where_that_changes_nothing() {
    let tape = Tape::new();
    let [x, y] = ["x", "y"].map(|name| tape.var(0.7).named(name));
    let number = |value: f64| x - x + value;
    let cases = [
        // Between numbers, and between equals.
        (number(1.0).select_lt(2.0, x, y), "x"),
        (number(2.0).select_lt(2.0, x, y), "y"),
        (number(2.0).select_le(2.0, x, y), "x"),
        (number(1.0).select_eq(2.0, x, y), "y"),
        (x.select_lt(y, 2.0 * x, x + x), "2·x"),
        // A guard of what is not finite, or of what is so anyway.
        (x.select_eq(0.0, 0.0, y / x), "y/x"),
        (x.select_eq(0.0, 5.0, y / x), "y/x"),
        (x.select_eq(0.0, 0.0, x * y + x), "x·y + x"),
        (number(0.0).select_eq(x, 0.0, y / x), "y/x"),
        // None of these is one.
        (x.select_eq(0.0, 1.0, x * y), "(1 if x = 0 else x·y)"),
        (x.select_eq(0.0, 0.0, x + y), "(0 if x = 0 else x + y)"),
        (
            x.select_eq(0.0, 5.0, 1.0 / x + y),
            "(5 if x = 0 else 1/x + y)",
        ),
        (x.select_eq(1.0, 0.0, x * y), "(0 if x = 1 else x·y)"),
        (x.select_lt(0.0, 0.0, x * y), "(0 if x < 0 else x·y)"),
        (
            x.square().select_eq(0.0, 0.0, y / x),
            "(0 if x² = 0 else y/x)",
        ),
        (x.select_eq(0.0, y, number(0.0)), "(y if x = 0 else 0)"),
    ];
    for (node, expected) in cases {
        let formula = node.formula();
        assert_eq!(formula.simplify().to_string(), expected, "{formula}");
    }
}

#[test]
fn what_holds_only_in_part_is_left_alone() {
    let tape = Tape::new();
    let [x, y, n] = ["x", "y", "n"].map(|name| tape.var(0.7).named(name));
    let cases = [
        (x.square().sqrt(), "√(x²)"),
        ((x * y).ln(), "ln(x·y)"),
        ((x * y).sqrt(), "√(x·y)"),
        ((x * y).pow(n), "(x·y)^n"),
        (x.pow(n).pow(y), "(x^n)^y"),
        (x.tan().atan(), "atan(tan(x))"),
        (x.sin().asin(), "asin(sin(x))"),
        ((-x).acos(), "acos(−x)"),
        ((-x).relu(), "relu(−x)"),
        (0.1 * x + 0.2 * x, "0.1·x + 0.2·x"),
        (x.select_eq(y, x, y), "(x if x = y else y)"),
    ];
    for (node, expected) in cases {
        let formula = node.formula();
        assert_eq!(formula.simplify().to_string(), expected, "{formula}");
    }
}

#[test]
fn a_named_node_is_an_equation() {
    let tape = Tape::new();
    let [x, y] = ["x", "y"].map(|name| tape.var(0.7).named(name));
    let a = x.sigmoid().named("a");
    let h = (x * y).tanh().named("h");
    let r = x.hypot(y).named("r");
    let l = y.ln().named("l");
    let k = (3.0 - 2.0 * y.exp()).named("k");
    let q = (x.sin() / y).named("q");
    let all = a + h + r + l + k + q;
    let cases = [
        (x.sigmoid(), "a"),
        ((-x).sigmoid(), "1 − a"),
        (x.exp(), "a/(1 − a)"),
        ((-x).exp(), "(1 − a)/a"),
        ((x * y).sech().square(), "1 − h²"),
        ((x * y).sech().powi(3), "(1 − h²)·sech(x·y)"),
        ((x * x + y * y).sqrt(), "r"),
        (y.ln(), "l"),
        (l.exp(), "y"),
        ((l * 2.0 + x.ln()).exp(), "y²·x"),
        (y.exp(), "−0.5·(k − 3)"),
        (x.sin() / y * 2.0, "2·q"),
        (y / x.sin(), "1/q"),
        (x.sin().square() / y, "q·sin(x)"),
    ];
    for (node, expected) in cases {
        // So that the formula refers to all of them.
        let formula = (node + all - all).formula();
        assert_eq!(formula.simplify().to_string(), expected, "{formula}");
    }
}

/// What a function of −x is beside that of x, at many points where both are numbers.
fn mirrored_sign(op: Op) -> Option<f64> {
    let (_, high) = op.samples()[0];
    let pairs = (1..=40).map(|i| high * f64::from(i) / 40.0);
    let pairs: Vec<[f64; 2]> = pairs.map(|x| [x, -x].map(|x| f64::unary(op, x))).collect();
    let holds = |sign: f64| pairs.iter().all(|&[right, left]| left == sign * right);
    [1.0, -1.0].into_iter().find(|&sign| holds(sign))
}

#[test]
fn each_function_that_is_even_or_odd_is_simplified_as_such() {
    let tape = Tape::new();
    let x = tape.var(0.5).named("x");
    let mut found = 0;
    for &op in Op::ALL.iter().filter(|op| op.arity() == Some(1)) {
        let Some(sign) = mirrored_sign(op) else {
            continue;
        };
        let of = |x| Var::unary(op, x);
        let expected = (of(x) * sign).formula().simplify().to_string();
        assert_eq!(of(-x).formula().simplify().to_string(), expected, "{op}");
        found += 1;
    }
    assert!(found > 12, "{found}");
}
