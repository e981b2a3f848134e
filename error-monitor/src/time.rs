//! Moments, minutes and ranges: all of the store counts in UTC.

use error_runtime::time::Timestamp;

pub(crate) const SECOND: u64 = 1000;
pub(crate) const MINUTE: u64 = 60 * SECOND;
pub(crate) const HOUR: u64 = 60 * MINUTE;
pub(crate) const DAY: u64 = 24 * HOUR;

/// From a moment until before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first moment of it.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
}

impl Range {
    /// The time before a moment.
    pub fn before(end: Timestamp, millis: u64) -> Self {
        Self {
            from: at(end.unix_millis().saturating_sub(millis)),
            to: end,
        }
    }

    /// How long it is, in milliseconds.
    pub fn millis(self) -> u64 {
        let (from, to) = (self.from.unix_millis(), self.to.unix_millis());
        to.saturating_sub(from)
    }

    /// The range of the same length before this one.
    #[must_use]
    pub fn previous(self) -> Self {
        Self::before(self.from, self.millis())
    }

    /// The smallest range of whole steps that holds this one.
    #[must_use]
    pub fn widened(self, step: u64) -> Self {
        Self {
            from: at(floor(self.from.unix_millis(), step)),
            to: at(self.to.unix_millis().div_ceil(step) * step),
        }
    }
}

pub(crate) const fn at(millis: u64) -> Timestamp {
    Timestamp::from_unix_millis(millis)
}

pub(crate) const fn floor(millis: u64, step: u64) -> u64 {
    millis - millis % step
}

/// A moment as RFC 3339 writes it. The offset is part of it: without one a moment is anybody's guess.
pub(crate) fn parse(text: &str) -> Result<Timestamp, &'static str> {
    const EXPECTED: &str = "expected a moment with an offset, such as 2026-01-31T08:00:00Z";
    // Longer than any that is written by RFC 3339, and long texts cost time.
    if text.len() > 40 {
        return Err(EXPECTED);
    }
    let bytes = text.as_bytes();
    if bytes.len() > 10 && bytes[10..].contains(&b' ') {
        return Err(
            "expected a moment without spaces; the `+` of an offset is written as %2B in a URL",
        );
    }
    if !is_rfc3339(bytes) {
        return Err(EXPECTED);
    }
    let moment: jiff::Timestamp = text.parse().map_err(|_| EXPECTED)?;
    match u64::try_from(moment.as_millisecond()) {
        Ok(millis) if moment.as_second() < 253_402_300_800 => Ok(at(millis)),
        _ => Err("expected a moment of the years 1970 to 9999"),
    }
}

/// Whether the characters stand where RFC 3339 has them. jiff reads more: other calendars, other punctuation.
fn is_rfc3339(text: &[u8]) -> bool {
    let shape = |text: &[u8], shape: &[u8]| {
        let fits = |(c, wanted): (&u8, &u8)| match wanted {
            b'0' => c.is_ascii_digit(),
            wanted => c.eq_ignore_ascii_case(wanted),
        };
        text.len() == shape.len() && text.iter().zip(shape).all(fits)
    };
    let Some((date, rest)) = text.split_at_checked(19) else {
        return false;
    };
    let rest = match rest.strip_prefix(b".") {
        Some(part) => {
            let digits = part.iter().take_while(|c| c.is_ascii_digit()).count();
            if !(1..=9).contains(&digits) {
                return false;
            }
            &part[digits..]
        }
        None => rest,
    };
    shape(date, b"0000-00-00T00:00:00")
        && (shape(rest, b"Z") || shape(rest, b"+00:00") || shape(rest, b"-00:00"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_needs_its_offset() {
        assert_eq!(parse("1970-01-01T00:01:00Z"), Ok(at(MINUTE)));
        assert_eq!(parse("1970-01-01T02:01:00+02:00"), Ok(at(MINUTE)));
        for bad in [
            "",
            "2026-01-31",
            "2026-01-31T08:00:00",
            "2026-02-30T08:00:00Z",
            "1969-12-31T23:59:59Z",
            "2026-01-31T08:00:00 02:00",
            "now",
            "\u{0}",
            &"9".repeat(10_000),
        ] {
            assert!(parse(bad).is_err(), "{bad:.40}");
        }
    }

    #[test]
    fn ranges_widen_to_whole_steps() {
        let range = Range {
            from: at(9 * MINUTE + 1),
            to: at(10 * MINUTE + 1),
        };
        let wide = range.widened(MINUTE);
        assert_eq!((wide.from, wide.to), (at(9 * MINUTE), at(11 * MINUTE)));
        assert_eq!(wide.widened(MINUTE), wide);
        assert_eq!(wide.previous().to, wide.from);
        assert_eq!(wide.previous().millis(), wide.millis());
    }
}
