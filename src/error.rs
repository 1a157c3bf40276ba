//! Every text the crate can say about a caller's data or use, and nothing else.
//!
//! Data that does not fit is an [`Error`] and leaves all state as it was. A
//! bug in the calling code is a panic at the caller's line; its text is the
//! `Display` of the same enum, so that each sentence stands in one place.

use std::fmt;

/// Which number of a node is not finite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NonFinite {
    /// The value.
    Value,
    /// The partial with respect to an operand.
    Partial,
    /// The adjoint.
    Adjoint,
}

/// What went wrong: what was given, what was expected, and where.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// A name that another node of the tape already has.
    DuplicateName {
        /// The name.
        name: String,
        /// The node that has it.
        holder: usize,
    },
    /// A second name for one node.
    AlreadyNamed {
        /// The node.
        node: usize,
        /// The name it has.
        name: String,
        /// The name it was to get.
        second: String,
    },
    /// A name for a constant, which is no node of any tape.
    NamedConstant {
        /// The name.
        name: String,
        /// The constant.
        value: f64,
    },
    /// A name that no node has.
    UnknownName {
        /// The name.
        name: String,
        /// How many names there are.
        known: usize,
    },
    /// A slice of the wrong length.
    WrongLength {
        /// What the slice holds.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The length it should have.
        expected: usize,
    },
    /// No room for another node, or for its constants or operands.
    Capacity {
        /// What there is no room for: `"nodes"`, `"constants"`, or `"operands"` of operations
        /// on any number of them.
        what: &'static str,
        /// The most of them that this tape records.
        limit: usize,
    },
    /// A position past the end of the tape.
    NoSuchNode {
        /// The position.
        node: usize,
        /// How many nodes the tape has.
        len: usize,
    },
    /// Nodes of two tapes where one tape was expected.
    TwoTapes {
        /// A node of the first tape, as text.
        first: String,
        /// A node of the second tape, as text.
        second: String,
    },
    /// A node of one tape given to another.
    OtherTape {
        /// The node, as text.
        node: String,
    },
    /// A constant where a node was expected.
    NotANode {
        /// What a node is needed for.
        what: &'static str,
        /// The constant.
        value: f64,
    },
    /// A new value for a node that is not an input.
    NotAnInput {
        /// The node, as text.
        node: String,
    },
    /// A partial that does not exist: the second node is no operand of the first.
    NotAnOperand {
        /// The node, as text.
        node: String,
        /// What was taken for its operand, as text.
        operand: String,
    },
    /// Adjoints asked about a tape whose values have changed since the sweep.
    Outdated,
    /// An operation given the wrong number of operands.
    Arity {
        /// The operation's name.
        op: &'static str,
        /// How many operands it was given.
        found: usize,
    },
    /// A node where a NaN or ∞ arose.
    NotFiniteNode {
        /// Which of its numbers.
        what: NonFinite,
        /// The number: NaN, ∞ or −∞.
        number: f64,
        /// The position of the node.
        index: usize,
        /// The node, as text.
        node: String,
        /// Its operands, as text; at most the first eight.
        operands: Vec<String>,
        /// The line of the program that recorded it, if the tape keeps lines.
        location: Option<String>,
    },
    /// A comparison made while recording that would now come out the other way,
    /// so that the recording does not stand for the program that was recorded.
    OtherBranch {
        /// The comparison, as text.
        comparison: String,
        /// How it came out when it was recorded.
        recorded: bool,
        /// Its operands then.
        recorded_operands: (f64, f64),
        /// Its operands now.
        operands: (f64, f64),
        /// The line of the program that made it.
        location: String,
        /// The row of data, where there are rows.
        row: Option<usize>,
    },
    /// One input given twice to a function.
    InputTwice {
        /// The node.
        node: String,
    },
    /// A column that a function depends on and that is not among its inputs.
    ColumnLeftOut {
        /// The node.
        node: String,
    },
    /// A term outside the sum over rows that depends on a column, or that has not
    /// one output to be added to.
    NotOnce,
    /// Rows of data for a function without columns.
    NoColumns,
    /// A node asked for that a function does not retain.
    NotRetained {
        /// Its place among the retained nodes.
        which: usize,
        /// How many there are.
        retained: usize,
    },
    /// A row of data whose value or gradient is NaN or ∞.
    NotFiniteRow {
        /// "value" or "gradient".
        what: &'static str,
        /// The number of the row, from 0.
        row: usize,
        /// The first such number in it.
        number: f64,
    },
    /// A gradient that finite differences or forward mode contradict.
    WrongGradient {
        /// The position of the worst input.
        input: usize,
        /// The derivative by the reverse sweep.
        reverse: f64,
        /// The derivative by forward mode.
        forward: f64,
        /// The derivative by finite differences.
        difference: f64,
        /// The step of that finite difference.
        step: f64,
        /// How far `reverse` and `forward` may be apart.
        rounding: f64,
        /// How far `reverse` and `difference` may be apart.
        tolerance: f64,
    },
    /// A symbol of a formula that has no value.
    NoValue {
        /// Its name.
        name: String,
    },
    /// Data with no rows.
    NoRows,
    /// A label that is neither 0 nor 1.
    BadLabel {
        /// The row, from 0.
        row: usize,
        /// The label.
        value: f64,
    },
    /// A value that must be finite and is not.
    NotFinite {
        /// What it is.
        what: &'static str,
        /// The row, from 0.
        row: usize,
        /// The column, from 0.
        column: usize,
        /// The value.
        value: f64,
    },
}

