//! What is in a drawing: which nodes, what is written on them, which belong
//! together, and where everything goes.
//!
//! A node belongs to the first named node that is made from it: all that leads to
//! z and to nothing named before is the group z. Groups follow one another as
//! nodes do, so that a drawing of groups has no cycles. What the caller groups
//! are leaves, which nothing leads to.

use super::layout::{Network, Placement, Shape};
use super::{Seen, Subject, View, number, shortened};
use crate::graph::NodeId;
use crate::graph::visible;
use crate::ops::Op;
use crate::tape::Node;
use std::collections::HashMap;

/// From so many nodes on a group is divided.
const GROUP: usize = 150;

/// A title is no longer than so many characters.
const TITLE: usize = 24;

/// On so many edges to one node their partials are written.
const NUMBERED: usize = 4;

/// What is in a drawing.
pub(super) struct Picture<'a> {
    pub(super) subject: Subject<'a>,
    /// The positions on the tape of what is drawn, in their order.
    pub(super) nodes: Vec<usize>,
    /// Nodes before this one are shown as if they were leaves.
    pub(super) first: usize,
    pub(super) edges: Vec<Edge>,
    pub(super) groups: Vec<Group>,
    /// The group of each node.
    pub(super) group_of: Vec<usize>,
    /// The nodes of each group.
    members: Vec<Vec<usize>>,
    /// Whether each node stands without what it was made from.
    pub(super) leaf: Vec<bool>,
    /// The group behind which there may be an area that each node stands in.
    pub(super) area_of: Vec<Option<usize>>,
    /// The digits of partials.
    digits: usize,
}

/// An edge between two nodes, by their positions in [`Picture::nodes`].
#[derive(Clone, Copy)]
pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) to: usize,
    /// Which of the operands that are nodes it is, from 0.
    pub(super) operand: usize,
}

/// Nodes that belong together.
pub(super) struct Group {
    pub(super) name: String,
    /// Whether the caller made it, of leaves.
    pub(super) given: bool,
    /// The named node that it leads to.
    pub(super) result: Option<usize>,
}

/// A drawing of nodes or of groups.
pub(super) struct Drawing {
    /// What is drawn: nodes or groups, by their positions.
    pub(super) boxes: Vec<Shown>,
    pub(super) sizes: Vec<(f64, f64)>,
    /// From which box to which, and for which edge if it is one alone.
    pub(super) wires: Vec<(usize, usize, Option<usize>)>,
    pub(super) plan: Placement,
}

/// What a box stands for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Shown {
    Node(usize),
    Group(usize),
}

impl<'a> Picture<'a> {
    /// Everything that leads to the outputs, at most the last nodes of it; of operands before
    /// those at most so many for each node.
    pub(super) fn new<F>(
        view: &View<'a, F>,
        given: &[(String, Vec<usize>)],
        operands_before: usize,
    ) -> Self {
        let (subject, limit) = (view.subject, view.limit);
        let len = subject.len;
        let mut reached = vec![subject.adjoints.is_none(); len];
        for (output, _) in subject
            .adjoints
            .iter()
            .flat_map(|adjoints| adjoints.seeds())
        {
            reached[*output as usize] = true;
        }
        let (mut count, mut first) = (0, 0);
        for index in (0..len).rev() {
            if !reached[index] {
                continue;
            }
            count += 1;
            if count > limit {
                first = first.max(index + 1);
                continue;
            }
            for (operand, _) in subject.seen(index).partials {
                reached[operand.index()] = true;
            }
        }
        let nodes: Vec<usize> = (0..len)
            .filter(|&index| reached[index] && index >= first)
            .collect();
        let mut picture = Self {
            subject,
            nodes,
            first,
            edges: Vec::new(),
            groups: Vec::new(),
            group_of: Vec::new(),
            members: Vec::new(),
            leaf: Vec::new(),
            area_of: Vec::new(),
            digits: view.digits,
        };
        picture.find_edges(operands_before);
        let leaf = |&index: &usize| index < first || picture.node(index).op == Op::Input;
        picture.leaf = picture.nodes.iter().map(leaf).collect();
        picture.find_groups(given);
        picture.members = vec![Vec::new(); picture.groups.len()];
        for (node, &group) in picture.group_of.iter().enumerate() {
            picture.members[group].push(node);
        }
        picture.find_areas();
        picture
    }

