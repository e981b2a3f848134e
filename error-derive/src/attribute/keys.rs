//! The vocabulary of the attributes: every key, what it looks like, and where it may stand.

use proc_macro2::{Delimiter, Ident, Spacing, Span, TokenStream, TokenTree};
use syn::parse::{Parse, ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprLit, Lit, Meta, Token, token};

use crate::diagnostics::{either, list, near_miss, nearest, rule};

/// Where an attribute stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Enum,
    Struct,
    Variant,
    Field,
    Fallback,
    Retry,
    CircuitBreaker,
    RateLimit,
    Timeout,
    Bulkhead,
    Recover,
}

impl Place {
    /// Whether it is an attribute of its own, on a function.
    fn is_policy(self) -> bool {
        !matches!(self, Enum | Struct | Variant | Field)
    }

    /// For messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Enum => "an enum",
            Self::Struct => "a struct",
            Self::Variant => "a variant",
            Self::Field => "a field",
            Self::Fallback => "`#[fallback]`",
            Self::Retry => "`#[retry]`",
            Self::CircuitBreaker => "`#[circuit_breaker]`",
            Self::RateLimit => "`#[rate_limit]`",
            Self::Timeout => "`#[timeout]`",
            Self::Bulkhead => "`#[bulkhead]`",
            Self::Recover => "`#[recover]`",
        }
    }
}

use Place::{
    Bulkhead, CircuitBreaker, Enum, Fallback, Field, RateLimit, Recover, Retry, Struct, Timeout,
    Variant,
};

const ITEM: &[Place] = &[Enum, Struct];
const FAILURE: &[Place] = &[Variant, Struct];
const ALL_BUT_FIELD: &[Place] = &[Enum, Struct, Variant];
const RETRIES: &[Place] = &[Retry, Recover];
const BREAKS: &[Place] = &[CircuitBreaker, Recover];

/// `(key, how it is written, where it may stand)`.
const KEYS: &[(&str, &str, &[Place])] = &[
    ("domain", "domain = \"billing\"", ITEM),
    ("prefix", "prefix = \"BILLING\"", ITEM),
    ("detail_case", "detail_case = \"camelCase\"", ITEM),
    (
        "crate",
        "crate = ::error_runtime",
        &[
            Enum,
            Struct,
            Fallback,
            Retry,
            CircuitBreaker,
            RateLimit,
            Timeout,
            Bulkhead,
            Recover,
        ],
    ),
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
    (
        "breaker",
        "breaker = \"trip\"",
        &[Variant, Struct, CircuitBreaker, Recover],
    ),
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
    ("detail", "detail = \"name\"", &[Field]),
    ("skip", "skip", &[Field]),
    ("secret", "secret", &[Field]),
    ("violations", "violations", &[Field]),
    ("attempts", "attempts = 4", RETRIES),
    ("base", "base = \"200ms\"", RETRIES),
    ("factor", "factor = 2.0", RETRIES),
    ("max", "max = \"5s\"", &[Retry, Recover, Bulkhead]),
    ("jitter", "jitter = \"full\"", RETRIES),
    ("deadline", "deadline = \"20s\"", RETRIES),
    ("attempt_timeout", "attempt_timeout = \"2s\"", RETRIES),
    ("max_retry_after", "max_retry_after = \"30s\"", RETRIES),
    ("nested", "nested = true", RETRIES),
    ("budget", "budget = \"name\"", RETRIES),
    ("operation", "operation = \"upload\"", RETRIES),
    ("on_retry", "on_retry = path::to::function", RETRIES),
    ("on", "on(Error::Busy | Error::Away)", RETRIES),
    ("clone", "clone(argument)", RETRIES),
    (
        "when",
        "when = |error| …",
        &[Fallback, Retry, CircuitBreaker],
    ),
    ("service", "service = \"stripe\"", BREAKS),
    ("failures", "failures = 5", BREAKS),
    ("failure_rate", "failure_rate = 0.5", BREAKS),
    ("window", "window = 100", BREAKS),
    ("min_calls", "min_calls = 10", BREAKS),
    ("slow_call", "slow_call = \"2s\"", BREAKS),
    ("slow_rate", "slow_rate = 0.5", BREAKS),
    ("recovery", "recovery = \"60s\"", BREAKS),
    ("recovery_factor", "recovery_factor = 2.0", BREAKS),
    ("recovery_max", "recovery_max = \"10m\"", BREAKS),
    ("half_open", "half_open = 3", BREAKS),
    ("half_open_max", "half_open_max = \"10s\"", BREAKS),
    ("fallback", "fallback = expression", &[Recover]),
    ("calls", "calls = 100", &[RateLimit]),
    ("per", "per = \"1s\"", &[RateLimit]),
];

