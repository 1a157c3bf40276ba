//! Newton's method on the engine's gradient and Hessian.
//!
//! The loss of one row is recorded once and frozen as a `Function`, which is
//! evaluated over all rows, each column in a unit of its own. The Hessian is the
//! engine's as well, and nalgebra solves with it. Beside the engine's gradient stands the one derived by hand,
//! only to be compared.

use crate::by_hand;
use crate::data::Data;
use crate::failure::{self, Failure};
use crate::units::{self, Unit};
use chainrule::models::logistic::{Form, Parameters, Row, row};
use chainrule::{Error, Function, Rows, Tape, Var};
use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

/// What one iteration found, at the parameters it started from.
#[derive(Clone, Debug)]
pub struct Step {
    pub iteration: usize,
    /// Mean over rows, with the penalty.
    pub loss: f64,
    /// Euclidean norm of the gradient of the summed loss, in the units of the fit.
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
    pub rows: usize,
    /// Rows with σ(z) on the label's side of ½.
    pub right: usize,
}

const MOST_ITERATIONS: usize = 60;

/// What rounding may make of a score, beside 1 and the score itself, in a fit.
const MOST_ROUNDING: f64 = 1e-3;

/// The loss of one row, softplus(z) − y·z with z = w·x + b, and once the penalty
/// ½ Σ pᵢ·wᵢ², with a factor pᵢ for each feature. The columns are the features and
/// the label; z is retained.
pub fn loss(penalties: &[f64]) -> Result<Function, Error> {
    let tape = Tape::new();
    let parameters = Parameters::record(&tape, &vec![0.0; penalties.len()], 0.0)?;
    let x: Vec<_> = penalties.iter().map(|_| tape.column(0.0)).collect();
    let y = tape.column(0.0);
    let Row { z, loss, .. } = row(&parameters, &x, y, Form::Stable)?;
    let terms = parameters.w.iter().zip(penalties);
    let penalty: Var<'_> = terms.map(|(w, p)| 0.5 * p * w.square()).sum();
    let freeze = tape.freeze(&[parameters.all(), x, vec![y]].concat());
    Ok(freeze.output(loss).once(penalty).retain(z).function())
}

/// Minimises the summed loss plus (`l2`/2)·Σ wᵢ², from zero. `watch` sees each
/// iteration.
pub fn fit(data: Data, l2: f64, mut watch: impl FnMut(&Step)) -> Result<Fit, Failure> {
    let (rows, parameters) = (data.len(), data.features.len() + 1);
    if l2 == 0.0 && parameters > rows {
        return Err(Failure::TooFewRows { rows, parameters });
    }
    let (data, units) = units::inward(data, l2);
    let data = &data;
    let least_independent = failure::check_independent(data, &units, l2)?;
    let penalties: Vec<f64> = units.iter().map(|unit| unit.penalty(l2)).collect();
    let loss = loss(&penalties)?;
    let rows = loss.rows(&data.columns())?;
    #[cfg(feature = "parallel")]
    let rows = rows.parallel();
    let mut at = vec![0.0; parameters];
    let mut scores = vec![0.0; data.len()];
    let mut settled = false;
    let mut moved_before = f64::INFINITY;
    let stopped = |at: &[f64], scores: &[f64], otherwise| {
        Err(failure::separated(data, at, scores, l2).unwrap_or(otherwise))
    };
    for iterations in 0..=MOST_ITERATIONS {
        let (value, gradient) = rows.value_and_gradient(&at)?;
        let by_hand = by_hand(data, &at, &penalties);
        watch(&step(iterations, value, &gradient, &by_hand, data.len()));
        let Some(hessian) = factor(rows.hessian(&at)?) else {
            // In the first iterations all rows weigh something.
            return match least_independent {
                Some(feature) if !failure::is_far_out(&scores) => {
                    Err(Failure::NearlyDependent { feature })
                }
                _ => stopped(&at, &scores, Failure::NotConverged { iterations }),
            };
        };
        if settled {
            let rounding = hessian.solve(&failure::rounding(data, &scores));
            let moved = rows.retained(0, rounding.as_slice())?;
            if movement(&scores, &moved) > MOST_ROUNDING {
                return stopped(&at, &scores, Failure::Unresolved);
            }
            if !has_digits(&hessian)
                && let Some(failure) = failure::separated(data, &at, &scores, l2)
            {
                return Err(failure);
            }
            return result(data, &units, &rows, &at, &scores, &hessian);
        }
        let newton = -hessian.solve(&DVector::from_vec(gradient));
        move_along(&rows, value, &mut at, newton.as_slice())?;
        scores = rows.retained(0, &at)?;
        if l2 == 0.0 && failure::separates(data, &scores) {
            return Err(Failure::Separable {
                rows_on_plane: false,
            });
        }
        let moves = movement(&scores, &rows.retained(0, newton.as_slice())?);
        // Near the end each step is the square of the one before, but for rounding.
        let rounded = moves <= MOST_ROUNDING && moves > 0.5 * moved_before;
        settled = moves <= 1e-9 || rounded && has_digits(&hessian);
        moved_before = moves;
    }
    let iterations = MOST_ITERATIONS;
    stopped(&at, &scores, Failure::NotConverged { iterations })
}

