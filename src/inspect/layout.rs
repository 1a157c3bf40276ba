//! Where the nodes of a drawing go: in layers from left to right.
//!
//! Sugiyama's method in four steps, each deterministic: layers, in which an edge
//! spans as little as may be; an order in each layer, with few crossings, by
//! barycentres and exchanges; heights, that keep edges straight; and the ways of
//! the edges. Edges from one node that span several layers share one trunk, so
//! that what holds their place grows with nodes × layers, not with edges × layers.

/// The space between layers.
const ACROSS: f64 = 70.0;
/// The end of each edge that is straight: room for the partial on it.
const STUB: f64 = 40.0;
/// The space between two nodes of a layer, and beside a passing edge.
const BETWEEN: (f64, f64) = (22.0, 18.0);
/// The distance between edges that arrive at one node.
const PORTS: f64 = 19.0;
/// Beyond so many places for passing edges, edges are drawn straight.
const PLACES: usize = 60_000;
/// How often orders and heights are improved.
const SWEEPS: usize = 32;

/// What is to be laid out: sizes, and edges from a node to one after it.
#[derive(Clone, Debug, Default)]
pub(super) struct Network {
    /// Width and height of each node.
    pub(super) sizes: Vec<(f64, f64)>,
    /// From and to, the second being the larger.
    pub(super) edges: Vec<(usize, usize)>,
}

