//! Are derivatives of every order right where a rule selects, and outside domains? A walk over
//! all rows of the table, at the points where an operand is 0, ±1, equal to the other one, or far
//! outside of where the operation is defined.

use crate::common::{Random, apply, difference, expected};
use chainrule::{Dual, Op, Real, Tape, Var, hessian};

/// The numbers `x`, of which number `i` moves.
fn moved<T: Real>(x: &[T], i: usize) -> Vec<Dual<T>> {
    let tangent = |j: usize| T::from(if i == j { 1.0 } else { -0.0 });
    let dual = |(j, &x): (usize, &T)| Dual::new(x, tangent(j));
    x.iter().enumerate().map(dual).collect()
}

/// The derivative with respect to one operand after another, by nested dual numbers.
fn by_duals(op: Op, x: &[f64], along: &[usize]) -> f64 {
    match *along {
        [] => apply(op, x),
        [i] => apply(op, &moved(x, i)).tangent(),
        [i, j] => apply(op, &moved(&moved(x, i), j)).tangent().tangent(),
        [i, j, k] => {
            let x = moved(&moved(&moved(x, i), j), k);
            apply(op, &x).tangent().tangent().tangent()
        }
        _ => unreachable!("up to the third order"),
    }
}

/// The same by recording the gradient, and the gradient of the gradient.
fn by_graphs(op: Op, x: &[f64], along: &[usize]) -> f64 {
    let tape = Tape::new();
    let inputs = tape.vars(x);
    let first = apply(op, &inputs);
    let last = along
        .iter()
        .fold(first, |f, &i| f.gradient_graph(&[inputs[i]])[0]);
    last.value()
}

/// The same by sweeping forward-mode numbers backwards, for two orders.
fn by_sweep_over_duals(op: Op, x: &[f64], i: usize, j: usize) -> f64 {
    let tape = Tape::new();
    let inputs = tape.vars(x);
    let mut direction = vec![0.0; x.len()];
    direction[i] = 1.0;
    apply(op, &inputs).hvp(&inputs, &direction).1[j]
}

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    a == b || (a - b).abs() <= tolerance * a.abs().max(b.abs()).max(1.0)
}

/// Whether there are slopes, and the rule meets no 0·∞: ln 0 in the slope of a power.
fn is_smooth(op: Op, x: &[f64]) -> bool {
    let slope = |i| by_duals(op, x, &[i]).is_finite();
    (0..x.len()).all(slope) && !(op == Op::Pow && x[0] == 0.0)
}

/// Equal, or neither is finite; where it is not smooth, one of them.
fn agree(op: Op, x: &[f64], a: f64, b: f64) -> bool {
    let either = !a.is_finite() || !b.is_finite();
    let both = !a.is_finite() && !b.is_finite();
    close(a, b, 1e-12) || both || either && !is_smooth(op, x)
}

/// What operands are at special points.
const SPECIAL: [f64; 9] = [-2.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 2.0, 3.0];

/// Calls `claim` with each row at each combination of special operands; of those that take many,
/// at some.
fn walk(claim: impl Fn(Op, &[f64])) {
    let mut random = Random(23);
    for &op in Op::ALL {
        let n = op.samples().len();
        let combinations = SPECIAL.len().pow(n.min(2) as u32);
        for mut at in 0..if n > 2 { 100 } else { combinations } {
            let mut next = || {
                let i = if n > 2 {
                    random.below(SPECIAL.len())
                } else {
                    at % SPECIAL.len()
                };
                at /= SPECIAL.len();
                SPECIAL[i]
            };
            let x: Vec<f64> = (0..n).map(|_| next()).collect();
            claim(op, &x);
        }
    }
}

/// All ways to differentiate `order` times an operation on `n` operands.
fn ways(n: usize, order: usize) -> Vec<Vec<usize>> {
    let longer = |ways: Vec<Vec<usize>>| {
        let with = |way: &Vec<usize>, i| [way.as_slice(), &[i]].concat();
        ways.iter()
            .flat_map(|way| (0..n).map(move |i| with(way, i)))
            .collect()
    };
    (0..order).fold(vec![Vec::new()], |ways, _| longer(ways))
}

