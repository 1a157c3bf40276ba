//! Runs one workload so many times, for a tool that counts instructions.
//!
//! ```sh
//! chainrule-counts W1/recorded 20
//! ```
//!
//! runs W1, recorded and swept anew, 20 times. Without arguments it lists the workloads.
//! `benches/counts/run` counts all of them and compares them with `benches/counts/expected.txt`.

#![allow(clippy::print_stdout, reason = "it lists the workloads")]

#[path = "../../workloads/mod.rs"]
#[allow(dead_code, reason = "the benches need more of it")]
mod workloads;

use chainrule::{Function, Real, Tape, Var, Workspace};
use std::env;
use std::hint::black_box;
use std::process::ExitCode;
use workloads::{Random, Workload, rosenbrock};

/// What is done in one round.
type Round = Box<dyn FnMut()>;

/// A way to run something: how it is called, and what it makes of the data.
struct Way {
    name: String,
    prepare: Box<dyn Fn() -> Round>,
}

impl Way {
    fn new(name: &str, prepare: impl Fn() -> Round + 'static) -> Self {
        let (name, prepare) = (name.to_owned(), Box::new(prepare));
        Self { name, prepare }
    }
}

/// Recorded and swept on a tape that is cleared.
fn recorded(workload: Workload) -> Round {
    let (mut tape, mut buffer) = (Tape::new(), Vec::new());
    Box::new(move || {
        tape.clear();
        let output = (workload.record)(&tape);
        let adjoints = tape.backward_with(&[(output, 1.0)], std::mem::take(&mut buffer));
        buffer = black_box(adjoints.into_buffer());
    })
}

/// A tape's values and adjoints at its own point, again and again.
fn replayed(workload: &Workload) -> Round {
    let tape = Tape::new();
    let output = (workload.record)(&tape).id().expect("a node");
    let mut buffer = Vec::new();
    Box::new(move || {
        tape.forward();
        let output = tape.at(output);
        let adjoints = tape.backward_with(&[(output, 1.0)], std::mem::take(&mut buffer));
        buffer = black_box(adjoints.into_buffer());
    })
}

/// The function of a workload, and its point.
fn function(workload: &Workload) -> (Function, Vec<f64>) {
    let tape = Tape::new();
    let output = (workload.record)(&tape);
    let ids: Vec<_> = tape.nodes().take(workload.inputs).map(|n| n.id).collect();
    let inputs: Vec<Var<'_>> = ids.iter().map(|&id| tape.at(id)).collect();
    let point = inputs.iter().map(|x| x.value()).collect();
    (tape.function(&inputs, output), point)
}

/// Value and gradient of a function.
fn evaluated(workload: &Workload) -> Round {
    let (f, point) = function(workload);
    let (mut gradient, mut workspace) = (vec![0.0; point.len()], Workspace::new());
    Box::new(move || {
        let value = f.value_and_gradient_into(black_box(&point), &mut gradient, &mut workspace);
        black_box(value.expect("no comparison was made"));
    })
}

/// Recorded and frozen.
fn frozen(workload: Workload) -> Round {
    Box::new(move || {
        black_box(function(&workload));
    })
}

/// Value and gradient of logistic regression over rows.
fn over_rows(rows: usize, features: usize) -> Round {
    let mut random = Random(3);
    let columns: Vec<Vec<f64>> = (0..=features).map(|_| random.many(rows)).collect();
    let f = Function::record(|r| {
        let (w, b) = (r.inputs(&vec![0.0; features]), r.input("b", 0.0));
        let x: Vec<Var<'_>> = (0..features)
            .map(|i| r.column(&format!("x{i}"), 0.0))
            .collect();
        let y = r.column("y", 0.0);
        let z = w.iter().zip(&x).fold(b, |z, (w, x)| z + *w * *x);
        z.softplus() - y * z
    });
    let (point, mut workspace) = (random.many(features + 1), Workspace::new());
    let mut gradient = vec![0.0; features + 1];
    Box::new(move || {
        let slices: Vec<&[f64]> = columns.iter().map(|column| &column[..]).collect();
        let rows = f.rows(&slices).expect("columns of one length");
        let value = rows.value_and_gradient_into(&point, &mut gradient, &mut workspace);
        black_box(value.expect("no comparison was made"));
    })
}

/// ln Σ exp(A x) + Σ sin(xᵢ xᵢ₊₁).
fn coupled<T: Real>(x: &[T]) -> T {
    let n = x.len();
    let mut random = Random(7);
    let forms: Vec<T> = (0..n)
        .map(|_| {
            x.iter()
                .fold(T::from(0.0), |sum, x| sum + *x * random.next())
        })
        .collect();
    let waves = x
        .windows(2)
        .fold(T::from(0.0), |sum, pair| sum + (pair[0] * pair[1]).sin());
    T::log_sum_exp(&forms) + waves
}

/// A Hessian–vector product of `coupled`.
fn second_order(n: usize) -> Round {
    let mut random = Random(9);
    let (point, direction) = (random.many(n), random.many(n));
    let f = Function::record(|r| coupled(&r.inputs(&point)));
    let (mut gradient, mut product) = (vec![0.0; n], vec![0.0; n]);
    let mut workspace = Workspace::new();
    Box::new(move || {
        let (gradient, product) = (&mut gradient[..], &mut product[..]);
        let done = f.hvp_into(&point, &direction, gradient, product, &mut workspace);
        black_box(done).expect("no comparison was made");
    })
}

fn ways() -> Vec<Way> {
    let small = || workloads::all(true);
    let mut ways = Vec::new();
    for (i, workload) in small().iter().enumerate() {
        let nth = move || small().swap_remove(i);
        let name = workload.name.replace(' ', "-");
        ways.push(Way::new(&format!("{name}/recorded"), move || {
            recorded(nth())
        }));
        ways.push(Way::new(&format!("{name}/replayed"), move || {
            replayed(&nth())
        }));
        ways.push(Way::new(&format!("{name}/function"), move || {
            evaluated(&nth())
        }));
        ways.push(Way::new(&format!("{name}/frozen"), move || frozen(nth())));
    }
    ways.push(Way::new("rows/4", || over_rows(3_000, 4)));
    ways.push(Way::new("rows/30", || over_rows(1_000, 30)));
    ways.push(Way::new("hvp/30", || second_order(30)));
    let long = || rosenbrock::rosenbrock("W4", 10_000);
    ways.push(Way::new("W4-10000/recorded", move || recorded(long())));
    ways.push(Way::new("W4-10000/function", move || evaluated(&long())));
    ways
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let found = match &arguments[..] {
        [name, rounds] => ways()
            .into_iter()
            .find(|way| way.name == *name)
            .zip(rounds.parse().ok()),
        _ => None,
    };
    let Some((way, rounds)): Option<(Way, usize)> = found else {
        let names: Vec<String> = ways().into_iter().map(|way| way.name).collect();
        println!("{}", names.join("\n"));
        return ExitCode::from(u8::from(!arguments.is_empty()));
    };
    let mut round = (way.prepare)();
    (0..rounds).for_each(|_| round());
    ExitCode::SUCCESS
}
