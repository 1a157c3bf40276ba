//! Where the rows come from: three small data sets within the program, or a
//! CSV file of the user's, read record by record. Everything that can be wrong
//! with a file is found here and said in one line: file, line, column, what was
//! found.

use chainrule::Error;
use indicatif::{ProgressBar, ProgressStyle};
use std::fs::File;
use std::io::Read;

/// Rows with the names of their columns.
pub struct Table {
    pub title: String,
    pub features: Vec<String>,
    pub label: String,
    pub data: Data,
    pub published: Option<Published>,
}

/// The numbers column by column, as a `Function` reads them fastest.
#[derive(Default)]
pub struct Data {
    /// Columns of one length.
    pub features: Vec<Vec<f64>>,
    /// As long as the columns; 0 or 1 each.
    pub labels: Vec<f64>,
}

impl Data {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// The features and then the labels.
    pub fn columns(&self) -> Vec<&[f64]> {
        let all = self.features.iter().chain([&self.labels]);
        all.map(Vec::as_slice).collect()
    }
}

/// A maximum-likelihood fit as others have published it, the constant first.
#[derive(Clone, Copy)]
pub struct Published {
    pub coefficients: &'static [f64],
    pub log_likelihood: f64,
}

/// A data set within the program.
struct Embedded {
    name: &'static str,
    title: &'static str,
    label: &'static str,
    csv: &'static str,
    published: Published,
}

const EMBEDDED: [Embedded; 3] = [
    Embedded {
        name: "challenger",
        title: "O-ring distress on 23 space-shuttle flights, by temperature (Dalal et al. 1989)",
        label: "distress",
        csv: include_str!("../data/challenger.csv"),
        published: Published {
            coefficients: &[15.0429, -0.2322],
            log_likelihood: -10.1576,
        },
    },
    Embedded {
        name: "iris",
        title: "Iris versicolor (0) against virginica (1), 100 flowers (Fisher 1936)",
        label: "virginica",
        csv: include_str!("../data/iris.csv"),
        published: Published {
            coefficients: &[-42.6378, -2.4652, -6.6809, 9.4294, 18.2861],
            log_likelihood: -5.9493,
        },
    },
    Embedded {
        name: "hours",
        title: "Hours of study and passing an exam, 20 students (a textbook example)",
        label: "passed",
        csv: include_str!("../data/hours.csv"),
        published: Published {
            coefficients: &[-4.0777, 1.5046],
            log_likelihood: -8.0299,
        },
    },
];

/// The data set of this name.
pub fn embedded(name: &str) -> Result<Table, String> {
    let known = || EMBEDDED.map(|set| set.name).join(", ");
    let set = EMBEDDED
        .iter()
        .find(|set| set.name == name)
        .ok_or_else(|| format!("no data set is named \"{name}\"; there are {}", known()))?;
    let mut table = read(name, set.csv.as_bytes(), set.label)?;
    set.title.clone_into(&mut table.title);
    table.published = Some(set.published);
    Ok(table)
}

/// The rows of a CSV file with a header line; all columns but the label are
/// features. Shows its progress by `bar`.
pub fn from_file(path: &str, label: &str, bar: &ProgressBar) -> Result<Table, String> {
    let file = File::open(path).map_err(|error| format!("{path}: cannot be opened: {error}"))?;
    // A pipe is of no length.
    let length = file.metadata().map_or(0, |about| about.len());
    let template = if length > 0 {
        "{wide_bar} {bytes} of {total_bytes}, {eta} left"
    } else {
        "{bytes} read"
    };
    bar.set_style(ProgressStyle::with_template(template).expect("a template"));
    bar.set_length(length);
    let table = read(path, bar.wrap_read(file), label);
    bar.finish_and_clear();
    table
}

