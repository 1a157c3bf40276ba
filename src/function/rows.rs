//! A function over rows of data: values and gradients summed over them, or one
//! by one.
//!
//! Rows are taken in chunks, chunks in blocks. What a block adds to a sum goes by
//! the row's number alone, chunks are added up in their order, and the number of
//! threads or the width of a vector changes no bit.

use super::frozen::Function;
use crate::error::Error;
use crate::error::check_length;
use crate::execute::driver::workspace::Workspace;
use crate::execute::lanes::block::{BLOCK, LANES, Total};
use crate::execute::lanes::blocks::{self, Broken, Scratch};
use crate::execute::lanes::columns::Columns;
use crate::execute::lanes::lane_program::LaneOperand;
use crate::execute::lanes::vectors::{VectorTask, Vectors, with_widest};
use crate::ops::{ABSENT, Real};
use crate::sweep::{forward, reverse};
use std::ops::Range;

/// Rows that are added up by themselves.
pub(crate) const CHUNK: usize = 10 * BLOCK;
/// Up to this many rows, waking other threads takes longer than they save.
const WORTHWHILE: usize = 4 * CHUNK;

/// A [`Function`] over rows of data: its columns take a value from each row, its
/// other inputs, the parameters, are the same in all. Made by [`Function::rows`],
/// [`Function::rows_of`] and [`Function::rows_from`].
///
/// The value of all rows together is the sum of the output over them, or after
/// [`mean`](Rows::mean) their mean, and then the terms that count once.
///
/// ```
/// use chainrule::Function;
///
/// let f = Function::record(|r| {
///     let (w, b) = (r.input("w", 0.0), r.input("b", 0.0));
///     let (x, y) = (r.column("x", 0.0), r.column("y", 0.0));
///     (w * x + b - y).square()
/// });
/// let rows = f.rows(&[&[1.0, 2.0, 3.0], &[2.0, 4.0, 7.0]])?.mean();
/// let (value, gradient) = rows.value_and_gradient(&[2.0, 0.0])?;
/// assert_eq!((value, gradient), (1.0 / 3.0, vec![-2.0, -2.0 / 3.0]));
/// # Ok::<(), chainrule::Error>(())
/// ```
///
/// Rows are evaluated many at a time, with the vector instructions of the
/// processor that is there. Every row gives the bits that the function gives at
/// its point; sums are added in an order that depends on nothing but the number
/// of rows, and terms that count once come last. The data is read where it lies; memory does not grow with it. Columns
/// that begin at a multiple of 64 bytes take a tenth less time where there are many.
///
/// # Debug builds
///
/// Without optimisation rows take a hundred times as long. These lines in the `Cargo.toml` of a
/// program have this crate optimised in its debug builds, and nothing else:
///
/// ```toml
/// [profile.dev.package.chainrule]
/// opt-level = 3
/// ```
#[derive(Clone, Debug)]
pub struct Rows<'f, 'd> {
    pub(crate) function: &'f Function,
    pub(crate) columns: Columns<'d>,
    mean: bool,
    parallel: bool,
}

impl<'f, 'd> Rows<'f, 'd> {
    pub(crate) fn new(function: &'f Function, columns: Columns<'d>) -> Self {
        Self {
            function,
            columns,
            mean: false,
            parallel: false,
        }
    }
}

impl Function {
    /// How many inputs are columns.
    pub fn columns(&self) -> usize {
        self.is_column
            .iter()
            .filter(|is_column| **is_column)
            .count()
    }

    /// How many inputs are parameters: no columns.
    pub fn parameters(&self) -> usize {
        self.inputs() - self.columns()
    }

    /// Where the parameters lie, in their order.
    pub(crate) fn parameter_nodes(&self) -> impl Iterator<Item = usize> + '_ {
        let inputs = self.inputs.iter().zip(&self.is_column);
        inputs
            .filter(|(_, is_column)| !**is_column)
            .map(|(&id, _)| id as usize)
    }
}

impl Function {
    pub(crate) fn broken(&self, broken: &Broken) -> Error {
        let guard = &self.recording.guards()[broken.guard];
        self.other_branch(guard, broken.operands, Some(broken.row))
    }
}

/// What a run over rows asks for.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Wanted {
    Value,
    Gradient,
}

/// The work on one chunk of rows.
struct Chunk<'a> {
    rows: &'a Rows<'a, 'a>,
    shared: &'a [f64],
    first: usize,
    wanted: Wanted,
    scratch: &'a mut Scratch,
}

impl VectorTask<Result<Total, Broken>> for Chunk<'_> {
    fn run<V: Vectors>(self, vectors: V) -> Result<Total, Broken> {
        let (plan, columns) = (&self.rows.function.plan, &self.rows.columns);
        let seed = (self.wanted == Wanted::Gradient).then_some(1.0);
        let rows = blocks::RowsOfBlock::new(vectors, plan, columns, self.shared, seed);
        let end = (self.first + CHUNK).min(self.rows.len()).div_ceil(BLOCK);
        let blocks = self.first / BLOCK..end;
        rows.add_up(blocks, self.scratch)
    }
}

