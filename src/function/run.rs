//! Evaluation of a `Function` at a point: the two sweeps over the frozen
//! recording, in a caller's workspace or a new one.

use super::frozen::Function;
use crate::error::{Error, check_length, expect_length};
use crate::execute::driver::workspace::Workspace;
use crate::execute::lanes::lane_program::LaneOperand;
use crate::execute::scalar::on_registers::OnRegisters;
use crate::graph::{Guard, Operand};
use crate::ops::{ABSENT, Real};
use crate::registers::FEW;
use crate::sweep::{forward, reverse, seed};

/// The number that an operand stands for.
fn number<T: Real>(operand: &Operand, node: impl Fn(usize) -> T) -> T {
    match operand {
        Operand::Node(id) => node(id.index()),
        Operand::Constant(value) => T::from(*value),
    }
}

/// Adds a weight to the seed of an output.
fn give<T: Real>(output: &Operand, weight: f64, adjoints: &mut [T]) {
    if let Operand::Node(id) = output {
        let slot = &mut adjoints[id.index()];
        *slot = slot.plus(T::from(seed(weight)));
    }
}

/// Value, and gradient if it is asked for, on few registers that are used once, or on many.
#[inline(never)]
fn on_other_registers(
    registers: &OnRegisters,
    x: &[f64],
    gradient: Option<&mut [f64]>,
    workspace: &mut Workspace,
) -> Option<f64> {
    match registers {
        OnRegisters::Few(registers) => registers.run(x, gradient, &mut [0.0; FEW], &mut 0),
        // So many are not worth being made for one evaluation.
        OnRegisters::More(_) if workspace.is_for_once => None,
        OnRegisters::More(registers) => {
            let file = workspace.more.get_or_insert_default();
            registers.run(x, gradient, &mut file.numbers, &mut file.holder)
        }
    }
}

impl Function {
    /// The value of the only output.
    ///
    /// # Errors
    /// If `x` is not as long as there are inputs, if there is not exactly one
    /// output, or if a comparison would come out the other way than recorded.
    pub fn value(&self, x: &[f64]) -> Result<f64, Error> {
        self.value_with(x, &mut Workspace::for_once())
    }

    /// The value, in a workspace.
    ///
    /// # Errors
    /// As [`value`](Self::value).
    #[inline] // where the number of inputs is known, W2 50 → 43 ns (`docs/benchmarks.md`)
    pub fn value_with(&self, x: &[f64], workspace: &mut Workspace) -> Result<f64, Error> {
        match self.on_registers(x, None, workspace) {
            Some(value) => Ok(value),
            None => self.value_by_sweeps(x, workspace),
        }
    }

    /// The same without registers, or the error. Apart, so that the way above is short.
    #[inline(never)]
    fn value_by_sweeps(&self, x: &[f64], workspace: &mut Workspace) -> Result<f64, Error> {
        self.expect_one_output()?;
        if let Some(rolled) = &self.rolled {
            check_length("inputs", x.len(), self.inputs())?;
            return Ok(rolled.value(x, workspace));
        }
        self.evaluate(x, workspace)?;
        Ok(self.output(0, workspace))
    }

    /// The gradient of the only output, as long as `x`.
    ///
    /// # Errors
    /// As [`value`](Self::value).
    pub fn gradient(&self, x: &[f64]) -> Result<Vec<f64>, Error> {
        self.value_and_gradient(x).map(|(_, gradient)| gradient)
    }

    /// Value and gradient of the only output.
    ///
    /// # Errors
    /// As [`value`](Self::value).
    pub fn value_and_gradient(&self, x: &[f64]) -> Result<(f64, Vec<f64>), Error> {
        let mut gradient = vec![0.0; self.inputs()];
        let workspace = &mut Workspace::for_once();
        let value = self.value_and_gradient_into(x, &mut gradient, workspace)?;
        Ok((value, gradient))
    }

    /// Writes the gradient and returns the value. Allocates nothing once the
    /// workspace has been used.
    ///
    /// # Errors
    /// As [`value`](Self::value), and if `gradient` is not as long as `x`;
    /// `gradient` is then untouched.
    #[inline] // as `value_with`
    pub fn value_and_gradient_into(
        &self,
        x: &[f64],
        gradient: &mut [f64],
        workspace: &mut Workspace,
    ) -> Result<f64, Error> {
        match self.on_registers(x, Some(&mut *gradient), workspace) {
            Some(value) => Ok(value),
            None => self.value_and_gradient_by_sweeps(x, gradient, workspace),
        }
    }

    /// The same without registers, or the error. Apart, so that the way above is short.
    #[inline(never)]
    fn value_and_gradient_by_sweeps(
        &self,
        x: &[f64],
        gradient: &mut [f64],
        workspace: &mut Workspace,
    ) -> Result<f64, Error> {
        self.expect_one_output()?;
        check_length("components of the gradient", gradient.len(), self.inputs())?;
        if let Some(rolled) = &self.rolled {
            check_length("inputs", x.len(), self.inputs())?;
            return Ok(rolled.value_and_gradient(x, gradient, workspace));
        }
        self.evaluate(x, workspace)?;
        self.pull_back(&[1.0], workspace);
        self.read_gradient(workspace, gradient);
        Ok(self.output(0, workspace))
    }

    /// Value and adjoint of each node asked for by [`retain`](crate::Freeze::retain),
    /// in that order, for the only output.
    ///
    /// # Errors
    /// As [`value`](Self::value).
    pub fn retained(&self, x: &[f64]) -> Result<Vec<(f64, f64)>, Error> {
        self.expect_one_output()?;
        let workspace = &mut Workspace::new();
        self.evaluate(x, workspace)?;
        self.pull_back(&[1.0], workspace);
        let pair = |operand: &Operand| match operand {
            Operand::Node(id) => {
                let adjoint = workspace.adjoints[id.index()] + 0.0;
                (workspace.values[id.index()], adjoint)
            }
            Operand::Constant(value) => (*value, 0.0),
        };
        Ok(self.retained.iter().map(pair).collect())
    }

