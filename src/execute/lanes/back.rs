//! The way back through a block of rows: from step to step, and to totals.

use super::block::{BLOCK, Block, Slot, Total};
use super::blocks::{Numbers, RowsOfBlock, Scratch, all};
use super::kernels::{self, Sender, Span};
use super::lane_program::{
    Factors, Held, How, Kind, LaneContribution, LaneOperand, Route, Run, Served, Step, To, Way,
};
use super::vectors::Vectors;
use crate::ops::{ABSENT, is_absent};
use smallvec::SmallVec;
use std::mem;

impl<V: Vectors> RowsOfBlock<'_, V> {
    /// Goes a way back from the seed in each row.
    pub(crate) fn reverse(&self, way: usize, seed: f64, scratch: &mut Scratch) {
        let (plan, route) = (self.plan, &self.plan.routes[way]);
        let Scratch {
            numbers,
            spare,
            own,
            multiple,
        } = scratch;
        let mut served = ServedBy {
            rows: self,
            route,
            multiple: &mut multiple.0,
        };
        if route.seed != To::Nobody {
            kernels::fill(self.span, seed, &mut spare.0);
            served.deliver(route.seed, spare, numbers);
        }
        for (number, visit) in (route.first_visit..).zip(&route.visits) {
            self.ask_ahead(number);
            // Taken out, because its place may be given to an operand's.
            match visit.held {
                Held::Block(at) => mem::swap(&mut numbers.adjoints[at as usize], own),
                Held::Known(at) => mem::swap(&mut numbers.known[at as usize], own),
            }
            let step = &plan.steps[visit.step as usize];
            let mut back = Back {
                step,
                own,
                numbers,
                spare,
                served: &mut served,
            };
            match step.kind {
                Kind::Terms(_) => back.send_to_factors(),
                Kind::Many => back.send_to_many(),
                Kind::One | Kind::Two => {
                    let (first, end) = visit.shares;
                    let shares = &route.shares[first as usize..end as usize];
                    shares.iter().for_each(|share| back.send(share));
                }
            }
            if let Held::Known(at) = visit.held {
                mem::swap(&mut numbers.known[at as usize], own);
            }
        }
    }
}

/// A step at its turn in a reverse sweep.
struct Back<'b, 'a, 'r, V> {
    step: &'a Step,
    /// Its adjoint.
    own: &'a mut Box<Slot>,
    numbers: &'a mut Numbers,
    spare: &'a mut Box<Slot>,
    served: &'a mut ServedBy<'b, 'r, V>,
}

/// The outputs that a way back serves, and memory for what goes to one of them.
struct ServedBy<'a, 'r, V> {
    rows: &'a RowsOfBlock<'r, V>,
    route: &'a Route,
    multiple: &'a mut Block,
}

impl<V: Vectors> ServedBy<'_, '_, V> {
    /// Calls `add_up` for each output, with its multiple of the adjoint and its `count`
    /// totals from `first` on.
    #[inline(always)]
    fn each(
        &mut self,
        adjoint: &Block,
        (first, count): (u32, usize),
        numbers: &mut Numbers,
        add_up: impl Fn(&Block, &Numbers, &mut [Total]),
    ) {
        let mut totals = mem::take(&mut numbers.totals);
        let to = &mut totals[first as usize..];
        // One output by itself is the usual case, and costs W5 1 % if it is not told apart.
        if let [Served { times: None, .. }] = self.route.served[..] {
            add_up(adjoint, numbers, &mut to[..count]);
        } else {
            for served in &self.route.served {
                let multiple = self.multiple(adjoint, served, numbers);
                add_up(multiple, numbers, &mut to[served.before..][..count]);
            }
        }
        numbers.totals = totals;
    }

    /// The adjoint, times the data that an output is a multiple of.
    #[inline(always)]
    fn multiple<'s>(&'s mut self, adjoint: &'s Block, of: &Served, numbers: &Numbers) -> &'s Block {
        let Some(data) = of.times else {
            return adjoint;
        };
        let data = self.rows.block(data, numbers);
        kernels::factor_shares(self.rows.span, adjoint, data, self.multiple);
        self.multiple
    }

    /// Writes, adds, or adds up shares.
    #[inline(always)]
    fn deliver(&mut self, to: To, shares: &mut Box<Slot>, numbers: &mut Numbers) {
        match to {
            To::Total(to) if !numbers.row_by_row => self.add_up(&shares.0, to, numbers),
            to => numbers.deliver(self.rows.span, to, shares),
        }
    }

