//! A guarded call that is dropped half-way gives back all that it has taken.

use std::task::Poll;

use error_runtime::{
    BreakerHandle, BreakerState, Breakers, RetryBudget, bulkhead, circuit_breaker, fallback,
    rate_limit, retry, timeout,
};

use super::{Count, Error, Yield, millis};

/// What the body of one call does: it fails until an attempt that succeeds (0 is none), and yields in
/// between.
struct Script {
    succeeds_at: u32,
    attempts: Count,
    failures: Count,
}

impl Script {
    fn new(succeeds_at: u32) -> Self {
        Self {
            succeeds_at,
            attempts: Count::new(),
            failures: Count::new(),
        }
    }

    async fn attempt(&self) -> Result<u32, Error> {
        let attempt = self.attempts.up();
        Yield::default().await;
        Yield::default().await;
        if attempt == self.succeeds_at {
            return Ok(attempt);
        }
        self.failures.up();
        Err(Error::Busy)
    }
}

async fn instead(error: Error) -> Result<u32, Error> {
    Yield::default().await;
    match error {
        Error::Busy => Ok(0),
        // A slot or a probe that was not given back would be seen here.
        refused => Err(refused),
    }
}

#[fallback(instead(error).await)]
#[retry(
    attempts = 3,
    base = "10ms",
    jitter = "none",
    factor = 1.0,
    budget = "scenarios-drops"
)]
#[circuit_breaker(service = "scenarios-drops", failures = 1_000_000)]
#[rate_limit(calls = 1_000_000, per = "1s")]
#[timeout("1h")]
#[bulkhead(max = 1)]
async fn closed(script: &Script) -> Result<u32, Error> {
    script.attempt().await
}

#[fallback(instead(error).await)]
#[retry(
    attempts = 3,
    base = "10ms",
    jitter = "none",
    factor = 1.0,
    budget = "scenarios-probes"
)]
#[circuit_breaker(
    service = "scenarios-probes",
    failures = 1,
    recovery = "0s",
    half_open = 1
)]
#[rate_limit(calls = 1_000_000, per = "1s")]
#[timeout("1h")]
#[bulkhead(max = 1)]
async fn half_open(script: &Script) -> Result<u32, Error> {
    script.attempt().await
}

/// Polls a call so many times, with a wait's length between, and drops it. True if it was over before.
async fn dropped_after(polls: u32, call: impl Future<Output = Result<u32, Error>>) -> bool {
    let mut call = Box::pin(call);
    for _ in 0..polls {
        let polled = std::future::poll_fn(|context| Poll::Ready(call.as_mut().poll(context))).await;
        if let Poll::Ready(result) = polled {
            result.expect("the fallback stands in for what is busy");
            return true;
        }
        tokio::time::advance(millis(10)).await;
    }
    false
}

fn breaker(name: &str) -> BreakerHandle {
    Breakers::global()
        .get(name)
        .expect("the call before registered it")
}

/// One by one, each acquisition has ended.
fn ended(breaker: &BreakerHandle) -> u64 {
    let totals = breaker.snapshot().totals;
    totals.successes + totals.failures + totals.ignored + totals.stale + totals.rejected
}

#[tokio::test(start_paused = true)]
async fn nothing_is_kept_wherever_a_call_is_dropped() {
    let budget = RetryBudget::tokens(1000, 1).unwrap();
    assert!(budget.register("scenarios-drops"));
    closed(&Script::new(1)).await.unwrap();
    let breaker = breaker("scenarios-drops");
    for succeeds_at in [1, 2, 3, 0] {
        for polls in 0.. {
            let (tokens, ends) = (budget.available(), ended(&breaker));
            let script = Script::new(succeeds_at);
            let over = dropped_after(polls, closed(&script)).await;
            let (attempts, failures) = (script.attempts.get(), script.failures.get());
            assert_eq!(
                ended(&breaker),
                ends + u64::from(attempts),
                "each attempt is accounted for: {succeeds_at}, {polls}"
            );
            // A retry that failed has used its token up, all others are back; a call that succeeds at once
            // gives one to a budget that is not full.
            let spent = u64::from(failures.saturating_sub(1));
            let earned = u64::from(over && succeeds_at == 1);
            assert_eq!(
                budget.available(),
                (tokens - spent + earned).min(1000),
                "{succeeds_at}, {polls}"
            );
            // The only slot is free.
            assert_eq!(closed(&Script::new(1)).await, Ok(1));
            if over {
                assert!(polls > 2, "each point was visited");
                break;
            }
        }
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn no_probe_is_kept_wherever_a_call_is_dropped() {
    let budget = RetryBudget::tokens(1000, 1).unwrap();
    assert!(budget.register("scenarios-probes"));
    half_open(&Script::new(1)).await.unwrap();
    let breaker = breaker("scenarios-probes");
    for succeeds_at in [1, 2, 3, 0] {
        for polls in 0.. {
            // The next call is a probe.
            breaker.force_open(millis(0));
            let (tokens, ends) = (budget.available(), ended(&breaker));
            let script = Script::new(succeeds_at);
            let over = dropped_after(polls, half_open(&script)).await;
            assert_eq!(ended(&breaker), ends + u64::from(script.attempts.get()));
            let spent = u64::from(script.failures.get().saturating_sub(1));
            let earned = u64::from(over && succeeds_at == 1);
            assert_eq!(budget.available(), (tokens - spent + earned).min(1000));
            let state = breaker.state();
            let closes = over && succeeds_at > 0;
            assert_eq!(state == BreakerState::Closed, closes, "{state:?} {polls}");
            assert!(breaker.snapshot().would_admit, "{succeeds_at}, {polls}");
            // The only probe and the only slot are free, and the probe closes.
            assert_eq!(half_open(&Script::new(1)).await, Ok(1));
            assert_eq!(breaker.state(), BreakerState::Closed);
            if over {
                assert!(polls > 2, "each point was visited");
                break;
            }
        }
    }
}
