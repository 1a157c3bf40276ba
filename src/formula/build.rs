//! Reads formulas off a tape.
//!
//! A named node is a symbol, also where an unnamed input is one by its number:
//! `v3`. Unnamed intermediate nodes are written out. The walk is a loop.

use super::{Bits, Definition, Formula, Symbol, Term, TermTable, copy, put, put_apply, put_number};
use crate::error::Error;
use crate::graph::Recording;
use crate::graph::{NodeId, Operand};
use crate::ops::{DotOperands, Op};
use crate::tape::Tape;
use crate::tape::Var;
use smallvec::SmallVec;
use std::collections::{HashMap, HashSet};

/// A formula knows the definitions of this many symbols, those nearest to it,
const DEFINITIONS: usize = 64;
/// each written out from at most this many nodes.
const DEFINITION_NODES: usize = 64;
/// In a partial, an unnamed operand of more nodes than this is a symbol.
const OPERAND_NODES: usize = 12;

/// Which nodes are symbols.
#[derive(Clone, Copy, PartialEq)]
enum Depth {
    /// All.
    Operation,
    /// Inputs, and what has a name.
    Named,
    /// Inputs alone.
    Inputs,
}

/// A tape, and the terms made of its nodes so far.
struct Reader<'r> {
    recording: &'r Recording,
    depth: Depth,
    terms: TermTable,
    made: HashMap<u32, u32>,
}

impl<'r> Reader<'r> {
    fn new(recording: &'r Recording, depth: Depth) -> Self {
        Self {
            recording,
            depth,
            terms: TermTable::new(),
            made: HashMap::new(),
        }
    }

    fn op(&self, id: u32) -> Op {
        self.recording.program().records[id as usize].op()
    }

    fn is_symbol(&self, id: u32) -> bool {
        match self.depth {
            Depth::Operation => true,
            Depth::Named => self.op(id) == Op::Input || self.recording.names.of(id).is_some(),
            Depth::Inputs => self.op(id) == Op::Input,
        }
    }

    fn symbol(&self, id: u32) -> Symbol {
        let names = &self.recording.names;
        let name = names.of(id).cloned().unwrap_or_else(|| {
            let mut name = format!("v{id}");
            while names.find(&name).is_ok() {
                name.push('′');
            }
            name.into()
        });
        Symbol { name, order: id }
    }

    fn operands(&self, id: u32) -> SmallVec<[Operand; 4]> {
        let program = self.recording.program();
        let mut operands = SmallVec::new();
        program.for_each_operand(program.records[id as usize], |x| operands.push(x));
        operands
    }

    /// The term of a node as it stands in others: a symbol, or written out.
    fn node(&mut self, id: u32) -> u32 {
        let mut waiting = vec![id];
        while let Some(&id) = waiting.last() {
            if self.made.contains_key(&id) {
                waiting.pop();
                continue;
            }
            if self.is_symbol(id) {
                let symbol = Term::Symbol(self.symbol(id));
                let term = put(&mut self.terms, symbol);
                self.made.insert(id, term);
                continue;
            }
            let before = waiting.len();
            let nodes = self.operands(id).into_iter().filter_map(|x| x.node());
            waiting.extend(nodes.filter(|x| !self.made.contains_key(x)));
            if waiting.len() == before {
                let term = self.written_out(id);
                self.made.insert(id, term);
            }
        }
        self.made[&id]
    }

    /// The term of a node in a partial: written out if it has no name and is short.
    fn in_partial(&mut self, id: u32) -> u32 {
        if self.is_symbol(id) || self.is_short(id, OPERAND_NODES) {
            return self.node(id);
        }
        let symbol = Term::Symbol(self.symbol(id));
        let term = put(&mut self.terms, symbol);
        self.made.insert(id, term);
        term
    }

    /// The term of a node's own operation on its operands.
    fn body(&mut self, id: u32) -> u32 {
        if self.op(id) == Op::Input {
            return self.node(id);
        }
        for operand in self.operands(id) {
            if let Operand::Node(operand) = operand {
                self.node(operand.0);
            }
        }
        self.written_out(id)
    }

