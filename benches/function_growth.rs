//! What does freezing cost, and how does a `Function` grow with its graph? From 10
//! to 10⁶ nodes: nanoseconds a node for freezing, for value and gradient at one
//! point, and for value and gradient of a row among many. Draws `docs/function.svg`;
//! then the freezing of the workloads, and what a turn of a loop takes.
#![allow(clippy::print_stdout, reason = "a bench prints what it measured")]

mod plot;
mod timing;
#[allow(dead_code, reason = "only what is recorded is used here")]
mod workloads;

use chainrule::{Tape, Var, Workspace};
use plot::{Curve, Frame};
use std::fs;
use std::hint::black_box;
use timing::median;
use workloads::Workload;

/// Rows for a graph of 10³ nodes; fewer for larger ones, but whole blocks.
const ROWS: usize = 6_400;
/// What a node of the graph recorded here occupies at one point, adjoint included.
const BYTES: f64 = 26.0;

const NAMES: [&str; 3] = ["freeze", "one point", "a row of many"];

fn main() {
    let test = std::env::args().any(|argument| argument == "--test");
    let powers = if test { 1..3 } else { 1..6 };
    let mut curves = NAMES.map(|name| Curve {
        name: name.to_owned(),
        points: Vec::new(),
    });
    println!(
        "{:>10}{:>15}{:>15}{:>15}  ns a node",
        "nodes", NAMES[0], NAMES[1], NAMES[2]
    );
    for power in powers {
        for factor in [1.0, 3.2] {
            measure((factor * 10_f64.powi(power)) as usize, &mut curves);
        }
    }
    if test {
        return;
    }
    measure(1_000_000, &mut curves);
    let frame = Frame {
        x: "nodes",
        y: "ns per node",
        marks: &plot::caches()
            .map(|(bytes, name)| (bytes / BYTES, name))
            .collect::<Vec<_>>(),
    };
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/function.svg");
    fs::write(path, plot::svg(&curves, &frame)).expect("docs/function.svg");
    println!("\nfreezing the workloads, ns a recorded node");
    for workload in workloads::all(false) {
        let tape = Tape::new();
        let output = (workload.record)(&tape);
        let inputs = inputs(&tape, &workload);
        let time = median(|| drop(black_box(tape.function(&inputs, output))));
        println!(
            "{:>12}{:>10}{:>8.1}",
            workload.name,
            tape.len(),
            time / tape.len() as f64
        );
    }
    println!("\nvalue and gradient, ns a turn of a loop");
    println!(
        "{:>12}{:>10}{:>12}{:>12}",
        "", "turns", "by sweeps", "by blocks"
    );
    for turns in [17, 33, 100, 1_000, 10_000, 100_000] {
        measure_loop(&workloads::logistic::scalar("W1", turns), turns);
        measure_loop(&workloads::rosenbrock::rosenbrock("W4", turns + 1), turns);
    }
}

/// The inputs of a workload, which are the first nodes of its recording.
fn inputs<'t>(tape: &'t Tape, workload: &Workload) -> Vec<Var<'t>> {
    let first = tape.nodes().take(workload.inputs);
    first.map(|node| tape.at(node.id)).collect()
}

/// A workload whose recording is a loop, as it was recorded and as it is evaluated.
fn measure_loop(workload: &Workload, turns: usize) {
    let tape = Tape::new();
    let output = (workload.record)(&tape);
    let inputs = inputs(&tape, workload);
    let point: Vec<f64> = inputs.iter().map(|input| input.value()).collect();
    let (mut gradient, mut workspace) = (vec![0.0; point.len()], Workspace::new());
    let freeze = || tape.freeze(&inputs).output(output);
    let functions = [freeze().as_recorded().function(), freeze().function()];
    let times = functions.map(|f| {
        let time = median(|| {
            let value = f.value_and_gradient_into(&point, &mut gradient, &mut workspace);
            black_box(value).expect("as many as there are inputs");
        });
        time / turns as f64
    });
    println!(
        "{:>12}{turns:>10}{:>12.1}{:>12.1}",
        workload.name, times[0], times[1]
    );
}

/// The operations of a chain, each on what is before it and an input: no sums of
/// products that a pass could put together.
fn record<'t>(inputs: &[Var<'t>; 4], nodes: usize) -> Var<'t> {
    let mut t = inputs[0];
    for i in 0..nodes.saturating_sub(4).div_ceil(4) {
        t *= inputs[i % 4];
        t += inputs[(i + 1) % 4];
        t *= 0.3;
        t -= inputs[(i + 2) % 4];
    }
    t
}

fn measure(nodes: usize, curves: &mut [Curve; 3]) {
    let tape = Tape::new();
    let inputs = [0.9, 1.1, 0.7, 1.3].map(|x| tape.var(x));
    let output = record(&inputs, nodes);
    let function = tape.function(&inputs, output);
    let (mut gradient, mut workspace) = (vec![0.0; 4], Workspace::new());
    let freeze = median(|| drop(black_box(tape.function(&inputs, output))));
    let point = [0.9, 1.1, 0.7, 1.3];
    let one = median(|| {
        let value = function.value_and_gradient_into(&point, &mut gradient, &mut workspace);
        black_box(value).expect("four inputs");
    });
    let over = Tape::new();
    let inputs = [
        over.var(0.9),
        over.column(1.1),
        over.var(0.7),
        over.column(1.3),
    ];
    let output = record(&inputs, nodes);
    let function = over.function(&inputs, output);
    let blocks = (ROWS * 1_000 / nodes / 64).clamp(2, 100);
    let column: Vec<f64> = (0..blocks * 64)
        .map(|row| 1.0 + (row % 7) as f64 / 70.0)
        .collect();
    let rows = function.rows(&[&column, &column]).expect("two columns");
    let many = median(|| {
        let value = rows.value_and_gradient_into(&point[..2], &mut gradient[..2], &mut workspace);
        black_box(value).expect("two parameters");
    });
    let times = [freeze, one, many / column.len() as f64].map(|time| time / nodes as f64);
    println!(
        "{nodes:>10}{:>15.2}{:>15.2}{:>15.3}",
        times[0], times[1], times[2]
    );
    for (curve, time) in curves.iter_mut().zip(times) {
        curve.points.push((nodes as f64, time));
    }
}
