//! Handlers of one's own: an error becomes another before it is rendered.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::report::{cause, links};
use crate::time::Timestamp;
use crate::{AnyError, ApiError, ErrorView, RequestContext};

/// A failure as handlers see it.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) error: &'a dyn ApiError,
    /// The same, where it does not say so itself: of an error written by hand.
    pub(crate) typed: Option<&'a (dyn Error + 'static)>,
}

impl<'a> Subject<'a> {
    /// The error and those that it hands on to, from the outside in.
    fn itself(self) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
        let next = |error: &&'a dyn ApiError| {
            let error: &'a dyn ApiError = *error;
            error.__inner()
        };
        let inner = std::iter::successors(Some(self.error), next);
        let inner = inner.filter_map(|error| error.__typed());
        self.typed.into_iter().chain(inner)
    }

    /// All of these, then what caused them.
    fn anywhere(self) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
        self.itself().chain(links(cause(self.error)))
    }

    fn find<E: Error + 'static>(self) -> Option<&'a E> {
        self.itself().find_map(|error| error.downcast_ref())
    }

    fn find_anywhere<E: Error + 'static>(self) -> Option<&'a E> {
        self.anywhere().find_map(|error| error.downcast_ref())
    }
}

type Run = dyn Fn(Subject<'_>, Option<&RequestContext>) -> Option<AnyError> + Send + Sync;

/// One handler.
#[derive(Clone)]
pub(crate) struct Map(Arc<Run>);

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Map")
    }
}

impl Map {
    /// Of errors of this type, also behind a transparent variant.
    pub(crate) fn typed<E, R>(map: impl Fn(&E) -> R + Send + Sync + 'static) -> Self
    where
        E: Error + 'static,
        R: Into<AnyError>,
    {
        Self(Arc::new(move |subject, _| {
            subject.find::<E>().map(|error| map(error).into())
        }))
    }

    /// Of failures that an error of this type has caused.
    pub(crate) fn foreign<E, R>(map: impl Fn(&E) -> R + Send + Sync + 'static) -> Self
    where
        E: Error + 'static,
        R: Into<AnyError>,
    {
        Self(Arc::new(move |subject, _| {
            subject.find_anywhere::<E>().map(|error| map(error).into())
        }))
    }

    /// Of any failure, by its public side.
    pub(crate) fn view(
        map: impl Fn(&ErrorView<'_>) -> Option<AnyError> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(move |subject, context| {
            map(&ErrorView::new(subject.error, context, Timestamp::now()))
        }))
    }

    pub(crate) fn run(
        &self,
        subject: Subject<'_>,
        context: Option<&RequestContext>,
    ) -> Option<AnyError> {
        (self.0)(subject, context)
    }
}
