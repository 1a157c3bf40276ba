//! Does the logistic-regression example, run as a program, fit the files of its user,
//! whatever their units, and refuse bad ones in one clear line with exit status 2?

use crate::common::Random;
use crate::program;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

fn program() -> Command {
    Command::new(program::example("logistic_regression"))
}

fn run(arguments: &[&str]) -> Output {
    program::output(program().args(arguments))
}

/// A folder of its own for a test, with nothing in it.
fn folder(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir(&path).unwrap();
    path
}

fn with_file(name: &str, text: &[u8]) -> (PathBuf, Output) {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).unwrap();
    let output = run(&["--data", path.to_str().unwrap(), "--label", "y"]);
    (path, output)
}

/// Exit status 2 and exactly this line, in which `FILE` is the file.
fn refuses(name: &str, text: &[u8], expected: &str) {
    let (path, output) = with_file(name, text);
    let said = String::from_utf8(output.stderr)
        .unwrap()
        .replace(path.to_str().unwrap(), "FILE");
    assert_eq!(said, format!("error: {expected}\n"));
    assert_eq!(output.status.code(), Some(2), "{name}");
}

#[test]
fn each_defect_of_a_file_is_one_line_that_says_what_and_where() {
    refuses(
        "ragged.csv",
        b"x,y\n1,0\n2\n",
        "FILE, line 3: 1 cells found, 2 expected",
    );
    refuses(
        "text.csv",
        b"x,y\n1,0\nfoo,1\n",
        "FILE, line 3, column \"x\": \"foo\" found, a number expected",
    );
    refuses(
        "empty_cell.csv",
        b"x,y\n1,0\n,1\n",
        "FILE, line 3, column \"x\": an empty cell found, a number expected",
    );
    refuses(
        "nan.csv",
        b"x,y\n1,0\nNaN,1\n",
        "FILE, line 3, column \"x\": NaN found, a finite number expected",
    );
    refuses(
        "infinite.csv",
        b"x,y\n1,0\n2,inf\n",
        "FILE, line 3, column \"y\": inf found, a finite number expected",
    );
    refuses(
        "label.csv",
        b"x,y\n1,0\n2,2\n",
        "FILE, line 3, column \"y\": the label is 2, 0 or 1 expected",
    );
    refuses(
        "no_rows.csv",
        b"x,y\n",
        "FILE: no rows of data given, at least 1 expected",
    );
    refuses(
        "empty.csv",
        b"",
        "FILE: the file is empty, a header line expected",
    );
    refuses(
        "one_class.csv",
        b"x,y\n1,1\n2,1\n",
        "FILE, column \"y\": all 2 labels are 1, both 0 and 1 expected",
    );
    refuses(
        "wide.csv",
        b"a,b,c,y\n1,1,2,1\n2,1,2,0\n",
        "FILE: 4 parameters cannot be fitted to 2 rows (with a penalty, --l2 1, they can)",
    );
    refuses(
        "no_column.csv",
        b"x,z\n1,0\n",
        "FILE: no column is named \"y\"; there are x, z",
    );
    refuses(
        "twice.csv",
        b"x,x,y\n1,2,0\n",
        "FILE: two columns are named \"x\"",
    );
    refuses(
        "bytes.csv",
        b"x,y\n1,0\n\xff,1\n",
        "FILE, line 3: not UTF-8 text",
    );
    refuses(
        "constant.csv",
        b"x,k,y\n1,2,0\n2,2,1\n3,2,0\n4,2,1\n",
        "FILE, column \"k\": constant, or follows from those before it",
    );
}

#[test]
fn separable_data_is_refused_and_not_fitted() {
    let why = "no finite coefficients maximise the likelihood (a penalty, --l2 1, makes them \
               finite)";
    refuses(
        "separable.csv",
        b"x,y\n1,0\n2,0\n3,1\n4,1\n",
        &format!("FILE: the features separate the labels perfectly: {why}"),
    );
    refuses(
        "boundary.csv",
        b"x,y\n1,0\n2,0\n3,0\n3,1\n4,1\n5,1\n",
        &format!("FILE: the features separate the labels up to rows on the boundary: {why}"),
    );
}

