//! Evaluation of a function whose recording is a loop: what lies before it, then the turns,
//! a block of them at a time as rows of data are, then what lies after it; and back.
//!
//! Every node receives its shares in the order in which a sweep would bring them, so that
//! no bit differs: the sum is added up turn by turn, and on the way back the blocks are
//! taken from the last to the first, their shares from the last turn to the first.

use super::blocks::{Rows, Scratch, Slot};
use super::body::{Body, Piece, Window, body, pad};
use super::columns::Columns;
use super::freeze::Ends;
use super::kernels::BLOCK;
use super::reroll::{Argument, Turns, find};
use super::run::Workspace;
use super::uses::Uses;
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
    /// Whether the adjoint of the sum does not depend on the sum: as in a mean, or with a
    /// penalty. Then one way through the turns gives values and adjoints.
    is_adjoint_known: bool,
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
    /// The term of each turn.
    terms: Vec<f64>,
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
        let after = Piece::new(recording, turns.last() + 1..recording.len(), number);
        let (end, output) = (number(turns.last() as u32), number(output.0));
        Some(Self {
            is_adjoint_known: after.is_linear(output, end),
            nodes: recording.len() - within,
            inputs: ends.inputs.iter().map(|&id| number(id)).collect(),
            before: Piece::new(recording, 0..turns.first, number),
            after,
            body,
            turns: turns.count,
            op,
            sum_first: sum_first(&turns),
            begin: turns.first as u32 - 1,
            end,
            output,
            shares,
        })
    }

    /// How many nodes are evaluated in each turn.
    pub(super) fn steps(&self) -> usize {
        self.body.plan.steps.len() + 1
    }

    /// The value at a point.
    pub(super) fn value(&self, x: &[f64], workspace: &mut Workspace) -> f64 {
        self.begin(x, workspace);
        self.turn(None, workspace);
        self.end(workspace);
        workspace.values[self.output as usize]
    }

    /// Writes the gradient at a point and returns the value.
    pub(super) fn value_and_gradient(
        &self,
        x: &[f64],
        gradient: &mut [f64],
        workspace: &mut Workspace,
    ) -> f64 {
        self.begin(x, workspace);
        if self.is_adjoint_known {
            self.after.forward(&mut workspace.values, &mut workspace.turning);
        } else {
            self.turn(None, workspace);
            self.end(workspace);
        }
        if let Some((of_sum, of_term)) = self.reverse_after(workspace) {
            let begin = &mut workspace.adjoints[self.begin as usize];
            *begin = begin.plus(of_sum);
            self.turn(Some(of_term), workspace);
        } else if self.is_adjoint_known {
            self.turn(None, workspace);
        }
        if self.is_adjoint_known {
            self.end(workspace);
        }
        let Workspace {
            values,
            adjoints,
            turning,
            ..
        } = workspace;
        self.before.reverse(values, adjoints, turning);
        for (slot, &input) in gradient.iter_mut().zip(&self.inputs) {
            *slot = adjoints[input as usize] + 0.0;
        }
        values[self.output as usize]
    }

    /// Evaluates what lies before the loop, and gets ready for the turns.
    fn begin(&self, x: &[f64], workspace: &mut Workspace) {
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
        scratches[0].numbers.prepare(plan, shared, true);
    }

    /// Adds up the terms, and evaluates what lies after the loop.
    fn end(&self, workspace: &mut Workspace) {
        let Workspace {
            values, turning, ..
        } = workspace;
        let add = |sum: f64, &term: &f64| match self.sum_first {
            true => f64::binary(self.op, sum, term),
            false => f64::binary(self.op, term, sum),
        };
        let begin = values[self.begin as usize];
        values[self.end as usize] = turning.terms.iter().fold(begin, add);
        self.after.forward(values, turning);
    }

    /// Sweeps back through what lies after the loop. Returns the adjoints of the sum before
    /// the loop and of each term, if they have any.
    fn reverse_after(&self, workspace: &mut Workspace) -> Option<(f64, f64)> {
        let Workspace {
            values,
            adjoints,
            turning,
            ..
        } = workspace;
        adjoints.clear();
        adjoints.resize(self.nodes, ABSENT);
        adjoints[self.output as usize] = 1.0;
        self.after.reverse(values, adjoints, turning);
        let adjoint = adjoints[self.end as usize];
        let (a, b) = (1.0, 1.0); // the partials of a sum are made of no values
        let first = f64::share(adjoint, self.op.partial_first(a, b, a));
        let second = f64::share(adjoint, self.op.partial_second(a, b, a));
        let both = match self.sum_first {
            true => (first, second),
            false => (second, first),
        };
        (!adjoint.is_absent()).then_some(both)
    }

    /// Evaluates the terms of all turns, and if they have an `adjoint`, sweeps back.
    fn turn(&self, adjoint: Option<f64>, workspace: &mut Workspace) {
        let Workspace {
            values,
            adjoints,
            scratches,
            turning,
            ..
        } = workspace;
        turning.terms.resize(self.turns, 0.0);
        with_widest(Turn {
            rolled: self,
            adjoint,
            values,
            adjoints,
            shared: &turning.shared,
            terms: &mut turning.terms,
            scratch: &mut scratches[0],
        });
    }

    /// Puts the numbers of a block of turns where the plan reads columns.
    fn fill(&self, block: usize, values: &[f64], gathered: &mut Vec<Slot>) {
        let windows = &self.body.windows;
        gathered.resize_with(windows.len(), Slot::default);
        let first = block * BLOCK;
        let count = (self.turns - first).min(BLOCK);
        for (to, window) in gathered.iter_mut().zip(windows) {
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
    }
}

