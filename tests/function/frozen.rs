//! Does a frozen tape give what a fresh one gives, to the bit, and refuse what
//! does not fit it?

use super::rounding;
use crate::common::{Random, apply_with};
use allocation_counter::measure;
use chainrule::{Error, Function, Op, Real, Tape, Var, Workspace};

const INPUTS: usize = 3;

fn point(random: &mut Random) -> Vec<f64> {
    (0..INPUTS).map(|_| random.between(-1.5, 2.5)).collect()
}

/// Some thirty random operations, n-ary and constant operands among them, and factors
/// of 1; if `long`, also such on 300 operands, most of them constants.
fn graph<'t>(seed: u64, x: &[Var<'t>], long: bool) -> Var<'t> {
    let mut random = Random(seed);
    let mut nodes = x.to_vec();
    for _ in 0..30 {
        let op = Op::ALL[random.below(Op::ALL.len())];
        let long = long && matches!(op, Op::Sum | Op::LinearCombination) && random.below(8) == 0;
        let operand = |random: &mut Random| match random.below(if long { 100 } else { 5 }) {
            0 => Var::from([1.0, random.unit()][random.below(2)]),
            5.. => Var::from(random.unit() - 0.5),
            _ => nodes[random.below(nodes.len())],
        };
        let count = op.arity().unwrap_or(if long { 300 } else { 4 });
        let operands: Vec<Var<'t>> = (0..count).map(|_| operand(&mut random)).collect();
        let weights: Vec<f64> = (0..=count).map(|i| 0.5 - i as f64 / 300.0).collect();
        let few = [0.5, -1.0, 2.0, 0.25, 0.1];
        let own = if long { &weights[..] } else { &few };
        let node = apply_with(op, &operands, own);
        if node.id().is_some() && node.value().abs() < 1e6 {
            nodes.push(node);
        }
    }
    nodes[nodes.len() - 1]
}

fn bits(numbers: &[f64]) -> Vec<u64> {
    let canonical = |x: &f64| if x.is_nan() { u64::MAX } else { x.to_bits() };
    numbers.iter().map(canonical).collect()
}

