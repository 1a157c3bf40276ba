//! `backward` and what it returns: `Adjoints`, and the view of one node in it.
//!
//! The tape holds no gradients, so nothing adds up between calls and any number
//! of sweeps may be held at once.

mod sweeps;

use crate::error::Error;
use crate::graph::NodeId;
use crate::ops::{ABSENT, Real, is_absent};
use crate::sweep::seed;
use crate::tape::Var;
use crate::tape::{Node, Tape};
use indexmap::IndexMap;
use smallvec::SmallVec;
use std::cell::OnceCell;
use std::fmt;
use std::ops::Index;
use std::sync::Arc;

/// The derivative of the swept output with respect to every node.
///
/// ```
/// let tape = chainrule::Tape::new();
/// let x = tape.var(3.0).named("x");
/// let y = tape.var(4.0).named("y");
/// let r = x.hypot(y);
/// let grad = r.backward();
/// assert_eq!(grad.wrt(x), 0.6);
/// assert_eq!(grad[y], 0.8);
/// assert_eq!(grad.by_name()["y"], 0.8);
/// ```
pub struct Adjoints<'t> {
    tape: Option<&'t Tape>,
    /// Up to the last output; nodes after it do not matter to it.
    adjoints: Vec<f64>,
    seeds: Seeds,
    revision: u64,
    shares: OnceCell<Box<Shares>>,
}

/// The outputs that were swept from, and their weights.
enum Seeds {
    One([(u32, f64); 1]),
    Many(Vec<(u32, f64)>),
}

/// A node as a sweep saw it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SweptNode {
    /// The node itself: name, op, operands, value.
    pub node: Node,
    /// Its adjoint: `seed` and the sum of what its consumers sent back.
    pub adjoint: f64,
    /// The weight it was swept with, 1 for the output of `backward`, 0 for most.
    pub seed: f64,
    /// For each operand that is a node, the partial with respect to it.
    pub partials: SmallVec<[(NodeId, f64); 2]>,
    /// What each consumer sent back, in order of recording.
    pub consumers: SmallVec<[Share; 2]>,
}

/// What one node sent back to one of its operands.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Share {
    /// The consumer: the node that sent it.
    pub from: NodeId,
    /// The consumer's partial with respect to this operand.
    pub partial: f64,
    /// The consumer's adjoint.
    pub adjoint: f64,
    /// adjoint × partial.
    pub sent: f64,
}

/// All shares, sorted by the node that received them.
struct Shares {
    starts: Vec<usize>,
    shares: Vec<Share>,
}

impl<'t> Adjoints<'t> {
    fn new(tape: Option<&'t Tape>, adjoints: Vec<f64>, seeds: Seeds, revision: u64) -> Self {
        Self {
            tape,
            adjoints,
            seeds,
            revision,
            shares: OnceCell::new(),
        }
    }

    /// The derivative with respect to one node; 0 for a constant and for a
    /// node that the output does not depend on, such as one recorded later.
    ///
    /// # Panics
    /// If the node belongs to another tape.
    #[inline]
    #[track_caller]
    pub fn wrt(&self, var: Var<'_>) -> f64 {
        self.number(var).map_or(0.0, |(_, id)| self.at(id as usize))
    }

