//! Every name in an expansion is rooted, the user's own, or marked as ours.
//!
//! The walk works on tokens, so that it also sees inside the macros that an expansion calls. The
//! inputs name their types from a crate `user`, never from the prelude: a bare `Option` in an
//! expansion then is ours, and a mistake.

use std::collections::BTreeSet;

use proc_macro2::{Spacing, TokenStream, TokenTree};
use quote::quote;

use super::{derive, guard};

/// Words that are no names.
const KEYWORDS: &[&str] = &[
    "as", "async", "await", "break", "const", "dyn", "false", "fn", "for", "if", "impl", "let",
    "loop", "match", "move", "mut", "return", "self", "Self", "static", "true", "use", "where",
    "_",
];

/// Built-in attributes; a user who shadows one gets an error without us.
const ATTRIBUTES: &[&str] = &["allow", "automatically_derived", "deprecated", "inline"];

/// Methods called with a dot, beside the builder's `with_*` and what starts with `__`: autoderef is
/// what they are for.
const METHODS: &[&str] = &["__as_dyn_error", "write_fmt", "write_str"];

/// Methods of the builders, named as the keys of the attributes, and what the sites add to them.
const BUILDERS: &[&str] = &[
    "attempt_timeout",
    "attempts",
    "base",
    "budget",
    "deadline",
    "factor",
    "failure_rate",
    "failures",
    "half_open",
    "half_open_max",
    "jitter",
    "max",
    "max_retry_after",
    "min_calls",
    "nested",
    "on_retry",
    "recovery",
    "recovery_factor",
    "recovery_max",
    "slow_call",
    "slow_rate",
    "window_calls",
    "window_time",
];

/// Associated constants of the runtime's traits, named where they are defined.
const CONSTANTS: &[&str] = &["SPECS"];

/// Names that everybody has and anybody may shadow, so that they are nobody's.
const PRELUDE: &[&str] = &[
    "AsRef",
    "Box",
    "Clone",
    "Debug",
    "Default",
    "Display",
    "Err",
    "Error",
    "From",
    "Into",
    "None",
    "Ok",
    "Option",
    "Result",
    "Some",
    "String",
    "ToString",
    "Vec",
    "alloc",
    "bool",
    "compile_error",
    "core",
    "drop",
    "format",
    "format_args",
    "i32",
    "option_env",
    "panic",
    "std",
    "str",
    "u16",
    "u32",
    "u64",
    "u8",
    "unreachable",
    "usize",
    "vec",
    "write",
];

/// What may stand in an expansion.
struct Allowed {
    /// The runtime crate's name; `__private` must come after it.
    runtime: String,
    /// Roots of paths that start with `::`.
    roots: BTreeSet<String>,
    /// Bare names: those of the user's item.
    names: BTreeSet<String>,
}

impl Allowed {
    fn for_item(item: &TokenStream, runtime: &str) -> Self {
        let mut names = BTreeSet::new();
        names_of(item, false, &mut names);
        Self::with_names(names, runtime)
    }

    /// The same for attributes whose expressions are copied. The keys are not.
    fn for_function(function: &TokenStream, runtime: &str) -> Self {
        let mut names = BTreeSet::new();
        names_of(function, true, &mut names);
        names.retain(|name| !BUILDERS.contains(&name.as_str()));
        Self::with_names(names, runtime)
    }

    fn with_names(mut names: BTreeSet<String>, runtime: &str) -> Self {
        let mut roots = BTreeSet::from(["core".to_owned(), "user".to_owned(), runtime.to_owned()]);
        // What only `::std` has.
        if names.contains("Backtrace") {
            roots.insert("std".to_owned());
        }
        names.retain(|name| !PRELUDE.contains(&name.as_str()));
        Self {
            runtime: runtime.to_owned(),
            roots,
            names,
        }
    }

    fn contains(&self, name: &str, before: Before, attribute: bool) -> bool {
        match before {
            Before::Root => self.roots.contains(name),
            Before::Within | Before::Quote | Before::Fn => true,
            Before::Dot => {
                name == "await"
                    || METHODS.contains(&name)
                    || BUILDERS.contains(&name)
                    || name.starts_with("with_")
                    || name.starts_with("__")
                    || self.names.contains(name)
            }
            Before::Const if CONSTANTS.contains(&name) => true,
            Before::Const | Before::Hash | Before::Nothing => {
                name.starts_with("__error")
                    || name.starts_with("__ERROR")
                    || KEYWORDS.contains(&name)
                    || (attribute && ATTRIBUTES.contains(&name))
                    || self.names.contains(name)
            }
        }
    }
}

