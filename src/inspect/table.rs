//! The tape as a table: one node a row, in columns that line up.

use super::{OPERANDS, Seen, View, label, left_out};
use crate::tape::Adjoints;
use crate::tape::Tape;
use std::fmt;

/// A table: one node a row, with id, name, op, operands and value; after a sweep
/// with adjoint and partials too.
#[derive(Clone, Copy, Debug)]
pub struct Table;

impl Tape {
    /// The tape as a table.
    ///
    /// ```
    /// let tape = chainrule::Tape::new();
    /// let x = tape.var(2.0).named("x");
    /// (x * x).sin();
    /// assert_eq!(tape.table().to_string(), "\
    /// id   name   op      operands       value
    ///  0   x      input                      2
    ///  1          mul     x, x               4
    ///  2          sin     %1         -0.756802
    /// ");
    /// ```
    pub fn table(&self) -> View<'_, Table> {
        View::new(self, Table)
    }
}

impl Adjoints<'_> {
    /// The swept nodes as a table: with adjoints, and the partials with respect
    /// to each operand.
    ///
    /// # Panics
    /// If the tape's values have changed since the sweep; also the result, where
    /// it is written.
    #[track_caller]
    pub fn table(&self) -> View<'_, Table> {
        self.expect_current();
        View::new(self, Table)
    }
}

/// A column: its heading, and whether it lines up on the right.
const COLUMNS: [(&str, bool); 7] = [
    ("id", true),
    ("name", false),
    ("op", false),
    ("operands", false),
    ("value", true),
    ("adjoint", true),
    ("partials", false),
];

impl View<'_, Table> {
    fn cells(&self, index: usize) -> [String; 7] {
        let Seen {
            node,
            adjoint,
            partials,
        } = self.subject.seen(index);
        let operands = node.operands.iter().take(OPERANDS);
        let operands = operands.map(|operand| self.subject.operand(*operand, self.digits));
        let shown = partials.iter().take(OPERANDS).map(|(operand, partial)| {
            format!(
                "{}: {}",
                self.subject.label(operand.index()),
                self.number(*partial)
            )
        });
        [
            node.id.to_string(),
            node.name.as_ref().map_or(String::new(), |_| label(&node)),
            node.op.to_string(),
            listed(operands, node.operands.len()),
            self.number(node.value),
            adjoint.map_or(String::new(), |adjoint| self.number(adjoint)),
            listed(shown, partials.len()),
        ]
    }
}

/// Texts with commas between them, and how many of `total` are left out.
fn listed(shown: impl Iterator<Item = String>, total: usize) -> String {
    let mut text: Vec<String> = shown.collect();
    if text.len() < total {
        text.push(format!("… {} more", total - text.len()));
    }
    text.join(", ")
}

impl fmt::Display for View<'_, Table> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = if self.subject.adjoints.is_some() {
            7
        } else {
            5
        };
        let shown = self.shown();
        let head: Vec<_> = shown.0.clone().map(|i| self.cells(i)).collect();
        let tail: Vec<_> = shown.1.clone().map(|i| self.cells(i)).collect();
        let headings = COLUMNS.map(|(heading, _)| heading.to_owned());
        let mut widths = [0; 7];
        for row in head.iter().chain(&tail).chain([&headings]) {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let mut line = |cells: &[String; 7]| write_line(f, &cells[..columns], &widths);
        line(&headings)?;
        head.iter().try_for_each(&mut line)?;
        if let Some(text) = left_out(&shown, self.subject.len) {
            let mut cells = [const { String::new() }; 7];
            cells[0] = format!("⋮ {text}");
            line(&cells)?;
        }
        tail.iter().try_for_each(line)
    }
}

fn write_line(f: &mut fmt::Formatter<'_>, cells: &[String], widths: &[usize; 7]) -> fmt::Result {
    let mut line = String::new();
    for (i, cell) in cells.iter().enumerate() {
        let room = " ".repeat(widths[i].saturating_sub(cell.chars().count()));
        let gap = if i == 0 { "" } else { "   " };
        line += gap;
        line += &if COLUMNS[i].1 {
            room + cell
        } else {
            cell.clone() + &room
        };
    }
    writeln!(f, "{}", line.trim_end())
}
