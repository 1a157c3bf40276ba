//! Does a function whose recording is a loop, evaluated many turns at a time, have the bits
//! of the tape that it was made from? And is what only looks like a loop left alone?

mod random;

use chainrule::{Function, Tape, Var};
use random::Random;

fn many(random: &mut Random, count: usize) -> Vec<f64> {
    (0..count).map(|_| random.between(-2.0, 2.0)).collect()
}

fn bits(x: f64) -> u64 {
    if x.is_nan() { f64::NAN.to_bits() } else { x.to_bits() }
}

/// Value and gradient of the tape, replayed at a point.
fn replayed(tape: &Tape, x: &[Var<'_>], output: Var<'_>, point: &[f64]) -> Vec<u64> {
    for (&x, &value) in x.iter().zip(point) {
        tape.set(x, value);
    }
    tape.forward();
    let adjoints = output.backward();
    let gradient = x.iter().map(|&x| bits(adjoints.wrt(x)));
    [bits(output.value())].into_iter().chain(gradient).collect()
}

/// Value and gradient of a function at a point.
fn evaluated(f: &Function, point: &[f64]) -> Vec<u64> {
    let (value, gradient) = f.value_and_gradient(point).unwrap();
    assert_eq!(bits(f.value(point).unwrap()), bits(value));
    let gradient = gradient.into_iter().map(bits);
    [bits(value)].into_iter().chain(gradient).collect()
}

/// Numbers at which shares are −0, 0·∞ or cancel, among ordinary ones.
fn point(random: &mut Random, len: usize, odd: bool) -> Vec<f64> {
    const ODD: [f64; 8] = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        1e-310,
        1e300,
        f64::INFINITY,
        f64::NAN,
    ];
    let number = |random: &mut Random| match odd && random.below(6) == 0 {
        true => ODD[random.below(8)],
        false => random.between(-2.0, 2.0),
    };
    (0..len).map(|_| number(random)).collect()
}

