//! Operations on any number of operands: a record of them says where their operands
//! and their own constants are.

use super::Recording;
use crate::ops::Op;
use crate::program::{CONSTANT, Form, MOST, Operand, Record};
use std::ops::{Index, RangeTo};
use std::panic::Location;

/// Some operands are constants, or nodes of another tape.
pub(crate) struct Mixed;

/// An operation's own constants as they were given: some in one slice, and the last.
struct Given<'a> {
    first: &'a [f64],
    last: f64,
}

impl<'a> Given<'a> {
    /// Unless they are given in another way.
    #[inline(always)]
    fn new(constants: &[&'a [f64]]) -> Option<Self> {
        let (first, last) = match *constants {
            [] => (&[][..], f64::NAN),
            [all] => (all, f64::NAN),
            [first, [last]] => (first, *last),
            _ => return None,
        };
        Some(Self { first, last })
    }
}

impl Index<usize> for Given<'_> {
    type Output = f64;

    #[inline(always)]
    fn index(&self, i: usize) -> &f64 {
        self.first.get(i).unwrap_or(&self.last)
    }
}

impl Index<RangeTo<usize>> for Given<'_> {
    type Output = [f64];

    #[inline(always)]
    fn index(&self, all: RangeTo<usize>) -> &[f64] {
        &self.first[all]
    }
}

/// Fewer operands than these are sooner gone through in a list (`docs/benchmarks.md`).
pub(crate) const SHORTEST_RANGE: usize = 8;

/// The first of nodes that follow one another on the tape, if they all do.
#[inline]
fn consecutive<V: Copy>(parts: &[&[V]], node: impl Fn(V) -> (u32, bool)) -> Option<u32> {
    let first = node(*parts.first()?.first()?).0;
    let mut next = first;
    for part in parts {
        for &v in *part {
            if node(v) != (next, true) {
                return None;
            }
            next += 1;
        }
    }
    Some(first)
}

impl Recording {
    /// Records an n-ary operation on nodes that lie in `parts`, one after
    /// another. `node` gives a node's number and whether it is one of this tape;
    /// `value` the value of one by its position, if all is well.
    /// Nothing is recorded if not all are: `Err`; or if the tape is full: `None`.
    /// Else its number and value.
    #[inline]
    pub(crate) fn push_nary<V: Copy>(
        &mut self,
        op: Op,
        parts: &[&[V]],
        node: impl Fn(V) -> (u32, bool),
        value: impl Fn(usize) -> f64,
        constants: &[&[f64]],
        caller: &'static Location<'static>,
    ) -> Result<Option<(u64, f64)>, Mixed> {
        let (start, own) = (self.operands.len(), self.constants_len);
        let n: usize = parts.iter().map(|part| part.len()).sum();
        // Of the constants as they were given: a number read just after it was copied with
        // others waits for the copy, and with it for all that was begun before. And before
        // anything is copied, so that what waits for the value waits less
        // (`docs/benchmarks.md`).
        let value = Given::new(constants).map(|given| op.value_n(n, value, &given));
        let pushed = self.push_own_constants(constants);
        let long = n >= SHORTEST_RANGE;
        let (mut all, mut form) = (true, Form::Range);
        if let Some(first) = long.then(|| consecutive(parts, &node)).flatten() {
            self.operands.push(first);
        } else {
            form = Form::Nodes;
            for part in parts {
                let words = part.iter().map(|&v| {
                    let (word, is_node) = node(v);
                    all &= is_node;
                    word
                });
                self.operands.extend(words);
            }
        }
        let fits = pushed.is_some() && all;
        let there_is_room = self.operands.len() <= MOST && self.len < self.records.len();
        if let (Some(value), true) = (value, fits && there_is_room) {
            let put = self.put(Record::new(op, form, start as u64, n as u64), value);
            return Ok(put.map(|id| (id, value)));
        }
        let id = self.push_many(op, form, (start, n), own, fits, caller);
        if all { Ok(id) } else { Err(Mixed) }
    }

    /// The same for operands of which some are constants.
    pub(crate) fn push_mixed(
        &mut self,
        op: Op,
        operands: impl Iterator<Item = Operand>,
        constants: &[&[f64]],
        caller: &'static Location<'static>,
    ) -> Option<(u64, f64)> {
        let (start, own) = (self.operands.len(), self.constants_len);
        let mut pushed = self.push_own_constants(constants);
        let mut n = 0;
        for operand in operands {
            n += 1;
            let word = match operand {
                Operand::Node(id) => id.0,
                Operand::Constant(value) => {
                    pushed = pushed.and_then(|()| self.push_constants(&[value]));
                    self.constants_len.wrapping_sub(1) as u32 | CONSTANT
                }
            };
            self.operands.push(word);
        }
        let fits = pushed.is_some();
        self.push_many(op, Form::NodeConstant, (start, n), own, fits, caller)
    }

    /// Records the operation whose `n` operands have been pushed from `start` on,
    /// and its constants from `own` on; or takes them back.
    #[inline]
    fn push_many(
        &mut self,
        op: Op,
        form: Form,
        (start, n): (usize, usize),
        own: usize,
        fits: bool,
        caller: &'static Location<'static>,
    ) -> Option<(u64, f64)> {
        let mut id = None;
        if fits && self.operands.len() <= MOST {
            let record = Record::new(op, form, start as u64, n as u64);
            id = if self.len < self.records.len() {
                let value = self.value_of_nary(record);
                self.put(record, value)
            } else {
                self.push_slowly(record, 0.0, caller)
            };
        }
        if id.is_none() {
            self.operands.truncate(start);
            self.constants_len = own;
        }
        id.map(|id| (id, self.value(id as u32)))
    }

    #[inline]
    fn push_own_constants(&mut self, constants: &[&[f64]]) -> Option<()> {
        let own = self.constants_len;
        for part in constants {
            self.push_constants(part)?;
        }
        let count = self.constants_len - own;
        self.operands.extend([own as u32, count as u32]);
        Some(())
    }

    pub(super) fn value_of_nary(&self, record: Record) -> f64 {
        let (program, values) = (self.program(), self.values());
        let (op, n, constants) = (record.op(), record.b(), program.own_constants(record));
        if record.form() == Form::Range {
            let x = &values[program.range(record)];
            return op.value_n(n, |i| x[i], constants);
        }
        let nary = program.nary(record);
        match record.form() {
            Form::Nodes => op.value_n(n, |i| values[nary.node(i)], constants),
            _ => op.value_n(n, |i| nary.value(i, values), constants),
        }
    }
}
