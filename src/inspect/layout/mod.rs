//! Where the nodes of a drawing go: in layers from left to right.
//!
//! Sugiyama's method in four steps, each deterministic: layers, in which an edge
//! spans as little as may be; an order in each layer, with few crossings, by
//! barycentres and exchanges; heights, that keep edges straight; and the ways of
//! the edges. Edges from one node that span several layers share one trunk, so
//! that what holds their place grows with nodes × layers, not with edges × layers.

mod apart;
mod order;
mod place;

use std::collections::HashMap;

/// Beyond so many places for passing edges, edges are drawn straight.
const PLACES: usize = 60_000;
/// So many places are passed by edges, one place by many, before they are drawn straight.
const PASSED: usize = 100_000;
/// From so many places on, or twice as many joins, an order is improved less.
const LARGE: usize = 1500;
/// How often orders and heights are improved.
const SWEEPS: usize = 32;

/// What is to be laid out: nodes, and edges from a node to one after it.
#[derive(Clone, Debug, Default)]
pub(super) struct Network {
    pub(super) shapes: Vec<Shape>,
    /// From and to, the second being the larger, in the order of the second.
    pub(super) edges: Vec<(usize, usize)>,
}

/// A node as far as it takes room.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Shape {
    /// Width and height.
    pub(super) size: (f64, f64),
    /// The width of the texts on the edges that arrive.
    pub(super) label: f64,
    /// In which area it stands, if in one.
    pub(super) area: Option<usize>,
    /// Whether the area spans it; else the area may be larger for it, if it lies there.
    pub(super) spans: bool,
}

/// The room around what spans an area, within it.
pub(super) const AREA: f64 = 14.0;
/// The room above an area for its name, and above a node for what it is.
pub(super) const NAME: f64 = 20.0;

/// Where everything goes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Placement {
    /// The left upper corner of each node.
    pub(super) corners: Vec<(f64, f64)>,
    /// The layer of each node.
    pub(super) layers: Vec<usize>,
    /// The points of each edge; between two of them it is a curve that begins and
    /// ends horizontally.
    pub(super) wires: Vec<Vec<(f64, f64)>>,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Network {
    /// Lays it out.
    pub(super) fn plan(&self) -> Placement {
        if self.shapes.is_empty() {
            return Placement::default();
        }
        let layer_of = self.layers();
        let mut layered = Layered::new(self, &layer_of);
        layered.reduce_crossings();
        layered.keep_areas_in_order();
        let heights = layered.heights();
        layered.plan(self, &heights)
    }

    /// The layer of each node: first as far right as its consumers allow, then
    /// wherever its edges are shortest.
    fn layers(&self) -> Vec<usize> {
        let n = self.shapes.len();
        let (mut from_right, mut ins, mut outs) = (vec![0_usize; n], vec![0; n], vec![0; n]);
        for &(from, to) in self.edges.iter().rev() {
            ins[to] += 1;
            outs[from] += 1;
        }
        let (operands, consumers) = self.neighbours();
        for node in (0..n).rev() {
            let each = consumers[node].iter().map(|&to| from_right[to] + 1);
            from_right[node] = each.max().unwrap_or(0);
        }
        let depth = from_right.iter().copied().max().unwrap_or(0);
        let mut layer: Vec<usize> = from_right.iter().map(|right| depth - right).collect();
        for _ in 0..SWEEPS {
            let mut moved = false;
            for node in 0..n {
                let low = operands[node].iter().map(|&from| layer[from] + 1).max();
                let high = consumers[node].iter().map(|&to| layer[to] - 1).min();
                let best = match (low, high) {
                    (Some(low), Some(_)) if ins[node] > outs[node] => low,
                    (Some(low), None) => low,
                    (_, Some(high)) if outs[node] > ins[node] => high,
                    _ => layer[node],
                };
                moved |= best != layer[node];
                layer[node] = best;
            }
            if !moved {
                break;
            }
        }
        self.leave_areas(&mut layer, &operands, &consumers);
        layer
    }

    /// Moves what several areas use, and nothing leads to, to the left of them: there it is
    /// in no area's way.
    fn leave_areas(&self, layer: &mut [usize], operands: &[Vec<usize>], consumers: &[Vec<usize>]) {
        let mut first: HashMap<usize, usize> = HashMap::new();
        for (shape, &layer) in self.shapes.iter().zip(&*layer) {
            if let (Some(area), true) = (shape.area, shape.spans) {
                let first = first.entry(area).or_insert(layer);
                *first = layer.min(*first);
            }
        }
        for node in 0..layer.len() {
            if operands[node].is_empty() && self.shapes[node].area.is_none() {
                let areas = consumers[node]
                    .iter()
                    .filter_map(|&to| self.shapes[to].area);
                let least = areas.map(|area| first[&area]).min();
                let least = least.map_or(layer[node], |first| first.saturating_sub(1));
                layer[node] = layer[node].min(least);
            }
        }
    }

    /// The operands and the consumers of each node.
    fn neighbours(&self) -> (Vec<Vec<usize>>, Vec<Vec<usize>>) {
        let mut operands = vec![Vec::new(); self.shapes.len()];
        let mut consumers = operands.clone();
        for &(from, to) in &self.edges {
            operands[to].push(from);
            consumers[from].push(to);
        }
        (operands, consumers)
    }
}

