//! The failures that both apps have. What no client may see says `hunter2`.

use std::fmt;
use std::io;
use std::num::ParseIntError;

use error_runtime::{
    AnyError, ApiError, CircuitBreaker, ErrorView, Format, HeaderValue, Rejected, Violations,
};
use serde::ser::{Serialize, SerializeSeq as _, Serializer};

/// What may be in a log and never in an answer.
pub(crate) const SECRET: &str = "hunter2";

#[derive(Debug, ApiError)]
#[api(domain = "shop", docs = "https://docs.example.com/errors")]
pub(crate) enum ShopError {
    #[api(status = 404, code = "ITEM_MISSING", message = "item {id} not found")]
    Missing {
        #[api(detail)]
        id: u64,
        #[api(secret)]
        #[allow(dead_code, reason = "it is there to not be shown")]
        shelf: &'static str,
    },
    #[api(status = 409, message = "already sold", details)]
    Sold { to: &'static str, days: Vec<u8> },
    #[api(
        status = 401,
        message = "sign in first",
        authenticate = "Basic realm=\"shop\""
    )]
    SignedOut,
    #[api(status = 401, message = "the session has ended")]
    Expired,
    #[api(status = 403, message = "not yours")]
    Forbidden,
    #[api(status = 402, message = "pay first")]
    Unpaid,
    #[api(
        status = 429,
        message = "slow down",
        retry_after = "7s",
        header("RateLimit-Limit" = "10")
    )]
    TooFast,
    #[api(status = 400, message = "no such {text}")]
    Hostile { text: &'static str },
    #[api(
        status = 503,
        message = "the calendar is away",
        display = "calendar at hunter2:5432 is away",
        retry_after = "30s"
    )]
    Away(#[source] io::Error),
    #[api(status = 500, display = "login as app with hunter2 failed")]
    Login(#[source] io::Error),
    #[api(status = 500)]
    Number(#[source] ParseIntError),
    #[api(status = 400, message = "{0}")]
    Panicking(Panicking),
    #[api(status = 500, display = "{0}")]
    PanickingInternally(Panicking),
    #[api(status = 413, message = "too much")]
    Huge {
        #[api(detail)]
        first: u8,
        #[api(detail)]
        data: String,
        #[api(detail)]
        last: u8,
    },
    #[api(status = 400, message = "there is no end")]
    Endless {
        #[api(detail)]
        first: u8,
        #[api(detail)]
        tail: Endless,
        #[api(detail)]
        last: u8,
    },
    #[api(status = 422, message = "Validation failed", code = "VALIDATION_ERROR")]
    Invalid(#[api(violations)] Violations),
    #[api(transparent)]
    Clash(#[from] Clash),
    #[api(transparent)]
    Outer(#[from] Outer),
    #[api(transparent)]
    Rejected(#[from] Rejected),
}

/// Has a handler at both edges.
#[derive(Debug, ApiError)]
#[api(domain = "shop", status = 409, message = "a clash")]
pub(crate) struct Clash;

/// Has a handler at the outer edge alone.
#[derive(Debug, ApiError)]
#[api(domain = "shop", status = 410, message = "left the shop")]
pub(crate) struct Outer;

/// Cannot be shown.
#[derive(Debug)]
pub(crate) struct Panicking;

impl fmt::Display for Panicking {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("a Display with {SECRET}")
    }
}

/// A list whose one element is itself.
#[derive(Debug)]
pub(crate) struct Endless;

impl Serialize for Endless {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        list.serialize_element(self)?;
        list.end()
    }
}

/// Cannot write anything.
pub(crate) struct PanickingFormat;

impl Format for PanickingFormat {
    fn content_type(&self) -> HeaderValue {
        HeaderValue::from_static("text/x-ours")
    }

    fn write(&self, _: &ErrorView<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(b"half of ");
        panic!("a format with {SECRET}")
    }
}

/// Its drop panics, with a payload that does it again.
pub(crate) struct PanicsWhenDropped(pub(crate) u8);

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        if self.0 > 0 && !std::thread::panicking() {
            std::panic::panic_any(Self(self.0 - 1));
        }
    }
}

/// Fails in the way that the last part of the path says.
pub(crate) fn fail(kind: &str) -> Result<&'static str, ShopError> {
    let source = || io::Error::other(SECRET);
    Err(match kind {
        "missing" => ShopError::Missing {
            id: 7,
            shelf: SECRET,
        },
        "sold" => ShopError::Sold {
            to: "Ann \"<b>\"",
            days: vec![1, 2],
        },
        "signed-out" => ShopError::SignedOut,
        "expired" => ShopError::Expired,
        "forbidden" => ShopError::Forbidden,
        "unpaid" => ShopError::Unpaid,
        "too-fast" => ShopError::TooFast,
        "hostile" => ShopError::Hostile {
            text: "<script>alert('x') & \"y\"\u{0}\r\n\u{2028}",
        },
        "away" => ShopError::Away(source()),
        "login" => ShopError::Login(source()),
        "number" => ShopError::Number("hunter2".parse::<u8>().unwrap_err()),
        "display" => ShopError::Panicking(Panicking),
        "display-inside" => ShopError::PanickingInternally(Panicking),
        "huge" => ShopError::Huge {
            first: 1,
            data: "x".repeat(10 << 20),
            last: 2,
        },
        "endless" => ShopError::Endless {
            first: 1,
            tail: Endless,
            last: 3,
        },
        "invalid" => {
            let mut violations = Violations::new();
            violations.add("email", "required", "is required");
            ShopError::Invalid(violations)
        }
        "refused" => {
            let breaker = CircuitBreaker::builder("calendar").build().unwrap();
            breaker.force_open(None);
            return breaker.call(|| Ok("called"));
        }
        "clash" => Clash.into(),
        "outer" => Outer.into(),
        "panic-str" => panic!("at the disco with hunter2"),
        "panic-string" => std::panic::panic_any(format!("at the disco with {SECRET}")),
        "panic-any" => std::panic::panic_any(42),
        "panic-drop" => std::panic::panic_any(PanicsWhenDropped(2)),
        _ => return Ok("fine"),
    })
}

/// The same for an erased error.
pub(crate) fn fail_erased(kind: &str) -> Result<&'static str, AnyError> {
    match kind {
        "internal" => Err(AnyError::internal(io::Error::other(SECRET))),
        "conflict" => Err(AnyError::conflict("taken").with_detail("by", ["Ann"])),
        kind => Ok(fail(kind)?),
    }
}
