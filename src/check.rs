//! Checks: where did the first NaN or ∞ come from, and is a gradient right?
//!
//! A gradient is checked twice: against forward mode, which reads the same
//! rules in the other direction and agrees to rounding, and against finite
//! differences, which know no rule. What "to rounding" means follows from the
//! conditioning of the function at that point, not from a constant.

use crate::error::{Error, NonFinite};
use crate::graph::{NodeId, Operand};
use crate::ops::{ABSENT, Op, Real, is_absent, table};
use crate::sweep::{forward, reverse};
use crate::tape::Adjoints;
use crate::tape::Tape;
use crate::tape::Var;
use std::fmt;

impl Tape {
    /// Finds the first node, in order of recording, whose value is NaN or ∞.
    ///
    /// ```
    /// let tape = chainrule::Tape::with_locations();
    /// let x = tape.var(0.5).named("x");
    /// let y = (x - 1.0).ln() + 3.0;
    /// assert!(y.value().is_nan());
    /// let text = tape.check_finite().unwrap_err().to_string();
    /// assert!(text.starts_with("the value of node 2 (ln = NaN) is NaN; operands: node 1 (sub = -0.5)"));
    /// ```
    ///
    /// # Errors
    /// [`Error::NotFiniteNode`], which names the node, its operands and, on a
    /// tape made [`with_locations`](Tape::with_locations), the line of the
    /// program that recorded it.
    pub fn check_finite(&self) -> Result<(), Error> {
        let recording = self.recording.borrow();
        match recording
            .values()
            .iter()
            .position(|value| !value.is_finite())
        {
            Some(index) => {
                let number = recording.values()[index];
                Err(self.not_finite(NonFinite::Value, index, number))
            }
            None => Ok(()),
        }
    }

    fn not_finite(&self, what: NonFinite, index: usize, number: f64) -> Error {
        let id = NodeId(index as u32);
        let text = |operand: &Operand| match operand {
            Operand::Node(id) => self.recording.borrow().describe(id.0),
            Operand::Constant(value) => value.to_string(),
        };
        let operands: Vec<String> = self.node(id).operands.iter().take(8).map(text).collect();
        let location = self.location(id).map(ToString::to_string);
        let node = self.recording.borrow().describe(id.0);
        Error::NotFiniteNode {
            what,
            number,
            index,
            node,
            operands,
            location,
        }
    }
}

impl Adjoints<'_> {
    /// Finds the first node, in the order of the sweep, whose adjoint is NaN or
    /// ∞, or that has such a partial along which the adjoint went on.
    ///
    /// # Errors
    /// As for [`Tape::check_finite`].
    ///
    /// # Panics
    /// If the tape's values have changed since the sweep.
    #[track_caller]
    pub fn check_finite(&self) -> Result<(), Error> {
        let Some(tape) = self.tape() else {
            return Ok(());
        };
        self.expect_current();
        let recording = tape.recording.borrow();
        for (index, &adjoint) in self.all().iter().enumerate().rev() {
            if is_absent(adjoint) {
                continue;
            }
            if !adjoint.is_finite() {
                return Err(tape.not_finite(NonFinite::Adjoint, index, adjoint));
            }
            let mut partials = recording.edges(index).into_iter().map(|edge| edge.partial);
            let bad = partials.find(|partial| !partial.is_finite());
            if let Some(partial) = bad {
                return Err(tape.not_finite(NonFinite::Partial, index, partial));
            }
        }
        Ok(())
    }
}

/// What a gradient check found at the input where the gradient was worst.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct GradientCheck {
    /// The position of the input.
    pub input: usize,
    /// The derivative by the reverse sweep.
    pub reverse: f64,
    /// The derivative by forward mode.
    pub forward: f64,
    /// The derivative by finite differences.
    pub difference: f64,
    /// The step of the finite difference that was best.
    pub step: f64,
    /// How far `reverse` and `forward` may be apart.
    pub rounding: f64,
    /// How far `reverse` and `difference` may be apart.
    pub tolerance: f64,
}

impl GradientCheck {
    const NOTHING: Self = Self {
        input: 0,
        reverse: 0.0,
        forward: 0.0,
        difference: 0.0,
        step: 0.0,
        rounding: 0.0,
        tolerance: 0.0,
    };

