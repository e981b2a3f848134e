//! A small number for each living thread, so that it can own a counter and write it without a locked
//! instruction. When a thread ends, the next one gets its number and goes on with its counters.

use std::cell::Cell;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Sizes of the chunks that counters come in: the first threads take little, and the table stays small.
pub(super) const CHUNKS: [usize; 5] = [2, 6, 16, 32, 64];

/// Threads beyond this many share the counters that are written with locked instructions.
const OWNERS: usize = {
    let (mut sum, mut chunk) = (0, 0);
    while chunk < CHUNKS.len() {
        sum += CHUNKS[chunk];
        chunk += 1;
    }
    sum
};

/// Where a thread's counters are, found out once so that a success has no more to do than to look there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) chunk: u8,
    pub(super) index: u8,
}

impl Place {
    /// Not asked yet; no chunk is there.
    const UNKNOWN: Self = Self {
        chunk: u8::MAX,
        index: 0,
    };
    /// Shares: no number was free, or the thread is ending. No chunk is there either.
    const SHARED: Self = Self {
        chunk: u8::MAX,
        index: 1,
    };

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a few chunks, of 64 at most"
    )]
    fn of(number: usize) -> Self {
        let mut index = number;
        for (chunk, size) in CHUNKS.into_iter().enumerate() {
            if index < size {
                return Self {
                    chunk: chunk as u8,
                    index: index as u8,
                };
            }
            index -= size;
        }
        Self::SHARED
    }
}

static FREE: Mutex<Free> = Mutex::new(Free {
    returned: Vec::new(),
    next: 0,
});

struct Free {
    returned: Vec<usize>,
    next: usize,
}

impl Free {
    fn lock() -> MutexGuard<'static, Self> {
        FREE.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

crate::sync::thread_local! {
    /// Without a destructor, so that reading it is one load.
    static PLACE: Cell<Place> = const { Cell::new(Place::UNKNOWN) };
    /// Gives the number back when the thread ends.
    static RETURN: Return = const { Return(Cell::new(None)) };
}

struct Return(Cell<Option<usize>>);

impl Drop for Return {
    fn drop(&mut self) {
        // Calls made by destructors that run later share.
        let _ = PLACE.try_with(|own| own.set(Place::SHARED));
        if let Some(number) = self.0.get() {
            Free::lock().returned.push(number);
        }
    }
}

/// Where this thread's counters are, if it has any and has asked before.
#[inline]
pub(super) fn known_place() -> Place {
    PLACE.try_with(Cell::get).unwrap_or(Place::SHARED)
}

/// Where this thread's counters are; none if it shares.
#[cold]
pub(super) fn place() -> Option<Place> {
    let place = match known_place() {
        Place::UNKNOWN => lease(),
        known => known,
    };
    (place != Place::SHARED).then_some(place)
}

fn lease() -> Place {
    let number = {
        let mut free = Free::lock();
        // The lock orders the last write of the thread before ahead of the first of this one.
        match free.returned.pop() {
            Some(number) => Some(number),
            None if free.next < OWNERS => {
                free.next += 1;
                Some(free.next - 1)
            }
            None => None,
        }
    };
    let kept = RETURN.try_with(|give_back| give_back.0.set(number)).is_ok();
    let place = match number {
        Some(number) if kept => Place::of(number),
        Some(number) => {
            // The thread's destructors run already: nothing would give the number back.
            Free::lock().returned.push(number);
            Place::SHARED
        }
        None => Place::SHARED,
    };
    let _ = PLACE.try_with(|own| own.set(place));
    place
}
