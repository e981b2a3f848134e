//! What must hold, as ratios within the run wherever a figure depends on the machine.

use harness::{Limit, Results};

use crate::{floor, ours, peers};

/// Prints a line per limit. False if one is missed.
pub fn check(names: &[&str], results: &Results) -> bool {
    let growth = ours::growth();
    let mut limits = vec![
        Limit::over(results, ours::FIRST_TRY, 1.0, floor::CALL),
        Limit::over(results, ours::FIRST_TRY_ASYNC, 3.0, floor::AWAIT),
        Limit::within(results, ours::FAIL3, 13.0),
        Limit::within(results, ours::FAIL3_ASYNC, 13.0),
        Limit::within(results, ours::DELAYS, 10.0),
        Limit {
            holds: growth <= 96,
            text: format!("the future of a retried call: {growth} bytes more, at most 96"),
        },
        Limit::at_most(results, ours::FIRST_TRY, 1.0, peers::BACKON),
        Limit::at_most(results, ours::FIRST_TRY, 1.0, peers::RETRY),
        Limit::at_most(results, ours::FIRST_TRY_ASYNC, 1.0, peers::BACKON_ASYNC),
        Limit::at_most(results, ours::FIRST_TRY_ASYNC, 1.0, peers::TOKIO_RETRY2),
        Limit::at_most(results, ours::FAIL3, 1.0, peers::BACKON_FAIL3),
        Limit::at_most(results, ours::FAIL3, 1.0, peers::RETRY_FAIL3),
        Limit::at_most(results, ours::FAIL3_ASYNC, 1.0, peers::BACKON_FAIL3_ASYNC),
        Limit::at_most(results, ours::DELAYS, 1.0, peers::BACKON_DELAYS),
        Limit::at_most(results, ours::DELAYS, 1.0, peers::TOKIO_RETRY2_DELAYS),
    ];
    let own = names.iter().filter(|name| name.starts_with("ours"));
    limits.extend(own.map(|name| {
        let allocs = results.heap(name).allocs;
        Limit {
            holds: allocs == 0.0,
            text: format!("{name}: {allocs} allocations, none"),
        }
    }));
    Limit::print(&limits)
}