/// The identifiers of the item. Attributes of the derive are read and not copied, so they have no part in
/// this.
fn names_of(tokens: &TokenStream, attributes: bool, names: &mut BTreeSet<String>) {
    let mut after_hash = false;
    for token in tokens.clone() {
        match &token {
            TokenTree::Ident(ident) => _ = names.insert(ident.to_string()),
            TokenTree::Group(group) if attributes || !after_hash => {
                names_of(&group.stream(), attributes, names);
            }
            _ => {}
        }
        after_hash = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '#');
    }
}

/// What the token before says of an identifier.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    Nothing,
    /// `::` at the start of a path.
    Root,
    /// `::` within a path.
    Within,
    Dot,
    Quote,
    /// `#`; a built-in attribute stands in the group that follows.
    Hash,
    /// `fn`: a method of a trait.
    Fn,
    Const,
}

/// The names that are none of the allowed ones, each with its surroundings.
fn strays(tokens: &TokenStream, allowed: &Allowed) -> Vec<String> {
    let mut found = Vec::new();
    walk(tokens, allowed, false, &mut found);
    found
}

fn walk(tokens: &TokenStream, allowed: &Allowed, attribute: bool, found: &mut Vec<String>) {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let mut before = Before::Nothing;
    let mut after_runtime = false;
    for (index, token) in tokens.iter().enumerate() {
        before = match token {
            TokenTree::Ident(ident) => {
                let name = ident.to_string();
                let public = after_runtime && before == Before::Within && name != "__private";
                after_runtime = before == Before::Root && name == allowed.runtime;
                if public || !allowed.contains(&name, before, attribute) {
                    let around = &tokens[index.saturating_sub(4)..tokens.len().min(index + 4)];
                    let around: TokenStream = around.iter().cloned().collect();
                    found.push(format!("`{name}` in `{around}`"));
                }
                match name.as_str() {
                    "fn" => Before::Fn,
                    "const" => Before::Const,
                    _ => Before::Nothing,
                }
            }
            TokenTree::Punct(punct) => match punct.as_char() {
                ':' if matches!(before, Before::Root | Before::Within) => before,
                ':' if punct.spacing() == Spacing::Joint => {
                    if goes_on(&tokens[..index]) {
                        Before::Within
                    } else {
                        Before::Root
                    }
                }
                '.' => Before::Dot,
                '\'' => Before::Quote,
                '#' => Before::Hash,
                _ => Before::Nothing,
            },
            TokenTree::Group(group) => {
                walk(&group.stream(), allowed, before == Before::Hash, found);
                Before::Nothing
            }
            TokenTree::Literal(_) => Before::Nothing,
        };
    }
}

/// Whether `::` after these tokens goes on with a path: after `Name` and `Name<…>`, but not after a
/// keyword such as `for`, nor after `->` and `=>`.
fn goes_on(before: &[TokenTree]) -> bool {
    match before {
        [.., TokenTree::Ident(ident)] => {
            let name = ident.to_string();
            matches!(name.as_str(), "Self" | "self") || !KEYWORDS.contains(&name.as_str())
        }
        [.., TokenTree::Punct(arrow), TokenTree::Punct(punct)]
            if arrow.spacing() == Spacing::Joint && matches!(arrow.as_char(), '-' | '=') =>
        {
            debug_assert_eq!(punct.as_char(), '>');
            false
        }
        [.., TokenTree::Punct(punct)] => punct.as_char() == '>',
        _ => false,
    }
}

/// Inputs of every shape.
const ITEMS: &[&str] = &[
    // Constant texts.
    r#"#[api(domain = "d", docs = "https://e.org")] enum Er { #[api(status = 404)] Aa, #[api(status = CONFLICT, message = "m", display = "d")] Bb }"#,
    // No domain, hence the crate's.
    "#[api(status = 500)] struct Er;",
    // No variants.
    "enum Er {}",
    // Measures, two traits for one field, raw identifiers.
    r#"enum Er { #[api(status = 400, message = "{id:>w$.p$} {id:?} {type}", display = "{{}} {type:#x}")] Aa { id: ::user::Id, w: ::user::N, p: ::user::N, r#type: ::user::T } }"#,
    r#"#[api(status = 400, message = "{0} {1:?}")] struct Er(::user::A, ::user::B);"#,
    // Everything that a spec can hold.
    r#"enum Er { #[api(status = 401, code = "CODE", title = "t", retryable, breaker = "neutral", retry_after = "1.5s", recoverable = false, authenticate = "Basic", header("X-A" = "b"), header("X-B" = "c"), level = "info", category = "security", report, grpc = ABORTED, docs = "https://e.org/x")] Aa }"#,
    // Details.
    r#"#[api(details, detail_case = "camelCase", prefix = "P", status = 409)] enum Er { Aa { start_time: ::user::T, #[api(detail = "x")] y: ::user::Y, #[api(detail(flatten))] rest: ::user::Map, #[api(skip)] s: ::user::S, #[api(secret)] t: ::user::S } }"#,
    // Roles of fields.
    r#"enum Er { #[api(status = 429)] Aa { #[api(status)] s: ::user::Code, #[api(retry_after)] r: ::user::Wait, #[api(header = "X-A")] #[api(header = "X-B")] h: ::user::H, #[api(violations)] v: ::user::V } }"#,
    // Sources and backtraces.
    "enum Er { #[api(status = 500)] Aa(#[from] ::user::Io, #[backtrace] ::user::Backtrace), #[api(status = 503)] Bb { source: ::user::Io }, #[api(status = 502)] Cc(#[source] ::user::Option<::user::Io>) }",
    // Transparent; generics.
    r#"enum Er<'a, T: ::user::Bound, const N: ::user::Size> where T: ::user::More<'a> { #[api(transparent)] Aa(#[from] ::user::Inner), #[api(transparent)] Bb(T), #[api(status = 400, details)] Cc { t: &'a [T; N] }, #[api(status = 400)] Dd { #[api(violations)] v: T, #[api(header = "X-A")] h: T } }"#,
    "#[api(transparent)] struct Er(#[from] ::user::Inner);",
    // Display, Error and From are somebody else's.
    r#"#[api(impl_error = false, impl_response = false)] enum Er { #[api(status = 404)] Aa { #[api(detail)] id: ::user::Id }, #[api(status = 404, code = "OTHER", message = "{0}")] Bb(::user::Id) }"#,
];

