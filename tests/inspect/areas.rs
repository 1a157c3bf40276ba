//! In a picture, does the area behind a named group hold what is its own, and
//! cover nothing else?

use crate::article::article;
use crate::common::Random;
use chainrule::{Op, Operand, Tape, Var};

/// A rectangle: left, top, right, bottom.
type Rectangle = [f64; 4];

fn overlap(a: Rectangle, b: Rectangle) -> bool {
    a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]
}

fn within(inner: Rectangle, outer: Rectangle) -> bool {
    inner[0] >= outer[0] && inner[1] >= outer[1] && inner[2] <= outer[2] && inner[3] <= outer[3]
}

/// The number of an attribute.
fn number(element: &str, name: &str) -> f64 {
    let mark = format!(" {name}=\"");
    let at = element.find(&mark).unwrap() + mark.len();
    element[at..].split('"').next().unwrap().parse().unwrap()
}

fn rectangle(element: &str) -> Rectangle {
    let [x, y, w, h] = ["x", "y", "width", "height"].map(|name| number(element, name));
    [x, y, x + w, y + h]
}

/// About where a text stands, by its anchor, and what it says.
fn text(element: &str) -> (Rectangle, &str) {
    let says = element.split(['>', '<']).nth(2).unwrap();
    let narrow = says.chars().filter(|c| ".1il₁".contains(*c)).count();
    let width = 6.2 * says.chars().count() as f64 - 2.0 * narrow as f64;
    let (x, y) = (number(element, "x"), number(element, "y"));
    let left = match element {
        e if e.contains("\"end\"") => x - width,
        e if e.contains("\"start\"") => x,
        _ => x - width / 2.0,
    };
    ([left, y - 10.0, left + width, y + 3.0], says)
}

/// A class of elements in a picture, one a line.
fn elements<'a>(svg: &'a str, class: &str) -> impl Iterator<Item = &'a str> {
    let mark = format!(" class=\"{class}\"");
    svg.lines().filter(move |line| line.contains(&mark))
}

/// From which node to which, in their order.
fn edges(tape: &Tape) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for node in tape.nodes() {
        for operand in &node.operands {
            if let Operand::Node(from) = operand {
                found.push((from.index(), node.id.index()));
            }
        }
    }
    found
}

/// The node whose area each node may stand in: the first named one that is made from it, or of
/// an input the one of all that use it.
fn owners(tape: &Tape, edges: &[(usize, usize)]) -> Vec<Option<usize>> {
    let nodes: Vec<_> = tape.nodes().collect();
    let mut owner: Vec<Option<usize>> = vec![None; nodes.len()];
    for node in (0..nodes.len()).rev() {
        let users = edges.iter().filter(|(from, _)| *from == node);
        let of_users: Vec<_> = users.map(|(_, to)| owner[*to]).collect();
        let is_input = nodes[node].op == Op::Input;
        owner[node] = match nodes[node].name {
            Some(_) if !is_input => Some(node),
            _ if is_input => {
                let first = of_users.first().copied().flatten();
                first.filter(|_| of_users.iter().all(|owner| *owner == first))
            }
            _ => of_users.into_iter().flatten().min(),
        };
    }
    owner
}

/// Checks a picture of all of a tape, and says which areas it has.
fn check(tape: &Tape, svg: &str) -> Vec<String> {
    let edges = edges(tape);
    let owners = owners(tape, &edges);
    let boxes: Vec<Rectangle> = elements(svg, "box").map(rectangle).collect();
    assert_eq!(boxes.len(), tape.len());
    for (i, one) in boxes.iter().enumerate() {
        let apart = |other: &Rectangle| !overlap(*one, *other);
        assert!(boxes[i + 1..].iter().all(apart), "two nodes overlap");
    }
    let areas: Vec<Rectangle> = elements(svg, "area").map(rectangle).collect();
    let names: Vec<_> = elements(svg, "k").map(text).collect();
    assert_eq!(areas.len(), names.len());
    for (i, area) in areas.iter().enumerate() {
        for (j, other) in areas.iter().enumerate() {
            assert!(i == j || !overlap(*area, *other), "two areas overlap");
            assert!(!overlap(*area, names[j].0), "over the name of an area");
        }
        assert!(names[i].0[2] <= area[2], "a name is longer than its area");
        for rectangle in &boxes {
            assert!(!overlap(*rectangle, names[i].0), "a box over a name");
        }
        let held = |node: &usize| overlap(boxes[*node], *area);
        let mut held = (0..boxes.len()).filter(held).peekable();
        let owner = owners[*held.peek().expect("it holds something")];
        assert!(owner.is_some());
        for node in held {
            assert_eq!(owners[node], owner, "{node} is not of this area");
            assert!(within(boxes[node], *area), "{node} is half outside");
        }
        // Of nodes with more edges none has a number.
        let few = |to| edges.iter().filter(|edge| edge.1 == to).count() <= 4;
        let numbered = edges.iter().filter(|edge| few(edge.1));
        let numbers: Vec<_> = elements(svg, "p").map(text).collect();
        assert_eq!(numbers.len(), numbered.clone().count());
        for ((place, says), (_, to)) in numbers.into_iter().zip(numbered) {
            let own = owners[*to] == owner;
            assert!(own || !overlap(place, *area), "over the number {says}");
        }
        for (place, says) in elements(svg, "n").map(text) {
            let outside = !overlap(place, *area);
            assert!(outside || within(place, *area), "over the label {says}");
        }
    }
    names.into_iter().map(|(_, name)| name.to_owned()).collect()
}

