//! The ways back from the outputs: which outputs share one, and to whom each step's adjoint
//! goes, so that nothing is computed that nobody needs, and a first share is written where
//! a later one is added.

use crate::execute::lanes::lane_program::{
    Held, How, Kind, Known, KnownShare, LaneContribution, LaneOperand, Plan, Route, Served, Step,
    To, Visit, Way,
};
use crate::ops::Op;
use crate::registers::Uses;
use indexmap::IndexMap;
use std::mem;

impl Plan {
    /// Whether anything that a gradient asks for lies below each step.
    fn needs_adjoint(&self) -> Vec<bool> {
        let mut needs: Vec<bool> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let depends = |place: &LaneOperand| match *place {
                LaneOperand::Slot(step) => needs[step as usize],
                LaneOperand::Column(at) => self.wanted[at as usize],
                LaneOperand::Shared(at) => (at as usize) < self.shared,
                LaneOperand::Copied(at) => (self.copied[at as usize] as usize) < self.shared,
            };
            needs.push(self.of(step).iter().any(depends));
        }
        needs
    }

    /// Finds the ways back from all outputs.
    pub(crate) fn find_routes(&mut self) {
        let needs = self.needs_adjoint();
        let mut ways: IndexMap<LaneOperand, Vec<(usize, Option<LaneOperand>)>> = IndexMap::new();
        for (number, &output) in self.outputs.iter().enumerate() {
            let multiple = self.multiple_by_data(output, &needs);
            let (begin, times) = multiple.map_or((output, None), |(of, by)| (of, Some(by)));
            ways.entry(begin).or_default().push((number, times));
        }
        for (begin, served) in ways {
            let route = match served[..] {
                [(alone, _)] => self.route(self.outputs[alone], &[(alone, None)], &needs),
                _ => self.route(begin, &served, &needs),
            };
            self.routes.push(route);
        }
    }

    /// The factor and the data by which it is multiplied, if that is what this is.
    fn multiple_by_data(
        &self,
        place: LaneOperand,
        needs: &[bool],
    ) -> Option<(LaneOperand, LaneOperand)> {
        let LaneOperand::Slot(step) = place else {
            return None;
        };
        let step = &self.steps[step as usize];
        let (Op::Mul, &[a, b]) = (step.op, self.of(step)) else {
            return None;
        };
        let is_data = |place| match place {
            LaneOperand::Slot(step) => !needs[step as usize],
            LaneOperand::Column(at) => !self.wanted[at as usize],
            LaneOperand::Shared(_) | LaneOperand::Copied(_) => false,
        };
        let mut either = [(a, b), (b, a)].into_iter();
        either.find(|&(_, by)| is_data(by))
    }

    /// Calls `each` with every argument of a step, by its place among all, in the order in
    /// which a sweep sends to them, and with the partial by it, if that is a constant.
    fn for_each_edge(&self, step: &Step, mut each: impl FnMut(usize, Option<f64>)) {
        let constant = |i: usize| match self.arguments[i] {
            LaneOperand::Shared(at) => self.constant(at),
            LaneOperand::Copied(at) => self.constant(self.copied[at as usize]),
            _ => None,
        };
        let start = step.range().start;
        let known = |operands, second| Uses::known_partial(step.op, operands, second);
        match step.kind {
            Kind::Terms(_) => {
                for which in [0, 1] {
                    for run in self.runs_of(step) {
                        let pairs = run.half(which).zip(run.half(1 - which));
                        pairs.for_each(|(i, other)| each(i, constant(other)));
                    }
                }
            }
            Kind::One => {
                let partial = known([constant(start), None], false);
                each(start, partial.map(|partial| partial * step.before.sign));
            }
            Kind::Two => {
                let operands = [constant(start), constant(start + 1)];
                each(start, known(operands, false));
                each(start + 1, known(operands, true));
            }
            Kind::Many => step.range().for_each(|i| each(i, None)),
        }
    }

    /// Whether on the way back from `begin` the adjoint of each step depends on the row.
    fn varying_adjoints(&self, begin: LaneOperand, needs: &[bool]) -> Vec<bool> {
        let mut reached = vec![false; needs.len()];
        let mut varies = vec![false; needs.len()];
        if let LaneOperand::Slot(step) = begin {
            reached[step as usize] = true;
        }
        for (index, step) in self.steps.iter().enumerate().rev() {
            if reached[index] {
                self.for_each_edge(step, |i, partial| {
                    if let LaneOperand::Slot(to) = self.arguments[i] {
                        reached[to as usize] = true;
                        varies[to as usize] |= varies[index] || partial.is_none();
                    }
                });
            }
        }
        varies
    }

    /// The way back to `begin`'s operands, in the order in which a sweep goes. An adjoint
    /// has its memory from the first share that it receives until it is sent on.
    fn route(
        &mut self,
        begin: LaneOperand,
        outputs: &[(usize, Option<LaneOperand>)],
        needs: &[bool],
    ) -> Route {
        let first_total = self.totals.len();
        let varies = self.varying_adjoints(begin, needs);
        let (mut totals, mut known) = (mem::take(&mut self.totals), mem::take(&mut self.known));
        let mut router = Router {
            plan: self,
            needs,
            varies: &varies,
            held: vec![None; needs.len()],
            free: Vec::new(),
            adjoints: 0,
            totals: &mut totals,
            known: &mut known,
        };
        let seed = router.send(begin, (None, Some(1.0)));
        let mut to = vec![To::Nobody; self.arguments.len()];
        let (mut visits, mut shares) = (Vec::new(), Vec::new());
        for (index, step) in self.steps.iter().enumerate().rev() {
            let Some(own) = router.held[index] else {
                continue;
            };
            let from = match own {
                Held::Block(own) => {
                    router.free.push(own);
                    None
                }
                Held::Known(own) => Some(own),
            };
            let (mut idle, first_share) = (true, shares.len());
            self.for_each_edge(step, |i, partial| {
                to[i] = router.send(self.arguments[i], (from, partial));
                if to[i] != To::Nobody {
                    idle = false;
                    shares.push(LaneContribution {
                        operand: i - step.range().start,
                        to: to[i],
                        how: if partial == Some(1.0) {
                            How::Moved
                        } else {
                            How::Computed
                        },
                    });
                }
            });
            if idle {
                continue;
            }
            match step.kind {
                Kind::One | Kind::Two => settle(&mut shares[first_share..], own),
                Kind::Terms(_) | Kind::Many => shares.truncate(first_share),
            }
            visits.push(Visit {
                step: index as u32,
                held: router.block(own),
                shares: (first_share as u32, shares.len() as u32),
            });
        }
        let adjoints = router.adjoints as usize;
        self.adjoints = self.adjoints.max(adjoints);
        (self.totals, self.known) = (totals, known);
        let totals = first_total..self.totals.len();
        let served = outputs
            .iter()
            .enumerate()
            .map(|(i, &(output, times))| Served {
                output,
                times,
                before: i * totals.len(),
            });
        for _ in 1..outputs.len() {
            self.totals.extend_from_within(totals.clone());
        }
        let runs = self.runs.iter();
        let ways = runs.map(|run| [0, 1].map(|which| way(&to[run.half(which)])));
        Route {
            served: served.collect(),
            ways: ways.collect(),
            seed,
            visits,
            first_visit: self.routes.last().map_or(self.steps.len(), Route::end),
            shares,
            to,
            totals,
        }
    }
}

