//! The attributes of one function together: the outermost takes those below it, in the fixed order.

use darling::error::Accumulator;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::quote;
use syn::spanned::Spanned;
use syn::{Attribute, Meta, Path};

use super::rules::{CircuitBreaker, Fallback, Policy, Retry, Rules};
use crate::attribute::keys::Place;
use crate::attribute::value::Duration;
use crate::diagnostics::rule;

/// Outermost first.
const ORDER: [Place; 6] = [
    Place::Fallback,
    Place::Retry,
    Place::CircuitBreaker,
    Place::RateLimit,
    Place::Timeout,
    Place::Bulkhead,
];

/// All that guards one function.
#[derive(Default)]
pub(super) struct Stack {
    pub(super) runtime: Option<Path>,
    pub(super) fallback: Option<Fallback>,
    pub(super) retry: Option<Retry>,
    pub(super) breaker: Option<CircuitBreaker>,
    pub(super) rate_limit: Option<(u32, Duration)>,
    pub(super) timeout: Option<(Duration, Span)>,
    pub(super) bulkhead: Option<u32>,
    /// The paths of the attributes that were taken off.
    taken: Vec<Path>,
}

/// The argument of an attribute that has been taken in by the one above it.
const TAKEN: &str = "__error_taken";

/// Whether the attribute is a mark that [`Stack::marks`] left.
pub(super) fn is_mark(arguments: &TokenStream) -> bool {
    matches!(arguments.clone().into_iter().next(), Some(TokenTree::Ident(word)) if word == TAKEN)
}

impl Stack {
    /// Items that name the attributes that were taken off and expand to nothing: without them rustc
    /// would call their imports unused.
    pub(super) fn marks(&self) -> TokenStream {
        let taken = Ident::new(TAKEN, Span::mixed_site());
        let one = |path: &Path| quote!(#[#path(#taken)] const _: () = (););
        self.taken.iter().map(one).collect()
    }

    /// The attribute that is being expanded and those of ours below it, which are taken off `attrs`.
    pub(super) fn gather(
        place: Place,
        arguments: TokenStream,
        attrs: &mut Vec<Attribute>,
        errors: &mut Accumulator,
    ) -> Self {
        let mut policies = vec![Policy::read(place, Span::call_site(), arguments, errors)];
        let runtime = policies[0].runtime.clone();
        let mut stack = Self::default();
        attrs.retain(|attr| {
            let Some((place, arguments)) = ours(attr, runtime.as_ref()) else {
                return true;
            };
            policies.push(Policy::read(place, attr.path().span(), arguments, errors));
            stack.taken.push(attr.path().clone());
            false
        });
        check_order(&policies, errors);
        for policy in policies {
            stack.add(policy);
        }
        stack
    }

    fn add(&mut self, policy: Policy) {
        if self.runtime.is_none() {
            self.runtime = policy.runtime;
        }
        match policy.rules {
            Rules::Fallback(fallback) => self.fallback = Some(fallback),
            Rules::Retry(retry) => self.retry = Some(retry),
            Rules::CircuitBreaker(breaker) => self.breaker = Some(breaker),
            Rules::RateLimit { calls, per } => self.rate_limit = Some((calls, per)),
            Rules::Timeout { limit } => self.timeout = Some((limit, policy.span)),
            Rules::Bulkhead { max } => self.bulkhead = Some(max),
            Rules::Recover(fallback, retry, breaker) => {
                self.fallback = Some(fallback);
                self.retry = Some(retry);
                self.breaker = Some(breaker);
            }
            Rules::Broken => {}
        }
    }
}

/// The places of the order that an attribute takes.
fn takes(place: Place) -> &'static [Place] {
    match place {
        Place::Recover => &ORDER[..3],
        place => {
            let at = ORDER.iter().position(|other| *other == place);
            at.map_or(&[], |at| &ORDER[at..=at])
        }
    }
}

fn position(place: Place) -> usize {
    let first = takes(place).first();
    ORDER
        .iter()
        .position(|other| Some(other) == first)
        .unwrap_or(0)
}

fn check_order(policies: &[Policy], errors: &mut Accumulator) {
    for (index, policy) in policies.iter().enumerate() {
        for above in &policies[..index] {
            let (name, other) = (policy.place.name(), above.place.name());
            let overlap = takes(policy.place)
                .iter()
                .any(|place| takes(above.place).contains(place));
            if policy.place == above.place {
                errors.push(rule!(
                    policy_twice,
                    policy.span,
                    "{name} is given twice; keep one"
                ));
                break;
            } else if overlap {
                errors.push(rule!(
                    policy_included,
                    policy.span,
                    "`#[recover]` includes fallback, retry and breaker; remove {}",
                    if policy.place == Place::Recover {
                        other
                    } else {
                        name
                    }
                ));
                break;
            } else if position(policy.place) < position(above.place) {
                errors.push(rule!(
                    wrong_order,
                    policy.span,
                    "{name} goes above {other}: the outermost stands on top, in the order `fallback`, `retry`, `circuit_breaker`, `rate_limit`, `timeout`, `bulkhead`; move this line up"
                ));
                break;
            }
        }
    }
}

/// Which of our attributes it is, if any.
fn ours(attr: &Attribute, runtime: Option<&Path>) -> Option<(Place, TokenStream)> {
    let path = attr.path();
    let last = path.segments.last()?;
    let place = match last.ident.to_string().as_str() {
        "fallback" => Place::Fallback,
        "retry" => Place::Retry,
        "circuit_breaker" => Place::CircuitBreaker,
        "rate_limit" => Place::RateLimit,
        "timeout" => Place::Timeout,
        "bulkhead" => Place::Bulkhead,
        "recover" => Place::Recover,
        _ => return None,
    };
    // With a path it must be the runtime's; other crates have attributes of these names.
    if path.segments.len() > 1 {
        let first = &path.segments.first()?.ident;
        let renamed = runtime.and_then(|runtime| runtime.segments.last());
        if first != "error_runtime" && renamed.is_none_or(|renamed| *first != renamed.ident) {
            return None;
        }
    }
    let arguments = match &attr.meta {
        Meta::Path(_) => TokenStream::new(),
        Meta::List(list) => list.tokens.clone(),
        Meta::NameValue(_) => return None,
    };
    // Test frameworks have a `#[timeout]` that takes a number.
    if place == Place::Timeout {
        let first = arguments.clone().into_iter().next();
        let text = |token: &TokenTree| token.to_string().starts_with(['"', 'r']);
        if !first.is_none_or(|token| text(&token)) {
            return None;
        }
    }
    Some((place, arguments))
}
