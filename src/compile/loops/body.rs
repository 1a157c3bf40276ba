//! One turn of a loop as a recording of its own, over whose turns a plan goes as over rows
//! of data.
//!
//! The inputs of a turn are what all turns take (its parameters), and what each takes for
//! itself (its columns): nodes before the loop, and constants that are not the same in all.

use super::reroll::{Argument, Summed, Turns, for_each_argument};
use crate::compile::interface::{Change, Ends};
use crate::compile::passes::{drop_ones, merge_sums};
use crate::execute::driver::loop_body::Body;
use crate::execute::driver::taken::{Taken, are_distinct, lie_apart};
use crate::execute::lanes::block::BLOCK;
use crate::execute::lanes::block::Slot;
use crate::execute::lanes::block::pad;
use crate::execute::lanes::lane_program::Plan;
use crate::graph::Recording;
use crate::graph::rewrite::{Gone, copy};
use crate::graph::{NodeId, Operand, Record};
use crate::ops::{ABSENT, DotOperands, Op};
use indexmap::IndexSet;
use std::panic::Location;

/// Makes the recording of a turn.
struct Outliner<'a> {
    turns: &'a Turns,
    from: &'a Recording,
    to: Recording,
    /// The constants that are not the same in all turns, by their places among the arguments.
    varying: IndexSet<usize>,
    /// What lies before the loop: first what all turns take, so many.
    taken: IndexSet<&'a Taken>,
    shared: usize,
    /// Where the nodes of the turn have gone.
    moved: Vec<Operand>,
}

/// The plan of the turns of a loop, if any number differs from turn to turn.
pub(crate) fn body(from: &Recording, turns: &Turns) -> Option<Body> {
    let mut maker = Outliner::new(from, turns);
    let inputs = maker.to.len() as u32;
    let is_column: Vec<bool> = (0..inputs as usize).map(|i| i >= maker.shared).collect();
    if !is_column.contains(&true) {
        return None;
    }
    let term = maker.record_turn()?;
    let (count, taken) = (turns.count, maker.taken);
    let apart = lie_apart(&taken, count);
    // Where a turn takes a node twice, a sum of products made one node would change the
    // order of its shares.
    let mergeable = apart || are_distinct(&taken, count);
    let each: Vec<Taken> = taken
        .iter()
        .skip(maker.shared)
        .map(|&taken| taken.clone())
        .collect();
    let shared = taken
        .iter()
        .take(maker.shared)
        .map(|taken| taken.node(0) as u32);
    let shared: Vec<u32> = shared.collect();
    let places: Vec<usize> = maker.varying.into_iter().collect();
    let mut constants = vec![Vec::with_capacity(count); places.len()];
    turns.each_at(from.program(), &places, |i, constant| {
        constants[i].extend(constant.constant());
    });
    let constants = constants.iter().map(|numbers| in_blocks(numbers)).collect();
    let mut ends = Ends {
        inputs: (0..inputs).collect(),
        outputs: vec![term],
        ..Ends::default()
    };
    let mut recording = maker.to;
    let passes: &[Change] = match mergeable {
        true => &[drop_ones, merge_sums, inputs_first],
        false => &[drop_ones, inputs_first],
    };
    for pass in passes {
        if let Some((to, moved)) = pass(&recording, &ends) {
            (recording, ends) = (to, ends.follow(&moved));
        }
    }
    let wanted = (shared.len()..inputs as usize).map(|i| i < shared.len() + each.len());
    let wanted = wanted.collect();
    let plan = Plan::new(&recording, shared.len(), &ends, &is_column, wanted);
    Some(Body {
        plan,
        shared,
        each,
        apart,
        constants,
    })
}

impl<'a> Outliner<'a> {
    /// With the inputs of a turn.
    fn new(from: &'a Recording, turns: &'a Turns) -> Self {
        let mut taken: IndexSet<&Taken> = turns.taken.values().collect();
        taken.sort_by_key(|taken| !taken.is_shared());
        let varies =
            |argument: &Argument| matches!(argument, Argument::Constant { varies: true, .. });
        let arguments = turns.arguments.iter().enumerate();
        let varying = arguments.filter(|(_, argument)| varies(argument));
        let mut maker = Self {
            turns,
            from,
            to: Recording::with_room(turns.period),
            varying: varying.map(|(at, _)| at).collect(),
            shared: taken.iter().filter(|taken| taken.is_shared()).count(),
            taken,
            moved: Vec::with_capacity(turns.period),
        };
        for _ in 0..maker.taken.len() + maker.varying.len() {
            // Its value is that of no turn, and nobody asks for it.
            let pushed = (maker.to).push_slowly(Record::INPUT, 0.0, Location::caller());
            pushed.expect("fewer than there were");
        }
        maker
    }

