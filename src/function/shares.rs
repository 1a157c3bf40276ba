//! How the shares that a block of turns sends out of the loop are added to the adjoints of
//! the nodes before it: each node receives them in the order in which a sweep would bring
//! them, from the last turn to the first.

use super::body::{Body, Window};
use crate::ops::Real;

/// How many nodes take their shares at a time: independent of each other, they are added
/// up side by side.
const SIDE_BY_SIDE: usize = 8;

/// Where the shares of a turn go, by the numbers of the totals that they are.
#[derive(Clone, Debug, Default)]
pub(super) struct Shares {
    /// To nodes that each turn takes for itself, in the order in which a node receives them.
    windows: Vec<(u32, Window)>,
    /// To nodes that take one in each turn.
    single: Vec<(u32, u32)>,
    /// To nodes that take several.
    several: Vec<(u32, u32)>,
}

impl Shares {
    pub(super) fn new(body: &Body) -> Self {
        let (mut shares, all) = (Self::default(), body.shared.len());
        let mut count = vec![0; all];
        let totals = || (0..).zip(body.plan.totals.iter().map(|&node| node as usize));
        for (_, input) in totals().filter(|(_, input)| *input < all) {
            count[input] += 1;
        }
        for (total, input) in totals() {
            if input >= all {
                shares.windows.push((total, body.windows[input - all]));
            } else if count[input] == 1 {
                shares.single.push((total, body.shared[input]));
            } else {
                shares.several.push((total, body.shared[input]));
            }
        }
        // Of some turns that take one node the latest is the first on the way back: that
        // whose nodes begin before the others'.
        shares.windows.sort_by_key(|(_, window)| window.first);
        shares
    }

    /// Adds the shares of a block of turns, of which `turn` is the first.
    #[inline(always)]
    pub(super) fn add<'s>(
        &self,
        turn: usize,
        shares: impl Fn(u32) -> &'s [f64],
        adjoints: &mut [f64],
    ) {
        for &(total, Window { first, stride }) in &self.windows {
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
        let count = self
            .several
            .first()
            .map_or(0, |&(total, _)| shares(total).len());
        for i in (0..count).rev() {
            for &(total, node) in &self.several {
                let adjoint = &mut adjoints[node as usize];
                *adjoint = adjoint.plus(shares(total)[i]);
            }
        }
    }
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
