//! Tests of whole expansions: what they look like, what they name, and that they never panic.
//!
//! What an expansion does is tested in the `tests` folder of the repository, by compiling it.

mod hygiene;
mod limits;
mod policies;
mod reference;
mod robustness;
mod snapshot;

use proc_macro2::{TokenStream, TokenTree};

use crate::attribute::keys::Place;
use crate::{api_error, policy};

/// The expansion, laid out as rustfmt would.
fn pretty(tokens: TokenStream) -> String {
    let file = syn::parse2(tokens).expect("an expansion is a list of items");
    prettyplease::unparse(&file)
}

/// The expansion for an item given as source text.
fn derive(item: &str) -> TokenStream {
    api_error::derive(item.parse().expect("the input is made of tokens"))
}

/// The expansion of the attribute that comes first.
fn guard(item: &str) -> TokenStream {
    let tokens: TokenStream = item.parse().expect("the input is made of tokens");
    let mut tokens = tokens.into_iter();
    let (Some(TokenTree::Punct(_)), Some(TokenTree::Group(attribute))) =
        (tokens.next(), tokens.next())
    else {
        panic!("no attribute comes first: {item}");
    };
    let mut attribute = attribute.stream().into_iter();
    let name = attribute.next().expect("the name of an attribute");
    let arguments = match attribute.next() {
        Some(TokenTree::Group(arguments)) => arguments.stream(),
        _ => TokenStream::new(),
    };
    policy::expand(place(&name.to_string()), arguments, &tokens.collect())
}

/// The attributes of functions.
const POLICIES: &[(&str, Place)] = &[
    ("fallback", Place::Fallback),
    ("retry", Place::Retry),
    ("circuit_breaker", Place::CircuitBreaker),
    ("rate_limit", Place::RateLimit),
    ("timeout", Place::Timeout),
    ("bulkhead", Place::Bulkhead),
    ("recover", Place::Recover),
];

fn place(name: &str) -> Place {
    let known = POLICIES.iter().find(|(known, _)| *known == name);
    known.expect("an attribute of ours").1
}
