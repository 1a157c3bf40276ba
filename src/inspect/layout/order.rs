//! The order in each layer: few crossings, by barycentres and exchanges.

use super::{LARGE, Layered, SWEEPS};
use std::mem;

impl Layered {
    pub(super) fn measure_depths(&mut self) {
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
                if mem::replace(&mut met[place], true) {
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
    pub(super) fn reduce_crossings(&mut self) {
        let joins: usize = self.left.iter().map(Vec::len).sum();
        let large = self.position.len().max(joins / 2) > LARGE;
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
        let (depth, forward) = (self.layers.len(), sweep.is_multiple_of(2));
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
    pub(super) fn crossings(&self) -> usize {
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
}
