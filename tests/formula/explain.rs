//! Does an explanation show the right edges, rules, products and sums, in the
//! article's order and names, and does it stay short?

use crate::common::on_a_small_stack;
use chainrule::models::derivation::Graph;
use chainrule::models::logistic::{Form, derivation};
use chainrule::{Tape, Var, derivative, explain};

const X: [f64; 2] = [1.5, -2.0];
const W: [f64; 2] = [0.4, -0.3];

fn graph(tape: &Tape, form: Form) -> Graph<'_> {
    Graph::record(tape, &X, &W, 0.1, 1.0, form).unwrap()
}

#[test]
fn the_components_come_in_the_order_and_with_the_names_of_the_article() {
    for form in [Form::Sigmoid, Form::SpelledOut, Form::Stable] {
        let tape = Tape::new();
        let explanations = graph(&tape, form).explanations();
        let components = derivation(&X, &W, 0.1, 1.0, form).unwrap().components;
        assert_eq!(explanations.len(), components.len());
        for (explanation, component) in explanations.iter().zip(&components) {
            assert_eq!(explanation.title(), component.what.trim());
            assert!((explanation.value() - component.engine).abs() < 1e-15);
            assert!(explanation.difference().unwrap() < 1e-15);
        }
    }
}

#[test]
fn the_formulas_of_the_components_are_those_of_the_article() {
    let tape = Tape::new();
    let formulas = |form| -> Vec<String> {
        let tape = Tape::new();
        let explanations = graph(&tape, form).explanations();
        let formula = explanations
            .iter()
            .map(|e| e.formula().unwrap().to_string());
        formula.collect()
    };
    let totals = [
        "a − y",
        "x1",
        "x2",
        "1",
        "(a − y)·x1",
        "(a − y)·x2",
        "a − y",
    ];
    let sigmoid = ["(1 − y)/(1 − a) − y/a", "a·(1 − a)"];
    assert_eq!(formulas(Form::Sigmoid), [&sigmoid[..], &totals].concat());
    let spelled_out = [&sigmoid[..], &["−a²", "−e^(−z)"], &totals].concat();
    assert_eq!(formulas(Form::SpelledOut), spelled_out);
    let stable = graph(&tape, Form::Stable).explanations();
    let stable: Vec<String> = stable
        .iter()
        .map(|e| e.formula().unwrap().to_string())
        .collect();
    assert_eq!(stable, totals);
}

#[test]
fn edges_carry_the_rule_the_local_derivative_and_its_value() {
    let tape = Tape::new();
    let graph = graph(&tape, Form::Sigmoid);
    let explanation = explain(graph.loss, graph.z);
    let edges: Vec<String> = explanation
        .edges()
        .iter()
        .map(|edge| format!("{}→{} {}: {}", edge.from, edge.to, edge.rule, edge.local))
        .collect();
    let expected = [
        "L→v17 d(−x)/dx = −1: −1",
        "v17→v12 d(a + b)/da = 1: 1",
        "v17→v16 d(a + b)/db = 1: 1",
        "v16→v15 d(a·b)/db = a: 1 − y",
        "v15→v14 d ln(x)/dx = 1/x: 1/(1 − a)",
        "v14→a d(a − b)/db = −1: −1",
        "v12→v11 d(a·b)/db = a: y",
        "v11→a d ln(x)/dx = 1/x: 1/a",
        "a→z d σ(x)/dx = σ(x)·(1 − σ(x)): a·(1 − a)",
    ];
    assert_eq!(edges, expected);
    for edge in explanation.edges() {
        let value = edge
            .local
            .evaluate(|name| tape.lookup(name).ok().map(Var::value));
        assert!((value.unwrap() - edge.value).abs() < 1e-14, "{edge:?}");
    }
}

#[test]
fn the_paths_multiply_along_and_add_up_to_the_derivative() {
    let tape = Tape::new();
    let graph = graph(&tape, Form::SpelledOut);
    for wrt in [graph.a, graph.z, graph.parameters.w[1]] {
        let explanation = explain(graph.loss, wrt);
        let paths = explanation.paths();
        assert_eq!(explanation.path_count(), 2.0);
        let sum: f64 = paths.iter().map(|path| path.value).sum();
        assert!((sum - derivative(graph.loss, wrt)).abs() < 1e-15);
        for path in paths {
            assert_eq!(path.nodes.len(), path.values.len() + 1);
            let product: f64 = path.values.iter().product();
            assert_eq!(product, path.value);
            let formula = path.product.as_ref().unwrap();
            let value = formula
                .evaluate(|name| tape.lookup(name).ok().map(Var::value))
                .unwrap();
            assert!((value - path.value).abs() < 1e-14, "{formula}");
        }
    }
    let products: Vec<String> = explain(graph.loss, graph.z)
        .paths()
        .iter()
        .map(|path| path.product.as_ref().unwrap().to_string())
        .collect();
    assert_eq!(products, ["−y·(1 − a)", "(1 − y)·a"]);
}

