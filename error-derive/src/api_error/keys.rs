//! The vocabulary of `#[api(…)]`: every key, what it looks like, and where it may stand.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use syn::parse::{Parse, ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Expr, Meta, Token, token};

use crate::diagnostics::{near_miss, rule};

/// Where an attribute stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Enum,
    Struct,
    Variant,
    Field,
}

impl Place {
    fn name(self) -> &'static str {
        match self {
            Self::Enum => "an enum",
            Self::Struct => "a struct",
            Self::Variant => "a variant",
            Self::Field => "a field",
        }
    }
}

use Place::{Enum, Field, Struct, Variant};

const ITEM: &[Place] = &[Enum, Struct];
const FAILURE: &[Place] = &[Variant, Struct];
const ALL_BUT_FIELD: &[Place] = &[Enum, Struct, Variant];

/// `(key, how it is written, where it may stand)`.
const KEYS: &[(&str, &str, &[Place])] = &[
    ("domain", "domain = \"billing\"", ITEM),
    ("prefix", "prefix = \"BILLING\"", ITEM),
    ("detail_case", "detail_case = \"camelCase\"", ITEM),
    ("crate", "crate = ::error_runtime", ITEM),
    ("impl_error", "impl_error = false", ITEM),
    ("impl_response", "impl_response = false", ITEM),
    (
        "docs",
        "docs = \"https://docs.example.com/errors\"",
        ALL_BUT_FIELD,
    ),
    ("details", "details", ALL_BUT_FIELD),
    ("status", "status = 404", &[Enum, Struct, Variant, Field]),
    ("code", "code = \"NOT_FOUND\"", FAILURE),
    ("shared_code", "shared_code", FAILURE),
    ("message", "message = \"job {id} not found\"", FAILURE),
    ("display", "display = \"the text for the log\"", FAILURE),
    ("title", "title = \"Job not found\"", FAILURE),
    ("retryable", "retryable", FAILURE),
    ("breaker", "breaker = \"trip\"", FAILURE),
    (
        "retry_after",
        "retry_after = \"30s\"",
        &[Variant, Struct, Field],
    ),
    ("recoverable", "recoverable", FAILURE),
    ("authenticate", "authenticate = \"Bearer\"", FAILURE),
    (
        "header",
        "header(\"Name\" = \"value\")",
        &[Variant, Struct, Field],
    ),
    ("level", "level = \"warn\"", FAILURE),
    ("category", "category = \"security\"", FAILURE),
    ("report", "report = false", FAILURE),
    ("grpc", "grpc = NOT_FOUND", FAILURE),
    ("transparent", "transparent", FAILURE),
    ("detail", "detail", &[Field]),
    ("skip", "skip", &[Field]),
    ("secret", "secret", &[Field]),
    ("violations", "violations", &[Field]),
];

/// How a key is written at a place: roles of a field are flags though the same word takes a value
/// on a variant.
fn example(key: &str, place: Place) -> &'static str {
    match (key, place) {
        ("status", Field) => "status",
        ("retry_after", Field) => "retry_after",
        ("header", Field) => "header = \"X-Name\"",
        _ => KEYS
            .iter()
            .find(|(name, ..)| *name == key)
            .map_or("", |(_, example, _)| example),
    }
}

/// One `key`, `key = value` or `key(…)`, known and in its place.
pub(crate) struct Entry {
    pub(crate) key: Ident,
    pub(crate) place: Place,
    pub(crate) value: Value,
}

/// What follows a key.
pub(crate) enum Value {
    Flag,
    Assigned(Box<Expr>),
    List(TokenStream),
}

impl Entry {
    pub(crate) fn name(&self) -> String {
        self.key.to_string()
    }

    pub(crate) fn span(&self) -> Span {
        self.key.span()
    }

    /// The error for a value of another kind than the key takes.
    pub(crate) fn wrong_shape(&self) -> darling::Error {
        let key = self.name();
        let example = example(&key, self.place);
        match &self.value {
            Value::Flag => rule!(
                key_needs_value,
                self.span(),
                "`{key}` needs a value; write `{example}`"
            ),
            Value::Assigned(value) => {
                rule!(
                    wrong_value,
                    value.span(),
                    "`{key}` does not take this value; write `{example}`"
                )
            }
            Value::List(_) => rule!(
                wrong_list,
                self.span(),
                "`{key}` takes no list; write `{example}`"
            ),
        }
    }
}

