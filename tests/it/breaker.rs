//! The circuit breaker, by the numbered scenarios.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use error_runtime::time::ManualClock;
use error_runtime::{
    ApiError, BreakerState, CircuitBreaker, CircuitBreakerBuilder, Outcome, Rejected,
};

use crate::support::quietly;

#[derive(Debug, ApiError)]
pub(crate) enum CallError {
    #[api(status = 502)]
    Down,
    #[api(status = 404)]
    Missing,
    #[api(status = 500, breaker = "neutral", code = "NEITHER")]
    Neither,
    #[api(transparent)]
    Rejected(#[from] Rejected),
}

pub(crate) const S: Duration = Duration::from_secs(1);

pub(crate) fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub(crate) fn build(
    rules: impl FnOnce(CircuitBreakerBuilder) -> CircuitBreakerBuilder,
) -> (CircuitBreaker, ManualClock) {
    let clock = ManualClock::new();
    let builder = CircuitBreaker::builder("test").clock(clock.clone());
    (rules(builder).build().expect("the rules are valid"), clock)
}

/// Runs calls by letters: `S` success, `F` failure, `I` neutral. Gives back whether each was let through.
pub(crate) fn run(breaker: &CircuitBreaker, calls: &str) -> String {
    calls
        .chars()
        .map(|call| {
            let result = breaker.call(|| match call {
                'S' => Ok(()),
                'F' => Err(CallError::Down),
                'M' => Err(CallError::Missing),
                _ => Err(CallError::Neither),
            });
            if matches!(result, Err(CallError::Rejected(_))) {
                'R'
            } else {
                call
            }
        })
        .collect()
}

pub(crate) fn counts(breaker: &CircuitBreaker) -> (u64, u64) {
    let window = breaker.snapshot().window;
    (window.calls, window.failures)
}

#[test]
fn b01_five_in_a_row_close_six_open() {
    let (breaker, _) = build(|b| b.failures(6));
    run(&breaker, "FFFFFSFFFFF");
    assert_eq!(breaker.state(), BreakerState::Closed);
    run(&breaker, "F");
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[test]
fn b02_open_half_open_and_back() {
    let (breaker, clock) = build(|b| b.failures(1).recovery(seconds(60)).half_open(1));
    assert_eq!(run(&breaker, "FSF"), "FRR");
    clock.advance(Duration::from_millis(59_999));
    assert_eq!(run(&breaker, "S"), "R");
    clock.advance(S);
    assert_eq!(run(&breaker, "F"), "F");
    assert_eq!(breaker.state(), BreakerState::Open);
    clock.advance(seconds(60));
    assert_eq!(run(&breaker, "S"), "S");
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn b03_a_success_ends_the_streak() {
    let (breaker, _) = build(|b| b.failures(3));
    run(&breaker, "FSFF");
    assert_eq!(breaker.state(), BreakerState::Closed);
    run(&breaker, "F");
    assert_eq!(breaker.state(), BreakerState::Open);
}

pub(crate) fn rated(calls: usize, min: usize, rate: f64) -> (CircuitBreaker, ManualClock) {
    build(|b| {
        b.failure_rate(rate)
            .window_calls(calls)
            .min_calls(min)
            .recovery(S)
            .half_open(1)
    })
}

#[test]
fn b05_two_of_three() {
    let (breaker, _) = rated(3, 3, 2.0 / 3.0);
    run(&breaker, "FS");
    assert_eq!(breaker.state(), BreakerState::Closed);
    run(&breaker, "F");
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[test]
fn b07_the_window_slides() {
    let (breaker, _) = rated(4, 4, 0.5);
    assert_eq!(run(&breaker, "SFSSFR"), "SFSSFR");
}

#[test]
fn b08_not_before_the_least_number_of_calls() {
    let (breaker, _) = rated(4, 4, 0.5);
    run(&breaker, "SFF");
    assert_eq!(breaker.state(), BreakerState::Closed);
    run(&breaker, "S");
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[test]
fn b09_a_success_may_open_and_the_window_starts_empty() {
    let (breaker, clock) = rated(4, 4, 0.75);
    assert_eq!(run(&breaker, "FFFSS"), "FFFSR");
    clock.advance(seconds(2));
    assert_eq!(run(&breaker, "S"), "S");
    assert_eq!(run(&breaker, "FFFSS"), "FFFSR");
}

pub(crate) fn timed(window: u64, min: usize, rate: f64) -> (CircuitBreaker, ManualClock) {
    build(|b| {
        b.failure_rate(rate)
            .window_time(seconds(window))
            .min_calls(min)
    })
}

#[test]
fn b11_a_success_completes_the_rate() {
    let (breaker, _) = timed(20, 5, 0.5);
    run(&breaker, "FFFS");
    let window = breaker.snapshot().window;
    assert_eq!(
        (window.failure_rate, window.calls, window.failures),
        (None, 4, 3)
    );
    run(&breaker, "S");
    assert_eq!(breaker.state(), BreakerState::Open);
    assert_eq!(run(&breaker, "S"), "R");
    assert_eq!(breaker.snapshot().totals.rejected, 1);
}

#[test]
fn b12_the_threshold_itself_opens() {
    let (breaker, clock) = timed(20, 5, 0.5);
    for calls in ["S", "S", "S", "F", "F"] {
        run(&breaker, calls);
        clock.advance(S);
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
    assert_eq!(breaker.snapshot().window.failure_rate, Some(0.4));
    run(&breaker, "F");
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[test]
fn b13_min_calls_is_enough() {
    let (breaker, _) = rated(100, 5, 0.5);
    assert_eq!(run(&breaker, "FFFFFF"), "FFFFFR");
}

#[test]
fn b14_old_successes_leave_the_window() {
    let (breaker, _) = rated(10, 10, 0.5);
    run(&breaker, &"S".repeat(10_000));
    assert_eq!(run(&breaker, "FFFFFF"), "FFFFFR");
}

#[test]
fn b20_time_windows_age() {
    let (breaker, clock) = timed(10, 1, 1.0);
    run(&breaker, "SF");
    assert_eq!(counts(&breaker), (2, 1));
    clock.advance(seconds(11));
    assert_eq!(counts(&breaker), (0, 0));
}

#[test]
fn b23_idle_windows_are_empty() {
    let (breaker, clock) = timed(10, 5, 0.9);
    run(&breaker, "FFFF");
    clock.advance(seconds(3600));
    run(&breaker, "F");
    assert_eq!(counts(&breaker), (1, 1));
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn b26_either_rule_opens() {
    let both = || {
        build(|b| {
            b.failures(3)
                .failure_rate(0.5)
                .window_calls(10)
                .min_calls(10)
        })
        .0
    };
    let streak = both();
    run(&streak, "FFF");
    assert_eq!(streak.state(), BreakerState::Open);
    let rate = both();
    run(&rate, "FSFSFSFSFS");
    assert_eq!(rate.state(), BreakerState::Open);
}

#[test]
fn b28_no_event_is_lost_between_threads() {
    let (breaker, _) = build(|b| {
        b.failure_rate(1.0)
            .window_calls(1_000_000)
            .min_calls(1_000_000)
    });
    std::thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| run(&breaker, &"SSSSSSSSSF".repeat(1000)));
        }
    });
    let totals = breaker.snapshot().totals;
    assert_eq!((totals.successes, totals.failures), (90_000, 10_000));
    assert_eq!(counts(&breaker), (100_000, 10_000));
}

#[test]
fn b31_slow_calls_open_by_their_rate() {
    let (breaker, _) = build(|b| {
        b.failure_rate(1.0)
            .slow_call(seconds(4))
            .slow_rate(0.5)
            .min_calls(5)
    });
    for (outcome, took) in [
        (Outcome::Trip, 5000),
        (Outcome::Ok, 5000),
        (Outcome::Trip, 100),
        (Outcome::Ok, 100),
        (Outcome::Ok, 5000),
    ] {
        assert_eq!(breaker.state(), BreakerState::Closed);
        breaker
            .try_acquire()
            .unwrap()
            .record(outcome, Duration::from_millis(took));
    }
    assert_eq!(breaker.state(), BreakerState::Open);
    assert_eq!(breaker.snapshot().totals.slow, 3);
}

#[test]
fn b32_durations_come_from_the_injected_clock() {
    let (breaker, clock) = build(|b| {
        b.failure_rate(1.0)
            .slow_call(seconds(4))
            .slow_rate(0.5)
            .min_calls(5)
    });
    let mut slow = Vec::new();
    for took in [5, 5, 1, 1, 5] {
        let _ = breaker.call(|| {
            clock.advance(seconds(took));
            Ok::<_, CallError>(())
        });
        slow.push(breaker.snapshot().totals.slow);
    }
    assert_eq!(slow, [1, 2, 2, 2, 3]);
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[test]
fn b35_rejections_are_counted_and_the_next_is_a_probe() {
    let (breaker, clock) = build(|b| b.failures(1).recovery(seconds(5)));
    run(&breaker, "F");
    assert_eq!(run(&breaker, "S"), "R");
    clock.advance(seconds(3));
    assert_eq!(run(&breaker, "S"), "R");
    assert_eq!(
        (breaker.snapshot().totals.rejected, breaker.state()),
        (2, BreakerState::Open)
    );
    clock.advance(seconds(3));
    let permit = breaker.try_acquire().unwrap();
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    assert_eq!(counts(&breaker), (0, 0));
    drop(permit);
}

#[test]
fn b36_the_deadline_itself_admits() {
    let (breaker, clock) = build(|b| {
        b.failures(1)
            .recovery(Duration::from_millis(100))
            .half_open(1)
    });
    run(&breaker, "F");
    clock.advance(Duration::from_millis(99));
    let refused = breaker.try_acquire().unwrap_err();
    assert_eq!(
        (refused.service.as_str(), refused.retry_after),
        ("test", Some(Duration::from_millis(1)))
    );
    clock.advance(Duration::from_millis(1));
    assert_eq!(run(&breaker, "S"), "S");
}

#[test]
fn b37_forced_open_for_a_time_then_probes() {
    let (breaker, clock) = build(|b| b.half_open(1));
    breaker.force_open(seconds(7200));
    clock.advance(seconds(3600));
    assert_eq!(run(&breaker, "S"), "R");
    clock.advance(seconds(3601));
    let permit = breaker.try_acquire().unwrap();
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    permit.success();
    assert_eq!(breaker.state(), BreakerState::Closed);
    breaker.force_open(None);
    clock.advance(seconds(1_000_000));
    assert_eq!(breaker.try_acquire().unwrap_err().retry_after, None);
}

#[test]
fn b38_open_times_grow_and_b40_are_capped_and_reset() {
    let (breaker, clock) = build(|b| {
        b.failures(1)
            .recovery(S)
            .recovery_factor(2.0)
            .recovery_max(seconds(4))
            .half_open(1)
    });
    run(&breaker, "F");
    for wait in [1, 2, 4, 4] {
        assert_eq!(
            breaker.try_acquire().unwrap_err().retry_after,
            Some(seconds(wait))
        );
        clock.advance(seconds(wait));
        run(&breaker, "F");
    }
    clock.advance(seconds(4));
    run(&breaker, "SF");
    assert_eq!(breaker.try_acquire().unwrap_err().retry_after, Some(S));
}

#[test]
fn b44_asking_changes_nothing() {
    let (breaker, clock) = build(|b| b.failures(1).recovery(S));
    run(&breaker, "F");
    assert!(!breaker.snapshot().would_admit);
    clock.advance(S);
    assert!(breaker.snapshot().would_admit);
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[test]
fn b49_no_wait_at_all() {
    let (breaker, _) = build(|b| b.failures(1).recovery(Duration::ZERO).half_open(1));
    assert_eq!(run(&breaker, "FS"), "FS");
    assert_eq!(breaker.state(), BreakerState::Closed);
}

pub(crate) fn half_open(probes: u32) -> (CircuitBreaker, ManualClock) {
    let (breaker, clock) = build(|b| b.failures(1).recovery(S).half_open(probes));
    run(&breaker, "F");
    clock.advance(S);
    (breaker, clock)
}

#[test]
fn b50_so_many_probes_and_no_more() {
    let (breaker, clock) = half_open(4);
    for _ in 0..2 {
        let permits: Vec<_> = (0..6).map(|_| breaker.try_acquire()).collect();
        assert_eq!(permits.iter().filter(|permit| permit.is_ok()).count(), 4);
        permits.into_iter().flatten().next().unwrap().failure();
        assert_eq!(breaker.state(), BreakerState::Open);
        clock.advance(S);
    }
}

#[test]
fn b51_b66_a_permit_that_is_dropped_comes_back() {
    let (breaker, _) = half_open(2);
    let (first, second) = (
        breaker.try_acquire().unwrap(),
        breaker.try_acquire().unwrap(),
    );
    assert!(breaker.try_acquire().is_err());
    drop(first);
    let third = breaker.try_acquire().unwrap();
    assert!(breaker.try_acquire().is_err());
    third.success();
    second.success();
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn b54_one_of_a_hundred() {
    let (breaker, _) = half_open(1);
    let permits: Vec<_> = (0..100)
        .filter_map(|_| breaker.try_acquire().ok())
        .collect();
    assert_eq!(permits.len(), 1);
}

#[test]
fn b55_the_call_that_half_opens_is_a_probe() {
    let (breaker, _) = half_open(1);
    let _probe = breaker.try_acquire().unwrap();
    assert_eq!(run(&breaker, "S"), "R");
}

#[test]
fn b56_successes_needed() {
    let (breaker, _) = half_open(3);
    run(&breaker, "SS");
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    run(&breaker, "S");
    assert_eq!(breaker.state(), BreakerState::Closed);
    let (breaker, _) = half_open(3);
    run(&breaker, "SSF");
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[test]
fn b63_half_open_has_an_end() {
    let (breaker, clock) = build(|b| b.failures(1).recovery(S).half_open(1).half_open_max(S));
    run(&breaker, "F");
    clock.advance(S);
    let lost = breaker.try_acquire().unwrap();
    clock.advance(S);
    assert_eq!(run(&breaker, "S"), "R");
    assert_eq!(breaker.state(), BreakerState::Open);
    clock.advance(S);
    assert_eq!(run(&breaker, "S"), "S");
    lost.failure();
    assert_eq!(
        (breaker.state(), breaker.snapshot().totals.stale),
        (BreakerState::Closed, 1)
    );
}

#[test]
fn b68_a_neutral_probe_gives_its_slot_back() {
    let (breaker, _) = half_open(1);
    assert_eq!(run(&breaker, "IIIS"), "IIIS");
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn late_results_change_nothing() {
    let (breaker, clock) = build(|b| b.failures(1).recovery(S).half_open(1));
    let (success, failure) = (
        breaker.try_acquire().unwrap(),
        breaker.try_acquire().unwrap(),
    );
    run(&breaker, "F");
    clock.advance(S);
    let probe = breaker.try_acquire().unwrap();
    success.success();
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    probe.success();
    failure.failure();
    assert_eq!(breaker.state(), BreakerState::Closed);
    let totals = breaker.snapshot().totals;
    assert_eq!((totals.stale, totals.opened), (2, 1));
}

#[test]
fn a_panic_is_a_failure() {
    let (breaker, clock) = build(|b| b.failures(2).recovery(S).half_open(1));
    let panic = || {
        let call = std::panic::AssertUnwindSafe(|| {
            breaker.call(|| -> Result<(), CallError> { panic!("x") })
        });
        assert!(quietly(|| std::panic::catch_unwind(call)).is_err());
    };
    panic();
    panic();
    assert_eq!(breaker.state(), BreakerState::Open);
    clock.advance(S);
    panic();
    assert_eq!(
        (breaker.state(), breaker.snapshot().totals.failures),
        (BreakerState::Open, 3)
    );
}

#[tokio::test]
async fn futures_are_counted_dropped_or_panicking() {
    let (breaker, clock) = build(|b| b.failures(2).recovery(S).half_open(1));
    breaker
        .call_async(async { Ok::<_, CallError>(()) })
        .await
        .unwrap();
    let pending = breaker.call_async(std::future::pending::<Result<(), CallError>>());
    let _ = tokio::time::timeout(Duration::ZERO, pending).await;
    let totals = breaker.snapshot().totals;
    assert_eq!((totals.successes, totals.ignored), (1, 1));
    let breaker = Arc::new(breaker);
    for _ in 0..2 {
        let breaker = Arc::clone(&breaker);
        let task = async move {
            let call = async {
                tokio::task::yield_now().await;
                std::panic::resume_unwind(Box::new("quiet"));
            };
            breaker.call_async::<(), CallError, _>(call).await
        };
        assert!(tokio::spawn(task).await.is_err());
    }
    assert_eq!(breaker.state(), BreakerState::Open);
    let refused = breaker.call_async(async { Ok::<_, CallError>(()) }).await;
    assert!(matches!(
        refused,
        Err(CallError::Rejected(Rejected::CircuitOpen(_)))
    ));
    clock.advance(S);
    // Dropped at its first poll, a probe gives its slot back.
    let probe = breaker.call_async(std::future::pending::<Result<(), CallError>>());
    let _ = tokio::time::timeout(Duration::ZERO, probe).await;
    breaker
        .call_async(async { Ok::<_, CallError>(()) })
        .await
        .unwrap();
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn hooks_run_in_order_may_re_enter_and_may_panic() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let breaker: Arc<std::sync::OnceLock<Arc<CircuitBreaker>>> = Arc::default();
    let (for_hook, log) = (Arc::clone(&breaker), Arc::clone(&seen));
    let built = CircuitBreaker::builder("hooked")
        .failures(1)
        .on_transition(|_| panic!("x"))
        .on_transition(move |event| {
            log.lock()
                .unwrap()
                .push((event.transition.from, event.transition.to));
            if event.transition.to == BreakerState::Open {
                let breaker = for_hook.get().unwrap();
                assert_eq!(breaker.state(), BreakerState::Open, "published before");
                breaker.reset();
            }
        })
        .build()
        .unwrap();
    let built = breaker.get_or_init(|| Arc::new(built));
    quietly(|| run(built, "F"));
    let (closed, open) = (BreakerState::Closed, BreakerState::Open);
    assert_eq!(*seen.lock().unwrap(), [(closed, open), (open, closed)]);
    assert_eq!(run(built, "S"), "S");
}

#[test]
fn commands_hold_and_reset_forgets() {
    let (breaker, _) = rated(4, 2, 0.5);
    breaker.disable();
    run(&breaker, "FFFF");
    assert_eq!(
        (breaker.state(), counts(&breaker)),
        (BreakerState::Disabled, (0, 0))
    );
    breaker.metrics_only();
    run(&breaker, "FFFF");
    assert_eq!(
        (breaker.state(), counts(&breaker)),
        (BreakerState::MetricsOnly, (4, 4))
    );
    breaker.automatic();
    assert_eq!(
        (breaker.state(), counts(&breaker)),
        (BreakerState::Closed, (0, 0))
    );
    assert_eq!(breaker.snapshot().totals.failures, 8, "totals stay");
    run(&breaker, "FF");
    assert_eq!(breaker.state(), BreakerState::Open);
    breaker.reset();
    assert_eq!(run(&breaker, "S"), "S");
    assert_eq!(breaker.history().len(), 5);
}

#[test]
fn b117_wrong_rules_are_refused() {
    let key = |rules: fn(CircuitBreakerBuilder) -> CircuitBreakerBuilder| {
        rules(CircuitBreaker::builder("x")).build().unwrap_err().key
    };
    assert_eq!(key(|b| b.failures(0)), "failures");
    assert_eq!(key(|b| b.failure_rate(0.0)), "failure_rate");
    assert_eq!(key(|b| b.failure_rate(1.5)), "failure_rate");
    assert_eq!(key(|b| b.failure_rate(f64::NAN)), "failure_rate");
    assert_eq!(key(|b| b.failure_rate(0.5).window_calls(0)), "window");
    assert_eq!(
        key(|b| b.failure_rate(0.5).window_calls(5).window_time(S)),
        "window"
    );
    assert_eq!(key(|b| b.window_calls(5)), "window");
    assert_eq!(
        key(|b| b.failure_rate(0.5).window_calls(5).min_calls(6)),
        "min_calls"
    );
    assert_eq!(key(|b| b.failure_rate(0.5).min_calls(0)), "min_calls");
    assert_eq!(key(|b| b.slow_rate(0.5)), "slow_rate");
    assert_eq!(key(|b| b.slow_call(Duration::ZERO)), "slow_call");
    assert_eq!(key(|b| b.half_open(0)), "half_open");
    assert_eq!(key(|b| b.half_open(9000)), "half_open");
    assert_eq!(key(|b| b.half_open_max(Duration::ZERO)), "half_open_max");
    assert_eq!(key(|b| b.recovery_factor(0.5)), "recovery_factor");
    assert_eq!(key(|b| b.recovery_factor(f64::NAN)), "recovery_factor");
    assert_eq!(
        key(|b| b.recovery(seconds(9)).recovery_max(S)),
        "recovery_max"
    );
    assert!(
        CircuitBreaker::builder("x")
            .recovery(Duration::MAX)
            .build()
            .is_ok()
    );
}

#[test]
fn c10_a_callers_mistake_is_a_success() {
    let (breaker, _) = build(|b| b.failures(2));
    run(&breaker, "FMF");
    assert_eq!(breaker.state(), BreakerState::Closed);
    assert_eq!(breaker.snapshot().totals.successes, 1);
    assert_eq!(breaker.snapshot().last_error_code.as_deref(), Some("DOWN"));
}
