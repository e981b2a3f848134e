//! The values of the policies' keys: each a type of its own that knows what it accepts.

use darling::{FromMeta, Result};
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Expr, ExprPath, Ident, Lit, LitInt, Pat, Path, Token};

use crate::attribute::keys::{Entry, Value};
use crate::attribute::value::{At, Duration, literal, ungrouped};
use crate::diagnostics::{nearest, rule};

impl Entry {
    /// A whole number from 1 up.
    pub(super) fn count(&self) -> Result<At<u32>> {
        let Value::Assigned(value) = &self.value else {
            return Err(self.wrong_shape());
        };
        let whole = match literal(value) {
            Some(Lit::Int(number)) if matches!(number.suffix(), "" | "u32" | "usize") => {
                Some(number)
            }
            _ => None,
        };
        match whole.map(LitInt::base10_parse::<u32>) {
            Some(Ok(count @ 1..)) => Ok(At {
                value: count,
                span: value.span(),
            }),
            Some(Err(_)) => Err(rule!(
                count_range,
                value.span(),
                "`{}` is at most {}; write `{}`",
                self.name(),
                u32::MAX,
                self.example()
            )),
            _ => Err(rule!(
                count,
                value.span(),
                "`{}` is a whole number from 1 up; write `{}`",
                self.name(),
                self.example()
            )),
        }
    }

    /// A number within a range, which `says` describes.
    pub(super) fn number(&self, within: fn(f64) -> bool, says: &str) -> Result<At<f64>> {
        let Value::Assigned(value) = &self.value else {
            return Err(self.wrong_shape());
        };
        match number(value) {
            Some(number) if within(number) => Ok(At {
                value: number,
                span: value.span(),
            }),
            _ => Err(rule!(
                number_range,
                value.span(),
                "`{}` is a number {says}; write `{}`",
                self.name(),
                self.example()
            )),
        }
    }

    /// A share: above 0 and at most 1.
    pub(super) fn share(&self) -> Result<At<f64>> {
        self.number(|share| share > 0.0 && share <= 1.0, "above 0 and at most 1")
    }

    /// A factor that makes longer.
    pub(super) fn factor(&self) -> Result<At<f64>> {
        self.number(|factor| (1.0..=1000.0).contains(&factor), "from 1 to 1000")
    }

    /// A duration that is not nothing.
    pub(super) fn span_of_time(&self) -> Result<At<Duration>> {
        let time = self.parsed::<Duration>()?;
        if time.value.nanos() == 0 {
            return Err(rule!(
                no_time,
                time.span,
                "`{}` must be longer than nothing; write `{}`",
                self.name(),
                self.example()
            ));
        }
        Ok(time)
    }

    /// The path of a function or a static.
    pub(super) fn item(&self) -> Result<Path> {
        match &self.value {
            Value::Assigned(value) => match ungrouped(value) {
                Expr::Path(ExprPath {
                    qself: None, path, ..
                }) => Ok(path.clone()),
                _ => Err(rule!(
                    not_a_path,
                    value.span(),
                    "`{}` takes a path; write `{}`",
                    self.name(),
                    self.example()
                )),
            },
            _ => Err(self.wrong_shape()),
        }
    }

    /// An expression that is passed on as it is.
    pub(super) fn raw(&self) -> Result<TokenStream> {
        match &self.value {
            Value::Raw(tokens) => {
                check_expression(tokens, self.name(), self.example())?;
                Ok(tokens.clone())
            }
            _ => Err(self.wrong_shape()),
        }
    }

    /// `clone(a, b)`.
    pub(super) fn names(&self) -> Result<Vec<Ident>> {
        let Value::List(tokens) = &self.value else {
            return Err(self.wrong_shape());
        };
        // A keyword too, so that `self` gets an answer of its own.
        let names = |input: ParseStream<'_>| {
            Punctuated::<Ident, Token![,]>::parse_terminated_with(input, Ident::parse_any)
        };
        let wrong = match names.parse2(tokens.clone()) {
            Ok(names) if !names.is_empty() => return Ok(names.into_iter().collect()),
            Ok(_) => self.span(),
            Err(error) => stopped_at(&error, tokens),
        };
        Err(rule!(
            clone_list,
            wrong,
            "`clone` takes names of arguments; write `clone(argument)`"
        ))
    }

    /// `on(Pattern | Pattern)`.
    pub(super) fn pattern(&self) -> Result<TokenStream> {
        let Value::List(tokens) = &self.value else {
            return Err(self.wrong_shape());
        };
        if is_long(tokens) {
            return Ok(tokens.clone());
        }
        let wrong = match Pat::parse_multi_with_leading_vert.parse2(tokens.clone()) {
            Ok(_) => return Ok(tokens.clone()),
            Err(_) if tokens.is_empty() => self.span(),
            Err(error) => stopped_at(&error, tokens),
        };
        Err(rule!(
            broken_pattern,
            wrong,
            "`on` takes a pattern of the error; write `{}`",
            self.example()
        ))
    }
}

