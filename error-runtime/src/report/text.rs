//! Text of the outside world, made fit for a log.

use std::borrow::Cow;
use std::fmt::Write as _;

/// A text in which nothing can forge a line, move a terminal's cursor or turn the reading direction:
/// control characters, line separators and bidirectional marks are written as `\u{…}`, and CR, LF and tab
/// as `\r`, `\n` and `\t`.
///
/// ```
/// use error_runtime::printable;
/// assert_eq!(printable("a\r\nERROR forged \u{1b}[31m"), r"a\r\nERROR forged \u{1b}[31m");
/// ```
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_harmful(c) => _ = write!(out, "\\u{{{:x}}}", u32::from(c)),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_harmful_is_changed() {
        assert!(matches!(
            printable("plain, äöü, 日本, 🚀"),
            Cow::Borrowed(_)
        ));
        for (text, expected) in [
            ("a\u{202e}b", "a\\u{202e}b"),
            ("a\u{2028}b\u{0}", "a\\u{2028}b\\u{0}"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("tab\there", "tab\\there"),
        ] {
            assert_eq!(printable(text), expected);
        }
    }
}
