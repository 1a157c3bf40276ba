//! What a row of the table says of an operation besides its mathematics: how it is written, where
//! tests sample it, what it is in JavaScript.

/// How an operation is written. The number is how strongly it binds, from 1
/// (sums) to 9 (atoms).
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Notation {
    /// `name(a, b, …)`
    Call(&'static str),
    /// `symbol a`
    Prefix(&'static str, u8),
    /// `a symbol b symbol …`
    Infix(&'static str, u8),
    /// A text in which `{0}`, `{1}` … stand for the operands.
    Template(&'static str, u8),
}

/// How mathematics writes an operation in a way that its `Notation` cannot say: √x, eˣ. Each
/// operand stands in it once.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Written {
    /// An operand, by its number.
    Operand(usize),
    Number(f64),
    /// The base of natural logarithms.
    Euler,
    Negated(&'static Written),
    Added(&'static [Written]),
    Multiplied(&'static [Written]),
    Over(&'static Written, &'static Written),
    Raised(&'static Written, &'static Written),
    /// The square root or another.
    Root(u8, &'static Written),
    Magnitude(&'static Written),
    /// A function of something.
    Of(&'static str, &'static Written),
    /// The sum of the powers of e by all operands.
    AddedPowers,
    /// Of four operands the third where the first is so related to the second, else the fourth.
    Choice(&'static str),
    /// Where the second of two operands is the number 0, a function of the first one.
    AgainstZero(&'static str),
}

/// What a function of −x is: that of x, or its negative.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Parity {
    Even,
    /// Its value at 0 is 0.
    Odd,
}

/// What a row says of an operation besides its mathematics.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(super) name: &'static str,
    pub(super) notation: Notation,
    /// One interval for each operand; for n-ary operations as many as tests sample.
    pub(super) samples: &'static [(f64, f64)],
    pub(super) javascript: &'static str,
    pub(super) written: Option<Written>,
    pub(super) latex: Option<&'static str>,
    pub(super) parity: Option<Parity>,
}

impl Notation {
    /// Begins a row, with the intervals on which tests sample the operands.
    pub(super) const fn on(self, samples: &'static [(f64, f64)]) -> Entry {
        Entry {
            name: "",
            notation: self,
            samples,
            javascript: "",
            written: None,
            latex: None,
            parity: None,
        }
    }
}

impl Entry {
    /// Ends a row, with the operation's name and what it is in JavaScript: a function of its
    /// operands; of one on any number of operands, a function of their list and the list of the
    /// operation's own constants.
    pub(super) const fn named(mut self, name: &'static str, javascript: &'static str) -> Self {
        self.name = name;
        self.javascript = javascript;
        self
    }

    /// How formulas write it, if not by its notation.
    pub(super) const fn written(mut self, written: Written) -> Self {
        self.written = Some(written);
        self
    }

    /// The command that LaTeX has for its name.
    pub(super) const fn latex(mut self, command: &'static str) -> Self {
        self.latex = Some(command);
        self
    }

    /// f(−x) = f(x).
    pub(super) const fn even(mut self) -> Self {
        self.parity = Some(Parity::Even);
        self
    }

    /// f(−x) = −f(x).
    pub(super) const fn odd(mut self) -> Self {
        self.parity = Some(Parity::Odd);
        self
    }
}
