//! How many bytes are allocated at most. Growing a block in place counts what it
//! grows by. Nothing is counted, and no time is taken, outside of `peak`.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering::Relaxed};

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;
static COUNTS: AtomicBool = AtomicBool::new(false);
static NOW: AtomicIsize = AtomicIsize::new(0);
static MOST: AtomicIsize = AtomicIsize::new(0);

fn add(bytes: isize) {
    if COUNTS.load(Relaxed) {
        MOST.fetch_max(NOW.fetch_add(bytes, Relaxed) + bytes, Relaxed);
    }
}

// SAFETY: everything is passed on to `System` as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size() as isize);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        add(-(layout.size() as isize));
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        add(size as isize - layout.size() as isize);
        // SAFETY: as above.
        unsafe { System.realloc(block, layout, size) }
    }
}

/// The most bytes allocated at one time while `run` runs, beyond those before.
pub fn peak(run: impl FnOnce()) -> isize {
    NOW.store(0, Relaxed);
    MOST.store(0, Relaxed);
    COUNTS.store(true, Relaxed);
    run();
    COUNTS.store(false, Relaxed);
    MOST.load(Relaxed)
}
