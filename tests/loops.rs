//! Does a function whose recording is a loop, evaluated many turns at a time, have the bits
//! of the tape that it was made from? And is what only looks like a loop left alone?

mod random;

use allocation_counter::measure;
use chainrule::{Function, Tape, Var, Workspace};
use random::Random;

fn many(random: &mut Random, count: usize) -> Vec<f64> {
    (0..count).map(|_| random.between(-2.0, 2.0)).collect()
}

fn bits(x: f64) -> u64 {
    if x.is_nan() {
        f64::NAN.to_bits()
    } else {
        x.to_bits()
    }
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
    const ODD: [f64; 8] = [0.0, -0.0, 1.0, -1.0, 1e-310, 1e300, f64::INFINITY, f64::NAN];
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
        found += usize::from(assert_bits(&tape, &all, output, seed) > 0);
    }
    assert!(found > 360, "{found}");
}

/// A sum over data of which each turn is made by `term`, and its inputs.
fn sum_of<'t>(
    tape: &'t Tape,
    turns: usize,
    term: impl Fn(&[Var<'t>], f64) -> Var<'t>,
) -> (Vec<Var<'t>>, Var<'t>) {
    let random = &mut Random(11);
    let p = tape.vars(&many(random, 3));
    let terms = (0..turns).map(|_| term(&p, random.between(-2.0, 2.0)));
    let sum = terms.reduce(|sum, term| sum + term).unwrap();
    (p, sum)
}

#[test]
fn what_depends_on_the_turn_before_is_left_alone() {
    let (tape, random) = (Tape::new(), &mut Random(3));
    let p = tape.vars(&many(random, 2));
    let (mut state, mut sum) = (p[0], p[1].sin());
    for _ in 0..60 {
        state = (state * random.unit()).tanh();
        sum += state * p[1];
    }
    assert_eq!(assert_bits(&tape, &p, sum, 1), 0);

    // The sum is in the term, too.
    let mut sum = p[0].exp();
    for _ in 0..60 {
        sum += (sum * random.unit()).sin();
    }
    assert_eq!(assert_bits(&tape, &p, sum, 2), 0);
}

#[test]
fn what_is_used_after_the_loop_is_left_alone() {
    let (tape, last) = (Tape::new(), std::cell::Cell::new(None));
    let (p, sum) = sum_of(&tape, 50, |p, x| {
        let inside = (p[0] * x + p[1]).exp();
        last.set(Some(inside));
        inside * p[2]
    });
    assert_eq!(assert_bits(&tape, &p, sum, 1), 49);
    let inside = last.get().unwrap();
    assert_eq!(assert_bits(&tape, &p, sum * inside, 2), 0);
    assert_eq!(assert_bits(&tape, &p, inside, 3), 0);
}

#[test]
fn few_turns_and_turns_unlike_the_last_are_swept() {
    for (turns, found) in [(16, 0), (17, 16), (18, 17)] {
        let tape = Tape::new();
        let (p, sum) = sum_of(&tape, turns, |p, x| (p[0] * x + p[1]).exp());
        assert_eq!(assert_bits(&tape, &p, sum, 1), found);
    }
    // Another operation, an operand elsewhere, a constant for a node, a node for a constant.
    type Turn = for<'t> fn(&[Var<'t>], f64) -> Var<'t>;
    let turn: Turn = |p, x| (p[0] * x).exp() + p[1];
    let others: [(Turn, usize); 4] = [
        (|p, x| (p[0] * x).sin() + p[1], 70),
        (|p, x| (p[2] * x).exp() + p[1], 99),
        (|p, x| (p[0] * x).exp() + x, 70),
        (|p, x| (p[0] * p[1]).exp() + x, 70),
    ];
    for (other, found) in others {
        let (tape, count) = (Tape::new(), std::cell::Cell::new(0));
        let (p, sum) = sum_of(&tape, 100, |p, x| {
            count.set(count.get() + 1);
            if count.get() == 30 {
                other(p, x)
            } else {
                turn(p, x)
            }
        });
        assert_eq!(assert_bits(&tape, &p, sum, 1), found);
    }
}

#[test]
fn comparisons_terms_that_count_once_and_what_is_as_recorded_are_swept() {
    let tape = Tape::new();
    let (p, sum) = sum_of(&tape, 50, |p, x| (p[0] * x + p[1]).exp());
    let f = tape.freeze(&p).output(sum);
    assert_eq!(f.clone().function().stats().turns, 49);
    assert_eq!(f.clone().as_recorded().function().stats().turns, 0);
    assert_eq!(f.once(p[0]).function().stats().turns, 0);

    let tape = Tape::new();
    let (p, sum) = sum_of(&tape, 50, |p, x| {
        let y = p[0] * x;
        if y > 1e9 { y } else { y.exp() }
    });
    assert_eq!(tape.function(&p, sum).stats().turns, 0);
}

#[test]
fn the_loop_that_spans_the_most_nodes_is_found_if_it_has_half_of_them() {
    let (tape, random) = (Tape::new(), &mut Random(8));
    let p = tape.vars(&many(random, 2));
    let many_short = |turns| (0..turns).fold(p[1], |sum, i| sum + (p[0] * f64::from(i)).sin());
    let few_long = |turns| {
        let long = |i| (0..30).fold(p[0] * f64::from(i), |y, _| y.sin() * p[1]);
        (0..turns).fold(p[1], |sum, i| sum + long(i))
    };
    // 3 and 62 nodes a turn. A sum that begins further away has its first turn before the loop.
    let (short, long) = (many_short(200), few_long(20));
    assert_eq!(assert_bits(&tape, &p, short * long, 1), 19);
    assert_eq!(assert_bits(&tape, &p, short - long, 2), 19);
    let short = many_short(600);
    assert_eq!(assert_bits(&tape, &p, short * long, 3), 599);
    let chain = (0..800).fold(p[0], |y, _| (y + p[1]).sin());
    assert_eq!(assert_bits(&tape, &p, short * chain, 4), 600);
    assert_eq!(assert_bits(&tape, &p, long * chain, 5), 0);
}

