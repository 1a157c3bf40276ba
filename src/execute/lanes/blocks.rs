//! The steps of a plan over a block of rows.
//!
//! In the last block some rows beyond the last are computed too, as many as make a
//! whole vector; whatever is added up is added up over the rows there are. They are
//! added up by the remainder of their number by `LANES`, so that the order does not
//! depend on how many a processor adds at once.

use super::block::{BLOCK, Block, LANES, Slot, Total};
use super::columns::Columns;
use super::kernels::{self, Span};
use super::lane;
use super::lane_program::{
    Factors, Kind, Known, LaneOperand, Plan, Route, RowGuard, Run, Step, To,
};
use super::vectors::Vectors;
use crate::ops::{ABSENT, Real};
use smallvec::SmallVec;
use std::mem;
use std::ops::Range;

/// The numbers of an operand in a block of rows.
#[derive(Clone, Copy)]
pub(crate) enum LaneView<'a> {
    Each(&'a Block),
    All(f64),
}

impl LaneView<'_> {
    #[inline(always)]
    pub(crate) fn at(self, row: usize) -> f64 {
        match self {
            Self::Each(block) => block[row],
            Self::All(value) => value,
        }
    }
}

/// A comparison that came out the other way than recorded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Broken {
    pub(crate) row: usize,
    /// Its place among the guards of the recording.
    pub(crate) guard: usize,
    pub(crate) operands: (f64, f64),
}

/// What evaluating a block needs, to be used again. Aligned so that what two threads write is
/// not in one line of the cache, nor in two that are fetched together.
#[derive(Clone, Debug, Default)]
#[repr(align(128))]
pub(crate) struct Scratch {
    pub(crate) numbers: Numbers,
    /// What a step writes; it then changes places with what was there.
    pub(crate) spare: Box<Slot>,
    /// The adjoint of the step whose turn it is.
    pub(crate) own: Box<Slot>,
    /// What goes to a total, for one of several outputs.
    pub(crate) multiple: Box<Slot>,
}

/// The numbers of a block. Boxes, because they change places with `spare`.
#[allow(
    clippy::vec_box,
    reason = "a box is moved where a block would be copied"
)]
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbers {
    pub(crate) values: Vec<Box<Slot>>,
    pub(crate) adjoints: Vec<Box<Slot>>,
    /// Adjoints that are the same in all rows.
    pub(crate) known: Vec<Box<Slot>>,
    known_numbers: Vec<f64>,
    /// For each argument of a step, its number, if it is the same in all rows.
    pub(crate) factors: Vec<f64>,
    /// Numbers that are the same in all rows, copied to all.
    copied: Vec<Slot>,
    /// Columns of a block that cannot be read where they lie.
    pub(crate) gathered: Vec<Slot>,
    pub(crate) totals: Vec<Total>,
    /// Whether totals are wanted for each row by itself, in `row_totals`.
    pub(crate) row_by_row: bool,
    row_totals: Vec<Box<Slot>>,
}

/// Makes room for so many blocks. What another function has needed beyond them stays.
#[allow(clippy::vec_box, reason = "as in `Numbers`")]
fn grow(blocks: &mut Vec<Box<Slot>>, count: usize) {
    blocks.resize_with(blocks.len().max(count), Box::default);
}

/// A block of rows.
#[derive(Clone, Copy)]
pub(crate) struct RowsOfBlock<'a, V> {
    pub(crate) span: Span<V>,
    pub(crate) plan: &'a Plan,
    pub(crate) columns: &'a Columns<'a>,
    /// The numbers that are the same in all rows.
    pub(crate) shared: &'a [f64],
    /// The adjoint of the output in each row, if there is to be a gradient.
    pub(crate) seed: Option<f64>,
    /// The number of the block.
    block: usize,
}

impl Numbers {
    /// Makes room for a plan. Who adds up totals empties them.
    pub(crate) fn prepare(&mut self, plan: &Plan, shared: &[f64], row_by_row: bool) {
        self.row_by_row = row_by_row;
        let row_totals = if row_by_row { plan.totals.len() } else { 0 };
        grow(&mut self.row_totals, row_totals);
        grow(&mut self.values, plan.slots);
        grow(&mut self.adjoints, plan.adjoints);
        self.copied.clear();
        let copied = plan
            .copied
            .iter()
            .map(|&at| Slot([shared[at as usize]; BLOCK]));
        self.copied.extend(copied);
        let factor = |place: &LaneOperand| match *place {
            LaneOperand::Shared(at) => shared[at as usize],
            _ => f64::NAN,
        };
        self.factors.clear();
        self.factors.extend(plan.arguments.iter().map(factor));
        self.totals.resize(plan.totals.len(), [ABSENT; LANES]);
    }

