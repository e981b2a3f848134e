//! A type as text, for the fingerprints of events.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::quote;

/// A type as text, which must not depend on how a compiler spaces tokens: a space stands between two words.
pub(super) fn type_text(ty: &syn::Type) -> String {
    let mut text = String::new();
    append_tokens(quote!(#ty), &mut text);
    text
}

fn append_tokens(tokens: TokenStream, text: &mut String) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::None => ("", ""),
                };
                text.push_str(open);
                append_tokens(group.stream(), text);
                text.push_str(close);
            }
            TokenTree::Punct(punct) => text.push(punct.as_char()),
            word => {
                if text.ends_with(|last: char| last.is_alphanumeric() || last == '_') {
                    text.push(' ');
                }
                text.push_str(&word.to_string());
            }
        }
    }
}
