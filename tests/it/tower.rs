//! The policies as tower layers: what reaches the service, what reaches the caller, and when. Times are
//! those of tokio's paused clock, which no load of the machine moves.

use std::convert::Infallible;
use std::future::{Ready, pending, ready};
use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Body;
use axum::error_handling::HandleErrorLayer;
use axum::response::IntoResponse as _;
use axum::routing::get;
use error_runtime::time::ManualClock;
use error_runtime::tower::{BoxError, ByClass, Failure};
use error_runtime::{
    AnyError, ApiError as _, BreakerState, CircuitBreaker, CircuitBreakerBuilder,
    CircuitBreakerLayer, Classification, Classify as _, FallbackLayer, Jitter, Outcome, Rejected,
    RetryLayer, RetryPolicy, RetryPolicyBuilder, TimeoutLayer,
};
use http::{Method, Request, Response};
use tokio::time::Instant;
use tower::limit::ConcurrencyLimitLayer;
use tower::{Layer, Service, ServiceBuilder, ServiceExt as _, service_fn};

use crate::support::quietly;

const S: Duration = Duration::from_secs(1);

/// Counts what reaches the service.
#[derive(Clone, Default)]
struct Calls(Arc<AtomicUsize>);

impl Calls {
    /// The number of this call, from 1.
    fn count(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn seen(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// Answers with these statuses and waits, one after the other; the last from then on.
#[derive(Clone)]
struct Upstream {
    answers: Arc<[(u16, String)]>,
    calls: Calls,
}

impl Service<Request<String>> for Upstream {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<String>) -> Self::Future {
        let call = self.calls.count().min(self.answers.len());
        let (status, wait) = &self.answers[call - 1];
        let mut response = Response::builder().status(*status);
        if !wait.is_empty() {
            response = response.header("retry-after", wait);
        }
        ready(Ok(response.body(request.into_body()).unwrap()))
    }
}

fn upstream<const N: usize>(statuses: [u16; N]) -> (Calls, Upstream) {
    answering(statuses.map(|status| (status, "")))
}

/// The same with a `Retry-After` each; an empty one is left out.
fn answering<const N: usize>(answers: [(u16, &str); N]) -> (Calls, Upstream) {
    let calls = Calls::default();
    let service = Upstream {
        answers: answers
            .map(|(status, wait)| (status, wait.to_owned()))
            .into(),
        calls: calls.clone(),
    };
    (calls, service)
}

fn request() -> Request<String> {
    Request::new("the order".to_owned())
}

/// Three attempts without a wait of their own.
fn policy() -> RetryPolicyBuilder {
    RetryPolicy::builder()
        .base(Duration::ZERO)
        .jitter(Jitter::None)
}

fn retry() -> RetryLayer {
    RetryLayer::new(policy().build().unwrap())
}

/// A breaker that one failure opens for a minute of its clock.
fn breaker(
    rules: impl FnOnce(CircuitBreakerBuilder) -> CircuitBreakerBuilder,
) -> (Arc<CircuitBreaker>, ManualClock) {
    let clock = ManualClock::new();
    let builder = CircuitBreaker::builder("upstream")
        .failures(1)
        .half_open(1)
        .clock(clock.clone());
    (Arc::new(rules(builder).build().unwrap()), clock)
}

fn layer(breaker: &Arc<CircuitBreaker>) -> CircuitBreakerLayer {
    CircuitBreakerLayer::new(Arc::clone(breaker))
}

fn rejected(error: &BoxError) -> &Rejected {
    error
        .downcast_ref()
        .unwrap_or_else(|| panic!("no rejection: {error}"))
}

fn status<E>(answer: &Result<Response<String>, E>) -> u16 {
    answer.as_ref().map_or(0, |answer| answer.status().as_u16())
}

#[tokio::test(start_paused = true)]
async fn what_may_help_is_sent_again() {
    for (statuses, attempts, last) in [
        ([503, 200, 500], 2, 200),
        ([503, 502, 504], 3, 504),
        ([408, 425, 200], 3, 200),
        ([429, 429, 429], 3, 429),
        ([404, 200, 200], 1, 404),
        ([500, 200, 200], 1, 500),
        ([301, 200, 200], 1, 301),
        ([503, 404, 200], 2, 404),
    ] {
        let (calls, service) = upstream(statuses);
        let answer = retry().layer(service).oneshot(request()).await;
        assert_eq!(
            (calls.seen(), status(&answer)),
            (attempts, last),
            "{statuses:?}"
        );
    }
}

/// Each attempt gets the request whole, and the answer is the service's own.
#[tokio::test]
async fn each_attempt_is_the_same_request() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let service = service_fn(move |request: Request<String>| {
        let line = format!(
            "{} {} {} {}",
            request.method(),
            request.uri(),
            request.headers()["x-order"].to_str().unwrap(),
            request.body()
        );
        let mut log = log.lock().unwrap();
        log.push(line);
        let status = if log.len() < 3 { 503 } else { 201 };
        ready(Ok::<_, Infallible>(
            Response::builder()
                .status(status)
                .header("x-attempt", log.len())
                .body("done".to_owned())
                .unwrap(),
        ))
    });
    let request = Request::put("/orders/7")
        .header("x-order", "7")
        .body("two of them".to_owned())
        .unwrap();
    let answer = retry().layer(service).oneshot(request).await.unwrap();
    assert_eq!(answer.status(), 201);
    assert_eq!(answer.headers()["x-attempt"], "3");
    assert_eq!(answer.body(), "done");
    assert_eq!(*seen.lock().unwrap(), ["PUT /orders/7 7 two of them"; 3]);
}

#[tokio::test(start_paused = true)]
async fn errors_of_the_transport_are_told_apart() {
    async fn attempts<E>(error: impl Fn() -> E + Clone + Send + 'static) -> usize
    where
        E: Into<BoxError> + Send + 'static,
    {
        let calls = Calls::default();
        let counted = calls.clone();
        let service = service_fn(move |_: Request<String>| {
            counted.count();
            ready(Err::<Response<String>, E>(error()))
        });
        retry()
            .layer(service)
            .oneshot(request())
            .await
            .expect_err("the last error is returned");
        calls.seen()
    }
    let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
    let denied = || io::Error::from(io::ErrorKind::PermissionDenied);
    assert_eq!(attempts(refused).await, 3);
    assert_eq!(attempts(denied).await, 1);
    assert_eq!(attempts(move || Wrapped(refused())).await, 3);
    assert_eq!(attempts(move || Wrapped(denied())).await, 1);
    assert_eq!(attempts(|| "it says nothing").await, 3);
    assert_eq!(attempts(|| Rejected::Timeout).await, 3);
    assert_eq!(attempts(|| Rejected::RateLimited).await, 1);
    assert_eq!(attempts(|| Rejected::BulkheadFull).await, 1);
}

#[tokio::test(start_paused = true)]
async fn retry_after_in_seconds_is_waited() {
    let (calls, service) = answering([(503, "7"), (429, "2"), (200, "")]);
    let began = Instant::now();
    let answer = retry().layer(service).oneshot(request()).await;
    assert_eq!((status(&answer), calls.seen()), (200, 3));
    let waited = began.elapsed();
    assert!(waited >= 9 * S && waited < 10 * S, "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn retry_after_as_a_date_is_waited() {
    let date = httpdate::fmt_http_date(SystemTime::now() + 30 * S);
    let (calls, service) = answering([(503, &date), (200, "")]);
    let began = Instant::now();
    let answer = retry().layer(service).oneshot(request()).await;
    assert_eq!((status(&answer), calls.seen()), (200, 2));
    // The date has whole seconds only, and the test takes its time.
    let waited = began.elapsed();
    assert!(waited > 25 * S && waited <= 31 * S, "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_date_that_has_passed_and_nonsense_ask_for_no_wait() {
    for wait in ["Sun, 06 Nov 1994 08:49:37 GMT", "soon", "-5", "0"] {
        let (calls, service) = answering([(503, wait), (200, "")]);
        let began = Instant::now();
        let answer = retry().layer(service).oneshot(request()).await;
        assert_eq!((status(&answer), calls.seen()), (200, 2), "{wait}");
        assert!(began.elapsed() < S, "{wait}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_too_long_is_the_end() {
    let in_an_hour = httpdate::fmt_http_date(SystemTime::now() + 3600 * S);
    for (wait, longest, attempts) in [
        ("61", None, 1),
        ("60", None, 2),
        ("61", Some(61), 2),
        ("5", Some(4), 1),
        ("99999999999999999999999", None, 1),
        (in_an_hour.as_str(), None, 1),
        (in_an_hour.as_str(), Some(3600), 2),
    ] {
        let (calls, service) = answering([(503, wait), (200, "")]);
        let mut policy = policy();
        if let Some(longest) = longest {
            policy = policy.max_retry_after(Duration::from_secs(longest));
        }
        let layer = RetryLayer::new(policy.build().unwrap());
        let began = Instant::now();
        let answer = layer.layer(service).oneshot(request()).await;
        assert_eq!(calls.seen(), attempts, "{wait} of {longest:?}");
        if attempts == 1 {
            let answer = answer.unwrap();
            assert_eq!(answer.status(), 503);
            assert_eq!(answer.headers()["retry-after"], wait, "passed on");
            assert!(began.elapsed() < S, "{wait} of {longest:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_attempt_has_its_limit() {
    let calls = Calls::default();
    let counted = calls.clone();
    let service = service_fn(move |_: Request<String>| {
        let call = counted.count();
        async move {
            if call < 3 {
                pending::<()>().await;
            }
            Ok::<_, Infallible>(Response::new(String::new()))
        }
    });
    let limited = || policy().attempt_timeout(2 * S);
    let began = Instant::now();
    let layer = RetryLayer::new(limited().build().unwrap());
    let answer = layer.layer(service.clone()).oneshot(request()).await;
    assert_eq!((status(&answer), calls.seen()), (200, 3));
    let waited = began.elapsed();
    assert!(waited >= 4 * S && waited < 5 * S, "{waited:?}");

    let hanging =
        service_fn(|_: Request<String>| pending::<Result<Response<String>, Infallible>>());
    let began = Instant::now();
    let error = layer.layer(hanging).oneshot(request()).await.unwrap_err();
    assert!(matches!(rejected(&error), Rejected::Timeout), "{error}");
    assert!(began.elapsed() >= 6 * S && began.elapsed() < 7 * S);

    // What is left of the deadline limits an attempt too.
    let layer = RetryLayer::new(limited().deadline(3 * S).build().unwrap());
    let began = Instant::now();
    let error = layer.layer(hanging).oneshot(request()).await.unwrap_err();
    assert!(matches!(rejected(&error), Rejected::Timeout), "{error}");
    assert!(began.elapsed() <= 3 * S, "{:?}", began.elapsed());
}

#[tokio::test]
async fn only_these_requests_are_sent_again() {
    let layer = retry().only(|request: &Request<String>| request.method().is_idempotent());
    for (method, attempts) in [
        (Method::GET, 3),
        (Method::PUT, 3),
        (Method::POST, 1),
        (Method::PATCH, 1),
    ] {
        let (calls, service) = upstream([503]);
        let mut request = request();
        *request.method_mut() = method.clone();
        let answer = layer.layer(service).oneshot(request).await;
        assert_eq!((status(&answer), calls.seen()), (503, attempts), "{method}");
    }
}

#[tokio::test]
async fn a_retrys_classification_may_be_ones_own() {
    let calls = Calls::default();
    let counted = calls.clone();
    // No HTTP: lengths of texts, where 0 is a failure that may pass and an error one that does not.
    let service = service_fn(move |text: &'static str| {
        let answer = match counted.count() {
            _ if text.is_empty() => Err(io::Error::other("nothing")),
            1 => Ok(0),
            _ => Ok(text.len()),
        };
        ready(answer)
    });
    let layer = retry().classify(|answer: &Result<usize, BoxError>| match answer {
        Ok(0) => Some(Classification::new(true, Outcome::Trip)),
        Ok(_) => None,
        Err(_) => Some(Classification::new(false, Outcome::Trip)),
    });
    let mut service = layer.layer(service);
    let answer = service.ready().await.unwrap().call("four").await;
    assert_eq!((answer.unwrap(), calls.seen()), (4, 2));
    let answer = service.ready().await.unwrap().call("").await;
    assert!(answer.unwrap_err().is::<io::Error>());
    assert_eq!(calls.seen(), 3);
}

#[tokio::test]
async fn an_open_circuit_leaves_the_service_alone() {
    let (breaker, _clock) = breaker(|rules| rules.recovery(30 * S));
    let (calls, service) = upstream([500]);
    let mut service = layer(&breaker).layer(service);
    let answer = service.ready().await.unwrap().call(request()).await;
    assert_eq!(status(&answer), 500);
    assert_eq!(breaker.state(), BreakerState::Open);
    for _ in 0..3 {
        let error = service.ready().await.unwrap().call(request()).await;
        let error = error.unwrap_err();
        let Rejected::CircuitOpen(open) = rejected(&error) else {
            panic!("{error}");
        };
        assert_eq!(&*open.service, "upstream");
        assert_eq!(open.retry_after, Some(30 * S));
        assert_eq!(rejected(&error).status(), 503);
    }
    assert_eq!(calls.seen(), 1);
    let totals = breaker.snapshot().totals;
    assert_eq!((totals.failures, totals.rejected), (1, 3));
}

#[tokio::test]
async fn a_breaker_counts_by_status() {
    for (answer, failures, successes) in [
        (200, 0, 1),
        (304, 0, 1),
        (404, 0, 1),
        (429, 0, 1),
        (500, 1, 0),
        (503, 1, 0),
        (504, 1, 0),
    ] {
        let (breaker, _clock) = breaker(|rules| rules);
        let (_calls, service) = upstream([answer]);
        let given = layer(&breaker).layer(service).oneshot(request()).await;
        assert_eq!(status(&given), answer);
        let totals = breaker.snapshot().totals;
        assert_eq!(
            (totals.failures, totals.successes),
            (failures, successes),
            "{answer}"
        );
    }
    let (breaker, _clock) = breaker(|rules| rules);
    let down = service_fn(|_: Request<String>| ready(Err::<Response<String>, _>("no route")));
    let error = layer(&breaker).layer(down).oneshot(request()).await;
    assert_eq!(error.unwrap_err().to_string(), "no route");
    assert_eq!(breaker.snapshot().totals.failures, 1);
}

#[tokio::test]
async fn a_breakers_classification_may_be_ones_own() {
    let (breaker, _clock) = breaker(|rules| rules);
    let service = service_fn(|answer: i32| ready(Ok::<_, Infallible>(answer)));
    let layer = layer(&breaker).classify(|answer: &Result<i32, BoxError>| match answer {
        Ok(..0) => Some(Classification::new(false, Outcome::Trip)),
        Ok(0) => Some(Classification::new(false, Outcome::Neutral)),
        _ => None,
    });
    let service = layer.layer(service);
    for answer in [1, 0, 2, -1] {
        assert_eq!(service.clone().oneshot(answer).await.unwrap(), answer);
    }
    assert_eq!(breaker.state(), BreakerState::Open);
    let totals = breaker.snapshot().totals;
    assert_eq!(
        (totals.successes, totals.ignored, totals.failures),
        (2, 1, 1)
    );
    let error = service.oneshot(3).await.unwrap_err();
    assert!(matches!(rejected(&error), Rejected::CircuitOpen(_)));
}

/// A caller that goes away takes no probe with it.
#[tokio::test]
async fn a_cancelled_call_gives_its_probe_back() {
    let (breaker, clock) = breaker(|rules| rules);
    let calls = Calls::default();
    let counted = calls.clone();
    let service = service_fn(move |_: Request<String>| {
        let call = counted.count();
        async move {
            match call {
                1 => Err("down"),
                2 => pending().await,
                _ => Ok(Response::new(String::new())),
            }
        }
    });
    let service = layer(&breaker).layer(service);
    service.clone().oneshot(request()).await.unwrap_err();
    clock.advance(60 * S);

    {
        // Made and never polled: it has not begun.
        let mut service = service.clone();
        drop(service.ready().await.unwrap().call(request()));
        assert_eq!((breaker.state(), calls.seen()), (BreakerState::Open, 1));
    }
    {
        let mut probe = pin!(service.clone().oneshot(request()));
        assert!(futures_poll(probe.as_mut()).is_pending());
        assert_eq!((breaker.state(), calls.seen()), (BreakerState::HalfOpen, 2));
        let error = service.clone().oneshot(request()).await.unwrap_err();
        assert!(matches!(rejected(&error), Rejected::CircuitOpen(_)));
    }
    let ignored = breaker.snapshot().totals.ignored;
    assert_eq!(ignored, 1);
    assert_eq!(status(&service.oneshot(request()).await), 200);
    assert_eq!((breaker.state(), calls.seen()), (BreakerState::Closed, 3));
}

/// Polls once.
fn futures_poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(std::task::Waker::noop()))
}

/// Panics that unwind through the layer: from the call itself, and from its future.
#[test]
fn a_panicking_service_has_failed() {
    for at_once in [true, false] {
        let (breaker, _clock) = breaker(|rules| rules);
        let service = service_fn(move |_: Request<String>| {
            assert!(!at_once, "at once");
            async move {
                tokio::task::yield_now().await;
                assert!(at_once, "later");
                Ok::<_, Infallible>(Response::new(String::new()))
            }
        });
        let service = ServiceBuilder::new()
            .layer(retry())
            .layer(layer(&breaker))
            .service(service);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let ended =
            quietly(|| runtime.block_on(async { tokio::spawn(service.oneshot(request())).await }));
        assert!(ended.unwrap_err().is_panic(), "it goes on unwinding");
        assert_eq!(breaker.snapshot().totals.failures, 1);
        assert_eq!(breaker.state(), BreakerState::Open);
    }
}

/// Counts when it is dropped.
struct OnDrop(Calls);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.count();
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_takes_too_long_is_given_up() {
    let dropped = Calls::default();
    let held = dropped.clone();
    let service = service_fn(move |request: Request<String>| {
        let held = OnDrop(held.clone());
        async move {
            let takes: u64 = request.body().parse().unwrap();
            tokio::time::sleep(Duration::from_millis(takes)).await;
            drop(held);
            Ok::<_, Infallible>(Response::new(String::new()))
        }
    });
    let service = TimeoutLayer::new(2 * S).layer(service);
    let began = Instant::now();
    let quick = service.clone().oneshot(Request::new("1999".to_owned()));
    assert_eq!(status(&quick.await), 200);
    let slow = service.oneshot(Request::new("3000".to_owned())).await;
    let error = slow.unwrap_err();
    assert!(matches!(rejected(&error), Rejected::Timeout));
    assert_eq!(rejected(&error).status(), 504);
    assert_eq!(dropped.seen(), 2, "the call is dropped with its future");
    let elapsed = began.elapsed();
    assert!(elapsed >= 3999 * S / 1000 && elapsed < 5 * S, "{elapsed:?}");
}

/// Under a breaker a time-out is a failure, and a retry tries again.
#[tokio::test(start_paused = true)]
async fn a_time_out_counts_and_is_tried_again() {
    let (breaker, _clock) = breaker(|rules| rules.failures(3));
    let calls = Calls::default();
    let counted = calls.clone();
    let hanging = service_fn(move |_: Request<String>| {
        counted.count();
        pending::<Result<Response<String>, Infallible>>()
    });
    let service = ServiceBuilder::new()
        .layer(retry())
        .layer(layer(&breaker))
        .layer(TimeoutLayer::new(S))
        .service(hanging);
    let error = service.oneshot(request()).await.unwrap_err();
    assert!(matches!(rejected(&error), Rejected::Timeout), "{error}");
    assert_eq!((calls.seen(), breaker.state()), (3, BreakerState::Open));
}

/// A circuit that opens between two attempts ends the retrying.
#[tokio::test]
async fn a_refusal_is_not_tried_again() {
    let (breaker, _clock) = breaker(|rules| rules.failures(2));
    let (calls, service) = upstream([503]);
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(policy().attempts(9).build().unwrap()))
        .layer(layer(&breaker))
        .service(service);
    let error = service.oneshot(request()).await.unwrap_err();
    assert!(matches!(rejected(&error), Rejected::CircuitOpen(_)));
    assert_eq!(calls.seen(), 2);
    assert_eq!(breaker.snapshot().totals.rejected, 1);
}

#[tokio::test]
async fn a_fallback_is_for_the_services_failures() {
    let from_cache = |failure: Failure<Response<String>>| {
        let why = match failure {
            Failure::Response(response) => response.status().as_u16().to_string(),
            Failure::Error(error) => error.to_string(),
        };
        ready(Ok(Response::new(format!("cached for {why}"))))
    };
    let layer = FallbackLayer::new(from_cache);
    for (answer, falls_back) in [
        (200, false),
        (404, false),
        (409, false),
        (429, false),
        (500, true),
        (503, true),
    ] {
        let (_calls, service) = upstream([answer]);
        let given = layer.layer(service).oneshot(request()).await.unwrap();
        if falls_back {
            assert_eq!(*given.body(), format!("cached for {answer}"));
        } else {
            assert_eq!(given.status(), answer);
            assert_eq!(given.body(), "the order", "as it was");
        }
    }
    for (error, falls_back) in [
        (BoxError::from(Rejected::RateLimited), true),
        (Rejected::BulkheadFull.into(), true),
        (Rejected::Timeout.into(), true),
        ("it says nothing".into(), true),
        (io::Error::from(io::ErrorKind::ConnectionReset).into(), true),
        (io::Error::from(io::ErrorKind::InvalidInput).into(), false),
    ] {
        let says = error.to_string();
        let error = Mutex::new(Some(error));
        let service = service_fn(move |_: Request<String>| {
            let error = error.lock().unwrap().take().unwrap();
            ready(Err::<Response<String>, _>(error))
        });
        let given = layer.layer(service).oneshot(request()).await;
        match given {
            Ok(given) => {
                assert!(falls_back, "{says}");
                assert_eq!(*given.body(), format!("cached for {says}"));
            }
            Err(error) => {
                assert!(!falls_back, "{says}");
                assert_eq!(error.to_string(), says, "the error itself");
            }
        }
    }
}

/// A fallback answers for an open circuit, may fail, and never feeds the breaker.
#[tokio::test]
async fn a_fallback_in_front_of_a_circuit() {
    let (breaker, _clock) = breaker(|rules| rules);
    breaker.force_open(None);
    let (calls, service) = upstream([200]);
    let service = ServiceBuilder::new()
        .layer(FallbackLayer::new(|failure| async move {
            tokio::task::yield_now().await;
            match failure {
                Failure::Error(error) if error.is::<Rejected>() => Err("nothing cached".into()),
                _ => Ok(Response::new(String::new())),
            }
        }))
        .layer(layer(&breaker))
        .service(service);
    let error = service.oneshot(request()).await.unwrap_err();
    assert_eq!(error.to_string(), "nothing cached");
    assert_eq!(calls.seen(), 0);
    let totals = breaker.snapshot().totals;
    assert_eq!((totals.failures, totals.rejected), (0, 1));
}

#[tokio::test]
async fn a_fallbacks_classification_may_be_ones_own() {
    let service = service_fn(|number: i32| ready(Ok::<_, Infallible>(number)));
    let service = FallbackLayer::new(|failure: Failure<i32>| {
        let Failure::Response(number) = failure else {
            panic!("no error came");
        };
        ready(Ok::<i32, BoxError>(-number))
    })
    .classify(|answer: &Result<i32, BoxError>| match answer {
        Ok(..0) => Some(Classification::new(false, Outcome::Trip)),
        // A caller's mistake.
        Ok(0) => Some(Classification::new(false, Outcome::Ok)),
        _ => None,
    })
    .layer(service);
    for (asked, given) in [(1, 1), (0, 0), (-7, 7)] {
        assert_eq!(service.clone().oneshot(asked).await.unwrap(), given);
    }
}

/// One place below a retry: taken for each attempt, free during the wait.
#[tokio::test(start_paused = true)]
async fn a_wait_holds_no_place_of_the_service() {
    let (calls, service) = answering([(503, "10"), (200, "")]);
    let service = ServiceBuilder::new()
        .layer(retry())
        .layer(ConcurrencyLimitLayer::new(1))
        .service(service);
    let began = Instant::now();
    let first = tokio::spawn(service.clone().oneshot(request()));
    tokio::task::yield_now().await;
    assert_eq!(calls.seen(), 1);
    assert_eq!(status(&service.oneshot(request()).await), 200);
    assert!(began.elapsed() < S, "{:?}", began.elapsed());
    assert_eq!(status(&first.await.unwrap()), 200);
    assert!(began.elapsed() >= 10 * S);
    assert_eq!(calls.seen(), 3);
}

/// Every attempt asks whether the service is ready, or a limit would panic; all get their turn.
#[tokio::test(start_paused = true)]
async fn many_callers_share_one_place() {
    let (running, most) = (Calls::default(), Calls::default());
    let (now, peak) = (running.clone(), most.clone());
    let calls = Calls::default();
    let counted = calls.clone();
    let service = service_fn(move |_: Request<String>| {
        let (now, peak) = (now.clone(), peak.clone());
        let call = counted.count();
        async move {
            peak.0.fetch_max(now.count(), Ordering::SeqCst);
            tokio::time::sleep(S).await;
            now.0.fetch_sub(1, Ordering::SeqCst);
            let status = if call.is_multiple_of(2) { 200 } else { 503 };
            let response = Response::builder().status(status);
            Ok::<_, Infallible>(response.body(String::new()).unwrap())
        }
    });
    let (breaker, _clock) = breaker(|rules| rules.failures(1000));
    let service = ServiceBuilder::new()
        .layer(FallbackLayer::new(|_| ready(Err("no answer".into()))))
        .layer(RetryLayer::new(policy().attempts(30).build().unwrap()))
        .layer(layer(&breaker))
        .layer(TimeoutLayer::new(60 * S))
        .layer(ConcurrencyLimitLayer::new(1))
        .service(service);
    let callers: Vec<_> = (0..10)
        .map(|_| tokio::spawn(service.clone().oneshot(request())))
        .collect();
    for caller in callers {
        assert_eq!(status(&caller.await.unwrap()), 200);
    }
    assert_eq!((most.seen(), running.seen()), (1, 0));
    assert_eq!(calls.seen(), 20);
}

/// What a service says when it is asked whether it is ready.
#[derive(Clone, Copy)]
enum Gate {
    Ready,
    Fails,
    Never,
}

/// Says these one after the other, and is ready from then on.
#[derive(Clone)]
struct Gated {
    gates: Arc<Mutex<std::vec::IntoIter<Gate>>>,
    inner: Upstream,
}

impl Gated {
    fn new(gates: impl Into<Vec<Gate>>, inner: Upstream) -> Self {
        Self {
            gates: Arc::new(Mutex::new(gates.into().into_iter())),
            inner,
        }
    }
}

impl Service<Request<String>> for Gated {
    type Response = Response<String>;
    type Error = BoxError;
    type Future = Ready<Result<Response<String>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match self.gates.lock().unwrap().next() {
            None | Some(Gate::Ready) => Poll::Ready(Ok(())),
            Some(Gate::Fails) => Poll::Ready(Err("no connection".into())),
            Some(Gate::Never) => Poll::Pending,
        }
    }

    fn call(&mut self, request: Request<String>) -> Self::Future {
        ready(self.inner.call(request).into_inner().map_err(Into::into))
    }
}

/// An attempt that cannot even begin has failed as one that has.
#[tokio::test(start_paused = true)]
async fn a_service_that_is_not_ready_again_is_an_attempt() {
    let (calls, service) = upstream([503, 200]);
    let service = Gated::new([Gate::Ready, Gate::Fails], service);
    let answer = retry().layer(service).oneshot(request()).await;
    assert_eq!((status(&answer), calls.seen()), (200, 2));

    let (calls, service) = upstream([503]);
    let service = Gated::new([Gate::Ready, Gate::Fails, Gate::Fails], service);
    let error = retry().layer(service).oneshot(request()).await.unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), calls.seen()),
        ("no connection", 1)
    );

    let (calls, service) = upstream([503, 200]);
    let service = Gated::new([Gate::Ready, Gate::Never], service);
    let limited = policy().attempt_timeout(S).build().unwrap();
    let began = Instant::now();
    let answer = RetryLayer::new(limited).layer(service).oneshot(request());
    assert_eq!((status(&answer.await), calls.seen()), (200, 2));
    let waited = began.elapsed();
    assert!(waited >= S && waited < 2 * S, "{waited:?}");
}

/// Before the first call readiness is the service's own affair, and its error reaches the caller.
#[tokio::test]
async fn a_service_that_is_not_ready_is_not_called() {
    let (breaker, _clock) = breaker(|rules| rules);
    let (calls, service) = upstream([200]);
    let service = ServiceBuilder::new()
        .layer(FallbackLayer::new(|_| ready(Err("unused".into()))))
        .layer(retry())
        .layer(layer(&breaker))
        .layer(TimeoutLayer::new(S))
        .service(Gated::new([Gate::Fails], service));
    let error = service.clone().oneshot(request()).await.unwrap_err();
    assert_eq!(error.to_string(), "no connection");
    assert_eq!((calls.seen(), breaker.state()), (0, BreakerState::Closed));
    assert_eq!(
        breaker.snapshot().totals,
        CircuitBreaker::builder("none")
            .build()
            .unwrap()
            .snapshot()
            .totals
    );
    assert_eq!(status(&service.oneshot(request()).await), 200);
}

/// A refused request gives the place back that it was ready for.
#[tokio::test]
async fn a_refusal_holds_no_place_of_the_service() {
    let (breaker, _clock) = breaker(|rules| rules);
    let (calls, service) = upstream([200]);
    let mut service = ServiceBuilder::new()
        .layer(layer(&breaker))
        .layer(ConcurrencyLimitLayer::new(1))
        .service(service);
    breaker.force_open(None);
    for _ in 0..3 {
        let refused = service.ready().await.unwrap().call(request()).await;
        assert!(rejected(&refused.unwrap_err()).classify().rejected);
    }
    breaker.automatic();
    let answer = service.ready().await.unwrap().call(request()).await;
    assert_eq!((status(&answer), calls.seen()), (200, 1));
}

#[derive(Clone, Debug, error_runtime::ApiError)]
enum RenderError {
    #[api(status = 503)]
    Busy,
    #[api(status = 429, retry_after = "5s")]
    Slower,
    #[api(status = 404)]
    NoTemplate,
    #[api(status = 500, breaker = "neutral")]
    Ours,
}

/// Wraps an error, as clients do.
#[derive(Debug)]
struct Wrapped<E>(E);

impl<E> std::fmt::Display for Wrapped<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("wrapped")
    }
}

