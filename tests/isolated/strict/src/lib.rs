//! Every lint worth denying is denied: what the derive adds to a crate warns of nothing.

#![forbid(unsafe_code)]
#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    missing_copy_implementations,
    deprecated,
    deprecated_in_future,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    let_underscore_drop,
    meta_variable_misuse,
    non_local_definitions,
    rust_2018_idioms,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unreachable_pub,
    unused,
    unused_import_braces,
    unused_lifetimes,
    unused_qualifications,
    unused_results,
    variant_size_differences,
    clippy::all,
    clippy::cargo,
    clippy::nursery,
    clippy::pedantic,
    // Of the restrictions those that generated code could break.
    clippy::absolute_paths,
    clippy::allow_attributes,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::default_numeric_fallback,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::infinite_loop,
    clippy::panic,
    clippy::pattern_type_mismatch,
    clippy::ref_patterns,
    clippy::rest_pat_in_fully_bound_structs,
    clippy::same_name_method,
    clippy::shadow_reuse,
    clippy::shadow_same,
    clippy::shadow_unrelated,
    clippy::std_instead_of_core,
    clippy::unreachable,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm
)]
#![allow(
    clippy::cargo_common_metadata,
    clippy::multiple_crate_versions,
    reason = "of the package and its tree, not of generated code"
)]

use core::error::Error;
use core::fmt;
use core::future::ready;

use core::time::Duration;
use error_runtime::{bulkhead, circuit_breaker, fallback, rate_limit, recover, retry, timeout};
use std::backtrace::Backtrace;
use std::collections::BTreeMap;
use std::io;

use error_runtime::{ApiError, Violations};

