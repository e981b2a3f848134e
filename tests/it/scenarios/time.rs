//! Waits and limits of time: under tokio's paused time, and without any runtime.

use std::cell::RefCell;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use error_runtime::{
    BreakerState, CircuitBreaker, Jitter, RateLimiter, Rejected, RetryPolicy, RetryStop, retry,
    timeout, with_timeout,
};
use tokio::time::Instant;

use super::{Count, Error, millis};
use crate::breaker::{S, seconds};

#[timeout("2s")]
async fn takes(time: Duration) -> Result<Duration, Error> {
    tokio::time::sleep(time).await;
    Ok(time)
}

#[tokio::test(start_paused = true)]
async fn a_timeout_ends_what_takes_longer() {
    let start = Instant::now();
    assert_eq!(takes(millis(1999)).await, Ok(millis(1999)));
    assert_eq!(start.elapsed(), millis(1999));
    let start = Instant::now();
    let late = Err(Rejected::Timeout.into());
    assert_eq!(takes(millis(2001)).await, late);
    assert_eq!(start.elapsed(), seconds(2));
    // Ready at the same moment: the result is there, so it counts.
    assert_eq!(takes(seconds(2)).await, Ok(seconds(2)));
    // It counts from the first poll.
    let early = takes(millis(1500));
    tokio::time::sleep(seconds(10)).await;
    assert_eq!(early.await, Ok(millis(1500)));
    let none = with_timeout(Duration::ZERO, std::future::ready(Ok::<_, Error>(1)));
    assert_eq!(none.await, Ok(1), "ready at once");
}

#[retry(
    attempts = 4,
    base = "100ms",
    jitter = "none",
    attempt_timeout = "1s",
    deadline = "3s"
)]
async fn limited(takes: &[u64], started: &RefCell<Vec<Instant>>) -> Result<usize, Error> {
    let attempt = started.borrow().len();
    started.borrow_mut().push(Instant::now());
    tokio::time::sleep(millis(takes[attempt])).await;
    Ok(attempt)
}

#[tokio::test(start_paused = true)]
async fn attempts_have_their_limit_within_the_deadline() {
    let run = async |takes: &[u64]| {
        let (start, started) = (Instant::now(), RefCell::default());
        let result = limited(takes, &started).await;
        let started = started.into_inner();
        let started: Vec<_> = started.iter().map(|at| (*at - start).as_millis()).collect();
        (result, started, start.elapsed().as_millis())
    };
    assert_eq!(run(&[999]).await, (Ok(0), vec![0], 999));
    assert_eq!(run(&[1001, 5]).await, (Ok(1), vec![0, 1100], 1105));
    // The third may take what is left of three seconds: 1000 + 100 + 1000 + 200 + 700.
    let late = Err(Rejected::Timeout.into());
    assert_eq!(
        run(&[5000, 5000, 5000]).await,
        (late, vec![0, 1100, 2300], 3000)
    );
    assert_eq!(
        run(&[5000, 5000, 699]).await,
        (Ok(2), vec![0, 1100, 2300], 2999)
    );
}

#[retry(
    attempts = 10,
    base = "400ms",
    factor = 1.0,
    jitter = "none",
    deadline = "1s"
)]
async fn until_the_deadline(calls: &Count) -> Result<(), Error> {
    calls.up();
    Err(Error::Busy)
}

#[tokio::test(start_paused = true)]
async fn the_default_clock_follows_paused_time() {
    let (start, calls) = (Instant::now(), Count::new());
    assert_eq!(until_the_deadline(&calls).await, Err(Error::Busy));
    assert_eq!((calls.get(), start.elapsed()), (3, millis(800)));

    // To the nanosecond: a wait that ends at the deadline is not begun, one that ends before it is.
    for (deadline, attempts) in [(1000, 1), (1001, 2)] {
        let policy = RetryPolicy::builder()
            .jitter(Jitter::None)
            .deadline(millis(deadline))
            .build()
            .unwrap();
        let (_, report) = policy
            .call_async_with_report(|| async { Err::<(), _>(Error::Busy) })
            .await;
        assert_eq!(
            (report.attempts, report.stop),
            (attempts, RetryStop::Deadline)
        );
    }
}

