//! The attributes on every shape of function.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};

use error_runtime::{
    ApiError, BreakerState, Breakers, CircuitBreaker, Outcome, Rejected, bulkhead, circuit_breaker,
    fallback, rate_limit, recover, retry, timeout,
};

#[derive(Debug, PartialEq, ApiError)]
enum Error {
    #[api(status = 503)]
    Busy,
    #[api(status = 404)]
    Missing,
    #[api(transparent)]
    Rejected(#[from] Rejected),
}

#[retry(attempts = 3, base = "0s")]
fn plain(calls: &AtomicU32) -> Result<u32, Error> {
    let call = calls.fetch_add(1, Ordering::Relaxed) + 1;
    if call < 3 { Err(Error::Busy) } else { Ok(call) }
}

#[retry(attempts = 3, base = "0s")]
#[circuit_breaker(service = "attributes-all", failures = 100)]
#[rate_limit(calls = 1000, per = "1s")]
#[timeout("2s")]
#[bulkhead(max = 10)]
async fn all(calls: &AtomicU32) -> Result<u32, Error> {
    let call = calls.fetch_add(1, Ordering::Relaxed) + 1;
    if call < 3 {
        Err(Error::Busy)?;
    }
    Ok(call)
}

#[recover(service = "attributes-recover", attempts = 2, base = "0s", fallback = saved(path, &error).await)]
async fn upload(path: &str) -> Result<String, Error> {
    if path == "missing" {
        return Err(Error::Missing);
    }
    Err(Error::Busy)
}

async fn saved(path: &str, error: &Error) -> Result<String, Error> {
    tokio::task::yield_now().await;
    Ok(format!("{path} for {error:?}"))
}

/// The word `error` stands for a macro here, and is no mention of the error.
#[fallback({ noted::error!(); Ok(1) })]
fn mentioned() -> Result<u32, Error> {
    Err(Error::Busy)
}

mod noted {
    macro_rules! error {
        () => {};
    }
    pub(super) use error;
}

static OWN: CircuitBreaker = CircuitBreaker::const_builder("attributes-own")
    .failures(1)
    .build_const();

/// Counts a success as a failure, to see that the closure is asked.
#[circuit_breaker(breaker = OWN, when = |result| if result.is_ok() { Outcome::Trip } else { Outcome::Ok })]
fn own(ok: bool) -> Result<(), Error> {
    if ok { Ok(()) } else { Err(Error::Busy) }
}

/// One that is made at run time, and kept elsewhere too.
static MADE: LazyLock<Arc<CircuitBreaker>> = LazyLock::new(|| {
    let builder = CircuitBreaker::builder("attributes-made");
    Arc::new(builder.failures(1).build().expect("valid rules"))
});

#[circuit_breaker(breaker = MADE)]
fn made_later() -> Result<(), Error> {
    Err(Error::Busy)
}

#[test]
fn a_static_breaker_with_a_closure() {
    assert_eq!(made_later(), Err(Error::Busy));
    assert_eq!(MADE.state(), BreakerState::Open);

    assert_eq!(own(false), Err(Error::Busy));
    assert_eq!(OWN.state(), BreakerState::Closed);
    assert_eq!(own(true), Ok(()));
    assert_eq!(OWN.state(), BreakerState::Open);
    assert!(matches!(own(true), Err(Error::Rejected(_))));
    assert!(Breakers::global().get("attributes-own").is_some());
}

#[tokio::test]
async fn they_stack() {
    assert_eq!(plain(&AtomicU32::new(0)), Ok(3));
    assert_eq!(mentioned(), Ok(1));
    let calls = AtomicU32::new(0);
    assert_eq!(all(&calls).await, Ok(3));
    assert_eq!(upload("a").await.unwrap(), "a for Busy");
    assert_eq!(upload("missing").await, Err(Error::Missing));
    let breaker = Breakers::global().get("attributes-all").unwrap();
    assert_eq!(breaker.snapshot().totals.failures, 2);
    assert_eq!(breaker.snapshot().totals.successes, 1);
}

mod shapes {
    //! Receivers, generics, lifetimes, `impl Trait`, patterns, early returns.

    use super::*;
    use std::cell::Cell;
    use std::fmt::Display;
    use std::pin::Pin;

    #[derive(Default)]
    struct Client {
        calls: u32,
        log: Vec<String>,
    }

    trait Upstream {
        fn ping(&mut self) -> Result<u32, Error>;

        #[retry(attempts = 2, base = "0s")]
        fn provided(&mut self) -> Result<u32, Error> {
            self.ping()
        }

