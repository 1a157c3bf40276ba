//! Why data has no fit, and how that is seen: columns that follow from others, labels
//! that a plane separates, and rows beside which others have no digits left.

use crate::data::Data;
use crate::units::Unit;
use chainrule::Error;
use nalgebra::DMatrix;
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

/// Whether every row lies on its label's side of the plane, or nearer to the
/// plane than `slack` times the farthest row.
pub fn separates(data: &Data, scores: &[f64], slack: f64) -> bool {
    let farthest = farthest(scores);
    farthest > 0.0
        && scores.iter().zip(&data.labels).all(|(&z, &y)| {
            let side = if y == 1.0 { z } else { -z };
            side > 0.0 || (slack > 0.0 && side >= -slack * farthest)
        })
}

/// Whether some row's weight in the Hessian, a(1−a), has vanished beside ¼.
pub fn is_far_out(scores: &[f64]) -> bool {
    farthest(scores) > 15.0
}

/// Far out on its way, a fit that diverges points along the separating plane.
pub fn diverged(data: &Data, scores: &[f64], l2: f64, iterations: usize) -> Failure {
    if !is_far_out(scores) || !separates(data, scores, 0.05) {
        Failure::NotConverged { iterations }
    } else if l2 > 0.0 {
        Failure::WeakPenalty
    } else {
        Failure::Separable {
            rows_on_plane: true,
        }
    }
}

/// Finds a feature without information of its own, from the diagonal of R in a
/// QR decomposition of the columns: the constant and then the features. Some rows
/// at a time, below the R of those before them, so that memory does not grow. Above
/// them all stands what the penalty adds to the Hessian at zero, as rows.
///
/// Otherwise gives the feature that has the least information of its own.
pub fn check_independent(
    data: &Data,
    units: &[Unit],
    penalties: &[f64],
) -> Result<Option<usize>, Failure> {
    let width = data.features.len() + 1;
    let block = width.max(512);
    let mut r = DMatrix::zeros(width, width);
    for (j, penalty) in penalties.iter().enumerate() {
        r[(j + 1, j + 1)] = 2.0 * penalty.sqrt();
    }
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
    let mut least = None;
    for (feature, unit) in units.iter().enumerate() {
        let column = r.column(feature + 1);
        let own = column[feature + 1].abs();
        let penalised = penalties[feature] > 0.0;
        let rounding = if penalised {
            0.0
        } else {
            // What the numbers of the file are rounded by
            f64::EPSILON * unit.zero().abs() * (data.len() as f64).sqrt()
        };
        if own <= 1e-10 * column.norm() + rounding {
            return Err(Failure::Dependent { feature, penalised });
        }
        let share = own / column.norm();
        if least.is_none_or(|(_, least)| share < least) {
            least = Some((feature, share));
        }
    }
    Ok(least.map(|(feature, _)| feature))
}
