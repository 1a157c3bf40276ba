//! What a function does in each row, as data: steps, where their numbers are, and the reverse
//! schedule of each output. `plan.rs` and `route.rs` make it, `blocks.rs` and `back.rs` do it.

use super::modifier::Before;
use crate::graph::Comparison;
use crate::ops::Op;
use std::ops::Range;

/// Where the numbers of an operand are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum LaneOperand {
    /// A step's, in this slot. (While a plan is made: the step's number.)
    Slot(u32),
    /// A column's.
    Column(u32),
    /// The same in all rows: a node's that depends on parameters alone, or, from
    /// `Plan::shared` on, a constant.
    Shared(u32),
    /// The same, copied to all rows.
    Copied(u32),
}

impl LaneOperand {
    /// Its number among those of its kind.
    #[inline(always)]
    pub(crate) fn index(self) -> usize {
        let (Self::Slot(at) | Self::Column(at) | Self::Shared(at) | Self::Copied(at)) = self;
        at as usize
    }
}

/// One node, evaluated in each row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) op: Op,
    pub(crate) kind: Kind,
    /// What is done to its operand before, if it has one.
    pub(crate) before: Before,
    /// Its arguments, from here to here.
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// The runs of its terms, from here to here.
    pub(crate) runs: (u32, u32),
    /// The slot that it writes.
    pub(crate) slot: u32,
}

impl Step {
    /// Where its arguments are.
    pub(crate) fn range(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Where its runs are.
    pub(crate) fn runs(&self) -> Range<usize> {
        self.runs.0 as usize..self.runs.1 as usize
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    One,
    Two,
    /// A sum of products, term by term; this is what it begins with. The arguments
    /// are those of its runs.
    Terms(f64),
    Many,
}

/// What the factors of some terms have in common.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Factors {
    /// All are the same in all rows.
    Numbers,
    /// The first (0) or the second (1) of each pair is the same in all rows; the other
    /// ones are all columns, or all steps.
    Multiples { shared: usize, columns: bool },
    /// None is the same in all rows.
    Products,
}

/// Terms that follow one another and have something in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) factors: Factors,
    /// Its first factors are the arguments from here on, and then its second ones.
    pub(crate) start: u32,
    pub(crate) terms: u32,
}

impl Run {
    /// Where its first (0) or its second (1) factors are.
    pub(crate) fn half(&self, which: usize) -> Range<usize> {
        let (start, terms) = (self.start as usize, self.terms as usize);
        start + which * terms..start + (which + 1) * terms
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct RowGuard {
    pub(crate) a: LaneOperand,
    pub(crate) b: LaneOperand,
    pub(crate) test: Comparison,
    pub(crate) held: bool,
    /// Its place among the guards of the recording.
    pub(crate) number: usize,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    /// How many nodes depend on parameters alone.
    pub(crate) shared: usize,
    /// By which columns a gradient is asked for.
    pub(crate) wanted: Vec<bool>,
    pub(crate) constants: Vec<f64>,
    pub(crate) steps: Vec<Step>,
    /// What the steps are applied to, one after another.
    pub(crate) arguments: Vec<LaneOperand>,
    pub(crate) runs: Vec<Run>,
    /// What is the same in all rows and is copied to all.
    pub(crate) copied: Vec<u32>,
    /// How many values are alive at most.
    pub(crate) slots: usize,
    /// How many adjoints are alive at most.
    pub(crate) adjoints: usize,
    /// The adjoints that are the same in all rows.
    pub(crate) known: Known,
    /// For each total the node that it belongs to: those of the first output of the first
    /// way back in the order of the shares, then those of the next.
    pub(crate) totals: Vec<u32>,
    pub(crate) outputs: Vec<LaneOperand>,
    /// The ways back from the outputs.
    pub(crate) routes: Vec<Route>,
    pub(crate) retained: Vec<LaneOperand>,
    pub(crate) guards: Vec<RowGuard>,
}

/// Where a share of an adjoint goes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum To {
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
pub(crate) enum Way {
    Nobody,
    /// To totals, from this one on, in their order.
    Totals(u32),
    /// Each where `Route::to` says.
    Each,
}

/// Where the adjoint of a step is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Held {
    /// In this block.
    Block(u32),
    /// It is the same in all rows, and in this one of the blocks that are filled beforehand.
    /// (While a way is found: its number.)
    Known(u32),
}

/// A step as a way back visits it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visit {
    /// Its number.
    pub(crate) step: u32,
    /// Where its adjoint is.
    pub(crate) held: Held,
    /// If it has one or two operands: its shares, from here to here.
    pub(crate) shares: (u32, u32),
}

