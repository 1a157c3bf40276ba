//! What a tape gives handles of: inputs, which it records here, and any node by its
//! position or its name; and new values for inputs.

use crate::error::Error;
use crate::graph::{NodeId, Record};
use crate::ops::Op;
use crate::tape::Tape;
use crate::tape::Var;
use std::panic::Location;

impl Tape {
    /// Records an input.
    ///
    /// # Panics
    /// If the tape is full.
    #[inline]
    #[track_caller]
    pub fn var(&self, value: f64) -> Var<'_> {
        Var::push(self, Record::INPUT, value)
    }

    /// Records an input that a [`Function`](crate::Function) takes from a column
    /// of data, a value in each row. On the tape it is an input with this sample
    /// of a value.
    ///
    /// # Panics
    /// If the tape is full.
    #[track_caller]
    pub fn column(&self, sample: f64) -> Var<'_> {
        Var::push(self, Record::COLUMN, sample)
    }

    /// Records an input.
    ///
    /// # Errors
    /// If the tape is full.
    #[track_caller]
    pub fn try_var(&self, value: f64) -> Result<Var<'_>, Error> {
        let recording = &mut *self.recording.borrow_mut();
        let caller = Location::caller();
        let put = recording.put(Record::INPUT, value);
        match put.or_else(|| recording.push_slowly(Record::INPUT, value, caller)) {
            Some(id) => Ok(Var::new(self, id, value)),
            None => Err(recording.full()),
        }
    }

    /// Records one input for each value.
    ///
    /// # Panics
    /// If the tape has no room for all; it then stays as it was.
    #[track_caller]
    pub fn vars(&self, values: &[f64]) -> Vec<Var<'_>> {
        let first = self.recording.borrow_mut().put_inputs(values);
        if let Some(first) = first {
            let each = values.iter().zip(first..);
            return each.map(|(&value, id)| Var::new(self, id, value)).collect();
        }
        self.expect_room(values.len());
        let mut vars = Vec::with_capacity(values.len());
        for &value in values {
            vars.push(self.var(value));
        }
        vars
    }

    /// Panics if there is no room for so many more nodes, before any of them is recorded.
    #[track_caller]
    fn expect_room(&self, nodes: usize) {
        let recording = &mut *self.recording.borrow_mut();
        if !recording.allows(nodes) {
            recording.full().stop();
        }
    }

    /// Records one input for each value of an array, without allocating.
    ///
    /// ```
    /// let tape = chainrule::Tape::new();
    /// let [x, y] = tape.var_array([3.0, 4.0]);
    /// assert_eq!(x.hypot(y).value(), 5.0);
    /// ```
    ///
    /// # Panics
    /// If the tape has no room for all; it then stays as it was.
    #[inline]
    #[track_caller]
    pub fn var_array<const N: usize>(&self, values: [f64; N]) -> [Var<'_>; N] {
        let first = self.recording.borrow_mut().put_inputs(&values);
        if first.is_none() {
            self.expect_room(N);
        }
        let mut vars = [Var::constant(0.0); N];
        for (i, (var, value)) in vars.iter_mut().zip(values).enumerate() {
            *var = match first {
                Some(first) => Var::new(self, first + i as u64, value),
                None => self.var(value),
            };
        }
        vars
    }

    /// The handle of a node, by its position.
    ///
    /// # Panics
    /// If the tape has no such node.
    #[track_caller]
    pub fn at(&self, id: NodeId) -> Var<'_> {
        let (node, len) = (id.index(), self.len());
        if node >= len {
            Error::NoSuchNode { node, len }.stop();
        }
        Var::on(self, id.0)
    }

    /// The node that has this name.
    ///
    /// # Errors
    /// If none has.
    pub fn lookup(&self, name: &str) -> Result<Var<'_>, Error> {
        self.recording
            .borrow()
            .names
            .find(name)
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
        if self.recording.borrow().program().records[id as usize].op() != Op::Input {
            Error::NotAnInput {
                node: input.describe(),
            }
            .stop();
        }
        self.recording.borrow_mut().set(id, value);
    }
}
