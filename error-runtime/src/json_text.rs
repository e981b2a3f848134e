//! JSON strings, written straight into the body. The hot path of every answer, hence by hand:
//! one scan that the compiler vectorises, then one copy.

use std::fmt;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends `text` as the inside of a JSON string.
#[inline]
pub(crate) fn escape(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    if bytes
        .iter()
        .fold(false, |any, &byte| any | is_special(byte))
    {
        escape_slow(out, bytes);
    } else {
        out.extend_from_slice(bytes);
    }
}

#[inline]
fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
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

/// Lets `Display` write into the inside of a JSON string.
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
