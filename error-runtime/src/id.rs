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
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
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
        let random = fastrand::u128(..);
        let bits = (u128::from(time.unix_millis()) << 80)
            | (0x7 << 76)
            | (random & (0xFFF << 64))
            | (0b10 << 62)
            | (random & ((1 << 62) - 1));
        let bytes = bits.to_be_bytes();
        let mut text = [b'-'; LENGTH];
        let mut at = 0;
        for (index, byte) in bytes.into_iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                at += 1;
            }
            text[at] = HEX[usize::from(byte >> 4)];
            text[at + 1] = HEX[usize::from(byte & 15)];
            at += 2;
        }
        Self(text)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        // The bytes are hex digits and dashes.
        std::str::from_utf8(&self.0).unwrap_or_default()
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
