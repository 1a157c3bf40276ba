//! What a lap takes: nodes of its own, constants, and what is outside of it, which is in each
//! lap as much farther along as in the one before.

use super::turns::Turns;
use crate::graph::{Place, Record};
use crate::registers::FEW;
use std::ops::Range;

/// What moves by more different steps is not followed.
const MOST_STEPS: usize = 8;

/// Something that is elsewhere in each lap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moving {
    /// How much farther it is than in the lap before; if it goes back, modulo 2³².
    pub(super) step: u32,
    /// Where it is in the first lap.
    pub(super) at: u32,
}

impl Moving {
    pub(super) fn place(self, lap: usize) -> usize {
        self.at.wrapping_add(self.step.wrapping_mul(lap as u32)) as usize
    }
}

/// What an operand is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Taken {
    /// The node that is so many after the first of the lap.
    Own(usize),
    /// The node that has this number outside.
    Outside(usize),
    /// The constant that is so many after the first of the lap.
    Constant(usize),
}

/// What is taken from outside, and the constants.
#[derive(Clone)]
pub(super) struct Outside {
    pub(super) laps: Turns,
    /// All nodes, sorted, so that those which lie together have numbers that do.
    pub(super) nodes: Vec<Moving>,
    /// The constants of the first lap, which follow one another.
    pub(super) constants: Range<usize>,
}

impl Outside {
    /// With all the memory that it will take.
    pub(super) fn with_room() -> Self {
        Self {
            laps: Turns::default(),
            nodes: Vec::with_capacity(FEW),
            constants: 0..0,
        }
    }

    /// Notes what is taken from outside of laps of a loop whose first turn begins at `start`;
    /// nothing, if it cannot be followed.
    pub(super) fn note(&mut self, records: &[Record], laps: Turns, start: usize) -> Option<()> {
        self.laps = laps;
        self.nodes.clear();
        self.constants = 0..0;
        let lap = &records[laps.first..][..laps.period];
        let places = lap.iter().flat_map(|record| record.places()).flatten();
        let constants = places
            .filter(|place| matches!(place, Place::Constant(_)))
            .count();
        for node in 0..laps.period {
            for operand in 0..records[laps.first + node].op().arity()? {
                let (of_node, moving) = self.moving(records, node, operand);
                if of_node {
                    self.note_node(records, node, operand, moving, start)?;
                } else {
                    self.note_constant(moving, constants)?;
                }
            }
        }
        self.nodes.sort_unstable();
        self.are_apart().then_some(())
    }

    /// An operand, and whether it is a node.
    fn moving(&self, records: &[Record], node: usize, operand: usize) -> (bool, Moving) {
        let at = self.laps.first + node;
        let place = |at: usize| match records[at].places()[operand] {
            Some(Place::Node(at)) => (true, at),
            Some(Place::Constant(at)) => (false, at),
            None => unreachable!("an operation without this operand"),
        };
        let ((of_node, at), (_, next)) = (place(at), place(at + self.laps.period));
        let step = next.wrapping_sub(at) as u32;
        (
            of_node,
            Moving {
                step,
                at: at as u32,
            },
        )
    }

    fn is_own(&self, moving: Moving) -> bool {
        moving.step as usize == self.laps.period && moving.at as usize >= self.laps.first
    }

    /// If it is a node of the lap before, which one, by its place in that lap.
    pub(super) fn received_by(&self, moving: Moving) -> Option<usize> {
        let Turns { first, period, .. } = self.laps;
        let (at, step) = (moving.at as usize, moving.step as usize);
        let node = (at + period).checked_sub(first)?;
        (step == period && node < period).then_some(node)
    }

    fn note_node(
        &mut self,
        records: &[Record],
        node: usize,
        operand: usize,
        moving: Moving,
        start: usize,
    ) -> Option<()> {
        // A step may have gone beyond what a record can hold.
        let last = moving.place(self.laps.count - 1);
        let in_last = records[self.laps.last().start + node].places()[operand];
        if in_last != Some(Place::Node(last)) {
            return None;
        }
        if self.is_own(moving) {
            return Some(());
        }
        let is_before_loop = last.max(moving.at as usize) < start;
        if self.received_by(moving).is_none() && !is_before_loop {
            return None;
        }
        if !self.nodes.contains(&moving) {
            let has_room = self.nodes.len() < FEW; // as many adjoints would not fit
            has_room.then(|| self.nodes.push(moving))?;
        }
        Some(())
    }

    /// Each operation that takes a constant has one of its own, which follows that of the one
    /// before; and so from lap to lap, where they have so many.
    fn note_constant(&mut self, moving: Moving, count: usize) -> Option<()> {
        let at = moving.at as usize;
        if self.constants.is_empty() {
            self.constants = at..at;
        }
        let is_next = at == self.constants.end;
        self.constants.end += 1;
        (is_next && moving.step as usize == count).then_some(())
    }

    /// Whether none of what moves by different steps is ever the same node.
    fn are_apart(&self) -> bool {
        let by_step = || self.nodes.chunk_by(|a, b| a.step == b.step);
        let range = |nodes: &[Moving]| {
            let (low, high) = (nodes[0], nodes[nodes.len() - 1]);
            let last = self.laps.count - 1;
            let (low_at, high_at) = (low.at as usize, high.at as usize);
            low_at.min(low.place(last))..=high_at.max(high.place(last))
        };
        by_step().count() <= MOST_STEPS
            && by_step().enumerate().all(|(i, nodes)| {
                let this = range(nodes);
                let mut others = by_step().take(i).map(range);
                others.all(|other| this.end() < other.start() || other.end() < this.start())
            })
    }

    /// What an operand of a node of a lap is.
    pub(super) fn taken(&self, records: &[Record], node: usize, operand: usize) -> Taken {
        let (of_node, moving) = self.moving(records, node, operand);
        if !of_node {
            return Taken::Constant(moving.at as usize - self.constants.start);
        }
        if self.is_own(moving) {
            return Taken::Own(moving.at as usize - self.laps.first);
        }
        let number = self.nodes.binary_search(&moving);
        Taken::Outside(number.expect("noted with all others"))
    }
}
