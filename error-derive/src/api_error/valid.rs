//! The rules that look at several attributes at once: one `check_*` each, all called from [`check`].

use std::collections::HashMap;

use darling::error::Accumulator;
use proc_macro2::Span;
use syn::Data;
use syn::spanned::Spanned;

use super::attr::Detail;
use super::model::{Declared, Exposed, Field, Input, Kind, Variant};
use crate::attribute::keys::OWN_ATTRIBUTES;
use crate::diagnostics::rule;

pub(crate) fn check(input: &Input<'_>, errors: &mut Accumulator) {
    check_attributes_on_fields(input, errors);
    check_duplicate_codes(input, errors);
    for variant in &input.variants {
        check_single_roles(variant, errors);
        check_hidden_and_shown(variant, errors);
        check_violations_place(variant, errors);
        match &variant.kind {
            Kind::Transparent(own_key) => {
                check_transparent_alone(own_key.as_ref(), errors);
                check_transparent_field(variant, errors);
            }
            Kind::Declared(declared) => {
                check_from_alone(variant, errors);
                check_secrets_stay_out(variant, declared, errors);
                check_detail_keys(variant, errors);
                check_display_is_ours(input, declared, errors);
            }
        }
    }
}

/// `#[from]` and its kin mark a field; on an enum, a struct or a variant they would do nothing.
fn check_attributes_on_fields(input: &Input<'_>, errors: &mut Accumulator) {
    // Another derive may know them there, as derive_more's `From` does.
    if !input.owns_error {
        return;
    }
    let variants = match &input.item.data {
        Data::Enum(data) => data.variants.iter().map(|variant| &variant.attrs).collect(),
        _ => Vec::new(),
    };
    for attr in std::iter::once(&input.item.attrs).chain(variants).flatten() {
        for name in OWN_ATTRIBUTES {
            if attr.path().is_ident(name) {
                errors.push(rule!(
                    misplaced_attribute,
                    attr.path().span(),
                    "`#[{name}]` belongs on a field; move it there"
                ));
            }
        }
    }
}

