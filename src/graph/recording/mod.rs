//! `Recording`: the columns of a tape, and the only ways to add to them.
//!
//! Records and values are columns of one length whose room is filled
//! beforehand, so that recording a node is one store to each after one check,
//! and a call only where the check fails. `Vec::push` took 1.7 times as long
//! (`docs/benchmarks.md`). The failed check is the funnel for all that is rare:
//! growth, the limit, keeping the lines of the program, and values that were
//! changed behind the handles.

mod limits;
mod nary;

pub(crate) use limits::Mark;
use limits::{CONSTANTS, Limits};
pub(crate) use nary::{Given, Mixed, SHORTEST_RANGE};

use super::guards::{self, Guards};
use super::{GraphView, Guard, MOST, Names, NodeId, Operand, Record, RecordForm};
use crate::ops::Op;
use indexmap::set::Slice;
use std::panic::Location;

/// Below this many entries room doubles; above, it grows by a quarter, so that
/// no more than a quarter lies idle.
const DOUBLING: usize = 1 << 16;

#[derive(Clone, Default)]
pub(crate) struct Recording {
    /// As long as `values`; both beyond `len` are room.
    records: Vec<Record>,
    values: Vec<f64>,
    len: usize,
    /// Beyond `constants_len` it is room.
    constants: Vec<f64>,
    constants_len: usize,
    /// Beyond `operands_len` they are of the recording before. Two lengths of four bytes, not of
    /// eight, leave the others where short instructions find them: W2 recorded and swept
    /// 74.5 → 71.5 ns (`docs/benchmarks.md`).
    operands: Vec<u32>,
    operands_len: u32,
    /// The comparisons made while recording. Apart, so that the others stay where short
    /// instructions find them.
    guards: Option<Box<Guards>>,
    /// A node, or an operand of many, was recorded where another one, or none, was before. Who
    /// sets this to `false` will see whether the same is recorded again, without looking at it
    /// again: W2 recorded and swept 91 → 88 ns (`docs/benchmarks.md`).
    pub(crate) differs: bool,
    /// Counts changes of values already recorded.
    pub(crate) revision: u64,
    pub(crate) names: Names,
    limits: Limits,
    /// No room is left open, so that every node comes by way of `push_slowly`:
    /// lines are kept, or handles may carry values that are no longer the tape's.
    watched: bool,
    locations: Option<Vec<&'static Location<'static>>>,
}

/// How far a column of `len` entries grows when it is full.
fn grown(len: usize) -> usize {
    len + if len < DOUBLING { len.max(32) } else { len / 4 }
}

impl Recording {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn values(&self) -> &[f64] {
        &self.values[..self.len]
    }

    #[inline]
    pub(crate) fn value(&self, id: u32) -> f64 {
        self.values[id as usize]
    }

