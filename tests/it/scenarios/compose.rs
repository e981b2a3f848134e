//! Retry, breaker, limits and fallback together.

use std::sync::Mutex;
use std::time::Duration;

use error_runtime::time::ManualClock;
use error_runtime::{
    BreakerState, Breakers, Bulkhead, RateLimiter, Rejected, RetryBudget, RetryPolicy,
    RetryPolicyBuilder, RetryStop, bulkhead, circuit_breaker, fallback, rate_limit, retry, timeout,
};

use super::{Count, Error, race};
use crate::breaker::{S, build};

/// Whatever it should wait for takes no time.
fn eager(attempts: u32) -> RetryPolicyBuilder {
    RetryPolicy::builder()
        .attempts(attempts)
        .base(Duration::ZERO)
        .clock(ManualClock::new())
}

#[retry(attempts = 20, base = "0s", when = |_| true)]
#[circuit_breaker(service = "scenarios-c02", failures = 1)]
fn retries_everything(calls: &Count) -> Result<(), Error> {
    calls.up();
    Err(Error::Missing)
}

#[test]
fn c02_an_open_circuit_is_not_retried() {
    let (breaker, _) = build(|b| b.recovery(S));
    breaker.force_open(S);
    let policy = eager(20).build().unwrap();
    let calls = Count::new();
    let (result, report) = policy.call_with_report(|| {
        calls.up();
        breaker.call(|| Ok::<_, Error>(()))
    });
    assert!(matches!(
        result,
        Err(Error::Rejected(Rejected::CircuitOpen(_)))
    ));
    assert_eq!((calls.get(), report.stop), (1, RetryStop::Rejected));

    // Not even if every error is to be retried.
    assert_eq!(retries_everything(&calls), Err(Error::Missing));
    let breaker = Breakers::global().get("scenarios-c02").unwrap();
    breaker.force_open(None);
    let before = (calls.get(), breaker.snapshot().totals.rejected);
    assert!(retries_everything(&calls).is_err());
    let after = (calls.get(), breaker.snapshot().totals.rejected);
    assert_eq!(after, (before.0, before.1 + 1));
}

#[test]
fn c03_rejections_take_no_budget() {
    let budget = RetryBudget::tokens(10, 1).unwrap();
    let policy = eager(5).budget(&budget).build().unwrap();
    let (breaker, _) = build(|b| b);
    breaker.force_open(None);
    for _ in 0..5 {
        let _ = policy.call(|| breaker.call(|| Ok::<_, Error>(())));
        let _ = policy.call(|| Err::<(), Error>(Rejected::BulkheadFull.into()));
        let _ = policy.call(|| Err::<(), Error>(Rejected::RateLimited.into()));
    }
    assert_eq!(budget.available(), 10);
}

#[test]
fn c04_the_retrying_ends_when_the_circuit_opens() {
    let (breaker, _) = build(|b| b.failures(3));
    let calls = Count::new();
    let (result, report) = eager(10).build().unwrap().call_with_report(|| {
        breaker.call(|| {
            calls.up();
            Err::<(), _>(Error::Busy)
        })
    });
    assert_eq!((calls.get(), report.attempts), (3, 4));
    assert_eq!(report.stop, RetryStop::Rejected);
    assert!(matches!(
        result,
        Err(Error::Rejected(Rejected::CircuitOpen(_)))
    ));
    let totals = breaker.snapshot().totals;
    assert_eq!((totals.failures, totals.rejected), (3, 1), "one by one");
}

#[derive(Clone, Copy)]
enum Body {
    Fails,
    Hangs,
    Works,
}

/// What the body and the fallback of one call saw.
#[derive(Default)]
struct Seen {
    calls: Count,
    fallbacks: Mutex<Vec<Error>>,
}

impl Seen {
    fn fall(&self, error: Error) -> Result<(), Error> {
        self.fallbacks.lock().unwrap().push(error.clone());
        Err(error)
    }
}

#[fallback(seen.fall(error))]
#[retry(attempts = 2, base = "0s")]
#[circuit_breaker(service = "scenarios-c05", failures = 4, recovery = "1h")]
#[rate_limit(calls = 5, per = "24h")]
#[timeout("1s")]
#[bulkhead(max = 1)]
async fn ordered(seen: &Seen, body: Body) -> Result<(), Error> {
    seen.calls.up();
    match body {
        Body::Fails => Err(Error::Busy),
        Body::Hangs => std::future::pending().await,
        Body::Works => Ok(()),
    }
}

