//! Every name of the contract is importable from the root of the crate.

#[allow(unused_imports, reason = "importing them is the test")]
use error_runtime::{
    AnyError, ApiError, Catalog, Classification, Classify, Details, Envelope, ErrorSpec, Format,
    GrpcCode, HeaderMap, Level, OptionExt, Outcome, Pointer, RequestContext, ResultExt, StatusCode,
    Violation, Violations, catalog, common,
};
#[allow(unused_imports, reason = "importing them is the test")]
use error_runtime::{
    BreakerState, Breakers, CircuitBreaker, CircuitBreakerLayer, CircuitOpen, ConfigError,
    FallbackLayer, Jitter, Permit, Rejected, RetryBudget, RetryEvent, RetryLayer, RetryPolicy,
    TimeoutLayer, bulkhead, circuit_breaker, fallback, rate_limit, recover, retry, timeout,
};
#[allow(unused_imports, reason = "importing them is the test")]
use error_runtime::{time::ManualClock, tower as layers};

/// What needs a trait, or is made by these types alone, is nameable too: for one's own functions.
#[allow(unused_imports, reason = "importing them is the test")]
use error_runtime::{
    AcceptsRejected, BreakerHandle, BreakerSnapshot, Bulkhead, CircuitBreakerBuilder,
    ConfigMismatch, ConstCircuitBreakerBuilder, ConstRetryPolicyBuilder, Delays, IsResult,
    OwnedPermit, RateLimiter, RetryPolicyBuilder, RetryReport, RetryStop, ServiceName,
    TotalsSnapshot, Transition, TransitionEvent, UnknownBreaker, Verdict, WindowSnapshot,
};

/// The layers have one type each, under the root and in their module.
#[test]
fn layers_are_at_both_places() {
    use std::any::TypeId;
    fn same<A: 'static, B: 'static>() {
        assert_eq!(TypeId::of::<A>(), TypeId::of::<B>());
    }
    same::<TimeoutLayer, layers::TimeoutLayer>();
    same::<RetryLayer, layers::RetryLayer>();
    same::<CircuitBreakerLayer, layers::CircuitBreakerLayer>();
    same::<FallbackLayer<()>, layers::FallbackLayer<()>>();
}

/// The states, the ways of chance and the refusals are those of the contract.
#[test]
fn the_policies_variants_are_the_contracts() {
    let states = [
        BreakerState::Closed,
        BreakerState::Open,
        BreakerState::HalfOpen,
        BreakerState::ForcedOpen,
        BreakerState::Disabled,
        BreakerState::MetricsOnly,
    ];
    assert!(states.iter().skip(1).all(|state| *state != states[0]));
    let ways = [
        Jitter::Full,
        Jitter::Equal,
        Jitter::Decorrelated,
        Jitter::None,
        Jitter::Ratio(0.5),
    ];
    assert!(ways.iter().skip(1).all(|way| *way != ways[0]));
    let breaker = CircuitBreaker::builder("exports").build().unwrap();
    breaker.force_open(None);
    let open: CircuitOpen = breaker.try_acquire().unwrap_err();
    assert_eq!(open.retry_after, None);
    assert_eq!(&*open.service, "exports");
    for (rejected, status, code) in [
        (Rejected::CircuitOpen(open), 503, "SERVICE_UNAVAILABLE"),
        (Rejected::Timeout, 504, "GATEWAY_TIMEOUT"),
        (Rejected::BulkheadFull, 503, "SERVICE_UNAVAILABLE"),
        (Rejected::RateLimited, 429, "RATE_LIMITED"),
    ] {
        assert_eq!(rejected.status(), status, "{rejected:?}");
        assert_eq!(rejected.code(), code, "{rejected:?}");
        assert!(rejected.is_recoverable(), "{rejected:?}");
        let classified = rejected.classify();
        let timeout = matches!(rejected, Rejected::Timeout);
        assert_eq!(classified.retryable, timeout, "{rejected:?}");
        assert_eq!(classified.rejected, !timeout, "{rejected:?}");
        let outcome = if timeout {
            Outcome::Trip
        } else {
            Outcome::Neutral
        };
        assert_eq!(classified.outcome, outcome, "{rejected:?}");
    }
}

