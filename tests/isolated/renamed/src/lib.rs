//! Every way to say where the runtime is. `error_runtime` is no name in this crate, so that a path
//! that forgot `crate = …` does not compile.

use std::backtrace::Backtrace;
use std::collections::BTreeMap;
use std::time::Duration;

/// What a facade crate would do.
pub mod facade {
    pub mod errors {
        pub use api::*;
        // A glob does not bring what is hidden.
        pub use api::__private;
    }
    pub use api as runtime;
}

/// All that generated code can name, under one path.
macro_rules! declare {
    ($module:ident, $($path:tt)*) => {
        pub mod $module {
            #![allow(unused_imports, reason = "not each path of the runtime needs the names beside it")]
            use super::*;

            #[derive(Debug, api::ApiError)]
            #[api(crate = $($path)*, domain = "renamed")]
            pub enum Failure<T> {
                #[api(status = 404, message = "{id:>width$} {note:?}", display = "{id}")]
                Shown { id: u64, width: usize, note: T },
                #[api(status = 429, details, level = "info", grpc = ABORTED, breaker = "neutral",
                    retry_after = "3s", header("X-A" = "b"))]
                Roles {
                    #[api(status)]
                    status: u16,
                    #[api(retry_after)]
                    wait: Option<Duration>,
                    #[api(header = "X-Shelf")]
                    shelf: u8,
                    #[api(violations)]
                    violations: api::Violations,
                    #[api(detail(flatten))]
                    rest: BTreeMap<String, T>,
                },
                #[api(status = 503)]
                From(#[from] std::io::Error, #[backtrace] Backtrace),
                #[api(status = 502)]
                Sourced { source: Option<std::fmt::Error> },
                #[api(transparent)]
                Inner(#[from] Inner),
            }

            #[derive(Debug, api::ApiError)]
            #[api(crate = $($path)*, status = 418)]
            pub struct Inner;

            #[derive(Debug, api::ApiError)]
            #[api(crate = $($path)*)]
            pub enum Never {}

            #[derive(Debug, api::ApiError)]
            #[api(crate = $($path)*)]
            pub enum Guarded {
                #[api(status = 503)]
                Busy,
                #[api(transparent)]
                Rejected(#[from] api::Rejected),
            }

            #[api::retry(crate = $($path)*, attempts = 2, base = "0s", operation = "renamed")]
            #[api::circuit_breaker(service = "renamed", crate = $($path)*)]
            #[api::rate_limit(calls = 1000, crate = $($path)*)]
            #[api::bulkhead(max = 10, crate = $($path)*)]
            pub fn guarded(calls: &std::cell::Cell<u32>) -> Result<u32, Guarded> {
                calls.set(calls.get() + 1);
                if calls.get() < 2 {
                    return Err(Guarded::Busy);
                }
                Ok(calls.get())
            }

            #[api::recover(crate = $($path)*, service = "renamed", attempts = 1, fallback = Ok(7))]
            #[api::timeout("1s", crate = $($path)*)]
            pub async fn recovered() -> Result<u32, Guarded> {
                Err(Guarded::Busy)
            }

            #[test]
            fn policies() {
                assert_eq!(guarded(&std::cell::Cell::new(0)).ok(), Some(2));
                let mut future = std::pin::pin!(recovered());
                let mut context = std::task::Context::from_waker(std::task::Waker::noop());
                let ready = future.as_mut().poll(&mut context);
                assert!(matches!(ready, std::task::Poll::Ready(Ok(7))));
            }

            #[test]
            fn answers() {
                use api::{ApiError as _, Classify as _};

                let error = Failure::from(Inner);
                let _: &Failure<u8> = &error;
                assert_eq!((error.status().as_u16(), error.code()), (418, "INNER"));
                let error = Failure::<u8>::from(std::io::Error::other("disk"));
                assert!(error.backtrace().is_some() && error.classify().retryable);
                let rest = BTreeMap::from([("left".to_owned(), 1_u8)]);
                let error = Failure::Roles {
                    status: 451,
                    wait: None,
                    shelf: 3,
                    violations: api::Violations::new(),
                    rest,
                };
                let answer = api::http_response(&error);
                assert_eq!(answer.status(), 451);
                assert_eq!(answer.headers()["x-shelf"], "3");
                assert_eq!(answer.headers()["retry-after"], "3");
                let body = String::from_utf8_lossy(answer.body());
                assert!(body.contains("\"left\":1"), "{body}");
            }
        }
    };
}

declare!(rooted, ::api);
declare!(bare, api);
declare!(quoted, "::api");
declare!(of_this_crate, crate::facade::errors);
declare!(reexported_crate, crate::facade::runtime);
declare!(of_the_parent, super::facade::runtime);

/// A macro of a facade, whose users have no dependency on the runtime.
#[macro_export]
macro_rules! failure {
    ($name:ident, $status:literal, $message:expr) => {
        #[derive(Debug, $crate::facade::errors::ApiError)]
        #[api(crate = $crate::facade::errors, status = $status, message = $message)]
        pub struct $name {
            pub id: u64,
        }
    };
}

failure!(Missing, 404, "no {id}");

#[test]
fn macros_of_a_facade_work() {
    let error = Missing { id: 7 };
    assert_eq!(error.to_string(), "no 7");
    assert_eq!(api::ApiError::status(&error), 404);
}

#[test]
fn in_function_scope() {
    mod inner {
        pub use api as here;
    }
    use inner::here;

    #[derive(Debug, here::ApiError)]
    #[api(crate = here, status = 404)]
    struct Gone;

    assert_eq!(here::ApiError::code(&Gone), "GONE");
}

#[test]
fn all_are_in_the_catalogue() {
    let renamed = api::catalog::all()
        .into_iter()
        .filter(|spec| spec.domain == "renamed")
        .count();
    assert_eq!(renamed, 6 * 4);
}
