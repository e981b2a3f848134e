//! The attributes as written: which keys were given, with values that are valid on their own.

use darling::error::Accumulator;
use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprLit, Ident, Lit, LitStr, Meta, Path};

use super::value::{
    Breaker, DetailCase, Grpc, Level, Status, check_code, check_uri, header_name, header_pair,
    near_code,
};
use crate::attribute::keys::{Entry, Place, Value, entries};
use crate::attribute::value::{At, Duration, Given};
use crate::diagnostics::rule;

/// What is said once for an enum or a struct.
#[derive(Default)]
pub(crate) struct ItemAttrs {
    pub(crate) domain: Option<String>,
    pub(crate) prefix: Option<String>,
    pub(crate) detail_case: Option<DetailCase>,
    pub(crate) runtime: Option<Path>,
    pub(crate) impl_error: Option<bool>,
    pub(crate) impl_response: Option<bool>,
    /// On an enum the defaults for its variants, on a struct its own.
    pub(crate) failure: FailureAttrs,
}

/// What is said of one failure: a variant, or a struct.
#[derive(Default)]
pub(crate) struct FailureAttrs {
    pub(crate) status: Given<Status>,
    pub(crate) code: Given<String>,
    pub(crate) shared_code: bool,
    pub(crate) message: Option<LitStr>,
    pub(crate) display: Option<LitStr>,
    pub(crate) title: Option<String>,
    pub(crate) details: Option<bool>,
    pub(crate) retryable: Option<bool>,
    pub(crate) breaker: Option<Breaker>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) recoverable: Option<bool>,
    pub(crate) authenticate: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) level: Option<Level>,
    pub(crate) category: Option<String>,
    pub(crate) report: Option<bool>,
    pub(crate) grpc: Option<Grpc>,
    pub(crate) docs: Option<String>,
    pub(crate) transparent: bool,
    /// The first key that says something of its own, for the rule on `transparent`.
    pub(crate) own_key: Option<Ident>,
    /// `code` or `status` was written but is broken: nothing more is to be said of its absence.
    pub(crate) broken: bool,
}

/// Keys without which a failure is not declared, or not as its author meant.
const DECISIVE: &[&str] = &["status", "code", "transparent"];

/// What is said of a field.
#[derive(Default)]
pub(crate) struct FieldAttrs {
    pub(crate) from: Option<Span>,
    pub(crate) source: Option<Span>,
    pub(crate) backtrace: Option<Span>,
    pub(crate) detail: Option<At<Detail>>,
    pub(crate) skip: Option<Span>,
    pub(crate) secret: Option<Span>,
    pub(crate) status: Option<Span>,
    pub(crate) retry_after: Option<Span>,
    pub(crate) violations: Option<Span>,
    pub(crate) headers: Vec<String>,
    /// The first `header` key.
    pub(crate) header_key: Option<Span>,
}

/// How a field goes into the details.
pub(crate) enum Detail {
    /// Under its own name.
    Named,
    /// Under the name that was given.
    Renamed(String),
    /// Its entries one by one.
    Flatten,
}

impl ItemAttrs {
    pub(crate) fn read(attrs: &[Attribute], place: Place, errors: &mut Accumulator) -> Self {
        let mut item = Self::default();
        let entries = entries(attrs, place, errors);
        // Whoever writes these keys, however badly, wants them off.
        item.impl_error = entries.means("impl_error").then_some(false);
        item.impl_response = entries.means("impl_response").then_some(false);
        item.failure.broken = entries.may_mean(DECISIVE);
        for entry in entries.read {
            match entry.name() {
                "domain" => item.domain = errors.handle(entry.text()).map(|text| text.value),
                "prefix" => item.prefix = errors.handle(prefix(&entry)),
                "detail_case" => {
                    item.detail_case = errors.handle(entry.parsed()).map(|case| case.value);
                }
                "crate" => item.runtime = errors.handle(entry.path()),
                "impl_error" => {
                    item.impl_error = Some(errors.handle(entry.switch()).unwrap_or(false));
                }
                "impl_response" => {
                    item.impl_response = Some(errors.handle(entry.switch()).unwrap_or(false));
                }
                _ => item.failure.set(&entry, errors),
            }
        }
        item
    }
}

impl FailureAttrs {
    pub(crate) fn read(attrs: &[Attribute], errors: &mut Accumulator) -> Self {
        let entries = entries(attrs, Place::Variant, errors);
        let mut failure = Self {
            broken: entries.may_mean(DECISIVE),
            ..Self::default()
        };
        for entry in entries.read {
            failure.set(&entry, errors);
        }
        failure
    }

    fn set(&mut self, entry: &Entry, errors: &mut Accumulator) {
        let key = entry.name();
        if key != "transparent" && self.own_key.is_none() {
            self.own_key = Some(entry.key.clone());
        }
        match key {
            "status" => {
                self.status = errors.handle(entry.parsed());
                self.broken |= self.status.is_none();
            }
            "code" => {
                self.code = errors.handle(code(entry));
                self.broken |= self.code.is_none();
            }
            "shared_code" => {
                self.shared_code = true;
                errors.handle(entry.flag());
            }
            "message" => self.message = errors.handle(entry.string()),
            "display" => self.display = errors.handle(entry.string()),
            "title" => self.title = errors.handle(entry.text()).map(|text| text.value),
            "details" => self.details = errors.handle(entry.switch()),
            "retryable" => self.retryable = errors.handle(entry.switch()),
            "breaker" => self.breaker = errors.handle(entry.parsed()).map(|value| value.value),
            "retry_after" => {
                self.retry_after = errors.handle(entry.parsed()).map(|value| value.value);
            }
            "recoverable" => self.recoverable = errors.handle(entry.switch()),
            "authenticate" => self.authenticate = errors.handle(challenge(entry)),
            "header" => self.headers.extend(errors.handle(header_pair(entry))),
            "level" => self.level = errors.handle(entry.parsed()).map(|value| value.value),
            "category" => self.category = errors.handle(entry.text()).map(|text| text.value),
            "report" => self.report = errors.handle(entry.switch()),
            "grpc" => self.grpc = errors.handle(entry.parsed()).map(|value| value.value),
            "docs" => self.docs = errors.handle(docs(entry)),
            "transparent" => {
                self.transparent = true;
                errors.handle(entry.flag());
            }
            other => unreachable!("`{other}` is in the vocabulary but is not read"),
        }
    }
}

