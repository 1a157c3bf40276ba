//! What a person looks at: a tape, or a tape as a sweep saw it, as a table, as a
//! listing, as a drawing, as a page; a derivative as steps.
//!
//! Each is a borrowed [`Display`](std::fmt::Display); nothing here does I/O. One
//! [`View`] carries what all have in common: which nodes, how many of them, how
//! many digits. A tape that is larger than the limit is cut, and the text says
//! what was left out; only what is shown costs time.
//!
//! ```
//! let tape = chainrule::Tape::new();
//! let x = tape.var(2.0).named("x");
//! let y = (x * 3.0).named("y");
//! assert_eq!(tape.listing().to_string(), "\
//! %x = input       ; 2
//! %y = mul %x, 3   ; 6
//! ");
//! println!("{}", y.backward().table());
//! ```

mod areas;
mod dot;
mod explain;
mod explained;
mod html;
#[cfg(feature = "serde")]
mod json;
mod layout;
mod listing;
mod mermaid;
mod notebook;
mod picture;
mod statistics;
mod svg;
mod table;

pub use dot::Dot;
pub use explain::{ExplainedEdge, ExplainedPath, Explanation, explain};
pub use html::{Chapter, Html, html};
#[cfg(feature = "serde")]
pub use json::{Data, Json, NodeData, Number, OperandData};
pub use listing::Listing;
pub use mermaid::Mermaid;
pub use statistics::Statistics;
pub use svg::Svg;
pub use table::Table;

use crate::error::Error;
use crate::graph::visible;
use crate::graph::{NodeId, Operand};
use crate::ops::Op;
use crate::tape::Var;
use crate::tape::{Adjoints, SweptNode};
use crate::tape::{Node, Tape};
use smallvec::SmallVec;
use std::ops::Range;

/// How many nodes are shown where nobody says.
const LIMIT: usize = 1000;

/// How many operands or partials of one node are shown.
const OPERANDS: usize = 8;

/// What is looked at: a tape, or a tape as a sweep saw it.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    tape: Option<&'a Tape>,
    adjoints: Option<&'a Adjoints<'a>>,
    /// How many nodes, from the first.
    len: usize,
}

impl<'a> From<&'a Tape> for Subject<'a> {
    fn from(tape: &'a Tape) -> Self {
        Self {
            tape: Some(tape),
            adjoints: None,
            len: tape.len(),
        }
    }
}

/// The nodes up to the output, with their adjoints.
impl<'a> From<&'a Adjoints<'_>> for Subject<'a> {
    fn from(adjoints: &'a Adjoints<'_>) -> Self {
        Self {
            tape: adjoints.tape(),
            adjoints: Some(adjoints),
            len: adjoints.all().len(),
        }
    }
}

impl<'a> Subject<'a> {
    /// A node, and what the sweep knows of it.
    fn seen(&self, index: usize) -> Seen {
        let tape = self.tape.expect("a node has a tape");
        let id = NodeId(index as u32);
        match self.adjoints {
            Some(adjoints) => {
                let SweptNode {
                    node,
                    adjoint,
                    partials,
                    ..
                } = adjoints.node(tape.at(id));
                Seen {
                    node,
                    adjoint: Some(adjoint),
                    partials,
                }
            }
            None => Seen {
                node: tape.node(id),
                adjoint: None,
                partials: tape.recording.borrow().partials(index),
            },
        }
    }

    /// The positions of nodes that were given as handles.
    #[track_caller]
    fn leaves(&self, vars: &[Var<'_>]) -> Vec<usize> {
        let mut found = Vec::with_capacity(vars.len());
        for var in vars {
            let id = self.tape.and_then(|tape| var.number_on(tape));
            found.extend(id.map(|id| id as usize));
        }
        found
    }

    /// The name of a node made visible, or `%` and its number.
    fn label(&self, index: usize) -> String {
        let tape = self.tape.expect("a node has a tape");
        label(&tape.node(NodeId(index as u32)))
    }

    /// An operand: the label of a node, or a number.
    fn operand(&self, operand: Operand, digits: usize) -> String {
        match operand {
            Operand::Node(id) => self.label(id.index()),
            Operand::Constant(value) => number(value, digits),
        }
    }

    /// What a node computes, as mathematics: `%2 + b`; empty for an input.
    fn expression(&self, node: &Node, digits: usize) -> String {
        self.expression_with(node, digits, |id| self.label(id.index()))
    }

    fn expression_with(
        &self,
        node: &Node,
        digits: usize,
        name: impl Fn(NodeId) -> String,
    ) -> String {
        let operand = |operand: &Operand| match operand {
            Operand::Constant(value) => factor(*value, digits),
            Operand::Node(id) => name(*id),
        };
        let left_out = node.operands.len().saturating_sub(OPERANDS);
        let mut terms: Vec<String> = node.operands.iter().take(OPERANDS).map(operand).collect();
        if left_out > 0 {
            terms.push(format!("… {left_out} more"));
        }
        match node.op {
            Op::Input => String::new(),
            Op::LinearCombination => linear_combination(node, &terms, digits),
            op if op.arity().is_none() && left_out > 0 => {
                format!("{}({})", op.name(), terms.join(", "))
            }
            op => op.print(&terms),
        }
    }
}

/// A number as a part of an expression: in parentheses if it has a sign.
fn factor(x: f64, digits: usize) -> String {
    let text = number(x, digits);
    if text.starts_with('-') {
        format!("({text})")
    } else {
        text
    }
}

/// `2·x + 3·y + 1`
fn linear_combination(node: &Node, terms: &[String], digits: usize) -> String {
    let mut text: Vec<String> = terms
        .iter()
        .enumerate()
        .map(|(i, term)| match node.constants.get(i) {
            Some(weight) if i < OPERANDS => format!("{}·{term}", factor(*weight, digits)),
            _ => term.clone(),
        })
        .collect();
    if let Some(constant) = node.constants.last().filter(|constant| **constant != 0.0) {
        text.push(factor(*constant, digits));
    }
    text.join(" + ")
}

/// A node, and what a sweep knows of it.
struct Seen {
    node: Node,
    adjoint: Option<f64>,
    partials: SmallVec<[(NodeId, f64); 2]>,
}

/// A way of showing: the nodes of a tape in one format.
///
/// It is made by [`Tape::table`], [`Tape::listing`], [`Tape::dot`] and their
/// like, also those of [`Adjoints`], and written by its `Display`.
#[derive(Clone, Debug)]
pub struct View<'a, F> {
    subject: Subject<'a>,
    limit: usize,
    /// Whether the caller chose the limit: then nothing else is cut for the sake of size.
    chosen: bool,
    digits: usize,
    format: F,
}

