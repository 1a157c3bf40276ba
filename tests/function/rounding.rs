//! What rounding is relative to.

use chainrule::{Tape, Var};

/// All ways from the output to the inputs, added up by their sizes: what the rounding of a
/// gradient, of which terms may cancel, is relative to.
pub fn sizes(tape: &Tape, x: &[Var<'_>], output: Var<'_>) -> Vec<f64> {
    let (adjoints, mut sizes) = (output.backward(), vec![0.0; tape.len()]);
    sizes[tape.len() - 1] = 1.0;
    for id in tape
        .nodes()
        .map(|node| node.id)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
    {
        for (operand, partial) in adjoints.node(tape.at(id)).partials {
            if partial != 0.0 && sizes[id.index()] != 0.0 {
                sizes[operand.index()] += sizes[id.index()] * partial.abs();
            }
        }
    }
    let place = |x: &Var<'_>| x.id().expect("a node").index();
    x.iter().map(|x| sizes[place(x)]).collect()
}
