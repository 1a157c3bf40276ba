//! `Var<'t>`: the handle by which ordinary Rust records itself.
//!
//! A handle is three words: its tape or none, its number, and its value when it
//! was made, so that recording an operation reads nothing from the tape (which
//! took 1.2 times as long, see `docs/benchmarks.md`). Whoever asks for a value
//! gets the tape's; and once values of a tape were changed, recording takes the
//! tape's too. The check that two operands share a tape is here, once.

use crate::error::Error;
use crate::graph::{Given, Mixed};
use crate::graph::{NodeId, Operand, Record, RecordForm};
use crate::ops::{ABSENT, Op, Real, is_absent, table};
use crate::tape::Tape;
use std::fmt;
use std::panic::Location;
use std::ptr;
use std::sync::Arc;

/// A number that records what is done with it: a node of a tape, or a constant
/// that no tape knows.
///
/// The operators + − · / and the operations of the table ([`Op::ALL`]) work on it, with `f64`,
/// `Var` and `&Var` on either side. Of `f64`'s methods it lacks those that round (`floor`,
/// `round`, `%` …), that take apart (`sin_cos`, `signum`, `copysign`) or put together (`mul_add`,
/// `clamp`, `log(base)`), and the questions (`is_nan` …), which its [`value`](Var::value) answers.
/// It is `Copy` and three words wide. It compares by value.
///
/// # Panics
/// Every operation panics, at the line that called it, if its operands belong
/// to two tapes or the tape is full.
#[derive(Clone, Copy)]
pub struct Var<'t> {
    tape: Option<&'t Tape>,
    /// A whole word: what is stored in half of one and then copied with the other half
    /// waits until the store is done.
    id: u64,
    /// The constant, or what the node's value was when the handle was made.
    value: f64,
}

impl<'t> Var<'t> {
    #[inline(always)]
    pub(crate) fn constant(value: f64) -> Self {
        let (tape, id) = (None, 0);
        Self { tape, id, value }
    }

    #[inline(always)]
    pub(crate) fn new(tape: &'t Tape, id: u64, value: f64) -> Self {
        let tape = Some(tape);
        Self { tape, id, value }
    }

    fn is_always(self, value: f64) -> bool {
        self.tape.is_none() && self.value == value
    }

    /// Whether this, as an adjoint that was recorded, is absent, −0, for some inputs: what came
    /// by a way that an operation picks. Elsewhere −0 is a zero that was computed.
    pub(crate) fn may_be_absent(self) -> bool {
        let Some((tape, id)) = self.place() else {
            return false;
        };
        let op = tape.recording.borrow().program().records[id as usize].op();
        matches!(op, Op::Contribution | Op::Gate)
    }

    /// An adjoint or tangent as a number: 0 where it is absent.
    pub(crate) fn or_zero(self) -> Self {
        if self.is_absent() {
            Self::constant(0.0)
        } else if self.may_be_absent() {
            Self::constant(1.0).contribution(self)
        } else {
            self
        }
    }

    /// Its number on its tape; of a constant it says nothing.
    #[inline(always)]
    fn number(self) -> u32 {
        self.id as u32
    }

    /// The handle of a node.
    pub(crate) fn on(tape: &'t Tape, id: u32) -> Self {
        Self::new(tape, id.into(), tape.recording.borrow().value(id))
    }

    /// Its tape and number, if it is a node.
    #[inline(always)]
    pub(crate) fn place(self) -> Option<(&'t Tape, u32)> {
        self.tape.map(|tape| (tape, self.number()))
    }

