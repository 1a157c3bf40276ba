//! The heart: `forward` and `reverse`, two loops over one table.
//!
//! Both are generic over [`Real`], and there is no other sweep in the crate.
//! `reverse` over `f64` gives adjoints; over `Dual`, Hessian–vector products;
//! over `Var` it records the gradient as a graph.

use crate::dual::Dual;
use crate::error::{Error, expect_length};
use crate::ops::rules::*; // what the partials of the table are made of
use crate::ops::{ABSENT, Op, Real, table};
use crate::program::{Form, NodeId, Operand, Program, Record, code, is_of};
use crate::recording::{Mark, Recording};
use crate::repeated::MOST_NODES;
use crate::tape::Tape;
use crate::var::Var;
use smallvec::SmallVec;
use std::ops::Range;

/// Evaluates every operation in order. The values of the leaves are given.
pub(crate) fn forward<T: Real>(program: Program<'_>, values: &mut [T]) {
    // The value of the node before, which most operations take: out of a register
    // it is there some cycles earlier than out of memory.
    let Some(&(mut last)) = values.first() else {
        return;
    };
    let len = values.len();
    let records = &program.records[..len];
    let program = Program { records, ..program };
    let mut index = 0;
    while index < len {
        let kind = records[index].code();
        if is_of(kind, Op::Mul) {
            let product = match kind {
                PRODUCT => result(PRODUCT, program, index, values, last),
                SCALED => result(SCALED, program, index, values, last),
                _ => result(SCALED_BY_LEFT, program, index, values, last),
            };
            let next = index + 1;
            if next < len && records[next] == Record::sum_of_two_before(next) {
                values[index] = product;
                last = T::binary(Op::Add, last, product);
                index = next;
            } else {
                last = product;
            }
        } else {
            last = result(kind, program, index, values, last);
        }
        values[index] = last;
        index += 1;
    }
}

// Sums of products are products and sums in turn. A sweep goes to such a pair by a branch
// of its own, which knows the product, takes both at once, and keeps what they share in
// registers: W1 0.77, replayed 0.60 of the time (`docs/benchmarks.md`).

const SUM: u8 = code(Op::Add, Form::Nodes);
const PRODUCT: u8 = code(Op::Mul, Form::Nodes);
const SCALED: u8 = code(Op::Mul, Form::NodeConstant);
const SCALED_BY_LEFT: u8 = code(Op::Mul, Form::ConstantNode);

table! { result }
table! { edges }

/// The way from a node to one of its operands.
pub(crate) struct Edge {
    pub(crate) operand: usize,
    pub(crate) partial: f64,
    /// Whether an adjoint passes: not to an operand that a branch did not take.
    pub(crate) passes: bool,
}

/// Who is told of the edges from a node to its operands.
pub(crate) trait Edges<T> {
    /// The operand's position and the partial with respect to it. In a branch,
    /// a partial of zero means that the operand was not taken.
    fn edge(&mut self, operand: usize, partial: T, branch: bool);

    /// Before and after edges that come by `one_of_many`.
    #[inline(always)]
    fn many(&mut self, _begin: bool) {}

    /// The same as `edge`, for one of many operands.
    #[inline(always)]
    fn one_of_many(&mut self, operand: usize, partial: T, branch: bool) {
        self.edge(operand, partial, branch);
    }

    /// The same for operands that follow one another, given by their place among them.
    #[inline(always)]
    fn one_of_range(&mut self, operands: Range<usize>, branch: bool) -> impl FnMut(usize, T) {
        move |i, partial| self.edge(operands.start + i, partial, branch)
    }
}

impl<T, F: FnMut(usize, T, bool)> Edges<T> for F {
    fn edge(&mut self, operand: usize, partial: T, branch: bool) {
        self(operand, partial, branch);
    }
}

/// Sends every adjoint back to the operands, each share being adjoint ×
/// partial. `adjoints` holds the seeds, and what is absent elsewhere.
// In line it would have fewer registers than by itself: W1 evaluated again 220 → 295 ns a row.
#[inline(never)]
pub(crate) fn reverse<T: Real>(program: Program<'_>, values: &[T], adjoints: &mut [T]) {
    reverse_from_last::<T, true>(program, values, adjoints, 0);
}

