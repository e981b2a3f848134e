//! What goes wrong for those who ask.

use error_runtime::ApiError;

use crate::store::StoreError;

/// Every failure of the endpoints, as they answer it.
#[derive(Debug, ApiError)]
#[api(domain = "error-monitor", crate = error_runtime)]
#[non_exhaustive]
pub enum AdminError {
    /// A parameter cannot be read.
    #[api(status = 400, message = "{parameter}: {reason}", details)]
    InvalidParameter {
        /// Which.
        parameter: String,
        /// Why not, and what would do.
        reason: String,
    },

    /// A parameter can be read, and asks for too much or for nothing.
    #[api(status = 422, message = "{parameter}: {reason}", details)]
    ParameterOutOfRange {
        /// Which.
        parameter: String,
        /// What is wrong with it.
        reason: String,
    },

    /// The body cannot be read.
    #[api(
        status = 400,
        message = "the body cannot be read: {reason}",
        display = "a body cannot be read",
        details
    )]
    InvalidBody {
        /// Why not.
        reason: String,
    },

    /// The body can be read, and says what cannot be.
    #[api(
        status = 422,
        message = "{field}: {reason}",
        display = "{field} cannot be",
        details
    )]
    InvalidField {
        /// Where in the body.
        field: String,
        /// What is wrong there.
        reason: String,
    },

    /// The body is no JSON.
    #[api(status = 415, message = "a body is sent as application/json", header("Accept" = "application/json"))]
    UnsupportedMediaType,

    /// The body is too large.
    #[api(status = 413, message = "a body has at most {most} bytes", details)]
    BodyTooLarge {
        /// So much would do.
        most: usize,
    },

    /// Nobody has signed in.
    #[api(
        status = 401,
        message = "sign in",
        category = "security",
        authenticate = "Bearer realm=\"error-monitor\""
    )]
    NotSignedIn,

    /// Too many have tried.
    #[api(
        status = 429,
        message = "too many failed attempts to sign in",
        category = "security"
    )]
    TooManyAttempts {
        /// Until when.
        #[api(retry_after)]
        wait: std::time::Duration,
    },

    /// Whoever it is may not do this.
    #[api(
        status = 403,
        message = "this takes the role {role}",
        details,
        category = "security"
    )]
    Forbidden {
        /// Who may.
        role: &'static str,
    },

    /// A browser was led here from another page.
    #[api(
        status = 403,
        message = "a change is not accepted from another site",
        category = "security"
    )]
    CrossSite,

    /// There is nothing at this path.
    #[api(status = 404, message = "there is no such endpoint")]
    NoSuchEndpoint,

    /// There is an endpoint, and not for this method.
    #[api(status = 405, message = "this endpoint takes another method")]
    MethodNotAllowed,

    /// There is no breaker of this name.
    #[api(
        status = 404,
        message = "there is no circuit breaker of this name",
        details
    )]
    UnknownService {
        /// The name.
        service: String,
    },

    /// There is none of this kind and name.
    #[api(status = 404, message = "there is no {kind} of this name", details)]
    UnknownName {
        /// What was looked for.
        kind: &'static str,
        /// The name.
        name: String,
    },

    /// Somebody else was faster.
    #[api(
        status = 409,
        message = "it was changed by somebody else; read it again",
        retryable
    )]
    ChangedMeanwhile,

    /// This was built without it.
    #[api(
        status = 501,
        message = "this monitor was built without the feature `{feature}`",
        retryable = false
    )]
    NotBuilt {
        /// Which.
        feature: &'static str,
    },

    /// The store does not answer.
    #[api(
        status = 503,
        message = "the error store is unavailable",
        display = "the error store does not answer",
        retry_after = "5s",
        report = false
    )]
    StoreUnavailable(#[source] StoreError),
}

impl From<StoreError> for AdminError {
    fn from(error: StoreError) -> Self {
        if !error.is_passing() {
            // A mistake of ours, and not one that waiting mends.
            tracing::error!(%error, "the error store could not answer");
        }
        Self::StoreUnavailable(error)
    }
}

impl AdminError {
    pub(crate) fn invalid(parameter: &str, reason: impl Into<String>) -> Self {
        Self::InvalidParameter {
            parameter: parameter.to_owned(),
            reason: reason.into(),
        }
    }

    pub(crate) fn out_of_range(parameter: &str, reason: impl Into<String>) -> Self {
        Self::ParameterOutOfRange {
            parameter: parameter.to_owned(),
            reason: reason.into(),
        }
    }
}
