//! What follows from the definitions of named nodes: each is an equation, and is
//! used from right to left. With a = σ(z), σ(z) is written a; with a = 1/(1 + e^{−z}),
//! e^{−z} is (1 − a)/a; with p = e^x/s, that quotient is p.

use super::Symbol;
use super::algebra::{Addends, Algebra, Atom, Product};
use super::exact::Fraction;
use super::identities::DEPTH;
use crate::ops::Op;

/// Products are looked for in at most so many pairs of a term and a product.
const PRODUCTS: usize = 2_000;

impl Algebra {
    /// Says that a symbol has a definition.
    pub(super) fn define(&mut self, symbol: Symbol) {
        let atom = self.number_of(Atom::Symbol(symbol));
        self.defined.insert(atom);
    }

    /// A symbol, or what a rule says it is.
    pub(super) fn symbol(&mut self, symbol: Symbol) -> Product {
        let atom = self.number_of(Atom::Symbol(symbol));
        self.rules
            .get(&atom)
            .cloned()
            .unwrap_or(Product::atom(atom))
    }

    /// Takes the definition of a symbol as an equation, and solves it for the one
    /// function in it: from a = 1/(1 + e^{−z}) follows e^{−z} = (1 − a)/a. With
    /// `chained` also for a symbol in it: from a = 1/g follows g = 1/a.
    pub(super) fn learn(&mut self, symbol: Symbol, body: Addends, chained: bool) {
        let own = self.symbol(symbol);
        let body = self.as_product(body);
        if body.factors.len() > 1 {
            self.learn_product(&own, body);
            return;
        }
        let [(atom, exponent @ (1 | -1))] = body.factors[..] else {
            return;
        };
        let Some(scale) = body.coefficient.inverse() else {
            return;
        };
        // own = c·atom^k, so atom = (own/c)^k.
        let scaled = self.times(own, &Product::constant(scale));
        let Some(value) = self.power(&scaled, exponent) else {
            return;
        };
        self.solve(atom, value, chained);
    }

    fn solve(&mut self, atom: u32, value: Product, chained: bool) {
        match self.atom(atom).clone() {
            Atom::Apply(op, x) => {
                if self.depth < DEPTH {
                    self.depth += 1;
                    self.learn_kin(op, x[0], &value, atom);
                    self.depth -= 1;
                }
                self.rules.insert(atom, value);
            }
            Atom::Symbol(_) if self.defined.contains(&atom) => {
                self.has_chains = true;
                if chained {
                    self.rules.insert(atom, value);
                }
            }
            Atom::Sum(sum) => {
                // value = p + q·inner^k, so inner = ((value − p)/q)^k.
                let sum = self.sum(sum).clone();
                let (constants, others): (Addends, Addends) =
                    sum.into_iter().partition(|term| term.factors.is_empty());
                let [other] = &others[..] else { return };
                let [(inner, exponent @ (1 | -1))] = other.factors[..] else {
                    return;
                };
                let below = value.factors.iter().filter(|(_, exponent)| *exponent < 0);
                let below = Product {
                    coefficient: Fraction::ONE,
                    factors: below.map(|(atom, exponent)| (*atom, -exponent)).collect(),
                };
                let mut above = vec![self.times(value, &below)];
                for constant in constants {
                    above.push(self.times(constant.negated(), &below));
                }
                let above = self.as_product(above);
                let Some(inverse) = self.power(&below, -1) else {
                    return;
                };
                let mut solved = self.times(above, &inverse);
                let Some(scale) = other.coefficient.inverse() else {
                    return;
                };
                solved = self.times(solved, &Product::constant(scale));
                if let Some(solved) = self.power(&solved, exponent) {
                    self.solve(inner, solved, chained);
                }
            }
            _ => {}
        }
    }

    /// What else is known with the value of a function: with a = σ(u) also
    /// e^u = a/(1 − a), with h = tanh u also sech²u = 1 − h².
    fn learn_kin(&mut self, op: Op, argument: u32, value: &Product, atom: u32) {
        let argument = self.sum(argument).clone();
        match op {
            Op::Sigmoid => {
                let rest = self.as_product(vec![value.clone().negated(), Product::one()]);
                let Some(inverse) = self.power(&rest, -1) else {
                    return;
                };
                let odds = self.times(value.clone(), &inverse);
                let power = self.exp(&argument);
                if let ([(atom, exponent @ (1 | -1))], true) =
                    (&power.factors[..], power.coefficient.is_one())
                    && let Some(odds) = self.power(&odds, *exponent)
                {
                    self.rules.entry(*atom).or_insert(odds);
                }
            }
            Op::Tanh => {
                let Some(square) = self.power(value, 2) else {
                    return;
                };
                let rest = self.as_product(vec![Product::one(), square.negated()]);
                let sech = self.atom_of(Op::Sech, vec![argument]);
                if let [(atom, 1)] = sech.factors[..] {
                    self.reductions.insert(atom, (2, rest));
                }
            }
            Op::Ln | Op::LogSumExp | Op::LogAddExp => {
                if let ([(own, 1)], true) = (&value.factors[..], value.coefficient.is_one())
                    && let Some(base) = self.exponential_of_atom(atom)
                {
                    self.exponentials.insert(*own, base);
                }
            }
            _ => {}
        }
    }

    /// Keeps a product that a symbol stands for, unless it is of symbols alone.
    fn learn_product(&mut self, own: &Product, body: Product) {
        let is_symbol = |(atom, _): &(u32, i32)| matches!(self.atom(*atom), Atom::Symbol(_));
        if body.factors.iter().all(is_symbol) {
            return;
        }
        if let ([(own, 1)], true) = (&own.factors[..], own.coefficient.is_one()) {
            self.products.push((*own, body));
        }
    }

    /// A sum with such products written as the symbols that stand for them.
    pub(super) fn folded(&mut self, sum: Addends) -> Addends {
        if self.products.is_empty() || sum.len() * self.products.len() > PRODUCTS {
            return sum;
        }
        let products = self.products.clone();
        let mut folded = Addends::with_capacity(sum.len());
        for mut term in sum {
            for (own, body) in &products {
                while let Some(shorter) = self.fold(&term, *own, body) {
                    term = shorter;
                }
            }
            folded.push(term);
        }
        self.collected(folded)
    }

    fn fold(&mut self, term: &Product, own: u32, body: &Product) -> Option<Product> {
        let exponents = || {
            let pair = |(atom, exponent): &(u32, i32)| (term.exponent(*atom), *exponent);
            body.factors.iter().map(pair)
        };
        let contains =
            |sign: i32| exponents().all(|(found, e)| found.signum() == sign * e.signum());
        let sign = [1, -1].into_iter().find(|sign| contains(*sign))?;
        let inverse = self.power(body, -sign)?;
        let rest = self.times(term.clone(), &inverse);
        let mut shorter = rest;
        if shorter.exponent(own) != 0 {
            let own = self.power(&Product::atom(own), sign)?;
            shorter = self.times(shorter, &own);
        } else {
            // In the place of what it stands for.
            let replaced = |(atom, _): &(u32, i32)| body.exponent(*atom) != 0;
            let place = term.factors.iter().position(replaced).unwrap_or(0);
            let place = place.min(shorter.factors.len());
            shorter.factors.insert(place, (own, sign));
        }
        (self.cost_of_product(&shorter) < self.cost_of_product(term)).then_some(shorter)
    }
}
