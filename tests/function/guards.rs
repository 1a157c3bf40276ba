//! Is each comparison of a recording checked wherever a function is evaluated, and is the
//! first that comes out the other way the one that is named?

use crate::common::{Random, cases};
use allocation_counter::measure;
use chainrule::{Error, Function, Real, Tape, Var};
use std::cmp::Ordering;

/// Compares a and b with 0, and their product too, each row by itself.
fn compared_three_times() -> Function {
    Function::record(|r| {
        let (w, a, b) = (r.input("w", 1.0), r.column("a", 1.0), r.column("b", 1.0));
        assert!(a > 0.0 && b > 0.0 && (a * b).exp() > w);
        (w * a).exp() * b
    })
}

#[test]
fn of_several_comparisons_that_of_the_first_row_is_named_and_in_it_the_first() {
    let f = compared_three_times();
    let (rows, mut random) = (400, Random(23));
    for _ in 0..200 {
        let (mut a, mut b) = (vec![1.0; rows], vec![1.0; rows]);
        for _ in 0..3 {
            a[random.below(rows)] = -1.0;
            b[random.below(rows)] = -1.0;
        }
        let first = (0..rows).find(|&row| a[row] < 0.0 || b[row] < 0.0).unwrap();
        let expected = if a[first] < 0.0 { "a > 0" } else { "b > 0" };
        let over = f.rows(&[&a, &b]).unwrap();
        let named = |error: Error| match error {
            Error::OtherBranch {
                row: Some(row),
                comparison,
                ..
            } => (row, comparison),
            other => panic!("{other}"),
        };
        let errors = [
            over.value(&[1.0]).unwrap_err(),
            over.gradient(&[1.0]).unwrap_err(),
            over.jacobian(&[1.0]).unwrap_err(),
            over.hessian(&[1.0]).unwrap_err(),
            over.values(&[1.0]).unwrap_err(),
            over.row_gradients(&[1.0]).unwrap_err(),
            over.check_finite(&[1.0]).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(named(error), (first, expected.to_owned()));
        }
    }
}

#[test]
fn second_derivatives_check_comparisons_too() {
    let f = compared_three_times();
    let rows = f.rows(&[&[0.5, 1.0], &[2.0, 3.0]]).unwrap();
    // The sum of b·a²·e^(wa).
    let expected = 2.0 * 0.25 * Real::exp(0.5_f64) + 3.0 * Real::exp(1.0_f64);
    let hessian = rows.hessian(&[1.0]).unwrap();
    assert!((hessian[0][0] - expected).abs() < 1e-14 * expected);
    // Its operand has another number in the function that the gradient is.
    let error = rows.hessian(&[1e3]).unwrap_err();
    assert_eq!(error, rows.value(&[1e3]).unwrap_err());
    assert!(matches!(error, Error::OtherBranch { row: Some(0), .. }));
}

#[test]
fn a_comparison_of_parameters_alone_is_checked_where_there_are_no_rows() {
    let f = Function::record(|r| {
        let (w, x) = (r.input("w", 1.0), r.column("x", 1.0));
        if w < 2.0 { w * x } else { x }
    });
    let none = f.rows(&[&[]]).unwrap();
    assert_eq!(none.value(&[1.0]), Ok(0.0));
    for error in [
        none.value(&[3.0]).unwrap_err(),
        none.values(&[3.0]).unwrap_err(),
        none.hessian(&[3.0]).unwrap_err(),
    ] {
        assert!(matches!(error, Error::OtherBranch { row: None, .. }));
    }
}

/// The questions that a program has asked: of which kind, the operands, and the answer.
type Asked<T> = Vec<(usize, T, T, Option<bool>)>;

/// Asks one of the questions that there are about two numbers.
fn ask<T: Real>(asked: &mut Asked<T>, kind: usize, a: T, b: T) -> bool {
    let answer = match kind {
        0 => Some(a < b),
        1 => Some(a <= b),
        2 => Some(a > b),
        3 => Some(a >= b),
        4 => Some(a == b),
        _ => a.partial_cmp(&b).map(Ordering::is_lt),
    };
    asked.push((kind, a, b, answer));
    answer == Some(true)
}

