//! Does what is shown of large graphs stay within bounds, and take time in
//! proportion to their size? Sizes are such that quadratic time would be minutes.

use chainrule::inspect::Chapter;
use chainrule::{Function, Tape, Var};

#[test]
fn a_function_of_many_inputs_is_listed_in_linear_time() {
    const INPUTS: usize = 200_000;
    let function = Function::record(|r| {
        let inputs: Vec<Var<'_>> = (0..INPUTS)
            .map(|i| r.input(&format!("x{i}"), 1.0))
            .collect();
        inputs.iter().sum()
    });
    let text = function.to_string();
    assert_eq!(text.lines().count(), INPUTS + 2);
    assert!(text.starts_with("x0 = input 0\nx1 = input 1\n"));
    assert!(text.ends_with("\nreturn v200000"));
}

#[test]
fn inputs_are_listed_at_their_positions_in_any_order() {
    let tape = Tape::new();
    let (x, y) = (tape.var(1.0).named("x"), tape.var(2.0).named("y"));
    let function = tape.function(&[y, x], x - y);
    let listed = "x = input 1\ny = input 0\nv2 = x − y\nreturn v2";
    assert_eq!(function.to_string(), listed);
}

/// Inputs with names, and the sum of them.
fn named_sum(tape: &Tape, inputs: usize) -> Var<'_> {
    let input = |i| tape.var(0.5).named(&format!("x{i}"));
    let inputs: Vec<Var<'_>> = (0..inputs).map(input).collect();
    inputs.iter().sum()
}

fn boxes(svg: &str) -> usize {
    svg.matches("class=\"box\"").count()
}

#[test]
fn a_picture_of_a_sum_over_many_inputs_is_cut_and_says_so() {
    let tape = Tape::new();
    let sum = named_sum(&tape, 100_000);
    let _ = sum.sin();
    for svg in [tape.svg(), tape.svg().limit(1), sum.backward().svg()] {
        let svg = svg.to_string();
        let drawn = boxes(&svg);
        assert!(drawn <= 300 + 8 && svg.len() < 500_000, "{drawn} boxes");
        assert!(svg.contains(" nodes left out<"));
    }
    let svg = tape.svg().limit(1).to_string();
    assert_eq!(boxes(&svg), 2, "sin and what it is of");
    assert!(svg.contains(">100000 nodes left out<"));
}

#[test]
fn a_picture_of_all_of_many_named_nodes_is_drawn_in_linear_time() {
    const NODES: usize = 30_000;
    let tape = Tape::new();
    let sum = named_sum(&tape, NODES);
    assert_eq!(boxes(&tape.svg().limit(usize::MAX).to_string()), NODES + 1);
    for i in 0..NODES {
        sum.sin().named(&format!("y{i}"));
    }
    let svg = tape.svg().limit(usize::MAX).to_string();
    assert_eq!(boxes(&svg), 2 * NODES + 1);
    assert!(!svg.contains("left out"));
}

#[test]
fn a_page_of_many_named_inputs_is_written_in_linear_time() {
    let tape = Tape::new();
    named_sum(&tape, 20_000);
    let page = tape.html().to_string();
    assert!(page.contains("\"inside x₁₉₉₉₉\""));
}

#[test]
fn edges_over_many_layers_make_no_picture_that_grows_with_the_square() {
    let size = |nodes: usize| {
        let tape = Tape::new();
        let x = tape.var(1.0);
        let _ = (1..nodes).fold(x, |y, _| y * x);
        tape.svg().limit(usize::MAX).to_string().len()
    };
    let (small, large) = (size(1500), size(3000));
    assert!(large < 3 * small, "{small} bytes, then {large}");
}

#[test]
fn a_page_with_a_long_formula_beside_it_is_written_in_linear_time() {
    let tape = Tape::new();
    let x = tape.var(0.5).named("x");
    let y = x.sin().named("y");
    let by_hand = (0..300_000).fold(x, |formula, _| formula.cos());
    let chapter = Chapter::new("long").compare("dy/dx", [y, x], by_hand);
    let page = y.backward().html().chapter(chapter).to_string();
    assert!(page.matches("\"o\":\"cos\"").count() == 300_000);
}
