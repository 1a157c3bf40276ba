//! What a function does once a call, and what it does in each row.
//!
//! The nodes that depend on parameters alone come first in the recording
//! (`parameters_first`); the sweeps of `sweep.rs` evaluate them. Every node after
//! them is a step, done for many rows at a time. A plan also says to whom each
//! step's adjoint goes, so that nothing is computed that nobody needs, and a first
//! share is written where a later one is added.

use super::freeze::Ends;
use super::passes::copy;
use crate::ops::Op;
use crate::program::{Comparison, Operand, Program};
use crate::recording::Recording;
use indexmap::IndexMap;

/// Where the numbers of an operand are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place {
    /// A step's, in this slot.
    Slot(u32),
    /// A column's.
    Column(u32),
    /// The same in all rows: a node's that depends on parameters alone, or, from
    /// `Plan::shared` on, a constant.
    Shared(u32),
}

/// Where a share of an adjoint goes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum To {
    #[default]
    Nobody,
    /// It is the first that this adjoint receives.
    First(u32),
    /// It is added to this adjoint.
    Add(u32),
    /// It is added up over the rows, in this total.
    Total(u32),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Argument {
    pub(super) from: Place,
    pub(super) to: To,
}

/// One node, evaluated in each row. Step `i` writes slot `i`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) op: Op,
    pub(super) kind: Kind,
    /// Its arguments, from here to here.
    pub(super) start: u32,
    pub(super) end: u32,
    /// Where its adjoint is, if anybody needs it.
    pub(super) adjoint: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    One,
    Two,
    /// A sum of products, term by term; this is what it begins with. Arguments
    /// come in pairs of factors.
    Terms(f64),
    Many,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct RowGuard {
    pub(super) a: Place,
    pub(super) b: Place,
    pub(super) test: Comparison,
    pub(super) held: bool,
    /// Its place among the guards of the recording.
    pub(super) number: usize,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    /// How many nodes depend on parameters alone.
    pub(super) shared: usize,
    pub(super) constants: Vec<f64>,
    pub(super) steps: Vec<Step>,
    pub(super) arguments: Vec<Argument>,
    /// How many adjoints are alive at most.
    pub(super) adjoints: usize,
    /// For each total the node that it belongs to, in the order of the shares.
    pub(super) totals: Vec<u32>,
    pub(super) output: Option<Place>,
    /// Where the sweep begins.
    pub(super) seed: To,
    pub(super) retained: Vec<Place>,
    pub(super) guards: Vec<RowGuard>,
}

impl Plan {
    /// The plan of a recording whose first `shared` nodes depend on parameters
    /// alone. `column` gives the number of an input that is a column.
    pub(super) fn new(
        recording: &Recording,
        shared: usize,
        ends: &Ends,
        is_column: &[bool],
    ) -> Self {
        let program = recording.program();
        let inputs = ends.inputs.iter().zip(is_column);
        let columns = inputs
            .filter(|(_, is_column)| **is_column)
            .map(|(&id, _)| id);
        let number: IndexMap<u32, u32> = columns.zip(0..).collect();
        let mut plan = Self {
            shared,
            ..Self::default()
        };
        let mut places: Vec<Place> = (0..shared as u32).map(Place::Shared).collect();
        for index in shared..recording.len() {
            places.push(match number.get(&(index as u32)) {
                Some(&number) => Place::Column(number),
                None => plan.add_step(program, index, &places),
            });
        }
        plan.output = ends
            .outputs
            .first()
            .map(|&output| plan.place(output, &places));
        for (number, guard) in recording.guards.iter().enumerate() {
            let (a, b) = (plan.place(guard.a, &places), plan.place(guard.b, &places));
            let (test, held) = (guard.test, guard.held);
            let guard = RowGuard {
                a,
                b,
                test,
                held,
                number,
            };
            plan.guards.push(guard);
        }
        plan.retained = ends
            .retained
            .iter()
            .map(|&node| plan.place(node, &places))
            .collect();
        plan.route();
        plan
    }

    /// Whether one of these depends on a column.
    pub(super) fn varies(&self, nodes: &[Operand]) -> bool {
        let mut ids = nodes.iter().filter_map(Operand::node);
        ids.any(|id| id as usize >= self.shared)
    }

    fn place(&mut self, operand: Operand, places: &[Place]) -> Place {
        match operand {
            Operand::Node(id) => places[id.index()],
            Operand::Constant(value) => {
                self.constants.push(value);
                Place::Shared((self.shared + self.constants.len() - 1) as u32)
            }
        }
    }

