//! `simplify`: a formula in the form that a person would write.
//!
//! Terms are brought to normal form from the leaves on (`algebra.rs`), with what
//! is known of functions and of named nodes (`identities.rs`), at each step in
//! the shortest form that was found (`expand.rs`), and written as terms again
//! (`present.rs`).

use super::algebra::{Addends, Algebra, Product};
use super::present::Presenter;
use super::{Definition, Formula, Term, copy, needed};
use crate::ops::Op;
use std::collections::HashMap;

/// A sum of more terms than this that is used more than once stays one factor.
const SHARED_TERMS: usize = 24;
/// How much work is done beyond what the size of a formula asks for.
const WORK: usize = 100_000;

impl Formula {
    /// The formula as a person would write it: like terms are collected, what
    /// cancels is cancelled, and identities are used, σ(−z) = 1 − σ(z) and its
    /// kin. A named node is a symbol and an equation: where a = σ(z) has a name,
    /// σ(z) is written a.
    ///
    /// ```
    /// let tape = chainrule::Tape::new();
    /// let (x, n) = (tape.var(2.0).named("x"), tape.var(3.0).named("n"));
    /// let gradient = &x.pow(n).gradient_formulas(&[x])[0];
    /// assert_eq!(gradient.simplify().to_string(), "n·x^(n − 1)");
    /// ```
    ///
    /// The value stays the same, up to rounding, wherever both formulas are
    /// finite. They need not be finite at the same points: x/x becomes 1, and
    /// where the formula of the table is careful not to cancel or overflow, the
    /// simple one may. A formula that divides by a constant zero, whose sign decides between
    /// −∞ and ∞, stays as it is. Coefficients are exact: 0.1·x + 0.2·x is not 0.3·x.
    ///
    /// The work is bounded: a large formula is simplified in parts, and what is
    /// beyond the bound stays as it is.
    pub fn simplify(&self) -> Self {
        let (simple, cost, has_chains) = self.simplified(false);
        if !has_chains {
            return simple;
        }
        let (other, other_cost, _) = self.simplified(true);
        // Of equally short forms the one of fewer symbols.
        let length = |formula: &Self, cost| (cost, formula.symbols().count());
        if length(&other, other_cost) < length(&simple, cost) {
            other
        } else {
            simple
        }
    }

    /// The simple form, its cost, and whether there is a choice which of two named
    /// nodes to write, one being defined by the other; `chained` decides it.
    fn simplified(&self, chained: bool) -> (Self, u32, bool) {
        let work = WORK + 8 * self.terms.len();
        let mut algebra = Algebra::new(work);
        for definition in &self.definitions {
            algebra.define(definition.symbol.clone());
        }
        // Chained, the last first: what it says of a symbol goes into the equation of
        // that symbol.
        let mut order: Vec<&Definition> = self.definitions.iter().collect();
        if chained {
            order.reverse();
        }
        for definition in order {
            let body = normal(&mut algebra, &self.terms, definition.body);
            algebra.learn(definition.symbol.clone(), body, chained);
        }
        // Whatever the definitions took, as much again for the expression.
        algebra.work = work;
        algebra.needs_sign_of_zero = false;
        let sum = normal(&mut algebra, &self.terms, self.root);
        let (cost, has_chains) = (algebra.cost(&sum), algebra.has_chains);
        if algebra.needs_sign_of_zero {
            return (self.clone(), cost, false);
        }
        let mut presenter = Presenter::new(&mut algebra);
        let root = presenter.present(&sum);
        let mut terms = presenter.terms;
        let mut places = HashMap::new();
        let mut definitions = Vec::with_capacity(self.definitions.len());
        for definition in &self.definitions {
            definitions.push(Definition {
                symbol: definition.symbol.clone(),
                body: copy(&self.terms[..], definition.body, &mut terms, &mut places),
            });
        }
        (Self::new(&terms, root, definitions), cost, has_chains)
    }
}

/// What a walk knows of a term.
struct Walk<'t> {
    terms: &'t [Term],
    uses: Vec<u32>,
    /// Addends of a sum that nobody else uses: they are added there at once.
    inner: Vec<bool>,
    forms: Vec<Addends>,
}

fn adds(term: &Term) -> bool {
    matches!(term, Term::Apply(Op::Add | Op::Sub | Op::Neg | Op::Sum, _))
}

/// The normal form of a term.
fn normal(algebra: &mut Algebra, terms: &[Term], root: u32) -> Addends {
    let needed = needed(terms, root);
    let mut walk = Walk::new(terms, &needed);
    for (index, &needed) in needed.iter().enumerate() {
        if needed && !walk.inner[index] {
            let form = walk.form(algebra, index);
            walk.forms[index] = if walk.uses[index] > 1 && form.len() > SHARED_TERMS {
                vec![algebra.as_product(form)]
            } else {
                form
            };
        }
    }
    walk.take(root)
}

impl<'t> Walk<'t> {
    fn new(terms: &'t [Term], needed: &[bool]) -> Self {
        let mut uses = vec![0_u32; needed.len()];
        let mut inner = vec![false; needed.len()];
        let index_of = (0..needed.len()).filter(|&index| needed[index]);
        for operand in index_of.clone().flat_map(|index| terms[index].operands()) {
            uses[*operand as usize] += 1;
        }
        for term in index_of
            .map(|index| &terms[index])
            .filter(|term| adds(term))
        {
            for &operand in term.operands() {
                let operand = operand as usize;
                inner[operand] = adds(&terms[operand]) && uses[operand] == 1;
            }
        }
        let forms = vec![Addends::new(); needed.len()];
        Self {
            terms,
            uses,
            inner,
            forms,
        }
    }

    /// The form of a term that was made; moved out by its only user.
    fn take(&mut self, index: u32) -> Addends {
        let index = index as usize;
        if self.uses[index] <= 1 {
            std::mem::take(&mut self.forms[index])
        } else {
            self.forms[index].clone()
        }
    }

    fn form(&mut self, algebra: &mut Algebra, index: usize) -> Addends {
        let terms = self.terms;
        match &terms[index] {
            Term::Number(number) => match algebra.constant(number.value()) {
                zero if zero == Product::constant(super::exact::Fraction::ZERO) => Addends::new(),
                constant => vec![constant],
            },
            Term::Symbol(symbol) => {
                let product = algebra.symbol(symbol.clone());
                algebra.as_sum(product)
            }
            term if adds(term) => self.addends(algebra, index as u32),
            Term::Apply(op, operands) => {
                let x = operands.iter().map(|&operand| self.take(operand)).collect();
                algebra.apply(*op, x)
            }
        }
    }

    fn addends(&mut self, algebra: &mut Algebra, index: u32) -> Addends {
        let mut waiting = vec![(index, false)];
        let mut addends = Vec::new();
        while let Some((at, negative)) = waiting.pop() {
            if at != index && !self.inner[at as usize] {
                let form = self.take(at);
                addends.push(if negative {
                    super::algebra::negated(&form)
                } else {
                    form
                });
                continue;
            }
            let Term::Apply(op, operands) = &self.terms[at as usize] else {
                continue;
            };
            for (i, &operand) in operands.iter().enumerate().rev() {
                let turns = *op == Op::Neg || *op == Op::Sub && i == 1;
                waiting.push((operand, negative != turns));
            }
        }
        algebra.added(addends)
    }
}
