//! The voice of the macros: what is wrong; what to write instead.
//!
//! Lower case, no full stop, keys in backticks, on the smallest token to edit. Every error is made by
//! [`rule!`], whose first argument names the rule; `tests/ui` has at least one case of that name.

use std::fmt::Write as _;

use proc_macro2::Span;

/// Makes the error of a rule: `rule!(unknown_key, span, "unknown key `{key}`")`.
///
/// The name is for the check that each rule has a test; the message is all that a user sees.
macro_rules! rule {
    ($name:ident, $span:expr, $($message:tt)+) => {
        $crate::diagnostics::error($span, format!($($message)+))
    };
}
pub(crate) use rule;

/// An error at a span.
pub(crate) fn error(span: Span, message: String) -> darling::Error {
    // `with_span` takes a node; a span of its own is a node.
    darling::Error::custom(message).with_span(&span)
}

/// `; did you mean `…`?` if one of the words is near.
pub(crate) fn near_miss<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known)
        .map(|candidate| format!("; did you mean `{candidate}`?"))
        .unwrap_or_default()
}

/// The word that is near, if one is.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Nobody misspells a word that long, and the search is quadratic.
    if word.len() > 64 {
        return None;
    }
    let lower = word.to_ascii_lowercase();
    known
        .into_iter()
        .map(|candidate| {
            (
                strsim::jaro_winkler(&lower, &candidate.to_ascii_lowercase()),
                candidate,
            )
        })
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// The near miss, or else all that is known.
pub(crate) fn near_miss_or_list(word: &str, known: &[&str]) -> String {
    let near = near_miss(word, known.iter().copied());
    if near.is_empty() {
        format!("; write {}", one_of(known))
    } else {
        near
    }
}

/// `a, b and c`.
pub(crate) fn list(words: impl IntoIterator<Item = String>) -> String {
    joined(words, "and")
}

/// `a, b or c`.
pub(crate) fn either(words: impl IntoIterator<Item = String>) -> String {
    joined(words, "or")
}

fn joined(words: impl IntoIterator<Item = String>, with: &str) -> String {
    let mut words: Vec<String> = words.into_iter().collect();
    match words.pop() {
        Some(last) if words.is_empty() => last,
        Some(last) => format!("{} {with} {last}", words.join(", ")),
        None => String::new(),
    }
}

/// `` `a`, `b` or `c` ``.
pub(crate) fn one_of(words: &[&str]) -> String {
    let mut text = String::new();
    for (index, word) in words.iter().enumerate() {
        let _ = match index {
            0 => write!(text, "`{word}`"),
            _ if index + 1 == words.len() => write!(text, " or `{word}`"),
            _ => write!(text, ", `{word}`"),
        };
    }
    text
}
