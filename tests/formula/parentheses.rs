//! Read back, does a printed formula mean what was recorded? A small reader of
//! plain text, and random expressions.

use crate::common::Random;
use chainrule::{Tape, Var};

/// An expression, as it is made and as it is read.
#[derive(Clone, Debug, PartialEq)]
enum Tree {
    Number(f64),
    Name(String),
    Neg(Box<Tree>),
    Sum(Vec<Tree>),
    Product(Vec<Tree>),
    Quotient(Box<Tree>, Box<Tree>),
    Power(Box<Tree>, Box<Tree>),
    Call(String, Box<Tree>),
}

use Tree::{Call, Name, Neg, Number, Power, Product, Quotient, Sum};

/// Sums in sums and products in products are one, since both are associative; the
/// sign of a number at the head of a product or quotient is that of the whole.
fn sum(addends: Vec<Tree>) -> Tree {
    let splice = |tree| match tree {
        Sum(inner) => inner,
        other => vec![other],
    };
    Sum(addends.into_iter().flat_map(splice).collect())
}

fn product(factors: Vec<Tree>) -> Tree {
    let splice = |tree| match tree {
        Product(inner) => inner,
        other => vec![other],
    };
    let mut factors: Vec<Tree> = factors.into_iter().flat_map(splice).collect();
    match &factors[0] {
        Neg(number) if matches!(**number, Number(_)) => {
            factors[0] = (**number).clone();
            Neg(Box::new(Product(factors)))
        }
        _ => Product(factors),
    }
}

fn quotient(above: Tree, below: Tree) -> Tree {
    match above {
        Neg(number) if matches!(*number, Number(_)) => {
            Neg(Box::new(Quotient(number, Box::new(below))))
        }
        above => Quotient(Box::new(above), Box::new(below)),
    }
}

fn number(value: f64) -> Tree {
    if value < 0.0 {
        Neg(Box::new(Number(-value)))
    } else {
        Number(value)
    }
}

struct Reader<'s> {
    rest: &'s str,
}

impl Reader<'_> {
    /// The expression that a text is, if it is one.
    fn read(text: &str) -> Option<Tree> {
        let mut reader = Reader { rest: text };
        let tree = reader.sum()?;
        reader.rest.is_empty().then_some(tree)
    }

    fn eat(&mut self, sign: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(sign)?;
        Some(())
    }

    fn take(&mut self, is_part: impl Fn(char) -> bool) -> String {
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken.to_owned()
    }

    fn sum(&mut self) -> Option<Tree> {
        let mut addends = vec![match self.eat("−") {
            Some(()) => Neg(Box::new(self.product()?)),
            None => self.product()?,
        }];
        loop {
            if self.eat(" + ").is_some() {
                addends.push(self.product()?);
            } else if self.eat(" − ").is_some() {
                addends.push(Neg(Box::new(self.product()?)));
            } else if addends.len() == 1 {
                return addends.pop();
            } else {
                return Some(sum(addends));
            }
        }
    }

    fn product(&mut self) -> Option<Tree> {
        let mut all = self.power()?;
        loop {
            if self.eat("·").is_some() {
                all = product(vec![all, self.power()?]);
            } else if self.eat("/").is_some() {
                all = quotient(all, self.power()?);
            } else {
                return Some(all);
            }
        }
    }

    fn power(&mut self) -> Option<Tree> {
        if self.eat("√").is_some() {
            return Some(Call("sqrt".to_owned(), Box::new(self.atom()?)));
        }
        let base = self.atom()?;
        let raised = self.take(|c| "⁰¹²³⁴⁵⁶⁷⁸⁹".contains(c));
        let exponent = if self.eat("^").is_some() {
            self.atom()?
        } else if raised.is_empty() {
            return Some(base);
        } else {
            let digit = |c| "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().position(|d| d == c).unwrap();
            let digits: String = raised.chars().map(|c| digit(c).to_string()).collect();
            Number(digits.parse().unwrap())
        };
        if base == Name("e".to_owned()) {
            return Some(Call("exp".to_owned(), Box::new(exponent)));
        }
        Some(Power(Box::new(base), Box::new(exponent)))
    }

    fn atom(&mut self) -> Option<Tree> {
        if self.eat("(").is_some() {
            let inner = self.sum()?;
            self.eat(")")?;
            return Some(inner);
        }
        if self.eat("|").is_some() {
            let inner = self.sum()?;
            self.eat("|")?;
            return Some(Call("abs".to_owned(), Box::new(inner)));
        }
        let digits = self.take(|c| c.is_ascii_digit() || c == '.');
        if !digits.is_empty() {
            return digits.parse().ok().map(Number);
        }
        let name = self.take(|c| c.is_alphabetic() || c.is_ascii_digit());
        if name.is_empty() || self.eat("(").is_none() {
            return (!name.is_empty()).then_some(Name(name));
        }
        let inner = self.sum()?;
        self.eat(")")?;
        Some(Call(name, Box::new(inner)))
    }
}

