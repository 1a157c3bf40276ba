//! `RecordingCache`: the adjoint program of a tape that records the same operations cachely.
//!
//! A program that records one graph for each row of data, or in each step of an optimisation,
//! mostly records the same operations with other numbers. After enough hits in a row, the adjoint
//! program of these operations is assembled, as for a `Function`. Later sweeps run it, as long as
//! the recording notices no difference: for a small recording as straight-line code
//! (`straight.rs`), for a large one as an unrolled loop (`unrolled.rs`; `iterations.rs` finds the
//! loop, `live_in.rs` its live-ins, `strip.rs` assembles and runs the program, `copies.rs` moves
//! numbers to registers and back). The adjoints have the bits of `reverse`.

mod copies;
mod iterations;
mod live_in;
mod straight;
mod strip;
mod unrolled;

use crate::graph::Recording;
use crate::graph::{GraphView, Place, Record};
use crate::ops::ABSENT;
use crate::registers::{FEW, Uses};
use crate::sweep::reverse_to;
use std::cmp::Ordering;
use straight::StraightLine;
use unrolled::UnrolledLoop;

/// The most nodes of straight-line code: most recordings need two registers for each node.
/// Larger ones are swept as loops.
pub(crate) const MOST_NODES: usize = FEW / 2;

/// The hits before the adjoint program is assembled. Assembly takes as long as the program saves
/// in so many sweeps.
const HITS: u32 = 16;

/// The most sweeps between two looks at the recording. Each miss doubles the pause, so that
/// recordings which always differ lose little time.
const MAX_PAUSE: u32 = 1 << 10;

#[derive(Clone)]
pub(crate) struct RecordingCache {
    /// The length and the output of the last recording looked at. `None` if no adjoint program
    /// can be made of it.
    len: Option<usize>,
    output: u32,
    /// How many sweeps in a row have met the same operations, after the first one.
    hits: u32,
    /// Sweeps until the next look at the recording.
    waiting: u32,
    pause: u32,
    straight: StraightLine,
    unrolled: Option<Box<UnrolledLoop>>,
    /// `RecordingCache::sweep`. A pointer keeps its code, 330 kB, out of programs that never
    /// clear a tape.
    sweep: Sweep,
}

type Sweep = fn(&mut RecordingCache, &mut Recording, u32, &mut Vec<f64>) -> Option<()>;

/// The most nodes of a loop. Larger ones do not fit into the processor's caches, where copying
/// costs more than it saves: W1 of 100,000 rows 216 → 316 ns a row (`docs/benchmarks.md`).
const MOST_LOOP_NODES: usize = 1 << 20;

/// Whether a recording of so many nodes is searched for a loop.
fn has_loops(nodes: usize) -> bool {
    (MOST_NODES + 1..=MOST_LOOP_NODES).contains(&nodes)
}

/// The values that the adjoint instructions of an operation on one or two operands read.
struct Read {
    operands: [bool; 2],
    result: bool,
}

/// The values that the adjoint instructions of a record read. There are none for an operand that
/// is a constant.
fn uses(record: Record) -> Read {
    let op = record.op();
    let to = match op.arity() {
        Some(1) => [Some(Uses::of_one(op)), None],
        Some(2) => Uses::of_two(op).map(Some),
        _ => [None, None],
    };
    let is_node = record
        .places()
        .map(|place| matches!(place, Some(Place::Node(_))));
    let any = |is_read: &dyn Fn(Uses) -> bool| {
        (0..2).any(|operand| is_node[operand] && to[operand].is_some_and(is_read))
    };
    Read {
        operands: [0, 1].map(|i| any(&|uses| uses.operand(i))),
        result: any(&Uses::result),
    }
}

impl RecordingCache {
    /// With all the memory that recordings of so many nodes will take.
    pub(crate) fn with_room(nodes: usize) -> Self {
        Self {
            len: None,
            output: 0,
            hits: 0,
            waiting: 0,
            pause: 0,
            straight: StraightLine::with_room(),
            unrolled: has_loops(nodes).then(|| Box::new(UnrolledLoop::with_room(nodes))),
            sweep: |cache, recording, output, adjoints| {
                cache.sweep(recording, output, adjoints, reverse_to)
            },
        }
    }

    /// The adjoints of all nodes up to `output`. `None`, and nothing written, if there is no
    /// adjoint program for this recording.
    #[inline(always)]
    pub(crate) fn adjoints(
        &mut self,
        recording: &mut Recording,
        output: u32,
        adjoints: &mut Vec<f64>,
    ) -> Option<()> {
        (self.sweep)(self, recording, output, adjoints)
    }