    /// The derivatives with respect to several nodes, as [`wrt`](Self::wrt).
    ///
    /// # Panics
    /// If one of the nodes belongs to another tape.
    #[track_caller]
    pub fn wrt_all(&self, vars: &[Var<'_>]) -> Vec<f64> {
        let mut gradient = Vec::with_capacity(vars.len());
        for &var in vars {
            gradient.push(self.wrt(var));
        }
        gradient
    }

    /// The derivatives with respect to all named nodes, in the order in which
    /// they were named.
    pub fn by_name(&self) -> IndexMap<Arc<str>, f64> {
        let Some(tape) = self.tape else {
            return IndexMap::new();
        };
        let recording = tape.recording.borrow();
        recording
            .names
            .iter()
            .map(|(name, id)| (name.clone(), self.at(id as usize)))
            .collect()
    }

    /// All that is known of one node: name, op, value, adjoint, operands,
    /// partials, and what each consumer sent back.
    ///
    /// The first call goes once over the tape; each further one costs only
    /// what it returns.
    ///
    /// # Panics
    /// If it is not a node of the swept tape, or if the tape's values have
    /// changed since the sweep.
    #[track_caller]
    pub fn node(&self, var: Var<'_>) -> SweptNode {
        let Some((tape, id)) = self.number(var) else {
            Error::NotANode {
                what: "`node`",
                value: var.value(),
            }
            .stop()
        };
        self.expect_current();
        let partials = tape.recording.borrow().partials(id as usize);
        let seeds = self.seeds().iter().filter(|(output, _)| *output == id);
        SweptNode {
            node: tape.node(NodeId(id)),
            adjoint: self.at(id as usize),
            seed: seeds.map(|(_, weight)| weight).sum::<f64>() + 0.0,
            partials,
            consumers: self
                .shares
                .get_or_init(|| Box::new(self.all_shares(tape)))
                .of(id as usize),
        }
    }

    /// The memory, for the next [`backward_with`](Tape::backward_with).
    #[inline(always)]
    pub fn into_buffer(self) -> Vec<f64> {
        self.adjoints
    }

    /// The outputs that were swept from, and their weights.
    pub(crate) fn seeds(&self) -> &[(u32, f64)] {
        match &self.seeds {
            Seeds::One(seed) => seed,
            Seeds::Many(seeds) => seeds,
        }
    }

    pub(crate) fn tape(&self) -> Option<&'t Tape> {
        self.tape
    }

    /// The adjoints as they are, absent ones as −0.
    pub(crate) fn all(&self) -> &[f64] {
        &self.adjoints
    }

    #[track_caller]
    pub(crate) fn expect_current(&self) {
        if self
            .tape
            .is_some_and(|tape| tape.recording.borrow().revision != self.revision)
        {
            Error::Outdated.stop();
        }
    }

    /// The swept tape and the number of a node on it.
    #[inline]
    #[track_caller]
    fn number(&self, var: Var<'_>) -> Option<(&'t Tape, u32)> {
        let tape = self.tape?;
        Some((tape, var.number_on(tape)?))
    }

    #[inline]
    #[track_caller]
    fn get(&self, var: Var<'_>) -> &f64 {
        let adjoint = match self.number(var) {
            Some((_, id)) => self.adjoints.get(id as usize),
            None => None,
        };
        adjoint
            .filter(|adjoint| !is_absent(**adjoint))
            .unwrap_or(&0.0)
    }

    #[inline]
    fn at(&self, index: usize) -> f64 {
        self.adjoints
            .get(index)
            .map_or(0.0, |adjoint| adjoint + 0.0)
    }

    /// Sorts all shares by receiver, by counting: two passes over the tape.
    fn all_shares(&self, tape: &Tape) -> Shares {
        let recording = tape.recording.borrow();
        let mut starts = vec![0; self.adjoints.len() + 1];
        for index in 0..self.adjoints.len() {
            for edge in recording.edges(index) {
                starts[edge.operand + 1] += 1;
            }
        }
        for i in 1..starts.len() {
            starts[i] += starts[i - 1];
        }
        let nothing = Share {
            from: NodeId(0),
            partial: 0.0,
            adjoint: 0.0,
            sent: 0.0,
        };
        let mut shares = vec![nothing; starts.last().copied().unwrap_or(0)];
        let mut next = starts.clone();
        for (index, &adjoint) in self.adjoints.iter().enumerate() {
            let reached = !is_absent(adjoint);
            for edge in recording.edges(index) {
                let sends = reached && edge.passes;
                shares[next[edge.operand]] = Share {
                    from: NodeId(index as u32),
                    partial: edge.partial,
                    adjoint: adjoint + 0.0,
                    sent: if sends { adjoint * edge.partial } else { 0.0 },
                };
                next[edge.operand] += 1;
            }
        }
        Shares { starts, shares }
    }
}

