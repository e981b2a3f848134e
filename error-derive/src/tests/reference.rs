//! Every key of the vocabulary is documented: in the table of its macro's rustdoc page, and with an example of
//! its own in the book's reference. What is documented exists.

use std::collections::BTreeSet;
use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::attribute::keys::{OWN_ATTRIBUTES, Place, keys_at};

/// The attributes of functions, and where their pages are.
const POLICIES: &[(Place, &str)] = &[
    (Place::Retry, "retry"),
    (Place::CircuitBreaker, "circuit_breaker"),
    (Place::Timeout, "timeout"),
    (Place::Fallback, "fallback"),
    (Place::RateLimit, "rate_limit"),
    (Place::Bulkhead, "bulkhead"),
    (Place::Recover, "recover"),
];

fn page(path: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The rows of the page's tables, as cells.
fn rows(page: &str) -> Vec<Vec<String>> {
    let rows = page.lines().filter(|line| line.starts_with('|'));
    rows.map(|row| {
        // An escaped bar is part of its cell.
        let cells = row.replace("\\|", "\u{0}");
        let cells = cells.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().to_owned()).collect()
    })
    .collect()
}

/// The key that a cell begins with: `` `retry_after = "30s"` `` is `retry_after`.
fn key_of(cell: &str) -> Option<String> {
    let code = cell.strip_prefix('`')?;
    let key = code.trim_start_matches("#[");
    let end = key.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
    Some(key[..end].to_owned())
}

fn documented<'r>(rows: impl IntoIterator<Item = &'r Vec<String>>) -> BTreeSet<String> {
    rows.into_iter().filter_map(|row| key_of(&row[0])).collect()
}

fn known(place: Place) -> BTreeSet<String> {
    keys_at(place).map(str::to_owned).collect()
}

/// What the page says of each key: the heading `` ### `key` `` and what is below it. A heading may name a place
/// after the key.
fn sections(page: &str) -> Vec<(String, &str)> {
    let parts = page.split("\n### `").skip(1);
    parts
        .map(|part| {
            let key = part.split('`').next().unwrap_or_default();
            let key = key.trim_start_matches("#[").trim_end_matches(']');
            (key.to_owned(), part)
        })
        .collect()
}

/// Whether an attribute of the macro `name` in the block has the key. Words in texts, comments and values are no keys.
fn uses(block: &str, name: &str, key: &str) -> bool {
    let code = block.strip_prefix("rust").unwrap_or(block);
    // Lines that the page folds away are code too: `# ` hides one, `##` stands for `#`.
    let code: String = code
        .lines()
        .map(|line| match line.trim_start().strip_prefix('#') {
            Some("") => "\n".to_owned(),
            Some(hidden) if hidden.starts_with([' ', '#']) => format!("{}\n", &hidden[1..]),
            _ => format!("{line}\n"),
        })
        .collect();
    let tokens: TokenStream = code
        .parse()
        .unwrap_or_else(|error| panic!("an example of `{key}`: {error}\n{code}"));
    let name = if name == "api_error" { "api" } else { name };
    attributes(tokens)
        .into_iter()
        .any(|attribute| has_key(attribute, name, key))
}

/// What stands in the brackets of each attribute, wherever it is.
fn attributes(tokens: TokenStream) -> Vec<TokenStream> {
    let mut found = Vec::new();
    let mut after_hash = false;
    for token in tokens {
        let is_hash = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '#');
        if let TokenTree::Group(group) = token {
            if after_hash && group.delimiter() == Delimiter::Bracket {
                found.push(group.stream());
            } else {
                found.extend(attributes(group.stream()));
            }
        }
        after_hash = is_hash;
    }
    found
}

/// `name(…, key = value, …)`, also `key` and `key(…)`; an attribute on its own, `#[key]`, is its own key.
fn has_key(attribute: TokenStream, name: &str, key: &str) -> bool {
    let is_ident = |token: Option<&TokenTree>, text: &str| matches!(token, Some(TokenTree::Ident(ident)) if *ident == text);
    let tokens: Vec<TokenTree> = attribute.into_iter().collect();
    let Some(TokenTree::Group(list)) = tokens.get(1) else {
        return is_ident(tokens.first(), key);
    };
    if !is_ident(tokens.first(), name) {
        return false;
    }
    let list: Vec<TokenTree> = list.stream().into_iter().collect();
    let is_comma =
        |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
    list.split(is_comma).any(|item| {
        is_ident(item.first(), key)
            && match item.get(1) {
                None | Some(TokenTree::Group(_)) => true,
                Some(TokenTree::Punct(punct)) => punct.as_char() == '=',
                Some(_) => false,
            }
    })
}

