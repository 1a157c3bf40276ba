//! Which loop is found in a recording, what only looks like one, and what a function with
//! a loop is otherwise: its memory, its errors, its other derivatives.

use crate::common::Random;
use crate::replay::{assert_bits, compared, many, sum_of};
use allocation_counter::measure;
use chainrule::{Tape, Var, Workspace};

#[test]
fn a_term_stands_on_either_side_of_the_sum_or_is_taken_from_it() {
    type Way = for<'t> fn(Var<'t>, Var<'t>) -> Var<'t>;
    let ways: [(Way, usize); 4] = [
        (|sum, term| sum + term, 100),
        (|sum, term| term + sum, 100),
        (|sum, term| sum - term, 100),
        (|sum, term| term - sum, 0),
    ];
    for (way, found) in ways {
        let tape = Tape::new();
        let p = tape.vars(&[0.5, -0.25, 1.5]);
        let terms = (0..100).map(|i| (p[0] * f64::from(i)).sin() * p[1]);
        let sum = terms.fold(p[2], way);
        assert_eq!(assert_bits(&tape, &p, sum, 1), found);
    }
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

/// They take less time by themselves than the shortest loop.
#[test]
fn short_turns_that_are_few_are_no_loop() {
    for (turns, found) in [(20, 0), (60, 59)] {
        let tape = Tape::new();
        let (p, sum) = sum_of(&tape, turns, |p, x| (p[0] * x + p[1]).square());
        let f = compared(&tape, &p, sum, 1);
        assert_eq!(
            (f.stats().turns, f.stats().registers > 0),
            (found, found == 0)
        );
    }
}

#[test]
fn few_turns_and_turns_unlike_the_last_are_swept() {
    for (turns, found) in [(16, 0), (17, 16), (18, 17)] {
        let tape = Tape::new();
        let (p, sum) = sum_of(&tape, turns, |p, x| {
            let turn = |x: f64| (p[0] * x + p[1]).exp().sin().tanh();
            turn(x) * turn(-x)
        });
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
fn what_one_node_adds_besides_the_terms_lies_before_them() {
    for after in [false, true] {
        let tape = Tape::new();
        let p = tape.vars(&[0.5, -0.25]);
        let first = p[0].exp();
        let second = (!after).then(|| p[1].cos());
        let terms: Vec<Var<'_>> = (0..60)
            .map(|i| (p[0] * f64::from(i) + p[1]).sin().tanh())
            .collect();
        let second = second.unwrap_or_else(|| p[1].cos());
        let sum = Var::sum(&[&[first, second][..], &terms].concat());
        let found = if after { 0 } else { 60 };
        assert_eq!(assert_bits(&tape, &p, sum, 1), found);
    }
}

#[test]
fn turns_that_record_inputs_are_swept() {
    let (tape, random) = (Tape::new(), &mut Random(7));
    let mut all = vec![tape.var(0.5)];
    let mut sum = all[0].sin();
    for _ in 0..60 {
        let x = tape.var(random.unit());
        sum += (x * all[0]).exp().tanh() * x;
        all.push(x);
    }
    assert_eq!(assert_bits(&tape, &all, sum, 1), 0);
}

/// Of a list of nodes and constants, one with a constant where others have a node.
#[test]
fn a_constant_in_place_of_a_node_in_a_list_is_another_turn() {
    let (tape, count) = (Tape::new(), std::cell::Cell::new(0));
    let (p, sum) = sum_of(&tape, 100, |p, x| {
        count.set(count.get() + 1);
        let (a, b) = match count.get() {
            30 => (Var::from(x), p[0]),
            _ => (p[0], Var::from(x)),
        };
        Var::linear_combination(&[1.0, 2.0, 3.0], &[a, b, p[1]], 0.5).exp()
    });
    assert_eq!(assert_bits(&tape, &p, sum, 1), 70);
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

    // And one begins right after the only input.
    let tape = Tape::new();
    let x = tape.var(0.5);
    let terms = (0..40).map(|i| (x * f64::from(i)).sin() * x);
    let sum: Var<'_> = terms.sum();
    assert_eq!(assert_bits(&tape, &[x], sum, 2), 40);
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
    let (p, sum) = sum_of(&tape, 50, |p, x| (p[0] * x).exp() * 2.0);
    let freeze = tape.freeze(&p).output(sum.sin());
    let loops = freeze.clone().function().stats();
    let swept = freeze.as_recorded().function().stats();
    // 49 constants in a block of 112; the first turn with p[0] and two constants, and the
    // sine of the sum: 6 nodes of 16 bytes and 4 for their numbers.
    let bytes = 112 * 8 + 2 * 8 + 6 * (16 + 4);
    assert_eq!(loops.bytes, swept.bytes + bytes);
    // Values and adjoints of inputs, first turn, sum and sine; 49 terms; blocks for two
    // values, for the adjoint of one after the other, for p[0], for its shares and for 2.
    assert_eq!((loops.turns, loops.turn_nodes), (49, 4));
    assert_eq!(
        loops.workspace_bytes - swept.workspace_bytes,
        8 * (2 * 8 + 49) + 6 * 112 * 8
    );
    assert!(loops.to_string().contains("49 turns of 4 nodes"), "{loops}");
}

#[test]
fn nodes_that_lie_evenly_take_no_memory_and_others_a_list() {
    let tape = Tape::new();
    let (x, p) = (tape.vars(&[0.5; 101]), tape.var(0.25));
    let all = [&x[..], &[p]].concat();
    let bytes = |place: fn(usize) -> usize| {
        let terms = (0..100).map(|i| (x[place(i)] * p).exp());
        let stats = tape.function(&all, terms.sum()).stats();
        assert_eq!(stats.turns, 100);
        stats.bytes
    };
    let (even, backwards, anywhere) = (bytes(|i| i), bytes(|i| 99 - i), bytes(|i| i * 37 % 101));
    assert_eq!(bytes(|i| i + 1), even);
    assert_eq!((backwards, anywhere), (even + 400, even + 400));
}

/// A number that each turn takes from elsewhere needs a block, and one for what goes there.
#[test]
fn blocks_of_what_turns_take_are_counted() {
    let tape = Tape::new();
    let (x, p) = (tape.vars(&[0.5; 100]), tape.var(0.25));
    let all = [&x[..], &[p]].concat();
    let taken = tape.function(&all, (0..100).map(|i| (x[i] * p).exp()).sum());
    let data = tape.function(&all, (0..100).map(|i| (p * i as f64).exp()).sum());
    let [taken, data] = [taken.stats(), data.stats()];
    assert_eq!((taken.turns, data.turns), (100, 100));
    assert_eq!(taken.workspace_bytes - data.workspace_bytes, 2 * 112 * 8);
}

#[test]
fn one_node_adds_up_sixteen_terms_or_more_in_a_loop() {
    for (terms, found) in [(15, 0), (16, 16)] {
        let tape = Tape::new();
        let p = tape.vars(&[0.5, -0.25]);
        let turn = |x: f64| (p[0] * x + p[1]).exp().sin().tanh();
        let terms = (0..terms).map(|i| turn(f64::from(i)) * turn(-f64::from(i)));
        assert_eq!(assert_bits(&tape, &p, terms.sum(), 1), found);
    }
}

/// Their values and adjoints would take more than 8,192 blocks, 7 MiB.
#[test]
fn turns_of_very_many_nodes_are_swept() {
    for (nodes, found) in [(8_000, 16), (8_200, 0)] {
        let tape = Tape::new();
        let (p, sum) = sum_of(&tape, 17, |p, x| {
            (0..nodes).fold(p[0] * x, |last, _| last.sin())
        });
        assert_eq!(tape.function(&p, sum).stats().turns, found);
    }
}

/// Their adjoints are 0, and not the −0 that says so within.
#[test]
fn inputs_in_any_order_that_nothing_reaches_have_a_gradient_of_zero() {
    let tape = Tape::new();
    let (p, sum) = sum_of(&tape, 60, |p, x| (p[0] * x).exp() * p[1]);
    let f = tape.function(&[p[2], p[0], p[1]], sum);
    assert_eq!(f.stats().turns, 59);
    let gradient = f.gradient(&[0.5, 0.25, 1.5]).unwrap();
    assert_eq!(gradient[0].to_bits(), 0);
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