    /// The edges, and so many operands of each node that are before the first one.
    fn find_edges(&mut self, operands_before: usize) {
        let mut operands = Vec::new();
        for &index in &self.nodes {
            let mut before = 0;
            for (k, (from, _)) in self.subject.seen(index).partials.into_iter().enumerate() {
                before += usize::from(from.index() < self.first);
                if from.index() >= self.first || before <= operands_before {
                    operands.push((from, index, k));
                }
            }
        }
        let before = operands.iter().map(|(from, _, _)| from.index());
        self.nodes.extend(before.filter(|from| *from < self.first));
        self.nodes.sort_unstable();
        self.nodes.dedup();
        let place: HashMap<usize, usize> = self.nodes.iter().copied().zip(0..).collect();
        let edge = |&(from, to, operand): &(NodeId, usize, usize)| Edge {
            from: place[&from.index()],
            to: place[&to],
            operand,
        };
        self.edges = operands.iter().map(edge).collect();
    }

    fn find_groups(&mut self, given: &[(String, Vec<usize>)]) {
        let mut given_to = HashMap::new();
        for (group, (name, members)) in given.iter().enumerate() {
            let (name, given, result) = (shortened(&visible(name), TITLE), true, None);
            self.groups.push(Group {
                name,
                given,
                result,
            });
            given_to.extend(members.iter().map(|&member| (member, group)));
        }
        // The first named node made from each; nodes.len() if there is none.
        let last = self.nodes.len();
        let mut owner = vec![last; last];
        let mut edges = self.edges.iter().rev().peekable();
        for node in (0..last).rev() {
            if self.is_named(node) {
                owner[node] = node;
            }
            while let Some(edge) = edges.next_if(|edge| edge.to == node) {
                owner[edge.from] = owner[edge.from].min(owner[node]);
            }
        }
        let mut sizes = vec![0_usize; last + 1];
        owner.iter().for_each(|&owner| sizes[owner] += 1);
        let mut found = HashMap::new();
        let mut members = vec![0; last + 1];
        for (node, &own) in owner.iter().enumerate() {
            let index = self.nodes[node];
            if let Some(&group) = given_to.get(&index) {
                self.group_of.push(group);
                continue;
            }
            let block = match sizes[own] {
                size if size > GROUP => members[own] / (size as f64).sqrt().ceil() as usize,
                _ => 0,
            };
            members[own] += 1;
            let group = *found.entry((own, block)).or_insert_with(|| {
                let name = match own {
                    own if own == last => "others".to_owned(),
                    own => shortened(&self.symbol(own), TITLE),
                };
                let name = match sizes[own] {
                    size if size > GROUP => format!("{name} ({})", block + 1),
                    _ => name,
                };
                let (given, result) = (false, None);
                self.groups.push(Group {
                    name,
                    given,
                    result,
                });
                self.groups.len() - 1
            });
            if node == own {
                self.groups[group].result = Some(node);
            }
            self.group_of.push(group);
        }
    }

    fn is_named(&self, node: usize) -> bool {
        self.node(self.nodes[node]).name.is_some()
    }

    fn node(&self, index: usize) -> Node {
        let tape = self.subject.tape.expect("a node has a tape");
        tape.node(NodeId(index as u32))
    }

    pub(super) fn seen(&self, node: usize) -> Seen {
        self.subject.seen(self.nodes[node])
    }

    /// Whether a node stands without what it was made from.
    pub(super) fn is_leaf(&self, node: usize) -> bool {
        self.leaf[node]
    }

    /// `w₁` for a node named w1, `v₁₂` for one without a name.
    pub(super) fn symbol(&self, node: usize) -> String {
        symbol(&self.subject, self.nodes[node])
    }

