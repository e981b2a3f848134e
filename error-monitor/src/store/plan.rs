//! Which rows answer a question about counts: whole hours by the hour, the rest by the minute.

use crate::time::{HOUR, MINUTE, Range, at, floor};

/// A part of a range, and the resolution of the rows that answer for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountPart {
    /// Whether counts by the hour answer; else those by the minute.
    pub hourly: bool,
    /// The part.
    pub range: Range,
}

impl CountPart {
    /// The parts of a range, in order, for a store that keeps counts both ways. Minutes are gone before
    /// `minutes_from`; hours answer there, rounded outwards.
    pub fn of(range: Range, step: Option<u64>, minutes_from: u64) -> Vec<Self> {
        parts(range, step, minutes_from)
    }
}

fn parts(range: Range, step: Option<u64>, minutes_from: u64) -> Vec<CountPart> {
    let range = range.widened(MINUTE);
    let (from, to) = (range.from.unix_millis(), range.to.unix_millis());
    // The hour in which the minutes begin is whole in neither, but complete by the hour.
    let minutes_from = minutes_from.div_ceil(HOUR) * HOUR;
    let mut parts = Vec::new();
    let mut push = |hourly, from: u64, to: u64| {
        if from < to {
            let range = Range {
                from: at(from),
                to: at(to),
            };
            parts.push(CountPart { hourly, range });
        }
    };
    let old = minutes_from.clamp(from, to);
    if from < old {
        push(true, floor(from, HOUR), old.div_ceil(HOUR) * HOUR);
    }
    let from = old.max(from);
    if step.is_some_and(|step| !step.is_multiple_of(HOUR)) {
        push(false, from, to);
        return parts;
    }
    let first_hour = (from.div_ceil(HOUR) * HOUR).min(to);
    let last_hour = floor(to, HOUR).max(first_hour);
    push(false, from, first_hour);
    push(true, first_hour, last_hour);
    push(false, last_hour, to);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(range: (u64, u64), step: Option<u64>, minutes_from: u64) -> Vec<(bool, u64, u64)> {
        let range = Range {
            from: at(range.0 * MINUTE),
            to: at(range.1 * MINUTE),
        };
        parts(range, step, minutes_from * MINUTE)
            .into_iter()
            .map(|part| {
                let Range { from, to } = part.range;
                (
                    part.hourly,
                    from.unix_millis() / MINUTE,
                    to.unix_millis() / MINUTE,
                )
            })
            .collect()
    }

    #[test]
    fn whole_hours_are_read_by_the_hour() {
        assert_eq!(spans((60, 180), None, 0), [(true, 60, 180)]);
        assert_eq!(
            spans((50, 190), None, 0),
            [(false, 50, 60), (true, 60, 180), (false, 180, 190)]
        );
        assert_eq!(spans((61, 70), None, 0), [(false, 61, 70)]);
        assert_eq!(spans((60, 180), Some(MINUTE), 0), [(false, 60, 180)]);
    }

    #[test]
    fn where_minutes_are_gone_hours_answer() {
        assert_eq!(
            spans((50, 190), None, 100),
            [(true, 0, 120), (true, 120, 180), (false, 180, 190)]
        );
        assert_eq!(spans((50, 70), Some(MINUTE), 1000), [(true, 0, 120)]);
    }
}