#[test]
fn a_first_term_of_fewer_nodes_begins_no_turn_before_the_tape() {
    let tape = Tape::new();
    let x = tape.var(0.5);
    let mut terms = vec![x.sin()];
    for i in 0..40 {
        terms.push((x * f64::from(i)).sin() * x);
    }
    assert_eq!(assert_bits(&tape, &[x], Var::sum(&terms), 1), 40);
}

#[test]
fn a_turn_of_very_many_nodes_is_swept() {
    for (nodes, found) in [(1_000, 19), (20_000, 0)] {
        let tape = Tape::new();
        let (p, sum) = sum_of(&tape, 20, |p, x| {
            (0..nodes).fold(p[0] * x, |y, _| y.sin() * p[1])
        });
        assert_eq!(tape.function(&p, sum).stats().turns, found);
    }
}

#[test]
fn inputs_come_in_any_order() {
    let (tape, random) = (Tape::new(), &mut Random(4));
    let mut x = tape.vars(&many(random, 40));
    let sum = x.windows(2).map(|pair| (pair[0] * pair[1]).exp());
    let sum = sum.reduce(|sum, term| sum + term).unwrap();
    let late = tape.var(2.0);
    x.push(late);
    x.reverse();
    assert_eq!(assert_bits(&tape, &x, sum * late, 1), 38);
}

#[test]
fn other_derivatives_are_those_of_the_sweeps() {
    let tape = Tape::new();
    let (p, sum) = sum_of(&tape, 50, |p, x| (p[0] * x + p[1]).sin() * p[2]);
    let f = tape.function(&p, sum);
    let swept = tape.freeze(&p).output(sum).as_recorded().function();
    assert_eq!((f.stats().turns, swept.stats().turns), (49, 0));
    let x = [0.3, -0.7, 1.1];
    assert_eq!(f.hessian(&x), swept.hessian(&x));
    assert_eq!(f.jacobian(&x), swept.jacobian(&x));
    assert_eq!(f.vjp(&x, &[2.0]), swept.vjp(&x, &[2.0]));
    assert_eq!(f.jvp(&x, &[1.0, 2.0, 3.0]), swept.jvp(&x, &[1.0, 2.0, 3.0]));
}

#[test]
fn its_memory_is_counted() {
    let tape = Tape::new();
    let (p, sum) = sum_of(&tape, 50, |p, x| (p[0] * x).exp());
    let freeze = tape.freeze(&p).output(sum.sin());
    let loops = freeze.clone().function().stats();
    let swept = freeze.as_recorded().function().stats();
    // 49 constants in a block of 96; the first turn with p[0] and a constant, and the sine
    // of the sum: 5 nodes of 16 bytes and 4 for their numbers.
    let bytes = 96 * 8 + 8 + 5 * (16 + 4);
    assert_eq!(loops.bytes, swept.bytes + bytes);
    // Values and adjoints of inputs, first turn, sum and sine; 49 terms; blocks for two
    // values, for the adjoint of one after the other, for p[0] and for its shares.
    assert_eq!((loops.turns, loops.turn_nodes), (49, 3));
    assert_eq!(
        loops.workspace_bytes - swept.workspace_bytes,
        8 * (2 * 7 + 49) + 5 * 96 * 8
    );
    assert!(loops.to_string().contains("49 turns of 3 nodes"), "{loops}");
}

#[test]
fn wrong_lengths_are_errors_that_leave_the_buffer_untouched() {
    let tape = Tape::new();
    let (p, sum) = sum_of(&tape, 50, |p, x| (p[0] * x + p[1]).sin());
    let f = tape.function(&p, sum);
    let (mut workspace, mut gradient) = (Workspace::new(), [7.0; 3]);
    let mut run = |x: &[f64], gradient: &mut [f64]| {
        f.value_and_gradient_into(x, gradient, &mut workspace)
            .unwrap_err()
    };
    let error = run(&[1.0; 2], &mut gradient).to_string();
    assert!(error.contains('2') && error.contains('3'), "{error}");
    assert_eq!(gradient, [7.0; 3]);
    run(&[1.0; 3], &mut [0.0; 2]);
    f.value(&[1.0; 4]).unwrap_err();
}

#[test]
fn with_a_workspace_nothing_allocates_after_the_first_time() {
    let tape = Tape::new();
    let (p, sum) = sum_of(&tape, 500, |p, x| (p[0] * x + p[1]).sin() * p[2]);
    let (x, q) = (tape.vars(&[0.5; 200]), p[0]);
    let windows = x.windows(2).map(|pair| (pair[0] * q - pair[1]).exp());
    let other = windows.reduce(|sum, term| sum + term).unwrap().sqrt();
    let all = [&p[..], &x].concat();
    let functions = [tape.function(&all, sum), tape.function(&all, other)];
    let (point, mut gradient) = ([0.25; 203], [0.0; 203]);
    let mut workspace = Workspace::new();
    let mut run = || {
        for f in &functions {
            assert!(f.stats().turns > 0);
            f.value_and_gradient_into(&point, &mut gradient, &mut workspace)
                .unwrap();
        }
    };
    run();
    let stats = measure(|| _ = functions[0].stats()).count_total;
    assert_eq!(measure(run).count_total, 2 * stats);
}
