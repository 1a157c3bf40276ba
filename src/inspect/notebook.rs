//! How a tape or a gradient shows itself in a Rust notebook.
//!
//! The notebook's kernel, evcxr, calls `evcxr_display` on the value of a cell, and
//! shows what it prints between two marks.
#![allow(clippy::print_stdout, reason = "the protocol of evcxr is to print")]

use super::{Subject, Svg, Table, View};
use crate::graph::escaped;
use crate::tape::Adjoints;
use crate::tape::Tape;

/// Of larger tapes a cell shows a table only.
const DRAWN: usize = 60;

/// What a cell shows: a picture if that is readable, and the table.
fn cell(subject: Subject<'_>) -> String {
    let table = escaped_lines(&View::new(subject, Table).limit(40).to_string());
    let picture = match subject.len {
        1..=DRAWN => View::new(subject, Svg::default()).digits(4).to_string(),
        _ => String::new(),
    };
    format!("{picture}<pre>{table}</pre>")
}

fn escaped_lines(text: &str) -> String {
    text.lines().map(|line| escaped(line) + "\n").collect()
}

fn show(subject: Subject<'_>) {
    println!(
        "EVCXR_BEGIN_CONTENT text/html\n{}\nEVCXR_END_CONTENT",
        cell(subject)
    );
}

impl Tape {
    /// Shows the tape in a Rust notebook: prints it in the way that evcxr expects.
    pub fn evcxr_display(&self) {
        show(self.into());
    }
}

impl Adjoints<'_> {
    /// Shows what was swept in a Rust notebook: prints it in the way that evcxr
    /// expects.
    ///
    /// # Panics
    /// As [`table`](Adjoints::table).
    #[track_caller]
    pub fn evcxr_display(&self) {
        self.expect_current();
        show(self.into());
    }
}
