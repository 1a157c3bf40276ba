//! Why data has no fit, and how that is seen: columns that follow from others, labels
//! that a plane separates, and rows beside which others have no digits left.

use crate::data::Data;
use crate::units::Unit;
use chainrule::Error;
use nalgebra::{DMatrix, DVector};
use std::fmt;

/// Why there is no fit.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// Without a penalty many fits are perfect.
    TooFewRows {
        rows: usize,
        parameters: usize,
    },
    /// A plane separates the labels, perhaps with rows on it: the likelihood
    /// grows without end.
    Separable {
        rows_on_plane: bool,
    },
    /// A plane separates the labels, and the penalty does not hold the likelihood.
    WeakPenalty,
    /// A feature is a linear combination of those before it and a constant.
    Dependent {
        feature: usize,
        penalised: bool,
    },
    /// A feature is so near to such a combination that the Hessian has no inverse
    /// in `f64`.
    NearlyDependent {
        feature: usize,
    },
    /// A coefficient or its error that `f64` has no number for.
    Range {
        feature: usize,
        what: &'static str,
        power_of_ten: i32,
    },
    /// Rows beside which the others are rounded away, so that where it stopped is not
    /// known to be the fit.
    Unresolved,
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

impl Failure {
    /// The column that the text is about.
    pub fn feature(&self) -> Option<usize> {
        match *self {
            Self::Dependent { feature, .. }
            | Self::NearlyDependent { feature }
            | Self::Range { feature, .. } => Some(feature),
            _ => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFewRows { rows, parameters } => write!(
                f,
                "{parameters} parameters cannot be fitted to {rows} rows (with a penalty, \
                 --l2 1, they can)"
            ),
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
            Self::WeakPenalty => f.write_str(
                "the features separate the labels, and the penalty is too small beside them to \
                 hold the coefficients (a larger --l2, or features of smaller numbers)",
            ),
            Self::Dependent { penalised, .. } => {
                f.write_str("constant, or follows from those before it")?;
                if *penalised {
                    f.write_str(", and the penalty is too small beside it to choose")?;
                }
                Ok(())
            }
            Self::NearlyDependent { .. } => f.write_str(
                "so nearly constant, or so near to what follows from those before it, that its \
                 share cannot be told",
            ),
            Self::Range {
                what, power_of_ten, ..
            } => write!(
                f,
                "its {what} is about 1e{power_of_ten} in this unit, beyond the range of f64: \
                 give the column in another unit"
            ),
            Self::Unresolved => f.write_str(
                "some rows outweigh the others by more than the digits of f64: the fit cannot \
                 be told",
            ),
            Self::NotConverged { iterations } => {
                write!(f, "no convergence in {iterations} iterations")
            }
            Self::Engine(error) => error.fmt(f),
        }
    }
}

fn farthest(scores: &[f64]) -> f64 {
    scores.iter().map(|z| z.abs()).fold(0.0, f64::max)
}

/// Whether every row lies on its label's side of the plane.
pub fn separates(data: &Data, scores: &[f64]) -> bool {
    let mut pairs = scores.iter().zip(&data.labels);
    pairs.all(|(&z, &y)| side(z, y) > 0.0)
}

/// The score, above 0 on its label's side.
fn side(z: f64, y: f64) -> f64 {
    if y == 1.0 { z } else { -z }
}

/// Whether some row's weight in the Hessian, a(1−a), has vanished beside ¼.
pub fn is_far_out(scores: &[f64]) -> bool {
    farthest(scores) > 15.0
}

/// Whether what keeps a fit from an end, which came to `at`, is that a plane separates
/// the labels.
pub fn separated(data: &Data, at: &[f64], scores: &[f64], l2: f64) -> Option<Failure> {
    if !is_far_out(scores) || !separates_up_to_the_plane(data, at, scores) {
        None
    } else if l2 > 0.0 {
        Some(Failure::WeakPenalty)
    } else {
        Some(Failure::Separable {
            rows_on_plane: true,
        })
    }
}

