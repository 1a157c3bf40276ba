//! Where a loop is recorded again and again, are the adjoints those of a new tape, bit by bit?

use crate::again::{assert_same, assert_same_bits, number};
use crate::common::Random;
use chainrule::{NodeId, Op, Real, Tape, Var};

/// More than it takes until the adjoint program is assembled.
const ROUNDS: usize = 30;

/// A program with one loop.
struct Loop {
    /// Decides what is done.
    shape: u64,
    count: usize,
    /// This iteration has another operation.
    other: usize,
    /// An n-ary sum after the loop may read a node of this iteration.
    summed: usize,
    /// The output is so many nodes before the last one.
    before_last: usize,
}

/// The operands that an iteration may have, besides its own nodes.
struct Known<'a, 't> {
    given: &'a [Var<'t>],
    inputs: &'a [Var<'t>],
    iterations: &'a [Vec<Var<'t>>],
    sum: Var<'t>,
}

impl<'t> Known<'_, 't> {
    fn pick(&self, own: &[Var<'t>], shape: &mut Random) -> Var<'t> {
        let (kind, place, back) = (shape.below(9), shape.unit(), 1 + shape.below(2));
        let of = |all: &[Var<'t>]| {
            let at = (place * all.len() as f64) as usize;
            all.get(at).copied().unwrap_or(self.given[0])
        };
        match kind {
            0 | 1 => of(self.given),
            2 => of(self.inputs),
            3 => {
                let before = self.iterations.len().checked_sub(back);
                of(before.map_or(&[], |iteration| &self.iterations[iteration]))
            }
            4 => self.sum,
            _ => of(&own[own.len().saturating_sub(3)..]),
        }
    }
}

impl Loop {
    fn new(shape: u64) -> Self {
        Self {
            shape,
            count: 30 + shape as usize % 90,
            other: usize::MAX,
            summed: 0,
            before_last: 0,
        }
    }

    fn number(&self, numbers: &mut Random) -> f64 {
        match self.shape % 3 {
            0 => number(numbers),
            _ => numbers.between(-2.0, 2.0),
        }
    }

    fn record<'t>(&self, tape: &'t Tape, numbers: &mut Random) -> Var<'t> {
        let shape = &mut Random(self.shape);
        let most = [4, 20][shape.below(2)];
        let count = 1 + shape.below(most);
        let new = |numbers: &mut Random| tape.var(self.number(numbers));
        let mut given: Vec<Var<'t>> = (0..count).map(|_| new(numbers)).collect();
        if shape.below(2) == 0 {
            given.push(given[0].sin());
        }
        let step = shape.below(3);
        let inputs = (0..(self.count + 1) * step).map(|_| new(numbers));
        let inputs: Vec<Var<'t>> = inputs.collect();
        let mut sum = [Var::from(0.0), given[0], given[0] * 0.5][shape.below(3)];
        let (body, how, mut iterations) = (shape.below(1 << 30) as u64, shape.below(6), Vec::new());
        for iteration in 0..self.count {
            let known = Known {
                given: &given,
                inputs: &inputs[iteration * step..][..step + step.min(1)],
                iterations: &iterations,
                sum,
            };
            let own = self.iteration(tape, &known, &mut Random(body), numbers);
            let term = own[own.len() - 1];
            sum = match how {
                0 => sum - term,
                1 => term + sum,
                2 | 3 => sum,
                _ => sum + term,
            };
            iterations.push(own);
        }
        if let 2 | 3 = how {
            let each = |own: &Vec<Var<'t>>| own[own.len() - 1];
            let terms = [sum].into_iter().chain(iterations.iter().map(each));
            sum = terms.sum();
        }
        self.after(tape, shape, &given, &iterations, sum)
    }

    /// The operations of one iteration.
    fn iteration<'t>(
        &self,
        tape: &'t Tape,
        known: &Known<'_, 't>,
        shape: &mut Random,
        numbers: &mut Random,
    ) -> Vec<Var<'t>> {
        let smooth = self.shape.is_multiple_of(2);
        let takes = |op: &Op| op.arity().is_some_and(|n| n > 0) && !(smooth && op.is_branch());
        let ops: Vec<Op> = Op::ALL.iter().copied().filter(takes).collect();
        let mut own: Vec<Var<'t>> = Vec::new();
        if shape.below(4) == 0 {
            own.push(tape.var(self.number(numbers)));
        }
        for _ in 0..1 + shape.below(10) {
            let (a, b) = (known.pick(&own, shape), known.pick(&own, shape));
            let op = match ops[shape.below(ops.len())] {
                _ if known.iterations.len() == self.other => Op::Sin,
                _ if shape.below(2) == 0 => Op::Mul,
                op => op,
            };
            let constant = Var::from(self.number(numbers));
            own.push(match (op.arity(), shape.below(5)) {
                (Some(1), _) => Var::unary(op, a),
                (_, 0) => Var::binary(op, a, constant),
                (_, 1) => Var::binary(op, constant, b),
                (_, 2) => Var::binary(op, a, a),
                _ => Var::binary(op, a, b),
            });
        }
        own
    }

    /// The operations after the loop.
    fn after<'t>(
        &self,
        tape: &'t Tape,
        shape: &mut Random,
        given: &[Var<'t>],
        iterations: &[Vec<Var<'t>>],
        sum: Var<'t>,
    ) -> Var<'t> {
        let (last, middle) = (
            iterations[iterations.len() - 1][0],
            iterations[iterations.len() / 2][0],
        );
        let mut output = sum * 0.5;
        match shape.below(8) {
            0 => output += last,
            1 => output *= middle,
            2 => output = Var::sum(&[output, iterations[self.summed][0], last, given[0]]),
            3 => output = Var::sum(&[output, given[self.summed % given.len()], last]),
            4 => return iterations[self.count - 2][0],
            _ => {}
        }
        for &x in given {
            output += x * x * 0.25;
        }
        if shape.below(4) == 0 {
            let _ = (output * middle).exp();
        }
        let at = output.id().map_or(0, NodeId::index);
        let node = tape.nodes().nth(at.saturating_sub(self.before_last));
        node.map_or(output, |node| tape.at(node.id))
    }
}

