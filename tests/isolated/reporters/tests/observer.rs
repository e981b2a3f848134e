//! What an observer is told, call by call.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use error_runtime::{
    AnyError, CallEvent, CircuitBreaker, Classify as _, Observer, RetriedEvent, RetryEvent,
    RetryPolicy, StatusCode, TransitionEvent, add_observer,
};
use isolated_reporters::ShopError;

#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Notes {
    fn add(&self, note: String) {
        self.0.lock().unwrap().push(note);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Observer for Notes {
    fn admitted(&self, event: &CallEvent<'_>) {
        self.add(format!("{} admitted", event.service));
    }

    fn rejected(&self, event: &CallEvent<'_>) {
        self.add(format!("{} rejected", event.service));
    }

    fn success(&self, event: &CallEvent<'_>) {
        self.add(format!("{} success", event.service));
    }

    fn failure(&self, event: &CallEvent<'_>) {
        let code = event.code.unwrap_or("none");
        self.add(format!("{} failure {code}", event.service));
    }

    fn slow(&self, event: &CallEvent<'_>) {
        self.add(format!("{} slow", event.service));
    }

    fn transition(&self, event: &TransitionEvent) {
        let transition = event.transition;
        self.add(format!("{} {}", event.service, transition.to.as_str()));
    }

    fn retry(&self, event: &RetryEvent<'_>) {
        self.add(format!("{} retry {}", event.operation, event.attempt));
    }

    fn exhausted(&self, event: &RetriedEvent<'_>) {
        self.add(format!("{} exhausted", event.operation));
    }

    fn retried(&self, event: &RetriedEvent<'_>) {
        let result = event.result.as_str();
        self.add(format!("{} {result} {}", event.operation, event.attempts));
    }
}

fn ok() -> Result<(), ShopError> {
    Ok(())
}

fn flaky() -> Result<(), ShopError> {
    Err(ShopError::Flaky)
}

/// Uses a breaker itself, which is not told or there would be no end.
struct Shipping(CircuitBreaker);

impl Observer for Shipping {
    fn success(&self, _: &CallEvent<'_>) {
        self.0.call(ok).unwrap();
    }
}

/// One test, since observers are the process's.
#[test]
fn every_event_of_breakers_and_retries() {
    let notes = Arc::new(Notes::default());
    add_observer(Arc::clone(&notes));
    add_observer(Shipping(
        CircuitBreaker::builder("shipping").build().unwrap(),
    ));
    let breaker = |slow: Duration| {
        CircuitBreaker::builder("stripe")
            .failures(1)
            .slow_call(slow)
            .recovery(Duration::from_secs(3600))
            .build()
            .unwrap()
    };

    let quick = breaker(Duration::from_secs(3600));
    quick.call(ok).unwrap();
    assert_eq!(notes.take(), ["stripe admitted", "stripe success"]);
    // A result from before a reset is the breaker's no more, and nobody's news.
    let late = quick.try_acquire().unwrap();
    quick.reset();
    late.success();
    let told = notes.take();
    assert!(!told.contains(&"stripe success".to_owned()), "{told:?}");
    quick.call(flaky).unwrap_err();
    quick.call(ok).unwrap_err();
    let told = notes.take();
    for note in [
        "stripe admitted",
        "stripe failure FLAKY",
        "stripe open",
        "stripe rejected",
    ] {
        let count = told.iter().filter(|told| *told == note).count();
        assert_eq!(count, 1, "{note} in {told:?}");
    }

    let slow = breaker(Duration::from_nanos(1));
    slow.call(|| {
        std::hint::black_box(vec![0_u8; 1 << 20]);
        ok()
    })
    .unwrap();
    let told = notes.take();
    assert_eq!(told, ["stripe admitted", "stripe slow", "stripe success"]);

    let unnamed = breaker(Duration::from_secs(3600));
    let made = || AnyError::new(StatusCode::SERVICE_UNAVAILABLE, "GATEWAY_DOWN", "down");
    let judged = unnamed.call_when(flaky, |_| made().classify());
    judged.unwrap_err();
    assert!(
        notes
            .take()
            .contains(&"stripe failure GATEWAY_DOWN".to_owned())
    );

    let policy = RetryPolicy::builder()
        .operation("charge")
        .attempts(2)
        .base(Duration::ZERO)
        .build()
        .unwrap();
    policy.call(ok).unwrap();
    assert_eq!(notes.take(), ["charge first_try 1"]);
    let mut left = 1;
    let second = || {
        left -= 1;
        if left < 0 { ok() } else { flaky() }
    };
    policy.call(second).unwrap();
    assert_eq!(notes.take(), ["charge retry 1", "charge after_retry 2"]);
    policy.call(flaky).unwrap_err();
    assert_eq!(
        notes.take(),
        ["charge retry 1", "charge exhausted", "charge exhausted 2"]
    );
    policy.call(|| Err::<(), _>(ShopError::Quiet)).unwrap_err();
    assert_eq!(notes.take(), ["charge not_retryable 1"]);
}
