//! The breaker's scenarios that `tests/it/breaker.rs` does not hold.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, SystemTime};

use error_runtime::time::ManualClock;
use error_runtime::{
    ApiError, BreakerState, Bulkhead, CircuitBreaker, Classification, Classify, Outcome, Rejected,
    Transition,
};

use super::{Count, millis, poll_once, race};
use crate::breaker::{CallError, S, build, counts, half_open, rated, run, seconds, timed};
use crate::support::quietly;

type Called = Result<(), CallError>;

fn fails() -> Called {
    Err(CallError::Down)
}

fn wait_of(breaker: &CircuitBreaker) -> Duration {
    let refused = breaker.try_acquire().map(drop).unwrap_err();
    refused.retry_after.expect("the wait is known")
}

// --- closed: counting and tripping ---

#[test]
fn b16_volume_comes_before_the_rate() {
    let (breaker, _) = timed(30, 10, 0.1);
    run(&breaker, "FFFFFFFFF");
    assert_eq!(breaker.state(), BreakerState::Closed);
    run(&breaker, "F");
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[test]
fn b17_three_of_twenty_two_are_above_a_tenth() {
    let (breaker, _) = timed(30, 20, 0.1);
    run(&breaker, "SSSSSSSSSSSSSSSSSSSFF");
    assert_eq!(breaker.state(), BreakerState::Closed);
    run(&breaker, "F");
    assert_eq!(breaker.state(), BreakerState::Open);
}

/// The source's window tumbles; ours slides, so that the success just before is still in it.
#[test]
fn b18_excluded_calls_count_nowhere_and_old_ones_leave() {
    let (breaker, clock) = timed(30, 3, 0.6);
    run(&breaker, &"SFI".repeat(5));
    assert_eq!(breaker.state(), BreakerState::Closed);
    assert_eq!(counts(&breaker), (10, 5));
    assert_eq!(breaker.snapshot().totals.ignored, 5);
    clock.advance(millis(29_999));
    run(&breaker, "S");
    assert_eq!(counts(&breaker), (11, 5));
    clock.advance(S);
    run(&breaker, "F");
    assert_eq!(counts(&breaker), (2, 1));
    run(&breaker, "SF");
    assert_eq!(breaker.state(), BreakerState::Closed);
    run(&breaker, "F");
    assert_eq!(breaker.state(), BreakerState::Open);
    assert_eq!(breaker.history().len(), 1);
}

#[test]
fn b21_sparse_failures_leave_a_short_window() {
    let sparse = |breaker: &CircuitBreaker, clock: &ManualClock| {
        for wait in [5, 1, 0] {
            run(breaker, "F");
            clock.advance(seconds(wait));
        }
        breaker.state()
    };
    let (breaker, clock) = timed(5, 3, 1.0);
    assert_eq!(sparse(&breaker, &clock), BreakerState::Closed);
    let (breaker, clock) = timed(10, 3, 1.0);
    assert_eq!(sparse(&breaker, &clock), BreakerState::Open);
    let (breaker, clock) = build(|b| b.failures(3));
    assert_eq!(sparse(&breaker, &clock), BreakerState::Open);
}

/// Runs code an hour in the future of everything outside.
fn an_hour_ahead<T>(run: impl FnOnce() -> T) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime")
        .block_on(async {
            tokio::time::advance(seconds(3600)).await;
            run()
        })
}

#[test]
fn b25_time_may_run_backwards_between_threads() {
    let breaker = CircuitBreaker::builder("backwards")
        .failure_rate(1.0)
        .window_time(seconds(60))
        .min_calls(1000)
        .build()
        .unwrap();
    an_hour_ahead(|| run(&breaker, "F"));
    run(&breaker, "FS");
    assert_eq!(counts(&breaker), (2, 1), "an hour ago");
    an_hour_ahead(|| {
        assert_eq!(counts(&breaker), (1, 1), "what is now");
        run(&breaker, "S");
        assert_eq!(counts(&breaker), (2, 1));
    });
    run(&breaker, "F");
    let totals = breaker.snapshot().totals;
    assert_eq!((totals.successes, totals.failures), (2, 3), "none is lost");
}