/// The same down to the node `until`, which is not the first.
#[inline(never)]
pub(crate) fn reverse_to(program: Program<'_>, values: &[f64], adjoints: &mut [f64], until: usize) {
    reverse_from_last::<f64, false>(program, values, adjoints, until);
}

/// To the first node, if `ALL` are meant: then nobody asks which is the last one, which takes a
/// tenth of the time of W1 (`docs/benchmarks.md`).
#[inline(always)]
fn reverse_from_last<T: Real, const ALL: bool>(
    program: Program<'_>,
    values: &[T],
    adjoints: &mut [T],
    until: usize,
) {
    let len = adjoints.len();
    let (records, values) = (&program.records[..len], &values[..len]);
    let program = Program { records, ..program };
    let Some(&adjoint) = adjoints.last() else {
        return;
    };
    // The first node is a leaf: it has no edges. Below 0 `before` wraps to what is not
    // below `last`: one comparison for the end and for what lies in the slices.
    let last = len - 1;
    let (before, next) = (last.wrapping_sub(1), adjoint);
    let mut back = Backward {
        adjoints,
        adjoint,
        before,
        next,
    };
    while back.before < last && (ALL || back.before + 1 >= until) {
        let (before, at) = (back.before, back.before + 1);
        back.next = back.adjoints[before];
        if back.adjoint.is_absent() {
            back.turn_to(before);
            continue;
        }
        let kind = records[at].code();
        if kind == SUM
            && records[at] == Record::sum_of_two_before(at)
            && before > 0
            && (ALL || before >= until)
        {
            match records[before].code() {
                PRODUCT => {
                    back.sum_and_product(PRODUCT, program, values, before);
                    continue;
                }
                SCALED => {
                    back.sum_and_product(SCALED, program, values, before);
                    continue;
                }
                SCALED_BY_LEFT => {
                    back.sum_and_product(SCALED_BY_LEFT, program, values, before);
                    continue;
                }
                _ => {}
            }
        }
        for_each_edge(kind, program, at, values, &mut back);
        back.adjoints[before] = back.next;
        back.turn_to(before);
    }
}

/// The reverse sweep at one node.
struct Backward<'a, T> {
    adjoints: &'a mut [T],
    adjoint: T,
    /// The position of the node before.
    before: usize,
    /// Its adjoint, still to be stored. Most nodes are operands of the one after
    /// them; kept out of memory, a share is there some cycles earlier, which is
    /// half of the time of a chain (`docs/benchmarks.md`).
    next: T,
}

impl<T: Real> Backward<'_, T> {
    /// Now it is the turn of the node `at`, whose adjoint is `next`.
    #[inline(always)]
    fn turn_to(&mut self, at: usize) {
        self.adjoint = self.next;
        self.before = at.wrapping_sub(1);
    }

    /// A sum of the two nodes before it, and the second of them, a `product`, which is at
    /// `at`. What a sum has sent is not absent, so nobody asks.
    #[inline(always)]
    fn sum_and_product(&mut self, product: u8, program: Program<'_>, values: &[T], at: usize) {
        let (a, b, y) = (values[at - 1], values[at], values[at + 1]);
        let first = T::share(self.adjoint, Op::Add.partial_first(a, b, y));
        let second = T::share(self.adjoint, Op::Add.partial_second(a, b, y));
        let sum = self.adjoints[at - 1].plus(first);
        self.adjoint = self.next.plus(second);
        self.adjoints[at] = self.adjoint;
        (self.before, self.next) = (at - 1, sum);
        for_each_edge(product, program, at, values, self);
        self.adjoints[at - 1] = self.next;
        self.turn_to(at - 1);
    }
}

impl<T: Real> Edges<T> for Backward<'_, T> {
    #[inline(always)]
    fn edge(&mut self, operand: usize, partial: T, branch: bool) {
        let share = match branch {
            true => T::share_of_branch(self.adjoint, partial),
            false => T::share(self.adjoint, partial),
        };
        if operand == self.before {
            self.next = self.next.plus(share);
        } else {
            self.adjoints[operand] = self.adjoints[operand].plus(share);
        }
    }

    /// Among many, few operands are the node before: for them it is cheaper to
    /// put its adjoint into memory than to compare.
    #[inline(always)]
    fn many(&mut self, begin: bool) {
        if begin {
            self.adjoints[self.before] = self.next;
        } else {
            self.next = self.adjoints[self.before];
        }
    }

    #[inline(always)]
    fn one_of_many(&mut self, operand: usize, partial: T, branch: bool) {
        let share = match branch {
            true => T::share_of_branch(self.adjoint, partial),
            false => T::share_of_reached(self.adjoint, partial),
        };
        self.adjoints[operand] = self.adjoints[operand].plus(share);
    }

    #[inline(always)]
    fn one_of_range(&mut self, operands: Range<usize>, branch: bool) -> impl FnMut(usize, T) {
        let (adjoint, to) = (self.adjoint, &mut self.adjoints[operands]);
        #[inline(always)]
        move |i, partial| {
            to[i] = to[i].plus(match branch {
                true => T::share_of_branch(adjoint, partial),
                false => T::share_of_reached(adjoint, partial),
            });
        }
    }
}

