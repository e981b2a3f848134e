//! The item as resolved: every default filled in that does not depend on an occurrence.
//!
//! Borrows the syntax tree, so that each part keeps its span.

use darling::error::Accumulator;
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::quote;
use syn::ext::IdentExt as _;
use syn::spanned::Spanned;
use syn::{
    Attribute, Data, DeriveInput, Fields, GenericArgument, Ident, Member, PathArguments, Type,
};

use super::attr::{Detail, FailureAttrs, FieldAttrs, ItemAttrs, description};
use super::template::Template;
use super::value::{DetailCase, Status, check_code};
use crate::attribute::keys::Place;
use crate::case;
use crate::context::Runtime;
use crate::diagnostics::rule;

/// An enum or a struct that declares failures.
pub(crate) struct Input<'a> {
    pub(crate) item: &'a DeriveInput,
    pub(crate) runtime: Runtime,
    pub(crate) domain: Option<String>,
    /// `Display`, `Error` and `From` are ours to write.
    pub(crate) owns_error: bool,
    /// The web frameworks' responses are ours to write.
    pub(crate) responds: bool,
    pub(crate) variants: Vec<Variant<'a>>,
}

/// One failure.
pub(crate) struct Variant<'a> {
    /// The variant's name, or the struct's.
    pub(crate) ident: &'a Ident,
    /// `Self::Name`, or `Self`.
    pub(crate) path: TokenStream,
    pub(crate) fields: Vec<Field<'a>>,
    pub(crate) kind: Kind,
    /// Another crate's `Display` hands through the inner error's, which nobody declared public.
    pub(crate) displays_inner: bool,
}

pub(crate) enum Kind {
    /// Everything is the single field's. Holds a key that says otherwise, for the rule against it.
    Transparent(Option<Ident>),
    Declared(Box<Declared>),
}

/// What a variant declares.
pub(crate) struct Declared {
    pub(crate) code: String,
    /// Where a mistake about the code is reported.
    pub(crate) code_span: Span,
    pub(crate) status: Status,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) docs: Option<String>,
    pub(crate) message: Option<Template>,
    pub(crate) display: Option<Template>,
    pub(crate) attrs: FailureAttrs,
}

/// One field of a variant.
pub(crate) struct Field<'a> {
    pub(crate) index: usize,
    pub(crate) member: Member,
    pub(crate) ty: &'a Type,
    pub(crate) attrs: FieldAttrs,
    pub(crate) exposed: Option<Exposed>,
}

/// How a field appears in the details.
pub(crate) enum Exposed {
    As(String),
    Flattened,
}