#[tokio::test(start_paused = true)]
async fn c05_the_order_is_fixed() {
    let call = async |body| {
        let seen = Seen::default();
        let _ = ordered(&seen, body).await;
        (seen.calls.get(), seen.fallbacks.into_inner().unwrap())
    };
    // The retry is outside the breaker, which sees each attempt; the fallback is outside of both.
    assert_eq!(call(Body::Fails).await, (2, vec![Error::Busy]));
    let breaker = Breakers::global().get("scenarios-c05").unwrap();
    assert_eq!(breaker.snapshot().totals.failures, 2);
    // The time-out is inside both, and outside the bulkhead, whose only slot it frees.
    let late = Error::from(Rejected::Timeout);
    assert_eq!(call(Body::Hangs).await, (2, vec![late]));
    assert_eq!(breaker.snapshot().totals.failures, 4);
    assert_eq!(breaker.state(), BreakerState::Open);
    // The limit is inside the breaker: what an open circuit refuses takes none of the five.
    for _ in 0..3 {
        let (calls, errors) = call(Body::Works).await;
        assert_eq!(calls, 0);
        assert!(matches!(
            errors[..],
            [Error::Rejected(Rejected::CircuitOpen(_))]
        ));
    }
    breaker.reset();
    assert_eq!(call(Body::Works).await, (1, vec![]));
    let limited = Error::from(Rejected::RateLimited);
    assert_eq!(call(Body::Works).await, (0, vec![limited]));
    assert_eq!(
        breaker.snapshot().totals.ignored,
        1,
        "no word on the service"
    );
}

#[derive(Default)]
struct Log(Mutex<Vec<String>>);

impl Log {
    fn add(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }
}

fn saved(log: &Log, path: &str, error: &Error) -> Result<u32, Error> {
    log.add(format!("{path} {error:?}"));
    Err(Error::Missing)
}

#[fallback(saved(log, path, &error))]
#[retry(attempts = 2, base = "0s")]
#[circuit_breaker(service = "scenarios-c06", failures = 100)]
fn upload(log: &Log, path: &str) -> Result<u32, Error> {
    log.add(path.to_owned());
    Err(Error::Busy)
}

#[test]
fn c06_the_fallback_runs_once_and_feeds_no_breaker() {
    let log = Log::default();
    assert_eq!(upload(&log, "a"), Err(Error::Missing), "its own error");
    assert_eq!(*log.0.lock().unwrap(), ["a", "a", "a Busy"]);
    let breaker = Breakers::global().get("scenarios-c06").unwrap();
    let totals = breaker.snapshot().totals;
    assert_eq!((totals.failures, totals.successes), (2, 0));
}

#[fallback(
    match error {
        Error::Rejected(Rejected::CircuitOpen(open)) => Ok(format!("{} is open", open.service)),
        Error::Rejected(_) => Ok("refused".to_owned()),
        Error::Missing => Ok("missing".to_owned()),
        error => Err(error),
    },
    when = |_| true
)]
#[circuit_breaker(service = "scenarios-c08", failures = 1)]
fn by_type(error: Error) -> Result<String, Error> {
    Err(error)
}

#[test]
fn c08_the_fallback_chooses_by_the_error() {
    assert_eq!(by_type(Error::Missing).unwrap(), "missing");
    assert_eq!(by_type(Rejected::RateLimited.into()).unwrap(), "refused");
    assert_eq!(by_type(Error::Busy), Err(Error::Busy));
    assert_eq!(by_type(Error::Busy).unwrap(), "scenarios-c08 is open");
}

#[fallback(Ok(0))]
fn falls_for(error: &Error) -> Result<u32, Error> {
    Err(error.clone())
}

/// By default it stands in for the service, not for the caller's mistakes.
#[test]
fn a_fallback_leaves_the_callers_mistakes() {
    assert_eq!(falls_for(&Error::Busy), Ok(0));
    assert_eq!(falls_for(&Rejected::BulkheadFull.into()), Ok(0));
    assert_eq!(falls_for(&Error::Missing), Err(Error::Missing));
}

/// Two limits around one clock: as many calls as allowed, in whatever threads.
#[test]
fn limits_hold_between_threads() {
    let limiter = RateLimiter::new(50, S)
        .unwrap()
        .with_clock(ManualClock::new());
    let bulkhead = Bulkhead::new(3).unwrap();
    let passed = Count::new();
    race(8, |_| {
        for _ in 0..100 {
            if limiter.try_acquire().is_ok() {
                passed.up();
            }
            let slot = bulkhead.try_acquire();
            assert!(bulkhead.running() <= 3);
            drop(slot);
        }
    });
    assert_eq!(passed.get(), 50);
    assert_eq!(bulkhead.running(), 0);
}
