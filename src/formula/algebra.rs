//! The normal form in which formulas are simplified: sums of products of powers
//! of atoms, with exact coefficients.
//!
//! An atom is a symbol, a number that is no fraction, an operation applied to
//! normal forms, or a sum that stands in a product as a factor. Equal atoms are
//! one, so equal factors meet and cancel. Factors and terms keep the order in
//! which they came, for whoever reads the result; comparisons sort them.

use super::exact::{Fraction, gcd};
use super::{Bits, Symbol};
use crate::ops::Op;
use indexmap::IndexSet;
use smallvec::{SmallVec, smallvec};
use std::collections::{HashMap, HashSet};

/// A product of more factors than this is a factor of its own, so that long
/// chains cost no more than their length.
const FACTORS: usize = 24;

/// The atoms of a product and their exponents.
pub(super) type Powers = SmallVec<[(u32, i32); 3]>;

/// coefficient · Π atom^exponent
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Product {
    pub(super) coefficient: Fraction,
    pub(super) factors: Powers,
}

/// A sum of products; 0 if there are none.
pub(super) type Addends = Vec<Product>;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Atom {
    /// A positive number that is no coefficient.
    Number(Bits),
    Symbol(Symbol),
    /// An operation on sums, by their numbers.
    Apply(Op, SmallVec<[u32; 2]>),
    /// A sum as a factor.
    Sum(u32),
}

/// What is known of an atom.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    /// How many symbols, numbers and functions are written.
    pub(super) cost: u32,
    /// Where the first of its symbols was declared.
    pub(super) first: u32,
    /// Whether it is made of symbols and numbers alone, without functions.
    pub(super) polynomial: bool,
}

/// A sum whose order does not matter.
type UnorderedSum = Vec<(Powers, Fraction)>;

pub(super) struct Algebra {
    atoms: IndexSet<Atom>,
    facts: Vec<Facts>,
    sums: Vec<Addends>,
    sum_numbers: HashMap<UnorderedSum, u32>,
    /// Atoms that are written as something else: σ(z) as a.
    pub(super) rules: HashMap<u32, Product>,
    /// Powers of atoms that are something simpler: √x² = x.
    pub(super) reductions: HashMap<u32, (i32, Product)>,
    /// e to the power of an atom: of ln u it is u.
    pub(super) exponentials: HashMap<u32, Product>,
    /// Symbols that have definitions, and whether one is defined by another so that
    /// either could be written by the other.
    pub(super) defined: HashSet<u32>,
    pub(super) has_chains: bool,
    /// Symbols and the products that they stand for.
    pub(super) products: Vec<(u32, Product)>,
    /// Whether the sign of a zero mattered, which no sum has: 1/(x·0) is −∞ or ∞.
    pub(super) needs_sign_of_zero: bool,
    /// How much work there may still be; at 0 nothing more is tried.
    pub(super) work: usize,
    /// How deep identities are applied inside each other.
    pub(super) depth: u32,
}

impl Product {
    pub(super) fn constant(coefficient: Fraction) -> Self {
        Self {
            coefficient,
            factors: Powers::new(),
        }
    }

    pub(super) fn one() -> Self {
        Self::constant(Fraction::ONE)
    }

    pub(super) fn atom(atom: u32) -> Self {
        Self {
            coefficient: Fraction::ONE,
            factors: smallvec![(atom, 1)],
        }
    }

    pub(super) fn negated(self) -> Self {
        Self {
            coefficient: self.coefficient.negated(),
            ..self
        }
    }

    fn is_zero(&self) -> bool {
        self.coefficient == Fraction::ZERO
    }

    /// The exponent of an atom in it.
    pub(super) fn exponent(&self, atom: u32) -> i32 {
        let found = self.factors.iter().find(|(other, _)| *other == atom);
        found.map_or(0, |(_, exponent)| *exponent)
    }

    fn sorted(&self) -> Powers {
        let mut factors = self.factors.clone();
        factors.sort_unstable();
        factors
    }
}

