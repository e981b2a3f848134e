//! The HTTP edge around a real axum server: one layer where a Flask application has
//! `register_error_handlers(app)`, `before_request`, handlers of blueprints and a tracker's integration. Every
//! request is printed with its answer, and with what the server logged in between.
//!
//! ```sh
//! cargo run -p examples --example edge
//! ```

use std::error::Error;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use error_runtime::format::escape_html;
use error_runtime::{
    AnyError, ApiError, ErrorEvent, ErrorLayer, Failure, FanOut, Reporter, RequestContext,
};

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Flask: a class for each, with `to_dict` and a `status_code`.
#[derive(Debug, ApiError)]
#[api(domain = "meetings")]
enum MeetingError {
    #[api(status = 404, message = "meeting {id} not found", details)]
    NotFound { id: u64 },
    #[api(status = 502, message = "the rooms cannot be reached")]
    Rooms(#[from] reqwest::Error),
}

fn app(rooms: String, reporters: FanOut) -> Router {
    // Flask: a blueprint with its own `@v1.errorhandler(MeetingError)`. The innermost handler wins.
    let v1 = Router::new()
        .route("/meetings/{id}", get(meeting))
        .layer(ErrorLayer::new().map(|error: &MeetingError| {
            let code = format!("MEETING_{}", error.code());
            AnyError::new(error.status(), code, error.message().into_owned())
        }));
    Router::new()
        .route("/meetings", post(create))
        .route("/meetings/{id}", get(meeting))
        .route("/meetings/{id}/invitations", post(invite))
        .route("/meetings/{id}/room", get(room))
        .route("/bug", get(bug))
        .nest("/v1", v1)
        .layer(from_fn(sign_in))
        .with_state(rooms)
        // Flask: `register_error_handlers(app)` for every class, 404, 405 and `Exception`;
        // `@app.before_request` that makes `g.request_id`; `logger.error(…)` in each handler.
        .layer(
            ErrorLayer::new()
                // Flask: `sentry_sdk.init(…, integrations=[FlaskIntegration()])`.
                .reporters(reporters)
                // Flask: `return render_template("404.html"), 404`.
                .page_for_status(404, |view| {
                    format!("<h1>Lost?</h1><p>{}</p>", escape_html(&view.message()))
                }),
        )
}

async fn meeting(Path(id): Path<u64>) -> Result<String, MeetingError> {
    Err(MeetingError::NotFound { id })
}

#[derive(serde::Deserialize)]
struct NewMeeting {
    hour: u8,
}

/// Flask: `request.get_json()` and `@app.errorhandler(400)`. The extractor's refusal needs no code.
async fn create(Json(meeting): Json<NewMeeting>) -> String {
    format!("a meeting at {}", meeting.hour)
}

/// Flask: `@app.errorhandler(Exception)`. The message goes to the log and not to the client.
async fn bug() -> &'static str {
    panic!("no calendar at 10.0.0.7")
}

/// Flask: `@copy_current_request_context`. A task that is spawned this way knows its request.
async fn invite(Path(id): Path<u64>) -> StatusCode {
    error_runtime::spawn(async move {
        let context = RequestContext::current();
        let request_id = context.as_ref().map(RequestContext::request_id);
        tracing::info!(request_id, "invitations to meeting {id} are sent");
    });
    StatusCode::ACCEPTED
}

async fn room(Path(id): Path<u64>, State(rooms): State<String>) -> Result<String, MeetingError> {
    let response = get_for_request(&format!("{rooms}/rooms/{id}")).await?;
    Ok(response.error_for_status()?.text().await?)
}

/// Flask: `requests.get(url, headers={"X-Request-ID": g.request_id, …})`, in one place for all calls.
async fn get_for_request(url: &str) -> Result<reqwest::Response, reqwest::Error> {
    let client = reqwest::Client::new();
    let mut request = client.get(url).build()?;
    if let Some(context) = RequestContext::current() {
        context.propagate(request.headers_mut());
    }
    client.execute(request).await
}