/// A share for the first or the only (0) or the second (1) operand of a step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LaneContribution {
    pub(crate) operand: usize,
    pub(crate) to: To,
    pub(crate) how: How,
}

/// How a share comes about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum How {
    /// As the adjoint times the partial.
    Computed,
    /// It is the adjoint itself, for the partial is 1; it may still be needed.
    Passed,
    /// The same, and nobody else needs it: it changes places with what was there.
    Moved,
}

/// What the adjoint of a step receives where that is the same in all rows: computed once, not
/// block by block. So are the adjoints of terms, up to the first operation that is not linear.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KnownShare {
    /// The known adjoint that sends it, or the seed.
    pub(crate) from: Option<u32>,
    pub(crate) partial: f64,
    /// The known adjoint that receives it.
    pub(crate) to: u32,
}

/// All that they receive, way by way, each in the order of a sweep.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    pub(crate) shares: Vec<KnownShare>,
    /// How many adjoints are known.
    pub(crate) count: usize,
    /// Those that blocks are filled with, to be sent on.
    pub(crate) blocks: Vec<u32>,
}

/// An output that a way back serves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Served {
    /// Its place among the outputs.
    pub(crate) output: usize,
    /// The data that it is a multiple of; the way begins with the other factor.
    pub(crate) times: Option<LaneOperand>,
    /// How many totals lie before its own, from the way's first one on.
    pub(crate) before: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Route {
    /// Whom it serves: an output, or several that are multiples of one step by data, as the
    /// components of a linear model's gradient are. What is the same for all is done once,
    /// which makes the Hessian of W1 7.7 gradients instead of 19.5 (`docs/benchmarks.md`).
    pub(crate) served: Vec<Served>,
    /// Where the seed goes, if not to an adjoint that is known.
    pub(crate) seed: To,
    /// The steps that have anything to send, the last one first.
    pub(crate) visits: Vec<Visit>,
    /// How many steps there are on the way there, and visits on the ways back before this one.
    pub(crate) first_visit: usize,
    /// What operations on one or two operands send.
    pub(crate) shares: Vec<LaneContribution>,
    /// Where the share of each argument goes.
    pub(crate) to: Vec<To>,
    /// The same for the first and the second factors of each run of terms.
    pub(crate) ways: Vec<[Way; 2]>,
    /// Which totals are those of the first output that it serves.
    pub(crate) totals: Range<usize>,
}

impl Route {
    /// The number of the visit after its last one.
    pub(crate) fn end(&self) -> usize {
        self.first_visit + self.visits.len()
    }

    /// Where the totals of an output are.
    pub(crate) fn totals_of(&self, served: &Served) -> Range<usize> {
        self.totals.start + served.before..self.totals.end + served.before
    }
}

impl Plan {
    /// A constant, by its number among what is the same in all rows.
    pub(crate) fn constant(&self, shared: u32) -> Option<f64> {
        let at = (shared as usize).checked_sub(self.shared)?;
        self.constants.get(at).copied()
    }

    /// The terms of a step.
    pub(crate) fn runs_of(&self, step: &Step) -> &[Run] {
        &self.runs[step.runs()]
    }

    /// The arguments of a step.
    pub(crate) fn of(&self, step: &Step) -> &[LaneOperand] {
        &self.arguments[step.range()]
    }
}
