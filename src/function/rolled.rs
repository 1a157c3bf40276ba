//! Evaluation of a function whose recording is a loop: what lies before it, then the turns,
//! a block of them at a time as rows of data are, then what lies after it; and back.
//!
//! Every node receives its shares in the order in which a sweep would bring them, so that
//! no bit differs: the sum is added up turn by turn, and on the way back the blocks are
//! taken from the last to the first, their shares from the last turn to the first.

use super::blocks::{Rows, Scratch, Slot};
use super::body::{Body, Piece, Window, body};
use super::columns::Columns;
use super::freeze::Ends;
use super::kernels::{BLOCK, Block, LANES};
use super::reroll::{Argument, Turns, find};
use super::run::Workspace;
use super::vectors::{VectorTask, Vectors, with_widest};
use crate::ops::{ABSENT, Op, Real};
use crate::program::Operand;
use crate::recording::Recording;
use crate::sweep::{forward, reverse};

/// How many targets take their shares at a time: independent of each other, they are
/// added up side by side.
const SIDE_BY_SIDE: usize = 8;

/// A loop, and what lies before and after it.
#[derive(Clone)]
pub(super) struct Rolled {
    /// How many nodes there are outside the loop, and its sum.
    nodes: usize,
    /// Where the inputs of the function are among them.
    inputs: Vec<u32>,
    before: Piece,
    body: Body,
    after: Piece,
    pub(super) turns: usize,
    /// What adds a term to the sum, and whether the sum stands before the term.
    op: Op,
    sum_first: bool,
    /// What the sum begins with; where it ends; the output of the function.
    begin: u32,
    end: u32,
    output: u32,
    shares: Shares,
}

/// Where the shares of a turn go, by the numbers of the totals that they are.
#[derive(Clone, Debug, Default)]
struct Shares {
    /// To nodes that each turn takes for itself, in the order in which a node receives them.
    windows: Vec<(u32, Window)>,
    /// To nodes that take one in each turn.
    single: Vec<(u32, u32)>,
    /// To nodes that take several.
    several: Vec<(u32, u32)>,
}

/// Memory for the evaluation of a loop.
#[derive(Clone, Debug, Default)]
pub(super) struct Turning {
    /// The numbers that all turns take.
    shared: Vec<f64>,
    /// Values and adjoints of what lies before or after the loop.
    values: Vec<f64>,
    adjoints: Vec<f64>,
}

impl Rolled {
    /// The loop of a recording, if there is one that is worth it.
    pub(super) fn new(recording: &Recording, ends: &Ends) -> Option<Self> {
        let turns = find(recording, ends)?;
        let body = body(recording, &turns)?;
        let Some(&Operand::Node(output)) = ends.outputs.first() else {
            return None;
        };
        let records = recording.program().records;
        let op = records[turns.last()].op();
        let shares = Shares::new(&body);
        let within = turns.last() - turns.first;
        let number = |id: u32| if id as usize >= turns.last() { id - within as u32 } else { id };
        Some(Self {
            nodes: recording.len() - within,
            inputs: ends.inputs.iter().map(|&id| number(id)).collect(),
            before: Piece::new(recording, 0..turns.first, number),
            after: Piece::new(recording, turns.last() + 1..recording.len(), number),
            body,
            turns: turns.count,
            op,
            sum_first: sum_first(&turns),
            begin: turns.first as u32 - 1,
            end: number(turns.last() as u32),
            output: number(output.0),
            shares,
        })
    }

    /// How many nodes are evaluated in each turn.
    pub(super) fn steps(&self) -> usize {
        self.body.plan.steps.len() + 1
    }

    /// The value at a point.
    pub(super) fn value(&self, x: &[f64], workspace: &mut Workspace) -> f64 {
        self.forward(x, workspace);
        workspace.values[self.output as usize]
    }

    /// Writes the gradient at a point and returns the value.
    pub(super) fn value_and_gradient(
        &self,
        x: &[f64],
        gradient: &mut [f64],
        workspace: &mut Workspace,
    ) -> f64 {
        self.forward(x, workspace);
        self.reverse(workspace);
        for (slot, &input) in gradient.iter_mut().zip(&self.inputs) {
            *slot = workspace.adjoints[input as usize] + 0.0;
        }
        workspace.values[self.output as usize]
    }