/// The value and gradient of the same recording, replayed on its tape.
fn replayed(tape: &Tape, x: &[Var<'_>], output: Var<'_>, point: &[f64]) -> Vec<f64> {
    x.iter().zip(point).for_each(|(x, &at)| tape.set(*x, at));
    tape.forward();
    let mut numbers = vec![output.value()];
    numbers.extend(output.backward().wrt_all(x));
    numbers
}

#[test]
fn a_function_gives_the_bits_of_the_tape_that_it_was_made_from() {
    for seed in 0..1000 {
        let mut random = Random(seed);
        let tape = Tape::new();
        let x = tape.vars(&point(&mut random));
        let output = graph(seed, &x, true);
        let f = tape.function(&x, output);
        assert!(f.nodes() <= tape.len());
        let (mut workspace, mut gradient) = (Workspace::new(), vec![0.0; INPUTS]);
        for _ in 0..20 {
            let point = point(&mut random);
            let value = f.value_and_gradient_into(&point, &mut gradient, &mut workspace);
            let mut numbers = vec![value.unwrap()];
            numbers.extend(&gradient);
            let expected = replayed(&tape, &x, output, &point);
            assert_eq!(bits(&numbers), bits(&expected), "seed {seed}: {f}");
        }
    }
}

#[test]
fn equal_nodes_are_shared_if_asked_for_and_values_keep_every_bit() {
    let mut saved = 0;
    for seed in 0..300 {
        let mut random = Random(seed);
        let tape = Tape::new();
        let x = tape.vars(&point(&mut random));
        let output = graph(seed, &x, false) * 3.0 + graph(seed, &x, false).sin(); // all of it twice
        let f = tape.freeze(&x).output(output).share_equal_nodes();
        let (f, apart) = (f.function(), tape.function(&x, output));
        saved += apart.nodes() - f.nodes();
        for _ in 0..5 {
            let point = point(&mut random);
            let (value, gradient) = f.value_and_gradient(&point).unwrap();
            let (expected, slopes) = apart.value_and_gradient(&point).unwrap();
            assert_eq!(bits(&[value]), bits(&[expected]), "seed {seed}: {f}");
            replayed(&tape, &x, output, &point);
            for (i, size) in rounding::sizes(&tape, &x, output).into_iter().enumerate() {
                let (a, b) = (gradient[i], slopes[i]);
                // What underflowed on the way has lost digits before it was multiplied again.
                let near = (a - b).abs() <= 1e-14 * size.max(1e-300) || !b.is_finite();
                assert!(near, "seed {seed}: {a} {b} {size}");
            }
        }
    }
    assert!(saved > 1000, "{saved}");
}

#[test]
fn equal_nodes_are_shared_over_rows_too() {
    let tape = Tape::new();
    let (w, x) = (tape.var(0.5), tape.column(0.0));
    let y = (w * x).exp() * 3.0 + (w * x).exp().sin();
    let freeze = tape.freeze(&[w, x]).output(y);
    let (apart, shared) = (
        freeze.clone().function(),
        freeze.share_equal_nodes().function(),
    );
    assert_eq!(shared.nodes(), apart.nodes() - 2);
    let column: Vec<f64> = (0..150).map(|i| f64::from(i) * 0.01 - 0.7).collect();
    let [apart, shared] = [&apart, &shared].map(|f| f.rows(&[&column]).unwrap().values(&[0.8]));
    assert_eq!(shared, apart);
}

#[test]
fn nodes_with_names_retained_ones_and_other_constants_are_not_shared() {
    let nodes = |record: fn(Var<'_>) -> Var<'_>, retained: Option<usize>| {
        let tape = Tape::new();
        let x = tape.var(0.5);
        let both = [record(x), record(x)];
        let freeze = tape.freeze(&[x]).output(both[0] * both[1]);
        let retain = |which: usize| freeze.clone().retain(both[which]);
        let freeze = retained.map_or(freeze.clone(), retain);
        freeze.share_equal_nodes().function().nodes()
    };
    fn weighted(x: Var<'_>) -> Var<'_> {
        Var::linear_combination(&[1.0, 2.0], &[x, x], 0.5)
    }
    assert_eq!(nodes(|x| x.sin(), None), 3);
    assert_eq!(nodes(|x| x.sin(), Some(0)), 4);
    assert_eq!(nodes(|x| x.sin(), Some(1)), 4);
    assert_eq!(nodes(|x| 1.0 + x, None), 3);
    assert_eq!(nodes(weighted, None), 3);
    let tape = Tape::new();
    let x = tape.var(0.5);
    let named = (x.sin().named("u"), x.sin().named("v"));
    let nodes = |output| {
        tape.freeze(&[x])
            .output(output)
            .share_equal_nodes()
            .function()
            .nodes()
    };
    assert_eq!(nodes(named.0 * named.1), 4);
    assert_eq!(nodes(named.0 * x.sin()), 3);
    assert_eq!(nodes((x + 0.0) * (x + -0.0)), 4);
    assert_eq!(nodes((1.0 - x) * (x - 1.0)), 4);
}

/// Sums of weighted terms in every order of writing, some with an operand twice,
/// with a node that something else uses, or with a name in the middle.
fn linear_forms<'t>(seed: u64, x: &[Var<'t>]) -> Var<'t> {
    let mut random = Random(seed);
    let mut nodes = x.to_vec();
    for round in 0..4 {
        let mut sum = nodes[random.below(nodes.len())];
        for _ in 0..1 + random.below(5) {
            let node = nodes[random.below(nodes.len())];
            let weight = [1.0, random.unit() - 0.5][random.below(2)];
            let other = nodes[random.below(nodes.len())];
            sum = match random.below(7) {
                0 => sum + node,
                1 => sum + weight * node,
                2 => weight * node + sum,
                3 => node * weight + node * 0.5,
                4 => sum + node * other,
                5 => other * node + sum,
                _ => sum + node * weight,
            };
            if random.below(6) == 0 {
                nodes.push(sum);
            }
        }
        if random.below(4) == 0 {
            sum = sum.named(&format!("sum {round}"));
        }
        nodes.push(sum.tanh());
    }
    nodes[nodes.len() - 1] * nodes[nodes.len() - 2]
}