/// A sum over data. Each turn asks the same of an input, and now and then of what it has
/// computed.
fn looped<T: Real>(seed: u64, x: &[T], asked: &mut Asked<T>) -> T {
    let mut random = Random(seed);
    let (turns, often) = (16 + random.below(60), 1 + random.below(9));
    let mut sum = T::from(0.0);
    for turn in 0..turns {
        let (slope, label) = (random.between(-1.0, 1.0), random.below(2) as f64);
        let z = x[1] * slope + x[2] * x[3];
        let term = match ask(asked, 0, x[0], T::from(0.5)) {
            true => z.softplus() - z * label,
            false => z.square() * x[0],
        };
        let large = turn % often == 0 && ask(asked, 2, z, T::from(1.0));
        sum += if large { term * 0.5 } else { term };
    }
    sum * x[0]
}

/// A program of random operations, sums of many constants among them, and comparisons that
/// decide what it does next. Some are asked again. Or a loop.
fn program<T: Real>(seed: u64, x: &[T], asked: &mut Asked<T>) -> T {
    if seed % 4 == 3 {
        return looped(seed, x, asked);
    }
    let mut random = Random(seed);
    let mut nodes = x.to_vec();
    let constants = if seed.is_multiple_of(16) { 300 } else { 3 };
    for _ in 0..12 {
        let mut any = || nodes[random.below(nodes.len())];
        let (a, b, c) = (any(), any(), any());
        let number = random.between(-2.0, 2.0);
        let node = match random.below(9) {
            0 => a * number + b,
            1 => (a * b).tanh(),
            2 => (a - c * 0.5).sin(),
            3 => {
                let weights: Vec<f64> = (0..constants).map(|_| random.unit()).collect();
                let operands: Vec<T> = (0..constants).map(|i| [a, b, c][i % 3]).collect();
                T::linear_combination(&weights, &operands, number).sigmoid()
            }
            4 => {
                let numbers = (0..constants).map(|_| T::from(random.unit() / 8.0));
                let numbers: Vec<T> = numbers.chain([a, b]).collect();
                <T as Real>::sum(&numbers).cos()
            }
            kind @ 5..8 => {
                let first = ask(asked, random.below(6), a, [b, T::from(number)][kind % 2]);
                let again = ask(asked, random.below(2), x[0], T::from(0.5));
                match (first, again) {
                    (true, true) => a.exp() * 0.25,
                    (true, false) => b * c,
                    (false, true) => c - number,
                    (false, false) => a.square(),
                }
            }
            _ => a.softplus() * c,
        };
        nodes.push(node);
    }
    nodes[nodes.len() - 1] * x[0] + nodes[nodes.len() - 2]
}

/// The operands of the first question that has another answer at this point.
fn broken(seed: u64, recorded: &[Option<bool>], x: &[f64]) -> Option<(f64, f64)> {
    let mut asked = Vec::new();
    program(seed, x, &mut asked);
    let mut pairs = asked.into_iter().zip(recorded);
    let other = pairs.find(|((.., now), then)| now != *then);
    other.map(|((_, a, b, _), _)| (a, b))
}

/// The operands of a broken comparison, and its row.
fn named<R>(found: Result<R, Error>) -> Option<((f64, f64), Option<usize>)> {
    match found {
        Ok(_) => None,
        Err(Error::OtherBranch { operands, row, .. }) => Some((operands, row)),
        Err(other) => panic!("{other}"),
    }
}

/// Asks all again and again, which changes nothing on the tape or in what is made of it.
fn assert_kept_once(asked: &Asked<Var<'_>>, function: impl Fn() -> Function) {
    let before = function().stats();
    let mut again = Vec::with_capacity(10 * asked.len());
    let mut ask_all = |times: usize| {
        again.clear();
        let all = asked.iter().cycle().take(times * asked.len());
        all.for_each(|&(kind, a, b, _)| _ = ask(&mut again, kind, a, b));
    };
    ask_all(1); // which takes what is needed to find them
    assert_eq!(measure(|| ask_all(10)).count_total, 0);
    assert_eq!(function().stats(), before);
}

const INPUTS: usize = 4;

/// Numbers near those at which the program is recorded, and now and then others.
fn point(random: &mut Random, others: usize) -> Vec<f64> {
    let far = random.below(100) < others;
    let one = |random: &mut Random| random.between(-1.0, 1.0) * if far { 2.0 } else { 0.02 };
    (0..INPUTS)
        .map(|i| 0.3 + 0.1 * i as f64 + one(random))
        .collect()
}

