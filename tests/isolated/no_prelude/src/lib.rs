//! No prelude: a name in generated code that is not rooted is no name at all. The tests stand in a
//! crate of their own, for the test harness needs the prelude.

#![no_implicit_prelude]

use ::core::prelude::v1::derive;

/// All that can be asked of a field, a variant and an enum.
#[derive(::core::fmt::Debug, ::error_runtime::ApiError)]
#[api(domain = "bare")]
pub enum Failure<T> {
    #[api(
        status = 404,
        message = "{id:>width$} {note:?}",
        display = "{id}",
        details
    )]
    Shown { id: u64, width: usize, note: T },
    #[api(status = 429, details, level = "info", retryable, grpc = ABORTED, breaker = "ok", retry_after = "3s", header("X-A" = "b"))]
    Roles {
        #[api(status)]
        status: u16,
        #[api(retry_after)]
        wait: ::core::option::Option<::core::time::Duration>,
        #[api(header = "X-Shelf")]
        shelf: u8,
        #[api(violations)]
        violations: ::error_runtime::Violations,
        #[api(detail(flatten))]
        rest: ::std::collections::BTreeMap<::std::string::String, T>,
    },
    #[api(status = 503)]
    Io(
        #[from] ::std::io::Error,
        #[backtrace] ::std::backtrace::Backtrace,
    ),
    #[api(status = 502)]
    Sourced {
        source: ::core::option::Option<::core::fmt::Error>,
    },
    #[api(status = 502)]
    Boxed(
        #[source]
        ::std::boxed::Box<dyn ::core::error::Error + ::core::marker::Send + ::core::marker::Sync>,
    ),
    #[api(status = 410)]
    Constant,
    #[api(transparent)]
    Inner(#[from] Inner),
}

/// A struct.
#[derive(::core::fmt::Debug, ::error_runtime::ApiError)]
#[api(status = 418, message = "{0}")]
pub struct Inner(pub u8);

/// No variants.
#[derive(::core::fmt::Debug, ::error_runtime::ApiError)]
pub enum Never {}

/// Display and Error by hand.
#[derive(::core::fmt::Debug, ::error_runtime::ApiError)]
#[api(status = 404, impl_error = false)]
pub struct ByHand;

impl ::core::fmt::Display for ByHand {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.write_str("by hand")
    }
}

impl ::core::error::Error for ByHand {}

/// What a policy may answer.
#[derive(::core::fmt::Debug, ::error_runtime::ApiError)]
pub enum Guarded {
    /// Another attempt may help.
    #[api(status = 503)]
    Busy,
    /// A policy refused.
    #[api(transparent)]
    Rejected(#[from] ::error_runtime::Rejected),
}

/// All policies of a synchronous function.
#[::error_runtime::fallback(::core::result::Result::Err(error))]
#[::error_runtime::retry(attempts = 2, base = "0s", when = |error| ::core::matches!(error, Guarded::Busy))]
#[::error_runtime::circuit_breaker(service = "bare", failure_rate = 0.5, window = "10s")]
#[::error_runtime::rate_limit(calls = 1000, per = "1s")]
#[::error_runtime::bulkhead(max = 10)]
pub fn guarded(busy: bool) -> ::core::result::Result<u8, Guarded> {
    if busy {
        return ::core::result::Result::Err(Guarded::Busy);
    }
    ::core::result::Result::Ok(1)
}

/// All policies of an asynchronous one.
#[::error_runtime::recover(
    service = "bare-async",
    attempts = 2,
    attempt_timeout = "1s",
    clone(text),
    fallback = ::core::result::Result::Ok(0)
)]
#[::error_runtime::timeout("1s")]
pub async fn guarded_async(text: ::std::string::String) -> ::core::result::Result<usize, Guarded> {
    ::core::result::Result::Ok(text.len())
}