/// So many of what is given as a regular plural, and perhaps words after it.
fn counted(number: usize, plural: &str) -> String {
    let (noun, rest) = plural.split_at(plural.find(' ').unwrap_or(plural.len()));
    match noun.strip_suffix('s') {
        Some(one) if number == 1 => format!("1 {one}{rest}"),
        _ => format!("{number} {plural}"),
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DuplicateName { name, holder } => {
                write!(f, "the name \"{name}\" is taken: node {holder} has it")
            }
            Self::AlreadyNamed { node, name, second } => {
                write!(
                    f,
                    "node {node} is named \"{name}\" and cannot be named \"{second}\" as well"
                )
            }
            Self::NamedConstant { name, value } => write!(
                f,
                "the constant {value} cannot be named \"{name}\": only nodes of a tape have names"
            ),
            Self::UnknownName { name, known } => {
                let names = counted(*known, "names");
                write!(f, "no node is named \"{name}\"; the tape has {names}")
            }
            Self::WrongLength {
                what,
                found,
                expected,
            } => {
                write!(f, "{} given, {expected} expected", counted(*found, what))
            }
            Self::Capacity { what, limit } => {
                let most = counted(*limit, what);
                write!(f, "the tape is full: it records at most {most}")
            }
            Self::NoSuchNode { node, len } => {
                let nodes = counted(*len, "nodes");
                write!(f, "there is no node {node}: the tape has {nodes}")
            }
            Self::TwoTapes { first, second } => {
                write!(f, "{first} and {second} belong to two tapes")
            }
            Self::OtherTape { node } => write!(f, "{node} belongs to another tape"),
            Self::NotANode { what, value } => {
                write!(
                    f,
                    "{what} needs a node of a tape, and {value} is a constant"
                )
            }
            Self::NotAnInput { node } => {
                write!(
                    f,
                    "{node} is not an input: its value follows from its operands"
                )
            }
            Self::NotAnOperand { node, operand } => write!(
                f,
                "{operand} is not an operand of {node}: a partial is one edge of the graph; \
                 `derivative` follows all paths"
            ),
            Self::Outdated => write!(
                f,
                "the tape's values have changed since these adjoints were swept: sweep again"
            ),
            Self::OtherBranch {
                comparison,
                recorded,
                recorded_operands: (a, b),
                operands: (now_a, now_b),
                location,
                row,
            } => {
                let present = !recorded;
                write!(
                    f,
                    "the comparison {comparison} was {recorded} for {a} and {b} when it was \
                     recorded at {location}, and is {present} for {now_a} and {now_b}"
                )?;
                if let Some(row) = row {
                    write!(f, " in row {row}")?;
                }
                f.write_str(
                    ": record again, or use `select_lt` and its kin, which follow both branches",
                )
            }
            Self::InputTwice { node } => write!(f, "{node} is given twice as an input"),
            Self::ColumnLeftOut { node } => write!(
                f,
                "the function depends on the column {node}, which is not among its inputs"
            ),
            Self::NotOnce => f.write_str(
                "a term that counts once must depend on no column, and needs exactly one \
                 output to be added to",
            ),
            Self::NotRetained { which, retained } => write!(
                f,
                "retained node {which} is asked for, and the function retains {retained}"
            ),
            Self::NotFiniteRow { what, row, number } => {
                write!(f, "the {what} of row {row} has the number {number}")
            }
            Self::NoColumns => f.write_str(
                "the function has no columns: make the inputs that vary with `Tape::column`",
            ),
            Self::Arity { op, found } => {
                let operands = counted(*found, "operands");
                write!(f, "the operation {op} cannot take {operands}")
            }
            Self::NotFiniteNode {
                what,
                number,
                node,
                operands,
                location,
                ..
            } => {
                let what = match what {
                    NonFinite::Value => "the value",
                    NonFinite::Partial => "a partial",
                    NonFinite::Adjoint => "the adjoint",
                };
                write!(f, "{what} of {node} is {number}; operands: ")?;
                let operands = if operands.is_empty() {
                    "none".to_owned()
                } else {
                    operands.join(", ")
                };
                f.write_str(&operands)?;
                match location {
                    Some(location) => write!(f, "; recorded at {location}"),
                    None => Ok(()),
                }
            }
            Self::WrongGradient {
                input,
                reverse,
                forward,
                difference,
                step,
                rounding,
                tolerance,
            } => write!(
                f,
                "the gradient is wrong at input {input}: {reverse:e} by the reverse sweep, \
                 {forward:e} by forward mode (at most {rounding:e} apart expected), \
                 {difference:e} by finite differences with step {step:e} \
                 (at most {tolerance:e} apart expected)"
            ),
            Self::NoValue { name } => {
                write!(f, "the formula needs a value of {name}, and none is given")
            }
            Self::NoRows => write!(f, "no rows of data given, at least 1 expected"),
            Self::BadLabel { row, value } => {
                write!(f, "the label of row {row} is {value}, 0 or 1 expected")
            }
            Self::NotFinite {
                what,
                row,
                column,
                value,
            } => write!(
                f,
                "the {what} in row {row}, column {column} is {value}, a finite number expected"
            ),
        }
    }
}

impl std::error::Error for Error {}

impl Error {
    /// Stops with this text at the caller's line: for misuse, where no
    /// `Result` can be returned.
    #[cold]
    #[inline(never)]
    #[track_caller]
    pub(crate) fn stop(self) -> ! {
        panic!("{self}")
    }
}

/// Panics at the caller's line unless a slice has the expected length.
#[inline]
#[track_caller]
pub(crate) fn expect_length(what: &'static str, found: usize, expected: usize) {
    if found != expected {
        Error::WrongLength {
            what,
            found,
            expected,
        }
        .stop();
    }
}

/// Whether a length is the expected one, or the error that says so.
pub(crate) fn check_length(what: &'static str, found: usize, expected: usize) -> Result<(), Error> {
    if found == expected {
        return Ok(());
    }
    Err(Error::WrongLength {
        what,
        found,
        expected,
    })
}
