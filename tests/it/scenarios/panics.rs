//! A panic of the user's code goes on unwinding and leaves nothing taken: no slot, no probe, no token,
//! and no mark that an attempt runs.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use error_runtime::{
    BreakerState, Breakers, Classification, Classify, Outcome, Rejected, RetryBudget, RetryEvent,
    RetryPolicy, bulkhead, circuit_breaker, fallback, retry,
};

use super::{Count, Error, Yield, poll_once};
use crate::breaker::{S, build, run};
use crate::support::quietly;

/// Where it panics.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Nowhere,
    FirstAttempt,
    SecondAttempt,
    RetryWhen,
    BreakerWhen,
    Hook,
    Fallback,
}

impl Place {
    fn panics_if(self, here: Self) {
        assert!(self != here, "a panic in {here:?}");
    }
}

thread_local! {
    static IN_HOOK: Cell<Place> = const { Cell::new(Place::Nowhere) };
}

fn hook(_: &RetryEvent<'_>) {
    IN_HOOK.get().panics_if(Place::Hook);
}

fn retryable(place: Place) -> bool {
    place.panics_if(Place::RetryWhen);
    true
}

fn counted(place: Place, result: &Result<(), Error>) -> Outcome {
    place.panics_if(Place::BreakerWhen);
    match result {
        Ok(()) => Outcome::Ok,
        Err(_) => Outcome::Trip,
    }
}

fn instead(place: Place, error: Error) -> Result<(), Error> {
    place.panics_if(Place::Fallback);
    Err(error)
}

/// Fails at first; later only if a panic is to follow all attempts.
fn body(place: Place, calls: &Count) -> Result<(), Error> {
    match calls.up() {
        1 => {
            place.panics_if(Place::FirstAttempt);
            Err(Error::Busy)
        }
        _ => {
            place.panics_if(Place::SecondAttempt);
            if place == Place::Fallback {
                Err(Error::Busy)
            } else {
                Ok(())
            }
        }
    }
}

#[fallback(instead(place, error))]
#[retry(
    attempts = 2,
    base = "0s",
    budget = "scenarios-panics",
    on_retry = hook,
    when = |_| retryable(place)
)]
#[circuit_breaker(
    service = "scenarios-panics",
    failures = 1_000_000,
    when = |result| counted(place, result)
)]
#[bulkhead(max = 1)]
fn guarded(place: Place, calls: &Count) -> Result<(), Error> {
    body(place, calls)
}

#[fallback(instead(place, error))]
#[retry(
    attempts = 2,
    base = "0s",
    budget = "scenarios-panics-later",
    on_retry = hook,
    when = |_| retryable(place)
)]
#[circuit_breaker(
    service = "scenarios-panics-later",
    failures = 1_000_000,
    when = |result| counted(place, result)
)]
#[bulkhead(max = 1)]
async fn guarded_later(place: Place, calls: &Count) -> Result<(), Error> {
    Yield::default().await;
    body(place, calls)
}

fn polled_to_the_end(place: Place, calls: &Count) -> Result<(), Error> {
    let mut call = Box::pin(guarded_later(place, calls));
    loop {
        if let std::task::Poll::Ready(result) = poll_once(&mut call) {
            return result;
        }
    }
}

type Call = fn(Place, &Count) -> Result<(), Error>;

/// Runs a call; gives back the attempts, the failures of the breaker and the tokens spent.
fn observe(name: &str, call: Call, place: Place) -> (bool, u32, u64, u64) {
    let (budget, breaker) = (
        RetryBudget::named(name),
        Breakers::global().get(name).expect("registered"),
    );
    let (before, calls) = (breaker.snapshot().totals, Count::new());
    let tokens = budget.available();
    IN_HOOK.set(place);
    let ended = quietly(|| catch_unwind(AssertUnwindSafe(|| call(place, &calls))));
    IN_HOOK.set(Place::Nowhere);
    let after = breaker.snapshot().totals;
    let attempts = u64::from(calls.get());
    let ended_before = before.successes + before.failures;
    assert_eq!(
        after.successes + after.failures,
        ended_before + attempts,
        "{place:?}: each attempt is accounted for"
    );
    (
        ended.is_err(),
        calls.get(),
        after.failures - before.failures,
        tokens - budget.available(),
    )
}

#[test]
fn wherever_it_panics_all_is_given_back() {
    let calls: [(&str, Call); 2] = [
        ("scenarios-panics", guarded),
        ("scenarios-panics-later", polled_to_the_end),
    ];
    for (name, call) in calls {
        let budget = RetryBudget::tokens(1000, 7).unwrap();
        assert!(budget.register(name));
        assert_eq!(call(Place::Nowhere, &Count::new()), Ok(()));
        for (place, panics, attempts, failures, spent) in [
            (Place::FirstAttempt, true, 1, 1, 0),
            (Place::SecondAttempt, true, 2, 2, 0),
            (Place::RetryWhen, true, 1, 1, 0),
            (Place::BreakerWhen, true, 1, 1, 0),
            (Place::Hook, false, 2, 1, 0),
            // Both attempts have failed by then, so the token is spent.
            (Place::Fallback, true, 2, 2, 7),
        ] {
            let seen = observe(name, call, place);
            assert_eq!(
                seen,
                (panics, attempts, failures, spent),
                "{name} {place:?}"
            );
            // The slot is free, and the next call is retried: it is in no attempt.
            assert_eq!(call(Place::Nowhere, &Count::new()), Ok(()), "{place:?}");
        }
    }
}

/// An error that cannot be asked.
#[derive(Debug)]
struct Unspeakable;

impl Classify for Unspeakable {
    fn classify(&self) -> Classification {
        panic!("a panic of the classification")
    }
}

impl From<Rejected> for Unspeakable {
    fn from(_: Rejected) -> Self {
        Self
    }
}

#[test]
fn an_error_that_cannot_be_asked_leaves_all_in_order() {
    let budget = RetryBudget::tokens(10, 1).unwrap();
    let policy = RetryPolicy::builder().budget(&budget).build().unwrap();
    let (breaker, clock) = build(|b| b.failures(2).recovery(S).half_open(1));
    let fails = || breaker.call(|| Err::<(), _>(Unspeakable));
    let asked = || quietly(|| catch_unwind(AssertUnwindSafe(|| policy.call(fails)))).is_err();
    assert!(asked() && asked());
    assert_eq!(breaker.state(), BreakerState::Open);
    clock.advance(S);
    assert!(asked(), "as a probe");
    clock.advance(S);
    assert_eq!(run(&breaker, "S"), "S");
    let alone = || policy.call(|| Err::<(), _>(Unspeakable));
    assert!(quietly(|| catch_unwind(AssertUnwindSafe(alone))).is_err());
    assert_eq!(budget.available(), 10);
    let calls = Count::new();
    let retried = RetryPolicy::builder()
        .base(std::time::Duration::ZERO)
        .build()
        .unwrap()
        .call(|| {
            calls.up();
            Err::<(), _>(Error::Busy)
        });
    assert_eq!((retried, calls.get()), (Err(Error::Busy), 3));
}
