//! Does the engine agree, on random graphs, with a naive oracle that shares
//! nothing with it? And do its gradients obey the laws of derivatives?

use crate::common::Random;
use chainrule::{Tape, Var, derivative};

/// One step of a random program; operands are positions modulo what exists.
#[derive(Clone, Debug)]
enum Step {
    Unary(u8, usize),
    Binary(u8, usize, usize),
    Constant(u8, bool, usize, f64),
    Wide(u8, Vec<usize>),
}

impl Step {
    fn random(random: &mut Random) -> Self {
        let kind = random.below(4);
        let op = random.below([8, 5, 4, 4][kind]) as u8;
        let mut place = || random.below(1000);
        match kind {
            0 => Self::Unary(op, place()),
            1 => Self::Binary(op, place(), place()),
            2 => Self::Constant(op, place() % 2 == 0, place(), number(random)),
            _ => Self::Wide(op, (0..1 + place() % 4).map(|_| place()).collect()),
        }
    }
}

fn number(random: &mut Random) -> f64 {
    random.between(-2.0, 2.0)
}

/// A random program and a point.
#[derive(Debug)]
struct Case {
    steps: Vec<Step>,
    x: [f64; 3],
}

/// 10⁵ graphs in release builds, fewer where the engine is not optimised.
const CASES: usize = if cfg!(debug_assertions) { 500 } else { 100_000 };

/// Holds a law to so many random programs of 1 to 24 steps, short ones first, so that the
/// first that breaks it is short. The law says whether a program counts.
fn hold(seed: u64, law: impl Fn(&Case, &mut Random) -> bool) {
    let (mut random, mut held, mut tried) = (Random(seed), 0, 0);
    while held < CASES {
        let len = 1 + 24 * held / CASES;
        let steps = (0..len).map(|_| Step::random(&mut random)).collect();
        let x = [(); 3].map(|()| number(&mut random));
        held += usize::from(law(&Case { steps, x }, &mut random));
        tried += 1;
        assert!(tried < 10 * CASES, "too few programs count");
    }
}

/// The oracle: a value with the derivatives by the three inputs, by textbook
/// rules, from scratch.
#[derive(Clone, Copy, Debug)]
struct Naive {
    v: f64,
    d: [f64; 3],
}

impl Naive {
    fn chain(self, v: f64, slope: f64) -> Self {
        Self {
            v,
            d: self.d.map(|d| slope * d),
        }
    }

    fn both(self, other: Self, v: f64, a: f64, b: f64) -> Self {
        let d = std::array::from_fn(|i| a * self.d[i] + b * other.d[i]);
        Self { v, d }
    }

    fn unary(self, op: u8) -> Self {
        let v = self.v;
        match op {
            0 => self.chain(v.sin(), v.cos()),
            1 => self.chain(v.cos(), -v.sin()),
            2 => self.chain(v.tanh(), 1.0 / (v.cosh() * v.cosh())),
            3 => self.chain((1.0 + v * v).ln(), 2.0 * v / (1.0 + v * v)),
            4 => self.chain((1.0 + v * v).sqrt(), v / (1.0 + v * v).sqrt()),
            5 => self.chain((-v * v).exp(), -2.0 * v * (-v * v).exp()),
            6 => self.chain(1.0 / (1.0 + (-v).exp()), 1.0 / (2.0 + v.exp() + (-v).exp())),
            _ => self.chain(v.atan(), 1.0 / (1.0 + v * v)),
        }
    }

    fn binary(self, op: u8, b: Self) -> Self {
        let (x, y) = (self.v, b.v);
        let q = 1.0 + y * y;
        match op {
            0 => self.both(b, x + y, 1.0, 1.0),
            1 => self.both(b, x - y, 1.0, -1.0),
            2 => self.both(b, x * y, y, x),
            3 => self.both(b, x / q, 1.0 / q, -2.0 * x * y / (q * q)),
            _ => self.both(b, x.max(y), f64::from(x > y), f64::from(x <= y)),
        }
    }

    fn number(v: f64) -> Self {
        Self { v, d: [0.0; 3] }
    }
}

