//! The errors that back ends share, declared with this crate's own derive.
//!
//! Use them as they are, as `transparent` variants of your own enums, or as examples. Each has a
//! constructor per variant; what a variant puts into the details is what its fields are called.
//!
//! | type | failures |
//! |---|---|
//! | [`AuthenticationError`] | 401: no, wrong or locked credentials |
//! | [`TokenError`] | 401: missing, malformed, expired, revoked |
//! | [`AuthorizationError`] | 403 with `required_permissions` |
//! | [`NotFoundError`] | 404 with `resource` and `resource_id` |
//! | [`ConflictError`] | 409: taken, changed meanwhile, wrong state |
//! | [`ValidationError`] | 422 with the violations |
//! | [`PaymentError`] | 402: required, declined; 503 when the provider is away |
//! | [`FileError`] | 400, 413 with `max_size`, 415 |
//! | [`RateLimitError`] | 429 with `Retry-After` |
//! | [`RenderingError`] | 500, with time-out and resource shortage |
//! | [`ExternalServiceError`] | 503, with time-out and bad answer |
//! | [`StorageError`], [`EmailError`], [`DatabaseError`] | 500 and 503 of what stands behind |
//!
//! ```
//! use error_runtime::ApiError as _;
//! use error_runtime::common::{FileError, NotFoundError};
//!
//! let error = NotFoundError::new("meeting", 7);
//! assert_eq!(error.message(), "meeting 7 not found");
//! assert_eq!(FileError::too_large(12_000_000, 10_000_000).status(), 413);
//! ```
//!
//! Whatever causes a 5xx is kept as its source for the log and never sent.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::{ApiError, Violations};

type Text = Cow<'static, str>;
type Cause = Box<dyn Error + Send + Sync>;

/// Somebody who is not who they say, or does not say it.
#[derive(Debug, ApiError)]
#[api(domain = "common", status = 401)]
#[non_exhaustive]
pub enum AuthenticationError {
    /// The request carries no credentials.
    #[api(
        code = "UNAUTHORIZED",
        message = "Authentication required",
        category = "security"
    )]
    Required,
    /// The credentials are wrong. Which part is wrong is not told.
    #[api(message = "The credentials are not valid", category = "security")]
    InvalidCredentials,
    /// The account is locked or disabled.
    #[api(message = "The account is locked", category = "security")]
    AccountLocked,
}

impl AuthenticationError {
    /// No credentials were sent.
    pub const fn required() -> Self {
        Self::Required
    }

    /// Wrong credentials were sent.
    pub const fn invalid_credentials() -> Self {
        Self::InvalidCredentials
    }

    /// The account may not be used.
    pub const fn account_locked() -> Self {
        Self::AccountLocked
    }
}

/// A token that does not prove anything.
#[derive(Debug, ApiError)]
#[api(domain = "common", status = 401, prefix = "TOKEN")]
#[non_exhaustive]
pub enum TokenError {
    /// There is no token where one is needed.
    #[api(message = "A token is required", category = "security")]
    Missing,
    /// The token cannot be read or its signature is wrong.
    #[api(
        code = "INVALID_TOKEN",
        message = "The token is not valid",
        category = "security",
        authenticate = "Bearer error=\"invalid_token\""
    )]
    Invalid,
    /// The token was good until a while ago.
    #[api(
        message = "The token has expired",
        category = "security",
        authenticate = "Bearer error=\"invalid_token\""
    )]
    Expired,
    /// The token was withdrawn.
    #[api(
        message = "The token has been revoked",
        category = "security",
        authenticate = "Bearer error=\"invalid_token\""
    )]
    Revoked,
}

impl TokenError {
    /// There is no token.
    pub const fn missing() -> Self {
        Self::Missing
    }

    /// The token cannot be trusted.
    pub const fn invalid() -> Self {
        Self::Invalid
    }

    /// The token is too old.
    pub const fn expired() -> Self {
        Self::Expired
    }

    /// The token was withdrawn.
    pub const fn revoked() -> Self {
        Self::Revoked
    }
}

/// Somebody who is known and may not do this.
#[derive(Debug, ApiError)]
#[api(
    domain = "common",
    status = 403,
    code = "FORBIDDEN",
    message = "Access denied",
    display = "access denied, required permissions: {required_permissions:?}",
    category = "security",
    details
)]
#[non_exhaustive]
pub struct AuthorizationError {
    /// What the caller would need.
    pub required_permissions: Vec<Text>,
}

impl AuthorizationError {
    /// Access denied, for want of these permissions.
    pub fn new<P: Into<Text>>(required_permissions: impl IntoIterator<Item = P>) -> Self {
        Self {
            required_permissions: required_permissions.into_iter().map(Into::into).collect(),
        }
    }
}

