//! The ways back from the outputs: which outputs share one, and to whom each step's adjoint
//! goes, so that nothing is computed that nobody needs, and a first share is written where
//! a later one is added.

use super::plan::{Kind, Place, Plan};
use crate::ops::Op;
use indexmap::IndexMap;
use std::ops::Range;

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

/// Where the shares of the first or the second factors of a run of terms go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Way {
    Nobody,
    /// To totals, from this one on, in their order.
    Totals(u32),
    /// Each where `Route::to` says.
    Each,
}

/// An output that a way back serves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Served {
    /// Its place among the outputs.
    pub(super) output: usize,
    /// The data that it is a multiple of; the way begins with the other factor.
    pub(super) times: Option<Place>,
    /// How many totals lie before its own, from the way's first one on.
    pub(super) before: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Route {
    /// Whom it serves: an output, or several that are multiples of one step by data, as the
    /// components of a linear model's gradient are. What is the same for all is done once,
    /// which makes the Hessian of W1 7.7 gradients instead of 19.5 (`docs/benchmarks.md`).
    pub(super) served: Vec<Served>,
    /// Where the sweep begins.
    pub(super) seed: To,
    /// Where the adjoint of each step is, if anybody needs it.
    pub(super) adjoint: Vec<Option<u32>>,
    /// Where the share of each argument goes.
    pub(super) to: Vec<To>,
    /// The same for the first and the second factors of each run of terms.
    pub(super) ways: Vec<[Way; 2]>,
    /// Which totals are those of the first output that it serves.
    pub(super) totals: Range<usize>,
}

impl Route {
    /// Where the totals of an output are.
    pub(super) fn totals_of(&self, served: &Served) -> Range<usize> {
        self.totals.start + served.before..self.totals.end + served.before
    }
}

impl Plan {
    /// Whether anything that a gradient asks for lies below each step.
    fn needs_adjoint(&self) -> Vec<bool> {
        let mut needs: Vec<bool> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let depends = |place: &Place| match *place {
                Place::Slot(step) => needs[step as usize],
                Place::Column(at) => self.wanted[at as usize],
                Place::Shared(at) => (at as usize) < self.shared,
                Place::Copied(at) => (self.copied[at as usize] as usize) < self.shared,
            };
            needs.push(self.of(step).iter().any(depends));
        }
        needs
    }

    /// Finds the ways back from all outputs.
    pub(super) fn find_routes(&mut self) {
        let needs = self.needs_adjoint();
        let mut ways: IndexMap<Place, Vec<(usize, Option<Place>)>> = IndexMap::new();
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
    fn multiple_by_data(&self, place: Place, needs: &[bool]) -> Option<(Place, Place)> {
        let Place::Slot(step) = place else {
            return None;
        };
        let step = &self.steps[step as usize];
        let (Op::Mul, &[a, b]) = (step.op, self.of(step)) else {
            return None;
        };
        let is_data = |place| match place {
            Place::Slot(step) => !needs[step as usize],
            Place::Column(at) => !self.wanted[at as usize],
            Place::Shared(_) | Place::Copied(_) => false,
        };
        let mut either = [(a, b), (b, a)].into_iter();
        either.find(|&(_, by)| is_data(by))
    }

    /// The way back to `begin`'s operands, in the order in which a sweep goes. An adjoint
    /// has its memory from the first share that it receives until it is sent on.
    fn route(&mut self, begin: Place, outputs: &[(usize, Option<Place>)], needs: &[bool]) -> Route {
        let first_total = self.totals.len();
        let mut router = Router {
            shared: self.shared,
            wanted: &self.wanted,
            copied: &self.copied,
            needs,
            held: vec![None; needs.len()],
            free: Vec::new(),
            adjoints: 0,
            totals: &mut self.totals,
        };
        let seed = router.to(begin);
        let mut to = vec![To::Nobody; self.arguments.len()];
        for (index, step) in self.steps.iter().enumerate().rev() {
            let Some(own) = router.held[index] else {
                continue;
            };
            router.free.push(own);
            let mut send = |i: usize| to[i] = router.to(self.arguments[i]);
            if let Kind::Terms(_) = step.kind {
                for which in [0, 1] {
                    let runs = self.runs[step.runs()].iter();
                    runs.flat_map(|run| run.half(which)).for_each(&mut send);
                }
            } else {
                step.range().for_each(send);
            }
        }
        self.adjoints = self.adjoints.max(router.adjoints as usize);
        let adjoint = router.held;
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
            adjoint,
            to,
            totals,
        }
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
    shared: usize,
    wanted: &'a [bool],
    copied: &'a [u32],
    needs: &'a [bool],
    /// The adjoint that each step has by now.
    held: Vec<Option<u32>>,
    free: Vec<u32>,
    adjoints: u32,
    totals: &'a mut Vec<u32>,
}

impl Router<'_> {
    fn to(&mut self, place: Place) -> To {
        match place {
            Place::Slot(step) if self.needs[step as usize] => match self.held[step as usize] {
                Some(adjoint) => To::Add(adjoint),
                None => {
                    let adjoint = self.free.pop().unwrap_or_else(|| {
                        self.adjoints += 1;
                        self.adjoints - 1
                    });
                    self.held[step as usize] = Some(adjoint);
                    To::First(adjoint)
                }
            },
            Place::Shared(at) => self.total(at),
            Place::Copied(at) => self.total(self.copied[at as usize]),
            Place::Column(at) if self.wanted[at as usize] => {
                self.add_total(self.shared as u32 + at)
            }
            _ => To::Nobody,
        }
    }

    fn total(&mut self, shared: u32) -> To {
        if shared as usize >= self.shared {
            return To::Nobody;
        }
        self.add_total(shared)
    }

    fn add_total(&mut self, node: u32) -> To {
        self.totals.push(node);
        To::Total(self.totals.len() as u32 - 1)
    }
}