/// Nodes and the places that edges pass through, layer by layer.
struct Layered {
    /// The places of each layer, from the top. A place below the number of nodes
    /// is a node.
    layers: Vec<Vec<usize>>,
    /// For each node the places of its trunk, beginning with itself.
    trunks: Vec<Vec<usize>>,
    layer_of: Vec<usize>,
    /// What each place is joined to, in the layer before and the layer after.
    left: Vec<Vec<usize>>,
    right: Vec<Vec<usize>>,
    /// The position of each place in its layer.
    position: Vec<usize>,
    /// The longest way to each place.
    depth: Vec<usize>,
    nodes: usize,
    /// The areas of shapes are below this number.
    areas: usize,
    shapes: Vec<Shape>,
}

impl Layered {
    fn new(network: &Network, layer_of: &[usize]) -> Self {
        let nodes = network.shapes.len();
        let depth = layer_of.iter().copied().max().map_or(0, |last| last + 1);
        let mut layered = Self {
            layers: vec![Vec::new(); depth],
            trunks: (0..nodes).map(|node| vec![node]).collect(),
            layer_of: layer_of.to_vec(),
            left: vec![Vec::new(); nodes],
            right: vec![Vec::new(); nodes],
            position: vec![0; nodes],
            depth: Vec::new(),
            nodes,
            areas: 0,
            shapes: network.shapes.clone(),
        };
        for &(from, to) in &network.edges {
            layered.join(from, to);
        }
        layered.measure_depths();
        layered
    }

    /// Joins an edge, extending the trunk of `from` to the layer before `to`.
    fn join(&mut self, from: usize, to: usize) {
        let steps = self.layer_of[to] - self.layer_of[from];
        while self.trunks[from].len() < steps {
            if self.position.len() >= PLACES {
                return;
            }
            let (place, last) = (
                self.position.len(),
                *self.trunks[from].last().unwrap_or(&from),
            );
            self.layer_of.push(self.layer_of[last] + 1);
            self.position.push(0);
            self.shapes.push(Shape::default());
            self.left.push(vec![last]);
            self.right.push(Vec::new());
            self.right[last].push(place);
            self.trunks[from].push(place);
        }
        let last = self.trunks[from][steps - 1];
        // Edges come in the order of where they lead.
        if self.right[last].last() != Some(&to) {
            self.right[last].push(to);
            self.left[to].push(last);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(width: f64, height: f64) -> Shape {
        Shape {
            size: (width, height),
            ..Shape::default()
        }
    }

    #[test]
    fn thousands_of_nodes_with_long_edges_are_laid_out_without_overlap() {
        // A chain in which each node also takes the first one and one 40 before.
        let mut network = Network::default();
        for node in 0..3000_usize {
            network.shapes.push(shape(90.0, 50.0));
            if node > 0 {
                network.edges.push((node - 1, node));
                network.edges.push((0, node));
            }
            if node > 40 {
                network.edges.push((node - 40, node));
            }
        }
        let plan = network.plan();
        assert_eq!(plan.wires.len(), network.edges.len());
        assert_eq!(plan, network.plan(), "deterministic");
        let mut sorted = plan.corners.clone();
        sorted.sort_by(|a, b| a.partial_cmp(b).unwrap());
        for pair in sorted.windows(2) {
            let apart = pair[1].0 - pair[0].0 >= 90.0 || pair[1].1 - pair[0].1 >= 50.0;
            assert!(apart, "{pair:?}");
        }
    }

    #[test]
    fn a_tree_has_no_crossings() {
        let network = Network {
            shapes: vec![shape(50.0, 30.0); 127],
            edges: (0..126).map(|i| (i, 64 + i / 2)).collect(),
        };
        let mut layered = Layered::new(&network, &network.layers());
        layered.reduce_crossings();
        assert_eq!(layered.crossings(), 0);
    }
}
