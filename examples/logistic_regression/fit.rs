//! Newton's method on the engine's gradient and Hessian.
//!
//! The loss is recorded once; each iteration sets the parameters and sweeps.
//! The Hessian is the engine's as well, and nalgebra solves with it. Beside the
//! engine's gradient stands the one derived by hand, only to be compared.

use chainrule::models::logistic::{Data, Form, Parameters, hand, penalty, total_loss};
use chainrule::{Error, Tape, Var};
use nalgebra::{Cholesky, DMatrix, DVector, Dyn};
use std::fmt;

/// What one iteration found, at the parameters it started from.
#[derive(Clone, Debug)]
pub struct Step {
    pub iteration: usize,
    /// Mean over rows, with the penalty.
    pub loss: f64,
    /// Euclidean norm of the gradient of the summed loss.
    pub gradient: f64,
    /// Largest difference between the engine's gradient and the hand-derived one.
    pub difference: f64,
}

/// A fitted model; parameters are the weights and then the intercept.
#[derive(Clone, Debug)]
pub struct Fit {
    pub parameters: Vec<f64>,
    /// Square roots of the diagonal of the inverse Hessian.
    pub standard_errors: Vec<f64>,
    pub log_likelihood: f64,
    /// Rows with σ(z) on the label's side of ½.
    pub right: usize,
}

/// Why there is no fit.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// A plane separates the labels, perhaps with rows on it: the likelihood
    /// grows without end.
    Separable {
        rows_on_plane: bool,
    },
    /// A feature is a linear combination of those before it and a constant.
    Dependent {
        feature: usize,
    },
    /// None of these, and no convergence.
    NotConverged {
        iterations: usize,
    },
    Engine(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Engine(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Separable { rows_on_plane } => {
                let how = if *rows_on_plane {
                    "up to rows on the boundary"
                } else {
                    "perfectly"
                };
                write!(
                    f,
                    "the features separate the labels {how}: no finite coefficients maximise \
                     the likelihood (a penalty, --l2 1, makes them finite)"
                )
            }
            Self::Dependent { feature } => {
                write!(
                    f,
                    "feature {} is constant or follows from those before it",
                    feature + 1
                )
            }
            Self::NotConverged { iterations } => {
                write!(f, "no convergence in {iterations} iterations")
            }
            Self::Engine(error) => error.fmt(f),
        }
    }
}

const MOST_ITERATIONS: usize = 60;

/// Minimises the summed loss plus (`l2`/2)·Σ wᵢ², from zero. `watch` sees each
/// iteration.
pub fn fit(data: &Data, l2: f64, mut watch: impl FnMut(&Step)) -> Result<Fit, Failure> {
    if l2 == 0.0 {
        check_independent(data)?;
    }
    let tape = Tape::new();
    let parameters = Parameters::record(&tape, &vec![0.0; data.features()], 0.0)?;
    let all = parameters.all();
    let likelihood = total_loss(&parameters, data, Form::Stable)?;
    let loss = likelihood + penalty(&parameters, l2);
    let mut at = vec![0.0; all.len()];
    for iteration in 0..MOST_ITERATIONS {
        let gradient = loss.backward().wrt_all(&all);
        watch(&step(
            iteration,
            loss.value(),
            &gradient,
            &by_hand(&at, data, l2),
            data.len(),
        ));
        let Some(hessian) = factor(loss, &all) else {
            return Err(diverged(data, &at, iteration));
        };
        let newton = -hessian.solve(&DVector::from_vec(gradient));
        move_along(&tape, &parameters, loss, &mut at, newton.as_slice())?;
        if l2 == 0.0 && separates(data, &at, 0.0) {
            return Err(Failure::Separable {
                rows_on_plane: false,
            });
        }
        if moves_little(data, &at, newton.as_slice()) {
            let gradient = loss.backward().wrt_all(&all);
            let by_hand = by_hand(&at, data, l2);
            watch(&step(
                iteration + 1,
                loss.value(),
                &gradient,
                &by_hand,
                data.len(),
            ));
            let hessian = factor(loss, &all).ok_or(diverged(data, &at, iteration))?;
            return Ok(result(data, &at, &hessian, -likelihood.value()));
        }
    }
    Err(diverged(data, &at, MOST_ITERATIONS))
}

fn by_hand(parameters: &[f64], data: &Data, l2: f64) -> Vec<f64> {
    let mut gradient = hand::total_gradient(parameters, data);
    for (slot, w) in gradient.iter_mut().zip(&parameters[..data.features()]) {
        *slot += l2 * w;
    }
    gradient
}

