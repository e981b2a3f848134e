//! A small service of meetings on axum: conflicts, capacity, validation, tokens, versions, idempotent requests. Its
//! handlers return errors of the domain; what a client reads of them is declared once, in `errors.rs`. It makes
//! a list of requests to itself and prints each with its answer, and what the server logs in between.
//!
//! ```sh
//! cargo run -p examples --example meetings                         # by itself
//! cargo run -p examples --example meetings -- --port 8080 --stay   # then goes on, and says what to try
//! ```
//!
//! Read in this order: `errors.rs`, `calendar.rs`, `app.rs`; then `legacy.rs` for the parts that answer otherwise.

mod app;
mod arguments;
mod meetings;
mod steps;
#[cfg(test)]
mod tests;
mod tour;

use std::error::Error;
use std::process::ExitCode;

use tokio::net::TcpListener;

use crate::arguments::Arguments;
use crate::meetings::Services;

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
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    tracing_subscriber::fmt()
        .without_time()
        .with_target(false)
        .init();
    let listener = TcpListener::bind(("127.0.0.1", arguments.port)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let app = app::app(Services::in_memory());
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    tour::tour(&url).await?;
    if arguments.stay {
        tour::say_what_to_try(&url);
        server.await??;
    }
    Ok(())
}
