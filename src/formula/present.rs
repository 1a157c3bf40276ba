//! Normal forms as formulas again, in the order in which a person writes them.
//!
//! Factors stay in the order in which they came, functions behind the others. Terms are sorted: polynomials in
//! the order of declaration of their symbols, then numbers, then functions; and a
//! sum does not begin with a minus if it need not: 1 − a, a − y, 1 + e^(−z).

use super::algebra::{Addends, Algebra, Atom, Collector, Powers, Product};
use super::exact::Fraction;
use super::{Term, TermTable, put, put_apply, put_number};
use crate::ops::Op;

/// Makes terms of normal forms.
pub(super) struct Presenter<'a> {
    algebra: &'a mut Algebra,
    pub(super) terms: TermTable,
    /// The terms of atoms, by their numbers.
    made: Vec<Option<u32>>,
}

/// The place of a term in a sum: what kind it is, and then its atoms.
type SortKey = (u8, Vec<(u32, i32)>);

impl<'a> Presenter<'a> {
    pub(super) fn new(algebra: &'a mut Algebra) -> Self {
        Self {
            algebra,
            terms: TermTable::new(),
            made: Vec::new(),
        }
    }

    /// The term of a sum. Atoms are made of atoms before them, so that one pass
    /// over them finds all parts made.
    pub(super) fn present(&mut self, sum: &Addends) -> u32 {
        for atom in self.needed(sum) {
            let term = match self.algebra.atom(atom).clone() {
                Atom::Number(number) => put(&mut self.terms, Term::Number(number)),
                Atom::Symbol(symbol) => put(&mut self.terms, Term::Symbol(symbol)),
                Atom::Sum(sum) => self.sum_numbered(sum),
                Atom::Apply(op, x) => {
                    let x: Vec<u32> = x.iter().map(|&x| self.sum_numbered(x)).collect();
                    put_apply(&mut self.terms, op, &x)
                }
            };
            let atom = atom as usize;
            if self.made.len() <= atom {
                self.made.resize(atom + 1, None);
            }
            self.made[atom] = Some(term);
        }
        self.sum(sum)
    }

    /// All atoms that a sum is made of, parts before wholes.
    fn needed(&self, sum: &Addends) -> Vec<u32> {
        let atoms = |sum: &Addends| -> Vec<u32> {
            sum.iter()
                .flat_map(|x| &x.factors)
                .map(|(atom, _)| *atom)
                .collect()
        };
        let mut waiting = atoms(sum);
        let mut found = std::collections::BTreeSet::new();
        while let Some(atom) = waiting.pop() {
            if found.insert(atom) {
                match self.algebra.atom(atom) {
                    Atom::Sum(sum) => waiting.extend(atoms(self.algebra.sum(*sum))),
                    Atom::Apply(_, x) => {
                        for sum in x {
                            waiting.extend(atoms(self.algebra.sum(*sum)));
                        }
                    }
                    _ => {}
                }
            }
        }
        found.into_iter().collect()
    }

    fn sum_numbered(&mut self, number: u32) -> u32 {
        let sum = self.algebra.sum(number).clone();
        self.sum(&sum)
    }

    fn sum(&mut self, sum: &[Product]) -> u32 {
        let mut order: Vec<(SortKey, &Product)> = sum.iter().map(|x| (self.place(x), x)).collect();
        order.sort_by(|a, b| a.0.cmp(&b.0));
        let positive = |x: &&Product| x.coefficient.above > 0;
        let mut sorted: Vec<&Product> = order.into_iter().map(|(_, product)| product).collect();
        if let Some(first) = sorted.iter().position(positive) {
            sorted[..=first].rotate_right(1);
        }
        let mut addends = Vec::with_capacity(sorted.len());
        for product in sorted {
            addends.push(self.product(product));
        }
        match addends[..] {
            [] => put_number(&mut self.terms, 0.0),
            [(negative, term)] => self.signed(negative, term),
            [(first, a), (false, b)] => {
                let a = self.signed(first, a);
                put_apply(&mut self.terms, Op::Add, &[a, b])
            }
            [(first, a), (true, b)] => {
                let a = self.signed(first, a);
                put_apply(&mut self.terms, Op::Sub, &[a, b])
            }
            _ => {
                let signed = |(negative, term)| self.signed(negative, term);
                let addends: Vec<u32> = addends.into_iter().map(signed).collect();
                put_apply(&mut self.terms, Op::Sum, &addends)
            }
        }
    }

    fn signed(&mut self, negative: bool, term: u32) -> u32 {
        if !negative {
            return term;
        }
        if let Term::Number(number) = &self.terms[term as usize] {
            let negative = -number.value();
            return put_number(&mut self.terms, negative);
        }
        put_apply(&mut self.terms, Op::Neg, &[term])
    }

    fn place(&self, product: &Product) -> SortKey {
        let mut atoms = Vec::with_capacity(product.factors.len() + 1);
        let mut kind = 1;
        for &(atom, exponent) in &product.factors {
            let facts = self.algebra.facts(atom);
            if !facts.polynomial {
                kind = 2;
            } else if facts.first < u32::MAX {
                kind = if kind == 1 { 0 } else { kind };
            }
            let symbol = matches!(self.algebra.atom(atom), Atom::Symbol(_));
            atoms.push((facts.first, if symbol { -exponent } else { 0 }));
        }
        atoms.sort_unstable();
        // A monomial comes after those that have more factors: x·y + x.
        atoms.push((u32::MAX, 0));
        (kind, atoms)
    }

