//! What the frameworks cost by themselves: a finished body of about the same length.

use actix_web::HttpResponse;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

static BODY: &[u8] = &[b'x'; 240];

/// With the default map, as handlers do.
pub fn axum() -> Response {
    let mut response = Response::new(Body::from(BODY));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

/// With a map for one header.
pub fn axum_small_map() -> Response {
    let mut headers = HeaderMap::with_capacity(1);
    headers.insert(CONTENT_TYPE, JSON);
    let mut response = Response::new(Body::from(BODY));
    *response.status_mut() = StatusCode::NOT_FOUND;
    *response.headers_mut() = headers;
    response
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

pub fn actix() -> HttpResponse {
    HttpResponse::build(actix_web::http::StatusCode::NOT_FOUND)
        .content_type(actix_web::http::header::HeaderValue::from_static(
            "application/json",
        ))
        .body(BODY)
}