/// Flask: `@app.before_request` with `sentry_sdk.set_user({"id": g.user.id})`.
async fn sign_in(context: RequestContext, request: Request, next: Next) -> Response {
    context.set_user("ada");
    next.run(request).await
}

/// A reporter of one's own: any type with this method. It is called on a thread of its own.
struct Pager(Sender<String>);

impl Reporter for Pager {
    fn report(&self, event: &ErrorEvent) {
        let user = event.user_id.as_deref().unwrap_or("nobody");
        let route = event.route.as_deref().unwrap_or("no route");
        let page = format!("{} at {route} for {user}: {}", event.code, event.display);
        let _ = self.0.send(page);
    }

    fn wants(&self, failure: &Failure<'_>) -> bool {
        failure.status.is_server_error()
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .without_time()
        .with_target(false)
        .init();
    let (sender, pages) = channel();
    let reporters = FanOut::new().reporter(Pager(sender));
    let rooms = serve(Router::new().route("/rooms/{id}", get(closed_room))).await?;
    let server = serve(app(rooms, reporters.clone())).await?;
    let client = reqwest::Client::new();
    let to = |method, path| client.request(method, format!("{server}{path}"));

    println!("== A declared error, for a program and for a browser");
    ask(to(Method::GET, "/meetings/7")).await?;
    ask(to(Method::GET, "/meetings/7").header(header::ACCEPT, "text/html, */*;q=0.8")).await?;
    println!("== What the framework refuses: a path, a method, a body");
    ask(to(Method::GET, "/nowhere")).await?;
    ask(to(Method::DELETE, "/meetings")).await?;
    let json = to(Method::POST, "/meetings").header(header::CONTENT_TYPE, "application/json");
    ask(json.body(r#"{"hour":"ten"}"#)).await?;
    println!("== A panic");
    ask(to(Method::GET, "/bug")).await?;
    println!("== A nested router with a handler of its own");
    ask(to(Method::GET, "/v1/meetings/7")).await?;
    println!("== An id that comes in goes out, and into tasks");
    let named = to(Method::POST, "/meetings/7/invitations");
    ask(named.header("x-request-id", "from-the-client")).await?;
    println!("== A call to a further service takes id and trace along");
    let traced = to(Method::GET, "/meetings/7/room").header("traceparent", TRACE);
    ask(traced.header("x-request-id", "from-the-client")).await?;

    println!("== What the pager was told");
    reporters.flush(Duration::from_secs(5));
    for page in pages.try_iter() {
        println!("{page}");
    }
    Ok(())
}

/// The further service: it says what it got, and fails.
async fn closed_room(headers: HeaderMap) -> StatusCode {
    for name in ["x-request-id", "traceparent"] {
        println!("    the rooms got {name}: {:?}", headers.get(name));
    }
    StatusCode::SERVICE_UNAVAILABLE
}

async fn serve(app: Router) -> Result<String, std::io::Error> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(format!("http://{address}"))
}

/// Sends a request and prints it with its answer.
async fn ask(request: reqwest::RequestBuilder) -> Result<(), Box<dyn Error>> {
    let (client, request) = request.build_split();
    let request = request?;
    println!("> {} {}", request.method(), request.url().path());
    for (name, value) in request.headers() {
        println!("> {name}: {}", value.to_str()?);
    }
    if let Some(body) = request.body().and_then(reqwest::Body::as_bytes) {
        println!("> {}", String::from_utf8_lossy(body));
    }
    let response = client.execute(request).await?;
    println!("< {}", response.status());
    for name in ["content-type", "allow", "x-request-id"] {
        if let Some(value) = response.headers().get(name) {
            println!("< {name}: {}", value.to_str()?);
        }
    }
    println!("{}\n", response.text().await?);
    Ok(())
}
