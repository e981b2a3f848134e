//! The retry's scenarios. Time is a clock that the waits move.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, SystemTime};

use error_runtime::time::ManualClock;
use error_runtime::{
    ApiError as _, Classification, Classify, Jitter, Outcome, Rejected, RetryBudget, RetryPolicy,
    RetryPolicyBuilder, RetryStop, WithAttemptTimeout, retry,
};

use super::{Count, Error, Yield, millis, poll_once, race};
use crate::breaker::{S, seconds};

type Called = Result<(), Error>;

/// A policy without chance, and the clock that it moves.
fn policy(
    rules: impl FnOnce(RetryPolicyBuilder) -> RetryPolicyBuilder,
) -> (RetryPolicy, ManualClock) {
    let clock = ManualClock::new();
    let builder = RetryPolicy::builder()
        .jitter(Jitter::None)
        .clock(clock.clone());
    (rules(builder).build().expect("the rules are valid"), clock)
}

/// How many calls a policy makes of one that always fails.
fn calls(policy: &RetryPolicy, error: &Error) -> u32 {
    let calls = Count::new();
    let result = policy.call(|| {
        calls.up();
        Err::<(), _>(error.clone())
    });
    assert_eq!(result.as_ref(), Err(error), "the last error as it is");
    calls.get()
}

fn delays(rules: impl FnOnce(RetryPolicyBuilder) -> RetryPolicyBuilder) -> Vec<Duration> {
    policy(rules).0.delays().collect()
}

// --- attempts and stopping ---

#[test]
fn r01_without_retries_one_call() {
    let (policy, clock) = policy(|p| p.attempts(1));
    assert_eq!(calls(&policy, &Error::Busy), 1);
    assert_eq!(clock.now(), Duration::ZERO);
}

#[test]
fn r02_two_delays_are_three_calls() {
    let (policy, _) = policy(|p| p.attempts(3));
    assert_eq!(policy.delays().len(), 2);
    assert_eq!(calls(&policy, &Error::Busy), 3);
}

#[test]
fn r03_it_ends_with_the_first_success() {
    let (policy, _) = policy(|p| p.attempts(1000).base(Duration::ZERO));
    let calls = Count::new();
    let fourth = policy.call(|| match calls.up() {
        4 => Ok(4),
        _ => Err(Error::Busy),
    });
    assert_eq!((fourth, calls.get()), (Ok(4), 4));
}

#[test]
fn r04_it_ends_with_the_first_error_that_is_not_retryable() {
    let (policy, _) = policy(|p| p.attempts(10));
    let calls = Count::new();
    let (result, report) = policy.call_with_report(|| match calls.up() {
        3 => Err::<(), _>(Error::Missing),
        _ => Err(Error::Busy),
    });
    assert_eq!((result, calls.get()), (Err(Error::Missing), 3));
    assert_eq!(report.stop, RetryStop::NotRetryable);
}

#[test]
fn r05_three_attempts_by_default() {
    let (three, clock) = policy(|p| p.base(millis(500)).factor(1.0));
    assert_eq!(calls(&three, &Error::Busy), 3);
    assert_eq!(clock.now(), S);
    let (once, clock) = policy(|p| p.base(millis(500)).attempts(1));
    assert_eq!(calls(&once, &Error::Busy), 1);
    assert_eq!(clock.now(), Duration::ZERO);
}

#[test]
fn r06_no_attempts_are_refused() {
    let refused = RetryPolicy::builder().attempts(0).build().unwrap_err();
    assert_eq!(refused.key, "attempts");
}

#[test]
fn r07_an_error_that_is_not_retryable_comes_back_at_once() {
    let (policy, clock) = policy(|p| p.attempts(5));
    assert_eq!(calls(&policy, &Error::Missing), 1);
    assert_eq!(clock.now(), Duration::ZERO);
}

#[test]
fn r09_the_error_is_asked_before_the_attempts_are_counted() {
    let (policy, _) = policy(|p| p.attempts(3));
    let calls = Count::new();
    let (_, report) = policy.call_with_report(|| match calls.up() {
        3 => Err::<(), _>(Error::Missing),
        _ => Err(Error::Busy),
    });
    assert_eq!((report.attempts, report.stop), (3, RetryStop::NotRetryable));
}

