//! `Var<'t>`: the handle by which ordinary Rust records itself.
//!
//! A handle is two words: its tape or none, and a node's number or a
//! constant's bits. Values are looked up on the tape, so a handle and its tape
//! never disagree. The check that two operands share a tape is here, once.

use crate::error::Error;
use crate::ops::{Op, Real, is_absent, table};
use crate::program::{Form, NodeId, Operand, Record};
use crate::tape::Tape;
use std::cmp::Ordering;
use std::fmt;
use std::ptr;
use std::sync::Arc;

/// A number that records what is done with it: a node of a tape, or a constant
/// that no tape knows.
///
/// All of `f64`'s mathematics and operators work on it, with `f64`, `Var` and
/// `&Var` on either side. It is `Copy` and two words wide. It compares by
/// value.
///
/// # Panics
/// Every operation panics, at the line that called it, if its operands belong
/// to two tapes or the tape is full.
#[derive(Clone, Copy)]
pub struct Var<'t> {
    tape: Option<&'t Tape>,
    /// The node's number if there is a tape, else the constant's bits.
    bits: u64,
}

impl<'t> Var<'t> {
    #[inline]
    pub(crate) fn constant(value: f64) -> Self {
        Self {
            tape: None,
            bits: value.to_bits(),
        }
    }

    #[inline]
    pub(crate) fn on(tape: &'t Tape, id: u32) -> Self {
        Self {
            tape: Some(tape),
            bits: u64::from(id),
        }
    }

    /// Its tape and number, if it is a node.
    #[inline]
    pub(crate) fn place(self) -> Option<(&'t Tape, u32)> {
        self.tape.map(|tape| (tape, self.bits as u32))
    }

    /// Its number on `tape`, or `None` for a constant.
    ///
    /// # Panics
    /// If it is a node of another tape.
    #[inline]
    #[track_caller]
    pub(crate) fn number_on(self, tape: &Tape) -> Option<u32> {
        let (own, id) = self.place()?;
        if !ptr::eq(own, tape) {
            Error::OtherTape {
                node: self.describe(),
            }
            .stop();
        }
        Some(id)
    }

    /// The tape it is recorded on; `None` for a constant.
    pub fn tape(self) -> Option<&'t Tape> {
        self.tape
    }

    /// Its position on the tape; `None` for a constant.
    pub fn id(self) -> Option<NodeId> {
        self.place().map(|(_, id)| NodeId(id))
    }

    /// Its present value.
    #[inline]
    pub fn value(self) -> f64 {
        match self.place() {
            Some((tape, id)) => tape.recording.borrow().values[id as usize],
            None => f64::from_bits(self.bits),
        }
    }

    /// Its name, if it has one.
    pub fn name(self) -> Option<Arc<str>> {
        let (tape, id) = self.place()?;
        tape.recording.borrow().name(id)
    }

    /// Names the node and returns it.
    ///
    /// # Panics
    /// Where [`try_named`](Var::try_named) is an error.
    #[track_caller]
    pub fn named(self, name: &str) -> Self {
        match self.try_named(name) {
            Ok(var) => var,
            Err(error) => error.stop(),
        }
    }

    /// Names the node and returns it.
    ///
    /// # Errors
    /// If the name is taken, if the node has a name, or if this is a constant.
    pub fn try_named(self, name: &str) -> Result<Self, Error> {
        let Some((tape, id)) = self.place() else {
            return Err(Error::NamedConstant {
                name: name.to_owned(),
                value: self.value(),
            });
        };
        tape.recording.borrow_mut().set_name(id, name)?;
        Ok(self)
    }

    table! { methods [pub fn] }

    /// Itself as an error text names it.
    pub(crate) fn describe(self) -> String {
        match self.place() {
            Some((tape, id)) => tape.recording.borrow().describe(id),
            None => format!("the constant {}", self.value()),
        }
    }

    /// The new node of `tape`, once it is pushed.
    #[inline]
    #[track_caller]
    fn pushed(tape: &'t Tape, id: Result<u32, Error>) -> Self {
        match id {
            Ok(id) => Self::on(tape, id),
            Err(error) => error.stop(),
        }
    }

    /// The tape of operands that are not all constants.
    #[track_caller]
    fn common_tape(operands: &[&[Self]]) -> Option<&'t Tape> {
        let mut nodes = operands
            .iter()
            .flat_map(|part| part.iter())
            .filter(|x| x.tape.is_some());
        let first = nodes.next()?;
        for other in nodes {
            first.expect_same_tape(*other);
        }
        first.tape
    }

    #[inline]
    #[track_caller]
    fn expect_same_tape(self, other: Self) {
        if let (Some(a), Some(b)) = (self.tape, other.tape) {
            if !ptr::eq(a, b) {
                Error::TwoTapes {
                    first: self.describe(),
                    second: other.describe(),
                }
                .stop();
            }
        }
    }
}

