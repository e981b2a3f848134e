//! From the model to tokens. Nothing is decided here that the model or the runtime could decide, and
//! nothing can fail.
//!
//! For
//!
//! ```text
//! enum E { A { id: u64 }, B, T(#[from] Inner) }
//! ```
//!
//! the expansion is, with paths shortened:
//!
//! ```text
//! const _: () = {
//!     static SPECS: [ErrorSpec; 2] = [ErrorSpec::__declare(…), ErrorSpec::__declare(…)];
//!     impl Declared for E {
//!         const SPECS: &'static [ErrorSpec] = &SPECS;
//!         fn spec_index(&self) -> usize { match self { A { .. } => 0, B { .. } => 1, T { .. } => MAX } }
//!     }
//!     impl Display for E {
//!         fn fmt(&self, f) { match self {
//!             A { id } => write!(f, "{0}", id),
//!             T { 0: inner } => Display::fmt(inner, f),
//!             _ => __private::fmt_text(self, f),          // every constant text
//!         } }
//!     }
//!     impl Error for E { fn source(&self) { … } }
//!     impl From<Inner> for E { … }
//!     impl ApiError for E {
//!         fn spec(&self) { __private::spec(self) }
//!         fn __typed(&self) { Some(self) }                // not with parameters
//!         fn __inner(&self) { match self { T { 0: inner } => Some(inner), _ => None } }
//!         fn __details(&self, out) { match self { A { id } => out.field("id", id), _ => {} } }
//!     }
//!     impl_responses! { … }                              // by the runtime's features
//!     register! { SPECS }                                // under its feature `catalog`
//! };
//! ```
//!
//! A method is left out where no variant needs it.

use std::fmt::Write as _;

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned;

use super::bounds::Bounds;
use super::model::{Declared, Exposed, Field, Input, Kind, Variant};
use super::template::Template;
use super::type_text::type_text;
use crate::context::{binding, specs};

pub(crate) fn expand(input: &Input<'_>) -> TokenStream {
    let table = specs_table(input);
    let impls = [
        impl_declared(input),
        if input.owns_error {
            impl_error(input)
        } else {
            TokenStream::new()
        },
        impl_api_error(input),
        responses(input),
    ];
    let (runtime, specs, lint_level) = (&input.runtime, specs(), input.lint_level());
    quote! {
        #lint_level
        const _: () = {
            #table
            #(#impls)*
            #runtime::register!(#specs);
        };
    }
}