    /// How bad it is: at most 1 is within what rounding allows.
    fn badness(&self) -> f64 {
        let ratio = |other: f64, allowed: f64| match (self.reverse - other).abs() {
            0.0 => 0.0,
            apart if apart <= allowed => apart / allowed,
            _ => f64::MAX, // also for NaN
        };
        ratio(self.forward, self.rounding).max(ratio(self.difference, self.tolerance))
    }

    fn agrees(&self) -> bool {
        self.badness() <= 1.0
    }
}

/// Checks the gradient of `f` at `x` against forward mode and finite
/// differences, and returns what it found at the worst input.
///
/// Costs some fifty evaluations of `f` for each input. `f` should be smooth near
/// `x`: at a kink there is no derivative to compare with.
///
/// ```
/// use chainrule::check_gradient;
/// assert!(check_gradient(|x| (x[0] * x[1]).sin(), &[0.5, 2.0]).is_ok());
///
/// // A value taken out of the graph: its part of the derivative is missing.
/// assert!(check_gradient(|x| x[0].value() * x[0], &[3.0]).is_err());
/// ```
///
/// # Errors
/// [`Error::WrongGradient`] with the same numbers, if they disagree.
#[track_caller]
pub fn check_gradient(
    f: impl for<'t> Fn(&[Var<'t>]) -> Var<'t>,
    x: &[f64],
) -> Result<GradientCheck, Error> {
    let tape = Tape::new();
    let inputs = tape.vars(x);
    let output = f(&inputs);
    let gradient = output.backward().wrt_all(&inputs);
    let (sizes, noise) = conditioning(&tape, output, &inputs);
    let mut worst = GradientCheck::NOTHING;
    for input in 0..x.len() {
        let along = |moved: f64| {
            let at = |(i, &x): (usize, &f64)| Var::from(if i == input { moved } else { x });
            f(&x.iter().enumerate().map(at).collect::<Vec<_>>()).value()
        };
        let found = differentiate(along, x[input], noise);
        let rounding = ROUNDINGS * f64::EPSILON * sizes[input];
        let check = GradientCheck {
            input,
            reverse: gradient[input],
            forward: forward_derivative(&tape, output, &inputs, input),
            difference: found.derivative,
            step: found.step,
            rounding,
            tolerance: SAFETY * found.error + rounding,
        };
        if check.badness() >= worst.badness() {
            worst = check;
        }
    }
    if worst.agrees() {
        return Ok(worst);
    }
    let GradientCheck {
        input,
        reverse,
        forward,
        difference,
        step,
        rounding,
        tolerance,
    } = worst;
    Err(Error::WrongGradient {
        input,
        reverse,
        forward,
        difference,
        step,
        rounding,
        tolerance,
    })
}

/// How many roundings a derivative may have suffered in all, beside those that
/// its size already counts.
const ROUNDINGS: f64 = 64.0;
/// How far the error of a finite difference may exceed its own estimate.
const SAFETY: f64 = 8.0;

fn forward_derivative(tape: &Tape, output: Var<'_>, inputs: &[Var<'_>], input: usize) -> f64 {
    let Some(id) = output.number_on(tape) else {
        return 0.0;
    };
    let mut direction = vec![0.0; inputs.len()];
    direction[input] = 1.0;
    let mut values = tape.dual_inputs(inputs, &direction);
    forward(tape.recording.borrow().program(), &mut values);
    values[id as usize].tangent()
}

