//! How far apart what is in one layer must be, so that areas do not overlap.
//!
//! An area is a rectangle over several layers: it reaches as far up and down in each of
//! them as in any. Two areas of which each is above the other in some layer cannot be kept
//! apart; nothing is done for those.

use super::{AREA, Layered, NAME};
use std::collections::HashMap;

/// The space between two nodes of a layer, and beside a passing edge.
const BETWEEN: (f64, f64) = (22.0, 18.0);
/// The space between two areas, and between an area and a node outside.
const AREAS: (f64, f64) = (2.0 * AREA + NAME + 2.0, AREA + NAME + 2.0);

/// How far the area of each node reaches above and below it.
pub(super) type Reach = Vec<(f64, f64)>;

impl Layered {
    /// How far the middles of two neighbours must be apart.
    pub(super) fn apart(&self, above: usize, below: usize) -> f64 {
        let passing = above >= self.nodes || below >= self.nodes;
        let between = if passing { BETWEEN.1 } else { BETWEEN.0 };
        (self.shapes[above].size.1 + self.shapes[below].size.1) / 2.0 + between
    }

    /// How far the middles of two nodes must be apart, edges passing between them or not, for
    /// the sake of their areas.
    fn apart_by_areas(&self, above: usize, below: usize, reach: &Reach) -> f64 {
        let [a, b] = [above, below].map(|node| self.shapes[node]);
        let between = match (a.area, b.area) {
            (a, b) if a == b => return 0.0,
            (Some(_), Some(_)) => AREAS.0,
            _ => AREAS.1,
        };
        (a.size.1 + b.size.1) / 2.0 + between + reach[above].1 + reach[below].0
    }

    /// How far below the first place of a layer each one is, at least.
    pub(super) fn offsets(
        &self,
        layer: &[usize],
        reach: &Reach,
        middle: &[f64],
        wishes: &[(f64, f64)],
    ) -> Vec<f64> {
        let mut offsets: Vec<f64> = Vec::with_capacity(layer.len());
        let mut last: Option<usize> = None;
        for (i, &place) in layer.iter().enumerate() {
            let offset = match i {
                0 => 0.0,
                _ => offsets[i - 1] + self.apart(layer[i - 1], place),
            };
            offsets.push(offset);
            if place >= self.nodes {
                continue;
            }
            let Some(first) = last.replace(i) else {
                continue;
            };
            let apart = self.apart_by_areas(layer[first], place, reach);
            let room = (offsets[first] + apart - offset).max(0.0);
            // What passes between the two is where it wants to be.
            let from = middle[layer[first]] - offsets[first];
            let mut down = 0.0_f64;
            for between in first + 1..i {
                let wish = wishes[between].1 - from - offsets[between];
                down = down.max(wish.min(room));
                offsets[between] += down;
            }
            offsets[i] += room;
        }
        offsets
    }

    /// How far areas reach, of nodes whose middles are here; from the second time on not
    /// farther than before, so that it comes to an end.
    pub(super) fn measure(&self, middle: &[f64], reach: &mut Reach, first: bool) {
        let half = |node: usize| self.shapes[node].size.1 / 2.0;
        let mut ends = vec![(f64::MAX, f64::MIN); self.areas];
        for (node, middle) in middle.iter().enumerate().take(self.nodes) {
            if let Some(area) = self.shapes[node].area {
                ends[area].0 = ends[area].0.min(middle - half(node));
                ends[area].1 = ends[area].1.max(middle + half(node));
            }
        }
        let limit = if first { f64::MAX } else { 0.0 };
        for (node, reach) in reach.iter_mut().enumerate() {
            if let Some(area) = self.shapes[node].area {
                let above = middle[node] - half(node) - ends[area].0;
                let below = ends[area].1 - middle[node] - half(node);
                *reach = (above.min(reach.0.max(limit)), below.min(reach.1.max(limit)));
            }
        }
    }

    /// Forgets the areas that cannot be kept apart: at first only the inputs in them.
    pub(super) fn keep_areas_in_order(&mut self) {
        self.number_areas();
        for all in [false, true] {
            let in_order = self.in_order();
            for node in 0..self.nodes {
                if !in_order[self.vertex(node)] && (all || !self.shapes[node].spans) {
                    self.shapes[node].area = None;
                }
            }
        }
    }

    /// Of what is moved as one, whether it is in no circle of what is above what.
    fn in_order(&self) -> Vec<bool> {
        let mut pairs = self.pairs();
        let mut in_order = vec![false; self.areas + self.nodes];
        for _ in 0..2 {
            for vertex in peeled(&pairs, in_order.len()) {
                in_order[vertex] = true;
            }
            pairs = pairs
                .into_iter()
                .map(|(above, below)| (below, above))
                .collect();
        }
        in_order
    }

