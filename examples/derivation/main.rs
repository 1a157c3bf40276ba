//! Writes a page on which the gradient of logistic regression can be derived step
//! by step, for the article's graph or for numbers of your own.

mod chapters;

use chainrule::models::derivation::Graph;
use chainrule::models::logistic::Form;
use chainrule::{Tape, inspect};
use lexopt::prelude::*;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "\
Derives the gradient of logistic regression on a page that can be stepped through.

  --x 1.5,-2     the features of one row of data
  --w 0.4,-0.3   a weight for each feature
  --b 0.1        the intercept
  --y 1          the label, from 0 to 1
  --spelled-out  write a = σ(z) as 1/(1 + e^−z), operation by operation
  --out FILE     where to write the page; target/derivation.html if there is a
                 directory target, else derivation.html
";

struct Options {
    x: Vec<f64>,
    w: Vec<f64>,
    b: f64,
    y: f64,
    form: Form,
    out: PathBuf,
}

enum Stop {
    Help,
    Wrong(String),
}

impl<E: ToString> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Wrong(error.to_string())
    }
}

fn main() -> ExitCode {
    let done = options().and_then(|options| write(&options));
    let (text, code) = match done {
        Ok(text) => (text, 0),
        Err(Stop::Help) => (HELP.to_owned(), 0),
        Err(Stop::Wrong(text)) => (format!("error: {text}\n"), 2),
    };
    let said = match code {
        0 => io::stdout().write_all(text.as_bytes()),
        _ => io::stderr().write_all(text.as_bytes()),
    };
    match said {
        Ok(()) => ExitCode::from(code),
        Err(_) => ExitCode::FAILURE,
    }
}

fn options() -> Result<Options, Stop> {
    let directory = Path::new("target");
    let directory = directory.is_dir().then_some(directory);
    let mut options = Options {
        x: vec![1.5, -2.0],
        w: vec![0.4, -0.3],
        b: 0.1,
        y: 1.0,
        form: Form::Sigmoid,
        out: directory.unwrap_or(Path::new("")).join("derivation.html"),
    };
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("help") | Short('h') => return Err(Stop::Help),
            Long("x") => options.x = list("--x", &arguments.value()?.string()?)?,
            Long("w") => options.w = list("--w", &arguments.value()?.string()?)?,
            Long("b") => options.b = finite("--b", &arguments.value()?.string()?)?,
            Long("y") => options.y = finite("--y", &arguments.value()?.string()?)?,
            Long("spelled-out") => options.form = Form::SpelledOut,
            Long("out") => options.out = arguments.value()?.into(),
            _ => return Err(argument.unexpected().into()),
        }
    }
    if !(0.0..=1.0).contains(&options.y) {
        return Err(format!("--y is {}, a number from 0 to 1 expected", options.y).into());
    }
    Ok(options)
}

fn finite(option: &str, text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err(format!(
            "{option} is given \"{text}\", a finite number expected"
        )),
    }
}

fn list(option: &str, text: &str) -> Result<Vec<f64>, String> {
    text.split(',')
        .map(|number| finite(option, number))
        .collect()
}

/// Writes the page, and says where it is.
fn write(options: &Options) -> Result<String, Stop> {
    let page = page(options)?;
    let path = options.out.display();
    fs::write(&options.out, &page)
        .map_err(|error| format!("{path}: cannot be written: {error}"))?;
    let kilobytes = page.len().div_ceil(1000);
    Ok(format!(
        "wrote {path} ({kilobytes} kB): open it in a browser\n"
    ))
}

fn page(options: &Options) -> Result<String, Stop> {
    let tape = Tape::new();
    let Options {
        x, w, b, y, form, ..
    } = options;
    let graph = Graph::record(&tape, x, w, *b, *y, *form);
    let graph = graph.map_err(|error| format!("--x: {error}"))?;
    let adjoints = graph.loss.backward();
    let mut page = inspect::html(&adjoints)
        .title(chapters::TITLE)
        .introduction(chapters::INTRODUCTION)
        .group("inputs", &[&graph.x[..], &[graph.y]].concat())
        .group("parameters", &graph.parameters.all())
        .slider(graph.y, 0.0, 1.0);
    for chapter in chapters::chapters(&graph) {
        page = page.chapter(chapter);
    }
    Ok(page.to_string())
}
