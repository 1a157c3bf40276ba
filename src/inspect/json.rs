//! The tape as JSON, with the feature `serde`.
//!
//! The schema, which [`Data`] is in Rust:
//!
//! ```text
//! { "nodes": [ { "id": 0,             position on the tape, from 0
//!                "name": "w1",        absent if it has none
//!                "op": "input",       the name of a row of the table
//!                "operands": [ { "node": 4 }, { "constant": 2.0 } ],
//!                "constants": [],     an operation's own, absent if none
//!                "value": 0.4,
//!                "adjoint": -0.32,    after a sweep
//!                "partials": [ 1.5 ]  for each operand that is a node
//!              } ],
//!   "left_out": 0,                    nodes left out between `limit` nodes
//!   "total": 1 }
//! ```
//!
//! JSON has no NaN and no ∞: they are the texts `"NaN"`, `"inf"` and `"-inf"`.
//! All other numbers are written so that they are read back as the same bits.

use super::View;
use crate::graph::Operand as Recorded;
use crate::tape::Adjoints;
use crate::tape::Tape;
use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};
use std::fmt;

/// The tape as JSON. Not cut, unless [`limit`](View::limit) says so; the number of
/// digits does not apply.
#[derive(Clone, Copy, Debug)]
pub struct Json;

impl Tape {
    /// The tape as JSON, in the schema of [`Data`].
    pub fn json(&self) -> View<'_, Json> {
        View::new(self, Json).limit(usize::MAX)
    }
}

impl Adjoints<'_> {
    /// The swept nodes as JSON, in the schema of [`Data`].
    ///
    /// # Panics
    /// As [`table`](Adjoints::table).
    #[track_caller]
    pub fn json(&self) -> View<'_, Json> {
        self.expect_current();
        View::new(self, Json).limit(usize::MAX)
    }
}

/// A tape as data, to be written to and read from any format of serde.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Data {
    /// The nodes, in the order of recording.
    pub nodes: Vec<NodeData>,
    /// How many were left out.
    pub left_out: usize,
    /// How many there are.
    pub total: usize,
}

/// A node as data.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct NodeData {
    /// Its position on the tape.
    pub id: usize,
    /// Its name, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The name of its operation.
    pub op: String,
    /// What the operation was applied to, in order.
    pub operands: Vec<OperandData>,
    /// The constants of the operation itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub constants: Vec<Number>,
    /// Its value.
    pub value: Number,
    /// Its adjoint, after a sweep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjoint: Option<Number>,
    /// For each operand that is a node, the partial with respect to it.
    pub partials: Vec<Number>,
}

/// An operand as data.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OperandData {
    /// The position of a node.
    Node(usize),
    /// A number.
    Constant(Number),
}

/// A number, also NaN and ∞, which JSON writes as texts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Number(pub f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() {
            to.serialize_f64(self.0)
        } else {
            to.collect_str(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(untagged)]
        enum NumberOrText {
            Number(f64),
            Text(String),
        }
        match NumberOrText::deserialize(from)? {
            NumberOrText::Number(x) => Ok(Self(x)),
            NumberOrText::Text(text) => text.parse().map(Self).map_err(D::Error::custom),
        }
    }
}

impl View<'_, Json> {
    /// The nodes as data.
    pub fn data(&self) -> Data {
        let (head, tail) = self.shown();
        let left_out = tail.start - head.end;
        Data {
            nodes: head.chain(tail).map(|index| self.node(index)).collect(),
            left_out,
            total: self.subject.len,
        }
    }

    fn node(&self, index: usize) -> NodeData {
        let seen = self.subject.seen(index);
        let operand = |operand: &Recorded| match operand {
            Recorded::Node(id) => OperandData::Node(id.index()),
            Recorded::Constant(value) => OperandData::Constant(Number(*value)),
        };
        let constants = seen.node.constants.iter();
        let partials = seen.partials.iter();
        NodeData {
            id: index,
            name: seen.node.name.as_ref().map(ToString::to_string),
            op: seen.node.op.name().to_owned(),
            operands: seen.node.operands.iter().map(operand).collect(),
            constants: constants.copied().map(Number).collect(),
            value: Number(seen.node.value),
            adjoint: seen.adjoint.map(Number),
            partials: partials.map(|(_, partial)| Number(*partial)).collect(),
        }
    }
}

impl fmt::Display for View<'_, Json> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = serde_json::to_string_pretty(&self.data()).map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}
