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

mod sealed {
    /// Which answers there are is for this crate to say.
    pub trait Sealed {}
}

impl<E: Into<AnyError>> sealed::Sealed for E {}
impl<E: Into<AnyError>> sealed::Sealed for Option<E> {}

/// A handler of errors of one type: any function or closure from `&E` to what [`Mapped`] is for.
#[diagnostic::on_unimplemented(
    message = "this is no handler of `{E}`",
    label = "a handler is a closure from `&{E}` to an `AnyError`, a declared error, or an `Option` of these"
)]
pub trait ErrorMap<E>: Fn(&E) -> <Self as ErrorMap<E>>::Answer + Send + Sync + 'static {
    /// What it returns.
    type Answer: Mapped;
}

impl<E, F, R> ErrorMap<E> for F
where
    F: Fn(&E) -> R + Send + Sync + 'static,
    R: Mapped,
{
    type Answer = R;
}

/// What a handler may return: an [`AnyError`] or a declared error, to be answered instead; or an `Option` of
/// these, where `None` leaves the failure to the next handler.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be answered instead of an error",
    label = "a handler returns an `AnyError`, a declared error, or an `Option` of these"
)]
pub trait Mapped: sealed::Sealed {
    /// The error that is answered.
    fn into_mapped(self) -> Option<AnyError>;
}

#[diagnostic::do_not_recommend]
impl<E: Into<AnyError>> Mapped for E {
    fn into_mapped(self) -> Option<AnyError> {
        Some(self.into())
    }
}

impl<E: Into<AnyError>> Mapped for Option<E> {
    fn into_mapped(self) -> Option<AnyError> {
        self.map(Into::into)
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
    pub(crate) fn typed<E: Error + 'static>(map: impl ErrorMap<E>) -> Self {
        Self(Arc::new(move |subject, _| {
            map(subject.find::<E>()?).into_mapped()
        }))
    }

    /// Of failures that an error of this type has caused.
    pub(crate) fn foreign<E: Error + 'static>(map: impl ErrorMap<E>) -> Self {
        Self(Arc::new(move |subject, _| {
            map(subject.find_anywhere::<E>()?).into_mapped()
        }))
    }

    /// Of any failure, by its public side.
    pub(crate) fn view<R: Mapped>(
        map: impl Fn(&ErrorView<'_>) -> R + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(move |subject, context| {
            map(&ErrorView::new(subject.error, context, Timestamp::now())).into_mapped()
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
