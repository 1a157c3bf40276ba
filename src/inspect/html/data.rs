//! The tape as the data of a page, in JSON.
//!
//! Names are short because they are repeated: of a node `s` is its symbol, `t` what
//! is written on it, `o` its operation, `a` its operands (a position, or
//! `{"c": constant}`), `k` the operation's own constants, `v` its value, `g` its
//! group, `r` its rule, `f` what it computes, `w` the same in terms of
//! named nodes, `p` its partials, `d` its adjoint, as formulas in MathML.
//! `html/engine.js` reads it.

use super::super::View;
use super::super::picture::{Drawing, Picture, Shown, path, short};
use super::formulas::{self, Formulas};
use super::rules::Rule;
use super::{Html, beside};
use crate::graph::visible;
use crate::graph::{NodeId, Operand};
use crate::ops::Op;
use crate::tape::{Node, Tape};
use std::collections::HashMap;
use std::fmt::{self, Write};

/// Where nodes are in the page's list.
type Places = HashMap<usize, usize>;

/// So many nodes are drawn one by one; of more, groups are drawn first.
const SINGLY: usize = 160;

impl View<'_, Html> {
    pub(super) fn write_data(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let picture = Picture::new(self, &self.format.groups, usize::MAX);
        let drawn = picture.nodes.len();
        let beside = beside(&self.subject, &picture.nodes, &self.format.chapters);
        let all: Vec<usize> = picture.nodes.iter().copied().chain(beside).collect();
        let places: Places = all.iter().copied().zip(0..).collect();
        let empty = Tape::new();
        let tape = self.subject.tape.unwrap_or(&empty);
        let seeds = self.seeds();
        let formulas = Formulas::new(tape, &picture, &seeds);
        let mut rules = Vec::new();
        let nodes = all.iter().enumerate().map(|(place, &index)| {
            self.node(&picture, &places, &formulas, &mut rules, place, index)
        });
        let nodes = list(nodes.collect::<Vec<_>>());
        let seeds = seeds.into_iter();
        let seeds = seeds.filter(|(index, _)| places.contains_key(index));
        let seeds = seeds.map(|(index, weight)| format!("[{},{}]", places[&index], json(weight)));
        let groups = picture.groups.iter().map(|group| {
            let result = group
                .result
                .map_or(String::new(), |node| format!(",\"result\":{node}"));
            format!(
                "{{\"name\":{},\"given\":{}{result}}}",
                text(&group.name),
                group.given
            )
        });
        let sliders = self.format.sliders.iter().filter_map(|(index, low, high)| {
            let place = places.get(index)?;
            Some(format!("[{place},{},{}]", json(*low), json(*high)))
        });
        writeln!(f, "{{\"drawn\":{drawn},\"nodes\":{nodes},")?;
        writeln!(f, "\"rules\":{},", list(rules.iter().map(written)))?;
        writeln!(f, "\"seeds\":{},\"groups\":{},", list(seeds), list(groups))?;
        writeln!(
            f,
            "\"sliders\":{},\"left_out\":{},",
            list(sliders),
            picture.first
        )?;
        writeln!(f, "\"chapters\":{},", self.chapters(tape, &places))?;
        writeln!(f, "\"views\":{}}}", views(&picture))
    }

    fn node(
        &self,
        picture: &Picture<'_>,
        places: &Places,
        formulas: &Formulas<'_>,
        rules: &mut Vec<Rule>,
        place: usize,
        index: usize,
    ) -> String {
        let tape = self.subject.tape.expect("a node has a tape");
        let node = tape.node(NodeId(index as u32));
        let is_drawn = place < picture.nodes.len();
        let leaf = node.op == Op::Input || is_drawn && picture.is_leaf(place);
        let symbol = super::super::picture::symbol(&self.subject, index);
        let mut out = format!("{{\"s\":{},\"v\":{}", text(&symbol), json(node.value));
        if let Some(name) = &node.name {
            out += &format!(",\"n\":{}", text(&visible(name)));
        }
        if is_drawn {
            let title = picture.title(place);
            out += &format!(",\"t\":{},\"g\":{}", text(&title), picture.group_of[place]);
        }
        if let Some(adjoint) = formulas.adjoint(index) {
            out += &format!(",\"d\":{}", text(adjoint));
        }
        if leaf {
            return out + ",\"o\":\"input\",\"a\":[]}";
        }
        let operand = |operand: &Operand| match operand {
            Operand::Node(id) => places[&id.index()].to_string(),
            Operand::Constant(value) => format!("{{\"c\":{}}}", json(*value)),
        };
        let rule = rule_of(rules, &node);
        let operands = list(node.operands.iter().map(operand));
        let op = text(node.op.name());
        out += &format!(",\"o\":{op},\"a\":{operands},\"r\":{rule}");
        if !node.constants.is_empty() {
            out += &format!(",\"k\":{}", list(node.constants.iter().map(|x| json(*x))));
        }
        if is_drawn && node.operands.len() <= 8 {
            let pair = |pair: &[String; 2]| format!("[{},{}]", text(&pair[0]), text(&pair[1]));
            let (operation, whole, partials) = formulas.of(&node);
            out += &format!(",\"f\":{}", text(&operation));
            out += &format!(",\"p\":{}", list(partials.iter().map(pair)));
            if let Some(whole) = whole {
                out += &format!(",\"w\":{}", text(&whole));
            }
        }
        out + "}"
    }

    fn chapters(&self, tape: &Tape, places: &Places) -> String {
        list(self.format.chapters.iter().map(|chapter| {
            let comparisons = chapter.comparisons.iter().map(|line| {
                let by_hand = match line.by_hand {
                    Operand::Node(id) => places[&id.index()].to_string(),
                    Operand::Constant(value) => format!("{{\"c\":{}}}", json(value)),
                };
                format!(
                    "{{\"what\":{},\"of\":{},\"wrt\":{},\"engine\":{},\"formula\":{},\"hand\":{by_hand}}}",
                    text(&line.what),
                    places[&line.of],
                    places[&line.wrt],
                    text(&formulas::derivative(tape, line.of, line.wrt)),
                    text(&formulas::by_hand(tape, line.by_hand)),
                )
            });
            let paragraphs = chapter.paragraphs.iter().map(|paragraph| text(paragraph));
            format!(
                "{{\"title\":{},\"text\":{},\"lines\":{}}}",
                text(&chapter.title),
                list(paragraphs),
                list(comparisons)
            )
        }))
    }
}

