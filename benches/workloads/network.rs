//! W5: a network 2-16-16-1 with tanh, mean squared error, 337 parameters,
//! written as scalar operations.

use super::by_hand::{self, B1, B2, B3, H, PARAMETERS, W1, W2, W3};
use super::{Random, Workload, hide};
use chainrule::{Tape, Var};

type Samples = Vec<[f64; 3]>;

pub fn network(name: &'static str, count: usize) -> Workload {
    let mut random = Random(5);
    let parameters: Vec<f64> = random.many(PARAMETERS).iter().map(|p| 0.5 * p).collect();
    let sample = |_| [random.next(), random.next(), random.next()];
    let samples: Samples = (0..count).map(sample).collect();
    let copy = (parameters.clone(), samples.clone());
    Workload {
        name,
        unit: "sample",
        units: count,
        inputs: PARAMETERS,
        record: Box::new(move |tape: &Tape| record(tape, hide(&parameters), &samples)),
        by_hand: Box::new(move |gradient| by_hand::network(hide(&copy.0), &copy.1, gradient)),
    }
}

fn record<'t>(tape: &'t Tape, parameters: &[f64], samples: &Samples) -> Var<'t> {
    let p = tape.vars(parameters);
    let mut total = Var::from(0.0);
    for &[x0, x1, target] in samples {
        let first: [Var<'t>; H] = std::array::from_fn(|i| {
            (p[B1 + i] + p[W1 + 2 * i] * x0 + p[W1 + 2 * i + 1] * x1).tanh()
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
