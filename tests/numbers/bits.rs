//! Are results the same bits in debug and release builds, in any order of
//! recording and of sweeping, and on every platform? The hashes in
//! `tests/golden/operations.txt` were printed once and hold for all of them.

use crate::common::{Random, apply_with, expected};
use chainrule::{Op, Real, Tape, Var};

/// FNV-1a over the bits of numbers.
struct Hash(u64);

impl Hash {
    fn add(&mut self, x: f64) {
        // Which NaN it is, IEEE leaves open.
        let bits = if x.is_nan() { 0 } else { x.to_bits() };
        for byte in bits.to_le_bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

/// Equal weights and a constant term, for operations that have any.
fn apply<'t>(op: Op, x: &[Var<'t>]) -> Var<'t> {
    apply_with(op, x, &[vec![0.7; x.len()], vec![0.1]].concat())
}

/// Value, gradient and second derivatives of an operation at many points; the value of a unary
/// one at many more.
fn hash(op: Op) -> u64 {
    let mut hash = Hash(0xcbf2_9ce4_8422_2325);
    let mut random = Random(3);
    if op.arity() == Some(1) {
        let (low, high) = op.samples()[0];
        for _ in 0..5_000 {
            hash.add(f64::unary(op, random.between(low, high)));
        }
    }
    for _ in 0..200 {
        let samples = op.samples().iter();
        let x: Vec<f64> = samples.map(|s| random.between(s.0, s.1)).collect();
        let tape = Tape::new();
        let vars = tape.vars(&x);
        let y = apply(op, &vars);
        hash.add(y.value());
        let gradient = y.backward().wrt_all(&vars).into_iter();
        gradient.for_each(|g| hash.add(g));
        let hessian = y.hessian(&vars).into_iter().flatten();
        hessian.for_each(|h| hash.add(h));
    }
    hash.0
}

#[test]
fn the_results_of_each_operation_are_these_bits() {
    expected::hold(&[("bits", &|op| format!("{:016x}", hash(op)))]);
}

#[test]
fn kernels_give_the_bits_of_their_scalar_selves_in_a_loop_that_vectorises() {
    let mut random = Random(9);
    let x: Vec<f64> = (0..1001).map(|_| 80.0 * random.unit() - 40.0).collect();
    let each = |f: fn(f64) -> f64| {
        let looped: Vec<u64> = x.iter().map(|&x| f(x).to_bits()).collect();
        let alone: Vec<u64> = x
            .iter()
            .map(|x| std::hint::black_box(f)(*x).to_bits())
            .collect();
        assert_eq!(looped, alone);
    };
    each(Real::exp);
    each(Real::tanh);
    each(Real::sigmoid);
    each(Real::softplus);
    each(Real::sin);
    each(Real::ln_1p);
}

#[test]
fn the_order_of_independent_nodes_does_not_matter() {
    let x = [0.3, -1.2, 2.5];
    let gradient = |order: [usize; 3]| {
        let tape = Tape::new();
        let vars = tape.vars(&x);
        let mut parts = [Var::from(0.0); 3];
        for i in order {
            parts[i] = (vars[i].sin() * vars[(i + 1) % 3]).exp();
        }
        let output = parts[0] * parts[1] - parts[2];
        let found = output.backward().wrt_all(&vars);
        (
            output.value().to_bits(),
            found.into_iter().map(f64::to_bits).collect::<Vec<_>>(),
        )
    };
    for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        assert_eq!(gradient(order), gradient([0, 1, 2]), "{order:?}");
    }
}
