//! Do operands that follow one another on the tape, which it keeps as a range, give
//! what the same operands give in a list? Bit for bit, by every reading of the table.

use chainrule::{Dual, Function, Op, Real, Tape, Var, Workspace};

/// Values in which sums cancel, products are −0, and logarithms and selections have
/// something to say.
const VALUES: [[f64; 4]; 6] = [
    [0.5, -1.25, 3.0, 0.1],
    [-0.0, 0.0, -0.0, 0.0],
    [1e308, 1e308, -1e308, 2.0],
    [f64::INFINITY, 1.0, 0.0, -1.0],
    [f64::NAN, 1.0, 2.0, 3.0],
    [1e-320, -1e-320, -0.0, 5e-324],
];

/// Ten operands; four of an operation that does not take as many, and never has a range.
fn operands(op: Op) -> usize {
    op.own_constants(10).map_or(4, |_| 10)
}

fn constants(op: Op) -> Vec<f64> {
    let weight = |i: usize| [-2.0, 0.0, -0.0, 0.3, 0.7][i % 5];
    let count = op.own_constants(operands(op)).expect("it takes a list");
    (0..count).map(weight).collect()
}

/// The operation on inputs that lie one after another, or last ones first.
fn recorded<'t>(tape: &'t Tape, op: Op, values: &[f64], in_order: bool) -> (Vec<Var<'t>>, Var<'t>) {
    let mut values = values.to_vec();
    if !in_order {
        values.reverse();
    }
    let mut x: Vec<Var<'_>> = values.iter().map(|&x| tape.var(x)).collect();
    if !in_order {
        x.reverse();
    }
    let y = Var::nary(op, &[&x], &[&constants(op)]);
    (x, y)
}

/// Every number that the two ways can be told apart by.
fn all_of(op: Op, values: &[f64], in_order: bool) -> Vec<u64> {
    let tape = Tape::new();
    let (x, y) = recorded(&tape, op, values, in_order);
    let z = y * 3.0 + x[x.len() - 1];
    let mut numbers = vec![y.value()];
    numbers.extend(z.backward().wrt_all(&x));
    numbers.extend(y.backward().wrt_all(&x));
    numbers.extend(z.gradient_graph(&x).iter().map(|x| x.value()));
    let direction: Vec<f64> = (0..x.len()).map(|i| [1.0, -2.0, 0.5, 0.0][i % 4]).collect();
    numbers.extend(z.hvp(&x, &direction).1);

    let f = tape.function(&x, z);
    let mut gradient = vec![0.0; x.len()];
    let value = f.value_and_gradient_into(values, &mut gradient, &mut Workspace::new());
    numbers.push(value.unwrap());
    numbers.extend(gradient);

    tape.set(x[0], 0.75);
    tape.forward();
    numbers.push(z.value());
    numbers.extend(z.backward().wrt_all(&x));
    numbers.into_iter().map(f64::to_bits).collect()
}

#[test]
fn every_operation_on_a_range_has_the_bits_of_one_on_a_list() {
    let many: Vec<Op> = Op::ALL
        .iter()
        .copied()
        .filter(|op| op.arity().is_none())
        .collect();
    assert!(many.len() >= 8, "{many:?}");
    for op in many {
        for some in VALUES {
            let values: Vec<f64> = some.into_iter().cycle().take(operands(op)).collect();
            let (range, list) = (all_of(op, &values, true), all_of(op, &values, false));
            assert_eq!(range, list, "{op} {values:?}");
        }
    }
}

#[test]
fn a_range_has_the_operands_it_was_made_of() {
    let tape = Tape::new();
    tape.var(1.0);
    let x = tape.vars(&[2.0; 9]);
    let (sum, product) = (Var::sum(&x), Var::product(&x));
    let ids = |y: Var<'_>| -> Vec<_> {
        let node = tape.node(y.id().unwrap());
        node.operands.iter().map(|x| format!("{x:?}")).collect()
    };
    let expected: Vec<_> = x
        .iter()
        .map(|x| format!("Node({:?})", x.id().unwrap()))
        .collect();
    assert_eq!((ids(sum), ids(product)), (expected.clone(), expected));
    // Not quite a range: begins elsewhere, has one twice, ends with a constant, and is
    // gone through from the last on.
    let mut others = [0, 1, 2, 3].map(|_| x.clone());
    others[0][0] = x[3];
    others[1][8] = x[7];
    others[2][8] = Var::from(3.0);
    others[3].reverse();
    for operands in others {
        let sum: f64 = operands.iter().map(|x| x.value()).sum();
        let y = Var::sum(&operands);
        assert_eq!(y.value(), sum);
        assert_eq!(tape.node(y.id().unwrap()).operands.len(), 9);
    }
}

