//! JSON strings, written straight into the body. The hot path of every answer, hence by hand:
//! one scan, then one copy.

use std::fmt;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends `text` as the inside of a JSON string.
#[inline]
pub(crate) fn escape(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    if needs_escape(bytes) {
        escape_slow(out, bytes);
    } else {
        out.extend_from_slice(bytes);
    }
}

/// Whether a byte must be escaped: eight at a time, and the end by words that overlap, so that a short
/// text takes one or two steps.
#[inline]
fn needs_escape(bytes: &[u8]) -> bool {
    if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        let mut found = special(u64::from_le_bytes(*last));
        if bytes.len() > 16 {
            for word in bytes.as_chunks::<8>().0 {
                found |= special(u64::from_le_bytes(*word));
            }
        } else {
            found |= special(u64::from_le_bytes(*first));
        }
        found != 0
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        special(u64::from(first) << 32 | u64::from(last)) != 0
    } else {
        bytes
            .iter()
            .any(|&byte| byte < 0x20 || byte == b'"' || byte == b'\\')
    }
}

/// Not zero if one of eight bytes must be escaped.
#[inline]
const fn special(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    /// The high bit of each byte that is zero.
    const fn zeros(word: u64) -> u64 {
        word.wrapping_sub(ONES) & !word & (ONES << 7)
    }
    let quote = zeros(word ^ (ONES * b'"' as u64));
    let backslash = zeros(word ^ (ONES * b'\\' as u64));
    // Below 0x20: the top three bits are clear.
    let control = zeros(word & (ONES * 0xE0));
    quote | backslash | control
}

#[cold]
fn escape_slow(out: &mut Vec<u8>, bytes: &[u8]) {
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..0x20 => {
                let (high, low) = (HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]);
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
            }
            _ => out.push(byte),
        }
    }
}

/// Appends `text` as a whole JSON string.
#[inline]
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    escape(out, text);
    out.push(b'"');
}

/// Lets `Display` write the inside of a JSON string. Each piece is scanned where it comes from:
/// scanning what was just written costs more than it saves, since the stores are still on their way.
pub(crate) struct Escaped<'a>(pub(crate) &'a mut Vec<u8>);

impl fmt::Write for Escaped<'_> {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        escape(self.0, text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scan_finds_each_special_byte_at_each_place() {
        for length in 0..40 {
            for at in 0..length {
                for byte in 0..=255 {
                    let mut bytes = vec![b'x'; length];
                    bytes[at] = byte;
                    let special = byte < 0x20 || byte == b'"' || byte == b'\\';
                    assert_eq!(needs_escape(&bytes), special, "{byte} at {at} of {length}");
                }
            }
        }
        assert!(!needs_escape(b""));
    }

    #[test]
    fn every_character_survives_the_round_trip() {
        let all: String = (0..0x3000)
            .chain([0x1_F600])
            .filter_map(char::from_u32)
            .collect();
        let mut out = Vec::new();
        string(&mut out, &all);
        assert_eq!(json::from_slice::<String>(&out).unwrap(), all);
        for c in all.chars() {
            let mut out = Vec::new();
            string(&mut out, c.encode_utf8(&mut [0; 4]));
            assert_eq!(json::from_slice::<char>(&out).unwrap(), c);
        }
    }
}