    /// Numbers areas from 0, and takes inputs out of them that are in no layer that they span.
    fn number_areas(&mut self) {
        let mut numbers = HashMap::new();
        let mut layers: Vec<(usize, usize)> = Vec::new();
        for (shape, &layer) in self.shapes.iter().zip(&self.layer_of) {
            if let Some(area) = shape.area.filter(|_| shape.spans) {
                let number = *numbers.entry(area).or_insert(layers.len());
                if number == layers.len() {
                    layers.push((layer, layer));
                }
                let (first, last) = layers[number];
                layers[number] = (first.min(layer), last.max(layer));
            }
        }
        for (shape, layer) in self.shapes.iter_mut().zip(&self.layer_of) {
            let number = shape.area.and_then(|area| numbers.get(&area).copied());
            let spanned = |area: &usize| (layers[*area].0..=layers[*area].1).contains(layer);
            shape.area = number.filter(spanned);
        }
        self.areas = layers.len();
    }

    /// What is moved as one: the area of a node, or itself.
    fn vertex(&self, node: usize) -> usize {
        self.shapes[node].area.unwrap_or(self.areas + node)
    }

    /// What is directly above what in some layer.
    fn pairs(&self) -> Vec<(usize, usize)> {
        let mut pairs = Vec::new();
        for layer in &self.layers {
            let nodes = layer.iter().filter(|&&place| place < self.nodes);
            let vertices: Vec<usize> = nodes.map(|&node| self.vertex(node)).collect();
            let below = vertices.windows(2).map(|pair| (pair[0], pair[1]));
            pairs.extend(below.filter(|(above, below)| above != below));
        }
        pairs
    }

    /// Moves down what is still too near to what is above it, areas as a whole.
    pub(super) fn part(&self, middle: &mut [f64]) {
        let mut reach = vec![(0.0, 0.0); self.nodes];
        self.measure(middle, &mut reach, true);
        let mut members = vec![Vec::new(); self.areas + self.nodes];
        (0..self.nodes).for_each(|node| members[self.vertex(node)].push(node));
        // Of each node the one above it, and the room that edges between the two take.
        let mut above: Vec<Option<(usize, f64)>> = vec![None; self.nodes];
        for layer in &self.layers {
            let (mut last, mut room) = (None, 0.0);
            for (i, &place) in layer.iter().enumerate() {
                room += i
                    .checked_sub(1)
                    .map_or(0.0, |i| self.apart(layer[i], place));
                if place < self.nodes {
                    above[place] = last.map(|last| (last, room));
                    (last, room) = (Some(place), 0.0);
                }
            }
        }
        for vertex in peeled(&self.pairs(), members.len()) {
            let down = members[vertex].iter().filter_map(|&node| {
                let (above, room) = above[node]?;
                let apart = self.apart_by_areas(above, node, &reach).max(room);
                let same = self.vertex(above) == vertex;
                (!same).then(|| middle[above] + apart - middle[node])
            });
            let down = down.fold(0.0, f64::max);
            members[vertex]
                .iter()
                .for_each(|&node| middle[node] += down);
        }
        self.layers
            .iter()
            .for_each(|layer| self.pass(layer, middle));
    }

    /// Moves the edges that pass through a layer to where its nodes leave room.
    fn pass(&self, layer: &[usize], middle: &mut [f64]) {
        for pair in layer.windows(2).filter(|pair| pair[1] >= self.nodes) {
            let least = middle[pair[0]] + self.apart(pair[0], pair[1]);
            middle[pair[1]] = middle[pair[1]].max(least);
        }
        for pair in layer.windows(2).rev().filter(|pair| pair[0] >= self.nodes) {
            let most = middle[pair[1]] - self.apart(pair[0], pair[1]);
            middle[pair[0]] = middle[pair[0]].min(most);
        }
    }
}

/// The vertices of a graph to which no way leads from a circle, each after those before it.
fn peeled(edges: &[(usize, usize)], vertices: usize) -> Vec<usize> {
    let mut arriving = vec![0_usize; vertices];
    let mut leaving = vec![Vec::new(); vertices];
    for &(from, to) in edges {
        arriving[to] += 1;
        leaving[from].push(to);
    }
    let mut peeled: Vec<usize> = (0..vertices).filter(|&v| arriving[v] == 0).collect();
    let mut next = 0;
    while let Some(&vertex) = peeled.get(next) {
        next += 1;
        for &to in &leaving[vertex] {
            arriving[to] -= 1;
            if arriving[to] == 0 {
                peeled.push(to);
            }
        }
    }
    peeled
}
