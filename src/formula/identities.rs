//! What is known of functions: σ(−x) = 1 − σ(x), e^{a−b} = e^a/e^b, √x² = x.
//!
//! There are no derivatives here. The partials of the table are written so as to
//! keep their digits, such as σ(x)·σ(−x); these identities lead back to the form
//! that a person writes. Each holds wherever both sides are finite.

use super::algebra::{Addends, Algebra, Atom, Collector, Product, fraction, negated};
use super::exact::Fraction;
use crate::ops::{Op, Parity};

/// Whole exponents beyond this stay with `pow`.
const EXPONENT: i64 = 64;
/// So deep identities are applied inside each other.
pub(super) const DEPTH: u32 = 16;

fn one() -> Addends {
    vec![Product::one()]
}

impl Algebra {
    /// An operation on normal forms, in normal form.
    pub(super) fn apply(&mut self, op: Op, mut x: Vec<Addends>) -> Addends {
        if let Some(known) = self.picked(op, &x) {
            return known;
        }
        match op {
            Op::Neg => negated(&x[0]),
            Op::Add | Op::Sum => self.added(x),
            Op::Sub => {
                x[1] = negated(&x[1]);
                self.added(x)
            }
            Op::Mul | Op::Product => {
                let mut product = Product::one();
                for factor in x {
                    let factor = self.as_product(factor);
                    product = self.times(product, &factor);
                }
                self.tidy_product(product)
            }
            Op::Div => self.divided(x),
            Op::Recip => self.powered(Op::Recip, x, -1),
            Op::Square => self.powered(Op::Square, x, 2),
            Op::OneMinusSquare => {
                let square = self.powered(Op::Square, x, 2);
                self.added(vec![one(), negated(&square)])
            }
            Op::Pow => self.pow(x),
            Op::XLnY => {
                let logarithm = self.apply(Op::Ln, vec![x.remove(1)]);
                self.apply(Op::Mul, vec![x.remove(0), logarithm])
            }
            Op::Exp => {
                let product = self.exp(&x[0]);
                self.tidy_product(product)
            }
            Op::ExpM1 => {
                let power = self.apply(Op::Exp, x);
                self.added(vec![power, negated(&one())])
            }
            Op::Ln => self.ln(x),
            Op::Ln1p => {
                let sum = self.added(vec![one(), x.remove(0)]);
                self.ln(vec![sum])
            }
            Op::Sigmoid => self.sigmoid(x),
            Op::Hypot => {
                let mut squares = Vec::with_capacity(2);
                for x in x {
                    squares.push(self.powered(Op::Square, vec![x], 2));
                }
                let sum = self.added(squares);
                self.function(Op::Sqrt, vec![sum])
            }
            Op::SelectLt | Op::SelectLe | Op::SelectEq => self.select(op, x),
            Op::Atan2 => {
                self.needs_sign_of_zero |= x.iter().any(Vec::is_empty);
                self.function(op, x)
            }
            _ => match op.parity() {
                Some(parity) => self.with_parity(op, x, parity),
                None => self.function(op, x),
            },
        }
    }

    fn tidy_product(&mut self, product: Product) -> Addends {
        let sum = self.as_sum(product);
        self.tidy(sum)
    }

    pub(super) fn added(&mut self, x: Vec<Addends>) -> Addends {
        let sum = self.collected(x.into_iter().flatten().collect());
        self.tidy(sum)
    }

    /// A sum with like terms together.
    pub(super) fn collected(&mut self, sum: Addends) -> Addends {
        self.spend(sum.len());
        let mut all = Collector::default();
        for product in sum {
            all.add(product);
        }
        all.sum()
    }

    fn divided(&mut self, x: Vec<Addends>) -> Addends {
        let parts: Vec<Product> = x.iter().map(|sum| self.as_product(sum.clone())).collect();
        match self.power(&parts[1], -1) {
            Some(inverse) => {
                let quotient = self.times(parts[0].clone(), &inverse);
                self.tidy_product(quotient)
            }
            None => self.function(Op::Div, x),
        }
    }

    /// A whole power, or the operation as it is.
    fn powered(&mut self, op: Op, x: Vec<Addends>, exponent: i32) -> Addends {
        let base = self.as_product(x[0].clone());
        match self.power(&base, exponent) {
            Some(power) => self.tidy_product(power),
            None => self.function(op, x),
        }
    }