impl<E: std::error::Error + 'static> std::error::Error for Wrapped<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// Declared errors need no closure: they say themselves what they mean, wrapped or not.
#[tokio::test(start_paused = true)]
async fn declared_errors_are_asked() {
    use RenderError::{Busy, NoTemplate, Ours, Slower};

    async fn ask(error: BoxError) -> (usize, Duration, u64, bool) {
        let (breaker, _clock) = breaker(|rules| rules.failures(9));
        let calls = Calls::default();
        let counted = calls.clone();
        let error = Arc::new(error);
        let service = service_fn(move |page: u8| {
            counted.count();
            let error = Arc::clone(&error);
            ready(Err::<u8, BoxError>(
                match error.downcast_ref::<RenderError>() {
                    Some(error) => error.clone().into(),
                    None => match error.downcast_ref::<Wrapped<RenderError>>() {
                        Some(Wrapped(error)) => Wrapped(error.clone()).into(),
                        None => page.to_string().into(),
                    },
                },
            ))
        });
        let by_class = ByClass::<RenderError>::new();
        let service = ServiceBuilder::new()
            .layer(FallbackLayer::new(|_| ready(Ok(0))).classify(by_class))
            .layer(retry().classify(by_class))
            .layer(layer(&breaker).classify(by_class))
            .service(service);
        let began = Instant::now();
        let answer = service.oneshot(7).await;
        let failures = breaker.snapshot().totals.failures;
        (calls.seen(), began.elapsed(), failures, answer.is_ok())
    }
    let about = |(calls, waited, failures, falls_back): (usize, Duration, u64, bool)| {
        (calls, waited.as_secs(), failures, falls_back)
    };
    for (error, expected) in [
        (BoxError::from(Busy), (3, 0, 3, true)),
        (Slower.into(), (3, 10, 0, false)),
        (NoTemplate.into(), (1, 0, 0, false)),
        (Ours.into(), (1, 0, 0, false)),
        (Wrapped(NoTemplate).into(), (1, 0, 0, false)),
        (Wrapped(Busy).into(), (3, 0, 3, true)),
        // One that says nothing is the transport's, as by status.
        ("another".into(), (3, 0, 3, true)),
    ] {
        let says = format!("{error:?}");
        assert_eq!(about(ask(error).await), expected, "{says}");
    }
}