/// Far out on its way, a fit that diverges points along a plane that separates the
/// labels, and rows on it are near it. Turned to go through those as well as it can,
/// the plane must have no row on the wrong side.
fn separates_up_to_the_plane(data: &Data, at: &[f64], scores: &[f64]) -> bool {
    let near = 0.05 * farthest(scores);
    let is_near = |row: usize| scores[row].abs() <= near;
    let width = at.len();
    let r = triangle(data, DMatrix::zeros(width, width), is_near);
    let (weights, b) = at.split_at(width - 1);
    let mut plane = DVector::from_iterator(width, b.iter().chain(weights).copied());
    let svd = r.svd(false, true);
    let largest = svd.singular_values.max();
    let across = svd.v_t.expect("asked for");
    for (across, size) in across.row_iter().zip(&svd.singular_values) {
        if *size > 1e-10 * largest {
            let share = across.tr_dot(&plane);
            plane -= across.transpose() * share;
        }
    }
    let sides = (0..data.len()).map(|row| {
        let (mut z, mut size) = (plane[0], plane[0].abs());
        for (column, w) in data.features.iter().zip(plane.iter().skip(1)) {
            z += w * column[row];
            size += (w * column[row]).abs();
        }
        // Terms that cancel but for their rounding are 0.
        if z.abs() <= 1e-12 * size {
            0.0
        } else {
            side(z, data.labels[row])
        }
    });
    let (least, most) = sides.fold((0.0, 0.0), |(least, most), side| {
        (side.min(least), side.max(most))
    });
    least == 0.0 && most > 0.0
}

/// What each component of the gradient may be wrong by: a − y is rounded, but for
/// labels 1 to less than what it is.
pub fn rounding(data: &Data, scores: &[f64]) -> DVector<f64> {
    let pairs = scores.iter().zip(&data.labels);
    let errors: Vec<f64> = pairs
        .map(|(&z, &y)| {
            let difference = (-side(z, y)).exp();
            let relative = if y == 1.0 { 1.0 } else { f64::EPSILON };
            f64::EPSILON.min(relative * difference)
        })
        .collect();
    let of_column = |column: &Vec<f64>| {
        let terms = column.iter().zip(&errors).map(|(x, error)| x.abs() * error);
        terms.sum()
    };
    let weights = data.features.iter().map(of_column);
    let all = weights.chain([errors.iter().sum()]);
    DVector::from_iterator(data.features.len() + 1, all)
}

/// R of a QR decomposition of the columns, the constant and then the features, of
/// the rows that are taken, below what is `above`. Some rows at a time, below the R
/// of those before them, so that memory does not grow.
fn triangle(data: &Data, above: DMatrix<f64>, takes: impl Fn(usize) -> bool) -> DMatrix<f64> {
    let width = data.features.len() + 1;
    let block = width.max(512);
    let mut r = above;
    for first in (0..data.len()).step_by(block) {
        let rows = first..data.len().min(first + block);
        let taken: Vec<usize> = rows.filter(|&row| takes(row)).collect();
        let mut stacked = r.resize_vertically(width + taken.len(), 1.0);
        for (j, column) in data.features.iter().enumerate() {
            let below = &mut stacked.column_mut(j + 1);
            let below = &mut below.as_mut_slice()[width..];
            for (slot, &row) in below.iter_mut().zip(&taken) {
                *slot = column[row];
            }
        }
        r = stacked.qr().unpack_r();
    }
    r
}

/// Finds a feature without information of its own, from the diagonal of R. Above the
/// rows stands what the penalty adds to the Hessian at zero.
///
/// Otherwise gives the feature that has the least information of its own.
pub fn check_independent(data: &Data, units: &[Unit], l2: f64) -> Result<Option<usize>, Failure> {
    let of_penalty = |unit: &Unit| 2.0 * unit.penalty(l2).sqrt();
    let diagonal = [0.0].into_iter().chain(units.iter().map(of_penalty));
    let diagonal = DVector::from_iterator(units.len() + 1, diagonal);
    let r = triangle(data, DMatrix::from_diagonal(&diagonal), |_| true);
    let mut least = None;
    for (feature, unit) in units.iter().enumerate() {
        let column = r.column(feature + 1);
        let own = column[feature + 1].abs();
        let rounding = if unit.penalty(l2) > 0.0 {
            0.0
        } else {
            unit.rounding() * (data.len() as f64).sqrt()
        };
        if own <= 1e-10 * column.norm() + rounding {
            let penalised = l2 > 0.0;
            return Err(Failure::Dependent { feature, penalised });
        }
        let share = own / column.norm();
        if least.is_none_or(|(_, least)| share < least) {
            least = Some((feature, share));
        }
    }
    Ok(least.map(|(feature, _)| feature))
}