    /// Computes the adjoints that are the same in all rows, given that of the output.
    fn know(&mut self, known: &Known, seed: f64) {
        let numbers = &mut self.known_numbers;
        numbers.clear();
        numbers.resize(known.count, ABSENT);
        for share in &known.shares {
            let from = share.from.map_or(seed, |from| numbers[from as usize]);
            let to = &mut numbers[share.to as usize];
            *to = to.plus(f64::share(from, share.partial));
        }
        grow(&mut self.known, known.blocks.len());
        for (block, &number) in self.known.iter_mut().zip(&known.blocks) {
            block.0.fill(numbers[number as usize]);
        }
    }

    /// The value in a slot.
    #[inline(always)]
    pub(crate) fn value(&self, slot: usize) -> &Block {
        &self.values[slot].0
    }

    /// A total in each row of the block, if they are wanted row by row.
    pub(crate) fn row_total(&self, total: usize) -> &Block {
        &self.row_totals[total].0
    }

    /// Writes or adds shares, those for a total row by row.
    pub(crate) fn deliver<V: Vectors>(&mut self, span: Span<V>, to: To, shares: &mut Box<Slot>) {
        match to {
            To::Nobody => {}
            To::First(to) => mem::swap(&mut self.adjoints[to as usize], shares),
            To::Add(to) => kernels::add(span, &shares.0, &mut self.adjoints[to as usize].0),
            To::Total(to) => mem::swap(&mut self.row_totals[to as usize], shares),
        }
    }
}

impl<'a, V: Vectors> RowsOfBlock<'a, V> {
    /// No block yet.
    pub(crate) fn new(
        vectors: V,
        plan: &'a Plan,
        columns: &'a Columns<'a>,
        shared: &'a [f64],
        seed: Option<f64>,
    ) -> Self {
        Self {
            span: Span { vectors, rows: 0 },
            plan,
            columns,
            shared,
            seed,
            block: 0,
        }
    }

    /// What is the same for all blocks.
    pub(crate) fn begin(&self, numbers: &mut Numbers) {
        if let Some(seed) = self.seed {
            numbers.know(&self.plan.known, seed);
        }
    }

    /// The rows of a block.
    pub(crate) fn at(mut self, block: usize) -> Self {
        self.block = block;
        self.span.rows = (self.columns.rows - self.first()).min(BLOCK);
        self
    }

    /// Evaluates blocks, and adds up the output and, if there is to be a gradient,
    /// the totals.
    pub(crate) fn add_up(
        self,
        blocks: Range<usize>,
        scratch: &mut Scratch,
    ) -> Result<Total, Broken> {
        self.begin(&mut scratch.numbers);
        let mut sum = [ABSENT; LANES];
        for block in blocks {
            let rows = self.at(block);
            rows.evaluate(scratch)?;
            let output = self.plan.outputs.first();
            match output.map(|&output| rows.view(output, &scratch.numbers)) {
                Some(LaneView::Each(output)) => kernels::add_up(rows.span, output, &mut sum),
                Some(LaneView::All(output)) => {
                    (0..rows.count()).for_each(|i| sum[i % LANES] += output);
                }
                None => {}
            }
        }
        Ok(sum)
    }

    /// The first row.
    fn first(&self) -> usize {
        self.block * BLOCK
    }

    /// How many rows there are of this block.
    pub(crate) fn count(&self) -> usize {
        self.span.rows
    }

    #[inline(always)]
    pub(crate) fn view<'s>(&'s self, place: LaneOperand, numbers: &'s Numbers) -> LaneView<'s> {
        match place {
            LaneOperand::Shared(at) => LaneView::All(self.shared[at as usize]),
            place => LaneView::Each(self.block(place, numbers)),
        }
    }

    #[inline(always)]
    pub(crate) fn column<'s>(&'s self, column: usize, numbers: &'s Numbers) -> &'s Block {
        match self.columns.block(column, self.block) {
            Some(block) => block,
            None => &numbers.gathered[column].0,
        }
    }

