//! A function over rows of data, one by one: values, predictions and gradients of
//! each row, and the first row that is not finite.

use super::rows::Rows;
use crate::error::Error;
use crate::error::check_length;
use crate::execute::driver::workspace::Workspace;
use crate::execute::lanes::block::BLOCK;
use crate::execute::lanes::blocks::{self, Broken, Scratch};
use crate::execute::lanes::lane_program::LaneOperand;
use crate::execute::lanes::vectors::{VectorTask, Vectors, with_widest};
use crate::ops::{ABSENT, Real};
use crate::sweep::reverse;
use std::mem;

/// All blocks one after another, each read by `visit` when it has been evaluated.
struct EachBlock<'a, F> {
    rows: &'a Rows<'a, 'a>,
    shared: &'a [f64],
    gradient: bool,
    scratch: &'a mut Scratch,
    visit: F,
}

/// A block of rows that has been evaluated.
struct Evaluated<'a> {
    /// The values of what depends on parameters alone, and then constants.
    shared: &'a [f64],
    /// Its first row, and how many there are.
    first: usize,
    count: usize,
    /// The number at a place in a row of the block.
    at: &'a dyn Fn(LaneOperand, usize) -> f64,
    /// A total in a row of the block.
    total: &'a dyn Fn(usize, usize) -> f64,
}

