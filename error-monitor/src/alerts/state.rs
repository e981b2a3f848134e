//! The life of an alert, as a function: what it was, what is seen, and what it is now.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rule::{AlertRule, Severity};

/// An alert that is on its way, or there. One that is neither is nowhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct AlertState {
    pub(crate) rule: String,
    /// The code, the service and so on that it is for; empty if the rule makes one alert of all.
    pub(crate) group: String,
    pub(crate) phase: Phase,
    /// Since when it is so, in milliseconds since 1970.
    pub(crate) since: u64,
    /// When it was said last; nothing while nobody was told, since it is silenced or for the first time.
    pub(crate) told: Option<u64>,
    pub(crate) summary: String,
    pub(crate) value: f64,
    #[serde(default)]
    pub(crate) severity: Severity,
    /// Who was told: they are told that it is over too, whatever becomes of the rule.
    #[serde(default)]
    pub(crate) channels: Vec<String>,
}

/// How far an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    /// It is so, not yet for long enough.
    Pending,
    /// It is so.
    Firing,
}

/// What is seen now.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Observation {
    pub(crate) group: String,
    pub(crate) value: f64,
    pub(crate) summary: String,
}

/// What is to be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    Firing,
    Repeated,
    Resolved,
    Test,
}

/// One step of an alert. `silenced`: nobody is to be told at present.
pub(crate) fn step(
    rule: &AlertRule,
    before: Option<&AlertState>,
    seen: Option<&Observation>,
    silenced: bool,
    now: u64,
) -> (Option<AlertState>, Option<Event>) {
    let Some(seen) = seen else {
        // Who was told of it is told that it is over, silenced or not: it would stay open for ever elsewhere.
        let resolved = before.is_some_and(|before| before.told.is_some());
        return (None, resolved.then_some(Event::Resolved));
    };
    let since = before.map_or(now, |before| before.since);
    let lasts = now.saturating_sub(since) >= rule.holds_for.millis();
    let was_firing = before.is_some_and(|before| before.phase == Phase::Firing);
    let phase = if was_firing || lasts {
        Phase::Firing
    } else {
        Phase::Pending
    };
    let told = before.and_then(|before| before.told);
    let event = match (phase, told) {
        (Phase::Pending, _) => None,
        _ if silenced => None,
        (Phase::Firing, None) => Some(Event::Firing),
        (Phase::Firing, Some(at)) => {
            (now.saturating_sub(at) >= rule.repeat.millis()).then_some(Event::Repeated)
        }
    };
    let state = AlertState {
        rule: rule.name.clone(),
        group: seen.group.clone(),
        phase,
        since,
        told: event.map(|_| now).or(told),
        summary: seen.summary.clone(),
        value: seen.value,
        severity: rule.severity,
        channels: before.map_or_else(Vec::new, |before| before.channels.clone()),
    };
    (Some(state), event)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::alerts::rule::Condition;

    fn rule() -> AlertRule {
        AlertRule::new("r", Condition::count(1, Duration::from_secs(60)))
            .holds_for(Duration::from_millis(100))
            .repeat(Duration::from_secs(1))
    }

    fn seen() -> Observation {
        Observation {
            group: String::new(),
            value: 1.0,
            summary: "1 failure".to_owned(),
        }
    }

    /// Runs a story: time, whether it is so, whether it is silenced, what is said.
    fn story(steps: &[(u64, bool, bool, Option<Event>)]) {
        let (rule, seen) = (rule(), seen());
        let mut state: Option<AlertState> = None;
        for (now, holds, silenced, expected) in steps {
            let (next, event) = step(
                &rule,
                state.as_ref(),
                holds.then_some(&seen),
                *silenced,
                *now,
            );
            assert_eq!(event, *expected, "at {now}");
            assert_eq!(next.is_some(), *holds, "at {now}");
            state = next;
        }
    }

    #[test]
    fn it_fires_once_it_has_lasted_and_resolves_once() {
        story(&[
            (0, true, false, None),
            (99, true, false, None),
            (100, true, false, Some(Event::Firing)),
            (200, true, false, None),
            (300, false, false, Some(Event::Resolved)),
            (400, false, false, None),
        ]);
    }

    #[test]
    fn what_does_not_last_is_not_said() {
        story(&[
            (0, true, false, None),
            (50, false, false, None),
            (60, true, false, None),
            (150, true, false, None),
            (160, true, false, Some(Event::Firing)),
        ]);
    }

    #[test]
    fn it_is_said_again_while_it_lasts() {
        story(&[
            (0, true, false, None),
            (100, true, false, Some(Event::Firing)),
            (1099, true, false, None),
            (1100, true, false, Some(Event::Repeated)),
            (1200, true, false, None),
            (2100, true, false, Some(Event::Repeated)),
        ]);
    }

    #[test]
    fn a_silence_delays_and_does_not_lose() {
        story(&[
            (0, true, true, None),
            (100, true, true, None),
            (500, true, true, None),
            (600, true, false, Some(Event::Firing)),
            (700, true, true, None),
            (1700, true, true, None),
            (1800, false, true, Some(Event::Resolved)),
        ]);
        // Nobody was told, so nobody is told that it is over.
        story(&[
            (0, true, true, None),
            (100, true, true, None),
            (200, false, true, None),
        ]);
    }
}
