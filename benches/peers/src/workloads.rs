//! The workloads on any number, with their data and the hand-written loops.

use crate::num::Num;
use chainrule::{Function, Tape, Var};
use std::cell::RefCell;

#[path = "../../workloads/by_hand.rs"]
#[allow(dead_code, reason = "of the loops only the sizes are used here")]
mod by_hand;
#[path = "../../workloads/row.rs"]
mod row;
use by_hand::{B1, B2, B3, H, PARAMETERS, W1, W2, W3};

#[allow(improper_ctypes, reason = "arrays of floats behind pointers")]
unsafe extern "C" {
    fn by_hand_logistic(
        x: *const f64,
        y: *const f64,
        rows: usize,
        width: usize,
        parameters: *const f64,
        gradient: *mut f64,
    ) -> f64;
    fn by_hand_row(x: *const [f64; 2], y: f64, p: *const [f64; 3], gradient: *mut f64) -> f64;
    fn by_hand_chain(
        x: *const f64,
        len: usize,
        kept: *mut [f64; 5],
        cycles: usize,
        gradient: *mut f64,
    ) -> f64;
    fn by_hand_rosenbrock(x: *const f64, len: usize, gradient: *mut f64) -> f64;
    fn by_hand_network(
        p: *const f64,
        samples: *const [f64; 3],
        count: usize,
        gradient: *mut f64,
    ) -> f64;
}

/// A linear congruential generator; numbers in [−1, 1).
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    fn many(&mut self, count: usize) -> Vec<f64> {
        (0..count).map(|_| self.next()).collect()
    }
}

/// A function with inputs, and how many units of work it is.
pub trait Workload {
    const NAME: &'static str;
    fn units(&self) -> usize;
    fn inputs(&self) -> &[f64];
    fn run<N: Num>(&self, inputs: &[N]) -> N;
    fn by_hand(&self, gradient: &mut [f64]) -> f64;

    /// Records it with chainrule, sweeps, and writes the gradient.
    fn record_and_sweep(&self, tape: &Tape, buffer: &mut Vec<f64>, gradient: &mut [f64]) {
        let inputs = tape.vars(self.inputs());
        sweep(self.run(&inputs), &inputs, buffer, gradient);
    }

    /// The function of one row, and the columns of data, if that is what it is.
    fn rows(&self) -> Option<(Function, Vec<Vec<f64>>)> {
        None
    }
}

/// Writes the derivatives of `output` by `inputs`.
#[inline]
fn sweep(output: Var<'_>, inputs: &[Var<'_>], buffer: &mut Vec<f64>, gradient: &mut [f64]) {
    let Some(tape) = output.tape() else { return };
    let adjoints = tape.backward_with(&[(output, 1.0)], std::mem::take(buffer));
    for (slot, input) in gradient.iter_mut().zip(inputs) {
        *slot = adjoints.wrt(*input);
    }
    *buffer = adjoints.into_buffer();
}

/// Of W1.
const FEATURES: usize = 30;

/// W1, with one node for w·x or without.
pub struct Logistic<const ONE_NODE: bool> {
    x: Vec<f64>,
    y: Vec<f64>,
    parameters: Vec<f64>,
}

impl<const ONE_NODE: bool> Logistic<ONE_NODE> {
    pub fn new(rows: usize) -> Self {
        let mut random = Random(1);
        let x = random.many(rows * FEATURES);
        let y = (0..rows).map(|_| f64::from(random.next() > 0.0)).collect();
        let parameters = random.many(FEATURES + 1);
        Self { x, y, parameters }
    }
}

#[inline(always)]
fn loss<N: Num>(z: &N, y: f64) -> N {
    let a = z.neg().exp().plus(1.0).under(1.0);
    a.ln().times(y).add(&a.from(1.0).ln().times(1.0 - y)).neg()
}

