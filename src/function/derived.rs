//! Functions made from a function when they are first asked for: its derivatives, recorded by the
//! sweeps over numbers that record.

use super::frozen::{Function, Products};
use super::rows::Rows;
use crate::dual::Dual;
use crate::execute::lanes::block::BLOCK;
use crate::execute::lanes::block::Slot;
use crate::execute::lanes::columns::Columns;
use crate::graph::{Guard, Operand};
use crate::ops::{ABSENT, Op};
use crate::sweep::{forward, reverse};
use crate::tape::Tape;
use crate::tape::Var;

/// A recording of a function at a point that moves along a direction.
struct Moving<'t> {
    inputs: Vec<Var<'t>>,
    direction: Vec<Var<'t>>,
    values: Vec<Dual<Var<'t>>>,
}

impl Function {
    /// A tape with this function's recording, and the handles of its nodes.
    fn on_tape(&self) -> Tape {
        let tape = Tape::new();
        *tape.recording.borrow_mut() = self.recording.clone();
        tape
    }

    /// The gradient by the parameters as a function with an output for each, and
    /// the terms that count once as a function of the parameters.
    pub(crate) fn gradient_of_row(&self) -> &[Function; 2] {
        self.derived.gradient.get_or_init(|| {
            let tape = self.on_tape();
            let inputs: Vec<_> = self.inputs.iter().map(|&id| Var::on(&tape, id)).collect();
            let parameters: Vec<_> = (self.parameter_nodes())
                .map(|id| Var::on(&tape, id as u32))
                .collect();
            let var = |operand: &Operand| match operand {
                Operand::Node(id) => Var::on(&tape, id.0),
                Operand::Constant(value) => Var::from(*value),
            };
            let gradient = var(&self.outputs[0]).gradient_graph(&parameters);
            let once: Var<'_> = self.once.iter().map(var).sum();
            let gradient = tape.function_with_outputs(&inputs, &gradient);
            // The gradient checks them all, of which some depend on columns.
            tape.recording.borrow_mut().forget_guards();
            [gradient, tape.function(&parameters, once)].into()
        })
    }

    /// The values of all outputs, and then their derivatives along a direction, as a function
    /// of the inputs and then of the components of the direction.
    pub(crate) fn tangent(&self) -> &Function {
        self.derived.tangent.get_or_init(|| {
            let tape = Tape::new();
            let moving = self.record_moving(&tape, false);
            let output = |i| self.sum_of_output(i, |id| moving.values[id]);
            let all = 0..self.outputs();
            let values = all.clone().map(|i| output(i).primal());
            let tangents = all.map(|i| output(i).tangent().or_zero());
            let outputs: Vec<Var<'_>> = values.chain(tangents).collect();
            Box::new(moving.function(&tape, &outputs))
        })
    }

    /// The only output, its gradient, and the product of the Hessian with a direction, as a
    /// function of the inputs and then of the components of the direction.
    pub(crate) fn product_with_hessian(&self) -> &Function {
        self.derived.product.get_or_init(|| {
            let tape = Tape::new();
            let moving = self.record_moving(&tape, false);
            let gradient = self.record_gradient(&moving);
            let value = self.sum_of_output(0, |id| moving.values[id]).primal();
            let first = gradient.iter().map(|d| d.primal().or_zero());
            let second = gradient.iter().map(|d| d.tangent().or_zero());
            let outputs: Vec<Var<'_>> = [value].into_iter().chain(first).chain(second).collect();
            Box::new(moving.function(&tape, &outputs))
        })
    }

    /// The same over all unit vectors, without the gradient.
    pub(crate) fn products_with_unit_vectors(&self) -> Rows<'_, '_> {
        let products = self.derived.products.get_or_init(|| {
            let tape = Tape::new();
            let moving = self.record_moving(&tape, true);
            let gradient = self.record_gradient(&moving);
            let outputs: Vec<Var<'_>> = gradient.iter().map(|d| d.tangent().or_zero()).collect();
            let function = moving.function(&tape, &outputs);
            let unit_vectors = unit_vectors(self.inputs());
            Box::new(Products {
                function,
                unit_vectors,
            })
        });
        let columns = Columns::stored(self.inputs(), 0, &products.unit_vectors);
        Rows::new(&products.function, columns)
    }

