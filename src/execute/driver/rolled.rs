//! Evaluation of a function whose recording is a loop: what lies before it, then the turns,
//! a block of them at a time as rows of data are, then what lies after it; and back.
//!
//! Every node receives its shares in the order in which a sweep would bring them, so that
//! no bit differs: the sum is added up turn by turn, and on the way back the blocks are
//! taken from the last to the first, their shares from the last turn to the first.

use super::loop_body::Body;
use super::piece::Piece;
use super::shares::LoopContributions;
use super::taken::Taken;
use super::workspace::Workspace;
use crate::execute::lanes::block::{BLOCK, Slot, pad, take_every};
use crate::execute::lanes::blocks::{RowsOfBlock, Scratch};
use crate::execute::lanes::columns::Columns;
use crate::execute::lanes::vectors::{VectorTask, Vectors, with_widest};
use crate::ops::{ABSENT, Op, Real};

/// A loop, and what lies before and after it.
#[derive(Clone)]
pub(crate) struct Rolled {
    /// How many nodes there are outside the loop, and its sum.
    pub(crate) nodes: usize,
    pub(crate) inputs: Inputs,
    pub(crate) before: Piece,
    pub(crate) body: Body,
    pub(crate) after: Piece,
    pub(crate) turns: usize,
    /// What adds a term to the sum, and whether the sum stands before the term.
    pub(crate) op: Op,
    pub(crate) sum_first: bool,
    /// What the sum begins with; where it is; the output of the function.
    pub(crate) begin: Vec<u32>,
    pub(crate) sum: u32,
    pub(crate) output: u32,
    pub(crate) shares: LoopContributions,
    /// Whether the adjoint of the sum does not depend on the sum: as in a mean, or with a
    /// penalty. Then one way through the turns gives values and adjoints.
    pub(crate) is_adjoint_known: bool,
}

/// Where the inputs of the function are.
#[derive(Clone)]
pub(crate) enum Inputs {
    /// They follow one another, from here on: the usual case, and W4 has one for each turn.
    From(usize),
    Each(Vec<u32>),
}

impl Rolled {
    /// How many nodes are evaluated in each turn.
    pub(crate) fn steps(&self) -> usize {
        self.body.plan.steps.len() + 1
    }

    /// Bytes of all that is kept of the recording.
    pub(crate) fn bytes(&self) -> usize {
        let blocks: usize = self.body.constants.iter().map(Vec::len).sum();
        let lists: usize = self.body.each.iter().map(Taken::bytes).sum();
        size_of::<Slot>() * blocks + lists + self.before.bytes() + self.after.bytes()
    }

    /// Bytes of a workspace for values and adjoints outside the loop, and blocks of those
    /// within.
    pub(crate) fn workspace_bytes(&self) -> usize {
        let plan = &self.body.plan;
        let blocks = plan.slots + plan.adjoints + plan.totals.len() + plan.copied.len();
        size_of::<f64>() * (2 * self.nodes + self.turns)
            + size_of::<Slot>() * (blocks + self.body.each.len())
    }

    /// The value at a point.
    pub(crate) fn value(&self, x: &[f64], workspace: &mut Workspace) -> f64 {
        self.begin(x, workspace);
        self.turn(None, workspace);
        self.end(workspace);
        workspace.values[self.output as usize]
    }

    /// Writes the gradient at a point and returns the value.
    pub(crate) fn value_and_gradient(
        &self,
        x: &[f64],
        gradient: &mut [f64],
        workspace: &mut Workspace,
    ) -> f64 {
        self.begin(x, workspace);
        if self.is_adjoint_known {
            self.after
                .forward(&mut workspace.values, &mut workspace.turning.piece);
        } else {
            self.turn(None, workspace);
            self.end(workspace);
        }
        if let Some((of_sum, of_term)) = self.reverse_after(workspace) {
            for &begin in &self.begin {
                let begin = &mut workspace.adjoints[begin as usize];
                *begin = begin.plus(of_sum);
            }
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
        self.before.reverse(values, adjoints, &mut turning.piece);
        self.inputs.read(adjoints, gradient);
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
        self.inputs.set(x, values);
        self.before.forward(values, &mut turning.piece);
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
        let begin = self.begin.iter().map(|&node| values[node as usize]);
        let begin = begin.fold(-0.0, |sum, value| f64::binary(Op::Add, sum, value));
        values[self.sum as usize] = turning.terms.iter().fold(begin, add);
        self.after.forward(values, &mut turning.piece);
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
        self.after.reverse(values, adjoints, &mut turning.piece);
        let adjoint = adjoints[self.sum as usize];
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
        let each = &self.body.each;
        gathered.resize_with(each.len(), Slot::default);
        let first = block * BLOCK;
        let count = (self.turns - first).min(BLOCK);
        for (to, taken) in gathered.iter_mut().zip(each) {
            let numbers = &mut to.0[..count];
            match taken {
                Taken::Even(window) => {
                    take_every(window.stride, &values[taken.node(first)..], numbers);
                }
                _ => {
                    let turns = numbers.iter_mut().zip(first..);
                    turns.for_each(|(to, turn)| *to = values[taken.node(turn)]);
                }
            }
            pad(&mut to.0, count);
        }
    }
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
            each,
            constants,
            ..
        } = &self.rolled.body;
        let columns = Columns::stored(self.rolled.turns, each.len(), constants);
        let rows = RowsOfBlock::new(vectors, plan, &columns, self.shared, self.adjoint);
        rows.begin(&mut self.scratch.numbers);
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
            if self.adjoint.is_some() {
                let shares = |total: u32| &numbers.row_total(total as usize)[..rows.count()];
                let (adjoints, to) = (&mut *self.adjoints, &self.rolled.shares);
                vectors.compiled(
                    #[inline(always)]
                    || to.add(&self.rolled.body, block * BLOCK, shares, adjoints),
                );
            }
        }
    }
}

impl Inputs {
    pub(crate) fn new(nodes: Vec<u32>) -> Self {
        let first = nodes.first().copied().unwrap_or(0);
        match (first..).zip(&nodes).all(|(next, &node)| next == node) {
            true => Self::From(first as usize),
            false => Self::Each(nodes),
        }
    }

    fn set(&self, x: &[f64], values: &mut [f64]) {
        match self {
            Self::From(first) => values[*first..][..x.len()].copy_from_slice(x),
            Self::Each(nodes) => {
                let all = nodes.iter().zip(x);
                all.for_each(|(&node, &x)| values[node as usize] = x);
            }
        }
    }

    /// Reads their adjoints, of which an absent one is a 0.
    fn read(&self, adjoints: &[f64], gradient: &mut [f64]) {
        let slots = gradient.iter_mut();
        match self {
            Self::From(first) => {
                let all = slots.zip(&adjoints[*first..]);
                all.for_each(|(slot, &adjoint)| *slot = adjoint + 0.0);
            }
            Self::Each(nodes) => {
                let all = slots.zip(nodes);
                all.for_each(|(slot, &node)| *slot = adjoints[node as usize] + 0.0);
            }
        }
    }
}