#[test]
fn second_derivatives_are_symmetric_and_the_same_by_every_route() {
    walk(|op, x| {
        if op == Op::Contribution && x.contains(&0.0) {
            return; // an adjoint that is absent, or where it becomes so
        }
        for way in ways(x.len(), 2) {
            let (i, j) = (way[0], way[1]);
            let found = by_duals(op, x, &[i, j]);
            for (route, other) in [
                ("the other order", by_duals(op, x, &[j, i])),
                ("a graph of a graph", by_graphs(op, x, &[i, j])),
                ("a sweep over duals", by_sweep_over_duals(op, x, i, j)),
            ] {
                assert!(
                    agree(op, x, found, other),
                    "{op}{x:?} {way:?}: {found}, {route} {other}"
                );
            }
        }
    });
}

#[test]
fn third_derivatives_do_not_depend_on_the_order() {
    walk(|op, x| {
        if x.len() > 3 {
            return;
        }
        for way in ways(x.len(), 3) {
            let found = by_duals(op, x, &way);
            let turned = by_duals(op, x, &[way[1], way[2], way[0]]);
            let recorded = by_graphs(op, x, &way);
            assert!(
                agree(op, x, found, turned),
                "{op}{x:?} {way:?}: {found} {turned}"
            );
            assert!(
                agree(op, x, found, recorded),
                "{op}{x:?} {way:?}: {found} {recorded}"
            );
        }
    });
}

/// Whether the operation, or one of its partials, picks something else nearby.
fn near_a_kink(op: Op, x: &[f64]) -> bool {
    let against = x.get(1).copied().unwrap_or(0.0);
    (op.is_branch() && x[0] == against) || (op == Op::Hypot && x == [0.0, 0.0])
}

#[test]
fn each_derivative_is_the_difference_of_the_one_before() {
    let compared = std::cell::Cell::new(0);
    walk(|op, x| {
        if near_a_kink(op, x) || !is_smooth(op, x) {
            return;
        }
        let most = if x.len() > 3 { 2 } else { 3 };
        for way in (2..=most).flat_map(|order| ways(x.len(), order)) {
            let (&last, before) = way.split_last().unwrap();
            let along = |at: f64| {
                let mut x = x.to_vec();
                x[last] = at;
                by_duals(op, &x, before)
            };
            let expected = difference(along, x[last]);
            if expected.is_finite() {
                let found = by_duals(op, x, &way);
                assert!(
                    close(found, expected, 1e-5),
                    "{op}{x:?} {way:?}: {found} {expected}"
                );
                compared.set(compared.get() + 1);
            }
        }
    });
    assert!(compared.get() > 5_000, "{}", compared.get());
}

#[test]
fn mixed_derivatives_of_pow_and_x_ln_y_are_those_of_the_closed_form() {
    for (a, b) in [
        (2.0_f64, 0.0_f64),
        (0.3, 0.0),
        (1.0, 0.0),
        (2.0, 1.0),
        (5.0, -1.0),
    ] {
        let mixed = a.powf(b - 1.0) * (1.0 + b * a.ln());
        let (aab, abb) = (
            a.powf(b - 2.0) * (2.0 * b - 1.0 + b * (b - 1.0) * a.ln()),
            a.powf(b - 1.0) * a.ln() * (2.0 + b * a.ln()),
        );
        for (way, expected) in [
            (vec![0, 1], mixed),
            (vec![1, 0], mixed),
            (vec![0, 0, 1], aab),
            (vec![0, 1, 0], aab),
            (vec![1, 1, 0], abb),
            (vec![0, 1, 1], abb),
        ] {
            let found = by_duals(Op::Pow, &[a, b], &way);
            assert!(
                close(found, expected, 1e-14),
                "pow({a}, {b}) {way:?}: {found} {expected}"
            );
        }
    }
    for y in [0.5_f64, 2.0, 1e-300, 1e300] {
        for (way, expected) in [([0, 1], y.recip()), ([1, 0], y.recip()), ([1, 1], 0.0)] {
            assert_eq!(by_duals(Op::XLnY, &[0.0, y], &way), expected, "{y} {way:?}");
        }
    }
    assert_eq!(hessian(|x| x[0].pow(x[1]), &[2.0, 0.0])[1][0], 0.5);
    assert_eq!(hessian(|x| x[0].x_ln_y(x[1]), &[0.0, 2.0])[0][1], 0.5);
}

