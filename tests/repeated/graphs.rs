//! Are the adjoints those of a new tape, bit by bit, where the same operations are recorded
//! repeatedly?

use crate::again::{assert_same, number};
use crate::common::{Random, cases};
use chainrule::{Op, Real, Tape, Var};

/// Many more than it takes until the adjoint program is assembled.
const ROUNDS: usize = 100;

/// A graph that `shape` decides, of numbers that `numbers` gives.
fn graph<'t>(tape: &'t Tape, shape: &mut Random, numbers: &mut Random, smooth: bool) -> Var<'t> {
    let takes = |op: &Op| op.arity().is_some() && !(smooth && op.is_branch());
    let ops: Vec<Op> = Op::ALL.iter().copied().filter(takes).collect();
    let mut all: Vec<Var<'t>> = (0..3).map(|_| tape.var(number(numbers))).collect();
    for _ in 0..4 + shape.below(20) {
        let recent = 1 + shape.below(all.len());
        let [a, b] = [(); 2].map(|()| all[all.len() - 1 - shape.below(recent)]);
        let op = ops[shape.below(ops.len())];
        all.push(match (op.arity(), shape.below(4)) {
            (Some(1), _) => Var::unary(op, a),
            (_, 0) => Var::binary(op, a, Var::from(number(numbers))),
            (_, 1) => Var::binary(op, Var::from(number(numbers)), b),
            _ => Var::binary(op, a, b),
        });
    }
    // Mostly the last one, so that some are not reached.
    all[all.len() - 1 - shape.below(2) * shape.below(3)]
}

#[test]
fn random_graphs_have_the_adjoints_of_a_new_tape() {
    for seed in 0..cases(400) {
        let (again, mut numbers) = (&mut Tape::new(), Random(seed));
        for _ in 0..ROUNDS {
            let now = numbers.below(1 << 30) as u64;
            assert_same(again, |tape| {
                graph(tape, &mut Random(seed), &mut Random(now), seed % 2 == 0)
            });
        }
    }
}

/// The room behind what was recorded is given up when a value is changed, and is empty, as
/// if inputs had been recorded there, when it comes back.
#[test]
fn inputs_where_operations_were_before_a_change_have_the_adjoints_of_a_new_tape() {
    let again = &mut Tape::new();
    for _ in 0..ROUNDS {
        assert_same(again, |tape| tape.var(0.5).sin().sin().sin().sin());
    }
    again.clear();
    let x = again.var(0.5);
    let _ = x.sin().sin();
    again.set(x, 0.25);
    assert_same(again, |tape| {
        let _ = tape.var(0.5).sin().sin();
        tape.var(1.0);
        tape.var(2.0)
    });
}

#[test]
fn inputs_where_operations_were_have_the_adjoints_of_a_new_tape() {
    let again = &mut Tape::new();
    for _ in 0..ROUNDS {
        assert_same(again, |tape| tape.var(0.5).sin().cos());
    }
    assert_same(again, |tape| tape.vars(&[0.5, 0.25, 0.125])[2]);
}

/// The room behind a shorter recording still has the nodes of a longer one.
#[test]
fn a_longer_recording_after_shorter_ones_keeps_its_values() {
    let again = &mut Tape::new();
    for rounds in [1, ROUNDS, 1] {
        for _ in 0..rounds {
            assert_same(again, |tape| {
                let y = tape.var(0.5).sin().cos();
                if rounds == 1 {
                    (0..9).fold(y, |z, _| z.exp());
                }
                y
            });
        }
    }
}

#[test]
fn each_operation_has_the_adjoints_of_a_new_tape() {
    let numbers = &mut Random(1);
    for &op in Op::ALL.iter().filter(|op| op.arity().is_some()) {
        for form in 0..6 {
            let again = &mut Tape::new();
            for _ in 0..ROUNDS {
                let [x, y, c] = [(); 3].map(|()| number(numbers));
                assert_same(again, |tape| {
                    let ([x, y], c) = (tape.var_array([x, y]), Var::from(c));
                    let (a, b) = [(x, y), (y, x), (x, x), (x, c), (c, x), (-x, y)][form];
                    if op.arity() == Some(1) {
                        return Var::unary(op, a) * b;
                    }
                    Var::binary(op, a, b) + x
                });
            }
        }
    }
}

