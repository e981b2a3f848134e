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
use self::stack::{Stack, Written};
use crate::attribute::keys::Place;
use crate::diagnostics::rule;

/// The function with its policies, or its errors and the function without them.
pub(crate) fn expand(place: Place, arguments: TokenStream, item: &TokenStream) -> TokenStream {
    if stack::is_mark(&arguments) {
        return stack::unmark(item);
    }
    let Ok(mut function) = syn::parse2::<Function>(item.clone()) else {
        let error = rule!(
            not_a_function,
            function::keyword(item),
            "{} guards a function; put it on a `fn` with a body",
            place.name()
        );
        let error = error.write_errors();
        return quote!(#error #item);
    };
    let mut errors = darling::Error::accumulator();
    let written = Written {
        place,
        span: attribute_span(item),
        arguments,
    };
    let span = written.span;
    let mut stack = Stack::gather(written, &mut function.attrs, &mut errors);
    // Arguments that cannot be read are a reason of their own not to be known above.
    errors = match errors.checkpoint() {
        Ok(mut errors) => {
            if expand::is_guarded(item) {
                errors.push(rule!(
                    unknown_name,
                    span,
                    "a policy above does not know {} by this name, so it would be around instead of inside; write the attribute's own name, or the same `crate = …` on both",
                    place.name()
                ));
            }
            errors
        }
        Err(mistakes) => {
            let mut errors = darling::Error::accumulator();
            errors.push(mistakes);
            errors
        }
    };
    let guarded = errors.handle(function.resolve(place));
    if let Some(guarded) = &guarded {
        if guarded.mode.renames_receiver() {
            stack.rename_receiver();
        }
        expand::check(&stack, &function, guarded, &mut errors);
    }
    match (errors.finish(), guarded) {
        (Ok(()), Some(guarded)) => {
            let body = expand::body(&stack, &function, guarded);
            for name in expand::only_copied(&stack) {
                function.freeze(&name);
            }
            function.with_body(&body)
        }
        (Err(errors), _) => {
            let errors = errors.write_errors();
            let item = function.as_written(&stack);
            quote!(#errors #item)
        }
        (Ok(()), None) => function.as_written(&stack),
    }
}

/// The attribute that is being expanded. Resolved as a token of the user's: with the span of a macro's
/// call rustc would add a note on where the error comes from.
fn attribute_span(item: &TokenStream) -> Span {
    let here = Span::call_site();
    match item.clone().into_iter().next() {
        Some(token) => here.resolved_at(token.span()),
        None => here,
    }
}