/// There is no such thing.
#[derive(Debug, ApiError)]
#[api(
    domain = "common",
    status = 404,
    code = "NOT_FOUND",
    message = "{resource} {resource_id} not found",
    details
)]
#[non_exhaustive]
pub struct NotFoundError {
    /// The kind of thing.
    pub resource: Text,
    /// Which one.
    pub resource_id: String,
}

impl NotFoundError {
    /// No `resource` has the id `resource_id`.
    pub fn new(resource: impl Into<Text>, resource_id: impl fmt::Display) -> Self {
        Self {
            resource: resource.into(),
            resource_id: resource_id.to_string(),
        }
    }
}

/// The request does not fit the state of things.
#[derive(Debug, ApiError)]
#[api(domain = "common", status = 409, details)]
#[non_exhaustive]
pub enum ConflictError {
    /// A conflict that a text describes.
    #[api(code = "CONFLICT", message = "{reason}")]
    Conflict {
        /// What is in the way; sent to the client.
        #[api(skip)]
        reason: Text,
    },
    /// Something with this value exists.
    #[api(message = "{resource} with this {field} already exists")]
    AlreadyExists {
        /// The kind of thing.
        resource: Text,
        /// The field whose value is taken.
        field: Text,
    },
    /// Somebody else was faster: read again, then write.
    #[api(
        message = "{resource} was changed meanwhile",
        retryable = false,
        recoverable
    )]
    ChangedMeanwhile {
        /// The kind of thing.
        resource: Text,
        /// Which one.
        resource_id: String,
    },
}

impl ConflictError {
    /// A conflict; the reason is sent to the client.
    pub fn new(reason: impl Into<Text>) -> Self {
        Self::Conflict {
            reason: reason.into(),
        }
    }

    /// A value that has to be unique is taken.
    pub fn already_exists(resource: impl Into<Text>, field: impl Into<Text>) -> Self {
        Self::AlreadyExists {
            resource: resource.into(),
            field: field.into(),
        }
    }

    /// What was read is no longer what is stored.
    pub fn changed_meanwhile(resource: impl Into<Text>, resource_id: impl fmt::Display) -> Self {
        Self::ChangedMeanwhile {
            resource: resource.into(),
            resource_id: resource_id.to_string(),
        }
    }
}

/// The input breaks rules; the violations say where and which.
#[derive(Debug, ApiError)]
#[api(
    domain = "common",
    status = 422,
    code = "VALIDATION_ERROR",
    message = "Validation failed"
)]
#[non_exhaustive]
pub struct ValidationError {
    /// What is wrong, place by place.
    #[api(violations)]
    pub violations: Violations,
}

impl ValidationError {
    /// All that was found.
    pub fn new(violations: impl Into<Violations>) -> Self {
        Self {
            violations: violations.into(),
        }
    }

    /// One field that is wrong.
    pub fn field(field: &str, code: impl Into<Text>, message: impl Into<Text>) -> Self {
        let mut violations = Violations::new();
        violations.add(field, code, message);
        Self { violations }
    }
}

/// Money that did not move.
#[derive(Debug, ApiError)]
#[api(domain = "common", status = 402, prefix = "PAYMENT")]
#[non_exhaustive]
pub enum PaymentError {
    /// It costs something.
    #[api(message = "Payment required")]
    Required,
    /// The bank said no; another card may do.
    #[api(message = "The payment was declined", details, recoverable)]
    Declined {
        /// The reason, as far as the customer may know it.
        reason: Text,
    },
    /// The provider is away.
    #[api(
        status = 503,
        message = "Payments are temporarily unavailable",
        display = "the payment provider failed"
    )]
    Unavailable {
        /// What happened, for the log.
        source: Cause,
    },
}

impl PaymentError {
    /// It has to be paid first.
    pub const fn required() -> Self {
        Self::Required
    }

    /// The payment was declined; the reason is sent to the client.
    pub fn declined(reason: impl Into<Text>) -> Self {
        Self::Declined {
            reason: reason.into(),
        }
    }

    /// The provider cannot be reached or failed.
    pub fn unavailable(source: impl Into<Cause>) -> Self {
        Self::Unavailable {
            source: source.into(),
        }
    }
}

