//! `Formula`: a node of a tape as mathematics.
//!
//! A formula is a flat list of terms, each made of terms before it, so that
//! shared subexpressions are shared and no pass recurses. `build.rs` reads it
//! off a tape, `layout.rs` says how operations are written and `lets.rs` what is
//! bound to names first, which makes a `sheet.rs`; `text.rs`, `latex.rs` and
//! `mathml.rs` write it, called by `written.rs`; and `simplify.rs` with what it uses
//! turns them into what a person would write.
//!
//! There is no rule of differentiation here: a gradient is the tape's own sweep,
//! read with `Var`.

mod algebra;
mod build;
mod equations;
mod exact;
mod expand;
mod identities;
mod latex;
mod layout;
mod lets;
mod mathml;
mod present;
mod sheet;
mod simplify;
mod text;
mod written;

use crate::error::Error;
use crate::ops::{Op, Real};
use indexmap::IndexSet;
use smallvec::SmallVec;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::ops::Index;
use std::sync::Arc;

pub use written::WithLets;

/// A mathematical expression: a node of a tape, or the derivative of one.
///
/// It owns what it is made of and outlives its tape. [`Display`](std::fmt::Display)
/// writes plain text, [`latex`](Self::latex) and [`mathml`](Self::mathml) what
/// their names say.
///
/// ```
/// let tape = chainrule::Tape::new();
/// let y = tape.var(1.0).named("y");
/// let z = tape.var(0.3).named("z");
/// let a = z.sigmoid().named("a");
/// let loss = -(y * a.ln() + (1.0 - y) * (1.0 - a).ln());
///
/// assert_eq!(loss.formula().to_string(), "−(y·ln(a) + (1 − y)·ln(1 − a))");
/// let gradient = &loss.gradient_formulas(&[z])[0];
/// assert_eq!(gradient.simplify().to_string(), "a − y");
/// ```
///
/// Besides the expression a formula knows what the named symbols in it stand
/// for, here a = σ(z), as far as that is short: [`simplify`](Self::simplify) and
/// [`evaluate`](Self::evaluate) use it. Two formulas are equal if their
/// expressions are, whatever they know of their symbols.
///
/// # Size
/// Shared terms are stored once. The writers write an expression that is small
/// when written out as one line. In a larger one they bind what occurs more than
/// once, or lies deep, to `t1`, `t2` …, and of those they show the last 60; of a
/// sum or product of many operands the first 40 and the last. What is left out
/// is said in its place.
#[derive(Clone, Debug)]
pub struct Formula {
    /// Operands before what is made of them. The expression comes first, in the
    /// order of a walk from its root, then what else the definitions need.
    terms: Vec<Term>,
    root: u32,
    definitions: Vec<Definition>,
}

/// One term of a formula.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Term {
    Number(Bits),
    Symbol(Symbol),
    Apply(Op, SmallVec<[u32; 2]>),
}

/// A number, equal where it is the same number: 0 and −0 are two, NaN is itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Bits(u64);

impl Bits {
    fn of(value: f64) -> Self {
        Self(value.to_bits())
    }

    fn value(self) -> f64 {
        f64::from_bits(self.0)
    }
}

/// The name of a node, and its place in the order of declaration.
#[derive(Clone, Debug)]
struct Symbol {
    name: Arc<str>,
    order: u32,
}

impl PartialEq for Symbol {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Symbol {}

impl Hash for Symbol {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

/// What a symbol stands for.
#[derive(Clone, Debug)]
struct Definition {
    symbol: Symbol,
    body: u32,
}

/// The terms of a formula while it is made: equal ones are one.
type TermTable = IndexSet<Term>;

fn put(terms: &mut TermTable, term: Term) -> u32 {
    terms.insert_full(term).0 as u32
}

fn put_number(terms: &mut TermTable, value: f64) -> u32 {
    put(terms, Term::Number(Bits::of(value)))
}

fn put_apply(terms: &mut TermTable, op: Op, operands: &[u32]) -> u32 {
    put(terms, Term::Apply(op, operands.into()))
}

impl Term {
    fn operands(&self) -> &[u32] {
        match self {
            Self::Apply(_, operands) => operands,
            _ => &[],
        }
    }
}

impl Formula {
    /// Keeps of `terms` what the root and the definitions need, in the order of
    /// a walk, so that equal expressions are equal lists.
    fn new(
        terms: &(impl Index<usize, Output = Term> + ?Sized),
        root: u32,
        definitions: Vec<Definition>,
    ) -> Self {
        let mut kept = TermTable::new();
        let mut places = HashMap::new();
        let root = copy(terms, root, &mut kept, &mut places);
        let moved = |definition: Definition| Definition {
            body: copy(terms, definition.body, &mut kept, &mut places),
            ..definition
        };
        let definitions = definitions.into_iter().map(moved).collect();
        Self {
            terms: kept.into_iter().collect(),
            root,
            definitions,
        }
    }

