//! The derivation of logistic regression's gradient, explained: the graph of one
//! row with its data as named inputs, and the components of the article in its
//! order and with its names.

use super::loss::{Form, Parameters, Row, hand, row};
use crate::{Error, Explanation, Tape, Var, explain};

/// The graph of one row of logistic regression, all of it named: the data x1 … xd
/// and y, the parameters w1 … wd and b, z, g in the spelled-out form, a, and L.
#[derive(Clone, Debug)]
pub struct Graph<'t> {
    /// The features.
    pub x: Vec<Var<'t>>,
    /// The label.
    pub y: Var<'t>,
    /// The weights and the intercept.
    pub parameters: Parameters<'t>,
    /// w·x + b
    pub z: Var<'t>,
    /// 1 + e^{−z}, in the spelled-out form
    pub g: Option<Var<'t>>,
    /// σ(z); in the stable form it is recorded, and the loss does without it
    pub a: Var<'t>,
    /// The loss.
    pub loss: Var<'t>,
}

impl<'t> Graph<'t> {
    /// Records the graph on an empty tape.
    ///
    /// ```
    /// use chainrule::Tape;
    /// use chainrule::models::derivation::Graph;
    /// use chainrule::models::logistic::Form;
    ///
    /// let tape = Tape::new();
    /// let graph = Graph::record(&tape, &[1.5, -2.0], &[0.4, -0.3], 0.1, 1.0, Form::Sigmoid)?;
    /// let gradient = &graph.loss.gradient_formulas(&[graph.parameters.w[0]])[0];
    /// assert_eq!(gradient.simplify().to_string(), "(a − y)·x1");
    /// # Ok::<(), chainrule::Error>(())
    /// ```
    ///
    /// # Errors
    /// If there are not as many features as weights, or if a name is taken.
    pub fn record(
        tape: &'t Tape,
        x: &[f64],
        w: &[f64],
        b: f64,
        y: f64,
        form: Form,
    ) -> Result<Self, Error> {
        if x.len() != w.len() {
            return Err(Error::WrongLength {
                what: "features",
                found: x.len(),
                expected: w.len(),
            });
        }
        let mut features = Vec::with_capacity(x.len());
        for (i, &x) in x.iter().enumerate() {
            features.push(tape.var(x).try_named(&format!("x{}", i + 1))?);
        }
        let x = features;
        let y = tape.var(y).try_named("y")?;
        let parameters = Parameters::record(tape, w, b)?;
        let Row { z, g, a, loss } = row(&parameters, &x, y, form)?;
        for (node, name) in [(Some(z), "z"), (g, "g"), (Some(a), "a"), (Some(loss), "L")] {
            if let Some(node) = node {
                node.try_named(name)?;
            }
        }
        Ok(Self {
            x,
            y,
            parameters,
            z,
            g,
            a,
            loss,
        })
    }

    /// The components of the article, explained, each with the formula derived by
    /// hand beside it: dL/da, da/dz, dL/dz, dz/dw1 …, dz/db, and the totals.
    ///
    /// In the stable form the loss does not go through a, so that the first two do
    /// not occur.
    pub fn explanations(&self) -> Vec<Explanation> {
        let (z, a, y) = (self.z.value(), self.a.value(), self.y.value());
        let loss = self.loss;
        let mut all = Vec::new();
        let through_a = self.g.is_some() || explain(loss, self.a).path_count() > 0.0;
        if through_a {
            let by_hand = hand::dl_da(a, y);
            all.push(explain(loss, self.a).beside("(1−y)/(1−a) − y/a", by_hand));
            all.push(explain(self.a, self.z).beside("a(1−a)", hand::da_dz(a)));
        }
        if let Some(g) = self.g {
            all.push(explain(self.a, g).beside("−1/g²", hand::da_dg(g.value())));
            all.push(explain(g, self.z).beside("−e⁻ᶻ", hand::dg_dz(z)));
        }
        let dl_dz = hand::dl_dz(a, y);
        all.push(explain(loss, self.z).beside("a − y", dl_dz));
        let weights = || self.parameters.w.iter().zip(&self.x).enumerate();
        for (i, (&w, x)) in weights() {
            all.push(explain(self.z, w).beside(&format!("x{}", i + 1), x.value()));
        }
        all.push(explain(self.z, self.parameters.b).beside("1", 1.0));
        for (i, (&w, x)) in weights() {
            let formula = format!("(a − y)·x{}", i + 1);
            all.push(explain(loss, w).beside(&formula, dl_dz * x.value()));
        }
        all.push(explain(loss, self.parameters.b).beside("a − y", dl_dz));
        all
    }
}
