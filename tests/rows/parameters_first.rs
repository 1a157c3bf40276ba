//! Which bits does a function with columns have? Those of a tape that records what depends on
//! parameters alone before the rest: at a point, in each row, and over a single row; with loops
//! found in it, with merged sums, on registers or not.

use crate::common::{Random, cases};
use chainrule::{Function, Op, Real, Tape, Var, Workspace};

const PARAMETERS: usize = 3;
const COLUMNS: usize = 2;
const INPUTS: usize = PARAMETERS + COLUMNS;

/// What an operation is applied to.
#[derive(Clone, Copy)]
enum Of {
    Node(usize),
    Constant(f64),
}

type Step = (Op, Vec<Of>);

struct Program {
    steps: Vec<Step>,
    random: Random,
}

impl Program {
    fn push(&mut self, op: Op, operands: &[Of]) -> Of {
        self.steps.push((op, operands.to_vec()));
        Of::Node(INPUTS + self.steps.len() - 1)
    }

    fn any(&mut self) -> Of {
        Of::Node(self.random.below(INPUTS + self.steps.len()))
    }

    /// A random operation on random nodes and constants.
    fn operation(&mut self) -> Of {
        const SMOOTH: [Op; 12] = [
            Op::Add,
            Op::Mul,
            Op::Sub,
            Op::Sin,
            Op::Tanh,
            Op::Exp,
            Op::Sigmoid,
            Op::Max,
            Op::Abs,
            Op::Square,
            Op::Hypot,
            Op::Div,
        ];
        let op = SMOOTH[self.random.below(SMOOTH.len())];
        let (first, second) = (self.any(), self.any());
        let second = match self.random.below(5) {
            0 => Of::Constant(self.random.between(0.5, 2.0)),
            1 => Of::Constant(1.0),
            _ => second,
        };
        match op.arity() {
            Some(1) => self.push(op, &[first]),
            _ => self.push(op, &[first, second]),
        }
    }

    /// a·b + c·d + …, beginning with a node.
    fn sum_of_products(&mut self) -> Of {
        let mut sum = self.any();
        for _ in 0..2 + self.random.below(4) {
            let (a, b) = (self.any(), self.any());
            let product = match self.random.below(3) {
                0 => a,
                1 => self.push(Op::Mul, &[a, Of::Constant(0.5)]),
                _ => self.push(Op::Mul, &[a, b]),
            };
            sum = self.push(Op::Add, &[sum, product]);
        }
        sum
    }

    /// A sum over data that the recording program has.
    fn data_loop(&mut self) -> Of {
        let (a, b, c) = (self.any(), self.any(), self.any());
        let ops = [Op::Sin, Op::Exp, Op::Tanh].map(|op| (op, self.random.below(2) == 0));
        let mut sum = self.push(Op::Mul, &[a, Of::Constant(0.1)]);
        for i in 0..40 {
            let x = Of::Constant(f64::from(i) * 0.037 - 0.6);
            let mut t = self.push(Op::Mul, &[a, x]);
            t = self.push(Op::Add, &[t, b]);
            for (op, with) in ops {
                t = self.push(op, &[t]);
                if with {
                    t = self.push(Op::Mul, &[t, c]);
                }
            }
            sum = self.push(Op::Add, &[sum, t]);
        }
        sum
    }

    /// A program of one kind or another.
    fn new(seed: u64) -> Self {
        let (steps, random) = (Vec::new(), Random(seed));
        let mut program = Self { steps, random };
        let mut sum = Of::Node(0);
        for _ in 0..4 {
            for _ in 0..program.random.below(6) {
                program.operation();
            }
            let term = match program.random.below(5) {
                0 => program.data_loop(),
                1 | 2 => program.sum_of_products(),
                _ => program.operation(),
            };
            sum = program.push(Op::Add, &[sum, term]);
        }
        program
    }

    /// Whether each node depends on a column.
    fn varies(&self) -> Vec<bool> {
        let mut varies: Vec<bool> = (0..INPUTS).map(|i| i >= PARAMETERS).collect();
        for (_, operands) in &self.steps {
            let of = |of: &Of| matches!(of, Of::Node(id) if varies[*id]);
            varies.push(operands.iter().any(of));
        }
        varies
    }

    /// Of what depends on parameters alone, what is added once: some nodes, one of them perhaps
    /// twice, and a constant.
    fn terms_once(&self) -> Vec<Of> {
        let varies = self.varies();
        let mut terms: Vec<Of> = (0..varies.len())
            .filter(|&id| !varies[id])
            .rev()
            .step_by(3)
            .take(self.steps.len() % 4)
            .map(Of::Node)
            .collect();
        if terms.len() == 3 {
            terms.extend([terms[0], Of::Constant(0.25)]);
        }
        terms
    }

