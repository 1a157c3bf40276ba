//! Does simplification leave values as they are? Random graphs over all
//! operations of the table, and their gradients, at random points, held to a
//! bound on the rounding errors of both formulas; and formulas of 10⁴ nodes.
#![allow(clippy::print_stdout, reason = "it prints what it compared")]

use crate::bounded::Bounded;
use crate::common::{Random, apply_with, on_a_small_stack};
use chainrule::{Formula, Op, Tape, Var};
use std::thread;

const CONSTANTS: [f64; 8] = [0.5, 1.0, 2.0, 3.0, -1.0, 0.1, 0.7, 1.0 / 3.0];
/// Where points lie: tame, of both signs, small, large. Whole numbers come besides,
/// 0 among them.
const DOMAINS: [(f64, f64); 5] = [
    (0.05, 2.5),
    (0.3, 1.0),
    (-3.0, 3.0),
    (-1e-4, 1e-4),
    (-60.0, 60.0),
];
const NAMES: [&str; 3] = ["x", "y", "w"];

/// A random operation on random nodes and constants.
fn step<'t>(random: &mut Random, nodes: &[Var<'t>]) -> Var<'t> {
    let op = Op::ALL[random.below(Op::ALL.len())];
    let mut operand = |constants: bool| match random.below(5) {
        0 if constants => Var::from(CONSTANTS[random.below(CONSTANTS.len())]),
        1 | 2 => nodes[nodes.len() - 1],
        _ => nodes[random.below(nodes.len())],
    };
    let count = op.arity().unwrap_or(4);
    let x: Vec<Var<'t>> = (0..count).map(|i| operand(i > 0)).collect();
    apply_with(op, &x, &[0.5, -1.0, 2.0, 0.3, 1.0])
}

/// A random graph with some nodes named; its last node.
fn graph<'t>(random: &mut Random, tape: &'t Tape, steps: usize) -> (Vec<Var<'t>>, Var<'t>) {
    let inputs: Vec<Var<'t>> = NAMES
        .iter()
        .map(|name| tape.var(random.between(0.2, 1.8)).named(name))
        .collect();
    let mut nodes = inputs.clone();
    while nodes.len() < NAMES.len() + steps {
        let next = step(random, &nodes);
        let tame = next.value().is_finite() && next.value().abs() < 50.0;
        if tame && next.tape().is_some() {
            if random.below(4) == 0 {
                let _ = next.try_named(&format!("n{}", tape.len()));
            }
            nodes.push(next);
        }
    }
    (inputs, nodes[nodes.len() - 1])
}

/// What comparing two formulas at a point tells.
#[derive(Default, Debug)]
struct Tally {
    compared: usize,
    /// Of those compared, where the bound is below 1e-9 of the value.
    sharp: usize,
    skipped: usize,
}

impl Tally {
    fn compare(&mut self, before: &Formula, after: &Formula, point: &[(&str, f64)]) {
        let value_of = |name: &str| {
            let found = point.iter().find(|(other, _)| *other == name);
            found.map(|(_, value)| Bounded::from(*value))
        };
        let (a, b) = (before.evaluate(value_of), after.evaluate(value_of));
        let (a, b) = (a.unwrap(), b.unwrap());
        let bound = 4.0 * (a.error + b.error) + 1e-300;
        if !(a.value.is_finite() && b.value.is_finite() && bound.is_finite()) {
            self.skipped += 1;
            return;
        }
        self.compared += 1;
        self.sharp += usize::from(bound < 1e-9 * a.value.abs().max(1e-3));
        assert!(
            (a.value - b.value).abs() <= bound,
            "{before}\nis {a}, and\n{after}\nis {b}, at {point:?}"
        );
    }
}