/// Says of the shares that are a step's adjoint itself which can have it: the last one, unless
/// it is known, or where it is only added. Others are copied as any share is computed.
fn settle(shares: &mut [LaneContribution], own: Held) {
    let count = shares.len();
    for (i, share) in shares.iter_mut().enumerate() {
        let is_needed = i + 1 < count || matches!(own, Held::Known(_));
        share.how = match (share.how, share.to) {
            (How::Moved, To::First(_)) if is_needed => How::Computed,
            (How::Moved, _) if is_needed => How::Passed,
            (how, _) => how,
        };
    }
}

fn way(to: &[To]) -> Way {
    match to[0] {
        To::Nobody if to.iter().all(|&to| to == To::Nobody) => Way::Nobody,
        To::Total(first) if to.iter().zip(first..).all(|(&to, i)| to == To::Total(i)) => {
            Way::Totals(first)
        }
        _ => Way::Each,
    }
}

struct Router<'a> {
    plan: &'a Plan,
    needs: &'a [bool],
    /// Whether the adjoint of each step depends on the row.
    varies: &'a [bool],
    /// The adjoint that each step has by now.
    held: Vec<Option<Held>>,
    free: Vec<u32>,
    adjoints: u32,
    totals: &'a mut Vec<u32>,
    known: &'a mut Known,
}

impl Router<'_> {
    /// Where a share goes, given the known adjoint that sends it and the partial, which are
    /// used where the one that receives it is known too.
    fn send(&mut self, place: LaneOperand, (from, partial): (Option<u32>, Option<f64>)) -> To {
        match place {
            LaneOperand::Slot(step) if !self.needs[step as usize] => To::Nobody,
            LaneOperand::Slot(step) => match (self.held[step as usize], self.varies[step as usize])
            {
                (Some(Held::Block(adjoint)), _) => To::Add(adjoint),
                (None, true) => {
                    let adjoint = self.free.pop().unwrap_or_else(|| {
                        self.adjoints += 1;
                        self.adjoints - 1
                    });
                    self.held[step as usize] = Some(Held::Block(adjoint));
                    To::First(adjoint)
                }
                (held, _) => {
                    let to = match held {
                        Some(Held::Known(to)) => to,
                        _ => {
                            self.known.count += 1;
                            self.known.count as u32 - 1
                        }
                    };
                    self.held[step as usize] = Some(Held::Known(to));
                    let partial = partial.expect("a known share has a known partial");
                    self.known.shares.push(KnownShare { from, partial, to });
                    To::Nobody
                }
            },
            LaneOperand::Shared(at) => self.total(at),
            LaneOperand::Copied(at) => self.total(self.plan.copied[at as usize]),
            LaneOperand::Column(at) if self.plan.wanted[at as usize] => {
                self.add_total(self.plan.shared as u32 + at)
            }
            LaneOperand::Column(_) => To::Nobody,
        }
    }

    /// The block of an adjoint that is to be sent on.
    fn block(&mut self, held: Held) -> Held {
        match held {
            Held::Block(_) => held,
            Held::Known(number) => {
                self.known.blocks.push(number);
                Held::Known(self.known.blocks.len() as u32 - 1)
            }
        }
    }

    fn total(&mut self, shared: u32) -> To {
        if shared as usize >= self.plan.shared {
            return To::Nobody;
        }
        self.add_total(shared)
    }

    fn add_total(&mut self, node: u32) -> To {
        self.totals.push(node);
        To::Total(self.totals.len() as u32 - 1)
    }
}
