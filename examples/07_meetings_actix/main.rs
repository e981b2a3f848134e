//! The service of `06_meetings` on actix-web: the same domain, errors, and list of requests; only routes and
//! extractors are others.
//!
//! ```sh
//! cargo run -p examples --example meetings_actix
//! cargo run -p examples --example meetings_actix -- --port 8080 --stay
//! ```

mod app;
#[path = "../06_meetings/arguments.rs"]
mod arguments;
#[path = "../06_meetings/meetings/mod.rs"]
mod meetings;
#[path = "../06_meetings/steps.rs"]
mod steps;
#[cfg(test)]
mod tests;
#[path = "../06_meetings/tour.rs"]
mod tour;

use std::error::Error;
use std::process::ExitCode;

use actix_web::{App, HttpServer};
use error_runtime::ErrorMiddleware;

use crate::arguments::Arguments;
use crate::meetings::Services;

#[actix_web::main]
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
        .with_max_level(tracing::Level::WARN)
        .init();
    let services = Services::in_memory();
    // Made once: the workers share its reporters.
    let edge = ErrorMiddleware::new();
    let server = HttpServer::new(move || {
        App::new()
            .configure(app::routes(services.clone()))
            .wrap(edge.clone())
    });
    let server = server.workers(1).bind(("127.0.0.1", arguments.port))?;
    let address = server.addrs().first().copied();
    let url = format!("http://{}", address.ok_or("no address is bound")?);
    let running = server.run();
    let handle = running.handle();
    let ended = actix_web::rt::spawn(running);
    tour::tour(&url).await?;
    if arguments.stay {
        tour::say_what_to_try(&url);
        ended.await??;
    } else {
        handle.stop(true).await;
    }
    Ok(())
}