#[retry(attempts = 4, base = "0s", on(Error::Busy | Error::Rejected(_)))]
fn on_busy(calls: &Count, error: &Error) -> Called {
    calls.up();
    Err(error.clone())
}

#[test]
fn r10_a_rejection_beats_the_pattern_and_the_rest_is_returned() {
    for (error, expected) in [
        (Error::Busy, 4),
        (Error::Later(None), 1),
        (Rejected::BulkheadFull.into(), 1),
        (Rejected::RateLimited.into(), 1),
        (Rejected::Timeout.into(), 4),
    ] {
        let calls = Count::new();
        assert_eq!(on_busy(&calls, &error), Err(error.clone()));
        assert_eq!(calls.get(), expected, "{error:?}");
    }
}

#[retry(attempts = 5, base = "0s", when = |_| true)]
fn always(calls: &Count) -> Called {
    calls.up();
    Err(Error::Missing)
}

#[test]
fn r11_whoever_says_again_is_tried_again() {
    let calls = Count::new();
    assert_eq!(always(&calls), Err(Error::Missing));
    assert_eq!(calls.get(), 5);
}

/// Attempts and deadline: either ends it.
#[test]
fn r13_the_first_of_two_limits_ends_it() {
    for (took, expected, stop) in [
        (millis(100), 4, RetryStop::Exhausted),
        (millis(300), 4, RetryStop::Exhausted),
        (millis(400), 3, RetryStop::Deadline),
        (millis(1800), 1, RetryStop::Deadline),
    ] {
        let (policy, clock) = policy(|p| p.attempts(4).deadline(S).base(Duration::ZERO));
        let (_, report) = policy.call_with_report(|| {
            clock.advance(took);
            Err::<(), _>(Error::Busy)
        });
        assert_eq!((report.attempts, report.stop), (expected, stop), "{took:?}");
    }
}

#[test]
fn r14_a_wait_that_would_reach_the_deadline_is_not_begun() {
    for (took, wait, expected) in [
        (millis(999), Duration::from_micros(100), 2),
        (S, millis(1), 1),
        (millis(999), millis(1), 1),
        (millis(999), Duration::ZERO, 2),
    ] {
        let (policy, clock) = policy(|p| p.attempts(2).deadline(S).base(wait));
        let calls = Count::new();
        let result = policy.call(|| {
            calls.up();
            clock.advance(took);
            Err::<(), _>(Error::Busy)
        });
        assert_eq!((result, calls.get()), (Err(Error::Busy), expected));
        assert!(expected == 2 || clock.now() == took, "it did not wait");
    }
}

#[test]
fn r15_each_call_begins_anew() {
    let (policy, clock) = policy(|p| p.attempts(3).deadline(seconds(5)));
    for call in 1..=3 {
        assert_eq!(calls(&policy, &Error::Busy), 3);
        assert_eq!(clock.now(), seconds(3) * call);
    }
}

#[test]
fn r16_interleaved_calls_count_for_themselves() {
    let (policy, _) = policy(|p| p.attempts(2));
    let log = Rc::new(RefCell::new(Vec::new()));
    let make = |name: char| {
        let (log, attempt) = (Rc::clone(&log), Cell::new(0));
        let policy = &policy;
        Box::pin(async move {
            policy
                .call_async_with_report(|| async {
                    attempt.set(attempt.get() + 1);
                    log.borrow_mut().push((name, attempt.get()));
                    Yield::default().await;
                    Err::<(), _>(Error::Busy)
                })
                .await
        })
    };
    let (mut a, mut b) = (make('a'), make('b'));
    let (mut ends, mut polls) = (Vec::new(), 0);
    while ends.len() < 2 {
        polls += 1;
        assert!(polls < 10);
        for future in [&mut a, &mut b] {
            if let Poll::Ready((_, report)) = poll_once(future) {
                ends.push((report.attempts, report.stop));
            }
        }
    }
    assert_eq!(ends, [(2, RetryStop::Exhausted); 2]);
    assert_eq!(
        *log.borrow(),
        [('a', 1), ('b', 1), ('a', 2), ('b', 2)],
        "in turn"
    );
}

