//! Does the logistic-regression example, run as a program, print its job within
//! 100 columns and refuse wrong use in one clear line with exit status 2?

use crate::program;
use std::fs;
use std::process::{Command, Output};

fn program() -> Command {
    Command::new(program::example("logistic_regression"))
}

fn run(arguments: &[&str]) -> Output {
    program::output(program().args(arguments))
}

#[test]
fn wrong_use_is_refused() {
    let wrong: [(&[&str], &str); 10] = [
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
        (
            &["--rows", "0"],
            "--rows is given \"0\", a whole number from 1 on expected",
        ),
        (
            &["--out", "no/such/folder/out.csv"],
            "no/such/folder/out.csv: cannot be written: No such file or directory (os error 2)",
        ),
        (&["--out", "."], ".: cannot be written: not a file"),
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

/// Exit status 2, this line, and nothing printed before it.
fn is_wrong_use(arguments: &[&str], expected: &str) {
    let output = run(arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, format!("error: {expected}\n"), "{arguments:?}");
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
}

#[test]
fn a_label_of_the_derivation_is_0_or_1() {
    for y in ["2", "0.5", "-1"] {
        is_wrong_use(&["--y", y], &format!("--y is {y}, 0 or 1 expected"));
    }
    for y in ["0", "1", "-0"] {
        assert!(run(&["--y", y]).status.success(), "{y}");
    }
}

#[test]
fn an_option_without_effect_beside_another_is_refused() {
    let data = ["--data", "a.csv", "--label", "y"];
    let expected = "--set has no effect beside --data";
    is_wrong_use(&[&data[..], &["--set", "iris"]].concat(), expected);
    let fit_only = [
        ("--l2", "1"),
        ("--out", "a.csv"),
        ("--x", "1,2"),
        ("--w", "1,2"),
        ("--b", "1"),
        ("--y", "1"),
    ];
    for (option, value) in fit_only {
        let expected = format!("{option} has no effect beside --bench");
        is_wrong_use(&["--bench", option, value], &expected);
    }
    is_wrong_use(&["--rows", "5"], "--rows has no effect without --bench");
    is_wrong_use(&["--set", "iris", "--set", "hours"], "--set is given twice");
    is_wrong_use(&["--bench", "--bench"], "--bench is given twice");
    assert!(run(&["--l2", "1", "--help"]).status.success());
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
fn a_number_of_many_digits_is_printed_short() {
    let output = run(&["--l2", "1e100", "--b", "-1e300"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("  Penalty: (1e100/2)·Σ w², not on b.\n"),
        "{text}"
    );
    assert!(
        text.contains("w = [0.4, -0.3], b = -1e300, y = 1\n"),
        "{text}"
    );
    assert!(text.lines().all(|line| line.chars().count() <= 100));
}

#[test]
fn help_lists_every_option() {
    let output = run(&["--help"]);
    let text = String::from_utf8(output.stdout).unwrap();
    for option in [
        "--set", "--data", "--label", "--l2", "--out", "--x", "--w", "--b", "--y", "--bench",
        "--rows",
    ] {
        assert!(text.contains(option), "{option}");
    }
    assert!(output.status.success());
}

#[test]
fn the_bench_compares_every_way_with_the_loop_by_hand() {
    let runs: [(&[&str], &str); 2] = [
        (&["--bench", "--rows", "1000"], "1000 rows of 30 features"),
        (
            &["--bench", "--rows", "70", "--set", "iris"],
            "70 rows of 4 features",
        ),
    ];
    for (arguments, expected) in runs {
        let output = run(arguments);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && text.contains(expected), "{text}");
        let line = |way: &str| {
            let found = text.lines().find(|line| line.contains(way));
            let line = found.unwrap_or_else(|| panic!("no {way}:\n{text}"));
            let numbers = line.split_whitespace().rev().take(3);
            numbers
                .map(|number| number.parse().unwrap())
                .collect::<Vec<f64>>()
        };
        assert_eq!(line("written by hand")[0], 1.0);
        assert!(line("1 thread").iter().all(|number| *number > 0.0));
        assert!(!cfg!(feature = "parallel") || text.contains("threads"));
    }
}

/// The lines of README's block that shows what is printed stand in it, one after
/// another.
#[test]
fn the_readme_shows_what_is_printed() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let block = readme.split("```text\n").nth(1).unwrap();
    let block = block.split("```").next().unwrap();
    let output = run(&[]);
    let printed = String::from_utf8(output.stdout).unwrap();
    let mut printed = printed.lines();
    let shown = |line: &&str| !line.is_empty();
    for line in block.lines().filter(shown) {
        assert!(printed.any(|printed| printed == line), "not there: {line}");
    }
    assert!(block.lines().count() > 15, "{block}");
}