/// w·x + b through tanh, all of it named.
fn neuron<'t>(tape: &'t Tape, name: &str, x: &[Var<'t>]) -> Var<'t> {
    let mut z = tape.var(0.1).named(&format!("b_{name}"));
    for (i, x) in x.iter().enumerate() {
        z += tape.var(0.3).named(&format!("w_{name}{i}")) * *x;
    }
    z.tanh().named(name)
}

fn network(tape: &Tape, widths: &[usize]) {
    let input = |i| tape.var(0.5).named(&format!("x{i}"));
    let mut layer: Vec<Var<'_>> = (0..widths[0]).map(input).collect();
    for (k, &width) in widths.iter().enumerate().skip(1) {
        let name = |i| format!("h{k}_{i}");
        layer = (0..width).map(|i| neuron(tape, &name(i), &layer)).collect();
    }
}

#[test]
fn the_areas_of_the_articles_graph_hold_what_is_theirs() {
    for spelled_out in [false, true] {
        let tape = Tape::new();
        let graph = article(&tape, spelled_out);
        let [w1, w2] = graph.w;
        let svg = tape.svg().group("parameter", &[w1, w2, graph.b]);
        let svg = svg.group("input", &[graph.x[0], graph.x[1], graph.y]);
        let expected: &[&str] = match spelled_out {
            true => &["z", "g", "a", "L"],
            false => &["z", "a", "L"],
        };
        assert_eq!(check(&tape, &svg.to_string()), expected);
    }
}

#[test]
fn neighbouring_neurons_have_areas_that_do_not_touch() {
    for (widths, areas) in [
        (&[2, 3][..], 3),
        (&[1, 4], 4),
        (&[3, 2, 1], 3),
        (&[2, 2, 2], 4),
    ] {
        let tape = Tape::new();
        network(&tape, widths);
        let found = check(&tape, &tape.svg().to_string());
        assert_eq!(found.len(), areas, "{widths:?}: {found:?}");
    }
}

#[test]
fn groups_side_by_side_each_have_their_area() {
    let tape = Tape::new();
    let x = tape.var(0.5).named("x");
    for i in 0..6 {
        let y = (x * f64::from(i)).sin() + x.exp() * 1e-10;
        y.named(&format!("head {i} with a name that is longer than its box"));
    }
    assert_eq!(check(&tape, &tape.svg().to_string()).len(), 6);
}

#[test]
fn rows_that_share_parameters_each_have_their_area() {
    let tape = Tape::new();
    let (w, b) = (tape.var(0.4).named("w"), tape.var(0.1).named("b"));
    for i in 0..5 {
        let x = tape.var(f64::from(i));
        let z = (w * x + b).named(&format!("z{i}"));
        z.sigmoid().named(&format!("a{i}"));
    }
    assert_eq!(check(&tape, &tape.svg().to_string()).len(), 10);
}

#[test]
fn areas_of_random_graphs_hold_what_is_theirs() {
    let mut random = Random(1);
    let mut areas = 0;
    for graph in 0..200 {
        let tape = Tape::new();
        let mut nodes = tape.vars(&vec![-0.12345; 1 + random.below(6)]);
        let inputs = nodes.clone();
        for i in 0..random.below(40) {
            let near = nodes.len().saturating_sub(1 + random.below(5));
            let (a, b) = (nodes[near], nodes[random.below(nodes.len())]);
            let node = match random.below(5) {
                0 => a.sin(),
                1 => a * b,
                2 => [a, b, a * 2.0, b].into_iter().sum(),
                3 => a * 1.23456e-9,
                _ => a - tape.var(0.5),
            };
            match random.below(4) {
                0 => drop(node.named(&format!("v{i}"))),
                1 if graph % 2 == 0 => drop(node.named(&format!("{} {i}", "long ".repeat(9)))),
                _ => {}
            }
            nodes.push(node);
        }
        let svg = tape
            .svg()
            .digits(1 + graph % 9)
            .group("some inputs", &inputs);
        areas += check(&tape, &svg.to_string()).len();
    }
    assert!(areas > 1000, "{areas} areas");
}
