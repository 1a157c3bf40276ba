//! What the turns of a loop take from before it, and how these nodes lie to each other: on
//! that depends how what comes back to them may be added up.

use indexmap::IndexSet;

/// Nodes before a loop, of which each turn takes one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Taken {
    /// All turns take this one.
    All(u32),
    /// They lie evenly.
    Even(Window),
    /// Each turn takes one of these.
    Any(Box<[u32]>),
}

/// Nodes that lie evenly from turn to turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Window {
    /// The first turn's.
    pub(crate) first: usize,
    /// How far on the next turn's is.
    pub(crate) stride: usize,
}

impl Taken {
    /// What a turn takes.
    pub(crate) fn node(&self, turn: usize) -> usize {
        match self {
            Self::All(node) => *node as usize,
            Self::Even(Window { first, stride }) => first + turn * stride,
            Self::Any(nodes) => nodes[turn] as usize,
        }
    }

    /// Bytes of a list of nodes.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Any(nodes) => size_of_val(&nodes[..]),
            Self::All(_) | Self::Even(_) => 0,
        }
    }

    /// Whether all turns take the same.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self, Self::All(_))
    }

    /// The last of the nodes on the tape.
    pub(crate) fn greatest(&self, turns: usize) -> usize {
        match self {
            Self::Any(nodes) => nodes.iter().max().map_or(0, |&node| node as usize),
            _ => self.node(turns - 1),
        }
    }
}

/// Whether they are nodes of their own, or lie as far apart from turn to turn as others
/// among which they are. Then a node that several turns take is taken first, on the way
/// back, by what begins before the others.
pub(crate) fn lie_apart(taken: &IndexSet<&Taken>, turns: usize) -> bool {
    let mut ranges = Vec::new();
    for &taken in taken {
        let stride = match taken {
            Taken::All(_) => 0,
            Taken::Even(window) => window.stride,
            Taken::Any(_) => return false,
        };
        ranges.push((taken.node(0), taken.node(turns - 1), stride));
    }
    ranges.sort_unstable();
    let mut before: Option<(usize, usize)> = None;
    for (first, last, stride) in ranges {
        let end = match before {
            Some((end, others)) if first <= end => {
                if others != stride {
                    return false;
                }
                end.max(last)
            }
            _ => last,
        };
        before = Some((end, stride));
    }
    true
}

/// Whether no turn takes a node by two of them.
pub(crate) fn are_distinct(taken: &IndexSet<&Taken>, turns: usize) -> bool {
    let mut nodes: Vec<usize> = Vec::with_capacity(taken.len());
    (0..turns).all(|turn| {
        nodes.clear();
        nodes.extend(taken.iter().map(|taken| taken.node(turn)));
        nodes.sort_unstable();
        nodes.windows(2).all(|pair| pair[0] != pair[1])
    })
}
