//! How a result counts: by its error's [`Classify`], or by a closure.

use crate::policy::IsResult;
use crate::{Classification, Classify, Outcome};

/// What a result means to a breaker.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Verdict {
    /// How it counts.
    pub outcome: Outcome,
    /// The machine code of the error, for the snapshot.
    pub code: Option<&'static str>,
}

/// What a closure may say of a result: an [`Outcome`], a [`Classification`] or a [`Verdict`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how a result counts",
    label = "`when` of a circuit breaker gives an `Outcome`",
    note = "give `Outcome::Trip` for a failure of the service, `Outcome::Ok` where it did its work, `Outcome::Neutral` for neither"
)]
pub trait IntoVerdict {
    /// As a verdict.
    fn into_verdict(self) -> Verdict;
}

// Without the attribute a missing impl would be reported as a missing `Into<Verdict>`.
#[diagnostic::do_not_recommend]
impl<V: Into<Verdict>> IntoVerdict for V {
    #[inline]
    fn into_verdict(self) -> Verdict {
        self.into()
    }
}

impl From<Outcome> for Verdict {
    fn from(outcome: Outcome) -> Self {
        Self {
            outcome,
            code: None,
        }
    }
}

impl From<Classification> for Verdict {
    fn from(classification: Classification) -> Self {
        Self {
            // A call that another policy refused says nothing about the service.
            outcome: if classification.rejected {
                Outcome::Neutral
            } else {
                classification.outcome
            },
            code: classification.code,
        }
    }
}

/// Tells how a result counts.
pub trait Judge<R> {
    /// What it means.
    fn verdict(&self, result: &R) -> Verdict;
}

/// By [`Classify`]; a success is one.
#[derive(Clone, Copy, Debug)]
pub struct ByClass;

impl<R: IsResult<Error: Classify>> Judge<R> for ByClass {
    #[inline]
    fn verdict(&self, result: &R) -> Verdict {
        match result.error() {
            None => Outcome::Ok.into(),
            Some(error) => error.classify().into(),
        }
    }
}

/// By a closure.
#[derive(Clone, Copy, Debug)]
pub(super) struct By<W>(pub(super) W);

impl<R, W, V> Judge<R> for By<W>
where
    W: Fn(&R) -> V,
    V: IntoVerdict,
{
    #[inline]
    fn verdict(&self, result: &R) -> Verdict {
        (self.0)(result).into_verdict()
    }
}
