//! Features unify over a build: this crate sees both frameworks on, whoever asked for them. It
//! writes the responses of one error itself, and takes those of the others.

use error_runtime::ApiError;

/// Both responses by hand.
#[derive(Debug, ApiError)]
#[api(impl_response = false)]
pub enum Own {
    #[api(status = 404, message = "page {0} not found")]
    Page(u64),
}

impl axum::response::IntoResponse for Own {
    fn into_response(self) -> axum::response::Response {
        let mut response = axum::response::Response::new(axum::body::Body::from("own"));
        *response.status_mut() = self.status();
        response
    }
}

impl actix_web::ResponseError for Own {
    fn status_code(&self) -> actix_web::http::StatusCode {
        actix_web::http::StatusCode::IM_A_TEAPOT
    }
}

/// Both responses by the derive, of whatever is inside.
#[derive(Debug, ApiError)]
pub enum Derived<'a, T: Copy, const N: usize = 1>
where
    T: PartialEq,
{
    #[api(status = 429, message = "{0:?} of {1}", retry_after = "30s", header("X-A" = "b"))]
    Busy(T, &'a str),
    #[api(status = 409)]
    Counted([u8; N]),
    #[api(transparent)]
    Own(#[from] Own),
}

/// Nothing by the derive but what is its own, as another crate would have it.
#[derive(Debug, ApiError)]
#[api(impl_error = false, impl_response = false, status = 410)]
pub struct Gone;

impl std::fmt::Display for Gone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("gone")
    }
}

impl std::error::Error for Gone {}

impl<B> From<Gone> for axum::response::Response<B>
where
    B: Default,
{
    fn from(error: Gone) -> Self {
        let mut response = Self::default();
        *response.status_mut() = error.status();
        response
    }
}

#[cfg(test)]
mod tests {
    use actix_web::ResponseError;
    use axum::response::IntoResponse;

    use super::{Derived, Own};

    #[test]
    fn own_responses() {
        assert_eq!(Own::Page(7).into_response().status(), 404);
        assert_eq!(Own::Page(7).error_response().status().as_u16(), 418);
    }

    #[test]
    fn derived_responses() {
        let busy = || Derived::<u8>::Busy(3, "four");
        let answer = busy().into_response();
        assert_eq!(answer.status(), 429);
        assert_eq!(answer.headers()["retry-after"], "30");
        assert_eq!(answer.headers()["x-a"], "b");
        let answer = busy().error_response();
        assert_eq!(answer.status().as_u16(), 429);
        assert_eq!(answer.headers().get("retry-after").unwrap(), "30");
    }

    /// A transparent variant gives the declaration of the inner error, not its response.
    #[test]
    fn transparent_responses() {
        let inner = || Derived::<u8>::from(Own::Page(7));
        assert_eq!(
            inner().into_response().headers()["content-type"],
            "application/json"
        );
        assert_eq!(inner().status_code().as_u16(), 404);
    }
}
