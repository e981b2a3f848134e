//! One event as a line of JSON.

use std::fmt::Debug;

use error_runtime::time::Timestamp;
use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata};

/// What an event or a span says.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(pub(super) Map<String, Value>);

/// The longest text of one field.
const MOST: usize = 16 * 1024;

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        // A raw identifier is written without its mark.
        self.0
            .insert(field.name().trim_start_matches("r#").to_owned(), value);
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        // What no number of JSON is, is a text.
        let number = serde_json::Number::from_f64(value).map(Value::Number);
        self.put(field, number.unwrap_or_else(|| json!(value.to_string())));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, json!(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, json!(value));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.put(field, json!(value.to_string()));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.put(field, json!(value.to_string()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, json!(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, json!(crate::text::clean(value, MOST)));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(
            field,
            json!(crate::text::clean(&format!("{value:?}"), MOST)),
        );
    }
}

/// The line of an event, with its end. Control characters are escaped, as JSON wants it: one event is one line.
pub(super) fn line(metadata: &Metadata<'_>, fields: Fields, spans: &[(&str, Fields)]) -> Vec<u8> {
    let mut all = Map::new();
    all.insert("timestamp".to_owned(), json!(Timestamp::now()));
    all.insert("level".to_owned(), json!(metadata.level().as_str()));
    all.insert("target".to_owned(), json!(metadata.target()));
    // What the request's span says holds for all in it; what is nearer wins.
    for (_, fields) in spans {
        for (name, value) in &fields.0 {
            insert(&mut all, name, value.clone());
        }
    }
    for (name, value) in fields.0 {
        insert(&mut all, &name, value);
    }
    if !spans.is_empty() {
        let names: Vec<_> = spans.iter().map(|(name, _)| *name).collect();
        all.insert("spans".to_owned(), json!(names));
    }
    let mut line = serde_json::to_vec(&all).unwrap_or_default();
    line.push(b'\n');
    line
}

/// A field may not pass for what the line says by itself.
fn insert(all: &mut Map<String, Value>, name: &str, value: Value) {
    let name = match name {
        "timestamp" | "level" | "target" | "spans" => format!("field_{name}"),
        _ => name.to_owned(),
    };
    all.insert(name, value);
}

/// The fields of an event.
pub(super) fn fields(event: &Event<'_>) -> Fields {
    let mut fields = Fields::default();
    event.record(&mut fields);
    fields
}
