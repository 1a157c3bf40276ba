//! The steps of a plan over a block of rows: each operation in a loop of its own.
//!
//! The loops are plain and of constant length, over numbers that read the table
//! without branches (`Lane`); they compile to vector instructions. All of it is
//! inlined into one function, which `rows.rs` compiles for several processors.
//!
//! A row that is beyond the last has no seed, so that nothing of it goes
//! anywhere. Rows are added up by the remainder of their number by `LANES`, so
//! that the order does not depend on how many a processor adds at once.

use super::kernels::{
    Result1, Result2, ResultN, Sender, Share1, Share2, ShareN, add_product, deliver,
};
use super::plan::{Argument, Kind, Place, Plan, RowGuard, Step, To};
use crate::ops::{ABSENT, Op, OpTask, table};
use smallvec::SmallVec;

/// Rows evaluated together.
pub(super) const BLOCK: usize = 64;
/// Sums over rows that are kept apart.
pub(super) const LANES: usize = 8;

pub(super) type Block = [f64; BLOCK];
pub(super) type Total = [f64; LANES];

table! { dispatch }

/// The numbers of an operand in a block of rows.
#[derive(Clone, Copy)]
pub(super) enum View<'a> {
    Each(&'a Block),
    All(f64),
}

impl View<'_> {
    #[inline(always)]
    pub(super) fn at(self, row: usize) -> f64 {
        match self {
            Self::Each(block) => block[row],
            Self::All(value) => value,
        }
    }
}

/// Columns of data as they lie with the caller: row `r` of a column is at `r·stride`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns<'d> {
    pub(super) data: &'d [&'d [f64]],
    pub(super) stride: usize,
    pub(super) rows: usize,
}

/// A comparison that came out the other way than recorded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Broken {
    pub(super) row: usize,
    /// Its place among the guards of the recording.
    pub(super) guard: usize,
    pub(super) operands: (f64, f64),
}

/// What evaluating a block needs, to be used again.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    values: Vec<Block>,
    adjoints: Vec<Block>,
    /// Columns of a block that cannot be read where they lie.
    gathered: Vec<Block>,
    pub(super) totals: Vec<Total>,
}

/// A block of rows.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) plan: &'a Plan,
    pub(super) columns: Columns<'a>,
    /// The numbers that are the same in all rows.
    pub(super) shared: &'a [f64],
    /// The first row.
    pub(super) first: usize,
}

