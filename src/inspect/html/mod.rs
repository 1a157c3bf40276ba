//! The page: one self-contained HTML file in which the tape can be stepped
//! through, forwards and backwards, and evaluated at other numbers.
//!
//! The tape travels as data. The page has the values of the table's operations in
//! JavaScript, and no derivative: the partials travel as programs that are the
//! table's rules read with `Var` (`rules.rs`). Where nodes go is decided here too.

mod data;
mod formulas;
mod rules;

use super::{Subject, View};
use crate::graph::Operand;
use crate::graph::escaped;
use crate::ops::Op;
use crate::tape::Adjoints;
use crate::tape::Tape;
use crate::tape::Var;
use std::collections::BTreeSet;
use std::fmt;

/// A page: one self-contained HTML file, made by [`html`].
#[derive(Clone, Debug)]
pub struct Html {
    title: String,
    introduction: String,
    groups: Vec<(String, Vec<usize>)>,
    sliders: Vec<(usize, f64, f64)>,
    chapters: Vec<Chapter>,
}

/// A part of a derivation that a page walks through: a text, and derivatives with
/// formulas beside them that a person derived by hand.
#[derive(Clone, Debug, Default)]
pub struct Chapter {
    title: String,
    paragraphs: Vec<String>,
    comparisons: Vec<HandDerivation>,
}

/// A derivative of the engine beside a formula derived by hand.
#[derive(Clone, Debug)]
struct HandDerivation {
    what: String,
    of: usize,
    wrt: usize,
    by_hand: Operand,
}

impl Chapter {
    /// An empty chapter.
    pub fn new(title: &str) -> Self {
        let title = title.to_owned();
        Self {
            title,
            ..Self::default()
        }
    }

    /// Adds a paragraph of text.
    #[must_use]
    pub fn text(mut self, paragraph: &str) -> Self {
        self.paragraphs.push(paragraph.to_owned());
        self
    }

    /// Adds a derivative, `of` one node with respect to another (`wrt`), and beside
    /// it a formula that a person derived, recorded on the same tape, so that the
    /// page evaluates it too. Record it after the output, which then does not depend
    /// on it.
    ///
    /// # Panics
    /// If `of` or `wrt` is a constant.
    #[must_use]
    #[track_caller]
    pub fn compare(mut self, what: &str, [of, wrt]: [Var<'_>; 2], by_hand: Var<'_>) -> Self {
        let index = |var: Var<'_>| match var.id() {
            Some(id) => id.index(),
            None => crate::error::Error::NotANode {
                what: "a derivative",
                value: var.value(),
            }
            .stop(),
        };
        self.comparisons.push(HandDerivation {
            what: what.to_owned(),
            of: index(of),
            wrt: index(wrt),
            by_hand: match by_hand.id() {
                Some(id) => Operand::Node(id),
                None => Operand::Constant(by_hand.value()),
            },
        });
        self
    }
}

/// A page of what a tape or a sweep holds: one self-contained HTML file.
///
/// It shows the graph, steps through both sweeps, and computes everything again
/// where the reader changes an input. Of more than 4000 nodes the last ones are
/// kept; those before stand as if they were inputs. Of a tape that nobody swept it
/// shows the derivatives of its last node.
///
/// ```
/// use chainrule::{Tape, inspect};
/// let tape = Tape::new();
/// let x = tape.var(2.0).named("x");
/// let y = x.sin().named("y");
/// let page = inspect::html(&y.backward()).title("A sine").to_string();
/// assert!(page.starts_with("<!doctype html>"));
/// ```
///
/// # Panics
/// If the tape's values have changed since the sweep; also the result, where it is
/// written.
#[track_caller]
pub fn html<'a>(subject: impl Into<Subject<'a>>) -> View<'a, Html> {
    let subject = subject.into();
    if let Some(adjoints) = subject.adjoints {
        adjoints.expect_current();
    }
    let page = Html {
        title: "A computational graph, forwards and backwards".to_owned(),
        introduction: "Each box is one operation. Forwards, it computes its value from those on \
                       its left. Backwards, it passes its adjoint, the derivative of the output \
                       with respect to it, on to them: multiplied by the partial on the edge."
            .to_owned(),
        groups: Vec::new(),
        sliders: Vec::new(),
        chapters: Vec::new(),
    };
    View::new(subject, page).limit(4000).digits(4)
}

impl Tape {
    /// The tape as a page, as [`html`](html()) makes it.
    pub fn html(&self) -> View<'_, Html> {
        html(self)
    }
}

impl Adjoints<'_> {
    /// What leads to the output as a page, as [`html`](html()) makes it.
    ///
    /// # Panics
    /// As [`table`](Adjoints::table).
    #[track_caller]
    pub fn html(&self) -> View<'_, Html> {
        html(self)
    }
}

