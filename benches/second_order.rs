//! Derivatives beside the gradient: Hessian–vector products in gradients of the same function,
//! Hessians and Jacobians beside loops written by hand, two outputs beside two functions.
//!
//! ```sh
//! cargo bench -p chainrule-benches --bench second_order
//! ```

#![allow(clippy::print_stdout, reason = "it prints a table")]

#[allow(dead_code, reason = "the other benches need more of it")]
mod workloads;

use chainrule::{Function, Real, Tape, Var, Workspace};
use std::hint::black_box;
use workloads::{Random, alternate};

/// P6: ln Σ exp(A x) + Σ sin(xᵢ xᵢ₊₁), A dense.
struct Coupled {
    n: usize,
    a: Vec<f64>,
}

impl Coupled {
    fn new(n: usize) -> Self {
        let a = Random(7).many(n * n).iter().map(|a| a * 0.3).collect();
        Self { n, a }
    }

    fn on<T: Real>(&self, x: &[T]) -> T {
        let form = |row: &[f64]| {
            row.iter()
                .zip(x)
                .fold(T::from(0.0), |sum, (a, x)| sum + *x * *a)
        };
        let forms: Vec<T> = self.a.chunks(self.n).map(form).collect();
        let wave = |sum: T, pair: &[T]| sum + (pair[0] * pair[1]).sin();
        T::log_sum_exp(&forms) + x.windows(2).fold(T::from(0.0), wave)
    }

    /// Aᵀ(diag p − p pᵀ)A and the waves' own.
    fn hessian_by_hand(&self, x: &[f64], hessian: &mut [f64]) {
        let n = self.n;
        let dot = |row: &[f64]| row.iter().zip(x).map(|(a, x)| a * x).sum::<f64>();
        let mut p: Vec<f64> = self.a.chunks(n).map(|row| dot(row).exp()).collect();
        let total: f64 = p.iter().sum();
        p.iter_mut().for_each(|p| *p /= total);
        let mut mean = vec![0.0; n];
        hessian.fill(0.0);
        for (row, &p) in self.a.chunks(n).zip(&p) {
            for (i, &a) in row.iter().enumerate() {
                let weight = p * a;
                mean[i] += weight;
                for (slot, &b) in hessian[i * n..][..n].iter_mut().zip(row) {
                    *slot += weight * b;
                }
            }
        }
        for i in 0..n {
            for j in 0..n {
                hessian[i * n + j] -= mean[i] * mean[j];
            }
        }
        for i in 0..n - 1 {
            let (sin, cos) = (x[i] * x[i + 1]).sin_cos();
            hessian[i * n + i] -= sin * x[i + 1] * x[i + 1];
            hessian[(i + 1) * n + i + 1] -= sin * x[i] * x[i];
            let mixed = cos - sin * x[i] * x[i + 1];
            hessian[i * n + i + 1] += mixed;
            hessian[(i + 1) * n + i] += mixed;
        }
    }
}

/// A network n-h-h-1 with tanh on one sample.
fn network(n: usize, h: usize) -> (Function, Vec<f64>) {
    let mut random = Random(3);
    let count = (n + 1) * h + (h + 1) * h + h + 1;
    let parameters: Vec<f64> = random.many(count).iter().map(|p| 0.4 * p).collect();
    let sample = random.many(n);
    let f = Function::record(|r| {
        let all = r.inputs(&parameters);
        let mut left = &all[..];
        let mut take = |count: usize| {
            let (taken, rest) = left.split_at(count);
            left = rest;
            taken
        };
        let (w, b) = (take(n * h), take(h));
        let first: Vec<_> = (0..h)
            .map(|i| {
                (0..n)
                    .fold(b[i], |sum, j| sum + w[i * n + j] * sample[j])
                    .tanh()
            })
            .collect();
        let (w, b) = (take(h * h), take(h));
        let second: Vec<_> = (0..h)
            .map(|i| {
                (0..h)
                    .fold(b[i], |sum, j| sum + w[i * h + j] * first[j])
                    .tanh()
            })
            .collect();
        let (w, b) = (take(h), take(1));
        (0..h).fold(b[0], |sum, j| sum + w[j] * second[j]).square()
    });
    (f, parameters)
}

/// Times of the gradient and of a product with the Hessian.
fn product_in_gradients(name: &str, f: &Function, x: &[f64]) {
    let v = Random(11).many(x.len());
    let mut gradient = vec![0.0; x.len()];
    let (mut first, mut product) = (vec![0.0; x.len()], vec![0.0; x.len()]);
    let (mut one, mut other) = (Workspace::new(), Workspace::new());
    let [once, twice] = alternate([
        &mut || {
            black_box(f.value_and_gradient_into(black_box(x), &mut gradient, &mut one)).unwrap();
        },
        &mut || {
            let out = (&mut first[..], &mut product[..]);
            black_box(f.hvp_into(black_box(x), &v, out.0, out.1, &mut other)).unwrap();
        },
    ]);
    println!(
        "{name:<28} gradient {:>9.2} µs, hvp {:>5.2} gradients",
        once / 1e3,
        twice / once
    );
}

