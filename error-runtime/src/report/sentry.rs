//! Failures as events of Sentry.

use std::collections::HashMap;
use std::sync::Arc;

use sentry_core::protocol::{Event, Exception, Level as SentryLevel, User};
use sentry_core::{Breadcrumb, Hub};

use super::{
    CallEvent, Delivery, ErrorEvent, Failure, Observer, Reporter, RetriedEvent, add_observer,
};
use crate::{Level, RetryEvent, TransitionEvent};

/// Sends failures to Sentry: 5xx unless a declaration says otherwise (`report = …`), and never a call that a
/// policy has refused.
///
/// An event has the failure and what caused it as exceptions, our fingerprint, the tags `code`, `domain`,
/// `request_id`, `trace_id`, `service`, `operation` and `status`, the route as its transaction, and the user that
/// [`RequestContext::set_user`](crate::RequestContext::set_user) has named. Every request behind
/// [`ErrorLayer`](crate::ErrorLayer) has a hub of its own, so breadcrumbs and tags that a handler sets stay
/// with its request; retries and transitions of breakers leave breadcrumbs.
///
/// The application initialises Sentry itself, with a transport and options of its choice, and keeps its
/// guard.
#[derive(Clone, Debug)]
pub struct SentryReporter {
    rates: Arc<HashMap<String, f32>>,
}

impl SentryReporter {
    /// Everything that is to be tracked is sent.
    #[expect(
        clippy::new_without_default,
        reason = "a default that watches the whole process would surprise"
    )]
    pub fn new() -> Self {
        static WATCH: std::sync::Once = std::sync::Once::new();
        WATCH.call_once(|| add_observer(Breadcrumbs));
        Self {
            rates: Arc::default(),
        }
    }

    /// The share of the failures of one code that is sent, from 0 to 1. Others are sent all.
    #[must_use]
    pub fn sample(mut self, code: impl Into<String>, rate: f32) -> Self {
        let rates = Arc::make_mut(&mut self.rates);
        rates.insert(code.into(), rate.clamp(0.0, 1.0));
        self
    }

    fn is_sampled(&self, code: &str) -> bool {
        match self.rates.get(code) {
            // NaN sends nothing.
            Some(rate) => fastrand::f32() < *rate,
            None => true,
        }
    }
}

impl Reporter for SentryReporter {
    fn report(&self, event: &ErrorEvent) {
        if self.is_sampled(&event.code) {
            Hub::with_active(|hub| hub.capture_event(to_sentry(event)));
        }
    }

    /// In the request's hub; Sentry's own transport has a queue.
    fn delivery(&self) -> Delivery {
        Delivery::Inline
    }

    fn wants(&self, failure: &Failure<'_>) -> bool {
        failure.reported && !failure.rejected
    }
}

fn to_sentry(event: &ErrorEvent) -> Event<'static> {
    let mut tags = std::collections::BTreeMap::new();
    let mut tag = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            tags.insert(name.to_owned(), value.to_owned());
        }
    };
    tag("code", Some(&event.code));
    tag("domain", Some(&event.domain));
    tag("status", Some(event.status.as_str()));
    tag("request_id", event.request_id.as_deref());
    tag("trace_id", event.trace_id.as_deref());
    tag("service", event.service.as_deref());
    tag("operation", event.operation.as_deref());
    let exception = |ty: &str, value: &str| Exception {
        ty: ty.to_owned(),
        value: Some(value.to_owned()),
        ..Exception::default()
    };
    // Sentry wants the root cause first.
    let mut exceptions: Vec<_> = event
        .chain
        .iter()
        .rev()
        .map(|cause| exception("cause", cause))
        .collect();
    exceptions.push(exception(&event.code, &event.display));
    let transaction = event.route.as_ref().map(|route| match &event.method {
        Some(method) => format!("{method} {route}"),
        None => route.clone(),
    });
    let mut extra = std::collections::BTreeMap::new();
    if let Some(attempts) = event.attempts {
        extra.insert("attempts".to_owned(), attempts.into());
    }
    if let Some(backtrace) = &event.backtrace {
        extra.insert("backtrace".to_owned(), backtrace.clone().into());
    }
    Event {
        level: match event.level {
            Level::Error | Level::Off => SentryLevel::Error,
            Level::Warn => SentryLevel::Warning,
            Level::Info => SentryLevel::Info,
            Level::Debug => SentryLevel::Debug,
        },
        fingerprint: vec![event.fingerprint.clone().into()].into(),
        logger: Some("error_runtime".to_owned()),
        platform: "rust".into(),
        user: event.user_id.clone().map(|id| User {
            id: Some(id),
            ..User::default()
        }),
        exception: exceptions.into(),
        transaction,
        tags,
        extra,
        ..Event::default()
    }
}

/// What policies did before a request failed.
struct Breadcrumbs;

impl Breadcrumbs {
    fn leave(category: &str, message: String) {
        sentry_core::add_breadcrumb(|| Breadcrumb {
            ty: "default".to_owned(),
            category: Some(category.to_owned()),
            message: Some(message),
            level: SentryLevel::Warning,
            ..Breadcrumb::default()
        });
    }
}

impl Observer for Breadcrumbs {
    fn rejected(&self, event: &CallEvent<'_>) {
        Self::leave(
            "circuit_breaker",
            format!("{} refused a call", event.service),
        );
    }

    fn transition(&self, event: &TransitionEvent) {
        let (from, to) = (event.transition.from, event.transition.to);
        Self::leave(
            "circuit_breaker",
            format!("{}: {} to {}", event.service, from.as_str(), to.as_str()),
        );
    }

    fn retry(&self, event: &RetryEvent<'_>) {
        Self::leave(
            "retry",
            format!(
                "{}: attempt {} failed with {}, the next in {:?}",
                event.operation,
                event.attempt,
                event.code.unwrap_or("an error"),
                event.delay
            ),
        );
    }

    fn exhausted(&self, event: &RetriedEvent<'_>) {
        Self::leave(
            "retry",
            format!("{}: given up after {}", event.operation, event.attempts),
        );
    }
}
