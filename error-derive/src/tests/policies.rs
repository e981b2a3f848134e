//! Whatever the attributes of a function say, they answer: they never panic, and from an item they make
//! items. What they make is small.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use syn::{File, Item};

use super::robustness::{
    Token, any_tokens, change, check_messages, config, literal, mutate, size, stream, tokens,
};
use super::{POLICIES, guard, place};
use crate::policy;

const KEYS: &[&str] = &[
    "attempt_timeout",
    "attempts",
    "base",
    "breaker",
    "budget",
    "calls",
    "clone",
    "crate",
    "deadline",
    "factor",
    "failure_rate",
    "failures",
    "fallback",
    "half_open",
    "half_open_max",
    "jitter",
    "max",
    "max_retry_after",
    "min_calls",
    "nested",
    "on",
    "on_retry",
    "operation",
    "per",
    "recovery",
    "recovery_factor",
    "recovery_max",
    "service",
    "slow_call",
    "slow_rate",
    "when",
    "window",
    // Near misses and keys of the derive.
    "atempts",
    "max_retries",
    "status",
    "from",
];

/// Values that some key takes, and some that none does.
const VALUES: &[&str] = &[
    "0",
    "1",
    "3",
    "-1",
    "-1.5",
    "0.5",
    "1e400",
    "1e-400",
    "8192",
    "4294967296",
    "\"2s\"",
    "\"200ms\"",
    "\"2m\"",
    "\"0s\"",
    "\"-1s\"",
    "\"full\"",
    "\"fool\"",
    "\"99999999999999999999h\"",
    "\"name\"",
    "path::to::it",
    "<T as U>::V",
    "a::<u8>::b",
    "|error| matches!(error, E::A | E::B)",
    "|a, b| (a, b)",
    "|x: Map<K, V = u8>| x.is::<A, B>()",
    "a == b",
    "a => b",
    "f(error).await?",
    "return x",
    "break",
    "{ let x = 1; x }",
    "#[a] x",
    "x, y = z",
    "if a { b } else { c }",
    "a.",
    "..",
    "self",
    "async move {}",
    "true",
];

/// What stands in the parentheses after a key.
const LISTS: &[&str] = &[
    "a",
    "a, b",
    "self",
    "A | B",
    "| A",
    "A { .. } | B(_)",
    "a,,",
    "\"a\"",
    "A |",
    "",
];

/// Items, with `@` where attributes go.
const SHAPES: &[&str] = &[
    "@ fn f() -> Result<(), E> { g() }",
    "@ pub(crate) async fn f(&self, a: u8, mut b: String) -> Result<&str, E> { g(a, b).await? }",
    "@ fn f<'a, T: Copy, const N: usize>(self: &'a Self, (a, _): (T, u8), [b, ..]: [T; N]) -> Result<impl Fn() -> T + 'a, E> where T: Send { #![allow(x)] return g(); }",
    "@ unsafe extern \"C\" fn f(a: u8, ...) -> u8 { 1 }",
    "@ fn f() {}",
    "@ fn f() -> Result<(), E>;",
    "@ const fn f() -> Result<(), E> { g() }",
    "@ fn f() -> impl Future<Output = Result<(), E>> { let x = 1; async move { g(x) } }",
    "@ fn f() -> impl Future<Output = Result<(), E>> { g() }",
    "@ fn f<'a>(a: &'a str) -> Pin<Box<dyn Future<Output = Result<(), E>> + Send + 'a>> { Box::pin(async move { if let Some(__ret) = None::<Result<(), E>> { return __ret; } let a = a; let __ret: Result<(), E> = { g(a) }; __ret }) }",
    "@ fn f() -> Pin<Box<dyn Future>> { Box::pin(async {}) }",
    "@ fn f() -> (((Box<dyn Future<Output = [u8; 4]>>))) { async {} }",
    "@ struct S { @ a: u8 }",
    "@ impl S { @ fn f(&self) -> Result<(), E> { g() } }",
    "@ trait T { @ fn f(&self); }",
    "@ macro_rules! m { () => {} }",
    "@ mod m;",
];

fn entries() -> impl Strategy<Value = Vec<Token>> {
    let value = prop_oneof![
        4 => select(VALUES).prop_map(tokens),
        1 => literal().prop_map(|literal| vec![literal]),
        1 => any_tokens(),
        1 => literal().prop_map(|literal| vec![Token::Group(Delimiter::None, vec![literal])]),
    ];
    let list = prop_oneof![4 => select(LISTS).prop_map(tokens), 1 => any_tokens()];
    let entry = (select(KEYS), value, list, 0..8).prop_map(|(key, value, list, shape)| {
        let key = vec![Token::Ident(key.to_owned())];
        match shape {
            0 => key,
            1 => value,
            2 => [key, vec![Token::Group(Delimiter::Parenthesis, list)]].concat(),
            _ => [key, vec![Token::Punct('=', false)], value].concat(),
        }
    });
    vec(entry, 0..6).prop_map(|entries| entries.join(&Token::Punct(',', false)))
}

