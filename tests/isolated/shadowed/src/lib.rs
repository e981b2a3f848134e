//! A module in which every name that generated code could be tempted to use means something else,
//! and enums and structs of every shape in it.

#![allow(
    dead_code,
    non_camel_case_types,
    unused_macros,
    clippy::all,
    reason = "the names are there to be in the way"
)]

/// Macros that no argument fits.
macro_rules! hide_macros {
    ($($name:ident)*) => {$(
        macro_rules! $name {
            () => {};
        }
    )*};
}

/// Names of types, values, modules, traits and macros that hide the usual ones.
macro_rules! hide {
    () => {
        pub struct Option;
        pub struct Some;
        pub struct None;
        pub struct Ok;
        pub struct Err;
        pub struct Result;
        pub struct String;
        pub struct Box;
        pub struct Vec;
        pub struct Duration;
        pub struct Formatter;
        pub struct ErrorSpec;
        pub struct Details;
        pub struct Outcome;
        pub struct StatusCode;
        pub struct HeaderMap;
        pub struct bool;
        pub struct str;
        pub struct u16;
        pub struct u32;
        pub struct u64;
        pub struct usize;
        pub mod alloc {}
        pub mod core {}
        pub mod std {}
        pub mod error_runtime {}
        pub mod fmt {}
        pub mod __private {}
        pub trait Error {}
        pub trait Display {
            fn fmt(&self) {}
        }
        pub trait Debug {}
        pub trait Clone {}
        pub trait From {
            fn from(&self) {}
        }
        pub trait Into {
            fn into(&self) {}
        }
        pub trait AsRef {
            fn as_ref(&self) {}
        }
        pub trait ApiError {
            fn spec(&self) {}
            fn source(&self) {}
            fn status(&self) {}
            fn field(&self) {}
        }
        pub trait Writes {
            fn write_fmt(&self) {}
            fn write_str(&self) {}
            fn with_details(&self) {}
            fn with_docs(&self) {}
            fn get(&self) {}
        }
        // Methods that answer for everything in scope.
        impl<T: ?Sized> Display for T {}
        impl<T: ?Sized> From for T {}
        impl<T: ?Sized> Into for T {}
        impl<T: ?Sized> AsRef for T {}
        impl<T: ?Sized> ApiError for T {}
        impl<T: ?Sized> Writes for T {}
        hide_macros! {
            write format_args format concat panic unreachable matches option_env env module_path
            stringify vec assert debug_assert __impl_responses __register
        }
    };
}

mod hostile {
    hide!();

    type Text = ::std::string::String;

    #[derive(Debug, ::error_runtime::ApiError)]
    pub enum Guarded {
        #[api(status = 503)]
        Busy,
        #[api(transparent)]
        Rejected(#[from] ::error_runtime::Rejected),
    }

    type Answer = ::core::result::Result<::core::primitive::u32, Guarded>;
    type Calls = ::core::cell::Cell<::core::primitive::u32>;

