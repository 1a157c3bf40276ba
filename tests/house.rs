//! Is the house in order? The layering of the modules, the size of the files,
//! what each file says of itself, and what a newcomer has to build.

use std::collections::HashSet;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The modules in their order: each may use only those before it.
const HOUSE: [&str; 15] = [
    "error",
    "math",
    "ops",
    "dual",
    "graph",
    "sweep",
    "registers",
    "execute",
    "compile",
    "tape",
    "function",
    "formula",
    "check",
    "inspect",
    "models",
];

fn files(below: &str) -> Vec<PathBuf> {
    let mut waiting = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(below)];
    let mut found = Vec::new();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(
                fs::read_dir(path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The top-level module that a file of `src` belongs to.
fn module(path: &Path) -> String {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let first = path
        .strip_prefix(source)
        .unwrap()
        .components()
        .next()
        .unwrap();
    first
        .as_os_str()
        .to_str()
        .unwrap()
        .trim_end_matches(".rs")
        .to_owned()
}

/// The lines of a source text that are no comments, as one.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    text.lines().filter(is_code).collect::<Vec<_>>().join(" ")
}

/// The names that come after each `prefix` in a source text: `prefix::name`, or each of
/// `prefix::{name, name::more}`.
fn named<'t>(code: &'t str, prefix: &str) -> Vec<&'t str> {
    let name = |text: &'t str| {
        let text = text.trim_start();
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
        &text[..end.unwrap_or(text.len())]
    };
    let mut names = Vec::new();
    for (at, _) in code.match_indices(prefix) {
        let rest = &code[at + prefix.len()..];
        let Some(braces) = rest.strip_prefix('{') else {
            names.push(name(rest));
            continue;
        };
        let (mut depth, mut start) = (0, 0);
        for (at, c) in braces.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth > 0 => depth -= 1,
                ',' | '}' if depth == 0 => {
                    names.push(name(&braces[start..at]));
                    start = at + 1;
                }
                _ => {}
            }
            if c == '}' && depth == 0 && start == at + 1 {
                break;
            }
        }
    }
    names
}

/// The modules that a source text names by `crate::module`.
fn used(code: &str) -> Vec<&str> {
    let names = named(code, "crate::").into_iter();
    names.filter(|name| HOUSE.contains(name)).collect()
}

#[test]
fn names_are_seen_after_a_prefix_and_in_braces() {
    let code = "use crate::ops::{Op, Real}; use crate::{graph::{A, B}, tape, math::x}; super::a::b";
    assert_eq!(named(code, "crate::"), ["ops", "graph", "tape", "math"]);
    assert_eq!(named(code, "super::"), ["a"]);
}

#[test]
fn each_module_uses_only_modules_before_it() {
    let place = |name: &str| HOUSE.iter().position(|module| *module == name);
    for path in files("src") {
        let own = module(&path);
        if own == "lib" {
            continue;
        }
        let rank = place(&own).unwrap_or_else(|| panic!("{own} has no place in the house"));
        for other in used(&code(&path)) {
            let below = place(other).unwrap();
            assert!(
                below <= rank,
                "{} uses {other}, which comes after {own}",
                path.display()
            );
        }
    }
}

/// The module of a folder that a file in it or below it belongs to.
fn module_in(folder: &Path, path: &Path) -> Option<String> {
    let first = path.strip_prefix(folder).ok()?.components().next()?;
    let name = first.as_os_str().to_str()?.trim_end_matches(".rs");
    (name != "mod" && name != "lib").then(|| name.to_owned())
}

#[test]
fn no_folder_has_a_circle_of_imports() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let all = files("src");
    let folders: BTreeSet<&Path> = all.iter().filter_map(|path| path.parent()).collect();
    // The table and what reads it are made of each other: macros of one module.
    let ops = source.join("ops");
    for folder in folders.into_iter().filter(|folder| **folder != ops) {
        let inside = folder.strip_prefix(&source).unwrap();
        let room: String = inside
            .iter()
            .map(|part| format!("{}::", part.to_str().unwrap()))
            .collect();
        let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for path in all.iter().filter(|path| path.starts_with(folder)) {
            let Some(own) = module_in(folder, path) else {
                continue;
            };
            let code = code(path);
            let depth = path.strip_prefix(folder).unwrap().components().count();
            let is_mod = path.file_name().is_some_and(|name| name == "mod.rs");
            let supers = "super::".repeat(depth - usize::from(is_mod));
            let mut names = named(&code, &format!("crate::{room}"));
            names.extend(named(&code, &supers));
            let others = names
                .into_iter()
                .filter(|name| *name != own)
                .map(str::to_owned);
            uses.entry(own.clone()).or_default().extend(others);
        }
        // What uses nothing that is left is taken away, again and again.
        while let Some(done) = uses
            .iter()
            .find(|(_, others)| !others.iter().any(|other| uses.contains_key(other)))
            .map(|(name, _)| name.clone())
        {
            uses.remove(&done);
        }
        assert!(uses.is_empty(), "{}: {uses:?}", folder.display());
    }
}

#[test]
fn the_models_use_the_public_api_only() {
    for path in files("src/models") {
        assert!(
            used(&code(&path)).is_empty(),
            "{} reaches into a module",
            path.display()
        );
    }
}

#[test]
fn no_file_is_longer_than_500_lines() {
    for folder in ["src", "tests", "benches", "examples"] {
        for path in files(folder) {
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            assert!(lines <= 500, "{} has {lines} lines", path.display());
        }
    }
}

#[test]
fn every_file_opens_by_saying_what_it_holds() {
    for folder in ["src", "tests", "benches", "examples"] {
        for path in files(folder) {
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.starts_with("//! "), "{} does not", path.display());
        }
    }
}

#[test]
fn every_file_is_found() {
    assert!(
        files("src").len() > HOUSE.len(),
        "the other tests would see nothing"
    );
}

#[test]
fn the_tests_are_at_most_ten_programs() {
    let roots = files("tests").into_iter().filter(|path| {
        let below = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"));
        let below: Vec<_> = below.unwrap().iter().collect();
        below.len() == 1 || below.len() == 2 && below[1] == "main.rs"
    });
    let roots: Vec<PathBuf> = roots.collect();
    assert!((2..=10).contains(&roots.len()), "{roots:?}");
}

/// The crate, what it depends on, and what the examples and tests do.
#[test]
fn a_newcomer_builds_at_most_60_crates() {
    let tree = ["tree", "--locked", "--offline", "--prefix=none"];
    let edges = ["--edges=normal,build,dev", "--no-dedupe", "--format={p}"];
    let mut cargo = Command::new(env!("CARGO"));
    let cargo = cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = cargo.args(tree).args(edges).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let crates: HashSet<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    assert!((10..=60).contains(&crates.len()), "{crates:?}");
}