/// Where everything goes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Plan {
    /// The left upper corner of each node.
    pub(super) corners: Vec<(f64, f64)>,
    /// The points of each edge; between two of them it is a curve that begins and
    /// ends horizontally.
    pub(super) wires: Vec<Vec<(f64, f64)>>,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Network {
    /// Lays it out.
    pub(super) fn plan(&self) -> Plan {
        if self.sizes.is_empty() {
            return Plan::default();
        }
        let layer_of = self.layers();
        let mut layered = Layered::new(self, &layer_of);
        layered.reduce_crossings();
        let heights = layered.heights();
        layered.plan(self, &heights)
    }

    /// The layer of each node: first as far right as its consumers allow, then
    /// wherever its edges are shortest.
    fn layers(&self) -> Vec<usize> {
        let n = self.sizes.len();
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
        layer
    }

    /// The operands and the consumers of each node.
    fn neighbours(&self) -> (Vec<Vec<usize>>, Vec<Vec<usize>>) {
        let mut operands = vec![Vec::new(); self.sizes.len()];
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
    sizes: Vec<(f64, f64)>,
}

impl Layered {
    fn new(network: &Network, layer_of: &[usize]) -> Self {
        let nodes = network.sizes.len();
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
            sizes: network.sizes.clone(),
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
            self.sizes.push((0.0, 0.0));
            self.left.push(vec![last]);
            self.right.push(Vec::new());
            self.right[last].push(place);
            self.trunks[from].push(place);
        }
        let last = self.trunks[from][steps - 1];
        if !self.right[last].contains(&to) {
            self.right[last].push(to);
            self.left[to].push(last);
        }
    }

    fn measure_depths(&mut self) {
        let mut places: Vec<usize> = (0..self.position.len()).collect();
        places.sort_by_key(|&place| self.layer_of[place]);
        self.depth = vec![0; places.len()];
        for place in places {
            let each = self.left[place].iter().map(|&from| self.depth[from] + 1);
            self.depth[place] = each.max().unwrap_or(0);
        }
    }

    /// An order to begin with: that in which a walk from the outputs back meets the
    /// places, the operands in their order, from the last, or the deepest first.
    fn order_by_depth_first(&mut self, start: usize) {
        self.layers.iter_mut().for_each(Vec::clear);
        let mut met = vec![false; self.position.len()];
        for node in (0..self.nodes).rev() {
            let mut waiting = vec![node];
            while let Some(place) = waiting.pop() {
                if std::mem::replace(&mut met[place], true) {
                    continue;
                }
                self.layers[self.layer_of[place]].push(place);
                let from = waiting.len();
                waiting.extend(self.left[place].iter().rev());
                match start {
                    0 => waiting[from..].sort_by_key(|&place| usize::MAX - self.depth[place]),
                    1 => waiting[from..].sort_by_key(|&place| self.depth[place]),
                    2 => {}
                    _ => waiting[from..].reverse(),
                }
            }
        }
        self.renumber();
    }

    fn renumber(&mut self) {
        for layer in &self.layers {
            for (position, &place) in layer.iter().enumerate() {
                self.position[place] = position;
            }
        }
    }

    /// Improves several orders, and keeps the best one met.
    fn reduce_crossings(&mut self) {
        let large = self.position.len() > 4000;
        let (starts, sweeps) = if large { (1, SWEEPS / 4) } else { (4, SWEEPS) };
        let mut best = (usize::MAX, Vec::new());
        for start in 0..starts {
            self.order_by_depth_first(start);
            for sweep in 0..=sweeps {
                if !large {
                    self.exchange();
                }
                let crossings = self.crossings();
                if crossings < best.0 {
                    best = (crossings, self.layers.clone());
                }
                if best.0 == 0 {
                    break;
                }
                self.sort_layers(sweep);
            }
        }
        self.layers = best.1;
        self.renumber();
    }

    /// Sorts each layer by the mean position of what it is joined to, from the left
    /// or from the right.
    fn sort_layers(&mut self, sweep: usize) {
        let (depth, forward) = (self.layers.len(), sweep % 2 == 0);
        for step in 0..depth {
            let layer = if forward { step } else { depth - 1 - step };
            self.sort_layer(layer, forward, sweep % 4 >= 2);
        }
    }

    /// Sorts by barycentre; places of the same one keep their order, or reverse it.
    fn sort_layer(&mut self, layer: usize, by_left: bool, reverse_ties: bool) {
        let mut keyed: Vec<(f64, usize)> = Vec::with_capacity(self.layers[layer].len());
        for &place in &self.layers[layer] {
            let joined = if by_left {
                &self.left[place]
            } else {
                &self.right[place]
            };
            let sum: usize = joined.iter().map(|&other| self.position[other]).sum();
            let key = match joined.len() {
                0 => self.position[place] as f64,
                n => sum as f64 / n as f64,
            };
            keyed.push((key, place));
        }
        if reverse_ties {
            keyed.reverse();
        }
        keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.layers[layer] = keyed.into_iter().map(|(_, place)| place).collect();
        for (position, &place) in self.layers[layer].iter().enumerate() {
            self.position[place] = position;
        }
    }

    /// Exchanges neighbours wherever that takes away crossings.
    fn exchange(&mut self) {
        for _ in 0..8 {
            let mut improved = false;
            for layer in 0..self.layers.len() {
                for i in 1..self.layers[layer].len() {
                    let (u, v) = (self.layers[layer][i - 1], self.layers[layer][i]);
                    if self.crossings_of(u, v) > self.crossings_of(v, u) {
                        self.layers[layer].swap(i - 1, i);
                        self.position.swap(u, v);
                        improved = true;
                    }
                }
            }
            if !improved {
                break;
            }
        }
    }

    /// The crossings between the edges of two neighbours, `u` being above.
    fn crossings_of(&self, u: usize, v: usize) -> usize {
        let count = |a: &[usize], b: &[usize]| {
            let pairs = a.iter().flat_map(|x| b.iter().map(move |y| (x, y)));
            pairs
                .filter(|(x, y)| self.position[**y] < self.position[**x])
                .count()
        };
        count(&self.left[u], &self.left[v]) + count(&self.right[u], &self.right[v])
    }

    /// All crossings, by counting inversions in a tree of sums.
    fn crossings(&self) -> usize {
        let mut total = 0;
        for pair in self.layers.windows(2) {
            let width = pair[1].len();
            let mut sums = vec![0_usize; width + 1];
            let mut seen = 0;
            for &place in &pair[0] {
                let mut ends: Vec<_> = self.right[place]
                    .iter()
                    .map(|&p| self.position[p])
                    .collect();
                ends.sort_unstable();
                for end in &ends {
                    let (mut i, mut not_below) = (end + 1, 0);
                    while i > 0 {
                        not_below += sums[i];
                        i &= i - 1;
                    }
                    total += seen - not_below;
                }
                for end in ends {
                    let mut i = end + 1;
                    while i <= width {
                        sums[i] += 1;
                        i += i & i.wrapping_neg();
                    }
                    seen += 1;
                }
            }
        }
        total
    }

    /// The height of the middle of each place. In turn each layer goes as near as
    /// its order allows to what it is joined to.
    fn heights(&self) -> Vec<f64> {
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
        let sweeps = if self.position.len() > 4000 {
            SWEEPS / 2
        } else {
            2 * SWEEPS
        };
        for sweep in 0..sweeps {
            let depth = self.layers.len();
            for step in 0..depth {
                let layer = if sweep % 2 == 0 {
                    step
                } else {
                    depth - 1 - step
                };
                self.settle(&self.layers[layer], &mut middle);
            }
        }
        middle
    }

    /// How far the middles of two neighbours must be apart.
    fn apart(&self, above: usize, below: usize) -> f64 {
        let passing = above >= self.nodes || below >= self.nodes;
        let between = if passing { BETWEEN.1 } else { BETWEEN.0 };
        (self.sizes[above].1 + self.sizes[below].1) / 2.0 + between
    }

    /// How much a join wants to be straight: a long edge most.
    fn weight(&self, a: usize, b: usize) -> f64 {
        match (a >= self.nodes, b >= self.nodes) {
            (true, true) => 8.0,
            (false, false) => 1.0,
            _ => 2.0,
        }
    }

    /// Moves one layer to where the sum of squared distances from what it is joined
    /// to is least, by pooling neighbours that would come too near.
    fn settle(&self, layer: &[usize], middle: &mut [f64]) {
        // Each block: the sum of weights, the weighted sum of wishes, how many.
        let mut blocks: Vec<(f64, f64, usize)> = Vec::with_capacity(layer.len());
        let mut offsets = Vec::with_capacity(layer.len());
        let mut offset = 0.0;
        for (i, &place) in layer.iter().enumerate() {
            if i > 0 {
                offset += self.apart(layer[i - 1], place);
            }
            offsets.push(offset);
            let (mut weight, mut wish) = (1e-3, 1e-3 * middle[place]);
            for &other in self.left[place].iter().chain(&self.right[place]) {
                let by = self.weight(place, other);
                weight += by;
                wish += by * middle[other];
            }
            let mut block = (weight, wish - weight * offset, 1);
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

    /// Corners and wires.
    fn plan(&self, network: &Network, middle: &[f64]) -> Plan {
        let mut lefts = Vec::with_capacity(self.layers.len());
        let mut widths = Vec::with_capacity(self.layers.len());
        let mut x = 0.0;
        for layer in &self.layers {
            let width = layer.iter().map(|&place| self.sizes[place].0);
            let width = width.fold(0.0, f64::max);
            lefts.push(x);
            widths.push(width);
            x += width + ACROSS;
        }
        let edge = |place: &usize, sign: f64| middle[*place] + sign * self.sizes[*place].1 / 2.0;
        let places = || self.layers.iter().flatten();
        let top = places()
            .map(|place| edge(place, -1.0))
            .fold(f64::MAX, f64::min);
        let bottom = places()
            .map(|place| edge(place, 1.0))
            .fold(f64::MIN, f64::max);
        let corner = |node: usize| {
            let (layer, (width, height)) = (self.layer_of[node], self.sizes[node]);
            let x = lefts[layer] + (widths[layer] - width) / 2.0;
            (x, middle[node] - height / 2.0 - top)
        };
        let corners: Vec<_> = (0..self.nodes).map(corner).collect();
        let ports = self.ports(network, middle);
        let wire = |(&(from, to), &port): (&(usize, usize), &f64)| {
            let (x, _) = corners[from];
            let mut points = vec![(x + self.sizes[from].0, middle[from] - top)];
            let steps = self.layer_of[to] - self.layer_of[from];
            for &place in self.trunks[from].iter().take(steps).skip(1) {
                let (layer, y) = (self.layer_of[place], middle[place] - top);
                points.push((lefts[layer], y));
                points.push((lefts[layer] + widths[layer], y));
            }
            points.push((corners[to].0 - STUB, port - top));
            points.push((corners[to].0, port - top));
            points
        };
        Plan {
            wires: network.edges.iter().zip(&ports).map(wire).collect(),
            corners,
            width: x - ACROSS,
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
            let apart = PORTS.min(self.sizes[to].1 / (count + 0.5));
            for (i, (_, edge)) in edges.into_iter().enumerate() {
                ports[edge] = middle[to] + (i as f64 - (count - 1.0) / 2.0) * apart;
            }
        }
        ports
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_of_nodes_with_long_edges_are_laid_out_without_overlap() {
        // A chain in which each node also takes the first one and one 40 before.
        let mut network = Network::default();
        for node in 0..3000_usize {
            network.sizes.push((90.0, 50.0));
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
        let mut network = Network::default();
        network.sizes = vec![(50.0, 30.0); 127];
        network.edges = (0..126).map(|i| (i, 64 + i / 2)).collect();
        let mut layered = Layered::new(&network, &network.layers());
        layered.reduce_crossings();
        assert_eq!(layered.crossings(), 0);
    }
}