impl View<'_, Html> {
    /// Gives the page a title.
    #[must_use]
    pub fn title(mut self, title: &str) -> Self {
        title.clone_into(&mut self.format.title);
        self
    }

    /// Gives the page other words to begin with.
    #[must_use]
    pub fn introduction(mut self, text: &str) -> Self {
        text.clone_into(&mut self.format.introduction);
        self
    }

    /// Says what some inputs are, such as parameters: they are marked so, and are
    /// one box where groups are drawn.
    ///
    /// # Panics
    /// If one of them is a node of another tape.
    #[must_use]
    #[track_caller]
    pub fn group(mut self, name: &str, inputs: &[Var<'_>]) -> Self {
        let inputs = self.subject.leaves(inputs);
        self.format.groups.push((name.to_owned(), inputs));
        self
    }

    /// Lets the reader move an input between these numbers; if it is not called,
    /// between ±4 or twice its value.
    ///
    /// # Panics
    /// If it is a node of another tape.
    #[must_use]
    #[track_caller]
    pub fn slider(mut self, input: Var<'_>, low: f64, high: f64) -> Self {
        for index in self.subject.leaves(&[input]) {
            self.format.sliders.push((index, low, high));
        }
        self
    }

    /// Adds a chapter.
    #[must_use]
    pub fn chapter(mut self, chapter: Chapter) -> Self {
        self.format.chapters.push(chapter);
        self
    }
}

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
/// What the list of values is made of, and what uses it.
const HELPERS: &str = include_str!("values.js");
const SCRIPT: [&str; 4] = [
    include_str!("engine.js"),
    include_str!("drawing.js"),
    include_str!("panels.js"),
    include_str!("page.js"),
];

/// Writes the page: the parts of `PAGE` between marks, and what they stand for.
impl fmt::Display for View<'_, Html> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = PAGE;
        while let Some((before, after)) = rest.split_once("{{") {
            let (mark, after) = after.split_once("}}").expect("a mark ends");
            f.write_str(before)?;
            match mark {
                "style" => f.write_str(STYLE)?,
                "script" => {
                    f.write_str(HELPERS)?;
                    write_values(f)?;
                    SCRIPT.iter().try_for_each(|part| f.write_str(part))?;
                }
                "title" => f.write_str(&escaped(&self.format.title))?,
                "introduction" => f.write_str(&escaped(&self.format.introduction))?,
                "data" => self.write_data(f)?,
                _ => self.write_plain(f)?,
            }
            rest = after;
        }
        f.write_str(rest)
    }
}

/// The values of all operations, by name, each a function of the list of its operands and of the
/// list of its own constants.
fn write_values(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("const VALUES = {\n")?;
    for op in Op::ALL {
        let (name, javascript) = (op.name(), op.javascript());
        match op.arity() {
            Some(_) => writeln!(f, "  {name}: (xs) => ({javascript})(...xs),")?,
            None => writeln!(f, "  {name}: {javascript},")?,
        }
    }
    f.write_str("};\n")
}

impl View<'_, Html> {
    /// The nodes as a plain table, for a browser that runs no programs.
    fn write_plain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = View::new(self.subject, super::Table).limit(200).to_string();
        for line in table.lines() {
            writeln!(f, "{}", escaped(line))?;
        }
        Ok(())
    }

    /// The outputs and their weights: of a tape that was not swept its last node.
    fn seeds(&self) -> Vec<(usize, f64)> {
        match self.subject.adjoints {
            Some(adjoints) => {
                let seeds = adjoints.seeds().iter();
                seeds.map(|(id, weight)| (*id as usize, *weight)).collect()
            }
            None => self
                .subject
                .len
                .checked_sub(1)
                .map(|last| (last, 1.0))
                .into_iter()
                .collect(),
        }
    }
}

/// The nodes that hand-derived formulas need and the drawing does not have, in the
/// order of the tape.
fn beside(subject: &Subject<'_>, drawn: &[usize], chapters: &[Chapter]) -> Vec<usize> {
    let mut waiting: Vec<usize> = Vec::new();
    for comparison in chapters.iter().flat_map(|chapter| &chapter.comparisons) {
        waiting.extend([comparison.of, comparison.wrt]);
        waiting.extend(comparison.by_hand.node().map(|id| id as usize));
    }
    let mut found = BTreeSet::new();
    while let Some(index) = waiting.pop() {
        if drawn.binary_search(&index).is_ok() || !found.insert(index) {
            continue;
        }
        let tape = subject.tape.expect("a node has a tape");
        let node = tape.node(crate::graph::NodeId(index as u32));
        waiting.extend(
            node.operands
                .iter()
                .filter_map(Operand::node)
                .map(|id| id as usize),
        );
    }
    found.into_iter().collect()
}
