//! Operations on any number of operands: a record of them says where their operands
//! and their own constants are.

use super::Recording;
use super::limits::OPERANDS;
use crate::graph::{CONSTANT, Operand, Record, RecordForm};
use crate::ops::Op;
use std::cell::Cell;
use std::ops::{Index, RangeTo};
use std::panic::Location;

/// Some operands are constants, or nodes of another tape.
pub(crate) struct Mixed;

/// An operation's own constants as they were given: some in one slice, and the last.
struct OwnConstants<'a> {
    first: &'a [f64],
    last: f64,
}

impl<'a> OwnConstants<'a> {
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

impl Index<usize> for OwnConstants<'_> {
    type Output = f64;

    #[inline(always)]
    fn index(&self, i: usize) -> &f64 {
        self.first.get(i).unwrap_or(&self.last)
    }
}

impl Index<RangeTo<usize>> for OwnConstants<'_> {
    type Output = [f64];

    #[inline(always)]
    fn index(&self, all: RangeTo<usize>) -> &[f64] {
        &self.first[all]
    }
}

/// Fewer operands than these are sooner gone through in a list (`docs/benchmarks.md`).
pub(crate) const SHORTEST_RANGE: usize = 8;

/// An operand as it is given.
#[derive(Clone, Copy)]
pub(crate) struct Given {
    pub(crate) number: u64,
    pub(crate) value: f64,
    /// 0 if it is a node of this tape.
    pub(crate) other: usize,
}

/// Whether operands are nodes of this tape that follow one another, told while they are gone
/// through for a sum, which waits for each addition and so leaves time for it: W1 with one node
/// 139 → 128 ns a row (`docs/benchmarks.md`).
struct Following {
    first: u64,
    /// Has bits where one does not.
    differ: Cell<u64>,
    seen: Cell<usize>,
}

impl Following {
    #[inline(always)]
    fn new(first: u64) -> Self {
        Self {
            first,
            differ: Cell::new(0),
            seen: Cell::new(0),
        }
    }

    #[inline(always)]
    fn see(&self, i: usize, operand: Given) {
        let differ = operand.number ^ (self.first + i as u64) | operand.other as u64;
        self.differ.set(self.differ.get() | differ);
        self.seen.set(self.seen.get() + 1);
    }

    /// Whether all `n` do. Those that no value was made of, or were seen twice, are looked at.
    #[inline(always)]
    fn all(self, n: usize, operand: impl Fn(usize) -> Given) -> bool {
        if self.seen.get() != n {
            (0..n).for_each(|i| self.see(i, operand(i)));
        }
        self.differ.get() == 0
    }
}

impl Recording {
    /// Records an operation on `n` nodes, given by their positions.
    /// Nothing is recorded if not all are nodes of this tape: `Err`; or if it is full: `None`.
    /// Else its number and value.
    #[inline]
    pub(crate) fn push_nary(
        &mut self,
        op: Op,
        n: usize,
        operand: impl Fn(usize) -> Given,
        constants: &[&[f64]],
        caller: &'static Location<'static>,
    ) -> Result<Option<(u64, f64)>, Mixed> {
        let (start, own) = (self.operands_len as usize, self.constants_len);
        let first = if n == 0 { 0 } else { operand(0).number };
        let following = Following::new(first);
        let value = |i: usize| {
            let operand = operand(i);
            following.see(i, operand);
            operand.value
        };
        // Of the constants as they were given: a number read just after it was copied with
        // others waits for the copy, and with it for all that was begun before. And before
        // anything is copied, so that what waits for the value waits less
        // (`docs/benchmarks.md`).
        let own_constants = OwnConstants::new(constants);
        let value = own_constants.map(|constants| op.value_n(n, value, &constants));
        let pushed = self.push_own_constants(constants);
        let (mut all, mut form) = (true, RecordForm::Range);
        if n >= SHORTEST_RANGE && following.all(n, &operand) {
            self.push_word(first as u32);
        } else {
            form = RecordForm::Nodes;
            for i in 0..n {
                let operand = operand(i);
                all &= operand.other == 0;
                self.push_word(operand.number as u32);
            }
        }
        let fits = pushed.is_some() && all;
        let there_is_room =
            self.operands_len <= self.limits.operands && self.len < self.records.len();
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
        let (start, own) = (self.operands_len as usize, self.constants_len);
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
            self.push_word(word);
        }
        let fits = pushed.is_some();
        self.push_many(op, RecordForm::NodeConstant, (start, n), own, fits, caller)
    }

    /// Records the operation whose `n` operands have been pushed from `start` on,
    /// and its constants from `own` on; or takes them back.
    #[inline]
    fn push_many(
        &mut self,
        op: Op,
        form: RecordForm,
        (start, n): (usize, usize),
        own: usize,
        fits: bool,
        caller: &'static Location<'static>,
    ) -> Option<(u64, f64)> {
        let mut id = None;
        if fits && self.operands_len > self.limits.operands {
            self.limits.refused = OPERANDS;
        } else if fits {
            let record = Record::new(op, form, start as u64, n as u64);
            id = if self.len < self.records.len() {
                let value = self.value_of_nary(record);
                self.put(record, value)
            } else {
                self.push_slowly(record, 0.0, caller)
            };
        }
        if id.is_none() {
            self.operands_len = start as u32;
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
        self.push_word(own as u32);
        self.push_word(count as u32);
        Some(())
    }

    /// One of the words that say where operands are.
    #[inline]
    fn push_word(&mut self, word: u32) {
        match self.operands.get_mut(self.operands_len as usize) {
            Some(to) if *to == word => {}
            Some(to) => {
                *to = word;
                self.differs = true;
            }
            None => {
                self.operands.push(word);
                self.differs = true;
            }
        }
        self.operands_len += 1;
    }

    pub(super) fn value_of_nary(&self, record: Record) -> f64 {
        let (program, values) = (self.program(), self.values());
        let (op, n, constants) = (record.op(), record.b(), program.own_constants(record));
        if record.form() == RecordForm::Range {
            let x = &values[program.range(record)];
            return op.value_n(n, |i| x[i], constants);
        }
        let nary = program.nary(record);
        match record.form() {
            RecordForm::Nodes => op.value_n(n, |i| values[nary.node(i)], constants),
            _ => op.value_n(n, |i| nary.value(i, values), constants),
        }
    }
}
