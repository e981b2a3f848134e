//! What a call that a policy guards must return.

use crate::Rejected;

/// A `Result`, under whatever alias.
///
/// The attributes ask for this trait instead of naming `Result<T, E>`, so that a function that
/// returns something else is told so once.
#[diagnostic::on_unimplemented(
    message = "this function returns `{Self}`, and a policy needs a `Result` to tell success from failure",
    label = "not a `Result`",
    note = "return `Result<{Self}, E>` with an error type that derives `ApiError`"
)]
pub trait IsResult: Sized + sealed::Sealed {
    /// What a success holds.
    type Value;
    /// What a failure holds.
    type Error;

    /// It as a `Result`.
    ///
    /// # Errors
    ///
    /// If it is a failure.
    fn into_result(self) -> Result<Self::Value, Self::Error>;
    /// The other way round.
    fn from_result(result: Result<Self::Value, Self::Error>) -> Self;
    /// The failure, if it is one.
    fn error(&self) -> Option<&Self::Error>;
}

mod sealed {
    /// Nothing else is a `Result`.
    pub trait Sealed {}
    impl<T, E> Sealed for Result<T, E> {}
}

impl<T, E> IsResult for Result<T, E> {
    type Value = T;
    type Error = E;

    #[inline]
    fn into_result(self) -> Self {
        self
    }

    #[inline]
    fn from_result(result: Self) -> Self {
        result
    }

    #[inline]
    fn error(&self) -> Option<&E> {
        self.as_ref().err()
    }
}

/// An error that can say that a policy refused the call.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot say that a policy refused the call",
    label = "`From<Rejected>` is missing for `{Self}`",
    note = "add this variant to it, or return an error that has it: `#[api(transparent)] Rejected(#[from] error_runtime::Rejected),`"
)]
pub trait AcceptsRejected {
    /// The error for a refused call.
    fn from_rejected(rejected: Rejected) -> Self;
}

// Without the attribute a missing impl would be reported as a missing `From<Rejected>`.
#[diagnostic::do_not_recommend]
impl<E: From<Rejected>> AcceptsRejected for E {
    #[inline]
    fn from_rejected(rejected: Rejected) -> Self {
        Self::from(rejected)
    }
}
