//! Finds the loop in a recording. A program that adds up terms over its data records one
//! sequence of operations again and again: the turns of a loop. Here they are found, and
//! what each operand of a turn is in the others; `rolled.rs` evaluates many at a time.
//!
//! A loop is followed only where nothing but its sum leads from turn to turn or out of it.
//! Everything else is left to the sweeps.

use crate::compile::interface::Ends;
use crate::execute::driver::taken::{Taken, Window};
use crate::graph::Recording;
use crate::graph::{GraphView, Operand, Record, RecordForm};
use crate::ops::Op;
use indexmap::IndexMap;

/// Fewer turns than these are sooner swept one by one.
const LEAST_TURNS: usize = 16;

/// What an operand of a turn is, or a constant of an operation's own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Argument {
    /// The node of the turn that is so many places after its first.
    Inside(u32),
    /// The sum that the turn before has left.
    Carried,
    /// A node before the loop; from turn to turn they lie evenly.
    Outside(Outside),
    /// A node before the loop; they lie anywhere.
    Anywhere,
    /// A number; this one in the last turn.
    Constant { last: f64, varies: bool },
}

/// Nodes that lie evenly from turn to turn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Outside {
    /// What the last turn takes.
    last: u32,
    /// How many places before it the turn before takes its own: 0 if all take one.
    stride: u32,
}

impl Argument {
    /// What it is if it is this in a turn so many turns before the last, unless that is no
    /// news.
    fn with(self, operand: Operand, turns: usize) -> Option<Self> {
        match (self, operand) {
            (Self::Constant { last, varies }, Operand::Constant(value)) => {
                let new = !varies && value.to_bits() != last.to_bits();
                new.then_some(Self::Constant { last, varies: true })
            }
            (Self::Outside(outside), Operand::Node(id)) => {
                let new = outside.before_last(turns) != Some(id.0);
                new.then_some(Self::Anywhere)
            }
            _ => None,
        }
    }
}

impl Outside {
    /// What the turn takes that is so many turns before the last.
    fn before_last(self, turns: usize) -> Option<u32> {
        let places = (self.stride as usize).checked_mul(turns)?;
        (self.last as usize).checked_sub(places).map(|at| at as u32)
    }
}

/// How the terms of the turns are added up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Summed {
    /// Each turn ends with the node that adds its term to the sum.
    TurnByTurn,
    /// Each turn ends with its term, and this node adds all.
    ByNode(usize),
}

/// The turns of a loop.
pub(crate) struct Turns {
    pub(crate) summed: Summed,
    /// The first node of the first turn.
    pub(crate) first: usize,
    /// How many nodes a turn has.
    pub(crate) period: usize,
    /// How many turns there are.
    pub(crate) count: usize,
    /// What each node of a turn is applied to, one after another.
    pub(crate) arguments: Vec<Argument>,
    /// What those of them are that lie before the loop, by their places.
    pub(crate) taken: IndexMap<usize, Taken>,
}

impl Turns {
    /// The first node of a turn.
    pub(crate) fn start(&self, turn: usize) -> usize {
        self.first + turn * self.period
    }

    /// The node that ends the last turn.
    pub(crate) fn last(&self) -> usize {
        self.start(self.count) - 1
    }

    /// The sum of all terms.
    pub(crate) fn sum(&self) -> usize {
        match self.summed {
            Summed::TurnByTurn => self.last(),
            Summed::ByNode(at) => at,
        }
    }

    /// The nodes that a turn has besides that which adds its term to the sum.
    pub(crate) fn own(&self) -> usize {
        self.period - usize::from(self.summed == Summed::TurnByTurn)
    }

    /// Before the loop, what the sum begins with.
    pub(crate) fn begin(&self, program: GraphView<'_>) -> Vec<u32> {
        match self.summed {
            Summed::TurnByTurn => vec![self.first as u32 - 1],
            Summed::ByNode(at) => {
                let mut operands = nodes(program, program.records[at]);
                operands.truncate(operands.len() - self.count);
                operands
            }
        }
    }

    /// Calls `each` with what has some places among the arguments, in turn after turn: with
    /// its number among the places, which are in order, and with what it is in the turn.
    pub(crate) fn each_at(
        &self,
        program: GraphView<'_>,
        places: &[usize],
        mut each: impl FnMut(usize, Operand),
    ) {
        let all = &program.records[self.first..=self.last()];
        for turn in all.chunks(self.period) {
            let (mut at, mut next) = (0, 0);
            for &record in turn {
                for_each_argument(program, record, |argument| {
                    if places.get(next) == Some(&at) {
                        each(next, argument);
                        next += 1;
                    }
                    at += 1;
                });
            }
        }
    }
}

