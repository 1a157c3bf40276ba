//! How the shares that a block of turns sends out of the loop are added to the adjoints of
//! the nodes before it: each node receives them in the order in which a sweep would bring
//! them, from the last turn to the first.

use super::loop_body::Body;
use super::taken::{Taken, Window};
use crate::ops::Real;
use indexmap::IndexSet;

/// How many nodes take their shares at a time: independent of each other, they are added
/// up side by side.
const SIDE_BY_SIDE: usize = 8;

/// Where the shares of a turn go, by the numbers of the totals that they are.
#[derive(Clone, Debug, Default)]
pub(crate) struct LoopContributions {
    /// To nodes that each turn takes for itself and that lie apart, by the number of what is
    /// taken: in the order in which a node receives them.
    apart: Vec<(u32, usize)>,
    /// To nodes that turns take in any order.
    anywhere: Vec<(u32, Target)>,
    /// To nodes that take one in each turn.
    single: Vec<(u32, u32)>,
    /// To nodes that take several.
    several: Vec<(u32, u32)>,
}

#[derive(Clone, Copy, Debug)]
enum Target {
    /// This node, whatever the turn.
    Node(u32),
    /// What the turn takes, by its number.
    Each(usize),
}

impl LoopContributions {
    pub(crate) fn new(body: &Body, turns: usize) -> Self {
        let (mut shares, all) = (Self::default(), body.shared.len());
        let also_by_turns = nodes_of(body, turns);
        let mut count = vec![0; all];
        let totals = || (0..).zip(body.plan.totals.iter().map(|&node| node as usize));
        for (_, input) in totals().filter(|(_, input)| *input < all) {
            count[input] += 1;
        }
        for (total, input) in totals() {
            match body.shared.get(input) {
                None if body.apart => shares.apart.push((total, input - all)),
                None => shares.anywhere.push((total, Target::Each(input - all))),
                Some(&node) if also_by_turns.contains(&node) => {
                    shares.anywhere.push((total, Target::Node(node)));
                }
                Some(&node) if count[input] == 1 => shares.single.push((total, node)),
                Some(&node) => shares.several.push((total, node)),
            }
        }
        // Of some turns that take one node the latest is the first on the way back: that
        // whose nodes begin before the others'.
        shares
            .apart
            .sort_by_key(|&(_, taken)| body.each[taken].node(0));
        shares
    }

    /// Adds the shares of a block of turns, of which `turn` is the first.
    #[inline(always)]
    pub(crate) fn add<'s>(
        &self,
        body: &Body,
        turn: usize,
        shares: impl Fn(u32) -> &'s [f64],
        adjoints: &mut [f64],
    ) {
        for &(total, taken) in &self.apart {
            let Taken::Even(Window { first, stride }) = body.each[taken] else {
                unreachable!("what lies apart lies evenly");
            };
            let to = &mut adjoints[first + turn * stride..];
            match stride {
                1 => add_each(to.iter_mut(), shares(total)),
                _ => add_each(to.iter_mut().step_by(stride), shares(total)),
            }
        }
        let (some, rest) = self.single.as_chunks::<SIDE_BY_SIDE>();
        some.iter().for_each(|some| add_up(some, &shares, adjoints));
        rest.iter()
            .for_each(|one| add_up(&[*one], &shares, adjoints));
        for i in (0..count(&self.several, &shares)).rev() {
            for &(total, node) in &self.several {
                let adjoint = &mut adjoints[node as usize];
                *adjoint = adjoint.plus(shares(total)[i]);
            }
        }
        for i in (0..count(&self.anywhere, &shares)).rev() {
            for &(total, target) in &self.anywhere {
                let node = match target {
                    Target::Node(node) => node as usize,
                    Target::Each(taken) => body.each[taken].node(turn + i),
                };
                adjoints[node] = adjoints[node].plus(shares(total)[i]);
            }
        }
    }
}

/// The nodes that each turn takes for itself, unless they lie apart from those that all take.
fn nodes_of(body: &Body, turns: usize) -> IndexSet<u32> {
    let each = body.each.iter().filter(|_| !body.apart);
    let all = each.flat_map(|taken| (0..turns).map(|turn| taken.node(turn) as u32));
    all.collect()
}

/// For how many turns there are shares.
fn count<'s, T>(to: &[(u32, T)], shares: impl Fn(u32) -> &'s [f64]) -> usize {
    to.first().map_or(0, |&(total, _)| shares(total).len())
}

#[inline(always)]
fn add_each<'a>(to: impl Iterator<Item = &'a mut f64>, shares: &[f64]) {
    to.zip(shares).for_each(|(to, &share)| *to = to.plus(share));
}

/// Adds up the shares of some nodes, from the last turn to the first.
#[inline(always)]
fn add_up<'s, const N: usize>(
    to: &[(u32, u32); N],
    shares: impl Fn(u32) -> &'s [f64],
    adjoints: &mut [f64],
) {
    let shares = to.map(|(total, _)| shares(total));
    let mut sums = to.map(|(_, node)| adjoints[node as usize]);
    for i in (0..shares[0].len()).rev() {
        for j in 0..N {
            sums[j] = sums[j].plus(shares[j][i]);
        }
    }
    for (&(_, node), sum) in to.iter().zip(sums) {
        adjoints[node as usize] = sum;
    }
}
