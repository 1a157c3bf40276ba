//! Writes explanations: for a terminal, and as Markdown.

use super::explain::{ExplainedPath, Explanation};
use std::fmt;

/// The widest a column gets, and what is left of a text that is wider.
const RULE: usize = 34;
const LOCAL: usize = 28;
const EDGE: usize = 16;
const WIDTH: usize = 96;
/// Of a path of more nodes, the first and last are written.
const NODES: usize = 12;

/// One thing an explanation says; each writer says it in its own way.
enum Part {
    Text(String),
    /// A heading and rows, the last column of numbers.
    Table(Vec<&'static str>, Vec<Vec<String>>),
    /// Lines that stay as they are.
    Lines(Vec<String>),
}

impl Explanation {
    fn parts(&self) -> Vec<Part> {
        let Self { of, wrt, value, .. } = self;
        let mut parts = Vec::new();
        if self.path_count == 0.0 {
            let says = format!("{of} does not depend on {wrt}: the derivative is 0.");
            parts.push(Part::Text(says));
        } else if self.edge_count == 0 {
            parts.push(Part::Text(format!(
                "{of} is {wrt} itself: the derivative is 1."
            )));
        } else {
            self.edges_and_paths(&mut parts);
        }
        let mut rows = vec![vec![
            self.title.clone(),
            self.formula
                .as_ref()
                .map_or_else(|| "(too long a formula)".to_owned(), ToString::to_string),
            figures(*value),
        ]];
        if let Some((formula, value)) = &self.by_hand {
            rows.push(vec!["by hand".to_owned(), formula.clone(), figures(*value)]);
        }
        if let Some(difference) = self.difference() {
            let shown = format!("{difference:.1e}");
            rows.push(vec!["difference".to_owned(), String::new(), shown]);
        }
        parts.push(Part::Table(vec!["result", "formula", "value"], rows));
        parts
    }

    fn edges_and_paths(&self, parts: &mut Vec<Part>) {
        let Self { of, wrt, .. } = self;
        parts.push(Part::Text(format!("The nodes from {of} back to {wrt}:")));
        let node = |(name, formula, value): &(String, _, f64)| {
            vec![name.clone(), format!("{formula}"), figures(*value)]
        };
        let nodes = self.nodes.iter().map(node).collect();
        parts.push(Part::Table(vec!["node", "is", "value"], nodes));
        parts.push(Part::Text("The edges, each with its rule:".to_owned()));
        let rows = self.edges.iter().map(|edge| {
            vec![
                format!("{} → {}", edge.from, edge.to),
                edge.rule.clone(),
                edge.local.to_string(),
                figures(edge.value),
            ]
        });
        let heading = vec!["edge", "rule", "local derivative", "value"];
        parts.push(Part::Table(heading, rows.collect()));
        let hidden = self.edge_count - self.edges.len();
        if hidden > 0 {
            let says = format!("… and {hidden} more edges, which are not listed.");
            parts.push(Part::Text(says));
        }
        let count = count(self.path_count);
        parts.push(Part::Text(match self.path_count {
            1.0 => format!("One path leads from {of} back to {wrt}. Its product:"),
            _ => format!("{count} paths lead from {of} back to {wrt}. Their products:"),
        }));
        let mut lines = Vec::new();
        for (i, path) in self.paths.iter().enumerate() {
            path.write(i + 1, &mut lines);
        }
        parts.push(Part::Lines(lines));
        if self.path_count > self.paths.len() as f64 {
            let shown = self.paths.len();
            let says = format!("These are {shown} of {count} paths; the others are not listed.");
            parts.push(Part::Text(says));
        }
        if self.path_count > 1.0 {
            let says = "The derivative is the sum over all paths:";
            parts.push(Part::Text(says.to_owned()));
        }
    }