#[test]
fn at_a_point_the_first_comparison_that_breaks_is_named_by_every_evaluation() {
    let (programs, mut held, mut failed) = (cases(400), 0, 0);
    for seed in 0..programs {
        let (tape, mut random) = (Tape::new(), Random(seed));
        let x = tape.vars(&[0.3, 0.4, 0.5, 0.6]);
        let mut asked = Vec::new();
        let output = program(seed, &x, &mut asked);
        let recorded: Vec<_> = asked.iter().map(|(.., answer)| *answer).collect();
        let freeze = tape.freeze(&x).output(output).retain(output);
        assert_kept_once(&asked, || freeze.clone().function());
        for f in [freeze.clone().function(), freeze.as_recorded().function()] {
            for _ in 0..4 {
                let p = point(&mut random, 50);
                let expected = broken(seed, &recorded, &p).map(|operands| (operands, None));
                let found = [
                    named(f.value(&p)),
                    named(f.gradient(&p)),
                    named(f.values(&p)),
                    named(f.jacobian(&p)),
                    named(f.retained(&p)),
                    named(f.vjp(&p, &[1.0])),
                    named(f.jvp(&p, &[1.0; INPUTS])),
                    named(f.hvp(&p, &[1.0; INPUTS])),
                    named(f.hessian(&p)),
                ];
                assert_eq!(found, [expected; 9], "seed {seed} at {p:?}");
                if expected.is_none() {
                    let value = program(seed, &p[..], &mut Vec::new());
                    assert_eq!(f.value(&p), Ok(value), "seed {seed}");
                }
                *if expected.is_none() {
                    &mut held
                } else {
                    &mut failed
                } += 1;
            }
        }
    }
    assert!(held.min(failed) > programs, "{held} and {failed}");
}

#[test]
fn over_rows_the_first_row_and_in_it_the_first_comparison_is_named_by_every_evaluation() {
    let (programs, mut held, mut failed) = (cases(400), 0, 0);
    for seed in 0..programs {
        let (tape, mut random) = (Tape::new(), Random(seed));
        let mut x = tape.vars(&[0.3, 0.4]);
        x.extend([0.5, 0.6].map(|sample| tape.column(sample)));
        let mut asked = Vec::new();
        let output = program(seed, &x, &mut asked);
        let recorded: Vec<_> = asked.iter().map(|(.., answer)| *answer).collect();
        let once = 0.5 * x[0].square();
        let f = tape
            .freeze(&x)
            .output(output)
            .once(once)
            .retain(output)
            .function();
        let (count, others) = (1 + random.below(300), [0, 2, 20][random.below(3)]);
        let parameters = &point(&mut random, 0)[..2];
        let points: Vec<Vec<f64>> = (0..count)
            .map(|_| [parameters, &point(&mut random, others)[2..]].concat())
            .collect();
        let columns = [2, 3].map(|c| points.iter().map(|p| p[c]).collect::<Vec<f64>>());
        let rows = f.rows(&[&columns[0], &columns[1]]).unwrap();
        let mut each = points.iter().enumerate();
        let expected = each.find_map(|(row, p)| Some((broken(seed, &recorded, p)?, Some(row))));
        let found = [
            named(rows.value(parameters)),
            named(rows.gradient(parameters)),
            named(rows.jacobian(parameters)),
            named(rows.hessian(parameters)),
            named(rows.values(parameters)),
            named(rows.retained(0, parameters)),
            named(rows.row_gradients(parameters)),
            named(rows.check_finite(parameters)),
        ];
        assert_eq!(found, [expected; 8], "seed {seed}");
        if expected.is_none() {
            assert_second_derivatives(&f, parameters, &points, &rows.hessian(parameters).unwrap());
        }
        *if expected.is_none() {
            &mut held
        } else {
            &mut failed
        } += 1;
    }
    assert!(8 * held.min(failed) > programs, "{held} and {failed}");
}

/// Those over rows are those at each point, added up.
fn assert_second_derivatives(f: &Function, p: &[f64], points: &[Vec<f64>], found: &[Vec<f64>]) {
    let each: Vec<_> = points.iter().map(|p| f.hessian(p).unwrap()).collect();
    for i in 0..p.len() {
        for j in 0..p.len() {
            // The term that counts once is in each of them.
            let once = if (i, j) == (0, 0) { 1.0 } else { 0.0 };
            let terms = each.iter().map(|hessian| hessian[i][j] - once);
            let (sum, size) = terms.fold((once, 1.0), |(sum, size), x| (sum + x, size + x.abs()));
            let apart = (sum - found[i][j]).abs();
            assert!(apart <= 1e-12 * size, "{apart:e} of {size:e}: {f}");
        }
    }
}

/// Asks again and again whether x < i, for some i, and records nothing else.
fn asked_again(x: Var<'_>, times: usize) {
    for i in 0..times {
        assert!(x < 2.0 + (i % 3) as f64);
    }
}

