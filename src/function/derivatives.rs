//! Derivatives of a `Function` beside the gradient, at a point: of several outputs, along a
//! direction, of second order.
//!
//! Each is a function made from this one (`derived.rs`), evaluated as any function is. That one
//! multiplies by components of a direction that are 0, where a sweep sends nothing; the same
//! comes of it unless one of the factors is not finite. So where a result is NaN the sweeps are
//! asked.

use super::frozen::Function;
use crate::dual::Dual;
use crate::error::Error;
use crate::error::check_length;
use crate::execute::driver::workspace::Workspace;
use crate::graph::Operand;
use crate::ops::{ABSENT, Real};
use crate::sweep::{forward, reverse, reverse_to, seed};
use std::mem;
use std::ops::RangeInclusive;

/// With fewer directions than these a Hessian is made of products with one after another; with
/// more, too, because lanes of unit vectors take as much memory as the Hessian.
const DIRECTIONS: RangeInclusive<usize> = 6..=2048;

/// Of a larger recording, in bytes, no derivative is made a function: it would have some ten
/// times as many nodes. The sweeps take it as it is.
const MOST_BYTES: usize = 1 << 22;

impl Function {
    /// The values of all outputs.
    ///
    /// # Errors
    /// As [`value`](Self::value), for any number of outputs.
    pub fn values(&self, x: &[f64]) -> Result<Vec<f64>, Error> {
        let mut values = vec![0.0; self.outputs()];
        self.values_into(x, &mut values, &mut Workspace::for_once())?;
        Ok(values)
    }

    /// Writes the values of all outputs. Allocates nothing once the workspace has been used, as
    /// all methods that take one; but sweeps over dual numbers do, which answer for tangents and
    /// second derivatives where one of them is NaN or the recording takes more than 4 MiB.
    ///
    /// # Errors
    /// As [`values`](Self::values), and if `values` is not as long as there are outputs; it is
    /// untouched after any error.
    pub fn values_into(
        &self,
        x: &[f64],
        values: &mut [f64],
        workspace: &mut Workspace,
    ) -> Result<(), Error> {
        check_length("values of outputs", values.len(), self.outputs())?;
        if self.all_on_registers(x, values, None, workspace).is_some() {
            return Ok(());
        }
        self.evaluate(x, workspace)?;
        self.read_values(workspace, values);
        Ok(())
    }

    /// The values of all outputs, and the product of the vector `u`, as long as
    /// there are outputs, with the Jacobian: the pullback of `u`, by one sweep.
    ///
    /// # Errors
    /// As [`values`](Self::values), and if the length of `u` is wrong.
    pub fn vjp(&self, x: &[f64], u: &[f64]) -> Result<(Vec<f64>, Vec<f64>), Error> {
        let (mut values, mut product) = (vec![0.0; self.outputs()], vec![0.0; self.inputs()]);
        self.vjp_into(x, u, &mut values, &mut product, &mut Workspace::for_once())?;
        Ok((values, product))
    }

    /// Writes the values of all outputs, and the product of `u` with the Jacobian, as long as
    /// `x`.
    ///
    /// # Errors
    /// As [`vjp`](Self::vjp), and if the lengths of what is written are wrong; it is untouched
    /// after any error.
    pub fn vjp_into(
        &self,
        x: &[f64],
        u: &[f64],
        values: &mut [f64],
        product: &mut [f64],
        workspace: &mut Workspace,
    ) -> Result<(), Error> {
        check_length("weights of the outputs", u.len(), self.outputs())?;
        check_length("values of outputs", values.len(), self.outputs())?;
        check_length("components of the product", product.len(), self.inputs())?;
        self.evaluate(x, workspace)?;
        self.pull_back(u, workspace);
        self.read_gradient(workspace, product);
        self.read_values(workspace, values);
        Ok(())
    }

    /// The values of all outputs, and the product of the Jacobian with the
    /// vector `v`, as long as `x`: the directional derivative.
    ///
    /// # Errors
    /// As [`values`](Self::values), and if the length of `v` is wrong.
    pub fn jvp(&self, x: &[f64], v: &[f64]) -> Result<(Vec<f64>, Vec<f64>), Error> {
        let (mut values, mut product) = (vec![0.0; self.outputs()], vec![0.0; self.outputs()]);
        self.jvp_into(x, v, &mut values, &mut product, &mut Workspace::for_once())?;
        Ok((values, product))
    }

    /// Writes the values of all outputs, and the product of the Jacobian with `v`, one number
    /// for each output.
    ///
    /// # Errors
    /// As [`jvp`](Self::jvp), and if the lengths of what is written are wrong; it is untouched
    /// after any error.
    pub fn jvp_into(
        &self,
        x: &[f64],
        v: &[f64],
        values: &mut [f64],
        product: &mut [f64],
        workspace: &mut Workspace,
    ) -> Result<(), Error> {
        check_length("values of outputs", values.len(), self.outputs())?;
        check_length("components of the product", product.len(), self.outputs())?;
        self.expect_direction(x, v)?;
        let out = [&mut *values, &mut *product];
        if self.is_small() && self.run_along(self.tangent(), x, v, out, workspace) {
            return Ok(());
        }
        let duals = self.evaluate_dual(x, v)?;
        for (i, (value, product)) in values.iter_mut().zip(product).enumerate() {
            let output = self.sum_of_output(i, |id| duals[id]);
            (*value, *product) = (output.primal(), output.tangent() + 0.0);
        }
        Ok(())
    }

