//! Is the house in order? The layering of the modules, the size of the files,
//! what each file says of itself, and what a newcomer has to build.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The modules in their order: each may use only those before it.
const HOUSE: [&str; 13] = [
    "error",
    "math",
    "ops",
    "dual",
    "graph",
    "sweep",
    "registers",
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

/// The modules that a source text names by `crate::module`.
fn used(text: &str) -> Vec<&str> {
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| {
            rest.split(|c: char| !c.is_alphanumeric() && c != '_')
                .next()
                .unwrap()
        })
        .filter(|name| HOUSE.contains(name))
        .collect()
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
        for other in used(&fs::read_to_string(&path).unwrap()) {
            let below = place(other).unwrap();
            assert!(
                below <= rank,
                "{} uses {other}, which comes after {own}",
                path.display()
            );
        }
    }
}

/// The files of the same folder that a source text names by `super::file` or `crate::folder::file`.
fn siblings<'a>(text: &str, folder: &str, files: &'a [String]) -> Vec<&'a str> {
    let code = text.replace(&format!("crate::{folder}::"), "super::");
    let named = |file: &&String| {
        let parts = code.split("super::").skip(1);
        let mut names = parts.flat_map(|part| match part.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap().split(',').collect(),
            None => vec![part],
        });
        names.any(|name| {
            let mut words = name
                .trim()
                .split(|c: char| !c.is_alphanumeric() && c != '_');
            words.next() == Some(file)
        })
    };
    files.iter().filter(named).map(String::as_str).collect()
}

#[test]
fn the_files_of_formulas_use_one_another_in_no_circle() {
    let paths = files("src/formula");
    let name = |path: &PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let names: Vec<String> = paths.iter().map(name).collect();
    let mut waiting: Vec<(String, Vec<&str>)> = paths
        .iter()
        .map(|path| (name(path), fs::read_to_string(path).unwrap()))
        .map(|(name, text)| (name, siblings(&text, "formula", &names)))
        .collect();
    assert!(waiting.iter().any(|(_, used)| !used.is_empty()));
    // Takes away files that use none of those left, until there are no more.
    loop {
        let left: Vec<String> = waiting.iter().map(|(name, _)| name.clone()).collect();
        let is_used = |used: &&str| left.iter().any(|name| name == used);
        waiting.retain(|(_, used)| used.iter().any(is_used));
        if waiting.len() == left.len() {
            break;
        }
    }
    assert!(waiting.is_empty(), "in a circle: {waiting:?}");
}

#[test]
fn the_models_use_the_public_api_only() {
    for path in files("src/models") {
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            used(&text).is_empty(),
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
