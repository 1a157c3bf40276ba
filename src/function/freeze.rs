//! From a tape to a `Function`: what is asked for, and the passes in their order.

use super::frozen::Derived;
use super::frozen::Function;
use super::frozen::Pass;
use crate::compile::interface::{Change, Ends};
use crate::compile::passes::{drop_ones, merge_sums, share_equal};
use crate::compile::plan::parameters_first;
use crate::error::Error;
use crate::execute::driver::rolled::Rolled;
use crate::execute::lanes::lane_program::Plan;
use crate::execute::scalar::on_registers::OnRegisters;
use crate::graph::Recording;
use crate::graph::rewrite::{Gone, copy, gone_to};
use crate::graph::{Guard, NodeId, Operand};
use crate::ops::Op;
use crate::registers::FEW;
use crate::tape::Tape;
use crate::tape::Var;
use indexmap::IndexMap;

/// So many instructions take no longer than the shortest loop of as many (`docs/benchmarks.md`).
const SHORT: usize = 128;

/// What a function is to be, step by step; made by [`Tape::freeze`].
///
/// ```
/// use chainrule::{Tape, Workspace};
///
/// let tape = Tape::new();
/// let (w, x, y) = (tape.var(1.0), tape.column(0.0), tape.column(0.0));
/// let z = w * x;
/// let f = tape
///     .freeze(&[w, x, y])
///     .output((z - y).square()) // of one row
///     .once(0.5 * w.square()) // however many rows there are
///     .retain(z) // to be read too
///     .function();
///
/// let rows = f.rows(&[&[1.0, 2.0, 3.0], &[2.0, 4.0, 7.0]])?;
/// assert_eq!(rows.value_and_gradient(&[2.0])?, (1.0 + 2.0, vec![-6.0 + 2.0]));
/// # Ok::<(), chainrule::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "`function()` makes the function"]
pub struct Freeze<'t> {
    tape: &'t Tape,
    ends: Ends,
    share_equal: bool,
    as_recorded: bool,
}