/// Functions under attributes that say all they can.
const FUNCTIONS: &[&str] = &[
    r#"#[retry(attempts = 4, base = "200ms", factor = 1.5, max = "5s", jitter = 0.5, deadline = "20s", max_retry_after = "9s", nested, budget = "b", on_retry = ::user::hook, clone(text))] fn f(text: ::user::Text) -> ::user::Result<::user::T> { ::user::send(text)? }"#,
    r#"#[retry(attempt_timeout = "2s", operation = "o", jitter = "equal", when = |failure| ::user::is(failure))] async fn f<'a, T: ::user::Bound>(&'a self, (x, y): (T, T)) -> ::user::Result<&'a T> where T: ::user::More { ::user::send(x, y).await }"#,
    "#[retry(on(::user::Er::Aa | ::user::Er::Bb { .. }))] fn f() -> ::user::Result { ::user::g() }",
    r#"#[circuit_breaker(service = "s", failures = 5, failure_rate = 0.5, window = 50, min_calls = 5, slow_call = "2s", slow_rate = 0.5, recovery = "60s", recovery_factor = 2, recovery_max = "10m", half_open = 3, half_open_max = "10s", when = |result| ::user::judge(result))] fn f(&mut self) -> ::user::Result<&mut ::user::T> { ::user::g(self) }"#,
    "#[circuit_breaker(breaker = ::user::STRIPE, when = ::user::judge)] async fn f() -> ::user::Result { ::user::g().await }",
    r#"#[circuit_breaker(service = "s", window = "60s", slow_call = "1s")] async fn f() -> ::user::Result { ::user::g().await }"#,
    r#"#[fallback(::user::other(text, error))] #[rate_limit(calls = 10, per = "1m")] #[bulkhead(max = 3)] fn f(text: &::user::Text) -> ::user::Result { ::user::g(text) }"#,
    r#"#[fallback(::user::other(text).await, when = |e| ::user::is(e))] #[retry] #[circuit_breaker(service = "s")] #[rate_limit(calls = 10)] #[timeout("2s")] #[bulkhead(max = 3)] async fn f(text: &::user::Text) -> ::user::Result { ::user::g(text).await }"#,
    r#"#[recover(service = "s", operation = "o", attempts = 2, fallback = ::user::other())] #[timeout("1s")] fn f(&self) -> ::core::pin::Pin<::user::Box<dyn ::core::future::Future<Output = ::user::Result> + '_>> { ::user::Box::pin(async move { let text = text; ::user::g(text).await }) }"#,
    "#[retry] fn f() -> impl ::core::future::Future<Output = ::user::Result> { let x = ::user::x(); async move { ::user::g(x).await } }",
];

/// Mistakes, which leave the function as it is.
const BROKEN_FUNCTIONS: &[&str] = &[
    r#"#[retry(atempts = 3)] #[timeout("2s")] async fn f() -> ::user::Result { ::user::g() }"#,
    r#"#[retry] #[timeout("2s")] async fn f() -> ::user::Result;"#,
    "#[retry] const fn f() -> ::user::Result { ::user::g() }",
    "#[bulkhead(max = 0)] struct Er { x: ::user::X }",
];

/// Mistakes, which get the minimal impls.
const BROKEN: &[&str] = &[
    "enum Er<T> { Aa(#[from] T), #[api(statsu = 404)] Bb }",
    "union Er { a: ::user::Aa }",
];

