//! Names that generated code may use.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::Path;

/// The module of the runtime crate that generated code names, and nothing beside it:
/// `::error_runtime::__private`, unless `crate = …` gives another path to the crate.
#[derive(Clone)]
pub(crate) struct Runtime(Option<Path>);

impl Runtime {
    pub(crate) fn new(path: Option<Path>) -> Self {
        Self(path)
    }
}

impl Runtime {
    /// The same, standing where `span` does: rustc reports a bound that fails there. Of two reports with
    /// one span it drops the second, so the path has that span to the letter, unless it is the user's.
    pub(crate) fn located_at(&self, span: Span) -> TokenStream {
        let one = |mut token: TokenTree| {
            token.set_span(match self.0 {
                Some(_) => token.span().located_at(span),
                None => span,
            });
            token
        };
        self.to_token_stream().into_iter().map(one).collect()
    }
}

impl ToTokens for Runtime {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match &self.0 {
            Some(path) => path.to_tokens(tokens),
            None => tokens.extend(quote!(::error_runtime)),
        }
        tokens.extend(quote!(::__private));
    }
}

/// The binding of the field at `index`. Hygiene keeps it from the user's names, and the prefix
/// keeps it from what hygiene does not cover.
pub(crate) fn binding(index: usize) -> Ident {
    Ident::new(&format!("__error_{index}"), Span::mixed_site())
}

/// The static table of an item's specs.
pub(crate) fn specs() -> Ident {
    format_ident!("__ERROR_SPECS", span = Span::mixed_site())
}
