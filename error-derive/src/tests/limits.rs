//! The attributes know the limits of the runtime's builders, to complain at the key: what one accepts, the
//! other does too. Values of an attribute are given to both.

use std::collections::BTreeMap;
use std::time::Duration;

use error_runtime::{
    Bulkhead, CircuitBreaker, CircuitBreakerBuilder, ConfigError, Jitter, RateLimiter, RetryPolicy,
    RetryPolicyBuilder,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::{Expr, Ident, Lit, MetaNameValue, Token, UnOp};

use super::guard;
use super::robustness::config;

/// A value as a builder takes it.
#[derive(Clone, Debug)]
enum Value {
    /// As digits, perhaps with a minus.
    Whole(String),
    Number(f64),
    Time(Duration),
    Word(String),
    Switch(bool),
}

impl Value {
    fn of(value: &Expr) -> Self {
        match value {
            // A minus may have become a part of the literal.
            Expr::Unary(minus) if matches!(minus.op, UnOp::Neg(_)) => {
                Self::Number(-Self::of(&minus.expr).number())
            }
            Expr::Lit(literal) => match &literal.lit {
                Lit::Int(number) => Self::Whole(number.base10_digits().to_owned()),
                Lit::Float(number) => Self::Number(number.base10_parse().unwrap()),
                Lit::Bool(switch) => Self::Switch(switch.value),
                Lit::Str(text) => match time(&text.value()) {
                    Some(time) => Self::Time(time),
                    None => Self::Word(text.value()),
                },
                _ => panic!("no value of a policy"),
            },
            _ => panic!("no value of a policy"),
        }
    }

    /// Nothing where the builder's type already says no.
    fn count(&self) -> Option<u32> {
        match self {
            Self::Whole(count) => count.parse().ok(),
            _ => None,
        }
    }

    fn number(&self) -> f64 {
        match self {
            Self::Whole(number) => number.parse().unwrap(),
            Self::Number(number) => *number,
            other => panic!("{other:?} is no number"),
        }
    }

    fn time(&self) -> Duration {
        match self {
            Self::Time(time) => *time,
            other => panic!("{other:?} is no time"),
        }
    }
}

/// In whole nanoseconds, so that nothing is rounded.
fn time(text: &str) -> Option<Duration> {
    let digits = text.find(|char: char| !char.is_ascii_digit() && char != '.')?;
    let (number, unit) = text.split_at(digits);
    let nanos: u64 = match unit {
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let mut time = Duration::from_nanos(nanos).checked_mul(whole.parse().ok()?)?;
    let mut share = nanos;
    for digit in decimals.bytes() {
        share /= 10;
        time += Duration::from_nanos(share * u64::from(digit - b'0'));
    }
    Some(time)
}

fn entries(arguments: &str) -> Vec<(String, Value)> {
    let read = Punctuated::<MetaNameValue, Token![,]>::parse_terminated;
    let entries = read.parse_str(arguments).expect("keys and values");
    let entry = |entry: &MetaNameValue| {
        let key = entry.path.get_ident().map(Ident::to_string);
        (key.expect("a key"), Value::of(&entry.value))
    };
    entries.iter().map(entry).collect()
}

/// What the attribute complains of.
fn complaints(attribute: &str, arguments: &str) -> Vec<String> {
    let needs = match attribute {
        "circuit_breaker" => "service = \"s\", ",
        "recover" => "service = \"s\", fallback = g(), ",
        _ => "",
    };
    let item = format!(
        "#[{attribute}({needs}{arguments})] async fn f() -> user::Result<(), user::E> {{ g().await }}"
    );
    let file: syn::File = syn::parse2(guard(&item)).expect("a list of items");
    let complaint = |item: &syn::Item| match item {
        syn::Item::Macro(call) if call.mac.path.segments.last()?.ident == "compile_error" => {
            Some(call.mac.tokens.to_string())
        }
        _ => None,
    };
    file.items.iter().filter_map(complaint).collect()
}

/// `None` where a builder's type cannot even hold the value.
fn breaker(arguments: &str) -> Option<Result<(), ConfigError>> {
    let rule = |builder: CircuitBreakerBuilder, (key, value): (String, Value)| {
        Some(match key.as_str() {
            "failures" => builder.failures(value.count()?),
            "failure_rate" => builder.failure_rate(value.number()),
            "slow_call" => builder.slow_call(value.time()),
            "slow_rate" => builder.slow_rate(value.number()),
            "window" => match value {
                Value::Time(time) => builder.window_time(time),
                value => builder.window_calls(value.count()? as usize),
            },
            "min_calls" => builder.min_calls(value.count()? as usize),
            "recovery" => builder.recovery(value.time()),
            "recovery_factor" => builder.recovery_factor(value.number()),
            "recovery_max" => builder.recovery_max(value.time()),
            "half_open" => builder.half_open(value.count()?),
            "half_open_max" => builder.half_open_max(value.time()),
            other => panic!("`{other}` is no rule of a breaker"),
        })
    };
    let builder = entries(arguments)
        .into_iter()
        .try_fold(CircuitBreaker::builder("s"), rule)?;
    Some(builder.build().map(drop))
}

fn retry(arguments: &str) -> Option<Result<(), ConfigError>> {
    let mut limit = None;
    let rule = |builder: RetryPolicyBuilder, (key, value): (String, Value)| {
        Some(match key.as_str() {
            "attempts" => builder.attempts(value.count()?),
            "base" => builder.base(value.time()),
            "factor" => builder.factor(value.number()),
            "max" => builder.max(value.time()),
            "jitter" => builder.jitter(match value {
                Value::Word(word) => match word.as_str() {
                    "full" => Jitter::Full,
                    "equal" => Jitter::Equal,
                    "decorrelated" => Jitter::Decorrelated,
                    "none" => Jitter::None,
                    _ => return None,
                },
                value => Jitter::Ratio(value.number()),
            }),
            "deadline" => builder.deadline(value.time()),
            "attempt_timeout" => {
                limit = Some(value.time());
                builder
            }
            "max_retry_after" => builder.max_retry_after(value.time()),
            "nested" => match value {
                Value::Switch(nested) => builder.nested(nested),
                _ => return None,
            },
            other => panic!("`{other}` is no rule of a retry"),
        })
    };
    let builder = entries(arguments)
        .into_iter()
        .try_fold(RetryPolicy::builder(), rule)?;
    Some(match limit {
        Some(limit) => builder.attempt_timeout(limit).build().map(drop),
        None => builder.build().map(drop),
    })
}

fn others(attribute: &str, arguments: &str) -> Option<Result<(), ConfigError>> {
    let mut numbers = (None, Duration::from_secs(1));
    for (key, value) in entries(arguments) {
        match key.as_str() {
            "per" => numbers.1 = value.time(),
            _ => numbers.0 = Some(value.count()?),
        }
    }
    let number = numbers.0.expect("a number is given");
    Some(match attribute {
        "bulkhead" => Bulkhead::new(number).map(drop),
        _ => RateLimiter::new(number, numbers.1).map(drop),
    })
}

/// Asks both, and gives back whether they agree that it is right.
fn accepted(attribute: &str, arguments: &str) -> bool {
    let complaints = complaints(attribute, arguments);
    let built = match attribute {
        "circuit_breaker" => breaker(arguments),
        "retry" => retry(arguments),
        _ => others(attribute, arguments),
    };
    let accepted = complaints.is_empty();
    assert_eq!(
        accepted,
        matches!(built, Some(Ok(()))),
        "{attribute}({arguments}): the attribute says {complaints:?}, the builder {built:?}"
    );
    if let Some(Err(error)) = built {
        let key = format!("`{}`", error.key);
        assert!(
            complaints.iter().any(|complaint| complaint.contains(&key)),
            "{attribute}({arguments}): of {key} the attribute says {complaints:?}"
        );
    }
    if matches!(attribute, "retry" | "circuit_breaker") {
        let by_recover = self::complaints("recover", arguments);
        assert_eq!(by_recover, complaints, "recover({arguments})");
    }
    accepted
}

/// Each limit: the last value within, and the first beyond.
#[track_caller]
fn limit(attribute: &str, within: &[&str], beyond: &[&str]) {
    for arguments in within {
        assert!(accepted(attribute, arguments), "{attribute}({arguments})");
    }
    for arguments in beyond {
        assert!(!accepted(attribute, arguments), "{attribute}({arguments})");
    }
}

#[test]
fn counts() {
    limit(
        "retry",
        &["attempts = 1", "attempts = 4294967295"],
        &["attempts = 0"],
    );
    limit("retry", &[], &["attempts = 4294967296"]);
    let breaker = "circuit_breaker";
    limit(
        breaker,
        &["failures = 1", "failures = 4294967295"],
        &["failures = 0"],
    );
    limit(breaker, &["half_open = 1"], &["half_open = 0"]);
    limit(breaker, &["half_open = 8191"], &["half_open = 8192"]);
    limit(
        breaker,
        &[
            "failure_rate = 1, window = 1",
            "failure_rate = 1, window = 1_000_000",
        ],
        &[
            "failure_rate = 1, window = 0",
            "failure_rate = 1, window = 1_000_001",
        ],
    );
    limit(
        "bulkhead",
        &["max = 1", "max = 4294967295"],
        &["max = 0", "max = 4294967296"],
    );
    limit(
        "rate_limit",
        &["calls = 1", "calls = 1_000_000_000"],
        &["calls = 0"],
    );
    limit("rate_limit", &[], &["calls = 1_000_000_001"]);
    limit(
        "rate_limit",
        &[
            "calls = 1, per = \"0.000001ms\"",
            "calls = 4294967295, per = \"5s\"",
        ],
        &[
            "calls = 2, per = \"0.000001ms\"",
            "calls = 4294967295, per = \"4s\"",
        ],
    );
}

#[test]
fn shares() {
    for key in ["failure_rate = ", "slow_call = \"1s\", slow_rate = "] {
        let with = |values: &[&str]| values.iter().map(|value| format!("{key}{value}")).collect();
        let within: Vec<String> = with(&["1", "1.0", "0.5", "0.000000001", "1e-300"]);
        let beyond: Vec<String> = with(&["0", "0.0", "-0.0", "1.0000000001", "2", "-1", "1e-400"]);
        for arguments in within {
            assert!(accepted("circuit_breaker", &arguments), "{arguments}");
        }
        for arguments in beyond {
            assert!(!accepted("circuit_breaker", &arguments), "{arguments}");
        }
    }
    limit(
        "retry",
        &[
            "jitter = 0",
            "jitter = 0.0",
            "jitter = 1",
            "jitter = \"decorrelated\"",
        ],
        &[
            "jitter = -0.1",
            "jitter = 1.000001",
            "jitter = 2",
            "jitter = \"half\"",
        ],
    );
}

#[test]
fn factors() {
    limit(
        "retry",
        &[
            "factor = 1",
            "factor = 1.0",
            "factor = 1000",
            "factor = 1000.0",
        ],
        &[
            "factor = 0.999999",
            "factor = 0",
            "factor = -2",
            "factor = 1000.000001",
        ],
    );
    limit(
        "circuit_breaker",
        &["recovery_factor = 1", "recovery_factor = 1000"],
        &[
            "recovery_factor = 0.999999",
            "recovery_factor = 1000.000001",
            "recovery_factor = -1",
        ],
    );
}

#[test]
fn times() {
    limit(
        "retry",
        &[
            "base = \"0s\"",
            "base = \"0s\", max = \"0s\"",
            "max_retry_after = \"0s\"",
            "deadline = \"0.000001ms\"",
            "attempt_timeout = \"0.000001ms\"",
        ],
        &["deadline = \"0s\"", "attempt_timeout = \"0ms\""],
    );
    limit(
        "circuit_breaker",
        &[
            "recovery = \"0s\"",
            "recovery = \"0s\", recovery_max = \"0s\"",
            "slow_call = \"0.000001ms\"",
            "half_open_max = \"0.000001ms\"",
            "failure_rate = 1, window = \"1ms\"",
            "failure_rate = 1, window = \"1000000h\"",
        ],
        &[
            "slow_call = \"0s\"",
            "half_open_max = \"0s\"",
            "failure_rate = 1, window = \"0s\"",
            "failure_rate = 1, window = \"0.999999ms\"",
        ],
    );
}

/// Where one of two keys is left out its default counts.
#[test]
fn defaults() {
    limit(
        "retry",
        &[
            "base = \"60s\"",
            "base = \"61s\", max = \"61s\"",
            "max = \"1s\"",
            "base = \"0.5s\", max = \"0.5s\"",
        ],
        &[
            "base = \"60.000000001s\"",
            "base = \"61s\", max = \"60.999999999s\"",
            "max = \"0.999999999s\"",
            "max = \"0s\"",
        ],
    );
    limit(
        "circuit_breaker",
        &[
            "recovery_max = \"60s\"",
            "recovery = \"2m\", recovery_max = \"120s\"",
            "recovery = \"10s\", recovery_max = \"10s\"",
        ],
        &[
            "recovery_max = \"59.999999999s\"",
            "recovery = \"2m\", recovery_max = \"119.999999999s\"",
            "recovery_max = \"0s\"",
        ],
    );
    limit(
        "circuit_breaker",
        &[
            "failure_rate = 1, min_calls = 1",
            "failure_rate = 1, min_calls = 100",
            "failure_rate = 1, window = 5",
            "failure_rate = 1, window = 5, min_calls = 5",
            "failure_rate = 1, window = 1_000_000, min_calls = 1_000_000",
            "failure_rate = 1, window = \"1s\", min_calls = 4294967295",
            "slow_call = \"1s\", window = 5, min_calls = 5",
        ],
        &[
            "failure_rate = 1, min_calls = 0",
            "failure_rate = 1, min_calls = 101",
            "failure_rate = 1, window = 5, min_calls = 6",
            "failure_rate = 1, window = \"1s\", min_calls = 4294967296",
        ],
    );
}

/// Keys that need others.
#[test]
fn companions() {
    limit(
        "circuit_breaker",
        &[
            "slow_call = \"1s\"",
            "slow_call = \"1s\", slow_rate = 0.5",
            "slow_call = \"1s\", window = 10",
            "failures = 3, failure_rate = 0.5, slow_call = \"1s\"",
        ],
        &[
            "slow_rate = 0.5",
            "slow_rate = 0.5, failure_rate = 0.5",
            "window = 10",
            "window = \"10s\"",
            "min_calls = 10",
            "failures = 3, window = 10",
        ],
    );
}

const COUNTS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "9",
    "10",
    "11",
    "99",
    "100",
    "101",
    "8191",
    "8192",
    "1000000",
    "1000001",
    "4294967295",
    "4294967296",
];
const NUMBERS: &[&str] = &[
    "-1",
    "-0.0",
    "0",
    "0.0",
    "1e-400",
    "1e-300",
    "0.000000001",
    "0.5",
    "0.999999999",
    "1",
    "1.0",
    "1.000000001",
    "2",
    "999.9999",
    "1000",
    "1000.0001",
    "1e300",
    "1e400",
];
const TIMES: &[&str] = &[
    "\"0s\"",
    "\"0.000001ms\"",
    "\"0.999999ms\"",
    "\"1ms\"",
    "\"0.999999999s\"",
    "\"1s\"",
    "\"1.000000001s\"",
    "\"59.999999999s\"",
    "\"60s\"",
    "\"1m\"",
    "\"60.000000001s\"",
    "\"1h\"",
    "\"2500000h\"",
];

/// Keys, each with the lists of values that it may be given.
type Keys = &'static [(&'static str, &'static [&'static [&'static str]])];

const BREAKER: Keys = &[
    ("failures", &[COUNTS]),
    ("failure_rate", &[NUMBERS]),
    ("slow_call", &[TIMES]),
    ("slow_rate", &[NUMBERS]),
    ("window", &[COUNTS, TIMES]),
    ("min_calls", &[COUNTS]),
    ("recovery", &[TIMES]),
    ("recovery_factor", &[NUMBERS]),
    ("recovery_max", &[TIMES]),
    ("half_open", &[COUNTS]),
    ("half_open_max", &[TIMES]),
];
const RETRY: Keys = &[
    ("attempts", &[COUNTS]),
    ("base", &[TIMES]),
    ("factor", &[NUMBERS]),
    ("max", &[TIMES]),
    (
        "jitter",
        &[NUMBERS, &["\"full\"", "\"equal\"", "\"none\"", "\"some\""]],
    ),
    ("deadline", &[TIMES]),
    ("attempt_timeout", &[TIMES]),
    ("max_retry_after", &[TIMES]),
    ("nested", &[&["true", "false"]]),
];

fn arguments(keys: Keys) -> impl Strategy<Value = String> {
    let entry = select(keys).prop_flat_map(|(key, values)| (Just(key), select(values.concat())));
    vec(entry, 0..6).prop_map(|entries| {
        // Each key once.
        let entries: BTreeMap<_, _> = entries.into_iter().collect();
        let entries = entries
            .iter()
            .map(|(key, value)| format!("{key} = {value}"));
        entries.collect::<Vec<_>>().join(", ")
    })
}

/// Several mistakes at a time: who finds another one first does not matter, if both find one.
fn agree(attribute: &str, arguments: &str) -> Result<(), TestCaseError> {
    let complaints = complaints(attribute, arguments);
    let built = match attribute {
        "retry" => retry(arguments),
        _ => breaker(arguments),
    };
    prop_assert_eq!(
        complaints.is_empty(),
        matches!(built, Some(Ok(()))),
        "{}({}): {:?}, {:?}",
        attribute,
        arguments,
        complaints,
        built
    );
    Ok(())
}

proptest! {
    #![proptest_config(config(4000))]

    #[test]
    fn a_breakers_rules_together(arguments in arguments(BREAKER)) {
        agree("circuit_breaker", &arguments)?;
    }

    #[test]
    fn a_retrys_rules_together(arguments in arguments(RETRY)) {
        agree("retry", &arguments)?;
    }
}
