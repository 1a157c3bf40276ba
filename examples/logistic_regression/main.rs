//! The main job: derive the gradient of logistic regression with the engine,
//! beside the formulas derived by hand, and fit real data with it.
//!
//! `--help` lists the options. A wrong use or bad data is one line on standard
//! error and exit status 2.

mod bench;
mod by_hand;
mod data;
mod failure;
mod fit;
mod report;
mod save;
mod units;

use chainrule::models::logistic::{Form, derivation};
use data::Data;
use indicatif::{ProgressBar, ProgressDrawTarget};
use lexopt::prelude::{Long, Short, ValueExt};
use std::io::{self, Write};
use std::process::ExitCode;

const HELP: &str = "\
Derives the gradient of logistic regression and fits data with it.

cargo run --release --example logistic_regression -- [OPTIONS]

  --set NAME        the data set to fit: challenger (default), iris, hours
  --data FILE       fit a CSV file with a header line instead;
  --label COLUMN    its column of labels, 0 or 1; all others are features
  --l2 NUMBER       penalty (NUMBER/2)·Σ w², not on b  [0]
  --out FILE        write the coefficients as CSV
  --x, --w LIST     features and weights of the derivation  [1.5,-2] [0.4,-0.3]
  --b, --y NUMBER   intercept and label, 0 or 1, of the derivation  [0.1] [1]
  --bench           instead of all this, rows per second beside a loop written by
                    hand; on noise of 30 features, or the data asked for
  --rows NUMBER     how many rows it takes, the data over and over  [100000]
  --help            this text
";

struct Options {
    set: Option<String>,
    data: Option<String>,
    label: Option<String>,
    l2: f64,
    out: Option<String>,
    bench: bool,
    rows: usize,
    x: Vec<f64>,
    w: Vec<f64>,
    b: f64,
    y: f64,
}

/// Why the program stops early.
enum Stop {
    Help,
    Wrong(String),
    Io(io::Error),
}

impl From<String> for Stop {
    fn from(text: String) -> Self {
        Self::Wrong(text)
    }
}

impl From<lexopt::Error> for Stop {
    fn from(error: lexopt::Error) -> Self {
        Self::Wrong(format!("{error} (--help lists the options)"))
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn main() -> ExitCode {
    let mut out = anstream::stdout();
    let stop = match options().and_then(|options| run(&options, &mut out)) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(stop) => stop,
    };
    let said = match stop {
        Stop::Help => write!(out, "{HELP}"),
        // Whoever reads the output has seen enough.
        Stop::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Stop::Io(error) => Err(error),
        Stop::Wrong(text) => {
            let _ = out.flush();
            let _ = writeln!(anstream::stderr(), "error: {text}");
            return ExitCode::from(2);
        }
    };
    match said {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn options() -> Result<Options, Stop> {
    let mut options = Options {
        set: None,
        data: None,
        label: None,
        l2: 0.0,
        out: None,
        bench: false,
        rows: 100_000,
        x: vec![1.5, -2.0],
        w: vec![0.4, -0.3],
        b: 0.1,
        y: 1.0,
    };
    let mut arguments = lexopt::Parser::from_env();
    let mut given = Vec::new();
    while let Some(argument) = arguments.next()? {
        if let Long(name) = argument {
            if given.iter().any(|earlier| earlier == name) {
                return Err(format!("--{name} is given twice").into());
            }
            given.push(name.to_owned());
        }
        match argument {
            Long("help") | Short('h') => return Err(Stop::Help),
            Long("set") => options.set = Some(arguments.value()?.string()?),
            Long("data") => options.data = Some(arguments.value()?.string()?),
            Long("label") => options.label = Some(arguments.value()?.string()?),
            Long("l2") => options.l2 = finite("--l2", &arguments.value()?.string()?)?,
            Long("out") => options.out = Some(arguments.value()?.string()?),
            Long("bench") => options.bench = true,
            Long("rows") => options.rows = count("--rows", &arguments.value()?.string()?)?,
            Long("x") => options.x = list("--x", &arguments.value()?.string()?)?,
            Long("w") => options.w = list("--w", &arguments.value()?.string()?)?,
            Long("b") => options.b = finite("--b", &arguments.value()?.string()?)?,
            Long("y") => options.y = finite("--y", &arguments.value()?.string()?)?,
            _ => return Err(argument.unexpected().into()),
        }
    }
    check(&options, &given)?;
    Ok(options)
}

/// What is wrong with options that are good each by itself.
fn check(options: &Options, given: &[String]) -> Result<(), String> {
    if options.l2 < 0.0 {
        return Err(format!("--l2 is {}, at least 0 expected", options.l2));
    }
    if options.y != 0.0 && options.y != 1.0 {
        return Err(format!("--y is {}, 0 or 1 expected", options.y));
    }
    let is_given = |name: &str| given.iter().any(|given| given == name);
    if is_given("data") != is_given("label") {
        return Err("--data FILE and --label COLUMN go together".to_owned());
    }
    if is_given("set") && is_given("data") {
        return Err("--set has no effect beside --data".to_owned());
    }
    if is_given("rows") && !is_given("bench") {
        return Err("--rows has no effect without --bench".to_owned());
    }
    let of_the_rest = ["l2", "out", "x", "w", "b", "y"];
    match of_the_rest.iter().find(|name| is_given(name)) {
        Some(name) if options.bench => Err(format!("--{name} has no effect beside --bench")),
        _ => Ok(()),
    }
}

fn finite(option: &str, text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err(format!(
            "{option} is given \"{text}\", a finite number expected"
        )),
    }
}

fn count(option: &str, text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!(
            "{option} is given \"{text}\", a whole number from 1 on expected"
        )),
    }
}

