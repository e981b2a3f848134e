//! This library's rows.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use error_runtime::{CircuitBreaker, CircuitBreakerBuilder, circuit_breaker, retry, timeout};
use harness::Case;

use crate::{Oops, awaited, bad, op};

pub const CLOSED: &str = "ours: closed, consecutive";
pub const ATTRIBUTE: &str = "ours: closed, attribute";
pub const ASYNC: &str = "ours: closed, async";
pub const ASYNC_ATTRIBUTE: &str = "ours: closed, async attribute";
pub const COUNT: &str = "ours: count window, healthy";
pub const COUNT_FAILURES: &str = "ours: count window, 1 % failures";
pub const TIME: &str = "ours: time window, healthy";
pub const TIME_FAILURES: &str = "ours: time window, 1 % failures";
/// The same load on windows of other sizes, with one failure in a hundred calls: (smallest, largest).
pub const COUNT_SIZES: (&str, &str) = ("ours: count window of 10", "ours: count window of 10 000");
pub const TIME_SIZES: (&str, &str) = ("ours: time window of 1 s", "ours: time window of 1 h");
pub const OPEN: &str = "ours: open";
pub const STACKED: &str = "ours: retry + breaker + timeout, async";

pub fn breaker(
    rules: impl FnOnce(CircuitBreakerBuilder) -> CircuitBreakerBuilder,
) -> CircuitBreaker {
    let builder = CircuitBreaker::builder("bench").recovery(Duration::from_secs(3600));
    rules(builder).build().expect("valid rules")
}

pub fn count_window(calls: usize) -> CircuitBreaker {
    breaker(|b| b.failure_rate(0.5).window_calls(calls))
}

pub fn time_window(seconds: u64) -> CircuitBreaker {
    breaker(|b| {
        b.failure_rate(0.5)
            .window_time(Duration::from_secs(seconds))
    })
}

#[circuit_breaker(service = "bench-attribute", failures = 5)]
fn guarded() -> Result<u64, Oops> {
    op()
}

#[circuit_breaker(service = "bench-attribute", failures = 5)]
async fn guarded_async() -> Result<u64, Oops> {
    op()
}

#[retry(attempts = 3)]
#[circuit_breaker(service = "bench-stacked", failures = 5)]
#[timeout("2s")]
async fn stacked() -> Result<u64, Oops> {
    op()
}

/// One failure in a hundred calls.
fn mixed(breaker: CircuitBreaker) -> impl FnMut() -> Result<u64, Oops> {
    let count = Cell::new(0_u32);
    move || {
        let call = count.get();
        count.set(if call == 99 { 0 } else { call + 1 });
        breaker.call(|| if call == 0 { bad() } else { op() })
    }
}

pub fn cases() -> Vec<Case> {
    let closed = breaker(|b| b.failures(5));
    let count = count_window(100);
    let time = time_window(60);
    let waiting = Arc::new(breaker(|b| b.failures(5)));
    let open = breaker(|b| b.failures(1));
    let _ = open.call(bad);
    assert!(open.call(op).is_err());
    vec![
        Case::new(CLOSED, move || closed.call(op)),
        Case::new(ATTRIBUTE, guarded),
        Case::new(COUNT, move || count.call(op)),
        Case::new(COUNT_FAILURES, mixed(count_window(100))),
        Case::new(TIME, move || time.call(op)),
        Case::new(TIME_FAILURES, mixed(time_window(60))),
        Case::new(COUNT_SIZES.0, mixed(count_window(10))),
        Case::new(COUNT_SIZES.1, mixed(count_window(10_000))),
        Case::new(TIME_SIZES.0, mixed(time_window(1))),
        Case::new(TIME_SIZES.1, mixed(time_window(3600))),
        Case::new(OPEN, move || open.call(op)),
        awaited!(ASYNC, waiting.call_async(async { op() })),
        awaited!(ASYNC_ATTRIBUTE, guarded_async()),
        awaited!(STACKED, stacked()),
    ]
}