impl Shares {
    fn of(&self, index: usize) -> SmallVec<[Share; 2]> {
        match self.starts.get(index + 1) {
            Some(&end) => self.shares[self.starts[index]..end].into(),
            None => SmallVec::new(),
        }
    }
}

/// The adjoint of a node, as [`Adjoints::wrt`].
impl Index<Var<'_>> for Adjoints<'_> {
    type Output = f64;

    #[track_caller]
    fn index(&self, var: Var<'_>) -> &f64 {
        self.get(var)
    }
}

/// The named nodes and their adjoints.
impl fmt::Debug for Adjoints<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Adjoints ")?;
        f.debug_map().entries(self.by_name()).finish()
    }
}

impl Tape {
    /// Sweeps from several outputs at once: the result is the gradient of
    /// Σ seed·output. `buffer` is memory to use again, from
    /// [`Adjoints::into_buffer`] or `Vec::new()`; what it holds is overwritten.
    ///
    /// ```
    /// let tape = chainrule::Tape::new();
    /// let x = tape.var(3.0);
    /// let (y, z) = (x.square(), x * 5.0);
    /// let grad = tape.backward_with(&[(y, 1.0), (z, 2.0)], Vec::new());
    /// assert_eq!(grad.wrt(x), 16.0);
    /// ```
    ///
    /// # Panics
    /// If an output belongs to another tape. Outputs that are constants have
    /// no gradient and are passed over.
    // One output is taken apart, and the result put together, in line and word by word: what
    // is copied in wider pieces than it was stored in waits until these are in the cache.
    #[inline(always)]
    #[track_caller]
    pub fn backward_with(&self, seeds: &[(Var<'_>, f64)], mut buffer: Vec<f64>) -> Adjoints<'_> {
        if let [(output, weight)] = seeds {
            let id = output.number_on(self);
            let revision = self.sweep_from(id, *weight, &mut buffer);
            let seeds = match id {
                Some(id) => Seeds::One([(id, *weight)]),
                None => Seeds::Many(Vec::new()),
            };
            return Adjoints::new(Some(self), buffer, seeds, revision);
        }
        self.swept_from_all(seeds, buffer)
    }

    #[inline(never)]
    #[track_caller]
    fn swept_from_all(&self, seeds: &[(Var<'_>, f64)], mut adjoints: Vec<f64>) -> Adjoints<'_> {
        let mut placed = Vec::with_capacity(seeds.len());
        for &(output, weight) in seeds {
            if let Some(id) = output.number_on(self) {
                placed.push((id, weight));
            }
        }
        let len = placed.iter().map(|&(id, _)| id as usize + 1).max();
        adjoints.clear();
        adjoints.resize(len.unwrap_or(0), ABSENT);
        for &(id, weight) in &placed {
            let slot = &mut adjoints[id as usize];
            *slot = slot.plus(seed(weight));
        }
        let revision = self.sweep_back(&mut adjoints);
        Adjoints::new(Some(self), adjoints, Seeds::Many(placed), revision)
    }
}

impl<'t> Var<'t> {
    /// The adjoints of all nodes: the derivatives of this one with respect to
    /// each. One pass over the tape, from here to its start.
    ///
    /// The tape keeps nothing of it, so sweeps never add up. The gradient of a
    /// constant is 0 everywhere.
    pub fn backward(self) -> Adjoints<'t> {
        match self.place() {
            Some((tape, _)) => tape.backward_with(&[(self, 1.0)], Vec::new()),
            None => Adjoints::new(None, Vec::new(), Seeds::Many(Vec::new()), 0),
        }
    }
}

/// The derivative of one node with respect to another, along all paths between
/// them; 0 if there is none.
///
/// ```
/// use chainrule::{Tape, derivative};
/// let tape = Tape::new();
/// let x = tape.var(0.3);
/// let z = x * 2.0;
/// let y = z.sin() * z;
/// assert_eq!(derivative(y, x), 2.0 * derivative(y, z));
/// ```
///
/// # Panics
/// If they belong to two tapes.
#[track_caller]
pub fn derivative(of: Var<'_>, wrt: Var<'_>) -> f64 {
    of.backward().wrt(wrt)
}
