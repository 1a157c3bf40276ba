//! Finds the loop in a recording. A program that adds up terms over its data records one
//! sequence of operations again and again: the turns of a loop. Here they are found, and
//! what each operand of a turn is in the others; `rolled.rs` evaluates many at a time.
//!
//! A loop is followed only where nothing but its sum leads from turn to turn or out of it,
//! and where operands before it lie evenly from turn to turn. Everything else is left to
//! the sweeps.

use super::freeze::Ends;
use crate::ops::Op;
use crate::program::{Form, Operand, Program, Record};
use crate::recording::Recording;

/// Fewer turns than these are sooner swept one by one.
const LEAST_TURNS: usize = 16;

/// What an operand of a turn is, or a constant of an operation's own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Argument {
    /// The node of the turn that is so many places after its first.
    Inside(u32),
    /// The sum that the turn before has left.
    Carried,
    /// A node before the loop.
    Outside(Outside),
    /// A number; this one in the last turn.
    Constant { last: f64, varies: bool },
}

/// Nodes before the loop that the turns take, one each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Outside {
    /// What the last turn takes.
    pub(super) last: u32,
    /// How many places before it the turn before takes its own: 0 if all take one.
    pub(super) stride: u32,
}

impl Outside {
    /// What the turn takes that is so many turns before the last.
    fn before_last(self, turns: usize) -> Option<u32> {
        let places = (self.stride as usize).checked_mul(turns)?;
        (self.last as usize).checked_sub(places).map(|at| at as u32)
    }
}

/// The turns of a loop. Each ends with the node that adds its term to the sum.
pub(super) struct Turns {
    /// The first node of the first turn; the node before it is what the sum begins with.
    pub(super) first: usize,
    /// How many nodes a turn has.
    pub(super) period: usize,
    /// How many turns there are.
    pub(super) count: usize,
    /// What each node of a turn is applied to, one after another.
    pub(super) arguments: Vec<Argument>,
}

impl Turns {
    /// The first node of a turn.
    pub(super) fn start(&self, turn: usize) -> usize {
        self.first + turn * self.period
    }

    /// The node that ends the last turn: the sum.
    pub(super) fn last(&self) -> usize {
        self.start(self.count) - 1
    }

    /// The first node that an operand outside takes.
    pub(super) fn first_of(&self, outside: Outside) -> u32 {
        let first = outside.before_last(self.count - 1);
        first.expect("every turn has been looked at")
    }
}

/// Calls `each` with every operand of a record, and then with the constants of its own.
pub(super) fn for_each_argument(
    program: Program<'_>,
    record: Record,
    mut each: impl FnMut(Operand),
) {
    program.for_each_operand(record, &mut each);
    if record.op().arity().is_none() {
        let own = program.own_constants(record).iter();
        own.for_each(|&constant| each(Operand::Constant(constant)));
    }
}

/// The loop of a recording that has the most nodes, if it is worth it.
pub(super) fn find(recording: &Recording, ends: &Ends) -> Option<Turns> {
    let guarded = !recording.guards.is_empty();
    if guarded || !ends.once.is_empty() || ends.outputs.len() != 1 {
        return None;
    }
    let program = recording.program();
    let (last, period, count) = longest_sum(program)?;
    let arguments = arguments_of_last(program, last, period)?;
    let mut turns = Turns {
        first: last + 1 - count * period,
        period,
        count,
        arguments,
    };
    turns.keep_equal(program);
    let found = turns.count >= LEAST_TURNS
        && 2 * turns.count * period >= operations(program)
        && turns.is_alone(program, ends);
    found.then_some(turns)
}

/// How many nodes are no leaves.
fn operations(program: Program<'_>) -> usize {
    let records = program.records.iter();
    records.filter(|record| record.op() != Op::Input).count()
}

/// A sum to which nodes add equally many places apart: its last node, the distance, and
/// how many there are. Of all sums the one that spans the most nodes.
fn longest_sum(program: Program<'_>) -> Option<(usize, usize, usize)> {
    let mut sums: Vec<(u32, u32)> = Vec::with_capacity(program.records.len());
    let (mut longest, mut most) = (None, 0);
    for (index, record) in program.records.iter().enumerate() {
        let span = |&(distance, count): &(u32, u32)| distance as usize * count as usize;
        let on = |operand: usize| {
            let distance = (index - operand) as u32;
            let (before, count) = sums[operand];
            (distance, if before == distance { count + 1 } else { 1 })
        };
        let sum = match (record.op(), record.form()) {
            (Op::Add, Form::Nodes) => {
                let (a, b) = (on(record.a()), on(record.b()));
                if span(&b) > span(&a) { b } else { a }
            }
            (Op::Sub, Form::Nodes) => on(record.a()),
            _ => (0, 0),
        };
        if sum.1 as usize >= LEAST_TURNS && span(&sum) > most {
            most = span(&sum);
            longest = Some((index, sum.0 as usize, sum.1 as usize));
        }
        sums.push(sum);
    }
    longest
}