/// A file that cannot be taken.
#[derive(Debug, ApiError)]
#[api(domain = "common", status = 400, prefix = "FILE", details)]
#[non_exhaustive]
pub enum FileError {
    /// A file was expected.
    #[api(message = "A file is required")]
    Missing,
    /// The file is not what it should be.
    #[api(message = "The file is not valid: {reason}")]
    Invalid {
        /// What is wrong; sent to the client.
        reason: Text,
    },
    /// The file is too large.
    #[api(
        status = 413,
        message = "The file has {size} bytes, {max_size} are allowed"
    )]
    TooLarge {
        /// What it has.
        size: u64,
        /// What it may have.
        max_size: u64,
    },
    /// Files of this kind are not taken.
    #[api(
        status = 415,
        message = "Files of the type {content_type} are not accepted"
    )]
    UnsupportedType {
        /// What it is.
        content_type: Text,
        /// What it may be.
        allowed_types: Vec<Text>,
    },
}

impl FileError {
    /// There is no file.
    pub const fn missing() -> Self {
        Self::Missing
    }

    /// The file is broken; the reason is sent to the client.
    pub fn invalid(reason: impl Into<Text>) -> Self {
        Self::Invalid {
            reason: reason.into(),
        }
    }

    /// The file has more bytes than allowed.
    pub const fn too_large(size: u64, max_size: u64) -> Self {
        Self::TooLarge { size, max_size }
    }

    /// The file is of a kind that is not taken.
    pub fn unsupported_type<T: Into<Text>>(
        content_type: impl Into<Text>,
        allowed_types: impl IntoIterator<Item = T>,
    ) -> Self {
        Self::UnsupportedType {
            content_type: content_type.into(),
            allowed_types: allowed_types.into_iter().map(Into::into).collect(),
        }
    }
}

/// Too many requests for now.
#[derive(Debug, ApiError)]
#[api(
    domain = "common",
    status = 429,
    code = "RATE_LIMITED",
    message = "Too many requests"
)]
#[non_exhaustive]
pub struct RateLimitError {
    /// How many are allowed in the window.
    #[api(detail)]
    pub limit: Option<u64>,
    /// When the next one is.
    #[api(retry_after)]
    pub retry_after: Option<Duration>,
}

impl RateLimitError {
    /// Come back after this wait, where it is known.
    pub fn new(retry_after: impl Into<Option<Duration>>) -> Self {
        Self {
            limit: None,
            retry_after: retry_after.into(),
        }
    }

    /// The same, saying how many requests are allowed.
    #[must_use]
    pub const fn with_limit(mut self, limit: u64) -> Self {
        self.limit = Some(limit);
        self
    }
}

/// A rendering job that did not come out.
#[derive(Debug, ApiError)]
#[api(domain = "common", status = 500, prefix = "RENDERING", details)]
#[non_exhaustive]
pub enum RenderingError {
    /// The renderer failed.
    #[api(message = "Rendering failed", display = "the renderer failed")]
    Failed {
        /// What happened, for the log.
        source: Cause,
    },
    /// It took too long; a smaller job may do.
    #[api(
        message = "Rendering took too long",
        display = "rendering took longer than {limit_seconds} s",
        recoverable
    )]
    Timeout {
        /// The limit that was reached.
        limit_seconds: u64,
    },
    /// There is too little memory, disk or GPU for it just now.
    #[api(
        message = "There are not enough resources for rendering",
        display = "not enough {resource} for rendering",
        retryable
    )]
    Resource {
        /// What ran short.
        #[api(skip)]
        resource: Text,
    },
}

impl RenderingError {
    /// The renderer failed.
    pub fn failed(source: impl Into<Cause>) -> Self {
        Self::Failed {
            source: source.into(),
        }
    }

    /// The job was stopped after this time.
    pub const fn timeout(limit: Duration) -> Self {
        Self::Timeout {
            limit_seconds: limit.as_secs(),
        }
    }

    /// Something that rendering needs has run short.
    pub fn resource(resource: impl Into<Text>) -> Self {
        Self::Resource {
            resource: resource.into(),
        }
    }
}

/// A service of somebody else's that failed.
#[derive(Debug, ApiError)]
#[api(domain = "common", prefix = "EXTERNAL_SERVICE")]
#[non_exhaustive]
pub enum ExternalServiceError {
    /// The service cannot be reached or refuses.
    #[api(
        status = 503,
        message = "A service that this one needs is temporarily unavailable",
        display = "{service} is unavailable"
    )]
    Unavailable {
        /// Which service, for the log.
        service: Text,
        /// What happened, for the log.
        source: Option<Cause>,
    },
    /// The service did not answer in time.
    #[api(
        status = 504,
        message = "A service that this one needs did not answer in time",
        display = "{service} did not answer in time"
    )]
    Timeout {
        /// Which service, for the log.
        service: Text,
    },
    /// The service answered something that makes no sense.
    #[api(
        status = 502,
        message = "A service that this one needs gave a bad answer",
        display = "{service} gave a bad answer"
    )]
    BadAnswer {
        /// Which service, for the log.
        service: Text,
        /// What happened, for the log.
        source: Option<Cause>,
    },
}

