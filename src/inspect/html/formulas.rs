//! The formulas on a page, in MathML: what a node computes, its partials, and the
//! adjoint as the engine derives it.

use super::super::picture::Picture;
use crate::formula::Formula;
use crate::ops::Op;
use crate::program::{NodeId, Operand};
use crate::tape::{Node, Tape};
use std::collections::HashMap;

/// A longer formula is not written out.
const TERMS: usize = 80;

/// Of more nodes the derivatives are not derived as formulas.
const DERIVED: usize = 200;

pub(super) struct Formulas<'a> {
    tape: &'a Tape,
    /// The same tape, all of whose nodes have names, so that the formula of a node
    /// is no larger than its operation.
    named: Tape,
    adjoints: HashMap<usize, String>,
    simplifies: bool,
}

impl<'a> Formulas<'a> {
    pub(super) fn new(tape: &'a Tape, picture: &Picture<'_>, seeds: &[(usize, f64)]) -> Self {
        let named = tape.clone();
        for &index in &picture.nodes {
            // A name that is taken leaves the node unnamed: its formula is longer.
            let _ = named
                .at(NodeId(index as u32))
                .try_named(&format!("v{index}"));
        }
        let simplifies = picture.nodes.len() <= DERIVED;
        let adjoints = match seeds {
            [(output, 1.0)] if simplifies => adjoints(tape, picture, *output),
            _ => HashMap::new(),
        };
        Self {
            tape,
            named,
            adjoints,
            simplifies,
        }
    }

    /// What a node computes from its operands.
    pub(super) fn operation(&self, node: &Node) -> String {
        self.named.at(node.id).formula().mathml()
    }

    /// What a named node is in terms of other named nodes.
    pub(super) fn whole(&self, node: &Node) -> Option<String> {
        if node.name.is_none() || node.op == Op::Input {
            return None;
        }
        written(&self.tape.at(node.id).formula()).filter(|formula| *formula != self.operation(node))
    }

    /// The derivative of the output with respect to a named node.
    pub(super) fn adjoint(&self, index: usize) -> Option<&String> {
        self.adjoints.get(&index)
    }

    /// For each operand that is a node, the partial as the table has it, and as a
    /// person would write it if that is something else. Empty for an operand that
    /// occurs twice.
    pub(super) fn partials(&self, node: &Node) -> Vec<[String; 2]> {
        let nodes = node.operands.iter().filter_map(Operand::node);
        let partial = |operand: u32| {
            let uses = node.operands.iter().filter(|x| x.node() == Some(operand));
            if uses.count() > 1 {
                return [String::new(), String::new()];
            }
            let operand = self.named.at(NodeId(operand));
            let formula = self.named.at(node.id).partial_formula(operand);
            let rule = formula.mathml();
            let simple = match self.simplifies {
                true => formula.simplify().mathml(),
                false => rule.clone(),
            };
            let other = if simple == rule {
                String::new()
            } else {
                simple
            };
            [rule, other]
        };
        nodes.map(partial).collect()
    }
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
        Operand::Constant(value) => crate::var::Var::from(value).formula().mathml(),
    }
}
