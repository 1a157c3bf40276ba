//! Does a function whose recording is a loop, evaluated many turns at a time, have the bits
//! of the tape that it was made from? What is taken for a loop is in `loops_found.rs`.

use crate::common::{Random, cases};
use crate::replay::{assert_bits, many};
use chainrule::{Tape, Var};

#[test]
fn a_mean_over_data_is_a_loop() {
    for rows in [17, 111, 112, 113, 114, 200, 449] {
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

/// Freezing puts the inputs of long sums in another order.
#[test]
fn a_turn_has_long_sums() {
    let (tape, random) = (Tape::new(), &mut Random(6));
    let p = tape.vars(&many(random, 24));
    let mut sum = p[3].exp();
    for _ in 0..120 {
        let x = many(random, 12);
        let [first, second] = [&p[12..], &p[..12]].map(|w| {
            let products = w.iter().zip(&x).map(|(w, x)| *w * *x);
            products.reduce(|sum, product| sum + product).unwrap()
        });
        sum += (first + p[5]).tanh() * second.sigmoid();
    }
    assert_eq!(assert_bits(&tape, &p, sum, 1), 120);
}

#[test]
fn terms_that_one_node_adds_are_those_of_a_loop() {
    let (tape, random) = (Tape::new(), &mut Random(2));
    let p = tape.vars(&many(random, 3));
    let mut terms: Vec<Var<'_>> = (0..200)
        .map(|_| (p[0] * random.unit() + p[1]).sin() * p[2])
        .collect();
    fn mean<'t>(terms: &[Var<'t>]) -> Var<'t> {
        Var::sum(terms) / terms.len() as f64
    }
    assert_eq!(assert_bits(&tape, &p, mean(&terms), 1), 200);
    let penalty = p[0].square();
    let sum: Var<'_> = terms.iter().sum();
    assert_eq!(assert_bits(&tape, &p, sum + penalty, 2), 200);
    // The first term is another one: it lies before the loop.
    assert_eq!(assert_bits(&tape, &p, mean(&terms[7..]), 3), 193);
    terms[3] = p[1];
    assert_eq!(assert_bits(&tape, &p, mean(&terms), 4), 196);
    terms[198] = p[1];
    assert_eq!(assert_bits(&tape, &p, mean(&terms), 5), 0);

    let exponentials: Vec<Var<'_>> = tape.vars(&many(random, 99));
    let sum: Var<'_> = exponentials.iter().map(|x| x.exp()).sum();
    assert_eq!(assert_bits(&tape, &exponentials, sum, 6), 99);
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
    for (constant, other) in [(0.0, -0.0), (0.25, 0.25), (-0.0, -0.0), (0.25, 0.5)] {
        let (tape, random) = (Tape::new(), &mut Random(9));
        let w = tape.vars(&many(random, 12));
        let mut sum = Var::from(0.0);
        for row in 0..150 {
            let constant = if row % 2 == 0 { constant } else { other };
            let z = Var::linear_combination(&many(random, 12), &w, constant) + w[0];
            sum += z.softplus() - z * f64::from(row % 2);
        }
        assert_eq!(assert_bits(&tape, &w, sum, 4), 149);
    }
}

#[test]
fn a_loop_takes_what_another_has_left() {
    let (tape, random) = (Tape::new(), &mut Random(5));
    let (x, p) = (tape.vars(&many(random, 130)), tape.var(0.75));
    let left: Vec<Var<'_>> = x.iter().map(|x| x.sin() * p).collect();
    let terms = left.windows(2).map(|pair| {
        let z = pair[0] * pair[1] + p;
        (z.exp() + 1.0).ln() * pair[0]
    });
    let sum = terms.reduce(|sum, term| sum + term).unwrap();
    let all = [&x[..], &[p]].concat();
    assert_eq!(assert_bits(&tape, &all, sum * left[3], 1), 128);
}

