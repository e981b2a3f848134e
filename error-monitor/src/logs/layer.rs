//! The layer: which event goes into which file.

use std::fmt;

use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, Scope};

use super::file::RotatingFile;
use super::line::{self, Fields};

/// Writes events into files by their category; see [`LogFiles`](crate::LogFiles).
pub struct LogLayer {
    files: Files,
}

pub(super) struct Files {
    pub(super) app: RotatingFile,
    pub(super) errors: RotatingFile,
    pub(super) security: RotatingFile,
    pub(super) performance: RotatingFile,
}

impl fmt::Debug for LogLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogLayer").finish_non_exhaustive()
    }
}

impl LogLayer {
    pub(super) const fn new(files: Files) -> Self {
        Self { files }
    }
}

impl<S> Layer<S> for LogLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            record.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut spans = Vec::new();
        for span in context
            .event_scope(event)
            .into_iter()
            .flat_map(Scope::from_root)
        {
            let fields = span
                .extensions()
                .get::<Fields>()
                .cloned()
                .unwrap_or_default();
            spans.push((span.name(), fields));
        }
        let fields = line::fields(event);
        let category = fields
            .0
            .get("category")
            .and_then(|category| category.as_str());
        let file = match category {
            Some("security") => &self.files.security,
            Some("performance") => &self.files.performance,
            _ => &self.files.app,
        };
        let is_error = *event.metadata().level() == Level::ERROR;
        let line = line::line(event.metadata(), fields, &spans);
        file.write(&line);
        if is_error {
            self.files.errors.write(&line);
        }
    }
}