    fn forward(&self, x: &[f64], workspace: &mut Workspace) {
        let Workspace {
            values,
            scratches,
            turning,
            ..
        } = workspace;
        values.resize(self.nodes, 0.0);
        for (&at, &x) in self.inputs.iter().zip(x) {
            values[at as usize] = x;
        }
        self.before.forward(values, turning);
        let shared = &mut turning.shared;
        let (all, plan) = (self.body.shared.iter(), &self.body.plan);
        shared.clear();
        shared.extend(all.map(|&node| values[node as usize]));
        shared.extend(&plan.constants);
        scratches.resize_with(scratches.len().max(1), Scratch::default);
        let scratch = &mut scratches[0];
        scratch.numbers.prepare(plan, shared, true);
        values[self.end as usize] = with_widest(AddUp {
            rolled: self,
            values,
            shared,
            scratch,
        });
        self.after.forward(values, turning);
    }

    fn reverse(&self, workspace: &mut Workspace) {
        let Workspace {
            values,
            adjoints,
            scratches,
            turning,
            ..
        } = workspace;
        adjoints.clear();
        adjoints.resize(self.nodes, ABSENT);
        adjoints[self.output as usize] = 1.0;
        self.after.reverse(values, adjoints, turning);
        let adjoint = adjoints[self.end as usize];
        if !adjoint.is_absent() {
            let (a, b) = (1.0, 1.0); // a sum's partials are made of no values
            let first = f64::share(adjoint, self.op.partial_first(a, b, a));
            let second = f64::share(adjoint, self.op.partial_second(a, b, a));
            let (of_sum, of_term) = match self.sum_first {
                true => (first, second),
                false => (second, first),
            };
            let begin = &mut adjoints[self.begin as usize];
            *begin = begin.plus(of_sum);
            with_widest(SendBack {
                rolled: self,
                values,
                adjoints,
                shared: &turning.shared,
                seed: of_term,
                scratch: &mut scratches[0],
            });
        }
        self.before.reverse(values, adjoints, turning);
    }

    /// Puts the numbers of a block of turns where the plan reads columns.
    fn fill(&self, block: usize, values: &[f64], gathered: &mut Vec<Slot>) {
        let Body {
            windows, constants, ..
        } = &self.body;
        gathered.resize_with(windows.len() + constants.len(), Slot::default);
        let first = block * BLOCK;
        let count = (self.turns - first).min(BLOCK);
        let (of_windows, of_constants) = gathered.split_at_mut(windows.len());
        for (to, window) in of_windows.iter_mut().zip(windows) {
            let stride = window.stride;
            let from = &values[window.first + first * stride..];
            match stride {
                1 => to.0[..count].copy_from_slice(&from[..count]),
                _ => {
                    let from = from.iter().step_by(stride);
                    to.0[..count].iter_mut().zip(from).for_each(|(to, &x)| *to = x);
                }
            }
            pad(&mut to.0, count);
        }
        for (to, from) in of_constants.iter_mut().zip(constants) {
            to.0[..count].copy_from_slice(&from[first..][..count]);
            pad(&mut to.0, count);
        }
    }
}

/// Repeats the last number to where kernels read.
fn pad(block: &mut Block, count: usize) {
    let last = block[count - 1];
    block[count..count.next_multiple_of(LANES)].fill(last);
}

/// Whether the sum stands before the term where they are added.
fn sum_first(turns: &Turns) -> bool {
    let last = turns.arguments.len() - 2;
    turns.arguments[last] == Argument::Carried
}

/// Adds up the terms of all turns.
struct AddUp<'a> {
    rolled: &'a Rolled,
    values: &'a [f64],
    shared: &'a [f64],
    scratch: &'a mut Scratch,
}

impl VectorTask<f64> for AddUp<'_> {
    fn run<V: Vectors>(self, vectors: V) -> f64 {
        let rolled = self.rolled;
        let columns = Columns::elsewhere(rolled.turns);
        let rows = Rows::new(vectors, &rolled.body.plan, &columns, self.shared, false);
        let mut sum = self.values[rolled.begin as usize];
        for block in 0..rolled.turns.div_ceil(BLOCK) {
            rolled.fill(block, self.values, &mut self.scratch.numbers.gathered);
            let rows = rows.at(block);
            let Ok(()) = rows.evaluate(self.scratch) else {
                unreachable!("a loop with comparisons is not rolled");
            };
            let terms = rows.view(rolled.body.plan.outputs[0], &self.scratch.numbers);
            for i in 0..rows.count() {
                sum = match rolled.sum_first {
                    true => f64::binary(rolled.op, sum, terms.at(i)),
                    false => f64::binary(rolled.op, terms.at(i), sum),
                };
            }
        }
        sum
    }
}

/// Sweeps back from the term of each turn, from the last block of turns to the first.
struct SendBack<'a> {
    rolled: &'a Rolled,
    values: &'a [f64],
    adjoints: &'a mut [f64],
    shared: &'a [f64],
    seed: f64,
    scratch: &'a mut Scratch,
}

