//! Functions under policies, to be called where allocations are counted.

use std::pin::Pin;
use std::task::{Context, Poll};

use error_runtime::{
    ApiError, Rejected, bulkhead, circuit_breaker, fallback, rate_limit, recover, retry, timeout,
};

/// What a call answers, without anything on the heap.
#[derive(Debug, PartialEq, ApiError)]
pub enum CallError {
    #[api(status = 503)]
    Down,
    #[api(status = 404)]
    Missing,
    #[api(transparent)]
    Rejected(#[from] Rejected),
}

/// What a call is to do.
#[derive(Clone, Copy, Debug)]
pub enum Do {
    Succeed,
    Fail,
    Miss,
}

impl Do {
    pub fn result(self) -> Result<u64, CallError> {
        match self {
            Self::Succeed => Ok(1),
            Self::Fail => Err(CallError::Down),
            Self::Miss => Err(CallError::Missing),
        }
    }
}

/// Is ready when it is polled again.
#[derive(Debug, Default)]
pub struct Pause(bool);

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

#[retry(base = "0s")]
pub fn retried(what: Do) -> Result<u64, CallError> {
    what.result()
}

#[retry(base = "0s")]
pub async fn retried_async(what: Do) -> Result<u64, CallError> {
    Pause::default().await;
    what.result()
}

#[retry(
    base = "0s",
    deadline = "10s",
    budget = "no-allocation",
    operation = "paid"
)]
pub fn paid(what: Do) -> Result<u64, CallError> {
    what.result()
}

#[circuit_breaker(service = "no-allocation", failures = 1_000_000)]
pub fn broken(what: Do) -> Result<u64, CallError> {
    what.result()
}

#[circuit_breaker(service = "no-allocation", failures = 1_000_000)]
pub async fn broken_async(what: Do) -> Result<u64, CallError> {
    Pause::default().await;
    what.result()
}

#[circuit_breaker(
    service = "no-allocation-rated",
    failures = 1_000_000,
    failure_rate = 1.0,
    window = "60s",
    min_calls = 1_000_000,
    slow_call = "10s"
)]
pub fn rated(what: Do) -> Result<u64, CallError> {
    what.result()
}

#[circuit_breaker(service = "no-allocation-open")]
pub fn refused(what: Do) -> Result<u64, CallError> {
    what.result()
}

#[circuit_breaker(service = "no-allocation-open")]
pub async fn refused_async(what: Do) -> Result<u64, CallError> {
    Pause::default().await;
    what.result()
}

#[fallback(Err(error))]
#[retry(base = "0s")]
#[circuit_breaker(service = "no-allocation-stacked", failures = 1_000_000)]
#[rate_limit(calls = 1_000_000)]
#[bulkhead(max = 10)]
pub fn stacked(what: Do) -> Result<u64, CallError> {
    what.result()
}

/// All of them; it does not wait.
#[fallback(Err(error))]
#[retry(base = "0s")]
#[circuit_breaker(service = "no-allocation-stacked", failures = 1_000_000)]
#[rate_limit(calls = 1_000_000)]
#[timeout("10s")]
#[bulkhead(max = 10)]
pub async fn stacked_async(what: Do) -> Result<u64, CallError> {
    what.result()
}

/// The same with a wait, which a timer watches.
#[fallback(Err(error))]
#[retry(base = "0s")]
#[circuit_breaker(service = "no-allocation-stacked", failures = 1_000_000)]
#[rate_limit(calls = 1_000_000)]
#[timeout("10s")]
#[bulkhead(max = 10)]
pub async fn stacked_waiting(what: Do) -> Result<u64, CallError> {
    Pause::default().await;
    what.result()
}

#[recover(
    service = "no-allocation-recover",
    failures = 1_000_000,
    base = "0s",
    fallback = Ok(2)
)]
pub fn recovered(what: Do) -> Result<u64, CallError> {
    what.result()
}
