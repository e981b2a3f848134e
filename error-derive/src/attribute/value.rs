//! Values that keys of several macros take: each knows what it accepts.

use darling::{FromMeta, Result};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Lit, LitStr, Path};

use super::keys::{Entry, Value};
use crate::diagnostics::rule;

/// A value and where it stands, for rules that look at several.
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

pub(crate) type Given<T> = Option<At<T>>;

/// A literal that comes out of a user's own `macro_rules` is wrapped in an invisible group.
pub(crate) fn ungrouped(mut expr: &Expr) -> &Expr {
    while let Expr::Group(group) = expr {
        expr = &group.expr;
    }
    expr
}

pub(crate) fn literal(expr: &Expr) -> Option<&Lit> {
    match ungrouped(expr) {
        Expr::Lit(ExprLit { lit, .. }) => Some(lit),
        _ => None,
    }
}

impl Entry {
    /// The value as a string literal.
    pub(crate) fn string(&self) -> Result<LitStr> {
        match &self.value {
            Value::Assigned(value) => match literal(value) {
                Some(Lit::Str(text)) => Ok(text.clone()),
                _ => Err(rule!(
                    not_a_string,
                    value.span(),
                    "`{}` takes a string literal; write `{}`",
                    self.name(),
                    self.example()
                )),
            },
            _ => Err(self.wrong_shape()),
        }
    }

    /// The value as a string that is not blank.
    pub(crate) fn text(&self) -> Result<At<String>> {
        let text = self.string()?;
        if text.value().trim().is_empty() {
            return Err(rule!(
                empty_value,
                text.span(),
                "`{}` is empty; write a text, or leave the key out",
                self.name()
            ));
        }
        Ok(At {
            value: text.value(),
            span: text.span(),
        })
    }

    /// A key that stands alone.
    pub(crate) fn flag(&self) -> Result<()> {
        match &self.value {
            Value::Flag => Ok(()),
            Value::Assigned(value) => Err(rule!(
                flag_with_value,
                value.span(),
                "`{0}` takes no value here; write `{0}`",
                self.name()
            )),
            Value::List(_) | Value::Raw(_) => Err(self.wrong_shape()),
        }
    }

    /// A key that stands alone for true, or says `= false`.
    pub(crate) fn switch(&self) -> Result<bool> {
        match &self.value {
            Value::Flag => Ok(true),
            Value::Assigned(value) => match literal(value) {
                Some(Lit::Bool(switch)) => Ok(switch.value),
                _ => Err(rule!(
                    not_a_switch,
                    value.span(),
                    "`{0}` is `true` or `false`; write `{0}` or `{0} = false`",
                    self.name()
                )),
            },
            Value::List(_) | Value::Raw(_) => Err(self.wrong_shape()),
        }
    }

    /// A key whose value is read by its type.
    pub(crate) fn parsed<T: FromMeta>(&self) -> Result<At<T>> {
        match &self.value {
            Value::Assigned(value) => Ok(At {
                value: T::from_expr(ungrouped(value))?,
                span: value.span(),
            }),
            _ => Err(self.wrong_shape()),
        }
    }

    /// The path of `crate = …`.
    pub(crate) fn path(&self) -> Result<Path> {
        let Value::Assigned(value) = &self.value else {
            return Err(self.wrong_shape());
        };
        let path = match ungrouped(value) {
            Expr::Path(path) if path.qself.is_none() => Some(path.path.clone()),
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => text.parse().ok(),
            _ => None,
        };
        // A macro's path takes no generic arguments.
        let path = path.filter(|path| path.segments.iter().all(|part| part.arguments.is_none()));
        path.ok_or_else(|| {
            rule!(
                crate_path,
                value.span(),
                "`crate` is the path of the runtime crate; write `crate = ::error_runtime`"
            )
        })
    }
}

/// A duration: an integer or decimal and `ms`, `s`, `m` or `h`.
#[derive(Clone, Copy)]
pub(crate) struct Duration {
    seconds: u64,
    nanos: u32,
}

impl FromMeta for Duration {
    fn from_expr(expr: &Expr) -> Result<Self> {
        match expr {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => Self::from_text(text),
            _ => Err(rule!(
                duration_literal,
                expr.span(),
                "a duration is a text with a unit; write `\"30s\"`, `\"1.5s\"`, `\"200ms\"`, `\"2m\"` or `\"1h\"`"
            )),
        }
    }
}

impl Duration {
    pub(crate) const SECOND: Self = Self {
        seconds: 1,
        nanos: 0,
    };

    pub(crate) fn from_text(text: &LitStr) -> Result<Self> {
        Self::parse(&text.value()).map_err(|why| {
            rule!(
                duration,
                text.span(),
                "`{}` is not a duration: {why}",
                text.value()
            )
        })
    }

    pub(crate) fn nanos(self) -> u128 {
        u128::from(self.seconds) * 1_000_000_000 + u128::from(self.nanos)
    }

    fn parse(text: &str) -> std::result::Result<Self, String> {
        let number_end = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(number_end);
        if number.is_empty() {
            return Err("it must start with a number, as `30s` does".to_owned());
        }
        let nanos_per_unit: u128 = match unit {
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            "" => return Err(format!("it has no unit; write `{number}s` or `{number}ms`")),
            _ if matches!(unit.trim(), "ms" | "s" | "m" | "h") => {
                return Err(format!("it has a space; write `{number}{}`", unit.trim()));
            }
            _ => return Err(format!("`{unit}` is not a unit; use `ms`, `s`, `m` or `h`")),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty()
            || fraction.contains('.')
            || (fraction.is_empty() && number.ends_with('.'))
        {
            return Err(format!("`{number}` is not a number"));
        }
        if fraction.len() > 9 {
            return Err("it has more than nine decimals".to_owned());
        }
        let too_long = || "it is too long".to_owned();
        let whole: u128 = whole.parse().map_err(|_| too_long())?;
        let fraction: u128 = format!("{fraction:0<9}").parse().map_err(|_| too_long())?;
        let nanos = whole
            .checked_mul(nanos_per_unit)
            .and_then(|nanos| nanos.checked_add(fraction * nanos_per_unit / 1_000_000_000))
            .ok_or_else(too_long)?;
        Ok(Self {
            seconds: u64::try_from(nanos / 1_000_000_000).map_err(|_| too_long())?,
            nanos: (nanos % 1_000_000_000) as u32,
        })
    }
}

impl ToTokens for Duration {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let (seconds, nanos) = (self.seconds, self.nanos);
        tokens.extend(quote!(::core::time::Duration::new(#seconds, #nanos)));
    }
}