    fn pow(&mut self, x: Vec<Addends>) -> Addends {
        if fraction(&x[0]) == Some(Fraction::ONE) {
            return one();
        }
        match fraction(&x[1]) {
            Some(n) if n.is_whole() && n.above.abs() <= EXPONENT => {
                self.powered(Op::Pow, x, n.above as i32)
            }
            Some(Fraction { above: 1, below: 2 }) => self.function(Op::Sqrt, vec![x[0].clone()]),
            _ => self.function(Op::Pow, x),
        }
    }

    /// e to the power of a sum: logarithms in it become factors, and a whole
    /// coefficient an exponent, so that e^{a−ln b} = e^a/b and e^{−a} = 1/e^a.
    pub(super) fn exp(&mut self, x: &Addends) -> Product {
        let mut product = Product::one();
        let mut rest = Collector::default();
        for term in x {
            match self.exponential_of(term) {
                Some(factor) => product = self.times(product, &factor),
                None => rest.add(term.clone()),
            }
        }
        let rest = rest.sum();
        if rest.is_empty() {
            return product;
        }
        let mut base = self.as_product(rest);
        let Fraction { above, below } = base.coefficient;
        let exponent = if above.abs() <= EXPONENT {
            above as i32
        } else {
            above.signum() as i32
        };
        base.coefficient = Fraction {
            above: above / i64::from(exponent),
            below,
        };
        let base = self.as_sum(base);
        let power = self.atom_of(Op::Exp, vec![base]);
        let power = self.power(&power, exponent).unwrap_or_else(Product::one);
        self.times(product, &power)
    }

    /// e to the power of c·ln u, or of what is such a logarithm.
    fn exponential_of(&mut self, term: &Product) -> Option<Product> {
        let coefficient = term.coefficient;
        let [(atom, 1)] = term.factors[..] else {
            return None;
        };
        if !coefficient.is_whole() || coefficient.above.abs() > EXPONENT {
            return None;
        }
        let base = match self.exponentials.get(&atom) {
            Some(base) => base.clone(),
            None => self.exponential_of_atom(atom)?,
        };
        self.power(&base, coefficient.above as i32)
    }

    pub(super) fn exponential_of_atom(&mut self, atom: u32) -> Option<Product> {
        let Atom::Apply(op, x) = self.atom(atom).clone() else {
            return None;
        };
        match op {
            Op::Ln => Some(self.as_product(self.sum(x[0]).clone())),
            Op::LogSumExp | Op::LogAddExp if self.depth < DEPTH && self.work > 0 => {
                self.depth += 1;
                let mut all = Collector::default();
                for sum in x {
                    let exponent = self.sum(sum).clone();
                    all.add(self.exp(&exponent));
                }
                self.depth -= 1;
                let sum = self.tidy(all.sum());
                Some(self.as_product(sum))
            }
            _ => None,
        }
    }

    fn ln(&mut self, x: Vec<Addends>) -> Addends {
        if fraction(&x[0]) == Some(Fraction::ONE) {
            return Addends::new();
        }
        if let [product] = &x[0][..]
            && let ([(atom, exponent)], true) = (&product.factors[..], product.coefficient.is_one())
            && let Atom::Apply(Op::Exp, inner) = self.atom(*atom)
        {
            let exponent = Product::constant(Fraction::whole(i64::from(*exponent)));
            let inner = self.sum(inner[0]).clone();
            return self.apply(Op::Mul, vec![vec![exponent], inner]);
        }
        self.function(Op::Ln, x)
    }

    /// σ(−x) = 1 − σ(x)
    fn sigmoid(&mut self, x: Vec<Addends>) -> Addends {
        let argument = self.as_product(x[0].clone());
        if argument.coefficient.above >= 0 {
            return self.function(Op::Sigmoid, x);
        }
        let argument = self.as_sum(argument.negated());
        let mirrored = self.function(Op::Sigmoid, vec![argument]);
        self.added(vec![one(), negated(&mirrored)])
    }

    /// f(−x) = ±f(x), and what f(0) is.
    fn with_parity(&mut self, op: Op, x: Vec<Addends>, parity: Parity) -> Addends {
        if x[0].is_empty() {
            return self.number(op.value_1(0.0));
        }
        let argument = self.as_product(x[0].clone());
        if argument.coefficient.above > 0 {
            return self.function(op, x);
        }
        let argument = self.as_sum(argument.negated());
        let mirrored = self.function(op, vec![argument]);
        match parity {
            Parity::Odd => negated(&mirrored),
            Parity::Even => mirrored,
        }
    }

