//! W1 and W5 for one row of data, as functions of parameters and columns.

use super::by_hand::{B1, B2, B3, PARAMETERS, W1, W2, W3};
use chainrule::{Function, Real, Var};

/// z = w·x + b, a = 1/(1+e^{−z}), −(y ln a + (1−y) ln(1−a)) of one row.
pub fn logistic_row(features: usize) -> Function {
    Function::record(|r| {
        let w = r.inputs(&vec![0.1; features]);
        let b = r.inputs(&[0.1])[0];
        let x: Vec<_> = (0..features)
            .map(|i| r.column(&format!("x{i}"), 0.5))
            .collect();
        let y = r.column("y", 1.0);
        let z = w.iter().zip(&x).fold(b, |z, (w, x)| z + w * x);
        let a = 1.0 / (1.0 + (-z).exp());
        -(y * a.ln() + (1.0 - y) * (1.0 - a).ln())
    })
}

/// The squared error of the network 2-16-16-1 at one sample.
pub fn network_row() -> Function {
    Function::record(|r| {
        let p = r.inputs(&[0.1; PARAMETERS]);
        let (x0, x1) = (r.column("x0", 0.5), r.column("x1", 0.5));
        let target = r.column("target", 0.5);
        let layer = |weights: &[_], biases: &[_], from: &[_]| -> Vec<Var<'_>> {
            let neuron = |(i, &bias)| {
                let weights = &weights[i * from.len()..(i + 1) * from.len()];
                let terms = weights.iter().zip(from);
                terms.fold(bias, |sum, (w, x)| sum + *w * *x)
            };
            biases.iter().enumerate().map(neuron).collect()
        };
        let first = layer(&p[W1..B1], &p[B1..W2], &[x0, x1]);
        let first: Vec<_> = first.into_iter().map(Real::tanh).collect();
        let second = layer(&p[W2..B2], &p[B2..W3], &first);
        let second: Vec<_> = second.into_iter().map(Real::tanh).collect();
        let output = layer(&p[W3..B3], &p[B3..], &second)[0];
        (output - target).square()
    })
}