pub(super) fn negated(sum: &Addends) -> Addends {
    sum.iter().cloned().map(Product::negated).collect()
}

/// The fraction that a sum is, if it is one.
pub(super) fn fraction(sum: &[Product]) -> Option<Fraction> {
    match sum {
        [] => Some(Fraction::ZERO),
        [one] if one.factors.is_empty() => Some(one.coefficient),
        _ => None,
    }
}

/// Adds products, those of equal factors together.
#[derive(Default)]
pub(super) struct Collector {
    terms: Addends,
    places: HashMap<Powers, usize>,
}

impl Collector {
    pub(super) fn add(&mut self, product: Product) {
        if product.is_zero() {
            return;
        }
        let next = self.terms.len();
        let place = *self.places.entry(product.sorted()).or_insert(next);
        if place == next {
            self.terms.push(product);
            return;
        }
        let sum = self.terms[place].coefficient.plus(product.coefficient);
        match sum {
            Some(sum) => self.terms[place].coefficient = sum,
            None => self.terms.push(product),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.terms.len()
    }

    pub(super) fn sum(mut self) -> Addends {
        self.terms.retain(|product| !product.is_zero());
        self.terms
    }
}

impl Algebra {
    pub(super) fn new(work: usize) -> Self {
        Self {
            atoms: IndexSet::new(),
            facts: Vec::new(),
            sums: Vec::new(),
            sum_numbers: HashMap::new(),
            rules: HashMap::new(),
            reductions: HashMap::new(),
            exponentials: HashMap::new(),
            defined: HashSet::new(),
            has_chains: false,
            products: Vec::new(),
            needs_sign_of_zero: false,
            work,
            depth: 0,
        }
    }

    pub(super) fn atom(&self, atom: u32) -> &Atom {
        &self.atoms[atom as usize]
    }

    pub(super) fn facts(&self, atom: u32) -> Facts {
        self.facts[atom as usize]
    }

    pub(super) fn sum(&self, number: u32) -> &Addends {
        &self.sums[number as usize]
    }

    pub(super) fn spend(&mut self, work: usize) {
        self.work = self.work.saturating_sub(work);
    }

    /// The atom, made if it is new.
    pub(super) fn number_of(&mut self, atom: Atom) -> u32 {
        let facts = match &atom {
            Atom::Number(_) => Facts {
                cost: 1,
                first: u32::MAX,
                polynomial: true,
            },
            Atom::Symbol(symbol) => Facts {
                cost: 1,
                first: symbol.order,
                polynomial: true,
            },
            Atom::Apply(_, sums) => Facts {
                polynomial: false,
                ..self.facts_of_all(sums, 1)
            },
            Atom::Sum(sum) => self.facts_of_all(&[*sum], 0),
        };
        let (number, new) = self.atoms.insert_full(atom);
        if new {
            self.facts.push(facts);
        }
        number as u32
    }

    fn facts_of_all(&self, sums: &[u32], cost: u32) -> Facts {
        let mut all = Facts {
            cost,
            first: u32::MAX,
            polynomial: true,
        };
        for &sum in sums {
            let sum = self.sum(sum);
            all.cost = all.cost.saturating_add(self.cost(sum));
            for (atom, _) in sum.iter().flat_map(|product| &product.factors) {
                let facts = self.facts(*atom);
                all.first = all.first.min(facts.first);
                all.polynomial &= facts.polynomial;
            }
        }
        all
    }

    /// How many symbols, numbers and functions are written for a sum.
    pub(super) fn cost(&self, sum: &[Product]) -> u32 {
        let cost = |product| self.cost_of_product(product);
        sum.iter().map(cost).fold(0, u32::saturating_add).max(1)
    }

