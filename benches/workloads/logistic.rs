//! W1, W1L and W2: the mean loss of logistic regression, a = 1/(1+e^{−z})
//! spelled out, with the gradient by w and b.

use super::{Random, Workload, by_hand, hide};
use chainrule::{Tape, Var};

#[derive(Clone)]
struct Problem {
    x: Vec<f64>,
    y: Vec<f64>,
    /// The weights and then the intercept.
    parameters: Vec<f64>,
}

impl Problem {
    fn new(rows: usize, features: usize) -> Self {
        let mut random = Random(1);
        let x = random.many(rows * features);
        let y = (0..rows).map(|_| f64::from(random.next() > 0.0)).collect();
        Self {
            x,
            y,
            parameters: random.many(features + 1),
        }
    }

    fn rows(&self) -> impl Iterator<Item = (&[f64], f64)> {
        self.x
            .chunks_exact(self.parameters.len() - 1)
            .zip(self.y.iter().copied())
    }

    fn by_hand(&self, gradient: &mut [f64]) -> f64 {
        by_hand::logistic(&self.x, &self.y, &self.parameters, gradient)
    }
}

fn loss(z: Var<'_>, y: f64) -> Var<'_> {
    let a = 1.0 / (1.0 + (-z).exp());
    -(y * a.ln() + (1.0 - y) * (1.0 - a).ln())
}

fn workload(
    name: &'static str,
    problem: Problem,
    score: impl for<'t> Fn(&[f64], &[Var<'t>], Var<'t>) -> Var<'t> + 'static,
) -> Workload {
    let copy = problem.clone();
    Workload {
        name,
        unit: "row",
        units: problem.y.len(),
        inputs: problem.parameters.len(),
        record: Box::new(move |tape: &Tape| {
            let parameters = tape.vars(&problem.parameters);
            let (w, b) = parameters.split_at(parameters.len() - 1);
            let losses = hide(&problem)
                .rows()
                .map(|(x, y)| loss(score(x, w, b[0]), y));
            let total = losses.reduce(|total, loss| total + loss);
            total.expect("rows") / problem.y.len() as f64
        }),
        by_hand: Box::new(move |gradient| hide(&copy).by_hand(gradient)),
    }
}

/// z from a multiplication and an addition for each feature.
pub fn scalar(name: &'static str, rows: usize) -> Workload {
    workload(name, Problem::new(rows, 30), |x, w, b| {
        w.iter().zip(x).fold(b, |z, (w, x)| z + w * x)
    })
}

/// z from one linear-combination node.
pub fn one_node(name: &'static str, rows: usize) -> Workload {
    workload(name, Problem::new(rows, 30), |x, w, b| {
        Var::linear_combination(x, w, 0.0) + b
    })
}

/// One row of two features, without any allocation.
pub fn one_row(name: &'static str) -> Workload {
    let (x, y, p) = ([0.7, -1.3], 1.0, [0.4, -0.3, 0.1]);
    Workload {
        name,
        unit: "row",
        units: 1,
        inputs: 3,
        record: Box::new(move |tape: &Tape| {
            let (x, p) = (hide(&x), hide(&p));
            let (w1, w2, b) = (tape.var(p[0]), tape.var(p[1]), tape.var(p[2]));
            loss(w1 * x[0] + w2 * x[1] + b, y)
        }),
        by_hand: Box::new(move |gradient| by_hand::logistic_row(hide(&x), y, hide(&p), gradient)),
    }
}