/// A response of such a service is a success, and a refusal stays one.
#[tokio::test]
async fn declared_errors_beside_refusals() {
    let (breaker, _clock) = breaker(|rules| rules);
    breaker.force_open(None);
    let by_class = ByClass::<RenderError>::new();
    let calls = Calls::default();
    let counted = calls.clone();
    let service = service_fn(move |page: u8| {
        counted.count();
        ready(Ok::<_, RenderError>(page))
    });
    let service = ServiceBuilder::new()
        .layer(retry().classify(by_class))
        .layer(layer(&breaker).classify(by_class))
        .service(service);
    let error = service.clone().oneshot(7).await.unwrap_err();
    assert!(matches!(rejected(&error), Rejected::CircuitOpen(_)));
    assert_eq!((calls.seen(), breaker.snapshot().totals.rejected), (0, 1));
    breaker.automatic();
    assert_eq!(service.oneshot(7).await.unwrap(), 7);
    assert_eq!(breaker.snapshot().totals.successes, 1);
}

/// Counts its copies.
struct Copied(Calls);

impl Clone for Copied {
    fn clone(&self) -> Self {
        self.0.count();
        Self(self.0.clone())
    }
}

/// A request is copied for the attempts that may follow, and not at all where none may.
#[tokio::test]
async fn a_request_is_copied_no_more_than_needed() {
    for (repeat, attempts, copies) in [(true, 3, 2), (true, 1, 0), (false, 3, 0)] {
        let made = Calls::default();
        let service = service_fn(|_: Copied| {
            let busy = Response::builder().status(503).body(());
            ready(Ok::<_, Infallible>(busy.unwrap()))
        });
        let layer = RetryLayer::new(policy().attempts(attempts).build().unwrap());
        let layer = layer.only(move |_: &Copied| repeat);
        let answer = layer.layer(service).oneshot(Copied(made.clone())).await;
        assert_eq!(answer.unwrap().status(), 503);
        assert_eq!(made.seen(), copies, "{repeat} {attempts}");
    }
}

