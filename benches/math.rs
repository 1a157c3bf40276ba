//! How fast are the kernels of `math` against `std`, one by one and in a loop
//! that vectorises, and how accurate?
//!
//! `cargo bench --workspace --bench math` prints nanoseconds and ratios. With `--values OP`
//! the bench reads arguments as little-endian `f64` from standard input and
//! writes the values to standard output: `tests/golden/worst.py` uses this to
//! find the worst error in ulp.
#![allow(clippy::print_stdout, reason = "a bench prints what it measured")]

use chainrule::{Op, Real};
use std::hint::black_box;
use std::io::{self, Read, Write};
use std::time::Instant;

const COUNT: usize = 4096;
const REPEATS: usize = 400;

type Function = fn(f64) -> f64;

/// Name, the crate's function, the standard library's, and the interval.
fn functions() -> Vec<(&'static str, Function, Function, (f64, f64))> {
    vec![
        ("exp", <f64 as Real>::exp, f64::exp, (-20.0, 20.0)),
        ("exp_m1", <f64 as Real>::exp_m1, f64::exp_m1, (-20.0, 20.0)),
        ("ln", <f64 as Real>::ln, f64::ln, (1e-3, 1e3)),
        ("ln_1p", <f64 as Real>::ln_1p, f64::ln_1p, (-0.9, 1e3)),
        ("sin", <f64 as Real>::sin, f64::sin, (-100.0, 100.0)),
        ("cos", <f64 as Real>::cos, f64::cos, (-100.0, 100.0)),
        ("tanh", <f64 as Real>::tanh, f64::tanh, (-5.0, 5.0)),
        ("sech", <f64 as Real>::sech, |x| 1.0 / x.cosh(), (-5.0, 5.0)),
        (
            "sigmoid",
            <f64 as Real>::sigmoid,
            |x| 1.0 / (1.0 + (-x).exp()),
            (-20.0, 20.0),
        ),
        (
            "softplus",
            <f64 as Real>::softplus,
            |x| x.exp().ln_1p(),
            (-20.0, 20.0),
        ),
        (
            "log_sigmoid",
            <f64 as Real>::log_sigmoid,
            |x| -(-x).exp().ln_1p(),
            (-20.0, 20.0),
        ),
    ]
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.iter().position(|argument| argument == "--values") {
        Some(at) => values(&arguments[at + 1]).expect("standard input and output"),
        None if arguments.iter().any(|argument| argument == "--test") => {}
        None => speed(),
    }
}

fn values(name: &str) -> io::Result<()> {
    let op = Op::ALL
        .iter()
        .find(|op| op.name() == name)
        .expect("the name of an operation");
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    for chunk in bytes.chunks_exact_mut(8) {
        let x = f64::from_le_bytes(chunk.try_into().expect("8 bytes"));
        chunk.copy_from_slice(&f64::unary(*op, x).to_le_bytes());
    }
    io::stdout().lock().write_all(&bytes)
}

/// Median nanoseconds for one element.
fn time(mut run: impl FnMut(&[f64], &mut [f64]), x: &[f64]) -> f64 {
    let mut y = vec![0.0; x.len()];
    let mut times: Vec<f64> = (0..REPEATS)
        .map(|_| {
            let start = Instant::now();
            run(black_box(x), &mut y);
            black_box(&y);
            start.elapsed().as_nanos() as f64 / x.len() as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[REPEATS / 2]
}

/// Each call waits for the one before.
fn chained(f: Function) -> impl FnMut(&[f64], &mut [f64]) {
    move |x, y| {
        let mut last = 0.0;
        for (x, y) in x.iter().zip(y) {
            last = black_box(f)(x + last * 1e-300);
            *y = last;
        }
    }
}

/// The crate's functions in a loop that the compiler may vectorise.
fn looped(name: &str) -> impl FnMut(&[f64], &mut [f64]) + use<> {
    let op = *Op::ALL
        .iter()
        .find(|op| op.name() == name)
        .expect("the name of an operation");
    move |x, y| match op {
        Op::Exp => each(x, y, <f64 as Real>::exp),
        Op::ExpM1 => each(x, y, <f64 as Real>::exp_m1),
        Op::Ln => each(x, y, <f64 as Real>::ln),
        Op::Ln1p => each(x, y, <f64 as Real>::ln_1p),
        Op::Sin => each(x, y, <f64 as Real>::sin),
        Op::Cos => each(x, y, <f64 as Real>::cos),
        Op::Tanh => each(x, y, <f64 as Real>::tanh),
        Op::Sech => each(x, y, <f64 as Real>::sech),
        Op::Sigmoid => each(x, y, <f64 as Real>::sigmoid),
        Op::Softplus => each(x, y, <f64 as Real>::softplus),
        _ => each(x, y, <f64 as Real>::log_sigmoid),
    }
}

#[inline(always)]
fn each(x: &[f64], y: &mut [f64], f: impl Fn(f64) -> f64) {
    for (x, y) in x.iter().zip(y) {
        *y = f(*x);
    }
}

fn speed() {
    println!("ns per value             in a loop                 one after another");
    println!("                    std   crate   ratio       std   crate   ratio");
    for (name, ours, std, (low, high)) in functions() {
        let x: Vec<f64> = (0..COUNT)
            .map(|i| low + (high - low) * ((i * 2654435761) % COUNT) as f64 / COUNT as f64)
            .collect();
        let (s, c) = (time(|x, y| each(x, y, std), &x), time(looped(name), &x));
        let (ss, cc) = (time(chained(std), &x), time(chained(ours), &x));
        println!(
            "{name:<15}{s:>8.2}{c:>8.2}{:>8.2}  {ss:>8.2}{cc:>8.2}{:>8.2}",
            s / c,
            ss / cc
        );
    }
}