/// Every shape, in a crate that sees each unneeded qualification.
#[derive(Debug, ApiError)]
#[api(domain = "strict", crate = ::error_runtime)]
pub enum Failure {
    /// Text.
    #[api(
        status = 404,
        message = "{id:>width$} of {owner} {owner:?}",
        display = "{id}",
        details
    )]
    Missing {
        /// Which.
        id: u64,
        /// How wide.
        width: usize,
        /// Whose.
        owner: String,
    },
    /// Roles.
    #[api(status = 429, details, retry_after = "3s", header("X-A" = "b"), authenticate = "Basic")]
    Slow {
        /// A status.
        #[api(status)]
        status: u16,
        /// A wait.
        #[api(retry_after)]
        wait: Option<Duration>,
        /// A header.
        #[api(header = "X-Shelf")]
        shelf: u8,
        /// Violations.
        #[api(violations)]
        violations: Violations,
        /// More.
        #[api(detail(flatten))]
        rest: BTreeMap<String, String>,
        /// None of a client's business.
        #[api(secret)]
        token: String,
    },
    /// A source.
    #[api(status = 503)]
    Io(#[from] io::Error, #[backtrace] Backtrace),
    /// A source that may be missing.
    #[api(status = 502)]
    Sourced {
        /// The source.
        source: Option<fmt::Error>,
    },
    /// A source of any type.
    #[api(status = 502)]
    Boxed(#[source] Box<dyn Error + Send + Sync>),
    /// Somebody else's.
    #[api(transparent)]
    Inner(#[from] Gone),
}

/// A struct.
#[derive(Clone, Copy, Debug, ApiError)]
#[api(status = 410, message = "gone")]
pub struct Gone;

/// No variants.
#[derive(Clone, Copy, Debug, ApiError)]
pub enum Never {}

/// Parameters of every kind.
#[derive(Debug, ApiError)]
pub enum Generic<'a, T: ?Sized, E: 'static = Gone, const N: usize = 2> {
    /// A reference.
    #[api(status = 404, message = "{0}", display = "{0:?}")]
    Shown(&'a T),
    /// An array.
    #[api(status = 404, message = "{0:?}")]
    Listed([u8; N]),
    /// A source.
    #[api(status = 502)]
    Source(#[source] E),
    /// Transparent.
    #[api(transparent)]
    Inner(E),
}

/// A deprecated type, which the derive must name.
#[deprecated = "use Gone"]
#[derive(Clone, Copy, Debug, ApiError)]
#[api(status = 410, message = "gone", display = "gone for long")]
pub struct Old;

/// Deprecated parts.
#[derive(Debug, ApiError)]
pub enum Parts {
    /// A variant of text.
    #[deprecated = "use Missing"]
    #[api(status = 404, message = "old")]
    Text,
    /// A variant with fields.
    #[deprecated(note = "use Missing")]
    #[api(status = 404, message = "{id}", display = "{id} old", details)]
    Fields {
        /// Which.
        id: u64,
    },
    /// A source.
    #[deprecated]
    #[api(status = 502)]
    Source(#[from] fmt::Error),
    /// Transparent.
    #[deprecated]
    #[api(transparent)]
    Inner(#[from] Gone),
    /// Fields.
    #[api(status = 429, message = "{id}", display = "{id} old", details)]
    OldFields {
        /// Which.
        #[deprecated]
        id: u64,
        /// When.
        #[deprecated]
        #[api(retry_after)]
        wait: Duration,
        /// Where.
        #[deprecated]
        #[api(header = "X-A")]
        shelf: u8,
        /// What.
        #[deprecated]
        source: Option<io::Error>,
    },
}

/// One enum out of a macro: each part of an attribute comes from an argument.
macro_rules! failures {
    ($name:ident: $($variant:ident $status:literal $code:literal $message:literal
        ($field:ident as $detail:literal) $wait:expr;)*) => {
        /// From a macro.
        #[derive(Clone, Copy, Debug, ApiError)]
        pub enum $name {
            $(
                #[doc = $message]
                #[api(status = $status, code = $code, message = $message, retry_after = $wait)]
                #[api(header("X-Code" = $code))]
                $variant {
                    #[doc = $detail]
                    #[api(detail = $detail)]
                    $field: u64,
                },
            )*
        }
    };
}

failures! {
    FromMacro:
    NotFound 404 "NOT_HERE" "{id:04} is not here" (id as "identifier") "30s";
    Conflict 409 "CONFLICT" "{r#type} is taken" (r#type as "kind") "1s";
}

/// The whole attribute comes from an argument, and with it the type.
macro_rules! wrapped {
    ($(#[$attribute:meta])* $visibility:vis $name:ident($ty:ty), $status:expr, $key:ident) => {
        $(#[$attribute])*
        #[api(status = $status, $key)]
        $visibility struct $name(#[source] $ty);
    };
}

wrapped! {
    /// Wrapped.
    #[derive(Debug, ApiError)]
    #[api(message = "wrapped")]
    pub Wrapped(io::Error), NOT_FOUND, retryable
}

/// Parts that are there under a condition.
#[derive(Clone, Copy, Debug, ApiError)]
#[cfg_attr(all(), api(domain = "conditional"))]
#[cfg_attr(any(), api(domain = "unconditional"))]
pub enum Conditional {
    /// There.
    #[cfg(panic = "unwind")]
    #[cfg_attr(all(), api(status = 404, code = "THERE"))]
    #[cfg_attr(any(), api(status = 500, code = "NOT_THERE"))]
    There {
        /// There.
        #[cfg(panic = "unwind")]
        #[cfg_attr(all(), api(detail))]
        there: u8,
        /// Not there.
        #[cfg(any())]
        #[api(nonsense)]
        not_there: Nothing,
    },
    /// Not there.
    #[cfg(any())]
    #[api(nonsense)]
    NotThere(Nothing),
}

/// An error that no other item can name.
///
/// # Errors
///
/// Always.
#[inline]
pub fn in_function_scope<T: fmt::Debug>(value: T) -> Result<(), impl ApiError> {
    #[derive(Debug, ApiError)]
    #[api(status = 404, message = "{value:?}")]
    struct Local<T> {
        value: T,
    }

    Err(Local { value })
}

/// The status of an error that is declared here.
#[inline]
#[must_use]
pub const fn in_const_function() -> u16 {
    #[derive(Debug, ApiError)]
    enum Local {
        #[api(status = 418, message = "{0}")]
        Teapot(u16),
    }

    match Local::Teapot(418) {
        Local::Teapot(status) => status,
    }
}

/// Within a constant, a closure and a trait's method.
pub const NESTED: usize = {
    #[derive(Debug, ApiError)]
    #[api(status = 404)]
    struct Nested;

    size_of::<Nested>()
};

impl Drop for Parts {
    #[inline]
    fn drop(&mut self) {
        #[derive(Debug, ApiError)]
        #[api(status = 404)]
        struct InMethod;

        let declare = || {
            #[derive(Debug, ApiError)]
            #[api(transparent)]
            struct InClosure(#[from] InMethod);

            InClosure::from(InMethod)
        };
        debug_assert_eq!(declare().code(), "IN_METHOD", "the inner error's");
    }
}

/// What a policy may answer.
#[derive(Debug, error_runtime::ApiError)]
pub enum Guarded {
    /// Another attempt may help.
    #[api(status = 503)]
    Busy,
    /// A policy refused.
    #[api(transparent)]
    Rejected(#[from] error_runtime::Rejected),
}

/// All policies of a synchronous function.
///
/// # Errors
///
/// If it is busy.
#[fallback(Err(error))]
#[retry(attempts = 2, base = "0s", jitter = "none")]
#[circuit_breaker(service = "strict")]
#[rate_limit(calls = 1000)]
#[bulkhead(max = 10)]
pub fn guarded(busy: bool) -> Result<u8, Guarded> {
    if busy { Err(Guarded::Busy) } else { Ok(1) }
}

/// All policies of an asynchronous one.
///
/// # Errors
///
/// None that the fallback does not catch.
#[recover(service = "strict-async", attempts = 2, fallback = Ok(text.len()))]
#[timeout("1s")]
pub async fn guarded_async(text: &str) -> Result<usize, Guarded> {
    ready(()).await;
    Err(Guarded::Busy)
}

#[cfg(test)]
mod tests {
    use std::io;

    use error_runtime::{ApiError, Catalog as _, http_response};

    use super::{Conditional, Failure, FromMacro, Gone, Wrapped, in_function_scope};

    #[derive(Debug, ApiError)]
    #[api(status = 404, code = "ONLY_IN_TESTS")]
    struct Local;

    #[test]
    fn macros() {
        let missing = FromMacro::NotFound { id: 7 };
        assert_eq!(missing.message(), "0007 is not here");
        assert_eq!(
            (missing.code(), missing.status().as_u16()),
            ("NOT_HERE", 404)
        );
        let answer = http_response(&FromMacro::Conflict { r#type: 3 });
        assert_eq!(answer.headers()["x-code"], "CONFLICT");
        assert_eq!(answer.headers()["retry-after"], "1");
        let body = String::from_utf8_lossy(answer.body()).into_owned();
        assert!(body.contains(r#""details":{"kind":3}"#), "{body}");
        let wrapped = Wrapped(io::Error::other("disk"));
        assert!(wrapped.is_retryable() && wrapped.status() == 404);
    }

    #[test]
    fn conditions() {
        assert_eq!(Conditional::SPECS.len(), 1);
        let error = Conditional::There { there: 1 };
        assert_eq!(
            (error.code(), error.spec().domain),
            ("THERE", "conditional")
        );
    }

    #[test]
    fn policies() {
        assert!(super::guarded(true).is_err() && super::guarded(false).is_ok());
        drop(super::guarded_async(""));
    }

    #[test]
    fn scopes() {
        let error = in_function_scope(7_u8).err();
        assert!(error.is_some_and(|local| local.message() == "7"));
        assert_eq!(Local.code(), "ONLY_IN_TESTS");
        assert_eq!(Failure::from(Gone).code(), "GONE");
    }
}
