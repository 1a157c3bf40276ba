//! Times W1 to W5 for chainrule, the hand-written loop and other Rust crates:
//! in one process, one after another and again, each gradient checked first.
//! Writes the table into `docs/benchmarks.md`; with the name of a workload, or
//! of a workload and a run, as arguments it times only those and writes nothing.

mod memory;
mod num;
mod report;
mod workloads;

use chainrule::{Function, Tape, Workspace};
use num::Petite;
use std::cell::RefCell;
use std::hint::black_box;
use std::rc::Rc;
use std::time::Instant;
use workloads::{Chain, Logistic, Network, Rosenbrock, Row, Workload};

/// A way to compute a gradient into a buffer.
struct Run<'a> {
    name: &'static str,
    gradient: Box<dyn FnMut(&mut [f64]) + 'a>,
}

fn run<'a>(name: &'static str, gradient: impl FnMut(&mut [f64]) + 'a) -> Run<'a> {
    Run {
        name,
        gradient: Box::new(gradient),
    }
}

/// Recording and sweep at each evaluation.
fn recording<W: Workload>(workload: &W) -> Vec<Run<'_>> {
    let (mut tape, mut buffer) = (Tape::new(), Vec::new());
    let mut xad = xad_rs::Tape::<f64>::new(false);
    let other = reverse::Tape::new();
    vec![
        run("chainrule", move |gradient| {
            tape.clear();
            workload.record_and_sweep(&tape, &mut buffer, gradient);
        }),
        run("xad-rs", move |gradient| {
            let inputs = workload.inputs();
            let (_, found) =
                xad_rs::compute_gradient_rev_with(&mut xad, inputs, |x| workload.run(x));
            gradient.copy_from_slice(&found);
        }),
        run("echidna", move |gradient| {
            let found = echidna::grad(|x| workload.run(x), workload.inputs());
            gradient.copy_from_slice(&found);
        }),
        run("reverse", move |gradient| {
            other.clear();
            let inputs = other.add_vars(workload.inputs());
            let found = workload.run(&inputs).grad();
            gradient.copy_from_slice(&reverse::Gradient::wrt(&found, &inputs));
        }),
    ]
}

/// Recorded once, evaluated again.
fn replaying<W: Workload>(workload: &W) -> Vec<Run<'_>> {
    let tape: &'static Tape = Tape::leak();
    let inputs = tape.vars(workload.inputs());
    let output = workload.run(&inputs);
    let (function, mut workspace) = (tape.function(&inputs, output), Workspace::new());
    let mut buffer = Vec::new();
    let (mut bytecode, _) = echidna::record(|x| workload.run(x), workload.inputs());
    let mut adjoints = Vec::new();
    let mut runs = vec![
        run("chainrule, replayed", move |gradient| {
            for (input, value) in inputs.iter().zip(workload.inputs()) {
                tape.set(*input, *value);
            }
            tape.forward();
            let found = tape.backward_with(&[(output, 1.0)], std::mem::take(&mut buffer));
            buffer = found.into_buffer();
            gradient.copy_from_slice(&buffer[..gradient.len()]);
        }),
        run("chainrule, Function", move |gradient| {
            let value =
                function.value_and_gradient_into(workload.inputs(), gradient, &mut workspace);
            black_box(value.expect("as many inputs as it has"));
        }),
        run("echidna, bytecode", move |gradient| {
            let found = bytecode.gradient_with_buf(workload.inputs(), &mut adjoints);
            gradient.copy_from_slice(&found);
        }),
    ];
    // It evaluates recursively built closures of hundreds of thousands of nodes
    // too slowly to wait for.
    if workload.units() <= 1_000 {
        let graph = Rc::new(RefCell::new(petite_ad::Graph::new(workload.inputs().len())));
        let inputs: Vec<Petite> = (0..workload.inputs().len())
            .map(|i| Petite(graph.clone(), graph.borrow().input(i)))
            .collect();
        let output = workload.run(&inputs).1;
        graph
            .borrow_mut()
            .set_output(output)
            .expect("a node of the graph");
        let compiled = graph.borrow().compile();
        let mut workspace = compiled.workspace();
        runs.push(run("petite-ad, tape", move |gradient| {
            let (_, found) = compiled
                .gradient_with_workspace(workload.inputs(), &mut workspace)
                .expect("as many inputs as it has");
            gradient.copy_from_slice(&found);
        }));
    }
    runs
}

