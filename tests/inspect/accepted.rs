//! Do the languages that others draw, Mermaid and DOT, come in sizes that those accept?

use chainrule::{Tape, Var};

/// What Mermaid accepts where nobody configured it: UTF-16 units of text, and edges.
const MERMAID: (usize, usize) = (50_000, 500);

fn chain(tape: &Tape, nodes: usize, name: &str) {
    let mut x = tape.var(0.5);
    for i in 1..nodes {
        x = x.sin();
        if !name.is_empty() {
            x = x.named(&format!("{name}{i}"));
        }
    }
}

/// Sums, each of all inputs.
fn dense(tape: &Tape, inputs: usize, sums: usize) {
    let inputs = tape.vars(&vec![-0.123_456_789; inputs]);
    for _ in 0..sums {
        let _: Var<'_> = inputs.iter().sum();
    }
}

/// Tapes of many shapes, and of names that are long or take much room when escaped.
fn tapes() -> Vec<(&'static str, Tape)> {
    let names = [
        ("no names", String::new()),
        ("long names", "long name ".repeat(2000)),
        ("signs", "#\"&%".repeat(20)),
        ("many signs", "\"".repeat(10_000)),
        ("two units each", "𝛁".repeat(500)),
        ("escapes", "\u{202e}".repeat(500)),
    ];
    let mut tapes = Vec::new();
    for (what, name) in names {
        let tape = Tape::new();
        chain(&tape, 1500, &name);
        tapes.push((what, tape));
    }
    for (inputs, sums) in [(600, 1), (400, 20), (5000, 3), (20, 900)] {
        let tape = Tape::new();
        dense(&tape, inputs, sums);
        tapes.push(("sums", tape));
    }
    let tape = Tape::new();
    let x = tape.var(1.0);
    let _: Var<'_> = vec![x; 2000].iter().sum();
    tapes.push(("one many times", tape));
    let tape = Tape::new();
    tape.vars(&[0.1; 5000]);
    tapes.push(("inputs", tape));
    tapes
}

#[test]
fn mermaid_is_by_default_no_longer_than_mermaid_accepts_whatever_the_names() {
    for (what, tape) in tapes() {
        for text in [tape.mermaid(), tape.mermaid().digits(17)] {
            let text = text.to_string();
            let (units, edges) = (text.encode_utf16().count(), text.matches("-->").count());
            assert!(units <= MERMAID.0, "{what}: {units} units");
            assert!(edges <= MERMAID.1, "{what}: {edges} edges");
            assert!(text.contains(" nodes left out: #37;0 to #37;"), "{what}");
            assert!(text.lines().count() > 10, "{what}");
        }
    }
}

#[test]
fn mermaid_leaves_out_no_more_than_it_must() {
    let tape = Tape::new();
    chain(&tape, 200, "v");
    let text = tape.mermaid().to_string();
    assert_eq!(text, tape.mermaid().limit(usize::MAX).to_string());
    assert!(!text.contains("left out"));
    // One node more would be too many edges.
    chain(&tape, 1000, "");
    let edges = tape.mermaid().to_string().matches("-->").count();
    assert_eq!(edges, 280);
    // Each node has a line of about 350 signs, which are 5 characters each if escaped.
    let tape = Tape::new();
    chain(&tape, 1000, &"#".repeat(300));
    let units = tape.mermaid().to_string().encode_utf16().count();
    assert!(units > 45_000, "{units}");
}

#[test]
fn all_of_a_tape_is_written_if_asked_for() {
    let tape = Tape::new();
    dense(&tape, 500, 3);
    let mermaid = tape.mermaid().limit(usize::MAX).to_string();
    let dot = tape.dot().limit(usize::MAX).to_string();
    for (text, arrow) in [(mermaid, "-->"), (dot, "->")] {
        assert_eq!(text.matches(arrow).count(), 1500);
        assert!(!text.contains("left out"));
    }
}

#[test]
fn dot_is_by_default_no_larger_than_graphviz_draws_in_seconds() {
    for (what, tape) in tapes() {
        let text = tape.dot().to_string();
        let edges = text.matches(" -> ").count();
        let nodes = text.matches(" [label=").count() - edges;
        assert!(nodes <= 501 && edges <= 1000, "{what}: {nodes}, {edges}");
        assert!(text.len() < 1_000_000, "{what}: {} bytes", text.len());
        assert!(text.contains(" nodes left out: %0 to %"), "{what}");
    }
}