#[test]
fn a_program_that_branches_is_swept_as_it_went() {
    let (again, numbers) = (&mut Tape::new(), &mut Random(2));
    for round in 0..2000 {
        let x = number(numbers);
        // Long the same, then by its value, then the other one.
        let other = match round {
            0..300 => false,
            300..1000 => x > 0.0,
            _ => true,
        };
        assert_same(again, |tape| {
            let x = tape.var(x);
            let y = if other { x.sin() } else { x.cos() };
            y * x + y
        });
    }
}

#[test]
fn another_output_of_the_same_operations_has_its_own_adjoints() {
    let again = &mut Tape::new();
    for round in 0..300 {
        let output = round / 70;
        assert_same(again, |tape| {
            let x = tape.var(0.5 + f64::from(round));
            let y = x * 2.0;
            [y.exp(), y, x, y.ln() - x][output as usize % 4]
        });
    }
}

/// A chain of sines with one exponential.
fn chain<'t>(tape: &'t Tape, x: f64, len: usize, other: usize) -> Var<'t> {
    let step = |y: Var<'t>, i: usize| if i == other { y.exp() } else { y.sin() };
    (0..len).fold(tape.var(x), step)
}

#[test]
fn another_operation_is_noticed_wherever_it_is() {
    let numbers = &mut Random(3);
    for len in 1..10 {
        for other in 0..len {
            let again = &mut Tape::new();
            for round in 0..ROUNDS {
                let other = if round + 1 < ROUNDS { len } else { other };
                let x = numbers.between(-2.0, 2.0);
                assert_same(again, |tape| chain(tape, x, len, other));
            }
        }
    }
}

#[test]
fn other_operations_afterwards_are_swept_as_what_they_are() {
    let again = &mut Tape::new();
    for round in 0..6 * ROUNDS {
        let x = round as f64 / 7.0;
        assert_same(again, |tape| {
            if round / ROUNDS % 2 == 1 {
                return chain(tape, x, 12, 5);
            }
            // Few nodes with many constants, and some that are not reached.
            let x = tape.var(x);
            let _ = (x * 2.0).cos() * 3.0;
            x * 0.5 * 0.25 / 1.5 * 3.5
        });
    }
}

#[test]
fn whatever_is_recorded_after_the_output_keeps_its_value() {
    let again = &mut Tape::new();
    for round in 0..400 {
        assert_same(again, |tape| {
            let x = tape.var(0.5 + f64::from(round));
            let output = x.sin() * x * 3.0;
            (0..4 * (round / 100)).fold(output, |last, _| last.cos());
            output
        });
    }
}

#[test]
fn seeds_and_changed_values_count() {
    let mut tape = Tape::new();
    for round in 0..200 {
        tape.clear();
        let [x, y] = tape.var_array([f64::from(round), 2.0]);
        let z = x * y;
        assert_eq!(z.backward().wrt(x), 2.0);
        assert_eq!(tape.backward_with(&[(z, 3.0)], Vec::new()).wrt(x), 6.0);
        let both = tape.backward_with(&[(z, 1.0), (x, 1.0)], Vec::new());
        assert_eq!(both.wrt(x), 3.0);
        tape.set(y, 5.0);
        tape.forward();
        assert_eq!(z.backward().wrt(x), 5.0);
        let more = z * x;
        assert_eq!(more.backward().wrt(y), f64::from(round).powi(2));
    }
}

#[test]
fn what_is_recorded_after_a_sweep_is_kept() {
    let mut tape = Tape::new();
    for round in 0..200 {
        tape.clear();
        let mut x = vec![tape.var(f64::from(round))];
        for _ in 0..20 {
            let last = x[x.len() - 1];
            x.push(last.sin());
            let slope = Var::from(last.value()).cos().value();
            assert_eq!(last.sin().backward().wrt(last), slope);
        }
        let values: Vec<f64> = x.iter().map(|x| x.value()).collect();
        assert!(
            values
                .windows(2)
                .all(|pair| pair[1] == Var::from(pair[0]).sin().value())
        );
    }
}

#[test]
fn other_tapes_are_swept_in_between() {
    let tapes = &mut [(); 3].map(|()| Tape::with_limit(40));
    for round in 0..300 {
        for (i, again) in tapes.iter_mut().enumerate() {
            assert_same(again, |tape| {
                let x = tape.var(f64::from(round) / 7.0);
                (0..10).fold(x, |y, j| if (i + j) % 3 == 0 { y.tanh() } else { y * x })
            });
        }
    }
}