/// Each policy in front of a router that fails, slows down and recovers.
#[tokio::test(start_paused = true)]
async fn layers_stack_in_front_of_a_router() {
    let calls = Calls::default();
    let counted = calls.clone();
    let router = Router::new()
        .route(
            "/flaky",
            get(move || {
                let call = counted.count();
                async move {
                    if call < 3 {
                        Err(AnyError::unavailable())
                    } else {
                        Ok("third time")
                    }
                }
            }),
        )
        .route("/hangs", get(pending::<&str>))
        .route("/down", get(|| async { http::StatusCode::BAD_GATEWAY }));
    let (breaker, clock) = breaker(|rules| rules.failures(3));
    let service = ServiceBuilder::new()
        .layer(FallbackLayer::new(|failure| {
            let cached = match failure {
                Failure::Error(error) => Response::new(Body::from(error.to_string())),
                Failure::Response(response) => response,
            };
            ready(Ok(cached))
        }))
        .layer(retry())
        .layer(layer(&breaker))
        .layer(TimeoutLayer::new(2 * S))
        .map_request(|request: Request<String>| request.map(Body::from))
        .service(router);
    let ask = async |path: &str| {
        let request = Request::get(path).body(String::new()).unwrap();
        let answer = service.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        (
            parts.status.as_u16(),
            String::from_utf8(body.to_vec()).unwrap(),
        )
    };
    assert_eq!(ask("/flaky").await, (200, "third time".to_owned()));
    assert_eq!(calls.seen(), 3);
    assert_eq!(ask("/nowhere").await.0, 404);
    assert_eq!(ask("/down").await.0, 502);
    assert_eq!(breaker.state(), BreakerState::Open);
    let (answered, why) = ask("/flaky").await;
    assert_eq!((answered, calls.seen()), (200, 3));
    assert!(why.contains("upstream"), "{why}");
    clock.advance(60 * S);
    let (_, why) = ask("/hangs").await;
    assert_ne!(breaker.state(), BreakerState::Closed, "{why}");
}

