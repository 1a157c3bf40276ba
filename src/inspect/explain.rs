//! `explain`: where a derivative comes from, edge by edge and path by path.
//!
//! The nodes between an output and what it is derived by, the rule of the table on
//! each edge, and the products along the paths, whose sum is the derivative.
//! `explained.rs` writes it.

use crate::formula::Formula;
use crate::graph::NodeId;
use crate::ops::Real;
use crate::tape::Tape;
use crate::tape::Var;
use crate::tape::derivative;
use std::collections::HashMap;

/// Of more edges than this, those nearest to the output are listed,
const EDGES: usize = 24;
/// of more paths, the first,
const PATHS: usize = 6;
/// and the product of a path of more edges is given as a number alone.
const FACTORS: usize = 40;
/// A derivative through more edges has no formula.
const FORMULA_EDGES: usize = 400;

/// Where the derivative of one node with respect to another comes from.
///
/// `Display` writes it for a terminal, in at most 100 columns;
/// [`markdown`](Explanation::markdown) as Markdown.
///
/// ```
/// use chainrule::{Tape, explain};
/// let tape = Tape::new();
/// let x = tape.var(2.0).named("x");
/// let s = x.square().named("s");
/// let y = (s * x).named("y");
/// let explanation = explain(y, x).beside("3·x²", 12.0);
/// assert_eq!(explanation.path_count(), 2.0);
/// assert_eq!(explanation.value(), 12.0);
/// assert!(explanation.to_string().contains("y → s → x"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    pub(super) title: String,
    pub(super) of: String,
    pub(super) wrt: String,
    /// The nodes on the way, their operations and values.
    pub(super) nodes: Vec<(String, Formula, f64)>,
    pub(super) edges: Vec<ExplainedEdge>,
    pub(super) edge_count: usize,
    pub(super) paths: Vec<ExplainedPath>,
    pub(super) path_count: f64,
    pub(super) formula: Option<Formula>,
    pub(super) value: f64,
    pub(super) by_hand: Option<(String, f64)>,
}

/// One edge on the way: from a node to one of its operands.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ExplainedEdge {
    /// The node, by its name or number.
    pub from: String,
    /// Its operand.
    pub to: String,
    /// The rule of the table, such as `d ln(x)/dx = 1/x`.
    pub rule: String,
    /// The local derivative.
    pub local: Formula,
    /// The value of the local derivative.
    pub value: f64,
}

/// One path from the output back to what it is derived by.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ExplainedPath {
    /// The nodes along it, by name or number, the output first.
    pub nodes: Vec<String>,
    /// The local derivatives along it.
    pub factors: Vec<Formula>,
    /// Their values.
    pub values: Vec<f64>,
    /// Their product, simplified, unless the path is very long.
    pub product: Option<Formula>,
    /// The value of the product.
    pub value: f64,
}

impl Explanation {
    /// The title, such as dL/dw1.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Another title.
    #[must_use]
    pub fn titled(mut self, title: &str) -> Self {
        title.clone_into(&mut self.title);
        self
    }

    /// Puts a formula that a person derived, and its value, beside the result.
    #[must_use]
    pub fn beside(mut self, formula: &str, value: f64) -> Self {
        self.by_hand = Some((formula.to_owned(), value));
        self
    }

    /// The derivative.
    pub fn value(&self) -> f64 {
        self.value
    }

    /// The derivative as a simplified formula, unless very many nodes are on the
    /// way.
    pub fn formula(&self) -> Option<&Formula> {
        self.formula.as_ref()
    }

    /// The edges on the way, from the output on; at most 24.
    pub fn edges(&self) -> &[ExplainedEdge] {
        &self.edges
    }

    /// How many edges there are.
    pub fn edge_count(&self) -> usize {
        self.edge_count
    }

    /// The first paths, at most 6.
    pub fn paths(&self) -> &[ExplainedPath] {
        &self.paths
    }

    /// How many paths there are; exact below 2⁵³.
    pub fn path_count(&self) -> f64 {
        self.path_count
    }

    /// How far the derivative is from the one put beside it.
    pub fn difference(&self) -> Option<f64> {
        let (_, value) = self.by_hand.as_ref()?;
        Some((self.value - value).abs())
    }
}

/// An edge on the way.
#[derive(Clone, Copy)]
struct PathEdge {
    to: u32,
    partial: f64,
}

