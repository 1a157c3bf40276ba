//! `Tape`: the append-only recording of an expression.
//!
//! Operands precede results, so creation order is topological order and every
//! pass over a tape is a plain loop. The structure (`Program`) and the values
//! lie apart, 16 and 8 bytes a node.

use crate::error::Error;
use crate::ops::Op;
use crate::program::{CONSTANT, Form, NodeId, Operand, Program, Record};
use indexmap::IndexMap;
use smallvec::SmallVec;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

/// The most nodes any tape records: the top bit of an operand marks a constant.
pub(crate) const MAX_NODES: usize = 1 << 31;

/// The recording of a computation: an append-only list of nodes.
///
/// `Tape` is `Send` but not `Sync`; its handles stay on its thread. Recording
/// borrows it shared, [`clear`](Tape::clear) borrows it exclusively, so no
/// handle outlives what it stands for.
///
/// ```compile_fail
/// let mut tape = chainrule::Tape::new();
/// let x = tape.var(1.0);
/// tape.clear();
/// x.value(); // the borrow checker objects
/// ```
#[derive(Clone, Default)]
pub struct Tape {
    pub(crate) recording: RefCell<Recording>,
}

/// One recorded operation.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Node {
    /// Its position on the tape.
    pub id: NodeId,
    /// Its operation; [`Op::Input`] for a leaf.
    pub op: Op,
    /// What the operation was applied to, in order.
    pub operands: SmallVec<[Operand; 2]>,
    /// The constants of the operation itself: for a linear combination its
    /// weights and then its constant term, else empty.
    pub constants: SmallVec<[f64; 2]>,
    /// Its value.
    pub value: f64,
    /// Its name, if it has one.
    pub name: Option<Arc<str>>,
}

#[derive(Clone, Default)]
struct Names {
    /// In the order of declaration.
    nodes: IndexMap<Arc<str>, u32>,
    names: HashMap<u32, Arc<str>>,
}

#[derive(Clone)]
pub(crate) struct Recording {
    pub(crate) program: Program,
    pub(crate) values: Vec<f64>,
    /// Counts changes of values already recorded.
    pub(crate) revision: u64,
    names: Names,
    limit: usize,
    /// The first position that `push` may not take as a matter of course: the
    /// limit, or 0 where locations are kept. So keeping none costs nothing.
    watched: usize,
    locations: Option<Vec<&'static Location<'static>>>,
}

impl Default for Recording {
    fn default() -> Self {
        Self {
            program: Program::default(),
            values: Vec::new(),
            revision: 0,
            names: Names::default(),
            limit: MAX_NODES,
            watched: MAX_NODES,
            locations: None,
        }
    }
}

impl Recording {
    /// The one way onto a tape.
    #[inline]
    #[track_caller]
    pub(crate) fn push(&mut self, record: Record, value: f64) -> Result<u32, Error> {
        let id = self.values.len();
        if id >= self.watched {
            self.watch(id, Location::caller())?;
        }
        self.program.records.push(record);
        self.values.push(value);
        Ok(id as u32)
    }

    /// Keeps where a node is recorded, or refuses it.
    #[cold]
    #[inline(never)]
    fn watch(&mut self, id: usize, caller: &'static Location<'static>) -> Result<(), Error> {
        if id >= self.limit {
            return Err(self.full());
        }
        if let Some(locations) = &mut self.locations {
            locations.push(caller);
        }
        Ok(())
    }

    /// Records an n-ary operation; its value is `op`'s own.
    #[track_caller]
    pub(crate) fn push_nary(
        &mut self,
        op: Op,
        operands: impl Iterator<Item = Operand>,
        constants: &[&[f64]],
    ) -> Result<u32, Error> {
        let program = &mut self.program;
        let (start, own) = (program.operands.len(), program.constants.len());
        let count = constants.iter().map(|part| part.len()).sum::<usize>();
        constants
            .iter()
            .for_each(|part| program.constants.extend_from_slice(part));
        program.operands.extend([own as u32, count as u32]);
        for operand in operands {
            program.operands.push(match operand {
                Operand::Node(id) => id.0,
                Operand::Constant(value) => {
                    program.constants.push(value);
                    (program.constants.len() - 1) as u32 | CONSTANT
                }
            });
        }
        let payload = (program.operands.len() - start - 2) as u64;
        let fits = program.operands.len() <= u32::MAX as usize
            && program.constants.len() <= CONSTANT as usize;
        let record = Record {
            payload,
            a: start as u32,
            op,
            form: Form::Nary,
        };
        let pushed = if fits {
            let value = self.value_of_nary(&record);
            self.push(record, value)
        } else {
            Err(self.full())
        };
        if pushed.is_err() {
            self.program.operands.truncate(start);
            self.program.constants.truncate(own);
        }
        pushed
    }

    fn value_of_nary(&self, record: &Record) -> f64 {
        let nary = self.program.nary(record);
        let value = |i| match nary.operand(i) {
            Operand::Node(id) => self.values[id.index()],
            Operand::Constant(value) => value,
        };
        record.op.value_n(nary.len(), value, nary.constants)
    }

    #[cold]
    fn full(&self) -> Error {
        Error::Capacity { limit: self.limit }
    }