    /// The same. `reverse_to` sweeps node by node, down to the node that it is given, where the
    /// adjoint program does not.
    fn sweep(
        &mut self,
        recording: &mut Recording,
        output: u32,
        adjoints: &mut Vec<f64>,
        reverse_to: impl Fn(GraphView<'_>, &[f64], &mut [f64], usize),
    ) -> Option<()> {
        if self.waiting > 0 {
            self.waiting -= 1;
            return None;
        }
        let differs = recording.differs;
        let (program, registers) = recording.program_and_registers()?;
        let len = Some(program.records.len());
        if differs || len != self.len || output != self.output {
            self.miss(len, output);
            recording.differs = false;
            return None;
        }
        self.hits = self.hits.saturating_add(1);
        let is_small = program.records.len() <= MOST_NODES;
        match self.hits.cmp(&HITS) {
            Ordering::Less => None,
            Ordering::Equal => self.assemble(recording, output, adjoints, reverse_to),
            Ordering::Greater if is_small => {
                self.straight.sweep(program, registers, adjoints);
                Some(())
            }
            Ordering::Greater => {
                let unrolled = self.unrolled.as_mut()?;
                unrolled.sweep(recording, output, adjoints, reverse_to);
                Some(())
            }
        }
    }

    /// Sweeps node by node, and assembles the adjoint program.
    #[cold]
    #[inline(never)]
    fn assemble(
        &mut self,
        recording: &Recording,
        output: u32,
        adjoints: &mut Vec<f64>,
        reverse_to: impl Fn(GraphView<'_>, &[f64], &mut [f64], usize),
    ) -> Option<()> {
        let (program, values) = (recording.program(), recording.values());
        adjoints.clear();
        adjoints.resize(output as usize + 1, ABSENT);
        adjoints[output as usize] = 1.0;
        reverse_to(program, values, adjoints, 1); // the first node is a leaf
        let assembled = if program.records.len() <= MOST_NODES {
            self.straight.assemble(program.records, output)
        } else {
            let unrolled = self.unrolled.as_mut();
            unrolled.and_then(|unrolled| unrolled.assemble(program, adjoints))
        };
        if assembled.is_none() {
            self.miss(None, 0); // the next attempt would fail, too
        }
        Some(())
    }

    /// Starts to count the hits of another recording, after a pause: none for the first miss and
    /// after many hits, else twice the pause before.
    #[cold]
    #[inline(never)]
    fn miss(&mut self, len: Option<usize>, output: u32) {
        if self.hits > MAX_PAUSE {
            self.pause = 0;
        }
        self.waiting = self.pause;
        self.pause = (2 * self.pause + 1).min(MAX_PAUSE);
        self.hits = 0;
        if let Some(nodes) = len.filter(|&nodes| has_loops(nodes))
            && !self
                .unrolled
                .as_ref()
                .is_some_and(|unrolled| unrolled.has_room(nodes))
        {
            self.unrolled = Some(Box::new(UnrolledLoop::with_room(nodes)));
        }
        self.output = output;
        self.len = len;
    }
}

#[cfg(test)]
impl RecordingCache {
    /// How many sweeps in a row have met the same operations, after the first one.
    pub(crate) fn hits(&self) -> u32 {
        self.hits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::RecordForm;
    use crate::ops::Op;
    use std::cell::Cell;
    use std::panic::Location;

    /// Whether an adjoint program sweeps. `reverse_to` is called once while it is assembled, and
    /// twice beside that of a loop. Here it leaves the adjoints as they are.
    fn by_program(cache: &mut RecordingCache, recording: &mut Recording) -> bool {
        let (last, sweeps) = (recording.len() as u32 - 1, Cell::new(0));
        let count = |_: GraphView<'_>, _: &[f64], _: &mut [f64], _| sweeps.set(sweeps.get() + 1);
        let swept = cache.sweep(recording, last, &mut Vec::new(), count);
        swept.is_some() && sweeps.get() != 1
    }

    /// Records a chain of so many products and a sine, and sweeps it.
    fn is_swept(cache: &mut RecordingCache, recording: &mut Recording, products: u64) -> bool {
        recording.clear();
        recording.put(Record::INPUT, 0.5);
        for x in 0..products {
            recording.put(Record::new(Op::Mul, RecordForm::Nodes, x, x), 0.25);
        }
        let sine = Record::new(Op::Sin, RecordForm::Nodes, products, 0);
        recording.put(sine, 0.125);
        by_program(cache, recording)
    }

    fn new() -> (RecordingCache, Recording) {
        (RecordingCache::with_room(0), Recording::with_room(FEW))
    }

    /// How many of some sweeps run an adjoint program.
    fn swept(both: &mut (RecordingCache, Recording), sweeps: usize, products: u64) -> usize {
        let (cache, recording) = both;
        let each = (0..sweeps).map(|_| is_swept(cache, recording, products));
        each.map(usize::from).sum()
    }

    #[test]
    fn the_same_operations_are_swept_by_an_adjoint_program_from_the_18th_time_on() {
        let both = &mut new();
        assert_eq!(swept(both, 16, 3), 0);
        assert!(!both.0.straight.is_assembled(), "too soon");
        assert_eq!(swept(both, 1, 3), 0);
        assert_eq!(swept(both, 100, 3), 100);
    }

    #[test]
    fn each_miss_in_a_row_doubles_the_pause() {
        let both = &mut new();
        for (products, waits) in (0..12).zip([0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 1023, 1024]) {
            assert_eq!(swept(both, 1 + waits, products), 0);
            assert_eq!(both.0.waiting, 0);
        }
        assert_eq!(swept(both, 17 + 1024, 20), 0);
        assert_eq!(swept(both, 1100, 20), 1100);
        // After many hits there is no pause.
        assert_eq!(swept(both, 17, 3), 0);
        assert_eq!(swept(both, 1, 3), 1);
    }

    #[test]
    fn a_recording_that_takes_too_many_registers_has_no_straight_line_code() {
        // Each value and each adjoint takes a register, and so does the seed.
        let longest = MOST_NODES as u64 - 2;
        assert_eq!(swept(&mut new(), 18, longest), 1);
        // A longer chain is swept as a loop, in which fewer values are read.
        assert_eq!(swept(&mut new(), 18, longest + 1), 1);
        let sum = |recording: &mut Recording| {
            recording.put(Record::new(Op::Sum, RecordForm::Nodes, 0, 0), 0.0);
        };
        assert!(!is_swept_again(sum));
        // Constants take registers, too.
        let scaled = |count: u64| {
            move |recording: &mut Recording| {
                recording.put(Record::INPUT, 0.5);
                for x in 0..count {
                    let caller = Location::caller();
                    recording.push_slowly_with(Op::Mul, RecordForm::NodeConstant, x, 0.5, caller);
                }
            }
        };
        let most = (FEW as u64 - 2) / 3;
        assert!(is_swept_again(scaled(most)));
        assert!(!is_swept_again(scaled(most + 1)));
    }

    /// Whether the last of some sweeps runs an adjoint program.
    fn is_swept_again(record: impl Fn(&mut Recording)) -> bool {
        let (mut cache, mut recording) = new();
        let mut sweep = || {
            recording.clear();
            record(&mut recording);
            by_program(&mut cache, &mut recording)
        };
        (0..18).map(|_| sweep()).last() == Some(true)
    }

    /// One node that differs is a miss, wherever it stands. So is a recording that has given up its
    /// room in between, as a change of values makes it do.
    #[test]
    fn a_recording_that_differs_is_not_swept_by_the_adjoint_program_of_another() {
        let both = &mut new();
        for products in [3, 4, 3] {
            assert_eq!(swept(both, 100, products), 100 - 17);
            both.0.pause = 0;
        }
        let recording = &mut both.1;
        let record = |recording: &mut Recording, changed: Option<u64>| {
            recording.clear();
            recording.differs = false;
            for id in 0..5 {
                let op = if Some(id) == changed {
                    Op::Cos
                } else {
                    Op::Mul
                };
                recording.put(Record::new(op, RecordForm::Nodes, 0, 0), 0.5);
            }
            recording.differs
        };
        for changed in 0..5 {
            record(recording, None);
            assert!(!record(recording, None));
            assert!(record(recording, Some(changed)), "node {changed}");
        }
        record(recording, None);
        recording.changed();
        assert!(recording.differs, "its room was given up");
    }

    #[test]
    fn without_room_for_registers_there_is_no_adjoint_program() {
        let cache = &mut RecordingCache::with_room(0);
        let mut recording = Recording::with_room(FEW - 1);
        assert!((0..100).all(|_| !is_swept(cache, &mut recording, 3)));
        let mut recording = Recording::with_room(FEW);
        assert!((0..17).all(|_| !is_swept(cache, &mut recording, 3)));
        assert!(is_swept(cache, &mut recording, 3));
        let mut clone = (cache.clone(), recording.clone());
        assert!(is_swept(&mut clone.0, &mut clone.1, 3));
    }
}