    pub(super) fn cost_of_product(&self, product: &Product) -> u32 {
        let above = product.factors.iter().any(|(_, exponent)| *exponent > 0);
        let coefficient = product.coefficient;
        let mut cost = u32::from(!above || coefficient.above.abs() != 1 || !coefficient.is_whole());
        for (atom, exponent) in &product.factors {
            let power = u32::from(exponent.unsigned_abs() > 1);
            cost = cost
                .saturating_add(self.facts(*atom).cost)
                .saturating_add(power);
        }
        cost
    }

    fn key(&self, sum: &[Product]) -> UnorderedSum {
        let mut key: UnorderedSum = sum.iter().map(|x| (x.sorted(), x.coefficient)).collect();
        key.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        key
    }

    /// The number of a sum, the same for equal sums.
    pub(super) fn sum_number(&mut self, sum: Addends) -> u32 {
        let next = self.sums.len() as u32;
        let number = *self.sum_numbers.entry(self.key(&sum)).or_insert(next);
        if number == next {
            self.sums.push(sum);
        }
        number
    }

    fn known_factor(&self, sum: &[Product]) -> Option<u32> {
        let number = *self.sum_numbers.get(&self.key(sum))?;
        let atom = self.atoms.get_index_of(&Atom::Sum(number))?;
        Some(atom as u32)
    }

    /// A number: a coefficient if it is a fraction, else an atom.
    pub(super) fn constant(&mut self, value: f64) -> Product {
        if let Some(fraction) = Fraction::of(value) {
            return Product::constant(fraction);
        }
        let positive = Product::atom(self.number_of(Atom::Number(Bits::of(value.abs()))));
        if value < 0.0 {
            positive.negated()
        } else {
            positive
        }
    }

    /// A product as a sum: a sum that is its only factor is that sum.
    pub(super) fn as_sum(&self, product: Product) -> Addends {
        if product.is_zero() {
            return Addends::new();
        }
        if let [(atom, 1)] = product.factors[..]
            && let Atom::Sum(sum) = self.atom(atom)
        {
            if product.coefficient.is_one() {
                return self.sum(*sum).clone();
            }
            if product.coefficient == Fraction::MINUS_ONE {
                return negated(self.sum(*sum));
            }
        }
        vec![product]
    }

    /// A sum as a product: what its terms have in common, and the rest as one
    /// factor. A rest that occurred before with other signs is that with −1.
    pub(super) fn as_product(&mut self, sum: Addends) -> Product {
        let mut terms = sum.into_iter();
        let (Some(first), rest) = (terms.next(), terms.as_slice()) else {
            return Product::constant(Fraction::ZERO);
        };
        if rest.is_empty() {
            return first;
        }
        let mut sum = vec![first];
        sum.extend_from_slice(rest);
        self.spend(sum.len());
        let common = common(&sum);
        let inverse = |product: &Product| Product {
            coefficient: product.coefficient.inverse().unwrap_or(Fraction::ONE),
            factors: product
                .factors
                .iter()
                .map(|(atom, e)| (*atom, -e))
                .collect(),
        };
        let inverse = inverse(&common);
        if !common.factors.is_empty() || !common.coefficient.is_one() {
            let shared = sum.iter().map(|term| self.times(term.clone(), &inverse));
            sum = shared.collect();
        }
        let rest = if let Some(atom) = self.known_factor(&sum) {
            Product::atom(atom)
        } else if let Some(atom) = self.known_factor(&negated(&sum)) {
            Product::atom(atom).negated()
        } else {
            let number = self.sum_number(sum);
            Product::atom(self.number_of(Atom::Sum(number)))
        };
        self.times(common, &rest)
    }

    pub(super) fn times(&mut self, mut a: Product, b: &Product) -> Product {
        if a.is_zero() || b.is_zero() {
            return Product::constant(Fraction::ZERO);
        }
        match a.coefficient.times(b.coefficient) {
            Some(coefficient) => a.coefficient = coefficient,
            None => self.multiply_by_number(&mut a, b.coefficient, 1),
        }
        for &(atom, exponent) in &b.factors {
            self.multiply(&mut a, atom, exponent);
        }
        if a.factors.len() > FACTORS {
            let coefficient = std::mem::replace(&mut a.coefficient, Fraction::ONE);
            let number = self.sum_number(vec![a]);
            a = Product::atom(self.number_of(Atom::Sum(number)));
            a.coefficient = coefficient;
        }
        a
    }

