//! How long does a backward pass take, and a whole gradient? The workloads W1 to
//! W5: the sweep alone into a buffer used again; recording and sweep; replay in
//! place; and a `Function`, beside the hand-written value and gradient.
#![allow(clippy::print_stdout, reason = "a bench prints what it measured")]

mod workloads;

use chainrule::{Tape, Var, Workspace};
use criterion::Criterion;
use std::hint::black_box;
use workloads::{Workload, all, alternate, check};

/// Sweeps into the buffer and gives it back.
fn sweep(tape: &Tape, output: Var<'_>, buffer: &mut Vec<f64>) {
    let taken = std::mem::take(buffer);
    *buffer = tape.backward_with(&[(output, 1.0)], taken).into_buffer();
    black_box(buffer);
}

fn main() {
    let test = std::env::args().any(|argument| argument == "--test");
    let mut criterion = Criterion::default().configure_from_args().sample_size(20);
    let mut lines = Vec::new();
    for mut workload in all(test) {
        check(&mut workload);
        let tape = Tape::new();
        let output = (workload.record)(&tape);
        let mut buffer = Vec::new();
        let mut gradient = vec![0.0; workload.inputs];
        let mut group = criterion.benchmark_group(format!("backward {}", workload.name));
        group.bench_function("by hand, with value", |bencher| {
            bencher.iter(|| (workload.by_hand)(black_box(&mut gradient)));
        });
        group.bench_function("chainrule", |bencher| {
            bencher.iter(|| sweep(&tape, output, &mut buffer));
        });
        group.finish();
        if !test {
            lines.push(line(&mut workload));
        }
    }
    println!("\nmedians in ns; × is to the hand-written value and gradient");
    println!(
        "{:<12}{:>9}{:>14}{:>10}{:>10}{:>7}{:>14}{:>7}{:>14}{:>7}{:>10}{:>7}",
        "",
        "nodes",
        "sweep/node",
        "by hand",
        "sweep",
        "×",
        "record+sweep",
        "×",
        "replay+sweep",
        "×",
        "function",
        "×"
    );
    lines.iter().for_each(|line| println!("{line}"));
    criterion.final_summary();
}

/// Times all in turn in this process.
fn line(workload: &mut Workload) -> String {
    let tape = Tape::new();
    let output = (workload.record)(&tape);
    // What is recorded again, or evaluated again, is swept by pullbacks at last.
    let (mut again, in_place) = (Tape::new(), Tape::new());
    let output_in_place = (workload.record)(&in_place);
    let mut gradient = vec![0.0; workload.inputs];
    let [mut one, mut two, mut three] = [const { Vec::new() }; 3];
    let inputs: Vec<Var<'_>> = (tape.nodes().take(workload.inputs))
        .map(|node| tape.at(node.id))
        .collect();
    let at: Vec<f64> = inputs.iter().map(|input| input.value()).collect();
    let function = tape.function(&inputs, output);
    let mut workspace = Workspace::new();
    let mut found = vec![0.0; workload.inputs];
    let [by_hand, swept, recorded, replayed, evaluated] = alternate([
        &mut || _ = black_box((workload.by_hand)(&mut gradient)),
        &mut || sweep(&tape, output, &mut one),
        &mut || {
            again.clear();
            let output = (workload.record)(&again);
            sweep(&again, output, &mut two);
        },
        &mut || {
            in_place.forward();
            sweep(&in_place, output_in_place, &mut three);
        },
        &mut || {
            let value = function.value_and_gradient_into(&at, &mut found, &mut workspace);
            black_box(value).expect("a point");
        },
    ]);
    let (nodes, units) = (tape.len() as f64, workload.units as f64);
    format!(
        "{:<12}{nodes:>9}{:>14.2}{:>10.2}{:>10.2}{:>7.2}{:>14.2}{:>7.2}{:>14.2}{:>7.2}{:>10.2}{:>7.2}  per {}",
        workload.name,
        swept / nodes,
        by_hand / units,
        swept / units,
        swept / by_hand,
        recorded / units,
        recorded / by_hand,
        replayed / units,
        replayed / by_hand,
        evaluated / units,
        evaluated / by_hand,
        workload.unit,
    )
}