    /// The Jacobian: a row for each output, a column for each input.
    ///
    /// # Errors
    /// As [`values`](Self::values).
    pub fn jacobian(&self, x: &[f64]) -> Result<Vec<Vec<f64>>, Error> {
        let mut all = vec![0.0; self.outputs() * self.inputs()];
        self.jacobian_into(x, &mut all, &mut Workspace::for_once())?;
        Ok(in_rows(&all, self.outputs(), self.inputs()))
    }

    /// Writes the Jacobian, row by row: outputs × inputs numbers.
    ///
    /// # Errors
    /// As [`values`](Self::values), and if `jacobian` has not that many numbers; it is untouched
    /// after any error.
    pub fn jacobian_into(
        &self,
        x: &[f64],
        jacobian: &mut [f64],
        workspace: &mut Workspace,
    ) -> Result<(), Error> {
        let mut values = mem::take(&mut workspace.results);
        values.resize(self.outputs(), 0.0);
        let done = self.values_and_jacobian_into(x, &mut values, jacobian, workspace);
        workspace.results = values;
        done
    }

    /// Writes the values of all outputs, and the Jacobian row by row: outputs × inputs numbers.
    ///
    /// # Errors
    /// As [`values`](Self::values), and if the lengths of what is written are wrong; it is
    /// untouched after any error.
    pub fn values_and_jacobian_into(
        &self,
        x: &[f64],
        values: &mut [f64],
        jacobian: &mut [f64],
        workspace: &mut Workspace,
    ) -> Result<(), Error> {
        let numbers = self.outputs() * self.inputs();
        check_length("values of outputs", values.len(), self.outputs())?;
        check_length("numbers of the Jacobian", jacobian.len(), numbers)?;
        let rows = Some(&mut *jacobian);
        if self.all_on_registers(x, values, rows, workspace).is_some() {
            return Ok(());
        }
        self.evaluate(x, workspace)?;
        self.read_values(workspace, values);
        for i in 0..self.outputs() {
            self.pull_back_one(i, workspace);
            self.read_gradient(
                workspace,
                &mut jacobian[i * self.inputs()..][..self.inputs()],
            );
        }
        Ok(())
    }

    /// The gradient of the only output, and the product of its Hessian with `v`.
    ///
    /// # Errors
    /// As [`value`](Self::value), and if the length of `v` is wrong.
    pub fn hvp(&self, x: &[f64], v: &[f64]) -> Result<(Vec<f64>, Vec<f64>), Error> {
        let (mut gradient, mut product) = (vec![0.0; self.inputs()], vec![0.0; self.inputs()]);
        self.hvp_into(
            x,
            v,
            &mut gradient,
            &mut product,
            &mut Workspace::for_once(),
        )?;
        Ok((gradient, product))
    }

    /// Writes the gradient of the only output, and the product of its Hessian with `v`, each as
    /// long as `x`.
    ///
    /// # Errors
    /// As [`hvp`](Self::hvp), and if the lengths of what is written are wrong; it is untouched
    /// after any error.
    pub fn hvp_into(
        &self,
        x: &[f64],
        v: &[f64],
        gradient: &mut [f64],
        product: &mut [f64],
        workspace: &mut Workspace,
    ) -> Result<(), Error> {
        self.expect_one_output()?;
        check_length("components of the gradient", gradient.len(), self.inputs())?;
        check_length("components of the product", product.len(), self.inputs())?;
        self.expect_direction(x, v)?;
        let mut value = [0.0];
        let out = [&mut value[..], &mut *gradient, &mut *product];
        if self.is_small() && self.run_along(self.product_with_hessian(), x, v, out, workspace) {
            return Ok(());
        }
        let values = self.evaluate_dual(x, v)?;
        let mut adjoints = vec![Dual::from(ABSENT); values.len()];
        self.seed(&[1.0], &mut adjoints);
        reverse(self.recording.program(), &values, &mut adjoints);
        let out = gradient.iter_mut().zip(product);
        for (&input, (gradient, product)) in self.inputs.iter().zip(out) {
            let adjoint = adjoints[input as usize];
            (*gradient, *product) = (adjoint.primal() + 0.0, adjoint.tangent() + 0.0);
        }
        Ok(())
    }

    /// The Hessian of the only output, row by row.
    ///
    /// # Errors
    /// As [`value`](Self::value).
    pub fn hessian(&self, x: &[f64]) -> Result<Vec<Vec<f64>>, Error> {
        let mut all = vec![0.0; self.inputs() * self.inputs()];
        self.hessian_into(x, &mut all, &mut Workspace::for_once())?;
        Ok(in_rows(&all, self.inputs(), self.inputs()))
    }