/// Recorded for one row, evaluated over all of them.
fn over_rows<'a, W: Workload>(
    workload: &'a W,
    data: &'a Option<(Function, Vec<Vec<f64>>)>,
) -> Option<Run<'a>> {
    let (function, columns) = data.as_ref()?;
    let columns: Vec<&[f64]> = columns.iter().map(|column| &column[..]).collect();
    let rows = function
        .rows(&columns)
        .expect("columns of one length")
        .mean();
    let mut workspace = Workspace::new();
    Some(run("chainrule, rows", move |gradient| {
        let value = rows.value_and_gradient_into(workload.inputs(), gradient, &mut workspace);
        black_box(value.expect("as many parameters as it has"));
    }))
}

/// Medians in nanoseconds, each run in turn, the hand-written first. A run is repeated for
/// a millisecond, so that neither the clock nor the run before it counts, after which its
/// branches are learned again for some 10 µs.
fn alternate(runs: &mut [Run<'_>], inputs: usize) -> Vec<f64> {
    let mut gradient = vec![0.0; inputs];
    let mut once = |run: &mut Run<'_>, batch: usize| {
        let start = Instant::now();
        for _ in 0..batch {
            (run.gradient)(black_box(&mut gradient));
        }
        start.elapsed().as_nanos() as f64 / batch as f64
    };
    let fits = |time: f64| (1_000_000.0 / time).ceil() as usize;
    let batches: Vec<usize> = runs
        .iter_mut()
        .map(|run| {
            let cold = once(run, 1);
            fits(once(run, fits(cold)))
        })
        .collect();
    let mut times = vec![Vec::new(); runs.len()];
    let start = Instant::now();
    while times[0].len() < 7 || (times[0].len() < 301 && start.elapsed().as_secs() < 3) {
        for ((run, times), &batch) in runs.iter_mut().zip(&mut times).zip(&batches) {
            times.push(once(run, batch));
        }
    }
    let median = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    times.into_iter().map(median).collect()
}

fn check(run: &mut Run<'_>, right: &[f64]) {
    let mut found = vec![0.0; right.len()];
    (run.gradient)(&mut found);
    for (i, (a, b)) in found.iter().zip(right).enumerate() {
        let size = a.abs().max(b.abs()).max(1e-3);
        assert!(
            (a - b).abs() <= 1e-9 * size,
            "{}, input {i}: {a} {b}",
            run.name
        );
    }
}

fn measure<W: Workload>(workload: &W, lines: &mut Vec<report::Line>) {
    if std::env::args().nth(1).is_some_and(|only| W::NAME != only) {
        return;
    }
    let mut right = vec![0.0; workload.inputs().len()];
    workload.by_hand(&mut right);
    let mut runs = vec![by_hand(workload)];
    runs.extend(recording(workload));
    runs.extend(replaying(workload));
    time(workload, runs, &right, lines);
    let data = workload.rows();
    if let Some(rows) = over_rows(workload, &data) {
        // By themselves: beside tapes of megabytes the data would come from memory.
        time(workload, vec![by_hand(workload), rows], &right, lines);
    }
}

fn by_hand<W: Workload>(workload: &W) -> Run<'_> {
    run("by hand", |gradient| {
        workload.by_hand(gradient);
    })
}

/// Checks the runs and times them in turn, the one by hand first.
fn time<W: Workload>(
    workload: &W,
    mut runs: Vec<Run<'_>>,
    right: &[f64],
    lines: &mut Vec<report::Line>,
) {
    runs.iter_mut().for_each(|run| check(run, right));
    if let Some(only) = std::env::args().nth(2) {
        runs.retain(|run| run.name == only);
    }
    if runs.is_empty() {
        return;
    }
    let times = alternate(&mut runs, right.len());
    for (run, time) in runs.iter().zip(&times) {
        let line = report::Line {
            workload: W::NAME,
            name: run.name,
            nanoseconds: time / workload.units() as f64,
            times: time / times[0],
        };
        println!("{line}");
        lines.push(line);
    }
}

/// Bytes for each operation of W3 at the peak of a first evaluation, adjoints
/// included.
fn memory() -> Vec<(&'static str, f64)> {
    let workload = Chain::new(1_000_000);
    let mut gradient = vec![0.0; workload.inputs().len()];
    let peak = |mut run: Run<'_>| {
        let bytes = memory::peak(|| (run.gradient)(&mut gradient));
        (run.name, bytes as f64 / workload.units() as f64)
    };
    recording(&workload).into_iter().map(peak).collect()
}

fn main() {
    let memory = memory();
    let mut lines = Vec::new();
    measure(&Logistic::<false>::new(1_000), &mut lines);
    measure(&Logistic::<true>::new(1_000), &mut lines);
    measure(&Row::new(), &mut lines);
    measure(&Chain::new(1_000_000), &mut lines);
    measure(&Rosenbrock::new(100_000), &mut lines);
    measure(&Network::new(100), &mut lines);
    if std::env::args().len() == 1 {
        report::write(&lines, &memory);
    }
}
