//! Tests of whole expansions: what they look like, what they name, and that they never panic.
//!
//! What an expansion does is tested in the `tests` folder of the repository, by compiling it.

mod hygiene;
mod robustness;
mod snapshot;

use proc_macro2::TokenStream;

use crate::api_error;

/// The expansion, laid out as rustfmt would.
fn pretty(tokens: TokenStream) -> String {
    let file = syn::parse2(tokens).expect("an expansion is a list of items");
    prettyplease::unparse(&file)
}

/// The expansion for an item given as source text.
fn derive(item: &str) -> TokenStream {
    api_error::derive(item.parse().expect("the input is made of tokens"))
}