    /// Records the steps in this order; returns the last of them and the terms that count once.
    fn record<'t>(
        &self,
        inputs: &[Var<'t>],
        order: impl Iterator<Item = usize>,
    ) -> (Var<'t>, Vec<Var<'t>>) {
        let mut nodes = inputs.to_vec();
        nodes.resize(INPUTS + self.steps.len(), Var::from(f64::NAN));
        for at in order {
            let (op, operands) = &self.steps[at];
            let of = |of: &Of| match *of {
                Of::Node(id) => nodes[id],
                Of::Constant(value) => Var::from(value),
            };
            let x: Vec<Var<'_>> = operands.iter().map(of).collect();
            nodes[INPUTS + at] = match x[..] {
                [x] => Var::unary(*op, x),
                _ => Var::binary(*op, x[0], x[1]),
            };
        }
        let of = |of: &Of| match *of {
            Of::Node(id) => nodes[id],
            Of::Constant(value) => Var::from(value),
        };
        (
            nodes[nodes.len() - 1],
            self.terms_once().iter().map(of).collect(),
        )
    }

    fn function(&self, as_recorded: bool) -> Function {
        let tape = Tape::new();
        let mut inputs = tape.vars(&[0.3; PARAMETERS]);
        inputs.extend((0..COLUMNS).map(|_| tape.column(0.5)));
        let (y, terms) = self.record(&inputs, 0..self.steps.len());
        let freeze = tape.freeze(&inputs).output(y);
        let freeze = terms
            .into_iter()
            .fold(freeze, |freeze, term| freeze.once(term));
        match as_recorded {
            true => freeze.as_recorded().function(),
            false => freeze.function(),
        }
    }

    /// Value and gradient of a tape that records what depends on parameters alone first, with
    /// or without the terms that count once.
    fn expected(&self, point: &[f64; INPUTS], once: bool) -> Vec<f64> {
        let (varies, tape) = (self.varies(), Tape::new());
        let inputs = tape.vars(point);
        let steps = || 0..self.steps.len();
        let first = steps().filter(|&at| !varies[INPUTS + at]);
        let rest = steps().filter(|&at| varies[INPUTS + at]);
        let (y, terms) = self.record(&inputs, first.chain(rest));
        let y = terms
            .into_iter()
            .filter(|_| once)
            .fold(y, |y, term| y + term);
        let gradient = y.backward().wrt_all(&inputs);
        [vec![y.value()], gradient].concat()
    }
}

fn bits(numbers: &[f64]) -> Vec<u64> {
    let canonical = |x: &f64| if x.is_nan() { u64::MAX } else { x.to_bits() };
    numbers.iter().map(canonical).collect()
}

#[test]
fn a_function_with_columns_has_the_bits_of_a_tape_that_records_parameters_first() {
    let (mut loops, mut workspace) = (0, Workspace::new());
    for seed in 0..600 {
        let program = Program::new(seed);
        let mut random = Random(1_000 + seed);
        for f in [program.function(false), program.function(true)] {
            loops += usize::from(f.stats().turns > 0);
            let points: Vec<[f64; INPUTS]> = (0..cases(5))
                .map(|_| [0; INPUTS].map(|_| random.between(-1.5, 1.5)))
                .collect();
            for point in &points {
                let (p, c) = point.split_at(PARAMETERS);
                let expected = program.expected(point, true);
                let mut gradient = [0.0; INPUTS];
                let value = f.value_and_gradient_into(point, &mut gradient, &mut workspace);
                let found = [&[value.unwrap()][..], &gradient].concat();
                assert_eq!(bits(&found), bits(&expected), "{seed} at a point: {f}");

                let columns: Vec<&[f64]> = c.chunks(1).collect();
                let rows = f.rows(&columns).unwrap();
                let (value, gradient) = rows.value_and_gradient(p).unwrap();
                let found = [&[value][..], &gradient].concat();
                let of_parameters = &expected[..1 + PARAMETERS];
                // What counts once comes after what all rows have added up.
                let same = if program.terms_once().is_empty() {
                    1 + PARAMETERS
                } else {
                    1
                };
                assert_eq!(
                    bits(&found[..same]),
                    bits(&of_parameters[..same]),
                    "{seed}: {f}"
                );
                let expected = program.expected(point, false);
                let values = rows.values(p).unwrap();
                let gradients = rows.row_gradients(p).unwrap();
                let found = [&values[..], &gradients].concat();
                assert_eq!(
                    bits(&found),
                    bits(&expected[..1 + PARAMETERS]),
                    "{seed} in a row: {f}"
                );
            }
        }
    }
    assert!(loops > 20, "{loops}");
}