/// A log of transitions, as a hook sees them.
type Log = Arc<Mutex<Vec<(BreakerState, BreakerState)>>>;

fn logged(
    rules: impl FnOnce(error_runtime::CircuitBreakerBuilder) -> error_runtime::CircuitBreakerBuilder,
) -> (CircuitBreaker, ManualClock, Log) {
    let log = Log::default();
    let inside = Arc::clone(&log);
    let (breaker, clock) = build(|b| {
        rules(b).on_transition(move |event| {
            let Transition { from, to, .. } = event.transition;
            inside.lock().unwrap().push((from, to));
        })
    });
    (breaker, clock, log)
}

#[test]
fn b30_racing_failures_open_once() {
    for _ in 0..200 {
        let (breaker, _, log) = logged(|b| b.failures(2));
        race(2, |_| {
            run(&breaker, "F");
        });
        assert_eq!(breaker.state(), BreakerState::Open);
        assert_eq!(breaker.snapshot().totals.opened, 1);
        assert_eq!(log.lock().unwrap().len(), 1);
    }
    for _ in 0..200 {
        let (breaker, _) = build(|b| b.failures(2));
        run(&breaker, "F");
        race(2, |thread| {
            run(&breaker, if thread == 0 { "F" } else { "S" });
        });
        // One after the other: the success came first, or it was let in before the failure, or refused.
        let totals = breaker.snapshot().totals;
        assert_eq!(totals.failures, 2);
        assert_eq!(totals.successes + totals.stale + totals.rejected, 1);
        let opened = breaker.state() == BreakerState::Open;
        assert_eq!(totals.opened, u64::from(opened));
        assert!(opened || totals.successes == 1);
    }
}

// --- open: the wait ---

#[test]
fn b40_each_opening_lasts_twice_as_long_to_a_cap() {
    let (breaker, clock) = build(|b| {
        b.failures(1)
            .recovery(S)
            .recovery_factor(2.0)
            .recovery_max(seconds(10))
            .half_open(1)
    });
    for wait in [1, 2, 4, 8, 10, 10] {
        assert_eq!(run(&breaker, "F"), "F");
        assert_eq!(wait_of(&breaker), seconds(wait));
        clock.advance(seconds(wait));
    }
    assert_eq!(run(&breaker, "SF"), "SF");
    assert_eq!(wait_of(&breaker), S);
}

#[test]
fn b41_the_cap_holds_for_good_and_no_wait_overflows() {
    let (breaker, clock) = build(|b| {
        b.failures(1)
            .recovery(S)
            .recovery_factor(10.0)
            .recovery_max(seconds(300))
    });
    for opening in 0..100 {
        run(&breaker, "F");
        if opening > 2 {
            clock.advance(seconds(299));
            assert_eq!(run(&breaker, "S"), "R");
            clock.advance(S);
        } else {
            clock.advance(wait_of(&breaker));
        }
    }
    let hour = seconds(3600);
    let (breaker, clock) = build(|b| b.failures(1).recovery(hour).recovery_factor(1000.0));
    for hours in [1, 1000, 1_000_000] {
        run(&breaker, "F");
        assert_eq!(wait_of(&breaker), hour * hours);
        clock.advance(hour * hours);
    }
    run(&breaker, "F");
    assert!(
        wait_of(&breaker) > hour * 1_000_000,
        "584 years are the end"
    );
}

#[test]
fn b46_forced_open_outlasts_the_recovery() {
    let (breaker, clock) = build(|b| b.failures(1).recovery(S));
    run(&breaker, "F");
    breaker.force_open(None);
    clock.advance(seconds(2));
    assert_eq!(run(&breaker, "S"), "R");
    assert_eq!(breaker.state(), BreakerState::ForcedOpen);
}

