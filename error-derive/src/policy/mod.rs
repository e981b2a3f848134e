//! `#[retry]`, `#[circuit_breaker]`, `#[fallback]`, `#[timeout]`, `#[rate_limit]`, `#[bulkhead]` and
//! `#[recover]`.
//!
//! ```text
//! arguments → rules (as written) → stack (all attributes of the function) ─┐
//! item → function (signature parsed, body as it is) ───────────────────────┴→ expand
//!              └────────── errors are collected ─────────┘   any → the item as written
//! ```
//!
//! Whichever attribute stands on top is expanded first; it takes the others off the function and
//! expands all of them at once, so that the layers know of each other and the order can be checked.

mod expand;
mod function;
mod rules;
mod stack;
mod value;

use proc_macro2::{Span, TokenStream};
use quote::quote;

use self::function::Function;
use self::stack::Stack;
use crate::attribute::keys::Place;
use crate::diagnostics::rule;

/// The function with its policies, or its errors and the function without them.
pub(crate) fn expand(place: Place, arguments: TokenStream, item: TokenStream) -> TokenStream {
    if stack::is_mark(&arguments) {
        return TokenStream::new();
    }
    let mut errors = darling::Error::accumulator();
    let mut function: Function = match syn::parse2(item.clone()) {
        Ok(function) => function,
        Err(_) => {
            let span = item
                .clone()
                .into_iter()
                .next()
                .map_or_else(Span::call_site, |token| token.span());
            let error = rule!(
                not_a_function,
                span,
                "{} guards a function; put it on a `fn` with a body",
                place.name()
            );
            let error = error.write_errors();
            return quote!(#error #item);
        }
    };
    let stack = Stack::gather(place, arguments, &mut function.attrs, &mut errors);
    let guarded = errors.handle(function.resolve(place));
    if let Some(guarded) = &guarded {
        expand::check(&stack, &function, guarded, &mut errors);
    }
    match (errors.finish(), guarded) {
        (Ok(()), Some(guarded)) => function.with_body(&expand::body(&stack, &function, guarded)),
        (Err(errors), _) => {
            let errors = errors.write_errors();
            let item = function.as_written(&stack.marks());
            quote!(#errors #item)
        }
        (Ok(()), None) => function.as_written(&stack.marks()),
    }
}