/// A random expression: recorded, and as a tree.
fn expression<'t>(random: &mut Random, inputs: &[Var<'t>], depth: u32) -> (Var<'t>, Tree) {
    if depth == 0 || random.below(8) == 0 {
        let input = inputs[random.below(inputs.len())];
        return (input, Name(input.name().unwrap().to_string()));
    }
    let (a, left) = expression(random, inputs, depth - 1);
    let boxed = Box::new(left.clone());
    let call = |name: &str| Call(name.to_owned(), boxed.clone());
    match random.below(9) {
        0 => return (-a, Neg(boxed)),
        1 => return (a.recip(), quotient(Number(1.0), left)),
        2 => return (a.square(), Power(boxed, Box::new(Number(2.0)))),
        3 => return (a.exp(), call("exp")),
        4 => match random.below(4) {
            0 => return (a.sqrt(), call("sqrt")),
            1 => return (a.abs(), call("abs")),
            2 => return (a.sigmoid(), call("σ")),
            _ => return (a.ln(), call("ln")),
        },
        _ => {}
    }
    let (b, right) = if random.below(4) == 0 {
        let value = [2.0, -2.0, 0.5, -1.0, 3.0][random.below(5)];
        (Var::from(value), number(value))
    } else {
        expression(random, inputs, depth - 1)
    };
    let swap = random.below(2) == 0;
    let (a, b) = if swap { (b, a) } else { (a, b) };
    let (left, right) = if swap { (right, left) } else { (left, right) };
    match random.below(5) {
        0 => (a + b, sum(vec![left, right])),
        1 => (a - b, sum(vec![left, Neg(Box::new(right))])),
        2 => (a * b, product(vec![left, right])),
        3 => (a / b, quotient(left, right)),
        _ => (a.pow(b), Power(Box::new(left), Box::new(right))),
    }
}

#[test]
fn random_expressions_are_read_back_as_they_were_recorded() {
    let mut random = Random(17);
    let mut deep = 0;
    for _ in 0..5_000 {
        let tape = Tape::new();
        let inputs = ["x", "y", "w1"].map(|name| tape.var(0.7).named(name));
        let depth = 1 + random.below(5) as u32;
        let (node, tree) = expression(&mut random, &inputs, depth);
        let text = node.formula().to_string();
        assert_eq!(Reader::read(&text), Some(tree), "{text}");
        deep += usize::from(text.matches('(').count() > 3);
    }
    assert!(deep > 300, "{deep}");
}

#[test]
fn no_pair_of_parentheses_can_be_left_out() {
    let mut random = Random(23);
    let mut tried = 0;
    for _ in 0..600 {
        let tape = Tape::new();
        let inputs = ["x", "y", "w1"].map(|name| tape.var(0.7).named(name));
        let (node, tree) = expression(&mut random, &inputs, 3);
        let text = node.formula().to_string();
        for (open, _) in text.match_indices('(') {
            let called = text[..open].ends_with(char::is_alphabetic);
            let close = open + closing(&text[open..]);
            if called {
                continue;
            }
            let without = format!(
                "{}{}{}",
                &text[..open],
                &text[open + 1..close],
                &text[close + 1..]
            );
            assert_ne!(
                Reader::read(&without),
                Some(tree.clone()),
                "{text} is {without}"
            );
            tried += 1;
        }
    }
    assert!(tried > 300, "{tried}");
}

/// The place of the parenthesis that closes the first.
fn closing(text: &str) -> usize {
    let mut open = 0;
    for (at, c) in text.char_indices() {
        open += i32::from(c == '(') - i32::from(c == ')');
        if open == 0 {
            return at;
        }
    }
    panic!("{text} is not closed")
}

#[test]
fn the_reader_tells_groupings_apart() {
    let differ = [
        ("a − (b − c)", "a − b − c"),
        ("(a + b)·c", "a + b·c"),
        ("(−a)²", "−a²"),
    ];
    for (first, second) in differ {
        assert_ne!(Reader::read(first), Reader::read(second));
    }
}
