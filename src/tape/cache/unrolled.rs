//! `UnrolledLoop`: the reverse sweep of a recording that mostly is a loop. Some iterations of the
//! loop are unrolled together to a strip. The adjoint program of one strip serves for all.

use super::iterations::{Iterations, MAX_PERIOD, MIN_COUNT};
use super::strip::Strip;
use crate::graph::Recording;
use crate::graph::{GraphView, Record};
use crate::ops::ABSENT;
use smallvec::SmallVec;
use std::ops::Range;

/// The nodes of a strip: as many iterations as fit, and at least one. With so many, copying to
/// and from registers costs little beside the instructions.
const STRIP_NODES: usize = 112;

/// The most live-outs of a loop.
const MAX_LIVE_OUTS: usize = 4;

/// The same node of consecutive iterations, read by operations after the loop.
#[derive(Clone, Copy)]
struct LiveOut {
    first: usize,
    count: usize,
}

#[derive(Clone)]
pub(super) struct UnrolledLoop {
    strip: Strip,
    /// All iterations of the loop. The first ones and the last ones belong to no strip and are
    /// swept node by node: their live-ins or live-outs may differ.
    iterations: Iterations,
    /// All nodes before this one are leaves.
    leaves: usize,
}

impl UnrolledLoop {
    /// With all the memory that a loop of so many nodes will take.
    pub(super) fn with_room(nodes: usize) -> Self {
        Self {
            strip: Strip::with_room(room(nodes)),
            iterations: Iterations::default(),
            leaves: 0,
        }
    }

    pub(super) fn has_room(&self, nodes: usize) -> bool {
        self.strip.room() >= room(nodes)
    }

    /// Assembles the adjoint program of a strip, given all adjoints up to the output. `None` if
    /// no loop makes up most of the recording, or if its live-ins or live-outs are not regular.
    pub(super) fn assemble(&mut self, program: GraphView<'_>, adjoints: &[f64]) -> Option<()> {
        let records = program.records.get(..adjoints.len())?;
        self.leaves = leaves(records);
        let iterations = Iterations::find(records, self.leaves)?;
        let distance = iterations.max_distance(records)?;
        let count = iterations.count.checked_sub(2 * distance)?;
        // A strip carries values to the next strip only, so it is no shorter than the distance.
        let unrolled = (STRIP_NODES / iterations.period)
            .min(count / MIN_COUNT)
            .max(distance);
        let strips = Iterations {
            first: iterations.first + distance * iterations.period,
            period: unrolled * iterations.period,
            count: count / unrolled,
        };
        if strips.count < 2 || strips.period > MAX_PERIOD {
            return None;
        }
        self.iterations = iterations;
        self.strip
            .live_ins
            .find(records, strips, iterations.first)?;
        self.find_live_outs(program, &records[iterations.nodes().end..])?;
        self.strip
            .assemble(records, &adjoints[strips.first..iterations.nodes().end])
    }

    /// Finds the live-outs of the strips. `None` if a live-out is one of some strips only.
    fn find_live_outs(&mut self, program: GraphView<'_>, after: &[Record]) -> Option<()> {
        let (strips, Iterations { first, period, .. }) = (self.nodes(), self.iterations);
        self.strip.live_outs.clear();
        for live_out in self.read_by(program, after)? {
            let place = (live_out.first - first) % period;
            let end = live_out.first + live_out.count * period;
            if live_out.first > strips.start + place || end < strips.end {
                return None;
            }
            let places = (place..self.strip.live_ins.strips.period).step_by(period);
            self.strip
                .live_outs
                .extend(places.map(|place| place as u16));
        }
        Some(())
    }

    /// The nodes of all strips.
    fn nodes(&self) -> Range<usize> {
        self.strip.live_ins.strips.nodes()
    }

    /// What operations after the loop read of the strips and of the iterations before them, as a
    /// sum of all terms does. `None` if there are more than `MAX_LIVE_OUTS`.
    fn read_by(
        &self,
        program: GraphView<'_>,
        after: &[Record],
    ) -> Option<SmallVec<[LiveOut; MAX_LIVE_OUTS]>> {
        let nodes = self.iterations.first..self.nodes().end;
        let period = self.iterations.period;
        let mut live_outs = SmallVec::<[LiveOut; MAX_LIVE_OUTS]>::new();
        let mut fits = true;
        for &record in after {
            program.for_each_operand(record, |operand| {
                let node = operand.node().map_or(usize::MAX, |id| id as usize);
                if nodes.contains(&node) {
                    fits &= push(&mut live_outs, node, period);
                }
            });
        }
        fits.then_some(live_outs)
    }

    /// Sweeps the strips by the adjoint program, and what is before and after them by
    /// `reverse_to`, which sweeps down to the node that it is given.
    #[inline(never)]
    pub(super) fn sweep(
        &mut self,
        recording: &Recording,
        output: u32,
        adjoints: &mut Vec<f64>,
        reverse_to: impl Fn(GraphView<'_>, &[f64], &mut [f64], usize),
    ) {
        let (program, values) = (recording.program(), recording.values());
        let (len, nodes) = (output as usize + 1, self.nodes());
        adjoints.resize(len, ABSENT);
        // Strips write all of their adjoints. Without live-outs, operations after the strips have
        // contributed to the last strip only.
        let rest = match self.strip.live_outs.is_empty() {
            true => self.strip.live_ins.strips.last().start,
            false => nodes.start,
        };
        adjoints[..nodes.start].fill(ABSENT);
        adjoints[rest..].fill(ABSENT);
        adjoints[output as usize] = 1.0;
        reverse_to(program, values, adjoints, nodes.end);
        self.strip.sweep(program, values, adjoints);
        reverse_to(program, values, &mut adjoints[..nodes.start], self.leaves);
    }
}

/// Appends a node, to the last live-out if it continues it; `false` if there are too many.
fn push(live_outs: &mut SmallVec<[LiveOut; MAX_LIVE_OUTS]>, node: usize, period: usize) -> bool {
    if let Some(last) = live_outs.last_mut()
        && last.first + last.count * period == node
    {
        last.count += 1;
        return true;
    }
    let fits = live_outs.len() < MAX_LIVE_OUTS;
    if fits {
        let (first, count) = (node, 1);
        live_outs.push(LiveOut { first, count });
    }
    fits
}

/// The nodes of the longest strip of a recording of so many nodes. A power of two, so that a
/// recording which grows allocates only a few times.
fn room(nodes: usize) -> usize {
    (nodes / MIN_COUNT)
        .clamp(STRIP_NODES, MAX_PERIOD)
        .next_power_of_two()
}

/// The number of leaves before the first operation.
fn leaves(records: &[Record]) -> usize {
    let is_leaf = |record: &&Record| record.op().arity() == Some(0);
    records.iter().take_while(is_leaf).count()
}
