//! `Ends`: the nodes by which a function is used, and how they follow its recording through a pass.

use crate::graph::rewrite::{Gone, gone_to};
use crate::graph::{Operand, Recording};

/// What a function begins and ends with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ends {
    pub(crate) inputs: Vec<u32>,
    pub(crate) outputs: Vec<Operand>,
    pub(crate) once: Vec<Operand>,
    pub(crate) retained: Vec<Operand>,
}

impl Ends {
    /// Every node that somebody asks for.
    pub(crate) fn asked_for(&self) -> impl Iterator<Item = Operand> + '_ {
        let ends = [&self.outputs, &self.once, &self.retained];
        ends.into_iter().flatten().copied()
    }

    /// Whether each of `len` nodes is an input of the function.
    pub(crate) fn inputs_among(&self, len: usize) -> Vec<bool> {
        let mut is_input = vec![false; len];
        self.inputs
            .iter()
            .for_each(|&id| is_input[id as usize] = true);
        is_input
    }

    pub(crate) fn follow(self, moved: &[Gone]) -> Self {
        let all = |ends: Vec<Operand>| ends.into_iter().map(|end| gone_to(end, moved)).collect();
        let input = |id: u32| moved[id as usize].operand().node();
        Self {
            inputs: self.inputs.into_iter().filter_map(input).collect(),
            outputs: all(self.outputs),
            once: all(self.once),
            retained: all(self.retained),
        }
    }
}

/// Makes a recording another one and says where each node has gone; `None` if there
/// is nothing to do.
pub(crate) type Change = fn(&Recording, &Ends) -> Option<(Recording, Vec<Gone>)>;
