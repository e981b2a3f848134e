//! Settings from the environment: `ERROR_RUNTIME__<NAME>__RETRY__ATTEMPTS=5`, read once.
//!
//! `NAME` is a retry's `operation` or a breaker's `service`, in capitals, with `_` for whatever is no
//! letter or digit. Without it the setting holds for all; the one with a name wins. What is unknown or
//! cannot be read is logged and ignored: a typo in a deployment must not stop a service.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::ConfigError;
use crate::retry::Jitter;
use crate::time::duration_text;

/// Which kind of policy a setting is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Retry,
    CircuitBreaker,
}

impl Kind {
    const ALL: [Self; 2] = [Self::Retry, Self::CircuitBreaker];

    const fn name(self) -> &'static str {
        match self {
            Self::Retry => "RETRY",
            Self::CircuitBreaker => "CIRCUIT_BREAKER",
        }
    }

    /// The keys and what their values are.
    const fn keys(self) -> &'static [(&'static str, Reader)] {
        match self {
            Self::Retry => &[
                ("ENABLED", switch),
                ("ATTEMPTS", count),
                ("BASE", time),
                ("FACTOR", number),
                ("MAX", time),
                ("JITTER", jitter),
                ("DEADLINE", time),
                ("ATTEMPT_TIMEOUT", time),
                ("MAX_RETRY_AFTER", time),
                ("NESTED", switch),
                ("BUDGET", text),
            ],
            Self::CircuitBreaker => &[
                ("ENABLED", switch),
                ("FAILURES", count),
                ("FAILURE_RATE", number),
                ("WINDOW", window),
                ("MIN_CALLS", count),
                ("SLOW_CALL", time),
                ("SLOW_RATE", number),
                ("RECOVERY", time),
                ("RECOVERY_MAX", time),
                ("RECOVERY_FACTOR", number),
                ("HALF_OPEN", count),
                ("HALF_OPEN_MAX", time),
            ],
        }
    }
}

/// A value, of the kind that its key takes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Switch(bool),
    Count(u32),
    Number(f64),
    Time(Duration),
    Jitter(Jitter),
    Text(String),
}

type Reader = fn(&str) -> Option<Value>;

fn switch(text: &str) -> Option<Value> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "on" | "yes" => Some(Value::Switch(true)),
        "false" | "0" | "off" | "no" => Some(Value::Switch(false)),
        _ => None,
    }
}

fn count(text: &str) -> Option<Value> {
    text.parse().ok().map(Value::Count)
}

fn number(text: &str) -> Option<Value> {
    text.parse().ok().map(Value::Number)
}

fn time(text: &str) -> Option<Value> {
    duration_text::parse(text).map(Value::Time)
}

fn window(text: &str) -> Option<Value> {
    count(text).or_else(|| time(text))
}

fn jitter(text: &str) -> Option<Value> {
    let jitter = match text.to_ascii_lowercase().as_str() {
        "full" => Jitter::Full,
        "equal" => Jitter::Equal,
        "decorrelated" => Jitter::Decorrelated,
        "none" => Jitter::None,
        ratio => Jitter::Ratio(ratio.parse().ok()?),
    };
    Some(Value::Jitter(jitter))
}

fn text(text: &str) -> Option<Value> {
    (!text.is_empty()).then(|| Value::Text(text.to_owned()))
}

const PREFIX: &str = "ERROR_RUNTIME__";

