//! The heart: `forward` and `reverse`, two loops over one table.
//!
//! Both are generic over [`Real`], and there is no other sweep in the crate.
//! `reverse` over `f64` gives adjoints; over `Dual`, Hessian–vector products;
//! over `Var` it records the gradient as a graph.

use crate::dual::Dual;
use crate::error::{Error, expect_length};
use crate::ops::{ABSENT, Real};
use crate::program::{Form, Operand, Program};
use crate::tape::Tape;
use crate::var::Var;
use smallvec::SmallVec;

/// Evaluates every operation in order. The values of the leaves are given.
pub(crate) fn forward<T: Real>(program: &Program, values: &mut [T]) {
    for index in 0..values.len() {
        let record = &program.records[index];
        let constant = || T::from(record.constant());
        values[index] = match record.form {
            Form::Leaf => continue,
            Form::Unary => T::unary(record.op, values[record.a()]),
            Form::NodeNode => T::binary(record.op, values[record.a()], values[record.b()]),
            Form::NodeConstant => T::binary(record.op, values[record.a()], constant()),
            Form::ConstantNode => T::binary(record.op, constant(), values[record.a()]),
            Form::Nary => {
                let nary = program.nary(record);
                let operands: SmallVec<[T; 8]> = (0..nary.len())
                    .map(|i| operand_value(nary.operand(i), values))
                    .collect();
                T::nary(record.op, &[&operands], &[nary.constants])
            }
        };
    }
}

/// Sends every adjoint back to the operands, each share being adjoint ×
/// partial. `adjoints` holds the seeds, and what is absent elsewhere.
pub(crate) fn reverse<T: Real>(program: &Program, values: &[T], adjoints: &mut [T]) {
    for index in (0..adjoints.len()).rev() {
        let adjoint = adjoints[index];
        if !adjoint.is_absent() {
            for_each_partial(program, index, values, |operand, partial| {
                if passes(program, index, partial) {
                    adjoints[operand] = adjoints[operand].plus(T::share(adjoint, partial));
                }
            });
        }
    }
}

/// Whether an adjoint passes along this partial: an operand that a branch did
/// not take gets nothing.
#[inline]
pub(crate) fn passes<T: Real>(program: &Program, index: usize, partial: T) -> bool {
    !(program.records[index].op.is_branch() && partial.is_zero())
}

/// Calls `each` with the position and the partial of operand after operand of
/// one node, constants left out.
#[inline]
pub(crate) fn for_each_partial<T: Real>(
    program: &Program,
    index: usize,
    values: &[T],
    mut each: impl FnMut(usize, T),
) {
    let record = &program.records[index];
    let (op, result) = (record.op, values[index]);
    let constant = || T::from(record.constant());
    match record.form {
        Form::Leaf => {}
        Form::Unary => each(record.a(), op.partial_1(values[record.a()], result)),
        Form::NodeNode => {
            let (a, b) = (values[record.a()], values[record.b()]);
            each(record.a(), op.partial_first(a, b, result));
            each(record.b(), op.partial_second(a, b, result));
        }
        Form::NodeConstant => {
            each(
                record.a(),
                op.partial_first(values[record.a()], constant(), result),
            );
        }
        Form::ConstantNode => {
            each(
                record.a(),
                op.partial_second(constant(), values[record.a()], result),
            );
        }
        Form::Nary => {
            let nary = program.nary(record);
            let operand = |i| operand_value(nary.operand(i), values);
            op.partials_n(nary.len(), operand, nary.constants, result, |i, partial| {
                if let Operand::Node(id) = nary.operand(i) {
                    each(id.index(), partial);
                }
            });
        }
    }
}

#[inline]
fn operand_value<T: Real>(operand: Operand, values: &[T]) -> T {
    match operand {
        Operand::Node(id) => values[id.index()],
        Operand::Constant(value) => T::from(value),
    }
}

/// A seed or direction: one that is zero moves nothing.
pub(crate) fn seed(value: f64) -> f64 {
    if value == 0.0 { ABSENT } else { value }
}

impl Tape {
    /// Evaluates the recording again from the present values of its inputs.
    ///
    /// ```
    /// let tape = chainrule::Tape::new();
    /// let x = tape.var(2.0);
    /// let y = x.square() + 1.0;
    /// tape.set(x, 3.0);
    /// tape.forward();
    /// assert_eq!(y.value(), 10.0);
    /// ```
    ///
    /// A branch of the recording Rust program (`if a < b`) stays as it was
    /// recorded; `select_lt`, `min`, `max` and `abs` follow the new values.
    pub fn forward(&self) {
        let recording = &mut *self.recording.borrow_mut();
        forward(&recording.program, &mut recording.values);
        recording.revision += 1;
    }
}