/// Keys whose value is any expression: it is passed on as it is.
const RAW: &[&str] = &["when", "fallback"];

/// Keys, and what other libraries call them.
const SYNONYMS: &[(&str, &str)] = &[
    ("attempts", "max_attempts"),
    ("attempts", "max_retries"),
    ("attempts", "retries"),
    ("attempts", "times"),
    ("base", "base_delay"),
    ("base", "delay"),
    ("max", "max_delay"),
    ("max", "limit"),
    ("per", "every"),
    ("failures", "failure_threshold"),
    ("recovery", "recovery_timeout"),
    ("recovery", "reset_timeout"),
    ("half_open", "half_open_calls"),
    ("service", "name"),
];

/// Attributes of a field that are no keys of `api`.
pub(crate) const OWN_ATTRIBUTES: &[&str] = &["from", "source", "backtrace"];

/// The keys that may stand at a place, for the tests of their documentation.
#[cfg(test)]
pub(crate) fn keys_at(place: Place) -> impl Iterator<Item = &'static str> {
    let here = KEYS
        .iter()
        .filter(move |(.., places)| places.contains(&place));
    here.map(|(key, ..)| *key)
}

/// How a key is written at a place: roles of a field are flags though the same word takes a value
/// on a variant.
fn example(key: &str, place: Place) -> &'static str {
    match (key, place) {
        ("status", Field) => "status",
        ("retry_after", Field) => "retry_after",
        ("header", Field) => "header = \"X-Name\"",
        ("max", Bulkhead) => "max = 10",
        ("breaker", CircuitBreaker | Recover) => "breaker = STRIPE",
        ("when", CircuitBreaker) => "when = |result| …",
        _ => KEYS
            .iter()
            .find(|(name, ..)| *name == key)
            .map_or("", |(_, example, _)| example),
    }
}

/// One `key`, `key = value` or `key(…)`, known and in its place.
pub(crate) struct Entry {
    pub(crate) key: Ident,
    /// The key as text; asking the compiler for it again and again costs.
    name: String,
    pub(crate) place: Place,
    pub(crate) value: Value,
}

/// What follows a key.
pub(crate) enum Value {
    Flag,
    Assigned(Box<Expr>),
    List(TokenStream),
    /// An expression that is passed on as it is.
    Raw(TokenStream),
}

impl Entry {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn span(&self) -> Span {
        self.key.span()
    }

    /// How the key is written here.
    pub(crate) fn example(&self) -> &'static str {
        example(self.name(), self.place)
    }

    /// The error for a value of another kind than the key takes.
    pub(crate) fn wrong_shape(&self) -> darling::Error {
        let key = self.name();
        let example = example(key, self.place);
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
            Value::List(_) | Value::Raw(_) => rule!(
                wrong_list,
                self.span(),
                "`{key}` takes no list; write `{example}`"
            ),
        }
    }
}

/// What was read of the attributes of one place.
#[derive(Default)]
pub(crate) struct Entries {
    pub(crate) read: Vec<Entry>,
    /// The keys that broken entries seem to mean; `None` for what could mean any.
    garbled: Vec<Option<String>>,
}

impl Entries {
    /// Whether a broken entry is `key`, as far as one can tell.
    pub(crate) fn means(&self, key: &str) -> bool {
        self.garbled
            .iter()
            .any(|meant| meant.as_deref() == Some(key))
    }

    /// Whether a broken entry may be one of `keys`, so that its absence is no second mistake.
    pub(crate) fn may_mean(&self, keys: &[&str]) -> bool {
        self.garbled
            .iter()
            .any(|key| key.as_ref().is_none_or(|key| keys.contains(&key.as_str())))
    }
}

/// The key that a broken entry seems to mean.
fn meant(tokens: &[TokenTree]) -> Option<String> {
    let Some(TokenTree::Ident(key)) = tokens.first() else {
        return None;
    };
    let key = key.to_string();
    if OWN_ATTRIBUTES.contains(&key.as_str()) {
        return Some(key);
    }
    if let Some((of, _)) = SYNONYMS.iter().find(|(_, synonym)| key == *synonym) {
        return Some((*of).to_owned());
    }
    Some(nearest(&key, KEYS.iter().map(|(key, ..)| *key)).map_or(key, str::to_owned))
}

