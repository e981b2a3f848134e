//! A program that calls the service of `06_meetings`: it reads what errors say, sends again what is worth it
//! after the wait that the server asks for, makes nothing twice, leaves a server alone that is down, and
//! survives what proxies answer.
//!
//! ```sh
//! cargo run -p examples --example client                                # starts a server itself
//! cargo run -p examples --example client -- --url http://127.0.0.1:8080 # the one that `meetings --stay` is
//! ```
//!
//! Read in this order: `error.rs`, `api.rs`, `transport.rs`.

mod api;
#[path = "../06_meetings/app.rs"]
mod app;
mod between;
mod error;
#[cfg(test)]
mod fakes;
#[path = "../06_meetings/meetings/mod.rs"]
mod meetings;
#[cfg(test)]
mod tests;
mod transport;

use std::error::Error;
use std::process::ExitCode;

use axum::Router;
use error_runtime::{ApiError as _, Breakers, Classify as _};
use http::Method;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::api::{Meetings, NewMeeting, call};
use crate::error::Kind;
use crate::meetings::Services;
use crate::transport::Http;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let url = url(std::env::args().skip(1))?;
    tracing_subscriber::fmt()
        .without_time()
        .with_target(false)
        .init();
    let server = match url {
        Some(url) => url,
        None => serve(app::app(Services::in_memory())).await?,
    };
    let proxy = serve(between::proxy(server.clone())).await?;
    let direct = Http::new(server)?;
    let meetings = Meetings::new(direct.clone());

    println!("== The store is away for two calls: the client waits as it is asked to");
    meetings.take_store_away(2).await?;
    let planning = new_meeting("Planning", "attic");
    let made = meetings.create(&planning).await?;
    println!("{made:?}\n");

    println!("== What another attempt does not help is not sent again");
    for wrong in [planning, new_meeting("", "cellar")] {
        match meetings.create(&wrong).await {
            Ok(meeting) => return Err(format!("{meeting:?} should not be").into()),
            Err(error) => match &error.kind {
                Kind::Conflict { with } => println!("choose another time than {with:?}: {error}"),
                Kind::Invalid { errors } => println!("{} mistakes: {error}", errors.len()),
                _ => return Err(error.into()),
            },
        }
    }

    println!("\n== The answer to a request is lost: the same key, so the same meeting");
    let through_proxy = Meetings::new(direct.at(proxy.clone()));
    let talk = through_proxy.create(&new_meeting("Talk", "hall")).await?;
    let all = meetings.all().await?;
    let talks = all.iter().filter(|meeting| **meeting == talk).count();
    println!("{talk:?}, there {talks} time\n");

    println!("== Answers that are not the service's");
    for stranger in ["empty", "portal", "moved", "endless"] {
        let meetings = Meetings::new(direct.at(format!("{proxy}/{stranger}")));
        let call = call(Method::GET, "/meetings/1");
        if let Err(error) = meetings.once::<Value>(&call).await {
            let again = error.classify().retryable;
            println!("{error}; worth another attempt: {again}");
        }
    }

    println!("\n== The store is away for good: the circuit opens, and the next call is not sent");
    meetings.take_store_away(1000).await?;
    for _ in 0..2 {
        if let Err(error) = meetings.read(made.id).await {
            println!("{error}");
            if let Kind::Rejected(rejected) = &error.kind
                && let Some(wait) = rejected.retry_after()
            {
                println!("the store is back, and the client waits until it may ask");
                meetings.take_store_away(0).await?;
                tokio::time::sleep(wait).await;
            }
        }
    }
    println!("{:?}", meetings.read(made.id).await?);
    if let Some(breaker) = Breakers::global().get("meetings") {
        println!("the circuit is {}", breaker.state().as_str());
    }

    for meeting in [made, talk] {
        meetings.cancel(meeting.id).await?;
    }
    Ok(())
}

fn new_meeting(title: &str, room: &str) -> NewMeeting {
    NewMeeting {
        title: title.to_owned(),
        room: room.to_owned(),
        start_time: "2027-04-01T09:00:00Z".to_owned(),
        end_time: "2027-04-01T10:00:00Z".to_owned(),
    }
}

/// `--url URL`, or nothing.
fn url(mut given: impl Iterator<Item = String>) -> Result<Option<String>, String> {
    match (given.next().as_deref(), given.next(), given.next()) {
        (None, ..) => Ok(None),
        (Some("--url"), Some(url), None) => Ok(Some(url.trim_end_matches('/').to_owned())),
        (Some("--url"), None, _) => Err("`--url` needs an address after it".to_owned()),
        (Some("--url"), _, Some(more)) => Err(format!("unknown argument `{more}`")),
        (Some(unknown), ..) => Err(format!(
            "unknown argument `{unknown}`; there is `--url URL`"
        )),
    }
}

async fn serve(app: Router) -> Result<String, std::io::Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(url)
}