/// A client tells failures apart by their code.
fn check_duplicate_codes(input: &Input<'_>, errors: &mut Accumulator) {
    let mut first: HashMap<&str, (&Variant<'_>, &Declared)> = HashMap::new();
    for variant in &input.variants {
        let Some(declared) = variant.declared() else {
            continue;
        };
        if declared.attrs.broken && declared.attrs.code.is_none() {
            // Its code may be another than the default that stands in.
            continue;
        }
        match first.get(declared.code.as_str()) {
            Some((other, before)) if !(before.attrs.shared_code && declared.attrs.shared_code) => {
                errors.push(rule!(
                    duplicate_code,
                    declared.code_span,
                    "the code `{}` is `{}`'s already; choose another, or say `shared_code` on both",
                    declared.code,
                    other.ident
                ));
            }
            Some(_) => {}
            None => _ = first.insert(&declared.code, (variant, declared)),
        }
    }
}

/// Each role has one field at most.
fn check_single_roles(variant: &Variant<'_>, errors: &mut Accumulator) {
    let mut once = |role: &str, marked: &dyn Fn(&Field<'_>) -> Option<Span>| {
        for span in variant.fields.iter().filter_map(marked).skip(1) {
            errors.push(rule!(
                duplicate_role,
                span,
                "there can be one {role} field; remove this mark or the other"
            ));
        }
    };
    once("`#[backtrace]`", &|field| field.attrs.backtrace);
    once("`status`", &|field| field.attrs.status);
    once("`retry_after`", &|field| field.attrs.retry_after);
    once("`violations`", &|field| field.attrs.violations);

    // A field may be both `#[from]` and `#[source]`; two fields may not.
    for field in variant
        .fields
        .iter()
        .filter(|field| field.is_source())
        .skip(1)
    {
        let span = field
            .attrs
            .from
            .or(field.attrs.source)
            .unwrap_or_else(|| field.span());
        errors.push(rule!(
            two_sources,
            span,
            "there can be one source; keep it on the field that caused this error"
        ));
    }
}

/// The violations have a member of their own.
fn check_violations_place(variant: &Variant<'_>, errors: &mut Accumulator) {
    for field in &variant.fields {
        if let (Some(_), Some(detail)) = (field.attrs.violations, &field.attrs.detail) {
            errors.push(rule!(
                violations_as_detail,
                detail.span,
                "`violations` are sent as `errors`, not as a detail; remove `detail`"
            ));
        }
    }
}

/// A field cannot be both kept in and sent out.
fn check_hidden_and_shown(variant: &Variant<'_>, errors: &mut Accumulator) {
    for field in &variant.fields {
        let attrs = &field.attrs;
        let Some(hidden) = attrs
            .secret
            .map(|_| "secret")
            .or(attrs.skip.map(|_| "skip"))
        else {
            continue;
        };
        if let Some(detail) = &attrs.detail {
            errors.push(rule!(
                hidden_detail,
                detail.span,
                "a field is `{hidden}` or `detail`, not both; remove one"
            ));
        }
        let sent = [attrs.retry_after, attrs.status, attrs.violations]
            .into_iter()
            .flatten()
            .next();
        if let (Some(span), true) = (sent, attrs.secret.is_some()) {
            errors.push(rule!(
                secret_role,
                span,
                "a `secret` field cannot have a role in the answer; remove one"
            ));
        }
        if let (Some(header), true) = (attrs.header_key, attrs.secret.is_some()) {
            errors.push(rule!(
                secret_header,
                header,
                "a `secret` field cannot be sent as a header; remove one"
            ));
        }
    }
}

/// A transparent variant says nothing of its own.
fn check_transparent_alone(own_key: Option<&syn::Ident>, errors: &mut Accumulator) {
    if let Some(key) = own_key {
        errors.push(rule!(
            transparent_with_keys,
            key.span(),
            "`{key}` has no place beside `transparent`, which takes everything from the inner error; remove one of them"
        ));
    }
}

/// A transparent variant is its single field.
fn check_transparent_field(variant: &Variant<'_>, errors: &mut Accumulator) {
    let fields: Vec<_> = variant
        .fields
        .iter()
        .filter(|field| field.attrs.backtrace.is_none())
        .collect();
    match fields.as_slice() {
        [field] => {
            let attrs = &field.attrs;
            let roles = [attrs.skip, attrs.secret, attrs.status, attrs.retry_after, attrs.violations];
            let role = roles
                .into_iter()
                .flatten()
                .chain(attrs.detail.as_ref().map(|detail| detail.span))
                .chain(attrs.header_key)
                .next();
            if let Some(span) = role {
                errors.push(rule!(
                    transparent_field_role,
                    span,
                    "`transparent` takes everything from the inner error; remove this key"
                ));
            }
        }
        [] => errors.push(rule!(
            transparent_without_field,
            variant.ident.span(),
            "`transparent` needs the inner error as a field; write `{}(#[from] InnerError)`",
            variant.ident
        )),
        [_, second, ..] => errors.push(rule!(
            transparent_with_fields,
            second.span(),
            "`transparent` takes one field, the inner error; remove this one, or declare a `status` instead"
        )),
    }
}

/// `From` has nothing to fill other fields with.
fn check_from_alone(variant: &Variant<'_>, errors: &mut Accumulator) {
    let Some(from) = variant.fields.iter().find_map(|field| field.attrs.from) else {
        return;
    };
    let others = variant
        .fields
        .iter()
        // A second source is a mistake of its own.
        .any(|field| !field.is_source() && field.attrs.backtrace.is_none());
    if others {
        errors.push(rule!(
            from_beside_fields,
            from,
            "`#[from]` cannot fill the other fields; write `#[source]` and build the variant yourself"
        ));
    }
}

/// A secret is in no text, for clients or for the log.
fn check_secrets_stay_out(variant: &Variant<'_>, declared: &Declared, errors: &mut Accumulator) {
    for (key, template) in [
        ("message", &declared.message),
        ("display", &declared.display),
    ] {
        let Some(template) = template else { continue };
        for field in variant
            .fields
            .iter()
            .filter(|field| field.attrs.secret.is_some())
        {
            if template.uses(field.index) {
                errors.push(rule!(
                    secret_in_text,
                    template.span(),
                    "`{key}` shows the secret field `{}`; take it out of the text",
                    field.name()
                ));
            }
        }
    }
}

/// A JSON object has each key once.
fn check_detail_keys(variant: &Variant<'_>, errors: &mut Accumulator) {
    let has_violations = variant
        .field_with(|attrs| attrs.violations.is_some())
        .is_some();
    let mut seen: Vec<&str> = if has_violations {
        vec!["errors"]
    } else {
        Vec::new()
    };
    for field in &variant.fields {
        let Some(Exposed::As(key)) = &field.exposed else {
            continue;
        };
        if seen.contains(&key.as_str()) {
            let span = match &field.attrs.detail {
                Some(detail) if matches!(detail.value, Detail::Renamed(_)) => detail.span,
                _ => field.span(),
            };
            let whose = if key == "errors" && has_violations {
                "the violations'"
            } else {
                "another field's"
            };
            errors.push(rule!(
                duplicate_detail,
                span,
                "the detail `{key}` is {whose} already; write `#[api(detail = \"…\")]` with another name"
            ));
        } else {
            seen.push(key);
        }
    }
}

/// A text that nobody would read is a mistake.
fn check_display_is_ours(input: &Input<'_>, declared: &Declared, errors: &mut Accumulator) {
    if let (false, Some(display)) = (input.owns_error, &declared.display) {
        errors.push(rule!(
            display_elsewhere,
            display.span(),
            "`Display` is written elsewhere for this type, so `display` has no effect; remove it"
        ));
    }
}
