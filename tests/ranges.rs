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
const WEIGHTS: [f64; 5] = [-2.0, 0.0, -0.0, 0.3, 0.7];

fn constants(op: Op) -> &'static [f64] {
    match op {
        Op::LinearCombination => &WEIGHTS,
        _ => &[],
    }
}

/// The operation on four inputs that lie one after another, or last ones first.
fn apply<'t>(tape: &'t Tape, op: Op, values: [f64; 4], in_order: bool) -> ([Var<'t>; 4], Var<'t>) {
    let mut x = [0, 1, 2, 3].map(|i| tape.var(values[if in_order { i } else { 3 - i }]));
    if !in_order {
        x.reverse();
    }
    (x, Var::nary(op, &[&x], &[constants(op)]))
}

/// Every number that the two ways can be told apart by.
fn all_of(op: Op, values: [f64; 4], in_order: bool) -> Vec<u64> {
    let tape = Tape::new();
    let (x, y) = apply(&tape, op, values, in_order);
    let z = y * 3.0 + x[3];
    let mut numbers = vec![y.value()];
    numbers.extend(z.backward().wrt_all(&x));
    numbers.extend(y.backward().wrt_all(&x));
    numbers.extend(z.gradient_graph(&x).iter().map(|x| x.value()));
    numbers.extend(z.hvp(&x, &[1.0, -2.0, 0.5, 0.0]).1);

    let f = tape.function(&x, z);
    let mut gradient = vec![0.0; 4];
    let value = f.value_and_gradient_into(&values, &mut gradient, &mut Workspace::new());
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
        for values in VALUES {
            let (range, list) = (all_of(op, values, true), all_of(op, values, false));
            assert_eq!(range, list, "{op} {values:?}");
        }
    }
}

#[test]
fn a_range_has_the_operands_it_was_made_of() {
    let tape = Tape::new();
    let first = tape.var(1.0);
    let x = tape.vars(&[2.0, 3.0, 4.0]);
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
    // Not quite a range: twice the same, from the last on, and with a constant.
    for operands in [
        vec![first, first],
        vec![x[2], x[1]],
        vec![x[0], Var::from(3.0)],
    ] {
        let sum: f64 = operands.iter().map(|x| x.value()).sum();
        let y = Var::sum(&operands);
        assert_eq!(y.value(), sum);
        assert_eq!(tape.node(y.id().unwrap()).operands.len(), 2);
    }
}

#[test]
fn the_node_before_may_be_the_last_of_a_range() {
    let tape = Tape::new();
    let x = tape.var(0.5);
    let (a, b) = (x * 2.0, x * 3.0);
    let y = Var::dot(&[x, a], &[b, b]);
    let z = Var::sum(&[x, a, b]);
    let grad = (y + z).backward();
    // y = x·3x + 2x·3x and z = 6x
    assert_eq!((grad.wrt(x), grad.wrt(b)), (15.0, 2.5));
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
        let x = r.inputs(&[0.5, 1.5, 2.5]);
        Real::log_sum_exp(&x)
    });
    let duals = [(0.5, 1.0), (1.5, 0.0), (2.5, -1.0)].map(|(x, t)| Dual::new(x, t));
    let (value, tangent) = f.jvp(&[0.5, 1.5, 2.5], &[1.0, 0.0, -1.0]).unwrap();
    let expected = Dual::log_sum_exp(&duals);
    assert_eq!(
        (value[0], tangent[0]),
        (expected.value(), expected.tangent())
    );
}

#[test]
fn a_computed_zero_that_a_range_receives_is_not_absent() {
    let tape = Tape::new();
    let t = tape.vars(&[0.0; 3]);
    let roots: Vec<Var<'_>> = t.iter().map(|t| t.sqrt()).collect();
    let y = Var::linear_combination(&[-0.0, 0.0, 1.0], &roots, 0.0);
    // −0·∞ and 0·∞
    let gradient = y.backward().wrt_all(&t);
    assert!(gradient[0].is_nan() && gradient[1].is_nan());
    assert_eq!(gradient[2], f64::INFINITY);
}
