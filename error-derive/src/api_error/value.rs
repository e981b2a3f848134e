//! The values of the derive's keys: each a type of its own that knows what it accepts.

use darling::{FromMeta, Result};
use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Ident, Lit, LitStr, Token};

use crate::attribute::keys::{Entry, Value};
use crate::attribute::value::At;
use crate::diagnostics::{near_miss, near_miss_or_list, rule};

/// Status codes by the names of `http::StatusCode`.
const STATUSES: &[(u16, &str)] = &[
    (400, "BAD_REQUEST"),
    (401, "UNAUTHORIZED"),
    (402, "PAYMENT_REQUIRED"),
    (403, "FORBIDDEN"),
    (404, "NOT_FOUND"),
    (405, "METHOD_NOT_ALLOWED"),
    (406, "NOT_ACCEPTABLE"),
    (407, "PROXY_AUTHENTICATION_REQUIRED"),
    (408, "REQUEST_TIMEOUT"),
    (409, "CONFLICT"),
    (410, "GONE"),
    (411, "LENGTH_REQUIRED"),
    (412, "PRECONDITION_FAILED"),
    (413, "PAYLOAD_TOO_LARGE"),
    (414, "URI_TOO_LONG"),
    (415, "UNSUPPORTED_MEDIA_TYPE"),
    (416, "RANGE_NOT_SATISFIABLE"),
    (417, "EXPECTATION_FAILED"),
    (418, "IM_A_TEAPOT"),
    (421, "MISDIRECTED_REQUEST"),
    (422, "UNPROCESSABLE_ENTITY"),
    (423, "LOCKED"),
    (424, "FAILED_DEPENDENCY"),
    (425, "TOO_EARLY"),
    (426, "UPGRADE_REQUIRED"),
    (428, "PRECONDITION_REQUIRED"),
    (429, "TOO_MANY_REQUESTS"),
    (431, "REQUEST_HEADER_FIELDS_TOO_LARGE"),
    (451, "UNAVAILABLE_FOR_LEGAL_REASONS"),
    (500, "INTERNAL_SERVER_ERROR"),
    (501, "NOT_IMPLEMENTED"),
    (502, "BAD_GATEWAY"),
    (503, "SERVICE_UNAVAILABLE"),
    (504, "GATEWAY_TIMEOUT"),
    (505, "HTTP_VERSION_NOT_SUPPORTED"),
    (506, "VARIANT_ALSO_NEGOTIATES"),
    (507, "INSUFFICIENT_STORAGE"),
    (508, "LOOP_DETECTED"),
    (510, "NOT_EXTENDED"),
    (511, "NETWORK_AUTHENTICATION_REQUIRED"),
];

/// A status of an error: `404` or `NOT_FOUND`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Status(pub(crate) u16);

impl FromMeta for Status {
    fn from_expr(expr: &Expr) -> Result<Self> {
        match expr {
            Expr::Lit(ExprLit {
                lit: Lit::Int(number),
                ..
            }) => match number.base10_parse::<u16>() {
                Ok(status @ 400..=599) if matches!(number.suffix(), "" | "u16") => Ok(Self(status)),
                _ => Err(rule!(
                    status_range,
                    number.span(),
                    "`{number}` is not the status of an error; write one from 400 to 599"
                )),
            },
            Expr::Path(path) if path.qself.is_none() => {
                let mut names = path
                    .path
                    .segments
                    .iter()
                    .rev()
                    .map(|segment| &segment.ident);
                match (names.next(), names.next()) {
                    (Some(name), None) => Self::named(name),
                    (Some(name), Some(of)) if of == "StatusCode" => Self::named(name),
                    _ => Err(Self::unreadable(expr)),
                }
            }
            _ => Err(Self::unreadable(expr)),
        }
    }
}

impl Status {
    fn unreadable(expr: &Expr) -> darling::Error {
        rule!(
            status_value,
            expr.span(),
            "`status` is a number or a name; write `status = 404` or `status = NOT_FOUND`"
        )
    }