#[test]
fn another_separator_than_the_comma_is_named() {
    let header = "the header seems to be separated by";
    for (name, text, separator) in [
        ("semicolons.csv", "x;y\n1;0\n", "semicolons"),
        ("decimal_commas.csv", "x;y\n1,5;0\n2,5;1\n", "semicolons"),
        ("comma_in_header.csv", "a,b; y\n1;2\n", "semicolons"),
        ("tabs.csv", "x\ty\n1\t0\n", "tabs"),
        ("other_label.csv", "x\tz\n1\t0\n", "tabs"),
        ("bars.csv", "x|y\n1|0\n", "bars (|)"),
    ] {
        let expected = format!("FILE: {header} {separator}, commas expected");
        refuses(name, text.as_bytes(), &expected);
    }
    let named = b"a;b,y\n1,0\n2,1\n3,0\n4,1\n";
    assert!(with_file("a_name_with_it.csv", named).1.status.success());
}

#[test]
fn whatever_is_in_a_file_an_error_is_a_line_of_readable_length() {
    let many: Vec<String> = (1..=3000).map(|i| format!("c{i}")).collect();
    let first = many[..12].join(", ");
    refuses(
        "many.csv",
        many.join(",").as_bytes(),
        &format!("FILE: no column is named \"y\"; there are {first} and 2988 more"),
    );
    let long = format!("x,y\n1,0\n{},1\n", "z".repeat(3000));
    let start = "z".repeat(40);
    refuses(
        "long_cell.csv",
        long.as_bytes(),
        &format!("FILE, line 3, column \"x\": \"{start}…\" found, a number expected"),
    );
    refuses(
        "lines_in_cell.csv",
        b"\"x\n1\",y\n1,0\n\"2\n\x1b3\",1\n",
        "FILE, line 4, column \"x 1\": \"2 3\" found, a number expected",
    );
    refuses(
        "blank.csv",
        b"   \n",
        "FILE: the file is empty, a header line expected",
    );
    refuses(
        "huge.csv",
        b"x,y\n1,0\n-1e400,1\n",
        "FILE, line 3, column \"x\": -1e400 found, a number of at most 1.8e308 expected",
    );
    refuses(
        "one_row.csv",
        b"x,y\n1,0\n",
        "FILE, column \"y\": the only label is 0, both 0 and 1 expected",
    );
}

/// What is printed for a column of 1, 2, 3 and 4 times 10^`power`.
fn four_rows(power: i32, more: &[&str]) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("four_rows{power}.csv"));
    let rows: Vec<String> = (1..=4)
        .map(|i| format!("{i}e{power},{}", 1 - i % 2))
        .collect();
    fs::write(&path, format!("x,y\n{}\n", rows.join("\n"))).unwrap();
    let data = ["--data", path.to_str().unwrap(), "--label", "y"];
    let output = run(&[&data, more].concat());
    assert!(output.status.success(), "{power}: {output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let fits = |line: &str| line.chars().count() <= 100;
    assert!(text.lines().all(fits) && !text.contains("NaN"), "{text}");
    text
}

#[test]
fn the_unit_of_a_column_is_seen_in_its_coefficient_alone() {
    let numbers = [
        (0, "0.9082 1.0852"),
        (5, "9.0818e-6 1.0852e-5"),
        (160, "9.0818e-161 1.0852e-160"),
        (300, "9.0818e-301 1.0852e-300"),
        (307, "9.0818e-308 1.0852e-307"),
        (-5, "90818.4263 108519.2112"),
        (-160, "9.0818e159 1.0852e160"),
        (-300, "9.0818e299 1.0852e300"),
        (-307, "9.0818e306 1.0852e307"),
    ];
    let iterations = four_rows(0, &[]).lines().count();
    for (power, expected) in numbers {
        let text = four_rows(power, &[]);
        assert_eq!(text.lines().count(), iterations, "{text}");
        let words: Vec<&str> = text.split_whitespace().collect();
        let expected = format!("(constant) -2.2705 2.9344 -0.77 w1 x {expected} 0.84");
        assert!(words.join(" ").contains(&expected), "{power}: {text}");
    }
    four_rows(307, &["--bench", "--rows", "100"]);
}

