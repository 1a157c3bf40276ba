//! Newton's method on the engine's gradient and Hessian.
//!
//! The loss of one row is recorded once and frozen as a `Function`, which is
//! evaluated over all rows. The Hessian is the engine's as well, and nalgebra
//! solves with it. Beside the engine's gradient stands the one derived by hand,
//! only to be compared.

use crate::by_hand;
use crate::data::Data;
use chainrule::models::logistic::{Form, Parameters, Row, penalty, row};
use chainrule::{Error, Function, Rows, Tape};
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

/// The loss of one row, softplus(z) − y·z with z = w·x + b, and once the penalty
/// (`l2`/2)·Σ wᵢ². The columns are the features and the label; z is retained.
pub fn loss(features: usize, l2: f64) -> Result<Function, Error> {
    let tape = Tape::new();
    let parameters = Parameters::record(&tape, &vec![0.0; features], 0.0)?;
    let x: Vec<_> = (0..features).map(|_| tape.column(0.0)).collect();
    let y = tape.column(0.0);
    let Row { z, loss, .. } = row(&parameters, &x, y, Form::Stable)?;
    let freeze = tape.freeze(&[parameters.all(), x, vec![y]].concat());
    let freeze = freeze.output(loss).once(penalty(&parameters, l2));
    Ok(freeze.retain(z).function())
}

/// Minimises the summed loss plus (`l2`/2)·Σ wᵢ², from zero. `watch` sees each
/// iteration.
pub fn fit(data: &Data, l2: f64, mut watch: impl FnMut(&Step)) -> Result<Fit, Failure> {
    if l2 == 0.0 {
        check_independent(data)?;
    }
    let loss = loss(data.features.len(), l2)?;
    let rows = loss.rows(&data.columns())?;
    #[cfg(feature = "parallel")]
    let rows = rows.parallel();
    let mut at = vec![0.0; loss.parameters()];
    let mut scores = vec![0.0; data.len()];
    let mut settled = false;
    for iteration in 0..=MOST_ITERATIONS {
        let (value, gradient) = rows.value_and_gradient(&at)?;
        let by_hand = by_hand(data, &at, l2);
        watch(&step(iteration, value, &gradient, &by_hand, data.len()));
        let Some(hessian) = factor(rows.hessian(&at)?) else {
            return Err(diverged(data, &scores, iteration));
        };
        if settled {
            return result(data, &rows, at, &scores, &hessian);
        }
        let newton = -hessian.solve(&DVector::from_vec(gradient));
        move_along(&rows, value, &mut at, newton.as_slice())?;
        scores = rows.retained(0, &at)?;
        if l2 == 0.0 && separates(data, &scores, 0.0) {
            return Err(Failure::Separable {
                rows_on_plane: false,
            });
        }
        settled = move_little(&scores, &rows.retained(0, newton.as_slice())?);
    }
    Err(diverged(data, &scores, MOST_ITERATIONS))
}

fn by_hand(data: &Data, at: &[f64], l2: f64) -> Vec<f64> {
    let mut gradient = vec![0.0; at.len()];
    by_hand::value_and_gradient(data, at, &mut gradient);
    for (slot, w) in gradient.iter_mut().zip(&at[..data.features.len()]) {
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
fn factor(hessian: Vec<Vec<f64>>) -> Option<Cholesky<f64, Dyn>> {
    let n = hessian.len();
    let hessian = DMatrix::from_iterator(n, n, hessian.into_iter().flatten());
    hessian
        .iter()
        .all(|x| x.is_finite())
        .then_some(hessian)?
        .cholesky()
}

/// Goes the Newton step, halved until the loss does not rise from `value`.
fn move_along(
    rows: &Rows<'_, '_>,
    value: f64,
    at: &mut Vec<f64>,
    newton: &[f64],
) -> Result<(), Error> {
    // At the minimum the loss only moves by its rounding.
    let bound = value + 1e-13 * (1.0 + value.abs());
    let mut share = 1.0;
    loop {
        let there: Vec<f64> = at.iter().zip(newton).map(|(x, d)| x + share * d).collect();
        if rows.value(&there)? <= bound || share < 1e-9 {
            *at = there;
            return Ok(());
        }
        share *= 0.5;
    }
}

fn farthest(scores: &[f64]) -> f64 {
    scores.iter().map(|z| z.abs()).fold(0.0, f64::max)
}

/// Converged when no row's score moves any more. Scores do not depend on the
/// units of the features, and on separable data they move by about 1 in every
/// iteration for ever, while the gradient vanishes.
fn move_little(scores: &[f64], moved: &[f64]) -> bool {
    farthest(moved) <= 1e-9 * (1.0 + farthest(scores))
}

/// Whether every row lies on its label's side of the plane, or nearer to the
/// plane than `slack` times the farthest row.
fn separates(data: &Data, scores: &[f64], slack: f64) -> bool {
    let farthest = farthest(scores);
    farthest > 0.0
        && scores.iter().zip(&data.labels).all(|(&z, &y)| {
            let side = if y == 1.0 { z } else { -z };
            side > 0.0 || (slack > 0.0 && side >= -slack * farthest)
        })
}

/// Far out on its way, a fit that diverges points along the separating plane.
fn diverged(data: &Data, scores: &[f64], iterations: usize) -> Failure {
    if farthest(scores) > 15.0 && separates(data, scores, 0.05) {
        Failure::Separable {
            rows_on_plane: true,
        }
    } else {
        Failure::NotConverged { iterations }
    }
}

/// Finds a feature without information of its own, from the diagonal of R in a
/// QR decomposition of the columns: the constant and then the features. Some rows
/// at a time, below the R of those before them, so that memory does not grow.
fn check_independent(data: &Data) -> Result<(), Failure> {
    let width = data.features.len() + 1;
    let block = width.max(512);
    let mut r = DMatrix::zeros(width, width);
    for first in (0..data.len()).step_by(block) {
        let rows = block.min(data.len() - first);
        let mut stacked = r.resize_vertically(width + rows, 1.0);
        for (j, column) in data.features.iter().enumerate() {
            let below = &mut stacked.column_mut(j + 1);
            let below = &mut below.as_mut_slice()[width..];
            below.copy_from_slice(&column[first..first + rows]);
        }
        r = stacked.qr().unpack_r();
    }
    match (1..width).find(|&j| r[(j, j)].abs() <= 1e-10 * r.column(j).norm()) {
        Some(j) => Err(Failure::Dependent { feature: j - 1 }),
        None => Ok(()),
    }
}

fn result(
    data: &Data,
    rows: &Rows<'_, '_>,
    at: Vec<f64>,
    scores: &[f64],
    hessian: &Cholesky<f64, Dyn>,
) -> Result<Fit, Failure> {
    let is_right = |(z, y): &(&f64, &f64)| (**z > 0.0) == (**y == 1.0);
    let inverse = hessian.inverse();
    Ok(Fit {
        log_likelihood: -rows.values(&at)?.iter().sum::<f64>(),
        parameters: at,
        standard_errors: inverse.diagonal().iter().map(|v| v.sqrt()).collect(),
        right: scores.iter().zip(&data.labels).filter(is_right).count(),
    })
}