/// The wall clock goes on; the injected one, which is all that counts, stands still.
#[test]
fn b48_the_wall_clock_opens_nothing() {
    let (breaker, clock) = build(|b| b.failures(1).recovery(millis(1)));
    run(&breaker, "F");
    let wall = SystemTime::now();
    while wall.elapsed().is_ok_and(|passed| passed < millis(2)) {
        std::thread::yield_now();
    }
    assert_eq!(run(&breaker, "S"), "R");
    clock.advance(millis(1));
    assert_eq!(run(&breaker, "S"), "S");
}

// --- half-open: probes ---

#[test]
fn b53_two_of_six_threads_probe() {
    // Of two probes one may have succeeded already.
    for (won, left) in [(0, 2), (1, 1)].repeat(50) {
        let (breaker, _) = half_open(2);
        run(&breaker, &"S".repeat(won));
        let (admitted, asked) = (Count::new(), std::sync::Barrier::new(6));
        race(6, |_| {
            let permit = breaker.try_acquire();
            if permit.is_ok() {
                admitted.up();
            }
            asked.wait();
        });
        assert_eq!(admitted.get(), left);
        let totals = breaker.snapshot().totals;
        assert_eq!((totals.rejected, totals.failures), (6 - u64::from(left), 1));
    }
}