fn oracle(steps: &[Step], x: &[f64; 3]) -> Vec<Naive> {
    let mut all: Vec<Naive> = Vec::new();
    for (i, &x) in x.iter().enumerate() {
        all.push(Naive {
            v: x,
            d: std::array::from_fn(|j| f64::from(i == j)),
        });
    }
    for step in steps {
        let at = |i: &usize| all[i % all.len()];
        let next = match step {
            Step::Unary(op, a) => at(a).unary(*op),
            Step::Binary(op, a, b) => at(a).binary(*op, at(b)),
            Step::Constant(op, false, a, c) => at(a).binary(*op, Naive::number(*c)),
            Step::Constant(op, true, a, c) => Naive::number(*c).binary(*op, at(a)),
            Step::Wide(op, wide) => {
                let terms: Vec<Naive> = wide.iter().map(at).collect();
                let fold = |op| move |a: Naive, b: Naive| a.binary(op, b);
                match op {
                    0 => terms.into_iter().reduce(fold(0)).unwrap(),
                    1 => terms.into_iter().reduce(fold(2)).unwrap(),
                    2 => terms
                        .into_iter()
                        .map(|t| t.binary(2, t))
                        .reduce(fold(0))
                        .unwrap(),
                    _ => {
                        let e = terms.into_iter().map(|t| t.chain(t.v.exp(), t.v.exp()));
                        let sum = e.reduce(fold(0)).unwrap();
                        sum.chain(sum.v.ln(), 1.0 / sum.v)
                    }
                }
            }
        };
        all.push(next);
    }
    all
}

/// The same program on the engine, with the handles of all its steps.
fn record<'t>(steps: &[Step], x: &[Var<'t>]) -> Vec<Var<'t>> {
    let mut all = x.to_vec();
    for step in steps {
        let at = |i: &usize| all[i % all.len()];
        let next = match step {
            Step::Unary(op, a) => unary(*op, at(a)),
            Step::Binary(op, a, b) => binary(*op, at(a), at(b)),
            Step::Constant(op, false, a, c) => binary(*op, at(a), Var::from(*c)),
            Step::Constant(op, true, a, c) => binary(*op, Var::from(*c), at(a)),
            Step::Wide(op, wide) => {
                let terms: Vec<Var<'t>> = wide.iter().map(at).collect();
                match op {
                    0 => Var::sum(&terms),
                    1 => Var::product(&terms),
                    2 => Var::dot(&terms, &terms),
                    _ => Var::log_sum_exp(&terms),
                }
            }
        };
        all.push(next);
    }
    all
}

