//! Failures as `tracing` events.

use std::borrow::Cow;

use super::{Delivery, ErrorEvent, Failure, Reporter, printable};
use crate::Level;

/// Logs each failure as one structured event of `tracing`, at the level of its declaration: by default
/// `error` for 5xx and `warn` below; `off` logs nothing.
///
/// Its target is `error_runtime::report`. The fields are `code`, `status`, `domain`, `category`, `origin`,
/// `error` (the `Display`), `chain` (what caused it; from 500 on, or of a failure that a handler mapped), `backtrace` (where there is one, from 500
/// on), `request_id`, `trace_id`, `method`, `route`, `user_id`, `service`, `operation`, `attempts` and
/// `fingerprint`. Control characters, line ends and marks that turn the reading direction are escaped.
///
/// [`ErrorLayer`](crate::ErrorLayer) has one unless told otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub struct TracingReporter(());

impl TracingReporter {
    /// The reporter; it has no settings.
    pub const fn new() -> Self {
        Self(())
    }
}

/// The same event at each of the levels, which `tracing` wants as constants.
macro_rules! at_level {
    ($level:ident, $event:expr, $texts:expr) => {{
        let (event, texts) = ($event, $texts);
        tracing::$level!(
            target: "error_runtime::report",
            code = &*texts.code,
            status = event.status.as_u16(),
            domain = &*texts.domain,
            category = &*texts.category,
            origin = event.origin.as_str(),
            error = &*texts.error,
            chain = texts.chain.as_deref(),
            backtrace = texts.backtrace.as_deref(),
            request_id = texts.request_id.as_deref(),
            trace_id = texts.trace_id.as_deref(),
            method = event.method.as_ref().map(http::Method::as_str),
            route = texts.route.as_deref(),
            user_id = texts.user_id.as_deref(),
            service = texts.service.as_deref(),
            operation = texts.operation.as_deref(),
            attempts = event.attempts,
            fingerprint = &*texts.fingerprint,
            "request failed"
        )
    }};
}

/// What may hold anything, made fit for a line.
struct Texts<'a> {
    code: Cow<'a, str>,
    error: Cow<'a, str>,
    fingerprint: Cow<'a, str>,
    chain: Option<String>,
    backtrace: Option<String>,
    request_id: Option<Cow<'a, str>>,
    trace_id: Option<Cow<'a, str>>,
    user_id: Option<Cow<'a, str>>,
    route: Option<Cow<'a, str>>,
    service: Option<Cow<'a, str>>,
    operation: Option<Cow<'a, str>>,
    domain: Cow<'a, str>,
    category: Cow<'a, str>,
}

impl<'a> Texts<'a> {
    fn of(event: &'a ErrorEvent) -> Self {
        let is_server = event.status.is_server_error();
        let chain = || {
            let causes: Vec<_> = event.chain.iter().map(|cause| printable(cause)).collect();
            causes.join(": ")
        };
        Self {
            code: printable(&event.code),
            error: printable(&event.display),
            fingerprint: printable(&event.fingerprint),
            chain: ((is_server || event.mapped) && !event.chain.is_empty()).then(chain),
            backtrace: event
                .backtrace
                .as_deref()
                .filter(|_| is_server)
                .map(|backtrace| printable(backtrace).into_owned()),
            request_id: event.request_id.as_deref().map(printable),
            trace_id: event.trace_id.as_deref().map(printable),
            user_id: event.user_id.as_deref().map(printable),
            route: event.route.as_deref().map(printable),
            service: event.service.as_deref().map(printable),
            operation: event.operation.as_deref().map(printable),
            domain: printable(&event.domain),
            category: printable(&event.category),
        }
    }
}

impl Reporter for TracingReporter {
    fn report(&self, event: &ErrorEvent) {
        let texts = &Texts::of(event);
        match event.level {
            Level::Error => at_level!(error, event, texts),
            Level::Warn => at_level!(warn, event, texts),
            Level::Info => at_level!(info, event, texts),
            Level::Debug => at_level!(debug, event, texts),
            Level::Off => {}
        }
    }

    /// In the request's own span, and as quick as the subscriber is.
    fn delivery(&self) -> Delivery {
        Delivery::Inline
    }

    /// All of them are one.
    fn __identity(&self) -> usize {
        static ONE: u8 = 0;
        (&raw const ONE).addr()
    }

    fn wants(&self, failure: &Failure<'_>) -> bool {
        match failure.level {
            Level::Error => {
                tracing::enabled!(target: "error_runtime::report", tracing::Level::ERROR)
            }
            Level::Warn => tracing::enabled!(target: "error_runtime::report", tracing::Level::WARN),
            Level::Info => tracing::enabled!(target: "error_runtime::report", tracing::Level::INFO),
            Level::Debug => {
                tracing::enabled!(target: "error_runtime::report", tracing::Level::DEBUG)
            }
            Level::Off => false,
        }
    }
}