impl Tape {
    /// Freezes what `output` depends on as a function of `inputs`, in this order.
    /// Inputs of the tape that are not among them keep their present values.
    ///
    /// Costs some passes over the tape.
    ///
    /// # Panics
    /// If one of `inputs` is not an input of this tape, or `output` belongs to
    /// another; if a column that `output` depends on is not among `inputs`.
    #[track_caller]
    pub fn function(&self, inputs: &[Var<'_>], output: Var<'_>) -> Function {
        self.freeze(inputs).output(output).function()
    }

    /// The same for several outputs.
    ///
    /// # Panics
    /// As [`function`](Tape::function).
    #[track_caller]
    pub fn function_with_outputs(&self, inputs: &[Var<'_>], outputs: &[Var<'_>]) -> Function {
        let freeze = self.freeze(inputs);
        let all = outputs.iter().fold(freeze, |freeze, &v| freeze.output(v));
        all.function()
    }

    /// Begins a function of `inputs`, in this order.
    ///
    /// # Panics
    /// If one of `inputs` is not an input of this tape.
    #[track_caller]
    pub fn freeze(&self, inputs: &[Var<'_>]) -> Freeze<'_> {
        let recording = self.recording.borrow();
        let mut places = Vec::with_capacity(inputs.len());
        let mut seen = vec![false; recording.len()];
        for input in inputs {
            match input.number_on(self) {
                Some(id) if std::mem::replace(&mut seen[id as usize], true) => {
                    let node = recording.describe(id);
                    Error::InputTwice { node }.stop()
                }
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
        let ends = Ends {
            inputs: places,
            ..Ends::default()
        };
        Freeze {
            tape: self,
            ends,
            share_equal: false,
            as_recorded: false,
        }
    }
}

impl Freeze<'_> {
    #[track_caller]
    fn end(&self, var: Var<'_>) -> Operand {
        match var.number_on(self.tape) {
            Some(id) => Operand::Node(NodeId(id)),
            None => Operand::Constant(var.value()),
        }
    }

    /// One more output. Where there are rows, an output is that of one row.
    ///
    /// # Panics
    /// If it belongs to another tape.
    #[track_caller]
    pub fn output(mut self, output: Var<'_>) -> Self {
        let end = self.end(output);
        self.ends.outputs.push(end);
        self
    }

    /// A term that is added to the output, and where there are rows, to the sum
    /// or mean over them: a penalty on the parameters.
    ///
    /// # Panics
    /// If it belongs to another tape; in [`function`](Freeze::function), if it
    /// depends on a column or there is not exactly one output.
    #[track_caller]
    pub fn once(mut self, term: Var<'_>) -> Self {
        let end = self.end(term);
        self.ends.once.push(end);
        self
    }

    /// One more node whose value, and adjoint, can be read after an evaluation.
    ///
    /// # Panics
    /// If it belongs to another tape.
    #[track_caller]
    pub fn retain(mut self, node: Var<'_>) -> Self {
        let end = self.end(node);
        self.ends.retained.push(end);
        self
    }

    /// One node in place of equal ones (common subexpressions): of the same operation on
    /// the same operands in the same order. A retained node stays by itself, so that its adjoint is its own, and
    /// so does a second one with a name.
    ///
    /// Values keep every bit. Gradients may change in their last digits, because what
    /// comes back to two nodes is then added up before it is sent on and not after:
    /// so this is done only where it is asked for. It takes 0.2 to 0.4 µs a node.
    ///
    /// ```
    /// let tape = chainrule::Tape::new();
    /// let x = tape.var(0.5);
    /// let y = x.exp() * 2.0 + x.exp().sin();
    /// let f = tape.freeze(&[x]).output(y).share_equal_nodes().function();
    /// assert_eq!(f.nodes(), tape.len() - 1);
    /// assert_eq!(f.value(&[0.5]), Ok(y.value()));
    /// ```
    pub fn share_equal_nodes(mut self) -> Self {
        self.share_equal = true;
        self
    }

    /// Leaves every node as it was recorded: no pass but the one that drops what nothing
    /// depends on, what is asked for, and if there are columns the order that rows need.
    pub fn as_recorded(mut self) -> Self {
        self.as_recorded = true;
        self
    }

    /// The function.
    ///
    /// # Panics
    /// If a column that it depends on is not among its inputs; if a term that
    /// counts once depends on a column, or there is not exactly one output to add
    /// it to.
    #[track_caller]
    pub fn function(self) -> Function {
        let tape = self.tape.recording.borrow();
        let (places, recorded_nodes) = (self.ends.inputs.clone(), tape.len());
        let mut stage = drop_unneeded(&tape, self.ends);
        let mut passes = vec![Pass {
            name: "drop what nobody needs",
            before: recorded_nodes,
            after: stage.recording.len(),
        }];
        if self.share_equal {
            stage.pass("share equal nodes", share_equal, &mut passes);
        }
        // Before what depends on the order: at a point, too, the bits are those of this order.
        stage.put_parameters_first();
        let (mut rolled, mut registers) = (None, None);
        if !self.as_recorded {
            rolled = Rolled::new(&stage.recording, &stage.ends).map(Box::new);
            stage.pass("drop factors of 1", drop_ones, &mut passes);
            if rolled.is_none() || stage.recording.len() <= FEW {
                registers = OnRegisters::of(&stage.recording, &stage.ends).map(Box::new);
            }
            let instructions = registers.as_deref().map(OnRegisters::instructions);
            match instructions {
                Some(..=SHORT) => rolled = None,
                Some(_) if rolled.is_some() => registers = None,
                _ => {}
            }
            stage.pass("merge sums of products", merge_sums, &mut passes);
        }
        let is_column: Vec<bool> = stage
            .ends
            .inputs
            .iter()
            .map(|&at| stage.is_column(at))
            .collect();
        // Again: merging has put all inputs first.
        let shared = stage.put_parameters_first();
        let Stage { recording, ends } = stage;
        let mut names = IndexMap::new();
        for (position, &input) in places.iter().enumerate() {
            if let Some(name) = tape.names.of(input).cloned() {
                names.insert(name, position);
            }
        }
        let columns = is_column.iter().filter(|is_column| **is_column).count();
        let plan = Plan::new(&recording, shared, &ends, &is_column, vec![false; columns]);
        if !ends.once.is_empty() && (ends.outputs.len() != 1 || plan.varies(&ends.once)) {
            Error::NotOnce.stop();
        }
        Function {
            recording,
            names,
            is_column,
            recorded_nodes,
            passes,
            plan,
            rolled,
            registers,
            inputs: ends.inputs,
            outputs: ends.outputs,
            once: ends.once,
            retained: ends.retained,
            derived: Derived::default(),
        }
    }
}

/// A recording on its way to a function.
struct Stage {
    recording: Recording,
    ends: Ends,
}

impl Stage {
    /// Does a pass, and notes how many nodes there were before and after it.
    fn pass(&mut self, name: &'static str, change: Change, passes: &mut Vec<Pass>) {
        let before = self.recording.len();
        if let Some((changed, moved)) = change(&self.recording, &self.ends) {
            self.replace_by(changed, &moved);
        }
        passes.push(Pass {
            name,
            before,
            after: self.recording.len(),
        });
    }

    /// What a pass made of it: a recording, and where each node has gone.
    fn replace_by(&mut self, mut recording: Recording, moved: &[Gone]) {
        keep_guards(&mut recording, &self.recording, moved);
        self.ends = std::mem::take(&mut self.ends).follow(moved);
        self.recording = recording;
    }

    /// What depends on parameters alone before what depends on columns; and how much that is.
    fn put_parameters_first(&mut self) -> usize {
        let Some((changed, moved, count)) = parameters_first(&self.recording, &self.ends) else {
            return self.recording.len();
        };
        self.replace_by(changed, &moved);
        count
    }

    fn is_column(&self, id: u32) -> bool {
        self.recording.program().records[id as usize].is_column()
    }
}

/// Keeps the guards of a recording whose nodes have gone where `moved` says; those that have
/// become equal once.
fn keep_guards(to: &mut Recording, from: &Recording, moved: &[Gone]) {
    let follow = |guard: &Guard| Guard {
        a: gone_to(guard.a, moved),
        b: gone_to(guard.b, moved),
        ..*guard
    };
    to.keep_guards(from.guards().iter().map(follow));
}

/// Which nodes the ends and the guards depend on, and the inputs.
fn needed(recording: &Recording, ends: &Ends) -> Vec<bool> {
    let program = recording.program();
    let mut needed = ends.inputs_among(recording.len());
    let guarded = recording
        .guards()
        .iter()
        .flat_map(|guard| [guard.a, guard.b]);
    for end in ends.asked_for().chain(guarded) {
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

/// Copies what is needed, each node's operands being copied before it. A node
/// whose operands have all become constants becomes one.
#[track_caller]
fn drop_unneeded(from: &Recording, ends: Ends) -> Stage {
    let needed = needed(from, &ends);
    let is_input = ends.inputs_among(from.len());
    let mut to = Recording::with_room(needed.iter().filter(|needed| **needed).count());
    let mut moved: Vec<Gone> = Vec::with_capacity(from.len());
    for index in 0..from.len() {
        if needed[index] && !is_input[index] && from.program().records[index].is_column() {
            let node = from.describe(index as u32);
            Error::ColumnLeftOut { node }.stop();
        }
        moved.push(if needed[index] {
            copy(&mut to, from, index, is_input[index], &moved)
        } else {
            Gone::NOWHERE
        });
    }
    keep_guards(&mut to, from, &moved);
    let ends = ends.follow(&moved);
    Stage {
        recording: to,
        ends,
    }
}