impl Rows<'_> {
    /// Evaluates all blocks up to the row `end`, and adds up the output and,
    /// if there is to be a `gradient`, the totals.
    #[inline(always)]
    pub(super) fn add_up(
        mut self,
        end: usize,
        gradient: bool,
        scratch: &mut Scratch,
    ) -> Result<Total, Broken> {
        let mut sum = [ABSENT; LANES];
        while self.first < end {
            self.forward(scratch)?;
            if let Some(output) = self.plan.output {
                let output = self.read(output, scratch);
                for i in 0..self.count() {
                    sum[i % LANES] += output.at(i);
                }
            }
            if gradient {
                self.reverse(scratch);
            }
            self.first += BLOCK;
        }
        Ok(sum)
    }

    /// How many rows there are of this block.
    #[inline(always)]
    pub(super) fn count(&self) -> usize {
        (self.columns.rows - self.first).min(BLOCK)
    }

    /// Whether columns can be read where they lie.
    #[inline(always)]
    fn direct(&self) -> bool {
        self.columns.stride == 1 && self.count() == BLOCK
    }

    #[inline(always)]
    fn view<'s>(&'s self, place: Place, values: &'s [Block], gathered: &'s [Block]) -> View<'s> {
        match place {
            Place::Slot(slot) => View::Each(&values[slot as usize]),
            Place::Shared(at) => View::All(self.shared[at as usize]),
            Place::Column(column) if self.direct() => {
                let data = &self.columns.data[column as usize][self.first..];
                View::Each(data.first_chunk().expect("a whole block"))
            }
            Place::Column(column) => View::Each(&gathered[column as usize]),
        }
    }

    /// Copies the columns of this block together; beyond the last row it is
    /// repeated.
    fn gather(&self, gathered: &mut Vec<Block>) {
        gathered.resize(self.columns.data.len(), [0.0; BLOCK]);
        for (block, column) in gathered.iter_mut().zip(self.columns.data) {
            for (i, to) in block.iter_mut().enumerate() {
                *to = column[(self.first + i.min(self.count() - 1)) * self.columns.stride];
            }
        }
    }

    /// Evaluates every step.
    #[inline(always)]
    pub(super) fn forward(&self, scratch: &mut Scratch) -> Result<(), Broken> {
        let Scratch {
            values, gathered, ..
        } = scratch;
        if !self.direct() {
            self.gather(gathered);
        }
        for (slot, step) in self.plan.steps.iter().enumerate() {
            let (before, out) = values.split_at_mut(slot);
            self.evaluate(step, before, gathered, &mut out[0]);
        }
        for guard in &self.plan.guards {
            self.check(guard, values, gathered)?;
        }
        Ok(())
    }

    #[inline(always)]
    fn evaluate(&self, step: &Step, values: &[Block], gathered: &[Block], out: &mut Block) {
        let arguments = self.plan.of(step);
        let view = |argument: &Argument| self.view(argument.from, values, gathered);
        match step.kind {
            Kind::One => {
                let x = view(&arguments[0]);
                with_unary(step.op, Result1 { x, out });
            }
            Kind::Two => {
                let (a, b) = (view(&arguments[0]), view(&arguments[1]));
                with_binary(step.op, Result2 { a, b, out });
            }
            Kind::Terms(first) => {
                out.fill(first);
                for pair in arguments.chunks_exact(2) {
                    add_product(view(&pair[0]), view(&pair[1]), out);
                }
            }
            Kind::Many => {
                let x: SmallVec<[View<'_>; 8]> = arguments.iter().map(view).collect();
                with_nary(step.op, ResultN { x: &x, out });
            }
        }
    }

    fn check(&self, guard: &RowGuard, values: &[Block], gathered: &[Block]) -> Result<(), Broken> {
        let a = self.view(guard.a, values, gathered);
        let b = self.view(guard.b, values, gathered);
        let other = |&i: &usize| guard.test.holds(a.at(i), b.at(i)) != guard.held;
        match (0..self.count()).find(other) {
            Some(i) => Err(Broken {
                row: self.first + i,
                guard: guard.number,
                operands: (a.at(i), b.at(i)),
            }),
            None => Ok(()),
        }
    }

    /// The numbers at a place, after `forward`.
    #[inline(always)]
    pub(super) fn read<'s>(&'s self, place: Place, scratch: &'s Scratch) -> View<'s> {
        self.view(place, &scratch.values, &scratch.gathered)
    }

    /// Sweeps back from the output, with the seed 1 in each row there is.
    #[inline(always)]
    pub(super) fn reverse(&self, scratch: &mut Scratch) {
        let Scratch {
            values,
            adjoints,
            gathered,
            totals,
        } = scratch;
        let mut seed = [1.0; BLOCK];
        seed[self.count()..].fill(ABSENT);
        deliver(self.plan.seed, adjoints, totals, |i| seed[i]);
        for (slot, step) in self.plan.steps.iter().enumerate().rev() {
            if let Some(own) = step.adjoint {
                let adjoint = adjoints[own as usize];
                let sender = Sender {
                    adjoint: &adjoint,
                    y: &values[slot],
                    adjoints,
                    totals,
                };
                self.send(step, values, gathered, sender);
            }
        }
    }

    #[inline(always)]
    fn send(&self, step: &Step, values: &[Block], gathered: &[Block], mut sender: Sender<'_>) {
        let arguments = self.plan.of(step);
        let view = |argument: &Argument| self.view(argument.from, values, gathered);
        match step.kind {
            Kind::One => {
                let (x, to) = (view(&arguments[0]), arguments[0].to);
                with_unary(step.op, Share1 { x, to, sender });
            }
            Kind::Two => {
                let (a, b) = (view(&arguments[0]), view(&arguments[1]));
                let to = [arguments[0].to, arguments[1].to];
                with_binary(step.op, Share2 { a, b, to, sender });
            }
            Kind::Terms(_) => {
                for pair in arguments.chunks_exact(2) {
                    sender.send_product(pair[0].to, view(&pair[1]));
                }
                for pair in arguments.chunks_exact(2) {
                    sender.send_product(pair[1].to, view(&pair[0]));
                }
            }
            Kind::Many => {
                let x: SmallVec<[View<'_>; 8]> = arguments.iter().map(view).collect();
                let to: SmallVec<[To; 8]> = arguments.iter().map(|a| a.to).collect();
                with_nary(
                    step.op,
                    ShareN {
                        x: &x,
                        to: &to,
                        sender,
                    },
                );
            }
        }
    }
}

impl Scratch {
    /// Makes room for a plan, with empty totals.
    pub(super) fn prepare(&mut self, plan: &Plan) {
        self.values.resize(plan.steps.len(), [0.0; BLOCK]);
        self.adjoints.resize(plan.adjoints, [0.0; BLOCK]);
        self.totals.clear();
        self.totals.resize(plan.totals.len(), [ABSENT; LANES]);
    }
}
