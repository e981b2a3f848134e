//! Format strings over fields: `"job {id} of {owner:?} not found"`.
//!
//! Names are rewritten to positions, which solves raw identifiers and hygiene at once; what stands
//! after the colon is left to `format_args!`, whose errors then stand on the literal.

use darling::Result;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::LitStr;

use crate::context::binding;
use crate::diagnostics::{list, near_miss, rule};

/// A text with placeholders, resolved against the fields of its variant.
pub(crate) struct Template {
    /// As written.
    pub(crate) literal: LitStr,
    /// Placeholders replaced by positions.
    rewritten: String,
    arguments: Vec<Argument>,
}

/// One argument of the rewritten format string.
pub(crate) struct Argument {
    /// The field's index.
    pub(crate) field: usize,
    pub(crate) role: Role,
}

/// What an argument is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Formatted by this trait of `core::fmt`.
    Shown(&'static str),
    /// A width or precision: `{0:width$}`.
    Measure,
}

impl Template {
    /// Parses the literal of `key`; `names` are the fields' names, or positions as text.
    pub(crate) fn parse(key: &str, literal: &LitStr, names: &[String]) -> Result<Self> {
        let text = literal.value();
        let mut template = Self {
            literal: literal.clone(),
            rewritten: String::with_capacity(text.len()),
            arguments: Vec::new(),
        };
        let mut errors = Vec::new();
        let mut rest = text.as_str();
        while let Some(at) = rest.find(['{', '}']) {
            let (before, brace) = rest.split_at(at);
            template.rewritten.push_str(before);
            if brace.starts_with("{{") || brace.starts_with("}}") {
                template.rewritten.push_str(&brace[..2]);
                rest = &brace[2..];
            } else if let Some(open) = brace.strip_prefix('{') {
                let Some(end) = open.find('}') else {
                    return Err(rule!(
                        unclosed_placeholder,
                        literal.span(),
                        "`{{` is not closed; close the placeholder, or write `{{{{` for a brace"
                    ));
                };
                // Of several mistakes in one text each is told once.
                if let Err(error) = template.placeholder(key, &open[..end], names)
                    && !errors
                        .iter()
                        .any(|other: &darling::Error| other.to_string() == error.to_string())
                {
                    errors.push(error);
                }
                rest = &open[end + 1..];
            } else {
                return Err(rule!(
                    unmatched_brace,
                    literal.span(),
                    "`}}` closes nothing; write `}}}}` for a brace"
                ));
            }
        }
        template.rewritten.push_str(rest);
        if errors.is_empty() {
            Ok(template)
        } else {
            Err(darling::Error::multiple(errors))
        }
    }

    /// Rewrites one placeholder: `name`, `name:spec`, and names within the spec.
    fn placeholder(&mut self, key: &str, inside: &str, names: &[String]) -> Result<()> {
        let (name, spec) = match inside.split_once(':') {
            Some((name, spec)) => (name.trim(), Some(spec.trim_end())),
            None => (inside.trim(), None),
        };
        if name.is_empty() {
            return Err(rule!(
                empty_placeholder,
                self.literal.span(),
                "`{key}` has an empty placeholder; {}",
                match names.first() {
                    Some(name) => format!("name the field: `{{{name}}}`"),
                    None => "there are no fields to show, and a brace is written `{{`".to_owned(),
                }
            ));
        }
        let field = self.field(key, name, names)?;
        let position = self.argument(field, Role::Shown(fmt_trait(spec.unwrap_or_default())));
        let spec = spec.map(|spec| self.spec(key, spec, names)).transpose()?;
        self.rewritten.push('{');
        self.rewritten.push_str(&position.to_string());
        if let Some(spec) = spec {
            self.rewritten.push(':');
            self.rewritten.push_str(&spec);
        }
        self.rewritten.push('}');
        Ok(())
    }

    /// Rewrites the `name$` within a spec.
    fn spec(&mut self, key: &str, spec: &str, names: &[String]) -> Result<String> {
        let mut rewritten = String::new();
        let mut rest = spec;
        while let Some(dollar) = rest.find('$') {
            let start = rest[..dollar]
                .rfind(|c: char| !c.is_alphanumeric() && c != '_')
                .map_or(0, |at| {
                    at + rest[at..].chars().next().map_or(1, char::len_utf8)
                });
            // A leading zero is the flag of that name, not part of the position.
            let name = &rest[start..dollar];
            let zero = usize::from(name.len() > 1 && name.starts_with('0'));
            let field = self.field(key, &name[zero..], names)?;
            let position = self.argument(field, Role::Measure);
            rewritten.push_str(&rest[..start + zero]);
            rewritten.push_str(&position.to_string());
            rewritten.push('$');
            rest = &rest[dollar + 1..];
        }
        rewritten.push_str(rest);
        Ok(rewritten)
    }