/// Whether the sum stands before the term where they are added.
fn sum_first(turns: &Turns) -> bool {
    let last = turns.arguments.len() - 2;
    turns.arguments[last] == Argument::Carried
}

/// The turns, from the last block of them to the first: their terms, and if these have an
/// adjoint, the way back.
struct Turn<'a> {
    rolled: &'a Rolled,
    adjoint: Option<f64>,
    values: &'a [f64],
    adjoints: &'a mut [f64],
    shared: &'a [f64],
    terms: &'a mut [f64],
    scratch: &'a mut Scratch,
}

impl VectorTask<()> for Turn<'_> {
    fn run<V: Vectors>(self, vectors: V) {
        let Body {
            plan,
            windows,
            constants,
            ..
        } = &self.rolled.body;
        let columns = Columns::stored(self.rolled.turns, windows.len(), constants);
        let gradient = self.adjoint.is_some();
        let rows = Rows::new(vectors, plan, &columns, self.shared, gradient);
        let rows = rows.seeded(self.adjoint.unwrap_or(ABSENT));
        for block in (0..self.rolled.turns.div_ceil(BLOCK)).rev() {
            let (rows, gathered) = (rows.at(block), &mut self.scratch.numbers.gathered);
            self.rolled.fill(block, self.values, gathered);
            let Ok(()) = rows.evaluate(self.scratch) else {
                unreachable!("a loop with comparisons is not rolled");
            };
            let numbers = &self.scratch.numbers;
            let terms = rows.view(plan.outputs[0], numbers);
            let to = self.terms[block * BLOCK..].iter_mut().take(rows.count());
            to.enumerate().for_each(|(i, to)| *to = terms.at(i));
            if gradient {
                let shares = |total: u32| &numbers.row_total(total as usize)[..rows.count()];
                self.rolled.shares.add(block * BLOCK, shares, self.adjoints);
            }
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
    /// Whether no leaf's adjoint is made of the value of one of them, read off the table.
    fn is_linear(&self, output: u32, of: u32) -> bool {
        let place = |node| self.nodes.iter().position(|&own| own == node);
        let (Some(output), Some(of)) = (place(output), place(of)) else {
            return true; // the output is the sum itself
        };
        let mut values = vec![Uses::from(0.0); self.nodes.len()];
        let mut adjoints = values.clone();
        values[of] = Uses::FIRST;
        forward(self.recording.program(), &mut values);
        adjoints[output] = Uses::from(1.0);
        reverse(self.recording.program(), &values, &mut adjoints);
        let mut leaves = adjoints[..self.leaves].iter();
        leaves.all(|adjoint| !adjoint.operand(0))
    }

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
