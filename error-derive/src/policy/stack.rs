//! The attributes of one function together: the outermost takes those below it, in the fixed order.

use darling::error::Accumulator;
use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::quote;
use syn::spanned::Spanned;
use syn::{Attribute, ItemConst, Meta, Path};

use super::rules::{CircuitBreaker, Condition, Fallback, Policy, Retry, Rules};
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

/// An attribute, with its arguments unread.
pub(super) struct Written {
    pub(super) place: Place,
    pub(super) span: Span,
    pub(super) arguments: TokenStream,
}

/// Whether the attribute is a mark that [`Stack::marks`] left.
pub(super) fn is_mark(arguments: &TokenStream) -> bool {
    matches!(arguments.clone().into_iter().next(), Some(TokenTree::Ident(word)) if word == TAKEN)
}

/// What a mark leaves: the function that it stands on, and nothing of the item made up for it.
pub(super) fn unmark(item: &TokenStream) -> TokenStream {
    match syn::parse2::<ItemConst>(item.clone()) {
        Ok(made_up) if made_up.ident == "_" => TokenStream::new(),
        _ => item.clone(),
    }
}

impl Stack {
    /// Items that name the attributes that were taken off and expand to nothing: without them rustc
    /// would call their imports unused.
    pub(super) fn marks(&self) -> TokenStream {
        let one = |mark| quote!(#mark const _: () = (););
        self.each_mark().map(one).collect()
    }

    /// The same on a function without a body, which has no place for items.
    pub(super) fn mark_attributes(&self) -> TokenStream {
        self.each_mark().collect()
    }

    fn each_mark(&self) -> impl Iterator<Item = TokenStream> {
        let taken = Ident::new(TAKEN, Span::mixed_site());
        self.taken.iter().map(move |path| quote!(#[#path(#taken)]))
    }

    /// The attribute that is being expanded and those of ours below it, which are taken off `attrs`.
    pub(super) fn gather(
        outermost: Written,
        attrs: &mut Vec<Attribute>,
        errors: &mut Accumulator,
    ) -> Self {
        let outermost = Policy::read(outermost, errors);
        let runtime = outermost.runtime.clone();
        let (mut policies, mut stack) = (vec![outermost], Self::default());
        attrs.retain(|attr| {
            let Some(written) = ours(attr, runtime.as_ref()) else {
                return true;
            };
            policies.push(Policy::read(written, errors));
            stack.taken.push(attr.path().clone());
            false
        });
        check_order(&policies, errors);
        for policy in policies {
            stack.add(policy);
        }
        stack
    }

    /// Calls the receiver `__self` in the user's expressions, as `#[async_trait]` does in the body: by
    /// then it has moved there.
    pub(super) fn rename_receiver(&mut self) {
        let fallback = self.fallback.iter_mut().flat_map(|fallback| {
            let Fallback { expression, when } = fallback;
            std::iter::once(expression).chain(when)
        });
        let retry = self
            .retry
            .iter_mut()
            .filter_map(|retry| match &mut retry.condition {
                Some(Condition::When(when)) => Some(when),
                Some(Condition::On(_)) | None => None,
            });
        let breaker = self
            .breaker
            .iter_mut()
            .filter_map(|breaker| breaker.when.as_mut());
        for expression in fallback.chain(retry).chain(breaker) {
            *expression = renamed(expression);
        }
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

fn renamed(expression: &TokenStream) -> TokenStream {
    let one = |token| match token {
        TokenTree::Ident(ident) if ident == "self" => Ident::new("__self", ident.span()).into(),
        TokenTree::Group(group) => {
            let mut inner = Group::new(group.delimiter(), renamed(&group.stream()));
            inner.set_span(group.span());
            inner.into()
        }
        token => token,
    };
    expression.clone().into_iter().map(one).collect()
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

/// Each policy once, and outermost on top.
fn check_order(policies: &[Policy], errors: &mut Accumulator) {
    let mut once: Vec<&Policy> = Vec::new();
    for policy in policies {
        match once.iter().find(|above| overlap(above, policy)) {
            Some(above) => errors.push(superfluous(above, policy)),
            None => once.push(policy),
        }
    }
    // One error, which gives the whole order: what is wrong is the list, not each line of it.
    let misplaced = once.iter().enumerate().find_map(|(index, policy)| {
        let goes_below = |above: &&&Policy| position(policy.place) < position(above.place);
        Some((*policy, *once[..index].iter().find(goes_below)?))
    });
    if let Some((policy, above)) = misplaced {
        once.sort_by_key(|policy| position(policy.place));
        let order: Vec<&str> = once.iter().map(|policy| policy.place.name()).collect();
        errors.push(rule!(
            wrong_order,
            policy.span,
            "{} goes above {}; from the top write {}",
            policy.place.name(),
            above.place.name(),
            order.join(", then ")
        ));
    }
}

fn overlap(one: &Policy, other: &Policy) -> bool {
    let theirs = takes(other.place);
    takes(one.place).iter().any(|place| theirs.contains(place))
}

/// The error for two attributes that say the same.
fn superfluous(above: &Policy, below: &Policy) -> darling::Error {
    if above.place == below.place {
        return rule!(
            policy_twice,
            below.span,
            "{} is given twice; keep one",
            below.place.name()
        );
    }
    let part = match below.place {
        Place::Recover => above,
        _ => below,
    };
    rule!(
        policy_included,
        part.span,
        "`#[recover]` includes fallback, retry and breaker; remove {}",
        part.place.name()
    )
}

/// Whether the arguments say `crate = …` with the same path as the attribute above.
fn names_runtime(arguments: &TokenStream, runtime: &Path) -> bool {
    let bare = |text: String| text.replace([' ', '"'], "");
    let tokens: Vec<TokenTree> = arguments.clone().into_iter().collect();
    let key = tokens.windows(2).position(|pair| {
        matches!(pair, [TokenTree::Ident(key), TokenTree::Punct(equals)]
            if key == "crate" && equals.as_char() == '=')
    });
    let value = key.map(|key| {
        let is_comma =
            |token: &&TokenTree| matches!(token, TokenTree::Punct(comma) if comma.as_char() == ',');
        let value = tokens[key + 2..]
            .iter()
            .take_while(|token| !is_comma(token));
        bare(value.cloned().collect::<TokenStream>().to_string())
    });
    value.is_some_and(|value| value == bare(quote!(#runtime).to_string()))
}

/// One of our attributes, if it is.
fn ours(attr: &Attribute, runtime: Option<&Path>) -> Option<Written> {
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
    let arguments = match &attr.meta {
        Meta::Path(_) => TokenStream::new(),
        Meta::List(of) => of.tokens.clone(),
        Meta::NameValue(_) => return None,
    };
    // With a path it must be the runtime's; other crates have attributes of these names.
    if let Some(within) = path.segments.iter().rev().nth(1) {
        let renamed = runtime.and_then(|runtime| runtime.segments.last());
        let known = within.ident == "error_runtime"
            || renamed.is_some_and(|renamed| within.ident == renamed.ident)
            || runtime.is_some_and(|runtime| names_runtime(&arguments, runtime));
        if !known {
            return None;
        }
    }
    // Test frameworks have a `#[timeout]` that takes a number.
    if place == Place::Timeout {
        let first = arguments.clone().into_iter().next();
        let text = |token: &TokenTree| matches!(token, TokenTree::Literal(text) if !text.to_string().starts_with(|c: char| c.is_ascii_digit()));
        if !first.is_none_or(|token| text(&token)) {
            return None;
        }
    }
    Some(Written {
        place,
        span: path.span(),
        arguments,
    })
}
