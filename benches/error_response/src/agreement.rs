//! Comparing rows is fair only if they say the same: the bodies are read back before anything is timed.

use std::error::Error;

use actix_web::HttpResponse;
use axum::response::Response;
use http_body_util::BodyExt as _;
use serde_json::{Map, Value};

use crate::{by_hand, ours};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Ours and the hand-written body have the same members with the same values; but for the time, which
/// ours takes from the clock.
pub fn check() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    for (framework, ours, by_hand) in [
        (
            "axum",
            runtime.block_on(axum_body(ours::axum()))?,
            runtime.block_on(axum_body(by_hand::axum()))?,
        ),
        (
            "actix",
            runtime.block_on(actix_body(ours::actix()))?,
            runtime.block_on(actix_body(by_hand::actix()))?,
        ),
    ] {
        let (ours, by_hand) = (members(&ours)?, members(&by_hand)?);
        if ours.len() != by_hand.len() {
            return Err(format!("{framework}: {ours:?} has other members than {by_hand:?}").into());
        }
        for (key, expected) in by_hand {
            let actual = ours.get(key).unwrap_or(&Value::Null);
            let agrees = match key.as_str() {
                "timestamp" => length(actual) == length(expected),
                _ => actual == expected,
            };
            if !agrees {
                return Err(format!("{framework}: `{key}` is {actual}, not {expected}").into());
            }
        }
    }
    Ok(())
}

fn members(body: &Value) -> Result<&Map<String, Value>> {
    Ok(body["error"].as_object().ok_or("the body has no `error`")?)
}

fn length(text: &Value) -> Option<usize> {
    text.as_str().map(str::len)
}

async fn axum_body(response: Response) -> Result<Value> {
    let status = response.status().as_u16();
    let body = response.into_body().collect().await?.to_bytes();
    read(status, &body)
}

async fn actix_body(response: HttpResponse) -> Result<Value> {
    let status = response.status().as_u16();
    match actix_web::body::to_bytes(response.into_body()).await {
        Ok(body) => read(status, &body),
        Err(error) => Err(error.to_string().into()),
    }
}

fn read(status: u16, body: &[u8]) -> Result<Value> {
    if status != 404 {
        return Err(format!("the status is {status}").into());
    }
    Ok(serde_json::from_slice(body)?)
}