    #[inline(always)]
    pub(crate) fn block<'s>(&'s self, place: LaneOperand, numbers: &'s Numbers) -> &'s Block {
        match place {
            LaneOperand::Slot(slot) => numbers.value(slot as usize),
            LaneOperand::Column(column) => self.column(column as usize, numbers),
            LaneOperand::Shared(at) => unreachable!("{at} is copied where it is read by rows"),
            LaneOperand::Copied(at) => &numbers.copied[at as usize].0,
        }
    }

    /// Evaluates the block, and sweeps back from each output if there is to be a gradient.
    pub(crate) fn evaluate(&self, scratch: &mut Scratch) -> Result<(), Broken> {
        self.forward(scratch)?;
        if let Some(seed) = self.seed {
            (0..self.plan.routes.len()).for_each(|which| self.reverse(which, seed, scratch));
        }
        Ok(())
    }

    /// Asks for a part of the next block, at each of the steps there and back for another:
    /// all at once would be waited for.
    #[inline(always)]
    pub(crate) fn ask_ahead(&self, turn: usize) {
        if !self.columns.ahead.is_empty() {
            self.ask(turn);
        }
    }

    #[inline(never)]
    fn ask(&self, turn: usize) {
        let back = self.plan.routes.last().map_or(0, Route::end);
        let turns = match self.seed {
            Some(_) => back,
            None => self.plan.steps.len(),
        };
        self.columns.ask(self.block + 1, turn, turns);
    }

    /// Evaluates every step, and checks the guards.
    // A function of its own, into which `step` is inlined: W1 15.5 → 15.3 ns a row.
    #[inline(never)]
    fn forward(&self, scratch: &mut Scratch) -> Result<(), Broken> {
        let Scratch { numbers, spare, .. } = scratch;
        if self.columns.to_gather(self.count()) {
            self.columns
                .gather(self.block, self.count(), &mut numbers.gathered);
        }
        for (turn, step) in self.plan.steps.iter().enumerate() {
            self.ask_ahead(turn);
            self.step(step, numbers, &mut spare.0);
            mem::swap(&mut numbers.values[step.slot as usize], spare);
        }
        self.check_guards(numbers)
    }

    /// Finds the first row in which a guard is broken, and of several in that row the first.
    fn check_guards(&self, numbers: &Numbers) -> Result<(), Broken> {
        let guards = self.plan.guards.iter();
        let broken = guards.filter_map(|guard| self.first_broken(guard, numbers));
        // Of equal ones the first.
        broken.min_by_key(|broken| broken.row).map_or(Ok(()), Err)
    }

