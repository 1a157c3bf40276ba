//! `Function`: what it has, and what is asked of it without an evaluation.

use crate::error::Error;
use crate::execute::driver::rolled::Rolled;
use crate::execute::lanes::block::Slot;
use crate::execute::lanes::lane_program::Plan;
use crate::execute::scalar::on_registers::OnRegisters;
use crate::graph::Recording;
use crate::graph::{NodeId, Operand};
use crate::tape::Tape;
use crate::tape::Var;
use indexmap::IndexMap;
use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, OnceLock};

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
/// Evaluation without a [`Workspace`](crate::Workspace) allocates one; the methods that end in
/// `_into` take one and allocate nothing once it has been used.
///
/// A comparison between `Var`s that the recording program made (`if a < b`) is
/// checked at each evaluation: where it would come out the other way, the
/// evaluation is an error and not a stale branch. `select_lt` and its kin record
/// both sides and need no check.
///
/// Freezing drops what no output depends on, makes constants of what depends on
/// no input, and one node of each sum of products. None of this changes a bit of
/// any value or gradient.
///
/// If there are columns, what depends on parameters alone is moved before what depends on
/// columns, because over rows it is evaluated once. That is another order in which a gradient
/// is added up: values and gradients, at a point and in each row, then have the bits of a tape
/// that records these nodes first.
///
/// Value and gradient of up to some 60,000 nodes are evaluated by instructions on registers,
/// small functions in half the time of the sweeps; [`Stats::registers`](crate::Stats::registers) says how many.
///
/// Where the program added up terms in a loop over its data, freezing finds the loop
/// again: for value and gradient its turns are then evaluated many at a time, in the
/// vector instructions of the processor, with the same bits, 3 to 10 times as fast. It has
/// to be one sum of 16 terms or more, added by `+` and `−` turn by turn or by one
/// [`sum`](Var::sum), each made by the same operations; a turn may take other constants and
/// other nodes from before the loop than the next. No turn may depend on another, and no
/// comparison may have been made.
/// [`Stats::turns`](crate::Stats::turns) says whether a loop was found.
///
/// ```
/// use chainrule::{Tape, Var};
///
/// let tape = Tape::new();
/// let [w, b] = tape.var_array([0.5, -0.25]);
/// let mut loss = Var::from(0.0);
/// for i in 0..100 {
///     let (x, y) = (f64::from(i) / 100.0, f64::from(i % 2));
///     let z = w * x + b;
///     loss += z.softplus() - z * y;
/// }
/// let f = tape.function(&[w, b], loss);
/// assert_eq!(f.stats().turns, 99); // the first adds to a constant
/// assert_eq!(f.value(&[0.5, -0.25]), Ok(loss.value()));
/// ```
///
/// Debug builds evaluate a function some 6 times as slowly at a point, and a hundred times over
/// [rows](crate::Rows#debug-builds); two lines in `Cargo.toml` help.
#[derive(Clone)]
pub struct Function {
    pub(crate) recording: Recording,
    /// Where each input lies.
    pub(crate) inputs: Vec<u32>,
    /// Input names, with their positions among the inputs.
    pub(crate) names: IndexMap<Arc<str>, usize>,
    /// Which of them are columns.
    pub(crate) is_column: Vec<bool>,
    pub(crate) outputs: Vec<Operand>,
    /// Terms that count once, however many rows there are.
    pub(crate) once: Vec<Operand>,
    pub(crate) retained: Vec<Operand>,
    pub(crate) recorded_nodes: usize,
    pub(crate) passes: Vec<Pass>,
    pub(crate) plan: Plan,
    /// The same for value and gradient at a point, if the recording is a loop.
    pub(crate) rolled: Option<Box<Rolled>>,
    /// The same, if there are few enough numbers.
    pub(crate) registers: Option<Box<OnRegisters>>,
    /// Functions made from this one when they are first asked for.
    pub(crate) derived: Derived,
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

    /// The next input of the function, a column. The recording runs at `sample`.
    ///
    /// # Panics
    /// If the name is taken.
    #[track_caller]
    pub fn column(&self, name: &str, sample: f64) -> Var<'t> {
        let column = self.tape.column(sample).named(name);
        self.inputs.borrow_mut().push(column);
        column
    }

    /// The next inputs of the function, without names.
    pub fn inputs(&self, values: &[f64]) -> Vec<Var<'t>> {
        let inputs = self.tape.vars(values);
        self.inputs.borrow_mut().extend(&inputs);
        inputs
    }
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

    pub(crate) fn written(&self, operand: Operand) -> String {
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
        let mut position_of = vec![None; program.records.len()];
        for (position, &input) in self.inputs.iter().enumerate() {
            position_of[input as usize] = Some(position);
        }
        for (index, &record) in program.records.iter().enumerate() {
            let id = NodeId(index as u32);
            let name = self.written(Operand::Node(id));
            if let Some(position) = position_of[index] {
                writeln!(f, "{name} = input {position}")?;
                continue;
            }
            let mut operands = Vec::new();
            program.for_each_operand(record, |operand| operands.push(self.written(operand)));
            write!(f, "{name} = {}", record.op().print(&operands))?;
            if record.op().arity().is_none() && !program.own_constants(record).is_empty() {
                write!(f, " with {:?}", program.own_constants(record))?;
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

/// Functions made from a function when they are first asked for: see `derived.rs`.
#[derive(Clone, Default)]
pub(crate) struct Derived {
    /// The gradient of a row by the parameters, with an output for each; and the terms that
    /// count once as a function of the parameters.
    pub(crate) gradient: OnceLock<Box<[Function; 2]>>,
    pub(crate) tangent: OnceLock<Box<Function>>,
    pub(crate) product: OnceLock<Box<Function>>,
    pub(crate) products: OnceLock<Box<Products>>,
    pub(crate) first_reached: OnceLock<Vec<u32>>,
}

/// Products with all unit vectors.
#[derive(Clone)]
pub(crate) struct Products {
    /// Its parameters are the inputs, its columns the components of a direction.
    pub(crate) function: Function,
    /// The blocks of these columns, where each row is a unit vector.
    pub(crate) unit_vectors: Vec<Vec<Slot>>,
}

/// One pass over a recording that is made a function.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Pass {
    /// What it does.
    pub name: &'static str,
    /// How many nodes there were before it.
    pub before: usize,
    /// How many there are after it.
    pub after: usize,
}