/// What the environment says, by policy, name (empty for all) and key.
#[derive(Debug, Default)]
struct Overrides(BTreeMap<(Kind, String), Vec<(&'static str, Value)>>);

/// The settings, and what is wrong with the rest.
static ENVIRONMENT: LazyLock<(Overrides, Vec<String>)> = LazyLock::new(|| {
    let vars = std::env::vars_os().filter_map(|(name, value)| {
        // Names in another encoding are none of ours.
        let name = name.into_string().ok()?;
        Some((name, value.to_string_lossy().into_owned()))
    });
    Overrides::read(vars)
});

/// What the environment says. What is wrong with it is logged at the first use: outside the cell that holds
/// it, since a logger may use a policy in its turn.
fn overrides() -> &'static Overrides {
    static TOLD: AtomicBool = AtomicBool::new(false);
    let (overrides, complaints) = &*ENVIRONMENT;
    if !TOLD.swap(true, Ordering::Relaxed) {
        for complaint in complaints {
            complain(complaint);
        }
    }
    overrides
}

impl Overrides {
    fn read(vars: impl Iterator<Item = (String, String)>) -> (Self, Vec<String>) {
        let mut overrides = Self::default();
        let mut complaints = Vec::new();
        for (var, value) in vars {
            let Some(rest) = var.strip_prefix(PREFIX) else {
                continue;
            };
            let Some((kind, name, key)) = split(rest) else {
                complaints.push(format!("{var} names no policy"));
                continue;
            };
            let Some((key, reader)) = kind.keys().iter().find(|(known, _)| *known == key) else {
                complaints.push(format!("{var} names no setting"));
                continue;
            };
            let Some(value) = reader(value.trim()) else {
                complaints.push(format!("the value {value:?} of {var} cannot be read"));
                continue;
            };
            let settings = overrides.0.entry((kind, name.to_owned())).or_default();
            settings.push((key, value));
        }
        (overrides, complaints)
    }

    /// The settings for one policy; of two for one key, the later wins.
    fn of(&self, kind: Kind, name: &str) -> impl Iterator<Item = &(&'static str, Value)> {
        let all = self.0.get(&(kind, String::new()));
        let own = self.0.get(&(kind, normal(name)));
        [all, own].into_iter().flatten().flatten()
    }
}

/// `<NAME>__RETRY__ATTEMPTS`; the name may hold the separator itself.
fn split(rest: &str) -> Option<(Kind, &str, &str)> {
    Kind::ALL.into_iter().find_map(|kind| {
        let (before, key) = rest.rsplit_once("__")?;
        let name = before.strip_suffix(kind.name())?;
        match name.strip_suffix("__") {
            Some(name) if !name.is_empty() => Some((kind, name, key)),
            None if name.is_empty() => Some((kind, "", key)),
            _ => None,
        }
    })
}

/// The name as it stands in a variable.
fn normal(name: &str) -> String {
    let normal = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        }
    };
    name.chars().map(normal).collect()
}

/// Says that a setting cannot be used here.
pub(crate) fn unusable(kind: Kind, name: &str, key: &str, why: &str) {
    complain(&format!(
        "{} {key} is not used for {name:?}: {why}",
        kind.name()
    ));
}

