//! Threads that meet in one breaker, in many orders of their atomic operations and locks.
//!
//! `tests/interleavings.sh` runs these; a failure prints a schedule that `shuttle::replay` repeats.

use std::sync::Arc;
use std::time::Duration;

use shuttle::thread;

use super::{BreakerState, CircuitBreaker, CircuitBreakerBuilder};
use crate::time::ManualClock;

const ORDERS: usize = 5_000;

fn breaker(
    rules: impl FnOnce(CircuitBreakerBuilder) -> CircuitBreakerBuilder,
) -> (Arc<CircuitBreaker>, ManualClock) {
    let clock = ManualClock::new();
    let builder = CircuitBreaker::builder("interleaved").clock(clock.clone());
    let breaker = rules(builder).build().expect("valid rules");
    (Arc::new(breaker), clock)
}

/// Tries random orders, then those with few switches between threads, which find other mistakes.
fn check(model: fn()) {
    shuttle::check_random(model, ORDERS);
    shuttle::check_pct(model, ORDERS, 3);
}

/// Each acquisition has ended in exactly one way.
fn assert_accounted(breaker: &CircuitBreaker, acquisitions: u64) {
    let totals = breaker.snapshot().totals;
    let ended =
        totals.successes + totals.failures + totals.ignored + totals.rejected + totals.stale;
    assert_eq!(ended, acquisitions, "{totals:?}");
}

#[test]
fn two_failures_at_the_threshold_open_once() {
    check(|| {
        let (breaker, _) = breaker(|b| b.failures(2));
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let breaker = Arc::clone(&breaker);
                thread::spawn(move || breaker.try_acquire().expect("closed").failure())
            })
            .collect();
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        assert_eq!(breaker.state(), BreakerState::Open);
        assert_eq!(breaker.snapshot().totals.opened, 1);
        assert_eq!(breaker.history().len(), 1);
        assert_accounted(&breaker, 2);
    });
}

#[test]
fn one_probe_is_claimed_by_one_thread() {
    check(|| {
        let (breaker, clock) = breaker(|b| b.failures(1).half_open(1));
        breaker.try_acquire().expect("closed").failure();
        clock.advance(Duration::from_secs(61));
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let breaker = Arc::clone(&breaker);
                thread::spawn(move || match breaker.try_acquire_owned() {
                    Ok(permit) => {
                        // Held until all have asked.
                        Some(permit)
                    }
                    Err(_) => None,
                })
            })
            .collect();
        let permits: Vec<_> = threads
            .into_iter()
            .filter_map(|thread| thread.join().unwrap())
            .collect();
        assert_eq!(permits.len(), 1);
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        drop(permits);
        assert!(breaker.try_acquire().is_ok(), "the probe came back");
        assert_accounted(&breaker, 5);
    });
}

#[test]
fn a_late_result_does_not_reach_beyond_a_reset() {
    check(|| {
        let (breaker, _) = breaker(|b| b.failures(1));
        let permit = breaker.try_acquire_owned().expect("closed");
        let late = thread::spawn(move || permit.failure());
        breaker.reset();
        late.join().unwrap();
        let totals = breaker.snapshot().totals;
        // It came before the reset and opened the circuit, which the reset closed; or it is stale.
        assert_eq!(breaker.state(), BreakerState::Closed);
        assert_eq!(
            (totals.failures, totals.stale),
            if totals.opened == 1 { (1, 0) } else { (0, 1) }
        );
    });
}

#[test]
fn a_transition_and_a_command_are_serialised() {
    check(|| {
        let (breaker, _) = breaker(|b| b.failures(1));
        let permit = breaker.try_acquire_owned().expect("closed");
        let failing = thread::spawn(move || permit.failure());
        let commanded = Arc::clone(&breaker);
        let command = thread::spawn(move || commanded.force_open(None));
        failing.join().unwrap();
        command.join().unwrap();
        // The command comes last or makes the failure stale; either way it stands.
        assert_eq!(breaker.state(), BreakerState::ForcedOpen);
        let states: Vec<_> = breaker.history().iter().map(|change| change.to).collect();
        let opened = [BreakerState::Open, BreakerState::ForcedOpen];
        assert!(states == opened || states == opened[1..], "{states:?}");
    });
}

#[test]
fn no_success_is_lost_between_threads_and_episodes() {
    check(|| {
        let (breaker, _) = breaker(|b| b.failure_rate(0.5).window_calls(4).min_calls(4));
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let breaker = Arc::clone(&breaker);
                thread::spawn(move || {
                    for _ in 0..3 {
                        if let Ok(permit) = breaker.try_acquire() {
                            permit.success();
                        }
                    }
                })
            })
            .collect();
        breaker.reset();
        // A reader in between sees a consistent set of counters, and disturbs none.
        let seen = breaker.snapshot().totals;
        assert!(seen.successes + seen.stale <= 6);
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        assert_accounted(&breaker, 6);
    });
}

#[test]
fn events_come_in_order_and_end_with_the_state() {
    check(|| {
        let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
        let events = Arc::clone(&seen);
        let (breaker, _) = breaker(|b| {
            b.failures(1).on_transition(move |event| {
                events
                    .lock()
                    .unwrap()
                    .push((event.transition.from, event.transition.to));
            })
        });
        let other = Arc::clone(&breaker);
        let failing = thread::spawn(move || {
            if let Ok(permit) = other.try_acquire() {
                permit.failure();
            }
        });
        breaker.reset();
        breaker.disable();
        failing.join().unwrap();
        let seen = seen.lock().unwrap();
        for pair in seen.windows(2) {
            assert_eq!(pair[0].1, pair[1].0, "{seen:?}");
        }
        assert_eq!(seen.last().map(|last| last.1), Some(breaker.state()));
    });
}
