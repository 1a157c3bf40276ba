//! The graph in the language Mermaid, which many pages of documentation draw.

use super::View;
use crate::adjoints::Adjoints;
use crate::names::visible;
use crate::tape::Tape;
use std::fmt;

/// The graph in Mermaid, with values, and partials on the edges; after a sweep
/// with adjoints too.
#[derive(Clone, Copy, Debug)]
pub struct Mermaid;

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

impl fmt::Display for View<'_, Mermaid> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "flowchart LR")?;
        let (first, nodes) = self.drawing();
        if let Some(text) = self.rest(first) {
            writeln!(f, "  rest[{}]", quoted(&[text]))?;
        }
        for node in nodes {
            let (index, text) = (node.index, quoted(&node.lines));
            match node.is_input {
                true => writeln!(f, "  n{index}([{text}])")?,
                false => writeln!(f, "  n{index}[{text}]")?,
            }
            for (from, partial) in &node.edges {
                match *from >= first {
                    true => write!(f, "  n{from}")?,
                    false => write!(f, "  rest")?,
                }
                let partial = quoted(std::slice::from_ref(partial));
                writeln!(f, " -->|{partial}| n{index}")?;
            }
        }
        Ok(())
    }
}
