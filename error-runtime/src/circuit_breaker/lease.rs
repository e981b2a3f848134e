//! A small number for each living thread, so that it can own a counter and write it without a locked
//! instruction. When a thread ends, the next one gets its number and goes on with its counters.

use std::cell::Cell;
use std::sync::{Mutex, PoisonError};

/// Threads beyond this many share the counters that are written with locked instructions.
pub(super) const OWNERS: usize = 120;

/// Not asked yet.
const UNKNOWN: usize = usize::MAX;
/// Shares: no number was free, or the thread is ending.
pub(super) const SHARED: usize = usize::MAX - 1;

static FREE: Mutex<Free> = Mutex::new(Free {
    returned: Vec::new(),
    next: 0,
});

struct Free {
    returned: Vec<usize>,
    next: usize,
}

crate::sync::thread_local! {
    /// Without a destructor, so that reading it is one load.
    static NUMBER: Cell<usize> = const { Cell::new(UNKNOWN) };
    /// Gives the number back when the thread ends.
    static RETURN: Return = const { Return(Cell::new(SHARED)) };
}

struct Return(Cell<usize>);

impl Drop for Return {
    fn drop(&mut self) {
        // Calls made by destructors that run later share.
        let _ = NUMBER.try_with(|own| own.set(SHARED));
        let number = self.0.get();
        if number < OWNERS {
            FREE.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .returned
                .push(number);
        }
    }
}

/// This thread's number, or [`SHARED`].
#[inline]
pub(super) fn number() -> usize {
    let number = NUMBER.try_with(Cell::get).unwrap_or(SHARED);
    if number == UNKNOWN { lease() } else { number }
}

#[cold]
fn lease() -> usize {
    let number = {
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        // The lock orders the last write of the thread before ahead of the first of this one.
        match free.returned.pop() {
            Some(number) => number,
            None if free.next < OWNERS => {
                free.next += 1;
                free.next - 1
            }
            None => SHARED,
        }
    };
    let kept = RETURN.try_with(|give_back| give_back.0.set(number)).is_ok();
    if !kept && number < OWNERS {
        // The thread's destructors run already: nothing would give the number back.
        FREE.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .returned
            .push(number);
        let _ = NUMBER.try_with(|own| own.set(SHARED));
        return SHARED;
    }
    NUMBER.with(|own| own.set(number));
    number
}
