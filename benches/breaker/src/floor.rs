//! The least that things cost. Each row makes the bare call too.

use std::hint::black_box;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use harness::Case;

use crate::{awaited, op};

pub const CALL: &str = "floor: call";
pub const FETCH_ADD: &str = "floor: call + fetch_add";
pub const INSTANT: &str = "floor: call + Instant::now()";
pub const AWAIT: &str = "floor: await";

pub fn cases() -> Vec<Case> {
    static WORD: AtomicU64 = AtomicU64::new(0);
    static COUNT: AtomicU64 = AtomicU64::new(0);
    static LOCKED: Mutex<u64> = Mutex::new(0);
    vec![
        Case::new(CALL, op),
        Case::new("floor: call + relaxed load", || {
            black_box(WORD.load(Ordering::Relaxed));
            op()
        }),
        Case::new(FETCH_ADD, || {
            COUNT.fetch_add(1, Ordering::Relaxed);
            op()
        }),
        Case::new("floor: call + Mutex", || {
            *LOCKED.lock().expect("a lock") += 1;
            op()
        }),
        Case::new(INSTANT, || {
            black_box(Instant::now());
            op()
        }),
        awaited!(AWAIT, async { op() }),
    ]
}
