//! Texts of strangers, made fit to be kept.

/// The longest text by which failures and requests are counted: those are kept for as long as the process.
pub(crate) const LABEL: usize = 256;

/// The start of a text, of at most so many bytes.
pub(crate) fn head(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The text without what no store takes (the character of number 0), cut where it is too long.
pub(crate) fn clean(text: &str, most: usize) -> String {
    let head = head(text, most);
    let mut kept = if head.as_bytes().contains(&0) {
        head.replace('\0', "\u{fffd}")
    } else {
        head.to_owned()
    };
    if head.len() < text.len() {
        kept.push('…');
    }
    kept
}

/// Whether `known` is what [`clean`] makes of a text that needs no cut.
#[inline]
pub(crate) fn is_clean_of(known: &str, text: &str) -> bool {
    known == text || text.as_bytes().contains(&0) && known == clean(text, text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(clean("a\0b", 10), "a\u{fffd}b");
        assert_eq!(clean("ääää", 3), "ä…");
        assert_eq!(clean("ää", 4), "ää");
        assert_eq!(clean("", 0), "");
        assert!(is_clean_of(&clean("a\0", 2), "a\0") && !is_clean_of("a", "a\0"));
    }
}