#[test]
fn merging_the_terms_of_a_sum_changes_no_bit() {
    let mut saved = 0;
    for seed in 0..1000 {
        let mut random = Random(seed);
        let tape = Tape::new();
        let x = tape.vars(&point(&mut random));
        let output = linear_forms(seed, &x);
        let f = tape.function(&x, output);
        saved += tape.len() - f.nodes();
        for _ in 0..20 {
            let point = point(&mut random);
            let (value, gradient) = f.value_and_gradient(&point).unwrap();
            let mut numbers = vec![value];
            numbers.extend(gradient);
            let expected = replayed(&tape, &x, output, &point);
            assert_eq!(bits(&numbers), bits(&expected), "seed {seed}: {f}");
        }
    }
    assert!(saved > 3000, "{saved}");
}

#[test]
fn a_factor_of_1_is_dropped_where_nothing_else_uses_the_other() {
    let tape = Tape::new();
    let (a, b) = (tape.var(0.3), tape.var(0.6));
    let loss = |y: f64, n: f64| -(y * a.ln() + (1.0 - y) * (1.0 - a).ln()) / n;
    let nodes = |output: Var<'_>| tape.function(&[a, b], output).nodes();
    assert_eq!(nodes(loss(1.0, 1.0)), nodes(loss(0.5, 2.0)) - 2);
    let (named, used) = ((b.ln() * 1.0).named("c"), b.exp());
    let f = tape.freeze(&[a, b]).output(named).retain(named).function();
    assert_eq!(f.to_string().lines().nth(2), Some("c = ln(v1)"));
    assert_eq!(f.retained(&[0.3, 0.6]).unwrap(), [(b.ln().value(), 1.0)]);
    // A node receives the shares of its consumers in their order: one of two stays.
    assert_eq!(
        nodes(used * 1.0 + used.sin()),
        nodes(used * 0.5 + used.sin())
    );
}

#[test]
fn the_terms_of_a_sum_become_one_node() {
    let f = Function::record(|r| {
        let (w, b) = (r.inputs(&[1.0; 3]), r.input("b", 1.0));
        let x = [2.0, 3.0, 4.0];
        w.iter().zip(x).fold(b, |z, (w, x)| z + w * x).sigmoid()
    });
    assert_eq!(f.nodes(), 6);
    assert_eq!(
        f.to_string().lines().nth(4),
        Some("v4 = linear_combination(b, v0, v1, v2) with [1.0, 2.0, 3.0, 4.0, -0.0]")
    );
}

#[test]
fn inputs_come_in_the_order_in_which_long_sums_use_them() {
    let record = |features: usize| {
        Function::record(|r| {
            let (w, b) = (r.inputs(&vec![1.0; features]), r.input("b", 1.0));
            w.iter().fold(b, |z, w| z + w * 2.0).sigmoid()
        })
    };
    let lines = |f: &Function| f.to_string().lines().map(str::to_owned).collect::<Vec<_>>();
    let long = record(9);
    assert_eq!(lines(&long)[..2], ["b = input 9", "v1 = input 0"]);
    assert!(lines(&long)[10].starts_with("v10 = linear_combination(b, v1, v2, v3,"));
    let mut x: Vec<f64> = (0..10).map(f64::from).collect();
    let z = 2.0 * x[..9].iter().sum::<f64>() - 80.0;
    x[9] = -80.0;
    let (value, gradient) = long.value_and_gradient(&x).unwrap();
    assert_eq!(value, Real::sigmoid(z));
    assert_eq!((gradient[0], gradient[9]), (2.0 * gradient[9], gradient[9]));
}

fn pair<T: Real>(x: &[T]) -> [T; 2] {
    [x[0] * x[1].sin() + x[2].powi(3), (x[0] - x[2]).exp() * x[1]]
}

fn pair_function() -> Function {
    let tape = Tape::new();
    let x = tape.vars(&[1.0, 1.0, 1.0]);
    let outputs = pair(&x);
    tape.function_with_outputs(&x, &outputs)
}