fn seeds() -> std::ops::Range<u64> {
    0..if cfg!(debug_assertions) { 60 } else { 1000 }
}

/// Records a loop so many times, with other numbers, after a `change` before each round.
fn assert_loop_same(seed: u64, rounds: usize, change: impl Fn(&mut Loop, usize, &mut Random)) {
    let (again, numbers) = (&mut Tape::new(), &mut Random(seed));
    let mut this = Loop::new(seed);
    for round in 0..rounds {
        change(&mut this, round, numbers);
        let now = numbers.below(1 << 30) as u64;
        assert_same(again, |tape| this.record(tape, &mut Random(now)));
    }
}

#[test]
fn random_loops_have_the_adjoints_of_a_new_tape() {
    for seed in seeds() {
        assert_loop_same(seed, ROUNDS, |_, _, _| {});
    }
}

#[test]
fn one_iteration_with_another_operation_is_noticed_wherever_it_is() {
    for seed in seeds().step_by(3) {
        assert_loop_same(seed, ROUNDS + 5, |this, round, numbers| {
            if round >= ROUNDS {
                this.other = numbers.below(this.count);
            }
        });
    }
}

/// An n-ary sum keeps its operands beside its record, which stays the same.
#[test]
fn another_operand_of_an_n_ary_sum_after_the_loop_is_noticed() {
    for seed in seeds() {
        assert_loop_same(seed, ROUNDS + 5, |this, round, numbers| {
            if round >= ROUNDS {
                this.summed = numbers.below(this.count);
            }
        });
    }
}

#[test]
fn another_output_has_its_own_adjoints() {
    for seed in seeds().step_by(3) {
        assert_loop_same(seed, 3 * ROUNDS, |this, round, _| {
            this.before_last = [0, 3, 200][round / ROUNDS];
        });
    }
}