    /// Its number on `tape`, or `None` for a constant.
    ///
    /// # Panics
    /// If it is a node of another tape.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn number_on(self, tape: &Tape) -> Option<u32> {
        let (own, id) = self.place()?;
        if !ptr::eq(own, tape) {
            refuse_other(own, id);
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
            Some((tape, id)) => tape.recording.borrow().value(id),
            None => self.value,
        }
    }

    /// Its name, if it has one.
    pub fn name(self) -> Option<Arc<str>> {
        let (tape, id) = self.place()?;
        tape.recording.borrow().names.of(id).cloned()
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
        tape.recording.borrow_mut().names.give(id, name)?;
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

    /// Records a node with a value from handles, or slowly with the tape's own.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn push(tape: &'t Tape, record: Record, value: f64) -> Self {
        let id = tape.recording.borrow_mut().put(record, value);
        let (id, value) = match id {
            Some(id) => (id, value),
            None => push_slowly(tape, record, value),
        };
        Self::new(tape, id, value)
    }

    /// The same for an operation on a node and a constant.
    #[inline(always)]
    #[track_caller]
    fn push_with(
        tape: &'t Tape,
        op: Op,
        form: RecordForm,
        a: u64,
        constant: f64,
        value: f64,
    ) -> Self {
        let id = tape
            .recording
            .borrow_mut()
            .put_with(op, form, a, constant, value);
        let (id, value) = match id {
            Some(id) => (id, value),
            None => push_slowly_with(tape, op, form, a, constant),
        };
        Self::new(tape, id, value)
    }

    pub(crate) fn operand(self) -> Operand {
        match self.id() {
            Some(id) => Operand::Node(id),
            None => Operand::Constant(self.value),
        }
    }

    #[inline(always)]
    #[track_caller]
    fn expect_same_tape(self, other: Self) {
        if let (Some(a), Some(b)) = (self.tape, other.tape)
            && !ptr::eq(a, b)
        {
            refuse((a, self.number()), (b, other.number()));
        }
    }
}

/// Where its tape is; of a constant, 0.
#[inline(always)]
fn address(var: Var<'_>) -> usize {
    var.tape.map_or(0, |tape| ptr::from_ref(tape).addr())
}

// What these take and return travels in registers: a handle, or a reference to
// what is recorded, would be kept in memory also on the way that is not slow.

#[cold]
#[inline(never)]
#[track_caller]
fn refuse(first: (&Tape, u32), second: (&Tape, u32)) -> ! {
    let [first, second] = [first, second].map(|(tape, id)| tape.recording.borrow().describe(id));
    Error::TwoTapes { first, second }.stop()
}

#[cold]
#[inline(never)]
#[track_caller]
fn refuse_other(tape: &Tape, id: u32) -> ! {
    let node = tape.recording.borrow().describe(id);
    Error::OtherTape { node }.stop()
}

#[cold]
#[inline(never)]
#[track_caller]
fn push_slowly(tape: &Tape, record: Record, value: f64) -> (u64, f64) {
    let recording = &mut *tape.recording.borrow_mut();
    match recording.push_slowly(record, value, Location::caller()) {
        Some(id) => (id, recording.value(id as u32)),
        None => recording.full().stop(),
    }
}

#[cold]
#[inline(never)]
#[track_caller]
fn push_slowly_with(tape: &Tape, op: Op, form: RecordForm, a: u64, constant: f64) -> (u64, f64) {
    let recording = &mut *tape.recording.borrow_mut();
    match recording.push_slowly_with(op, form, a, constant, Location::caller()) {
        Some(id) => (id, recording.value(id as u32)),
        None => recording.full().stop(),
    }
}