/// The nodes between two, and the edges among them that pass something on.
struct Between<'t> {
    tape: &'t Tape,
    of: u32,
    wrt: u32,
    /// For each node on the way its edges.
    edges: HashMap<u32, Vec<PathEdge>>,
    /// The nodes on the way, the output first.
    order: Vec<u32>,
}

impl<'t> Between<'t> {
    fn new(tape: &'t Tape, of: u32, wrt: u32) -> Self {
        let recording = tape.recording.borrow();
        let len = of as usize + 1;
        let mut leads = vec![false; len];
        let mut edges: HashMap<u32, Vec<PathEdge>> = HashMap::new();
        for index in wrt as usize..len {
            leads[index] = index == wrt as usize;
            if leads[index] {
                continue;
            }
            let mut path_edges: Vec<PathEdge> = Vec::new();
            for edge in recording.edges(index) {
                if !leads[edge.operand] || !edge.passes {
                    continue;
                }
                let (to, partial) = (edge.operand as u32, edge.partial);
                match path_edges.iter_mut().find(|edge| edge.to == to) {
                    Some(edge) => edge.partial += partial,
                    None => path_edges.push(PathEdge { to, partial }),
                }
            }
            if !path_edges.is_empty() {
                leads[index] = true;
                edges.insert(index as u32, path_edges);
            }
        }
        let mut order = Vec::new();
        let mut waiting = std::collections::BTreeSet::new();
        if leads.get(of as usize) == Some(&true) {
            waiting.insert(of);
        }
        while let Some(node) = waiting.pop_last() {
            order.push(node);
            let path_edges = edges.get(&node).into_iter().flatten();
            waiting.extend(path_edges.map(|edge| edge.to));
        }
        Self {
            tape,
            of,
            wrt,
            edges,
            order,
        }
    }

    fn at(&self, id: u32) -> Var<'t> {
        self.tape.at(NodeId(id))
    }

    fn path_edges(&self, node: u32) -> &[PathEdge] {
        self.edges.get(&node).map_or(&[], Vec::as_slice)
    }

    fn edge_count(&self) -> usize {
        self.order
            .iter()
            .map(|&node| self.path_edges(node).len())
            .sum()
    }

    /// The number of paths from the output to each node on the way, of which the
    /// last is what is asked: one sweep.
    fn path_count(&self) -> f64 {
        let mut counts = HashMap::from([(self.of, 1.0)]);
        for &node in &self.order {
            let count = counts.get(&node).copied().unwrap_or(0.0);
            for edge in self.path_edges(node) {
                *counts.entry(edge.to).or_insert(0.0) += count;
            }
        }
        if self.order.is_empty() {
            0.0
        } else {
            counts.get(&self.wrt).copied().unwrap_or(0.0)
        }
    }

    /// The first paths, each as its nodes and the partials between them.
    fn paths(&self) -> Vec<(Vec<u32>, Vec<f64>)> {
        let mut paths = Vec::new();
        if self.order.is_empty() {
            return paths;
        }
        let (mut nodes, mut partials, mut next) = (vec![self.of], Vec::new(), vec![0]);
        while let Some(place) = next.pop() {
            let node = nodes[nodes.len() - 1];
            if node == self.wrt {
                paths.push((nodes.clone(), partials.clone()));
                if paths.len() == PATHS {
                    break;
                }
            } else if let Some(edge) = self.path_edges(node).get(place) {
                next.push(place + 1);
                next.push(0);
                nodes.push(edge.to);
                partials.push(edge.partial);
                continue;
            }
            nodes.pop();
            partials.pop();
        }
        paths
    }
}

