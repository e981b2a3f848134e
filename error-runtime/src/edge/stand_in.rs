//! Errors that stand in for failures which nobody declared.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use http::StatusCode;

use crate::field::DynamicStatus;
use crate::{ApiError, ErrorSpec, default_code, public_message};

/// A failure of the framework or a middleware: all that is known is its status.
#[derive(Debug)]
pub(crate) struct Framework {
    pub(crate) status: StatusCode,
    /// What the framework says of it.
    pub(crate) text: Option<String>,
    /// The application wants that sent.
    pub(crate) sends_text: bool,
}

impl fmt::Display for Framework {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text.as_deref().unwrap_or(public_message(self.status)))
    }
}

impl Error for Framework {}

impl ApiError for Framework {
    fn spec(&self) -> &'static ErrorSpec {
        static SPEC: ErrorSpec = spec("Framework");
        &SPEC
    }

    fn code(&self) -> &str {
        default_code(self.status)
    }

    fn message(&self) -> Cow<'_, str> {
        match &self.text {
            Some(text) if self.sends_text && self.status.is_client_error() => Cow::Borrowed(text),
            _ => Cow::Borrowed(public_message(self.status)),
        }
    }

    fn headers(&self, _: &mut http::HeaderMap) {
        // The response has those that the framework gave.
    }

    fn __status(&self) -> Option<DynamicStatus> {
        Some(DynamicStatus::new(self.status))
    }
}

/// A handler that panicked. What it said is for the log.
#[derive(Debug)]
pub(crate) struct Panicked(pub(crate) String);

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a handler panicked: {}", self.0)
    }
}

impl Error for Panicked {}

impl ApiError for Panicked {
    fn spec(&self) -> &'static ErrorSpec {
        static SPEC: ErrorSpec = spec("Panicked");
        &SPEC
    }
}

/// An error of a service that is no declared one. On actix an error is a response in any case.
#[cfg(feature = "tower")]
#[derive(Debug)]
pub(crate) struct Undeclared {
    pub(crate) status: StatusCode,
    pub(crate) source: Box<dyn Error + Send + Sync>,
}

#[cfg(feature = "tower")]
impl fmt::Display for Undeclared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.source, f)
    }
}

#[cfg(feature = "tower")]
impl Error for Undeclared {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

#[cfg(feature = "tower")]
impl ApiError for Undeclared {
    fn spec(&self) -> &'static ErrorSpec {
        static SPEC: ErrorSpec = spec("Undeclared");
        &SPEC
    }

    fn code(&self) -> &str {
        default_code(self.status)
    }

    fn __status(&self) -> Option<DynamicStatus> {
        Some(DynamicStatus::new(self.status))
    }
}

/// A body that broke off.
#[derive(Debug)]
pub(crate) struct BrokenOff {
    pub(crate) text: String,
    pub(crate) chain: Vec<String>,
}

impl fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the body broke off: {}", self.text)
    }
}

impl Error for BrokenOff {}

impl ApiError for BrokenOff {
    fn spec(&self) -> &'static ErrorSpec {
        static SPEC: ErrorSpec = spec("BrokenOff");
        &SPEC
    }
}

const fn spec(name: &'static str) -> ErrorSpec {
    ErrorSpec::new("http", "INTERNAL_ERROR", StatusCode::INTERNAL_SERVER_ERROR).with_name(name)
}
