//! Any tokens in every attribute of an item: the derive never panics, and its output is a list of
//! items. A crate of macros cannot be linked, so its modules are included.

#![no_main]
#![allow(dead_code, reason = "the included modules serve the whole derive")]

#[path = "../../error-derive/src/api_error/mod.rs"]
mod api_error;
#[path = "../../error-derive/src/attribute/mod.rs"]
mod attribute;
#[path = "../../error-derive/src/case.rs"]
mod case;
#[path = "../../error-derive/src/context.rs"]
mod context;
#[path = "../../error-derive/src/diagnostics.rs"]
mod diagnostics;

use libfuzzer_sys::{Corpus, fuzz_target};
use proc_macro2::TokenStream;
use quote::quote;

fuzz_target!(|text: &str| -> Corpus {
    // A line each for the container, the variant and the field.
    let mut lines = text.split('\n').map(str::parse::<TokenStream>);
    let mut next = || lines.next().unwrap_or_else(|| Ok(TokenStream::new()));
    let (Ok(item), Ok(variant), Ok(field)) = (next(), next(), next()) else {
        return Corpus::Reject;
    };
    for item in [
        quote! {
            #[api(#item)]
            enum Errors<T> {
                #[api(#variant)]
                Named { #[api(#field)] id: T, r#type: ::std::string::String },
                #[api(status = 500)]
                Tuple(#[from] ::std::io::Error),
            }
        },
        quote! {
            #[api(#item)]
            #[api(#variant)]
            struct Error(#[api(#field)] u8);
        },
    ] {
        let output = api_error::derive(item);
        syn::parse2::<syn::File>(output).expect("an expansion is a list of items");
    }
    Corpus::Keep
});
