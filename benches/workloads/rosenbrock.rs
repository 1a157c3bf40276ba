//! W4: Rosenbrock's function, Σ 100(x_{i+1}−x_i²)² + (1−x_i)².

use super::{Random, Workload, by_hand, hide};
use chainrule::{Tape, Var};

pub fn rosenbrock(name: &'static str, n: usize) -> Workload {
    let x = Random(4).many(n);
    let copy = x.clone();
    Workload {
        name,
        unit: "term",
        units: n - 1,
        inputs: n,
        record: Box::new(move |tape: &Tape| {
            let x = tape.vars(hide(&x));
            let mut sum = Var::from(0.0);
            for pair in x.windows(2) {
                let (u, v) = (pair[1] - pair[0] * pair[0], 1.0 - pair[0]);
                sum += 100.0 * (u * u) + v * v;
            }
            sum
        }),
        by_hand: Box::new(move |gradient| by_hand::rosenbrock(hide(&copy), gradient)),
    }
}