/// Compares at some points, and returns how many turns were found.
#[track_caller]
fn assert_bits(tape: &Tape, x: &[Var<'_>], output: Var<'_>, seed: u64) -> usize {
    let f = tape.function(x, output);
    let mut random = Random(seed);
    for i in 0..8 {
        let point = point(&mut random, x.len(), i >= 4);
        let (found, expected) = (evaluated(&f, &point), replayed(tape, x, output, &point));
        assert_eq!(found, expected, "{point:?} of {f:?}");
    }
    f.stats().turns
}

#[test]
fn a_mean_over_data_is_a_loop() {
    for rows in [17, 95, 96, 97, 98, 200, 385] {
        let (tape, random) = (Tape::new(), &mut Random(rows as u64));
        let p = tape.vars(&many(random, 4));
        let loss = |_| {
            let x = many(random, 3);
            let y = random.below(2) as f64;
            let z = p[0] * x[0] + p[1] * x[1] + p[2] * x[2] + p[3];
            let a = 1.0 / (1.0 + (-z).exp());
            -(y * a.ln() + (1.0 - y) * (1.0 - a).ln())
        };
        let losses = (0..rows).map(loss).reduce(|sum, loss| sum + loss);
        let mean = losses.unwrap() / rows as f64;
        // The first turn is not like the others: it adds to nothing.
        assert_eq!(assert_bits(&tape, &p, mean, 1), rows - 1);
    }
}

#[test]
fn a_loop_over_inputs_is_a_loop() {
    let (tape, random) = (Tape::new(), &mut Random(4));
    let x = tape.vars(&many(random, 300));
    let terms = x.windows(2).map(|pair| {
        let (u, v) = (pair[1] - pair[0] * pair[0], 1.0 - pair[0]);
        100.0 * (u * u) + v * v
    });
    let sum = terms.reduce(|sum, term| sum + term).unwrap();
    assert_eq!(assert_bits(&tape, &x, sum, 2), 298);
}

#[test]
fn a_loop_over_rows_of_inputs_is_a_loop() {
    let (tape, random) = (Tape::new(), &mut Random(4));
    let x = tape.vars(&many(random, 3 * 120));
    let scale = tape.var(0.5);
    let mut sum = scale.sin();
    for of in x.chunks(3) {
        sum -= (of[0] * of[1] + of[2] * scale).tanh() * of[2].exp();
    }
    let all = [&x[..], &[scale]].concat();
    assert_eq!(assert_bits(&tape, &all, sum.sqrt(), 3), 120);
}

#[test]
fn one_node_for_a_row_of_weights_is_part_of_a_turn() {
    for constant in [0.0, -0.0, 0.25] {
        let (tape, random) = (Tape::new(), &mut Random(9));
        let w = tape.vars(&many(random, 12));
        let mut sum = Var::from(0.0);
        for row in 0..150 {
            let constant = if row % 2 == 0 { constant } else { -0.0 };
            let z = Var::linear_combination(&many(random, 12), &w, constant) + w[0];
            sum += z.softplus() - z * f64::from(row % 2);
        }
        assert_eq!(assert_bits(&tape, &w, sum, 4), 149);
    }
}

/// A layer of units over samples, with a mean of squares.
#[test]
fn a_network_over_samples_is_a_loop() {
    let (tape, random) = (Tape::new(), &mut Random(7));
    let p = tape.vars(&many(random, 4 * 3 + 5));
    let mut sum = Var::from(0.0);
    for _ in 0..110 {
        let data = many(random, 3);
        let mut output = p[16];
        for unit in 0..4 {
            let w = &p[3 * unit..];
            let hidden = (w[2] + w[0] * data[0] + w[1] * data[1]).tanh();
            output += p[12 + unit] * hidden;
        }
        let error = output - data[2];
        sum += error * error;
    }
    assert_eq!(assert_bits(&tape, &p, sum / 110.0, 5), 109);
}

/// A random turn: `ops` operations on parameters, on the numbers of the turn and on what
/// came before.
fn turn<'t>(seed: u64, p: &[Var<'t>], own: &[Var<'t>], data: &[f64]) -> Var<'t> {
    let mut random = Random(seed);
    let mut nodes = vec![p[0] * data[0], own[0] * data[1]];
    for _ in 0..2 + random.below(12) {
        let mut any = || match random.below(5) {
            0 => p[random.below(p.len())],
            1 => own[random.below(own.len())],
            2 => nodes[nodes.len() - 1],
            _ => nodes[random.below(nodes.len())],
        };
        let (a, b, c) = (any(), any(), any());
        let number = data[random.below(data.len())];
        nodes.push(match random.below(22) {
            0 => a + b,
            1 => a - b,
            2 | 3 => a * b,
            4 => a / b,
            5 => a * number,
            6 => number - a,
            7 => number / a,
            8 => a.exp(),
            9 => a.ln(),
            10 => a.tanh(),
            11 => a.sigmoid(),
            12 => a.softplus(),
            13 => a.relu(),
            14 => a.max(b),
            15 => a.sin() + b * number,
            16 => Var::sum(&[a, b, c]),
            17 => Var::dot(&[a, b], &[c, a]),
            18 => Var::linear_combination(&[number, 2.0], &[a, b], number),
            19 => Var::linear_combination(&[1.5, number], &[a, b], 0.0),
            20 => Var::product(&[a, b, c]),
            _ => a.select_lt(b, c, number),
        });
    }
    nodes[nodes.len() - 1] + nodes[nodes.len() - 2]
}

#[test]
fn random_turns_have_the_bits_of_the_tape() {
    let mut found = 0;
    for seed in 0..600 {
        let mut random = Random(seed);
        let (turns, stride) = (16 + random.below(200), 1 + random.below(3));
        let tape = Tape::new();
        let p = tape.vars(&many(&mut random, 3));
        let x = tape.vars(&many(&mut random, (turns + 2) * stride));
        let own = 1 + random.below(3);
        let first = p[0] * p[1];
        let mut sum = [Var::from(0.0), first, x[x.len() - 1]][random.below(3)];
        let way = random.below(3);
        for i in 0..turns {
            let data = many(&mut random, 3);
            let term = turn(seed, &p, &x[i * stride..][..own.min(stride + 1)], &data);
            sum = match way {
                0 => sum + term,
                1 => term + sum,
                _ => sum - term,
            };
        }
        let output = match random.below(5) {
            0 => sum,
            1 => sum / turns as f64,
            2 => (sum * p[2]).tanh() + p[0] * first,
            3 => sum.abs().sqrt() + x[0] * p[1],
            _ => p[1] - sum,
        };
        let all = [&p[..], &x[..]].concat();
        found += usize::from(assert_bits(&tape, &all, output, seed) > 0);
    }
    assert!(found > 400, "{found}");
}
