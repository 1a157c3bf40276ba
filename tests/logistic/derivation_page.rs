//! Does the derivation example, run as a program, write its page for the numbers it
//! is given, and refuse wrong use in one clear line with exit status 2?

use crate::program;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    program::output(Command::new(program::example("derivation")).args(arguments))
}

fn page(name: &str, arguments: &[&str]) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let output = run(&[arguments, &["--out", path.to_str().unwrap()]].concat());
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && output.stderr.is_empty());
    assert!(said.starts_with(&format!("wrote {}", path.display())) && said.lines().count() == 1);
    fs::read_to_string(path).unwrap()
}

#[test]
fn the_articles_page_has_its_five_components() {
    let page = page("article.html", &[]);
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
    assert!(page.len() < 300_000);
    for title in [
        "1 · dL/da",
        "2 · da/dz",
        "3 · dL/dz",
        "4 · dz/dw",
        "5 · dz/db",
    ] {
        assert!(page.contains(title), "{title}");
    }
    // What the engine derives for dL/dz, dL/dw1, and no other way of writing it.
    let a_minus_y = r#"\u003cmi\u003ea\u003c/mi\u003e\u003cmo\u003e−\u003c/mo\u003e\u003cmi\u003ey\u003c/mi\u003e"#;
    let engine = page.matches("\"engine\":").count();
    assert_eq!(engine, 1 + 1 + 1 + 2 + 1 + 3);
    assert!(page.matches(a_minus_y).count() >= 8, "a − y");
}

#[test]
fn the_users_numbers_are_on_the_page() {
    let page = page(
        "own.html",
        &[
            "--x",
            "1,2,3",
            "--w",
            "0.5,-1,0.125",
            "--b",
            "0",
            "--y",
            "0",
            "--spelled-out",
        ],
    );
    for text in ["\"n\":\"w3\"", "\"v\":0.125", "\"n\":\"g\"", "da/dg"] {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn wrong_use_is_refused() {
    let wrong: [(&[&str], &str); 5] = [
        (&["--x", "1,2,3"], "--x: 3 features given, 2 expected"),
        (
            &["--b", "one"],
            "--b is given \"one\", a finite number expected",
        ),
        (&["--y", "2"], "--y is 2, a number from 0 to 1 expected"),
        (&["--bogus"], "invalid option '--bogus'"),
        (
            &["--out", "no/such/page.html"],
            "no/such/page.html: cannot be written: No such file or directory (os error 2)",
        ),
    ];
    for (arguments, expected) in wrong {
        let output = run(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said, format!("error: {expected}\n"));
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn help_lists_every_option() {
    let output = run(&["--help"]);
    let text = String::from_utf8(output.stdout).unwrap();
    for option in ["--x", "--w", "--b", "--y", "--spelled-out", "--out"] {
        assert!(text.contains(option), "{option}");
    }
    assert!(output.status.success());
}
