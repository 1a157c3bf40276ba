//! `Function`: a tape frozen for repetition.
//!
//! It owns what it needs of the recording, is immutable and shared between
//! threads, and evaluates through `&self` by the same two sweeps as a tape. The
//! passes that freezing makes change no bit of any result: what no output
//! depends on is dropped, what depends on no input becomes a constant, and sums
//! of weighted terms become one node each.

mod passes;
mod run;

pub use run::Workspace;

use crate::error::Error;
use crate::ops::Op;
use crate::program::{Guard, NodeId, Operand};
use crate::recording::Recording;
use crate::tape::Tape;
use crate::var::Var;
use indexmap::IndexMap;
use passes::{copy, gone_to, merge_sums};
use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

/// A recording frozen for repetition: immutable, `Send + Sync`, evaluated
/// through `&self` at any point.
///
/// ```
/// use chainrule::{Function, Tape};
///
/// let tape = Tape::new();
/// let (x, y) = (tape.var(1.0).named("x"), tape.var(2.0).named("y"));
/// let f = tape.function(&[x, y], x.square() * y);
/// drop(tape);
///
/// assert_eq!(f.value(&[3.0, 5.0]), Ok(45.0));
/// assert_eq!(f.gradient(&[3.0, 5.0]), Ok(vec![30.0, 9.0]));
/// assert_eq!(f.hessian(&[3.0, 5.0]).unwrap(), [[10.0, 6.0], [6.0, 0.0]]);
/// ```
///
/// Evaluation without a [`Workspace`] allocates one; the methods that end in
/// `_into` take one and allocate nothing once it has been used.
///
/// A comparison between `Var`s that the recording program made (`if a < b`) is
/// checked at each evaluation: where it would come out the other way, the
/// evaluation is an error and not a stale branch. `select_lt` and its kin record
/// both sides and need no check.
#[derive(Clone)]
pub struct Function {
    recording: Recording,
    /// Where each input lies.
    inputs: Vec<u32>,
    /// Input names, with their positions among the inputs.
    names: IndexMap<Arc<str>, usize>,
    outputs: Vec<Operand>,
    recorded_nodes: usize,
}

/// Records a [`Function`] without a tape in hand.
///
/// ```
/// use chainrule::Function;
///
/// let f = Function::record(|r| {
///     let (x, y) = (r.input("x", 1.0), r.input("y", 1.0));
///     (x * y).sin()
/// });
/// assert_eq!(f.gradient(&[0.0, 2.0]), Ok(vec![2.0, 0.0]));
/// ```
#[derive(Debug)]
pub struct Recorder<'t> {
    tape: &'t Tape,
    inputs: RefCell<Vec<Var<'t>>>,
}

impl<'t> Recorder<'t> {
    /// The next input of the function. The recording runs at `value`.
    ///
    /// # Panics
    /// If the name is taken.
    #[track_caller]
    pub fn input(&self, name: &str, value: f64) -> Var<'t> {
        let input = self.tape.var(value).named(name);
        self.inputs.borrow_mut().push(input);
        input
    }

    /// The next inputs of the function, without names.
    pub fn inputs(&self, values: &[f64]) -> Vec<Var<'t>> {
        let inputs = self.tape.vars(values);
        self.inputs.borrow_mut().extend(&inputs);
        inputs
    }
}

impl Tape {
    /// Freezes what `output` depends on as a function of `inputs`, in this order.
    /// Inputs of the tape that are not among them keep their present values.
    ///
    /// Costs one pass over the tape.
    ///
    /// # Panics
    /// If one of `inputs` is not an input of this tape, or `output` belongs to
    /// another.
    #[track_caller]
    pub fn function(&self, inputs: &[Var<'_>], output: Var<'_>) -> Function {
        self.function_with_outputs(inputs, &[output])
    }

    /// The same for several outputs.
    ///
    /// # Panics
    /// As [`function`](Tape::function).
    #[track_caller]
    pub fn function_with_outputs(&self, inputs: &[Var<'_>], outputs: &[Var<'_>]) -> Function {
        let recording = self.recording.borrow();
        let mut places = Vec::with_capacity(inputs.len());
        for input in inputs {
            match input.number_on(self) {
                Some(id) if recording.program().records[id as usize].op() == Op::Input => {
                    places.push(id);
                }
                Some(id) => {
                    let node = recording.describe(id);
                    Error::NotAnInput { node }.stop()
                }
                None => {
                    let (what, value) = ("an input of a function", input.value());
                    Error::NotANode { what, value }.stop()
                }
            }
        }
        let mut ends = Vec::with_capacity(outputs.len());
        for output in outputs {
            ends.push(match output.number_on(self) {
                Some(id) => Operand::Node(NodeId(id)),
                None => Operand::Constant(output.value()),
            });
        }
        Function::freeze(&recording, &places, &ends)
    }
}

/// Which nodes the outputs and the guards depend on, and the inputs.
fn needed(recording: &Recording, inputs: &[u32], outputs: &[Operand]) -> Vec<bool> {
    let program = recording.program();
    let mut needed = vec![false; recording.len()];
    for &input in inputs {
        needed[input as usize] = true;
    }
    let guarded = recording.guards.iter().flat_map(|guard| [guard.a, guard.b]);
    for end in outputs.iter().copied().chain(guarded) {
        if let Operand::Node(id) = end {
            needed[id.index()] = true;
        }
    }
    for index in (0..needed.len()).rev() {
        if needed[index] {
            program.for_each_operand(program.records[index], |operand| {
                if let Operand::Node(id) = operand {
                    needed[id.index()] = true;
                }
            });
        }
    }
    needed
}

fn guards(guards: &[Guard], moved: &[Operand]) -> Vec<Guard> {
    let follow = |guard: &Guard| Guard {
        a: gone_to(guard.a, moved),
        b: gone_to(guard.b, moved),
        ..*guard
    };
    guards.iter().map(follow).collect()
}

impl Function {
    /// Records a function by running `record` once. See [`Recorder`].
    ///
    /// # Panics
    /// If the output is a node of another tape.
    #[track_caller]
    pub fn record(record: impl for<'t> FnOnce(&Recorder<'t>) -> Var<'t>) -> Self {
        let tape = Tape::new();
        let inputs = RefCell::default();
        let recorder = Recorder {
            tape: &tape,
            inputs,
        };
        let output = record(&recorder);
        tape.function(&recorder.inputs.borrow(), output)
    }