    /// What is written on a node: `z = v₈ + b`.
    pub(super) fn title(&self, node: usize) -> String {
        if self.is_leaf(node) {
            return shortened(&self.symbol(node), TITLE);
        }
        let node_on_tape = self.node(self.nodes[node]);
        let operands = node_on_tape.operands.len();
        if operands > 4 {
            let text = format!("{} = {}({operands})", self.symbol(node), node_on_tape.op);
            return shortened(&text, TITLE);
        }
        let text = self
            .subject
            .expression_with(&node_on_tape, 4, |id| symbol(&self.subject, id.index()));
        let text = text.replace("(-", "(−");
        shortened(&format!("{} = {text}", self.symbol(node)), TITLE)
    }

    /// All nodes, drawn.
    pub(super) fn all(&self) -> Drawing {
        let boxes = (0..self.nodes.len()).map(Shown::Node).collect();
        let wire = |(i, edge): (usize, &Edge)| (edge.from, edge.to, Some(i));
        self.drawing(boxes, self.edges.iter().enumerate().map(wire).collect())
    }

    /// The groups, drawn.
    pub(super) fn overview(&self) -> Drawing {
        // In the order of their last node, edges lead onwards.
        let mut last = vec![0; self.groups.len()];
        for (node, &group) in self.group_of.iter().enumerate() {
            last[group] = if self.groups[group].given {
                0
            } else {
                node + 1
            };
        }
        let mut order: Vec<usize> = (0..self.groups.len()).collect();
        order.sort_by_key(|&group| last[group]);
        let mut place = vec![0; order.len()];
        for (at, &group) in order.iter().enumerate() {
            place[group] = at;
        }
        let mut wires: Vec<(usize, usize, Option<usize>)> = Vec::new();
        for edge in &self.edges {
            let [from, to] = [edge.from, edge.to].map(|node| place[self.group_of[node]]);
            if from != to {
                wires.push((from, to, None));
            }
        }
        wires.sort_unstable_by_key(|wire| (wire.1, wire.0));
        wires.dedup();
        self.drawing(order.into_iter().map(Shown::Group).collect(), wires)
    }

    /// The edges to a node, with their positions: edges are in the order of where they lead.
    fn arriving(&self, node: usize) -> impl Iterator<Item = (usize, &Edge)> {
        let first = self.edges.partition_point(|edge| edge.to < node);
        let edges = (first..).zip(&self.edges[first..]);
        edges.take_while(move |(_, edge)| edge.to == node)
    }

    /// How much room a box takes at which so many edges arrive.
    fn shape(&self, shown: Shown, arriving: usize) -> Shape {
        let title = match shown {
            Shown::Node(node) => self.title(node),
            Shown::Group(group) => self.groups[group].name.clone(),
        };
        let above = self.kind(shown).map_or(0.0, width_of_text);
        let width = (width_of_text(&title) + 18.0).max(above).max(86.0);
        let height = match arriving as f64 {
            few if arriving <= NUMBERED => 19.0 * few + 9.0,
            many => 4.0 * many,
        };
        let labels = match shown {
            Shown::Node(node) => self.partials(node),
            Shown::Group(_) => Vec::new(),
        };
        let labels = labels.iter().map(|text| width_of_text(text));
        let (area, spans) = self.area(shown);
        Shape {
            size: (width, height.max(66.0)),
            label: 0.85 * labels.fold(0.0, f64::max) + 4.0,
            area,
            spans,
        }
    }

    /// What is written above a box: the group that the caller made.
    pub(super) fn kind(&self, shown: Shown) -> Option<&str> {
        let Shown::Node(node) = shown else {
            return None;
        };
        let group = &self.groups[self.group_of[node]];
        group.given.then_some(&*group.name)
    }

