//! Whatever an attribute says, the derive answers: it never panics, its output is a list of items,
//! and beside an error the item still has all its impls.
//!
//! The seed is fixed, so that a run says the same twice; `PROPTEST_CASES` and `PROPTEST_RNG_SEED`
//! search further.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngSeed};
use quote::{ToTokens as _, quote};
use syn::{Data, DeriveInput, File, Item, Stmt};

use crate::api_error;

/// A token that is `Send` and can be printed.
#[derive(Clone, Debug)]
pub(super) enum Token {
    Ident(String),
    Raw(String),
    /// A literal by its source text.
    Literal(String),
    Text(String),
    Punct(char, bool),
    Group(Delimiter, Vec<Token>),
}

impl From<Token> for TokenTree {
    fn from(token: Token) -> Self {
        match token {
            Token::Ident(name) => Ident::new(&name, Span::call_site()).into(),
            Token::Raw(name) => Ident::new_raw(&name, Span::call_site()).into(),
            Token::Literal(text) => text.parse::<Literal>().unwrap().into(),
            Token::Text(text) => Literal::string(&text).into(),
            Token::Punct(char, joint) => {
                let spacing = if joint {
                    Spacing::Joint
                } else {
                    Spacing::Alone
                };
                Punct::new(char, spacing).into()
            }
            Token::Group(delimiter, inner) => Group::new(delimiter, stream(inner)).into(),
        }
    }
}

pub(super) fn stream(tokens: impl IntoIterator<Item = Token>) -> TokenStream {
    tokens.into_iter().map(TokenTree::from).collect()
}

/// Tokens from source text.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    fn convert(tokens: TokenStream) -> Vec<Token> {
        tokens
            .into_iter()
            .map(|token| match token {
                TokenTree::Ident(ident) => {
                    let name = ident.to_string();
                    match name.strip_prefix("r#") {
                        Some(raw) => Token::Raw(raw.to_owned()),
                        None => Token::Ident(name),
                    }
                }
                TokenTree::Literal(literal) => Token::Literal(literal.to_string()),
                TokenTree::Punct(punct) => {
                    Token::Punct(punct.as_char(), punct.spacing() == Spacing::Joint)
                }
                TokenTree::Group(group) => Token::Group(group.delimiter(), convert(group.stream())),
            })
            .collect()
    }
    convert(text.parse().unwrap())
}

const KEYS: &[&str] = &[
    "domain",
    "prefix",
    "detail_case",
    "crate",
    "impl_error",
    "impl_response",
    "docs",
    "details",
    "status",
    "code",
    "shared_code",
    "message",
    "display",
    "title",
    "retryable",
    "breaker",
    "retry_after",
    "recoverable",
    "authenticate",
    "header",
    "level",
    "category",
    "report",
    "grpc",
    "transparent",
    "detail",
    "skip",
    "secret",
    "violations",
];

const WORDS: &[&str] = &[
    "flatten",
    "NOT_FOUND",
    "trip",
    "snake_case",
    "true",
    "false",
    "error_runtime",
    "self",
    "Self",
    "super",
    "fn",
    "dyn",
    "async",
    "match",
    "statsu",
    "_",
    "a",
    "io",
    "union",
    "from",
    "ünï",
];

const TEXTS: &[&str] = &[
    "",
    " ",
    "plain",
    "{",
    "}",
    "{}",
    "{{",
    "{0}",
    "{1:?}",
    "{io}",
    "{a:>0$}",
    "{a:0io$.1$x}",
    "{ a : ^ 4 }",
    "{a:}",
    "{a:}>3}",
    "{a:$}",
    "{:$}",
    "{a:é$é}",
    "{r#io}",
    "{é}",
    "{a\n}",
    "{io:?}}",
    "30s",
    "1.5h",
    "9999999999999999999999999999999999999999s",
    "1..5s",
    "-1s",
    ".5s",
    "5.s",
    "٣s",
    "18446744073709551615h",
    "0.0000000001s",
    "NOT_FOUND",
    "A",
    "A_",
    "a",
    "ÄÖ",
    "_",
    "__",
    "404",
    "https://e.org/x",
    ":",
    "a:",
    "ü:x",
    "Retry-After",
    "X-A",
    "x a",
    "\r\n",
    "\0",
    "content-type",
    "camelCase",
    "trip",
    "warn",
    "ABORTED",
    "::error_runtime",
    "a::<b>::c",
    "::",
    "<T as U>::V",
    "🙂",
    "\u{202e}",
    "ß{ß}ß",
];