impl FieldAttrs {
    pub(crate) fn read(attrs: &[Attribute], errors: &mut Accumulator) -> Self {
        let mut field = Self::default();
        for attr in attrs {
            for (name, role) in [
                ("from", &mut field.from),
                ("source", &mut field.source),
                ("backtrace", &mut field.backtrace),
            ] {
                if !attr.path().is_ident(name) {
                    continue;
                }
                let span = attr.path().span();
                if !matches!(attr.meta, Meta::Path(_)) {
                    errors.push(rule!(
                        bare_attribute,
                        span,
                        "`#[{name}]` takes nothing; write it alone"
                    ));
                } else if role.is_some() {
                    errors.push(rule!(
                        duplicate_attribute,
                        span,
                        "`#[{name}]` is given twice; keep one"
                    ));
                }
                *role = Some(span);
            }
        }
        let entries = entries(attrs, Place::Field, errors);
        // `#[api(from)]` is a mistake, but not that there is no `From`.
        let api = attrs.iter().find(|attr| attr.path().is_ident("api"));
        for (name, role) in [
            ("from", &mut field.from),
            ("source", &mut field.source),
            ("backtrace", &mut field.backtrace),
        ] {
            if entries.means(name) && role.is_none() {
                *role = api.map(|attr| attr.path().span());
            }
        }
        for entry in entries.read {
            match entry.name() {
                "detail" => field.detail = errors.handle(detail(&entry)),
                "skip" => field.skip = Some(role(&entry, errors)),
                "secret" => field.secret = Some(role(&entry, errors)),
                "status" => field.status = Some(role(&entry, errors)),
                "retry_after" => field.retry_after = Some(role(&entry, errors)),
                "violations" => field.violations = Some(role(&entry, errors)),
                "header" => {
                    field.header_key.get_or_insert(entry.span());
                    let name = entry.string().and_then(|name| header_name(&name, true));
                    field.headers.extend(errors.handle(name));
                }
                other => unreachable!("`{other}` is in the vocabulary but is not read"),
            }
        }
        field
    }
}

/// A role that says too much is a role all the same.
fn role(entry: &Entry, errors: &mut Accumulator) -> Span {
    errors.handle(entry.flag());
    entry.span()
}

fn detail(entry: &Entry) -> darling::Result<At<Detail>> {
    let value = match &entry.value {
        Value::Flag => Detail::Named,
        Value::Assigned(_) => Detail::Renamed(entry.text()?.value),
        Value::List(tokens)
            if syn::parse2::<Ident>(tokens.clone()).is_ok_and(|word| word == "flatten") =>
        {
            Detail::Flatten
        }
        Value::List(_) | Value::Raw(_) => {
            return Err(rule!(
                detail_list,
                entry.span(),
                "`detail` takes a name or `flatten`; write `detail = \"name\"` or `detail(flatten)`"
            ));
        }
    };
    Ok(At {
        value,
        span: entry.span(),
    })
}

fn code(entry: &Entry) -> darling::Result<At<String>> {
    let text = entry.string()?;
    check_code(&text.value()).map_err(|why| {
        let near = near_code(&text.value());
        rule!(
            code_shape,
            text.span(),
            "`{}` is not a machine code{}",
            text.value(),
            near.map_or(format!(": {why}"), |near| format!(
                "; did you mean `{near}`?"
            ))
        )
    })?;
    Ok(At {
        value: text.value(),
        span: text.span(),
    })
}

/// A prefix ends in one underscore, written or not.
fn prefix(entry: &Entry) -> darling::Result<String> {
    let text = entry.string()?;
    let bare = text.value().trim_end_matches('_').to_owned();
    let sound = bare.starts_with(|c: char| c.is_ascii_uppercase())
        && bare
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    if sound {
        Ok(bare)
    } else {
        Err(rule!(
            prefix_shape,
            text.span(),
            "`{}` cannot start a machine code; use capitals, digits and `_`, first a letter",
            text.value()
        ))
    }
}

fn challenge(entry: &Entry) -> darling::Result<String> {
    super::value::header_value(&entry.string()?)
}

fn docs(entry: &Entry) -> darling::Result<String> {
    let uri = entry.text()?;
    check_uri(&uri)?;
    Ok(uri.value)
}

/// The doc comment, its lines joined and trimmed.
pub(crate) fn description(attrs: &[Attribute]) -> String {
    let lines: Vec<String> = attrs
        .iter()
        .filter(|attr| attr.path().is_ident("doc"))
        .filter_map(|attr| match &attr.meta {
            Meta::NameValue(doc) => match &doc.value {
                Expr::Lit(ExprLit {
                    lit: Lit::Str(text),
                    ..
                }) => Some(text.value()),
                _ => None,
            },
            _ => None,
        })
        .map(|line| {
            line.strip_prefix(' ')
                .unwrap_or(&line)
                .trim_end()
                .to_owned()
        })
        .collect();
    lines.join("\n").trim().to_owned()
}