#[test]
fn r18_nothing_begins_before_the_first_poll_nor_during_a_wait() {
    let (policy, clock) = policy(|p| p.attempts(3).base(S));
    let made = RefCell::new(Vec::new());
    let call = policy.call_async(|| {
        made.borrow_mut().push(clock.now());
        std::future::ready(Err::<(), _>(Error::Busy))
    });
    assert!(made.borrow().is_empty());
    let mut call = Box::pin(call);
    while poll_once(&mut call).is_pending() {}
    assert_eq!(*made.borrow(), [0, 1, 3].map(seconds));
}

// --- delays ---

#[test]
fn r19_delays_grow_to_a_cap() {
    assert_eq!(delays(|p| p.attempts(4)), [1, 2, 4].map(seconds));
    assert_eq!(
        delays(|p| p.attempts(4).factor(1.5)),
        [1000, 1500, 2250].map(millis)
    );
    assert_eq!(
        delays(|p| p.attempts(4).max(seconds(2))),
        [1, 2, 2].map(seconds)
    );
}

#[test]
fn r22_many_attempts_stay_at_the_cap() {
    for (base, factor) in [(seconds(10), 2.0), (Duration::from_nanos(1), 1000.0)] {
        let all = delays(|p| {
            p.attempts(100_000)
                .base(base)
                .factor(factor)
                .max(seconds(20))
        });
        assert_eq!(all.len(), 99_999);
        assert!(all.iter().all(|delay| *delay <= seconds(20)));
        assert_eq!(all.last(), Some(&seconds(20)));
    }
    let (endless, _) = policy(|p| p.attempts(u32::MAX));
    assert_eq!(endless.delays().nth(100), Some(seconds(60)));
}

#[test]
fn r23_no_sum_of_times_overflows() {
    let (policy, clock) = policy(|p| {
        p.attempts(5)
            .base(Duration::MAX)
            .max(Duration::MAX)
            .factor(1000.0)
    });
    assert_eq!(calls(&policy, &Error::Busy), 5);
    assert!(clock.now() > seconds(1 << 33));
    let all = delays(|p| {
        p.attempts(5)
            .max(Duration::MAX)
            .factor(1000.0)
            .deadline(Duration::MAX)
    });
    assert!(all.is_sorted());
    let (policy, _) = self::policy(|p| {
        p.base(Duration::MAX)
            .max(Duration::MAX)
            .deadline(Duration::MAX)
            .max_retry_after(Duration::MAX)
    });
    assert_eq!(calls(&policy, &Error::Later(Some(Duration::MAX))), 1);
}

#[test]
fn r24_a_factor_that_shrinks_is_refused() {
    for factor in [0.0, 0.5, -1.0, f64::NAN, f64::INFINITY, 1000.5] {
        let refused = RetryPolicy::builder().factor(factor).build().unwrap_err();
        assert_eq!(refused.key, "factor", "{factor}");
    }
    assert_eq!(
        delays(|p| p.attempts(4).factor(3.0)),
        [1, 3, 9].map(seconds)
    );
}

#[test]
fn r26_a_wait_of_nothing_is_no_wait() {
    // Neither runtime nor timer: a wait would leave it pending.
    let policy = RetryPolicy::builder().base(Duration::ZERO).build().unwrap();
    let calls = Count::new();
    let mut call = Box::pin(policy.call_async(|| async {
        calls.up();
        Err::<(), _>(Error::Busy)
    }));
    assert_eq!(poll_once(&mut call), Poll::Ready(Err(Error::Busy)));
    assert_eq!(calls.get(), 3);
}

#[test]
fn r27_after_the_last_attempt_no_wait_is_asked_for() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let (policy, clock) = policy(|p| {
        p.attempts(4)
            .base(millis(7))
            .factor(1.0)
            .on_retry(move |event| log.lock().unwrap().push(event.delay))
    });
    assert_eq!(calls(&policy, &Error::Busy), 4);
    assert_eq!(*seen.lock().unwrap(), [millis(7); 3]);
    assert_eq!(clock.now(), millis(21));
}

#[test]
fn r28_an_error_may_ask_for_its_own_wait() {
    let (policy, clock) = policy(|p| p.attempts(5).base(S).factor(1.0));
    let calls = Count::new();
    let asked = Error::Later(Some(millis(3500)));
    let _ = policy.call(|| match calls.up() {
        2 | 4 => Err::<(), _>(asked.clone()),
        // It names none: the default.
        3 => Err(Error::Later(None)),
        _ => Err(Error::Busy),
    });
    assert_eq!(calls.get(), 5);
    assert_eq!(clock.now(), millis(2 * 3500 + 2 * 1000));
}

