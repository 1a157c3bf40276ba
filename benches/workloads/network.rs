//! W5: a network 2-16-16-1 with tanh, mean squared error, 337 parameters,
//! written as scalar operations.

use super::{Random, Workload, hide};
use chainrule::{Tape, Var};

const H: usize = 16;
/// Where each layer's weights and biases start among the parameters.
const W1: usize = 0;
const B1: usize = W1 + 2 * H;
const W2: usize = B1 + H;
const B2: usize = W2 + H * H;
const W3: usize = B2 + H;
const B3: usize = W3 + H;
const PARAMETERS: usize = B3 + 1;

type Samples = Vec<([f64; 2], f64)>;

pub fn network(name: &'static str, count: usize) -> Workload {
    let mut random = Random(5);
    let parameters: Vec<f64> = random.many(PARAMETERS).iter().map(|p| 0.5 * p).collect();
    let sample = |_| ([random.next(), random.next()], random.next());
    let samples: Samples = (0..count).map(sample).collect();
    let copy = (parameters.clone(), samples.clone());
    Workload {
        name,
        unit: "sample",
        units: count,
        inputs: PARAMETERS,
        record: Box::new(move |tape: &Tape| record(tape, hide(&parameters), &samples)),
        by_hand: Box::new(move |gradient| by_hand(hide(&copy.0), &copy.1, gradient)),
    }
}

fn record<'t>(tape: &'t Tape, parameters: &[f64], samples: &Samples) -> Var<'t> {
    let p = tape.vars(parameters);
    let mut total = Var::from(0.0);
    for &(x, target) in samples {
        let first: [Var<'t>; H] = std::array::from_fn(|i| {
            (p[B1 + i] + p[W1 + 2 * i] * x[0] + p[W1 + 2 * i + 1] * x[1]).tanh()
        });
        let second: [Var<'t>; H] = std::array::from_fn(|i| {
            let weights = &p[W2 + i * H..W2 + (i + 1) * H];
            weights
                .iter()
                .zip(&first)
                .fold(p[B2 + i], |sum, (w, h)| sum + w * h)
                .tanh()
        });
        let output = p[W3..B3]
            .iter()
            .zip(&second)
            .fold(p[B3], |sum, (w, h)| sum + w * h);
        let error = output - target;
        total += error * error;
    }
    total / samples.len() as f64
}

fn by_hand(p: &[f64], samples: &Samples, gradient: &mut [f64]) -> f64 {
    gradient.fill(0.0);
    let mut total = 0.0;
    for &(x, target) in samples {
        let first: [f64; H] = std::array::from_fn(|i| {
            (p[B1 + i] + p[W1 + 2 * i] * x[0] + p[W1 + 2 * i + 1] * x[1]).tanh()
        });
        let second: [f64; H] = std::array::from_fn(|i| {
            let weights = &p[W2 + i * H..W2 + (i + 1) * H];
            weights
                .iter()
                .zip(&first)
                .fold(p[B2 + i], |sum, (w, h)| sum + w * h)
                .tanh()
        });
        let output = p[W3..B3]
            .iter()
            .zip(&second)
            .fold(p[B3], |sum, (w, h)| sum + w * h);
        let error = output - target;
        total += error * error;

        let back = 2.0 * error / samples.len() as f64;
        gradient[B3] += back;
        let mut first_back = [0.0; H];
        for i in 0..H {
            gradient[W3 + i] += back * second[i];
            let inner = back * p[W3 + i] * (1.0 - second[i] * second[i]);
            gradient[B2 + i] += inner;
            for j in 0..H {
                gradient[W2 + i * H + j] += inner * first[j];
                first_back[j] += inner * p[W2 + i * H + j];
            }
        }
        for i in 0..H {
            let inner = first_back[i] * (1.0 - first[i] * first[i]);
            gradient[B1 + i] += inner;
            gradient[W1 + 2 * i] += inner * x[0];
            gradient[W1 + 2 * i + 1] += inner * x[1];
        }
    }
    total / samples.len() as f64
}
