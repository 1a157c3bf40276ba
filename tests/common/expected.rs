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

/// Holds each operation to what is written of it under some keys, and says the lines that should
/// be there instead.
pub fn hold(keys: &[(&str, &dyn Fn(Op) -> String)]) {
    let mut wrong = String::new();
    for &op in Op::ALL {
        let found = keys.iter().map(|(key, found)| (key, found(op)));
        let lines = found.filter(|(key, found)| of(op, key) != Some(found));
        let lines: String = lines
            .map(|(key, found)| format!("  {key} {found}\n"))
            .collect();
        if !lines.is_empty() {
            wrong += &format!("{op}\n{lines}");
        }
    }
    assert!(
        wrong.is_empty(),
        "tests/golden/operations.txt has not:\n{wrong}"
    );
}

/// The names in the file.
pub fn names() -> Vec<&'static str> {
    let is_name = |line: &&str| !line.is_empty() && !line.starts_with([' ', '#']);
    FILE.lines().filter(is_name).collect()
}
