//! Do steps over rows that are done together with others have the bits of a tape, and is done
//! so what can be?

use crate::common::Random;
use crate::replay::{self, many};
use chainrule::{Function, Op, Real, Tape, Var};

const ROWS: usize = 130;
const ODD: [f64; 12] = [
    0.0,
    -0.0,
    0.5,
    1.0,
    -1.0,
    2.0,
    -3.0,
    1e-310,
    -1e300,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
];

fn bits(x: f64) -> u64 {
    if x.is_nan() { f64::NAN } else { x }.to_bits()
}

/// Records an output with two parameters and three columns, and compares values and gradients
/// of rows with those of a tape at each. Returns how many steps each row has.
#[track_caller]
fn compared(record: impl for<'t> Fn(&[Var<'t>], &[Var<'t>]) -> Var<'t>) -> usize {
    let f = Function::record(|r| {
        let w = r.inputs(&[0.5, 0.25]);
        let x = ["x0", "x1", "x2"].map(|name| r.column(name, 0.5));
        record(&w, &x)
    });
    let random = &mut Random(7);
    let mut number = |i: usize| match i % 3 {
        0 => ODD[random.below(12)],
        _ => random.between(-2.0, 2.0),
    };
    let columns: Vec<Vec<f64>> = (0..3)
        .map(|_| (0..ROWS).map(&mut number).collect())
        .collect();
    let rows: Vec<&[f64]> = columns.iter().map(|column| &column[..]).collect();
    let rows = f.rows(&rows).unwrap();
    for w in [[0.5, 0.25], [1.0, -1.0], [0.0, -0.0], [-1.5, f64::INFINITY]] {
        let (values, gradients) = (rows.values(&w).unwrap(), rows.row_gradients(&w).unwrap());
        let tape = Tape::new();
        let (p, x) = (tape.vars(&w), tape.vars(&[0.5; 3]));
        let output = record(&p, &x);
        for row in 0..ROWS {
            let at: Vec<f64> = columns.iter().map(|column| column[row]).collect();
            x.iter()
                .zip(&at)
                .for_each(|(&x, &value)| tape.set(x, value));
            tape.forward();
            let adjoints = output.backward();
            let expected = [output.value(), adjoints.wrt(p[0]), adjoints.wrt(p[1])];
            let found = [values[row], gradients[2 * row], gradients[2 * row + 1]];
            assert_eq!(found.map(bits), expected.map(bits), "{w:?} {at:?} of {f}");
        }
    }
    f.stats().steps
}