fn step(iteration: usize, loss: f64, engine: &[f64], by_hand: &[f64], rows: usize) -> Step {
    let difference = engine
        .iter()
        .zip(by_hand)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f64::max);
    let gradient = engine.iter().map(|g| g * g).sum::<f64>().sqrt();
    Step {
        iteration,
        loss: loss / rows as f64,
        gradient,
        difference,
    }
}

/// The Cholesky factor of the Hessian, where it is positive definite.
fn factor(loss: Var<'_>, parameters: &[Var<'_>]) -> Option<Cholesky<f64, Dyn>> {
    let rows = loss.hessian(parameters);
    let hessian = DMatrix::from_fn(rows.len(), rows.len(), |i, j| rows[i][j]);
    hessian
        .iter()
        .all(|x| x.is_finite())
        .then_some(hessian)?
        .cholesky()
}

/// Goes the Newton step, halved until the loss does not rise.
fn move_along(
    tape: &Tape,
    parameters: &Parameters<'_>,
    loss: Var<'_>,
    at: &mut Vec<f64>,
    newton: &[f64],
) -> Result<(), Error> {
    // At the minimum the loss only moves by its rounding.
    let bound = loss.value() + 1e-13 * (1.0 + loss.value().abs());
    let mut share = 1.0;
    loop {
        let there: Vec<f64> = at.iter().zip(newton).map(|(x, d)| x + share * d).collect();
        parameters.set(&there)?;
        tape.forward();
        if loss.value() <= bound || share < 1e-9 {
            *at = there;
            return Ok(());
        }
        share *= 0.5;
    }
}

/// w·x + b for each row.
fn scores<'a>(data: &'a Data, parameters: &'a [f64]) -> impl Iterator<Item = (f64, f64)> + 'a {
    data.rows().map(|(x, y)| {
        let terms = parameters.iter().zip(x.iter().chain(&[1.0]));
        (terms.map(|(w, x)| w * x).sum::<f64>(), y)
    })
}

/// Converged when no row's score moves any more. Scores do not depend on the
/// units of the features, and on separable data they move by about 1 in every
/// iteration for ever, while the gradient vanishes.
fn moves_little(data: &Data, at: &[f64], newton: &[f64]) -> bool {
    let largest = |v| scores(data, v).map(|(z, _)| z.abs()).fold(0.0, f64::max);
    largest(newton) <= 1e-9 * (1.0 + largest(at))
}

/// Whether every row lies on its label's side of the plane, or nearer to the
/// plane than `slack` times the farthest row.
fn separates(data: &Data, direction: &[f64], slack: f64) -> bool {
    let farthest = scores(data, direction)
        .map(|(z, _)| z.abs())
        .fold(0.0, f64::max);
    farthest > 0.0
        && scores(data, direction).all(|(z, y)| {
            let side = if y == 1.0 { z } else { -z };
            side > 0.0 || (slack > 0.0 && side >= -slack * farthest)
        })
}

/// Far out on its way, a fit that diverges points along the separating plane.
fn diverged(data: &Data, at: &[f64], iterations: usize) -> Failure {
    let farthest = scores(data, at).map(|(z, _)| z.abs()).fold(0.0, f64::max);
    if farthest > 15.0 && separates(data, at, 0.05) {
        Failure::Separable {
            rows_on_plane: true,
        }
    } else {
        Failure::NotConverged { iterations }
    }
}

/// Finds a feature without information of its own, from the diagonal of R in a
/// QR decomposition of the columns: the constant and then the features, each of
/// norm 1.
fn check_independent(data: &Data) -> Result<(), Failure> {
    let rows: Vec<&[f64]> = data.rows().map(|(x, _)| x).collect();
    let mut columns = DMatrix::from_fn(rows.len(), data.features() + 1, |i, j| {
        if j == 0 { 1.0 } else { rows[i][j - 1] }
    });
    for mut column in columns.column_iter_mut() {
        let norm = column.norm();
        if norm > 0.0 {
            column /= norm;
        }
    }
    let r = columns.qr().r();
    match (1..=data.features()).find(|&j| r[(j, j)].abs() < 1e-10) {
        Some(j) => Err(Failure::Dependent { feature: j - 1 }),
        None => Ok(()),
    }
}

fn result(data: &Data, at: &[f64], hessian: &Cholesky<f64, Dyn>, log_likelihood: f64) -> Fit {
    let inverse = hessian.inverse();
    Fit {
        parameters: at.to_vec(),
        standard_errors: inverse.diagonal().iter().map(|v| v.sqrt()).collect(),
        log_likelihood,
        right: scores(data, at)
            .filter(|&(z, y)| (z > 0.0) == (y == 1.0))
            .count(),
    }
}