    /// Adds up shares for each output.
    #[inline(always)]
    fn add_up(&mut self, shares: &Block, to: u32, numbers: &mut Numbers) {
        let (span, to) = (self.rows.span, to as usize);
        for served in &self.route.served {
            let multiple = self.multiple(shares, served, numbers);
            kernels::add_up(span, multiple, &mut numbers.totals[to + served.before]);
        }
    }
}

impl<V: Vectors> Back<'_, '_, '_, V> {
    #[inline(always)]
    fn deliver(&mut self, to: To) {
        self.served.deliver(to, self.spare, self.numbers);
    }

    /// Sends a share to one of one or two operands.
    fn send(&mut self, share: &LaneContribution) {
        if share.how != How::Computed && self.pass_on(share) {
            return;
        }
        let (rows, step) = (self.served.rows, self.step);
        let (span, op, before) = (rows.span, step.op, step.before);
        let (numbers, adjoint) = (&*self.numbers, &self.own.0);
        let y = &numbers.values[step.slot as usize].0;
        let (sender, out) = (Sender { adjoint, y }, &mut self.spare.0);
        let arguments = rows.plan.of(step);
        let a = rows.block(arguments[0], numbers);
        match (arguments.get(1), share.operand) {
            (None, _) if kernels::covered(span, op, before, a) => {
                kernels::share_one(span, op, before, sender, a, out);
            }
            (None, _) => kernels::share_uncovered(span, op, before, sender, a, out),
            (Some(&b), operand) => {
                let b = rows.block(b, numbers);
                match operand {
                    0 => kernels::share_first(span, op, sender, a, b, out),
                    _ => kernels::share_second(span, op, sender, a, b, out),
                }
            }
        }
        self.deliver(share.to);
    }

    /// Passes on the adjoint itself, as a sum does; unless it must be copied, because it is
    /// wanted row by row.
    #[inline(always)]
    fn pass_on(&mut self, share: &LaneContribution) -> bool {
        match share.to {
            To::Add(to) => {
                let to = &mut self.numbers.adjoints[to as usize];
                kernels::add(self.served.rows.span, &self.own.0, &mut to.0);
            }
            To::First(to) => mem::swap(&mut self.numbers.adjoints[to as usize], self.own),
            To::Total(to) if !self.numbers.row_by_row => {
                self.served.add_up(&self.own.0, to, self.numbers);
            }
            To::Total(_) | To::Nobody => return false,
        }
        true
    }

    /// What goes back to the factors of a sum of products: to the first of each
    /// pair, then to the second of each.
    fn send_to_factors(&mut self) {
        let reached = kernels::all_reached(self.served.rows.span, &self.own.0);
        let in_sums = reached && !self.numbers.row_by_row;
        let (runs, ways) = (
            self.served.rows.plan.runs_of(self.step),
            &self.served.route.ways[self.step.runs()],
        );
        for which in [0, 1] {
            for (run, ways) in runs.iter().zip(ways) {
                match (ways[which], run.factors) {
                    (Way::Nobody, _) => {}
                    (Way::Totals(first), Factors::Multiples { columns, .. }) if in_sums => {
                        self.send_to_numbers(run, which, first, columns);
                    }
                    _ => self.send_to_each(run, which, reached),
                }
            }
        }
    }

    /// Adds up what goes back to factors that are the same in all rows.
    fn send_to_numbers(&mut self, run: &Run, which: usize, first: u32, columns: bool) {
        let rows = self.served.rows;
        let others = &rows.plan.arguments[run.half(1 - which)];
        let totals = (first, others.len());
        (self.served).each(
            &self.own.0,
            totals,
            self.numbers,
            #[inline(always)]
            |adjoint, numbers, to| {
                let column = |at: LaneOperand| rows.column(at.index(), numbers);
                let slot = |at: LaneOperand| numbers.value(at.index());
                match columns {
                    true => add_up_products(rows.span, adjoint, others, column, to),
                    false => add_up_products(rows.span, adjoint, others, slot, to),
                }
            },
        );
    }

    /// What goes back to the first or the second factors of a run, to one or to four
    /// at a time.
    fn send_to_each(&mut self, run: &Run, which: usize, reached: bool) {
        let to = &self.served.route.to[run.half(which)];
        let others = run.half(1 - which).start;
        let mut i = 0;
        while let Some(&first) = to.get(i) {
            if reached && self.add_to_four(&to[i..], others + i) {
                i += 4;
                continue;
            }
            if first != To::Nobody {
                self.send_to_factor(first, others + i, reached);
            }
            i += 1;
        }
    }

    /// Adds the shares of four factors, of which the others are numbers from argument
    /// `other` on, to adjoints; unless it cannot be done at once.
    fn add_to_four(&mut self, to: &[To], other: usize) -> bool {
        let Some(&[To::Add(i), To::Add(j), To::Add(k), To::Add(l)]) = to.first_chunk() else {
            return false;
        };
        let Some(LaneOperand::Shared(_)) = self.served.rows.plan.arguments.get(other) else {
            return false;
        };
        let adjoints = &mut self.numbers.adjoints;
        let Ok(to) = adjoints.get_disjoint_mut([i, j, k, l].map(|to| to as usize)) else {
            return false;
        };
        let other = self.numbers.factors[other..].first_chunk();
        let other = other.expect("four in a run");
        let to = to.map(|slot| &mut slot.0);
        kernels::add_factor_shares_of(self.served.rows.span, &self.own.0, other, to);
        true
    }

    fn send_to_factor(&mut self, to: To, other: usize, reached: bool) {
        let (span, adjoint) = (self.served.rows.span, &self.own.0);
        let place = self.served.rows.plan.arguments[other];
        match (to, place) {
            // A term by itself, as b in b + w·x: the share is the adjoint.
            (To::Total(to), LaneOperand::Shared(_))
                if reached && !self.numbers.row_by_row && self.numbers.factors[other] == 1.0 =>
            {
                return self.served.add_up(adjoint, to, self.numbers);
            }
            (To::Add(to), LaneOperand::Shared(_)) if reached => {
                let to = &mut self.numbers.adjoints[to as usize].0;
                let other = &[self.numbers.factors[other]];
                return kernels::add_factor_shares_of(span, adjoint, other, [to]);
            }
            (_, LaneOperand::Shared(_)) => {
                let other = self.numbers.factors[other];
                kernels::factor_shares_of(span, adjoint, other, &mut self.spare.0);
            }
            _ => {
                let other = self.served.rows.block(place, self.numbers);
                kernels::factor_shares(span, adjoint, other, &mut self.spare.0);
            }
        }
        self.deliver(to);
    }

    /// What goes back to any number of operands, row by row.
    fn send_to_many(&mut self) {
        let (step, arguments) = (self.step, self.served.rows.plan.of(self.step));
        let mut all: SmallVec<[Block; 4]> = SmallVec::from_elem([ABSENT; BLOCK], arguments.len());
        for i in (0..self.served.rows.count()).filter(|&i| !is_absent(self.own.0[i])) {
            let x = |j: usize| self.served.rows.view(arguments[j], self.numbers).at(i);
            let y = self.numbers.values[step.slot as usize].0[i];
            let each = |j: usize, partial: f64| {
                all[j][i] = match step.op.is_branch() {
                    true => kernels::share::<true, _>(self.own.0[i], partial),
                    false => kernels::share::<false, _>(self.own.0[i], partial),
                };
            };
            step.op.partials_n(arguments.len(), x, &[], y, each);
        }
        for (&to, shares) in self.served.route.to[step.range()].iter().zip(all) {
            self.spare.0 = shares;
            self.deliver(to);
        }
    }
}

/// Products of the adjoint and blocks, some at a time.
#[inline(always)]
fn add_up_products<'s, V: Vectors>(
    span: Span<V>,
    adjoint: &Block,
    mut others: &[LaneOperand],
    block: impl Fn(LaneOperand) -> &'s Block,
    mut totals: &mut [Total],
) {
    add_up_some::<V, 4>(span, adjoint, &mut others, &block, &mut totals);
    add_up_some::<V, 1>(span, adjoint, &mut others, &block, &mut totals);
}

/// Takes as many of them, `N` at a time, as it can.
#[inline(always)]
fn add_up_some<'s, V: Vectors, const N: usize>(
    span: Span<V>,
    adjoint: &Block,
    others: &mut &[LaneOperand],
    block: impl Fn(LaneOperand) -> &'s Block,
    totals: &mut &mut [Total],
) {
    while let Some((places, next)) = others.split_first_chunk::<N>() {
        let (to, next_totals) = mem::take(totals)
            .split_first_chunk_mut::<N>()
            .expect("as many totals");
        kernels::add_up_products(span, adjoint, &all(places, &block), to);
        (*others, *totals) = (next, next_totals);
    }
}