impl<const ONE_NODE: bool> Workload for Logistic<ONE_NODE> {
    const NAME: &'static str = match ONE_NODE {
        true => "W1, one node for w·x",
        false => "W1",
    };

    fn units(&self) -> usize {
        self.y.len()
    }

    fn inputs(&self) -> &[f64] {
        &self.parameters
    }

    #[inline(never)]
    fn run<N: Num>(&self, inputs: &[N]) -> N {
        let (w, b) = inputs.split_at(FEATURES);
        let rows = self.x.chunks_exact(FEATURES).zip(&self.y);
        let losses = rows.map(|(x, &y)| {
            let z = if ONE_NODE {
                N::weighted(w, x, &b[0])
            } else {
                w.iter()
                    .zip(x)
                    .fold(b[0].clone(), |z, (w, x)| z.add(&w.times(*x)))
            };
            loss(&z, y)
        });
        let total = losses.reduce(|total, loss| total.add(&loss)).expect("rows");
        total.times(1.0 / self.y.len() as f64)
    }

    fn by_hand(&self, gradient: &mut [f64]) -> f64 {
        assert_eq!(gradient.len(), FEATURES + 1);
        let (x, y, p) = (self.x.as_ptr(), self.y.as_ptr(), self.parameters.as_ptr());
        // SAFETY: the lengths are those of `new`.
        unsafe { by_hand_logistic(x, y, self.y.len(), FEATURES, p, gradient.as_mut_ptr()) }
    }

    fn rows(&self) -> Option<(Function, Vec<Vec<f64>>)> {
        let column = |i: usize| self.x.iter().skip(i).step_by(FEATURES).copied().collect();
        let columns = (0..FEATURES).map(column).chain([self.y.clone()]);
        (!ONE_NODE).then(|| (row::logistic_row(FEATURES), columns.collect()))
    }
}

/// W2: one row of W1, with two features.
pub struct Row {
    x: [f64; 2],
    y: f64,
    parameters: [f64; 3],
}

impl Row {
    pub fn new() -> Self {
        let mut random = Random(1);
        Self {
            x: [(); 2].map(|()| random.next()),
            y: f64::from(random.next() > 0.0),
            parameters: [(); 3].map(|()| random.next()),
        }
    }
}

impl Workload for Row {
    const NAME: &'static str = "W2";

    fn units(&self) -> usize {
        1
    }

    fn inputs(&self) -> &[f64] {
        &self.parameters
    }

    #[inline(always)]
    fn run<N: Num>(&self, inputs: &[N]) -> N {
        let [w1, w2, b] = inputs else {
            unreachable!("two weights and a bias");
        };
        let z = w1.times(self.x[0]).add(&w2.times(self.x[1])).add(b);
        loss(&z, self.y)
    }

    fn by_hand(&self, gradient: &mut [f64]) -> f64 {
        assert_eq!(gradient.len(), 3);
        // SAFETY: one row of two features, and a gradient of as many parameters.
        unsafe { by_hand_row(&self.x, self.y, &self.parameters, gradient.as_mut_ptr()) }
    }

    /// As one would write it: the inputs are an array.
    fn record_and_sweep(&self, tape: &Tape, buffer: &mut Vec<f64>, gradient: &mut [f64]) {
        let inputs = tape.var_array(self.parameters);
        sweep(self.run(&inputs), &inputs, buffer, gradient);
    }
}

/// W3.
pub struct Chain {
    x: [f64; 10],
    cycles: usize,
    kept: RefCell<Vec<[f64; 5]>>,
}

impl Chain {
    pub fn new(operations: usize) -> Self {
        let x = std::array::from_fn(|i| 0.8 + 0.05 * i as f64);
        let cycles = operations / 11;
        Self {
            x,
            cycles,
            kept: RefCell::new(vec![[0.0; 5]; cycles]),
        }
    }
}

impl Workload for Chain {
    const NAME: &'static str = "W3";

    fn units(&self) -> usize {
        self.cycles * 11
    }

    fn inputs(&self) -> &[f64] {
        &self.x
    }

    #[inline(never)]
    fn run<N: Num>(&self, x: &[N]) -> N {
        let (mut t, mut sum) = (x[0].clone(), x[1].clone());
        for i in 0..self.cycles {
            let x = &x[i % 10];
            t = t.mul(x);
            t = t.add(x);
            t = t.sin();
            t = t.mul(&t).neg().exp();
            t = t.div(x);
            t = t.mul(&t).plus(1.0).ln();
            sum = sum.add(&t);
        }
        sum
    }

