//! The graph in the language DOT, which Graphviz draws.

use super::{OPERANDS, Seen, View, label, left_out};
use crate::adjoints::Adjoints;
use crate::names::visible;
use crate::ops::Op;
use crate::program::NodeId;
use crate::tape::Tape;
use std::fmt;

/// The graph in DOT, with values, and partials on the edges; after a sweep with
/// adjoints too.
#[derive(Clone, Copy, Debug)]
pub struct Dot;

impl Tape {
    /// The graph in DOT. Where it is cut, the nodes nearest the end are kept.
    pub fn dot(&self) -> View<'_, Dot> {
        View::new(self, Dot)
    }
}

impl Adjoints<'_> {
    /// The swept graph in DOT.
    ///
    /// # Panics
    /// As [`table`](Adjoints::table).
    #[track_caller]
    pub fn dot(&self) -> View<'_, Dot> {
        self.expect_current();
        View::new(self, Dot)
    }
}

/// One node of a drawing, and the edges that lead to it.
pub(super) struct Drawn {
    pub(super) index: usize,
    pub(super) is_input: bool,
    /// What it is, its value, and its adjoint.
    pub(super) lines: Vec<String>,
    /// Where each edge comes from, and the partial along it.
    pub(super) edges: Vec<(usize, String)>,
}

impl<F> View<'_, F> {
    /// The nodes of a drawing are the last ones: first how many are left out.
    pub(super) fn drawing(&self) -> (usize, impl Iterator<Item = Drawn> + '_) {
        let first = self.subject.len.saturating_sub(self.limit);
        let nodes = (first..self.subject.len).map(move |index| {
            let mut node = self.drawn(index);
            let mut left_out = 0;
            // One with a million operands must not have a million edges to nothing.
            node.edges.retain(|(from, _)| {
                left_out += usize::from(*from < first);
                *from >= first || left_out <= OPERANDS
            });
            node
        });
        (first, nodes)
    }

    fn drawn(&self, index: usize) -> Drawn {
        let Seen {
            node,
            adjoint,
            partials,
        } = self.subject.seen(index);
        let is_input = node.op == Op::Input;
        let mut what = label(&node);
        if !is_input {
            what = format!("{what} = {}", self.subject.expression(&node, self.digits));
        }
        let mut lines = vec![what, self.number(node.value)];
        lines.extend(adjoint.map(|adjoint| format!("adjoint {}", self.number(adjoint))));
        let edge = |(operand, partial): &(NodeId, f64)| (operand.index(), self.number(*partial));
        let edges = partials.iter().map(edge).collect();
        Drawn {
            index,
            is_input,
            lines,
            edges,
        }
    }

    /// What stands for the nodes that a drawing leaves out.
    pub(super) fn rest(&self, first: usize) -> Option<String> {
        left_out(&(0..0, first..first), self.subject.len)
    }
}

/// A text between quotation marks, in which each piece is a line.
fn quoted(lines: &[String]) -> String {
    let escaped: Vec<String> = lines
        .iter()
        .map(|line| visible(line).replace('\\', "\\\\").replace('"', "\\\""))
        .collect();
    format!("\"{}\"", escaped.join("\\n"))
}

impl fmt::Display for View<'_, Dot> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "digraph tape {{")?;
        writeln!(f, "  rankdir=LR;")?;
        writeln!(f, "  node [shape=box, fontname=\"sans-serif\"];")?;
        let (first, nodes) = self.drawing();
        if let Some(text) = self.rest(first) {
            writeln!(f, "  rest [label={}, shape=plaintext];", quoted(&[text]))?;
        }
        for node in nodes {
            let style = if node.is_input { ", style=rounded" } else { "" };
            let (index, text) = (node.index, quoted(&node.lines));
            writeln!(f, "  n{index} [label={text}{style}];")?;
            for (from, partial) in &node.edges {
                match *from >= first {
                    true => write!(f, "  n{from} -> n{index}")?,
                    false => write!(f, "  rest -> n{index}")?,
                }
                writeln!(f, " [label={}];", quoted(std::slice::from_ref(partial)))?;
            }
        }
        writeln!(f, "}}")
    }
}
