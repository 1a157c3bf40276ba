//! Do tapes and handles behave as documented: names, nodes, clearing, replaying,
//! constants, operators, adjoints of every node?

#![allow(clippy::op_ref, reason = "operators on references are what is tested")]

use chainrule::{Dual, Op, Operand, Real, Tape, Var, derivative};

#[test]
fn nodes_tell_op_operands_constants_value_and_name() {
    let tape = Tape::new();
    let x = tape.var(2.0).named("x");
    let y = (3.0 - x).named("y");
    let s = Var::linear_combination(&[5.0, 7.0], &[x, y], 11.0);
    let m = Var::sum(&[x, Var::from(4.0), y]);
    let nodes: Vec<_> = tape.nodes().collect();
    let id = |var: Var<'_>| var.id().unwrap();
    assert_eq!(nodes.len(), 4);
    assert_eq!(
        (nodes[0].op, nodes[0].value, nodes[0].name.as_deref()),
        (Op::Input, 2.0, Some("x"))
    );
    assert!(nodes[0].operands.is_empty());
    assert_eq!(nodes[1].op, Op::Sub);
    assert_eq!(
        nodes[1].operands[..],
        [Operand::Constant(3.0), Operand::Node(id(x))]
    );
    assert_eq!(
        nodes[2].operands[..],
        [Operand::Node(id(x)), Operand::Node(id(y))]
    );
    assert_eq!(nodes[2].constants[..], [5.0, 7.0, 11.0]);
    assert_eq!((nodes[2].value, s.value()), (28.0, 28.0));
    let expected = [
        Operand::Node(id(x)),
        Operand::Constant(4.0),
        Operand::Node(id(y)),
    ];
    assert_eq!(nodes[3].operands[..], expected);
    assert_eq!(nodes[3], tape.node(id(m)));
    assert_eq!(nodes[3].id.index(), 3);
}

#[test]
fn names_are_found_and_reported_in_the_order_of_naming() {
    let tape = Tape::new();
    let (x, y) = (tape.var(2.0), tape.var(3.0));
    let z = (x * y).named("z");
    y.named("y");
    x.named("x");
    assert_eq!(tape.lookup("y").unwrap().id(), y.id());
    assert_eq!(z.name().as_deref(), Some("z"));
    assert_eq!((x * 1.0).name(), None);
    let by_name: Vec<_> = z.backward().by_name().into_iter().collect();
    let names: Vec<&str> = by_name.iter().map(|(name, _)| &**name).collect();
    let adjoints: Vec<f64> = by_name.iter().map(|(_, adjoint)| *adjoint).collect();
    assert_eq!(
        (names, adjoints),
        (vec!["z", "y", "x"], vec![1.0, 2.0, 3.0])
    );
}

#[test]
fn clearing_forgets_nodes_and_names_and_keeps_the_memory() {
    let mut tape = Tape::with_capacity(100);
    assert!(tape.capacity() >= 100);
    let x = tape.var(1.0).named("x");
    let _ = Var::sum(&[x; 50]);
    assert!(!tape.is_empty());
    assert!(x.tape().is_some_and(|own| std::ptr::eq(own, &tape)));
    assert!(format!("{tape:?}").starts_with("Tape { nodes: 2, capacity: "));
    let capacity = tape.capacity();
    tape.clear();
    assert!(tape.is_empty() && tape.lookup("x").is_err());
    assert!(tape.capacity() >= capacity);
    let x = tape.var(5.0).named("x");
    assert_eq!((x * 2.0).backward().wrt(x), 2.0);
}

#[test]
fn a_leaked_tape_gives_handles_that_live_for_ever() {
    let x: Var<'static> = Tape::leak().var(2.0);
    assert_eq!(x.square().backward().wrt(x), 4.0);
}

#[test]
fn inputs_recorded_together_are_one_after_another() {
    let mut tape = Tape::new();
    for _ in 0..2 {
        // Without room, and then with that of the first time.
        let first = tape.var(1.0);
        let [x, y, z] = tape.var_array([2.0, 3.0, 4.0]);
        let more = tape.vars(&[5.0, 6.0]);
        let all = [first, x, y, z, more[0], more[1]];
        for (i, input) in all.into_iter().enumerate() {
            assert_eq!(input.id().unwrap().index(), i);
            assert_eq!(input.value(), 1.0 + i as f64);
        }
        assert_eq!((x * y * z).backward().wrt(y), 8.0);
        tape.clear();
    }
}