/// The buffer of a sweep is used again, whatever is in it.
#[test]
fn a_loop_evaluated_again_in_place_has_the_adjoints_of_a_sweep() {
    for seed in seeds().step_by(3) {
        let (tape, this) = (Tape::new(), Loop::new(seed));
        let numbers = &mut Random(seed);
        let output = this.record(&tape, &mut Random(seed));
        let inputs = tape.nodes().filter(|node| node.op == Op::Input);
        let inputs: Vec<Var<'_>> = inputs.map(|node| tape.at(node.id)).collect();
        let mut buffer = Vec::new();
        for round in 0..ROUNDS {
            for &x in &inputs {
                tape.set(x, this.number(numbers));
            }
            tape.forward();
            let found = tape.backward_with(&[(output, 1.0)], buffer);
            // Two seeds consult no cache.
            let swept = tape.backward_with(&[(output, 1.0), (output, 0.0)], Vec::new());
            buffer = found.into_buffer();
            assert_same_bits(&buffer, &swept.into_buffer());
            buffer.fill(round as f64);
        }
    }
}

/// Records the same, with other numbers, often enough.
fn assert_always_same(record: impl for<'t> Fn(&'t Tape, &mut Random) -> Var<'t>) {
    let again = &mut Tape::new();
    for round in 0..ROUNDS as u64 {
        assert_same(again, |tape| record(tape, &mut Random(round)));
    }
}

/// Of many numbers one is NaN, and hides the others in a sum; so mostly all are ordinary.
fn vars<'t>(tape: &'t Tape, n: usize, numbers: &mut Random) -> Vec<Var<'t>> {
    let tame = numbers.below(3) > 0;
    let mut one = || match tame {
        true => numbers.between(-2.0, 2.0),
        false => number(numbers),
    };
    (0..n).map(|_| tape.var(one())).collect()
}

/// Two live-ins of different strides alias in some iteration.
#[test]
fn an_input_read_at_two_strides_accumulates_in_order() {
    let ways: [fn(usize) -> usize; 6] = [
        |i| i,
        |_| 50,
        |i| 2 * i,
        |i| 99 - i,
        |i| i + 1,
        |i| 2 * i + 10,
    ];
    for (a, first) in ways.iter().enumerate() {
        for second in &ways[a..] {
            assert_always_same(|tape, numbers| {
                let x = vars(tape, 220, numbers);
                let term = |i| x[first(i)] * x[second(i)].sin();
                (0..100).map(term).fold(x[219], |sum, term| sum + term)
            });
        }
    }
}

/// The same, where one of them is uniform and the aliases are at an end of the loop.
#[test]
fn an_input_read_by_one_iteration_and_by_all_accumulates_in_order() {
    for fixed in (0..12).chain(80..100) {
        assert_always_same(|tape, numbers| {
            let x = vars(tape, 100, numbers);
            let term = |i: usize| x[i] * x[fixed].sin();
            (0..100).map(term).fold(x[99], |sum, term| sum + term)
        });
    }
}

/// The live-in of an iteration lies before the loop at first, and later in it.
#[test]
fn a_live_in_that_moves_into_the_loop_has_the_adjoint_of_a_new_tape() {
    assert_always_same(|tape, numbers| {
        let mut all = vars(tape, 20, numbers);
        for i in 0..200 {
            let y = all[i].sin();
            all.push(y);
            all.push(y * all[all.len() - 2]);
        }
        all[all.len() - 1]
    });
}

/// Within the strips nothing reads the products.
#[test]
fn a_live_out_of_the_last_iteration_only_contributes_to_the_iterations_before_it() {
    for back in 1..4 {
        assert_always_same(|tape, numbers| {
            let x = vars(tape, 1, numbers)[0];
            let (mut sum, mut before) = (x, vec![x; 4]);
            let mut unused = x;
            for _ in 0..100 {
                let y = x.sin();
                sum += y;
                unused = before[before.len() - back] * y;
                before.push(y);
            }
            sum * 0.5 + unused
        });
    }
}
