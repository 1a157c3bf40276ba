//! How long do value and gradient over many rows take? W1, W1L and W5, recorded
//! for one row and evaluated as a `Function` over all of them, beside the
//! hand-written loop.
#![allow(clippy::print_stdout, reason = "a bench prints what it measured")]

#[allow(
    dead_code,
    reason = "of the workloads only the loops by hand are used here"
)]
mod workloads;

#[path = "workloads/row.rs"]
mod row;

use chainrule::{Column, Rows, Workspace};
use row::{logistic_row, network_row};
use std::hint::black_box;
use workloads::by_hand::{self, PARAMETERS};
use workloads::{Random, alternate};

fn main() {
    let test = std::env::args().any(|argument| argument == "--test");
    let shrink = |n: usize| if test { n / 100 } else { n };
    println!(
        "medians in ns; × is to the hand-written value and gradient; the Hessian in gradients"
    );
    println!(
        "{:<16}{:>8}{:>10}{:>10}{:>8}{:>12}{:>12}",
        "", "rows", "by hand", "rows", "×", "all cores", "Hessian"
    );
    logistic("W1", shrink(1_000));
    logistic("W1L", shrink(100_000));
    network("W5", if test { 2 } else { 100 });
    network("W5L", shrink(10_000));
}

fn logistic(name: &str, rows: usize) {
    const FEATURES: usize = 30;
    let mut random = Random(1);
    let x = random.many(rows * FEATURES);
    let y: Vec<f64> = (0..rows).map(|_| f64::from(random.next() > 0.0)).collect();
    let parameters = random.many(FEATURES + 1);
    let mut columns: Vec<Vec<f64>> = (0..FEATURES)
        .map(|i| x.iter().skip(i).step_by(FEATURES).copied().collect())
        .collect();
    columns.push(y.clone());
    let f = logistic_row(FEATURES);
    let as_they_are: Vec<&[f64]> = columns.iter().map(|column| &column[..]).collect();
    let copies: Vec<Vec<f64>> = columns.iter().map(|column| aligned_copy(column)).collect();
    let aligned = copies.iter().map(|copy| &copy[copy.len() - rows..]);
    let aligned: Vec<&[f64]> = aligned.collect();
    let row_by_row = (0..FEATURES).map(|c| Column::strided(&x[c..], FEATURES));
    let row_by_row: Vec<Column<'_>> = row_by_row.chain([y[..].into()]).collect();
    for (name, rows) in [
        (name.to_owned(), f.rows(&as_they_are)),
        (format!("{name}, aligned"), f.rows(&aligned)),
        (format!("{name}, row by row"), f.rows_from(&row_by_row)),
    ] {
        let rows = rows.expect("columns").mean();
        compare(&name, &rows, &parameters, |gradient| {
            by_hand::logistic(&x, &y, black_box(&parameters), gradient)
        });
    }
}

/// A copy whose numbers begin at a multiple of 64 bytes, after some others.
fn aligned_copy(column: &[f64]) -> Vec<f64> {
    let mut copy = Vec::with_capacity(column.len() + 7);
    let before = (copy.as_ptr() as usize).wrapping_neg() % 64 / size_of::<f64>();
    copy.resize(before, 0.0);
    copy.extend(column);
    copy
}

fn network(name: &str, samples: usize) {
    let mut random = Random(5);
    let parameters: Vec<f64> = random.many(PARAMETERS).iter().map(|p| 0.5 * p).collect();
    let sample = |_| [random.next(), random.next(), random.next()];
    let samples: Vec<[f64; 3]> = (0..samples).map(sample).collect();
    let column = |i: usize| -> Vec<f64> { samples.iter().map(|sample| sample[i]).collect() };
    let columns = [column(0), column(1), column(2)];
    let slices = [&columns[0][..], &columns[1], &columns[2]];
    let f = network_row();
    let rows = f.rows(&slices).expect("columns").mean();
    compare(name, &rows, &parameters, |gradient| {
        by_hand::network(black_box(&parameters), &samples, gradient)
    });
}

/// Checks the two, and times them in turn in this process.
fn compare(
    name: &str,
    rows: &Rows<'_, '_>,
    parameters: &[f64],
    mut by_hand: impl FnMut(&mut [f64]) -> f64,
) {
    let [mut expected, mut found] = [const { Vec::new() }; 2].map(|mut v: Vec<f64>| {
        v.resize(parameters.len(), 0.0);
        v
    });
    let mut workspace = Workspace::new();
    let mut evaluate = |found: &mut [f64]| {
        let value = rows.value_and_gradient_into(black_box(parameters), found, &mut workspace);
        value.expect("parameters")
    };
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1e-3);
    assert!(
        close(by_hand(&mut expected), evaluate(&mut found)),
        "{name}"
    );
    for (a, b) in expected.iter().zip(&found) {
        assert!(close(*a, *b), "{name}: {a} {b}");
    }
    let on_all = rows.clone().parallel();
    let (mut also, mut other) = (found.clone(), Workspace::new());
    let mut on_all = || {
        let value = on_all.value_and_gradient_into(black_box(parameters), &mut also, &mut other);
        _ = black_box(value).expect("parameters");
    };
    let [hand, time] = alternate([&mut || _ = black_box(by_hand(&mut expected)), &mut || {
        _ = black_box(evaluate(&mut found));
    }])
    .map(|time| time / rows.len() as f64);
    // As in a fit, one evaluation after another: threads that had nothing to do in
    // between are asleep, and take some milliseconds to get a core of their own.
    let [one, all] = alternate([
        &mut || (0..20).for_each(|_| _ = black_box(evaluate(&mut found))),
        &mut || (0..20).for_each(|_| on_all()),
    ]);
    let (ratio, speedup) = (time / hand, one / all);
    print!(
        "{name:<16}{:>8}{hand:>10.2}{time:>10.2}{ratio:>8.3}{speedup:>11.2}×",
        rows.len()
    );
    if parameters.len() < 100 {
        let mut hessian =
            || _ = black_box(rows.hessian(black_box(parameters))).expect("parameters");
        let [time, hessian] =
            alternate([&mut || _ = black_box(evaluate(&mut found)), &mut hessian]);
        print!("{:>12.1}", hessian / time);
    }
    println!();
}