    /// Where the `which`-th retained node is.
    pub(crate) fn retained_place(&self, which: usize) -> Result<LaneOperand, Error> {
        let places = &self.plan.retained;
        let place = places.get(which).copied();
        place.ok_or(Error::NotRetained {
            which,
            retained: places.len(),
        })
    }

    pub(crate) fn expect_one_output(&self) -> Result<(), Error> {
        check_length("outputs where one is needed", self.outputs(), 1)
    }

    /// Value, and gradient if it is asked for, on registers. Nothing, if the function is not
    /// on any, or if something is wrong, which another way will say.
    #[inline(always)]
    fn on_registers(
        &self,
        x: &[f64],
        gradient: Option<&mut [f64]>,
        workspace: &mut Workspace,
    ) -> Option<f64> {
        match self.registers.as_deref()? {
            OnRegisters::Few(registers) if !workspace.is_for_once => {
                let file = workspace.few.get_or_insert_default();
                registers.run(x, gradient, &mut file.numbers, &mut file.holder)
            }
            registers => on_other_registers(registers, x, gradient, workspace),
        }
    }

    /// The values of all outputs, and the Jacobian if it is asked for, on registers. Nothing as
    /// there.
    pub(crate) fn all_on_registers(
        &self,
        x: &[f64],
        values: &mut [f64],
        jacobian: Option<&mut [f64]>,
        workspace: &mut Workspace,
    ) -> Option<()> {
        match self.registers.as_deref()? {
            OnRegisters::Few(registers) => {
                let file = workspace.few.get_or_insert_default();
                registers.run_all(x, values, jacobian, &mut file.numbers, &mut file.holder)
            }
            OnRegisters::More(_) if workspace.is_for_once => None, // as above
            OnRegisters::More(registers) => {
                let file = workspace.more.get_or_insert_default();
                registers.run_all(x, values, jacobian, &mut file.numbers, &mut file.holder)
            }
        }
    }

    /// Sets the inputs, evaluates, and checks the guards.
    pub(crate) fn evaluate(&self, x: &[f64], workspace: &mut Workspace) -> Result<(), Error> {
        check_length("inputs", x.len(), self.inputs())?;
        let values = &mut workspace.values;
        // Inputs are the only leaves: the sweep overwrites everything else.
        values.resize(self.nodes(), 0.0);
        for (&at, &x) in self.inputs.iter().zip(x) {
            values[at as usize] = x;
        }
        forward(self.recording.program(), values);
        self.check_guards(|id| values[id])
    }

    pub(crate) fn check_guards(&self, value: impl Fn(usize) -> f64) -> Result<(), Error> {
        for guard in self.recording.guards() {
            let operands = (number(&guard.a, &value), number(&guard.b, &value));
            if guard.test.holds(operands.0, operands.1) != guard.held {
                return Err(self.other_branch(guard, operands, None));
            }
        }
        Ok(())
    }

    pub(crate) fn other_branch(
        &self,
        guard: &Guard,
        operands: (f64, f64),
        row: Option<usize>,
    ) -> Error {
        let (a, b) = (self.written(guard.a), self.written(guard.b));
        Error::OtherBranch {
            comparison: format!("{a} {} {b}", guard.test.symbol()),
            recorded: guard.held,
            recorded_operands: guard.recorded,
            operands,
            location: guard.caller.to_string(),
            row,
        }
    }

    pub(crate) fn output(&self, i: usize, workspace: &Workspace) -> f64 {
        self.sum_of_output(i, |id| workspace.values[id])
    }

    /// An output with the terms that count once.
    pub(crate) fn sum_of_output<T: Real>(&self, i: usize, node: impl Fn(usize) -> T) -> T {
        self.plus_once(number(&self.outputs[i], &node), node)
    }

    /// A sum with the terms that count once.
    pub(crate) fn plus_once<T: Real>(&self, sum: T, node: impl Fn(usize) -> T) -> T {
        let terms = self.once.iter();
        terms.fold(sum, |sum, term| sum + number(term, &node))
    }

    /// Gives each output its weight, and the terms that count once that of the
    /// only one.
    pub(crate) fn seed<T: Real>(&self, weights: &[f64], adjoints: &mut [T]) {
        self.outputs
            .iter()
            .zip(weights)
            .for_each(|(output, &weight)| give(output, weight, adjoints));
        if let [weight] = weights {
            self.seed_once(*weight, adjoints);
        }
    }

    pub(crate) fn seed_once<T: Real>(&self, weight: f64, adjoints: &mut [T]) {
        self.once
            .iter()
            .for_each(|term| give(term, weight, adjoints));
    }

    /// Sweeps back from the outputs, each with its weight.
    pub(crate) fn pull_back(&self, weights: &[f64], workspace: &mut Workspace) {
        expect_length("weights of the outputs", weights.len(), self.outputs());
        let adjoints = &mut workspace.adjoints;
        adjoints.resize(self.nodes(), ABSENT);
        adjoints.fill(ABSENT);
        self.seed(weights, adjoints);
        reverse(self.recording.program(), &workspace.values, adjoints);
    }

    pub(crate) fn read_gradient(&self, workspace: &Workspace, gradient: &mut [f64]) {
        for (slot, &input) in gradient.iter_mut().zip(&self.inputs) {
            *slot = workspace.adjoints[input as usize] + 0.0;
        }
    }
}