/// Calls `apply` with each setting for this policy.
pub(crate) fn each(kind: Kind, name: &str, mut apply: impl FnMut(&'static str, &Value)) {
    for (key, value) in overrides().of(kind, name) {
        apply(key, value);
    }
}

/// The rules with what the environment says. If they contradict each other each is tried on its own, and
/// what does not fit is logged and left out.
pub(crate) fn settle<S: Copy, C>(
    kind: Kind,
    name: &str,
    declared: S,
    apply: fn(&mut S, &str, &Value),
    check: impl Fn(&S) -> Result<C, ConfigError>,
) -> S {
    let overrides = overrides();
    if overrides.0.is_empty() {
        return declared;
    }
    let (settled, refused) = fit(overrides.of(kind, name), declared, apply, check);
    for (key, error) in refused {
        unusable(kind, name, key, &error.to_string());
    }
    settled
}

fn fit<'o, S: Copy, C>(
    overrides: impl Iterator<Item = &'o (&'static str, Value)>,
    declared: S,
    apply: fn(&mut S, &str, &Value),
    check: impl Fn(&S) -> Result<C, ConfigError>,
) -> (S, Vec<(&'static str, ConfigError)>) {
    let overrides: Vec<_> = overrides.collect();
    let mut all = declared;
    for (key, value) in &overrides {
        apply(&mut all, key, value);
    }
    if check(&all).is_ok() {
        return (all, Vec::new());
    }
    let (mut settled, mut refused) = (declared, Vec::new());
    for (key, value) in overrides {
        let mut with = settled;
        apply(&mut with, key, value);
        match check(&with) {
            Ok(_) => settled = with,
            Err(error) => refused.push((*key, error)),
        }
    }
    (settled, refused)
}

/// In the log, or where nobody listens to it on standard error: a mistake that nobody reads stays one.
fn complain(complaint: &str) {
    use std::io::Write as _;

    #[cfg(feature = "tracing")]
    if tracing::dispatcher::has_been_set() {
        tracing::warn!("environment: {complaint}");
        return;
    }
    // Not `eprintln!`: it panics where standard error is closed.
    let _ = writeln!(std::io::stderr(), "error-runtime: environment: {complaint}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(vars: &[(&str, &str)]) -> (Overrides, Vec<String>) {
        Overrides::read(
            vars.iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        )
    }

    #[test]
    fn the_one_with_a_name_wins() {
        let (overrides, complaints) = read(&[
            ("ERROR_RUNTIME__MY_API__V2__RETRY__ATTEMPTS", "7"),
            ("ERROR_RUNTIME__RETRY__ATTEMPTS", "2"),
            ("ERROR_RUNTIME__CIRCUIT_BREAKER__ENABLED", "false"),
            ("PATH", "/bin"),
        ]);
        assert_eq!(complaints, [""; 0]);
        let last = |name| overrides.of(Kind::Retry, name).last().cloned();
        assert_eq!(last("my-api::v2"), Some(("ATTEMPTS", Value::Count(7))));
        assert_eq!(last("other"), Some(("ATTEMPTS", Value::Count(2))));
        let breaker: Vec<_> = overrides.of(Kind::CircuitBreaker, "stripe").collect();
        assert_eq!(breaker, [&("ENABLED", Value::Switch(false))]);
    }

    #[test]
    fn what_cannot_be_read_is_said_and_ignored() {
        let (overrides, complaints) = read(&[
            ("ERROR_RUNTIME__STRIPE__RETRY__ATTEMTS", "2"),
            ("ERROR_RUNTIME__STRIPE__RETRY__ATTEMPTS", "many"),
            ("ERROR_RUNTIME__STRIPE__RETRIES__ATTEMPTS", "2"),
            ("ERROR_RUNTIME__XRETRY__ATTEMPTS", "2"),
            ("ERROR_RUNTIME__", "2"),
            ("ERROR_RUNTIME__STRIPE__CIRCUIT_BREAKER__RECOVERY", "60"),
        ]);
        assert!(overrides.0.is_empty(), "{overrides:?}");
        assert_eq!(complaints.len(), 6, "{complaints:#?}");
    }

    #[test]
    fn a_setting_that_contradicts_the_rest_is_left_out() {
        // Rules of which the first may not exceed the second.
        type Rules = (u32, u32);
        let apply: fn(&mut Rules, &str, &Value) = |rules, key, value| match (key, value) {
            ("ATTEMPTS", Value::Count(count)) => rules.0 = *count,
            ("MAX", Value::Count(count)) => rules.1 = *count,
            _ => {}
        };
        let check = |rules: &Rules| {
            let fits = rules.0 <= rules.1;
            fits.then_some(())
                .ok_or(ConfigError::new("first", "`first` is less"))
        };
        let both = [("ATTEMPTS", Value::Count(9)), ("MAX", Value::Count(9))];
        assert_eq!(fit(both.iter(), (1, 2), apply, check), ((9, 9), Vec::new()));
        let (rules, refused) = fit(both[..1].iter(), (1, 2), apply, check);
        assert_eq!((rules, refused.len()), ((1, 2), 1));
        assert_eq!(refused[0].0, "ATTEMPTS");
    }

    #[test]
    fn every_kind_of_value_is_read() {
        let (overrides, complaints) = read(&[
            ("ERROR_RUNTIME__X__CIRCUIT_BREAKER__WINDOW", "60s"),
            ("ERROR_RUNTIME__Y__CIRCUIT_BREAKER__WINDOW", "60"),
            ("ERROR_RUNTIME__X__RETRY__JITTER", "0.5"),
            ("ERROR_RUNTIME__Y__RETRY__JITTER", "Full"),
            ("ERROR_RUNTIME__X__CIRCUIT_BREAKER__FAILURE_RATE", "0.25"),
            ("ERROR_RUNTIME__X__RETRY__BUDGET", "shared"),
        ]);
        assert_eq!(complaints, [""; 0]);
        let of = |kind, name| overrides.of(kind, name).cloned().collect::<Vec<_>>();
        let minute = Duration::from_secs(60);
        assert_eq!(of(Kind::CircuitBreaker, "x")[0].1, Value::Time(minute));
        assert_eq!(of(Kind::CircuitBreaker, "y")[0].1, Value::Count(60));
        let jitters = [Jitter::Ratio(0.5), Jitter::Full].map(Value::Jitter);
        assert_eq!(of(Kind::Retry, "x")[0].1, jitters[0]);
        assert_eq!(of(Kind::Retry, "y")[0].1, jitters[1]);
        let budget = Value::Text("shared".to_owned());
        assert_eq!(of(Kind::Retry, "x")[1].1, budget);
    }

    /// The book has every setting, with a value that can be read. (Without the book, in a package, there is
    /// nothing to look at.)
    #[test]
    fn the_book_has_every_setting() {
        let page = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../docs/src/reference/environment.md"
        );
        let Ok(page) = std::fs::read_to_string(page) else {
            return;
        };
        let settings = page.split('`').filter_map(|code| code.split_once('='));
        let settings =
            settings.filter(|(name, _)| name.starts_with(PREFIX) && !name.contains('\n'));
        let (overrides, complaints) =
            Overrides::read(settings.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(complaints, [""; 0]);
        for kind in Kind::ALL {
            for (key, _) in kind.keys() {
                let named = overrides.0.iter().any(|((of, _), settings)| {
                    *of == kind && settings.iter().any(|(name, _)| name == key)
                });
                assert!(
                    named,
                    "reference/environment.md lacks {} {key}",
                    kind.name()
                );
            }
        }
    }
}
