//! Finds the turns of a loop in a recording: one sequence of operations, recorded again and
//! again, with operands that are in each turn as much farther along as in the one before.

use crate::graph::{Place, Record};
use std::ops::Range;

/// Turns of more nodes are not looked for.
pub(super) const LONGEST: usize = 1 << 9;

/// Among so few turns at least; fewer are not worth it.
pub(super) const FEWEST: usize = 8;

/// Looking takes no more steps than so many for each node.
const STEPS: usize = 4;

/// Turns may take what was recorded so many turns before them.
const FARTHEST: usize = 4;

/// The turns of a loop, which follow one another.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Turns {
    /// The first node of the first turn.
    pub(super) first: usize,
    /// How many nodes a turn has.
    pub(super) period: usize,
    pub(super) count: usize,
}

impl Turns {
    /// Of the loop that is most of a recording after the `leaves` which it begins with; nothing,
    /// if there is none.
    pub(super) fn find(records: &[Record], leaves: usize) -> Option<Self> {
        let (len, operations) = (records.len(), records.len() - leaves);
        // Before what is made of the sum of a loop.
        let (at, mut steps) = (len - operations / 4, STEPS * len);
        for period in 1..=LONGEST.min(operations / FEWEST) {
            let is_even = |at: &usize| is_even(records, *at, period);
            let after = (at..len).take_while(is_even).count();
            if after == 0 {
                continue;
            }
            let before = (0..at).rev().take_while(is_even).count();
            // The first turn and the last are what others were compared with.
            let nodes = before + after + 2 * period;
            if 2 * nodes >= operations && nodes >= FEWEST * period {
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

    /// The last turn.
    pub(super) fn last(&self) -> Range<usize> {
        let end = self.nodes().end;
        end - self.period..end
    }

    /// How many turns before it is the earliest that a turn takes something of, at least one;
    /// nothing, if that is too far.
    pub(super) fn farthest_back(&self, records: &[Record]) -> Option<usize> {
        let (last, mut farthest) = (self.last(), 1);
        for at in last.clone() {
            let before = records[at - self.period].places();
            for pair in records[at].places().into_iter().zip(before) {
                if let (Some(Place::Node(node)), Some(Place::Node(before))) = pair
                    && node.wrapping_sub(before) == self.period
                    && (self.first..last.start).contains(&node)
                {
                    farthest = farthest.max((last.start - node).div_ceil(self.period));
                }
            }
        }
        (farthest <= FARTHEST).then_some(farthest)
    }
}

/// Whether a node does the same as those a period before and after it, with operands that lie
/// evenly.
fn is_even(records: &[Record], at: usize, period: usize) -> bool {
    let (Some(before), Some(after)) = (at.checked_sub(period), records.get(at + period)) else {
        return false;
    };
    after.is_in_line(records[at], records[before])
}
