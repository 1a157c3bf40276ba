//! How long does recording take? The workloads W1 to W5, on a tape used again,
//! beside the hand-written value and gradient.
#![allow(clippy::print_stdout, reason = "a bench prints what it measured")]

mod workloads;

use chainrule::Tape;
use criterion::Criterion;
use std::hint::black_box;
use workloads::{all, alternate, check};

fn main() {
    let test = std::env::args().any(|argument| argument == "--test");
    let mut criterion = Criterion::default().configure_from_args().sample_size(20);
    let mut lines = Vec::new();
    for mut workload in all(test) {
        check(&mut workload);
        let mut tape = Tape::new();
        (workload.record)(&tape);
        let nodes = tape.len();
        let mut gradient = vec![0.0; workload.inputs];
        let mut group = criterion.benchmark_group(format!("record {}", workload.name));
        group.bench_function("by hand, with gradient", |bencher| {
            bencher.iter(|| (workload.by_hand)(black_box(&mut gradient)));
        });
        group.bench_function("chainrule", |bencher| {
            bencher.iter(|| {
                tape.clear();
                black_box((workload.record)(&tape));
            });
        });
        group.finish();
        if test {
            continue;
        }
        let [by_hand, record] = alternate([
            &mut || _ = black_box((workload.by_hand)(&mut gradient)),
            &mut || {
                tape.clear();
                black_box((workload.record)(&tape));
            },
        ]);
        lines.push(format!(
            "{:<12}{nodes:>9}{:>9.2}{:>12.2} per {:<7}{:>10.2}{:>9.2}",
            workload.name,
            record / nodes as f64,
            record / workload.units as f64,
            workload.unit,
            by_hand / workload.units as f64,
            record / by_hand,
        ));
    }
    println!("\nrecording, medians in ns; × is to the hand-written value and gradient");
    println!("                nodes  ns/node      record               by hand        ×");
    lines.iter().for_each(|line| println!("{line}"));
    criterion.final_summary();
}
