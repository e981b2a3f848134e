//! What retries are paid from.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use error_runtime::time::{Clock, ManualClock};
use error_runtime::{Jitter, RetryBudget, RetryPolicy, RetryPolicyBuilder, RetryStop, retry};

use super::{Count, Error, millis, race};
use crate::breaker::{S, seconds};

fn bucket(capacity: u64, cost: u64) -> RetryBudget {
    RetryBudget::tokens(capacity, cost).expect("the rules are valid")
}

fn paid_by(
    budget: &RetryBudget,
    rules: impl FnOnce(RetryPolicyBuilder) -> RetryPolicyBuilder,
) -> RetryPolicy {
    let builder = RetryPolicy::builder()
        .jitter(Jitter::None)
        .clock(ManualClock::new())
        .budget(budget);
    rules(builder).build().expect("the rules are valid")
}

/// A call whose attempts fail until that number; 0 is never.
fn call(policy: &RetryPolicy, succeeds_at: u32) -> (u32, RetryStop) {
    let calls = Count::new();
    let (_, report) = policy.call_with_report(|| {
        if calls.up() == succeeds_at {
            Ok(())
        } else {
            Err(Error::Busy)
        }
    });
    (report.attempts, report.stop)
}

#[test]
fn g01_each_retry_costs_and_a_success_gives_the_last_back() {
    let budget = bucket(500, 5);
    let (seen, left) = (Arc::new(Mutex::new(Vec::new())), budget.clone());
    let log = Arc::clone(&seen);
    let policy = paid_by(&budget, |p| {
        p.attempts(5)
            .on_retry(move |event| log.lock().unwrap().push((event.delay, left.available())))
    });
    assert_eq!(call(&policy, 0), (5, RetryStop::Exhausted));
    let expected = [(1, 495), (2, 490), (4, 485), (8, 480)];
    assert_eq!(
        *seen.lock().unwrap(),
        expected.map(|(wait, left)| (seconds(wait), left))
    );
    assert_eq!(budget.available(), 480);
    let budget = bucket(500, 5);
    assert_eq!(call(&paid_by(&budget, |p| p), 3), (3, RetryStop::Succeeded));
    assert_eq!(budget.available(), 495);
}

#[test]
fn g02_an_empty_bucket_ends_it() {
    for (capacity, cost, retries, left) in [(5, 5, 1, 0), (0, 5, 0, 0), (20, 14, 1, 6)] {
        let budget = bucket(capacity, cost);
        let policy = paid_by(&budget, |p| p.attempts(9));
        assert_eq!(call(&policy, 0), (1 + retries, RetryStop::Budget));
        assert_eq!(budget.available(), left);
    }
    assert_eq!(RetryBudget::tokens(5, 0).unwrap_err().key, "cost");
}

#[test]
fn g04_a_bucket_recovers_by_successes() {
    let budget = bucket(30, 14);
    let policy = paid_by(&budget, |p| p.attempts(3));
    assert_eq!(call(&policy, 3), (3, RetryStop::Succeeded));
    assert_eq!(budget.available(), 16);
    assert_eq!(call(&policy, 0), (2, RetryStop::Budget));
    assert_eq!(budget.available(), 2);
    for success in 1..=12 {
        assert_eq!(call(&policy, 1), (1, RetryStop::Succeeded));
        assert_eq!(budget.available(), 2 + success, "one for each");
    }
    assert_eq!(call(&policy, 2), (2, RetryStop::Succeeded));
    let budget = bucket(500, 5);
    let policy = paid_by(&budget, |p| p.attempts(2));
    assert_eq!(call(&policy, 2), (2, RetryStop::Succeeded));
    assert_eq!(budget.available(), 500, "never above its size");
    let _ = call(&policy, 1);
    assert_eq!(budget.available(), 500);
}

fn share(ratio: f64, least: u32, ttl: Duration) -> (RetryBudget, ManualClock) {
    let clock = ManualClock::new();
    let budget = RetryBudget::share_with(ratio, least, ttl, &Clock::from(clock.clone()));
    (budget.expect("the rules are valid"), clock)
}