#[test]
fn a_comparison_made_again_takes_no_memory_on_a_tape_or_in_a_function() {
    let mut tape = Tape::new();
    for round in 0..3 {
        let x = tape.var(1.0);
        let none = tape.statistics().bytes;
        let allocated = measure(|| asked_again(x, 10)).count_total;
        assert_eq!(allocated == 0, round > 0, "cleared, it keeps the memory");
        let once = tape.statistics().bytes;
        assert!(once >= none + 3 * 40, "{none} to {once}");
        let f = tape.function(&[x], x * 2.0);
        let allocated = measure(|| asked_again(x, 100_000)).count_total;
        assert_eq!((tape.statistics().bytes - once, allocated), (24, 0)); // x · 2
        let again = tape.function(&[x], x * 2.0);
        assert_eq!(again.stats().bytes, f.stats().bytes);
        tape.clear();
    }
}

/// What is compared is another node each time, and between them the same.
#[test]
fn comparisons_of_new_nodes_are_kept_and_those_of_old_ones_between_them_once() {
    let tape = Tape::new();
    let x = tape.var(1.0);
    let bytes = |old: bool| {
        let before = tape.statistics().bytes;
        for _ in 0..64 {
            assert!(x.exp() > x && (!old || x < 2.0));
        }
        tape.statistics().bytes - before
    };
    let (new, both) = (bytes(false), bytes(true));
    assert!(new >= 64 * (16 + 40), "{new}");
    assert!(both - new < 100, "one more: {}", both - new);
}

#[test]
fn comparisons_that_differ_in_anything_are_all_kept() {
    let tape = Tape::new();
    let (x, y) = (tape.var(1.0).named("x"), tape.var(2.0).named("y"));
    let answers = [x < 2.5, x < 2.0, x < y, y > x, y >= 2.0, x < 2.5, y < 2.0];
    assert_eq!(answers, [true, true, true, true, true, true, false]);
    let f = tape.function(&[x, y], x * y);
    let broken = |x: f64, y: f64| match f.value(&[x, y]) {
        Err(Error::OtherBranch { comparison, .. }) => Some(comparison),
        _ => None,
    };
    let first = |text: &str| Some(text.to_owned());
    assert_eq!(broken(2.5, 3.0), first("x < 2.5"));
    assert_eq!(broken(2.0, 3.0), first("x < 2"));
    assert_eq!(broken(1.0, 1.0), first("x < y"));
    assert_eq!(broken(1.0, 1.5), first("y ≥ 2"));
    assert_eq!(broken(1.5, 2.0), None);
}

#[test]
fn where_a_comparison_came_out_both_ways_no_point_has_the_recording() {
    let tape = Tape::new();
    let x = tape.var(1.0).named("x");
    let first = if x < 2.0 { x * 3.0 } else { x };
    tape.set(x, 5.0);
    tape.forward();
    let second = if x < 2.0 { x * 3.0 } else { x };
    let f = tape.function(&[x], first + second);
    for (at, recorded) in [(1.0, false), (5.0, true)] {
        let error = f.value(&[at]).unwrap_err();
        let Error::OtherBranch {
            recorded: found, ..
        } = error
        else {
            panic!("{error}")
        };
        assert_eq!(found, recorded);
    }
}

/// In nodes that become one, and in constants that are equal then.
#[test]
fn comparisons_that_freezing_makes_equal_are_checked_once() {
    let bytes = |times: usize| {
        let tape = Tape::new();
        let (x, fixed) = (tape.var(1.0), tape.var(3.0));
        for _ in 0..times {
            assert!(x < fixed * 2.0 && x.exp() > x);
        }
        let freeze = tape.freeze(&[x]).output(x * x.exp());
        freeze.share_equal_nodes().function().stats().bytes
    };
    assert_eq!(bytes(50), bytes(1));
}

/// What is no input of the function keeps its present value.
#[test]
fn a_comparison_of_numbers_alone_is_checked_too() {
    let tape = Tape::new();
    let (fixed, x) = (tape.var(3.0).named("fixed"), tape.var(1.0));
    let output = if fixed < 5.0 { x * fixed } else { x };
    assert_eq!(tape.function(&[x], output).value(&[2.0]), Ok(6.0));
    tape.set(fixed, 7.0);
    tape.forward();
    let error = tape.function(&[x], output).value(&[2.0]).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("the comparison 7 < 5 was true for 3 and 5"),
        "{error}"
    );
}
