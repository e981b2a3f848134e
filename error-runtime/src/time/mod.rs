//! Time: the clock of the policies, and the time of an answer.
//!
//! A timestamp is written without a date library: one clock read, and the date part is
//! worked out once a second and thread.

mod clock;
pub(crate) mod duration_text;
#[cfg(feature = "test-util")]
#[cfg_attr(docsrs, doc(cfg(feature = "test-util")))]
mod manual;
mod sleep;
mod timer;

pub use clock::Clock;
pub(crate) use clock::nanos;
#[cfg(feature = "test-util")]
#[cfg_attr(docsrs, doc(cfg(feature = "test-util")))]
pub use manual::ManualClock;
pub(crate) use sleep::Alarm;
pub use sleep::Sleep;

use std::cell::Cell;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// A moment in UTC, to the millisecond: `2024-01-01T00:00:00.000Z`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    millis: u64,
}

/// The length of a timestamp's text, for the years to 9999.
const LENGTH: usize = 24;
/// The last millisecond of the year 9999: the text has four digits for the year.
const MAX_MILLIS: u64 = 253_402_300_799_999;

thread_local! {
    /// The second written last, and its text.
    static LAST_SECOND: Cell<(u64, [u8; LENGTH])> = const { Cell::new((0, *b"1970-01-01T00:00:00.000Z")) };
}

impl Timestamp {
    /// Now, by the system's clock. A clock before 1970 reads as 1970.
    ///
    /// On Linux it is the coarse clock, which moves with the kernel's tick: up to ten milliseconds
    /// behind, and a fifth of the price.
    pub fn now() -> Self {
        now()
    }

    /// The moment `millis` milliseconds after 1970 began; beyond the year 9999, its end.
    pub const fn from_unix_millis(millis: u64) -> Self {
        Self {
            millis: if millis > MAX_MILLIS {
                MAX_MILLIS
            } else {
                millis
            },
        }
    }

    /// Milliseconds since 1970 began.
    pub const fn unix_millis(self) -> u64 {
        self.millis
    }

    /// The text of RFC 3339, in ASCII.
    #[inline]
    pub(crate) fn text(self) -> [u8; LENGTH] {
        let second = self.millis / 1000;
        let (last, mut text) = LAST_SECOND.get();
        if last != second {
            text = second_text(second);
            LAST_SECOND.set((second, text));
        }
        let millis = (self.millis % 1000) as u32;
        text[20] = b'0' + (millis / 100) as u8;
        text[21] = b'0' + (millis / 10 % 10) as u8;
        text[22] = b'0' + (millis % 10) as u8;
        text
    }
}

#[cfg(target_os = "linux")]
fn now() -> Timestamp {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let millis = u64::try_from(time.tv_nsec).unwrap_or(0) / 1_000_000;
    Timestamp::from_unix_millis(seconds.saturating_mul(1000).saturating_add(millis))
}

#[cfg(not(target_os = "linux"))]
fn now() -> Timestamp {
    SystemTime::now().into()
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = since.as_secs().saturating_mul(1000);
        Self::from_unix_millis(millis.saturating_add(u64::from(since.subsec_millis())))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The text is ASCII.
        f.write_str(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text of a whole second. The date is worked out by counting eras of 400 years from
/// 1 March 0000, so that the leap day is the last of its year.
fn second_text(second: u64) -> [u8; LENGTH] {
    let (days, in_day) = (second / 86_400, second % 86_400);
    let day_of_all = days + 719_468;
    let (era, day_of_era) = (day_of_all / 146_097, day_of_all % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);

    let mut text = *b"0000-00-00T00:00:00.000Z";
    digits(&mut text[0..4], year);
    digits(&mut text[5..7], month);
    digits(&mut text[8..10], day);
    digits(&mut text[11..13], in_day / 3_600);
    digits(&mut text[14..16], in_day / 60 % 60);
    digits(&mut text[17..19], in_day % 60);
    text
}

/// Writes `value` in decimal over the whole of `out`.
#[inline]
fn digits(out: &mut [u8], mut value: u64) {
    for byte in out.iter_mut().rev() {
        *byte = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_704_067_200_007, "2024-01-01T00:00:00.007Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (u64::MAX, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(Timestamp::from_unix_millis(millis).to_string(), text);
        }
    }

    /// Day by day through two eras against plain counting.
    #[test]
    fn every_day_of_800_years_follows_the_one_before() {
        let leap = |year: u64| {
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
        };
        let (mut year, mut month, mut day) = (1970, 1, 1);
        for days in 0..292_194_u64 {
            let expected = format!("{year:04}-{month:02}-{day:02}T00:00:00.000Z");
            assert_eq!(
                Timestamp::from_unix_millis(days * 86_400_000).to_string(),
                expected
            );
            let length = match month {
                2 => 28 + u64::from(leap(year)),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            day += 1;
            if day > length {
                (day, month) = (1, month + 1);
            }
            if month > 12 {
                (month, year) = (1, year + 1);
            }
        }
    }
}
