//! What must hold, as ratios within the run wherever a figure depends on the machine.

use harness::Results;

use crate::{floor, ours, peers};

struct Limit {
    holds: bool,
    text: String,
}

/// Prints a line per limit. False if one is missed.
pub fn check(names: &[&str], results: &Results) -> bool {
    let growth = ours::growth();
    let mut limits = vec![
        over(results, ours::FIRST_TRY, 1.0, floor::CALL),
        over(results, ours::FIRST_TRY_ASYNC, 3.0, floor::AWAIT),
        within(results, ours::FAIL3, 13.0),
        within(results, ours::FAIL3_ASYNC, 13.0),
        within(results, ours::DELAYS, 10.0),
        Limit {
            holds: growth <= 96,
            text: format!("the future of a retried call: {growth} bytes more, at most 96"),
        },
        at_most(results, ours::FIRST_TRY, 1.0, peers::BACKON),
        at_most(results, ours::FIRST_TRY, 1.0, peers::RETRY),
        at_most(results, ours::FIRST_TRY_ASYNC, 1.0, peers::BACKON_ASYNC),
        at_most(results, ours::FIRST_TRY_ASYNC, 1.0, peers::TOKIO_RETRY2),
        at_most(results, ours::FAIL3, 1.0, peers::BACKON_FAIL3),
        at_most(results, ours::FAIL3, 1.0, peers::RETRY_FAIL3),
        at_most(results, ours::FAIL3_ASYNC, 1.0, peers::BACKON_FAIL3_ASYNC),
        at_most(results, ours::DELAYS, 1.0, peers::BACKON_DELAYS),
        at_most(results, ours::DELAYS, 1.0, peers::TOKIO_RETRY2_DELAYS),
    ];
    let own = names.iter().filter(|name| name.starts_with("ours"));
    limits.extend(own.map(|name| {
        let allocs = results.heap(name).allocs;
        Limit {
            holds: allocs == 0.0,
            text: format!("{name}: {allocs} allocations, none"),
        }
    }));
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

fn within(results: &Results, name: &str, most: f64) -> Limit {
    let nanos = results.nanos(name);
    Limit {
        holds: nanos <= most,
        text: format!("{name}: {nanos:.1} ns, at most {most}"),
    }
}
