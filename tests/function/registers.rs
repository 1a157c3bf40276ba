//! Does a function of few numbers, evaluated on registers, have the bits of the tape that it
//! was made from?

use crate::common::{Random, apply_with};
use crate::replay::{compared, many};
use allocation_counter::measure;
use chainrule::{Error, Function, Op, Tape, Var, Workspace};

/// The operation, applied to some of these.
fn applied<'t>(op: Op, x: &[Var<'t>]) -> Var<'t> {
    apply_with(
        op,
        &x[..op.arity().unwrap_or(4)],
        &[0.5, -1.0, 0.0, 2.0, -0.0],
    )
}

/// The operands of an operation: two nodes, a node twice, and constants on either side.
fn operands<'t>(a: Var<'t>, b: Var<'t>) -> Vec<[Var<'t>; 4]> {
    let constant = |x: f64| Var::from(x);
    vec![
        [a, b, b, a],
        [b, a, constant(0.5), b],
        [a, a, a, a],
        [a, constant(1.0), constant(-2.0), b],
        [a, constant(0.0), b, constant(0.0)],
        [constant(0.25), a, a, constant(3.0)],
        [constant(0.0), b, constant(1.0), a],
    ]
}

/// What lies around an operation decides where its numbers are: the result of the step
/// before or an older one, an adjoint just written or an older one, the first share of an
/// operand or a later one.
#[test]
fn each_operation_has_the_bits_of_the_sweeps_wherever_it_stands() {
    for (number, &op) in Op::ALL.iter().enumerate() {
        let tape = Tape::new();
        let x = tape.vars(&[0.5, 0.75, 0.25]);
        let (a, b) = (x[0] * x[2], x[1] + x[0]);
        for (i, operands) in operands(a, b).into_iter().enumerate() {
            let result = applied(op, &operands);
            let later = x[2].cos();
            let outputs = [
                result,
                -result,
                result * a - b,
                (x[0] - x[1]) * result + later,
                a * x[1] + result * later + result,
            ];
            for output in outputs {
                let f = compared(&tape, &x, output, (number * 10 + i) as u64);
                assert!(f.stats().registers > 0 || f.nodes() == x.len());
            }
        }
    }
}

#[test]
fn sums_of_products_are_added_up_as_recorded() {
    let tape = Tape::new();
    let x = tape.vars(&many(&mut Random(3), 6));
    let old = x[0] * x[1];
    let sums = [
        x[0] * x[1] + x[2] * x[3],
        x[0] * 2.0 + x[1] * 0.5 + 3.0,
        1.5 + x[4] * x[5],
        x[4] * x[5] + 1.5,
        -(x[4] * x[4] + old),
        -(x[0].sin() * x[1] + x[2]),
        -(x[1] * x[0].sin() + x[2]),
        x[2] + x[0].sin() * x[1],
        x[0].sin() + x[2] * x[1],
        old * x[1] + old, // the factor is used again
        old + old,        // one product twice
        -old,
        -(old + x[3]),
        (old + x[3]) * -(old + x[3]),
        -(-(x[0] * x[1] + x[2])),
    ];
    for (i, sum) in sums.into_iter().enumerate() {
        for output in [sum, sum.exp() * sum, (sum - x[5]).tanh() + sum] {
            assert!(compared(&tape, &x, output, i as u64).stats().registers > 0);
        }
    }
}

#[test]
fn two_products_at_once_give_what_they_give_one_by_one() {
    let mut random = Random(8);
    for seed in 0..500 {
        let tape = Tape::new();
        let x = tape.vars(&many(&mut random, 4));
        let mut nodes = x.clone();
        for _ in 0..3 + random.below(12) {
            // One of the last few, and now and then an absolute value, which may send nothing.
            let mut pick = || nodes[nodes.len() - 1 - random.below(5.min(nodes.len()))];
            let (a, b, c, d) = (pick(), pick(), pick(), pick());
            let node = match random.below(9) {
                0 => a + b,
                1 => -a,
                2 => a * 0.75 + b * -1.5,
                3 => a * 0.75 + b * c,
                4 => a * b + c * d,
                5 => a + b * c + d * 0.5,
                6 => a * b + c * 0.25 + d,
                7 if seed % 2 == 0 => (a * b).abs(),
                _ => a * b,
            };
            nodes.push(node);
        }
        let [.., a, b] = nodes[..] else { continue };
        let f = compared(&tape, &x, a * 0.5 + b * x[0], seed);
        assert!(f.stats().registers > 0);
    }
}