/// Of longer tokens the parser might exhaust the stack; rustc reads them later anyway.
fn is_long(tokens: &TokenStream) -> bool {
    fn count(tokens: &TokenStream) -> usize {
        let of = |token| match token {
            TokenTree::Group(group) => 1 + count(&group.stream()),
            _ => 1,
        };
        tokens.clone().into_iter().map(of).sum()
    }
    count(tokens) > 64
}

/// An expression of the user's that will be passed on.
pub(super) fn check_expression(tokens: &TokenStream, of: &str, example: &str) -> Result<()> {
    if is_long(tokens) {
        return Ok(());
    }
    syn::parse2::<Expr>(tokens.clone())
        .map(drop)
        .map_err(|error| {
            rule!(
                broken_expression,
                stopped_at(&error, tokens),
                "the expression of `{of}` cannot be read: {error}; write `{example}`"
            )
        })
}

/// Where the parser stopped. Where it wanted more it names the whole attribute; the last token is nearer.
fn stopped_at(error: &syn::Error, tokens: &TokenStream) -> Span {
    let wants_more = error.to_string().starts_with("unexpected end of input");
    match tokens.clone().into_iter().last() {
        Some(last) if wants_more => last.span(),
        _ => error.span(),
    }
}

/// A number, whole or decimal, with or without a sign.
fn number(value: &Expr) -> Option<f64> {
    match ungrouped(value) {
        Expr::Unary(unary) if matches!(unary.op, syn::UnOp::Neg(_)) => {
            number(&unary.expr).map(|number| -number)
        }
        value => match literal(value)? {
            Lit::Float(number) if matches!(number.suffix(), "" | "f64") => {
                number.base10_parse().ok()
            }
            Lit::Int(number) if number.suffix().is_empty() => number.base10_parse().ok(),
            _ => None,
        },
    }
}

/// `jitter = "full"` or `jitter = 0.5`.
pub(super) struct Jitter(TokenStream);

impl Jitter {
    pub(super) fn read(entry: &Entry) -> Result<Self> {
        const WORDS: &[&str] = &["full", "equal", "decorrelated", "none"];
        const WAYS: &str = "`\"full\"`, `\"equal\"`, `\"decorrelated\"`, `\"none\"` or `0.5`";
        let Value::Assigned(value) = &entry.value else {
            return Err(entry.wrong_shape());
        };
        if let Some(Lit::Str(text)) = literal(value) {
            let word = text.value();
            let kind = match word.as_str() {
                "full" => quote!(Full),
                "equal" => quote!(Equal),
                "decorrelated" => quote!(Decorrelated),
                "none" => quote!(None),
                _ => {
                    return Err(rule!(
                        jitter_word,
                        text.span(),
                        "unknown jitter; {}",
                        match nearest(&word, WORDS.iter().copied()) {
                            Some(near) => format!("did you mean `\"{near}\"`?"),
                            None => format!("write {WAYS}"),
                        }
                    ));
                }
            };
            return Ok(Self(kind));
        }
        match number(value) {
            Some(ratio) if (0.0..=1.0).contains(&ratio) => Ok(Self(quote!(Ratio(#ratio)))),
            _ => Err(rule!(
                jitter_value,
                value.span(),
                "`jitter` is a word or a ratio from 0 to 1; write {WAYS}"
            )),
        }
    }
}

impl ToTokens for Jitter {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.0.to_tokens(tokens);
    }
}

/// `window = 100` or `window = "60s"`.
pub(super) enum Window {
    Calls(u32),
    Time(Duration),
}

impl Window {
    pub(super) fn read(entry: &Entry) -> Result<At<Self>> {
        let Value::Assigned(value) = &entry.value else {
            return Err(entry.wrong_shape());
        };
        let (window, span) = if let Some(Lit::Int(_)) = literal(value) {
            let calls = entry.count()?;
            if calls.value > 1_000_000 {
                return Err(rule!(
                    window_calls,
                    calls.span,
                    "`window` holds at most a million calls; for more write a time, as `window = \"60s\"`"
                ));
            }
            (Self::Calls(calls.value), calls.span)
        } else if let Some(Lit::Str(_)) = literal(value) {
            let time = Duration::from_expr(ungrouped(value))?;
            if time.nanos() < 1_000_000 {
                return Err(rule!(
                    window_time,
                    value.span(),
                    "`window` is at least a millisecond; write `window = \"60s\"`"
                ));
            }
            (Self::Time(time), value.span())
        } else {
            return Err(rule!(
                window_value,
                value.span(),
                "`window` is a number of calls or a time; write `window = 100` or `window = \"60s\"`"
            ));
        };
        Ok(At {
            value: window,
            span,
        })
    }
}
