//! Request ids: UUIDs of version 7, made without a system call.

use std::fmt;

use crate::time::Timestamp;

const LENGTH: usize = 36;
const HEX: &[u8; 16] = b"0123456789abcdef";

/// A fresh request id: a UUID v7 as text, so that ids sort by time.
///
/// Its random part comes from a fast generator per thread, seeded by the process: ids are unique,
/// and are no secrets.
///
/// ```
/// let id = error_runtime::RequestId::new();
/// assert_eq!(id.as_str().len(), 36);
/// assert_eq!(id.as_str().as_bytes()[14], b'7');
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId([u8; LENGTH]);

impl RequestId {
    /// An id of this moment.
    #[expect(
        clippy::new_without_default,
        reason = "two calls give two ids; a default would hide that"
    )]
    pub fn new() -> Self {
        Self::at(Timestamp::now())
    }

    /// An id of the given moment: saves the clock read where the time is known.
    pub fn at(time: Timestamp) -> Self {
        // 48 bits of time, version 7, 12 random bits; variant 2, 62 random bits.
        let high = time.unix_millis() << 16 | 0x7000 | u64::from(fastrand::u16(..) & 0x0FFF);
        let low = 1 << 63 | fastrand::u64(..) >> 2;
        let (high, low) = (high.to_be_bytes(), low.to_be_bytes());
        let mut text = [b'-'; LENGTH];
        hex(&mut text, 0, &high[..4]);
        hex(&mut text, 9, &high[4..6]);
        hex(&mut text, 14, &high[6..]);
        hex(&mut text, 19, &low[..2]);
        hex(&mut text, 24, &low[2..]);
        Self(text)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        // The bytes are hex digits and dashes.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// Writes bytes in hexadecimal from `at` on.
#[inline]
fn hex(text: &mut [u8; LENGTH], at: usize, bytes: &[u8]) {
    for (pair, byte) in text[at..].chunks_exact_mut(2).zip(bytes) {
        pair[0] = HEX[usize::from(byte >> 4)];
        pair[1] = HEX[usize::from(byte & 15)];
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl AsRef<str> for RequestId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl From<RequestId> for String {
    fn from(id: RequestId) -> Self {
        id.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_version_7_of_their_time_and_differ() {
        let time = Timestamp::from_unix_millis(0x0123_4567_89AB);
        let ids: Vec<_> = (0..1000)
            .map(|_| RequestId::at(time).as_str().to_owned())
            .collect();
        for id in &ids {
            let parts: Vec<_> = id.split('-').collect();
            assert_eq!(
                parts.iter().map(|part| part.len()).collect::<Vec<_>>(),
                [8, 4, 4, 4, 12]
            );
            assert_eq!((parts[0], parts[1]), ("01234567", "89ab"));
            assert!(parts[2].starts_with('7'));
            assert!(matches!(parts[3].as_bytes()[0], b'8' | b'9' | b'a' | b'b'));
        }
        let unique: std::collections::HashSet<_> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len());
    }
}
