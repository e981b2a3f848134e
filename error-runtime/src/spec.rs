//! What is constant about a declared error, and the defaults that follow from a status.

use std::time::Duration;

use http::StatusCode;

use crate::Outcome;

/// How loudly an error is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// The default for 5xx.
    Error,
    /// The default below 500.
    Warn,
    /// Worth a line, not attention.
    Info,
    /// For those who look for it.
    Debug,
    /// Not logged.
    Off,
}

/// A canonical gRPC status code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum GrpcCode {
    /// The caller gave up.
    Cancelled = 1,
    /// Nothing else fits.
    Unknown = 2,
    /// The request is wrong whatever the state of the system.
    InvalidArgument = 3,
    /// The deadline passed.
    DeadlineExceeded = 4,
    /// There is no such entity.
    NotFound = 5,
    /// The entity to create exists.
    AlreadyExists = 6,
    /// The caller is known and not allowed.
    PermissionDenied = 7,
    /// A quota or a resource is used up.
    ResourceExhausted = 8,
    /// The system is not in the state that the request needs.
    FailedPrecondition = 9,
    /// A concurrent change got in between.
    Aborted = 10,
    /// Past the valid range.
    OutOfRange = 11,
    /// Not implemented or not enabled.
    Unimplemented = 12,
    /// An invariant is broken.
    Internal = 13,
    /// Away for the moment; a retry may help.
    Unavailable = 14,
    /// Data is lost or damaged.
    DataLoss = 15,
    /// The caller is not known.
    Unauthenticated = 16,
}

impl GrpcCode {
    /// The code for an HTTP status, by the mapping of AIP-193 read backwards; where that is
    /// ambiguous (400, 409, 500), the most general code.
    pub const fn from_status(status: StatusCode) -> Self {
        match status.as_u16() {
            400 | 406 | 411 | 413 | 414 | 415 | 422 | 431 => Self::InvalidArgument,
            401 => Self::Unauthenticated,
            403 | 451 => Self::PermissionDenied,
            404 | 410 => Self::NotFound,
            405 | 501 => Self::Unimplemented,
            408 | 504 => Self::DeadlineExceeded,
            409 => Self::Aborted,
            416 => Self::OutOfRange,
            429 => Self::ResourceExhausted,
            499 => Self::Cancelled,
            502 | 503 => Self::Unavailable,
            500..=599 => Self::Internal,
            _ => Self::FailedPrecondition,
        }
    }
}

/// Where the public message of a variant comes from.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum MessageSource {
    /// The public text of the status.
    Status,
    /// A declared text without placeholders.
    Text(&'static str),
    /// `Display` writes the declared template.
    Display(&'static str),
    /// The generated `__message` writes the declared template; `Display` writes another text.
    Format(&'static str),
    /// Another crate's `Display`, which nobody declared public: the message below 500 only.
    DisplayBelow500,
}

/// All that is constant about one failure: one variant of an enum, or a struct.
///
/// The fields are for reading; a spec is built with [`new`](Self::new) and the methods that return
/// `Self`, all of them `const`. An `Option` that is `None` means that the default applies, which
/// follows the status of the occurrence where that is dynamic.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ErrorSpec {
    /// The part of the system that the code belongs to; by default the crate's name.
    pub domain: &'static str,
    /// The machine-readable code.
    pub code: &'static str,
    /// The declared status.
    pub status: StatusCode,
    /// The variant or struct that declares it.
    pub name: &'static str,
    /// Constant per code: `title` of problem+json.
    pub title: &'static str,
    /// The doc comment of the variant.
    pub description: &'static str,
    /// The declared message as written, placeholders included.
    pub message_template: Option<&'static str>,
    /// The URI of the documentation: `type` of problem+json.
    pub docs: Option<&'static str>,
    /// The keys that can appear in the details, in order. A flattened field adds further ones.
    pub details: &'static [&'static str],
    /// `retryable`, where declared.
    pub retryable: Option<bool>,
    /// `recoverable`, where declared.
    pub recoverable: Option<bool>,
    /// `breaker`, where declared.
    pub outcome: Option<Outcome>,
    /// `retry_after`, where declared.
    pub retry_after: Option<Duration>,
    /// `authenticate`, where declared.
    pub authenticate: Option<&'static str>,
    /// Declared headers: name and value.
    pub headers: &'static [(&'static str, &'static str)],
    /// `level`, where declared.
    pub level: Option<Level>,
    /// `app`, `security`, `performance` or one's own.
    pub category: &'static str,
    /// `report`, where declared.
    pub report: Option<bool>,
    /// `grpc`, where declared.
    pub grpc: Option<GrpcCode>,
    /// The type of the source field, as the declaration writes it.
    pub source_type: Option<&'static str>,
    /// A log text without placeholders that differs from the message.
    pub(crate) display: Option<&'static str>,
    pub(crate) message: MessageSource,
}