    /// The same, where the operands are made.
    fn written_out(&mut self, id: u32) -> u32 {
        let operands: SmallVec<[u32; 4]> = self
            .operands(id)
            .into_iter()
            .map(|operand| match operand {
                Operand::Node(id) => self.made[&id.0],
                Operand::Constant(value) => put_number(&mut self.terms, value),
            })
            .collect();
        let program = self.recording.program();
        let terms = &mut self.terms;
        match self.recording.program().records[id as usize].op() {
            Op::LinearCombination => {
                let constants = program.own_constants(program.records[id as usize]);
                linear_combination(terms, constants, &operands)
            }
            Op::Dot => {
                let factors = DotOperands::among(operands.len());
                let mut addends = operands[..factors.first().start].to_vec();
                for i in factors.first() {
                    let product = [operands[i], operands[i + factors.products]];
                    addends.push(put_apply(terms, Op::Mul, &product));
                }
                sum(terms, &addends)
            }
            Op::Sum => sum(terms, &operands),
            Op::Gate | Op::Within => operands[0],
            Op::Contribution => contribution(terms, operands[0], operands[1]),
            Op::Product if operands.is_empty() => put_number(terms, 1.0),
            Op::Product if operands.len() == 1 => operands[0],
            op => put_apply(terms, op, &operands),
        }
    }

    /// Whether a node's operation is written out from at most `most` nodes.
    fn is_short(&self, id: u32, most: usize) -> bool {
        let mut seen = HashSet::from([id]);
        let mut waiting = vec![id];
        while let Some(at) = waiting.pop() {
            if at != id && self.is_symbol(at) {
                continue;
            }
            let operands = self.operands(at);
            if operands.len() > most || seen.len() > most {
                return false;
            }
            let nodes = operands.iter().filter_map(Operand::node);
            waiting.extend(nodes.filter(|&node| seen.insert(node)));
        }
        true
    }

    /// The formula of a term, with what its symbols stand for; and if it is a
    /// derivative `of` a node, what the named nodes around that one do, since they
    /// may occur in it.
    fn finish(mut self, root: u32, of: Option<u32>) -> Formula {
        let mut found: Vec<Definition> = Vec::new();
        let mut next = 0;
        // Nearest first: a body adds its own symbols behind those that are there.
        while next < self.terms.len() && found.len() < DEFINITIONS {
            if let Term::Symbol(symbol) = &self.terms[next] {
                let (symbol, id) = (symbol.clone(), symbol.order);
                if self.op(id) != Op::Input && self.is_short(id, DEFINITION_NODES) {
                    let body = self.body(id);
                    found.push(Definition { symbol, body });
                }
            }
            next += 1;
        }
        let mut named = Vec::new();
        if let Some(of) = of {
            named.extend(self.recording.names.iter().map(|(_, id)| id));
            named.retain(|&id| id != of);
            named.sort_unstable_by_key(|&id| id.abs_diff(of));
            named.truncate(DEFINITIONS);
        }
        for id in named {
            let known = found.iter().any(|definition| definition.symbol.order == id);
            if !known && self.op(id) != Op::Input && self.is_short(id, DEFINITION_NODES) {
                let (symbol, body) = (self.symbol(id), self.body(id));
                found.push(Definition { symbol, body });
            }
        }
        // In order of recording, so that each is made of those before it.
        found.sort_by_key(|definition| definition.symbol.order);
        Formula::new(&self.terms, root, found)
    }
}

fn sum(terms: &mut TermTable, operands: &[u32]) -> u32 {
    match operands {
        [] => put_number(terms, 0.0),
        [one] => *one,
        _ => put_apply(terms, Op::Sum, operands),
    }
}

/// What an adjoint sends: a product, of which a factor of 1 is not written.
fn contribution(terms: &mut TermTable, adjoint: u32, partial: u32) -> u32 {
    let one = put_number(terms, 1.0);
    if adjoint == one {
        return partial;
    } else if partial == one {
        return adjoint;
    }
    put_apply(terms, Op::Mul, &[adjoint, partial])
}

/// The constant and Σ wᵢ·xᵢ, with ±1·x as ±x.
fn linear_combination(terms: &mut TermTable, constants: &[f64], operands: &[u32]) -> u32 {
    let (weights, constant) = constants.split_at(operands.len());
    let mut addends = Vec::with_capacity(operands.len() + 1);
    if constant != [0.0] {
        addends.push(put_number(terms, constant[0]));
    }
    for (&weight, &x) in weights.iter().zip(operands) {
        addends.push(if weight == 1.0 {
            x
        } else if weight == -1.0 {
            put_apply(terms, Op::Neg, &[x])
        } else {
            let weight = put_number(terms, weight);
            put_apply(terms, Op::Mul, &[weight, x])
        });
    }
    sum(terms, &addends)
}

