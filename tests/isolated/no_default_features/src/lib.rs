//! The derive alone: no tokio, no framework, no catalogue.

use error_runtime::ApiError;

#[derive(Debug, ApiError)]
pub enum JobError {
    #[api(status = 404, message = "job {id} not found")]
    NotFound {
        #[api(detail)]
        id: u64,
    },
    #[api(status = 503)]
    Queue(#[from] std::io::Error),
}

#[cfg(test)]
mod tests {
    use error_runtime::{AnyError, ApiError as _, Classify as _, ResultExt as _, http_response};

    use super::JobError;

    fn find(id: u64) -> Result<(), AnyError> {
        Err(JobError::NotFound { id })?;
        Ok(())
    }

    #[test]
    fn answers() {
        let answer = http_response(&JobError::NotFound { id: 7 });
        let body = String::from_utf8_lossy(answer.body()).into_owned();
        assert!(body.contains(r#""message":"job 7 not found","status":404,"details":{"id":7}"#));
        let error = JobError::from(std::io::Error::other("10.0.0.7 is away"));
        assert!(error.classify().retryable);
        assert_eq!(error.message(), "Service temporarily unavailable");
    }

    #[test]
    fn any_error_needs_no_feature() {
        assert!(find(7).is_err_and(|error| error.code() == "NOT_FOUND"));
        let error = Err::<(), _>(std::fmt::Error).or_internal().unwrap_err();
        assert_eq!(error.message(), "An unexpected error occurred");
    }

    #[test]
    fn the_domain_is_the_crate() {
        assert_eq!(
            JobError::NotFound { id: 7 }.spec().domain,
            "isolated-no-default-features"
        );
    }
}
