//! What must hold, as ratios within the run wherever a figure depends on the machine.

use crate::Results;

/// One limit, and what was measured of it.
pub struct Limit {
    pub holds: bool,
    pub text: String,
}

impl Limit {
    pub fn new(holds: bool, text: String) -> Self {
        Self { holds, text }
    }

    /// At most so many times what another row takes.
    pub fn at_most(results: &Results, name: &str, most: f64, other: &str) -> Self {
        let ratio = results.ratio(name, other);
        let text = format!("{name}: {ratio:.2} x {other}, at most {most}");
        Self::new(ratio <= most, text)
    }

    /// At most so many nanoseconds more than another row takes.
    pub fn over(results: &Results, name: &str, most: f64, other: &str) -> Self {
        let nanos = results.nanos(name) - results.nanos(other);
        let text = format!("{name}: {nanos:.1} ns over {other}, at most {most}");
        Self::new(nanos <= most, text)
    }

    /// At most so many nanoseconds.
    pub fn within(results: &Results, name: &str, most: f64) -> Self {
        let nanos = results.nanos(name);
        Self::new(
            nanos <= most,
            format!("{name}: {nanos:.1} ns, at most {most}"),
        )
    }

    /// Prints a line for each. False if one is missed.
    pub fn print(limits: &[Self]) -> bool {
        for Self { holds, text } in limits {
            println!("{} {text}", if *holds { "PASS" } else { "FAIL" });
        }
        limits.iter().all(|limit| limit.holds)
    }
}
