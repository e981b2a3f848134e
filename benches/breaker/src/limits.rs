//! What must hold, as ratios within the run wherever a figure depends on the machine.

use harness::{Results, scaling};

use crate::{floor, op, ours, peers, registry};

struct Limit {
    holds: bool,
    text: String,
}

/// Prints a line per limit. False if one is missed.
pub fn check(names: &[&str], results: &Results) -> bool {
    let mut limits = vec![
        at_most(results, ours::CLOSED, 0.4, floor::FETCH_ADD),
        at_most(results, ours::ATTRIBUTE, 0.4, floor::FETCH_ADD),
        over(results, ours::ASYNC, 2.0, floor::AWAIT),
        over(results, ours::ASYNC_ATTRIBUTE, 2.0, floor::AWAIT),
        at_most(results, ours::COUNT, 0.4, floor::FETCH_ADD),
        at_most(results, ours::COUNT_FAILURES, 2.0, floor::FETCH_ADD),
        at_most(results, ours::TIME, 1.2, floor::FETCH_ADD),
        at_most(results, ours::TIME_FAILURES, 2.0, floor::FETCH_ADD),
        at_most(results, ours::OPEN, 1.7, floor::INSTANT),
        over(results, ours::STACKED, 10.0, floor::AWAIT),
        at_most(results, ours::CLOSED, 1.0, peers::FAILSAFE),
        at_most(results, ours::COUNT, 1.0, peers::RECLOSER),
        at_most(results, ours::ASYNC, 1.0, peers::RECLOSER_ASYNC),
        at_most(results, ours::ASYNC, 1.0, peers::BREAKER),
        at_most(results, ours::TIME, 1.0, peers::SEATBELT),
        at_most(results, ours::COUNT, 1.0, peers::TOWER_RESILIENCE),
        at_most(results, ours::OPEN, 1.0, peers::FAILSAFE_OPEN),
        at_most(results, ours::OPEN, 1.0, peers::RECLOSER_OPEN),
        at_most(results, ours::OPEN, 1.0, peers::BREAKER_OPEN),
    ];
    let own = names.iter().filter(|name| name.starts_with("ours"));
    limits.extend(own.map(|name| {
        let allocs = results.heap(name).allocs;
        Limit {
            // A hundredth of a call fails, and a failure may grow what is remembered of it.
            holds: allocs < 0.001,
            text: format!("{name}: {allocs} allocations, none"),
        }
    }));
    limits.extend(scalings());
    limits.extend(registries());
    for limit in &limits {
        println!(
            "{} {}",
            if limit.holds { "PASS" } else { "FAIL" },
            limit.text
        );
    }
    limits.iter().all(|limit| limit.holds)
}

fn at_most(results: &Results, name: &str, most: f64, other: &str) -> Limit {
    let ratio = results.ratio(name, other);
    Limit {
        holds: ratio <= most,
        text: format!("{name}: {ratio:.2} x {other}, at most {most:.1}"),
    }
}

fn over(results: &Results, name: &str, most: f64, other: &str) -> Limit {
    let nanos = results.nanos(name) - results.nanos(other);
    Limit {
        holds: nanos <= most,
        text: format!("{name}: {nanos:.1} ns over {other}, at most {most}"),
    }
}

/// Two threads on one breaker.
fn scalings() -> Vec<Limit> {
    // What two threads of this machine can do at all: two that share a core do less than twice as much.
    let ideal = scaling(|| _ = std::hint::black_box(op()));
    let least = |name: &str, operation: &(dyn Fn() + Sync)| {
        let factor = scaling(operation);
        Limit {
            holds: factor >= 1.9 / 2.0 * ideal,
            text: format!(
                "{name}: two threads {factor:.2} x one, at least 0.95 x {ideal:.2}, those of the bare call"
            ),
        }
    };
    let closed = ours::breaker(|b| b.failures(5));
    let (count, time) = (ours::count_window(), ours::time_window());
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
