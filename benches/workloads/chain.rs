//! W3: a chain of elementary operations on 10 inputs. Each cycle is t·=x, t+=x,
//! t=sin t, t=e^{−t·t}, t/=x, t=ln(1+t·t), acc+=t: eleven operations.

use super::{Workload, hide};
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
        by_hand: Box::new(move |gradient| by_hand(hide(&inputs), &mut kept, gradient)),
    }
}

/// Forward, keeping what the way back needs; then back.
fn by_hand(x: &[f64; INPUTS], kept: &mut [[f64; 5]], gradient: &mut [f64]) -> f64 {
    let (mut t, mut sum) = (x[0], x[1]);
    for (i, kept) in kept.iter_mut().enumerate() {
        let x = x[i % INPUTS];
        let before = t;
        let angle = t * x + x;
        let s = angle.sin();
        let e = (-(s * s)).exp();
        let q = e / x;
        t = (1.0 + q * q).ln();
        sum += t;
        *kept = [before, angle, s, e, q];
    }
    gradient.fill(0.0);
    let mut dt = 0.0;
    for (i, &[before, angle, s, e, q]) in kept.iter().enumerate().rev() {
        let x = x[i % INPUTS];
        let dq = (dt + 1.0) * 2.0 * q / (1.0 + q * q);
        let de = dq / x;
        let ds = de * e * -2.0 * s;
        let dangle = ds * angle.cos();
        gradient[i % INPUTS] += dangle * (before + 1.0) - dq * q / x;
        dt = dangle * x;
    }
    gradient[0] += dt;
    gradient[1] += 1.0;
    sum
}
