//! Which vector instructions there are: the same loops compiled for each, and one
//! choice when the program runs.
//!
//! Elsewhere than on x86 the target's own vectors (NEON on ARM) are what every
//! loop is compiled for, and nothing is to be chosen.

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
use fearless_simd::{Avx2, Avx512, Level, Simd};

/// A kind of vector instructions.
pub(crate) trait Vectors: Copy {
    /// Runs `task` compiled for them, in a function of its own. What it calls must
    /// be inlined.
    fn compiled<R>(self, task: impl FnOnce() -> R) -> R;
}

/// Those that every processor of the target has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Baseline;

impl Vectors for Baseline {
    #[inline(never)]
    fn compiled<R>(self, task: impl FnOnce() -> R) -> R {
        task()
    }
}

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
impl Vectors for Avx2 {
    #[inline(always)]
    fn compiled<R>(self, task: impl FnOnce() -> R) -> R {
        self.vectorize(task)
    }
}

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
impl Vectors for Avx512 {
    #[inline(always)]
    fn compiled<R>(self, task: impl FnOnce() -> R) -> R {
        self.vectorize(task)
    }
}

/// What is done with the vectors of this processor.
pub(crate) trait VectorTask<R> {
    fn run<V: Vectors>(self, vectors: V) -> R;
}

/// Runs a task with the widest vectors that this processor has.
pub(crate) fn with_widest<R>(task: impl VectorTask<R>) -> R {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    {
        let level = Level::new();
        if let Some(vectors) = level.as_avx512() {
            return task.run(vectors);
        }
        if let Some(vectors) = level.as_avx2() {
            return task.run(vectors);
        }
    }
    task.run(Baseline)
}
