//! The least that the edge needs on actix-web: declared errors, the framework's own failures and panics in one
//! shape, every request with an id.
//!
//! ```sh
//! cargo run -p examples --example edge_actix
//! ```

use std::error::Error;

use actix_web::{App, HttpServer, web};
use error_runtime::{ApiError, ErrorMiddleware};

#[derive(Debug, ApiError)]
enum MeetingError {
    #[api(status = 404, message = "meeting {id} not found", details)]
    NotFound { id: u64 },
}

async fn meeting(id: web::Path<u64>) -> Result<String, MeetingError> {
    Err(MeetingError::NotFound { id: *id })
}

async fn bug() -> &'static str {
    panic!("no calendar at 10.0.0.7")
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .without_time()
        .with_max_level(tracing::Level::WARN)
        .init();
    // Made once: the workers share its reporters.
    let edge = ErrorMiddleware::new();
    let server = HttpServer::new(move || {
        App::new()
            .route("/meetings/{id}", web::get().to(meeting))
            .route("/bug", web::get().to(bug))
            .wrap(edge.clone())
    });
    let server = server.workers(1).bind(("127.0.0.1", 0))?;
    let address = server.addrs()[0];
    let running = server.run();
    let handle = running.handle();
    actix_web::rt::spawn(running);

    // Declared; a parameter that is no number; no route; a panic.
    for path in ["/meetings/7", "/meetings/seven", "/nowhere", "/bug"] {
        let response = reqwest::get(format!("http://{address}{path}")).await?;
        println!("GET {path}\n{}", response.status());
        println!("x-request-id: {:?}", response.headers().get("x-request-id"));
        println!("{}\n", response.text().await?);
    }
    handle.stop(true).await;
    Ok(())
}
