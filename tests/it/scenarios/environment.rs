//! Settings from the environment. They are read once per process, so each test is a process of its own:
//! this binary again, with one ignored test that says what it finds.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use error_runtime::time::ManualClock;
use error_runtime::{
    Breakers, CircuitBreaker, Jitter, RetryBudget, RetryPolicy, circuit_breaker, retry,
};

use super::{Count, Error, millis};
use crate::breaker::{S, run, seconds};

#[retry(attempts = 3, base = "0s", operation = "env-named")]
fn named(calls: &Count) -> Result<(), Error> {
    calls.up();
    Err(Error::Busy)
}

#[retry(attempts = 3, base = "0s", operation = "env.other")]
fn other(calls: &Count) -> Result<(), Error> {
    calls.up();
    Err(Error::Busy)
}

#[circuit_breaker(service = "env-switch", failures = 1)]
fn switched(calls: &Count) -> Result<(), Error> {
    calls.up();
    Err(Error::Busy)
}

/// What a process finds, by name.
fn findings() -> Vec<(&'static str, String)> {
    let count = |call: fn(&Count) -> Result<(), Error>, times: usize| {
        let calls = Count::new();
        for _ in 0..times {
            assert!(call(&calls).is_err());
        }
        calls.get().to_string()
    };
    let clock = ManualClock::new();
    let policy = RetryPolicy::builder()
        .operation("env-jitter")
        .attempts(3)
        .base(millis(100))
        .jitter(Jitter::Ratio(0.5))
        .clock(clock.clone())
        .seed(1)
        .build()
        .unwrap();
    let nameless = RetryPolicy::builder().attempts(4).build().unwrap();
    let breaker = |name: &'static str| CircuitBreaker::builder(name).clock(clock.clone());
    let recovering = breaker("env-recovery")
        .failures(1)
        .recovery(S)
        .build()
        .unwrap();
    run(&recovering, "F");
    let windowed = breaker("env-window")
        .failure_rate(1.0)
        .window_calls(4)
        .min_calls(2)
        .build()
        .unwrap();
    run(&windowed, &"S".repeat(10));
    vec![
        ("named", count(named, 1)),
        ("other", count(other, 1)),
        ("switched", count(switched, 5)),
        (
            "state",
            Breakers::global()
                .get("env-switch")
                .unwrap()
                .state()
                .as_str()
                .to_owned(),
        ),
        (
            "delays",
            format!("{:?}", policy.delays().collect::<Vec<_>>()),
        ),
        ("nameless", nameless.attempts().to_string()),
        (
            "recovery",
            format!("{:?}", recovering.snapshot().retry_after),
        ),
        ("window", windowed.snapshot().window.calls.to_string()),
        (
            "budget",
            RetryBudget::named("env-budget").available().to_string(),
        ),
    ]
}

#[test]
#[ignore = "run by the tests below, with settings"]
fn child() {
    println!();
    for (name, value) in findings() {
        println!("@{name}={value}");
    }
}

/// What a process finds that has these settings, and no others of ours.
fn with(settings: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut command = Command::new(std::env::current_exe().expect("the path of this binary"));
    command.args(["--exact", "scenarios::environment::child", "--ignored"]);
    command.args(["--nocapture", "--test-threads=1"]);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ERROR_RUNTIME__") {
            command.env_remove(name);
        }
    }
    for (name, value) in settings {
        command.env(format!("ERROR_RUNTIME__{name}"), value);
    }
    let output = command.output().expect("this binary runs again");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    let found: BTreeMap<_, _> = text
        .lines()
        .filter_map(|line| line.strip_prefix('@')?.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    assert!(!found.is_empty(), "{text}");
    found
}

/// What differs from a process without settings.
fn differences(settings: &[(&str, &str)]) -> Vec<(String, String)> {
    let without = with(&[]);
    let mut found: Vec<_> = with(settings).into_iter().collect();
    found.retain(|(name, value)| without[name] != *value);
    found
}