/// A seed or direction: one that is zero moves nothing.
pub(crate) fn seed(value: f64) -> f64 {
    if value == 0.0 { ABSENT } else { value }
}

impl Recording {
    /// The edges from a node to its operands: their positions and the partials.
    pub(crate) fn edges(&self, index: usize) -> SmallVec<[Edge; 2]> {
        let mut edges = SmallVec::new();
        let mut each = |operand, partial, branch: bool| {
            edges.push(Edge {
                operand,
                partial,
                passes: !(branch && partial == 0.0),
            });
        };
        let (program, values) = (self.program(), self.values());
        let kind = program.records[index].code();
        for_each_edge(kind, program, index, values, &mut each);
        edges
    }

    /// For each operand that is a node, the partial with respect to it.
    pub(crate) fn partials(&self, index: usize) -> SmallVec<[(NodeId, f64); 2]> {
        let pair = |edge: Edge| (NodeId(edge.operand as u32), edge.partial);
        self.edges(index).into_iter().map(pair).collect()
    }
}

impl Tape {
    /// Evaluates the recording again from the present values of its inputs.
    ///
    /// ```
    /// let tape = chainrule::Tape::new();
    /// let x = tape.var(2.0);
    /// let y = x.square() + 1.0;
    /// tape.set(x, 3.0);
    /// tape.forward();
    /// assert_eq!(y.value(), 10.0);
    /// ```
    ///
    /// A branch of the recording Rust program (`if a < b`) stays as it was
    /// recorded; `select_lt`, `min`, `max` and `abs` follow the new values.
    ///
    /// Of more than 128 nodes the first call takes memory as the first [`clear`](Tape::clear)
    /// does: the sweeps of a tape that is evaluated again are those of the same.
    pub fn forward(&self) {
        // Of a small one the pullbacks need the room that is given up below.
        let nodes = self.len();
        if nodes > MOST_NODES && self.repeated.borrow().is_none() {
            self.prepare_for_repetition(nodes);
        }
        let recording = &mut *self.recording.borrow_mut();
        let (program, values) = recording.program_and_values();
        forward(program, values);
        recording.changed();
    }
}

/// What is recorded until it is dropped: all of it, or nothing if there was no room for all.
struct Unfinished<'t> {
    tape: &'t Tape,
    mark: Mark,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.tape.recording.borrow_mut().rewind(self.mark);
        }
    }
}

impl<'t> Var<'t> {
    /// The partial of this node with respect to one operand: one edge of the
    /// graph, or the sum of two where an operand occurs twice.
    ///
    /// # Panics
    /// If `operand` is not an operand of this node. [`derivative`](crate::derivative) follows
    /// longer paths.
    #[track_caller]
    pub fn partial(self, operand: Var<'_>) -> f64 {
        let Some((tape, id)) = self.place() else {
            Error::NotANode {
                what: "`partial`",
                value: self.value(),
            }
            .stop()
        };
        let wanted = operand.number_on(tape).map(|id| id as usize);
        let mut sum = None;
        for edge in tape.recording.borrow().edges(id as usize) {
            if Some(edge.operand) == wanted {
                sum = Some(sum.map_or(edge.partial, |sum: f64| sum + edge.partial));
            }
        }
        match sum {
            Some(sum) => sum,
            None => {
                let (node, operand) = (self.describe(), operand.describe());
                Error::NotAnOperand { node, operand }.stop()
            }
        }
    }

