//! Lengths of time as people write them: `90s`, `5m`, `1.5h`, `30d`.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

use crate::time::{DAY, HOUR, MINUTE, SECOND};

/// A length of time: an integer or decimal, and `ms`, `s`, `m`, `h` or `d`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    millis: u64,
}

/// A longer one is a mistake: a century.
const MOST: u64 = 36_525 * DAY;

const UNITS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", SECOND),
    ("m", MINUTE),
    ("h", HOUR),
    ("d", DAY),
];

impl Span {
    pub(crate) const fn from_millis(millis: u64) -> Self {
        Self { millis }
    }

    pub(crate) const fn millis(self) -> u64 {
        self.millis
    }

    fn read(text: &str) -> Result<Self, &'static str> {
        const EXPECTED: &str = "expected a length of time such as `90s`, `5m`, `1.5h` or `30d`";
        let digits = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or(EXPECTED)?;
        let (number, unit) = text.split_at(digits);
        let (_, unit) = UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .ok_or(EXPECTED)?;
        let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
        if whole.is_empty() || whole.len() > 12 || part.is_empty() || part.len() > 6 {
            return Err(EXPECTED);
        }
        let read = |digits: &str| digits.parse::<u64>().map_err(|_| EXPECTED);
        let fraction = read(part)? * unit / 10_u64.pow(u32::try_from(part.len()).unwrap_or(0));
        match read(whole)?
            .checked_mul(*unit)
            .map(|whole| whole + fraction)
        {
            Some(millis) if millis <= MOST => Ok(Self { millis }),
            _ => Err("it is longer than a century"),
        }
    }
}

impl From<Duration> for Span {
    fn from(duration: Duration) -> Self {
        Self {
            millis: u64::try_from(duration.as_millis())
                .unwrap_or(MOST)
                .min(MOST),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The largest unit of which it is a whole number.
        let whole = UNITS
            .iter()
            .rev()
            .find(|(_, unit)| self.millis.is_multiple_of(*unit));
        let (name, unit) = whole.filter(|_| self.millis > 0).unwrap_or(&("s", SECOND));
        write!(f, "{}{name}", self.millis / unit)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        Self::read(&text).map_err(D::Error::custom)
    }
}

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A length of time: an integer or decimal, and ms, s, m, h or d.",
            "pattern": "^[0-9]{1,12}(\\.[0-9]{1,6})?(ms|s|m|h|d)$",
            "examples": ["90s", "5m", "1.5h", "30d"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_written() {
        for (text, millis, again) in [
            ("90s", 90_000, "90s"),
            ("5m", 300_000, "5m"),
            ("1.5h", 5_400_000, "90m"),
            ("0s", 0, "0s"),
            ("60m", HOUR, "1h"),
            ("30d", 30 * DAY, "30d"),
            ("250ms", 250, "250ms"),
        ] {
            let span = Span::read(text).unwrap();
            assert_eq!(
                (span.millis(), span.to_string().as_str()),
                (millis, again),
                "{text}"
            );
        }
        for bad in [
            "",
            "5",
            "m",
            "-5m",
            "5 m",
            "5w",
            "1.s",
            ".5s",
            "1e9s",
            "999999999999d",
            "5m5s",
            "1.2.3s",
        ] {
            assert!(Span::read(bad).is_err(), "{bad}");
        }
    }
}