fn hessians() {
    for n in [10, 30, 100] {
        let coupled = Coupled::new(n);
        let x = Random(5).many(n);
        let f = Function::record(|r| coupled.on(&r.inputs(&x)));
        product_in_gradients(&format!("P6, d = {n}"), &f, &x);
        let (mut by_hand, mut found) = (vec![0.0; n * n], vec![0.0; n * n]);
        let mut workspace = Workspace::new();
        let [hand, engine] = alternate([
            &mut || coupled.hessian_by_hand(black_box(&x), black_box(&mut by_hand)),
            &mut || {
                f.hessian_into(black_box(&x), &mut found, &mut workspace)
                    .unwrap();
            },
        ]);
        for (a, b) in by_hand.iter().zip(&found) {
            assert!((a - b).abs() <= 1e-9 * a.abs().max(1e-3), "{a} {b}");
        }
        println!(
            "{:<28} by hand {:>9.2} µs, × {:>6.2}",
            format!("Hessian P6, d = {n}"),
            hand / 1e3,
            engine / hand
        );
    }
}

/// A function of several outputs.
fn several(x: &[f64], record: impl for<'t> Fn(&[Var<'t>]) -> Vec<Var<'t>>) -> Function {
    let tape = Tape::new();
    let inputs = tape.vars(x);
    tape.function_with_outputs(&inputs, &record(&inputs))
}

/// P7: f_i = sin(Σ a_ij x_j) + x_i x_{i+1}.
fn jacobian() {
    let n = 100;
    let a: Vec<f64> = Random(7).many(n * n).iter().map(|a| a * 0.3).collect();
    let x = Random(5).many(n);
    let f = several(&x, |x| {
        let rows = a.chunks(n).enumerate();
        rows.map(|(i, row)| {
            let angle = row
                .iter()
                .zip(x)
                .fold(Var::from(0.0), |sum, (a, x)| sum + *x * *a);
            angle.sin() + x[i] * x[(i + 1) % n]
        })
        .collect()
    });
    let (mut by_hand, mut found) = (vec![0.0; n * n], vec![0.0; n * n]);
    let mut workspace = Workspace::new();
    let [hand, engine] = alternate([
        &mut || {
            let x = black_box(&x);
            for (i, row) in a.chunks(n).enumerate() {
                let angle: f64 = row.iter().zip(x).map(|(a, x)| a * x).sum();
                let cos = angle.cos();
                let out = &mut by_hand[i * n..][..n];
                for (slot, a) in out.iter_mut().zip(row) {
                    *slot = cos * a;
                }
                out[i] += x[(i + 1) % n];
                out[(i + 1) % n] += x[i];
            }
            black_box(&by_hand);
        },
        &mut || {
            f.jacobian_into(black_box(&x), &mut found, &mut workspace)
                .unwrap();
        },
    ]);
    for (a, b) in by_hand.iter().zip(&found) {
        assert!((a - b).abs() <= 1e-9 * a.abs().max(1e-3), "{a} {b}");
    }
    println!(
        "{:<28} by hand {:>9.2} µs, × {:>6.2}",
        "Jacobian P7",
        hand / 1e3,
        engine / hand
    );
}

fn pair<T: Real>(x: &[T]) -> [T; 2] {
    let shared = x.iter().fold(T::from(0.1), |sum, x| sum * *x + x.sin());
    [shared.tanh() * x[0], (shared * x[1]).exp()]
}

/// Values and Jacobian of two outputs, beside value and gradient of each by itself.
fn two_outputs() {
    let x = Random(5).many(15);
    let both = several(&x, |x| pair(x).to_vec());
    let apart = [0, 1].map(|i| Function::record(|r| pair(&r.inputs(&x))[i]));
    let (mut jacobian, mut gradient) = (vec![0.0; 30], vec![0.0; 15]);
    let mut values = [0.0; 2];
    let mut workspaces = [Workspace::new(), Workspace::new(), Workspace::new()];
    let [one, two, three] = &mut workspaces;
    let [two_functions, engine] = alternate([
        &mut || {
            for (f, workspace) in apart.iter().zip([&mut *one, &mut *two]) {
                black_box(f.value_and_gradient_into(black_box(&x), &mut gradient, workspace))
                    .unwrap();
            }
        },
        &mut || {
            both.values_and_jacobian_into(black_box(&x), &mut values, &mut jacobian, three)
                .unwrap();
        },
    ]);
    println!(
        "{:<28} {:>9.0} ns, × {:>6.2}",
        "2 outputs of 15 inputs",
        engine,
        engine / two_functions
    );
}

fn main() {
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    hessians();
    for (n, h) in [(10, 19), (64, 64)] {
        let (f, x) = network(n, h);
        product_in_gradients(&format!("network of {}", x.len()), &f, &x);
    }
    jacobian();
    two_outputs();
}
