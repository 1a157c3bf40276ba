//! `LiveIns`: the operands of a strip that are not its own nodes. Each is an affine function of
//! the strip's number, uniform if its stride is 0.

use super::iterations::Iterations;
use crate::graph::{Place, Record};
use crate::registers::FEW;
use std::ops::Range;

/// The most different strides of the live-ins of a loop.
const MAX_STRIDES: usize = 8;

/// A position that moves by the same stride from each strip to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Affine {
    /// Modulo 2³², so that it may be negative. It stands first so that live-ins sort by stride.
    pub(super) stride: u32,
    /// The position in the first strip.
    pub(super) base: u32,
}

impl Affine {
    /// The position in a strip.
    pub(super) fn at(self, strip: usize) -> usize {
        let offset = self.stride.wrapping_mul(strip as u32);
        self.base.wrapping_add(offset) as usize
    }
}

/// An operand of a node in a strip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum StripOperand {
    /// A node of the strip, by its offset from the first one.
    Own(usize),
    /// A live-in, by its index in `LiveIns::nodes`.
    LiveIn(usize),
    /// A constant, by its offset from the first constant of the strip.
    Constant(usize),
}

/// The live-in nodes of a strip, and its constants.
#[derive(Clone)]
pub(super) struct LiveIns {
    /// The strips: iterations of the unrolled loop.
    pub(super) strips: Iterations,
    /// Sorted, so that contiguous nodes have contiguous indices.
    pub(super) nodes: Vec<Affine>,
    /// The constants of the first strip, which are contiguous.
    pub(super) constants: Range<usize>,
}

impl LiveIns {
    /// With all the memory that it will take.
    pub(super) fn with_room() -> Self {
        Self {
            strips: Iterations::default(),
            nodes: Vec::with_capacity(FEW),
            constants: 0..0,
        }
    }

    /// Finds the live-ins of strips of a loop whose first iteration begins at `start`. `None` if
    /// one of them is not affine, or two may alias.
    pub(super) fn find(
        &mut self,
        records: &[Record],
        strips: Iterations,
        start: usize,
    ) -> Option<()> {
        self.strips = strips;
        self.nodes.clear();
        self.constants = 0..0;
        let strip = &records[strips.first..][..strips.period];
        let places = strip.iter().flat_map(|record| record.places()).flatten();
        let constants = places
            .filter(|place| matches!(place, Place::Constant(_)))
            .count();
        for node in 0..strips.period {
            for operand in 0..records[strips.first + node].op().arity()? {
                let (is_node, place) = self.affine(records, node, operand);
                if is_node {
                    self.add_node(records, node, operand, place, start)?;
                } else {
                    self.add_constant(place, constants)?;
                }
            }
        }
        self.nodes.sort_unstable();
        self.are_disjoint().then_some(())
    }

    /// Whether an operand is a node, and its position, extrapolated from the first two strips.
    fn affine(&self, records: &[Record], node: usize, operand: usize) -> (bool, Affine) {
        let at = self.strips.first + node;
        let place = |at: usize| match records[at].places()[operand] {
            Some(Place::Node(at)) => (true, at),
            Some(Place::Constant(at)) => (false, at),
            None => unreachable!("an operation without this operand"),
        };
        let ((is_node, base), (_, next)) = (place(at), place(at + self.strips.period));
        let stride = next.wrapping_sub(base) as u32;
        let base = base as u32;
        (is_node, Affine { stride, base })
    }

    fn is_own(&self, place: Affine) -> bool {
        place.stride as usize == self.strips.period && place.base as usize >= self.strips.first
    }

    /// The offset of a live-in in the strip before, if it is a node of that strip: a loop-carried
    /// dependence.
    pub(super) fn carried(&self, place: Affine) -> Option<usize> {
        let Iterations { first, period, .. } = self.strips;
        let (base, stride) = (place.base as usize, place.stride as usize);
        let node = (base + period).checked_sub(first)?;
        (stride == period && node < period).then_some(node)
    }

    fn add_node(
        &mut self,
        records: &[Record],
        node: usize,
        operand: usize,
        place: Affine,
        start: usize,
    ) -> Option<()> {
        // Extrapolation may have left the range of positions that a record can hold.
        let last = place.at(self.strips.count - 1);
        let in_last = records[self.strips.last().start + node].places()[operand];
        if in_last != Some(Place::Node(last)) {
            return None;
        }
        if self.is_own(place) {
            return Some(());
        }
        let is_before_loop = last.max(place.base as usize) < start;
        if self.carried(place).is_none() && !is_before_loop {
            return None;
        }
        if !self.nodes.contains(&place) {
            let has_room = self.nodes.len() < FEW; // more adjoints do not fit into the registers
            has_room.then(|| self.nodes.push(place))?;
        }
        Some(())
    }

    /// Constants must be contiguous: each operand has one of its own, which follows that of the
    /// operand before, and each strip has `count` of them.
    fn add_constant(&mut self, place: Affine, count: usize) -> Option<()> {
        let base = place.base as usize;
        if self.constants.is_empty() {
            self.constants = base..base;
        }
        let is_next = base == self.constants.end;
        self.constants.end += 1;
        (is_next && place.stride as usize == count).then_some(())
    }

    /// Whether live-ins of different strides never alias.
    fn are_disjoint(&self) -> bool {
        let by_stride = || self.nodes.chunk_by(|a, b| a.stride == b.stride);
        let range = |nodes: &[Affine]| {
            let (low, high) = (nodes[0], nodes[nodes.len() - 1]);
            let last = self.strips.count - 1;
            let (low_base, high_base) = (low.base as usize, high.base as usize);
            low_base.min(low.at(last))..=high_base.max(high.at(last))
        };
        by_stride().count() <= MAX_STRIDES
            && by_stride().enumerate().all(|(i, nodes)| {
                let this = range(nodes);
                let mut others = by_stride().take(i).map(range);
                others.all(|other| this.end() < other.start() || other.end() < this.start())
            })
    }

    /// What an operand of a node in the strip is.
    pub(super) fn operand(&self, records: &[Record], node: usize, operand: usize) -> StripOperand {
        let (is_node, place) = self.affine(records, node, operand);
        if !is_node {
            return StripOperand::Constant(place.base as usize - self.constants.start);
        }
        if self.is_own(place) {
            return StripOperand::Own(place.base as usize - self.strips.first);
        }
        let index = self.nodes.binary_search(&place);
        StripOperand::LiveIn(index.expect("`find` adds all live-ins"))
    }
}
