//! `#[derive(ApiError)]`.
//!
//! ```text
//! tokens → attr (as written) → model (as resolved) → valid (rules) → expand
//!               └────────── errors are collected ─────────┘   any → fallback
//! ```

mod attr;
mod bounds;
mod expand;
mod fallback;
mod model;
mod template;
mod type_text;
mod valid;
mod value;

use proc_macro2::TokenStream;
use syn::DeriveInput;

use self::model::Input;

/// The expansion for an item, or its errors and the least that keeps the rest of the crate compiling.
pub(crate) fn derive(item: TokenStream) -> TokenStream {
    let item: DeriveInput = match syn::parse2(item) {
        Ok(item) => item,
        Err(error) => return error.into_compile_error(),
    };
    let mut errors = darling::Error::accumulator();
    let input = Input::resolve(&item, &mut errors);
    valid::check(&input, &mut errors);
    match errors.finish() {
        Ok(()) => expand::expand(&input),
        Err(errors) => fallback::expand(&input, errors),
    }
}