/// For each input the sum, over all paths to it, of the product of the sizes of
/// the partials: its derivative, if nothing cancelled. And what the roundings
/// of all nodes do to the output.
fn conditioning(tape: &Tape, output: Var<'_>, inputs: &[Var<'_>]) -> (Vec<f64>, f64) {
    let Some(id) = output.number_on(tape) else {
        return (vec![0.0; inputs.len()], 0.0);
    };
    let recording = tape.recording.borrow();
    let values: Vec<_> = recording.values().iter().map(|&x| Size(x)).collect();
    let mut adjoints = vec![Size(ABSENT); id as usize + 1];
    adjoints[id as usize] = Size(1.0);
    reverse(recording.program(), &values, &mut adjoints);
    // A node whose adjoint is 0, or absent, moves nothing, whatever its value is: NaN or ∞, too.
    let noise = adjoints
        .iter()
        .zip(&values)
        .filter(|(adjoint, _)| adjoint.0 != 0.0)
        .map(|(adjoint, value)| (adjoint.0 * value.0).abs())
        .sum::<f64>();
    let size = |input: &Var<'_>| {
        input
            .id()
            .and_then(|id| adjoints.get(id.index()))
            .map_or(0.0, |size| size.0)
    };
    (inputs.iter().map(size).collect(), noise * f64::EPSILON)
}

struct Difference {
    derivative: f64,
    step: f64,
    error: f64,
}

/// The derivative of f at x, with steps of the size of x itself; where these
/// are too small for the noise of f, with larger ones too.
fn differentiate(f: impl Fn(f64) -> f64, x: f64, noise: f64) -> Difference {
    let of_its_size = ridders(&f, x, 0.1 * x.abs(), noise);
    if of_its_size.error <= 1e-7 * of_its_size.derivative.abs() || x.abs() >= 0.1 {
        return of_its_size;
    }
    let larger = ridders(&f, x, 0.01, noise);
    if larger.error < of_its_size.error {
        larger
    } else {
        of_its_size
    }
}

/// Ridders' method: central differences with shrinking steps, extrapolated to
/// step 0 (C. J. F. Ridders, Advances in Engineering Software 4 (1982) 75–76).
/// Where f is not finite the step only shrinks, until it changes x no more or is tiny by itself:
/// beside 0 and NaN the first never comes. The error counts the noise of f.
fn ridders(f: impl Fn(f64) -> f64, x: f64, mut step: f64, noise: f64) -> Difference {
    const SHRINK: f64 = 1.6;
    const MOST_STEPS: usize = 24;
    let mut best = Difference {
        derivative: f64::NAN,
        step: 0.0,
        error: f64::INFINITY,
    };
    let mut row: Vec<f64> = Vec::new();
    let mut steps = 0;
    while steps < MOST_STEPS && x + step != x && step > f64::MIN_POSITIVE {
        step /= SHRINK;
        let (above, below) = (x + step, x - step);
        let difference = (f(above) - f(below)) / (above - below);
        if !difference.is_finite() {
            row.clear();
            continue;
        }
        steps += 1;
        let mut next = vec![difference];
        let mut factor = SHRINK * SHRINK;
        for (i, before) in row.iter().enumerate() {
            let extrapolated = (next[i] * factor - before) / (factor - 1.0);
            let spread = (extrapolated - next[i])
                .abs()
                .max((extrapolated - before).abs());
            let error = spread + 2.0 * noise / step;
            if error < best.error {
                best = Difference {
                    derivative: extrapolated,
                    step,
                    error,
                };
            }
            next.push(extrapolated);
            factor *= SHRINK * SHRINK;
        }
        row = next;
    }
    best
}

/// A number type whose shares have no sign: under the reverse sweep, adjoints
/// become the sizes that they would have if nothing cancelled.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
struct Size<T>(T);

impl<T: Real> Real for Size<T> {
    fn value(self) -> f64 {
        self.0.value()
    }

    fn unary(op: Op, x: Self) -> Self {
        Self(T::unary(op, x.0))
    }

    fn binary(op: Op, a: Self, b: Self) -> Self {
        Self(T::binary(op, a.0, b.0))
    }

    fn nary(op: Op, operands: &[&[Self]], constants: &[&[f64]]) -> Self {
        let values: Vec<T> = operands
            .iter()
            .flat_map(|part| part.iter().map(|x| x.0))
            .collect();
        Self(T::nary(op, &[&values], constants))
    }

    fn share(adjoint: Self, partial: Self) -> Self {
        Self(T::share(adjoint.0, partial.0).abs())
    }
}

impl<T: Real> From<f64> for Size<T> {
    fn from(value: f64) -> Self {
        Self(T::from(value))
    }
}

impl<T: Real> fmt::Display for Size<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

table! { operators [T: Real,] Size<T>, }
