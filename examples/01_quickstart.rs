//! An error enum with six kinds of failure, and what a client of an axum server gets for each.
//!
//! `cargo run --example quickstart`

use std::io::{Error as IoError, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use axum::{Router, extract::Path, routing::get};
use error_runtime::ApiError;

#[derive(Debug, ApiError)]
#[api(domain = "meetings", docs = "https://docs.example.com/errors")]
enum MeetingError {
    #[api(status = 404, message = "meeting {id} not found", details)]
    NotFound { id: u64 },
    #[api(
        status = 409,
        message = "the time conflicts with other meetings",
        details
    )]
    Conflict { conflicting_meetings: Vec<u64> },
    #[api(status = 401, message = "sign in again")]
    SignedOut,
    #[api(status = 429, message = "too many requests")]
    TooFast(#[api(retry_after)] Duration),
    #[api(status = 503, message = "the calendar is away", retry_after = "30s")]
    Calendar(#[from] IoError),
    #[api(status = 500, display = "cannot connect with password {password}")]
    Misconfigured { password: String },
}

async fn meeting(Path(id): Path<u64>) -> Result<String, MeetingError> {
    match id {
        1 => Ok("the first meeting".to_owned()),
        2 => Err(MeetingError::Conflict {
            conflicting_meetings: vec![7, 9],
        }),
        3 => Err(MeetingError::SignedOut),
        4 => Err(MeetingError::TooFast(Duration::from_millis(1500))),
        5 => Err(IoError::other("10.0.0.7 refused").into()),
        6 => Err(MeetingError::Misconfigured {
            password: "hunter2".to_owned(),
        }),
        _ => Err(MeetingError::NotFound { id }),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), IoError> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let client = tokio::task::spawn_blocking(move || (1..=7).try_for_each(|id| ask(address, id)));
    let server = axum::serve(
        listener,
        Router::new().route("/meetings/{id}", get(meeting)),
    );
    tokio::select! {
        answered = client => answered?,
        ended = server.into_future() => ended,
    }
}

/// Asks for one meeting and prints the answer as it comes over the wire.
fn ask(address: SocketAddr, id: u64) -> Result<(), IoError> {
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "GET /meetings/{id} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    println!("GET /meetings/{id}\n{}\n", answer.replace('\r', ""));
    Ok(())
}