fn list(option: &str, text: &str) -> Result<Vec<f64>, String> {
    text.split(',')
        .map(|number| finite(option, number))
        .collect()
}

/// What the data is called.
fn source(options: &Options) -> &str {
    let asked_for = options.data.as_ref().or(options.set.as_ref());
    asked_for.map_or("challenger", String::as_str)
}

fn run(options: &Options, out: &mut impl Write) -> Result<(), Stop> {
    // Standard error, and hidden where that is no terminal
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    save::end_on_interrupt(bar.clone());
    let mut table = match &options.label {
        Some(label) => data::from_file(source(options), label, &bar)?,
        None => data::embedded(source(options))?,
    };
    if options.bench {
        return bench(options, table.data, out);
    }
    derive(options, out)?;
    report::before_fit(out, &table, options.l2)?;
    let mut printed = Ok(());
    let data = std::mem::take(&mut table.data);
    let fit = fit::fit(data, options.l2, |step| {
        if printed.is_ok() {
            printed = report::step(out, step);
        }
    });
    printed?;
    let fit = fit.map_err(|failure| match failure.feature() {
        Some(feature) => {
            let column = &table.features[feature];
            format!("{}, column \"{column}\": {failure}", source(options))
        }
        None => format!("{}: {failure}", source(options)),
    })?;
    report::after_fit(out, &table, &fit)?;
    if let Some(path) = &options.out {
        save::coefficients(path, &table, &fit)?;
    }
    Ok(())
}

fn derive(options: &Options, out: &mut impl Write) -> Result<(), Stop> {
    let Options { x, w, b, y, .. } = options;
    let derive = |form| derivation(x, w, *b, *y, form).map_err(|error| format!("--x: {error}"));
    let at_b = report::short(*b);
    let point = format!("x = {x:?}, w = {w:?}, b = {at_b}, y = {y}");
    report::derivations(
        out,
        &point,
        &derive(Form::Sigmoid)?,
        &derive(Form::SpelledOut)?,
    )?;
    Ok(())
}

fn bench(options: &Options, data: Data, out: &mut impl Write) -> Result<(), Stop> {
    let data = if options.data.is_some() || options.set.is_some() {
        // Of any size, they overflow nowhere in these units.
        bench::repeated(&units::inward(data, 0.0).0, options.rows)
    } else {
        bench::synthetic(options.rows, 30)
    };
    let medians = bench::measure(&data).map_err(|error| error.to_string())?;
    bench::print(out, &data, &medians)?;
    Ok(())
}