#[test]
fn every_derivative_is_that_of_the_closure() {
    let (f, x, v) = (pair_function(), [0.3, 1.2, -0.7], [1.0, -2.0, 0.5]);
    assert_eq!(f.values(&x).unwrap(), pair(&x));
    assert_eq!(
        f.jvp(&x, &v).unwrap(),
        chainrule::jvp(|x| pair(x).to_vec(), &x, &v)
    );
    assert_eq!(
        f.vjp(&x, &[2.0, -1.0]).unwrap(),
        chainrule::vjp(|x| pair(x).to_vec(), &x, &[2.0, -1.0])
    );
    assert_eq!(
        f.jacobian(&x).unwrap(),
        chainrule::jacobian(|x| pair(x).to_vec(), &x)
    );
    let first = Function::record(|r| pair(&r.inputs(&[1.0; 3]))[0]);
    assert_eq!(
        first.hessian(&x).unwrap(),
        chainrule::hessian(|x| pair(x)[0], &x)
    );
    let (gradient, product) = first.hvp(&x, &v).unwrap();
    assert_eq!(gradient, first.gradient(&x).unwrap());
    assert_eq!(product, chainrule::hvp(|x| pair(x)[0], &x, &v));
}

#[test]
fn what_nothing_depends_on_is_dropped_and_what_depends_on_no_input_is_a_constant() {
    let tape = Tape::new();
    let x = tape.var(2.0).named("x");
    let fixed = tape.var(3.0).named("fixed");
    let unused = x.exp().named("unused");
    let y = (fixed.square() + 1.0) * x + Var::sum(&[fixed, x, fixed]);
    let f = tape.function(&[x], y);
    assert_eq!((f.nodes(), f.recorded_nodes()), (4, tape.len()));
    assert_eq!(
        f.to_string(),
        "x = input 0\nv1 = 10·x\nv2 = 3 + x + 3\nv3 = v1 + v2\nreturn v3"
    );
    assert_eq!(f.value(&[5.0]), Ok(61.0));
    assert_eq!(f.gradient(&[5.0]), Ok(vec![11.0]));
    assert!(unused.value() > 7.0);
}

#[test]
fn a_constant_output_has_a_gradient_of_zero() {
    let f = Function::record(|r| {
        r.input("x", 1.0);
        Var::from(4.0)
    });
    assert_eq!(f.value_and_gradient(&[7.0]), Ok((4.0, vec![0.0])));
    assert_eq!(f.hvp(&[7.0], &[1.0]), Ok((vec![0.0], vec![0.0])));
    assert_eq!(f.jvp(&[7.0], &[1.0]), Ok((vec![4.0], vec![0.0])));
}

fn larger_doubled<'t>(a: Var<'t>, b: Var<'t>) -> Var<'t> {
    if a < b { b * 2.0 } else { a * 2.0 }
}

#[test]
fn a_comparison_that_would_come_out_the_other_way_is_an_error_and_names_it() {
    let f = Function::record(|r| larger_doubled(r.input("a", 1.0), r.input("b", 2.0)));
    assert_eq!(f.value(&[3.0, 4.0]), Ok(8.0));
    let (mut gradient, workspace) = ([7.0, 7.0], &mut Workspace::new());
    let error = f.value_and_gradient_into(&[4.0, 3.0], &mut gradient, workspace);
    assert_eq!(gradient, [7.0, 7.0]);
    let Err(Error::OtherBranch {
        comparison,
        recorded: true,
        recorded_operands: (1.0, 2.0),
        operands: (4.0, 3.0),
        ref location,
        row: None,
    }) = error
    else {
        panic!("{error:?}")
    };
    assert_eq!(comparison, "a < b");
    assert!(location.contains(file!()), "{location}");
    assert!(f.jvp(&[4.0, 3.0], &[1.0, 0.0]).is_err());
    assert!(f.hvp(&[4.0, 3.0], &[1.0, 0.0]).is_err());
    assert!(f.jacobian(&[4.0, 3.0]).is_err());
}

