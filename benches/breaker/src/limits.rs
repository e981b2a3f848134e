//! What must hold, as ratios within the run wherever a figure depends on the machine.

use harness::{Limit, Results, scaling};

use crate::{floor, op, ours, peers, registry};

/// Prints a line per limit. False if one is missed.
pub fn check(names: &[&str], results: &Results) -> bool {
    let mut limits = vec![
        Limit::at_most(results, ours::CLOSED, 0.4, floor::FETCH_ADD),
        Limit::at_most(results, ours::ATTRIBUTE, 0.4, floor::FETCH_ADD),
        Limit::over(results, ours::ASYNC, 2.0, floor::AWAIT),
        Limit::over(results, ours::ASYNC_ATTRIBUTE, 2.0, floor::AWAIT),
        Limit::at_most(results, ours::COUNT, 0.4, floor::FETCH_ADD),
        Limit::at_most(results, ours::COUNT_FAILURES, 2.0, floor::FETCH_ADD),
        Limit::at_most(results, ours::TIME, 1.2, floor::FETCH_ADD),
        Limit::at_most(results, ours::TIME_FAILURES, 2.0, floor::FETCH_ADD),
        // The cost must not depend on how many calls a window holds.
        Limit::at_most(results, ours::COUNT_SIZES.1, 1.1, ours::COUNT_SIZES.0),
        Limit::at_most(results, ours::TIME_SIZES.1, 1.1, ours::TIME_SIZES.0),
        Limit::at_most(results, ours::OPEN, 1.7, floor::INSTANT),
        Limit::over(results, ours::STACKED, 10.0, floor::AWAIT),
        Limit::at_most(results, ours::CLOSED, 1.0, peers::FAILSAFE),
        Limit::at_most(results, ours::COUNT, 1.0, peers::RECLOSER),
        Limit::at_most(results, ours::ASYNC, 1.0, peers::RECLOSER_ASYNC),
        Limit::at_most(results, ours::ASYNC, 1.0, peers::BREAKER),
        Limit::at_most(results, ours::TIME, 1.0, peers::SEATBELT),
        Limit::at_most(results, ours::COUNT, 1.0, peers::TOWER_RESILIENCE),
        Limit::at_most(results, ours::OPEN, 1.0, peers::FAILSAFE_OPEN),
        Limit::at_most(results, ours::OPEN, 1.0, peers::RECLOSER_OPEN),
        Limit::at_most(results, ours::OPEN, 1.0, peers::BREAKER_OPEN),
    ];
    let own = names.iter().filter(|name| name.starts_with("ours"));
    limits.extend(own.map(|name| {
        let allocs = results.heap(name).allocs;
        Limit::new(allocs == 0.0, format!("{name}: {allocs} allocations, none"))
    }));
    limits.extend(scalings());
    limits.extend(registries());
    Limit::print(&limits)
}

/// Two threads on one breaker.
fn scalings() -> Vec<Limit> {
    // What two threads of this machine do without a breaker: two that share a core do less than twice as
    // much, and then nothing can.
    let bare = scaling(|| _ = std::hint::black_box(op()));
    let least = |name: &str, operation: &(dyn Fn() + Sync)| {
        let factor = scaling(operation);
        Limit::new(
            factor >= 1.9,
            format!("{name}: two threads {factor:.2} x one, at least 1.9; the bare call {bare:.2}"),
        )
    };
    let closed = ours::breaker(|b| b.failures(5));
    let (count, time) = (ours::count_window(100), ours::time_window(60));
    vec![
        least(ours::CLOSED, &|| _ = std::hint::black_box(closed.call(op))),
        least(ours::COUNT, &|| _ = std::hint::black_box(count.call(op))),
        least(ours::TIME, &|| _ = std::hint::black_box(time.call(op))),
    ]
}

fn registries() -> [Limit; 2] {
    let registry = registry::measure();
    [
        Limit {
            holds: registry.bytes_each <= 640.0,
            text: format!(
                "an idle breaker of 100 000: {:.0} bytes, at most 640",
                registry.bytes_each
            ),
        },
        Limit {
            holds: registry.listing_millis < 100.0,
            text: format!(
                "a listing of 100 000: {:.0} ms, less than 100",
                registry.listing_millis
            ),
        },
    ]
}
