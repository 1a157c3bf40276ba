//! Does what is shown of large graphs stay within bounds, and take time in
//! proportion to their size? Sizes are such that quadratic time would be minutes.

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
