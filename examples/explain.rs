//! Where does (a − y)·x come from? Prints every step of the derivation of logistic
//! regression's gradient, as the engine finds it.
//!
//!     cargo run --example explain

use chainrule::models::derivation::Graph;
use chainrule::models::logistic::Form;
use chainrule::{Error, Tape};
use std::io::{self, Write};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let text = explained(Form::Sigmoid)?;
    match io::stdout().write_all(text.as_bytes()) {
        // The reader has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => Ok(done?),
    }
}

fn explained(form: Form) -> Result<String, Error> {
    let tape = Tape::new();
    let graph = Graph::record(&tape, &[1.5, -2.0], &[0.4, -0.3], 0.1, 1.0, form)?;
    let explanations = graph.explanations().into_iter().enumerate();
    let text = explanations.map(|(i, explanation)| {
        let line = "─".repeat(100);
        format!("{line}\n{}  {explanation}\n", i + 1)
    });
    Ok(text.collect())
}
