//! What a service's answer means to the policies.

use std::error::Error;
use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::time::{Duration, SystemTime};

use http::header::RETRY_AFTER;
use http::{HeaderMap, Response, StatusCode};

use super::BoxError;
use crate::{CircuitOpen, Classification, Classify, ErrorSpec, Outcome, Rejected};

/// Tells what an answer of a service means; `None` is a success.
///
/// Closures from `&Result<Response, BoxError>` to `Option<Classification>` do.
pub trait ClassifyAnswer<Response>: Clone + Send + Sync + 'static {
    /// What the answer means.
    fn classify_answer(&self, answer: &Result<Response, BoxError>) -> Option<Classification>;
}

impl<R, F> ClassifyAnswer<R> for F
where
    F: Fn(&Result<R, BoxError>) -> Option<Classification> + Clone + Send + Sync + 'static,
{
    fn classify_answer(&self, answer: &Result<R, BoxError>) -> Option<Classification> {
        self(answer)
    }
}

/// HTTP's view, and the default: 5xx is a failure of the service; 408, 425, 429, 502, 503 and 504 may be
/// tried again, after the wait that `Retry-After` asks for, in seconds or as a date. An error that says
/// nothing of itself is one of the transport: a failure that may be tried again.
#[derive(Clone, Copy, Debug, Default)]
pub struct ByStatus;

impl<B> ClassifyAnswer<Response<B>> for ByStatus {
    fn classify_answer(&self, answer: &Result<Response<B>, BoxError>) -> Option<Classification> {
        match answer {
            Ok(response) => of_status(response.status(), response.headers()),
            Err(error) => Some(of_error(error.as_ref())),
        }
    }
}

/// The defaults of a declared error.
static SPEC: ErrorSpec = ErrorSpec::new("", "", StatusCode::INTERNAL_SERVER_ERROR);

fn of_status(status: StatusCode, headers: &HeaderMap) -> Option<Classification> {
    if !status.is_client_error() && !status.is_server_error() {
        return None;
    }
    let classification = Classification::new(SPEC.retryable_at(status), SPEC.outcome_at(status));
    Some(classification.with_retry_after(retry_after(headers)))
}

/// For a service whose errors are declared, or otherwise [`Classify`]: what they say of themselves. Every
/// response is a success.
///
/// ```
/// use error_runtime::tower::{ByClass, RetryLayer};
/// use error_runtime::{ApiError, RetryPolicy};
///
/// #[derive(Debug, ApiError)]
/// enum RenderError {
///     #[api(status = 503)]
///     Busy,
///     #[api(status = 404)]
///     NoTemplate,
/// }
///
/// let policy = RetryPolicy::builder().build()?;
/// let layer = RetryLayer::new(policy).classify(ByClass::<RenderError>::new());
/// # let _ = (layer, RenderError::Busy, RenderError::NoTemplate);
/// # Ok::<(), error_runtime::ConfigError>(())
/// ```
pub struct ByClass<E>(PhantomData<fn() -> E>);

impl<E> ByClass<E> {
    /// For errors of this type, and those that [`ByStatus`] knows.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<E> Default for ByClass<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E> Clone for ByClass<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for ByClass<E> {}

impl<E> fmt::Debug for ByClass<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ByClass")
    }
}

impl<R, E: Classify + Error + 'static> ClassifyAnswer<R> for ByClass<E> {
    fn classify_answer(&self, answer: &Result<R, BoxError>) -> Option<Classification> {
        let error = answer.as_ref().err()?;
        let declared = chain(error.as_ref()).find_map(|error| error.downcast_ref::<E>());
        Some(declared.map_or_else(|| of_error(error.as_ref()), E::classify))
    }
}

fn chain<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

/// Of the first error in the chain that says something of itself.
fn of_error(error: &(dyn Error + 'static)) -> Classification {
    chain(error)
        .find_map(known)
        .unwrap_or_else(|| Classification::new(true, Outcome::Trip))
}

/// Of an error of this crate's, or of a foreign type that it knows.
fn known(error: &(dyn Error + 'static)) -> Option<Classification> {
    fn of<E: Classify + Error + 'static>(error: &(dyn Error + 'static)) -> Option<Classification> {
        error.downcast_ref::<E>().map(E::classify)
    }
    let found = of::<Rejected>(error)
        .or_else(|| {
            let open = error.downcast_ref::<CircuitOpen>()?;
            Some(Rejected::from(open.clone()).classify())
        })
        .or_else(|| of::<io::Error>(error));
    #[cfg(feature = "tokio")]
    let found = found
        .or_else(|| of::<tokio::time::error::Elapsed>(error))
        .or_else(|| of::<tokio::task::JoinError>(error));
    #[cfg(feature = "reqwest")]
    let found = found.or_else(|| of::<reqwest::Error>(error));
    #[cfg(feature = "redis")]
    let found = found.or_else(|| of::<redis::RedisError>(error));
    #[cfg(feature = "tonic")]
    let found = found.or_else(|| of::<tonic::Status>(error));
    found
}

/// The wait that a response asks for; one that cannot be read, or has passed, is none.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More seconds than fit are more than anybody waits.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    until.duration_since(SystemTime::now()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(text: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, text.parse().unwrap());
        retry_after(&headers)
    }

    #[test]
    fn retry_after_is_read_in_both_forms() {
        assert_eq!(wait("120"), Some(Duration::from_secs(120)));
        assert_eq!(
            wait("99999999999999999999999"),
            Some(Duration::from_secs(u64::MAX))
        );
        assert_eq!(wait("soon"), None);
        assert_eq!(wait("-1"), None);
        assert_eq!(wait(""), None);
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT"), None);
        let later = SystemTime::now() + Duration::from_secs(1000);
        let waits = wait(&httpdate::fmt_http_date(later)).unwrap();
        assert!(waits > Duration::from_secs(900) && waits <= Duration::from_secs(1000));
    }

    #[test]
    fn statuses_and_errors_are_told_apart() {
        let of = |status: u16| {
            let response = Response::builder().status(status).body(()).unwrap();
            ByStatus.classify_answer(&Ok(response))
        };
        assert_eq!(of(200), None);
        assert_eq!(of(304), None);
        assert_eq!(of(404), Some(Classification::new(false, Outcome::Ok)));
        assert_eq!(of(429), Some(Classification::new(true, Outcome::Ok)));
        assert_eq!(of(500), Some(Classification::new(false, Outcome::Trip)));
        assert_eq!(of(503), Some(Classification::new(true, Outcome::Trip)));
        let rejected: BoxError = Rejected::BulkheadFull.into();
        assert!(of_error(rejected.as_ref()).rejected);
        let nested: BoxError = io::Error::other(Rejected::RateLimited).into();
        assert_eq!(of_error(nested.as_ref()), io::Error::other("").classify());
        assert!(of_error(&std::fmt::Error).retryable);
    }
}
