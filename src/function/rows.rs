//! A function over rows of data: values and gradients summed over them, or one
//! by one.
//!
//! Rows are taken in chunks, chunks in blocks. What a block adds to a sum goes by
//! the row's number alone, chunks are added up in their order, and the number of
//! threads or the width of a vector changes no bit.

use super::Function;
use super::blocks::{self, Broken, Columns, Scratch, Total};
use super::run::{Workspace, length};
use crate::error::Error;
use crate::ops::{ABSENT, Real};
use crate::sweep::{forward, reverse};
use fearless_simd::{Level, Simd};

/// Rows that are added up by themselves.
const CHUNK: usize = 1024;

/// A [`Function`] over rows of data: its columns take a value from each row, its
/// other inputs, the parameters, are the same in all. Made by [`Function::rows`].
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
/// of rows. The data is read where it lies; memory does not grow with it.
#[derive(Clone, Debug)]
pub struct Rows<'f, 'd> {
    function: &'f Function,
    data: Vec<&'d [f64]>,
    stride: usize,
    rows: usize,
    mean: bool,
    parallel: bool,
}

impl Function {
    /// This function over rows of data: a slice for each column, in the order of
    /// the inputs that are columns, with a value in each row.
    ///
    /// # Errors
    /// If there are not as many slices as columns, or not all of one length.
    pub fn rows<'d>(&self, columns: &[&'d [f64]]) -> Result<Rows<'_, 'd>, Error> {
        self.expect_columns(columns.len())?;
        let rows = columns[0].len();
        for column in columns {
            length("rows in a column", column.len(), rows)?;
        }
        Ok(self.over(columns.to_vec(), 1, rows))
    }

    /// The same for data that lies row by row: each row is `width` numbers long
    /// and begins with the columns in their order.
    ///
    /// # Errors
    /// If `width` is less than there are columns, or the length of the data is no
    /// multiple of it.
    pub fn rows_of<'d>(&self, data: &'d [f64], width: usize) -> Result<Rows<'_, 'd>, Error> {
        let columns = self.columns();
        self.expect_columns(width.min(columns))?;
        length("numbers in the last row", data.len() % width, 0)?;
        let column = |c: usize| data.get(c..).unwrap_or(&[]);
        let columns = (0..columns).map(column).collect();
        Ok(self.over(columns, width, data.len() / width))
    }

    fn expect_columns(&self, found: usize) -> Result<(), Error> {
        if self.columns() == 0 {
            return Err(Error::NoColumns);
        }
        length("columns", found, self.columns())
    }

    fn over<'d>(&self, data: Vec<&'d [f64]>, stride: usize, rows: usize) -> Rows<'_, 'd> {
        Rows {
            function: self,
            data,
            stride,
            rows,
            mean: false,
            parallel: false,
        }
    }

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
    fn parameter_nodes(&self) -> impl Iterator<Item = usize> + '_ {
        let inputs = self.inputs.iter().zip(&self.is_column);
        inputs
            .filter(|(_, is_column)| !**is_column)
            .map(|(&id, _)| id as usize)
    }
}

impl Function {
    fn broken(&self, broken: &Broken) -> Error {
        let guard = &self.recording.guards[broken.guard];
        self.other_branch(guard, broken.operands, Some(broken.row))
    }
}

/// What a run over rows asks for.
#[derive(Clone, Copy, PartialEq)]
enum Wanted {
    Value,
    Gradient,
}

impl Rows<'_, '_> {
    /// The mean over the rows in place of the sum.
    pub fn mean(mut self) -> Self {
        self.mean = true;
        self
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The value of all rows together.
    ///
    /// # Errors
    /// If the number of parameters is wrong, if there is not exactly one output, or
    /// if a comparison would come out the other way than recorded in some row.
    pub fn value(&self, parameters: &[f64]) -> Result<f64, Error> {
        self.run(parameters, Wanted::Value, &mut Workspace::new())
    }

    /// The gradient by the parameters, as long as they.
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
    /// workspace has been used.
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
        length("components of the gradient", gradient.len(), expected)?;
        let value = self.run(parameters, Wanted::Gradient, workspace)?;
        for (slot, at) in gradient.iter_mut().zip(self.function.parameter_nodes()) {
            *slot = workspace.adjoints[at] + 0.0;
        }
        Ok(value)
    }

