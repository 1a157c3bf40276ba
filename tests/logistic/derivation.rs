//! Does docs/derivation.md show what the engine says? Each block of its output is
//! made again and compared.

use chainrule::models::derivation::Graph;
use chainrule::models::logistic::Form;
use chainrule::{Formula, Tape, Var, explain};
use std::fs;
use std::path::Path;

const X: [f64; 2] = [1.5, -2.0];
const W: [f64; 2] = [0.4, -0.3];

fn graph(tape: &Tape, form: Form) -> Graph<'_> {
    Graph::record(tape, &X, &W, 0.1, 1.0, form).unwrap()
}

fn gradient(of: Var<'_>, wrt: Var<'_>) -> Formula {
    of.gradient_formulas(&[wrt])[0].simplify()
}

/// The block of this name, as the engine writes it.
fn block(name: &str) -> String {
    let tape = Tape::new();
    let graph = graph(&tape, Form::Sigmoid);
    let (a, z, loss) = (graph.a, graph.z, graph.loss);
    let explanation = |title: &str| {
        let found = graph
            .explanations()
            .into_iter()
            .find(|e| e.title() == title);
        found.unwrap().to_string()
    };
    match name {
        "the graph" => {
            let line = |node: Var<'_>| {
                let formula = node.formula().to_string();
                format!(
                    "{} = {formula:<40} = {:.6}\n",
                    node.name().unwrap(),
                    node.value()
                )
            };
            [z, a, loss].map(line).concat()
        }
        "spelled out" => {
            let tape = Tape::new();
            let graph = self::graph(&tape, Form::SpelledOut);
            let g = graph.g.unwrap();
            let line = |what: &str, formula: Formula, value: f64| {
                format!("{what} = {:<12} = {value:.6}\n", formula.to_string())
            };
            [
                format!("g = {}\na = {}\n\n", g.formula(), graph.a.formula()),
                line("dg/dz", gradient(g, graph.z), explain(g, graph.z).value()),
                line("da/dg", gradient(graph.a, g), explain(graph.a, g).value()),
                line(
                    "da/dz",
                    gradient(graph.a, graph.z),
                    explain(graph.a, graph.z).value(),
                ),
            ]
            .concat()
        }
        "as the sweep made it" => format!("{}\n", loss.gradient_formulas(&[z])[0]),
        "the inputs of z" => {
            let parameters = graph.parameters.all();
            let line = |wrt: &Var<'_>| {
                let name = wrt.name().unwrap();
                let value = explain(z, *wrt).value();
                format!(
                    "{:<6} = {:<2} = {value}\n",
                    format!("dz/d{name}"),
                    gradient(z, *wrt).to_string()
                )
            };
            parameters.iter().map(line).collect()
        }
        "the gradient" => {
            let parameters = graph.parameters.all();
            let line = |wrt: &Var<'_>| {
                let name = wrt.name().unwrap();
                let value = explain(loss, *wrt).value();
                let formula = gradient(loss, *wrt).to_string();
                format!(
                    "{:<6} = {formula:<10} = {value:>9.6}\n",
                    format!("dL/d{name}")
                )
            };
            parameters.iter().map(line).collect()
        }
        "another loss" => {
            let tape = Tape::new();
            let graph = self::graph(&tape, Form::Stable);
            let formula = gradient(graph.loss, graph.z);
            format!("L = {}\ndL/dz = {formula}\n", graph.loss.formula())
        }
        name => match name.strip_prefix("the paths of ") {
            Some(title) => paths(&explanation(title)),
            None => explanation(name),
        },
    }
}

/// An explanation from its paths on.
fn paths(explanation: &str) -> String {
    let lines = explanation
        .lines()
        .skip_while(|line| !line.contains(" from "));
    let lines: Vec<&str> = lines.skip(1).collect();
    let start = lines
        .iter()
        .position(|line| line.contains(" from "))
        .unwrap();
    lines[start..].join("\n")
}

/// The blocks of the document: their names, and what is in them.
fn blocks(document: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for part in document.split("<!-- engine: ").skip(1) {
        let (name, rest) = part
            .split_once(" -->\n```text\n")
            .expect("a block after its name");
        let (content, _) = rest.split_once("```").expect("an end of the block");
        found.push((name, content));
    }
    found
}

fn document() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/derivation.md");
    fs::read_to_string(path).unwrap()
}

#[test]
fn the_document_shows_what_the_engine_says() {
    let document = document();
    let blocks = blocks(&document);
    assert!(blocks.len() >= 8, "{}", blocks.len());
    for (name, content) in blocks {
        let expected = block(name);
        assert_eq!(
            content.trim_end(),
            expected.trim_end(),
            "the block \"{name}\" is\n{expected}"
        );
    }
}

#[test]
fn every_block_of_text_comes_from_the_engine() {
    let document = document();
    assert_eq!(document.matches("```text").count(), blocks(&document).len());
}