/// Reads every `#[api(…)]` among the attributes. Each entry is parsed on its own: one that is
/// broken leaves the others standing.
pub(crate) fn entries(
    attrs: &[Attribute],
    place: Place,
    errors: &mut darling::error::Accumulator,
) -> Entries {
    let mut garbled = Vec::new();
    let mut entries: Vec<Entry> = Vec::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("api")) {
        let Meta::List(list) = &attr.meta else {
            errors.push(rule!(
                not_a_list,
                attr.path().span(),
                "`api` takes its keys in parentheses; write `#[api({})]`",
                if place == Field {
                    "detail"
                } else {
                    "status = 404"
                }
            ));
            garbled.push(None);
            continue;
        };
        let tokens: Vec<TokenTree> = list.tokens.clone().into_iter().collect();
        read(
            split_at_commas(&tokens),
            place,
            &mut entries,
            &mut garbled,
            errors,
        );
    }
    Entries {
        read: entries,
        garbled,
    }
}

/// Reads the arguments of an attribute that is a macro. What comes before the first key is given back
/// as it is: the expression of `#[fallback(…)]`, the duration of `#[timeout(…)]`.
pub(crate) fn arguments(
    tokens: TokenStream,
    place: Place,
    errors: &mut darling::error::Accumulator,
) -> (TokenStream, Entries) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let positional = matches!(place, Fallback | Timeout) && !starts_entry(&tokens, place);
    let mut parts = split_at_keys(&tokens, place, positional);
    let first = if positional && !parts.is_empty() {
        parts.remove(0).unwrap_or_default()
    } else {
        &[]
    };
    let (mut entries, mut garbled) = (Vec::new(), Vec::new());
    read(parts, place, &mut entries, &mut garbled, errors);
    let entries = Entries {
        read: entries,
        garbled,
    };
    (first.iter().cloned().collect(), entries)
}

fn read(
    parts: Vec<Result<&[TokenTree], Span>>,
    place: Place,
    entries: &mut Vec<Entry>,
    garbled: &mut Vec<Option<String>>,
    errors: &mut darling::error::Accumulator,
) {
    for part in parts {
        let tokens = match part {
            Ok(tokens) => tokens,
            Err(comma) => {
                errors.push(rule!(
                    stray_comma,
                    comma,
                    "there is no key before this comma; remove it"
                ));
                continue;
            }
        };
        let Some(entry) = errors.handle(entry(tokens, place)) else {
            garbled.push(meant(tokens));
            continue;
        };
        let again = entries.iter().any(|other| other.name == entry.name);
        // A response may carry several headers.
        if again && entry.name != "header" {
            errors.push(rule!(
                duplicate_key,
                entry.span(),
                "`{}` is given twice; keep one",
                entry.name
            ));
        } else {
            entries.push(entry);
        }
    }
}

/// The tokens between commas that are in no bracket, or the comma that follows none.
fn split_at_commas(tokens: &[TokenTree]) -> Vec<Result<&[TokenTree], Span>> {
    let mut parts = Vec::new();
    let mut rest = tokens;
    let comma =
        |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
    while let Some(at) = rest.iter().position(comma) {
        parts.push(if at == 0 {
            Err(rest[0].span())
        } else {
            Ok(&rest[..at])
        });
        rest = &rest[at + 1..];
    }
    if !rest.is_empty() {
        parts.push(Ok(rest));
    }
    parts
}

/// The same, but that an expression which is passed on as it is ends only where a key begins: its
/// commas may be its own.
fn split_at_keys(
    tokens: &[TokenTree],
    place: Place,
    positional: bool,
) -> Vec<Result<&[TokenTree], Span>> {
    let mut parts: Vec<Result<&[TokenTree], Span>> = Vec::new();
    let mut start = 0;
    let mut raw = positional || is_raw(tokens);
    for (index, token) in tokens.iter().enumerate() {
        let rest = &tokens[index + 1..];
        let comma = matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
        let ends = rest.is_empty() || starts_entry(rest, place) || starts_unknown(rest);
        if !comma || (raw && !ends) {
            continue;
        }
        parts.push(if index == start {
            Err(token.span())
        } else {
            Ok(&tokens[start..index])
        });
        (start, raw) = (index + 1, is_raw(rest));
    }
    if start < tokens.len() {
        parts.push(Ok(&tokens[start..]));
    }
    parts
}