impl<F: FnMut(&Evaluated<'_>)> VectorTask<Result<(), Broken>> for EachBlock<'_, F> {
    fn run<V: Vectors>(mut self, vectors: V) -> Result<(), Broken> {
        let plan = &self.rows.function.plan;
        let columns = &self.rows.columns;
        let seed = self.gradient.then_some(1.0);
        let rows = blocks::RowsOfBlock::new(vectors, plan, columns, self.shared, seed);
        rows.begin(&mut self.scratch.numbers);
        for block in 0..self.rows.len().div_ceil(BLOCK) {
            let rows = rows.at(block);
            rows.evaluate(self.scratch)?;
            let numbers = &self.scratch.numbers;
            (self.visit)(&Evaluated {
                shared: self.shared,
                first: block * BLOCK,
                count: rows.count(),
                at: &|place, row| rows.view(place, numbers).at(row),
                total: &|total, row| numbers.row_total(total)[row],
            });
        }
        Ok(())
    }
}

impl Rows<'_, '_> {
    /// The value of the output in each row, without the terms that count once.
    ///
    /// # Errors
    /// As [`value`](Self::value).
    pub fn values(&self, parameters: &[f64]) -> Result<Vec<f64>, Error> {
        let mut values = vec![0.0; self.len()];
        self.values_into(parameters, &mut values, &mut Workspace::new())?;
        Ok(values)
    }

    /// Writes the value of the output in each row.
    ///
    /// # Errors
    /// As [`value`](Self::value), and if `values` is not as long as there are rows.
    /// After an error about a row, the rows before its block have been written.
    pub fn values_into(
        &self,
        parameters: &[f64],
        values: &mut [f64],
        workspace: &mut Workspace,
    ) -> Result<(), Error> {
        self.function.expect_one_output()?;
        self.read_into(self.function.plan.outputs[0], parameters, values, workspace)
    }

    /// The value of the `which`-th node asked for by
    /// [`retain`](crate::Freeze::retain) in each row: predictions, for example.
    ///
    /// # Errors
    /// As [`value`](Self::value), for any number of outputs, and if so many nodes
    /// are not retained.
    pub fn retained(&self, which: usize, parameters: &[f64]) -> Result<Vec<f64>, Error> {
        let mut values = vec![0.0; self.len()];
        self.retained_into(which, parameters, &mut values, &mut Workspace::new())?;
        Ok(values)
    }

    /// Writes the value of a retained node in each row.
    ///
    /// # Errors
    /// As [`retained`](Self::retained), and as [`values_into`](Self::values_into).
    pub fn retained_into(
        &self,
        which: usize,
        parameters: &[f64],
        values: &mut [f64],
        workspace: &mut Workspace,
    ) -> Result<(), Error> {
        let place = self.function.retained_place(which)?;
        self.read_into(place, parameters, values, workspace)
    }

    /// Writes the values of all outputs in each row: as many numbers as there are outputs for
    /// the first row, then for the second, and so on.
    pub(crate) fn all_values_into(
        &self,
        parameters: &[f64],
        values: &mut [f64],
        workspace: &mut Workspace,
    ) -> Result<(), Error> {
        let outputs = &self.function.plan.outputs;
        check_length("values of rows", values.len(), self.len() * outputs.len())?;
        self.each_block(parameters, false, workspace, |block| {
            let rows = values[block.first * outputs.len()..].chunks_exact_mut(outputs.len());
            for (row, values) in rows.take(block.count).enumerate() {
                for (value, &place) in values.iter_mut().zip(outputs) {
                    *value = (block.at)(place, row);
                }
            }
        })
    }

    fn read_into(
        &self,
        place: LaneOperand,
        parameters: &[f64],
        values: &mut [f64],
        workspace: &mut Workspace,
    ) -> Result<(), Error> {
        check_length("values of rows", values.len(), self.len())?;
        self.each_block(parameters, false, workspace, |block| {
            for (row, value) in values[block.first..][..block.count].iter_mut().enumerate() {
                *value = (block.at)(place, row);
            }
        })
    }

    /// The gradient of the output in each row by the parameters, row after row,
    /// without the terms that count once: rows × parameters numbers in one list. Without
    /// parameters it is empty, however many rows there are.
    ///
    /// # Errors
    /// As [`value`](Self::value).
    pub fn row_gradients(&self, parameters: &[f64]) -> Result<Vec<f64>, Error> {
        let mut gradients = vec![0.0; self.len() * self.function.parameters()];
        self.row_gradients_into(parameters, &mut gradients, &mut Workspace::new())?;
        Ok(gradients)
    }

    /// Writes the gradient in each row: as many numbers as there are parameters for
    /// the first row, then for the second, and so on.
    ///
    /// # Errors
    /// As [`value`](Self::value), and if `gradients` has not that many numbers.
    /// After an error about a row, the rows before its block have been written.
    pub fn row_gradients_into(
        &self,
        parameters: &[f64],
        gradients: &mut [f64],
        workspace: &mut Workspace,
    ) -> Result<(), Error> {
        let width = self.function.parameters();
        let expected = self.len() * width;
        check_length("components of the gradients", gradients.len(), expected)?;
        self.each_row(parameters, workspace, |row, _, adjoints| {
            let gradient = gradients[row * width..].iter_mut();
            for (slot, at) in gradient.zip(self.function.parameter_nodes()) {
                *slot = adjoints[at] + 0.0;
            }
        })
    }

    /// Finds the first row whose output or gradient is NaN or ∞.
    ///
    /// # Errors
    /// [`Error::NotFiniteRow`] with its number; and as [`value`](Self::value).
    pub fn check_finite(&self, parameters: &[f64]) -> Result<(), Error> {
        let mut bad = None;
        self.each_row(parameters, &mut Workspace::new(), |row, value, adjoints| {
            let gradient = self.function.parameter_nodes().map(|at| adjoints[at]);
            let numbers = gradient.map(|number| ("gradient", number));
            let mut numbers = [("value", value)].into_iter().chain(numbers);
            if bad.is_none() {
                let found = numbers.find(|(_, number)| !number.is_finite());
                bad = found.map(|(what, number)| Error::NotFiniteRow { what, row, number });
            }
        })?;
        bad.map_or(Ok(()), Err)
    }

    /// Calls `each` with the number of every row, the value of the output in it, and
    /// the adjoints of what depends on parameters alone.
    fn each_row(
        &self,
        parameters: &[f64],
        workspace: &mut Workspace,
        mut each: impl FnMut(usize, f64, &[f64]),
    ) -> Result<(), Error> {
        self.function.expect_one_output()?;
        let (program, plan) = (self.function.recording.program(), &self.function.plan);
        let mut adjoints = mem::take(&mut workspace.adjoints);
        let done = self.each_block(parameters, true, workspace, |block| {
            for row in 0..block.count {
                adjoints.clear();
                adjoints.resize(plan.shared, ABSENT);
                for (total, &node) in plan.totals.iter().enumerate() {
                    let adjoint: &mut f64 = &mut adjoints[node as usize];
                    *adjoint = adjoint.plus((block.total)(total, row));
                }
                reverse(program, &block.shared[..plan.shared], &mut adjoints);
                let value = (block.at)(plan.outputs[0], row);
                each(block.first + row, value, &adjoints);
            }
        });
        workspace.adjoints = adjoints;
        done
    }

    fn each_block(
        &self,
        parameters: &[f64],
        gradient: bool,
        workspace: &mut Workspace,
        visit: impl FnMut(&Evaluated<'_>),
    ) -> Result<(), Error> {
        self.set(parameters, workspace)?;
        let Workspace {
            values, scratches, ..
        } = workspace;
        scratches.resize_with(scratches.len().max(1), Scratch::default);
        let scratch = &mut scratches[0];
        (scratch.numbers).prepare(&self.function.plan, values, gradient);
        let done = with_widest(EachBlock {
            rows: self,
            shared: values,
            gradient,
            scratch,
            visit,
        });
        done.map_err(|broken| self.function.broken(&broken))
    }
}