#[test]
fn b59_a_failure_after_two_good_probes_reopens() {
    let (breaker, clock) = build(|b| {
        b.failure_rate(0.75)
            .window_calls(4)
            .min_calls(4)
            .recovery(S)
            .half_open(3)
    });
    assert_eq!(run(&breaker, "FFFFF"), "FFFFR");
    clock.advance(S);
    assert_eq!(run(&breaker, "SSFS"), "SSFR");
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[test]
fn b60_one_failed_probe_needs_no_volume() {
    let (breaker, clock) = rated(10, 2, 0.5);
    run(&breaker, "FF");
    assert_eq!(breaker.state(), BreakerState::Open);
    clock.advance(millis(1500));
    let probe = breaker.try_acquire().unwrap();
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    assert_eq!(counts(&breaker), (0, 0));
    probe.failure();
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[test]
fn b62_each_half_open_episode_has_its_own_probes() {
    let (breaker, clock) = half_open(1);
    for _ in 0..5 {
        assert_eq!(run(&breaker, "FS"), "FR");
        clock.advance(S);
    }
    assert_eq!(run(&breaker, "S"), "S");
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn b64_a_lost_probe_is_given_up_after_a_time() {
    let five = seconds(5);
    let (breaker, clock) = build(|b| {
        b.failures(1)
            .recovery(five)
            .half_open(2)
            .half_open_max(five)
    });
    run(&breaker, "F");
    clock.advance(five);
    let lost = breaker.try_acquire().unwrap();
    assert_eq!(run(&breaker, "S"), "S");
    clock.advance(millis(4999));
    assert_eq!(run(&breaker, "S"), "R");
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    clock.advance(millis(1));
    assert_eq!(run(&breaker, "S"), "R");
    assert_eq!(breaker.state(), BreakerState::Open);
    clock.advance(five);
    assert_eq!(run(&breaker, "SS"), "SS");
    assert_eq!(breaker.state(), BreakerState::Closed);
    drop(lost);
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn the_end_of_half_open_is_seen_in_the_snapshot() {
    let (breaker, clock) = build(|b| b.failures(1).recovery(S).half_open(2).half_open_max(S));
    run(&breaker, "F");
    clock.advance(S);
    let _lost = breaker.try_acquire().unwrap();
    assert!(breaker.snapshot().would_admit);
    clock.advance(S);
    assert!(!breaker.snapshot().would_admit);
    assert_eq!(run(&breaker, "S"), "R");
}

#[test]
fn b65_probes_that_are_never_heard_of_do_not_wedge() {
    let (breaker, clock) = half_open(1);
    for _ in 0..10 {
        let mut probe = Box::pin(breaker.call_async(std::future::pending::<Called>()));
        assert!(poll_once(&mut probe).is_pending());
        assert_eq!(run(&breaker, "S"), "R");
        drop(probe);
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        clock.advance(S);
    }
    assert_eq!(run(&breaker, "S"), "S");
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn b66_a_dropped_probe_makes_room_at_once() {
    let (breaker, _) = half_open(1);
    for _ in 0..50 {
        let mut probe = Box::pin(breaker.call_async(std::future::pending::<Called>()));
        assert!(poll_once(&mut probe).is_pending());
    }
    assert_eq!(breaker.snapshot().totals.ignored, 50);
    let early = |breaker: &CircuitBreaker| -> Result<(), Rejected> {
        let _permit = breaker.try_acquire()?;
        Err(Rejected::BulkheadFull)
    };
    assert_eq!(early(&breaker), Err(Rejected::BulkheadFull));
    assert_eq!(run(&breaker, "S"), "S");
}

#[test]
fn b74_a_full_bulkhead_takes_no_probe() {
    let (breaker, clock) = build(|b| b.failures(1).recovery(S).half_open(1));
    let bulkhead = Bulkhead::new(1).unwrap();
    let call = || breaker.call(|| bulkhead.call(|| Ok::<_, CallError>(())));
    let slot = bulkhead.try_acquire().unwrap();
    run(&breaker, "F");
    let open = call().unwrap_err();
    assert!(
        matches!(open, CallError::Rejected(Rejected::CircuitOpen(_))),
        "an open circuit is told first"
    );
    clock.advance(S);
    for _ in 0..3 {
        let full = call().unwrap_err();
        assert!(matches!(full, CallError::Rejected(Rejected::BulkheadFull)));
    }
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    drop(slot);
    call().unwrap();
    assert_eq!(breaker.state(), BreakerState::Closed);
}

// --- late results, cancellation, panics ---

#[test]
fn b75_a_late_success_does_not_close() {
    let (breaker, clock) = build(|b| b.failures(2).recovery(millis(20)).half_open(1));
    let late = breaker.try_acquire().unwrap();
    run(&breaker, "FF");
    clock.advance(millis(20));
    let probe = breaker.try_acquire().unwrap();
    late.success();
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    probe.failure();
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[test]
fn b78_a_call_from_before_the_opening_is_no_probe() {
    let (breaker, _) = build(|b| b.failures(2).recovery(Duration::ZERO).half_open(1));
    let (first, second) = (
        breaker.try_acquire().unwrap(),
        breaker.try_acquire().unwrap(),
    );
    first.failure();
    let before = breaker.try_acquire().unwrap();
    second.failure();
    before.success();
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[test]
fn b79_a_stale_failure_does_not_spoil_the_probe() {
    let (breaker, clock) = build(|b| b.failures(1).recovery(S).half_open(1));
    let stale = breaker.try_acquire().unwrap();
    run(&breaker, "F");
    clock.advance(S);
    let probe = breaker.try_acquire().unwrap();
    stale.failure();
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    probe.success();
    assert_eq!(breaker.state(), BreakerState::Closed);
    // And as threads that race.
    for _ in 0..100 {
        let (breaker, clock) = build(|b| b.failures(1).recovery(S).half_open(1));
        let stale = Mutex::new(Some(breaker.try_acquire().unwrap()));
        run(&breaker, "F");
        clock.advance(S);
        let probe = Mutex::new(Some(breaker.try_acquire().unwrap()));
        race(2, |thread| match thread {
            0 => stale.lock().unwrap().take().unwrap().failure(),
            _ => probe.lock().unwrap().take().unwrap().success(),
        });
        assert_eq!(breaker.state(), BreakerState::Closed);
        assert_eq!(breaker.snapshot().totals.stale, 1);
    }
}

#[test]
fn b81_a_probe_that_comes_too_late_is_ignored() {
    let (breaker, _) = half_open(1);
    let probe = breaker.try_acquire().unwrap();
    breaker.reset();
    probe.failure();
    assert_eq!(breaker.state(), BreakerState::Closed);
    let (breaker, _) = half_open(2);
    let (first, second) = (
        breaker.try_acquire().unwrap(),
        breaker.try_acquire().unwrap(),
    );
    first.failure();
    second.success();
    assert_eq!(breaker.state(), BreakerState::Open);
    assert_eq!(breaker.snapshot().totals.stale, 1);
}

#[test]
fn b82_an_old_permit_adds_no_probe() {
    let (breaker, clock) = build(|b| b.failures(1).recovery(S).half_open(2));
    let closed = breaker.try_acquire().unwrap();
    run(&breaker, "F");
    clock.advance(S);
    let (old, failing) = (
        breaker.try_acquire().unwrap(),
        breaker.try_acquire().unwrap(),
    );
    failing.failure();
    clock.advance(S);
    let _probes = (
        breaker.try_acquire().unwrap(),
        breaker.try_acquire().unwrap(),
    );
    drop(old);
    closed.ignore();
    assert!(breaker.try_acquire().is_err());
    assert_eq!(breaker.snapshot().totals.stale, 2);
}

#[test]
fn b83_abandoned_calls_are_neutral() {
    let (breaker, _) = rated(10, 3, 1.0);
    let abandon = || {
        let mut call = Box::pin(breaker.call_async(std::future::pending::<Called>()));
        assert!(poll_once(&mut call).is_pending());
    };
    (0..3).for_each(|_| abandon());
    assert_eq!(
        (breaker.state(), counts(&breaker)),
        (BreakerState::Closed, (0, 0))
    );
    run(&breaker, "S");
    (0..10).for_each(|_| abandon());
    assert_eq!(
        (breaker.state(), counts(&breaker)),
        (BreakerState::Closed, (1, 0))
    );
    drop(breaker.call_async(std::future::pending::<Called>()));
    assert_eq!(
        breaker.snapshot().totals.ignored,
        13,
        "never polled, never begun"
    );
}

#[test]
fn b84_panics_are_failures_of_calls_and_of_futures() {
    let (breaker, clock) = build(|b| b.failures(3).recovery(S).half_open(1));
    let panics = || {
        let mut future = Box::pin(breaker.call_async(async { panic!("a panic of the future") }));
        let polled: std::thread::Result<std::task::Poll<Called>> =
            quietly(|| catch_unwind(AssertUnwindSafe(|| poll_once(&mut future))));
        assert!(polled.is_err(), "it goes on unwinding");
    };
    (0..2).for_each(|_| panics());
    let call = AssertUnwindSafe(|| breaker.call(|| -> Called { panic!("a panic of the call") }));
    assert!(quietly(|| catch_unwind(call)).is_err());
    assert_eq!(breaker.state(), BreakerState::Open);
    clock.advance(S);
    panics();
    assert_eq!(breaker.state(), BreakerState::Open);
    clock.advance(S);
    assert_eq!(run(&breaker, "S"), "S", "the probe came back");
    assert_eq!(breaker.snapshot().totals.failures, 4);
}

#[test]
fn b85_callers_that_go_away_open_nothing() {
    let (breaker, _) = build(|b| b.failures(1));
    for _ in 0..100 {
        let mut call = Box::pin(breaker.call_async(std::future::pending::<Called>()));
        assert!(poll_once(&mut call).is_pending());
    }
    // The caller's own deadline, told apart by the error.
    run(&breaker, "IIII");
    assert_eq!(breaker.state(), BreakerState::Closed);
    let totals = breaker.snapshot().totals;
    assert_eq!((totals.ignored, totals.failures), (104, 0));
}

#[test]
fn b86_ignored_results_neither_block_nor_dilute() {
    let (breaker, _) = half_open(1);
    assert_eq!(run(&breaker, &"I".repeat(20)), "I".repeat(20));
    run(&breaker, "S");
    assert_eq!(breaker.state(), BreakerState::Closed);
    let (breaker, _) = rated(4, 2, 0.5);
    run(&breaker, "SIIIIIIII");
    assert_eq!(counts(&breaker), (1, 0));
    run(&breaker, "F");
    assert_eq!(breaker.state(), BreakerState::Open);
}

// --- classification ---

/// The source closes at a quarter of failed probes; here one failed probe reopens.
#[test]
fn b88_an_ignored_probe_is_given_again() {
    let (breaker, _) = half_open(4);
    assert_eq!(run(&breaker, "SSSI"), "SSSI");
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    assert!(breaker.snapshot().would_admit);
    run(&breaker, "F");
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[test]
fn b89_an_ignored_failure_does_not_end_the_streak() {
    let (breaker, _) = build(|b| b.failures(3));
    run(&breaker, "FFIF");
    assert_eq!(breaker.state(), BreakerState::Open);
    let (breaker, _) = half_open(1);
    run(&breaker, "I");
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    assert_eq!(run(&breaker, "F"), "F");
}

#[test]
fn b90_an_answer_is_a_success_and_a_neutral_error_is_none() {
    let (breaker, _) = half_open(1);
    run(&breaker, "I");
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    run(&breaker, "M");
    assert_eq!(breaker.state(), BreakerState::Closed);
}

/// Whether it counts is in the value.
#[derive(Debug)]
struct Marked(bool);

impl Classify for Marked {
    fn classify(&self) -> Classification {
        let outcome = if self.0 {
            Outcome::Trip
        } else {
            Outcome::Neutral
        };
        Classification::new(false, outcome)
    }
}

impl From<Rejected> for Marked {
    fn from(_: Rejected) -> Self {
        Self(false)
    }
}

#[test]
fn b91_each_error_decides_for_itself() {
    for (marks, state) in [(true, BreakerState::Open), (false, BreakerState::Closed)] {
        let (breaker, _) = build(|b| b.failures(2));
        for _ in 0..2 {
            let _ = breaker.call(|| Err::<(), _>(Marked(marks)));
        }
        assert_eq!(breaker.state(), state);
    }
}

#[test]
fn b92_what_is_declared_beats_the_status_and_the_cause_decides_if_nothing_is() {
    #[derive(Debug, ApiError)]
    enum Declared {
        #[api(status = 502, breaker = "ok")]
        Expected,
        #[api(status = 404, breaker = "trip")]
        Vanished,
        #[api(status = 400)]
        Undeclared,
        #[api(transparent)]
        Inner(#[from] CallError),
        #[api(transparent)]
        Rejected(#[from] Rejected),
    }
    let after = |make: fn() -> Declared| {
        let (breaker, _) = build(|b| b.failures(2));
        for _ in 0..2 {
            let _ = breaker.call(|| Err::<(), _>(make()));
        }
        breaker.state()
    };
    assert_eq!(after(|| Declared::Expected), BreakerState::Closed);
    assert_eq!(after(|| Declared::Vanished), BreakerState::Open);
    assert_eq!(after(|| Declared::Undeclared), BreakerState::Closed);
    assert_eq!(after(|| CallError::Down.into()), BreakerState::Open);
    assert_eq!(after(|| CallError::Missing.into()), BreakerState::Closed);
}

#[test]
fn b94_a_full_bulkhead_counts_only_if_asked_to() {
    let bulkhead = Bulkhead::new(1).unwrap();
    let _slot = bulkhead.try_acquire().unwrap();
    let refused = || bulkhead.call(|| Ok::<_, CallError>(()));
    let (breaker, _) = build(|b| b.failures(3));
    for _ in 0..10 {
        let _ = breaker.call(refused);
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
    for _ in 0..3 {
        let _ = breaker.call_when(refused, |result| match result {
            Ok(()) => Outcome::Ok,
            Err(_) => Outcome::Trip,
        });
    }
    assert_eq!(run(&breaker, "S"), "R");
}

#[test]
fn b95_errors_that_do_not_count_come_back_as_they_are() {
    let (breaker, _) = build(|b| b.failures(3));
    for _ in 0..5 {
        let result = breaker.call_when(fails, |_| Outcome::Neutral);
        assert!(matches!(result, Err(CallError::Down)));
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn b96_of_two_breakers_only_the_one_concerned_opens() {
    let on_down = |result: &Called| match result {
        Err(CallError::Down) => Outcome::Trip,
        _ => Outcome::Neutral,
    };
    let on_missing = |result: &Called| match result {
        Err(CallError::Missing) => Outcome::Trip,
        _ => Outcome::Neutral,
    };
    for swapped in [false, true] {
        let ((down, _), (missing, _)) = (build(|b| b.failures(2)), build(|b| b.failures(2)));
        for _ in 0..2 {
            let _ = if swapped {
                missing.call_when(|| down.call_when(fails, on_down), on_missing)
            } else {
                down.call_when(|| missing.call_when(fails, on_missing), on_down)
            };
        }
        assert_eq!(down.state(), BreakerState::Open);
        assert_eq!(missing.state(), BreakerState::Closed);
    }
}

#[test]
fn b97_a_success_may_be_a_failure() {
    let (breaker, _) = build(|b| b.failures(2));
    let call = |value: i32| {
        breaker.call_when(
            || Ok::<_, CallError>(value),
            |result| match result {
                Ok(value) if *value > 0 => Outcome::Trip,
                _ => Outcome::Ok,
            },
        )
    };
    assert_eq!(call(1).unwrap(), 1);
    assert_eq!(call(0).unwrap(), 0);
    assert_eq!(call(1).unwrap(), 1);
    assert_eq!(breaker.state(), BreakerState::Closed);
    assert_eq!(call(1).unwrap(), 1);
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[test]
fn b98_a_panicking_predicate_leaves_all_in_order() {
    let (breaker, clock) = build(|b| b.failures(2).recovery(S).half_open(1));
    let judged = || {
        let call =
            || breaker.call_when(fails, |_| -> Outcome { panic!("a panic of the predicate") });
        assert!(quietly(|| catch_unwind(AssertUnwindSafe(call))).is_err());
    };
    judged();
    assert_eq!(breaker.snapshot().totals.failures, 1);
    judged();
    assert_eq!(breaker.state(), BreakerState::Open);
    clock.advance(S);
    judged();
    clock.advance(S);
    assert_eq!(run(&breaker, "S"), "S", "the probe came back");
    assert_eq!(breaker.state(), BreakerState::Closed);
}

// --- commands, events, numbers ---

#[test]
fn b99_forced_open_stays() {
    let (breaker, clock) = build(|b| b.recovery(seconds(5)));
    breaker.force_open(None);
    assert_eq!(run(&breaker, "S"), "R");
    clock.advance(seconds(6));
    assert_eq!(run(&breaker, "S"), "R");
    assert_eq!(breaker.state(), BreakerState::ForcedOpen);
    assert_eq!(breaker.snapshot().totals.rejected, 2);
}

/// There is no command that makes a circuit half-open, so none can be given in the wrong state.
#[test]
fn b101_a_command_that_changes_nothing_is_no_event() {
    let (breaker, _, log) = logged(|b| b);
    breaker.reset();
    breaker.automatic();
    assert!(log.lock().unwrap().is_empty());
    breaker.disable();
    breaker.disable();
    breaker.force_open(None);
    breaker.force_open(None);
    assert_eq!(log.lock().unwrap().len(), 2);
}

#[test]
fn b102_reset_forgets_also_what_is_on_its_way() {
    let (breaker, _, log) = logged(|b| b.failures(1));
    let flying = breaker.try_acquire().unwrap();
    run(&breaker, "F");
    log.lock().unwrap().clear();
    breaker.reset();
    assert_eq!(
        *log.lock().unwrap(),
        [(BreakerState::Open, BreakerState::Closed)]
    );
    flying.failure();
    assert_eq!(
        (breaker.state(), counts(&breaker)),
        (BreakerState::Closed, (0, 0))
    );
    assert_eq!(breaker.snapshot().totals.stale, 1);
}

#[test]
fn b103_forced_open_never_runs_the_body() {
    let (breaker, clock) = build(|b| b.recovery(millis(1)));
    breaker.force_open(None);
    let ran = Count::new();
    for _ in 0..50 {
        let _ = breaker.call(|| {
            ran.up();
            Ok::<_, CallError>(())
        });
        clock.advance(millis(2));
    }
    assert_eq!(ran.get(), 0);
}

#[test]
fn b106_isolating_ends_by_closing() {
    let (breaker, _, log) = logged(|b| b.failures(1));
    breaker.force_open(None);
    assert_eq!(run(&breaker, "S"), "R");
    breaker.reset();
    assert_eq!(run(&breaker, "S"), "S");
    breaker.reset();
    assert_eq!(log.lock().unwrap().len(), 2);
}

#[test]
fn b107_events_follow_each_other_and_end_at_the_state() {
    for _ in 0..30 {
        let (breaker, _, log) = logged(|b| b.failures(1).recovery(Duration::ZERO).half_open(1));
        race(8, |thread| {
            for call in 0..200 {
                run(&breaker, if (call + thread) % 2 == 0 { "F" } else { "S" });
            }
        });
        let log = log.lock().unwrap();
        assert_eq!(log[0].0, BreakerState::Closed);
        for pair in log.windows(2) {
            assert_eq!(pair[0].1, pair[1].0, "one begins where the other ends");
            assert_ne!(pair[1].0, pair[1].1);
        }
        assert_eq!(log.last().unwrap().1, breaker.state());
    }
}

/// Thrown again when it is dropped.
struct Stubborn;

impl Drop for Stubborn {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "a panic of the payload");
    }
}

#[test]
fn b108_listeners_may_re_enter_and_panic() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let (place, inside) = (Arc::<OnceLock<CircuitBreaker>>::default(), Arc::clone(&log));
    let for_hook = Arc::clone(&place);
    let (breaker, _) = build(|b| {
        b.failures(1)
            .on_transition(|_| std::panic::panic_any(Stubborn))
            .on_transition(move |event| {
                let say = |text| inside.lock().unwrap().push(text);
                match event.transition.to {
                    BreakerState::Open => {
                        say("opened");
                        for_hook.get().unwrap().reset();
                        say("opened returned");
                    }
                    _ => say("closed"),
                }
            })
    });
    let breaker = place.get_or_init(|| breaker);
    for _ in 0..2 {
        let survived = quietly(|| catch_unwind(AssertUnwindSafe(|| run(breaker, "F"))));
        assert_eq!(survived.ok().as_deref(), Some("F"));
        assert_eq!(breaker.state(), BreakerState::Closed);
    }
    let once = ["opened", "opened returned", "closed"];
    assert_eq!(*log.lock().unwrap(), [once, once].concat());
}

#[test]
fn b110_a_life_in_events() {
    let (breaker, clock, log) = logged(|b| b.failures(2).recovery(seconds(60)).half_open(1));
    drop(breaker.try_acquire().unwrap());
    run(&breaker, "FF");
    clock.advance(seconds(3600));
    run(&breaker, "S");
    let (closed, open, half) = (
        BreakerState::Closed,
        BreakerState::Open,
        BreakerState::HalfOpen,
    );
    assert_eq!(
        *log.lock().unwrap(),
        [(closed, open), (open, half), (half, closed)]
    );
}

#[test]
fn b113_the_call_that_opens_returns_its_own_error() {
    let (breaker, _) = build(|b| b.failures(1));
    assert!(matches!(breaker.call(fails), Err(CallError::Down)));
    assert_eq!(run(&breaker, "S"), "R");
}

#[test]
fn b114_refusals_do_not_grow() {
    let (breaker, _) = build(|b| b.failures(1));
    run(&breaker, "F");
    let refusal = || {
        let refused = breaker.try_acquire().map(drop).unwrap_err();
        assert!(std::error::Error::source(&refused).is_none());
        format!("{refused} {refused:?}")
    };
    let first = refusal();
    for _ in 0..1000 {
        assert_eq!(refusal(), first);
    }
}