/// Calls `each` with every operand of a record, and then with the constants of its own.
pub(crate) fn for_each_argument(
    program: GraphView<'_>,
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
pub(crate) fn find(recording: &Recording, ends: &Ends) -> Option<Turns> {
    let guarded = !recording.guards().is_empty();
    if guarded || !ends.once.is_empty() || ends.outputs.len() != 1 {
        return None;
    }
    let program = recording.program();
    let Sum {
        summed,
        last,
        period,
        count,
    } = longest_sum(program)?;
    let arguments = arguments_of_last(program, last, period)?;
    let count = count.min((last + 1) / period);
    let mut turns = Turns {
        summed,
        first: last + 1 - count * period,
        period,
        count,
        arguments,
        taken: IndexMap::new(),
    };
    turns.keep_equal(program);
    let found = turns.count >= LEAST_TURNS
        && 2 * turns.count * period >= operations(program)
        && turns.is_alone(program, ends);
    (found && turns.take(program)).then_some(turns)
}

/// How many nodes are no leaves.
fn operations(program: GraphView<'_>) -> usize {
    let records = program.records.iter();
    records.filter(|record| record.op() != Op::Input).count()
}

/// A sum of terms that lie equally far apart.
#[derive(Clone, Copy)]
struct Sum {
    summed: Summed,
    /// The last node of the last turn.
    last: usize,
    period: usize,
    count: usize,
}

impl Sum {
    fn span(&self) -> usize {
        self.period * self.count
    }
}

/// Of all sums of terms that lie equally far apart the one that spans the most nodes.
fn longest_sum(program: GraphView<'_>) -> Option<Sum> {
    let mut chains: Vec<Chain> = Vec::with_capacity(program.records.len());
    let mut longest: Option<Sum> = None;
    for (index, &record) in program.records.iter().enumerate() {
        let on = |operand: usize| chains[operand].and(index - operand);
        let (mut sum, mut chain) = (None, Chain::default());
        match (record.op(), record.form()) {
            (Op::Add, RecordForm::Nodes) => {
                let (a, b) = (on(record.a()), on(record.b()));
                chain = if b.span() > a.span() { b } else { a };
            }
            (Op::Sub, RecordForm::Nodes) => chain = on(record.a()),
            (Op::Sum, _) if record.b() >= LEAST_TURNS => sum = summed_by(program, index),
            _ => {}
        }
        if chain.count as usize >= LEAST_TURNS {
            sum = Some(chain.ending(index));
        }
        if sum.is_some_and(|sum| longest.is_none_or(|longest| sum.span() > longest.span())) {
            longest = sum;
        }
        chains.push(chain);
    }
    longest
}

/// Nodes equally far apart, each of which adds a term to the one before.
#[derive(Clone, Copy, Default)]
struct Chain {
    distance: u32,
    count: u32,
}

impl Chain {
    /// With one more node, so far from the last one.
    fn and(self, distance: usize) -> Self {
        let distance = distance as u32;
        let same = self.distance == distance;
        let count = if same { self.count + 1 } else { 1 };
        Self { distance, count }
    }

    fn span(self) -> usize {
        self.distance as usize * self.count as usize
    }

    fn ending(self, last: usize) -> Sum {
        Sum {
            summed: Summed::TurnByTurn,
            last,
            period: self.distance as usize,
            count: self.count as usize,
        }
    }
}

/// The operands of a record that are nodes.
fn nodes(program: GraphView<'_>, record: Record) -> Vec<u32> {
    let mut nodes = Vec::new();
    program.for_each_operand(record, |operand| nodes.extend(operand.node()));
    nodes
}

/// The terms of one node that adds all, as far as the last ones lie equally far apart.
fn summed_by(program: GraphView<'_>, at: usize) -> Option<Sum> {
    let record = program.records[at];
    let terms = nodes(program, record);
    let &[.., before, last] = &terms[..] else {
        return None;
    };
    let period = last.checked_sub(before).filter(|&period| period > 0)?;
    let even = |pair: &&[u32]| pair[0].checked_add(period) == Some(pair[1]);
    let count = 1 + terms.windows(2).rev().take_while(even).count();
    (terms.len() == record.b() && count >= LEAST_TURNS).then_some(Sum {
        summed: Summed::ByNode(at),
        last: last as usize,
        period: period as usize,
        count,
    })
}

/// What the nodes of the last turn are applied to, compared with the turn before it.
fn arguments_of_last(program: GraphView<'_>, last: usize, period: usize) -> Option<Vec<Argument>> {
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
            Some(match id.0.checked_sub(before.0) {
                Some(stride) => Argument::Outside(Outside { last: id.0, stride }),
                None => Argument::Anywhere,
            })
        }
        _ => None,
    }
}

