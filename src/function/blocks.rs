//! The steps of a plan over a block of rows.
//!
//! A row that is beyond the last has no seed, so that nothing of it goes
//! anywhere. Rows are added up by the remainder of their number by `LANES`, so
//! that the order does not depend on how many a processor adds at once.

use super::kernels::{self, BLOCK, Block, LANES, Sender, Total};
use super::plan::{Kind, Place, Plan, RowGuard, Run, Step};
use super::route::{Route, To};
use super::vectors::Vectors;
use crate::ops::{ABSENT, is_absent};
use smallvec::SmallVec;
use std::mem;
use std::ops::Range;

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
#[derive(Clone, Debug)]
pub(super) struct Columns<'d> {
    data: Vec<&'d [f64]>,
    stride: usize,
    pub(super) rows: usize,
    /// The whole blocks of each column that can be read where they lie.
    blocks: Vec<&'d [Block]>,
}

impl<'d> Columns<'d> {
    pub(super) fn new(data: Vec<&'d [f64]>, stride: usize, rows: usize) -> Self {
        let whole = |column: &&'d [f64]| match stride {
            1 => column.as_chunks().0,
            _ => &[],
        };
        let blocks = data.iter().map(whole).collect();
        Self {
            data,
            stride,
            rows,
            blocks,
        }
    }

    /// Copies the `count` rows from `first` on together; the last one is repeated.
    fn gather(&self, first: usize, count: usize, gathered: &mut Vec<Block>) {
        gathered.resize(self.data.len(), [0.0; BLOCK]);
        for (block, column) in gathered.iter_mut().zip(&self.data) {
            let rows = column[first * self.stride..].iter().step_by(self.stride);
            let (there, beyond) = block.split_at_mut(count);
            there.iter_mut().zip(rows).for_each(|(to, &x)| *to = x);
            beyond.fill(there[count - 1]);
        }
    }
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
    pub(super) numbers: Numbers,
    /// What a step writes; it then changes places with what was there.
    spare: Box<Slot>,
    /// The adjoint of the step whose turn it is.
    own: Box<Slot>,
}

/// The numbers of a block. Boxes, because they change places with `spare`.
#[allow(
    clippy::vec_box,
    reason = "a box is moved where a block would be copied"
)]
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    values: Vec<Box<Slot>>,
    adjoints: Vec<Box<Slot>>,
    /// Numbers that are the same in all rows, copied to all.
    copied: Vec<Block>,
    /// Columns of a block that cannot be read where they lie.
    gathered: Vec<Block>,
    pub(super) totals: Vec<Total>,
    /// Whether totals are wanted for each row by itself, in `row_totals`.
    row_by_row: bool,
    row_totals: Vec<Box<Slot>>,
}

#[derive(Clone, Debug)]
struct Slot(Block);

impl Default for Slot {
    fn default() -> Self {
        Self([0.0; BLOCK])
    }
}

/// A block of rows.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a, V> {
    pub(super) vectors: V,
    pub(super) plan: &'a Plan,
    pub(super) columns: &'a Columns<'a>,
    /// The numbers that are the same in all rows.
    pub(super) shared: &'a [f64],
    /// The number of the block.
    pub(super) block: usize,
}

impl Numbers {
    /// Makes room for a plan, with empty totals.
    pub(super) fn prepare(&mut self, plan: &Plan, shared: &[f64], row_by_row: bool) {
        self.row_by_row = row_by_row;
        let row_totals = if row_by_row { plan.totals.len() } else { 0 };
        self.row_totals.resize_with(row_totals, Box::default);
        self.values.resize_with(plan.slots, Box::default);
        self.adjoints.resize_with(plan.adjoints, Box::default);
        self.copied.clear();
        let copied = plan.copied.iter().map(|&at| [shared[at as usize]; BLOCK]);
        self.copied.extend(copied);
        self.totals.clear();
        self.totals.resize(plan.totals.len(), [ABSENT; LANES]);
    }

    /// A total in one row of the block, if they are wanted row by row.
    pub(super) fn row_total(&self, total: usize, row: usize) -> f64 {
        self.row_totals[total].0[row]
    }