#[test]
fn every_operation_on_one_operand_may_have_its_operand_turned_and_shifted() {
    for &op in Op::ALL.iter().filter(|op| op.arity() == Some(1)) {
        for (c, turned) in [
            (0.0, true),
            (1.0, true),
            (-0.0, true),
            (0.75, false),
            (0.0, false),
        ] {
            let of = |inner: fn(Var<'_>, f64) -> Var<'_>| {
                compared(|w, x| Var::unary(op, inner(w[0] * x[0], c)) * w[1])
            };
            let steps = match turned {
                true => [of(|x, c| c - x), of(|x, _| -x)],
                false => [of(|x, c| x + c), of(|x, c| x - c)],
            };
            // The product, the operation, and the product with it.
            assert_eq!(steps, [3, 3], "{op:?}");
        }
    }
}

/// Its shares may be moved: the gradient by it is not asked for.
#[test]
fn the_operand_may_be_a_column() {
    assert_eq!(compared(|w, x| (1.0 - x[0]).exp() * w[0]), 2);
    assert_eq!(compared(|w, x| (x[0] + 0.25).sin() * w[0]), 2);
}

#[test]
fn of_two_in_a_row_one_is_done_before() {
    assert_eq!(compared(|w, x| (-(1.0 - w[0] * x[0])).exp()), 3);
    assert_eq!(compared(|w, x| -(1.0 - w[0] * x[0])), 2);
    assert_eq!(compared(|w, x| (-(2.0 + (1.0 - w[0] * x[0]))).exp()), 4);
}

/// What somebody else reads, too, is a step of its own.
#[test]
fn what_is_used_twice_or_read_has_a_step() {
    assert_eq!(
        compared(|w, x| {
            let turned = 1.0 - w[0] * x[0];
            turned.exp() * turned
        }),
        4
    );
    let tape = Tape::new();
    let (w, x) = (tape.var(0.5), tape.column(2.0));
    let turned = 1.0 - w * x;
    let freeze = tape.freeze(&[w, x]).output(turned.exp());
    let f = freeze.retain(turned).function();
    assert_eq!(f.stats().steps, 3);
    let rows = f.rows(&[&[2.0, 4.0]]).unwrap();
    assert_eq!(rows.retained(0, &[0.5]).unwrap(), [0.0, -1.0]);
    // A comparison reads it.
    let f = Function::record(|r| {
        let turned = 1.0 - r.input("w", 0.5) * r.column("x", 1.0);
        if turned > 0.0 { turned.ln() } else { turned }
    });
    assert_eq!(f.stats().steps, 3);
    assert!(f.rows(&[&[1.0, 4.0]]).unwrap().value(&[0.5]).is_err());
}

/// Only operations on one operand take it.
#[test]
fn an_operation_on_two_operands_takes_it_as_a_step() {
    assert_eq!(compared(|w, x| (1.0 - w[0] * x[0]).pow(w[1] * x[1])), 4);
}

#[test]
fn a_sum_of_two_products_is_one_step() {
    assert_eq!(
        compared(|w, x| {
            let (a, b) = ((w[0] * x[0]).sin(), (w[1] * x[1]).cos());
            (a * x[2] + b * x[0]).exp()
        }),
        6
    );
    // Squares, and a column by itself.
    assert_eq!(
        compared(|w, x| {
            let (a, b) = ((w[0] * x[0]).sin(), (w[1] * x[1]).cos());
            (a * a + b * b).exp()
        }),
        6
    );
    assert_eq!(compared(|w, x| (x[0] * x[1] + x[2] * x[0]) * w[0]), 2);
    // Sum and turned operand both.
    assert_eq!(
        compared(|w, x| {
            let a = (w[0] * x[0]).sin();
            (1.0 - (a * x[1] + x[2] * x[2])).exp()
        }),
        4
    );
}

#[test]
fn a_product_that_is_used_twice_has_a_step() {
    assert_eq!(
        compared(|w, x| {
            let (a, b) = ((w[0] * x[0]).sin(), (w[1] * x[1]).cos());
            let product = a * x[2];
            (product + b * x[0]) * product
        }),
        8
    );
}

/// Three shares are added in the order of a sweep, the one from the latest node first, so none
/// may come sooner.
#[test]
fn a_node_that_receives_three_shares_gets_them_in_their_order() {
    let turned = compared(|w, x| {
        let u = w[0] * x[0];
        let turned = 0.5 - u;
        let (a, b) = (u.exp(), u.sin());
        turned.atan() + a * x[1] * b
    });
    let product = compared(|w, x| {
        let u = (w[0] * x[0]).sin();
        let (first, second) = (u * x[1], x[2] * x[1]);
        let (a, b) = (u.exp(), u.cos());
        (first + second).atan() + a * x[1] * b
    });
    assert_eq!((turned, product), (8, 11));
}

/// The share of an input of a loop is added to those of other turns.
#[test]
fn shares_that_leave_a_loop_are_not_moved() {
    let tape = Tape::new();
    let x = tape.vars(&many(&mut Random(3), 60));
    let terms = x.windows(2).map(|x| {
        let turned = 1.0 - x[0];
        (x[0] * x[1]).sin() + turned.square() + x[0] * x[0] * x[1]
    });
    let sum = terms.reduce(|sum, term| sum + term).unwrap();
    assert_eq!(replay::assert_bits(&tape, &x, sum, 5), 58);
}

/// What is done to the operand of an operation before it.
type Shift = for<'t> fn(Var<'t>) -> Var<'t>;
const SHIFTS: [Shift; 7] = [
    |x| -x,
    |x| 1.0 - x,
    |x| 0.0 - x,
    |x| -0.0 - x,
    |x| x + 0.75,
    |x| 0.5 + x,
    |x| x - 2.0,
];

/// The operand may be the result of the step before or an older one, the adjoint the one just
/// written or an older one, and the share the first or a later one.
#[test]
fn at_one_point_some_operations_have_their_operand_turned_and_shifted() {
    for op in [Op::Exp, Op::Ln, Op::Square, Op::Sqrt] {
        for (i, shift) in SHIFTS.iter().enumerate() {
            let tape = Tape::new();
            let x = tape.vars(&[0.5, 0.75, 0.25]);
            let inner = x[0] * x[2];
            let result = Var::unary(op, shift(inner));
            let (older, later) = (x[1].sin(), x[2].cos());
            let outputs = [
                result,
                -result,
                Var::unary(op, shift(x[1])),
                result * older + later,
                result * inner.sin() * later,
                (x[0].sin() - x[1]) * result + result * later,
                result.max(x[1]) + inner.abs(), // adjoints may be absent
            ];
            for output in outputs {
                let f = replay::compared(&tape, &x, output, i as u64);
                assert!(f.stats().registers > 0);
            }
            // An instruction less than of others, or two.
            let bytes = |op| {
                let output = Var::unary(op, shift(x[0].cos()));
                tape.function(&x, output).stats().bytes
            };
            assert!(bytes(op) < bytes(Op::Sin), "{op:?}, {i}");
        }
    }
}

#[test]
fn at_one_point_three_shares_are_added_in_their_order() {
    let tape = Tape::new();
    let x = tape.vars(&[0.5, 0.75, 0.25]);
    let u = x[0] * x[1];
    let turned = 0.5 - u;
    let (a, b) = (u.exp(), u.sin());
    let f = replay::compared(&tape, &x, turned.square() + a * x[1] * b, 3);
    let swept = tape.freeze(&x).output(turned.square() + a * x[1] * b);
    assert!(f.stats().registers > swept.as_recorded().function().stats().registers);
}