    /// Writes the Hessian of the only output, row by row: inputs × inputs numbers. The products
    /// with all directions are computed together, in vector instructions.
    ///
    /// # Errors
    /// As [`value`](Self::value), and if `hessian` has not that many numbers; it is untouched
    /// after any error.
    pub fn hessian_into(
        &self,
        x: &[f64],
        hessian: &mut [f64],
        workspace: &mut Workspace,
    ) -> Result<(), Error> {
        self.expect_one_output()?;
        let n = self.inputs();
        check_length("numbers of the Hessian", hessian.len(), n * n)?;
        check_length("inputs", x.len(), n)?;
        // Outside of a domain the value is NaN, and no derivative is what is recorded for it.
        let value = self.value_with(x, workspace)?;
        let in_lanes = DIRECTIONS.contains(&n) && self.is_small() && !value.is_nan();
        if in_lanes && self.products_with_all(x, hessian, workspace) {
            return Ok(());
        }
        let mut both = mem::take(&mut workspace.direction);
        both.clear();
        both.resize(2 * n, 0.0);
        let (direction, gradient) = both.split_at_mut(n);
        let done = (0..n).try_for_each(|i| {
            direction[i] = 1.0;
            let row = &mut hessian[i * n..][..n];
            let done = self.hvp_into(x, direction, gradient, row, workspace);
            direction[i] = 0.0;
            done
        });
        workspace.direction = both;
        done
    }

    fn is_small(&self) -> bool {
        self.recording.bytes() <= MOST_BYTES
    }

    fn expect_direction(&self, x: &[f64], v: &[f64]) -> Result<(), Error> {
        check_length("inputs", x.len(), self.inputs())?;
        check_length("components of the direction", v.len(), self.inputs())
    }

    /// Writes what a function of the point and a direction gives, in parts. Nothing is
    /// written, and `false` returned, if that is an error or some of it NaN: then the sweeps say
    /// what is right.
    fn run_along<const PARTS: usize>(
        &self,
        along: &Function,
        x: &[f64],
        v: &[f64],
        parts: [&mut [f64]; PARTS],
        workspace: &mut Workspace,
    ) -> bool {
        let (mut point, mut results) = (
            mem::take(&mut workspace.point),
            mem::take(&mut workspace.results),
        );
        point.clear();
        point.extend(x.iter().chain(v));
        results.resize(along.outputs(), 0.0);
        let done = along.values_into(&point, &mut results, workspace).is_ok()
            && !results.iter().any(|result| result.is_nan());
        if done {
            let mut rest = &results[..];
            for part in parts {
                let (own, others) = rest.split_at(part.len());
                part.copy_from_slice(own);
                rest = others;
            }
        }
        (workspace.point, workspace.results) = (point, results);
        done
    }

    /// Writes the products of the Hessian with all unit vectors, as lanes. Nothing as above.
    fn products_with_all(&self, x: &[f64], hessian: &mut [f64], workspace: &mut Workspace) -> bool {
        let mut results = mem::take(&mut workspace.results);
        results.resize(hessian.len(), 0.0);
        let rows = self.products_with_unit_vectors();
        let done = rows.all_values_into(x, &mut results, workspace).is_ok()
            && !results.iter().any(|result| result.is_nan());
        if done {
            hessian.copy_from_slice(&results);
        }
        workspace.results = results;
        done
    }

    fn evaluate_dual(&self, x: &[f64], v: &[f64]) -> Result<Vec<Dual<f64>>, Error> {
        let mut values = vec![Dual::from(0.0); self.nodes()];
        for ((&at, &x), &v) in self.inputs.iter().zip(x).zip(v) {
            values[at as usize] = Dual::new(x, seed(v));
        }
        forward(self.recording.program(), &mut values);
        self.check_guards(|id| values[id].value())?;
        Ok(values)
    }

    fn read_values(&self, workspace: &Workspace, values: &mut [f64]) {
        for (i, value) in values.iter_mut().enumerate() {
            *value = self.output(i, workspace);
        }
    }

    /// Sweeps back from one of the outputs, over the nodes that it may depend on.
    fn pull_back_one(&self, output: usize, workspace: &mut Workspace) {
        if !self.once.is_empty() {
            return self.pull_back(&[1.0], workspace);
        }
        let Workspace {
            values, adjoints, ..
        } = workspace;
        adjoints.resize(self.nodes(), ABSENT);
        for &input in &self.inputs {
            adjoints[input as usize] = ABSENT;
        }
        let Operand::Node(id) = self.outputs[output] else {
            return;
        };
        let (first, last) = (self.first_reached()[output] as usize, id.index());
        adjoints[first..=last].fill(ABSENT);
        adjoints[last] = 1.0;
        let adjoints = &mut adjoints[..=last];
        reverse_to(self.recording.program(), values, adjoints, first);
    }
}

fn in_rows(numbers: &[f64], rows: usize, width: usize) -> Vec<Vec<f64>> {
    (0..rows)
        .map(|row| numbers[row * width..][..width].to_vec())
        .collect()
}