impl Turns {
    /// Keeps those turns before the last that do the same as it.
    fn keep_equal(&mut self, program: GraphView<'_>) {
        let last = self.start(self.count - 1);
        let mut equal = 1;
        while equal < self.count && self.fits(program, last, equal) {
            equal += 1;
        }
        self.first = self.start(self.count - equal);
        self.count = equal;
    }

    /// Whether the turn that is so many turns before the `last` does the same. If so, notes
    /// which constants and which nodes before the loop are others than expected.
    fn fits(&mut self, program: GraphView<'_>, last: usize, turns: usize) -> bool {
        let start = last - turns * self.period;
        let before = usize::from(self.summed == Summed::TurnByTurn); // the sum so far
        let (mut arguments, mut same, mut news) = (self.arguments.iter(), true, false);
        for at in 0..self.period {
            let (record, model) = (program.records[start + at], program.records[last + at]);
            if !same_shape(program, record, model) {
                return false;
            }
            for_each_argument(program, record, |operand| {
                let argument = arguments.next().expect("equally many");
                news |= argument.with(operand, turns).is_some();
                same &= match (operand, argument) {
                    (Operand::Constant(_), Argument::Constant { .. }) => true,
                    (Operand::Node(id), Argument::Inside(place)) => {
                        id.index() == start + *place as usize
                    }
                    (Operand::Node(id), Argument::Carried) => id.index() == start - 1,
                    (Operand::Node(id), Argument::Outside(_) | Argument::Anywhere) => {
                        id.index() < start - before
                    }
                    _ => false,
                };
            });
        }
        if same && news {
            let mut arguments = self.arguments.iter_mut();
            for &record in &program.records[start..][..self.period] {
                for_each_argument(program, record, |operand| {
                    let argument = arguments.next().expect("equally many");
                    *argument = argument.with(operand, turns).unwrap_or(*argument);
                });
            }
        }
        same
    }

    /// Notes what the turns take from before the loop. Returns whether all of it is there.
    fn take(&mut self, program: GraphView<'_>) -> bool {
        let arguments = self.arguments.iter().enumerate();
        let anywhere = arguments.filter(|(_, argument)| **argument == Argument::Anywhere);
        let places: Vec<usize> = anywhere.map(|(at, _)| at).collect();
        let mut lists = vec![Vec::with_capacity(self.count); places.len()];
        self.each_at(program, &places, |i, operand| {
            lists[i].extend(operand.node());
        });
        let mut lists = lists.into_iter();
        for (at, argument) in self.arguments.iter().enumerate() {
            let taken = match *argument {
                Argument::Outside(Outside { last, stride: 0 }) => Taken::All(last),
                Argument::Outside(Outside { last, stride }) => {
                    let stride = stride as usize;
                    let first = last as usize - stride * (self.count - 1);
                    Taken::Even(Window { first, stride })
                }
                Argument::Anywhere => Taken::Any(lists.next().expect("one for each").into()),
                _ => continue,
            };
            self.taken.insert(at, taken);
        }
        let end = self.first - usize::from(self.summed == Summed::TurnByTurn);
        let mut all = self.taken.values();
        all.all(|taken| taken.greatest(self.count) < end)
    }

    /// Whether only the sum leads from turn to turn and out of the loop.
    fn is_alone(&self, program: GraphView<'_>, ends: &Ends) -> bool {
        let inside = |operand: Operand| {
            let id = operand.node().map(|id| id as usize);
            id.is_some_and(|id| id != self.sum() && (self.first..=self.last()).contains(&id))
        };
        let mut leads_out = ends.outputs.iter().any(|&output| inside(output));
        for (at, &record) in program.records.iter().enumerate().skip(self.last() + 1) {
            let mut each = |operand| leads_out |= at != self.sum() && inside(operand);
            program.for_each_operand(record, &mut each);
        }
        let (carried, begins) = match self.summed {
            Summed::TurnByTurn => (1, true),
            Summed::ByNode(at) => (0, self.begins_well(program, at)),
        };
        let is_carried = |argument: &&Argument| **argument == Argument::Carried;
        let leaves = |record: &Record| record.op() == Op::Input;
        begins
            && !leads_out
            && self.arguments.iter().filter(is_carried).count() == carried
            && !program.records[self.first..=self.last()].iter().any(leaves)
    }

    /// Whether what a node adds besides the terms lies before the loop, and nothing between
    /// the loop and that node sends back to it what should come later.
    fn begins_well(&self, program: GraphView<'_>, at: usize) -> bool {
        let begin = self.begin(program);
        let next = self.last() + 1 == at;
        begin.is_empty() || (next && begin.iter().all(|&id| (id as usize) < self.first))
    }
}

fn same_shape(program: GraphView<'_>, a: Record, b: Record) -> bool {
    a.code() == b.code()
        && (a.op().arity().is_some()
            || (a.b() == b.b() && program.own_constants(a).len() == program.own_constants(b).len()))
}