/// Explains the derivative of one node with respect to another: the nodes and
/// edges between them, the rule of the table on each edge, the product along each
/// path, and their sum.
///
/// Of many edges or paths the first are listed, and the rest counted. The cost is
/// a few passes over the tape up to `of`.
///
/// # Panics
/// If they belong to two tapes.
#[track_caller]
pub fn explain(of: Var<'_>, wrt: Var<'_>) -> Explanation {
    let value = derivative(of, wrt);
    let title = format!("d{}/d{}", label(of), label(wrt));
    let mut explanation = Explanation {
        title,
        of: label(of),
        wrt: label(wrt),
        nodes: Vec::new(),
        edges: Vec::new(),
        edge_count: 0,
        paths: Vec::new(),
        path_count: 0.0,
        formula: None,
        value,
        by_hand: None,
    };
    let (Some((tape, of)), Some((_, wrt))) = (of.place(), wrt.place()) else {
        return explanation;
    };
    let between = Between::new(tape, of, wrt);
    explanation.edge_count = between.edge_count();
    explanation.path_count = between.path_count();
    if explanation.edge_count <= FORMULA_EDGES {
        let formulas = between.at(of).gradient_formulas(&[between.at(wrt)]);
        explanation.formula = formulas.first().map(Formula::simplify);
    }
    let mut locals = HashMap::new();
    for &node in &between.order {
        if explanation.edges.len() >= EDGES || node == wrt {
            break;
        }
        let var = between.at(node);
        let operation = var.operation_formula();
        explanation.nodes.push((label(var), operation, var.value()));
        for edge in between.path_edges(node) {
            let to = between.at(edge.to);
            let local = local(&mut locals, var, to);
            explanation.edges.push(ExplainedEdge {
                from: label(var),
                to: label(to),
                rule: rule(var, to),
                local,
                value: edge.partial,
            });
        }
    }
    explanation.edges.truncate(EDGES);
    for (nodes, values) in between.paths() {
        let vars: Vec<Var<'_>> = nodes.iter().map(|&node| between.at(node)).collect();
        let pairs = vars.windows(2).take(FACTORS);
        let factors: Vec<Formula> = pairs.map(|p| local(&mut locals, p[0], p[1])).collect();
        let whole = factors.len() + 1 == vars.len();
        explanation.paths.push(ExplainedPath {
            nodes: vars.into_iter().map(label).collect(),
            product: whole.then(|| Formula::product(&factors).simplify()),
            factors,
            value: values.iter().product(),
            values,
        });
    }
    explanation
}

/// The local derivative on an edge, simplified; each is made once.
fn local(known: &mut HashMap<(u32, u32), Formula>, from: Var<'_>, to: Var<'_>) -> Formula {
    let number = |var: Var<'_>| var.id().map_or(0, |id| id.index() as u32);
    let edge = (number(from), number(to));
    known
        .entry(edge)
        .or_insert_with(|| from.partial_formula(to).simplify())
        .clone()
}

/// A node's name, or v and its number.
fn label(var: Var<'_>) -> String {
    match (var.name(), var.id()) {
        (Some(name), _) => name.to_string(),
        (None, Some(id)) => format!("v{id}"),
        (None, None) => var.value().to_string(),
    }
}

/// The rule of the table for an edge, with letters for the operands.
fn rule(from: Var<'_>, to: Var<'_>) -> String {
    let (Some(tape), Some(id), Some(wanted)) = (from.tape(), from.id(), to.id()) else {
        return String::new();
    };
    let node = tape.node(id);
    let op = node.op;
    let place = |operand: &crate::graph::Operand| operand.node() == Some(wanted.0);
    let place = node.operands.iter().position(place).unwrap_or(0);
    let many = op.arity().is_none() && node.operands.len() > 3;
    if many || !node.constants.is_empty() {
        return op.name().to_owned();
    }
    let scratch = Tape::new();
    let letters: &[&str] = match op.arity() {
        Some(1) => &["x"],
        _ => &["a", "b", "c"],
    };
    let mut x = Vec::with_capacity(node.operands.len());
    for (i, name) in letters.iter().enumerate().take(node.operands.len()) {
        let (low, high) = op.samples().get(i).copied().unwrap_or((0.0, 1.0));
        x.push(scratch.var(0.5 * (low + high)).named(name));
    }
    let result = match op.arity() {
        Some(1) => Var::unary(op, x[0]),
        Some(2) => Var::binary(op, x[0], x[1]),
        _ => Var::nary(op, &[&x], &[]),
    };
    let text = result.formula().to_string();
    let text = if has_open_operator(&text) {
        format!("({text})")
    } else {
        format!(" {text}")
    };
    let partial = result.partial_formula(x[place]).simplify();
    format!("d{text}/d{} = {partial}", letters[place])
}

/// Whether an operator stands outside all parentheses.
fn has_open_operator(text: &str) -> bool {
    let mut open = 0;
    text.chars().any(|c| {
        open += i32::from(c == '(') - i32::from(c == ')');
        open == 0 && "−+·/^²".contains(c)
    })
}
