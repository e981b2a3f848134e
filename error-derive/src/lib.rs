//! The procedural macros of `error-runtime`. Use them through that crate, which re-exports them.
//!
//! This file holds the entry points and their documentation; `api_error` is the derive.

mod api_error;
mod case;
mod context;
mod diagnostics;
#[cfg(test)]
mod tests;

#[doc = include_str!("../docs/api_error.md")]
#[proc_macro_derive(ApiError, attributes(api, from, source, backtrace))]
pub fn api_error(item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    api_error::derive(item.into()).into()
}
