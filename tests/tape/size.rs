//! Does anything recurse, or grow faster than the tape? Chains of 10⁷ nodes and
//! sums of 10⁶ operands on a stack of 256 KiB; and the sizes and thread-safety
//! of the public types.

use crate::common::on_a_small_stack;
use chainrule::{Adjoints, Dual, Error, Node, Op, Tape, Var};

const CHAIN: usize = 10_000_000;

#[test]
fn a_long_chain_is_recorded_swept_replayed_cloned_and_dropped() {
    on_a_small_stack(|| {
        let tape = Tape::new();
        let x = tape.var(1.0);
        let mut y = x;
        while tape.len() <= CHAIN {
            y = y * 0.5 + 1.0;
        }
        let adjoints = y.backward();
        assert_eq!(adjoints.wrt(x), 0.0, "0.5 to the power of half the chain");
        assert_eq!(adjoints.wrt(y), 1.0);
        tape.set(x, 3.0);
        tape.forward();
        assert!((y.value() - 2.0).abs() < 1e-9);
        let copy = tape.clone();
        assert_eq!(copy.len(), tape.len());
        assert_eq!(tape.nodes().map(|node| node.operands.len()).max(), Some(2));
        assert!(format!("{copy:?}").contains("nodes"));
        drop(copy);
    });
}

#[test]
fn second_derivatives_of_a_long_chain_do_not_recurse_either() {
    on_a_small_stack(|| {
        let tape = Tape::new();
        let x = tape.var(0.5);
        let mut y = x;
        while tape.len() <= CHAIN / 10 {
            y = (y * 1.0001).sin() + x;
        }
        assert!(y.hessian(&[x])[0][0].is_finite());
        assert!(y.gradient_graph(&[x])[0].value().is_finite());
    });
}

#[test]
fn wide_nodes_are_one_node() {
    on_a_small_stack(|| {
        let tape = Tape::new();
        let n = 1_000_000;
        let x: Vec<Var<'_>> = (0..n).map(|_| tape.var(1.0)).collect();
        let before = tape.len();
        let outputs = [
            Var::sum(&x),
            Var::product(&x),
            Var::log_sum_exp(&x),
            Var::dot(&x, &x),
            Var::linear_combination(&vec![2.0; n], &x, 1.0),
        ];
        assert_eq!(tape.len(), before + outputs.len());
        let slopes = [1.0, 1.0, 1e-6, 2.0, 2.0];
        for (output, slope) in outputs.into_iter().zip(slopes) {
            let adjoints = output.backward();
            for x in [x[0], x[n / 2], x[n - 1]] {
                // Summing n terms from left to right rounds n times.
                let rounding = n as f64 * f64::EPSILON * slope;
                assert!((adjoints.wrt(x) - slope).abs() <= rounding, "{output:?}");
            }
        }
        tape.set(x[0], 2.0);
        tape.forward();
        assert_eq!(outputs[0].value(), 1_000_001.0);
    });
}

/// Quadratic behaviour would be 10¹⁰ steps here.
#[test]
fn looking_at_every_operand_of_a_wide_node_is_linear() {
    let tape = Tape::new();
    let x: Vec<Var<'_>> = (0..100_000).map(|i| tape.var(f64::from(i))).collect();
    let y = Var::sum(&x);
    let adjoints = y.backward();
    for &x in &x {
        let seen = adjoints.node(x);
        assert_eq!((seen.adjoint, seen.consumers.len()), (1.0, 1));
    }
}

/// Quadratic behaviour would be 10¹⁰ steps here too.
#[test]
fn naming_and_looking_up_many_nodes_is_linear() {
    let tape = Tape::new();
    for i in 0..100_000 {
        tape.var(f64::from(i)).named(&format!("x{i}"));
    }
    for i in 0..100_000 {
        assert_eq!(tape.lookup(&format!("x{i}")).unwrap().value(), f64::from(i));
    }
}

#[test]
fn the_limit_of_a_tape_is_an_error_and_no_wrap() {
    let tape = Tape::with_limit(3);
    let x = tape.var(1.0);
    let _ = x + x + x;
    assert_eq!(
        tape.try_var(2.0).unwrap_err(),
        Error::Capacity {
            what: "nodes",
            limit: 3
        }
    );
    assert_eq!(tape.len(), 3);
}

#[test]
fn handles_are_three_words() {
    assert_eq!(size_of::<Var<'_>>(), 24);
    assert_eq!(size_of::<Op>(), 1);
    assert_eq!(size_of::<Dual<f64>>(), 16);
}

/// `SEND` and `SYNC` are those of the type; for others the trait's `false` is
/// found, because an inherent constant comes first.
trait Fallback {
    const SEND: bool = false;
    const SYNC: bool = false;
}
impl<T> Fallback for T {}

struct Is<T>(std::marker::PhantomData<T>);
impl<T: Send> Is<T> {
    const SEND: bool = true;
}
impl<T: Sync> Is<T> {
    const SYNC: bool = true;
}

#[test]
fn threads_may_share_what_is_documented_and_nothing_else() {
    const { assert!(Is::<Tape>::SEND && !Is::<Tape>::SYNC) };
    const { assert!(!Is::<Var<'_>>::SEND && !Is::<Var<'_>>::SYNC) };
    const { assert!(!Is::<Adjoints<'_>>::SEND && !Is::<Adjoints<'_>>::SYNC) };
    const { assert!(Is::<Error>::SEND && Is::<Error>::SYNC) };
    const { assert!(Is::<Op>::SEND && Is::<Op>::SYNC) };
    const { assert!(Is::<Node>::SEND && Is::<Node>::SYNC) };
    const { assert!(Is::<Dual<f64>>::SEND && Is::<Dual<f64>>::SYNC) };
}
