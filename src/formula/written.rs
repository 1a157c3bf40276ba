//! What a formula is written as: plain text, LaTeX or MathML, by the writer of each.

use super::{Formula, latex, lets, mathml, text};
use std::fmt;

/// Plain text. Large expressions are written with bindings and cut, see
/// [`Formula`].
impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&text::write(&lets::plain(self)))
    }
}

impl Formula {
    /// The expression in LaTeX, for math mode. Quotients are fractions; `w1` is
    /// w₁, `alpha` is α. Large expressions are written with bindings in an
    /// `aligned` environment, and cut, see [`Formula`].
    pub fn latex(&self) -> String {
        latex::write(&lets::plain(self))
    }

    /// The expression as presentation MathML: a complete `<math>` element of the
    /// Core subset, which browsers render without help. Large expressions are
    /// written with bindings in a table, and cut, see [`Formula`].
    pub fn mathml(&self) -> String {
        mathml::write(&lets::plain(self))
    }

    /// A view that binds every subexpression that occurs more than once to a
    /// name of its own, before the expression.
    ///
    /// ```
    /// let tape = chainrule::Tape::new();
    /// let x = tape.var(2.0).named("x");
    /// let s = x.sin();
    /// let text = (s + s.sqrt()).formula().with_lets().to_string();
    /// assert_eq!(text, "let t1 = sin(x)\nt1 + √t1");
    /// ```
    pub fn with_lets(&self) -> WithLets<'_> {
        WithLets { formula: self }
    }
}

/// A formula with what it shares bound to names; see [`Formula::with_lets`].
#[derive(Clone, Copy, Debug)]
pub struct WithLets<'f> {
    formula: &'f Formula,
}

impl WithLets<'_> {
    /// In LaTeX, as [`Formula::latex`].
    pub fn latex(self) -> String {
        latex::write(&lets::shared(self.formula))
    }

    /// In MathML, as [`Formula::mathml`].
    pub fn mathml(self) -> String {
        mathml::write(&lets::shared(self.formula))
    }
}

/// One line for each binding, `let t1 = …`, and one for the expression.
impl fmt::Display for WithLets<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::write(&lets::shared(self.formula)))
    }
}