const LITERALS: &[&str] = &[
    "0",
    "404",
    "404u16",
    "404u64",
    "4_04",
    "0x194",
    "404.0",
    "404f32",
    "1e9",
    "599",
    "600",
    "399",
    "340282366920938463463374607431768211456",
    "99999999999999999999999999999999999999999999",
    "'a'",
    "b'a'",
    "b\"bytes\"",
    "br#\"raw\"#",
    "c\"c\"",
    "r\"raw {a}\"",
    "r##\"a\"#b\"##",
    "\"suffix\"tail",
    "1s",
    "30ms",
    "-1",
    "-1.5",
    "\"\\u{1F642}\\\n   x\"",
];

fn ident() -> impl Strategy<Value = Token> {
    prop_oneof![
        4 => select(KEYS).prop_map(|name| Token::Ident(name.to_owned())),
        2 => select(WORDS).prop_map(|name| Token::Ident(name.to_owned())),
        1 => "[a-z_][a-zA-Z0-9_]{1,6}".prop_map(Token::Ident),
        1 => select(&["status", "type", "r#match", "code"][..])
            .prop_map(|name| Token::Raw(name.trim_start_matches("r#").to_owned())),
    ]
}

pub(super) fn literal() -> impl Strategy<Value = Token> {
    prop_oneof![
        3 => select(TEXTS).prop_map(|text| Token::Text(text.to_owned())),
        2 => select(LITERALS).prop_map(|text| Token::Literal(text.to_owned())),
        1 => ".{0,12}".prop_map(Token::Text),
        2 => "[a{}:0$.?é #x>1-]{0,10}".prop_map(Token::Text),
        1 => any::<i64>().prop_map(|number| Token::Literal(number.to_string())),
    ]
}

fn punct() -> impl Strategy<Value = Token> {
    let chars: Vec<char> = "=,;:.#!?&|+-*/^@$%<>~'".chars().collect();
    prop_oneof![
        1 => Just(Token::Punct(',', false)),
        1 => Just(Token::Punct('=', false)),
        2 => (select(chars), any::<bool>()).prop_map(|(char, joint)| {
            // A quote is the start of a lifetime and always joint.
            Token::Punct(char, joint || char == '\'')
        }),
    ]
}

fn delimiter() -> impl Strategy<Value = Delimiter> {
    select(vec![
        Delimiter::Parenthesis,
        Delimiter::Brace,
        Delimiter::Bracket,
        Delimiter::None,
    ])
}

/// Any tokens at all.
pub(super) fn any_tokens() -> impl Strategy<Value = Vec<Token>> {
    let leaf = prop_oneof![3 => ident(), 2 => literal(), 3 => punct()];
    let token = leaf.prop_recursive(6, 24, 5, |inner| {
        (delimiter(), vec(inner, 0..5))
            .prop_map(|(delimiter, inner)| Token::Group(delimiter, inner))
    });
    vec(token, 0..8)
}