#[test]
fn a_word_is_no_key() {
    for (block, name, key, is_used) in [
        (
            "#[retry(attempts = 3)] fn f() {}",
            "retry",
            "attempts",
            true,
        ),
        (
            "# #[retry(base = \"1s\", attempts = 3)]\n# fn f() {}",
            "retry",
            "attempts",
            true,
        ),
        ("#[retry(clone(name))] fn f() {}", "retry", "clone", true),
        (
            "enum E { #[api(status = 404, details)] A }",
            "api_error",
            "details",
            true,
        ),
        ("struct E(#[source] Cause);", "api_error", "source", true),
        ("// attempts = 3", "retry", "attempts", false),
        ("let attempts = 3;", "retry", "attempts", false),
        (
            "#[retry(base = attempts)] fn f() {}",
            "retry",
            "attempts",
            false,
        ),
        (
            "#[retry(on_retry = tell(3, attempts))] fn f() {}",
            "retry",
            "attempts",
            false,
        ),
        (
            "#[recover(attempts = 3)] fn f() {}",
            "retry",
            "attempts",
            false,
        ),
        (
            "#[api(message = \"no, details\")] struct E;",
            "api_error",
            "details",
            false,
        ),
        (
            "#[api(status = 404)] struct E { source: Cause }",
            "api_error",
            "source",
            false,
        ),
    ] {
        assert_eq!(uses(block, name, key), is_used, "{block}");
    }
}

/// Every key has a section, every section a key, and an example that uses it.
fn check_examples(name: &str, known: &BTreeSet<String>) {
    let text = page(&format!("../docs/src/reference/{name}.md"));
    let include = format!("{{{{#include ../../../error-derive/docs/{name}.md}}}}");
    assert!(
        text.contains(&include),
        "reference/{name}.md lacks {include}"
    );
    let sections = sections(&text);
    let named: BTreeSet<String> = sections.iter().map(|(key, _)| key.clone()).collect();
    assert_eq!(named, *known, "reference/{name}.md: headings, and keys");
    let lacks = |(key, section): &(String, &str)| {
        let examples = section.split("```").skip(1).step_by(2);
        let mut rust = examples.filter(|block| block.starts_with("rust\n"));
        !rust.any(|block| uses(block, name, key))
    };
    let lacking: Vec<_> = sections
        .into_iter()
        .filter(lacks)
        .map(|(key, _)| key)
        .collect();
    assert!(
        lacking.is_empty(),
        "reference/{name}.md: no compiled example of {lacking:?} below their headings"
    );
}

#[test]
fn every_key_of_a_policy_is_in_its_table() {
    for (place, name) in POLICIES {
        let rows = rows(&page(&format!("docs/{name}.md")));
        assert_eq!(
            documented(&rows),
            known(*place),
            "error-derive/docs/{name}.md"
        );
    }
}

#[test]
fn every_key_of_a_declaration_is_in_the_table() {
    let text = page("docs/api_error.md");
    let rows = rows(&text);
    let on = |place: &str| {
        let here = rows
            .iter()
            .filter(|row| row[1].split(", ").any(|on| on == place));
        documented(here)
    };
    let own = OWN_ATTRIBUTES.iter().map(|name| (*name).to_owned());
    let field = known(Place::Field).into_iter().chain(own).collect();
    assert_eq!(on("enum"), known(Place::Enum), "on an enum");
    assert_eq!(on("variant"), known(Place::Variant), "on a variant");
    assert_eq!(on("field"), field, "on a field");
    // As the page says of a struct, besides what is a struct's alone.
    let both = known(Place::Enum)
        .union(&known(Place::Variant))
        .cloned()
        .collect();
    assert_eq!(known(Place::Struct), both, "on a struct");
}

#[test]
fn every_row_of_a_table_says_what_the_default_is() {
    let declaration = rows(&page("docs/api_error.md"));
    let policies = POLICIES
        .iter()
        .flat_map(|(_, name)| rows(&page(&format!("docs/{name}.md"))));
    for row in declaration.into_iter().chain(policies) {
        assert!(
            row.iter().all(|cell| !cell.is_empty()),
            "an empty cell: {row:?}"
        );
    }
}

#[test]
fn every_page_shows_the_expansion_and_the_mistakes() {
    for (_, name) in POLICIES.iter().chain(&[(Place::Enum, "api_error")]) {
        let text = page(&format!("docs/{name}.md"));
        for part in [
            "\n```rust\n",
            "\n# Keys\n",
            "\n# What it expands to\n",
            "\n# Mistakes\n",
            "\n```rust,compile_fail\n",
        ] {
            assert!(
                text.contains(part),
                "error-derive/docs/{name}.md has no {part:?}"
            );
        }
    }
}

#[test]
fn every_key_of_a_policy_has_an_example() {
    for (place, name) in POLICIES {
        let mut known = known(*place);
        if let Place::Recover = place {
            // The rest is what it is on these, and has its examples there.
            let parts = keys_at(Place::Retry).chain(keys_at(Place::CircuitBreaker));
            for key in parts {
                known.remove(key);
            }
        }
        check_examples(name, &known);
    }
}

#[test]
fn every_key_of_a_declaration_has_an_example() {
    let places = [Place::Enum, Place::Variant, Place::Field];
    let own = OWN_ATTRIBUTES.iter().map(|name| (*name).to_owned());
    let known = places.into_iter().flat_map(known).chain(own).collect();
    check_examples("api_error", &known);
}