impl VectorTask<()> for SendBack<'_> {
    fn run<V: Vectors>(self, vectors: V) {
        let rolled = self.rolled;
        let columns = Columns::elsewhere(rolled.turns);
        let rows = Rows::new(vectors, &rolled.body.plan, &columns, self.shared, true);
        let rows = rows.seeded(self.seed);
        for block in (0..rolled.turns.div_ceil(BLOCK)).rev() {
            rolled.fill(block, self.values, &mut self.scratch.numbers.gathered);
            let rows = rows.at(block);
            let Ok(()) = rows.evaluate(self.scratch) else {
                unreachable!("a loop with comparisons is not rolled");
            };
            let numbers = &self.scratch.numbers;
            let shares = |total: u32| &numbers.row_total(total as usize)[..rows.count()];
            rolled.shares.add(block * BLOCK, shares, self.adjoints);
        }
    }
}

impl Shares {
    fn new(body: &Body) -> Self {
        let (mut shares, all) = (Self::default(), body.shared.len());
        let mut count = vec![0; all];
        let totals = || (0..).zip(body.plan.totals.iter().map(|&node| node as usize));
        for (_, input) in totals().filter(|(_, input)| *input < all) {
            count[input] += 1;
        }
        for (total, input) in totals() {
            if input >= all {
                shares.windows.push((total, body.windows[input - all]));
            } else if count[input] == 1 {
                shares.single.push((total, body.shared[input]));
            } else {
                shares.several.push((total, body.shared[input]));
            }
        }
        // Of some turns that take one node the latest is the first on the way back: that
        // whose nodes begin before the others'.
        shares.windows.sort_by_key(|(_, window)| window.first);
        shares
    }

    /// Adds the shares of a block of turns, of which `turn` is the first.
    fn add<'s>(&self, turn: usize, shares: impl Fn(u32) -> &'s [f64], adjoints: &mut [f64]) {
        for &(total, Window { first, stride }) in &self.windows {
            let to = &mut adjoints[first + turn * stride..];
            match stride {
                1 => add_each(to.iter_mut(), shares(total)),
                _ => add_each(to.iter_mut().step_by(stride), shares(total)),
            }
        }
        let (some, rest) = self.single.as_chunks::<SIDE_BY_SIDE>();
        some.iter().for_each(|some| add_up(some, &shares, adjoints));
        rest.iter().for_each(|one| add_up(&[*one], &shares, adjoints));
        let count = self.several.first().map_or(0, |&(total, _)| shares(total).len());
        for i in (0..count).rev() {
            for &(total, node) in &self.several {
                let adjoint = &mut adjoints[node as usize];
                *adjoint = adjoint.plus(shares(total)[i]);
            }
        }
    }
}

fn add_each<'a>(to: impl Iterator<Item = &'a mut f64>, shares: &[f64]) {
    to.zip(shares).for_each(|(to, &share)| *to = to.plus(share));
}

/// Adds up the shares of some nodes, from the last turn to the first.
fn add_up<'s, const N: usize>(
    to: &[(u32, u32); N],
    shares: impl Fn(u32) -> &'s [f64],
    adjoints: &mut [f64],
) {
    let shares = to.map(|(total, _)| shares(total));
    let mut sums = to.map(|(_, node)| adjoints[node as usize]);
    for i in (0..shares[0].len()).rev() {
        for j in 0..N {
            sums[j] = sums[j].plus(shares[j][i]);
        }
    }
    for (&(_, node), sum) in to.iter().zip(sums) {
        adjoints[node as usize] = sum;
    }
}

impl Piece {
    /// Evaluates the nodes among the `values` of all.
    fn forward(&self, values: &mut [f64], turning: &mut Turning) {
        let own = &mut turning.values;
        self.load(values, own);
        forward(self.recording.program(), own);
        for (&node, &value) in self.nodes.iter().zip(&*own).skip(self.leaves) {
            values[node as usize] = value;
        }
    }

    /// Sweeps back from the nodes, whose adjoints are among those of all.
    fn reverse(&self, values: &[f64], adjoints: &mut [f64], turning: &mut Turning) {
        let own = &mut turning.adjoints;
        self.load(values, &mut turning.values);
        self.load(adjoints, own);
        reverse(self.recording.program(), &turning.values, own);
        for (&node, &adjoint) in self.nodes.iter().zip(&*own).take(self.leaves) {
            adjoints[node as usize] = adjoint;
        }
    }

    fn load(&self, all: &[f64], own: &mut Vec<f64>) {
        own.clear();
        own.extend(self.nodes.iter().map(|&node| all[node as usize]));
    }
}