#[test]
fn every_kind_of_comparison_is_kept() {
    type Ask = for<'t> fn(Var<'t>) -> bool;
    let kinds: [(Ask, f64, f64); 8] = [
        (|x| x < 1.0, 0.5, 1.0),
        (|x| x <= 1.0, 1.0, 1.5),
        (|x| x > 1.0, 1.5, 1.0),
        (|x| x >= 1.0, 1.0, 0.5),
        (|x| x == 1.0, 1.0, 0.5),
        (|x| x != 1.0, 0.5, 1.0),
        (|x| x.partial_cmp(&1.0).is_some(), 0.5, f64::NAN),
        (|x| Var::from(1.0) < x, 1.5, 1.0),
    ];
    for (i, (ask, recorded, other)) in kinds.into_iter().enumerate() {
        let f = Function::record(|r| {
            let x = r.input("x", recorded);
            assert!(ask(x), "{i}");
            x * 3.0
        });
        assert_eq!(f.value(&[recorded]), Ok(recorded * 3.0), "{i}");
        assert!(
            matches!(f.value(&[other]), Err(Error::OtherBranch { .. })),
            "{i}"
        );
    }
}

#[test]
fn a_selection_follows_both_branches_and_a_value_taken_out_is_not_kept() {
    let f = Function::record(|r| {
        let x = r.input("x", 1.0);
        assert!(x.value() < 2.0);
        x.select_lt(2.0, x * 3.0, x * 5.0)
    });
    assert_eq!(f.value(&[1.0]), Ok(3.0));
    assert_eq!(f.value(&[2.0]), Ok(10.0));
}

#[test]
fn wrong_lengths_are_errors_that_leave_the_buffer_untouched() {
    let f = pair_function();
    let text = |error: Error| error.to_string();
    assert_eq!(
        text(f.values(&[1.0]).unwrap_err()),
        "1 input given, 3 expected"
    );
    assert!(f.value(&[1.0; 3]).is_err(), "two outputs");
    assert!(f.jvp(&[1.0; 3], &[1.0]).is_err());
    assert!(f.vjp(&[1.0; 3], &[1.0]).is_err());
    let f = Function::record(|r| r.inputs(&[1.0, 2.0])[0]);
    let (mut short, mut right) = ([7.0], [7.0, 7.0]);
    let workspace = &mut Workspace::new();
    let into = f.value_and_gradient_into(&[1.0, 2.0], &mut short, workspace);
    assert!(into.is_err() && short == [7.0]);
    let into = f.value_and_gradient_into(&[1.0], &mut right, workspace);
    assert!(into.is_err() && right == [7.0, 7.0]);
}

#[test]
fn inputs_go_by_name_too() {
    let f = Function::record(|r| r.input("a", 1.0) - r.input("b", 1.0));
    let names: Vec<_> = f.input_names().collect();
    assert_eq!(names, [("a", 0), ("b", 1)]);
    assert_eq!(f.point(&[("b", 2.0), ("a", 5.0)]), Ok(vec![5.0, 2.0]));
    for wrong in [
        &[("a", 1.0)][..],
        &[("a", 1.0), ("c", 2.0)],
        &[("a", 1.0), ("a", 2.0)],
    ] {
        assert!(f.point(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn one_function_serves_many_threads_and_outlives_its_tape() {
    fn shared<T: Send + Sync>(_: &T) {}
    let f = pair_function();
    shared(&f);
    let expected = f.jacobian(&[0.1, 0.2, 0.3]).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(f.jacobian(&[0.1, 0.2, 0.3]).unwrap(), expected));
        }
    });
}

#[test]
fn with_a_workspace_nothing_allocates_after_the_first_time() {
    let f = Function::record(|r| pair(&r.inputs(&[1.0; 3]))[1]);
    let (mut workspace, mut gradient) = (Workspace::new(), [0.0; 3]);
    let mut run = |x: f64| {
        f.value_and_gradient_into(&[x, 1.0, 2.0], &mut gradient, &mut workspace)
            .unwrap()
    };
    run(1.0);
    assert_eq!(measure(|| _ = run(2.0)).count_total, 0);
}

#[test]
fn after_set_a_recording_goes_on_from_the_values_of_the_tape() {
    let tape = Tape::new();
    let x = tape.var(2.0);
    let y = x * 3.0;
    tape.set(x, 5.0);
    tape.forward();
    let z = y + x;
    assert_eq!(z.value(), 20.0);
    assert_eq!(tape.function(&[x], z).value(&[1.0]), Ok(4.0));
}
