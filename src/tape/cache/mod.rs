//! `RecordingCache`: how a tape is swept on which the same operations are recorded again and again.
//!
//! A program that records the same graph for each row of data, or in each step of an
//! optimisation, mostly records the same operations with other numbers. When they have been
//! the same often enough, their pullbacks are made once, as for a `Function`, and a sweep goes
//! through these, as long as the recording sees that nothing differs: of small recordings all
//! pullbacks (`whole.rs`), of large ones those of some turns of the loop that they mostly are
//! (`laps.rs`; `turns.rs` finds it, `outside.rs` says what it takes, `lap.rs` makes and uses the
//! pullbacks, `runs.rs` copies what they read and send). The bits are those of `reverse`.

mod lap;
mod laps;
mod outside;
mod runs;
mod turns;
mod whole;

use crate::graph::Recording;
use crate::graph::{Graph, Place, Record};
use crate::ops::ABSENT;
use crate::registers::{FEW, Uses};
use crate::sweep::reverse_to;
use laps::Laps;
use std::cmp::Ordering;
use whole::Whole;

/// Recordings of more nodes are swept by the pullbacks of a loop: two registers a node is what
/// most need.
pub(crate) const MOST_NODES: usize = FEW / 2;

/// So often the same must have been swept before its pullbacks are made, which takes as long
/// as they save in as many sweeps.
const OFTEN: u32 = 16;

/// Where operations are others than before, more and more sweeps pass before they are looked
/// at again, but no more than these; so little time is lost where no two are the same.
const LONGEST_PAUSE: u32 = 1 << 10;

#[derive(Clone)]
pub(crate) struct RecordingCache {
    /// How many nodes the tape had when it was last looked at, if pullbacks may be made of
    /// them, and from which it was swept.
    len: Option<usize>,
    output: u32,
    /// How often they have been swept from there.
    sweeps: u32,
    /// How many sweeps pass before the next one is looked at.
    waiting: u32,
    pause: u32,
    whole: Whole,
    laps: Option<Box<Laps>>,
    /// `RecordingCache::sweep`. By way of a pointer who never clears a tape has no code for it
    /// in his program: 330 kB.
    sweep: Sweep,
}

type Sweep = fn(&mut RecordingCache, &mut Recording, u32, &mut Vec<f64>) -> Option<()>;

/// Loops of more nodes lie in no cache of the processor: copying what they read and send then
/// takes longer than is saved, W1 of 100,000 rows 216 → 316 ns a row (`docs/benchmarks.md`).
const MOST_LOOP_NODES: usize = 1 << 20;

/// Whether a loop is looked for among so many nodes.
fn has_loops(nodes: usize) -> bool {
    (MOST_NODES + 1..=MOST_LOOP_NODES).contains(&nodes)
}

/// What is read by the pullbacks of an operation on one or two operands.
struct Read {
    operands: [bool; 2],
    result: bool,
}

