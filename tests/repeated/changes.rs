//! Is one change in a recording that is repeated noticed, after any number of rounds? An operand, a constant, an exponent, an operation, the length, the output, a
//! comparison's outcome: each against a new tape, bit by bit, and as a `Function` made of it.

use crate::again::{assert_same, assert_same_bits, number};
use crate::common::{Random, apply_with, cases};
use chainrule::{Op, Tape, Var};

const INPUTS: usize = 4;

/// What an operation is applied to.
#[derive(Clone, Copy)]
enum Of {
    Node(usize),
    Constant(f64),
}

#[derive(Clone)]
struct Step {
    op: Op,
    operands: Vec<Of>,
    /// An n-ary operation's own.
    constants: Vec<f64>,
}

impl Step {
    fn new(random: &mut Random, nodes: usize) -> Self {
        let op = Op::ALL[random.below(Op::ALL.len())];
        let count = op.samples().len();
        let mut operands: Vec<Of> = (0..count)
            .map(|i| match random.below(4) {
                0 if i > 0 => Of::Constant(constant(random)),
                _ => Of::Node(random.below(nodes)),
            })
            .collect();
        operands[0] = Of::Node(random.below(nodes));
        let own = op.own_constants(count).unwrap_or(0);
        let constants = (0..own).map(|_| constant(random)).collect();
        Self {
            op,
            operands,
            constants,
        }
    }

    fn record<'t>(&self, nodes: &[Var<'t>]) -> Var<'t> {
        let of = |of: &Of| match *of {
            Of::Node(id) => nodes[id],
            Of::Constant(value) => Var::from(value),
        };
        let x: Vec<Var<'_>> = self.operands.iter().map(of).collect();
        apply_with(self.op, &x, &self.constants)
    }
}

/// Whole exponents among others.
fn constant(random: &mut Random) -> f64 {
    const WHOLE: [f64; 8] = [0.0, 1.0, 2.0, 3.0, -1.0, -2.0, 0.5, -0.0];
    match random.below(2) {
        0 => WHOLE[random.below(WHOLE.len())],
        _ => random.between(-2.0, 2.0),
    }
}

#[derive(Clone)]
struct Program {
    steps: Vec<Step>,
    /// So many nodes before the last one.
    output: usize,
    /// Of inputs that the program compares.
    pairs: Vec<(usize, usize)>,
}

impl Program {
    fn new(random: &mut Random) -> Self {
        let len = [3, 12, 40, 120, 200][random.below(5)];
        let steps = (0..len).map(|i| Step::new(random, INPUTS + i)).collect();
        let pair = |_| (random.below(INPUTS), random.below(INPUTS));
        let pairs = (0..3).map(pair).collect();
        Self {
            steps,
            output: 0,
            pairs,
        }
    }

    fn change(&mut self, random: &mut Random) {
        let at = random.below(self.steps.len());
        let step = &mut self.steps[at];
        let place = random.below(step.operands.len());
        match random.below(7) {
            0 => step.operands[place] = Of::Node(random.below(INPUTS + at)),
            1 => step.operands[place] = Of::Constant(constant(random)),
            2 if !step.constants.is_empty() => step.constants[place] = constant(random),
            3 => *step = Step::new(random, INPUTS + at),
            4 => {
                let next = Step::new(random, INPUTS + self.steps.len());
                self.steps.push(next);
            }
            5 if self.steps.len() > 3 => drop(self.steps.pop()),
            _ => self.output = random.below(3),
        }
    }

    fn record<'t>(&self, tape: &'t Tape, x: &[f64; INPUTS]) -> Var<'t> {
        let mut nodes = tape.vars(x);
        for step in &self.steps {
            nodes.push(step.record(&nodes));
        }
        let mut y = nodes[nodes.len() - 1 - self.output] * 2.0 + nodes[0];
        for &(a, b) in &self.pairs {
            if nodes[a] < nodes[b] {
                y += nodes[a];
            }
        }
        y
    }
}

#[test]
fn one_change_is_noticed_after_any_number_of_rounds() {
    for seed in 0..cases(250) {
        let mut random = Random(seed);
        let mut program = Program::new(&mut random);
        let mut again = Tape::new();
        for _ in 0..60 {
            let x = [0; INPUTS].map(|_| number(&mut random));
            assert_same(&mut again, |tape| program.record(tape, &x));
            // Seldom, so that the adjoint program is assembled by then.
            if random.below(20) == 0 {
                program.change(&mut random);
            }
        }
    }
}

#[test]
fn a_function_of_what_was_recorded_again_is_that_of_a_new_tape() {
    for seed in 0..cases(250) {
        let mut random = Random(5_000 + seed);
        let mut program = Program::new(&mut random);
        let mut again = Tape::new();
        for round in 0..25 {
            let x = [0; INPUTS].map(|_| random.between(-1.5, 1.5));
            again.clear();
            let y = program.record(&again, &x);
            let gradient = y.backward().wrt_all(&again_inputs(&again));
            if round % 6 == 5 {
                let f = again.function(&again_inputs(&again), y);
                let (value, slopes) = f.value_and_gradient(&x).unwrap();
                assert_same_bits(&[value], &[y.value()]);
                assert_same_bits(&slopes, &gradient);
                program.change(&mut random);
            }
        }
    }
}

fn again_inputs(tape: &Tape) -> Vec<Var<'_>> {
    let ids: Vec<_> = tape.nodes().take(INPUTS).map(|node| node.id).collect();
    ids.into_iter().map(|id| tape.at(id)).collect()
}