impl<'a, F> View<'a, F> {
    fn new(subject: impl Into<Subject<'a>>, format: F) -> Self {
        Self {
            subject: subject.into(),
            limit: LIMIT,
            chosen: false,
            digits: 6,
            format,
        }
    }

    /// Shows at most this many nodes: if it is not called 1000, in a picture 300, in
    /// DOT 500, on a page 4000, in JSON all; in DOT and Mermaid fewer where there are many
    /// edges. What is shown says how many were left out; `limit(usize::MAX)` leaves out
    /// none.
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        let chosen = true;
        Self {
            limit,
            chosen,
            ..self
        }
    }

    /// Writes numbers with this many significant digits, from 1 to 17; if it is not
    /// called 6, in a picture 4. A page and JSON have all digits anyway.
    #[must_use]
    pub fn digits(self, digits: usize) -> Self {
        let digits = digits.clamp(1, 17);
        Self { digits, ..self }
    }

    /// Shows nothing that was recorded after this node.
    ///
    /// # Panics
    /// If it is a constant, or a node of another tape.
    #[must_use]
    #[track_caller]
    pub fn upto(mut self, last: Var<'_>) -> Self {
        let id = match self.subject.tape {
            Some(tape) => last.number_on(tape),
            None => None,
        };
        match id {
            Some(id) => self.subject.len = self.subject.len.min(id as usize + 1),
            None => Error::NotANode {
                what: "`upto`",
                value: last.value(),
            }
            .stop(),
        }
        self
    }

    /// The first and the last nodes that are shown; what lies between is left out.
    fn shown(&self) -> (Range<usize>, Range<usize>) {
        let len = self.subject.len;
        if len <= self.limit {
            return (0..len, len..len);
        }
        let last = self.limit / 2;
        (0..self.limit - last, len - last..len)
    }

    fn number(&self, x: f64) -> String {
        number(x, self.digits)
    }
}

/// What is left out between two ranges, as a sentence: empty if nothing is.
fn left_out(between: &(Range<usize>, Range<usize>), total: usize) -> Option<String> {
    let (from, to) = (between.0.end, between.1.start);
    (from < to).then(|| {
        format!(
            "{} of {total} nodes left out: %{from} to %{}",
            to - from,
            to - 1
        )
    })
}

/// The name of a node made visible, or `%` and its number.
fn label(node: &Node) -> String {
    match &node.name {
        Some(name) => visible(name),
        None => format!("%{}", node.id),
    }
}

/// A text of at most so many characters.
fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        text.to_owned()
    } else {
        text.chars().take(most - 1).chain(['…']).collect()
    }
}

/// A number with at most so many significant digits, and no zeros at its end.
fn number(x: f64, digits: usize) -> String {
    if x == 0.0 || !x.is_finite() {
        return match x {
            f64::INFINITY => "∞".to_owned(),
            f64::NEG_INFINITY => "-∞".to_owned(),
            x => x.to_string(),
        };
    }
    let scientific = format!("{:.*e}", digits - 1, x);
    let (mantissa, exponent) = scientific.split_once('e').expect("it has an exponent");
    let exponent: i32 = exponent.parse().expect("it is a number");
    let most = i32::try_from(digits).expect("17 at most");
    if exponent < -5 || exponent >= most.max(6) {
        return format!("{}e{exponent}", trimmed(mantissa));
    }
    let decimals = (most - 1 - exponent).max(0).unsigned_abs() as usize;
    trimmed(&format!("{x:.decimals$}")).to_owned()
}

fn trimmed(number: &str) -> &str {
    if number.contains('.') {
        number.trim_end_matches('0').trim_end_matches('.')
    } else {
        number
    }
}
