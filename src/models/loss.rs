//! The loss of logistic regression in its forms, its data, and its derivatives by hand.

use crate::{Error, Tape, Var};

/// How the graph of the loss is written. All forms have the same gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// a = σ(z) as one node, L from a. Fails for |z| > 37, where 1 − a is 0.
    Sigmoid,
    /// g = 1 + e^{−z} and a = 1/g, L from a. Fails where `Sigmoid` does.
    SpelledOut,
    /// L = softplus(z) − y·z, finite for every finite z.
    Stable,
}

/// The parameters as nodes named w1 … wd and b.
#[derive(Clone, Debug)]
pub struct Parameters<'t> {
    /// One weight for each feature.
    pub w: Vec<Var<'t>>,
    /// The intercept.
    pub b: Var<'t>,
}

impl<'t> Parameters<'t> {
    /// Records parameters as inputs.
    ///
    /// # Errors
    /// If the tape has nodes of these names already.
    pub fn record(tape: &'t Tape, w: &[f64], b: f64) -> Result<Self, Error> {
        let names: Vec<String> = (1..=w.len()).map(|i| format!("w{i}")).collect();
        let taken = |name: &&str| tape.lookup(name).is_ok();
        if let Some(name) = names.iter().map(String::as_str).chain(["b"]).find(taken) {
            let holder = tape.lookup(name)?.id().map_or(0, crate::NodeId::index);
            return Err(Error::DuplicateName {
                name: name.to_owned(),
                holder,
            });
        }
        let w = w
            .iter()
            .zip(&names)
            .map(|(&w, name)| tape.var(w).named(name))
            .collect();
        Ok(Self {
            w,
            b: tape.var(b).named("b"),
        })
    }

    /// All of them, the weights first and then the intercept.
    pub fn all(&self) -> Vec<Var<'t>> {
        let mut all = self.w.clone();
        all.push(self.b);
        all
    }

    /// Gives them new values, in the order of [`all`](Self::all). Then comes
    /// [`Tape::forward`].
    ///
    /// # Errors
    /// If there are not as many values as parameters; nothing is changed then.
    pub fn set(&self, values: &[f64]) -> Result<(), Error> {
        check_length("parameters", values.len(), self.w.len() + 1)?;
        for (parameter, &value) in self.all().into_iter().zip(values) {
            if let Some(tape) = parameter.tape() {
                tape.set(parameter, value);
            }
        }
        Ok(())
    }
}

/// The nodes of one row.
#[derive(Clone, Copy, Debug)]
pub struct Row<'t> {
    /// w·x + b
    pub z: Var<'t>,
    /// 1 + e^{−z}, in the spelled-out form
    pub g: Option<Var<'t>>,
    /// σ(z); in the stable form it is recorded, and the loss does without it
    pub a: Var<'t>,
    /// the loss of this row
    pub loss: Var<'t>,
}

/// Records one row with the features `x` and the label `y`: numbers, or nodes such
/// as named inputs and columns.
///
/// # Errors
/// If there are not as many features as weights.
pub fn row<'t>(
    parameters: &Parameters<'t>,
    x: &[impl Into<Var<'t>> + Copy],
    y: impl Into<Var<'t>>,
    form: Form,
) -> Result<Row<'t>, Error> {
    check_length("features", x.len(), parameters.w.len())?;
    let y = y.into();
    let terms = parameters.w.iter().zip(x).map(|(w, &x)| *w * x.into());
    let z = match terms.reduce(|sum, term| sum + term) {
        Some(sum) => sum + parameters.b,
        None => parameters.b + 0.0, // a node of its own
    };
    let cross_entropy = |a: Var<'t>| -(y * a.ln() + (1.0 - y) * (1.0 - a).ln());
    Ok(match form {
        Form::Sigmoid => {
            let a = z.sigmoid();
            Row {
                z,
                g: None,
                a,
                loss: cross_entropy(a),
            }
        }
        Form::SpelledOut => {
            let g = 1.0 + (-z).exp();
            let a = g.recip();
            Row {
                z,
                g: Some(g),
                a,
                loss: cross_entropy(a),
            }
        }
        Form::Stable => Row {
            z,
            g: None,
            a: z.sigmoid(),
            loss: z.softplus() - y * z,
        },
    })
}

/// Rows of features with a label each: checked, and kept row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Data {
    x: Vec<f64>,
    y: Vec<f64>,
    features: usize,
}