    pub(crate) fn set_name(&mut self, id: u32, name: &str) -> Result<(), Error> {
        if let Some(&holder) = self.names.nodes.get(name) {
            return Err(Error::DuplicateName {
                name: name.to_owned(),
                holder: holder as usize,
            });
        }
        if let Some(first) = self.names.names.get(&id) {
            let (name, second) = (first.to_string(), name.to_owned());
            return Err(Error::AlreadyNamed {
                node: id as usize,
                name,
                second,
            });
        }
        let name: Arc<str> = name.into();
        self.names.nodes.insert(name.clone(), id);
        self.names.names.insert(id, name);
        Ok(())
    }

    pub(crate) fn named(&self, name: &str) -> Result<u32, Error> {
        self.names
            .nodes
            .get(name)
            .copied()
            .ok_or_else(|| Error::UnknownName {
                name: name.to_owned(),
                known: self.names.nodes.len(),
            })
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = (&Arc<str>, u32)> {
        self.names.nodes.iter().map(|(name, &id)| (name, id))
    }

    pub(crate) fn name(&self, id: u32) -> Option<Arc<str>> {
        self.names.names.get(&id).cloned()
    }

    /// A node as an error text names it.
    pub(crate) fn describe(&self, id: u32) -> String {
        let value = self.values[id as usize];
        match self.names.names.get(&id) {
            Some(name) => format!("node {id} ({name} = {value})"),
            None => {
                format!(
                    "node {id} ({} = {value})",
                    self.program.records[id as usize].op
                )
            }
        }
    }

    fn node(&self, index: usize) -> Node {
        let record = &self.program.records[index];
        let mut operands = SmallVec::new();
        self.program
            .for_each_operand(record, |operand| operands.push(operand));
        let constants = match record.form {
            Form::Nary => self.program.nary(record).constants.into(),
            _ => SmallVec::new(),
        };
        let id = NodeId(index as u32);
        let name = self.name(id.0);
        Node {
            id,
            op: record.op,
            operands,
            constants,
            value: self.values[index],
            name,
        }
    }
}

impl Tape {
    /// An empty tape. Allocates nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty tape with room for `nodes` nodes.
    pub fn with_capacity(nodes: usize) -> Self {
        let tape = Self::new();
        {
            let mut recording = tape.recording.borrow_mut();
            recording.program.records.reserve_exact(nodes);
            recording.values.reserve_exact(nodes);
        }
        tape
    }

    /// An empty tape that records at most `limit` nodes, and never more than
    /// 2³¹. Recording beyond that panics, or is an error where a `try_` form
    /// is used; the tape stays as it was.
    pub fn with_limit(limit: usize) -> Self {
        let tape = Self::new();
        {
            let mut recording = tape.recording.borrow_mut();
            recording.limit = limit.min(MAX_NODES);
            recording.watched = recording.limit;
        }
        tape
    }

    /// An empty tape that remembers which line of the program recorded each
    /// node, for [`check_finite`](Tape::check_finite) to say. It costs time and
    /// 8 bytes a node; other tapes pay nothing for it.
    pub fn with_locations() -> Self {
        let tape = Self::new();
        {
            let mut recording = tape.recording.borrow_mut();
            recording.locations = Some(Vec::new());
            recording.watched = 0;
        }
        tape
    }

    /// The line of the program that recorded a node, if this tape keeps lines.
    pub fn location(&self, id: NodeId) -> Option<&'static Location<'static>> {
        self.recording
            .borrow()
            .locations
            .as_ref()?
            .get(id.index())
            .copied()
    }

    /// A tape that is never freed, for libraries whose scalars must be
    /// `'static`. It cannot be cleared.
    pub fn leak() -> &'static Self {
        Box::leak(Box::new(Self::new()))
    }

    /// How many nodes are recorded.
    pub fn len(&self) -> usize {
        self.recording.borrow().values.len()
    }

    /// Whether nothing is recorded.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many nodes fit without allocating.
    pub fn capacity(&self) -> usize {
        let recording = self.recording.borrow();
        recording
            .values
            .capacity()
            .min(recording.program.records.capacity())
    }

    /// Forgets all nodes and names, and keeps the memory.
    pub fn clear(&mut self) {
        let recording = self.recording.get_mut();
        recording.program.records.clear();
        recording.program.operands.clear();
        recording.program.constants.clear();
        recording.values.clear();
        recording.locations.iter_mut().for_each(Vec::clear);
        recording.names.nodes.clear();
        recording.names.names.clear();
    }

    /// One node, by its position.
    ///
    /// # Panics
    /// If the tape has no such node.
    #[track_caller]
    pub fn node(&self, id: NodeId) -> Node {
        let recording = self.recording.borrow();
        if id.index() >= recording.values.len() {
            let (node, len) = (id.index(), recording.values.len());
            Error::NoSuchNode { node, len }.stop();
        }
        recording.node(id.index())
    }

    /// All nodes in order of recording, each before the nodes made from it.
    pub fn nodes(&self) -> impl Iterator<Item = Node> + '_ {
        (0..self.len()).map(|index| self.recording.borrow().node(index))
    }
}

/// A summary; the nodes themselves come from [`Tape::nodes`].
impl fmt::Debug for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tape")
            .field("nodes", &self.len())
            .field("capacity", &self.capacity())
            .finish_non_exhaustive()
    }
}
