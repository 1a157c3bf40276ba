//! How many rows a second do value and gradient take, through the `Function` and
//! in the loop written by hand?

use crate::data::Data;
use crate::{by_hand, fit};
use chainrule::{Error, Rows, Workspace};
use std::hint::black_box;
use std::io::{self, Write};
use std::time::Instant;

const ROUNDS: usize = 15;

/// Noise for features and labels, always the same.
pub fn synthetic(rows: usize, features: usize) -> Data {
    let mut state = 1_u64;
    let mut next = || {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    };
    let mut column = || (0..rows).map(|_| next()).collect::<Vec<f64>>();
    Data {
        features: (0..features).map(|_| column()).collect(),
        labels: column().iter().map(|x| f64::from(*x > 0.0)).collect(),
    }
}

/// As many rows as asked for: these, over and over.
pub fn repeated(data: &Data, rows: usize) -> Data {
    let repeat = |column: &Vec<f64>| column.iter().cycle().take(rows).copied().collect();
    Data {
        features: data.features.iter().map(repeat).collect(),
        labels: repeat(&data.labels),
    }
}

/// Writes the gradient at some parameters and returns the value.
type Evaluate<'a> = Box<dyn FnMut(&[f64], &mut [f64]) -> f64 + 'a>;
type Way<'a> = (String, Evaluate<'a>);

fn through_function<'a>(rows: Rows<'a, 'a>) -> Evaluate<'a> {
    let mut workspace = Workspace::new();
    Box::new(move |at, gradient| {
        let value = rows.value_and_gradient_into(at, gradient, &mut workspace);
        value.expect("as many parameters as there are")
    })
}

/// The median time in seconds of each way to value and gradient, the one by hand
/// first. All must give the same.
pub fn measure(data: &Data) -> Result<Vec<(String, f64)>, Error> {
    let loss = fit::loss(&vec![0.0; data.features.len()])?;
    let rows = loss.rows(&data.columns())?;
    let mut ways: Vec<Way<'_>> = vec![
        (
            "written by hand".to_owned(),
            Box::new(|at, gradient| by_hand::value_and_gradient(data, at, gradient)),
        ),
        (
            "Function, 1 thread".to_owned(),
            through_function(rows.clone()),
        ),
    ];
    #[cfg(feature = "parallel")]
    ways.push((
        format!("Function, {} threads", rayon::current_num_threads()),
        through_function(rows.clone().parallel()),
    ));
    Ok(medians(&mut ways, loss.parameters()))
}

/// All take turns.
fn medians(ways: &mut [Way<'_>], parameters: usize) -> Vec<(String, f64)> {
    let at = vec![0.1; parameters];
    let mut gradients = vec![vec![0.0; parameters]; ways.len()];
    let mut times = vec![Vec::new(); ways.len()];
    for _ in 0..ROUNDS {
        for (i, (_, way)) in ways.iter_mut().enumerate() {
            let start = Instant::now();
            black_box(way(black_box(&at), &mut gradients[i]));
            times[i].push(start.elapsed().as_secs_f64());
        }
    }
    for gradient in &gradients {
        for (a, b) in gradient.iter().zip(&gradients[0]) {
            assert!((a - b).abs() <= 1e-9 * (1.0 + b.abs()), "{a} {b}");
        }
    }
    let median = |((name, _), mut times): (&Way<'_>, Vec<f64>)| {
        times.sort_by(f64::total_cmp);
        (name.clone(), times[ROUNDS / 2])
    };
    ways.iter().zip(times).map(median).collect()
}

/// A line for each way.
pub fn print(out: &mut impl Write, data: &Data, medians: &[(String, f64)]) -> io::Result<()> {
    let (rows, features) = (data.len(), data.features.len());
    writeln!(
        out,
        "Value and gradient, {rows} rows of {features} features; medians of {ROUNDS} rounds"
    )?;
    writeln!(out)?;
    writeln!(
        out,
        "  {:<22}{:>14}{:>10}{:>12}",
        "", "rows/s", "ns/row", "× by hand"
    )?;
    writeln!(out, "  {}", "─".repeat(58))?;
    for (name, seconds) in medians {
        let (rate, each) = (rows as f64 / seconds, 1e9 * seconds / rows as f64);
        let ratio = medians[0].1 / seconds;
        writeln!(out, "  {name:<22}{rate:>14.3e}{each:>10.1}{ratio:>12.2}")?;
    }
    Ok(())
}