/// The static table: one spec per variant that is not transparent.
///
/// What nearly every spec has goes through one `const` call for all, and the rest is set afterwards:
/// each call in generated code costs the compiler its check.
fn specs_table(input: &Input<'_>) -> TokenStream {
    let runtime = &input.runtime;
    let specs = specs();
    let domain = match &input.domain {
        Some(domain) => quote!(#domain),
        None => quote!(#runtime::domain(::core::option_env!("CARGO_PKG_NAME"))),
    };
    let declared = || {
        let variants = input.variants.iter();
        variants.filter_map(|variant| Some((variant, variant.declared()?)))
    };
    let count = declared().count();
    let rows = declared().map(|(variant, declared)| row(input, variant, declared));
    let rest: TokenStream = declared()
        .map(|(variant, declared)| refinements(input, variant, declared))
        .enumerate()
        .filter(|(_, with)| !with.is_empty())
        .map(|(at, with)| quote!(__error_specs[#at] = __error_specs[#at] #with;))
        .collect();
    let mut table = quote!(#runtime::specs(#domain, [#(#rows),*]));
    if !rest.is_empty() {
        table = quote!({ let mut __error_specs = #table; #rest __error_specs });
    }
    quote!(static #specs: [#runtime::ErrorSpec; #count] = #table;)
}

/// What nearly every spec has.
fn row(input: &Input<'_>, variant: &Variant<'_>, declared: &Declared) -> TokenStream {
    let runtime = &input.runtime;
    let Declared {
        code,
        status,
        title,
        description,
        ..
    } = declared;
    let (status, name) = (status.0, variant.ident.unraw().to_string());
    let message = message_source(input, variant, declared);
    quote!((#code, #status, #name, #title, #description, #runtime::MessageSource::#message))
}

/// The rest, as calls of the spec's methods.
fn refinements(input: &Input<'_>, variant: &Variant<'_>, declared: &Declared) -> TokenStream {
    let runtime = &input.runtime;
    let Declared {
        docs,
        display,
        attrs,
        ..
    } = declared;
    let mut spec = TokenStream::new();
    let mut with = |tokens: TokenStream| spec.extend(tokens);
    if let Some(docs) = docs {
        with(quote!(.with_docs(#docs)));
    }
    if let Some(text) = display.as_ref().and_then(Template::constant) {
        with(quote!(.__display_text(#text)));
    }
    let keys: Vec<_> = variant
        .fields
        .iter()
        .filter_map(|field| match &field.exposed {
            Some(Exposed::As(key)) => Some(key.as_str()),
            _ => None,
        })
        .chain(
            variant
                .field_with(|attrs| attrs.violations.is_some())
                .map(|_| "errors"),
        )
        .collect();
    if !keys.is_empty() {
        with(quote!(.with_details(&[#(#keys),*])));
    }
    if let Some(retryable) = attrs.retryable {
        with(quote!(.with_retryable(#retryable)));
    }
    if let Some(recoverable) = attrs.recoverable {
        with(quote!(.with_recoverable(#recoverable)));
    }
    if let Some(outcome) = attrs.breaker.map(super::value::Breaker::ident) {
        with(quote!(.with_outcome(#runtime::Outcome::#outcome)));
    }
    if let Some(wait) = attrs.retry_after {
        with(quote!(.with_retry_after(#wait)));
    }
    if let Some(challenge) = &attrs.authenticate {
        with(quote!(.with_authenticate(#challenge)));
    }
    if !attrs.headers.is_empty() {
        let headers = attrs
            .headers
            .iter()
            .map(|(name, value)| quote!((#name, #value)));
        with(quote!(.with_headers(&[#(#headers),*])));
    }
    if let Some(level) = attrs.level.map(super::value::Level::ident) {
        with(quote!(.with_level(#runtime::Level::#level)));
    }
    if let Some(category) = &attrs.category {
        with(quote!(.with_category(#category)));
    }
    if let Some(report) = attrs.report {
        with(quote!(.with_report(#report)));
    }
    if let Some(grpc) = attrs.grpc.map(super::value::Grpc::ident) {
        with(quote!(.with_grpc(#runtime::GrpcCode::#grpc)));
    }
    if let Some(source) = variant.source() {
        let source = type_text(source.ty);
        with(quote!(.with_source_type(#source)));
    }
    spec
}

/// Where the public message comes from.
fn message_source(input: &Input<'_>, variant: &Variant<'_>, declared: &Declared) -> TokenStream {
    match &declared.message {
        Some(message) => match message.constant() {
            Some(text) => quote!(Text(#text)),
            None => {
                let template = message.literal.value();
                if is_formatted(input, declared) {
                    quote!(Format(#template))
                } else {
                    quote!(Display(#template))
                }
            }
        },
        // Somebody else's `Display` is public below 500 if nothing internal can be in it.
        None if !input.owns_error
            && !variant.displays_inner
            && variant.source().is_none()
            && variant.field_with(|attrs| attrs.secret.is_some()).is_none() =>
        {
            quote!(DisplayBelow500)
        }
        None => quote!(Status),
    }
}

/// Whether the message is neither constant nor what `Display` says.
fn is_formatted(input: &Input<'_>, declared: &Declared) -> bool {
    let message = declared
        .message
        .as_ref()
        .is_some_and(|message| message.constant().is_none());
    message && (!input.owns_error || declared.display.is_some())
}

fn impl_declared(input: &Input<'_>) -> TokenStream {
    let runtime = &input.runtime;
    let specs = specs();
    let header = Bounds::new(input.item).header(quote!(#runtime::Declared));
    let mut next = 0_usize;
    let indices = input.variants.iter().map(|variant| {
        let path = &variant.path;
        if variant.declared().is_some() {
            let index = next;
            next += 1;
            quote!(#path { .. } => #index)
        } else {
            quote!(#path { .. } => ::core::primitive::usize::MAX)
        }
    });
    let index = match_self(&indices.collect::<Vec<_>>(), input, &TokenStream::new());
    quote! {
        #header {
            const SPECS: &'static [#runtime::ErrorSpec] = &#specs;
            #[inline]
            fn spec_index(&self) -> ::core::primitive::usize { #index }
        }
    }
}

/// `Display`, `Error` and `From`.
fn impl_error(input: &Input<'_>) -> TokenStream {
    let display = impl_display(input);
    let mut bounds = Bounds::new(input.item);
    bounds.require_self(quote!(::core::fmt::Debug + ::core::fmt::Display));
    let source = source_method(input, &mut bounds);
    let header = bounds.header(quote!(::core::error::Error));
    let froms = input
        .variants
        .iter()
        .filter_map(|variant| impl_from(input, variant));
    quote! {
        #display
        #header { #source }
        #(#froms)*
    }
}

fn impl_display(input: &Input<'_>) -> TokenStream {
    let runtime = &input.runtime;
    let mut bounds = Bounds::new(input.item);
    let formatter = quote!(__error_formatter);
    let arms: Vec<_> = input
        .variants
        .iter()
        .filter_map(|variant| {
            let (used, body) = shown(input, variant, &mut bounds, &formatter)?;
            let pattern = pattern(variant, &used);
            Some(quote!(#pattern => #body))
        })
        .collect();
    let body = match_self(&arms, input, &quote!(#runtime::fmt_text(self, #formatter)));
    let header = bounds.header(quote!(::core::fmt::Display));
    quote! {
        #header {
            fn fmt(&self, #formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result { #body }
        }
    }
}

/// What shows a variant whose text depends on the occurrence.
fn shown<'v, 'a>(
    input: &Input<'_>,
    variant: &'v Variant<'a>,
    bounds: &mut Bounds<'_>,
    formatter: &TokenStream,
) -> Option<(Vec<&'v Field<'a>>, TokenStream)> {
    let runtime = &input.runtime;
    let declared = match &variant.kind {
        Kind::Declared(declared) => declared,
        Kind::Transparent(_) => {
            let field = inner(variant);
            let inner = inner_error(input, field, bounds);
            return Some((
                vec![field],
                quote!(::core::fmt::Display::fmt(#inner, #formatter)),
            ));
        }
    };
    match declared.shown() {
        Some(template) if template.constant().is_none() => {
            require_shown(template, variant, bounds);
            Some((used_by(template, variant), template.write(formatter)))
        }
        Some(_) => None,
        // The public text of the status that the occurrence has.
        None => {
            let field = variant.field_with(|attrs| attrs.status.is_some())?;
            bounds.require(field.ty, quote!(#runtime::StatusField));
            let status = located_binding(field);
            let shown = quote!(#runtime::fmt_status(#runtime::dynamic_status(#status), #formatter));
            Some((vec![field], shown))
        }
    }
}

fn source_method(input: &Input<'_>, bounds: &mut Bounds<'_>) -> TokenStream {
    let runtime = &input.runtime;
    let mut arms = Vec::new();
    for variant in &input.variants {
        let (field, body) = match &variant.kind {
            Kind::Transparent(_) => {
                let field = inner(variant);
                let inner = inner_error(input, field, bounds);
                (field, quote!(::core::error::Error::source(#inner)))
            }
            Kind::Declared(_) => {
                let Some(field) = variant.source() else {
                    continue;
                };
                let source = located_binding(field);
                // A method that is missing is reported at its name.
                let as_dyn_error = proc_macro2::Ident::new("__as_dyn_error", source.span());
                let body = match field.option_inner() {
                    Some(inner) => {
                        bounds.require(inner, quote!(::core::error::Error + 'static));
                        quote! {
                            match #source {
                                ::core::option::Option::Some(#source) => ::core::option::Option::Some(#source.#as_dyn_error()),
                                ::core::option::Option::None => ::core::option::Option::None,
                            }
                        }
                    }
                    None => {
                        bounds.require(field.ty, quote!(::core::error::Error + 'static));
                        quote!(::core::option::Option::Some(#source.#as_dyn_error()))
                    }
                };
                (field, body)
            }
        };
        let pattern = pattern(variant, &[field]);
        arms.push(quote!(#pattern => #body));
    }
    if arms.is_empty() {
        return TokenStream::new();
    }
    let body = match_self(&arms, input, &quote!(::core::option::Option::None));
    let declared =
        |variant: &Variant<'_>| variant.declared().is_some() && variant.source().is_some();
    let import = input
        .variants
        .iter()
        .any(declared)
        .then(|| quote!(use #runtime::AsDynError as _;));
    quote! {
        fn source(&self) -> ::core::option::Option<&(dyn ::core::error::Error + 'static)> {
            #import
            #body
        }
    }
}

fn impl_from(input: &Input<'_>, variant: &Variant<'_>) -> Option<TokenStream> {
    let field = variant.field_with(|attrs| attrs.from.is_some())?;
    let (path, ty, member) = (&variant.path, field.ty, &field.member);
    let at = field.attrs.from?;
    let backtrace = variant
        .field_with(|attrs| attrs.backtrace.is_some())
        .map(|field| {
            let member = &field.member;
            quote!(#member: ::core::convert::From::from(::std::backtrace::Backtrace::capture()),)
        });
    // At the attribute, so that two `From`s of one type are reported there.
    let of = quote_spanned!(at=> ::core::convert::From<#ty>);
    let header = Bounds::new(input.item).header_at(at, of);
    Some(quote_spanned! {at=>
        #header {
            fn from(__error_source: #ty) -> Self {
                #path { #member: __error_source, #backtrace }
            }
        }
    })
}

fn impl_api_error(input: &Input<'_>) -> TokenStream {
    let runtime = &input.runtime;
    let mut bounds = Bounds::new(input.item);
    bounds.require_self(quote!(::core::error::Error));
    let none = quote!(::core::option::Option::None);

    let hooks = [
        hook(
            input,
            &quote!(fn __inner(&self) -> ::core::option::Option<&dyn #runtime::ApiError>),
            &none,
            |variant| {
                matches!(variant.kind, Kind::Transparent(_)).then(|| {
                    let field = inner(variant);
                    let inner = inner_error(input, field, &mut bounds);
                    (vec![field], quote!(::core::option::Option::Some(#inner)))
                })
            },
        ),
        hook(
            input,
            &quote!(fn __message(&self, __error_formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result),
            &quote!(::core::result::Result::Ok(())),
            |variant| {
                let declared = variant
                    .declared()
                    .filter(|declared| is_formatted(input, declared))?;
                let template = declared.message.as_ref()?;
                require_shown(template, variant, &mut bounds);
                let body = template.write(&quote!(__error_formatter));
                Some((used_by(template, variant), body))
            },
        ),
        hook(
            input,
            &quote!(fn __details(&self, __error_details: &mut #runtime::Details<'_>)),
            &quote!({}),
            |variant| details(input, variant, &mut bounds),
        ),
        hook(
            input,
            &quote!(fn __status(&self) -> ::core::option::Option<#runtime::DynamicStatus>),
            &none,
            |variant| {
                let field = variant
                    .declared()
                    .and(variant.field_with(|attrs| attrs.status.is_some()))?;
                bounds.require(field.ty, quote!(#runtime::StatusField));
                let status = located_binding(field);
                Some((
                    vec![field],
                    quote!(::core::option::Option::Some(#runtime::dynamic_status(#status))),
                ))
            },
        ),
        hook(
            input,
            &quote!(fn __retry_after(&self) -> ::core::option::Option<::core::time::Duration>),
            &none,
            |variant| {
                let field = variant
                    .declared()
                    .and(variant.field_with(|attrs| attrs.retry_after.is_some()))?;
                bounds.require(field.ty, quote!(#runtime::RetryAfterField));
                let wait = located_binding(field);
                Some((vec![field], quote!(#runtime::retry_after(#wait))))
            },
        ),
        hook(
            input,
            &quote!(fn __headers(&self, __error_headers: &mut #runtime::HeaderMap)),
            &quote!({}),
            |variant| headers(input, variant, &mut bounds),
        ),
        hook(
            input,
            &quote!(fn __backtrace(&self) -> ::core::option::Option<&::std::backtrace::Backtrace>),
            &none,
            |variant| {
                let field = variant
                    .declared()
                    .and(variant.field_with(|attrs| attrs.backtrace.is_some()))?;
                let backtrace = located_binding(field);
                Some((
                    vec![field],
                    quote!(#runtime::BacktraceField::get(#backtrace)),
                ))
            },
        ),
    ];
    let typed = typed_method(input);
    let header = bounds.header(quote!(#runtime::ApiError));
    quote! {
        #header {
            fn spec(&self) -> &'static #runtime::ErrorSpec { #runtime::spec(self) }
            fn __generated(&self) -> ::core::primitive::bool { true }
            #typed
            #(#hooks)*
        }
    }
}

/// The error as handlers can tell its type. What has parameters may not be `'static`.
fn typed_method(input: &Input<'_>) -> Option<TokenStream> {
    let runtime = &input.runtime;
    input.item.generics.params.is_empty().then(|| {
        quote! {
            fn __typed(&self) -> ::core::option::Option<&(dyn ::core::error::Error + 'static)> {
                #runtime::typed(self)
            }
        }
    })
}

fn details<'v, 'a>(
    input: &Input<'_>,
    variant: &'v Variant<'a>,
    bounds: &mut Bounds<'_>,
) -> Option<(Vec<&'v Field<'a>>, TokenStream)> {
    variant.declared()?;
    let runtime = &input.runtime;
    let mut used = Vec::new();
    let mut calls = TokenStream::new();
    for field in &variant.fields {
        // A field that is not `Serialize` is reported on the field.
        let value = located_binding(field);
        match &field.exposed {
            Some(Exposed::As(key)) => {
                let fragment = format!(",{}:", json_string(key));
                calls.extend(
                    quote!(#runtime::Details::__field(__error_details, #fragment, #value);),
                );
            }
            Some(Exposed::Flattened) => {
                calls.extend(quote!(#runtime::Details::flatten(__error_details, #value);));
            }
            None if field.attrs.violations.is_some() => {
                calls.extend(quote!(#runtime::Details::violations(__error_details, #value);));
                bounds.require(field.ty, quote!(#runtime::ViolationsField));
                used.push(field);
                continue;
            }
            None => continue,
        }
        bounds.require(field.ty, quote!(#runtime::DetailValue));
        used.push(field);
    }
    (!used.is_empty()).then(|| (used, quote!({ #calls })))
}

fn headers<'v, 'a>(
    input: &Input<'_>,
    variant: &'v Variant<'a>,
    bounds: &mut Bounds<'_>,
) -> Option<(Vec<&'v Field<'a>>, TokenStream)> {
    variant.declared()?;
    let runtime = &input.runtime;
    let mut used = Vec::new();
    let mut calls = TokenStream::new();
    for field in variant
        .fields
        .iter()
        .filter(|field| !field.attrs.headers.is_empty())
    {
        bounds.require(field.ty, quote!(#runtime::HeaderField));
        let value = located_binding(field);
        for name in &field.attrs.headers {
            calls.extend(quote!(#runtime::header(self, #name, #value, __error_headers);));
        }
        used.push(field);
    }
    (!used.is_empty()).then(|| (used, quote!({ #calls })))
}

/// One overridden method: an arm for each variant that has something to say, nothing if none has.
fn hook<'v, 'a: 'v>(
    input: &'v Input<'a>,
    signature: &TokenStream,
    default: &TokenStream,
    mut arm: impl FnMut(&'v Variant<'a>) -> Option<(Vec<&'v Field<'a>>, TokenStream)>,
) -> TokenStream {
    let arms: Vec<_> = input
        .variants
        .iter()
        .filter_map(|variant| {
            let (used, body) = arm(variant)?;
            let pattern = pattern(variant, &used);
            Some(quote!(#pattern => #body))
        })
        .collect();
    if arms.is_empty() {
        return TokenStream::new();
    }
    let body = match_self(&arms, input, default);
    quote!(#signature { #body })
}

/// The responses of the runtime's features.
pub(super) fn responses(input: &Input<'_>) -> TokenStream {
    if !input.responds {
        return TokenStream::new();
    }
    let runtime = &input.runtime;
    let mut bounds = Bounds::new(input.item);
    bounds.require_self(quote!(#runtime::ApiError));
    let ident = &input.item.ident;
    let (generics, arguments, _) = input.item.generics.split_for_impl();
    let predicates = bounds.predicates();
    quote!(#runtime::impl_responses! { [#generics] [#ident #arguments] [#predicates] })
}

/// `match self { … }`, with the default for the variants that have no arm.
fn match_self(arms: &[TokenStream], input: &Input<'_>, default: &TokenStream) -> TokenStream {
    if input.variants.is_empty() {
        // An enum that has no values.
        return quote!(match *self {});
    }
    if arms.is_empty() {
        return default.clone();
    }
    let rest = (arms.len() < input.variants.len()).then(|| quote!(_ => #default));
    quote!(match self { #(#arms,)* #rest })
}

/// `Self::Name { id: __error_0, .. }`.
fn pattern(variant: &Variant<'_>, used: &[&Field<'_>]) -> TokenStream {
    let path = &variant.path;
    let members = used.iter().map(|field| &field.member);
    let bindings = used.iter().map(|field| binding(field.index));
    let rest = (used.len() < variant.fields.len()).then(|| quote!(..));
    quote!(#path { #(#members: #bindings,)* #rest })
}

/// The binding with the location of the field's type, for errors about the type.
fn located_binding(field: &Field<'_>) -> proc_macro2::Ident {
    let mut binding = binding(field.index);
    binding.set_span(field.ty.span().resolved_at(Span::mixed_site()));
    binding
}

/// The inner error as what it must be. Every use says it in the same way and at the same place, so
/// that a field which is no `ApiError` gives one error.
fn inner_error(input: &Input<'_>, field: &Field<'_>, bounds: &mut Bounds<'_>) -> TokenStream {
    let runtime = &input.runtime;
    bounds.require(field.ty, quote!(#runtime::ApiError));
    let inner = located_binding(field);
    quote!({ let __error_inner: &dyn #runtime::ApiError = #inner; __error_inner })
}

/// The field of a transparent variant.
fn inner<'v, 'a>(variant: &'v Variant<'a>) -> &'v Field<'a> {
    variant
        .field_with(|attrs| attrs.backtrace.is_none())
        .expect("the rules ask for one field")
}

fn used_by<'v, 'a>(template: &Template, variant: &'v Variant<'a>) -> Vec<&'v Field<'a>> {
    variant
        .fields
        .iter()
        .filter(|field| template.uses(field.index))
        .collect()
}

fn require_shown(template: &Template, variant: &Variant<'_>, bounds: &mut Bounds<'_>) {
    for placeholder in template.placeholders() {
        let by = proc_macro2::Ident::new(placeholder.by(), Span::call_site());
        bounds.require(
            variant.fields[placeholder.field].ty,
            quote!(::core::fmt::#by),
        );
    }
}

/// A JSON string: the keys of details are escaped when the macro runs, not for each answer.
fn json_string(text: &str) -> String {
    let mut json = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            c if (c as u32) < 0x20 => _ = write!(json, "\\u{:04x}", c as u32),
            c => json.push(c),
        }
    }
    json.push('"');
    json
}