#[test]
fn a_derivative_that_does_not_exist_is_not_a_finite_number() {
    for (op, way) in [
        (Op::Pow, [0, 1]),
        (Op::Pow, [1, 0]),
        (Op::XLnY, [0, 1]),
        (Op::XLnY, [1, 0]),
        (Op::Hypot, [0, 0]),
        (Op::Hypot, [0, 1]),
        (Op::Hypot, [1, 1]),
    ] {
        let found = [
            by_duals(op, &[0.0, 0.0], &way),
            by_graphs(op, &[0.0, 0.0], &way),
            by_sweep_over_duals(op, &[0.0, 0.0], way[0], way[1]),
        ];
        assert!(
            !found.iter().any(|x| x.is_finite()),
            "{op} {way:?}: {found:?}"
        );
    }
}

#[test]
fn a_power_with_a_constant_exponent_is_flat_where_it_is_constant() {
    for x in [-2.0, 0.0, 3.0] {
        let tape = Tape::new();
        let x = tape.var(x);
        let y = x.powi(0);
        let first = y.gradient_graph(&[x])[0];
        assert_eq!((first.value(), first.backward().wrt(x)), (0.0, 0.0));
        assert_eq!(y.hessian(&[x]), [[0.0]]);
    }
}

/// The interval of each operand where an operation has a value: all numbers, or what is written.
fn domain(op: Op) -> Vec<[f64; 2]> {
    let Some(text) = expected::of(op, "domain") else {
        return vec![[f64::NEG_INFINITY, f64::INFINITY]; op.samples().len()];
    };
    let interval = |text: &str| {
        let ends = text.trim_start_matches('[').split_once(", ");
        let (low, high) = ends.unwrap_or_else(|| panic!("{op}: {text:?} is no interval"));
        [low, high].map(|end| end.parse().expect("a number"))
    };
    text.trim_end_matches(']')
        .split("] ")
        .map(interval)
        .collect()
}

/// Whether an operation has a value there.
fn is_inside(op: Op, x: &[f64]) -> bool {
    if op == Op::Pow {
        return x[0] >= 0.0 || x[1].fract() == 0.0;
    }
    let intervals = domain(op);
    assert_eq!(
        intervals.len(),
        x.len(),
        "{op}: an interval for each operand"
    );
    let mut pairs = intervals.iter().zip(x);
    pairs.all(|([low, high], x)| (*low..=*high).contains(x))
}

/// A number of any size and sign.
fn any_size(random: &mut Random) -> f64 {
    let size = 10_f64.powf(random.unit() * 600.0 - 300.0);
    let near = random.unit() * 8.0 - 4.0;
    match random.below(6) {
        0 => size,
        1 => -size,
        2 => near,
        3 => near.round(),
        4 => 1.0 + near * 1e-15,
        _ => -1.0 - near * 1e-15,
    }
}