/// b is −w·2.5e-160 there.
#[test]
fn a_column_far_below_the_penalty_has_a_coefficient_of_its_size() {
    let text = four_rows(-160, &["--l2", "1"]);
    let words: Vec<&str> = text.split_whitespace().collect();
    let expected = "(constant) -2.5000e-320 1.0000 0.00 w1 x 1.0000e-160 1.0000 0.00";
    assert!(words.join(" ").contains(expected), "{text}");
}

#[test]
fn columns_that_no_fit_can_use_are_named() {
    refuses(
        "subnormal.csv",
        b"x,k,y\n1,5e-324,0\n2,1e-323,1\n3,1e-323,0\n4,5e-324,1\n",
        "FILE, column \"k\": its standard error is about 1e324 in this unit, beyond the range of \
         f64: give the column in another unit",
    );
    refuses(
        "huge_constant.csv",
        b"x,k,y\n1,1.7e308,0\n2,1.7e308,1\n3,1.7e308,0\n4,1.7e308,1\n",
        "FILE, column \"k\": constant, or follows from those before it",
    );
}

#[test]
fn a_line_break_in_a_name_breaks_no_table() {
    let text = b"\"a\r\n b\",y\n1,0\n2,1\n3,0\n4,1\n";
    let (_, output) = with_file("line_break.csv", text);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("\n  w1   a b  "), "{text}");
}

#[test]
fn a_long_name_makes_no_long_line() {
    let name = "n".repeat(200);
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("long.csv");
    fs::write(&path, format!("x{name},{name}\n1,0\n2,1\n3,0\n4,1\n")).unwrap();
    let output = run(&["--data", path.to_str().unwrap(), "--label", &name]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.contains("w1   xnnn"));
    let fits = |line: &str| line.chars().count() <= 100 || line.contains("long.csv");
    assert!(text.lines().all(fits), "{text}");
}

#[test]
fn a_good_file_is_fitted() {
    let (_, output) = with_file(
        "good.csv",
        b"\xef\xbb\xbfx,y\r\n1,0\r\n2,1\r\n3,0\r\n4,1\r\n",
    );
    assert!(output.status.success() && output.stderr.is_empty());
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains("log-likelihood")
    );
}

/// The model that `many_rows` are drawn from, the constant first.
const MODEL: [f64; 6] = [0.5, 1.0, -2.0, 0.25, 0.0, 3.0];

/// CSV with five features, evenly spread over [−1, 1), and a label, each as
/// likely as the model says.
fn many_rows(rows: usize) -> String {
    let mut random = Random(1);
    let mut text = "a,b,c,y,\"d, e\",f\n".to_owned();
    for _ in 0..rows {
        let x = [(); 5].map(|()| 2.0 * random.unit() - 1.0);
        let terms = MODEL[1..].iter().zip(x).map(|(w, x)| w * x);
        let z = MODEL[0] + terms.sum::<f64>();
        let y = u8::from(random.unit() < 1.0 / (1.0 + (-z).exp()));
        let [a, b, c, d, e] = x;
        text += &format!("{a},{b},{c},{y},{d},{e}\n");
    }
    text
}

#[test]
fn the_model_behind_many_rows_is_found_and_written() {
    let folder = folder("many_rows");
    let (data, out) = (folder.join("data.csv"), folder.join("out.csv"));
    fs::write(&data, many_rows(20_000)).unwrap();
    fs::write(&out, "what was there before").unwrap();
    let mut program = program();
    let program = program.args(["--label", "y", "--data"]).arg(&data);
    let output = program::output(program.arg("--out").arg(&out));
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{output:?}"
    );
    let mut names = Vec::new();
    let mut reader = csv::Reader::from_path(&out).unwrap();
    assert_eq!(
        reader.headers().unwrap(),
        ["feature", "coefficient", "std_error"].as_slice()
    );
    for (record, expected) in reader.records().zip(MODEL) {
        let record = record.unwrap();
        let [found, error] = [1, 2].map(|i| record[i].parse::<f64>().unwrap());
        names.push(record[0].to_owned());
        assert!((0.015..0.06).contains(&error), "{record:?}");
        assert!(
            (found - expected).abs() < 2.5 * error,
            "{record:?} for {expected}"
        );
    }
    assert_eq!(names, ["(constant)", "a", "b", "c", "d, e", "f"]);
    assert_eq!(
        fs::read_dir(&folder).unwrap().count(),
        2,
        "only data and result"
    );
}