    /// Writes, adds, or adds up shares.
    fn deliver<V: Vectors>(&mut self, vectors: V, to: To, shares: &mut Box<Slot>) {
        match to {
            To::Nobody => {}
            To::First(to) => mem::swap(&mut self.adjoints[to as usize], shares),
            To::Add(to) => kernels::add(vectors, &shares.0, &mut self.adjoints[to as usize].0),
            To::Total(to) if self.row_by_row => {
                mem::swap(&mut self.row_totals[to as usize], shares);
            }
            To::Total(to) => kernels::add_up(vectors, &shares.0, &mut self.totals[to as usize]),
        }
    }
}

impl<V: Vectors> Rows<'_, V> {
    /// Evaluates all blocks up to the one before `end`, and adds up the output and,
    /// if there is to be a `gradient`, the totals.
    pub(super) fn add_up(
        mut self,
        end: usize,
        gradient: bool,
        scratch: &mut Scratch,
    ) -> Result<Total, Broken> {
        let mut sum = [ABSENT; LANES];
        while self.block < end {
            self.forward(scratch)?;
            let output = self.plan.outputs.first();
            match output.map(|&output| self.view(output, &scratch.numbers)) {
                Some(View::Each(output)) if self.count() == BLOCK => {
                    kernels::add_up(self.vectors, output, &mut sum);
                }
                Some(output) => (0..self.count()).for_each(|i| sum[i % LANES] += output.at(i)),
                None => {}
            }
            if gradient {
                let routes = self.plan.routes.iter();
                routes.for_each(|route| self.reverse(route, scratch));
            }
            self.block += 1;
        }
        Ok(sum)
    }

    /// The first row.
    fn first(&self) -> usize {
        self.block * BLOCK
    }

    /// How many rows there are of this block.
    pub(super) fn count(&self) -> usize {
        (self.columns.rows - self.first()).min(BLOCK)
    }

    #[inline(always)]
    pub(super) fn view<'s>(&'s self, place: Place, numbers: &'s Numbers) -> View<'s> {
        match place {
            Place::Shared(at) => View::All(self.shared[at as usize]),
            place => View::Each(self.block(place, numbers)),
        }
    }

    #[inline(always)]
    fn block<'s>(&'s self, place: Place, numbers: &'s Numbers) -> &'s Block {
        match place {
            Place::Slot(slot) => &numbers.values[slot as usize].0,
            Place::Column(column) => match self.columns.blocks[column as usize].get(self.block) {
                Some(block) => block,
                None => &numbers.gathered[column as usize],
            },
            Place::Shared(at) => unreachable!("{at} is copied where it is read by rows"),
            Place::Copied(at) => &numbers.copied[at as usize],
        }
    }

    /// A number that is the same in all rows.
    #[inline(always)]
    fn number(&self, place: Place) -> f64 {
        match place {
            Place::Shared(at) => self.shared[at as usize],
            place => unreachable!("{place:?} differs from row to row"),
        }
    }

    /// Evaluates every step, and checks the guards.
    pub(super) fn forward(&self, scratch: &mut Scratch) -> Result<(), Broken> {
        let Scratch { numbers, spare, .. } = scratch;
        if self.columns.stride != 1 || self.count() < BLOCK {
            self.columns
                .gather(self.first(), self.count(), &mut numbers.gathered);
        }
        for step in &self.plan.steps {
            self.evaluate(step, numbers, &mut spare.0);
            mem::swap(&mut numbers.values[step.slot as usize], spare);
        }
        let mut guards = self.plan.guards.iter();
        guards.try_for_each(|guard| self.check(guard, numbers))
    }

    fn evaluate(&self, step: &Step, numbers: &Numbers, out: &mut Block) {
        let (vectors, arguments) = (self.vectors, self.plan.of(step));
        let block = |i: usize| self.block(arguments[i], numbers);
        match step.kind {
            Kind::One if kernels::covered(step.op, block(0)) => {
                kernels::value_one(vectors, step.op, block(0), out);
            }
            Kind::One => kernels::value_uncovered(step.op, block(0), out),
            Kind::Two => kernels::value_two(vectors, step.op, block(0), block(1), out),
            Kind::Terms(first) => self.add_terms(step, first, numbers, out),
            Kind::Many => {
                let view = |&place: &Place| self.view(place, numbers);
                let x: SmallVec<[View<'_>; 8]> = arguments.iter().map(view).collect();
                for (i, out) in out.iter_mut().enumerate() {
                    *out = step.op.value_n(x.len(), |j| x[j].at(i), &[]);
                }
            }
        }
    }

    /// `first` and products of pairs, in their order.
    fn add_terms(&self, step: &Step, first: f64, numbers: &Numbers, out: &mut Block) {
        out.fill(first);
        for (run, range) in self.plan.runs_of(step) {
            let terms = &self.plan.arguments[range];
            match run {
                Run::Numbers => {
                    for pair in terms.chunks_exact(2) {
                        let product = self.number(pair[0]) * self.number(pair[1]);
                        kernels::add_number(self.vectors, product, out);
                    }
                }
                Run::Multiples { shared } => self.add_multiples(terms, shared, numbers, out),
                Run::Products => {
                    for pair in terms.chunks_exact(2) {
                        let [a, b] = [0, 1].map(|i: usize| self.block(pair[i], numbers));
                        kernels::add_products(self.vectors, a, b, out);
                    }
                }
            }
        }
    }

    /// Multiples of numbers, four at a time.
    fn add_multiples(&self, terms: &[Place], shared: usize, numbers: &Numbers, out: &mut Block) {
        let number = |pair: usize| self.number(terms[2 * pair + shared]);
        let block = |pair: usize| self.block(terms[2 * pair + 1 - shared], numbers);
        let (mut pair, count) = (0, terms.len() / 2);
        while pair + 4 <= count {
            let [i, j, k, l] = [pair, pair + 1, pair + 2, pair + 3];
            let numbers = [number(i), number(j), number(k), number(l)];
            let blocks = [block(i), block(j), block(k), block(l)];
            kernels::add_multiples(self.vectors, numbers, blocks, out);
            pair += 4;
        }
        while pair < count {
            kernels::add_multiples(self.vectors, [number(pair)], [block(pair)], out);
            pair += 1;
        }
    }

    fn check(&self, guard: &RowGuard, numbers: &Numbers) -> Result<(), Broken> {
        let (a, b) = (self.view(guard.a, numbers), self.view(guard.b, numbers));
        let other = |&i: &usize| guard.test.holds(a.at(i), b.at(i)) != guard.held;
        match (0..self.count()).find(other) {
            Some(i) => Err(Broken {
                row: self.first() + i,
                guard: guard.number,
                operands: (a.at(i), b.at(i)),
            }),
            None => Ok(()),
        }
    }

    /// Sweeps back from an output, with the seed 1 in each row there is.
    pub(super) fn reverse(&self, route: &Route, scratch: &mut Scratch) {
        let Scratch {
            numbers,
            spare,
            own,
        } = scratch;
        spare.0.fill(1.0);
        spare.0[self.count()..].fill(ABSENT);
        numbers.deliver(self.vectors, route.seed, spare);
        for (step, adjoint) in self.plan.steps.iter().zip(&route.adjoint).rev() {
            let Some(adjoint) = *adjoint else {
                continue;
            };
            // Taken out, because its place may be given to an operand's.
            mem::swap(&mut numbers.adjoints[adjoint as usize], own);
            let mut back = Back {
                rows: self,
                step,
                route,
                adjoint: &own.0,
                numbers,
                spare,
            };
            match step.kind {
                Kind::Terms(_) => back.send_to_factors(),
                Kind::Many => back.send_to_many(),
                Kind::One | Kind::Two => back.send(),
            }
        }
    }
}