    /// Adds a node's step. Sums and linear combinations become sums of products.
    fn add_step(&mut self, program: Program<'_>, index: usize, places: &[Place]) -> Place {
        let (record, start) = (program.records[index], self.arguments.len());
        let op = record.op();
        let mut operands = Vec::new();
        program.for_each_operand(record, |operand| operands.push(operand));
        let one = |count| vec![1.0; count];
        let (kind, factors) = match op {
            Op::Sum => (Kind::Terms(-0.0), one(operands.len())),
            Op::Dot => (Kind::Terms(-0.0), Vec::new()),
            Op::LinearCombination => {
                let own = program.nary(record).constants;
                (
                    Kind::Terms(own[operands.len()]),
                    own[..operands.len()].to_vec(),
                )
            }
            _ if op.arity() == Some(1) => (Kind::One, Vec::new()),
            _ if op.arity() == Some(2) => (Kind::Two, Vec::new()),
            _ => (Kind::Many, Vec::new()),
        };
        operands.extend(factors.into_iter().map(Operand::Constant));
        if let Kind::Terms(_) = kind {
            operands = in_pairs(&operands);
        }
        for operand in operands {
            let from = self.place(operand, places);
            let to = To::Nobody;
            self.arguments.push(Argument { from, to });
        }
        let (start, end) = (start as u32, self.arguments.len() as u32);
        self.steps.push(Step {
            op,
            kind,
            start,
            end,
            adjoint: None,
        });
        Place::Slot((self.steps.len() - 1) as u32)
    }

    /// Whether anything that a gradient asks for lies below each step.
    fn needs_adjoint(&self) -> Vec<bool> {
        let mut needs: Vec<bool> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let depends = |argument: &Argument| match argument.from {
                Place::Slot(slot) => needs[slot as usize],
                Place::Column(_) => false,
                Place::Shared(at) => (at as usize) < self.shared,
            };
            needs.push(self.of(step).iter().any(depends));
        }
        needs
    }

    /// The arguments of a step.
    pub(super) fn of(&self, step: &Step) -> &[Argument] {
        &self.arguments[step.start as usize..step.end as usize]
    }

    /// Says where each share of an adjoint goes, in the order in which a sweep
    /// sends them. An adjoint has its memory from the first share that it receives
    /// until it is sent on.
    fn route(&mut self) {
        let needs = self.needs_adjoint();
        let mut router = Router {
            shared: self.shared,
            needs: &needs,
            held: vec![None; needs.len()],
            free: Vec::new(),
            adjoints: 0,
            totals: Vec::new(),
        };
        self.seed = self.output.map_or(To::Nobody, |output| router.to(output));
        for (index, step) in self.steps.iter_mut().enumerate().rev() {
            step.adjoint = router.held[index];
            let Some(own) = step.adjoint else { continue };
            router.free.push(own);
            let arguments = &mut self.arguments[step.start as usize..step.end as usize];
            if let Kind::Terms(_) = step.kind {
                arguments
                    .iter_mut()
                    .step_by(2)
                    .for_each(|a| a.to = router.to(a.from));
                let second = arguments.iter_mut().skip(1).step_by(2);
                second.for_each(|b| b.to = router.to(b.from));
            } else {
                arguments.iter_mut().for_each(|a| a.to = router.to(a.from));
            }
        }
        self.adjoints = router.adjoints as usize;
        self.totals = router.totals;
    }
}

/// First factors and then second ones, as pairs.
fn in_pairs(factors: &[Operand]) -> Vec<Operand> {
    let (first, second) = factors.split_at(factors.len() / 2);
    first
        .iter()
        .zip(second)
        .flat_map(|(&a, &b)| [a, b])
        .collect()
}

struct Router<'a> {
    shared: usize,
    needs: &'a [bool],
    /// The adjoint that each step has by now.
    held: Vec<Option<u32>>,
    free: Vec<u32>,
    adjoints: u32,
    totals: Vec<u32>,
}

impl Router<'_> {
    fn to(&mut self, place: Place) -> To {
        match place {
            Place::Slot(slot) if self.needs[slot as usize] => match self.held[slot as usize] {
                Some(adjoint) => To::Add(adjoint),
                None => {
                    let adjoint = self.free.pop().unwrap_or_else(|| {
                        self.adjoints += 1;
                        self.adjoints - 1
                    });
                    self.held[slot as usize] = Some(adjoint);
                    To::First(adjoint)
                }
            },
            Place::Shared(at) if (at as usize) < self.shared => {
                self.totals.push(at);
                To::Total(self.totals.len() as u32 - 1)
            }
            _ => To::Nobody,
        }
    }
}

/// Copies the recording with what depends on parameters alone before the rest,
/// else in the same order. Returns where each node has gone, and how many of the
/// first kind there are.
pub(super) fn parameters_first(from: &Recording, ends: &Ends) -> (Recording, Vec<Operand>, usize) {
    let is_input = ends.inputs_among(from.len());
    let program = from.program();
    let mut varies: Vec<bool> = Vec::with_capacity(from.len());
    for &record in program.records {
        let mut any = record.is_column();
        program.for_each_operand(record, |operand| {
            any |= operand.node().is_some_and(|id| varies[id as usize]);
        });
        varies.push(any);
    }
    let mut to = Recording::default();
    let mut moved = vec![Operand::Constant(f64::NAN); from.len()];
    let mut shared = 0;
    for turn in [false, true] {
        for index in (0..from.len()).filter(|&index| varies[index] == turn) {
            moved[index] = copy(&mut to, from, index, is_input[index], &moved);
        }
        if !turn {
            shared = to.len();
        }
    }
    (to, moved, shared)
}
