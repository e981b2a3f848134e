//! The values of the keys: each a type of its own that knows what it accepts.

use darling::{FromMeta, Result};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Ident, Lit, LitStr, Path, Token};

use super::keys::{Entry, Value};
use crate::diagnostics::{near_miss, near_miss_or_list, rule};

/// A value and where it stands, for rules that look at several.
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

pub(crate) type Given<T> = Option<At<T>>;

/// A literal that comes out of a user's own `macro_rules` is wrapped in an invisible group.
fn ungrouped(mut expr: &Expr) -> &Expr {
    while let Expr::Group(group) = expr {
        expr = &group.expr;
    }
    expr
}

fn literal(expr: &Expr) -> Option<&Lit> {
    match ungrouped(expr) {
        Expr::Lit(ExprLit { lit, .. }) => Some(lit),
        _ => None,
    }
}

impl Entry {
    /// The value as a string literal.
    pub(crate) fn string(&self) -> Result<LitStr> {
        match &self.value {
            Value::Assigned(value) => match literal(value) {
                Some(Lit::Str(text)) => Ok(text.clone()),
                _ => Err(rule!(
                    not_a_string,
                    value.span(),
                    "`{}` takes a string literal; write `{}`",
                    self.name(),
                    self.example()
                )),
            },
            _ => Err(self.wrong_shape()),
        }
    }

    /// The value as a string that is not blank.
    pub(crate) fn text(&self) -> Result<At<String>> {
        let text = self.string()?;
        if text.value().trim().is_empty() {
            return Err(rule!(
                empty_value,
                text.span(),
                "`{}` is empty; write a text, or leave the key out",
                self.name()
            ));
        }
        Ok(At {
            value: text.value(),
            span: text.span(),
        })
    }

    /// A key that stands alone.
    pub(crate) fn flag(&self) -> Result<()> {
        match &self.value {
            Value::Flag => Ok(()),
            Value::Assigned(value) => Err(rule!(
                flag_with_value,
                value.span(),
                "`{0}` takes no value here; write `{0}`",
                self.name()
            )),
            Value::List(_) => Err(self.wrong_shape()),
        }
    }

    /// A key that stands alone for true, or says `= false`.
    pub(crate) fn switch(&self) -> Result<bool> {
        match &self.value {
            Value::Flag => Ok(true),
            Value::Assigned(value) => match literal(value) {
                Some(Lit::Bool(switch)) => Ok(switch.value),
                _ => Err(rule!(
                    not_a_switch,
                    value.span(),
                    "`{0}` is `true` or `false`; write `{0}` or `{0} = false`",
                    self.name()
                )),
            },
            Value::List(_) => Err(self.wrong_shape()),
        }
    }

    /// A key whose value is read by its type.
    pub(crate) fn parsed<T: FromMeta>(&self) -> Result<At<T>> {
        match &self.value {
            Value::Assigned(value) => Ok(At {
                value: T::from_expr(ungrouped(value))?,
                span: value.span(),
            }),
            _ => Err(self.wrong_shape()),
        }
    }

    /// The path of `crate = …`.
    pub(crate) fn path(&self) -> Result<Path> {
        let Value::Assigned(value) = &self.value else {
            return Err(self.wrong_shape());
        };
        let path = match ungrouped(value) {
            Expr::Path(path) if path.qself.is_none() => Some(path.path.clone()),
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => text.parse().ok(),
            _ => None,
        };
        // A macro's path takes no generic arguments.
        let path = path.filter(|path| path.segments.iter().all(|part| part.arguments.is_none()));
        path.ok_or_else(|| {
            rule!(
                crate_path,
                value.span(),
                "`crate` is the path of the runtime crate; write `crate = ::error_runtime`"
            )
        })
    }
}

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

/// A duration: an integer or decimal and `ms`, `s`, `m` or `h`.
#[derive(Clone, Copy)]
pub(crate) struct Duration {
    seconds: u64,
    nanos: u32,
}

impl FromMeta for Duration {
    fn from_expr(expr: &Expr) -> Result<Self> {
        match expr {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => Self::parse(&text.value()).map_err(|why| {
                rule!(
                    duration,
                    text.span(),
                    "`{}` is not a duration: {why}",
                    text.value()
                )
            }),
            _ => Err(rule!(
                duration_literal,
                expr.span(),
                "a duration is a text with a unit; write `\"30s\"`, `\"1.5s\"`, `\"200ms\"`, `\"2m\"` or `\"1h\"`"
            )),
        }
    }
}

impl Duration {
    fn parse(text: &str) -> std::result::Result<Self, String> {
        let number_end = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(number_end);
        if number.is_empty() {
            return Err("it must start with a number, as `30s` does".to_owned());
        }
        let nanos_per_unit: u128 = match unit {
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            "" => return Err(format!("it has no unit; write `{number}s` or `{number}ms`")),
            _ if matches!(unit.trim(), "ms" | "s" | "m" | "h") => {
                return Err(format!("it has a space; write `{number}{}`", unit.trim()));
            }
            _ => return Err(format!("`{unit}` is not a unit; use `ms`, `s`, `m` or `h`")),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty()
            || fraction.contains('.')
            || (fraction.is_empty() && number.ends_with('.'))
        {
            return Err(format!("`{number}` is not a number"));
        }
        if fraction.len() > 9 {
            return Err("it has more than nine decimals".to_owned());
        }
        let too_long = || "it is too long".to_owned();
        let whole: u128 = whole.parse().map_err(|_| too_long())?;
        let fraction: u128 = format!("{fraction:0<9}").parse().map_err(|_| too_long())?;
        let nanos = whole
            .checked_mul(nanos_per_unit)
            .and_then(|nanos| nanos.checked_add(fraction * nanos_per_unit / 1_000_000_000))
            .ok_or_else(too_long)?;
        Ok(Self {
            seconds: u64::try_from(nanos / 1_000_000_000).map_err(|_| too_long())?,
            nanos: (nanos % 1_000_000_000) as u32,
        })
    }
}

impl ToTokens for Duration {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let (seconds, nanos) = (self.seconds, self.nanos);
        tokens.extend(quote!(::core::time::Duration::new(#seconds, #nanos)));
    }
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