// --- chance ---

/// Delays of 64 calls.
fn draws(
    rules: impl FnOnce(RetryPolicyBuilder) -> RetryPolicyBuilder,
) -> impl Iterator<Item = Vec<Duration>> {
    let (policy, _) = policy(|p| rules(p.seed(7)));
    (0..64).map(move |_| policy.delays().collect())
}

#[test]
fn r29_full_and_equal_jitter_stay_in_their_ranges() {
    let steps = [1, 2, 4].map(seconds);
    for delays in draws(|p| p.attempts(4).jitter(Jitter::Full)) {
        assert!(delays.iter().zip(steps).all(|(delay, step)| *delay <= step));
    }
    for delays in draws(|p| p.attempts(4).jitter(Jitter::Equal)) {
        let within = |(delay, step): (&Duration, Duration)| (step / 2..=step).contains(delay);
        assert!(delays.iter().zip(steps).all(within));
    }
    let first: Vec<_> = draws(|p| p.attempts(2).jitter(Jitter::Full)).collect();
    assert!(first.iter().any(|delays| delays[0] < millis(250)));
    assert!(first.iter().any(|delays| delays[0] > millis(750)));
}

#[test]
fn r30_decorrelated_jitter_follows_the_delay_before() {
    let base = millis(100);
    for delays in draws(|p| p.attempts(20).base(base).jitter(Jitter::Decorrelated)) {
        let mut before = base;
        for delay in delays {
            assert!(
                (base..=before * 3).contains(&delay),
                "{delay:?} after {before:?}"
            );
            before = delay;
        }
    }
    let capped = |p: RetryPolicyBuilder| {
        p.attempts(20)
            .base(base)
            .max(millis(150))
            .jitter(Jitter::Decorrelated)
    };
    let within = base..=millis(150);
    assert!(draws(capped).flatten().all(|delay| within.contains(&delay)));
}

#[test]
fn r32_no_jitter_goes_beyond_the_cap() {
    for jitter in [
        Jitter::Full,
        Jitter::Equal,
        Jitter::Decorrelated,
        Jitter::Ratio(1.0),
    ] {
        let all = draws(|p| p.attempts(10).max(seconds(2)).jitter(jitter));
        assert!(all.flatten().all(|delay| delay <= seconds(2)), "{jitter:?}");
    }
}

#[test]
fn r33_a_base_above_the_cap_is_refused() {
    let refused = RetryPolicy::builder()
        .base(seconds(10))
        .max(seconds(2))
        .build()
        .unwrap_err();
    assert_eq!(refused.key, "base");
}

#[test]
fn r34_a_seed_repeats_and_clones_differ() {
    let seeded = || RetryPolicy::builder().attempts(9).seed(42).build().unwrap();
    let sequence = |policy: &RetryPolicy| policy.delays().collect::<Vec<_>>();
    let (one, other) = (seeded(), seeded());
    let first = sequence(&one);
    assert_eq!(first, sequence(&other));
    assert_ne!(first, sequence(&one), "each call has its own");
    assert_ne!(sequence(&one.clone()), sequence(&one));
    let clones = (seeded(), seeded());
    assert_eq!(sequence(&clones.0.clone()), sequence(&clones.1.clone()));
    let unseeded = RetryPolicy::builder().attempts(9).build().unwrap();
    assert_ne!(sequence(&unseeded), sequence(&unseeded));
}

#[test]
fn r36_a_ratio_of_one_is_never_negative() {
    let all: Vec<_> = draws(|p| {
        p.attempts(9)
            .base(millis(400))
            .factor(1.0)
            .jitter(Jitter::Ratio(1.0))
    })
    .flatten()
    .collect();
    assert!(all.iter().all(|delay| *delay <= millis(800)));
    assert!(all.iter().any(|delay| *delay < millis(100)));
    assert!(all.iter().any(|delay| *delay > millis(700)));
    for ratio in [-0.1, 1.1, f64::NAN] {
        let jitter = Jitter::Ratio(ratio);
        let refused = RetryPolicy::builder().jitter(jitter).build().unwrap_err();
        assert_eq!(refused.key, "jitter");
    }
}

