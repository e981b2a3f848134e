//! The peers, each configured as near to ours as it can be.

use std::time::Duration;

use harness::Case;

use crate::{Oops, awaited, bad, block_on, op};

const WAIT: Duration = Duration::from_secs(3600);

pub const FAILSAFE: &str = "failsafe: closed, consecutive";
pub const RECLOSER: &str = "recloser: closed, count window";
pub const BREAKER: &str = "breaker: closed, async";
pub const SEATBELT: &str = "seatbelt: closed, time window, async";
pub const TOWER_RESILIENCE: &str = "tower-resilience: closed, count window, async";
pub const RECLOSER_ASYNC: &str = "recloser: closed, async";
pub const FAILSAFE_OPEN: &str = "failsafe: open";
pub const RECLOSER_OPEN: &str = "recloser: open";
pub const BREAKER_OPEN: &str = "breaker: open, async";

pub fn cases() -> Vec<Case> {
    let mut cases = failsafe();
    cases.extend(recloser());
    cases.extend(breaker());
    cases.push(seatbelt());
    cases.push(tower_resilience());
    cases
}

fn failsafe() -> Vec<Case> {
    use failsafe::{CircuitBreaker as _, Config, backoff, failure_policy::consecutive_failures};
    let new = || {
        Config::new()
            .failure_policy(consecutive_failures(5, backoff::constant(WAIT)))
            .build()
    };
    let (closed, open) = (new(), new());
    (0..8).for_each(|_| _ = open.call(bad));
    assert!(open.call(op).is_err());
    vec![
        Case::new(FAILSAFE, move || closed.call(op)),
        Case::new(FAILSAFE_OPEN, move || open.call(op)),
    ]
}

fn recloser() -> Vec<Case> {
    let new = || {
        recloser::Recloser::custom()
            .error_rate(0.5)
            .closed_len(100)
            .open_wait(WAIT)
            .build()
    };
    let (closed, open) = (new(), new());
    (0..202).for_each(|_| _ = open.call(bad));
    assert!(open.call(op).is_err());
    let waiting = recloser::AsyncRecloser::from(new());
    vec![
        Case::new(RECLOSER, move || closed.call(op)),
        Case::new(RECLOSER_OPEN, move || open.call(op)),
        awaited!(RECLOSER_ASYNC, waiting.call(async { op() })),
    ]
}

fn breaker() -> Vec<Case> {
    use breaker::{BackoffStrategy, CircuitBreaker, CircuitBreakerConfig};
    let new = || {
        CircuitBreaker::new(
            CircuitBreakerConfig::builder()
                .consecutive_failures(5)
                .backoff(BackoffStrategy::Fixed(WAIT))
                .build(),
        )
    };
    let (closed, open) = (new(), new());
    block_on(async {
        for _ in 0..20 {
            let _ = open.call(|| async { bad() }).await;
        }
        assert!(open.call(|| async { op() }).await.is_err());
    });
    vec![
        awaited!(BREAKER, closed.call(|| async { op() })),
        awaited!(BREAKER_OPEN, open.call(|| async { op() })),
    ]
}

fn seatbelt() -> Case {
    use layered::{Execute, Service as _, Stack};
    use seatbelt::{RecoveryInfo, ResilienceContext, breaker::Breaker};
    let clock = block_on(async { tick::Clock::new_tokio() });
    let context: ResilienceContext<bool, Result<u64, Oops>> =
        ResilienceContext::new(&clock).name("bench");
    let service = (
        Breaker::layer("bench", &context)
            .recovery_with(|output: &Result<u64, Oops>, _| match output {
                Ok(_) => RecoveryInfo::never(),
                Err(_) => RecoveryInfo::retry(),
            })
            .rejected_input(|_: bool, _| Err(Oops))
            .break_duration(WAIT)
            .min_throughput(10),
        Execute::new(|_: bool| async { op() }),
    )
        .into_service();
    awaited!(SEATBELT, service.execute(true))
}

fn tower_resilience() -> Case {
    use tower::{Layer as _, Service as _, ServiceExt as _};
    let mut service = tower_resilience_circuitbreaker::CircuitBreakerLayer::builder()
        .failure_rate_threshold(0.5)
        .sliding_window_size(100)
        .wait_duration_in_open(WAIT)
        .build()
        .expect("valid rules")
        .layer(tower::service_fn(|_: bool| async { op() }));
    Case::batch(TOWER_RESILIENCE, move |times| {
        block_on(async {
            for _ in 0..times {
                let ready = service.ready().await.expect("it is always ready");
                let _ = std::hint::black_box(ready.call(true).await);
            }
        });
    })
}
