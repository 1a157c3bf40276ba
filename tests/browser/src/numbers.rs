//! Are the page's numbers the engine's? To 1e-12, in values and in all adjoints, as
//! inputs change.

use crate::driver::Browser;
use crate::pages::Pages;
use chainrule::models::derivation::Graph;
use chainrule::models::logistic::Form;
use chainrule::{Op, Real, Tape, Var, inspect};
use std::fs;

/// Where the article's graph is evaluated: w1, w2, b, x1, x2, y.
const POINTS: [[f64; 6]; 6] = [
    [0.4, -0.3, 0.1, 1.5, -2.0, 1.0],
    [0.5, -1.0, 0.0, 1.0, 2.0, 0.0],
    [-2.25, 3.5, 0.75, 0.125, -1.0, 0.0],
    [1.0, 1.0, -2.0, 1.0, 1.0, 0.5],
    [0.0, 0.0, 0.0, 3.0, -4.0, 1.0],
    [1.5, 0.25, 1e-9, 2.0, 4.0, 0.25],
];

/// The article's graph as the example records it, and its inputs.
fn article(tape: &Tape, form: Form) -> (Vec<Var<'_>>, Var<'_>) {
    let [w1, w2, b, x1, x2, y] = POINTS[0];
    let graph = Graph::record(tape, &[x1, x2], &[w1, w2], b, y, form);
    let graph = graph.expect("as many features as weights");
    let inputs = [graph.parameters.all(), graph.x, vec![graph.y]].concat();
    (inputs, graph.loss)
}

/// Types numbers into the fields of inputs.
fn give(browser: &Browser, numbers: &[(usize, f64)]) {
    let list: Vec<String> = numbers
        .iter()
        .map(|(i, x)| format!("[{i},\"{x:?}\"]"))
        .collect();
    browser.run(&format!(
        "for (const [i, text] of [{}]) {{
            const field = document.getElementById(`field-${{i}}`);
            field.value = text;
            field.dispatchEvent(new Event('input', {{ bubbles: true }}));
        }}",
        list.join(",")
    ));
}

/// What the page has computed: values and adjoints. As texts, because NaN is none
/// of JSON's numbers.
fn numbers(browser: &Browser) -> (Vec<f64>, Vec<f64>) {
    let all = browser.run(
        "const { values, adjoints } = window.chainrule.numbers();
         return [values.map(String), adjoints.map(String)]",
    );
    let read = |list: &serde_json::Value| {
        let text = |x: &serde_json::Value| x.as_str().expect("a text").replace("Infinity", "inf");
        let list = list.as_array().expect("a list").iter();
        list.map(|x| text(x).parse().expect("a number")).collect()
    };
    (read(&all[0]), read(&all[1]))
}

fn assert_same(what: &str, found: &[f64], expected: &[f64]) {
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let apart = (found - expected).abs() / expected.abs().max(1.0);
        let same = apart <= 1e-12 || found == expected || found.is_nan() && expected.is_nan();
        assert!(
            same,
            "{what} of node {i}: {found} in the page, {expected} in the engine"
        );
    }
}

fn place(node: Var<'_>) -> usize {
    node.id().expect("a node").index()
}

/// The values and adjoints of all nodes up to the output.
fn engine(tape: &Tape, output: Var<'_>) -> (Vec<f64>, Vec<f64>) {
    let adjoints = output.backward();
    let last = output.id().expect("a node").index();
    let nodes = tape.nodes().take(last + 1);
    nodes
        .map(|node| (node.value, adjoints.wrt(tape.at(node.id))))
        .unzip()
}