/// A step at its turn in a reverse sweep.
struct Back<'a, 'r, V> {
    rows: &'a Rows<'r, V>,
    step: &'a Step,
    route: &'a Route,
    adjoint: &'a Block,
    numbers: &'a mut Numbers,
    spare: &'a mut Box<Slot>,
}

impl<V: Vectors> Back<'_, '_, V> {
    fn send(&mut self) {
        let (rows, op, numbers) = (self.rows, self.step.op, &mut *self.numbers);
        let (vectors, arguments) = (rows.vectors, rows.plan.of(self.step));
        for (i, &to) in self.route.to[self.step.range()].iter().enumerate() {
            if to == To::Nobody {
                continue;
            }
            let block = |i: usize| rows.block(arguments[i], numbers);
            let y = &numbers.values[self.step.slot as usize].0;
            let adjoint = self.adjoint;
            let (sender, out) = (Sender { adjoint, y }, &mut self.spare.0);
            match (self.step.kind, i) {
                (Kind::One, _) if kernels::covered(op, block(0)) => {
                    kernels::share_one(vectors, op, sender, block(0), out);
                }
                (Kind::One, _) => kernels::share_uncovered(op, sender, block(0), out),
                (_, 0) => kernels::share_first(vectors, op, sender, block(0), block(1), out),
                _ => kernels::share_second(vectors, op, sender, block(0), block(1), out),
            }
            numbers.deliver(vectors, to, self.spare);
        }
    }

