//! What the example prints: at most 100 columns, in colour on a terminal only.

use crate::data::Table;
use crate::fit::{Fit, Step};
use anstyle::{AnsiColor, Style};
use chainrule::models::logistic::Derivation;
use std::io::{self, Write};

const HEADING: Style = Style::new()
    .bold()
    .fg_color(Some(anstyle::Color::Ansi(AnsiColor::Cyan)));
const QUIET: Style = Style::new().dimmed();

fn heading(out: &mut impl Write, text: &str) -> io::Result<()> {
    writeln!(out, "{HEADING}{text}{HEADING:#}")
}

fn quiet(out: &mut impl Write, text: &str) -> io::Result<()> {
    writeln!(out, "{QUIET}{text}{QUIET:#}")
}

/// A block, moved to the right by two.
fn indented(out: &mut impl Write, text: &str) -> io::Result<()> {
    for line in text.lines() {
        let indent = if line.is_empty() { "" } else { "  " };
        writeln!(out, "{indent}{line}")?;
    }
    Ok(())
}

/// A coefficient with four digits behind the point, or with five where that would
/// not show it.
fn coefficient(x: f64) -> String {
    // 0 has no sign.
    if x == 0.0 || (1e-3..1e7).contains(&x.abs()) {
        format!("{:.4}", x + 0.0)
    } else {
        format!("{x:.4e}")
    }
}

/// As much of a name as there is room for.
fn beginning(name: &str, width: usize) -> String {
    name.chars().take(width).collect()
}

/// A number as it was given, or with an exponent where that is shorter.
pub fn short(x: f64) -> String {
    let (plain, scientific) = (x.to_string(), format!("{x:e}"));
    if plain.len() <= scientific.len() + 3 {
        plain
    } else {
        scientific
    }
}

/// A number that goes to 0.
fn small(x: f64, digits: usize) -> String {
    if x == 0.0 {
        "0".to_owned()
    } else {
        format!("{x:.digits$e}")
    }
}

/// The graph and both derivations.
pub fn derivations(
    out: &mut impl Write,
    point: &str,
    one_node: &Derivation,
    spelled_out: &Derivation,
) -> io::Result<()> {
    heading(out, "1. Where the gradient comes from")?;
    writeln!(out)?;
    writeln!(
        out,
        "  z = w1·x1 + w2·x2 + … + b    a = σ(z)    L = −(y ln a + (1−y) ln(1−a))"
    )?;
    writeln!(out, "  at {point}")?;
    writeln!(out)?;
    quiet(
        out,
        "  The graph with σ as one node: the engine's numbers beside the formulas.",
    )?;
    indented(out, &one_node.to_string())?;
    writeln!(out)?;
    quiet(
        out,
        "  The graph with σ spelled out, a = 1/g, g = 1 + e⁻ᶻ: the same gradient.",
    )?;
    indented(out, &spelled_out.to_string())?;
    writeln!(out)
}

/// What is fitted, and the head of the table of iterations.
pub fn before_fit(out: &mut impl Write, table: &Table, l2: f64) -> io::Result<()> {
    heading(out, "2. The fit")?;
    writeln!(out)?;
    writeln!(out, "  {}", table.title)?;
    let ones = table.data.labels.iter().filter(|&&y| y == 1.0).count();
    let (rows, label) = (table.data.len(), beginning(&table.label, 30));
    writeln!(
        out,
        "  {rows} rows, {ones} of them with {label} = 1; Newton's method from zero,"
    )?;
    writeln!(
        out,
        "  gradient and Hessian by the engine, columns in units that make them at most 1."
    )?;
    if l2 != 0.0 {
        writeln!(out, "  Penalty: ({}/2)·Σ w², not on b.", short(l2))?;
    }
    writeln!(out)?;
    writeln!(
        out,
        "  iteration       mean loss      |gradient|     engine − hand"
    )?;
    writeln!(out, "  {}", "─".repeat(59))
}

/// One iteration.
pub fn step(out: &mut impl Write, step: &Step) -> io::Result<()> {
    let Step {
        iteration,
        loss,
        gradient,
        difference,
    } = step;
    let (gradient, difference) = (small(*gradient, 3), small(*difference, 1));
    writeln!(
        out,
        "  {iteration:>9}{loss:>16.10}{gradient:>16}{difference:>18}"
    )
}

/// Coefficients and how good they are; published ones beside them.
pub fn after_fit(out: &mut impl Write, table: &Table, fit: &Fit) -> io::Result<()> {
    writeln!(out)?;
    heading(out, "3. The result")?;
    writeln!(out)?;
    let published = table.published.map(|published| published.coefficients);
    let name = |i: usize| match i {
        0 => "b".to_owned(),
        _ => format!("w{i}"),
    };
    let what = |i: usize| {
        if i == 0 {
            "(constant)"
        } else {
            table.features[i - 1].as_str()
        }
    };
    let count = fit.parameters.len();
    let width = (0..count)
        .map(|i| what(i).chars().count())
        .max()
        .unwrap_or(0)
        .clamp(10, 30);
    let head = if published.is_some() {
        "     published"
    } else {
        ""
    };
    writeln!(
        out,
        "  {:<5}{:<width$}{:>14}{:>14}{:>9}{head}",
        "", "feature", "coefficient", "std. error", "z"
    )?;
    writeln!(
        out,
        "  {}",
        "─".repeat(5 + width + 37 + if published.is_some() { 14 } else { 0 })
    )?;
    for i in 0..count {
        // The constant comes first, as the published tables have it.
        let at = if i == 0 { count - 1 } else { i - 1 };
        let (value, error) = (fit.parameters[at], fit.standard_errors[at]);
        // Rounded, and 0 without a sign
        let z = (100.0 * (value / error)).round() / 100.0 + 0.0;
        let [value, error] = [value, error].map(coefficient);
        let beside = published.map_or(String::new(), |all| format!("{:>14.4}", all[i]));
        let what = beginning(what(i), width);
        writeln!(
            out,
            "  {:<5}{what:<width$}{value:>14}{error:>14}{z:>9.2}{beside}",
            name(i)
        )?;
    }
    writeln!(out)?;
    let (likelihood, rows) = (fit.log_likelihood, fit.rows);
    match table.published {
        Some(published) => writeln!(
            out,
            "  log-likelihood {likelihood:.4} (published {:.4})",
            published.log_likelihood
        )?,
        None => writeln!(out, "  log-likelihood {likelihood:.4}")?,
    }
    let share = 100.0 * fit.right as f64 / rows as f64;
    writeln!(
        out,
        "  accuracy       {share:.1} % ({} of {rows} rows)",
        fit.right
    )
}
