//! How many instructions does a node cost? Callgrind counts the same number
//! whatever else the machine does.
//!
//! `cargo bench --workspace --bench instructions` needs valgrind. It runs itself under
//! `valgrind --tool=callgrind` for one round and for two of each workload, and
//! divides the difference by the number of nodes.
#![allow(clippy::print_stdout, reason = "a bench prints what it measured")]

#[allow(dead_code, reason = "nothing is timed here")]
mod workloads;

use chainrule::Tape;
use std::hint::black_box;
use std::process::Command;
use workloads::Workload;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.iter().position(|argument| argument == "--rounds") {
        Some(at) => rounds(
            &arguments[at + 1],
            &arguments[at + 2],
            arguments[at + 3].parse().expect("a number of rounds"),
        ),
        None if arguments.iter().any(|argument| argument == "--test") => {}
        None => table(),
    }
}

/// The program that is counted: a first round that needs memory, and `count`.
fn rounds(name: &str, what: &str, count: usize) {
    let all = workloads::all(true);
    let workload = all.iter().find(|workload| workload.name == name);
    let workload = workload.expect("the name of a workload");
    match what {
        "record" => record(workload, count),
        "sweep" => sweep(workload, count),
        "again" => again(workload, count),
        _ => replay(workload, count),
    }
}

fn record(workload: &Workload, count: usize) {
    let mut tape = Tape::new();
    for _ in 0..=count {
        tape.clear();
        black_box((workload.record)(&tape));
    }
}

fn sweep(workload: &Workload, count: usize) {
    let tape = Tape::new();
    let output = (workload.record)(&tape);
    let mut buffer = Vec::new();
    for _ in 0..=count {
        let adjoints = tape.backward_with(&[(output, 1.0)], buffer);
        buffer = black_box(adjoints).into_buffer();
    }
}

/// Many rounds, so that the operations are known at last.
fn again(workload: &Workload, count: usize) {
    let (mut tape, mut buffer) = (Tape::new(), Vec::new());
    for _ in 0..20 + count {
        tape.clear();
        let output = (workload.record)(&tape);
        let adjoints = tape.backward_with(&[(output, 1.0)], buffer);
        buffer = black_box(adjoints).into_buffer();
    }
}

fn replay(workload: &Workload, count: usize) {
    let tape = Tape::new();
    (workload.record)(&tape);
    for _ in 0..=count {
        tape.forward();
    }
}

fn count(name: &str, what: &str, rounds: usize) -> f64 {
    let program = std::env::current_exe().expect("this program");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(["--rounds", name, what, &rounds.to_string()])
        .output()
        .expect("valgrind");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = text.lines().find(|line| line.contains("Collected"));
    let number = line.and_then(|line| line.rsplit(' ').next()?.parse().ok());
    number.unwrap_or_else(|| panic!("no count in what valgrind said:\n{text}"))
}

fn table() {
    println!("| instructions per node | nodes | record | forward | reverse | the same again |");
    println!("|---|---|---|---|---|---|");
    for workload in workloads::all(true) {
        let tape = Tape::new();
        (workload.record)(&tape);
        let nodes = tape.len() as f64;
        let per_node =
            |what| (count(workload.name, what, 2) - count(workload.name, what, 1)) / nodes;
        let record = per_node("record");
        println!(
            "| {} | {nodes} | {record:.1} | {:.1} | {:.1} | {:.1} |",
            workload.name,
            per_node("forward"),
            per_node("sweep"),
            per_node("again") - record
        );
    }
}
