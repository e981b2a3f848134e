//! What Flask and `FastAPI` teams write by hand, over real sockets, on axum and on actix-web.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use axum::Router;
use axum::routing::get;
use error_runtime::common::{DatabaseError, NotFoundError};
use error_runtime::{AnyError, ApiError, Violations};
use serde_json::{Value, json};
use sqlx::SqlitePool;

#[derive(Debug, ApiError)]
enum MeetingError {
    /// `MeetingConflictError(start_time, end_time, conflicting_meetings)` of the seeds.
    #[api(
        status = 409,
        message = "the time conflicts with existing meetings",
        details
    )]
    MeetingConflict {
        start_time: &'static str,
        end_time: &'static str,
        conflicting_meetings: Vec<u64>,
    },
    #[api(status = 500, display = "login as app with hunter2 failed")]
    Login,
    #[api(transparent)]
    NotFound(#[from] NotFoundError),
    #[api(transparent)]
    Sql(#[from] sqlx::Error),
    #[api(transparent)]
    Database(#[from] DatabaseError),
}

fn list_details() -> AnyError {
    AnyError::bad_request("Invalid input").with_detail("fields", ["name", "email"])
}

fn violations() -> AnyError {
    let mut violations = Violations::new();
    violations
        .add("email", "required", "is required")
        .add("age", "range", "must be at least 18");
    AnyError::validation(violations)
}

fn conflict() -> MeetingError {
    MeetingError::MeetingConflict {
        start_time: "2024-01-01T09:00:00Z",
        end_time: "2024-01-01T10:00:00Z",
        conflicting_meetings: vec![3, 4],
    }
}

/// A database of one table with a key that refers to another, and foreign keys checked.
async fn database() -> SqlitePool {
    let pool = SqlitePool::connect("sqlite::memory:").await.unwrap();
    for statement in [
        "PRAGMA foreign_keys = ON",
        "CREATE TABLE rooms (id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL)",
        "CREATE TABLE meetings (room INTEGER NOT NULL REFERENCES rooms(id))",
        "INSERT INTO rooms VALUES (1, 'hunter2')",
    ] {
        sqlx::query(statement).execute(&pool).await.unwrap();
    }
    pool
}

/// Each of the database's failures, as they come out of sqlx.
async fn database_failure(which: &'static str) -> Result<(), MeetingError> {
    let pool = database().await;
    let statement = match which {
        "missing" => {
            sqlx::query("SELECT 1 FROM rooms WHERE name = 'nobody'")
                .fetch_one(&pool)
                .await?;
            return Ok(());
        }
        "unique" => "INSERT INTO rooms VALUES (2, 'hunter2')",
        "foreign" => "INSERT INTO meetings VALUES (9)",
        "syntax" => "SELEKT hunter2 FROM rooms",
        _ => {
            let failed = sqlx::query("SELECT hunter2 FROM nowhere")
                .execute(&pool)
                .await;
            failed.map_err(|error| DatabaseError::failed("listing the rooms", error))?;
            return Ok(());
        }
    };
    sqlx::query(statement).execute(&pool).await?;
    Ok(())
}

/// The paths, and what each must answer: status, code, message, details.
fn expected() -> Vec<(&'static str, u16, &'static str, &'static str, Value)> {
    vec![
        (
            "/list",
            400,
            "BAD_REQUEST",
            "Invalid input",
            json!({"fields": ["name", "email"]}),
        ),
        (
            "/not-found",
            404,
            "NOT_FOUND",
            "Job 42 not found",
            json!({"resource": "Job", "resource_id": "42"}),
        ),
        (
            "/conflict",
            409,
            "MEETING_CONFLICT",
            "the time conflicts with existing meetings",
            json!({"start_time": "2024-01-01T09:00:00Z", "end_time": "2024-01-01T10:00:00Z", "conflicting_meetings": [3, 4]}),
        ),
        (
            "/validation",
            422,
            "VALIDATION_ERROR",
            "Validation failed",
            json!({"errors": [
                {"pointer": "/email", "code": "required", "message": "is required"},
                {"pointer": "/age", "code": "range", "message": "must be at least 18"},
            ]}),
        ),
        (
            "/unauthorized",
            401,
            "UNAUTHORIZED",
            "Authentication required",
            Value::Null,
        ),
        ("/forbidden", 403, "FORBIDDEN", "Access denied", Value::Null),
        (
            "/login",
            500,
            "LOGIN",
            "An unexpected error occurred",
            Value::Null,
        ),
        (
            "/database",
            500,
            "DATABASE_ERROR",
            "A database operation failed",
            Value::Null,
        ),
        (
            "/sql/missing",
            404,
            "NOT_FOUND",
            "the resource was not found",
            Value::Null,
        ),
        (
            "/sql/unique",
            409,
            "CONFLICT",
            "the resource already exists",
            Value::Null,
        ),
        (
            "/sql/foreign",
            409,
            "CONFLICT",
            "a related resource does not exist or is still in use",
            Value::Null,
        ),
        (
            "/sql/syntax",
            500,
            "DATABASE_ERROR",
            "An unexpected error occurred",
            Value::Null,
        ),
    ]
}

/// Asks every path and compares.
fn check(address: SocketAddr) {
    for (path, status, code, message, details) in expected() {
        let (head, body) = ask(address, path);
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status} ")),
            "{path}: {head}"
        );
        assert!(
            head.to_ascii_lowercase()
                .contains("content-type: application/json\r\n"),
            "{head}"
        );
        assert_eq!(
            head.to_ascii_lowercase()
                .contains("\r\nwww-authenticate: bearer"),
            status == 401,
            "{head}"
        );
        for leak in [
            "hunter2",
            "SELECT",
            "SELEKT",
            "INSERT",
            "rooms",
            "sqlite",
            "constraint",
            "sqlx",
        ] {
            assert!(
                !head.contains(leak) && !body.contains(leak),
                "{path} leaks {leak}: {head}{body}"
            );
        }
        let body: Value = serde_json::from_str(&body).unwrap();
        let error = &body["error"];
        assert_eq!(
            (&error["status"], &error["code"]),
            (&json!(status), &json!(code)),
            "{path}"
        );
        assert_eq!(error["message"], message, "{path}");
        assert_eq!(
            *error.get("details").unwrap_or(&Value::Null),
            details,
            "{path}"
        );
    }
}

