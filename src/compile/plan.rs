//! What a function does once a call, and what it does in each row.
//!
//! The nodes that depend on parameters alone come first in the recording
//! (`parameters_first`); the sweeps of `sweep.rs` evaluate them. Every node after
//! them is a step, done for many rows at a time. To whom each step's adjoint goes is
//! in `route.rs`.

use super::fused::Fused;
use super::interface::Ends;
use super::passes::varying;
use crate::execute::lanes::lane_program::{
    Factors, Kind, LaneOperand, Plan, RowGuard, Run, Step, To,
};
use crate::execute::lanes::modifier::Before;
use crate::graph::Recording;
use crate::graph::rewrite::{Gone, copy};
use crate::graph::{GraphView, NodeId, Operand};
use crate::ops::{DotOperands, Op};
use crate::registers::Uses;
use indexmap::IndexMap;
use smallvec::SmallVec;

/// The place of a node that is done together with another.
const NOWHERE: LaneOperand = LaneOperand::Slot(u32::MAX);

impl Plan {
    /// The plan of a recording whose first `shared` nodes depend on parameters
    /// alone. `is_column` tells which inputs are columns, and `wanted` by which columns a
    /// gradient is asked for: the share of each row, and all inputs then lie first.
    pub(crate) fn new(
        recording: &Recording,
        shared: usize,
        ends: &Ends,
        is_column: &[bool],
        wanted: Vec<bool>,
    ) -> Self {
        let program = recording.program();
        let inputs = ends.inputs.iter().zip(is_column);
        let columns = inputs
            .filter(|(_, is_column)| **is_column)
            .map(|(&id, _)| id);
        let number: IndexMap<u32, u32> = columns.zip(0..).collect();
        let mut plan = Self {
            shared,
            wanted,
            ..Self::default()
        };
        let mut places: Vec<LaneOperand> = (0..shared as u32).map(LaneOperand::Shared).collect();
        let is_wanted = |id: u32| number.get(&id).is_some_and(|&n| plan.wanted[n as usize]);
        let fused = Fused::over_rows(recording, shared, ends, is_wanted);
        for index in shared..recording.len() {
            places.push(match number.get(&(index as u32)) {
                Some(&number) => LaneOperand::Column(number),
                None if fused.has_step(index) => plan.add_step(program, index, &fused, &places),
                None => NOWHERE,
            });
        }
        let mut all = |ends: &[Operand]| ends.iter().map(|&end| plan.place(end, &places)).collect();
        (plan.outputs, plan.retained) = (all(&ends.outputs), all(&ends.retained));
        for (number, guard) in recording.guards().iter().enumerate() {
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
        if !is_column.contains(&true) {
            return plan;
        }
        plan.find_routes();
        let kept = plan.kept();
        plan.give_slots(&kept);
        plan
    }

    /// Whether one of these depends on a column.
    pub(crate) fn varies(&self, nodes: &[Operand]) -> bool {
        let mut ids = nodes.iter().filter_map(Operand::node);
        ids.any(|id| id as usize >= self.shared)
    }

    fn place(&mut self, operand: Operand, places: &[LaneOperand]) -> LaneOperand {
        match operand {
            Operand::Node(id) => places[id.index()],
            Operand::Constant(value) => {
                self.constants.push(value);
                LaneOperand::Shared((self.shared + self.constants.len() - 1) as u32)
            }
        }
    }

    /// Adds a node's step. Sums and linear combinations become sums of products.
    fn add_step(
        &mut self,
        program: GraphView<'_>,
        index: usize,
        fused: &Fused,
        places: &[LaneOperand],
    ) -> LaneOperand {
        let (record, start) = (program.records[index], self.arguments.len());
        let (mut op, mut before) = (record.op(), Before::NOTHING);
        let mut operands = Vec::new();
        program.for_each_operand(record, |operand| operands.push(operand));
        if fused.is_sum_of_products(index) {
            let [a, b] = [record.a(), record.b()].map(|id| program.records[id]);
            let factors = [a.a(), b.a(), a.b(), b.b()];
            operands = factors.map(|id| Operand::Node(NodeId(id as u32))).into();
            op = Op::Dot;
        } else if op.arity() == Some(1) {
            let (operand, shift) = fused.operand(program, operands[0]);
            (operands[0], before) = (operand, shift.unwrap_or(Before::NOTHING));
        }
        let one = |count| vec![1.0; count];
        let (kind, factors) = match op {
            Op::Sum => (Kind::Terms(-0.0), one(operands.len())),
            Op::Dot => {
                let factors = DotOperands::among(operands.len());
                if factors.has_start {
                    operands.insert(factors.second().start, Operand::Constant(1.0));
                }
                (Kind::Terms(-0.0), Vec::new())
            }
            Op::LinearCombination => {
                let own = program.own_constants(record);
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
        let runs_start = self.runs.len() as u32;
        let from: Vec<LaneOperand> = operands.iter().map(|&x| self.place(x, places)).collect();
        match kind {
            Kind::Terms(_) => self.add_runs(&from),
            Kind::Many => self.arguments.extend(from),
            Kind::One | Kind::Two => {
                for place in from {
                    let place = match place {
                        LaneOperand::Shared(at) => self.copy(at),
                        place => place,
                    };
                    self.arguments.push(place);
                }
            }
        }
        let (start, end) = (start as u32, self.arguments.len() as u32);
        let runs = (runs_start, self.runs.len() as u32);
        self.steps.push(Step {
            runs,
            op,
            kind,
            before,
            start,
            end,
            slot: self.steps.len() as u32,
        });
        LaneOperand::Slot((self.steps.len() - 1) as u32)
    }

    /// Puts terms together that have something in common, given the first factors of
    /// all and then the second ones.
    fn add_runs(&mut self, factors: &[LaneOperand]) {
        let (first, second) = factors.split_at(factors.len() / 2);
        let pairs: Vec<_> = first.iter().zip(second).map(|(&a, &b)| [a, b]).collect();
        for terms in pairs.chunk_by(|a, b| common(*a) == common(*b)) {
            self.runs.push(Run {
                factors: common(terms[0]),
                start: self.arguments.len() as u32,
                terms: terms.len() as u32,
            });
            for which in [0, 1] {
                self.arguments.extend(terms.iter().map(|pair| pair[which]));
            }
        }
    }

    fn copy(&mut self, shared: u32) -> LaneOperand {
        let known = self.copied.iter().position(|&at| at == shared);
        let at = known.unwrap_or_else(|| {
            self.copied.push(shared);
            self.copied.len() - 1
        });
        LaneOperand::Copied(at as u32)
    }
}

impl Plan {
    /// Whether the value of each step is needed when all have been evaluated: by
    /// whoever reads it, or by a partial on the way back.
    fn kept(&self) -> Vec<bool> {
        let mut kept = vec![false; self.steps.len()];
        let mut keep = |place: LaneOperand| {
            if let LaneOperand::Slot(step) = place {
                kept[step as usize] = true;
            }
        };
        let read = self.outputs.iter().chain(&self.retained).copied();
        let guarded = self.guards.iter().flat_map(|guard| [guard.a, guard.b]);
        read.chain(guarded).for_each(&mut keep);
        for route in &self.routes {
            let data = route.served.iter().filter_map(|served| served.times);
            data.for_each(&mut keep);
            for visit in &route.visits {
                let (step, result) = (
                    &self.steps[visit.step as usize],
                    LaneOperand::Slot(visit.step),
                );
                self.for_each_used(step, &route.to, result, &mut keep);
            }
        }
        kept
    }

    /// Calls `each` with the places that the partials of a step are made of.
    fn for_each_used(
        &self,
        step: &Step,
        to: &[To],
        result: LaneOperand,
        mut each: impl FnMut(LaneOperand),
    ) {
        let (arguments, own_to) = (self.of(step), &to[step.range()]);
        let uses: SmallVec<[Uses; 2]> = match step.kind {
            Kind::One => SmallVec::from_iter([Uses::of_one(step.op)]),
            Kind::Two => SmallVec::from_iter(Uses::of_two(step.op)),
            Kind::Terms(_) => {
                for (run, which) in self
                    .runs_of(step)
                    .iter()
                    .flat_map(|run| [(run, 0), (run, 1)])
                {
                    let others = self.arguments[run.half(1 - which)].iter();
                    let wanted = others.zip(&to[run.half(which)]);
                    let wanted = wanted.filter(|(_, to)| **to != To::Nobody);
                    wanted.for_each(|(&other, _)| each(other));
                }
                return;
            }
            Kind::Many => {
                arguments.iter().for_each(|&argument| each(argument));
                return each(result);
            }
        };
        for (_, uses) in uses
            .iter()
            .enumerate()
            .filter(|(i, _)| own_to[*i] != To::Nobody)
        {
            let used = (0..arguments.len()).filter(|&i| uses.operand(i));
            used.for_each(|i| each(arguments[i]));
            if uses.result() {
                each(result);
            }
        }
    }

    /// Gives each step a slot, from when it is evaluated until nothing reads it.
    fn give_slots(&mut self, kept: &[bool]) {
        let mut last: Vec<usize> = (0..self.steps.len()).collect();
        for (index, step) in self.steps.iter().enumerate() {
            for argument in self.of(step) {
                if let LaneOperand::Slot(step) = argument {
                    last[*step as usize] = index;
                }
            }
        }
        let mut ending: Vec<SmallVec<[u32; 2]>> = vec![SmallVec::new(); self.steps.len()];
        let (mut free, mut slots) = (Vec::new(), Vec::with_capacity(self.steps.len()));
        for step in 0..self.steps.len() {
            let slot = free.pop().unwrap_or_else(|| {
                self.slots += 1;
                self.slots as u32 - 1
            });
            slots.push(slot);
            if !kept[step] {
                ending[last[step]].push(slot);
            }
            free.append(&mut ending[step].to_vec());
        }
        let arguments = self.arguments.iter_mut();
        let guards = self.guards.iter_mut();
        let guarded = guards.flat_map(|guard| [&mut guard.a, &mut guard.b]);
        let read = self.outputs.iter_mut().chain(&mut self.retained);
        let served = self.routes.iter_mut().flat_map(|route| &mut route.served);
        let data = served.filter_map(|served| served.times.as_mut());
        for place in arguments.chain(guarded).chain(read).chain(data) {
            if let LaneOperand::Slot(step) = place {
                *step = slots[*step as usize];
            }
        }
        for (step, slot) in self.steps.iter_mut().zip(slots) {
            step.slot = slot;
        }
    }
}

/// What the two factors of a term let it share with others.
fn common(pair: [LaneOperand; 2]) -> Factors {
    let shared = pair.map(|place| matches!(place, LaneOperand::Shared(_)));
    let columns = pair
        .iter()
        .any(|place| matches!(place, LaneOperand::Column(_)));
    match shared {
        [true, true] => Factors::Numbers,
        [true, false] => Factors::Multiples { shared: 0, columns },
        [false, true] => Factors::Multiples { shared: 1, columns },
        [false, false] => Factors::Products,
    }
}

/// Copies the recording with what depends on parameters alone before the rest,
/// else in the same order. Returns where each node has gone, and how many of the
/// first kind there are; `None` if there are no columns.
pub(crate) fn parameters_first(
    from: &Recording,
    ends: &Ends,
) -> Option<(Recording, Vec<Gone>, usize)> {
    let is_input = ends.inputs_among(from.len());
    let varies = varying(from, ends);
    if varies.is_empty() {
        return None;
    }
    let mut to = Recording::with_room(from.len());
    let mut moved = vec![Gone::NOWHERE; from.len()];
    let mut shared = 0;
    for turn in [false, true] {
        for index in (0..from.len()).filter(|&index| varies[index] == turn) {
            moved[index] = copy(&mut to, from, index, is_input[index], &moved);
        }
        if !turn {
            shared = to.len();
        }
    }
    Some((to, moved, shared))
}