#[test]
fn r37_decorrelated_jitter_stays_sane_for_long() {
    let all = delays(|p| {
        p.attempts(100_000)
            .base(millis(1))
            .max(seconds(60))
            .jitter(Jitter::Decorrelated)
    });
    let sane = millis(1)..=seconds(60);
    assert!(all.iter().all(|delay| sane.contains(delay)));
    assert!(all[99_000..].iter().any(|delay| *delay != all[0]));
}

// --- limits of time ---

#[test]
fn r39_an_attempt_beyond_the_deadline_is_the_last() {
    let (policy, clock) = policy(|p| p.deadline(millis(5)).base(Duration::ZERO));
    let calls = Count::new();
    let _ = policy.call(|| {
        calls.up();
        clock.advance(millis(10));
        Err::<(), _>(Error::Busy)
    });
    assert_eq!((calls.get(), clock.now()), (1, millis(10)));
    let refused = RetryPolicy::builder().deadline(Duration::ZERO).build();
    assert_eq!(refused.unwrap_err().key, "deadline");
}

#[test]
fn r40_the_deadline_counts_from_the_call_and_takes_in_the_attempts() {
    let (idle, clock) = policy(|p| p.deadline(S).base(millis(10)));
    clock.advance(seconds(3600));
    assert_eq!(calls(&idle, &Error::Busy), 3);
    let (policy, clock) = policy(|p| p.attempts(100).deadline(millis(10)).base(millis(1)));
    let calls = Count::new();
    let _ = policy.call(|| {
        calls.up();
        clock.advance(millis(50));
        Err::<(), _>(Error::Busy)
    });
    assert_eq!(calls.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn r42_an_attempt_gets_its_own_limit_or_what_is_left() {
    let policy: RetryPolicy<WithAttemptTimeout> = RetryPolicy::builder()
        .attempts(10)
        .base(Duration::ZERO)
        .attempt_timeout(S)
        .deadline(millis(2500))
        .build()
        .unwrap();
    let started = RefCell::new(Vec::new());
    let begin = tokio::time::Instant::now();
    let (result, report) = policy
        .call_async_with_report(|| {
            started.borrow_mut().push(begin.elapsed());
            std::future::pending::<Called>()
        })
        .await;
    assert_eq!(result, Err(Rejected::Timeout.into()));
    assert_eq!((report.attempts, report.stop), (3, RetryStop::Deadline));
    assert_eq!(*started.borrow(), [0, 1, 2].map(seconds));
    assert_eq!(begin.elapsed(), millis(2500));
}

#[test]
fn r43_of_many_attempts_the_deadline_leaves_ten() {
    let (policy, clock) = policy(|p| p.attempts(91).deadline(S).base(millis(100)).factor(1.0));
    let (_, report) = policy.call_with_report(|| Err::<(), _>(Error::Busy));
    assert_eq!((report.attempts, report.stop), (10, RetryStop::Deadline));
    assert_eq!(clock.now(), millis(900));
}

#[test]
fn r44_the_wall_clock_does_not_count() {
    let (policy, _) = policy(|p| p.deadline(millis(1)).base(Duration::ZERO));
    let calls = Count::new();
    let _ = policy.call(|| {
        calls.up();
        let wall = SystemTime::now();
        while wall.elapsed().is_ok_and(|passed| passed < millis(2)) {
            std::thread::yield_now();
        }
        Err::<(), _>(Error::Busy)
    });
    assert_eq!(calls.get(), 3);
}

// --- what the service asks for ---

#[test]
fn r45_a_hint_raises_the_delay_to_a_limit() {
    let waited = |hint: Duration| {
        let (policy, clock) = policy(|p| {
            p.attempts(2)
                .base(millis(50))
                .max(seconds(2))
                .max_retry_after(seconds(5))
        });
        let calls = calls(&policy, &Error::Later(Some(hint)));
        (calls, clock.now())
    };
    assert_eq!(waited(seconds(3)), (2, seconds(3)), "above `max`");
    assert_eq!(waited(millis(10)), (2, millis(50)), "never shorter");
    assert_eq!(waited(seconds(5)), (2, seconds(5)), "the limit itself");
    assert_eq!(
        waited(seconds(10)),
        (1, Duration::ZERO),
        "no use in coming early"
    );
    let (by_max, _) = policy(|p| p.max(seconds(20)));
    assert_eq!(calls(&by_max, &Error::Later(Some(seconds(30)))), 1);
    assert_eq!(calls(&by_max, &Error::Later(Some(seconds(20)))), 3);
}

#[test]
fn r46_hints_do_not_outlast_the_deadline() {
    let (policy, clock) = policy(|p| p.attempts(1000).base(Duration::ZERO).deadline(millis(10)));
    assert_eq!(calls(&policy, &Error::Later(Some(millis(3)))), 4);
    assert_eq!(clock.now(), millis(9));
}

#[test]
fn r48_a_hint_beyond_the_time_left_ends_it_at_once() {
    for (hint, stop) in [
        (seconds(3600), RetryStop::RetryAfter),
        (seconds(30), RetryStop::Deadline),
    ] {
        let (policy, clock) = policy(|p| p.deadline(seconds(20)));
        let (result, report) = policy.call_with_report(|| Err::<(), _>(Error::Later(Some(hint))));
        assert_eq!((report.attempts, report.stop), (1, stop));
        assert_eq!(clock.now(), Duration::ZERO);
        assert_eq!(result.unwrap_err().retry_after(), Some(hint));
    }
}

// --- hooks, reports, nesting ---

#[test]
fn r49_the_hook_comes_between_the_attempt_and_the_wait() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let (clock, hook) = (ManualClock::new(), Arc::clone(&log));
    let in_hook = clock.clone();
    let policy = RetryPolicy::builder()
        .operation("scenarios-r49")
        .jitter(Jitter::None)
        .clock(clock.clone())
        .on_retry(move |event| {
            assert_eq!(event.operation, "scenarios-r49");
            assert_eq!(event.code, Some("BUSY"));
            let line = format!("{} failed", event.attempt);
            hook.lock().unwrap().push((line, in_hook.now()));
        })
        .build()
        .unwrap();
    let calls = Count::new();
    let _ = policy.call(|| {
        let line = format!("{} begins", calls.up());
        log.lock().unwrap().push((line, clock.now()));
        Err::<(), _>(Error::Busy)
    });
    let expected = [
        ("1 begins", 0),
        ("1 failed", 0),
        ("2 begins", 1),
        ("2 failed", 1),
        ("3 begins", 3),
    ];
    let expected = expected.map(|(line, at)| (line.to_owned(), seconds(at)));
    assert_eq!(*log.lock().unwrap(), expected);
}

#[test]
fn r50_the_report_says_how_it_went() {
    let report = |rules: fn(RetryPolicyBuilder) -> RetryPolicyBuilder, error: Option<Error>| {
        let (policy, _) = policy(rules);
        let calls = Count::new();
        let (_, report) = policy.call_with_report(|| match (calls.up(), &error) {
            (2, None) => Ok(()),
            (_, None) => Err(Error::Busy),
            (_, Some(error)) => Err(error.clone()),
        });
        (report.attempts, report.waited, report.stop.as_str())
    };
    let (busy, none) = (Some(Error::Busy), Duration::ZERO);
    assert_eq!(report(|p| p, None), (2, S, "succeeded"));
    assert_eq!(report(|p| p, busy.clone()), (3, seconds(3), "exhausted"));
    assert_eq!(
        report(|p| p, Some(Error::Missing)),
        (1, none, "not_retryable")
    );
    assert_eq!(
        report(|p| p, Some(Rejected::RateLimited.into())),
        (1, none, "rejected")
    );
    assert_eq!(
        report(|p| p.deadline(S), busy.clone()),
        (1, none, "deadline")
    );
    assert_eq!(
        report(|p| p, Some(Error::Later(Some(seconds(61))))),
        (1, none, "retry_after")
    );
    let broke = |p: RetryPolicyBuilder| p.budget(RetryBudget::tokens(1, 1).unwrap());
    assert_eq!(report(broke, busy), (2, S, "budget"));
    let (outer, _) = policy(|p| p.attempts(1));
    let (inner, _) = policy(|p| p);
    let nested = outer.call(|| {
        let (result, report) = inner.call_with_report(|| Err::<(), _>(Error::Busy));
        assert_eq!((report.attempts, report.stop.as_str()), (1, "nested"));
        result
    });
    assert_eq!(nested, Err(Error::Busy));
}

#[test]
fn r51_neither_success_nor_the_end_is_announced() {
    let told = Arc::new(Count::new());
    let hook = Arc::clone(&told);
    let (policy, _) = policy(|p| {
        p.attempts(4).on_retry(move |_| {
            hook.up();
        })
    });
    let calls = Count::new();
    let fourth = policy.call(|| {
        let call = calls.up();
        assert_eq!(told.get(), call - 1, "before each attempt but the first");
        if call == 4 { Ok(()) } else { Err(Error::Busy) }
    });
    assert_eq!((fourth, told.get()), (Ok(()), 3));
    let _ = policy.call(|| Ok::<_, Error>(()));
    assert_eq!(told.get(), 3);
    assert_eq!(self::calls(&policy, &Error::Missing), 1);
    assert_eq!(told.get(), 3);
}

/// An error that is counted while it lives.
struct Living<'c>(&'c Cell<u32>);