    #[::error_runtime::fallback(::core::result::Result::Err(error))]
    #[::error_runtime::retry(attempts = 2, base = "0s", jitter = 0.5, on(Guarded::Busy))]
    #[::error_runtime::circuit_breaker(service = "shadowed", when = |answer: &Answer| match answer {
        ::core::result::Result::Ok(_) => ::error_runtime::Outcome::Ok,
        ::core::result::Result::Err(_) => ::error_runtime::Outcome::Neutral,
    })]
    #[::error_runtime::rate_limit(calls = 1000)]
    #[::error_runtime::bulkhead(max = 10)]
    pub fn guarded(calls: &Calls) -> Answer {
        calls.set(calls.get() + 1);
        if calls.get() < 2 {
            return ::core::result::Result::Err(Guarded::Busy);
        }
        ::core::result::Result::Ok(calls.get())
    }

    /// Arguments of the names that the expansion uses.
    #[::error_runtime::recover(service = "shadowed", attempts = 1, fallback = ::core::result::Result::Ok(__error_retry))]
    #[::error_runtime::timeout("1s")]
    pub async fn named(
        __error_retry: ::core::primitive::u32,
        __error_outcome: &Calls,
        error: ::core::primitive::u32,
    ) -> Answer {
        __error_outcome.set(error + __error_retry);
        ::core::result::Result::Err(Guarded::Busy)
    }

    #[derive(Debug, ::error_runtime::ApiError)]
    #[api(transparent)]
    pub struct Newtype(#[from] Unit);

    #[derive(Debug, ::error_runtime::ApiError)]
    #[api(status = 404, message = "nothing here")]
    pub struct Unit;

    #[derive(Debug, ::error_runtime::ApiError)]
    #[api(status = 400, message = "{0:>1$} of {2:?}", display = "{0}", details)]
    pub struct Tuple(
        pub ::core::primitive::u64,
        pub ::core::primitive::usize,
        #[api(skip)] pub Text,
    );

    #[derive(Debug, ::error_runtime::ApiError)]
    #[api(status = 500, docs = "https://docs.example.com/named")]
    pub struct Named {
        #[from]
        pub cause: ::std::io::Error,
        #[backtrace]
        pub backtrace: ::core::option::Option<::std::backtrace::Backtrace>,
    }

    #[derive(Debug, ::error_runtime::ApiError)]
    pub enum Never {}

    #[derive(Debug, ::error_runtime::ApiError)]
    #[api(domain = "hidden", prefix = "HIDDEN", detail_case = "camelCase")]
    pub enum Shapes {
        #[api(status = 401)]
        Bare,
        #[api(status = 410)]
        Empty(),
        #[api(status = 410)]
        Braced {},
        /// Fields and a variant with the names of keywords.
        #[api(
            status = 422,
            message = "{type:>width$.precision$} {match:?} {r#fn:#06x}",
            details
        )]
        r#Type {
            r#type: ::core::primitive::f64,
            r#match: Text,
            r#fn: ::core::primitive::u8,
            #[api(skip)]
            width: ::core::primitive::usize,
            #[api(skip)]
            precision: ::core::primitive::usize,
        },
        #[api(
            status = 423,
            message = "{self_} {__error_0} {f} {formatter} {__error_formatter}"
        )]
        r#try {
            self_: ::core::primitive::u8,
            __error_0: ::core::primitive::u8,
            f: ::core::primitive::u8,
            formatter: ::core::primitive::u8,
            __error_formatter: ::core::primitive::u8,
        },
        #[api(
            status = 429,
            code = "SLOW_DOWN",
            title = "Slow down",
            display = "slow down",
            details,
            retryable,
            breaker = "neutral",
            retry_after = "1.5s",
            recoverable,
            authenticate = "Basic",
            header("X-A" = "b"),
            level = "info",
            category = "performance",
            report = false,
            grpc = UNAVAILABLE
        )]
        Roles {
            #[api(status)]
            status: ::core::primitive::u16,
            #[api(retry_after)]
            retry_after: ::core::option::Option<::core::time::Duration>,
            #[api(header = "X-Shelf", detail = "shelf")]
            at: ::core::primitive::u32,
            #[api(violations)]
            violations: ::error_runtime::Violations,
            #[api(detail(flatten))]
            rest: ::std::collections::BTreeMap<Text, Text>,
            #[api(secret)]
            token: Text,
        },
        #[api(status = 503)]
        From(
            #[from] ::std::io::Error,
            #[backtrace] ::std::backtrace::Backtrace,
        ),
        #[api(status = 503)]
        Source {
            source: ::core::option::Option<::core::fmt::Error>,
        },
        #[api(status = 503)]
        Boxed(
            #[source]
            ::std::boxed::Box<
                dyn ::core::error::Error + ::core::marker::Send + ::core::marker::Sync,
            >,
        ),
        #[api(transparent)]
        Inner(#[from] Unit),
        #[api(transparent)]
        Shared {
            #[from]
            inner: ::std::sync::Arc<Tuple>,
        },
        // A variant with the name of each associated item of the traits.
        #[api(status = 500, code = "CONSTANT")]
        SPECS,
        #[api(status = 500)]
        Error,
        #[api(status = 500)]
        Some,
        #[api(status = 500)]
        None,
        #[api(status = 500)]
        Ok,
    }

    /// Parameters of every kind, with names that hide others again.
    #[derive(Debug, ::error_runtime::ApiError)]
    pub enum Generic<
        'error,
        Result: ?::core::marker::Sized,
        E = ::core::primitive::u8,
        const N: ::core::primitive::usize = 2,
    >
    where
        E: ::core::fmt::LowerHex,
        for<'f> &'f E: ::core::marker::Copy,
    {
        #[api(status = 404, message = "{0} of {1:?}: {2:x}")]
        Shown(&'error Result, ::core::option::Option<E>, E),
        #[api(status = 409, details)]
        Listed { items: [E; 3], of: &'error Result },
        #[api(status = 409)]
        Counted([::core::primitive::u8; N]),
        #[api(status = 429)]
        Waits {
            #[api(retry_after)]
            wait: E,
            #[api(header = "X-A")]
            header: &'error Result,
        },
    }

    #[derive(Debug, ::error_runtime::ApiError)]
    pub enum Wraps<Ok, Err: 'static> {
        #[api(transparent)]
        Inner(Ok),
        #[api(status = 502)]
        Source(#[source] Err),
        #[api(status = 502)]
        Maybe(#[source] ::core::option::Option<Err>),
        #[api(status = 422)]
        Invalid(#[api(violations)] Err),
    }

    pub fn roles() -> Shapes {
        Shapes::Roles {
            status: 451,
            retry_after: ::core::option::Option::None,
            at: 3,
            violations: ::error_runtime::Violations::new(),
            rest: [("left".to_owned(), "two".to_owned())]
                .into_iter()
                .collect(),
            token: "hunter2".to_owned(),
        }
    }

    pub fn in_function_scope() -> impl ::error_runtime::ApiError {
        hide!();

        #[derive(Debug, ::error_runtime::ApiError)]
        #[api(status = 404, message = "{0}")]
        struct Local<T>(T);

        Local(7)
    }
}

#[cfg(test)]
mod tests {
    use error_runtime::{ApiError, Catalog, http_response};

    use super::hostile::{Named, Newtype, Shapes, Tuple, Unit, Wraps, in_function_scope, roles};

    fn body(error: &dyn ApiError) -> String {
        String::from_utf8_lossy(http_response(error).body()).into_owned()
    }

    #[test]
    fn messages() {
        let tuple = Tuple(7, 3, "rest".to_owned());
        assert_eq!(tuple.message(), "  7 of \"rest\"");
        assert_eq!(tuple.to_string(), "7");
        assert!(body(&tuple).contains(r#""details":{"0":7,"1":3}"#));
        let raw = Shapes::r#Type {
            r#type: 1.25,
            r#match: "m".to_owned(),
            r#fn: 10,
            width: 6,
            precision: 1,
        };
        assert_eq!(raw.to_string(), "   1.2 \"m\" 0x000a");
        assert!(body(&raw).contains(r#""details":{"type":1.25,"match":"m","fn":10}"#));
        assert_eq!((raw.code(), raw.spec().name), ("HIDDEN_TYPE", "Type"));
        let bindings = Shapes::r#try {
            self_: 1,
            __error_0: 2,
            f: 3,
            formatter: 4,
            __error_formatter: 5,
        };
        assert_eq!(bindings.to_string(), "1 2 3 4 5");
        assert_eq!(in_function_scope().to_string(), "7");
    }

    #[test]
    fn policies() {
        let calls = std::cell::Cell::new(0);
        assert_eq!(super::hostile::guarded(&calls).ok(), Some(2));
        let mut future = std::pin::pin!(super::hostile::named(3, &calls, 4));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let ready = future.as_mut().poll(&mut context);
        assert!(matches!(ready, std::task::Poll::Ready(Ok(3))));
        assert_eq!(calls.get(), 7);
    }

    #[test]
    fn roles_of_fields() {
        let answer = http_response(&roles());
        assert_eq!(answer.status(), 451);
        assert_eq!(answer.headers()["x-shelf"], "3");
        assert_eq!(answer.headers()["retry-after"], "2");
        let body = body(&roles());
        assert!(
            body.contains(r#""shelf":3"#) && body.contains(r#""left":"two""#),
            "{body}"
        );
        assert!(!body.contains("hunter2"), "{body}");
    }

    #[test]
    fn sources() {
        use std::error::Error;

        let io = || std::io::Error::other("disk");
        assert!(Named::from(io()).source().is_some());
        assert!(Shapes::from(io()).source().is_some() && Shapes::from(io()).backtrace().is_some());
        assert!(Shapes::Source { source: None }.source().is_none());
        assert!(Shapes::Boxed("text".into()).source().is_some());
        assert_eq!(Shapes::from(Unit).code(), "UNIT");
        assert_eq!(Newtype::from(Unit).status(), 404);
        let wraps: Wraps<Unit, std::fmt::Error> = Wraps::Maybe(Some(std::fmt::Error));
        assert!(wraps.source().is_some());
        assert_eq!(<Shapes as Catalog>::SPECS.len(), 14);
    }
}
