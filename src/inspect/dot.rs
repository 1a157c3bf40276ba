//! The graph in the language DOT, which Graphviz draws.

use super::{OPERANDS, Seen, Subject, View, label, left_out, shortened};
use crate::graph::NodeId;
use crate::graph::visible;
use crate::ops::Op;
use crate::tape::Adjoints;
use crate::tape::Tape;
use std::fmt;

/// The graph in DOT, with values, and partials on the edges; after a sweep with
/// adjoints too.
///
/// If [`limit`](View::limit) is not called, it has at most 500 nodes and 1000 edges, those
/// nearest the end, and a node `rest` that says what is left out. Graphviz draws that in
/// seconds, but the time that it takes grows faster than the graph: some 2,000 nodes keep it
/// busy for several seconds, 10,000 for more than a minute.
#[derive(Clone, Copy, Debug)]
pub struct Dot;

impl Dot {
    const BOUNDS: Bounds = Bounds {
        edges: 1000,
        text: usize::MAX,
    };

    fn view<'a>(subject: impl Into<Subject<'a>>) -> View<'a, Self> {
        View {
            limit: 500,
            ..View::new(subject, Self)
        }
    }
}

impl Tape {
    /// The graph in DOT. Where it is cut, the nodes nearest the end are kept.
    ///
    /// ```
    /// let tape = chainrule::Tape::new();
    /// let x = tape.var(2.0).named("x");
    /// let y = x * 3.0;
    /// let all = tape.dot().limit(usize::MAX).to_string();
    /// assert!(all.contains("n0 -> n1 [label=\"3\"];"));
    /// assert_eq!(all, tape.dot().to_string()); // it is small
    /// # let _ = y;
    /// ```
    pub fn dot(&self) -> View<'_, Dot> {
        Dot::view(self)
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
        Dot::view(self)
    }
}

/// A line in a box is no longer than so many characters.
const LINE: usize = 80;

/// How large a drawing may become where nobody chose a limit.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub(super) edges: usize,
    /// UTF-16 units.
    pub(super) text: usize,
}

/// One node of a drawing, and the edges that lead to it.
pub(super) struct Drawn {
    pub(super) index: usize,
    pub(super) is_input: bool,
    /// What it is, its value, and its adjoint.
    pub(super) lines: Vec<String>,
    /// Where each edge comes from, and the partial along it.
    edges: Vec<(usize, String)>,
}

impl Drawn {
    /// The edges to it if `first` is the first node that is drawn. One with a million
    /// operands must not have a million edges to nothing.
    pub(super) fn edges(&self, first: usize) -> impl Iterator<Item = &(usize, String)> {
        let mut left_out = 0;
        self.edges.iter().filter(move |(from, _)| {
            left_out += usize::from(*from < first);
            *from >= first || left_out <= OPERANDS
        })
    }
}

impl<F> View<'_, F> {
    /// A drawing of the last nodes, as many as the limit and the bounds allow. `write` has
    /// the first node that is drawn, and the nodes from there on.
    pub(super) fn drawing(
        &self,
        bounds: Bounds,
        write: impl Fn(usize, &[Drawn]) -> String,
    ) -> String {
        let len = self.subject.len;
        let start = len.saturating_sub(self.limit);
        let nodes: Vec<Drawn> = (start..len).map(|index| self.drawn(index)).collect();
        let written = |first: usize| write(first, &nodes[first - start..]);
        if self.chosen {
            return written(start);
        }
        let fits = |first: usize| {
            let nodes = nodes[first - start..].iter();
            let edges: usize = nodes.map(|node| node.edges(first).count()).sum();
            edges <= bounds.edges && written(first).encode_utf16().count() <= bounds.text
        };
        // The text becomes shorter with each node that is left out. From `fitting` on it fits.
        let (mut low, mut fitting) = (start, len);
        while low < fitting {
            let middle = low.midpoint(fitting);
            match fits(middle) {
                true => fitting = middle,
                false => low = middle + 1,
            }
        }
        written(fitting)
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
        let mut lines = vec![shortened(&what, LINE), self.number(node.value)];
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

impl View<'_, Dot> {
    fn write(&self, first: usize, nodes: &[Drawn]) -> String {
        let mut text = String::from("digraph tape {\n  rankdir=LR;\n");
        text += "  node [shape=box, fontname=\"sans-serif\"];\n";
        if let Some(rest) = self.rest(first) {
            text += &format!("  rest [label={}, shape=plaintext];\n", quoted(&[rest]));
        }
        for node in nodes {
            let style = if node.is_input { ", style=rounded" } else { "" };
            let (index, label) = (node.index, quoted(&node.lines));
            text += &format!("  n{index} [label={label}{style}];\n");
            for (from, partial) in node.edges(first) {
                text += &match *from >= first {
                    true => format!("  n{from} -> n{index}"),
                    false => format!("  rest -> n{index}"),
                };
                text += &format!(" [label={}];\n", quoted(std::slice::from_ref(partial)));
            }
        }
        text + "}\n"
    }
}

impl fmt::Display for View<'_, Dot> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.drawing(Dot::BOUNDS, |first, nodes| self.write(first, nodes)))
    }
}
