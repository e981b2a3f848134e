//! This library's rows.

use std::time::Duration;

use error_runtime::{RetryPolicy, retry};
use harness::Case;

use crate::{Oops, awaited, bad, op};

pub const FIRST_TRY: &str = "ours: first try";
pub const FIRST_TRY_ASYNC: &str = "ours: first try, async";
pub const FIRST_TRY_POLICY: &str = "ours: first try, policy";
pub const FAIL3: &str = "ours: three failing calls";
pub const FAIL3_ASYNC: &str = "ours: three failing awaits";
pub const DELAYS: &str = "ours: two delays with jitter";

#[retry(attempts = 3)]
fn first_try() -> Result<u64, Oops> {
    op()
}

#[retry(attempts = 3)]
async fn first_try_async() -> Result<u64, Oops> {
    op()
}

#[retry(attempts = 3, base = "0s")]
fn fail() -> Result<u64, Oops> {
    bad()
}

#[retry(attempts = 3, base = "0s")]
async fn fail_async() -> Result<u64, Oops> {
    bad()
}

/// An operation whose own future is a kilobyte.
async fn big() -> Result<u64, Oops> {
    let bytes = std::hint::black_box([0_u8; 1024]);
    std::future::pending::<()>().await;
    std::hint::black_box(bytes[3]);
    op()
}

#[retry(attempts = 3)]
async fn big_retried() -> Result<u64, Oops> {
    big().await
}

async fn big_plain() -> Result<u64, Oops> {
    big().await
}

/// How many bytes the attribute adds to a future.
pub fn growth() -> usize {
    size_of_val(&big_retried()) - size_of_val(&big_plain())
}

pub fn cases() -> Vec<Case> {
    let policy = RetryPolicy::builder().build().expect("valid rules");
    let delays = RetryPolicy::builder()
        .base(Duration::from_millis(100))
        .build()
        .expect("valid rules");
    vec![
        Case::new(FIRST_TRY, first_try),
        Case::new(FIRST_TRY_POLICY, move || policy.call(op)),
        awaited!(FIRST_TRY_ASYNC, first_try_async()),
        Case::new(FAIL3, fail),
        awaited!(FAIL3_ASYNC, fail_async()),
        Case::new(DELAYS, move || {
            let mut delays = delays.delays();
            (delays.next(), delays.next())
        }),
    ]
}