#[test]
fn the_node_before_may_be_the_last_of_a_range() {
    let tape = Tape::new();
    let x = tape.var(0.5);
    let (a, b) = (x * 2.0, x * 3.0);
    let y = Var::dot(&[x, a], &[b, b]);
    // x, 2x, 3x … and as many after it
    let mut all = vec![x, a, b];
    all.extend((4..10).map(|i| x * f64::from(i)));
    assert_eq!(all.len(), 9);
    let z = Var::sum(&all);
    // y = x·3x + 2x·3x and z = 45x
    let grad = (y + z).backward();
    assert_eq!((grad.wrt(x), grad.wrt(b)), (9.0 + 45.0, 2.5));
    let last = Var::sum(&all[1..]).backward();
    assert_eq!((last.wrt(all[8]), last.wrt(x)), (1.0, 44.0));
}

#[test]
fn a_range_costs_the_same_however_long_it_is() {
    let tape = Tape::new();
    let x = tape.vars(&vec![0.5; 1_000]);
    let before = allocation_counter::measure(|| _ = Var::sum(&x));
    // Operands begin with a small room, which a list of a thousand would not fit.
    assert!(before.bytes_total < 1_000, "{}", before.bytes_total);
}

#[test]
fn dual_numbers_take_ranges_too() {
    let f = Function::record(|r| {
        let x = r.inputs(&[0.5; 9]);
        Real::log_sum_exp(&x)
    });
    let (x, v) = ([0.5, 1.5, 2.5].repeat(3), [1.0, 0.0, -1.0].repeat(3));
    let duals: Vec<Dual<f64>> = x.iter().zip(&v).map(|(&x, &v)| Dual::new(x, v)).collect();
    let (value, tangent) = f.jvp(&x, &v).unwrap();
    let expected = Dual::log_sum_exp(&duals);
    assert_eq!(
        (value[0], tangent[0]),
        (expected.value(), expected.tangent())
    );
}

#[test]
fn a_computed_zero_that_a_range_receives_is_not_absent() {
    let tape = Tape::new();
    let t = tape.vars(&[0.0; 9]);
    let roots: Vec<Var<'_>> = t.iter().map(|t| t.sqrt()).collect();
    let y = Var::linear_combination(&[-0.0, 0.0, 1.0].repeat(3), &roots, 0.0);
    // −0·∞ and 0·∞
    let gradient = y.backward().wrt_all(&t);
    for three in gradient.chunks(3) {
        assert!(three[0].is_nan() && three[1].is_nan());
        assert_eq!(three[2], f64::INFINITY);
    }
}

#[test]
fn constants_may_be_given_in_pieces() {
    for in_order in [true, false] {
        let tape = Tape::new();
        let values: Vec<f64> = (0..10).map(f64::from).collect();
        let (x, y) = recorded(&tape, Op::LinearCombination, &values, in_order);
        let constants = constants(Op::LinearCombination);
        let pieces = [&constants[..3], &constants[3..7], &constants[7..]];
        let again = Var::nary(
            Op::LinearCombination,
            &[&x[..4], &x[4..7], &x[7..]],
            &pieces,
        );
        let all = |y: Var<'_>| (y.value(), y.backward().wrt_all(&x));
        assert_eq!(all(again), all(y));
    }
}

#[test]
#[should_panic(expected = "two tapes")]
fn numbers_that_follow_one_another_on_two_tapes_are_no_range() {
    let (tape, other) = (Tape::new(), Tape::new());
    let (x, y) = (tape.vars(&[0.5; 5]), other.vars(&[0.5; 10]));
    let _ = Var::sum(&[&x[..], &y[5..]].concat());
}
