//! What is expected of each operation, written down beside the golden tables, in
//! `tests/golden/operations.txt`: a new operation adds a few lines there.
#![allow(dead_code, reason = "each test takes what it needs")]

use chainrule::Op;

const FILE: &str = include_str!("../golden/operations.txt");

/// What the file says of an operation under a key; nothing if it has no such line.
pub fn of(op: Op, key: &str) -> Option<&'static str> {
    let lines = FILE.lines().skip_while(|line| *line != op.name()).skip(1);
    let mut lines = lines.take_while(|line| line.starts_with(' '));
    lines.find_map(|line| {
        let line = line.trim_start();
        let (found, said) = line.split_once(' ').unwrap_or((line, ""));
        (found == key).then_some(said)
    })
}

/// Holds each operation to what is written of it under a key, and says the lines that should be
/// there instead.
pub fn hold(key: &str, found: impl Fn(Op) -> String) {
    let wrong = Op::ALL.iter().filter_map(|&op| {
        let found = found(op);
        (of(op, key) != Some(found.as_str())).then(|| format!("{op}\n  {key} {found}"))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(
        wrong.is_empty(),
        "tests/golden/operations.txt has not:\n{}",
        wrong.join("\n")
    );
}

/// The names in the file.
pub fn names() -> Vec<&'static str> {
    let is_name = |line: &&str| !line.is_empty() && !line.starts_with([' ', '#']);
    FILE.lines().filter(is_name).collect()
}
