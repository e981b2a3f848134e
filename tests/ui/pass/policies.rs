//! Every attribute, alone and together, where every lint is an error.

#![deny(
    warnings,
    unused,
    missing_docs,
    missing_debug_implementations,
    unreachable_code,
    unreachable_pub,
    unused_qualifications,
    rust_2018_idioms,
    let_underscore_drop,
    single_use_lifetimes,
    trivial_casts,
    unused_lifetimes,
    unused_results
)]
#![forbid(unsafe_code)]

use error_runtime::{
    ApiError, CircuitBreaker, Outcome, Rejected, RetryEvent, bulkhead, circuit_breaker, fallback,
    rate_limit, recover, retry, timeout,
};

/// What can fail.
#[derive(Debug, ApiError)]
pub enum PaymentError {
    /// Nobody answers.
    #[api(status = 503, retryable)]
    Away,
    /// The caller's mistake.
    #[api(status = 422)]
    Declined,
    /// A policy refused the call.
    #[api(transparent)]
    Rejected(#[from] Rejected),
}

static STRIPE: CircuitBreaker = CircuitBreaker::const_builder("stripe")
    .failures(3)
    .build_const();

fn note(event: &RetryEvent<'_>) {
    assert!(event.attempt > 0);
}

fn stored(key: &str) -> Result<usize, PaymentError> {
    Ok(key.len())
}

async fn stored_later(key: &str) -> Result<usize, PaymentError> {
    stored(key)
}

/// All six, in their order.
///
/// # Errors
///
/// As the service does.
#[fallback(stored_later(key).await, when = |error| matches!(error, PaymentError::Away))]
#[retry(
    attempts = 2,
    base = "1ms",
    max = "1s",
    jitter = 0.5,
    deadline = "20s",
    attempt_timeout = "5s",
    max_retry_after = "2s",
    nested,
    budget = "payments",
    operation = "pay",
    on_retry = note,
    on(PaymentError::Away | PaymentError::Rejected(_)),
    clone(note_of_caller)
)]
#[circuit_breaker(
    service = "payments",
    failures = 5,
    failure_rate = 0.5,
    window = "60s",
    min_calls = 20,
    slow_call = "2s",
    slow_rate = 0.8,
    recovery = "30s",
    recovery_factor = 2,
    recovery_max = "10m",
    half_open = 2,
    half_open_max = "10s"
)]
#[rate_limit(calls = 100, per = "1s")]
#[timeout("2s")]
#[bulkhead(max = 10)]
pub async fn pay(key: &str, note_of_caller: String) -> Result<usize, PaymentError> {
    drop(note_of_caller);
    if key.is_empty() {
        return Err(PaymentError::Declined);
    }
    let length = stored_later(key).await?;
    Ok(length)
}

/// The same without what needs `async`.
///
/// # Errors
///
/// As the service does.
#[fallback(stored(&format!("{key}{error}")))]
#[retry(attempts = 3, when = |error| matches!(error, PaymentError::Away))]
#[circuit_breaker(breaker = STRIPE, when = |result| match result {
    Ok(_) => Outcome::Ok,
    Err(_) => Outcome::Neutral,
})]
#[rate_limit(calls = 100)]
#[cfg_attr(all(), bulkhead(max = 10))]
pub fn pay_now(key: &str) -> Result<usize, PaymentError> {
    stored(key)
}

/// A body that never ends, and one that returns.
///
/// # Errors
///
/// Always.
#[retry]
#[circuit_breaker(service = "never")]
pub async fn never(of: bool) -> Result<(), PaymentError> {
    if of {
        return Err(PaymentError::Away);
    }
    panic!("it never ends")
}

/// The same at once.
///
/// # Errors
///
/// Always.
#[fallback(Err(PaymentError::Declined))]
#[retry]
pub fn never_now() -> Result<(), PaymentError> {
    panic!("it never ends")
}

/// An argument that the body changes, cloned for each attempt.
///
/// # Errors
///
/// Never.
#[retry(clone(text))]
pub fn longer(mut text: String) -> Result<String, PaymentError> {
    text.push('!');
    Ok(text)
}

/// The same in a future.
///
/// # Errors
///
/// Never.
#[retry(clone(text))]
pub async fn longer_later(mut text: String, _unused: u8) -> Result<String, PaymentError> {
    #![allow(clippy::unused_async)]
    text.push('!');
    Ok(text)
}

/// An argument that nobody uses under a policy that nobody needs.
///
/// # Errors
///
/// Never.
#[bulkhead(max = 1)]
pub async fn changed(mut count: u32, r#type: &mut u32) -> Result<u32, PaymentError> {
    count += *r#type;
    *r#type = 0;
    Ok(count)
}

/// A service.
#[derive(Debug, Default)]
pub struct Service {
    calls: u32,
}

/// What a service does.
pub trait Store {
    /// Keeps it.
    ///
    /// # Errors
    ///
    /// As the service does.
    fn keep(&mut self, key: &str) -> impl Future<Output = Result<usize, PaymentError>> + Send;
}

impl Store for Service {
    #[recover(service = "store", operation = "keep", attempts = 2, fallback = Ok(key.len()))]
    #[timeout("2s")]
    async fn keep(&mut self, key: &str) -> Result<usize, PaymentError> {
        self.calls += 1;
        stored(key)
    }
}

impl Service {
    /// A borrow under a breaker alone.
    ///
    /// # Errors
    ///
    /// As the service does.
    #[circuit_breaker(service = "calls")]
    pub fn calls(&mut self) -> Result<&mut u32, PaymentError> {
        Ok(&mut self.calls)
    }

    /// With everything a signature can have.
    ///
    /// # Errors
    ///
    /// As the service does.
    #[retry]
    pub fn any<'k, T: Clone, const N: usize>(
        &self,
        (first, _): (&'k str, u8),
        keys: &[T; N],
        with: impl Fn(&T) -> bool,
    ) -> Result<(impl Iterator<Item = T>, &'k str), PaymentError>
    where
        T: Send,
    {
        let kept: Vec<T> = keys.iter().filter(|key| with(key)).cloned().collect();
        Ok((kept.into_iter(), first))
    }
}

fn main() {
    assert_eq!(pay_now("key").ok(), Some(3));
    assert_eq!(*Service::default().calls().expect("a closed circuit"), 0);
}