impl<'t> Var<'t> {
    /// The partial of this node with respect to one operand: one edge of the
    /// graph, or the sum of two where an operand occurs twice.
    ///
    /// # Panics
    /// If `operand` is not an operand of this node. [`derivative`](crate::derivative) follows
    /// longer paths.
    #[track_caller]
    pub fn partial(self, operand: Var<'_>) -> f64 {
        let Some((tape, id)) = self.place() else {
            Error::NotANode {
                what: "`partial`",
                value: self.value(),
            }
            .stop()
        };
        let wanted = operand.number_on(tape).map(|id| id as usize);
        let mut sum = None;
        {
            let recording = tape.recording.borrow();
            for_each_partial(
                &recording.program,
                id as usize,
                &recording.values,
                |at, partial| {
                    if Some(at) == wanted {
                        sum = Some(sum.map_or(partial, |sum: f64| sum + partial));
                    }
                },
            );
        }
        match sum {
            Some(sum) => sum,
            None => {
                let (node, operand) = (self.describe(), operand.describe());
                Error::NotAnOperand { node, operand }.stop()
            }
        }
    }

    /// The gradient as a graph: one `Var` for each of `wrt`, recorded on the
    /// same tape by the same sweep, to be used and differentiated further.
    /// Where this does not depend on one of them, a constant 0.
    ///
    /// ```
    /// let tape = chainrule::Tape::new();
    /// let x = tape.var(2.0);
    /// let first = x.powi(4).gradient_graph(&[x])[0];
    /// let second = first.gradient_graph(&[x])[0];
    /// assert_eq!((first.value(), second.value()), (32.0, 48.0));
    /// ```
    ///
    /// # Panics
    /// If one of `wrt` belongs to another tape, or the tape becomes full.
    #[track_caller]
    pub fn gradient_graph(self, wrt: &[Var<'t>]) -> Vec<Var<'t>> {
        let Some((tape, id)) = self.place() else {
            return vec![Var::from(0.0); wrt.len()];
        };
        let mut numbers = Vec::with_capacity(wrt.len());
        for var in wrt {
            numbers.push(var.number_on(tape));
        }
        let len = id as usize + 1;
        // A copy, because the sweep appends to the tape that it reads.
        let program = tape.recording.borrow().program.head(len);
        let values: Vec<_> = (0..=id).map(|id| Var::on(tape, id)).collect();
        let mut adjoints = vec![Var::from(ABSENT); len];
        adjoints[len - 1] = Var::from(1.0);
        reverse(&program, &values, &mut adjoints);
        let adjoint = |number: u32| adjoints.get(number as usize).copied();
        let reached = |number: Option<u32>| number.and_then(adjoint).filter(|x| !x.is_absent());
        numbers
            .into_iter()
            .map(|number| reached(number).unwrap_or(Var::from(0.0)))
            .collect()
    }

    /// Gradient and Hessian–vector product with respect to inputs, exact, by
    /// one sweep over dual numbers.
    ///
    /// # Panics
    /// If the lengths differ, or one of `wrt` is not an input of this tape.
    #[track_caller]
    pub fn hvp(self, wrt: &[Var<'t>], direction: &[f64]) -> (Vec<f64>, Vec<f64>) {
        expect_length("components of the direction", direction.len(), wrt.len());
        let zero = || vec![0.0; wrt.len()];
        let Some((tape, id)) = self.place() else {
            return (zero(), zero());
        };
        let len = id as usize + 1;
        let mut values = tape.dual_inputs(wrt, direction);
        let recording = tape.recording.borrow();
        values.truncate(len);
        forward(&recording.program, &mut values);
        let mut adjoints = vec![Dual::from(ABSENT); len];
        adjoints[len - 1] = Dual::from(1.0);
        reverse(&recording.program, &values, &mut adjoints);
        let adjoint = |var: &Var<'t>| {
            let found = var.id().and_then(|id| adjoints.get(id.index()));
            found.map_or((0.0, 0.0), |x| (x.primal() + 0.0, x.tangent()))
        };
        wrt.iter().map(adjoint).unzip()
    }

    /// The Hessian with respect to inputs, row by row: one
    /// [`hvp`](Var::hvp) for each.
    ///
    /// # Panics
    /// If one of `wrt` is not an input of this tape.
    #[track_caller]
    pub fn hessian(self, wrt: &[Var<'t>]) -> Vec<Vec<f64>> {
        let mut rows = Vec::with_capacity(wrt.len());
        let mut direction = vec![0.0; wrt.len()];
        for i in 0..wrt.len() {
            direction[i] = 1.0;
            rows.push(self.hvp(wrt, &direction).1);
            direction[i] = 0.0;
        }
        rows
    }
}

impl Tape {
    /// All values as dual numbers, of which `inputs` move in `direction`.
    #[track_caller]
    pub(crate) fn dual_inputs(&self, inputs: &[Var<'_>], direction: &[f64]) -> Vec<Dual<f64>> {
        let recording = self.recording.borrow();
        let mut values: Vec<_> = recording.values.iter().map(|&x| Dual::from(x)).collect();
        for (input, &tangent) in inputs.iter().zip(direction) {
            let Some(id) = input.number_on(self) else {
                Error::NotANode {
                    what: "a direction",
                    value: input.value(),
                }
                .stop()
            };
            if recording.program.records[id as usize].form != Form::Leaf {
                Error::NotAnInput {
                    node: input.describe(),
                }
                .stop();
            }
            let moved = &mut values[id as usize];
            *moved = moved.plus(Dual::new(ABSENT, seed(tangent)));
        }
        values
    }
}
