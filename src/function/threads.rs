//! Rows on several threads: each takes chunk after chunk, and what they add up to is added in
//! the order of the chunks.

use super::rows::{CHUNK, Rows, Wanted};
use crate::error::Error;
use crate::execute::lanes::blocks::Scratch;
use smallvec::SmallVec;
use std::iter::Zip;
use std::mem;
use std::ops::Range;
use std::slice::ChunksMut;
use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicUsize, Ordering},
};

/// Chunks for each thread before what they add up to is added together.
const WAVE: usize = 64;

/// Shares for more threads than these take memory.
const THREADS: usize = 16;

/// The chunks of a wave. Each thread has a share of them that follow one another, so that at the
/// next evaluation it finds data in the caches that are near to it.
struct Queue<'p> {
    /// Numbers of chunks, and where what they add up to is written.
    shares: SmallVec<[Mutex<Share<'p>>; THREADS]>,
}

type Share<'p> = Zip<Range<usize>, ChunksMut<'p, f64>>;

impl<'p> Queue<'p> {
    /// Shares for so many threads; a part of `parts` for each chunk is `length` long.
    fn new(mut parts: &'p mut [f64], length: usize, threads: usize) -> Self {
        let chunks = parts.len() / length;
        let share = |thread: usize| {
            let numbers = chunks * thread / threads..chunks * (thread + 1) / threads;
            let (own, others) = mem::take(&mut parts).split_at_mut(numbers.len() * length);
            parts = others;
            Mutex::new(numbers.zip(own.chunks_mut(length)))
        };
        let shares = (0..threads).map(share).collect();
        Self { shares }
    }

    /// The next chunk of a thread's own, or the last one that another has.
    fn next(&self, thread: usize) -> Option<(usize, &'p mut [f64])> {
        let (before, from) = self.shares.split_at(thread);
        let own = locked(&from[0]).next();
        let mut others = from[1..].iter().chain(before);
        own.or_else(|| others.find_map(|share| locked(share).next_back()))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nobody panics")
}

/// Waits some 30 µs for `busy` threads, by when most have finished the chunk they had in
/// hand. A thread that blocks instead is often woken on the core of the one that it waited
/// for, and both stay there: then two cores are as fast as one for one evaluation of ten
/// (`docs/benchmarks.md`).
fn wait_briefly(busy: &AtomicUsize) {
    for _ in 0..2_000 {
        if busy.load(Ordering::Acquire) == 0 {
            break;
        }
        std::hint::spin_loop();
    }
    // What a thread does after it is no longer busy takes a moment too.
    (0..100).for_each(|_| std::hint::spin_loop());
}

impl Rows<'_, '_> {
    /// Adds up the rows by this thread and all others but one of the pool.
    pub(crate) fn add_in_parallel(
        &self,
        values: &[f64],
        wanted: Wanted,
        scratches: &mut Vec<Scratch>,
        parts: &mut Vec<f64>,
        sums: &mut [f64],
    ) -> Result<(), Error> {
        let threads = rayon::current_num_threads();
        scratches.resize_with(scratches.len().max(threads), Scratch::default);
        let chunks = self.len().div_ceil(CHUNK);
        let wave = chunks.div_ceil(chunks.div_ceil(WAVE * threads));
        parts.resize(wave * sums.len(), 0.0);
        for first in (0..chunks).step_by(wave) {
            let parts = &mut parts[..wave.min(chunks - first) * sums.len()];
            let queue = Queue::new(parts, sums.len(), threads);
            let failed: Mutex<Option<(usize, Error)>> = Mutex::new(None);
            let work = |thread: usize, scratch: &mut Scratch| {
                // By this thread, so that no other one writes to the same lines of the cache.
                (scratch.numbers).prepare(&self.function.plan, values, false);
                while let Some((i, part)) = queue.next(thread) {
                    let before = |(other, _): &(usize, Error)| *other < i;
                    if locked(&failed).as_ref().is_some_and(before) {
                        continue;
                    }
                    let row = (first + i) * CHUNK;
                    if let Err(error) = self.chunk(row, values, wanted, scratch, part) {
                        let mut failed = locked(&failed);
                        if !failed.as_ref().is_some_and(before) {
                            *failed = Some((i, error));
                        }
                    }
                }
            };
            let (own, others) = scratches[..threads].split_at_mut(1);
            let busy = AtomicUsize::new(others.len());
            rayon::in_place_scope(|scope| {
                for (thread, scratch) in (1..).zip(others) {
                    let (work, busy) = (&work, &busy);
                    scope.spawn(move |_| {
                        work(thread, scratch);
                        busy.fetch_sub(1, Ordering::Release);
                    });
                }
                work(0, &mut own[0]);
                wait_briefly(&busy);
            });
            drop(queue); // which has the parts
            if let Some((_, error)) = failed.into_inner().expect("nobody panics") {
                return Err(error);
            }
            for part in parts.chunks(sums.len()) {
                let both = sums.iter_mut().zip(part);
                both.for_each(|(sum, part)| *sum += part);
            }
        }
        Ok(())
    }
}