    /// Whether a product is negative, and the term of its magnitude.
    fn product(&mut self, product: &Product) -> (bool, u32) {
        let mut negative = product.coefficient.above < 0;
        let mut coefficient = product.coefficient;
        if negative {
            coefficient = coefficient.negated();
        }
        let turned = (negative && coefficient.is_one())
            .then(|| self.turnable(product))
            .flatten();
        let mut above = Vec::new();
        let mut below = Vec::new();
        let mut factor = None;
        let exponent = self.exponent(&product.factors);
        let mut exponent_due = exponent.is_some();
        for (atom, power) in self.functions_last(&product.factors) {
            if let Atom::Apply(Op::Exp, _) = self.algebra.atom(atom) {
                if let Some(exponent) = exponent.clone().filter(|_| exponent_due) {
                    let exponent = self.sum(&exponent);
                    above.push(put_apply(&mut self.terms, Op::Exp, &[exponent]));
                    exponent_due = false;
                }
                continue;
            }
            if let Some(merged) = self
                .merged(atom, power, coefficient)
                .filter(|_| factor.is_none())
            {
                factor = Some(merged);
                continue;
            }
            let base = match (turned == Some(atom), self.algebra.atom(atom)) {
                (true, Atom::Sum(sum)) => {
                    negative = false;
                    let sum = super::algebra::negated(self.algebra.sum(*sum));
                    self.sum(&sum)
                }
                _ => self.made[atom as usize].unwrap_or(0),
            };
            let term = self.power(base, power.abs());
            if power > 0 {
                above.push(term);
            } else {
                below.push(term);
            }
        }
        let binary = factor.is_none() && coefficient.is_binary() && !coefficient.is_whole();
        let decimal = binary && (coefficient.above != 1 || below.is_empty());
        let factor = factor.unwrap_or(if decimal {
            coefficient.value()
        } else {
            coefficient.above as f64
        });
        if !decimal && !coefficient.is_whole() {
            below.insert(0, put_number(&mut self.terms, coefficient.below as f64));
        }
        if factor != 1.0 || above.is_empty() && below.is_empty() {
            above.insert(0, put_number(&mut self.terms, factor));
        }
        (negative, self.quotient(&above, &below))
    }

    /// Numbers first, and functions behind symbols: 0.1·x·sin(x). What is no
    /// function but has one in it stays where it is: σ(x)·(1 − σ(x)).
    fn functions_last(&self, factors: &Powers) -> Powers {
        let mut sorted = factors.clone();
        sorted.sort_by_key(|(atom, _)| !matches!(self.algebra.atom(*atom), Atom::Number(_)));
        let function = |atom| matches!(self.algebra.atom(atom), Atom::Apply(..));
        for end in (1..sorted.len()).rev() {
            for i in 0..end {
                if function(sorted[i].0) && self.algebra.facts(sorted[i + 1].0).polynomial {
                    sorted.swap(i, i + 1);
                }
            }
        }
        sorted
    }

    fn quotient(&mut self, above: &[u32], below: &[u32]) -> u32 {
        let terms = &mut self.terms;
        let mut product = |factors: &[u32]| match *factors {
            [one] => one,
            [a, b] => put_apply(terms, Op::Mul, &[a, b]),
            _ => put_apply(terms, Op::Product, factors),
        };
        match (above, below) {
            (_, []) => product(above),
            ([], _) => {
                let below = product(below);
                put_apply(terms, Op::Recip, &[below])
            }
            _ => {
                let (above, below) = (product(above), product(below));
                put_apply(terms, Op::Div, &[above, below])
            }
        }
    }

    fn power(&mut self, base: u32, exponent: i32) -> u32 {
        match exponent {
            1 => base,
            2 => put_apply(&mut self.terms, Op::Square, &[base]),
            _ => {
                let exponent = put_number(&mut self.terms, f64::from(exponent));
                put_apply(&mut self.terms, Op::Pow, &[base, exponent])
            }
        }
    }

    /// The product of all exponentials among the factors, as one exponent.
    fn exponent(&self, factors: &Powers) -> Option<Addends> {
        let mut exponent = Collector::default();
        for &(atom, power) in factors {
            if let Atom::Apply(Op::Exp, x) = self.algebra.atom(atom) {
                let power = Fraction::whole(i64::from(power));
                for term in self.algebra.sum(x[0]) {
                    exponent.add(Product {
                        coefficient: term.coefficient.times(power)?,
                        factors: term.factors.clone(),
                    });
                }
            }
        }
        let exponent = exponent.sum();
        (!exponent.is_empty()).then_some(exponent)
    }

    /// A number that is no fraction, with the coefficient, where that is exact.
    fn merged(&self, atom: u32, power: i32, coefficient: Fraction) -> Option<f64> {
        let Atom::Number(number) = self.algebra.atom(atom) else {
            return None;
        };
        let (number, by) = (number.value(), coefficient.value());
        let product = number * by;
        let exact = coefficient.is_binary() && by.mul_add(number, -product) == 0.0;
        (power == 1 && coefficient.is_whole() && exact && product.is_finite()).then_some(product)
    }

    /// A factor that can take up a minus sign: −(y − a)·x is (a − y)·x.
    fn turnable(&self, product: &Product) -> Option<u32> {
        let found = product.factors.iter().find(|(atom, exponent)| {
            let Atom::Sum(sum) = self.algebra.atom(*atom) else {
                return false;
            };
            let sum = self.algebra.sum(*sum);
            let minus = sum.iter().any(|term| term.coefficient.above < 0);
            let plus = |term: &Product| term.coefficient.above > 0;
            let constant = |term: &Product| plus(term) && term.factors.is_empty();
            *exponent > 0
                && exponent % 2 != 0
                && minus
                && sum.iter().any(plus)
                && !sum.iter().any(constant)
        });
        found.map(|(atom, _)| *atom)
    }
}