#[test]
fn constants_are_numbers_that_no_tape_knows() {
    let (a, b) = (Var::from(2.0), Var::from(3.0));
    let c = (a * b + 1.0).sin();
    assert_eq!(c.value().to_bits(), Real::sin(7.0).to_bits());
    assert!(c.tape().is_none() && c.id().is_none() && c.name().is_none());
    let tape = Tape::new();
    let x = tape.var(4.0);
    assert_eq!(c.backward().wrt(x), 0.0);
    assert!(c.backward().by_name().is_empty());
    assert_eq!(x.backward().wrt(c), 0.0);
    assert_eq!(derivative(c, a), 0.0);
    assert_eq!(c.gradient_graph(&[x])[0].value(), 0.0);
    assert_eq!(tape.len(), 1);
}

#[test]
fn a_replay_gives_what_recording_afresh_would() {
    fn f<'t>(x: &[Var<'t>]) -> Var<'t> {
        let s = Var::sum(&[x[0], x[1], Var::from(2.0)]);
        (s * x[0] - 1.0 / x[1]).tanh() + Var::log_sum_exp(x) + x[0].select_lt(x[1], x[0], 3.0)
    }
    let tape = Tape::new();
    let x = tape.vars(&[0.5, 2.0]);
    let y = f(&x);
    for point in [[3.0, -1.0], [0.25, 0.5], [1.0, 1.0]] {
        tape.set(x[0], point[0]);
        tape.set(x[1], point[1]);
        tape.forward();
        let other = Tape::new();
        let inputs = other.vars(&point);
        let fresh = f(&inputs);
        assert_eq!(y.value().to_bits(), fresh.value().to_bits());
        let (ours, theirs) = (y.backward().wrt_all(&x), fresh.backward().wrt_all(&inputs));
        assert_eq!(ours, theirs);
    }
}

#[test]
fn a_set_input_keeps_its_consumers_waiting_for_forward() {
    let tape = Tape::new();
    let x = tape.var(1.0);
    let y = x + 1.0;
    tape.set(x, 10.0);
    assert_eq!((x.value(), y.value()), (10.0, 2.0));
    tape.forward();
    assert_eq!(y.value(), 11.0);
}

#[test]
fn operators_take_numbers_and_references_on_either_side() {
    let tape = Tape::new();
    let (x, y) = (tape.var(6.0), tape.var(2.0));
    let values = [
        (x + y, 8.0),
        (x + &y, 8.0),
        (&x + y, 8.0),
        (&x + &y, 8.0),
        (x + 1.0, 7.0),
        (&x + 1.0, 7.0),
        (1.0 + x, 7.0),
        (1.0 + &x, 7.0),
        (x - y, 4.0),
        (x - 1.0, 5.0),
        (1.0 - x, -5.0),
        (&x - &y, 4.0),
        (x * y, 12.0),
        (x * 0.5, 3.0),
        (0.5 * &x, 3.0),
        (&x * &y, 12.0),
        (x / y, 3.0),
        (x / 4.0, 1.5),
        (3.0 / x, 0.5),
        (&x / &y, 3.0),
        (-x, -6.0),
        (-&x, -6.0),
    ];
    for (i, (found, expected)) in values.into_iter().enumerate() {
        assert_eq!(found.value(), expected, "{i}");
    }
    assert_eq!((1.0 - x).backward().wrt(x), -1.0);
    assert_eq!((3.0 / y).backward().wrt(y), -0.75);
}

#[test]
fn assignment_operators_record_too() {
    let tape = Tape::new();
    let (x, w) = (tape.var(6.0), tape.var(2.0));
    let mut y = x;
    y += w;
    y -= 1.0;
    y *= w;
    y /= &w;
    y += x;
    assert_eq!(y.value(), 13.0);
    let grad = y.backward();
    assert_eq!((grad.wrt(x), grad.wrt(w)), (2.0, 1.0));
}

#[test]
fn sums_and_products_of_iterators_are_one_node() {
    let tape = Tape::new();
    let x = tape.vars(&[2.0, 3.0, 4.0]);
    let sum: Var<'_> = x.iter().sum();
    let product: Var<'_> = x.iter().copied().product();
    let mixed: Var<'_> = [1.0, 2.0].into_iter().sum();
    assert_eq!(
        (sum.value(), product.value(), mixed.value()),
        (9.0, 24.0, 3.0)
    );
    assert_eq!(tape.len(), 5);
    assert_eq!(product.backward().wrt_all(&x), [12.0, 8.0, 6.0]);
}