        async fn later(&self, text: String) -> Result<String, Error>;
    }

    impl Upstream for Client {
        #[retry(attempts = 3, base = "0s", nested = true)]
        fn ping(&mut self) -> Result<u32, Error> {
            self.calls += 1;
            if self.calls < 3 {
                return Err(Error::Busy);
            }
            Ok(self.calls)
        }

        #[retry(base = "0s", clone(text))]
        #[circuit_breaker(service = "attributes-shapes", failures = 50)]
        async fn later(&self, text: String) -> Result<String, Error> {
            let moved = text;
            Ok(moved)
        }
    }

    impl Client {
        /// A result that borrows from the receiver: a breaker alone allows it.
        #[circuit_breaker(service = "attributes-shapes", failures = 50)]
        fn borrow(&mut self, line: &str) -> Result<&mut String, Error> {
            self.log.push(line.to_owned());
            self.log.last_mut().ok_or(Error::Missing)
        }

        #[circuit_breaker(service = "attributes-shapes", failures = 50)]
        async fn borrow_later(&mut self, line: &str) -> Result<&mut String, Error> {
            tokio::task::yield_now().await;
            self.log.push(line.to_owned());
            self.log.last_mut().ok_or(Error::Missing)
        }

        #[fallback(Ok(Self::default()))]
        fn consume(self) -> Result<Self, Error> {
            let this = self;
            if this.calls == 0 {
                Err(Error::Busy)
            } else {
                Ok(this)
            }
        }

        #[retry(base = "0s")]
        async fn boxed(self: Box<Self>) -> Result<u32, Error> {
            Ok(self.calls)
        }

        #[retry(base = "0s")]
        async fn pinned(self: Pin<&mut Self>) -> Result<u32, Error> {
            Ok(self.calls)
        }
    }

    #[retry(base = "0s")]
    fn generic<'a, T, const N: usize>(
        value: &'a T,
        mut times: impl FnMut() -> usize,
    ) -> Result<impl Iterator<Item = String>, Error>
    where
        T: Display + ?Sized + 'a,
    {
        let count = times() + N;
        Ok((0..count).map(move |_| value.to_string()))
    }

    #[retry(base = "0s")]
    fn patterns((left, right): (u32, u32), [first, ..]: [u32; 2], _: bool) -> Result<u32, Error> {
        Ok(left + right + first)
    }

