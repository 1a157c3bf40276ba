//! Examples run as programs. Every wait ends: a program that does not come to its
//! end is killed, and the test fails.

use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The longest run takes half a second where nothing else runs.
const LIMIT: Duration = Duration::from_secs(120);

/// An example, which `cargo test` builds beside the tests.
pub fn example(name: &str) -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.push("examples");
    path.push(name);
    path.set_extension(std::env::consts::EXE_EXTENSION);
    assert!(
        path.exists(),
        "first build it: cargo build --example {name}"
    );
    path
}

/// Starts a program whose outputs are read later; its input is as it was set.
pub fn start(command: &mut Command) -> Child {
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Runs a program without input to its end.
pub fn output(command: &mut Command) -> Output {
    finish(start(command.stdin(Stdio::null())))
}

/// Waits for what `ready` gives; at the limit the program is killed and the test
/// fails.
pub fn wait<T>(child: &mut Child, mut ready: impl FnMut(&mut Child) -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = ready(child) {
            return found;
        }
        if start.elapsed() > LIMIT {
            let _ = child.kill();
            panic!("the program was killed: it had not ended after {LIMIT:?}");
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// Waits for the end of a program.
pub fn finish(mut child: Child) -> Output {
    let stdout = read(child.stdout.take().unwrap());
    let stderr = read(child.stderr.take().unwrap());
    let status = wait(&mut child, |child| child.try_wait().unwrap());
    let [stdout, stderr] = [stdout, stderr].map(|reading| reading.join().unwrap());
    Output {
        status,
        stdout,
        stderr,
    }
}

/// Beside the program, so that a full pipe does not stop it.
fn read(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut text = Vec::new();
        pipe.read_to_end(&mut text).unwrap();
        text
    })
}
