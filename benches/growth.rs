//! How does the time for a node grow with the size of the tape? From 10³ to 10⁷
//! nodes: recording on a tape that has its memory, the forward sweep, the reverse
//! sweep, and the sweep of a tape on which the same is recorded again and again. Writes `docs/growth.svg`, with the sizes of the caches marked.
#![allow(clippy::print_stdout, reason = "a bench prints what it measured")]

mod plot;
mod timing;

use chainrule::{Tape, Var};
use plot::{Curve, Frame};
use std::fs;
use std::hint::black_box;
use timing::median;

/// What a node occupies in all columns, adjoint included, for the mixture
/// recorded here: 16 bytes, 8 for its adjoint, and 8 for each fourth's constant.
const BYTES: f64 = 26.0;

/// Half of the operands lie directly before, half far away.
fn record<'t>(tape: &'t Tape, nodes: usize) -> Var<'t> {
    let x = tape.vars(&[0.9, 1.1, 0.7, 1.3]);
    let mut t = x[0];
    let mut i = 0;
    while tape.len() < nodes {
        t *= x[i % 4];
        t += x[(i + 1) % 4];
        t *= 0.3;
        t -= x[(i + 2) % 4];
        i += 1;
    }
    t
}

fn main() {
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let names = ["record", "forward", "reverse", "again"];
    let mut curves = names.map(|name| Curve {
        name: name.to_owned(),
        points: Vec::new(),
    });
    println!(
        "{:>10}{:>10}{:>10}{:>10}{:>10}  ns per node",
        "nodes", names[0], names[1], names[2], names[3]
    );
    for power in 3..7 {
        for factor in [1.0, 1.8, 3.2, 5.6] {
            measure((factor * 10_f64.powi(power)) as usize, &mut curves);
        }
    }
    measure(10_000_000, &mut curves);
    let frame = Frame {
        x: "nodes",
        y: "ns per node",
        marks: &plot::caches()
            .map(|(bytes, name)| (bytes / BYTES, name))
            .collect::<Vec<_>>(),
    };
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/growth.svg");
    fs::write(path, plot::svg(&curves, &frame)).expect("docs/growth.svg");
}

fn measure(nodes: usize, curves: &mut [Curve; 4]) {
    let mut tape = Tape::with_capacity(nodes + 4);
    record(&tape, nodes);
    let recorded = median(|| {
        tape.clear();
        black_box(record(&tape, nodes));
    });
    tape.clear();
    let output = record(&tape, nodes);
    let mut buffer = Vec::new();
    let mut sweep = |weight: f64| {
        let adjoints = tape.backward_with(&[(output, weight)], std::mem::take(&mut buffer));
        buffer = black_box(adjoints).into_buffer();
    };
    // Of another weight than 1 it is not known whether it is the same.
    let reverse = median(|| sweep(2.0));
    (0..20).for_each(|_| sweep(1.0));
    let again = median(|| sweep(1.0));
    let forward = median(|| tape.forward());
    let times = [recorded, forward, reverse, again].map(|time| time / nodes as f64);
    let [recorded, forward, reverse, again] = times;
    println!("{nodes:>10}{recorded:>10.2}{forward:>10.2}{reverse:>10.2}{again:>10.2}");
    for (curve, time) in curves.iter_mut().zip(times) {
        curve.points.push((nodes as f64, time));
    }
}