#[test]
fn outside_a_domain_value_and_every_derivative_are_nan_and_inside_the_value_is_a_number() {
    let mut random = Random(5);
    for &op in Op::ALL {
        let mut outside = 0;
        for _ in 0..2_000 {
            let n = op.samples().len();
            let x: Vec<f64> = (0..n).map(|_| any_size(&mut random)).collect();
            let inside = is_inside(op, &x);
            let value = apply(op, &x);
            // Infinite terms of opposite signs, and 0·∞, have no sum.
            let many = n > 2 || matches!(op, Op::LogAddExp);
            assert!(
                value.is_nan() != inside || (inside && many),
                "{op}{x:?}: {value}"
            );
            if inside || n > 2 {
                continue;
            }
            outside += 1;
            for way in (1..=3).flat_map(|order| ways(n, order)) {
                let found = by_duals(op, &x, &way);
                assert!(found.is_nan(), "{op}{x:?} {way:?}: {found}");
            }
            let tape = Tape::new();
            let inputs = tape.vars(&x);
            let adjoints = apply(op, &inputs).backward().wrt_all(&inputs);
            assert!(
                adjoints.iter().all(|x| x.is_nan()),
                "{op}{x:?}: {adjoints:?}"
            );
        }
        let everywhere = expected::of(op, "domain").is_none() && op != Op::Pow;
        assert!(everywhere || outside > 100, "{op}: {outside}");
    }
}

#[test]
fn acosh_far_below_its_domain_is_nan() {
    for x in [
        -8192.0,
        -1001008.1976074853,
        -1e300,
        f64::NEG_INFINITY,
        -0.0,
        0.999,
    ] {
        assert!(Real::acosh(x).is_nan(), "{x}");
    }
}

/// A graph of all operations that people write, on inputs and a few constants.
fn graph<'t>(seed: u64, inputs: &[Var<'t>]) -> Var<'t> {
    let mut random = Random(seed);
    let mut nodes = inputs.to_vec();
    for _ in 0..8 {
        let op = Op::ALL[random.below(Op::ALL.len())];
        if matches!(op, Op::Contribution | Op::Gate) {
            continue; // a value of 0 is no number to them, but an adjoint's absence
        }
        let operands: Vec<Var<'_>> = (0..op.samples().len())
            .map(|i| match random.below(5) {
                0 if i > 0 => Var::from(SPECIAL[random.below(SPECIAL.len())]),
                _ => nodes[random.below(nodes.len())],
            })
            .collect();
        nodes.push(apply(op, &operands));
    }
    let last: Vec<Var<'_>> = nodes.iter().rev().take(3).copied().collect();
    Var::sum(&last)
}

#[test]
fn hessians_of_random_graphs_are_symmetric_and_the_same_by_every_route() {
    let (mut compared, mut special) = (0, 0);
    for seed in 0..4_000 {
        let mut random = Random(1_000_000 + seed);
        let x = [0; 3].map(|_| SPECIAL[random.below(SPECIAL.len())]);
        let tape = Tape::new();
        let inputs = tape.vars(&x);
        let y = graph(seed, &inputs);
        let all = y.backward();
        let is_finite = |node: chainrule::Node| {
            let node = tape.at(node.id);
            node.value().is_finite() && all.wrt(node).is_finite()
        };
        let finite = tape.nodes().all(is_finite);
        let hessian = y.hessian(&inputs);
        let graphs: Vec<Vec<f64>> = y
            .gradient_graph(&inputs)
            .iter()
            .map(|first| first.backward().wrt_all(&inputs))
            .collect();
        let of_function = tape.function(&inputs, y).hessian(&x).unwrap();
        let size = hessian
            .iter()
            .flatten()
            .fold(1.0, |a: f64, b| a.max(b.abs()));
        for (i, j) in (0..3).flat_map(|i| (0..3).map(move |j| (i, j))) {
            let found = hessian[i][j];
            for (route, other) in [
                ("the other order", hessian[j][i]),
                ("a graph of a graph", graphs[i][j]),
                ("a function", of_function[i][j]),
            ] {
                let near = (found - other).abs() <= 1e-9 * size;
                let either = !(found.is_finite() && other.is_finite());
                assert!(
                    near || either,
                    "{seed} {x:?} {i} {j}: {found}, {route} {other}"
                );
                compared += usize::from(near);
                special += usize::from(finite && either);
            }
        }
    }
    assert!(compared > 70_000 && special < 2_000, "{compared} {special}");
}