    /// Multiplies by a fraction whose product would not be exact: it stays beside.
    fn multiply_by_number(&mut self, product: &mut Product, by: Fraction, exponent: i32) {
        if by.above < 0 && exponent % 2 != 0 {
            product.coefficient = product.coefficient.negated();
        }
        for (part, exponent) in [(by.above, exponent), (by.below, -exponent)] {
            if part.abs() != 1 {
                let number = Atom::Number(Bits::of(part.abs() as f64));
                let atom = self.number_of(number);
                self.multiply(product, atom, exponent);
            }
        }
    }

    fn multiply(&mut self, product: &mut Product, atom: u32, exponent: i32) {
        self.spend(1);
        let found = product.factors.iter().position(|(other, _)| *other == atom);
        let place = found.unwrap_or(product.factors.len());
        if found.is_none() {
            product.factors.push((atom, 0));
        }
        match product.factors[place].1.checked_add(exponent) {
            Some(sum) => product.factors[place].1 = sum,
            None => product.factors.push((atom, exponent)),
        }
        let total = product.factors[place].1;
        if total == 0 {
            product.factors.remove(place);
            return;
        }
        let Some((n, simpler)) = self.reductions.get(&atom) else {
            return;
        };
        let (n, simpler) = (*n, simpler.clone());
        if total.abs() < n || self.depth > 16 {
            return;
        }
        self.depth += 1;
        if let Some(power) = self.power(&simpler, total / n) {
            product.factors[place].1 = total % n;
            if total % n == 0 {
                product.factors.remove(place);
            }
            *product = self.times(product.clone(), &power);
        }
        self.depth -= 1;
    }

    /// A power, unless its exponents are absurd.
    pub(super) fn power(&mut self, product: &Product, exponent: i32) -> Option<Product> {
        let mut power = Product::one();
        match product.coefficient.power(exponent) {
            Some(coefficient) => power.coefficient = coefficient,
            None if product.is_zero() => {
                self.needs_sign_of_zero = true;
                return None;
            }
            None => self.multiply_by_number(&mut power, product.coefficient, exponent),
        }
        for &(atom, own) in &product.factors {
            let exponent = own.checked_mul(exponent).filter(|e| e.abs() < 1 << 20)?;
            self.multiply(&mut power, atom, exponent);
        }
        Some(power)
    }
}

/// What the terms of a sum have in common: a coefficient if all have the same
/// or all are whole, and powers that all have above or all have below.
fn common(sum: &[Product]) -> Product {
    let first = &sum[0];
    let size = |product: &Product| product.coefficient.above.abs();
    let below = first.coefficient.below;
    let same = |x: &Product| size(x) == size(first) && x.coefficient.below == below;
    let mut coefficient = Fraction::ONE;
    if sum.iter().all(same) {
        coefficient = Fraction {
            above: size(first),
            below,
        };
    } else if sum.iter().all(|x| x.coefficient.is_whole()) {
        let divisor = sum.iter().fold(0, |d, x| gcd(d, i128::from(size(x))));
        coefficient = Fraction::whole(divisor as i64);
    }
    if sum.iter().all(|x| x.coefficient.above < 0) {
        coefficient = coefficient.negated();
    }
    let mut factors = Powers::new();
    for &(atom, exponent) in &first.factors {
        let others = || sum.iter().map(|product| product.exponent(atom));
        let shared = if exponent > 0 {
            others().min().map(|least| least.max(0))
        } else {
            others().max().map(|least| least.min(0))
        };
        if let Some(shared) = shared.filter(|shared| *shared != 0) {
            factors.push((atom, shared));
        }
    }
    Product {
        coefficient,
        factors,
    }
}
