//! Heights, that keep edges straight, and the ways of the edges.

use super::apart::Reach;
use super::{LARGE, Layered, Network, PASSED, Placement, SWEEPS};

/// The room in which edges bend, before the texts on them.
const BEND: f64 = 24.0;
/// The end of each edge that is straight, at least: room for the partial on it.
const STUB: f64 = 42.0;
/// The distance between edges that arrive at one node.
const PORTS: f64 = 19.0;

impl Layered {
    /// The height of the middle of each place. In turn each layer goes as near as
    /// its order allows to what it is joined to.
    pub(super) fn heights(&self) -> Vec<f64> {
        let mut middle = vec![0.0; self.position.len()];
        for layer in &self.layers {
            let mut y = 0.0;
            for (i, &place) in layer.iter().enumerate() {
                if i > 0 {
                    y += self.apart(layer[i - 1], place);
                }
                middle[place] = y;
            }
            let centre = y / 2.0;
            layer.iter().for_each(|&place| middle[place] -= centre);
        }
        let sweeps = if self.position.len() > LARGE {
            SWEEPS / 2
        } else {
            2 * SWEEPS
        };
        // At first as if areas were as high as their nodes; then what they reach is known.
        let areas = self.shapes.iter().any(|shape| shape.area.is_some());
        let mut reach = vec![(0.0, 0.0); self.nodes];
        for sweep in 0..if areas { 2 * sweeps } else { sweeps } {
            if sweep >= sweeps {
                self.measure(&middle, &mut reach, sweep == sweeps);
            }
            let depth = self.layers.len();
            for step in 0..depth {
                let layer = if sweep.is_multiple_of(2) {
                    step
                } else {
                    depth - 1 - step
                };
                self.settle(&self.layers[layer], &mut middle, &reach);
            }
        }
        self.part(&mut middle);
        middle
    }

    /// How much a join wants to be straight: a long edge most.
    fn weight(&self, a: usize, b: usize) -> f64 {
        match (a >= self.nodes, b >= self.nodes) {
            (true, true) => 8.0,
            (false, false) => 1.0,
            _ => 2.0,
        }
    }

    /// Where a place wants to be, and how much: in the middle of what it is joined to.
    fn wish(&self, place: usize, middle: &[f64]) -> (f64, f64) {
        let (mut weight, mut wish) = (1e-3, 1e-3 * middle[place]);
        for &other in self.left[place].iter().chain(&self.right[place]) {
            let by = self.weight(place, other);
            weight += by;
            wish += by * middle[other];
        }
        (weight, wish / weight)
    }

    /// Moves one layer to where the sum of squared distances from what it is joined
    /// to is least, by pooling neighbours that would come too near.
    fn settle(&self, layer: &[usize], middle: &mut [f64], reach: &Reach) {
        let wishes: Vec<(f64, f64)> = layer.iter().map(|&p| self.wish(p, middle)).collect();
        let offsets = self.offsets(layer, reach, middle, &wishes);
        // Each block: the sum of weights, the weighted sum of wishes, how many.
        let mut blocks: Vec<(f64, f64, usize)> = Vec::with_capacity(layer.len());
        for (&(weight, wish), offset) in wishes.iter().zip(&offsets) {
            let mut block = (weight, weight * (wish - offset), 1);
            while let Some(&(w, s, n)) = blocks.last() {
                if s / w <= block.1 / block.0 {
                    break;
                }
                block = (w + block.0, s + block.1, n + block.2);
                blocks.pop();
            }
            blocks.push(block);
        }
        let mut next = 0;
        for (weight, wish, count) in blocks {
            for _ in 0..count {
                middle[layer[next]] = wish / weight + offsets[next];
                next += 1;
            }
        }
    }

    /// The end of the edges to a place that is straight.
    fn stub(&self, place: usize) -> f64 {
        STUB.max(self.shapes[place].label)
    }

    /// Corners and wires.
    pub(super) fn plan(&self, network: &Network, middle: &[f64]) -> Placement {
        let mut lefts = Vec::with_capacity(self.layers.len());
        let mut widths = Vec::with_capacity(self.layers.len());
        let mut x = 0.0;
        for (i, layer) in self.layers.iter().enumerate() {
            let width = layer.iter().map(|&place| self.shapes[place].size.0);
            let width = width.fold(0.0, f64::max);
            if i > 0 {
                let stubs = layer.iter().map(|&place| self.stub(place));
                x += BEND + stubs.fold(0.0, f64::max);
            }
            lefts.push(x);
            widths.push(width);
            x += width;
        }
        let edge =
            |place: &usize, sign: f64| middle[*place] + sign * self.shapes[*place].size.1 / 2.0;
        let places = || self.layers.iter().flatten();
        let top = places()
            .map(|place| edge(place, -1.0))
            .fold(f64::MAX, f64::min);
        let bottom = places()
            .map(|place| edge(place, 1.0))
            .fold(f64::MIN, f64::max);
        let corner = |node: usize| {
            let (layer, (width, height)) = (self.layer_of[node], self.shapes[node].size);
            let x = lefts[layer] + (widths[layer] - width) / 2.0;
            (x, middle[node] - height / 2.0 - top)
        };
        let corners: Vec<_> = (0..self.nodes).map(corner).collect();
        let ports = self.ports(network, middle);
        let mut passed = 0;
        let wire = |(&(from, to), &port): (&(usize, usize), &f64)| {
            // It bends between layers only, not beside wider nodes of its own.
            let ([start, end], y) = (
                [from, to].map(|node| self.layer_of[node]),
                middle[from] - top,
            );
            let right = corners[from].0 + self.shapes[from].size.0;
            let mut points = vec![(right, y)];
            if right < lefts[start] + widths[start] {
                points.push((lefts[start] + widths[start], y));
            }
            let steps = end - start;
            passed += steps - 1;
            let steps = if passed <= PASSED { steps } else { 1 };
            for &place in self.trunks[from].iter().take(steps).skip(1) {
                let (layer, y) = (self.layer_of[place], middle[place] - top);
                points.push((lefts[layer], y));
                points.push((lefts[layer] + widths[layer], y));
            }
            let bent = lefts[end].min(corners[to].0 - self.stub(to));
            points.push((bent, port - top));
            points.push((corners[to].0, port - top));
            points
        };
        Placement {
            wires: network.edges.iter().zip(&ports).map(wire).collect(),
            corners,
            layers: self.layer_of[..self.nodes].to_vec(),
            width: x,
            height: bottom - top,
        }
    }

    /// The height at which each edge arrives: in the order of where it comes from.
    fn ports(&self, network: &Network, middle: &[f64]) -> Vec<f64> {
        let mut arriving: Vec<Vec<(f64, usize)>> = vec![Vec::new(); self.nodes];
        for (edge, &(from, to)) in network.edges.iter().enumerate() {
            let steps = self.layer_of[to] - self.layer_of[from];
            let trunk = &self.trunks[from];
            let last = trunk[(steps - 1).min(trunk.len() - 1)];
            arriving[to].push((middle[last], edge));
        }
        let mut ports = vec![0.0; network.edges.len()];
        for (to, mut edges) in arriving.into_iter().enumerate() {
            edges.sort_by(|a, b| a.0.total_cmp(&b.0));
            let count = edges.len() as f64;
            let apart = PORTS.min(self.shapes[to].size.1 / (count + 0.5));
            for (i, (_, edge)) in edges.into_iter().enumerate() {
                ports[edge] = middle[to] + (i as f64 - (count - 1.0) / 2.0) * apart;
            }
        }
        ports
    }
}