/// What waits outside of paused time would make too slow to test.
#[tokio::test(start_paused = true)]
async fn breakers_and_limits_follow_paused_time() {
    let breaker = CircuitBreaker::builder("paused")
        .failures(2)
        .failure_rate(1.0)
        .slow_call(seconds(2))
        .slow_rate(0.5)
        .window_time(seconds(60))
        .min_calls(2)
        .recovery(seconds(30))
        .half_open(1)
        .build()
        .unwrap();
    let take = async |time| {
        breaker
            .call_async(async {
                tokio::time::sleep(time).await;
                Ok::<_, Error>(())
            })
            .await
    };
    take(seconds(3)).await.unwrap();
    tokio::time::sleep(seconds(61)).await;
    assert_eq!(breaker.snapshot().window.calls, 0, "the window has passed");
    take(seconds(2)).await.unwrap();
    take(millis(1999)).await.unwrap();
    assert_eq!(breaker.snapshot().totals.slow, 2);
    assert_eq!(breaker.state(), BreakerState::Open);
    tokio::time::sleep(millis(29_999)).await;
    assert!(take(Duration::ZERO).await.is_err());
    tokio::time::sleep(millis(1)).await;
    take(Duration::ZERO).await.unwrap();
    assert_eq!(breaker.state(), BreakerState::Closed);

    let limiter = RateLimiter::new(2, S).unwrap();
    let passes = || limiter.try_acquire().is_ok();
    assert_eq!([passes(), passes(), passes()], [true, true, false]);
    tokio::time::sleep(millis(500)).await;
    assert_eq!([passes(), passes()], [true, false]);
    tokio::time::sleep(seconds(5)).await;
    assert_eq!([passes(), passes(), passes()], [true, true, false]);
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The smallest executor: it has no timers.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    assert!(tokio::runtime::Handle::try_current().is_err());
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return value;
        }
        thread::park();
    }
}

#[retry(attempts = 3, base = "2ms", attempt_timeout = "1h")]
async fn without_a_runtime(calls: &Count) -> Result<u32, Error> {
    match calls.up() {
        3 => Ok(3),
        _ => Err(Error::Busy),
    }
}

#[retry(attempts = 3, base = "2ms")]
fn without_futures(calls: &Count) -> Result<u32, Error> {
    match calls.up() {
        3 => Ok(3),
        _ => Err(Error::Busy),
    }
}

#[timeout("2ms")]
async fn never() -> Result<(), Error> {
    std::future::pending().await
}

#[test]
fn waits_need_no_runtime() {
    assert_eq!(block_on(without_a_runtime(&Count::new())), Ok(3));
    assert_eq!(without_futures(&Count::new()), Ok(3));
    assert_eq!(block_on(never()), Err(Rejected::Timeout.into()));
    let policy = RetryPolicy::builder()
        .base(millis(1))
        .jitter(Jitter::None)
        .attempt_timeout(millis(1))
        .build()
        .unwrap();
    let (result, report) =
        block_on(policy.call_async_with_report(std::future::pending::<Result<(), Error>>));
    assert_eq!(result, Err(Rejected::Timeout.into()));
    assert_eq!((report.attempts, report.stop), (3, RetryStop::Exhausted));
    // Many at a time, on executors of their own.
    super::race(8, |_| {
        assert_eq!(block_on(without_a_runtime(&Count::new())), Ok(3));
        assert_eq!(block_on(never()), Err(Rejected::Timeout.into()));
    });
}

#[test]
fn a_manual_clock_ends_an_attempt_that_hangs() {
    use std::future::{Future as _, pending};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::{Context, Poll, Wake, Waker};
    use std::time::Duration;

    use error_runtime::time::ManualClock;
    use error_runtime::{Rejected, RetryPolicy};

    struct Count(AtomicU32);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    let clock = ManualClock::new();
    let policy = RetryPolicy::builder()
        .attempts(2)
        .base(Duration::ZERO)
        .clock(clock.clone())
        .attempt_timeout(Duration::from_secs(2))
        .build()
        .unwrap();
    let woken = Arc::new(Count(AtomicU32::new(0)));
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    let mut call = std::pin::pin!(policy.call_async(pending::<Result<(), Rejected>>));
    assert!(call.as_mut().poll(&mut context).is_pending());
    clock.advance(Duration::from_secs(1));
    assert_eq!(woken.0.load(Ordering::Relaxed), 0, "there is time left");
    clock.advance(Duration::from_secs(1));
    assert_eq!(woken.0.load(Ordering::Relaxed), 1, "the attempt is over");
    assert!(call.as_mut().poll(&mut context).is_pending(), "the second");
    clock.advance(Duration::from_secs(2));
    assert_eq!(woken.0.load(Ordering::Relaxed), 2);
    let ended = call.as_mut().poll(&mut context);
    assert_eq!(ended, Poll::Ready(Err(Rejected::Timeout)));
}