    /// What goes back to the factors of a sum of products: to the first of each
    /// pair, then to the second of each.
    fn send_to_factors(&mut self) {
        let reached = kernels::all_reached(self.adjoint);
        let in_sums = reached && !self.numbers.row_by_row;
        for which in [0, 1] {
            for (run, mut range) in self.rows.plan.runs_of(self.step) {
                let shared = matches!(run, Run::Multiples { shared } if shared == which);
                if shared && in_sums {
                    range.start += self.send_to_numbers(range.clone(), which);
                }
                let to = self.route.to[range.clone()].iter().skip(which).step_by(2);
                for (pair, &to) in range
                    .step_by(2)
                    .zip(to)
                    .filter(|(_, to)| **to != To::Nobody)
                {
                    self.send_to_factor(to, self.rows.plan.arguments[pair + 1 - which], reached);
                }
            }
        }
    }

    /// Adds up what goes back to factors that are the same in all rows, four at a
    /// time. Returns how many arguments that were.
    fn send_to_numbers(&mut self, range: Range<usize>, which: usize) -> usize {
        let mut totals = mem::take(&mut self.numbers.totals);
        let (to, arguments) = (
            &self.route.to[range.clone()],
            &self.rows.plan.arguments[range],
        );
        let mut done = 0;
        while let Some(to) = to[done..].first_chunk::<8>() {
            let to = [to[which], to[which + 2], to[which + 4], to[which + 6]];
            let [To::Total(first), To::Total(_), To::Total(_), To::Total(_)] = to else {
                break;
            };
            let other = arguments[done..]
                .first_chunk::<8>()
                .expect("as many as shares");
            let other = |pair: usize| self.rows.block(other[pair + 1 - which], self.numbers);
            let others = [other(0), other(2), other(4), other(6)];
            // Totals are numbered in the order of the shares.
            let four = totals[first as usize..]
                .first_chunk_mut::<4>()
                .expect("four totals");
            kernels::add_up_products(self.rows.vectors, self.adjoint, others, four);
            done += 8;
        }
        self.numbers.totals = totals;
        done
    }

    fn send_to_factor(&mut self, to: To, other: Place, reached: bool) {
        let (vectors, adjoint) = (self.rows.vectors, self.adjoint);
        match (to, self.rows.view(other, self.numbers)) {
            (To::Nobody, _) => return,
            (To::Add(to), View::All(other)) if reached => {
                let to = &mut self.numbers.adjoints[to as usize].0;
                return kernels::add_factor_shares_of(vectors, adjoint, other, to);
            }
            (_, View::All(other)) => {
                kernels::factor_shares_of(vectors, adjoint, other, &mut self.spare.0);
            }
            (_, View::Each(other)) => {
                kernels::factor_shares(vectors, adjoint, other, &mut self.spare.0);
            }
        }
        self.numbers.deliver(vectors, to, self.spare);
    }

    /// What goes back to any number of operands, row by row.
    fn send_to_many(&mut self) {
        let (step, arguments) = (self.step, self.rows.plan.of(self.step));
        let mut all: SmallVec<[Block; 4]> = SmallVec::from_elem([ABSENT; BLOCK], arguments.len());
        for i in (0..BLOCK).filter(|&i| !is_absent(self.adjoint[i])) {
            let x = |j: usize| self.rows.view(arguments[j], self.numbers).at(i);
            let y = self.numbers.values[step.slot as usize].0[i];
            let each = |j: usize, partial: f64| {
                all[j][i] = match step.op.is_branch() {
                    true => kernels::share::<true, _>(self.adjoint[i], partial),
                    false => kernels::share::<false, _>(self.adjoint[i], partial),
                };
            };
            step.op.partials_n(arguments.len(), x, &[], y, each);
        }
        for (&to, shares) in self.route.to[step.range()].iter().zip(all) {
            self.spare.0 = shares;
            self.numbers.deliver(self.rows.vectors, to, self.spare);
        }
    }
}