fn arguments() -> impl Strategy<Value = Vec<Token>> {
    prop_oneof![4 => entries(), 1 => any_tokens(), 1 => Just(tokens("\"2s\""))]
}

/// Any number of attributes, most of them ours.
fn attributes() -> impl Strategy<Value = Vec<Token>> {
    let paths = select(
        &[
            "fallback",
            "retry",
            "circuit_breaker",
            "rate_limit",
            "timeout",
            "bulkhead",
            "recover",
            "error_runtime::retry",
            "::error_runtime::timeout",
            "other::timeout",
            "inline",
            "doc",
        ][..],
    );
    let one = (paths, arguments(), 0..8).prop_map(|(path, arguments, shape)| {
        let rest = match shape {
            0 => Vec::new(),
            1 => tokens("= \"x\""),
            _ => vec![Token::Group(Delimiter::Parenthesis, arguments)],
        };
        let inner = [tokens(path), rest].concat();
        vec![
            Token::Punct('#', false),
            Token::Group(Delimiter::Bracket, inner),
        ]
    });
    vec(one, 0..4).prop_map(|list| list.concat())
}

fn item() -> impl Strategy<Value = Vec<Token>> {
    (select(SHAPES), vec(attributes(), 2)).prop_map(|(shape, attributes)| {
        let mut attributes = attributes.into_iter();
        super::robustness::fill(tokens(shape), &mut attributes)
    })
}

/// Of more tokens an expression is passed on unread.
const READ: usize = 64;

/// Whether some argument is too long to be read, so that nothing is known of the expansion.
fn is_long(tokens: &[Token]) -> bool {
    tokens.iter().any(|token| match token {
        Token::Group(_, inner) => size(inner) > READ || is_long(inner),
        _ => false,
    })
}

/// Expands, and checks what holds of every answer. Says whether the answer is an error.
fn check(name: &str, arguments: &[Token], item: &[Token]) -> Result<bool, TestCaseError> {
    let (given, input) = (stream(arguments.to_vec()), stream(item.to_vec()));
    let output = policy::expand(place(name), given.clone(), &input);
    let is_item = syn::parse2::<Item>(input.clone()).is_ok();
    if !is_item || size(arguments) > READ || is_long(item) {
        return Ok(output.to_string().contains("compile_error"));
    }
    let file: File = syn::parse2(output.clone()).map_err(|error| {
        TestCaseError::fail(format!("{error}: {given} on {input} gives {output}"))
    })?;
    check_messages(&without_macros(file))
}

/// The item itself may be a call of a macro, which is no error.
fn without_macros(mut file: File) -> File {
    file.items.retain(|item| match item {
        Item::Macro(call) => call.ident.is_none(),
        _ => true,
    });
    file
}

/// Functions without a mistake, to start mutations from.
const VALID: &[(&str, &str, &str)] = &[
    (
        r#"attempts = 4, base = "200ms", factor = 1.5, max = "5s", jitter = "equal", deadline = "20s", attempt_timeout = "1s", max_retry_after = "9s", nested = false, budget = "b", operation = "o", on_retry = a::b, when = |error| error.is::<A, B>(), clone(a, b)"#,
        "retry",
        r#"#[circuit_breaker(service = "s", failure_rate = 0.5, window = 50, min_calls = 5)]
        #[timeout("2s")]
        async fn f(&self, a: String, mut b: String) -> Result<impl Fn(), E> { g(a, b).await? }"#,
    ),
    (
        "other(a, error).await, when = |error| matches!(error, E::A)",
        "fallback",
        r#"#[retry(on(E::A | E::B { .. }))] #[rate_limit(calls = 5, per = "1m")] #[bulkhead(max = 2)]
        fn f(a: &str) -> Pin<Box<dyn Future<Output = Result<(), E>> + '_>> { Box::pin(async move { let a = a; g(a).await }) }"#,
    ),
    (
        r#"service = "s", half_open = 1, attempts = 2, fallback = if a { b } else { c }"#,
        "recover",
        "/// Text.\n#[inline] pub fn f<T>(&mut self, a: T) -> Result<T, E> where T: Clone { g(a) }",
    ),
];