/// Within a router, whose services must not fail: the errors become the envelope.
#[tokio::test(start_paused = true)]
async fn layers_stack_within_a_router() {
    let (breaker, _clock) = breaker(|rules| rules.recovery(30 * S));
    let router = Router::new().route("/", get(pending::<&str>)).layer(
        ServiceBuilder::new()
            .layer(HandleErrorLayer::new(|error: BoxError| {
                ready(match error.downcast::<Rejected>() {
                    Ok(rejected) => AnyError::from(*rejected).into_response(),
                    Err(error) => panic!("{error}"),
                })
            }))
            .layer(layer(&breaker))
            .layer(TimeoutLayer::new(S)),
    );
    for (answered, code, wait) in [
        (504, "GATEWAY_TIMEOUT", None),
        (503, "SERVICE_UNAVAILABLE", Some("30")),
    ] {
        let answer = router
            .clone()
            .oneshot(Request::new(Body::empty()))
            .await
            .unwrap();
        assert_eq!(answer.status(), answered);
        let waits = answer.headers().get("retry-after");
        assert_eq!(waits.map(|wait| wait.to_str().unwrap()), wait);
        let body = axum::body::to_bytes(answer.into_body(), 1 << 20)
            .await
            .unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["error"]["code"], code);
        assert_eq!(body["error"]["recoverable"], true);
    }
}

/// What frameworks ask of services and layers.
#[test]
fn services_can_be_shared() {
    fn shared<T: Clone + Send + Sync + std::fmt::Debug + 'static>(_: &T) {}
    let (breaker, _clock) = breaker(|rules| rules);
    let limited = policy().attempt_timeout(S).build().unwrap();
    let fallback = FallbackLayer::new(|_: Failure<Response<String>>| {
        ready(Err::<Response<String>, BoxError>("".into()))
    });
    shared(&retry());
    shared(&RetryLayer::new(limited));
    shared(&layer(&breaker));
    shared(&TimeoutLayer::new(S));
    shared(&fallback);
    let service = Router::<()>::new();
    shared(&retry().layer(service.clone()));
    shared(&layer(&breaker).layer(service.clone()));
    shared(&TimeoutLayer::new(S).layer(service.clone()));
    shared(&fallback.layer(service));
}