    fn by_hand(&self, gradient: &mut [f64]) -> f64 {
        assert_eq!(gradient.len(), 10);
        let (kept, cycles) = (self.kept.borrow_mut().as_mut_ptr(), self.cycles);
        // SAFETY: the lengths are those given.
        unsafe { by_hand_chain(self.x.as_ptr(), 10, kept, cycles, gradient.as_mut_ptr()) }
    }
}

/// W4.
pub struct Rosenbrock(Vec<f64>);

impl Rosenbrock {
    pub fn new(n: usize) -> Self {
        Self(Random(4).many(n))
    }
}

impl Workload for Rosenbrock {
    const NAME: &'static str = "W4";

    fn units(&self) -> usize {
        self.0.len() - 1
    }

    fn inputs(&self) -> &[f64] {
        &self.0
    }

    #[inline(never)]
    fn run<N: Num>(&self, x: &[N]) -> N {
        let terms = x.windows(2).map(|pair| {
            let (u, v) = (pair[1].sub(&pair[0].mul(&pair[0])), pair[0].from(1.0));
            u.mul(&u).times(100.0).add(&v.mul(&v))
        });
        terms.reduce(|sum, term| sum.add(&term)).expect("two")
    }

    fn by_hand(&self, gradient: &mut [f64]) -> f64 {
        assert_eq!(gradient.len(), self.0.len());
        // SAFETY: the lengths are equal.
        unsafe { by_hand_rosenbrock(self.0.as_ptr(), self.0.len(), gradient.as_mut_ptr()) }
    }
}

/// W5.
pub struct Network {
    parameters: Vec<f64>,
    samples: Vec<[f64; 3]>,
}

impl Network {
    pub fn new(count: usize) -> Self {
        let mut random = Random(5);
        let parameters = random.many(PARAMETERS).iter().map(|p| 0.5 * p).collect();
        let samples = (0..count)
            .map(|_| std::array::from_fn(|_| random.next()))
            .collect();
        Self {
            parameters,
            samples,
        }
    }
}

impl Workload for Network {
    const NAME: &'static str = "W5";

    fn units(&self) -> usize {
        self.samples.len()
    }

    fn inputs(&self) -> &[f64] {
        &self.parameters
    }

    #[inline(never)]
    fn run<N: Num>(&self, p: &[N]) -> N {
        let layer = |weights: &[N], bias: &N, of: &[N; H]| {
            let products = weights.iter().zip(of);
            products.fold(bias.clone(), |sum, (w, h)| sum.add(&w.mul(h)))
        };
        let squares = self.samples.iter().map(|&[x0, x1, target]| {
            let first: [N; H] = std::array::from_fn(|i| {
                let (w, b) = (&p[W1 + 2 * i..], &p[B1 + i]);
                b.add(&w[0].times(x0)).add(&w[1].times(x1)).tanh()
            });
            let second: [N; H] = std::array::from_fn(|i| {
                layer(&p[W2 + i * H..W2 + (i + 1) * H], &p[B2 + i], &first).tanh()
            });
            let error = layer(&p[W3..B3], &p[B3], &second).plus(-target);
            error.mul(&error)
        });
        let total = squares
            .reduce(|total, square| total.add(&square))
            .expect("samples");
        total.times(1.0 / self.samples.len() as f64)
    }

    fn by_hand(&self, gradient: &mut [f64]) -> f64 {
        assert_eq!(gradient.len(), PARAMETERS);
        let (p, samples) = (self.parameters.as_ptr(), self.samples.as_ptr());
        // SAFETY: the lengths are those of `new`.
        unsafe { by_hand_network(p, samples, self.samples.len(), gradient.as_mut_ptr()) }
    }

    fn rows(&self) -> Option<(Function, Vec<Vec<f64>>)> {
        let column = |i: usize| self.samples.iter().map(|sample| sample[i]).collect();
        Some((row::network_row(), (0..3).map(column).collect()))
    }
}
