//! `Guards`: the comparisons that a recording program has made, each of them once.

use crate::program::{Guard, Operand};

/// A place among the hashed that is free.
const FREE: usize = usize::MAX;
/// So many places there are at first.
const FIRST_PLACES: usize = 16;

/// Comparisons in the order in which they were first made.
///
/// One of a node that is newer than those of all before it is none of these: so it is in a loop
/// that compares what it has just computed, where nothing is hashed. Any other is looked for,
/// and those made since the last time that one was looked for are hashed then.
#[derive(Clone, Debug, Default)]
pub(super) struct Guards {
    all: Vec<Guard>,
    /// The newest node that was compared, and one more.
    newest: u32,
    /// Where the hashed ones are among `all`, each at the first free place from its hash on. A
    /// power of two of places, at least half of them free.
    places: Vec<usize>,
    /// How many of `all` are hashed.
    hashed: usize,
}

impl Guards {
    pub(super) fn all(&self) -> &[Guard] {
        &self.all
    }

    /// Keeps a comparison, unless an equal one is kept: of the same operands, with the same
    /// outcome.
    pub(super) fn keep(&mut self, guard: Guard) {
        let nodes = [guard.a, guard.b].map(|operand| operand.node().map_or(0, |id| id + 1));
        let newest = nodes[0].max(nodes[1]);
        if newest > self.newest {
            self.newest = newest;
        } else if self.has(&guard) {
            return;
        }
        self.all.push(guard);
    }

    #[inline(never)]
    fn has(&mut self, guard: &Guard) -> bool {
        if self.places.len() < 2 * self.all.len() {
            let places = (2 * self.all.len()).next_power_of_two().max(FIRST_PLACES);
            self.places.clear();
            self.places.resize(places, FREE);
            self.hashed = 0;
        }
        while let Some(next) = self.all.get(self.hashed) {
            let place = self.place(next);
            self.places[place] = self.hashed;
            self.hashed += 1;
        }
        self.hashed > 0 && self.places[self.place(guard)] != FREE
    }

    /// The place of an equal one, or a free one for it.
    fn place(&self, guard: &Guard) -> usize {
        let last = self.places.len() - 1;
        let mut place = guard.hash() & last;
        while let Some(other) = self.all.get(self.places[place])
            && !other.is_same(guard)
        {
            place = (place + 1) & last;
        }
        place
    }

    /// Gives back the memory in which others would be looked for.
    pub(super) fn end(&mut self) {
        self.places = Vec::new();
        self.hashed = 0;
    }

    /// The memory that is filled.
    pub(super) fn bytes(&self) -> usize {
        let places = if self.hashed > 0 {
            &self.places[..]
        } else {
            &[]
        };
        size_of_val(&self.all[..]) + size_of_val(places)
    }

    /// Forgets all, and keeps the memory as room.
    pub(super) fn clear(&mut self) {
        self.all.clear();
        if self.hashed > 0 {
            self.places.fill(FREE);
        }
        (self.newest, self.hashed) = (0, 0);
    }
}

/// The bits of an operand, of which a constant that is NaN is equal to itself.
fn bits(operand: Operand) -> (bool, u64) {
    match operand {
        Operand::Node(id) => (true, id.0.into()),
        Operand::Constant(value) => (false, value.to_bits()),
    }
}

impl Guard {
    fn is_same(&self, other: &Self) -> bool {
        (bits(self.a), bits(self.b)) == (bits(other.a), bits(other.b))
            && (self.test, self.held) == (other.test, other.held)
    }

    /// A number that is the same for equal ones, and seldom for others.
    fn hash(&self) -> usize {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15; // 2⁶⁴ by the golden ratio
        let (a, b) = (bits(self.a).1, bits(self.b).1);
        let mixed = (a.wrapping_mul(ODD).rotate_left(32) ^ b).wrapping_mul(ODD);
        mixed.swap_bytes() as usize // of the product the upper bits are the mixed ones
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::{Comparison, NodeId};
    use std::panic::Location;

    /// Of 6 · 6 · 2 · 2 comparisons, each met again and again.
    #[test]
    fn those_are_kept_that_no_earlier_one_is_equal_to() {
        let operand = |number: u64| match number % 6 {
            node @ 0..3 => Operand::Node(NodeId(node as u32)),
            3 => Operand::Constant(f64::NAN),
            4 => Operand::Constant(-0.0),
            _ => Operand::Constant(0.0), // as a node, 0
        };
        let caller = Location::caller();
        let (mut guards, mut number) = (Guards::default(), 1_u64);
        for _ in 0..20 {
            guards.clear();
            assert_eq!(guards.bytes(), 0);
            let mut expected: Vec<Guard> = Vec::new();
            for _ in 0..1_000 {
                number = number.wrapping_mul(6_364_136_223_846_793_005) + 1;
                let bits = number >> 33;
                let guard = Guard {
                    a: operand(bits),
                    b: operand(bits / 6),
                    test: [Comparison::Less, Comparison::Equal][bits as usize / 36 % 2],
                    held: bits / 72 % 2 == 0,
                    recorded: (0.0, bits as f64),
                    caller,
                };
                guards.keep(guard);
                if !expected.iter().any(|other| other.is_same(&guard)) {
                    expected.push(guard);
                }
                assert_eq!(guards.all().len(), expected.len());
            }
            assert!(expected.len() > 138, "{}", expected.len());
            let first = |all: &[Guard]| all.iter().map(|g| g.recorded.1).collect::<Vec<_>>();
            assert_eq!(first(guards.all()), first(&expected));
        }
    }

    #[test]
    fn neighbours_are_hashed_apart() {
        let guard = |a: u32, b: Operand| Guard {
            a: Operand::Node(NodeId(a)),
            b,
            test: Comparison::Less,
            held: true,
            recorded: (0.0, 0.0),
            caller: Location::caller(),
        };
        let pairs = (0..1_000).map(|i| guard(i, Operand::Node(NodeId(i + 1))));
        let bounds = (0..1_000).map(|i| guard(7, Operand::Constant(f64::from(i))));
        for guards in [pairs.collect::<Vec<_>>(), bounds.collect()] {
            let mut places: Vec<usize> = guards.iter().map(|g| g.hash() & 2_047).collect();
            places.sort_unstable();
            places.dedup();
            // 791 of 1,000 by chance.
            assert!(places.len() > 700, "{}", places.len());
        }
    }
}