#[test]
fn exponentially_many_paths_are_counted_by_one_sweep_and_not_listed() {
    let tape = Tape::new();
    let x = tape.var(0.5).named("x");
    let y = (0..200).fold(x, |y, _| y.sin() + y.cos());
    let explanation = explain(y, x);
    assert_eq!(explanation.path_count(), 2.0_f64.powi(200));
    assert_eq!(explanation.paths().len(), 6);
    let text = explanation.to_string();
    assert!(text.contains("About 1.6e60 paths lead from"), "{text}");
    assert!(text.contains("These are 6 of About 1.6e60 paths"), "{text}");
    assert!(text.contains("… and 776 more edges"), "{text}");
    assert!(text.len() < 20_000 && explanation.markdown().len() < 20_000);
}

#[test]
fn a_chain_of_a_hundred_thousand_nodes_is_explained_on_a_small_stack() {
    on_a_small_stack(|| {
        let tape = Tape::new();
        let x = tape.var(0.5).named("x");
        let y = (0..100_000).fold(x, |y, _| y.sin());
        let explanation = explain(y, x);
        assert_eq!(explanation.path_count(), 1.0);
        assert!(explanation.to_string().len() < 20_000);
    });
}

#[test]
fn no_line_is_wider_than_100_columns() {
    let tape = Tape::new();
    let long = "a_very_long_name_of_an_input_that_someone_gave";
    let x = tape.var(0.5).named(long);
    let wide = Var::log_sum_exp(&[x, x * 2.0, x.sin(), x.cos(), x * x]).named("the_output_of_it");
    let graphs = Tape::new();
    let mut texts = vec![explain(wide, x).beside(&"x + ".repeat(60), 1.0).to_string()];
    for explanation in graph(&graphs, Form::SpelledOut).explanations() {
        texts.push(explanation.to_string());
    }
    for line in texts.iter().flat_map(|text| text.lines()) {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

#[test]
fn a_node_and_itself_a_stranger_and_a_constant_are_explained_too() {
    let tape = Tape::new();
    let (x, y) = (tape.var(0.5).named("x"), tape.var(2.0).named("y"));
    let same = explain(x, x);
    assert_eq!((same.value(), same.path_count()), (1.0, 1.0));
    assert!(
        same.to_string()
            .contains("x is x itself: the derivative is 1.")
    );
    let none = explain(x.sin(), y);
    assert_eq!((none.value(), none.path_count()), (0.0, 0.0));
    assert!(
        none.to_string()
            .contains("v2 does not depend on y: the derivative is 0.")
    );
    assert_eq!(explain(Var::from(3.0), y).value(), 0.0);
    let twice = explain(x * x, x);
    assert_eq!((twice.value(), twice.path_count()), (1.0, 1.0));
    assert_eq!(twice.edges()[0].local.to_string(), "2·x");
    assert_eq!((twice.edges()[0].value, twice.paths()[0].value), (1.0, 1.0));
}

#[test]
fn markdown_has_a_heading_tables_and_escaped_bars() {
    let tape = Tape::new();
    let x = tape.var(-2.0).named("x");
    let y = x.abs().square().named("y");
    let markdown = explain(y, x)
        .titled("the slope")
        .beside("2·x", -4.0)
        .markdown();
    assert!(
        markdown
            .starts_with("### the slope\n\nThe nodes from y back to x:\n\n| node | is | value |\n")
    );
    assert!(
        markdown.contains("| v1 → x | d \\|x\\|/dx = sgn(x) | sgn(x) | -1 |"),
        "{markdown}"
    );
    assert!(markdown.contains("| by hand | 2·x | -4 |"), "{markdown}");
}

#[test]
fn a_graph_that_cannot_be_recorded_says_why() {
    let record =
        |tape: &Tape, x: &[f64]| Graph::record(tape, x, &W, 0.1, 1.0, Form::Sigmoid).map(|_| ());
    let tape = Tape::new();
    let error = record(&tape, &[1.0]).unwrap_err();
    assert_eq!(error.to_string(), "1 feature given, 2 expected");
    assert!(tape.is_empty());
    let _ = tape.var(0.0).named("x1");
    let error = record(&tape, &X).unwrap_err();
    assert_eq!(error.to_string(), "the name \"x1\" is taken: node 0 has it");
}

#[test]
fn a_branch_that_was_not_taken_is_no_way() {
    let tape = Tape::new();
    let x = tape.var(0.5).named("x");
    let y = x.max((x * 0.0).ln());
    let explanation = explain(y, x);
    assert_eq!(
        (explanation.path_count(), explanation.edge_count()),
        (1.0, 1)
    );
    assert_eq!(explanation.value(), 1.0);
}