    #[inline(always)]
    fn step(&self, step: &Step, numbers: &Numbers, out: &mut Block) {
        let (span, arguments) = (self.span, self.plan.of(step));
        match step.kind {
            Kind::One => {
                let x = self.block(arguments[0], numbers);
                let (op, before) = (step.op, step.before);
                if !kernels::value_plain(span, op, before, x, out) {
                    match kernels::covered(span, op, before, x) {
                        true => kernels::value_one(span, op, before, x, out),
                        false => kernels::value_uncovered(span, op, before, x, out),
                    }
                }
            }
            Kind::Two => {
                let (a, b) = (
                    self.block(arguments[0], numbers),
                    self.block(arguments[1], numbers),
                );
                kernels::value_two(span, step.op, a, b, out);
            }
            Kind::Terms(first) => self.add_terms(step, first, numbers, out),
            Kind::Many => {
                let view = |&place: &LaneOperand| self.view(place, numbers);
                let x: SmallVec<[LaneView<'_>; 8]> = arguments.iter().map(view).collect();
                for (i, out) in out[..self.count()].iter_mut().enumerate() {
                    *out = step.op.value_n(x.len(), |j| x[j].at(i), &[]);
                }
            }
        }
    }

    /// `first` and products of pairs, in their order.
    fn add_terms(&self, step: &Step, first: f64, numbers: &Numbers, out: &mut Block) {
        // What they begin with, as long as nothing has been written.
        let mut begin = Some(first);
        for run in self.plan.runs_of(step) {
            match run.factors {
                Factors::Numbers => {
                    for product in products(run, &numbers.factors) {
                        match &mut begin {
                            Some(begin) => *begin = lane::sum(*begin, product),
                            None => kernels::add_number(self.span, product, out),
                        }
                    }
                }
                Factors::Multiples { shared, columns } => {
                    let factors = &numbers.factors[run.half(shared)];
                    let others = &self.plan.arguments[run.half(1 - shared)];
                    let column = |at: LaneOperand| self.column(at.index(), numbers);
                    let slot = |at: LaneOperand| numbers.value(at.index());
                    match columns {
                        true => self.add_multiples(&mut begin, factors, others, column, out),
                        false => self.add_multiples(&mut begin, factors, others, slot, out),
                    }
                }
                Factors::Products => {
                    let half = |which| &self.plan.arguments[run.half(which)];
                    let block = |place: LaneOperand| self.block(place, numbers);
                    let pairs = &mut (half(0), half(1));
                    while let Some((a, b)) = split::<_, _, 2>(pairs) {
                        let both = [&all(a, block), &all(b, block)];
                        kernels::add_products(self.span, begin.take(), both, out);
                    }
                    while let Some((a, b)) = split::<_, _, 1>(pairs) {
                        let both = [&all(a, block), &all(b, block)];
                        kernels::add_products(self.span, begin.take(), both, out);
                    }
                }
            }
        }
        if let Some(first) = begin {
            kernels::fill(self.span, first, out);
        }
    }

    /// Multiples of blocks, as many at a time as there are registers for.
    #[inline(always)]
    fn add_multiples<'s>(
        &self,
        begin: &mut Option<f64>,
        factors: &[f64],
        others: &[LaneOperand],
        block: impl Fn(LaneOperand) -> &'s Block,
        out: &mut Block,
    ) {
        let pairs = &mut (factors, others);
        self.add_some::<8>(begin, pairs, &block, out);
        self.add_some::<4>(begin, pairs, &block, out);
        self.add_some::<2>(begin, pairs, &block, out);
        self.add_some::<1>(begin, pairs, &block, out);
    }

    /// Takes as many of them, `N` at a time, as it can.
    #[inline(always)]
    fn add_some<'s, 'p, const N: usize>(
        &self,
        begin: &mut Option<f64>,
        pairs: &mut (&'p [f64], &'p [LaneOperand]),
        block: impl Fn(LaneOperand) -> &'s Block,
        out: &mut Block,
    ) {
        while let Some((some, places)) = split::<_, _, N>(pairs) {
            let blocks = &all(places, &block);
            kernels::add_multiples(self.span, begin.take(), some, blocks, out);
        }
    }

    /// The first row in which a guard is broken.
    fn first_broken(&self, guard: &RowGuard, numbers: &Numbers) -> Option<Broken> {
        let (a, b) = (self.view(guard.a, numbers), self.view(guard.b, numbers));
        let other = |&i: &usize| guard.test.holds(a.at(i), b.at(i)) != guard.held;
        (0..self.count()).find(other).map(|i| Broken {
            row: self.first() + i,
            guard: guard.number,
            operands: (a.at(i), b.at(i)),
        })
    }
}

/// The first `N` of each, if there are as many; the rest is what is left.
#[inline(always)]
fn split<'s, A, B, const N: usize>(
    pairs: &mut (&'s [A], &'s [B]),
) -> Option<(&'s [A; N], &'s [B; N])> {
    let ((a, rest_a), (b, rest_b)) = (pairs.0.split_first_chunk()?, pairs.1.split_first_chunk()?);
    *pairs = (rest_a, rest_b);
    Some((a, b))
}

/// The blocks at some places.
// In line: an array of words that a call returns is moved in wider pieces, which wait until
// these words are stored.
#[inline(always)]
pub(crate) fn all<'s, const N: usize>(
    places: &[LaneOperand; N],
    block: impl Fn(LaneOperand) -> &'s Block,
) -> [&'s Block; N] {
    let mut blocks = [block(places[0]); N];
    for j in 1..N {
        blocks[j] = block(places[j]);
    }
    blocks
}

/// The products of a run whose factors are the same in all rows.
fn products<'s>(run: &Run, factors: &'s [f64]) -> impl Iterator<Item = f64> + use<'s> {
    let pairs = factors[run.half(0)].iter().zip(&factors[run.half(1)]);
    pairs.map(|(&a, &b)| lane::product(a, b))
}
