//! The procedural macros of `error-runtime`. Use them through that crate, which re-exports them.

mod api_error;
mod case;
mod context;
mod diagnostics;

/// placeholder
#[proc_macro_derive(ApiError, attributes(api, from, source, backtrace))]
pub fn api_error(item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    api_error::derive(item.into()).into()
}
