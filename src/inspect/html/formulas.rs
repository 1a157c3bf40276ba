//! The formulas on a page, in MathML: what a node computes, its partials, and the
//! adjoint as the engine derives it.

use super::super::picture::Picture;
use crate::formula::Formula;
use crate::graph::{NodeId, Operand};
use crate::ops::Real;
use crate::tape::Var;
use crate::tape::{Node, Tape};
use std::collections::HashMap;

/// A longer formula is not written out.
const TERMS: usize = 80;

/// Of more nodes the derivatives are not derived as formulas.
const DERIVED: usize = 200;

pub(super) struct Formulas<'a> {
    tape: &'a Tape,
    adjoints: HashMap<usize, String>,
    simplifies: bool,
}

impl<'a> Formulas<'a> {
    pub(super) fn new(tape: &'a Tape, picture: &Picture<'_>, seeds: &[(usize, f64)]) -> Self {
        let simplifies = picture.nodes.len() <= DERIVED;
        let adjoints = match seeds {
            [(output, 1.0)] if simplifies => adjoints(tape, picture, *output),
            _ => HashMap::new(),
        };
        Self {
            tape,
            adjoints,
            simplifies,
        }
    }

    /// What a node computes from its operands; the same, of a named node, in terms
    /// of other named nodes; and its partials with respect to the operands that are
    /// nodes.
    pub(super) fn of(&self, node: &Node) -> (String, Option<String>, Vec<[String; 2]>) {
        let alone = Tape::new();
        let (result, operands) = self.alone(&alone, node);
        let operation = result.formula().mathml();
        let whole = match node.name {
            Some(_) => written(&self.tape.at(node.id).formula()),
            None => None,
        };
        let partials = operands.iter().map(|x| self.partial(result, *x, &operands));
        let partials = partials.collect();
        (
            operation.clone(),
            whole.filter(|whole| *whole != operation),
            partials,
        )
    }

    /// Records a node on a tape of its own, where each operand is an input that has
    /// a name, so that its formulas are no larger than its operation.
    fn alone<'t>(&self, alone: &'t Tape, node: &Node) -> (Var<'t>, Vec<Var<'t>>) {
        let mut inputs: HashMap<NodeId, Var<'t>> = HashMap::new();
        let mut operands = Vec::new();
        let mut xs: Vec<Var<'t>> = Vec::new();
        for operand in &node.operands {
            xs.push(match operand {
                Operand::Constant(value) => Var::from(*value),
                Operand::Node(id) => {
                    let input = || named(alone.var(0.5), &self.tape.node(*id));
                    let input = *inputs.entry(*id).or_insert_with(input);
                    operands.push(input);
                    input
                }
            });
        }
        let result = match node.op.arity() {
            Some(1) => Var::unary(node.op, xs[0]),
            Some(2) => Var::binary(node.op, xs[0], xs[1]),
            _ => Var::nary(node.op, &[&xs], &[&node.constants]),
        };
        (named(result, node), operands)
    }

    /// A partial as the table has it, and as a person would write it if that is
    /// something else. Empty for an operand that occurs twice.
    fn partial(&self, result: Var<'_>, operand: Var<'_>, operands: &[Var<'_>]) -> [String; 2] {
        let uses = operands.iter().filter(|x| x.id() == operand.id());
        if uses.count() > 1 {
            return [String::new(), String::new()];
        }
        let formula = result.partial_formula(operand);
        let rule = formula.mathml();
        if !self.simplifies {
            return [rule, String::new()];
        }
        let simple = formula.simplify().mathml();
        let other = if simple == rule {
            String::new()
        } else {
            simple
        };
        [rule, other]
    }

    /// The derivative of the output with respect to a named node.
    pub(super) fn adjoint(&self, index: usize) -> Option<&String> {
        self.adjoints.get(&index)
    }
}

/// Gives a node the name of another, or `v` and its number.
fn named<'t>(var: Var<'t>, node: &Node) -> Var<'t> {
    let name = node
        .name
        .as_ref()
        .map_or(format!("v{}", node.id), ToString::to_string);
    // A name that is taken, by a node that a user named v7, stays with the first.
    var.try_named(&name).unwrap_or(var)
}

fn written(formula: &Formula) -> Option<String> {
    (formula.len() <= TERMS).then(|| formula.mathml())
}

/// The derivatives with respect to all named nodes, simplified.
fn adjoints(tape: &Tape, picture: &Picture<'_>, output: usize) -> HashMap<usize, String> {
    let is_named = |index: &usize| tape.at(NodeId(*index as u32)).name().is_some();
    let nodes: Vec<usize> = picture.nodes.iter().copied().filter(is_named).collect();
    let vars: Vec<_> = nodes
        .iter()
        .map(|&index| tape.at(NodeId(index as u32)))
        .collect();
    let derived = tape.at(NodeId(output as u32)).gradient_formulas(&vars);
    let short = derived.iter().map(|formula| written(&formula.simplify()));
    nodes
        .into_iter()
        .zip(short)
        .filter_map(|(index, formula)| Some((index, formula?)))
        .collect()
}

/// The derivative of one node with respect to another, simplified.
pub(super) fn derivative(tape: &Tape, of: usize, wrt: usize) -> String {
    let [of, wrt] = [of, wrt].map(|index| tape.at(NodeId(index as u32)));
    let derived = of.gradient_formulas(&[wrt]);
    derived
        .first()
        .map_or(String::new(), |formula| formula.simplify().mathml())
}

/// A formula derived by hand, as it was recorded.
pub(super) fn by_hand(tape: &Tape, by_hand: Operand) -> String {
    match by_hand {
        Operand::Node(id) => tape.at(id).formula().mathml(),
        Operand::Constant(value) => Var::from(value).formula().mathml(),
    }
}