impl Real for Var<'_> {
    #[inline]
    fn value(self) -> f64 {
        Var::value(self)
    }

    #[inline(always)]
    #[track_caller]
    fn unary(op: Op, x: Self) -> Self {
        let value = op.value_1(x.value);
        match x.tape {
            Some(tape) => Self::push(tape, Record::new(op, RecordForm::Nodes, x.id, 0), value),
            None => Self::constant(value),
        }
    }

    #[inline(always)]
    #[track_caller]
    fn binary(op: Op, first: Self, second: Self) -> Self {
        let value = op.value_2(first.value, second.value);
        match (first.tape, second.tape) {
            (Some(tape), Some(_)) => {
                first.expect_same_tape(second);
                Self::push(
                    tape,
                    Record::new(op, RecordForm::Nodes, first.id, second.id),
                    value,
                )
            }
            (Some(tape), None) => Self::push_with(
                tape,
                op,
                RecordForm::NodeConstant,
                first.id,
                second.value,
                value,
            ),
            (None, Some(tape)) => Self::push_with(
                tape,
                op,
                RecordForm::ConstantNode,
                second.id,
                first.value,
                value,
            ),
            (None, None) => Self::constant(value),
        }
    }

    #[track_caller]
    fn nary(op: Op, operands: &[&[Self]], constants: &[&[f64]]) -> Self {
        let (head, tail): (&[Self], &[Self]) = match *operands {
            [] => (&[], &[]),
            [head] => (head, &[]),
            [head, tail] => (head, tail),
            _ => return Self::nary(op, &[&operands.concat()], constants),
        };
        let each = || head.iter().chain(tail);
        let Some(first) = each().find(|x| x.tape.is_some()) else {
            let values: Vec<f64> = each().map(|x| x.value).collect();
            return Self::constant(f64::nary(op, &[&values], constants));
        };
        let count = head.len() + tail.len();
        if !op.takes(count, constants.iter().map(|part| part.len()).sum()) {
            op.wrong_arity(count);
        }
        let tape = first.tape.expect("it is a node");
        let (own, caller) = (address(*first), Location::caller());
        let given = |x: Self| Given {
            number: x.id,
            value: x.value,
            other: address(x) ^ own,
        };
        let recording = &tape.recording;
        // Two calls: a choice for each operand would cost as much as the operand.
        let pushed = if tail.is_empty() {
            let operand = |i: usize| given(head[i]);
            let recording = &mut *recording.borrow_mut();
            recording.push_nary(op, count, operand, constants, caller)
        } else {
            let operand = |i: usize| match head.get(i) {
                Some(x) => given(*x),
                None => given(tail[i - head.len()]),
            };
            let recording = &mut *recording.borrow_mut();
            recording.push_nary(op, count, operand, constants, caller)
        };
        let pushed = match pushed {
            Ok(pushed) => pushed,
            Err(Mixed) => {
                for x in each() {
                    first.expect_same_tape(*x);
                }
                let operands = each().map(|x| x.operand());
                (recording.borrow_mut()).push_mixed(op, operands, constants, caller)
            }
        };
        match pushed {
            Some((id, value)) => Self::new(tape, id, value),
            None => recording.borrow().full().stop(),
        }
    }

    #[inline]
    fn is_absent(self) -> bool {
        self.tape.is_none() && is_absent(self.value)
    }

    #[inline]
    fn is_zero(self) -> bool {
        self.is_always(0.0)
    }

    const RECORDS: bool = true;

    fn within_domain(partial: Self, value: Self) -> Self {
        partial.within(value)
    }

    #[inline]
    fn is_constant(self) -> bool {
        self.tape.is_none()
    }

    /// Records nothing for a factor that is the constant 1.
    fn share(adjoint: Self, partial: Self) -> Self {
        if adjoint.is_absent() || partial.is_always(1.0) {
            adjoint
        } else if adjoint.is_always(1.0) {
            partial
        } else if adjoint.may_be_absent() {
            adjoint.contribution(partial)
        } else {
            adjoint * partial
        }
    }

    /// Whether the operand is picked is known where the graph is evaluated.
    fn share_of_branch(adjoint: Self, partial: Self) -> Self {
        if adjoint.is_absent() || partial.is_zero() {
            return Self::from(ABSENT);
        }
        let share = Self::share(adjoint, partial);
        if partial.tape.is_none() {
            return share;
        }
        share.gate(partial)
    }

    /// A sum is absent if both of its terms are.
    fn plus(self, share: Self) -> Self {
        if self.is_absent() {
            return share;
        } else if share.is_absent() {
            return self;
        }
        let sum = self + share;
        match self.may_be_absent() && share.may_be_absent() {
            true => sum.contribution(1.0),
            false => sum,
        }
    }
}

impl From<f64> for Var<'_> {
    /// A constant, which no tape knows.
    #[inline(always)]
    fn from(value: f64) -> Self {
        Self::constant(value)
    }
}

impl From<&f64> for Var<'_> {
    #[inline(always)]
    fn from(value: &f64) -> Self {
        Self::constant(*value)
    }
}

impl<'t> From<&Var<'t>> for Var<'t> {
    #[inline(always)]
    fn from(var: &Var<'t>) -> Self {
        *var
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

table! { operators ['t,] Var<'t>, }