/// The rule of a node's operation: one that is there already, or a new one.
fn rule_of(rules: &mut Vec<Rule>, node: &Node) -> usize {
    let (op, operands) = (node.op, node.operands.len());
    let found = rules
        .iter()
        .position(|rule| rule.is_of(op, operands, &node.constants));
    found.unwrap_or_else(|| {
        rules.push(Rule::read(op, operands, &node.constants));
        rules.len() - 1
    })
}

fn written(rule: &Rule) -> String {
    let operand = |operand: &Operand| match operand {
        Operand::Node(id) => id.to_string(),
        Operand::Constant(value) => format!("{{\"c\":{}}}", json(*value)),
    };
    let code = rule.code.iter().map(|node| {
        let operands = list(node.operands.iter().map(operand));
        let own = match node.constants.is_empty() {
            true => String::new(),
            false => format!(",{}", list(node.constants.iter().map(|x| json(*x)))),
        };
        format!("[{},{operands}{own}]", text(node.op.name()))
    });
    let mut out = format!(
        "{{\"code\":{},\"out\":{}",
        list(code),
        list(rule.out.iter().map(operand))
    );
    if rule.domain {
        out += ",\"domain\":true";
    }
    if rule.op.is_branch() {
        out += ",\"branch\":true";
    }
    out + "}"
}

/// All nodes or, of many, the groups and each of them from inside.
fn views(picture: &Picture<'_>) -> String {
    let mut all = Vec::new();
    if picture.nodes.len() > SINGLY {
        all.push(view(picture, &picture.overview(), "groups"));
        for group in 0..picture.groups.len() {
            let name = &picture.groups[group].name;
            let inside = picture.inside(group);
            all.push(view(picture, &inside, &format!("inside {name}")));
        }
    } else {
        all.push(view(picture, &picture.all(), "all nodes"));
        all.push(view(picture, &picture.overview(), "groups"));
    }
    list(all)
}

fn view(picture: &Picture<'_>, drawing: &Drawing, name: &str) -> String {
    let plan = &drawing.plan;
    let rectangles = plan.corners.iter().zip(&drawing.sizes);
    let boxes = drawing
        .boxes
        .iter()
        .zip(rectangles)
        .map(|(shown, (corner, size))| {
            let (kind, index) = match shown {
                Shown::Node(node) => ("n", node),
                Shown::Group(group) => ("g", group),
            };
            let (x, y) = (short(corner.0), short(corner.1));
            format!(
                "{{\"{kind}\":{index},\"x\":{x},\"y\":{y},\"w\":{},\"h\":{}}}",
                short(size.0),
                short(size.1)
            )
        });
    let wires = drawing.wires.iter().zip(&plan.wires).map(|(wire, points)| {
        let (x, y) = points[points.len() - 1];
        let edge = wire.2.map_or("null".to_owned(), |edge| edge.to_string());
        let (d, x, y) = (text(&path(points)), short(x), short(y));
        format!("[{},{},{edge},{d},{x},{y}]", wire.0, wire.1)
    });
    let regions = picture.regions(drawing).into_iter().map(|region| {
        let ((x, y), (w, h)) = (region.corner, region.size);
        format!(
            "[{},{},{},{},{}]",
            text(&region.name),
            short(x),
            short(y),
            short(w),
            short(h)
        )
    });
    let mut out = String::new();
    let (boxes, wires, regions) = (list(boxes), list(wires), list(regions));
    let _ = write!(
        out,
        "{{\"name\":{},\"w\":{},\"h\":{},\"boxes\":{boxes},\"wires\":{wires},\"regions\":{regions}}}",
        text(name),
        short(plan.width),
        short(plan.height)
    );
    out
}

fn list(items: impl IntoIterator<Item = String>) -> String {
    let items: Vec<String> = items.into_iter().collect();
    format!("[{}]", items.join(","))
}

/// A number that is read back as the same bits; NaN and ∞ are texts.
fn json(x: f64) -> String {
    match x {
        f64::INFINITY => "\"Infinity\"".to_owned(),
        f64::NEG_INFINITY => "\"-Infinity\"".to_owned(),
        x if x.is_nan() => "\"NaN\"".to_owned(),
        x => format!("{x:?}"),
    }
}

/// A text in JSON that cannot end the element it stands in.
fn text(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                out += &format!("\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out + "\""
}