#[test]
fn variables_compare_by_value() {
    let tape = Tape::new();
    let (x, y) = (tape.var(1.0), tape.var(2.0));
    assert!(x < y && y > 1.5 && x == 1.0 && x == tape.var(1.0));
    assert!(x != 1.5 && x != y);
    assert_eq!(y.partial_cmp(&3.0), Some(std::cmp::Ordering::Less));
    let nan = tape.var(f64::NAN);
    assert!(nan != nan && nan.partial_cmp(&x).is_none());
}

#[test]
fn a_partial_is_one_edge_or_the_sum_of_two() {
    let tape = Tape::new();
    let x = tape.var(3.0);
    assert_eq!((x * x).partial(x), 6.0);
    let z = x * 2.0;
    let y = z.sin();
    assert_eq!(y.partial(z), Real::cos(6.0));
    assert_eq!(derivative(y, x), 2.0 * Real::cos(6.0));
    assert_eq!(derivative(x, y), 0.0, "the other way there is no path");
}

/// The design's example: every number of every node.
fn logistic(tape: &Tape) -> [Var<'_>; 5] {
    let w = tape.var(0.4).named("w");
    let z = (w * 1.5 + 0.1).named("z");
    let a = z.sigmoid().named("a");
    let loss = -(1.0 * a.ln() + 0.0 * (1.0 - a).ln());
    [w, z, a, loss, a]
}

#[test]
fn the_view_of_a_node_has_all_that_is_known_of_it() {
    let tape = Tape::new();
    let [_, z, a, loss, _] = logistic(&tape);
    let grad = loss.backward();
    let seen = grad.node(a);
    assert_eq!(seen.node.name.as_deref(), Some("a"));
    assert_eq!((seen.node.op, seen.node.value), (Op::Sigmoid, a.value()));
    assert_eq!((seen.adjoint, seen.seed), (grad.wrt(a), 0.0));
    assert_eq!(seen.partials[..], [(z.id().unwrap(), a.partial(z))]);
    assert_eq!(seen.consumers.len(), 2, "ln a and 1 − a");
    assert_eq!(seen.consumers[0].partial, 1.0 / a.value());
    let root = grad.node(loss);
    assert_eq!(
        (root.seed, root.adjoint, root.consumers.len()),
        (1.0, 1.0, 0)
    );
}

#[test]
fn what_the_consumers_sent_adds_up_to_the_adjoint() {
    let tape = Tape::new();
    let x = tape.vars(&[0.3, 0.7]);
    let p = x[0] * x[1];
    let q = p.exp() + p * p - x[0].max(x[1]);
    let r = Var::sum(&[q, p, x[0], p]);
    let grad = tape.backward_with(&[(r, 1.0), (q, 0.5)], Vec::new());
    for var in [x[0], x[1], p, q, r] {
        let seen = grad.node(var);
        let sent: f64 = seen.consumers.iter().map(|share| share.sent).sum();
        assert!((seen.seed + sent - seen.adjoint).abs() < 1e-14, "{seen:?}");
        for share in &seen.consumers {
            assert_eq!(share.sent, share.adjoint * share.partial, "{share:?}");
        }
    }
    assert_eq!(
        grad.node(p).consumers.len(),
        5,
        "exp, p·p twice, the sum twice"
    );
}

#[test]
fn seeds_weigh_several_outputs_and_the_buffer_is_used_again() {
    let tape = Tape::new();
    let x = tape.var(3.0);
    let (y, z) = (x.square(), x * 5.0);
    let grad = tape.backward_with(
        &[(y, 2.0), (z, -1.0), (y, 1.0), (Var::from(1.0), 9.0)],
        vec![],
    );
    assert_eq!(grad.wrt(x), 13.0);
    assert_eq!(grad.node(y).seed, 3.0);
    let buffer = grad.into_buffer();
    assert_eq!(buffer, [13.0, 3.0, -1.0]);
    let place = buffer.as_ptr();
    let again = tape.backward_with(&[(y, 1.0)], buffer);
    assert_eq!(again.wrt(x), 6.0);
    let buffer = again.into_buffer();
    assert_eq!(buffer.as_ptr(), place);
}

#[test]
fn sweeps_do_not_disturb_each_other() {
    let tape = Tape::new();
    let x = tape.vars(&[0.3, 0.7]);
    let y = (x[0] / x[1]).sin() * x[0];
    let z = y.exp() - x[1];
    let first = (y.backward().wrt_all(&x), z.backward().wrt_all(&x));
    let kept = z.backward();
    let second = (y.backward().wrt_all(&x), z.backward().wrt_all(&x));
    assert_eq!(first, second);
    assert_eq!(kept.wrt_all(&x), first.1);
}

