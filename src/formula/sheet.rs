//! `Sheet`: what all writers are given, and how each of them writes a number.

use super::layout::Layout;
use std::sync::Arc;

/// What is written: bindings, and the expression.
pub(super) struct Sheet {
    /// How many bindings before those here are left out.
    pub(super) cut: usize,
    pub(super) bindings: Vec<(Arc<str>, Layout)>,
    pub(super) body: Layout,
}

/// A number in as few digits as give it back.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 || (1e-5..1e16).contains(&size) {
        format!("{value}")
    } else if value.is_infinite() {
        "∞".to_owned()
    } else {
        format!("{value:?}")
    }
}
