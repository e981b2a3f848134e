//! What a failure and a success cost the request.

use std::time::Instant;

use error_runtime::{Reporter, StatusCode};
use harness::{Case, Heap, Limit, Plan};
use tokio::runtime::Runtime;

use crate::{event, monitor};

pub fn measure(runtime: &Runtime) -> Vec<Limit> {
    let folder = tempfile::tempdir().expect("a folder");
    let monitor = runtime.block_on(monitor(folder.path()));
    let events: Vec<_> = (0..50).map(|kind| event(kind, kind % 7)).collect();

    let mut place = 0;
    let (reporter, kinds) = (monitor.clone(), events.clone());
    let counted = Case::new("a failure, counted", move || {
        place = (place + 1) % kinds.len();
        reporter.report_shared(&kinds[place]);
    });
    let requests = monitor.requests().clone();
    let success = Case::new("a success, counted", move || {
        requests.count("/routes/{id}", StatusCode::OK)
    });
    let results =
        Plan::default().measure(vec![counted, success, Case::new("the clock", Instant::now)]);
    for name in ["a failure, counted", "a success, counted", "the clock"] {
        println!("{name:30} {:8.0} ns", results.nanos(name));
    }

    // The first of each minute are queued: a few for each kind, with kinds that nobody has seen.
    let fresh: Vec<_> = (1000..3000).map(|kind| event(kind, 0)).collect();
    for event in &fresh {
        // The counters of a kind are made with its first failure, once.
        monitor.report_shared(event);
    }
    runtime.block_on(monitor.flush());
    let begun = Instant::now();
    for event in &fresh {
        monitor.report_shared(event);
    }
    let queued = begun.elapsed().as_nanos() as f64 / fresh.len() as f64;
    println!("{:30} {queued:8.0} ns", "a failure, queued in full");
    let (reporter, mut place) = (monitor.clone(), 0);
    let heap = Heap::of(&mut Case::new("", move || {
        place = (place + 1) % fresh.len();
        reporter.report_shared(&fresh[place]);
    }));
    println!(
        "{:30} {:8.2} allocations",
        "a failure, queued in full", heap.allocs
    );
    runtime.block_on(monitor.shutdown());
    vec![
        Limit::new(
            queued <= 1000.0 && results.nanos("a failure, counted") <= 1000.0,
            format!("recording a failure costs at most 1 µs: {queued:.0} ns"),
        ),
        Limit::new(
            heap.allocs <= 2.0,
            format!("and at most 2 allocations: {:.2}", heap.allocs),
        ),
        Limit::new(
            results.nanos("a success, counted") <= 100.0,
            format!(
                "counting a success costs nanoseconds: {:.0}",
                results.nanos("a success, counted")
            ),
        ),
    ]
}