    /// A number, of which 0 has no terms.
    fn number(&mut self, value: f64) -> Addends {
        let sum = vec![self.constant(value)];
        match fraction(&sum) {
            Some(Fraction::ZERO) => Addends::new(),
            _ => sum,
        }
    }

    /// Where an operation only picks or compares numbers, the number.
    fn picked(&mut self, op: Op, x: &[Addends]) -> Option<Addends> {
        if !op.is_branch() || op.arity().is_none() {
            return None;
        }
        let mut values = [0.0; 2];
        for (value, x) in values.iter_mut().zip(x) {
            *value = fraction(x).filter(|x| x.is_binary())?.value();
        }
        Some(self.number(super::apply(op, &values[..x.len()])))
    }

    /// A choice between equals, or between numbers; and one that only keeps a
    /// formula from being read where it is not finite, or has the value it has
    /// there anyway: 0 if x = 0 else x/y is x/y.
    fn select(&mut self, op: Op, mut x: Vec<Addends>) -> Addends {
        let values = [fraction(&x[0]), fraction(&x[1])];
        if let [Some(a), Some(b)] = values.map(|x| x.filter(|x| x.is_binary())) {
            let (a, b) = (a.value(), b.value());
            let holds = match op {
                Op::SelectLt => a < b,
                Op::SelectLe => a <= b,
                _ => a == b,
            };
            return x.swap_remove(if holds { 2 } else { 3 });
        }
        let same = self.sum_number(x[2].clone()) == self.sum_number(x[3].clone());
        if same || op == Op::SelectEq && self.is_guard(&x) {
            return x.swap_remove(3);
        }
        self.function(op, x)
    }

    fn is_guard(&mut self, x: &[Addends]) -> bool {
        let is_zero = x[2].is_empty() || self.is_zero_at_origin(x);
        let compared = match (&x[0][..], &x[1][..]) {
            ([one], []) | ([], [one]) => one,
            _ => return false,
        };
        let [(atom, 1)] = compared.factors[..] else {
            return false;
        };
        let mut exponents = x[3].iter().map(|product| product.exponent(atom));
        let vanishes = is_zero && exponents.clone().all(|exponent| exponent > 0);
        vanishes || !x[3].is_empty() && exponents.all(|exponent| exponent < 0)
    }

    /// Whether what is chosen where x = 0 is √x if y is 0, too, and otherwise what is chosen
    /// elsewhere: what `rules::zero_at_origin` makes.
    fn is_zero_at_origin(&mut self, x: &[Addends]) -> bool {
        let (compared, otherwise) = (self.sum_number(x[0].clone()), self.sum_number(x[3].clone()));
        let Some((Op::SelectLt, inner)) = self.application(&x[2]) else {
            return false;
        };
        let root = self.application(self.sum(inner[3]));
        let is_root = matches!(root, Some((Op::Sqrt, of)) if of[0] == compared);
        is_root && inner[2] == otherwise && self.sum(inner[0]).is_empty()
    }

    /// The operation that a sum is, and on which sums.
    fn application(&self, sum: &Addends) -> Option<(Op, &[u32])> {
        let [product] = &sum[..] else {
            return None;
        };
        let ([(atom, 1)], true) = (&product.factors[..], product.coefficient.is_one()) else {
            return None;
        };
        match self.atom(*atom) {
            Atom::Apply(op, operands) => Some((*op, operands)),
            _ => None,
        }
    }

    /// An operation as an atom, or what a rule says it is.
    pub(super) fn function(&mut self, op: Op, x: Vec<Addends>) -> Addends {
        let product = self.atom_of(op, x);
        self.as_sum(product)
    }

    pub(super) fn atom_of(&mut self, op: Op, x: Vec<Addends>) -> Product {
        let simpler = self.reduction(op, &x);
        let x = x.into_iter().map(|sum| self.sum_number(sum)).collect();
        let atom = self.number_of(Atom::Apply(op, x));
        if let Some(rule) = self.rules.get(&atom) {
            return rule.clone();
        }
        if let Some(simpler) = simpler {
            self.reductions.entry(atom).or_insert(simpler);
        }
        Product::atom(atom)
    }

    /// The power of a function that is simpler than the function.
    fn reduction(&mut self, op: Op, x: &[Addends]) -> Option<(i32, Product)> {
        let product = match op {
            Op::Sqrt | Op::Cbrt => self.as_product(x[0].clone()),
            Op::Abs => {
                let inner = self.as_product(x[0].clone());
                self.power(&inner, 2)?
            }
            _ => return None,
        };
        Some((if op == Op::Cbrt { 3 } else { 2 }, product))
    }
}
