//! The `OpenAPI` document, made of the table of endpoints.

use std::sync::Arc;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::endpoint::{ENDPOINTS, Endpoint};
use super::guard::{Call, Entrance};
use super::{AdminError, Answer, Api};

pub(super) async fn serve(api: Arc<Api>, _: &mut Call) -> Result<Answer, AdminError> {
    Answer::json(&document(&api.entrance))
}

fn document(entrance: &Entrance) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    // What is sent may leave out what has a default; what is answered never does.
    let mut bodies = settings
        .clone()
        .with(|settings| settings.inline_subschemas = true)
        .for_deserialize()
        .into_generator();
    let mut generator = settings.for_serialize().into_generator();
    let mut paths: Map<String, Value> = Map::new();
    for endpoint in ENDPOINTS {
        let answer = (endpoint.answer)(&mut generator);
        let body = endpoint.body.map(|schema| schema(&mut bodies));
        let method = if endpoint.is_change { "post" } else { "get" };
        let path = paths
            .entry(endpoint.place(entrance))
            .or_insert_with(|| json!({}));
        path[method] = operation(
            endpoint,
            &json!(answer),
            body.map(|body| json!(body)).as_ref(),
        );
    }
    let mut schemas = generator.take_definitions(true);
    schemas.insert("Error".to_owned(), envelope());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "error-monitor",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What fails, since when, and the lever to act.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
        },
    })
}

fn operation(endpoint: &Endpoint, answer: &Value, body: Option<&Value>) -> Value {
    let in_path = endpoint.path.split('/').filter_map(|part| {
        let name = part.strip_prefix('{')?.strip_suffix('}')?;
        Some(json!({
            "name": name, "in": "path", "required": true,
            "schema": { "type": "string", "minLength": 1 },
        }))
    });
    let in_query = endpoint.params.iter().map(|param| {
        json!({
            "name": param.name, "in": "query", "required": false,
            "description": param.about, "schema": param.kind.schema(),
        })
    });
    let parameters: Vec<Value> = in_path.chain(in_query).collect();
    let media_type = endpoint.media_type;
    let mut responses = json!({
        "200": { "description": "As asked.", "content": { media_type: { "schema": answer } } },
    });
    let mut errors = vec![400_u16, 404];
    if endpoint.role.is_some() {
        errors.extend([401, 403, 405, 429, 503]);
    }
    if !endpoint.params.is_empty() || body.is_some() {
        errors.push(422);
    }
    if endpoint.is_change {
        errors.extend([409, 413, 415]);
    }
    errors.extend(endpoint.also);
    for status in errors {
        let code = axum::http::StatusCode::from_u16(status).unwrap_or_default();
        let mut content = json!({
            "application/json": { "schema": { "$ref": "#/components/schemas/Error" } },
            "application/problem+json": { "schema": { "type": "object" } },
            "text/html": { "schema": { "type": "string" } },
        });
        if status == 503 && endpoint.role.is_none() {
            // Not ready is no error of the endpoint: it says what is missing.
            content[media_type] = json!({ "schema": answer });
        }
        responses[status.to_string()] = json!({
            "description": code.canonical_reason().unwrap_or("An error."),
            "content": content,
        });
    }
    let mut operation = json!({
        "operationId": endpoint.id,
        "summary": endpoint.about,
        "parameters": parameters,
        "responses": responses,
        "security": if endpoint.role.is_some() { json!([{ "token": [] }]) } else { json!([{}, { "token": [] }]) },
    });
    if let Some(role) = endpoint.role {
        operation["x-role"] = json!(role);
    }
    if let Some(body) = body {
        operation["requestBody"] = json!({
            "required": !endpoint.body_optional,
            "content": { "application/json": { "schema": body } },
        });
    }
    operation
}

/// The envelope of every error, as the runtime writes it.
fn envelope() -> Value {
    json!({
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["code", "message", "timestamp", "recoverable"],
                "properties": {
                    "code": { "type": "string" },
                    "message": { "type": "string" },
                    "status": { "type": "integer" },
                    "details": { "type": "object" },
                    "errors": { "type": "array", "items": { "type": "object" } },
                    "timestamp": { "type": "string", "format": "date-time" },
                    "recoverable": { "type": "boolean" },
                    "request_id": { "type": "string" },
                },
            },
        },
    })
}