/// What stands before an operation on any number of operands is not the last result after it.
#[test]
fn an_operation_on_many_begins_anew() {
    let tape = Tape::new();
    let x = tape.vars(&many(&mut Random(5), 4));
    for i in 0..6 {
        let first = x[0].sin();
        let factor = [x[1], first][i % 2];
        let sum = Var::linear_combination(&[2.0, 0.5], &[factor, x[2]], 1.0);
        let product = factor * x[3];
        let next = match i / 2 {
            0 => first + product,
            1 => first - x[1],
            _ => product + first * sum,
        };
        for (j, output) in [next, next * sum, sum * first, -(next + sum)]
            .into_iter()
            .enumerate()
        {
            assert!(
                compared(&tape, &x, output, (i * 4 + j) as u64)
                    .stats()
                    .registers
                    > 0
            );
        }
    }
}

/// An adjoint that is computed as −0 is not an absent one: ∞ times it is NaN.
#[test]
fn a_zero_of_either_sign_reaches_the_operands_of_many() {
    let tape = Tape::new();
    let x = tape.vars(&[0.5, 2.0, 1.0]);
    let many = Var::linear_combination(&[f64::INFINITY, 1.0], &x[..2], 0.0);
    let f = tape.function(&x, many * x[2]);
    assert!(f.stats().registers > 0);
    let swept = tape.freeze(&x).output(many * x[2]).as_recorded().function();
    for zero in [0.0, -0.0] {
        let gradient = f.gradient(&[0.5, 2.0, zero]).unwrap();
        assert!(gradient[0].is_nan() && gradient[1].to_bits() == 0);
        assert!(swept.gradient(&[0.5, 2.0, zero]).unwrap()[0].is_nan());
    }
}

