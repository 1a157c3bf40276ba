//! Does the logistic-regression example, run as a program, print its job within
//! 100 columns and refuse bad data in one clear line with exit status 2?

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

/// The example, which `cargo test` builds beside the tests.
fn program() -> Command {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.push("examples/logistic_regression");
    path.set_extension(std::env::consts::EXE_EXTENSION);
    assert!(
        path.exists(),
        "first build it: cargo build --example logistic_regression"
    );
    Command::new(path)
}

fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
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
        "FILE: 4 parameters cannot be fitted to 2 rows",
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
fn wrong_use_is_refused() {
    let wrong: [(&[&str], &str); 7] = [
        (
            &["--data", "no/such.csv", "--label", "y"],
            "no/such.csv: cannot be opened: No such file or directory (os error 2)",
        ),
        (
            &["--set", "foo"],
            "no data set is named \"foo\"; there are challenger, iris, hours",
        ),
        (&["--x", "1,2,3"], "--x: 3 features given, 2 expected"),
        (
            &["--b", "one"],
            "--b is given \"one\", a finite number expected",
        ),
        (&["--l2", "-1"], "--l2 is -1, at least 0 expected"),
        (
            &["--data", "a.csv"],
            "--data FILE and --label COLUMN go together",
        ),
        (
            &["--bogus"],
            "invalid option '--bogus' (--help lists the options)",
        ),
    ];
    for (arguments, expected) in wrong {
        let output = run(arguments);
        assert_eq!(
            String::from_utf8(output.stderr).unwrap(),
            format!("error: {expected}\n")
        );
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
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

#[test]
fn the_main_job_fits_100_columns_and_has_no_colour_codes_in_a_pipe() {
    for set in ["challenger", "iris", "hours"] {
        let output = run(&["--set", set]);
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            text.lines().all(|line| line.chars().count() <= 100),
            "{text}"
        );
        assert!(!text.contains('\u{1b}'));
        assert!(
            text.lines().all(|line| line == line.trim_end()),
            "spaces at an end:\n{text}"
        );
    }
}

#[test]
fn help_lists_every_option() {
    let output = run(&["--help"]);
    let text = String::from_utf8(output.stdout).unwrap();
    for option in [
        "--set", "--data", "--label", "--l2", "--x", "--w", "--b", "--y",
    ] {
        assert!(text.contains(option), "{option}");
    }
    assert!(output.status.success());
}