impl<'a> Input<'a> {
    /// Resolves the item. Where something is broken the error is recorded and a default stands in,
    /// so that the rules that follow see as much as possible.
    pub(crate) fn resolve(item: &'a DeriveInput, errors: &mut Accumulator) -> Self {
        let place = match item.data {
            Data::Enum(_) => Place::Enum,
            _ => Place::Struct,
        };
        let attrs = ItemAttrs::read(&item.attrs, place, errors);
        let defaults = Defaults {
            what: if place == Place::Enum {
                "variant"
            } else {
                "struct"
            },
            status: attrs.failure.status.as_ref().map(|status| status.value),
            status_broken: attrs.failure.broken,
            details: attrs.failure.details.unwrap_or(false),
            prefix: attrs.prefix,
            case: attrs.detail_case,
            docs: None,
        };
        let thiserror = has_error_attribute(&item.attrs)
            || matches!(&item.data, Data::Enum(data) if data.variants.iter().any(|variant| has_error_attribute(&variant.attrs)));
        let variants = match &item.data {
            Data::Enum(data) => {
                let defaults = Defaults {
                    docs: attrs
                        .failure
                        .docs
                        .as_ref()
                        .map(|docs| docs.trim_end_matches('/').to_owned()),
                    ..defaults
                };
                data.variants
                    .iter()
                    .map(|variant| {
                        let ident = &variant.ident;
                        let failure = FailureAttrs::read(&variant.attrs, errors);
                        Variant::resolve(
                            ident,
                            quote!(Self::#ident),
                            &variant.attrs,
                            &variant.fields,
                            failure,
                            &defaults,
                            errors,
                        )
                    })
                    .collect()
            }
            Data::Struct(data) => vec![Variant::resolve(
                &item.ident,
                quote!(Self),
                &item.attrs,
                &data.fields,
                attrs.failure,
                &defaults,
                errors,
            )],
            Data::Union(data) => {
                errors.push(rule!(
                    no_unions,
                    data.union_token.span,
                    "`ApiError` cannot be derived for a union; write an enum or a struct"
                ));
                Vec::new()
            }
        };
        Self {
            item,
            runtime: Runtime::new(attrs.runtime),
            domain: attrs.domain,
            owns_error: attrs.impl_error.unwrap_or(!thiserror),
            responds: attrs.impl_response.unwrap_or(true),
            variants,
        }
    }

    /// The impls of a deprecated type name it, which is no use of it.
    pub(crate) fn lint_level(&self) -> Option<TokenStream> {
        let deprecated = |attr: &Attribute| attr.path().is_ident("deprecated");
        let deprecated = self.item.attrs.iter().any(deprecated);
        deprecated.then(|| quote!(#[allow(deprecated)]))
    }
}

/// thiserror's attribute: `Display` and `Error` are its to write.
fn has_error_attribute(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| attr.path().is_ident("error"))
}

/// Whether thiserror or snafu was told `transparent`.
fn displays_inner(attrs: &[Attribute]) -> bool {
    attrs
        .iter()
        .filter(|attr| attr.path().is_ident("error") || attr.path().is_ident("snafu"))
        .filter_map(|attr| attr.meta.require_list().ok())
        .any(|list| {
            let mut words = list.tokens.clone().into_iter();
            words.any(|token| matches!(token, TokenTree::Ident(word) if word == "transparent"))
        })
}

/// What the container says for its variants.
struct Defaults {
    /// `variant`, or `struct`.
    what: &'static str,
    status: Option<Status>,
    status_broken: bool,
    details: bool,
    prefix: Option<String>,
    case: Option<DetailCase>,
    docs: Option<String>,
}

impl<'a> Variant<'a> {
    fn resolve(
        ident: &'a Ident,
        path: TokenStream,
        attributes: &[Attribute],
        fields: &'a Fields,
        attrs: FailureAttrs,
        defaults: &Defaults,
        errors: &mut Accumulator,
    ) -> Self {
        let fields = resolve_fields(
            fields,
            attrs.details.unwrap_or(defaults.details),
            defaults,
            errors,
        );
        let kind = if attrs.transparent {
            Kind::Transparent(attrs.own_key)
        } else {
            Kind::Declared(Box::new(Declared::resolve(
                ident, attributes, &fields, attrs, defaults, errors,
            )))
        };
        Self {
            ident,
            path,
            fields,
            kind,
            displays_inner: displays_inner(attributes),
        }
    }

    /// What the variant declares, unless it is transparent.
    pub(crate) fn declared(&self) -> Option<&Declared> {
        match &self.kind {
            Kind::Declared(declared) => Some(declared),
            Kind::Transparent(_) => None,
        }
    }

    /// The field whose error is the cause of this one.
    pub(crate) fn source(&self) -> Option<&Field<'a>> {
        self.fields.iter().find(|field| field.is_source())
    }

    pub(crate) fn field_with(&self, role: impl Fn(&FieldAttrs) -> bool) -> Option<&Field<'a>> {
        self.fields.iter().find(|field| role(&field.attrs))
    }
}

