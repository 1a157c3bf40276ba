//! Derivatives of closures, for those who want no tape in their hands.
//!
//! Each function records the closure once on a tape of its own, at `x`. Write
//! the function over any `Real` and pass `|x| f(x)`.

use crate::error::expect_length;
use crate::ops::Real;
use crate::sweep::forward;
use crate::tape::Tape;
use crate::tape::Var;

/// The gradient of `f` at `x`, as long as `x`.
///
/// ```
/// let gradient = chainrule::grad(|x| x[0] * x[1].sin(), &[2.0, 0.0]);
/// assert_eq!(gradient, [0.0, 2.0]);
/// ```
#[track_caller]
pub fn grad(f: impl for<'t> Fn(&[Var<'t>]) -> Var<'t>, x: &[f64]) -> Vec<f64> {
    value_and_grad(f, x).1
}

/// The value and the gradient of `f` at `x`.
#[track_caller]
pub fn value_and_grad(f: impl for<'t> Fn(&[Var<'t>]) -> Var<'t>, x: &[f64]) -> (f64, Vec<f64>) {
    let tape = Tape::new();
    let inputs = tape.vars(x);
    let output = f(&inputs);
    (output.value(), output.backward().wrt_all(&inputs))
}

/// The Hessian of `f` at `x`, row by row: `x.len()` Hessian–vector products.
///
/// ```
/// let hessian = chainrule::hessian(|x| x[0].powi(3) * x[1], &[2.0, 5.0]);
/// assert_eq!(hessian, [[60.0, 12.0], [12.0, 0.0]]);
/// ```
#[track_caller]
pub fn hessian(f: impl for<'t> Fn(&[Var<'t>]) -> Var<'t>, x: &[f64]) -> Vec<Vec<f64>> {
    let tape = Tape::new();
    let inputs = tape.vars(x);
    f(&inputs).hessian(&inputs)
}

/// The product of the Hessian of `f` at `x` with `v`, without the Hessian.
///
/// # Panics
/// If `v` is not as long as `x`.
#[track_caller]
pub fn hvp(f: impl for<'t> Fn(&[Var<'t>]) -> Var<'t>, x: &[f64], v: &[f64]) -> Vec<f64> {
    let tape = Tape::new();
    let inputs = tape.vars(x);
    f(&inputs).hvp(&inputs, v).1
}

/// The Jacobian of `f` at `x`: a row for each output, a column for each input.
/// One sweep for each output.
///
/// ```
/// let jacobian = chainrule::jacobian(|x| vec![x[0] * x[1], x[0] + 1.0], &[2.0, 3.0]);
/// assert_eq!(jacobian, [[3.0, 2.0], [1.0, 0.0]]);
/// ```
#[track_caller]
pub fn jacobian(f: impl for<'t> Fn(&[Var<'t>]) -> Vec<Var<'t>>, x: &[f64]) -> Vec<Vec<f64>> {
    let tape = Tape::new();
    let inputs = tape.vars(x);
    let mut buffer = Vec::new();
    let mut rows = Vec::new();
    for output in f(&inputs) {
        let adjoints = tape.backward_with(&[(output, 1.0)], buffer);
        rows.push(adjoints.wrt_all(&inputs));
        buffer = adjoints.into_buffer();
    }
    rows
}

/// The values of `f` at `x` and its Jacobian times `v`, both as long as the
/// output: one forward sweep over dual numbers.
///
/// ```
/// let (y, dy) = chainrule::jvp(|x| vec![x[0] * x[1]], &[2.0, 3.0], &[1.0, 10.0]);
/// assert_eq!((y, dy), (vec![6.0], vec![23.0]));
/// ```
///
/// # Panics
/// If `v` is not as long as `x`.
#[track_caller]
pub fn jvp(
    f: impl for<'t> Fn(&[Var<'t>]) -> Vec<Var<'t>>,
    x: &[f64],
    v: &[f64],
) -> (Vec<f64>, Vec<f64>) {
    expect_length("components of the direction", v.len(), x.len());
    let tape = Tape::new();
    let inputs = tape.vars(x);
    let outputs = f(&inputs);
    let mut values = tape.dual_inputs(&inputs, v);
    forward(tape.recording.borrow().program(), &mut values);
    let pair = |output: Var<'_>| match output.number_on(&tape) {
        Some(id) => (values[id as usize].value(), values[id as usize].tangent()),
        None => (output.value(), 0.0),
    };
    outputs.into_iter().map(pair).unzip()
}

/// The values of `f` at `x` and `u` times its Jacobian, as long as `x`: one
/// reverse sweep, the pullback of `u`.
///
/// ```
/// let (y, pulled) = chainrule::vjp(|x| vec![x[0] * x[1], x[0] + 1.0], &[2.0, 3.0], &[1.0, 5.0]);
/// assert_eq!((y, pulled), (vec![6.0, 3.0], vec![8.0, 2.0]));
/// ```
///
/// # Panics
/// If `u` is not as long as the output.
#[track_caller]
pub fn vjp(
    f: impl for<'t> Fn(&[Var<'t>]) -> Vec<Var<'t>>,
    x: &[f64],
    u: &[f64],
) -> (Vec<f64>, Vec<f64>) {
    let tape = Tape::new();
    let inputs = tape.vars(x);
    let outputs = f(&inputs);
    expect_length("seeds", u.len(), outputs.len());
    let seeds: Vec<_> = outputs.iter().copied().zip(u.iter().copied()).collect();
    let adjoints = tape.backward_with(&seeds, Vec::new());
    (
        outputs.iter().map(|output| output.value()).collect(),
        adjoints.wrt_all(&inputs),
    )
}
