//! The peers, with three attempts each.

use std::hint::black_box;
use std::time::Duration;

use harness::Case;

use crate::{awaited, bad, op};

pub const BACKON: &str = "backon: first try";
pub const BACKON_ASYNC: &str = "backon: first try, async";
pub const TOKIO_RETRY2: &str = "tokio-retry2: first try, async";
pub const RETRY: &str = "retry: first try";
pub const BACKON_FAIL3: &str = "backon: three failing calls, without its sleep";
pub const BACKON_FAIL3_ASYNC: &str = "backon: three failing awaits, without its sleep";
pub const RETRY_FAIL3: &str = "retry: three failing calls";
pub const BACKON_DELAYS: &str = "backon: two delays with jitter";
pub const TOKIO_RETRY2_DELAYS: &str = "tokio-retry2: two delays with jitter";

pub fn cases() -> Vec<Case> {
    let mut cases = backon();
    cases.extend(tokio_retry2());
    cases.extend(retry());
    cases
}

fn backon() -> Vec<Case> {
    use backon::{
        BackoffBuilder as _, BlockingRetryable as _, ConstantBuilder, ExponentialBuilder,
        Retryable as _,
    };
    let none = || {
        ConstantBuilder::default()
            .with_delay(Duration::ZERO)
            .with_max_times(2)
    };
    vec![
        Case::new(BACKON, move || op.retry(none()).call()),
        awaited!(BACKON_ASYNC, (|| async { op() }).retry(none())),
        Case::new(BACKON_FAIL3, move || {
            bad.retry(none()).sleep(|_: Duration| {}).call()
        }),
        awaited!(
            BACKON_FAIL3_ASYNC,
            (|| async { bad() })
                .retry(none())
                .sleep(|_: Duration| std::future::ready(()))
        ),
        Case::new(BACKON_DELAYS, || {
            let mut delays = black_box(ExponentialBuilder::default().with_jitter()).build();
            (delays.next(), delays.next())
        }),
    ]
}

fn tokio_retry2() -> Vec<Case> {
    use tokio_retry2::strategy::{ExponentialFactorBackoff, FixedInterval, jitter};
    use tokio_retry2::{Retry, RetryError};
    vec![
        awaited!(
            TOKIO_RETRY2,
            Retry::spawn(FixedInterval::from_millis(0).take(2), || async {
                op().map_err(RetryError::transient)
            })
        ),
        Case::new(TOKIO_RETRY2_DELAYS, || {
            let delays = ExponentialFactorBackoff::from_millis(black_box(100), black_box(2.0));
            let mut delays = delays.map(jitter);
            (delays.next(), delays.next())
        }),
    ]
}

fn retry() -> Vec<Case> {
    use retry::delay::NoDelay;
    vec![
        Case::new(RETRY, || retry::retry(NoDelay.take(2), op)),
        Case::new(RETRY_FAIL3, || retry::retry(NoDelay.take(2), bad)),
    ]
}
