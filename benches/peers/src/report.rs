//! The table, on the terminal and in `docs/benchmarks.md`.

use std::fmt::{self, Write};
use std::fs;
use std::process::Command;

pub struct Line {
    pub workload: &'static str,
    pub name: &'static str,
    pub nanoseconds: f64,
    pub times: f64,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            workload,
            name,
            nanoseconds,
            times,
        } = self;
        write!(
            f,
            "{workload:<22}{name:<22}{nanoseconds:>10.2} ns{times:>8.2} ×"
        )
    }
}

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/benchmarks.md");
const START: &str = "<!-- peers: written by benches/peers -->\n";
const END: &str = "<!-- end of peers -->\n";

/// Puts the tables between the two marks of the document.
pub fn write(lines: &[Line], memory: &[(&str, f64)]) {
    let table = table(lines, memory);
    println!("\n{table}");
    let text = fs::read_to_string(PATH).expect("docs/benchmarks.md");
    let (before, rest) = text.split_once(START).expect("the first mark");
    let (_, after) = rest.split_once(END).expect("the second mark");
    let text = format!("{before}{START}{table}{END}{after}");
    fs::write(PATH, text).expect("docs/benchmarks.md");
}

fn table(lines: &[Line], memory: &[(&str, f64)]) -> String {
    let mut names: Vec<&str> = Vec::new();
    let mut workloads: Vec<&str> = Vec::new();
    for line in lines {
        if !names.contains(&line.name) {
            names.push(line.name);
        }
        if !workloads.contains(&line.workload) {
            workloads.push(line.workload);
        }
    }
    let mut text = String::from("\n");
    let mut put = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    put(format!(
        "{}, {}, {}. Default target flags but for the loop by hand (`-C target-cpu=native`), fat LTO.",
        date(),
        machine(),
        compiler()
    ));
    put(String::new());
    put(format!("| | {} |", workloads.join(" | ")));
    put(format!("|---|{}", "---|".repeat(workloads.len())));
    for name in names {
        let mut row = format!("| {name} |");
        for workload in &workloads {
            let found = lines
                .iter()
                .find(|l| l.workload == *workload && l.name == name);
            match found {
                Some(line) if name == "by hand" => {
                    write!(row, " {:.2} ns |", line.nanoseconds).expect("a string");
                }
                Some(line) => {
                    write!(row, " {:.2}× ({:.1} ns) |", line.times, line.nanoseconds)
                        .expect("a string");
                }
                None => row.push_str(" |"),
            }
        }
        put(row);
    }
    put(String::new());
    put(
        "Bytes for each operation of W3 at the peak of a first evaluation, adjoints included:"
            .into(),
    );
    put(String::new());
    for (name, bytes) in memory {
        put(format!("- {name}: {bytes:.1}"));
    }
    put(String::new());
    text
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or(String::new(), |output| {
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    })
}

fn date() -> String {
    output("date", &["+%Y-%m-%d"])
}

fn compiler() -> String {
    output("rustc", &["--version"])
}

fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name"));
    let wide = if cpu.contains("avx512f") {
        " with AVX-512"
    } else {
        ""
    };
    let model = model.map_or("unknown processor", |model| {
        model.trim_start_matches([' ', '\t', ':'])
    });
    format!("one core of an {model}{wide}")
}
