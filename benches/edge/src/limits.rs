//! What must hold, within the run.

use harness::{Limit, Results};

use crate::rows;

/// Prints a line per limit. False if one is missed.
pub fn check(results: &Results) -> bool {
    Limit::print(&[
        Limit::over(results, rows::OURS_OK, 300.0, rows::PLAIN_OK),
        Limit::over(results, rows::OURS_ERR, 300.0, rows::PLAIN_ERR),
        Limit::at_most(results, rows::OURS_DECLARED, 0.85, rows::PLAIN_ERR),
        Limit::at_most(results, rows::OURS_OK, 1.0, rows::TOWER_HTTP_OK),
        Limit::at_most(results, rows::OURS_ERR, 1.0, rows::TOWER_HTTP_ERR),
        Limit::at_most(results, rows::OURS_DECLARED, 1.0, rows::TOWER_HTTP_ERR),
    ])
}