/// Reads CSV from anywhere; `source` is what error texts call it.
pub fn read(source: &str, input: impl Read, label: &str) -> Result<Table, String> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(input);
    let header = reader.headers().map_err(|error| describe(source, &error))?;
    let names: Vec<String> = header.iter().map(one_line).collect();
    let label = &one_line(label);
    let label_at = label_column(source, header, &names, label)?;
    let mut columns = vec![Vec::new(); names.len()];
    let mut record = csv::StringRecord::new();
    while reader
        .read_record(&mut record)
        .map_err(|error| describe(source, &error))?
    {
        let line = record.position().map_or(0, csv::Position::line);
        for (column, cell) in record.iter().enumerate() {
            let at = || format!("{source}, line {line}, column \"{}\"", names[column]);
            let number = number(cell).map_err(|found| format!("{}: {found}", at()))?;
            if column == label_at && number != 0.0 && number != 1.0 {
                return Err(format!("{}: the label is {cell}, 0 or 1 expected", at()));
            }
            columns[column].push(number);
        }
    }
    let labels = columns.remove(label_at);
    let mut features = names;
    features.remove(label_at);
    check_labels(source, label, &labels)?;
    Ok(Table {
        title: source.to_owned(),
        features,
        label: label.to_owned(),
        data: Data {
            features: columns,
            labels,
        },
        published: None,
    })
}

fn check_labels(source: &str, label: &str, labels: &[f64]) -> Result<(), String> {
    let Some(first) = labels.first() else {
        return Err(format!("{source}: {}", Error::NoRows));
    };
    let rows = labels.len();
    if labels.iter().all(|label| label == first) {
        let what = match rows {
            1 => format!("the only label is {first}"),
            _ => format!("all {rows} labels are {first}"),
        };
        return Err(format!(
            "{source}, column \"{label}\": {what}, both 0 and 1 expected"
        ));
    }
    Ok(())
}

fn label_column(
    source: &str,
    header: &csv::StringRecord,
    names: &[String],
    label: &str,
) -> Result<usize, String> {
    if names.iter().all(String::is_empty) {
        return Err(format!(
            "{source}: the file is empty, a header line expected"
        ));
    }
    for (i, name) in names.iter().enumerate() {
        if names[..i].contains(name) {
            return Err(format!("{source}: two columns are named \"{name}\""));
        }
    }
    let found = names.iter().position(|name| name == label);
    found.ok_or_else(|| match other_separator(header, label) {
        Some(separator) => {
            format!("{source}: the header seems to be separated by {separator}, commas expected")
        }
        None => format!(
            "{source}: no column is named \"{label}\"; there are {}",
            some_of(names)
        ),
    })
}

/// What separates the fields of a header in which the label is not found: what the
/// label stands beside in one name, or what is in the only name.
fn other_separator(header: &csv::StringRecord, label: &str) -> Option<&'static str> {
    let separators = [(';', "semicolons"), ('\t', "tabs"), ('|', "bars (|)")];
    let is_label = |part: &str| one_line(part.trim().trim_matches('"')) == label;
    let separates = |name: &str, separator: char| {
        let is_only = header.len() == 1;
        name.contains(separator) && (is_only || name.split(separator).any(is_label))
    };
    for (separator, called) in separators {
        if header.iter().any(|name| separates(name, separator)) {
            return Some(called);
        }
    }
    None
}

/// The first names of many.
fn some_of(names: &[String]) -> String {
    let shown = names.len().min(12);
    let mut text = names[..shown].join(", ");
    if shown < names.len() {
        text += &format!(" and {} more", names.len() - shown);
    }
    text
}

/// A text of a file without what would break a line or a table.
fn one_line(text: &str) -> String {
    let is_gap = |c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}';
    let words: Vec<&str> = text.split(is_gap).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

fn number(cell: &str) -> Result<f64, String> {
    match cell.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        Ok(_) if cell.contains(|c: char| c.is_ascii_digit()) => Err(format!(
            "{} found, a number of at most 1.8e308 expected",
            beginning(cell)
        )),
        Ok(number) => Err(format!("{number} found, a finite number expected")),
        Err(_) if cell.is_empty() => Err("an empty cell found, a number expected".to_owned()),
        Err(_) => Err(format!("\"{}\" found, a number expected", beginning(cell))),
    }
}

/// As much of a cell as an error text shows.
fn beginning(cell: &str) -> String {
    let text = one_line(cell);
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn describe(source: &str, error: &csv::Error) -> String {
    let line = error.position().map_or(0, csv::Position::line);
    match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => {
            format!("{source}, line {line}: {len} cells found, {expected_len} expected")
        }
        csv::ErrorKind::Utf8 { .. } => format!("{source}, line {line}: not UTF-8 text"),
        csv::ErrorKind::Io(error) => format!("{source}: cannot be read: {error}"),
        _ => format!("{source}: {error}"),
    }
}