impl Data {
    /// Takes the features of all rows, one row after another, and the labels.
    ///
    /// # Errors
    /// If there are no rows, if `x` does not hold `features` numbers for each
    /// label, if a feature is not finite, or if a label is not 0 or 1.
    pub fn new(features: usize, x: Vec<f64>, y: Vec<f64>) -> Result<Self, Error> {
        if y.is_empty() {
            return Err(Error::NoRows);
        }
        check_length(
            "features in all rows",
            x.len(),
            features.saturating_mul(y.len()),
        )?;
        if let Some(row) = y.iter().position(|&y| y != 0.0 && y != 1.0) {
            return Err(Error::BadLabel { row, value: y[row] });
        }
        if let Some(at) = x.iter().position(|x| !x.is_finite()) {
            let (row, column, value) = (at / features, at % features, x[at]);
            return Err(Error::NotFinite {
                what: "feature",
                row,
                column,
                value,
            });
        }
        Ok(Self { x, y, features })
    }

    /// How many rows there are; at least 1.
    pub fn len(&self) -> usize {
        self.y.len()
    }

    /// Whether there are no rows: never.
    pub fn is_empty(&self) -> bool {
        self.y.is_empty()
    }

    /// How many features each row has.
    pub fn features(&self) -> usize {
        self.features
    }

    /// The rows: features and label.
    pub fn rows(&self) -> impl Iterator<Item = (&[f64], f64)> {
        let row = |(i, &y)| (&self.x[i * self.features..(i + 1) * self.features], y);
        self.y.iter().enumerate().map(row)
    }

    /// The labels.
    pub fn labels(&self) -> &[f64] {
        &self.y
    }
}

/// Records the sum of the losses of all rows: minus the log-likelihood.
///
/// # Errors
/// If the data has not as many features as there are weights.
pub fn total_loss<'t>(
    parameters: &Parameters<'t>,
    data: &Data,
    form: Form,
) -> Result<Var<'t>, Error> {
    let mut losses = Vec::with_capacity(data.len());
    for (x, y) in data.rows() {
        losses.push(row(parameters, x, y, form)?.loss);
    }
    Ok(losses.into_iter().sum())
}

/// Records the mean of the losses of all rows, plus the penalty
/// (`l2`/2)·Σ wᵢ², which leaves b alone.
///
/// # Errors
/// If the data has not as many features as there are weights.
pub fn mean_loss<'t>(
    parameters: &Parameters<'t>,
    data: &Data,
    form: Form,
    l2: f64,
) -> Result<Var<'t>, Error> {
    let mean = total_loss(parameters, data, form)? / data.len() as f64;
    Ok(if l2 == 0.0 {
        mean
    } else {
        mean + penalty(parameters, l2)
    })
}

/// Records the penalty (`l2`/2)·Σ wᵢ².
pub fn penalty<'t>(parameters: &Parameters<'t>, l2: f64) -> Var<'t> {
    parameters.w.iter().map(|w| w.square()).sum::<Var<'_>>() * (0.5 * l2)
}

fn check_length(what: &'static str, found: usize, expected: usize) -> Result<(), Error> {
    if found == expected {
        Ok(())
    } else {
        Err(Error::WrongLength {
            what,
            found,
            expected,
        })
    }
}

/// The formulas of the article, derived by a person. Nothing in the crate
/// computes with them; they stand beside the engine's numbers. Those of the
/// components are for any number type, so that they can be recorded too.
pub mod hand {
    use super::Data;
    use crate::Real;

    /// a = 1/(1 + e^{−z})
    pub fn a(z: f64) -> f64 {
        1.0 / (1.0 + (-z).exp())
    }

    /// Component 1: dL/da = (1−y)/(1−a) − y/a
    pub fn dl_da<T: Real>(a: T, y: T) -> T {
        let one = T::from(1.0);
        (one - y) / (one - a) - y / a
    }

    /// Component 2: da/dz = a(1−a)
    pub fn da_dz<T: Real>(a: T) -> T {
        a * (T::from(1.0) - a)
    }

    /// Component 2 in detail: da/dg = −1/g²
    pub fn da_dg<T: Real>(g: T) -> T {
        T::from(-1.0) / (g * g)
    }

    /// Component 2 in detail: dg/dz = −e^{−z}
    pub fn dg_dz<T: Real>(z: T) -> T {
        -(-z).exp()
    }

    /// Component 3: dL/dz = a − y
    pub fn dl_dz<T: Real>(a: T, y: T) -> T {
        a - y
    }

    /// The total: dL/dw = (a − y)·x and dL/db = a − y, summed over rows, the
    /// weights first. `parameters` are the weights and then the intercept, one
    /// more than there are features.
    pub fn total_gradient(parameters: &[f64], data: &Data) -> Vec<f64> {
        let mut gradient = vec![0.0; parameters.len()];
        for (x, y) in data.rows() {
            let terms = parameters
                .iter()
                .zip(x.iter().chain(&[1.0]))
                .map(|(w, x)| w * x);
            let difference = dl_dz(a(terms.sum()), y);
            for (slot, x) in gradient.iter_mut().zip(x.iter().chain(&[1.0])) {
                *slot += difference * x;
            }
        }
        gradient
    }
}
