//! What is emitted beside errors: the item still implements everything, so that one mistake gives one
//! error and not one per use of the type.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Data;
use syn::spanned::Spanned;

use super::bounds::Bounds;
use super::expand;
use super::model::Input;

pub(crate) fn expand(input: &Input<'_>, errors: darling::Error) -> TokenStream {
    let errors = errors.write_errors();
    if let Data::Union(_) = input.item.data {
        // It cannot even derive `Debug`, which an error needs.
        return errors;
    }
    let runtime = &input.runtime;
    let bounds = Bounds::new(input.item);

    let declared = bounds.header(quote!(#runtime::Declared));
    let own_error = input.owns_error.then(|| {
        let display = bounds.header(quote!(::core::fmt::Display));
        let mut bounds = Bounds::new(input.item);
        bounds.require_self(quote!(::core::fmt::Debug));
        let error = bounds.header(quote!(::core::error::Error));
        let froms = froms(input);
        quote! {
            #display {
                fn fmt(&self, _: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    ::core::result::Result::Ok(())
                }
            }
            #error {}
            #(#froms)*
        }
    });
    let mut bounds = Bounds::new(input.item);
    bounds.require_self(quote!(::core::error::Error));
    let api_error = bounds.header(quote!(#runtime::ApiError));
    let responses = expand::responses(input);
    let lint_level = input.lint_level();
    quote! {
        #errors
        #lint_level
        const _: () = {
            #declared {
                const SPECS: &'static [#runtime::ErrorSpec] = &[];
                fn spec_index(&self) -> ::core::primitive::usize { 0 }
            }
            #own_error
            #api_error {
                fn spec(&self) -> &'static #runtime::ErrorSpec { #runtime::spec(self) }
            }
            #responses
        };
    }
}

/// `?` on a source must not add errors of its own.
fn froms(input: &Input<'_>) -> Vec<TokenStream> {
    input
        .variants
        .iter()
        .filter_map(|variant| variant.field_with(|attrs| attrs.from.is_some()))
        .map(|field| {
            let ty = field.ty;
            let at = field.attrs.from.unwrap_or_else(|| ty.span());
            let of = quote_spanned!(at=> ::core::convert::From<#ty>);
            let header = Bounds::new(input.item).header_at(at, of);
            quote_spanned!(at=> #header { fn from(_: #ty) -> Self { loop {} } })
        })
        .collect()
}
