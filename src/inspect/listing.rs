//! The tape as a listing, as compilers print their programs: one instruction a
//! line.

use super::{OPERANDS, Seen, View, left_out, number};
use crate::graph::Operand;
use crate::tape::Adjoints;
use crate::tape::{Node, Tape};
use std::fmt;

/// A listing like a compiler's: one instruction a line, with its value and, after
/// a sweep, its adjoint as a comment.
#[derive(Clone, Copy, Debug)]
pub struct Listing;

impl Tape {
    /// The tape as a listing.
    pub fn listing(&self) -> View<'_, Listing> {
        View::new(self, Listing)
    }
}

impl Adjoints<'_> {
    /// The swept nodes as a listing.
    ///
    /// # Panics
    /// As [`table`](Adjoints::table).
    #[track_caller]
    pub fn listing(&self) -> View<'_, Listing> {
        self.expect_current();
        View::new(self, Listing)
    }
}

/// `%3`, `%w1`, and `%"…"` for a name that is not a word.
fn register(node: &Node) -> String {
    match &node.name {
        None => format!("%{}", node.id),
        Some(name) if is_word(name) => format!("%{name}"),
        Some(name) => format!("%{name:?}"),
    }
}

fn is_word(name: &str) -> bool {
    let start = |c: char| c.is_alphabetic() || c == '_';
    name.starts_with(start) && name.chars().all(|c| c.is_alphanumeric() || c == '_')
}

impl View<'_, Listing> {
    fn instruction(&self, node: &Node) -> String {
        let tape = self.subject.tape.expect("a node has a tape");
        let operand = |operand: &Operand| match operand {
            Operand::Node(id) => register(&tape.node(*id)),
            Operand::Constant(value) => self.number(*value),
        };
        let own = |value: &f64| number(*value, self.digits);
        let mut operands: Vec<String> = node.operands.iter().take(OPERANDS).map(operand).collect();
        if let Some(more) = node.operands.len().checked_sub(OPERANDS + 1) {
            operands.push(format!("… {} more", more + 1));
        }
        let mut text = format!("{} = {}", register(node), node.op);
        if !operands.is_empty() {
            text += &format!(" {}", operands.join(", "));
        }
        if !node.constants.is_empty() {
            let shown: Vec<String> = node.constants.iter().take(OPERANDS + 1).map(own).collect();
            let more = match node.constants.len() - shown.len() {
                0 => String::new(),
                more => format!(", … {more} more"),
            };
            text += &format!(" [{}{more}]", shown.join(", "));
        }
        text
    }
}

impl fmt::Display for View<'_, Listing> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.shown();
        let line = |index| {
            let Seen { node, adjoint, .. } = self.subject.seen(index);
            let adjoint = adjoint.map(|x| self.number(x));
            (self.instruction(&node), self.number(node.value), adjoint)
        };
        let head: Vec<_> = shown.0.clone().map(line).collect();
        let tail: Vec<_> = shown.1.clone().map(line).collect();
        let (mut width, mut room) = (0, 0);
        for (text, value, _) in head.iter().chain(&tail) {
            width = width.max(text.chars().count());
            room = room.max(value.chars().count());
        }
        let mut write = |(text, value, adjoint): &(String, String, Option<String>)| match adjoint {
            Some(adjoint) => writeln!(f, "{text:<width$}   ; {value:<room$}   adjoint {adjoint}"),
            None => writeln!(f, "{text:<width$}   ; {value}"),
        };
        head.iter().try_for_each(&mut write)?;
        if let Some(text) = left_out(&shown, self.subject.len) {
            write(&(String::new(), text, None))?;
        }
        tail.iter().try_for_each(write)
    }
}