    fn expression(&self) -> &[Term] {
        &self.terms[..=self.root as usize]
    }

    /// How many different terms the expression has: numbers, symbols and
    /// operations, each counted once however often it occurs.
    pub fn len(&self) -> usize {
        self.expression().len()
    }

    /// Whether there is no term: never.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The symbols of the expression, each once, in the order in which they
    /// first occur.
    pub fn symbols(&self) -> impl Iterator<Item = &str> {
        self.expression().iter().filter_map(|term| match term {
            Term::Symbol(symbol) => Some(&*symbol.name),
            _ => None,
        })
    }

    /// What one of the named symbols stands for, if the formula knows.
    pub fn definition(&self, name: &str) -> Option<Self> {
        let found = |definition: &&Definition| &*definition.symbol.name == name;
        let definition = self.definitions.iter().find(found)?;
        let others = self.definitions.clone();
        Some(Self::new(&self.terms[..], definition.body, others))
    }

    /// The value of the expression on any number type, computed by the operations
    /// of the table, where `value_of` gives the values of symbols. A symbol it does
    /// not know is computed from its definition. On [`Var`](crate::Var) it records
    /// the formula on a tape.
    ///
    /// ```
    /// let tape = chainrule::Tape::new();
    /// let x = tape.var(2.0).named("x");
    /// let formula = x.square().formula();
    /// assert_eq!(formula.evaluate(|_| Some(3.0)), Ok(9.0));
    /// assert!(formula.evaluate(|_| None::<f64>).is_err());
    /// ```
    ///
    /// # Errors
    /// If a symbol has neither value nor definition.
    pub fn evaluate<T: Real>(&self, value_of: impl Fn(&str) -> Option<T>) -> Result<T, Error> {
        let mut known: HashMap<&str, T> = HashMap::new();
        for definition in &self.definitions {
            if value_of(&definition.symbol.name).is_none() {
                let given = |name: &str| value_of(name).or_else(|| known.get(name).copied());
                if let Ok(value) = self.evaluate_term(definition.body, given) {
                    known.insert(&definition.symbol.name, value);
                }
            }
        }
        self.evaluate_term(self.root, |name| {
            value_of(name).or_else(|| known.get(name).copied())
        })
    }

    fn evaluate_term<T: Real>(
        &self,
        root: u32,
        value_of: impl Fn(&str) -> Option<T>,
    ) -> Result<T, Error> {
        let needed = needed(&self.terms, root);
        let mut values = vec![T::from(f64::NAN); root as usize + 1];
        for index in (0..values.len()).filter(|&index| needed[index]) {
            values[index] = match &self.terms[index] {
                Term::Number(number) => T::from(number.value()),
                Term::Symbol(symbol) => match value_of(&symbol.name) {
                    Some(value) => value,
                    None => {
                        let name = symbol.name.to_string();
                        return Err(Error::NoValue { name });
                    }
                },
                Term::Apply(op, operands) => {
                    let x: SmallVec<[T; 8]> =
                        operands.iter().map(|&i| values[i as usize]).collect();
                    apply(*op, &x)
                }
            };
        }
        Ok(values[root as usize])
    }
}

/// An operation of the table on numbers.
fn apply<T: Real>(op: Op, x: &[T]) -> T {
    match op.arity() {
        Some(1) => T::unary(op, x[0]),
        Some(2) => T::binary(op, x[0], x[1]),
        _ => T::nary(op, &[x], &[]),
    }
}

/// Which of the terms up to `root` it is made of.
fn needed(terms: &[Term], root: u32) -> Vec<bool> {
    let mut needed = vec![false; root as usize + 1];
    needed[root as usize] = true;
    for index in (0..needed.len()).rev() {
        if needed[index] {
            for &operand in terms[index].operands() {
                needed[operand as usize] = true;
            }
        }
    }
    needed
}

/// Copies a term, and first what it is made of, operand after operand.
fn copy(
    terms: &(impl Index<usize, Output = Term> + ?Sized),
    root: u32,
    into: &mut TermTable,
    places: &mut HashMap<u32, u32>,
) -> u32 {
    let mut waiting = vec![root];
    while let Some(&index) = waiting.last() {
        if places.contains_key(&index) {
            waiting.pop();
            continue;
        }
        let operands = terms[index as usize].operands();
        let before = waiting.len();
        waiting.extend(operands.iter().rev().filter(|i| !places.contains_key(i)));
        if waiting.len() > before {
            continue;
        }
        let term = match &terms[index as usize] {
            Term::Apply(op, operands) => {
                Term::Apply(*op, operands.iter().map(|i| places[i]).collect())
            }
            other => other.clone(),
        };
        places.insert(index, put(into, term));
        waiting.pop();
    }
    places[&root]
}

impl PartialEq for Formula {
    fn eq(&self, other: &Self) -> bool {
        self.expression() == other.expression()
    }
}