    fn named(name: &Ident) -> Result<Self> {
        let text = name.to_string();
        STATUSES
            .iter()
            .find(|(_, known)| *known == text)
            .map(|(status, _)| Self(*status))
            .ok_or_else(|| {
                let near = near_miss(&text, STATUSES.iter().map(|(_, name)| *name));
                let hint = if near.is_empty() {
                    "; write a number from 400 to 599 or a name such as `NOT_FOUND`"
                } else {
                    &near
                };
                rule!(
                    status_name,
                    name.span(),
                    "`{text}` is not the name of an error's status{hint}"
                )
            })
    }
}

/// A machine code: `[A-Z][A-Z0-9_]*[A-Z0-9]`, at most 63 characters.
pub(crate) fn check_code(code: &str) -> std::result::Result<(), String> {
    let bytes = code.as_bytes();
    let shape = bytes.len() >= 2
        && bytes[0].is_ascii_uppercase()
        && bytes[bytes.len() - 1] != b'_'
        && bytes
            .iter()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_');
    if !shape {
        Err("a code has at least two characters, capitals, digits or `_`, first a letter and last no `_`".to_owned())
    } else if bytes.len() > 63 {
        Err(format!(
            "a code has at most 63 characters, this one {}",
            bytes.len()
        ))
    } else {
        Ok(())
    }
}

/// The machine code that differs only in case and punctuation.
pub(crate) fn near_code(code: &str) -> Option<String> {
    let near: String = code
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_uppercase()
            } else {
                '_'
            }
        })
        .collect();
    let near = near.trim_matches('_').to_owned();
    (code.is_ascii() && check_code(&near).is_ok()).then_some(near)
}

/// A word out of a fixed list.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $key:literal { $($word:literal => $variant:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $name { $($variant,)* }

        impl FromMeta for $name {
            fn from_expr(expr: &Expr) -> Result<Self> {
                const WORDS: &[&str] = &[$($word),*];
                let (word, span) = match expr {
                    Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => (text.value(), text.span()),
                    Expr::Path(path) => match path.path.get_ident() {
                        Some(word) => (word.to_string(), word.span()),
                        None => (String::new(), expr.span()),
                    },
                    _ => (String::new(), expr.span()),
                };
                match word.as_str() {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(rule!(
                        unknown_word,
                        span,
                        concat!("unknown value of `", $key, "`{}"),
                        near_miss_or_list(&word, WORDS)
                    )),
                }
            }
        }

        impl $name {
            /// The name of the runtime's variant, for generated code.
            #[allow(dead_code, reason = "not every list has a counterpart in the runtime")]
            pub(crate) fn ident(self) -> Ident {
                let name = match self { $(Self::$variant => stringify!($variant),)* };
                Ident::new(name, Span::call_site())
            }
        }
    };
}

words! {
    /// How a breaker counts.
    Breaker, "breaker" { "trip" => Trip, "ok" => Ok, "neutral" => Neutral, }
}
words! {
    /// How loudly to log.
    Level, "level" { "error" => Error, "warn" => Warn, "info" => Info, "debug" => Debug, "off" => Off, }
}
words! {
    /// The case of detail keys.
    DetailCase, "detail_case" { "snake_case" => Snake, "camelCase" => Camel, }
}
words! {
    /// A gRPC code.
    Grpc, "grpc" {
        "CANCELLED" => Cancelled,
        "UNKNOWN" => Unknown,
        "INVALID_ARGUMENT" => InvalidArgument,
        "DEADLINE_EXCEEDED" => DeadlineExceeded,
        "NOT_FOUND" => NotFound,
        "ALREADY_EXISTS" => AlreadyExists,
        "PERMISSION_DENIED" => PermissionDenied,
        "RESOURCE_EXHAUSTED" => ResourceExhausted,
        "FAILED_PRECONDITION" => FailedPrecondition,
        "ABORTED" => Aborted,
        "OUT_OF_RANGE" => OutOfRange,
        "UNIMPLEMENTED" => Unimplemented,
        "INTERNAL" => Internal,
        "UNAVAILABLE" => Unavailable,
        "DATA_LOSS" => DataLoss,
        "UNAUTHENTICATED" => Unauthenticated,
    }
}

