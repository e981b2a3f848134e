//! Format strings over fields: `"job {id} of {owner:?} not found"`.
//!
//! Names are rewritten to positions, which solves raw identifiers and hygiene at once; the rest is left
//! to `format_args!`, whose errors then stand on the literal.

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
    pieces: Vec<Piece>,
    /// What comes after the last placeholder.
    tail: String,
}

/// A text and the placeholder after it.
struct Piece {
    before: String,
    shown: Placeholder,
}

/// One placeholder.
pub(crate) struct Placeholder {
    /// The field's index.
    pub(crate) field: usize,
    /// What stands after the colon, cut where a width or precision is taken from a field.
    spec: Vec<String>,
    /// The fields at the cuts.
    measures: Vec<usize>,
}

impl Placeholder {
    /// The trait of `core::fmt` that shows it.
    pub(crate) fn by(&self) -> &'static str {
        fmt_trait(self.spec.last().map_or("", String::as_str))
    }
}

impl Template {
    /// Parses the literal of `key`; `names` are the fields' names, or positions as text.
    pub(crate) fn parse(key: &str, literal: &LitStr, names: &[String]) -> Result<Self> {
        let text = literal.value();
        let mut template = Self {
            literal: literal.clone(),
            pieces: Vec::new(),
            tail: String::new(),
        };
        let mut errors: Vec<darling::Error> = Vec::new();
        let mut rest = text.as_str();
        while let Some(at) = rest.find(['{', '}']) {
            let (before, brace) = rest.split_at(at);
            template.tail.push_str(before);
            if brace.starts_with("{{") || brace.starts_with("}}") {
                template.tail.push_str(&brace[..1]);
                rest = &brace[2..];
            } else if let Some(open) = brace.strip_prefix('{') {
                let Some(end) = open.find('}') else {
                    return Err(rule!(
                        unclosed_placeholder,
                        literal.span(),
                        "`{{` is not closed; close the placeholder, or write `{{{{` for a brace"
                    ));
                };
                match template.placeholder(key, &open[..end], names) {
                    Ok(shown) => template.pieces.push(Piece {
                        before: std::mem::take(&mut template.tail),
                        shown,
                    }),
                    // Of several mistakes in one text each is told once.
                    Err(error) => {
                        let told = |other: &darling::Error| other.to_string() == error.to_string();
                        if !errors.iter().any(told) {
                            errors.push(error);
                        }
                    }
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
        template.tail.push_str(rest);
        if errors.is_empty() {
            Ok(template)
        } else {
            Err(darling::Error::multiple(errors))
        }
    }

    /// Resolves one placeholder: `name`, `name:spec`, and names within the spec.
    fn placeholder(&self, key: &str, inside: &str, names: &[String]) -> Result<Placeholder> {
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
        let (spec, measures) = match spec {
            Some(spec) if !spec.is_empty() => self.spec(key, spec, names)?,
            _ => (Vec::new(), Vec::new()),
        };
        Ok(Placeholder {
            field,
            spec,
            measures,
        })
    }

    /// Cuts a spec at each `name$`.
    fn spec(&self, key: &str, spec: &str, names: &[String]) -> Result<(Vec<String>, Vec<usize>)> {
        // A fill may be any character, a `$` too.
        let mut chars = spec.chars();
        let fill = match (chars.next(), chars.next()) {
            (Some(fill), Some('<' | '^' | '>')) => fill.len_utf8(),
            _ => 0,
        };
        let (fill, mut rest) = spec.split_at(fill);
        let mut part = fill.to_owned();
        let (mut parts, mut measures) = (Vec::new(), Vec::new());
        while let Some(dollar) = rest.find('$') {
            let start = rest[..dollar]
                .rfind(|c: char| !c.is_alphanumeric() && c != '_')
                .map_or(0, |at| {
                    at + rest[at..].chars().next().map_or(1, char::len_utf8)
                });
            // A leading zero is the flag of that name, not part of the position.
            let name = &rest[start..dollar];
            let zero = usize::from(name.len() > 1 && name.starts_with('0'));
            measures.push(self.field(key, &name[zero..], names)?);
            part.push_str(&rest[..start + zero]);
            parts.push(std::mem::take(&mut part));
            rest = &rest[dollar..];
            // The `$` stays at the head of the next part.
            part.push('$');
            rest = &rest[1..];
        }
        part.push_str(rest);
        parts.push(part);
        Ok((parts, measures))
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

    /// The text, if it has no placeholders.
    pub(crate) fn constant(&self) -> Option<&str> {
        self.pieces.is_empty().then_some(&*self.tail)
    }

    pub(crate) fn placeholders(&self) -> impl Iterator<Item = &Placeholder> {
        self.pieces.iter().map(|piece| &piece.shown)
    }

    pub(crate) fn span(&self) -> Span {
        self.literal.span()
    }

    /// Whether the field at `index` is shown or measured by.
    pub(crate) fn uses(&self, index: usize) -> bool {
        self.placeholders()
            .any(|shown| shown.field == index || shown.measures.contains(&index))
    }

    /// `f.write_fmt(format_args!("…", …))`.
    pub(crate) fn write(&self, formatter: &impl ToTokens) -> TokenStream {
        if let Some(text) = self.constant() {
            return quote!(#formatter.write_str(#text));
        }
        let mut format = String::new();
        let mut arguments = Vec::new();
        let mut position = |field: usize, measure: bool| {
            let known = arguments
                .iter()
                .position(|other| *other == (field, measure));
            known.unwrap_or_else(|| {
                arguments.push((field, measure));
                arguments.len() - 1
            })
        };
        for Piece { before, shown } in &self.pieces {
            push_escaped(&mut format, before);
            format.push('{');
            format.push_str(&position(shown.field, false).to_string());
            for (index, part) in shown.spec.iter().enumerate() {
                if index == 0 {
                    format.push(':');
                }
                format.push_str(part);
                if let Some(measure) = shown.measures.get(index) {
                    format.push_str(&position(*measure, true).to_string());
                }
            }
            format.push('}');
        }
        push_escaped(&mut format, &self.tail);
        let format = LitStr::new(&format, self.literal.span());
        let arguments = arguments.into_iter().map(|(field, measure)| {
            let mut binding = binding(field);
            // A field that cannot be shown is reported on the literal that shows it.
            binding.set_span(self.literal.span().resolved_at(binding.span()));
            // A width is passed by value.
            let by_value = measure.then(|| quote!(*));
            quote!(#by_value #binding)
        });
        quote!(#formatter.write_fmt(::core::format_args!(#format, #(#arguments),*)))
    }
}

fn push_escaped(format: &mut String, text: &str) {
    for c in text.chars() {
        if matches!(c, '{' | '}') {
            format.push(c);
        }
        format.push(c);
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
                let mut pieces = String::new();
                for Piece { before, shown } in &template.pieces {
                    let spec = shown.spec.join("_");
                    let piece = format!("{before}|{}:{spec}{:?}|", shown.field, shown.measures);
                    pieces.push_str(&piece);
                }
                pieces + &template.tail
            }
            Err(error) => format!("error: {error}"),
        }
    }

    #[test]
    fn texts_become_pieces() {
        for (text, pieces) in [
            ("plain", "plain"),
            ("{id} and {id}.", "|0:[]| and |0:[]|."),
            ("{id} {id:?}", "|0:[]| |0:?[]|"),
            ("{{{id}}}", "{|0:[]|}"),
            ("{r#type}{type:}", "|2:[]||2:[]|"),
            ("{id:>width$.3}", "|0:>_$.3[1]|"),
            ("{id:0width$.type$}", "|0:0_$._$[1, 2]|"),
            ("{id:$>5}", "|0:$>5[]|"),
            ("{id:$^width$}", "|0:$^_$[1]|"),
            ("{ id : >4 }", "|0: >4[]|"),
            ("ünï{id}", "ünï|0:[]|"),
        ] {
            assert_eq!(rewrite(text), pieces, "{text}");
        }
    }

    #[test]
    fn pieces_become_one_format_string() {
        let names = ["id".to_owned(), "width".to_owned()];
        for (text, written) in [
            (
                "{id} {{}} {id}",
                r#"f.write_fmt(::core::format_args!("{0} {{}} {0}",__error_0))"#,
            ),
            (
                "{id:0width$.width$} {width}",
                r#"f.write_fmt(::core::format_args!("{0:01$.1$} {2}",__error_0,*__error_1,__error_1))"#,
            ),
            ("plain {{", r#"f.write_str("plain {")"#),
        ] {
            let literal = LitStr::new(text, Span::call_site());
            let template = Template::parse("message", &literal, &names).unwrap();
            let tokens = template.write(&quote!(f)).to_string();
            let (tokens, written) = (tokens.replace(' ', ""), written.replace(' ', ""));
            assert_eq!(tokens, written, "{text}");
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