    /// For each output the first operation that it depends on, or the output itself if there is
    /// none: no sweep from it goes further.
    pub(crate) fn first_reached(&self) -> &[u32] {
        self.derived.first_reached.get_or_init(|| {
            let mut reached = vec![false; self.nodes()];
            let first = |output: &Operand| {
                let last = output.node().unwrap_or(0);
                self.first_reached_from(last, &mut reached)
            };
            self.outputs.iter().map(first).collect()
        })
    }

    fn first_reached_from(&self, last: u32, reached: &mut [bool]) -> u32 {
        let program = self.recording.program();
        let mut first = last;
        reached[last as usize] = true;
        let mut at = last;
        // As a sweep goes: down to the first operation that something reached depends on.
        loop {
            let record = program.records[at as usize];
            if std::mem::take(&mut reached[at as usize]) && record.op() != Op::Input {
                program.for_each_operand(record, |operand| {
                    let Operand::Node(id) = operand else { return };
                    if program.records[id.index()].op() != Op::Input {
                        reached[id.index()] = true;
                        first = first.min(id.0);
                    }
                });
            }
            if at <= first {
                return first;
            }
            at -= 1;
        }
    }

    /// Records this function at a point that moves, with its comparisons.
    fn record_moving<'t>(&self, tape: &'t Tape, is_column: bool) -> Moving<'t> {
        let at = |&id: &u32| tape.var(self.recording.value(id));
        let inputs: Vec<Var<'_>> = self.inputs.iter().map(at).collect();
        let component = |_| match is_column {
            true => tape.column(0.5),
            false => tape.var(0.5),
        };
        let direction: Vec<Var<'_>> = (0..inputs.len()).map(component).collect();
        let mut values = vec![Dual::from(0.0); self.nodes()];
        for (&at, (&x, &v)) in self.inputs.iter().zip(inputs.iter().zip(&direction)) {
            values[at as usize] = Dual::new(x, v);
        }
        forward(self.recording.program(), &mut values);
        let operand = |operand: Operand| match operand {
            Operand::Node(id) => values[id.index()].primal().operand(),
            constant @ Operand::Constant(_) => constant,
        };
        let guards = self.recording.guards().iter().map(|guard| Guard {
            a: operand(guard.a),
            b: operand(guard.b),
            ..*guard
        });
        tape.recording.borrow_mut().keep_guards(guards);
        Moving {
            inputs,
            direction,
            values,
        }
    }

    /// Records the gradient of the only output, by the inputs.
    fn record_gradient<'t>(&self, moving: &Moving<'t>) -> Vec<Dual<Var<'t>>> {
        let mut adjoints = vec![Dual::from(ABSENT); self.nodes()];
        self.seed(&[1.0], &mut adjoints);
        reverse(self.recording.program(), &moving.values, &mut adjoints);
        self.inputs
            .iter()
            .map(|&id| adjoints[id as usize])
            .collect()
    }
}

impl<'t> Moving<'t> {
    /// A function of the inputs and then of the components of the direction.
    fn function(&self, tape: &'t Tape, outputs: &[Var<'t>]) -> Function {
        let inputs = [&self.inputs[..], &self.direction].concat();
        tape.function_with_outputs(&inputs, outputs)
    }
}

/// In blocks of rows the columns of a matrix of which the rows are unit vectors.
fn unit_vectors(count: usize) -> Vec<Vec<Slot>> {
    let column = |column: usize| {
        let mut blocks = vec![Slot::default(); count.div_ceil(BLOCK)];
        blocks[column / BLOCK].0[column % BLOCK] = 1.0;
        blocks
    };
    (0..count).map(column).collect()
}
