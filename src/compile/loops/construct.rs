//! Makes what a loop that was found is evaluated by.

use super::body::body;
use super::reroll::{Argument, Summed, Turns, find};
use crate::compile::interface::Ends;
use crate::execute::driver::piece::Piece;
use crate::execute::driver::rolled::{Inputs, Rolled};
use crate::execute::driver::shares::LoopContributions;
use crate::graph::{Operand, Recording};
use crate::ops::Op;

/// With more blocks of values and adjoints than these, 7 MiB, few turns take longer than by
/// the sweeps (`docs/benchmarks.md`).
const MOST_BLOCKS: usize = 8_192;

impl Rolled {
    /// The loop of a recording, if there is one that is worth it.
    pub(crate) fn new(recording: &Recording, ends: &Ends) -> Option<Self> {
        let turns = find(recording, ends)?;
        let body = body(recording, &turns)?;
        let plan = &body.plan;
        if plan.slots + plan.adjoints + plan.totals.len() > MOST_BLOCKS {
            return None;
        }
        let Some(&Operand::Node(output)) = ends.outputs.first() else {
            return None;
        };
        let program = recording.program();
        let (first, last, sum) = (turns.first, turns.last(), turns.sum());
        // A node that adds all terms does what the sum of two does, again and again.
        let (op, sum_first, rest) = match turns.summed {
            Summed::TurnByTurn => (program.records[sum].op(), sum_first(&turns), last + 1),
            Summed::ByNode(_) => (Op::Add, true, sum + 1),
        };
        let removed = turns.own() + (turns.count - 1) * turns.period;
        let number = |id: u32| match (id as usize) < first {
            true => id,
            false => id - removed as u32,
        };
        let after = [last + 1..sum.max(last + 1), rest..recording.len()];
        let after = Piece::new(recording, &after, number);
        let output = number(output.0);
        Some(Self {
            is_adjoint_known: after.is_linear(output, number(sum as u32)),
            nodes: recording.len() - removed,
            inputs: Inputs::new(ends.inputs.iter().map(|&id| number(id)).collect()),
            before: Piece::new(recording, &[0..first, 0..0], number),
            after,
            shares: LoopContributions::new(&body, turns.count),
            body,
            turns: turns.count,
            op,
            sum_first,
            begin: turns.begin(program),
            sum: number(sum as u32),
            output,
        })
    }
}

/// Whether the sum stands before the term where they are added.
fn sum_first(turns: &Turns) -> bool {
    let last = turns.arguments.len() - 2;
    turns.arguments[last] == Argument::Carried
}
