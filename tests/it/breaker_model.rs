//! The breaker against a model that is too simple to be wrong: every result of an episode in a list.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use error_runtime::time::ManualClock;
use error_runtime::{BreakerState, CircuitBreaker, CircuitBreakerBuilder, OwnedPermit, Rejected};

/// Random operations per case, and cases for each of five sets of rules: 100 000 in all. Each case has its own seed, which a failure names.
const OPERATIONS: usize = 60;
const CASES: u64 = 20_000;

#[derive(Clone, Copy, Debug)]
struct Rules {
    failures: Option<usize>,
    /// Failures of calls, of a window of so many, with at least so many.
    rate: Option<(u64, u64, usize, usize)>,
    recovery: u64,
    half_open: usize,
}

#[derive(Debug)]
struct Model {
    rules: Rules,
    now: u64,
    episode: u32,
    state: BreakerState,
    deadline: u64,
    /// Failed or not, of this episode.
    results: Vec<bool>,
    in_flight: usize,
    won: usize,
    totals: [u64; 5],
}

/// Indices of the totals.
const SUCCESSES: usize = 0;
const FAILURES: usize = 1;
const IGNORED: usize = 2;
const REJECTED: usize = 3;
const STALE: usize = 4;

impl Model {
    fn enter(&mut self, state: BreakerState) {
        self.state = state;
        self.episode += 1;
        self.results.clear();
        (self.in_flight, self.won) = (0, 0);
    }

    fn open(&mut self) {
        self.deadline = self.now + self.rules.recovery;
        self.enter(BreakerState::Open);
    }

    fn acquire(&mut self) -> Option<(u32, bool)> {
        let waiting = matches!(self.state, BreakerState::Open | BreakerState::ForcedOpen);
        if waiting && self.now >= self.deadline {
            self.enter(BreakerState::HalfOpen);
        }
        let probe = self.state == BreakerState::HalfOpen;
        let full = probe && self.in_flight + self.won >= self.rules.half_open;
        if full || matches!(self.state, BreakerState::Open | BreakerState::ForcedOpen) {
            self.totals[REJECTED] += 1;
            return None;
        }
        self.in_flight += usize::from(probe);
        Some((self.episode, probe))
    }

    /// `None` is neutral.
    fn finish(&mut self, (episode, probe): (u32, bool), failed: Option<bool>) {
        if episode != self.episode {
            self.totals[STALE] += 1;
            return;
        }
        self.totals[match failed {
            Some(false) => SUCCESSES,
            Some(true) => FAILURES,
            None => IGNORED,
        }] += 1;
        if probe {
            self.in_flight -= 1;
            match failed {
                Some(true) => self.open(),
                Some(false) => self.won += 1,
                None => {}
            }
            if self.state == BreakerState::HalfOpen && self.won >= self.rules.half_open {
                self.enter(BreakerState::Closed);
            }
            return;
        }
        let (Some(failed), BreakerState::Closed | BreakerState::MetricsOnly) = (failed, self.state)
        else {
            return;
        };
        self.results.push(failed);
        let streak = self
            .results
            .iter()
            .rev()
            .take_while(|failed| **failed)
            .count();
        let by_streak = self.rules.failures.is_some_and(|most| streak >= most);
        let by_rate = self.rules.rate.is_some_and(|(part, of, _, min)| {
            let (calls, failures) = self.window();
            calls >= min && failures as u64 * of >= part * calls as u64
        });
        if self.state == BreakerState::Closed && (by_streak || by_rate) {
            self.open();
        }
    }

    fn window(&self) -> (usize, usize) {
        let size = self.rules.rate.map_or(0, |(_, _, size, _)| size);
        let window = &self.results[self.results.len().saturating_sub(size)..];
        (
            window.len(),
            window.iter().filter(|failed| **failed).count(),
        )
    }
}

