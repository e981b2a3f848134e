//! Makes the requests of the list to a server, and prints them with their answers.

use std::error::Error;

use reqwest::{Client, Method, RequestBuilder};

use crate::steps::{STEPS, Step};

/// An answer that is not as the list has it ends the tour.
pub(crate) async fn tour(url: &str) -> Result<(), Box<dyn Error>> {
    let client = Client::new();
    for step in STEPS {
        show_request(step);
        let response = request(&client, url, step)?.send().await?;
        let status = response.status();
        println!("< {status}");
        for name in SHOWN {
            if let Some(value) = response.headers().get(name) {
                println!("< {name}: {}", value.to_str()?);
            }
        }
        let body = response.text().await?;
        println!("{body}\n");
        if status != step.status || !body.contains(step.says) {
            let (about, status, says) = (step.about, step.status, step.says);
            return Err(format!("{about}: not {status} with `{says}`").into());
        }
    }
    println!("{} requests, all answered as they should be", STEPS.len());
    Ok(())
}

/// The headers of an answer that say something here.
const SHOWN: [&str; 6] = [
    "content-type",
    "etag",
    "allow",
    "www-authenticate",
    "retry-after",
    "x-request-id",
];

fn show_request(step: &Step) {
    println!("== {}", step.about);
    println!("> {} {}", step.method, step.path);
    if let Some(token) = step.token {
        println!("> authorization: Bearer {token}");
    }
    for (name, value) in step.headers {
        println!("> {name}: {value}");
    }
    if let Some(body) = step.body {
        println!("> {body}");
    }
}

fn request(client: &Client, url: &str, step: &Step) -> Result<RequestBuilder, Box<dyn Error>> {
    let method = Method::from_bytes(step.method.as_bytes())?;
    let mut request = client.request(method, format!("{url}{}", step.path));
    if let Some(token) = step.token {
        request = request.bearer_auth(token);
    }
    for (name, value) in step.headers {
        request = request.header(*name, *value);
    }
    if let Some(body) = step.body {
        request = request
            .header("content-type", "application/json")
            .body(body);
    }
    Ok(request)
}

/// What to try by hand.
pub(crate) fn say_what_to_try(url: &str) {
    println!("\n{url} stays. Try:");
    println!("  curl -i -H 'Authorization: Bearer ada-token' {url}/meetings");
    println!("  curl -i -H 'Authorization: Bearer ada-token' {url}/v1/meetings/7");
    println!("  curl -i -H 'Authorization: Bearer ops-token' {url}/admin/meetings/2");
    println!(
        "  curl -i -H 'Authorization: Bearer ops-token' --json '{{\"calls\":3}}' {url}/admin/outage"
    );
    println!("  cargo run -p examples --example client -- --url {url}");
}
