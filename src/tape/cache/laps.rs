//! `Laps`: how a recording is swept that mostly is a loop: by pullbacks made for some of its
//! turns, a lap, which are used again for each lap.

use super::lap::Lap;
use super::turns::{FEWEST, LONGEST, Turns};
use crate::graph::Recording;
use crate::graph::{Graph, Record};
use crate::ops::ABSENT;
use smallvec::SmallVec;
use std::ops::Range;

/// A lap has as many turns as make so many nodes, or one: then copying costs little beside what
/// is done.
const NODES: usize = 112;

/// More columns than these are not followed.
const MOST_COLUMNS: usize = 4;

/// The same node of one turn after another, taken by operations after the loop.
#[derive(Clone, Copy)]
struct Column {
    first: usize,
    count: usize,
}

#[derive(Clone)]
pub(super) struct Laps {
    lap: Lap,
    /// All turns of the loop. The first and the last are swept: what they take, or is taken of
    /// them, may be something else.
    turns: Turns,
    /// Before this node there are only leaves.
    leaves: usize,
}

impl Laps {
    /// With all the memory that the loop of so many nodes will take.
    pub(super) fn with_room(nodes: usize) -> Self {
        Self {
            lap: Lap::with_room(room(nodes)),
            turns: Turns::default(),
            leaves: 0,
        }
    }

    pub(super) fn has_room(&self, nodes: usize) -> bool {
        self.lap.room() >= room(nodes)
    }

    /// Makes the pullbacks, given all adjoints up to the output; nothing, if no loop is most of
    /// what was recorded, or something else is done with its nodes.
    pub(super) fn make(&mut self, program: Graph<'_>, adjoints: &[f64]) -> Option<()> {
        let records = program.records.get(..adjoints.len())?;
        self.leaves = leaves(records);
        let turns = Turns::find(records, self.leaves)?;
        let back = turns.farthest_back(records)?;
        let count = turns.count.checked_sub(2 * back)?;
        let together = (NODES / turns.period).min(count / FEWEST).max(back);
        let laps = Turns {
            first: turns.first + back * turns.period,
            period: together * turns.period,
            count: count / together,
        };
        if laps.count < 2 || laps.period > LONGEST {
            return None;
        }
        self.turns = turns;
        self.lap.outside.note(records, laps, turns.first)?;
        self.note_after(program, &records[turns.nodes().end..])?;
        self.lap
            .make(records, &adjoints[laps.first..turns.nodes().end])
    }

    /// Notes what is taken after the loop; nothing, if it is taken of some laps only.
    fn note_after(&mut self, program: Graph<'_>, after: &[Record]) -> Option<()> {
        let (laps, Turns { first, period, .. }) = (self.nodes(), self.turns);
        self.lap.taken.clear();
        for column in self.taken_by(program, after)? {
            let place = (column.first - first) % period;
            let end = column.first + column.count * period;
            if column.first > laps.start + place || end < laps.end {
                return None;
            }
            let places = (place..self.lap.outside.laps.period).step_by(period);
            self.lap.taken.extend(places.map(|place| place as u16));
        }
        Some(())
    }

    /// The nodes of all laps.
    fn nodes(&self) -> Range<usize> {
        self.lap.outside.laps.nodes()
    }

    /// What operations after the loop take of the laps, and of the loop before them, as a sum of
    /// all terms does; nothing, if it is too much to follow.
    fn taken_by(
        &self,
        program: Graph<'_>,
        after: &[Record],
    ) -> Option<SmallVec<[Column; MOST_COLUMNS]>> {
        let (nodes, period) = (self.turns.first..self.nodes().end, self.turns.period);
        let mut columns = SmallVec::<[Column; MOST_COLUMNS]>::new();
        let mut fits = true;
        for &record in after {
            program.for_each_operand(record, |operand| {
                let node = operand.node().map_or(usize::MAX, |id| id as usize);
                if nodes.contains(&node) {
                    fits &= note(&mut columns, node, period);
                }
            });
        }
        fits.then_some(columns)
    }

    /// Sweeps by the pullbacks; where there are none `reverse_to` sweeps to the node that it is
    /// given.
    #[inline(never)]
    pub(super) fn sweep(
        &mut self,
        recording: &Recording,
        output: u32,
        adjoints: &mut Vec<f64>,
        reverse_to: impl Fn(Graph<'_>, &[f64], &mut [f64], usize),
    ) {
        let (program, values) = (recording.program(), recording.values());
        let (len, nodes) = (output as usize + 1, self.nodes());
        adjoints.resize(len, ABSENT);
        // Of laps of which nothing else is taken all adjoints are written.
        let rest = match self.lap.taken.is_empty() {
            true => self.lap.outside.laps.last().start,
            false => nodes.start,
        };
        adjoints[..nodes.start].fill(ABSENT);
        adjoints[rest..].fill(ABSENT);
        adjoints[output as usize] = 1.0;
        reverse_to(program, values, adjoints, nodes.end);
        self.lap.pull_back(program, values, adjoints);
        reverse_to(program, values, &mut adjoints[..nodes.start], self.leaves);
    }
}

/// Puts one more node into columns, unless it takes one too many.
fn note(columns: &mut SmallVec<[Column; MOST_COLUMNS]>, node: usize, period: usize) -> bool {
    if let Some(last) = columns.last_mut()
        && last.first + last.count * period == node
    {
        last.count += 1;
        return true;
    }
    let fits = columns.len() < MOST_COLUMNS;
    if fits {
        let (first, count) = (node, 1);
        columns.push(Column { first, count });
    }
    fits
}

/// For laps of how many nodes there should be memory if a recording has so many; not for any
/// number, so that a recording which grows takes it only a few times.
fn room(nodes: usize) -> usize {
    (nodes / FEWEST).clamp(NODES, LONGEST).next_power_of_two()
}

/// How many leaves there are before the first operation.
fn leaves(records: &[Record]) -> usize {
    let is_leaf = |record: &&Record| record.op().arity() == Some(0);
    records.iter().take_while(is_leaf).count()
}