fn compare(rules: Rules, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let clock = ManualClock::new();
    let mut builder: CircuitBreakerBuilder = CircuitBreaker::builder("model")
        .clock(clock.clone())
        .recovery(Duration::from_millis(rules.recovery))
        .half_open(u32::try_from(rules.half_open).unwrap());
    if let Some(failures) = rules.failures {
        builder = builder.failures(u32::try_from(failures).unwrap());
    }
    if let Some((part, of, size, min)) = rules.rate {
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let rate = part as f64 / of as f64;
        builder = builder.failure_rate(rate).window_calls(size).min_calls(min);
    }
    let breaker = Arc::new(builder.build().unwrap());
    let mut model = Model {
        rules,
        now: 0,
        episode: 0,
        state: BreakerState::Closed,
        deadline: 0,
        results: Vec::new(),
        in_flight: 0,
        won: 0,
        totals: [0; 5],
    };
    let mut held: Vec<(OwnedPermit, (u32, bool))> = Vec::new();
    for step in 0..OPERATIONS {
        match random.u8(..100) {
            0..70 => {
                let (permit, admission) = (breaker.try_acquire_owned(), model.acquire());
                assert_eq!(
                    permit.is_ok(),
                    admission.is_some(),
                    "admission, step {step} of {seed} with {rules:?}"
                );
                if let (Ok(permit), Some(admission)) = (permit, admission) {
                    held.push((permit, admission));
                }
                // Most calls end at once, some stay in flight.
                if random.u8(..4) > 0 {
                    finish_one(&mut held, &mut model, &mut random);
                }
            }
            70..80 => finish_one(&mut held, &mut model, &mut random),
            80..82 => panic_in_a_call(&breaker, &mut model),
            82..94 => {
                let by = random.u64(..=rules.recovery);
                clock.advance(Duration::from_millis(by));
                model.now += by;
            }
            94 => {
                breaker.reset();
                model.enter(BreakerState::Closed);
            }
            95 => {
                breaker.disable();
                model.enter(BreakerState::Disabled);
            }
            96 => {
                breaker.metrics_only();
                model.enter(BreakerState::MetricsOnly);
            }
            97 => {
                breaker.automatic();
                model.enter(BreakerState::Closed);
            }
            _ => {
                let time = random.u64(..=2 * rules.recovery);
                breaker.force_open(Duration::from_millis(time));
                model.deadline = model.now + time;
                model.enter(BreakerState::ForcedOpen);
            }
        }
        let snapshot = breaker.snapshot();
        let told = format!("step {step} of {seed} with {rules:?}");
        assert_eq!(snapshot.state, model.state, "{told}");
        let totals = snapshot.totals;
        let counted = [
            totals.successes,
            totals.failures,
            totals.ignored,
            totals.rejected,
            totals.stale,
        ];
        assert_eq!(counted, model.totals, "{told}");
        if rules.rate.is_some()
            && matches!(
                model.state,
                BreakerState::Closed | BreakerState::MetricsOnly
            )
        {
            let (calls, failures) = model.window();
            let window = (snapshot.window.calls, snapshot.window.failures);
            assert_eq!(window, (calls as u64, failures as u64), "{told}");
        }
    }
}

/// A call through a closure that unwinds: a failure, and it goes on unwinding.
fn panic_in_a_call(breaker: &CircuitBreaker, model: &mut Model) {
    let admission = model.acquire();
    // Past the hook that would print it.
    let call =
        || breaker.call(|| -> Result<(), Rejected> { resume_unwind(Box::new("on purpose")) });
    let unwound = catch_unwind(AssertUnwindSafe(call)).is_err();
    assert_eq!(unwound, admission.is_some());
    if let Some(admission) = admission {
        model.finish(admission, Some(true));
    }
}

fn finish_one(
    held: &mut Vec<(OwnedPermit, (u32, bool))>,
    model: &mut Model,
    random: &mut fastrand::Rng,
) {
    if held.is_empty() {
        return;
    }
    let (permit, admission) = held.swap_remove(random.usize(..held.len()));
    match random.u8(..10) {
        0..5 => {
            permit.success();
            model.finish(admission, Some(false));
        }
        5..9 => {
            permit.failure();
            model.finish(admission, Some(true));
        }
        _ => {
            drop(permit);
            model.finish(admission, None);
        }
    }
}

#[test]
fn the_breaker_does_as_the_model() {
    let rules = |failures, rate, half_open| Rules {
        failures,
        rate,
        recovery: 100,
        half_open,
    };
    for rules in [
        rules(Some(3), None, 1),
        rules(Some(1), None, 3),
        rules(None, Some((1, 2, 4, 4)), 2),
        rules(None, Some((2, 3, 10, 3)), 1),
        rules(Some(4), Some((29, 100, 7, 5)), 2),
    ] {
        for seed in 0..CASES {
            compare(rules, seed);
        }
    }
}
