//! The partials of operations as programs: each rule of the table, read with `Var`
//! on a scratch tape, so that a page can evaluate it and holds no rule of its own.

use crate::graph::Operand;
use crate::ops::{Op, Real};
use crate::tape::Var;
use crate::tape::{Node, Tape};

/// The partials of an operation on so many operands. The inputs of its program are
/// the operands and then the result.
pub(super) struct Rule {
    pub(super) op: Op,
    pub(super) operands: usize,
    pub(super) own: Vec<f64>,
    /// What follows the inputs.
    pub(super) code: Vec<Node>,
    /// The partial with respect to each operand.
    pub(super) out: Vec<Operand>,
    /// Whether there are operands for which its value is NaN; then its partials are
    /// too.
    pub(super) domain: bool,
}

impl Rule {
    /// Reads the row of the table at operands in the middle of where tests sample
    /// it: inside the domain, so that the formula is read and not the NaN outside.
    pub(super) fn read(op: Op, operands: usize, own: &[f64]) -> Self {
        let tape = Tape::new();
        let samples = op.samples();
        let middle = |i: usize| {
            let (low, high) = samples[i % samples.len()];
            low + 0.625 * (high - low)
        };
        let xs: Vec<Var<'_>> = (0..operands).map(|i| tape.var(middle(i))).collect();
        let at: Vec<f64> = (0..operands).map(middle).collect();
        let y = tape.var(applied(op, &at, own));
        let mut out = vec![Operand::Constant(0.0); operands];
        let mut found = |i: usize, partial: Var<'_>| {
            out[i] = match partial.id() {
                Some(id) => Operand::Node(id),
                None => Operand::Constant(partial.value()),
            };
        };
        match op.arity() {
            Some(1) => found(0, op.partial_1(xs[0], y)),
            Some(2) => {
                found(0, op.partial_first(xs[0], xs[1], y));
                found(1, op.partial_second(xs[0], xs[1], y));
            }
            _ => op.partials_n(operands, |i| xs[i], own, y, &mut found),
        }
        let code = tape.nodes().skip(operands + 1).collect();
        let far = [[-3.0, -3.0], [-3.0, 0.5], [0.5, -3.0], [3.0, 3.0]];
        let outside = |x: &[f64; 2]| applied(op, &x[..operands], own).is_nan();
        Self {
            op,
            operands,
            own: own.to_vec(),
            code,
            out,
            domain: op.arity().is_some() && far.iter().any(outside),
        }
    }

    pub(super) fn is_of(&self, op: Op, operands: usize, own: &[f64]) -> bool {
        self.op == op && self.operands == operands && self.own == own
    }
}

fn applied(op: Op, xs: &[f64], own: &[f64]) -> f64 {
    match *xs {
        [x] if op.arity() == Some(1) => f64::unary(op, x),
        [a, b] if op.arity() == Some(2) => f64::binary(op, a, b),
        _ => f64::nary(op, &[xs], &[own]),
    }
}