fn is(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[test]
fn without_settings_all_is_as_declared() {
    let found = with(&[]);
    let jittered = found["delays"].clone();
    let expected = [
        ("budget", "500"),
        ("delays", &jittered),
        ("named", "3"),
        ("nameless", "4"),
        ("other", "3"),
        ("recovery", "Some(1s)"),
        ("state", "open"),
        ("switched", "1"),
        ("window", "4"),
    ];
    assert_eq!(
        found.into_iter().collect::<Vec<_>>(),
        expected.map(|(n, v)| is(n, v))
    );
    assert_ne!(jittered, format!("{:?}", [millis(100), millis(200)]));
}

#[test]
fn a08_the_more_specific_setting_wins() {
    let all = ("RETRY__ATTEMPTS", "5");
    let found = with(&[all]);
    assert_eq!((&*found["named"], &*found["other"]), ("5", "5"));
    assert_eq!(found["nameless"], "5", "what holds for all holds for it");
    assert_eq!(
        differences(&[("ENV_NAMED__RETRY__ATTEMPTS", "7")]),
        [is("named", "7")]
    );
    let found = with(&[all, ("ENV_NAMED__RETRY__ATTEMPTS", "7")]);
    assert_eq!((&*found["named"], &*found["other"]), ("7", "5"));
    let found = with(&[all, ("ENV_OTHER__RETRY__ENABLED", "false")]);
    assert_eq!((&*found["named"], &*found["other"]), ("5", "1"));
}

#[test]
fn r17_switched_off_it_calls_once() {
    assert_eq!(
        differences(&[("ENV_NAMED__RETRY__ENABLED", "false")]),
        [is("named", "1")]
    );
    let found = with(&[
        ("RETRY__ENABLED", "false"),
        ("ENV_NAMED__RETRY__ENABLED", "true"),
    ]);
    assert_eq!((&*found["named"], &*found["other"]), ("3", "1"));
}

#[test]
fn b118_switched_off_a_breaker_never_opens() {
    assert_eq!(
        differences(&[("ENV_SWITCH__CIRCUIT_BREAKER__ENABLED", "false")]),
        [is("state", "disabled"), is("switched", "5")]
    );
    let found = with(&[
        ("CIRCUIT_BREAKER__ENABLED", "false"),
        ("ENV_SWITCH__CIRCUIT_BREAKER__ENABLED", "true"),
    ]);
    assert_eq!(found["state"], "open");
}

#[test]
fn what_cannot_be_read_or_used_is_ignored() {
    let none: [(String, String); 0] = [];
    assert_eq!(
        differences(&[
            ("RETRY__ATTEMPTS", "many"),
            ("ENV_NAMED__RETRY__ATTEMPTS", "0"),
            ("ENV_NAMED__RETRY__SPEED", "9"),
            ("ENV_NAMED__RETRIES__ATTEMPTS", "9"),
            ("ATTEMPTS", "9"),
            ("ENV_RECOVERY__CIRCUIT_BREAKER__RECOVERY", "soon"),
            ("ENV_RECOVERY__CIRCUIT_BREAKER__FAILURES", "-1"),
            ("ENV_SWITCH__CIRCUIT_BREAKER__ENABLED", "maybe"),
            // Less than the two calls that it takes.
            ("ENV_WINDOW__CIRCUIT_BREAKER__WINDOW", "1"),
        ]),
        none
    );
    // One that is wrong does not spoil the one beside it.
    let found = with(&[
        ("ENV_NAMED__RETRY__ATTEMPTS", "8"),
        ("ENV_NAMED__RETRY__BASE", "2h"),
    ]);
    assert_eq!(found["named"], "8");
}

#[test]
fn times_windows_and_jitter_are_set() {
    assert_eq!(
        differences(&[("ENV_RECOVERY__CIRCUIT_BREAKER__RECOVERY", "1.5m")]),
        [is("recovery", &format!("{:?}", Some(seconds(90))))]
    );
    for (window, calls) in [("2", "2"), ("60s", "10")] {
        let found = differences(&[("ENV_WINDOW__CIRCUIT_BREAKER__WINDOW", window)]);
        assert_eq!(found, [is("window", calls)]);
    }
    let plain = format!("{:?}", [millis(100), millis(200)]);
    assert_eq!(
        differences(&[("ENV_JITTER__RETRY__JITTER", "none")]),
        [is("delays", &plain)]
    );
    assert_eq!(
        differences(&[
            ("ENV_JITTER__RETRY__JITTER", "0"),
            ("ENV_JITTER__RETRY__BASE", "0s"),
        ]),
        [is("delays", &format!("{:?}", [Duration::ZERO; 2]))]
    );
    assert_eq!(
        differences(&[("ENV_NAMED__RETRY__BUDGET", "env-budget")]),
        [is("budget", "490")]
    );
}
