//! How a tape is swept: by pullbacks made earlier where the same was recorded again, else as it
//! is.

use crate::ops::ABSENT;
use crate::sweep::{reverse, seed};
use crate::tape::Tape;

impl Tape {
    /// Sweeps from one node of this tape, or none. Returns the revision of its values.
    #[inline(never)]
    pub(super) fn sweep_from(&self, id: Option<u32>, weight: f64, adjoints: &mut Vec<f64>) -> u64 {
        if let Some(id) = id
            && weight == 1.0
            && let Some(cache) = &mut *self.cache.borrow_mut()
            && let recording = &mut *self.recording.borrow_mut()
            && cache.adjoints(recording, id, adjoints).is_some()
        {
            return recording.revision;
        }
        adjoints.clear();
        if let Some(id) = id {
            adjoints.resize(id as usize + 1, ABSENT);
            adjoints[id as usize] = seed(weight);
        }
        self.sweep_back(adjoints)
    }

    /// Sweeps back from seeds.
    pub(super) fn sweep_back(&self, adjoints: &mut [f64]) -> u64 {
        let recording = self.recording.borrow();
        reverse(recording.program(), recording.values(), adjoints);
        recording.revision
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::{Op, Real};
    use crate::tape::Var;

    /// How often the same was swept so far of 40 times, if it could be done by pullbacks.
    fn sweeps(weight: f64, record: impl for<'t> Fn(&'t Tape) -> Var<'t>) -> Option<u32> {
        let mut tape = Tape::new();
        for _ in 0..40 {
            tape.clear();
            tape.backward_with(&[(record(&tape), weight)], Vec::new());
        }
        let cache = tape.cache.into_inner();
        cache.map(|cache| cache.sweeps())
    }

    /// The adjoints would be the same; but what is never looked at is never swept faster.
    #[test]
    fn sweeps_from_one_output_with_weight_1_are_looked_at_for_repetition() {
        assert_eq!(sweeps(1.0, |tape| tape.var(0.5).sin()), Some(39));
        assert_eq!(sweeps(2.0, |tape| tape.var(0.5).sin()), Some(0));
    }

    #[track_caller]
    fn assert_known(is_known: bool, record: impl for<'t> Fn(&'t Tape) -> Var<'t>) {
        assert!(record(&Tape::new()).id().is_some_and(|id| id.index() > 128));
        let last_looks = if is_known { 38..=39 } else { 0..=30 };
        let sweeps = sweeps(1.0, record).expect("the tape was cleared");
        assert!(last_looks.contains(&sweeps), "{sweeps}");
    }

    const TURNS: usize = 100;

    fn numbers(n: usize) -> Vec<f64> {
        (0..n).map(|i| (i as f64).cos()).collect()
    }

    #[test]
    fn loops_are_known() {
        // Rows of data, with parameters.
        assert_known(true, |tape| {
            let [a, b, c] = tape.var_array([0.5, 0.25, 2.0]);
            let rows = (0..TURNS).map(|i| (a * i as f64 + b * 3.0).softplus() - c);
            rows.sum::<Var<'_>>() / TURNS as f64 + Var::sum(&[a, b]) * c
        });
        // Terms added up one by one.
        assert_known(true, |tape| {
            let [a, b] = tape.var_array([0.5, 0.25]);
            (0..TURNS).fold(a, |sum, i| sum + (a * i as f64 + b).exp()) * b
        });
        // Two sums.
        assert_known(true, |tape| {
            let a = tape.var(0.5);
            let rows: Vec<[Var<'_>; 2]> = (0..TURNS)
                .map(|i| (a * i as f64).sin())
                .map(|x| [x, x * a])
                .collect();
            let sum = |of: usize| rows.iter().map(|row| row[of]).sum::<Var<'_>>();
            sum(0) / sum(1)
        });
        // Inputs of each turn, which follow one another, one or two of them new.
        for step in [1, 2] {
            assert_known(true, |tape| {
                let x = tape.vars(&numbers((TURNS + 1) * step));
                let terms = x
                    .windows(step + 1)
                    .step_by(step)
                    .map(|x| x[0] * x[1] - x[step]);
                terms.sum()
            });
        }
        // From the last input to the first.
        assert_known(true, |tape| {
            let x = tape.vars(&numbers(TURNS));
            x.iter().rev().map(|&x| x * x.sin()).sum()
        });
        // As many new inputs as a turn has nodes.
        assert_known(true, |tape| {
            let x = tape.vars(&numbers(2 * TURNS));
            x.chunks(2).map(|x| x[0] * x[1]).sum()
        });
        // What a turn leaves to the next one, or to the one after it; inputs in each turn.
        assert_known(true, |tape| {
            let a = tape.var(3.5);
            (0..TURNS).fold(tape.var(0.5), |x, _| a * x * (1.0 - x))
        });
        assert_known(true, |tape| {
            let a = tape.var(0.5);
            let each = (0..TURNS).map(|i| (a * i as f64).tanh());
            each.fold(a, |sum, x| sum * 0.5 + x * sum)
        });
        assert_known(true, |tape| {
            let [x, y] = tape.var_array([0.5, 0.25]);
            (0..TURNS).fold([x, y], |[x, y], _| [y, y.sin() * x])[1]
        });
        assert_known(true, |tape| {
            (0..TURNS).fold(tape.var(0.5), |x, i| x.hypot(tape.var(i as f64)))
        });
        // What picks one of its operands.
        assert_known(true, |tape| {
            let [a, b] = tape.var_array([0.5, 0.25]);
            (0..TURNS).map(|i| (a * i as f64 - b).abs().max(b)).sum()
        });
        // Something that is not reached, also by way of the turn before.
        assert_known(true, |tape| {
            let [a, b] = tape.var_array([0.5, 0.25]);
            let mut unused = a;
            let turn = |i| {
                unused = unused.sin() + b;
                let _ = (a * unused).exp();
                a * i as f64
            };
            (0..TURNS).map(turn).sum()
        });
    }

    #[test]
    fn what_is_not_only_a_loop_is_swept() {
        fn row(a: Var<'_>, i: usize) -> Var<'_> {
            (a * i as f64).sin()
        }
        // A sum of many that takes something of some turns, or of the turns in another order.
        assert_known(false, |tape| {
            let a = tape.var(0.5);
            let rows: Vec<Var<'_>> = (0..TURNS).map(|i| row(a, i)).collect();
            Var::sum(&rows[TURNS / 3..])
        });
        assert_known(false, |tape| {
            let a = tape.var(0.5);
            let mut rows: Vec<Var<'_>> = (0..TURNS).map(|i| row(a, i)).collect();
            rows.reverse();
            Var::sum(&rows)
        });
        // Operations on any number of operands in each turn.
        assert_known(false, |tape| {
            let [a, b] = tape.var_array([0.5, 0.25]);
            (0..TURNS).map(|i| Var::sum(&[a, b, row(a, i)])).sum()
        });
        // Something is done with one of the turns, or from where the loop begins.
        for taken in [0, 50] {
            assert_known(false, |tape| {
                let a = tape.var(0.5);
                let rows: Vec<Var<'_>> = (0..TURNS).map(|i| row(a, i)).collect();
                rows.iter().copied().sum::<Var<'_>>() * rows[taken]
            });
        }
        // As much besides it.
        assert_known(false, |tape| {
            let a = tape.var(0.5);
            let sum = (0..TURNS / 3).map(|i| row(a, i)).sum::<Var<'_>>();
            (0..TURNS).fold(sum, |x, i| Var::unary([Op::Sin, Op::Exp][i * i / 7 % 2], x))
        });
    }
}