#[test]
fn random_graphs_and_their_gradients_keep_their_values() {
    let mut random = Random(11);
    let mut tally = Tally::default();
    for _ in 0..1500 {
        let tape = Tape::new();
        let steps = 1 + random.below(9);
        let (inputs, output) = graph(&mut random, &tape, steps);
        let mut formulas = output.gradient_formulas(&inputs);
        formulas.push(output.formula());
        for formula in &formulas {
            let simple = formula.simplify();
            for (low, high) in DOMAINS {
                let point = NAMES.map(|name| (name, random.between(low, high)));
                tally.compare(formula, &simple, &point);
            }
            let whole = NAMES.map(|name| (name, random.between(-2.0, 3.0).floor()));
            tally.compare(formula, &simple, &whole);
        }
    }
    println!("{tally:?}");
    assert!(tally.compared > 20_000, "{tally:?}");
    assert!(tally.sharp * 10 > tally.compared * 9, "{tally:?}");
}

#[test]
fn simplifying_twice_changes_no_value_either() {
    let mut random = Random(5);
    let mut tally = Tally::default();
    for _ in 0..200 {
        let tape = Tape::new();
        let (inputs, output) = graph(&mut random, &tape, 5);
        for formula in output.gradient_formulas(&inputs) {
            let (once, twice) = (formula.simplify(), formula.simplify().simplify());
            let point = NAMES.map(|name| (name, random.between(0.05, 2.5)));
            tally.compare(&once, &twice, &point);
        }
    }
    assert!(tally.compared > 400, "{tally:?}");
}

#[test]
fn the_comparison_rejects_what_is_not_equal() {
    let tape = Tape::new();
    let x = tape.var(0.5).named("x");
    let (right, wrong) = ((x * 3.0).formula(), (x * 3.0 * (1.0 + 1e-13)).formula());
    let compare = |other: &Formula| {
        let (right, other) = (right.clone(), other.clone());
        thread::spawn(move || Tally::default().compare(&right, &other, &[("x", 0.7)])).join()
    };
    assert!(compare(&right).is_ok());
    assert!(compare(&wrong).is_err());
}

#[test]
fn numbers_are_merged_only_where_that_is_exact() {
    let tape = Tape::new();
    let x = tape.var(0.5).named("x");
    let simple = |node: Var<'_>| node.formula().simplify().to_string();
    assert_eq!(simple(0.1 * x + 0.2 * x), "0.1·x + 0.2·x");
    assert_eq!(simple(0.25 * x + 0.5 * x), "0.75·x");
    assert_eq!(simple(0.1 * (x * 2.0)), "0.2·x");
    assert_eq!(simple(0.1 * (x * 3.0)), "3·0.1·x");
    assert_eq!(simple(x / 3.0 + x / 6.0), "0.5·x");
    assert_eq!(simple((x + 0.1) + 0.2), "x + 0.1 + 0.2");
    assert_eq!(
        simple(x * 9007199254740991_f64 * 3.0),
        "3·9007199254740991·x"
    );
    assert_eq!(simple(x * 1e300 * 1e300), "1e300²·x");
}

#[test]
fn ten_thousand_nodes_are_simplified_and_printed_on_a_small_stack() {
    on_a_small_stack(|| {
        let mut random = Random(3);
        let tape = Tape::new();
        let inputs: Vec<Var<'_>> = NAMES.iter().map(|name| tape.var(0.7).named(name)).collect();
        let mut nodes = inputs.clone();
        nodes.push(inputs[0] * inputs[1]);
        while tape.len() < 10_000 {
            let (a, b) = (
                nodes[nodes.len() - 1],
                nodes[nodes.len() - 2 - random.below(2)],
            );
            nodes.push(match random.below(6) {
                0 => (a + b) * 0.5,
                1 => a * b - a,
                2 => a.sin() + 0.3,
                3 => a.tanh() * b,
                4 => (a - b).exp() * 0.4,
                _ => (a * 0.25 + 1.0) / (b.square() + 1.0),
            });
        }
        let output = nodes[nodes.len() - 1];
        for formula in [
            output.formula(),
            output.gradient_formulas(&inputs)[0].clone(),
        ] {
            let simple = formula.simplify();
            assert!(formula.len() > 5_000, "{}", formula.len());
            assert!(
                simple.len() < 3 * formula.len(),
                "{} of {}",
                simple.len(),
                formula.len()
            );
            let value = |f: &Formula| f.evaluate(|_| Some(0.7)).unwrap();
            let (before, after) = (value(&formula), value(&simple));
            assert!(
                (before - after).abs() <= 1e-6 * before.abs().max(1e-3),
                "{before} {after}"
            );
            for text in [simple.to_string(), simple.latex(), simple.mathml()] {
                assert!(text.len() < 200_000, "{}", text.len());
                assert!(
                    text.contains("bindings before these are left out"),
                    "{text}"
                );
            }
        }
    });
}

