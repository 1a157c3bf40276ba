//! Areas: rectangles behind the nodes that lead to a named node.
//!
//! An area spans what is computed on the way to the named node. An input that nothing else
//! uses, and that lies there, is held too. Where anything else lies there, or another
//! area, there is none. The layout keeps apart what would be in each other's way.

use super::layout::{AREA, NAME};
use super::picture::{Drawing, Picture, Shown, fitted};
use std::collections::BTreeMap;

/// How often an area is made larger for an input, at most.
const GROWS: usize = 8;

/// A rectangle behind the nodes of a group.
pub(super) struct Region {
    /// What is written above it.
    pub(super) name: String,
    pub(super) corner: (f64, f64),
    pub(super) size: (f64, f64),
}

/// What an area spans, without the room around it.
#[derive(Clone, Copy)]
struct Extent {
    low: (f64, f64),
    high: (f64, f64),
    /// The first and the last layer.
    layers: (usize, usize),
}

impl Extent {
    const NOTHING: Self = Self {
        low: (f64::MAX, f64::MAX),
        high: (f64::MIN, f64::MIN),
        layers: (usize::MAX, 0),
    };

    fn hold(&mut self, one: &Self) {
        self.low = (self.low.0.min(one.low.0), self.low.1.min(one.low.1));
        self.high = (self.high.0.max(one.high.0), self.high.1.max(one.high.1));
        self.layers.0 = self.layers.0.min(one.layers.0);
        self.layers.1 = self.layers.1.max(one.layers.1);
    }

    /// From where to where an area takes room, with its name.
    fn heights(&self) -> (f64, f64) {
        (self.low.1 - AREA - NAME, self.high.1 + AREA)
    }
}

impl Picture<'_> {
    /// The area that a node stands in: that of its group, if a named node is computed there;
    /// of an input that of all that use it.
    pub(super) fn find_areas(&mut self) {
        let last = self.nodes.len();
        let area = |node: usize| {
            let group = self.group_of[node];
            let computed = self.groups[group]
                .result
                .is_some_and(|node| !self.leaf[node]);
            computed.then_some(group)
        };
        let mut area_of = vec![None; last];
        let mut used = vec![false; last];
        for node in (0..last).filter(|&node| !self.leaf[node]) {
            area_of[node] = area(node);
        }
        for edge in self.edges.iter().filter(|edge| self.leaf[edge.from]) {
            let of_user = area_of[edge.to];
            let first = !std::mem::replace(&mut used[edge.from], true);
            area_of[edge.from] = of_user.filter(|_| first || area_of[edge.from] == of_user);
        }
        self.area_of = area_of;
    }

    /// The area that a box may stand in, and whether the area spans it.
    pub(super) fn area(&self, shown: Shown) -> (Option<usize>, bool) {
        match shown {
            Shown::Node(node) => {
                let area = self.area_of[node];
                (area, area.is_some() && !self.leaf[node])
            }
            Shown::Group(_) => (None, false),
        }
    }

    /// The areas of a drawing: no two of them overlap, and none covers what is not its own.
    /// The first of two that would overlap is there.
    pub(super) fn regions(&self, drawing: &Drawing) -> Vec<Region> {
        let board = Board::new(self, drawing);
        let mut taken = vec![BTreeMap::new(); board.columns.len()];
        let mut regions = Vec::new();
        for (group, span) in board.spans() {
            let Some(span) = board.held(group, span) else {
                continue;
            };
            if !take(&mut taken, &span) {
                continue;
            }
            let size = (
                span.high.0 - span.low.0 + 2.0 * AREA,
                span.high.1 - span.low.1 + 2.0 * AREA,
            );
            regions.push(Region {
                name: fitted(&self.groups[group].name, size.0 - 2.0 * NAME),
                corner: (span.low.0 - AREA, span.low.1 - AREA),
                size,
            });
        }
        regions
    }
}

/// Takes the room of an area in each of its layers, unless some of it is taken. Heights are
/// in tenths, so that they can be keys.
fn take(taken: &mut [BTreeMap<i64, i64>], span: &Extent) -> bool {
    let (top, bottom) = span.heights();
    let (top, bottom) = ((10.0 * top).floor() as i64, (10.0 * bottom).ceil() as i64);
    let layers = &mut taken[span.layers.0..=span.layers.1];
    let is_free = |layer: &BTreeMap<i64, i64>| {
        let above = layer.range(..bottom).next_back();
        above.is_none_or(|(_, end)| *end <= top)
    };
    if !layers.iter().all(is_free) {
        return false;
    }
    for layer in layers {
        layer.insert(top, bottom);
    }
    true
}

/// The boxes of a drawing, each with the room of what is written above it.
struct Board {
    boxes: Vec<Box>,
    /// The boxes of each layer, from the top.
    columns: Vec<Vec<usize>>,
}

/// A box, the area that it may stand in, and whether the area spans it.
struct Box {
    span: Extent,
    area: Option<usize>,
    spans: bool,
}

impl Board {
    fn new(picture: &Picture<'_>, drawing: &Drawing) -> Self {
        let plan = &drawing.plan;
        let depth = plan.layers.iter().max().map_or(0, |last| last + 1);
        let mut columns = vec![Vec::new(); depth];
        let mut boxes = Vec::with_capacity(drawing.boxes.len());
        for (i, &shown) in drawing.boxes.iter().enumerate() {
            let ((x, y), (width, height)) = (plan.corners[i], drawing.sizes[i]);
            let above = picture.kind(shown).map_or(0.0, |_| NAME);
            let layer = plan.layers[i];
            let (area, spans) = picture.area(shown);
            let span = Extent {
                low: (x, y - above),
                high: (x + width, y + height),
                layers: (layer, layer),
            };
            boxes.push(Box { span, area, spans });
            columns[layer].push(i);
        }
        for column in &mut columns {
            column.sort_by(|&a, &b| boxes[a].span.low.1.total_cmp(&boxes[b].span.low.1));
        }
        Self { boxes, columns }
    }

    /// What the area of each group spans.
    fn spans(&self) -> BTreeMap<usize, Extent> {
        let mut spans = BTreeMap::new();
        for one in self.boxes.iter().filter(|one| one.spans) {
            if let Some(area) = one.area {
                spans.entry(area).or_insert(Extent::NOTHING).hold(&one.span);
            }
        }
        spans
    }

    /// An area, larger by the inputs of its own that lie there; none if anything lies there
    /// that is not its own.
    fn held(&self, area: usize, mut span: Extent) -> Option<Extent> {
        for _ in 0..GROWS {
            let (top, bottom) = span.heights();
            let mut held = span;
            for column in &self.columns[span.layers.0..=span.layers.1] {
                let first = column.partition_point(|&i| self.boxes[i].span.high.1 <= top);
                let within = column[first..].iter().map(|&i| &self.boxes[i]);
                for one in within.take_while(|one| one.span.low.1 < bottom) {
                    if one.area != Some(area) {
                        return None;
                    }
                    held.hold(&one.span);
                }
            }
            if held.low == span.low && held.high == span.high {
                return Some(span);
            }
            span = held;
        }
        None
    }
}
