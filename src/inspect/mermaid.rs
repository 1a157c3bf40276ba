//! The graph in the language Mermaid, which many pages of documentation draw.

use super::View;
use super::dot::{Bounds, Drawn};
use crate::graph::visible;
use crate::tape::Adjoints;
use crate::tape::Tape;
use std::fmt;

/// The graph in Mermaid, with values, and partials on the edges; after a sweep
/// with adjoints too.
///
/// If [`limit`](View::limit) is not called, it is cut to what Mermaid accepts where nobody
/// configured it, and a node `rest` says what is left out: to 280 edges, of which newer
/// versions accept 500, and to somewhat less than 50,000 characters. A page that draws more
/// of it must raise Mermaid's `maxEdges` and `maxTextSize`.
#[derive(Clone, Copy, Debug)]
pub struct Mermaid;

impl Mermaid {
    const BOUNDS: Bounds = Bounds {
        edges: 280,
        text: 49_000,
    };
}

impl Tape {
    /// The graph in Mermaid. Where it is cut, the nodes nearest the end are kept.
    pub fn mermaid(&self) -> View<'_, Mermaid> {
        View::new(self, Mermaid)
    }
}

impl Adjoints<'_> {
    /// The swept graph in Mermaid.
    ///
    /// # Panics
    /// As [`table`](Adjoints::table).
    #[track_caller]
    pub fn mermaid(&self) -> View<'_, Mermaid> {
        self.expect_current();
        View::new(self, Mermaid)
    }
}

/// A text between quotation marks. Mermaid reads markup in it, so that whatever
/// is not plain is written by its number.
fn quoted(lines: &[String]) -> String {
    let mut text = String::from("\"");
    for (i, line) in lines.iter().enumerate() {
        if i > 0 {
            text += "<br/>";
        }
        for c in visible(line).chars() {
            if c.is_alphanumeric() || " .,:+-=()/".contains(c) || !c.is_ascii() {
                text.push(c);
            } else {
                text += &format!("#{};", u32::from(c));
            }
        }
    }
    text + "\""
}

impl View<'_, Mermaid> {
    fn write(&self, first: usize, nodes: &[Drawn]) -> String {
        let mut text = String::from("flowchart LR\n");
        if let Some(rest) = self.rest(first) {
            text += &format!("  rest[{}]\n", quoted(&[rest]));
        }
        for node in nodes {
            let (index, label) = (node.index, quoted(&node.lines));
            text += &match node.is_input {
                true => format!("  n{index}([{label}])\n"),
                false => format!("  n{index}[{label}]\n"),
            };
            for (from, partial) in node.edges(first) {
                let partial = quoted(std::slice::from_ref(partial));
                text += &match *from >= first {
                    true => format!("  n{from} -->|{partial}| n{index}\n"),
                    false => format!("  rest -->|{partial}| n{index}\n"),
                };
            }
        }
        text
    }
}

impl fmt::Display for View<'_, Mermaid> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.drawing(Mermaid::BOUNDS, |first, nodes| self.write(first, nodes)))
    }
}