#[test]
fn what_nothing_has_reached_is_a_positive_zero_and_sends_nothing() {
    let tape = Tape::new();
    let x = tape.var(0.0).named("x");
    let unused = x.sqrt().named("unused");
    let picked = x.ln().max(2.0);
    let output = picked + x * 0.0;
    let grad = output.backward();
    let seen = grad.node(x);
    assert_eq!(seen.partials.len(), 0);
    assert!(seen.consumers[0].partial.is_infinite());
    let sent: Vec<f64> = seen.consumers.iter().map(|share| share.sent).collect();
    assert_eq!(
        sent,
        [0.0, 0.0, 0.0],
        "sqrt is not used, ln not picked, the last is ·0"
    );
    assert_eq!(grad.node(picked).adjoint, 1.0);
    let zeros = [
        grad.node(unused).adjoint,
        grad.node(unused).seed,
        grad.by_name()["unused"],
        grad.wrt(unused),
        seen.consumers[0].adjoint,
    ];
    assert!(
        zeros
            .iter()
            .all(|zero| *zero == 0.0 && zero.is_sign_positive()),
        "{zeros:?}"
    );
}

#[test]
fn a_node_recorded_after_the_sweep_has_adjoint_zero() {
    let tape = Tape::new();
    let x = tape.var(2.0);
    let grad = x.square().backward();
    let later = x * 2.0;
    assert_eq!((grad.wrt(later), grad[later], grad[x]), (0.0, 0.0, 4.0));
    assert_eq!(grad.node(later).adjoint, 0.0);
}

fn generic<T: Real>(x: &[T]) -> T {
    let mut sum = T::from(0.5);
    for &x in x {
        sum += x.sin() * 2.0 - x / 3.0;
        sum *= T::from(1.0) - x.max(0.25);
    }
    sum.powi(2) + x.iter().copied().sum::<T>() + T::dot(x, x)
}

#[test]
fn one_generic_function_runs_on_every_number_type() {
    let x = [0.3, -0.8, 1.5];
    let tape = Tape::new();
    let vars = tape.vars(&x);
    let recorded = generic(&vars);
    let value = generic(&x);
    assert_eq!(recorded.value().to_bits(), value.to_bits());
    let gradient = recorded.backward().wrt_all(&vars);
    for (i, expected) in gradient.iter().enumerate() {
        let dual = |(j, &x): (usize, &f64)| {
            if i == j {
                Dual::new(x, 1.0)
            } else {
                Dual::from(x)
            }
        };
        let duals: Vec<_> = x.iter().enumerate().map(dual).collect();
        let found = generic(&duals);
        assert_eq!(found.primal(), value);
        assert!((found.tangent() - expected).abs() < 1e-14);
    }
}

#[test]
fn handles_and_dual_numbers_print_as_numbers() {
    let tape = Tape::new();
    let x = tape.var(0.5).named("x");
    assert_eq!(format!("{x:.2}"), "0.50");
    assert_eq!(format!("{x:?}"), "node 0 (x = 0.5)");
    assert_eq!(format!("{:?}", Var::from(2.0)), "the constant 2");
    assert_eq!(Dual::new(1.0, 2.5).to_string(), "1 + 2.5·ε");
    assert_eq!(x.id().unwrap().to_string(), "0");
    assert_eq!(format!("{:?}", x.backward()), "Adjoints {\"x\": 1.0}");
}

#[test]
fn operands_of_an_n_ary_node_may_lie_in_many_slices() {
    let tape = Tape::new();
    let x = tape.vars(&[1.0, 2.0, 4.0]);
    let parts: [&[Var<'_>]; 4] = [&x[..1], &[], &x[1..], &[x[0], Var::from(0.5)]];
    let sum = Var::nary(Op::Sum, &parts, &[]);
    assert_eq!(sum.value(), 8.5);
    assert_eq!(sum.backward().wrt_all(&x), [2.0, 1.0, 1.0]);
}

#[test]
fn a_position_gives_back_the_handle() {
    let tape = Tape::new();
    let x = tape.var(2.0);
    let y = x.exp();
    let again = tape.at(y.id().unwrap());
    assert_eq!((again.id(), again.value()), (y.id(), y.value()));
    assert_eq!((again * 2.0).backward().wrt(x), 2.0 * y.value());
}