/// What pullbacks of this record read when they send to those operands that are nodes.
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
    /// With all the memory that a recording of so many nodes will take.
    pub(crate) fn with_room(nodes: usize) -> Self {
        Self {
            len: None,
            output: 0,
            sweeps: 0,
            waiting: 0,
            pause: 0,
            whole: Whole::with_room(),
            laps: has_loops(nodes).then(|| Box::new(Laps::with_room(nodes))),
            sweep: |cache, recording, output, adjoints| {
                cache.sweep(recording, output, adjoints, reverse_to)
            },
        }
    }

    /// The adjoints of all nodes up to `output`, if it has them.
    #[inline(always)]
    pub(crate) fn adjoints(
        &mut self,
        recording: &mut Recording,
        output: u32,
        adjoints: &mut Vec<f64>,
    ) -> Option<()> {
        (self.sweep)(self, recording, output, adjoints)
    }

    /// The adjoints of all nodes up to `output`, if pullbacks of the same operations have been
    /// made. Where there are none, `reverse_to` sweeps to the node that it is given.
    fn sweep(
        &mut self,
        recording: &mut Recording,
        output: u32,
        adjoints: &mut Vec<f64>,
        reverse_to: impl Fn(Graph<'_>, &[f64], &mut [f64], usize),
    ) -> Option<()> {
        if self.waiting > 0 {
            self.waiting -= 1;
            return None;
        }
        let differs = recording.differs;
        let (program, registers) = recording.program_and_registers()?;
        let len = Some(program.records.len());
        if differs || len != self.len || output != self.output {
            self.turn_to(len, output);
            recording.differs = false;
            return None;
        }
        self.sweeps = self.sweeps.saturating_add(1);
        let is_small = program.records.len() <= MOST_NODES;
        match self.sweeps.cmp(&OFTEN) {
            Ordering::Less => None,
            Ordering::Equal => self.make(recording, output, adjoints, reverse_to),
            Ordering::Greater if is_small => {
                self.whole.pull_back(program, registers, adjoints);
                Some(())
            }
            Ordering::Greater => {
                let laps = self.laps.as_mut()?;
                laps.sweep(recording, output, adjoints, reverse_to);
                Some(())
            }
        }
    }

    /// Makes the pullbacks, and sweeps without them.
    #[cold]
    #[inline(never)]
    fn make(
        &mut self,
        recording: &Recording,
        output: u32,
        adjoints: &mut Vec<f64>,
        reverse_to: impl Fn(Graph<'_>, &[f64], &mut [f64], usize),
    ) -> Option<()> {
        let (program, values) = (recording.program(), recording.values());
        adjoints.clear();
        adjoints.resize(output as usize + 1, ABSENT);
        adjoints[output as usize] = 1.0;
        reverse_to(program, values, adjoints, 1); // the first node sends nothing
        let made = if program.records.len() <= MOST_NODES {
            self.whole.make(program.records, output)
        } else {
            let laps = self.laps.as_mut();
            laps.and_then(|laps| laps.make(program, adjoints))
        };
        if made.is_none() {
            self.turn_to(None, 0); // nor will it be made the next time
        }
        Some(())
    }

    /// Looks at other operations, the first time at once.
    #[cold]
    #[inline(never)]
    fn turn_to(&mut self, len: Option<usize>, output: u32) {
        if self.sweeps > LONGEST_PAUSE {
            self.pause = 0;
        }
        self.waiting = self.pause;
        self.pause = (2 * self.pause + 1).min(LONGEST_PAUSE);
        self.sweeps = 0;
        if let Some(nodes) = len.filter(|&nodes| has_loops(nodes))
            && !self.laps.as_ref().is_some_and(|laps| laps.has_room(nodes))
        {
            self.laps = Some(Box::new(Laps::with_room(nodes)));
        }
        self.output = output;
        self.len = len;
    }
}

#[cfg(test)]
impl RecordingCache {
    /// How often in a row the same was swept, after the first time.
    pub(crate) fn sweeps(&self) -> u32 {
        self.sweeps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::RecordForm;
    use crate::ops::Op;
    use std::cell::Cell;
    use std::panic::Location;

    /// Whether it is swept by pullbacks: where there are none yet, a sweep is asked for once, and
    /// with those of a loop twice. It leaves the adjoints as they are.
    fn by_pullbacks(repeated: &mut RecordingCache, recording: &mut Recording) -> bool {
        let (last, sweeps) = (recording.len() as u32 - 1, Cell::new(0));
        let count = |_: Graph<'_>, _: &[f64], _: &mut [f64], _| sweeps.set(sweeps.get() + 1);
        let swept = repeated.sweep(recording, last, &mut Vec::new(), count);
        swept.is_some() && sweeps.get() != 1
    }

    /// Records a chain of so many products and a sine, and sweeps it.
    fn is_swept(repeated: &mut RecordingCache, recording: &mut Recording, products: u64) -> bool {
        recording.clear();
        recording.put(Record::INPUT, 0.5);
        for x in 0..products {
            recording.put(Record::new(Op::Mul, RecordForm::Nodes, x, x), 0.25);
        }
        let sine = Record::new(Op::Sin, RecordForm::Nodes, products, 0);
        recording.put(sine, 0.125);
        by_pullbacks(repeated, recording)
    }

    fn new() -> (RecordingCache, Recording) {
        (RecordingCache::with_room(0), Recording::with_room(FEW))
    }

    /// How many of some sweeps are by pullbacks.
    fn swept(both: &mut (RecordingCache, Recording), sweeps: usize, products: u64) -> usize {
        let (repeated, recording) = both;
        let each = (0..sweeps).map(|_| is_swept(repeated, recording, products));
        each.map(usize::from).sum()
    }

    #[test]
    fn the_same_is_swept_by_pullbacks_from_the_18th_time_on() {
        let both = &mut new();
        assert_eq!(swept(both, 16, 3), 0);
        assert!(!both.0.whole.is_made(), "made too soon");
        assert_eq!(swept(both, 1, 3), 0);
        assert_eq!(swept(both, 100, 3), 100);
    }

    #[test]
    fn others_are_looked_at_less_and_less_often() {
        let both = &mut new();
        for (products, waits) in (0..12).zip([0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 1023, 1024]) {
            assert_eq!(swept(both, 1 + waits, products), 0);
            assert_eq!(both.0.waiting, 0);
        }
        assert_eq!(swept(both, 17 + 1024, 20), 0);
        assert_eq!(swept(both, 1100, 20), 1100);
        // What has been of use is looked for at once.
        assert_eq!(swept(both, 17, 3), 0);
        assert_eq!(swept(both, 1, 3), 1);
    }

    #[test]
    fn what_takes_too_many_registers_is_not_swept_so() {
        // Each value and each adjoint takes one, and the adjoint 1.
        let longest = MOST_NODES as u64 - 2;
        assert_eq!(swept(&mut new(), 18, longest), 1);
        // What is larger is a loop here, with fewer values that are read.
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

    /// Whether the last of some sweeps is by pullbacks.
    fn is_swept_again(record: impl Fn(&mut Recording)) -> bool {
        let (mut repeated, mut recording) = new();
        let mut sweep = || {
            recording.clear();
            record(&mut recording);
            by_pullbacks(&mut repeated, &mut recording)
        };
        (0..18).map(|_| sweep()).last() == Some(true)
    }

    /// Each node that differs is seen, wherever it is and whatever else is the same; also where
    /// the room of a recording was given up in between, as it is when values are changed.
    #[test]
    fn what_differs_is_not_swept_by_the_pullbacks_of_others() {
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
    fn nothing_is_swept_so_without_room_for_registers() {
        let repeated = &mut RecordingCache::with_room(0);
        let mut recording = Recording::with_room(FEW - 1);
        assert!((0..100).all(|_| !is_swept(repeated, &mut recording, 3)));
        let mut recording = Recording::with_room(FEW);
        assert!((0..17).all(|_| !is_swept(repeated, &mut recording, 3)));
        assert!(is_swept(repeated, &mut recording, 3));
        let mut clone = (repeated.clone(), recording.clone());
        assert!(is_swept(&mut clone.0, &mut clone.1, 3));
    }
}