impl Formula {
    /// The product of formulas, with what they know of their symbols.
    pub(crate) fn product<'f>(factors: impl IntoIterator<Item = &'f Self>) -> Self {
        let mut terms = TermTable::new();
        let mut operands = Vec::new();
        let mut definitions: Vec<Definition> = Vec::new();
        for factor in factors {
            let mut places = HashMap::new();
            operands.push(copy(
                &factor.terms[..],
                factor.root,
                &mut terms,
                &mut places,
            ));
            for Definition { symbol, body } in &factor.definitions {
                if definitions.iter().all(|known| known.symbol != *symbol) {
                    let body = copy(&factor.terms[..], *body, &mut terms, &mut places);
                    let symbol = symbol.clone();
                    definitions.push(Definition { symbol, body });
                }
            }
        }
        definitions.sort_by_key(|definition| definition.symbol.order);
        let root = match operands[..] {
            [] => put_number(&mut terms, 1.0),
            [one] => one,
            _ => put_apply(&mut terms, Op::Product, &operands),
        };
        Self::new(&terms, root, definitions)
    }

    fn number(value: f64) -> Self {
        Self::new(&[Term::Number(Bits::of(value))][..], 0, Vec::new())
    }
}

impl Var<'_> {
    /// This node as mathematics: its own operation, also if it is named, where
    /// named nodes stand as symbols, unnamed ones are written out, and unnamed
    /// inputs are symbols by their number. A constant is a number.
    ///
    /// ```
    /// let tape = chainrule::Tape::new();
    /// let x = tape.var(2.0).named("x");
    /// let z = (x * 3.0 + 1.0).named("z");
    /// let a = (-z).exp().named("a");
    /// assert_eq!(a.formula().to_string(), "e^(−z)");
    /// assert_eq!(a.expanded_formula().to_string(), "e^(−(x·3 + 1))");
    /// ```
    ///
    /// Linear in the nodes it is made of.
    pub fn formula(self) -> Formula {
        self.read(Depth::Named)
    }

    /// This node in terms of inputs alone: as [`formula`](Var::formula), but named
    /// nodes in between are written out too.
    pub fn expanded_formula(self) -> Formula {
        self.read(Depth::Inputs)
    }

    /// This node's operation on its operands, all of them symbols.
    pub(crate) fn operation_formula(self) -> Formula {
        self.read(Depth::Operation)
    }

    fn read(self, depth: Depth) -> Formula {
        let Some((tape, id)) = self.place() else {
            return Formula::number(self.value());
        };
        let recording = tape.recording.borrow();
        let mut reader = Reader::new(&recording, depth);
        let root = reader.body(id);
        reader.finish(root, None)
    }

    /// The derivatives of this node with respect to others, as formulas: what
    /// [`gradient_graph`](Var::gradient_graph) records, read off a copy, so that
    /// this tape stays as it is. They are as the sweep made them;
    /// [`Formula::simplify`] makes them readable.
    ///
    /// The formulas know what the named nodes around this one stand for, also those
    /// that do not occur in them: where p = e^x/s has a name, simplification can
    /// write it. The cost is a copy of the tape and a sweep.
    ///
    /// # Panics
    /// If one of `wrt` belongs to another tape, or if the gradient needs more than
    /// the 2²⁸ nodes of any tape.
    #[track_caller]
    pub fn gradient_formulas(self, wrt: &[Var<'_>]) -> Vec<Formula> {
        let Some((tape, id)) = self.place() else {
            return wrt.iter().map(|_| Formula::number(0.0)).collect();
        };
        let mut numbers = Vec::with_capacity(wrt.len());
        for var in wrt {
            numbers.push(var.number_on(tape));
        }
        let scratch = tape.clone();
        scratch.recording.borrow_mut().set_limit(usize::MAX);
        let on_scratch = |id| Var::on(&scratch, id);
        let copies: Vec<Var<'_>> = numbers
            .iter()
            .map(|number| number.map_or(Var::from(0.0), on_scratch))
            .collect();
        let gradient = on_scratch(id).gradient_graph(&copies);
        let formula = |derivative: Var<'_>| derivative.as_derivative(id);
        gradient.into_iter().map(formula).collect()
    }

    /// A derivative `of` a node as it stands in others: a symbol if it is named.
    fn as_derivative(self, of: u32) -> Formula {
        let Some((tape, id)) = self.place() else {
            return Formula::number(self.value());
        };
        let recording = tape.recording.borrow();
        let mut reader = Reader::new(&recording, Depth::Named);
        let root = reader.node(id);
        reader.finish(root, Some(of))
    }

    /// The partial of this node with respect to one operand as a formula: the
    /// row of the table, in terms of this node's operands and, where the row uses
    /// its result, of the node itself. Those of them that have no name are written
    /// out if they are short, and otherwise symbols by their number, `v7`.
    ///
    /// ```
    /// let tape = chainrule::Tape::new();
    /// let z = tape.var(0.3).named("z");
    /// let a = z.sigmoid().named("a");
    /// assert_eq!(a.partial_formula(z).to_string(), "a·σ(−z)");
    /// assert_eq!(a.partial_formula(z).simplify().to_string(), "a·(1 − a)");
    /// ```
    ///
    /// # Panics
    /// If `operand` is not an operand of this node.
    #[track_caller]
    pub fn partial_formula(self, operand: Var<'_>) -> Formula {
        let Some((tape, id)) = self.place() else {
            let (what, value) = ("`partial_formula`", self.value());
            Error::NotANode { what, value }.stop()
        };
        let recording = tape.recording.borrow();
        let mut reader = Reader::new(&recording, Depth::Named);
        let operands = reader.operands(id);
        let wanted = operand.number_on(tape).map(|id| Operand::Node(NodeId(id)));
        let wanted: Vec<usize> = (0..operands.len())
            .filter(|&i| Some(operands[i]) == wanted)
            .collect();
        if wanted.is_empty() {
            let (node, operand) = (self.describe(), operand.describe());
            Error::NotAnOperand { node, operand }.stop()
        }
        // The row is read inside its domain, whatever the values are now.
        let scratch = Tape::new();
        let samples = reader.op(id).samples();
        let middle = |i: usize| samples.get(i).map_or(0.5, |(low, high)| 0.5 * (low + high));
        let mut inputs = HashMap::new();
        let mut x = Vec::with_capacity(operands.len());
        for (i, operand) in operands.iter().enumerate() {
            x.push(match operand {
                Operand::Node(id) => {
                    *(inputs.entry(id.0)).or_insert_with(|| scratch.var(middle(i)))
                }
                Operand::Constant(value) => Var::from(*value),
            });
        }
        let y = scratch.var(0.5);
        let mut made = HashMap::new();
        for (&node, input) in &inputs {
            if let Some(number) = input.number_on(&scratch) {
                made.insert(number, reader.in_partial(node));
            }
        }
        let program = recording.program();
        let constants = match reader.op(id).arity() {
            None => program.own_constants(program.records[id as usize]),
            Some(_) => &[],
        };
        let partial = row_partial(reader.op(id), &x, constants, y, &wanted);
        let root = match partial.place() {
            None => put_number(&mut reader.terms, partial.value()),
            Some((_, root)) => {
                let own = reader.in_partial(id);
                y.number_on(&scratch).map(|number| made.insert(number, own));
                let on_scratch = scratch.recording.borrow();
                let mut row = Reader::new(&on_scratch, Depth::Named);
                (row.made, row.terms) = (made, std::mem::take(&mut reader.terms));
                let root = row.node(root);
                reader.terms = row.terms;
                root
            }
        };
        reader.finish(root, None)
    }
}

/// The sum of the partials of an operation with respect to some operands, read
/// off its row.
fn row_partial<'t>(op: Op, x: &[Var<'t>], c: &[f64], y: Var<'t>, wanted: &[usize]) -> Var<'t> {
    let mut sum: Option<Var<'t>> = None;
    let mut each = |i: usize, partial: Var<'t>| {
        if wanted.contains(&i) {
            sum = Some(sum.map_or(partial, |sum| sum + partial));
        }
    };
    match op.arity() {
        Some(1) => each(0, op.partial_1(x[0], y)),
        Some(2) => {
            each(0, op.partial_first(x[0], x[1], y));
            each(1, op.partial_second(x[0], x[1], y));
        }
        _ => op.partials_n(x.len(), |i| x[i], c, y, each),
    }
    sum.unwrap_or(Var::from(0.0))
}
