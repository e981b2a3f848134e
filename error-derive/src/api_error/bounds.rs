//! Bounds on type parameters, inferred from what generated code does with the fields.

use std::collections::BTreeMap;

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{DeriveInput, Ident, Type};

/// The where clause of one impl: the item's own predicates and the inferred ones.
pub(crate) struct Bounds<'a> {
    item: &'a DeriveInput,
    parameters: Vec<&'a Ident>,
    /// By their text, so that each stands once and in a stable order.
    inferred: BTreeMap<String, TokenStream>,
}

impl<'a> Bounds<'a> {
    pub(crate) fn new(item: &'a DeriveInput) -> Self {
        Self {
            item,
            parameters: item
                .generics
                .type_params()
                .map(|parameter| &parameter.ident)
                .collect(),
            inferred: BTreeMap::new(),
        }
    }

    /// Asks `ty: bound` if the type depends on a parameter; of others the compiler knows it.
    pub(crate) fn require(&mut self, ty: &Type, bound: impl ToTokens) {
        // What holds of the item itself follows from the impl; asking for it would never end.
        let recursive = mentions(ty.to_token_stream(), &|ident| *ident == self.item.ident);
        let depends = mentions(ty.to_token_stream(), &|ident| {
            self.parameters.contains(&ident)
        });
        if depends && !recursive {
            self.add(quote!(#ty: #bound));
        }
    }

    /// Asks `Self: bound` if there are type parameters at all.
    pub(crate) fn require_self(&mut self, bound: impl ToTokens) {
        if !self.parameters.is_empty() {
            self.add(quote!(Self: #bound));
        }
    }

    fn add(&mut self, predicate: TokenStream) {
        self.inferred.insert(predicate.to_string(), predicate);
    }

    /// The predicates without the word `where`.
    pub(crate) fn predicates(&self) -> TokenStream {
        let own = self
            .item
            .generics
            .where_clause
            .iter()
            .flat_map(|clause| &clause.predicates);
        let inferred = self.inferred.values();
        quote!(#(#own,)* #(#inferred,)*)
    }

    /// `impl<…> #of for Type<…> where …`, without the braces.
    pub(crate) fn header(&self, of: impl ToTokens) -> TokenStream {
        self.header_at(Span::call_site(), of)
    }

    /// The same with a location for what the compiler says of the whole impl.
    pub(crate) fn header_at(&self, span: Span, of: impl ToTokens) -> TokenStream {
        let ident = &self.item.ident;
        let (generics, arguments, _) = self.item.generics.split_for_impl();
        let predicates = self.predicates();
        let clause = if predicates.is_empty() {
            TokenStream::new()
        } else {
            quote!(where #predicates)
        };
        quote_spanned!(span=> #[automatically_derived] impl #generics #of for #ident #arguments #clause)
    }
}

fn mentions(tokens: TokenStream, wanted: &impl Fn(&Ident) -> bool) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => wanted(&ident),
        TokenTree::Group(group) => mentions(group.stream(), wanted),
        _ => false,
    })
}