/// One request over a connection of its own: the head and the body of the answer.
fn ask(address: SocketAddr, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (format!("{head}\r\n"), body.to_owned())
}

#[tokio::test]
async fn on_axum() {
    async fn sql(which: &'static str) -> Result<(), MeetingError> {
        database_failure(which).await
    }
    let app = Router::new()
        .route("/list", get(async || Err::<(), _>(list_details())))
        .route(
            "/not-found",
            get(async || Err::<(), _>(MeetingError::from(NotFoundError::new("Job", 42)))),
        )
        .route("/conflict", get(async || Err::<(), _>(conflict())))
        .route("/validation", get(async || Err::<(), _>(violations())))
        .route(
            "/unauthorized",
            get(async || Err::<(), _>(AnyError::unauthorized())),
        )
        .route(
            "/forbidden",
            get(async || Err::<(), _>(AnyError::forbidden())),
        )
        .route("/login", get(async || Err::<(), _>(MeetingError::Login)))
        .route("/database", get(|| sql("wrapped")))
        .route("/sql/missing", get(|| sql("missing")))
        .route("/sql/unique", get(|| sql("unique")))
        .route("/sql/foreign", get(|| sql("foreign")))
        .route("/sql/syntax", get(|| sql("syntax")));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(axum::serve(listener, app).into_future());
    tokio::task::spawn_blocking(move || check(address))
        .await
        .unwrap();
    server.abort();
}

#[actix_web::test]
async fn on_actix() {
    use actix_web::{App, HttpServer, web};

    async fn sql(which: web::Path<String>) -> Result<&'static str, MeetingError> {
        let which = ["missing", "unique", "foreign", "syntax"]
            .into_iter()
            .find(|known| **known == **which);
        database_failure(which.unwrap_or("wrapped"))
            .await
            .map(|()| "")
    }
    let server = HttpServer::new(|| {
        App::new()
            .route(
                "/list",
                web::get().to(async || Err::<&str, _>(list_details())),
            )
            .route(
                "/not-found",
                web::get()
                    .to(async || Err::<&str, _>(MeetingError::from(NotFoundError::new("Job", 42)))),
            )
            .route(
                "/conflict",
                web::get().to(async || Err::<&str, _>(conflict())),
            )
            .route(
                "/validation",
                web::get().to(async || Err::<&str, _>(violations())),
            )
            .route(
                "/unauthorized",
                web::get().to(async || Err::<&str, _>(AnyError::unauthorized())),
            )
            .route(
                "/forbidden",
                web::get().to(async || Err::<&str, _>(AnyError::forbidden())),
            )
            .route(
                "/login",
                web::get().to(async || Err::<&str, _>(MeetingError::Login)),
            )
            .route(
                "/database",
                web::get().to(async || database_failure("wrapped").await.map(|()| "")),
            )
            .route("/sql/{which}", web::get().to(sql))
    })
    .workers(1)
    .bind("127.0.0.1:0")
    .unwrap();
    let address = server.addrs()[0];
    let server = server.disable_signals().run();
    let handle = server.handle();
    let running = actix_web::rt::spawn(server);
    actix_web::rt::task::spawn_blocking(move || check(address))
        .await
        .unwrap();
    handle.stop(false).await;
    running.await.unwrap().unwrap();
}
