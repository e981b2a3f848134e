//! `.or_internal()?`, `.or_status(…)?`, `.or_not_found(…)?`.

use std::borrow::Cow;
use std::error::Error;

use http::StatusCode;

use crate::AnyError;

/// Only this crate implements the traits, so that methods can be added.
mod sealed {
    pub trait Sealed {}
    impl<T, E> Sealed for Result<T, E> {}
    impl<T> Sealed for Option<T> {}
}

/// Turns any error into an [`AnyError`] with a status; the error stays as its source, for the log.
pub trait ResultExt<T>: sealed::Sealed {
    /// A 500 `INTERNAL_ERROR` that tells the client nothing of the cause.
    ///
    /// # Errors
    ///
    /// If this is an `Err`.
    fn or_internal(self) -> Result<T, AnyError>;

    /// An error with this status, code and public message.
    ///
    /// # Errors
    ///
    /// If this is an `Err`.
    fn or_status(
        self,
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Result<T, AnyError>;

    /// A 404 `NOT_FOUND` with `resource` and `resource_id` in the details.
    ///
    /// # Errors
    ///
    /// If this is an `Err`.
    fn or_not_found(
        self,
        resource: impl Into<Cow<'static, str>>,
        id: impl std::fmt::Display,
    ) -> Result<T, AnyError>;
}

impl<T, E: Into<Box<dyn Error + Send + Sync>>> ResultExt<T> for Result<T, E> {
    fn or_internal(self) -> Result<T, AnyError> {
        self.map_err(AnyError::internal)
    }

    fn or_status(
        self,
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Result<T, AnyError> {
        self.map_err(|source| AnyError::new(status, code, message).with_source(source))
    }

    fn or_not_found(
        self,
        resource: impl Into<Cow<'static, str>>,
        id: impl std::fmt::Display,
    ) -> Result<T, AnyError> {
        self.map_err(|source| {
            AnyError::not_found(resource)
                .with_resource_id(id)
                .with_source(source)
        })
    }
}

/// Turns an absent value into an [`AnyError`].
pub trait OptionExt<T>: sealed::Sealed {
    /// A 404 `NOT_FOUND` with `resource` and `resource_id` in the details.
    ///
    /// # Errors
    ///
    /// If this is `None`.
    fn or_not_found(
        self,
        resource: impl Into<Cow<'static, str>>,
        id: impl std::fmt::Display,
    ) -> Result<T, AnyError>;

    /// An error with this status, code and public message.
    ///
    /// # Errors
    ///
    /// If this is `None`.
    fn or_status(
        self,
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Result<T, AnyError>;

    /// A 500 `INTERNAL_ERROR`, for a value that must be there.
    ///
    /// # Errors
    ///
    /// If this is `None`.
    fn or_internal(self) -> Result<T, AnyError>;
}

impl<T> OptionExt<T> for Option<T> {
    fn or_not_found(
        self,
        resource: impl Into<Cow<'static, str>>,
        id: impl std::fmt::Display,
    ) -> Result<T, AnyError> {
        self.ok_or_else(|| AnyError::not_found(resource).with_resource_id(id))
    }

    fn or_status(
        self,
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Result<T, AnyError> {
        self.ok_or_else(|| AnyError::new(status, code, message))
    }

    fn or_internal(self) -> Result<T, AnyError> {
        self.ok_or_else(|| AnyError::internal("a value that must be there was absent"))
    }
}
