//! Does Ctrl-C end the logistic-regression example with its files as they were, and
//! does the example go on where it was told to ignore Ctrl-C?

use crate::program;
use std::fs;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::thread;

const BEFORE: &str = "what was there before";

/// A program about to read its data, and the file it is to write over.
struct Reading {
    child: Child,
    input: ChildStdin,
    folder: PathBuf,
}

/// Starts the example by a command that its arguments are added to, and gives it
/// data without an end.
fn reading(name: &str, mut command: Command) -> Reading {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).unwrap();
    let out = folder.join("out.csv");
    fs::write(&out, BEFORE).unwrap();
    let command = command.args(["--data", "/dev/stdin", "--label", "y", "--out"]);
    let mut child = program::start(command.arg(&out).stdin(Stdio::piped()));
    // More than a pipe holds: once it is written, the program is reading.
    let rows = "1,0\n2,1\n3,0\n4,1\n".repeat(20_000);
    let mut input = child.stdin.take().unwrap();
    let mut writer = Some(thread::spawn(move || {
        input.write_all(b"x,y\n")?;
        input.write_all(rows.as_bytes())?;
        Ok::<ChildStdin, std::io::Error>(input)
    }));
    let written = program::wait(&mut child, |_| {
        writer.take_if(|writer| writer.is_finished())
    });
    let input = written.join().unwrap().unwrap();
    Reading {
        child,
        input,
        folder,
    }
}

impl Reading {
    fn interrupt(&self) {
        let id = self.child.id().to_string();
        let kill = Command::new("kill").args(["-INT", &id]).status().unwrap();
        assert!(kill.success());
    }

    /// Its output, and what is in the file afterwards; there is no other file.
    fn end(self) -> (Output, String) {
        drop(self.input);
        let output = program::finish(self.child);
        let files = fs::read_dir(&self.folder).unwrap().count();
        assert_eq!(files, 1, "no other file");
        let text = fs::read_to_string(self.folder.join("out.csv")).unwrap();
        (output, text)
    }
}

/// Whether programs started here ignore Ctrl-C, as those that a shell starts in the
/// background do. There is no way back from it for them.
fn interrupts_are_ignored() -> bool {
    let survives = ["-c", "kill -INT $$; exit 0"];
    let status = Command::new("sh").args(survives).status().unwrap();
    status.signal().is_none()
}

#[test]
fn an_interrupt_ends_it_with_status_130_and_leaves_files_as_they_were() {
    if interrupts_are_ignored() {
        let why = "skipped: whoever started this test has programs ignore SIGINT";
        writeln!(std::io::stderr(), "{why}").unwrap();
        return;
    }
    let program = Command::new(program::example("logistic_regression"));
    let mut reading = reading("interrupt", program);
    reading.interrupt();
    // Its input stays open until it has ended.
    program::wait(&mut reading.child, |child| child.try_wait().unwrap());
    let (output, text) = reading.end();
    assert_eq!(output.status.code(), Some(130));
    assert!(output.stdout.is_empty() && output.stderr.is_empty());
    assert_eq!(text, BEFORE);
}

#[test]
fn where_interrupts_are_ignored_it_goes_on_to_its_end() {
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' INT; exec \"$0\" \"$@\""]);
    shell.arg(program::example("logistic_regression"));
    let mut reading = reading("ignored_interrupt", shell);
    reading.interrupt();
    let rest = reading.input.write_all(b"5,1\n");
    assert!(rest.is_ok(), "it does not read on: {rest:?}");
    let (output, text) = reading.end();
    assert!(output.status.success(), "{output:?}");
    assert!(text.starts_with("feature,coefficient,std_error\n"));
}