fn is_raw(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [TokenTree::Ident(key), TokenTree::Punct(equals), ..]
        if equals.as_char() == '=' && RAW.iter().any(|raw| key == raw))
}

/// Whether an entry begins here: a key of this place, and what may follow one.
fn starts_entry(tokens: &[TokenTree], place: Place) -> bool {
    let [TokenTree::Ident(key), rest @ ..] = tokens else {
        return false;
    };
    let known = KEYS
        .iter()
        .any(|(known, _, places)| key == known && places.contains(&place));
    known
        && match rest.first() {
            None => true,
            Some(TokenTree::Punct(punct)) => punct.as_char() == ',' || is_equals(rest),
            Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Parenthesis,
            Some(_) => false,
        }
}

/// The key of `key = …`, be it known or not.
pub(crate) fn assigned(tokens: &[TokenTree]) -> Option<&Ident> {
    match tokens {
        [TokenTree::Ident(key), rest @ ..] if is_equals(rest) => Some(key),
        _ => None,
    }
}

/// Whether `=` comes first, and neither `==` nor `=>`.
fn is_equals(tokens: &[TokenTree]) -> bool {
    let is = |token: Option<&TokenTree>, any: &[char]| matches!(token, Some(TokenTree::Punct(punct)) if any.contains(&punct.as_char()));
    let joint =
        matches!(tokens, [TokenTree::Punct(equals), ..] if equals.spacing() == Spacing::Joint);
    is(tokens.first(), &['=']) && !(joint && is(tokens.get(1), &['=', '>']))
}

/// Whether an unknown key stands after a comma. No expression goes on so but a list of types, as
/// `Map<K, Item = V>`, whose names have a capital.
fn starts_unknown(tokens: &[TokenTree]) -> bool {
    assigned(tokens).is_some_and(|key| key.to_string().starts_with(|c: char| c.is_lowercase()))
}

/// What nearly every entry looks like, read without a parser: `key` and `key = literal`.
fn plain_entry(tokens: &[TokenTree]) -> Option<(Ident, Value)> {
    match tokens {
        [TokenTree::Ident(key)] => Some((key.clone(), Value::Flag)),
        [
            TokenTree::Ident(key),
            TokenTree::Punct(equals),
            TokenTree::Literal(literal),
        ] if equals.as_char() == '=' => {
            let value = Expr::Lit(ExprLit {
                attrs: Vec::new(),
                lit: Lit::new(literal.clone()),
            });
            Some((key.clone(), Value::Assigned(Box::new(value))))
        }
        _ => None,
    }
}

fn entry(tokens: &[TokenTree], place: Place) -> darling::Result<Entry> {
    if let [TokenTree::Ident(key), _, value @ ..] = tokens
        && is_raw(tokens)
        && !value.is_empty()
    {
        return Ok(Entry {
            key: key.clone(),
            name: check_known(key, place)?,
            place,
            value: Value::Raw(value.iter().cloned().collect()),
        });
    }
    if let Some((key, value)) = plain_entry(tokens) {
        let name = check_known(&key, place)?;
        return Ok(Entry {
            key,
            name,
            place,
            value,
        });
    }
    let tokens: TokenStream = tokens.iter().cloned().collect();
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
    let name = check_known(&raw.key, place)?;
    if let Rest::Malformed(next) = &raw.rest {
        return Err(match next {
            TokenTree::Ident(next) => missing_comma(next),
            next => rule!(
                malformed_value,
                next.span(),
                "expected `=` or a comma after `{name}`; write `{}`",
                example(&name, place)
            ),
        });
    }
    let RawEntry { key, rest } = raw;
    let value = match rest {
        Rest::None | Rest::Malformed(_) => Value::Flag,
        Rest::List(tokens) => Value::List(tokens),
        Rest::Assigned(tokens) => {
            let Some(first) = tokens.clone().into_iter().next() else {
                return Err(rule!(
                    missing_value,
                    key.span(),
                    "`{name}` has no value after `=`; write `{}`",
                    example(&name, place)
                ));
            };
            // A value is a literal or a path. Of longer ones the parser might exhaust the stack.
            let parsed = if count(&tokens) <= 64 {
                value_and_next.parse2(tokens).ok()
            } else {
                None
            };
            match parsed {
                Some((value, None)) => Value::Assigned(Box::new(value)),
                Some((_, Some(next))) => return Err(missing_comma(&next)),
                None => {
                    return Err(rule!(
                        broken_value,
                        first.span(),
                        "the value of `{name}` cannot be read; write `{}`",
                        example(&name, place)
                    ));
                }
            }
        }
    };
    Ok(Entry {
        key,
        name,
        place,
        value,
    })
}

