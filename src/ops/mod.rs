//! What is done with a row of the table.
//!
//! `table.rs` is the table and `real.rs` the vocabulary its rows are written
//! in; each is made of the other, so they are one module. `expand.rs` has the
//! one macro that reads rows, and `rules.rs` what some partials are made of.
//! Here are the [`Op`]s.

mod dot;
mod expand;
mod instructions;
mod loops;
mod operator;
mod real;
mod row;
pub(crate) mod rules;
mod table;

pub(crate) use dot::DotOperands;
pub(crate) use expand::expand;
pub(crate) use instructions::instructions;
pub(crate) use loops::loops;
pub(crate) use operator::operator;
pub use real::Real;
pub(crate) use real::{ABSENT, flatten, is_absent};
pub use row::Notation;
pub(crate) use row::{Parity, Written};
pub(crate) use table::table;

use crate::error::{Error, expect_length};
use crate::math;
use row::Entry;
use row::Notation::{Call, Infix, Prefix, Template};
use row::Written::*; // how some rows of the table are written
use rules::*; // what the partials of the table are made of
use std::fmt;
use std::ops::{Index, RangeTo};

table! { op }

impl Op {
    /// The operation's name: that of its method or operator in Rust.
    ///
    /// ```
    /// assert_eq!(chainrule::Op::LogAddExp.name(), "log_add_exp");
    /// ```
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// How it is written.
    pub fn notation(self) -> Notation {
        self.row().notation
    }

    /// An interval for each operand inside the domain, away from its edges:
    /// where to sample it. N-ary operations have as many as make sense.
    pub fn samples(self) -> &'static [(f64, f64)] {
        self.row().samples
    }

    /// How formulas write it, if not by its notation.
    pub(crate) fn written(self) -> Option<Written> {
        self.row().written
    }

    /// Its function in JavaScript, as in [`Entry::named`].
    pub(crate) fn javascript(self) -> &'static str {
        self.row().javascript
    }

    /// What a function of −x is, if that is known.
    pub(crate) fn parity(self) -> Option<Parity> {
        self.row().parity
    }

    /// The command that LaTeX has for the name of a function.
    pub(crate) fn latex(name: &str) -> Option<&'static str> {
        let mut rows = Self::ALL.iter().map(|op| op.row());
        rows.find(|row| matches!(row.notation, Call(found) if found == name))?
            .latex
    }

    /// Whether it takes `n` operands, and `c` constants of its own, in a list.
    #[inline]
    pub(crate) fn takes(self, n: usize, c: usize) -> bool {
        self.own_constants(n) == Some(c)
    }

    /// Writes the operation with operands that are written already, and put in
    /// parentheses where that is needed.
    ///
    /// ```
    /// use chainrule::Op;
    /// assert_eq!(Op::Mul.print(&["w1", "x1"]), "w1·x1");
    /// assert_eq!(Op::Sigmoid.print(&["z"]), "σ(z)");
    /// ```
    ///
    /// # Panics
    /// If the number of operands is not the operation's.
    #[track_caller]
    pub fn print(self, operands: &[impl fmt::Display]) -> String {
        if self.arity().is_some_and(|arity| arity != operands.len()) {
            self.wrong_arity(operands.len());
        }
        let joined = |by: &str| {
            operands
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(by)
        };
        match self.notation() {
            Call(name) => format!("{name}({})", joined(", ")),
            Prefix(symbol, _) => format!("{symbol}{}", joined("")),
            Infix("+", _) => joined(" + "),
            Infix("−", _) => joined(" − "),
            Infix(symbol, _) => joined(symbol),
            Template(text, _) => filled(text, operands),
        }
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    pub(crate) fn wrong_arity(self, found: usize) -> ! {
        Error::Arity {
            op: self.name(),
            found,
        }
        .stop()
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A template with its operands, in one pass: an operand's text may look like a place
/// for another.
fn filled(template: &str, operands: &[impl fmt::Display]) -> String {
    let mut pieces = template.split('{');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (place, rest) = piece.split_once('}').expect("a place ends");
        let operand: usize = place.parse().expect("a place is a number");
        text += &operands[operand].to_string();
        text += rest;
    }
    text
}

/// `second`, if it is as long as `first`.
#[inline]
#[track_caller]
pub(crate) fn same_length<'a, A, B>(what: &'static str, first: &[A], second: &'a [B]) -> &'a [B] {
    expect_length(what, second.len(), first.len());
    second
}
