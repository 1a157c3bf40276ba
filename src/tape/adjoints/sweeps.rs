//! How a tape is swept: by the recording cache where the same operations were recorded before, else
//! node by node.

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

    /// How many of 40 sweeps were hits of the recording cache, if there is one.
    fn hits(weight: f64, record: impl for<'t> Fn(&'t Tape) -> Var<'t>) -> Option<u32> {
        let mut tape = Tape::new();
        for _ in 0..40 {
            tape.clear();
            tape.backward_with(&[(record(&tape), weight)], Vec::new());
        }
        let cache = tape.cache.into_inner();
        cache.map(|cache| cache.hits())
    }

    /// No adjoint shows it: without the cache a sweep is slower, no more.
    #[test]
    fn sweeps_from_one_output_with_weight_1_consult_the_recording_cache() {
        assert_eq!(hits(1.0, |tape| tape.var(0.5).sin()), Some(39));
        assert_eq!(hits(2.0, |tape| tape.var(0.5).sin()), Some(0));
    }

    #[track_caller]
    fn assert_cached(is_cached: bool, record: impl for<'t> Fn(&'t Tape) -> Var<'t>) {
        assert!(record(&Tape::new()).id().is_some_and(|id| id.index() > 128));
        let last_looks = if is_cached { 38..=39 } else { 0..=30 };
        let hits = hits(1.0, record).expect("the tape was cleared");
        assert!(last_looks.contains(&hits), "{hits}");
    }

    const COUNT: usize = 100;

    fn numbers(n: usize) -> Vec<f64> {
        (0..n).map(|i| (i as f64).cos()).collect()
    }

    #[test]
    fn loops_have_an_adjoint_program() {
        // Rows of data, with parameters.
        assert_cached(true, |tape| {
            let [a, b, c] = tape.var_array([0.5, 0.25, 2.0]);
            let rows = (0..COUNT).map(|i| (a * i as f64 + b * 3.0).softplus() - c);
            rows.sum::<Var<'_>>() / COUNT as f64 + Var::sum(&[a, b]) * c
        });
        // Terms added up one by one.
        assert_cached(true, |tape| {
            let [a, b] = tape.var_array([0.5, 0.25]);
            (0..COUNT).fold(a, |sum, i| sum + (a * i as f64 + b).exp()) * b
        });
        // Two sums.
        assert_cached(true, |tape| {
            let a = tape.var(0.5);
            let rows: Vec<[Var<'_>; 2]> = (0..COUNT)
                .map(|i| (a * i as f64).sin())
                .map(|x| [x, x * a])
                .collect();
            let sum = |of: usize| rows.iter().map(|row| row[of]).sum::<Var<'_>>();
            sum(0) / sum(1)
        });
        // A window of inputs for each iteration, which moves by one or two.
        for step in [1, 2] {
            assert_cached(true, |tape| {
                let x = tape.vars(&numbers((COUNT + 1) * step));
                let terms = x
                    .windows(step + 1)
                    .step_by(step)
                    .map(|x| x[0] * x[1] - x[step]);
                terms.sum()
            });
        }
        // From the last input to the first.
        assert_cached(true, |tape| {
            let x = tape.vars(&numbers(COUNT));
            x.iter().rev().map(|&x| x * x.sin()).sum()
        });
        // As many new inputs as an iteration has nodes.
        assert_cached(true, |tape| {
            let x = tape.vars(&numbers(2 * COUNT));
            x.chunks(2).map(|x| x[0] * x[1]).sum()
        });
        // Dependences on the iteration before, or on the one before that; inputs in each iteration.
        assert_cached(true, |tape| {
            let a = tape.var(3.5);
            (0..COUNT).fold(tape.var(0.5), |x, _| a * x * (1.0 - x))
        });
        assert_cached(true, |tape| {
            let a = tape.var(0.5);
            let each = (0..COUNT).map(|i| (a * i as f64).tanh());
            each.fold(a, |sum, x| sum * 0.5 + x * sum)
        });
        assert_cached(true, |tape| {
            let [x, y] = tape.var_array([0.5, 0.25]);
            (0..COUNT).fold([x, y], |[x, y], _| [y, y.sin() * x])[1]
        });
        assert_cached(true, |tape| {
            (0..COUNT).fold(tape.var(0.5), |x, i| x.hypot(tape.var(i as f64)))
        });
        // Branches.
        assert_cached(true, |tape| {
            let [a, b] = tape.var_array([0.5, 0.25]);
            (0..COUNT).map(|i| (a * i as f64 - b).abs().max(b)).sum()
        });
        // Nodes that no adjoint reaches, one of them loop-carried.
        assert_cached(true, |tape| {
            let [a, b] = tape.var_array([0.5, 0.25]);
            let mut unused = a;
            let iteration = |i| {
                unused = unused.sin() + b;
                let _ = (a * unused).exp();
                a * i as f64
            };
            (0..COUNT).map(iteration).sum()
        });
    }

    #[test]
    fn a_recording_that_is_not_only_a_loop_has_no_adjoint_program() {
        fn row(a: Var<'_>, i: usize) -> Var<'_> {
            (a * i as f64).sin()
        }
        // An n-ary sum of some iterations, or of all in another order.
        assert_cached(false, |tape| {
            let a = tape.var(0.5);
            let rows: Vec<Var<'_>> = (0..COUNT).map(|i| row(a, i)).collect();
            Var::sum(&rows[COUNT / 3..])
        });
        assert_cached(false, |tape| {
            let a = tape.var(0.5);
            let mut rows: Vec<Var<'_>> = (0..COUNT).map(|i| row(a, i)).collect();
            rows.reverse();
            Var::sum(&rows)
        });
        // N-ary operations in each iteration.
        assert_cached(false, |tape| {
            let [a, b] = tape.var_array([0.5, 0.25]);
            (0..COUNT).map(|i| Var::sum(&[a, b, row(a, i)])).sum()
        });
        // One of the iterations is read again, the first one among them.
        for again in [0, 50] {
            assert_cached(false, |tape| {
                let a = tape.var(0.5);
                let rows: Vec<Var<'_>> = (0..COUNT).map(|i| row(a, i)).collect();
                rows.iter().copied().sum::<Var<'_>>() * rows[again]
            });
        }
        // As many other operations.
        assert_cached(false, |tape| {
            let a = tape.var(0.5);
            let sum = (0..COUNT / 3).map(|i| row(a, i)).sum::<Var<'_>>();
            (0..COUNT).fold(sum, |x, i| Var::unary([Op::Sin, Op::Exp][i * i / 7 % 2], x))
        });
    }
}