    /// What is written on the edges to a node; nothing where they are many.
    pub(super) fn partials(&self, node: usize) -> Vec<String> {
        let partials = self.seen(node).partials;
        if self.is_leaf(node) || partials.len() > NUMBERED {
            return Vec::new();
        }
        let text = |partial: &(NodeId, f64)| minus(&format!("×{}", number(partial.1, self.digits)));
        partials.iter().map(text).collect()
    }

    /// One group from inside, with what leads into it.
    pub(super) fn inside(&self, group: usize) -> Drawing {
        let mut shown = self.members[group].clone();
        let wires: Vec<(usize, &Edge)> = shown.iter().flat_map(|&to| self.arriving(to)).collect();
        shown.extend(wires.iter().map(|(_, edge)| edge.from));
        shown.sort_unstable();
        shown.dedup();
        let place: HashMap<usize, usize> = shown.iter().copied().zip(0..).collect();
        let wire = |(i, edge): &(usize, &Edge)| (place[&edge.from], place[&edge.to], Some(*i));
        let wires = wires.iter().map(wire).collect();
        self.drawing(shown.into_iter().map(Shown::Node).collect(), wires)
    }

    fn drawing(&self, boxes: Vec<Shown>, wires: Vec<(usize, usize, Option<usize>)>) -> Drawing {
        let mut arriving = vec![0_usize; boxes.len()];
        wires.iter().for_each(|wire| arriving[wire.1] += 1);
        let shapes = boxes.iter().zip(arriving);
        let shapes: Vec<Shape> = shapes.map(|(shown, n)| self.shape(*shown, n)).collect();
        let sizes = shapes.iter().map(|shape| shape.size).collect();
        let edges = wires.iter().map(|wire| (wire.0, wire.1)).collect();
        let network = Network { shapes, edges };
        let plan = network.plan();
        Drawing {
            boxes,
            sizes,
            wires,
            plan,
        }
    }
}

/// About how wide a text is written.
fn width_of_text(text: &str) -> f64 {
    text.chars().map(width_of).sum()
}

/// About how wide a character is written.
fn width_of(c: char) -> f64 {
    match c {
        '₀'..='₉' | '·' | '(' | ')' | '1' | 'l' | 'i' => 4.6,
        _ => 7.4,
    }
}

/// As much of a text as is about so wide.
pub(super) fn fitted(text: &str, width: f64) -> String {
    if width_of_text(text) <= width {
        return text.to_owned();
    }
    let mut room = width - width_of('…');
    let fits = |c: &char| {
        room -= width_of(*c);
        room >= 0.0
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

/// `w₁` for a node named w1, `v₁₂` for one without a name.
pub(super) fn symbol(subject: &Subject<'_>, index: usize) -> String {
    let tape = subject.tape.expect("a node has a tape");
    let name = tape.at(NodeId(index as u32)).name();
    let name = name.map_or_else(|| format!("v{index}"), |name| visible(&name));
    let word = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_index = !word.is_empty() && word.chars().all(char::is_alphabetic);
    if !is_index {
        return name;
    }
    let below = |c: char| char::from_u32('₀' as u32 + c as u32 - '0' as u32).unwrap_or(c);
    word.chars()
        .chain(name[word.len()..].chars().map(below))
        .collect()
}

/// The path of a wire: curves that begin and end horizontally.
pub(super) fn path(points: &[(f64, f64)]) -> String {
    let (x, y) = points[0];
    let mut text = format!("M{} {}", short(x), short(y));
    for pair in points.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        let middle = short((x0 + x1) / 2.0);
        text += &if y0 == y1 {
            format!("H{}", short(x1))
        } else {
            format!(
                "C{middle} {} {middle} {} {} {}",
                short(y0),
                short(y1),
                short(x1),
                short(y1)
            )
        };
    }
    text
}

/// A number with a true minus sign.
pub(super) fn minus(number: &str) -> String {
    number.replace('-', "−")
}

/// A coordinate, to a tenth.
pub(super) fn short(x: f64) -> String {
    let text = format!("{x:.1}");
    text.strip_suffix(".0")
        .map_or(text.clone(), ToOwned::to_owned)
}
