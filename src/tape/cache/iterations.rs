//! `Iterations`: a loop found in a recording. A loop is one sequence of operations recorded many
//! times in a row, whose operands move by the same stride from each iteration to the next.

use crate::graph::{Place, Record};
use std::ops::Range;

/// The most nodes of an iteration. Longer periods are not tried.
pub(super) const MAX_PERIOD: usize = 1 << 9;

/// The fewest iterations of a loop. Fewer do not repay the assembly.
pub(super) const MIN_COUNT: usize = 8;

/// Bounds the search: so many comparisons for each node of the recording.
const STEPS: usize = 4;

/// The longest loop-carried dependence, in iterations.
const MAX_DISTANCE: usize = 4;

/// Consecutive iterations of a loop, all of the same length.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Iterations {
    /// The first node of the first iteration.
    pub(super) first: usize,
    /// The number of nodes of an iteration.
    pub(super) period: usize,
    pub(super) count: usize,
}

impl Iterations {
    /// Finds the loop that makes up most of a recording after its first `leaves` nodes. `None` if
    /// there is no such loop.
    pub(super) fn find(records: &[Record], leaves: usize) -> Option<Self> {
        let (len, operations) = (records.len(), records.len() - leaves);
        // The search starts before the end: operations on the loop's result may follow it.
        let (at, mut steps) = (len - operations / 4, STEPS * len);
        for period in 1..=MAX_PERIOD.min(operations / MIN_COUNT) {
            let is_even = |at: &usize| is_even(records, *at, period);
            let after = (at..len).take_while(is_even).count();
            if after == 0 {
                continue;
            }
            let before = (0..at).rev().take_while(is_even).count();
            // The first iteration and the last are those that others were compared with.
            let nodes = before + after + 2 * period;
            if 2 * nodes >= operations && nodes >= MIN_COUNT * period {
                let count = nodes / period;
                let first = at + after + period - count * period;
                return Some(Self {
                    first,
                    period,
                    count,
                });
            }
            steps = steps.checked_sub(before + after)?;
        }
        None
    }

    pub(super) fn nodes(&self) -> Range<usize> {
        self.first..self.first + self.count * self.period
    }

    /// The nodes of the last iteration.
    pub(super) fn last(&self) -> Range<usize> {
        let end = self.nodes().end;
        end - self.period..end
    }

    /// The longest loop-carried dependence, in iterations and at least 1. `None` if it is longer
    /// than `MAX_DISTANCE`.
    pub(super) fn max_distance(&self, records: &[Record]) -> Option<usize> {
        let (last, mut distance) = (self.last(), 1);
        for at in last.clone() {
            let before = records[at - self.period].places();
            for pair in records[at].places().into_iter().zip(before) {
                if let (Some(Place::Node(node)), Some(Place::Node(before))) = pair
                    && node.wrapping_sub(before) == self.period
                    && (self.first..last.start).contains(&node)
                {
                    distance = distance.max((last.start - node).div_ceil(self.period));
                }
            }
        }
        (distance <= MAX_DISTANCE).then_some(distance)
    }
}

/// Whether a node has the same operation as the nodes one period before and after it, and
/// operands at a constant stride.
fn is_even(records: &[Record], at: usize, period: usize) -> bool {
    let (Some(before), Some(after)) = (at.checked_sub(period), records.get(at + period)) else {
        return false;
    };
    after.is_in_line(records[at], records[before])
}
