//! How terms are written, before anyone knows in what language: the print forms
//! of the table, and what it says of the few operations that mathematics writes in a way
//! of its own. `text.rs`, `latex.rs` and `mathml.rs` spell it out.
//!
//! A layout is a tree, and small: `lets.rs` cuts expressions before it is made.

use super::Term;
use crate::ops::{Notation, Op, Written};
use smallvec::SmallVec;
use std::collections::HashMap;
use std::f64::consts::{E, FRAC_2_SQRT_PI, LN_2, LN_10, LOG2_E, LOG10_E, PI};
use std::sync::Arc;

/// Of more operands than this, only the first ones and the last are written.
const OPERANDS: usize = 60;
const FIRST: usize = 40;

/// What is written, as a tree.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Layout {
    /// A number that is not negative, or NaN.
    Number(f64),
    Symbol(Arc<str>),
    /// A constant with a name of its own: e, π.
    Constant(&'static str),
    Neg(Box<Layout>),
    /// Addends; one that is a `Neg` is subtracted.
    Sum(Vec<Layout>),
    Product(Vec<Layout>),
    Quotient(Box<Layout>, Box<Layout>),
    Power(Box<Layout>, Box<Layout>),
    /// The square root or another.
    Root(u8, Box<Layout>),
    Magnitude(Box<Layout>),
    Call(&'static str, Vec<Layout>),
    /// The first where the second is so related to the third, else the fourth.
    Choice(&'static str, Box<[Layout; 4]>),
    /// So many more operands, which are left out.
    More(usize),
}

/// How strongly sums, products, powers and roots bind, as in `Notation`; what
/// binds most strongly is an atom. A sign binds like a sum: it stands before a
/// product without parentheses, and within one in them.
pub(super) const SUM: u8 = 1;
pub(super) const PRODUCT: u8 = 2;
pub(super) const POWER: u8 = 4;
pub(super) const ROOT: u8 = 8;
pub(super) const ATOM: u8 = 9;

impl Layout {
    pub(super) fn binding(&self) -> u8 {
        match self {
            Self::Neg(_) | Self::Sum(_) => SUM,
            Self::Product(_) | Self::Quotient(..) => PRODUCT,
            Self::Power(..) => POWER,
            Self::Root(..) => ROOT,
            Self::Call(name, _) if name.contains(' ') => PRODUCT,
            _ => ATOM,
        }
    }

    /// The number it is, if it is a whole one that can be raised: x³.
    pub(super) fn small_whole(&self) -> Option<u32> {
        match self {
            Self::Number(n) if n.fract() == 0.0 && *n < 1000.0 => Some(*n as u32),
            _ => None,
        }
    }

    /// A number; a constant that has a name by its name.
    pub(super) fn number(value: f64) -> Self {
        let call = |name, x| Self::Call(name, vec![x]);
        if value.is_sign_negative() && !value.is_nan() {
            return negated(Self::number(-value));
        }
        match value {
            PI => Self::Constant("π"),
            E => Self::Constant("e"),
            LN_2 => call("ln", Self::Number(2.0)),
            LN_10 => call("ln", Self::Number(10.0)),
            LOG2_E => call("log2", Self::Constant("e")),
            LOG10_E => call("log10", Self::Constant("e")),
            FRAC_2_SQRT_PI => quotient(
                Self::Number(2.0),
                Self::Root(2, Box::new(Self::Constant("π"))),
            ),
            _ => Self::Number(value.abs()),
        }
    }
}

fn negated(x: Layout) -> Layout {
    Layout::Neg(Box::new(x))
}

/// A sum, with sums among its addends spliced in.
fn sum(addends: impl IntoIterator<Item = Layout>) -> Layout {
    let mut all = Vec::new();
    for addend in addends {
        match addend {
            Layout::Sum(inner) => all.extend(inner),
            other => all.push(other),
        }
    }
    Layout::Sum(all)
}

/// A product, with products among its factors spliced in; the sign of a number
/// in front stands before all.
fn product(factors: impl IntoIterator<Item = Layout>) -> Layout {
    let mut all = Vec::new();
    let mut negative = false;
    for factor in factors {
        match factor {
            Layout::Product(inner) => all.extend(inner),
            Layout::Neg(inner) if all.is_empty() && matches!(*inner, Layout::Number(_)) => {
                negative = true;
                all.push(*inner);
            }
            other => all.push(other),
        }
    }
    let product = Layout::Product(all);
    if negative { negated(product) } else { product }
}

fn quotient(above: Layout, below: Layout) -> Layout {
    match above {
        Layout::Neg(inner) if matches!(*inner, Layout::Number(_)) => {
            negated(Layout::Quotient(inner, Box::new(below)))
        }
        above => Layout::Quotient(Box::new(above), Box::new(below)),
    }
}

fn power(base: Layout, exponent: Layout) -> Layout {
    Layout::Power(Box::new(base), Box::new(exponent))
}

/// Lays out a term, where those that are `bound` are symbols.
pub(super) fn layout(terms: &[Term], index: u32, bound: &HashMap<u32, Arc<str>>) -> Layout {
    match &terms[index as usize] {
        Term::Number(number) => Layout::number(number.value()),
        Term::Symbol(symbol) => Layout::Symbol(symbol.name.clone()),
        Term::Apply(op, operands) => {
            let more = operands.len().saturating_sub(FIRST + 1);
            let mut x: SmallVec<[Layout; 2]> = SmallVec::new();
            for (i, operand) in operands.iter().enumerate() {
                if operands.len() > OPERANDS && (FIRST..operands.len() - 1).contains(&i) {
                    if i == FIRST {
                        x.push(Layout::More(more));
                    }
                    continue;
                }
                x.push(match bound.get(operand) {
                    Some(name) => Layout::Symbol(name.clone()),
                    None => layout(terms, *operand, bound),
                });
            }
            operation(*op, x.into_vec())
        }
    }
}

/// Lays out an operation: as the table says that mathematics writes it, else by its print form.
fn operation(op: Op, x: Vec<Layout>) -> Layout {
    match op.written() {
        Some(Written::Choice(relation)) => choice(relation, x),
        Some(Written::AgainstZero(name)) if x[1] == Layout::Number(0.0) => {
            Layout::Call(name, x.into_iter().take(1).collect())
        }
        None | Some(Written::AgainstZero(_)) => by_notation(op, x),
        Some(written) => laid_out(&written, &mut x.into_iter().map(Some).collect::<Vec<_>>()),
    }
}

/// The same where the operands are taken one by one.
fn laid_out(written: &Written, x: &mut [Option<Layout>]) -> Layout {
    let mut all =
        |parts: &[Written]| -> Vec<Layout> { parts.iter().map(|part| laid_out(part, x)).collect() };
    match written {
        Written::Operand(i) => x[*i].take().expect("it stands there once"),
        Written::Number(number) => Layout::Number(*number),
        Written::Euler => Layout::Constant("e"),
        Written::Negated(part) => negated(laid_out(part, x)),
        Written::Added(parts) => sum(all(parts)),
        Written::Multiplied(parts) => product(all(parts)),
        Written::Over(above, below) => quotient(laid_out(above, x), laid_out(below, x)),
        Written::Raised(base, exponent) => power(laid_out(base, x), laid_out(exponent, x)),
        Written::Root(n, part) => Layout::Root(*n, Box::new(laid_out(part, x))),
        Written::Magnitude(part) => Layout::Magnitude(Box::new(laid_out(part, x))),
        Written::Of(name, part) => Layout::Call(name, vec![laid_out(part, x)]),
        Written::AddedPowers => sum(x.iter_mut().filter_map(Option::take).map(|x| match x {
            Layout::More(n) => Layout::More(n),
            x => power(Layout::Constant("e"), x),
        })),
        Written::Choice(_) | Written::AgainstZero(_) => unreachable!("not within another"),
    }
}

fn choice(relation: &'static str, x: Vec<Layout>) -> Layout {
    match <[Layout; 4]>::try_from(x) {
        Ok([a, b, then, otherwise]) => Layout::Choice(relation, Box::new([then, a, b, otherwise])),
        Err(x) => Layout::Call("select", x),
    }
}

fn by_notation(op: Op, mut x: Vec<Layout>) -> Layout {
    match (op.notation(), x.len()) {
        (Notation::Infix("+", _), _) => sum(x),
        (Notation::Infix("−", _), 2) => {
            let second = x.remove(1);
            sum([x.remove(0), negated(second)])
        }
        (Notation::Infix("·", _), _) => product(x),
        (Notation::Infix("/", _), 2) => {
            let below = x.remove(1);
            quotient(x.remove(0), below)
        }
        (Notation::Infix("^", _), 2) => {
            let exponent = x.remove(1);
            power(x.remove(0), exponent)
        }
        (Notation::Prefix("−", _), 1) => negated(x.remove(0)),
        (Notation::Call(name), _) => Layout::Call(name, x),
        _ => Layout::Call(op.name(), x),
    }
}

/// A name as mathematics sets it: its letter or word, a hat on it, and an index.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Name<'n> {
    pub(super) stem: &'n str,
    pub(super) hat: bool,
    pub(super) index: &'n str,
}

impl<'n> Name<'n> {
    /// `w1`, `w_1` and `x_ij` have an index, `ŷ` and `y_hat` a hat.
    pub(super) fn of(name: &'n str) -> Self {
        let (stem, index) = match name.split_once('_') {
            Some((stem, index)) if !stem.is_empty() && !index.is_empty() => (stem, index),
            _ => name.split_at(name.trim_end_matches(|c: char| c.is_ascii_digit()).len()),
        };
        let plain = |stem, hat, index| Self { stem, hat, index };
        if index == "hat" {
            return plain(stem, true, "");
        }
        if let Some(hatted) = HATS.iter().find(|(hatted, _)| *hatted == stem) {
            return plain(hatted.1, true, index);
        }
        match stem.strip_suffix('\u{302}') {
            Some(bare) if !bare.is_empty() => plain(bare, true, index),
            _ if stem.is_empty() => plain(name, false, ""),
            _ => plain(stem, false, index),
        }
    }
}

const HATS: [(&str, &str); 6] = [
    ("ŷ", "y"),
    ("â", "a"),
    ("ê", "e"),
    ("ŵ", "w"),
    ("ẑ", "z"),
    ("ĥ", "h"),
];

/// The Greek letter of this name, or the name of this Greek letter.
pub(super) fn greek(word: &str) -> Option<(&'static str, &'static str)> {
    GREEK
        .into_iter()
        .find(|(name, letter)| *name == word || *letter == word)
}

const GREEK: [(&str, &str); 26] = [
    ("alpha", "α"),
    ("beta", "β"),
    ("gamma", "γ"),
    ("delta", "δ"),
    ("epsilon", "ε"),
    ("zeta", "ζ"),
    ("eta", "η"),
    ("theta", "θ"),
    ("kappa", "κ"),
    ("lambda", "λ"),
    ("mu", "μ"),
    ("nu", "ν"),
    ("xi", "ξ"),
    ("pi", "π"),
    ("rho", "ρ"),
    ("sigma", "σ"),
    ("tau", "τ"),
    ("phi", "φ"),
    ("chi", "χ"),
    ("psi", "ψ"),
    ("omega", "ω"),
    ("Delta", "Δ"),
    ("Sigma", "Σ"),
    ("Phi", "Φ"),
    ("Psi", "Ψ"),
    ("Omega", "Ω"),
];

/// A sum of which a writer writes each addend, in parentheses where it binds less.
pub(super) fn written_sum(
    addends: &[Layout],
    minus: &str,
    within: impl Fn(&Layout, u8) -> String,
) -> String {
    let mut text = String::new();
    for (i, addend) in addends.iter().enumerate() {
        match addend {
            _ if i == 0 => text += &within(addend, SUM),
            Layout::Neg(x) => text += &format!(" {minus} {}", within(x, PRODUCT)),
            _ => text += &format!(" + {}", within(addend, PRODUCT)),
        }
    }
    text
}