/// The number of tokens, those in groups included.
fn count(tokens: &TokenStream) -> usize {
    let of = |token| match token {
        TokenTree::Group(group) => 1 + count(&group.stream()),
        _ => 1,
    };
    tokens.clone().into_iter().map(of).sum()
}

/// An entry before its key is known.
struct RawEntry {
    key: Ident,
    rest: Rest,
}

enum Rest {
    None,
    /// What follows the key, where neither a value nor a list does.
    Malformed(TokenTree),
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
            if input.is_empty() {
                Rest::List(tokens)
            } else {
                malformed(input)?
            }
        } else {
            malformed(input)?
        };
        Ok(Self { key, rest })
    }
}

fn malformed(input: ParseStream<'_>) -> syn::Result<Rest> {
    let next = input.parse()?;
    input.parse::<TokenStream>()?;
    Ok(Rest::Malformed(next))
}

/// A value, and the name after it that must be a key whose comma is missing.
fn value_and_next(input: ParseStream<'_>) -> syn::Result<(Expr, Option<Ident>)> {
    use syn::ext::IdentExt as _;

    let value = input.parse()?;
    if input.is_empty() {
        return Ok((value, None));
    }
    let next = input.call(Ident::parse_any)?;
    input.parse::<TokenStream>()?;
    Ok((value, Some(next)))
}

fn missing_comma(next: &Ident) -> darling::Error {
    rule!(
        missing_comma,
        next.span(),
        "keys are separated by commas; write `, {next}`"
    )
}

/// The key as text, if it is known and in its place.
fn check_known(key: &Ident, place: Place) -> darling::Result<String> {
    let name = key.to_string();
    match KEYS.iter().find(|(known, ..)| *known == name) {
        Some((.., places)) if places.contains(&place) => Ok(name),
        Some((.., places)) => Err(rule!(
            misplaced_key,
            key.span(),
            "`{name}` does not belong on {}; it belongs on {}",
            place.name(),
            belongs(places, place)
        )),
        None if !place.is_policy() && OWN_ATTRIBUTES.contains(&name.as_str()) => Err(rule!(
            own_attribute,
            key.span(),
            "`{name}` is an attribute of its own; write `#[{name}]`{}",
            if place == Field { "" } else { " on the field" }
        )),
        None => {
            let here = KEYS
                .iter()
                .filter(|(.., places)| places.contains(&place))
                .map(|(key, ..)| *key);
            let near = near_key(&name, place, here.clone());
            let elsewhere = KEYS.iter().find(|(known, ..)| {
                Some(*known) == nearest(&name, KEYS.iter().map(|(key, ..)| *key))
            });
            let hint = match elsewhere {
                _ if !near.is_empty() => near,
                Some((known, _, places)) => {
                    format!("; `{known}` belongs on {}", belongs(places, place))
                }
                None => format!(
                    "; the keys of {} are {}",
                    place.name(),
                    list(here.map(|key| format!("`{key}`")))
                ),
            };
            Err(rule!(unknown_key, key.span(), "unknown key `{name}`{hint}"))
        }
    }
}

/// The key of this place that is meant, if one can tell.
fn near_key<'a>(name: &str, place: Place, here: impl Iterator<Item = &'a str>) -> String {
    let synonym = SYNONYMS.iter().find(|(of, synonym)| {
        *synonym == name
            && KEYS
                .iter()
                .any(|(key, _, places)| key == of && places.contains(&place))
    });
    match synonym {
        Some((key, _)) => format!("; did you mean `{key}`?"),
        None => near_miss(name, here),
    }
}

/// Where a key belongs; seen from one of the derive's places, those of the derive if there are any.
fn belongs(places: &[Place], seen_from: Place) -> String {
    let related = |place: &&Place| place.is_policy() == seen_from.is_policy();
    let any = places.iter().any(|place| related(&place));
    if !any && seen_from.is_policy() {
        return "an error's `#[api(…)]`".to_owned();
    }
    let names = places
        .iter()
        .filter(|place| !any || related(place))
        .map(|place| place.name().to_owned());
    either(names)
}
