//! The file that the program writes, and Ctrl-C. A file is there whole or not at
//! all: it is written beside its place and then renamed, and Ctrl-C waits for
//! that.

use crate::data::Table;
use crate::fit::Fit;
use indicatif::ProgressBar;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Held while a file is being written.
static WRITING: Mutex<()> = Mutex::new(());

/// From now on Ctrl-C clears the bar and ends the program with status 130, as a
/// shell says it. The default would leave the bar on the screen, and perhaps the
/// beginning of a file. Where somebody has the program ignore the signal, as
/// `nohup` and its kin do, it goes on doing so.
pub fn end_on_interrupt(bar: ProgressBar) {
    let _ = ctrlc::try_set_handler(move || {
        let _writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
        bar.finish_and_clear();
        std::process::exit(130);
    });
}

/// Writes the coefficients as CSV, the constant first.
pub fn coefficients(path: &str, table: &Table, fit: &Fit) -> Result<(), String> {
    let text = csv_text(table, fit);
    write_whole(Path::new(path), &text)
        .map_err(|error| format!("{path}: cannot be written: {error}"))
}

fn csv_text(table: &Table, fit: &Fit) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let names = table.features.iter().map(String::as_str);
    let named = names.chain(["(constant)"]).enumerate();
    // The constant is the last parameter.
    let mut rows: Vec<_> = named.collect();
    rows.rotate_right(1);
    let mut write = |record: [&str; 3]| writer.write_record(record).expect("memory");
    write(["feature", "coefficient", "std_error"]);
    for (i, name) in rows {
        let numbers = [fit.parameters[i], fit.standard_errors[i]].map(|x| x.to_string());
        write([name, &numbers[0], &numbers[1]]);
    }
    writer.into_inner().expect("memory")
}

fn write_whole(path: &Path, text: &[u8]) -> io::Result<()> {
    // What a link points to is replaced, and not the link.
    let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if place.exists() && !place.is_file() {
        return Err(io::Error::other("not a file"));
    }
    let beside = beside(&place);
    let _writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let written = File::create_new(&beside)
        .and_then(|mut file| {
            file.write_all(text)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&beside, &place));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

/// A hidden name in the same folder.
fn beside(place: &Path) -> PathBuf {
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    place.with_file_name(format!(".{name}.{}", std::process::id()))
}
