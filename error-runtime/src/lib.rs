#![cfg_attr(docsrs, feature(doc_cfg))]
#![doc = include_str!("../README.md")]

// Generated code says `::error_runtime::…`; in `common` that name means this crate itself.
#[cfg(feature = "derive")]
extern crate self as error_runtime;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod adapter;
mod any_error;
mod api_error;
mod bulkhead;
#[cfg(feature = "catalog")]
#[cfg_attr(docsrs, doc(cfg(feature = "catalog")))]
pub mod catalog;
mod circuit_breaker;
mod classify;
#[cfg(feature = "derive")]
#[cfg_attr(docsrs, doc(cfg(feature = "derive")))]
pub mod common;
#[cfg_attr(
    not(any(feature = "actix", feature = "tower")),
    allow(
        dead_code,
        unreachable_pub,
        unused_imports,
        reason = "used by the edges of the frameworks"
    )
)]
mod context;
mod details;
#[cfg_attr(
    not(any(feature = "actix", feature = "tower")),
    allow(
        dead_code,
        unreachable_pub,
        unused_imports,
        reason = "used by the edges of the frameworks"
    )
)]
mod edge;
mod envelope;
mod ext;
mod fault;
mod field;
pub mod format;
mod id;
mod json_text;
mod json_value;
mod policy;
mod rate_limit;
mod render;
#[cfg_attr(
    not(any(feature = "actix", feature = "tower")),
    allow(
        dead_code,
        unreachable_pub,
        unused_imports,
        reason = "used by the edges of the frameworks"
    )
)]
mod report;
mod retry;
mod spec;
mod sync;
pub mod time;
mod timeout;
#[cfg(feature = "tower")]
#[cfg_attr(docsrs, doc(cfg(feature = "tower")))]
pub mod tower;
mod violations;

pub use crate::any_error::AnyError;
pub use crate::api_error::{ApiError, Catalog};
pub use crate::bulkhead::{Bulkhead, BulkheadFuture, BulkheadSlot};
pub use crate::circuit_breaker::{
    BreakerFuture, BreakerHandle, BreakerSnapshot, BreakerState, Breakers, CircuitBreaker,
    CircuitBreakerBuilder, CircuitOpen, ConfigMismatch, ConstCircuitBreakerBuilder, IntoVerdict,
    OwnedPermit, Permit, Rejected, ServiceName, TotalsSnapshot, Transition, TransitionEvent,
    UnknownBreaker, Verdict, WindowSnapshot,
};
pub use crate::classify::{Classification, Classify, Outcome};
#[cfg(feature = "tokio")]
#[cfg_attr(docsrs, doc(cfg(feature = "tokio")))]
pub use crate::context::spawn;
pub use crate::context::{RequestContext, RequestIdPolicy, Scoped};
pub use crate::details::{DetailValue, Details, ViolationsField};
pub use crate::envelope::Envelope;
pub use crate::ext::{OptionExt, ResultExt};
pub use crate::fault::{FaultPart, RenderFault, render_fault_count, set_render_fault_hook};
pub use crate::field::{BacktraceField, HeaderField, RetryAfterField, StatusField};
pub use crate::format::{ErrorView, Format, Internals};
pub use crate::id::RequestId;
pub use crate::policy::{AcceptsRejected, ConfigError, IsResult};
pub use crate::rate_limit::{RateLimitFuture, RateLimiter};
pub use crate::render::{http_response, http_response_with};
pub use crate::report::{
    CallEvent, Delivery, DeliveryCounts, ErrorEvent, Failure, FanOut, Observer, Origin, Reporter,
    RetriedEvent, RetryResult, add_observer, printable,
};
pub use crate::retry::{
    ConstRetryPolicyBuilder, Delays, Jitter, NoAttemptTimeout, RetryBudget, RetryEvent,
    RetryPolicy, RetryPolicyBuilder, RetryReport, RetryStop, WithAttemptTimeout,
};
pub use crate::spec::{ErrorSpec, GrpcCode, Level, default_code, public_message};
pub use crate::timeout::{Timeout, with_timeout};
pub use crate::violations::{Pointer, Violation, Violations};

#[cfg(feature = "tower")]
#[cfg_attr(docsrs, doc(cfg(feature = "tower")))]
pub use crate::tower::{CircuitBreakerLayer, FallbackLayer, RetryLayer, TimeoutLayer};

#[cfg(feature = "tower")]
#[cfg_attr(docsrs, doc(cfg(feature = "tower")))]
pub use crate::edge::{EdgeBody, EdgeFuture, ErrorLayer, ErrorService, Unreported};
#[cfg(any(feature = "actix", feature = "tower"))]
#[cfg_attr(docsrs, doc(cfg(any(feature = "actix", feature = "tower"))))]
pub use crate::edge::{ErrorMap, Mapped};

#[cfg(feature = "actix")]
#[cfg_attr(docsrs, doc(cfg(feature = "actix")))]
pub use crate::edge::{ErrorMiddleware, ErrorMiddlewareService};

#[cfg(feature = "metrics")]
#[cfg_attr(docsrs, doc(cfg(feature = "metrics")))]
pub use crate::report::MetricsReporter;
#[cfg(feature = "sentry")]
#[cfg_attr(docsrs, doc(cfg(feature = "sentry")))]
pub use crate::report::SentryReporter;
#[cfg(feature = "tracing")]
#[cfg_attr(docsrs, doc(cfg(feature = "tracing")))]
pub use crate::report::TracingReporter;

#[doc(inline)]
#[cfg(feature = "derive")]
#[cfg_attr(docsrs, doc(cfg(feature = "derive")))]
pub use error_runtime_derive::{
    ApiError, bulkhead, circuit_breaker, fallback, rate_limit, recover, retry, timeout,
};

pub use http::header::InvalidHeaderValue;
pub use http::{HeaderMap, HeaderValue, StatusCode};
