//! What a tape is asked for beside adjoints: values at other points, single partials, gradients as
//! graphs, second derivatives. All of it by the two sweeps, over one number type or another.

use super::cache::MOST_NODES;
use super::{Tape, Var};
use crate::dual::Dual;
use crate::error::{Error, expect_length};
use crate::graph::{Mark, NodeId, Recording};
use crate::ops::{ABSENT, Op, Real};
use crate::sweep::{for_each_edge, forward, reverse, seed};
use smallvec::SmallVec;

/// The way from a node to one of its operands.
pub(crate) struct LocalPartial {
    pub(crate) operand: usize,
    pub(crate) partial: f64,
    /// Whether an adjoint passes: not to an operand that a branch did not take.
    pub(crate) passes: bool,
}

impl Recording {
    /// The edges from a node to its operands: their positions and the partials.
    pub(crate) fn edges(&self, index: usize) -> SmallVec<[LocalPartial; 2]> {
        let mut edges = SmallVec::new();
        let mut each = |operand, partial, branch: bool| {
            edges.push(LocalPartial {
                operand,
                partial,
                passes: !(branch && partial == 0.0),
            });
        };
        let (program, values) = (self.program(), self.values());
        let kind = program.records[index].code();
        for_each_edge(kind, program, index, values, &mut each);
        edges
    }

    /// For each operand that is a node, the partial with respect to it.
    pub(crate) fn partials(&self, index: usize) -> SmallVec<[(NodeId, f64); 2]> {
        let pair = |edge: LocalPartial| (NodeId(edge.operand as u32), edge.partial);
        self.edges(index).into_iter().map(pair).collect()
    }
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
    ///
    /// Of more than 128 nodes the first call takes memory as the first [`clear`](Tape::clear)
    /// does: the sweeps of a tape that is evaluated again are those of the same.
    pub fn forward(&self) {
        // The adjoint program of a small one needs the room that is given up below.
        let nodes = self.len();
        if nodes > MOST_NODES && self.cache.borrow().is_none() {
            self.prepare_for_repetition(nodes);
        }
        let recording = &mut *self.recording.borrow_mut();
        let (program, values) = recording.program_and_values();
        forward(program, values);
        recording.changed();
    }
}

/// What is recorded until it is dropped: all of it, or nothing if there was no room for all.
struct Unfinished<'t> {
    tape: &'t Tape,
    mark: Mark,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.tape.recording.borrow_mut().rewind(self.mark);
        }
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
        for edge in tape.recording.borrow().edges(id as usize) {
            if Some(edge.operand) == wanted {
                sum = Some(sum.map_or(edge.partial, |sum: f64| sum + edge.partial));
            }
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
    /// If one of `wrt` belongs to another tape, or the tape has no room for the gradient; it then
    /// stays as it was.
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
        let copy = tape.recording.borrow().clone();
        let values: Vec<_> = (0..=id).map(|id| Var::on(tape, id)).collect();
        let mut adjoints = vec![Var::from(ABSENT); len];
        adjoints[len - 1] = Var::from(1.0);
        let _unfinished = Unfinished {
            tape,
            mark: copy.mark(),
        };
        reverse(copy.program(), &values, &mut adjoints);
        let adjoint = |number: u32| adjoints.get(number as usize).copied();
        let derivative = |number: Option<u32>| number.and_then(adjoint).unwrap_or(Var::from(0.0));
        numbers
            .into_iter()
            .map(|number| derivative(number).or_zero())
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
        forward(recording.program(), &mut values);
        let mut adjoints = vec![Dual::from(ABSENT); len];
        adjoints[len - 1] = Dual::from(1.0);
        reverse(recording.program(), &values, &mut adjoints);
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
        let mut values: Vec<_> = recording.values().iter().map(|&x| Dual::from(x)).collect();
        for (input, &tangent) in inputs.iter().zip(direction) {
            let Some(id) = input.number_on(self) else {
                Error::NotANode {
                    what: "a direction",
                    value: input.value(),
                }
                .stop()
            };
            if recording.program().records[id as usize].op() != Op::Input {
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
