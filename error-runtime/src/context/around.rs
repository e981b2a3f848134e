//! What is in force while a request is worked on, besides its context: a span, and Sentry's hub.

#[cfg(feature = "sentry")]
use std::sync::Arc;

use super::RequestContext;

#[derive(Clone)]
pub(crate) struct Around {
    #[cfg(feature = "tracing")]
    span: tracing::Span,
    /// Breadcrumbs and tags that the application sets belong to this request.
    #[cfg(feature = "sentry")]
    hub: Option<Arc<sentry_core::Hub>>,
}

impl Around {
    /// Of an inner edge: the outermost has it.
    pub(crate) fn none() -> Self {
        Self {
            #[cfg(feature = "tracing")]
            span: tracing::Span::none(),
            #[cfg(feature = "sentry")]
            hub: None,
        }
    }

    /// What this code runs in, for a future that is polled elsewhere.
    pub(crate) fn current() -> Self {
        Self {
            #[cfg(feature = "tracing")]
            span: tracing::Span::current(),
            #[cfg(feature = "sentry")]
            hub: Some(sentry_core::Hub::current()),
        }
    }

    #[cfg_attr(
        not(feature = "tracing"),
        expect(unused_variables, reason = "the span is made of it")
    )]
    pub(crate) fn of(context: &RequestContext) -> Self {
        Self {
            #[cfg(feature = "tracing")]
            span: tracing::info_span!(
                "request",
                request_id = context.request_id(),
                trace_id = context.trace_id(),
                method = context.method().map(http::Method::as_str),
                route = context.route(),
            ),
            #[cfg(feature = "sentry")]
            hub: {
                let current = sentry_core::Hub::current();
                let is_on = current.client().is_some_and(|client| client.is_enabled());
                is_on.then(|| Arc::new(sentry_core::Hub::new_from_top(current)))
            },
        }
    }

    #[cfg_attr(
        not(any(feature = "sentry", feature = "tracing")),
        expect(clippy::unused_self, reason = "there is nothing to be in force")
    )]
    #[inline]
    pub(crate) fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        #[cfg(feature = "tracing")]
        let _entered = self.span.enter();
        #[cfg(feature = "sentry")]
        if let Some(hub) = &self.hub {
            return sentry_core::Hub::run(Arc::clone(hub), work);
        }
        work()
    }
}
