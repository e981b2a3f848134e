//! What the `OpenAPI` document promises, held against what is answered.

use reqwest::Method;
use serde_json::Value;

use crate::support::{Answer, MOUNT, OPERATOR, Server};

/// The served document.
pub(crate) async fn document(server: &Server) -> Value {
    let request = server.request(Method::GET, "openapi.json");
    Answer::of(request.bearer_auth(OPERATOR)).await.ok()
}

/// The path of the document that a path is one of; the one with the fewest placeholders.
fn path_of<'d>(document: &'d Value, method: &str, path: &str) -> &'d Value {
    let wanted = format!("{MOUNT}/{path}");
    let wanted: Vec<_> = wanted.split('/').collect();
    let paths = document["paths"].as_object().unwrap();
    let found = paths.iter().filter(|(template, operations)| {
        let parts: Vec<_> = template.split('/').collect();
        operations.get(method).is_some()
            && parts.len() == wanted.len()
            && parts
                .iter()
                .zip(&wanted)
                .all(|(part, wanted)| part.starts_with('{') || part == wanted)
    });
    let best = found.min_by_key(|(template, _)| template.matches('{').count());
    &best
        .unwrap_or_else(|| panic!("{method} {path} is not in the document"))
        .1[method]
}

/// An answer has the shape that the document says, and nothing that it does not.
pub(crate) async fn assert_documented(
    server: &Server,
    method: &str,
    path: &str,
    status: &str,
    value: &Value,
) {
    let document = document(server).await;
    let operation = path_of(&document, method, path);
    let content = operation["responses"][status]["content"].as_object();
    let content = content.unwrap_or_else(|| panic!("{method} {path}: no {status} in the document"));
    let (_, media) = content
        .iter()
        .find(|(name, _)| name.contains("json"))
        .unwrap();
    let mut wrong = Vec::new();
    compare(&document, &media["schema"], value, "", &mut wrong);
    assert!(wrong.is_empty(), "{method} {path}: {wrong:#?}\n{value:#}");
}

/// Only what the document uses; a keyword that is not known here is a failure, so that none goes unread.
fn compare(document: &Value, schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
    let Some(rules) = schema.as_object() else {
        // `true`: anything.
        assert_eq!(*schema, Value::Bool(true));
        return;
    };
    for (rule, wanted) in rules {
        match rule.as_str() {
            "$ref" => {
                let name = wanted.as_str().unwrap().strip_prefix("#").unwrap();
                let schema = document
                    .pointer(name)
                    .expect("what is referred to is there");
                compare(document, schema, value, at, wrong);
                assert_alone(rules);
                return;
            }
            "type" => {
                let names = wanted
                    .as_array()
                    .map_or_else(|| vec![wanted], |all| all.iter().collect());
                if !names
                    .iter()
                    .any(|name| is_type(name.as_str().unwrap(), value))
                {
                    complain(wrong, at, &format!("not {wanted}: {value}"));
                }
            }
            "required" => {
                for name in wanted.as_array().unwrap() {
                    if value.is_object() && value.get(name.as_str().unwrap()).is_none() {
                        complain(wrong, at, &format!("without {name}"));
                    }
                }
            }
            "enum" if !wanted.as_array().unwrap().contains(value) => {
                complain(wrong, at, &format!("not of {wanted}: {value}"));
            }
            "const" if wanted != value => complain(wrong, at, &format!("not {wanted}: {value}")),
            "minimum"
                if value
                    .as_f64()
                    .is_some_and(|number| number < wanted.as_f64().unwrap()) =>
            {
                complain(wrong, at, &format!("below {wanted}: {value}"));
            }
            "maximum"
                if value
                    .as_f64()
                    .is_some_and(|number| number > wanted.as_f64().unwrap()) =>
            {
                complain(wrong, at, &format!("above {wanted}: {value}"));
            }
            "format" if wanted == "date-time" && value.is_string() => {
                let text = value.as_str().unwrap();
                // As RFC 3339 has it, in UTC and to the millisecond.
                if text.len() != 24 || !text.ends_with('Z') || text.as_bytes()[10] != b'T' {
                    complain(wrong, at, &format!("no moment: {value}"));
                }
            }
            "enum"
            | "const"
            | "minimum"
            | "maximum"
            | "format"
            | "additionalProperties"
            | "description"
            | "default"
            | "title" => {}
            "items" => {
                for (place, item) in value.as_array().into_iter().flatten().enumerate() {
                    compare(document, wanted, item, &format!("{at}/{place}"), wrong);
                }
            }
            "properties" => {
                for (name, field) in value.as_object().into_iter().flatten() {
                    let at = format!("{at}/{name}");
                    match wanted.get(name) {
                        Some(schema) => compare(document, schema, field, &at, wrong),
                        None => wrong.push(format!("{at}: not in the document")),
                    }
                }
            }
            "anyOf" | "oneOf" => {
                let fits = wanted.as_array().unwrap().iter().filter(|schema| {
                    let mut wrong = Vec::new();
                    compare(document, schema, value, at, &mut wrong);
                    wrong.is_empty()
                });
                if fits.count() == 0 {
                    complain(wrong, at, &format!("fits none of {rule}: {value}"));
                }
            }
            other => panic!("{at}: the keyword `{other}` is not known here"),
        }
    }
}

/// Beside a reference stands nothing but texts: what else stood there would not be looked at.
fn assert_alone(rules: &serde_json::Map<String, Value>) {
    assert!(
        rules
            .keys()
            .all(|rule| matches!(rule.as_str(), "$ref" | "description" | "default"))
    );
}

fn is_type(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("there is no type `{other}`"),
    }
}

fn complain(wrong: &mut Vec<String>, at: &str, what: &str) {
    wrong.push(format!("{at}: {what}"));
}