#[test]
fn the_deepest_expression_that_is_written_out_fits_a_small_stack() {
    on_a_small_stack(|| {
        let tape = Tape::new();
        let x = tape.var(0.5).named("x");
        let deep = |n: usize| (0..n).fold(x, |a, _| -(a + 1.0).sin() / 2.0).formula();
        let plain = deep(11);
        for text in [plain.to_string(), plain.latex(), plain.mathml()] {
            assert!(
                !text.contains("let ") && !text.contains("aligned") && !text.contains("<mtable>")
            );
        }
        assert!(deep(12).to_string().starts_with("let t1 = "));
        let root = Var::sum(&vec![x.sin(); 60]).formula().to_string();
        assert!(!root.contains("more"), "{root}");
    });
}

#[test]
fn long_sums_products_and_chains_are_simplified_on_a_small_stack() {
    on_a_small_stack(|| {
        let tape = Tape::new();
        let x = tape.vars(&[1.0001; 10_000]);
        let chains = [
            x.iter().copied().reduce(|a, b| a + b).unwrap(),
            x.iter().copied().reduce(|a, b| a * b).unwrap(),
            x.iter().copied().reduce(|a, b| (a + b) * 0.5).unwrap(),
            x.iter().copied().reduce(|a, b| (a - b).sin()).unwrap(),
            x.iter().take(3_000).fold(x[0], |a, _| a * a * 0.5 + a),
            x.iter().take(200).fold(x[0], |a, _| a * a),
            x.iter()
                .take(200)
                .fold((x[0], x[1]), |(a, b), _| (b, a + b))
                .1,
            x.iter().take(200).fold(x[0], |a, x| (a + x) * (a - x)),
            x.iter()
                .fold(x[0], |a, _| Var::log_sum_exp(&[a, x[1]]))
                .exp(),
        ];
        for chain in chains {
            let formula = chain.formula();
            let simple = formula.simplify();
            assert!(simple.len() <= 2 * formula.len() + 10);
            let value = |f: &Formula| f.evaluate(|_| Some(1.0001)).unwrap();
            let (before, after) = (value(&formula), value(&simple));
            let close = (before - after).abs() <= 1e-9 * before.abs();
            assert!(close || !before.is_finite(), "{before} {after}");
            assert!(simple.to_string().len() < 200_000);
        }
    });
}

#[test]
fn a_deep_expression_of_shared_terms_prints_bound_and_short() {
    let tape = Tape::new();
    let x = tape.var(0.5).named("x");
    let deep = (0..200).fold(x, |a, _| (a * a + a).sin());
    let text = deep.formula().to_string();
    assert!(text.len() < 10_000, "{}", text.len());
    assert!(text.starts_with("… "), "{text}");
    assert!(text.contains("\nlet t"));
    let wide = Var::sum(&[x.sin(), x.cos()].repeat(500))
        .formula()
        .to_string();
    assert!(
        wide.contains("… [959 more] …") && wide.len() < 2_000,
        "{wide}"
    );
}

#[test]
fn the_sign_of_a_zero_that_is_divided_by_is_kept() {
    let tape = Tape::new();
    let x = tape.var(2.0).named("x");
    for y in [
        (x / -0.0).tanh(),
        (x / 0.0).tanh(),
        (x * -0.0).recip().tanh(),
        (-(x - x)).recip().atan(),
        (-(x * 0.0)).powi(-3).sigmoid(),
        (x / (x * 0.0 - 0.0)).tanh(),
        (Var::from(-0.0) * x).atan2(-x),
        (x.square() * -0.0).atan2(x * -0.0),
        ((x - x).atan2(-x)).sin() + (x / -0.0).sigmoid(),
    ] {
        let formula = y.formula();
        let simple = formula.simplify();
        let found = simple.evaluate(|_| Some(2.0));
        assert_eq!(found, Ok(y.value()), "{formula}: {simple}");
    }
}
