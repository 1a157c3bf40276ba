//! Which of several equal forms is shortest: as it came, with what is common
//! taken out, multiplied out, or put over one denominator.

use super::algebra::{Addends, Algebra, Atom, Collector, Powers, Product};
use super::exact::Fraction;
use std::cmp::Ordering;

/// Forms are compared for sums of at most so many terms,
const TERMS: usize = 24;
/// and written with at most so many symbols.
const COST: u32 = 200;
/// Multiplied out, a sum has at most so many terms.
const EXPANDED: usize = 120;

impl Algebra {
    /// The shortest form that was found. Of equally short ones it is the one as it
    /// came, so that a(1 − a) is not multiplied out.
    pub(super) fn tidy(&mut self, sum: Addends) -> Addends {
        let sum = self.folded(sum);
        let cost = self.cost(&sum);
        if self.work == 0 || sum.len() > TERMS || cost > COST {
            return sum;
        }
        let mut best = (cost, sum);
        let came = best.1.clone();
        let form = self.taken_out(came.clone());
        self.offer(&mut best, form);
        if came
            .iter()
            .any(|product| self.sum_factor(product).is_some())
        {
            let form = self.partly_expanded(&came);
            self.offer(&mut best, form);
            if let Some(expanded) = self.expanded(&came) {
                let form = self.taken_out(expanded.clone());
                self.offer(&mut best, form);
                self.offer(&mut best, expanded);
            }
        }
        if came.len() > 1
            && came.iter().any(has_denominator)
            && let Some(together) = self.over_one_denominator(&came)
        {
            let cost = self.cost(&together);
            if cost <= best.0 {
                best = (cost, together);
            }
        }
        self.folded(best.1)
    }

    fn offer(&mut self, best: &mut (u32, Addends), form: Addends) {
        let cost = self.cost(&form);
        if cost < best.0 {
            *best = (cost, form);
        }
    }

    /// Of sums with denominators those terms multiplied out; the others stay
    /// together: p·(s − t/p) = p·s − t.
    fn partly_expanded(&mut self, sum: &Addends) -> Addends {
        let mut all = Collector::default();
        for product in sum {
            let Some((atom, inner)) = self.sum_factor(product) else {
                all.add(product.clone());
                continue;
            };
            let rest = self.without(product.clone(), atom);
            let inner = self.sum(inner).clone();
            let (fractions, others): (Addends, Addends) =
                inner.into_iter().partition(has_denominator);
            let others = self.as_product(others);
            all.add(self.times(rest.clone(), &others));
            for term in fractions {
                all.add(self.times(rest.clone(), &term));
            }
        }
        all.sum()
    }

    /// A product with one power of a factor less.
    fn without(&mut self, product: Product, atom: u32) -> Product {
        let once = Product {
            coefficient: Fraction::ONE,
            factors: Powers::from_slice(&[(atom, -1)]),
        };
        self.times(product, &once)
    }

    /// What is common taken out; not of 0.1·x + 0.2·x, since 0.1 + 0.2 says no more.
    fn taken_out(&mut self, sum: Addends) -> Addends {
        let product = self.as_product(sum.clone());
        let numbers = |(atom, _): &(u32, i32)| {
            matches!(self.atom(*atom), Atom::Sum(_)) && self.facts(*atom).first == u32::MAX
        };
        if product.factors.iter().any(numbers) {
            return sum;
        }
        self.as_sum(product)
    }

    /// A factor that is a sum, to be multiplied out: first one that has
    /// denominators, so that they meet what cancels them.
    fn sum_factor(&self, product: &Product) -> Option<(u32, u32)> {
        let mut found = None;
        for &(atom, exponent) in &product.factors {
            if let Atom::Sum(sum) = self.atom(atom)
                && exponent > 0
            {
                if self.sum(*sum).iter().any(has_denominator) {
                    return Some((atom, *sum));
                }
                found = found.or(Some((atom, *sum)));
            }
        }
        found
    }

    /// All products of sums multiplied out.
    fn expanded(&mut self, sum: &Addends) -> Option<Addends> {
        let mut waiting: Vec<Product> = sum.iter().rev().cloned().collect();
        let mut done = Collector::default();
        let mut steps = 0;
        while let Some(product) = waiting.pop() {
            let Some((atom, inner)) = self.sum_factor(&product) else {
                done.add(product);
                continue;
            };
            let rest = self.without(product, atom);
            let inner = self.sum(inner).clone();
            steps += inner.len();
            if steps > EXPANDED || done.len() + waiting.len() > EXPANDED || self.work == 0 {
                return None;
            }
            for term in inner.iter().rev() {
                waiting.push(self.times(rest.clone(), term));
            }
        }
        Some(done.sum())
    }

    /// The sum over its common denominator, if the numerator is one term then, or
    /// has one of the denominators as a factor: 1/p + 1/(1 − p) = 1/(p(1 − p)).
    fn over_one_denominator(&mut self, sum: &Addends) -> Option<Addends> {
        let mut denominator = Product::one();
        for product in sum {
            for &(atom, exponent) in &product.factors {
                let missing = -exponent - denominator.exponent(atom);
                if exponent < 0 && missing > 0 {
                    let power = self.power(&Product::atom(atom), missing)?;
                    denominator = self.times(denominator, &power);
                }
            }
        }
        let mut above = Addends::new();
        for product in sum {
            above.push(self.times(product.clone(), &denominator));
        }
        let mut above = self.expanded(&above)?;
        let mut rest = self.power(&denominator, -1)?;
        let mut divides = above.len() == 1;
        for (atom, _) in denominator.factors {
            let Atom::Sum(divisor) = *self.atom(atom) else {
                continue;
            };
            let divisor = self.sum(divisor).clone();
            while above.len() > 1
                && let Some(quotient) = self.divided_exactly(&above, &divisor)
            {
                above = quotient;
                rest = self.times(rest, &Product::atom(atom));
                divides = true;
            }
        }
        if !divides {
            return None;
        }
        let above = self.as_product(above);
        let product = self.times(rest, &above);
        Some(self.as_sum(product))
    }

    /// The quotient of two polynomials, if there is no remainder.
    fn divided_exactly(&mut self, sum: &Addends, divisor: &Addends) -> Option<Addends> {
        let is_polynomial = |sum: &Addends| !sum.iter().any(has_denominator);
        if !is_polynomial(sum) || !is_polynomial(divisor) {
            return None;
        }
        let leader = self.power(leading(divisor)?, -1)?;
        let mut rest = sum.clone();
        let mut quotient = Addends::new();
        while let Some(first) = leading(&rest) {
            let term = self.times(first.clone(), &leader);
            if has_denominator(&term) || quotient.len() > TERMS || self.work == 0 {
                return None;
            }
            for subtrahend in divisor {
                rest.push(self.times(term.clone(), subtrahend).negated());
            }
            rest = self.collected(rest);
            quotient.push(term);
        }
        Some(quotient)
    }
}

/// The term of a polynomial that is first in an order that products keep: by the
/// exponent of the first atom in which two differ.
fn leading(sum: &Addends) -> Option<&Product> {
    let order = |a: &&Product, b: &&Product| {
        let atoms = a.factors.iter().chain(&b.factors).map(|(atom, _)| *atom);
        let differ = atoms
            .filter(|&atom| a.exponent(atom) != b.exponent(atom))
            .min();
        differ.map_or(Ordering::Equal, |atom| {
            a.exponent(atom).cmp(&b.exponent(atom))
        })
    };
    sum.iter().max_by(order)
}

fn has_denominator(product: &Product) -> bool {
    product.factors.iter().any(|(_, exponent)| *exponent < 0)
}