/// Reads every `#[api(…)]` among the attributes. Each entry is parsed on its own: one that is
/// broken leaves the others standing.
pub(crate) fn entries(
    attrs: &[Attribute],
    place: Place,
    errors: &mut darling::error::Accumulator,
) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("api")) {
        let Meta::List(list) = &attr.meta else {
            errors.push(rule!(
                not_a_list,
                attr.path().span(),
                "`api` takes its keys in parentheses; write `#[api({})]`",
                match place {
                    Enum | Variant | Struct => "status = 404",
                    Field => "detail",
                }
            ));
            continue;
        };
        for tokens in split_at_commas(list.tokens.clone()) {
            let Some(entry) = errors.handle(entry(tokens, place)) else {
                continue;
            };
            let again = entries.iter().any(|other| other.key == entry.key);
            // A response may carry several headers.
            if again && entry.key != "header" {
                errors.push(rule!(
                    duplicate_key,
                    entry.span(),
                    "`{}` is given twice; keep one",
                    entry.key
                ));
            } else {
                entries.push(entry);
            }
        }
    }
    entries
}

/// The tokens between commas that are in no bracket.
fn split_at_commas(tokens: TokenStream) -> Vec<TokenStream> {
    let mut parts = vec![TokenStream::new()];
    for token in tokens {
        match &token {
            TokenTree::Punct(punct) if punct.as_char() == ',' => parts.push(TokenStream::new()),
            _ => parts
                .last_mut()
                .expect("there is always a last part")
                .extend([token]),
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn entry(tokens: TokenStream, place: Place) -> darling::Result<Entry> {
    let start = tokens
        .clone()
        .into_iter()
        .next()
        .map_or_else(Span::call_site, |token| token.span());
    let raw: RawEntry = syn::parse2(tokens).map_err(|_| {
        rule!(
            malformed_entry,
            start,
            "expected a key; write `key`, `key = value` or `key(…)`, separated by commas"
        )
    })?;
    check_known(&raw.key, place)?;
    let RawEntry { key, rest } = raw;
    let value = match rest {
        Rest::None => Value::Flag,
        Rest::List(tokens) => Value::List(tokens),
        Rest::Assigned(tokens) => {
            let name = key.to_string();
            let Some(first) = tokens.clone().into_iter().next() else {
                return Err(rule!(
                    missing_value,
                    key.span(),
                    "`{name}` has no value after `=`; write `{}`",
                    example(&name, place)
                ));
            };
            match Expr::parse.parse2(tokens) {
                Ok(value) => Value::Assigned(Box::new(value)),
                Err(_) => {
                    return Err(rule!(
                        broken_value,
                        first.span(),
                        "the value of `{name}` is not an expression; write `{}`",
                        example(&name, place)
                    ));
                }
            }
        }
    };
    Ok(Entry { key, place, value })
}

/// An entry before its key is known.
struct RawEntry {
    key: Ident,
    rest: Rest,
}

enum Rest {
    None,
    Assigned(TokenStream),
    List(TokenStream),
}

impl Parse for RawEntry {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        use syn::ext::IdentExt as _;

        let key = input.call(Ident::parse_any)?;
        let rest = if input.is_empty() {
            Rest::None
        } else if input.peek(Token![=]) && !input.peek(Token![==]) {
            input.parse::<Token![=]>()?;
            Rest::Assigned(input.parse()?)
        } else if input.peek(token::Paren) {
            let list;
            syn::parenthesized!(list in input);
            let tokens = list.parse()?;
            if !input.is_empty() {
                return Err(input.error("trailing tokens"));
            }
            Rest::List(tokens)
        } else {
            return Err(input.error("neither `=` nor `(`"));
        };
        Ok(Self { key, rest })
    }
}

fn check_known(key: &Ident, place: Place) -> darling::Result<()> {
    let name = key.to_string();
    match KEYS.iter().find(|(known, ..)| *known == name) {
        Some((.., places)) if places.contains(&place) => Ok(()),
        Some((.., places)) => {
            let belongs: Vec<_> = places.iter().map(|place| place.name()).collect();
            Err(rule!(
                misplaced_key,
                key.span(),
                "`{name}` does not belong on {}; it belongs on {}",
                place.name(),
                belongs.join(" or ")
            ))
        }
        None if place == Field && matches!(name.as_str(), "from" | "source" | "backtrace") => {
            Err(rule!(
                own_attribute,
                key.span(),
                "`{name}` is an attribute of its own; write `#[{name}]`"
            ))
        }
        None => {
            let here = KEYS
                .iter()
                .filter(|(.., places)| places.contains(&place))
                .map(|(key, ..)| *key);
            let near = near_miss(&name, here.clone());
            let hint = if near.is_empty() {
                format!(
                    "; the keys of {} are {}",
                    place.name(),
                    here.collect::<Vec<_>>().join(", ")
                )
            } else {
                near
            };
            Err(rule!(unknown_key, key.span(), "unknown key `{name}`{hint}"))
        }
    }
}