proptest! {
    #![proptest_config(config(1000))]

    #[test]
    fn any_arguments_have_an_answer(
        name in (0..POLICIES.len()).prop_map(|index| POLICIES[index].0),
        arguments in arguments(),
        item in item(),
    ) {
        check(name, &arguments, &item)?;
    }

    #[test]
    fn mutations_of_valid_functions_have_an_answer(
        (arguments, name, item) in select(VALID),
        of_arguments in vec((any::<Index>(), change()), 0..3),
        of_item in vec((any::<Index>(), change()), 0..3),
    ) {
        let (mut arguments, mut item) = (tokens(arguments), tokens(item));
        for (tokens, changes) in [(&mut arguments, of_arguments), (&mut item, of_item)] {
            for (at, change) in changes {
                if !tokens.is_empty() {
                    let mut at = at.index(size(tokens));
                    mutate(tokens, &mut at, &change);
                }
            }
        }
        check(name, &arguments, &item)?;
    }
}

#[test]
fn the_starting_functions_are_valid() {
    for (arguments, name, item) in VALID {
        let failed = check(name, &tokens(arguments), &tokens(item)).unwrap();
        assert!(!failed, "{name}: {arguments}");
    }
}

#[test]
fn an_item_that_is_no_function_is_left_as_it_is() {
    for (name, place) in POLICIES {
        let expansion = policy::expand(*place, TokenStream::new(), &"struct S;".parse().unwrap());
        let answer = expansion.to_string();
        assert!(
            answer.contains(&format!("`#[{name}]` guards a function")),
            "{answer}"
        );
        assert!(answer.ends_with("struct S ;"), "{answer}");
    }
}

/// An upper bound: each semicolon ends a statement, and each block may end with one that has none.
fn statements(tokens: &TokenStream) -> usize {
    let of = |token| match token {
        TokenTree::Punct(punct) => usize::from(punct.as_char() == ';'),
        TokenTree::Group(group) => {
            usize::from(group.delimiter() == Delimiter::Brace) + statements(&group.stream())
        }
        _ => 0,
    };
    tokens.clone().into_iter().map(of).sum()
}

#[test]
fn a_guarded_function_is_small() {
    for asyncness in ["", "async"] {
        let function = format!(
            "#[retry(attempts = 4)] #[circuit_breaker(service = \"s\")] {asyncness} fn f() -> R {{ body() }}"
        );
        let expansion = guard(&function);
        let count = statements(&expansion);
        assert!(count < 15, "{count} statements: {expansion}");
    }
}

/// Or rustc would say that the argument needs no `mut`, and the copy would be without.
#[test]
fn a_copied_argument_gives_its_mut_to_the_copy() {
    for function in [
        "#[retry(clone(text))] fn f(mut text: String) -> R { push(&mut text) }",
        "#[retry(clone(text))] fn f((mut text, _): (String, u8)) -> R { push(&mut text) }",
        "#[retry(clone(text))] fn f(text: String) -> Pin<Box<dyn Future<Output = R> + Send>> { Box::pin(async move { if let ::core::option::Option::Some(__ret) = ::core::option::Option::None::<R> { return __ret; } let mut text = text; let __ret: R = { push(&mut text) }; __ret }) }",
    ] {
        let expansion = guard(function).to_string();
        assert!(
            expansion.contains("let mut text = :: core :: clone :: Clone :: clone (& text)"),
            "{expansion}"
        );
        assert_eq!(expansion.matches("mut text").count(), 2, "{expansion}");
    }
    let kept = guard(
        "#[fallback(pop(&mut text))] #[retry(clone(text))] fn f(mut text: String) -> R { push(&mut text) }",
    );
    let kept = kept.to_string();
    assert!(kept.contains("mut text : String"), "{kept}");
}

#[test]
fn nesting_has_an_answer() {
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{", "}"),
        ("-", ""),
        ("&", ""),
        ("!", ""),
        ("a(", ")"),
    ] {
        let deep = format!("{}x{}", open.repeat(128), close.repeat(128));
        for function in [
            format!(
                "#[retry(attempts = {deep}, on({deep}), clone({deep}))] fn f() -> R {{ {deep} }}"
            ),
            format!("#[retry(when = {deep})] fn f() -> R {{ {deep} }}"),
            format!("#[fallback({deep})] fn f() -> R {{ {deep} }}"),
            format!("#[recover(service = {deep}, fallback = {deep})] fn f() -> R {{ {deep} }}"),
            format!("#[timeout({deep})] async fn f() -> R {{ {deep} }}"),
        ] {
            assert!(!guard(&function).is_empty(), "{function}");
        }
    }
}