    /// Copies what is needed, each node's operands being copied before it. A
    /// node whose operands have all become constants becomes one.
    fn freeze(from: &Recording, inputs: &[u32], outputs: &[Operand]) -> Self {
        let needed = needed(from, inputs, outputs);
        let mut recording = Recording::default();
        let mut moved: Vec<Operand> = Vec::with_capacity(from.len());
        let mut is_input = vec![false; from.len()];
        inputs.iter().for_each(|&id| is_input[id as usize] = true);
        for index in 0..from.len() {
            moved.push(if needed[index] {
                copy(&mut recording, from, index, is_input[index], &moved)
            } else {
                Operand::Constant(f64::NAN) // nobody asks for it
            });
        }
        let place = |operand: Operand| gone_to(operand, &moved);
        recording.guards = guards(&from.guards, &moved);
        let outputs: Vec<Operand> = outputs.iter().copied().map(place).collect();
        let mut is_input_here = vec![false; recording.len()];
        for &input in inputs {
            if let Some(id) = moved[input as usize].node() {
                is_input_here[id as usize] = true;
            }
        }
        let (mut merged, again) = merge_sums(&recording, &outputs, &is_input_here);
        merged.guards = guards(&recording.guards, &again);
        let moved: Vec<Operand> = moved.iter().map(|&to| gone_to(to, &again)).collect();
        let outputs = outputs.iter().map(|&to| gone_to(to, &again)).collect();
        let recording = merged;
        let mut places = Vec::with_capacity(inputs.len());
        let mut names = IndexMap::new();
        for (position, &input) in inputs.iter().enumerate() {
            if let Operand::Node(id) = moved[input as usize] {
                places.push(id.0);
            }
            if let Some(name) = from.names.of(input).cloned() {
                names.insert(name, position);
            }
        }
        Self {
            recording,
            inputs: places,
            names,
            outputs,
            recorded_nodes: from.len(),
        }
    }

    /// How many inputs it has.
    pub fn inputs(&self) -> usize {
        self.inputs.len()
    }

    /// How many outputs it has.
    pub fn outputs(&self) -> usize {
        self.outputs.len()
    }

    /// How many nodes it evaluates, inputs among them.
    pub fn nodes(&self) -> usize {
        self.recording.len()
    }

    /// How many nodes the tape had from which it was made.
    pub fn recorded_nodes(&self) -> usize {
        self.recorded_nodes
    }

    /// The names of inputs, each with its position.
    pub fn input_names(&self) -> impl Iterator<Item = (&str, usize)> {
        self.names.iter().map(|(name, &at)| (&**name, at))
    }

    /// A point for evaluation from values by name, in any order.
    ///
    /// # Errors
    /// If a name is not that of an input, stands twice, or an input is left out.
    pub fn point(&self, values: &[(&str, f64)]) -> Result<Vec<f64>, Error> {
        if values.len() != self.inputs() {
            return Err(Error::WrongLength {
                what: "values by name",
                found: values.len(),
                expected: self.inputs(),
            });
        }
        let mut point = vec![None; self.inputs()];
        for &(name, value) in values {
            let Some(&at) = self.names.get(name) else {
                return Err(Error::UnknownName {
                    name: name.to_owned(),
                    known: self.names.len(),
                });
            };
            if point[at].replace(value).is_some() {
                return Err(Error::DuplicateName {
                    name: name.to_owned(),
                    holder: at,
                });
            }
        }
        Ok(point.into_iter().flatten().collect())
    }

    fn written(&self, operand: Operand) -> String {
        match operand {
            Operand::Constant(value) => value.to_string(),
            Operand::Node(id) => match self.recording.names.of(id.0).cloned() {
                Some(name) => name.to_string(),
                None => format!("v{id}"),
            },
        }
    }
}

/// A listing: one operation a line.
impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let program = self.recording.program();
        for (index, &record) in program.records.iter().enumerate() {
            let id = NodeId(index as u32);
            let name = self.written(Operand::Node(id));
            if let Some(position) = self.inputs.iter().position(|&input| input == id.0) {
                writeln!(f, "{name} = input {position}")?;
                continue;
            }
            let mut operands = Vec::new();
            program.for_each_operand(record, |operand| operands.push(self.written(operand)));
            write!(f, "{name} = {}", record.op().print(&operands))?;
            if record.op().arity().is_none() && !program.nary(record).constants.is_empty() {
                write!(f, " with {:?}", program.nary(record).constants)?;
            }
            writeln!(f)?;
        }
        let outputs: Vec<String> = self.outputs.iter().map(|&o| self.written(o)).collect();
        write!(f, "return {}", outputs.join(", "))
    }
}

/// A summary; the operations themselves are what `Display` prints.
impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function")
            .field("inputs", &self.inputs())
            .field("outputs", &self.outputs())
            .field("nodes", &self.nodes())
            .finish_non_exhaustive()
    }
}
