//! The procedural macros of `error-runtime`. Use them through that crate, which re-exports them.
//!
//! This file holds the entry points; their documentation is in `docs`. `api_error` is the derive,
//! `policy` the attributes of functions.

mod api_error;
mod attribute;
mod case;
mod context;
mod diagnostics;
mod policy;
#[cfg(test)]
mod tests;

#[doc = include_str!("../docs/api_error.md")]
#[proc_macro_derive(ApiError, attributes(api, from, source, backtrace))]
pub fn api_error(item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    api_error::derive(item.into()).into()
}

macro_rules! policy {
    ($($name:ident: $place:ident, $doc:literal;)*) => {$(
        #[doc = include_str!($doc)]
        #[proc_macro_attribute]
        pub fn $name(
            arguments: proc_macro::TokenStream,
            item: proc_macro::TokenStream,
        ) -> proc_macro::TokenStream {
            policy::expand(attribute::keys::Place::$place, arguments.into(), &item.into()).into()
        }
    )*};
}

policy! {
    retry: Retry, "../docs/retry.md";
    circuit_breaker: CircuitBreaker, "../docs/circuit_breaker.md";
    fallback: Fallback, "../docs/fallback.md";
    timeout: Timeout, "../docs/timeout.md";
    rate_limit: RateLimit, "../docs/rate_limit.md";
    bulkhead: Bulkhead, "../docs/bulkhead.md";
    recover: Recover, "../docs/recover.md";
}