/// The energy of pairs of points, of which a point is in many, and once in both.
#[test]
fn a_loop_over_pairs_takes_nodes_anywhere() {
    let (tape, random) = (Tape::new(), &mut Random(12));
    let x = tape.vars(&many(random, 2 * 20));
    let scale = x[7];
    let mut energy = scale.square();
    for pair in 0..250 {
        let (i, j) = match pair {
            100 => (3, 3),
            _ => (random.below(20), random.below(20)),
        };
        let (dx, dy) = (x[2 * i] - x[2 * j], x[2 * i + 1] - x[2 * j + 1]);
        let r2 = dx * dx + dy * dy + 0.1;
        energy += (r2.recip() - scale) * r2 * random.unit();
    }
    assert_eq!(assert_bits(&tape, &x, energy, 1), 250);
}

#[test]
fn factors_of_rows_and_columns_are_taken_anywhere() {
    let (tape, random) = (Tape::new(), &mut Random(13));
    let (u, v) = (
        tape.vars(&many(random, 5 * 12)),
        tape.vars(&many(random, 7 * 12)),
    );
    let terms = (0..200).map(|_| {
        let (u, v) = (&u[12 * random.below(5)..], &v[12 * random.below(7)..]);
        let products = u.iter().zip(v).take(12).map(|(u, v)| *u * *v);
        let z = products.reduce(|sum, product| sum + product).unwrap();
        (z - random.unit()).square()
    });
    let sum: Var<'_> = terms.sum();
    let all = [&u[..], &v].concat();
    assert_eq!(assert_bits(&tape, &all, sum, 2), 200);
}

/// As one node, a sum of products would send the shares of a node that stands in it twice in
/// another order.
#[test]
fn a_sum_of_products_takes_a_node_twice() {
    let (tape, random) = (Tape::new(), &mut Random(14));
    let x = tape.vars(&many(random, 6));
    let terms = (0..150).map(|_| {
        let mut any = || (x[random.below(6)], random.between(-2.0, 2.0));
        let [(a, u), (b, v), (c, w)] = [any(), any(), any()];
        (a * u + b * v + c * w).tanh()
    });
    let sum: Var<'_> = terms.sum();
    assert_eq!(assert_bits(&tape, &x, sum, 3), 150);
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
    let (recordings, mut found) = (cases(600), 0);
    for seed in 0..recordings {
        let mut random = Random(seed);
        let (turns, stride) = (16 + random.below(200), 1 + random.below(3));
        let tape = Tape::new();
        let p = tape.vars(&many(&mut random, 3));
        let x = tape.vars(&many(&mut random, (turns + 2) * stride));
        let own = 1 + random.below(3);
        let (first, where_to) = (p[0] * p[1], random.below(7));
        let mut sum = [Var::from(0.0), first, x[x.len() - 1]][random.below(3)];
        let (way, mut terms) = (random.below(5), Vec::new());
        if random.below(2) == 0 {
            terms.push([first, p[1], x[0]][random.below(3)]);
        }
        for i in 0..turns {
            let data = many(&mut random, 3);
            let own: Vec<Var<'_>> = match where_to {
                0..3 => x[i * stride..][..own.min(stride + 1)].to_vec(),
                3 => vec![x[(turns - i) * stride]],
                4 => (0..own).map(|_| x[random.below(x.len())]).collect(),
                5 => vec![x[random.below(4)], p[random.below(2)], x[i]],
                _ => vec![x[i], x[i * stride]],
            };
            let term = turn(seed, &p, &own, &data);
            sum = match way {
                0 => sum + term,
                1 => term + sum,
                2 => sum - term,
                _ => sum,
            };
            terms.push(term);
        }
        if way > 2 {
            let between = p[2] * p[1] - x[1];
            sum = Var::sum(&terms);
            if way > 3 {
                sum = sum * 0.5 + between;
            }
        }
        let output = match random.below(9) {
            0 => sum,
            1 => sum / turns as f64,
            2 => (sum * p[2]).tanh() + p[0] * first,
            3 => sum.abs().sqrt() + x[0] * p[1],
            4 => sum.relu() + p[1], // whose adjoint may be absent
            5 => sum * 0.0 - p[0] * p[1] * x[1],
            6 => p[1].max(sum) / sum,
            7 => p[0].select_lt(p[1], sum, p[2]),
            _ => p[1] - sum,
        };
        let all = [&p[..], &x[..]].concat();
        found += u64::from(assert_bits(&tape, &all, output, seed) > 0);
    }
    assert!(5 * found > 3 * recordings, "{found}");
}