impl ExternalServiceError {
    /// The service is away.
    pub fn unavailable(service: impl Into<Text>) -> Self {
        Self::Unavailable {
            service: service.into(),
            source: None,
        }
    }

    /// The service did not answer in time.
    pub fn timeout(service: impl Into<Text>) -> Self {
        Self::Timeout {
            service: service.into(),
        }
    }

    /// The service's answer cannot be used.
    pub fn bad_answer(service: impl Into<Text>) -> Self {
        Self::BadAnswer {
            service: service.into(),
            source: None,
        }
    }

    /// Keeps the cause, for the log.
    #[must_use]
    pub fn with_source(mut self, cause: impl Into<Cause>) -> Self {
        match &mut self {
            Self::Unavailable { source, .. } | Self::BadAnswer { source, .. } => {
                *source = Some(cause.into());
            }
            Self::Timeout { .. } => {}
        }
        self
    }
}

/// Files or objects that could not be stored or fetched.
#[derive(Debug, ApiError)]
#[api(domain = "common", prefix = "STORAGE")]
#[non_exhaustive]
pub enum StorageError {
    /// The store is away.
    #[api(
        status = 503,
        message = "The storage is temporarily unavailable",
        display = "storage unavailable during {operation}"
    )]
    Unavailable {
        /// What was being done, for the log.
        operation: Text,
        /// What happened, for the log.
        source: Cause,
    },
    /// The store failed.
    #[api(
        status = 500,
        message = "The file could not be stored or read",
        display = "storage failed during {operation}"
    )]
    Failed {
        /// What was being done, for the log.
        operation: Text,
        /// What happened, for the log.
        source: Cause,
    },
    /// The store is full.
    #[api(status = 507, message = "There is no space left to store the file")]
    Full,
}

impl StorageError {
    /// The store cannot be reached.
    pub fn unavailable(operation: impl Into<Text>, source: impl Into<Cause>) -> Self {
        Self::Unavailable {
            operation: operation.into(),
            source: source.into(),
        }
    }

    /// The store answered with a failure.
    pub fn failed(operation: impl Into<Text>, source: impl Into<Cause>) -> Self {
        Self::Failed {
            operation: operation.into(),
            source: source.into(),
        }
    }

    /// There is no space left.
    pub const fn full() -> Self {
        Self::Full
    }
}

/// Mail that was not sent.
#[derive(Debug, ApiError)]
#[api(domain = "common", prefix = "EMAIL")]
#[non_exhaustive]
pub enum EmailError {
    /// The mail service is away.
    #[api(
        status = 503,
        message = "E-mail is temporarily unavailable",
        display = "the mail service failed"
    )]
    Unavailable {
        /// What happened, for the log.
        source: Cause,
    },
    /// The address cannot receive mail.
    #[api(status = 422, message = "The e-mail address cannot receive mail")]
    InvalidRecipient {
        /// The address; neither sent nor logged.
        #[api(secret)]
        address: String,
    },
}

impl EmailError {
    /// The mail service cannot be reached or failed.
    pub fn unavailable(source: impl Into<Cause>) -> Self {
        Self::Unavailable {
            source: source.into(),
        }
    }

    /// The address was refused.
    pub fn invalid_recipient(address: impl Into<String>) -> Self {
        Self::InvalidRecipient {
            address: address.into(),
        }
    }
}

/// A database that failed. The statement and its values are never sent.
#[derive(Debug, ApiError)]
#[api(domain = "common", prefix = "DATABASE")]
#[non_exhaustive]
pub enum DatabaseError {
    /// A statement failed.
    #[api(
        status = 500,
        code = "DATABASE_ERROR",
        message = "A database operation failed",
        display = "{operation} failed"
    )]
    Failed {
        /// What was being done, for the log.
        operation: Text,
        /// What happened, for the log.
        source: Cause,
    },
    /// The database cannot be reached, or has no connection free.
    #[api(
        status = 503,
        message = "The database is temporarily unavailable",
        display = "the database is unavailable during {operation}"
    )]
    Unavailable {
        /// What was being done, for the log.
        operation: Text,
        /// What happened, for the log.
        source: Cause,
    },
}

impl DatabaseError {
    /// A statement failed.
    pub fn failed(operation: impl Into<Text>, source: impl Into<Cause>) -> Self {
        Self::Failed {
            operation: operation.into(),
            source: source.into(),
        }
    }

    /// The database is away.
    pub fn unavailable(operation: impl Into<Text>, source: impl Into<Cause>) -> Self {
        Self::Unavailable {
            operation: operation.into(),
            source: source.into(),
        }
    }
}