impl Real for Var<'_> {
    #[inline]
    fn value(self) -> f64 {
        Var::value(self)
    }

    #[inline]
    #[track_caller]
    fn unary(op: Op, x: Self) -> Self {
        let Some((tape, a)) = x.place() else {
            return Self::constant(op.value_1(x.value()));
        };
        let recording = &mut *tape.recording.borrow_mut();
        let record = Record {
            payload: 0,
            a,
            op,
            form: Form::Unary,
        };
        let value = op.value_1(recording.values[record.a()]);
        Self::pushed(tape, recording.push(record, value))
    }

    #[inline]
    #[track_caller]
    fn binary(op: Op, first: Self, second: Self) -> Self {
        first.expect_same_tape(second);
        let (tape, a, payload, form) = match (first.place(), second.place()) {
            (Some((tape, a)), Some(_)) => (tape, a, second.bits, Form::NodeNode),
            (Some((tape, a)), None) => (tape, a, second.bits, Form::NodeConstant),
            (None, Some((tape, b))) => (tape, b, first.bits, Form::ConstantNode),
            (None, None) => return Self::constant(op.value_2(first.value(), second.value())),
        };
        let recording = &mut *tape.recording.borrow_mut();
        let record = Record {
            payload,
            a,
            op,
            form,
        };
        let x = recording.values[record.a()];
        let value = match form {
            Form::NodeNode => op.value_2(x, recording.values[record.b()]),
            Form::NodeConstant => op.value_2(x, record.constant()),
            _ => op.value_2(record.constant(), x),
        };
        Self::pushed(tape, recording.push(record, value))
    }

    #[track_caller]
    fn nary(op: Op, operands: &[&[Self]], constants: &[&[f64]]) -> Self {
        let each = || operands.iter().flat_map(|part| part.iter().copied());
        let Some(tape) = Self::common_tape(operands) else {
            let values: Vec<f64> = each().map(Self::value).collect();
            return Self::constant(f64::nary(op, &[&values], constants));
        };
        let own = constants.iter().map(|part| part.len()).sum();
        if !op.takes(each().count(), own) {
            op.wrong_arity(each().count());
        }
        let operands = each().map(|x| match x.id() {
            Some(id) => Operand::Node(id),
            None => Operand::Constant(f64::from_bits(x.bits)),
        });
        let recording = &mut *tape.recording.borrow_mut();
        Self::pushed(tape, recording.push_nary(op, operands, constants))
    }

    #[inline]
    fn is_absent(self) -> bool {
        self.tape.is_none() && is_absent(f64::from_bits(self.bits))
    }

    #[inline]
    fn is_zero(self) -> bool {
        self.tape.is_none() && self.value() == 0.0
    }

    /// Records nothing for a factor that is the constant 1.
    fn share(adjoint: Self, partial: Self) -> Self {
        let is_one = |x: Self| x.tape.is_none() && x.value() == 1.0;
        if adjoint.is_absent() || is_one(partial) {
            adjoint
        } else if is_one(adjoint) {
            partial
        } else {
            adjoint * partial
        }
    }
}

impl From<f64> for Var<'_> {
    /// A constant, which no tape knows.
    #[inline]
    fn from(value: f64) -> Self {
        Self::constant(value)
    }
}

impl From<&f64> for Var<'_> {
    #[inline]
    fn from(value: &f64) -> Self {
        Self::constant(*value)
    }
}

impl<'t> From<&Var<'t>> for Var<'t> {
    #[inline]
    fn from(var: &Var<'t>) -> Self {
        *var
    }
}

/// By value.
impl PartialEq for Var<'_> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.value() == other.value()
    }
}

/// By value.
impl PartialOrd for Var<'_> {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.value().partial_cmp(&other.value())
    }
}

/// By value.
impl PartialEq<f64> for Var<'_> {
    #[inline]
    fn eq(&self, other: &f64) -> bool {
        self.value() == *other
    }
}

/// By value.
impl PartialOrd<f64> for Var<'_> {
    #[inline]
    fn partial_cmp(&self, other: &f64) -> Option<Ordering> {
        self.value().partial_cmp(other)
    }
}

/// The value, formatted like an `f64`.
impl fmt::Display for Var<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.value(), f)
    }
}

/// The node, its name and its value.
impl fmt::Debug for Var<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}

table! { operators ['t] Var<'t>, }

impl Tape {
    /// Records an input.
    ///
    /// # Panics
    /// If the tape is full.
    #[inline]
    #[track_caller]
    pub fn var(&self, value: f64) -> Var<'_> {
        Var::pushed(self, self.recording.borrow_mut().push(INPUT, value))
    }

    /// Records an input.
    ///
    /// # Errors
    /// If the tape is full.
    #[track_caller]
    pub fn try_var(&self, value: f64) -> Result<Var<'_>, Error> {
        self.recording
            .borrow_mut()
            .push(INPUT, value)
            .map(|id| Var::on(self, id))
    }

    /// Records one input for each value.
    ///
    /// # Panics
    /// If the tape is full.
    #[track_caller]
    pub fn vars(&self, values: &[f64]) -> Vec<Var<'_>> {
        let mut vars = Vec::with_capacity(values.len());
        for &value in values {
            vars.push(self.var(value));
        }
        vars
    }

    /// The node that has this name.
    ///
    /// # Errors
    /// If none has.
    pub fn lookup(&self, name: &str) -> Result<Var<'_>, Error> {
        self.recording
            .borrow()
            .named(name)
            .map(|id| Var::on(self, id))
    }

    /// Gives an input a new value. What was computed from it keeps its old
    /// value until [`forward`](Tape::forward).
    ///
    /// # Panics
    /// If `input` is not an input of this tape.
    #[track_caller]
    pub fn set(&self, input: Var<'_>, value: f64) {
        let Some(id) = input.number_on(self) else {
            Error::NotANode {
                what: "`set`",
                value: input.value(),
            }
            .stop()
        };
        let index = id as usize;
        if self.recording.borrow().program.records[index].op != Op::Input {
            Error::NotAnInput {
                node: input.describe(),
            }
            .stop();
        }
        let mut recording = self.recording.borrow_mut();
        recording.values[index] = value;
        recording.revision += 1;
    }
}

const INPUT: Record = Record {
    payload: 0,
    a: 0,
    op: Op::Input,
    form: Form::Leaf,
};