/// What the nodes of the last turn are applied to, compared with the turn before it.
fn arguments_of_last(program: Program<'_>, last: usize, period: usize) -> Option<Vec<Argument>> {
    let start = last + 1 - period;
    let mut before = Vec::new();
    for &record in &program.records[start - period..start] {
        for_each_argument(program, record, |argument| before.push(argument));
    }
    let (mut arguments, mut possible) = (Vec::new(), true);
    for &record in &program.records[start..=last] {
        for_each_argument(program, record, |argument| {
            let before = before.get(arguments.len()).copied();
            let found = before.and_then(|before| compare(argument, before, start));
            possible &= found.is_some();
            arguments.extend(found);
        });
    }
    possible.then_some(arguments)
}

/// What an argument of the turn that begins at `start` is.
fn compare(argument: Operand, before: Operand, start: usize) -> Option<Argument> {
    match (argument, before) {
        (Operand::Constant(last), Operand::Constant(_)) => Some(Argument::Constant {
            last,
            varies: false,
        }),
        (Operand::Node(id), Operand::Node(before)) => {
            if id.index() >= start {
                return Some(Argument::Inside((id.index() - start) as u32));
            }
            if id.index() == start - 1 {
                return Some(Argument::Carried);
            }
            let (last, stride) = (id.0, id.0.checked_sub(before.0)?);
            Some(Argument::Outside(Outside { last, stride }))
        }
        _ => None,
    }
}

impl Turns {
    /// Keeps those turns before the last that do the same as it.
    fn keep_equal(&mut self, program: Program<'_>) {
        let last = self.start(self.count - 1);
        let mut equal = 1;
        while equal < self.count && self.fits(program, last, equal) {
            equal += 1;
        }
        self.first = self.start(self.count - equal);
        self.count = equal;
    }

    /// Whether the turn that is so many turns before the `last` does the same. Notes which
    /// constants are others.
    fn fits(&mut self, program: Program<'_>, last: usize, turns: usize) -> bool {
        let start = last - turns * self.period;
        let (mut arguments, mut same) = (self.arguments.iter_mut(), true);
        for at in 0..self.period {
            let (record, model) = (program.records[start + at], program.records[last + at]);
            if !same_shape(program, record, model) {
                return false;
            }
            for_each_argument(program, record, |operand| {
                let argument = arguments.next().expect("equally many");
                same &= match (operand, argument) {
                    (Operand::Constant(value), Argument::Constant { last, varies }) => {
                        *varies |= value.to_bits() != last.to_bits();
                        true
                    }
                    (Operand::Node(id), Argument::Inside(place)) => {
                        id.index() == start + *place as usize
                    }
                    (Operand::Node(id), Argument::Carried) => id.index() == start - 1,
                    (Operand::Node(id), Argument::Outside(outside)) => {
                        outside.before_last(turns) == Some(id.0)
                    }
                    _ => false,
                };
            });
        }
        same
    }

    /// Whether only the sum leads from turn to turn and out of the loop, and each node
    /// before it receives its shares in an order that whole blocks of turns keep.
    fn is_alone(&self, program: Program<'_>, ends: &Ends) -> bool {
        let inside = |operand: Operand| {
            let within = self.first..self.last();
            operand
                .node()
                .is_some_and(|id| within.contains(&(id as usize)))
        };
        let mut leads_out = ends.outputs.iter().any(|&output| inside(output));
        for &record in &program.records[self.last() + 1..] {
            program.for_each_operand(record, |operand| leads_out |= inside(operand));
        }
        let carried = |argument: &&Argument| **argument == Argument::Carried;
        let leaves = |record: &Record| record.op() == Op::Input;
        !leads_out
            && self.arguments.iter().filter(carried).count() == 1
            && !program.records[self.first..=self.last()].iter().any(leaves)
            && self.outside_lie_apart()
    }

    /// Whether what the turns take from before the loop are nodes of their own, or lie as
    /// far apart from turn to turn as others among which they are; and none is the sum.
    fn outside_lie_apart(&self) -> bool {
        let mut ranges = Vec::new();
        for argument in &self.arguments {
            if let Argument::Outside(outside) = *argument {
                ranges.push((self.first_of(outside), outside.last, outside.stride));
            }
        }
        ranges.sort_unstable();
        ranges.dedup();
        let mut end: Option<(u32, u32)> = None;
        for (first, last, stride) in ranges {
            if last as usize >= self.first - 1 {
                return false;
            }
            end = Some(match end {
                Some((other, strides)) if first <= other => {
                    if strides != stride {
                        return false;
                    }
                    (other.max(last), stride)
                }
                _ => (last, stride),
            });
        }
        true
    }
}

fn same_shape(program: Program<'_>, a: Record, b: Record) -> bool {
    a.code() == b.code()
        && (a.op().arity().is_some()
            || (a.b() == b.b() && program.own_constants(a).len() == program.own_constants(b).len()))
}