impl Rows<'_, '_> {
    /// The mean over the rows in place of the sum. Of no rows it is 0/0: NaN, and so is each
    /// derivative of it. (A sum of none is 0.)
    pub fn mean(mut self) -> Self {
        self.mean = true;
        self
    }

    /// With all threads of the present `rayon` pool, for values and gradients of all
    /// rows together, where there are thousands. Not a bit of them changes.
    #[cfg(feature = "parallel")]
    pub fn parallel(mut self) -> Self {
        self.parallel = true;
        self
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.columns.rows
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of all rows together.
    ///
    /// # Errors
    /// If the number of parameters is wrong, if there is not exactly one output, or
    /// if a comparison would come out the other way than recorded in some row. The error
    /// names the first such row, and of its comparisons the first. Where there are no rows,
    /// those of parameters alone are checked.
    pub fn value(&self, parameters: &[f64]) -> Result<f64, Error> {
        self.run(parameters, Wanted::Value, &mut Workspace::new())
    }

    /// The gradient by the parameters, as long as they; if there are none, empty.
    ///
    /// # Errors
    /// As [`value`](Self::value).
    pub fn gradient(&self, parameters: &[f64]) -> Result<Vec<f64>, Error> {
        self.value_and_gradient(parameters)
            .map(|(_, gradient)| gradient)
    }

    /// Value and gradient of all rows together, in one pass over the data.
    ///
    /// # Errors
    /// As [`value`](Self::value).
    pub fn value_and_gradient(&self, parameters: &[f64]) -> Result<(f64, Vec<f64>), Error> {
        let mut gradient = vec![0.0; self.function.parameters()];
        let workspace = &mut Workspace::new();
        let value = self.value_and_gradient_into(parameters, &mut gradient, workspace)?;
        Ok((value, gradient))
    }

    /// Writes the gradient and returns the value. Allocates nothing once the
    /// workspace has been used (`rayon` may, for its own needs, and more than 16 threads do).
    ///
    /// # Errors
    /// As [`value`](Self::value), and if `gradient` is not as long as `parameters`;
    /// `gradient` is then untouched.
    pub fn value_and_gradient_into(
        &self,
        parameters: &[f64],
        gradient: &mut [f64],
        workspace: &mut Workspace,
    ) -> Result<f64, Error> {
        let expected = self.function.parameters();
        check_length("components of the gradient", gradient.len(), expected)?;
        let value = self.run(parameters, Wanted::Gradient, workspace)?;
        let totals = 0..self.function.plan.totals.len();
        self.end_sweep(totals, Some(1.0), workspace);
        self.read_gradient(workspace, gradient);
        Ok(value)
    }

    /// The Jacobian of all outputs by the parameters, summed over the rows or, after
    /// [`mean`](Self::mean), their mean: a row for each output, a column for each
    /// parameter. One pass over the data and a sweep back from each output; outputs
    /// that are multiples of one node by data share a sweep, and are multiplied at its end.
    ///
    /// # Errors
    /// As [`value`](Self::value), for any number of outputs.
    pub fn jacobian(&self, parameters: &[f64]) -> Result<Vec<Vec<f64>>, Error> {
        let workspace = &mut Workspace::new();
        self.sums(parameters, Wanted::Gradient, workspace)?;
        let once = (self.function.outputs() == 1).then_some(1.0);
        let row = vec![0.0; self.function.parameters()];
        let mut jacobian = vec![row; self.function.outputs()];
        for route in &self.function.plan.routes {
            for served in &route.served {
                self.end_sweep(route.totals_of(served), once, workspace);
                self.read_gradient(workspace, &mut jacobian[served.output]);
            }
        }
        Ok(jacobian)
    }

    /// The Hessian by the parameters of all rows together, row by row: the
    /// [`jacobian`](Self::jacobian) of the gradient, which is made a function at
    /// the first call.
    ///
    /// # Errors
    /// As [`value`](Self::value).
    pub fn hessian(&self, parameters: &[f64]) -> Result<Vec<Vec<f64>>, Error> {
        self.function.expect_one_output()?;
        let [gradient, once] = self.function.gradient_of_row();
        let rows = Rows {
            function: gradient,
            columns: self.columns.clone(),
            ..*self
        };
        // In a function of its own a node has another number: the error is that of this one.
        let named = |error| self.value(parameters).err().unwrap_or(error);
        let mut hessian = rows.jacobian(parameters).map_err(named)?;
        if !self.function.once.is_empty() {
            let once = once.hessian(parameters)?;
            for (row, once) in hessian.iter_mut().zip(once) {
                row.iter_mut()
                    .zip(once)
                    .for_each(|(sum, once)| *sum += once);
            }
        }
        Ok(hessian)
    }

    fn run(
        &self,
        parameters: &[f64],
        wanted: Wanted,
        workspace: &mut Workspace,
    ) -> Result<f64, Error> {
        self.function.expect_one_output()?;
        self.sums(parameters, wanted, workspace)?;
        let sum = workspace.sums.last().expect("the sum of the output");
        let value = |id: usize| workspace.values[id];
        Ok(self.function.plus_once(*sum + 0.0, value))
    }

    /// Sums or means over the rows: the totals, and then the first output.
    fn sums(
        &self,
        parameters: &[f64],
        wanted: Wanted,
        workspace: &mut Workspace,
    ) -> Result<(), Error> {
        self.set(parameters, workspace)?;
        let Workspace {
            values,
            scratches,
            sums,
            parts,
            ..
        } = workspace;
        sums.clear();
        sums.resize(self.function.plan.totals.len() + 1, ABSENT);
        if self.parallel && self.len() > WORTHWHILE {
            #[cfg(feature = "parallel")]
            self.add_in_parallel(values, wanted, scratches, parts, sums)?;
        } else {
            scratches.resize_with(scratches.len().max(1), Scratch::default);
            let scratch = &mut scratches[0];
            parts.resize(sums.len(), 0.0);
            scratch.numbers.prepare(&self.function.plan, values, false);
            for first in (0..self.len()).step_by(CHUNK) {
                self.chunk(first, values, wanted, scratch, parts)?;
                sums.iter_mut()
                    .zip(&*parts)
                    .for_each(|(sum, part)| *sum += part);
            }
        }
        if self.mean {
            let rows = self.len() as f64;
            sums.iter_mut().for_each(|sum| *sum /= rows);
        }
        Ok(())
    }

    /// Evaluates what depends on parameters alone, and puts the constants after it.
    pub(crate) fn set(&self, parameters: &[f64], workspace: &mut Workspace) -> Result<(), Error> {
        check_length("parameters", parameters.len(), self.function.parameters())?;
        let plan = &self.function.plan;
        let values = &mut workspace.values;
        values.resize(plan.shared, 0.0);
        for (at, &value) in self.function.parameter_nodes().zip(parameters) {
            values[at] = value;
        }
        forward(self.function.recording.program(), values);
        values.extend(&plan.constants);
        match self.is_empty() {
            true => self.check_shared_guards(values),
            false => Ok(()),
        }
    }

    /// Checks the comparisons that depend on parameters alone, for want of a row in which all
    /// are checked.
    fn check_shared_guards(&self, shared: &[f64]) -> Result<(), Error> {
        for guard in &self.function.plan.guards {
            if let (LaneOperand::Shared(a), LaneOperand::Shared(b)) = (guard.a, guard.b) {
                let operands = (shared[a as usize], shared[b as usize]);
                if guard.test.holds(operands.0, operands.1) != guard.held {
                    let guard = &self.function.recording.guards()[guard.number];
                    return Err(self.function.other_branch(guard, operands, None));
                }
            }
        }
        Ok(())
    }

    /// What one chunk adds to the sums: totals, and then the output.
    pub(crate) fn chunk(
        &self,
        first: usize,
        shared: &[f64],
        wanted: Wanted,
        scratch: &mut Scratch,
        part: &mut [f64],
    ) -> Result<(), Error> {
        scratch.numbers.totals.fill([ABSENT; LANES]);
        let output = with_widest(Chunk {
            rows: self,
            shared,
            first,
            wanted,
            scratch,
        });
        let output = output.map_err(|broken| self.function.broken(&broken))?;
        let totals = scratch.numbers.totals.iter().chain([&output]);
        part.iter_mut()
            .zip(totals)
            .for_each(|(part, total)| *part = added_up(total));
        Ok(())
    }

    /// Sweeps on through what depends on parameters alone, from some of the totals
    /// and, with a weight, from the terms that count once.
    pub(crate) fn end_sweep(
        &self,
        totals: Range<usize>,
        once: Option<f64>,
        workspace: &mut Workspace,
    ) {
        let (function, plan) = (self.function, &self.function.plan);
        let Workspace {
            values,
            adjoints,
            sums,
            ..
        } = workspace;
        adjoints.clear();
        adjoints.resize(plan.shared, ABSENT);
        for (&node, &total) in plan.totals[totals.clone()].iter().zip(&sums[totals]) {
            let adjoint = &mut adjoints[node as usize];
            *adjoint = adjoint.plus(total);
        }
        if let Some(weight) = once {
            function.seed_once(weight, adjoints);
        }
        let values = &values[..plan.shared];
        reverse(function.recording.program(), values, adjoints);
    }

    pub(crate) fn read_gradient(&self, workspace: &Workspace, gradient: &mut [f64]) {
        for (slot, at) in gradient.iter_mut().zip(self.function.parameter_nodes()) {
            *slot = workspace.adjoints[at] + 0.0;
        }
    }
}

/// The lanes of a total, in a fixed order.
fn added_up(lanes: &Total) -> f64 {
    let [a, b, c, d, e, f, g, h] = *lanes;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}