fn by_hand(data: &Data, at: &[f64], penalties: &[f64]) -> Vec<f64> {
    let mut gradient = vec![0.0; at.len()];
    by_hand::value_and_gradient(data, at, &mut gradient);
    for ((slot, w), penalty) in gradient.iter_mut().zip(at).zip(penalties) {
        *slot += penalty * w;
    }
    gradient
}

fn step(iteration: usize, loss: f64, engine: &[f64], by_hand: &[f64], rows: usize) -> Step {
    let pairs = engine.iter().zip(by_hand);
    let differences = pairs.map(|(a, b)| (a - b).abs());
    Step {
        iteration,
        loss: loss / rows as f64,
        gradient: engine.iter().map(|g| g * g).sum::<f64>().sqrt(),
        difference: largest(differences),
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

/// The most that a row's score moves, beside 1 and the score itself. Scores do not
/// depend on the units of the features, and on separable data they move by about 1
/// in every iteration for ever, while the gradient vanishes.
fn movement(scores: &[f64], moved: &[f64]) -> f64 {
    let pairs = scores.iter().zip(moved);
    largest(pairs.map(|(z, moved)| moved.abs() / (1.0 + z.abs())))
}

/// Whether no pivot is what rounding has left of a diagonal element, so that steps are
/// right but for the rounding of the gradient.
fn has_digits(hessian: &Cholesky<f64, Dyn>) -> bool {
    let l = hessian.l();
    let mut rows = l.row_iter().enumerate();
    rows.all(|(j, row)| row[j].powi(2) > 1e-12 * row.norm_squared())
}

/// The largest of numbers above 0; NaN if there is one, which `f64::max` leaves out.
fn largest(numbers: impl Iterator<Item = f64>) -> f64 {
    let larger = |most: f64, x: f64| if x > most || x.is_nan() { x } else { most };
    numbers.fold(0.0, larger)
}

/// What was found, in the units of the file: w = w′/2^exponent, and b such that all
/// scores stay.
fn result(
    data: &Data,
    units: &[Unit],
    rows: &Rows<'_, '_>,
    at: &[f64],
    scores: &[f64],
    hessian: &Cholesky<f64, Dyn>,
) -> Result<Fit, Failure> {
    let is_right = |(z, y): &(&f64, &f64)| (**z > 0.0) == (**y == 1.0);
    let inverse = hessian.inverse();
    let in_range = |feature, what, number: Result<f64, i32>| {
        number.map_err(|power_of_ten| Failure::Range {
            feature,
            what,
            power_of_ten,
        })
    };
    let (mut parameters, mut standard_errors, mut zero) = (Vec::new(), Vec::new(), Vec::new());
    for (feature, unit) in units.iter().enumerate() {
        let weight = unit.outward(at[feature]);
        parameters.push(in_range(feature, "coefficient", weight)?);
        let error = unit.outward(inverse[(feature, feature)].sqrt());
        standard_errors.push(in_range(feature, "standard error", error)?);
        let what = "part in the standard error of the constant";
        zero.push(in_range(feature, what, unit.zero())?);
    }
    // b is the score of a row of zeros.
    zero.push(1.0);
    parameters.push(at.iter().zip(&zero).map(|(w, x)| w * x).sum());
    standard_errors.push(error_at(&zero, hessian));
    Ok(Fit {
        log_likelihood: -rows.values(at)?.iter().sum::<f64>(),
        parameters,
        standard_errors,
        rows: data.len(),
        right: scores.iter().zip(&data.labels).filter(is_right).count(),
    })
}

/// The standard error of the score of a row: √(xᵀ·H⁻¹·x), of x divided by its
/// largest number so that no square overflows.
fn error_at(row: &[f64], hessian: &Cholesky<f64, Dyn>) -> f64 {
    let largest = row.iter().fold(0.0, |most, x| x.abs().max(most));
    let row = DVector::from_iterator(row.len(), row.iter().map(|x| x / largest));
    let half = hessian.l().solve_lower_triangular(&row);
    largest * half.expect("a diagonal above 0").norm()
}
