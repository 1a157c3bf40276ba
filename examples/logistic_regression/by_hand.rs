//! What the engine is compared with: value and gradient of the summed loss as a
//! person derives and writes them, in plain loops.

use crate::data::Data;
use chainrule::models::logistic::hand;

/// Rows that are taken together, a column at a time.
const BLOCK: usize = 256;

/// Writes the gradient, Σ (a − y)·x and Σ (a − y), and returns the value,
/// Σ softplus(z) − y·z. `parameters` are the weights and then the intercept.
pub fn value_and_gradient(data: &Data, parameters: &[f64], gradient: &mut [f64]) -> f64 {
    gradient.fill(0.0);
    let mut value = 0.0;
    let mut differences = [0.0; BLOCK];
    for first in (0..data.len()).step_by(BLOCK) {
        let block = first..data.len().min(first + BLOCK);
        let z = &mut differences[..block.len()];
        z.fill(parameters[data.features.len()]);
        for (w, x) in parameters.iter().zip(&data.features) {
            let terms = x[block.clone()].iter().map(|x| w * x);
            z.iter_mut().zip(terms).for_each(|(z, term)| *z += term);
        }
        for (z, y) in z.iter_mut().zip(&data.labels[block.clone()]) {
            let e = (-z.abs()).exp();
            let a = if *z < 0.0 { e } else { 1.0 } / (1.0 + e);
            value += z.max(0.0) + e.ln_1p() - y * *z;
            *z = hand::dl_dz(a, *y);
        }
        for (slot, x) in gradient.iter_mut().zip(&data.features) {
            *slot += dot(z, &x[block.clone()]);
        }
        gradient[data.features.len()] += z.iter().sum::<f64>();
    }
    value
}

/// In eight sums, so that an addition need not wait for the one before.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        for i in 0..8 {
            sums[i] += a[i] * b[i];
        }
    }
    let rest = a_rest.iter().zip(b_rest).map(|(a, b)| a * b);
    sums.iter().sum::<f64>() + rest.sum::<f64>()
}