/// The snapshot's members, their types among them.
#[test]
fn a_snapshot_has_the_contracts_members() {
    use std::time::Duration;
    let breaker = CircuitBreaker::builder("exports-snapshot").build().unwrap();
    let snapshot = breaker.snapshot();
    let _: Option<Duration> = snapshot.retry_after;
    let _: (Option<f64>, Option<f64>) = (snapshot.window.failure_rate, snapshot.window.slow_rate);
    let _: [u64; 3] = [
        snapshot.window.calls,
        snapshot.window.failures,
        snapshot.window.slow,
    ];
    let totals = snapshot.totals;
    let _: [u64; 7] = [
        totals.successes,
        totals.failures,
        totals.ignored,
        totals.slow,
        totals.rejected,
        totals.stale,
        totals.opened,
    ];
    let json = serde_json::to_value(breaker.snapshot()).unwrap();
    for member in [
        "name",
        "state",
        "since",
        "would_admit",
        "retry_after",
        "last_error_code",
        "window",
        "totals",
    ] {
        assert!(json.get(member).is_some(), "{member} is missing of {json}");
    }
}

/// The codes that nobody declared, as the contract lists them.
#[test]
fn default_codes_are_the_contracts() {
    for (status, code) in [
        (400, "BAD_REQUEST"),
        (401, "UNAUTHORIZED"),
        (402, "PAYMENT_REQUIRED"),
        (403, "FORBIDDEN"),
        (404, "NOT_FOUND"),
        (405, "METHOD_NOT_ALLOWED"),
        (406, "NOT_ACCEPTABLE"),
        (408, "REQUEST_TIMEOUT"),
        (409, "CONFLICT"),
        (410, "GONE"),
        (413, "PAYLOAD_TOO_LARGE"),
        (414, "URI_TOO_LONG"),
        (415, "UNSUPPORTED_MEDIA_TYPE"),
        (422, "VALIDATION_ERROR"),
        (429, "RATE_LIMITED"),
        (500, "INTERNAL_ERROR"),
        (501, "NOT_IMPLEMENTED"),
        (502, "BAD_GATEWAY"),
        (503, "SERVICE_UNAVAILABLE"),
        (504, "GATEWAY_TIMEOUT"),
        (428, "PRECONDITION_REQUIRED"),
        (499, "CLIENT_ERROR"),
        (599, "SERVER_ERROR"),
    ] {
        assert_eq!(
            error_runtime::default_code(StatusCode::from_u16(status).unwrap()),
            code
        );
    }
}

/// `Outcome` is exhaustive: a policy of one's own may match on it.
#[test]
fn outcomes_are_three() {
    let told = |outcome| match outcome {
        Outcome::Trip => "trip",
        Outcome::Ok => "ok",
        Outcome::Neutral => "neutral",
    };
    assert_eq!(told(Outcome::Neutral), "neutral");
}

#[test]
fn transient_io_errors_are_retryable() {
    use std::io::{Error, ErrorKind};
    for (kind, retryable, outcome) in [
        (ErrorKind::ConnectionRefused, true, Outcome::Trip),
        (ErrorKind::ConnectionReset, true, Outcome::Trip),
        (ErrorKind::TimedOut, true, Outcome::Trip),
        (ErrorKind::HostUnreachable, true, Outcome::Trip),
        (ErrorKind::UnexpectedEof, true, Outcome::Trip),
        (ErrorKind::NotFound, false, Outcome::Ok),
        (ErrorKind::AlreadyExists, false, Outcome::Ok),
        (ErrorKind::InvalidInput, false, Outcome::Ok),
        (ErrorKind::PermissionDenied, false, Outcome::Trip),
        (ErrorKind::StorageFull, false, Outcome::Trip),
        (ErrorKind::Other, false, Outcome::Trip),
    ] {
        let classified = Error::from(kind).classify();
        assert_eq!(
            (classified.retryable, classified.outcome),
            (retryable, outcome),
            "{kind}"
        );
    }
}

#[tokio::test]
async fn tokios_errors_are_classified() {
    let elapsed = tokio::time::timeout(std::time::Duration::ZERO, std::future::pending::<()>())
        .await
        .unwrap_err();
    assert_eq!(
        (elapsed.classify().retryable, elapsed.classify().outcome),
        (true, Outcome::Trip)
    );
    let cancelled = tokio::spawn(std::future::pending::<()>());
    cancelled.abort();
    assert_eq!(
        cancelled.await.unwrap_err().classify().outcome,
        Outcome::Neutral
    );
    let full = tokio::sync::Semaphore::new(0);
    assert!(full.try_acquire().unwrap_err().classify().retryable);
    full.close();
    assert!(!full.try_acquire().unwrap_err().classify().retryable);
    assert!(!full.acquire().await.unwrap_err().classify().retryable);
}