#[track_caller]
fn check(item: &str, runtime: &str) {
    let expansion = derive(item);
    let broken = expansion.to_string().contains("compile_error");
    assert_eq!(
        broken,
        BROKEN.iter().any(|broken| item.ends_with(broken)),
        "{expansion}"
    );
    let allowed = Allowed::for_item(&item.parse().unwrap(), runtime);
    let found = strays(&expansion, &allowed);
    assert!(found.is_empty(), "{item}\n{found:#?}\n{expansion}");
}

#[track_caller]
fn check_function(function: &str, runtime: &str, broken: bool) {
    let expansion = guard(function);
    let answer = expansion.to_string();
    assert_eq!(answer.contains("compile_error"), broken, "{answer}");
    let allowed = Allowed::for_function(&function.parse().unwrap(), runtime);
    let found = strays(&expansion, &allowed);
    assert!(found.is_empty(), "{function}\n{found:#?}\n{answer}");
}

#[test]
fn guarded_functions_name_nothing_unrooted() {
    for function in FUNCTIONS {
        check_function(function, "error_runtime", false);
    }
    for function in BROKEN_FUNCTIONS {
        check_function(function, "error_runtime", true);
    }
}

#[test]
fn guarded_functions_name_the_runtime_by_the_given_path() {
    for function in FUNCTIONS {
        let (head, rest) = function.split_once(']').unwrap();
        let head = match head.strip_suffix(')') {
            Some(head) => format!("{head}, crate = ::renamed)"),
            None => format!("{head}(crate = ::renamed)"),
        };
        check_function(&format!("{head}]{rest}"), "renamed", false);
    }
}

#[test]
fn expansions_name_nothing_unrooted() {
    for item in ITEMS.iter().chain(BROKEN) {
        check(item, "error_runtime");
    }
}

#[test]
fn expansions_name_the_runtime_by_the_given_path() {
    for item in ITEMS.iter().chain(BROKEN) {
        check(&format!("#[api(crate = ::renamed)] {item}"), "renamed");
    }
}

#[test]
fn nothing_of_std_without_a_backtrace() {
    for item in ITEMS.iter().filter(|item| !item.contains("Backtrace")) {
        let expansion = derive(item).to_string();
        assert!(!expansion.contains(":: std ::"), "{expansion}");
    }
}

/// The walk itself: it finds what it is for.
#[test]
fn the_walk_can_fail() {
    let item: TokenStream = "enum E { A(::user::Option<::user::Io>) }".parse().unwrap();
    let allowed = Allowed::for_item(&item, "error_runtime");
    for (tokens, stray) in [
        (
            quote!(
                fn f() -> Option<E> {}
            ),
            "Option",
        ),
        (
            quote!(match self {
                Self::A(__error_0) => Some(__error_0),
            }),
            "Some",
        ),
        (
            quote!(match self {
                Self::A(..) => ::core::option::Option::Some(None),
            }),
            "None",
        ),
        (quote!(impl Display for E {}), "Display"),
        (quote!(impl ::std::fmt::Display for E {}), "std"),
        (quote!(impl ::other::Display for E {}), "other"),
        (
            quote!(
                fn f() -> ::std::string::String {}
            ),
            "std",
        ),
        (quote!({ write!(__error_f, "{}", 0) }), "write"),
        (quote!(::core::write!(f, "{}", 0)), "f"),
        (quote!(core::fmt::Write), "core"),
        (quote!(error_runtime::ApiError), "error_runtime"),
        (quote!(::error_runtime::ApiError), "ApiError"),
        (quote!(&'static str), "str"),
        (
            quote!(
                const DOMAIN: &'static ::core::primitive::str = "";
            ),
            "DOMAIN",
        ),
        (quote!(let x = __error_0.to_string();), "x"),
        (quote!(Self::f(__error_0.to_string())), "to_string"),
        (
            quote!(::error_runtime::__private::macros! { [<T>] [E<T>] [T: Clone] }),
            "T",
        ),
        (
            quote!(
                #[serde]
                static __ERROR_S: E = E;
            ),
            "serde",
        ),
    ] {
        let found = strays(&tokens, &allowed);
        assert!(
            found
                .first()
                .is_some_and(|found| found.starts_with(&format!("`{stray}`"))),
            "{tokens}: {found:?}"
        );
    }
    let fine = quote! {
        #[automatically_derived]
        impl ::core::convert::From<::user::Option<::user::Io>> for E {
            fn from(__error_source: ::user::Option<::user::Io>) -> ::core::option::Option<&'static Self> {
                use ::error_runtime::__private::AsDynError as _;
                match self { Self::A { 0: __error_0 } => <E>::new(__error_0.__as_dyn_error()), _ => loop {} }
            }
        }
    };
    assert_eq!(strays(&fine, &allowed), Vec::<String>::new());
}