    #[retry(attempts = 3, base = "0s")]
    #[must_use = "kept"]
    #[doc = "kept"]
    #[allow(clippy::needless_return, reason = "the point of the test")]
    async fn returns(calls: &Cell<u32>) -> Result<u32, Error> {
        #![allow(unused_mut, reason = "an inner attribute of the body")]
        calls.set(calls.get() + 1);
        let mut early = || -> Option<u32> { return (calls.get() > 1).then_some(7) };
        let found = 'found: {
            if calls.get() == 9 {
                break 'found 9;
            }
            for value in [1, 2] {
                if value == 2 {
                    break 'found value;
                }
            }
            0
        };
        let inner = async {
            Err::<(), _>(Error::Busy)?;
            Ok::<_, Error>(())
        };
        assert!(inner.await.is_err());
        let Some(seven) = early() else {
            return Err(Error::Busy);
        };
        if seven == 7 {
            return Ok(seven + found);
        }
        Err(Error::Missing)
    }

    #[expect(clippy::manual_async_fn, reason = "the point of the test")]
    #[retry(base = "0s")]
    fn future(calls: &AtomicU32) -> impl Future<Output = Result<u32, Error>> + Send {
        async move {
            match calls.fetch_add(1, Ordering::Relaxed) {
                0 => Err(Error::Busy),
                call => Ok(call),
            }
        }
    }

    #[circuit_breaker(service = "attributes-shapes", failures = 50)]
    async fn owns(cell: Cell<u32>) -> Result<u32, Error> {
        tokio::task::yield_now().await;
        cell.set(cell.get() + 1);
        Ok(cell.get())
    }

    /// Not what `#[async_trait]` writes, though it looks alike: all of it is the body.
    #[retry(attempts = 3, base = "0s")]
    fn by_hand(
        start: Option<u32>,
        calls: &AtomicU32,
    ) -> Pin<Box<dyn Future<Output = Result<u32, Error>> + Send + '_>> {
        Box::pin(async move {
            if let Some(9) = start {
                calls.fetch_add(1, Ordering::Relaxed);
                return Err(Error::Busy);
            }
            let first = start;
            let mut seen = first.unwrap_or_default();
            seen += calls.fetch_add(1, Ordering::Relaxed);
            if seen < 12 {
                Err(Error::Busy)
            } else {
                Ok(seen)
            }
        })
    }

    #[tokio::test]
    async fn a_boxed_future_by_hand_is_guarded_whole() {
        let calls = AtomicU32::new(0);
        assert_eq!(by_hand(Some(9), &calls).await, Err(Error::Busy));
        assert_eq!(calls.load(Ordering::Relaxed), 3);
        let calls = AtomicU32::new(0);
        assert_eq!(by_hand(Some(10), &calls).await, Ok(12));
    }

    macro_rules! from_a_macro {
        ($name:ident, $attempts:literal, $body:block) => {
            #[retry(attempts = $attempts, base = "0s")]
            fn $name() -> Result<u32, Error> $body
        };
    }
    from_a_macro!(made, 2, {
        CALLS.fetch_add(1, Ordering::Relaxed);
        Err(Error::Busy)
    });
    static CALLS: AtomicU32 = AtomicU32::new(0);

    /// Leaves the function instead of giving a value.
    #[fallback(return Ok(format!("{error:?}").len()))]
    fn diverges() -> Result<usize, Error> {
        Err(Error::Busy)
    }

    #[fallback(panic!("{error:?}"))]
    async fn panics() -> Result<usize, Error> {
        Ok(1)
    }

    #[tokio::test]
    async fn fallbacks_may_diverge_and_bodies_come_from_macros() {
        assert_eq!(diverges(), Ok(4));
        assert_eq!(panics().await, Ok(1));
        assert_eq!(made(), Err(Error::Busy));
        assert_eq!(CALLS.load(Ordering::Relaxed), 2);
    }

    #[async_trait::async_trait]
    trait Storage {
        async fn put(&mut self, name: String, (left, right): (u32, u32)) -> Result<u32, Error>;

        #[retry(attempts = 2, base = "0s")]
        async fn given(&self, calls: &AtomicU32) -> Result<u32, Error> {
            match calls.fetch_add(1, Ordering::Relaxed) {
                0 => Err(Error::Busy),
                call => Ok(call),
            }
        }
    }

    #[async_trait::async_trait]
    impl Storage for Client {
        /// Kept.
        #[fallback(Ok(self.calls + left))]
        #[retry(attempts = 3, base = "0s", clone(name))]
        #[circuit_breaker(service = "attributes-shapes", failures = 50)]
        #[timeout("5s")]
        async fn put(&mut self, name: String, (left, right): (u32, u32)) -> Result<u32, Error> {
            tokio::task::yield_now().await;
            self.log.push(name);
            self.calls += right;
            if self.calls < left {
                Err(Error::Busy)?;
            }
            Ok(self.calls)
        }
    }

    #[tokio::test]
    async fn methods_that_async_trait_has_rewritten() {
        let mut client = Client::default();
        assert_eq!(client.put("name".to_owned(), (2, 1)).await, Ok(2));
        assert_eq!(client.log, ["name", "name"]);
        client.calls = 0;
        let given_up = send(client.put("name".to_owned(), (100, 1))).await;
        assert_eq!(given_up, Ok(103), "three attempts and the fallback");
        let boxed: Box<dyn Storage + Send + Sync> = Box::new(client);
        assert_eq!(boxed.given(&AtomicU32::new(0)).await, Ok(1));
    }

    fn send<T: Send>(value: T) -> T {
        value
    }

    #[tokio::test]
    async fn every_shape_runs() {
        let mut client = Client::default();
        assert_eq!(client.ping(), Ok(3));
        client.calls = 0;
        assert_eq!(client.provided(), Ok(3));
        assert_eq!(client.later("text".to_owned()).await.unwrap(), "text");
        client.borrow("line").unwrap().push('!');
        client.borrow_later("later").await.unwrap().push('!');
        assert_eq!(client.log, ["line!", "later!"]);
        assert_eq!(Pin::new(&mut client).pinned().await, Ok(3));
        assert_eq!(Box::new(client).boxed().await, Ok(3));
        assert_eq!(Client::default().consume().unwrap().calls, 0);
        let all: Vec<_> = generic::<_, 1>("x", || 2).unwrap().collect();
        assert_eq!(all, ["x", "x", "x"]);
        assert_eq!(patterns((1, 2), [3, 4], true), Ok(6));
        let calls = Cell::new(0);
        assert_eq!(returns(&calls).await, Ok(9));
        assert_eq!(calls.get(), 2);
        assert_eq!(send(future(&AtomicU32::new(0))).await, Ok(1));
        assert_eq!(send(owns(Cell::new(1))).await, Ok(2));
    }
}