    /// The explanation as Markdown: a heading and tables.
    pub fn markdown(&self) -> String {
        let mut text = format!("### {}\n", self.title);
        let escaped = |cell: &String| cell.replace('|', "\\|");
        for part in self.parts() {
            text.push('\n');
            match part {
                Part::Text(says) => text.push_str(&format!("{says}\n")),
                Part::Lines(lines) => {
                    text.push_str(&format!("```text\n{}\n```\n", lines.join("\n")));
                }
                Part::Table(heading, rows) => {
                    text.push_str(&format!("| {} |\n", heading.join(" | ")));
                    let rule = "---|".repeat(heading.len() - 1);
                    text.push_str(&format!("|{rule}---:|\n"));
                    for row in rows {
                        let cells: Vec<String> = row.iter().map(escaped).collect();
                        text.push_str(&format!("| {} |\n", cells.join(" | ")));
                    }
                }
            }
        }
        text
    }
}

impl ExplainedPath {
    /// The path, its local derivatives as formulas and as numbers, the product.
    fn write(&self, number: usize, lines: &mut Vec<String>) {
        let chain = shortened(&self.nodes, " → ");
        wrap(&format!("{number}  {chain}"), lines);
        let factor = |formula: &crate::formula::Formula| {
            let text = formula.to_string();
            let atom = text.chars().all(|c| c.is_alphanumeric() || c == '.');
            if atom { text } else { format!("({text})") }
        };
        let factors: Vec<String> = self.factors.iter().map(factor).collect();
        let product = shortened(&factors, "·");
        if let ([only], Some(_)) = (&self.factors[..], &self.product) {
            wrap(&format!("   {only} = {}", figures(self.value)), lines);
            return;
        }
        if let Some(formula) = &self.product {
            wrap(&format!("   {product} = {formula}"), lines);
        }
        let value = |value: &f64| match *value < 0.0 {
            true => format!("({})", figures(*value)),
            false => figures(*value),
        };
        let values: Vec<String> = self.values.iter().map(value).collect();
        let values = shortened(&values, "·");
        wrap(&format!("   {values} = {}", figures(self.value)), lines);
    }
}

/// The first and last of many, with how many are between.
fn shortened(all: &[String], by: &str) -> String {
    if all.len() <= NODES {
        return all.join(by);
    }
    let hidden = all.len() - NODES + 1;
    let (first, last) = (&all[..NODES - 3], &all[all.len() - 2..]);
    format!(
        "{}{by}… [{hidden} more] …{by}{}",
        first.join(by),
        last.join(by)
    )
}

/// Breaks a line that is too long before a space, or where it must.
fn wrap(line: &str, lines: &mut Vec<String>) {
    let mut rest: Vec<char> = line.chars().collect();
    while rest.len() > WIDTH {
        let space = rest[..WIDTH]
            .iter()
            .rposition(|&c| c == ' ')
            .filter(|&at| at > WIDTH / 2);
        let at = space.unwrap_or(WIDTH);
        lines.push(rest[..at].iter().collect());
        let tail: String = rest[at..].iter().collect();
        rest = format!("     {}", tail.trim_start()).chars().collect();
    }
    lines.push(rest.into_iter().collect());
}

/// How many, in words of numbers.
fn count(paths: f64) -> String {
    if paths < 9e15 {
        format!("{paths}")
    } else {
        format!("About {paths:.1e}")
    }
}

/// A number in few characters: fixed point where that shows its digits.
fn figures(value: f64) -> String {
    let size = value.abs();
    if value == value.trunc() && size < 1e5 {
        format!("{}", value + 0.0)
    } else if (1e-3..1e5).contains(&size) {
        format!("{value:.8}")
    } else {
        format!("{value:.6e}")
    }
}

/// Text of at most so many characters.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width - 1).chain(['…']).collect()
}

/// Sections and aligned tables of at most 100 columns.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", cut(&self.title, WIDTH))?;
        for part in self.parts() {
            writeln!(f)?;
            match part {
                Part::Text(says) => {
                    let mut lines = Vec::new();
                    wrap(&says, &mut lines);
                    writeln!(f, "{}", lines.join("\n"))?;
                }
                Part::Lines(lines) => {
                    for line in lines {
                        writeln!(f, "  {line}")?;
                    }
                }
                Part::Table(heading, rows) => table(f, &heading, &rows)?,
            }
        }
        Ok(())
    }
}

fn table(f: &mut fmt::Formatter<'_>, heading: &[&str], rows: &[Vec<String>]) -> fmt::Result {
    let most: &[usize] = match heading.len() {
        4 => &[EDGE, RULE, LOCAL, 14],
        _ => &[EDGE, RULE + LOCAL, 14],
    };
    let cells = |row: &[String]| -> Vec<String> {
        let cells = row.iter().zip(most);
        // A formula with bindings has lines of its own; its last says the most.
        let last = |text: &'_ str| text.lines().last().unwrap_or("").to_owned();
        cells
            .map(|(cell, width)| cut(&last(cell), *width))
            .collect()
    };
    let heading: Vec<String> = heading.iter().map(|&name| name.to_owned()).collect();
    let rows: Vec<Vec<String>> = [heading].iter().chain(rows).map(|row| cells(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..most.len()).map(|i| width(i).unwrap_or(0)).collect();
    for (i, row) in rows.iter().enumerate() {
        let mut line = String::from(" ");
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            if column + 1 == row.len() {
                line.push_str(&format!("  {cell:>width$}"));
            } else {
                line.push_str(&format!(" {cell:<width$} "));
            }
        }
        writeln!(f, "{}", line.trim_end())?;
        if i == 0 {
            let rule = "─".repeat(widths.iter().sum::<usize>() + 2 * widths.len() - 1);
            writeln!(f, "  {rule}")?;
        }
    }
    Ok(())
}
