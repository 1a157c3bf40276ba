//! How does the time of value and gradient over rows grow with rows and features?
//! Nanoseconds for each number of the data, over the size of the data, beside a
//! plain sum of the same memory. Draws `docs/rows.svg`.
#![allow(clippy::print_stdout, reason = "a bench prints what it measured")]

mod plot;
mod timing;

use chainrule::{Function, Var, Workspace};
use plot::{Curve, Frame};
use std::fs;
use std::hint::black_box;
use timing::median;

const FEATURES: [usize; 4] = [2, 30, 300, 1_000];

fn main() {
    let test = std::env::args().any(|argument| argument == "--test");
    let most = if test { 10_000 } else { 40_000_000 };
    println!(
        "{:>9}{:>10}{:>12}{:>12}",
        "features", "rows", "ns/row", "ns/number"
    );
    let mut curves = FEATURES.map(|features| Curve {
        name: format!("{features} features"),
        points: Vec::new(),
    });
    for (features, curve) in FEATURES.into_iter().zip(&mut curves) {
        let mut rows = 100;
        while rows * (features + 1) <= most {
            let time = logistic(features, rows);
            let numbers = (rows * (features + 1)) as f64;
            let (each, number) = (time / rows as f64, time / numbers);
            println!("{features:>9}{rows:>10}{each:>12.2}{number:>12.3}");
            curve.points.push((8.0 * numbers, number));
            rows = rows * 10 / 3;
        }
    }
    let mut curves = Vec::from(curves);
    curves.push(sums(most));
    let frame = Frame {
        x: "bytes of data",
        y: "ns per number",
        marks: &plot::caches().collect::<Vec<_>>(),
    };
    if !test {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/rows.svg");
        fs::write(path, plot::svg(&curves, &frame)).expect("docs/rows.svg");
    }
}

/// What memory allows: the sum of numbers in eight lanes.
fn sums(most: usize) -> Curve {
    let name = "a plain sum".to_owned();
    let mut points = Vec::new();
    let mut count = 1_000;
    while count <= most {
        let data = vec![1.0; count];
        let time = median(|| {
            let mut lanes = [0.0; 8];
            for part in black_box(&data).as_chunks::<8>().0 {
                (0..8).for_each(|i| lanes[i] += part[i]);
            }
            black_box(lanes);
        });
        points.push((8.0 * count as f64, time / count as f64));
        count = count * 10 / 3;
    }
    Curve { name, points }
}

/// Logistic regression in its stable form, in nanoseconds for all rows.
fn logistic(features: usize, rows: usize) -> f64 {
    let f = Function::record(|r| {
        let w = r.inputs(&vec![0.1; features]);
        let b = r.inputs(&[0.1])[0];
        let x: Vec<Var<'_>> = (0..features)
            .map(|i| r.column(&format!("x{i}"), 0.5))
            .collect();
        let y = r.column("y", 1.0);
        let z = w.iter().zip(&x).fold(b, |z, (w, x)| z + w * x);
        z.softplus() - y * z
    });
    let column = |i: usize| {
        (0..rows)
            .map(|r| ((r * 37 + i * 11) % 101) as f64 / 101.0)
            .collect()
    };
    let columns: Vec<Vec<f64>> = (0..=features).map(column).collect();
    let slices: Vec<&[f64]> = columns.iter().map(|column| &column[..]).collect();
    let over = f.rows(&slices).expect("columns");
    let (mut gradient, mut workspace) = (vec![0.0; features + 1], Workspace::new());
    let parameters = vec![0.01; features + 1];
    median(|| {
        let value = over.value_and_gradient_into(&parameters, &mut gradient, &mut workspace);
        black_box(value).expect("parameters");
    })
}