    /// The gradient as a graph: one `Var` for each of `wrt`, recorded on the
    /// same tape by the same sweep, to be used and differentiated further.
    /// Where this does not depend on one of them, a constant 0.
    ///
    /// ```
    /// let tape = chainrule::Tape::new();
    /// let x = tape.var(2.0);
    /// let first = x.powi(4).gradient_graph(&[x])[0];
    /// let second = first.gradient_graph(&[x])[0];
    /// assert_eq!((first.value(), second.value()), (32.0, 48.0));
    /// ```
    ///
    /// # Panics
    /// If one of `wrt` belongs to another tape, or the tape has no room for the gradient; it then
    /// stays as it was.
    #[track_caller]
    pub fn gradient_graph(self, wrt: &[Var<'t>]) -> Vec<Var<'t>> {
        let Some((tape, id)) = self.place() else {
            return vec![Var::from(0.0); wrt.len()];
        };
        let mut numbers = Vec::with_capacity(wrt.len());
        for var in wrt {
            numbers.push(var.number_on(tape));
        }
        let len = id as usize + 1;
        // A copy, because the sweep appends to the tape that it reads.
        let copy = tape.recording.borrow().clone();
        let values: Vec<_> = (0..=id).map(|id| Var::on(tape, id)).collect();
        let mut adjoints = vec![Var::from(ABSENT); len];
        adjoints[len - 1] = Var::from(1.0);
        let _unfinished = Unfinished {
            tape,
            mark: copy.mark(),
        };
        reverse(copy.program(), &values, &mut adjoints);
        let adjoint = |number: u32| adjoints.get(number as usize).copied();
        let derivative = |number: Option<u32>| number.and_then(adjoint).unwrap_or(Var::from(0.0));
        numbers
            .into_iter()
            .map(|number| derivative(number).or_zero())
            .collect()
    }

    /// Gradient and Hessian–vector product with respect to inputs, exact, by
    /// one sweep over dual numbers.
    ///
    /// # Panics
    /// If the lengths differ, or one of `wrt` is not an input of this tape.
    #[track_caller]
    pub fn hvp(self, wrt: &[Var<'t>], direction: &[f64]) -> (Vec<f64>, Vec<f64>) {
        expect_length("components of the direction", direction.len(), wrt.len());
        let zero = || vec![0.0; wrt.len()];
        let Some((tape, id)) = self.place() else {
            return (zero(), zero());
        };
        let len = id as usize + 1;
        let mut values = tape.dual_inputs(wrt, direction);
        let recording = tape.recording.borrow();
        values.truncate(len);
        forward(recording.program(), &mut values);
        let mut adjoints = vec![Dual::from(ABSENT); len];
        adjoints[len - 1] = Dual::from(1.0);
        reverse(recording.program(), &values, &mut adjoints);
        let adjoint = |var: &Var<'t>| {
            let found = var.id().and_then(|id| adjoints.get(id.index()));
            found.map_or((0.0, 0.0), |x| (x.primal() + 0.0, x.tangent()))
        };
        wrt.iter().map(adjoint).unzip()
    }

    /// The Hessian with respect to inputs, row by row: one
    /// [`hvp`](Var::hvp) for each.
    ///
    /// # Panics
    /// If one of `wrt` is not an input of this tape.
    #[track_caller]
    pub fn hessian(self, wrt: &[Var<'t>]) -> Vec<Vec<f64>> {
        let mut rows = Vec::with_capacity(wrt.len());
        let mut direction = vec![0.0; wrt.len()];
        for i in 0..wrt.len() {
            direction[i] = 1.0;
            rows.push(self.hvp(wrt, &direction).1);
            direction[i] = 0.0;
        }
        rows
    }
}

impl Tape {
    /// All values as dual numbers, of which `inputs` move in `direction`.
    #[track_caller]
    pub(crate) fn dual_inputs(&self, inputs: &[Var<'_>], direction: &[f64]) -> Vec<Dual<f64>> {
        let recording = self.recording.borrow();
        let mut values: Vec<_> = recording.values().iter().map(|&x| Dual::from(x)).collect();
        for (input, &tangent) in inputs.iter().zip(direction) {
            let Some(id) = input.number_on(self) else {
                Error::NotANode {
                    what: "a direction",
                    value: input.value(),
                }
                .stop()
            };
            if recording.program().records[id as usize].op() != Op::Input {
                Error::NotAnInput {
                    node: input.describe(),
                }
                .stop();
            }
            let moved = &mut values[id as usize];
            *moved = moved.plus(Dual::new(ABSENT, seed(tangent)));
        }
        values
    }
}
