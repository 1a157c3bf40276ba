//! An operation of any arity on a slice of numbers of any type.

use chainrule::{Op, Real};

/// Constants of the operation's own on `n` operands, such as the weights of a linear
/// combination and its constant term: those of the golden tables, i − 1.25 and 1.5.
pub fn constants(op: Op, n: usize) -> Vec<f64> {
    let all = (0..n).map(|i| i as f64 - 1.25).chain([1.5]);
    all.take(op.own_constants(n).unwrap_or(0)).collect()
}

/// The operation on these operands.
pub fn apply<T: Real>(op: Op, x: &[T]) -> T {
    apply_with(op, x, &constants(op, x.len()))
}

/// The operation on these operands with other constants of its own: the first of these, as many
/// as it takes. An operation of one or two operands takes the first ones.
pub fn apply_with<T: Real>(op: Op, x: &[T], constants: &[f64]) -> T {
    match op.arity() {
        Some(1) => T::unary(op, x[0]),
        Some(2) => T::binary(op, x[0], x[1]),
        _ => {
            let own = op.own_constants(x.len()).unwrap_or(0);
            T::nary(op, &[x], &[&constants[..own.min(constants.len())]])
        }
    }
}
