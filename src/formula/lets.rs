//! What is written out in one line, and what is bound to a name first.
//!
//! Written out, an expression of a deep tape grows without bound, since what is
//! shared is written again each time. So a large one is written as bindings,
//! each of them short; and of very many bindings only the last are shown.

use super::layout::layout;
use super::sheet::Sheet;
use super::{Formula, Term};
use std::collections::HashMap;
use std::sync::Arc;

/// Written out, an expression may have so many symbols, numbers and operations,
const SIZE: u32 = 600;
/// and lie in each other so many deep.
const DEPTH: u32 = 48;
/// A binding may be so large,
const BOUND_SIZE: u32 = 120;
/// and so deep.
const BOUND_DEPTH: u32 = 16;
/// Of more bindings than this, the last are shown.
const BINDINGS: usize = 60;

/// A formula as it is written without being asked for bindings.
pub(super) fn plain(formula: &Formula) -> Sheet {
    sheet(formula, false)
}

/// The same with all that occurs more than once bound to names.
pub(super) fn shared(formula: &Formula) -> Sheet {
    sheet(formula, true)
}

fn sheet(formula: &Formula, share: bool) -> Sheet {
    let terms = formula.expression();
    let bound = if share || is_large(terms) {
        bound(terms)
    } else {
        Vec::new()
    };
    let letter = free_letter(formula);
    let names: HashMap<u32, Arc<str>> = (1..)
        .zip(&bound)
        .map(|(i, &index)| (index, format!("{letter}{i}").into()))
        .collect();
    let cut = bound.len().saturating_sub(BINDINGS);
    Sheet {
        cut,
        bindings: bound[cut..]
            .iter()
            .map(|index| (names[index].clone(), layout(terms, *index, &names)))
            .collect(),
        body: layout(terms, formula.root, &names),
    }
}

/// How large a term is when it is written out, and how deep, if its operands are
/// as large and deep as this.
fn extent(term: &Term, extents: &[(u32, u32)]) -> (u32, u32) {
    let mut all = (1_u32, 1_u32);
    for &operand in term.operands() {
        let (size, depth) = extents[operand as usize];
        all = (all.0.saturating_add(size), all.1.max(depth + 1));
    }
    all
}

/// Whether an expression is too large to be written out.
fn is_large(terms: &[Term]) -> bool {
    let mut extents = Vec::with_capacity(terms.len());
    for term in terms {
        let (size, depth) = extent(term, &extents);
        if size > SIZE || depth > DEPTH {
            return true;
        }
        extents.push((size, depth));
    }
    false
}

/// The terms to bind, in order: what occurs more than once, and pieces of what
/// would be large.
fn bound(terms: &[Term]) -> Vec<u32> {
    let mut uses = vec![0_u32; terms.len()];
    for term in terms {
        for &operand in term.operands() {
            uses[operand as usize] += 1;
        }
    }
    let root = terms.len() - 1;
    let mut bound = Vec::new();
    let mut extents = Vec::with_capacity(terms.len());
    for (index, term) in terms.iter().enumerate() {
        let (mut size, mut depth) = extent(term, &extents);
        let large = size > BOUND_SIZE || depth > BOUND_DEPTH;
        let compound = !term.operands().is_empty();
        if index != root && compound && (large || uses[index] > 1) {
            bound.push(index as u32);
            (size, depth) = (1, 1);
        }
        extents.push((size, depth));
    }
    bound
}

/// A letter that begins no symbol of the formula, so that with a number it is a
/// name that none has.
fn free_letter(formula: &Formula) -> char {
    let taken = |letter: &char| formula.symbols().any(|name| name.starts_with(*letter));
    ['t', 'u', 'q', 'k']
        .into_iter()
        .find(|letter| !taken(letter))
        .unwrap_or('τ')
}