/// Entries that look as they should, with values that may not be.
fn plausible() -> impl Strategy<Value = Vec<Token>> {
    let value = prop_oneof![
        4 => literal().prop_map(|literal| vec![literal]),
        2 => ident().prop_map(|ident| vec![ident]),
        1 => literal().prop_map(|literal| vec![Token::Group(Delimiter::None, vec![literal])]),
        1 => any_tokens(),
        1 => select(&[
            "-404", "::api", "api", "crate::a", "http::StatusCode::NOT_FOUND", "a::<u8>::b",
            "<u8 as T>::x", "concat!(\"a\", \"b\")", "{ 404 }", "(404)", "[404]", "404 + 1", "|x| x",
            "if a { b } else { c }", "true", "a..", "*a", "async {}", "loop {}", "r#type",
        ][..]).prop_map(tokens),
    ];
    let key = prop_oneof![
        8 => select(KEYS).prop_map(|name| Token::Ident(name.to_owned())),
        1 => ident(),
    ];
    let pair = (literal(), literal())
        .prop_map(|(name, value)| vec![name, Token::Punct('=', false), value]);
    let entry = (key, value, pair, 0..8).prop_map(|(key, value, pair, shape)| match shape {
        0 | 1 => vec![key],
        2 => vec![key, Token::Group(Delimiter::Parenthesis, value)],
        3 => vec![key, Token::Group(Delimiter::Parenthesis, pair)],
        4 => vec![key, Token::Group(Delimiter::Parenthesis, tokens("flatten"))],
        _ => [vec![key, Token::Punct('=', false)], value].concat(),
    });
    vec(entry, 0..5).prop_map(|entries| entries.join(&Token::Punct(',', false)))
}

/// An attribute of ours, of thiserror, or none.
fn attribute() -> impl Strategy<Value = Vec<Token>> {
    let list = prop_oneof![1 => any_tokens(), 3 => plausible()];
    let of = |path: &str, rest: Vec<Token>| {
        let inner = [tokens(path), rest].concat();
        vec![
            Token::Punct('#', false),
            Token::Group(Delimiter::Bracket, inner),
        ]
    };
    (list, 0..20, delimiter()).prop_map(move |(list, shape, delimiter)| match shape {
        0 | 1 => Vec::new(),
        2 => of("from", Vec::new()),
        3 => of("source", Vec::new()),
        4 => of("backtrace", Vec::new()),
        5 => of("from", vec![Token::Group(Delimiter::Parenthesis, list)]),
        6 => of("error", vec![Token::Group(Delimiter::Parenthesis, list)]),
        7 => of("api", Vec::new()),
        8 => of("api", tokens("= \"x\"")),
        9 if delimiter != Delimiter::None => of("api", vec![Token::Group(delimiter, list)]),
        10 => of("doc", tokens("= \" text. \"")),
        _ => of("api", vec![Token::Group(Delimiter::Parenthesis, list)]),
    })
}

/// Items of every shape, with `@` where attributes go.
const SHAPES: &[&str] = &[
    "@ struct Er;",
    "@ struct Er(@ u8);",
    "@ struct Er { @ a: u8, @ io: ::std::io::Error }",
    "@ pub(crate) struct Er<'a, T: Copy = u8, const N: usize = 1>(@ &'a [T; N], @ T) where T: Send;",
    "@ enum Er {}",
    "@ enum Er { @ Aa, @ Bb(@ u8, @ Option<u8>), @ Cc { @ a: u8, @ source: Box<Er>, @ r#type: u8 } }",
    "@ enum Er<T> { @ Aa(@ T), @ Aa(@ T), @ r#Type { @ a: Option<T>, @ io: fn(T) -> <T as Deref>::Target } }",
    "@ enum Er { @ Ä(@ [u8; { 1 + 1 }]), @ _Aa { @ _0: u8 } , @ HTTPError = 7 }",
    "@ union Er { @ a: u8 }",
];

/// An item with attributes in all places that can have one.
fn item() -> impl Strategy<Value = Vec<Token>> {
    let few = prop_oneof![5 => Just(Vec::new()), 2 => attribute(), 1 => vec(attribute(), 2..4).prop_map(|list| list.concat())];
    (select(SHAPES), any::<bool>(), vec(few, 12)).prop_map(|(shape, status, attributes)| {
        let mut item = fill(tokens(shape), &mut attributes.into_iter());
        if status {
            // So that not every item fails for want of one.
            item.splice(0..0, tokens("#[api(status = 500)]"));
        }
        item
    })
}

pub(super) fn fill(
    shape: Vec<Token>,
    attributes: &mut impl Iterator<Item = Vec<Token>>,
) -> Vec<Token> {
    let fill_token = |token| match token {
        Token::Punct('@', _) => attributes.next().unwrap_or_default(),
        Token::Group(delimiter, inner) => vec![Token::Group(delimiter, fill(inner, attributes))],
        other => vec![other],
    };
    shape.into_iter().flat_map(fill_token).collect()
}