    /// Records the nodes of the last turn, without the one that adds its term to the sum if
    /// there is such a node. Returns the term, or nothing as `record`.
    fn record_turn(&mut self) -> Option<Operand> {
        let (program, start) = (self.from.program(), self.turns.start(self.turns.count - 1));
        let mut at = 0;
        for &record in &program.records[start..][..self.turns.own()] {
            let mut operands = Vec::new();
            for_each_argument(program, record, |_| {
                operands.push(self.operand(at));
                at += 1;
            });
            let own = match record.op().arity() {
                None => program.own_constants(record).len(),
                Some(_) => 0,
            };
            let node = self.record(record.op(), operands, own)?;
            self.moved.push(node);
        }
        Some(match self.turns.summed {
            Summed::ByNode(_) => *self.moved.last().expect("the term"),
            Summed::TurnByTurn => {
                let arguments = &self.turns.arguments;
                let term = (at..arguments.len()).find(|&at| arguments[at] != Argument::Carried);
                self.operand(term.expect("one of two"))
            }
        })
    }

    /// Records an operation on operands and, after them, so many constants of its own. If these
    /// are not the same in all turns, it needs another operation that takes them as operands:
    /// nothing if there is none.
    fn record(&mut self, op: Op, mut operands: Vec<Operand>, own: usize) -> Option<Operand> {
        let own = operands.split_off(operands.len() - own);
        let numbers: Option<Vec<f64>> = own.iter().map(Operand::constant).collect();
        if let Some(numbers) = numbers {
            return Some((self.to).push_operation(op, &operands, &[&numbers], Location::caller()));
        }
        if op != Op::LinearCombination {
            return None;
        }
        // With weights as operands it is a scalar product, which sends the same shares in the
        // same order.
        let (weights, constant) = own.split_at(operands.len());
        let is_identity = constant[0]
            .constant()
            .is_some_and(|c| c.to_bits() == ABSENT.to_bits());
        let start = if is_identity { &[] } else { constant };
        let all = DotOperands::joined(start, &operands, weights);
        Some((self.to).push_operation(Op::Dot, &all, &[], Location::caller()))
    }

    /// What an argument is in the recording of a turn.
    fn operand(&self, at: usize) -> Operand {
        let input = |number: usize| Operand::Node(NodeId(number as u32));
        match self.turns.arguments[at] {
            Argument::Inside(place) => self.moved[place as usize],
            Argument::Outside(_) | Argument::Anywhere => {
                let taken = &self.turns.taken[&at];
                input(self.taken.get_index_of(taken).expect("one of them"))
            }
            Argument::Constant { varies: true, .. } => {
                let number = self.varying.get_index_of(&at).expect("one of them");
                input(self.taken.len() + number)
            }
            Argument::Constant { last, .. } => Operand::Constant(last),
            Argument::Carried => unreachable!("only the sum takes it"),
        }
    }
}

/// The same numbers in blocks. The last one is repeated to where kernels read.
fn in_blocks(numbers: &[f64]) -> Vec<Slot> {
    let block = |numbers: &[f64]| {
        let mut slot = Slot::default();
        slot.0[..numbers.len()].copy_from_slice(numbers);
        pad(&mut slot.0, numbers.len());
        slot
    };
    numbers.chunks(BLOCK).map(block).collect()
}

/// Copies the recording with its inputs first, in the order of the ends.
#[allow(clippy::unnecessary_wraps, reason = "it is a pass")]
fn inputs_first(from: &Recording, ends: &Ends) -> Option<(Recording, Vec<Gone>)> {
    let is_input = ends.inputs_among(from.len());
    let inputs = ends.inputs.iter().map(|&id| id as usize);
    let others = (0..from.len()).filter(|&index| !is_input[index]);
    let mut to = Recording::with_room(from.len());
    let mut moved = vec![Gone::NOWHERE; from.len()];
    for index in inputs.chain(others) {
        let is_input = is_input[index];
        moved[index] = copy(&mut to, from, index, is_input, &moved);
    }
    Some((to, moved))
}