fn compare(browser: &Browser, tape: &Tape, inputs: &[Var<'_>], output: Var<'_>, point: &[f64]) {
    for (input, value) in inputs.iter().zip(point) {
        tape.set(*input, *value);
    }
    tape.forward();
    let place = |input: &Var<'_>| input.id().expect("a node").index();
    let given: Vec<_> = inputs
        .iter()
        .map(place)
        .zip(point.iter().copied())
        .collect();
    give(browser, &given);
    let (values, adjoints) = numbers(browser);
    let expected = engine(tape, output);
    assert_same("the value", &values, &expected.0);
    assert_same("the adjoint", &adjoints, &expected.1);
}

pub fn of_the_article(browser: &Browser, pages: &Pages) {
    for (page, form) in pages.article.iter().zip([Form::Sigmoid, Form::SpelledOut]) {
        browser.open(page, "");
        let tape = Tape::new();
        let (inputs, loss) = article(&tape, form);
        for point in &POINTS {
            compare(browser, &tape, &inputs, loss, point);
        }
        // As they were.
        browser.run("document.getElementById('reset').click()");
        let (values, _) = numbers(browser);
        let given: Vec<f64> = inputs.iter().map(|input| values[place(*input)]).collect();
        assert_same("the value", &given, &POINTS[0]);
    }
}

/// A tape on which every row of the table is used, and a few with constants.
fn every_operation(tape: &Tape) -> (Vec<Var<'_>>, Var<'_>) {
    let (mut inputs, mut results) = (Vec::new(), Vec::new());
    for &op in Op::ALL {
        let samples = op.samples();
        let count = op.arity().unwrap_or(samples.len());
        let at = |i: usize| samples[i].0 + 0.7 * (samples[i].1 - samples[i].0);
        let x: Vec<_> = (0..count).map(|i| tape.var(at(i))).collect();
        let weights: &[f64] = &[2.0, -0.5, 3.0, 0.25, 1.0, 0.125];
        results.push(match op.arity() {
            Some(1) => Var::unary(op, x[0]),
            Some(2) => Var::binary(op, x[0], x[1]),
            _ => Var::nary(op, &[&x], &[&weights[..op.own_constants(count).unwrap_or(0)]]),
        });
        inputs.extend(x);
    }
    results.extend([
        inputs[0].powi(3),
        2.0 / inputs[1],
        inputs[2].powf(0.5),
        inputs[0] * inputs[0],
        Var::nary(Op::Dot, &[&inputs[..5]], &[]),
    ]);
    let output = Var::sum(&results);
    (inputs, output)
}

pub fn of_every_operation(browser: &Browser, pages: &Pages) {
    let tape = Tape::new();
    let (inputs, output) = every_operation(&tape);
    let page = pages.directory.join("operations.html");
    fs::write(&page, inspect::html(&output.backward()).to_string()).expect("written");
    browser.open(&page, "");
    let intervals: Vec<(f64, f64)> = Op::ALL
        .iter()
        .flat_map(|op| op.samples().iter().take(op.arity().unwrap_or(usize::MAX)))
        .copied()
        .collect();
    assert_eq!(intervals.len(), inputs.len());
    for part in [0.05, 0.31, 0.5, 0.77, 0.95] {
        let between = |(i, (low, high)): (usize, &(f64, f64))| {
            low + (part + 0.617 * i as f64).fract() * (high - low)
        };
        let point: Vec<f64> = intervals.iter().enumerate().map(between).collect();
        compare_without_fields(browser, &tape, &inputs, output, &point);
    }
}

pub fn outside_of_domains(browser: &Browser, pages: &Pages) {
    let tape = Tape::new();
    let (inputs, output) = every_operation(&tape);
    browser.open(&pages.directory.join("operations.html"), "");
    // In turn, so that operations on two have a 0 beside another number, too.
    let turns = [[-3.0, -3.0], [-1.0, -1.0], [0.0, 0.0], [1.0, 1.0]];
    for turn in turns
        .into_iter()
        .chain([[0.0, -1.0], [-1.0, 0.0], [0.0, 2.0], [2.0, 0.0]])
    {
        let point: Vec<f64> = (0..inputs.len()).map(|i| turn[i % 2]).collect();
        compare_without_fields(browser, &tape, &inputs, output, &point);
    }
}

/// As `compare`, for more inputs than there are fields.
fn compare_without_fields(
    browser: &Browser,
    tape: &Tape,
    inputs: &[Var<'_>],
    output: Var<'_>,
    point: &[f64],
) {
    let list: Vec<String> = inputs
        .iter()
        .map(|input| place(*input))
        .zip(point)
        .map(|(i, x)| format!("[{i},{x:?}]"))
        .collect();
    browser.run(&format!(
        "for (const [i, x] of [{}]) window.chainrule.data.nodes[i].value = x;
         window.chainrule.recompute();",
        list.join(",")
    ));
    for (input, value) in inputs.iter().zip(point) {
        tape.set(*input, *value);
    }
    tape.forward();
    let (values, adjoints) = numbers(browser);
    let expected = engine(tape, output);
    assert_same("the value", &values, &expected.0);
    assert_same("the adjoint", &adjoints, &expected.1);
}

/// If the programs that came with the page said 0, every derivative would be 0: the
/// page has no other source of them.
pub fn partials_come_from_the_table(browser: &Browser, pages: &Pages) {
    browser.open(&pages.article[0], "");
    browser.run(
        "for (const rule of window.chainrule.data.rules) rule.out = rule.out.map(() => ({ c: 0 }));
         window.chainrule.recompute();",
    );
    let (_, adjoints) = numbers(browser);
    let reached = adjoints.iter().filter(|adjoint| **adjoint != 0.0);
    assert_eq!(reached.count(), 1, "only the seed is left");
}

pub fn chapters_agree(browser: &Browser, pages: &Pages) {
    for page in &pages.article {
        browser.open(page, "");
        for point in &POINTS {
            let tape = Tape::new();
            let (inputs, _) = article(&tape, Form::Sigmoid);
            let given: Vec<_> = inputs.iter().map(|x| place(*x)).zip(*point).collect();
            give(browser, &given);
            let verdicts =
                "return [...document.querySelectorAll('.verdict')].map((e) => e.textContent)";
            let found = browser.run(verdicts);
            let found = found.as_array().expect("a list");
            assert!(
                found.len() >= 9 && found.iter().all(|said| said == "✓ same"),
                "{point:?}: {found:?}"
            );
        }
    }
}
