//! All breakers by name, and what an operator does to them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use error_runtime::time::ManualClock;
use error_runtime::{BreakerState, Breakers, CircuitBreaker, CircuitBreakerBuilder, Rejected};

use super::{Error, race};
use crate::breaker::{S, build, run, seconds};

fn named(
    name: &str,
    rules: impl FnOnce(CircuitBreakerBuilder) -> CircuitBreakerBuilder,
) -> CircuitBreaker {
    rules(CircuitBreaker::builder(name.to_owned()))
        .build()
        .expect("the rules are valid")
}

#[test]
fn a02_the_first_of_a_name_stays_and_a_difference_is_told() {
    let breakers = Breakers::default();
    let first = breakers.register(named("a", |b| b.failures(3).recovery(S)));
    let same = breakers.register(named("a", |b| b.failures(3)));
    assert!(std::ptr::eq(&raw const *first, &raw const *same));
    assert!(breakers.mismatches().is_empty(), "what is left out matches");
    let second = breakers.register(named("a", |b| b.failures(4).recovery(seconds(2))));
    assert!(std::ptr::eq(&raw const *first, &raw const *second));
    run(&second, "FFF");
    assert_eq!(
        first.state(),
        BreakerState::Open,
        "the first rules are in force"
    );
    let mismatches = breakers.mismatches();
    assert_eq!(mismatches.len(), 1);
    assert_eq!(mismatches[0].name, "a");
    assert_eq!(mismatches[0].keys, ["failures", "recovery"]);
}

#[test]
fn a_window_of_calls_differs_from_one_of_time() {
    let breakers = Breakers::default();
    let _ = breakers.register(named("a", |b| b.failure_rate(0.5).window_calls(60)));
    let _ = breakers.register(named("a", |b| b.failure_rate(0.5)));
    assert!(breakers.mismatches().is_empty());
    let _ = breakers.register(named("a", |b| b.failure_rate(0.5).window_time(seconds(60))));
    assert_eq!(breakers.mismatches()[0].keys, ["window"]);
}

#[test]
fn a03_names_are_apart_and_clones_are_one() {
    let breakers = Breakers::default();
    let a = breakers.register(named("a", |b| b.failures(1)));
    let b = breakers.register(named("b", |b| b.failures(1)));
    let clone = a.clone();
    run(&clone, "F");
    assert_eq!(a.state(), BreakerState::Open);
    assert_eq!(breakers.get("a").unwrap().state(), BreakerState::Open);
    assert_eq!(b.state(), BreakerState::Closed);
    let names: Vec<_> = breakers
        .iter()
        .map(|breaker| breaker.name().to_owned())
        .collect();
    assert_eq!(names, ["a", "b"]);
}

/// The limit of the registry.
const CAPACITY: usize = 100_000;

#[test]
fn a04_only_what_is_idle_makes_room() {
    let breakers = Breakers::default();
    // In the order in which one to go is looked for.
    drop(breakers.register(named("0 open", |b| b.failures(1))));
    drop(breakers.register(named("1 streak", |b| b.failures(2))));
    drop(breakers.register(named("2 window", |b| b.failure_rate(0.9))));
    for name in ["0 open", "1 streak", "2 window"] {
        run(&breakers.get(name).unwrap(), "F");
    }
    let held = breakers.register(named("3 held", |b| b));
    drop(breakers.register(named("4 idle", |b| b)));
    for number in breakers.iter().count()..CAPACITY {
        drop(breakers.register(named(&format!("5 {number}"), |b| b)));
    }
    assert_eq!(breakers.iter().count(), CAPACITY);
    drop(breakers.register(named("new", |b| b)));
    assert_eq!(breakers.iter().count(), CAPACITY);
    for name in ["0 open", "1 streak", "2 window", "3 held", "new"] {
        assert!(breakers.get(name).is_some(), "{name}");
    }
    assert!(breakers.get("4 idle").is_none());
    drop(held);
}

#[test]
fn a05_reset_by_name_makes_none() {
    let breakers = Breakers::default();
    let handles = ["a", "b"].map(|name| breakers.register(named(name, |b| b.failures(1))));
    for breaker in &handles {
        run(breaker, "F");
    }
    breakers.reset("a").unwrap();
    assert_eq!(handles[0].state(), BreakerState::Closed);
    assert_eq!(handles[1].state(), BreakerState::Open);
    breakers.reset_all();
    assert_eq!(handles[1].state(), BreakerState::Closed);
    let unknown = breakers.reset("c").unwrap_err();
    assert_eq!(unknown.name, "c");
    assert!(breakers.get("c").is_none());
}

#[test]
fn a05_the_changes_of_all_are_told() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    // The hook stays for the whole process and sees the breakers of other tests too.
    Breakers::global().on_transition(move |event| {
        if event.service == "scenarios-a05" {
            log.lock().unwrap().push(event.transition.to);
        }
    });
    let breaker = named("scenarios-a05", |b| b.failures(1));
    run(&breaker, "F");
    breaker.reset();
    assert_eq!(
        *seen.lock().unwrap(),
        [BreakerState::Open, BreakerState::Closed]
    );
}

#[test]
fn a06_an_open_circuit_without_traffic_says_that_it_would_admit() {
    let (breaker, clock) = build(|b| b.failures(1).recovery(S));
    run(&breaker, "F");
    let snapshot = breaker.snapshot();
    assert_eq!(
        (snapshot.would_admit, snapshot.retry_after),
        (false, Some(S))
    );
    clock.advance(seconds(3600));
    let later = breaker.snapshot();
    assert_eq!((later.would_admit, later.retry_after), (true, None));
    assert_eq!(
        (later.state, later.since),
        (BreakerState::Open, snapshot.since)
    );
}

#[test]
fn a07_an_operator_opens_disables_and_closes() {
    let clock = ManualClock::new();
    let breakers = Breakers::default();
    let _ = breakers.register(named("a", |b| {
        b.failures(1).clock(clock.clone()).half_open(1)
    }));
    let breaker = breakers.get("a").unwrap();
    breaker.disable();
    assert_eq!(run(&breaker, "FFFF"), "FFFF");
    breaker.force_open(seconds(60));
    assert_eq!(run(&breaker, "S"), "R");
    clock.advance(seconds(60));
    assert_eq!(run(&breaker, "S"), "S", "the order has an end");
    assert_eq!(breaker.state(), BreakerState::Closed);
    breaker.force_open(None);
    breaker.reset();
    assert_eq!(run(&breaker, "S"), "S");
}

/// Many threads that register one name get one breaker.
#[test]
fn racing_registrations_agree() {
    let breakers = Breakers::default();
    let opened = AtomicBool::new(false);
    race(8, |_| {
        let breaker = breakers.register(named("a", |b| b.failures(8)));
        let _ = breaker.call(|| Err::<(), _>(Error::Busy));
        opened.fetch_or(breaker.state() == BreakerState::Open, Ordering::Relaxed);
    });
    assert!(opened.into_inner(), "eight failures of one breaker");
    let refused = breakers.get("a").unwrap().call(|| Ok::<_, Error>(()));
    assert!(matches!(
        refused,
        Err(Error::Rejected(Rejected::CircuitOpen(_)))
    ));
}