    fn field(&self, key: &str, name: &str, names: &[String]) -> Result<usize> {
        let bare = name.strip_prefix("r#").unwrap_or(name);
        names.iter().position(|known| known == bare).ok_or_else(|| {
            let near = near_miss(bare, names.iter().map(String::as_str));
            let hint = match (near.is_empty(), names.is_empty()) {
                (false, _) => near,
                (true, true) => "; there are no fields to show".to_owned(),
                (true, false) if names.len() == 1 => format!("; the field is `{}`", names[0]),
                (true, false) => {
                    let names = names.iter().map(|name| format!("`{name}`"));
                    format!("; the fields are {}", list(names))
                }
            };
            rule!(
                unknown_placeholder,
                self.literal.span(),
                "`{key}` shows `{name}`, which is no field{hint}"
            )
        })
    }

    /// The position of an argument, added if it is new.
    fn argument(&mut self, field: usize, role: Role) -> usize {
        // One argument may be shown in several ways, but a measure is passed by value.
        let same = |other: &Argument| {
            other.field == field && (other.role == Role::Measure) == (role == Role::Measure)
        };
        match self.arguments.iter().position(same) {
            Some(position) if self.arguments[position].role == role => position,
            _ => {
                self.arguments.push(Argument { field, role });
                self.arguments.len() - 1
            }
        }
    }

    /// The text, if it has no placeholders.
    pub(crate) fn constant(&self) -> Option<String> {
        self.arguments
            .is_empty()
            .then(|| self.rewritten.replace("{{", "{").replace("}}", "}"))
    }

    pub(crate) fn arguments(&self) -> &[Argument] {
        &self.arguments
    }

    pub(crate) fn span(&self) -> Span {
        self.literal.span()
    }

    /// Whether the field at `index` is shown or measured by.
    pub(crate) fn uses(&self, index: usize) -> bool {
        self.arguments
            .iter()
            .any(|argument| argument.field == index)
    }

    /// `::core::write!(f, "…", …)`.
    pub(crate) fn write(&self, formatter: &impl ToTokens) -> TokenStream {
        if let Some(text) = self.constant() {
            return quote!(::core::fmt::Formatter::write_str(#formatter, #text));
        }
        let rewritten = LitStr::new(&self.rewritten, self.literal.span());
        let arguments = self.arguments.iter().map(|argument| {
            let mut binding = binding(argument.field);
            // A field that cannot be shown is reported on the literal that shows it.
            binding.set_span(self.literal.span().resolved_at(binding.span()));
            match argument.role {
                Role::Shown(_) => quote!(#binding),
                Role::Measure => quote!(*#binding),
            }
        });
        quote!(::core::write!(#formatter, #rewritten, #(#arguments),*))
    }
}

/// The trait by which a spec formats.
fn fmt_trait(spec: &str) -> &'static str {
    if spec.ends_with('?') {
        return "Debug";
    }
    match spec.chars().last() {
        Some('x') => "LowerHex",
        Some('X') => "UpperHex",
        Some('o') => "Octal",
        Some('b') => "Binary",
        Some('e') => "LowerExp",
        Some('E') => "UpperExp",
        Some('p') => "Pointer",
        _ => "Display",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewrite(text: &str) -> String {
        let names = ["id".to_owned(), "width".to_owned(), "type".to_owned()];
        match Template::parse("message", &LitStr::new(text, Span::call_site()), &names) {
            Ok(template) => {
                let fields: Vec<_> = template
                    .arguments
                    .iter()
                    .map(|argument| argument.field)
                    .collect();
                format!("{} {fields:?}", template.rewritten)
            }
            Err(error) => format!("error: {error}"),
        }
    }

    #[test]
    fn names_become_positions() {
        for (text, rewritten) in [
            ("plain", "plain []"),
            ("{id} and {id}", "{0} and {0} [0]"),
            ("{id} {id:?}", "{0} {1:?} [0, 0]"),
            ("{{{id}}}", "{{{0}}} [0]"),
            ("{r#type}{type}", "{0}{0} [2]"),
            ("{id:>width$.3}", "{0:>1$.3} [0, 1]"),
            ("{id:0width$}", "{0:01$} [0, 1]"),
            ("{id:.width$}", "{0:.1$} [0, 1]"),
            ("{ id : >4 }", "{0: >4} [0]"),
            ("ünï{id}", "ünï{0} [0]"),
        ] {
            assert_eq!(rewrite(text), rewritten, "{text}");
        }
    }

    #[test]
    fn what_is_no_template_is_an_error() {
        for (text, part) in [
            ("{", "is not closed"),
            ("}", "closes nothing"),
            ("{}", "name the field: `{id}`"),
            ("{:?}", "empty placeholder"),
            ("{idd}", "did you mean `id`?"),
            ("{0}", "the fields are `id`, `width` and `type`"),
            ("{id:nope$}", "shows `nope`, which is no field"),
        ] {
            let rewritten = rewrite(text);
            assert!(rewritten.contains(part), "{text}: {rewritten}");
        }
    }
}
