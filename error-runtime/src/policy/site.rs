//! What generated code calls besides the policies themselves.

use std::ops::ControlFlow;

use super::IsResult;
use crate::{Classification, Classify, Outcome};

/// Ties a body that may run several times to its type.
#[inline]
pub fn fn_mut<R, F: FnMut() -> R>(body: F) -> F {
    body
}

/// Ties a body that runs once to its type.
#[inline]
pub fn fn_once<R, F: FnOnce() -> R>(body: F) -> F {
    body
}

/// A value of any type, for code that never runs and only tells rustc a type.
pub fn never<T>() -> T {
    unreachable!("generated code asks for no value here")
}

/// A failure of the service, for the fallback; a success, and the caller's own mistake, pass.
#[inline]
pub fn caught<R>(result: R) -> ControlFlow<R, R::Error>
where
    R: IsResult<Error: Classify>,
{
    caught_when(result, |error| {
        let classification = error.classify();
        classification.outcome == Outcome::Trip || classification.rejected
    })
}

/// The failures that a closure picks.
#[inline]
pub fn caught_when<R: IsResult>(
    result: R,
    when: impl FnOnce(&R::Error) -> bool,
) -> ControlFlow<R, R::Error> {
    match result.into_result() {
        Ok(value) => ControlFlow::Break(R::from_result(Ok(value))),
        Err(error) if when(&error) => ControlFlow::Continue(error),
        Err(error) => ControlFlow::Break(R::from_result(Err(error))),
    }
}

/// Asks a closure about an error; a function, so that the closure's argument has a type.
#[inline]
pub fn says<E>(error: &E, when: impl FnOnce(&E) -> bool) -> bool {
    when(error)
}

/// An error whose own classification counts if it has one: of the two traits below, method lookup
/// takes the first that fits.
#[derive(Debug)]
pub struct Hint<'e, E>(pub &'e E);

/// The error says what to wait, and whether it is a rejection.
pub trait ViaClassify {
    /// With the decision of a closure.
    fn __classification(&self, retryable: bool) -> Classification;
}

impl<E: Classify> ViaClassify for Hint<'_, E> {
    #[inline]
    fn __classification(&self, retryable: bool) -> Classification {
        let mut classification = self.0.classify();
        classification.retryable = retryable;
        classification
    }
}

/// The error says nothing.
pub trait ViaNothing {
    /// With the decision of a closure.
    fn __classification(&self, retryable: bool) -> Classification;
}

impl<E> ViaNothing for &Hint<'_, E> {
    #[inline]
    fn __classification(&self, retryable: bool) -> Classification {
        Classification::new(retryable, Outcome::Trip)
    }
}
