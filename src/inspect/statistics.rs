//! What a tape is made of, in numbers.

use crate::graph::Operand;
use crate::ops::Op;
use crate::tape::Tape;
use std::fmt;

/// What a tape is made of, in numbers. Made by [`Tape::statistics`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// How many nodes there are.
    pub nodes: usize,
    /// How many of them have a name.
    pub named: usize,
    /// How many nodes each operation has, those of the most first; inputs among
    /// them.
    pub operations: Vec<(Op, usize)>,
    /// How many operands are nodes: the edges of the graph.
    pub edges: usize,
    /// How many operands are constants.
    pub constants: usize,
    /// The number of operations on the longest path.
    pub depth: usize,
    /// The most nodes that are equally deep: how many operations could be done at
    /// once.
    pub width: usize,
    /// How many nodes are operands more than once.
    pub shared: usize,
    /// The most often that one node is an operand.
    pub most_shared: usize,
    /// How many nodes are operands of none: outputs, and what was never used.
    pub ends: usize,
    /// The memory that the recording fills, that of its comparisons included, without names and
    /// idle room.
    pub bytes: usize,
}

impl Tape {
    /// What the tape is made of, in numbers. Two passes over the tape.
    ///
    /// ```
    /// let tape = chainrule::Tape::new();
    /// let x = tape.var(2.0);
    /// x.sin() * x.cos();
    /// let statistics = tape.statistics();
    /// assert_eq!((statistics.depth, statistics.width, statistics.shared), (2, 2, 1));
    /// ```
    pub fn statistics(&self) -> Statistics {
        let mut found = Statistics {
            nodes: self.len(),
            named: 0,
            operations: Vec::new(),
            edges: 0,
            constants: 0,
            depth: 0,
            width: 0,
            shared: 0,
            most_shared: 0,
            ends: 0,
            bytes: self.recording.borrow().bytes(),
        };
        let mut uses = vec![0_usize; self.len()];
        let mut depths = vec![0_usize; self.len()];
        let mut counts = [0_usize; 64];
        for node in self.nodes() {
            found.named += usize::from(node.name.is_some());
            counts[node.op as usize] += 1;
            let mut depth = 0;
            for operand in &node.operands {
                match operand {
                    Operand::Node(id) => {
                        found.edges += 1;
                        uses[id.index()] += 1;
                        depth = depth.max(depths[id.index()] + 1);
                    }
                    Operand::Constant(_) => found.constants += 1,
                }
            }
            depths[node.id.index()] = depth;
        }
        found.depth = depths.iter().copied().max().unwrap_or(0);
        let mut levels = vec![0_usize; found.depth + 1];
        depths.iter().for_each(|depth| levels[*depth] += 1);
        found.width = levels.into_iter().max().unwrap_or(0);
        found.shared = uses.iter().filter(|uses| **uses > 1).count();
        found.ends = uses.iter().filter(|uses| **uses == 0).count();
        found.most_shared = uses.into_iter().max().unwrap_or(0);
        found.operations = [Op::Input]
            .iter()
            .chain(Op::ALL)
            .map(|op| (*op, counts[*op as usize]))
            .filter(|(_, count)| *count > 0)
            .collect();
        found
            .operations
            .sort_by_key(|(_, count)| usize::MAX - count);
        found
    }
}

/// A line for each number, then the operations in the order of their number.
impl fmt::Display for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = [
            ("nodes", self.nodes),
            ("named", self.named),
            ("edges", self.edges),
            ("constants", self.constants),
            ("depth", self.depth),
            ("width", self.width),
            ("shared", self.shared),
            ("most shared", self.most_shared),
            ("ends", self.ends),
            ("bytes", self.bytes),
        ];
        for (what, count) in rows {
            writeln!(f, "{what:<18}{count:>12}")?;
        }
        for (op, count) in &self.operations {
            writeln!(f, "  {:<16}{count:>12}", op.name())?;
        }
        Ok(())
    }
}
