//! `Tape`: the append-only recording of an expression.
//!
//! Operands precede results, so creation order is topological order and every
//! pass over a tape is a plain loop. What it keeps is in `Recording`; here is
//! what users see of it.

mod adjoints;
pub(crate) mod cache;
mod closures;
mod comparison;
mod derivatives;
mod inputs;
mod var;

pub use adjoints::{Adjoints, Share, SweptNode, derivative};
pub use closures::{grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp};
pub use var::Var;

use crate::error::Error;
use crate::graph::Recording;
use crate::graph::{NodeId, Operand};
use crate::ops::Op;
use crate::registers::FEW;
use cache::RecordingCache;
use smallvec::SmallVec;
use std::cell::RefCell;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

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
    /// From the first time on that it was cleared.
    pub(crate) cache: RefCell<Option<Box<RecordingCache>>>,
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

impl Tape {
    /// An empty tape. Allocates nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty tape with room for `nodes` nodes.
    pub fn with_capacity(nodes: usize) -> Self {
        let tape = Self::new();
        tape.recording.borrow_mut().reserve(nodes);
        tape
    }

    /// An empty tape that records at most `limit` nodes, and never more than
    /// 2²⁸. Recording beyond that panics, or is an error where a `try_` form
    /// is used; the tape stays as it was.
    pub fn with_limit(limit: usize) -> Self {
        let tape = Self::new();
        tape.recording.borrow_mut().set_limit(limit);
        tape
    }

    /// An empty tape that remembers which line of the program recorded each
    /// node, for [`check_finite`](Tape::check_finite) to say. It costs time and
    /// 8 bytes a node; other tapes pay nothing for it.
    pub fn with_locations() -> Self {
        let tape = Self::new();
        tape.recording.borrow_mut().keep_locations();
        tape
    }

    /// The line of the program that recorded a node, if this tape keeps lines.
    pub fn location(&self, id: NodeId) -> Option<&'static Location<'static>> {
        self.recording.borrow().location(id)
    }

    /// A tape that is never freed, for libraries whose scalars must be
    /// `'static`. It cannot be cleared.
    pub fn leak() -> &'static Self {
        Box::leak(Box::new(Self::new()))
    }

    /// How many nodes are recorded.
    pub fn len(&self) -> usize {
        self.recording.borrow().len()
    }

    /// Whether nothing is recorded.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many nodes fit without allocating.
    pub fn capacity(&self) -> usize {
        self.recording.borrow().capacity()
    }

    /// Forgets all nodes and names, and keeps the memory.
    ///
    /// Where the same operations are recorded again and again, with whatever numbers, sweeps
    /// take half to three quarters of the time from the 18th on, with the same bits: of up to
    /// 128 nodes, and of loops that are most of what is recorded; none of them on any number of
    /// operands. The first call takes 11 KiB for it, and for loops up to 64 more.
    #[inline]
    pub fn clear(&mut self) {
        let recording = self.recording.get_mut();
        let nodes = recording.len();
        recording.clear();
        if self.cache.get_mut().is_none() {
            self.prepare_for_repetition(nodes);
        }
    }

    /// Takes the memory for sweeps of the same, of about so many nodes.
    #[cold]
    #[inline(never)]
    pub(crate) fn prepare_for_repetition(&self, nodes: usize) {
        let recording = &mut *self.recording.borrow_mut();
        recording.reserve(recording.capacity().max(FEW));
        *self.cache.borrow_mut() = Some(Box::new(RecordingCache::with_room(nodes)));
    }

    /// One node, by its position.
    ///
    /// # Panics
    /// If the tape has no such node.
    #[track_caller]
    pub fn node(&self, id: NodeId) -> Node {
        let recording = self.recording.borrow();
        if id.index() >= recording.len() {
            let (node, len) = (id.index(), recording.len());
            Error::NoSuchNode { node, len }.stop();
        }
        Node::of(&recording, id)
    }

    /// All nodes in order of recording, each before the nodes made from it.
    pub fn nodes(&self) -> impl Iterator<Item = Node> + '_ {
        (0..self.len()).map(|index| Node::of(&self.recording.borrow(), NodeId(index as u32)))
    }
}

impl Node {
    fn of(recording: &Recording, id: NodeId) -> Self {
        let program = recording.program();
        let record = program.records[id.index()];
        let mut operands = SmallVec::new();
        program.for_each_operand(record, |operand| operands.push(operand));
        let constants = match record.op().arity() {
            None => program.own_constants(record).into(),
            Some(_) => SmallVec::new(),
        };
        Self {
            id,
            op: record.op(),
            operands,
            constants,
            value: recording.value(id.0),
            name: recording.names.of(id.0).cloned(),
        }
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