/// Inputs without a mistake, to start mutations from.
const VALID: &[&str] = &[
    r#"#[api(domain = "d", docs = "https://e.org", prefix = "P", detail_case = "camelCase")]
    enum Er {
        /// Text.
        #[api(status = 404, message = "job {id:>w$} of {owner:?}", display = "{id}", details)]
        Aa { id: u8, w: usize, owner: String, #[api(secret)] token: String },
        #[api(status = CONFLICT, code = "CODE", shared_code, title = "t", retryable, breaker = "ok")]
        Bb(#[api(detail = "x", header = "X-A")] u8, #[api(detail(flatten))] Map),
        #[api(status = 429, retry_after = "1.5s", header("X-A" = "b"), level = "off", grpc = ABORTED)]
        Cc { #[api(retry_after)] wait: Option<Duration>, #[api(status)] status: u16, #[api(violations)] v: Violations },
        #[api(status = 503)]
        Dd(#[from] Io, #[backtrace] Backtrace),
        #[api(transparent)]
        Ff(#[from] Inner),
    }"#,
    r#"#[api(crate = ::api, impl_response = false, status = 401, authenticate = "Basic", recoverable = false, category = "c", report)]
    pub struct Er<'a, T: Debug, const N: usize>(#[source] T, #[api(skip)] &'a [u8; N]) where T: Error;"#,
    r#"#[error("x")] #[api(impl_error = false)] enum Er { #[api(status = 500)] Aa }"#,
];

/// One change of a random place.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Drop,
    Double,
    Swap,
    Replace(Token),
    Insert(Token),
    Wrap(Delimiter),
    Unwrap,
}

pub(super) fn change() -> impl Strategy<Value = Change> {
    let token = || prop_oneof![ident(), literal(), punct()];
    prop_oneof![
        Just(Change::Drop),
        Just(Change::Double),
        Just(Change::Swap),
        Just(Change::Unwrap),
        token().prop_map(Change::Replace),
        token().prop_map(Change::Insert),
        delimiter().prop_map(Change::Wrap),
    ]
}

pub(super) fn size(tokens: &[Token]) -> usize {
    let of = |token: &Token| match token {
        Token::Group(_, inner) => 1 + size(inner),
        _ => 1,
    };
    tokens.iter().map(of).sum()
}

/// Applies the change at the `place`th token, counted depth first.
pub(super) fn mutate(tokens: &mut Vec<Token>, place: &mut usize, change: &Change) -> bool {
    for index in 0..tokens.len() {
        if *place > 0 {
            *place -= 1;
            let mut inside = false;
            if let Token::Group(_, inner) = &mut tokens[index] {
                inside = mutate(inner, place, change);
            }
            if inside {
                return true;
            }
            continue;
        }
        match change.clone() {
            Change::Drop => _ = tokens.remove(index),
            Change::Double => tokens.insert(index, tokens[index].clone()),
            Change::Swap => {
                let other = (index + 1) % tokens.len();
                tokens.swap(index, other);
            }
            Change::Replace(token) => tokens[index] = token,
            Change::Insert(token) => tokens.insert(index, token),
            Change::Wrap(delimiter) => {
                tokens[index] = Token::Group(delimiter, vec![tokens[index].clone()]);
            }
            Change::Unwrap => {
                if let Token::Group(_, inner) = tokens[index].clone() {
                    tokens.splice(index..=index, inner);
                }
            }
        }
        return true;
    }
    false
}

/// Derives, and checks what holds of every answer. Says whether the answer is an error.
fn check(input: &TokenStream) -> Result<bool, TestCaseError> {
    let output = api_error::derive(input.clone());
    let file: File = syn::parse2(output.clone())
        .map_err(|error| TestCaseError::fail(format!("{error}: {input} gives {output}")))?;
    let failed = check_messages(&file)?;
    let Ok(DeriveInput {
        data: Data::Enum(_) | Data::Struct(_),
        ..
    }) = syn::parse2(input.clone())
    else {
        prop_assert!(failed);
        return Ok(true);
    };
    let impls = impls(&file);
    for needed in ["Declared", "ApiError"] {
        prop_assert!(
            impls.contains(needed),
            "no {needed}: {input} gives {output}"
        );
    }
    prop_assert_eq!(impls.contains("Display"), impls.contains("Error"));
    Ok(failed)
}

/// Checks the errors, and says whether there are any.
pub(super) fn check_messages(file: &File) -> Result<bool, TestCaseError> {
    let mut failed = false;
    for item in &file.items {
        let Item::Macro(call) = item else { continue };
        prop_assert!(call.mac.path.segments.last().unwrap().ident == "compile_error");
        failed = true;
        let message: syn::LitStr = syn::parse2(call.mac.tokens.clone()).unwrap();
        let message = message.value();
        prop_assert!(!message.is_empty() && !message.ends_with('.'), "{message}");
        prop_assert!(!message.starts_with(char::is_uppercase), "{message}");
    }
    Ok(failed)
}

/// The traits that the expansion implements.
fn impls(file: &File) -> BTreeSet<String> {
    let mut traits = BTreeSet::new();
    for item in &file.items {
        let Item::Const(item) = item else { continue };
        let syn::Expr::Block(block) = &*item.expr else {
            continue;
        };
        for statement in &block.block.stmts {
            if let Stmt::Item(Item::Impl(item)) = statement {
                let (path, _) = item.trait_.as_ref().unwrap();
                traits.insert(path.segments.last().unwrap().ident.to_string());
            }
        }
    }
    traits
}

pub(super) fn config(cases: u32) -> Config {
    let config = Config::default();
    Config {
        cases: cases.max(config.cases),
        rng_seed: match config.rng_seed {
            RngSeed::Random => RngSeed::Fixed(7),
            fixed @ RngSeed::Fixed(_) => fixed,
        },
        failure_persistence: None,
        max_shrink_iters: 4096,
        ..config
    }
}

proptest! {
    #![proptest_config(config(2000))]

    #[test]
    fn any_attributes_have_an_answer(item in item()) {
        check(&stream(item))?;
    }

    #[test]
    fn mutations_of_valid_inputs_have_an_answer(
        valid in select(VALID),
        changes in vec((any::<Index>(), change()), 1..4),
    ) {
        let mut item = tokens(valid);
        for (place, change) in changes {
            if !item.is_empty() {
                let mut place = place.index(size(&item));
                mutate(&mut item, &mut place, &change);
            }
        }
        check(&stream(item))?;
    }
}

#[test]
fn the_starting_points_are_valid() {
    for valid in VALID {
        assert!(!check(&valid.parse().unwrap()).unwrap(), "{valid}");
    }
}

#[test]
fn nesting_has_an_answer() {
    let forms: &[fn(TokenStream) -> TokenStream] = &[
        |inner| quote!((#inner)),
        |inner| quote!([#inner]),
        |inner| quote!({ #inner }),
        |inner| quote!(- #inner),
        |inner| quote!(& #inner),
        |inner| quote!(!#inner),
        |inner| quote!(a(#inner)),
        |inner| quote!(a::<#inner>),
        |inner| Group::new(Delimiter::None, inner).into_token_stream(),
    ];
    for form in forms {
        let mut value = quote!(404);
        for _ in 0..128 {
            value = form(value);
        }
        check(&quote!(
            #[api(status = #value)]
            struct E;
        ))
        .unwrap();
        check(&quote!(
            enum E {
                #[api(status = 404, header(#value), #value)]
                A(#[api(detail(#value))] u8),
            }
        ))
        .unwrap();
    }
}

/// The runtime's macros are called by the path, and a macro's path takes no arguments.
#[test]
fn a_runtime_path_with_arguments_has_an_answer() {
    for path in ["a::<u8>::b", "\"a::<u8>::b\"", "<u8 as a>::b"] {
        let item = format!("#[api(crate = {path}, status = 404)] struct Failure(u8);");
        assert!(check(&item.parse().unwrap()).unwrap(), "{item}");
    }
}