fn unary(op: u8, x: Var<'_>) -> Var<'_> {
    match op {
        0 => x.sin(),
        1 => x.cos(),
        2 => x.tanh(),
        3 => (1.0 + x * x).ln(),
        4 => (x.square() + 1.0).sqrt(),
        5 => (-x * x).exp(),
        6 => x.sigmoid(),
        _ => x.atan(),
    }
}

fn binary<'t>(op: u8, a: Var<'t>, b: Var<'t>) -> Var<'t> {
    match op {
        0 => a + b,
        1 => a - b,
        2 => a * b,
        3 => a / (b * b + 1.0),
        _ => a.max(b),
    }
}

/// How large a gradient would be if nothing cancelled: what its rounding errors
/// are relative to.
fn size(naive: &[Naive]) -> f64 {
    let largest = |n: &Naive| n.d.iter().fold(n.v.abs(), |a, b| a.max(b.abs()));
    naive.iter().map(largest).fold(1.0, f64::max)
}

/// Ties of max are no matter of this test, nor is overflow.
fn tame(naive: &[Naive], steps: &[Step]) -> bool {
    let values: Vec<f64> = naive.iter().map(|n| n.v).collect();
    let tied = |i: usize, step: &Step| match step {
        Step::Binary(4, a, b) => values[a % (i + 3)] == values[b % (i + 3)],
        _ => false,
    };
    size(naive) < 1e6 && !steps.iter().enumerate().any(|(i, step)| tied(i, step))
}

fn gradient(steps: &[Step], x: &[f64; 3]) -> [f64; 3] {
    let tape = Tape::new();
    let vars = tape.vars(x);
    let all = record(steps, &vars);
    let adjoints = all[all.len() - 1].backward();
    std::array::from_fn(|i| adjoints.wrt(vars[i]))
}

/// Within a tolerance, which no NaN is.
#[track_caller]
fn close(a: &[f64], b: &[f64], tolerance: f64, case: &Case) {
    for (a, b) in a.iter().zip(b) {
        let apart = (a - b).abs();
        assert!(
            apart <= tolerance,
            "{a} {b}, tolerance {tolerance}: {case:?}"
        );
    }
}

#[test]
fn reverse_is_forward_is_the_oracle() {
    hold(1, |case, _| {
        let Case { steps, x } = case;
        let naive = oracle(steps, x);
        if !tame(&naive, steps) {
            return false;
        }
        let tolerance = 1e-11 * size(&naive).powi(2);
        let last = naive[naive.len() - 1];
        let tape = Tape::new();
        let vars = tape.vars(x);
        let all = record(steps, &vars);
        let output = all[all.len() - 1];
        close(&[output.value()], &[last.v], tolerance, case);
        let reverse = output.backward().wrt_all(&vars);
        close(&reverse, &last.d, tolerance, case);
        for (i, &reverse) in reverse.iter().enumerate() {
            let mut direction = [0.0; 3];
            direction[i] = 1.0;
            let (_, forward) =
                chainrule::jvp(|x| vec![record(steps, x)[steps.len() + 2]], x, &direction);
            close(&[reverse], &forward, tolerance * 1e-2, case);
        }
        true
    });
}

#[test]
fn the_derivative_of_every_node_is_the_oracle_s() {
    hold(2, |case, _| {
        let Case { steps, x } = case;
        let naive = oracle(steps, x);
        if !tame(&naive, steps) {
            return false;
        }
        let tolerance = 1e-11 * size(&naive).powi(2);
        let tape = Tape::new();
        let vars = tape.vars(x);
        for (var, naive) in record(steps, &vars).into_iter().zip(&naive) {
            let found = [0, 1, 2].map(|i| derivative(var, vars[i]));
            close(&found, &naive.d, tolerance, case);
        }
        true
    });
}

#[test]
fn a_gradient_is_linear_in_its_seeds() {
    hold(3, |case, random| {
        let Case { steps, x } = case;
        let (s, t) = (number(random), number(random));
        let naive = oracle(steps, x);
        if !tame(&naive, steps) {
            return false;
        }
        let tape = Tape::new();
        let vars = tape.vars(x);
        let all = record(steps, &vars);
        let (u, v) = (all[all.len() - 1], all[all.len() / 2]);
        let both = tape.backward_with(&[(u, s), (v, t)], Vec::new());
        let (gu, gv) = (u.backward().wrt_all(&vars), v.backward().wrt_all(&vars));
        let expected: Vec<f64> = gu.iter().zip(&gv).map(|(a, b)| s * a + t * b).collect();
        let tolerance = 1e-13 * size(&naive).powi(2);
        close(&both.wrt_all(&vars), &expected, tolerance, case);
        true
    });
}

#[test]
fn the_gradient_of_f_of_ax_is_a_transposed_times_that_of_f() {
    hold(4, |case, random| {
        let Case { steps, x } = case;
        let a = [(); 3].map(|()| [(); 3].map(|()| random.between(-1.0, 1.0)));
        let ax: [f64; 3] = std::array::from_fn(|i| (0..3).map(|j| a[i][j] * x[j]).sum());
        let naive = oracle(steps, &ax);
        if !tame(&naive, steps) {
            return false;
        }
        let tape = Tape::new();
        let vars = tape.vars(x);
        let moved = a.map(|row| Var::linear_combination(&row, &vars, 0.0));
        let all = record(steps, &moved);
        let found = all[all.len() - 1].backward().wrt_all(&vars);
        let inner = gradient(steps, &ax);
        let expected = [0, 1, 2].map(|j| (0..3).map(|i| a[i][j] * inner[i]).sum());
        close(&found, &expected, 1e-10 * size(&naive).powi(2), case);
        true
    });
}

#[test]
fn the_order_in_which_inputs_are_recorded_does_not_matter() {
    hold(5, |case, _| {
        let Case { steps, x } = case;
        let tape = Tape::new();
        let backwards = tape.vars(&[x[2], x[1], x[0]]);
        let vars = [backwards[2], backwards[1], backwards[0]];
        let all = record(steps, &vars);
        let found = all[all.len() - 1].backward().wrt_all(&vars);
        assert_eq!(bits(&found), bits(&gradient(steps, x)), "{case:?}");
        true
    });
}

#[test]
fn independent_nodes_in_between_do_not_matter() {
    hold(6, |case, _| {
        let Case { steps, x } = case;
        let tape = Tape::new();
        let vars = tape.vars(x);
        let mut all = vars.clone();
        for i in 0..steps.len() {
            let _unused = (all[i] * 3.0).ln().exp();
            all = record(&steps[..=i], &vars);
        }
        let found = all[all.len() - 1].backward().wrt_all(&vars);
        assert_eq!(bits(&found), bits(&gradient(steps, x)), "{case:?}");
        true
    });
}

#[test]
fn seed_and_shares_of_every_node_add_up_to_its_adjoint() {
    hold(7, |case, _| {
        let Case { steps, x } = case;
        if !tame(&oracle(steps, x), steps) {
            return false;
        }
        let tape = Tape::new();
        let vars = tape.vars(x);
        let all = record(steps, &vars);
        let grad = all[all.len() - 1].backward();
        for var in all {
            let seen = grad.node(var);
            let sizes: f64 = seen.consumers.iter().map(|share| share.sent.abs()).sum();
            let sent: f64 = seen.consumers.iter().map(|share| share.sent).sum();
            let tolerance = 1e-14 * (1.0 + sizes);
            close(&[seen.seed + sent], &[seen.adjoint], tolerance, case);
        }
        true
    });
}

/// Bits, so that NaN equals itself.
fn bits(numbers: &[f64]) -> Vec<u64> {
    numbers.iter().map(|x| x.to_bits()).collect()
}
