//! A guarded call takes nothing from the heap, whether it succeeds or fails.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use error_runtime::{Breakers, CircuitBreaker, RetryPolicy};
use isolated_no_allocation::{
    CallError, Do, Pause, broken, broken_async, paid, rated, recovered, refused, refused_async,
    retried, retried_async, stacked, stacked_async, stacked_waiting,
};

/// The system's allocator, with a count for each thread: tests run beside each other.
struct Counting;

thread_local! {
    // Neither made lazily nor dropped, so that counting allocates nothing.
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

// The only unsafe code of the repository: an allocator cannot be written without. It hands everything on.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        unsafe { System.realloc(memory, layout, size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How many times this thread allocates meanwhile.
fn allocations(run: impl FnOnce()) -> u64 {
    let before = COUNT.get();
    run();
    COUNT.get() - before
}

/// Runs a future that only waits for itself.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

const ALL: [Do; 3] = [Do::Succeed, Do::Fail, Do::Miss];

/// Warms up, and then counts over several calls of each kind; on this thread and on a fresh one.
fn check(name: &str, warm_up: &[Do], call: impl Fn(Do) -> Result<u64, CallError> + Sync) {
    let counts = || {
        // On each thread: counters of a breaker are the thread's own, and made when it first comes by.
        for what in warm_up {
            assert_eq!(call(*what).is_ok(), matches!(what, Do::Succeed), "{name}");
        }
        ALL.map(|what| {
            allocations(|| {
                for _ in 0..10 {
                    assert_eq!(call(what).is_ok(), matches!(what, Do::Succeed), "{name}");
                }
            })
        })
    };
    assert_eq!(counts(), [0; 3], "{name}, {ALL:?}");
    let others = std::thread::scope(|scope| scope.spawn(counts).join());
    let others = others.expect("it only counts");
    assert_eq!(others, [0; 3], "{name}, {ALL:?}, another thread");
}

#[test]
fn what_allocates_is_counted() {
    let mut list = Vec::new();
    assert_eq!(allocations(|| list.push(Box::new(1_u8))), 2);
    assert_eq!(allocations(|| list.reserve(100)), 1, "a larger one");
    assert_eq!(allocations(|| drop(vec![0_u8; 100])), 1, "zeroed");
    assert_eq!(allocations(|| list.clear()), 0);
    assert_eq!(allocations(|| block_on(Pause::default())), 0);
}

/// Three attempts where it fails. Nothing but the first call, which need not fail, makes it ready.
#[test]
fn retries() {
    check("retried", &[Do::Succeed], retried);
    check("retried_async", &[Do::Succeed], |what| {
        block_on(retried_async(what))
    });
    check("paid", &[Do::Succeed], paid);
}

#[test]
fn breakers() {
    check("broken", &[Do::Succeed], broken);
    check("broken_async", &[Do::Succeed], |what| {
        block_on(broken_async(what))
    });
    // The first failure makes the window.
    check("rated", &ALL, rated);
}

#[test]
fn all_policies() {
    check("stacked", &[Do::Succeed], stacked);
    check("stacked_async", &[Do::Succeed], |what| {
        block_on(stacked_async(what))
    });
}

#[test]
fn fallbacks() {
    recovered(Do::Succeed).unwrap();
    assert_eq!(
        allocations(|| {
            assert_eq!(recovered(Do::Succeed), Ok(1));
            assert_eq!(recovered(Do::Fail), Ok(2));
            assert_eq!(recovered(Do::Miss), Err(CallError::Missing));
        }),
        0
    );
}

/// Without macros.
#[test]
fn builders() {
    let policy = RetryPolicy::builder()
        .base(Duration::ZERO)
        .operation("built".to_owned())
        .build()
        .unwrap();
    check("RetryPolicy::call", &[], |what| {
        policy.call(|| what.result())
    });
    check("RetryPolicy::call_async", &[], |what| {
        block_on(policy.call_async(|| async {
            Pause::default().await;
            what.result()
        }))
    });
    let breaker = CircuitBreaker::builder("built".to_owned())
        .failures(1_000_000)
        .failure_rate(1.0)
        .window_calls(8)
        .build()
        .unwrap();
    breaker.metrics_only();
    // Until it is full the window grows.
    let full: Vec<Do> = ALL.into_iter().chain([Do::Fail; 10]).collect();
    check("CircuitBreaker::call", &full, |what| {
        breaker.call(|| what.result())
    });
    check("CircuitBreaker::call_async", &full, |what| {
        block_on(breaker.call_async(async {
            Pause::default().await;
            what.result()
        }))
    });
    let count = allocations(|| {
        let permit = breaker.try_acquire().expect("it lets all through");
        permit.failure();
        drop(breaker.try_acquire());
    });
    assert_eq!(count, 0);
}

/// An open circuit says so without a copy of the service's name.
#[test]
fn refusals() {
    refused(Do::Succeed).unwrap();
    block_on(refused_async(Do::Succeed)).unwrap();
    let breaker = Breakers::global().get("no-allocation-open").unwrap();
    breaker.force_open(None);
    let refused_so = |result| {
        let Err(CallError::Rejected(rejected)) = result else {
            panic!("let through");
        };
        drop(rejected);
    };
    let count = allocations(|| {
        for what in ALL {
            refused_so(refused(what));
            refused_so(block_on(refused_async(what)));
        }
    });
    assert_eq!(count, 0);

    let owned = CircuitBreaker::builder(String::from("owned"))
        .build()
        .unwrap();
    owned.force_open(None);
    drop(owned.try_acquire());
    assert_eq!(
        allocations(|| drop(owned.try_acquire())),
        0,
        "shares the name"
    );
}

/// A call that has to wait under a limit of time boxes the runtime's timer, and nothing else.
#[test]
fn a_watched_wait() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let _inside = runtime.enter();
    block_on(stacked_waiting(Do::Succeed)).unwrap();
    for (what, attempts) in [(Do::Succeed, 1), (Do::Miss, 1), (Do::Fail, 3)] {
        let count = allocations(|| drop(block_on(stacked_waiting(what))));
        assert!(count <= attempts, "{count} in {attempts} attempts");
    }
}
