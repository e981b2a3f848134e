//! Which rows answer a question about counts: whole days by the day, whole hours by the hour, the rest by the
//! minute.

use crate::time::{DAY, HOUR, MINUTE, Range, at, floor};

/// A part of a range, and the resolution of the rows that answer for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountPart {
    /// Which counts answer.
    pub resolution: Resolution,
    /// The part.
    pub range: Range,
}

/// How finely counts are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resolution {
    /// By the minute, for a while.
    Minutes,
    /// By the hour.
    Hours,
    /// By the day, in UTC.
    Days,
}

impl Resolution {
    /// All of them, the finest first.
    pub const ALL: [Self; 3] = [Self::Minutes, Self::Hours, Self::Days];

    /// How long a step of it is, in milliseconds.
    pub const fn millis(self) -> u64 {
        match self {
            Self::Minutes => MINUTE,
            Self::Hours => HOUR,
            Self::Days => DAY,
        }
    }
}

impl CountPart {
    /// From when on there are counts by the minute, given the first minute and the first hour that there are
    /// counts of: 0 where nothing was let go of yet, as counts by the hour do not begin before those.
    pub fn minutes_from(first_minute: Option<u64>, first_hour: Option<u64>) -> u64 {
        match (first_minute, first_hour) {
            (None, Some(_)) => u64::MAX,
            (Some(minute), Some(hour)) if hour < floor(minute, HOUR) => minute,
            _ => 0,
        }
    }

    /// The parts of a range, in order, for a store that keeps counts in all three ways. Steps of `step` are told
    /// apart, or none. Minutes are gone before `minutes_from`; hours answer there, rounded outwards.
    pub fn of(range: Range, step: Option<u64>, minutes_from: u64) -> Vec<Self> {
        let mut parts = Vec::new();
        let range = range.widened(MINUTE);
        let (from, to) = (range.from.unix_millis(), range.to.unix_millis());
        // The hour in which the minutes begin is whole by the hour alone.
        let minutes_from = minutes_from.div_ceil(HOUR).saturating_mul(HOUR);
        let old = minutes_from.clamp(from, to);
        if from < old {
            let hours = (floor(from, HOUR), old.div_ceil(HOUR) * HOUR);
            coarsest(&mut parts, hours, step, Resolution::Days, Resolution::Hours);
        }
        coarsest(
            &mut parts,
            (old, to),
            step,
            Resolution::Days,
            Resolution::Minutes,
        );
        parts
    }
}

/// Whole steps of the coarsest resolution that the question allows, and finer ones at both ends.
fn coarsest(
    parts: &mut Vec<CountPart>,
    (from, to): (u64, u64),
    step: Option<u64>,
    resolution: Resolution,
    finest: Resolution,
) {
    if from >= to {
        return;
    }
    let unit = resolution.millis();
    let finer = match resolution {
        _ if resolution == finest => None,
        Resolution::Days => Some(Resolution::Hours),
        Resolution::Hours | Resolution::Minutes => Some(Resolution::Minutes),
    };
    let Some(finer) = finer else {
        let range = Range {
            from: at(from),
            to: at(to),
        };
        parts.push(CountPart { resolution, range });
        return;
    };
    let fits = step.is_none_or(|step| step.is_multiple_of(unit));
    let first = if fits {
        (from.div_ceil(unit) * unit).min(to)
    } else {
        to
    };
    let last = floor(to, unit).max(first);
    coarsest(parts, (from, first), step, finer, finest);
    coarsest(parts, (first, last), step, resolution, resolution);
    coarsest(parts, (last, to), step, finer, finest);
}

#[cfg(test)]
mod tests {
    use super::*;

    const M: Resolution = Resolution::Minutes;
    const H: Resolution = Resolution::Hours;
    const D: Resolution = Resolution::Days;

    fn spans(
        range: (u64, u64),
        step: Option<u64>,
        minutes_from: u64,
    ) -> Vec<(Resolution, u64, u64)> {
        let range = Range {
            from: at(range.0 * MINUTE),
            to: at(range.1 * MINUTE),
        };
        let parts = CountPart::of(range, step, minutes_from * MINUTE);
        let minutes = |moment: error_runtime::time::Timestamp| moment.unix_millis() / MINUTE;
        let span = |part: CountPart| {
            (
                part.resolution,
                minutes(part.range.from),
                minutes(part.range.to),
            )
        };
        parts.into_iter().map(span).collect()
    }

    #[test]
    fn whole_hours_are_read_by_the_hour() {
        assert_eq!(spans((60, 180), None, 0), [(H, 60, 180)]);
        assert_eq!(
            spans((50, 190), None, 0),
            [(M, 50, 60), (H, 60, 180), (M, 180, 190)]
        );
        assert_eq!(spans((61, 70), None, 0), [(M, 61, 70)]);
        assert_eq!(spans((60, 180), Some(MINUTE), 0), [(M, 60, 180)]);
        assert_eq!(spans((60, 180), Some(HOUR), 0), [(H, 60, 180)]);
    }

    #[test]
    fn whole_days_are_read_by_the_day() {
        const DAY_MINUTES: u64 = 24 * 60;
        let (from, to) = (DAY_MINUTES - 70, 3 * DAY_MINUTES + 70);
        let all = [
            (M, from, DAY_MINUTES - 60),
            (H, DAY_MINUTES - 60, DAY_MINUTES),
            (D, DAY_MINUTES, 3 * DAY_MINUTES),
            (H, 3 * DAY_MINUTES, 3 * DAY_MINUTES + 60),
            (M, 3 * DAY_MINUTES + 60, to),
        ];
        assert_eq!(spans((from, to), None, 0), all);
        let hours = spans((from, to), Some(HOUR), 0);
        assert_eq!(
            hours,
            [all[0], (H, DAY_MINUTES - 60, 3 * DAY_MINUTES + 60), all[4]]
        );
    }

    #[test]
    fn where_minutes_are_gone_hours_answer() {
        assert_eq!(
            spans((50, 190), None, 100),
            [(H, 0, 120), (H, 120, 180), (M, 180, 190)]
        );
        assert_eq!(spans((50, 70), Some(MINUTE), 1000), [(H, 0, 120)]);
        assert_eq!(spans((0, 2880), None, 5000), [(D, 0, 2880)]);
    }
}