    pub(crate) fn program(&self) -> GraphView<'_> {
        GraphView {
            records: &self.records[..self.len],
            operands: &self.operands,
            constants: &self.constants[..self.constants_len],
        }
    }

    /// The structure to read, and the values to write with the room behind them.
    #[inline]
    fn program_and_room(&mut self) -> (GraphView<'_>, &mut [f64]) {
        let program = GraphView {
            records: &self.records[..self.len],
            operands: &self.operands,
            constants: &self.constants[..self.constants_len],
        };
        (program, &mut self.values)
    }

    /// The structure to read, and the values to write.
    pub(crate) fn program_and_values(&mut self) -> (GraphView<'_>, &mut [f64]) {
        let len = self.len;
        let (program, room) = self.program_and_room();
        (program, &mut room[..len])
    }

    /// The structure to read, and as registers the first `N` values with the room behind
    /// them, if there are as many.
    #[inline]
    pub(crate) fn program_and_registers<const N: usize>(
        &mut self,
    ) -> Option<(GraphView<'_>, &mut [f64; N])> {
        let (program, room) = self.program_and_room();
        Some((program, room.first_chunk_mut()?))
    }

    /// Records a node if there is room.
    #[inline(always)]
    pub(crate) fn put(&mut self, record: Record, value: f64) -> Option<u64> {
        let id = self.len;
        let (Some(to), Some(value_to)) = (self.records.get_mut(id), self.values.get_mut(id)) else {
            return None;
        };
        if *to != record {
            *to = record;
            self.differs = true;
        }
        *value_to = value;
        self.len = id + 1;
        Some(id as u64)
    }

    /// Records inputs if there is room for all. Returns the number of the first.
    #[inline]
    pub(crate) fn put_inputs(&mut self, values: &[f64]) -> Option<u64> {
        let all = self.len..self.len + values.len();
        let (records, to) = (
            self.records.get_mut(all.clone())?,
            self.values.get_mut(all.clone())?,
        );
        for record in records {
            if *record != Record::INPUT {
                *record = Record::INPUT;
                self.differs = true;
            }
        }
        to.copy_from_slice(values);
        self.len = all.end;
        Some(all.start as u64)
    }

    /// Records an operation on a node and a constant if there is room.
    #[inline(always)]
    pub(crate) fn put_with(
        &mut self,
        op: Op,
        form: RecordForm,
        a: u64,
        constant: f64,
        value: f64,
    ) -> Option<u64> {
        let at = self.constants_len;
        if at >= self.constants.len() {
            return None;
        }
        let id = self.put(Record::new(op, form, a, at as u64), value)?;
        self.constants[at] = constant;
        self.constants_len = at + 1;
        Some(id)
    }

    /// Records a node whatever it takes, unless the tape is `full`. An operation's
    /// value is computed from the tape's own values; `given` is for leaves.
    #[cold]
    #[inline(never)]
    pub(crate) fn push_slowly(
        &mut self,
        record: Record,
        given: f64,
        caller: &'static Location<'static>,
    ) -> Option<u64> {
        if !self.allows(1) {
            return None;
        }
        if let Some(locations) = &mut self.locations {
            locations.push(caller);
        }
        let value = if record.op() == Op::Input {
            given
        } else {
            self.value_of(record)
        };
        if self.watched {
            self.records.push(record);
            self.values.push(value);
            self.len += 1;
        } else {
            if self.len == self.records.len() {
                self.make_room(grown(self.len));
            }
            self.put(record, value);
        }
        Some(self.len as u64 - 1)
    }

    /// The same for an operation on a node and a constant.
    #[cold]
    #[inline(never)]
    pub(crate) fn push_slowly_with(
        &mut self,
        op: Op,
        form: RecordForm,
        a: u64,
        constant: f64,
        caller: &'static Location<'static>,
    ) -> Option<u64> {
        let at = self.constants_len;
        self.push_constants(&[constant])?;
        let pushed = self.push_slowly(Record::new(op, form, a, at as u64), 0.0, caller);
        if pushed.is_none() {
            self.constants_len = at;
        }
        pushed
    }

    /// Fills columns of `nodes` entries, within the limit, or none if watched.
    fn make_room(&mut self, nodes: usize) {
        let nodes = if self.watched {
            self.len
        } else {
            nodes.min(self.limits.nodes as usize).max(self.len)
        };
        self.differs = true;
        if nodes > self.records.len() {
            self.records.reserve_exact(nodes - self.records.len());
            self.values.reserve_exact(nodes - self.values.len());
        }
        self.records.resize(nodes, Record::default());
        self.values.resize(nodes, 0.0);
    }

    fn push_constants(&mut self, constants: &[f64]) -> Option<()> {
        let at = self.constants_len;
        if constants.len() > self.constants.len() - at {
            self.grow_constants(at + constants.len())?;
        }
        self.constants_len = at + constants.len();
        self.constants[at..self.constants_len].copy_from_slice(constants);
        Some(())
    }

    #[cold]
    fn grow_constants(&mut self, end: usize) -> Option<()> {
        let most = self.limits.constants as usize;
        if end > most {
            self.limits.refused = CONSTANTS;
            return None;
        }
        // No room beyond the limit: whoever finds room asks no further.
        let room = grown(self.constants.len()).clamp(end, most);
        self.constants.reserve_exact(room - self.constants.len());
        self.constants.resize(room, 0.0);
        Some(())
    }

    /// Records an operation on operands of which some are nodes.
    ///
    /// # Panics
    /// If the recording is full.
    pub(crate) fn push_operation(
        &mut self,
        op: Op,
        operands: &[Operand],
        own: &[&[f64]],
        caller: &'static Location<'static>,
    ) -> Operand {
        let id = match (op.arity(), operands) {
            (None, _) if operands.iter().all(|operand| operand.node().is_some()) => {
                let nodes: Vec<u32> = operands.iter().filter_map(Operand::node).collect();
                let values: Vec<f64> = nodes.iter().map(|&id| self.value(id)).collect();
                let given = |i: usize| Given {
                    number: nodes[i].into(),
                    value: values[i],
                    other: 0,
                };
                let pushed = self.push_nary(op, nodes.len(), given, own, caller);
                pushed.ok().flatten().map(|(id, _)| id)
            }
            (None, _) => {
                let pushed = self.push_mixed(op, operands.iter().copied(), own, caller);
                pushed.map(|(id, _)| id)
            }
            (_, [Operand::Node(a)]) => self.push_slowly(
                Record::new(op, RecordForm::Nodes, a.0.into(), 0),
                0.0,
                caller,
            ),
            (_, [Operand::Node(a), Operand::Node(b)]) => self.push_slowly(
                Record::new(op, RecordForm::Nodes, a.0.into(), b.0.into()),
                0.0,
                caller,
            ),
            (_, [Operand::Node(a), Operand::Constant(c)]) => {
                self.push_slowly_with(op, RecordForm::NodeConstant, a.0.into(), *c, caller)
            }
            (_, [Operand::Constant(c), Operand::Node(b)]) => {
                self.push_slowly_with(op, RecordForm::ConstantNode, b.0.into(), *c, caller)
            }
            _ => op.wrong_arity(operands.len()),
        };
        match id {
            Some(id) => Operand::Node(NodeId(id as u32)),
            None => self.full().stop(),
        }
    }

    /// The comparisons made while recording, each once, in the order in which they were first
    /// made.
    pub(crate) fn guards(&self) -> &Slice<Guard> {
        let kept = self.guards.as_deref();
        kept.map_or(Slice::new(), Guards::as_slice)
    }

    /// Keeps a comparison, unless an equal one is kept.
    pub(crate) fn keep_guard(&mut self, guard: Guard) {
        self.guards.get_or_insert_default().insert(guard);
    }

    pub(crate) fn keep_guards(&mut self, guards: impl IntoIterator<Item = Guard>) {
        guards.into_iter().for_each(|guard| self.keep_guard(guard));
    }

    pub(crate) fn forget_guards(&mut self) {
        self.guards = None;
    }

    /// What a record's operation gives for the present values.
    fn value_of(&self, record: Record) -> f64 {
        let (op, values) = (record.op(), &self.values);
        let constant = || self.constants[record.b()];
        match (op.arity(), record.form()) {
            (None, _) => self.value_of_nary(record),
            (Some(1), _) => op.value_1(values[record.a()]),
            (_, RecordForm::Nodes) => op.value_2(values[record.a()], values[record.b()]),
            (_, RecordForm::NodeConstant) => op.value_2(values[record.a()], constant()),
            (_, _) => op.value_2(constant(), values[record.a()]),
        }
    }

    /// An empty recording with room for `nodes` nodes.
    pub(crate) fn with_room(nodes: usize) -> Self {
        let mut recording = Self::default();
        recording.reserve(nodes);
        recording
    }

    /// A column of `nodes` entries.
    pub(crate) fn reserve(&mut self, nodes: usize) {
        self.make_room(nodes.min(MOST));
    }

    /// The most nodes from now on, those that are recorded aside.
    pub(crate) fn set_limit(&mut self, limit: usize) {
        self.limits.nodes = limit.min(MOST) as u32;
        if self.records.len() > limit {
            self.make_room(limit.max(self.len));
        }
    }

    pub(crate) fn keep_locations(&mut self) {
        self.locations = Some(Vec::new());
        self.watch();
    }

    pub(crate) fn location(&self, id: NodeId) -> Option<&'static Location<'static>> {
        self.locations.as_ref()?.get(id.index()).copied()
    }

    fn watch(&mut self) {
        self.watched = true;
        self.make_room(self.len);
    }

    /// Gives an input a new value. From now on handles may carry old ones.
    pub(crate) fn set(&mut self, id: u32, value: f64) {
        self.values[id as usize] = value;
        self.changed();
    }

    /// Values already recorded have changed.
    pub(crate) fn changed(&mut self) {
        self.revision += 1;
        if !self.watched {
            self.watch();
        }
    }

    /// The memory that is filled, without names, lines and idle room.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&self.records[..self.len])
            + size_of_val(self.values())
            + size_of_val(&self.constants[..self.constants_len])
            + size_of_val(&self.operands[..self.operands_len as usize])
            + self.guards.as_deref().map_or(0, guards::bytes)
    }

    pub(crate) fn capacity(&self) -> usize {
        self.values.capacity().min(self.records.capacity())
    }

    /// Forgets all nodes and names, and keeps the memory as room.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.len = 0;
        self.constants_len = 0;
        self.operands_len = 0;
        if let Some(guards) = &mut self.guards {
            guards.clear();
        }
        self.names.clear();
        if self.watched {
            self.clear_watched();
        }
    }

    #[cold]
    fn clear_watched(&mut self) {
        self.locations.iter_mut().for_each(Vec::clear);
        self.watched = self.locations.is_some();
        self.make_room(self.capacity());
    }

    /// A node as an error text names it.
    pub(crate) fn describe(&self, id: u32) -> String {
        let value = self.values[id as usize];
        match self.names.of(id) {
            Some(name) => format!("node {id} ({name} = {value})"),
            None => {
                format!("node {id} ({} = {value})", self.records[id as usize].op())
            }
        }
    }
}
