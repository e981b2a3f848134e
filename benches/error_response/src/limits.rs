//! What must hold, as ratios within the run wherever a figure depends on the machine.

use harness::{Limit, Results};

use crate::name;

/// Prints a line per limit. False if one is missed.
pub fn check(results: &Results) -> bool {
    let heap = results.heap(name::OURS_AXUM);
    let stamp = results.nanos(name::OUR_STAMP);
    let clock = results.ratio(name::OUR_STAMP, name::CLOCK);
    let mut limits = vec![
        Limit::at_most(results, name::OURS_AXUM, 0.3, name::BY_HAND_AXUM),
        Limit::at_most(results, name::OURS_ACTIX, 0.4, name::BY_HAND_ACTIX),
        Limit {
            holds: heap.allocs <= 5.0,
            text: format!(
                "{}: {} allocations, at most 5",
                name::OURS_AXUM,
                heap.allocs
            ),
        },
        Limit {
            holds: heap.reallocs == 0.0,
            text: format!("{}: {} reallocations, none", name::OURS_AXUM, heap.reallocs),
        },
        Limit {
            holds: stamp <= 65.0,
            text: format!(
                "{}: {stamp:.1} ns, at most 65 ({clock:.2} x {})",
                name::OUR_STAMP,
                name::CLOCK
            ),
        },
    ];
    for peer in [name::MASTERROR, name::API_ERROR, name::PROBLEM_DETAILS] {
        limits.push(Limit::at_most(results, name::OURS_AXUM, 1.0, peer));
    }
    Limit::print(&limits)
}