/// A name, a guard or an output that takes the product keeps it from being added at once.
#[test]
fn a_product_that_is_asked_for_is_still_there() {
    let tape = Tape::new();
    let x = tape.vars(&[0.5, 2.0]);
    let product = x[0] * x[1];
    let sum = -(product + x[0]);
    let retained = tape.freeze(&x).output(sum.exp()).retain(product).function();
    assert_eq!(retained.retained(&[3.0, 2.0]).unwrap()[0].0, 6.0);
    assert!(product < 2.0);
    let guarded = tape.function(&x, sum.exp());
    assert!(guarded.stats().registers > 0);
    assert_eq!(guarded.value(&[0.25, 2.0]), Ok((-0.75_f64).exp()));
    let error = guarded.value(&[3.0, 2.0]).unwrap_err();
    assert!(
        matches!(
            error,
            Error::OtherBranch {
                operands: (6.0, 2.0),
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn more_registers_are_there_where_few_do_not_suffice() {
    let (mut few, mut more) = (0, 0);
    for count in 120..160 {
        let tape = Tape::new();
        let x = tape.vars(&many(&mut Random(count), 10));
        let mut y = x[0];
        for i in 0..count as usize {
            y = match i % 3 {
                0 => (y * x[i % 10]).sin(),
                1 => y + i as f64,
                _ => y / x[i % 7],
            };
        }
        match compared(&tape, &x, y, count).stats().registers {
            0 => panic!("swept"),
            1..=256 => few += 1,
            _ => more += 1,
        }
    }
    assert!(few > 5 && more > 5, "{few} and {more}");
}

/// Of an operation on any number of operands that are constants, and of its own ones.
#[test]
fn constants_of_one_operation_that_do_not_fit_into_few_registers_go_into_more() {
    for (count, few) in [
        (200, true),
        (250, true),
        (251, false),
        (257, false),
        (700, false),
    ] {
        let tape = Tape::new();
        let x = tape.vars(&[0.5, 2.0]);
        let constants: Vec<f64> = (0..count).map(|i| f64::from(i) + 2.5).collect();
        let operands = constants.iter().map(|&c| Var::from(c)).chain(x.clone());
        let output = Var::sum(&operands.collect::<Vec<_>>());
        let f = tape.function(&x, output);
        let registers = f.stats().registers;
        assert_eq!((1..=256).contains(&registers), few, "{count}: {registers}");
        assert!(registers > 0);
        assert_eq!(compared(&tape, &x, output, 7).stats().registers, registers);
    }
    let tape = Tape::new();
    let x = tape.vars(&[0.5, 2.0]);
    let constants = (0..70_000).map(|i| Var::from(f64::from(i) + 2.5));
    let operands: Vec<Var<'_>> = constants.chain(x.clone()).collect();
    assert_eq!(
        compared(&tape, &x, Var::sum(&operands), 7)
            .stats()
            .registers,
        0
    );
}

/// Adjoints of a wide function take all registers that there are, and no more.
#[test]
fn inputs_and_constants_fill_the_registers() {
    let mut on_few = 0;
    for count in 30..60 {
        let tape = Tape::new();
        let x = tape.vars(&many(&mut Random(count), count as usize));
        let mut y = x[0];
        for (i, x) in x.iter().enumerate() {
            y = (y + i as f64).hypot(x.square());
        }
        let f = compared(&tape, &x, y, count);
        on_few += usize::from((1..=256).contains(&f.stats().registers));
    }
    let tape = Tape::new();
    let x = tape.vars(&[0.5; 300]);
    assert_eq!(tape.function(&x, x[299]).stats().registers, 302); // and adjoints 0 and 1
    let f = tape.function(&x[..250], x[249] * x[0]);
    assert_eq!(f.gradient(&[2.0; 250]).unwrap()[249], 2.0);
    assert!((5..25).contains(&on_few), "{on_few}");
}

#[test]
fn ends_that_are_no_operations() {
    let tape = Tape::new();
    let x = tape.vars(&[0.5, 2.0]);
    let unused = tape.function(&x, x[1].ln());
    assert_eq!(unused.gradient(&[1.0, 4.0]), Ok(vec![0.0, 0.25]));
    assert_eq!(
        tape.function(&x, x[1]).value_and_gradient(&[1.0, 4.0]),
        Ok((4.0, vec![0.0, 1.0]))
    );
    let constant = tape.function(&x, Var::from(7.0));
    assert_eq!(
        constant.value_and_gradient(&[1.0, 4.0]),
        Ok((7.0, vec![0.0, 0.0]))
    );
    let none = tape.function(&[], Var::from(7.0));
    assert_eq!(none.value_and_gradient(&[]), Ok((7.0, vec![])));
    let once = tape.freeze(&x).output(x[0] * x[1]);
    let once = once
        .once(x[0].square())
        .once(x[0])
        .once(Var::from(1.0))
        .function();
    assert!(once.stats().registers > 0);
    assert_eq!(
        once.value_and_gradient(&[3.0, 4.0]),
        Ok((25.0, vec![11.0, 3.0]))
    );
}

/// What is not taken lets nothing pass, not even 0·∞.
#[test]
fn a_branch_that_is_not_taken_sends_nothing() {
    let tape = Tape::new();
    let x = tape.vars(&[0.0, 1.0]);
    let (steep, flat) = (x[0].sqrt(), x[1] * 3.0);
    for output in [
        steep.select_lt(x[1], flat, steep),
        flat.max(steep),
        x[1].select_lt(0.0, steep, flat) + flat,
        (-x[1]).relu() * 2.0 + (steep * 0.0).select_le(0.0, flat, steep),
    ] {
        let f = compared(&tape, &x, output, 5);
        assert!(f.stats().registers > 0);
        let gradient = f.gradient(&[0.0, 1.0]).unwrap();
        assert_eq!(gradient[0], 0.0, "{f}");
    }
    // A factor of zero is no branch.
    assert!(
        tape.function(&x, steep * 0.0)
            .gradient(&[0.0, 1.0])
            .unwrap()[0]
            .is_nan()
    );
}

#[test]
fn one_workspace_serves_many_functions_in_turn() {
    let tape = Tape::new();
    let x = tape.vars(&[0.5, 2.0]);
    let longer = (0..300).fold(x[0], |y, i| (y * x[1]).sin() + f64::from(i));
    let long = (0..30_000).fold(x[0], |y, i| (y * x[1]).sin() + f64::from(i % 100));
    let turns = (0..100).fold(Var::from(0.0), |sum, i| sum + (x[0] * f64::from(i)).cos());
    let outputs = [
        x[0] * 3.0 + x[1].exp() * 0.25,
        x[1] / 5.0 - (x[0] * 7.0).sin(),
        longer,
        long,
        turns,
        (x[0] + 0.125).ln(),
    ];
    let functions = outputs.map(|output| tape.function(&x, output));
    let copies = functions.clone();
    let mut workspace = Workspace::new();
    for round in 0..5 {
        for (f, copy) in functions.iter().zip(&copies) {
            let point = [0.5 + f64::from(round), 1.5];
            let mut gradient = [0.0; 2];
            for f in [f, copy] {
                let value = f.value_and_gradient_into(&point, &mut gradient, &mut workspace);
                let expected = f.value_and_gradient(&point).unwrap();
                assert_eq!((value.unwrap(), gradient.to_vec()), expected);
                assert_eq!(f.value_with(&point, &mut workspace), Ok(expected.0));
            }
        }
    }
    let found: Vec<_> = functions
        .iter()
        .map(|f| (f.stats().registers, f.stats().turns))
        .collect();
    assert!(
        matches!(
            found[..],
            [
                (1..=256, 0),
                (1..=256, 0),
                (257.., 0),
                (0, 0),
                (0, 1..),
                (1..=256, 0)
            ]
        ),
        "{found:?}"
    );
}

#[test]
fn errors_leave_the_gradient_and_say_what_the_sweeps_say() {
    let tape = Tape::new();
    let x = tape.vars(&[0.5, 2.0]).into_iter().zip(["a", "b"]);
    let x: Vec<_> = x.map(|(x, name)| x.named(name)).collect();
    let output = if x[0] < x[1] { x[0] * x[1] } else { x[0] };
    let [f, swept] = [
        tape.function(&x, output),
        tape.freeze(&x).output(output).as_recorded().function(),
    ];
    assert!(f.stats().registers > 0 && swept.stats().registers == 0);
    let mut gradient = [7.0; 2];
    let error = |f: &chainrule::Function, x: &[f64], gradient: &mut [f64]| {
        let workspace = &mut Workspace::new();
        let error = f
            .value_and_gradient_into(x, gradient, workspace)
            .unwrap_err();
        assert_eq!(f.value(x).is_err(), gradient.len() == 2);
        error.to_string()
    };
    for point in [&[3.0, 2.0][..], &[1.0], &[f64::NAN, 1.0]] {
        let found = error(&f, point, &mut gradient);
        assert_eq!(found, error(&swept, point, &mut gradient));
        assert_eq!(gradient, [7.0; 2]);
    }
    let found = error(&f, &[1.0, 2.0], &mut [0.0; 3]);
    assert_eq!(found, error(&swept, &[1.0, 2.0], &mut [0.0; 3]));
}

/// Two steps, two pullbacks, of which one sends two shares, a constant, and where two components of the gradient are; and
/// 256 or 65,536 registers.
#[test]
fn its_memory_is_counted() {
    let tape = Tape::new();
    let x = tape.vars(&[0.5, 2.0]);
    let freeze = tape.freeze(&x).output(x[0].sin() * x[1]);
    let (few, swept) = (
        freeze.clone().function().stats(),
        freeze.as_recorded().function().stats(),
    );
    assert_eq!((few.registers, swept.registers), (8, 0));
    assert_eq!(few.bytes - swept.bytes, 4 * 16 + 8 + 2);
    assert_eq!(few.workspace_bytes - swept.workspace_bytes, 8 * 256);
    // One step and three constants, which are also the gradient.
    let freeze = tape.freeze(&x).output(x[0] * 2.0 + x[1] * 3.0 + 1.0);
    let (affine, swept) = (
        freeze.clone().function().stats(),
        freeze.as_recorded().function().stats(),
    );
    assert_eq!(affine.bytes - swept.bytes, 16 + 3 * 8 + 2);
    let many = Var::linear_combination(&[2.0, 3.0], &x, 1.0) * x[1];
    let freeze = tape.freeze(&x).output(many);
    let (many, swept) = (
        freeze.clone().function().stats(),
        freeze.as_recorded().function().stats(),
    );
    // Two operands, where their adjoints are and go, and three constants of its own.
    assert_eq!(
        many.bytes - swept.bytes,
        2 * 16 + 8 + 2 + 2 * (1 + 3) + 3 * 8
    );
    let long = (0..200).fold(x[0], |y, i| (y * x[1]).sin() + f64::from(i));
    let freeze = tape.freeze(&x).output(long);
    let (more, swept) = (
        freeze.clone().function().stats(),
        freeze.as_recorded().function().stats(),
    );
    assert!(more.registers > 256);
    assert_eq!(
        more.workspace_bytes - swept.workspace_bytes,
        8 * 65_536 - 2 * 8 * (swept.shared - more.shared)
    );
}

/// How often an evaluation allocates, and how many bytes.
fn allocated(evaluate: impl FnOnce() -> Result<f64, Error>) -> (u64, u64) {
    let info = measure(|| assert!(evaluate().is_ok()));
    (info.count_total, info.bytes_total)
}

/// What is allocated shows how it was evaluated: sweeps need room for values and adjoints.
#[test]
fn what_has_registers_is_evaluated_on_them() {
    let tape = Tape::new();
    let x = tape.vars(&[0.5, 2.0]);
    let long = (0..200).fold(x[0], |y, i| (y * x[1]).sin() + f64::from(i));
    let (few, more) = (
        tape.function(&x, (x[0] * x[1]).exp()),
        tape.function(&x, long),
    );
    let with = |f: &Function| {
        let (x, mut gradient) = ([0.25, 1.5], [0.0; 2]);
        [
            allocated(|| f.value_with(&x, &mut Workspace::new())),
            allocated(|| f.value_and_gradient_into(&x, &mut gradient, &mut Workspace::new())),
        ]
    };
    assert_eq!(with(&few), [(1, 8 * 256); 2]);
    assert_eq!(with(&more), [(1, 8 * 65_536); 2]);
    let without = |f: &Function| allocated(|| f.value(&[0.25, 1.5]));
    assert_eq!(without(&few), (0, 0));
    assert_eq!(without(&more), (1, 8 * more.nodes() as u64));
}