/// Names that the response, the format or another key answers for.
const RESERVED_HEADERS: &[(&str, &str)] = &[
    ("content-type", "the format sets it"),
    ("content-length", "the server sets it"),
    ("content-encoding", "the server sets it"),
    ("transfer-encoding", "the server sets it"),
    ("connection", "the server sets it"),
    ("trailer", "the server sets it"),
    ("x-request-id", "the request's own id is sent there"),
];

/// The name of a header, in lower case.
pub(crate) fn header_name(name: &LitStr, place_of_value: bool) -> Result<String> {
    let text = name.value();
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    // HTTP sets no limit; 100 is far beyond any name in use, and within what servers take.
    if text.is_empty() || text.len() > 100 || !text.bytes().all(token) {
        return Err(rule!(
            header_name,
            name.span(),
            "`{text}` is not the name of a header; use up to 100 letters, digits and `-`"
        ));
    }
    let lower = text.to_ascii_lowercase();
    if let Some((_, why)) = RESERVED_HEADERS
        .iter()
        .find(|(reserved, _)| *reserved == lower)
    {
        return Err(rule!(
            reserved_header,
            name.span(),
            "`{text}` cannot be declared: {why}; remove it"
        ));
    }
    let own_key = match lower.as_str() {
        "retry-after" if place_of_value => "#[api(retry_after)]",
        "retry-after" => "retry_after = \"30s\"",
        "www-authenticate" => "authenticate = \"Bearer\"",
        _ => return Ok(lower),
    };
    Err(rule!(
        header_with_key,
        name.span(),
        "`{text}` has a key of its own; write `{own_key}`"
    ))
}

/// A header's literal value: visible ASCII, spaces and tabs, none at the ends.
pub(crate) fn header_value(value: &LitStr) -> Result<String> {
    let text = value.value();
    let visible = |b: u8| b == b'\t' || (0x20..0x7F).contains(&b);
    if text.bytes().all(visible) && text.trim() == text && !text.is_empty() {
        Ok(text)
    } else {
        let why = if text.trim().is_empty() {
            "it is empty"
        } else if text.chars().any(char::is_control) {
            "it has a control character, such as a line break"
        } else if !text.is_ascii() {
            "it has a character outside ASCII"
        } else {
            "it begins or ends with a space"
        };
        Err(rule!(
            header_value,
            value.span(),
            "this is not the value of a header: {why}; write visible ASCII characters"
        ))
    }
}

/// `header("Name" = "value")`.
pub(crate) fn header_pair(entry: &Entry) -> Result<(String, String)> {
    let Value::List(tokens) = &entry.value else {
        return Err(entry.wrong_shape());
    };
    let pair = |input: syn::parse::ParseStream<'_>| -> syn::Result<(LitStr, LitStr)> {
        let name = input.parse()?;
        input.parse::<Token![=]>()?;
        let value = input.parse()?;
        Ok((name, value))
    };
    let (name, value) = syn::parse::Parser::parse2(pair, tokens.clone()).map_err(|_| {
        rule!(
            header_pair,
            entry.span(),
            "`header` takes a name and a value; write `header(\"Name\" = \"value\")`"
        )
    })?;
    Ok((header_name(&name, false)?, header_value(&value)?))
}

/// A `docs` URI: absolute, and fit for JSON and HTML without escapes.
pub(crate) fn check_uri(uri: &At<String>) -> Result<()> {
    let scheme = uri.value.split_once(':').is_some_and(|(scheme, rest)| {
        !rest.is_empty()
            && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    });
    let foreign = uri
        .value
        .chars()
        .find(|c| !c.is_ascii_graphic() || "\"<>\\^`{|}".contains(*c));
    match foreign {
        _ if !scheme => Err(rule!(
            docs_uri,
            uri.span,
            "`{}` is not an absolute URI; write one such as `\"https://docs.example.com/errors\"`",
            uri.value
        )),
        Some(c) => Err(rule!(
            docs_uri_character,
            uri.span,
            "`{}` has no place in a URI; percent-encode it, as a space is `%20`",
            c.escape_debug()
        )),
        None => Ok(()),
    }
}