impl<'c> Living<'c> {
    fn new(count: &'c Cell<u32>) -> Self {
        count.set(count.get() + 1);
        Self(count)
    }
}

impl Drop for Living<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Classify for Living<'_> {
    fn classify(&self) -> Classification {
        Classification::new(true, Outcome::Trip)
    }
}

#[test]
fn r53_the_result_of_an_attempt_is_gone_before_the_next() {
    let (policy, _) = policy(|p| p.attempts(5));
    let living = Cell::new(0);
    let last = policy.call(|| {
        assert_eq!(living.get(), 0);
        Err::<(), _>(Living::new(&living))
    });
    assert_eq!(living.get(), 1);
    drop(last);
    let mut call = Box::pin(policy.call_async(|| {
        assert_eq!(living.get(), 0);
        let living = &living;
        async move { Err::<(), _>(Living::new(living)) }
    }));
    while poll_once(&mut call).is_pending() {}
    assert_eq!(living.get(), 0, "the last went with the result");
}

#[test]
fn r54_a_retry_in_a_retry_runs_once() {
    let (outer, _) = policy(|p| p.attempts(10));
    let (inner, _) = policy(|p| p.attempts(2));
    let calls = Count::new();
    let sixth = || {
        if calls.up() > 5 {
            Ok(())
        } else {
            Err(Error::Busy)
        }
    };
    let (result, report) = outer.call_with_report(|| inner.call(sixth));
    assert_eq!((result, calls.get(), report.attempts), (Ok(()), 6, 6));

    let calls = Count::new();
    let (outer, _) = policy(|p| p.attempts(3));
    let (multiplied, _) = policy(|p| p.attempts(4).nested(true));
    let _ = outer.call(|| {
        multiplied.call(|| {
            calls.up();
            Err::<(), _>(Error::Busy)
        })
    });
    assert_eq!(calls.get(), 12, "as told");

    let calls = Count::new();
    let future = outer.call_async(|| {
        inner.call_async(|| async {
            calls.up();
            Yield::default().await;
            Err::<(), _>(Error::Busy)
        })
    });
    let mut future = pin!(Box::pin(future));
    while poll_once(&mut future).is_pending() {
        // Between the polls nothing is inside an attempt.
        let alone = Count::new();
        let _ = inner.call(|| {
            alone.up();
            Err::<(), _>(Error::Busy)
        });
        assert_eq!(alone.get(), 2);
    }
    assert_eq!(calls.get(), 3);
}

#[test]
fn r57_threads_that_share_a_policy_count_for_themselves() {
    let policy = RetryPolicy::builder()
        .attempts(3)
        .base(Duration::ZERO)
        .build()
        .unwrap();
    race(8, |thread| {
        for _ in 0..100 {
            let calls = Count::new();
            let (_, report) = policy.call_with_report(|| {
                if calls.up() > 2 && thread % 2 == 0 {
                    Ok(())
                } else {
                    Err(Error::Busy)
                }
            });
            let stop = if thread % 2 == 0 {
                RetryStop::Succeeded
            } else {
                RetryStop::Exhausted
            };
            assert_eq!((report.attempts, report.stop), (3, stop));
        }
    });
}
