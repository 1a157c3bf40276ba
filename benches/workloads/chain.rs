//! W3: a chain of elementary operations on 10 inputs. Each cycle is t·=x, t+=x,
//! t=sin t, t=e^{−t·t}, t/=x, t=ln(1+t·t), acc+=t: eleven operations.

use super::{Workload, by_hand, hide};
use chainrule::Tape;

const INPUTS: usize = 10;
const OPERATIONS: usize = 11;

pub fn chain(name: &'static str, operations: usize) -> Workload {
    let cycles = operations / OPERATIONS;
    let inputs: [f64; INPUTS] = std::array::from_fn(|i| 0.8 + 0.05 * i as f64);
    let mut kept = vec![[0.0; 5]; cycles];
    Workload {
        name,
        unit: "op",
        units: cycles * OPERATIONS,
        inputs: INPUTS,
        record: Box::new(move |tape: &Tape| {
            let x = tape.vars(hide(&inputs));
            let (mut t, mut sum) = (x[0], x[1]);
            for i in 0..cycles {
                let x = x[i % INPUTS];
                t *= x;
                t += x;
                t = t.sin();
                t = (-(t * t)).exp();
                t /= x;
                t = (1.0 + t * t).ln();
                sum += t;
            }
            sum
        }),
        by_hand: Box::new(move |gradient| by_hand::chain(hide(&inputs), &mut kept, gradient)),
    }
}