impl Declared {
    fn resolve(
        ident: &Ident,
        attributes: &[Attribute],
        fields: &[Field<'_>],
        attrs: FailureAttrs,
        defaults: &Defaults,
        errors: &mut Accumulator,
    ) -> Self {
        let name = ident.unraw().to_string();
        let status = attrs
            .status
            .as_ref()
            .map(|status| status.value)
            .or(defaults.status)
            .unwrap_or_else(|| {
                if !attrs.broken && !defaults.status_broken {
                    errors.push(rule!(
                        missing_status,
                        ident.span(),
                        "missing `status`; add `#[api(status = 404)]` to this {}",
                        defaults.what
                    ));
                }
                Status(500)
            });
        let (code, code_span) = match &attrs.code {
            Some(code) => (code.value.clone(), code.span),
            None => (
                default_code(
                    &name,
                    defaults.prefix.as_deref(),
                    ident,
                    attrs.broken,
                    errors,
                ),
                ident.span(),
            ),
        };
        let docs = attrs.docs.clone().or_else(|| {
            defaults
                .docs
                .as_ref()
                .map(|base| format!("{base}/{}", case::kebab_of_code(&code)))
        });
        let names: Vec<String> = fields.iter().map(Field::name).collect();
        let mut template = |key, literal: &Option<_>| {
            let literal = literal.as_ref()?;
            errors.handle(Template::parse(key, literal, &names))
        };
        Self {
            code,
            code_span,
            status,
            title: attrs
                .title
                .clone()
                .unwrap_or_else(|| case::humanised(&name)),
            description: description(attributes),
            docs,
            message: template("message", &attrs.message),
            display: template("display", &attrs.display),
            attrs,
        }
    }

    /// What `Display` says, if it is declared.
    pub(crate) fn shown(&self) -> Option<&Template> {
        self.display.as_ref().or(self.message.as_ref())
    }
}

/// The code of a variant that gives none.
fn default_code(
    name: &str,
    prefix: Option<&str>,
    ident: &Ident,
    broken: bool,
    errors: &mut Accumulator,
) -> String {
    let mut code = case::screaming_snake(name);
    if let Some(prefix) = prefix {
        code = format!("{prefix}_{code}");
    }
    if let (Err(why), false) = (check_code(&code), broken) {
        errors.push(rule!(
            default_code_shape,
            ident.span(),
            "`{code}`, made from this name, is not a machine code: {why}; add `code = \"…\"`"
        ));
    }
    code
}

fn resolve_fields<'a>(
    fields: &'a Fields,
    all: bool,
    defaults: &Defaults,
    errors: &mut Accumulator,
) -> Vec<Field<'a>> {
    fields
        .iter()
        .zip(fields.members())
        .enumerate()
        .map(|(index, (field, member))| {
            let attrs = FieldAttrs::read(&field.attrs, errors);
            let mut field = Field {
                index,
                member,
                ty: &field.ty,
                attrs,
                exposed: None,
            };
            field.exposed = field.resolve_exposed(all, defaults.case);
            field
        })
        .collect()
}

impl Field<'_> {
    /// The field's name as a placeholder says it.
    pub(crate) fn name(&self) -> String {
        match &self.member {
            Member::Named(name) => name.unraw().to_string(),
            Member::Unnamed(index) => index.index.to_string(),
        }
    }

    pub(crate) fn span(&self) -> Span {
        match &self.member {
            Member::Named(name) => name.span(),
            Member::Unnamed(_) => self.ty.span(),
        }
    }

    /// Marked as a source, or named so, as thiserror has it.
    pub(crate) fn is_source(&self) -> bool {
        self.attrs.from.is_some()
            || self.attrs.source.is_some()
            || matches!(&self.member, Member::Named(name) if name == "source")
    }

    /// With `details` on its variant every field is exposed, but for what has another place in the
    /// answer or none at all.
    fn resolve_exposed(&self, all: bool, case: Option<DetailCase>) -> Option<Exposed> {
        let attrs = &self.attrs;
        let own_place =
            attrs.status.is_some() || attrs.violations.is_some() || attrs.backtrace.is_some();
        let kept_in =
            attrs.skip.is_some() || attrs.secret.is_some() || self.is_source() || own_place;
        let named = || {
            Exposed::As(match case {
                Some(DetailCase::Camel) => case::camel(&self.name()),
                Some(DetailCase::Snake) | None => self.name(),
            })
        };
        match attrs.detail.as_ref().map(|detail| &detail.value) {
            Some(Detail::Named) => Some(named()),
            Some(Detail::Renamed(name)) => Some(Exposed::As(name.clone())),
            Some(Detail::Flatten) => Some(Exposed::Flattened),
            None => (all && !kept_in).then(named),
        }
    }

    /// The `T` of a type written `Option<T>`.
    pub(crate) fn option_inner(&self) -> Option<&Type> {
        let Type::Path(path) = self.ty else {
            return None;
        };
        let last = path.path.segments.last()?;
        let PathArguments::AngleBracketed(arguments) = &last.arguments else {
            return None;
        };
        match (last.ident == "Option", arguments.args.first()) {
            (true, Some(GenericArgument::Type(inner))) if arguments.args.len() == 1 => Some(inner),
            _ => None,
        }
    }
}