#[test]
fn g05_retries_are_a_share_of_the_calls() {
    for (ratio, least, expected) in [
        (0.1, 0, 1000),
        (0.25, 0, 2500),
        (0.5, 0, 5000),
        (0.75, 0, 7500),
        (0.9999, 0, 9999),
        (2.0, 0, 20_000),
        (0.1, 10, 1010),
        (0.0, 0, 0),
    ] {
        let (budget, _) = share(ratio, least, S);
        let policy = paid_by(&budget, |p| p.attempts(4).base(Duration::ZERO));
        let retries: u32 = (0..10_000).map(|_| call(&policy, 0).0 - 1).sum();
        assert!(retries.abs_diff(expected) <= 1, "{ratio}: {retries}");
    }
    let key = |ratio, ttl| RetryBudget::share(ratio, 0, ttl).unwrap_err().key;
    assert_eq!(key(-0.1, S), "ratio");
    assert_eq!(key(f64::NAN, S), "ratio");
    assert_eq!(key(1001.0, S), "ratio");
    assert_eq!(key(0.1, Duration::ZERO), "ttl");
    assert_eq!(key(0.1, seconds(61)), "ttl");
}

#[test]
fn g06_what_calls_earn_goes_stale() {
    // One call earns half a retry; the one that fails earns the other half.
    for (wait, retried) in [
        (Duration::ZERO, true),
        (millis(901), true),
        (seconds(3), false),
    ] {
        let (budget, clock) = share(0.5, 0, S);
        let policy = paid_by(&budget, |p| p.attempts(2).base(Duration::ZERO));
        let _ = call(&policy, 1);
        clock.advance(wait);
        assert_eq!(call(&policy, 0).0, 1 + u32::from(retried), "{wait:?}");
    }
    let (budget, clock) = share(0.0, 5, S);
    let policy = paid_by(&budget, |p| p.attempts(10).base(Duration::ZERO));
    assert_eq!(call(&policy, 0), (6, RetryStop::Budget));
    assert_eq!(call(&policy, 0), (1, RetryStop::Budget));
    clock.advance(seconds(2));
    assert_eq!(call(&policy, 0), (6, RetryStop::Budget));
}

#[test]
fn g08_threads_neither_overfill_nor_spend_twice() {
    let budget = bucket(7, 2);
    let policy = RetryPolicy::builder()
        .attempts(2)
        .base(Duration::ZERO)
        .budget(&budget)
        .build()
        .unwrap();
    race(8, |thread| {
        for succeeds_at in [0, 1, 2].into_iter().cycle().skip(thread).take(500) {
            let _ = call(&policy, succeeds_at);
            assert!(budget.available() <= 7);
        }
    });
    // Ten calls earn one retry: millionths add up to wholes.
    let (budget, _) = share(0.1, 0, S);
    let policy = RetryPolicy::builder()
        .attempts(2)
        .base(Duration::ZERO)
        .budget(&budget)
        .build()
        .unwrap();
    let retries = Count::new();
    race(8, |_| {
        for _ in 0..100 {
            (1..call(&policy, 0).0).for_each(|_| _ = retries.up());
        }
    });
    assert_eq!(u64::from(retries.get()) + budget.available(), 80);
}

#[retry(attempts = 3, base = "0s", budget = "scenarios-g09")]
fn first_of_two() -> Result<(), Error> {
    Err(Error::Busy)
}

#[retry(attempts = 2, base = "0s", budget = "scenarios-g09")]
fn second_of_two() -> Result<(), Error> {
    Err(Error::Busy)
}

#[test]
fn g09_a_budget_that_is_named_is_there() {
    let budget = RetryBudget::named("scenarios-g09");
    assert_eq!(budget.available(), 500);
    let _ = first_of_two();
    assert_eq!(budget.available(), 490);
    let _ = second_of_two();
    assert_eq!(budget.available(), 485, "shared by name");
    assert!(!bucket(1, 1).register("scenarios-g09"), "taken");
    let own = bucket(9, 1);
    assert!(own.register("scenarios-g09-own"));
    assert_eq!(RetryBudget::named("scenarios-g09-own").available(), 9);
}
