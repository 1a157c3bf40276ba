//! Does the JSON of a tape, read back, hold what is on the tape? (Feature `serde`.)

use crate::article::{HOSTILE, article, hostile};
use chainrule::Tape;
use chainrule::inspect::{Data, Number, OperandData};

fn read(text: &str) -> Data {
    serde_json::from_str(text).unwrap()
}

#[test]
fn every_node_is_read_back_with_the_same_bits() {
    let tape = Tape::new();
    let graph = article(&tape, true);
    let adjoints = graph.loss.backward();
    let data = read(&adjoints.json().to_string());
    assert_eq!((data.nodes.len(), data.left_out, data.total), (22, 0, 22));
    for (node, recorded) in data.nodes.iter().zip(tape.nodes()) {
        assert_eq!(node.id, recorded.id.index());
        assert_eq!(node.op, recorded.op.name());
        assert_eq!(node.name.as_deref(), recorded.name.as_deref());
        assert_eq!(node.value.0.to_bits(), recorded.value.to_bits());
        let adjoint = adjoints.wrt(tape.at(recorded.id));
        assert_eq!(node.adjoint.unwrap().0, adjoint);
    }
    assert_eq!(
        data.nodes[6].operands,
        [OperandData::Node(0), OperandData::Node(3)]
    );
    assert_eq!(
        data.nodes[12].operands[1],
        OperandData::Constant(Number(1.0))
    );
    assert_eq!(data.nodes[6].partials, [Number(1.5), Number(0.4)]);
}

#[test]
fn names_and_numbers_that_json_dislikes_are_read_back() {
    let tape = Tape::new();
    hostile(&tape);
    tape.var(f64::NAN);
    tape.var(f64::NEG_INFINITY);
    let data = read(&tape.json().to_string());
    let names: Vec<_> = data
        .nodes
        .iter()
        .filter_map(|node| node.name.as_deref())
        .collect();
    assert_eq!(names, HOSTILE);
    assert!(data.nodes[9].value.0.is_nan());
    assert_eq!(data.nodes[10].value.0, f64::NEG_INFINITY);
}

#[test]
fn a_limit_cuts_and_says_so() {
    let tape = Tape::new();
    tape.vars(&[1.0; 100]);
    let data = read(&tape.json().limit(10).to_string());
    assert_eq!((data.nodes.len(), data.left_out, data.total), (10, 90, 100));
}
