//! A registry of 100 000 breakers: what each weighs, and how long a listing of all takes.

use std::time::Instant;

use error_runtime::{Breakers, CircuitBreaker};

pub struct Registry {
    /// Bytes on the heap for an idle breaker, its entry included.
    pub bytes_each: f64,
    pub listing_millis: f64,
}

pub fn measure() -> Registry {
    const BREAKERS: usize = 100_000;
    let registry = Breakers::default();
    let before = resident();
    for number in 0..BREAKERS {
        let breaker = CircuitBreaker::builder(format!("service-{number:06}"))
            .failures(5)
            .build()
            .expect("valid rules");
        registry.register(breaker);
    }
    let bytes = resident() - before;
    let start = Instant::now();
    let calls: u64 = registry
        .iter()
        .map(|breaker| breaker.snapshot().totals.successes)
        .sum();
    let listing = start.elapsed();
    assert_eq!(calls, 0);
    Registry {
        bytes_each: bytes / BREAKERS as f64,
        listing_millis: listing.as_secs_f64() * 1000.0,
    }
}

/// Bytes of memory that the process has, as Linux counts.
fn resident() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok());
    pages.map_or(f64::NAN, |pages: f64| pages * 4096.0)
}