    fn run(
        &self,
        parameters: &[f64],
        wanted: Wanted,
        workspace: &mut Workspace,
    ) -> Result<f64, Error> {
        self.function.expect_one_output()?;
        self.set(parameters, workspace)?;
        let plan = &self.function.plan;
        let Workspace {
            values,
            adjoints,
            scratch,
            sums,
        } = workspace;
        sums.clear();
        sums.resize(plan.totals.len() + 1, ABSENT);
        for first in (0..self.rows).step_by(CHUNK) {
            self.chunk(first, values, wanted, scratch, sums)?;
        }
        let rows = self.rows as f64;
        if self.mean {
            sums.iter_mut().for_each(|sum| *sum /= rows);
        }
        let (sum, totals) = sums.split_last().expect("the sum of the output");
        if wanted == Wanted::Gradient {
            self.end_sweep(values, adjoints, totals);
        }
        let (value, constant) = (|id: usize| values[id], |constant| constant);
        Ok(self.function.plus_once(*sum + 0.0, value, constant))
    }

    /// Evaluates what depends on parameters alone, and puts the constants after it.
    fn set(&self, parameters: &[f64], workspace: &mut Workspace) -> Result<(), Error> {
        length("parameters", parameters.len(), self.function.parameters())?;
        let plan = &self.function.plan;
        let values = &mut workspace.values;
        values.resize(plan.shared, 0.0);
        for (at, &value) in self.function.parameter_nodes().zip(parameters) {
            values[at] = value;
        }
        forward(self.function.recording.program(), values);
        values.extend(&plan.constants);
        Ok(())
    }

    /// Adds one chunk to the sums: totals, and then the output.
    fn chunk(
        &self,
        first: usize,
        shared: &[f64],
        wanted: Wanted,
        scratch: &mut Scratch,
        sums: &mut [f64],
    ) -> Result<(), Error> {
        let (plan, end) = (&self.function.plan, (first + CHUNK).min(self.rows));
        scratch.prepare(plan);
        let rows = blocks::Rows {
            plan,
            columns: self.columns(),
            shared,
            first,
        };
        let output = widest(
            #[inline(always)]
            || rows.add_up(end, wanted == Wanted::Gradient, scratch),
        );
        let output = output.map_err(|broken| self.function.broken(&broken))?;
        let totals = scratch.totals.iter().chain([&output]);
        for (sum, total) in sums.iter_mut().zip(totals) {
            *sum += added_up(total);
        }
        Ok(())
    }

    fn columns(&self) -> Columns<'_> {
        Columns {
            data: &self.data,
            stride: self.stride,
            rows: self.rows,
        }
    }

    /// Sweeps on through what depends on parameters alone.
    fn end_sweep(&self, values: &[f64], adjoints: &mut Vec<f64>, totals: &[f64]) {
        let (function, plan) = (self.function, &self.function.plan);
        adjoints.clear();
        adjoints.resize(plan.shared, ABSENT);
        for (&node, &total) in plan.totals.iter().zip(totals) {
            let adjoint = &mut adjoints[node as usize];
            *adjoint = adjoint.plus(total);
        }
        function.seed_once(1.0, adjoints);
        reverse(
            function.recording.program(),
            &values[..plan.shared],
            adjoints,
        );
    }
}

/// The lanes of a total, in a fixed order.
fn added_up(lanes: &Total) -> f64 {
    let [a, b, c, d, e, f, g, h] = *lanes;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

/// Runs `task` compiled for the widest vectors of this processor.
#[inline(always)]
fn widest<R>(task: impl FnOnce() -> R) -> R {
    let level = Level::new();
    if let Some(simd) = level.as_avx512() {
        return simd.vectorize(task);
    }
    if let Some(simd) = level.as_avx2() {
        return simd.vectorize(task);
    }
    task()
}
