//! The derivation of logistic regression's gradient, component by component: the
//! engine's numbers beside those of the formulas that a person derives.

use super::loss::{Form, Parameters, Row, hand, row};
use crate::{Error, Tape, derivative};
use std::fmt;

/// One line of the derivation: a derivative as the engine found it, and as a
/// person derived it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Component {
    /// Its number in the article; empty for the totals.
    pub number: &'static str,
    /// What it is, such as dL/da.
    pub what: String,
    /// The value the engine found.
    pub engine: f64,
    /// The formula derived by hand.
    pub formula: String,
    /// The value of that formula, with z and a as the graph has them.
    pub hand: f64,
}

impl Component {
    /// How far the two values are apart: 0 if they are equal, the same infinity
    /// too, and NaN if one is NaN.
    pub fn difference(&self) -> f64 {
        if self.engine == self.hand {
            0.0
        } else {
            (self.engine - self.hand).abs()
        }
    }
}

/// The gradient of one row's loss, derived by the engine, component by
/// component, with the hand-derived formulas beside it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Derivation {
    /// How the graph is written.
    pub form: Form,
    /// z, a and L.
    pub values: [(&'static str, f64); 3],
    /// The components and then the totals.
    pub components: Vec<Component>,
}

/// Derives the gradient of the loss at one row.
///
/// In the stable form the loss does not go through a, so that components 1 and
/// 2 do not occur.
///
/// ```
/// use chainrule::models::logistic::{Form, derivation};
/// let derivation = derivation(&[1.5, -2.0], &[0.4, -0.3], 0.1, 1.0, Form::Sigmoid)?;
/// assert!(derivation.components.iter().all(|c| c.difference() < 1e-15));
/// # Ok::<(), chainrule::Error>(())
/// ```
///
/// # Errors
/// If there are not as many features as weights.
pub fn derivation(x: &[f64], w: &[f64], b: f64, y: f64, form: Form) -> Result<Derivation, Error> {
    let tape = Tape::new();
    let parameters = Parameters::record(&tape, w, b)?;
    let Row { z, g, a, loss } = row(&parameters, x, y, form)?;
    let adjoints = loss.backward();
    let (zv, av) = (z.value(), a.value());
    let mut components = Vec::new();
    let mut add = |number, what: &str, engine, formula: &str, hand| {
        let (what, formula) = (what.to_owned(), formula.to_owned());
        components.push(Component {
            number,
            what,
            engine,
            formula,
            hand,
        });
    };
    if form != Form::Stable {
        add(
            "1",
            "dL/da",
            adjoints.wrt(a),
            "(1−y)/(1−a) − y/a",
            hand::dl_da(av, y),
        );
        add("2", "da/dz", derivative(a, z), "a(1−a)", hand::da_dz(av));
    }
    if let Some(g) = g {
        add(
            "2",
            "  da/dg",
            a.partial(g),
            "−1/g²",
            hand::da_dg(g.value()),
        );
        add("2", "  dg/dz", derivative(g, z), "−e⁻ᶻ", hand::dg_dz(zv));
    }
    add("3", "dL/dz", adjoints.wrt(z), "a − y", hand::dl_dz(av, y));
    let dz = z.backward();
    for (i, (&w, &x)) in parameters.w.iter().zip(x).enumerate() {
        add(
            "4",
            &format!("dz/dw{}", i + 1),
            dz.wrt(w),
            &format!("x{}", i + 1),
            x,
        );
    }
    add("5", "dz/db", dz.wrt(parameters.b), "1", 1.0);
    for (i, (&w, &x)) in parameters.w.iter().zip(x).enumerate() {
        let formula = format!("(a − y)·x{}", i + 1);
        let hand = hand::dl_dz(av, y) * x;
        add(
            "",
            &format!("dL/dw{}", i + 1),
            adjoints.wrt(w),
            &formula,
            hand,
        );
    }
    add(
        "",
        "dL/db",
        adjoints.wrt(parameters.b),
        "a − y",
        hand::dl_dz(av, y),
    );
    let values = [("z", zv), ("a", a.value()), ("L", loss.value())];
    Ok(Derivation {
        form,
        values,
        components,
    })
}

impl Derivation {
    /// Why differences are not finite, where they are not.
    fn reason(&self) -> Option<String> {
        let mut differences = self.components.iter().map(Component::difference);
        if differences.all(f64::is_finite) {
            return None;
        }
        let [z, a, loss] = self.values.map(|(_, value)| value);
        let why = if !z.is_finite() {
            return Some(format!("z = w·x + b is {z}, not finite."));
        } else if a == 1.0 {
            "rounded to 1, and ln(1 − a) is −∞".to_owned()
        } else if a == 0.0 {
            "rounded to 0, and ln a is −∞".to_owned()
        } else if !a.recip().is_finite() {
            format!("{}, and 1/a is beyond f64", Figure(a))
        } else {
            return Some(format!("L is {}.", Figure(loss)));
        };
        Some(format!(
            "at z = {} a is {why}.\n\
             The loss written as softplus(z) − y·z is finite there, with its gradient.",
            Figure(z)
        ))
    }
}

/// A table of at most 80 columns. Where a difference is NaN or ∞, two lines below
/// it say why.
impl fmt::Display for Derivation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [z, a, loss] = self.values.map(|(_, value)| Figure(value));
        writeln!(f, "z = {z}   a = {a}   L = {loss}")?;
        writeln!(f)?;
        let heading = [
            "",
            "what",
            "engine",
            "derived by hand",
            "its value",
            "difference",
        ];
        let [number, what, engine, formula, hand, difference] = heading;
        let line =
            format!("{number:<3}{what:<9}{engine:>15}   {formula:<18}{hand:>15}{difference:>13}");
        writeln!(f, "{line}")?;
        writeln!(f, "{}", "─".repeat(line.chars().count()))?;
        for component in &self.components {
            let Component {
                number,
                what,
                engine,
                formula,
                hand,
            } = component;
            let (engine, hand) = (Figure(*engine).to_string(), Figure(*hand).to_string());
            let difference = match component.difference() {
                0.0 => "0".to_owned(),
                difference => format!("{difference:.1e}"),
            };
            writeln!(
                f,
                "{number:<3}{what:<9}{engine:>15}   {formula:<18}{hand:>15}{difference:>13}"
            )?;
        }
        match self.reason() {
            Some(reason) => writeln!(f, "NaN, inf: {reason}"),
            None => Ok(()),
        }
    }
}

/// A number in few characters: fixed point where that shows its digits.
struct Figure(f64);

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.0.abs();
        if size == 0.0 || (1e-3..1e5).contains(&size) {
            write!(f, "{:.8}", self.0)
        } else {
            write!(f, "{:.6e}", self.0)
        }
    }
}
