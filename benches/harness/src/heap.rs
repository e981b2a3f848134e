//! What an operation asks of the heap, counted rather than timed: the same on every machine.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use crate::Case;

/// The system's allocator, counting while [`Heap::of`] runs.
///
/// A program installs it: `#[global_allocator] static HEAP: Counting = Counting;`.
pub struct Counting;

/// Per operation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Heap {
    pub allocs: f64,
    pub reallocs: f64,
    /// Asked for, growth by reallocation included.
    pub bytes: f64,
}

#[derive(Clone, Copy, Default)]
struct Count {
    allocs: u64,
    reallocs: u64,
    bytes: u64,
}

thread_local! {
    // Const and without a destructor: reading it allocates nothing, so it may be read in here.
    static COUNT: Cell<Option<Count>> = const { Cell::new(None) };
}

#[inline]
fn count(add: impl FnOnce(&mut Count)) {
    // One read of a thread-local where nothing is counted: the same small cost for every case.
    if let Some(mut count) = COUNT.get() {
        add(&mut count);
        COUNT.set(Some(count));
    }
}

#[inline]
fn allocated(size: usize) {
    count(|count| {
        count.allocs += 1;
        count.bytes += size as u64;
    });
}

// SAFETY: every call is passed on to `System` unchanged, and counting touches no heap.
unsafe impl GlobalAlloc for Counting {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        allocated(layout.size());
        unsafe { System.alloc(layout) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        allocated(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    #[inline]
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(|count| {
            count.reallocs += 1;
            count.bytes += size.saturating_sub(layout.size()) as u64;
        });
        unsafe { System.realloc(pointer, layout, size) }
    }

    #[inline]
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

impl Heap {
    /// Counts on this thread, after a few operations that fill pools and thread-locals.
    pub fn of(case: &mut Case) -> Self {
        const TIMES: u64 = 1000;
        case.run(64);
        COUNT.set(Some(Count::default()));
        case.run(TIMES);
        let count = COUNT.take().unwrap_or_default();
        let per_operation = |total: u64| total as f64 / TIMES as f64;
        Self {
            allocs: per_operation(count.allocs),
            reallocs: per_operation(count.reallocs),
            bytes: per_operation(count.bytes),
        }
    }
}