/// One `const` method per optional field: `setters! { name: Type, … }`.
macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident($field:ident: $ty:ty) = $value:expr;)*) => {$(
        $(#[$doc])*
        #[must_use]
        pub const fn $name(mut self, $field: $ty) -> Self {
            self.$field = $value;
            self
        }
    )*};
}

impl ErrorSpec {
    /// A spec with every default; `status` outside 400–599 becomes 500.
    pub const fn new(domain: &'static str, code: &'static str, status: StatusCode) -> Self {
        Self {
            domain,
            code,
            status: error_status(status),
            name: code,
            title: "",
            description: "",
            message_template: None,
            docs: None,
            details: &[],
            retryable: None,
            recoverable: None,
            outcome: None,
            retry_after: None,
            authenticate: None,
            headers: &[],
            level: None,
            category: "app",
            report: None,
            grpc: None,
            source_type: None,
            display: None,
            message: MessageSource::Status,
        }
    }

    setters! {
        /// Sets the name of the variant or struct.
        with_name(name: &'static str) = name;
        /// Sets the title.
        with_title(title: &'static str) = title;
        /// Sets the description.
        with_description(description: &'static str) = description;
        /// Sets the URI of the documentation.
        with_docs(docs: &'static str) = Some(docs);
        /// Sets the keys of the details.
        with_details(details: &'static [&'static str]) = details;
        /// Sets whether a caller may retry.
        with_retryable(retryable: bool) = Some(retryable);
        /// Sets the envelope's flag.
        with_recoverable(recoverable: bool) = Some(recoverable);
        /// Sets how a circuit breaker counts it.
        with_outcome(outcome: Outcome) = Some(outcome);
        /// Sets the wait before another attempt.
        with_retry_after(retry_after: Duration) = Some(retry_after);
        /// Sets the challenge of a 401.
        with_authenticate(authenticate: &'static str) = Some(authenticate);
        /// Sets further headers.
        with_headers(headers: &'static [(&'static str, &'static str)]) = headers;
        /// Sets the log level.
        with_level(level: Level) = Some(level);
        /// Sets the category.
        with_category(category: &'static str) = category;
        /// Sets whether an error tracker gets it.
        with_report(report: bool) = Some(report);
        /// Sets the gRPC code.
        with_grpc(grpc: GrpcCode) = Some(grpc);
        /// Sets the type of the source, for the fingerprint of events.
        with_source_type(source_type: &'static str) = Some(source_type);
    }

    /// Sets the public message to a constant text, unless the error overrides `ApiError::message`.
    #[must_use]
    pub const fn with_message(mut self, message: &'static str) -> Self {
        self.message_template = Some(message);
        self
    }

    /// Whether a caller may retry an occurrence with this status: as declared, else true for
    /// 408, 425, 429, 502, 503 and 504.
    pub const fn retryable_at(&self, status: StatusCode) -> bool {
        match self.retryable {
            Some(retryable) => retryable,
            None => matches!(status.as_u16(), 408 | 425 | 429 | 502..=504),
        }
    }

    /// How a breaker counts an occurrence with this status: as declared, else a trip for 5xx.
    pub const fn outcome_at(&self, status: StatusCode) -> Outcome {
        match self.outcome {
            Some(outcome) => outcome,
            None if status.as_u16() >= 500 => Outcome::Trip,
            None => Outcome::Ok,
        }
    }

    /// The log level of an occurrence with this status: as declared, else error for 5xx and warn below.
    pub const fn level_at(&self, status: StatusCode) -> Level {
        match self.level {
            Some(level) => level,
            None if status.as_u16() >= 500 => Level::Error,
            None => Level::Warn,
        }
    }

    /// Whether an error tracker gets an occurrence with this status: as declared, else 5xx only.
    pub const fn reported_at(&self, status: StatusCode) -> bool {
        match self.report {
            Some(report) => report,
            None => status.as_u16() >= 500,
        }
    }

    /// The gRPC code of an occurrence with this status: as declared, else by [`GrpcCode::from_status`].
    pub const fn grpc_at(&self, status: StatusCode) -> GrpcCode {
        match self.grpc {
            Some(grpc) => grpc,
            None => GrpcCode::from_status(status),
        }
    }

    // For generated code.

    #[doc(hidden)]
    #[must_use]
    pub const fn __display_text(mut self, display: &'static str) -> Self {
        self.display = Some(display);
        self
    }
}

/// What nearly every declaration has: code, status, name, title, description, message.
#[doc(hidden)]
pub type Row = (
    &'static str,
    u16,
    &'static str,
    &'static str,
    &'static str,
    MessageSource,
);

/// The specs of a derived error.
#[doc(hidden)]
pub const fn specs<const N: usize>(domain: &'static str, rows: [Row; N]) -> [ErrorSpec; N] {
    let mut specs = [ErrorSpec::new(domain, "", StatusCode::INTERNAL_SERVER_ERROR); N];
    let mut at = 0;
    while at < N {
        let (code, status, name, title, description, message) = rows[at];
        let spec = &mut specs[at];
        spec.code = code;
        if let Ok(status) = StatusCode::from_u16(status) {
            spec.status = status;
        }
        spec.name = name;
        spec.title = title;
        spec.description = description;
        spec.message = message;
        spec.message_template = match message {
            MessageSource::Text(text)
            | MessageSource::Display(text)
            | MessageSource::Format(text) => Some(text),
            MessageSource::Status | MessageSource::DisplayBelow500 => None,
        };
        at += 1;
    }
    specs
}

/// An error answers with a 4xx or 5xx; anything else is a mistake of the server.
pub(crate) const fn error_status(status: StatusCode) -> StatusCode {
    match status.as_u16() {
        400..=599 => status,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The message of a failure that nobody described: the reason phrase below 500, above it a text
/// that says nothing of the cause.
///
/// ```
/// use error_runtime::{StatusCode, public_message};
/// assert_eq!(public_message(StatusCode::CONFLICT), "Conflict");
/// assert_eq!(public_message(StatusCode::BAD_GATEWAY), "An unexpected error occurred");
/// assert_eq!(public_message(StatusCode::SERVICE_UNAVAILABLE), "Service temporarily unavailable");
/// ```
pub fn public_message(status: StatusCode) -> &'static str {
    match status.as_u16() {
        503 => "Service temporarily unavailable",
        500.. => "An unexpected error occurred",
        _ => status.canonical_reason().unwrap_or("Request failed"),
    }
}

/// Sorted by status. All but four are the reason phrase; a test holds them to it.
const CODES: [(u16, &str); 40] = [
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
    (418, "I_M_A_TEAPOT"),
    (421, "MISDIRECTED_REQUEST"),
    (422, "VALIDATION_ERROR"),
    (423, "LOCKED"),
    (424, "FAILED_DEPENDENCY"),
    (425, "TOO_EARLY"),
    (426, "UPGRADE_REQUIRED"),
    (428, "PRECONDITION_REQUIRED"),
    (429, "RATE_LIMITED"),
    (431, "REQUEST_HEADER_FIELDS_TOO_LARGE"),
    (451, "UNAVAILABLE_FOR_LEGAL_REASONS"),
    (500, "INTERNAL_ERROR"),
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

/// The code of a failure that nobody declared, by its status.
///
/// A status without a reason phrase is `CLIENT_ERROR` or `SERVER_ERROR`.
///
/// ```
/// use error_runtime::{StatusCode, default_code};
/// assert_eq!(default_code(StatusCode::TOO_MANY_REQUESTS), "RATE_LIMITED");
/// ```
pub fn default_code(status: StatusCode) -> &'static str {
    match CODES.binary_search_by_key(&status.as_u16(), |(status, _)| *status) {
        Ok(index) => CODES[index].1,
        Err(_) if status.is_server_error() => "SERVER_ERROR",
        Err(_) => "CLIENT_ERROR",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where DESIGN gives no code of its own, the code is the reason phrase in upper case.
    #[test]
    fn codes_follow_the_reason_phrases() {
        let named = [413, 422, 429, 500];
        for status in (400..=599).filter_map(|status| StatusCode::from_u16(status).ok()) {
            let Some(reason) = status.canonical_reason() else {
                continue;
            };
            if !named.contains(&status.as_u16()) {
                let expected: String = reason
                    .chars()
                    .map(|c| {
                        if c.is_ascii_alphanumeric() {
                            c.to_ascii_uppercase()
                        } else {
                            '_'
                        }
                    })
                    .collect();
                assert_eq!(default_code(status), expected, "{status}");
            }
        }
    }
}
