//! How much is recorded at most, and how a recording that came to an end too early is taken back.

use super::Recording;
use crate::error::Error;
use crate::graph::MOST;

/// The most entries of each column.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) nodes: u32,
    pub(super) constants: u32,
    pub(super) operands: u32,
    /// What there was no room for when recording was refused.
    pub(super) refused: &'static str,
}

const NODES: &str = "nodes";
pub(super) const CONSTANTS: &str = "constants";
pub(super) const OPERANDS: &str = "operands";

impl Default for Limits {
    fn default() -> Self {
        Self {
            nodes: MOST as u32,
            constants: MOST as u32,
            operands: MOST as u32,
            refused: NODES,
        }
    }
}

/// How long the columns were at some time.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    nodes: usize,
    constants: usize,
    operands: u32,
}

impl Recording {
    /// Whether so many more nodes may be recorded.
    pub(crate) fn allows(&mut self, nodes: usize) -> bool {
        let allowed = nodes <= (self.limits.nodes as usize).saturating_sub(self.len);
        if !allowed {
            self.limits.refused = NODES;
        }
        allowed
    }

    /// Why nothing was recorded.
    #[cold]
    pub(crate) fn full(&self) -> Error {
        let what = self.limits.refused;
        let limit = match what {
            CONSTANTS => self.limits.constants,
            OPERANDS => self.limits.operands,
            _ => self.limits.nodes,
        };
        let limit = limit as usize;
        Error::Capacity { what, limit }
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark {
            nodes: self.len,
            constants: self.constants_len,
            operands: self.operands_len,
        }
    }

    /// Forgets nodes that were recorded after a mark and have no names.
    pub(crate) fn rewind(&mut self, mark: Mark) {
        self.len = mark.nodes;
        self.constants_len = mark.constants;
        self.operands_len = mark.operands;
        if let Some(locations) = &mut self.locations {
            locations.truncate(mark.nodes);
        }
        if self.watched {
            self.make_room(mark.nodes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Error, Tape, Var};
    use std::panic::{AssertUnwindSafe, catch_unwind};

    /// A tape of so many entries of each column.
    fn tape(nodes: u32, constants: u32, operands: u32) -> Tape {
        let tape = Tape::new();
        let refused = NODES;
        tape.recording.borrow_mut().limits = Limits {
            nodes,
            constants,
            operands,
            refused,
        };
        tape
    }

    /// Columns as they are filled.
    fn filled(tape: &Tape) -> (Vec<crate::Node>, usize) {
        (tape.nodes().collect(), tape.recording.borrow().bytes())
    }

    /// What is recorded where there is no room for it panics, changes nothing, and may be
    /// followed by what there is room for.
    fn refuses(tape: &Tape, text: &str, record: impl Fn()) {
        let before = filled(tape);
        for _ in 0..3 {
            let panic = catch_unwind(AssertUnwindSafe(&record)).unwrap_err();
            let found = panic.downcast_ref::<String>().unwrap();
            assert_eq!(
                *found,
                format!("the tape is full: it records at most {text}")
            );
            assert_eq!(filled(tape), before);
        }
    }

    #[test]
    fn more_constants_than_there_may_be_are_refused_by_every_way_to_record_them() {
        for fresh in [true, false] {
            let mut tape = tape(1000, 40, 1000);
            if !fresh {
                // Room that was made before, and is used again.
                let x = tape.var(1.0);
                (0..40).for_each(|_| _ = x * 3.0);
                tape.clear();
            }
            let x = tape.vars(&[1.0; 12]);
            for i in 0..38 {
                let y = x[i % 12] * (i as f64);
                assert_eq!(y.backward().wrt(x[i % 12]), i as f64);
            }
            let text = "40 constants";
            refuses(&tape, text, || {
                let _ = Var::linear_combination(&[0.5; 12], &x, 1.0);
            });
            refuses(&tape, text, || {
                let _ = Var::sum(&[x[0], Var::from(1.0), Var::from(2.0), Var::from(3.0)]);
            });
            let last = Var::linear_combination(&[2.0], &x[..1], 1.0);
            refuses(&tape, text, || _ = x[0] * 2.0);
            refuses(&tape, text, || _ = 2.0 / x[0]);
            assert_eq!(last.backward().wrt(x[0]), 2.0);
            let products = x[1] * x[2] + Var::sum(&x);
            assert_eq!(products.value(), 13.0);
        }
    }

    #[test]
    fn more_operands_than_there_may_be_are_refused_by_every_way_to_record_them() {
        let tape = tape(1000, 1000, 30);
        let x = tape.vars(&[1.0; 20]);
        let apart: Vec<Var<'_>> = x.iter().rev().copied().collect();
        let _first = Var::sum(&apart[..12]); // 12 operands and two words
        let text = "30 operands";
        refuses(&tape, text, || _ = Var::sum(&apart[..15]));
        refuses(&tape, text, || _ = Var::dot(&apart[..8], &x[..8]));
        refuses(&tape, text, || {
            let mut mixed = apart.clone();
            mixed[3] = Var::from(7.0);
            _ = Var::product(&mixed);
        });
        let row = Var::sum(&x); // operands that follow one another are one word
        assert_eq!(row.backward().wrt(x[19]), 1.0);
        assert_eq!((x[0] * x[1] + row).value(), 21.0);
    }

    #[test]
    fn inputs_that_do_not_all_fit_are_refused_as_a_whole() {
        for located in [true, false] {
            let tape = if located {
                Tape::with_locations()
            } else {
                Tape::new()
            };
            tape.recording.borrow_mut().set_limit(5);
            let x = tape.vars(&[1.0, 2.0]);
            refuses(&tape, "5 nodes", || _ = tape.vars(&[0.0; 4]));
            refuses(&tape, "5 nodes", || _ = tape.var_array([0.0; 4]));
            let [_, _, y] = tape.var_array([3.0, 4.0, 5.0]);
            assert_eq!((x[1].value(), y.value(), tape.len()), (2.0, 5.0, 5));
            let limit = 5;
            let what = "nodes";
            assert_eq!(
                tape.try_var(0.0).unwrap_err(),
                Error::Capacity { what, limit }
            );
            assert!(tape.vars(&[]).is_empty());
        }
    }

    #[test]
    fn a_gradient_that_does_not_fit_is_not_recorded_in_part() {
        for located in [true, false] {
            let tape = if located {
                Tape::with_locations()
            } else {
                Tape::new()
            };
            let x = tape.vars(&[0.3, 0.4, 0.5]);
            let y = (x[0] * x[1].sin() + x[2].powi(3)).ln() / (x[0].tanh() + 2.0);
            let own = tape.len();
            let copy = tape.clone();
            let on_copy = |x: Var<'_>| copy.at(x.id().unwrap());
            let _gradient = on_copy(y).gradient_graph(&[0, 1, 2].map(|i| on_copy(x[i])));
            assert!(copy.len() > own + 10);
            for limit in own..copy.len() {
                tape.recording.borrow_mut().set_limit(limit);
                refuses(&tape, &format!("{limit} nodes"), || {
                    _ = y.gradient_graph(&x);
                });
            }
            tape.recording.borrow_mut().set_limit(1000);
            let graph = y.gradient_graph(&x);
            assert_eq!(graph[1].value(), y.backward().wrt(x[1]));
        }
    }
}
